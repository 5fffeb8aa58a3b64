/*
 * ticket_rules.c
 *		How long solved and closed tickets are kept, and what becomes of them then.
 *
 * Rules that purge come first, since what is purged need not be erased, and of each kind the older ones. A ticket is dealt with
 * by the first that it is due by. Candidates are read without a lock; each is locked then and looked at once more, and one that
 * has come back to life, or to be held, is passed over.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/bisection.h"
#include "base/compat.h"
#include "base/plan.h"
#include "desk/recycle.h"
#include "log/log_writer.h"
#include "privacy/erasure.h"
#include "report/report.h"

enum
{
	SET_RULE,
	RULES,
	DUE_TICKETS,
	IS_DUE
};

static Statement statements[] = {
	[SET_RULE] = {
		.text = "INSERT INTO support.ticket_rules (name, filters, keep_for, action) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (name) DO UPDATE SET filters = excluded.filters, keep_for = excluded.keep_for, action = excluded.action"
		" RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 4, .argtypes = {TEXTOID, JSONBOID, INTERVALOID, TEXTOID}
	},
	[RULES] = {
		.text = "SELECT name::text, filters, keep_for, action = 'erase_content' FROM support.ticket_rules"
		" WHERE keep_for IS NOT NULL ORDER BY action = 'erase_content', id",
		.columns = {{TEXTOID, NOT_NULL}, {JSONBOID, NOT_NULL}, {INTERVALOID, NOT_NULL}, {BOOLOID, NOT_NULL}}
	},
	[DUE_TICKETS] = {
		.text = "SELECT d.ticket_id FROM support_internal.tickets_of_rule($1, $2, $3) AS d"
		" WHERE d.ticket_id <> ALL ($4)"
		" ORDER BY d.ended_at, d.ticket_id LIMIT $5",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 5, .argtypes = {JSONBOID, TIMESTAMPTZOID, BOOLOID, INT8ARRAYOID, INT8OID}, .replan = true
	},
	[IS_DUE] = {
		.text = "SELECT 1 FROM support_internal.tickets_of_rule($1, $2, $3) AS d WHERE d.ticket_id = $4",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 4, .argtypes = {JSONBOID, TIMESTAMPTZOID, BOOLOID, INT8OID}, .replan = true
	}
};

/* A rule, and the tickets that are due by it. */
typedef struct Rule
{
	char	   *name;
	Datum		filters;
	TimestampTz before;			/* those that were solved before that are due */
	bool		erases;
	int			n;
	int64	   *ticket_ids;
	bool	   *passed_over;	/* on a second look */
} Rule;

/* A run of apply_ticket_rules(). */
typedef struct RuleRun
{
	ReturnSetInfo *rsinfo;
	bool		dry_run;
	int64		room;			/* for so many tickets more */
	LeftOut		seen;			/* tickets that a rule has dealt with, or would */
	LeftOut		left_out;
} RuleRun;

/* Raise 22023 for an action that there is not. */
static void
check_action(FunctionCallInfo fcinfo, int n)
{
	char	   *action = TextDatumGetCString(required_argument(fcinfo, n, "action"));

	if (strcmp(action, "purge") != 0 && strcmp(action, "erase_content") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("action \"%s\" does not exist", action),
				 errhint("There are: purge, erase_content.")));
}

/* The instant so long before now. Raises 22023 for one to come, 22008 for one before all times. */
static TimestampTz
instant_before_now(Interval *keep_for)
{
	TimestampTz now = desk_now();
	TimestampTz before = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(now),
																 IntervalPGetDatum(keep_for)));

	if (before > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("keep_for must be an interval that is not negative")));
	return before;
}

/* set_ticket_rule(name, filters, keep_for, action, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_set_ticket_rule);
Datum
support_set_ticket_rule(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;
	Caller		caller;
	int64		id;

	PreventCommandIfReadOnly("set_ticket_rule()");
	(void) required_argument(fcinfo, 0, "name");
	check_ticket_filters(required_argument(fcinfo, 1, "filters"));
	check_action(fcinfo, 3);
	begin_call(&call, fcinfo, 4);
	if (!PG_ARGISNULL(2))
		(void) instant_before_now(PG_GETARG_INTERVAL_P(2));
	become_desk_owner("set a rule for tickets", &caller);
	for (int i = 0; i < 4; i++)
		arg_passed(&args, fcinfo, i);
	run(&statements[SET_RULE], &args);
	id = result_int64(0, 1);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* The rules that are at work, in the order in which they are applied. */
static List *
read_rules(void)
{
	uint64		n = run(&statements[RULES], NULL);
	List	   *rules = NIL;

	for (uint64 i = 0; i < n; i++)
	{
		Rule	   *rule = palloc0(sizeof(Rule));

		rule->name = pstrdup(result_text(i, 1));
		rule->filters = PointerGetDatum(PG_DETOAST_DATUM_COPY(result(i, 2)));
		rule->before = instant_before_now(DatumGetIntervalP(result(i, 3)));
		rule->erases = result_bool(i, 4);
		rules = lappend(rules, rule);
	}
	return rules;
}

static Args
args_of_rule(const Rule *rule)
{
	Args		args = {0};

	arg(&args, rule->filters);
	arg(&args, TimestampTzGetDatum(rule->before));
	arg(&args, BoolGetDatum(rule->erases));
	return args;
}

