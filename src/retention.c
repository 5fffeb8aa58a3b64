/*
 * retention.c
 *		Taking old partitions off the log.
 *
 * A partition whose entries are all older than the retention goes: off the log, to a schema of its own, or for good. It
 * stays while a consumer of the feed has not read it, while some of its entries are not sealed where others are, or, if it were
 * dropped, while a hold is on some of them: the answer says so. What the recycle bin needs of it is copied to the default partition, so a removed ticket comes back
 * however long ago it went. The partition itself keeps all that it had: to write so much anew would keep others from the
 * log for long. A month that is older and still lies in the default partition becomes a partition first, and goes with
 * the others.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/plan.h"
#include "install_check.h"
#include "log/entry_mover.h"
#include "proof/removal.h"
#include "upkeep.h"

/* Where the entries lie that the recycle bin needs: what went with each ticket in the bin. */
#define NEEDED_ENTRIES \
	"SELECT a.ctid" \
	" FROM (SELECT b.ticket_id, r.era, r.xid" \
	"	FROM support_internal.recycle_bin AS b" \
	"	JOIN %1$s AS r ON r.ticket_id = b.ticket_id AND r.id = b.audit_id) AS n" \
	" JOIN %1$s AS a ON a.ticket_id = n.ticket_id AND a.era = n.era" \
	"	AND a.xid = n.xid" \
	" WHERE a.action = 'DELETE'" \
	" ORDER BY a.ctid"

/* Who has not read all of a partition: consumers before its last entry. */
#define LATE_CONSUMERS \
	"SELECT string_agg(quote_literal(c.consumer), ', ' ORDER BY c.consumer)" \
	" FROM support_internal.feed_consumers AS c," \
	"	(SELECT p.era, p.xid, p.id FROM %s AS p" \
	"	WHERE p.era IS NOT NULL AND p.xid IS NOT NULL AND EXISTS (SELECT FROM support_internal.feed_consumers)" \
	"	ORDER BY p.era DESC, p.xid DESC, p.id DESC LIMIT 1) AS last" \
	" WHERE (c.era, c.xid, c.audit_id) < (last.era, last.xid, last.id)"

/* How many entries of a partition no seal covers, on a desk that seals. */
#define UNSEALED_ENTRIES \
	"SELECT count(*) FROM %s AS p" \
	" WHERE p.era IS NOT NULL AND p.xid IS NOT NULL" \
	"	AND EXISTS (SELECT FROM support_internal.audit_seals AS s WHERE s.kind = 'seal')" \
	"	AND NOT EXISTS (SELECT FROM support_internal.audit_leaves AS l" \
	"		WHERE l.era = p.era AND l.xid = p.xid AND l.audit_id = p.id)"

/* The first hold that is on entries of a partition. */
#define HOLD_ON_ENTRIES \
	"SELECT h.id, h.reason" \
	" FROM support.holds AS h" \
	" WHERE h.lifted_at IS NULL AND EXISTS (SELECT FROM %s AS p" \
	"	WHERE p.ticket_id = h.ticket_id OR p.actor_id = h.user_id" \
	"	OR (p.ticket_id = 0 AND p.table_name = 'users' AND p.record_id = h.user_id)" \
	"	OR p.ticket_id = ANY (ARRAY(SELECT o.ticket_id FROM support_internal.tickets_held_with(h.user_id) AS o)))" \
	" ORDER BY h.id LIMIT 1"

/* The entries of a partition, as an item of FROM. */
static char *
entries_of(const char *name)
{
	return psprintf("ONLY %s", name);
}

/* Those of a month that lie in the default partition, likewise. */
static char *
lying_entries_of(const Upkeep *upkeep, const Month *month)
{
	return psprintf("(SELECT ctid, * FROM ONLY %s WHERE occurred_at >= %s AND occurred_at < %s)",
					qualified_name(default_partition(&upkeep->partitions)->relid), time_literal(month->from),
					time_literal(month->upto));
}

/* Is a hold on some of the entries of a partition that would be dropped? The answer says why, and what to do. */
static bool
is_held(Upkeep *upkeep, const char *name, const char *entries)
{
	char	   *reason;

	if (upkeep->action != RETENTION_DROP || look(psprintf(HOLD_ON_ENTRIES, entries)) == 0)
		return false;
	reason = result_text(0, 2);
	note(upkeep, "kept %s: hold " INT64_FORMAT " is on entries of it%s%s; support.lift_hold() lifts one", name, result_int64(0, 1),
		 reason ? ": " : "", reason ? reason : "");
	return true;
}

/* Must a partition stay for now, or one that is to be made of these entries? The answer says why, and what to do. */
static bool
is_needed(Upkeep *upkeep, const char *name, const char *entries)
{
	int64		unsealed;

	(void) look(psprintf(LATE_CONSUMERS, entries));
	if (!result_is_null(0, 1))
	{
		note(upkeep, "kept %s: consumers of the feed that have not read it: %s; support.feed_stop() ends one that is gone",
			 name, result_text(0, 1));
		return true;
	}
	if (is_held(upkeep, name, entries))
		return true;
	(void) look(psprintf(UNSEALED_ENTRIES, entries));
	unsealed = result_int64(0, 1);
	if (unsealed > 0)
		note(upkeep, "kept %s: " INT64_FORMAT " of its entries are not sealed; SELECT support.seal_audit() seals them",
			 name, unsealed);
	return unsealed > 0;
}

/* Are all entries of a month older than what is kept? */
bool
is_expired(const Upkeep *upkeep, const Month *month)
{
	return month->upto <= upkeep->keep_from;
}

