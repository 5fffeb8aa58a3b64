/*
 * workflow.c
 *		What a ticket's row keeps by itself, and what it must refer to.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/lookups.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/assignment.h"
#include "desk/workflow.h"

static Statement find_team = {
	.text = "SELECT 1 FROM support.teams WHERE id = $1",
	.columns = {{INT4OID, NOT_NULL}},
	.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("teams")
};

static void
set_time(Row *row, int column, TimestampTz value)
{
	row_set(row, column, TimestampTzGetDatum(value));
}

static void
set_time_if_null(Row *row, int column, TimestampTz value)
{
	if (row_is_null(row, column))
		set_time(row, column, value);
}

/* What numbers a client may name. The desk counts on from them, and has room for that. */
typedef struct NumberRange
{
	int			column;
	int64		least;
	int64		most;
} NumberRange;

static const NumberRange version_range = {TICKET_VERSION, 0, INT64CONST(1) << 62};
static const NumberRange number_ranges[] = {
	{TICKET_REOPEN_COUNT, 0, 1 << 30}, {TICKET_REPLY_COUNT, 0, 1 << 30}
};

/* Raise 23514 for a number that no ticket has, or that leaves no room to count on. */
static void
check_number(const Row *ticket, const NumberRange *range)
{
	int64		number;

	if (row_is_null(ticket, range->column))
		return;
	number = row_int64(ticket, range->column);
	if (number < range->least || number > range->most)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s of a ticket cannot be %lld", tickets_table.columns[range->column].name, (long long) number),
				 number > range->most ? errhint("It may be %lld at most.", (long long) range->most) : 0));
}

/*
 * Check the numbers of a new ticket. What only an INSERT can bring is checked here: the server reads every CHECK of a table
 * anew for each statement, which these are not worth.
 */
static void
check_numbers(const Row *ticket)
{
	check_number(ticket, &version_range);
	for (int i = 0; i < lengthof(number_ranges); i++)
		check_number(ticket, &number_ranges[i]);
}

/*
 * Keep the role that the creator writes in now, unless the client gives the one there was. Who opens a ticket for himself
 * writes as its customer, whatever his role.
 */
static void
keep_creator_role(Row *ticket)
{
	int64		creator_id;
	const char *role = "customer";

	if (!row_is_null(ticket, TICKET_CREATOR_ROLE) || row_is_null(ticket, TICKET_CREATOR_ID))
		return;
	creator_id = row_int64(ticket, TICKET_CREATOR_ID);
	if (!row_is_null(ticket, TICKET_REQUESTER_ID) && row_int64(ticket, TICKET_REQUESTER_ID) != creator_id)
		role = role_of_user(creator_id);
	if (role != NULL)
		row_set(ticket, TICKET_CREATOR_ROLE, CStringGetTextDatum(role));
}

/*
 * Keep a new ticket's times. The description is the first comment, by the creator, so a customer's new ticket waits
 * from the start. An import gives what it knows; what it gives stays. When a ticket of the past was solved is not known
 * unless it says so.
 */
static void
complete_new_ticket(Row *ticket)
{
	static const int times[] = {
		TICKET_CREATED_AT, TICKET_WAITING_SINCE, TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_SOLVED_AT,
		TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT
	};
	TimestampTz created_at = row_time(ticket, TICKET_CREATED_AT);
	bool		solved;

	check_numbers(ticket);
	keep_creator_role(ticket);
	for (int i = 0; i < lengthof(times); i++)
		row_check_finite(ticket, times[i]);
	/* a NULL is left for the column's own constraint to refuse */
	if (row_is_null(ticket, TICKET_STATUS) || row_is_null(ticket, TICKET_CREATED_AT))
		return;
	solved = is_solved(status_category(row_text(ticket, TICKET_STATUS)));
	if (solved)
	{
		if (created_at >= desk_now())
			set_time_if_null(ticket, TICKET_SOLVED_AT, created_at);
		if (!row_is_null(ticket, TICKET_SOLVED_AT))
			set_time_if_null(ticket, TICKET_FIRST_SOLVED_AT, row_time(ticket, TICKET_SOLVED_AT));
		row_clear(ticket, TICKET_WAITING_SINCE);
	}
	else
		row_clear(ticket, TICKET_SOLVED_AT);

	if (!row_is_null(ticket, TICKET_LAST_CUSTOMER_AT) || row_is_null(ticket, TICKET_CREATOR_ROLE) ||
		strcmp(row_text(ticket, TICKET_CREATOR_ROLE), "customer") != 0)
		return;
	set_time(ticket, TICKET_LAST_CUSTOMER_AT, created_at);
	if (!solved && row_is_null(ticket, TICKET_LAST_AGENT_AT))
		set_time_if_null(ticket, TICKET_WAITING_SINCE, created_at);
}

