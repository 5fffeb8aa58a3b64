/*
 * subtransaction.c
 *		Work in a subtransaction.
 *
 * Whoever needs a subtransaction comes here, since no error may pass one of ours that is still open: the session would
 * be left inside it. What the end of the subtransaction restores by itself are SPI levels, settings, snapshots, locks and
 * the user; memory context and resource owner are restored here.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/subtransaction.h"

/*
 * Does an error speak of what was asked for? Others speak of the server's state or of somebody's wish to stop, a
 * lock_timeout among them, and must reach the client.
 */
static bool
is_refusal(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category != ERRCODE_TRANSACTION_ROLLBACK && category != ERRCODE_INSUFFICIENT_RESOURCES &&
		category != ERRCODE_OPERATOR_INTERVENTION && category != ERRCODE_SYSTEM_ERROR &&
		category != ERRCODE_INTERNAL_ERROR && sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Do some work in a subtransaction, which ends in any case. Returns the error that took it back, NULL for none. */
static ErrorData *
run_apart(Work work, void *arg, bool is_kept)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		if (is_kept)
			ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	if (error == NULL && !is_kept)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * Do some work that may be refused. If it is, what it did is taken back and the error is returned, in the current memory
 * context; NULL means that it is done. Raises what is no refusal.
 */
ErrorData *
attempt(Work work, void *arg)
{
	ErrorData  *error = run_apart(work, arg, true);

	if (error != NULL && !is_refusal(error->sqlerrcode))
		ReThrowError(error);
	return error;
}

/* The same for work that may as well wait: also where memory or room on disk ends it is taken back and no more. */
ErrorData *
attempt_spare(Work work, void *arg)
{
	ErrorData  *error = run_apart(work, arg, true);

	if (error != NULL && !is_refusal(error->sqlerrcode) &&
		ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_INSUFFICIENT_RESOURCES)
		ReThrowError(error);
	return error;
}

/* Do some work and take back what it did. Raises what it raises. */
void
rehearse(Work work, void *arg)
{
	ErrorData  *error = run_apart(work, arg, false);

	if (error != NULL)
		ReThrowError(error);
}

/* Take locks, and give them back if one of them is not to be had within lock_timeout, or only by a deadlock: false. */
bool
attempt_lock(Work work, void *arg)
{
	ErrorData  *error = run_apart(work, arg, true);

	if (error == NULL)
		return true;
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
		ReThrowError(error);
	FreeErrorData(error);
	return false;
}
