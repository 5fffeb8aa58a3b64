/*
 * maintain.c
 *		Keeping the log: partitions made ahead, old ones taken away.
 *
 * The log is partitioned by the months of UTC. Nothing fails where maintain() never runs, since the default partition
 * takes what has no other. It makes the partitions of this month and the next two, and of each month that the default
 * partition has entries of, which move there. With a retention it takes partitions away whose entries are all older:
 * off the log, to a schema of their own, or for good. What the recycle bin needs of them moves to the default
 * partition first, so a removed ticket comes back however long ago it went.
 *
 * A new month takes locks as ATTACH PARTITION does: it waits for transactions that have written to the log, and others
 * wait for it. Entries keep id, era and transaction wherever they lie.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/desk_settings.h"
#include "base/errors.h"
#include "base/modes.h"
#include "base/plan.h"
#include "install_check.h"
#include "log/log_writer.h"
#include "proof/removal.h"
#include "proof/seal_chain.h"

#define MONTHS_AHEAD 2

/* Entries of later times stay in the default partition: a month that has no end cannot be made. */
#define END_OF_MONTHS "10000-01-01 00:00+00"

/* A partition with the range of times that it holds. The default one has no end on either side. */
typedef struct Partition
{
	Oid			relid;
	bool		is_default;
	TimestampTz from;
	TimestampTz upto;
} Partition;

/* One run of maintain(). */
typedef struct Upkeep
{
	ReturnSetInfo *rsinfo;
	Oid			log;
	RetentionAction action;		/* with what is older than the retention */
	int			npartitions;
	Partition  *partitions;
} Upkeep;

/* Add a line to the result: what was done. */
static void
report(Upkeep *upkeep, const char *format,...) pg_attribute_printf(2, 3);

static void
report(Upkeep *upkeep, const char *format,...)
{
	StringInfoData line;
	Datum		value;
	bool		isnull = false;

	initStringInfo(&line);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&line, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&line, needed);
	}
	value = CStringGetTextDatum(line.data);
	tuplestore_putvalues(upkeep->rsinfo->setResult, upkeep->rsinfo->setDesc, &value, &isnull);
}

/* Run a statement and return how many rows it met. */
static uint64
execute(const char *statement)
{
	int			code = SPI_execute(statement, false, 0);

	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", statement, SPI_result_code_string(code));
	CommandCounterIncrement();
	return SPI_processed;
}

typedef struct Move
{
	const char *statement;
	uint64		moved;
} Move;

static void
execute_it(void *arg)
{
	Move	   *move = arg;

	move->moved = execute(move->statement);
}

/* The same for a statement that moves entries between partitions. */
static uint64
execute_move(const char *statement)
{
	Modes		moving = modes;
	Move		move = {.statement = statement};

	moving.moving_entries = true;
	work_in(&moving, execute_it, &move);
	return move.moved;
}

static char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

static char *
time_text(TimestampTz at)
{
	return DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(at)));
}

static char *
time_literal(TimestampTz at)
{
	return quote_literal_cstr(time_text(at));
}

/* The bound of the i-th datum of the log's partitions; beyond the ends, and for MINVALUE and MAXVALUE, infinity. */
static TimestampTz
bound(PartitionBoundInfo bounds, int i, TimestampTz otherwise)
{
	if (i < 0 || i >= bounds->ndatums || bounds->kind[i][0] != PARTITION_RANGE_DATUM_VALUE)
		return otherwise;
	return DatumGetTimestampTz(bounds->datums[i][0]);
}

