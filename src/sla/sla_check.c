/*
 * sla_check.c
 *		What the rows of policies and targets must keep to, on every road.
 *
 * A row is completed and checked before it is written, ahead of the table's own constraints, to say more than they do.
 * What it refers to is looked for afterwards, ahead of the foreign keys. What targets and clocks refer to cannot be
 * deleted: the clocks could not be explained without it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/errors.h"
#include "base/hooks.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "base/tables.h"
#include "sla/sla_check.h"
#include "sla/sla_condition.h"
#include "sla/sla_names.h"
#include "sla/sla_reapply.h"
#include "sla/sla_target.h"

enum
{
	NEXT_POSITION,
	SAME_TARGET,
	FIND_POLICY,
	FIND_CALENDAR,
	TARGET_OF_CALENDAR,
	CLOCK_OF_CALENDAR,
	CLOCK_OF_POLICY
};

static Statement statements[] = {
	[NEXT_POSITION] = {
		.text = "SELECT LEAST(coalesce(max(position), 0), 2147483646) + 1"
		" FROM support.sla_policies",
		.columns = {{INT4OID, NOT_NULL}},
		.as_owner_of = PUBLIC_TABLE("sla_policies")
	},
	[SAME_TARGET] = {
		.text = "SELECT id FROM support.sla_targets"
		" WHERE policy_id = $1 AND metric = $2"
		" AND coalesce(priority = $3, priority IS NULL AND $3 IS NULL)"
		" AND id <> $4",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 4, .argtypes = {INT8OID, TEXTOID, TEXTOID, INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_targets")
	},
	[FIND_POLICY] = {
		.text = "SELECT 1 FROM support.sla_policies WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_policies")
	},
	[FIND_CALENDAR] = {
		.text = "SELECT 1 FROM support.calendars WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("calendars")
	},
	[TARGET_OF_CALENDAR] = {
		.text = "SELECT p.name, t.metric FROM support.sla_targets AS t"
		" JOIN support.sla_policies AS p ON p.id = t.policy_id"
		" WHERE t.calendar_id = $1 ORDER BY p.position, p.id, t.id LIMIT 1",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_targets")
	},
	/* a clock that goes by another one by now has an event that tells of this one */
	[CLOCK_OF_CALENDAR] = {
		.text = "SELECT c.ticket_id"
		" FROM (SELECT ticket_id, calendar_id FROM support.sla_clocks"
		"   UNION ALL SELECT ticket_id, calendar_id FROM support.sla_events) AS c"
		" WHERE c.calendar_id = $1 LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_clocks")
	},
	[CLOCK_OF_POLICY] = {
		.text = "SELECT c.ticket_id"
		" FROM (SELECT ticket_id, policy_id FROM support.sla_clocks"
		"   UNION ALL SELECT ticket_id, policy_id FROM support.sla_events) AS c"
		" WHERE c.policy_id = $1 LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_clocks")
	}
};

static ArrayType *
row_array(const Row *row, int column)
{
	return row_is_null(row, column) ? NULL : DatumGetArrayTypeP(row_datum(row, column));
}

/* Raise 23505 if the policy has another target for the same. */
static void
check_single(const Row *row)
{
	char	   *priority = row_text(row, TARGET_PRIORITY);
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, row_int64(row, TARGET_POLICY_ID));
	arg_text(&args, row_text(row, TARGET_METRIC));
	arg_text(&args, priority);
	arg_int64(&args, row_int64(row, TARGET_ID));
	if (run(&statements[SAME_TARGET], &args) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("policy %lld has two targets of %s for %s", (long long) row_int64(row, TARGET_POLICY_ID),
						row_text(row, TARGET_METRIC),
						priority ? psprintf("priority \"%s\"", priority) : "any priority"),
				 err_constraint("sla_targets", "sla_targets_metric_priority_key")));
	SPI_finish();
}

/*
 * Complete a target before it is written, and raise an error for one that means nothing: give it the pauses that its metric
 * has unless it says which. One that is there keeps its own as long as it keeps its metric.
 */
static void
complete_target(RowChange *change)
{
	Row		   *new = change->new;
	SlaMetric	metric;

	if (row_is_null(new, TARGET_METRIC))
		return;
	if (change->old != NULL && row_is_null(new, TARGET_PAUSE_CATEGORIES) && !changes(change, TARGET_METRIC))
		take_over(change, TARGET_PAUSE_CATEGORIES);
	metric = check_target(row_text(new, TARGET_METRIC),
						  row_is_null(new, TARGET_TARGET) ? NULL : DatumGetIntervalP(row_datum(new, TARGET_TARGET)),
						  !row_is_null(new, TARGET_CALENDAR_ID),
						  row_array(new, TARGET_PAUSE_CATEGORIES), row_array(new, TARGET_WARN_PERCENTS));
	if (row_is_null(new, TARGET_PAUSE_CATEGORIES))
		row_set(new, TARGET_PAUSE_CATEGORIES, PointerGetDatum(categories_array(usual_pauses(metric))));
	if (!row_is_null(new, TARGET_POLICY_ID) &&
		(changes(change, TARGET_POLICY_ID) || changes(change, TARGET_METRIC) || changes(change, TARGET_PRIORITY)))
		check_single(new);
}

