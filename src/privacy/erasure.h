/*
 * erasure.h
 *		Erasing what people have written on tickets.
 */
#ifndef SUPPORT_ERASURE_H
#define SUPPORT_ERASURE_H

/* What texts have in their place, see support_internal.erased_columns(). */
#define ERASED "[erased]"

/* A run, and what went or would go. */
typedef struct Erasure
{
	bool		dry_run;
	int64		user_id;		/* whose; 0: everybody's */

	int64		tickets;
	int64		reasons;		/* of deletions, of tickets of others */
	int64		comments;
	int64		files;
	int64		contents;
	int64		entries;		/* of the log */
} Erasure;

extern void erase_texts(Erasure *erasure, const int64 *ticket_ids, int n);
extern void lock_tickets(const int64 *ticket_ids, int n);
extern void refuse_old_snapshot(const char *function);

#endif							/* SUPPORT_ERASURE_H */
