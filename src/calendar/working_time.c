/*
 * working_time.c
 *		The working time between instants.
 *
 * The desk is open at an instant if the clock on the wall shows a time within the opening hours then. Between two
 * changes of a zone's distance from UTC the clock runs evenly, so a year is expanded piece by piece: hours that the
 * clock leaves out are in no piece, hours that it shows twice are in two. What comes of it are spans of instants,
 * ascending and apart, each with the working time before it in its year; each year has that of the years before it.
 * The working time until an instant is then found by one binary search, and so is the instant of a working time.
 *
 * Years are those of UTC. They are known without a gap, ahead and back from the one that was asked for first, which
 * begins with 0. What is known of a year stays, but of spans only those of so many years.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/floor_div.h"
#include "calendar/working_time.h"

#define MAX_YEARS_OF_SPANS 100
#define MOST_WORK ((LAST_YEAR + 1) * INT64CONST(366) * USECS_PER_DAY)

typedef struct Year
{
	int64		before;			/* working time before the year, from where the first one asked for began */
	int64		total;			/* in it */
	int			n;				/* spans; -1 if they are not at hand */
	TimestampTz *starts;
	int64	   *worked;			/* in the year before each span, and, last, before its end */
} Year;

typedef struct YearList
{
	int			n;
	int			room;
	Year	   *years;
} YearList;

struct WorkingTime
{
	const OpeningHours *hours;
	MemoryContext context;		/* owns the lists of years */
	MemoryContext span_context; /* owns their spans */
	int			years_of_spans;
	int			origin;			/* the year asked for first, 0 at first */
	YearList	ahead;			/* from the origin on */
	YearList	back;			/* from the year before it, backwards */
};

/* Make one that knows no year yet. It lives in the current context, where the hours must live too. */
WorkingTime *
new_working_time(const OpeningHours *hours)
{
	WorkingTime *time = palloc0(sizeof(WorkingTime));

	time->hours = hours;
	time->context = CurrentMemoryContext;
	time->span_context = AllocSetContextCreate(CurrentMemoryContext, "support_ext spans", ALLOCSET_DEFAULT_SIZES);
	return time;
}

/* The zone whose clock it goes by. */
pg_tz *
working_zone(const WorkingTime *time)
{
	return time->hours->zone;
}

