/*
 * fold.c
 *		Adding up what changed.
 *
 * The triggers leave a row in stat_deltas for each change that matters to a report. Folding moves what these rows come
 * to into stat_counters and deletes them, in one transaction: whatever snapshot a reader has, it sees a row in one of the
 * two places. One session folds at a time, under an advisory lock that no application meets; it looks at the tables with
 * a snapshot taken after it has the lock, since what another one folded must not be folded again.
 *
 * Sums go into rows of stat_counters that lie beside those there are. Once a part has several rows of about one size,
 * they are merged into a larger one. So each sum is written anew a few times only, however many there are, and a part
 * has few rows.
 *
 * The rows are taken in portions: what they come to is kept at the finest level and stored once it fills work_mem. A
 * portion may end anywhere, since sums of the same key may lie in several rows.
 *
 * It starts by itself in a session that writes while so many rows wait, whoever left them, or that has written so many.
 * This never waits and never fails the change that it is part of: where anything stands in its way, be it that memory
 * ends, it leaves the rows to later. Nothing here runs through SPI, so neither do rights matter nor triggers fire.
 *
 * By itself it happens once in a transaction at most, and leaves the transaction's own rows: for each row that one
 * transaction adds and deletes the server keeps a note until the transaction ends, which a statement that changes
 * millions of tickets could not afford.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/floor_div.h"
#include "base/heap_writer.h"
#include "base/layout.h"
#include "base/plan.h"
#include "base/settings.h"
#include "base/subtransaction.h"
#include "stats/counters.h"
#include "stats/delta_shrink.h"
#include "stats/fold.h"
#include "stats/fold_wait.h"
#include "stats/stat_deltas.h"

/* A part has less rows than this of about the same size: as many become one. */
#define ROWS_IN_CLASS 4

/* A portion may have so many kB, whatever work_mem says: smaller ones are not worth their rows. */
#define LEAST_MEMORY 1024

/* What folds by itself takes at most so many times fold_every rows; the rest is left for the next time. */
#define MAX_AUTOMATIC 10

/* So often in fold_every rows, and at its first row, a session asks how many rows wait. */
#define LOOKS 10

/* So many rows are added up at the least where the table is too large for them, which has less than so many on a page. */
#define LEAST_TO_CLEAR 100
#define SPARSE_ROWS 8

static HeapTable counter_table = {.columns = counter_columns, .ncolumns = COUNTER_CELLS};
static HeapTable value_table = {.columns = value_columns, .ncolumns = VALUE_COLUMNS};

/* All dimensions. */
static const char all_dims[] = "-tapcosgu";

#define NDIMS (lengthof(all_dims) - 1)

/* One run. */
typedef struct Fold
{
	bool		is_automatic;	/* never waits, and leaves our own rows */
	int64		max_rows;
	int64		rows;			/* so far */
	Relation	counters;
	Oid			index;			/* of counters, by family and part */
	TupleTableSlot *slot;		/* for rows of counters */
	ValueCodes	codes;
	bool		counted[STAT_MEASURES][NDIMS];	/* by the measure's dimensions */
	CellArray	cells[STAT_MEASURES][NDIMS];	/* what the rows come to, at the finest level */
	int64		ncells;			/* in all of these */
	int64		max_cells;		/* of a portion, and of what is merged */
	MemoryContext cell_context; /* holds them */
	MemoryContext context;		/* lives as long as the run */
	MemoryContext part_context;	/* is reset at each part */
} Fold;

static int64 written;			/* rows of this session since it last folded or tried to */
static int64 until_look;		/* so many more until it asks how many wait */
static bool folding;
static LocalTransactionId tried_in; /* the transaction in which that was */

/* Of all sessions in the database one at a time gets past this, until its transaction ends. */
static bool
lock_folding(bool may_wait)
{
	LOCKTAG		tag;
	Oid			relid = desk_relation("support_internal", "stat_counters");

	/* advisory locks of applications have 1 or 2 in the last field */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, relid, 0, 3);
	if (LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
		return true;
	if (!may_wait)
		return false;
	tell_who_holds(relid);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	return true;
}

void
stat_stop_folding(void)
{
	(void) lock_folding(true);
}

