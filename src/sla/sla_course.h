/*
 * sla_course.h
 *		The clocks of a ticket, and what changes of the ticket do to them.
 */
#ifndef SUPPORT_SLA_COURSE_H
#define SUPPORT_SLA_COURSE_H

#include "sla/sla_clock.h"
#include "sla/sla_path.h"
#include "sla/sla_policy.h"

/*
 * The clocks of a ticket, on its way. Who follows a ticket sets the callbacks; they may extend the struct. match gives
 * the policy that a ticket has, path what the ticket went through, new_id the id of another clock.
 */
typedef struct Course
{
	Ledger		ledger;
	int64		ticket_id;
	List	   *clocks;			/* of Clock *, in the order in which they began */
	const Policy *(*match) (struct Course *course, SlaTicket *ticket);
	Path		(*path) (struct Course *course, const SlaTicket *ticket);
	int64		(*new_id) (struct Course *course);
} Course;

extern void begin_course(Course *course, SlaTicket *ticket);
extern void follow_ticket(Course *course, const SlaTicket *old, SlaTicket *new, TimestampTz at);
extern void match_again(Course *course, SlaTicket *ticket, TimestampTz at);
extern void stop_course(Course *course, const SlaTicket *ticket, TimestampTz at);
extern void resume_course(Course *course, SlaTicket *ticket, TimestampTz at, bool match);

#endif							/* SUPPORT_SLA_COURSE_H */
