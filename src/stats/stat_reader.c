/*
 * stat_reader.c
 *		What the reports read: counters and what is not added up yet, under the snapshot of the query that asks.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/floor.h"
#include "stats/stat_reading.h"

/* Add so many times what a cell has, and by duration, if the caller wants that. */
static inline void
add_to_bucket(Reading *reading, uint64 value, int64 place, const Cell *cell, int64 times)
{
	Sum		   *sum;

	if (times < 0 && (cell->n == PG_INT64_MIN || cell->seconds == PG_INT64_MIN))
		refuse_cells();
	sum = add_sum(reading, value, place, times * cell->n, times * cell->seconds);
	if (!reading->with_histogram)
		return;
	if (cell->bucket >= HISTOGRAM_BUCKETS)
		refuse_cells();
	if (sum->histogram == NULL)
	{
		sum->histogram = MemoryContextAllocZero(reading->context, sizeof(Histogram));
		sum->histogram->context = reading->context;
	}
	histogram_add(sum->histogram, cell->bucket, times * cell->n);
}

static void
series_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	if (range->adds)
		add_to_bucket((Reading *) arg, cell->value, range->place, cell, 1);
	if (range->takes)
		add_to_bucket((Reading *) arg, cell->value, range->less_place, cell, -1);
}

static void
series_delta(Reading *reading, uint64 value, const Cell *cell)
{
	int			bucket = bucket_of(reading, cell);

	if (bucket >= 0)
		add_to_bucket(reading, value, place_of(reading, bucket), cell, 1);
}

/* stat_series(measure, dim, bounds, with_histogram, places) -> value, bucket, n, seconds, histogram */
PG_FUNCTION_INFO_V1(support_stat_series);
Datum
support_stat_series(PG_FUNCTION_ARGS)
{
	Reading		reading;
	sums_iterator iterator;
	Sum		   *sum;

	begin_reading_measure(&reading, fcinfo);
	read_bounds(&reading, fcinfo, 2);
	read_places(&reading, fcinfo, 4);
	reading.with_histogram = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3) && measure_infos[reading.measure].has_duration;
	read_buckets(&reading, series_cell);
	read_deltas(&reading, series_delta);
	sums_start_iterate(reading.sums, &iterator);
	while ((sum = sums_iterate(reading.sums, &iterator)) != NULL)
	{
		Datum		values[5] = {
			value_datum(&reading, sum), Int32GetDatum((int32) sum->key.place + 1), Int64GetDatum(sum->n),
			NumericGetDatum(int64_to_numeric(sum->seconds))
		};
		bool		nulls[5] = {[4] = sum->histogram == NULL};

		if (sum->n == 0 && sum->seconds == 0)
			continue;
		if (sum->histogram != NULL)
			values[4] = PointerGetDatum(histogram_encode(sum->histogram));
		put_row(&reading, values, nulls);
	}
	return end_reading(&reading);
}

/* Which names, by their numbers, an array has: it may be NULL, and has none then. */
static bool *
named_codes(const ValueCodes *codes, ArrayType *names)
{
	bool	   *named = palloc0(sizeof(bool) * (codes->n + 1));
	Datum	   *values;
	bool	   *nulls;
	int			n = 0;

	if (names != NULL)
		deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		const char *name = nulls[i] ? "" : TextDatumGetCString(values[i]);

		for (int code = 1; code <= codes->n; code++)
			if (codes->names[code] != NULL && strcmp(codes->names[code], name) == 0)
				named[code] = true;
	}
	return named;
}

static inline void
add_move(Reading *reading, uint64 value, int64 bucket, int64 n)
{
	if (value > reading->codes->n)
		refuse_cells();
	if (!reading->is_left_out[value])
		add_to_sum(&reading->moves[bucket], n);
}

static void
move_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	if (range->adds)
		add_move((Reading *) arg, cell->value, range->place, cell->n);
	if (range->takes && cell->n == PG_INT64_MIN)
		refuse_cells();
	if (range->takes)
		add_move((Reading *) arg, cell->value, range->less_place, -cell->n);
}

