/*
 * reply.c
 *		What a comment does to its ticket.
 *
 * An agent's reply is a public comment by somebody who was agent, team lead or administrator when writing it, other
 * than by way of a bot or an automatic answer. A customer's comment is a public one by a customer. Private notes touch
 * nothing.
 *
 * The ticket row is locked before it is looked at, so two comments on one ticket take turns, and a comment and a
 * deletion see each other. The lock is the one that an UPDATE takes: foreign keys to the ticket do not wait for it.
 * Comments may arrive out of order, with the times of another system; what is kept is what it would be had they come
 * in order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "actor.h"
#include "errors.h"
#include "plan.h"
#include "reply.h"
#include "workflow.h"

static const char *const comment_columns[] = {
	[COMMENT_TICKET_ID] = "ticket_id",
	[COMMENT_ID] = "id",
	[COMMENT_AUTHOR_ID] = "author_id",
	[COMMENT_CONTENT] = "content",
	[COMMENT_IS_PRIVATE] = "is_private",
	[COMMENT_CREATED_AT] = "created_at",
	[COMMENT_AUTHOR_ROLE] = "author_role",
	[COMMENT_VIA] = "via",
	[COMMENT_EDITED_AT] = "edited_at",
	[COMMENT_DELETED_AT] = "deleted_at"
};

const DeskTable comments_table = {
	.name = "comments", .ticket_column = "ticket_id", .has_id = true,
	.columns = comment_columns, .ncolumns = lengthof(comment_columns)
};

enum
{
	LOCK_TICKET,
	IS_REMOVED,
	OLDEST_UNANSWERED,
	COUNT_REPLY,
	NOTE_CUSTOMER,
	RECOUNT
};

static Statement statements[] = {
	[LOCK_TICKET] = {
		.text = "SELECT status, deleted_at IS NOT NULL, coalesce(status_changed_at, created_at),"
		" last_customer_at, last_agent_at"
		" FROM support.tickets WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner = true
	},
	[IS_REMOVED] = {
		.text = "SELECT 1 FROM support_internal.recycle_bin WHERE ticket_id OPERATOR(pg_catalog.=) $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner = true
	},
	[OLDEST_UNANSWERED] = {
		.text = "SELECT pg_catalog.min(created_at) FROM support.comments"
		" WHERE ticket_id OPERATOR(pg_catalog.=) $1 AND created_at OPERATOR(pg_catalog.>) $2"
		" AND NOT is_private AND deleted_at IS NULL AND author_role OPERATOR(pg_catalog.=) 'customer'",
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}, .as_owner = true
	},
	[COUNT_REPLY] = {
		.text = "UPDATE support.tickets SET"
		" reply_count = reply_count OPERATOR(pg_catalog.+) 1,"
		" first_replied_at = LEAST(first_replied_at, $2),"
		" last_agent_at = GREATEST(last_agent_at, $2),"
		" waiting_since = $3"
		" WHERE id OPERATOR(pg_catalog.=) $1",
		.nargs = 3, .argtypes = {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID}, .as_owner = true
	},
	[NOTE_CUSTOMER] = {
		.text = "UPDATE support.tickets SET"
		" status = coalesce($3, status),"
		" last_customer_at = GREATEST(last_customer_at, $2),"
		" waiting_since = CASE WHEN $4 THEN LEAST(waiting_since, $2) ELSE waiting_since END"
		" WHERE id OPERATOR(pg_catalog.=) $1",
		.nargs = 4, .argtypes = {INT8OID, TIMESTAMPTZOID, TEXTOID, BOOLOID}, .as_owner = true
	},
	[RECOUNT] = {
		.text = "WITH written AS"
		" ("
		"	SELECT 'customer' AS writer, t.created_at"
		"	FROM support.tickets AS t"
		"	JOIN support.users AS u ON u.id OPERATOR(pg_catalog.=) t.creator_id"
		"	WHERE t.id OPERATOR(pg_catalog.=) $1 AND u.role OPERATOR(pg_catalog.=) 'customer'"
		"	UNION ALL"
		"	SELECT CASE WHEN c.author_role OPERATOR(pg_catalog.=) 'customer' THEN 'customer' ELSE 'agent' END, c.created_at"
		"	FROM support.comments AS c"
		"	WHERE c.ticket_id OPERATOR(pg_catalog.=) $1 AND NOT c.is_private AND c.deleted_at IS NULL"
		"		AND (c.author_role OPERATOR(pg_catalog.=) 'customer'"
		"			OR (c.author_role OPERATOR(pg_catalog.=) ANY (ARRAY['agent', 'team_lead', 'admin'])"
		"				AND c.via OPERATOR(pg_catalog.<>) ALL (ARRAY['auto', 'bot'])))"
		" ),"
		" answered AS"
		" ("
		"	SELECT"
		"		pg_catalog.count(*) FILTER (WHERE w.writer OPERATOR(pg_catalog.=) 'agent') AS replies,"
		"		pg_catalog.min(w.created_at) FILTER (WHERE w.writer OPERATOR(pg_catalog.=) 'agent') AS first_reply_at,"
		"		pg_catalog.max(w.created_at) FILTER (WHERE w.writer OPERATOR(pg_catalog.=) 'agent') AS last_reply_at,"
		"		pg_catalog.max(w.created_at) FILTER (WHERE w.writer OPERATOR(pg_catalog.=) 'customer') AS last_customer_at"
		"	FROM written AS w"
		" ),"
		" solved AS"
		" ("
		"	SELECT pg_catalog.max((a.new_value OPERATOR(pg_catalog.->>) 'solved_at')::pg_catalog.timestamptz) AS at"
		"	FROM support.audit_log AS a"
		"	WHERE a.ticket_id OPERATOR(pg_catalog.=) $1 AND a.table_name OPERATOR(pg_catalog.=) 'tickets'"
		"		AND a.action OPERATOR(pg_catalog.=) 'UPDATE'"
		" )"
		" UPDATE support.tickets AS t SET"
		" reply_count = n.replies,"
		" first_replied_at = n.first_reply_at,"
		" last_agent_at = n.last_reply_at,"
		" last_customer_at = n.last_customer_at,"
		" waiting_since = CASE WHEN t.solved_at IS NULL THEN"
		"	(SELECT pg_catalog.min(w.created_at) FROM written AS w"
		"	 WHERE w.writer OPERATOR(pg_catalog.=) 'customer'"
		"		AND w.created_at OPERATOR(pg_catalog.>)"
		"			coalesce(GREATEST(n.last_reply_at, s.at), '-infinity'::pg_catalog.timestamptz)) END"
		" FROM answered AS n CROSS JOIN solved AS s"
		" WHERE t.id OPERATOR(pg_catalog.=) $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner = true
	}
};

/* What a comment's ticket is like. */
typedef struct TicketState
{
	int64		id;
	Category	category;
	TimestampTz status_changed_at;
	TimestampTz last_customer_at;	/* DT_NOBEGIN if never */
	TimestampTz last_agent_at;		/* likewise */
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
	if (strcmp(role, "customer") == 0)
		return WRITER_CUSTOMER;
	if (answers_customers(role) && strcmp(via, "auto") != 0 && strcmp(via, "bot") != 0)
		return WRITER_AGENT;
	return WRITER_OTHER;
}

