/*
 * histogram.c
 *		How many durations there are of which length: counts that can be added, taken away and asked for percentiles.
 *
 * As bytea a histogram is a version byte and, for each bucket that has a count, in ascending order, how many empty
 * buckets lie before it and the count, both as varints. Equal histograms are equal bytes. In memory the buckets of a
 * power of two lie side by side, and those that no duration reached do not exist.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/varint.h"
#include "stats/histogram.h"

#define VERSION 1
#define CHUNK_BITS 6

StaticAssertDecl(HISTOGRAM_CHUNK == 1 << CHUNK_BITS, "a chunk has a power of two of buckets");

/* Reading counts from the bytea that histogram_encode() made. */
typedef struct HistogramReader
{
	const uint8 *at;
	const uint8 *end;
	int			bucket;			/* the last one, -1 at first */
} HistogramReader;

/* The bucket that a duration belongs to; one below zero counts as none at all. */
int
histogram_bucket(int64 seconds)
{
	int			shift;

	if (seconds < HISTOGRAM_CHUNK)
		return (int) Max(seconds, 0);
	shift = pg_leftmost_one_pos64((uint64) seconds) - CHUNK_BITS;
	return shift * HISTOGRAM_CHUNK + (int) (seconds >> shift);
}

/* The middle of the whole seconds that belong to a bucket. */
static double
histogram_middle(int bucket)
{
	int			shift = Max(bucket / HISTOGRAM_CHUNK - 1, 0);
	double		width = ldexp(1, shift);

	return (bucket - shift * HISTOGRAM_CHUNK) * width + (width - 1) / 2;
}

/* Raise 22003. */
pg_noreturn void
refuse_count(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a histogram counts too many durations"),
			 errhint("The durations of a histogram are at most %lld.", (long long) PG_INT64_MAX)));
}

/*
 * Go to the next bucket that has a count, from *bucket = -1; false after the last one.
 */
static bool
histogram_next(const Histogram *histogram, int *bucket, int64 *n)
{
	for (int next = *bucket + 1; next < HISTOGRAM_BUCKETS; next++)
	{
		const int64 *chunk = histogram->chunks[next / HISTOGRAM_CHUNK];

		if (chunk == NULL)
			next |= HISTOGRAM_CHUNK - 1;
		else if (chunk[next % HISTOGRAM_CHUNK] != 0)
		{
			*bucket = next;
			*n = chunk[next % HISTOGRAM_CHUNK];
			return true;
		}
	}
	return false;
}

/* Add another's counts. */
static void
histogram_merge(Histogram *histogram, const Histogram *other)
{
	int64		n;

	for (int bucket = -1; histogram_next(other, &bucket, &n);)
		histogram_add(histogram, bucket, n);
}

static bool
histogram_is_empty(const Histogram *histogram)
{
	int			bucket = -1;
	int64		n;

	return !histogram_next(histogram, &bucket, &n);
}

/* How many durations a percentile has at least below or at it. */
static double
rank_of(double fraction, int64 total)
{
	return Max(ceil(fraction * total), 1);
}

/* A percentile of the durations in seconds, of which there must be some; none of the counts is negative. */
double
histogram_percentile(const Histogram *histogram, double fraction)
{
	int64		total = 0;
	int64		passed = 0;
	int			bucket;
	int64		n;

	for (bucket = -1; histogram_next(histogram, &bucket, &n);)
		total += n;
	for (bucket = -1; passed < rank_of(fraction, total) && histogram_next(histogram, &bucket, &n);)
		passed += n;
	return histogram_middle(bucket);
}

/* The histogram as bytea, in the current memory context. */
bytea *
histogram_encode(const Histogram *histogram)
{
	StringInfoData buffer;
	int			last = -1;
	int64		n;

	initStringInfo(&buffer);
	appendStringInfoSpaces(&buffer, VARHDRSZ);
	appendStringInfoCharMacro(&buffer, VERSION);
	for (int bucket = -1; histogram_next(histogram, &bucket, &n); last = bucket)
	{
		uint8	   *at;

		enlargeStringInfo(&buffer, 2 * MAX_VARINT);
		at = write_varint((uint8 *) buffer.data + buffer.len, bucket - last - 1);
		buffer.len = (int) (write_varint(at, zigzag(n)) - (uint8 *) buffer.data);
	}
	SET_VARSIZE(buffer.data, buffer.len);
	return (bytea *) buffer.data;
}

/* Begin to read a histogram, which must stay in place; false if it is none. */
static bool
histogram_open(HistogramReader *reader, const bytea *encoded)
{
	reader->at = (const uint8 *) VARDATA_ANY(encoded);
	reader->end = reader->at + VARSIZE_ANY_EXHDR(encoded);
	reader->bucket = -1;
	return reader->at < reader->end && *reader->at++ == VERSION;
}

