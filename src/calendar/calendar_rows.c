/*
 * calendar_rows.c
 *		Hours and holidays as people give them, and the rows that they make.
 *
 * Each span of each weekday is a row of calendar_hours, each span of a holiday one of calendar_holidays. What a row must
 * keep to is for calendar_check.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "base/ascii.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/plan.h"
#include "calendar/calendar_rows.h"
#include "calendar/opening_hours.h"

enum
{
	INSERT_HOURS,
	INSERT_HOLIDAY
};

static Statement statements[] = {
	[INSERT_HOURS] = {
		.text = "INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes, valid_from)"
		" VALUES ($1, $2, $3, $4, $5)",
		.nargs = 5, .argtypes = {INT8OID, INT4OID, INTERVALOID, INTERVALOID, DATEOID}
	},
	[INSERT_HOLIDAY] = {
		.text = "INSERT INTO support.calendar_holidays"
		" (calendar_id, day, last_day, is_yearly, is_open, opens, closes, name)"
		" SELECT $1, $2, $3, $4, $5, $6, $7, $8"
		" WHERE NOT EXISTS (SELECT FROM support.calendar_holidays AS h"
		"   WHERE h.calendar_id = $1 AND h.day = $2"
		"   AND coalesce(h.last_day = $3, h.last_day IS NULL AND $3 IS NULL)"
		"   AND h.is_yearly = $4 AND h.is_open = $5 AND h.opens = $6 AND h.closes = $7)",
		.nargs = 8,
		.argtypes = {INT8OID, DATEOID, DATEOID, BOOLOID, BOOLOID, INTERVALOID, INTERVALOID, TEXTOID}
	}
};

#define HOLIDAYS_HINT "Holidays look like [\"2026-12-25\", {\"day\": \"2026-12-24\", \"closed\": \"12:00-24:00\"," \
	" \"name\": \"Christmas Eve\"}, {\"day\": \"2026-12-27\", \"open\": \"10:00-14:00\"}]; every year: \"12-25\"."

/* Of a yearly holiday what counts is the month and day; in this year there is a 29 February. */
#define YEAR_OF_YEARLY 4

/* Raise 22023 for hours or holidays that we cannot read. */
pg_noreturn static void
refuse_list(bool is_week, const char *what, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 value == NULL ? errmsg("%s", what) : errmsg("\"%s\" is not %s", value, what),
			 errhint("%s", is_week ? HOURS_HINT : HOLIDAYS_HINT)));
}

/* Read a number of two digits, or of one where that may be, and move on. */
static bool
parse_digits(const char **text, bool one_will_do, int *value)
{
	const char *digits = *text;
	int			n = 0;

	*value = 0;
	for (; n < 2 && is_digit(digits[n]); n++)
		*value = *value * 10 + (digits[n] - '0');
	*text += n;
	return n == 2 || (n == 1 && one_will_do);
}

/* Read 09:00, 9:00 or 09:00:30 and move on. */
static bool
parse_clock(const char **text, Interval *clock)
{
	int			hours,
				minutes,
				seconds = 0;

	if (!parse_digits(text, true, &hours) || *(*text)++ != ':' || !parse_digits(text, false, &minutes))
		return false;
	if (**text == ':')
	{
		(*text)++;
		if (!parse_digits(text, false, &seconds))
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

/* The weekday of a name, short or in full; 0 if it is none. */
static int
weekday_named(const char *name, size_t length)
{
	static const char *const names[] = {
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
	};

	for (int i = 0; i < WEEKDAYS; i++)
		if ((length == 3 || length == strlen(names[i])) && pg_strncasecmp(names[i], name, length) == 0)
			return i + 1;
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

/* Append the values of an array, or the one value that there is, to a list of strings. Refuses what is no string. */
static List *
strings_of(const JsonbValue *value, bool is_week)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	List	   *strings = NIL;

	if (value->type == jbvString)
		return list_make1(json_string_of(value));
	if (value->type != jbvBinary)
		refuse_list(is_week, "a span must be a string", NULL);
	if (!JsonContainerIsArray(value->val.binary.data))
		refuse_list(is_week, "the hours of a day must be a span or an array of spans", NULL);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvString)
			refuse_list(is_week, "a span must be a string", NULL);
		strings = lappend(strings, json_string_of(&element));
	}
	return strings;
}

