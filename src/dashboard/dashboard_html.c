/*
 * dashboard_html.c
 *		The desk as a page of HTML: one file that needs nothing else, to be read, printed or sent.
 *
 * Everything comes from the report views and support.report(), under the caller's snapshot and with the caller's
 * rights. The first part tells what happened in a range of time, the second one what the desk is like now. Whatever
 * a chart shows, a table beside or beneath it has in numbers.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "base/actor.h"
#include "base/plan.h"
#include "dashboard/dashboard_style.h"
#include "dashboard/number_text.h"
#include "dashboard/svg.h"

/* How many seconds an interval has. */
#define SECONDS(interval) "extract(epoch FROM " interval ")::float8"
/* Local time of an instant as text: the zone is $3. */
#define LOCAL(instant, format) "to_char(timezone($3, " instant "), " format ")"
/* What happened in the range from $1 to $2, in the zone $3 */
#define REPORT(metric, bucket, group) "support.report(" metric ", $1, $2, " bucket ", $3, " group ")"
/* The same as a part of a union, in which the metrics lie below each other: a join of them would be guessed huge */
#define PART(metric, bucket, group) \
	"SELECT '" metric "' AS metric, r.bucket_at, r.group_value, r.group_name, r.n, r.p50, r.p90" \
	" FROM " REPORT("'" metric "'", bucket, group) " AS r"
/* The number of a metric in a group of the union */
#define NUMBER(metric, value) \
	"max(" value ") FILTER (WHERE m.metric = '" metric "')::float8"
#define NUMBER_OF_SECONDS(metric, value) NUMBER(metric, "extract(epoch FROM " value ")")

enum
{
	FIND_RANGE,
	DESCRIBE_RANGE,
	READ_TOTALS,
	READ_FLOW,
	READ_DURATIONS,
	READ_HOURS,
	READ_TEAMS,
	READ_GROUPS,
	READ_BACKLOG,
	LIST_STATUSES,
	LIST_PRIORITIES,
	LIST_AGES,
	LIST_TEAMS,
	LIST_AGENTS
};

