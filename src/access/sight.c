/*
 * sight.c
 *		What the acting user may see.
 *
 * The policy of tickets compares their columns with what these functions say of the acting user: whether he sees all tickets, is
 * one who answers customers, and in which teams he works. It asks them in subqueries, so a statement asks once, and the planner
 * has values to compare indexed columns with. What belongs to a ticket asks sees_ticket() by its key: as a subquery on tickets
 * the planner would rather read all of them. They are asked about nobody but who acts, which (see actor.c) is not for the
 * session to say. The session keeps the answers, and is told when users or team members change.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "access/sight.h"
#include "base/actor.h"
#include "base/compat.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "base/session_cache.h"

enum
{
	READ_SIGHT,
	READ_TICKET
};

static Statement statements[] = {
	[READ_SIGHT] = {
		.text = "SELECT u.role, u.sees_all,"
		" ARRAY(SELECT m.team_id FROM support.team_members AS m WHERE m.user_id = u.id ORDER BY m.team_id),"
		" (SELECT o.id FROM support.organizations AS o WHERE o.id = u.organization_id AND o.is_shared)"
		" FROM support.users AS u WHERE u.id = $1 AND u.is_active",
		.columns = {{TEXTOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {INT8ARRAYOID, NOT_NULL}, {INT8OID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	},
	[READ_TICKET] = {
		.text = "SELECT team_id, assignee_id, customer_id, creator_id, deleted_at IS NOT NULL FROM support.tickets WHERE id = $1",
		.columns = {{INT8OID}, {INT8OID}, {INT8OID}, {INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* What one user may see. */
typedef struct Sight
{
	int64		user_id;		/* 0 for nobody */
	bool		is_active;
	bool		is_agent;		/* answers customers */
	bool		is_staff;		/* or writes notes */
	bool		sees_all;
	ArrayType  *teams;			/* bigint[] */
	int64		organization_id;	/* that shares its tickets, 0 for none */
} Sight;

static Sight sight;
static bool is_kept;
static SessionCache sight_cache;

void
sight_init(void)
{
	add_session_cache(&sight_cache);
}

/* Take in what the row that was just read says; without one the user sees nothing. */
static void
take_sight(int64 user_id, bool found)
{
	const char *role = found ? result_text(0, 1) : "";
	bool		is_agent = answers_customers(role);
	bool		is_staff = is_agent || strcmp(role, "light_agent") == 0;
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
	ArrayType  *teams = is_staff ? DatumGetArrayTypePCopy(result(0, 3)) : construct_empty_array(INT8OID);

	MemoryContextSwitchTo(caller);
	if (sight.teams != NULL)
		pfree(sight.teams);
	sight = (Sight) {.user_id = user_id, .is_active = found, .is_agent = is_agent, .is_staff = is_staff, .sees_all = is_agent && result_bool(0, 2), .teams = teams,
		.organization_id = found && !result_is_null(0, 4) ? result_int64(0, 4) : 0};
}

/* What the acting user may see now. */
static const Sight *
sight_now(void)
{
	Args		args = {0};
	int64		user_id;

	if (!acting_user(&user_id))
		user_id = 0;
	if (is_kept && sight.user_id == user_id && !sight_cache.stale)
		return &sight;
	sight_cache.tables[0] = desk_relation("support", "users");
	sight_cache.tables[1] = desk_relation("support", "team_members");
	sight_cache.tables[2] = desk_relation("support", "organizations");
	sight_cache.stale = false;
	note_reading(&sight_cache);
	SPI_connect();
	arg_int64(&args, user_id);
	take_sight(user_id, run(&statements[READ_SIGHT], &args) > 0);
	SPI_finish();
	/* what an old snapshot or a change on the way says is right for now only */
	is_kept = !IsolationUsesXactSnapshot() && !sight_cache.stale;
	return &sight;
}

/* sees_all() -> boolean: is the acting user an agent who sees all tickets? */
PG_FUNCTION_INFO_V1(support_sees_all);
Datum
support_sees_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(sight_now()->sees_all);
}

/* is_agent() -> boolean: is the acting user somebody who answers customers? */
PG_FUNCTION_INFO_V1(support_is_agent);
Datum
support_is_agent(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(sight_now()->is_agent);
}

