/*
 * upkeep.c
 *		What those share who keep the log: the frame of a run, its answer, its statements and its locks.
 *
 * Locks are taken all at once, before anything is done: the seals', then the log's, then those of partitions. Whoever
 * holds a lock on a partition has one on the log, so nobody whom we wait for there can be waiting for us. Meanwhile others
 * queue up behind us, and some of them may hold what we still want. So each wait ends before the server would look for a
 * deadlock in theirs, all locks are given back, and we try again: a few times, then another day.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/plan.h"
#include "base/subtransaction.h"
#include "log/log_writer.h"
#include "install_migrate.h"
#include "proof/seal_chain.h"
#include "upkeep.h"

#define GUARD "support_truncate"
#define LOCK_ATTEMPTS 5
#define PAUSE_MS 100

/* From when on entries are kept: the beginning of a month. */
static TimestampTz
kept_from(TimestampTz now)
{
	Interval   *kept = retention();

	if (kept == NULL)
		return DT_NOBEGIN;
	return month_of(DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(now),
															IntervalPGetDatum(kept))), 0);
}

/* Begin a run as the log's owner, with names and times as he reads and writes them. Raises 42501 for others. */
void
begin_upkeep(Upkeep *upkeep, FunctionCallInfo fcinfo, const char *what)
{
	upkeep->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	become_desk_owner(what, &upkeep->caller);
	upkeep->log = desk_relation("support", "audit_log");
	upkeep->now = desk_now();
	upkeep->action = retention_action();
	upkeep->nestlevel = NewGUCNestLevel();
	fix_setting("timezone", "UTC");
	fix_setting("datestyle", "ISO, YMD");
	fix_setting("default_tablespace", "");
	fix_setting("default_table_access_method", "heap");
	fix_setting("quote_all_identifiers", "off");
	upkeep->keep_from = kept_from(upkeep->now);
}

/* What the owner's code set while it ran goes, too. */
void
end_upkeep(Upkeep *upkeep)
{
	AtEOXact_GUC(false, upkeep->nestlevel);
	become_caller(&upkeep->caller);
}

static char *format_line(const char *format, va_list args) pg_attribute_printf(1, 0);

/* A line, formatted. */
static char *
format_line(const char *format, va_list args)
{
	StringInfoData line;

	initStringInfo(&line);
	for (;;)
	{
		va_list		copy;
		int			needed;

		va_copy(copy, args);
		needed = appendStringInfoVA(&line, format, copy);
		va_end(copy);
		if (needed == 0)
			return line.data;
		enlargeStringInfo(&line, needed);
	}
}

/* Add a line to the result: what was done, or would be. */
void
report(Upkeep *upkeep, const char *format,...)
{
	va_list		args;
	Datum		value;
	bool		isnull = false;

	va_start(args, format);
	value = CStringGetTextDatum(format_line(format, args));
	va_end(args);
	tuplestore_putvalues(upkeep->rsinfo->setResult, upkeep->rsinfo->setDesc, &value, &isnull);
}

/* Keep a line for the result: something stays as it is. */
void
note(Upkeep *upkeep, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	upkeep->notes = lappend(upkeep->notes, format_line(format, args));
	va_end(args);
}

/* What is said of the entries that move to a month. */
const char *
told_entries(int64 entries)
{
	return entries > 0 ? psprintf(", with " INT64_FORMAT " entries of the default partition", entries) : "";
}

/* Run a statement, for the next ones to see what it did. */
void
carry_out(const char *statement)
{
	(void) execute(statement);
	CommandCounterIncrement();
}

/* Run a query that sees what is committed now, whatever snapshot the transaction keeps to. Returns how many rows there are. */
uint64
look(const char *query)
{
	int			code;

	PushActiveSnapshot(GetLatestSnapshot());
	code = SPI_execute(query, true, 0);
	PopActiveSnapshot();
	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", query, SPI_result_code_string(code));
	return SPI_processed;
}

/* The rows whose places, ctid, a query returns in their order. */
RowList
list_rows(const char *query)
{
	RowList		list = {.n = look(query)};

	list.tids = palloc(sizeof(ItemPointerData) * Max(list.n, 1));
	for (uint64 i = 0; i < list.n; i++)
		list.tids[i] = *(ItemPointer) DatumGetPointer(result(i, 1));
	return list;
}

static int
compare_places(const void *a, const void *b)
{
	return ItemPointerCompare((ItemPointer) a, (ItemPointer) b);
}

