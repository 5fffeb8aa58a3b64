/*
 * people.c
 *		Users and teams.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"
#include "desk/assignment.h"
#include "desk/choices.h"

enum
{
	HOLDER_OF_EMAIL,
	HOLDER_OF_EXTERNAL_ID,
	FIND_ORGANIZATION,
	INSERT_USER,
	LOCK_TICKETS,
	LOCK_USER,
	DEACTIVATE,
	REACTIVATE,
	SET_ROLE,
	REASSIGN,
	HOLDER_OF_TEAM_NAME,
	INSERT_TEAM,
	FIND_TEAM,
	FIND_USER,
	PUT_MEMBER
};

static Statement statements[] = {
	[HOLDER_OF_EMAIL] = {
		.text = "SELECT id FROM support.users WHERE email_key = lower($1)",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[HOLDER_OF_EXTERNAL_ID] = {
		.text = "SELECT id FROM support.users WHERE external_id = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[FIND_ORGANIZATION] = {
		.text = "SELECT 1 FROM support.organizations WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[INSERT_USER] = {
		.text = "INSERT INTO support.users (email, full_name, role, organization_id, external_id)"
		" VALUES ($1, $2, $3, $4, $5) RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 5, .argtypes = {TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID}
	},
	[LOCK_TICKETS] = {
		.text = "SELECT count(*) FROM (SELECT FROM support.tickets AS t"
		" JOIN support.statuses AS s ON s.name = t.status AND s.category <> ALL (ARRAY['solved', 'closed'])"
		" WHERE t.assignee_id = $1 AND t.deleted_at IS NULL"
		" ORDER BY t.id FOR NO KEY UPDATE OF t) AS locked",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[DEACTIVATE] = {
		.text = "UPDATE support.users SET is_active = false WHERE id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[REACTIVATE] = {
		.text = "UPDATE support.users SET is_active = true WHERE id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[SET_ROLE] = {
		.text = "UPDATE support.users SET role = $2 WHERE id = $1",
		.nargs = 2, .argtypes = {INT8OID, TEXTOID}
	},
	[REASSIGN] = {
		.text = "UPDATE support.tickets AS t SET assignee_id = $2"
		" FROM support.statuses AS s"
		" WHERE t.assignee_id = $1 AND t.deleted_at IS NULL"
		" AND s.name = t.status"
		" AND s.category <> ALL (ARRAY['solved', 'closed'])",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	},
	[HOLDER_OF_TEAM_NAME] = {
		.text = "SELECT id FROM support.teams WHERE name::text = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[INSERT_TEAM] = {
		.text = "INSERT INTO support.teams (name) VALUES ($1) RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[FIND_TEAM] = {
		.text = "SELECT 1 FROM support.teams WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[FIND_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[PUT_MEMBER] = {
		.text = "INSERT INTO support.team_members (team_id, user_id, capacity) VALUES ($1, $2, $3)"
		" ON CONFLICT (team_id, user_id) DO UPDATE SET capacity = excluded.capacity",
		.nargs = 3, .argtypes = {INT8OID, INT8OID, INT4OID}
	}
};

static const UniqueValue email = {
	&statements[HOLDER_OF_EMAIL], "e-mail address", "user", "users", "ix_users_email_key"
};

static const UniqueValue external_id = {
	&statements[HOLDER_OF_EXTERNAL_ID], "external_id", "user", "users", "ix_users_external_id"
};

static const UniqueValue team_name = {
	&statements[HOLDER_OF_TEAM_NAME], "team name", "team", "teams", "teams_name_key"
};

/* Raise P0002 unless there is a row of this id. */
static void
check_there(Statement *find, const char *what, int64 id)
{
	Args		args = {0};

	arg_int64(&args, id);
	if (run(find, &args) == 0)
		refuse_missing(what, id);
}

/* Raise 22023 for a role that there is not. */
static void
check_role(const char *role)
{
	if (is_role(role))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("role \"%s\" does not exist", role),
			 errhint("The roles are: customer, light_agent, agent, team_lead, admin, auditor, bot.")));
}

/* create_user(email, full_name, role, organization_id, external_id, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_create_user);
Datum
support_create_user(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;
	int64		id;

	begin_call(&call, fcinfo, 5);
	if (!PG_ARGISNULL(2))
		check_role(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	check_free(&email, fcinfo, 0, 0);
	check_free(&external_id, fcinfo, 4, 0);
	if (!PG_ARGISNULL(3))
		check_there(&statements[FIND_ORGANIZATION], "organization", PG_GETARG_INT64(3));
	for (int i = 0; i < 5; i++)
		arg_passed(&args, fcinfo, i);
	run(&statements[INSERT_USER], &args);
	id = result_int64(0, 1);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* Lock a user's row: assignments to the user wait. Raises P0002. */
