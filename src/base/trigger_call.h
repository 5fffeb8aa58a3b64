/*
 * trigger_call.h
 *		The protocol of triggers: who calls, for which table, and the row that is handed back.
 */
#ifndef SUPPORT_TRIGGER_CALL_H
#define SUPPORT_TRIGGER_CALL_H

#include "commands/trigger.h"

#include "base/row.h"

extern TriggerData *check_protocol(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing, bool per_row);
extern const DeskTable *table_named(TriggerData *trigdata);
extern const DeskTable *own_table(TriggerData *trigdata);
extern void fill_in_defaults(Relation rel, Row *row);
extern void leave_values(const Row *old, Row *new);
extern HeapTuple row_to_write(const Row *row, HeapTuple original);
extern bool is_superseded(HeapTuple tuple);
extern bool is_removed_again(HeapTuple tuple);

#endif							/* SUPPORT_TRIGGER_CALL_H */
