/*
 * maintain.c
 *		Keeping the log: partitions made ahead, old ones taken away.
 *
 * The log is partitioned by the months of UTC. Nothing fails where maintain() never runs, since the default partition
 * takes what has no other. It makes the partitions of this month and the next two, and of each month that the default
 * partition has entries of, which move there. With a retention it takes partitions away whose entries are all older, see
 * retention.c: also those of months that it has only now made of entries in the default partition.
 *
 * What there is to do is found first, with no lock that would keep anybody from anything; a dry run ends with that. Where
 * there is something, the log is locked, see upkeep.c, and looked at again, as others may have been at it meanwhile. A new
 * month needs the default partition alone, and to take one away needs the whole log: if that is not to be had, months are
 * made all the same. Entries keep id, era and transaction wherever they lie.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/plan.h"
#include "base/subtransaction.h"
#include "install_check.h"
#include "log/entry_mover.h"
#include "upkeep.h"

#define MONTHS_AHEAD 2

/* Entries of later times stay in the default partition: a month that has no end cannot be made. */
#define END_OF_MONTHS "10000-01-01 00:00+00"

/* The months that have a table of their own which is not part of the log. */
#define DETACHED_MONTHS \
	"SELECT c.relname::text, pg_catalog.make_timestamptz(substr(c.relname, 11, 4)::int4, substr(c.relname, 16, 2)::int4, 1, 0, 0, 0)" \
	" FROM pg_catalog.pg_class AS c" \
	" WHERE c.relnamespace = 'support_internal'::regnamespace AND NOT c.relispartition" \
	"	AND c.relname ~ '^audit_log_[0-9]{4}_(0[1-9]|1[0-2])$' AND c.relname <> 'audit_log_0000'" \
	"	AND substr(c.relname, 11, 4) <> '0000' AND c.relkind = ANY ('{r,p}')" \
	" ORDER BY c.relname"

/* Name the months that were taken off the log by hand: those that the retention would have kept. */
static void
name_detached_months(Upkeep *upkeep)
{
	uint64		n = look(DETACHED_MONTHS);

	for (uint64 i = 0; i < n; i++)
	{
		TimestampTz from = DatumGetTimestampTz(result(i, 2));

		if (from >= upkeep->keep_from)
			note(upkeep, "support_internal.%s is not part of the log: SELECT support.attach_month('%.10s') puts it back",
				 result_text(i, 1), time_text(from));
	}
}

static Month *
new_month(TimestampTz from, int64 entries)
{
	Month	   *month = palloc(sizeof(Month));

	*month = (Month) {
		.from = from, .upto = month_of(from, 1), .table = psprintf("support_internal.%s", month_table(from)), .entries = entries
	};
	return month;
}

/* The table of a month, InvalidOid if there is none. */
Oid
relid_of_month(const Month *month)
{
	return get_relname_relid(strchr(month->table, '.') + 1, get_namespace_oid("support_internal", false));
}

/* Is a table of the month's name where its partition would go to once it is off the log? */
static bool
is_archived(const Upkeep *upkeep, const Month *month)
{
	Oid			archive = get_namespace_oid(ARCHIVE_SCHEMA, true);

	return upkeep->action == RETENTION_ARCHIVE && OidIsValid(archive) &&
		OidIsValid(get_relname_relid(strchr(month->table, '.') + 1, archive));
}

/* Can a month be made? Not if something has its time or its name: a partition that was detached, which keeps it. */
static bool
can_be_made(const Upkeep *upkeep, const Month *month)
{
	return !is_covered(&upkeep->partitions, month->from, month->upto) && !OidIsValid(relid_of_month(month));
}

/* Is it one of this month and the next ones? */
static bool
is_ahead(const Upkeep *upkeep, const Month *month)
{
	return month->from >= month_of(upkeep->now, 0) && month->from <= month_of(upkeep->now, MONTHS_AHEAD);
}

/* The months that the default partition has entries of, in their order. */
static List *
lying_months(const Upkeep *upkeep)
{
	const Partition *others = default_partition(&upkeep->partitions);
	List	   *months = NIL;
	uint64		n = 0;

	if (others != NULL)
		n = look(psprintf("SELECT date_trunc('month', occurred_at), count(*) FROM ONLY %s"
						  " WHERE isfinite(occurred_at) AND occurred_at < '" END_OF_MONTHS "' GROUP BY 1 ORDER BY 1",
						  qualified_name(others->relid)));
	for (uint64 i = 0; i < n; i++)
		months = lappend(months, new_month(DatumGetTimestampTz(result(i, 1)), result_int64(i, 2)));
	return months;
}

