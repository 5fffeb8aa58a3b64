/*
 * stat_query.h
 *		One call of a reader of counters, from its arguments to its sums.
 */
#ifndef SUPPORT_STAT_QUERY_H
#define SUPPORT_STAT_QUERY_H

#include "common/hashfn.h"
#include "fmgr.h"
#include "nodes/execnodes.h"

#include "stats/counters.h"
#include "stats/histogram.h"
#include "stats/stat_seen.h"

/* What was counted for a value in a place: a bucket of the caller's, or a stretch of time. */
typedef struct SumKey
{
	uint64		value;
	int64		place;
} SumKey;

typedef struct Sum
{
	SumKey		key;
	char		status;			/* of the hash table */
	int64		n;
	int64		seconds;
	Histogram  *histogram;
} Sum;

static inline uint32
hash_of_sum(SumKey key)
{
	return murmurhash32((uint32) key.value * 0x9e3779b9 ^ (uint32) (key.value >> 32) ^ (uint32) key.place * 0x85ebca6b);
}

#define SH_PREFIX sums
#define SH_ELEMENT_TYPE Sum
#define SH_KEY_TYPE SumKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_of_sum(key)
#define SH_EQUAL(table, a, b) ((a).value == (b).value && (a).place == (b).place)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* How many sums are at hand without a look at the hash table. */
#define RECENT_SUMS 16

typedef struct StatQuery
{
	ReturnSetInfo *rsinfo;
	Measure		measure;
	char		dim;
	bool		with_histogram;
	bool		has_instants;	/* as the measure does */
	Relation	counters;
	Oid			index;
	Snapshot	snapshot;
	Seen	   *seen;			/* what is not added up yet, NULL if it is to be scanned */
	ValueCodes *codes;			/* of seen, if that is there */
	sums_hash  *sums;
	Sum		   *recent[RECENT_SUMS];	/* sums that were added to last, by recent_of() */
	MemoryContext context;		/* of all that the call makes */
	MemoryContext previous;
	int64	   *bounds;			/* slots: bucket i, from 0, is [bounds[i], bounds[i + 1]) */
	TimestampTz *instants;		/* the same bounds, if some lie within a slot: else NULL */
	int			nbuckets;
	int64		now;			/* the slot that has begun: later ones are empty, most likely */
	const int32 *places;		/* what each bucket is added up under, NULL for its own number */
	int64	   *moves;			/* for stat_moves(): what each bucket comes to, */
	const bool *is_left_out;	/* without these values, by their numbers */
	int			level;			/* for stat_oldest(): what is looked at */
	int			level_above;
	bool		at_instants;	/* no longer where, but when */
	sums_hash  *firsts;			/* values, and the node above that each begins in; NULL at first */
} StatQuery;

/* What is done with each row of stat_deltas that counts. */
typedef void (*DeltaSink) (StatQuery *query, uint64 value, const Cell *cell);

static inline uint32
family_at(const StatQuery *query, int level)
{
	return FAMILY(query->measure, query->dim, level);
}

/* Where a sum may be at hand: those of neighbouring places do not get into each other's way. */
static inline Sum **
recent_of(StatQuery *query, uint64 value, int64 place)
{
	return &query->recent[(value << 1 | (place & 1)) % RECENT_SUMS];
}

static inline void
forget_recent(StatQuery *query)
{
	memset(query->recent, 0, sizeof(query->recent));
}

extern Sum *find_sum(StatQuery *query, uint64 value, int64 place);

/* Add up under a key. */
static inline Sum *
add_sum(StatQuery *query, uint64 value, int64 place, int64 n, int64 seconds)
{
	Sum		  **recent = recent_of(query, value, place);
	Sum		   *sum = *recent;

	/* cells of few values and one place or two follow each other */
	if (sum == NULL || sum->key.value != value || sum->key.place != place)
		*recent = sum = find_sum(query, value, place);
	add_to_sum(&sum->n, n);
	add_to_sum(&sum->seconds, seconds);
	return sum;
}

/* What a bucket is added up under, from 0. */
static inline int64
place_of(const StatQuery *query, int bucket)
{
	return query->places == NULL ? bucket : (int64) query->places[bucket] - 1;
}

extern void begin_query(StatQuery *query, FunctionCallInfo fcinfo);
extern void begin_measure_query(StatQuery *query, FunctionCallInfo fcinfo);
extern Datum end_query(StatQuery *query);
extern void read_bounds(StatQuery *query, FunctionCallInfo fcinfo, int n);
extern void read_places(StatQuery *query, FunctionCallInfo fcinfo, int n);
extern int	bucket_of(const StatQuery *query, const Cell *cell);
extern void read_deltas(StatQuery *query, DeltaSink sink);
extern void find_ranges(StatQuery *query, RangeList *lists);
extern void read_ranges(StatQuery *query, const RangeList *lists, CellSink sink);
extern void read_buckets(StatQuery *query, CellSink sink);
extern void read_level(StatQuery *query, int level, CellSink sink);
extern void put_row(StatQuery *query, Datum *values, bool *nulls);
extern Datum value_datum(const StatQuery *query, const Sum *sum);

#endif							/* SUPPORT_STAT_QUERY_H */
