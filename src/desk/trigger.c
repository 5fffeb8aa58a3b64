/*
 * trigger.c
 *		What the desk's tables do on every road: function, psql, COPY, ORM, cascade.
 *
 * A table has at most three triggers of ours. before_row() completes the row itself. after_row() checks it, counts and
 * logs what happened, and lets what depends on it follow, in this order; it comes before the foreign keys' triggers, so
 * that our word is heard first. refuse_truncate() guards against the one change that no row trigger sees. What that is for
 * each table, its room has added to hooks.c.
 */
#include "postgres.h"

#include "utils/inval.h"

#include "base/hooks.h"
#include "base/modes.h"
#include "base/tables.h"
#include "base/trigger_call.h"
#include "base/value_rules.h"
#include "log/audit.h"
#include "stats/stat_history.h"

/* A row that comes, changes or goes, which the trigger was fired for; rows[] get what it is taken apart into. */
static RowChange
change_at_hand(TriggerData *trigdata, Row rows[2])
{
	Relation	rel = trigdata->tg_relation;
	RowChange	change = {.table = own_table(trigdata), .columns = PG_UINT64_MAX, .past_before = NO_PAST};
	const TableShape *shape = shape_of(rel, change.table);

	row_open(&rows[0], shape, RelationGetDescr(rel), trigdata->tg_trigtuple);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		change.new = &rows[0];
	else
		change.old = &rows[0];
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		row_open(&rows[1], shape, RelationGetDescr(rel), trigdata->tg_newtuple);
		change.new = &rows[1];
	}
	change.restoring = is_restored(change.new ? change.new : change.old);
	return change;
}

/*
 * Raise 23514 for an id that no sequence gives: 0 stands for none, in the log, the settings and the words. A CHECK would be
 * read anew for each statement, which this is not worth.
 */
static void
check_id(const RowChange *change)
{
	const TableShape *shape = change->new->shape;
	int64		id;

	if (!change->table->has_id || change->new->nulls[shape->id - 1])
		return;
	id = DatumGetInt64(change->new->values[shape->id - 1]);
	if (id < 1)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("id of %s.%s cannot be %lld", schema_of(change->table), change->table->name, (long long) id)));
}

PG_FUNCTION_INFO_V1(support_before_row);
Datum
support_before_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_protocol(fcinfo, "support_internal.before_row", TRIGGER_EVENT_BEFORE, true);
	HeapTuple	given = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	Row			rows[2];
	RowChange	change;

	if (modes.installing || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		(void) own_table(trigdata);
		return PointerGetDatum(given);
	}
	change = change_at_hand(trigdata, rows);
	if (change.old != NULL)
	{
		row_require(change.old);
		if (!change.restoring)
			leave_values(change.old, change.new);
		find_differences(&change);
	}
	else if (!change.restoring)
		fill_in_defaults(trigdata->tg_relation, change.new);
	if (!change.restoring)
		check_id(&change);
	apply_value_rules(&change);
	complete_row(&change);
	row_require_new(change.new);
	return PointerGetDatum(row_to_write(change.new, given));
}

/* Raise 55000 if a row of a ticket moves to another or changes its id: the log would not find what it was before. */
static void
check_stays(const RowChange *change)
{
	const TableShape *shape = change->new->shape;

	if (change->table->has_id && change->table->ticket_column != NULL &&
		(change->differs[shape->ticket_id - 1] || change->differs[shape->id - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("row %lld of support.%s stays with ticket %lld and keeps its id",
						(long long) DatumGetInt64(change->old->values[shape->id - 1]), change->table->name,
						(long long) DatumGetInt64(change->old->values[shape->ticket_id - 1]))));
}

/*
 * A ticket is inserted under the id of a removed one, whose status it has not: that one comes back, as before, and then
 * changes.
 */
static void
take_over_ticket(const RowChange *change, Row *before)
{
	RowChange	return_of_old = *change;
	RowChange	difference = {.table = change->table, .old = before, .new = change->new, .superseded = change->superseded};

	return_of_old.new = before;
	return_of_old.past_before = WHOLE_PAST;
	find_differences(&difference);
	count_change(&return_of_old);
	audit_insert(change->new);
	count_change(&difference);
	audit_update(&difference);
}

static void
after_insert(RowChange *change)
{
	bool		is_ticket = change->table == &tickets_table;
	Row			before;

	if (is_ticket && change->restoring)
		change->past_before = row_int64(change->new, TICKET_VERSION);
	audit_check(change);
	check_change(change);
	if (is_ticket && !change->restoring && takes_over_id(change->new, &before))
		take_over_ticket(change, &before);
	else
	{
		count_change(change);
		audit_insert(change->new);
	}
	follow_change(change);
}

static void
after_update(const RowChange *change)
{
	check_stays(change);
	audit_check(change);
	check_change(change);
	count_change(change);
	audit_update(change);
	follow_change(change);
}

static void
after_delete(const RowChange *change)
{
	count_change(change);
	audit_delete(change->old);
	follow_change(change);
}

PG_FUNCTION_INFO_V1(support_after_row);
Datum
support_after_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_protocol(fcinfo, "support_internal.after_row", TRIGGER_EVENT_AFTER, true);
	Row			rows[2];
	RowChange	change;

	if (modes.installing)
	{
		(void) own_table(trigdata);
		CacheInvalidateRelcache(trigdata->tg_relation);
		return PointerGetDatum(NULL);
	}
	change = change_at_hand(trigdata, rows);
	if (change.old != NULL)
		row_require(change.old);
	if (change.new != NULL)
		row_require(change.new);
	if (change.old != NULL && change.new != NULL)
		find_differences(&change);
	if (change.table->is_kept)
		CacheInvalidateRelcache(trigdata->tg_relation);

	if (change.old == NULL)
	{
		change.superseded = is_superseded(trigdata->tg_trigtuple);
		change.removed_again = is_removed_again(trigdata->tg_trigtuple);
		after_insert(&change);
	}
	else if (change.new != NULL)
	{
		change.superseded = is_superseded(trigdata->tg_newtuple);
		change.removed_again = is_removed_again(trigdata->tg_newtuple);
		after_update(&change);
	}
	else
		after_delete(&change);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(support_refuse_truncate);
Datum
support_refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_protocol(fcinfo, "support_internal.refuse_truncate", TRIGGER_EVENT_BEFORE, false);
	const DeskTable *table = table_named(trigdata);

	if (clock_table(table->name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("support.%s cannot be truncated: it tells what was promised and kept", table->name),
				 errhint("support.purge_deleted() takes out what was deleted.")));
	if (derived_table(table->name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("support.%s cannot be truncated: it follows from the tickets", table->name),
				 errhint("DELETE removes tickets, and with them what follows from them.")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s.%s cannot be truncated: the audit log would not see it", schema_of(table), table->name),
			 table == &log_table ?
			 errhint("The audit log is append-only.") :
			 errhint("DELETE removes rows and keeps them in the audit log.")));
}
