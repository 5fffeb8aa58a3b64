/*
 * removal.c
 *		Noting what leaves the sealed log.
 *
 * What leaves the log by right is told by a row of audit_seals: an erasure, when the values of sealed entries are emptied or
 * redacted; a pruning, when sealed entries go with their partition. The leaves name the row, and the row has the
 * digest of the list of their digests, so that no leaf can be marked in any other way.
 *
 * An erased entry may keep some values: the status that a ticket had, but not its title. What it keeps is sealed anew, in a
 * row of audit_redactions, and another row of audit_seals, a redaction, has the digest of the list of these. Each time that
 * the values change again by right there is one more; the last one tells what they must be.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/modes.h"
#include "proof/removal.h"
#include "proof/seal_chain.h"

#define LEAF_COLUMN_TYPES \
	{ \
		{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {BYTEAOID, NOT_NULL} \
	}

static const ResultColumn leaf_columns[] = LEAF_COLUMN_TYPES;

enum
{
	ERASABLE_LEAVES,
	ERASE_LEAVES
};

static Statement statements[] = {
	[ERASABLE_LEAVES] = {
		.text = "SELECT l.era, l.xid, l.audit_id, a.occurred_at, l.digest"
		" FROM support.audit_log AS a"
		" JOIN support_internal.audit_leaves AS l ON l.era = a.era"
		"	AND l.xid = a.xid AND l.audit_id = a.id"
		" WHERE a.ticket_id = ANY ($1) AND (a.old_value IS NOT NULL OR a.new_value IS NOT NULL)"
		"	AND l.salt IS NOT NULL"
		" ORDER BY l.era, l.xid, l.audit_id",
		.nargs = 1, .argtypes = {INT8ARRAYOID}, .columns = LEAF_COLUMN_TYPES
	},
	[ERASE_LEAVES] = {
		.text = "UPDATE support_internal.audit_leaves AS l"
		" SET values_digest = support_internal.values_digest(l.salt, a.old_value, a.new_value), salt = NULL,"
		"	erased_by = $2"
		" FROM support.audit_log AS a"
		" WHERE a.ticket_id = ANY ($1) AND (a.old_value IS NOT NULL OR a.new_value IS NOT NULL)"
		"	AND l.era = a.era AND l.xid = a.xid"
		"	AND l.audit_id = a.id AND l.salt IS NOT NULL",
		.nargs = 2, .argtypes = {INT8ARRAYOID, INT8OID}
	}
};

/* Planned entries by the leaf that they have. */
#define WITH_LEAVES \
	" JOIN support_internal.audit_leaves AS l ON l.era = p.era AND l.xid = p.xid AND l.audit_id = p.id"

/* The leaves of planned entries that have all their values yet. */
#define WHOLE_LEAVES \
	"SELECT l.era, l.xid, l.audit_id, p.occurred_at, l.digest FROM (%s) AS p" WITH_LEAVES \
	" WHERE l.salt IS NOT NULL" \
	" ORDER BY l.era, l.xid, l.audit_id"

#define ERASE_WHOLE_LEAVES \
	"UPDATE support_internal.audit_leaves AS l" \
	" SET values_digest = support_internal.values_digest(l.salt, a.old_value, a.new_value), salt = NULL, erased_by = $%d" \
	" FROM (%s) AS p" \
	" JOIN support.audit_log AS a ON a.ticket_id = p.ticket_id AND a.id = p.id AND a.occurred_at = p.occurred_at" \
	" WHERE l.era = p.era AND l.xid = p.xid AND l.audit_id = p.id AND l.salt IS NOT NULL"

/* The salt is drawn in a query of its own, once for each entry. */
#define ADD_REDACTIONS \
	"INSERT INTO support_internal.audit_redactions (era, xid, audit_id, seal_id, digest, salt)" \
	" SELECT p.era, p.xid, p.id, $%d, support_internal.values_digest(p.salt, p.old_value, p.new_value), p.salt" \
	" FROM (SELECT q.era, q.xid, q.id, q.old_value, q.new_value, uuid_send(gen_random_uuid()) AS salt FROM (%s) AS q) AS p" \
	WITH_LEAVES

