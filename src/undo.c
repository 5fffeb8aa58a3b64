/*
 * undo.c
 *		Taking changes back.
 *
 * What is done is a change like any other: the caller needs the rights for it, the log has its entry, and that entry can
 * be undone.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "actor.h"
#include "attempt.h"
#include "errors.h"
#include "inverse.h"
#include "reply.h"

enum
{
	FIND_ENTRY,
	ENTRIES_OF_ACTOR
};

/* Is an entry of the ticket and the transaction of entry a? */
#define SAME_TRANSACTION(entry) \
	"(" entry ".ticket_id OPERATOR(pg_catalog.=) a.ticket_id AND " entry ".era OPERATOR(pg_catalog.=) a.era" \
	" AND " entry ".xid OPERATOR(pg_catalog.=) a.xid)"

/* The version that a ticket had before a change. */
#define VERSION(entry) "(" entry ".old_value OPERATOR(pg_catalog.->>) 'version')::pg_catalog.int8"

static Statement statements[] = {
	[FIND_ENTRY] = {
		.text = "SELECT " ENTRY_OF_LOG " FROM support.audit_log AS a WHERE a.id OPERATOR(pg_catalog.=) $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	/*
	 * The newest first, in the order in which the changes were made, but that a removed row comes after the ticket or
	 * comment that took it along: it can come back only then. A change that was logged before one that it followed is
	 * undone before that: a ticket's versions tell, or that it was inserted. What was purged since is passed over: nothing
	 * is left of it.
	 */
	[ENTRIES_OF_ACTOR] = {
		.text = "SELECT " ENTRY_OF_LOG " FROM support.audit_log AS a"
		" LEFT JOIN LATERAL"
		" ("
		"	SELECT pg_catalog.min(p.id) AS id"
		"	FROM support.audit_log AS p"
		"	WHERE a.action OPERATOR(pg_catalog.=) 'DELETE' AND " SAME_TRANSACTION("p") ""
		"		AND p.action OPERATOR(pg_catalog.=) 'DELETE' AND p.id OPERATOR(pg_catalog.<) a.id"
		"		AND ((p.table_name OPERATOR(pg_catalog.=) 'tickets' AND a.table_name OPERATOR(pg_catalog.<>) 'tickets')"
		"			OR (p.table_name OPERATOR(pg_catalog.=) 'comments' AND a.table_name OPERATOR(pg_catalog.=) 'attachments'"
		"				AND p.record_id::pg_catalog.text OPERATOR(pg_catalog.=)"
		"					(a.old_value OPERATOR(pg_catalog.->>) 'comment_id')))"
		"		AND NOT EXISTS"
		"		("
		"			SELECT FROM support.audit_log AS i"
		"			WHERE " SAME_TRANSACTION("i") " AND i.action OPERATOR(pg_catalog.=) 'INSERT'"
		"				AND i.table_name OPERATOR(pg_catalog.=) p.table_name"
		"				AND i.record_id OPERATOR(pg_catalog.=) p.record_id"
		"				AND i.id OPERATOR(pg_catalog.>) p.id AND i.id OPERATOR(pg_catalog.<) a.id"
		"		)"
		" ) AS parent ON a.ticket_id OPERATOR(pg_catalog.<>) 0"
		" LEFT JOIN LATERAL"
		" ("
		"	SELECT pg_catalog.max(l.id) AS id"
		"	FROM support.audit_log AS l"
		"	WHERE a.action OPERATOR(pg_catalog.<>) 'DELETE' AND " SAME_TRANSACTION("l") ""
		"		AND l.table_name OPERATOR(pg_catalog.=) 'tickets' AND l.id OPERATOR(pg_catalog.>) a.id"
		"		AND (l.action OPERATOR(pg_catalog.=) 'INSERT'"
		"			OR (l.action OPERATOR(pg_catalog.=) 'UPDATE' AND a.action OPERATOR(pg_catalog.=) 'UPDATE'"
		"				AND a.table_name OPERATOR(pg_catalog.=) 'tickets'"
		"				AND " VERSION("l") " OPERATOR(pg_catalog.<) " VERSION("a") "))"
		"		AND NOT EXISTS"
		"		("
		"			SELECT FROM support.audit_log AS d"
		"			WHERE " SAME_TRANSACTION("d") " AND d.action OPERATOR(pg_catalog.<>) 'UPDATE'"
		"				AND d.table_name OPERATOR(pg_catalog.=) 'tickets'"
		"				AND d.id OPERATOR(pg_catalog.>) a.id AND d.id OPERATOR(pg_catalog.<) l.id"
		"		)"
		" ) AS earlier ON a.ticket_id OPERATOR(pg_catalog.<>) 0"
		" WHERE a.actor_id OPERATOR(pg_catalog.=) $1 AND a.occurred_at OPERATOR(pg_catalog.>=) $2"
		"	AND a.table_name IS NOT NULL"
		"	AND a.action OPERATOR(pg_catalog.=) ANY (ARRAY['INSERT', 'UPDATE', 'DELETE'])"
		"	AND NOT EXISTS"
		"	("
		"		SELECT FROM support.audit_log AS p"
		"		WHERE p.ticket_id OPERATOR(pg_catalog.=) a.ticket_id AND p.ticket_id OPERATOR(pg_catalog.<>) 0"
		"			AND p.id OPERATOR(pg_catalog.>) a.id AND p.action OPERATOR(pg_catalog.=) 'PURGE'"
		"	)"
		" ORDER BY coalesce(parent.id, earlier.id, a.id) DESC, (earlier.id IS NOT NULL) DESC,"
		"	CASE WHEN a.action OPERATOR(pg_catalog.=) 'UPDATE' THEN " VERSION("a") " END DESC NULLS FIRST,"
		"	(parent.id IS NULL) DESC, (a.table_name OPERATOR(pg_catalog.=) 'comments') DESC, a.id DESC",
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}
	}
};

