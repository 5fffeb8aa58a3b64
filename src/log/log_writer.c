/*
 * log_writer.c
 *		Appending to the audit log.
 *
 * An entry is written on the way of every change, so the common case goes without SPI and without an executor, see
 * heap_writer.c. What that takes is kept for the session: the partition that the last entry went to and the range of times
 * that it holds.
 *
 * The target is invalid once the relcache says that the log, the partition or one of its indexes changed. We hold
 * RowExclusiveLock on the log and on the partition from before we look at the target until the transaction ends, so a
 * partition cannot be detached between the look and the insertion.
 *
 * Where that does not do, for the reasons that heap_writer.c tells, entries go the general road, insert_row(), with the same
 * result.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/syscache.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "base/settings.h"
#include "log/eras.h"
#include "log/log_columns.h"
#include "log/log_size.h"
#include "log/log_writer.h"

/* The partition that entries go to. */
typedef struct LogTarget
{
	bool		built;			/* all of the below is there */
	bool		valid;			/* and nothing changed since we began to look */
	LocalTransactionId locked_in;	/* the transaction that has locks on the log and the partition */
	Oid			log;
	Oid			sequence;		/* of the column id */
	Oid			partition;		/* none, or one that entries do not go to directly: not plain */
	TimestampTz from;			/* it holds times from here */
	TimestampTz upto;			/* and before here */
	HeapTable	table;
} LogTarget;

static LogTarget target = {
	.table = {
		.name = PUBLIC_TABLE("audit_log"), .columns = log_columns, .ncolumns = LOG_COLUMNS,
		.check = "audit_log_action_check", .at_end = true
	}
};

/* The name of the role that asked last. */
static Oid	known_role = InvalidOid;	/* none */
static NameData known_role_name;

/*
 * Forget the target if the log, its partition or one of its indexes changed, or everything did (InvalidOid). What is known
 * of the partition as a table was forgotten before.
 */
static void
forget_target(Oid relid)
{
	if (!OidIsValid(relid) || relid == target.log || relid == target.partition || !target.table.valid)
		target.valid = false;
}

/* A role may have another name now. */
static void
forget_role(void)
{
	known_role = InvalidOid;
}

void
log_writer_init(void)
{
	static SessionCache target_cache = {.relation_changed = forget_target, .role_changed = forget_role};

	Assert(log_columns_agree());
	add_session_cache(&target_cache);
}

/*
 * Are these the same but for case, white space, control characters and what is not ASCII (spaces of many kinds, marks that
 * nobody sees), by which nobody tells them apart?
 */
static bool
looks_like(const char *text, const char *name)
{
	for (; *text != '\0'; text++)
	{
		unsigned char c = *text;

		if (c <= ' ' || c >= 0x7f)
			continue;
		if (pg_tolower(c) != pg_tolower((unsigned char) *name))
			return false;
		name++;
	}
	return *name == '\0';
}

/* Is this an action that the desk itself writes, or one that looks like it? All that log_write() is given by us are here. */
bool
is_own_action(const char *action)
{
	static const char *const own[] = {"INSERT", "UPDATE", "DELETE", "PURGE", "PRUNE", "ERASE", "comment_deleted"};

	for (int i = 0; i < lengthof(own); i++)
		if (looks_like(action, own[i]))
			return true;
	return false;
}

/* The top-level transaction, 64 bits. */
int64
current_xid(void)
{
	return (int64) U64FromFullTransactionId(GetTopFullTransactionId());
}

/*
 * Keep the name of a role. Roles are those of all databases, and may have a name in the encoding of another one, which no
 * text here may hold: its bytes beyond ASCII are written as \xNN then.
 */
static void
keep_role_name(const char *name)
{
	StringInfoData escaped;

	if (pg_verifymbstr(name, strlen(name), true))
	{
		namestrcpy(&known_role_name, name);
		return;
	}
	initStringInfo(&escaped);
	for (const unsigned char *c = (const unsigned char *) name; *c != '\0'; c++)
	{
		if (*c < 0x80)
			appendStringInfoChar(&escaped, *c);
		else
			appendStringInfo(&escaped, "\\x%02x", *c);
	}
	namestrcpy(&known_role_name, escaped.data);
	pfree(escaped.data);
}

/*
 * The role that asked, whatever a SECURITY DEFINER function on the way says. In a security-restricted operation, such as
 * ANALYZE, the server has become the owner of a table to run what that owner put on it: the owner asks, whoever began it.
 */
const char *
asking_role(void)
{
	Oid			role = InSecurityRestrictedOperation() ? user_at_hand() : GetOuterUserId();

	if (role != known_role)
	{
		keep_role_name(GetUserNameFromId(role, false));
		known_role = role;
	}
	return NameStr(known_role_name);
}

/* The bound of the i-th datum of a range-partitioned relation with one key column. */
static TimestampTz
range_bound(PartitionBoundInfo bounds, int i, TimestampTz otherwise)
{
	if (i < 0 || i >= bounds->ndatums || bounds->kind[i][0] != PARTITION_RANGE_DATUM_VALUE)
		return otherwise;
	return DatumGetTimestampTz(bounds->datums[i][0]);
}

