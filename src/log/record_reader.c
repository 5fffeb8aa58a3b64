/*
 * record_reader.c
 *		The records of a table, each with its changes in the log and its live row.
 *
 * Both come in the order of their keys, under the snapshot of the query that called us and with the rights of the
 * caller, and are merged: a record that was removed has no live row, one that never changed is not in the log.
 *
 * There may be millions of changes. They are taken from the server's executor as it finds them, without a copy of each
 * row in between, some at a time.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "base/analysis.h"
#include "base/tables.h"
#include "log/record_reader.h"

#define CHANGES_AT_A_TIME 1000

/* The columns of the log that are read, in this order. */
#define CHANGE_COLUMNS "ticket_id, record_id, occurred_at, era, xid, action, old_value"

enum
{
	COLUMN_TICKET_ID,
	COLUMN_RECORD_ID,
	COLUMN_OCCURRED_AT,
	COLUMN_ERA,
	COLUMN_XID,
	COLUMN_ACTION,
	COLUMN_OLD_VALUE
};

#define CHANGE_COLUMN_TYPES \
	{ \
		{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT4OID}, {INT8OID}, \
		{TEXTOID, NOT_NULL}, {JSONBOID} \
	}

static const ResultColumn change_columns[] = CHANGE_COLUMN_TYPES;

/* The statement that reads the log: of all tickets or one, of all their records or one. */
static Statement *
log_statement(const DeskTable *table, bool one_ticket, bool one_record)
{
	static const Oid argtypes[] = {TEXTOID, INT8OID, INT8OID, INT8OID};
	char	   *text = psprintf("SELECT " CHANGE_COLUMNS " FROM support.audit_log"
								" WHERE table_name = $1 AND record_id IS NOT NULL"
								" AND id >= $2%s%s ORDER BY ticket_id%s, id",
								one_ticket ? " AND ticket_id = $3" : "",
								one_record ? " AND record_id = $4" : "",
								table == &tickets_table ? "" : ", record_id");
	Statement  *statement = statement_of(text, one_record ? 4 : one_ticket ? 3 : 2, argtypes,
										 change_columns, lengthof(change_columns));

	/* the end of the log or all of it: that is for the server to weigh each time */
	statement->replan = !one_ticket;
	return statement;
}

/* The statement that reads the live rows. */
static Statement *
rows_statement(const DeskTable *table, bool one_ticket, bool one_record)
{
	static const Oid argtypes[] = {INT8OID, INT8OID};
	char	   *text;

	if (table->ticket_column == NULL)
		text = psprintf("SELECT r.* FROM support.%s AS r%s ORDER BY r.id", table->name,
						one_record ? " WHERE $1 IS NOT NULL AND r.id = $2" : "");
	else
		text = psprintf("SELECT r.* FROM support.%s AS r%s%s ORDER BY r.%s, r.id", table->name,
						one_ticket ? psprintf(" WHERE r.%s = $1", table->ticket_column) : "",
						one_record ? " AND r.id = $2" : "",
						table->ticket_column);
	return statement_of(text, one_record ? 2 : one_ticket ? 1 : 0, argtypes, NULL, 0);
}

/* The tickets t that were opened in a range, without those that are marked as deleted. */
#define OPENED(from_at, to_at) \
	"t.created_at >= " from_at " AND t.created_at < " to_at \
	" AND t.deleted_at IS NULL"

enum
{
	CHANGES_OF_OPENED,
	ROWS_OF_OPENED
};

static Statement statements[] = {
	[CHANGES_OF_OPENED] = {
		.text = "SELECT " CHANGE_COLUMNS " FROM support.audit_log AS a"
		" WHERE a.table_name = $3 AND a.record_id IS NOT NULL"
		"	AND EXISTS (SELECT FROM support.tickets AS t"
		"		WHERE t.id = a.ticket_id AND " OPENED("$1", "$2") ")"
		" ORDER BY a.ticket_id, a.id",
		.columns = CHANGE_COLUMN_TYPES,
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}, .replan = true
	},
	[ROWS_OF_OPENED] = {
		.text = "SELECT t.* FROM support.tickets AS t WHERE " OPENED("$1", "$2") " ORDER BY t.id",
		.any_columns = true,
		.nargs = 2, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID}, .replan = true
	}
};

