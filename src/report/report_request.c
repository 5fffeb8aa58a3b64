/*
 * report_request.c
 *		The arguments of support.report(), checked.
 *
 * A report comes from the counters if there are some for what it is divided by and restricted to. They are kept by one
 * dimension at a time, so at most one may be named.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/rls.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/time_zone.h"
#include "report/report.h"

#define DAYS_BY_DEFAULT 90

/* The arguments, in their order. */
enum
{
	ARG_METRIC,
	ARG_FROM_AT,
	ARG_TO_AT,
	ARG_BUCKET,
	ARG_TIME_ZONE,
	ARG_GROUP_BY,
	ARG_FILTERS,
	ARG_ANCHOR,
	ARG_FIRST_DAY,
	ARG_LAST_DAY
};

#define BY_EVENT(measure) (measure), (measure)

static const Metric metrics[] = {
	{"created", FROM_TICKETS, BY_EVENT(STAT_TICKETS)},
	{"solved", FROM_CHANGES, BY_EVENT(STAT_SOLVED)},
	{"tickets_solved", FROM_CHANGES, BY_EVENT(STAT_SOLVED), .is_distinct = true},
	{"still_solved", FROM_TICKETS, BY_EVENT(STAT_FULL_RESOLUTION)},
	{"reopened", FROM_CHANGES, BY_EVENT(STAT_REOPENED)},
	{"reopened_tickets", FROM_TICKETS, BY_EVENT(STAT_REOPENED_TICKETS)},
	{"entered", FROM_CHANGES, BY_EVENT(STAT_ENTERED)},
	{"replies", FROM_COMMENTS, BY_EVENT(STAT_REPLY)},
	{"customer_comments", FROM_COMMENTS, BY_EVENT(STAT_CUSTOMER_COMMENT)},
	{"first_reply", FROM_TICKETS, STAT_FIRST_REPLY, STAT_FIRST_REPLY_COHORT},
	{"resolution", FROM_TICKETS, STAT_RESOLUTION, STAT_RESOLUTION_COHORT},
	{"full_resolution", FROM_TICKETS, STAT_FULL_RESOLUTION, STAT_FULL_RESOLUTION_COHORT},
	{"one_touch", FROM_TICKETS, BY_EVENT(STAT_ONE_TOUCH)},
	{"two_touch", FROM_TICKETS, BY_EVENT(STAT_TWO_TOUCH)},
	{"multi_touch", FROM_TICKETS, BY_EVENT(STAT_MULTI_TOUCH)},
	{"backlog", FROM_MOVES, BY_EVENT(STAT_STATUS_FLOW), .is_stock = true},
	{"open", FROM_TICKETS, BY_EVENT(STAT_OPEN)},
	{"unassigned", FROM_TICKETS, BY_EVENT(STAT_UNASSIGNED)},
	{"waiting", FROM_TICKETS, BY_EVENT(STAT_WAITING)},
	{"unanswered", FROM_TICKETS, BY_EVENT(STAT_UNANSWERED)},
	{"activity", FROM_LOG, BY_EVENT(STAT_MEASURES)},
};

static const Grouping ticket_groupings[] = {
	{"team", "team_id", DIM_TEAM, .is_id = true},
	{"assignee", "assignee_id", DIM_ASSIGNEE, .is_id = true},
	{"priority", "priority", DIM_PRIORITY},
	{"channel", "channel", DIM_CHANNEL},
	{"organization", "organization_id", DIM_ORGANIZATION, .is_id = true},
	{"status", "status", DIM_STATUS},
	{"tag", "tag", DIM_TAG},
	{"category", "category"},
	{"requester", "requester_id", .is_id = true},
	{"creator", "creator_id", .is_id = true},
	/* below this line, for what somebody did */
	{"user", "user_id", DIM_USER, .is_id = true},
};

static const Grouping log_groupings[] = {
	{"user", "user_id", .is_id = true},
	{"action", "action"},
	{"table", "table_name"},
};

/* The groupings that a metric has. */
static const Grouping *
groupings_of(const Metric *metric, int *n)
{
	if (metric->source == FROM_LOG)
	{
		*n = lengthof(log_groupings);
		return log_groupings;
	}
	*n = lengthof(ticket_groupings);
	if ((metric->source != FROM_CHANGES && metric->source != FROM_COMMENTS) || metric->measure == STAT_ENTERED)
		*n -= 1;
	return ticket_groupings;
}

