/*
 * delta_shrink.c
 *		Giving back the room that stat_deltas has no rows for.
 *
 * Each report reads the table from end to end. What a busy hour has left in it is empty once it is folded, but the rows
 * that came last lie at its end, and vacuum cuts a table off behind its last row. So where the table is much larger than
 * its rows, it is written anew, as VACUUM FULL does: with all rows that anybody's snapshot may still see, as those who made
 * and deleted them left them. WAL has the new pages; logical decoding passes over them.
 *
 * That takes a lock which keeps even readers out until the transaction ends. It is taken only where nobody has the table,
 * without waiting, and by who ends his transaction at once: never on the way of a change.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/plan.h"
#include "stats/delta_shrink.h"

/* So much of a page is full at least, on the average, or the table is written anew. */
#define LEAST_FULL (BLCKSZ / 4)

/* Could anybody still see a row? */
static bool
is_kept(HeapTuple tuple, Buffer buffer, TransactionId oldest_xmin)
{
	HTSV_Result seen;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	seen = HeapTupleSatisfiesVacuum(tuple, oldest_xmin, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return seen != HEAPTUPLE_DEAD;
}

/* The bytes of the rows that somebody may still see, which would be copied. */
static int64
kept_bytes(Relation rel)
{
	TransactionId oldest_xmin = GetOldestNonRemovableTransactionId(rel);
	TableScanDesc scan = table_beginscan(rel, SnapshotAny, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	int64		bytes = 0;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, NULL);

		CHECK_FOR_INTERRUPTS();
		if (is_kept(tuple, ((BufferHeapTupleTableSlot *) slot)->buffer, oldest_xmin))
			bytes += tuple->t_len;
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	return bytes;
}

/* Is it the server's own kind of table, which no statement of ours is reading, and larger than it need be? */
static bool
is_worth_shrinking(Relation rel)
{
	int64		pages;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_tableam != GetHeapamTableAmRoutine() || rel->rd_refcnt > 1)
		return false;
	pages = RelationGetNumberOfBlocks(rel);
	return pages > SPARSE_PAGES && kept_bytes(rel) < pages * LEAST_FULL;
}

/* Write the table anew if that makes it smaller and nobody has it; not in a transaction that somebody goes on with. */
void
stat_shrink_deltas(void)
{
	Oid			relid = desk_relation("support_internal", "stat_deltas");
	Relation	rel;
	bool		is_worth;

	if (IsTransactionBlock() || IsSubTransaction() || IsolationUsesXactSnapshot() || IsInParallelMode())
		return;
	rel = table_open(relid, AccessShareLock);
	is_worth = is_worth_shrinking(rel);
	table_close(rel, NoLock);
	if (is_worth && ConditionalLockRelationOid(relid, AccessExclusiveLock))
		rewrite_heap(relid);
}
