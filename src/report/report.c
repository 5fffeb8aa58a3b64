/*
 * report.c
 *		support.report(): any metric over any range, from the counters where they can tell it, else from the rows.
 *
 * The counters are machinery and are read with their owner's rights, if the caller may read the tables that they are
 * about. Names are looked up with the caller's.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "report/report.h"

enum
{
	COUNTED,
	DISTINCT_TICKETS,
	BACKLOG,
	NAMES
};

#define ASKED_FOR "($5 IS NULL OR s.value = ANY ($5))"

#define NO_DURATION \
		"NULL::float8, NULL::float8, NULL::float8, NULL::float8," \
		" NULL::float8"

#define COUNTER_ARGUMENTS \
		.nargs = 6, .argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZARRAYOID, BOOLOID, TEXTARRAYOID, BOOLOID}, \
		.as_owner_of = INTERNAL_TABLE("stat_counters")

/*
 * $1 measure, $2 dimension, $3 bounds, $4 with a line for each value, $5 values, $6 with durations
 * -> as count_rows()
 */
static Statement statements[] = {
	[COUNTED] = {
		.text = "SELECT c.bucket, c.value, c.n, c.average,"
		"	c.percentiles[1], c.percentiles[2], c.percentiles[3], c.percentiles[4]"
		" FROM"
		" ("
		"	SELECT s.bucket, v.value, sum(s.n)::int8 AS n,"
		"		CASE WHEN $6 THEN (sum(s.seconds) /"
		"			nullif(sum(s.n), 0))::float8 END AS average,"
		"		support_internal.percentiles(support.histogram_merge(s.histogram)) AS percentiles"
		"	FROM support_internal.stat_series($1, $2, $3, $6) AS s"
		"	CROSS JOIN LATERAL (SELECT CASE WHEN $4 THEN nullif(s.value, '') END AS value) AS v"
		"	WHERE " ASKED_FOR
		"	GROUP BY s.bucket, v.value"
		" ) AS c"
		" WHERE c.n <> 0"
		" ORDER BY c.bucket, c.n DESC, c.value",
		.columns = {{INT4OID, NOT_NULL}, {TEXTOID}, {INT8OID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID},
		{FLOAT8OID}, {FLOAT8OID}},
		COUNTER_ARGUMENTS
	},
	[DISTINCT_TICKETS] = {
		.text = "SELECT s.bucket, v.value, sum(s.tickets)::int8, "
		NO_DURATION
		" FROM support_internal.stat_distinct($1, $2, $3) AS s"
		" CROSS JOIN LATERAL (SELECT CASE WHEN $4 THEN nullif(s.value, '') END AS value) AS v"
		" WHERE " ASKED_FOR " AND $6 IS NOT NULL"
		" GROUP BY s.bucket, v.value"
		" ORDER BY s.bucket, sum(s.tickets) DESC, v.value",
		.columns = {{INT4OID, NOT_NULL}, {TEXTOID}, {INT8OID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID},
		{FLOAT8OID}, {FLOAT8OID}},
		COUNTER_ARGUMENTS
	},
	[BACKLOG] = {
		.text = "SELECT b.bucket, b.value, b.n, "
		NO_DURATION
		" FROM support_internal.report_backlog($1, $2, $3, $4, $5) AS b"
		" WHERE $6 IS NOT NULL"
		" ORDER BY b.bucket, b.n DESC, b.value",
		.columns = {{INT4OID, NOT_NULL}, {TEXTOID}, {INT8OID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID},
		{FLOAT8OID}, {FLOAT8OID}},
		COUNTER_ARGUMENTS
	},
	[NAMES] = {
		.text = "SELECT g.name FROM support_internal.group_names($1, $2) AS g ORDER BY g.place",
		.columns = {{TEXTOID}},
		.nargs = 2, .argtypes = {TEXTOID, TEXTARRAYOID}, .names_machinery = true, .replan = true
	}
};

/* The columns of a result of counting. */
enum
{
	COUNTED_BUCKET = 1,
	COUNTED_VALUE,
	COUNTED_N,
	COUNTED_AVERAGE,
	COUNTED_COLUMNS = COUNTED_AVERAGE + 4
};

/* The columns of a report. */
enum
{
	BUCKET_AT,
	BUCKET_END,
	GROUP_VALUE,
	GROUP_NAME,
	N,
	AVERAGE,
	REPORT_COLUMNS = AVERAGE + 5
};

/* The lines of a report, in the memory of the call. */
typedef struct Lines
{
	SPITupleTable *counted;
	uint64		n;
	SPITupleTable *names;		/* of the values, in their order; NULL if there are no groups */
} Lines;