/* List the partitions of the log as they are now. Raises 55000 if it has none of the kind that it was made with. */
static void
list_partitions(Upkeep *upkeep)
{
	Relation	log = table_open(upkeep->log, NoLock);
	PartitionDesc desc;

	if (!is_divided_by_time(log))
		refuse_altered("relation support.audit_log", "is not divided into ranges of occurred_at");
	desc = RelationGetPartitionDesc(log, true);
	upkeep->npartitions = desc->nparts;
	upkeep->partitions = palloc0(sizeof(Partition) * Max(desc->nparts, 1));
	for (int i = 0; i < desc->nparts; i++)
		upkeep->partitions[i] = (Partition) {
			.relid = desc->oids[i], .is_default = i == desc->boundinfo->default_index,
			.from = DT_NOBEGIN, .upto = DT_NOEND
		};
	for (int i = 0; desc->nparts > 0 && i <= desc->boundinfo->ndatums; i++)
	{
		int			part = desc->boundinfo->indexes[i];

		if (part < 0)
			continue;
		upkeep->partitions[part].from = bound(desc->boundinfo, i - 1, DT_NOBEGIN);
		upkeep->partitions[part].upto = bound(desc->boundinfo, i, DT_NOEND);
	}
	table_close(log, NoLock);
}

static Partition *
default_partition(Upkeep *upkeep)
{
	for (int i = 0; i < upkeep->npartitions; i++)
		if (upkeep->partitions[i].is_default)
			return &upkeep->partitions[i];
	return NULL;
}

/* Does a partition other than the default one hold some time of the range? */
static bool
is_covered(Upkeep *upkeep, TimestampTz from, TimestampTz upto)
{
	for (int i = 0; i < upkeep->npartitions; i++)
		if (!upkeep->partitions[i].is_default &&
			upkeep->partitions[i].from < upto && from < upkeep->partitions[i].upto)
			return true;
	return false;
}

/* The first instant of the month that is so many months after the one of an instant, in UTC. */
static TimestampTz
month_of(TimestampTz at, int months)
{
	Interval	shift = {.month = months};
	Datum		month = DirectFunctionCall2(timestamptz_trunc, CStringGetTextDatum("month"), TimestampTzGetDatum(at));

	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, month, IntervalPGetDatum(&shift)));
}

/* The log's columns, for statements that move entries: a partition may have them in another order. */
static char *
all_log_columns(Upkeep *upkeep)
{
	Relation	log = table_open(upkeep->log, NoLock);
	TupleDesc	desc = RelationGetDescr(log);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !att->attgenerated)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", quote_identifier(NameStr(att->attname)));
	}
	table_close(log, NoLock);
	return list.data;
}

/* Refuse TRUNCATE of a partition, as of the log: the server hands such triggers down to none. */
static void
guard_partition(Upkeep *upkeep, Oid relid)
{
	if (OidIsValid(get_trigger_oid(relid, "support_truncate", true)))
		return;
	execute(psprintf("CREATE TRIGGER support_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT"
					 " EXECUTE FUNCTION support_internal.refuse_truncate('audit_log')", qualified_name(relid)));
	execute(psprintf("COMMENT ON TRIGGER support_truncate ON %s IS 'Refuses TRUNCATE.'", qualified_name(relid)));
	report(upkeep, "guarded %s against TRUNCATE", qualified_name(relid));
}

/*
 * Make a month's partition. The default partition is locked first, so that no entry of the month comes there while
 * those that are there move.
 */
static void
make_month(Upkeep *upkeep, TimestampTz from)
{
	TimestampTz upto = month_of(from, 1);
	Partition  *others = default_partition(upkeep);
	char	   *columns = all_log_columns(upkeep);
	char	   *month = TextDatumGetCString(DirectFunctionCall2(timestamptz_to_char, TimestampTzGetDatum(from),
																CStringGetTextDatum("YYYY_MM")));
	char	   *name = psprintf("support_internal.audit_log_%s", month);
	uint64		moved = 0;

	/* a partition that was detached keeps the name; its month's late entries stay in the default partition */
	if (is_covered(upkeep, from, upto) ||
		OidIsValid(get_relname_relid(psprintf("audit_log_%s", month), get_namespace_oid("support_internal", false))))
		return;
	execute(psprintf("CREATE TABLE %s (LIKE support.audit_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)",
					 name));
	execute(psprintf("COMMENT ON TABLE %s IS 'Entries of a month.'", name));
	if (others != NULL)
	{
		LockRelationOid(others->relid, AccessExclusiveLock);
		moved = execute_move(psprintf("WITH moved AS (DELETE FROM ONLY %s WHERE occurred_at >= %s"
									  " AND occurred_at < %s RETURNING %s)"
									  " INSERT INTO %s (%s) SELECT %s FROM moved",
									  qualified_name(others->relid), time_literal(from), time_literal(upto), columns,
									  name, columns, columns));
	}
	execute(psprintf("ALTER TABLE support.audit_log ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)",
					 name, time_literal(from), time_literal(upto)));
	execute(psprintf("CREATE TRIGGER support_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT"
					 " EXECUTE FUNCTION support_internal.refuse_truncate('audit_log')", name));
	execute(psprintf("COMMENT ON TRIGGER support_truncate ON %s IS 'Refuses TRUNCATE.'", name));
	report(upkeep, "made %s%s", name,
		   moved > 0 ? psprintf(", with " UINT64_FORMAT " entries of the default partition", moved) : "");
	list_partitions(upkeep);
}

