/*
 * delta_shrink.c
 *		Giving back the room that stat_deltas has no rows for.
 *
 * Each report reads the table from end to end. What a busy hour has left in it is empty once it is folded, but the rows
 * that came last lie at its end, and vacuum cuts a table off behind its last row. So where the table is much larger than
 * its rows, it is written anew, as VACUUM FULL does: with all rows that anybody's snapshot may still see, as those who made
 * and deleted them left them. WAL has the new pages; logical decoding passes over them. A standby is told first whose rows are
 * dropped: snapshots there, which nobody here knows of, may still see them.
 *
 * That takes a lock which keeps even readers out until the transaction ends. It is taken only where nobody has the table,
 * without waiting, and by who ends his transaction at once: never on the way of a change.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
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

/* Who could still see a row, nobody if it is dead? */
static HTSV_Result
fate_of(HeapTuple tuple, Buffer buffer, TransactionId oldest_xmin)
{
	HTSV_Result fate;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	fate = HeapTupleSatisfiesVacuum(tuple, oldest_xmin, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return fate;
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
		if (fate_of(tuple, ((BufferHeapTupleTableSlot *) slot)->buffer, oldest_xmin) != HEAPTUPLE_DEAD)
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

/* The last of the transactions that removed rows of the table, which nobody can change meanwhile; invalid for none. */
static TransactionId
last_removal(Relation rel)
{
	TransactionId oldest_xmin = GetOldestNonRemovableTransactionId(rel);
	TransactionId horizon = InvalidTransactionId;
	TableScanDesc scan = table_beginscan(rel, SnapshotAny, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, NULL);
		HTSV_Result fate = fate_of(tuple, ((BufferHeapTupleTableSlot *) slot)->buffer, oldest_xmin);

		CHECK_FOR_INTERRUPTS();
		/* what is dead but for a while may be dropped by the time it is looked at for that */
		if (fate == HEAPTUPLE_DEAD || fate == HEAPTUPLE_RECENTLY_DEAD)
			advance_horizon(tuple->t_data, &horizon);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	return horizon;
}

/* A transaction of the last two thousand million with its epoch. */
static FullTransactionId
with_epoch(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();

	return FullTransactionIdFromU64(U64FromFullTransactionId(next) - (uint32) (XidFromFullTransactionId(next) - xid));
}

/* Have standbys keep what their snapshots see until these have gone. The caller has AccessExclusiveLock. */
static void
tell_standbys(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	TransactionId horizon = RelationNeedsWAL(rel) && XLogStandbyInfoActive() ? last_removal(rel) : InvalidTransactionId;

	if (TransactionIdIsNormal(horizon))
		log_horizon(rel, with_epoch(horizon));
	table_close(rel, NoLock);
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
	if (!is_worth || !ConditionalLockRelationOid(relid, AccessExclusiveLock))
		return;
	tell_standbys(relid);
	rewrite_heap(relid);
}
