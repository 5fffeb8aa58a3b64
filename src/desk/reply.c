/*
 * reply.c
 *		What a comment does to its ticket.
 *
 * An agent's reply is a public comment by somebody who was agent, team lead or administrator when writing it. A customer's
 * comment is a public one by a customer, or by the ticket's requester, who is its customer whatever his role. Private notes
 * touch nothing, nor does what came by way of a bot or an automatic answer.
 *
 * The ticket row is locked before it is looked at, so two comments on one ticket take turns, and a comment and a
 * deletion see each other. The lock is the one that an UPDATE takes: foreign keys to the ticket do not wait for it.
 *
 * Comments may arrive out of order, with the times of another system. One that is older than what the ticket's books
 * say already has them worked out again from all comments, so that they are what they would be had it come in time. A
 * comment that carries the transaction's own time is never old: the transaction may have begun before a change of
 * status that it sees.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/lookups.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/reply.h"
#include "desk/ticket_access.h"
#include "stats/stat_writer.h"

enum
{
	IS_REQUESTER,
	LOCK_TICKET,
	LOCK_LIVE_TICKET,
	STATUS_SET_AT,
	COUNT_REPLY,
	NOTE_CUSTOMER,
	RECOUNT
};

static Statement statements[] = {
	[IS_REQUESTER] = {
		.text = "SELECT 1 FROM support.tickets"
		" WHERE id = $1 AND coalesce(requester_id, creator_id) = $2",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[LOCK_TICKET] = {
		.text = "SELECT status, deleted_at IS NOT NULL, last_customer_at, last_agent_at"
		" FROM support.tickets WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{TEXTOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {TIMESTAMPTZOID}, {TIMESTAMPTZOID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[LOCK_LIVE_TICKET] = {
		.text = "SELECT deleted_at IS NULL FROM support.tickets"
		" WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[STATUS_SET_AT] = {
		.text = "SELECT max(a.occurred_at) FILTER (WHERE a.action = 'INSERT'),"
		" max(a.occurred_at) FILTER (WHERE a.action = 'UPDATE'"
		"	AND a.new_value ? 'status')"
		" FROM support.audit_log AS a"
		" WHERE a.ticket_id = $1 AND a.table_name = 'tickets'",
		.columns = {{TIMESTAMPTZOID}, {TIMESTAMPTZOID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	},
	[COUNT_REPLY] = {
		.text = "UPDATE support.tickets SET"
		" reply_count = reply_count + 1,"
		" first_replied_at = coalesce(first_replied_at, $2),"
		" last_agent_at = $2,"
		" waiting_since = NULL"
		" WHERE id = $1",
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[NOTE_CUSTOMER] = {
		.text = "UPDATE support.tickets SET"
		" status = coalesce($3, status),"
		" last_customer_at = $2,"
		" waiting_since = CASE WHEN $4 THEN coalesce(waiting_since, $2) ELSE waiting_since END"
		" WHERE id = $1",
		.nargs = 4, .argtypes = {INT8OID, TIMESTAMPTZOID, TEXTOID, BOOLOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[RECOUNT] = {
		.text = "UPDATE support.tickets AS t SET"
		" reply_count = n.reply_count,"
		" first_replied_at = n.first_replied_at,"
		" last_agent_at = n.last_agent_at,"
		" last_customer_at = n.last_customer_at,"
		" waiting_since = CASE WHEN (SELECT support_internal.is_solved(s.category)"
		"	FROM support.statuses AS s WHERE s.name = t.status) IS NOT TRUE THEN n.waiting_since END"
		" FROM support_internal.books_of_ticket($1) AS n"
		" WHERE t.id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* What a comment's ticket is like. */
typedef struct TicketState
{
	int64		id;
	Category	category;
	TimestampTz last_customer_at;	/* DT_NOBEGIN if never */
	TimestampTz last_agent_at;		/* likewise */
	TimestampTz follow;				/* when the comment was written that is brought in; DT_NOEND is now */
} TicketState;

typedef enum Writer
{
	WRITER_AGENT,
	WRITER_CUSTOMER,
	WRITER_OTHER				/* private, automatic, or of a role that neither asks nor answers */
} Writer;

static Writer
writer_of(const Row *comment)
{
	char	   *role;
	char	   *via;

	if (row_bool(comment, COMMENT_IS_PRIVATE) || row_is_null(comment, COMMENT_AUTHOR_ROLE))
		return WRITER_OTHER;
	role = row_text(comment, COMMENT_AUTHOR_ROLE);
	via = row_text(comment, COMMENT_VIA);
	if (via != NULL && (strcmp(via, "auto") == 0 || strcmp(via, "bot") == 0))
		return WRITER_OTHER;
	if (strcmp(role, "customer") == 0)
		return WRITER_CUSTOMER;
	return answers_customers(role) ? WRITER_AGENT : WRITER_OTHER;
}

