/*
 * sla_live.h
 *		What changes of tickets do to their clocks, as they happen.
 */
#ifndef SUPPORT_SLA_LIVE_H
#define SUPPORT_SLA_LIVE_H

#include "base/row.h"
#include "sla/sla_course.h"

/* A ticket's clocks as the tables have them. */
typedef struct LiveCourse
{
	Course		course;			/* first, for the callbacks */
	bool		matched;
	const Policy *policy;		/* once matched */
	bool		was_live;		/* the ticket, before the change */
	bool		is_live;		/* and after it */
} LiveCourse;

extern SlaTicket sla_ticket_of(const Row *row);
extern void open_course(LiveCourse *live, int64 ticket_id);
extern void close_course(LiveCourse *live);
extern void sla_live_init(void);
extern void match_ticket(int64 ticket_id);
extern void forget_clocks(int64 ticket_id);

#endif							/* SUPPORT_SLA_LIVE_H */