/* Plan to make this month and the next ones, with what the default partition has of them. */
static void
plan_ahead(Upkeep *upkeep, const List *lying)
{
	for (int ahead = 0; ahead <= MONTHS_AHEAD; ahead++)
	{
		Month	   *month = new_month(month_of(upkeep->now, ahead), 0);
		ListCell   *cell;

		foreach(cell, lying)
			if (((const Month *) lfirst(cell))->from == month->from)
				month->entries = ((const Month *) lfirst(cell))->entries;
		if (can_be_made(upkeep, month))
			upkeep->months = lappend(upkeep->months, month);
	}
}

/*
 * Plan to make a month that is older than what is kept, to be taken off the log at once. What the recycle bin needs lies
 * in the default partition to stay. Where the month cannot be made, or not go where it should, the answer says so.
 */
static void
plan_expired(Upkeep *upkeep, Month *month)
{
	int64		to_go = upkeep->may_retire ? entries_to_go(upkeep, month) : 0;

	if (to_go == 0)
		return;
	if (can_be_made(upkeep, month) && !is_archived(upkeep, month))
		upkeep->months = lappend(upkeep->months, month);
	else
		note(upkeep, "kept " INT64_FORMAT " entries of %.7s in the default partition:"
			 " another table has the name or a part of the time of %s",
			 to_go, time_text(month->from), month->table);
}

/* Plan the months to be made: this and the next ones, and those that lie in the default partition. */
static void
find_months(Upkeep *upkeep)
{
	List	   *lying = lying_months(upkeep);
	ListCell   *cell;

	plan_ahead(upkeep, lying);
	foreach(cell, lying)
	{
		Month	   *month = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (is_expired(upkeep, month))
			plan_expired(upkeep, month);
		else if (!is_ahead(upkeep, month) && can_be_made(upkeep, month))
			upkeep->months = lappend(upkeep->months, month);
	}
}

/* Find out what there is to do. Where nothing may be taken off after all, what was said of that stands. */
static void
find_work(void *arg)
{
	Upkeep	   *upkeep = arg;

	LockRelationOid(upkeep->log, AccessShareLock);
	CommandCounterIncrement();
	upkeep->partitions = list_partitions(upkeep->log);
	upkeep->months = upkeep->passing = NIL;
	upkeep->unguarded = unguarded_partitions(upkeep->log);
	if (upkeep->may_retire)
		upkeep->retirees = upkeep->notes = NIL;
	find_months(upkeep);
	if (!upkeep->may_retire)
		return;
	find_retirees(upkeep);
	name_detached_months(upkeep);
}

/* The months that are made and the default partition, each with a new heap, and which of them is which. */
typedef struct Distribution
{
	int			nmonths;
	const Month **months;
	Rewriting  *heaps;			/* of the months, then of the default partition */
} Distribution;

static int
heap_of_month(const LyingEntry *entry, void *arg)
{
	const Distribution *distribution = arg;

	for (int i = 0; i < distribution->nmonths; i++)
		if (distribution->months[i]->from <= entry->occurred_at && entry->occurred_at < distribution->months[i]->upto)
			return i;
	return distribution->nmonths;
}

/* Move the entries of the new months out of the default partition, reading it once. */
static void
fill_months(Upkeep *upkeep, Oid others)
{
	Distribution distribution = {0};
	ListCell   *cell;

	distribution.months = palloc(sizeof(Month *) * list_length(upkeep->months));
	distribution.heaps = palloc(sizeof(Rewriting) * (list_length(upkeep->months) + 1));
	foreach(cell, upkeep->months)
	{
		const Month *month = lfirst(cell);

		if (month->entries == 0)
			continue;
		begin_rewriting(&distribution.heaps[distribution.nmonths], relid_of_month(month));
		distribution.months[distribution.nmonths++] = month;
	}
	if (distribution.nmonths == 0)
		return;
	begin_rewriting(&distribution.heaps[distribution.nmonths], others);
	copy_entries(others, distribution.heaps, distribution.nmonths + 1, heap_of_month, &distribution);
	for (int i = 0; i <= distribution.nmonths; i++)
		finish_rewriting(&distribution.heaps[i]);
}