/* Make the partitions of this month and the next ones. */
static void
make_months_ahead(Upkeep *upkeep, TimestampTz now)
{
	for (int i = 0; i <= MONTHS_AHEAD; i++)
		make_month(upkeep, month_of(now, i));
}

/* Make the partitions of months that lie in the default partition, unless they are older than what is kept. */
static void
make_months_past(Upkeep *upkeep, TimestampTz keep_from)
{
	Partition  *others = default_partition(upkeep);
	TimestampTz *months;
	uint64		n;

	if (others == NULL)
		return;
	n = execute(psprintf("SELECT DISTINCT date_trunc('month', occurred_at) FROM ONLY %s"
						 " WHERE isfinite(occurred_at) AND occurred_at >= %s AND occurred_at < '" END_OF_MONTHS "' ORDER BY 1",
						 qualified_name(others->relid), time_literal(keep_from)));
	months = palloc(sizeof(TimestampTz) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		months[i] = DatumGetTimestampTz(result(i, 1));
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		make_month(upkeep, months[i]);
	}
}

/* Move what the recycle bin needs of a detached partition to the default one: what went with each ticket in the bin. */
static uint64
save_removed_tickets(Upkeep *upkeep, const char *name)
{
	char	   *columns = all_log_columns(upkeep);
	Partition  *others = default_partition(upkeep);

	if (others == NULL)
		return 0;
	return execute_move(psprintf("WITH needed AS"
								 " (SELECT b.ticket_id, r.era, r.xid FROM support_internal.recycle_bin AS b"
								 "	JOIN %1$s AS r ON r.ticket_id = b.ticket_id"
								 "		AND r.id = b.audit_id),"
								 " moved AS (DELETE FROM ONLY %1$s AS a USING needed AS n"
								 "	WHERE a.ticket_id = n.ticket_id"
								 "	AND a.era = n.era AND a.xid = n.xid"
								 "	AND a.action = 'DELETE' RETURNING a.*)"
								 " INSERT INTO %2$s (%3$s) SELECT %3$s FROM moved",
								 name, qualified_name(others->relid), columns));
}

/* Append a member to a JSON object under construction. */
static void
add_member(StringInfo object, const char *key, const char *value)
{
	appendStringInfoString(object, object->len > 0 ? ", " : "{");
	escape_json(object, key);
	appendStringInfoString(object, ": ");
	escape_json(object, value);
}

/* Note in the log that entries went, and which. */
static void
log_pruning(const char *name, const Partition *old, const char *what)
{
	LogEntry	entry = {.action = "PRUNE"};
	StringInfoData object;

	initStringInfo(&object);
	add_member(&object, "partition", name);
	add_member(&object, "done", what);
	add_member(&object, "from", time_text(old->from));
	add_member(&object, "to", time_text(old->upto));
	appendStringInfoChar(&object, '}');
	entry.new_value = DirectFunctionCall1(jsonb_in, CStringGetDatum(object.data));
	log_write(&entry);
}

