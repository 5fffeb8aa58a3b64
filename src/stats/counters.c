/*
 * counters.c
 *		The table that the reports' sums are kept in.
 *
 * A cell sums a measure up for a value in one dimension, over a quarter hour, a day of UTC or 32 of them, which is
 * enough to put any range of quarter hours together from few cells. The cells of a part of time are packed into rows,
 * see packed_cells.c, in the order of time. A part may have several rows: what is folded is put beside what there is, and the
 * rows are merged as they become many, see fold.c. A reader adds them.
 *
 * Statuses, priorities and channels stand in cells by their number in stat_values; what is an id, by itself.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/floor_div.h"
#include "base/plan.h"
#include "stats/counters.h"
#include "stats/histogram.h"

const TableColumn counter_columns[COUNTER_CELLS] = {
	{"measure", INT2OID, .always_set = true},
	{"dim", CHAROID, .always_set = true},
	{"level", INT2OID, .always_set = true},
	{"part", INT4OID, .always_set = true},
	{"entries", INT8OID, .always_set = true},
	{"cells", BYTEAOID, .always_set = true}
};

const TableColumn value_columns[VALUE_COLUMNS] = {
	{"code", INT4OID, .always_set = true},
	{"value", TEXTOID, .always_set = true}
};

const LevelInfo level_infos[LEVELS] = {
	[LEVEL_SLOT] = {1, SLOTS_IN_BLOCK},
	[LEVEL_DAY] = {SLOTS_IN_DAY, 512},
	[LEVEL_OCTAD] = {SLOTS_IN_OCTAD, 64},
	[LEVEL_BLOCK] = {SLOTS_IN_BLOCK, 16}
};

/* Of a value of more bytes those are fetched that are needed. */
#define LARGE_VALUE 16384

int64
part_of(int level, int64 node)
{
	return floor_div(node, level_infos[level].nodes_in_part);
}

CellFormat
format_of(Measure measure, int level, int64 part)
{
	const MeasureInfo *info = &measure_infos[measure];

	return (CellFormat) {
		.has_buckets = info->has_duration || info->has_pairs || (info->has_instants && level == LEVEL_SLOT),
		.has_seconds = info->has_seconds,
		.first_node = part * level_infos[level].nodes_in_part,
		.nodes = level_infos[level].nodes_in_part
	};
}

/*
 * Are the measure's cells kept at this level? Counts run full in a day, durations only in more: a day's have a cell
 * each, or nearly. What is read one by one needs the finest level alone.
 */
bool
has_level(Measure measure, int level)
{
	const MeasureInfo *info = &measure_infos[measure];

	if (level == LEVEL_SLOT || info->has_pairs)
		return level == LEVEL_SLOT;
	return level == LEVEL_BLOCK || (level == LEVEL_OCTAD) == info->has_duration;
}

/* The coarsest level at which they are kept. */
int
top_level(Measure measure)
{
	int			level = LEVELS - 1;

	while (!has_level(measure, level))
		level--;
	return level;
}

#define MAX_CODE (1024 * 1024)

/* Note a name under a number. Raises 55000 for one that we do not give. */
static void
add_code(ValueCodes *codes, const char *name, int code)
{
	if (code <= NO_VALUE || code > MAX_CODE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("support_internal.stat_values has number %d", code),
				 errhint("Delete the row: numbers are given from 1 to %d.", MAX_CODE)));
	if (code >= codes->allocated)
	{
		int			allocated = Max(codes->allocated * 2, code + 1);

		codes->names = repalloc(codes->names, sizeof(char *) * allocated);
		codes->hashes = repalloc(codes->hashes, sizeof(uint32) * allocated);
		memset(codes->names + codes->allocated, 0, sizeof(char *) * (allocated - codes->allocated));
		codes->allocated = allocated;
	}
	codes->names[code] = MemoryContextStrdup(codes->context, name);
	codes->hashes[code] = hash_bytes((const unsigned char *) name, (int) strlen(name));
	codes->n = Max(codes->n, code);
}