static TimestampTz
result_time(int column)
{
	return result_is_null(0, column) ? DT_NOBEGIN : DatumGetTimestampTz(result(0, column));
}

/* Lock the ticket and read its state. Raises P0002 if there is none, or none that is visible, 55000 if it was deleted. */
static TicketState
lock_ticket(int64 ticket_id)
{
	TicketState ticket = {.id = ticket_id};
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[LOCK_TICKET], &args) == 0)
		refuse_absent_ticket(ticket_id);
	if (result_bool(0, 2))
	{
		check_ticket_is_seen(ticket_id);
		refuse_deleted_ticket(ticket_id);
	}
	ticket.last_customer_at = result_time(3);
	ticket.last_agent_at = result_time(4);
	ticket.category = status_category(result_text(0, 1));
	return ticket;
}

/* How a comment's time lies to what became of the ticket's status. */
typedef enum Precedence
{
	AFTER_STATUS,				/* written under the status that the ticket has */
	BEFORE_ROW,					/* before the row was inserted, which came with its status: an import */
	BEFORE_CHANGE				/* before the status last changed */
} Precedence;

/* Only a comment that is brought in later than it was written can precede, and is worth a look into the log. */
static Precedence
precedence_of(int64 ticket_id, TimestampTz created_at)
{
	Args		args = {0};

	if (created_at >= desk_now())
		return AFTER_STATUS;
	arg_int64(&args, ticket_id);
	run(&statements[STATUS_SET_AT], &args);
	if (created_at < result_time(2))
		return BEFORE_CHANGE;
	return created_at < result_time(1) ? BEFORE_ROW : AFTER_STATUS;
}

/* Must the books be worked out again for a comment of this time to have its place in them? */
static bool
is_out_of_order(const TicketState *ticket, TimestampTz created_at, Precedence precedence)
{
	TimestampTz latest = Max(ticket->last_customer_at, ticket->last_agent_at);

	if (created_at < latest || precedence == BEFORE_CHANGE)
		return true;
	/* brought in by the same statement as one before it, which has counted all of them */
	return created_at == latest && created_at < desk_now();
}

/* Raise 55000 for a public comment on a ticket that was closed before; older comments may still be imported. */
static void
check_not_closed(const TicketState *ticket, Precedence precedence)
{
	if (ticket->category != CATEGORY_CLOSED || precedence != AFTER_STATUS)
		return;
	check_ticket_is_seen(ticket->id);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("ticket %lld is closed", (long long) ticket->id),
			 errhint("Open a new ticket, or add a private note.")));
}

/* A statement, and what it is run with. */
typedef struct Running
{
	Statement  *statement;
	const Args *args;
} Running;

static void
run_it(void *arg)
{
	Running    *running = arg;

	run(running->statement, running->args);
}

/* Run a statement that keeps the books of a ticket, its first argument, for what happened at an instant; DT_NOEND is now. */
static void
keep_books(Statement *statement, const Args *args, TimestampTz follow)
{
	Modes		bookkeeping = bookkeeping_mode(DatumGetInt64(args->values[0]), follow);
	Running		running = {statement, args};

	work_in(&bookkeeping, run_it, &running);
}

/* An agent's reply: whoever waited has an answer. */
static void
count_reply(const TicketState *ticket, TimestampTz replied_at)
{
	Args		args = {0};

	arg_int64(&args, ticket->id);
	arg(&args, TimestampTzGetDatum(replied_at));
	keep_books(&statements[COUNT_REPLY], &args, ticket->follow);
}

/* A customer's comment: the customer waits, and a ticket that waited for the customer or was solved is open again. */
static void
note_customer(const TicketState *ticket, TimestampTz written_at, Precedence precedence)
{
	bool		reopens = precedence == AFTER_STATUS &&
		(ticket->category == CATEGORY_PENDING || ticket->category == CATEGORY_HOLD ||
		 ticket->category == CATEGORY_SOLVED);
	Args		args = {0};

	arg_int64(&args, ticket->id);
	arg(&args, TimestampTzGetDatum(written_at));
	arg_text(&args, reopens ? reopen_status() : NULL);
	arg(&args, BoolGetDatum(reopens || !is_solved(ticket->category)));
	keep_books(&statements[NOTE_CUSTOMER], &args, ticket->follow);
}

static bool
is_requester(int64 ticket_id, int64 user_id)
{
	Args		args = {0};
	bool		found;

	SPI_connect();
	arg_int64(&args, ticket_id);
	arg_int64(&args, user_id);
	found = run(&statements[IS_REQUESTER], &args) > 0;
	SPI_finish();
	return found;
}

