/*
 * dashboard.c
 *		The state of the desk on one screen of a terminal.
 *
 * Everything comes from the report views and support.report(), under the caller's snapshot and with the caller's
 * rights. The screen has at most 100 columns and 40 lines whatever the desk holds: long lists show their first rows.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"

#include "base/actor.h"
#include "base/plan.h"
#include "base/settings.h"
#include "dashboard/chart.h"
#include "dashboard/number_text.h"
#include "dashboard/terminal.h"

/* a list: a name, a bar, two counts and an age are 49 columns */
#define NAME_WIDTH 15
#define BAR_WIDTH 7
#define COUNT_WIDTH 7
#define SECOND_WIDTH 8
#define AGE_WIDTH 11
#define HALF_WIDTH 51
#define TREND_DAYS 30
#define HOURS 24
#define HEATMAP_WIDTH 55

/* How many seconds an interval has. */
#define SECONDS(interval) "extract(epoch FROM " interval ")::float8"

enum
{
	READ_OVERVIEW,
	READ_TREND,
	READ_FIRST_REPLY,
	READ_RESOLUTION,
	LIST_STATUSES,
	LIST_PRIORITIES,
	LIST_TEAMS,
	LIST_AGENTS,
	LIST_AGES,
	LIST_HOURS
};

static Statement statements[] = {
	[READ_OVERVIEW] = {
		.text = "SELECT"
		" to_char(support.desk_now(), 'FMDay FMDD FMMonth YYYY, HH24:MI TZ'),"
		" coalesce(sum(b.open), 0)::float8,"
		" coalesce(sum(b.unassigned), 0)::float8,"
		" coalesce(sum(b.waiting), 0)::float8,"
		" " SECONDS("max(b.oldest)")
		" FROM support.report_backlog AS b"
		" WHERE b.dimension = 'priority'",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[READ_TREND] = {
		.text = "SELECT d.backlog::float8, d.created::float8, d.solved::float8"
		" FROM"
		"	(SELECT h.day, h.backlog, h.created, h.solved FROM support.report_backlog_history AS h"
		"	 ORDER BY h.day DESC LIMIT $1) AS d"
		" ORDER BY d.day",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}},
		.nargs = 1, .argtypes = {INT8OID}, .many_rows = true
	},
	[READ_FIRST_REPLY] = {
		.text = "SELECT r.n::float8, " SECONDS("r.p50") ", " SECONDS("r.p90")
		" FROM support.report('first_reply') AS r",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[READ_RESOLUTION] = {
		.text = "SELECT r.n::float8, " SECONDS("r.p50") ", " SECONDS("r.p90")
		" FROM support.report('full_resolution') AS r",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_STATUSES] = {
		.text = "SELECT s.status, s.tickets::float8, s.percent::text,"
		" s.category <> ALL (ARRAY['solved', 'closed']) AS is_open"
		" FROM support.report_status AS s LIMIT 8",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {TEXTOID, NOT_NULL}, {BOOLOID}}
	},
	[LIST_PRIORITIES] = {
		.text = "SELECT p.priority, p.open::float8, p.unassigned::float8, " SECONDS("p.oldest")
		" FROM support.report_priority AS p LIMIT 8",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_TEAMS] = {
		.text = "SELECT t.team, t.open::float8, t.unassigned::float8, " SECONDS("t.oldest")
		" FROM support.report_teams AS t ORDER BY t.open DESC, t.team LIMIT 7",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_AGENTS] = {
		.text = "SELECT a.agent, a.open::float8, a.waiting_on_agent::float8,"
		" " SECONDS("a.oldest_waiting")
		" FROM support.report_agents AS a ORDER BY a.open DESC, a.waiting_on_agent DESC, a.agent LIMIT 7",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_AGES] = {
		.text = "SELECT a.age, a.open::float8, a.unassigned::float8"
		" FROM support.report_aging AS a LIMIT 8",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_HOURS] = {
		.text = "SELECT h.weekday::int8, h.hour::int8, h.created::float8"
		" FROM support.report_heatmap AS h",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {FLOAT8OID}}
	}
};

/* The greatest value of a column of the last run. */
static double
greatest(uint64 n, int column)
{
	double		found = 0;

	for (uint64 i = 0; i < n; i++)
		found = fmax(found, result_float8(i, column));
	return found;
}

