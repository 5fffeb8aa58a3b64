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
#include "base/plan.h"
#include "base/rules.h"
#include "desk/workflow.h"

static const DeskColumn ticket_columns[] = {
	[TICKET_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[TICKET_NUMBER] = {"ticket_number", COLUMN_TEXT, NOT_NULL},
	[TICKET_STATUS] = {"status", COLUMN_TEXT, NOT_NULL},
	[TICKET_PRIORITY] = {"priority", COLUMN_TEXT},
	[TICKET_CREATOR_ID] = {"creator_id", COLUMN_BIGINT, NOT_NULL},
	[TICKET_CREATED_AT] = {"created_at", COLUMN_TIME, NOT_NULL},
	[TICKET_DELETED_AT] = {"deleted_at", COLUMN_TIME},
	[TICKET_TEAM_ID] = {"team_id", COLUMN_BIGINT},
	[TICKET_ASSIGNEE_ID] = {"assignee_id", COLUMN_BIGINT},
	[TICKET_PENDING_UNTIL] = {"pending_until", COLUMN_TIME},
	[TICKET_UPDATED_AT] = {"updated_at", COLUMN_TIME, FILLED_IN},
	[TICKET_VERSION] = {"version", COLUMN_BIGINT, FILLED_IN},
	[TICKET_FIRST_SOLVED_AT] = {"first_solved_at", COLUMN_TIME},
	[TICKET_SOLVED_AT] = {"solved_at", COLUMN_TIME},
	[TICKET_REOPEN_COUNT] = {"reopen_count", COLUMN_INTEGER, NOT_NULL},
	[TICKET_WAITING_SINCE] = {"waiting_since", COLUMN_TIME},
	[TICKET_LAST_CUSTOMER_AT] = {"last_customer_at", COLUMN_TIME},
	[TICKET_LAST_AGENT_AT] = {"last_agent_at", COLUMN_TIME},
	[TICKET_DELETED_BY] = {"deleted_by", COLUMN_BIGINT},
	[TICKET_DELETE_REASON] = {"delete_reason", COLUMN_TEXT},
	[TICKET_TITLE] = {"title", COLUMN_TEXT, NOT_NULL},
	[TICKET_DESCRIPTION] = {"description", COLUMN_TEXT, NOT_NULL},
	[TICKET_SEARCH] = {"search", COLUMN_WORDS},
	[TICKET_FIRST_REPLIED_AT] = {"first_replied_at", COLUMN_TIME},
	[TICKET_REPLY_COUNT] = {"reply_count", COLUMN_INTEGER, NOT_NULL},
	[TICKET_ORGANIZATION_ID] = {"organization_id", COLUMN_BIGINT},
	[TICKET_CHANNEL] = {"channel", COLUMN_TEXT},
	[TICKET_CUSTOM] = {"custom", COLUMN_JSON}
};

const DeskTable tickets_table = {
	.name = "tickets", .ticket_column = "id", .has_id = true,
	.columns = ticket_columns, .ncolumns = lengthof(ticket_columns), .derived = "search"
};

enum
{
	ASSIGNEE,
	LOCK_USER,
	TEAM
};

static Statement statements[] = {
	[ASSIGNEE] = {
		.text = "SELECT is_active, role FROM support.users WHERE id = $1 FOR KEY SHARE",
		.columns = {{BOOLOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	},
	[LOCK_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	},
	[TEAM] = {
		.text = "SELECT 1 FROM support.teams WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("teams")
	}
};

/*
 * The ticket whose books a comment's trigger keeps at the moment, 0 for none, and how deep in triggers that UPDATE's own
 * trigger is: only there do the columns that follow from comments move, and is no transition forbidden. What triggers of
 * the application do meanwhile, to this ticket or another, is held to the rules.
 */
static Bookkeeping bookkeeping;

/* How many triggers are at work, one within the other. */
int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/* From here to end_keeping_books(), which wants to know what was before, an UPDATE of ours keeps this ticket's books. */
Bookkeeping
keep_books_of(int64 ticket_id)
{
	Bookkeeping before = bookkeeping;

	bookkeeping.ticket_id = ticket_id;
	bookkeeping.depth = trigger_depth() + 1;
	return before;
}

void
end_keeping_books(Bookkeeping before)
{
	bookkeeping = before;
}

static bool
keeps_books(const Row *ticket)
{
	return bookkeeping.ticket_id != 0 && row_int64(ticket, TICKET_ID) == bookkeeping.ticket_id &&
		trigger_depth() == bookkeeping.depth;
}


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

/*
 * Raise 23514 for numbers that no ticket has. What only an INSERT can bring is checked here: the server reads every
 * CHECK of a table anew for each statement, which these are not worth.
 */
static void
check_numbers(const Row *ticket)
{
	static const struct
	{
		int			column;
		int64		least;
	}			numbers[] = {
		{TICKET_ID, 1}, {TICKET_VERSION, 1}, {TICKET_REOPEN_COUNT, 0}, {TICKET_REPLY_COUNT, 0}
	};

	for (int i = 0; i < lengthof(numbers); i++)
		if (!row_is_null(ticket, numbers[i].column) && row_int64(ticket, numbers[i].column) < numbers[i].least)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s of a ticket cannot be %lld", ticket_columns[numbers[i].column].name,
							(long long) row_int64(ticket, numbers[i].column))));
}

