/*
 * trigger.c
 *		What the desk's tables do on every road: function, psql, COPY, ORM, cascade.
 *
 * A table has at most three triggers of ours. before_row() completes and keeps the row itself. after_row() checks,
 * keeps the books of the row's ticket and writes the audit log, in this order; it comes before the foreign keys'
 * triggers, so that our word is heard first. refuse_truncate() guards against the one change that no row trigger sees.
 *
 * The argument is the table's logical name. Whatever columns it has, a relation that is not the desk's own is refused:
 * who may make tables must not write to the log by one that looks like ours. So is one that lacks the table's columns,
 * so that a trigger function reads nothing it does not know.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/layout.h"
#include "base/own_relation.h"
#include "base/settings.h"
#include "calendar/calendar_check.h"
#include "desk/reply.h"
#include "desk/search.h"
#include "desk/trigger.h"
#include "desk/workflow.h"
#include "log/audit.h"
#include "sla/sla_check.h"
#include "sla/sla_live.h"
#include "stats/stat_check.h"
#include "stats/stat_history.h"
#include "stats/stat_tag.h"
#include "stats/stat_writer.h"

enum
{
	USER_ID,
	USER_IS_ACTIVE,
	USER_ROLE,
	USER_DB_ROLE,
	USER_UPDATED_AT
};

static const DeskColumn user_columns[] = {
	[USER_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[USER_IS_ACTIVE] = {"is_active", COLUMN_BOOLEAN, NOT_NULL},
	[USER_ROLE] = {"role", COLUMN_TEXT, NOT_NULL},
	[USER_DB_ROLE] = {"db_role", COLUMN_TEXT},
	[USER_UPDATED_AT] = {"updated_at", COLUMN_TIME, FILLED_IN}
};

static const DeskTable users_table = {
	.name = "users", .has_id = true, .columns = user_columns, .ncolumns = lengthof(user_columns)
};

/* Tables without rules of their own. */
static const DeskTable plain_tables[] = {
	{.name = "organizations", .has_id = true},
	{.name = "teams", .has_id = true},
	{.name = "team_members"},
	{.name = "attachments", .ticket_column = "ticket_id", .has_id = true},
	{.name = "tags", .has_id = true},
	{.name = "ticket_watchers", .ticket_column = "ticket_id"}
};

/* Tables that sessions keep, see workflow.c. */
static const DeskTable rule_tables[] = {
	{.name = "status_transitions"},
	{.name = "priorities"}
};

/* Tables that the clocks write, and the log knows nothing of. */
static const DeskTable clock_tables[] = {
	{.name = "sla_clocks"},
	{.name = "sla_events"}
};

static RestoredRow restored_row;

/* From here to end_restoring(), which wants to know what was before, a statement of ours brings this row back. */
RestoredRow
begin_restoring(const DeskTable *table, int64 id)
{
	RestoredRow before = restored_row;

	restored_row = (RestoredRow) {
		table, id, trigger_depth() + 1
	};
	return before;
}

void
end_restoring(RestoredRow before)
{
	restored_row = before;
}

/* Is this the row that comes back at the moment? */
static bool
is_restored(const DeskTable *table, const Row *row)
{
	AttrNumber	id = row->shape->id;

	return table == restored_row.table &&
		(!AttributeNumberIsValid(id) || DatumGetInt64(row->values[id - 1]) == restored_row.id) &&
		trigger_depth() == restored_row.depth;
}

static bool
is_rule_table(const DeskTable *table)
{
	return table == &statuses_table || (table >= rule_tables && table < rule_tables + lengthof(rule_tables));
}

/* The table of this logical name, NULL if there is none. */
const DeskTable *
desk_table(const char *name)
{
	static const DeskTable *const ruled[] = {
		&tickets_table, &comments_table, &users_table, &ticket_tags_table, &statuses_table, &calendars_table,
		&calendar_hours_table, &calendar_holidays_table, &sla_policies_table, &sla_targets_table, &settings_table, &log_table
	};

	for (int i = 0; i < lengthof(ruled); i++)
		if (strcmp(ruled[i]->name, name) == 0)
			return ruled[i];
	for (int i = 0; i < lengthof(plain_tables); i++)
		if (strcmp(plain_tables[i].name, name) == 0)
			return &plain_tables[i];
	for (int i = 0; i < lengthof(rule_tables); i++)
		if (strcmp(rule_tables[i].name, name) == 0)
			return &rule_tables[i];
	return NULL;
}

/* The schema that a table is made in. */
const char *
schema_of(const DeskTable *table)
{
	return table->is_internal ? "support_internal" : "support";
}