/* Lock a table and its indexes for writing, if need be without waiting. */
static bool
lock_table(Oid relid, bool may_wait)
{
	Relation	rel;
	ListCell   *cell;
	bool		locked;

	locked = ConditionalLockRelationOid(relid, RowExclusiveLock);
	if (!locked && may_wait)
	{
		tell_who_holds(relid);
		LockRelationOid(relid, RowExclusiveLock);
	}
	if (!locked || may_wait)
		return may_wait;
	rel = table_open(relid, NoLock);
	foreach(cell, RelationGetIndexList(rel))
		locked = locked && ConditionalLockRelationOid(lfirst_oid(cell), RowExclusiveLock);
	table_close(rel, NoLock);
	return locked;
}

static bool
lock_tables(bool may_wait)
{
	return lock_table(desk_relation("support_internal", "stat_deltas"), may_wait) &&
		lock_table(desk_relation("support_internal", "stat_counters"), may_wait) &&
		lock_table(desk_relation("support_internal", "stat_values"), may_wait);
}

/* Make sure that a table takes rows directly. Raises 55000 if somebody has given it what that cannot serve. */
static void
prepare_table(HeapTable *table, Relation rel)
{
	if (!know_table(table, rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table support_internal.%s has been changed", RelationGetRelationName(rel)),
				 errhint("Take triggers, rules, constraints, unique indexes and columns away that are not of the desk.")));
}

/* Did this transaction add the row? */
static bool
is_ours(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);

	return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

/*
 * Delete a row that our snapshot sees. False if another transaction has done so, or is about to and we do not wait: what
 * the row holds is then not ours to move.
 */
static bool
delete_row(Relation rel, ItemPointer tid, bool may_wait)
{
	TM_FailureData failure;

	return table_tuple_delete(rel, tid, GetCurrentCommandId(true), GetActiveSnapshot(), InvalidSnapshot, may_wait,
							  &failure, false) == TM_Ok;
}

/* A row of the part that is stored. */
typedef struct PartRow
{
	ItemPointerData tid;
	int64		entries;
} PartRow;

/* Smallest first. */
static int
compare_part_rows(const void *a, const void *b)
{
	int64		left = ((const PartRow *) a)->entries;
	int64		right = ((const PartRow *) b)->entries;

	return left < right ? -1 : left > right ? 1 : 0;
}

/* Find the rows that a part has. */
static PartRow *
find_part_rows(Fold *fold, uint32 family, int64 part, int *n)
{
	int			allocated = 16;
	PartRow    *rows = palloc(sizeof(PartRow) * allocated);
	ScanKeyData keys[4];
	SysScanDesc scan;
	HeapTuple	tuple;

	*n = 0;
	keys_of_family(keys, family);
	ScanKeyInit(&keys[3], COUNTER_PART, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum((int32) part));
	scan = systable_beginscan(fold->counters, fold->index, OidIsValid(fold->index), GetActiveSnapshot(),
							  lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (*n == allocated)
			rows = repalloc(rows, sizeof(PartRow) * (allocated *= 2));
		rows[*n].entries = DatumGetInt64(counter_attribute(tuple, COUNTER_ENTRIES, RelationGetDescr(fold->counters)));
		rows[(*n)++].tid = tuple->t_self;
	}
	systable_endscan(scan);
	qsort(rows, *n, sizeof(PartRow), compare_part_rows);
	return rows;
}

/* Rows of one class have a number of entries between two powers. */
static int
class_of(int64 entries)
{
	int			class = 0;

	for (; entries >= ROWS_IN_CLASS; entries /= ROWS_IN_CLASS)
		class++;
	return class;
}

/* How many of the rows, the smallest, are to be taken into one of so many entries, which may come to have so many. */
static int
count_small_rows(const PartRow *rows, int nrows, int64 entries, int64 max_entries)
{
	int			class = class_of(entries);
	int			n = 0;

	while (n < nrows && class_of(rows[n].entries) <= class && (entries += rows[n].entries) <= max_entries)
		n++;
	return n >= ROWS_IN_CLASS - 1 ? n : 0;
}

/* Add a row of cells to a part. */
static void
add_counter(Fold *fold, const CellArray *cells, uint32 family, int64 part, const CellFormat *format)
{
	Datum		values[] = {
		Int16GetDatum(FAMILY_MEASURE(family)),
		CharGetDatum(FAMILY_DIM(family)),
		Int16GetDatum(FAMILY_LEVEL(family)),
		Int32GetDatum((int32) part),
		Int64GetDatum(cells->n),
		PointerGetDatum(cells_pack(cells->cells, cells->n, format))
	};
	bool		nulls[lengthof(values)] = {false};

	add_row(&counter_table, fold->counters, values, nulls);
}

