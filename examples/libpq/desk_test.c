/*
 * Runs the functions of desk.c against a desk made by examples/desk.sql, and prints TAP.
 */
#include "desk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADA 1
#define CARL 2
#define GRACE 3
#define EMMY 4
#define UNKNOWN 999999

static struct desk desk;
static int	count;
static int	failed;

static void
check_text(const char *cell, const char *what, const char *got, const char *expected)
{
	count++;
	if (got == expected || (got && expected && strcmp(got, expected) == 0))
	{
		printf("ok %d - %s: %s\n", count, cell, what);
		return;
	}
	failed++;
	printf("not ok %d - %s: %s\n#      got %s\n# expected %s\n", count, cell, what,
		   got ? got : "NULL", expected ? expected : "NULL");
}

static void
check(const char *cell, const char *what, int64_t got, int64_t expected)
{
	char		got_text[24];
	char		expected_text[24];

	snprintf(got_text, sizeof(got_text), "%" PRId64, got);
	snprintf(expected_text, sizeof(expected_text), "%" PRId64, expected);
	check_text(cell, what, got_text, expected_text);
}

/* Check that a call was refused with this SQLSTATE, message and hint */
static void
check_refusal(const char *what, int64_t got, const char *sqlstate, const char *message, const char *hint)
{
	char		all[600];
	char		expected[600];

	snprintf(all, sizeof(all), "%" PRId64 " %s %s (%s)", got, desk.sqlstate, desk.message, desk.hint);
	snprintf(expected, sizeof(expected), "-1 %s %s (%s)", sqlstate, message, hint);
	check_text("errors", what, all, expected);
}

/* Format a text in a buffer that lasts for three more calls */
__attribute__((format(printf, 1, 2)))
static const char *
format(const char *pattern,...)
{
	static char buffers[4][1000];
	static int	last;
	char	   *buffer = buffers[last = (last + 1) % 4];
	va_list		arguments;

	va_start(arguments, pattern);
	vsnprintf(buffer, sizeof(buffers[0]), pattern, arguments);
	va_end(arguments);
	return buffer;
}

/* All rows of a result in one text, "|" between columns and ";" between rows, and free it */
static const char *
rows_of(PGresult *result)
{
	static char buffer[4000];
	size_t		length = 0;

	buffer[0] = '\0';
	if (result == NULL)
		return format("%s %s", desk.sqlstate, desk.message);
	for (int row = 0; row < PQntuples(result); row++)
		for (int column = 0; column < PQnfields(result); column++)
			length += (size_t) snprintf(buffer + length, sizeof(buffer) - length, "%s%s",
										column > 0 ? "|" : row > 0 ? ";" : "",
										PQgetisnull(result, row, column) ? "NULL" : PQgetvalue(result, row, column));
	PQclear(result);
	return buffer;
}

/* The rows of a query, whose text is formatted as by printf() */
__attribute__((format(printf, 1, 2)))
static const char *
query(const char *pattern,...)
{
	char		sql[1000];
	va_list		arguments;

	va_start(arguments, pattern);
	vsnprintf(sql, sizeof(sql), pattern, arguments);
	va_end(arguments);
	return rows_of(PQexec(desk.conn, sql));
}

static int64_t
log_entries(int64_t ticket_id)
{
	return strtoll(query("SELECT count(*) FROM support.audit_log WHERE ticket_id = %" PRId64, ticket_id), NULL, 10);
}

/* Begin as a user; a test cannot go on without */
static void
begin(int64_t user_id)
{
	if (begin_as(&desk, user_id))
		return;
	fprintf(stderr, "%s %s\n", desk.sqlstate, desk.message);
	exit(1);
}

/* A ticket by Emmy, committed */
static int64_t
open_ticket(const char *title)
{
	int64_t		id;

	begin(EMMY);
	id = create_ticket(&desk, title, "", NULL, 0, "{}");
	commit(&desk);
	return id;
}

static int64_t
version_of(int64_t ticket_id)
{
	return strtoll(query("SELECT version FROM support.tickets WHERE id = %" PRId64, ticket_id), NULL, 10);
}

static int64_t
test_create(void)
{
	int64_t		id;

	begin(CARL);
	id = create_ticket(&desk, "Printer on fire", "It smells of smoke.",
					   (const char *[]) {"printer", "odd \"one\", {x} \\", "NULL"}, 3,
					   "{\"floor\": 3, \"seen\": [\"smoke\", null]}");
	check("create", "an id", id > 0, true);
	check("create", "committed", commit(&desk), true);
	begin(ADA);
	check("create", "a reply has an id too", add_reply(&desk, id, "Pull the plug, please.", "pending") > 0, true);
	check("create", "committed", commit(&desk), true);
	check_text("create", "the log knows who acted",
			   query("SELECT DISTINCT changed_by_name FROM support.ticket_history(%" PRId64 ") ORDER BY 1", id),
			   "Ada Byron;Carl Friedrich");
	check_text("create", "nobody acts after the transaction", query("SELECT support.actor_id()"), "NULL");
	return id;
}

