/*
 * calendar_edit.c
 *		Making and changing calendars.
 *
 * Each change is written down as a version of the calendar, see calendar_version.c. The row of calendars is locked from
 * before the definition is read until the version is written.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"

#include "base/actor.h"
#include "base/ascii.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/plan.h"
#include "calendar/calendar_check.h"
#include "calendar/calendar_version.h"
#include "calendar/opening_hours.h"

enum
{
	HOLDER_OF_NAME,
	INSERT_CALENDAR,
	UPDATE_CALENDAR,
	DELETE_HOURS,
	DELETE_HOLIDAYS,
	INSERT_HOURS,
	INSERT_HOLIDAY,
	HAS_WORKING_TIME
};

static Statement statements[] = {
	[HOLDER_OF_NAME] = {
		.text = "SELECT id FROM support.calendars WHERE name::text = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[INSERT_CALENDAR] = {
		.text = "INSERT INTO support.calendars (name, time_zone) VALUES ($1, $2) RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {TEXTOID, TEXTOID}
	},
	[UPDATE_CALENDAR] = {
		.text = "UPDATE support.calendars SET name = coalesce($2, name), time_zone = coalesce($3, time_zone)"
		" WHERE id = $1",
		.nargs = 3, .argtypes = {INT8OID, TEXTOID, TEXTOID}
	},
	[DELETE_HOURS] = {
		.text = "DELETE FROM support.calendar_hours WHERE calendar_id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[DELETE_HOLIDAYS] = {
		.text = "DELETE FROM support.calendar_holidays WHERE calendar_id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[INSERT_HOURS] = {
		.text = "INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES ($1, $2, $3, $4)",
		.nargs = 4, .argtypes = {INT8OID, INT4OID, INTERVALOID, INTERVALOID}
	},
	[INSERT_HOLIDAY] = {
		.text = "INSERT INTO support.calendar_holidays (calendar_id, day, is_open, opens, closes, name)"
		" VALUES ($1, $2, $3, $4, $5, $6)",
		.nargs = 6, .argtypes = {INT8OID, DATEOID, BOOLOID, INTERVALOID, INTERVALOID, TEXTOID}
	},
	[HAS_WORKING_TIME] = {
		.text = "SELECT EXISTS (SELECT FROM support.calendar_hours WHERE calendar_id = $1)"
		" OR EXISTS (SELECT FROM support.calendar_holidays WHERE calendar_id = $1 AND is_open)",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	}
};

static const UniqueValue name = {
	&statements[HOLDER_OF_NAME], "calendar name", "calendar", "calendars", "calendars_name_key"
};

#define HOURS_HINT "Hours look like {\"mon-fri\": [\"09:00-12:00\", \"13:00-17:00\"], \"sat\": \"10:00-14:00\"}."
#define HOLIDAYS_HINT "Holidays look like [\"2026-12-25\", {\"day\": \"2026-12-24\", \"closed\": \"12:00-24:00\"," \
	" \"name\": \"Christmas Eve\"}, {\"day\": \"2026-12-27\", \"open\": \"10:00-14:00\"}]."

/* Raise 22023 for hours or holidays that we cannot read. */
pg_noreturn static void
refuse_list(bool is_week, const char *what, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 value == NULL ? errmsg("%s", what) : errmsg("\"%s\" is not %s", value, what),
			 errhint("%s", is_week ? HOURS_HINT : HOLIDAYS_HINT)));
}

/* Read a number of two digits and move on. */
static bool
parse_two_digits(const char **text, int *value)
{
	const char *digits = *text;

	if (!is_digit(digits[0]) || !is_digit(digits[1]))
		return false;
	*value = (digits[0] - '0') * 10 + (digits[1] - '0');
	*text += 2;
	return true;
}

/* Read 09:00 or 09:00:30 and move on. */
static bool
parse_clock(const char **text, Interval *clock)
{
	int			hours,
				minutes,
				seconds = 0;

	if (!parse_two_digits(text, &hours) || *(*text)++ != ':' || !parse_two_digits(text, &minutes))
		return false;
	if (**text == ':')
	{
		(*text)++;
		if (!parse_two_digits(text, &seconds))
			return false;
	}
	*clock = (Interval) {
		.time = hours * USECS_PER_HOUR + minutes * USECS_PER_MINUTE + seconds * USECS_PER_SEC
	};
	return minutes < 60 && seconds < 60;
}