static void
lock_user(int64 user_id)
{
	check_there(&statements[LOCK_USER], "user", user_id);
}

/*
 * The same for one whose tickets move. These are locked first, as whoever changes one does: the server asks for the row of
 * an assignee when a ticket is changed twice. What comes to him meanwhile is seen once his row is locked.
 */
static void
lock_user_and_tickets(int64 user_id)
{
	Args		args = {0};

	arg_int64(&args, user_id);
	run_latest(&statements[LOCK_TICKETS], &args);
	lock_user(user_id);
}

/*
 * Give the unsolved tickets of a user who is locked to the one in an argument, or to nobody; returns how many. Raises 22023
 * if that is the same user, 23503 if the other cannot take them. It sees the tickets that came while we waited for the lock,
 * whatever the transaction keeps to.
 */
static int32
hand_over_tickets(int64 user_id, FunctionCallInfo fcinfo, int n)
{
	Args		args = {0};

	if (!PG_ARGISNULL(n) && PG_GETARG_INT64(n) == user_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tickets of user %lld cannot be reassigned to the same user", (long long) user_id)));
	if (!PG_ARGISNULL(n))
		check_assignee(PG_GETARG_INT64(n));
	arg_int64(&args, user_id);
	arg_passed(&args, fcinfo, n);
	return (int32) run_latest(&statements[REASSIGN], &args);
}

/* deactivate_user(user_id, reassign_to, actor_id) -> how many unsolved tickets moved */
PG_FUNCTION_INFO_V1(support_deactivate_user);
Datum
support_deactivate_user(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 0, "user_id");
	Args		args = {0};
	Call		call;
	int32		moved;

	begin_call(&call, fcinfo, 2);
	lock_user_and_tickets(user_id);
	moved = hand_over_tickets(user_id, fcinfo, 1);
	arg_int64(&args, user_id);
	run(&statements[DEACTIVATE], &args);
	end_call(&call);
	PG_RETURN_INT32(moved);
}

/* reactivate_user(user_id, actor_id) */
PG_FUNCTION_INFO_V1(support_reactivate_user);
Datum
support_reactivate_user(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 0, "user_id");
	Args		args = {0};
	Call		call;

	begin_call(&call, fcinfo, 1);
	lock_user(user_id);
	arg_int64(&args, user_id);
	run(&statements[REACTIVATE], &args);
	end_call(&call);
	PG_RETURN_VOID();
}

/* set_user_role(user_id, role, reassign_to, actor_id) -> how many unsolved tickets moved: none if the role takes tickets */
PG_FUNCTION_INFO_V1(support_set_user_role);
Datum
support_set_user_role(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 0, "user_id");
	char	   *role = TextDatumGetCString(required_argument(fcinfo, 1, "role"));
	Args		args = {0};
	Call		call;
	int32		moved = 0;

	begin_call(&call, fcinfo, 3);
	check_role(role);
	if (takes_tickets(role))
		lock_user(user_id);
	else
	{
		lock_user_and_tickets(user_id);
		moved = hand_over_tickets(user_id, fcinfo, 2);
	}
	arg_int64(&args, user_id);
	arg_text(&args, role);
	run(&statements[SET_ROLE], &args);
	end_call(&call);
	PG_RETURN_INT32(moved);
}

/* create_team(name, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_create_team);
Datum
support_create_team(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;
	int64		id;

	begin_call(&call, fcinfo, 1);
	check_free(&team_name, fcinfo, 0, 0);
	arg_passed(&args, fcinfo, 0);
	run(&statements[INSERT_TEAM], &args);
	id = result_int64(0, 1);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* add_team_member(team_id, user_id, capacity, actor_id): a member already there gets the capacity. */
PG_FUNCTION_INFO_V1(support_add_team_member);
Datum
support_add_team_member(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;

	begin_call(&call, fcinfo, 3);
	check_there(&statements[FIND_TEAM], "team", required_id(fcinfo, 0, "team_id"));
	check_there(&statements[FIND_USER], "user", required_id(fcinfo, 1, "user_id"));
	for (int i = 0; i < 3; i++)
		arg_passed(&args, fcinfo, i);
	run(&statements[PUT_MEMBER], &args);
	end_call(&call);
	PG_RETURN_VOID();
}
