/*
 * histogram.h
 *		How many durations there are of which length.
 *
 * Durations are whole seconds. A bucket holds those that lie between two powers of two and, there, in the same of 64
 * equal parts: those below 128 seconds have a bucket each, and the middle of any bucket is within 1/128 of what lies
 * in it.
 */
#ifndef SUPPORT_HISTOGRAM_H
#define SUPPORT_HISTOGRAM_H

#include "common/int.h"
#include "utils/palloc.h"

#include "base/compat.h"

#define HISTOGRAM_CHUNK 64		/* buckets to each power of two */
#define HISTOGRAM_CHUNKS 58		/* enough for every int64 */
#define HISTOGRAM_BUCKETS (HISTOGRAM_CHUNK * HISTOGRAM_CHUNKS)

/*
 * Counts under construction. They may be negative: a sum of changes passes through such. Set it to {context}, all else
 * zero: there are then no counts in it.
 */
typedef struct Histogram
{
	MemoryContext context;		/* where the chunks live */
	int64	   *chunks[HISTOGRAM_CHUNKS];	/* NULL: nothing between these powers of two */
} Histogram;

pg_noreturn extern void refuse_count(void);

extern int	histogram_bucket(int64 seconds);
extern double histogram_percentile(const Histogram *histogram, double fraction);
extern bytea *histogram_encode(const Histogram *histogram);

/* Count n more, or -n fewer, in a bucket. */
static inline void
histogram_add(Histogram *histogram, int bucket, int64 n)
{
	int64	  **chunk = &histogram->chunks[bucket / HISTOGRAM_CHUNK];
	int64	   *count;

	Assert(bucket >= 0 && bucket < HISTOGRAM_BUCKETS);
	if (*chunk == NULL)
		*chunk = MemoryContextAllocZero(histogram->context, HISTOGRAM_CHUNK * sizeof(int64));
	count = &(*chunk)[bucket % HISTOGRAM_CHUNK];
	if (pg_add_s64_overflow(*count, n, count))
		refuse_count();
}

#endif							/* SUPPORT_HISTOGRAM_H */