static TimestampTz
result_time(int column)
{
	return result_is_null(0, column) ? DT_NOBEGIN : DatumGetTimestampTz(result(0, column));
}

/* Lock the ticket and read its state. Raises P0002 if there is none, 55000 if it was deleted. */
static TicketState
lock_ticket(int64 ticket_id)
{
	TicketState ticket = {.id = ticket_id};
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[LOCK_TICKET], &args) == 0)
	{
		if (run(&statements[IS_REMOVED], &args) > 0)
			refuse_deleted_ticket(ticket_id);
		refuse_missing("ticket", ticket_id);
	}
	if (result_bool(0, 2))
		refuse_deleted_ticket(ticket_id);
	ticket.status_changed_at = result_time(3);
	ticket.last_customer_at = result_time(4);
	ticket.last_agent_at = result_time(5);
	ticket.category = status_category(result_text(0, 1));
	return ticket;
}

/* Raise 55000 for a public comment on a ticket that was closed before; older comments may still be imported. */
static void
check_not_closed(const TicketState *ticket, TimestampTz created_at)
{
	if (ticket->category == CATEGORY_CLOSED && created_at >= ticket->status_changed_at)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("ticket %lld is closed", (long long) ticket->id),
				 errhint("Open a new ticket, or add a private note.")));
}

/* An agent's reply: whoever waited has an answer, but for customers who wrote after it. */
static void
count_reply(const TicketState *ticket, TimestampTz replied_at)
{
	TimestampTz answered_at = Max(replied_at, ticket->last_agent_at);
	Args		question = {0};
	Args		args = {0};

	arg_int64(&args, ticket->id);
	arg(&args, TimestampTzGetDatum(replied_at));
	arg_int64(&question, ticket->id);
	arg(&question, TimestampTzGetDatum(answered_at));
	if (!is_solved(ticket->category) && ticket->last_customer_at > answered_at &&
		run(&statements[OLDEST_UNANSWERED], &question) > 0 && !result_is_null(0, 1))
		arg(&args, result(0, 1));
	else
		arg_null(&args);
	run(&statements[COUNT_REPLY], &args);
}