/* The table of the clocks of this logical name, NULL if it is none. */
static const DeskTable *
clock_table(const char *name)
{
	for (int i = 0; i < lengthof(clock_tables); i++)
		if (strcmp(clock_tables[i].name, name) == 0)
			return &clock_tables[i];
	return NULL;
}

/* Raise 39P01 unless the server calls us as the trigger that we are. */
TriggerData *
check_protocol(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing, bool per_row)
{
	TriggerData *trigdata;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a trigger", function)));
	trigdata = (TriggerData *) fcinfo->context;
	if ((trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired %s the event", function,
						timing == TRIGGER_EVENT_BEFORE ? "before" : "after")));
	if ((TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) != 0) != per_row)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired for each %s", function, per_row ? "row" : "statement")));
	return trigdata;
}

/* The table that the trigger's argument names. Raises 39P01 if it names none. */
static const DeskTable *
table_named(TriggerData *trigdata)
{
	const DeskTable *table = NULL;

	if (trigdata->tg_trigger->tgnargs == 1)
		table = desk_table(trigdata->tg_trigger->tgargs[0]);
	if (table == NULL && trigdata->tg_trigger->tgnargs == 1)
		table = clock_table(trigdata->tg_trigger->tgargs[0]);
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on table \"%s\" does not name a table of the desk",
						trigdata->tg_trigger->tgname, RelationGetRelationName(trigdata->tg_relation)),
				 errhint("Its one argument is the table's logical name, such as tickets.")));
	return table;
}

/*
 * The table that the trigger's argument names, and that its relation is. Raises 39P01 if it is another, and 55000 if the
 * desk has another layout than this code works on.
 */
const DeskTable *
own_table(TriggerData *trigdata)
{
	const DeskTable *table = table_named(trigdata);

	if (!is_own_relation(trigdata->tg_relation, table))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on table \"%s\" serves the desk's %s, which that table is not",
						trigdata->tg_trigger->tgname, RelationGetRelationName(trigdata->tg_relation), table->name),
				 errhint("The desk's triggers work on its own tables and their partitions alone.")));
	check_layout();
	return table;
}

/* Compute a column's default. */
static Datum
default_of(Relation rel, AttrNumber attnum, bool *isnull)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Expr	   *expr = (Expr *) build_column_default(rel, attnum);
	EState	   *estate;
	Datum		value;
	MemoryContext caller = CurrentMemoryContext;

	*isnull = true;
	if (expr == NULL)
		return (Datum) 0;
	estate = CreateExecutorState();
	value = ExecEvalExprSwitchContext(ExecPrepareExpr(expr, estate), GetPerTupleExprContext(estate), isnull);
	if (!*isnull)
	{
		MemoryContextSwitchTo(caller);
		value = datumCopy(value, att->attbyval, att->attlen);
	}
	FreeExecutorState(estate);
	return value;
}

/*
 * Give the default to columns that must have a value but were sent as NULL, as mappers do with what the application
 * left out. Returns true if any was.
 */
bool
fill_in_defaults(Relation rel, Row *row)
{
	bool		filled = false;

	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (!row->nulls[i] || !(att->attnotnull || row->shape->required[i]) || att->attisdropped ||
			att->attgenerated || !(att->atthasdef || att->attidentity))
			continue;
		row->values[i] = default_of(rel, i + 1, &row->nulls[i]);
		filled = true;
	}
	return filled;
}

/* The tuple with the row's values, allocated where the caller of the trigger expects it. Generated columns come later. */
HeapTuple
tuple_of(const Row *row, HeapTuple original)
{
	HeapTuple	tuple = heap_form_tuple(row->desc, row->values, row->nulls);

	tuple->t_data->t_ctid = original->t_data->t_ctid;
	tuple->t_self = original->t_self;
	tuple->t_tableOid = original->t_tableOid;
	return tuple;
}

static HeapTuple
before_insert(TriggerData *trigdata, const DeskTable *table)
{
	Relation	rel = trigdata->tg_relation;
	const TableShape *shape = shape_of(rel, table);
	bool		restoring;
	bool		changed;
	Row			row;

	row_open(&row, shape, RelationGetDescr(rel), trigdata->tg_trigtuple);
	restoring = is_restored(table, &row);
	changed = !restoring && fill_in_defaults(rel, &row);
	if (table == &tickets_table)
	{
		if (!restoring)
			ticket_before_insert(&row);
		keep_ticket_words(NULL, &row);
		changed = true;
	}
	else if (table == &comments_table)
	{
		if (!restoring)
			comment_before_insert(&row);
		keep_comment_words(NULL, &row);
		changed = true;
	}
	else if (is_calendar_table(table))
		check_calendar_row(table, &row);
	else if (is_policy_table(table))
		changed |= complete_policy_row(table, NULL, &row);
	else if (table == &settings_table)
		check_setting_row(&row);
	row_require_new(&row);
	return changed ? tuple_of(&row, trigdata->tg_trigtuple) : trigdata->tg_trigtuple;
}

