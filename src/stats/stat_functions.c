/*
 * stat_functions.c
 *		What the reports read: counters and what is not added up yet, under the snapshot of the query that asks.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/floor_div.h"
#include "stats/stat_query.h"

/* Add so many times what a cell has, and by duration, if the caller wants that. */
static inline void
add_to_bucket(StatQuery *query, uint64 value, int64 place, const Cell *cell, int64 times)
{
	Sum		   *sum;

	if (times < 0 && (cell->n == PG_INT64_MIN || cell->seconds == PG_INT64_MIN))
		refuse_cells();
	sum = add_sum(query, value, place, times * cell->n, times * cell->seconds);
	if (!query->with_histogram)
		return;
	if (cell->bucket >= HISTOGRAM_BUCKETS)
		refuse_cells();
	if (sum->histogram == NULL)
	{
		sum->histogram = MemoryContextAllocZero(query->context, sizeof(Histogram));
		sum->histogram->context = query->context;
	}
	histogram_add(sum->histogram, cell->bucket, times * cell->n);
}

static void
series_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	if (range->adds)
		add_to_bucket((StatQuery *) arg, cell->value, range->place, cell, 1);
	if (range->takes)
		add_to_bucket((StatQuery *) arg, cell->value, range->less_place, cell, -1);
}

static void
series_delta(StatQuery *query, uint64 value, const Cell *cell)
{
	int			bucket = bucket_of(query, cell);

	if (bucket >= 0)
		add_to_bucket(query, value, place_of(query, bucket), cell, 1);
}

/* stat_series(measure, dim, bounds, with_histogram, places) -> value, bucket, n, seconds, histogram */
PG_FUNCTION_INFO_V1(support_stat_series);
Datum
support_stat_series(PG_FUNCTION_ARGS)
{
	StatQuery	query;
	sums_iterator iterator;
	Sum		   *sum;

	begin_measure_query(&query, fcinfo);
	read_bounds(&query, fcinfo, 2);
	read_places(&query, fcinfo, 4);
	query.with_histogram = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3) && measure_infos[query.measure].has_duration;
	read_buckets(&query, series_cell);
	read_deltas(&query, series_delta);
	sums_start_iterate(query.sums, &iterator);
	while ((sum = sums_iterate(query.sums, &iterator)) != NULL)
	{
		Datum		values[5] = {
			value_datum(&query, sum), Int32GetDatum((int32) sum->key.place + 1), Int64GetDatum(sum->n),
			NumericGetDatum(int64_to_numeric(sum->seconds))
		};
		bool		nulls[5] = {[4] = sum->histogram == NULL};

		if (sum->n == 0 && sum->seconds == 0)
			continue;
		if (sum->histogram != NULL)
			values[4] = PointerGetDatum(histogram_encode(sum->histogram));
		put_row(&query, values, nulls);
	}
	return end_query(&query);
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
add_move(StatQuery *query, uint64 value, int64 bucket, int64 n)
{
	if (value > query->codes->n)
		refuse_cells();
	if (!query->is_left_out[value])
		add_to_sum(&query->moves[bucket], n);
}

static void
move_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	if (range->adds)
		add_move((StatQuery *) arg, cell->value, range->place, cell->n);
	if (range->takes && cell->n == PG_INT64_MIN)
		refuse_cells();
	if (range->takes)
		add_move((StatQuery *) arg, cell->value, range->less_place, -cell->n);
}

/* Add up what of the sums is not left out. */
static void
move_sums(StatQuery *query)
{
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(query->sums, &iterator);
	while ((sum = sums_iterate(query->sums, &iterator)) != NULL)
		add_move(query, sum->key.value, sum->key.place, sum->n);
}

/*
 * Read a measure of the moves between bounds by bucket, but for the names that are left out. The buckets may be the days
 * of many years, most of which have something: that is added up in an array. What is not added up yet comes first, since
 * it may have names that nothing else has.
 */
