/*
 * log_writer.c
 *		Appending to the audit log.
 *
 * An entry is written on the way of every change, so the common case goes without SPI and without an executor: the
 * tuple is formed here and handed to the partition's table access method and to its indexes, as the server does for
 * its own catalogs. What that takes is kept for the session: the partition that the last entry went to and the range
 * of times that it holds, where it has the log's columns, and the information of its indexes.
 *
 * The target is invalid once the relcache says that the log, the partition or one of its indexes changed. We hold
 * RowExclusiveLock on the log and on the partition from before we look at the target until the transaction ends, so a
 * partition cannot be detached between the look and the insertion. An index that is built CONCURRENTLY comes while we
 * hold that lock, but waits for our transaction before it relies on what was inserted.
 *
 * This road serves a log whose partition is a plain table with no indexes but its primary key and plain ones, no
 * columns or constraints of others that need computing, and no triggers but ours. Anything else goes the general
 * road, an INSERT over SPI, with the same result.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"

#include "actor.h"
#include "compat.h"
#include "log_writer.h"
#include "plan.h"

/* The log's columns, in the order of their names below. */
enum
{
	LOG_ID,
	LOG_OCCURRED_AT,
	LOG_ERA,
	LOG_XID,
	LOG_ACTOR_ID,
	LOG_DB_ROLE,
	LOG_ACTION,
	LOG_TABLE_NAME,
	LOG_RECORD_ID,
	LOG_TICKET_ID,
	LOG_OLD_VALUE,
	LOG_NEW_VALUE,
	LOG_COLUMNS
};

static const char *const log_columns[LOG_COLUMNS] = {
	"id", "occurred_at", "era", "xid", "actor_id", "db_role",
	"action", "table_name", "record_id", "ticket_id", "old_value", "new_value"
};

enum
{
	FIND_ERA,
	ADD_ERA,
	INSERT_ENTRY
};

static Statement statements[] = {
	[FIND_ERA] = {
		.text = "SELECT era FROM support_internal.eras"
		" WHERE system_identifier OPERATOR(pg_catalog.=) $1 AND database_oid OPERATOR(pg_catalog.=) $2",
		.nargs = 2, .argtypes = {INT8OID, OIDOID}, .as_owner_of = INTERNAL_TABLE("eras")
	},
	[ADD_ERA] = {
		.text = "INSERT INTO support_internal.eras (era, system_identifier, database_oid, began_at)"
		" SELECT coalesce(pg_catalog.max(e.era), 0) OPERATOR(pg_catalog.+) 1, $1, $2, $3"
		" FROM support_internal.eras AS e"
		" ON CONFLICT DO NOTHING",
		.nargs = 3, .argtypes = {INT8OID, OIDOID, TIMESTAMPTZOID}, .as_owner_of = INTERNAL_TABLE("eras")
	},
	[INSERT_ENTRY] = {
		.text = "INSERT INTO support.audit_log"
		" (id, occurred_at, era, xid, actor_id, db_role, action, table_name, record_id, ticket_id, old_value, new_value)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		.nargs = LOG_COLUMNS,
		.argtypes = {INT8OID, TIMESTAMPTZOID, INT4OID, INT8OID, INT8OID, TEXTOID,
		TEXTOID, TEXTOID, INT8OID, INT8OID, JSONBOID, JSONBOID},
		.as_owner_of = PUBLIC_TABLE("audit_log")
	}
};

/* The values of an entry, in the order of the columns. */
typedef struct LogTuple
{
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS];
} LogTuple;

/* The partition that entries go to. */
typedef struct LogTarget
{
	bool		built;			/* all of the below is there */
	bool		valid;			/* and nothing changed since we began to look */
	bool		direct;			/* the partition takes the direct road */
	Oid			log;
	Oid			sequence;		/* of the column id */
	Oid			partition;
	TimestampTz from;			/* it holds times from here */
	TimestampTz upto;			/* and before here */
	AttrNumber	columns[LOG_COLUMNS];
	int			nindexes;
	Oid		   *indexes;
	IndexInfo **index_infos;
	MemoryContext context;		/* owns what the pointers point to */
} LogTarget;

static LogTarget target;
static int32 era;				/* of this cluster and database; 0 while unknown */

/* Forget the target if the log, its partition or one of its indexes changed, or everything did (InvalidOid). */
void
forget_log_target(Oid relid)
{
	if (!OidIsValid(relid) || relid == target.log || relid == target.partition)
		target.valid = false;
	for (int i = 0; target.valid && i < target.nindexes; i++)
		if (relid == target.indexes[i])
			target.valid = false;
}