/* Raise 22023 for an argument that is none of some words. */
pg_noreturn static void
refuse_word(const char *what, const char *value, const char *words)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 value == NULL ? errmsg("%s must not be null", what) : errmsg("%s \"%s\" does not exist", what, value),
			 errhint("There are: %s.", words)));
}

/* An argument of type text as a string, NULL for SQL's NULL. */
static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
add_word(StringInfo words, const char *word)
{
	appendStringInfo(words, "%s%s", words->len > 0 ? ", " : "", word);
}

/* Find a metric by its name. */
static const Metric *
metric_named(const char *name)
{
	StringInfoData words;

	for (int i = 0; name != NULL && i < lengthof(metrics); i++)
	{
		if (strcmp(metrics[i].name, name) == 0)
			return &metrics[i];
	}
	initStringInfo(&words);
	for (int i = 0; i < lengthof(metrics); i++)
		add_word(&words, metrics[i].name);
	refuse_word("metric", name, words.data);
}

/* Find what a metric is to be divided by. */
static const Grouping *
group_named(const Metric *metric, const char *name)
{
	int			n;
	const Grouping *groupings = groupings_of(metric, &n);
	StringInfoData words;

	if (name == NULL)
		return NULL;
	initStringInfo(&words);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(groupings[i].name, name) == 0)
			return &groupings[i];
		add_word(&words, groupings[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" has no group \"%s\"", metric->name, name),
			 errhint("There are: %s.", words.data)));
}

/* What is counted, and when, as the anchor says. */
static Measure
anchored_measure(const Metric *metric, const char *anchor)
{
	bool		is_cohort = anchor != NULL && strcmp(anchor, "cohort") == 0;

	if (anchor == NULL || (!is_cohort && strcmp(anchor, "event") != 0))
		refuse_word("anchor", anchor, "event, cohort");
	if (is_cohort && metric->cohort == metric->measure)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" has no anchor \"cohort\"", metric->name),
				 errhint("Metrics with one are: first_reply, resolution, full_resolution.")));
	return is_cohort ? metric->cohort : metric->measure;
}

/* The session's time zone, whatever it calls that, or the one that is named. */
static pg_tz *
zone_named(const char *name)
{
	return name == NULL || strcmp(name, pg_get_timezone_name(session_timezone)) == 0 ?
		session_timezone : time_zone_named(name);
}

/* Raise 22023 for an end of the range that is no time. */
pg_noreturn static void
refuse_infinite(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must not be infinite", name),
			 errhint("Without it the report is about the last %d days.", DAYS_BY_DEFAULT)));
}

/* An end of the range as it is asked for: an instant, or a day of the zone. */
typedef struct RangeEnd
{
	int			at_argument;
	const char *at_name;
	int			day_argument;
	const char *day_name;
	int			days;			/* the range ends so many after the day begins */
} RangeEnd;

static const RangeEnd range_start = {ARG_FROM_AT, "from_at", ARG_FIRST_DAY, "first_day", 0};
static const RangeEnd range_end = {ARG_TO_AT, "to_at", ARG_LAST_DAY, "last_day", 1};

/* Find an end of the range; false if none is asked for. Raises 22023 for two, and for what is no time. */
static bool
read_end(const RangeEnd *end, FunctionCallInfo fcinfo, pg_tz *zone, TimestampTz *at)
{
	if (!PG_ARGISNULL(end->at_argument) && !PG_ARGISNULL(end->day_argument))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("only one of %s and %s can be given", end->at_name, end->day_name)));
	if (!PG_ARGISNULL(end->day_argument))
	{
		DateADT		day = PG_GETARG_DATEADT(end->day_argument);

		if (DATE_NOT_FINITE(day))
			refuse_infinite(end->day_name);
		*at = day_start(day + end->days, zone);
		return true;
	}
	if (PG_ARGISNULL(end->at_argument))
		return false;
	*at = PG_GETARG_TIMESTAMPTZ(end->at_argument);
	if (TIMESTAMP_NOT_FINITE(*at))
		refuse_infinite(end->at_name);
	return true;
}

