/*
 * page_range.c
 *		The dashboard's page: what happened in a range of time, beside the range before it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/float.h"

#include "dashboard/number_text.h"
#include "dashboard/page.h"

/* Local time of an instant as text: the zone is $3. */
#define LOCAL(instant, format) "to_char(timezone($3, " instant "), " format ")"
/* How many seconds an interval has. */
#define SECONDS(interval) "extract(epoch FROM " interval ")::float8"
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
	READ_TOTALS,
	READ_PROMISES,
	READ_FLOW,
	READ_DURATIONS,
	READ_HOURS,
	READ_TEAMS,
	READ_GROUPS
};

/* What a list shows has a name, the length of its bar and then its numbers. */
static Statement statements[] = {
	[READ_TOTALS] = {
		.text = "SELECT " NUMBER("created", "m.n") ", " NUMBER("solved", "m.n") ", " NUMBER("reopened", "m.n") ","
		" " NUMBER_OF_SECONDS("first_reply", "m.p50") ", " NUMBER_OF_SECONDS("full_resolution", "m.p50")
		" FROM (" PART("created", "NULL", "NULL")
		"	UNION ALL " PART("solved", "NULL", "NULL")
		"	UNION ALL " PART("reopened", "NULL", "NULL")
		"	UNION ALL " PART("first_reply", "NULL", "NULL")
		"	UNION ALL " PART("full_resolution", "NULL", "NULL") ") AS m",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	},
	[READ_PROMISES] = {
		.text = "SELECT (100.0 * sum(k.achieved) / sum(k.decided))::float8 FROM support.sla_kept($1, $2) AS k",
		.columns = {{FLOAT8OID}},
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
	}
};

/* The numbers of a range that stand first. */
typedef enum Total
{
	TOTAL_CREATED,
	TOTAL_SOLVED,
	TOTAL_REOPENED,
	TOTAL_FIRST_REPLY,
	TOTAL_RESOLUTION,
	TOTAL_KEPT,
	TOTALS
} Total;

typedef struct Tile
{
	const char *name;
	Unit		unit;
	int			wanted;			/* +1: the more the better; -1: the less */
} Tile;

static const Tile tiles[TOTALS] = {
	[TOTAL_CREATED] = {"Created", UNIT_COUNT, 0},
	[TOTAL_SOLVED] = {"Solved", UNIT_COUNT, 1},
	[TOTAL_REOPENED] = {"Reopened", UNIT_COUNT, -1},
	[TOTAL_FIRST_REPLY] = {"First reply, median", UNIT_DURATION, -1},
	[TOTAL_RESOLUTION] = {"Resolution, median", UNIT_DURATION, -1},
	[TOTAL_KEPT] = {"Promises kept", UNIT_PERCENT, 1}
};

/* A range as arguments of a statement. */
static void
range_arguments(const DeskPage *page, const PageRange *range, Args *args)
{
	args->n = 0;
	arg(args, TimestampTzGetDatum(range->from_at));
	arg(args, TimestampTzGetDatum(range->to_at));
	arg_text(args, page->time_zone);
}

static uint64
run_for_range(const DeskPage *page, const PageRange *range, int statement)
{
	Args		args;

	range_arguments(page, range, &args);
	return run_read_only(&statements[statement], &args);
}

