/*
 * stat_query.c
 *		One call of a reader of counters, from its arguments to its sums.
 *
 * A range of quarter hours is put together from as few stretches of time as the counters have: blocks of 32 days,
 * days or eight of them, and quarter hours at either end. The rows of stat_deltas that the snapshot sees are added one by one. Nothing
 * here runs through SPI; the reports are views, whose readers need no rights on these tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/floor_div.h"
#include "base/plan.h"
#include "stats/stat_deltas.h"
#include "stats/stat_query.h"

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* The dimension that a call names. Raises 22023 unless the measure is counted by it. */
static char
dim_argument(FunctionCallInfo fcinfo, int n, Measure measure)
{
	char	   *dim = text_argument(fcinfo, n);

	if (strlen(dim) != 1 || strchr(measure_infos[measure].dims, dim[0]) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("measure \"%s\" is not counted by dimension \"%s\"", measure_infos[measure].name, dim),
				 errhint("It is counted by each of these: %s", measure_infos[measure].dims)));
	return dim[0];
}

/* Begin a call that reads measures which it knows. */
void
begin_query(StatQuery *query, FunctionCallInfo fcinfo)
{
	memset(query, 0, sizeof(StatQuery));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	query->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	query->context = AllocSetContextCreate(CurrentMemoryContext, "support_ext reading", ALLOCSET_DEFAULT_SIZES);
	query->previous = MemoryContextSwitchTo(query->context);
	query->counters = open_counters(AccessShareLock);
	query->index = counters_index(query->counters);
	query->snapshot = GetActiveSnapshot();
	query->seen = deltas_seen(query->snapshot);
	if (query->seen != NULL)
		query->codes = &query->seen->codes;
	else
	{
		query->codes = palloc(sizeof(ValueCodes));
		load_codes(query->codes, query->snapshot);
	}
	query->sums = sums_create(query->context, 256, NULL);
}

/* Begin a call whose first two arguments are a measure and a dimension. */
void
begin_measure_query(StatQuery *query, FunctionCallInfo fcinfo)
{
	begin_query(query, fcinfo);
	query->measure = measure_named(text_argument(fcinfo, 0));
	query->dim = dim_argument(fcinfo, 1, query->measure);
	query->has_instants = measure_infos[query->measure].has_instants;
}

Datum
end_query(StatQuery *query)
{
	table_close(query->counters, AccessShareLock);
	MemoryContextSwitchTo(query->previous);
	MemoryContextDelete(query->context);
	return (Datum) 0;
}

/* Hand the sink a row, if it counts for the measure. */
static inline void
read_delta(StatQuery *query, const StatRow *row, DeltaSink sink)
{
	Cell		cell;

	if ((row->measures & STAT_BIT(query->measure)) != 0 &&
		(row->tag_id != NO_STAT_ID) == (query->dim == DIM_TAG) && base_cell(row, query->measure, &cell))
		sink(query, code_of(query->codes, row, query->dim), &cell);
}

/* Hand the sink the rows that are not added up yet. */
void
read_deltas(StatQuery *query, DeltaSink sink)
{
	DeltaScan	scan;
	StatRow		row;

	if (query->seen != NULL)
	{
		const Seen *seen = query->seen;

		for (int64 i = seen->begins[query->measure]; i < seen->begins[query->measure + 1]; i++)
			read_delta(query, &seen->rows[seen->order[i]], sink);
		return;
	}
	open_deltas(&scan, AccessShareLock, query->snapshot, STAT_BIT(query->measure), query->codes);
	while (next_delta(&scan, &row))
		read_delta(query, &row, sink);
	close_deltas(&scan, AccessShareLock);
}

/* Find a sum, or begin it: the others move then. */
Sum *
find_sum(StatQuery *query, uint64 value, int64 place)
{
	Sum		   *sum = sums_lookup(query->sums, (SumKey) {value, place});
	bool		found;

	if (sum != NULL)
		return sum;
	sum = sums_insert(query->sums, (SumKey) {value, place}, &found);
	sum->n = sum->seconds = 0;
	sum->histogram = NULL;
	forget_recent(query);
	return sum;
}

