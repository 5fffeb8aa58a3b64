/*
 * search.c
 *		The words that tickets and comments are found by.
 *
 * They are as large as the texts that they come from and change as seldom, while a ticket's row changes with every reply. So
 * they lie beside it, in support.search_words: a row for each comment, and one with comment_id 0 for the ticket itself. Words
 * follow from texts, so the log has nothing of them, and a change that leaves the texts as they are does not come here.
 *
 * Whoever writes a ticket's or comment's row has locked it until the transaction ends, and nobody else touches its words
 * meanwhile. Rows go the way of heap_writer.c, or over SPI where somebody changed the table so that this does not serve.
 *
 * A tsvector has a limit of 1 MB. The first 100,000 characters of a text stay below it, whatever they are. The server's parser
 * looks at what has no blank again for each character of it that may end a word: a customer's mail of 100 kB of underscores
 * would keep it, and the ticket locked, for minutes. So a blank is put after each 255 characters that have none.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "storage/lmgr.h"
#include "tsearch/ts_utils.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/heap_writer.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/search.h"

#define MAX_CHARACTERS 100000
#define MAX_RUN 255				/* characters without a blank */
#define OF_TICKET INT64CONST(0) /* the comment_id of a ticket's own words */

/* A text, and what its words weigh. */
typedef struct WordSource
{
	int			column;
	char		weight;
} WordSource;

static const WordSource ticket_sources[] = {{TICKET_TITLE, 'A'}, {TICKET_NUMBER, 'A'}, {TICKET_DESCRIPTION, 'C'}};
static const WordSource comment_sources[] = {{COMMENT_CONTENT, 'D'}};

/* The texts of a row. */
typedef struct Texts
{
	int			n;
	Datum		text[lengthof(ticket_sources)];
	char		weight[lengthof(ticket_sources)];
} Texts;

enum
{
	WORDS_TICKET_ID,
	WORDS_COMMENT_ID,
	WORDS_WORDS,
	WORDS_COLUMNS
};

static const TableColumn words_columns[WORDS_COLUMNS] = {
	[WORDS_TICKET_ID] = {"ticket_id", INT8OID, .always_set = true},
	[WORDS_COMMENT_ID] = {"comment_id", INT8OID, .always_set = true},
	[WORDS_WORDS] = {"words", TSVECTOROID, .always_set = true}
};

static HeapTable search_words = {
	.name = PUBLIC_TABLE("search_words"), .columns = words_columns, .ncolumns = WORDS_COLUMNS, .replaces = true, .nkeys = 2
};

enum
{
	TEXTS_OF_TICKET,
	TEXTS_OF_COMMENT,
	REMOVE_ALL,
	REMOVE_ONE,
	HAS_STRAYS,
	REMOVE_STRAYS,
	HAS_GAPS,
	FILL_GAPS
};