/* Take a stored row's cells into sums. */
static void
merge_row(Fold *fold, ItemPointer tid, const CellFormat *format, CellArray *sum)
{
	Relation	rel = fold->counters;
	TupleTableSlot *slot = fold->slot;
	CellReader	reader;

	if (!delete_row(rel, tid, !fold->is_automatic))
		return;
	/* it is deleted: what it holds would be lost */
	if (!table_tuple_fetch_row_version(rel, tid, GetActiveSnapshot(), slot))
		elog(ERROR, "a row of stat_counters is no longer there");
	slot_getallattrs(slot);
	check_not_null(counter_columns, COUNTER_CELLS, "stat_counters", slot->tts_isnull);
	cells_open(&reader, DatumGetByteaPP(slot->tts_values[COUNTER_CELLS - 1]), format);
	cells_merge(sum, &reader);
	ExecClearTuple(slot);
}

/*
 * Store what is to be added to a part: sums, in order. Where there are many rows of its size or less, they are taken
 * into it, and so on for what this comes to. What is left of all may be nothing.
 */
static void
store_part(Fold *fold, uint32 family, const Cell *cells, int64 n)
{
	int			level = FAMILY_LEVEL(family);
	int64		part = part_of(level, cells->node);
	CellFormat	format = format_of(FAMILY_MEASURE(family), level, part);
	MemoryContext previous = MemoryContextSwitchTo(fold->part_context);
	CellArray	sum;
	PartRow    *rows;
	int			nrows;
	int			i = 0;
	int			n_small;

	CHECK_FOR_INTERRUPTS();
	cells_init(&sum, fold->part_context);
	for (int64 i = 0; i < n; i++)
		*cells_add(&sum) = cells[i];
	rows = find_part_rows(fold, family, part, &nrows);
	while ((n_small = count_small_rows(rows + i, nrows - i, sum.n, fold->max_cells)) > 0)
		for (int upto = i + n_small; i < upto; i++)
			merge_row(fold, &rows[i].tid, &format, &sum);
	if (sum.n > 0)
		add_counter(fold, &sum, family, part, &format);
	MemoryContextSwitchTo(previous);
	MemoryContextReset(fold->part_context);
}

/* Put names into the table that got their numbers in this run. */
static void
store_codes(Fold *fold)
{
	ValueCodes *codes = &fold->codes;
	Relation	rel;

	if (codes->known == codes->n)
		return;
	rel = table_open(desk_relation("support_internal", "stat_values"), NoLock);
	prepare_table(&value_table, rel);
	for (int code = codes->known + 1; code <= codes->n; code++)
	{
		Datum		values[] = {Int32GetDatum(code), CStringGetTextDatum(codes->names[code])};
		bool		nulls[lengthof(values)] = {false};

		add_row(&value_table, rel, values, nulls);
	}
	codes->known = codes->n;
	table_close(rel, NoLock);
}

/* Store the sums of a family, a part at a time. */
static void
store_family(Fold *fold, uint32 family, const CellArray *array)
{
	int			level = FAMILY_LEVEL(family);
	int64		upto;

	for (int64 from = 0; from < array->n; from = upto)
	{
		int64		part = part_of(level, array->cells[from].node);

		for (upto = from + 1; upto < array->n; upto++)
			if (part_of(level, array->cells[upto].node) != part)
				break;
		store_part(fold, family, &array->cells[from], upto - from);
	}
}

/* Make sums of longer stretches of time from those of a level. */
static void
coarsen(CellArray *array, int64 nodes, bool has_instants)
{
	for (int64 i = 0; i < array->n; i++)
	{
		Cell	   *cell = &array->cells[i];

		cell->node = floor_div(cell->node, nodes);
		if (has_instants)
			cell->bucket = 0;
	}
	cells_sum(array);
}

/* Store what a measure comes to in a dimension, level by level. */
static void
store_levels(Fold *fold, Measure measure, char dim, CellArray *array)
{
	int64		slots = level_infos[LEVEL_SLOT].slots;

	cells_sum(array);
	store_family(fold, FAMILY(measure, dim, LEVEL_SLOT), array);
	for (int level = LEVEL_SLOT + 1; level < LEVELS; level++)
	{
		if (!has_level(measure, level))
			continue;
		coarsen(array, level_infos[level].slots / slots, measure_infos[measure].has_instants);
		slots = level_infos[level].slots;
		store_family(fold, FAMILY(measure, dim, level), array);
	}
}

