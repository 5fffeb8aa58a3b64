/*
 * comment.c
 *		Writing, editing, deleting and restoring comments.
 *
 * What a comment does to its ticket is the triggers' work, see reply.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "access/portal.h"
#include "base/actor.h"
#include "base/errors.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "base/tables.h"
#include "base/value_rules.h"
#include "desk/recycle.h"
#include "desk/reply.h"
#include "desk/ticket_access.h"
#include "log/log_writer.h"

#define INSERT_TEXT \
	"INSERT INTO support.comments (ticket_id, content, is_private, author_id, via, created_at, external_id)" \
	" VALUES ($1, $2, coalesce($3, false), $4, coalesce($5, 'api'), $6, $7)"

enum
{
	COMMENT_OF_EXTERNAL_ID,
	HAS_EXTERNAL_ID,
	SEE_TICKET,
	INSERT_COMMENT,
	INSERT_ONCE,
	SET_STATUS,
	STATE_OF_COMMENT,
	EDIT,
	MARK,
	UNMARK,
	REASON
};

static Statement statements[] = {
	[COMMENT_OF_EXTERNAL_ID] = {
		.text = "SELECT id, author_id FROM support.comments"
		" WHERE ticket_id = $1 AND external_id = $2",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, TEXTOID}
	},
	[HAS_EXTERNAL_ID] = {
		.text = "SELECT 1 FROM support.comments"
		" WHERE ticket_id = $1 AND external_id = $2",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, TEXTOID}, .as_owner_of = PUBLIC_TABLE("comments")
	},
	[SEE_TICKET] = {
		.text = "SELECT 1 FROM support.tickets WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[INSERT_COMMENT] = {
		.text = INSERT_TEXT " RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 7, .argtypes = {INT8OID, TEXTOID, BOOLOID, INT8OID, TEXTOID, TIMESTAMPTZOID, TEXTOID}
	},
	[INSERT_ONCE] = {
		.text = INSERT_TEXT " ON CONFLICT (ticket_id, external_id) DO NOTHING RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 7, .argtypes = {INT8OID, TEXTOID, BOOLOID, INT8OID, TEXTOID, TIMESTAMPTZOID, TEXTOID}
	},
	[SET_STATUS] = {
		.text = "UPDATE support.tickets SET status = $2 WHERE id = $1",
		.nargs = 2, .argtypes = {INT8OID, TEXTOID}
	},
	[STATE_OF_COMMENT] = {
		.text = "SELECT deleted_at IS NOT NULL FROM support.comments"
		" WHERE ticket_id = $1 AND id = $2 FOR NO KEY UPDATE",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[EDIT] = {
		.text = "UPDATE support.comments SET content = $3"
		" WHERE ticket_id = $1 AND id = $2",
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[MARK] = {
		.text = "UPDATE support.comments SET deleted_at = support.desk_now()"
		" WHERE ticket_id = $1 AND id = $2",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[UNMARK] = {
		.text = "UPDATE support.comments SET deleted_at = NULL"
		" WHERE ticket_id = $1 AND id = $2",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[REASON] = {
		.text = "SELECT jsonb_build_object('reason', $1)",
		.columns = {{JSONBOID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	}
};

/* The arguments of add_comment(), by position. */
enum
{
	ARG_TICKET,
	ARG_CONTENT,
	ARG_PRIVATE,
	ARG_STATUS,
	ARG_AUTHOR,
	ARG_VIA,
	ARG_EXTERNAL_ID,
	ARG_VERSION,
	ARG_CREATED_AT,
	ARG_ACTOR
};

/* Raise 23505: another author's comment has the external id. */
pg_noreturn static void
refuse_external_id(FunctionCallInfo fcinfo, const char *detail)
{
	refuse_taken_external_id(TextDatumGetCString(key_argument(fcinfo, ARG_EXTERNAL_ID)), detail,
							 "comments", "ix_comments_external_id");
}

/*
 * Find the comment that an external id names; false if there is none, or the argument is NULL or blank. Raises 23505 if it
 * is by another author than the call's.
 */
static bool
find_by_external_id(FunctionCallInfo fcinfo, int64 *comment_id)
{
	Datum		key = key_argument(fcinfo, ARG_EXTERNAL_ID);
	int64		author_id;
	Args		args = {0};

	if (key == (Datum) 0)
		return false;
	arg_passed(&args, fcinfo, ARG_TICKET);
	arg(&args, key);
	if (run(&statements[COMMENT_OF_EXTERNAL_ID], &args) == 0)
		return false;
	*comment_id = result_int64(0, 1);
	author_id = result_int64(0, 2);
	if (author_id != acting_user_or(fcinfo, ARG_AUTHOR))
		refuse_external_id(fcinfo, psprintf("Comment %lld has it.", (long long) *comment_id));
	return true;
}

