/*
 * owner.c
 *		Acting as the desk's owner, with names that mean what we say.
 *
 * What runs with the owner's rights finds names in pg_catalog alone: the caller's search_path could lead an operator, a
 * function or a type to code of the caller's own, which would then run as the owner. This holds for the statement and
 * for all that runs inside it (triggers, policies, defaults, index expressions), as it does for the server's own
 * maintenance of tables. What that code sets, a search_path for one, ends with it. An error needs no cleaning up: the
 * end of the (sub)transaction restores user and settings.
 *
 * The functions that are the owner's alone may be called by a superuser as well. The owner's code must leave nothing
 * behind in his session, so the server refuses it deferred triggers, temporary tables and the like meanwhile.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/owner.h"

/* What enter_safe_path() returns where the path was safe already. */
#define NO_LEVEL 0

/* The user at hand, and in which statement of which transaction: see note_user(). */
static Oid	user_noted = InvalidOid;
static LocalTransactionId noted_in;
static TimestampTz noted_at;

/* Give a setting a value of ours, up to the end of the GUC nest level that the caller opened. */
void
fix_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* From here to leave_safe_path(), which wants what this returns, find names in pg_catalog alone. */
int
enter_safe_path(void)
{
	int			level;

	if (strcmp(namespace_search_path, SAFE_SEARCH_PATH) == 0)
		return NO_LEVEL;
	level = NewGUCNestLevel();
	fix_setting("search_path", SAFE_SEARCH_PATH);
	return level;
}

void
leave_safe_path(int level)
{
	if (level != NO_LEVEL)
		AtEOXact_GUC(true, level);
}

/* The oid of one of our relations. Raises 55000 if it is not there: the extension was created, the desk was not. */
Oid
desk_relation(const char *schema, const char *name)
{
	Oid			namespace = get_namespace_oid(schema, true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the support desk is not installed in this database: there is no %s.%s", schema, name),
				 errhint("SELECT support.install() makes the desk, or brings an older one forward.")));
	return relid;
}

Oid
table_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Has a role, if there is one, the rights of the desk's owner, who owns the log? */
bool
has_owners_rights(Oid role)
{
	return OidIsValid(role) && has_privs_of_role(role, table_owner(desk_relation("support", "audit_log")));
}

/* A relation's name with its schema, as statements spell it. */
char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

static void
note_asking(Oid user)
{
	user_noted = user;
	noted_in = current_lxid();
	noted_at = GetCurrentStatementStartTimestamp();
}

/*
 * Note the user at hand of a security-restricted operation: the one who acts in his own right, or the first that we meet
 * in a statement. Who acts outside of one is forgotten, so as not to be taken for the other.
 */
static void
note_user(Oid user, int context)
{
	if (!(context & SECURITY_RESTRICTED_OPERATION))
	{
		noted_in = InvalidLocalTransactionId;
		return;
	}
	if (context & SECURITY_LOCAL_USERID_CHANGE && noted_in == current_lxid() &&
		noted_at == GetCurrentStatementStartTimestamp())
		return;
	note_asking(user);
}

/*
 * Act with a role's rights until become_caller(), with further bits for the security context. Where these restrict what
 * it may do, it is still the caller who asks.
 */
void
become_role(Oid role, int context, Caller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->context);
	note_user(caller->user, caller->context);
	if (context & SECURITY_RESTRICTED_OPERATION && !InSecurityRestrictedOperation())
		note_asking(GetOuterUserId());
	caller->level = NewGUCNestLevel();
	(void) enter_safe_path();
	SetUserIdAndSecContext(role, caller->context | context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

/* The same with the rights of a table's owner. */
void
become_owner(Oid relid, Caller *caller)
{
	become_role(table_owner(relid), 0, caller);
}

void
become_caller(const Caller *caller)
{
	AtEOXact_GUC(false, caller->level);
	SetUserIdAndSecContext(caller->user, caller->context);
}

/* Act as the owner of the desk, who owns the log, for the length of a function that is his. Raises 42501 for others. */
void
become_desk_owner(const char *what, Caller *caller)
{
	Oid			owner = table_owner(desk_relation("support", "audit_log"));

	if (!has_owners_rights(GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only the owner of the desk may %s", what),
				 errhint("A function of the owner may call it for others, with arguments of its own:"
						 " SECURITY DEFINER SET search_path = pg_catalog, pg_temp, and EXECUTE revoked from PUBLIC.")));
	become_role(owner, owner != GetUserId() ? SECURITY_RESTRICTED_OPERATION : 0, caller);
}

/*
 * The user at hand, before anybody else's rights were taken on: by us, by a SECURITY DEFINER function, by a foreign key for
 * its cascade, or (from 18 on) by a trigger that fires for whom it was queued. Our triggers on the row that a cascade
 * follows from have asked before.
 */
Oid
user_at_hand(void)
{
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	note_user(user, context);
	return user_noted;
}