/* Append a bar that takes its whole width. */
static void
append_bar(StringInfo line, double value, double max_value, int width)
{
	StringInfoData bar;

	initStringInfo(&bar);
	draw_bar(&bar, value, max_value, width);
	append_left(line, bar.data, width);
	pfree(bar.data);
}

/* Append the heading of a column of numbers or durations. */
static void
append_heading(StringInfo line, const char *name, const char *count, const char *second, const char *age)
{
	append_left(line, name, NAME_WIDTH + 1 + BAR_WIDTH);
	append_right(line, count, COUNT_WIDTH);
	append_right(line, second, SECOND_WIDTH);
	append_right(line, age, age[0] == '\0' ? 0 : AGE_WIDTH);
}

/*
 * List the rows of a statement: a name, its count as a bar and a number, another count and, if there is a heading for
 * it, an age.
 */
static void
list_counts(TerminalBlock *block, int statement, const char *name, const char *count, const char *second, const char *age)
{
	uint64		n = run_read_only(&statements[statement], NULL);
	double		max_value = greatest(n, 2);

	append_heading(add_line(block), name, count, second, age);
	for (uint64 i = 0; i < n; i++)
	{
		StringInfo	line = add_line(block);

		append_left(line, result_text(i, 1), NAME_WIDTH);
		appendStringInfoChar(line, ' ');
		append_bar(line, result_float8(i, 2), max_value, BAR_WIDTH);
		append_right(line, count_text(result_float8(i, 2)), COUNT_WIDTH);
		append_right(line, count_text(result_float8(i, 3)), SECOND_WIDTH);
		if (age[0] != '\0' && !result_is_null(i, 4))
			append_right(line, brief_duration_text(result_float8(i, 4)), AGE_WIDTH);
	}
}

/* List the statuses. Only those that mean work have bars: all that was ever solved would dwarf them. */
static void
list_statuses(TerminalBlock *block)
{
	uint64		n = run_read_only(&statements[LIST_STATUSES], NULL);
	double		max_value = 0;

	for (uint64 i = 0; i < n; i++)
		if (result_bool(i, 4))
			max_value = fmax(max_value, result_float8(i, 2));

	append_heading(add_line(block), "Status", "tickets", "percent", "");
	for (uint64 i = 0; i < n; i++)
	{
		StringInfo	line = add_line(block);

		append_left(line, result_text(i, 1), NAME_WIDTH);
		appendStringInfoChar(line, ' ');
		append_bar(line, result_bool(i, 4) ? result_float8(i, 2) : 0, max_value, BAR_WIDTH);
		append_right(line, count_text(result_float8(i, 2)), COUNT_WIDTH);
		append_right(line, result_text(i, 3), SECOND_WIDTH);
	}
}

static void
put_rule(ReturnSetInfo *rsinfo)
{
	StringInfoData line;

	initStringInfo(&line);
	for (int i = 0; i < TERMINAL_WIDTH; i++)
		appendStringInfoString(&line, use_ascii() ? "-" : "\342\224\200");	/* U+2500 */
	put_line(rsinfo, line.data);
}

/* The head of the screen: when, and how much there is to do. */
static void
put_overview(ReturnSetInfo *rsinfo)
{
	StringInfoData line;

	run_read_only(&statements[READ_OVERVIEW], NULL);
	initStringInfo(&line);
	append_left(&line, "Support desk", 40);
	append_right(&line, result_text(0, 1), TERMINAL_WIDTH - 40);
	put_line(rsinfo, line.data);
	put_rule(rsinfo);

	resetStringInfo(&line);
	appendStringInfo(&line, "%s unsolved   %s unassigned   %s waiting for an answer",
					 count_text(result_float8(0, 2)), count_text(result_float8(0, 3)),
					 count_text(result_float8(0, 4)));
	if (!result_is_null(0, 5))
		appendStringInfo(&line, "   the oldest %s old", duration_text(result_float8(0, 5)));
	put_line(rsinfo, line.data);
	put_line(rsinfo, "");
}

