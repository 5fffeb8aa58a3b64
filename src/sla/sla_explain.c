/*
 * sla_explain.c
 *		Why a clock shows what it shows.
 *
 * The ledger tells between which instants a clock ran, and by which calendar; a calendar's version when the desk was open.
 * Cut where any of it changes, and where the ticket's status did, the time since the clock's start falls into intervals
 * in which all of it counts or nothing. They add up to what the clock has consumed, to the microsecond: both are sums of
 * the same spans.
 *
 * A policy that came after a clock's start counted what the ticket had gone through until then, as the log tells it. Where
 * that cannot be told any more, since a status means something else today, its sum is what is left.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"
#include "calendar/calendar_version.h"
#include "calendar/opening_hours.h"
#include "calendar/working_time.h"
#include "sla/sla_clock.h"
#include "sla/sla_names.h"
#include "sla/sla_policy.h"
#include "sla/sla_status_periods.h"
#include "stats/stat_history.h"

enum
{
	STATUS_OF_TICKET,
	FIND_CLOCK,
	TURNS_OF_CLOCK
};

static Statement statements[] = {
	[STATUS_OF_TICKET] = {
		.text = "SELECT status, created_at FROM support.tickets WHERE id = $1",
		.columns = {{TEXTOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[FIND_CLOCK] = {
		.text = "SELECT c.id, c.started_at,"
		" EXISTS (SELECT FROM support.sla_events AS e"
		"	WHERE e.ticket_id = $1 AND e.clock_id = c.id AND e.kind = 'activate' AND e.reason = '" FROM_NOW "')"
		" FROM support.sla_clocks AS c"
		" WHERE c.ticket_id = $1 AND c.metric = $2"
		"	AND ($3 IS NULL OR c.instance = $3)"
		" ORDER BY c.instance DESC, c.id DESC"
		" LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, TEXTOID, INT4OID}
	},
	[TURNS_OF_CLOCK] = {
		.text = "SELECT kind, occurred_at, consumed, reason, calendar_id, calendar_version, pause_categories"
		" FROM support.sla_events"
		" WHERE ticket_id = $1 AND clock_id = $2"
		"	AND kind <> ALL (ARRAY['warn', 'breach', 'breach_voided'])"
		"	AND id >= (SELECT max(b.id) FROM support.sla_events AS b"
		"		WHERE b.ticket_id = $1 AND b.clock_id = $2 AND b.kind = 'activate')"
		" ORDER BY id",
		.columns = {{TEXTOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {TEXTOID}, {INT8OID},
		{INT4OID}, {TEXTARRAYOID}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	}
};

enum
{
	TURN_KIND = 1,
	TURN_OCCURRED_AT,
	TURN_CONSUMED,
	TURN_REASON,
	TURN_CALENDAR_ID,
	TURN_CALENDAR_VERSION,
	TURN_PAUSE_CATEGORIES
};

enum
{
	FROM_AT,
	TO_AT,
	STATUS,
	COUNTED,
	TOTAL,
	WHY,
	COLUMNS
};

/* A stretch of time in which all counts, or nothing, for one reason. */
typedef struct ExplainedSpan
{
	TimestampTz from_at;
	TimestampTz to_at;			/* the same: there is none */
	const char *status;			/* NULL if that cannot be told */
	int64		counted;
	const char *why;
} ExplainedSpan;

/* An explanation in the making, from the clock's start on. */
typedef struct Explanation
{
	ReturnSetInfo *rsinfo;
	MemoryContext per_row;		/* reset for each */
	const char *status_now;
	TimestampTz opened_at;
	int64		ticket_id;
	History		history;
	int			seen;			/* changes of the history until the last stretch */
	ExplainedSpan last;			/* it may go on */
	int64		total;			/* without it */
} Explanation;