/* Read the numbers that a snapshot sees. They live in the current memory context. */
void
load_codes(ValueCodes *codes, Snapshot snapshot)
{
	Relation	rel = table_open(desk_relation("support_internal", "stat_values"), AccessShareLock);
	TableScanDesc scan;
	TupleTableSlot *slot;

	check_columns(rel, value_columns, VALUE_COLUMNS);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	slot = table_slot_create(rel, NULL);
	codes->context = CurrentMemoryContext;
	codes->allocated = 32;
	codes->names = palloc0(sizeof(char *) * codes->allocated);
	codes->hashes = palloc0(sizeof(uint32) * codes->allocated);
	codes->n = 0;
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		slot_getallattrs(slot);
		check_not_null(value_columns, VALUE_COLUMNS, "stat_values", slot->tts_isnull);
		add_code(codes, TextDatumGetCString(slot->tts_values[1]), DatumGetInt32(slot->tts_values[0]));
	}
	codes->known = codes->n;
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* The number of a name, which need not be terminated; one that has none gets the next. */
static uint64
code_of_bytes(ValueCodes *codes, const char *name, int length)
{
	uint32		hash;

	if (length == 0)
		return NO_VALUE;
	hash = hash_bytes((const unsigned char *) name, length);
	for (int code = 1; code <= codes->n; code++)
		if (codes->names[code] != NULL && codes->hashes[code] == hash &&
			strncmp(codes->names[code], name, length) == 0 && codes->names[code][length] == '\0')
			return code;
	add_code(codes, pnstrdup(name, length), codes->n + 1);
	return codes->n;
}

static uint64
code_of_name(ValueCodes *codes, const char *name)
{
	if (name == NULL)
		return NO_VALUE;
	/* one of ours, in most cases */
	for (int code = 1; code <= codes->n; code++)
		if (codes->names[code] == name)
			return code;
	return code_of_bytes(codes, name, (int) strlen(name));
}

/* A text as the codes have it, which lasts as long as they do. */
const char *
lasting_name(ValueCodes *codes, Datum name)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(name);
	uint64		code = code_of_bytes(codes, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));

	return code == NO_VALUE ? "" : codes->names[code];
}

/* An id may be any number; 0 is taken by none, and small ones stay small. */
static uint64
code_of_id(int64 id)
{
	return id == NO_STAT_ID ? NO_VALUE : zigzag(id) + 1;
}

/* The number that stands in cells for the row's value in a dimension. */
uint64
code_of(ValueCodes *codes, const StatRow *row, char dim)
{
	switch (dim)
	{
		case DIM_TEAM:
			return code_of_id(row->team_id);
		case DIM_ASSIGNEE:
			return code_of_id(row->assignee_id);
		case DIM_ORGANIZATION:
			return code_of_id(row->organization_id);
		case DIM_TAG:
			return code_of_id(row->tag_id);
		case DIM_USER:
			return code_of_id(row->agent_id);
		case DIM_PRIORITY:
			return code_of_name(codes, row->priority ? row->priority : "normal");
		case DIM_CHANNEL:
			return code_of_name(codes, row->channel);
		case DIM_STATUS:
			return code_of_name(codes, row->status);
		default:
			return NO_VALUE;
	}
}

/* The value that a number stands for. */
char *
name_of(const ValueCodes *codes, char dim, uint64 code)
{
	if (code == NO_VALUE)
		return "";
	if (dim == DIM_PRIORITY || dim == DIM_CHANNEL || dim == DIM_STATUS)
	{
		if (code > codes->n || codes->names[code] == NULL)
			refuse_cells();
		return codes->names[code];
	}
	return psprintf(INT64_FORMAT, unzigzag(code - 1));
}