/* Keep the role that the author writes in now, unless the client gives the one there was. */
static void
keep_author_role(Row *comment)
{
	int64		author_id;
	const char *role;

	if (!row_is_null(comment, COMMENT_AUTHOR_ROLE) || row_is_null(comment, COMMENT_AUTHOR_ID))
		return;
	author_id = row_int64(comment, COMMENT_AUTHOR_ID);
	role = role_of_user(author_id);
	if (role == NULL)
		return;
	if (strcmp(role, "customer") != 0 && !row_is_null(comment, COMMENT_TICKET_ID) &&
		is_requester(row_int64(comment, COMMENT_TICKET_ID), author_id))
		role = "customer";
	row_set(comment, COMMENT_AUTHOR_ROLE, CStringGetTextDatum(role));
}

/* Does somebody write public comments only on tickets of his own? By what he is now, whatever role the comment names. */
static bool
writes_notes_only(const Row *comment)
{
	int64		author_id = row_int64(comment, COMMENT_AUTHOR_ID);
	const char *written_as = row_text(comment, COMMENT_AUTHOR_ROLE);
	const char *role = role_of_user(author_id);

	if (written_as != NULL && strcmp(written_as, "light_agent") == 0)
		return true;
	return role != NULL && strcmp(role, "light_agent") == 0 && !is_requester(row_int64(comment, COMMENT_TICKET_ID), author_id);
}

static bool
is_imported(const Row *comment)
{
	const char *via = row_text(comment, COMMENT_VIA);

	return via != NULL && strcmp(via, "import") == 0;
}

/* Raise 42501 for a public comment by a light agent, unless it was written elsewhere and brought in from there. */
static void
check_may_be_public(const Row *comment, bool is_from_elsewhere)
{
	if (is_from_elsewhere || row_is_null(comment, COMMENT_IS_PRIVATE) || row_bool(comment, COMMENT_IS_PRIVATE) ||
		row_is_null(comment, COMMENT_AUTHOR_ID) || row_is_null(comment, COMMENT_TICKET_ID) || !writes_notes_only(comment))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("user %lld writes private notes only: role \"light_agent\"",
					(long long) row_int64(comment, COMMENT_AUTHOR_ID)),
			 errhint("Pass is_private => true, or let an agent answer. On a ticket of his own he writes as its customer.")));
}

static void
complete_new_comment(Row *comment)
{
	row_check_finite(comment, COMMENT_CREATED_AT);
	row_check_finite(comment, COMMENT_EDITED_AT);
	keep_author_role(comment);
	check_may_be_public(comment, is_imported(comment));
}

/*
 * When the text last changed is not the client's to say: neither who hides an edit nor who writes whole rows back. Nor is
 * the author's role unsaid by who has not read it.
 */
static void
complete_changed_comment(RowChange *change)
{
	const Row  *old = change->old;
	Row		   *new = change->new;

	if (changes(change, COMMENT_TICKET_ID) || changes(change, COMMENT_ID))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("comment %lld stays with ticket %lld and keeps its id",
						(long long) row_int64(old, COMMENT_ID), (long long) row_int64(old, COMMENT_TICKET_ID))));
	row_check_finite(new, COMMENT_CREATED_AT);
	if (row_is_null(new, COMMENT_AUTHOR_ROLE))
		take_over(change, COMMENT_AUTHOR_ROLE);
	if (changes(change, COMMENT_IS_PRIVATE) || changes(change, COMMENT_AUTHOR_ROLE) || changes(change, COMMENT_AUTHOR_ID) ||
		changes(change, COMMENT_VIA))
		check_may_be_public(new, is_imported(old) && is_imported(new));
	if (changes(change, COMMENT_CONTENT) && !is_erased(new))
		row_set(new, COMMENT_EDITED_AT, TimestampTzGetDatum(desk_now()));
	else
		take_over(change, COMMENT_EDITED_AT);
}

static void
complete_comment(RowChange *change)
{
	if (change->restoring)
		return;
	if (change->old == NULL)
		complete_new_comment(change->new);
	else
		complete_changed_comment(change);
}

static void
recount_books(int64 ticket_id, TimestampTz follow)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, ticket_id);
	keep_books(&statements[RECOUNT], &args, follow);
	SPI_finish();
}

/* Work a ticket's reply bookkeeping out again from the comments there are. A removed ticket has none. */
void
recount_replies(int64 ticket_id)
{
	recount_books(ticket_id, DT_NOEND);
}

/* What a comment counts for in the reports, if anything. */
static Writer
counted_writer(const Row *comment)
{
	return comment == NULL || !row_is_null(comment, COMMENT_DELETED_AT) ? WRITER_OTHER : writer_of(comment);
}