static void
note_seen(RuleRun *rule_run, int64 ticket_id)
{
	LeftOut    *seen = &rule_run->seen;

	if (seen->n == 0)
		seen->ticket_ids = palloc(sizeof(int64));
	else
		seen->ticket_ids = repalloc_huge(seen->ticket_ids, sizeof(int64) * (seen->n + 1));
	seen->ticket_ids[seen->n++] = ticket_id;
}

/* Find the tickets that are due by a rule. */
static void
find_due(RuleRun *rule_run, Rule *rule)
{
	Args		args = args_of_rule(rule);

	arg(&args, left_out_ids(&rule_run->seen));
	arg_int64(&args, rule_run->room);
	rule->n = run(&statements[DUE_TICKETS], &args);
	rule->ticket_ids = palloc(sizeof(int64) * Max(rule->n, 1));
	rule->passed_over = palloc0(sizeof(bool) * Max(rule->n, 1));
	for (int i = 0; i < rule->n; i++)
		rule->ticket_ids[i] = result_int64(i, 1);
	for (int i = 0; i < rule->n; i++)
		note_seen(rule_run, rule->ticket_ids[i]);
	rule_run->room -= rule->n;
}

/* Erase all that was written on tickets. The log's last word on each is that all is erased. */
static void
erase_tickets(const int64 *ticket_ids, int n)
{
	Erasure		erasure = {0};

	erase_texts(&erasure, ticket_ids, n);
	for (int i = 0; i < n; i++)
	{
		LogEntry	entry = {.action = "ERASE", .ticket_id = ticket_ids[i]};

		log_write(&entry);
	}
}

/* Lock a ticket and look whether it is still due, and not held. */
static bool
is_still_due(const Rule *rule, int64 ticket_id)
{
	Args		args = args_of_rule(rule);
	bool		is_due;

	SPI_connect();
	lock_tickets(&ticket_id, 1);
	arg_int64(&args, ticket_id);
	is_due = run(&statements[IS_DUE], &args) > 0;
	SPI_finish();
	return is_due;
}

static int64
ticket_at(uint64 place, void *arg)
{
	return ((const Rule *) arg)->ticket_ids[place];
}

/* Do with some tickets what the rule says. */
static int64
apply_to_part(uint64 from, uint64 upto, void *arg)
{
	Rule	   *rule = arg;
	int64	   *due = palloc(sizeof(int64) * (upto - from));
	int			n = 0;

	for (uint64 i = from; i < upto; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rule->passed_over[i] = !is_still_due(rule, rule->ticket_ids[i]);
		if (!rule->passed_over[i])
			due[n++] = rule->ticket_ids[i];
	}
	if (rule->erases)
		erase_tickets(due, n);
	else
		purge_tickets(due, n);
	pfree(due);
	return upto - from;
}

static bool
is_left_out(const LeftOut *left_out, int64 ticket_id)
{
	for (int i = 0; i < left_out->n; i++)
		if (left_out->ticket_ids[i] == ticket_id)
			return true;
	return false;
}

/* Return what was done, or would be. */
static void
put_rows(RuleRun *rule_run, const Rule *rule)
{
	for (int i = 0; i < rule->n; i++)
	{
		bool		nulls[] = {false, false, false};
		Datum		values[] = {
			CStringGetTextDatum(rule->name), Int64GetDatum(rule->ticket_ids[i]),
			CStringGetTextDatum(rule->erases ? "erase_content" : "purge")
		};

		if (!rule->passed_over[i] && !is_left_out(&rule_run->left_out, rule->ticket_ids[i]))
			tuplestore_putvalues(rule_run->rsinfo->setResult, rule_run->rsinfo->setDesc, values, nulls);
	}
}

static void
apply_rules(RuleRun *rule_run)
{
	ListCell   *cell;

	foreach(cell, read_rules())
	{
		Rule	   *rule = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (rule_run->room == 0)
			break;
		find_due(rule_run, rule);
		if (!rule_run->dry_run)
			(void) work_in_parts(rule->n, apply_to_part, ticket_at, rule, &rule_run->left_out);
		put_rows(rule_run, rule);
	}
	tell_left_out(&rule_run->left_out);
}

/* apply_ticket_rules(dry_run, batch_size, actor_id) -> a row for each ticket that a rule deals with */
PG_FUNCTION_INFO_V1(support_apply_ticket_rules);
Datum
support_apply_ticket_rules(PG_FUNCTION_ARGS)
{
	RuleRun		rule_run = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	Call		call;
	Caller		caller;

	rule_run.dry_run = PG_ARGISNULL(0) || PG_GETARG_BOOL(0);
	if (!rule_run.dry_run)
		PreventCommandIfReadOnly("apply_ticket_rules()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	rule_run.room = positive_argument(fcinfo, 1, "batch_size");
	if (!rule_run.dry_run)
		refuse_old_snapshot("apply_ticket_rules");
	begin_call(&call, fcinfo, 2);
	become_desk_owner("apply the rules for tickets", &caller);
	/* to compile what looks at many tables takes longer than to run it */
	fix_setting("jit", "off");
	apply_rules(&rule_run);
	become_caller(&caller);
	end_call(&call);
	return (Datum) 0;
}
