/*
 * event_times.c
 *		When what has happened to tickets and comments may have happened.
 *
 * Between the beginning of 1970 and now: what is dated otherwise is a mistake of the source, which reports and clocks would
 * carry on. The clock of a client may be a little fast. What the desk keeps itself is judged as it is kept, so this comes
 * last; value_rules.c judges what other tables say. A comment may be older than its ticket, as mail is that came late.
 */
#include "postgres.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/hooks.h"
#include "base/tables.h"
#include "base/value_rules.h"
#include "desk/event_times.h"

#define YEAR_10000 ((TimestampTz) (date2j(10000, 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY)

static const int ticket_times[] = {
	TICKET_CREATED_AT, TICKET_UPDATED_AT, TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_SOLVED_AT,
	TICKET_WAITING_SINCE, TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT, TICKET_DELETED_AT
};

static const int comment_times[] = {COMMENT_CREATED_AT, COMMENT_EDITED_AT, COMMENT_DELETED_AT};

/* Raise 22008 for an instant at which nothing can have happened, 23514 for one without an end. */
static void
check_time(const RowChange *change, int column)
{
	if (changes(change, column) && !row_is_null(change->new, column))
		check_event(change, change->table->columns[column].name, row_time(change->new, column));
}

/* Raise 22008 for a ticket that is to come back before anything has happened, or in no year that people write; 23514: never. */
static void
check_return(const RowChange *change)
{
	TimestampTz at;

	if (!changes(change, TICKET_PENDING_UNTIL) || row_is_null(change->new, TICKET_PENDING_UNTIL))
		return;
	row_check_finite(change->new, TICKET_PENDING_UNTIL);
	at = row_time(change->new, TICKET_PENDING_UNTIL);
	if (at < SetEpochTimestamp() || at >= YEAR_10000)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("pending_until of support.tickets cannot be %s", timestamptz_to_str(at)),
				 *new_row_told(change) ? errdetail("%s", new_row_told(change)) : 0,
				 errhint("A ticket comes back between 1970-01-01 and 9999-12-31; where nobody knows when, leave it null.")));
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
			 errdetail("It was opened at %s.%s%s", timestamptz_to_str(row_time(change->new, TICKET_CREATED_AT)),
					   *new_row_told(change) ? " " : "", new_row_told(change)),
			 errhint("Leave %s out where it is not known.", change->table->columns[column].name)));
}

static void
check_ticket_times(RowChange *change)
{
	if (change->restoring)
		return;
	for (int i = 0; i < lengthof(ticket_times); i++)
		check_time(change, ticket_times[i]);
	check_return(change);
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