/* The row of eras that we rely on may have gone with a rollback. */
static void
forget_era(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		era = 0;
}

static void
forget_era_of_subtransaction(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		era = 0;
}

void
log_writer_init(void)
{
	RegisterXactCallback(forget_era, NULL);
	RegisterSubXactCallback(forget_era_of_subtransaction, NULL);
}

/* Is this an action that the desk itself writes? */
bool
is_own_action(const char *action)
{
	static const char *const own[] = {"INSERT", "UPDATE", "DELETE", "PURGE"};

	for (int i = 0; i < lengthof(own); i++)
		if (pg_strcasecmp(own[i], action) == 0)
			return true;
	return false;
}

/* The top-level transaction, 64 bits. */
int64
current_xid(void)
{
	return (int64) U64FromFullTransactionId(GetTopFullTransactionId());
}

/* The role that asked, whatever a SECURITY DEFINER function on the way says. */
char *
asking_role(void)
{
	return GetUserNameFromId(GetOuterUserId(), false);
}

/*
 * Number of the cluster and database that we are in. The first write after a restore elsewhere makes the row; another
 * session may be doing the same, so look again until one of us has.
 */
int32
current_era(void)
{
	Args		cluster = {0};
	Args		addition;

	if (era != 0)
		return era;

	SPI_connect();
	arg_int64(&cluster, (int64) GetSystemIdentifier());
	arg(&cluster, ObjectIdGetDatum(MyDatabaseId));
	addition = cluster;
	arg(&addition, TimestampTzGetDatum(desk_now()));
	while (run(&statements[FIND_ERA], &cluster) == 0)
	{
		CHECK_FOR_INTERRUPTS();
		run(&statements[ADD_ERA], &addition);
	}
	era = DatumGetInt32(result(0, 1));
	SPI_finish();
	return era;
}

/* The bound of the i-th datum of a range-partitioned relation with one key column. */
static TimestampTz
range_bound(PartitionBoundInfo bounds, int i, TimestampTz otherwise)
{
	if (i < 0 || i >= bounds->ndatums || bounds->kind[i][0] != PARTITION_RANGE_DATUM_VALUE)
		return otherwise;
	return DatumGetTimestampTz(bounds->datums[i][0]);
}

/*
 * Find the partition for an instant and the range of times around it that go there as well. The default partition's
 * range is the gap that the instant lies in.
 */
static bool
find_partition(LogTarget *t, Relation log, TimestampTz at)
{
	PartitionKey key = RelationGetPartitionKey(log);
	PartitionDesc desc = RelationGetPartitionDesc(log, true);
	PartitionBoundInfo bounds = desc->boundinfo;
	Datum		value = TimestampTzGetDatum(at);
	bool		is_equal;
	int			offset;
	int			part;

	if (bounds == NULL || key->partattrs[0] != get_attnum(t->log, log_columns[LOG_OCCURRED_AT]) ||
		key->strategy != PARTITION_STRATEGY_RANGE || key->partnatts != 1 || key->parttypid[0] != TIMESTAMPTZOID)
		return false;

	offset = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds, 1, &value, &is_equal);
	part = bounds->indexes[offset + 1];
	if (part < 0)
		part = bounds->default_index;
	if (part < 0)
		return false;

	t->partition = desc->oids[part];
	t->from = range_bound(bounds, offset, DT_NOBEGIN);
	t->upto = range_bound(bounds, offset + 1, DT_NOEND);
	return true;
}

/*
 * Lock the partition for an instant. While we wait for the lock somebody may attach another one for it, so look again
 * until it is the one that we have locked: with locks on it and on the log, nothing can take its place.
 */
static bool
lock_partition(LogTarget *t, Relation log, TimestampTz at)
{
	Oid			locked = InvalidOid;

	while (find_partition(t, log, at))
	{
		if (t->partition == locked)
			return true;
		LockRelationOid(t->partition, RowExclusiveLock);
		locked = t->partition;
	}
	return false;
}

/* Would an INSERT fire a trigger other than the log's own guard? */
static bool
has_foreign_triggers(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_INSERT(trigger->tgtype) && trigger->tgenabled != TRIGGER_DISABLED &&
			strcmp(trigger->tgname, "support_before") != 0)
			return true;
	}
	return false;
}

/* Is the attribute one of the log's own columns? */
static bool
is_log_column(const LogTarget *t, AttrNumber attnum)
{
	for (int i = 0; i < LOG_COLUMNS; i++)
		if (t->columns[i] == attnum)
			return true;
	return false;
}

/* Does an entry always have a value for the column? */
static bool
is_always_set(int column)
{
	return column != LOG_ACTOR_ID && column != LOG_TABLE_NAME && column != LOG_RECORD_ID &&
		column != LOG_OLD_VALUE && column != LOG_NEW_VALUE;
}