/* The slot that a bound lies in. Raises 22023 unless it begins there or the measure keeps instants. */
static int64
slot_of_bound(const StatQuery *query, TimestampTz bound)
{
	if (TIMESTAMP_IS_NOBEGIN(bound))
		return FIRST_SLOT;
	if (TIMESTAMP_IS_NOEND(bound))
		return LAST_SLOT;
	if (bound % SLOT_USECS != 0 && !query->has_instants)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bound %s is not on a quarter hour", timestamptz_to_str(bound))));
	return slot_of(bound);
}

/* Does a bound lie within a slot? */
static inline bool
divides_slot(TimestampTz bound)
{
	return !TIMESTAMP_NOT_FINITE(bound) && bound % SLOT_USECS != 0;
}

/* Read the bounds of the buckets. */
void
read_bounds(StatQuery *query, FunctionCallInfo fcinfo, int n)
{
	ArrayType  *array;
	TimestampTz *instants;
	int			nbounds;

	if (PG_ARGISNULL(n) || ARR_NDIM(array = PG_GETARG_ARRAYTYPE_P(n)) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the bounds of a time range must not be null")));
	instants = (TimestampTz *) ARR_DATA_PTR(array);
	nbounds = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	query->bounds = palloc(sizeof(int64) * Max(nbounds, 1));
	query->nbuckets = Max(nbounds - 1, 0);
	for (int i = 0; i < nbounds; i++)
	{
		query->bounds[i] = slot_of_bound(query, instants[i]);
		if (divides_slot(instants[i]))
			query->instants = instants;
		if (i > 0 && instants[i] < instants[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a time range must not end before it begins")));
	}
}

/* Read what the buckets are added up under. */
void
read_places(StatQuery *query, FunctionCallInfo fcinfo, int n)
{
	ArrayType  *array;

	if (PG_ARGISNULL(n))
		return;
	array = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array) ||
		ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) != query->nbuckets)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be a place for each of %d buckets, and no null", query->nbuckets)));
	query->places = (const int32 *) ARR_DATA_PTR(array);
}