/* Raise 22023 for days that are the wrong way round. */
static void
check_days(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(ARG_FIRST_DAY) && !PG_ARGISNULL(ARG_LAST_DAY) &&
		PG_GETARG_DATEADT(ARG_FIRST_DAY) > PG_GETARG_DATEADT(ARG_LAST_DAY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("first_day is after last_day")));
}

/* Divide the range that is asked for, by default the last days of the zone, today included. */
static void
read_range(Request *request, FunctionCallInfo fcinfo)
{
	char	   *bucket_name = text_argument(fcinfo, ARG_BUCKET);
	pg_tz	   *zone = zone_named(text_argument(fcinfo, ARG_TIME_ZONE));
	Bucket		bucket = BUCKET_WHOLE;
	TimestampTz from_at,
				to_at;

	if (bucket_name != NULL && !bucket_named(bucket_name, &bucket))
		refuse_word("bucket", bucket_name, bucket_names());
	check_days(fcinfo);
	if (!read_end(&range_end, fcinfo, zone, &to_at))
		to_at = day_start(local_date(desk_now(), zone) + 1, zone);
	if (!read_end(&range_start, fcinfo, zone, &from_at))
		from_at = day_start(local_date(to_at, zone) - DAYS_BY_DEFAULT, zone);
	if (from_at > to_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_at %s is after to_at %s",
						pstrdup(timestamptz_to_str(from_at)), pstrdup(timestamptz_to_str(to_at))),
				 PG_ARGISNULL(ARG_TO_AT) && PG_ARGISNULL(ARG_LAST_DAY) ? errhint("Without to_at the range ends with today.") : 0));
	find_bounds(&request->bounds, from_at, to_at, bucket, zone);
}

/* Find the grouping that a filter's key picks from. "custom" has none. */
static const Grouping *
filter_named(const Metric *metric, const char *key)
{
	int			n;
	const Grouping *groupings = groupings_of(metric, &n);
	StringInfoData words;

	if (metric->source != FROM_LOG && strcmp(key, "custom") == 0)
		return NULL;
	initStringInfo(&words);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(groupings[i].filter, key) == 0)
			return &groupings[i];
		add_word(&words, groupings[i].filter);
	}
	if (metric->source != FROM_LOG)
		add_word(&words, "custom");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" has no filter \"%s\"", metric->name, key),
			 errhint("There are: %s.", words.data)));
}

/* Raise 22023 for a filter whose value can be none. */
pg_noreturn static void
refuse_filter(const char *key, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("filter \"%s\" must be %s", key, expected)));
}

/* A value of a filter as the counters have it. Those have no empty text: theirs stands for none. */
static Datum
counted_value(const Grouping *grouping, const JsonbValue *value)
{
	if (value->type == jbvNull && grouping->dim != DIM_TAG)
		return CStringGetTextDatum("");
	if (grouping->is_id && value->type == jbvNumeric)
	{
		char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));

		if (digits[strspn(digits, "0123456789")] == '\0')
			return CStringGetTextDatum(digits);
	}
	if (!grouping->is_id && value->type == jbvString)
		return PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
	refuse_filter(grouping->filter, grouping->is_id ?
				  "an id, a list of ids, or null" : "a text, a list of texts, or null");
}

/* The values of a filter, one or a list of them. Raises 22023 for others than the column has. */
static ArrayType *
filter_values(const Grouping *grouping, JsonbValue *value)
{
	ArrayBuildState *values = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	if (value->type == jbvBinary)
	{
		JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
		JsonbValue	element;
		JsonbIteratorToken token = JsonbIteratorNext(&iterator, &element, true);

		if (token != WJB_BEGIN_ARRAY)
			counted_value(grouping, value);
		while ((token = JsonbIteratorNext(&iterator, &element, true)) == WJB_ELEM)
			accumArrayResult(values, counted_value(grouping, &element), false, TEXTOID, CurrentMemoryContext);
	}
	else
		accumArrayResult(values, counted_value(grouping, value), false, TEXTOID, CurrentMemoryContext);
	return DatumGetArrayTypeP(makeArrayResult(values, CurrentMemoryContext));
}

