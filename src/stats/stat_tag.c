/*
 * stat_tag.c
 *		Tickets counted by their tags.
 *
 * A change of a ticket counts by the tags that it had before the statement, a change of its tags by what the ticket is
 * after it: whichever trigger comes first, together they make what there is. Who changes tags locks the ticket before
 * looking at it, so a ticket does not change between the look and the end of the transaction.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/distributed.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "base/tables.h"
#include "stats/delta_writer.h"
#include "stats/stat_history.h"
#include "stats/stat_tag.h"

enum
{
	TAGS_OF_TICKET,
	LOCK_TICKET
};

static Statement statements[] = {
	[TAGS_OF_TICKET] = {
		.text = "SELECT tag_id FROM support.ticket_tags WHERE ticket_id = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("ticket_tags")
	},
	[LOCK_TICKET] = {
		.text = "SELECT status, created_at, deleted_at IS NULL FROM support.tickets"
		" WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{TEXTOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* Whether and how the tags of a ticket are found without SPI. */
typedef struct TagsTable
{
	bool		valid;
	bool		plain;
	Oid			primary_key;
} TagsTable;

static TagsTable tags;
static SessionCache tags_cache;

/* Does the index begin with the column? */
static bool
begins_with(Oid index_id, AttrNumber attnum)
{
	Relation	index = index_open(index_id, AccessShareLock);
	bool		begins = index->rd_index->indkey.values[0] == attnum;

	index_close(index, NoLock);
	return begins;
}

/* Rows of a distributed table are not here; without the primary key the server may know a better way than we. */
static void
look_at_tags(Relation rel, const TableShape *shape)
{
	tags.valid = true;
	list_free(RelationGetIndexList(rel));
	tags.primary_key = rel->rd_pkindex;
	tags_cache.tables[0] = RelationGetRelid(rel);
	tags_cache.tables[1] = tags.primary_key;
	tags_cache.stale = false;
	tags.plain = rel->rd_rel->relkind == RELKIND_RELATION && OidIsValid(tags.primary_key) &&
		!is_distributed(rel) &&
		begins_with(tags.primary_key, shape->columns[TAG_TICKET_ID]);
}

/* Count a ticket under a tag. */
static void
count_tag(int64 tag_id, TagCount count, int32 weight)
{
	Delta		delta = new_delta(weight, count.measures);

	if (count.measures == 0)
		return;
	delta_set(&delta, DELTA_TAG_ID, Int64GetDatum(tag_id));
	delta_set_time(&delta, DELTA_CREATED_AT, count.created_at);
	write_delta(&delta);
}

/* Count a ticket under a tag as it is now, and no longer as it was. */
static void
recount_tag(int64 tag_id, TagCount before, TagCount after)
{
	count_tag(tag_id, before, -1);
	count_tag(tag_id, after, 1);
}

/* Go through the primary key under the active snapshot. */
static void
scan_tags(Relation rel, const TableShape *shape, int64 ticket_id, TagCount before, TagCount after)
{
	AttrNumber	tag_id = shape->columns[TAG_TAG_ID];
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;

	ScanKeyInit(&key, shape->columns[TAG_TICKET_ID], BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(ticket_id));
	scan = systable_beginscan(rel, tags.primary_key, true, GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		recount_tag(DatumGetInt64(heap_getattr(tuple, tag_id, RelationGetDescr(rel), &isnull)), before, after);
	systable_endscan(scan);
}

/* The same over SPI. */
static void
query_tags(int64 ticket_id, TagCount before, TagCount after)
{
	Args		args = {0};
	uint64		n;

	SPI_connect();
	arg_int64(&args, ticket_id);
	n = run_read_only(&statements[TAGS_OF_TICKET], &args);
	for (uint64 i = 0; i < n; i++)
		recount_tag(result_int64(i, 1), before, after);
	SPI_finish();
}

/* A ticket counts for other measures than before, or at another time: so it does under each of its tags. */
void
count_tags(int64 ticket_id, TagCount before, TagCount after)
{
	bool		moves = before.created_at != after.created_at;
	TagCount	gone = {before.measures & TAG_MEASURES & (moves ? ~0 : ~after.measures), before.created_at};
	TagCount	come = {after.measures & TAG_MEASURES & (moves ? ~0 : ~before.measures), after.created_at};
	Relation	rel;
	const TableShape *shape;

	if (gone.measures == 0 && come.measures == 0)
		return;
	rel = table_open(desk_relation("support", "ticket_tags"), AccessShareLock);
	shape = shape_of(rel, &ticket_tags_table);
	look_before_statement();
	if (!tags.valid || tags_cache.stale || tags_cache.tables[0] != RelationGetRelid(rel))
		look_at_tags(rel, shape);
	if (tags.plain)
		scan_tags(rel, shape, ticket_id, gone, come);
	else
		query_tags(ticket_id, gone, come);
	PopActiveSnapshot();
	table_close(rel, NoLock);
}

/* Lock a ticket and tell what it counts for under a tag: nothing if it is deleted or gone. */
static TagCount
lock_ticket(int64 ticket_id)
{
	TagCount	count = {0};
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, ticket_id);
	if (run(&statements[LOCK_TICKET], &args) > 0 && result_bool(0, 3))
	{
		count.measures = counts_as_solved(result_text(0, 1)) ? STAT_BIT(STAT_TICKETS) : TAG_MEASURES;
		count.created_at = DatumGetTimestampTz(result(0, 2));
	}
	SPI_finish();
	return count;
}

/* A ticket has a tag more (old is NULL) or less (new is NULL), or one in the place of another. */
static void
follow_tag(const RowChange *change)
{
	const Row  *old = change->old;
	const Row  *new = change->new;

	if (!changes(change, TAG_TICKET_ID) && !changes(change, TAG_TAG_ID))
		return;
	lock_deltas();
	if (old != NULL)
		count_tag(row_int64(old, TAG_TAG_ID), lock_ticket(row_int64(old, TAG_TICKET_ID)), -1);
	if (new != NULL)
		count_tag(row_int64(new, TAG_TAG_ID), lock_ticket(row_int64(new, TAG_TICKET_ID)), 1);
}

void
stat_tag_init(void)
{
	static RowHooks hooks = {.table = &ticket_tags_table, .follow = follow_tag};

	add_row_hooks(&hooks, 1);
	add_session_cache(&tags_cache);
}