/* Take a partition off the log. */
static void
retire_partition(Upkeep *upkeep, const Partition *old)
{
	char	   *name = qualified_name(old->relid);
	uint64		saved;
	int64		pruned;

	execute(psprintf("ALTER TABLE support.audit_log DETACH PARTITION %s", name));
	saved = save_removed_tickets(upkeep, name);
	if (saved > 0)
		report(upkeep, "moved " UINT64_FORMAT " entries that the recycle bin needs to the default partition", saved);
	pruned = note_pruning(old->relid, upkeep->action != RETENTION_DROP);
	if (pruned > 0)
		report(upkeep, "marked " INT64_FORMAT " sealed entries as pruned", pruned);
	switch (upkeep->action)
	{
		case RETENTION_DETACH:
			report(upkeep, "detached %s", name);
			log_pruning(name, old, "detach");
			break;
		case RETENTION_ARCHIVE:
			check_schema(ARCHIVE_SCHEMA, GetUserId());
			if (!OidIsValid(get_namespace_oid(ARCHIVE_SCHEMA, true)))
				execute("CREATE SCHEMA " ARCHIVE_SCHEMA);
			execute(psprintf("ALTER TABLE %s SET SCHEMA " ARCHIVE_SCHEMA, name));
			report(upkeep, "archived %s to the schema " ARCHIVE_SCHEMA, name);
			log_pruning(name, old, "archive");
			break;
		case RETENTION_DROP:
			execute(psprintf("DROP TABLE %s", name));
			report(upkeep, "dropped %s", name);
			log_pruning(name, old, "drop");
			break;
	}
}

/* Take the partitions off the log whose entries are all older than what is kept. */
static void
retire_months(Upkeep *upkeep, TimestampTz keep_from)
{
	Partition  *partitions = upkeep->partitions;
	int			n = upkeep->npartitions;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!partitions[i].is_default && partitions[i].upto <= keep_from)
		{
			retire_partition(upkeep, &partitions[i]);
			list_partitions(upkeep);
		}
	}
}

/* From when on entries are kept: the beginning of a month. */
static TimestampTz
kept_from(TimestampTz now)
{
	Interval   *kept = retention();

	if (kept == NULL)
		return DT_NOBEGIN;
	return month_of(DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(now),
															IntervalPGetDatum(kept))), 0);
}

/* Do the upkeep as the log's owner, with names and times as it reads and writes them. */
static void
keep_log(Upkeep *upkeep)
{
	int			nestlevel = NewGUCNestLevel();
	TimestampTz now = desk_now();
	Caller		caller;
	TimestampTz keep_from;

	fix_setting("timezone", "UTC");
	fix_setting("datestyle", "ISO, YMD");
	fix_setting("default_tablespace", "");
	fix_setting("default_table_access_method", "heap");
	fix_setting("quote_all_identifiers", "off");
	keep_from = kept_from(now);
	upkeep->action = retention_action();
	become_owner(upkeep->log, &caller);
	lock_seals();
	/* of two sessions one waits, and finds the work done */
	LockRelationOid(upkeep->log, ShareUpdateExclusiveLock);
	CommandCounterIncrement();
	list_partitions(upkeep);
	for (int i = 0; i < upkeep->npartitions; i++)
		guard_partition(upkeep, upkeep->partitions[i].relid);
	make_months_ahead(upkeep, now);
	make_months_past(upkeep, keep_from);
	retire_months(upkeep, keep_from);
	become_caller(&caller);
	/* what the owner's code set while it ran goes, too */
	AtEOXact_GUC(false, nestlevel);
}

/* maintain(actor_id) -> a line for each thing that was done */
PG_FUNCTION_INFO_V1(support_maintain);
Datum
support_maintain(PG_FUNCTION_ARGS)
{
	Upkeep		upkeep = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	Call		call;
	Caller		caller;

	PreventCommandIfReadOnly("maintain()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, 0);
	become_desk_owner("maintain the log", &caller);
	upkeep.log = desk_relation("support", "audit_log");
	keep_log(&upkeep);
	become_caller(&caller);
	end_call(&call);
	return (Datum) 0;
}