/*
 * Keep a new ticket's times. The description is the first comment, by the creator, so a customer's new ticket waits
 * from the start. An import gives what it knows; what it gives stays.
 */
void
ticket_before_insert(Row *ticket)
{
	static const int times[] = {
		TICKET_CREATED_AT, TICKET_WAITING_SINCE, TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_SOLVED_AT,
		TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT
	};
	TimestampTz created_at = row_time(ticket, TICKET_CREATED_AT);
	const char *role;
	bool		solved;

	check_numbers(ticket);
	for (int i = 0; i < lengthof(times); i++)
		row_check_finite(ticket, times[i]);
	/* a NULL is left for the column's own constraint to refuse */
	if (row_is_null(ticket, TICKET_STATUS) || row_is_null(ticket, TICKET_CREATED_AT))
		return;
	solved = is_solved(status_category(row_text(ticket, TICKET_STATUS)));
	if (solved)
	{
		set_time_if_null(ticket, TICKET_SOLVED_AT, created_at);
		set_time_if_null(ticket, TICKET_FIRST_SOLVED_AT, row_time(ticket, TICKET_SOLVED_AT));
		row_clear(ticket, TICKET_WAITING_SINCE);
	}
	else
		row_clear(ticket, TICKET_SOLVED_AT);

	if (!row_is_null(ticket, TICKET_LAST_CUSTOMER_AT) || row_is_null(ticket, TICKET_CREATOR_ID))
		return;
	role = role_of_user(row_int64(ticket, TICKET_CREATOR_ID));
	if (role == NULL || strcmp(role, "customer") != 0)
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
		refuse_number(psprintf("%s of ticket %lld", ticket_columns[column].name, (long long) row_int64(old, TICKET_ID)));
	row_set(new, column, is_bigint ? Int64GetDatum(number + 1) : Int32GetDatum((int32) number + 1));
}

/* Keep what follows from a change of status. */
static void
keep_status_change(const Row *old, Row *new)
{
	char	   *from = row_text(old, TICKET_STATUS);
	char	   *to = row_text(new, TICKET_STATUS);
	Category	before = status_category(from);
	Category	after = status_category(to);
	TimestampTz now = desk_now();

	if (!keeps_books(new))
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
		!row_column_differs(old, new, TICKET_PENDING_UNTIL))
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

/* Did a column change that is not one of the two which follow every change? */
static bool
really_changed(const Row *old, const Row *new)
{
	const TableShape *shape = new->shape;

	for (int i = 0; i < shape->natts; i++)
	{
		if (shape->kinds[i] == IMAGE_NONE ||
			i + 1 == shape->columns[TICKET_VERSION] || i + 1 == shape->columns[TICKET_UPDATED_AT])
			continue;
		if (row_differs(old, new, i))
			return true;
	}
	return false;
}

