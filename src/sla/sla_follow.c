/*
 * sla_follow.c
 *		What changes of tickets do to their clocks, as they happen, and to the backlog.
 *
 * The triggers call us once a change of a ticket is in the log. The change has locked the ticket's row, so nobody else
 * turns its clocks meanwhile, nor writes its row of the backlog. A desk without policies pays for a look at what the session
 * keeps of them.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"

#include "base/actor.h"
#include "base/hooks.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "sla/sla_counts.h"
#include "sla/sla_follow.h"
#include "sla/sla_names.h"
#include "sla/sla_store.h"
#include "sla/sla_unclocked.h"
#include "sla/sla_wait.h"

enum
{
	TICKET_NOW,
	LETTERS,
	BEGAN_FROM_NOW,
	DELETE_CLOCKS,
	DELETE_EVENTS
};

static Statement statements[] = {
	[TICKET_NOW] = {
		.text = "SELECT t.* FROM support.tickets AS t WHERE t.id = $1 FOR NO KEY UPDATE",
		.any_columns = true,
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[LETTERS] = {
		.text = "SELECT c.created_at, support_internal.is_reply(c.is_private, c.author_role, c.via)"
		" FROM support.comments AS c"
		" WHERE c.ticket_id = $1"
		"	AND (c.deleted_at IS NULL OR c.deleted_at > $2)"
		"	AND (support_internal.is_reply(c.is_private, c.author_role, c.via)"
		"		OR support_internal.is_from_customer(c.is_private, c.author_role, c.via))"
		" ORDER BY c.created_at, c.id",
		.columns = {{TIMESTAMPTZOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}, .as_owner_of = PUBLIC_TABLE("comments")
	},
	[BEGAN_FROM_NOW] = {
		.text = "SELECT 1 FROM support.sla_events"
		" WHERE ticket_id = $1 AND clock_id = $2 AND kind = 'activate' AND reason = '" FROM_NOW "'"
		" LIMIT 1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_events")
	},
	[DELETE_CLOCKS] = {
		.text = "DELETE FROM support.sla_clocks WHERE ticket_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_clocks")
	},
	[DELETE_EVENTS] = {
		.text = "DELETE FROM support.sla_events WHERE ticket_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_events")
	}
};

static int64
id_or_none(const Row *row, int column)
{
	return row_is_null(row, column) ? 0 : row_int64(row, column);
}

static TimestampTz
time_or_none(const Row *row, int column)
{
	return row_is_null(row, column) ? DT_NOBEGIN : row_time(row, column);
}

/* What the clocks read of a ticket's row. A status that is gone, or that the log does not tell, counts as open. */
SlaTicket
sla_ticket_of(const Row *row)
{
	SlaTicket	ticket = {
		.id = row_int64(row, TICKET_ID),
		.is_live = row_is_null(row, TICKET_DELETED_AT),
		.category = CATEGORY_OPEN,
		.priority = row_is_null(row, TICKET_PRIORITY) ? "normal" : row_text(row, TICKET_PRIORITY),
		.channel = row_is_null(row, TICKET_CHANNEL) ? NULL : row_text(row, TICKET_CHANNEL),
		.team_id = id_or_none(row, TICKET_TEAM_ID),
		.assignee_id = id_or_none(row, TICKET_ASSIGNEE_ID),
		.organization_id = id_or_none(row, TICKET_ORGANIZATION_ID),
		.custom = row_is_null(row, TICKET_CUSTOM) ? (Datum) 0 : row_datum(row, TICKET_CUSTOM),
		.created_at = row_time(row, TICKET_CREATED_AT),
		.waiting_since = time_or_none(row, TICKET_WAITING_SINCE),
		.first_replied_at = time_or_none(row, TICKET_FIRST_REPLIED_AT),
		.last_agent_at = time_or_none(row, TICKET_LAST_AGENT_AT),
		.last_customer_at = time_or_none(row, TICKET_LAST_CUSTOMER_AT),
		.reply_count = row_int64(row, TICKET_REPLY_COUNT)
	};

	if (!row_is_null(row, TICKET_STATUS))
		(void) find_category(row_text(row, TICKET_STATUS), &ticket.category);
	return ticket;
}

static const Policy *
match_live(ClockSet *set, SlaTicket *ticket)
{
	LiveClockSet *live = (LiveClockSet *) set;

	if (!live->matched)
		live->policy = match_policy(ticket);
	live->matched = true;
	return live->policy;
}

static StatusPeriods
logged_periods(ClockSet *set, const SlaTicket *ticket)
{
	return read_status_periods(ticket->id, ticket->category);
}

static int64
new_live_id(ClockSet *set)
{
	return new_clock_id();
}

