/*
 * stat_writer.c
 *		What a change of a ticket or comment does to the reports.
 *
 * A live ticket counts for measures of its state, and so do its tags, its comments and the changes of its status. A
 * change takes back what the old row counted for and counts what the new one does, where the two differ. That is one
 * row of support_internal.stat_deltas for each, and more only where the ticket's past moves along: it is deleted or comes
 * back, or what it is counted by changes after it was solved.
 *
 * When a ticket is deleted or comes back, its tags and comments count as they were before the statement; a change of a
 * tag or comment counts if the ticket is live after it. So the order of the triggers within a statement does not matter.
 *
 * Whether a ticket has been solved its own row tells, except where undo() set it back, or a removed ticket's id was used
 * again: support_internal.stat_hidden_solves has these.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "base/heap_writer.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "stats/stat_history.h"
#include "stats/stat_tag.h"
#include "stats/stat_writer.h"

enum
{
	COMMENTS_OF_TICKET,
	DIMS_NOW,
	HIDE_SOLVES,
	FIND_HIDDEN
};

static Statement statements[] = {
	[COMMENTS_OF_TICKET] = {
		.text = "SELECT c.author_role = 'customer', c.author_id, c.created_at"
		" FROM support.comments AS c"
		" WHERE c.ticket_id = $1 AND NOT c.is_private AND c.deleted_at IS NULL"
		"	AND (support_internal.is_from_customer(c.is_private, c.author_role, c.via)"
		"		OR support_internal.is_reply(c.is_private, c.author_role, c.via))",
		.columns = {{BOOLOID, NOT_NULL}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("comments")
	},
	[DIMS_NOW] = {
		.text = "SELECT priority::text, channel::text, team_id, assignee_id, organization_id"
		" FROM support.tickets WHERE id = $1 AND deleted_at IS NULL",
		.columns = {{TEXTOID}, {TEXTOID}, {INT8OID}, {INT8OID}, {INT8OID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[HIDE_SOLVES] = {
		.text = "INSERT INTO support_internal.stat_hidden_solves (ticket_id) VALUES ($1) ON CONFLICT DO NOTHING",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("stat_hidden_solves")
	},
	[FIND_HIDDEN] = {
		.text = "SELECT 1 FROM support_internal.stat_hidden_solves WHERE ticket_id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("stat_hidden_solves")
	}
};

#define FIRST_REPLIES (STAT_BIT(STAT_FIRST_REPLY) | STAT_BIT(STAT_FIRST_REPLY_COHORT))
#define RESOLUTIONS (STAT_BIT(STAT_RESOLUTION) | STAT_BIT(STAT_RESOLUTION_COHORT))
#define FULL_RESOLUTIONS (STAT_BIT(STAT_FULL_RESOLUTION) | STAT_BIT(STAT_FULL_RESOLUTION_COHORT))
#define TOUCHES \
	(STAT_BIT(STAT_ONE_TOUCH) | STAT_BIT(STAT_TWO_TOUCH) | STAT_BIT(STAT_MULTI_TOUCH) | STAT_BIT(STAT_REOPENED_TICKETS))
#define SINCE_CREATED \
	(STAT_BIT(STAT_OPEN) | STAT_BIT(STAT_UNASSIGNED) | STAT_BIT(STAT_UNANSWERED) | STAT_BIT(STAT_TICKETS) | \
	 FIRST_REPLIES | RESOLUTIONS | FULL_RESOLUTIONS)
#define BY_TICKET (SINCE_CREATED | STAT_BIT(STAT_WAITING) | TOUCHES)
#define FLOWS (STAT_BIT(STAT_STATUS_FLOW) | STAT_BIT(STAT_ENTERED))
#define EVENTS_BY_TICKET (STAT_BIT(STAT_SOLVED) | STAT_BIT(STAT_REOPENED))

/* What a column of a ticket matters to, beside whether the ticket counts for a measure at all. */
typedef struct ColumnUse
{
	int			column;
	int			dim;			/* the column of the row written that it goes to, -1 for none */
	uint32		measures;
} ColumnUse;

