/*
 * sla_clock_set.h
 *		The clocks of a ticket, and what changes of the ticket do to them.
 */
#ifndef SUPPORT_SLA_CLOCK_SET_H
#define SUPPORT_SLA_CLOCK_SET_H

#include "sla/sla_clock.h"
#include "sla/sla_policy.h"
#include "sla/sla_status_periods.h"

/* A customer's comment, or an agent's reply. */
typedef struct Letter
{
	TimestampTz at;
	bool		is_reply;
} Letter;

typedef struct Letters
{
	int			n;
	Letter	   *all;			/* in the order in which they were written */
} Letters;

/*
 * The clocks of a ticket. Who follows the ticket sets the callbacks, and may extend the struct: match gives the policy that
 * it has, periods what it went through, new_id the id of another clock, letters what was written to and fro and not deleted
 * by an instant, counts_from_now whether a clock was told to count from its start on, whatever came before.
 */
typedef struct ClockSet
{
	Ledger		ledger;
	int64		ticket_id;
	List	   *clocks;			/* of Clock *, in the order in which they began */
	bool		from_now;		/* what is promised only now counts from now on, and not since it is owed */
	const Policy *(*match) (struct ClockSet *set, SlaTicket *ticket);
	StatusPeriods (*periods) (struct ClockSet *set, const SlaTicket *ticket);
	int64		(*new_id) (struct ClockSet *set);
	Letters		(*letters) (struct ClockSet *set, TimestampTz at);
	bool		(*counts_from_now) (struct ClockSet *set, const Clock *clock);
} ClockSet;

extern const Promise *promise_for(ClockSet *set, SlaTicket *ticket, SlaMetric metric);
extern bool counts_since(ClockSet *set, const Clock *clock, TimestampTz since);
extern Clock *begin_clock(ClockSet *set, SlaTicket *ticket, const Promise *promise, TimestampTz started_at, TimestampTz at,
						  int64 consumed);
extern void begin_clocks(ClockSet *set, SlaTicket *ticket);
extern void follow_ticket(ClockSet *set, const SlaTicket *old, SlaTicket *new, TimestampTz at);
extern void match_again(ClockSet *set, SlaTicket *ticket, TimestampTz at);
extern void recount_clocks(ClockSet *set, SlaTicket *ticket, const List *clocks, TimestampTz at);
extern void stop_clocks(ClockSet *set, const SlaTicket *ticket, TimestampTz at);
extern void resume_clocks(ClockSet *set, SlaTicket *ticket, TimestampTz at, bool match);

#endif							/* SUPPORT_SLA_CLOCK_SET_H */
