/*
 * sla_edit.c
 *		Making and changing policies.
 *
 * The rows of the two tables are the policy. What they say is written down as a version with each change, see
 * sla_policy.c, and before it, where plain SQL has changed them since the last one. Open clocks go on under the version
 * that they have until sla_reapply().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"
#include "sla/sla_policy.h"
#include "sla/sla_target.h"
#include "sla/sla_unclocked.h"

enum
{
	HOLDER_OF_NAME,
	INSERT_POLICY,
	UPDATE_POLICY,
	DELETE_TARGETS,
	INSERT_TARGETS
};

static Statement statements[] = {
	[HOLDER_OF_NAME] = {
		.text = "SELECT id FROM support.sla_policies WHERE name::text = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[INSERT_POLICY] = {
		.text = "INSERT INTO support.sla_policies (name, conditions, position) VALUES ($1, coalesce($2, '{}'), $3)"
		" RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {TEXTOID, JSONBOID, INT4OID}
	},
	[UPDATE_POLICY] = {
		.text = "UPDATE support.sla_policies SET name = coalesce($2, name), conditions = coalesce($3, conditions),"
		" position = coalesce($4, position), is_active = coalesce($5, is_active)"
		" WHERE id = $1",
		.nargs = 5, .argtypes = {INT8OID, TEXTOID, JSONBOID, INT4OID, BOOLOID}
	},
	[DELETE_TARGETS] = {
		.text = "DELETE FROM support.sla_targets WHERE policy_id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[INSERT_TARGETS] = {
		.text = "INSERT INTO support.sla_targets"
		" (policy_id, metric, priority, target, calendar_id, pause_categories, warn_percents)"
		" SELECT $1, t.metric, t.priority, t.target, t.calendar_id, t.pause_categories, t.warn_percents"
		" FROM " GIVEN_TARGETS_OF("$2") " AS t",
		.nargs = 2, .argtypes = {INT8OID, JSONBOID}
	}
};

static const UniqueValue name = {
	&statements[HOLDER_OF_NAME], "policy name", "policy", "sla_policies", "sla_policies_name_key"
};

/* Write the targets of a policy that has none. */
static void
write_targets(int64 policy_id, Jsonb *targets)
{
	Args		args = {0};

	check_targets(targets);
	arg_int64(&args, policy_id);
	arg(&args, JsonbPGetDatum(targets));
	run(&statements[INSERT_TARGETS], &args);
}

/* create_sla_policy(name, targets, conditions, at_position, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_create_sla_policy);
Datum
support_create_sla_policy(PG_FUNCTION_ARGS)
{
	Jsonb	   *targets = DatumGetJsonbP(required_argument(fcinfo, 1, "targets"));
	Args		args = {0};
	Call		call;
	int64		id;

	begin_call(&call, fcinfo, 4);
	check_free(&name, fcinfo, 0, 0);
	arg_passed(&args, fcinfo, 0);
	arg_passed(&args, fcinfo, 2);
	arg_passed(&args, fcinfo, 3);
	run(&statements[INSERT_POLICY], &args);
	id = result_int64(0, 1);
	write_targets(id, targets);
	(void) write_policy_and_calendars(id);
	tell_of_unclocked(id);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* update_sla_policy(policy_id, name, targets, conditions, at_position, is_active, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_update_sla_policy);
Datum
support_update_sla_policy(PG_FUNCTION_ARGS)
{
	int64		id = required_id(fcinfo, 0, "policy_id");
	static const int columns[] = {0, 1, 3, 4, 5};
	Args		policy = {0};
	Args		args = {0};
	Call		call;
	int32		version;

	begin_call(&call, fcinfo, 6);
	check_free(&name, fcinfo, 1, id);
	for (int i = 0; i < lengthof(columns); i++)
		arg_passed(&args, fcinfo, columns[i]);
	(void) write_policy_and_calendars(id);
	if (run(&statements[UPDATE_POLICY], &args) == 0)
		refuse_missing("policy", id);
	arg_int64(&policy, id);
	if (!PG_ARGISNULL(2))
	{
		run(&statements[DELETE_TARGETS], &policy);
		write_targets(id, PG_GETARG_JSONB_P(2));
	}
	version = write_policy_and_calendars(id);
	tell_of_unclocked(id);
	end_call(&call);
	PG_RETURN_INT32(version);
}
