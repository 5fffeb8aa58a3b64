/*
 * stat_check.c
 *		Counting everything anew, and checking what was counted.
 *
 * The view support_internal.stat_expected works out from the tables and the log what the triggers should have counted.
 * verify_stats() reads another, stat_differences, which compares, the backlog as well; rebuild_stats() starts from it. So does
 * a change of what a status means, since that changes the past.
 *
 * Counting anew is exact while others write. It waits for all who have counted something and not yet ended, and makes
 * later ones wait; what it sees then is what has been counted, and a change that it does not see is counted after it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "stats/backlog.h"
#include "stats/delta_writer.h"
#include "stats/fold.h"
#include "stats/stat_check.h"

enum
{
	IS_KNOWN_STATUS,
	REMOVE_COUNTERS,
	REMOVE_DELTAS,
	REMOVE_HIDDEN,
	COUNT,
	FIND_HIDDEN,
	COMPARE,
	FIND_FLAWS
};

static Statement statements[] = {
	[IS_KNOWN_STATUS] = {
		.text = "SELECT WHERE EXISTS (SELECT FROM support.tickets AS t WHERE t.status = $1)"
		" OR EXISTS (SELECT FROM support.audit_log AS a"
		"	WHERE a.table_name = 'tickets' AND a.action = 'UPDATE'"
		"		AND (a.old_value ->> 'status' = $1"
		"			OR a.new_value ->> 'status' = $1))",
		.nargs = 1, .argtypes = {TEXTOID}, .many_rows = true
	},
	[REMOVE_COUNTERS] = {
		.text = "DELETE FROM support_internal.stat_counters"
	},
	[REMOVE_DELTAS] = {
		.text = "DELETE FROM support_internal.stat_deltas"
	},
	[REMOVE_HIDDEN] = {
		.text = "DELETE FROM support_internal.stat_hidden_solves"
	},
	[COUNT] = {
		.text = "INSERT INTO support_internal.stat_deltas (" DELTA_COLUMN_NAMES ")"
		" SELECT " DELTA_COLUMN_NAMES " FROM support_internal.stat_expected"
	},
	[FIND_HIDDEN] = {
		.text = "INSERT INTO support_internal.stat_hidden_solves (ticket_id)"
		" SELECT DISTINCT e.ticket_id FROM support_internal.stat_events AS e"
		" JOIN support.tickets AS t ON t.id = e.ticket_id"
		" WHERE (e.solves OR e.reopens) AND t.first_solved_at IS NULL AND t.solved_at IS NULL"
		"	AND t.reopen_count = 0"
	},
	[COMPARE] = {
		.text = "SELECT d.measure, d.dimension, d.value, d.period, d.counted, d.expected"
		" FROM support_internal.stat_differences AS d"
		" ORDER BY 1, 2, 3, 4",
		.columns = {{TEXTOID}, {TEXTOID}, {TEXTOID}, {TIMESTAMPTZOID}, {INT8OID}, {INT8OID}}
	},
	[FIND_FLAWS] = {
		.text = "SELECT f.ticket_id, f.audit_id, f.occurred_at, f.flaw"
		" FROM support_internal.history_flaws AS f"
		" ORDER BY 1, 3, 2, 4",
		.columns = {{INT8OID}, {INT8OID}, {TIMESTAMPTZOID}, {TEXTOID}}
	}
};

/* Does a status of that name count as solved by this row, NULL for none? */
static bool
solves(const Row *status, const char *name)
{
	char	   *category;

	if (status == NULL || strcmp(row_text(status, STATUS_NAME), name) != 0)
		return false;
	category = row_text(status, STATUS_CATEGORY);
	return strcmp(category, "solved") == 0 || strcmp(category, "closed") == 0;
}

/* Does a name mean something else from now on? */
static bool
changes_meaning(const Row *old, const Row *new, const char *name)
{
	return solves(old, name) != solves(new, name);
}

/* Has a ticket, or the log, a status of that name? */
static bool
is_known_status(const char *name)
{
	Args		args = {0};

	arg_text(&args, name);
	return run_latest(&statements[IS_KNOWN_STATUS], &args) > 0;
}

static void
tell_step(bool tell, const char *format, uint64 n)
{
	if (tell)
		ereport(NOTICE, (errmsg_internal(format, (unsigned long long) n)));
}

/*
 * From here until the level of settings ends that this returns, no join of the views is a loop over rows in a loop over
 * rows. They are about all there is; where the server has never looked at the tables it takes that for little. A function
 * that is called for each row is such a loop still: what the server thinks that costs is no reason to compile.
 */
int
plan_for_all_rows(void)
{
	int			level = NewGUCNestLevel();

	fix_setting("enable_nestloop", "off");
	fix_setting("jit", "off");
	return level;
}

/* Wait for those who have counted something, and let others wait. Who adds up waits for us, not we for them. */
static void
stop_counting(void)
{
	stat_stop_folding();
	LockRelationOid(desk_relation("support_internal", "stat_deltas"), ShareRowExclusiveLock);
}

/* Count everything anew, with the rights of the desk's owner; returns how many rows the counters are made of. */
int64
recount_everything(bool tell)
{
	uint64		removed;
	uint64		written;
	Caller		caller;
	int			level;

	SPI_connect();
	stop_counting();
	become_owner(desk_relation("support_internal", "stat_deltas"), &caller);
	removed = run_latest(&statements[REMOVE_COUNTERS], NULL);
	removed += run_latest(&statements[REMOVE_DELTAS], NULL);
	run_latest(&statements[REMOVE_HIDDEN], NULL);
	tell_step(tell, "took away %llu rows that were counted before", removed);
	level = plan_for_all_rows();
	written = run_latest(&statements[COUNT], NULL);
	run_latest(&statements[FIND_HIDDEN], NULL);
	AtEOXact_GUC(true, level);
	tell_step(tell, "counted tickets, comments and changes of status: %llu rows", written);
	become_caller(&caller);
	SPI_finish();
	/* who keeps to an old snapshot leaves that to later */
	if (!IsolationUsesXactSnapshot())
		tell_step(tell, "added up %llu rows", stat_fold_all());
	return (int64) written;
}

