/*
 * rebuilt_rows.c
 *		Records as they were.
 *
 * The log keeps of an UPDATE the columns that changed, of a DELETE the whole row, of an INSERT nothing. A record is
 * therefore rebuilt backwards from the row as it is: of each column that changed since, the oldest value that a later
 * entry replaced is the one that it had. Read in the order of their ids that is the first one met, so the entries are
 * read forwards, once, and a column that has its value is done:
 *
 *	- an INSERT as the first later entry: the record was not there yet;
 *	- an UPDATE: what it replaced, for columns that have no value yet;
 *	- a DELETE: the same for all columns that are left, and nothing further matters;
 *	- at the end, what is left comes from the row as it is now.
 *
 * Where to begin is the oldest entry by id that is later than the instant. A transaction counts from its start, so an
 * entry behind that one may have an earlier time: it is undone as well, or the answer would be a state that the record
 * never had. Whoever changes a record holds its row lock, so across transactions the ids of its entries tell their order.
 *
 * Within a transaction they need not. The server fires AFTER triggers at the end of a statement, and a row that a trigger
 * changes again on the way, as a comment does with its ticket, has that change logged first. Of a ticket's entries of one
 * transaction the version tells the order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/hooks.h"
#include "base/json.h"
#include "base/tables.h"
#include "desk/customer.h"
#include "log/record_reader.h"
#include "log/row_image.h"
#include "past/generated.h"
#include "past/rebuilt_rows.h"

enum
{
	FIRST_SINCE_TIME,
	FIRST_OF_TICKET_SINCE_TIME,
	FIRST_SINCE_XID
};

static Statement statements[] = {
	[FIRST_SINCE_TIME] = {
		.text = "SELECT min(id) FROM support.audit_log WHERE occurred_at > $1",
		.columns = {{INT8OID}},
		.nargs = 1, .argtypes = {TIMESTAMPTZOID}, .replan = true
	},
	/* the primary key alone answers this */
	[FIRST_OF_TICKET_SINCE_TIME] = {
		.text = "SELECT min(id) FROM support.audit_log"
		" WHERE occurred_at > $1 AND ticket_id = $2",
		.columns = {{INT8OID}},
		.nargs = 2, .argtypes = {TIMESTAMPTZOID, INT8OID}
	},
	[FIRST_SINCE_XID] = {
		.text = "SELECT min(id) FROM support.audit_log"
		" WHERE era >= $1 AND xid >= $2",
		.columns = {{INT8OID}},
		.nargs = 2, .argtypes = {INT4OID, INT8OID}, .replan = true
	}
};

/* A column of the table, found by its name in an image. */
typedef struct ColumnName
{
	const char *name;
	int			attribute;		/* from 0 */
} ColumnName;

#define NO_VERSION (-1)

/* Where a column's value was taken from. */
typedef struct ValueSource
{
	int			run;			/* 0: it has none yet */
	int64		version;		/* that the record had, or NO_VERSION */
} ValueSource;

struct RebuiltRows
{
	TupleDesc	desc;
	const TableShape *shape;
	Instant		instant;
	Generated  *generated;		/* NULL for none */
	int			nnames;
	ColumnName *names;			/* in the order of their bytes */

	RecordReader records;
	MemoryContext image_context;	/* reset for each */

	/* the record at hand */
	MemoryContext context;		/* reset for each */
	Row			row;
	ValueSource *sources;		/* by attribute */
	int			run;			/* number of the transaction that the last applied change is of, 0 for none */
	int32		run_era;
	int64		run_xid;
	bool		tells_versions; /* does it have more changes of the record, and does the record have versions? */
	bool		complete;		/* a DELETE has told what was left */
	bool		absent;			/* it was not there */
	bool		settled;		/* no further entry matters */
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const ColumnName *) a)->name, ((const ColumnName *) b)->name);
}

/* List the columns that images have. */
static void
list_names(RebuiltRows *rebuilt)
{
	rebuilt->names = palloc(sizeof(ColumnName) * rebuilt->desc->natts);
	for (int i = 0; i < rebuilt->desc->natts; i++)
		if (rebuilt->shape->kinds[i] != IMAGE_NONE)
			rebuilt->names[rebuilt->nnames++] = (ColumnName) {
			NameStr(TupleDescAttr(rebuilt->desc, i)->attname), i
			};
	qsort(rebuilt->names, rebuilt->nnames, sizeof(ColumnName), compare_names);
}

/* The attribute (from 0) of a key of an image; -1 if the table has no such column today. */
static int
attribute_named(const RebuiltRows *rebuilt, const JsonbValue *key)
{
	char		name[NAMEDATALEN];
	ColumnName	wanted = {name};
	ColumnName *found;

	if (key->val.string.len >= NAMEDATALEN)
		return -1;
	memcpy(name, key->val.string.val, key->val.string.len);
	name[key->val.string.len] = '\0';
	found = bsearch(&wanted, rebuilt->names, rebuilt->nnames, sizeof(ColumnName), compare_names);
	return found ? found->attribute : -1;
}