/* The same of a policy: a new one comes after all others unless it says where. */
static void
complete_policy(RowChange *change)
{
	Row		   *new = change->new;

	SPI_connect();
	if (change->old == NULL && row_is_null(new, POLICY_POSITION))
	{
		run(&statements[NEXT_POSITION], NULL);
		row_set(new, POLICY_POSITION, result(0, 1));
	}
	if (!row_is_null(new, POLICY_CONDITIONS) && changes(change, POLICY_CONDITIONS))
		(void) read_conditions(DatumGetJsonbP(row_datum(new, POLICY_CONDITIONS)));
	SPI_finish();
}

/* Raise 23503 if a target refers to a row of another table that is not there. */
static void
check_reference(const Row *row, int column, int statement, const char *what, const char *constraint)
{
	Args		args = {0};

	if (row_is_null(row, column))
		return;
	arg_int64(&args, row_int64(row, column));
	if (run(&statements[statement], &args) == 0)
		refuse_unknown_reference(what, row_int64(row, column), "sla_targets", constraint);
}

/* Check what a target that was written refers to, ahead of the foreign keys. */
static void
check_references(const RowChange *change)
{
	const Row  *row = change->new;

	if (!row_is_null(row, TARGET_PRIORITY))
		check_priority(row_text(row, TARGET_PRIORITY), "sla_targets");
	SPI_connect();
	check_reference(row, TARGET_POLICY_ID, FIND_POLICY, "policy", "sla_targets_policy_id_fkey");
	check_reference(row, TARGET_CALENDAR_ID, FIND_CALENDAR, "calendar", "sla_targets_calendar_id_fkey");
	SPI_finish();
}

/* Raise 23503 if clocks refer to a policy that is deleted. */
static void
check_policy_unused(const Row *row)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, row_int64(row, POLICY_ID));
	if (run(&statements[CLOCK_OF_POLICY], &args) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("policy \"%s\" is in use", row_text(row, POLICY_NAME)),
				 errdetail("Ticket %lld has or had a clock of it.", (long long) result_int64(0, 1)),
				 errhint("support.update_sla_policy(%lld, is_active => false) ends it.",
						 (long long) row_int64(row, POLICY_ID)),
				 err_constraint("sla_clocks", "sla_clocks_policy_id_fkey")));
	SPI_finish();
}

/* A policy has changed or gone, and sessions know of it. */
static void
follow_policy(const RowChange *change)
{
	if (change->old == NULL)
		return;
	if (change->new == NULL)
		check_policy_unused(change->old);
	else if (row_bool(change->old, POLICY_IS_ACTIVE) && !row_bool(change->new, POLICY_IS_ACTIVE))
		cancel_clocks_of_policy(row_int64(change->new, POLICY_ID));
}

/* Raise 23503: a calendar that was deleted is in use. */
pg_noreturn static void
refuse_used_calendar(int64 calendar_id, const char *use, const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("calendar %lld is in use", (long long) calendar_id),
			 errdetail("%s", use),
			 errhint("support.update_calendar() changes it."),
			 err_constraint(table, psprintf("%s_calendar_id_fkey", table))));
}

/* Raise 23503 if a calendar that was deleted measures something, or did. */
static void
check_calendar_unused(const RowChange *change)
{
	int64		calendar_id;
	Args		args = {0};

	if (change->new != NULL)
		return;
	calendar_id = DatumGetInt64(change->old->values[change->old->shape->id - 1]);
	SPI_connect();
	arg_int64(&args, calendar_id);
	if (run(&statements[TARGET_OF_CALENDAR], &args) > 0)
		refuse_used_calendar(calendar_id, psprintf("Policy \"%s\" measures %s by it.",
												   result_text(0, 1), result_text(0, 2)), "sla_targets");
	if (run(&statements[CLOCK_OF_CALENDAR], &args) > 0)
		refuse_used_calendar(calendar_id, psprintf("Ticket %lld has a clock that runs by it, or did.",
												   (long long) result_int64(0, 1)), "sla_clocks");
	SPI_finish();
}

void
sla_check_init(void)
{
	static RowHooks hooks[] = {
		{.table = &sla_policies_table, .complete = complete_policy, .follow = follow_policy},
		{.table = &sla_targets_table, .complete = complete_target, .check = check_references},
		{.table = &calendars_table, .follow = check_calendar_unused}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
