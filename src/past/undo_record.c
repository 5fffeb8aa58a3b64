/*
 * undo_record.c
 *		The record that an entry of the log is about.
 *
 * It is found by its id and ticket, or in a table without ids by its key, which the images have. Statements on it run
 * with the caller's rights.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "base/json.h"
#include "base/modes.h"
#include "base/tables.h"
#include "log/eras.h"
#include "log/log_writer.h"
#include "log/row_image.h"
#include "past/undo_record.h"

enum
{
	LAST_CHANGE,
	CHANGE_BY_OTHERS,
	UNDOING
};

static Statement statements[] = {
	/* of a record, or of one of its columns; of transactions other than the one given */
	[LAST_CHANGE] = {
		.text = "SELECT " WHO_COLUMNS " FROM support.audit_log AS a"
		" LEFT JOIN support.users AS u ON u.id = a.actor_id"
		" WHERE a.ticket_id = $1 AND a.table_name = $2"
		" AND a.record_id IS NOT DISTINCT FROM $3"
		" AND ($4 IS NULL OR coalesce(a.new_value, a.old_value) @> $4)"
		" AND a.id > $5"
		" AND a.action <> 'ERASE'"
		" AND (a.action <> 'UPDATE' OR $6 IS NULL OR a.new_value ? $6)"
		" AND " OF_OTHERS("$7", "$8")
		" ORDER BY a.id DESC LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 8, .argtypes = {INT8OID, TEXTOID, INT8OID, JSONBOID, INT8OID, TEXTOID, INT4OID, INT8OID},
		.names_machinery = true
	},
	/* of some of its columns, or of the whole record, by others than a user */
	[CHANGE_BY_OTHERS] = {
		.text = "SELECT " WHO_COLUMNS " FROM support.audit_log AS a"
		" LEFT JOIN support.users AS u ON u.id = a.actor_id"
		" WHERE a.ticket_id = $1 AND a.table_name = $2"
		" AND a.record_id IS NOT DISTINCT FROM $3"
		" AND ($4 IS NULL OR coalesce(a.new_value, a.old_value) @> $4)"
		" AND a.id > $5"
		" AND a.action <> 'ERASE'"
		" AND (a.action <> 'UPDATE' OR $6 IS NULL OR a.new_value ?| $6)"
		" AND a.actor_id IS DISTINCT FROM $7"
		" ORDER BY a.id DESC LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 7, .argtypes = {INT8OID, TEXTOID, INT8OID, JSONBOID, INT8OID, TEXTARRAYOID, INT8OID},
		.names_machinery = true
	},
	[UNDOING] = {
		.text = "SELECT a.id FROM support.audit_log AS a"
		" WHERE a.ticket_id = $1 AND a.table_name = $2"
		" AND a.record_id IS NOT DISTINCT FROM $3"
		" AND ($4 IS NULL OR coalesce(a.new_value, a.old_value) @> $4)"
		" AND a.id > $5 AND a.action = $6"
		" AND a.era = $7 AND a.xid = $8"
		" ORDER BY a.id DESC LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 8, .argtypes = {INT8OID, TEXTOID, INT8OID, JSONBOID, INT8OID, TEXTOID, INT4OID, INT8OID}
	}
};

/* Take an entry out of its row, as a copy in the current memory context. */
UndoEntry
entry_of(const LogRow *row)
{
	const Datum *values = row->values;
	const bool *nulls = row->nulls;

	return (UndoEntry) {
		.id = DatumGetInt64(values[LOG_ID]),
		.occurred_at = DatumGetTimestampTz(values[LOG_OCCURRED_AT]),
		.era = nulls[LOG_ERA] ? 0 : DatumGetInt32(values[LOG_ERA]),
		.xid = nulls[LOG_XID] ? 0 : DatumGetInt64(values[LOG_XID]),
		.action = TextDatumGetCString(values[LOG_ACTION]),
		.table_name = nulls[LOG_TABLE_NAME] ? NULL : TextDatumGetCString(values[LOG_TABLE_NAME]),
		.has_record_id = !nulls[LOG_RECORD_ID],
		.record_id = nulls[LOG_RECORD_ID] ? 0 : DatumGetInt64(values[LOG_RECORD_ID]),
		.ticket_id = DatumGetInt64(values[LOG_TICKET_ID]),
		.old_value = nulls[LOG_OLD_VALUE] ? NULL : DatumGetJsonbPCopy(values[LOG_OLD_VALUE]),
		.new_value = nulls[LOG_NEW_VALUE] ? NULL : DatumGetJsonbPCopy(values[LOG_NEW_VALUE])
	};
}