/* my_id() -> bigint: the acting user, NULL if he is a customer: his tickets are not for him to see as the desk does */
PG_FUNCTION_INFO_V1(support_my_id);
Datum
support_my_id(PG_FUNCTION_ARGS)
{
	const Sight *now = sight_now();

	if (!now->is_staff)
		PG_RETURN_NULL();
	PG_RETURN_INT64(now->user_id);
}

/* my_teams() -> bigint[]: the teams in which the acting user works, none for a customer */
PG_FUNCTION_INFO_V1(support_my_teams);
Datum
support_my_teams(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(datumCopy(PointerGetDatum(sight_now()->teams), false, -1));
}

/* The acting user, if there is one who is active; 0 otherwise. */
int64
my_active_id(void)
{
	const Sight *now = sight_now();

	return now->is_active ? now->user_id : 0;
}

/* me() -> bigint: the same, NULL if there is none */
PG_FUNCTION_INFO_V1(support_me);
Datum
support_me(PG_FUNCTION_ARGS)
{
	int64		user_id = my_active_id();

	if (user_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(user_id);
}

/* The organization of the acting user, if its customers see each other's tickets; 0 if there is none. */
int64
my_shared_organization(void)
{
	return sight_now()->organization_id;
}

/* my_organization() -> bigint: the same, NULL if there is none */
PG_FUNCTION_INFO_V1(support_my_organization);
Datum
support_my_organization(PG_FUNCTION_ARGS)
{
	int64		organization_id = my_shared_organization();

	if (organization_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(organization_id);
}

/* Does the acting user work in a team? */
static bool
works_in(const Sight *now, int64 team_id)
{
	const int64 *teams = (const int64 *) ARR_DATA_PTR(now->teams);
	int			n = ArrayGetNItems(ARR_NDIM(now->teams), ARR_DIMS(now->teams));

	for (int i = 0; i < n; i++)
		if (teams[i] == team_id)
			return true;
	return false;
}

/* Is a column of the ticket that was just read the acting user? */
static bool
is_me(const Sight *now, int column)
{
	return now->is_staff && !result_is_null(0, column) && result_int64(0, column) == now->user_id;
}

/* May the acting user see the ticket that was just read? It is what the policies of tickets say, see policies.c. */
static bool
sees_row(const Sight *now, bool as_agent)
{
	bool		has_team = !result_is_null(0, 1);
	bool		is_mine = is_me(now, 2) || is_me(now, 3) || is_me(now, 4);

	if (as_agent)
		return now->sees_all || (!has_team && now->is_agent) || (has_team && works_in(now, result_int64(0, 1))) || is_mine;
	return !result_bool(0, 5) && ((has_team && works_in(now, result_int64(0, 1))) || is_mine);
}

/* The ticket that was asked about last, in which command of which transaction. */
typedef struct Asked
{
	LocalTransactionId transaction;
	CommandId	command;
	int64		ticket_id;
	int64		user_id;
	bool		as_agent;
	bool		is_seen;
} Asked;

/*
 * sees_ticket(ticket_id, as_agent) -> boolean: may the acting user see a ticket, as an agent or as a light agent? Rows of one
 * ticket ask in a row.
 */
PG_FUNCTION_INFO_V1(support_sees_ticket);
Datum
support_sees_ticket(PG_FUNCTION_ARGS)
{
	static Asked last;
	Asked		now = {.transaction = current_lxid(), .command = GetCurrentCommandId(false)};
	const Sight *seeing;
	Args		args = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	seeing = sight_now();
	now.ticket_id = PG_GETARG_INT64(0);
	now.as_agent = PG_GETARG_BOOL(1);
	now.user_id = seeing->user_id;
	if (is_kept && last.transaction == now.transaction && last.command == now.command && last.ticket_id == now.ticket_id &&
		last.user_id == now.user_id && last.as_agent == now.as_agent)
		PG_RETURN_BOOL(last.is_seen);
	SPI_connect();
	arg_int64(&args, now.ticket_id);
	now.is_seen = run_read_only(&statements[READ_TICKET], &args) > 0 && sees_row(seeing, now.as_agent);
	SPI_finish();
	last = now;
	PG_RETURN_BOOL(now.is_seen);
}
