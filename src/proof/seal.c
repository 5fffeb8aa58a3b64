/*
 * seal.c
 *		Sealing the audit log.
 *
 * seal_audit() reads the entries that have become stable, in the order of their positions (era, transaction, id), gives
 * each a leaf with its digest, and ties the leaves to one row of audit_seals by the root of their Merkle tree. Stable
 * is what lies below the oldest transaction that runs, and all of eras that are over: nothing can come there any more, see
 * eras.c.
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

#include "base/actor.h"
#include "base/compat.h"
#include "log/eras.h"
#include "proof/merkle.h"
#include "proof/seal_chain.h"

#define BATCH_SIZE 1000
#define MAX_SEAL_ENTRIES 4096

enum
{
	STABLE_ENTRIES,
	ADD_LEAVES
};

static Statement statements[] = {
	[STABLE_ENTRIES] = {
		.text = "SELECT " LOG_COLUMN_NAMES("") ", xmin FROM support.audit_log"
		" WHERE era = $1 AND xid > $2 AND xid <= $3"
		" ORDER BY xid, id, ticket_id",
		.columns = {LOG_COLUMN_TYPES(NOT_NULL), {XIDOID, NOT_NULL}},
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
typedef struct LeafBatch
{
	MemoryContext context;
	int			n;
	Datum		xids[BATCH_SIZE];
	Datum		ids[BATCH_SIZE];
	Datum		digests[BATCH_SIZE];
	Datum		salts[BATCH_SIZE];
	uint8		random[BATCH_SIZE][SALT_LENGTH];
} LeafBatch;

/* A run of seal_audit(). */
typedef struct Sealing
{
	SealChain	chain;
	SealedRange	span;			/* of the seal that is being made */
	MerkleTree	tree;			/* likewise */
	LeafBatch	batch;
	MemoryContext per_entry;
	Eras		eras;
	int64		sealed;
	int64		left_out;		/* entries that cannot be genuine */
} Sealing;

/* Draw the salts of a batch. */
static void
draw_salts(LeafBatch *batch)
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
	LeafBatch  *batch = &sealing->batch;
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
	memset(&sealing->span, 0, sizeof(SealedRange));
	memset(&sealing->tree, 0, sizeof(MerkleTree));
}

/* The digest of an entry with this salt. */
static Digest
digest_entry(Sealing *sealing, const LogRow *entry, const uint8 *salt)
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
seal_entry(Sealing *sealing, const LogRow *entry)
{
	LeafBatch  *batch = &sealing->batch;
	LogPosition	position = position_in(entry->values, LOG_ERA);
	MemoryContext previous;
	Digest		digest;

	if (batch->n == 0)
		draw_salts(batch);
	digest = digest_entry(sealing, entry, batch->random[batch->n]);
	merkle_add(&sealing->tree, sealing->chain.hasher, &digest);
	extend_sealed_range(&sealing->span, position, DatumGetTimestampTz(entry->values[LOG_OCCURRED_AT]));

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

/* Can the entry have been written, in a row that this transaction did write, by the one that it names? */
static bool
is_genuine(Sealing *sealing, const Era *era, int64 xid, TransactionId writer)
{
	return flaw_of_origin(&sealing->eras, era, xid) == NULL &&
		(era->era != sealing->eras.current || !is_written_before(xid, writer));
}

/*
 * Seal what is stable of an era. What cannot be genuine is left out, so that verify_audit() finds it: of two entries at
 * one position, one, and entries that name a transaction that did not write them.
 */
static void
seal_era(Sealing *sealing, const Era *era)
{
	Reader		reader;
	HeapTuple	tuple;
	Args		args = {0};
	LogPosition	last = {0};

	arg(&args, Int32GetDatum(era->era));
	arg_int64(&args, era->sealed_xid);
	arg_int64(&args, era->released_xid);
	open_reader(&reader, &statements[STABLE_ENTRIES], &args);
	while ((tuple = next_row(&reader)) != NULL)
	{
		Datum		values[LOG_COLUMNS + 1];
		bool		nulls[LOG_COLUMNS + 1];
		LogRow		entry;
		LogPosition	position;

		heap_deform_tuple(tuple, reader.rows->tupdesc, values, nulls);
		position = position_in(values, LOG_ERA);
		if (compare_positions(position, last) == 0 ||
			!is_genuine(sealing, era, position.xid, DatumGetTransactionId(values[LOG_COLUMNS])))
		{
			sealing->left_out++;
			continue;
		}
		memcpy(entry.values, values, sizeof(entry.values));
		memcpy(entry.nulls, nulls, sizeof(entry.nulls));
		seal_entry(sealing, &entry);
		last = position;
	}
	close_reader(&reader);
	finish_seal(sealing);
}

/* Seal what is stable of the log; returns how many entries. Eras that are over and sealed take no more. */
static int64
seal_log(void)
{
	Sealing    *sealing = palloc0(sizeof(Sealing));

	sealing->per_entry = AllocSetContextCreate(CurrentMemoryContext, "sealed entry", ALLOCSET_DEFAULT_SIZES);
	sealing->batch.context = AllocSetContextCreate(CurrentMemoryContext, "sealed entries", ALLOCSET_DEFAULT_SIZES);
	open_chain(&sealing->chain);
	read_sealed_eras(&sealing->eras);
	for (int i = 0; i < sealing->eras.n; i++)
		if (!is_sealed_position(&sealing->eras, &sealing->eras.list[i], PG_INT64_MAX))
			seal_era(sealing, &sealing->eras.list[i]);
	close_chain(&sealing->chain);
	if (sealing->left_out > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("%lld entry was not sealed: it cannot be genuine",
							   "%lld entries were not sealed: they cannot be genuine",
							   (unsigned long) sealing->left_out, (long long) sealing->left_out),
				 errhint("SELECT * FROM support.verify_audit() names the first.")));
	return sealing->sealed;
}

/* seal_audit(actor_id) -> how many entries were sealed */
PG_FUNCTION_INFO_V1(support_seal_audit);
Datum
support_seal_audit(PG_FUNCTION_ARGS)
{
	Call		call;
	Caller		caller;
	int64		sealed;

	PreventCommandIfReadOnly("seal_audit()");
	begin_call(&call, fcinfo, 0);
	become_desk_owner("seal the audit log", &caller);
	sealed = seal_log();
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(sealed);
}
