/*
 * history.c
 *		Reading the audit log, and what applications write to it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/plan.h"
#include "desk/ticket_access.h"
#include "log/audit.h"
#include "log/log_writer.h"

enum
{
	FIND_TICKET,
	HISTORY
};

static Statement statements[] = {
	[FIND_TICKET] = {
		.text = "SELECT 1 FROM support.tickets WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[HISTORY] = {
		.text = "SELECT h.* FROM support_internal.history_of_ticket($1, $2, $3,"
		"	CASE WHEN $4 THEN '{}' ELSE string_to_array('" KEPT_COLUMNS "', ',') END) AS h"
		" ORDER BY h.occurred_at, h.audit_id, h.field",
		.columns = {{INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID}, {TEXTOID}, {TEXTOID, NOT_NULL},
		{TEXTOID}, {INT8OID}, {TEXTOID}, {TEXTOID}, {TEXTOID}},
		.nargs = 4, .argtypes = {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID}, .names_machinery = true
	}
};

#define HISTORY_COLUMNS 10

/* Raise 22023 for an action that the desk itself writes. A blank one is for the log's own check to refuse. */
static void
check_action(const char *action)
{
	if (is_own_action(action))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("action \"%s\" is the desk's own", action),
				 errhint("Choose another name for the event.")));
}

/* The ticket that an event is about, 0 for none. Raises P0002 or 55000 unless it is there. */
static int64
ticket_of_event(FunctionCallInfo fcinfo)
{
	Args		args = {0};

	if (PG_ARGISNULL(0) || PG_GETARG_INT64(0) == 0)
		return 0;
	arg_passed(&args, fcinfo, 0);
	if (run(&statements[FIND_TICKET], &args) == 0)
		refuse_absent_ticket(PG_GETARG_INT64(0));
	return PG_GETARG_INT64(0);
}

/* log_event(ticket_id, action, old_value, new_value, actor_id) -> id of the entry */
PG_FUNCTION_INFO_V1(support_log_event);
Datum
support_log_event(PG_FUNCTION_ARGS)
{
	LogEntry	entry = {.action = PG_ARGISNULL(1) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(1))};
	WrittenEntry written;
	Call		call;

	PreventCommandIfReadOnly("log_event()");
	check_action(entry.action);
	if (!PG_ARGISNULL(2))
		entry.old_value = PG_GETARG_DATUM(2);
	if (!PG_ARGISNULL(3))
		entry.new_value = PG_GETARG_DATUM(3);
	begin_call(&call, fcinfo, 4);
	entry.ticket_id = ticket_of_event(fcinfo);
	written = log_write(&entry);
	end_call(&call);
	PG_RETURN_INT64(written.id);
}

/* Copy a result's rows to the function's own. */
static void
put_rows(ReturnSetInfo *rsinfo, uint64 n)
{
	for (uint64 i = 0; i < n; i++)
	{
		Datum		values[HISTORY_COLUMNS];
		bool		nulls[HISTORY_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < HISTORY_COLUMNS; j++)
		{
			values[j] = result(i, j + 1);
			nulls[j] = result_is_null(i, j + 1);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* ticket_history(ticket_id, from_at, to_at, all_fields) -> a row for each changed field */
PG_FUNCTION_INFO_V1(support_ticket_history);
Datum
support_ticket_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Args		args = {0};
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_int64(&args, required_id(fcinfo, 0, "ticket_id"));
	arg(&args, PG_ARGISNULL(1) ? TimestampTzGetDatum(DT_NOBEGIN) : PG_GETARG_DATUM(1));
	arg(&args, PG_ARGISNULL(2) ? TimestampTzGetDatum(DT_NOEND) : PG_GETARG_DATUM(2));
	arg(&args, BoolGetDatum(!PG_ARGISNULL(3) && PG_GETARG_BOOL(3)));
	put_rows(rsinfo, run_read_only(&statements[HISTORY], &args));
	end_call(&call);
	return (Datum) 0;
}
