/*
 * stat_history.c
 *		Changes of a ticket's status, as the log has them.
 *
 * Solving and reopening are counted by what the ticket has now: its team, its assignee and so on. When these change,
 * or the ticket is deleted or comes back, what the log has of its past moves along.
 *
 * The order is that of log_order.h, save where a trigger of the application changes a row again before our own trigger
 * has seen the first change: then the versions tell. A ticket that was removed and inserted again begins a new life with
 * version 1, which the INSERT in the log tells.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/actor.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "log/log_order.h"
#include "stats/stat_history.h"

#define HISTORY_TEXT \
	"SELECT a.action = 'INSERT', a.occurred_at, a.actor_id," \
	" a.old_value ->> 'status', a.new_value ->> 'status'," \
	" (a.old_value ->> 'version')::int8" \
	" FROM support.audit_log AS a" \
	" WHERE a.ticket_id = $1 AND a.table_name = 'tickets'" \
	"	AND (a.action = 'INSERT'" \
	"		OR (a.action = 'UPDATE' AND a.old_value ? 'status'))" \
	" ORDER BY " PLACED_AT ", a.id"

enum
{
	HISTORY,
	VISIBLE_HISTORY,
	CATEGORY_NOW
};

static Statement statements[] = {
	[HISTORY] = {
		.text = HISTORY_TEXT,
		.columns = {{BOOLOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID}, {TEXTOID}, {TEXTOID}, {INT8OID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	},
	[VISIBLE_HISTORY] = {
		.text = HISTORY_TEXT,
		.columns = {{BOOLOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID}, {TEXTOID}, {TEXTOID}, {INT8OID}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[CATEGORY_NOW] = {
		.text = "SELECT category = ANY (ARRAY['solved', 'closed']) FROM support.statuses"
		" WHERE name = $1",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = PUBLIC_TABLE("statuses")
	}
};

/*
 * Does a status count as solved at this moment? One that is gone does not. The caller has locked the deltas: what
 * statuses mean stays as it is until our transaction ends, but it may have changed since our snapshot.
 */
bool
counts_as_solved(const char *status)
{
	Args		args = {0};
	bool		solved;

	if (!IsolationUsesXactSnapshot())
		return is_solved_status(status);
	SPI_connect();
	arg_text(&args, status);
	solved = run_latest(&statements[CATEGORY_NOW], &args) > 0 && result_bool(0, 1);
	SPI_finish();
	return solved;
}

/* A change from one status to another; by whom is yet to be set. */
static StatusChange
change_between(TimestampTz at, const char *from, const char *to)
{
	bool		was_solved = counts_as_solved(from);
	bool		is_solved = counts_as_solved(to);

	return (StatusChange) {
		.at = at, .from = from, .to = to, .solves = is_solved && !was_solved, .reopens = was_solved && !is_solved
	};
}

/* The change that is happening now. */
StatusChange
status_change(const char *from, const char *to)
{
	StatusChange change = change_between(desk_now(), from, to);

	change.has_actor = acting_user(&change.actor_id);
	return change;
}

/* A change that the log has. */
static StatusChange
logged_change(uint64 row)
{
	StatusChange change = change_between(DatumGetTimestampTz(result(row, 2)), result_text(row, 4), result_text(row, 5));

	change.has_actor = !result_is_null(row, 3);
	change.actor_id = result_int64(row, 3);
	return change;
}

/*
 * The changes among so many entries that were just read, but for those of the present life from a version on. What does
 * not tell both statuses is no change that we have written.
 */
static History
history_of(uint64 n, int64 before_version)
{
	History		history = {0};
	int			life = 0;
	int			lives = 0;
	int			first_life = 0;
	int64		first_version = 0;	/* PG_INT64_MIN if it was brought in */

	history.changes = palloc(sizeof(StatusChange) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		lives += result_bool(i, 1);
	for (uint64 i = 0; i < n; i++)
	{
		bool		brought_in = result_is_null(i, 6);
		int64		version = result_int64(i, 6);

		if (result_bool(i, 1))
			life++;
		else if ((life < lives || brought_in || version < before_version) && !result_is_null(i, 4) && !result_is_null(i, 5))
		{
			StatusChange change = logged_change(i);

			if (history.n == 0 || (life == first_life && !brought_in && version < first_version))
			{
				first_life = life;
				first_version = brought_in ? PG_INT64_MIN : version;
				history.first_status = change.from;
			}
			history.changes[history.n++] = change;
		}
	}
	return history;
}

/*
 * Read the changes of a ticket's status that were made before its present life had a version. The status that it was
 * inserted with is the one that the first change found, by life and version. What others have committed by now counts,
 * also where the transaction keeps to its snapshot: a row that we may change can have had a ticket of its id removed
 * since. Needs an SPI level, which owns the answer.
 */
History
read_history(int64 ticket_id, int64 before_version)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	return history_of(run_latest(&statements[HISTORY], &args), before_version);
}