/* Write a span of each of some weekdays; sat-mon is a range too. */
static void
insert_hours(int64 calendar_id, DateADT valid_from, const char *weekdays, const char *span)
{
	Interval	opens,
				closes;
	int			first,
				last;

	parse_weekdays(weekdays, &first, &last);
	parse_span(span, true, &opens, &closes);
	for (int i = 0; i <= (last - first + WEEKDAYS) % WEEKDAYS; i++)
	{
		Args		args = {0};

		arg_int64(&args, calendar_id);
		arg(&args, Int32GetDatum((first - 1 + i) % WEEKDAYS + 1));
		arg(&args, IntervalPGetDatum(&opens));
		arg(&args, IntervalPGetDatum(&closes));
		if (valid_from == ALWAYS)
			arg_null(&args);
		else
			arg(&args, DateADTGetDatum(valid_from));
		run(&statements[INSERT_HOURS], &args);
	}
}

/* Read a date that is written with its year. */
static DateADT
parse_date(char *text, bool is_week)
{
	Datum		day;

	if (strspn(text, "0123456789") < 4 || !parse_time(date_in, text, &day))
		refuse_list(is_week, "a date such as 2026-12-25", text);
	return DatumGetDateADT(day);
}

/* Write the hours of a week, those that hold from a date on, and, by their dates, those of later ones. */
static void
write_week(int64 calendar_id, JsonbContainer *week, DateADT valid_from)
{
	JsonbIterator *iterator = JsonbIteratorInit(week);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;
	int			nspans = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = json_string_of(&value);
		else if (token == WJB_VALUE && valid_from == ALWAYS && is_digit(key[0]) && value.type == jbvBinary &&
				 JsonContainerIsObject(value.val.binary.data))
			write_week(calendar_id, value.val.binary.data, parse_date(key, true));
		else if (token == WJB_VALUE)
		{
			ListCell   *cell;

			foreach(cell, strings_of(&value, true))
			{
				insert_hours(calendar_id, valid_from, key, lfirst(cell));
				nspans++;
			}
		}
	}
	if (nspans == 0 && valid_from != ALWAYS)
		refuse_list(true, "hours that hold from a date need a span", NULL);
}

/* Write the hours of a calendar. */
void
write_hours(int64 calendar_id, Jsonb *hours)
{
	if (!JB_ROOT_IS_OBJECT(hours))
		refuse_list(true, "hours must be an object", NULL);
	write_week(calendar_id, &hours->root, ALWAYS);
}

/* Read 12-25, a day of every year. */
static bool
parse_yearly_day(const char *text, DateADT *day)
{
	int			month,
				mday;

	if (!parse_digits(&text, false, &month) || *text++ != '-' || !parse_digits(&text, false, &mday) || *text != '\0')
		return false;
	if (month < 1 || month > MONTHS_PER_YEAR || mday < 1 || mday > day_tab[isleap(YEAR_OF_YEARLY)][month - 1])
		return false;
	*day = date2j(YEAR_OF_YEARLY, month, mday) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Read a date, or a day of every year. */
static DateADT
parse_day(const JsonbValue *value, bool *is_yearly)
{
	char	   *text = value == NULL ? NULL : json_string_of(value);
	DateADT		day;

	if (text == NULL)
		refuse_list(false, "a holiday needs a date", NULL);
	*is_yearly = parse_yearly_day(text, &day);
	return *is_yearly ? day : parse_date(text, false);
}

/* Read on which days a holiday is. Of a yearly one over the turn of the year the first one is in the year before. */
static Holiday
parse_days(const JsonbValue *day, const JsonbValue *last_day)
{
	Holiday		holiday = {0};
	bool		last_is_yearly;

	holiday.day = parse_day(day, &holiday.is_yearly);
	holiday.last_day = holiday.day;
	if (last_day == NULL)
		return holiday;
	holiday.last_day = parse_day(last_day, &last_is_yearly);
	if (last_is_yearly != holiday.is_yearly)
		refuse_list(false, "the days of a holiday both need a year, or neither", NULL);
	if (holiday.is_yearly && holiday.last_day < holiday.day)
		holiday.day -= date2j(YEAR_OF_YEARLY, 12, 31) - date2j(YEAR_OF_YEARLY - 1, 12, 31);
	return holiday;
}

/* Raise 22023 for a key that means nothing: what it was meant to say would be lost. */
static void
check_holiday_keys(JsonbContainer *object)
{
	static const char *const names[] = {"day", "last_day", "closed", "open", "hours", "name"};
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name = token == WJB_KEY ? json_string_of(&key) : NULL;
		bool		is_known = name == NULL;

		for (int i = 0; i < lengthof(names); i++)
			is_known |= name != NULL && strcmp(name, names[i]) == 0;
		if (!is_known)
			refuse_list(false, "day, last_day, closed, open, hours or name", name);
	}
}