/* Give out the last stretch. */
static void
put_stretch(Explanation *explanation)
{
	const ExplainedSpan *stretch = &explanation->last;
	MemoryContext caller = MemoryContextSwitchTo(explanation->per_row);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};

	if (stretch->to_at > stretch->from_at)
	{
		explanation->total = add_up_to_most(explanation->total, stretch->counted);
		values[FROM_AT] = TimestampTzGetDatum(stretch->from_at);
		values[TO_AT] = TimestampTzGetDatum(stretch->to_at);
		nulls[STATUS] = stretch->status == NULL;
		values[STATUS] = nulls[STATUS] ? (Datum) 0 : CStringGetTextDatum(stretch->status);
		values[COUNTED] = time_span(stretch->counted);
		values[TOTAL] = time_span(explanation->total);
		values[WHY] = CStringGetTextDatum(stretch->why);
		tuplestore_putvalues(explanation->rsinfo->setResult, explanation->rsinfo->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(explanation->per_row);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Add what follows the last stretch, which goes on if nothing differs. */
static void
add_stretch(Explanation *explanation, const ExplainedSpan *next)
{
	ExplainedSpan *last = &explanation->last;

	CHECK_FOR_INTERRUPTS();
	if (last->to_at == next->from_at && same_text(last->status, next->status) && same_text(last->why, next->why))
	{
		last->to_at = next->to_at;
		last->counted = add_up_to_most(last->counted, next->counted);
		return;
	}
	put_stretch(explanation);
	*last = *next;
}

/* The ticket's status at an instant, no earlier than the one asked for before; sets until when it held at most. */
static const char *
status_at(Explanation *explanation, TimestampTz at, TimestampTz *until)
{
	const History *history = &explanation->history;

	while (explanation->seen < history->n && history->changes[explanation->seen].at <= at)
		explanation->seen++;
	if (explanation->seen < history->n)
		*until = Min(*until, history->changes[explanation->seen].at);
	if (explanation->seen > 0)
		return history->changes[explanation->seen - 1].to;
	return history->n > 0 ? history->first_status : explanation->status_now;
}

/* Explain a time in which the clock ran, or stood still for a reason. */
static void
explain_time(Explanation *explanation, const Promise *promise, TimestampTz from_at, TimestampTz to_at,
			 const char *stopped)
{
	while (from_at < to_at)
	{
		TimestampTz until = to_at;
		const char *status = status_at(explanation, from_at, &until);
		bool		counts = stopped == NULL && counts_until(promise, from_at, until, &until);
		ExplainedSpan stretch = {from_at, until, status, 0, stopped};

		if (counts)
			stretch.counted = time_between(from_at, until);
		if (stopped == NULL)
			stretch.why = counts ? "counted" : "outside working hours";
		add_stretch(explanation, &stretch);
		from_at = until;
	}
}

/* Why a clock stands still where a ticket is; NULL if it runs. */
static const char *
stopped_at(const Promise *promise, const StatusPeriod *period)
{
	if (counts_at(promise, period))
		return NULL;
	if (period->is_deleted)
		return "deleted";
	return is_solved(period->category) ? "solved" : psprintf("%s stops the clock", category_name(period->category));
}

/* Explain what a clock had consumed when the policy came: what the ticket went through since it started. */
static void
explain_before_policy(Explanation *explanation, const Promise *promise, TimestampTz from_at, TimestampTz to_at,
					  int64 consumed)
{
	Category	now = CATEGORY_OPEN;
	StatusPeriods periods;

	if (from_at >= to_at)
		return;
	(void) find_category(explanation->status_now, &now);
	periods = read_status_periods(explanation->ticket_id, now);
	if (consumed_in_periods(promise, &periods, from_at, to_at) != consumed)
	{
		add_stretch(explanation, &(ExplainedSpan) {from_at, to_at, NULL, consumed, "before the policy"});
		return;
	}
	for (int i = 0; i < periods.n; i++)
	{
		TimestampTz from = Max(from_at, periods.all[i].at);
		TimestampTz to = i + 1 < periods.n ? Min(to_at, periods.all[i + 1].at) : to_at;

		explain_time(explanation, promise, from, to, stopped_at(promise, &periods.all[i]));
	}
}

/* Explain what a clock that was told to count from its start on does not count: all since the ticket was opened. */
static void
explain_left_out(Explanation *explanation, TimestampTz started_at)
{
	if (explanation->opened_at < started_at)
		add_stretch(explanation, &(ExplainedSpan) {explanation->opened_at, started_at, NULL, 0, "not to be counted"});
}

static SlaEventKind
turn_kind(uint64 row)
{
	char	   *name = result_text(row, TURN_KIND);

	for (SlaEventKind kind = SLA_ACTIVATE; kind <= SLA_CANCEL; kind++)
		if (strcmp(sla_event_names[kind], name) == 0)
			return kind;
	refuse_altered_column("support.sla_events", "kind", psprintf("is \"%s\", which is not known", name));
}

/* Raise 55000 unless an instant of a clock's ledger is one. */
static TimestampTz
checked_instant(TimestampTz at, const char *relation, const char *column)
{
	if (TIMESTAMP_NOT_FINITE(at))
		refuse_altered_column(relation, column, "is infinite");
	return at;
}

/* What a turn says of the promise, as far as time counts by it. */
static Promise
turn_promise(uint64 row)
{
	if (result_is_null(row, TURN_PAUSE_CATEGORIES))
		refuse_altered_column("support.sla_events", "pause_categories", "is null where it must not be");
	return (Promise) {
		.calendar_id = result_int64(row, TURN_CALENDAR_ID),
		.calendar_version = DatumGetInt32(result(row, TURN_CALENDAR_VERSION)),
		.pauses = categories_in(DatumGetArrayTypeP(result(row, TURN_PAUSE_CATEGORIES)))
	};
}

/* Why a clock stands still after a turn; NULL if it runs. */
static const char *
stopped_by(SlaEventKind kind, uint64 row, const char *stopped)
{
	switch (kind)
	{
		case SLA_PAUSE:
			return psprintf("%s stops the clock", result_is_null(row, TURN_REASON) ? "something" :
							result_text(row, TURN_REASON));
		case SLA_RESUME:
			return NULL;
			/* what goes on after its end was ended by one of these */
		case SLA_FULFIL:
			return "solved";
		case SLA_CANCEL:
			return !result_is_null(row, TURN_REASON) && strcmp(result_text(row, TURN_REASON), "solved") == 0 ?
				"solved" : "deleted";
		default:
			return stopped;
	}
}

/* Explain a clock by its turns, which were just read. */
static void
explain_turns(Explanation *explanation, uint64 n, TimestampTz started_at)
{
	Promise		promise = {0};
	const char *stopped = NULL;
	TimestampTz at = started_at;
	bool		is_open = false;

	for (uint64 i = 0; i < n; i++)
	{
		SlaEventKind kind = turn_kind(i);
		TimestampTz turned_at = checked_instant(DatumGetTimestampTz(result(i, TURN_OCCURRED_AT)),
												"support.sla_events", "occurred_at");

		if (kind != SLA_ACTIVATE)
			explain_time(explanation, &promise, at, turned_at, stopped);
		if (kind == SLA_ACTIVATE || kind == SLA_RETARGET)
			promise = turn_promise(i);
		if (kind == SLA_ACTIVATE)
			explain_before_policy(explanation, &promise, at, turned_at,
								  DatumGetIntervalP(result(i, TURN_CONSUMED))->time);
		stopped = stopped_by(kind, i, stopped);
		is_open = kind != SLA_FULFIL && kind != SLA_CANCEL;
		at = turned_at;
	}
	if (is_open)
		explain_time(explanation, &promise, at, desk_now(), stopped);
	put_stretch(explanation);
}

/* Raise 22023 unless there is such a metric. */
static void
check_metric(const char *name)
{
	SlaMetric	metric;

	if (!sla_metric_named(name, &metric))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" does not exist", name),
				 errhint("The metrics are: %s.", list_sla_metrics())));
}