/* Can the direct road fill the column as it is in the partition? */
static bool
is_plain_column(Form_pg_attribute att, int column)
{
	return att->atttypid == statements[INSERT_ENTRY].argtypes[column] &&
		(!att->attnotnull || is_always_set(column));
}

/* Find our columns; false if one is gone or of another type, or if another needs what only the executor computes. */
static bool
find_log_columns(LogTarget *t, Relation partition)
{
	TupleDesc	desc = RelationGetDescr(partition);

	for (int i = 0; i < LOG_COLUMNS; i++)
	{
		t->columns[i] = get_attnum(t->partition, log_columns[i]);
		if (!AttributeNumberIsValid(t->columns[i]) ||
			!is_plain_column(TupleDescAttr(desc, t->columns[i] - 1), i))
			return false;
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attgenerated ||
			(!att->attisdropped && !is_log_column(t, i + 1) && (att->attnotnull || att->atthasdef)))
			return false;
	}
	return true;
}

/* Is there a check other than the one that we know to hold for what we write? */
static bool
has_foreign_checks(Relation partition)
{
	TupleConstr *constr = RelationGetDescr(partition)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		if (strcmp(constr->check[i].ccname, "audit_log_action_check") != 0)
			return true;
	return false;
}

/* Keep the information of the indexes; false if one of them needs the executor or may refuse an entry. */
static bool
describe_indexes(LogTarget *t, Relation partition)
{
	List	   *indexes = RelationGetIndexList(partition);
	MemoryContext previous = MemoryContextSwitchTo(t->context);
	bool		plain = true;
	ListCell   *cell;

	t->indexes = palloc(sizeof(Oid) * Max(list_length(indexes), 1));
	t->index_infos = palloc(sizeof(IndexInfo *) * Max(list_length(indexes), 1));
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), RowExclusiveLock);
		IndexInfo  *info = BuildIndexInfo(index);

		if (info->ii_ReadyForInserts &&
			(info->ii_Expressions != NIL || info->ii_Predicate != NIL || info->ii_ExclusionOps != NULL ||
			 (info->ii_Unique && !index->rd_index->indisprimary)))
			plain = false;
		t->indexes[t->nindexes] = lfirst_oid(cell);
		t->index_infos[t->nindexes++] = info;
		index_close(index, NoLock);
	}
	MemoryContextSwitchTo(previous);
	list_free(indexes);
	return plain;
}

/* Can the partition be written to without the executor? Fills in what that takes. */
static bool
describe_partition(LogTarget *t, Relation log)
{
	Relation	partition = table_open(t->partition, RowExclusiveLock);
	bool		direct;

	direct = partition->rd_rel->relkind == RELKIND_RELATION &&
		partition->rd_rules == NULL &&
		!has_foreign_triggers(log) &&
		!has_foreign_triggers(partition) &&
		!has_foreign_checks(partition) &&
		find_log_columns(t, partition) &&
		describe_indexes(t, partition) &&
		!OidIsValid(get_extension_oid("citus", true));	/* a distributed log has its rows elsewhere */
	table_close(partition, NoLock);
	return direct;
}

/* Look where entries of this instant go. Takes the locks that keep the answer true. */
static void
look_for_target(LogTarget *t, TimestampTz at)
{
	Relation	log = table_open(desk_relation("support", "audit_log"), RowExclusiveLock);

	t->log = RelationGetRelid(log);
	t->sequence = identity_sequence(log, get_attnum(t->log, "id"));
	t->partition = InvalidOid;
	t->from = t->upto = at;
	t->direct = log->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		lock_partition(t, log, at) && describe_partition(t, log);
	if (!OidIsValid(t->sequence))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"id\" of support.audit_log has lost its identity sequence"),
				 errhint("ALTER TABLE support.audit_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY gives it a new one.")));
	table_close(log, NoLock);
}

