/*
 * dashboard.c
 *		The state of the desk on one screen of a terminal.
 *
 * Everything comes from the report views, support.report(), the backlog and the clocks, under the caller's snapshot and
 * with the caller's rights. The screen has as many columns as it is asked to have, 80 at least, and at most 45 lines
 * whatever the desk holds: long lists show their first rows. Lists stand side by side, two or, where there is room, three.
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
#include "dashboard/to_do.h"

#define MIN_WIDTH 80
#define MAX_WIDTH 200
/* from so many columns on, there are three blocks side by side */
#define THREE_BLOCKS 132
/* from so many on, the hours of two blocks have two columns each */
#define WIDE_HOURS 100
#define GAP 2
/* in a list, beside the name and its bar */
#define COUNT_WIDTH 6
#define SECOND_WIDTH 8
#define AGE_WIDTH 8
/* from so many columns on, a ticket is shown with whose it is */
#define WITH_WHOSE 60
#define WHOSE_WIDTH 16
#define LABEL_WIDTH 13
#define TREND_DAYS 30
#define HOURS 24
#define TO_DO_LINES 3

/* A screen that is being written. */
typedef struct Screen
{
	ReturnSetInfo *rsinfo;
	int			width;
} Screen;

/* How many seconds an interval has. */
#define SECONDS(interval) "extract(epoch FROM " interval ")::float8"

enum
{
	READ_TIME,
	READ_TREND,
	READ_FIRST_REPLY,
	READ_RESOLUTION,
	READ_PROMISES,
	LIST_STATUSES,
	LIST_PRIORITIES,
	LIST_TEAMS,
	LIST_AGENTS,
	LIST_AGES,
	LIST_HOURS
};