/* The instant at which a year of UTC begins. */
static TimestampTz
year_start(int year)
{
	return (TimestampTz) (date2j(year, 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

/* Calendars reach from here */
TimestampTz
first_calendar_instant(void)
{
	return year_start(FIRST_YEAR);
}

/* to here. */
TimestampTz
last_calendar_instant(void)
{
	return year_start(LAST_YEAR + 1) - 1;
}

/* Is it an instant of the years 1 to 9999? */
bool
in_calendar_range(TimestampTz at)
{
	return at >= first_calendar_instant() && at <= last_calendar_instant();
}

/* The year of an instant in the range. The guess is at most one off. */
static int
year_of(TimestampTz at)
{
	int			year = 2000 + (int) (at / (INT64CONST(31556952) * USECS_PER_SEC));

	while (at < year_start(year))
		year--;
	while (at >= year_start(year + 1))
		year++;
	return year;
}

/* Add what is open on a day within a piece of time in which the clock is so far ahead of UTC. */
static void
expand_day(const OpeningHours *hours, DateADT day, TimestampTz from, TimestampTz to, int64 ahead, SpanList *instants)
{
	TimestampTz midnight = day * USECS_PER_DAY - ahead;
	SpanList	open;

	spans_of_day(hours, day, &open);
	for (int i = 0; i < open.n; i++)
	{
		TimestampTz opens = Max(midnight + open.spans[i].opens, from);
		TimestampTz closes = Min(midnight + open.spans[i].closes, to);

		if (opens >= closes)
			continue;
		if (instants->n > 0 && instants->spans[instants->n - 1].closes == opens)
			instants->spans[instants->n - 1].closes = closes;
		else
			add_span(instants, opens, closes);
	}
}

/* The day that a clock shows. */
static DateADT
day_of(int64 clock)
{
	return (DateADT) floor_div(clock, USECS_PER_DAY);
}

/* The spans of a year as instants. */
static void
expand_year(const OpeningHours *hours, int year, SpanList *instants)
{
	TimestampTz end = year_start(year + 1);
	TimestampTz from = year_start(year);

	while (from < end)
	{
		pg_time_t	at = timestamptz_to_time_t(from);
		pg_time_t	boundary;
		long		offset,
					next_offset;
		int			isdst,
					next_isdst;
		TimestampTz to = end;
		int			found = pg_next_dst_boundary(&at, &offset, &isdst, &boundary, &next_offset, &next_isdst,
												 hours->zone);

		if (found < 0)
			elog(ERROR, "could not determine the offset of time zone \"%s\" in the year %d",
				 pg_get_timezone_name(hours->zone), year);
		if (found > 0 && boundary < timestamptz_to_time_t(end))
			to = time_t_to_timestamptz(boundary);
		for (DateADT day = day_of(from + offset * USECS_PER_SEC); day <= day_of(to + offset * USECS_PER_SEC - 1); day++)
			expand_day(hours, day, from, to, offset * USECS_PER_SEC, instants);
		from = to;
	}
}

/* Let go of all spans: there are too many. */
static void
forget_spans(WorkingTime *time)
{
	for (int i = 0; i < time->ahead.n; i++)
		time->ahead.years[i].n = -1;
	for (int i = 0; i < time->back.n; i++)
		time->back.years[i].n = -1;
	time->years_of_spans = 0;
	MemoryContextReset(time->span_context);
}

/* Have a year's spans at hand, and its total. An error leaves the year as it was. */
static void
load_spans(WorkingTime *time, int number, Year *year)
{
	MemoryContext passing = AllocSetContextCreate(CurrentMemoryContext, "support_ext year", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(passing);
	SpanList	instants = {0};
	TimestampTz *starts;
	int64	   *worked;

	CHECK_FOR_INTERRUPTS();
	if (time->years_of_spans >= MAX_YEARS_OF_SPANS)
		forget_spans(time);
	expand_year(time->hours, number, &instants);
	starts = MemoryContextAlloc(time->span_context, sizeof(TimestampTz) * Max(instants.n, 1));
	worked = MemoryContextAlloc(time->span_context, sizeof(int64) * (instants.n + 1));
	worked[0] = 0;
	for (int i = 0; i < instants.n; i++)
	{
		starts[i] = instants.spans[i].opens;
		worked[i + 1] = worked[i] + (instants.spans[i].closes - instants.spans[i].opens);
	}
	year->starts = starts;
	year->worked = worked;
	year->total = worked[instants.n];
	year->n = instants.n;
	time->years_of_spans++;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(passing);
}

/* Get to know the year that follows in a list. */
static void
add_year(WorkingTime *time, YearList *list, int number)
{
	Year		year = {.n = -1};

	if (list->n == list->room)
	{
		int			room = Max(list->room * 2, 16);

		list->years = list->years == NULL ?
			MemoryContextAlloc(time->context, sizeof(Year) * room) : repalloc(list->years, sizeof(Year) * room);
		list->room = room;
	}
	load_spans(time, number, &year);
	if (list == &time->ahead)
		year.before = list->n == 0 ? 0 : list->years[list->n - 1].before + list->years[list->n - 1].total;
	else
		year.before = (list->n == 0 ? time->ahead.years[0].before : list->years[list->n - 1].before) - year.total;
	list->years[list->n++] = year;
}

/* A year's totals. The pointer lives until the next year is asked for. */
static Year *
find_year(WorkingTime *time, int number)
{
	if (time->ahead.n == 0)
		time->origin = number;
	if (number >= time->origin || time->ahead.n == 0)
	{
		while (time->origin + time->ahead.n <= number)
			add_year(time, &time->ahead, time->origin + time->ahead.n);
		return &time->ahead.years[number - time->origin];
	}
	while (time->origin - time->back.n > number)
		add_year(time, &time->back, time->origin - time->back.n - 1);
	return &time->back.years[time->origin - number - 1];
}

/* The same with its spans. */
static Year *
find_spans(WorkingTime *time, int number)
{
	Year	   *year = find_year(time, number);

	if (year->n < 0)
		load_spans(time, number, year);
	return year;
}

/* The last span that begins at or before an instant, -1 if none does. */
static int
span_before(const Year *year, TimestampTz at)
{
	int			low = 0;
	int			high = year->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (year->starts[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

static int64
span_length(const Year *year, int i)
{
	return year->worked[i + 1] - year->worked[i];
}

/* The working time until an instant, from where the first year asked for began. */
static int64
worked_until(WorkingTime *time, TimestampTz at)
{
	const Year *year = find_spans(time, year_of(at));
	int			i = span_before(year, at);

	if (i < 0)
		return year->before;
	return year->before + year->worked[i] + Min(at - year->starts[i], span_length(year, i));
}

/* The working time from one instant to another, both in the range; negative if the other is earlier. */
int64
working_time_between(WorkingTime *time, TimestampTz from_at, TimestampTz to_at)
{
	int64		before = worked_until(time, from_at);

	return worked_until(time, to_at) - before;
}

/* The first year from this one on in which so much has been worked; 0 if there is none. */
static int
year_reaching(WorkingTime *time, int number, int64 worked)
{
	int			low = number;
	int			high = Max(number, time->origin + time->ahead.n - 1);
	const Year *year = find_year(time, high);

	while (year->before + year->total < worked)
	{
		if (high == LAST_YEAR)
			return 0;
		low = ++high;
		year = find_year(time, high);
	}
	while (low < high)
	{
		int			middle = (low + high) / 2;

		year = find_year(time, middle);
		if (year->before + year->total < worked)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The earliest instant until which so much more has been worked, 0 or more; false if that is after the last year. It is
 * the instant of closing, and not the next opening, if the work ends with a span.
 */
bool
add_working_time(WorkingTime *time, TimestampTz at, int64 work, TimestampTz *due)
{
	int64		worked;
	const Year *year;
	int			number;
	int			low = 0;
	int			high;

	*due = at;
	if (work == 0)
		return true;
	if (work > MOST_WORK)
		return false;
	worked = worked_until(time, at) + work;
	number = year_reaching(time, year_of(at), worked);
	if (number == 0)
		return false;
	year = find_spans(time, number);
	worked -= year->before;
	high = year->n - 1;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (year->worked[middle + 1] < worked)
			low = middle + 1;
		else
			high = middle;
	}
	*due = year->starts[low] + (worked - year->worked[low]);
	return *due < year_start(LAST_YEAR + 1);
}

bool
is_working_time(WorkingTime *time, TimestampTz at)
{
	const Year *year = find_spans(time, year_of(at));
	int			i = span_before(year, at);

	return i >= 0 && at - year->starts[i] < span_length(year, i);
}

/*
 * Is it working time, and until when does it stay so, or not so? An instant after the limit is given as the limit. Years
 * are expanded one by one: a span that goes on in the next one ends with its year.
 */
bool
working_time_until(WorkingTime *time, TimestampTz at, TimestampTz limit, TimestampTz *until)
{
	int			number = year_of(at);
	const Year *year = find_spans(time, number);
	int			i = span_before(year, at);

	*until = limit;
	if (i >= 0 && at - year->starts[i] < span_length(year, i))
	{
		*until = Min(limit, year->starts[i] + span_length(year, i));
		return true;
	}
	for (i++; i == year->n; i = 0)
	{
		if (number == LAST_YEAR || year_start(number + 1) >= limit)
			return false;
		year = find_spans(time, ++number);
	}
	*until = Min(limit, year->starts[i]);
	return false;
}

/* The instant itself if it is working time, else when the next begins; false if that is after the last year. */
bool
next_working_time(WorkingTime *time, TimestampTz at, TimestampTz *next)
{
	int			number = year_of(at);
	const Year *year = find_spans(time, number);
	int			i = span_before(year, at);

	*next = at;
	if (i >= 0 && at - year->starts[i] < span_length(year, i))
		return true;
	i++;
	while (i == year->n)
	{
		if (number == LAST_YEAR)
			return false;
		year = find_year(time, ++number);
		if (year->total > 0)
			year = find_spans(time, number);
		i = year->total > 0 ? 0 : year->n;
	}
	*next = year->starts[i];
	return true;
}

/*
 * The end of the working time that an instant is in, or else of that which begins next; false if there is none before the
 * last year ends.
 */
bool
next_closing_time(WorkingTime *time, TimestampTz at, TimestampTz *next)
{
	TimestampTz end = year_start(LAST_YEAR + 1);
	TimestampTz until;

	if (!next_working_time(time, at, next))
		return false;
	while (*next < end && working_time_until(time, *next, end, &until))
		*next = until;
	return *next < end;
}
