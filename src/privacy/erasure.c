/*
 * erasure.c
 *		Erasing what people have written on tickets.
 *
 * What is erased of a ticket, and what comes in its place, is told by support_internal.records_to_erase(): texts get a neutral
 * word, in the rows that are there and in the images that the log has of them and of those that were removed; keys of other
 * systems and digests go; the bytes of files are deleted. All else stays, so that nothing that is counted or timed changes.
 *
 * A row is changed by an UPDATE as any other: its version moves on, so that nobody writes back what he read before, words for
 * search follow, and triggers of the application see it. The log has an ERASE for it, which tells nothing of what went. A record
 * of which the log alone has something gets one as well, so that who follows the log knows what to forget.
 *
 * The caller acts as the desk's owner and has locked the tickets, those with the smaller ids first. They are worked on in
 * batches, so that it takes no more memory for many than for few.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "log/log_writer.h"
#include "privacy/erasure.h"
#include "proof/removal.h"

#define TICKETS_AT_A_TIME 100

#define PLANNED_ENTRIES "SELECT * FROM support_internal.entries_to_erase($1, $2)"

enum
{
	LOCK_TICKET,
	LOCK_REMOVED,
	ROWS,
	COUNT_ENTRIES,
	COUNT_CONTENTS,
	DELETE_CONTENTS,
	RECORDS_IN_LOG_ALONE,
	ERASE_TICKET,
	ERASE_REASON,
	ERASE_COMMENT,
	ERASE_FILE
};

static Statement statements[] = {
	[LOCK_TICKET] = {
		.text = "SELECT 1 FROM support.tickets WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_REMOVED] = {
		.text = "SELECT 1 FROM support_internal.recycle_bin WHERE ticket_id = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[ROWS] = {
		.text = "SELECT r.table_name, r.ticket_id, r.record_id, r.is_whole"
		" FROM support_internal.rows_to_erase($1, $2) AS r"
		" ORDER BY r.ticket_id, r.table_name = 'tickets' DESC, r.table_name DESC, r.record_id",
		.columns = {{TEXTOID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8ARRAYOID, INT8OID}
	},
	[COUNT_ENTRIES] = {
		.text = "SELECT count(*) FROM support_internal.entries_to_erase($1, $2) AS e",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8ARRAYOID, INT8OID}
	},
	[COUNT_CONTENTS] = {
		.text = "SELECT count(*) FROM support_internal.files_to_erase($1, $2) AS f"
		" JOIN support_internal.attachment_contents AS c ON c.ticket_id = f.ticket_id AND c.sha256 = f.sha256",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8ARRAYOID, INT8OID}
	},
	[DELETE_CONTENTS] = {
		.text = "DELETE FROM support_internal.attachment_contents AS c"
		" USING support_internal.files_to_erase($1, $2) AS f"
		" WHERE c.ticket_id = f.ticket_id AND c.sha256 = f.sha256",
		.nargs = 2, .argtypes = {INT8ARRAYOID, INT8OID}
	},
	[RECORDS_IN_LOG_ALONE] = {
		.text = "SELECT DISTINCT e.table_name, e.ticket_id, e.record_id"
		" FROM support_internal.entries_to_erase($1, $2) AS e"
		" LEFT JOIN support_internal.rows_to_erase($1, $2) AS r ON r.ticket_id = e.ticket_id"
		"	AND r.table_name = e.table_name AND r.record_id = e.record_id"
		" WHERE e.table_name IS NOT NULL AND r.record_id IS NULL"
		" ORDER BY e.ticket_id, e.table_name DESC, e.record_id",
		.columns = {{TEXTOID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8ARRAYOID, INT8OID}
	},
	[ERASE_TICKET] = {
		.text = "UPDATE support.tickets SET title = '" ERASED "', description = '" ERASED "',"
		" external_id = NULL, delete_reason = NULL"
		" WHERE id = $1 AND $2 IS NOT NULL",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[ERASE_REASON] = {
		.text = "UPDATE support.tickets SET delete_reason = NULL WHERE id = $1 AND $2 IS NOT NULL",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[ERASE_COMMENT] = {
		.text = "UPDATE support.comments SET content = '" ERASED "', external_id = NULL"
		" WHERE ticket_id = $1 AND id = $2",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[ERASE_FILE] = {
		.text = "UPDATE support.attachments SET filename = '" ERASED "', sha256 = NULL"
		" WHERE ticket_id = $1 AND id = $2",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	}
};

/*
 * Raise 25001 where the transaction keeps to a snapshot: what others have written since it was taken would be passed over, and
 * stay.
 */
void
refuse_old_snapshot(const char *function)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s() needs a transaction that is READ COMMITTED", function),
				 errdetail("It has to see what others have written until now.")));
}