/* Keep a user's updated_at, which moves if another column does; a change of standing waits for assignments. */
static void
user_before_update(const Row *old, Row *new)
{
	AttrNumber	updated_at = new->shape->columns[USER_UPDATED_AT];
	bool		changed = false;

	for (int i = 0; i < new->shape->natts && !changed; i++)
		changed = new->shape->kinds[i] != IMAGE_NONE && i + 1 != updated_at && row_differs(old, new, i);
	row_set(new, USER_UPDATED_AT,
			changed ? TimestampTzGetDatum(desk_now()) : old->values[updated_at - 1]);
	if (row_column_differs(old, new, USER_IS_ACTIVE) || row_column_differs(old, new, USER_ROLE))
		settle_assignments(row_int64(old, USER_ID));
}

static HeapTuple
before_update(TriggerData *trigdata, const DeskTable *table)
{
	Relation	rel = trigdata->tg_relation;
	const TableShape *shape = shape_of(rel, table);
	Row			old;
	Row			new;

	row_open(&old, shape, RelationGetDescr(rel), trigdata->tg_trigtuple);
	row_open(&new, shape, RelationGetDescr(rel), trigdata->tg_newtuple);
	row_require(&old);
	if (table == &tickets_table)
	{
		if (is_restored(table, &new))
			ticket_before_restoring_update(&old, &new);
		else
			ticket_before_update(&old, &new);
		keep_ticket_words(&old, &new);
	}
	else if (table == &comments_table)
	{
		if (!is_restored(table, &new))
			comment_before_update(&old, &new);
		keep_comment_words(&old, &new);
	}
	else if (table == &users_table)
		user_before_update(&old, &new);
	else if (is_calendar_table(table))
		check_calendar_row(table, &new);
	else if (is_policy_table(table))
		(void) complete_policy_row(table, &old, &new);
	else if (table == &settings_table)
		check_setting_row(&new);
	row_require_new(&new);
	return tuple_of(&new, trigdata->tg_newtuple);
}

PG_FUNCTION_INFO_V1(support_before_row);
Datum
support_before_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_protocol(fcinfo, "support_internal.before_row", TRIGGER_EVENT_BEFORE, true);
	const DeskTable *table = own_table(trigdata);

	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		return PointerGetDatum(trigdata->tg_trigtuple);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return PointerGetDatum(installing ? trigdata->tg_newtuple : before_update(trigdata, table));
	return PointerGetDatum(installing ? trigdata->tg_trigtuple : before_insert(trigdata, table));
}

/* Does a change of a user (NULL for the row that is not) touch what sessions keep: roles, and who a db_role is? */
static bool
concerns_sessions(const Row *old, const Row *new)
{
	if (old == NULL)
		return !row_is_null(new, USER_DB_ROLE);
	return new == NULL || row_column_differs(old, new, USER_ROLE) || row_column_differs(old, new, USER_DB_ROLE);
}

/* Tell other sessions of a change to what they keep. */
static void
tell_sessions(Relation rel, const DeskTable *table, const Row *old, const Row *new)
{
	if (is_rule_table(table) || is_calendar_table(table) || is_policy_table(table) ||
		(table == &users_table && concerns_sessions(old, new)))
		CacheInvalidateRelcache(rel);
}

/* The ticket that a row is of. */
static int64
ticket_of(const Row *row)
{
	return DatumGetInt64(row->values[row->shape->ticket_id - 1]);
}

/* Let reports and clocks follow what is not a ticket or comment, or refuse it. One of the rows is NULL where it comes or goes. */
static void
recount(const DeskTable *table, const Row *old, const Row *new)
{
	if (table == &ticket_tags_table)
	{
		count_tag_change(old, new);
		if (old != NULL)
			sla_tags_changed(ticket_of(old));
		if (new != NULL && (old == NULL || ticket_of(old) != ticket_of(new)))
			sla_tags_changed(ticket_of(new));
	}
	else if (table == &statuses_table)
		recount_status(old, new);
	else if (is_policy_table(table))
		policy_row_changed(table, old, new);
	else if (table == &calendars_table && new == NULL)
		check_calendar_unused(DatumGetInt64(old->values[old->shape->id - 1]));
}