/* The same for all changes, as the query that called us sees them and with the rights of the caller. */
History
read_visible_history(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	return history_of(run_read_only(&statements[VISIBLE_HISTORY], &args), WHOLE_PAST);
}

/* Does it have changes that are counted by what the ticket has? */
bool
has_solves(const History *history)
{
	for (int i = 0; i < history->n; i++)
		if (history->changes[i].solves || history->changes[i].reopens)
			return true;
	return false;
}

static void
set_dims(Delta *delta, const Dims *dims)
{
	memcpy(&delta->values[DELTA_PRIORITY], dims->values, sizeof(dims->values));
	memcpy(&delta->nulls[DELTA_PRIORITY], dims->nulls, sizeof(dims->nulls));
}

/* What a change counts for under the status that is entered. */
uint32
measures_of_change(const StatusChange *change)
{
	return STAT_BIT(STAT_STATUS_FLOW) | STAT_BIT(STAT_ENTERED) |
		(change->solves ? STAT_BIT(STAT_SOLVED) : 0) | (change->reopens ? STAT_BIT(STAT_REOPENED) : 0);
}

/* When, and by whom. */
void
add_change(Delta *delta, const StatusChange *change)
{
	delta_set_time(delta, DELTA_AT, change->at);
	if (change->has_actor && (change->solves || change->reopens))
		delta_set(delta, DELTA_AGENT_ID, Int64GetDatum(change->actor_id));
}

/* Count that a ticket was solved again. */
void
count_again(const StatusChange *change, TimestampTz solved_before, const Dims *dims, int32 weight)
{
	Delta		delta = new_delta(weight, STAT_BIT(STAT_RESOLVED_AGAIN));

	delta_set_time(&delta, DELTA_AT, change->at);
	delta_set_time(&delta, DELTA_CREATED_AT, solved_before);
	set_dims(&delta, dims);
	write_delta(&delta);
}

/* When the ticket was last solved, DT_NOBEGIN for never. */
TimestampTz
last_solve(const History *history)
{
	for (int i = history->n - 1; i >= 0; i--)
		if (history->changes[i].solves)
			return history->changes[i].at;
	return DT_NOBEGIN;
}

/* Count the status that a ticket was opened in. */
void
count_start(const char *status, TimestampTz created_at, int32 weight)
{
	Delta		delta = new_delta(weight, STAT_BIT(STAT_STATUS_FLOW) | STAT_BIT(STAT_ENTERED));

	delta_set(&delta, DELTA_STATUS, CStringGetTextDatum(status));
	delta_set_time(&delta, DELTA_AT, created_at);
	write_delta(&delta);
}

/* Count a status that was left, and the one that was entered. */
static void
count_move(const StatusChange *change, int32 weight)
{
	Delta		left = new_delta(-weight, STAT_BIT(STAT_STATUS_FLOW));
	Delta		entered = new_delta(weight, STAT_BIT(STAT_STATUS_FLOW) | STAT_BIT(STAT_ENTERED));

	delta_set_time(&left, DELTA_AT, change->at);
	delta_set(&left, DELTA_STATUS, CStringGetTextDatum(change->from));
	write_delta(&left);
	delta_set_time(&entered, DELTA_AT, change->at);
	delta_set(&entered, DELTA_STATUS, CStringGetTextDatum(change->to));
	write_delta(&entered);
}

/* Count each status that was left and entered. */
void
count_moves(const History *history, const Dims *dims, int32 weight)
{
	for (int i = 0; i < history->n; i++)
		count_move(&history->changes[i], weight);
	count_solves(history, dims, weight);
}

/* Count each time that the ticket was solved, solved again or reopened. */
void
count_solves(const History *history, const Dims *dims, int32 weight)
{
	TimestampTz solved_before = DT_NOBEGIN;

	for (int i = 0; i < history->n; i++)
	{
		const StatusChange *change = &history->changes[i];
		Delta		delta;

		CHECK_FOR_INTERRUPTS();
		if (!change->solves && !change->reopens)
			continue;
		delta = new_delta(weight, STAT_BIT(change->solves ? STAT_SOLVED : STAT_REOPENED));
		add_change(&delta, change);
		set_dims(&delta, dims);
		write_delta(&delta);
		if (!change->solves)
			continue;
		if (solved_before != DT_NOBEGIN)
			count_again(change, solved_before, dims, weight);
		solved_before = change->at;
	}
}