bool
entry_has_action(const UndoEntry *entry, const char *action)
{
	return strcmp(entry->action, action) == 0;
}

/* What a record is called in messages: "ticket 5", "comment 7 of ticket 5", "a row of ticket_tags". */
char *
record_name(const UndoEntry *entry)
{
	char	   *name;

	if (!entry->has_record_id)
		return psprintf("a row of %s.%s", schema_of(desk_table(entry->table_name)), entry->table_name);
	/* the tables with ids have plain plurals for names */
	name = psprintf("%.*s %lld", (int) strlen(entry->table_name) - 1, entry->table_name, (long long) entry->record_id);
	if (entry->ticket_id == 0 || strcmp(entry->table_name, "tickets") == 0)
		return name;
	return psprintf("%s of ticket %lld", name, (long long) entry->ticket_id);
}

/* 55000: what the entry speaks of was purged. */
pg_noreturn static void
refuse_purged(const UndoEntry *entry)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("entry %lld cannot be undone: %s was purged", (long long) entry->id, record_name(entry))));
}

/* SU003: somebody came between. The last run found who, if that is known. Or 55000: it was purged. */
void
refuse_changed(const UndoEntry *entry, const char *what, bool known)
{
	if (known && strcmp(result_text(0, 4), "PURGE") == 0)
		refuse_purged(entry);
	ereport(ERROR,
			(errcode(ERRCODE_CHANGED_SINCE),
			 errmsg("entry %lld cannot be undone: %s has changed since", (long long) entry->id, what),
			 known ?
			 errdetail("Entry %lld, by %s at %s.", (long long) result_int64(0, 1), result_text(0, 3),
					   timestamptz_to_str(DatumGetTimestampTz(result(0, 2)))) :
			 errdetail("The log does not tell who changed it."),
			 errhint("Undo the later change first, or change what is there now.")));
}

/* The arguments that name a record, and an entry that others are to be later than. */
static Args
record_args(int64 ticket_id, const UndoEntry *entry, int64 record_id, Jsonb *key)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	arg_text(&args, entry->table_name);
	if (entry->has_record_id)
		arg_int64(&args, record_id);
	else
		arg_null(&args);
	if (key != NULL)
		arg(&args, JsonbPGetDatum(key));
	else
		arg_null(&args);
	arg_int64(&args, entry->id);
	return args;
}

/* Find the last change since, of a column or (NULL) of the whole record, by us as well or by others only. */
bool
find_last_change(const UndoRecord *record, const char *column, bool ours_too)
{
	const UndoEntry *entry = record->entry;
	Args		args = record_args(entry->ticket_id, entry, entry->record_id, record->key);

	arg_text(&args, column);
	arg(&args, Int32GetDatum(ours_too ? 0 : current_era()));
	arg_int64(&args, ours_too ? 0 : current_xid());
	return run(&statements[LAST_CHANGE], &args) > 0;
}

/* Find the last change since by others than a user: of one of some columns (a text[]), or (0) of the whole record. */
bool
find_change_by_others(const UndoRecord *record, Datum columns, int64 actor_id)
{
	const UndoEntry *entry = record->entry;
	Args		args = record_args(entry->ticket_id, entry, entry->record_id, record->key);

	if (columns != (Datum) 0)
		arg(&args, columns);
	else
		arg_null(&args);
	arg_int64(&args, actor_id);
	return run(&statements[CHANGE_BY_OTHERS], &args) > 0;
}

/* SU003 for a column (NULL: the whole record). */
void
refuse_changed_record(const UndoRecord *record, const char *column)
{
	char	   *name = record_name(record->entry);

	refuse_changed(record->entry, column ? psprintf("%s of %s", column, name) : name,
				   find_last_change(record, column, false));
}

