/*
 * actor.c
 *		Who acts, and when.
 *
 * The acting user is support_ext.actor_id where that is set, else the user whose db_role is the session user. It is
 * what a client says of itself: a label for the log, not a proof of identity; the log keeps the database role beside
 * it. But who logs in as himself is known: a role that is a person's db_role acts as that person alone, unless it has the
 * rights of the desk's owner. And once any access was granted (access_list.c) only roles that are trusted with it say who acts. A setting is taken as it comes, also before there is a transaction to look anybody up in,
 * so this is asked whenever it is read. A function's trailing argument actor_id becomes the setting for the length of the call, under a settings level
 * of its own, so that triggers and defaults see it and the end of the (sub)transaction takes it back after an error.
 *
 * Which user a database role stands for is kept for the session. The trigger on users invalidates that table's
 * relcache entry when a db_role changes, which reaches every session, and forget_user_of_role() forgets the answer.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/access_list.h"
#include "base/actor.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/layout.h"
#include "base/owner.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "base/settings.h"

enum
{
	USER_OF_ROLE,
	NAME_OF_USER,
	ACTOR
};

static Statement statements[] = {
	[USER_OF_ROLE] = {
		.text = "SELECT id, role <> 'bot', is_active FROM support.users WHERE db_role = $1",
		.columns = {{INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = PUBLIC_TABLE("users")
	},
	[NAME_OF_USER] = {
		.text = "SELECT format('%s (%s)', full_name, role), is_active"
		" FROM support.users WHERE id = $1",
		.columns = {{TEXTOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	},
	[ACTOR] = {
		.text = "SELECT is_active FROM support.users WHERE id = $1",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	}
};

/* the user whose db_role is the session user */
static Oid	role_looked_up = InvalidOid;
static int64 user_of_role;		/* 0 if none */
static bool user_is_person;		/* and no bot, which is a program that may act for many */
static bool user_is_active;
static SessionCache user_of_role_cache;

void
actor_init(void)
{
	add_session_cache(&user_of_role_cache);
}

/* The desk's clock: start of the transaction, or support_ext.now. */
TimestampTz
desk_now(void)
{
	return clock_setting.is_set ? clock_setting.now : GetCurrentTransactionStartTimestamp();
}

/* The same clock as it goes on while a transaction lasts. */
TimestampTz
desk_clock(void)
{
	return clock_setting.is_set ? clock_setting.now : Max(GetCurrentTimestamp(), GetCurrentTransactionStartTimestamp());
}

/*
 * May something have happened at an instant? Not before 1970, nor later than a client's clock, which may be fast, can
 * say: reports and clocks would carry on what is a mistake of its source.
 */
bool
may_have_happened(TimestampTz at)
{
	return at >= SetEpochTimestamp() &&
		at <= Max(desk_now(), GetCurrentTimestamp()) + MINUTES_FAST * USECS_PER_MINUTE;
}

/*
 * Find the user whose db_role is the session user; 0 if there is none. In a security-restricted operation nobody speaks
 * for the session: see asking_role().
 */
static int64
session_user_id(void)
{
	Args		args = {0};
	Oid			role = InSecurityRestrictedOperation() ? user_at_hand() : GetSessionUserId();
	int64		found = 0;
	bool		is_person = false;
	bool		is_active = false;

	if (role == role_looked_up && !user_of_role_cache.stale)
		return user_of_role;

	user_of_role_cache.tables[0] = desk_relation("support", "users");
	role_looked_up = InvalidOid;
	user_of_role_cache.stale = false;
	note_reading(&user_of_role_cache);
	SPI_connect();
	arg_text(&args, GetUserNameFromId(role, false));
	if (run(&statements[USER_OF_ROLE], &args) > 0)
	{
		found = result_int64(0, 1);
		is_person = result_bool(0, 2);
		is_active = result_bool(0, 3);
	}
	SPI_finish();

	/* what an old snapshot or a change on the way says is right for now only */
	user_of_role = found;
	user_is_person = is_person;
	user_is_active = is_active;
	role_looked_up = IsolationUsesXactSnapshot() || user_of_role_cache.stale ? InvalidOid : role;
	return found;
}

/* Whom the session has proved to be, in which transaction: see prove_actor(). */
static int64 *proved;
static int	nproved;
static LocalTransactionId proved_in;

/*
 * Take a user for proved, until the transaction ends: the session has shown something that only he can have. It may act as him
 * from now on, whatever its role is.
 */
void
prove_actor(int64 user_id)
{
	if (proved_in != current_lxid())
		nproved = 0;
	proved_in = current_lxid();
	if (proved == NULL)
		proved = MemoryContextAlloc(TopMemoryContext, sizeof(int64) * (nproved + 1));
	else
		proved = repalloc(proved, sizeof(int64) * (nproved + 1));
	proved[nproved++] = user_id;
}