/* Read 09:00-17:00. */
static void
parse_span(const char *text, bool is_week, Interval *opens, Interval *closes)
{
	const char *rest = text;

	if (!parse_clock(&rest, opens) || *rest++ != '-' || !parse_clock(&rest, closes) || *rest != '\0')
		refuse_list(is_week, "a span such as 09:00-17:00", text);
}

/* A member of an object; NULL if it has none of that name, or null. */
static JsonbValue *
member(JsonbContainer *object, const char *name)
{
	JsonbValue *found = json_member(object, name, palloc(sizeof(JsonbValue)));

	return found == NULL || found->type == jbvNull ? NULL : found;
}

/* The weekday of a short name, 0 if it is none. */
static int
weekday_named(const char *name, size_t length)
{
	for (int i = 1; i <= WEEKDAYS; i++)
		if (length == 3 && pg_strncasecmp(weekday_name(i), name, 3) == 0)
			return i;
	return 0;
}

/* Read mon, or mon-fri. */
static void
parse_weekdays(const char *text, int *first, int *last)
{
	const char *dash = strchr(text, '-');

	*first = weekday_named(text, dash == NULL ? strlen(text) : dash - text);
	*last = dash == NULL ? *first : weekday_named(dash + 1, strlen(dash + 1));
	if (*first == 0 || *last == 0)
		refuse_list(true, "a weekday such as mon, or a range such as mon-fri", text);
}

/* Write a span of each of some weekdays; sat-mon is a range too. */
static void
insert_hours(int64 calendar_id, const char *weekdays, const JsonbValue *span)
{
	char	   *text = json_string_of(span);
	Interval	opens,
				closes;
	int			first,
				last;

	if (text == NULL)
		refuse_list(true, "a span must be a string", NULL);
	parse_weekdays(weekdays, &first, &last);
	parse_span(text, true, &opens, &closes);
	for (int i = 0; i <= (last - first + WEEKDAYS) % WEEKDAYS; i++)
	{
		Args		args = {0};

		arg_int64(&args, calendar_id);
		arg(&args, Int32GetDatum((first - 1 + i) % WEEKDAYS + 1));
		arg(&args, IntervalPGetDatum(&opens));
		arg(&args, IntervalPGetDatum(&closes));
		run(&statements[INSERT_HOURS], &args);
	}
}

/* Write the hours of a week. */
static void
write_hours(int64 calendar_id, Jsonb *week)
{
	JsonbIterator *iterator = JsonbIteratorInit(&week->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *weekdays = NULL;

	if (!JB_ROOT_IS_OBJECT(week))
		refuse_list(true, "hours must be an object", NULL);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			weekdays = json_string_of(&value);
		else if (token == WJB_VALUE || token == WJB_ELEM)
			insert_hours(calendar_id, weekdays, &value);
		else if (token == WJB_BEGIN_OBJECT && weekdays != NULL)
			refuse_list(true, "the hours of a day must be a span or an array of spans", NULL);
	}
}

/* Read a date. */
static Datum
parse_day(const JsonbValue *value)
{
	char	   *text = value == NULL ? NULL : json_string_of(value);
	Datum		day;

	if (text == NULL)
		refuse_list(false, "a holiday needs a date", NULL);
	if (!is_digit(text[0]) || strspn(text, "0123456789") < 4 || !parse_time(date_in, text, &day))
		refuse_list(false, "a date such as 2026-12-25", text);
	return day;
}

/* Raise 22023 for a key that means nothing: what it was meant to say would be lost. */
static void
check_holiday_keys(JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name = token == WJB_KEY ? json_string_of(&key) : NULL;

		if (name != NULL && strcmp(name, "day") != 0 && strcmp(name, "closed") != 0 && strcmp(name, "open") != 0 &&
			strcmp(name, "name") != 0)
			refuse_list(false, "day, closed, open or name", name);
	}
}

