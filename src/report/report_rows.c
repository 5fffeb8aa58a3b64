/*
 * report_rows.c
 *		Reports from the rows themselves, for what no counter has.
 *
 * The functions of sql/desk/report_rows.sql read the tickets, comments or log entries of the range with the caller's
 * rights, and count what the counters would. All statements have the same arguments and results:
 *
 *	$1 bounds, $2 measure, $3 group, $4 filters -> bucket, value, n, mean seconds, percentiles 50, 90, 95, 99 of them
 *
 * They are planned for each run: where a filter is not there, nothing of it is left in the plan.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "report/report.h"

#define COUNTS_OF(call) \
		"SELECT r.bucket, r.value, r.n, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8" \
		" FROM support_internal." call " AS r" \
		" ORDER BY r.bucket, r.n DESC, r.value"

#define ROW_ARGUMENTS \
		.columns = {{INT4OID, NOT_NULL}, {TEXTOID}, {INT8OID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, \
		{FLOAT8OID}, {FLOAT8OID}}, \
		.nargs = 4, .argtypes = {TIMESTAMPTZARRAYOID, TEXTOID, TEXTOID, JSONBOID}, .names_machinery = true, .replan = true

static Statement statements[SOURCES] = {
	[FROM_TICKETS] = {
		.text = "SELECT r.bucket, r.value, r.n, r.average,"
		"	r.percentiles[1], r.percentiles[2], r.percentiles[3], r.percentiles[4]"
		" FROM support_internal.report_tickets($1, $2, $3, $4) AS r"
		" ORDER BY r.bucket, r.n DESC, r.value",
		ROW_ARGUMENTS
	},
	[FROM_CHANGES] = {.text = COUNTS_OF("report_changes($1, $2, $3, $4)"), ROW_ARGUMENTS},
	[FROM_COMMENTS] = {.text = COUNTS_OF("report_comments($1, $2, $3, $4)"), ROW_ARGUMENTS},
	[FROM_MOVES] = {.text = COUNTS_OF("report_moves($1, $3, $4)"), ROW_ARGUMENTS},
	[FROM_LOG] = {.text = COUNTS_OF("report_log($1, $3, $4)"), ROW_ARGUMENTS}
};

/* Count the rows of the report's range. What comes is ordered by bucket. */
uint64
count_rows(const Request *request)
{
	const Metric *metric = request->metric;
	Args		args = {0};

	arg(&args, PointerGetDatum(bounds_array(&request->bounds)));
	if (metric->source == FROM_LOG)
		arg_null(&args);
	else
		arg_text(&args, metric->is_distinct ? metric->name : measure_infos[request->measure].name);
	arg_text(&args, request->group != NULL ? request->group->name : NULL);
	arg(&args, request->filters);
	return run_read_only(&statements[metric->source], &args);
}
