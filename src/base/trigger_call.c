/*
 * trigger_call.c
 *		The protocol of triggers: who calls, for which table, and the row that is handed back.
 *
 * A trigger's argument is the logical name of its table. Whatever columns it has, a relation that is not the desk's own is
 * refused: who may make tables must not write to the log by one that looks like ours. So is one that lacks the table's
 * columns, so that a trigger function reads nothing it does not know.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"

#include "base/layout.h"
#include "base/own_relation.h"
#include "base/tables.h"
#include "base/trigger_call.h"

/* Raise 39P01 unless the server calls us as the trigger that we are. */
TriggerData *
check_protocol(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing, bool per_row)
{
	TriggerData *trigdata;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a trigger", function)));
	trigdata = (TriggerData *) fcinfo->context;
	if ((trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired %s the event", function,
						timing == TRIGGER_EVENT_BEFORE ? "before" : "after")));
	if ((TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) != 0) != per_row)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired for each %s", function, per_row ? "row" : "statement")));
	return trigdata;
}

/* The table that the trigger's argument names. Raises 39P01 if it names none. */
const DeskTable *
table_named(TriggerData *trigdata)
{
	const DeskTable *table = NULL;

	if (trigdata->tg_trigger->tgnargs == 1)
		table = desk_table(trigdata->tg_trigger->tgargs[0]);
	if (table == NULL && trigdata->tg_trigger->tgnargs == 1)
		table = clock_table(trigdata->tg_trigger->tgargs[0]);
	if (table == NULL && trigdata->tg_trigger->tgnargs == 1)
		table = derived_table(trigdata->tg_trigger->tgargs[0]);
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on table \"%s\" does not name a table of the desk",
						trigdata->tg_trigger->tgname, RelationGetRelationName(trigdata->tg_relation)),
				 errhint("Its one argument is the table's logical name, such as tickets.")));
	return table;
}

/*
 * The table that the trigger's argument names, and that its relation is. Raises 39P01 if it is another, and 55000 if the
 * desk has another layout than this code works on.
 */
const DeskTable *
own_table(TriggerData *trigdata)
{
	const DeskTable *table = table_named(trigdata);

	if (!is_own_relation(trigdata->tg_relation, table))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on table \"%s\" serves the desk's %s, which that table is not",
						trigdata->tg_trigger->tgname, RelationGetRelationName(trigdata->tg_relation), table->name),
				 errhint("The desk's triggers work on its own tables and their partitions alone.")));
	check_layout();
	return table;
}

/* Compute a column's default. */
static Datum
default_of(Relation rel, AttrNumber attnum, bool *isnull)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Expr	   *expr = (Expr *) build_column_default(rel, attnum);
	EState	   *estate;
	Datum		value;
	MemoryContext caller = CurrentMemoryContext;

	*isnull = true;
	if (expr == NULL)
		return (Datum) 0;
	estate = CreateExecutorState();
	value = ExecEvalExprSwitchContext(ExecPrepareExpr(expr, estate), GetPerTupleExprContext(estate), isnull);
	if (!*isnull)
	{
		MemoryContextSwitchTo(caller);
		value = datumCopy(value, att->attbyval, att->attlen);
	}
	FreeExecutorState(estate);
	return value;
}

/*
 * Give the default to columns that must have a value but were sent as NULL, as mappers do with what the application
 * left out.
 */
void
fill_in_defaults(Relation rel, Row *row)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (!row->nulls[i] || !(att->attnotnull || row->shape->required[i]) || att->attisdropped ||
			att->attgenerated || !(att->atthasdef || att->attidentity))
			continue;
		row->values[i] = default_of(rel, i + 1, &row->nulls[i]);
		row->is_modified = true;
	}
}

/* Does the BEFORE trigger give the column a value in an INSERT that sends none? */
static bool
is_filled_in(const Row *row, int attribute)
{
	Form_pg_attribute att = TupleDescAttr(row->desc, attribute);
	const TableShape *shape = row->shape;

	if (att->atthasdef || att->attidentity)
		return true;
	for (int i = 0; i < shape->table->ncolumns; i++)
		if (shape->columns[i] == attribute + 1)
			return shape->table->columns[i].nulls == FILLED_IN;
	return false;
}

/*
 * Leave columns as they are that must have a value and would be given one in an INSERT, but are sent as NULL in an UPDATE, as
 * by mappers that write whole objects back and never read what they had left out.
 */
void
leave_values(const Row *old, Row *new)
{
	for (int i = 0; i < new->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(new->desc, i);

		if (!new->nulls[i] || old->nulls[i] || !(att->attnotnull || new->shape->required[i]) || att->attgenerated ||
			!is_filled_in(new, i))
			continue;
		new->values[i] = old->values[i];
		new->nulls[i] = false;
		new->is_modified = true;
	}
}

/*
 * What a BEFORE trigger returns: the tuple it was given, or one with the values that were set, allocated where the server
 * expects it. Generated columns come later. Its header is left as the server forms it: a tuple that is in no table yet has
 * the version of its row type there, and has nothing to take over from another.
 */
HeapTuple
row_to_write(const Row *row, HeapTuple original)
{
	HeapTuple	tuple;

	if (!row->is_modified)
		return original;
	tuple = heap_form_tuple(row->desc, row->values, row->nulls);
	tuple->t_self = original->t_self;
	tuple->t_tableOid = original->t_tableOid;
	return tuple;
}

/* Has the row that a trigger was fired for changed again meanwhile, by a trigger that came before? */
bool
is_superseded(HeapTuple tuple)
{
	return !ItemPointerEquals(&tuple->t_self, &tuple->t_data->t_ctid);
}

/* Has such a trigger removed it? */
bool
is_removed_again(HeapTuple tuple)
{
	HeapTupleHeader header = tuple->t_data;

	return (header->t_infomask & HEAP_XMAX_INVALID) == 0 && !HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) &&
		ItemPointerEquals(&tuple->t_self, &header->t_ctid) &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header));
}