/* What was written to and fro about a ticket, by comments that were not deleted at an instant. In the current memory context. */
Letters
read_letters(ClockSet *set, TimestampTz at)
{
	MemoryContext caller = CurrentMemoryContext;
	Args		args = {0};
	Letters		letters;

	SPI_connect();
	arg_int64(&args, set->ticket_id);
	arg(&args, TimestampTzGetDatum(at));
	letters.n = run(&statements[LETTERS], &args);
	letters.all = MemoryContextAlloc(caller, sizeof(Letter) * Max(letters.n, 1));
	for (int i = 0; i < letters.n; i++)
		letters.all[i] = (Letter) {
			DatumGetTimestampTz(result(i, 1)), result_bool(i, 2)
		};
	SPI_finish();
	return letters;
}

/* Was a clock told to count from its start on? The ledger says so. */
static bool
began_from_now(ClockSet *set, const Clock *clock)
{
	Args		args = {0};
	bool		found;

	if (clock->is_new)
		return clock->from_now;
	SPI_connect();
	arg_int64(&args, clock->ticket_id);
	arg_int64(&args, clock->id);
	found = run(&statements[BEGAN_FROM_NOW], &args) > 0;
	SPI_finish();
	return found;
}

/* What the clocks of a ticket, in the order in which they began, tell of it in the backlog. */
static Deadline
deadline_of(const List *clocks)
{
	Deadline	deadline = {.metric = NULL};
	ListCell   *cell;

	foreach(cell, clocks)
	{
		const Clock *clock = lfirst(cell);

		deadline.breaches += is_breached(clock);
		if (clock->state == CLOCK_RUNNING && !TIMESTAMP_NOT_FINITE(clock->due_at) &&
			(deadline.metric == NULL || clock->due_at < deadline.due_at))
		{
			deadline.due_at = clock->due_at;
			deadline.metric = sla_metric_names[clock->promise.metric];
		}
	}
	return deadline;
}

/* The names of metrics are those of one table. */
static bool
same_deadline(const Deadline *a, const Deadline *b)
{
	return a->due_at == b->due_at && a->metric == b->metric && a->breaches == b->breaches;
}

/* Have a ticket's clocks at hand. The caller has locked its row. */
void
open_clock_set(LiveClockSet *live, int64 ticket_id)
{
	ListCell   *cell;

	*live = (LiveClockSet) {
		.set = {
			.ledger = {.write = note_event},
			.ticket_id = ticket_id,
			.clocks = read_clocks(ticket_id),
			.match = match_live,
			.periods = logged_periods,
			.new_id = new_live_id,
			.letters = read_letters,
			.counts_from_now = began_from_now
		}
	};
	live->deadline = deadline_of(live->set.clocks);
	foreach(cell, live->set.clocks)
		note_outcome(lfirst(cell));
}

/* The same for a ticket whose row changes. */
static void
open_clocks_of_change(LiveClockSet *live, int64 ticket_id, const Row *old, const Row *new)
{
	open_clock_set(live, ticket_id);
	live->row_changes = true;
	live->old = old;
	live->new = new;
}

/* Have the backlog say what is so now. */
static void
write_backlog(const LiveClockSet *live)
{
	Deadline	deadline = deadline_of(live->set.clocks);
	bool		moves = !same_deadline(&live->deadline, &deadline);

	if (live->row_changes)
		follow_backlog(live->old, live->new, &deadline, moves);
	else if (moves)
		move_deadline(live->set.ticket_id, &deadline);
}

/* Does the ticket's row, NULL for none, say that it is live? */
static bool
is_live(const Row *row)
{
	return row != NULL && row_is_null(row, TICKET_DELETED_AT);
}

/* Write down how they stand. */
void
close_clock_set(LiveClockSet *live)
{
	write_ledger(&live->set.ledger);
	write_clocks(live->set.clocks);
	write_backlog(live);
	count_outcomes(live->set.clocks, !live->row_changes || is_live(live->old), !live->row_changes || is_live(live->new));
	write_pending(&live->set.ledger);
}

/* A ticket is inserted: as a new one, restored, or under the id of one that was removed. */
static void
begin_ticket(const Row *row, bool restored)
{
	SlaTicket	ticket;
	LiveClockSet live;

	ticket = sla_ticket_of(row);
	open_clocks_of_change(&live, ticket.id, NULL, row);
	if (restored && ticket.is_live)
		resume_clocks(&live.set, &ticket, desk_now(), !modes.matching_deferred);
	else if (!restored)
	{
		if (live.set.clocks != NIL)
			forget_clocks(ticket.id);
		begin_clocks(&live.set, &ticket);
	}
	close_clock_set(&live);
}

/* Did a customer write what comes in only now? */
static bool
brings_in_question(const RowChange *change)
{
	SlaTicket	old = sla_ticket_of(change->old);
	SlaTicket	new = sla_ticket_of(change->new);

	return shows_late_comments(&old, &new);
}

