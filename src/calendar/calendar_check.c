/*
 * calendar_check.c
 *		What the rows of calendars must keep to, on every road.
 *
 * A row alone is checked before it is written, ahead of the table's own constraints, to say more than they do. Whether
 * it overlaps others is checked after the statement that wrote it, so that a statement may move several. Two
 * transactions that write at once do not see each other's rows; spans that overlap in spite of this are worked once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "base/errors.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "base/time_zone.h"
#include "calendar/calendar_check.h"
#include "calendar/opening_hours.h"

enum
{
	OTHER_HOURS,
	OTHER_HOLIDAYS
};

static Statement statements[] = {
	[OTHER_HOURS] = {
		.text = "SELECT opens, closes, weekday FROM support.calendar_hours"
		" WHERE calendar_id = $1 AND id <> $2",
		.columns = {{INTERVALOID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("calendar_hours")
	},
	[OTHER_HOLIDAYS] = {
		.text = "SELECT opens, closes, day FROM support.calendar_holidays"
		" WHERE calendar_id = $1 AND id <> $2"
		" AND is_open = $3"
		" AND day >= $4 AND day <= $5",
		.columns = {{INTERVALOID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {DATEOID, NOT_NULL}},
		.nargs = 5, .argtypes = {INT8OID, INT8OID, BOOLOID, DATEOID, DATEOID},
		.as_owner_of = PUBLIC_TABLE("calendar_holidays")
	}
};

/* The short name of a weekday, from 1 for Monday. */
const char *
weekday_name(int weekday)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	return names[weekday - 1];
}

/* A time by the clock as people write it. */
static char *
clock_text(int64 clock)
{
	int64		seconds = clock / USECS_PER_SEC;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%02d:%02d", (int) (seconds / SECS_PER_HOUR), (int) (seconds / SECS_PER_MINUTE % 60));
	if (clock % USECS_PER_MINUTE != 0)
		appendStringInfo(&text, ":%02d", (int) (seconds % SECS_PER_MINUTE));
	if (clock % USECS_PER_SEC != 0)
		appendStringInfo(&text, ".%06d", (int) (clock % USECS_PER_SEC));
	return text.data;
}

/* A row's span on the scale of its table: since Monday, or since the epoch. */
static Span
span_of(int64 day, Datum opens, Datum closes)
{
	return (Span) {
		day * USECS_PER_DAY + clock_time(DatumGetIntervalP(opens)),
			day * USECS_PER_DAY + clock_time(DatumGetIntervalP(closes))
	};
}

/* The day that a row's span begins on: the date, or the weekday from 0 for Monday. */
static int64
day_of_row(const DeskTable *table, const Row *row)
{
	return table == &calendar_hours_table ?
		row_int64(row, SPAN_WEEKDAY) - 1 : DatumGetDateADT(row_datum(row, SPAN_DAY));
}

/* Raise 23514 for a span that is none. */
static void
complete_span(RowChange *change)
{
	const DeskTable *table = change->table;
	const Row  *row = change->new;
	Span		span;

	if (row_is_null(row, SPAN_OPENS) || row_is_null(row, SPAN_CLOSES))
		return;
	span = span_of(0, row_datum(row, SPAN_OPENS), row_datum(row, SPAN_CLOSES));
	if (span.opens >= 0 && span.closes >= 0 && span.closes <= span.opens)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("the span %s-%s ends before it begins", clock_text(span.opens), clock_text(span.closes)),
				 errhint("After midnight the hours count on: %s of the next day is %s.",
						 clock_text(span.closes), clock_text(span.closes + USECS_PER_DAY)),
				 err_constraint(table->name, psprintf("%s_closes_check", table->name))));
	if (span.opens < 0 || span.opens >= USECS_PER_DAY || span.closes > 2 * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a span begins between 00:00 and 24:00 and ends by 48:00"),
				 errhint("What begins on the next day is a span of that day."),
				 err_constraint(table->name, psprintf("%s_%s_check", table->name,
													  span.closes > 2 * USECS_PER_DAY ? "closes" : "opens"))));
}