/* What a row adds to a measure, at the finest level. False if it has no time. */
bool
base_cell(const StatRow *row, Measure measure, Cell *cell)
{
	const MeasureInfo *info = &measure_infos[measure];
	TimestampTz at;
	int64		seconds;

	stat_measure(row, measure, &at, &seconds);
	if (TIMESTAMP_NOT_FINITE(at))
		return false;
	cell->node = slot_of(at);
	if (info->has_duration)
		cell->bucket = histogram_bucket(seconds);
	else if (info->has_instants)
		cell->bucket = (uint32) (at - cell->node * SLOT_USECS);
	else
		cell->bucket = info->has_pairs ? (uint32) seconds : 0;
	cell->n = row->weight;
	if (!info->has_seconds)
		cell->seconds = 0;
	else if (pg_mul_s64_overflow(row->weight, seconds, &cell->seconds))
		refuse_sum();
	return true;
}

/* Hand on what a reader has in ranges of its part, of which there is one at least. */
static void
read_wanted(CellReader *reader, const NodeRange *ranges, int nranges, CellSink sink, void *arg)
{
	int			i = 0;

	cells_seek(reader, ranges[i].from);
	while (cells_next(reader))
	{
		if (reader->cell.node >= ranges[i].upto)
		{
			while (i < nranges && reader->cell.node >= ranges[i].upto)
				i++;
			if (i == nranges)
				return;
			/* what is at hand may lie in the range, else no segment before the range's is of use */
			if (reader->cell.node < ranges[i].from)
				cells_seek(reader, ranges[i].from);
		}
		if (reader->cell.node >= ranges[i].from)
			sink(arg, &ranges[i], &reader->cell);
	}
}