/* Add up what of the sums is not left out. */
static void
move_sums(Reading *reading)
{
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(reading->sums, &iterator);
	while ((sum = sums_iterate(reading->sums, &iterator)) != NULL)
		add_move(reading, sum->key.value, sum->key.place, sum->n);
}

/*
 * Read a measure of the moves between bounds by bucket, but for the names that are left out. The buckets may be the days
 * of many years, most of which have something: that is added up in an array. What is not added up yet comes first, since
 * it may have names that nothing else has.
 */
static int64 *
read_moves(Reading *reading, const RangeList *lists, Measure measure, char dim, ArrayType *left_out)
{
	reading->measure = measure;
	reading->dim = dim;
	reading->moves = palloc0(sizeof(int64) * Max(reading->nbuckets, 1));
	forget_recent(reading);
	sums_reset(reading->sums);
	read_deltas(reading, series_delta);
	reading->is_left_out = named_codes(reading->codes, left_out);
	move_sums(reading);
	read_ranges(reading, lists, move_cell);
	return reading->moves;
}

/*
 * stat_moves(bounds, solved) -> bucket, created, solved, reopened, opened, and the last summed up so far: a row for each
 * bucket, in their order
 */
PG_FUNCTION_INFO_V1(support_stat_moves);
Datum
support_stat_moves(PG_FUNCTION_ARGS)
{
	static const struct
	{
		Measure		measure;
		char		dim;
	}			columns[] = {
		{STAT_TICKETS, DIM_ALL}, {STAT_SOLVED, DIM_ALL}, {STAT_REOPENED, DIM_ALL}, {STAT_STATUS_FLOW, DIM_STATUS}
	};
	ArrayType  *solved = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	int64	   *moves[lengthof(columns)];
	RangeList	lists[LEVELS];
	int64		unsolved = 0;
	Reading		reading;

	begin_reading(&reading, fcinfo);
	/* a desk without tickets has no first day */
	if (PG_ARGISNULL(0))
		return end_reading(&reading);
	read_bounds(&reading, fcinfo, 0);
	reading.measure = columns[0].measure;
	find_ranges(&reading, lists);
	for (int i = 0; i < lengthof(columns); i++)
		moves[i] = read_moves(&reading, lists, columns[i].measure, columns[i].dim,
							  columns[i].dim == DIM_STATUS ? solved : NULL);
	for (int bucket = 0; bucket < reading.nbuckets; bucket++)
	{
		Datum		values[2 + lengthof(columns)] = {Int32GetDatum(bucket + 1)};
		bool		nulls[lengthof(values)] = {false};

		for (int i = 0; i < lengthof(columns); i++)
			values[1 + i] = Int64GetDatum(moves[i][bucket]);
		add_to_sum(&unsolved, moves[lengthof(columns) - 1][bucket]);
		values[1 + lengthof(columns)] = Int64GetDatum(unsolved);
		put_row(&reading, values, nulls);
	}
	return end_reading(&reading);
}

static void
total_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	add_sum((Reading *) arg, cell->value, 0, cell->n, cell->seconds);
}

static void
total_delta(Reading *reading, uint64 value, const Cell *cell)
{
	add_sum(reading, value, 0, cell->n, cell->seconds);
}

/* stat_totals(measure, dim) -> value, n */
PG_FUNCTION_INFO_V1(support_stat_totals);
Datum
support_stat_totals(PG_FUNCTION_ARGS)
{
	Reading		reading;
	sums_iterator iterator;
	Sum		   *sum;

	begin_reading_measure(&reading, fcinfo);
	read_level(&reading, top_level(reading.measure), total_cell);
	read_deltas(&reading, total_delta);
	sums_start_iterate(reading.sums, &iterator);
	while ((sum = sums_iterate(reading.sums, &iterator)) != NULL)
	{
		Datum		values[2] = {value_datum(&reading, sum), Int64GetDatum(sum->n)};
		bool		nulls[2] = {false, false};

		if (sum->n != 0)
			put_row(&reading, values, nulls);
	}
	return end_reading(&reading);
}