/* The range of the page, divided into buckets. The metric may be NULL if the statement has its own. */
static uint64
run_for_buckets(const DeskPage *page, int statement, const Division *division, const char *metric)
{
	Args		args;

	range_arguments(page, &page->range, &args);
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

/* What came in and went out, and what was left. */
static void
append_flow(DeskPage *page)
{
	Plot		backlog = {
		.title = "Backlog", .has_area = true, .n_series = 1, .names = {"unsolved"},
		.description = psprintf("Unsolved tickets at the end of each %s", page->fine->bucket)
	};
	Plot		flow = {
		.title = "Created and solved", .n_columns = 1, .n_series = 2, .names = {"created", "solved"},
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
		.title = title, .unit = UNIT_DURATION, .n_series = 2, .names = {"median", "90 %"},
		.description = psprintf("%s, by %s", what, page->coarse->bucket)
	};

	read_plot(&plot, run_for_buckets(page, READ_DURATIONS, page->coarse, metric), (int[]) {2, 3});
	append_plot(page, &plot, page->coarse);
}

/* The numbers of the heatmap. */
static void
append_hours(DeskPage *page, const char *title, double values[WEEKDAYS][HOURS_OF_DAY])
{
	Column		hours[HOURS_OF_DAY];

	for (int hour = 0; hour < HOURS_OF_DAY; hour++)
		hours[hour] = (Column) {psprintf("%d", hour), UNIT_COUNT};
	appendStringInfoString(page->out, "<details><summary>The numbers</summary>");
	begin_table(page->out, title, "weekday", false, hours, HOURS_OF_DAY);
	for (int day = 0; day < WEEKDAYS; day++)
	{
		appendStringInfoString(page->out, "<tr>");
		html_element(page->out, "th", " scope=\"row\"", weekday_names[day]);
		for (int hour = 0; hour < HOURS_OF_DAY; hour++)
			html_number(page->out, UNIT_COUNT, values[day][hour]);
		appendStringInfoString(page->out, "</tr>\n");
	}
	end_table(page->out);
	appendStringInfoString(page->out, "</details>");
}

/* When tickets come, by weekday and hour. */
static void
append_heatmap(DeskPage *page)
{
	const char *title = "When tickets come";
	double		values[WEEKDAYS][HOURS_OF_DAY] = {0};
	uint64		n = run_for_range(page, &page->range, READ_HOURS);
	const char *description = psprintf("Tickets opened in each hour of the week%s; hours of the zone %s",
									   page->range.to_at - page->range.from_at > 366 * USECS_PER_DAY ?
									   ", in the last 366 days of the range" : "", page->time_zone);

	for (uint64 i = 0; i < n; i++)
	{
		int64		day = result_int64(i, 1) - 1;
		int64		hour = result_int64(i, 2);

		if (day >= 0 && day < WEEKDAYS && hour >= 0 && hour < HOURS_OF_DAY)
			values[day][hour] = result_float8(i, 3);
	}
	begin_figure(page->out, title, description, true);
	svg_heatmap(page->out, title, description, values, ++page->images);
	append_hours(page, title, values);
	appendStringInfoString(page->out, "</figure>\n");
}

/* A list of what was created in the range, by something. */
static void
append_groups(DeskPage *page, const char *group_by, const char *title, const char *heading)
{
	NumberList	list = {title, "Tickets opened in the range", heading, {{"created", UNIT_COUNT}}};
	Args		args;

	range_arguments(page, &page->range, &args);
	arg_text(&args, group_by);
	append_list(page->out, &list, run_read_only(&statements[READ_GROUPS], &args));
}

/* Read the numbers of a range that stand first; NaN is none. */
static void
read_totals(const DeskPage *page, const PageRange *range, double *totals)
{
	run_for_range(page, range, READ_TOTALS);
	for (int i = 0; i < TOTAL_KEPT; i++)
		totals[i] = result_float8(0, i + 1);
	totals[TOTAL_KEPT] = get_float8_nan();
	if (page->has_promises)
	{
		run_for_range(page, range, READ_PROMISES);
		totals[TOTAL_KEPT] = result_float8(0, 1);
	}
}

/* How a number differs from that of the range before, and whether that is good. */
static void
append_change(StringInfo out, const Tile *tile, double value, double before)
{
	bool		is_percent = tile->unit == UNIT_PERCENT;
	double		change = is_percent ? value - before : (value - before) / before * 100;
	bool		is_same = fabs(change) < (is_percent ? 0.05 : 0.5);

	appendStringInfoString(out, "<dd>");
	if (isfinite(change) && !is_same)
	{
		int			sign = change > 0 ? 1 : -1;
		const char *class = tile->wanted == 0 ? "" : tile->wanted == sign ? " class=\"good\"" : " class=\"bad\"";

		/* a triangle that points up or down */
		appendStringInfo(out, "<b%s>&#%d;&#160;", class, sign > 0 ? 9650 : 9660);
		appendStringInfo(out, is_percent ? "%.1f points</b> " : "%.0f&#160;%%</b> ", fabs(change));
	}
	else if (is_same)
		appendStringInfoString(out, "<b>the same</b> ");
	if (isfinite(before))
		appendStringInfo(out, "<span data-value=\"%.15g\">%s before</span>", before, unit_text(tile->unit, before));
	else
		appendStringInfoString(out, "none before");
	appendStringInfoString(out, "</dd>");
}

/* The numbers of the range to see first, beside those of the range before. */
static void
append_tiles(DeskPage *page)
{
	StringInfo	out = page->out;
	double		now[TOTALS];
	double		before[TOTALS];

	read_totals(page, &page->range, now);
	if (page->before.text != NULL)
		read_totals(page, &page->before, before);
	appendStringInfoString(out, "<dl class=\"tiles\">\n");
	for (Total i = 0; i < TOTALS; i++)
	{
		if (i == TOTAL_KEPT && !page->has_promises)
			continue;
		appendStringInfo(out, "<div><dt>%s</dt><dd class=\"big\"", tiles[i].name);
		if (isfinite(now[i]))
			appendStringInfo(out, " data-value=\"%.15g\"", now[i]);
		appendStringInfo(out, ">%s</dd>", unit_text(tiles[i].unit, now[i]));
		if (page->before.text != NULL)
			append_change(out, &tiles[i], now[i], before[i]);
		appendStringInfoString(out, "</div>\n");
	}
	appendStringInfoString(out, "</dl>\n");
}

/* What happened in the range. */
void
append_past(DeskPage *page)
{
	static const NumberList teams = {
		"Teams", "By the team that a ticket has now", "team",
		{
			{"created", UNIT_COUNT}, {"solved", UNIT_COUNT}, {"first reply, median", UNIT_DURATION},
			{"90 %", UNIT_DURATION}, {"resolution, median", UNIT_DURATION}, {"90 %", UNIT_DURATION}
		}
	};
	StringInfo	out = page->out;

	appendStringInfoString(out, "<div class=\"sheet\"><h2>In the range</h2>\n");
	html_element(out, "p", " class=\"lead\"", page->range.text);
	if (page->before.text != NULL)
		html_element(out, "p", " class=\"lead\"", psprintf("Before: %s", page->before.text));
	append_tiles(page);
	appendStringInfoString(out, "<div class=\"pair\">\n");
	append_flow(page);
	append_durations(page, "first_reply", "First reply", "Time from the opening of a ticket to its first reply");
	append_durations(page, "full_resolution", "Resolution", "Time from the opening of a ticket to its last solution");
	appendStringInfoString(out, "</div>\n");
	append_heatmap(page);
	append_list(out, &teams, run_for_range(page, &page->range, READ_TEAMS));
	appendStringInfoString(out, "<div class=\"pair\">\n");
	append_groups(page, "channel", "Channels", "channel");
	append_groups(page, "tag", "Tags", "tag");
	appendStringInfoString(out, "</div></div>\n");
}