/* How many of the ranges end at a node or before it. */
static int
count_before(int64 node, const NodeRange *ranges, int nranges)
{
	int			low = 0;
	int			high = nranges;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (ranges[middle].upto <= node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The ranges that have nodes of a part. */
static RangeList
ranges_in_part(const CellFormat *format, NodeRange *ranges, int nranges)
{
	int64		end = format->first_node + format->nodes;
	int			from = count_before(format->first_node, ranges, nranges);
	int			upto = from + count_before(end, ranges + from, nranges - from);

	if (upto < nranges && ranges[upto].from < end)
		upto++;
	return (RangeList) {ranges + from, upto - from};
}

/* Open the table. Raises 55000 if it is not what we know. */
Relation
open_counters(LOCKMODE lockmode)
{
	Relation	counters = table_open(desk_relation("support_internal", "stat_counters"), lockmode);

	check_columns(counters, counter_columns, COUNTER_CELLS);
	return counters;
}

static bool
is_btree(Oid index)
{
	Relation	rel = index_open(index, AccessShareLock);
	bool		is = rel->rd_rel->relam == BTREE_AM_OID;

	index_close(rel, NoLock);
	return is;
}

/* Has the index, a btree, all rows of the table, by what keys_of_family() asks for? */
static bool
finds_families(Oid index, Relation counters)
{
	static const AttrNumber keys[] = {COUNTER_MEASURE, COUNTER_DIM, COUNTER_LEVEL, COUNTER_PART};
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		finds;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	finds = form->indrelid == RelationGetRelid(counters) && form->indisvalid && form->indnkeyatts >= lengthof(keys) &&
		memcmp(form->indkey.values, keys, sizeof(keys)) == 0 &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	ReleaseSysCache(tuple);
	return finds && is_btree(index);
}

/* The index of the table to find the rows of a family by, if it is there and serves: one may be building it anew. */
Oid
counters_index(Relation counters)
{
	Oid			index = get_relname_relid("ix_stat_counters_part", RelationGetNamespace(counters));

	return OidIsValid(index) && finds_families(index, counters) ? index : InvalidOid;
}

/* Keys for a scan of the rows of a family; two more may narrow it to parts. */
void
keys_of_family(ScanKey keys, uint32 family)
{
	ScanKeyInit(&keys[0], COUNTER_MEASURE, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(FAMILY_MEASURE(family)));
	ScanKeyInit(&keys[1], COUNTER_DIM, BTEqualStrategyNumber, F_CHAREQ, CharGetDatum(FAMILY_DIM(family)));
	ScanKeyInit(&keys[2], COUNTER_LEVEL, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(FAMILY_LEVEL(family)));
}

/*
 * Does it take longer to fetch all bytes of a value than to find and fetch those of some nodes? Not if they are most of
 * it.
 */
static bool
is_worth_slicing(struct varlena *cells, const CellFormat *format, int64 nodes)
{
	return nodes <= format->nodes / 4 * 3 && VARATT_IS_EXTERNAL_ONDISK(cells) &&
		toast_raw_datum_size(PointerGetDatum(cells)) > LARGE_VALUE;
}

/* An attribute of a row of the table. Raises 55000 for NULL. */
Datum
counter_attribute(HeapTuple tuple, int column, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);

	if (isnull)
		refuse_altered_column("support_internal.stat_counters", counter_columns[column - 1].name,
							  "is null where it must not be");
	return value;
}

/* Hand on a row's cells that are asked for. */
static void
read_row(HeapTuple tuple, TupleDesc desc, uint32 family, NodeRange *ranges, int nranges, CellSink sink, void *arg)
{
	int32		part = DatumGetInt32(counter_attribute(tuple, COUNTER_PART, desc));
	CellFormat	format = format_of(FAMILY_MEASURE(family), FAMILY_LEVEL(family), part);
	RangeList	list = ranges_in_part(&format, ranges, nranges);
	int64		first;
	int64		last;
	struct varlena *cells;
	CellReader	reader;

	if (list.n == 0)
		return;
	first = Max(list.ranges[0].from, format.first_node);
	last = Min(list.ranges[list.n - 1].upto, format.first_node + format.nodes) - 1;
	cells = (struct varlena *) DatumGetPointer(counter_attribute(tuple, COUNTER_CELLS, desc));
	if (is_worth_slicing(cells, &format, last - first + 1))
		cells_open_between(&reader, cells, &format, first, last);
	else
		cells_open(&reader, (bytea *) pg_detoast_datum_packed(cells), &format);
	read_wanted(&reader, list.ranges, list.n, sink, arg);
}

/* How many of the ranges lie in the same or neighbouring parts. */
static int
count_neighbours(int level, const NodeRange *ranges, int nranges)
{
	int			n = 1;

	while (n < nranges && ranges[n].from - ranges[n - 1].upto < level_infos[level].nodes_in_part)
		n++;
	return n;
}

/*
 * Hand on the cells that lie in ranges of nodes, which ascend and do not overlap. Those of the same key may come several
 * times, and in no order. The sink runs in a memory context that is reset at each row.
 */
void
read_cells(Relation rel, Oid index, Snapshot snapshot, uint32 family,
		   NodeRange *ranges, int nranges, CellSink sink, void *arg)
{
	int			level = FAMILY_LEVEL(family);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "support_ext counter", ALLOCSET_DEFAULT_SIZES);
	int			n;

	for (; nranges > 0; ranges += n, nranges -= n)
	{
		ScanKeyData keys[5];
		SysScanDesc scan;
		HeapTuple	tuple;

		n = count_neighbours(level, ranges, nranges);
		keys_of_family(keys, family);
		ScanKeyInit(&keys[3], COUNTER_PART, BTGreaterEqualStrategyNumber, F_INT4GE,
					Int32GetDatum((int32) part_of(level, ranges[0].from)));
		ScanKeyInit(&keys[4], COUNTER_PART, BTLessEqualStrategyNumber, F_INT4LE,
					Int32GetDatum((int32) part_of(level, ranges[n - 1].upto - 1)));
		scan = systable_beginscan(rel, index, OidIsValid(index), snapshot, lengthof(keys), keys);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			MemoryContext previous = MemoryContextSwitchTo(context);

			CHECK_FOR_INTERRUPTS();
			read_row(tuple, RelationGetDescr(rel), family, ranges, n, sink, arg);
			MemoryContextSwitchTo(previous);
			MemoryContextReset(context);
		}
		systable_endscan(scan);
	}
	MemoryContextDelete(context);
}