/* Count on: what the old row has, and one more. Raises 22003 where the column has no room for it. */
static void
count_on(const Row *old, Row *new, int column)
{
	bool		is_bigint = TupleDescAttr(new->desc, new->shape->columns[column] - 1)->attlen == sizeof(int64);
	int64		number = row_int64(old, column);

	if (number >= (is_bigint ? PG_INT64_MAX : PG_INT32_MAX))
		refuse_number(psprintf("%s of ticket %lld", tickets_table.columns[column].name, (long long) row_int64(old, TICKET_ID)));
	row_set(new, column, is_bigint ? Int64GetDatum(number + 1) : Int32GetDatum((int32) number + 1));
}

/* Keep what follows from a change of status. */
static void
keep_status_change(RowChange *change, bool keeps_books)
{
	const Row  *old = change->old;
	Row		   *new = change->new;
	char	   *from = row_text(old, TICKET_STATUS);
	char	   *to = row_text(new, TICKET_STATUS);
	Category	before = status_category(from);
	Category	after = status_category(to);
	TimestampTz now = desk_now();

	if (!keeps_books)
		check_transition(row_int64(new, TICKET_ID), from, to);
	if (is_solved(after) && !is_solved(before))
	{
		set_time(new, TICKET_SOLVED_AT, now);
		set_time_if_null(new, TICKET_FIRST_SOLVED_AT, now);
		row_clear(new, TICKET_WAITING_SINCE);
	}
	if (is_solved(before) && !is_solved(after))
	{
		row_clear(new, TICKET_SOLVED_AT);
		count_on(old, new, TICKET_REOPEN_COUNT);
	}
	if (after != CATEGORY_PENDING && after != CATEGORY_HOLD &&
		!changes(change, TICKET_PENDING_UNTIL))
		row_clear(new, TICKET_PENDING_UNTIL);
}

/* Keep who deleted a ticket, and forget it when the ticket comes back. */
static void
keep_deletion(const Row *old, Row *new)
{
	int64		actor_id;

	if (row_is_null(new, TICKET_DELETED_AT))
	{
		row_clear(new, TICKET_DELETED_BY);
		row_clear(new, TICKET_DELETE_REASON);
	}
	else if (row_is_null(old, TICKET_DELETED_AT) && row_is_null(new, TICKET_DELETED_BY) && acting_user(&actor_id))
		row_set(new, TICKET_DELETED_BY, Int64GetDatum(actor_id));
}

static bool
is_live_and_unsolved(const Row *ticket)
{
	return row_is_null(ticket, TICKET_DELETED_AT) && !row_is_null(ticket, TICKET_STATUS) &&
		!is_solved_status(row_text(ticket, TICKET_STATUS));
}

/*
 * A ticket that is live and unsolved again goes to nobody if its assignee is gone. Who names one in the same UPDATE is told,
 * see check_ticket(), unless the row becomes what it was.
 */
static void
release_from_gone_assignee(RowChange *change)
{
	if (!changes(change, TICKET_STATUS) && !changes(change, TICKET_DELETED_AT))
		return;
	if (row_is_null(change->new, TICKET_ASSIGNEE_ID) || (changes(change, TICKET_ASSIGNEE_ID) && !change->restoring))
		return;
	if (is_live_and_unsolved(change->new) && !is_live_and_unsolved(change->old) &&
		!can_have_tickets(row_int64(change->new, TICKET_ASSIGNEE_ID)))
		row_clear(change->new, TICKET_ASSIGNEE_ID);
}

/* Did a column change that is not one of the two which follow every change? */
static bool
really_changed(const RowChange *change)
{
	const TableShape *shape = change->new->shape;

	for (int i = 0; i < shape->natts; i++)
		if (change->differs[i] && i + 1 != shape->columns[TICKET_VERSION] && i + 1 != shape->columns[TICKET_UPDATED_AT])
			return true;
	return false;
}

/* Does the change tell when a ticket was solved that came in, and still is, without anybody knowing? */
static bool
tells_solved_at(const RowChange *change)
{
	return row_is_null(change->old, TICKET_SOLVED_AT) && !row_is_null(change->new, TICKET_SOLVED_AT) &&
		!row_is_null(change->old, TICKET_STATUS) && !changes(change, TICKET_STATUS) &&
		is_solved(status_category(row_text(change->old, TICKET_STATUS)));
}

/*
 * Take over the columns that follow from comments and changes of status. A mapper that writes whole rows back would
 * undo what happened since it read them. Only what is not known may be told.
 */
static void
take_over_books(RowChange *change)
{
	static const int kept[] = {
		TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_REOPEN_COUNT, TICKET_REPLY_COUNT, TICKET_WAITING_SINCE,
		TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT, TICKET_CREATOR_ROLE
	};
	bool		told = tells_solved_at(change);

	for (int i = 0; i < lengthof(kept); i++)
		take_over(change, kept[i]);
	if (!told)
		take_over(change, TICKET_SOLVED_AT);
	else
	{
		row_check_finite(change->new, TICKET_SOLVED_AT);
		set_time_if_null(change->new, TICKET_FIRST_SOLVED_AT, row_time(change->new, TICKET_SOLVED_AT));
	}
}