/* What a list shows has a name, the length of its bar and then its numbers. */
static Statement statements[] = {
	/* the report checks its arguments, and knows the range where there are none */
	[FIND_RANGE] = {
		.text = "SELECT r.bucket_at, r.bucket_end"
		" FROM support.report('created', $1, $2, time_zone => $3, first_day => $4, last_day => $5) AS r",
		.columns = {{TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}},
		.nargs = 5, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, DATEOID, DATEOID}
	},
	[DESCRIBE_RANGE] = {
		.text = "SELECT " LOCAL("$1", "'FMDD FMMonth YYYY, HH24:MI'") ", " LOCAL("$2", "'FMDD FMMonth YYYY, HH24:MI'") ", "
		LOCAL("support.desk_now()", "'FMDay, FMDD FMMonth YYYY, HH24:MI'"),
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	},
	[READ_TOTALS] = {
		.text = "SELECT " NUMBER("created", "m.n") ", " NUMBER("solved", "m.n") ", " NUMBER("reopened", "m.n") ","
		" " NUMBER("first_reply", "m.n") ", " NUMBER_OF_SECONDS("first_reply", "m.p50") ","
		" " NUMBER("full_resolution", "m.n") ", " NUMBER_OF_SECONDS("full_resolution", "m.p50")
		" FROM (" PART("created", "NULL", "NULL")
		"	UNION ALL " PART("solved", "NULL", "NULL")
		"	UNION ALL " PART("reopened", "NULL", "NULL")
		"	UNION ALL " PART("first_reply", "NULL", "NULL")
		"	UNION ALL " PART("full_resolution", "NULL", "NULL") ") AS m",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	},
	[READ_FLOW] = {
		.text = "SELECT " LOCAL("m.bucket_at", "$5") ", " NUMBER("backlog", "m.n") ","
		" " NUMBER("created", "m.n") ", " NUMBER("solved", "m.n") ", " NUMBER("reopened", "m.n")
		" FROM (" PART("backlog", "$4", "NULL")
		"	UNION ALL " PART("created", "$4", "NULL")
		"	UNION ALL " PART("solved", "$4", "NULL")
		"	UNION ALL " PART("reopened", "$4", "NULL") ") AS m"
		" GROUP BY m.bucket_at ORDER BY m.bucket_at",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}},
		.nargs = 5, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID}
	},
	[READ_DURATIONS] = {
		.text = "SELECT " LOCAL("d.bucket_at", "$5") ", " SECONDS("d.p50") ", " SECONDS("d.p90")
		" FROM " REPORT("$6", "$4", "NULL") " AS d"
		" ORDER BY d.bucket_at",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}},
		.nargs = 6, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
	},
	/* of a year at most, since its hours are counted one by one */
	[READ_HOURS] = {
		.text = "SELECT extract(isodow FROM h.at)::int8, extract(hour FROM h.at)::int8,"
		" sum(h.n)::float8"
		" FROM"
		"	(SELECT timezone($3, r.bucket_at) AS at, r.n"
		"	 FROM support.report('created', greatest($1, $2 - '366 days'::interval), $2,"
		"		'hour', $3) AS r) AS h"
		" GROUP BY 1, 2",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {FLOAT8OID}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	},
	[READ_TEAMS] = {
		.text = "SELECT coalesce(max(m.group_name), '(none)') AS team, " NUMBER("created", "m.n") ","
		" coalesce(" NUMBER("created", "m.n") ", 0) AS created, coalesce(" NUMBER("solved", "m.n") ", 0),"
		" " NUMBER_OF_SECONDS("first_reply", "m.p50") ", " NUMBER_OF_SECONDS("first_reply", "m.p90") ","
		" " NUMBER_OF_SECONDS("full_resolution", "m.p50") ", " NUMBER_OF_SECONDS("full_resolution", "m.p90")
		" FROM (" PART("created", "NULL", "'team'")
		"	UNION ALL " PART("solved", "NULL", "'team'")
		"	UNION ALL " PART("first_reply", "NULL", "'team'")
		"	UNION ALL " PART("full_resolution", "NULL", "'team'") ") AS m"
		" GROUP BY m.group_value ORDER BY created DESC, team LIMIT 20",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID},
		{FLOAT8OID}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	},
	[READ_GROUPS] = {
		.text = "SELECT coalesce(g.group_name, '(none)') AS name, g.n::float8, g.n::float8"
		" FROM " REPORT("'created'", "NULL", "$4") " AS g"
		" WHERE g.n <> 0"
		" ORDER BY g.n DESC, name LIMIT 10",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}},
		.nargs = 4, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID}
	},
	[READ_BACKLOG] = {
		.text = "SELECT coalesce(sum(b.open), 0)::float8,"
		" coalesce(sum(b.unassigned), 0)::float8,"
		" coalesce(sum(b.waiting), 0)::float8,"
		" " SECONDS("max(b.oldest)")
		" FROM support.report_backlog AS b"
		" WHERE b.dimension = 'priority'",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	/* all that was ever solved would dwarf what is to be done: it has no bar */
	[LIST_STATUSES] = {
		.text = "SELECT s.status, CASE WHEN s.category <> ALL (ARRAY['solved', 'closed'])"
		"	THEN s.tickets::float8 END,"
		" s.tickets::float8, " SECONDS("s.oldest")
		" FROM support.report_status AS s",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_PRIORITIES] = {
		.text = "SELECT p.priority, p.open::float8, p.open::float8, p.unassigned::float8,"
		" " SECONDS("p.oldest")
		" FROM support.report_priority AS p",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_AGES] = {
		.text = "SELECT a.age, a.open::float8, a.open::float8, a.unassigned::float8"
		" FROM support.report_aging AS a",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_TEAMS] = {
		.text = "SELECT t.team, t.open::float8, t.open::float8, t.unassigned::float8,"
		" " SECONDS("t.oldest")
		" FROM support.report_teams AS t ORDER BY t.open DESC, t.team LIMIT 20",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_AGENTS] = {
		.text = "SELECT a.agent, a.open::float8, a.open::float8,"
		" a.waiting_on_agent::float8, " SECONDS("a.oldest_waiting") ","
		" a.replies_30d::float8, a.solved_30d::float8"
		" FROM support.report_agents AS a ORDER BY a.open DESC, a.agent LIMIT 30",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	}
};