static int
compare_keys(RecordKey a, RecordKey b)
{
	if (a.ticket_id != b.ticket_id)
		return a.ticket_id < b.ticket_id ? -1 : 1;
	return a.record_id < b.record_id ? -1 : a.record_id > b.record_id;
}

static bool
is_word(text *found, const char *word)
{
	return VARSIZE_ANY_EXHDR(found) == strlen(word) && memcmp(VARDATA_ANY(found), word, strlen(word)) == 0;
}

static ChangeKind
kind_of(Datum action, bool has_image)
{
	text	   *found = DatumGetTextPP(action);

	if (is_word(found, "UPDATE") || (has_image && is_word(found, "ERASE")))
		return CHANGE_UPDATE;
	if (is_word(found, "INSERT"))
		return CHANGE_INSERT;
	if (is_word(found, "DELETE"))
		return CHANGE_DELETE;
	return is_word(found, "PURGE") ? CHANGE_PURGE : CHANGE_OTHER;
}

/* A copy of an image that can be read in place, unless it lies compressed or out of line. */
static Datum
copy_image(Datum image)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(image);

	if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))
		return datumCopy(image, false, -1);
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(image));
}

/* Where the executor sends the changes. */
typedef struct ChangeReceiver
{
	DestReceiver pub;
	RecordReader *records;
} ChangeReceiver;

/* Take a change over from the executor. */
static bool
receive_change(TupleTableSlot *slot, DestReceiver *self)
{
	RecordReader *records = ((ChangeReceiver *) self)->records;
	MemoryContext previous = MemoryContextSwitchTo(records->context);
	const Datum *values;
	const bool *nulls;

	slot_getallattrs(slot);
	values = slot->tts_values;
	nulls = slot->tts_isnull;
	refuse_null_among(records->log_statement, nulls, lengthof(change_columns));
	records->changes[records->nchanges++] = (RecordChange) {
		.key = {DatumGetInt64(values[COLUMN_TICKET_ID]), DatumGetInt64(values[COLUMN_RECORD_ID])},
		.occurred_at = DatumGetTimestampTz(values[COLUMN_OCCURRED_AT]),
		.era = nulls[COLUMN_ERA] ? 0 : DatumGetInt32(values[COLUMN_ERA]),
		.xid = nulls[COLUMN_XID] ? 0 : DatumGetInt64(values[COLUMN_XID]),
		.kind = kind_of(values[COLUMN_ACTION], !nulls[COLUMN_OLD_VALUE]),
		.old_value = nulls[COLUMN_OLD_VALUE] ? (Datum) 0 : copy_image(values[COLUMN_OLD_VALUE])
	};
	MemoryContextSwitchTo(previous);
	return true;
}

