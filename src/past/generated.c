/*
 * generated.c
 *		Generated columns of rows that are in no table.
 *
 * The log does not keep generated columns: they follow from others. For a row that is made again from the log they are
 * generated again, by the expressions of today. One whose expression fails on what the row was, which it never had to
 * compute, is null.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"

#include "base/subtransaction.h"
#include "past/generated.h"

struct Generated
{
	EState	   *estate;
	TupleTableSlot *slot;		/* holds the row that expressions read */
	int			n;
	int		   *attributes;		/* from 0 */
	ExprState **expressions;
};

/* Prepare for a table's rows; NULL if it has no generated columns. */
Generated *
open_generated(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Generated  *generated = palloc0(sizeof(Generated));

	generated->attributes = palloc(sizeof(int) * desc->natts);
	generated->expressions = palloc(sizeof(ExprState *) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped || !TupleDescAttr(desc, i)->attgenerated)
			continue;
		if (generated->estate == NULL)
			generated->estate = CreateExecutorState();
		generated->expressions[generated->n] =
			ExecPrepareExpr((Expr *) build_column_default(rel, i + 1), generated->estate);
		generated->attributes[generated->n++] = i;
	}
	if (generated->n == 0)
		return NULL;
	generated->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	generated->slot->tts_tableOid = RelationGetRelid(rel);
	return generated;
}

void
close_generated(Generated *generated)
{
	if (generated == NULL)
		return;
	ExecDropSingleTupleTableSlot(generated->slot);
	FreeExecutorState(generated->estate);
}

/* What compute() works on. */
typedef struct Computation
{
	Generated  *generated;
	int			from;			/* the columns from this one */
	int			upto;			/* and before this one */
	Row		   *row;
	MemoryContext context;		/* of the row's values */
} Computation;

/* Compute columns from the row in the slot. */
static void
compute(void *arg)
{
	Computation *computation = arg;
	Generated  *generated = computation->generated;
	Row		   *row = computation->row;
	ExprContext *econtext = GetPerTupleExprContext(generated->estate);

	econtext->ecxt_scantuple = generated->slot;
	for (int i = computation->from; i < computation->upto; i++)
	{
		int			attribute = generated->attributes[i];
		Form_pg_attribute att = TupleDescAttr(row->desc, attribute);
		bool		isnull;
		Datum		value = ExecEvalExprSwitchContext(generated->expressions[i], econtext, &isnull);

		MemoryContextSwitchTo(computation->context);
		row->values[attribute] = isnull ? (Datum) 0 : datumCopy(value, att->attbyval, att->attlen);
		row->nulls[attribute] = isnull;
	}
}

/* Let columns be null. */
static void
clear(const Generated *generated, int from, int upto, Row *row)
{
	for (int i = from; i < upto; i++)
	{
		row->values[generated->attributes[i]] = (Datum) 0;
		row->nulls[generated->attributes[i]] = true;
	}
}

/* Compute columns; all are null if one of them fails. */
static bool
try_to_compute(Generated *generated, int from, int upto, Row *row)
{
	Computation computation = {generated, from, upto, row, CurrentMemoryContext};

	if (attempt(compute, &computation) == NULL)
		return true;
	clear(generated, from, upto, row);
	return false;
}

/* Fill in the generated columns of a row; generated may be NULL. The values live in the current memory context. */
void
generate_columns(Generated *generated, Row *row)
{
	TupleTableSlot *slot;

	if (generated == NULL)
		return;
	clear(generated, 0, generated->n, row);
	slot = generated->slot;
	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * row->desc->natts);
	memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * row->desc->natts);
	ExecStoreVirtualTuple(slot);
	if (!try_to_compute(generated, 0, generated->n, row))
		for (int i = 0; i < generated->n; i++)
			(void) try_to_compute(generated, i, i + 1, row);
	ExecClearTuple(slot);
	ResetPerTupleExprContext(generated->estate);
}
