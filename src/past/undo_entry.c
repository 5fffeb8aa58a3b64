/*
 * undo_entry.c
 *		The opposite of a change.
 *
 * An entry of the log is undone by the opposite change of its record: an UPDATE by setting the columns back, an INSERT by
 * a DELETE, a DELETE by inserting the row again. That is done only if nothing has come between: whoever changed the same
 * columns since, or added to a record that would go, is named by the error. The record is locked before it is looked at,
 * so nothing comes between the look and the change either.
 *
 * Columns that the desk keeps by itself are set back where they are still as the entry left them; version and updated_at
 * move on. An entry with no other columns is bookkeeping: it follows from another change. Undone with that it brings the
 * books back exactly; alone it is left, and the undoing of the other has the replies counted anew.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/json.h"
#include "base/tables.h"
#include "desk/recycle.h"
#include "desk/reply.h"
#include "desk/ticket_access.h"
#include "log/audit.h"
#include "log/column_names.h"
#include "log/row_image.h"
#include "past/rebuilt_rows.h"
#include "past/undo_entry.h"

enum
{
	LOCK_TICKET,
	LAST_ADDITION
};

static Statement statements[] = {
	[LOCK_TICKET] = {
		.text = "SELECT 1 FROM support.tickets WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	/* comments and files of a ticket, or of a comment, that are still there; of other transactions, or others than a user */
	[LAST_ADDITION] = {
		.text = "SELECT " WHO_COLUMNS " FROM support.audit_log AS a"
		" LEFT JOIN support.users AS u ON u.id = a.actor_id"
		" WHERE a.ticket_id = $1 AND a.id > $2"
		" AND a.action = 'INSERT' AND " OF_OTHERS("$4", "$5")
		" AND ($6 IS NULL OR a.actor_id IS DISTINCT FROM $6)"
		" AND ((a.table_name = 'comments' AND $3 IS NULL"
		"		AND EXISTS (SELECT FROM support.comments AS c"
		"			WHERE c.ticket_id = $1 AND c.id = a.record_id))"
		"	OR (a.table_name = 'attachments'"
		"		AND EXISTS (SELECT FROM support.attachments AS f"
		"			WHERE f.ticket_id = $1 AND f.id = a.record_id"
		"			AND ($3 IS NULL OR f.comment_id = $3))))"
		" ORDER BY a.id DESC LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 6, .argtypes = {INT8OID, INT8OID, INT8OID, INT4OID, INT8OID, INT8OID}, .names_machinery = true
	}
};

/* An object of one member, for comparing values. */
static Jsonb *
object_of(const char *key, JsonbValue *value)
{
	JsonbBuilder builder = {0};

	jsonb_push(&builder, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&builder, key);
	jsonb_push(&builder, WJB_VALUE, value);
	jsonb_push(&builder, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(builder.result);
}

/* Is the column (from 0) of the row what an image has for it? */
static bool
is_as_in_image(const Row *row, int attribute, Jsonb *image)
{
	char	   *name = NameStr(TupleDescAttr(row->desc, attribute)->attname);
	JsonbValue	buffer;
	JsonbValue *left = json_member(&image->root, name, &buffer);
	Image		now;

	if (left == NULL)
		return true;
	image_begin(&now);
	image_add(&now, row, attribute);
	return compareJsonbContainers(&DatumGetJsonbP(image_end(&now))->root, &object_of(name, left)->root) == 0;
}

/* Does the desk move the column on by itself with every change? */
static bool
moves_on(const char *name)
{
	return strcmp(name, "version") == 0 || strcmp(name, "updated_at") == 0;
}

/*
 * Append the assignments that set the record back. Raises SU003 for a column that has changed since; one that the desk
 * keeps is left as it is then. Returns how many there are.
 */
static int
add_assignments(UndoRecord *record, const Row *row, Undoing *undoing)
{
	int			n = 0;

	undoing->is_bookkeeping = true;
	for (int i = 0; i < row->shape->natts; i++)
	{
		char	   *name = NameStr(TupleDescAttr(row->desc, i)->attname);
		bool		kept = is_kept_column(name);
		Datum		value;
		bool		isnull;

		if (row->shape->kinds[i] == IMAGE_NONE || moves_on(name) ||
			!image_column(record->old_value, record->rel, i, &value, &isnull))
			continue;
		if (!kept)
			undoing->is_bookkeeping = false;
		if (is_as_in_image(row, i, record->new_value))
		{
			appendStringInfoString(&record->text, n++ > 0 ? ", " : " SET ");
			add_param(record, i, "=", value, isnull);
		}
		else if (kept)
			undoing->left_books = true;
		else
			refuse_changed_record(record, name);
	}
	return n;
}

/* Raise 55000 if the entry changed columns that the table has no more: there is nothing to set back. */
static void
check_not_gone(const UndoRecord *record)
{
	JsonbIterator *iterator = JsonbIteratorInit(&record->entry->old_value->root);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name = token == WJB_KEY ? pnstrdup(key.val.string.val, key.val.string.len) : NULL;

		if (name != NULL && get_attnum(RelationGetRelid(record->rel), name) == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("entry %lld cannot be undone: %s.%s has no column \"%s\" any more", (long long) record->entry->id,
							schema_of(record->table), record->entry->table_name, name)));
	}
}

