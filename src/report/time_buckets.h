/*
 * time_buckets.h
 *		The instants at which the hours, days and months of a time zone begin.
 */
#ifndef SUPPORT_TIME_BUCKETS_H
#define SUPPORT_TIME_BUCKETS_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/date.h"

typedef enum Bucket
{
	BUCKET_WHOLE,				/* the range is one */
	BUCKET_HOUR,
	BUCKET_DAY,
	BUCKET_WEEK,
	BUCKET_MONTH,
	BUCKET_QUARTER,
	BUCKET_YEAR
} Bucket;

/* Ascending instants, each the end of a bucket and the beginning of the next one. */
typedef struct Bounds
{
	TimestampTz *times;
	int			n;
	int			room;
	int			max;			/* of buckets */
} Bounds;

extern ArrayType *bounds_array(const Bounds *bounds);
extern bool bucket_named(const char *name, Bucket *bucket);
extern const char *bucket_names(void);
extern DateADT local_date(TimestampTz at, pg_tz *zone);
extern TimestampTz day_start(DateADT date, pg_tz *zone);
extern TimestampTz quarter_hour(TimestampTz at);
extern void find_bounds(Bounds *bounds, TimestampTz from_at, TimestampTz to_at, Bucket bucket, pg_tz *zone);

#endif							/* SUPPORT_TIME_BUCKETS_H */
