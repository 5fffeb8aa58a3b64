/*
 * event_times.c
 *		When what has happened to tickets and comments may have happened.
 *
 * Between the beginning of 1970 and now: what is dated otherwise is a mistake of the source, which reports and clocks would
 * carry on. The clock of a client may be a little fast.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/tables.h"
#include "desk/event_times.h"

static const int ticket_times[] = {
	TICKET_CREATED_AT, TICKET_UPDATED_AT, TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_SOLVED_AT,
	TICKET_WAITING_SINCE, TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT
};

static const int comment_times[] = {COMMENT_CREATED_AT, COMMENT_EDITED_AT};

/* Raise 22008 for an instant at which nothing can have happened, but for the infinite ones, which others refuse. */
static void
check_time(const RowChange *change, int column)
{
	TimestampTz at;

	if (!changes(change, column) || row_is_null(change->new, column))
		return;
	at = row_time(change->new, column);
	if (TIMESTAMP_NOT_FINITE(at) || may_have_happened(at))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
			 errmsg("%s of support.%s cannot be %s", change->table->columns[column].name, change->table->name,
					timestamptz_to_str(at)),
			 errhint("What has happened lies between 1970-01-01 and now, give or take the %d minutes that a clock may be fast.",
					 MINUTES_FAST)));
}

/* Raise 23514 for a ticket that was solved before it was opened. */
static void
check_order(const RowChange *change, int column)
{
	if ((!changes(change, column) && !changes(change, TICKET_CREATED_AT)) || row_is_null(change->new, column) ||
		row_is_null(change->new, TICKET_CREATED_AT) ||
		row_time(change->new, column) >= row_time(change->new, TICKET_CREATED_AT))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s of a ticket cannot be before its created_at", change->table->columns[column].name),
			 errdetail("It was opened at %s.", timestamptz_to_str(row_time(change->new, TICKET_CREATED_AT))),
			 errhint("Leave %s out where it is not known.", change->table->columns[column].name)));
}

static void
check_ticket_times(RowChange *change)
{
	if (change->restoring)
		return;
	for (int i = 0; i < lengthof(ticket_times); i++)
		check_time(change, ticket_times[i]);
	check_order(change, TICKET_SOLVED_AT);
	check_order(change, TICKET_FIRST_SOLVED_AT);
}

static void
check_comment_times(RowChange *change)
{
	if (change->restoring)
		return;
	for (int i = 0; i < lengthof(comment_times); i++)
		check_time(change, comment_times[i]);
}

void
event_times_init(void)
{
	static RowHooks hooks[] = {
		{.table = &tickets_table, .complete = check_ticket_times},
		{.table = &comments_table, .complete = check_comment_times}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