/* A column of the last run, day by day, as a line of heights with what it comes to. */
static void
put_trend(ReturnSetInfo *rsinfo, const char *name, uint64 n, int column, bool is_sum)
{
	double		values[TREND_DAYS];
	double		sum = 0;
	StringInfoData line;
	StringInfoData heights;

	for (uint64 i = 0; i < n; i++)
	{
		values[i] = result_float8(i, column);
		sum += values[i];
	}
	initStringInfo(&line);
	initStringInfo(&heights);
	append_left(&line, name, NAME_WIDTH + 1);
	draw_sparkline(&heights, values, n);
	append_left(&line, heights.data, TREND_DAYS);
	if (n > 0 && is_sum)
		appendStringInfo(&line, "   %s today, %s in %d days, %.1f a day", count_text(values[n - 1]), count_text(sum),
						 (int) n, sum / n);
	else if (n > 0)
		appendStringInfo(&line, "   %s now, %s %d days ago", count_text(values[n - 1]), count_text(values[0]),
						 (int) n - 1);
	put_line(rsinfo, line.data);
}

/* How long something takes, for half of the tickets and for nine in ten. */
static void
put_duration(ReturnSetInfo *rsinfo, const char *name, int statement)
{
	StringInfoData line;

	if (run_read_only(&statements[statement], NULL) == 0)
		return;
	initStringInfo(&line);
	append_left(&line, name, NAME_WIDTH + 1);
	if (result_is_null(0, 2))
		appendStringInfoString(&line, "none in 90 days");
	else
		appendStringInfo(&line, "half within %s, 90 %% within %s   %s in 90 days", duration_text(result_float8(0, 2)),
						 duration_text(result_float8(0, 3)), count_text(result_float8(0, 1)));
	put_line(rsinfo, line.data);
}

static void
put_trends(ReturnSetInfo *rsinfo)
{
	Args		args = {0};
	uint64		n;

	arg_int64(&args, TREND_DAYS);
	n = run_read_only(&statements[READ_TREND], &args);
	put_trend(rsinfo, "Unsolved", n, 1, false);
	put_trend(rsinfo, "Created", n, 2, true);
	put_trend(rsinfo, "Solved", n, 3, true);
	put_duration(rsinfo, "First reply", READ_FIRST_REPLY);
	put_duration(rsinfo, "Resolution", READ_RESOLUTION);
	put_line(rsinfo, "");
}

/* When tickets come, by weekday and hour. */
static void
list_hours(TerminalBlock *block)
{
	static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	double		created[lengthof(weekdays)][HOURS] = {0};
	uint64		n = run_read_only(&statements[LIST_HOURS], NULL);
	double		max_value = greatest(n, 3);

	for (uint64 i = 0; i < n; i++)
	{
		int64		day = result_int64(i, 1) - 1;
		int64		hour = result_int64(i, 2);

		if (day >= 0 && day < lengthof(weekdays) && hour >= 0 && hour < HOURS)
			created[day][hour] = result_float8(i, 3);
	}
	appendStringInfoString(add_line(block), "Created by hour, 90 days");
	appendStringInfoString(add_line(block), "    0     3     6     9     12    15    18    21");
	for (int day = 0; day < lengthof(weekdays); day++)
	{
		StringInfo	line = add_line(block);

		append_left(line, weekdays[day], 4);
		for (int hour = 0; hour < HOURS; hour++)
		{
			draw_heat(line, created[day][hour], max_value);
			draw_heat(line, created[day][hour], max_value);
		}
	}
}

/* The lists, two beside each other. */
static void
put_lists(ReturnSetInfo *rsinfo)
{
	TerminalBlock blocks[6] = {0};

	list_statuses(&blocks[0]);
	list_counts(&blocks[1], LIST_PRIORITIES, "Priority", "open", "nobody", "oldest");
	put_blocks(rsinfo, &blocks[0], HALF_WIDTH, &blocks[1]);
	put_line(rsinfo, "");
	list_counts(&blocks[2], LIST_TEAMS, "Team", "open", "nobody", "oldest");
	list_counts(&blocks[3], LIST_AGENTS, "Agent", "open", "waiting", "longest");
	put_blocks(rsinfo, &blocks[2], HALF_WIDTH, &blocks[3]);
	put_line(rsinfo, "");
	list_hours(&blocks[4]);
	list_counts(&blocks[5], LIST_AGES, "Age", "open", "nobody", "");
	put_blocks(rsinfo, &blocks[4], HEATMAP_WIDTH, &blocks[5]);
}

/* dashboard() -> lines */
PG_FUNCTION_INFO_V1(support_dashboard);
Datum
support_dashboard(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	put_overview(rsinfo);
	put_trends(rsinfo);
	put_lists(rsinfo);
	end_call(&call);
	return (Datum) 0;
}
