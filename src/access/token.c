/*
 * token.c
 *		Tokens, by which a pooled session proves for whom it acts.
 *
 * An application that is not trusted to say who acts hands on what its user holds: a token that a trusted one had issued when
 * he logged in. act() takes it for the transaction, so nothing stays on a pooled connection. A token is 32 random bytes. The
 * desk keeps its SHA-256 alone, with whose it is, until when, and in which era (see eras.c) it was issued: nothing that a dump
 * or a look at the table tells can be shown as a token, and a desk that was restored or copied takes none of those before.
 * To look one up writes nothing, so it works on a standby.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/access_list.h"
#include "base/actor.h"
#include "base/errors.h"
#include "base/owner.h"
#include "base/plan.h"
#include "base/settings.h"
#include "log/eras.h"

#define TOKEN_BYTES 32
#define TOKEN_LENGTH (TOKEN_BYTES * 2)	/* in hexadecimal digits */

enum
{
	FORGET_EXPIRED,
	KEEP_TOKEN,
	FIND_TOKEN,
	FORGET_TOKENS
};

static Statement statements[] = {
	[FORGET_EXPIRED] = {
		.text = "DELETE FROM support_internal.tokens WHERE user_id = $1 AND expires_at <= $2",
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}, .as_owner_of = INTERNAL_TABLE("tokens")
	},
	[KEEP_TOKEN] = {
		.text = "INSERT INTO support_internal.tokens (digest, user_id, era, issued_at, expires_at)"
		" VALUES ($1, $2, $3, $4, $4 + $5)",
		.nargs = 5, .argtypes = {BYTEAOID, INT8OID, INT4OID, TIMESTAMPTZOID, INTERVALOID}, .as_owner_of = INTERNAL_TABLE("tokens")
	},
	[FIND_TOKEN] = {
		.text = "SELECT u.id, format('%s (%s)', u.full_name, u.role)"
		" FROM support_internal.tokens AS t JOIN support.users AS u ON u.id = t.user_id"
		" WHERE t.digest = $1 AND t.era = $2 AND t.expires_at > $3 AND u.is_active",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 3, .argtypes = {BYTEAOID, INT4OID, TIMESTAMPTZOID}, .as_owner_of = INTERNAL_TABLE("tokens")
	},
	[FORGET_TOKENS] = {
		.text = "DELETE FROM support_internal.tokens WHERE user_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("tokens")
	}
};

/* What the desk keeps of a token, which text and bytea hold alike: its SHA-256, as bytea. */
static Datum
digest_of(text *token)
{
	return DirectFunctionCall1(sha256_bytea, PointerGetDatum(token));
}

/* Raise 42501 unless the session is trusted to say who acts, or has the rights of the desk's owner. */
static void
check_may_issue(void)
{
	if (!speaks_for_others(GetUserId()) && !has_owners_rights(GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not issue or revoke tokens", GetUserNameFromId(GetUserId(), false)),
				 errhint("That is for roles whose access is app, and for the owner of the desk.")));
}

/* How long a token is valid. Raises 22023 unless that is some time, and no more than a year. */
static Datum
validity_argument(FunctionCallInfo fcinfo, int n)
{
	Interval	nothing = {0};
	Interval	year = {.month = MONTHS_PER_YEAR};
	Datum		given = required_argument(fcinfo, n, "valid_for");

	if (DatumGetBool(DirectFunctionCall2(interval_le, given, IntervalPGetDatum(&nothing))) ||
		DatumGetBool(DirectFunctionCall2(interval_gt, given, IntervalPGetDatum(&year))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("valid_for must be more than nothing and a year at most")));
	return given;
}

/* issue_token(user_id, valid_for, actor_id) -> token. 42501, P0002, 55000 and 22023, see above. */
PG_FUNCTION_INFO_V1(support_issue_token);
Datum
support_issue_token(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 0, "user_id");
	Datum		valid_for = validity_argument(fcinfo, 1);
	uint8		random[TOKEN_BYTES];
	char		token[TOKEN_LENGTH + 1];
	Args		expired = {0};
	Args		args = {0};
	Call		call;

	begin_call(&call, fcinfo, 2);
	check_may_issue();
	check_may_act(user_id);
	if (!pg_strong_random(random, sizeof(random)))
		elog(ERROR, "could not generate random values");
	hex_encode((const char *) random, TOKEN_BYTES, token);
	token[TOKEN_LENGTH] = '\0';
	arg_int64(&expired, user_id);
	arg(&expired, TimestampTzGetDatum(desk_now()));
	run_latest(&statements[FORGET_EXPIRED], &expired);
	arg(&args, digest_of(cstring_to_text(token)));
	arg_int64(&args, user_id);
	arg(&args, Int32GetDatum(current_era()));
	arg(&args, TimestampTzGetDatum(desk_now()));
	arg(&args, valid_for);
	run_latest(&statements[KEEP_TOKEN], &args);
	end_call(&call);
	PG_RETURN_TEXT_P(cstring_to_text(token));
}

/*
 * act(token) -> 'full name (role)': has the session act as the token's user until the transaction ends. 28000 for what is no token,
 * has expired or was revoked, is of another desk, or of a user who was deactivated: which of these is not told.
 */
PG_FUNCTION_INFO_V1(support_act);
Datum
support_act(PG_FUNCTION_ARGS)
{
	text	   *token = DatumGetTextPP(required_argument(fcinfo, 0, "token"));
	Args		args = {0};
	Call		call;
	int64		user_id;
	Datum		name;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg(&args, digest_of(token));
	arg(&args, Int32GetDatum(known_era()));
	arg(&args, TimestampTzGetDatum(desk_now()));
	if (run(&statements[FIND_TOKEN], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("the token is not valid"),
				 errhint("It may have expired: log in again.")));
	user_id = result_int64(0, 1);
	name = SPI_datumTransfer(result(0, 2), false, -1);
	end_call(&call);
	prove_actor(user_id);
	set_actor_setting(user_id, true);
	PG_RETURN_DATUM(name);
}

/* revoke_tokens(user_id, actor_id) -> how many tokens of the user are valid no more. 42501, see above. */
PG_FUNCTION_INFO_V1(support_revoke_tokens);
Datum
support_revoke_tokens(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 0, "user_id");
	Args		args = {0};
	Call		call;
	int32		revoked;

	begin_call(&call, fcinfo, 1);
	check_may_issue();
	arg_int64(&args, user_id);
	revoked = (int32) run_latest(&statements[FORGET_TOKENS], &args);
	end_call(&call);
	PG_RETURN_INT32(revoked);
}