#define REDACTIONS_OF_SEAL \
	"SELECT r.era, r.xid, r.audit_id, p.occurred_at, l.digest, r.digest FROM (%s) AS p" WITH_LEAVES \
	" JOIN support_internal.audit_redactions AS r ON r.era = l.era AND r.xid = l.xid" \
	"	AND r.audit_id = l.audit_id AND r.seal_id = $%d" \
	" ORDER BY r.era, r.xid, r.audit_id"

/* Values that went cannot be found by trying: so with those that were left by an earlier redaction. */
#define FORGET_EARLIER_SALTS \
	"UPDATE support_internal.audit_redactions AS o SET salt = NULL" \
	" FROM support_internal.audit_redactions AS n" \
	" WHERE n.seal_id = $1 AND o.era = n.era AND o.xid = n.xid" \
	"	AND o.audit_id = n.audit_id AND o.seal_id < n.seal_id AND o.salt IS NOT NULL"

#define REDACT \
	"UPDATE support.audit_log AS a SET old_value = p.old_value, new_value = p.new_value" \
	" FROM (%s) AS p" \
	" WHERE a.ticket_id = p.ticket_id AND a.id = p.id AND a.occurred_at = p.occurred_at"

/* What a purge is about to empty that was redacted before. */
#define REDACTED_BEFORE \
	"SELECT a.ticket_id, a.id, a.occurred_at, a.era, a.xid, NULL::jsonb AS old_value, NULL::jsonb AS new_value" \
	" FROM support.audit_log AS a" \
	" WHERE a.ticket_id = ANY ($1) AND (a.old_value IS NOT NULL OR a.new_value IS NOT NULL)" \
	"	AND EXISTS (SELECT FROM support_internal.audit_redactions AS r" \
	"		WHERE r.era = a.era AND r.xid = a.xid AND r.audit_id = a.id)"

#define FORGET_PRUNED_SALTS \
	"UPDATE support_internal.audit_redactions AS r SET salt = NULL" \
	" FROM %s AS p" \
	" WHERE r.era = p.era AND r.xid = p.xid AND r.audit_id = p.id AND r.salt IS NOT NULL"

#define LEAVES_OF_PARTITION \
	"SELECT l.era, l.xid, l.audit_id, p.occurred_at, l.digest" \
	" FROM %s AS p" \
	" JOIN support_internal.audit_leaves AS l ON l.era = p.era" \
	"	AND l.xid = p.xid AND l.audit_id = p.id" \
	" WHERE l.pruned_by IS NULL%s" \
	" ORDER BY l.era, l.xid, l.audit_id"

/* Leaves that were pruned before are those of a partition that came back since: their salts may still have to go. */
#define PRUNE_LEAVES \
	"UPDATE support_internal.audit_leaves AS l" \
	" SET pruned_by = coalesce(l.pruned_by, $1), salt = CASE WHEN $2 THEN l.salt END," \
	"	values_digest = CASE WHEN $2 THEN l.values_digest END" \
	" FROM %s AS p" \
	" WHERE l.era = p.era AND l.xid = p.xid" \
	"	AND l.audit_id = p.id AND (l.pruned_by IS NULL OR NOT $2)%s"

/* An entry of which the recycle bin keeps a copy in the default partition does not leave the log. */
#define NOT_KEPT_IN \
	" AND NOT EXISTS (SELECT FROM ONLY %s AS d WHERE d.ticket_id = p.ticket_id" \
	"	AND d.id = p.id AND d.occurred_at = p.occurred_at)"

/* What is read of leaves that are erased or pruned, in the order of the columns. */
enum
{
	LEAF_ERA,
	LEAF_XID,
	LEAF_ID,
	LEAF_OCCURRED_AT,
	LEAF_DIGEST,
	LEAF_COLUMNS,
	REDACTION_DIGEST = LEAF_COLUMNS,	/* of a redaction: what the values have now */
	REDACTION_COLUMNS
};

