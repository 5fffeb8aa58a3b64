/*
 * assignment.c
 *		Whom tickets can be assigned to.
 *
 * That is who answers, by the standing that the user's row has. A change of it and an assignment that is under way take
 * turns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/assignment.h"

enum
{
	ASSIGNEE,
	LOCK_USER
};

static Statement statements[] = {
	[ASSIGNEE] = {
		.text = "SELECT is_active, role FROM support.users WHERE id = $1 FOR KEY SHARE",
		.columns = {{BOOLOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	},
	[LOCK_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	}
};

/*
 * Raise 23503 unless tickets can be assigned to this user. The lock is the one that the foreign key takes as well;
 * settle_assignments() waits for it.
 */
void
check_assignee(int64 user_id)
{
	Args		args = {0};
	char	   *role;

	SPI_connect();
	arg_int64(&args, user_id);
	if (run(&statements[ASSIGNEE], &args) == 0)
		refuse_unknown_reference("user", user_id, "tickets", "tickets_assignee_id_fkey");
	role = result_text(0, 2);
	if (!result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: not active", (long long) user_id),
				 err_constraint("tickets", "tickets_assignee_id_fkey")));
	if (!answers_customers(role) && strcmp(role, "bot") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: role \"%s\"", (long long) user_id, role),
				 errhint("Agents, team leads, administrators and bots can."),
				 err_constraint("tickets", "tickets_assignee_id_fkey")));
	SPI_finish();
}

/*
 * A user's standing is about to change: wait for assignments to the user that are under way, and let later ones wait
 * for the change. An UPDATE alone does neither. The lock must be on the row as it was, so this comes before the UPDATE.
 */
static void
settle_assignments(int64 user_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, user_id);
	run(&statements[LOCK_USER], &args);
	SPI_finish();
}

/*
 * Keep a user's updated_at, which moves if another column does, or alone to a later time that the client names; a change of
 * standing waits for assignments.
 */
static void
complete_user(RowChange *change)
{
	const TableShape *shape = change->new->shape;
	AttrNumber	updated_at = shape->columns[USER_UPDATED_AT];
	bool		changed = false;

	if (change->old == NULL)
		return;
	for (int i = 0; i < shape->natts; i++)
		changed |= change->differs[i] && i + 1 != updated_at;
	if (changed)
		row_set(change->new, USER_UPDATED_AT, TimestampTzGetDatum(desk_now()));
	else if (change->restoring || row_time(change->new, USER_UPDATED_AT) <= row_time(change->old, USER_UPDATED_AT))
		row_take_over(change->old, change->new, USER_UPDATED_AT);
	row_check_finite(change->new, USER_UPDATED_AT);
	if (changes(change, USER_IS_ACTIVE) || changes(change, USER_ROLE))
		settle_assignments(row_int64(change->old, USER_ID));
}

/* Tell sessions of a change of what they keep of users: their roles, and who a db_role is. */
static void
tell_sessions(const RowChange *change)
{
	if (change->old == NULL ? !row_is_null(change->new, USER_DB_ROLE) :
		change->new == NULL || changes(change, USER_ROLE) || changes(change, USER_DB_ROLE))
		CacheInvalidateRelcacheByRelid(change->new ? change->new->shape->relid : change->old->shape->relid);
}

void
assignment_init(void)
{
	static RowHooks hooks = {.table = &users_table, .complete = complete_user, .follow = tell_sessions};

	add_row_hooks(&hooks, 1);
}
