/*
 * page_now.c
 *		The dashboard's page: what the desk is like now, and what to do first.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "dashboard/number_text.h"
#include "dashboard/page.h"
#include "dashboard/to_do.h"

/* How many seconds an interval has. */
#define SECONDS(interval) "extract(epoch FROM " interval ")::float8"

enum
{
	LIST_STATUSES,
	LIST_PRIORITIES,
	LIST_AGES,
	LIST_TEAMS,
	LIST_AGENTS
};

/* What a list shows has a name, the length of its bar and then its numbers. */
static Statement statements[] = {
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

/* How what is to be done is shown. */
typedef struct ToDoCard
{
	const char *title;
	const char *class;
	const char *what;			/* of the tickets that are counted */
	const char *none;			/* instead of a list */
	const char *time_format;	/* of what a ticket has beside it */
	bool		is_promise;
} ToDoCard;

static const ToDoCard cards[TO_DOS] = {
	[TO_DO_OVERDUE] = {
		"Overdue", "late", "with a promise that is past its time", "No promise is past its time.", "%s", true
	},
	[TO_DO_DUE] = {
		"Due within 24 hours", "due", "whose next promise is due by then", "Nothing is due within 24 hours.", "in %s", true
	},
	[TO_DO_UNASSIGNED] = {"Unassigned", "free", "without an assignee, the oldest first", "Everything has an assignee.", "%s old"},
	[TO_DO_WAITING] = {
		"Waiting for our answer", "wait", "whose customer wrote last, the longest wait first", "Nobody waits for an answer.",
		"for %s"
	}
};

/* A ticket of a card: its number, its title, who has it, and how pressing it is. */
static void
append_ticket(StringInfo out, const ToDoCard *card, const ToDoTicket *ticket)
{
	appendStringInfoString(out, "<tr>");
	html_element(out, "th", " scope=\"row\"", ticket->number);
	appendStringInfoString(out, "<td class=\"t\">");
	if (ticket->priority != NULL)
		html_element(out, "em", "", ticket->priority);
	html_element(out, "span", "", ticket->title);
	appendStringInfoString(out, "</td>");
	html_element(out, "td", " class=\"who\"", ticket->whose == NULL ? "nobody" : ticket->whose);
	appendStringInfoString(out, "<td class=\"n\" title=\"");
	html_text(out, ticket->at);
	appendStringInfoString(out, "\">");
	html_text(out, psprintf(card->time_format, ticket->time));
	appendStringInfoString(out, "</td></tr>\n");
}

/* One thing to do: how many tickets, and the first of them. */
static void
append_card(DeskPage *page, ToDo what, const ToDoCounts *counts)
{
	StringInfo	out = page->out;
	const ToDoCard *card = &cards[what];
	ToDoTicket	tickets[TO_DO_ROWS];
	int			n = list_to_do(what, counts, page->time_zone, tickets);

	appendStringInfo(out, "<section class=\"card %s%s\"><h3>%s</h3><p><b data-value=\"%.0f\">%s</b> %s %s</p>",
					 card->class, counts->of[what] > 0 ? "" : " none", card->title, counts->of[what],
					 count_text(counts->of[what]), counts->of[what] == 1 ? "ticket" : "tickets", card->what);
	if (n == 0)
		html_element(out, "p", " class=\"empty\"", counts->of[what] > 0 ? "None that you may see." : card->none);
	else
	{
		appendStringInfo(out, "<table aria-label=\"%s\"><tbody>\n", card->title);
		for (int i = 0; i < n; i++)
			append_ticket(out, card, &tickets[i]);
		appendStringInfoString(out, "</tbody></table>");
	}
	appendStringInfoString(out, "</section>\n");
}

/* What to do first. */
static void
append_cards(DeskPage *page)
{
	StringInfo	out = page->out;
	ToDoCounts	counts;

	count_to_do(&counts);
	page->has_promises = counts.has_promises;
	appendStringInfo(out, "<p class=\"lead\"><b data-value=\"%.0f\">%s</b> unsolved %s", counts.unsolved,
					 count_text(counts.unsolved), counts.unsolved == 1 ? "ticket" : "tickets");
	if (counts.unsolved > 0)
		appendStringInfo(out, ", the oldest %s old", brief_duration_text(counts.oldest));
	appendStringInfoString(out, "</p>\n<div class=\"pair\">\n");
	for (ToDo what = 0; what < TO_DOS; what++)
		if (counts.has_promises || !cards[what].is_promise)
			append_card(page, what, &counts);
	appendStringInfoString(out, "</div>\n");
}

/* What the desk is like now. */
void
append_present(DeskPage *page)
{
	static const NumberList lists[] = {
		{"Priority", "Unsolved tickets", "priority",
		{{"open", UNIT_COUNT}, {"unassigned", UNIT_COUNT}, {"oldest", UNIT_DURATION}}},
		{"Age", "Unsolved tickets by the time since they were opened", "age",
		{{"open", UNIT_COUNT}, {"unassigned", UNIT_COUNT}}},
		{"Backlog by team", "Unsolved tickets", "team",
		{{"open", UNIT_COUNT}, {"unassigned", UNIT_COUNT}, {"oldest", UNIT_DURATION}}},
		{"Status", "All tickets; the bars compare the unsolved ones", "status",
		{{"tickets", UNIT_COUNT}, {"oldest", UNIT_DURATION}}}
	};
	static const int sources[] = {LIST_PRIORITIES, LIST_AGES, LIST_TEAMS, LIST_STATUSES};
	static const NumberList agents = {
		"Agents", "Unsolved tickets that they have, and what they did in the last 30 days", "agent",
		{
			{"open", UNIT_COUNT}, {"waiting", UNIT_COUNT}, {"longest wait", UNIT_DURATION},
			{"replies", UNIT_COUNT}, {"solved", UNIT_COUNT}
		}
	};
	StringInfo	out = page->out;

	appendStringInfoString(out, "<div class=\"sheet\"><h2>Now</h2>\n");
	append_cards(page);
	appendStringInfoString(out, "<div class=\"pair\">\n");
	for (int i = 0; i < lengthof(lists); i++)
		append_list(out, &lists[i], run_read_only(&statements[sources[i]], NULL));
	appendStringInfoString(out, "</div>\n");
	append_list(out, &agents, run_read_only(&statements[LIST_AGENTS], NULL));
	appendStringInfoString(out, "</div>\n");
}
