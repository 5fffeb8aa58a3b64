/*
 * sla_policy.c
 *		Policies, as the session keeps them.
 *
 * Each change of a ticket may ask what it is promised, so the active policies are kept for the session with their
 * conditions and targets. They are read by a snapshot of that moment, so that whatever is committed later announces
 * itself later.
 *
 * The functions that make and change policies write down what these say, and what the calendars of their targets say,
 * unless the last version says it. Reading policies does the same, for what plain SQL has changed: clocks refer to versions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/json.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "calendar/calendar_version.h"
#include "sla/sla_condition.h"
#include "sla/sla_names.h"
#include "sla/sla_policy.h"
#include "sla/sla_target.h"

enum
{
	ANY_POLICY,
	ACTIVE_POLICIES,
	TARGETS,
	WRITE_VERSION,
	LAST_VERSION,
	CALENDARS,
	GIVEN_TARGETS
};

/* The columns of a target that read_promise() reads. */
#define TARGET_COLUMNS \
	"t.metric, t.priority, t.target, t.calendar_id, t.pause_categories," \
	" ARRAY(SELECT DISTINCT w FROM unnest(t.warn_percents) AS w ORDER BY w)"

static Statement statements[] = {
	[ANY_POLICY] = {
		.text = "SELECT 1 FROM support.sla_policies LIMIT 1",
		.columns = {{INT4OID, NOT_NULL}},
		.as_owner_of = PUBLIC_TABLE("sla_policies")
	},
	[ACTIVE_POLICIES] = {
		.text = "SELECT id, conditions FROM support.sla_policies WHERE is_active ORDER BY position, id",
		.columns = {{INT8OID, NOT_NULL}, {JSONBOID, NOT_NULL}},
		.as_owner_of = PUBLIC_TABLE("sla_policies")
	},
	[TARGETS] = {
		.text = "SELECT " TARGET_COLUMNS " FROM support.sla_targets AS t WHERE t.policy_id = $1",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID}, {INTERVALOID, NOT_NULL}, {INT8OID}, {TEXTARRAYOID, NOT_NULL},
		{INT4ARRAYOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_targets")
	},
	[WRITE_VERSION] = {
		.text = "INSERT INTO support_internal.sla_policy_versions (policy_id, version, definition, created_at)"
		" SELECT $1, coalesce(last.version, 0) + 1, current.definition, support.desk_now()"
		" FROM (SELECT jsonb_build_object("
		"   'conditions', p.conditions,"
		"   'targets', (SELECT coalesce(jsonb_agg(jsonb_build_object("
		"       'metric', t.metric, 'priority', t.priority,"
		"       'target', CASE WHEN extract(day FROM t.target) = 0 THEN to_jsonb(trim_scale(extract(epoch FROM t.target)))"
		"         ELSE to_jsonb(extract(day FROM t.target)::text || ' days') END,"
		"       'calendar_id', t.calendar_id, 'pause', t.pause_categories, 'warn', t.warn_percents)"
		"       ORDER BY t.metric, t.priority), '[]')"
		"     FROM support.sla_targets AS t WHERE t.policy_id = p.id))"
		"   FROM support.sla_policies AS p WHERE p.id = $1) AS current (definition)"
		" LEFT JOIN LATERAL (SELECT v.version, v.definition FROM support_internal.sla_policy_versions AS v"
		"   WHERE v.policy_id = $1 ORDER BY v.version DESC LIMIT 1) AS last ON true"
		" WHERE last.version IS NULL OR last.definition <> current.definition"
		" ON CONFLICT DO NOTHING",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("sla_policy_versions")
	},
	[LAST_VERSION] = {
		.text = "SELECT max(version) FROM support_internal.sla_policy_versions"
		" WHERE policy_id = $1",
		.columns = {{INT4OID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("sla_policy_versions")
	},
	[CALENDARS] = {
		.text = "SELECT DISTINCT calendar_id FROM support.sla_targets"
		" WHERE policy_id = $1 AND calendar_id IS NOT NULL ORDER BY calendar_id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_targets")
	},
	[GIVEN_TARGETS] = {
		.text = "SELECT " TARGET_COLUMNS " FROM " GIVEN_TARGETS_OF("$1") " AS t",
		.columns = {{TEXTOID}, {TEXTOID}, {INTERVALOID}, {INT8OID}, {TEXTARRAYOID}, {INT4ARRAYOID, NOT_NULL}},
		.nargs = 1, .argtypes = {JSONBOID}
	}
};

/* A target, for a priority or (NULL) for those that have none of their own. */
typedef struct PolicyTarget
{
	char	   *priority;
	Promise		promise;
} PolicyTarget;

struct Policy
{
	int64		id;
	int32		version;
	Jsonb	   *given;			/* the conditions as they were given; taken apart: */
	List	   *conditions;		/* all of these must be met */
	List	   *targets;
};

typedef struct Policies
{
	bool		valid;
	bool		any;			/* there are some, active or not */
	bool		read_tags;
	List	   *active;			/* in the order in which they are tried */
	MemoryContext context;		/* owns them */
} Policies;

static Policies policies;
static SessionCache cache;

void
sla_policy_init(void)
{
	add_session_cache(&cache);
}

/* A target of the last run, in the current context. The calendar's version is yet to be set. */
static PolicyTarget *
read_target(uint64 row)
{
	PolicyTarget *target = palloc0(sizeof(PolicyTarget));
	Promise    *promise = &target->promise;
	ArrayType  *warns = DatumGetArrayTypePCopy(result(row, 6));

	promise->metric = check_target(result_text(row, 1), result_is_null(row, 3) ? NULL : DatumGetIntervalP(result(row, 3)),
								   !result_is_null(row, 4),
								   result_is_null(row, 5) ? NULL : DatumGetArrayTypeP(result(row, 5)), warns);
	target->priority = result_is_null(row, 2) ? NULL : pstrdup(result_text(row, 2));
	promise->target = DatumGetIntervalP(result(row, 3))->time;
	promise->target_days = DatumGetIntervalP(result(row, 3))->day;
	promise->calendar_id = result_is_null(row, 4) ? NO_CALENDAR : result_int64(row, 4);
	promise->pauses = result_is_null(row, 5) ? usual_pauses(promise->metric) :
		categories_in(DatumGetArrayTypeP(result(row, 5)));
	promise->nwarns = ArrayGetNItems(ARR_NDIM(warns), ARR_DIMS(warns));
	promise->warns = (const int32 *) ARR_DATA_PTR(warns);
	return target;
}

/* The targets that a statement finds. */
static List *
read_targets(Statement *statement, const Args *args)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *targets = NIL;
	uint64		n = run_latest(statement, args);

	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
		targets = lappend(targets, read_target(i));
	return targets;
}

