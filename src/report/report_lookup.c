/*
 * report_lookup.c
 *		What the report views look up among the tickets because the counters, which know quarter hours, do not tell.
 *
 * These are functions and not joins, since the planner would expect a large part of the tickets in any quarter hour
 * that it does not know, and compile the view's expressions for them. Like a view's tables they are read with the
 * rights of the desk's owner; nobody else can call them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/plan.h"

static Statement tickets_created = {
	.text = "SELECT t.created_at, t.status"
	" FROM support.tickets AS t"
	" WHERE t.created_at >= $1 AND t.created_at < $2"
	"	AND t.deleted_at IS NULL",
	.columns = {{TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
	.nargs = 2, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID}, .many_rows = true,
	.as_owner_of = INTERNAL_TABLE("stat_counters")
};

/* Return the rows of the last run. */
static void
put_rows(ReturnSetInfo *rsinfo, uint64 n)
{
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	}
}

/* tickets_created(from_at, to_at) -> the live tickets that were opened then */
PG_FUNCTION_INFO_V1(support_tickets_created);
Datum
support_tickets_created(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_passed(&args, fcinfo, 0);
	arg_passed(&args, fcinfo, 1);
	put_rows((ReturnSetInfo *) fcinfo->resultinfo, run_read_only(&tickets_created, &args));
	end_call(&call);
	return (Datum) 0;
}
