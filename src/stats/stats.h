/*
 * stats.h
 *		What the reports count.
 *
 * A contribution is one unit of a measure: it has a time, for some measures a duration, and a value in each of the
 * measure's dimensions. The counters add contributions up. A StatRow is a row of support_internal.stat_deltas: the
 * contributions of one ticket, comment or event, taken weight times.
 */
#ifndef SUPPORT_STATS_H
#define SUPPORT_STATS_H

#include "datatype/timestamp.h"

/* Sums are kept by quarter hours, called slots. */
#define SLOT_USECS (INT64CONST(900) * USECS_PER_SEC)

/* The numbers are kept in tables: a new measure comes at the end. */
typedef enum Measure
{
	STAT_STATUS_STOCK,			/* live tickets in a status */
	STAT_OPEN,					/* unsolved tickets */
	STAT_UNASSIGNED,			/* those that nobody works on */
	STAT_WAITING,				/* those whose customer waits for an answer */
	STAT_UNANSWERED,			/* those that nobody has replied to yet */
	STAT_TICKETS,				/* live tickets */
	STAT_FIRST_REPLY,
	STAT_FIRST_REPLY_COHORT,
	STAT_RESOLUTION,			/* the first one */
	STAT_RESOLUTION_COHORT,
	STAT_FULL_RESOLUTION,		/* of tickets that are solved now */
	STAT_FULL_RESOLUTION_COHORT,
	STAT_ONE_TOUCH,
	STAT_TWO_TOUCH,
	STAT_MULTI_TOUCH,
	STAT_REOPENED_TICKETS,		/* solved now, after having been reopened */
	STAT_STATUS_FLOW,			/* entering a status, and leaving it with the opposite sign */
	STAT_ENTERED,				/* entering a status */
	STAT_SOLVED,				/* solve events */
	STAT_RESOLVED_AGAIN,		/* those of a ticket that was solved before */
	STAT_REOPENED,				/* reopen events */
	STAT_REPLY,					/* agents' replies */
	STAT_CUSTOMER_COMMENT,
	STAT_SLA_ACHIEVED,			/* promises kept */
	STAT_SLA_BREACHED,			/* promises broken */
	STAT_SLA_LATE,				/* those of them that are yet to be fulfilled */
	STAT_MEASURES				/* how many there are */
} Measure;

/* A row's measures are bits of an integer column, whose sign is none of them. */
#define STAT_BIT(measure) ((uint32) 1 << (measure))

StaticAssertDecl(STAT_MEASURES <= 31, "an integer has a bit for each measure");

/* The dimensions, as stat_counters.dim has them. */
#define DIM_ALL '-'
#define DIM_TEAM 't'
#define DIM_ASSIGNEE 'a'
#define DIM_PRIORITY 'p'
#define DIM_CHANNEL 'c'
#define DIM_ORGANIZATION 'o'
#define DIM_STATUS 's'
#define DIM_TAG 'g'
#define DIM_USER 'u'			/* who did it */

typedef struct MeasureInfo
{
	const char *name;			/* in SQL */
	const char *dims;			/* the dimensions it is counted by */
	bool		has_duration;	/* the counters keep histograms of its seconds */
	bool		has_seconds;	/* the counters keep the sum of its seconds */
	bool		has_pairs;		/* its seconds are quarter hours since the event before, and kept one by one */
	bool		has_instants;	/* its quarter hours are divided by microseconds, so that the first is known exactly */
} MeasureInfo;

extern const MeasureInfo measure_infos[STAT_MEASURES];

/* NULL in a StatRow: no id, DT_NOBEGIN for a time, a null pointer for a text. */
#define NO_STAT_ID PG_INT64_MIN

typedef struct StatRow
{
	int32		weight;
	uint32		measures;		/* bits: what contributes; the rest of the row is read as these need it */
	TimestampTz at;				/* of an event */
	const char *status;			/* of a promise: metric, policy, team and agent, see sla_counts.c */
	const char *priority;		/* NULL is normal */
	const char *channel;
	int64		team_id;
	int64		assignee_id;
	int64		organization_id;
	int64		agent_id;		/* who did it */
	int64		tag_id;			/* a ticket's tag: counts for this dimension only */
	TimestampTz created_at;		/* of the ticket; in STAT_RESOLVED_AGAIN the time of the solve before */
	TimestampTz first_replied_at;
	TimestampTz first_solved_at;
	TimestampTz solved_at;
	TimestampTz waiting_since;
} StatRow;

/* A contribution to a measure, in one dimension. */
typedef struct Contribution
{
	Measure		measure;
	char		dim;
	const char *value;			/* "" for none; lives as long as the row */
	TimestampTz at;
	int64		seconds;		/* 0 unless the measure has them */
	int64		weight;
} Contribution;

typedef void (*ContributionSink) (void *arg, const Contribution *contribution);

extern Measure measure_named(const char *name);
extern int64 slot_of(TimestampTz at);
extern void stat_measure(const StatRow *row, Measure measure, TimestampTz *at, int64 *seconds);
extern void stat_expand(const StatRow *row, ContributionSink sink, void *arg);

#endif							/* SUPPORT_STATS_H */