/* A member of an object, copied; NULL if it has none. */
static Jsonb *
part_of(Jsonb *object, const char *name)
{
	JsonbValue	buffer;
	JsonbValue *value = json_member(&object->root, name, &buffer);

	return value == NULL ? NULL : JsonbValueToJsonb(value);
}

/*
 * The policy that a definition tells: an object of conditions, which may be left out, and targets, as
 * create_sla_policy() takes them. It lives in the current context. Raises 22023 and 23514. Needs an SPI level.
 */
Policy *
policy_from(Jsonb *definition)
{
	Policy	   *policy = palloc0(sizeof(Policy));
	Args		args = {0};
	Jsonb	   *targets;

	if (!JB_ROOT_IS_OBJECT(definition))
		refuse_targets("a policy must be an object with conditions and targets");
	policy->given = part_of(definition, "conditions");
	if (policy->given != NULL)
		policy->conditions = read_conditions(policy->given);
	targets = part_of(definition, "targets");
	if (targets == NULL)
		refuse_targets("a policy needs targets");
	check_targets(targets);
	arg(&args, JsonbPGetDatum(targets));
	policy->targets = read_targets(&statements[GIVEN_TARGETS], &args);
	return policy;
}

/* Write down what a policy says, unless the last version says it. Returns the number. Needs an SPI level. */
static int32
write_policy_version(int64 policy_id)
{
	Args		args = {0};

	arg_int64(&args, policy_id);
	/* where another session was faster, it may have written what it alone saw */
	if (run_latest(&statements[WRITE_VERSION], &args) == 0)
		(void) run_latest(&statements[WRITE_VERSION], &args);
	run_latest(&statements[LAST_VERSION], &args);
	return DatumGetInt32(result(0, 1));
}

/*
 * Write down what a policy says and what the calendars of its targets say, as far as the last versions do not. Returns the
 * policy's number. Needs an SPI level.
 */
