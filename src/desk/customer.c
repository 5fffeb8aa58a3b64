/*
 * customer.c
 *		Whose ticket it is.
 *
 * A customer's tickets are those that were opened for him, and those that he opened for nobody else. An index finds them by
 * one column, customer_id, which follows from requester_id and creator_id: the BEFORE trigger keeps it, whatever a client
 * says of it, and the log, which has the two, needs it not.
 */
#include "postgres.h"

#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/customer.h"

enum
{
	HAS_GAPS,
	FILL_GAPS
};

static Statement statements[] = {
	[HAS_GAPS] = {
		.text = "SELECT FROM support.tickets"
		" WHERE customer_id IS DISTINCT FROM coalesce(requester_id, creator_id) LIMIT 1",
		.as_owner_of = PUBLIC_TABLE("tickets")
	},
	/* an UPDATE that changes nothing else makes no version and no entry in the log */
	[FILL_GAPS] = {
		.text = "UPDATE support.tickets SET customer_id = coalesce(requester_id, creator_id)"
		" WHERE customer_id IS DISTINCT FROM coalesce(requester_id, creator_id)",
		.as_owner_of = PUBLIC_TABLE("tickets")
	}
};

/* Does a row have this value, which may be missing, in a column? */
static bool
has_value_of(const Row *row, int column, int other)
{
	if (row_is_null(row, column) || row_is_null(row, other))
		return row_is_null(row, column) && row_is_null(row, other);
	return row_int64(row, column) == row_int64(row, other);
}

/* The column that says whose ticket it is. */
static int
source_of(const Row *ticket)
{
	return row_is_null(ticket, TICKET_REQUESTER_ID) ? TICKET_CREATOR_ID : TICKET_REQUESTER_ID;
}

/* Keep the customer. A ticket without a creator is left for the column's own constraint to refuse. */
void
keep_customer(RowChange *change)
{
	Row		   *ticket = change->new;
	int			source = source_of(ticket);

	if (has_value_of(ticket, TICKET_CUSTOMER_ID, source))
		return;
	if (row_is_null(ticket, source))
		row_clear(ticket, TICKET_CUSTOMER_ID);
	else
		row_set(ticket, TICKET_CUSTOMER_ID, row_datum(ticket, source));
}

/*
 * Raise 55000 where a trigger of the application has made it another's ticket after ours had its say. Where ours is switched
 * off, the column is empty, and install() fills it in.
 */
static void
check_customer(const RowChange *change)
{
	const Row  *ticket = change->new;

	if (!row_is_null(ticket, TICKET_CUSTOMER_ID) && !has_value_of(ticket, TICKET_CUSTOMER_ID, source_of(ticket)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a trigger changed whose ticket %lld is after support_before had read it",
						(long long) row_int64(ticket, TICKET_ID)),
				 errhint("Give a BEFORE trigger that sets requester_id, creator_id or customer_id a name that sorts before support_before.")));
}

/*
 * Put the column right, with the rights of the desk's owner: for a desk that ran without its triggers. Where nothing is wrong no
 * trigger of a statement fires.
 */
void
settle_customers(void)
{
	SPI_connect();
	if (run_latest(&statements[HAS_GAPS], NULL) > 0)
		run_latest(&statements[FILL_GAPS], NULL);
	SPI_finish();
}

void
customer_init(void)
{
	static RowHooks hooks = {.table = &tickets_table, .complete = keep_customer, .check = check_customer};

	add_row_hooks(&hooks, 1);
}