/*
 * Does the client name a newer version or time of change? So a mapper says that the object changed, though of its columns
 * here none did, and from then on it goes by what it named. Who writes back a row that is older than ours names nothing.
 */
static bool
names_newer(const RowChange *change, int column)
{
	return !change->restoring && !row_is_null(change->new, column) &&
		DatumGetInt64(row_datum(change->new, column)) > DatumGetInt64(row_datum(change->old, column));
}

/* Do only the books follow from what was brought in, and happened before the ticket last changed? */
static bool
is_old_news(const RowChange *change)
{
	return keeps_books_of(row_int64(change->new, TICKET_ID)) && !row_is_null(change->old, TICKET_UPDATED_AT) &&
		modes.books_follow <= row_time(change->old, TICKET_UPDATED_AT);
}

/* Move version and updated_at on with a change: where nothing else changes, to what the client names. */
static void
move_versions(const RowChange *change, bool names_version, bool names_time)
{
	if (names_version)
		check_number(change->new, &version_range);
	else
		count_on(change->old, change->new, TICKET_VERSION);
	if (!names_time && !is_old_news(change))
		set_time(change->new, TICKET_UPDATED_AT, desk_now());
	row_check_finite(change->new, TICKET_UPDATED_AT);
}

/* A new version, if anything changed or the client says so. Returns whether there is one. */
static bool
move_on(RowChange *change)
{
	const Row  *old = change->old;
	Row		   *new = change->new;
	bool		names_version = names_newer(change, TICKET_VERSION);
	bool		names_time = names_newer(change, TICKET_UPDATED_AT);

	if (changes(change, TICKET_ID))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the id of ticket %lld cannot change", (long long) row_int64(old, TICKET_ID))));
	row_check_finite(new, TICKET_CREATED_AT);
	if (really_changed(change))
		move_versions(change, false, false);
	else if (names_version || names_time)
		move_versions(change, names_version, names_time);
	else
	{
		row_take_over(old, new, TICKET_VERSION);
		row_take_over(old, new, TICKET_UPDATED_AT);
		return false;
	}
	return true;
}

/* Keep a ticket's own books in an UPDATE: version, updated_at, the solved times and who deleted it. */
static void
complete_changed_ticket(RowChange *change)
{
	bool		keeps_books = keeps_books_of(row_int64(change->new, TICKET_ID));

	if (!keeps_books)
		take_over_books(change);
	if (!move_on(change))
		return;
	if (!row_is_null(change->old, TICKET_STATUS) && !row_is_null(change->new, TICKET_STATUS) &&
		changes(change, TICKET_STATUS))
		keep_status_change(change, keeps_books);
	if (changes(change, TICKET_DELETED_AT))
		keep_deletion(change->old, change->new);
	release_from_gone_assignee(change);
}

static void
complete_ticket(RowChange *change)
{
	if (change->old == NULL && !change->restoring)
		complete_new_ticket(change->new);
	else if (change->old != NULL && !change->restoring)
		complete_changed_ticket(change);
	else if (change->old != NULL && move_on(change))
		release_from_gone_assignee(change);
}

static void
check_team(int64 team_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, team_id);
	if (run(&find_team, &args) == 0)
		refuse_unknown_reference("team", team_id, "tickets", "tickets_team_id_fkey");
	SPI_finish();
}

/* Does an INSERT or an UPDATE bring a new value other than NULL? */
static bool
brings(const RowChange *change, int column)
{
	return changes(change, column) && !row_is_null(change->new, column);
}

/* Check what a ticket refers to, ahead of the foreign keys and with a clearer word than theirs. */
static void
check_ticket(const RowChange *change)
{
	/* what was removed comes back as it was; the foreign keys tell what is gone since */
	if (change->old == NULL && change->restoring)
		return;
	if (brings(change, TICKET_PRIORITY))
		check_priority(row_text(change->new, TICKET_PRIORITY), "tickets");
	/* what is solved or deleted may go back to who is gone */
	if (brings(change, TICKET_ASSIGNEE_ID) && (!change->restoring || is_live_and_unsolved(change->new)))
		check_assignee(row_int64(change->new, TICKET_ASSIGNEE_ID));
	if (brings(change, TICKET_TEAM_ID))
		check_team(row_int64(change->new, TICKET_TEAM_ID));
}

void
workflow_init(void)
{
	static RowHooks hooks = {.table = &tickets_table, .complete = complete_ticket, .check = check_ticket};

	add_row_hooks(&hooks, 1);
}
