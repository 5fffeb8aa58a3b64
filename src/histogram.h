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

/* Reading counts from the bytea that histogram_encode() made. */
typedef struct HistogramReader
{
	const uint8 *at;
	const uint8 *end;
	int			bucket;			/* the last one, -1 at first */
} HistogramReader;

extern int	histogram_bucket(int64 seconds);
extern double histogram_middle(int bucket);

extern void histogram_add(Histogram *histogram, int bucket, int64 n);
extern void histogram_merge(Histogram *histogram, const Histogram *other);
extern void histogram_subtract(Histogram *histogram, const Histogram *other);
extern bool histogram_next(const Histogram *histogram, int *bucket, int64 *n);
extern int64 histogram_count(const Histogram *histogram);
extern bool histogram_is_empty(const Histogram *histogram);
extern bool histogram_percentile(const Histogram *histogram, double fraction, double *seconds);
extern void histogram_clear(Histogram *histogram);

extern bytea *histogram_encode(const Histogram *histogram);
extern bool histogram_open(HistogramReader *reader, const bytea *encoded);
extern bool histogram_read(HistogramReader *reader, int *bucket, int64 *n);
extern bool histogram_decode(Histogram *histogram, const bytea *encoded, int sign);

#endif							/* SUPPORT_HISTOGRAM_H */
