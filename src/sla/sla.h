/*
 * sla.h
 *		What the desk promises, and the clocks that measure it.
 */
#ifndef SUPPORT_SLA_H
#define SUPPORT_SLA_H

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#include "base/lookups.h"

typedef enum SlaMetric
{
	SLA_FIRST_REPLY,
	SLA_NEXT_REPLY,
	SLA_PERIODIC_UPDATE,
	SLA_REQUESTER_WAIT,
	SLA_AGENT_WORK,
	SLA_RESOLUTION,
	SLA_OWNERSHIP,
	SLA_METRICS					/* how many there are */
} SlaMetric;

#define CATEGORY_BIT(category) (1 << (category))

#define NO_CALENDAR 0			/* round the clock */

/* What a policy promises for a metric. */
typedef struct Promise
{
	SlaMetric	metric;
	int64		policy_id;
	int32		policy_version;
	int64		target;			/* microseconds; of a clock this is all there is */
	int32		target_days;	/* or, of a policy, working days of the calendar; else 0 */
	int64		calendar_id;	/* or NO_CALENDAR */
	int32		calendar_version;
	uint8		pauses;			/* bits of categories */
	int			nwarns;
	const int32 *warns;			/* percent, ascending */
} Promise;

/* What the clocks read of a ticket. */
typedef struct SlaTicket
{
	int64		id;
	bool		is_live;
	Category	category;
	const char *priority;		/* normal where it is not set */
	const char *channel;		/* NULL for none */
	int64		team_id;		/* 0 for none; likewise: */
	int64		assignee_id;
	int64		organization_id;
	Datum		custom;			/* jsonb, 0 for none */
	List	   *tags;			/* names as C strings; read only if known, see sla_policy.c */
	bool		tags_known;
	TimestampTz created_at;
	TimestampTz waiting_since;	/* DT_NOBEGIN for none; likewise: */
	TimestampTz first_replied_at;
	TimestampTz last_agent_at;
	TimestampTz last_customer_at;
	int64		reply_count;
} SlaTicket;

typedef enum ClockState
{
	CLOCK_RUNNING,
	CLOCK_PAUSED,
	CLOCK_FULFILLED,
	CLOCK_CANCELLED
} ClockState;

typedef enum SlaEventKind
{
	SLA_ACTIVATE,
	SLA_PAUSE,
	SLA_RESUME,
	SLA_RETARGET,
	SLA_WARN,
	SLA_BREACH,
	SLA_BREACH_VOIDED,
	SLA_FULFIL,
	SLA_CANCEL
} SlaEventKind;

#endif							/* SUPPORT_SLA_H */
