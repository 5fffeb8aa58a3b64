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

#include "utils/palloc.h"

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
extern int	histogram_bucket(int64 seconds);
extern void histogram_add(Histogram *histogram, int bucket, int64 n);
extern bytea *histogram_encode(const Histogram *histogram);

#endif							/* SUPPORT_HISTOGRAM_H */
