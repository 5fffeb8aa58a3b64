/*
 * trigger.h
 *		What the functions tell the triggers.
 */
#ifndef SUPPORT_TRIGGER_H
#define SUPPORT_TRIGGER_H

#include "commands/trigger.h"

#include "base/row.h"

/*
 * A row that becomes as it was at the moment, be it inserted, changed or removed by that: no rules are applied and no books
 * kept. Rows that an application's own triggers write meanwhile are not meant.
 */
typedef struct RestoredRow
{
	const DeskTable *table;		/* NULL for none */
	int64		id;				/* 0 in a table without one */
	int			depth;			/* of triggers */
} RestoredRow;

extern RestoredRow begin_restoring(const DeskTable *table, int64 id);
extern void end_restoring(RestoredRow before);

extern const DeskTable log_table;

extern const DeskTable *desk_table(const char *name);
extern const char *schema_of(const DeskTable *table);
extern TriggerData *check_protocol(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing, bool per_row);
extern const DeskTable *own_table(TriggerData *trigdata);
extern bool fill_in_defaults(Relation rel, Row *row);
extern HeapTuple tuple_of(const Row *row, HeapTuple original);

#endif							/* SUPPORT_TRIGGER_H */
