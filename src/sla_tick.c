/*
 * sla_tick.c
 *		Announcing what is due.
 *
 * A deadline or a breach is right without it. A tick writes down warnings and breaches, as of the instants at which they
 * were due, so that who follows the ledger hears of them in time. It locks tickets as a change of the ticket does, and
 * passes over those that somebody else is changing, whose own turn writes what was due as well: of several sessions that
 * tick at once none waits, and none writes what another one does.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "actor.h"
#include "plan.h"
#include "sla_live.h"

enum
{
	DUE_TICKETS
};

static Statement statements[] = {
	[DUE_TICKETS] = {
		.text = "SELECT t.id, t.team_id, t.assignee_id"
		" FROM support.sla_clocks AS c"
		" JOIN support.tickets AS t ON t.id = c.ticket_id"
		" WHERE c.wake_at <= $1"
		" ORDER BY c.wake_at"
		" LIMIT $2"
		" FOR NO KEY UPDATE OF t SKIP LOCKED",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID}, {INT8OID}},
		.nargs = 2, .argtypes = {TIMESTAMPTZOID, INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* Write what is due of the clocks of a ticket; returns how many were to be looked at. */
static int
announce(int64 ticket_id, int64 team_id, int64 assignee_id, TimestampTz at)
{
	LiveCourse	live;
	ListCell   *cell;
	int			seen = 0;

	open_course(&live, ticket_id);
	live.course.ledger.team_id = team_id;
	live.course.ledger.assignee_id = assignee_id;
	foreach(cell, live.course.clocks)
	{
		Clock	   *clock = lfirst(cell);

		pass_instant(&live.course.ledger, clock, at);
		seen += wake_clock(clock, at);
	}
	if (seen > 0)
		close_course(&live);
	return seen;
}

/* The same for the tickets that have the clocks to be looked at first; sets how many clocks were found. */
static int
announce_some(int32 batch_size, TimestampTz at, uint64 *found)
{
	MemoryContext passing = AllocSetContextCreate(CurrentMemoryContext, "support_ext tick", ALLOCSET_DEFAULT_SIZES);
	Args		args = {0};
	int			seen = 0;

	SPI_connect();
	arg(&args, TimestampTzGetDatum(at));
	arg_int64(&args, batch_size);
	*found = run(&statements[DUE_TICKETS], &args);
	for (uint64 i = 0; i < *found; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(passing);

		CHECK_FOR_INTERRUPTS();
		seen += announce(result_int64(i, 1), result_int64(i, 2), result_int64(i, 3), at);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(passing);
	}
	SPI_finish();
	MemoryContextDelete(passing);
	return seen;
}

/* sla_tick(batch_size) -> clocks that it looked at; 0 once nothing is left that nobody else is changing */
PG_FUNCTION_INFO_V1(support_sla_tick);
Datum
support_sla_tick(PG_FUNCTION_ARGS)
{
	int32		batch_size = positive_argument(fcinfo, 0, "batch_size");
	TimestampTz at = desk_now();
	uint64		found;
	int			seen = announce_some(batch_size, at, &found);

	/* another tick may have done all of these since our snapshot: there may be more */
	if (seen == 0 && found > 0)
		seen = announce_some(batch_size, at, &found);
	PG_RETURN_INT32(seen);
}
