/*
 * sla_reapply.c
 *		Holding open tickets to policies and calendars that were edited.
 *
 * Tickets are locked in the order of their ids, as changes of them are. One whose clocks cannot be turned is left out
 * with a warning.
 *
 * A ticket whose past was brought in after it began its clocks has them counted anew by what the log tells now.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/actor.h"
#include "base/bisection.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/tables.h"
#include "log/log_order.h"
#include "sla/sla_follow.h"
#include "sla/sla_reapply.h"

#define TICKETS_AT_A_TIME 1000
#define TICKETS_TO_TELL 10000

enum
{
	FIND_POLICY,
	OPEN_TICKETS,
	CLOCKS_TO_RECOUNT
};

static Statement statements[] = {
	[FIND_POLICY] = {
		.text = "SELECT 1 FROM support.sla_policies WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[OPEN_TICKETS] = {
		.text = "SELECT t.*"
		" FROM support.tickets AS t"
		" WHERE t.id > $1 AND t.deleted_at IS NULL"
		"	AND t.status = ANY (ARRAY(SELECT s.name FROM support.statuses AS s"
		"		WHERE s.category <> ALL (ARRAY['solved', 'closed'])))"
		" ORDER BY t.id"
		" LIMIT $2"
		" FOR NO KEY UPDATE OF t",
		.any_columns = true,
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	/* what was counted by one calendar only: of others it is not known until when they counted */
	[CLOCKS_TO_RECOUNT] = {
		.text = "SELECT e.clock_id"
		" FROM support.sla_events AS e"
		" WHERE e.ticket_id = $1 AND e.kind = ANY (ARRAY['activate', 'retarget'])"
		"	AND EXISTS (SELECT FROM support.audit_log AS a"
		"		WHERE a.ticket_id = $1 AND a.table_name = 'tickets'"
		"			AND " BROUGHT_IN " AND a.new_value ? 'status')"
		" GROUP BY e.clock_id"
		" HAVING count(DISTINCT (coalesce(e.calendar_id, 0), coalesce(e.calendar_version, 0),"
		"	e.pause_categories)) = 1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	}
};

/* Does the ticket have the policy, or an open clock of it? */
static bool
concerns(LiveClockSet *live, SlaTicket *ticket, int64 policy_id)
{
	const Policy *policy = live->set.match(&live->set, ticket);
	ListCell   *cell;

	if (policy != NULL && policy_number(policy) == policy_id)
		return true;
	foreach(cell, live->set.clocks)
	{
		const Clock *clock = lfirst(cell);

		if (is_open_clock(clock) && clock->promise.policy_id == policy_id)
			return true;
	}
	return false;
}

/* Is the clock among those that were just found? */
static bool
is_found(const Clock *clock, uint64 n)
{
	for (uint64 i = 0; i < n; i++)
		if (result_int64(i, 1) == clock->id)
			return true;
	return false;
}

/* Count the open clocks anew by what was brought in of the ticket's past, if anything was. */
static void
recount_past(ClockSet *set, SlaTicket *ticket, TimestampTz at)
{
	List	   *clocks = NIL;
	Args		args = {0};
	ListCell   *cell;
	uint64		n;

	arg_int64(&args, ticket->id);
	n = run(&statements[CLOCKS_TO_RECOUNT], &args);
	foreach(cell, set->clocks)
		if (is_open_clock(lfirst(cell)) && is_found(lfirst(cell), n))
			clocks = lappend(clocks, lfirst(cell));
	if (clocks != NIL)
		recount_clocks(set, ticket, clocks, at);
}

/* How tickets are to be held to what they are promised. */
typedef struct Reapplication
{
	int64		policy_id;		/* 0 for whatever policy */
	bool		from_now;		/* clocks that begin count from now on */
	bool		tell;			/* how far it has come */
} Reapplication;

/* Hold a ticket to what it is promised now; true if that turned a clock. */
static bool
reapply(const Row *row, const Reapplication *how, TimestampTz at)
{
	SlaTicket	ticket = sla_ticket_of(row);
	LiveClockSet live;
	ListCell   *cell;
	bool		turned = false;

	open_clock_set(&live, ticket.id);
	live.set.from_now = how->from_now;
	if (how->policy_id != 0 && !concerns(&live, &ticket, how->policy_id))
		return false;
	recount_past(&live.set, &ticket, at);
	match_again(&live.set, &ticket, at);
	foreach(cell, live.set.clocks)
		turned |= ((const Clock *) lfirst(cell))->changed;
	if (turned)
		close_clock_set(&live);
	return turned;
}

/* Some open tickets. */
typedef struct ReapplyBatch
{
	Relation	rel;			/* support.tickets */
	SPITupleTable *tickets;
	const Reapplication *how;
	TimestampTz at;
	MemoryContext passing;
} ReapplyBatch;

