/*
 * redact.c
 *		Taking something out of a comment that should never have been in it.
 *
 * A number of a card, a password: it is replaced in the comment, wherever the log has the comment's text, as it was or as it
 * became, and so in what comes back when a removed comment is restored.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/hold.h"
#include "log/log_writer.h"
#include "privacy/erasure.h"
#include "proof/removal.h"

#define PLANNED_ENTRIES "SELECT * FROM support_internal.entries_to_redact($1, $2, $3, $4)"

enum
{
	MATCHES_NOTHING,
	FIND_COMMENT,
	LOCK_COMMENT,
	REDACT
};

static Statement statements[] = {
	[MATCHES_NOTHING] = {
		.text = "SELECT '' ~ $1",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[FIND_COMMENT] = {
		.text = "SELECT 1 WHERE EXISTS (SELECT FROM support.comments AS c WHERE c.ticket_id = $1 AND c.id = $2)"
		" OR EXISTS (SELECT FROM support.audit_log AS a WHERE a.ticket_id = $1"
		"	AND a.table_name = 'comments' AND a.record_id = $2)",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[LOCK_COMMENT] = {
		.text = "SELECT 1 FROM support.comments WHERE ticket_id = $1 AND id = $2 FOR NO KEY UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[REDACT] = {
		.text = "UPDATE support.comments AS c SET content = support_internal.redacted_text(c.content, $3, $4)"
		" WHERE c.ticket_id = $1 AND c.id = $2"
		"	AND c.content <> support_internal.redacted_text(c.content, $3, $4)",
		.nargs = 4, .argtypes = {INT8OID, INT8OID, TEXTOID, TEXTOID}
	}
};

/* A redaction: the comment, the pattern, the replacement; and how many rows it changed. */
typedef struct CommentRedaction
{
	Args		args;
	int64		n;
} CommentRedaction;

/* The arguments of the call. Raises 22023 and 2201B. */
static void
read_arguments(CommentRedaction *redaction, FunctionCallInfo fcinfo)
{
	arg_int64(&redaction->args, required_id(fcinfo, 0, "ticket_id"));
	arg_int64(&redaction->args, required_id(fcinfo, 1, "comment_id"));
	arg_passed(&redaction->args, fcinfo, 2);
	arg(&redaction->args, required_argument(fcinfo, 3, "replacement"));
}

static void
check_pattern(FunctionCallInfo fcinfo)
{
	Args		args = {0};

	if (PG_ARGISNULL(2))
		return;
	arg_passed(&args, fcinfo, 2);
	run(&statements[MATCHES_NOTHING], &args);
	if (result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the pattern \"%s\" matches where there is nothing", text_to_cstring(PG_GETARG_TEXT_PP(2))),
				 errhint("Say what is to go: one or more (+) of it, not none or more (*). NULL is all of the text.")));
}

/* Lock the comment's ticket, and the comment. Raises P0002 for a comment that never was, or was purged. */
static void
lock_comment(const Args *args)
{
	Args		key = *args;
	int64		ticket_id = DatumGetInt64(args->values[0]);

	key.n = 2;
	lock_tickets(&ticket_id, 1);
	run(&statements[LOCK_COMMENT], &key);
	if (run(&statements[FIND_COMMENT], &key) == 0)
		refuse_missing_comment(ticket_id, DatumGetInt64(args->values[1]));
}

static void
update_comment(void *arg)
{
	CommentRedaction  *redaction = arg;

	redaction->n = run(&statements[REDACT], &redaction->args);
}

/* Redact the comment's row and what the log has of it; returns how many texts. */
static int64
redact_comment(CommentRedaction *redaction)
{
	static const Oid argtypes[] = {INT8OID, INT8OID, TEXTOID, TEXTOID};
	PlannedEntries planned = {PLANNED_ENTRIES, lengthof(argtypes), argtypes, redaction->args};
	int64		ticket_id = DatumGetInt64(redaction->args.values[0]);
	int64		comment_id = DatumGetInt64(redaction->args.values[1]);
	Modes		erasing = erasing_mode(&comments_table, comment_id, list_make1("content"));
	LogEntry	entry = {
		.action = "ERASE", .table_name = "comments", .has_record_id = true, .record_id = comment_id, .ticket_id = ticket_id
	};
	int64		entries;

	work_in(&erasing, update_comment, redaction);
	entries = redact_entries(&planned);
	/* the trigger has written the entry for a row that changed */
	if (entries > 0 && redaction->n == 0)
		log_write(&entry);
	return redaction->n + entries;
}

/* redact_comment(ticket_id, comment_id, pattern, replacement, actor_id) -> in how many texts something was replaced */
PG_FUNCTION_INFO_V1(support_redact_comment);
Datum
support_redact_comment(PG_FUNCTION_ARGS)
{
	CommentRedaction	redaction = {0};
	Call		call;
	Caller		caller;
	int64		redacted;

	PreventCommandIfReadOnly("redact_comment()");
	read_arguments(&redaction, fcinfo);
	refuse_old_snapshot("redact_comment");
	begin_call(&call, fcinfo, 4);
	become_desk_owner("redact a comment", &caller);
	/* to compile what looks at many tables takes longer than to run it */
	fix_setting("jit", "off");
	check_pattern(fcinfo);
	lock_comment(&redaction.args);
	check_ticket_not_held(DatumGetInt64(redaction.args.values[0]));
	redacted = redact_comment(&redaction);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(redacted);
}
