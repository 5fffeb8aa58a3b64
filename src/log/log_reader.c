/*
 * log_reader.c
 *		Reading the audit log in the order of its positions.
 *
 * The order is (era, xid, id): the line of time, the transaction, the entry. It is not the order in which transactions
 * commit, so an entry is released for reading only when no transaction with a smaller xid can write any more, which
 * eras.c tells, and an era is read only after all of the one before. What was read up to a position is then complete for
 * ever.
 *
 * No index has this order. The log's BRIN index knows which ranges of pages may hold an xid or an id, so a few rows at
 * a time are fetched and sorted: the entries of a window of transactions, or, where one transaction has many, of a
 * window of ids within it. A window that came back short is followed by a wider one. From one that holds too many
 * entries nothing is taken; it is tried again narrower. So what is read, and sorted, depends on what is asked for, not
 * on how much is left.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/plan.h"
#include "log/log_columns.h"
#include "log/log_reader.h"
#include "log/log_writer.h"

enum
{
	ENTRIES_OF_TRANSACTIONS,
	ENTRIES_OF_TRANSACTION,
	FIRST_ID,
	LATER_ID,
	ENTRY
};

static Statement statements[] = {
	[ENTRIES_OF_TRANSACTIONS] = {
		.text = "SELECT " LOG_COLUMN_NAMES("") " FROM support.audit_log"
		" WHERE era = $1 AND xid > $2 AND xid <= $3"
		" LIMIT $4",
		.columns = {LOG_COLUMN_TYPES(NOT_NULL)},
		.nargs = 4, .argtypes = {INT4OID, INT8OID, INT8OID, INT8OID}
	},
	[ENTRIES_OF_TRANSACTION] = {
		.text = "SELECT " LOG_COLUMN_NAMES("") " FROM support.audit_log"
		" WHERE era = $1 AND xid = $2"
		" AND id > $3 AND id <= $4"
		" LIMIT $5",
		.columns = {LOG_COLUMN_TYPES(NOT_NULL)},
		.nargs = 5, .argtypes = {INT4OID, INT8OID, INT8OID, INT8OID, INT8OID}
	},
	[FIRST_ID] = {
		.text = "SELECT min(id) FROM support.audit_log"
		" WHERE era = $1 AND xid = $2 AND id <= $3",
		.columns = {{INT8OID}},
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}
	},
	[LATER_ID] = {
		.text = "SELECT FROM support.audit_log"
		" WHERE era = $1 AND xid = $2 AND id > $3"
		" LIMIT 1",
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}
	},
	[ENTRY] = {
		.text = "SELECT FROM support.audit_log"
		" WHERE era = $1 AND xid = $2 AND id = $3"
		" LIMIT 1",
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}
	}
};

#define NO_MORE PG_INT64_MAX

/* Less than this is not worth a window. */
#define LEAST_ENTRIES 100

/* A window should hold so many times the entries that are wanted; one that holds more than the most is too wide. */
#define GOOD_TIMES 2
#define MOST_TIMES 4

/* By how much a window gets wider or narrower at once. */
#define STEP 8

/* An entry of a window. */
typedef struct WindowEntry
{
	LogPosition	position;
	HeapTuple	tuple;
} WindowEntry;

/* The entries of a window, in their order; if they are too many, some of them: likely the first ones. */
typedef struct Window
{
	SPITupleTable *rows;
	int			n;
	WindowEntry *entries;
	bool		is_too_wide;
} Window;

/*
 * Fix what plans for the log depend on: they use its indexes, whatever the statistics say of a log that was just
 * restored, and are run too often for being compiled.
 */
int
begin_log_settings(void)
{
	int			nestlevel = NewGUCNestLevel();

	fix_setting("enable_seqscan", "off");
	fix_setting("enable_bitmapscan", "on");
	fix_setting("jit", "off");
	return nestlevel;
}

void
end_log_settings(int nestlevel)
{
	AtEOXact_GUC(true, nestlevel);
}