/* Store all cells. What is stored is then seen by our snapshot. */
static void
store_cells(Fold *fold)
{
	for (int measure = 0; measure < STAT_MEASURES; measure++)
		for (int dim = 0; dim < NDIMS; dim++)
			if (fold->cells[measure][dim].n > 0)
				store_levels(fold, measure, all_dims[dim], &fold->cells[measure][dim]);
	MemoryContextReset(fold->cell_context);
	memset(fold->cells, 0, sizeof(fold->cells));
	fold->ncells = 0;
	store_codes(fold);
	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
}

/* The portion is full: add up what has the same key, and store all unless that made much room. */
static void
make_room(Fold *fold)
{
	fold->ncells = 0;
	for (int measure = 0; measure < STAT_MEASURES; measure++)
		for (int dim = 0; dim < NDIMS; dim++)
		{
			CellArray  *array = &fold->cells[measure][dim];

			if (array->n > 0)
				cells_sum(array);
			fold->ncells += array->n;
		}
	if (fold->ncells > fold->max_cells / 2)
		store_cells(fold);
}

/* Add a cell of a row in one dimension. */
static void
add_cell(Fold *fold, Measure measure, int dim, uint64 value, const Cell *base)
{
	CellArray  *array = &fold->cells[measure][dim];
	Cell	   *cell;

	if (array->cells == NULL)
		cells_init(array, fold->cell_context);
	cell = cells_add(array);
	*cell = *base;
	cell->value = value;
	fold->ncells++;
}

/* Add what a row comes to. */
static void
add_delta(Fold *fold, const StatRow *row)
{
	bool		is_tag = row->tag_id != NO_STAT_ID;
	uint64		codes[NDIMS];

	for (int dim = 0; dim < NDIMS; dim++)
		codes[dim] = code_of(&fold->codes, row, all_dims[dim]);
	for (int measure = 0; measure < STAT_MEASURES; measure++)
	{
		Cell		base;

		if (!(row->measures & STAT_BIT(measure)) || !base_cell(row, measure, &base))
			continue;
		for (int dim = 0; dim < NDIMS; dim++)
			if (is_tag == (all_dims[dim] == DIM_TAG) && fold->counted[measure][dim])
				add_cell(fold, measure, dim, codes[dim], &base);
	}
}

/* Take the rows that the active snapshot sees out of stat_deltas and store what they come to. */
static void
move_deltas(Fold *fold)
{
	DeltaScan	scan;
	StatRow		row;

	open_deltas(&scan, NoLock, GetActiveSnapshot(), PG_UINT32_MAX, &fold->codes);
	while (fold->rows < fold->max_rows && next_delta(&scan, &row))
	{
		if (fold->is_automatic && is_ours(scan.slot))
			continue;
		if (!delete_row(scan.rel, &scan.slot->tts_tid, !fold->is_automatic))
			continue;
		fold->rows++;
		add_delta(fold, &row);
		if (fold->ncells > fold->max_cells)
			make_room(fold);
	}
	close_deltas(&scan, NoLock);
	store_cells(fold);
}

/* Fold, with the lock and a snapshot that is younger than it. */
static void
run_fold(Fold *fold)
{
	MemoryContext previous;

	fold->context = AllocSetContextCreate(CurrentMemoryContext, "support_ext fold", ALLOCSET_DEFAULT_SIZES);
	fold->cell_context = AllocSetContextCreate(fold->context, "support_ext cells", ALLOCSET_DEFAULT_SIZES);
	fold->part_context = AllocSetContextCreate(fold->context, "support_ext part", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(fold->context);
	/* an array has room for twice its cells at most */
	fold->max_cells = Max(work_mem, LEAST_MEMORY) * INT64CONST(1024) / (2 * (int64) sizeof(Cell));
	CommandCounterIncrement();
	PushCopiedSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	fold->counters = open_counters(NoLock);
	fold->index = counters_index(fold->counters);
	prepare_table(&counter_table, fold->counters);
	fold->slot = table_slot_create(fold->counters, NULL);
	load_codes(&fold->codes, GetActiveSnapshot());
	for (int measure = 0; measure < STAT_MEASURES; measure++)
		for (int dim = 0; dim < NDIMS; dim++)
			fold->counted[measure][dim] = strchr(measure_infos[measure].dims, all_dims[dim]) != NULL;
	move_deltas(fold);
	ExecDropSingleTupleTableSlot(fold->slot);
	table_close(fold->counters, NoLock);
	PopActiveSnapshot();
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(fold->context);
	/* let others know soon that the rows do not wait any longer */
	pgstat_force_next_flush();
}

/* Add up all that is visible and return how many rows that were. Waits for others who do the same. */
int64
stat_fold_all(void)
{
	Fold	   *fold = palloc0(sizeof(Fold));
	int64		rows;

	/* such a transaction may not see what others have folded already */
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("what changed cannot be added up in a transaction that is REPEATABLE READ or SERIALIZABLE"),
				 errhint("Call it in a READ COMMITTED transaction. Reports are exact without it.")));
	(void) lock_folding(true);
	(void) lock_tables(true);
	/* the desk may have become another while this waited */
	check_layout();
	fold->max_rows = PG_INT64_MAX;
	run_fold(fold);
	rows = fold->rows;
	pfree(fold);
	return rows;
}

