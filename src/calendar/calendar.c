/*
 * calendar.c
 *		Calendars, as the session keeps them.
 *
 * A calendar is read with the rights of the role that asks, and kept for that role and the session, together with what
 * working_time.c makes of it. A change of one of the three tables makes all that is kept stale.
 *
 * What is kept for the session was read by a snapshot of that moment, so that whatever is committed later announces
 * itself later. Where that cannot be had, in a transaction that keeps to its first snapshot and in a parallel query,
 * what was read is good for that snapshot only.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/layout.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "calendar/calendar.h"
#include "calendar/working_days.h"

#define MAX_KEPT_CALENDARS 100

enum
{
	ZONE,
	HOURS,
	HOLIDAYS
};

static Statement statements[] = {
	[ZONE] = {
		.text = "SELECT time_zone FROM support.calendars WHERE id = $1",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[HOURS] = {
		.text = "SELECT weekday, opens, closes, valid_from FROM support.calendar_hours"
		" WHERE calendar_id = $1",
		.columns = {{INT4OID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {DATEOID}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[HOLIDAYS] = {
		.text = "SELECT day, last_day, is_yearly, is_open, opens, closes FROM support.calendar_holidays"
		" WHERE calendar_id = $1",
		.columns = {{DATEOID, NOT_NULL}, {DATEOID}, {BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {INTERVALOID, NOT_NULL},
		{INTERVALOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	}
};

typedef struct CalendarKey
{
	int64		id;
	int64		role;
} CalendarKey;

/* A calendar as a role may read it. */
typedef struct KeptCalendar
{
	CalendarKey key;
	WorkingTime *time;
	bool		of_snapshot;	/* good for one snapshot only: */
	LocalTransactionId lxid;
	TransactionId xmin;
	TransactionId xmax;
	CommandId	curcid;
} KeptCalendar;

static HTAB *calendars;
static MemoryContext calendar_context;
static KeptCalendar *last_used;
static SessionCache cache;

void
calendar_init(void)
{
	add_session_cache(&cache);
}

/* Must we keep to the snapshot of the query that called us? */
static bool
keeps_to_snapshot(void)
{
	return IsolationUsesXactSnapshot() || IsInParallelMode();
}

static uint64
run_for(int statement, int64 calendar_id)
{
	Args		args = {0};

	arg_int64(&args, calendar_id);
	return keeps_to_snapshot() ?
		run_read_only(&statements[statement], &args) : run_latest(&statements[statement], &args);
}

static Span
result_span(uint64 row, int opens, int closes)
{
	return (Span) {
		clock_time(DatumGetIntervalP(result(row, opens))), clock_time(DatumGetIntervalP(result(row, closes)))
	};
}

/* The holiday of a row; the days, is_yearly and is_open are its first columns. */
Holiday
result_holiday(uint64 row, Span span)
{
	DateADT		day = DatumGetDateADT(result(row, 1));

	return (Holiday) {
		.day = day, .last_day = result_is_null(row, 2) ? day : DatumGetDateADT(result(row, 2)),
		.is_yearly = result_bool(row, 3), .is_open = result_bool(row, 4), .span = span
	};
}

/* From when on hours hold. */
DateADT
result_valid_from(uint64 row, int column)
{
	return result_is_null(row, column) ? ALWAYS : DatumGetDateADT(result(row, column));
}

/* The zone of a calendar, by its name. Raises 55000 if the server does not know it. */
pg_tz *
calendar_zone(int64 calendar_id, const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("calendar %lld has the time zone \"%s\", which this server does not know",
						(long long) calendar_id, name)));
	return zone;
}

/* Read a calendar into a context. Raises P0002 if there is none that the caller may see. */
static OpeningHours *
read_calendar(int64 calendar_id, MemoryContext context)
{
	OpeningHours *hours = MemoryContextAllocZero(context, sizeof(OpeningHours));
	uint64		n;
	MemoryContext spi;

	if (run_for(ZONE, calendar_id) == 0)
		refuse_missing("calendar", calendar_id);
	hours->zone = calendar_zone(calendar_id, result_text(0, 1));

	n = run_for(HOURS, calendar_id);
	spi = MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
		add_weekly_hours(hours, "support.calendar_hours", result_valid_from(i, 4), DatumGetInt32(result(i, 1)),
						 result_span(i, 2, 3));
	MemoryContextSwitchTo(spi);
	n = run_for(HOLIDAYS, calendar_id);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
	{
		Holiday		holiday = result_holiday(i, result_span(i, 5, 6));

		add_holiday(hours, "support.calendar_holidays", &holiday);
	}
	settle_hours(hours);
	MemoryContextSwitchTo(spi);
	return hours;
}