static Statement statements[] = {
	[READ_TIME] = {
		.text = "SELECT to_char(support.desk_now(), 'FMDay FMDD FMMonth YYYY, HH24:MI TZ')",
		.columns = {{TEXTOID, NOT_NULL}}
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
	/* of the 90 days of the report */
	[READ_PROMISES] = {
		.text = "SELECT sum(r.decided)::float8, sum(r.breached)::float8, (100.0 * sum(r.achieved) / sum(r.decided))::float8"
		" FROM support.report_sla AS r",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_STATUSES] = {
		/* where there are more, those that have tickets */
		.text = "SELECT l.status, l.tickets::float8, l.percent::text,"
		" l.category <> ALL (ARRAY['solved', 'closed']) AS is_open"
		" FROM (SELECT r.status, r.category, r.tickets, r.percent, s.position"
		" FROM support.report_status AS r JOIN support.statuses AS s ON s.name = r.status"
		" ORDER BY r.tickets = 0, s.position, r.status LIMIT 6) AS l"
		" ORDER BY l.position, l.status",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {TEXTOID, NOT_NULL}, {BOOLOID}}
	},
	[LIST_PRIORITIES] = {
		.text = "SELECT p.priority, p.open::float8, p.unassigned::float8, " SECONDS("p.oldest")
		" FROM support.report_priority AS p LIMIT 6",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_TEAMS] = {
		.text = "SELECT t.team, t.open::float8, t.unassigned::float8, " SECONDS("t.oldest")
		" FROM support.report_teams AS t ORDER BY t.open DESC, t.team LIMIT 5",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_AGENTS] = {
		.text = "SELECT a.agent, a.open::float8, a.waiting_on_agent::float8,"
		" " SECONDS("a.oldest_waiting")
		" FROM support.report_agents AS a ORDER BY a.open DESC, a.waiting_on_agent DESC, a.agent LIMIT 5",
		.columns = {{TEXTOID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	[LIST_AGES] = {
		.text = "SELECT a.age, a.open::float8, a.unassigned::float8"
		" FROM support.report_aging AS a LIMIT 6",
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

/* How a list divides the columns it has. */
typedef struct ListWidths
{
	int			name;
	int			bar;
} ListWidths;

static ListWidths
divide(int width, bool has_age)
{
	int			rest = width - COUNT_WIDTH - SECOND_WIDTH - (has_age ? AGE_WIDTH : 0) - 1;
	ListWidths	widths = {.bar = rest / 3};

	widths.name = rest - widths.bar;
	return widths;
}

/* Append the heading of a list of numbers or durations. */
static void
append_heading(StringInfo line, int width, const char *name, const char *count, const char *second, const char *age)
{
	ListWidths	widths = divide(width, age[0] != '\0');

	append_left(line, name, widths.name + 1 + widths.bar);
	append_right(line, count, COUNT_WIDTH);
	append_right(line, second, SECOND_WIDTH);
	append_right(line, age, age[0] == '\0' ? 0 : AGE_WIDTH);
}

/* Append what a row of a list begins with: its name, and how much it is. */
static void
append_name(StringInfo line, ListWidths widths, const char *name, double value, double max_value)
{
	append_left(line, name, widths.name);
	appendStringInfoChar(line, ' ');
	append_bar(line, value, max_value, widths.bar);
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

	append_heading(add_line(block), block->width, name, count, second, age);
	for (uint64 i = 0; i < n; i++)
	{
		StringInfo	line = add_line(block);

		append_name(line, divide(block->width, age[0] != '\0'), result_text(i, 1), result_float8(i, 2), max_value);
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

	append_heading(add_line(block), block->width, "Status", "", "tickets", "percent");
	for (uint64 i = 0; i < n; i++)
	{
		StringInfo	line = add_line(block);

		append_name(line, divide(block->width, true), result_text(i, 1), result_bool(i, 4) ? result_float8(i, 2) : 0,
					max_value);
		append_right(line, count_text(result_float8(i, 2)), COUNT_WIDTH + SECOND_WIDTH);
		append_right(line, result_text(i, 3), AGE_WIDTH);
	}
}

/* Put a line, cut where it is too long. */
static void
put_cut(const Screen *screen, const char *text)
{
	StringInfoData line;

	initStringInfo(&line);
	append_left(&line, text, screen->width);
	put_line(screen->rsinfo, line.data);
}

static void
put_rule(const Screen *screen)
{
	StringInfoData line;

	initStringInfo(&line);
	for (int i = 0; i < screen->width; i++)
		appendStringInfoString(&line, use_ascii() ? "-" : "\342\224\200");	/* U+2500 */
	put_line(screen->rsinfo, line.data);
}

/* Add a number to a line, or begin another where that is full. */
static void
add_number(const Screen *screen, StringInfo line, const char *text)
{
	if (line->len > 0 && text_width(line->data) + 2 + text_width(text) > screen->width)
	{
		put_line(screen->rsinfo, line->data);
		resetStringInfo(line);
	}
	appendStringInfo(line, "%s%s", line->len > 0 ? "  " : "", text);
}

/* The head of the screen: when, and how much there is to do. */
static void
put_overview(const Screen *screen, const ToDoCounts *counts)
{
	StringInfoData line;

	run_read_only(&statements[READ_TIME], NULL);
	initStringInfo(&line);
	append_left(&line, "Support desk", 20);
	append_right(&line, result_text(0, 1), screen->width - 20);
	put_line(screen->rsinfo, line.data);
	put_rule(screen);

	resetStringInfo(&line);
	add_number(screen, &line, psprintf(isfinite(counts->oldest) ? "%s unsolved, oldest %s" : "%s unsolved",
									   count_text(counts->unsolved), brief_duration_text(counts->oldest)));
	if (counts->has_promises)
	{
		add_number(screen, &line, psprintf("%s overdue", count_text(counts->of[TO_DO_OVERDUE])));
		add_number(screen, &line, psprintf("%s due in 24h", count_text(counts->of[TO_DO_DUE])));
	}
	add_number(screen, &line, psprintf("%s unassigned", count_text(counts->of[TO_DO_UNASSIGNED])));
	add_number(screen, &line, psprintf("%s waiting", count_text(counts->of[TO_DO_WAITING])));
	put_line(screen->rsinfo, line.data);
	put_line(screen->rsinfo, "");
}

/* Columns that the widest number of some tickets takes, within reason. */
static int
number_width(const ToDoTicket *tickets, int n)
{
	int			width = 0;

	for (int i = 0; i < n; i++)
		width = Max(width, text_width(tickets[i].number));
	return Min(width, 16);
}

/* The first tickets of what is to be done. */
static void
list_tickets(TerminalBlock *block, ToDo what, const ToDoCounts *counts)
{
	static const char *const titles[TO_DOS] = {
		[TO_DO_OVERDUE] = "Overdue", [TO_DO_DUE] = "Due in 24h", [TO_DO_UNASSIGNED] = "Unassigned, the oldest",
		[TO_DO_WAITING] = "Waiting longest for an answer"
	};
	ToDoTicket	tickets[TO_DO_ROWS];
	int			n = Min(list_to_do(what, counts, "UTC", tickets), TO_DO_LINES);
	int			number = number_width(tickets, n);
	int			whose = block->width >= WITH_WHOSE ? WHOSE_WIDTH : 0;
	int			time = what == TO_DO_OVERDUE ? 12 : 8;

	append_left(add_line(block), titles[what], block->width);
	for (int i = 0; i < n; i++)
	{
		StringInfo	line = add_line(block);

		append_left(line, tickets[i].number, number);
		appendStringInfoChar(line, ' ');
		append_left(line, tickets[i].title, block->width - number - 2 - whose - time);
		appendStringInfoChar(line, ' ');
		if (whose > 0)
			append_left(line, tickets[i].whose == NULL ? "nobody" : tickets[i].whose, whose);
		append_right(line, tickets[i].time, time);
	}
}

/* What to do first. */
static void
put_to_do(const Screen *screen, const ToDoCounts *counts)
{
	TerminalBlock blocks[TO_DOS] = {0};

	for (ToDo what = 0; what < TO_DOS; what++)
	{
		blocks[what].width = (screen->width - GAP) / 2;
		if (counts->has_promises || what == TO_DO_UNASSIGNED || what == TO_DO_WAITING)
			list_tickets(&blocks[what], what, counts);
	}
	put_blocks(screen->rsinfo, &blocks[TO_DO_OVERDUE], 2, GAP);
	put_blocks(screen->rsinfo, &blocks[TO_DO_UNASSIGNED], 2, GAP);
	put_line(screen->rsinfo, "");
}

/* A column of the last run, day by day, as a line of heights with what it comes to. */
static void
put_trend(const Screen *screen, const char *name, uint64 n, int column, bool is_sum)
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
	append_left(&line, name, LABEL_WIDTH);
	draw_sparkline(&heights, values, n);
	append_left(&line, heights.data, TREND_DAYS);
	if (n > 0 && is_sum)
		appendStringInfo(&line, "  %s today, %s in %d days, %.1f a day", count_text(values[n - 1]), count_text(sum),
						 (int) n, sum / n);
	else if (n > 0)
		appendStringInfo(&line, "  %s now, %s %d days ago", count_text(values[n - 1]), count_text(values[0]),
						 (int) n - 1);
	put_cut(screen, line.data);
}

/* How long something takes, for half of the tickets and for nine in ten. */
static void
put_duration(const Screen *screen, const char *name, int statement)
{
	StringInfoData line;

	if (run_read_only(&statements[statement], NULL) == 0)
		return;
	initStringInfo(&line);
	append_left(&line, name, LABEL_WIDTH);
	if (result_is_null(0, 2))
		appendStringInfoString(&line, "none in 90 days");
	else
		appendStringInfo(&line, "median %s, 90 %% within %s, %s in 90 days", duration_text(result_float8(0, 2)),
						 duration_text(result_float8(0, 3)), count_text(result_float8(0, 1)));
	put_cut(screen, line.data);
}

/* How many promises were kept. */
static void
put_promises(const Screen *screen)
{
	StringInfoData line;

	run_read_only(&statements[READ_PROMISES], NULL);
	initStringInfo(&line);
	append_left(&line, "Promises", LABEL_WIDTH);
	if (result_is_null(0, 1))
		appendStringInfoString(&line, "none decided in 90 days");
	else
		appendStringInfo(&line, "%.1f %% kept, %s of %s broken in 90 days", result_float8(0, 3),
						 count_text(result_float8(0, 2)), count_text(result_float8(0, 1)));
	put_cut(screen, line.data);
}

static void
put_trends(const Screen *screen, bool has_promises)
{
	Args		args = {0};
	uint64		n;

	arg_int64(&args, TREND_DAYS);
	n = run_read_only(&statements[READ_TREND], &args);
	put_trend(screen, "Unsolved", n, 1, false);
	put_trend(screen, "Created", n, 2, true);
	put_trend(screen, "Solved", n, 3, true);
	put_duration(screen, "First reply", READ_FIRST_REPLY);
	put_duration(screen, "Resolution", READ_RESOLUTION);
	if (has_promises)
		put_promises(screen);
	put_line(screen->rsinfo, "");
}

/* When tickets come, by weekday and hour: an hour takes two columns where there is room. */
static void
list_hours(TerminalBlock *block)
{
	static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	int			columns = block->width >= 4 + 2 * HOURS ? 2 : 1;
	double		created[lengthof(weekdays)][HOURS] = {0};
	uint64		n = run_read_only(&statements[LIST_HOURS], NULL);
	double		max_value = greatest(n, 3);
	StringInfo	line;

	for (uint64 i = 0; i < n; i++)
	{
		int64		day = result_int64(i, 1) - 1;
		int64		hour = result_int64(i, 2);

		if (day >= 0 && day < lengthof(weekdays) && hour >= 0 && hour < HOURS)
			created[day][hour] = result_float8(i, 3);
	}
	append_left(add_line(block), "Created by hour, 90 days", block->width);
	line = add_line(block);
	appendStringInfoSpaces(line, 4);
	for (int hour = 0; hour < HOURS; hour += 3)
		append_left(line, psprintf("%d", hour), 3 * columns);
	for (int day = 0; day < lengthof(weekdays); day++)
	{
		line = add_line(block);
		append_left(line, weekdays[day], 4);
		for (int i = 0; i < HOURS * columns; i++)
			draw_heat(line, created[day][i / columns], max_value);
	}
}

/* The lists, side by side. */
static void
put_lists(const Screen *screen)
{
	int			beside = screen->width >= THREE_BLOCKS ? 3 : 2;
	TerminalBlock blocks[6] = {0};

	for (int i = 0; i < lengthof(blocks); i++)
		blocks[i].width = (screen->width - GAP * (beside - 1)) / beside;
	if (beside == 2 && screen->width >= WIDE_HOURS)
	{
		blocks[4].width = 4 + 2 * HOURS;
		blocks[5].width = screen->width - GAP - blocks[4].width;
	}
	list_statuses(&blocks[0]);
	list_counts(&blocks[1], LIST_PRIORITIES, "Priority", "open", "nobody", "oldest");
	list_counts(&blocks[2], LIST_TEAMS, "Team", "open", "nobody", "oldest");
	list_counts(&blocks[3], LIST_AGENTS, "Agent", "open", "waiting", "longest");
	list_hours(&blocks[4]);
	list_counts(&blocks[5], LIST_AGES, "Age", "open", "nobody", "");
	if (beside == 3)
	{
		TerminalBlock ages = blocks[5];

		/* the ages, as long as the statuses, stand beside these */
		memmove(&blocks[3], &blocks[2], 3 * sizeof(TerminalBlock));
		blocks[2] = ages;
	}
	for (int i = 0; i < lengthof(blocks); i += beside)
	{
		if (i > 0)
			put_line(screen->rsinfo, "");
		put_blocks(screen->rsinfo, &blocks[i], beside, GAP);
	}
}

/* dashboard(width) -> lines */
PG_FUNCTION_INFO_V1(support_dashboard);
Datum
support_dashboard(PG_FUNCTION_ARGS)
{
	int			width = PG_ARGISNULL(0) ? MIN_WIDTH : PG_GETARG_INT32(0);
	Screen		screen = {
		.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo,
		.width = Min(Max(width, MIN_WIDTH), MAX_WIDTH)
	};
	ToDoCounts	counts;
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	count_to_do(&counts);
	put_overview(&screen, &counts);
	put_to_do(&screen, &counts);
	put_trends(&screen, counts.has_promises);
	put_lists(&screen);
	end_call(&call);
	return (Datum) 0;
}