/* Read the counters. */
static uint64
count_counters(const Request *request)
{
	char		dim[] = {request->dim, '\0'};
	Args		args = {0};

	arg_text(&args, measure_infos[request->measure].name);
	arg_text(&args, dim);
	arg(&args, PointerGetDatum(bounds_array(&request->bounds)));
	arg(&args, BoolGetDatum(request->group != NULL));
	if (request->values != NULL)
		arg(&args, PointerGetDatum(request->values));
	else
		arg_null(&args);
	arg(&args, BoolGetDatum(measure_infos[request->measure].has_duration));
	return run_read_only(&statements[request->metric->is_distinct ? DISTINCT_TICKETS :
									 request->metric->is_stock ? BACKLOG : COUNTED], &args);
}

/* Look up what the groups are called. */
static void
find_names(const Request *request, Lines *lines)
{
	ArrayBuildState *values = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	Args		args = {0};

	for (uint64 i = 0; i < lines->n; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(lines->counted->vals[i], lines->counted->tupdesc, COUNTED_VALUE, &isnull);

		accumArrayResult(values, value, isnull, TEXTOID, CurrentMemoryContext);
	}
	arg_text(&args, request->group->name);
	arg(&args, makeArrayResult(values, CurrentMemoryContext));
	run_read_only(&statements[NAMES], &args);
	lines->names = SPI_tuptable;
}

/* Seconds as an interval, in whole ones; a day has 24 hours. Raises 22008 for more days than an interval has. */
static Datum
interval_of(double seconds)
{
	Interval   *interval = palloc0(sizeof(Interval));
	double		whole = rint(seconds);

	if (!(fabs(whole) < (double) PG_INT32_MAX * SECS_PER_DAY))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range")));
	interval->day = (int32) floor(whole / SECS_PER_DAY);
	interval->time = (int64) (whole - (double) interval->day * SECS_PER_DAY) * USECS_PER_SEC;
	return IntervalPGetDatum(interval);
}

/* Add a line: the n-th of the counts, or an empty bucket. */
static void
put_line(ReturnSetInfo *rsinfo, const Bounds *bounds, int bucket, const Lines *lines, int64 n)
{
	Datum		values[REPORT_COLUMNS] = {0};
	bool		nulls[REPORT_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[BUCKET_AT] = TimestampTzGetDatum(bounds->times[bucket - 1]);
	values[BUCKET_END] = TimestampTzGetDatum(bounds->times[bucket]);
	values[N] = Int64GetDatum(0);
	nulls[BUCKET_AT] = nulls[BUCKET_END] = nulls[N] = false;
	if (n >= 0)
	{
		HeapTuple	tuple = lines->counted->vals[n];
		TupleDesc	desc = lines->counted->tupdesc;

		values[GROUP_VALUE] = SPI_getbinval(tuple, desc, COUNTED_VALUE, &nulls[GROUP_VALUE]);
		if (lines->names != NULL)
			values[GROUP_NAME] = SPI_getbinval(lines->names->vals[n], lines->names->tupdesc, 1, &nulls[GROUP_NAME]);
		values[N] = SPI_getbinval(tuple, desc, COUNTED_N, &nulls[N]);
		for (int i = COUNTED_AVERAGE; i <= COUNTED_COLUMNS; i++)
		{
			int			column = AVERAGE + i - COUNTED_AVERAGE;
			Datum		seconds = SPI_getbinval(tuple, desc, i, &nulls[column]);

			if (!nulls[column])
				values[column] = interval_of(DatumGetFloat8(seconds));
		}
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Add all lines; those of empty buckets too, where a bucket has but one line. */
static void
put_lines(ReturnSetInfo *rsinfo, const Request *request, const Lines *lines)
{
	uint64		next = 0;

	for (int bucket = 1; bucket < request->bounds.n; bucket++)
	{
		bool		is_empty = true;

		CHECK_FOR_INTERRUPTS();
		for (; next < lines->n; next++)
		{
			bool		isnull;

			if (DatumGetInt32(SPI_getbinval(lines->counted->vals[next], lines->counted->tupdesc,
											COUNTED_BUCKET, &isnull)) != bucket)
				break;
			put_line(rsinfo, &request->bounds, bucket, lines, next);
			is_empty = false;
		}
		if (is_empty && request->group == NULL)
			put_line(rsinfo, &request->bounds, bucket, lines, -1);
	}
}

/*
 * report(metric, from_at, to_at, bucket, time_zone, group_by, filters, anchor, first_day, last_day) -> a line for each bucket
 * and group
 */
PG_FUNCTION_INFO_V1(support_report);
Datum
support_report(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Lines		lines = {0};
	Request		request;
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	read_request(&request, fcinfo);
	if (request.bounds.n > 1)
	{
		lines.n = request.dim != 0 ? count_counters(&request) : count_rows(&request);
		lines.counted = SPI_tuptable;
		if (request.group != NULL)
			find_names(&request, &lines);
		put_lines(rsinfo, &request, &lines);
	}
	end_call(&call);
	return (Datum) 0;
}