/* Raise 55000 for a calendar that plain SQL left without hours. */
static void
check_has_hours(const OpeningHours *hours, int64 calendar_id)
{
	if (never_opens(hours))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("calendar %lld has no working time", (long long) calendar_id),
				 errhint("Add rows to support.calendar_hours, or call support.update_calendar().")));
}

/* Read a calendar into memory that lasts. */
static WorkingTime *
load_calendar(int64 calendar_id)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "support_ext calendar", ALLOCSET_SMALL_SIZES);
	OpeningHours *hours;
	WorkingTime *time;
	MemoryContext caller;

	SPI_connect();
	check_layout();
	hours = read_calendar(calendar_id, context);
	SPI_finish();
	check_has_hours(hours, calendar_id);
	caller = MemoryContextSwitchTo(context);
	time = new_working_time(hours);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, calendar_context);
	return time;
}

/* Begin with nothing kept. */
static void
reset_calendars(void)
{
	HASHCTL		ctl = {.keysize = sizeof(CalendarKey), .entrysize = sizeof(KeptCalendar)};

	last_used = NULL;
	if (calendars != NULL)
		hash_destroy(calendars);
	calendars = NULL;
	if (calendar_context == NULL)
		calendar_context = AllocSetContextCreate(CacheMemoryContext, "support_ext calendars", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(calendar_context);
	calendars = hash_create("support_ext calendars", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	cache.tables[0] = desk_relation("support", "calendars");
	cache.tables[1] = desk_relation("support", "calendar_hours");
	cache.tables[2] = desk_relation("support", "calendar_holidays");
	cache.stale = false;
}

/* Is what was kept good for who looks now? */
static bool
is_good(const KeptCalendar *kept)
{
	Snapshot	snapshot;

	if (!kept->of_snapshot)
		return true;
	snapshot = GetActiveSnapshot();
	return kept->lxid == current_lxid() && kept->xmin == snapshot->xmin && kept->xmax == snapshot->xmax &&
		kept->curcid == snapshot->curcid;
}

/* Note what a calendar is good for. */
static void
note_snapshot(KeptCalendar *kept)
{
	Snapshot	snapshot = GetActiveSnapshot();

	kept->of_snapshot = keeps_to_snapshot();
	kept->lxid = current_lxid();
	kept->xmin = snapshot->xmin;
	kept->xmax = snapshot->xmax;
	kept->curcid = snapshot->curcid;
}

/* Read a calendar and keep it. */
static KeptCalendar *
keep_calendar(const CalendarKey *key)
{
	KeptCalendar *kept;
	WorkingTime *time;
	bool		found;

	if (calendars == NULL || cache.stale || hash_get_num_entries(calendars) >= MAX_KEPT_CALENDARS)
		reset_calendars();
	note_reading(&cache);
	time = load_calendar(key->id);
	kept = hash_search(calendars, key, HASH_ENTER, &found);
	if (found)
		MemoryContextDelete(GetMemoryChunkContext(kept->time));
	kept->time = time;
	note_snapshot(kept);
	return kept;
}

/*
 * The working time of a calendar as the current role sees it now. Raises P0002 if there is none, 55000 for one without
 * hours. The pointer lives until the next call.
 */
WorkingTime *
calendar_time(int64 calendar_id)
{
	CalendarKey key = {calendar_id, GetUserId()};
	KeptCalendar *kept = last_used;

	/* in an open transaction nothing else might tell us of what others changed */
	AcceptInvalidationMessages();
	if (cache.stale)
		kept = NULL;
	else if (kept == NULL || kept->key.id != key.id || kept->key.role != key.role)
		kept = calendars == NULL ? NULL : hash_search(calendars, &key, HASH_FIND, NULL);
	if (kept == NULL || !is_good(kept))
		kept = keep_calendar(&key);
	last_used = kept;
	return kept->time;
}

/* An argument that is an instant. Raises 22023 for NULL, infinity, and what no calendar reaches. */
static TimestampTz
required_instant(FunctionCallInfo fcinfo, int n, const char *name)
{
	TimestampTz at = required_time(fcinfo, n, name);

	if (!in_calendar_range(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is out of range", name),
				 errhint("Calendars reach from the year %d to the year %d, in UTC.", FIRST_YEAR, LAST_YEAR)));
	return at;
}

/* An argument that is an amount of work, of days, hours or both. Raises 22023 for NULL, months, and less than nothing. */
static Interval *
required_work(FunctionCallInfo fcinfo, int n)
{
	Interval   *work = DatumGetIntervalP(required_argument(fcinfo, n, "work"));

	if (work->month != 0 || work->day > MOST_WORKING_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("work must be given in hours or working days, %d at most, not in months", MOST_WORKING_DAYS)));
	if (work->time < 0 || work->day < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("work must not be negative")));
	return work;
}

