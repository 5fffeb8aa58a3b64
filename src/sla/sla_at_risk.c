/*
 * sla_at_risk.c
 *		Which promises are about to be broken, and how clocks that run stand now.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/plan.h"
#include "calendar/opening_hours.h"
#include "sla/sla_clock.h"

static Statement at_risk = {
	.text = "SELECT r.ticket_id, r.ticket_number, r.title, r.priority, r.team, r.assignee, r.metric, r.due_at,"
	"	r.due_at - $1, r.remaining"
	" FROM support_internal.clocks_at_risk($1, $2, $3) AS r"
	" ORDER BY r.due_at, r.ticket_id, r.clock_id",
	.columns = {{INT8OID, NOT_NULL}, {TEXTOID}, {TEXTOID}, {TEXTOID}, {TEXTOID}, {TEXTOID}, {TEXTOID},
	{TIMESTAMPTZOID}, {INTERVALOID}, {INTERVALOID}},
	.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}, .names_machinery = true, .many_rows = true
};

/* So long from now on. Raises 22023 for NULL and what is not later. */
static TimestampTz
end_asked_for(FunctionCallInfo fcinfo, TimestampTz now)
{
	Datum		end = DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(now),
										  required_argument(fcinfo, 0, "within"));

	if (DatumGetTimestampTz(end) < now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must not be negative")));
	return DatumGetTimestampTz(end);
}

/* sla_at_risk(within, page_size) -> what is due first */
PG_FUNCTION_INFO_V1(support_sla_at_risk);
Datum
support_sla_at_risk(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = desk_now();
	TimestampTz end = end_asked_for(fcinfo, now);
	int32		page_size = positive_argument(fcinfo, 1, "page_size");
	Args		args = {0};
	Call		call;
	uint64		n;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg(&args, TimestampTzGetDatum(now));
	arg(&args, TimestampTzGetDatum(end));
	arg_int64(&args, page_size);
	n = run_read_only(&at_risk, &args);
	for (uint64 i = 0; i < n; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	end_call(&call);
	return (Datum) 0;
}

/* sla_elapsed(calendar_id, calendar_version, from_at, to_at) -> what a clock counts in between; NULL without bounds */
PG_FUNCTION_INFO_V1(support_sla_elapsed);
Datum
support_sla_elapsed(PG_FUNCTION_ARGS)
{
	Promise		promise = {
		.calendar_id = PG_ARGISNULL(0) ? NO_CALENDAR : PG_GETARG_INT64(0),
		.calendar_version = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1)
	};

	if (PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(2)) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(time_span(promised_time(&promise, PG_GETARG_TIMESTAMPTZ(2), PG_GETARG_TIMESTAMPTZ(3))));
}