/* Does the entry tell no change any more but of books, since what it told of others was erased? */
static bool
is_erased_entry(const UndoEntry *entry)
{
	JsonbIterator *iterator = JsonbIteratorInit(&entry->old_value->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	buffer;
	bool		has_others = false;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name = token == WJB_KEY ? pnstrdup(key.val.string.val, key.val.string.len) : NULL;
		JsonbValue *before;
		JsonbValue *after;

		if (name == NULL || is_kept_column(name))
			continue;
		before = json_member(&entry->old_value->root, name, NULL);
		after = json_member(&entry->new_value->root, name, &buffer);
		if (before == NULL || after == NULL ||
			compareJsonbContainers(&object_of(name, before)->root, &object_of(name, after)->root) != 0)
			return false;
		has_others = true;
	}
	return has_others;
}

/* Leave an entry whose change was erased: alone it is refused with 55000, with others it is passed over like bookkeeping. */
static bool
leave_erased(const UndoEntry *entry, Undoing *undoing)
{
	if (!is_erased_entry(entry))
		return false;
	if (undoing->alone)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("entry %lld cannot be undone: what it changed was erased", (long long) entry->id)));
	undoing->is_bookkeeping = true;
	return true;
}

/* Set the columns back that the entry changed. Bookkeeping alone is left to what it follows from. */
static void
undo_update(UndoRecord *record, Undoing *undoing)
{
	Row			row;
	int			nestlevel;
	int			n;

	if (leave_erased(record->entry, undoing))
		return;
	if (!lock_record(record, &row))
		refuse_changed_record(record, NULL);
	begin_statement(record, "UPDATE %s");
	record->old_value = with_names_of_today(record->entry->old_value, record->shape);
	record->new_value = with_names_of_today(record->entry->new_value, record->shape);
	nestlevel = begin_image_settings(record->shape);
	n = add_assignments(record, &row, undoing);
	end_image_settings(nestlevel);
	if (undoing->is_bookkeeping && undoing->alone)
		check_not_gone(record);
	else if (n > 0)
	{
		add_condition(record);
		run_restoring(record);
	}
}

/*
 * Raise SU003 if comments or files came to a ticket, or files to a comment, after the transaction that made it: they would
 * go with it. Those of one user (0 for nobody) do not count.
 */
