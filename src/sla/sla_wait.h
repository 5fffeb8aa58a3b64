/*
 * sla_wait.h
 *		Who waited for a reply since when, and until when, where comments come in late.
 */
#ifndef SUPPORT_SLA_WAIT_H
#define SUPPORT_SLA_WAIT_H

#include "sla/sla_clock_set.h"

extern bool has_older_replies(const SlaTicket *old, const SlaTicket *new);
extern bool shows_late_comments(const SlaTicket *old, const SlaTicket *new);
extern TimestampTz reply_after(ClockSet *set, const SlaTicket *ticket, TimestampTz since, TimestampTz at);
extern void answer_clock(ClockSet *set, const SlaTicket *ticket, Clock *clock, TimestampTz replied_at);
extern bool wait_is_settled(ClockSet *set, const SlaTicket *ticket, TimestampTz at);
extern void settle_waits(ClockSet *set, SlaTicket *ticket, TimestampTz at);

#endif							/* SUPPORT_SLA_WAIT_H */