/* An instant that comes of a cell. Raises 55000 if there is none such. */
static Datum
instant_datum(TimestampTz at)
{
	if (!IS_VALID_TIMESTAMP(at))
		refuse_cells();
	return TimestampTzGetDatum(at);
}

/* When a slot begins. */
static Datum
slot_datum(int64 slot)
{
	int64		at;

	if (pg_mul_s64_overflow(slot, SLOT_USECS, &at))
		refuse_cells();
	return instant_datum(at);
}

/* Where a slot's cell counts for the first: in which node of the level that is looked at, or at which instant. */
static int64
first_place(const Reading *reading, const Cell *cell)
{
	if (!reading->at_instants)
		return floor_div(cell->node, level_infos[reading->level].slots);
	return DatumGetTimestampTz(slot_datum(cell->node)) + (reading->has_instants ? cell->bucket : 0);
}

/* Count what lies in the first node of its value at the level above, if that is known. */
static void
oldest_delta(Reading *reading, uint64 value, const Cell *cell)
{
	if (reading->firsts != NULL)
	{
		Sum		   *above = sums_lookup(reading->firsts, (SumKey) {value, 0});

		if (above == NULL || above->n != floor_div(cell->node, level_infos[reading->level_above].slots))
			return;
	}
	add_sum(reading, value, first_place(reading, cell), cell->n, cell->seconds);
}

static void
oldest_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	Reading    *reading = (Reading *) arg;
	Cell		first = *cell;

	first.node *= level_infos[reading->level].slots;
	oldest_delta(reading, cell->value, &first);
}

/* For each value the first place that something is left in. Begins the sums anew. */
static sums_hash *
first_places(Reading *reading)
{
	sums_hash  *firsts = sums_create(reading->context, 256, NULL);
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(reading->sums, &iterator);
	while ((sum = sums_iterate(reading->sums, &iterator)) != NULL)
	{
		Sum		   *first;
		bool		found;

		if (sum->n <= 0)
			continue;
		first = sums_insert(firsts, (SumKey) {sum->key.value, 0}, &found);
		if (!found || sum->key.place < first->n)
			first->n = sum->key.place;
	}
	sums_reset(reading->sums);
	forget_recent(reading);
	return firsts;
}

static int
compare_ranges(const void *a, const void *b)
{
	int64		left = ((const NodeRange *) a)->from;
	int64		right = ((const NodeRange *) b)->from;

	return left < right ? -1 : left > right ? 1 : 0;
}

/* What lies at the level in the nodes above that some value begins in. */
static RangeList
first_ranges(const Reading *reading)
{
	RangeList	list = {palloc(sizeof(NodeRange) * Max(reading->firsts->members, 1)), 0};
	int64		nodes = level_infos[reading->level_above].slots / level_infos[reading->level].slots;
	int			distinct = 0;
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(reading->firsts, &iterator);
	while ((sum = sums_iterate(reading->firsts, &iterator)) != NULL)
		list.ranges[list.n++] = (NodeRange) {sum->n * nodes, (sum->n + 1) * nodes};
	qsort(list.ranges, list.n, sizeof(NodeRange), compare_ranges);
	for (int i = 0; i < list.n; i++)
		if (i == 0 || list.ranges[i].from != list.ranges[i - 1].from)
			list.ranges[distinct++] = list.ranges[i];
	list.n = distinct;
	return list;
}

/* Find where each value begins at a level, given where at the level above. */
static void
find_firsts_at(Reading *reading, int level)
{
	reading->level = level;
	if (reading->firsts == NULL)
		read_level(reading, level, oldest_cell);
	else
	{
		RangeList	list = first_ranges(reading);

		read_cells(reading->counters, reading->index, reading->snapshot, family_at(reading, level),
				   list.ranges, list.n, oldest_cell, reading);
	}
	read_deltas(reading, oldest_delta);
	reading->firsts = first_places(reading);
	reading->level_above = level;
}

/* Find where each value begins, at one level after the other; the first slot's instants last, which are many. */
static void
find_firsts(Reading *reading)
{
	for (int level = top_level(reading->measure); level >= LEVEL_SLOT; level--)
		if (has_level(reading->measure, level))
			find_firsts_at(reading, level);
	reading->at_instants = true;
	find_firsts_at(reading, LEVEL_SLOT);
}

