/*
 * time_buckets.c
 *		The instants at which the hours, days and months of a time zone begin.
 *
 * Reports count between such instants. A day begins when the local clock first shows its date: where the clock is put
 * back over midnight, that is the first of the two midnights; where midnight is skipped, the instant after. The
 * counters know quarter hours of UTC, on which all of today's zones begin their days; for those of long ago that do
 * not, the reports' views take the next quarter hour.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/actor.h"
#include "base/floor_div.h"
#include "base/plan.h"
#include "report/time_buckets.h"
#include "stats/stats.h"

#define MOST_BUCKETS 10000
#define MOST_DAYS 40000				/* more than a century */
#define HOURS_PUT_BACK 24

static const char *const bucket_words[] = {
	[BUCKET_HOUR] = "hour",
	[BUCKET_DAY] = "day",
	[BUCKET_WEEK] = "week",
	[BUCKET_MONTH] = "month",
	[BUCKET_QUARTER] = "quarter",
	[BUCKET_YEAR] = "year"
};

/* Find a bucket by its name. */
bool
bucket_named(const char *name, Bucket *bucket)
{
	for (Bucket i = BUCKET_HOUR; i <= BUCKET_YEAR; i++)
	{
		if (strcmp(bucket_words[i], name) == 0)
		{
			*bucket = i;
			return true;
		}
	}
	return false;
}

/* All of them, for a hint. */
const char *
bucket_names(void)
{
	return "hour, day, week, month, quarter, year";
}

