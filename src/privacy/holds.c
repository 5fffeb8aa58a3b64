/*
 * holds.c
 *		Placing and lifting holds. What they hold is told in desk/hold.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"

enum
{
	LOCK_TICKET,
	LOCK_REMOVED,
	LOCK_USER,
	PLACE,
	STATE_OF_HOLD,
	LIFT
};

static Statement statements[] = {
	[LOCK_TICKET] = {
		.text = "SELECT 1 FROM support.tickets WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_REMOVED] = {
		.text = "SELECT 1 FROM support_internal.recycle_bin WHERE ticket_id = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[PLACE] = {
		.text = "INSERT INTO support.holds (ticket_id, user_id, reason, placed_by)"
		" VALUES ($1, $2, $3, support.actor_id()) RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[STATE_OF_HOLD] = {
		.text = "SELECT lifted_at IS NOT NULL FROM support.holds WHERE id = $1 FOR UPDATE",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LIFT] = {
		.text = "UPDATE support.holds SET lifted_at = support.desk_now(), lifted_by = support.actor_id() WHERE id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	}
};

/* Raise 22023 unless a ticket or a user is named, and not both. */
static void
check_subject(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) == PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a hold is on a ticket or on a user: one of ticket_id and user_id must be given")));
}

/* Lock what is to be held: who is destroying it is waited for. Raises P0002. */
static void
lock_subject(FunctionCallInfo fcinfo)
{
	bool		is_ticket = !PG_ARGISNULL(0);
	int64		id = PG_GETARG_INT64(is_ticket ? 0 : 1);
	Args		args = {0};

	arg_int64(&args, id);
	if (run(&statements[is_ticket ? LOCK_TICKET : LOCK_USER], &args) > 0 ||
		(is_ticket && run(&statements[LOCK_REMOVED], &args) > 0))
		return;
	refuse_missing(is_ticket ? "ticket" : "user", id);
}

/* place_hold(ticket_id, user_id, reason, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_place_hold);
Datum
support_place_hold(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;
	Caller		caller;
	int64		id;

	PreventCommandIfReadOnly("place_hold()");
	check_subject(fcinfo);
	begin_call(&call, fcinfo, 3);
	become_desk_owner("place a hold", &caller);
	lock_subject(fcinfo);
	for (int i = 0; i < 3; i++)
		arg_passed(&args, fcinfo, i);
	run(&statements[PLACE], &args);
	id = result_int64(0, 1);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* lift_hold(hold_id, actor_id) */
PG_FUNCTION_INFO_V1(support_lift_hold);
Datum
support_lift_hold(PG_FUNCTION_ARGS)
{
	int64		hold_id = required_id(fcinfo, 0, "hold_id");
	Args		args = {0};
	Call		call;
	Caller		caller;

	PreventCommandIfReadOnly("lift_hold()");
	begin_call(&call, fcinfo, 1);
	become_desk_owner("lift a hold", &caller);
	arg_int64(&args, hold_id);
	if (run(&statements[STATE_OF_HOLD], &args) == 0)
		refuse_missing("hold", hold_id);
	if (result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("hold %lld was lifted", (long long) hold_id)));
	run(&statements[LIFT], &args);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_VOID();
}
