/*
 * seal_chain.h
 *		The rows of audit_seals, each tied to the one before.
 */
#ifndef SUPPORT_SEAL_CHAIN_H
#define SUPPORT_SEAL_CHAIN_H

#include "utils/timestamp.h"

#include "base/plan.h"
#include "log/log_position.h"
#include "proof/digest.h"

/* The columns of support_internal.audit_seals that the digest covers, in this order. */
enum
{
	SEAL_ID,
	SEAL_KIND,
	SEAL_SEALED_AT,
	SEAL_FROM_ERA,
	SEAL_FROM_XID,
	SEAL_FROM_ID,
	SEAL_TO_ERA,
	SEAL_TO_XID,
	SEAL_TO_ID,
	SEAL_FIRST_AT,
	SEAL_LAST_AT,
	SEAL_ENTRIES,
	SEAL_ROOT,
	SEAL_PREVIOUS,
	SEAL_FIELDS
};

#define SEAL_COLUMNS \
	"seal_id, kind, sealed_at, from_era, from_xid, from_audit_id, to_era, to_xid, to_audit_id," \
	" first_at, last_at, entries, root, previous_digest"

extern const TableColumn seal_fields[SEAL_FIELDS];

/* The entries that a row of audit_seals tells of. */
typedef struct SealedRange
{
	int64		entries;
	LogPosition	from;
	LogPosition	to;
	TimestampTz first_at;
	TimestampTz last_at;
} SealedRange;

/* The chain as it is opened to be added to. */
typedef struct SealChain
{
	Hasher	   *hasher;
	Caller		caller;
	int64		last_id;		/* 0 if there is none yet */
	Digest		last;
} SealChain;

extern void extend_sealed_range(SealedRange *span, LogPosition position, TimestampTz at);
extern void lock_seals(void);
extern void open_chain(SealChain *chain);
extern void append_seal(SealChain *chain, const char *kind, const SealedRange *span, const Digest *root);
extern void close_chain(SealChain *chain);
extern void check_sees_last_seal(const SealChain *chain);

/* What a link of the chain is like. */
typedef enum LinkState
{
	LINK_WHOLE,
	LINK_ALTERED,				/* its digest is not that of its columns */
	LINK_MISSING,				/* one between it and the one before is gone */
	LINK_LOOSE					/* the one before is not the one that it was tied to */
} LinkState;

extern LinkState state_of_link(Hasher *hasher, const Datum *values, const bool *nulls, int64 last_id,
							   const Digest *last);

#endif							/* SUPPORT_SEAL_CHAIN_H */