/* undo(audit_id, actor_id) -> id of the entry that the undoing made */
PG_FUNCTION_INFO_V1(support_undo);
Datum
support_undo(PG_FUNCTION_ARGS)
{
	int64		audit_id = required_id(fcinfo, 0, "audit_id");
	Args		args = {0};
	Undoing		undone = {.alone = true};
	Entry		entry;
	Call		call;
	int64		undoing;

	PreventCommandIfReadOnly("undo()");
	begin_call(&call, fcinfo, 1);
	arg_int64(&args, audit_id);
	if (run(&statements[FIND_ENTRY], &args) == 0)
		refuse_missing("audit entry", audit_id);
	entry = entry_of(SPI_tuptable, 0);
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
report(ReturnSetInfo *rsinfo, const Entry *entry, const char *refusal)
{
	Datum		values[UNDONE_COLUMNS] = {
		Int64GetDatum(entry->id), TimestampTzGetDatum(entry->occurred_at), CStringGetTextDatum(entry->action),
		CStringGetTextDatum(entry->table_name), Int64GetDatum(entry->record_id), Int64GetDatum(entry->ticket_id),
		refusal ? CStringGetTextDatum(refusal) : (Datum) 0
	};
	bool		nulls[UNDONE_COLUMNS] = {false, false, false, false, !entry->has_record_id, false, refusal == NULL};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* An entry that is undone on trial. */
typedef struct Trial
{
	const Entry *entry;
	Undoing		undoing;
} Trial;

static void
try_entry(void *arg)
{
	Trial	   *trial = arg;

	undo_entry(trial->entry, &trial->undoing);
}

/* Undo an entry on trial and report what speaks against it. */
static void
try_and_report(ReturnSetInfo *rsinfo, const Entry *entry)
{
	Trial		trial = {.entry = entry};
	ErrorData  *refusal = attempt(try_entry, &trial);

	if (refusal != NULL)
		report(rsinfo, entry,
			   refusal->detail ? psprintf("%s. %s", refusal->message, refusal->detail) : refusal->message);
	else if (!trial.undoing.is_bookkeeping)
		report(rsinfo, entry, NULL);
}

/* Entries that are undone on trial. */
typedef struct Trials
{
	ReturnSetInfo *rsinfo;
	SPITupleTable *rows;
	uint64		n;
} Trials;

/* Undo entries on trial, the newest first. */
static void
try_entries(void *arg)
{
	Trials	   *trials = arg;
	MemoryContext context = CurrentMemoryContext;
	MemoryContext per_entry = AllocSetContextCreate(context, "entry", ALLOCSET_DEFAULT_SIZES);

	for (uint64 i = 0; i < trials->n; i++)
	{
		Entry		entry;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(per_entry);
		MemoryContextReset(per_entry);
		entry = entry_of(trials->rows, i);
		try_and_report(trials->rsinfo, &entry);
	}
	MemoryContextSwitchTo(context);
	MemoryContextDelete(per_entry);
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
undo_entries(ReturnSetInfo *rsinfo, SPITupleTable *rows, uint64 n)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext per_entry = AllocSetContextCreate(context, "entry", ALLOCSET_DEFAULT_SIZES);
	HTAB	   *tickets = make_ticket_set();

	for (uint64 i = 0; i < n; i++)
	{
		Undoing		undoing = {0};
		Entry		entry;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(per_entry);
		MemoryContextReset(per_entry);
		entry = entry_of(rows, i);
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
	SPITupleTable *rows;
	Trials		trials;
	Args		args = {0};
	Call		call;
	uint64		n;

	PreventCommandIfReadOnly("undo_since()");
	(void) required_argument(fcinfo, 1, "since");
	InitMaterializedSRF(fcinfo, 0);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_int64(&args, actor_id);
	arg_passed(&args, fcinfo, 1);
	n = run(&statements[ENTRIES_OF_ACTOR], &args);
	rows = SPI_tuptable;
	trials = (Trials) {
		rsinfo, rows, n
	};
	if (dry_run)
		rehearse(try_entries, &trials);
	else
		undo_entries(rsinfo, rows, n);
	end_call(&call);
	return (Datum) 0;
}