/* P0002: the ticket was never promised this, or not so often. */
pg_noreturn static void
refuse_no_clock(int64 ticket_id, const char *metric, FunctionCallInfo fcinfo)
{
	char	   *clock = PG_ARGISNULL(2) ? "clock" : psprintf("clock %d", PG_GETARG_INT32(2));

	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("ticket %lld has no %s for %s", (long long) ticket_id, clock, metric),
			 errhint("SELECT metric, instance FROM support.sla_clocks WHERE ticket_id = %lld tells which it has.",
					 (long long) ticket_id)));
}

/* Find the clock that is asked for; sets when it started, and whether it was told to count from then on. */
static int64
find_clock(FunctionCallInfo fcinfo, int64 ticket_id, const char *metric, TimestampTz *started_at, bool *from_now)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	arg_text(&args, metric);
	arg_passed(&args, fcinfo, 2);
	if (run_read_only(&statements[FIND_CLOCK], &args) == 0)
		refuse_no_clock(ticket_id, metric, fcinfo);
	*started_at = checked_instant(DatumGetTimestampTz(result(0, 2)), "support.sla_clocks", "started_at");
	*from_now = result_bool(0, 3);
	return result_int64(0, 1);
}

/* sla_explain(ticket_id, metric, instance) -> the intervals of a clock */
PG_FUNCTION_INFO_V1(support_sla_explain);
Datum
support_sla_explain(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	char	   *metric = TextDatumGetCString(required_argument(fcinfo, 1, "metric"));
	Explanation explanation = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	TimestampTz started_at;
	bool		from_now;
	Args		args = {0};
	Call		call;

	check_metric(metric);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	explanation.per_row = AllocSetContextCreate(CurrentMemoryContext, "explained row", ALLOCSET_SMALL_SIZES);
	arg_int64(&args, ticket_id);
	if (run_read_only(&statements[STATUS_OF_TICKET], &args) == 0)
		refuse_missing("ticket", ticket_id);
	explanation.status_now = result_text(0, 1);
	explanation.opened_at = checked_instant(DatumGetTimestampTz(result(0, 2)), "support.tickets", "created_at");
	explanation.ticket_id = ticket_id;
	explanation.history = read_visible_history(ticket_id);
	arg_int64(&args, find_clock(fcinfo, ticket_id, metric, &started_at, &from_now));
	if (from_now)
		explain_left_out(&explanation, started_at);
	explain_turns(&explanation, run_read_only(&statements[TURNS_OF_CLOCK], &args), started_at);
	end_call(&call);
	return (Datum) 0;
}