/* business_elapsed(calendar_id, from_at, to_at) -> working time, negative if to_at is the earlier one */
PG_FUNCTION_INFO_V1(support_business_elapsed);
Datum
support_business_elapsed(PG_FUNCTION_ARGS)
{
	int64		calendar_id = required_id(fcinfo, 0, "calendar_id");
	TimestampTz from_at = required_instant(fcinfo, 1, "from_at");
	TimestampTz to_at = required_instant(fcinfo, 2, "to_at");

	PG_RETURN_DATUM(time_span(working_time_between(calendar_time(calendar_id), from_at, to_at)));
}

/* business_add(calendar_id, at_time, work) -> the instant at which that much has been worked */
PG_FUNCTION_INFO_V1(support_business_add);
Datum
support_business_add(PG_FUNCTION_ARGS)
{
	int64		calendar_id = required_id(fcinfo, 0, "calendar_id");
	TimestampTz at = required_instant(fcinfo, 1, "at_time");
	Interval   *work = required_work(fcinfo, 2);
	WorkingTime *time = calendar_time(calendar_id);
	TimestampTz due;

	if (!add_working_days(time, at, work->day, &due) || !add_working_time(time, due, work->time, &due))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calendar %lld has not that much working time before the year %d",
						(long long) calendar_id, LAST_YEAR + 1)));
	PG_RETURN_TIMESTAMPTZ(due);
}

/* is_open(calendar_id, at_time) */
PG_FUNCTION_INFO_V1(support_is_open);
Datum
support_is_open(PG_FUNCTION_ARGS)
{
	int64		calendar_id = required_id(fcinfo, 0, "calendar_id");
	TimestampTz at = required_instant(fcinfo, 1, "at_time");

	PG_RETURN_BOOL(is_working_time(calendar_time(calendar_id), at));
}

/* next_open(calendar_id, at_time) -> at_time if it is open then, else when it opens next; NULL if never */
PG_FUNCTION_INFO_V1(support_next_open);
Datum
support_next_open(PG_FUNCTION_ARGS)
{
	int64		calendar_id = required_id(fcinfo, 0, "calendar_id");
	TimestampTz at = required_instant(fcinfo, 1, "at_time");
	TimestampTz next;

	if (!next_working_time(calendar_time(calendar_id), at, &next))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next);
}

/* next_close(calendar_id, at_time) -> when it closes next, now or after the next opening; NULL if never */
PG_FUNCTION_INFO_V1(support_next_close);
Datum
support_next_close(PG_FUNCTION_ARGS)
{
	int64		calendar_id = required_id(fcinfo, 0, "calendar_id");
	TimestampTz at = required_instant(fcinfo, 1, "at_time");
	TimestampTz next;

	if (!next_closing_time(calendar_time(calendar_id), at, &next))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next);
}

/* Give out a span of instants. */
static void
put_span(ReturnSetInfo *rsinfo, TimestampTz opens_at, TimestampTz closes_at)
{
	Datum		values[] = {TimestampTzGetDatum(opens_at), TimestampTzGetDatum(closes_at)};
	bool		nulls[] = {false, false};

	if (opens_at < closes_at)
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* open_spans(calendar_id, from_at, to_at) -> the spans of working time between two instants */
PG_FUNCTION_INFO_V1(support_open_spans);
Datum
support_open_spans(PG_FUNCTION_ARGS)
{
	int64		calendar_id = required_id(fcinfo, 0, "calendar_id");
	TimestampTz at = required_instant(fcinfo, 1, "from_at");
	TimestampTz to_at = required_instant(fcinfo, 2, "to_at");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz opens_at = at;
	TimestampTz closes_at = at;
	WorkingTime *time;

	if (at > to_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_at must not be after to_at")));
	InitMaterializedSRF(fcinfo, 0);
	time = calendar_time(calendar_id);
	while (at < to_at)
	{
		TimestampTz until;

		CHECK_FOR_INTERRUPTS();
		if (working_time_until(time, at, to_at, &until))
		{
			/* a span is cut where a year ends */
			if (at != closes_at)
			{
				put_span(rsinfo, opens_at, closes_at);
				opens_at = at;
			}
			closes_at = until;
		}
		at = until;
	}
	put_span(rsinfo, opens_at, closes_at);
	return (Datum) 0;
}
