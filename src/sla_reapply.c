/*
 * sla_reapply.c
 *		Holding open tickets to policies and calendars that were edited.
 *
 * Tickets are locked in the order of their ids, as changes of them are.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "actor.h"
#include "errors.h"
#include "plan.h"
#include "sla_live.h"
#include "sla_reapply.h"
#include "workflow.h"

#define TICKETS_AT_A_TIME 1000
#define TICKETS_TO_TELL 10000

enum
{
	FIND_POLICY,
	OPEN_TICKETS
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
	}
};

/* Does the ticket have the policy, or an open clock of it? */
static bool
concerns(LiveCourse *live, SlaTicket *ticket, int64 policy_id)
{
	const Policy *policy = live->course.match(&live->course, ticket);
	ListCell   *cell;

	if (policy != NULL && policy_number(policy) == policy_id)
		return true;
	foreach(cell, live->course.clocks)
	{
		const Clock *clock = lfirst(cell);

		if (is_open_clock(clock) && clock->promise.policy_id == policy_id)
			return true;
	}
	return false;
}

/* Hold a ticket to what it is promised now; true if that turned a clock. policy_id is 0 for whatever policy. */
static bool
reapply(const Row *row, int64 policy_id, TimestampTz at)
{
	SlaTicket	ticket = sla_ticket_of(row);
	LiveCourse	live;
	ListCell   *cell;
	bool		turned = false;

	open_course(&live, ticket.id);
	if (policy_id != 0 && !concerns(&live, &ticket, policy_id))
		return false;
	match_again(&live.course, &ticket, at);
	foreach(cell, live.course.clocks)
		turned |= ((const Clock *) lfirst(cell))->changed;
	if (turned)
		close_course(&live);
	return turned;
}

/* The same for some open tickets after an id. Returns how many there were, and in *last_id the last one. */
static uint64
reapply_some(Relation rel, int64 policy_id, int64 *last_id, int64 *turned)
{
	MemoryContext passing = AllocSetContextCreate(CurrentMemoryContext, "support_ext reapply", ALLOCSET_DEFAULT_SIZES);
	TimestampTz at = desk_now();
	Args		args = {0};
	SPITupleTable *tickets;
	uint64		n;

	SPI_connect();
	arg_int64(&args, *last_id);
	arg_int64(&args, TICKETS_AT_A_TIME);
	n = run(&statements[OPEN_TICKETS], &args);
	tickets = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(passing);
		Row			row = empty_row(shape_of(rel, &tickets_table), RelationGetDescr(rel));

		CHECK_FOR_INTERRUPTS();
		row_fill(&row, tickets->vals[i], tickets->tupdesc);
		row_require(&row);
		*turned += reapply(&row, policy_id, at);
		*last_id = row_int64(&row, TICKET_ID);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(passing);
	}
	SPI_finish();
	MemoryContextDelete(passing);
	return n;
}

/* Hold all open tickets to what they are promised now; returns how many had a clock that turned. */
static int64
reapply_all(int64 policy_id, bool tell)
{
	Relation	rel = table_open(desk_relation("support", "tickets"), RowShareLock);
	int64		last_id = 0;
	int64		seen = 0;
	int64		turned = 0;
	uint64		n;

	while ((n = reapply_some(rel, policy_id, &last_id, &turned)) > 0)
	{
		if (tell && (seen + n) / TICKETS_TO_TELL > seen / TICKETS_TO_TELL)
			ereport(NOTICE,
					(errmsg("%lld open tickets seen, clocks of %lld turned",
							(long long) (seen + n), (long long) turned)));
		seen += n;
	}
	table_close(rel, NoLock);
	return turned;
}

/* A policy holds no more: its open clocks are cancelled, or go on under another one. */
void
cancel_clocks_of_policy(int64 policy_id)
{
	(void) reapply_all(policy_id, false);
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

/* sla_reapply(policy_id, actor_id) -> tickets with a clock that turned */
PG_FUNCTION_INFO_V1(support_sla_reapply);
Datum
support_sla_reapply(PG_FUNCTION_ARGS)
{
	int64		policy_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	Call		call;
	int64		turned;

	begin_call(&call, fcinfo, 1);
	if (!PG_ARGISNULL(0))
		check_policy_exists(policy_id);
	turned = reapply_all(policy_id, true);
	end_call(&call);
	PG_RETURN_INT64(turned);
}
