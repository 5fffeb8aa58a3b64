/*
 * undo.c
 *		Taking changes back.
 *
 * What is done is a change like any other: the caller needs the rights for it, the log has its entry, and that entry can
 * be undone.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/subtransaction.h"
#include "desk/reply.h"
#include "past/undo_entry.h"
#include "past/undo_order.h"

#define TRIED_AT_A_TIME 100

static Statement find_entry = {
	.text = "SELECT " LOG_COLUMN_NAMES("") " FROM support.audit_log WHERE id = $1",
	.columns = {LOG_COLUMN_TYPES(MAY_BE_NULL)},
	.nargs = 1, .argtypes = {INT8OID}
};

/* undo(audit_id, actor_id) -> id of the entry that the undoing made */
PG_FUNCTION_INFO_V1(support_undo);
Datum
support_undo(PG_FUNCTION_ARGS)
{
	int64		audit_id = required_id(fcinfo, 0, "audit_id");
	Args		args = {0};
	Undoing		undone = {.alone = true};
	LogRow		row;
	UndoEntry	entry;
	Call		call;
	int64		undoing;

	PreventCommandIfReadOnly("undo()");
	begin_call(&call, fcinfo, 1);
	arg_int64(&args, audit_id);
	if (run(&find_entry, &args) == 0)
		refuse_missing("audit entry", audit_id);
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, row.values, row.nulls);
	entry = entry_of(&row);
	undo_entry(&entry, &undone);
	if (undone.is_bookkeeping)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("entry %lld is the desk's own bookkeeping", (long long) audit_id),
				 errhint("Undo the change that it follows from: the books follow.")));
	undoing = entry_that_undid(&entry);
	end_call(&call);
	PG_RETURN_INT64(undoing);
}

#define UNDONE_COLUMNS 7

