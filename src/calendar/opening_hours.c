/*
 * opening_hours.c
 *		When a calendar's week, holidays and one-off openings say that the desk is open.
 *
 * All of this is by the clock on the wall, day by day; what instants that makes is for working_time.c. A span over
 * midnight counts for two days. On a date that has any, closings are taken out of the week's hours first, whatever day
 * these began on, and then one-off openings are added: an opening goes before a closing.
 *
 * The hours of a week hold from a date on. A span that began before that date goes on to its end.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "calendar/opening_hours.h"

/*
 * The microseconds of an interval, with days of 24 hours, as the server compares intervals; the most or the least that
 * there are if it is longer.
 */
int64
clock_time(const Interval *interval)
{
	int64		days = interval->day + (int64) interval->month * DAYS_PER_MONTH;
	int64		sum;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &sum) || pg_add_s64_overflow(sum, interval->time, &sum))
		return days < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return sum;
}

/* Is it a span of a day, which may go on until the next one ends? */
static bool
is_span(Span span)
{
	return span.opens >= 0 && span.opens < USECS_PER_DAY && span.closes > span.opens && span.closes <= 2 * USECS_PER_DAY;
}

/* Raise 55000 for a span of a weekday, from 1 for Monday, that a table has though its constraints allow no such. */
void
check_weekly_hours(const char *relation, int64 weekday, Span span)
{
	if (weekday < 1 || weekday > WEEKDAYS)
		refuse_altered_column(relation, "weekday", psprintf("is %lld, which is no day of the week", (long long) weekday));
	if (!is_span(span))
		refuse_altered(psprintf("relation %s", relation), "has opening hours that do not lie in a day");
}