static Statement statements[] = {
	[TEXTS_OF_TICKET] = {
		.text = "SELECT title, ticket_number, description FROM support.tickets WHERE id = $1",
		.columns = {{VARCHAROID, NOT_NULL}, {VARCHAROID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[TEXTS_OF_COMMENT] = {
		.text = "SELECT content FROM support.comments WHERE ticket_id = $1 AND id = $2",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("comments")
	},
	[REMOVE_ALL] = {
		.text = "DELETE FROM support.search_words WHERE ticket_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("search_words")
	},
	[REMOVE_ONE] = {
		.text = "DELETE FROM support.search_words WHERE ticket_id = $1 AND comment_id = $2",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("search_words")
	},
	[HAS_STRAYS] = {
		.text = "SELECT FROM support_internal.search_strays LIMIT 1",
		.as_owner_of = PUBLIC_TABLE("search_words")
	},
	[REMOVE_STRAYS] = {
		.text = "DELETE FROM support.search_words AS w USING support_internal.search_strays AS s"
		" WHERE w.ticket_id = s.ticket_id AND w.comment_id = s.comment_id",
		.as_owner_of = PUBLIC_TABLE("search_words")
	},
	[HAS_GAPS] = {
		.text = "SELECT FROM support_internal.search_gaps LIMIT 1",
		.as_owner_of = PUBLIC_TABLE("search_words")
	},
	[FILL_GAPS] = {
		.text = "INSERT INTO support.search_words (ticket_id, comment_id, words)"
		" SELECT g.ticket_id, g.comment_id, g.words FROM support_internal.search_gaps AS g",
		.as_owner_of = PUBLIC_TABLE("search_words")
	}
};

/* The first characters of a text, which is often no longer than that and then is not copied. */
static Datum
start_of(Datum text)
{
	if (toast_raw_datum_size(text) - VARHDRSZ <= MAX_CHARACTERS)
		return text;
	return DirectFunctionCall2(text_left, text, Int32GetDatum(MAX_CHARACTERS));
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* The text with a blank after each so many characters without one. */
static Datum
with_breaks(const char *text, int size)
{
	const char *end = text + size;
	StringInfoData broken;
	int			run = 0;

	initStringInfo(&broken);
	for (int length; text < end; text += length)
	{
		length = Min(pg_mblen(text), end - text);
		appendBinaryStringInfo(&broken, text, length);
		run = is_blank(*text) ? 0 : run + 1;
		if (run == MAX_RUN)
		{
			appendStringInfoChar(&broken, ' ');
			run = 0;
		}
	}
	return PointerGetDatum(cstring_to_text_with_len(broken.data, broken.len));
}

/* Has the text so many bytes without a blank as that many characters have at least? */
static bool
has_long_run(const char *text, int size)
{
	int			run = 0;

	for (int i = 0; i < size && run < MAX_RUN; i++)
		run = is_blank(text[i]) ? 0 : run + 1;
	return run == MAX_RUN;
}

/* What is split of a text. */
static Datum
splittable(Datum text)
{
	struct varlena *start = PG_DETOAST_DATUM_PACKED(start_of(text));

	if (!has_long_run(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start)))
		return PointerGetDatum(start);
	return with_breaks(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start));
}

/* The words of a text, all of one weight. */
static Datum
words_of(Oid config, Datum text, char weight)
{
	Datum		words = DirectFunctionCall2(to_tsvector_byid, ObjectIdGetDatum(config), splittable(text));

	return DirectFunctionCall2(tsvector_setweight, words, CharGetDatum(weight));
}

/* The words of texts, by the configuration simple. */
static Datum
words_of_texts(const Texts *texts)
{
	Oid			config = get_ts_config_oid(list_make2(makeString("pg_catalog"), makeString("simple")), false);
	Datum		words = words_of(config, texts->text[0], texts->weight[0]);

	for (int i = 1; i < texts->n; i++)
		words = DirectFunctionCall2(tsvector_concat, words, words_of(config, texts->text[i], texts->weight[i]));
	return words;
}

/* What a row of one of the two tables has for words. */
static const WordSource *
sources_of(const DeskTable *table, int *n)
{
	*n = table == &tickets_table ? lengthof(ticket_sources) : lengthof(comment_sources);
	return table == &tickets_table ? ticket_sources : comment_sources;
}

/* The texts of a row as the trigger has it. */
static Texts
texts_of_row(const DeskTable *table, const Row *row)
{
	Texts		texts = {0};
	const WordSource *sources = sources_of(table, &texts.n);

	for (int i = 0; i < texts.n; i++)
	{
		texts.text[i] = row_datum(row, sources[i].column);
		texts.weight[i] = sources[i].weight;
	}
	return texts;
}

/* Have the words of a ticket, or of its comment, in the table. The caller has locked that row, or it is new. */
static void
put_words(int64 ticket_id, int64 comment_id, const Texts *texts, bool is_new)
{
	Relation	rel = table_open(heap_relation(&search_words), RowExclusiveLock);
	Datum		values[WORDS_COLUMNS] = {Int64GetDatum(ticket_id), Int64GetDatum(comment_id), words_of_texts(texts)};
	bool		nulls[WORDS_COLUMNS] = {false};
	HeapTuple	old;

	if (!know_table(&search_words, rel) || search_words.primary_key < 0)
		insert_row(&search_words, values, nulls);
	else if (is_new)
		add_new_row(&search_words, rel, values, nulls);
	else if ((old = find_row_of(&search_words, rel, ticket_id, comment_id)) != NULL)
		change_row(&search_words, rel, old, values, nulls);
	else
		add_row(&search_words, rel, values, nulls);
	/* the next one to change it finds it as of an earlier command */
	CommandCounterIncrement();
	table_close(rel, NoLock);
}

/* A trigger has changed the row again since: put the words of what it has now, if it is there. */
static void
put_words_now(const DeskTable *table, int64 ticket_id, int64 comment_id)
{
	Args		args = {0};
	Texts		texts = {0};
	const WordSource *sources = sources_of(table, &texts.n);

	SPI_connect();
	arg_int64(&args, ticket_id);
	if (comment_id != OF_TICKET)
		arg_int64(&args, comment_id);
	if (run_latest(&statements[comment_id == OF_TICKET ? TEXTS_OF_TICKET : TEXTS_OF_COMMENT], &args) > 0)
	{
		for (int i = 0; i < texts.n; i++)
		{
			texts.text[i] = result(0, i + 1);
			texts.weight[i] = sources[i].weight;
		}
		put_words(ticket_id, comment_id, &texts, false);
	}
	SPI_finish();
}

/* Remove rows that were found in a plain table. */
static void
remove_rows(Relation rel, const List *rows)
{
	ListCell   *cell;

	foreach(cell, rows)
		remove_row(rel, lfirst(cell));
	if (rows != NIL)
		CommandCounterIncrement();
}

/* A comment goes with its words, and a ticket with all of them, those of its comments included. */
static void
remove_words(int64 ticket_id, int64 comment_id)
{
	Relation	rel = table_open(heap_relation(&search_words), RowExclusiveLock);
	bool		plain = know_table(&search_words, rel) && search_words.primary_key >= 0;
	Args		args = {0};
	HeapTuple	old;

	if (plain && comment_id == OF_TICKET)
		remove_rows(rel, find_rows(&search_words, rel, ticket_id));
	else if (plain)
	{
		old = find_row_of(&search_words, rel, ticket_id, comment_id);
		remove_rows(rel, old != NULL ? list_make1(old) : NIL);
	}
	else
	{
		SPI_connect();
		arg_int64(&args, ticket_id);
		if (comment_id != OF_TICKET)
			arg_int64(&args, comment_id);
		run_latest(&statements[comment_id == OF_TICKET ? REMOVE_ALL : REMOVE_ONE], &args);
		SPI_finish();
	}
	table_close(rel, NoLock);
}

/* Does the change give the row another text? */
static bool
changes_texts(const RowChange *change)
{
	int			n;
	const WordSource *sources = sources_of(change->table, &n);

	for (int i = 0; i < n; i++)
		if (changes(change, sources[i].column))
			return true;
	return false;
}

/* A row of one of the two tables has come, changed or gone. */
static void
follow_words(const RowChange *change)
{
	const Row  *row = change->new != NULL ? change->new : change->old;
	bool		is_ticket = change->table == &tickets_table;
	int64		ticket_id = row_int64(row, is_ticket ? TICKET_ID : COMMENT_TICKET_ID);
	int64		comment_id = is_ticket ? OF_TICKET : row_int64(row, COMMENT_ID);
	Texts		texts;

	if (change->new == NULL)
		remove_words(ticket_id, comment_id);
	else if (!changes_texts(change))
		return;
	else if (change->superseded)
		put_words_now(change->table, ticket_id, comment_id);
	else
	{
		texts = texts_of_row(change->table, row);
		put_words(ticket_id, comment_id, &texts, change->old == NULL);
	}
}

/*
 * Put right which rows there are, with the rights of the desk's owner: for a desk that ran without its triggers. Where nothing
 * is wrong nothing is locked. Words that are there are taken for right: to split every text again costs as much as to write it.
 */
void
settle_words(void)
{
	Oid			relid = desk_relation("support", "search_words");

	SPI_connect();
	if (run_latest(&statements[HAS_STRAYS], NULL) > 0 || run_latest(&statements[HAS_GAPS], NULL) > 0)
	{
		/* who has written a row has ended then, and who is about to waits */
		LockRelationOid(relid, ShareRowExclusiveLock);
		run_latest(&statements[REMOVE_STRAYS], NULL);
		run_latest(&statements[FILL_GAPS], NULL);
	}
	SPI_finish();
}

void
search_init(void)
{
	static RowHooks hooks[] = {
		{.table = &tickets_table, .follow = follow_words},
		{.table = &comments_table, .follow = follow_words}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
