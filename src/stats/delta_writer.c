/*
 * delta_writer.c
 *		Writing what the reports count.
 *
 * Each change that matters to a report adds a row or two to support_internal.stat_deltas, which has no index: that goes
 * without SPI and without an executor, see heap_writer.c. Where somebody put an index or a trigger on the table, rows go the
 * general road, insert_row(), with the same result.
 *
 * Whoever writes holds RowExclusiveLock on the table from before the look at what statuses mean until the transaction
 * ends. Who counts everything anew, because that meaning changes, takes a lock that waits for these.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"

#include "base/heap_writer.h"
#include "base/plan.h"
#include "stats/delta_writer.h"
#include "stats/fold.h"

const TableColumn delta_columns[DELTA_COLUMNS] = {
	[DELTA_WEIGHT] = {"weight", INT4OID, .always_set = true},
	[DELTA_MEASURES] = {"measures", INT4OID, .always_set = true},
	[DELTA_AT] = {"at", TIMESTAMPTZOID},
	[DELTA_STATUS] = {"status", TEXTOID},
	[DELTA_PRIORITY] = {"priority", TEXTOID},
	[DELTA_CHANNEL] = {"channel", TEXTOID},
	[DELTA_TEAM_ID] = {"team_id", INT8OID},
	[DELTA_ASSIGNEE_ID] = {"assignee_id", INT8OID},
	[DELTA_ORGANIZATION_ID] = {"organization_id", INT8OID},
	[DELTA_AGENT_ID] = {"agent_id", INT8OID},
	[DELTA_TAG_ID] = {"tag_id", INT8OID},
	[DELTA_CREATED_AT] = {"created_at", TIMESTAMPTZOID},
	[DELTA_FIRST_REPLIED_AT] = {"first_replied_at", TIMESTAMPTZOID},
	[DELTA_FIRST_SOLVED_AT] = {"first_solved_at", TIMESTAMPTZOID},
	[DELTA_SOLVED_AT] = {"solved_at", TIMESTAMPTZOID},
	[DELTA_WAITING_SINCE] = {"waiting_since", TIMESTAMPTZOID}
};

static HeapTable deltas = {
	.name = INTERNAL_TABLE("stat_deltas"), .columns = delta_columns, .ncolumns = DELTA_COLUMNS
};

/* A row of which all else is yet to be set. */
Delta
new_delta(int32 weight, uint32 measures)
{
	Delta		delta;

	memset(delta.nulls, true, sizeof(delta.nulls));
	delta_set(&delta, DELTA_WEIGHT, Int32GetDatum(weight));
	delta_set(&delta, DELTA_MEASURES, Int32GetDatum((int32) measures));
	return delta;
}

void
delta_set(Delta *delta, int column, Datum value)
{
	delta->values[column] = value;
	delta->nulls[column] = false;
}

void
delta_set_time(Delta *delta, int column, TimestampTz value)
{
	delta_set(delta, column, TimestampTzGetDatum(value));
}

/* Let nobody count everything anew until our transaction ends. */
void
lock_deltas(void)
{
	LockRelationOid(heap_relation(&deltas), RowExclusiveLock);
}

/* Write a row without SPI; false if the table does not take rows this way. */
static bool
add_delta(const Delta *delta)
{
	Relation	rel = table_open(heap_relation(&deltas), RowExclusiveLock);
	bool		plain = know_table(&deltas, rel);

	if (plain)
		add_row(&deltas, rel, delta->values, delta->nulls);
	table_close(rel, NoLock);
	return plain;
}

/* Write a row. Every so often that adds up what was written. */
void
write_delta(const Delta *delta)
{
	if (!add_delta(delta))
		insert_row(&deltas, delta->values, delta->nulls);
	stat_written();
}