static bool
is_calendar_day(DateADT day)
{
	return day >= date2j(FIRST_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE &&
		day < date2j(LAST_YEAR + 1, 1, 1) - POSTGRES_EPOCH_JDATE;
}

/* The month and day of a date, as a number that grows over the year. */
static int
month_and_day(DateADT day)
{
	int			year,
				month,
				mday;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	return month * 100 + mday;
}

/* May these days come every year? They must be over before they come again. */
bool
is_yearly_span(DateADT day, DateADT last_day)
{
	return last_day - day < 365;
}

/* The same for a holiday. */
void
check_holiday(const char *relation, const Holiday *holiday)
{
	if (!is_calendar_day(holiday->day))
		refuse_altered_column(relation, "day", "is a date that no calendar reaches");
	if (!is_calendar_day(holiday->last_day) || holiday->last_day < holiday->day ||
		(holiday->is_yearly && !is_yearly_span(holiday->day, holiday->last_day)))
		refuse_altered_column(relation, "last_day", "is a date on which the holiday cannot end");
	if (!is_span(holiday->span))
		refuse_altered(psprintf("relation %s", relation), "has a holiday that does not lie in a day");
}

/* So much time as an interval of hours. */
Datum
time_span(int64 microseconds)
{
	Interval   *span = palloc0(sizeof(Interval));

	span->time = microseconds;
	return IntervalPGetDatum(span);
}

/* Append a span. The list lives where it began to. */
void
add_span(SpanList *list, int64 opens, int64 closes)
{
	if (list->n == list->room)
	{
		list->room = Max(list->room * 2, 4);
		list->spans = list->spans == NULL ?
			palloc(sizeof(Span) * list->room) : repalloc(list->spans, sizeof(Span) * list->room);
	}
	list->spans[list->n++] = (Span) {
		opens, closes
	};
}

static int
compare_spans(const void *a, const void *b)
{
	int64		left = ((const Span *) a)->opens;
	int64		right = ((const Span *) b)->opens;

	return left < right ? -1 : left > right;
}

/* Put spans in the order of their openings. */
static void
sort_spans(SpanList *list)
{
	if (list->n > 1)
		qsort(list->spans, list->n, sizeof(Span), compare_spans);
}

/* Bring spans in order and make one of those that touch. */
static void
unite_spans(SpanList *list)
{
	int			n = 0;

	sort_spans(list);
	for (int i = 0; i < list->n; i++)
	{
		Span		span = list->spans[i];

		if (n > 0 && span.opens <= list->spans[n - 1].closes)
			list->spans[n - 1].closes = Max(list->spans[n - 1].closes, span.closes);
		else
			list->spans[n++] = span;
	}
	list->n = n;
}

/* Take a span out of others. */
static void
close_span(SpanList *list, Span closed)
{
	SpanList	rest = {0};

	for (int i = 0; i < list->n; i++)
	{
		Span		span = list->spans[i];

		if (span.opens < Min(span.closes, closed.opens))
			add_span(&rest, span.opens, Min(span.closes, closed.opens));
		if (Max(span.opens, closed.closes) < span.closes)
			add_span(&rest, Max(span.opens, closed.closes), span.closes);
	}
	*list = rest;
}

/* The week's hours that hold from a date on. */
static WeekHours *
week_from(OpeningHours *hours, DateADT valid_from)
{
	for (int i = 0; i < hours->nweeks; i++)
		if (hours->weeks[i].valid_from == valid_from)
			return &hours->weeks[i];
	hours->weeks = hours->weeks == NULL ?
		palloc(sizeof(WeekHours)) : repalloc(hours->weeks, sizeof(WeekHours) * (hours->nweeks + 1));
	hours->weeks[hours->nweeks] = (WeekHours) {
		.valid_from = valid_from
	};
	return &hours->weeks[hours->nweeks++];
}

/* Add hours of a weekday, from 1 for Monday, that a relation has; they may go on after midnight. */
void
add_weekly_hours(OpeningHours *hours, const char *relation, DateADT valid_from, int weekday, Span span)
{
	WeekHours  *week = week_from(hours, valid_from);

	check_weekly_hours(relation, weekday, span);
	add_span(&week->own[weekday - 1], span.opens, Min(span.closes, USECS_PER_DAY));
	if (span.closes > USECS_PER_DAY)
		add_span(&week->rest[weekday % WEEKDAYS], 0, span.closes - USECS_PER_DAY);
}

/* Add a holiday that a relation has. */
void
add_holiday(OpeningHours *hours, const char *relation, const Holiday *holiday)
{
	HolidayList *list = holiday->is_yearly || holiday->last_day != holiday->day ? &hours->spread : &hours->single;

	check_holiday(relation, holiday);
	if (list->n == list->room)
	{
		list->room = Max(list->room * 2, 16);
		list->holidays = list->holidays == NULL ?
			palloc(sizeof(Holiday) * list->room) : repalloc(list->holidays, sizeof(Holiday) * list->room);
	}
	list->holidays[list->n++] = *holiday;
}

static int
compare_weeks(const void *a, const void *b)
{
	DateADT		left = ((const WeekHours *) a)->valid_from;
	DateADT		right = ((const WeekHours *) b)->valid_from;

	return left < right ? -1 : left > right;
}

static int
compare_holidays(const void *a, const void *b)
{
	DateADT		left = ((const Holiday *) a)->day;
	DateADT		right = ((const Holiday *) b)->day;

	return left < right ? -1 : left > right;
}

/* Append all spans of another list. */
static void
add_spans(SpanList *list, const SpanList *more)
{
	for (int i = 0; i < more->n; i++)
		add_span(list, more->spans[i].opens, more->spans[i].closes);
}

/* Bring what was added into the order that is searched. */
void
settle_hours(OpeningHours *hours)
{
	if (hours->nweeks > 1)
		qsort(hours->weeks, hours->nweeks, sizeof(WeekHours), compare_weeks);
	if (hours->single.n > 1)
		qsort(hours->single.holidays, hours->single.n, sizeof(Holiday), compare_holidays);
	for (int i = 0; i < hours->nweeks; i++)
	{
		WeekHours  *week = &hours->weeks[i];

		for (int j = 0; j < WEEKDAYS; j++)
		{
			add_spans(&week->usual[j], &week->own[j]);
			add_spans(&week->usual[j], &week->rest[j]);
			unite_spans(&week->usual[j]);
		}
	}
}

/* Is there nothing in a calendar by which it would open? */
bool
never_opens(const OpeningHours *hours)
{
	for (int i = 0; i < hours->single.n; i++)
		if (hours->single.holidays[i].is_open)
			return false;
	for (int i = 0; i < hours->spread.n; i++)
		if (hours->spread.holidays[i].is_open)
			return false;
	return hours->nweeks == 0;
}

/* The week's hours on a date; NULL if there are none yet. */
static const WeekHours *
week_on(const OpeningHours *hours, DateADT day)
{
	for (int i = hours->nweeks - 1; i >= 0; i--)
		if (hours->weeks[i].valid_from <= day)
			return &hours->weeks[i];
	return NULL;
}

/* The first of the holidays of one date that is not before a date. */
static int
find_single(const OpeningHours *hours, DateADT day)
{
	int			low = 0;
	int			high = hours->single.n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (hours->single.holidays[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Is a date one of a holiday's? Of a yearly one the months and days are compared, so that the 29 February is in the years
 * that have it.
 */
static bool
falls_on(const Holiday *holiday, DateADT day)
{
	int			at,
				first,
				last;

	if (day < holiday->day)
		return false;
	if (!holiday->is_yearly)
		return day <= holiday->last_day;
	at = month_and_day(day);
	first = month_and_day(holiday->day);
	last = month_and_day(holiday->last_day);
	return first <= last ? at >= first && at <= last : at >= first || at <= last;
}

/* Note what a holiday that begins on a date, or on the one before, says of that date. */
static void
note_holiday(const Holiday *holiday, bool from_before, SpanList *opened, SpanList *closed)
{
	SpanList   *list = holiday->is_open ? opened : closed;

	if (!from_before)
		add_span(list, holiday->span.opens, Min(holiday->span.closes, USECS_PER_DAY));
	else if (holiday->span.closes > USECS_PER_DAY)
		add_span(list, 0, holiday->span.closes - USECS_PER_DAY);
}

/* What holidays say of a date; false if none does. */
static bool
holidays_on(const OpeningHours *hours, DateADT day, SpanList *opened, SpanList *closed)
{
	for (int i = find_single(hours, day - 1); i < hours->single.n && hours->single.holidays[i].day <= day; i++)
		note_holiday(&hours->single.holidays[i], hours->single.holidays[i].day < day, opened, closed);
	for (int i = 0; i < hours->spread.n; i++)
	{
		const Holiday *holiday = &hours->spread.holidays[i];

		if (falls_on(holiday, day))
			note_holiday(holiday, false, opened, closed);
		if (falls_on(holiday, day - 1))
			note_holiday(holiday, true, opened, closed);
	}
	return opened->n > 0 || closed->n > 0;
}

/* The spans of a date, ascending and apart. They live with the hours, or are allocated here. */
void
spans_of_day(const OpeningHours *hours, DateADT day, SpanList *open)
{
	int			weekday = (j2day(day + POSTGRES_EPOCH_JDATE) + 6) % WEEKDAYS;
	const WeekHours *week = week_on(hours, day);
	const WeekHours *before = week_on(hours, day - 1);
	SpanList	opened = {0};
	SpanList	closed = {0};
	bool		differs = holidays_on(hours, day, &opened, &closed);

	*open = (SpanList) {0};
	if (!differs && week == before)
	{
		if (week != NULL)
			*open = week->usual[weekday];
		return;
	}
	if (week != NULL)
		add_spans(open, &week->own[weekday]);
	if (before != NULL)
		add_spans(open, &before->rest[weekday]);
	for (int i = 0; i < closed.n; i++)
		close_span(open, closed.spans[i]);
	add_spans(open, &opened);
	unite_spans(open);
}
