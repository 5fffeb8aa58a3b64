/*
 * ticket_read.c
 *		Reading a ticket in one round trip.
 *
 * Private notes and their attachments come only when asked for. Pages of comments go by the comment's id, so that
 * what is written meanwhile neither repeats nor hides one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/characters.h"
#include "base/due_text.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/settings.h"
#include "base/value_rules.h"
#include "desk/json_result.h"
#include "desk/ticket_access.h"

#define PERSON(alias) \
	"CASE WHEN " alias ".id IS NOT NULL THEN jsonb_build_object(" \
	"'id', " alias ".id, 'full_name', " alias ".full_name, 'email', " alias ".email, 'role', " alias ".role) END"

enum
{
	READ_TICKET,
	READ_TAGS,
	READ_ATTACHMENTS,
	READ_COMMENTS,
	COUNT_COMMENTS,
	IDS_OF_NUMBER,
	REMOVED_OF_NUMBER,
	SHOW_HEADER,
	SHOW_PROMISES,
	SHOW_COMMENTS
};

static Statement statements[] = {
	[READ_TICKET] = {
		.text = "SELECT to_jsonb(t) AS ticket,"
		" jsonb_build_object("
		"	'creator', " PERSON("creator") ","
		"	'requester', " PERSON("requester") ","
		"	'assignee', " PERSON("assignee") ","
		"	'organization', CASE WHEN o.id IS NOT NULL THEN"
		"		jsonb_build_object('id', o.id, 'name', o.name) END,"
		"	'team', CASE WHEN team.id IS NOT NULL THEN"
		"		jsonb_build_object('id', team.id, 'name', team.name) END) AS people"
		" FROM support.tickets AS t"
		" LEFT JOIN support.users AS creator ON creator.id = t.creator_id"
		" LEFT JOIN support.users AS requester"
		"	ON requester.id = coalesce(t.requester_id, t.creator_id)"
		" LEFT JOIN support.users AS assignee ON assignee.id = t.assignee_id"
		" LEFT JOIN support.organizations AS o ON o.id = t.organization_id"
		" LEFT JOIN support.teams AS team ON team.id = t.team_id"
		" WHERE t.id = $1 AND t.deleted_at IS NULL",
		.columns = {{JSONBOID, NOT_NULL}, {JSONBOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[READ_TAGS] = {
		.text = "SELECT g.name FROM support.ticket_tags AS l"
		" JOIN support.tags AS g ON g.id = l.tag_id"
		" WHERE l.ticket_id = $1"
		" ORDER BY g.name_key",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	/* the files of a comment are seen by who sees the comment: one that row security hides is not there to be joined */
	[READ_ATTACHMENTS] = {
		.text = "SELECT a.id, a.comment_id, a.filename, a.content_type, a.byte_size,"
		" encode(a.sha256, 'hex') AS sha256, a.uploaded_by, a.created_at"
		" FROM support.attachments AS a"
		" LEFT JOIN support.comments AS c ON c.ticket_id = a.ticket_id"
		"	AND c.id = a.comment_id"
		" WHERE a.ticket_id = $1"
		"	AND (a.comment_id IS NULL OR (c.id IS NOT NULL AND c.deleted_at IS NULL AND ($2 OR NOT c.is_private)))"
		" ORDER BY a.id",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {INT8OID},
		{TEXTOID}, {INT8OID}, {TIMESTAMPTZOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, BOOLOID}
	},
	/* a page, and the first comment of the next, which tells whether there is one */
	[READ_COMMENTS] = {
		.text = "SELECT c.id, c.author_id, u.full_name AS author, c.author_role, c.content, c.is_private, c.created_at,"
		" c.via, c.external_id, c.edited_at"
		" FROM support.comments AS c"
		" JOIN support.users AS u ON u.id = c.author_id"
		" WHERE c.ticket_id = $1"
		"	AND c.id > coalesce($4, 0)"
		"	AND c.deleted_at IS NULL AND ($2 OR NOT c.is_private)"
		" ORDER BY c.id"
		" LIMIT $3 + 1",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID}, {TEXTOID, NOT_NULL},
		{BOOLOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID}, {TIMESTAMPTZOID}},
		.nargs = 4, .argtypes = {INT8OID, BOOLOID, INT4OID, INT8OID}
	},
	[COUNT_COMMENTS] = {
		.text = "SELECT count(*) FROM support.comments AS c"
		" WHERE c.ticket_id = $1 AND c.deleted_at IS NULL AND ($2 OR NOT c.is_private)",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, BOOLOID}
	},
	/* people type letters as they come; by the index of numbers, so that only whole words in one case are found */
	[IDS_OF_NUMBER] = {
		.text = "SELECT t.id, t.ticket_number::text, t.ticket_number::text = $1 AS exact"
		" FROM support.tickets AS t"
		" WHERE t.ticket_number::text = ANY (ARRAY[$1, upper($1), lower($1)])"
		" ORDER BY exact DESC, t.id",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[REMOVED_OF_NUMBER] = {
		.text = "SELECT b.ticket_id"
		" FROM support.deleted_tickets AS b"
		" WHERE b.ticket_number = ANY (ARRAY[$1, upper($1), lower($1)]) AND b.how = 'removed'"
		" ORDER BY b.ticket_number = $1 DESC, b.deleted_at DESC, b.ticket_id DESC"
		" LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	},
	[SHOW_HEADER] = {
		.text = "SELECT format('%s  %s', t.ticket_number, t.title),"
		" concat_ws(', ', t.status, coalesce(t.priority, 'no priority'),"
		"	CASE WHEN assignee.id IS NULL THEN 'nobody''s' ELSE 'assigned to ' || assignee.full_name END,"
		"	'team ' || team.name,"
		"	(SELECT 'tags ' || string_agg(g.name, ' ' ORDER BY g.name_key)"
		"	 FROM support.ticket_tags AS l JOIN support.tags AS g ON g.id = l.tag_id"
		"	 WHERE l.ticket_id = t.id)),"
		" format('%s, %s', requester.full_name, to_char(t.created_at, 'YYYY-MM-DD HH24:MI')),"
		" t.description,"
		" (SELECT 'attached: ' || string_agg(a.filename, ', ' ORDER BY a.id)"
		"	FROM support.attachments AS a"
		"	WHERE a.ticket_id = t.id AND a.comment_id IS NULL)"
		" FROM support.tickets AS t"
		" LEFT JOIN support.users AS requester"
		"	ON requester.id = coalesce(t.requester_id, t.creator_id)"
		" LEFT JOIN support.users AS assignee ON assignee.id = t.assignee_id"
		" LEFT JOIN support.teams AS team ON team.id = t.team_id"
		" WHERE t.id = $1",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	/* broken promises that are still to be kept, the next one that is due, and what was kept too late or no more */
	[SHOW_PROMISES] = {
		.text = "SELECT replace(p.metric, '_', ' '), p.kind, p.n, p.from_at, p.to_at, to_char(p.to_at, 'YYYY-MM-DD HH24:MI')"
		" FROM"
		"	(SELECT s.metric, 'late' AS kind, 1::int8 AS n, s.breached_at AS from_at, support.desk_now() AS to_at"
		"	 FROM support.sla_status AS s"
		"	 WHERE s.ticket_id = $1 AND s.is_breached AND s.ended_at IS NULL"
		"	 UNION ALL"
		"	 (SELECT s.metric, 'due', 1, support.desk_now(), s.due_at"
		"	 FROM support.sla_status AS s"
		"	 WHERE s.ticket_id = $1 AND s.state = 'running' AND NOT s.is_breached AND s.due_at IS NOT NULL"
		"	 ORDER BY s.due_at LIMIT 1)"
		"	 UNION ALL"
		"	 SELECT s.metric, 'was late', count(*), min(s.breached_at), min(s.ended_at)"
		"	 FROM support.sla_status AS s"
		"	 WHERE s.ticket_id = $1 AND s.is_breached AND s.ended_at IS NOT NULL"
		"	 GROUP BY s.metric) AS p"
		" ORDER BY array_position(ARRAY['late', 'due', 'was late'], p.kind), p.from_at, p.metric",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL},
		{TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[SHOW_COMMENTS] = {
		.text = "SELECT concat("
		"	u.full_name, CASE WHEN c.author_role <> 'customer'"
		"		THEN format(' (%s)', replace(c.author_role, '_', ' ')) END,"
		"	', ', to_char(c.created_at, 'YYYY-MM-DD HH24:MI'),"
		"	CASE WHEN c.is_private THEN ', private' END, CASE WHEN c.edited_at IS NOT NULL THEN ', edited' END),"
		" c.content,"
		" (SELECT 'attached: ' || string_agg(a.filename, ', ' ORDER BY a.id)"
		"	FROM support.attachments AS a"
		"	WHERE a.ticket_id = c.ticket_id AND a.comment_id = c.id)"
		" FROM support.comments AS c"
		" JOIN support.users AS u ON u.id = c.author_id"
		" WHERE c.ticket_id = $1 AND c.deleted_at IS NULL AND ($2 OR NOT c.is_private)"
		" ORDER BY c.created_at, c.id",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID}},
		.nargs = 2, .argtypes = {INT8OID, BOOLOID}
	}
};

/* Of READ_COMMENTS. */
#define CONTENT_COLUMN 5

#define MAX_PAGE_BYTES (16 * 1024 * 1024)

static bool
flag_argument(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

/* The size of a page. Raises 22023 unless it is one row at least. */
static int32
page_size_argument(FunctionCallInfo fcinfo, int n)
{
	int32		size = PG_ARGISNULL(n) ? 100 : PG_GETARG_INT32(n);

	if (size < 1 || size == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page_size %d is out of range", size)));
	return size;
}

/*
 * How many of the comments that were read go on a page: at least one, and no more than the answer has room for beside a
 * ticket. jsonb holds 256 MB, and the text of it 1 GB.
 */
static uint64
length_of_page(uint64 n, uint64 page_size)
{
	uint64		bytes = 0;

	for (uint64 i = 0; i < Min(n, page_size); i++)
	{
		bytes += size_of_value(result(i, CONTENT_COLUMN));
		if (i > 0 && bytes > MAX_PAGE_BYTES)
			return i;
	}
	return Min(n, page_size);
}

/*
 * Add a page of comments to the answer: the comments, the id after which the next page begins, and how many there are
 * on all pages. The arguments are those of READ_COMMENTS.
 */
static void
answer_comments(Answer *answer, Args *args)
{
	uint64		page_size = DatumGetInt32(args->values[2]);
	bool		is_first = args->nulls[3] != ' ';
	uint64		n = run_read_only(&statements[READ_COMMENTS], args);
	uint64		length = length_of_page(n, page_size);

	answer_rows(answer, "comments", length);
	if (n > length)
		answer_int64(answer, "next_comment_id", result_int64(length - 1, 1));
	else
		answer_null(answer, "next_comment_id");
	if (n > length || !is_first)
	{
		args->n = 2;
		run_read_only(&statements[COUNT_COMMENTS], args);
		n = result_int64(0, 1);
	}
	answer_int64(answer, "comment_count", n);
}

/* The ticket as jsonb, in the caller's memory context; the arguments from the second on are get_ticket()'s. */
static Datum
read_ticket(FunctionCallInfo fcinfo, int64 ticket_id)
{
	bool		include_private = flag_argument(fcinfo, 1);
	int32		page_size = page_size_argument(fcinfo, 2);
	Args		args = {0};
	Answer		answer;

	arg_int64(&args, ticket_id);
	if (run_read_only(&statements[READ_TICKET], &args) == 0)
	{
		check_live_ticket(ticket_id);
		refuse_missing("ticket", ticket_id);
	}
	begin_answer(&answer);
	answer_columns(&answer, 0);
	answer_list(&answer, "tags", run_read_only(&statements[READ_TAGS], &args));
	arg(&args, BoolGetDatum(include_private));
	answer_rows(&answer, "attachments", run_read_only(&statements[READ_ATTACHMENTS], &args));
	arg(&args, Int32GetDatum(page_size));
	arg_passed(&args, fcinfo, 3);
	answer_comments(&answer, &args);
	return SPI_datumTransfer(end_answer(&answer), false, -1);
}

/* get_ticket(ticket_id, include_private, page_size, after_comment_id) -> jsonb */
PG_FUNCTION_INFO_V1(support_get_ticket);
Datum
support_get_ticket(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	Call		call;
	Datum		ticket;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	ticket = read_ticket(fcinfo, ticket_id);
	end_call(&call);
	return ticket;
}

/* Raise P0002 for a number that no ticket has. */
pg_noreturn static void
refuse_number_of_none(Datum number, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("ticket number \"%s\" does not exist", TextDatumGetCString(number)),
			 errhint("%s", hint)));
}

/* The id of the ticket that has a number, 0 if none has. What is written otherwise than typed is meant if it is the only one. */
static int64
ticket_with_number(Datum number)
{
	Args		args = {0};
	uint64		n;

	arg(&args, number);
	n = run_read_only(&statements[IDS_OF_NUMBER], &args);
	if (n == 0)
		return 0;
	if (n > 1 && !result_bool(0, 3))
		refuse_number_of_none(number,
							  psprintf("There are %s and %s: write the letters as they are in the one that is meant.",
									   visible_line(result_text(0, 2)), visible_line(result_text(1, 2))));
	return result_int64(0, 1);
}

/* The id that a removed ticket of this number had, as far as the caller may know; 0 if there was none. */
static int64
removed_ticket_with_number(Datum number)
{
	Args		args = {0};
	int64		ticket_id;

	arg(&args, number);
	if (run_read_only(&statements[REMOVED_OF_NUMBER], &args) == 0)
		return 0;
	ticket_id = result_int64(0, 1);
	return is_removed_ticket(ticket_id) ? ticket_id : 0;
}

/* The id of a ticket, also of a deleted one, by its number. Raises P0002 if there is none. */
static int64
ticket_by_number(Datum number)
{
	int64		ticket_id = ticket_with_number(number);

	if (ticket_id == 0)
		ticket_id = removed_ticket_with_number(number);
	if (ticket_id == 0)
		refuse_number_of_none(number, "A number is written as support.ticket_list shows it, with its prefix. An id is no number.");
	return ticket_id;
}

/* ticket_id(ticket_number) -> id */
PG_FUNCTION_INFO_V1(support_ticket_id);
Datum
support_ticket_id(PG_FUNCTION_ARGS)
{
	Datum		number = trimmed(required_argument(fcinfo, 0, "ticket_number"));
	int64		ticket_id;
	Call		call;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	ticket_id = ticket_by_number(number);
	end_call(&call);
	PG_RETURN_INT64(ticket_id);
}

/* get_ticket_by_number(ticket_number, include_private, page_size, after_comment_id) -> jsonb */
PG_FUNCTION_INFO_V1(support_get_ticket_by_number);
Datum
support_get_ticket_by_number(PG_FUNCTION_ARGS)
{
	Datum		number = trimmed(required_argument(fcinfo, 0, "ticket_number"));
	Call		call;
	Datum		ticket;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	ticket = read_ticket(fcinfo, ticket_by_number(number));
	end_call(&call);
	return ticket;
}

static void
put_line(ReturnSetInfo *rsinfo, const char *line)
{
	Datum		value = CStringGetTextDatum(line);
	bool		isnull = false;

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	pfree(DatumGetPointer(value));
}

/* Put a text's lines, indented. */
static void
put_text(ReturnSetInfo *rsinfo, const char *text)
{
	char	   *rest = visible_text(text);
	char	   *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		put_line(rsinfo, *line == '\0' ? "" : psprintf("  %s", line));
}

/* Put what is one line, whatever names it is made of. */
static void
put_names(ReturnSetInfo *rsinfo, const char *indent, const char *names)
{
	put_line(rsinfo, psprintf("%s%s", indent, visible_line(names)));
}

static void
put_rule(ReturnSetInfo *rsinfo)
{
	StringInfoData line;

	initStringInfo(&line);
	for (int i = 0; i < 72; i++)
		appendStringInfoString(&line, use_ascii() ? "-" : "\342\224\200");	/* U+2500 */
	put_line(rsinfo, line.data);
}

/* A row of SHOW_PROMISES: how a promise stands. */
static void
append_promise(StringInfo line, uint64 row)
{
	const char *metric = result_text(row, 1);
	const char *kind = result_text(row, 2);
	int64		n = result_int64(row, 3);
	const char *span = span_text(DatumGetTimestampTz(result(row, 4)), DatumGetTimestampTz(result(row, 5)));

	if (strcmp(kind, "due") == 0)
		appendStringInfo(line, "%s due in %s, at %s", metric, span, result_text(row, 6));
	else if (n > 1)
		appendStringInfo(line, "%s %s %lld times", metric, kind, (long long) n);
	else
		appendStringInfo(line, "%s %s by %s", metric, kind, span);
}

/* Tell of broken promises and of the next one, if anything is promised. */
static void
show_promises(ReturnSetInfo *rsinfo, Args *args)
{
	uint64		n = run_read_only(&statements[SHOW_PROMISES], args);
	StringInfoData line;

	if (n == 0)
		return;
	initStringInfo(&line);
	for (uint64 i = 0; i < n; i++)
	{
		appendStringInfoString(&line, i == 0 ? "" : "; ");
		append_promise(&line, i);
	}
	put_names(rsinfo, "", line.data);
}

static void
show_header(ReturnSetInfo *rsinfo, int64 ticket_id)
{
	Args		args = {0};
	char	   *opened;
	char	   *description;
	char	   *attached;

	arg_int64(&args, ticket_id);
	run_read_only(&statements[SHOW_HEADER], &args);
	put_names(rsinfo, "", result_text(0, 1));
	put_names(rsinfo, "", result_text(0, 2));
	opened = result_text(0, 3);
	description = result_text(0, 4);
	attached = result_is_null(0, 5) ? NULL : result_text(0, 5);
	show_promises(rsinfo, &args);
	put_rule(rsinfo);
	put_names(rsinfo, "", opened);
	put_text(rsinfo, description);
	if (attached != NULL)
		put_names(rsinfo, "  ", attached);
}

static void
show_comments(ReturnSetInfo *rsinfo, int64 ticket_id, bool include_private)
{
	Args		args = {0};
	uint64		n;

	arg_int64(&args, ticket_id);
	arg(&args, BoolGetDatum(include_private));
	n = run_read_only(&statements[SHOW_COMMENTS], &args);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_rule(rsinfo);
		put_names(rsinfo, "", result_text(i, 1));
		put_text(rsinfo, result_text(i, 2));
		if (!result_is_null(i, 3))
			put_names(rsinfo, "  ", result_text(i, 3));
	}
}

/* show_ticket(ticket_id, include_private) -> lines */
PG_FUNCTION_INFO_V1(support_show_ticket);
Datum
support_show_ticket(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	check_live_ticket(ticket_id);
	show_header(rsinfo, ticket_id);
	show_comments(rsinfo, ticket_id, flag_argument(fcinfo, 1));
	end_call(&call);
	return (Datum) 0;
}
