/*
 * rows_as_of.c
 *		Tables as they were, for those who ask.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"
#include "utils/xid8.h"

#include "base/actor.h"
#include "base/tables.h"
#include "log/eras.h"
#include "past/rebuilt_rows.h"

/* Raise 22023 for an argument of rows_as_of(). */
pg_noreturn static void
refuse_argument(const char *message)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message)));
}

/*
 * The table whose row type the first argument has. Raises 22023 for another type, for a table without ids, and for the
 * log, which tells of others and not of itself.
 */
static const DeskTable *
table_asked_for(FunctionCallInfo fcinfo, Oid *relid)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	const DeskTable *table = NULL;
	char	   *name;

	*relid = get_typ_typrelid(type);
	name = OidIsValid(*relid) ? get_rel_name(*relid) : NULL;
	if (name != NULL && get_rel_namespace(*relid) == get_namespace_oid("support", false))
		table = desk_table(name);
	if (table == NULL || !table->has_id || strcmp(table->name, "audit_log") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the past of type %s cannot be told", format_type_be(type)),
				 errhint("Pass a null of the row type of a table that the log keeps by id, as in NULL::support.tickets.")));
	return table;
}

/* An instant of time. Raises 22023 for one that has not come yet. */
static Instant
time_asked_for(TimestampTz time)
{
	if (time > desk_clock())
		refuse_argument("at_time lies in the future");
	return (Instant) {
		.kind = AT_TIME, .time = time
	};
}

/* An instant that a snapshot marks. Raises 22023 for one that has not come yet. */
static Instant
snapshot_asked_for(Datum snapshot)
{
	Datum		next_xid = FullTransactionIdGetDatum(ReadNextFullTransactionId());
	int64		oldest_xid;
	Eras		eras;

	/* each entry is held against it */
	snapshot = PointerGetDatum(PG_DETOAST_DATUM(snapshot));
	oldest_xid = DatumGetInt64(DirectFunctionCall1(pg_snapshot_xmin, snapshot));
	read_eras(&eras);
	if (DatumGetInt64(DirectFunctionCall1(pg_snapshot_xmax, snapshot)) > DatumGetInt64(next_xid))
		refuse_argument("at_snapshot lies in the future, or was taken in another cluster");
	return (Instant) {
		.kind = AT_SNAPSHOT, .snapshot = snapshot, .era = first_era_from(&eras, oldest_xid)
	};
}

/* Add the rows of a table at an instant to the function's result. */
static void
put_past(ReturnSetInfo *rsinfo, Relation rel, const DeskTable *table, const Instant *instant, int64 ticket_id)
{
	RebuiltRows *rebuilt = rebuild_rows(rel, table, instant, ticket_id, EVERY_RECORD);
	const Row  *row;

	while ((row = next_rebuilt_row(rebuilt)) != NULL)
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row->values, row->nulls);
	close_rebuilt_rows(rebuilt);
}

/* rows_as_of(row_type, ticket_id, at_time, at_snapshot) -> the rows of that type's table as they were */
PG_FUNCTION_INFO_V1(support_rows_as_of);
Datum
support_rows_as_of(PG_FUNCTION_ARGS)
{
	/* no ticket has an id below 1 */
	int64		ticket_id = PG_ARGISNULL(1) ? EVERY_TICKET : Max(PG_GETARG_INT64(1), 0);
	Oid			relid;
	const DeskTable *table = table_asked_for(fcinfo, &relid);
	Relation	rel = table_open(relid, AccessShareLock);
	Instant		instant;
	Call		call;

	/* with the table locked its row type stays as it is */
	InitMaterializedSRF(fcinfo, 0);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	if (table->ticket_column == NULL && ticket_id != EVERY_TICKET)
		refuse_argument("rows of this table belong to no ticket: ticket_id must be null");
	if (PG_ARGISNULL(2) == PG_ARGISNULL(3))
		refuse_argument("one of at_time and at_snapshot must be given");
	instant = PG_ARGISNULL(3) ? time_asked_for(PG_GETARG_TIMESTAMPTZ(2)) : snapshot_asked_for(PG_GETARG_DATUM(3));
	put_past((ReturnSetInfo *) fcinfo->resultinfo, rel, table, &instant, ticket_id);
	end_call(&call);
	table_close(rel, NoLock);
	return (Datum) 0;
}
