/*
 * keeping.c
 *		What a session keeps of tables beyond the transaction that read them.
 *
 * A transaction may read its own change. If it rolls back, or if only a part of it does, what it read may never have been:
 * it is stale then. So it is once the transaction is prepared, for it may yet roll back.
 */
#include "postgres.h"

#include "access/xact.h"

#include "base/keeping.h"

/* All that is kept. */
static Keeping *keepings;

static void
settle_at_end(XactEvent event, void *arg)
{
	bool		may_roll_back = event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE;

	if (!may_roll_back && event != XACT_EVENT_COMMIT)
		return;
	for (Keeping *keeping = keepings; keeping != NULL; keeping = keeping->next)
	{
		keeping->stale |= may_roll_back && keeping->in_transaction;
		keeping->in_transaction = false;
	}
}

static void
settle_at_end_of_subtransaction(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (Keeping *keeping = keepings; keeping != NULL; keeping = keeping->next)
		keeping->stale |= keeping->in_transaction;
}

/* Something is about to be read that is kept from then on. */
void
note_reading(Keeping *keeping)
{
	if (keepings == NULL)
	{
		RegisterXactCallback(settle_at_end, NULL);
		RegisterSubXactCallback(settle_at_end_of_subtransaction, NULL);
	}
	if (!keeping->is_listed)
	{
		keeping->next = keepings;
		keeping->is_listed = true;
		keepings = keeping;
	}
	keeping->in_transaction = true;
}
