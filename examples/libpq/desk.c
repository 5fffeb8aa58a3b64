#include "desk.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2000-01-01, from which the server counts, in seconds since 1970 */
#define SERVER_EPOCH INT64_C(946684800)

/* A bigint as a parameter */
struct number
{
	char		text[24];
};

static struct number
number(int64_t value)
{
	struct number number;

	snprintf(number.text, sizeof(number.text), "%" PRId64, value);
	return number;
}

static int
smaller(int a, int b)
{
	return a < b ? a : b;
}

/* Keep what the server said, and free the result */
static void
note_error(struct desk *desk, PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	/* libpq's own errors, such as a lost connection, have a message only */
	snprintf(desk->sqlstate, sizeof(desk->sqlstate), "%s", sqlstate ? sqlstate : "08006");
	snprintf(desk->message, sizeof(desk->message), "%s", message ? message : PQerrorMessage(desk->conn));
	snprintf(desk->hint, sizeof(desk->hint), "%s", hint ? hint : "");
	PQclear(result);
}

/* The result, or NULL if the server refused */
static PGresult *
checked(struct desk *desk, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	note_error(desk, result);
	return NULL;
}

/* Run a statement. It has no name, so nothing stays prepared in the session. */
static PGresult *
run(struct desk *desk, const char *sql, int count, const char *const *values)
{
	return checked(desk, PQexecParams(desk->conn, sql, count, NULL, values, NULL, NULL, 0));
}

/* Run a statement whose result is not needed */
static bool
run_plain(struct desk *desk, const char *sql)
{
	PGresult   *result = run(desk, sql, 0, NULL);

	PQclear(result);
	return result != NULL;
}

/* Run a query that gives one bigint */
static int64_t
run_for_number(struct desk *desk, const char *sql, int count, const char *const *values)
{
	PGresult   *result = run(desk, sql, count, values);
	int64_t		value;

	if (result == NULL)
		return -1;
	value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return value;
}

/* Run an UPDATE or DELETE; returns its rows */
static int64_t
run_for_rows(struct desk *desk, const char *sql, int count, const char *const *values)
{
	PGresult   *result = run(desk, sql, count, values);
	int64_t		rows;

	if (result == NULL)
		return -1;
	rows = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return rows;
}

/* Strings as an array of the server. Every element is quoted, so that it may hold anything. Free it. */
static char *
text_array(const char *const *items, int count)
{
	size_t		size = 3;
	char	   *array;
	char	   *end;

	for (int i = 0; i < count; i++)
		size += 2 * strlen(items[i]) + 3;
	end = array = malloc(size);
	if (array == NULL)
		abort();
	*end++ = '{';
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			*end++ = ',';
		*end++ = '"';
		for (const char *c = items[i]; *c; c++)
		{
			if (*c == '"' || *c == '\\')
				*end++ = '\\';
			*end++ = *c;
		}
		*end++ = '"';
	}
	*end++ = '}';
	*end = '\0';
	return array;
}

/* Connect. An empty conninfo leaves all to PGHOST, PGPORT, PGDATABASE and PGUSER. */
bool
open_desk(struct desk *desk, const char *conninfo)
{
	memset(desk, 0, sizeof(*desk));
	desk->conn = PQconnectdb(conninfo);
	if (PQstatus(desk->conn) == CONNECTION_OK)
		return true;
	snprintf(desk->message, sizeof(desk->message), "%s", PQerrorMessage(desk->conn));
	return false;
}

void
close_desk(struct desk *desk)
{
	PQfinish(desk->conn);
	desk->conn = NULL;
}

/* Begin a transaction in which the user acts. The acting user goes with the transaction. */
bool
begin_as(struct desk *desk, int64_t user_id)
{
	struct number user = number(user_id);
	PGresult   *result;

	if (!run_plain(desk, "BEGIN"))
		return false;
	result = run(desk, "SELECT support.set_actor($1, is_local => true)", 1, (const char *[]) {user.text});
	PQclear(result);
	if (result == NULL)
		roll_back(desk);
	return result != NULL;
}

/* Commit. A transaction in which a statement failed is rolled back instead, without an error: false. */
bool
commit(struct desk *desk)
{
	PGresult   *result = run(desk, "COMMIT", 0, NULL);
	bool		is_committed = result != NULL && strcmp(PQcmdStatus(result), "COMMIT") == 0;

	PQclear(result);
	return is_committed;
}

