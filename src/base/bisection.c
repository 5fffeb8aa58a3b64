/*
 * bisection.c
 *		Work on many tickets, of which some may refuse it.
 *
 * One row that cannot be worked on must not stop the others. All are tried in one subtransaction, which costs next to
 * nothing; where that is refused, each half of them, and so on down to the one that refuses, which is left out.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "base/bisection.h"
#include "base/subtransaction.h"

#define TICKETS_TO_NAME 10

/* A part that is worked on. */
typedef struct Part
{
	uint64		from;
	uint64		upto;
	WorkOnPart	work;
	void	   *arg;
	int64		done;
} Part;

static void
work_on(void *arg)
{
	Part	   *part = arg;

	part->done = part->work(part->from, part->upto, part->arg);
}

static bool
is_left_out(const LeftOut *left_out, int64 ticket_id)
{
	for (int i = 0; i < left_out->n; i++)
		if (left_out->ticket_ids[i] == ticket_id)
			return true;
	return false;
}

/* Leave a ticket out, with a warning for the first ones. */
static void
leave_out(LeftOut *left_out, int64 ticket_id, const ErrorData *refusal)
{
	if (is_left_out(left_out, ticket_id))
		return;
	left_out->ticket_ids = left_out->n == 0 ? palloc(sizeof(int64)) :
		repalloc(left_out->ticket_ids, sizeof(int64) * (left_out->n + 1));
	left_out->ticket_ids[left_out->n++] = ticket_id;
	if (left_out->n <= TICKETS_TO_NAME)
		ereport(WARNING,
				(errcode(refusal->sqlerrcode),
				 errmsg("ticket %lld is left out: %s", (long long) ticket_id, refusal->message),
				 refusal->detail ? errdetail_internal("%s", refusal->detail) : 0,
				 refusal->hint ? errhint("%s", refusal->hint) : 0));
}

/*
 * Work on n tickets. Those that refuse it are added to left_out, in the current memory context, and what was done for
 * them is taken back. Returns what the work counts of the others. Errors that are no refusals are raised.
 */
int64
work_in_parts(uint64 n, WorkOnPart work, TicketAt ticket_at, void *arg, LeftOut *left_out)
{
	uint64		from = 0;
	uint64		length = n;
	int64		done = 0;

	/* from the first ticket on, by pieces that get shorter where one is refused and longer again where none is */
	while (from < n)
	{
		Part		part = {.from = from, .upto = Min(n, from + length), .work = work, .arg = arg};
		ErrorData  *refusal;

		CHECK_FOR_INTERRUPTS();
		refusal = attempt(work_on, &part);
		if (refusal == NULL)
		{
			done += part.done;
			from = part.upto;
			length *= 2;
			continue;
		}
		if (part.upto - part.from == 1)
		{
			leave_out(left_out, ticket_at(from, arg), refusal);
			from = part.upto;
		}
		length = Max((part.upto - part.from) / 2, 1);
		FreeErrorData(refusal);
	}
	return done;
}

/* The tickets that were left out as bigint[]. */
Datum
left_out_ids(const LeftOut *left_out)
{
	Datum	   *ids = palloc(sizeof(Datum) * Max(left_out->n, 1));

	for (int i = 0; i < left_out->n; i++)
		ids[i] = Int64GetDatum(left_out->ticket_ids[i]);
	return PointerGetDatum(construct_array(ids, left_out->n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Say how many more were left out than there were warnings. */
void
tell_left_out(const LeftOut *left_out)
{
	if (left_out->n > TICKETS_TO_NAME)
		ereport(WARNING,
				(errmsg("%d more tickets are left out", left_out->n - TICKETS_TO_NAME)));
}
