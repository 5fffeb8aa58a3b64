/*
 * sla_status_periods.h
 *		What a ticket went through.
 */
#ifndef SUPPORT_SLA_STATUS_PERIODS_H
#define SUPPORT_SLA_STATUS_PERIODS_H

#include "sla/sla.h"

/* Where a ticket came to at an instant. */
typedef struct StatusPeriod
{
	TimestampTz at;
	Category	category;
	bool		is_deleted;
} StatusPeriod;

/* The all of a ticket. */
typedef struct StatusPeriods
{
	int			n;
	const StatusPeriod *all;	/* in the order of time; the first one holds from ever before */
} StatusPeriods;

extern StatusPeriods read_status_periods(int64 ticket_id, Category now);
extern bool counts_at(const Promise *promise, const StatusPeriod *period);
extern int64 consumed_in_periods(const Promise *promise, const StatusPeriods *periods, TimestampTz from_at, TimestampTz to_at);

#endif							/* SUPPORT_SLA_STATUS_PERIODS_H */
