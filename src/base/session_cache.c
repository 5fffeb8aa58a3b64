/*
 * session_cache.c
 *		What a session keeps of tables beyond the statement that read them.
 *
 * A cache is stale once a table changes that it was read from: the desk's triggers on small tables invalidate their
 * relcache entries, which reaches every session when the change commits and our own at once. That is no use against what
 * never comes to be: a transaction may read its own change. If it rolls back, or if only a part of it does, what it read is
 * stale. So it is once the transaction is prepared, for it may yet roll back; and what a transaction with an old snapshot
 * read is stale when it ends.
 *
 * The server has few places for callbacks and keeps them for ever, so all caches share one of each kind.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "base/session_cache.h"

/* All that is kept. */
static SessionCache *caches;
static SessionCache **last = &caches;
static bool any_reading;		/* in the present transaction */

static bool
is_read_from(const SessionCache *cache, Oid relid)
{
	for (int i = 0; i < MAX_CACHED_TABLES; i++)
		if (cache->tables[i] == relid)
			return true;
	return false;
}

/* May come at any catalog access, so nothing is freed here, only marked. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (SessionCache *cache = caches; cache != NULL; cache = cache->next)
	{
		if (cache->relation_changed != NULL)
			cache->relation_changed(relid);
		else if (!OidIsValid(relid) || is_read_from(cache, relid))
			cache->stale = true;
	}
}

static void
role_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	for (SessionCache *cache = caches; cache != NULL; cache = cache->next)
		if (cache->role_changed != NULL)
			cache->role_changed();
}

static void
schema_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	for (SessionCache *cache = caches; cache != NULL; cache = cache->next)
		if (cache->schema_changed != NULL)
			cache->schema_changed();
}

static void
transaction_ends(XactEvent event, void *arg)
{
	bool		may_roll_back = event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE;

	if (!any_reading || (!may_roll_back && event != XACT_EVENT_COMMIT))
		return;
	any_reading = false;
	for (SessionCache *cache = caches; cache != NULL; cache = cache->next)
	{
		cache->stale |= cache->in_transaction && (may_roll_back || cache->of_old_snapshot);
		cache->in_transaction = cache->of_old_snapshot = false;
	}
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (SessionCache *cache = caches; cache != NULL; cache = cache->next)
		cache->stale |= cache->in_transaction;
}

void
session_caches_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
}

/* Have a cache told of changes from now on, after those that came before it. It lives as long as the library. */
void
add_session_cache(SessionCache *cache)
{
	*last = cache;
	last = &cache->next;
}

/* Something is about to be read, by a snapshot of this moment, that is kept from then on. */
void
note_reading(SessionCache *cache)
{
	any_reading = cache->in_transaction = true;
}

/* The same by the snapshot that the transaction has, which may be an old one. */
void
note_reading_by_snapshot(SessionCache *cache)
{
	note_reading(cache);
	cache->of_old_snapshot |= IsolationUsesXactSnapshot();
}
