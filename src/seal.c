/*
 * seal.c
 *		Sealing the audit log.
 *
 * seal_audit() reads the entries that have become stable, in the order of their positions (era, transaction, id), gives
 * each a leaf with its digest, and ties the leaves to one row of audit_seals by the root of their Merkle tree. Stable
 * is what lies below the oldest transaction that runs, and all of eras that are over: nothing can come there any more.
 * A transaction is sealed as a whole, so how far an era is sealed is the number of a transaction. Very many entries
 * make several seals, since a proof reads all the leaves of one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "actor.h"
#include "chain.h"
#include "compat.h"
#include "log_writer.h"
#include "merkle.h"

#define BATCH_SIZE 1000
#define MAX_SEAL_ENTRIES 4096

enum
{
	FRONTIERS,
	STABLE_ENTRIES,
	ADD_LEAVES
};

static Statement statements[] = {
	[FRONTIERS] = {
		.text = "SELECT e.era,"
		" coalesce((SELECT s.to_xid FROM support_internal.audit_seals AS s"
		"	WHERE s.kind = 'seal' AND s.to_era = e.era"
		"	ORDER BY s.to_xid DESC LIMIT 1), 0),"
		" CASE WHEN e.era = $1"
		"	THEN pg_snapshot_xmin(pg_current_snapshot())::text::int8"
		"	ELSE 9223372036854775807 END"
		" FROM support_internal.eras AS e ORDER BY e.era",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT4OID}
	},
	[STABLE_ENTRIES] = {
		.text = "SELECT " ENTRY_COLUMNS " FROM support.audit_log"
		" WHERE era = $1 AND xid > $2 AND xid < $3"
		" ORDER BY xid, id, ticket_id",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL},
		{INT8OID}, {TEXTOID}, {TEXTOID, NOT_NULL}, {TEXTOID}, {INT8OID}, {INT8OID, NOT_NULL}, {JSONBOID}, {JSONBOID}},
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}
	},
	[ADD_LEAVES] = {
		.text = "INSERT INTO support_internal.audit_leaves (era, xid, audit_id, seal_id, digest, salt)"
		" SELECT $1, l.xid, l.audit_id, $2, l.digest, l.salt"
		" FROM ROWS FROM (unnest($3), unnest($4), unnest($5), unnest($6))"
		"	AS l (xid, audit_id, digest, salt)",
		.nargs = 6, .argtypes = {INT4OID, INT8OID, INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID}
	}
};

/* Leaves on their way to the table. */
typedef struct Batch
{
	MemoryContext context;
	int			n;
	Datum		xids[BATCH_SIZE];
	Datum		ids[BATCH_SIZE];
	Datum		digests[BATCH_SIZE];
	Datum		salts[BATCH_SIZE];
	uint8		random[BATCH_SIZE][SALT_LENGTH];
} Batch;

/* A run of seal_audit(). */
typedef struct Sealing
{
	Chain		chain;
	Span		span;			/* of the seal that is being made */
	MerkleTree	tree;			/* likewise */
	Batch		batch;
	MemoryContext per_entry;
	int64		sealed;
} Sealing;

/* How far an era is sealed, and where it may still grow. */
typedef struct Frontier
{
	int32		era;
	int64		sealed_xid;
	int64		unstable_xid;
} Frontier;

/* Draw the salts of a batch. */
static void
draw_salts(Batch *batch)
{
	if (!pg_strong_random(batch->random, sizeof(batch->random)))
		elog(ERROR, "could not generate random values");
}