/* Find out where entries of this instant go. An invalidation that arrives meanwhile has us look again next time. */
static void
build_target(LogTarget *t, TimestampTz at)
{
	t->built = false;
	if (t->context == NULL)
		t->context = AllocSetContextCreate(CacheMemoryContext, "support_ext log target", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(t->context);
	t->nindexes = 0;
	t->valid = true;
	look_for_target(t, at);
	t->built = true;
}

/*
 * The target for entries of this instant. Taking the locks lets us hear of what others changed, so the target is
 * looked at after that.
 */
static LogTarget *
target_for(TimestampTz at)
{
	if (target.built && target.valid)
		LockRelationOid(target.log, RowExclusiveLock);
	if (target.built && target.valid && OidIsValid(target.partition))
		LockRelationOid(target.partition, RowExclusiveLock);
	if (!target.built || !target.valid || at < target.from || at >= target.upto)
		build_target(&target, at);
	return &target;
}

/* Add the tuple in the slot to the partition's indexes. */
static void
insert_into_indexes(LogTarget *t, Relation partition, TupleTableSlot *slot)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	for (int i = 0; i < t->nindexes; i++)
	{
		IndexInfo  *info = t->index_infos[i];
		Relation	index;

		/* one that is being built CONCURRENTLY; its relcache entry tells when that has changed */
		if (!info->ii_ReadyForInserts)
			continue;
		index = index_open(t->indexes[i], RowExclusiveLock);
		/* what an access method keeps between insertions must not outlive this one: it may point to the relation */
		info->ii_AmCache = NULL;
		info->ii_Context = CurrentMemoryContext;
		FormIndexDatum(info, slot, NULL, values, nulls);
		index_insert(index, values, nulls, &slot->tts_tid, partition,
					 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
		finish_index_insert(index, info);
		info->ii_AmCache = NULL;
		index_close(index, NoLock);
	}
}

/* The direct road. */
static void
insert_directly(LogTarget *t, const LogTuple *tuple)
{
	Relation	partition = table_open(t->partition, RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(partition, NULL);

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < LOG_COLUMNS; i++)
	{
		slot->tts_values[t->columns[i] - 1] = tuple->values[i];
		slot->tts_isnull[t->columns[i] - 1] = tuple->nulls[i];
	}
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(partition, slot, GetCurrentCommandId(true), 0, NULL);
	insert_into_indexes(t, partition, slot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(partition, NoLock);
}

/* The general road. */
static void
insert_over_spi(const LogTuple *tuple)
{
	Args		args = {0};

	SPI_connect();
	for (int i = 0; i < LOG_COLUMNS; i++)
	{
		if (tuple->nulls[i])
			arg_null(&args);
		else
			arg(&args, tuple->values[i]);
	}
	run(&statements[INSERT_ENTRY], &args);
	SPI_finish();
}

static void
set(LogTuple *tuple, int column, Datum value)
{
	tuple->values[column] = value;
	tuple->nulls[column] = false;
}

static void
set_text(LogTuple *tuple, int column, const char *value)
{
	if (value != NULL)
		set(tuple, column, CStringGetTextDatum(value));
}

/* The id of the next entry, for one that an application writes without. */
int64
next_log_id(void)
{
	return nextval_internal(target_for(desk_now())->sequence, false);
}

/* Everything of an entry but its id. */
static void
form_entry(LogTuple *tuple, const LogEntry *entry, LogPosition *position)
{
	int64		actor_id;

	memset(tuple->nulls, true, sizeof(tuple->nulls));
	set(tuple, LOG_OCCURRED_AT, TimestampTzGetDatum(position->occurred_at));
	set(tuple, LOG_ERA, Int32GetDatum(position->era));
	set(tuple, LOG_XID, Int64GetDatum(position->xid));
	if (acting_user(&actor_id))
		set(tuple, LOG_ACTOR_ID, Int64GetDatum(actor_id));
	set_text(tuple, LOG_DB_ROLE, asking_role());
	set_text(tuple, LOG_ACTION, entry->action);
	set_text(tuple, LOG_TABLE_NAME, entry->table_name);
	if (entry->has_record_id)
		set(tuple, LOG_RECORD_ID, Int64GetDatum(entry->record_id));
	set(tuple, LOG_TICKET_ID, Int64GetDatum(entry->ticket_id));
	if (entry->old_value != (Datum) 0)
		set(tuple, LOG_OLD_VALUE, entry->old_value);
	if (entry->new_value != (Datum) 0)
		set(tuple, LOG_NEW_VALUE, entry->new_value);
}

/*
 * Append an entry and tell where it went. Works in the current memory context, which the caller resets. The ids of
 * one record's entries grow, since whoever changes it holds its row lock.
 */
LogPosition
log_write(const LogEntry *entry)
{
	LogPosition position = {.occurred_at = desk_now(), .era = current_era(), .xid = current_xid()};
	LogTuple	tuple;
	LogTarget  *t;

	form_entry(&tuple, entry, &position);
	t = target_for(position.occurred_at);
	position.id = nextval_internal(t->sequence, false);
	set(&tuple, LOG_ID, Int64GetDatum(position.id));
	/* the name of an application's event is for the log's own check to judge */
	if (t->direct && entry->table_name != NULL)
		insert_directly(t, &tuple);
	else
		insert_over_spi(&tuple);
	return position;
}