/* Is the log divided into ranges of times, as it was made? */
bool
is_divided_by_time(Relation log)
{
	PartitionKey key = log->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? RelationGetPartitionKey(log) : NULL;

	return key != NULL && key->strategy == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
		key->partattrs[0] == get_attnum(RelationGetRelid(log), log_columns[LOG_OCCURRED_AT].name) &&
		key->parttypid[0] == TIMESTAMPTZOID;
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

	if (bounds == NULL || !is_divided_by_time(log))
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
		lock_for_transaction(t->partition);
		locked = t->partition;
	}
	return false;
}

/* Look at the partition. A trigger on the log itself is a reason against it, too. */
static void
look_at_partition(LogTarget *t, Relation log)
{
	Relation	partition = table_open(t->partition, NoLock);

	look_at_table(&t->table, partition);
	if (fires_on_insert(log))
		t->table.plain = false;
	table_close(partition, NoLock);
}

/* Look where entries of this instant go. Takes the locks that keep the answer true. */
static void
look_for_target(LogTarget *t, TimestampTz at)
{
	Relation	log;

	t->log = desk_relation(t->table.name.schema, t->table.name.name);
	lock_for_transaction(t->log);
	log = table_open(t->log, NoLock);
	t->sequence = identity_sequence(log, get_attnum(t->log, "id"));
	t->partition = InvalidOid;
	t->from = t->upto = at;
	if (log->rd_rel->relkind == RELKIND_PARTITIONED_TABLE && lock_partition(t, log, at))
		look_at_partition(t, log);
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
	t->locked_in = InvalidLocalTransactionId;
	t->valid = true;
	t->table.valid = true;
	t->table.plain = false;
	look_for_target(t, at);
	t->built = true;
	t->locked_in = current_lxid();
}

/* Lock what entries go to, once in a transaction. Another look may be due when the locks are there. */
static void
lock_target(LogTarget *t)
{
	lock_for_transaction(t->log);
	if (t->valid && OidIsValid(t->partition))
		lock_for_transaction(t->partition);
	if (t->valid)
		t->locked_in = current_lxid();
}

/*
 * The target for entries of this instant. Taking the locks lets us hear of what others changed, so the target is
 * looked at after that.
 */
static LogTarget *
target_for(TimestampTz at)
{
	if (target.built && target.valid && target.locked_in != current_lxid())
		lock_target(&target);
	if (!target.built || !target.valid || at < target.from || at >= target.upto)
		build_target(&target, at);
	return &target;
}

/* The direct road. The partition is locked since we looked for the target. */
static void
insert_directly(LogTarget *t, const LogRow *row)
{
	Relation	partition = table_open(t->partition, NoLock);

	add_row(&t->table, partition, row->values, row->nulls);
	table_close(partition, NoLock);
}

static void
set(LogRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
set_text(LogRow *row, int column, const char *value)
{
	if (value != NULL)
		set(row, column, CStringGetTextDatum(value));
}

/* The id of the next entry, for one that an application writes without. */
int64
next_log_id(void)
{
	return nextval_internal(target_for(desk_now())->sequence, false);
}

/* Wake those who follow the log, if the setting says so: once for the transaction, the server sees to that. */
void
announce_entry(void)
{
	if (notify_changes)
		Async_Notify("support_feed", "");
}

/* Everything of an entry but its id. */
static void
form_entry(LogRow *row, const LogEntry *entry, WrittenEntry *written)
{
	int64		actor_id;

	memset(row->nulls, true, sizeof(row->nulls));
	set(row, LOG_OCCURRED_AT, TimestampTzGetDatum(written->occurred_at));
	set(row, LOG_ERA, Int32GetDatum(written->era));
	set(row, LOG_XID, Int64GetDatum(written->xid));
	if (acting_user(&actor_id))
		set(row, LOG_ACTOR_ID, Int64GetDatum(actor_id));
	set_text(row, LOG_DB_ROLE, asking_role());
	set_text(row, LOG_ACTION, entry->action);
	set_text(row, LOG_TABLE_NAME, entry->table_name);
	if (entry->has_record_id)
		set(row, LOG_RECORD_ID, Int64GetDatum(entry->record_id));
	set(row, LOG_TICKET_ID, Int64GetDatum(entry->ticket_id));
	if (entry->old_value != (Datum) 0)
		set(row, LOG_OLD_VALUE, entry->old_value);
	if (entry->new_value != (Datum) 0)
		set(row, LOG_NEW_VALUE, entry->new_value);
}

/*
 * Append an entry and tell where it went. Raises 54000 for one that could not be dumped. Works in the current memory context, which the caller resets. The ids of
 * one record's entries grow, since whoever changes it holds its row lock.
 */
WrittenEntry
log_write(const LogEntry *entry)
{
	WrittenEntry written = {.occurred_at = desk_now(), .era = current_era(), .xid = current_xid()};
	LogRow		row;
	LogTarget  *t;

	check_entry_size(entry->table_name, entry->old_value, entry->new_value);
	form_entry(&row, entry, &written);
	t = target_for(written.occurred_at);
	written.id = nextval_internal(t->sequence, false);
	set(&row, LOG_ID, Int64GetDatum(written.id));
	/* the name of an application's event is for the log's own check to judge */
	if (t->table.plain && entry->table_name != NULL)
		insert_directly(t, &row);
	else
		insert_row(&t->table, row.values, row.nulls);
	announce_entry();
	return written;
}