static void
check_nothing_added(const UndoRecord *record, int64 but_for)
{
	const UndoEntry *entry = record->entry;
	bool		is_ticket = record->table == &tickets_table;
	Args		args = {0};

	if (!is_ticket && record->table != &comments_table)
		return;
	arg_int64(&args, entry->ticket_id);
	arg_int64(&args, entry->id);
	if (is_ticket)
		arg_null(&args);
	else
		arg_int64(&args, entry->record_id);
	arg(&args, Int32GetDatum(entry->era));
	arg_int64(&args, entry->xid);
	if (but_for != 0)
		arg_int64(&args, but_for);
	else
		arg_null(&args);
	if (run(&statements[LAST_ADDITION], &args) > 0)
		refuse_changed(entry, record_name(entry), true);
}

/* Raise SU003 unless the row with an id is as it was inserted. */
static void
check_as_inserted(const UndoRecord *record, const Row *row)
{
	const UndoEntry *entry = record->entry;
	Instant		instant = {.kind = AFTER_ENTRY, .audit_id = entry->id};
	RebuiltRows *rebuilt;
	const Row  *inserted;

	/* what this transaction has undone already is to be seen, and what others did before we had the lock */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	rebuilt = rebuild_rows(record->rel, record->table, &instant,
						   Max(entry->ticket_id, EVERY_TICKET + 1), Max(entry->record_id, EVERY_RECORD + 1));
	inserted = next_rebuilt_row(rebuilt);
	for (int i = 0; i < row->shape->natts; i++)
	{
		char	   *name = NameStr(TupleDescAttr(row->desc, i)->attname);

		if (row->shape->kinds[i] != IMAGE_NONE && !is_kept_column(name) &&
			(inserted == NULL || row_differs(row, inserted, i)))
			refuse_changed_record(record, name);
	}
	close_rebuilt_rows(rebuilt);
	PopActiveSnapshot();
}

/* Raise SU003 if others were the last to change the record since. */
static void
check_last_is_ours(const UndoRecord *record)
{
	int64		last;

	if (!find_last_change(record, NULL, true))
		return;
	last = result_int64(0, 1);
	if (find_last_change(record, NULL, false) && result_int64(0, 1) == last)
		refuse_changed(record->entry, record_name(record->entry), true);
}

/* Remove the row that the entry inserted. */
static void
undo_insert(UndoRecord *record)
{
	const UndoEntry *entry = record->entry;
	Row			row;

	if (!lock_record(record, &row))
		refuse_changed_record(record, NULL);
	if (!record->table->has_id)
		check_last_is_ours(record);
	else if (!entry->is_last || is_written_since(record))
		check_as_inserted(record, &row);
	check_nothing_added(record, 0);
	begin_statement(record, "DELETE FROM %s");
	add_condition(record);
	run_restoring(record);
}

/* Bring back a removed row as it is in the image. What went with it has entries of its own. */
static void
restore_row(const UndoEntry *entry, const DeskTable *table)
{
	if (table == &tickets_table)
		restore_ticket_row(entry->record_id, entry->old_value);
	else
		restore_image(entry->table_name, entry->old_value);
}

/* Make who brings the same rows of a ticket back wait: where there is no row there is none to lock. */
static void
lock_ticket_of(const UndoEntry *entry)
{
	Args		args = {0};

	check_ticket_is_there(entry->ticket_id);
	arg_int64(&args, entry->ticket_id);
	run(&statements[LOCK_TICKET], &args);
}

/* Bring back the row that the entry removed; alone, a ticket or comment with what went with it. */
static void
undo_delete(UndoRecord *record, const Undoing *undoing)
{
	const UndoEntry *entry = record->entry;
	Row			row;

	if (entry->ticket_id != 0 && record->table != &tickets_table)
		lock_ticket_of(entry);
	if (lock_record(record, &row))
		refuse_changed_record(record, NULL);
	if (!entry->is_last)
		check_last_is_ours(record);
	if (undoing->alone && record->table == &tickets_table)
		(void) restore_removed_ticket(entry->record_id);
	else if (undoing->alone && record->table == &comments_table)
		(void) restore_removed_comment(entry->ticket_id, entry->record_id);
	else
		restore_row(entry, record->table);
}