/* Read the next bucket. False at the end, and where what follows is malformed: then reader->at is NULL. */
static bool
histogram_read(HistogramReader *reader, int *bucket, int64 *n)
{
	uint64		gap;
	uint64		count;

	if (reader->at == reader->end)
		return false;
	if (!read_varint(&reader->at, reader->end, &gap) || gap >= (uint64) (HISTOGRAM_BUCKETS - 1 - reader->bucket) ||
		!read_varint(&reader->at, reader->end, &count) || count == 0)
	{
		reader->at = NULL;
		return false;
	}
	*bucket = reader->bucket += 1 + (int) gap;
	*n = unzigzag(count);
	return true;
}

/* Add the counts of a bytea, or take them away where sign is -1; false if it is malformed, when some were added. */
static bool
histogram_decode(Histogram *histogram, const bytea *encoded, int sign)
{
	HistogramReader reader;
	int			bucket;
	int64		n;

	if (!histogram_open(&reader, encoded))
		return false;
	while (histogram_read(&reader, &bucket, &n))
	{
		if (sign < 0 && n == PG_INT64_MIN)
			return false;
		histogram_add(histogram, bucket, sign < 0 ? -n : n);
	}
	return reader.at != NULL;
}

/* Raise 0A000 unless an aggregate calls us; sets where its state lives. */
static void
check_aggregate(FunctionCallInfo fcinfo, MemoryContext *context)
{
	if (!AggCheckCallContext(fcinfo, context))
		refuse_lone_call();
}

/* The histogram that an aggregate adds to, the argument before all others; made at the first row. */
static Histogram *
aggregate_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	Histogram  *histogram;

	check_aggregate(fcinfo, &context);
	if (!PG_ARGISNULL(0))
		return (Histogram *) PG_GETARG_POINTER(0);

	histogram = MemoryContextAllocZero(context, sizeof(Histogram));
	histogram->context = context;
	return histogram;
}

/* Seconds as they were measured, with a fraction. Raises 22023 if they are no number or one that no bucket has. */
static int64
whole_seconds(double seconds)
{
	if (isnan(seconds) || isinf(seconds) || seconds >= -(double) PG_INT64_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s seconds have no place in a histogram", float8out_internal(seconds)),
				 errhint("Leave out what is not finite with FILTER (WHERE ...).")));
	return seconds > 0 ? (int64) seconds : 0;
}

static Datum
count_seconds(FunctionCallInfo fcinfo, int64 n)
{
	Histogram  *histogram = aggregate_state(fcinfo);

	if (!PG_ARGISNULL(1))
		histogram_add(histogram, histogram_bucket(whole_seconds(PG_GETARG_FLOAT8(1))), n);
	PG_RETURN_POINTER(histogram);
}

/* The transition of the aggregate histogram(seconds) */
PG_FUNCTION_INFO_V1(support_histogram_add);
Datum
support_histogram_add(PG_FUNCTION_ARGS)
{
	return count_seconds(fcinfo, 1);
}

/* and its inverse, for a window frame that moves on */
PG_FUNCTION_INFO_V1(support_histogram_remove);
Datum
support_histogram_remove(PG_FUNCTION_ARGS)
{
	return count_seconds(fcinfo, -1);
}

/* Raise 22023. */
pg_noreturn static void
refuse_histogram(const bytea *encoded)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the bytea of %zu bytes is not a histogram", (size_t) VARSIZE_ANY_EXHDR(encoded)),
			 errhint("The aggregates support.histogram(seconds) and support.histogram_merge(histogram) make them.")));
}

/* Add what a caller handed over, or take it away. Raises 22023 if it is malformed or has a negative count. */
static void
add_argument(Histogram *histogram, FunctionCallInfo fcinfo, int n, int sign)
{
	bytea	   *encoded = PG_GETARG_BYTEA_PP(n);
	HistogramReader reader;
	int			bucket;
	int64		count = 0;

	if (!histogram_open(&reader, encoded))
		refuse_histogram(encoded);
	while (histogram_read(&reader, &bucket, &count) && count > 0)
		histogram_add(histogram, bucket, sign * count);
	if (reader.at != reader.end || count < 0)
		refuse_histogram(encoded);
}

/* How many durations there are in what a caller handed over. Raises 22023 as well. */
static int64
count_argument(const bytea *encoded)
{
	HistogramReader reader;
	int			bucket;
	int64		count = 0;
	int64		sum = 0;

	if (!histogram_open(&reader, encoded))
		refuse_histogram(encoded);
	while (histogram_read(&reader, &bucket, &count) && count > 0)
		if (pg_add_s64_overflow(sum, count, &sum))
			refuse_count();
	if (reader.at != reader.end || count < 0)
		refuse_histogram(encoded);
	return sum;
}

static Datum
merge_histogram(FunctionCallInfo fcinfo, int sign)
{
	Histogram  *histogram = aggregate_state(fcinfo);

	if (!PG_ARGISNULL(1))
		add_argument(histogram, fcinfo, 1, sign);
	PG_RETURN_POINTER(histogram);
}