/* stat_oldest(measure, dim) -> value, first_at */
PG_FUNCTION_INFO_V1(support_stat_oldest);
Datum
support_stat_oldest(PG_FUNCTION_ARGS)
{
	Reading		reading;
	sums_iterator iterator;
	Sum		   *sum;

	begin_reading_measure(&reading, fcinfo);
	find_firsts(&reading);
	sums_start_iterate(reading.firsts, &iterator);
	while ((sum = sums_iterate(reading.firsts, &iterator)) != NULL)
	{
		Datum		values[2] = {value_datum(&reading, sum), instant_datum(sum->n)};
		bool		nulls[2] = {false, false};

		put_row(&reading, values, nulls);
	}
	return end_reading(&reading);
}

/* An event whose ticket had one before in the same bucket is one ticket less than there are events. */
static void
distinct_delta(Reading *reading, uint64 value, const Cell *cell)
{
	int			bucket = bucket_of(reading, cell);

	if (bucket >= 0 && cell->node - cell->bucket >= reading->bounds[bucket])
		add_sum(reading, value, bucket, -cell->n, 0);
}

static void
distinct_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	distinct_delta((Reading *) arg, cell->value, cell);
}

/* stat_distinct(measure, dim, bounds) -> value, bucket, tickets */
PG_FUNCTION_INFO_V1(support_stat_distinct);
Datum
support_stat_distinct(PG_FUNCTION_ARGS)
{
	Reading		reading;
	sums_iterator iterator;
	Sum		   *sum;

	begin_reading_measure(&reading, fcinfo);
	if (reading.measure != STAT_SOLVED || strchr(measure_infos[STAT_RESOLVED_AGAIN].dims, reading.dim) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("distinct tickets are not counted for measure \"%s\" by dimension \"%c\"",
						measure_infos[reading.measure].name, reading.dim),
				 errhint("They are for measure \"solved\", by each of these: %s", measure_infos[STAT_RESOLVED_AGAIN].dims)));
	read_bounds(&reading, fcinfo, 2);
	read_buckets(&reading, series_cell);
	read_deltas(&reading, series_delta);
	reading.measure = STAT_RESOLVED_AGAIN;
	read_buckets(&reading, distinct_cell);
	read_deltas(&reading, distinct_delta);
	sums_start_iterate(reading.sums, &iterator);
	while ((sum = sums_iterate(reading.sums, &iterator)) != NULL)
	{
		Datum		values[3] = {
			value_datum(&reading, sum), Int32GetDatum((int32) sum->key.place + 1), Int64GetDatum(sum->n)
		};
		bool		nulls[3] = {false, false, false};

		if (sum->n != 0)
			put_row(&reading, values, nulls);
	}
	return end_reading(&reading);
}

static void
counted_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	add_sum((Reading *) arg, cell->value, cell->node, cell->n, cell->seconds);
}

static void
counted_delta(Reading *reading, uint64 value, const Cell *cell)
{
	add_sum(reading, value, cell->node, cell->n, cell->seconds);
}

/* stat_counted(measure, dim) -> value, slot_at, n, seconds: all that is counted, for comparison */
PG_FUNCTION_INFO_V1(support_stat_counted);
Datum
support_stat_counted(PG_FUNCTION_ARGS)
{
	Reading		reading;
	sums_iterator iterator;
	Sum		   *sum;

	begin_reading_measure(&reading, fcinfo);
	read_level(&reading, LEVEL_SLOT, counted_cell);
	read_deltas(&reading, counted_delta);
	sums_start_iterate(reading.sums, &iterator);
	while ((sum = sums_iterate(reading.sums, &iterator)) != NULL)
	{
		Datum		values[4] = {
			value_datum(&reading, sum), slot_datum(sum->key.place), Int64GetDatum(sum->n),
			NumericGetDatum(int64_to_numeric(sum->seconds))
		};
		bool		nulls[4] = {false, false, false, false};

		if (sum->n != 0 || sum->seconds != 0)
			put_row(&reading, values, nulls);
	}
	return end_reading(&reading);
}
