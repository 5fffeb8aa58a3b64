/*
 * delta_writer.h
 *		Rows of support_internal.stat_deltas, to be written.
 */
#ifndef SUPPORT_DELTA_WRITER_H
#define SUPPORT_DELTA_WRITER_H

#include "stats/stat_deltas.h"

#define DELTA_COLUMN_NAMES \
	"weight, measures, at, status, priority, channel, team_id, assignee_id, organization_id, agent_id, tag_id," \
	" created_at, first_replied_at, first_solved_at, solved_at, waiting_since"

typedef struct Delta
{
	Datum		values[DELTA_COLUMNS];
	bool		nulls[DELTA_COLUMNS];
} Delta;

extern Delta new_delta(int32 weight, uint32 measures);
extern void delta_set(Delta *delta, int column, Datum value);
extern void delta_set_time(Delta *delta, int column, TimestampTz value);
extern void lock_deltas(void);
extern void write_delta(const Delta *delta);

#endif							/* SUPPORT_DELTA_WRITER_H */