/* Add a row about an entry to the result; refusal is NULL if it was, or would be, undone. */
static void
report(ReturnSetInfo *rsinfo, const UndoEntry *entry, const char *refusal)
{
	Datum		values[UNDONE_COLUMNS] = {
		Int64GetDatum(entry->id), TimestampTzGetDatum(entry->occurred_at), CStringGetTextDatum(entry->action),
		CStringGetTextDatum(entry->table_name), Int64GetDatum(entry->record_id), Int64GetDatum(entry->ticket_id),
		refusal ? CStringGetTextDatum(refusal) : (Datum) 0
	};
	bool		nulls[UNDONE_COLUMNS] = {false, false, false, false, !entry->has_record_id, false, refusal == NULL};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Entries that are undone on trial, some at a time. */
typedef struct Trial
{
	const UndoList *list;
	uint64		from;
	uint64		upto;
	uint64		at;				/* the one at hand: in the end the one that was refused */
	int64		actor_id;		/* whose they are */
	bool		is_bookkeeping[TRIED_AT_A_TIME];
} Trial;

/* Undo some entries, or foresee what would become of it where nothing can be written. */
static void
try_some(void *arg)
{
	Trial	   *trial = arg;
	MemoryContext context = CurrentMemoryContext;
	MemoryContext per_entry = AllocSetContextCreate(context, "entry", ALLOCSET_DEFAULT_SIZES);

	for (trial->at = trial->from; trial->at < trial->upto; trial->at++)
	{
		Undoing		undoing = {0};
		UndoEntry	entry;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(per_entry);
		MemoryContextReset(per_entry);
		entry = entry_to_undo(trial->list, trial->at);
		if (XactReadOnly)
			foresee_undoing(&entry, trial->actor_id, &undoing);
		else
			undo_entry(&entry, &undoing);
		trial->is_bookkeeping[trial->at - trial->from] = undoing.is_bookkeeping;
	}
	MemoryContextSwitchTo(context);
	MemoryContextDelete(per_entry);
}

/* Report those that could be undone. */
static void
report_undone(ReturnSetInfo *rsinfo, const Trial *trial)
{
	for (uint64 i = trial->from; i < trial->upto; i++)
	{
		UndoEntry	entry = entry_to_undo(trial->list, i);

		if (!trial->is_bookkeeping[i - trial->from])
			report(rsinfo, &entry, NULL);
	}
}

static void
report_refused(ReturnSetInfo *rsinfo, const Trial *trial, const ErrorData *refusal)
{
	UndoEntry	entry = entry_to_undo(trial->list, trial->at);

	report(rsinfo, &entry,
		   refusal->detail ? psprintf("%s. %s", refusal->message, refusal->detail) : refusal->message);
}

/* All that is undone on trial. */
typedef struct Rehearsal
{
	ReturnSetInfo *rsinfo;
	const UndoList *list;
	int64		actor_id;
} Rehearsal;

/*
 * Undo entries on trial, the newest first. A subtransaction for each would cost more than the work, so there is one for
 * some; if one of them is refused, those before it are done again without it.
 */
static void
try_entries(void *arg)
{
	Rehearsal  *rehearsal = arg;
	Trial		trial = {.list = rehearsal->list, .actor_id = rehearsal->actor_id};
	MemoryContext context = CurrentMemoryContext;
	MemoryContext per_trial = AllocSetContextCreate(context, "trial", ALLOCSET_DEFAULT_SIZES);
	bool		again = false;

	MemoryContextSwitchTo(per_trial);
	while (trial.from < trial.list->n)
	{
		ErrorData  *refusal;

		if (!again)
			trial.upto = Min(trial.from + TRIED_AT_A_TIME, trial.list->n);
		refusal = attempt(try_some, &trial);
		again = refusal != NULL && trial.at > trial.from;
		if (again)
			trial.upto = trial.at;
		else if (refusal != NULL)
		{
			report_refused(rehearsal->rsinfo, &trial, refusal);
			trial.from++;
		}
		else
		{
			report_undone(rehearsal->rsinfo, &trial);
			trial.from = trial.upto;
		}
		MemoryContextReset(per_trial);
	}
	MemoryContextSwitchTo(context);
	MemoryContextDelete(per_trial);
}

/* A set of tickets. */
static HTAB *
make_ticket_set(void)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(int64), .hcxt = CurrentMemoryContext};

	return hash_create("tickets", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Count the replies of these tickets anew: others have written since. */
static void
recount_tickets(HTAB *tickets)
{
	HASH_SEQ_STATUS scan;
	int64	   *ticket_id;

	hash_seq_init(&scan, tickets);
	while ((ticket_id = hash_seq_search(&scan)) != NULL)
		recount_replies(*ticket_id);
}

/* Undo entries, the newest first. Raises what the first refusal raises. */
static void
undo_entries(ReturnSetInfo *rsinfo, const UndoList *list)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext per_entry = AllocSetContextCreate(context, "entry", ALLOCSET_DEFAULT_SIZES);
	HTAB	   *tickets = make_ticket_set();

	for (uint64 i = 0; i < list->n; i++)
	{
		Undoing		undoing = {0};
		UndoEntry	entry;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(per_entry);
		MemoryContextReset(per_entry);
		entry = entry_to_undo(list, i);
		undo_entry(&entry, &undoing);
		if (undoing.left_books && entry.ticket_id != 0)
			(void) hash_search(tickets, &entry.ticket_id, HASH_ENTER, NULL);
		if (!undoing.is_bookkeeping)
			report(rsinfo, &entry, NULL);
	}
	MemoryContextSwitchTo(context);
	recount_tickets(tickets);
	MemoryContextDelete(per_entry);
}

/* undo_since(actor_id, since, dry_run) -> the entries that were undone, or would be, and what speaks against it */
PG_FUNCTION_INFO_V1(support_undo_since);
Datum
support_undo_since(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		actor_id = required_id(fcinfo, 0, "actor_id");
	bool		dry_run = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
	Rehearsal	rehearsal = {.rsinfo = rsinfo, .actor_id = actor_id};
	UndoList	list;
	Args		args = {0};
	Call		call;

	if (!dry_run)
		PreventCommandIfReadOnly("undo_since()");
	(void) required_argument(fcinfo, 1, "since");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_int64(&args, actor_id);
	arg_passed(&args, fcinfo, 1);
	list = entries_to_undo(&args);
	rehearsal.list = &list;
	if (dry_run)
		rehearse(try_entries, &rehearsal);
	else
		undo_entries(rsinfo, &list);
	end_call(&call);
	return (Datum) 0;
}
