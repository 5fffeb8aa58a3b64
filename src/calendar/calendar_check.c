/*
 * calendar_check.c
 *		What the rows of calendars must keep to, on every road.
 *
 * A row alone is checked before it is written, ahead of the table's own constraints, to say more than they do. Whether
 * hours overlap others is checked after the statement that wrote them, so that a statement may move several. Two
 * transactions that write at once do not see each other's rows; spans that overlap in spite of this are worked once.
 * Holidays may overlap: what is closed twice is closed.
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
	OTHER_HOURS
};

static Statement statements[] = {
	[OTHER_HOURS] = {
		.text = "SELECT opens, closes, weekday FROM support.calendar_hours"
		" WHERE calendar_id = $1 AND id <> $2"
		" AND coalesce(valid_from = $3, valid_from IS NULL AND $3 IS NULL)",
		.columns = {{INTERVALOID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {INT4OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, DATEOID}, .as_owner_of = PUBLIC_TABLE("calendar_hours")
	}
};

/* The short name of a weekday, from 1 for Monday. */
static const char *
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

/* A row's span. */
static Span
span_of(Datum opens, Datum closes)
{
	return (Span) {
		clock_time(DatumGetIntervalP(opens)), clock_time(DatumGetIntervalP(closes))
	};
}

/* Tell of a span that ends just before midnight, as people write it for want of 24:00. */
static void
tell_missing_minute(Span span)
{
	int64		end = span.closes % USECS_PER_DAY;

	if (end >= USECS_PER_DAY - USECS_PER_MINUTE)
		ereport(NOTICE,
				(errmsg("the span %s-%s ends within a minute of midnight", clock_text(span.opens),
						clock_text(span.closes)),
				 errhint("Midnight is 24:00: %s-%s.", clock_text(span.opens),
						 clock_text(span.closes - end + USECS_PER_DAY))));
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
	span = span_of(row_datum(row, SPAN_OPENS), row_datum(row, SPAN_CLOSES));
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
	if (changes(change, SPAN_OPENS) || changes(change, SPAN_CLOSES))
		tell_missing_minute(span);
}

/* The holiday of a row, none of whose columns but last_day is null. */
static Holiday
holiday_of(const Row *row)
{
	DateADT		day = DatumGetDateADT(row_datum(row, SPAN_DAY));

	return (Holiday) {
		.day = day,
		.last_day = row_is_null(row, SPAN_LAST_DAY) ? day : DatumGetDateADT(row_datum(row, SPAN_LAST_DAY)),
		.is_yearly = row_bool(row, SPAN_IS_YEARLY), .is_open = row_bool(row, SPAN_IS_OPEN),
		.span = span_of(row_datum(row, SPAN_OPENS), row_datum(row, SPAN_CLOSES))
	};
}

static char *
date_text(DateADT day)
{
	return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)));
}

/* Raise 23514 for a holiday that is none. */
static void
complete_holiday(RowChange *change)
{
	const Row  *row = change->new;
	DateADT		day,
				last_day;

	complete_span(change);
	if (row_is_null(row, SPAN_DAY) || row_is_null(row, SPAN_LAST_DAY))
		return;
	day = DatumGetDateADT(row_datum(row, SPAN_DAY));
	last_day = DatumGetDateADT(row_datum(row, SPAN_LAST_DAY));
	if (DATE_NOT_FINITE(day) || DATE_NOT_FINITE(last_day))
		return;
	if (last_day < day)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a holiday from %s to %s ends before it begins", date_text(day), date_text(last_day)),
				 err_constraint("calendar_holidays", "calendar_holidays_last_day_check")));
	if (!row_is_null(row, SPAN_IS_YEARLY) && row_bool(row, SPAN_IS_YEARLY) && !is_yearly_span(day, last_day))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a yearly holiday must be over before it comes again"),
				 err_constraint("calendar_holidays", "calendar_holidays_is_yearly_check")));
}

/* Raise 22023 for a calendar that means nothing. */
static void
complete_calendar(RowChange *change)
{
	if (!row_is_null(change->new, CALENDAR_TIME_ZONE))
		(void) time_zone_named(row_text(change->new, CALENDAR_TIME_ZONE));
}

/* Hours as people write them. */
static char *
hours_text(int64 weekday, Span span)
{
	return psprintf("%s %s-%s", weekday_name(weekday), clock_text(span.opens), clock_text(span.closes));
}

/* Do spans of weekdays overlap? The week begins again after seven days. */
static bool
overlaps(int64 a_weekday, Span a, int64 b_weekday, Span b)
{
	for (int i = -1; i <= 1; i++)
	{
		int64		apart = (b_weekday - a_weekday + i * WEEKDAYS) * USECS_PER_DAY;

		if (a.opens < b.closes + apart && b.opens + apart < a.closes)
			return true;
	}
	return false;
}

/* Find the other hours that a row's might overlap: those that hold from the same date. */
static uint64
run_others(const Row *row)
{
	Args		args = {0};

	arg_int64(&args, row_int64(row, SPAN_CALENDAR_ID));
	arg_int64(&args, row_int64(row, SPAN_ID));
	if (row_is_null(row, SPAN_VALID_FROM))
		arg_null(&args);
	else
		arg(&args, row_datum(row, SPAN_VALID_FROM));
	return run(&statements[OTHER_HOURS], &args);
}

/* Raise 23514 if hours that were written overlap others; 55000 if they mean nothing, though the constraints took them. */
static void
check_hours(const RowChange *change)
{
	const Row  *row = change->new;
	int64		weekday = row_int64(row, SPAN_WEEKDAY);
	Span		span = span_of(row_datum(row, SPAN_OPENS), row_datum(row, SPAN_CLOSES));
	uint64		n;

	check_weekly_hours("support.calendar_hours", weekday, span);
	SPI_connect();
	n = run_others(row);
	for (uint64 i = 0; i < n; i++)
	{
		int64		other_weekday = DatumGetInt32(result(i, 3));
		Span		other = span_of(result(i, 1), result(i, 2));

		check_weekly_hours("support.calendar_hours", other_weekday, other);
		if (overlaps(weekday, span, other_weekday, other))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s overlaps %s", hours_text(weekday, span), hours_text(other_weekday, other)),
					 errhint("Spans may touch: 09:00-12:00 and 12:00-17:00."),
					 err_constraint("calendar_hours", "calendar_hours_closes_check")));
	}
	SPI_finish();
}

/* Raise 55000 for a holiday that means nothing, though the table's constraints took it. */
static void
check_written_holiday(const RowChange *change)
{
	Holiday		holiday = holiday_of(change->new);

	check_holiday("support.calendar_holidays", &holiday);
}

void
calendar_check_init(void)
{
	static RowHooks hooks[] = {
		{.table = &calendars_table, .complete = complete_calendar},
		{.table = &calendar_hours_table, .complete = complete_span, .check = check_hours},
		{.table = &calendar_holidays_table, .complete = complete_holiday, .check = check_written_holiday}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