/* Lock tickets until the transaction ends, by their ids: their rows, or those of the recycle bin. */
void
lock_tickets(const int64 *ticket_ids, int n)
{
	for (int i = 0; i < n; i++)
	{
		Args		args = {0};

		CHECK_FOR_INTERRUPTS();
		SPI_connect();
		arg_int64(&args, ticket_ids[i]);
		if (run(&statements[LOCK_TICKET], &args) == 0)
			run(&statements[LOCK_REMOVED], &args);
		SPI_finish();
	}
}

/* The arguments of a batch's statements. */
static Args
args_of_batch(const Erasure *erasure, const int64 *ticket_ids, int n)
{
	Datum	   *ids = palloc(sizeof(Datum) * n);
	Args		args = {0};

	for (int i = 0; i < n; i++)
		ids[i] = Int64GetDatum(ticket_ids[i]);
	arg(&args, PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	if (erasure->user_id != 0)
		arg_int64(&args, erasure->user_id);
	else
		arg_null(&args);
	return args;
}

/* A row that is erased. */
typedef struct ErasedRow
{
	int			statement;
	Args		key;
} ErasedRow;

static void
update_row(void *arg)
{
	ErasedRow  *row = arg;

	(void) run(&statements[row->statement], &row->key);
}

/* Which row a row of ROWS tells of, and what its columns are called that go. Counts it. */
static int
statement_for(Erasure *erasure, const char *table_name, bool is_whole, List **columns)
{
	if (strcmp(table_name, "comments") == 0)
	{
		erasure->comments++;
		*columns = list_make2("content", "external_id");
		return ERASE_COMMENT;
	}
	if (strcmp(table_name, "attachments") == 0)
	{
		erasure->files++;
		*columns = list_make2("filename", "sha256");
		return ERASE_FILE;
	}
	if (!is_whole)
	{
		erasure->reasons++;
		*columns = list_make1("delete_reason");
		return ERASE_REASON;
	}
	erasure->tickets++;
	*columns = list_make4("title", "description", "external_id", "delete_reason");
	return ERASE_TICKET;
}

/* Erase a row, with the triggers told so. */
static void
erase_row(Erasure *erasure, HeapTuple tuple, TupleDesc desc)
{
	char	   *table_name = SPI_getvalue(tuple, desc, 1);
	bool		isnull;
	int64		record_id = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull));
	ErasedRow	row = {0};
	List	   *columns;
	Modes		erasing;

	row.statement = statement_for(erasure, table_name, DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull)), &columns);
	if (erasure->dry_run)
		return;
	arg_int64(&row.key, DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull)));
	arg_int64(&row.key, record_id);
	erasing = erasing_mode(desk_table(table_name), record_id, columns);
	work_in(&erasing, update_row, &row);
}

/* Do something with each row that a statement finds now, the rows of one SPI level at a time. */
static void
for_each_row(Erasure *erasure, Statement *statement, const Args *args, void (*work) (Erasure *, HeapTuple, TupleDesc))
{
	Reader		reader;
	HeapTuple	tuple;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	open_reader(&reader, statement, args);
	PopActiveSnapshot();
	while ((tuple = next_row(&reader)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_connect();
		work(erasure, tuple, reader.rows->tupdesc);
		SPI_finish();
	}
	close_reader(&reader);
}

/* Have the log tell of a record that has no row to erase. */
static void
note_record(Erasure *erasure, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	LogEntry	entry = {
		.action = "ERASE", .table_name = SPI_getvalue(tuple, desc, 1), .has_record_id = true,
		.record_id = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull)),
		.ticket_id = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull))
	};

	log_write(&entry);
}

static int64
counted(Statement *statement, const Args *args)
{
	run(statement, args);
	return result_int64(0, 1);
}

/* Erase what there is on a batch of tickets. What the log has goes last, since it tells what is to go. */
static void
erase_batch(Erasure *erasure, const int64 *ticket_ids, int n)
{
	static const Oid argtypes[] = {INT8ARRAYOID, INT8OID};
	Args		args = args_of_batch(erasure, ticket_ids, n);
	PlannedEntries planned = {PLANNED_ENTRIES, lengthof(argtypes), argtypes, args};

	if (erasure->dry_run)
	{
		erasure->contents += counted(&statements[COUNT_CONTENTS], &args);
		erasure->entries += counted(&statements[COUNT_ENTRIES], &args);
		for_each_row(erasure, &statements[ROWS], &args, erase_row);
		return;
	}
	erasure->contents += run(&statements[DELETE_CONTENTS], &args);
	for_each_row(erasure, &statements[RECORDS_IN_LOG_ALONE], &args, note_record);
	for_each_row(erasure, &statements[ROWS], &args, erase_row);
	erasure->entries += redact_entries(&planned);
}

/* Erase what the user of an erasure has written on tickets, or everybody, or tell how much that would be. */
void
erase_texts(Erasure *erasure, const int64 *ticket_ids, int n)
{
	for (int from = 0; from < n; from += TICKETS_AT_A_TIME)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_connect();
		erase_batch(erasure, ticket_ids + from, Min(n - from, TICKETS_AT_A_TIME));
		SPI_finish();
	}
}
