/*
 * hold.c
 *		What must not be destroyed, since somebody holds it.
 *
 * A hold is a row of support.holds. One on a ticket is on all that belongs to it; one on a user is on the user, and on each
 * ticket that he opened, that was opened for him, or that he wrote on. support_internal.holds_on_ticket() tells which are on a
 * ticket, be it live, marked or removed. Whoever places a hold locks the ticket's or the user's row first, and so does who
 * destroys anything, and looks here after that.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "base/plan.h"
#include "desk/hold.h"

enum
{
	HOLD_ON_TICKET,
	HOLD_ON_USER
};

static Statement statements[] = {
	[HOLD_ON_TICKET] = {
		.text = "SELECT h.hold_id, h.reason FROM support_internal.holds_on_ticket($1) AS h ORDER BY h.hold_id LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("holds")
	},
	[HOLD_ON_USER] = {
		.text = "SELECT h.id, h.reason FROM support.holds AS h"
		" WHERE h.user_id = $1 AND h.lifted_at IS NULL"
		" ORDER BY h.id LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("holds")
	}
};

/* Raise 55000 with the reason if there is a hold. It sees what is committed now. */
static void
check_not_held(Statement *find, const char *what, int64 id)
{
	Args		args = {0};
	long long	hold_id;
	char	   *reason;

	arg_int64(&args, id);
	if (run_latest(find, &args) == 0)
		return;
	hold_id = result_int64(0, 1);
	reason = result_text(0, 2);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 reason != NULL ? errmsg("%s %lld is held: %s", what, (long long) id, reason) :
			 errmsg("%s %lld is held", what, (long long) id),
			 errhint("SELECT support.lift_hold(%lld) lifts the hold.", hold_id)));
}

/* Raise 55000 for a ticket that must not be destroyed, nor anything of it. Needs an SPI level. */
void
check_ticket_not_held(int64 ticket_id)
{
	check_not_held(&statements[HOLD_ON_TICKET], "ticket", ticket_id);
}

/* The same for a user. */
void
check_user_not_held(int64 user_id)
{
	check_not_held(&statements[HOLD_ON_USER], "user", user_id);
}
