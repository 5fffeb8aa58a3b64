/*
 * bisection.h
 *		Work on many tickets, of which some may refuse it.
 */
#ifndef SUPPORT_BISECTION_H
#define SUPPORT_BISECTION_H

/* Tickets that work leaves out. */
typedef struct LeftOut
{
	int			n;
	int64	   *ticket_ids;
} LeftOut;

/* Work on those from one place up to another; returns what it counts. */
typedef int64 (*WorkOnPart) (uint64 from, uint64 upto, void *arg);

/* Which ticket is at a place? */
typedef int64 (*TicketAt) (uint64 place, void *arg);

extern int64 work_in_parts(uint64 n, WorkOnPart work, TicketAt ticket_at, void *arg, LeftOut *left_out);
extern Datum left_out_ids(const LeftOut *left_out);
extern void tell_left_out(const LeftOut *left_out);

#endif							/* SUPPORT_BISECTION_H */
