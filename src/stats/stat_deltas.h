/*
 * stat_deltas.h
 *		Reading support_internal.stat_deltas.
 */
#ifndef SUPPORT_STAT_DELTAS_H
#define SUPPORT_STAT_DELTAS_H

#include "access/tableam.h"
#include "utils/rel.h"

#include "base/heap_writer.h"
#include "stats/counters.h"
#include "stats/stats.h"

/* The columns, in the order that the table has them. */
enum
{
	DELTA_WEIGHT,
	DELTA_MEASURES,
	DELTA_AT,
	DELTA_STATUS,
	DELTA_PRIORITY,
	DELTA_CHANNEL,
	DELTA_TEAM_ID,
	DELTA_ASSIGNEE_ID,
	DELTA_ORGANIZATION_ID,
	DELTA_AGENT_ID,
	DELTA_TAG_ID,
	DELTA_CREATED_AT,
	DELTA_FIRST_REPLIED_AT,
	DELTA_FIRST_SOLVED_AT,
	DELTA_SOLVED_AT,
	DELTA_WAITING_SINCE,
	DELTA_COLUMNS
};

extern const TableColumn delta_columns[DELTA_COLUMNS];

/* A scan of the rows that a snapshot sees. */
typedef struct DeltaScan
{
	Relation	rel;
	TableScanDesc scan;
	TupleTableSlot *slot;		/* the row at hand */
	uint32		measures;		/* rows that count for none of these are passed over */
	ValueCodes *codes;			/* have the texts of the rows */
	MemoryContext context;		/* is reset at each row */
} DeltaScan;

extern void open_deltas(DeltaScan *scan, LOCKMODE lockmode, Snapshot snapshot, uint32 measures,
						ValueCodes *codes);
extern bool next_delta(DeltaScan *scan, StatRow *row);
extern void close_deltas(DeltaScan *scan, LOCKMODE lockmode);

extern void stat_row_of_values(StatRow *row, const Datum *values, const bool *nulls, ValueCodes *codes);

#endif							/* SUPPORT_STAT_DELTAS_H */
