/*
 * attach_month.c
 *		Putting a month back that was taken off the log.
 *
 * What the default partition has of the month's time comes to its table: entries that were written since, and what the
 * recycle bin kept, which was copied. Of an entry that both have it is the default partition's that stays, since a purge
 * has reached that one.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/plan.h"
#include "install_check.h"
#include "log/entry_mover.h"
#include "proof/seal_chain.h"
#include "upkeep.h"

/* The entries of a month's table that the default partition has as well. */
#define DOUBLE_ENTRIES \
	"SELECT p.ctid" \
	" FROM ONLY %s AS p" \
	" JOIN ONLY %s AS d ON d.ticket_id = p.ticket_id AND d.id = p.id" \
	"	AND d.occurred_at = p.occurred_at" \
	" ORDER BY p.ctid"

enum
{
	OF_MONTH,
	OF_OTHERS,
	NHEAPS
};

/* What is gathered: the month's time, and what its table has twice. */
typedef struct Gathering
{
	TimestampTz from;
	TimestampTz upto;
	RowList		doubles;
} Gathering;

/* Where an entry of the default partition goes. */
static int
divide(const LyingEntry *entry, void *arg)
{
	const Gathering *gathering = arg;

	return gathering->from <= entry->occurred_at && entry->occurred_at < gathering->upto ? OF_MONTH : OF_OTHERS;
}

/* Whether an entry of the month's table stays there. */
static int
leave_out_doubles(const LyingEntry *entry, void *arg)
{
	const Gathering *gathering = arg;

	return is_listed(&gathering->doubles, entry->tid) ? -1 : OF_MONTH;
}

/* Has the default partition entries of the time? */
static int64
count_entries(Oid others, TimestampTz from, TimestampTz upto)
{
	(void) look(psprintf("SELECT count(*) FROM ONLY %s WHERE occurred_at >= %s AND occurred_at < %s",
						 qualified_name(others), time_literal(from), time_literal(upto)));
	return result_int64(0, 1);
}

/* Let what the default partition has of the month's time come to the month's table. Returns how many that were. */
static int64
gather_entries(Oid month, Oid others, TimestampTz from, TimestampTz upto)
{
	Gathering	gathering = {.from = from, .upto = upto};
	Rewriting	heaps[NHEAPS];
	int64		entries = count_entries(others, from, upto);

	if (entries == 0)
		return 0;
	gathering.doubles = list_rows(psprintf(DOUBLE_ENTRIES, qualified_name(month), qualified_name(others)));
	begin_rewriting(&heaps[OF_MONTH], month);
	begin_rewriting(&heaps[OF_OTHERS], others);
	copy_entries(month, heaps, 1, leave_out_doubles, &gathering);
	copy_entries(others, heaps, NHEAPS, divide, &gathering);
	for (int i = 0; i < NHEAPS; i++)
		finish_rewriting(&heaps[i]);
	return entries;
}

/* The month's table in a schema, 0 if there is none. */
static Oid
table_in(const char *schema, const char *name)
{
	Oid			namespace = get_namespace_oid(schema, true);

	return OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;
}

/* Raise 55000 for a table that lacks a column of the log. */
static void
check_is_like_log(Oid relid, Oid log)
{
	Relation	rel = table_open(log, NoLock);

	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);
		AttrNumber	attnum = att->attisdropped ? InvalidAttrNumber : get_attnum(relid, NameStr(att->attname));

		if (att->attisdropped || (AttributeNumberIsValid(attnum) && get_atttype(relid, attnum) == att->atttypid))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has not the columns of the log", qualified_name(relid)),
				 errdetail("It has no column \"%s\" of type %s.", NameStr(att->attname), format_type_be(att->atttypid))));
	}
	table_close(rel, NoLock);
}

/* The table of a month that is not part of the log. Raises P0002 if there is none, 55000 if it is, or is not the owner's. */
static Oid
detached_table(Upkeep *upkeep, const char *name)
{
	Oid			relid = table_in("support_internal", name);

	if (!OidIsValid(relid))
		relid = table_in(ARCHIVE_SCHEMA, name);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("no table \"%s\" was taken off the audit log", name),
				 errhint("It is looked for in the schemas support_internal and " ARCHIVE_SCHEMA ".")));
	if (get_rel_relispartition(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is part of the log", qualified_name(relid))));
	if (get_rel_relkind(relid) != RELKIND_RELATION || table_owner(relid) != table_owner(upkeep->log))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation %s is no table of the log's owner", qualified_name(relid))));
	return relid;
}

/* Lock what an ATTACH PARTITION does, in an order in which nobody else can come between. */
static void
lock_month(Upkeep *upkeep, const char *name, Oid *month, Oid *others)
{
	lock_seals();
	LockRelationOid(upkeep->log, ShareUpdateExclusiveLock);
	CommandCounterIncrement();
	*others = get_default_partition_oid(upkeep->log);
	if (OidIsValid(*others))
		LockRelationOid(*others, AccessExclusiveLock);
	*month = detached_table(upkeep, name);
	LockRelationOid(*month, AccessExclusiveLock);
	CommandCounterIncrement();
	check_is_like_log(*month, upkeep->log);
}

/* Attach the month that begins at an instant. */
static void
attach_month(Upkeep *upkeep, TimestampTz from)
{
	TimestampTz upto = month_of(from, 1);
	char	   *table = month_table(from);
	char	   *name = psprintf("support_internal.%s", table);
	Oid			month;
	Oid			others;
	int64		entries = 0;

	lock_month(upkeep, table, &month, &others);
	if (get_rel_namespace(month) != get_namespace_oid("support_internal", false))
		carry_out(psprintf("ALTER TABLE %s SET SCHEMA support_internal", qualified_name(month)));
	if (OidIsValid(others))
		entries = gather_entries(month, others, from, upto);
	carry_out(psprintf("ALTER TABLE support.audit_log ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)",
					 name, time_literal(from), time_literal(upto)));
	if (!is_guarded(month))
		guard_partition(name);
	log_upkeep(name, from, upto, "attach");
	report(upkeep, "attached %s%s", name, told_entries(entries));
}

/* attach_month(month, actor_id) -> a line for each thing that was done */
PG_FUNCTION_INFO_V1(support_attach_month);
Datum
support_attach_month(PG_FUNCTION_ARGS)
{
	Upkeep		upkeep = {0};
	Call		call;
	Datum		month;

	PreventCommandIfReadOnly("attach_month()");
	begin_call(&call, fcinfo, 1);
	month = required_argument(fcinfo, 0, "month");
	if (DATE_NOT_FINITE(DatumGetDateADT(month)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("month must be a day that has a month")));
	begin_upkeep(&upkeep, fcinfo, "put a month back");
	attach_month(&upkeep, month_of(DatumGetTimestampTz(DirectFunctionCall1(date_timestamptz, month)), 0));
	end_upkeep(&upkeep);
	end_call(&call);
	return (Datum) 0;
}
