/*
 * packed_cells.c
 *		Sums by time and value, sorted and packed.
 *
 * Packed, a cell takes a few bytes: the difference of its key to the one before, and its sums, all in as many bytes as
 * the number needs (seven bits each). The time comes first in the key, so a reader that asks for a stretch of time
 * finds it in one place. Where there are many cells they lie in segments of equal time, and a directory tells where each
 * begins.
 *
 * The bytes: version, number of segments, where each segment begins after the directory if there are more than one,
 * four bytes each, high byte first; then the cells.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "lib/stringinfo.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "stats/packed_cells.h"

#define CELLS_VERSION 1
#define MAX_SEGMENTS 128			/* a quarter of a day's quarter hours each, the days of most zones begin near one */
#define CELLS_FOR_DIRECTORY 1024	/* fewer are read through */
#define HEADER_SIZE 2

/* How many bytes precede the cells. */
#define HEAD_SIZE(nsegments) (HEADER_SIZE + ((nsegments) > 1 ? (nsegments) * sizeof(uint32) : 0))

/* By time, value and bucket. */
static inline int
compare_cells(const Cell *a, const Cell *b)
{
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	return 0;
}

/* A cell's key in one number, and where the cell is. */
typedef struct ShortKey
{
	uint64		key;
	int64		index;
} ShortKey;

#define ST_SORT sort_cells
#define ST_ELEMENT_TYPE Cell
#define ST_COMPARE(a, b) compare_cells(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_short_keys
#define ST_ELEMENT_TYPE ShortKey
#define ST_COMPARE(a, b) ((a)->key < (b)->key ? -1 : (a)->key > (b)->key)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
cells_init(CellArray *array, MemoryContext context)
{
	array->context = context;
	array->n = 0;
	array->allocated = 64;
	array->cells = MemoryContextAlloc(context, sizeof(Cell) * array->allocated);
}

/* Room for one more cell, for the caller to fill in. */
Cell *
cells_add(CellArray *array)
{
	if (array->n == array->allocated)
	{
		array->allocated *= 2;
		array->cells = repalloc_huge(array->cells, sizeof(Cell) * array->allocated);
	}
	return &array->cells[array->n++];
}

/* Bits that a number takes. */
static int
bits_of(uint64 number)
{
	return number == 0 ? 0 : pg_leftmost_one_pos64(number) + 1;
}

/* Sort by keys of one number each, which takes half as long; false if keys do not fit in. */
static bool
sort_by_short_keys(CellArray *array)
{
	int64		first = PG_INT64_MAX;
	int64		last = PG_INT64_MIN;
	uint64		values = 0;
	uint32		buckets = 0;
	int			bucket_bits;
	int			value_bits;
	ShortKey   *keys;
	Cell	   *sorted;

	for (int64 i = 0; i < array->n; i++)
	{
		first = Min(first, array->cells[i].node);
		last = Max(last, array->cells[i].node);
		values |= array->cells[i].value;
		buckets |= array->cells[i].bucket;
	}
	bucket_bits = bits_of(buckets);
	value_bits = bits_of(values);
	if (bucket_bits + value_bits + bits_of(last - first) > 63)
		return false;
	keys = MemoryContextAllocHuge(array->context, sizeof(ShortKey) * array->n);
	for (int64 i = 0; i < array->n; i++)
	{
		const Cell *cell = &array->cells[i];

		keys[i].key = ((uint64) (cell->node - first) << value_bits | cell->value) << bucket_bits | cell->bucket;
		keys[i].index = i;
	}
	sort_short_keys(keys, array->n);
	sorted = MemoryContextAllocHuge(array->context, sizeof(Cell) * array->allocated);
	for (int64 i = 0; i < array->n; i++)
		sorted[i] = array->cells[keys[i].index];
	pfree(keys);
	pfree(array->cells);
	array->cells = sorted;
	return true;
}

/* Sort the cells, add up those of equal keys, and drop what comes to nothing. */
void
cells_sum(CellArray *array)
{
	Cell	   *cells;
	int64		sums = 0;

	if (array->n > 1 && !sort_by_short_keys(array))
		sort_cells(array->cells, array->n);
	cells = array->cells;
	for (int64 i = 0; i < array->n;)
	{
		Cell		sum = cells[i++];

		while (i < array->n && compare_cells(&sum, &cells[i]) == 0)
		{
			add_to_sum(&sum.n, cells[i].n);
			add_to_sum(&sum.seconds, cells[i++].seconds);
		}
		if (sum.n != 0 || sum.seconds != 0)
			cells[sums++] = sum;
	}
	array->n = sums;
}

