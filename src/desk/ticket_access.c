/*
 * ticket_access.c
 *		Getting at a ticket: that it is there, live, and at the version expected.
 *
 * What row security hides from the caller does not exist, whatever the machinery, which acts for the owner, knows of it:
 * a refusal must not tell it from what never was. Where no row is left that a policy could be asked about, the log's
 * entry of the removal stands for it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rls.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"
#include "desk/ticket_access.h"

enum
{
	STATE_OF_TICKET,
	LOCK_AS_OWNER,
	SEE_TICKET,
	IS_REMOVED,
	SEE_REMOVAL,
	IS_DELETED
};

static Statement statements[] = {
	[STATE_OF_TICKET] = {
		.text = "SELECT version, deleted_at IS NOT NULL FROM support.tickets"
		" WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_AS_OWNER] = {
		.text = "SELECT version, deleted_at IS NOT NULL FROM support.tickets"
		" WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[SEE_TICKET] = {
		.text = "SELECT 1 FROM support.tickets WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	/* the bin keeps its row where somebody inserted another ticket under the id */
	[IS_REMOVED] = {
		.text = "SELECT 1 FROM support_internal.recycle_bin AS b WHERE b.ticket_id = $1"
		" AND NOT EXISTS (SELECT FROM support.tickets AS t WHERE t.id = b.ticket_id)",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	},
	[SEE_REMOVAL] = {
		.text = "SELECT 1 FROM support.audit_log"
		" WHERE ticket_id = $1 AND record_id = $2"
		" AND table_name = $3 AND action = 'DELETE'"
		" LIMIT 1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[IS_DELETED] = {
		.text = "SELECT deleted_at IS NOT NULL FROM support.tickets WHERE id = $1",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	}
};

/* The user in an argument, or the acting one. Raises 55000 if there is neither. */
int64
acting_user_or(FunctionCallInfo fcinfo, int n)
{
	int64		user_id;

	if (!PG_ARGISNULL(n))
		return PG_GETARG_INT64(n);
	if (!acting_user(&user_id))
		refuse_no_actor();
	return user_id;
}

/* The expected version in an argument; ANY_VERSION if it is NULL. */
int64
version_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? ANY_VERSION : PG_GETARG_INT64(n);
}

/* Does row security keep rows of this table of schema support from the caller? */
bool
is_filtered(const char *table)
{
	return check_enable_rls(desk_relation("support", table), InvalidOid, true) == RLS_ENABLED;
}

/* Has the caller the right to change every column of this table? */
bool
may_change(const char *table)
{
	return pg_class_aclcheck(desk_relation("support", table), GetUserId(), ACL_UPDATE) == ACLCHECK_OK;
}

static bool
may_read(const char *table)
{
	return pg_class_aclcheck(desk_relation("support", table), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* May the caller see a ticket of which the machinery found the row? What the last run returned is gone after this. */
bool
may_see_ticket(int64 ticket_id)
{
	Args		args = {0};

	if (!is_filtered("tickets"))
		return true;
	arg_int64(&args, ticket_id);
	return may_read("tickets") && run(&statements[SEE_TICKET], &args) > 0;
}

/*
 * May the caller know of a record that was removed? From whom row security keeps some of its table, only if he may read
 * what the log has of the removal.
 */
bool
may_know_removed(const char *table, int64 ticket_id, int64 id)
{
	Args		args = {0};

	if (!is_filtered(table))
		return true;
	arg_int64(&args, ticket_id);
	arg_int64(&args, id);
	arg_text(&args, table);
	return may_read("audit_log") && run(&statements[SEE_REMOVAL], &args) > 0;
}

/* Was the ticket removed, as far as the caller may know? */
bool
is_removed_ticket(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	return run(&statements[IS_REMOVED], &args) > 0 && may_know_removed("tickets", ticket_id, ticket_id);
}

/* Raise P0002 for a ticket whose row is there, but not for the caller. */
void
check_ticket_is_seen(int64 ticket_id)
{
	if (!may_see_ticket(ticket_id))
		refuse_missing("ticket", ticket_id);
}

/* Say why there is no row of this ticket: 55000 if it was removed, P0002 if it never was or is not visible. */
void
refuse_absent_ticket(int64 ticket_id)
{
	if (is_removed_ticket(ticket_id))
		refuse_deleted_ticket(ticket_id);
	refuse_missing("ticket", ticket_id);
}

/* May the caller lock rows of tickets, by a right to change them or some of their columns? */
static bool
may_lock(void)
{
	return may_change("tickets") ||
		pg_attribute_aclcheck_all(desk_relation("support", "tickets"), GetUserId(), ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * Lock a row of tickets. Who may see tickets and not change them, as one who writes notes alone, does it with the owner's
 * rights, once he has seen it. False if there is none for him.
 */
static bool
lock_ticket(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (may_lock())
		return run(&statements[STATE_OF_TICKET], &args) > 0;
	return run(&statements[SEE_TICKET], &args) > 0 && run(&statements[LOCK_AS_OWNER], &args) > 0;
}

/* Lock the ticket's row until the transaction ends and return its version. Raises P0002, or 55000 if it was deleted. */
int64
lock_live_ticket(int64 ticket_id)
{
	if (!lock_ticket(ticket_id))
		refuse_absent_ticket(ticket_id);
	if (result_bool(0, 2))
		refuse_deleted_ticket(ticket_id);
	return result_int64(0, 1);
}

/* Lock the ticket's row and return its version. Raises SU001 as well, unless it is the one expected. */
int64
lock_ticket_at_version(int64 ticket_id, int64 expected)
{
	int64		version = lock_live_ticket(ticket_id);

	if (expected != ANY_VERSION && version != expected)
		refuse_stale_version(ticket_id, version, expected);
	return version;
}

/* Raise P0002 or 55000 unless there is a row of this ticket, marked as deleted or not. */
void
check_ticket_is_there(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[IS_DELETED], &args) == 0)
		refuse_absent_ticket(ticket_id);
}

/* Raise P0002 or 55000 unless the ticket is live, without locking it. */
void
check_live_ticket(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run_read_only(&statements[IS_DELETED], &args) == 0)
		refuse_absent_ticket(ticket_id);
	if (result_bool(0, 1))
		refuse_deleted_ticket(ticket_id);
}