/* Run a query. SPI leaves its callers in a memory context of its own; what we make is to be in ours. */
static uint64
run_query(Statement *statement, const Args *args)
{
	MemoryContext ours = CurrentMemoryContext;
	uint64		n = run_read_only(statement, args);

	MemoryContextSwitchTo(ours);
	return n;
}

/* a + b, or the greatest number there is. */
static int64
add_up_to_end(int64 a, int64 b)
{
	int64		sum;

	return pg_add_s64_overflow(a, b, &sum) ? PG_INT64_MAX : sum;
}

static int64
wider(int64 width)
{
	return width > PG_INT64_MAX / STEP ? PG_INT64_MAX : width * STEP;
}

static int64
narrower(int64 width)
{
	return Max(width / STEP, 1);
}

/*
 * Begin to read behind a position. Of its era, and of later ones that go on in its cluster, entries that the snapshot sees
 * (0 for none) are passed over.
 */
void
begin_log_reader(LogReader *reader, LogPosition after, Datum seen)
{
	MemoryContext ours = CurrentMemoryContext;

	read_eras(&reader->eras);
	MemoryContextSwitchTo(ours);
	reader->at = after;
	reader->last_xid = after.era == 0 ? 0 : released_xid(&reader->eras, after.era);
	reader->seen_era = after.era;
	reader->seen = seen;
	reader->width = 0;
	reader->large = (LogPosition) {0};
	if (after.era == 0)
		reader->at.id = NO_MORE;
}

/* Are the era at hand's transactions numbered as those that the snapshot knows? */
static bool
is_of_seen_cluster(const LogReader *reader)
{
	const Era  *at = find_era(&reader->eras, reader->at.era);
	const Era  *seen = find_era(&reader->eras, reader->seen_era);

	return reader->at.era == reader->seen_era || (at != NULL && seen != NULL && same_cluster(at, seen));
}

/* Has the one who reads had this transaction from the beginning? */
static bool
is_seen(const LogReader *reader, int64 xid)
{
	return reader->seen != (Datum) 0 && is_of_seen_cluster(reader) &&
		DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot, Int64GetDatum(xid), reader->seen));
}

static void
add_entry(LogEntries *entries, LogPosition position, HeapTuple tuple)
{
	if (entries->n == entries->room)
	{
		entries->room *= 2;
		entries->positions = repalloc(entries->positions, sizeof(LogPosition) * entries->room);
		entries->tuples = repalloc(entries->tuples, sizeof(HeapTuple) * entries->room);
	}
	entries->positions[entries->n] = position;
	entries->tuples[entries->n++] = heap_copytuple(tuple);
}

static int
compare_window_entries(const void *a, const void *b)
{
	return compare_positions(((const WindowEntry *) a)->position, ((const WindowEntry *) b)->position);
}

/* An entry that a query for a window found. */
static WindowEntry
window_entry(const LogReader *reader, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;

	return (WindowEntry) {
		.position.era = reader->at.era,
		.position.xid = DatumGetInt64(SPI_getbinval(tuple, desc, LOG_XID + 1, &isnull)),
		.position.id = DatumGetInt64(SPI_getbinval(tuple, desc, LOG_ID + 1, &isnull)),
		.tuple = tuple
	};
}

/* How many entries are good for a window, if so many are wanted? */
static int
good_entries(int wanted)
{
	return Max(wanted, LEAST_ENTRIES) * GOOD_TIMES;
}

static int
most_entries(int wanted)
{
	return Max(wanted, LEAST_ENTRIES) * MOST_TIMES;
}

/* Fetch the entries that a statement finds, no more than the most and one, which its last argument says; 0 for all. */
static Window
fetch_window(const LogReader *reader, Statement *statement, Args *args, int most)
{
	Window		window = {0};

	if (most > 0)
		arg_int64(args, most + 1);
	else
		arg_null(args);
	window.n = run_query(statement, args);
	window.is_too_wide = most > 0 && window.n > most;
	window.rows = SPI_tuptable;
	window.entries = palloc(sizeof(WindowEntry) * Max(window.n, 1));
	for (int i = 0; i < window.n; i++)
		window.entries[i] = window_entry(reader, window.rows->vals[i], window.rows->tupdesc);
	qsort(window.entries, window.n, sizeof(WindowEntry), compare_window_entries);
	return window;
}