static void
test_read(int64_t id)
{
	struct ticket ticket;
	int64_t		other;

	check("read", "a ticket", read_ticket(&desk, id, &ticket), true);
	check_text("read", "its text", format("%s, %s, %s", ticket.title, ticket.status, ticket.priority),
			   "Printer on fire, pending, normal");
	check("read", "its numbers", ticket.version, version_of(id));
	check("read", "a NULL is told from a number", ticket.is_assigned, false);
	check_text("read", "jsonb is JSON", ticket.custom, "{\"seen\": [\"smoke\", null], \"floor\": 3}");
	free_ticket(&ticket);
	check_text("read", "text[] is a row for each, whatever it holds",
			   rows_of(tag_ticket(&desk, id, (const char *[]) {"späť"}, 1)), "NULL;odd \"one\", {x} \\;printer;späť");

	check_text("read", "the list", rows_of(list_tickets(&desk, "pending", 0, 9)),
			   format("%" PRId64 "|T-1|Printer on fire|Carl Friedrich|NULL", id));
	check_text("read", "the list by another status", rows_of(list_tickets(&desk, "closed", 0, 9)), "");
	check_text("read", "the list by pages", rows_of(list_tickets(&desk, "pending", id, 9)), "");
	other = open_ticket("Mouse lost its tail");
	check_text("read", "a NULL text is NULL", query("UPDATE support.tickets SET priority = NULL WHERE id = %" PRId64
												   " RETURNING priority", other), "NULL");
	check("read", "to the program too", read_ticket(&desk, other, &ticket) && ticket.priority == NULL, true);
	free_ticket(&ticket);
	check_text("read", "the report", rows_of(status_report(&desk)),
			   "open|1|50.0;in_progress|0|0.0;pending|1|50.0;on_hold|0|0.0;resolved|0|0.0;closed|0|0.0");
	check("read", "an unknown ticket is none", read_ticket(&desk, UNKNOWN, &ticket), false);
	check("delete count", "one row", remove_tickets_of(&desk, EMMY), 1);
}

static void
test_update(int64_t id)
{
	int64_t		version = version_of(id);

	begin(ADA);
	check("update count", "one row: the ticket is taken", take_ticket(&desk, id, ADA, version), 1);
	check("update count", "no row: somebody was faster", take_ticket(&desk, id, GRACE, version), 0);
	check("update count", "fields change by JSON, and the version tells it",
		  update_ticket(&desk, id, "{\"custom\": {\"floor\": null, \"parts\": [1, {\"name\": \"LX\"}]}}"), version + 2);
	check("update count", "solved", solve_ticket(&desk, id, version + 2), version + 3);
	check("update count", "committed", commit(&desk), true);
	check_text("update count", "all as it was sent",
			   query("SELECT status, assignee_id, custom FROM support.tickets WHERE id = %" PRId64, id),
			   "resolved|1|{\"seen\": [\"smoke\", null], \"parts\": [1, {\"name\": \"LX\"}]}");
}

static void
test_delete_and_restore(int64_t id)
{
	char	   *before = strdup(query("SELECT support.get_ticket(%" PRId64 ")", id));
	int64_t		version;
	int64_t		other;

	check("delete count", "rows that there were", remove_tickets_of(&desk, CARL), 1);
	check("delete count", "none left", remove_tickets_of(&desk, CARL), 0);
	begin(ADA);
	version = restore_ticket(&desk, id);
	check("restore", "a removed ticket", version, version_of(id));
	check("restore", "committed", commit(&desk), true);
	check_text("restore", "is back with all it had", query("SELECT support.get_ticket(%" PRId64 ")", id), before);
	free(before);

	other = open_ticket("Screen stays black");
	check("delete count", "marked, which is a version", delete_ticket(&desk, other, NULL), 2);
	check_text("delete count", "and not listed", rows_of(list_tickets(&desk, "open", 0, 9)), "");
	check("restore", "a marked ticket", restore_ticket(&desk, other), 3);
	check_text("restore", "is back in the list", rows_of(list_tickets(&desk, "open", 0, 9)),
			   format("%" PRId64 "|T-3|Screen stays black|Emmy Amalie|NULL", other));
}