/* How many entries of an expired month lie in the default partition and not for the recycle bin? */
int64
entries_to_go(const Upkeep *upkeep, const Month *month)
{
	return month->entries - (int64) look(psprintf(NEEDED_ENTRIES, lying_entries_of(upkeep, month)));
}

/* Find the partitions whose entries are all older than what is kept, and such months among those to be made. */
void
find_retirees(Upkeep *upkeep)
{
	ListCell   *cell;

	for (int i = 0; i < upkeep->partitions.n; i++)
	{
		Partition  *partition = &upkeep->partitions.list[i];
		char	   *name = qualified_name(partition->relid);

		CHECK_FOR_INTERRUPTS();
		if (!partition->is_default && partition->upto <= upkeep->keep_from && !is_needed(upkeep, name, entries_of(name)))
			upkeep->retirees = lappend(upkeep->retirees, partition);
	}
	foreach(cell, upkeep->months)
	{
		Month	   *month = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (is_expired(upkeep, month) && !is_needed(upkeep, month->table, lying_entries_of(upkeep, month)))
			upkeep->passing = lappend(upkeep->passing, month);
	}
}

/* What is done with a partition, in one word. */
static const char *
name_of_action(RetentionAction action)
{
	return action == RETENTION_DROP ? "drop" : action == RETENTION_ARCHIVE ? "archive" : "detach";
}

/* Tell that a partition would be taken off, which has these entries. */
static void
tell_retirement(Upkeep *upkeep, const char *name, const char *entries)
{
	uint64		needed = look(psprintf(NEEDED_ENTRIES, entries));

	if (needed > 0)
		report(upkeep, "would copy " UINT64_FORMAT " entries that the recycle bin needs to the default partition", needed);
	report(upkeep, "would %s %s", name_of_action(upkeep->action), name);
}

/* Tell what would be taken off. */
void
tell_retirements(Upkeep *upkeep)
{
	ListCell   *cell;

	foreach(cell, upkeep->retirees)
	{
		char	   *name = qualified_name(((const Partition *) lfirst(cell))->relid);

		tell_retirement(upkeep, name, entries_of(name));
	}
	foreach(cell, upkeep->passing)
	{
		const Month *month = lfirst(cell);

		tell_retirement(upkeep, month->table, lying_entries_of(upkeep, month));
	}
}

static int
keep_all(const LyingEntry *entry, void *arg)
{
	return 0;
}

static int
keep_listed(const LyingEntry *entry, void *arg)
{
	return is_listed(arg, entry->tid) ? 0 : -1;
}

/* Copy what the recycle bin needs of a partition that was detached to the default one. */
static void
save_removed_tickets(Upkeep *upkeep, const Partition *old, const char *name)
{
	const Partition *others = default_partition(&upkeep->partitions);
	RowList		needed = list_rows(psprintf(NEEDED_ENTRIES, entries_of(name)));
	Rewriting	rewriting;

	if (others == NULL || needed.n == 0)
		return;
	begin_rewriting(&rewriting, others->relid);
	copy_entries(others->relid, &rewriting, 1, keep_all, NULL);
	copy_entries(old->relid, &rewriting, 1, keep_listed, &needed);
	finish_rewriting(&rewriting);
	report(upkeep, "copied " UINT64_FORMAT " entries that the recycle bin needs to the default partition", needed.n);
}

/* Do with a partition that is no longer part of the log what the retention says. */
static void
put_away(Upkeep *upkeep, const char *name)
{
	switch (upkeep->action)
	{
		case RETENTION_DETACH:
			report(upkeep, "detached %s", name);
			break;
		case RETENTION_ARCHIVE:
			check_schema(ARCHIVE_SCHEMA, GetUserId());
			if (!OidIsValid(get_namespace_oid(ARCHIVE_SCHEMA, true)))
				carry_out("CREATE SCHEMA " ARCHIVE_SCHEMA);
			carry_out(psprintf("ALTER TABLE %s SET SCHEMA " ARCHIVE_SCHEMA, name));
			report(upkeep, "archived %s to the schema " ARCHIVE_SCHEMA, name);
			break;
		case RETENTION_DROP:
			carry_out(psprintf("DROP TABLE %s", name));
			report(upkeep, "dropped %s", name);
			break;
	}
}

/* Take a partition off the log. */
static void
retire_partition(Upkeep *upkeep, const Partition *old)
{
	char	   *name = qualified_name(old->relid);
	int64		pruned;

	carry_out(psprintf("ALTER TABLE support.audit_log DETACH PARTITION %s", name));
	save_removed_tickets(upkeep, old, name);
	pruned = note_pruning(old->relid, upkeep->action != RETENTION_DROP);
	if (pruned > 0)
		report(upkeep, "marked " INT64_FORMAT " sealed entries as pruned", pruned);
	put_away(upkeep, name);
	log_upkeep(name, old->from, old->upto, name_of_action(upkeep->action));
}

/* Take off the log what was found: partitions, and months that have been made for that. */
void
retire_partitions(Upkeep *upkeep)
{
	ListCell   *cell;

	foreach(cell, upkeep->retirees)
	{
		CHECK_FOR_INTERRUPTS();
		retire_partition(upkeep, lfirst(cell));
	}
	foreach(cell, upkeep->passing)
	{
		const Month *month = lfirst(cell);
		Partition	made = {.relid = relid_of_month(month), .from = month->from, .upto = month->upto};

		CHECK_FOR_INTERRUPTS();
		retire_partition(upkeep, &made);
	}
}