static const ColumnUse column_uses[] = {
	{TICKET_STATUS, DELTA_STATUS, STAT_BIT(STAT_STATUS_STOCK)},
	{TICKET_PRIORITY, DELTA_PRIORITY, BY_TICKET},
	{TICKET_CHANNEL, DELTA_CHANNEL, BY_TICKET & ~STAT_BIT(STAT_WAITING)},
	{TICKET_TEAM_ID, DELTA_TEAM_ID, BY_TICKET},
	{TICKET_ASSIGNEE_ID, DELTA_ASSIGNEE_ID, BY_TICKET & ~STAT_BIT(STAT_UNASSIGNED)},
	{TICKET_ORGANIZATION_ID, DELTA_ORGANIZATION_ID, BY_TICKET & ~STAT_BIT(STAT_WAITING)},
	{TICKET_CREATED_AT, DELTA_CREATED_AT, SINCE_CREATED | STAT_BIT(STAT_STATUS_STOCK)},
	{TICKET_FIRST_REPLIED_AT, DELTA_FIRST_REPLIED_AT, FIRST_REPLIES},
	{TICKET_FIRST_SOLVED_AT, DELTA_FIRST_SOLVED_AT, RESOLUTIONS},
	{TICKET_SOLVED_AT, DELTA_SOLVED_AT, FULL_RESOLUTIONS | TOUCHES},
	{TICKET_WAITING_SINCE, DELTA_WAITING_SINCE, STAT_BIT(STAT_WAITING)},
	{TICKET_DELETED_AT, -1, 0},
	{TICKET_REPLY_COUNT, -1, 0},
	{TICKET_REOPEN_COUNT, -1, 0}
};

/* A change of a live ticket. */
typedef struct TicketChange
{
	const RowChange *row;
	const Row  *old;
	const Row  *new;
	uint32		differing;		/* measures for which a column differs that they read */
	bool		dims_differ;
} TicketChange;

static const TableColumn hidden_columns[] = {
	{"ticket_id", INT8OID, .always_set = true}
};

static HeapTable hidden_solves = {.columns = hidden_columns, .ncolumns = lengthof(hidden_columns)};

/* Does the column say what a ticket is counted by? */
static bool
is_dim(const ColumnUse *use)
{
	return use->dim >= DELTA_PRIORITY && use->dim <= DELTA_ORGANIZATION_ID;
}

static bool
is_live(const Row *ticket)
{
	return row_is_null(ticket, TICKET_DELETED_AT);
}

static bool
has_time(const Row *ticket, int column)
{
	return !row_is_null(ticket, column) && !TIMESTAMP_NOT_FINITE(row_time(ticket, column));
}

/* What a solved ticket counts for by the number of its replies. */
static uint32
touches_of(const Row *ticket)
{
	int64		replies = row_int64(ticket, TICKET_REPLY_COUNT);
	uint32		measures = row_int64(ticket, TICKET_REOPEN_COUNT) > 0 ? STAT_BIT(STAT_REOPENED_TICKETS) : 0;

	if (replies == 1)
		measures |= STAT_BIT(STAT_ONE_TOUCH);
	else if (replies == 2)
		measures |= STAT_BIT(STAT_TWO_TOUCH);
	else if (replies > 2)
		measures |= STAT_BIT(STAT_MULTI_TOUCH);
	return measures;
}

/* What a live ticket counts for by the state that its row tells. */
static uint32
measures_of(const Row *ticket)
{
	uint32		measures = STAT_BIT(STAT_STATUS_STOCK) | STAT_BIT(STAT_TICKETS);
	bool		replied = has_time(ticket, TICKET_FIRST_REPLIED_AT);

	if (replied)
		measures |= FIRST_REPLIES;
	if (has_time(ticket, TICKET_FIRST_SOLVED_AT))
		measures |= RESOLUTIONS;
	if (counts_as_solved(row_text(ticket, TICKET_STATUS)))
		return has_time(ticket, TICKET_SOLVED_AT) ? measures | FULL_RESOLUTIONS | touches_of(ticket) : measures;

	measures |= STAT_BIT(STAT_OPEN);
	if (row_is_null(ticket, TICKET_ASSIGNEE_ID))
		measures |= STAT_BIT(STAT_UNASSIGNED);
	if (has_time(ticket, TICKET_WAITING_SINCE))
		measures |= STAT_BIT(STAT_WAITING);
	if (!replied)
		measures |= STAT_BIT(STAT_UNANSWERED);
	return measures;
}

