/*
 * opening_hours.c
 *		When a calendar's week, holidays and one-off openings say that the desk is open.
 *
 * All of this is by the clock on the wall, day by day; what instants that makes is for working_time.c. A span over
 * midnight is kept as two. On a date that has any, closings are taken out of the week's hours first, whatever day
 * these began on, and then one-off openings are added: an opening goes before a closing.
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

/* The same for a span of a date. */
void
check_holiday(const char *relation, DateADT day, Span span)
{
	if (day < date2j(FIRST_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE || day >= date2j(LAST_YEAR + 1, 1, 1) - POSTGRES_EPOCH_JDATE)
		refuse_altered_column(relation, "day", "is a date that no calendar reaches");
	if (!is_span(span))
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

/* Add hours of a weekday, from 1 for Monday, that a relation has; they may go on after midnight. */
void
add_weekly_hours(OpeningHours *hours, const char *relation, int weekday, Span span)
{
	check_weekly_hours(relation, weekday, span);
	add_span(&hours->week[weekday - 1], span.opens, Min(span.closes, USECS_PER_DAY));
	if (span.closes > USECS_PER_DAY)
		add_span(&hours->week[weekday % WEEKDAYS], 0, span.closes - USECS_PER_DAY);
}

static void
add_change(OpeningHours *hours, DateADT day, bool is_open, int64 opens, int64 closes)
{
	if (hours->nchanges == hours->changes_room)
	{
		hours->changes_room = Max(hours->changes_room * 2, 16);
		hours->changes = hours->changes == NULL ?
			palloc(sizeof(DayChange) * hours->changes_room) :
			repalloc(hours->changes, sizeof(DayChange) * hours->changes_room);
	}
	hours->changes[hours->nchanges++] = (DayChange) {
		day, is_open, {opens, closes}
	};
}

/* Add a closing or an opening of a date that a relation has; it may go on after midnight. */
void
add_holiday(OpeningHours *hours, const char *relation, DateADT day, bool is_open, Span span)
{
	check_holiday(relation, day, span);
	add_change(hours, day, is_open, span.opens, Min(span.closes, USECS_PER_DAY));
	if (span.closes > USECS_PER_DAY)
		add_change(hours, day + 1, is_open, 0, span.closes - USECS_PER_DAY);
}

static int
compare_changes(const void *a, const void *b)
{
	const DayChange *left = a;
	const DayChange *right = b;

	if (left->day != right->day)
		return left->day < right->day ? -1 : 1;
	return (int) left->is_open - (int) right->is_open;
}

/* Bring what was added into the order that is searched. */
void
settle_hours(OpeningHours *hours)
{
	for (int i = 0; i < WEEKDAYS; i++)
		unite_spans(&hours->week[i]);
	if (hours->nchanges > 1)
		qsort(hours->changes, hours->nchanges, sizeof(DayChange), compare_changes);
}

/* Where the changes of a date are, if it has any: the first one that is not before it. */
static int
find_changes(const OpeningHours *hours, DateADT day)
{
	int			low = 0;
	int			high = hours->nchanges;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (hours->changes[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The spans of a date, ascending and apart. They live with the hours, or are allocated here. */
void
spans_of_day(const OpeningHours *hours, DateADT day, SpanList *open)
{
	const SpanList *usual = &hours->week[(j2day(day + POSTGRES_EPOCH_JDATE) + 6) % WEEKDAYS];
	int			i = find_changes(hours, day);

	*open = *usual;
	if (i == hours->nchanges || hours->changes[i].day != day)
		return;

	*open = (SpanList) {0};
	for (int j = 0; j < usual->n; j++)
		add_span(open, usual->spans[j].opens, usual->spans[j].closes);
	for (; i < hours->nchanges && hours->changes[i].day == day; i++)
	{
		if (hours->changes[i].is_open)
			add_span(open, hours->changes[i].span.opens, hours->changes[i].span.closes);
		else
			close_span(open, hours->changes[i].span);
	}
	unite_spans(open);
}
