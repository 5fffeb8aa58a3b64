/*
 * entry_mover.h
 *		Moving entries between partitions of the log.
 */
#ifndef SUPPORT_ENTRY_MOVER_H
#define SUPPORT_ENTRY_MOVER_H

#include "access/transam.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* A partition that is written anew: what it is to hold is put together in a heap that takes the place of its own. */
typedef struct Rewriting
{
	Relation	partition;
	Relation	heap;
	TransactionId frozen_xid;	/* no row has an older one */
	MultiXactId min_multi;
	bool		is_begun;		/* a source was copied before */
	int64		entries;		/* that came to it */
} Rewriting;

/* An entry where it lies. */
typedef struct LyingEntry
{
	TimestampTz occurred_at;
	ItemPointer tid;
} LyingEntry;

/* Which of the new heaps an entry goes to; -1 for none. */
typedef int (*ChooseHeap) (const LyingEntry *entry, void *arg);

extern void begin_rewriting(Rewriting *rewriting, Oid partition);
extern void copy_entries(Oid source, Rewriting *targets, int ntargets, ChooseHeap choose, void *arg);
extern void finish_rewriting(Rewriting *rewriting);

#endif							/* SUPPORT_ENTRY_MOVER_H */