void
roll_back(struct desk *desk)
{
	PQclear(PQexec(desk->conn, "ROLLBACK"));
}

int64_t
create_ticket(struct desk *desk, const char *title, const char *description,
			  const char *const *tags, int tag_count, const char *custom)
{
	char	   *array = text_array(tags, tag_count);
	int64_t		id = run_for_number(desk, "SELECT support.create_ticket($1, $2, tags => $3, custom => $4)", 4,
									(const char *[]) {title, description, array, custom});

	free(array);
	return id;
}

/* Add a public reply; a status of NULL leaves the ticket's as it is */
int64_t
add_reply(struct desk *desk, int64_t ticket_id, const char *content, const char *status)
{
	struct number ticket = number(ticket_id);

	return run_for_number(desk, "SELECT support.add_comment($1, $2, status => $3)", 3,
						  (const char *[]) {ticket.text, content, status});
}

/*
 * Send one reply to many tickets. A savepoint keeps the transaction alive when a ticket takes no reply, being closed or
 * deleted. These go to refused; returns how many they are, or -1 when something else is wrong.
 */
int
reply_to_all(struct desk *desk, const int64_t *ticket_ids, int count, const char *content, int64_t *refused)
{
	int			refused_count = 0;

	for (int i = 0; i < count; i++)
	{
		if (!run_plain(desk, "SAVEPOINT one_reply"))
			return -1;
		if (add_reply(desk, ticket_ids[i], content, NULL) < 0)
		{
			if (strcmp(desk->sqlstate, "55000") != 0 || !run_plain(desk, "ROLLBACK TO SAVEPOINT one_reply"))
				return -1;
			refused[refused_count++] = ticket_ids[i];
		}
		if (!run_plain(desk, "RELEASE SAVEPOINT one_reply"))
			return -1;
	}
	return refused_count;
}

/*
 * Send a batch of replies without waiting for an answer. What lies between two syncs is one transaction: the acting
 * user holds for just this batch, and a reply that is refused undoes the batch and no other.
 */
static bool
send_batch(struct desk *desk, int64_t user_id, const struct reply *replies, int count)
{
	struct number user = number(user_id);

	if (!PQsendQueryParams(desk->conn, "SELECT support.set_actor($1, is_local => true)", 1, NULL,
						   (const char *[]) {user.text}, NULL, NULL, 0))
		return false;
	for (int i = 0; i < count; i++)
	{
		struct number ticket = number(replies[i].ticket_id);

		if (!PQsendQueryParams(desk->conn, "SELECT support.add_comment($1, $2)", 2, NULL,
							   (const char *[]) {ticket.text, replies[i].content}, NULL, NULL, 0))
			return false;
	}
	return PQpipelineSync(desk->conn) == 1;
}

/* Read the answer to one statement of a pipeline: one result, and the NULL that ends it */
static PGresult *
next_result(struct desk *desk)
{
	PGresult   *result = PQgetResult(desk->conn);
	PGresult   *end = PQgetResult(desk->conn);

	PQclear(end);
	return result;
}

/* Read the answer to a sync. It ends the transaction, which may fail as any COMMIT may. */
static bool
read_sync(struct desk *desk)
{
	bool		is_committed = true;

	while (PQstatus(desk->conn) == CONNECTION_OK)
	{
		PGresult   *result = PQgetResult(desk->conn);

		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		{
			PQclear(result);
			return is_committed;
		}
		if (result != NULL)
		{
			is_committed = false;
			note_error(desk, result);
		}
	}
	return false;
}

/* Read the answers to a batch; returns how many replies were added: all or none */
static int
read_batch(struct desk *desk, struct reply *replies, int count)
{
	PGresult   *actor = checked(desk, next_result(desk));
	int			added = 0;

	PQclear(actor);
	for (int i = 0; i < count; i++)
	{
		PGresult   *result = next_result(desk);

		replies[i].sqlstate[0] = '\0';
		if (PQresultStatus(result) == PGRES_TUPLES_OK)
		{
			replies[i].comment_id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
			added++;
			PQclear(result);
		}
		else if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
			PQclear(result);	/* not tried, since an earlier one was refused */
		else
		{
			note_error(desk, result);
			strcpy(replies[i].sqlstate, desk->sqlstate);
		}
	}
	if (read_sync(desk) && added == count)
		return count;
	for (int i = 0; i < count; i++)
		replies[i].comment_id = -1;
	return 0;
}