/* What the clock shows at an instant, and the zone's distance from UTC then, in seconds to the west. */
static int
local_clock(TimestampTz at, pg_tz *zone, struct pg_tm *tm)
{
	int			west;
	fsec_t		fsec;

	if (timestamp2tm(at, &west, tm, &fsec, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return west;
}

/* The date that the clock shows. */
DateADT
local_date(TimestampTz at, pg_tz *zone)
{
	struct pg_tm tm;

	local_clock(at, zone, &tm);
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

/* A zone, and the time around the last look at it in which its distance from UTC stays the same. */
typedef struct ZoneOffset
{
	pg_tz	   *zone;
	TimestampTz since;			/* from here on */
	TimestampTz until;			/* and no longer than this, as far as is known */
	int64		west;			/* what the clock then shows less than UTC, in microseconds */
} ZoneOffset;

/* Look at the zone at an instant, and at when it will next change. */
static void
look_at_clock(ZoneOffset *clock, TimestampTz at)
{
	struct pg_tm tm;
	pg_time_t	second = timestamptz_to_time_t(floor_div(at, USECS_PER_SEC) * USECS_PER_SEC);
	pg_time_t	boundary;
	long		gmtoff[2];
	int			isdst[2];

	clock->since = at;
	clock->west = local_clock(at, clock->zone, &tm) * USECS_PER_SEC;
	switch (pg_next_dst_boundary(&second, &gmtoff[0], &isdst[0], &boundary, &gmtoff[1], &isdst[1], clock->zone))
	{
		case 0:					/* it never will */
			clock->until = DT_NOEND;
			break;
		case 1:
			clock->until = time_t_to_timestamptz(boundary);
			break;
		default:				/* not to be known */
			clock->until = at;
			break;
	}
}

/* What the clock shows at an instant, as microseconds from 2000-01-01. */
static Timestamp
local_time(ZoneOffset *clock, TimestampTz at)
{
	if (at < clock->since || at >= clock->until)
		look_at_clock(clock, at);
	return at - clock->west;
}

/* The instant at which a date begins. */
TimestampTz
day_start(DateADT date, pg_tz *zone)
{
	struct pg_tm tm = {0};
	TimestampTz start;
	int			west;

	j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	west = DetermineTimeZoneOffset(&tm, zone);
	if (tm2timestamp(&tm, 0, &west, &start) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	/* of two midnights the server takes the second */
	for (int i = 0; i < HOURS_PUT_BACK * 4 && local_date(start - SLOT_USECS, zone) == date; i++)
		start -= SLOT_USECS;
	return start;
}

/*
 * The same for one date after the other: where the clock is not changed for a day before and after there is one midnight.
 * What would begin after the last instant that there is begins never.
 */
static TimestampTz
next_day_start(ZoneOffset *clock, DateADT date)
{
	TimestampTz start = date * USECS_PER_DAY + clock->west;

	if (start >= END_TIMESTAMP)
		return DT_NOEND;
	if (start >= clock->since + USECS_PER_DAY && start < clock->until - USECS_PER_DAY)
		return start;
	start = day_start(date, clock->zone);
	if (start >= clock->until)
		look_at_clock(clock, start);
	return start;
}

/* The quarter hour that an instant lies in. */
TimestampTz
quarter_hour(TimestampTz at)
{
	return TIMESTAMP_NOT_FINITE(at) ? at : slot_of(at) * SLOT_USECS;
}

/* The first day of the bucket that a date lies in, or of the n-th after that. */
static DateADT
bucket_date(DateADT date, Bucket bucket, int n)
{
	int			jdate = date + POSTGRES_EPOCH_JDATE;
	int			months = bucket == BUCKET_YEAR ? 12 : bucket == BUCKET_QUARTER ? 3 : 1;
	int			year,
				month,
				day;

	if (bucket == BUCKET_DAY)
		return date + n;
	if (bucket == BUCKET_WEEK)
		return date - (j2day(jdate) + 6) % 7 + 7 * n;

	j2date(jdate, &year, &month, &day);
	month = (month - 1) / months * months + months * n;
	return date2j(year + month / 12, month % 12 + 1, 1) - POSTGRES_EPOCH_JDATE;
}

/*
 * The next instant at which an hour of the clock begins. If the clock is put forward or back in between, an hour ends
 * there.
 */
static TimestampTz
next_hour(ZoneOffset *clock, TimestampTz at)
{
	TimestampTz next = (floor_div(local_time(clock, at), USECS_PER_HOUR) + 1) * USECS_PER_HOUR + clock->west;
	int			west = (int) (clock->west / USECS_PER_SEC);
	struct pg_tm tm;

	if (next < clock->until || local_clock(next, clock->zone, &tm) == west)
		return next;
	for (TimestampTz slot = quarter_hour(at) + SLOT_USECS; slot < next; slot += SLOT_USECS)
	{
		if (local_clock(slot, clock->zone, &tm) != west)
			return slot;
	}
	return next;
}

/* Add an instant. Raises 54000 if that makes more buckets than there may be. */
static void
add_bound(Bounds *bounds, TimestampTz at)
{
	if (bounds->n > bounds->max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the range has more than %d buckets", bounds->max),
				 errhint("Choose a wider bucket or a shorter range.")));
	if (bounds->n == bounds->room)
	{
		bounds->room = Max(bounds->room * 2, 128);
		bounds->times = bounds->times == NULL ?
			palloc(bounds->room * sizeof(TimestampTz)) :
			repalloc_huge(bounds->times, bounds->room * sizeof(TimestampTz));
	}
	bounds->times[bounds->n++] = at;
}

/* Divide a range that is not empty. Its first and last bucket may be cut. */
void
find_bounds(Bounds *bounds, TimestampTz from_at, TimestampTz to_at, Bucket bucket, pg_tz *zone)
{
	DateADT		date = bucket == BUCKET_WHOLE ? 0 : local_date(from_at, zone);
	ZoneOffset	clock = {.zone = zone};
	TimestampTz at = from_at;

	*bounds = (Bounds) {.max = MOST_BUCKETS};
	for (int i = 1; at < to_at; i++)
	{
		CHECK_FOR_INTERRUPTS();
		/* a date that a zone has left out begins when the next one does */
		if (i == 1 || at > bounds->times[bounds->n - 1])
			add_bound(bounds, at);
		if (bucket == BUCKET_WHOLE)
			break;
		at = bucket == BUCKET_HOUR ? next_hour(&clock, at) : next_day_start(&clock, bucket_date(date, bucket, i));
	}
	add_bound(bounds, to_at);
}

/* Make an array of them. */
ArrayType *
bounds_array(const Bounds *bounds)
{
	Datum	   *values = palloc(bounds->n * sizeof(Datum));

	for (int i = 0; i < bounds->n; i++)
		values[i] = TimestampTzGetDatum(bounds->times[i]);
	return construct_array(values, bounds->n, TIMESTAMPTZOID, sizeof(TimestampTz), true, TYPALIGN_DOUBLE);
}

/* The same on quarter hours: where none begins, the next one. */
static ArrayType *
rounded_array(Bounds *bounds)
{
	for (int i = 0; i < bounds->n; i++)
		bounds->times[i] = quarter_hour(bounds->times[i] + SLOT_USECS - 1);
	return bounds_array(bounds);
}

/* day_bounds(first_day, last_day) -> the beginnings of these days, and the end of the last one */
PG_FUNCTION_INFO_V1(support_day_bounds);
Datum
support_day_bounds(PG_FUNCTION_ARGS)
{
	Bounds		bounds = {.max = MOST_DAYS};
	ZoneOffset	clock = {.zone = session_timezone};
	DateADT		first,
				last;

	/* of a desk without tickets */
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	first = PG_GETARG_DATEADT(0);
	last = PG_GETARG_DATEADT(1);
	for (DateADT date = first; date <= last + 1; date++)
	{
		CHECK_FOR_INTERRUPTS();
		add_bound(&bounds, next_day_start(&clock, date));
	}
	PG_RETURN_ARRAYTYPE_P(rounded_array(&bounds));
}

/* last_days(days, bucket) -> the bounds of the last days, today included */
PG_FUNCTION_INFO_V1(support_last_days);
Datum
support_last_days(PG_FUNCTION_ARGS)
{
	DateADT		today = local_date(desk_now(), session_timezone);
	Bucket		bucket = BUCKET_WHOLE;
	Bounds		bounds;

	if (!PG_ARGISNULL(1) && !bucket_named(text_to_cstring(PG_GETARG_TEXT_PP(1)), &bucket))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bucket \"%s\" does not exist", text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errhint("There are: %s.", bucket_names())));
	find_bounds(&bounds,
				day_start(today + 1 - positive_argument(fcinfo, 0, "days"), session_timezone),
				day_start(today + 1, session_timezone),
				bucket, session_timezone);
	PG_RETURN_ARRAYTYPE_P(rounded_array(&bounds));
}

/* The hours of a week, from Monday's first one; one that an instant lies in, from 1. */
#define HOURS_IN_WEEK (7 * HOURS_PER_DAY)

static int
hour_of_week(ZoneOffset *clock, TimestampTz at)
{
	int64		hour = floor_div(local_time(clock, at), USECS_PER_HOUR);
	int64		day = floor_div(hour, HOURS_PER_DAY);

	return (j2day((int) day + POSTGRES_EPOCH_JDATE) + 6) % 7 * HOURS_PER_DAY + (int) (hour - day * HOURS_PER_DAY) + 1;
}

/*
 * hours_of_week(days) -> the bounds of each hour of the last days, which hour of the week each is, and how many seconds
 * those of each hour of the week have that have begun
 */
PG_FUNCTION_INFO_V1(support_hours_of_week);
Datum
support_hours_of_week(PG_FUNCTION_ARGS)
{
	DateADT		today = local_date(desk_now(), session_timezone);
	Datum		seconds[HOURS_IN_WEEK] = {0};
	bool		nulls[3] = {false};
	Datum		values[3];
	Datum	   *places;
	Bounds		bounds;
	ZoneOffset	clock = {.zone = session_timezone};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "not called for a row");
	find_bounds(&bounds,
				day_start(today + 1 - positive_argument(fcinfo, 0, "days"), session_timezone),
				day_start(today + 1, session_timezone),
				BUCKET_HOUR, session_timezone);
	places = palloc(sizeof(Datum) * bounds.n);
	for (int i = 0; i < bounds.n - 1; i++)
	{
		int			place = hour_of_week(&clock, bounds.times[i]);
		int64		usecs = bounds.times[i + 1] - bounds.times[i];

		places[i] = Int32GetDatum(place);
		if (bounds.times[i] < desk_now())
			seconds[place - 1] = Int64GetDatum(DatumGetInt64(seconds[place - 1]) + usecs / USECS_PER_SEC);
	}
	values[0] = PointerGetDatum(rounded_array(&bounds));
	values[1] = PointerGetDatum(construct_array(places, bounds.n - 1, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[2] = PointerGetDatum(construct_array(seconds, HOURS_IN_WEEK, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* rolling_days(days) -> bounds: in C, since views that use it are read by who has no right on our schema */
PG_FUNCTION_INFO_V1(support_rolling_days);
Datum
support_rolling_days(PG_FUNCTION_ARGS)
{
	Interval	days = {.day = positive_argument(fcinfo, 0, "days")};
	TimestampTz times[2];
	Bounds		bounds = {.times = times, .n = 2};

	times[0] = quarter_hour(DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
																	TimestampTzGetDatum(desk_now()),
																	IntervalPGetDatum(&days))));
	times[1] = quarter_hour(desk_now()) + SLOT_USECS;
	PG_RETURN_ARRAYTYPE_P(bounds_array(&bounds));
}

/* quarter_hour(at_time) -> when the quarter hour began */
PG_FUNCTION_INFO_V1(support_quarter_hour);
Datum
support_quarter_hour(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(quarter_hour(PG_GETARG_TIMESTAMPTZ(0)));
}