/* Check what can only be told of a row beside others. */
static void
check_among_others(const DeskTable *table, const Row *row)
{
	if (is_calendar_table(table))
		check_calendar_overlaps(table, row);
	else if (is_policy_table(table))
		check_policy_row(table, row);
}

/* A ticket is inserted: as a new one, restored, or under the id of one that was removed. It may have changed since. */
static void
after_insert_of_ticket(const Row *row, bool restoring, bool superseded)
{
	Row			before;
	bool		takes_over = !restoring && takes_over_id(row, &before);

	if (!restoring)
		ticket_check(NULL, row);
	if (restoring)
		count_inserted_again(row, row_int64(row, TICKET_VERSION));
	else if (takes_over)
		count_inserted_again(&before, WHOLE_PAST);
	else
		count_new_ticket(row);
	audit_insert(row);
	if (takes_over)
	{
		count_ticket_change(&before, row, superseded);
		audit_update(&before, row);
	}
	sla_new_ticket(row, restoring);
}

static void
after_insert(const DeskTable *table, const Row *row, bool superseded)
{
	check_among_others(table, row);
	if (table == &tickets_table)
		after_insert_of_ticket(row, is_restored(table, row), superseded);
	else
		audit_insert(row);
	if (table != &comments_table)
		recount(table, NULL, row);
	else if (is_restored(table, row))
		comment_recounted(NULL, row);
	else
		comment_inserted(row);
}

/* Raise 55000 if a row of a ticket moves to another or changes its id: the log would not find what it was before. */
static void
check_stays(const DeskTable *table, const Row *old, const Row *new)
{
	const TableShape *shape = new->shape;

	if (row_differs(old, new, shape->ticket_id - 1) || row_differs(old, new, shape->id - 1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("row %lld of support.%s stays with ticket %lld and keeps its id",
						(long long) DatumGetInt64(old->values[shape->id - 1]), table->name,
						(long long) DatumGetInt64(old->values[shape->ticket_id - 1]))));
}

static void
after_update(const DeskTable *table, const Row *old, const Row *new, bool superseded)
{
	if (table->has_id && table->ticket_column != NULL)
		check_stays(table, old, new);
	if (table == &tickets_table)
	{
		ticket_check(old, new);
		count_ticket_change(old, new, superseded);
	}
	check_among_others(table, new);
	audit_update(old, new);
	if (table == &tickets_table)
		sla_ticket_changed(old, new, superseded);
	if (table != &comments_table)
		recount(table, old, new);
	else if (is_restored(table, new))
		comment_recounted(old, new);
	else
		comment_updated(old, new);
}

static void
after_delete(const DeskTable *table, const Row *row)
{
	/* the log is read for it, and must not have this change yet */
	if (table == &tickets_table)
		count_removed_ticket(row);
	audit_delete(row);
	if (table == &tickets_table)
		sla_ticket_removed(row);
	if (table != &comments_table)
		recount(table, row, NULL);
	else if (is_restored(table, row))
		comment_recounted(row, NULL);
	else
		comment_removed(row);
}

/* Has the row that a trigger was fired for changed again meanwhile, by a trigger that came before? */
static bool
is_superseded(HeapTuple tuple)
{
	return !ItemPointerEquals(&tuple->t_self, &tuple->t_data->t_ctid);
}

PG_FUNCTION_INFO_V1(support_after_row);
Datum
support_after_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_protocol(fcinfo, "support_internal.after_row", TRIGGER_EVENT_AFTER, true);
	const DeskTable *table = own_table(trigdata);
	Relation	rel = trigdata->tg_relation;
	const TableShape *shape;
	Row			row;
	Row			new;

	if (installing)
	{
		CacheInvalidateRelcache(rel);
		return PointerGetDatum(NULL);
	}
	shape = shape_of(rel, table);
	row_open(&row, shape, RelationGetDescr(rel), trigdata->tg_trigtuple);
	row_require(&row);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		row_open(&new, shape, RelationGetDescr(rel), trigdata->tg_newtuple);
		row_require(&new);
		tell_sessions(rel, table, &row, &new);
		after_update(table, &row, &new, is_superseded(trigdata->tg_newtuple));
	}
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		tell_sessions(rel, table, NULL, &row);
		after_insert(table, &row, is_superseded(trigdata->tg_trigtuple));
	}
	else
	{
		tell_sessions(rel, table, &row, NULL);
		after_delete(table, &row);
	}
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
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s.%s cannot be truncated: the audit log would not see it", schema_of(table), table->name),
			 table == &log_table ?
			 errhint("The audit log is append-only.") :
			 errhint("DELETE removes rows and keeps them in the audit log.")));
}
