/*
 * sla_target.c
 *		What may be promised, on every road, and how functions are told of it: an array of objects.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/plan.h"
#include "calendar/working_days.h"
#include "sla/sla_names.h"
#include "sla/sla_target.h"

enum
{
	UNKNOWN_CALENDAR
};

static Statement statements[] = {
	[UNKNOWN_CALENDAR] = {
		.text = "SELECT e.element ->> 'calendar'"
		" FROM jsonb_array_elements($1) AS e (element)"
		" WHERE (e.element ->> 'calendar') IS NOT NULL"
		"	AND NOT EXISTS (SELECT FROM support.calendars AS c"
		"		WHERE c.name::text = (e.element ->> 'calendar'))",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {JSONBOID}
	}
};

/* Raise 23514 for a target that is no time of work, in hours or in working days. */
static void
check_time(const Interval *target, bool by_calendar)
{
	if (target->month != 0 || (target->day != 0 && target->time != 0) || target->day > MOST_WORKING_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a target must be given in hours or in working days, not in both or in months"),
				 errhint("Three working days are '3 days', %d at most; three of eight hours are '24 hours'.", MOST_WORKING_DAYS),
				 err_constraint("sla_targets", "sla_targets_target_check")));
	if (target->time < 0 || target->day < 0 || (target->time == 0 && target->day == 0))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a target must be more than no time"),
				 err_constraint("sla_targets", "sla_targets_target_check")));
	if (target->day != 0 && !by_calendar)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a target in working days needs a calendar"),
				 errhint("Round the clock a day is '24 hours'."),
				 err_constraint("sla_targets", "sla_targets_target_check")));
}

/* Raise 23514 for a category that is none, or in which no clock runs anyway. */
static void
check_pauses(ArrayType *pauses)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(pauses, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = nulls[i] ? "" : TextDatumGetCString(names[i]);
		Category	category;

		if (!category_named(name, &category) || is_solved(category))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("no clock can be paused in a category \"%s\"", name),
					 errhint("The categories are: new, open, pending, hold. Solved tickets have no running clocks."),
					 err_constraint("sla_targets", "sla_targets_pause_categories_check")));
	}
}

/* Raise 23514 for a warning before the time begins or when it is over. */
static void
check_warns(ArrayType *warns)
{
	Datum	   *percents;
	bool	   *nulls;
	int			n;

	deconstruct_array(warns, INT4OID, sizeof(int32), true, TYPALIGN_INT, &percents, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (nulls[i] || DatumGetInt32(percents[i]) < 1 || DatumGetInt32(percents[i]) > 99)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("warnings are given at 1 to 99 percent of the target"),
					 err_constraint("sla_targets", "sla_targets_warn_percents_check")));
}

/* Check what a target says, of which NULL is left for the table to refuse. Returns the metric. Raises 23514. */
SlaMetric
check_target(const char *metric, const Interval *target, bool by_calendar, ArrayType *pauses, ArrayType *warns)
{
	SlaMetric	found;

	if (!sla_metric_named(metric, &found))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("metric \"%s\" does not exist", metric),
				 errhint("The metrics are: %s.", list_sla_metrics()),
				 err_constraint("sla_targets", "sla_targets_metric_check")));
	if (target != NULL)
		check_time(target, by_calendar);
	if (pauses != NULL)
		check_pauses(pauses);
	if (warns != NULL)
		check_warns(warns);
	return found;
}

/* 22023 for targets that we cannot read. */
void
refuse_targets(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", what),
			 errhint("Targets look like [{\"metric\": \"first_reply\", \"target\": \"4 hours\", \"priority\": \"urgent\","
					 " \"calendar\": \"office\", \"pause\": [\"pending\"], \"warn\": [75, 90]}]; metric and target are"
					 " needed.")));
}

static bool
is_text(const JsonbValue *value)
{
	return value->type == jbvString;
}

static bool
is_text_or_null(const JsonbValue *value)
{
	return value->type == jbvString || value->type == jbvNull;
}