static const ResultColumn redaction_columns[REDACTION_COLUMNS] = {
	{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {BYTEAOID, NOT_NULL},
	{BYTEAOID, NOT_NULL}
};

#define MAX_PLANNED_ARGS 4

/* Take a leaf, in a row of the columns above, into a span and its digests into that of a list. */
static void
list_leaf(SealChain *chain, SealedRange *span, Digest *list, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[REDACTION_COLUMNS];
	bool		nulls[REDACTION_COLUMNS];
	Digest		digest;

	heap_deform_tuple(tuple, desc, values, nulls);
	extend_sealed_range(span, position_in(values, LEAF_ERA), DatumGetTimestampTz(values[LEAF_OCCURRED_AT]));
	for (int i = LEAF_DIGEST; i < desc->natts; i++)
	{
		(void) read_digest(values[i], &digest);
		*list = list_digest(chain->hasher, list, &digest);
	}
}

/* Append an erasure, a redaction or a pruning of the leaves that a query finds; false if it finds none. */
static bool
append_ending(SealChain *chain, const char *kind, Statement *leaves, const Args *args, int64 *n)
{
	SealedRange	span = {0};
	Digest		list = {0};
	Reader		reader;
	HeapTuple	tuple;

	open_reader(&reader, leaves, args);
	while ((tuple = next_row(&reader)) != NULL)
		list_leaf(chain, &span, &list, tuple, reader.rows->tupdesc);
	close_reader(&reader);
	*n = span.entries;
	if (span.entries == 0)
		return false;
	check_sees_last_seal(chain);
	append_seal(chain, kind, &span, &list);
	return true;
}

/*
 * A statement about planned entries, which may have an argument of its own behind theirs. Its plan is for one use: what plans
 * entries is large, and whoever plans some plans many at once.
 */
static Statement *
statement_about_planned(const PlannedEntries *planned, const char *text, bool has_own_argument, const ResultColumn *columns,
						int ncolumns)
{
	Statement  *statement = palloc0(sizeof(Statement));

	Assert(planned->nargs <= MAX_PLANNED_ARGS);
	statement->text = text;
	statement->nargs = planned->nargs;
	memcpy(statement->argtypes, planned->argtypes, sizeof(Oid) * planned->nargs);
	if (has_own_argument)
		statement->argtypes[statement->nargs++] = INT8OID;
	for (int i = 0; i < ncolumns; i++)
		statement->columns[i] = columns[i];
	statement->any_columns = ncolumns == 0;
	statement->one_use = statement->replan = true;
	return statement;
}

/* Planned entries lose values: keep the digests of those instead of the salts of the entries that have had all so far. */
static void
erase_leaves(SealChain *chain, const PlannedEntries *planned)
{
	Args		args = planned->args;
	int64		erased;

	if (!append_ending(chain, "erasure",
					   statement_about_planned(planned, psprintf(WHOLE_LEAVES, planned->query), false,
											   leaf_columns, lengthof(leaf_columns)), &args, &erased))
		return;
	arg_int64(&args, chain->last_id);
	run(statement_about_planned(planned, psprintf(ERASE_WHOLE_LEAVES, planned->nargs + 1, planned->query), true, NULL, 0), &args);
}

/* Seal what planned entries are about to keep, those that were sealed. */
static void
seal_what_is_left(SealChain *chain, const PlannedEntries *planned)
{
	Args		args = planned->args;
	Args		seal = {0};
	int64		redacted;

	arg_int64(&args, chain->last_id + 1);
	if (run(statement_about_planned(planned, psprintf(ADD_REDACTIONS, planned->nargs + 1, planned->query), true, NULL, 0),
			&args) == 0)
		return;
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	(void) append_ending(chain, "redaction",
						 statement_about_planned(planned, psprintf(REDACTIONS_OF_SEAL, planned->query, planned->nargs + 1), true,
												 redaction_columns, REDACTION_COLUMNS), &args, &redacted);
	PopActiveSnapshot();
	arg_int64(&seal, chain->last_id);
	run(statement_of(FORGET_EARLIER_SALTS, 1, (const Oid[]) {INT8OID}, NULL, 0), &seal);
}

/* An update of the log to what is planned. */
typedef struct LogUpdate
{
	const PlannedEntries *planned;
	int64		n;				/* how many entries there were */
} LogUpdate;

static void
update_log(void *arg)
{
	LogUpdate  *update = arg;
	const PlannedEntries *planned = update->planned;

	update->n = run(statement_about_planned(planned, psprintf(REDACT, planned->query), false, NULL, 0), &planned->args);
}

/*
 * Give entries of the log the values that a query plans for them, and have the seals tell of it. To be called as the owner of
 * the log, within an SPI level. Returns how many there were.
 */
int64
redact_entries(const PlannedEntries *planned)
{
	Modes		redacting = redacting_mode();
	LogUpdate	update = {planned};
	SealChain	chain;

	open_chain(&chain);
	if (chain.last_id > 0)
	{
		check_sees_last_seal(&chain);
		erase_leaves(&chain, planned);
		seal_what_is_left(&chain, planned);
	}
	close_chain(&chain);
	work_in(&redacting, update_log, &update);
	return update.n;
}

/*
 * The values of these tickets' entries are about to be emptied: keep their digests instead of their salts. To be called
 * within an SPI level, before the values go.
 */
void
note_erasure(const int64 *ticket_ids, int n)
{
	Datum	   *ids = palloc(sizeof(Datum) * Max(n, 1));
	PlannedEntries redacted_before = {REDACTED_BEFORE, 1, (const Oid[]) {INT8ARRAYOID}};
	Args		args = {0};
	SealChain	chain;
	int64		erased;

	for (int i = 0; i < n; i++)
		ids[i] = Int64GetDatum(ticket_ids[i]);
	arg(&args, PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	redacted_before.args = args;
	open_chain(&chain);
	if (chain.last_id > 0)
		seal_what_is_left(&chain, &redacted_before);
	if (append_ending(&chain, "erasure", &statements[ERASABLE_LEAVES], &args, &erased))
	{
		arg_int64(&args, chain.last_id);
		run(&statements[ERASE_LEAVES], &args);
	}
	close_chain(&chain);
}

/* A statement about the entries that leave with a partition: one that returns leaves, or none that returns anything. */
static Statement *
statement_about(const char *text, Oid partition, int nargs, bool returns_leaves)
{
	static const Oid argtypes[] = {INT8OID, BOOLOID};
	Oid			others = get_default_partition_oid(desk_relation("support", "audit_log"));
	bool		may_stay = OidIsValid(others) && others != partition;

	Statement  *statement;

	statement = statement_of(psprintf(text, qualified_name(partition),
									  may_stay ? psprintf(NOT_KEPT_IN, qualified_name(others)) : ""),
							 nargs, argtypes, leaf_columns, returns_leaves ? lengthof(leaf_columns) : 0);
	statement->many_rows = true;
	return statement;
}

/*
 * A partition is about to leave the log, or has left it in this transaction: mark the leaves of its entries. Their
 * salts go, unless the partition is kept elsewhere. To be called within an SPI level. Returns how many were marked.
 */
int64
note_pruning(Oid partition, bool keep_salts)
{
	Args		args = {0};
	SealChain	chain;
	int64		pruned;

	open_chain(&chain);
	(void) append_ending(&chain, "pruning", statement_about(LEAVES_OF_PARTITION, partition, 0, true), NULL, &pruned);
	if (chain.last_id > 0)
	{
		arg_int64(&args, chain.last_id);
		arg(&args, BoolGetDatum(keep_salts));
		run(statement_about(PRUNE_LEAVES, partition, 2, false), &args);
		if (!keep_salts)
			run(statement_about(FORGET_PRUNED_SALTS, partition, 0, false), NULL);
	}
	close_chain(&chain);
	return pruned;
}

/* Is the relation a table of the log's owner that has what names an entry? */
static bool
is_like_partition(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_RELATION &&
		table_owner(relid) == table_owner(desk_relation("support", "audit_log")) &&
		get_attnum(relid, "era") != InvalidAttrNumber && get_attnum(relid, "xid") != InvalidAttrNumber &&
		get_attnum(relid, "id") != InvalidAttrNumber && get_attnum(relid, "ticket_id") != InvalidAttrNumber &&
		get_attnum(relid, "occurred_at") != InvalidAttrNumber;
}

/* prune_leaves(partition, keep_salts) -> how many leaves were marked */
PG_FUNCTION_INFO_V1(support_prune_leaves);
Datum
support_prune_leaves(PG_FUNCTION_ARGS)
{
	Call		call;
	Caller		caller;
	int64		pruned;

	PreventCommandIfReadOnly("prune_leaves()");
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	become_desk_owner("prune the audit log", &caller);
	if (PG_ARGISNULL(0) || !is_like_partition(PG_GETARG_OID(0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partition must be a table that is, or was, a partition of the audit log")));
	pruned = note_pruning(PG_GETARG_OID(0), !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(pruned);
}
