/*
 * report.h
 *		What somebody asks support.report() for.
 */
#ifndef SUPPORT_REPORT_H
#define SUPPORT_REPORT_H

#include "base/plan.h"
#include "report/time_buckets.h"
#include "stats/stats.h"

/* Where the rows are that a metric counts, for what no counter has. */
typedef enum MetricSource
{
	FROM_TICKETS,
	FROM_CHANGES,				/* of status, in the log */
	FROM_COMMENTS,
	FROM_MOVES,					/* into the backlog and out of it */
	FROM_LOG,					/* every entry: there are no counters */
	SOURCES
} MetricSource;

typedef struct Metric
{
	const char *name;
	MetricSource source;
	Measure		measure;
	Measure		cohort;			/* by the ticket's creation; the same where there is no such thing */
	bool		is_distinct;	/* counts tickets, not events */
	bool		is_stock;		/* counts what there is at the end of a bucket */
} Metric;

/* What a report can be divided by. */
typedef struct Grouping
{
	const char *name;
	const char *filter;			/* the key that picks out one of them */
	char		dim;			/* of the counters, 0 if there are none */
	bool		is_id;			/* values are ids */
} Grouping;

typedef struct Request
{
	const Metric *metric;
	Measure		measure;		/* as the anchor says */
	Bounds		bounds;
	const Grouping *group;		/* NULL for none */
	Datum		filters;		/* jsonb object */
	char		dim;			/* what counters to read, 0 if none can answer */
	ArrayType  *values;			/* those of the dimension that are asked for; NULL for all */
} Request;

extern void check_ticket_filters(Datum filters);
extern void read_request(Request *request, FunctionCallInfo fcinfo);
extern uint64 count_rows(const Request *request);

#endif							/* SUPPORT_REPORT_H */