/* Set a column of a row to be written to what the ticket has. */
static void
set_from(Delta *delta, const Row *ticket, const ColumnUse *use)
{
	if (!row_is_null(ticket, use->column))
		delta_set(delta, use->dim, row_datum(ticket, use->column));
}

static Dims
dims_of(const Row *ticket)
{
	Dims		dims;
	Delta		delta = new_delta(0, 0);

	for (int i = 0; i < lengthof(column_uses); i++)
		if (is_dim(&column_uses[i]))
			set_from(&delta, ticket, &column_uses[i]);
	memcpy(dims.values, &delta.values[DELTA_PRIORITY], sizeof(dims.values));
	memcpy(dims.nulls, &delta.nulls[DELTA_PRIORITY], sizeof(dims.nulls));
	return dims;
}

/* A row that counts a ticket for measures: what these read of it, and no more. Events have times of their own. */
static Delta
delta_of(const Row *ticket, uint32 measures, int32 weight)
{
	Delta		delta = new_delta(weight, measures);

	for (int i = 0; i < lengthof(column_uses); i++)
	{
		uint32		readers = column_uses[i].measures;

		if (column_uses[i].dim == DELTA_STATUS)
			readers |= FLOWS;
		else if (is_dim(&column_uses[i]))
			readers |= EVENTS_BY_TICKET;
		if (readers & measures)
			set_from(&delta, ticket, &column_uses[i]);
	}
	return delta;
}

/* Does the ticket's row tell that it was solved? */
static bool
shows_solves(const Row *ticket)
{
	return !row_is_null(ticket, TICKET_FIRST_SOLVED_AT) || !row_is_null(ticket, TICKET_SOLVED_AT) ||
		row_int64(ticket, TICKET_REOPEN_COUNT) > 0;
}

/* Keep in mind that a ticket was solved though its row does not tell. */
static void
hide_solves(int64 ticket_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, ticket_id);
	run(&statements[HIDE_SOLVES], &args);
	SPI_finish();
}

/* May the log have solves of the ticket before this change? */
static bool
was_solved(const Row *old)
{
	return shows_solves(old) || find_row(&hidden_solves, &statements[FIND_HIDDEN], row_int64(old, TICKET_ID));
}

/* Count an agent's reply or a customer's comment on a live ticket. */
void
count_comment(Measure measure, int64 author_id, TimestampTz created_at, int32 weight)
{
	Delta		delta = new_delta(weight, STAT_BIT(measure));

	delta_set_time(&delta, DELTA_AT, created_at);
	if (measure == STAT_REPLY)
		delta_set(&delta, DELTA_AGENT_ID, Int64GetDatum(author_id));
	write_delta(&delta);
}

/* Count the comments that a ticket had before the statement. */
static void
count_comments(int64 ticket_id, int32 weight)
{
	Args		args = {0};
	uint64		n;

	arg_int64(&args, ticket_id);
	look_before_statement();
	n = run_read_only(&statements[COMMENTS_OF_TICKET], &args);
	PopActiveSnapshot();
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		count_comment(result_bool(i, 1) ? STAT_CUSTOMER_COMMENT : STAT_REPLY,
					  result_int64(i, 2), DatumGetTimestampTz(result(i, 3)), weight);
	}
}

/* Count a ticket that has no past: it enters its status when it is opened. */
static void
count_without_past(const Row *ticket, int32 weight)
{
	Delta		delta = delta_of(ticket, measures_of(ticket) | FLOWS, weight);

	set_from(&delta, ticket, &(ColumnUse) {
		TICKET_CREATED_AT, DELTA_AT, 0
	});
	write_delta(&delta);
}

/*
 * Count a live ticket with what the log has of it before a version. status is the one that it had then. Tells whether it
 * has solves. Needs an SPI level.
 */
static bool
count_with_past(const Row *ticket, int64 version, const char *status, int32 weight)
{
	History		history = read_history(row_int64(ticket, TICKET_ID), version);
	Dims		dims = dims_of(ticket);
	Delta		delta = delta_of(ticket, measures_of(ticket), weight);

	write_delta(&delta);
	count_start(history.n > 0 ? history.first_status : status, row_time(ticket, TICKET_CREATED_AT), weight);
	count_moves(&history, &dims, weight);
	return has_solves(&history);
}