/* What a range is divided into, and how its parts are called. */
typedef struct Division
{
	int64		days;			/* for ranges of at most so many days; the last is for all */
	const char *bucket;
	const char *label_format;
} Division;

static const Division divisions[] = {
	{3, "hour", "FMDD Mon HH24:MI"},
	{100, "day", "FMDD Mon"},
	{730, "week", "FMDD Mon YYYY"},
	{3700, "month", "Mon YYYY"},
	{0, "year", "YYYY"}
};

/* What a page is about. */
typedef struct DeskPage
{
	StringInfo	out;
	TimestampTz from_at;
	TimestampTz to_at;
	char	   *time_zone;
	const Division *fine;		/* for counts */
	const Division *coarse;		/* for percentiles, which need more to tell something */
	int			images;			/* so far */
} DeskPage;

#define MAX_COLUMNS 6

/* A list of things with their numbers. */
typedef struct NumberList
{
	const char *title;
	const char *subtitle;
	const char *heading;		/* of the things */
	Column		columns[MAX_COLUMNS];
} NumberList;

/* The division of a range that leaves as many parts as a chart can show. */
static const Division *
division_of(double microseconds)
{
	int			i = 0;

	while (i < lengthof(divisions) - 1 && microseconds > divisions[i].days * (double) USECS_PER_DAY)
		i++;
	return &divisions[i];
}

/* The range as arguments of a statement. */
static void
range_arguments(const DeskPage *page, Args *args)
{
	args->n = 0;
	arg(args, TimestampTzGetDatum(page->from_at));
	arg(args, TimestampTzGetDatum(page->to_at));
	arg_text(args, page->time_zone);
}

static uint64
run_for_range(const DeskPage *page, int statement)
{
	Args		args;

	range_arguments(page, &args);
	return run_read_only(&statements[statement], &args);
}

/* The same, divided into buckets. The metric may be NULL if the statement has its own. */
static uint64
run_for_buckets(const DeskPage *page, int statement, const Division *division, const char *metric)
{
	Args		args;

	range_arguments(page, &args);
	arg_text(&args, division->bucket);
	arg_text(&args, division->label_format);
	if (metric != NULL)
		arg_text(&args, metric);
	return run_read_only(&statements[statement], &args);
}

/* Take the labels, column 1, and the numbers of some columns of the last run into a plot. */
static void
read_plot(Plot *plot, uint64 n, const int *columns)
{
	plot->n = n;
	plot->labels = palloc(sizeof(char *) * Max(n, 1));
	for (int s = 0; s < plot->n_series; s++)
		plot->values[s] = palloc(sizeof(double) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		plot->labels[i] = result_text(i, 1);
		for (int s = 0; s < plot->n_series; s++)
			plot->values[s][i] = result_float8(i, columns[s]);
	}
}

/* The numbers of a plot, for whom the picture is not enough. */
static void
append_plot_table(StringInfo out, const Plot *plot, const char *heading)
{
	Column		columns[MAX_SERIES];

	for (int s = 0; s < plot->n_series; s++)
		columns[s] = (Column) {plot->names[s], plot->unit};
	appendStringInfoString(out, "<details><summary>The numbers</summary>");
	begin_table(out, plot->title, heading, false, columns, plot->n_series);
	for (int i = 0; i < plot->n; i++)
	{
		appendStringInfoString(out, "<tr>");
		html_element(out, "th", " scope=\"row\"", plot->labels[i]);
		for (int s = 0; s < plot->n_series; s++)
			html_number(out, plot->unit, plot->values[s][i]);
		appendStringInfoString(out, "</tr>\n");
	}
	end_table(out);
	appendStringInfoString(out, "</details>");
}

static void
begin_figure(StringInfo out, const char *title, const char *subtitle, bool is_wide)
{
	appendStringInfoString(out, is_wide ? "<figure class=\"wide\"><figcaption>" : "<figure><figcaption>");
	html_element(out, "h3", "", title);
	html_element(out, "p", "", subtitle);
	appendStringInfoString(out, "</figcaption>\n");
}