/* The bucket that a time lies in, from 0; -1 for none. */
static int
find_bucket(const int64 *bounds, int nbuckets, int64 at)
{
	int			low = 0;
	int			high = nbuckets;

	if (high == 0 || at < bounds[0] || at >= bounds[high])
		return -1;
	/* the last bound that is not behind it */
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (bounds[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The bucket that a slot's cell lies in. */
int
bucket_of(const StatQuery *query, const Cell *cell)
{
	if (query->instants == NULL)
		return find_bucket(query->bounds, query->nbuckets, cell->node);
	return find_bucket(query->instants, query->nbuckets, cell->node * SLOT_USECS + cell->bucket);
}

/* Slots that are to be put together. */
typedef struct SlotRange
{
	int64		from;
	int64		upto;
	int64		place;
	bool		is_less;		/* they are to be taken away */
	bool		loose_from;		/* more may be read before the beginning, */
	bool		loose_upto;		/* or behind the end, and be taken away again */
} SlotRange;

/* How many slots between two are likely to hold something. */
static int64
slots_to_read(const StatQuery *query, int64 from, int64 upto)
{
	return Max(Min(upto, query->now) - from, 0);
}

/* The beginning of a node that has least to read between it and a slot. */
static int64
nearest_node(const StatQuery *query, int64 slot, int64 slots)
{
	int64		before = floor_div(slot, slots);
	int64		behind = -floor_div(-slot, slots);

	return slots_to_read(query, before * slots, slot) <= slots_to_read(query, slot, behind * slots) ? before : behind;
}

/* Add nodes to what is read of a level. What one stretch gets there and the next one loses is read once. */
static void
add_nodes(RangeList *list, int64 from, int64 upto, const SlotRange *stretch)
{
	NodeRange  *range = list->n > 0 ? &list->ranges[list->n - 1] : NULL;

	if (from == upto)
		return;
	if (range == NULL || range->from != from || range->upto != upto)
	{
		range = &list->ranges[list->n++];
		*range = (NodeRange) {.from = from, .upto = upto};
	}
	if (stretch->is_less)
	{
		range->takes = true;
		range->less_place = stretch->place;
	}
	else
	{
		range->adds = true;
		range->place = stretch->place;
	}
}

static void add_stretch(const StatQuery *query, RangeList *lists, int level, SlotRange stretch);

/* Make up what lies between the beginning of a stretch and its first node, on whichever side that is. */
static void
add_beginning(const StatQuery *query, RangeList *lists, int level, SlotRange stretch, int64 first)
{
	bool		is_within = first >= stretch.from;
	SlotRange	rest = stretch;

	rest.from = Min(first, stretch.from);
	rest.upto = Max(first, stretch.from);
	rest.is_less = is_within ? stretch.is_less : !stretch.is_less;
	rest.loose_from = is_within && stretch.loose_from;
	rest.loose_upto = !is_within;
	add_stretch(query, lists, level, rest);
}

/* And what lies between its last node and its end. */
static void
add_end(const StatQuery *query, RangeList *lists, int level, SlotRange stretch, int64 last)
{
	bool		is_within = last <= stretch.upto;
	SlotRange	rest = stretch;

	rest.from = Min(last, stretch.upto);
	rest.upto = Max(last, stretch.upto);
	rest.is_less = is_within ? stretch.is_less : !stretch.is_less;
	rest.loose_from = !is_within;
	rest.loose_upto = is_within && stretch.loose_upto;
	add_stretch(query, lists, level, rest);
}

/*
 * Make slots up of the largest nodes that there are, from a level on downwards. A loose end lies in a node that no other
 * range of this level and those below has a part in, but for what the next stretch has there in the same way: there it
 * is as well to take the node and what lies beyond the end away from it. So the ranges of each level ascend and do not
 * overlap.
 */
static void
add_stretch(const StatQuery *query, RangeList *lists, int level, SlotRange stretch)
{
	int64		slots;
	int64		first;
	int64		last;

	if (stretch.from >= stretch.upto)
		return;
	/* a node is worth it if half of it is wanted */
	while (stretch.upto - stretch.from < level_infos[level].slots / 2 || !has_level(query->measure, level))
		level--;
	if (level == LEVEL_SLOT)
	{
		add_nodes(&lists[level], stretch.from, stretch.upto, &stretch);
		return;
	}
	slots = level_infos[level].slots;
	first = stretch.loose_from ? nearest_node(query, stretch.from, slots) : -floor_div(-stretch.from, slots);
	last = stretch.loose_upto ? nearest_node(query, stretch.upto, slots) : floor_div(stretch.upto, slots);
	if (first > last || (first == last && (first * slots < stretch.from || first * slots > stretch.upto)))
		add_stretch(query, lists, level - 1, stretch);
	else
	{
		add_beginning(query, lists, level - 1, stretch, first * slots);
		add_nodes(&lists[level], first, last, &stretch);
		add_end(query, lists, level - 1, stretch, last * slots);
	}
}

/*
 * Is a bucket made up of days, however its ends are rounded to such? The end that it has in common with another such
 * bucket may then be loose. The bounds of days in most zones lie within days of UTC.
 */
static bool
has_days(const StatQuery *query, int bucket)
{
	int64		from;
	int64		upto;

	if (bucket < 0 || bucket >= query->nbuckets || !has_level(query->measure, LEVEL_DAY))
		return false;
	from = query->bounds[bucket];
	upto = query->bounds[bucket + 1];
	return upto - from >= SLOTS_IN_DAY / 2 && upto - from < SLOTS_IN_BLOCK / 2 &&
		nearest_node(query, from, SLOTS_IN_DAY) < nearest_node(query, upto, SLOTS_IN_DAY);
}

/*
 * Find the nodes of all levels that make up the buckets, by the slots that their bounds lie in. They are the same for
 * each measure that has the same levels.
 */
void
find_ranges(StatQuery *query, RangeList *lists)
{
	/* a bucket has at most one stretch of each level, or one at either end */
	for (int level = 0; level < LEVELS; level++)
		lists[level] = (RangeList) {palloc(sizeof(NodeRange) * Max(query->nbuckets, 1) * 2), 0};
	query->now = slot_of(desk_now());
	for (int i = 0; i < query->nbuckets; i++)
		add_stretch(query, lists, top_level(query->measure), (SlotRange) {
			.from = query->bounds[i],
			.upto = query->bounds[i + 1],
			.place = place_of(query, i),
			.loose_from = i == 0 || (has_days(query, i - 1) && has_days(query, i)),
			.loose_upto = i == query->nbuckets - 1 || (has_days(query, i) && has_days(query, i + 1))
		});
}

/* Of a slot that a bound divides. */
typedef struct DividedSlot
{
	StatQuery  *query;
	CellSink	sink;
} DividedSlot;

/* Move a cell from the bucket that its slot lies in to its own. */
static void
divided_cell(void *arg, const NodeRange *range, const Cell *cell)
{
	DividedSlot *divided = (DividedSlot *) arg;
	StatQuery  *query = divided->query;
	int			from = find_bucket(query->bounds, query->nbuckets, cell->node);
	int			to = bucket_of(query, cell);
	NodeRange	move = {
		.adds = to >= 0,
		.place = to >= 0 ? place_of(query, to) : 0,
		.takes = from >= 0,
		.less_place = from >= 0 ? place_of(query, from) : 0
	};

	if (from != to)
		divided->sink(query, &move, cell);
}

/* Divide the slots that bounds lie within. */
static void
divide_slots(StatQuery *query, CellSink sink)
{
	DividedSlot divided = {query, sink};
	RangeList	list = {palloc(sizeof(NodeRange) * (query->nbuckets + 1)), 0};

	for (int i = 0; i <= query->nbuckets; i++)
	{
		int64		slot = query->bounds[i];

		if (divides_slot(query->instants[i]) && (list.n == 0 || list.ranges[list.n - 1].from != slot))
			list.ranges[list.n++] = (NodeRange) {.from = slot, .upto = slot + 1};
	}
	read_cells(query->counters, query->index, query->snapshot, family_at(query, LEVEL_SLOT),
			   list.ranges, list.n, divided_cell, &divided);
}

/* Read the cells of nodes. */
void
read_ranges(StatQuery *query, const RangeList *lists, CellSink sink)
{
	for (int level = 0; level < LEVELS; level++)
		read_cells(query->counters, query->index, query->snapshot, family_at(query, level),
				   lists[level].ranges, lists[level].n, sink, query);
}

/* Read the cells that make up the buckets. */
void
read_buckets(StatQuery *query, CellSink sink)
{
	RangeList	lists[LEVELS];

	find_ranges(query, lists);
	read_ranges(query, lists, sink);
	if (query->instants != NULL)
		divide_slots(query, sink);
}

/* Read all cells of a level. */
void
read_level(StatQuery *query, int level, CellSink sink)
{
	NodeRange	all = {FIRST_SLOT / level_infos[level].slots, LAST_SLOT / level_infos[level].slots};

	read_cells(query->counters, query->index, query->snapshot, family_at(query, level), &all, 1, sink, query);
}

/* Add a row to the result. */
void
put_row(StatQuery *query, Datum *values, bool *nulls)
{
	tuplestore_putvalues(query->rsinfo->setResult, query->rsinfo->setDesc, values, nulls);
}

Datum
value_datum(const StatQuery *query, const Sum *sum)
{
	return CStringGetTextDatum(name_of(query->codes, query->dim, sum->key.value));
}