/* A ticket's row. */
static Row
row_at(const ReapplyBatch *batch, uint64 place)
{
	Row			row = empty_row(shape_of(batch->rel, &tickets_table), RelationGetDescr(batch->rel));

	row_fill(&row, batch->tickets->vals[place], batch->tickets->tupdesc);
	return row;
}

static int64
ticket_at(uint64 place, void *arg)
{
	Row			row = row_at(arg, place);

	return row_int64(&row, TICKET_ID);
}

/* Hold some tickets to what they are promised now; returns how many had a clock that turned. */
static int64
reapply_part(uint64 from, uint64 upto, void *arg)
{
	const ReapplyBatch *batch = arg;
	int64		turned = 0;

	for (uint64 i = from; i < upto; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(batch->passing);
		Row			row = row_at(batch, i);

		CHECK_FOR_INTERRUPTS();
		row_require(&row);
		turned += reapply(&row, batch->how, batch->at);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(batch->passing);
	}
	return turned;
}

/* The same for some open tickets after an id. Returns how many there were, and in *last_id the last one. */
static uint64
reapply_some(Relation rel, const Reapplication *how, int64 *last_id, int64 *turned, LeftOut *left_out)
{
	MemoryContext caller = CurrentMemoryContext;
	ReapplyBatch batch = {.rel = rel, .how = how, .at = desk_now()};
	Args		args = {0};
	uint64		n;

	SPI_connect();
	arg_int64(&args, *last_id);
	arg_int64(&args, TICKETS_AT_A_TIME);
	n = run(&statements[OPEN_TICKETS], &args);
	batch.tickets = SPI_tuptable;
	batch.passing = AllocSetContextCreate(CurrentMemoryContext, "support_ext reapply", ALLOCSET_DEFAULT_SIZES);
	if (n > 0)
		*last_id = ticket_at(n - 1, &batch);
	/* what is left out is remembered for longer than the batch */
	MemoryContextSwitchTo(caller);
	*turned += work_in_parts(n, reapply_part, ticket_at, &batch, left_out);
	MemoryContextDelete(batch.passing);
	SPI_finish();
	return n;
}

/* Hold all open tickets to what they are promised now; returns how many had a clock that turned. */
static int64
reapply_all(const Reapplication *how)
{
	Relation	rel = table_open(desk_relation("support", "tickets"), RowShareLock);
	int64		last_id = 0;
	int64		seen = 0;
	int64		turned = 0;
	LeftOut		left_out = {0};
	uint64		n;

	while ((n = reapply_some(rel, how, &last_id, &turned, &left_out)) > 0)
	{
		if (how->tell && (seen + n) / TICKETS_TO_TELL > seen / TICKETS_TO_TELL)
			ereport(NOTICE,
					(errmsg("%lld open tickets seen, clocks of %lld turned",
							(long long) (seen + n), (long long) turned)));
		seen += n;
	}
	table_close(rel, NoLock);
	tell_left_out(&left_out);
	return turned;
}

/* A policy holds no more: its open clocks are cancelled, or go on under another one. */
void
cancel_clocks_of_policy(int64 policy_id)
{
	(void) reapply_all(&(Reapplication) {.policy_id = policy_id});
}

/* Raise P0002 if there is no such policy. */
static void
check_policy_exists(int64 policy_id)
{
	Args		args = {0};

	arg_int64(&args, policy_id);
	if (run(&statements[FIND_POLICY], &args) == 0)
		refuse_missing("policy", policy_id);
}

/* Are clocks to count from now on? Raises 22023 for what is neither that nor the usual. */
static bool
counts_from_now(FunctionCallInfo fcinfo, int n)
{
	char	   *count_from = PG_ARGISNULL(n) ? "beginning" : text_to_cstring(PG_GETARG_TEXT_PP(n));

	if (strcmp(count_from, "beginning") != 0 && strcmp(count_from, "now") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("count_from must not be \"%s\"", count_from),
				 errhint("Clocks count from the \"beginning\" of what they measure, or from \"now\" on.")));
	return strcmp(count_from, "now") == 0;
}

/* sla_reapply(policy_id, count_from, actor_id) -> tickets with a clock that turned */
PG_FUNCTION_INFO_V1(support_sla_reapply);
Datum
support_sla_reapply(PG_FUNCTION_ARGS)
{
	Reapplication how = {
		.policy_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0),
		.from_now = counts_from_now(fcinfo, 1),
		.tell = true
	};
	Call		call;
	int64		turned;

	begin_call(&call, fcinfo, 2);
	if (!PG_ARGISNULL(0))
		check_policy_exists(how.policy_id);
	turned = reapply_all(&how);
	end_call(&call);
	PG_RETURN_INT64(turned);
}