/* Raise 23505 if a comment that the caller may not see has the external id. */
static void
check_external_id_free(FunctionCallInfo fcinfo)
{
	Datum		key = key_argument(fcinfo, ARG_EXTERNAL_ID);
	Args		args = {0};

	if (key == (Datum) 0)
		return;
	arg_passed(&args, fcinfo, ARG_TICKET);
	arg(&args, key);
	if (run(&statements[HAS_EXTERNAL_ID], &args) > 0)
		refuse_external_id(fcinfo, NULL);
}

/* Insert the row; 0 rows if the external id became known meanwhile. Raises P0002 for an unknown author. */
static uint64
insert_comment(FunctionCallInfo fcinfo)
{
	int64		author_id = acting_user_or(fcinfo, ARG_AUTHOR);
	Args		args = {0};

	if (role_of_user(author_id) == NULL)
		refuse_missing("user", author_id);
	arg_passed(&args, fcinfo, ARG_TICKET);
	arg_passed(&args, fcinfo, ARG_CONTENT);
	arg_passed(&args, fcinfo, ARG_PRIVATE);
	arg_int64(&args, author_id);
	arg_passed(&args, fcinfo, ARG_VIA);
	arg_passed(&args, fcinfo, ARG_CREATED_AT);
	arg_passed(&args, fcinfo, ARG_EXTERNAL_ID);
	return run(&statements[key_argument(fcinfo, ARG_EXTERNAL_ID) == (Datum) 0 ? INSERT_COMMENT : INSERT_ONCE], &args);
}

/* Set the ticket's status after the comment, so that a reply which also solves counts as a reply first. */
static void
set_status_after(FunctionCallInfo fcinfo)
{
	Args		args = {0};

	if (PG_ARGISNULL(ARG_STATUS))
		return;
	arg_passed(&args, fcinfo, ARG_TICKET);
	arg_passed(&args, fcinfo, ARG_STATUS);
	run(&statements[SET_STATUS], &args);
}

/* Raise P0002 for a ticket that the caller may not see: the trigger, which acts for the owner, sees them all. */
static void
check_visible(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[SEE_TICKET], &args) == 0)
		refuse_absent_ticket(ticket_id);
}

/* Add a comment, or find the one that was added with the same external id. */
static int64
write_comment(FunctionCallInfo fcinfo, int64 ticket_id)
{
	int64		expected = version_argument(fcinfo, ARG_VERSION);
	int64		comment_id;

	if (find_by_external_id(fcinfo, &comment_id))
		return comment_id;
	check_visible(ticket_id);
	if (expected != ANY_VERSION)
		lock_ticket_at_version(ticket_id, expected);
	if (insert_comment(fcinfo) == 0)
	{
		if (find_by_external_id(fcinfo, &comment_id))
			return comment_id;
		check_external_id_free(fcinfo);
		refuse_suppressed_row();
	}
	comment_id = result_int64(0, 1);
	set_status_after(fcinfo);
	return comment_id;
}

/* Raise P0002 where a customer answers on another's ticket, 42501 where he asks for more than to have said something. */
static void
check_customers_comment(FunctionCallInfo fcinfo, int64 ticket_id)
{
	check_own_request(ticket_id);
	if (!PG_ARGISNULL(ARG_PRIVATE) && PG_GETARG_BOOL(ARG_PRIVATE))
		refuse_choice("is_private");
	if (!PG_ARGISNULL(ARG_VIA) && strcmp(text_to_cstring(PG_GETARG_TEXT_PP(ARG_VIA)), "api") != 0 &&
		strcmp(text_to_cstring(PG_GETARG_TEXT_PP(ARG_VIA)), "web") != 0)
		refuse_choice("via");
	check_names_me(fcinfo, ARG_AUTHOR, "author_id");
	check_left_open(fcinfo, ARG_STATUS, "status");
	check_left_open(fcinfo, ARG_EXTERNAL_ID, "external_id");
	check_left_open(fcinfo, ARG_CREATED_AT, "created_at");
}