/* Write a holiday: a date, or an object. */
static void
insert_holiday(int64 calendar_id, JsonbValue *holiday)
{
	JsonbContainer *object = holiday->type == jbvBinary ? holiday->val.binary.data : NULL;
	Interval	opens = {0};
	Interval	closes = {.time = USECS_PER_DAY};
	JsonbValue *open = NULL;
	JsonbValue *closed = NULL;
	JsonbValue *name = NULL;
	Args		args = {0};

	if (object != NULL)
	{
		if (!JsonContainerIsObject(object))
			refuse_list(false, "a holiday must be a date or an object", NULL);
		check_holiday_keys(object);
		open = member(object, "open");
		closed = member(object, "closed");
		name = member(object, "name");
	}
	if (open != NULL && closed != NULL)
		refuse_list(false, "a span is either open or closed", NULL);
	if (open != NULL || closed != NULL)
	{
		char	   *span = json_string_of(open != NULL ? open : closed);

		if (span == NULL)
			refuse_list(false, "a span must be a string", NULL);
		parse_span(span, false, &opens, &closes);
	}
	arg_int64(&args, calendar_id);
	arg(&args, parse_day(object == NULL ? holiday : member(object, "day")));
	arg(&args, BoolGetDatum(open != NULL));
	arg(&args, IntervalPGetDatum(&opens));
	arg(&args, IntervalPGetDatum(&closes));
	arg_text(&args, name == NULL ? NULL : json_string_of(name));
	run(&statements[INSERT_HOLIDAY], &args);
}

static void
write_holidays(int64 calendar_id, Jsonb *holidays)
{
	JsonbIterator *iterator = JsonbIteratorInit(&holidays->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JB_ROOT_IS_ARRAY(holidays) || JB_ROOT_IS_SCALAR(holidays))
		refuse_list(false, "holidays must be an array", NULL);
	(void) JsonbIteratorNext(&iterator, &value, false);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			insert_holiday(calendar_id, &value);
}

/* Raise 22023 if a calendar never opens: nothing would ever be due. */
static void
check_works(int64 calendar_id)
{
	Args		args = {0};

	arg_int64(&args, calendar_id);
	run(&statements[HAS_WORKING_TIME], &args);
	if (!result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a calendar needs working time"),
				 errhint(HOURS_HINT)));
}

/* create_calendar(name, time_zone, hours, holidays, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_create_calendar);
Datum
support_create_calendar(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;
	int64		id;

	begin_call(&call, fcinfo, 4);
	check_free(&name, fcinfo, 0, 0);
	arg_passed(&args, fcinfo, 0);
	arg_passed(&args, fcinfo, 1);
	run(&statements[INSERT_CALENDAR], &args);
	id = result_int64(0, 1);
	if (!PG_ARGISNULL(2))
		write_hours(id, PG_GETARG_JSONB_P(2));
	if (!PG_ARGISNULL(3))
		write_holidays(id, PG_GETARG_JSONB_P(3));
	check_works(id);
	(void) write_calendar_version(id);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* update_calendar(calendar_id, name, time_zone, hours, holidays, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_update_calendar);
Datum
support_update_calendar(PG_FUNCTION_ARGS)
{
	int64		id = required_id(fcinfo, 0, "calendar_id");
	Args		calendar = {0};
	Args		args = {0};
	Call		call;
	int32		version;

	begin_call(&call, fcinfo, 5);
	check_free(&name, fcinfo, 1, id);
	for (int i = 0; i < 3; i++)
		arg_passed(&args, fcinfo, i);
	if (run(&statements[UPDATE_CALENDAR], &args) == 0)
		refuse_missing("calendar", id);
	arg_int64(&calendar, id);
	if (!PG_ARGISNULL(3))
	{
		run(&statements[DELETE_HOURS], &calendar);
		write_hours(id, PG_GETARG_JSONB_P(3));
	}
	if (!PG_ARGISNULL(4))
	{
		run(&statements[DELETE_HOLIDAYS], &calendar);
		write_holidays(id, PG_GETARG_JSONB_P(4));
	}
	check_works(id);
	version = write_calendar_version(id);
	end_call(&call);
	PG_RETURN_INT32(version);
}
