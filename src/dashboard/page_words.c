/*
 * page_words.c
 *		The dashboard's page: what its numbers mean, each once.
 */
#include "postgres.h"

#include "dashboard/page.h"

typedef struct Word
{
	const char *word;
	const char *meaning;
	bool		is_promise;
} Word;

static const Word words[] = {
	{"Unsolved, open, backlog", "Tickets whose status is of any category but solved and closed. Deleted tickets are in no number."},
	{"Overdue", "Unsolved tickets with a promise that is past its time and not kept yet. Late is the time since.", true},
	{"Due within 24 hours", "Unsolved tickets, none of whose promises is past its time, and one has no more than that left.", true},
	{"Unassigned", "Unsolved tickets that no agent has."},
	{"Waiting", "Unsolved tickets whose customer has written and had no answer. The wait begins with the oldest such comment."},
	{"Oldest, age", "The time since a ticket was opened."},
	{"Created", "Tickets opened in the range."},
	{"Solved", "How often a ticket became solved or closed. One that is reopened and solved again counts twice."},
	{"Reopened", "How often a solved or closed ticket came back."},
	{"First reply", "The time from the opening of a ticket to the first public answer of an agent, where that came in the range."},
	{"Resolution", "The time from the opening of a ticket to its last solution, where that came in the range, of tickets still solved."},
	{"Median, 90 %", "Half of the tickets took at most the one, nine in ten at most the other."},
	{"Promises kept", "Of the promises that were fulfilled in time or broken in the range, the share of the former.", true},
	{"Before", "The same length of time, right before the range."},
	{"Replies", "Public comments of an agent."},
};

/* Append the glossary. */
void
append_words(DeskPage *page)
{
	StringInfo	out = page->out;

	appendStringInfoString(out, "<section class=\"words\"><h3>What the numbers mean</h3><dl>\n");
	for (int i = 0; i < lengthof(words); i++)
	{
		if (words[i].is_promise && !page->has_promises)
			continue;
		appendStringInfoString(out, "<div>");
		html_element(out, "dt", "", words[i].word);
		html_element(out, "dd", "", words[i].meaning);
		appendStringInfoString(out, "</div>\n");
	}
	appendStringInfoString(out, "</dl></section>\n");
}
