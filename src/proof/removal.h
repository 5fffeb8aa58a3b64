/*
 * removal.h
 *		Noting what leaves the sealed log.
 */
#ifndef SUPPORT_REMOVAL_H
#define SUPPORT_REMOVAL_H

#include "base/plan.h"

/* Entries of the log, and the values that they are to have, by a query. */
typedef struct PlannedEntries
{
	const char *query;			/* ticket_id, id, occurred_at, era, xid, old_value, new_value, and what else it likes */
	int			nargs;
	const Oid  *argtypes;
	Args		args;
} PlannedEntries;

extern void note_erasure(const int64 *ticket_ids, int n);
extern int64 redact_entries(const PlannedEntries *planned);
extern int64 note_pruning(Oid partition, bool keep_salts);

#endif							/* SUPPORT_REMOVAL_H */