/* Run one of the statements that find the first entry. */
static int64
first_found(int statement, const Args *args)
{
	if (run_read_only(&statements[statement], args) == 0 || result_is_null(0, 1))
		return PG_INT64_MAX;
	return result_int64(0, 1);
}

/* Where in the log to begin: no entry with a smaller id is later than the instant. */
static int64
first_entry(const RebuiltRows *rebuilt, int64 ticket_id)
{
	const Instant *instant = &rebuilt->instant;
	Args		args = {0};

	switch (instant->kind)
	{
		case AFTER_ENTRY:
			return instant->audit_id + 1;
		case AT_TIME:
			arg(&args, TimestampTzGetDatum(instant->time));
			if (ticket_id == EVERY_TICKET)
				return first_found(FIRST_SINCE_TIME, &args);
			arg_int64(&args, ticket_id);
			return first_found(FIRST_OF_TICKET_SINCE_TIME, &args);
		case AT_SNAPSHOT:
			if (ticket_id != EVERY_TICKET)
				return 0;
			arg(&args, Int32GetDatum(instant->era));
			arg(&args, DirectFunctionCall1(pg_snapshot_xmin, instant->snapshot));
			return first_found(FIRST_SINCE_XID, &args);
	}
	return 0;
}

/*
 * Begin to rebuild the records of a table that has ids, which the caller has opened: those of one ticket, or of
 * EVERY_TICKET (0 where rows belong to no ticket), and of these one record, or EVERY_RECORD. Needs an SPI level, at which
 * close_rebuilt_rows() is called as well. Reads under the snapshot of the query that called us, with the rights of the
 * caller.
 */
RebuiltRows *
rebuild_rows(Relation rel, const DeskTable *table, const Instant *instant, int64 ticket_id, int64 record_id)
{
	RebuiltRows *rebuilt = palloc0(sizeof(RebuiltRows));

	rebuilt->desc = RelationGetDescr(rel);
	rebuilt->shape = shape_of(rel, table);
	rebuilt->instant = *instant;
	rebuilt->generated = open_generated(rel);
	rebuilt->context = AllocSetContextCreate(CurrentMemoryContext, "rebuilt record", ALLOCSET_DEFAULT_SIZES);
	rebuilt->image_context = AllocSetContextCreate(CurrentMemoryContext, "image", ALLOCSET_DEFAULT_SIZES);
	rebuilt->row = empty_row(rebuilt->shape, rebuilt->desc);
	rebuilt->sources = palloc(sizeof(ValueSource) * rebuilt->desc->natts);
	list_names(rebuilt);
	open_records(&rebuilt->records, rel, table, ticket_id, record_id, first_entry(rebuilt, ticket_id));
	return rebuilt;
}

void
close_rebuilt_rows(RebuiltRows *rebuilt)
{
	close_records(&rebuilt->records);
	close_generated(rebuilt->generated);
	MemoryContextDelete(rebuilt->image_context);
	MemoryContextDelete(rebuilt->context);
}

/* Is the change later than the instant? */
static bool
is_later(const Instant *instant, const RecordChange *change)
{
	switch (instant->kind)
	{
		case AT_TIME:
			return change->occurred_at > instant->time;
		case AFTER_ENTRY:
			return true;
		case AT_SNAPSHOT:
			return instant->era != 0 && change->era >= instant->era && change->xid != 0 &&
				!DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot, Int64GetDatum(change->xid),
												  instant->snapshot));
	}
	return false;
}

/*
 * Note the value that a column had, unless it has one: of an earlier transaction, or of an earlier version in this one.
 * A value that the column's type of today cannot hold is null.
 */
static void
take_value(RebuiltRows *rebuilt, int attribute, JsonbValue *value, int64 version)
{
	Row		   *row = &rebuilt->row;
	ValueSource *source = &rebuilt->sources[attribute];
	MemoryContext previous;

	if (source->run != 0 && (source->run != rebuilt->run || version == NO_VERSION || version >= source->version))
		return;
	*source = (ValueSource) {
		rebuilt->run, version
	};
	previous = MemoryContextSwitchTo(rebuilt->context);
	row->nulls[attribute] = value->type == jbvNull ||
		!image_value(value, rebuilt->shape->kinds[attribute], TupleDescAttr(rebuilt->desc, attribute),
					 &row->values[attribute]);
	MemoryContextSwitchTo(previous);
}

