/*
 * packed_cells.h
 *		Sums by time and value, sorted and packed.
 */
#ifndef SUPPORT_PACKED_CELLS_H
#define SUPPORT_PACKED_CELLS_H

#include "common/int.h"
#include "utils/palloc.h"

#include "base/compat.h"
#include "base/varint.h"

/* A sum: of what happened in a node of time, for a value, in a bucket of durations. */
typedef struct Cell
{
	int64		node;			/* which stretch of time, counted in the level's length */
	uint64		value;
	uint32		bucket;			/* of a histogram, or distance to the event before, or microseconds, or 0 */
	int64		n;
	int64		seconds;
} Cell;

/* Cells under construction. */
typedef struct CellArray
{
	Cell	   *cells;
	int64		n;
	int64		allocated;
	MemoryContext context;		/* holds them */
} CellArray;

/* What cells that are packed together have, and where in time they may lie. */
typedef struct CellFormat
{
	bool		has_buckets;
	bool		has_seconds;
	int64		first_node;
	int64		nodes;			/* so many, from first_node */
} CellFormat;

/* Reading packed cells in their order: by node, value and bucket. */
typedef struct CellReader
{
	const CellFormat *format;
	const uint8 *start;			/* the first segment */
	const uint8 *at;
	const uint8 *end;
	const uint8 *directory;		/* where the segments begin, if there are several */
	int			nsegments;
	uint32		size;			/* of all segments together */
	uint32		skipped;		/* so many bytes of them lie before start, and are not at hand */
	int			last_segment;	/* that is at hand */
	int			segment;
	const uint8 *segment_end;
	Cell		cell;			/* the last one read */
} CellReader;

extern void cells_init(CellArray *array, MemoryContext context);
extern Cell *cells_add(CellArray *array);
extern void cells_sum(CellArray *array);
extern void cells_merge(CellArray *array, CellReader *reader);

extern bytea *cells_pack(const Cell *cells, int64 n, const CellFormat *format);
extern void cells_open(CellReader *reader, const bytea *packed, const CellFormat *format);
extern void cells_open_between(CellReader *reader, struct varlena *toasted, const CellFormat *format,
							   int64 first, int64 last);
extern void cells_seek(CellReader *reader, int64 node);

/* For cells_next(), which is called for each of very many cells. */
extern void enter_segment(CellReader *reader, int segment);
pg_noreturn extern void refuse_cells(void);
pg_noreturn extern void refuse_sum(void);

/* Add to a sum. Raises 22003 if a bigint does not hold what comes of it. */
static inline void
add_to_sum(int64 *sum, int64 n)
{
	if (unlikely(pg_add_s64_overflow(*sum, n, sum)))
		refuse_sum();
}

static inline uint64
read_number(CellReader *reader)
{
	const uint8 *at = reader->at;
	uint64		number;

	if (!read_varint(&at, reader->segment_end, &number))
		refuse_cells();
	reader->at = at;
	return number;
}

/* Read the next cell; false after the last one. */
static inline bool
cells_next(CellReader *reader)
{
	Cell	   *cell = &reader->cell;
	uint64		step;
	bool		is_one;

	while (reader->at == reader->segment_end)
	{
		if (reader->segment == reader->last_segment)
			return false;
		enter_segment(reader, reader->segment + 1);
	}
	step = read_number(reader);
	is_one = step & 1;
	step >>= 1;
	if (step > 0)
	{
		cell->node += step;
		cell->value = 0;
		cell->bucket = 0;
	}
	step = read_number(reader);
	if (step > 0)
	{
		cell->value += step;
		cell->bucket = 0;
	}
	if (reader->format->has_buckets)
		cell->bucket += (uint32) read_number(reader);
	cell->n = is_one ? 1 : unzigzag(read_number(reader));
	if (reader->format->has_seconds)
		cell->seconds = unzigzag(read_number(reader));
	return true;
}

#endif							/* SUPPORT_PACKED_CELLS_H */