/* Is a value an object? */
static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* Check filters. Returns how many there are; sets the grouping and values of the last one. */
static int
check_filters(Request *request, Jsonb *filters, const Grouping **filter)
{
	JsonbIterator *iterator = JsonbIteratorInit(&filters->root);
	JsonbIteratorToken token;
	JsonbValue	item;
	int			n = 0;

	if (!JB_ROOT_IS_OBJECT(filters))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filters must be a JSON object"),
				 errhint("As in {\"team_id\": 1, \"priority\": [\"high\", \"urgent\"]}.")));
	request->filters = JsonbPGetDatum(filters);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(item.val.string.val, item.val.string.len);
		*filter = filter_named(request->metric, key);
		JsonbIteratorNext(&iterator, &item, true);
		if (*filter != NULL)
			request->values = filter_values(*filter, &item);
		else if (!is_object(&item))
			refuse_filter(key, "an object, which the tickets' custom must contain");
		n++;
	}
	return n;
}

/* Check the filters of our call, as above. */
static int
read_filters(Request *request, FunctionCallInfo fcinfo, const Grouping **filter)
{
	return check_filters(request, PG_ARGISNULL(ARG_FILTERS) ?
						 DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"))) :
						 PG_GETARG_JSONB_P(ARG_FILTERS), filter);
}

/* Raise 22023 for what are no filters of a report that counts tickets. */
void
check_ticket_filters(Datum filters)
{
	Request		request = {.metric = metric_named("created")};
	const Grouping *filter;

	(void) check_filters(&request, DatumGetJsonbP(filters), &filter);
}

/* May the caller read all of a table, as its counters do? If not, to read its rows shows what may be read. */
static bool
may_count(const char *table)
{
	Oid			relid = desk_relation("support", table);

	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

/* Do the counters know the caller's range? */
static bool
on_quarter_hours(const Bounds *bounds)
{
	for (int i = 0; i < bounds->n; i++)
	{
		if (quarter_hour(bounds->times[i]) != bounds->times[i])
			return false;
	}
	return true;
}

/* The dimension to read counters of, 0 if there are none that answer. */
static char
dim_for(const Request *request, int n_filters, const Grouping *filter)
{
	char		dim = DIM_ALL;

	if (request->metric->source == FROM_LOG || n_filters > 1 || (n_filters == 1 && filter == NULL))
		return 0;
	if (request->group != NULL)
		dim = request->group->dim;
	if (filter != NULL && request->group != NULL && filter != request->group)
		return 0;
	if (filter != NULL)
		dim = filter->dim;
	/* what is counted by status alone is added up */
	if (dim == DIM_ALL && strchr(measure_infos[request->measure].dims, DIM_ALL) == NULL)
		dim = DIM_STATUS;
	/* one ticket may have several tags; the filter has their names */
	if (dim == 0 || (dim == DIM_TAG && filter != NULL) ||
		strchr(measure_infos[request->measure].dims, dim) == NULL ||
		(request->metric->is_distinct && strchr(measure_infos[STAT_RESOLVED_AGAIN].dims, dim) == NULL))
		return 0;
	if (!may_count("tickets") ||
		(request->metric->source == FROM_COMMENTS && !may_count("comments")) ||
		((request->metric->source == FROM_CHANGES || request->metric->source == FROM_MOVES) && !may_count("audit_log")))
		return 0;
	return on_quarter_hours(&request->bounds) ? dim : 0;
}

/* Read and check the arguments of our call. */
void
read_request(Request *request, FunctionCallInfo fcinfo)
{
	const Grouping *filter = NULL;
	int			n_filters;

	memset(request, 0, sizeof(Request));
	request->metric = metric_named(text_argument(fcinfo, ARG_METRIC));
	request->measure = anchored_measure(request->metric, text_argument(fcinfo, ARG_ANCHOR));
	request->group = group_named(request->metric, text_argument(fcinfo, ARG_GROUP_BY));
	read_range(request, fcinfo);
	n_filters = read_filters(request, fcinfo, &filter);
	request->dim = dim_for(request, n_filters, filter);
	if (n_filters != 1 || filter == NULL)
		request->values = NULL;
}
