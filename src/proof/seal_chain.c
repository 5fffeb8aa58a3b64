/*
 * seal_chain.c
 *		The rows of audit_seals, each tied to the one before.
 *
 * Each row holds the digest of the one before, so they are written one after the other: whoever adds one holds a lock
 * on the table to the end of the transaction, and takes it before looking at log and leaves. Else values could be
 * emptied while they are being sealed. All of this runs with the rights of the desk's owner.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/actor.h"
#include "base/errors.h"
#include "proof/seal_chain.h"

enum
{
	LAST_SEAL,
	ADD_SEAL
};

static Statement statements[] = {
	[LAST_SEAL] = {
		.text = "SELECT seal_id, digest FROM support_internal.audit_seals ORDER BY seal_id DESC LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}, {BYTEAOID, NOT_NULL}}
	},
	[ADD_SEAL] = {
		.text = "INSERT INTO support_internal.audit_seals (" SEAL_COLUMNS ", digest)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
		.nargs = SEAL_FIELDS + 1,
		.argtypes = {INT8OID, TEXTOID, TIMESTAMPTZOID, INT4OID, INT8OID, INT8OID, INT4OID, INT8OID, INT8OID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, BYTEAOID, BYTEAOID, BYTEAOID}
	}
};

const TableColumn seal_fields[SEAL_FIELDS] = {
	[SEAL_ID] = {"seal_id", INT8OID},
	[SEAL_KIND] = {"kind", TEXTOID},
	[SEAL_SEALED_AT] = {"sealed_at", TIMESTAMPTZOID},
	[SEAL_FROM_ERA] = {"from_era", INT4OID},
	[SEAL_FROM_XID] = {"from_xid", INT8OID},
	[SEAL_FROM_ID] = {"from_audit_id", INT8OID},
	[SEAL_TO_ERA] = {"to_era", INT4OID},
	[SEAL_TO_XID] = {"to_xid", INT8OID},
	[SEAL_TO_ID] = {"to_audit_id", INT8OID},
	[SEAL_FIRST_AT] = {"first_at", TIMESTAMPTZOID},
	[SEAL_LAST_AT] = {"last_at", TIMESTAMPTZOID},
	[SEAL_ENTRIES] = {"entries", INT8OID},
	[SEAL_ROOT] = {"root", BYTEAOID},
	[SEAL_PREVIOUS] = {"previous_digest", BYTEAOID}
};

/* Take an entry into a span. */
void
extend_sealed_range(SealedRange *span, LogPosition position, TimestampTz at)
{
	if (span->entries == 0)
	{
		span->from = position;
		span->first_at = span->last_at = at;
	}
	span->to = position;
	span->first_at = Min(span->first_at, at);
	span->last_at = Max(span->last_at, at);
	span->entries++;
}

/*
 * Keep others from writing to audit_seals until the transaction ends. Whoever goes on to lock partitions of the log
 * must have called this before.
 */
void
lock_seals(void)
{
	LockRelationOid(desk_relation("support_internal", "audit_seals"), ShareRowExclusiveLock);
}

/*
 * Open the chain to add to it. Until close_chain() we act as the owner of the log, and see what is committed now: an
 * older snapshot of the transaction may lack some of it. Needs an SPI level.
 */
void
open_chain(SealChain *chain)
{
	become_owner(desk_relation("support", "audit_log"), &chain->caller);
	lock_seals();
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	chain->hasher = make_hasher();
	chain->last_id = 0;
	if (run_read_only(&statements[LAST_SEAL], NULL) > 0)
	{
		chain->last_id = result_int64(0, 1);
		(void) read_digest(result(0, 2), &chain->last);
	}
}

void
close_chain(SealChain *chain)
{
	free_hasher(chain->hasher);
	PopActiveSnapshot();
	become_caller(&chain->caller);
}

/* Append a row to audit_seals. */
void
append_seal(SealChain *chain, const char *kind, const SealedRange *span, const Digest *root)
{
	bool		nulls[SEAL_FIELDS] = {[SEAL_PREVIOUS] = chain->last_id == 0};
	Args		args = {0};
	Datum		values[SEAL_FIELDS] = {
		[SEAL_ID] = Int64GetDatum(chain->last_id + 1),
		[SEAL_KIND] = CStringGetTextDatum(kind),
		[SEAL_SEALED_AT] = TimestampTzGetDatum(desk_now()),
		[SEAL_FROM_ERA] = Int32GetDatum(span->from.era),
		[SEAL_FROM_XID] = Int64GetDatum(span->from.xid),
		[SEAL_FROM_ID] = Int64GetDatum(span->from.id),
		[SEAL_TO_ERA] = Int32GetDatum(span->to.era),
		[SEAL_TO_XID] = Int64GetDatum(span->to.xid),
		[SEAL_TO_ID] = Int64GetDatum(span->to.id),
		[SEAL_FIRST_AT] = TimestampTzGetDatum(span->first_at),
		[SEAL_LAST_AT] = TimestampTzGetDatum(span->last_at),
		[SEAL_ENTRIES] = Int64GetDatum(span->entries),
		[SEAL_ROOT] = digest_datum(root),
		[SEAL_PREVIOUS] = digest_datum(&chain->last)
	};

	if (chain->last_id == PG_INT64_MAX)
		refuse_number("the number of a seal");
	chain->last = seal_digest(chain->hasher, seal_fields, SEAL_FIELDS, values, nulls);
	chain->last_id++;
	for (int i = 0; i < SEAL_FIELDS; i++)
	{
		if (nulls[i])
			arg_null(&args);
		else
			arg(&args, values[i]);
	}
	arg(&args, digest_datum(&chain->last));
	run(&statements[ADD_SEAL], &args);
}

/*
 * Raise 40001 if the transaction's snapshot is too old to see the last seal: leaves could not be marked that it does
 * not see.
 */
void
check_sees_last_seal(const SealChain *chain)
{
	if (!IsolationUsesXactSnapshot() || chain->last_id == 0)
		return;
	if (run(&statements[LAST_SEAL], NULL) == 0 || result_int64(0, 1) != chain->last_id)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent sealing of the audit log")));
}

/* Is a row, whose digest follows its other columns, as it was written, and does it follow the one before? */
LinkState
state_of_link(Hasher *hasher, const Datum *values, const bool *nulls, int64 last_id, const Digest *last)
{
	Digest		computed = seal_digest(hasher, seal_fields, SEAL_FIELDS, values, nulls);
	Digest		digest;
	Digest		previous;

	if (DatumGetInt64(values[SEAL_ID]) != last_id + 1)
		return LINK_MISSING;
	if (!read_digest(values[SEAL_FIELDS], &digest) || !same_digest(&computed, &digest))
		return LINK_ALTERED;
	if (nulls[SEAL_PREVIOUS])
		return last_id == 0 ? LINK_WHOLE : LINK_LOOSE;
	return read_digest(values[SEAL_PREVIOUS], &previous) && same_digest(&previous, last) ? LINK_WHOLE : LINK_LOOSE;
}