/*
 * Send many replies in pipeline mode, each batch a transaction of its own; returns how many were added. While the
 * server works on one batch, the next is under way. Sending all before reading any could fill the buffers on both
 * sides, and then each side waits for the other.
 */
int
send_replies(struct desk *desk, int64_t user_id, struct reply *replies, int count, int batch_size)
{
	int			added = 0;

	if (!PQenterPipelineMode(desk->conn))
		return -1;
	for (int start = 0; start < count + batch_size; start += batch_size)
	{
		int			before = start - batch_size;

		if (start < count && !send_batch(desk, user_id, replies + start, smaller(batch_size, count - start)))
			return -1;
		if (before >= 0)
			added += read_batch(desk, replies + before, smaller(batch_size, count - before));
	}
	return PQexitPipelineMode(desk->conn) ? added : -1;
}

/* A bigint of a result in the binary format */
static int64_t
get_bigint(const PGresult *result, int column)
{
	uint64_t	value;

	memcpy(&value, PQgetvalue(result, 0, column), sizeof(value));
	return (int64_t) be64toh(value);
}

/* A text of a result, in either format; NULL if it is NULL */
static const char *
get_text(const PGresult *result, int column)
{
	return PQgetisnull(result, 0, column) ? NULL : PQgetvalue(result, 0, column);
}

/* A timestamptz of a result in the binary format: microseconds, whatever the session's TimeZone and DateStyle are */
static struct timespec
get_time(const PGresult *result, int column)
{
	int64_t		microseconds = get_bigint(result, column);
	struct timespec time;

	time.tv_sec = SERVER_EPOCH + microseconds / 1000000;
	time.tv_nsec = microseconds % 1000000 * 1000;
	if (time.tv_nsec < 0)
	{
		time.tv_sec--;
		time.tv_nsec += 1000000000;
	}
	return time;
}

/*
 * Read a ticket by a query with a binary result. What libpq has no type for, the server turns into text. False with no
 * sqlstate: there is no such ticket.
 */
bool
read_ticket(struct desk *desk, int64_t ticket_id, struct ticket *ticket)
{
	static const char sql[] =
		"SELECT version, title, status, priority, assignee_id, created_at, custom::text "
		"FROM support.tickets WHERE id = $1 AND deleted_at IS NULL";
	struct number id = number(ticket_id);
	PGresult   *result;

	result = checked(desk, PQexecParams(desk->conn, sql, 1, NULL, (const char *[]) {id.text}, NULL, NULL, 1));
	if (result == NULL)
		return false;
	if (PQntuples(result) == 0)
	{
		desk->sqlstate[0] = '\0';
		PQclear(result);
		return false;
	}
	ticket->version = get_bigint(result, 0);
	ticket->title = get_text(result, 1);
	ticket->status = get_text(result, 2);
	ticket->priority = get_text(result, 3);
	ticket->is_assigned = !PQgetisnull(result, 0, 4);
	ticket->assignee_id = ticket->is_assigned ? get_bigint(result, 4) : 0;
	ticket->created_at = get_time(result, 5);
	ticket->custom = get_text(result, 6);
	ticket->result = result;
	return true;
}

void
free_ticket(struct ticket *ticket)
{
	PQclear(ticket->result);
	memset(ticket, 0, sizeof(*ticket));
}

/* A page of tickets in a status; the next one starts after the last id of this one */
PGresult *
list_tickets(struct desk *desk, const char *status, int64_t after, int page_size)
{
	struct number after_id = number(after);
	struct number size = number(page_size);

	return run(desk,
			   "SELECT id, ticket_number, title, requester, assignee FROM support.ticket_list "
			   "WHERE status = $1 AND id > $2 ORDER BY id LIMIT $3",
			   3, (const char *[]) {status, after_id.text, size.text});
}