/* Does anything differ that a clock could turn by? */
static bool
matters(const RowChange *change)
{
	static const int columns[] = {
		TICKET_PRIORITY, TICKET_TEAM_ID, TICKET_ASSIGNEE_ID, TICKET_DELETED_AT, TICKET_REPLY_COUNT,
		TICKET_WAITING_SINCE, TICKET_ORGANIZATION_ID, TICKET_CHANNEL, TICKET_CUSTOM
	};
	Category	before = CATEGORY_OPEN;
	Category	after = CATEGORY_OPEN;

	for (int i = 0; i < lengthof(columns); i++)
		if (changes(change, columns[i]))
			return true;
	if (changes(change, TICKET_LAST_CUSTOMER_AT) && brings_in_question(change))
		return true;
	if (!changes(change, TICKET_STATUS))
		return false;
	(void) find_category(row_text(change->old, TICKET_STATUS), &before);
	(void) find_category(row_text(change->new, TICKET_STATUS), &after);
	return before != after;
}

/* Follow a ticket from one state to another. */
static void
follow(const Row *old_row, const Row *new_row)
{
	SlaTicket	old = sla_ticket_of(old_row);
	SlaTicket	new = sla_ticket_of(new_row);
	LiveClockSet live;

	if (!row_column_differs(old_row, new_row, TICKET_CUSTOM))
		new.custom = old.custom;
	open_clocks_of_change(&live, new.id, old_row, new_row);
	follow_ticket(&live.set, &old, &new, desk_now());
	close_clock_set(&live);
}

/* Work on a ticket's row as it is now, locked. */
typedef void (*RowWork) (const Row *now, const void *arg);

/* Do it; false if the ticket is gone. */
static bool
with_row_now(int64 ticket_id, RowWork work, const void *arg)
{
	Relation	rel = table_open(desk_relation("support", "tickets"), RowShareLock);
	Args		args = {0};
	Row			now;
	bool		found;

	SPI_connect();
	arg_int64(&args, ticket_id);
	found = run(&statements[TICKET_NOW], &args) > 0;
	if (found)
	{
		now = empty_row(shape_of(rel, &tickets_table), RelationGetDescr(rel));
		row_fill(&now, SPI_tuptable->vals[0], SPI_tuptable->tupdesc);
		row_require(&now);
		work(&now, arg);
	}
	SPI_finish();
	table_close(rel, NoLock);
	return found;
}

/* A ticket goes. Its clocks stay, cancelled, for it may come back. */
static void
stop_ticket(const Row *row)
{
	SlaTicket	ticket;
	LiveClockSet live;

	if (!row_is_null(row, TICKET_DELETED_AT))
		return;
	ticket = sla_ticket_of(row);
	open_clocks_of_change(&live, ticket.id, row, NULL);
	stop_clocks(&live.set, &ticket, desk_now());
	close_clock_set(&live);
}

/* A ticket comes, changes or goes, and has this row now. */
static void
follow_to(const Row *now, const void *arg)
{
	const RowChange *change = arg;

	if (!policies_exist() || (change->old != NULL && now != NULL && !matters(change)))
		follow_backlog(change->old, now, NULL, false);
	else if (change->old == NULL)
		begin_ticket(now, change->restoring);
	else if (now == NULL)
		stop_ticket(change->old);
	else
		follow(change->old, now);
}

/*
 * A ticket comes, changes or goes. If a trigger of the application has changed the row again before we were called, the
 * clocks and the backlog saw that first: they go on to what the row has now. If it is gone by that, the clocks have stopped
 * already.
 */
static void
follow_change_of_ticket(const RowChange *change)
{
	if (!change->superseded && !change->removed_again)
		follow_to(change->new, change);
	else if (!with_row_now(row_int64(change->new, TICKET_ID), follow_to, change))
		follow_backlog(change->old, NULL, NULL, false);
}

static void
match_row(const Row *now, const void *arg)
{
	SlaTicket	ticket = sla_ticket_of(now);
	LiveClockSet live;

	if (!ticket.is_live || is_solved(ticket.category))
		return;
	open_clock_set(&live, ticket.id);
	match_again(&live.set, &ticket, desk_now());
	close_clock_set(&live);
}

/* Find out anew what a ticket is promised. */
void
match_ticket(int64 ticket_id)
{
	if (policies_exist())
		(void) with_row_now(ticket_id, match_row, NULL);
}

/* A ticket's tags change. */
static void
follow_tags(const RowChange *change)
{
	if (modes.matching_deferred || !policies_read_tags())
		return;
	if (change->old != NULL)
		match_ticket(row_int64(change->old, TAG_TICKET_ID));
	if (change->new != NULL && changes(change, TAG_TICKET_ID))
		match_ticket(row_int64(change->new, TAG_TICKET_ID));
}

/* Forget what was promised to a ticket. */
void
forget_clocks(int64 ticket_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, ticket_id);
	run_latest(&statements[DELETE_CLOCKS], &args);
	run_latest(&statements[DELETE_EVENTS], &args);
	SPI_finish();
}

void
sla_follow_init(void)
{
	static RowHooks hooks[] = {
		{.table = &tickets_table, .follow = follow_change_of_ticket},
		{.table = &ticket_tags_table, .follow = follow_tags},
		{.table = &statuses_table, .follow = tell_of_category}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
