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
#include "calendar/working_time.h"
#include "sla/sla_clock.h"

enum
{
	AT_RISK,
	CALENDARS_IN_USE
};

static Statement statements[] = {
	[AT_RISK] = {
		.text = "SELECT r.ticket_id, r.ticket_number, r.title, r.priority, r.team, r.assignee, r.metric, r.due_at,"
		"	r.due_at - $1, r.remaining"
		" FROM support_internal.clocks_at_risk($1, $2, $3, $4) AS r"
		" ORDER BY r.due_at, r.ticket_id, r.clock_id",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID}, {TEXTOID}, {TEXTOID}, {TEXTOID}, {TEXTOID}, {TEXTOID},
		{TIMESTAMPTZOID}, {INTERVALOID}, {INTERVALOID}},
		.nargs = 4, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INTERVALOID}, .names_machinery = true,
		.many_rows = true
	},
	/* by which a policy promised something, in whatever version */
	[CALENDARS_IN_USE] = {
		.text = "SELECT v.calendar_id, v.version FROM support_internal.calendar_versions AS v",
		.columns = {{INT8OID, NOT_NULL}, {INT4OID, NOT_NULL}},
		.nargs = 0, .as_owner_of = INTERNAL_TABLE("calendar_versions")
	}
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

/* So much time. Raises 22023 where days would mean one thing for one calendar and another for the next. */
static int64
hours_asked_for(FunctionCallInfo fcinfo)
{
	const Interval *within = DatumGetIntervalP(required_argument(fcinfo, 0, "within"));

	if (within->month != 0 || within->day != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must be in hours where it counts working hours"),
				 errhint("A day has as many of them as its calendar says: ask for '8 hours'.")));
	return within->time;
}

/*
 * The instant by which so much time of every calendar is over, and of what is counted round the clock. No clock that is due
 * after it has less time left.
 */
static TimestampTz
end_by_calendars(TimestampTz now, TimestampTz end, int64 hours)
{
	Args		args = {0};
	uint64		n = run_read_only(&statements[CALENDARS_IN_USE], &args);
	Promise    *promises = palloc0(sizeof(Promise) * Max(n, 1));

	for (uint64 i = 0; i < n; i++)
	{
		promises[i].calendar_id = result_int64(i, 1);
		promises[i].calendar_version = DatumGetInt32(result(i, 2));
	}
	for (uint64 i = 0; i < n; i++)
		end = Max(end, after_time(&promises[i], now, hours));
	return end;
}

/* sla_at_risk(within, page_size, within_working_hours) -> what is due first */
PG_FUNCTION_INFO_V1(support_sla_at_risk);
Datum
support_sla_at_risk(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = desk_now();
	TimestampTz end = end_asked_for(fcinfo, now);
	int32		page_size = positive_argument(fcinfo, 1, "page_size");
	bool		is_working = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	int64		hours = is_working ? hours_asked_for(fcinfo) : 0;
	Args		args = {0};
	Call		call;
	uint64		n;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	if (is_working)
		end = Min(end_by_calendars(now, end, hours), last_calendar_instant());
	arg(&args, TimestampTzGetDatum(now));
	arg(&args, TimestampTzGetDatum(end));
	arg_int64(&args, page_size);
	if (is_working)
		arg(&args, time_span(hours));
	else
		arg_null(&args);
	n = run_read_only(&statements[AT_RISK], &args);
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
