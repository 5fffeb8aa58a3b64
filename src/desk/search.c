/*
 * search.c
 *		The words that tickets and comments are found by.
 *
 * The column search is kept by the BEFORE triggers, not generated: the server computes every generated column of a
 * table with such a trigger anew in each UPDATE, whatever it changes, and splitting a description into words costs as
 * much as the rest of a change of status. Here it is done when the words may have changed.
 *
 * A tsvector has a limit of 1 MB. The first 100,000 characters of a text stay below it, whatever they are.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "tsearch/ts_utils.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/hooks.h"
#include "base/tables.h"
#include "desk/search.h"

#define MAX_CHARACTERS 100000

/* The words of a text, all of one weight, by the configuration simple. */
static Datum
words_of(Datum text, char weight)
{
	Oid			config = get_ts_config_oid(list_make2(makeString("pg_catalog"), makeString("simple")), false);
	Datum		start = DirectFunctionCall2(text_left, text, Int32GetDatum(MAX_CHARACTERS));
	Datum		words = DirectFunctionCall2(to_tsvector_byid, ObjectIdGetDatum(config), start);

	return DirectFunctionCall2(tsvector_setweight, words, CharGetDatum(weight));
}

/* Keep a ticket's words: title and number weigh A, the description C. */
static void
keep_ticket_words(RowChange *change)
{
	static const int sources[] = {TICKET_TITLE, TICKET_NUMBER, TICKET_DESCRIPTION};
	Row		   *new = change->new;
	Datum		words;

	if (!changes(change, TICKET_TITLE) && !changes(change, TICKET_NUMBER) && !changes(change, TICKET_DESCRIPTION))
	{
		/* what the client says of them does not count */
		row_take_over(change->old, new, TICKET_SEARCH);
		return;
	}
	/* a NULL is left for the column's own constraint to refuse */
	for (int i = 0; i < lengthof(sources); i++)
		if (row_is_null(new, sources[i]))
			return;
	words = DirectFunctionCall2(tsvector_concat,
								words_of(row_datum(new, TICKET_TITLE), 'A'),
								words_of(row_datum(new, TICKET_NUMBER), 'A'));
	words = DirectFunctionCall2(tsvector_concat, words, words_of(row_datum(new, TICKET_DESCRIPTION), 'C'));
	row_set(new, TICKET_SEARCH, words);
}

/* Keep a comment's words, of weight D. */
static void
keep_comment_words(RowChange *change)
{
	Row		   *new = change->new;

	if (!changes(change, COMMENT_CONTENT))
		row_take_over(change->old, new, COMMENT_SEARCH);
	else if (!row_is_null(new, COMMENT_CONTENT))
		row_set(new, COMMENT_SEARCH, words_of(row_datum(new, COMMENT_CONTENT), 'D'));
}

/* Keep the words of a row of one of the two tables. */
void
keep_words(RowChange *change)
{
	if (change->table == &tickets_table)
		keep_ticket_words(change);
	else
		keep_comment_words(change);
}

void
search_init(void)
{
	static RowHooks hooks[] = {
		{.table = &tickets_table, .complete = keep_words},
		{.table = &comments_table, .complete = keep_words}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
