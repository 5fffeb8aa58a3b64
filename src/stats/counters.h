/*
 * counters.h
 *		The table that the reports' sums are kept in.
 */
#ifndef SUPPORT_COUNTERS_H
#define SUPPORT_COUNTERS_H

#include "access/htup.h"
#include "access/skey.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "base/heap_writer.h"
#include "stats/packed_cells.h"
#include "stats/stats.h"

/* Time is counted in quarter hours, days of 96 of them, 8 days and blocks of 32, from 2000-01-01 in UTC. */
enum
{
	LEVEL_SLOT,
	LEVEL_DAY,
	LEVEL_OCTAD,
	LEVEL_BLOCK,
	LEVELS
};

typedef struct LevelInfo
{
	int64		slots;			/* of a node */
	int64		nodes_in_part;	/* a part has its own rows */
} LevelInfo;

extern const LevelInfo level_infos[LEVELS];

/* The columns of stat_counters, in its order. */
enum
{
	COUNTER_MEASURE = 1,
	COUNTER_DIM,
	COUNTER_LEVEL,
	COUNTER_PART,
	COUNTER_ENTRIES,
	COUNTER_CELLS
};

extern const TableColumn counter_columns[COUNTER_CELLS];

/* How many columns stat_values has: number and name. */
#define VALUE_COLUMNS 2

extern const TableColumn value_columns[VALUE_COLUMNS];

#define SLOTS_IN_DAY 96
#define SLOTS_IN_OCTAD (8 * SLOTS_IN_DAY)
#define SLOTS_IN_BLOCK (32 * SLOTS_IN_DAY)

/* All slots there can be lie between; these begin a block. */
#define FIRST_SLOT (-(INT64CONST(1) << 24) * SLOTS_IN_BLOCK)
#define LAST_SLOT ((INT64CONST(1) << 24) * SLOTS_IN_BLOCK)

/* What a family of cells belongs to. */
#define FAMILY(measure, dim, level) ((uint32) (measure) << 16 | (uint32) (uint8) (dim) << 8 | (uint32) (level))
#define FAMILY_MEASURE(family) ((Measure) ((family) >> 16))
#define FAMILY_DIM(family) ((char) ((family) >> 8 & 0xff))
#define FAMILY_LEVEL(family) ((int) ((family) & 0xff))

/* Names and their numbers. */
typedef struct ValueCodes
{
	char	  **names;			/* by number, from 1; NULL for a number that is not there */
	uint32	   *hashes;			/* of the names */
	int			n;				/* the highest number */
	int			allocated;
	int			known;			/* those up to here are in the table */
	MemoryContext context;
} ValueCodes;

#define NO_VALUE 0				/* the number of none */

extern int64 part_of(int level, int64 node);
extern CellFormat format_of(Measure measure, int level, int64 part);
extern bool has_level(Measure measure, int level);
extern int	top_level(Measure measure);

extern void load_codes(ValueCodes *codes, Snapshot snapshot);
extern const char *lasting_name(ValueCodes *codes, Datum name);
extern uint64 code_of(ValueCodes *codes, const StatRow *row, char dim);
extern char *name_of(const ValueCodes *codes, char dim, uint64 code);
extern bool base_cell(const StatRow *row, Measure measure, Cell *cell);

/* A stretch of nodes, and what the caller wants it for. */
typedef struct NodeRange
{
	int64		from;
	int64		upto;
	int64		place;
	int64		less_place;
	bool		adds;			/* what lies in it is to be added to place */
	bool		takes;			/* and taken away from less_place */
} NodeRange;

/* Stretches of one level, which ascend and do not overlap. */
typedef struct RangeList
{
	NodeRange  *ranges;
	int			n;
} RangeList;

typedef void (*CellSink) (void *arg, const NodeRange *range, const Cell *cell);

extern Relation open_counters(LOCKMODE lockmode);
extern Oid	counters_index(Relation counters);
extern Datum counter_attribute(HeapTuple tuple, int column, TupleDesc desc);
extern void keys_of_family(ScanKey keys, uint32 family);
extern void read_cells(Relation rel, Oid index, Snapshot snapshot, uint32 family,
					   NodeRange *ranges, int nranges, CellSink sink, void *arg);

#endif							/* SUPPORT_COUNTERS_H */