/* Count everything anew if a status counts as solved now and did not before, or the other way round. */
static void
settle_meaning(const Row *old, const Row *new, const char *name)
{
	Caller		caller;
	bool		known;

	if (!changes_meaning(old, new, name))
		return;
	SPI_connect();
	stop_counting();
	become_owner(desk_relation("support_internal", "stat_deltas"), &caller);
	known = is_known_status(name);
	become_caller(&caller);
	if (known)
		(void) recount_everything(false);
	SPI_finish();
}

/* A status comes, changes, or goes. */
static void
follow_status(const RowChange *change)
{
	if (change->old != NULL)
		settle_meaning(change->old, change->new, row_text(change->old, STATUS_NAME));
	if (change->new != NULL && changes(change, STATUS_NAME))
		settle_meaning(change->old, change->new, row_text(change->new, STATUS_NAME));
}

void
stat_check_init(void)
{
	static RowHooks hooks = {.table = &statuses_table, .follow = follow_status};

	add_row_hooks(&hooks, 1);
}

/* rebuild_stats(actor_id) -> rows */
PG_FUNCTION_INFO_V1(support_rebuild_stats);
Datum
support_rebuild_stats(PG_FUNCTION_ARGS)
{
	Call		call;
	Caller		caller;
	int64		n;
	int64		mended;

	PreventCommandIfReadOnly("rebuild_stats()");
	begin_call(&call, fcinfo, 0);
	become_desk_owner("count everything anew", &caller);
	n = recount_everything(true);
	mended = mend_backlog();
	tell_step(mended > 0, "put right %llu rows of the backlog", mended);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(n);
}

/* Give out what a check finds. Raises 42501 unless the caller is the owner, who does what is named. */
static void
give_out(FunctionCallInfo fcinfo, Statement *check, const char *what)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Call		call;
	Caller		caller;
	Reader		reader;
	HeapTuple	tuple;
	int			level;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	become_desk_owner(what, &caller);
	level = plan_for_all_rows();
	open_reader(&reader, check, NULL);
	while ((tuple = next_row(&reader)) != NULL)
		tuplestore_puttuple(rsinfo->setResult, tuple);
	close_reader(&reader);
	AtEOXact_GUC(true, level);
	become_caller(&caller);
	end_call(&call);
}

/* verify_stats() -> what was counted and should not have been, or the other way round */
PG_FUNCTION_INFO_V1(support_verify_stats);
Datum
support_verify_stats(PG_FUNCTION_ARGS)
{
	give_out(fcinfo, &statements[COMPARE], "check what was counted");
	return (Datum) 0;
}

/* check_history() -> what contradicts itself in histories that were brought in */
PG_FUNCTION_INFO_V1(support_check_history);
Datum
support_check_history(PG_FUNCTION_ARGS)
{
	give_out(fcinfo, &statements[FIND_FLAWS], "check histories");
	return (Datum) 0;
}

/* measure_bits(VARIADIC measures) -> bits */
PG_FUNCTION_INFO_V1(support_measure_bits);
Datum
support_measure_bits(PG_FUNCTION_ARGS)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;
	uint32		bits = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
		bits |= STAT_BIT(measure_named(nulls[i] ? "" : TextDatumGetCString(names[i])));
	PG_RETURN_INT32((int32) bits);
}

/* stat_dimensions() -> measure, dimension */
PG_FUNCTION_INFO_V1(support_stat_dimensions);
Datum
support_stat_dimensions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int measure = 0; measure < STAT_MEASURES; measure++)
		for (const char *dim = measure_infos[measure].dims; *dim != '\0'; dim++)
		{
			char		letter[2] = {*dim, '\0'};
			Datum		values[] = {CStringGetTextDatum(measure_infos[measure].name), CStringGetTextDatum(letter)};
			bool		nulls[lengthof(values)] = {false};

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	return (Datum) 0;
}

#define CONTRIBUTION_COLUMNS 6

/* Add a contribution to the result. */
static void
put_contribution(void *arg, const Contribution *contribution)
{
	ReturnSetInfo *rsinfo = arg;
	char		dim[2] = {contribution->dim, '\0'};
	bool		nulls[CONTRIBUTION_COLUMNS] = {false};
	Datum		values[CONTRIBUTION_COLUMNS] = {
		CStringGetTextDatum(measure_infos[contribution->measure].name), CStringGetTextDatum(dim),
		CStringGetTextDatum(contribution->value), TimestampTzGetDatum(contribution->at),
		Int64GetDatum(contribution->seconds), Int64GetDatum(contribution->weight)
	};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* stat_contributions(the columns of stat_deltas) -> measure, dimension, value, at, seconds, weight */
PG_FUNCTION_INFO_V1(support_stat_contributions);
Datum
support_stat_contributions(PG_FUNCTION_ARGS)
{
	Datum		values[DELTA_COLUMNS];
	bool		nulls[DELTA_COLUMNS];
	StatRow		row;

	for (int i = 0; i < DELTA_COLUMNS; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
	}
	stat_row_of_values(&row, values, nulls, NULL);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	stat_expand(&row, put_contribution, fcinfo->resultinfo);
	return (Datum) 0;
}