/*
 * Undo a change. The replies of the ticket are counted anew if a comment came or went, or changed: alone here, with others
 * by the caller, where their own entries did not bring the books back. Raises SU003 if something came between, 55000 for
 * what was purged, 22023 for an entry that is no change, and what the opposite change raises.
 */
void
undo_entry(const UndoEntry *entry, Undoing *undoing)
{
	UndoRecord	record;

	undoing->is_bookkeeping = undoing->left_books = false;
	SPI_connect();
	open_undo_record(&record, entry);
	if (entry_has_action(entry, "UPDATE"))
		undo_update(&record, undoing);
	else if (entry_has_action(entry, "INSERT"))
		undo_insert(&record);
	else
		undo_delete(&record, undoing);
	if (undoing->alone && record.table == &comments_table)
		recount_replies(entry->ticket_id);
	close_undo_record(&record);
	SPI_finish();
}

/* Is the column told by an entry, and a person's to set? */
static bool
is_told(const UndoRecord *record, int attribute, Jsonb *image)
{
	char	   *name = NameStr(TupleDescAttr(RelationGetDescr(record->rel), attribute)->attname);
	Datum		value;
	bool		isnull;

	return record->shape->kinds[attribute] != IMAGE_NONE && !moves_on(name) && !is_kept_column(name) &&
		(image == NULL || image_column(image, record->rel, attribute, &value, &isnull));
}

/* Raise SU003 for the first of the columns that an image tells, of all for none, that others than the user changed since. */
static void
check_columns_of_others(UndoRecord *record, const Row *row, Jsonb *image, int64 actor_id, Undoing *undoing)
{
	const UndoEntry *entry = record->entry;

	for (int i = 0; i < record->shape->natts; i++)
	{
		char	   *name = NameStr(TupleDescAttr(RelationGetDescr(record->rel), i)->attname);
		Datum		names = CStringGetTextDatum(name);

		if (!is_told(record, i, image))
			continue;
		undoing->is_bookkeeping = false;
		if (image != NULL && row != NULL && is_as_in_image(row, i, entry->new_value))
			continue;
		names = PointerGetDatum(construct_array(&names, 1, TEXTOID, -1, false, TYPALIGN_INT));
		if (find_change_by_others(record, names, actor_id))
			refuse_changed(entry, psprintf("%s of %s", name, record_name(entry)), true);
	}
}

static void
foresee_update(UndoRecord *record, int64 actor_id, Undoing *undoing)
{
	Row			row;
	bool		is_there = read_record(record, &row);
	int			nestlevel;

	if (leave_erased(record->entry, undoing))
		return;
	nestlevel = begin_image_settings(record->shape);
	undoing->is_bookkeeping = true;
	check_columns_of_others(record, is_there ? &row : NULL, record->entry->old_value, actor_id, undoing);
	end_image_settings(nestlevel);
}

static void
foresee_insert(UndoRecord *record, int64 actor_id, Undoing *undoing)
{
	const UndoEntry *entry = record->entry;

	if (find_change_by_others(record, (Datum) 0, actor_id))
	{
		if (!record->table->has_id)
			refuse_changed(entry, record_name(entry), true);
		check_columns_of_others(record, NULL, NULL, actor_id, undoing);
	}
	check_nothing_added(record, actor_id);
}

/*
 * Raise what speaks against undoing a change together with all that the user has done later, as far as reading tells: that
 * others came between. Where nothing can be written an undoing cannot be tried.
 */
void
foresee_undoing(const UndoEntry *entry, int64 actor_id, Undoing *undoing)
{
	UndoRecord	record;

	undoing->is_bookkeeping = undoing->left_books = false;
	SPI_connect();
	open_undo_record(&record, entry);
	if (entry_has_action(entry, "UPDATE"))
		foresee_update(&record, actor_id, undoing);
	else if (entry_has_action(entry, "INSERT"))
		foresee_insert(&record, actor_id, undoing);
	else if (find_change_by_others(&record, (Datum) 0, actor_id))
		refuse_changed(entry, record_name(entry), true);
	close_undo_record(&record);
	SPI_finish();
}
