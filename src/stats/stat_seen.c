/*
 * stat_seen.c
 *		The rows of stat_deltas that a snapshot sees, kept from one reader to the next.
 *
 * A report calls several readers and the dashboard many, all of which would scan the table for the same rows. What is
 * kept serves another reader in the same transaction whose snapshot has the same bounds and lists, as long as the
 * transaction has written nothing, anywhere: what is visible depends on these then, and on nothing else. Once it has
 * written, its own rows come and go with commands and savepoints, and each reader looks for itself.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "stats/stat_deltas.h"
#include "stats/stat_seen.h"

/* What is kept, in a memory context of its own that goes with the transaction. */
typedef struct Kept
{
	MemoryContext context;
	Oid			relid;
	SnapshotData snapshot;		/* what visibility depends on */
	bool		is_whole;		/* there were not too many rows */
	Seen		seen;
} Kept;

static Kept *kept;
static LocalTransactionId kept_in = InvalidLocalTransactionId;	/* the transaction that kept belongs to */

/* Somebody may have emptied the table without heed of snapshots. */
static void
forget_seen(Oid relid)
{
	if (kept_in != InvalidLocalTransactionId && kept_in == current_lxid() &&
		(!OidIsValid(relid) || relid == kept->relid))
		kept->relid = InvalidOid;
}

static bool
same_xids(const TransactionId *a, const TransactionId *b, int n)
{
	return n == 0 || memcmp(a, b, sizeof(TransactionId) * n) == 0;
}

/* Do they see the same, in a transaction that has written nothing? */
static bool
same_snapshot(const SnapshotData *a, const SnapshotData *b)
{
	return a->snapshot_type == SNAPSHOT_MVCC && b->snapshot_type == SNAPSHOT_MVCC &&
		a->xmin == b->xmin && a->xmax == b->xmax &&
		a->xcnt == b->xcnt && a->subxcnt == b->subxcnt &&
		a->suboverflowed == b->suboverflowed && a->takenDuringRecovery == b->takenDuringRecovery &&
		same_xids(a->xip, b->xip, a->xcnt) && same_xids(a->subxip, b->subxip, a->subxcnt);
}

static TransactionId *
copy_xids(const TransactionId *xids, int n)
{
	TransactionId *copy = palloc(sizeof(TransactionId) * Max(n, 1));

	if (n > 0)
		memcpy(copy, xids, sizeof(TransactionId) * n);
	return copy;
}

/* Find the rows of each measure: few readers want many of them. */
static void
order_rows(Seen *seen)
{
	int64		next[STAT_MEASURES] = {0};
	int64		n = 0;

	for (int64 i = 0; i < seen->n; i++)
		for (uint32 rest = seen->rows[i].measures; rest != 0; rest &= rest - 1)
			next[pg_rightmost_one_pos32(rest)]++;
	for (int measure = 0; measure < STAT_MEASURES; measure++)
	{
		seen->begins[measure] = n;
		n += next[measure];
		next[measure] = seen->begins[measure];
	}
	seen->begins[STAT_MEASURES] = n;
	seen->order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * Max(n, 1));
	for (int64 i = 0; i < seen->n; i++)
		for (uint32 rest = seen->rows[i].measures; rest != 0; rest &= rest - 1)
			seen->order[next[pg_rightmost_one_pos32(rest)]++] = (int32) i;
}

/* Read all rows, unless they take more memory than a query should. */
static void
read_rows(Kept *keep, Snapshot snapshot)
{
	Seen	   *seen = &keep->seen;
	int64		most = Min(work_mem * INT64CONST(1024) / (int64) sizeof(StatRow), PG_INT32_MAX);
	int64		allocated = 64;
	DeltaScan	scan;

	seen->rows = palloc(sizeof(StatRow) * allocated);
	keep->is_whole = true;
	open_deltas(&scan, AccessShareLock, snapshot, PG_UINT32_MAX, &seen->codes);
	for (;; seen->n++)
	{
		StatRow    *row;

		if (seen->n == allocated)
			seen->rows = repalloc_huge(seen->rows, sizeof(StatRow) * (allocated *= 2));
		row = &seen->rows[seen->n];
		if (!next_delta(&scan, row))
			break;
		if (seen->n == most)
		{
			keep->is_whole = false;
			break;
		}
		row->measures &= STAT_BIT(STAT_MEASURES) - 1;
	}
	close_deltas(&scan, AccessShareLock);
	if (keep->is_whole)
		order_rows(seen);
	else
		pfree(seen->rows);
}

/* Make what is to be kept of a snapshot. */
static Kept *
keep_rows(Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "support_ext seen", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(context);
	Kept	   *keep = palloc0(sizeof(Kept));

	keep->context = context;
	keep->relid = desk_relation("support_internal", "stat_deltas");
	keep->snapshot = *snapshot;
	keep->snapshot.xip = copy_xids(snapshot->xip, snapshot->xcnt);
	keep->snapshot.subxip = copy_xids(snapshot->subxip, snapshot->subxcnt);
	load_codes(&keep->seen.codes, snapshot);
	read_rows(keep, snapshot);
	MemoryContextSwitchTo(previous);
	return keep;
}

/*
 * What a snapshot sees of the table, until the next call; NULL if that cannot be kept. The numbers of names are for the
 * rows, and for what the snapshot sees of stat_counters.
 */
Seen *
deltas_seen(Snapshot snapshot)
{
	bool		is_ours = kept_in != InvalidLocalTransactionId && kept_in == current_lxid();

	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return NULL;
	if (!is_ours || kept->relid != desk_relation("support_internal", "stat_deltas") ||
		!same_snapshot(&kept->snapshot, snapshot))
	{
		kept_in = InvalidLocalTransactionId;
		if (is_ours)
			MemoryContextDelete(kept->context);
		kept = keep_rows(snapshot);
		kept_in = current_lxid();
	}
	return kept->is_whole ? &kept->seen : NULL;
}

void
stat_seen_init(void)
{
	static SessionCache cache = {.relation_changed = forget_seen};

	add_session_cache(&cache);
}
