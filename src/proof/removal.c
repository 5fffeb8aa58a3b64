/*
 * removal.c
 *		Noting what leaves the sealed log.
 *
 * What leaves the log by right is told by a row of audit_seals: an erasure, when purge_deleted() empties the values of
 * sealed entries; a pruning, when sealed entries go with their partition. The leaves name the row, and the row has the
 * digest of the list of their digests, so that no leaf can be marked in any other way.
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

#include "base/actor.h"
#include "base/compat.h"
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
	LEAF_COLUMNS
};

/* Take a leaf, in a row of the columns above, into a span and into the digest of a list. */
static void
list_leaf(SealChain *chain, SealedRange *span, Digest *list, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[LEAF_COLUMNS];
	bool		nulls[LEAF_COLUMNS];
	Digest		digest;

	heap_deform_tuple(tuple, desc, values, nulls);
	extend_sealed_range(span, position_in(values, LEAF_ERA), DatumGetTimestampTz(values[LEAF_OCCURRED_AT]));
	(void) read_digest(values[LEAF_DIGEST], &digest);
	*list = list_digest(chain->hasher, list, &digest);
}

/* Append an erasure or a pruning of the leaves that a query finds; false if it finds none. */
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
 * The values of these tickets' entries are about to be emptied: keep their digests instead of their salts. To be called
 * within an SPI level, before the values go.
 */
void
note_erasure(const int64 *ticket_ids, int n)
{
	Datum	   *ids = palloc(sizeof(Datum) * Max(n, 1));
	Args		args = {0};
	SealChain	chain;
	int64		erased;

	for (int i = 0; i < n; i++)
		ids[i] = Int64GetDatum(ticket_ids[i]);
	arg(&args, PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	open_chain(&chain);
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