/* The table of an entry. Raises 22023 for one that is no change of a record, 55000 if what it kept was purged. */
static const DeskTable *
check_undoable(const UndoEntry *entry)
{
	const DeskTable *table = entry->table_name ? desk_table(entry->table_name) : NULL;
	bool		is_insert = entry_has_action(entry, "INSERT");
	bool		is_delete = entry_has_action(entry, "DELETE");

	if (table == NULL || strcmp(table->name, "audit_log") == 0 || table->has_id != entry->has_record_id ||
		!(is_insert || is_delete || entry_has_action(entry, "UPDATE")))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("entry %lld is no change of a record: \"%s\"", (long long) entry->id, entry->action)));
	if ((!is_insert && entry->old_value == NULL) ||
		(entry->new_value == NULL && !is_delete && !(is_insert && table->has_id)))
		refuse_purged(entry);
	return table;
}

/*
 * The key of a record, taken from an image. Raises 55000 if the table's primary key of today has columns that the image
 * does not tell: without them the record cannot be told from others.
 */
static Jsonb *
key_in(const UndoEntry *entry, Relation rel, const TableShape *shape, Jsonb *image)
{
	JsonbBuilder builder = {0};
	int			n = 0;

	jsonb_push(&builder, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < shape->natts; i++)
	{
		char	   *name = NameStr(TupleDescAttr(RelationGetDescr(rel), i)->attname);
		JsonbValue	buffer;
		JsonbValue *value;

		if (!shape->in_key[i])
			continue;
		value = json_member(&image->root, name, &buffer);
		if (value == NULL)
		{
			n = 0;
			break;
		}
		json_push_key(&builder, name);
		jsonb_push(&builder, WJB_VALUE, value);
		n++;
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("entry %lld cannot be undone: it does not tell which row of %s.%s it is about",
						(long long) entry->id, schema_of(shape->table), entry->table_name)));
	jsonb_push(&builder, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(builder.result);
}

void
open_undo_record(UndoRecord *record, const UndoEntry *entry)
{
	int			natts;

	record->entry = entry;
	record->table = check_undoable(entry);
	record->rel = table_open(desk_relation(schema_of(record->table), entry->table_name), RowExclusiveLock);
	record->shape = shape_of(record->rel, record->table);
	record->key = record->table->has_id ? NULL :
		key_in(entry, record->rel, record->shape,
			   entry_has_action(entry, "DELETE") ? entry->old_value : entry->new_value);
	natts = RelationGetDescr(record->rel)->natts;
	record->types = palloc(sizeof(Oid) * natts * 2);
	record->values = palloc(sizeof(Datum) * natts * 2);
	record->nulls = palloc(natts * 2);
}

void
close_undo_record(UndoRecord *record)
{
	table_close(record->rel, NoLock);
}

/* Begin another statement on the record, whose table's name the start has a place for. */
void
begin_statement(UndoRecord *record, const char *start)
{
	initStringInfo(&record->text);
	appendStringInfo(&record->text, start,
					 quote_qualified_identifier(schema_of(record->table), record->entry->table_name));
	record->nparams = 0;
}

/* Append "column <word> $n" with a value. */
void
add_param(UndoRecord *record, int attribute, const char *word, Datum value, bool isnull)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(record->rel), attribute);

	record->types[record->nparams] = att->atttypid;
	record->values[record->nparams] = value;
	record->nulls[record->nparams] = isnull ? 'n' : ' ';
	record->nparams++;
	appendStringInfo(&record->text, "%s %s $%d", quote_identifier(NameStr(att->attname)), word, record->nparams);
}

/* Append the condition that finds the record as the entry left it. */
void
add_condition(UndoRecord *record)
{
	const UndoEntry *entry = record->entry;
	const TableShape *shape = record->shape;
	const char *word = " WHERE ";
	int			nestlevel = begin_image_settings(shape);

	for (int i = 0; i < shape->natts; i++)
	{
		bool		isnull = false;
		Datum		value;

		if (record->key != NULL)
		{
			if (!shape->in_key[i] || !image_column(record->key, record->rel, i, &value, &isnull))
				continue;
		}
		else if (i + 1 == shape->id)
			value = Int64GetDatum(entry->record_id);
		else if (i + 1 == shape->ticket_id)
			value = Int64GetDatum(entry->ticket_id);
		else
			continue;
		appendStringInfoString(&record->text, word);
		add_param(record, i, "=", value, isnull);
		word = " AND ";
	}
	end_image_settings(nestlevel);
}