/* A chart with its numbers. */
static void
append_plot(DeskPage *page, const Plot *plot, const Division *division)
{
	begin_figure(page->out, plot->title, plot->description, plot->is_wide);
	svg_plot(page->out, plot, ++page->images);
	append_plot_table(page->out, plot, division->bucket);
	appendStringInfoString(page->out, "</figure>\n");
}

/* What came in and went out, and what was left. */
static void
append_flow(DeskPage *page)
{
	Plot		backlog = {
		.title = "Backlog", .has_area = true, .is_wide = true, .n_series = 1, .names = {"unsolved"},
		.description = psprintf("Unsolved tickets at the end of each %s", page->fine->bucket)
	};
	Plot		flow = {
		.title = "Created and solved", .n_columns = 1, .is_wide = true, .n_series = 2, .names = {"created", "solved"},
		.description = psprintf("Tickets opened, and how often one was solved, by %s", page->fine->bucket)
	};
	uint64		n = run_for_buckets(page, READ_FLOW, page->fine, NULL);

	read_plot(&backlog, n, (int[]) {2});
	read_plot(&flow, n, (int[]) {3, 4});
	append_plot(page, &backlog, page->fine);
	append_plot(page, &flow, page->fine);
}

static void
append_durations(DeskPage *page, const char *metric, const char *title, const char *what)
{
	Plot		plot = {
		.title = title, .unit = UNIT_DURATION, .n_series = 2, .names = {"half within", "90 % within"},
		.description = psprintf("%s, by the %s of the latter", what, page->coarse->bucket)
	};

	read_plot(&plot, run_for_buckets(page, READ_DURATIONS, page->coarse, metric), (int[]) {2, 3});
	append_plot(page, &plot, page->coarse);
}

/* When tickets come, by weekday and hour. */
static void
append_heatmap(DeskPage *page)
{
	double		values[WEEKDAYS][HOURS_OF_DAY] = {0};
	uint64		n = run_for_range(page, READ_HOURS);
	const char *description = page->to_at - page->from_at > 366 * USECS_PER_DAY ?
		"Tickets opened in each hour of the week, in the last 366 days of the range" :
		"Tickets opened in each hour of the week";
	Column		hours[HOURS_OF_DAY];

	for (uint64 i = 0; i < n; i++)
	{
		int64		day = result_int64(i, 1) - 1;
		int64		hour = result_int64(i, 2);

		if (day >= 0 && day < WEEKDAYS && hour >= 0 && hour < HOURS_OF_DAY)
			values[day][hour] = result_float8(i, 3);
	}
	for (int hour = 0; hour < HOURS_OF_DAY; hour++)
		hours[hour] = (Column) {psprintf("%d", hour), UNIT_COUNT};

	begin_figure(page->out, "When tickets come", description, true);
	svg_heatmap(page->out, "When tickets come", description, values, ++page->images);
	appendStringInfoString(page->out, "<details><summary>The numbers</summary>");
	begin_table(page->out, "When tickets come", "weekday", false, hours, HOURS_OF_DAY);
	for (int day = 0; day < WEEKDAYS; day++)
	{
		appendStringInfoString(page->out, "<tr>");
		html_element(page->out, "th", " scope=\"row\"", weekday_names[day]);
		for (int hour = 0; hour < HOURS_OF_DAY; hour++)
			html_number(page->out, UNIT_COUNT, values[day][hour]);
		appendStringInfoString(page->out, "</tr>\n");
	}
	end_table(page->out);
	appendStringInfoString(page->out, "</details></figure>\n");
}

/* The n rows of the last run as a list: the name, the length of the bar, and the numbers from column 3 on. */
static void
append_list(StringInfo out, const NumberList *list, uint64 n)
{
	double		max_value = 0;

	appendStringInfoString(out, "<section>");
	html_element(out, "h3", "", list->title);
	html_element(out, "p", "", list->subtitle);
	if (n == 0)
	{
		appendStringInfoString(out, "<p class=\"empty\">Nothing to show.</p></section>\n");
		return;
	}

	for (uint64 i = 0; i < n; i++)
		max_value = fmax(max_value, result_float8(i, 2));
	begin_table(out, list->title, list->heading, true, list->columns, MAX_COLUMNS);
	for (uint64 i = 0; i < n; i++)
	{
		appendStringInfoString(out, "<tr>");
		html_element(out, "th", " scope=\"row\"", result_text(i, 1));
		appendStringInfoString(out, "<td class=\"b\">");
		svg_bar(out, result_float8(i, 2), max_value);
		appendStringInfoString(out, "</td>");
		for (int c = 0; c < MAX_COLUMNS && list->columns[c].heading != NULL; c++)
			html_number(out, list->columns[c].unit, result_float8(i, c + 3));
		appendStringInfoString(out, "</tr>\n");
	}
	end_table(out);
	appendStringInfoString(out, "</section>\n");
}