/* Count a comment of a live ticket. */
static void
count(const Row *comment, int32 weight)
{
	Writer		writer = counted_writer(comment);

	if (writer != WRITER_OTHER)
		count_comment(writer == WRITER_AGENT ? STAT_REPLY : STAT_CUSTOMER_COMMENT,
					  row_int64(comment, COMMENT_AUTHOR_ID), row_time(comment, COMMENT_CREATED_AT), weight);
}

/* Lock the ticket and tell whether it is there and not deleted. */
static bool
lock_if_live(int64 ticket_id)
{
	Args		args = {0};
	bool		live;

	SPI_connect();
	arg_int64(&args, ticket_id);
	live = run(&statements[LOCK_LIVE_TICKET], &args) > 0 && result_bool(0, 1);
	SPI_finish();
	return live;
}

/* Does the comment count for the same as before? */
static bool
counts_the_same(const RowChange *change)
{
	return counted_writer(change->old) == counted_writer(change->new) &&
		(counted_writer(change->new) == WRITER_OTHER ||
		 !(changes(change, COMMENT_AUTHOR_ID) || changes(change, COMMENT_CREATED_AT)));
}

/*
 * A comment comes, changes or goes: let the reports follow. The comments of a deleted ticket count for nothing; the lock
 * keeps the ticket as it is until our transaction ends.
 */
static void
recount(const RowChange *change)
{
	const Row  *either = change->old ? change->old : change->new;

	if (counts_the_same(change) || !lock_if_live(row_int64(either, COMMENT_TICKET_ID)))
		return;
	count(change->old, -1);
	count(change->new, 1);
}

/* A new comment: check that the ticket takes it, then keep the ticket's books. */
static void
follow_new_comment(const Row *comment)
{
	int64		ticket_id = row_int64(comment, COMMENT_TICKET_ID);
	TimestampTz created_at = row_time(comment, COMMENT_CREATED_AT);
	Writer		writer = writer_of(comment);
	TicketState ticket;
	Precedence	precedence;

	SPI_connect();
	ticket = lock_ticket(ticket_id);
	ticket.follow = is_imported(comment) ? created_at : DT_NOEND;
	precedence = precedence_of(ticket_id, created_at);
	if (!row_bool(comment, COMMENT_IS_PRIVATE))
		check_not_closed(&ticket, precedence);
	if (!row_is_null(comment, COMMENT_DELETED_AT))
		writer = WRITER_OTHER;
	count(comment, 1);
	if (writer == WRITER_CUSTOMER && precedence != BEFORE_CHANGE)
		note_customer(&ticket, created_at, precedence);
	if (writer == WRITER_AGENT && !is_out_of_order(&ticket, created_at, precedence))
		count_reply(&ticket, created_at);
	else if (writer != WRITER_OTHER && is_out_of_order(&ticket, created_at, precedence))
		recount_books(ticket_id, ticket.follow);
	SPI_finish();
}

/* Raise 55000 if a private note on a closed ticket is made public. */
static void
check_publication(const Row *old, const Row *new)
{
	TicketState ticket;

	if (!row_bool(old, COMMENT_IS_PRIVATE) || row_bool(new, COMMENT_IS_PRIVATE))
		return;
	SPI_connect();
	ticket = lock_ticket(row_int64(new, COMMENT_TICKET_ID));
	check_not_closed(&ticket, AFTER_STATUS);
	SPI_finish();
}

/* A change of what a comment counts as. */
static void
follow_changed_comment(const RowChange *change)
{
	static const int counted[] = {
		COMMENT_IS_PRIVATE, COMMENT_DELETED_AT, COMMENT_CREATED_AT, COMMENT_AUTHOR_ROLE, COMMENT_VIA
	};

	check_publication(change->old, change->new);
	recount(change);
	for (int i = 0; i < lengthof(counted); i++)
	{
		if (changes(change, counted[i]))
		{
			recount_replies(row_int64(change->new, COMMENT_TICKET_ID));
			return;
		}
	}
}

static void
follow_removed_comment(const RowChange *change)
{
	const Row  *comment = change->old;

	recount(change);
	if (!row_bool(comment, COMMENT_IS_PRIVATE) && row_is_null(comment, COMMENT_DELETED_AT))
		recount_replies(row_int64(comment, COMMENT_TICKET_ID));
}

/* Let the ticket's books and the reports follow. The books of a ticket that is restored come back with its row. */
static void
follow_comment(const RowChange *change)
{
	if (change->restoring)
		recount(change);
	else if (change->old == NULL)
		follow_new_comment(change->new);
	else if (change->new == NULL)
		follow_removed_comment(change);
	else
		follow_changed_comment(change);
}

void
reply_init(void)
{
	static RowHooks hooks = {.table = &comments_table, .complete = complete_comment, .follow = follow_comment};

	add_row_hooks(&hooks, 1);
}