bool
is_listed(const RowList *list, ItemPointer tid)
{
	return bsearch(tid, list->tids, list->n, sizeof(ItemPointerData), compare_places) != NULL;
}

char *
time_text(TimestampTz at)
{
	return DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(at)));
}

char *
time_literal(TimestampTz at)
{
	return quote_literal_cstr(time_text(at));
}

/* What is to be locked in one attempt. */
typedef struct Locking
{
	Oid			log;
	LOCKMODE	mode;
	const List *partitions;		/* Partition: to be ours alone */
} Locking;

/* In a subtransaction, which gives the locks back if one of them is not to be had. A shorter lock_timeout of the caller's holds. */
static void
lock_all(void *arg)
{
	const Locking *locking = arg;
	int			patience = Max(DeadlockTimeout * 9 / 10, 1);
	ListCell   *cell;

	if (LockTimeout == 0 || LockTimeout > patience)
		fix_setting("lock_timeout", psprintf("%d", patience));
	lock_seals();
	LockRelationOid(locking->log, locking->mode);
	foreach(cell, locking->partitions)
		LockRelationOid(((const Partition *) lfirst(cell))->relid, AccessExclusiveLock);
}

/* Lock the log in this mode, and the default partition and those that are given for ourselves alone. False if they are in use. */
bool
lock_log(Upkeep *upkeep, LOCKMODE mode, const List *partitions)
{
	const Partition *others = default_partition(&upkeep->partitions);
	Locking		locking = {.log = upkeep->log, .mode = mode, .partitions = partitions};

	if (others != NULL)
		locking.partitions = lcons((void *) others, list_copy(partitions));
	for (int tries = 0; tries < LOCK_ATTEMPTS; tries++)
	{
		CHECK_FOR_INTERRUPTS();
		if (tries > 0)
			pg_usleep(PAUSE_MS * 1000L);
		if (attempt_lock(lock_all, &locking))
			return true;
	}
	return false;
}

/* Has a partition the trigger that refuses TRUNCATE? */
bool
is_guarded(Oid partition)
{
	return OidIsValid(get_trigger_oid(partition, GUARD, true));
}

/*
 * The partitions of the log, and theirs, that have lost the trigger which refuses TRUNCATE, or never had it: a Partition each,
 * of which only the relation is known. The caller has locked the log.
 */
List *
unguarded_partitions(Oid log)
{
	List	   *unguarded = NIL;
	ListCell   *cell;

	foreach(cell, find_all_inheritors(log, NoLock, NULL))
	{
		Partition  *partition = palloc0(sizeof(Partition));

		partition->relid = lfirst_oid(cell);
		if (!is_guarded(partition->relid))
			unguarded = lappend(unguarded, partition);
	}
	return unguarded;
}

/* Refuse TRUNCATE of a partition, as of the log: the server hands such triggers down to none. */
void
guard_partition(const char *name)
{
	carry_out(psprintf("CREATE TRIGGER " GUARD " BEFORE TRUNCATE ON %s FOR EACH STATEMENT"
					 " EXECUTE FUNCTION support_internal.refuse_truncate('audit_log')", name));
	carry_out(psprintf("COMMENT ON TRIGGER " GUARD " ON %s IS 'Refuses TRUNCATE.'", name));
}

/* Guard all partitions that are not. */
void
guard_log(void)
{
	Oid			log = desk_relation("support", "audit_log");
	ListCell   *cell;

	LockRelationOid(log, AccessShareLock);
	foreach(cell, unguarded_partitions(log))
		guard_partition(qualified_name(((const Partition *) lfirst(cell))->relid));
}

/* Append a member to a JSON object under construction. */
static void
add_member(StringInfo object, const char *key, const char *value)
{
	appendStringInfoString(object, object->len > 0 ? ", " : "{");
	escape_json(object, key);
	appendStringInfoString(object, ": ");
	escape_json(object, value);
}

/* Note in the log that entries went or came, and which. */
void
log_upkeep(const char *name, TimestampTz from, TimestampTz upto, const char *what)
{
	LogEntry	entry = {.action = "PRUNE"};
	StringInfoData object;

	initStringInfo(&object);
	add_member(&object, "partition", name);
	add_member(&object, "done", what);
	add_member(&object, "from", time_text(from));
	add_member(&object, "to", time_text(upto));
	appendStringInfoChar(&object, '}');
	entry.new_value = DirectFunctionCall1(jsonb_in, CStringGetDatum(object.data));
	log_write(&entry);
}
