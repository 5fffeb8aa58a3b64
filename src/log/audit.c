/*
 * audit.c
 *		What the audit log keeps of a change.
 *
 * An UPDATE keeps the columns that changed, as they were and as they are; one that changes nothing writes nothing. An
 * INSERT keeps no image: the live row and the old values of later entries give it back. A DELETE keeps the whole row,
 * which makes the log the recycle bin; a removed ticket is noted in support_internal.recycle_bin, so that it is found
 * without a scan. Tables without an id have their key in the image; those that their owner alone reads have all of a new
 * row there, for who reads the log cannot ask them. An ERASE is an UPDATE that keeps nothing of the columns whose content is erased.
 *
 * Who inserts a ticket under the id of a removed one, but in another status, has two entries written: it comes back, and
 * its status changes. So the statuses that the log has of a ticket follow one another, and end with the one it has.
 */
#include "postgres.h"

#include "access/heaptoast.h"
#include "access/table.h"
#include "catalog/pg_type.h"

#include "base/heap_writer.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "base/value_rules.h"
#include "log/audit.h"
#include "log/column_names.h"
#include "log/log_size.h"
#include "log/log_writer.h"
#include "log/row_image.h"

enum
{
	FIND_TICKET,
	LAST_STATUS
};

static Statement statements[] = {
	[FIND_TICKET] = {
		.text = "SELECT 1 FROM support_internal.recycle_bin WHERE ticket_id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	},
	[LAST_STATUS] = {
		.text = "SELECT a.old_value ->> 'status'"
		" FROM support_internal.recycle_bin AS b"
		" JOIN support.audit_log AS a ON a.ticket_id = b.ticket_id"
		"	AND a.id = b.audit_id AND a.occurred_at = b.occurred_at"
		" WHERE b.ticket_id = $1",
		.columns = {{TEXTOID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	}
};

/* The columns of the recycle bin. */
enum
{
	BIN_TICKET_ID,
	BIN_AUDIT_ID,
	BIN_OCCURRED_AT,
	BIN_XID,
	BIN_COLUMNS
};

static const TableColumn bin_columns[BIN_COLUMNS] = {
	[BIN_TICKET_ID] = {"ticket_id", INT8OID, .always_set = true},
	[BIN_AUDIT_ID] = {"audit_id", INT8OID, .always_set = true},
	[BIN_OCCURRED_AT] = {"occurred_at", TIMESTAMPTZOID, .always_set = true},
	[BIN_XID] = {"xid", INT8OID, .always_set = true}
};

static HeapTable recycle_bin = {
	.name = INTERNAL_TABLE("recycle_bin"), .columns = bin_columns, .ncolumns = BIN_COLUMNS, .replaces = true
};

/* Does the desk keep this column by itself? */
bool
is_kept_column(const char *name)
{
	return strstr("," KEPT_COLUMNS ",", psprintf(",%s,", name)) != NULL;
}

/* The entry for a change of this row, its images yet to come. */
static LogEntry
entry_for(const char *action, const Row *row)
{
	const TableShape *shape = row->shape;
	LogEntry	entry = {.action = action, .table_name = shape->table->name};

	if (AttributeNumberIsValid(shape->id))
	{
		entry.has_record_id = true;
		entry.record_id = DatumGetInt64(row->values[shape->id - 1]);
	}
	if (AttributeNumberIsValid(shape->ticket_id))
		entry.ticket_id = DatumGetInt64(row->values[shape->ticket_id - 1]);
	return entry;
}

/* Must an image have the column for the record to be found again? */
static bool
names_record(const TableShape *shape, int attribute)
{
	return shape->in_key[attribute] && !AttributeNumberIsValid(shape->id);
}

/* An image of the whole row, or of its key alone. */
static Datum
image_of(const Row *row, bool whole)
{
	int			nestlevel = begin_image_settings(row->shape);
	Image		image;

	image_begin(&image);
	for (int i = 0; i < row->shape->natts; i++)
	{
		int			attribute = row->shape->order[i];

		if (row->shape->kinds[attribute] != IMAGE_NONE && (whole || names_record(row->shape, attribute)))
			image_add(&image, row, attribute);
	}
	end_image_settings(nestlevel);
	return image_end(&image);
}

/* Does an UPDATE bring a value that is larger than what fits in a row as such? */
static bool
brings_much(const RowChange *change)
{
	const Row  *new = change->new;

	for (int i = 0; i < new->shape->natts; i++)
		if (change->differs[i] && !new->nulls[i] && TupleDescAttr(new->desc, i)->attlen == -1 &&
			size_of_value(new->values[i]) > TOAST_TUPLE_TARGET)
			return true;
	return false;
}

/*
 * Raise 54000 for a row that comes or changes and is more than the log could keep: it has to, when the row is changed or
 * deleted.
 */
void
audit_check(const RowChange *change)
{
	if ((change->old == NULL || brings_much(change)) && may_be_too_large(change->new))
		check_image_size(change->table->name, image_of(change->new, true));
}

void
audit_insert(const Row *row)
{
	LogEntry	entry = entry_for("INSERT", row);

	if (!entry.has_record_id)
		entry.new_value = image_of(row, row->shape->table->is_internal);
	log_write(&entry);
}

/* Collect the columns that differ, but for those that are erased; false if none does. */
static bool
collect_changes(const RowChange *change, bool erasing, Image *before, Image *after)
{
	const TableShape *shape = change->new->shape;
	bool		changed = false;

	for (int i = 0; i < shape->natts; i++)
	{
		int			attribute = shape->order[i];

		if (shape->kinds[attribute] == IMAGE_NONE ||
			(erasing && is_erased_column(NameStr(TupleDescAttr(change->new->desc, attribute)->attname))))
			continue;
		if (change->differs[attribute] || names_record(shape, attribute))
		{
			image_add(before, change->old, attribute);
			image_add(after, change->new, attribute);
		}
		changed |= change->differs[attribute];
	}
	return changed;
}

void
audit_update(const RowChange *change)
{
	LogEntry	entry = entry_for("UPDATE", change->new);
	bool		erasing = is_erased(change->new);
	int			nestlevel = begin_image_settings(change->new->shape);
	Image		before;
	Image		after;
	bool		changed;

	image_begin(&before);
	image_begin(&after);
	changed = collect_changes(change, erasing, &before, &after);
	end_image_settings(nestlevel);
	if (!changed && !erasing)
		return;

	if (erasing)
		entry.action = "ERASE";
	if (changed)
	{
		entry.old_value = image_end(&before);
		entry.new_value = image_end(&after);
	}
	log_write(&entry);
	note_column_names(change->new->shape);
}

/* What the log has of the status that the last removed ticket of this id had; NULL if it has that no more. */
static Datum
last_status(int64 ticket_id)
{
	Args		args = {0};
	Datum		status = (Datum) 0;

	SPI_connect();
	arg_int64(&args, ticket_id);
	if (run_latest(&statements[LAST_STATUS], &args) > 0 && !result_is_null(0, 1))
		status = SPI_datumTransfer(result(0, 1), false, -1);
	SPI_finish();
	return status;
}

/*
 * Has a ticket that is inserted the id of one that was removed? What the log has of that one is the new one's past, so it
 * came back in the status that it had and has changed from there: sets before to it. Another session cannot be removing
 * one: the caller has inserted its row.
 */
bool
takes_over_id(const Row *ticket, Row *before)
{
	Datum		status;

	if (!find_row(&recycle_bin, &statements[FIND_TICKET], row_int64(ticket, TICKET_ID)))
		return false;
	*before = copy_of_row(ticket);
	status = last_status(row_int64(ticket, TICKET_ID));
	if (status != (Datum) 0)
		row_set(before, TICKET_STATUS, status);
	if (row_column_differs(before, ticket, TICKET_STATUS))
		row_set(before, TICKET_VERSION, Int64GetDatum(row_int64(ticket, TICKET_VERSION) - 1));
	return true;
}

/* Add a removed ticket to the recycle bin; false if it is there, or if the bin does not take rows this way. */
static bool
add_to_bin(const Datum *values, const bool *nulls)
{
	Relation	bin = table_open(heap_relation(&recycle_bin), RowExclusiveLock);
	bool		addable;

	/* another session cannot be adding it: we have the ticket's row */
	addable = know_table(&recycle_bin, bin) && !has_row(&recycle_bin, bin, DatumGetInt64(values[BIN_TICKET_ID]));
	if (addable)
		add_row(&recycle_bin, bin, values, nulls);
	table_close(bin, NoLock);
	return addable;
}

/* Note where the log keeps a removed ticket. */
static void
keep_ticket(const LogEntry *entry, WrittenEntry written)
{
	static const bool nulls[BIN_COLUMNS] = {false};
	Datum		values[BIN_COLUMNS] = {
		[BIN_TICKET_ID] = Int64GetDatum(entry->ticket_id),
		[BIN_AUDIT_ID] = Int64GetDatum(written.id),
		[BIN_OCCURRED_AT] = TimestampTzGetDatum(written.occurred_at),
		[BIN_XID] = Int64GetDatum(written.xid)
	};

	if (!add_to_bin(values, nulls))
		insert_row(&recycle_bin, values, nulls);
}

void
audit_delete(const Row *row)
{
	LogEntry	entry = entry_for("DELETE", row);
	bool		purging = modes.purged_ticket != 0 && entry.ticket_id == modes.purged_ticket;
	bool		is_ticket = entry.has_record_id && strcmp(entry.table_name, "tickets") == 0;
	WrittenEntry written;

	if (purging && !is_ticket)
		return;
	if (purging)
		entry.action = "PURGE";
	else
		entry.old_value = image_of(row, true);
	written = log_write(&entry);
	if (!purging)
		note_column_names(row->shape);
	if (is_ticket && !purging)
		keep_ticket(&entry, written);
}
