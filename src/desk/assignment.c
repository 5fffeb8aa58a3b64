/*
 * assignment.c
 *		Whom tickets can be assigned to.
 *
 * That is who answers, by the standing that the user's row has. A change of it and an assignment that is under way take
 * turns. Who has unsolved tickets keeps that standing: deactivate_user() and set_user_role() pass them on first. Solved and
 * deleted tickets stay with who is gone; one that comes back goes to nobody.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "base/tables.h"
#include "base/time_zone.h"
#include "desk/assignment.h"

enum
{
	ASSIGNEE,
	LOCK_USER,
	HAS_UNSOLVED,
	ASSIGNEE_OF_UNSOLVED,
	RELEASE
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
	},
	[HAS_UNSOLVED] = {
		.text = "SELECT 1 FROM support.tickets AS t"
		" JOIN support.statuses AS s ON s.name = t.status"
		" WHERE t.assignee_id = $1 AND t.deleted_at IS NULL"
		" AND s.category <> ALL (ARRAY['solved', 'closed']) LIMIT 1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[ASSIGNEE_OF_UNSOLVED] = {
		.text = "SELECT t.assignee_id FROM support.tickets AS t"
		" JOIN support.statuses AS s ON s.name = t.status"
		" WHERE t.id = $1 AND t.assignee_id IS NOT NULL AND t.deleted_at IS NULL"
		" AND s.category <> ALL (ARRAY['solved', 'closed'])",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[RELEASE] = {
		.text = "UPDATE support.tickets SET assignee_id = NULL WHERE id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* Are tickets assigned to users of this role? */
bool
takes_tickets(const char *role)
{
	return answers_customers(role) || strcmp(role, "bot") == 0;
}

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
	if (!takes_tickets(role))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: role \"%s\"", (long long) user_id, role),
				 errhint("Agents, team leads, administrators and bots can."),
				 err_constraint("tickets", "tickets_assignee_id_fkey")));
	SPI_finish();
}

/* Can the user have unsolved tickets? The lock is the same. */
bool
can_have_tickets(int64 user_id)
{
	Args		args = {0};
	bool		can;

	SPI_connect();
	arg_int64(&args, user_id);
	can = run(&statements[ASSIGNEE], &args) > 0 && result_bool(0, 1) && takes_tickets(result_text(0, 2));
	SPI_finish();
	return can;
}

/* A removed ticket has come back as it was: if it is unsolved and its assignee is gone since, it goes to nobody. */
void
release_from_gone(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[ASSIGNEE_OF_UNSOLVED], &args) > 0 && !can_have_tickets(result_int64(0, 1)))
		run(&statements[RELEASE], &args);
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

/* Does the row tell of somebody who can have tickets? A NULL is left for the column's own constraint to refuse. */
static bool
stands_for_tickets(const Row *user)
{
	return !row_is_null(user, USER_IS_ACTIVE) && row_bool(user, USER_IS_ACTIVE) &&
		!row_is_null(user, USER_ROLE) && takes_tickets(row_text(user, USER_ROLE));
}

/* Raise 55000 if somebody who has unsolved tickets is to have none. Looks at all that is committed, as foreign keys do. */
static void
check_has_no_tickets(const Row *old, const Row *new)
{
	int64		user_id = row_int64(old, USER_ID);
	Args		args = {0};

	if (!stands_for_tickets(old) || stands_for_tickets(new))
		return;
	SPI_connect();
	arg_int64(&args, user_id);
	if (run_latest(&statements[HAS_UNSOLVED], &args) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("user %lld has unsolved tickets", (long long) user_id),
				 !row_is_null(new, USER_IS_ACTIVE) && !row_bool(new, USER_IS_ACTIVE) ?
				 errhint("SELECT support.deactivate_user(%lld) gives them to nobody, or to whom reassign_to names.",
						 (long long) user_id) :
				 errhint("SELECT support.set_user_role(%lld, role) gives them to nobody, or to whom reassign_to names.",
						 (long long) user_id)));
	SPI_finish();
}

/* Say that a db_role names no role, which then is nobody's: it may be made later, or be a slip. */
static void
tell_of_missing_role(const Row *user)
{
	if (!OidIsValid(get_role_oid(row_text(user, USER_DB_ROLE), true)))
		ereport(NOTICE,
				(errmsg("there is no role \"%s\" yet, which db_role of the user names", row_text(user, USER_DB_ROLE)),
				 errhint("It is compared letter by letter, case and blanks included; a role that is renamed is nobody's until db_role follows.")));
}

/*
 * Refuse a time zone that is none, and keep a user's updated_at, which moves if another column does, or alone to a later time
 * that the client names; a change of standing waits for assignments.
 */
static void
complete_user(RowChange *change)
{
	const TableShape *shape = change->new->shape;
	AttrNumber	updated_at = shape->columns[USER_UPDATED_AT];
	bool		changed = false;

	if (!change->restoring && changes(change, USER_TIME_ZONE) && !row_is_null(change->new, USER_TIME_ZONE))
		(void) time_zone_named(row_text(change->new, USER_TIME_ZONE));
	if (!change->restoring && changes(change, USER_DB_ROLE) && !row_is_null(change->new, USER_DB_ROLE))
		tell_of_missing_role(change->new);
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
	{
		settle_assignments(row_int64(change->old, USER_ID));
		check_has_no_tickets(change->old, change->new);
	}
}

/*
 * Tell sessions of a change of what they keep of users: their roles, what they may see, and who a db_role is, as long as he is
 * active.
 */
static void
tell_sessions(const RowChange *change)
{
	if (change->old == NULL ? !row_is_null(change->new, USER_DB_ROLE) :
		change->new == NULL || changes(change, USER_ROLE) || changes(change, USER_IS_ACTIVE) ||
		changes(change, USER_SEES_ALL) || changes(change, USER_DB_ROLE))
		CacheInvalidateRelcacheByRelid(change->new ? change->new->shape->relid : change->old->shape->relid);
}

void
assignment_init(void)
{
	static RowHooks hooks = {.table = &users_table, .complete = complete_user, .follow = tell_sessions};

	add_row_hooks(&hooks, 1);
}
