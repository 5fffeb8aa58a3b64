/*
 * ticket_access.c
 *		Getting at a ticket: that it is there, live, and at the version expected.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "actor.h"
#include "errors.h"
#include "plan.h"
#include "ticket_access.h"

enum
{
	STATE_OF_TICKET,
	IS_REMOVED,
	IS_DELETED
};

static Statement statements[] = {
	[STATE_OF_TICKET] = {
		.text = "SELECT version, deleted_at IS NOT NULL FROM support.tickets"
		" WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[IS_REMOVED] = {
		.text = "SELECT 1 FROM support_internal.recycle_bin WHERE ticket_id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
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

/* Say why there is no row of this ticket: 55000 if it was removed, P0002 if it never was or is not visible. */
void
refuse_absent_ticket(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[IS_REMOVED], &args) > 0)
		refuse_deleted_ticket(ticket_id);
	refuse_missing("ticket", ticket_id);
}

/* Lock the ticket's row until the transaction ends and return its version. Raises P0002, or 55000 if it was deleted. */
int64
lock_live_ticket(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[STATE_OF_TICKET], &args) == 0)
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