int32
write_policy_and_calendars(int64 policy_id)
{
	Args		args = {0};
	uint64		n;
	int64	   *calendars;

	arg_int64(&args, policy_id);
	n = run_latest(&statements[CALENDARS], &args);
	calendars = palloc(n * sizeof(int64));
	for (uint64 i = 0; i < n; i++)
		calendars[i] = result_int64(i, 1);
	for (uint64 i = 0; i < n; i++)
		(void) write_calendar_version(calendars[i]);
	return write_policy_version(policy_id);
}

/* Read the targets of a policy, and write down what it and its calendars say. */
static void
complete_policy(Policy *policy)
{
	MemoryContext context = CurrentMemoryContext;
	Args		args = {0};
	ListCell   *cell;

	arg_int64(&args, policy->id);
	policy->targets = read_targets(&statements[TARGETS], &args);
	policy->version = write_policy_version(policy->id);
	foreach(cell, policy->targets)
	{
		Promise    *promise = &((PolicyTarget *) lfirst(cell))->promise;

		promise->policy_id = policy->id;
		promise->policy_version = policy->version;
		if (promise->calendar_id != NO_CALENDAR)
			promise->calendar_version = write_calendar_version(promise->calendar_id);
	}
	MemoryContextSwitchTo(context);
}

/* Read the active policies into their context. */
static void
load_active(void)
{
	uint64		n = run_latest(&statements[ACTIVE_POLICIES], NULL);
	ListCell   *cell;

	MemoryContextSwitchTo(policies.context);
	for (uint64 i = 0; i < n; i++)
	{
		Policy	   *policy = palloc0(sizeof(Policy));

		policy->id = result_int64(i, 1);
		policy->given = DatumGetJsonbPCopy(result(i, 2));
		policies.active = lappend(policies.active, policy);
	}
	foreach(cell, policies.active)
	{
		Policy	   *policy = lfirst(cell);

		policy->conditions = read_conditions(policy->given);
		complete_policy(policy);
		policies.read_tags |= conditions_read_tags(policy->conditions);
	}
}

static void
note_relations(void)
{
	static const char *const names[] = {
		"sla_policies", "sla_targets", "calendars", "calendar_hours", "calendar_holidays"
	};

	for (int i = 0; i < lengthof(names); i++)
		cache.tables[i] = desk_relation("support", names[i]);
}

/* Read the policies. A change that arrives meanwhile has them read again at the next look. */
static void
load_policies(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (policies.context == NULL)
		policies.context = AllocSetContextCreate(CacheMemoryContext, "support_ext policies", ALLOCSET_SMALL_SIZES);
	policies.valid = false;
	policies.active = NIL;
	policies.read_tags = false;
	MemoryContextReset(policies.context);
	note_relations();
	cache.stale = false;
	note_reading(&cache);

	SPI_connect();
	policies.any = run_latest(&statements[ANY_POLICY], NULL) > 0;
	if (policies.any)
		load_active();
	SPI_finish();
	MemoryContextSwitchTo(caller);
	policies.valid = true;
}

static void
know_policies(void)
{
	if (!policies.valid || cache.stale)
		load_policies();
}

/* Is there a policy, active or not? Without one there are no clocks. */
bool
policies_exist(void)
{
	know_policies();
	return policies.any;
}

/* Does any active policy depend on tags? */
bool
policies_read_tags(void)
{
	know_policies();
	return policies.read_tags;
}

/* Does the ticket meet all conditions? */
bool
policy_matches(const Policy *policy, SlaTicket *ticket)
{
	return meets_conditions(policy->conditions, ticket);
}

/* The policy that a ticket has, NULL if none. It lives until policies are asked for again. */
const Policy *
match_policy(SlaTicket *ticket)
{
	ListCell   *cell;

	know_policies();
	foreach(cell, policies.active)
		if (policy_matches(lfirst(cell), ticket))
			return lfirst(cell);
	return NULL;
}

int64
policy_number(const Policy *policy)
{
	return policy->id;
}

/* What a policy promises tickets of a priority for a metric, NULL if nothing. */
const Promise *
promise_of(const Policy *policy, SlaMetric metric, const char *priority)
{
	const Promise *any = NULL;
	ListCell   *cell;

	foreach(cell, policy->targets)
	{
		const PolicyTarget *target = lfirst(cell);

		if (target->promise.metric != metric)
			continue;
		if (target->priority == NULL)
			any = &target->promise;
		else if (strcmp(target->priority, priority) == 0)
			return &target->promise;
	}
	return any;
}
