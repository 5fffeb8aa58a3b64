/*
 * sla_unclocked.c
 *		Whom a policy promises something that no clock measures yet.
 *
 * A policy holds for the tickets that are opened, or change, from then on. Those that are there when it is made have no
 * clocks until somebody asks for them, and who made it is told so. So is who has a status mean something else: what it meant
 * for the clocks of the tickets that are in it is found out anew for the asking, too.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/plan.h"
#include "base/tables.h"
#include "sla/sla_follow.h"
#include "sla/sla_unclocked.h"

#define TICKETS_AT_A_TIME 1000

enum
{
	UNCLOCKED_TICKETS,
	COUNT_CLOCKED
};

static Statement statements[] = {
	/* what was promised once and is no more is as good as never promised */
	[UNCLOCKED_TICKETS] = {
		.text = "SELECT t.*"
		" FROM support.backlog AS b"
		" JOIN support.tickets AS t ON t.id = b.ticket_id"
		" WHERE b.ticket_id > $1"
		"	AND NOT EXISTS (SELECT FROM support.sla_clocks AS c"
		"		WHERE c.ticket_id = b.ticket_id AND (c.cancel_reason IS NULL OR c.cancel_reason <> 'policy'))"
		" ORDER BY b.ticket_id"
		" LIMIT $2",
		.any_columns = true,
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[COUNT_CLOCKED] = {
		.text = "SELECT count(*) FROM support.tickets AS t WHERE t.status = $1 AND t.deleted_at IS NULL"
		" AND EXISTS (SELECT FROM support.sla_clocks AS c WHERE c.ticket_id = t.id)",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* Does a policy hold for a ticket, of whose rows one was just read? Sets the ticket's id. */
static bool
holds_for(Relation rel, int64 policy_id, uint64 place, int64 *ticket_id)
{
	Row			row = empty_row(shape_of(rel, &tickets_table), RelationGetDescr(rel));
	SlaTicket	ticket;
	const Policy *policy;

	row_fill(&row, SPI_tuptable->vals[place], SPI_tuptable->tupdesc);
	row_require(&row);
	ticket = sla_ticket_of(&row);
	*ticket_id = ticket.id;
	policy = match_policy(&ticket);
	return policy != NULL && policy_number(policy) == policy_id;
}

/* Count some such tickets after an id, which moves on to the last one. False if there were none. */
static bool
count_some(Relation rel, int64 policy_id, int64 *last_id, int64 *count)
{
	SPITupleTable *tickets;
	MemoryContext per_ticket;
	Args		args = {0};
	uint64		n;

	SPI_connect();
	arg_int64(&args, *last_id);
	arg_int64(&args, TICKETS_AT_A_TIME);
	n = run(&statements[UNCLOCKED_TICKETS], &args);
	tickets = SPI_tuptable;
	per_ticket = AllocSetContextCreate(CurrentMemoryContext, "support_ext unclocked", ALLOCSET_DEFAULT_SIZES);
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(per_ticket);

		CHECK_FOR_INTERRUPTS();
		SPI_tuptable = tickets;
		*count += holds_for(rel, policy_id, i, last_id);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(per_ticket);
	}
	SPI_finish();
	return n > 0;
}

/* Say how many open tickets a policy holds for that have no clocks, if any. It was just made or changed. */
void
tell_of_unclocked(int64 policy_id)
{
	Relation	rel = table_open(desk_relation("support", "tickets"), AccessShareLock);
	int64		last_id = PG_INT64_MIN;
	int64		count = 0;

	while (count_some(rel, policy_id, &last_id, &count))
		;
	table_close(rel, NoLock);
	if (count > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld open ticket that this policy is for has no clocks",
							   "%lld open tickets that this policy is for have no clocks",
							   (unsigned long) count, (long long) count),
				 errhint("SELECT support.sla_reapply(%lld) gives them some that count from the beginning, support.sla_reapply(%lld, 'now') some that count from now on.",
						 (long long) policy_id, (long long) policy_id)));
}

/* A status has another category: say how many tickets have clocks that went by the one before. */
void
tell_of_category(const RowChange *change)
{
	Args		args = {0};
	int64		count;

	if (change->old == NULL || change->new == NULL || !changes(change, STATUS_CATEGORY))
		return;
	SPI_connect();
	arg(&args, row_datum(change->new, STATUS_NAME));
	run_latest(&statements[COUNT_CLOCKED], &args);
	count = result_int64(0, 1);
	SPI_finish();
	if (count > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld ticket in status \"%s\" has clocks that go by the category it had",
							   "%lld tickets in status \"%s\" have clocks that go by the category it had",
							   (unsigned long) count, (long long) count, row_text(change->new, STATUS_NAME)),
				 errhint("SELECT support.sla_reapply() has them go by the new one.")));
}