static int64 *
read_moves(StatQuery *query, const RangeList *lists, Measure measure, char dim, ArrayType *left_out)
{
	query->measure = measure;
	query->dim = dim;
	query->moves = palloc0(sizeof(int64) * Max(query->nbuckets, 1));
	forget_recent(query);
	sums_reset(query->sums);
	read_deltas(query, series_delta);
	query->is_left_out = named_codes(query->codes, left_out);
	move_sums(query);
	read_ranges(query, lists, move_cell);
	return query->moves;
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
	StatQuery	query;

	begin_query(&query, fcinfo);
	/* a desk without tickets has no first day */
	if (PG_ARGISNULL(0))
		return end_query(&query);
	read_bounds(&query, fcinfo, 0);
	query.measure = columns[0].measure;
	find_ranges(&query, lists);
	for (int i = 0; i < lengthof(columns); i++)
		moves[i] = read_moves(&query, lists, columns[i].measure, columns[i].dim,
							  columns[i].dim == DIM_STATUS ? solved : NULL);
	for (int bucket = 0; bucket < query.nbuckets; bucket++)
	{
		Datum		values[2 + lengthof(columns)] = {Int32GetDatum(bucket + 1)};
		bool		nulls[lengthof(values)] = {false};

		for (int i = 0; i < lengthof(columns); i++)
			values[1 + i] = Int64GetDatum(moves[i][bucket]);
		add_to_sum(&unsolved, moves[lengthof(columns) - 1][bucket]);
		values[1 + lengthof(columns)] = Int64GetDatum(unsolved);
		put_row(&query, values, nulls);
	}
	return end_query(&query);
}

static void
total_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	add_sum((StatQuery *) arg, cell->value, 0, cell->n, cell->seconds);
}

static void
total_delta(StatQuery *query, uint64 value, const Cell *cell)
{
	add_sum(query, value, 0, cell->n, cell->seconds);
}

/* stat_totals(measure, dim) -> value, n */
PG_FUNCTION_INFO_V1(support_stat_totals);
Datum
support_stat_totals(PG_FUNCTION_ARGS)
{
	StatQuery	query;
	sums_iterator iterator;
	Sum		   *sum;

	begin_measure_query(&query, fcinfo);
	read_level(&query, top_level(query.measure), total_cell);
	read_deltas(&query, total_delta);
	sums_start_iterate(query.sums, &iterator);
	while ((sum = sums_iterate(query.sums, &iterator)) != NULL)
	{
		Datum		values[2] = {value_datum(&query, sum), Int64GetDatum(sum->n)};
		bool		nulls[2] = {false, false};

		if (sum->n != 0)
			put_row(&query, values, nulls);
	}
	return end_query(&query);
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
first_place(const StatQuery *query, const Cell *cell)
{
	if (!query->at_instants)
		return floor_div(cell->node, level_infos[query->level].slots);
	return DatumGetTimestampTz(slot_datum(cell->node)) + (query->has_instants ? cell->bucket : 0);
}

/* Count what lies in the first node of its value at the level above, if that is known. */
static void
oldest_delta(StatQuery *query, uint64 value, const Cell *cell)
{
	if (query->firsts != NULL)
	{
		Sum		   *above = sums_lookup(query->firsts, (SumKey) {value, 0});

		if (above == NULL || above->n != floor_div(cell->node, level_infos[query->level_above].slots))
			return;
	}
	add_sum(query, value, first_place(query, cell), cell->n, cell->seconds);
}

static void
oldest_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	StatQuery  *query = (StatQuery *) arg;
	Cell		first = *cell;

	first.node *= level_infos[query->level].slots;
	oldest_delta(query, cell->value, &first);
}