/* Add what a reader has to sorted sums. */
void
cells_merge(CellArray *array, CellReader *reader)
{
	const CellFormat *format = reader->format;
	CellArray	merged;
	int64		i = 0;
	bool		more = cells_next(reader);

	cells_init(&merged, array->context);
	while (i < array->n || more)
	{
		int			order = !more ? -1 : i == array->n ? 1 : compare_cells(&array->cells[i], &reader->cell);
		Cell		sum = order <= 0 ? array->cells[i++] : reader->cell;

		if (sum.node < format->first_node || sum.node >= format->first_node + format->nodes)
			refuse_cells();
		if (order == 0)
		{
			add_to_sum(&sum.n, reader->cell.n);
			add_to_sum(&sum.seconds, reader->cell.seconds);
		}
		if (order >= 0)
			more = cells_next(reader);
		if (sum.n != 0 || sum.seconds != 0)
			*cells_add(&merged) = sum;
	}
	pfree(array->cells);
	*array = merged;
}

/* The segment that a node lies in, and its first node. */
static int
segment_of(const CellFormat *format, int nsegments, int64 node)
{
	return (int) ((node - format->first_node) * nsegments / format->nodes);
}

static int64
segment_start(const CellFormat *format, int nsegments, int segment)
{
	return format->first_node + (format->nodes * segment + nsegments - 1) / nsegments;
}

/* Where a segment's first cell is counted from. */
static Cell
before_segment(const CellFormat *format, int nsegments, int segment)
{
	return (Cell) {.node = segment_start(format, nsegments, segment)};
}

/* Append a cell, given the one before. */
static uint8 *
write_cell(uint8 *at, const Cell *cell, const Cell *previous, const CellFormat *format)
{
	bool		same = cell->node == previous->node;

	at = write_varint(at, (uint64) (cell->node - previous->node) << 1 | (cell->n == 1));
	at = write_varint(at, cell->value - (same ? previous->value : 0));
	if (format->has_buckets)
	{
		same = same && cell->value == previous->value;
		at = write_varint(at, cell->bucket - (same ? previous->bucket : 0));
	}
	if (cell->n != 1)
		at = write_varint(at, zigzag(cell->n));
	if (format->has_seconds)
		at = write_varint(at, zigzag(cell->seconds));
	return at;
}

/* The most that a cell takes: five numbers of ten bytes. */
#define MAX_CELL_SIZE (5 * MAX_VARINT)

/* Pack sorted cells. */
bytea *
cells_pack(const Cell *cells, int64 n, const CellFormat *format)
{
	int			nsegments = n >= CELLS_FOR_DIRECTORY ? (int) Min(format->nodes, MAX_SEGMENTS) : 1;
	uint32		directory[MAX_SEGMENTS] = {0};
	StringInfoData data;
	Cell		previous = before_segment(format, nsegments, 0);
	int			segment = 0;
	Size		start = VARHDRSZ + HEAD_SIZE(nsegments);

	initStringInfo(&data);
	enlargeStringInfo(&data, (int) (start + Min(n, 1024 * 1024) * 8));
	data.len = (int) start;
	for (int64 i = 0; i < n; i++)
	{
		enlargeStringInfo(&data, MAX_CELL_SIZE);
		while (segment < segment_of(format, nsegments, cells[i].node))
		{
			directory[++segment] = pg_hton32(data.len - start);
			previous = before_segment(format, nsegments, segment);
		}
		data.len = (int) (write_cell((uint8 *) data.data + data.len, &cells[i], &previous, format) - (uint8 *) data.data);
		previous = cells[i];
	}
	while (++segment < nsegments)
		directory[segment] = pg_hton32(data.len - start);
	data.data[VARHDRSZ] = CELLS_VERSION;
	data.data[VARHDRSZ + 1] = (char) nsegments;
	if (nsegments > 1)
		memcpy(data.data + VARHDRSZ + HEADER_SIZE, directory, sizeof(uint32) * nsegments);
	SET_VARSIZE(data.data, data.len);
	return (bytea *) data.data;
}