/* Raise 22023 for a calendar that means nothing. */
static void
complete_calendar(RowChange *change)
{
	if (!row_is_null(change->new, CALENDAR_TIME_ZONE))
		(void) time_zone_named(row_text(change->new, CALENDAR_TIME_ZONE));
}

/* A span as people write it. */
static char *
span_text(const DeskTable *table, int64 day, Span span)
{
	const char *name = table == &calendar_hours_table ? weekday_name(day + 1) :
		DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)));

	return psprintf("%s %s-%s", name,
					clock_text(span.opens - day * USECS_PER_DAY), clock_text(span.closes - day * USECS_PER_DAY));
}

/* Do spans overlap, on a scale that begins again after a period? */
static bool
overlaps(Span a, Span b, int64 period)
{
	for (int i = -1; i <= 1; i++)
		if (a.opens < b.closes + i * period && b.opens + i * period < a.closes)
			return true;
	return false;
}

/* Find the other rows that a row might overlap. */
static uint64
run_others(const DeskTable *table, const Row *row)
{
	Args		args = {0};

	arg_int64(&args, row_int64(row, SPAN_CALENDAR_ID));
	arg_int64(&args, row_int64(row, SPAN_ID));
	if (table == &calendar_hours_table)
		return run(&statements[OTHER_HOURS], &args);
	arg(&args, BoolGetDatum(row_bool(row, SPAN_IS_OPEN)));
	arg(&args, DateADTGetDatum(DatumGetDateADT(row_datum(row, SPAN_DAY)) - 1));
	arg(&args, DateADTGetDatum(DatumGetDateADT(row_datum(row, SPAN_DAY)) + 1));
	return run(&statements[OTHER_HOLIDAYS], &args);
}

/* Raise 55000 if a row means nothing, though it got past the table's constraints: a day, and its span on that scale. */
static void
check_meaning(const DeskTable *table, int64 day, Span span)
{
	Span		clock = {span.opens - day * USECS_PER_DAY, span.closes - day * USECS_PER_DAY};

	if (table == &calendar_hours_table)
		check_weekly_hours("support.calendar_hours", day + 1, clock);
	else
		check_holiday("support.calendar_holidays", (DateADT) day, clock);
}

/* Raise 23514 if a row that was written overlaps another of its kind. */
static void
check_overlaps(const RowChange *change)
{
	const DeskTable *table = change->table;
	const Row  *row = change->new;
	int64		period = table == &calendar_hours_table ? WEEKDAYS * USECS_PER_DAY : 0;
	int64		day;
	Span		span;
	uint64		n;

	day = day_of_row(table, row);
	span = span_of(day, row_datum(row, SPAN_OPENS), row_datum(row, SPAN_CLOSES));
	check_meaning(table, day, span);
	SPI_connect();
	n = run_others(table, row);
	for (uint64 i = 0; i < n; i++)
	{
		int64		other_day = table == &calendar_hours_table ?
			DatumGetInt32(result(i, 3)) - 1 : DatumGetDateADT(result(i, 3));
		Span		other = span_of(other_day, result(i, 1), result(i, 2));

		check_meaning(table, other_day, other);
		if (overlaps(span, other, period))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s overlaps %s", span_text(table, day, span), span_text(table, other_day, other)),
					 errhint("Spans may touch: 09:00-12:00 and 12:00-17:00."),
					 err_constraint(table->name, psprintf("%s_closes_check", table->name))));
	}
	SPI_finish();
}

void
calendar_check_init(void)
{
	static RowHooks hooks[] = {
		{.table = &calendars_table, .complete = complete_calendar},
		{.table = &calendar_hours_table, .complete = complete_span, .check = check_overlaps},
		{.table = &calendar_holidays_table, .complete = complete_span, .check = check_overlaps}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