/* Run a statement that reopens a ticket: no transition is forbidden then. */
static void
run_reopening(Statement *statement, const Args *args)
{
	bool		before = reopening;

	reopening = true;
	PG_TRY();
	{
		run(statement, args);
	}
	PG_FINALLY();
	{
		reopening = before;
	}
	PG_END_TRY();
}

/* A customer's comment: the customer waits, and a ticket that waited for the customer or was solved is open again. */
static void
note_customer(const TicketState *ticket, TimestampTz written_at)
{
	bool		reopens = written_at >= ticket->status_changed_at &&
		(ticket->category == CATEGORY_PENDING || ticket->category == CATEGORY_HOLD ||
		 ticket->category == CATEGORY_SOLVED);
	bool		waits = written_at > ticket->last_agent_at && (reopens || !is_solved(ticket->category));
	Args		args = {0};

	arg_int64(&args, ticket->id);
	arg(&args, TimestampTzGetDatum(written_at));
	arg_text(&args, reopens ? reopen_status() : NULL);
	arg(&args, BoolGetDatum(waits));
	run_reopening(&statements[NOTE_CUSTOMER], &args);
}

/* Keep the author's role as it is now, unless the client gives the one there was. */
void
comment_before_insert(Row *comment)
{
	char	   *role;

	if (!row_is_null(comment, COMMENT_AUTHOR_ROLE) || row_is_null(comment, COMMENT_AUTHOR_ID))
		return;
	role = role_of_user(row_int64(comment, COMMENT_AUTHOR_ID));
	if (role != NULL)
		row_set(comment, COMMENT_AUTHOR_ROLE, CStringGetTextDatum(role));
}

void
comment_before_update(const Row *old, Row *new)
{
	if (row_int64(old, COMMENT_TICKET_ID) != row_int64(new, COMMENT_TICKET_ID) ||
		row_int64(old, COMMENT_ID) != row_int64(new, COMMENT_ID))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("comment %lld stays with ticket %lld and keeps its id",
						(long long) row_int64(old, COMMENT_ID), (long long) row_int64(old, COMMENT_TICKET_ID))));
	if (row_column_differs(old, new, COMMENT_CONTENT) && !row_column_differs(old, new, COMMENT_EDITED_AT))
		row_set(new, COMMENT_EDITED_AT, TimestampTzGetDatum(desk_now()));
}

/* A new comment: check that the ticket takes it, then keep the ticket's books. */
void
comment_inserted(const Row *comment)
{
	TimestampTz created_at = row_time(comment, COMMENT_CREATED_AT);
	Writer		writer = writer_of(comment);
	TicketState ticket;

	SPI_connect();
	ticket = lock_ticket(row_int64(comment, COMMENT_TICKET_ID));
	if (!row_bool(comment, COMMENT_IS_PRIVATE))
		check_not_closed(&ticket, created_at);
	if (!row_is_null(comment, COMMENT_DELETED_AT))
		writer = WRITER_OTHER;
	if (writer == WRITER_AGENT)
		count_reply(&ticket, created_at);
	else if (writer == WRITER_CUSTOMER)
		note_customer(&ticket, created_at);
	SPI_finish();
}

/* Work a ticket's reply bookkeeping out again from the comments there are. A removed ticket has none. */
void
recount_replies(int64 ticket_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, ticket_id);
	run(&statements[RECOUNT], &args);
	SPI_finish();
}

/* A change of what a comment counts as. */
void
comment_updated(const Row *old, const Row *new)
{
	static const int counted[] = {
		COMMENT_IS_PRIVATE, COMMENT_DELETED_AT, COMMENT_CREATED_AT, COMMENT_AUTHOR_ROLE, COMMENT_VIA
	};

	for (int i = 0; i < lengthof(counted); i++)
	{
		if (row_column_differs(old, new, counted[i]))
		{
			recount_replies(row_int64(new, COMMENT_TICKET_ID));
			return;
		}
	}
}

void
comment_removed(const Row *comment)
{
	if (!row_bool(comment, COMMENT_IS_PRIVATE) && row_is_null(comment, COMMENT_DELETED_AT))
		recount_replies(row_int64(comment, COMMENT_TICKET_ID));
}
