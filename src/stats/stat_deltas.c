/*
 * stat_deltas.c
 *		Reading support_internal.stat_deltas.
 *
 * The table is scanned without an executor: most rows do not count for what is asked, so a row is taken apart only after
 * a look at its measures.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "stats/stat_deltas.h"

/* Open the table and scan what the snapshot sees of it. The codes own the texts of the rows. */
void
open_deltas(DeltaScan *scan, LOCKMODE lockmode, Snapshot snapshot, uint32 measures, ValueCodes *codes)
{
	scan->rel = table_open(desk_relation("support_internal", "stat_deltas"), lockmode);
	check_columns(scan->rel, delta_columns, DELTA_COLUMNS);
	scan->scan = table_beginscan(scan->rel, snapshot, 0, NULL);
	scan->slot = table_slot_create(scan->rel, NULL);
	scan->measures = measures;
	scan->codes = codes;
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "support_ext delta", ALLOCSET_SMALL_SIZES);
}

static int64
id_of(const Datum *values, const bool *nulls, int column)
{
	return nulls[column] ? NO_STAT_ID : DatumGetInt64(values[column]);
}

static TimestampTz
time_of(const Datum *values, const bool *nulls, int column)
{
	return nulls[column] ? DT_NOBEGIN : DatumGetTimestampTz(values[column]);
}

static const char *
text_of(ValueCodes *codes, const Datum *values, const bool *nulls, int column)
{
	if (nulls[column])
		return NULL;
	return codes != NULL ? lasting_name(codes, values[column]) : TextDatumGetCString(values[column]);
}

/* A row of the table as a StatRow. Its texts are those of the codes; without such, made in the current memory context. */
void
stat_row_of_values(StatRow *row, const Datum *values, const bool *nulls, ValueCodes *codes)
{
	row->weight = DatumGetInt32(values[DELTA_WEIGHT]);
	row->measures = DatumGetUInt32(values[DELTA_MEASURES]);
	row->at = time_of(values, nulls, DELTA_AT);
	row->status = text_of(codes, values, nulls, DELTA_STATUS);
	row->priority = text_of(codes, values, nulls, DELTA_PRIORITY);
	row->channel = text_of(codes, values, nulls, DELTA_CHANNEL);
	row->team_id = id_of(values, nulls, DELTA_TEAM_ID);
	row->assignee_id = id_of(values, nulls, DELTA_ASSIGNEE_ID);
	row->organization_id = id_of(values, nulls, DELTA_ORGANIZATION_ID);
	row->agent_id = id_of(values, nulls, DELTA_AGENT_ID);
	row->tag_id = id_of(values, nulls, DELTA_TAG_ID);
	row->created_at = time_of(values, nulls, DELTA_CREATED_AT);
	row->first_replied_at = time_of(values, nulls, DELTA_FIRST_REPLIED_AT);
	row->first_solved_at = time_of(values, nulls, DELTA_FIRST_SOLVED_AT);
	row->solved_at = time_of(values, nulls, DELTA_SOLVED_AT);
	row->waiting_since = time_of(values, nulls, DELTA_WAITING_SINCE);
}

/* The next row that counts for a measure asked for. Its texts live as long as the codes. */
bool
next_delta(DeltaScan *scan, StatRow *row)
{
	MemoryContext previous;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (!table_scan_getnextslot(scan->scan, ForwardScanDirection, scan->slot))
			return false;
		slot_getsomeattrs(scan->slot, DELTA_MEASURES + 1);
		check_not_null(delta_columns, DELTA_MEASURES + 1, "stat_deltas", scan->slot->tts_isnull);
		if (DatumGetUInt32(scan->slot->tts_values[DELTA_MEASURES]) & scan->measures)
			break;
	}
	slot_getsomeattrs(scan->slot, DELTA_COLUMNS);
	MemoryContextReset(scan->context);
	previous = MemoryContextSwitchTo(scan->context);
	stat_row_of_values(row, scan->slot->tts_values, scan->slot->tts_isnull, scan->codes);
	MemoryContextSwitchTo(previous);
	return true;
}

void
close_deltas(DeltaScan *scan, LOCKMODE lockmode)
{
	ExecDropSingleTupleTableSlot(scan->slot);
	table_endscan(scan->scan);
	table_close(scan->rel, lockmode);
	MemoryContextDelete(scan->context);
}
