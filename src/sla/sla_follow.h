/*
 * sla_follow.h
 *		What changes of tickets do to their clocks, as they happen.
 */
#ifndef SUPPORT_SLA_FOLLOW_H
#define SUPPORT_SLA_FOLLOW_H

#include "base/row.h"
#include "sla/sla_clock_set.h"
#include "stats/backlog.h"

/* A ticket's clocks as the tables have them. */
typedef struct LiveClockSet
{
	ClockSet	set;			/* first, for the callbacks */
	bool		matched;
	const Policy *policy;		/* once matched */
	Deadline	deadline;		/* that they told when they were read */
	bool		row_changes;	/* not the clocks alone, but the ticket's row: */
	const Row  *old;			/* before the change, NULL if there was none */
	const Row  *new;			/* and after it, NULL if it is gone */
} LiveClockSet;

extern SlaTicket sla_ticket_of(const Row *row);
extern void open_clock_set(LiveClockSet *live, int64 ticket_id);
extern Letters read_letters(ClockSet *set, TimestampTz at);
extern void close_clock_set(LiveClockSet *live);
extern void sla_follow_init(void);
extern void match_ticket(int64 ticket_id);
extern void forget_clocks(int64 ticket_id);

#endif							/* SUPPORT_SLA_FOLLOW_H */