static void
test_rollback(int64_t id)
{
	int64_t		before = log_entries(id);
	int64_t		lost;
	int64_t		refused[3] = {0};
	int64_t		good;
	int64_t		deleted;
	int64_t		also_good;

	begin(CARL);
	lost = create_ticket(&desk, "Never was", "", (const char *[]) {"gone"}, 1, "{}");
	check("rollback", "there is a ticket", lost > 0, true);
	check("rollback", "and a reply", add_reply(&desk, id, "Nor was this.", NULL) > 0, true);
	roll_back(&desk);
	check_text("rollback", "there is none", query("SELECT id FROM support.tickets WHERE id = %" PRId64, lost), "");
	check("rollback", "no log", log_entries(lost), 0);
	check("rollback", "not of the reply either", log_entries(id), before);
	check_text("rollback", "nor a tag", query("SELECT name FROM support.tags WHERE name = 'gone'"), "");

	begin(CARL);
	lost = create_ticket(&desk, "Never was", "", NULL, 0, "{}");
	check("rollback", "a statement that is refused", add_reply(&desk, lost, " ", NULL), -1);
	check("rollback", "makes the commit say no", commit(&desk), false);
	check("rollback", "and leaves no log", log_entries(lost), 0);

	good = open_ticket("Good");
	deleted = open_ticket("Deleted");
	also_good = open_ticket("Also good");
	delete_ticket(&desk, deleted, "spam");
	before = log_entries(deleted);
	begin(ADA);
	check("rollback", "to a savepoint, for the ticket that is refused",
		  reply_to_all(&desk, (const int64_t[]) {good, deleted, also_good}, 3, "We are on it.", refused), 1);
	check("rollback", "which one", refused[0], deleted);
	check("rollback", "the transaction is good", commit(&desk), true);
	check_text("rollback", "the others have their reply",
			   query("SELECT ticket_id, author_id FROM support.comments WHERE ticket_id >= %" PRId64 " ORDER BY id",
					 good),
			   format("%" PRId64 "|1;%" PRId64 "|1", good, also_good));
	check("rollback", "the log of the refused one has not grown", log_entries(deleted), before);
}

static void
test_errors(int64_t id)
{
	check_refusal("an unknown ticket", solve_ticket(&desk, UNKNOWN, 1), "P0002", "ticket 999999 does not exist", "");
	check_refusal("nobody acts", create_ticket(&desk, "Whose?", "", NULL, 0, "{}"), "55000", "no acting user",
				  "Call support.set_actor(user_id), or ALTER ROLE ... SET support_ext.actor_id.");
	check_refusal("a stale version", solve_ticket(&desk, id, 1), "SU001",
				  format("ticket %" PRId64 " is at version %" PRId64 ", not 1", id, version_of(id)),
				  "Read the ticket again and repeat the change on what it is now.");
	check_refusal("an unknown priority", update_ticket(&desk, id, "{\"priority\": \"hgih\"}"), "23503",
				  "priority \"hgih\" does not exist", "The priorities are: low, normal, high, urgent.");
	check_refusal("what is no JSON", update_ticket(&desk, id, "{"), "22P02", "invalid input syntax for type json", "");
	check("errors", "an unknown user acts for nobody", begin_as(&desk, UNKNOWN), false);
	check_text("errors", "and begins nothing",
			   format("%s %d", desk.sqlstate, PQtransactionStatus(desk.conn)), format("P0002 %d", PQTRANS_IDLE));
	delete_ticket(&desk, id, "spam");
	begin(ADA);
	check_refusal("a deleted ticket", add_reply(&desk, id, "Hello?", NULL), "55000",
				  format("ticket %" PRId64 " was deleted", id),
				  format("Restore it with SELECT support.restore_ticket(%" PRId64 ").", id));
	roll_back(&desk);
}

static void
test_pipeline(void)
{
	enum
	{
		COUNT = 1000,
		BATCH = 100,
		BAD = 250,
	};
	static struct reply replies[COUNT];
	int64_t		ids[7];
	int			wrong = 0;

	for (int i = 0; i < 7; i++)
		ids[i] = open_ticket("Pipeline");
	for (int i = 0; i < COUNT; i++)
		replies[i] = (struct reply) {.ticket_id = ids[i % 7],.content = "On its way."};
	check("bulk", "a pipeline of 1000 replies", send_replies(&desk, ADA, replies, COUNT, BATCH), COUNT);
	check_text("bulk", "all by their author, an id each", query(
			   "SELECT count(*), count(DISTINCT id), min(author_id), max(author_id) FROM support.comments "
			   "WHERE content = 'On its way.'"), "1000|1000|1|1");
	for (int i = 0; i < COUNT; i++)
		wrong += i > 0 && replies[i].comment_id <= replies[i - 1].comment_id;
	check("bulk", "in the order they were sent", wrong, 0);
	check_text("bulk", "nobody acts after it", query("SELECT support.actor_id()"), "NULL");

	for (int i = 0; i < COUNT; i++)
		replies[i].content = "Sent.";
	replies[BAD].ticket_id = UNKNOWN;
	check("bulk", "one that is refused", send_replies(&desk, ADA, replies, COUNT - 50, BATCH), COUNT - 50 - BATCH);
	check_text("errors", "says why", replies[BAD].sqlstate, "P0002");
	wrong = 0;
	for (int i = 0; i < COUNT - 50; i++)
		wrong += (replies[i].comment_id == -1) != (i / BATCH == BAD / BATCH) || (replies[i].sqlstate[0] && i != BAD);
	check("rollback", "it takes its batch with it and no other", wrong, 0);
	check_text("rollback", "as the desk says",
			   query("SELECT count(*) FROM support.comments WHERE content = 'Sent.'"), "850");
	check_text("rollback", "and the log",
			   query("SELECT count(*) FROM support.audit_log WHERE table_name = 'comments' AND ticket_id >= %" PRId64,
					 ids[0]), "1850");
	check("errors", "an unknown user sends none", send_replies(&desk, UNKNOWN, replies, 3, 2), 0);
	check_text("errors", "and is told so", desk.sqlstate, "P0002");
}