/* Make the tables of months, let entries of the default partition come to them, and attach them. */
static void
make_months(Upkeep *upkeep)
{
	const Partition *others = default_partition(&upkeep->partitions);
	ListCell   *cell;

	foreach(cell, upkeep->months)
	{
		const Month *month = lfirst(cell);

		carry_out(psprintf("CREATE TABLE %s (LIKE support.audit_log INCLUDING DEFAULTS INCLUDING GENERATED"
						   " INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)", month->table));
		carry_out(psprintf("COMMENT ON TABLE %s IS 'Entries of a month.'", month->table));
	}
	if (others != NULL)
		fill_months(upkeep, others->relid);
	foreach(cell, upkeep->months)
	{
		const Month *month = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		carry_out(psprintf("ALTER TABLE support.audit_log ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)",
						 month->table, time_literal(month->from), time_literal(month->upto)));
		guard_partition(month->table);
		report(upkeep, "made %s%s", month->table, told_entries(month->entries));
	}
}

static void
guard_partitions(Upkeep *upkeep)
{
	ListCell   *cell;

	foreach(cell, upkeep->unguarded)
	{
		char	   *name = qualified_name(((const Partition *) lfirst(cell))->relid);

		guard_partition(name);
		report(upkeep, "guarded %s against TRUNCATE", name);
	}
}

/* Tell what a run would do now. */
static void
tell_work(Upkeep *upkeep)
{
	ListCell   *cell;

	foreach(cell, upkeep->unguarded)
		report(upkeep, "would guard %s against TRUNCATE", qualified_name(((const Partition *) lfirst(cell))->relid));
	foreach(cell, upkeep->months)
	{
		const Month *month = lfirst(cell);

		report(upkeep, "would make %s%s", month->table, told_entries(month->entries));
	}
	tell_retirements(upkeep);
}

/* Lock what the work at hand needs, and find out what there is to do once nobody can change that. */
static bool
lock_for(Upkeep *upkeep, LOCKMODE mode, List *partitions)
{
	if (!lock_log(upkeep, mode, partitions))
		return false;
	find_work(upkeep);
	return true;
}

/*
 * Do the work. Where partitions are taken off, or are given a trigger, others must not have any: the log is ours alone.
 * Without that, months are made at least.
 */
static void
do_work(Upkeep *upkeep)
{
	List	   *partitions = list_concat_copy(upkeep->unguarded, upkeep->retirees);
	bool		needs_all = partitions != NIL || upkeep->passing != NIL;
	bool		is_ours = needs_all && lock_for(upkeep, AccessExclusiveLock, partitions);
	bool		is_left = needs_all && !is_ours;

	upkeep->may_retire = is_ours;
	if (is_ours)
		guard_partitions(upkeep);
	if (is_ours || (upkeep->months != NIL && lock_for(upkeep, ShareUpdateExclusiveLock, NIL)))
		make_months(upkeep);
	else
		is_left |= upkeep->months != NIL;
	if (is_ours)
		retire_partitions(upkeep);
	if (is_left)
		note(upkeep, "support.audit_log is in use: what else there is to do waits for the next call");
}

static void
keep_log(Upkeep *upkeep)
{
	ListCell   *cell;

	/* the locks of the look are given back, so that of two runs neither holds what the other one waits for */
	rehearse(find_work, upkeep);
	if (upkeep->dry_run)
		tell_work(upkeep);
	else if (upkeep->months != NIL || upkeep->retirees != NIL || upkeep->unguarded != NIL)
		do_work(upkeep);
	foreach(cell, upkeep->notes)
		report(upkeep, "%s", (char *) lfirst(cell));
}

/* maintain(dry_run, actor_id) -> a line for each thing that was done, or would be */
PG_FUNCTION_INFO_V1(support_maintain);
Datum
support_maintain(PG_FUNCTION_ARGS)
{
	Upkeep		upkeep = {.dry_run = !PG_ARGISNULL(0) && PG_GETARG_BOOL(0), .may_retire = true};
	Call		call;

	if (!upkeep.dry_run)
		PreventCommandIfReadOnly("maintain()");
	begin_call(&call, fcinfo, 1);
	begin_upkeep(&upkeep, fcinfo, "maintain the log");
	keep_log(&upkeep);
	end_upkeep(&upkeep);
	end_call(&call);
	return (Datum) 0;
}
