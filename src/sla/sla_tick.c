/*
 * sla_tick.c
 *		Announcing what is due.
 *
 * A deadline or a breach is right without it. A tick writes down warnings and breaches, as of the instants at which they
 * were due, so that who follows the ledger hears of them in time. It locks tickets as a change of the ticket does, and
 * passes over those that somebody else is changing, whose own turn writes what was due as well: of several sessions that
 * tick at once none waits, and none writes what another one does. A ticket whose clocks cannot be read, or that a trigger
 * of the application refuses to hear of, is left out with a warning.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/actor.h"
#include "base/bisection.h"
#include "base/plan.h"
#include "sla/sla_follow.h"

enum
{
	DUE_TICKETS
};

static Statement statements[] = {
	[DUE_TICKETS] = {
		.text = "SELECT t.id, t.team_id, t.assignee_id"
		" FROM support.sla_clocks AS c"
		" JOIN support.tickets AS t ON t.id = c.ticket_id"
		" WHERE c.wake_at <= $1 AND t.id <> ALL ($3)"
		" ORDER BY c.wake_at"
		" LIMIT $2"
		" FOR NO KEY UPDATE OF t SKIP LOCKED",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID}, {INT8OID}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, INT8OID, INT8ARRAYOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* Write what is due of the clocks of a ticket; returns how many were to be looked at. */
static int
announce(int64 ticket_id, int64 team_id, int64 assignee_id, TimestampTz at)
{
	LiveClockSet live;
	ListCell   *cell;
	int			seen = 0;

	open_clock_set(&live, ticket_id);
	live.set.ledger.team_id = team_id;
	live.set.ledger.assignee_id = assignee_id;
	foreach(cell, live.set.clocks)
	{
		Clock	   *clock = lfirst(cell);

		pass_instant(&live.set.ledger, clock, at);
		seen += wake_clock(clock, at);
	}
	if (seen > 0)
		close_clock_set(&live);
	return seen;
}

/* The tickets of one batch. */
typedef struct TickBatch
{
	SPITupleTable *tickets;
	TimestampTz at;
	MemoryContext passing;
} TickBatch;

/* A column of a ticket; 0 where it is NULL. */
static int64
id_at(const TickBatch *batch, uint64 place, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(batch->tickets->vals[place], batch->tickets->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static int64
ticket_at(uint64 place, void *arg)
{
	return id_at(arg, place, 1);
}

/* Write what is due of some tickets; returns how many clocks were to be looked at. */
static int64
announce_part(uint64 from, uint64 upto, void *arg)
{
	const TickBatch *batch = arg;
	int64		seen = 0;

	for (uint64 i = from; i < upto; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(batch->passing);

		CHECK_FOR_INTERRUPTS();
		seen += announce(id_at(batch, i, 1), id_at(batch, i, 2), id_at(batch, i, 3), batch->at);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(batch->passing);
	}
	return seen;
}

/* The same for the tickets that have the clocks to be looked at first; sets how many clocks were found. */
static int64
announce_some(int32 batch_size, TimestampTz at, LeftOut *left_out, uint64 *found)
{
	MemoryContext caller = CurrentMemoryContext;
	TickBatch	batch = {.at = at};
	Args		args = {0};
	int64		seen;

	SPI_connect();
	arg(&args, TimestampTzGetDatum(at));
	arg_int64(&args, batch_size);
	arg(&args, left_out_ids(left_out));
	*found = run(&statements[DUE_TICKETS], &args);
	batch.tickets = SPI_tuptable;
	batch.passing = AllocSetContextCreate(CurrentMemoryContext, "support_ext tick", ALLOCSET_DEFAULT_SIZES);
	/* what is left out is remembered for longer than the batch */
	MemoryContextSwitchTo(caller);
	seen = work_in_parts(*found, announce_part, ticket_at, &batch, left_out);
	MemoryContextDelete(batch.passing);
	SPI_finish();
	return seen;
}

/* sla_tick(batch_size) -> clocks that it looked at; 0 once nothing is left that nobody else is changing */
PG_FUNCTION_INFO_V1(support_sla_tick);
Datum
support_sla_tick(PG_FUNCTION_ARGS)
{
	int32		batch_size = positive_argument(fcinfo, 0, "batch_size");
	TimestampTz at = desk_now();
	LeftOut		left_out = {0};
	uint64		found;
	int64		seen;
	int			before;

	seen = announce_some(batch_size, at, &left_out, &found);
	/* another tick may have done all of these since our snapshot, or all were left out: there may be more */
	if (seen == 0 && found > 0)
	{
		do
		{
			before = left_out.n;
			seen = announce_some(batch_size, at, &left_out, &found);
		}
		while (seen == 0 && left_out.n > before);
	}
	tell_left_out(&left_out);
	PG_RETURN_INT32((int32) seen);
}