/* The transition of the aggregate histogram_merge(histogram) */
PG_FUNCTION_INFO_V1(support_histogram_merge_add);
Datum
support_histogram_merge_add(PG_FUNCTION_ARGS)
{
	return merge_histogram(fcinfo, 1);
}

/* and its inverse */
PG_FUNCTION_INFO_V1(support_histogram_merge_remove);
Datum
support_histogram_merge_remove(PG_FUNCTION_ARGS)
{
	return merge_histogram(fcinfo, -1);
}

/* Add up what two workers have counted. */
PG_FUNCTION_INFO_V1(support_histogram_combine);
Datum
support_histogram_combine(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = aggregate_state(fcinfo);

	if (!PG_ARGISNULL(1))
		histogram_merge(histogram, (Histogram *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(histogram);
}

/* What a worker has counted, as it hands it to the leader */
PG_FUNCTION_INFO_V1(support_histogram_serialize);
Datum
support_histogram_serialize(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(histogram_encode(aggregate_state(fcinfo)));
}

PG_FUNCTION_INFO_V1(support_histogram_deserialize);
Datum
support_histogram_deserialize(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = palloc0(sizeof(Histogram));
	MemoryContext context;

	check_aggregate(fcinfo, &context);
	histogram->context = CurrentMemoryContext;
	if (PG_ARGISNULL(0) || !histogram_decode(histogram, PG_GETARG_BYTEA_PP(0), 1))
		elog(ERROR, "a worker returned no histogram");
	PG_RETURN_POINTER(histogram);
}

/* The result of both aggregates: NULL if they had nothing to count */
PG_FUNCTION_INFO_V1(support_histogram_result);
Datum
support_histogram_result(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || histogram_is_empty((Histogram *) PG_GETARG_POINTER(0)))
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(histogram_encode((Histogram *) PG_GETARG_POINTER(0)));
}

/* histogram_subtract(minuend, subtrahend) -> bytea */
PG_FUNCTION_INFO_V1(support_histogram_subtract);
Datum
support_histogram_subtract(PG_FUNCTION_ARGS)
{
	Histogram	histogram = {.context = CurrentMemoryContext};
	int64		n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	add_argument(&histogram, fcinfo, 0, 1);
	add_argument(&histogram, fcinfo, 1, -1);
	for (int bucket = -1; histogram_next(&histogram, &bucket, &n);)
		if (n < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the subtrahend has more durations of about %.0f seconds than the minuend",
							histogram_middle(bucket)),
					 errhint("Only what was merged into a histogram can be taken away from it.")));
	PG_RETURN_BYTEA_P(histogram_encode(&histogram));
}

/* histogram_count(histogram) -> bigint */
PG_FUNCTION_INFO_V1(support_histogram_count);
Datum
support_histogram_count(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_INT64(count_argument(PG_GETARG_BYTEA_PP(0)));
}

/* Seconds that a fraction of the durations does not exceed; more are then looked for from there on. */
typedef struct PercentileSearch
{
	HistogramReader reader;
	int			bucket;			/* the last one that was passed */
	int64		passed;			/* durations up to there */
} PercentileSearch;

static double
find_percentile(PercentileSearch *search, double fraction, int64 total)
{
	double		rank = rank_of(fraction, total);
	int64		n;

	while (search->passed < rank && histogram_read(&search->reader, &search->bucket, &n))
		search->passed += n;
	return histogram_middle(search->bucket);
}

/* percentile(histogram, fraction) -> seconds, NULL if the histogram is empty */
PG_FUNCTION_INFO_V1(support_percentile);
Datum
support_percentile(PG_FUNCTION_ARGS)
{
	bytea	   *encoded;
	PercentileSearch search = {0};
	double		fraction;
	int64		n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	encoded = PG_GETARG_BYTEA_PP(0);
	fraction = PG_GETARG_FLOAT8(1);
	if (!(fraction >= 0 && fraction <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fraction %s is not between 0 and 1", float8out_internal(fraction)),
				 errhint("The median is 0.5, the 90th percentile 0.9.")));
	n = count_argument(encoded);
	if (n == 0)
		PG_RETURN_NULL();
	(void) histogram_open(&search.reader, encoded);
	PG_RETURN_FLOAT8(find_percentile(&search, fraction, n));
}

/* percentiles(histogram) -> those that reports show, in one pass: 50, 90, 95 and 99 */
PG_FUNCTION_INFO_V1(support_percentiles);
Datum
support_percentiles(PG_FUNCTION_ARGS)
{
	static const double fractions[] = {0.5, 0.9, 0.95, 0.99};
	Datum		values[lengthof(fractions)];
	bytea	   *encoded;
	PercentileSearch search = {0};
	int64		n;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	encoded = PG_GETARG_BYTEA_PP(0);
	n = count_argument(encoded);
	if (n == 0)
		PG_RETURN_NULL();
	(void) histogram_open(&search.reader, encoded);
	for (int i = 0; i < lengthof(fractions); i++)
		values[i] = Float8GetDatum(find_percentile(&search, fractions[i], n));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, lengthof(fractions), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