/* Is it a time such as 4 hours, or 3 days? A week would be seven working days. */
static bool
is_time(const JsonbValue *value)
{
	Datum		time;

	return value->type == jbvString && strpbrk(json_string_of(value), "wW") == NULL &&
		parse_time(interval_in, json_string_of(value), &time);
}

static bool
is_id_or_null(const JsonbValue *value)
{
	int64		id;

	return value->type == jbvNull || json_whole_number(value, &id);
}

static bool
is_integer(const JsonbValue *value)
{
	int64		number;

	return json_whole_number(value, &number) && number >= PG_INT32_MIN && number <= PG_INT32_MAX;
}

/* Is a value an array whose elements are all fine? */
static bool
is_array_of(const JsonbValue *list, bool (*is_fine) (const JsonbValue *))
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (list->type != jbvBinary || !JsonContainerIsArray(list->val.binary.data))
		return false;
	iterator = JsonbIteratorInit(list->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM && !is_fine(&value))
			return false;
	return true;
}

static bool
is_array_of_texts(const JsonbValue *value)
{
	return is_array_of(value, is_text);
}

static bool
is_array_of_integers(const JsonbValue *value)
{
	return is_array_of(value, is_integer);
}

/* The keys of a target, and what each wants. */
static const struct
{
	const char *name;
	bool		(*is_fine) (const JsonbValue *value);
	const char *wanted;
}			keys[] =
{
	{"metric", is_text, "a text"},
	{"target", is_time, "a time such as \"4 hours\" or \"3 days\""},
	{"priority", is_text_or_null, "a text"},
	{"calendar", is_text_or_null, "the name of a calendar"},
	{"calendar_id", is_id_or_null, "a whole number"},
	{"pause", is_array_of_texts, "an array of categories"},
	{"warn", is_array_of_integers, "an array of whole numbers"}
};

/* The place of a key among those of a target. Raises 22023 if it has none. */
static int
key_named(const char *name)
{
	for (int i = 0; i < lengthof(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return i;
	refuse_targets(psprintf("key \"%s\" of a target is not known", name));
}

/* Does a target have a member of that name? */
static bool
has(JsonbContainer *target, const char *name)
{
	JsonbValue	buffer;

	return json_member(target, name, &buffer) != NULL;
}

/* Raise 22023 unless a target has the keys that it needs, no others, and values that they want. */
static void
check_members(JsonbContainer *target)
{
	JsonbIterator *iterator = JsonbIteratorInit(target);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			key = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = key_named(pnstrdup(value.val.string.val, value.val.string.len));
		else if (token == WJB_VALUE && !keys[key].is_fine(&value))
			refuse_targets(psprintf("key \"%s\" of a target wants %s", keys[key].name, keys[key].wanted));
	}
	if (!has(target, "metric") || !has(target, "target"))
		refuse_targets("a target needs a metric and a target");
	if (has(target, "calendar") && has(target, "calendar_id"))
		refuse_targets("a target has either a calendar or a calendar_id");
}

/* Raise P0002 for a calendar that a target names and that is not there. */
static void
check_calendars(Jsonb *targets)
{
	MemoryContext caller = CurrentMemoryContext;
	Args		args = {0};

	arg(&args, JsonbPGetDatum(targets));
	if (run_latest(&statements[UNKNOWN_CALENDAR], &args) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("calendar \"%s\" does not exist", result_text(0, 1))));
	MemoryContextSwitchTo(caller);
}

/* Raise 22023 unless it is an array of at least one target; P0002 for a calendar that is not there. Needs an SPI level. */
void
check_targets(Jsonb *targets)
{
	JsonbIterator *iterator = JsonbIteratorInit(&targets->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JB_ROOT_IS_ARRAY(targets) || JB_ROOT_IS_SCALAR(targets))
		refuse_targets("targets must be an array");
	if (JB_ROOT_COUNT(targets) == 0)
		refuse_targets("a policy needs a target");
	(void) JsonbIteratorNext(&iterator, &value, false);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			refuse_targets("a target must be an object");
		check_members(value.val.binary.data);
	}
	check_calendars(targets);
}
