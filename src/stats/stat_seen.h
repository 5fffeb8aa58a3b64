/*
 * stat_seen.h
 *		The rows of stat_deltas that a snapshot sees, kept from one reader to the next.
 */
#ifndef SUPPORT_STAT_SEEN_H
#define SUPPORT_STAT_SEEN_H

#include "utils/snapshot.h"

#include "stats/counters.h"
#include "stats/stats.h"

typedef struct Seen
{
	StatRow    *rows;
	int64		n;
	int32	   *order;			/* the numbers of the rows that count for a measure, measure after measure */
	int64		begins[STAT_MEASURES + 1];	/* where each measure's begin */
	ValueCodes	codes;			/* own the texts of the rows */
} Seen;

extern void stat_seen_init(void);
extern Seen *deltas_seen(Snapshot snapshot);

#endif							/* SUPPORT_STAT_SEEN_H */
