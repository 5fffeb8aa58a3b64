/*
 * backlog.h
 *		The unsolved tickets, a narrow row each.
 */
#ifndef SUPPORT_BACKLOG_H
#define SUPPORT_BACKLOG_H

#include "base/row.h"

/* What a ticket's clocks tell of it in the backlog. */
typedef struct Deadline
{
	TimestampTz due_at;			/* the earliest of what runs */
	const char *metric;			/* what is due then, NULL if nothing */
	int32		breaches;		/* promises that are known to be broken */
} Deadline;

extern void follow_backlog(const Row *old, const Row *new, const Deadline *deadline, bool moved);
extern void move_deadline(int64 ticket_id, const Deadline *deadline);
extern int64 mend_backlog(void);
extern void backlog_init(void);

#endif							/* SUPPORT_BACKLOG_H */