/* Write a holiday with a span, unless it is there: the same holiday twice is one. */
static void
insert_holiday(int64 calendar_id, const Holiday *holiday, bool is_open, const char *span, const char *name)
{
	Interval	opens = {0};
	Interval	closes = {.time = USECS_PER_DAY};
	Args		args = {0};

	if (span != NULL)
		parse_span(span, false, &opens, &closes);
	arg_int64(&args, calendar_id);
	arg(&args, DateADTGetDatum(holiday->day));
	if (holiday->last_day == holiday->day)
		arg_null(&args);
	else
		arg(&args, DateADTGetDatum(holiday->last_day));
	arg(&args, BoolGetDatum(holiday->is_yearly));
	arg(&args, BoolGetDatum(is_open));
	arg(&args, IntervalPGetDatum(&opens));
	arg(&args, IntervalPGetDatum(&closes));
	arg_text(&args, name);
	run(&statements[INSERT_HOLIDAY], &args);
}

/* The same with each span of some. */
static void
insert_spans(int64 calendar_id, const Holiday *holiday, bool is_open, const JsonbValue *spans, const char *name)
{
	ListCell   *cell;

	foreach(cell, strings_of(spans, false))
		insert_holiday(calendar_id, holiday, is_open, lfirst(cell), name);
}

/* Write a holiday that is told by an object. Hours of its own replace the week's: it is closed, and open during these. */
static void
write_holiday(int64 calendar_id, JsonbContainer *object)
{
	JsonbValue *open = member(object, "open");
	JsonbValue *closed = member(object, "closed");
	JsonbValue *hours = member(object, "hours");
	JsonbValue *named = member(object, "name");
	char	   *name = named == NULL ? NULL : json_string_of(named);
	Holiday		holiday;

	check_holiday_keys(object);
	if ((open != NULL) + (closed != NULL) + (hours != NULL) > 1)
		refuse_list(false, "a holiday has either closed, open or hours", NULL);
	holiday = parse_days(member(object, "day"), member(object, "last_day"));
	if (closed != NULL)
		insert_spans(calendar_id, &holiday, false, closed, name);
	else if (open == NULL)
		insert_holiday(calendar_id, &holiday, false, NULL, name);
	if (open != NULL || hours != NULL)
		insert_spans(calendar_id, &holiday, true, open != NULL ? open : hours, name);
}

/* Write the holidays of a calendar. */
void
write_holidays(int64 calendar_id, Jsonb *holidays)
{
	JsonbIterator *iterator = JsonbIteratorInit(&holidays->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JB_ROOT_IS_ARRAY(holidays) || JB_ROOT_IS_SCALAR(holidays))
		refuse_list(false, "holidays must be an array", NULL);
	(void) JsonbIteratorNext(&iterator, &value, false);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvBinary)
		{
			Holiday		holiday = parse_days(&value, NULL);

			insert_holiday(calendar_id, &holiday, false, NULL, NULL);
		}
		else if (JsonContainerIsObject(value.val.binary.data))
			write_holiday(calendar_id, value.val.binary.data);
		else
			refuse_list(false, "a holiday must be a date or an object", NULL);
	}
}