/* Note the values of a change's image. Returns the version. */
static int64
take_image(RebuiltRows *rebuilt, const RecordChange *change)
{
	MemoryContext previous = MemoryContextSwitchTo(rebuilt->image_context);
	Jsonb	   *image = DatumGetJsonbP(change->old_value);
	int64		version = rebuilt->tells_versions ? json_member_int64(image, "version", NO_VERSION) : NO_VERSION;
	JsonbIterator *iterator = JsonbIteratorInit(&image->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			attribute = -1;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			attribute = attribute_named(rebuilt, &value);
		else if (token == WJB_VALUE && attribute >= 0)
			take_value(rebuilt, attribute, &value, version);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextReset(rebuilt->image_context);
	return version;
}

/* A column that is younger than the image of a whole row was not there: null. */
static void
take_nothing(RebuiltRows *rebuilt, int64 version)
{
	for (int i = 0; i < rebuilt->desc->natts; i++)
		if (rebuilt->sources[i].run == 0)
		{
			rebuilt->sources[i] = (ValueSource) {
				rebuilt->run, version
			};
			rebuilt->row.values[i] = (Datum) 0;
			rebuilt->row.nulls[i] = true;
		}
}

/* Take back that the record was removed. Without an image, it was purged since. */
static void
apply_delete(RebuiltRows *rebuilt, const RecordChange *change)
{
	if (change->old_value == (Datum) 0)
		rebuilt->settled = rebuilt->absent = true;
	else
		take_nothing(rebuilt, take_image(rebuilt, change));
	rebuilt->complete = true;
}

/* Take back that the record was inserted. It was not there, unless it was and went past the triggers. */
static void
apply_insert(RebuiltRows *rebuilt)
{
	if (!rebuilt->complete && rebuilt->run == 1)
		rebuilt->absent = true;
	take_nothing(rebuilt, NO_VERSION);
	rebuilt->settled = rebuilt->complete = true;
}

/* Is the change of another transaction than the one before? Then it begins a run. */
static bool
begins_run(RebuiltRows *rebuilt, const RecordChange *change)
{
	if (rebuilt->run > 0 && change->era == rebuilt->run_era && change->xid == rebuilt->run_xid)
	{
		return false;
	}
	rebuilt->run++;
	rebuilt->run_era = change->era;
	rebuilt->run_xid = change->xid;
	rebuilt->tells_versions = rebuilt->shape->table == &tickets_table && !is_alone_in_transaction(&rebuilt->records);
	return true;
}

/* Take back a change, if it matters. What else an application logged of a record does not. */
static void
apply_change(RebuiltRows *rebuilt, const RecordChange *change)
{
	if (rebuilt->settled || change->kind == CHANGE_OTHER || (rebuilt->run == 0 && !is_later(&rebuilt->instant, change)))
		return;
	if (begins_run(rebuilt, change) && rebuilt->complete)
	{
		rebuilt->settled = true;
		return;
	}
	switch (change->kind)
	{
		case CHANGE_UPDATE:
			if (change->old_value != (Datum) 0)
				(void) take_image(rebuilt, change);
			break;
		case CHANGE_INSERT:
			apply_insert(rebuilt);
			break;
		case CHANGE_DELETE:
			apply_delete(rebuilt, change);
			break;
		case CHANGE_PURGE:
			rebuilt->settled = rebuilt->complete = rebuilt->absent = true;
			break;
		case CHANGE_OTHER:
			break;
	}
}

/* Find the derived column again. */
static void
find_derived(RebuiltRows *rebuilt)
{
	RowChange	change = {.table = rebuilt->shape->table, .new = &rebuilt->row, .columns = PG_UINT64_MAX};

	if (change.table == &tickets_table)
		keep_customer(&change);
}

/* What the entries did not tell is as it is now. */
static void
take_live_row(RebuiltRows *rebuilt, const Row *live)
{
	for (int i = 0; i < rebuilt->desc->natts; i++)
		if (rebuilt->sources[i].run == 0)
		{
			rebuilt->row.values[i] = live->values[i];
			rebuilt->row.nulls[i] = live->nulls[i];
		}
}

/*
 * Finish the record with the live row; NULL if there is none. A record that is not there now, and of which no entry says
 * that it went, was taken away past the triggers.
 */
static void
finish_record(RebuiltRows *rebuilt, const Row *live)
{
	if (!rebuilt->complete && live == NULL)
		rebuilt->absent = true;
	if (rebuilt->absent)
		return;
	if (!rebuilt->complete)
		take_live_row(rebuilt, live);
	/* a row that has not changed since has its derived columns too */
	if (rebuilt->run > 0)
	{
		find_derived(rebuilt);
		generate_columns(rebuilt->generated, &rebuilt->row);
	}
}

static void
begin_record(RebuiltRows *rebuilt)
{
	MemoryContextReset(rebuilt->context);
	memset(rebuilt->sources, 0, sizeof(ValueSource) * rebuilt->desc->natts);
	rebuilt->run = 0;
	rebuilt->complete = rebuilt->absent = rebuilt->settled = false;
}

/* Rebuild the record at hand from its changes and its live row, of which one may be missing. */
static void
rebuild_record(RebuiltRows *rebuilt)
{
	MemoryContext previous = MemoryContextSwitchTo(rebuilt->context);
	const RecordChange *change;

	while ((change = change_of_record(&rebuilt->records)) != NULL)
	{
		apply_change(rebuilt, change);
		next_change(&rebuilt->records);
	}
	finish_record(rebuilt, row_of_record(&rebuilt->records));
	MemoryContextSwitchTo(previous);
}

/* The row that the next record was at the instant; NULL if there is none left. It lives until the next call. */
const Row *
next_rebuilt_row(RebuiltRows *rebuilt)
{
	while (next_record(&rebuilt->records))
	{
		begin_record(rebuilt);
		rebuild_record(rebuilt);
		if (!rebuilt->absent)
			return &rebuilt->row;
	}
	return NULL;
}