/*
 * XX001 would be the name for it, but the attempt to add up as a side effect of a change must be able to leave this for
 * later.
 */
pg_noreturn void
refuse_cells(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("support_internal.stat_counters holds what this version of support_ext cannot read"),
			 errhint("SELECT support.rebuild_stats() counts all anew.")));
}

/* 22003, for add_to_sum(). */
pg_noreturn void
refuse_sum(void)
{
	refuse_number("a sum of what the reports count");
}

/* Where a segment begins, or where all ends, from the first one's beginning. */
static uint32
segment_begin(const CellReader *reader, int segment)
{
	uint32		begin;

	if (segment == 0)
		return 0;
	if (segment == reader->nsegments)
		return reader->size;
	memcpy(&begin, reader->directory + sizeof(uint32) * segment, sizeof(uint32));
	return pg_ntoh32(begin);
}

/* Begin a segment. */
void
enter_segment(CellReader *reader, int segment)
{
	uint32		from = segment_begin(reader, segment);
	uint32		upto = segment_begin(reader, segment + 1);

	if (from > upto || from < reader->skipped || upto - reader->skipped > reader->end - reader->start)
		refuse_cells();
	reader->segment = segment;
	reader->at = reader->start + (from - reader->skipped);
	reader->segment_end = reader->start + (upto - reader->skipped);
	reader->cell = before_segment(reader->format, reader->nsegments, segment);
}

/* Read what precedes the cells in a value of so many bytes. Returns how many it takes. */
static Size
open_head(CellReader *reader, const uint8 *data, Size size, const CellFormat *format)
{
	if (size < HEADER_SIZE || data[0] != CELLS_VERSION || data[1] == 0 || data[1] > MAX_SEGMENTS ||
		size < HEAD_SIZE(data[1]))
		refuse_cells();
	reader->format = format;
	reader->nsegments = data[1];
	reader->last_segment = data[1] - 1;
	reader->directory = data + HEADER_SIZE;
	reader->size = (uint32) (size - HEAD_SIZE(data[1]));
	return HEAD_SIZE(data[1]);
}

/* Begin to read. The bytes are not toasted and stay there while they are read; so does the format. */
void
cells_open(CellReader *reader, const bytea *packed, const CellFormat *format)
{
	const uint8 *data = (const uint8 *) VARDATA_ANY(packed);
	Size		size = VARSIZE_ANY_EXHDR(packed);

	reader->start = data + open_head(reader, data, size, format);
	reader->end = data + size;
	reader->skipped = 0;
	enter_segment(reader, 0);
}

/*
 * Begin to read what lies between two nodes, of a value that is toasted, uncompressed and large: only the bytes that
 * are needed are fetched, into the current memory context.
 */
void
cells_open_between(CellReader *reader, struct varlena *toasted, const CellFormat *format, int64 first, int64 last)
{
	struct varlena *head = detoast_attr_slice(toasted, 0, HEAD_SIZE(MAX_SEGMENTS));
	Size		size = toast_raw_datum_size(PointerGetDatum(toasted)) - VARHDRSZ;
	Size		head_size = open_head(reader, (uint8 *) VARDATA(head), size, format);
	int			segment = segment_of(format, reader->nsegments, first);
	uint32		from = segment_begin(reader, segment);
	uint32		upto;
	struct varlena *slice;

	reader->last_segment = segment_of(format, reader->nsegments, last);
	upto = segment_begin(reader, reader->last_segment + 1);
	if (from > upto || upto > reader->size)
		refuse_cells();
	slice = detoast_attr_slice(toasted, (int32) (head_size + from), (int32) (upto - from));
	reader->start = (const uint8 *) VARDATA(slice);
	reader->end = reader->start + VARSIZE(slice) - VARHDRSZ;
	reader->skipped = from;
	enter_segment(reader, segment);
}

/* Pass over what certainly lies before a node. */
void
cells_seek(CellReader *reader, int64 node)
{
	const CellFormat *format = reader->format;
	int64		last = format->first_node + format->nodes - 1;

	if (node > format->first_node)
	{
		int			segment = Min(segment_of(format, reader->nsegments, Min(node, last)), reader->last_segment);

		if (segment > reader->segment)
			enter_segment(reader, segment);
	}
}
