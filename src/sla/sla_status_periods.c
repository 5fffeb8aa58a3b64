/*
 * sla_status_periods.c
 *		What a ticket went through, as the log has it.
 *
 * A promise that is made late holds from the start: what it would have consumed by then follows from the statuses that
 * the ticket had, and from when it lay in the recycle bin. A transaction that came late has the time at which it began:
 * it counts from the change before on. What was brought in from another system counts from its own time, also where that
 * is before the ticket came in.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "base/plan.h"
#include "log/log_order.h"
#include "sla/sla_clock.h"
#include "sla/sla_status_periods.h"

enum
{
	TURNS
};

/* The columns of a turn. */
enum
{
	TURN_AT = 1,
	TURN_FROM,
	TURN_TO,
	TURN_REMOVES,
	TURN_INSERTS,
	TURN_MARKS,					/* NULL unless deleted_at changed */
	TURN_WAS_MARKED
};

static Statement statements[] = {
	[TURNS] = {
		.text = "SELECT " PLACED_AT ","
		" a.old_value ->> 'status', a.new_value ->> 'status',"
		" a.action = 'DELETE', a.action = 'INSERT',"
		" CASE WHEN a.new_value ? 'deleted_at' THEN"
		"	(a.new_value ->> 'deleted_at') IS NOT NULL END,"
		" (a.old_value ->> 'deleted_at') IS NOT NULL"
		" FROM support.audit_log AS a"
		" WHERE a.ticket_id = $1 AND a.table_name = 'tickets'"
		"	AND (a.action = ANY (ARRAY['INSERT', 'DELETE'])"
		"		OR (a.action = 'UPDATE'"
		"			AND a.new_value ?| ARRAY['status', 'deleted_at']))"
		" ORDER BY 1, a.id",
		.columns = {{TIMESTAMPTZOID, NOT_NULL}, {TEXTOID}, {TEXTOID}, {BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL},
		{BOOLOID}, {BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	}
};

/* The category of a status; one that is gone counts as open. */
static Category
category_of(const char *status)
{
	Category	category = CATEGORY_OPEN;

	(void) find_category(status, &category);
	return category;
}

/* Where the ticket was before the first turn: what that turn, or a later one, has come from. */
static StatusPeriod
first_station(uint64 n, Category now)
{
	StatusPeriod period = {DT_NOBEGIN, now, false};

	for (uint64 i = 0; i < n; i++)
	{
		if (!result_is_null(i, TURN_FROM))
		{
			period.category = category_of(result_text(i, TURN_FROM));
			break;
		}
	}
	for (uint64 i = 0; i < n; i++)
	{
		if (!result_is_null(i, TURN_MARKS))
		{
			period.is_deleted = result_bool(i, TURN_WAS_MARKED);
			break;
		}
	}
	return period;
}

/* Where a turn of the log leads from a period. A removed ticket comes back as it was. */
static StatusPeriod
next_period(const StatusPeriod *before, uint64 row, bool *was_removed)
{
	StatusPeriod period = *before;

	period.at = Max(DatumGetTimestampTz(result(row, TURN_AT)), before->at);
	if (result_bool(row, TURN_REMOVES))
		*was_removed = period.is_deleted = true;
	else if (result_bool(row, TURN_INSERTS))
	{
		if (*was_removed)
			period.is_deleted = false;
		*was_removed = false;
	}
	else
	{
		if (!result_is_null(row, TURN_TO))
			period.category = category_of(result_text(row, TURN_TO));
		if (!result_is_null(row, TURN_MARKS))
			period.is_deleted = result_bool(row, TURN_MARKS);
	}
	return period;
}

/*
 * The all of a ticket, by what the log tells of its status and of its deletion; one whose status never changed is
 * in the category that it has now. In the current memory context.
 */
StatusPeriods
read_status_periods(int64 ticket_id, Category now)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		was_removed = false;
	Args		args = {0};
	StatusPeriod *all;
	uint64		n;

	SPI_connect();
	arg_int64(&args, ticket_id);
	n = run(&statements[TURNS], &args);
	all = MemoryContextAlloc(caller, sizeof(StatusPeriod) * (n + 1));
	all[0] = first_station(n, now);
	for (uint64 i = 0; i < n; i++)
		all[i + 1] = next_period(&all[i], i, &was_removed);
	SPI_finish();
	return (StatusPeriods) {
		n + 1, all
	};
}

/* Does a promise count time at a period? */
bool
counts_at(const Promise *promise, const StatusPeriod *period)
{
	return !period->is_deleted && !is_solved(period->category) &&
		(promise->pauses & CATEGORY_BIT(period->category)) == 0;
}

/* What a ticket consumed of a promise on its way from one instant to another. */
int64
consumed_in_periods(const Promise *promise, const StatusPeriods *periods, TimestampTz from_at, TimestampTz to_at)
{
	int64		consumed = 0;

	for (int i = 0; i < periods->n; i++)
	{
		const StatusPeriod *period = &periods->all[i];
		TimestampTz from = i == 0 ? from_at : Max(from_at, period->at);
		TimestampTz to = i + 1 < periods->n ? Min(to_at, periods->all[i + 1].at) : to_at;

		if (counts_at(promise, period))
			consumed = add_up_to_most(consumed, promised_time(promise, from, to));
	}
	return consumed;
}