/* For each value the first place that something is left in. Begins the sums anew. */
static sums_hash *
first_places(StatQuery *query)
{
	sums_hash  *firsts = sums_create(query->context, 256, NULL);
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(query->sums, &iterator);
	while ((sum = sums_iterate(query->sums, &iterator)) != NULL)
	{
		Sum		   *first;
		bool		found;

		if (sum->n <= 0)
			continue;
		first = sums_insert(firsts, (SumKey) {sum->key.value, 0}, &found);
		if (!found || sum->key.place < first->n)
			first->n = sum->key.place;
	}
	sums_reset(query->sums);
	forget_recent(query);
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
first_ranges(const StatQuery *query)
{
	RangeList	list = {palloc(sizeof(NodeRange) * Max(query->firsts->members, 1)), 0};
	int64		nodes = level_infos[query->level_above].slots / level_infos[query->level].slots;
	int			distinct = 0;
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(query->firsts, &iterator);
	while ((sum = sums_iterate(query->firsts, &iterator)) != NULL)
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
find_firsts_at(StatQuery *query, int level)
{
	query->level = level;
	if (query->firsts == NULL)
		read_level(query, level, oldest_cell);
	else
	{
		RangeList	list = first_ranges(query);

		read_cells(query->counters, query->index, query->snapshot, family_at(query, level),
				   list.ranges, list.n, oldest_cell, query);
	}
	read_deltas(query, oldest_delta);
	query->firsts = first_places(query);
	query->level_above = level;
}

/* Find where each value begins, at one level after the other; the first slot's instants last, which are many. */
static void
find_firsts(StatQuery *query)
{
	for (int level = top_level(query->measure); level >= LEVEL_SLOT; level--)
		if (has_level(query->measure, level))
			find_firsts_at(query, level);
	query->at_instants = true;
	find_firsts_at(query, LEVEL_SLOT);
}

/* stat_oldest(measure, dim) -> value, first_at */
PG_FUNCTION_INFO_V1(support_stat_oldest);
Datum
support_stat_oldest(PG_FUNCTION_ARGS)
{
	StatQuery	query;
	sums_iterator iterator;
	Sum		   *sum;

	begin_measure_query(&query, fcinfo);
	find_firsts(&query);
	sums_start_iterate(query.firsts, &iterator);
	while ((sum = sums_iterate(query.firsts, &iterator)) != NULL)
	{
		Datum		values[2] = {value_datum(&query, sum), instant_datum(sum->n)};
		bool		nulls[2] = {false, false};

		put_row(&query, values, nulls);
	}
	return end_query(&query);
}

/* An event whose ticket had one before in the same bucket is one ticket less than there are events. */
static void
distinct_delta(StatQuery *query, uint64 value, const Cell *cell)
{
	int			bucket = bucket_of(query, cell);

	if (bucket >= 0 && cell->node - cell->bucket >= query->bounds[bucket])
		add_sum(query, value, bucket, -cell->n, 0);
}

static void
distinct_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	distinct_delta((StatQuery *) arg, cell->value, cell);
}

/* stat_distinct(measure, dim, bounds) -> value, bucket, tickets */
PG_FUNCTION_INFO_V1(support_stat_distinct);
Datum
support_stat_distinct(PG_FUNCTION_ARGS)
{
	StatQuery	query;
	sums_iterator iterator;
	Sum		   *sum;

	begin_measure_query(&query, fcinfo);
	if (query.measure != STAT_SOLVED || strchr(measure_infos[STAT_RESOLVED_AGAIN].dims, query.dim) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("distinct tickets are not counted for measure \"%s\" by dimension \"%c\"",
						measure_infos[query.measure].name, query.dim),
				 errhint("They are for measure \"solved\", by each of these: %s", measure_infos[STAT_RESOLVED_AGAIN].dims)));
	read_bounds(&query, fcinfo, 2);
	read_buckets(&query, series_cell);
	read_deltas(&query, series_delta);
	query.measure = STAT_RESOLVED_AGAIN;
	read_buckets(&query, distinct_cell);
	read_deltas(&query, distinct_delta);
	sums_start_iterate(query.sums, &iterator);
	while ((sum = sums_iterate(query.sums, &iterator)) != NULL)
	{
		Datum		values[3] = {
			value_datum(&query, sum), Int32GetDatum((int32) sum->key.place + 1), Int64GetDatum(sum->n)
		};
		bool		nulls[3] = {false, false, false};

		if (sum->n != 0)
			put_row(&query, values, nulls);
	}
	return end_query(&query);
}

/* Hand out what was summed so far, and begin anew: whoever compares adds up what several rows have. */
static void
put_counted(StatQuery *query)
{
	sums_iterator iterator;
	Sum		   *sum;

	sums_start_iterate(query->sums, &iterator);
	while ((sum = sums_iterate(query->sums, &iterator)) != NULL)
	{
		Datum		values[4] = {
			value_datum(query, sum), slot_datum(sum->key.place), Int64GetDatum(sum->n),
			NumericGetDatum(int64_to_numeric(sum->seconds))
		};
		bool		nulls[4] = {false, false, false, false};

		if (sum->n != 0 || sum->seconds != 0)
			put_row(query, values, nulls);
	}
	sums_reset(query->sums);
	forget_recent(query);
}

/* Add up by quarter hour, as long as the sums fit into work_mem: the table of them is filled to half at least. */
static void
count_slot(StatQuery *query, uint64 value, const Cell *cell)
{
	add_sum(query, value, cell->node, cell->n, cell->seconds);
	if (query->sums->members * 2 * sizeof(Sum) > work_mem * (Size) 1024)
		put_counted(query);
}

static void
counted_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	count_slot((StatQuery *) arg, cell->value, cell);
}

/* stat_counted(measure, dim) -> value, slot_at, n, seconds: all that is counted, for comparison */
PG_FUNCTION_INFO_V1(support_stat_counted);
Datum
support_stat_counted(PG_FUNCTION_ARGS)
{
	StatQuery	query;

	begin_measure_query(&query, fcinfo);
	read_level(&query, LEVEL_SLOT, counted_cell);
	read_deltas(&query, count_slot);
	put_counted(&query);
	return end_query(&query);
}