/* The automatic one, inside a subtransaction. Where it fails, its memory is free before anybody needs some. */
static void
fold_by_itself(void *arg)
{
	Fold	   *fold = arg;

	if (!lock_folding(false) || !lock_tables(false))
		return;
	PG_TRY();
	{
		run_fold(fold);
	}
	PG_CATCH();
	{
		if (fold->context != NULL)
			MemoryContextDelete(fold->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* Fold if nothing stands in the way. */
static void
try_to_fold(void)
{
	Fold	   *fold = palloc0(sizeof(Fold));
	ErrorData  *refusal;

	fold->is_automatic = true;
	fold->max_rows = (int64) fold_every * MAX_AUTOMATIC;
	folding = true;
	PG_TRY();
	{
		refusal = attempt_spare(fold_by_itself, fold);
	}
	PG_FINALLY();
	{
		folding = false;
	}
	PG_END_TRY();
	if (refusal != NULL)
		ereport(LOG,
				(errcode(refusal->sqlerrcode),
				 errmsg("could not add up what changed: %s", refusal->message),
				 refusal->hint != NULL ? errhint("%s", refusal->hint) : 0));
}

/*
 * How many rows wait, as far as the server's statistics tell: those of transactions that have ended and been reported,
 * without a look at the table. 0 where to ask would have all statistics copied.
 */
static int64
count_waiting(void)
{
	const PgStat_StatTabEntry *entry;

	if (pgstat_fetch_consistency == PGSTAT_FETCH_CONSISTENCY_SNAPSHOT)
		return 0;
	entry = pgstat_fetch_stat_tabentry(desk_relation("support_internal", "stat_deltas"));
	return entry == NULL ? 0 : live_tuples_of(entry);
}

/*
 * Is the table much larger than the rows that wait? Vacuum cannot cut it off before the last of them: they are to go. Few
 * of them are not worth it, since each session would find some.
 */
static bool
is_sparse(int64 waiting)
{
	Relation	rel;
	BlockNumber pages;

	if (waiting < LEAST_TO_CLEAR)
		return false;
	rel = table_open(desk_relation("support_internal", "stat_deltas"), NoLock);
	pages = RelationGetNumberOfBlocks(rel);
	table_close(rel, NoLock);
	return pages > SPARSE_PAGES && waiting / SPARSE_ROWS < pages;
}

/* Is it time to add up? A session asks now and then how many rows wait; what it has written itself it knows. */
static bool
is_due(void)
{
	int64		waiting;

	if (++written >= fold_every)
		return true;
	if (--until_look > 0)
		return false;
	until_look = Max(fold_every / LOOKS, 1);
	waiting = count_waiting();
	return waiting >= fold_every || is_sparse(waiting);
}

/* To be called after each row that is added to stat_deltas: once enough of them wait, this adds up what others left. */
void
stat_written(void)
{
	if (fold_every == 0 || !is_due() || folding || tried_in == current_lxid())
		return;
	if (IsolationUsesXactSnapshot() || IsInParallelMode())
		return;
	written = 0;
	tried_in = current_lxid();
	try_to_fold();
}

/* fold_stats(actor_id) -> rows that were added up */
PG_FUNCTION_INFO_V1(support_fold_stats);
Datum
support_fold_stats(PG_FUNCTION_ARGS)
{
	int64		rows;
	Call		call;

	PreventCommandIfReadOnly("fold_stats()");
	begin_call(&call, fcinfo, 0);
	check_layout();
	rows = stat_fold_all();
	stat_shrink_deltas();
	end_call(&call);
	PG_RETURN_INT64(rows);
}