/* How many tickets were opened since an instant, which is sent in the binary format */
int64_t
count_opened_since(struct desk *desk, struct timespec since)
{
	static const char sql[] =
		"SELECT count(*) FROM support.tickets WHERE created_at >= $1::timestamptz AND deleted_at IS NULL";
	int64_t		microseconds = (since.tv_sec - SERVER_EPOCH) * 1000000 + since.tv_nsec / 1000;
	uint64_t	sent = htobe64((uint64_t) microseconds);
	PGresult   *result;
	int64_t		count;

	result = checked(desk, PQexecParams(desk->conn, sql, 1, NULL, (const char *[]) {(const char *) &sent},
										(const int[]) {sizeof(sent)}, (const int[]) {1}, 1));
	if (result == NULL)
		return -1;
	count = get_bigint(result, 0);
	PQclear(result);
	return count;
}

/* Add tags; returns all that the ticket has now, a row each: libpq does not take an array apart, the server does */
PGresult *
tag_ticket(struct desk *desk, int64_t ticket_id, const char *const *tags, int tag_count)
{
	struct number ticket = number(ticket_id);
	char	   *array = text_array(tags, tag_count);
	PGresult   *result = run(desk, "SELECT unnest(support.tag_ticket($1, $2))", 2,
							 (const char *[]) {ticket.text, array});

	free(array);
	return result;
}

PGresult *
status_report(struct desk *desk)
{
	return run(desk, "SELECT status, tickets, percent FROM support.report_status", 0, NULL);
}

/* Change columns, given as a JSON object; returns the new version */
int64_t
update_ticket(struct desk *desk, int64_t ticket_id, const char *changes)
{
	struct number ticket = number(ticket_id);

	return run_for_number(desk, "SELECT support.update_ticket($1, $2)", 2, (const char *[]) {ticket.text, changes});
}

/* Take a ticket as it was when you read it; 0 rows: it has changed since, so read it again */
int64_t
take_ticket(struct desk *desk, int64_t ticket_id, int64_t agent_id, int64_t version)
{
	struct number ticket = number(ticket_id);
	struct number agent = number(agent_id);
	struct number expected = number(version);

	return run_for_rows(desk, "UPDATE support.tickets SET assignee_id = $2 WHERE id = $1 AND version = $3", 3,
						(const char *[]) {ticket.text, agent.text, expected.text});
}

/* The same check by a function of the desk, which raises SU001; returns the new version */
int64_t
solve_ticket(struct desk *desk, int64_t ticket_id, int64_t version)
{
	struct number ticket = number(ticket_id);
	struct number expected = number(version);

	return run_for_number(desk, "SELECT support.set_status($1, 'resolved', expected_version => $2)", 2,
						  (const char *[]) {ticket.text, expected.text});
}

int64_t
delete_ticket(struct desk *desk, int64_t ticket_id, const char *reason)
{
	struct number ticket = number(ticket_id);

	return run_for_number(desk, "SELECT support.delete_ticket($1, reason => $2)", 2,
						  (const char *[]) {ticket.text, reason});
}

/* Remove a user's tickets by plain SQL; returns how many there were. These too can be restored. */
int64_t
remove_tickets_of(struct desk *desk, int64_t creator_id)
{
	struct number creator = number(creator_id);

	return run_for_rows(desk, "DELETE FROM support.tickets WHERE creator_id = $1", 1, (const char *[]) {creator.text});
}

int64_t
restore_ticket(struct desk *desk, int64_t ticket_id)
{
	struct number ticket = number(ticket_id);

	return run_for_number(desk, "SELECT support.restore_ticket($1)", 1, (const char *[]) {ticket.text});
}

/*
 * Bring in CSV with the columns title, description, creator_id, priority and created_at; returns the rows. COPY is not
 * for pipeline mode.
 */
int64_t
copy_tickets(struct desk *desk, const char *csv)
{
	static const char sql[] =
		"COPY support.tickets (title, description, creator_id, priority, created_at) FROM STDIN (FORMAT csv)";
	PGresult   *result = PQexec(desk->conn, sql);
	int64_t		rows;

	if (PQresultStatus(result) != PGRES_COPY_IN)
	{
		note_error(desk, result);
		return -1;
	}
	PQclear(result);
	PQputCopyData(desk->conn, csv, (int) strlen(csv));
	PQputCopyEnd(desk->conn, NULL);
	result = checked(desk, next_result(desk));
	if (result == NULL)
		return -1;
	rows = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return rows;
}