/*
 * Run the statement with the caller's rights; returns how many rows it met. The entries of many records make the same
 * statement, whose plan is kept; one of very many columns is planned for this use.
 */
static uint64
run_statement(UndoRecord *record)
{
	Args		args = {0};

	if (record->nparams > MAX_ARGS)
		return run_once(record->text.data, record->nparams, record->types, record->values, record->nulls);
	for (int i = 0; i < record->nparams; i++)
	{
		if (record->nulls[i] == 'n')
			arg_null(&args);
		else
			arg(&args, record->values[i]);
	}
	return run(statement_of(record->text.data, record->nparams, record->types, NULL, 0), &args);
}

/* Run the statement that changes the record. Raises 27000 if a trigger or policy suppresses it. */
static void
run_change(UndoRecord *record)
{
	if (run_statement(record) != 1)
		refuse_suppressed_row();
}

/* Read the record and take it apart; false if it is gone. */
static bool
fetch_record(UndoRecord *record, Row *row, const char *locking)
{
	begin_statement(record, "SELECT r.* FROM %s AS r");
	add_condition(record);
	appendStringInfoString(&record->text, locking);
	if (run_statement(record) == 0)
		return false;
	*row = empty_row(record->shape, RelationGetDescr(record->rel));
	row_fill(row, SPI_tuptable->vals[0], SPI_tuptable->tupdesc);
	return true;
}

bool
lock_record(UndoRecord *record, Row *row)
{
	return fetch_record(record, row, " FOR UPDATE");
}

/* The same without a lock, for who cannot write. */
bool
read_record(UndoRecord *record, Row *row)
{
	return fetch_record(record, row, "");
}

/* Has the record, which is locked, been written since the query began that called us, by ourselves or by others? */
bool
is_written_since(UndoRecord *record)
{
	TransactionId writer;

	begin_statement(record, "SELECT r.xmin FROM %s AS r");
	add_condition(record);
	if (run_statement(record) == 0)
		return true;
	writer = DatumGetTransactionId(result(0, 1));
	return TransactionIdIsCurrentTransactionId(writer) || XidInMVCCSnapshot(writer, GetActiveSnapshot());
}

static void
run_subject(void *arg)
{
	run_change(arg);
}

/* Run the change with the triggers told that the record becomes as it was. */
void
run_restoring(UndoRecord *record)
{
	Modes		restoring = restoring_mode(record->table, record->entry->record_id);

	work_in(&restoring, run_subject, record);
}

/* The integer that an image has for a column, if it has one; else another number. */
static int64
number_or(Jsonb *image, const char *column, int64 otherwise)
{
	return image && column ? json_member_int64(image, column, otherwise) : otherwise;
}

/* The id of the log's entry for what undid an entry in this transaction. The record may have changed its key by that. */
int64
entry_that_undid(const UndoEntry *entry)
{
	const DeskTable *table = desk_table(entry->table_name);
	Jsonb	   *image = entry->old_value ? entry->old_value : entry->new_value;
	Jsonb	   *key = NULL;
	Args		args;

	if (!table->has_id)
	{
		Relation	rel = table_open(desk_relation(schema_of(table), entry->table_name), NoLock);

		key = key_in(entry, rel, shape_of(rel, table), image);
		table_close(rel, NoLock);
	}
	args = record_args(number_or(image, table->ticket_column, entry->ticket_id), entry,
					   number_or(image, "id", entry->record_id), key);
	arg_text(&args, entry_has_action(entry, "UPDATE") ? "UPDATE" :
			 entry_has_action(entry, "INSERT") ? "DELETE" : "INSERT");
	arg(&args, Int32GetDatum(current_era()));
	arg_int64(&args, current_xid());
	run(&statements[UNDOING], &args);
	return result_int64(0, 1);
}