static void
test_copy(void)
{
	check("bulk", "COPY tells the rows", copy_tickets(&desk,
		  "Copied 1,\"with \"\"quotes\"\"\nand lines\",2,high,2024-02-29 23:30:00.00025Z\n"
		  "Copied 2,\"\",4,,2024-03-01 05:15:01.5+05:45\n"), 2);
	check_text("bulk", "and brings them in", query(
			   "SELECT description, priority FROM support.tickets WHERE title LIKE 'Copied %%' ORDER BY id"),
			   "with \"quotes\"\nand lines|high;|NULL");
	check_refusal("COPY follows the same rules", copy_tickets(&desk,
				  "Copied 3,\"\",2,low,2024-02-29 23:30Z\nCopied 4,\"\",2,hgih,2024-02-29 23:30Z\n"), "23503",
				  "priority \"hgih\" does not exist", "The priorities are: low, normal, high, urgent.");
	check_text("rollback", "and leaves nothing", query("SELECT id FROM support.tickets WHERE title = 'Copied 3'"), "");
}

static void
test_time_zones(void)
{
	/* 2024-02-29 23:30:00.00025 UTC */
	const struct timespec opened = {.tv_sec = 1709249400,.tv_nsec = 250000};
	const struct timespec later = {.tv_sec = 1709249400,.tv_nsec = 251000};
	const char *const zones[] = {"UTC", "Asia/Kathmandu", "America/St_Johns"};
	int64_t		id = strtoll(query("SELECT id FROM support.tickets WHERE title = 'Copied 1'"), NULL, 10);
	int64_t		opened_later;
	struct ticket ticket;

	for (int i = 0; i < 3; i++)
	{
		begin(ADA);
		query("SET LOCAL TimeZone = '%s'", zones[i]);
		read_ticket(&desk, id, &ticket);
		check_text("time zones", format("timestamptz is a timespec, the same instant in %s", zones[i]),
				   format("%" PRId64 " %ld", (int64_t) ticket.created_at.tv_sec, ticket.created_at.tv_nsec),
				   "1709249400 250000");
		free_ticket(&ticket);
		opened_later = count_opened_since(&desk, later);
		check("time zones", "the instant that is sent too", count_opened_since(&desk, opened), opened_later + 1);
		commit(&desk);
	}
	check("time zones", "others were opened later", opened_later > 0, true);
	begin(ADA);
	query("SET LOCAL TimeZone = 'Pacific/Kiritimati'");
	check_text("time zones", "a day of the report is one of the session's zone",
			   query("SELECT day, created FROM support.report_daily LIMIT 1"), "2024-03-01|2");
	commit(&desk);
	check_text("time zones", "which ends with the transaction",
			   query("SELECT current_setting('TimeZone') = 'Pacific/Kiritimati'"), "f");
}

/* Before 2000, where the server begins to count, a fraction counts forward all the same */
static void
test_early_times(void)
{
	struct ticket ticket;

	check("time zones", "an old ticket",
		  copy_tickets(&desk, "Old,\"\",2,,1999-12-31 23:59:59.75Z\n"), 1);
	read_ticket(&desk, strtoll(query("SELECT id FROM support.tickets WHERE title = 'Old'"), NULL, 10), &ticket);
	check_text("time zones", "has its time",
			   format("%" PRId64 " %ld", (int64_t) ticket.created_at.tv_sec, ticket.created_at.tv_nsec),
			   "946684799 750000000");
	free_ticket(&ticket);
}

int
main(void)
{
	int64_t		id;

	if (!open_desk(&desk, ""))
	{
		fprintf(stderr, "%s", desk.message);
		return 1;
	}
	id = test_create();
	test_read(id);
	test_update(id);
	test_delete_and_restore(id);
	test_rollback(id);
	test_errors(id);
	test_pipeline();
	test_copy();
	test_time_zones();
	test_early_times();
	close_desk(&desk);
	printf("1..%d\n", count);
	return failed > 0;
}