/* A list of what was created in the range, by something. */
static void
append_groups(DeskPage *page, const char *group_by, const char *title, const char *heading)
{
	NumberList	list = {title, "Tickets opened in the range", heading, {{"created", UNIT_COUNT}}};
	Args		args;

	range_arguments(page, &args);
	arg_text(&args, group_by);
	append_list(page->out, &list, run_read_only(&statements[READ_GROUPS], &args));
}

static void
append_tile(StringInfo out, const char *name, const char *number, const char *remark)
{
	appendStringInfoString(out, "<div>");
	html_element(out, "dt", "", name);
	html_element(out, "dd", " class=\"big\"", number);
	html_element(out, "dd", "", remark);
	appendStringInfoString(out, "</div>\n");
}

/* The numbers to see first. */
static void
append_tiles(DeskPage *page)
{
	StringInfo	out = page->out;

	appendStringInfoString(out, "<dl class=\"tiles\">\n");
	run_read_only(&statements[READ_BACKLOG], NULL);
	append_tile(out, "Unsolved now", count_text(result_float8(0, 1)), result_is_null(0, 4) ? "nothing is left" :
				psprintf("oldest %s", brief_duration_text(result_float8(0, 4))));
	append_tile(out, "Unassigned now", count_text(result_float8(0, 2)), "of these");
	append_tile(out, "Waiting now", count_text(result_float8(0, 3)), "for our answer");
	run_for_range(page, READ_TOTALS);
	append_tile(out, "Created", count_text(result_float8(0, 1)), "in the range");
	append_tile(out, "Solved", count_text(result_float8(0, 2)),
				psprintf("and %s reopened", count_text(result_float8(0, 3))));
	append_tile(out, "First reply", brief_duration_text(result_float8(0, 5)),
				psprintf("half of %s tickets", count_text(result_float8(0, 4))));
	append_tile(out, "Resolution", brief_duration_text(result_float8(0, 7)),
				psprintf("half of %s tickets", count_text(result_float8(0, 6))));
	appendStringInfoString(out, "</dl>\n");
}

/* What happened in the range. */
static void
append_past(DeskPage *page)
{
	static const NumberList teams = {
		"Teams", "By the team that a ticket has now; half of the tickets, and nine in ten, within the time told", "team",
		{
			{"created", UNIT_COUNT}, {"solved", UNIT_COUNT}, {"first reply, half", UNIT_DURATION},
			{"90 %", UNIT_DURATION}, {"resolution, half", UNIT_DURATION}, {"90 %", UNIT_DURATION}
		}
	};

	appendStringInfoString(page->out, "<h2>In the range</h2>\n");
	append_flow(page);
	appendStringInfoString(page->out, "<div class=\"pair\">\n");
	append_durations(page, "first_reply", "First reply", "Time from the opening of a ticket to its first reply");
	append_durations(page, "full_resolution", "Resolution", "Time from the opening of a ticket to its last solution");
	appendStringInfoString(page->out, "</div>\n");
	append_heatmap(page);
	append_list(page->out, &teams, run_for_range(page, READ_TEAMS));
	appendStringInfoString(page->out, "<div class=\"pair\">\n");
	append_groups(page, "channel", "Channels", "channel");
	append_groups(page, "tag", "Tags", "tag");
	appendStringInfoString(page->out, "</div>\n");
}