/* Count a ticket with its past, its tags and its comments; see above. */
static bool
count_whole(const Row *ticket, int64 version, const char *status, int32 weight)
{
	int64		ticket_id = row_int64(ticket, TICKET_ID);
	TagCount	none = {0, row_time(ticket, TICKET_CREATED_AT)};
	TagCount	all = {measures_of(ticket), row_time(ticket, TICKET_CREATED_AT)};
	bool		solved;

	SPI_connect();
	solved = count_with_past(ticket, version, status, weight);
	count_comments(ticket_id, weight);
	SPI_finish();
	count_tags(ticket_id, weight > 0 ? none : all, weight > 0 ? all : none);
	return solved;
}

/* A ticket is inserted: a new one, or a removed one with the past that the log has of it from before a version. */
static void
count_inserted(const Row *ticket, int64 past_before)
{
	if (!is_live(ticket))
		return;
	lock_deltas();
	if (past_before == NO_PAST)
		count_without_past(ticket, 1);
	else if (count_whole(ticket, past_before, row_text(ticket, TICKET_STATUS), 1) && !shows_solves(ticket))
		hide_solves(row_int64(ticket, TICKET_ID));
}

/* A ticket goes: its comments and tags are still there. */
static void
count_removed(const Row *ticket)
{
	if (!is_live(ticket))
		return;
	lock_deltas();
	(void) count_whole(ticket, row_int64(ticket, TICKET_VERSION), row_text(ticket, TICKET_STATUS), -1);
}

/* Find what differs; false if nothing does that a report could show. */
static bool
compare(TicketChange *change)
{
	bool		differ = false;

	for (int i = 0; i < lengthof(column_uses); i++)
	{
		const ColumnUse *use = &column_uses[i];

		if (!changes(change->row, use->column))
			continue;
		differ = true;
		change->differing |= use->measures;
		if (is_dim(use))
			change->dims_differ = true;
	}
	return differ;
}

/* What the ticket is counted by now; false if it was deleted since. */
static bool
dims_now(int64 ticket_id, Dims *dims)
{
	Args		args = {0};
	bool		found;

	SPI_connect();
	arg_int64(&args, ticket_id);
	found = run(&statements[DIMS_NOW], &args) > 0;
	for (int i = 0; found && i < TICKET_DIMS; i++)
	{
		dims->nulls[i] = result_is_null(0, i + 1);
		if (!dims->nulls[i])
			dims->values[i] = i <= DELTA_CHANNEL - DELTA_PRIORITY ?
				SPI_datumTransfer(result(0, i + 1), false, -1) : result(0, i + 1);
	}
	SPI_finish();
	return found;
}

/* Count the solve as one of a ticket that was solved before, if it was. */
static void
count_if_again(const TicketChange *change, const StatusChange *event, const Dims *dims)
{
	History		history;
	TimestampTz solved_before;

	if (!event->solves || !was_solved(change->old))
		return;
	SPI_connect();
	history = read_history(row_int64(change->old, TICKET_ID), row_int64(change->old, TICKET_VERSION));
	solved_before = last_solve(&history);
	if (solved_before != DT_NOBEGIN)
		count_again(event, solved_before, dims, 1);
	SPI_finish();
}

/*
 * Count a change of status, by what the ticket has now: where the row has changed again since, that is not what the new
 * row has.
 */
static void
count_event(const TicketChange *change, const StatusChange *event)
{
	History		alone = {.n = 1, .changes = (StatusChange *) event};
	Dims		dims;

	if (!change->row->superseded)
		dims = dims_of(change->new);
	else if (!dims_now(row_int64(change->new, TICKET_ID), &dims))
		return;
	count_moves(&alone, &dims, 1);
	count_if_again(change, event, &dims);
}