/*
 * Take over the columns that follow from comments and changes of status. A mapper that writes whole rows back would
 * undo what happened since it read them.
 */
static void
take_over_books(const Row *old, Row *new)
{
	static const int kept[] = {
		TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_SOLVED_AT, TICKET_REOPEN_COUNT, TICKET_REPLY_COUNT,
		TICKET_WAITING_SINCE, TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT
	};

	for (int i = 0; i < lengthof(kept); i++)
		row_take_over(old, new, kept[i]);
}

/* A new version, if anything changed. Returns whether it did. */
static bool
move_on(const Row *old, Row *new)
{
	if (row_int64(old, TICKET_ID) != row_int64(new, TICKET_ID))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the id of ticket %lld cannot change", (long long) row_int64(old, TICKET_ID))));
	row_check_finite(new, TICKET_CREATED_AT);
	row_take_over(old, new, TICKET_VERSION);
	row_take_over(old, new, TICKET_UPDATED_AT);
	if (!really_changed(old, new))
		return false;
	count_on(old, new, TICKET_VERSION);
	set_time(new, TICKET_UPDATED_AT, desk_now());
	return true;
}

/* Keep a ticket's own books in an UPDATE: version, updated_at, the solved times and who deleted it. */
void
ticket_before_update(const Row *old, Row *new)
{
	if (!keeps_books(new))
		take_over_books(old, new);
	if (!move_on(old, new))
		return;
	if (!row_is_null(old, TICKET_STATUS) && !row_is_null(new, TICKET_STATUS) &&
		row_column_differs(old, new, TICKET_STATUS))
		keep_status_change(old, new);
	if (row_column_differs(old, new, TICKET_DELETED_AT))
		keep_deletion(old, new);
}

/* A ticket's columns become what they were, its books among them. */
void
ticket_before_restoring_update(const Row *old, Row *new)
{
	(void) move_on(old, new);
}

/*
 * Raise 23503 unless tickets can be assigned to this user. The lock is the one that the foreign key takes as well;
 * settle_assignments() waits for it.
 */
void
check_assignee(int64 user_id)
{
	Args		args = {0};
	char	   *role;

	SPI_connect();
	arg_int64(&args, user_id);
	if (run(&statements[ASSIGNEE], &args) == 0)
		refuse_unknown_reference("user", user_id, "tickets", "tickets_assignee_id_fkey");
	role = result_text(0, 2);
	if (!result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: not active", (long long) user_id),
				 err_constraint("tickets", "tickets_assignee_id_fkey")));
	if (!answers_customers(role) && strcmp(role, "bot") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: role \"%s\"", (long long) user_id, role),
				 errhint("Agents, team leads, administrators and bots can."),
				 err_constraint("tickets", "tickets_assignee_id_fkey")));
	SPI_finish();
}

/*
 * A user's standing is about to change: wait for assignments to the user that are under way, and let later ones wait
 * for the change. An UPDATE alone does neither. The lock must be on the row as it was, so this comes before the UPDATE.
 */
void
settle_assignments(int64 user_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, user_id);
	run(&statements[LOCK_USER], &args);
	SPI_finish();
}

static void
check_team(int64 team_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, team_id);
	if (run(&statements[TEAM], &args) == 0)
		refuse_unknown_reference("team", team_id, "tickets", "tickets_team_id_fkey");
	SPI_finish();
}

/* Does an INSERT (old is NULL) or an UPDATE bring a new value other than NULL? */
static bool
brings(const Row *old, const Row *new, int column)
{
	return !row_is_null(new, column) && (old == NULL || row_column_differs(old, new, column));
}

/* Check what a ticket refers to, ahead of the foreign keys and with a clearer word than theirs. */
void
ticket_check(const Row *old, const Row *new)
{
	if (brings(old, new, TICKET_PRIORITY))
		check_priority(row_text(new, TICKET_PRIORITY), "tickets");
	if (brings(old, new, TICKET_ASSIGNEE_ID))
		check_assignee(row_int64(new, TICKET_ASSIGNEE_ID));
	if (brings(old, new, TICKET_TEAM_ID))
		check_team(row_int64(new, TICKET_TEAM_ID));
}