static void
start_receiving(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
stop_receiving(DestReceiver *self)
{
}

/* Read more of the log. */
static void
read_log(RecordReader *records)
{
	ChangeReceiver receiver = {{receive_change, start_receiving, stop_receiving, stop_receiving, DestNone}, records};

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(records->context);
	records->next = records->nchanges = 0;
	PortalRunFetch(records->log, FETCH_FORWARD, CHANGES_AT_A_TIME, &receiver.pub);
}

/* Go to the next change, of this record or another. */
void
next_change(RecordReader *records)
{
	if (++records->next >= records->nchanges)
		read_log(records);
}

/* Go to the next live row. Its key is that under which the log has its changes. */
static void
next_live_row(RecordReader *records)
{
	const TableShape *shape = records->row.shape;
	HeapTuple	tuple = next_row(&records->rows);

	records->has_row = tuple != NULL;
	if (tuple == NULL)
		return;
	row_fill(&records->row, tuple, records->rows.rows->tupdesc);
	records->row_key.record_id = DatumGetInt64(records->row.values[shape->id - 1]);
	records->row_key.ticket_id = AttributeNumberIsValid(shape->ticket_id) ?
		DatumGetInt64(records->row.values[shape->ticket_id - 1]) : 0;
}

/* Begin to read what two statements find. */
static void
start_reading(RecordReader *records, Relation rel, const DeskTable *table, Statement *log, const Args *changes,
			  Statement *live, const Args *rows)
{
	memset(records, 0, sizeof(RecordReader));
	records->row = empty_row(shape_of(rel, table), RelationGetDescr(rel));
	records->context = AllocSetContextCreate(CurrentMemoryContext, "changes", ALLOCSET_DEFAULT_SIZES);
	records->changes = palloc(sizeof(RecordChange) * CHANGES_AT_A_TIME);
	records->log_statement = log;
	records->log = open_portal(log, changes);
	open_reader(&records->rows, live, rows);
	read_log(records);
	next_live_row(records);
}

/*
 * Begin to read the records of a table that has ids, which the caller has opened: those of one ticket, or of EVERY_TICKET
 * (0 where rows belong to no ticket), and of these one record, or EVERY_RECORD; of the log what has this id or a later
 * one. Needs an SPI level, at which close_records() is called as well.
 */
void
open_records(RecordReader *records, Relation rel, const DeskTable *table, int64 ticket_id, int64 record_id, int64 first_id)
{
	bool		one_ticket = ticket_id != EVERY_TICKET;
	bool		one_record = record_id != EVERY_RECORD;
	Args		changes = {0};
	Args		rows = {0};

	Assert(table->has_id && (one_ticket || !one_record));
	arg_text(&changes, table->name);
	arg_int64(&changes, first_id);
	if (one_ticket)
	{
		arg_int64(&changes, ticket_id);
		arg_int64(&rows, ticket_id);
	}
	if (one_record)
	{
		arg_int64(&changes, record_id);
		arg_int64(&rows, record_id);
	}
	start_reading(records, rel, table, log_statement(table, one_ticket, one_record), &changes,
				  rows_statement(table, one_ticket, one_record), &rows);
}

/* The same for the live tickets that were opened from an instant on, before another. The caller has opened the table. */
void
open_records_of_opened(RecordReader *records, Relation rel, TimestampTz from_at, TimestampTz to_at)
{
	Args		changes = {0};
	Args		rows;

	arg(&changes, TimestampTzGetDatum(from_at));
	arg(&changes, TimestampTzGetDatum(to_at));
	rows = changes;
	arg_text(&changes, tickets_table.name);
	start_reading(records, rel, &tickets_table, &statements[CHANGES_OF_OPENED], &changes,
				  &statements[ROWS_OF_OPENED], &rows);
}

void
close_records(RecordReader *records)
{
	close_reader(&records->rows);
	SPI_cursor_close(records->log);
	MemoryContextDelete(records->context);
}

/* Go to the next record; false after the last one. What is left of the one before is passed over. */
bool
next_record(RecordReader *records)
{
	while (change_of_record(records) != NULL)
		next_change(records);
	if (records->row_is_used)
		next_live_row(records);
	if (records->nchanges == 0 && !records->has_row)
		return false;
	if (records->nchanges == 0 ||
		(records->has_row && compare_keys(records->row_key, records->changes[records->next].key) < 0))
		records->key = records->row_key;
	else
		records->key = records->changes[records->next].key;
	records->row_is_used = records->has_row && compare_keys(records->row_key, records->key) == 0;
	records->at_record = true;
	return true;
}

/* The change at hand, NULL after the record's last one. It lives until the next one is read. */
const RecordChange *
change_of_record(const RecordReader *records)
{
	const RecordChange *change = &records->changes[records->next];

	if (!records->at_record || records->nchanges == 0 || compare_keys(change->key, records->key) != 0)
		return NULL;
	return change;
}

/* Is it known that the next change in the log is of another record or transaction? */
bool
is_alone_in_transaction(const RecordReader *records)
{
	const RecordChange *change = &records->changes[records->next];

	return records->next + 1 < records->nchanges &&
		(change[1].xid != change->xid || change[1].era != change->era || compare_keys(change[1].key, change->key) != 0);
}

/* The record's live row; NULL if it has none. It lives until the next record is read. */
const Row *
row_of_record(const RecordReader *records)
{
	return records->row_is_used ? &records->row : NULL;
}