/* add_comment(ticket_id, content, is_private, status, author_id, via, external_id, expected_version, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_add_comment);
Datum
support_add_comment(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, ARG_TICKET, "ticket_id");
	Caller		caller;
	Call		call;
	bool		as_customer;
	int64		comment_id;

	begin_call(&call, fcinfo, ARG_ACTOR);
	as_customer = enter_as_customer(&caller);
	if (as_customer)
		check_customers_comment(fcinfo, ticket_id);
	comment_id = write_comment(fcinfo, ticket_id);
	if (as_customer)
		become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(comment_id);
}

/* Lock a comment of a live ticket and tell whether it is marked as deleted; false as well if there is no row. */
static bool
lock_comment(const Args *key, bool *is_marked)
{
	lock_live_ticket(DatumGetInt64(key->values[0]));
	if (run(&statements[STATE_OF_COMMENT], key) == 0)
		return false;
	*is_marked = result_bool(0, 1);
	return true;
}

/* Lock a live comment of a live ticket. Raises P0002 or 55000. */
static void
lock_live_comment(const Args *key)
{
	int64		ticket_id = DatumGetInt64(key->values[0]);
	int64		comment_id = DatumGetInt64(key->values[1]);
	bool		is_marked;

	if (!lock_comment(key, &is_marked))
		refuse_missing_comment(ticket_id, comment_id);
	if (is_marked)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("comment %lld was deleted", (long long) comment_id),
				 errhint("Restore it with SELECT support.restore_comment(%lld, %lld).",
						 (long long) ticket_id, (long long) comment_id)));
}

/* The key that the first two arguments name. */
static Args
comment_key(FunctionCallInfo fcinfo)
{
	Args		key = {0};

	arg_int64(&key, required_id(fcinfo, 0, "ticket_id"));
	arg_int64(&key, required_id(fcinfo, 1, "comment_id"));
	return key;
}

/* edit_comment(ticket_id, comment_id, content, actor_id) */
PG_FUNCTION_INFO_V1(support_edit_comment);
Datum
support_edit_comment(PG_FUNCTION_ARGS)
{
	Args		key = comment_key(fcinfo);
	Args		args = key;
	Call		call;

	begin_call(&call, fcinfo, 3);
	lock_live_comment(&key);
	arg_passed(&args, fcinfo, 2);
	run(&statements[EDIT], &args);
	end_call(&call);
	PG_RETURN_VOID();
}

/* Log why a comment was deleted. Raises 54000 for a reason that is too long. */
static void
log_reason(const Args *key, FunctionCallInfo fcinfo, int n)
{
	LogEntry	entry = {
		.action = "comment_deleted", .table_name = NULL,
		.has_record_id = true, .record_id = DatumGetInt64(key->values[1]),
		.ticket_id = DatumGetInt64(key->values[0])
	};
	Args		args = {0};

	if (PG_ARGISNULL(n))
		return;
	check_size("the reason", PG_GETARG_DATUM(n), MAX_REASON_SIZE);
	arg_passed(&args, fcinfo, n);
	run(&statements[REASON], &args);
	entry.new_value = SPI_datumTransfer(result(0, 1), false, -1);
	log_write(&entry);
}

/* delete_comment(ticket_id, comment_id, reason, actor_id) */
PG_FUNCTION_INFO_V1(support_delete_comment);
Datum
support_delete_comment(PG_FUNCTION_ARGS)
{
	Args		key = comment_key(fcinfo);
	Call		call;

	begin_call(&call, fcinfo, 3);
	lock_live_comment(&key);
	run(&statements[MARK], &key);
	log_reason(&key, fcinfo, 2);
	end_call(&call);
	PG_RETURN_VOID();
}

/* restore_comment(ticket_id, comment_id, actor_id): brings back a marked or a removed comment. */
PG_FUNCTION_INFO_V1(support_restore_comment);
Datum
support_restore_comment(PG_FUNCTION_ARGS)
{
	Args		key = comment_key(fcinfo);
	int64		ticket_id = DatumGetInt64(key.values[0]);
	int64		comment_id = DatumGetInt64(key.values[1]);
	bool		is_marked;
	Call		call;

	begin_call(&call, fcinfo, 2);
	if (!lock_comment(&key, &is_marked))
	{
		if (!restore_removed_comment(ticket_id, comment_id))
			refuse_missing_comment(ticket_id, comment_id);
		recount_replies(ticket_id);
	}
	else if (is_marked)
		run(&statements[UNMARK], &key);
	else
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("comment %lld is not deleted", (long long) comment_id)));
	end_call(&call);
	PG_RETURN_VOID();
}
