/*
 * entry_mover.c
 *		Moving entries between partitions of the log.
 *
 * An entry that moves is not deleted here and inserted there: that would be published to those who follow the log by logical
 * replication, would fire the triggers of an application, and would take the entry from whoever reads with an older
 * snapshot. Partitions are written anew instead, as the server does it for CLUSTER: the rows are copied to new heaps, with
 * the transactions that made them, and the new heaps take the place of the old ones. The partitions stay what they were:
 * oid, rights, triggers, publications, options. WAL has the new heaps page by page, which standbys follow and logical
 * decoding passes over.
 *
 * The caller holds AccessExclusiveLock on all partitions that are read or written here, so whatever was written to them
 * has ended, unless it is our own transaction's.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/multixact.h"
#include "access/rewriteheap.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/cluster.h"
#include "commands/tablecmds.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "storage/procarray.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "log/entry_mover.h"
#include "log/log_columns.h"

/* What flows from a partition to a new heap. */
typedef struct Stream
{
	RewriteState state;			/* NULL where rows are inserted */
	TupleConversionMap *map;	/* NULL where both have the same columns in the same places */
	Rewriting  *target;
} Stream;

/* A partition while it is read. */
typedef struct Source
{
	Relation	partition;
	AttrNumber	occurred_at;
	TransactionId oldest_xmin;
	Datum	   *values;
	bool	   *nulls;
	Stream	   *streams;		/* one for each target */
	MemoryContext per_entry;
} Source;

/* Raise 55000 for a partition whose rows lie in another way than the server's own. */
static void
check_is_heap(Relation partition)
{
	if (partition->rd_rel->relkind != RELKIND_RELATION || partition->rd_tableam != GetHeapamTableAmRoutine())
		refuse_altered(psprintf("partition %s of the log", RelationGetRelationName(partition)), "is no plain table");
}

/* Begin to write a partition anew. Nothing of what it holds is taken over by itself. Raises 55006 if we are reading it. */
void
begin_rewriting(Rewriting *rewriting, Oid partition)
{
	Form_pg_class form;
	Oid			heap;

	memset(rewriting, 0, sizeof(*rewriting));
	rewriting->partition = table_open(partition, AccessExclusiveLock);
	check_is_heap(rewriting->partition);
	CheckTableNotInUse(rewriting->partition, "move entries from or to");
	form = rewriting->partition->rd_rel;
	heap = make_new_heap(partition, form->reltablespace, form->relam, form->relpersistence, AccessExclusiveLock);
	rewriting->heap = table_open(heap, AccessExclusiveLock);
	rewriting->frozen_xid = form->relfrozenxid;
	rewriting->min_multi = form->relminmxid;
}

/*
 * Open a stream to a new heap. No row is frozen on the way, and what may need to be frozen in the source may need it in the
 * target as well. The server's rewriting begins with an empty heap (17 loses what is there): a second source's rows are
 * inserted.
 */
static Stream
open_stream(const Source *source, Rewriting *target)
{
	Form_pg_class form = source->partition->rd_rel;
	bool		is_first = !target->is_begun;

	target->is_begun = true;
	if (TransactionIdPrecedes(form->relfrozenxid, target->frozen_xid))
		target->frozen_xid = form->relfrozenxid;
	if (MultiXactIdPrecedes(form->relminmxid, target->min_multi))
		target->min_multi = form->relminmxid;
	return (Stream) {
		.state = is_first ? begin_heap_rewrite(source->partition, target->heap, source->oldest_xmin, form->relfrozenxid,
											   form->relminmxid) : NULL,
		.map = convert_tuples_by_name(RelationGetDescr(source->partition), RelationGetDescr(target->partition)),
		.target = target
	};
}

/* Open a partition to be read. */
static void
open_source(Source *source, Oid partition, Rewriting *targets, int ntargets)
{
	int			natts;

	source->partition = table_open(partition, AccessExclusiveLock);
	check_is_heap(source->partition);
	natts = RelationGetDescr(source->partition)->natts;
	source->occurred_at = get_attnum(partition, log_columns[LOG_OCCURRED_AT].name);
	source->oldest_xmin = GetOldestNonRemovableTransactionId(source->partition);
	source->values = palloc(sizeof(Datum) * natts);
	source->nulls = palloc(sizeof(bool) * natts);
	source->streams = palloc(sizeof(Stream) * ntargets);
	for (int i = 0; i < ntargets; i++)
		source->streams[i] = open_stream(source, &targets[i]);
	source->per_entry = AllocSetContextCreate(CurrentMemoryContext, "support_ext entry", ALLOCSET_DEFAULT_SIZES);
}