static bool
is_proved(int64 user_id)
{
	for (int i = 0; proved_in == current_lxid() && i < nproved; i++)
		if (proved[i] == user_id)
			return true;
	return false;
}

/* Raise 42501 if the session is another person's, and neither he nor the role that says so has the rights of the desk's owner. */
static void
check_said_by(int64 user_id, Oid role)
{
	int64		own_id = session_user_id();
	bool		is_trusted = any_access_is_granted() ? speaks_for_others(GetSessionUserId()) : own_id == 0 || !user_is_person;

	if (own_id == user_id || is_trusted || is_proved(user_id) || has_owners_rights(GetSessionUserId()) || has_owners_rights(role))
		return;
	if (own_id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not say who acts", GetUserNameFromId(GetSessionUserId(), false)),
				 errhint("That is for roles whose access is app; others act as the user whose db_role they are.")));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" acts as user %lld and not as user %lld",
					GetUserNameFromId(GetSessionUserId(), false), (long long) own_id, (long long) user_id),
			 errhint("Who acts for others connects as a role that is nobody's db_role, or has the rights of the desk's owner.")));
}

/* The same for what the role at hand says in a call. */
void
check_acts_as(int64 user_id)
{
	check_said_by(user_id, GetUserId());
}

/* Raise 55000 if the session is that of somebody who was deactivated, unless he has the rights of the desk's owner. */
static void
check_still_acts(int64 own_id)
{
	if (own_id != 0 && user_is_person && !user_is_active && !has_owners_rights(GetSessionUserId()))
		refuse_inactive_user(own_id);
}

/*
 * Who acts? False if nobody is known to. Raises 42501 if the setting names somebody whom the session may not act as, 55000 if
 * the session's own user was deactivated.
 */
bool
acting_user(int64 *user_id)
{
	*user_id = actor_setting.user_id != 0 ? actor_setting.user_id : session_user_id();
	if (actor_setting.user_id != 0)
		check_said_by(actor_setting.user_id, actor_setting.set_by);
	else
		check_still_acts(*user_id);
	return *user_id != 0;
}

/* Raise P0002 for a user that there is not, 55000 for one who was deactivated. Needs an SPI level. */
void
check_may_act(int64 user_id)
{
	Args		args = {0};

	arg_int64(&args, user_id);
	if (run(&statements[ACTOR], &args) == 0)
		refuse_missing("user", user_id);
	if (!result_bool(0, 1))
		refuse_inactive_user(user_id);
}

/*
 * Open the frame of a function: an SPI level on a desk of the right layout, and the acting user that the argument
 * names. NULL leaves the acting user as it is. Raises 42501, P0002 or 55000 for one whom the session cannot act as.
 */
void
begin_call(Call *call, FunctionCallInfo fcinfo, int actor_argument)
{
	int64		user_id;

	SPI_connect();
	check_layout();
	call->nestlevel = 0;
	if (actor_argument == NO_ACTOR_ARGUMENT || PG_ARGISNULL(actor_argument))
		return;
	if (acting_user(&user_id) && user_id == PG_GETARG_INT64(actor_argument))
		return;
	user_id = PG_GETARG_INT64(actor_argument);
	check_acts_as(user_id);
	check_may_act(user_id);
	call->nestlevel = NewGUCNestLevel();
	set_actor_for_call(user_id);
}

/* Close the frame. What SPI returned is gone after this. */
void
end_call(Call *call)
{
	if (call->nestlevel != 0)
		AtEOXact_GUC(true, call->nestlevel);
	SPI_finish();
}

PG_FUNCTION_INFO_V1(support_actor_id);
Datum
support_actor_id(PG_FUNCTION_ARGS)
{
	int64		user_id;

	if (!acting_user(&user_id))
		PG_RETURN_NULL();
	PG_RETURN_INT64(user_id);
}

/*
 * set_actor(user_id, is_local) -> 'full name (role)'. NULL clears. P0002 for an unknown user, 55000 for one who was
 * deactivated, 42501 for another than the person whose session it is.
 */
PG_FUNCTION_INFO_V1(support_set_actor);
Datum
support_set_actor(PG_FUNCTION_ARGS)
{
	bool		is_local = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Args		args = {0};
	Call		call;
	Datum		name;
	int64		user_id;

	if (PG_ARGISNULL(0))
	{
		set_actor_setting(0, is_local);
		PG_RETURN_NULL();
	}

	user_id = PG_GETARG_INT64(0);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	check_acts_as(user_id);
	arg_int64(&args, user_id);
	if (run(&statements[NAME_OF_USER], &args) == 0)
		refuse_missing("user", user_id);
	if (!result_bool(0, 2))
		refuse_inactive_user(user_id);
	name = SPI_datumTransfer(result(0, 1), false, -1);
	end_call(&call);

	set_actor_setting(user_id, is_local);
	PG_RETURN_DATUM(name);
}

PG_FUNCTION_INFO_V1(support_desk_now);
Datum
support_desk_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(desk_now());
}