static void
free_window(Window *window)
{
	SPI_freetuptable(window->rows);
	pfree(window->entries);
}

/*
 * Take the entries of a window until there are as many as wanted; false if that was before the last one. Applications
 * may give their events equal ids: those of one position stay together.
 */
static bool
take_entries(LogReader *reader, const Window *window, int wanted, LogEntries *entries)
{
	if (entries->desc == NULL)
		entries->desc = CreateTupleDescCopy(window->rows->tupdesc);
	for (int i = 0; i < window->n; i++)
	{
		LogPosition	position = window->entries[i].position;

		if (entries->n >= wanted && compare_positions(position, reader->at) != 0)
			return false;
		reader->at = position;
		if (!is_seen(reader, position.xid))
			add_entry(entries, position, window->entries[i].tuple);
	}
	return true;
}

/* Is there an entry of the transaction at hand behind the one at hand? */
static bool
has_later_id(const LogReader *reader)
{
	Args		args = {0};

	arg(&args, Int32GetDatum(reader->at.era));
	arg_int64(&args, reader->at.xid);
	arg_int64(&args, reader->at.id);
	return run_query(&statements[LATER_ID], &args) > 0;
}

/* Fetch the entries of the transaction at hand up to an id; most 0 is no limit. */
static Window
fetch_ids(const LogReader *reader, int64 last_id, int most)
{
	Args		args = {0};

	arg(&args, Int32GetDatum(reader->at.era));
	arg_int64(&args, reader->at.xid);
	arg_int64(&args, reader->at.id);
	arg_int64(&args, last_id);
	return fetch_window(reader, &statements[ENTRIES_OF_TRANSACTION], &args, most);
}

/* Read on within the transaction at hand if only a few entries of it are left; else do nothing. */
static void
read_rest_of_transaction(LogReader *reader, int wanted, LogEntries *entries)
{
	Window		window = fetch_ids(reader, NO_MORE, LEAST_ENTRIES);

	if (!window.is_too_wide && take_entries(reader, &window, wanted, entries))
		reader->at.id = NO_MORE;
	free_window(&window);
}

/* Read on within the transaction at hand, which has many entries. All of one id are taken, however many they are. */
static void
read_large_transaction(LogReader *reader, int wanted, LogEntries *entries)
{
	int64		width = wanted - entries->n;

	while (entries->n < wanted && reader->at.id != NO_MORE)
	{
		int64		last_id = add_up_to_end(reader->at.id, width);
		Window		window = fetch_ids(reader, last_id, width > 1 ? most_entries(wanted) : 0);

		CHECK_FOR_INTERRUPTS();
		if (window.is_too_wide)
			width = narrower(width);
		else if (take_entries(reader, &window, wanted, entries))
		{
			reader->at.id = last_id;
			width = wider(width);
			if (entries->n < wanted && !has_later_id(reader))
				reader->at.id = NO_MORE;
		}
		free_window(&window);
	}
}

/* Read on within the transaction at hand. */
static void
read_transaction(LogReader *reader, int wanted, LogEntries *entries)
{
	if (is_seen(reader, reader->at.xid))
		reader->at.id = NO_MORE;
	else
	{
		read_rest_of_transaction(reader, wanted, entries);
		read_large_transaction(reader, wanted, entries);
	}
}

/*
 * Stand before the first entry of the large transaction, of which one entry is known. The log is appended to, so that
 * is likely the first; the index tells quickly that none is before it.
 */
static void
enter_large_transaction(LogReader *reader)
{
	Args		args = {0};

	arg(&args, Int32GetDatum(reader->large.era));
	arg_int64(&args, reader->large.xid);
	arg_int64(&args, reader->large.id);
	run_query(&statements[FIRST_ID], &args);
	reader->at.xid = reader->large.xid;
	reader->at.id = result_int64(0, 1) - 1;
	reader->width = 0;
	SPI_freetuptable(SPI_tuptable);
}