/* What the desk is like now. */
static void
append_present(StringInfo out)
{
	static const NumberList lists[] = {
		{"Status", "All tickets; the bars compare those to be solved", "status",
		{{"tickets", UNIT_COUNT}, {"oldest", UNIT_DURATION}}},
		{"Priority", "Unsolved tickets", "priority",
		{{"open", UNIT_COUNT}, {"unassigned", UNIT_COUNT}, {"oldest", UNIT_DURATION}}},
		{"Age", "Unsolved tickets by the time since they were opened", "age",
		{{"open", UNIT_COUNT}, {"unassigned", UNIT_COUNT}}},
		{"Backlog by team", "Unsolved tickets", "team",
		{{"open", UNIT_COUNT}, {"unassigned", UNIT_COUNT}, {"oldest", UNIT_DURATION}}}
	};
	static const int sources[] = {LIST_STATUSES, LIST_PRIORITIES, LIST_AGES, LIST_TEAMS};
	static const NumberList agents = {
		"Agents", "Unsolved tickets that they have, and what they did in the last 30 days", "agent",
		{
			{"open", UNIT_COUNT}, {"waiting", UNIT_COUNT}, {"longest wait", UNIT_DURATION},
			{"replies", UNIT_COUNT}, {"solved", UNIT_COUNT}
		}
	};

	appendStringInfoString(out, "<h2>Now</h2>\n<div class=\"pair\">\n");
	for (int i = 0; i < lengthof(lists); i++)
		append_list(out, &lists[i], run_read_only(&statements[sources[i]], NULL));
	appendStringInfoString(out, "</div>\n");
	append_list(out, &agents, run_read_only(&statements[LIST_AGENTS], NULL));
}

static void
append_head(DeskPage *page, const char *title)
{
	StringInfo	out = page->out;

	run_for_range(page, DESCRIBE_RANGE);
	appendStringInfoString(out,
						   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
						   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
						   "<meta http-equiv=\"Content-Security-Policy\""
						   " content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
	html_element(out, "title", "", title);
	appendStringInfo(out, "\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>", dashboard_style);
	html_element(out, "h1", "", title);
	html_element(out, "p", "", psprintf("From %s to %s, %s", result_text(0, 1), result_text(0, 2), page->time_zone));
	html_element(out, "p", "", psprintf("As of %s", result_text(0, 3)));
	appendStringInfoString(out, "</header>\n");
}

/* The whole page as text, in the caller's memory context. */
static Datum
make_page(DeskPage *page, const char *title)
{
	StringInfoData out;

	initStringInfo(&out);
	page->out = &out;
	append_head(page, title);
	append_tiles(page);
	append_past(page);
	append_present(&out);
	appendStringInfo(&out, "<footer>Made by support_ext %s.</footer>\n</main>\n</body>\n</html>\n",
					 SUPPORT_EXT_VERSION);
	return SPI_datumTransfer(PointerGetDatum(cstring_to_text_with_len(out.data, out.len)), false, -1);
}

/* Find the range. Raises 22023 if it is none, or empty, or if there is no such zone. */
static void
find_range(DeskPage *page, FunctionCallInfo fcinfo)
{
	Args		args = {0};
	double		length;

	page->time_zone = PG_ARGISNULL(3) ? pstrdup(pg_get_timezone_name(session_timezone)) :
		text_to_cstring(PG_GETARG_TEXT_PP(3));
	arg_passed(&args, fcinfo, 1);
	arg_passed(&args, fcinfo, 2);
	arg_text(&args, page->time_zone);
	arg_passed(&args, fcinfo, 4);
	arg_passed(&args, fcinfo, 5);
	if (run_read_only(&statements[FIND_RANGE], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing between from_at and to_at"),
				 errhint("A page needs a range of some time, an hour at least to show more than one number.")));
	page->from_at = DatumGetTimestampTz(result(0, 1));
	page->to_at = DatumGetTimestampTz(result(0, 2));
	length = (double) page->to_at - (double) page->from_at;
	page->fine = division_of(length);
	page->coarse = division_of(length * 3);
}

/* dashboard_html(title, from_at, to_at, time_zone, first_day, last_day) -> text */
PG_FUNCTION_INFO_V1(support_dashboard_html);
Datum
support_dashboard_html(PG_FUNCTION_ARGS)
{
	char	   *title = PG_ARGISNULL(0) ? "Support desk" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	DeskPage	page = {0};
	Datum		text;
	Call		call;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	find_range(&page, fcinfo);
	text = make_page(&page, title);
	end_call(&call);
	return text;
}
