/*
 * attachment.c
 *		Files on tickets and comments.
 *
 * The row in support.attachments says what is known of a file; its bytes lie apart, once per ticket and digest, where
 * the audit log does not copy them and a removed ticket leaves them for its restore.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "access/portal.h"
#include "base/actor.h"
#include "base/desk_settings.h"
#include "base/errors.h"
#include "base/plan.h"
#include "desk/ticket_access.h"

enum
{
	STATE_OF_COMMENT,
	INSERT_ATTACHMENT,
	KEEP_CONTENT,
	DIGEST_OF_ATTACHMENT,
	READ_CONTENT
};

static Statement statements[] = {
	[STATE_OF_COMMENT] = {
		.text = "SELECT deleted_at IS NOT NULL FROM support.comments"
		" WHERE ticket_id = $1 AND id = $2",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[INSERT_ATTACHMENT] = {
		.text = "INSERT INTO support.attachments"
		" (ticket_id, comment_id, filename, content_type, byte_size, sha256, uploaded_by)"
		" VALUES ($1, $2, $3, coalesce($4, 'application/octet-stream'),"
		"	length($5), sha256($5), $6)"
		" RETURNING id, sha256",
		.columns = {{INT8OID, NOT_NULL}, {BYTEAOID, NOT_NULL}},
		.nargs = 6, .argtypes = {INT8OID, INT8OID, TEXTOID, TEXTOID, BYTEAOID, INT8OID}
	},
	[KEEP_CONTENT] = {
		.text = "INSERT INTO support_internal.attachment_contents (ticket_id, sha256, content)"
		" VALUES ($1, $2, $3) ON CONFLICT (ticket_id, sha256) DO NOTHING",
		.nargs = 3, .argtypes = {INT8OID, BYTEAOID, BYTEAOID}, .as_owner_of = INTERNAL_TABLE("attachment_contents")
	},
	/* the files of a comment are seen by who sees the comment, as in get_ticket() */
	[DIGEST_OF_ATTACHMENT] = {
		.text = "SELECT a.sha256 FROM support.attachments AS a"
		" LEFT JOIN support.comments AS c ON c.ticket_id = a.ticket_id"
		"	AND c.id = a.comment_id"
		" WHERE a.ticket_id = $1 AND a.id = $2"
		"	AND (a.comment_id IS NULL OR (c.id IS NOT NULL AND c.deleted_at IS NULL AND ($3 OR NOT c.is_private)))",
		.columns = {{BYTEAOID}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, BOOLOID}
	},
	[READ_CONTENT] = {
		.text = "SELECT content FROM support_internal.attachment_contents"
		" WHERE ticket_id = $1 AND sha256 = $2",
		.columns = {{BYTEAOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, BYTEAOID}, .as_owner_of = INTERNAL_TABLE("attachment_contents")
	}
};

/* Raise 54000 for a file over the limit, before its bytes are fetched; 22023 for none. */
static void
check_size(FunctionCallInfo fcinfo, int n)
{
	int64		size;
	int64		limit;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("content must not be null"),
				 errhint("A file that is kept elsewhere is a plain INSERT into support.attachments.")));
	limit = max_attachment_size();
	size = (int64) toast_raw_datum_size(PG_GETARG_DATUM(n)) - VARHDRSZ;
	if (size > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an attachment of %lld bytes is too large", (long long) size),
				 errdetail("The limit is %lld bytes.", (long long) limit),
				 errhint("The owner of the desk sets it, by support.configure('max_attachment_size', value).")));
}

/* Raise P0002 or 55000 unless the ticket has the comment. */
static void
check_comment(int64 ticket_id, FunctionCallInfo fcinfo, int n)
{
	Args		args = {0};

	if (PG_ARGISNULL(n))
		return;
	arg_int64(&args, ticket_id);
	arg_passed(&args, fcinfo, n);
	if (run(&statements[STATE_OF_COMMENT], &args) == 0)
		refuse_missing_comment(ticket_id, PG_GETARG_INT64(n));
	if (result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("comment %lld was deleted", (long long) PG_GETARG_INT64(n))));
}

/* Insert the row and keep the bytes; returns the id. */
static int64
keep_file(int64 ticket_id, FunctionCallInfo fcinfo)
{
	Args		args = {0};
	Args		content = {0};
	int64		user_id;
	int64		id;

	arg_int64(&args, ticket_id);
	arg_passed(&args, fcinfo, 4);
	arg_passed(&args, fcinfo, 1);
	arg_passed(&args, fcinfo, 3);
	arg_passed(&args, fcinfo, 2);
	if (acting_user(&user_id))
		arg_int64(&args, user_id);
	else
		arg_null(&args);
	run(&statements[INSERT_ATTACHMENT], &args);
	id = result_int64(0, 1);

	arg_int64(&content, ticket_id);
	arg(&content, result(0, 2));
	arg_passed(&content, fcinfo, 2);
	run(&statements[KEEP_CONTENT], &content);
	return id;
}

/* add_attachment(ticket_id, filename, content, content_type, comment_id, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_add_attachment);
Datum
support_add_attachment(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	Caller		caller;
	Call		call;
	bool		as_customer;
	int64		id;

	begin_call(&call, fcinfo, 5);
	as_customer = enter_as_customer(&caller);
	if (as_customer)
	{
		check_own_request(ticket_id);
		if (!PG_ARGISNULL(4))
			check_own_comment(ticket_id, PG_GETARG_INT64(4));
	}
	check_size(fcinfo, 2);
	lock_live_ticket(ticket_id);
	check_comment(ticket_id, fcinfo, 4);
	id = keep_file(ticket_id, fcinfo);
	if (as_customer)
		become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/*
 * Find the digest that an attachment's bytes lie under. Raises P0002 or 55000: P0002 as well for a file of a comment
 * that is not shown.
 */
static Datum
digest_of(int64 ticket_id, int64 attachment_id, bool include_private)
{
	Args		args = {0};

	check_live_ticket(ticket_id);
	arg_int64(&args, ticket_id);
	arg_int64(&args, attachment_id);
	arg(&args, BoolGetDatum(include_private));
	if (run_read_only(&statements[DIGEST_OF_ATTACHMENT], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("ticket %lld has no attachment %lld", (long long) ticket_id, (long long) attachment_id)));
	return result(0, 1);
}

/* attachment_content(ticket_id, attachment_id, include_private) -> bytes, NULL where they are kept elsewhere */
PG_FUNCTION_INFO_V1(support_attachment_content);
Datum
support_attachment_content(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	int64		attachment_id = required_id(fcinfo, 1, "attachment_id");
	bool		include_private = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	Args		args = {0};
	Caller		caller;
	Call		call;
	bool		as_customer;
	Datum		digest;
	Datum		content = (Datum) 0;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	as_customer = enter_as_customer(&caller);
	if (as_customer)
	{
		check_own_request(ticket_id);
		if (include_private)
			refuse_choice("include_private");
	}
	digest = digest_of(ticket_id, attachment_id, include_private);
	arg_int64(&args, ticket_id);
	if (digest != (Datum) 0)
		arg(&args, digest);
	else
		arg_null(&args);
	if (run_read_only(&statements[READ_CONTENT], &args) > 0)
		content = SPI_datumTransfer(result(0, 1), false, -1);
	if (as_customer)
		become_caller(&caller);
	end_call(&call);
	if (content == (Datum) 0)
		PG_RETURN_NULL();
	return content;
}