static Datum
bigint_array(Datum *values, int n)
{
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
bytea_array(Datum *values, int n)
{
	return PointerGetDatum(construct_array(values, n, BYTEAOID, -1, false, TYPALIGN_INT));
}

/* Write the leaves of the batch, all of one seal. */
static void
flush_batch(Sealing *sealing)
{
	Batch	   *batch = &sealing->batch;
	MemoryContext previous = MemoryContextSwitchTo(batch->context);
	Args		args = {0};

	if (batch->n > 0)
	{
		arg(&args, Int32GetDatum(sealing->span.from.era));
		arg_int64(&args, sealing->chain.last_id + 1);
		arg(&args, bigint_array(batch->xids, batch->n));
		arg(&args, bigint_array(batch->ids, batch->n));
		arg(&args, bytea_array(batch->digests, batch->n));
		arg(&args, bytea_array(batch->salts, batch->n));
		run(&statements[ADD_LEAVES], &args);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextReset(batch->context);
	batch->n = 0;
}

/* Write the seal of the leaves so far, if there are any. */
static void
finish_seal(Sealing *sealing)
{
	Digest		root;

	flush_batch(sealing);
	if (sealing->span.entries == 0)
		return;
	root = merkle_root(&sealing->tree, sealing->chain.hasher);
	append_seal(&sealing->chain, "seal", &sealing->span, &root);
	sealing->sealed += sealing->span.entries;
	memset(&sealing->span, 0, sizeof(Span));
	memset(&sealing->tree, 0, sizeof(MerkleTree));
}

/* The digest of an entry with this salt. */
static Digest
digest_entry(Sealing *sealing, const Entry *entry, const uint8 *salt)
{
	MemoryContext previous = MemoryContextSwitchTo(sealing->per_entry);
	Digest		values = values_digest(sealing->chain.hasher, salt, entry);
	Digest		digest = entry_digest(sealing->chain.hasher, entry, &values);

	MemoryContextSwitchTo(previous);
	MemoryContextReset(sealing->per_entry);
	return digest;
}

static Datum
salt_datum(const uint8 *salt)
{
	bytea	   *bytes = palloc(VARHDRSZ + SALT_LENGTH);

	SET_VARSIZE(bytes, VARHDRSZ + SALT_LENGTH);
	memcpy(VARDATA(bytes), salt, SALT_LENGTH);
	return PointerGetDatum(bytes);
}

/* Give an entry its leaf. */
static void
seal_entry(Sealing *sealing, const Entry *entry)
{
	Batch	   *batch = &sealing->batch;
	LogPlace	position = position_in(entry->values, ENTRY_ERA);
	MemoryContext previous;
	Digest		digest;

	if (batch->n == 0)
		draw_salts(batch);
	digest = digest_entry(sealing, entry, batch->random[batch->n]);
	merkle_add(&sealing->tree, sealing->chain.hasher, &digest);
	extend_span(&sealing->span, position, DatumGetTimestampTz(entry->values[ENTRY_OCCURRED_AT]));

	previous = MemoryContextSwitchTo(batch->context);
	batch->xids[batch->n] = Int64GetDatum(position.xid);
	batch->ids[batch->n] = Int64GetDatum(position.id);
	batch->digests[batch->n] = digest_datum(&digest);
	batch->salts[batch->n] = salt_datum(batch->random[batch->n]);
	batch->n++;
	MemoryContextSwitchTo(previous);

	if (batch->n == BATCH_SIZE)
		flush_batch(sealing);
	if (sealing->span.entries == MAX_SEAL_ENTRIES)
		finish_seal(sealing);
}

/*
 * Seal what is stable of an era. Two entries at one position cannot both be genuine: one of them gets a leaf, and
 * verify_audit() finds the other.
 */
static void
seal_era(Sealing *sealing, const Frontier *frontier)
{
	Reader		reader;
	HeapTuple	tuple;
	Args		args = {0};
	int64		last_xid = 0;
	int64		last_id = 0;

	arg(&args, Int32GetDatum(frontier->era));
	arg_int64(&args, frontier->sealed_xid);
	arg_int64(&args, frontier->unstable_xid);
	open_reader(&reader, &statements[STABLE_ENTRIES], &args);
	while ((tuple = next_row(&reader)) != NULL)
	{
		Entry		entry;

		heap_deform_tuple(tuple, reader.rows->tupdesc, entry.values, entry.nulls);
		if (DatumGetInt64(entry.values[ENTRY_XID]) == last_xid && DatumGetInt64(entry.values[ENTRY_ID]) == last_id)
			continue;
		seal_entry(sealing, &entry);
		last_xid = DatumGetInt64(entry.values[ENTRY_XID]);
		last_id = DatumGetInt64(entry.values[ENTRY_ID]);
	}
	close_reader(&reader);
	finish_seal(sealing);
}

/* How far each era is sealed. Returns how many eras there are. */
static uint64
read_frontiers(Frontier **frontiers)
{
	Args		args = {0};
	uint64		n;

	arg(&args, Int32GetDatum(era_if_known()));
	n = run_read_only(&statements[FRONTIERS], &args);
	*frontiers = palloc(sizeof(Frontier) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		(*frontiers)[i] = (Frontier) {
			DatumGetInt32(result(i, 1)), result_int64(i, 2), result_int64(i, 3)
		};
	return n;
}

/* Seal what is stable of the log; returns how many entries. */
static int64
seal_log(void)
{
	Sealing    *sealing = palloc0(sizeof(Sealing));
	Frontier   *frontiers;
	uint64		n;

	sealing->per_entry = AllocSetContextCreate(CurrentMemoryContext, "sealed entry", ALLOCSET_DEFAULT_SIZES);
	sealing->batch.context = AllocSetContextCreate(CurrentMemoryContext, "sealed entries", ALLOCSET_DEFAULT_SIZES);
	open_chain(&sealing->chain);
	n = read_frontiers(&frontiers);
	for (uint64 i = 0; i < n; i++)
		seal_era(sealing, &frontiers[i]);
	close_chain(&sealing->chain);
	return sealing->sealed;
}

/* seal_audit(actor_id) -> how many entries were sealed */
PG_FUNCTION_INFO_V1(support_seal_audit);
Datum
support_seal_audit(PG_FUNCTION_ARGS)
{
	Call		call;
	int64		sealed;

	PreventCommandIfReadOnly("seal_audit()");
	begin_call(&call, fcinfo, 0);
	check_desk_owner("seal the audit log");
	sealed = seal_log();
	end_call(&call);
	PG_RETURN_INT64(sealed);
}