/* How a row is seen, with the hint bits that the server's rewriting relies on. */
static HTSV_Result
look_at_row(const Source *source, HeapTuple tuple, Buffer buffer)
{
	HTSV_Result seen;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	seen = HeapTupleSatisfiesVacuum(tuple, source->oldest_xmin, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return seen;
}

/* Copy a row, whose columns are in the source's values, to a new heap. */
static void
copy_row(const Source *source, Stream *stream, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(stream->target->heap);
	HeapTuple	copy;

	if (stream->map != NULL)
		copy = execute_attr_map_tuple(tuple, stream->map);
	else
		copy = heap_form_tuple(desc, source->values, source->nulls);
	if (stream->state != NULL)
		rewrite_heap_tuple(stream->state, tuple, copy);
	else
		heap_insert(stream->target->heap, copy, GetCurrentCommandId(true), HEAP_INSERT_SKIP_FSM | HEAP_INSERT_NO_LOGICAL,
					NULL);
}

/* Copy a row to where it belongs, unless nobody can see it any more. Older versions of a purged entry go with it. */
static void
place_row(Source *source, HeapTuple tuple, Buffer buffer, ChooseHeap choose, void *arg)
{
	HTSV_Result seen = look_at_row(source, tuple, buffer);
	LyingEntry	entry = {.tid = &tuple->t_self};
	bool		is_live = seen == HEAPTUPLE_LIVE || seen == HEAPTUPLE_INSERT_IN_PROGRESS;
	int			chosen;

	heap_deform_tuple(tuple, RelationGetDescr(source->partition), source->values, source->nulls);
	entry.occurred_at = DatumGetTimestampTz(source->values[source->occurred_at - 1]);
	chosen = choose(&entry, arg);
	if (chosen < 0 || (!is_live && source->streams[chosen].state == NULL))
		return;
	if (seen == HEAPTUPLE_DEAD)
	{
		(void) rewrite_heap_dead_tuple(source->streams[chosen].state, tuple);
		return;
	}
	copy_row(source, &source->streams[chosen], tuple);
	if (is_live)
		source->streams[chosen].target->entries++;
}

/*
 * Copy the entries of a partition to new heaps, each to the one that it is to go to. What comes to a heap that had another
 * source before is written as by us, now: a snapshot of before does not see it there.
 */
void
copy_entries(Oid partition, Rewriting *targets, int ntargets, ChooseHeap choose, void *arg)
{
	Source		source;
	TableScanDesc scan;
	TupleTableSlot *slot;

	open_source(&source, partition, targets, ntargets);
	scan = table_beginscan(source.partition, SnapshotAny, 0, NULL);
	slot = table_slot_create(source.partition, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext previous = MemoryContextSwitchTo(source.per_entry);

		CHECK_FOR_INTERRUPTS();
		place_row(&source, ExecFetchSlotHeapTuple(slot, false, NULL), ((BufferHeapTupleTableSlot *) slot)->buffer,
				  choose, arg);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(source.per_entry);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	for (int i = 0; i < ntargets; i++)
		if (source.streams[i].state != NULL)
			end_heap_rewrite(source.streams[i].state);
	MemoryContextDelete(source.per_entry);
	table_close(source.partition, NoLock);
}

/*
 * Have the partition hold what came to its new heap, and build its indexes over that. What serializable transactions have
 * read of it they count as having read altogether.
 */
void
finish_rewriting(Rewriting *rewriting)
{
	Oid			partition = RelationGetRelid(rewriting->partition);
	Oid			heap = RelationGetRelid(rewriting->heap);
	char		persistence = rewriting->partition->rd_rel->relpersistence;

	TransferPredicateLocksToHeapRelation(rewriting->partition);
	table_close(rewriting->heap, NoLock);
	table_close(rewriting->partition, NoLock);
	CommandCounterIncrement();
	finish_heap_swap(partition, heap, false, false, false, true, rewriting->frozen_xid, rewriting->min_multi, persistence);
	CommandCounterIncrement();
}
