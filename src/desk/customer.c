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

/* Keep the customer. A ticket without a creator is left for the column's own constraint to refuse. */
void
keep_customer(RowChange *change)
{
	Row		   *ticket = change->new;
	int			source = row_is_null(ticket, TICKET_REQUESTER_ID) ? TICKET_CREATOR_ID : TICKET_REQUESTER_ID;

	if (has_value_of(ticket, TICKET_CUSTOMER_ID, source))
		return;
	if (row_is_null(ticket, source))
		row_clear(ticket, TICKET_CUSTOMER_ID);
	else
		row_set(ticket, TICKET_CUSTOMER_ID, row_datum(ticket, source));
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
	static RowHooks hooks = {.table = &tickets_table, .complete = keep_customer};

	add_row_hooks(&hooks, 1);
}