/* Fetch the entries of transactions after the one at hand. */
static Window
fetch_transactions(const LogReader *reader, int64 last_xid, int wanted)
{
	Args		args = {0};

	arg(&args, Int32GetDatum(reader->at.era));
	arg_int64(&args, reader->at.xid);
	arg_int64(&args, last_xid);
	return fetch_window(reader, &statements[ENTRIES_OF_TRANSACTIONS], &args, most_entries(wanted));
}

/* How wide a window should be after one that had all it holds. */
static int64
next_width(int64 width, const Window *window, int wanted)
{
	double		good = (double) width / Max(window->n, 1) * good_entries(wanted);

	return good < (double) wider(width) ? Max((int64) good, 1) : wider(width);
}

/*
 * Learn from a window that was too wide: the next one ends with the transaction that brings about as many entries as
 * are good, or, if that is itself a large one, before it.
 */
static void
narrow_window(LogReader *reader, const Window *window, int wanted)
{
	int			good = good_entries(wanted);
	LogPosition	position = window->entries[good].position;

	reader->width = position.xid - reader->at.xid;
	if (window->entries[window->n - 1].position.xid != position.xid)
		return;
	while (good > 0 && window->entries[good - 1].position.xid == position.xid)
		good--;
	reader->large = window->entries[good].position;
	reader->width--;
}

/* Read a window of transactions, or begin with a large one. */
static void
read_transactions(LogReader *reader, int wanted, LogEntries *entries)
{
	int64		last_xid;
	Window		window;

	if (reader->large.era == reader->at.era && reader->large.xid == reader->at.xid + 1)
	{
		enter_large_transaction(reader);
		return;
	}
	if (reader->width == 0)
		reader->width = Max(wanted, LEAST_ENTRIES) / 2;
	last_xid = Min(add_up_to_end(reader->at.xid, reader->width), reader->last_xid);
	window = fetch_transactions(reader, last_xid, wanted);
	if (window.is_too_wide)
		narrow_window(reader, &window, wanted);
	else
	{
		reader->width = next_width(last_xid - reader->at.xid, &window, wanted);
		if (take_entries(reader, &window, wanted, entries))
		{
			reader->at.xid = last_xid;
			reader->at.id = NO_MORE;
		}
	}
	free_window(&window);
}

/* Read on within the era at hand. */
static void
read_era(LogReader *reader, int wanted, LogEntries *entries)
{
	while (entries->n < wanted && reader->at.xid <= reader->last_xid)
	{
		CHECK_FOR_INTERRUPTS();
		if (reader->at.id != NO_MORE)
			read_transaction(reader, wanted, entries);
		else if (reader->at.xid < reader->last_xid)
			read_transactions(reader, wanted, entries);
		else
			break;
	}
}

/* Go to the next era; false if there is none, or may be more to come in this one. */
static bool
enter_next_era(LogReader *reader)
{
	const Era  *next = era_after(&reader->eras, reader->at.era);

	if (next == NULL || (reader->at.era != 0 && reader->last_xid != PG_INT64_MAX))
		return false;
	reader->at = (LogPosition) {.era = next->era, .xid = 0, .id = NO_MORE};
	reader->last_xid = next->released_xid;
	return true;
}

/*
 * Read the next entries: as many as wanted, fewer at the end of what is released, seldom some more. They are made in
 * the current memory context. Needs an SPI level and begin_log_settings(). Reads under the snapshot of the query that
 * called us, with the rights of the caller.
 */
void
read_log(LogReader *reader, int wanted, LogEntries *entries)
{
	entries->n = 0;
	entries->room = wanted;
	entries->positions = palloc(sizeof(LogPosition) * wanted);
	entries->tuples = palloc(sizeof(HeapTuple) * wanted);
	entries->desc = NULL;
	do
		read_era(reader, wanted, entries);
	while (entries->n < wanted && enter_next_era(reader));
}

/* Is there an entry at this position? With a fresh snapshot. */
bool
log_has_entry(LogPosition position)
{
	Args		args = {0};

	arg(&args, Int32GetDatum(position.era));
	arg_int64(&args, position.xid);
	arg_int64(&args, position.id);
	return run(&statements[ENTRY], &args) > 0;
}