/* Take back what the old row counted for and the new one does not, count what the new one does, and the event. */
static void
count_difference(const TicketChange *change, uint32 before, uint32 after, const StatusChange *event)
{
	uint32		gone = before & ~(after & ~change->differing);
	uint32		come = after & ~(before & ~change->differing);
	Delta		delta;

	if (event != NULL)
	{
		gone |= STAT_BIT(STAT_STATUS_FLOW);
		come |= measures_of_change(event);
	}
	if (gone != 0)
	{
		delta = delta_of(change->old, gone, -1);
		if (event != NULL)
			delta_set_time(&delta, DELTA_AT, event->at);
		write_delta(&delta);
	}
	if (come != 0)
	{
		delta = delta_of(change->new, come, 1);
		if (event != NULL)
			add_change(&delta, event);
		write_delta(&delta);
	}
}

/*
 * Let the ticket's past follow a change of what it is counted by, or of when it was opened. Changes of the status that
 * are newer than this one are counted already by what the ticket has now.
 */
static void
move_past(const TicketChange *change)
{
	const Row  *old = change->old;
	bool		opened_else = changes(change->row, TICKET_CREATED_AT);
	History		history;

	if (!opened_else && !(change->dims_differ && was_solved(old)))
		return;
	SPI_connect();
	history = read_history(row_int64(old, TICKET_ID), row_int64(old, TICKET_VERSION));
	if (opened_else)
	{
		const char *status = history.n > 0 ? history.first_status : row_text(old, TICKET_STATUS);

		count_start(status, row_time(old, TICKET_CREATED_AT), -1);
		count_start(status, row_time(change->new, TICKET_CREATED_AT), 1);
	}
	if (change->dims_differ)
	{
		Dims		old_dims = dims_of(old);
		Dims		new_dims = dims_of(change->new);

		count_solves(&history, &old_dims, -1);
		count_solves(&history, &new_dims, 1);
	}
	SPI_finish();
}

/* A change of a ticket that was live and still is. */
static void
count_live_change(const TicketChange *change, const StatusChange *event)
{
	uint32		before = measures_of(change->old);
	uint32		after = measures_of(change->new);
	TagCount	tag_before = {before, row_time(change->old, TICKET_CREATED_AT)};
	TagCount	tag_after = {after, row_time(change->new, TICKET_CREATED_AT)};

	count_difference(change, before, after, change->row->superseded ? NULL : event);
	count_tags(row_int64(change->new, TICKET_ID), tag_before, tag_after);
	move_past(change);
	if (event != NULL && change->row->superseded)
		count_event(change, event);
	else if (event != NULL)
	{
		Dims		dims = dims_of(change->new);

		count_if_again(change, event, &dims);
	}
}

/* A deleted ticket comes back, its status perhaps changed by the same UPDATE. */
static void
count_return(const TicketChange *change, const StatusChange *event)
{
	const Row  *new = change->new;
	bool		solved = count_whole(new, row_int64(change->old, TICKET_VERSION),
									 row_text(change->old, TICKET_STATUS), 1);

	if (event != NULL)
		count_event(change, event);
	if (solved && !shows_solves(new))
		hide_solves(row_int64(new, TICKET_ID));
}

/* A ticket changes. */
static void
count_changed(const RowChange *row)
{
	const Row  *old = row->old;
	const Row  *new = row->new;
	TicketChange change = {.row = row, .old = old, .new = new};
	StatusChange event;
	bool		moves = changes(row, TICKET_STATUS);

	if (!compare(&change))
		return;
	lock_deltas();
	if (moves)
		event = status_change(row_text(old, TICKET_STATUS), row_text(new, TICKET_STATUS));
	if (is_live(old) && is_live(new))
		count_live_change(&change, moves ? &event : NULL);
	else if (is_live(old))
		(void) count_whole(old, row_int64(old, TICKET_VERSION), row_text(old, TICKET_STATUS), -1);
	else if (is_live(new))
		count_return(&change, moves ? &event : NULL);
	if (!shows_solves(new) && (shows_solves(old) || (moves && (event.solves || event.reopens))))
		hide_solves(row_int64(new, TICKET_ID));
}

static void
count_ticket(const RowChange *change)
{
	if (change->old == NULL)
		count_inserted(change->new, change->past_before);
	else if (change->new == NULL)
		count_removed(change->old);
	else
		count_changed(change);
}

void
stat_writer_init(void)
{
	static RowHooks hooks = {.table = &tickets_table, .count = count_ticket};

	add_row_hooks(&hooks, 1);
}
