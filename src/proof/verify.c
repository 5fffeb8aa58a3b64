/*
 * verify.c
 *		Comparing the audit log with its seals.
 *
 * First the rows of audit_seals are read, in the order in which they were written: each must have the digest that its
 * columns give and hold the digest of the one before. Then the entries of the log, the leaves and the seals are read in
 * the order of their positions and merged, in one pass:
 *
 *	- an entry where a leaf has it must give the leaf's digest;
 *	- a leaf without an entry tells that the entry was removed, unless a pruning took it;
 *	- an entry without a leaf was inserted, unless it lies where its era is not sealed yet and can be of there;
 *	- the leaves of a seal must give its root.
 *
 * Leaves that are marked as erased or pruned are counted and listed, and must in the end be those that the erasures and
 * prunings tell of. What an erased entry still has must be what the last redaction of it has sealed, nothing where there is none. Of a part of the log, the seals with entries of the time range are read, and those between them;
 * erasures and prunings, which may concern other parts, must only be there.
 *
 * What is reported is the first entry by position that is not as it was sealed; if there is none, the first seal.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/compat.h"
#include "log/eras.h"
#include "proof/merkle.h"
#include "proof/seal_chain.h"

enum
{
	CHAIN,
	EVERY_ENTRY,
	ENTRIES_OF_RANGE,
	LEAVES,
	REDACTIONS,
	SEALS
};

static Statement statements[] = {
	[CHAIN] = {
		.text = "SELECT " SEAL_COLUMNS ", digest FROM support_internal.audit_seals ORDER BY seal_id",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT4OID, NOT_NULL},
		{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL},
		{TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID, NOT_NULL}, {BYTEAOID, NOT_NULL}, {BYTEAOID},
		{BYTEAOID, NOT_NULL}}
	},
	[EVERY_ENTRY] = {
		.text = "SELECT " LOG_COLUMN_NAMES("") " FROM support.audit_log ORDER BY era, xid, id, ticket_id",
		.columns = {LOG_COLUMN_TYPES(MAY_BE_NULL)}
	},
	[ENTRIES_OF_RANGE] = {
		.text = "SELECT " LOG_COLUMN_NAMES("") " FROM support.audit_log"
		" WHERE (occurred_at >= $1 AND occurred_at < $2)"
		"	OR (xid >= $9 AND xid <= $10"
		"		AND (era, xid, id) >= ($3, $4, $5)"
		"		AND (era, xid, id) <= ($6, $7, $8))"
		" ORDER BY era, xid, id, ticket_id",
		.columns = {LOG_COLUMN_TYPES(MAY_BE_NULL)},
		.nargs = 10,
		.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT8OID, INT8OID, INT4OID, INT8OID, INT8OID,
		INT8OID, INT8OID},
		.many_rows = true
	},
	[LEAVES] = {
		.text = "SELECT era, xid, audit_id, seal_id, digest, salt, values_digest, erased_by, pruned_by"
		" FROM support_internal.audit_leaves"
		" WHERE (era, xid, audit_id) >= ($1, $2, $3)"
		" ORDER BY era, xid, audit_id",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL},
		{BYTEAOID, NOT_NULL}, {BYTEAOID}, {BYTEAOID}, {INT8OID}, {INT8OID}},
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}, .many_rows = true
	},
	[REDACTIONS] = {
		.text = "SELECT era, xid, audit_id, seal_id, digest, salt"
		" FROM support_internal.audit_redactions"
		" WHERE (era, xid, audit_id) >= ($1, $2, $3)"
		" ORDER BY era, xid, audit_id, seal_id",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL},
		{BYTEAOID, NOT_NULL}, {BYTEAOID}},
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}, .many_rows = true
	},
	[SEALS] = {
		.text = "SELECT " SEAL_COLUMNS " FROM support_internal.audit_seals"
		" WHERE kind = 'seal'"
		"	AND (from_era, from_xid, from_audit_id) >= ($1, $2, $3)"
		" ORDER BY from_era, from_xid, from_audit_id",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT4OID, NOT_NULL},
		{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL},
		{TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID, NOT_NULL}, {BYTEAOID, NOT_NULL}, {BYTEAOID}},
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}, .many_rows = true
	}
};

/* The columns of a leaf, as they are read. */
enum
{
	LEAF_ERA,
	LEAF_XID,
	LEAF_ID,
	LEAF_SEAL_ID,
	LEAF_DIGEST,
	LEAF_SALT,
	LEAF_VALUES_DIGEST,
	LEAF_ERASED_BY,
	LEAF_PRUNED_BY,
	LEAF_COLUMNS
};

/* The columns of a redaction, likewise. */
enum
{
	REDACTION_ERA,
	REDACTION_XID,
	REDACTION_ID,
	REDACTION_SEAL_ID,
	REDACTION_DIGEST,
	REDACTION_SALT,
	REDACTION_COLUMNS
};

/* The first and the last position there may be. */
static const LogPosition first_position = {PG_INT32_MIN, PG_INT64_MIN, PG_INT64_MIN};
static const LogPosition last_position = {PG_INT32_MAX, PG_INT64_MAX, PG_INT64_MAX};

typedef enum EndingKind
{
	ERASURE,
	REDACTION,
	PRUNING
} EndingKind;

/* What a mark is called. */
static const char *const marks[] = {"erased", "redacted", "pruned"};

/* How the rows of audit_seals are called that tell of it. */
static const char *const kinds[] = {"erasure", "redaction", "pruning"};

/* An erasure, a redaction or a pruning, and the leaves found that name it. */
typedef struct Ending
{
	int64		seal_id;		/* hash key */
	EndingKind	kind;
	LogPosition	from;
	LogPosition	to;
	int64		entries;
	Digest		root;
	int64		found;
	Digest		list;
} Ending;

typedef struct Leaf
{
	LogPosition	position;
	Datum		values[LEAF_COLUMNS];
	bool		nulls[LEAF_COLUMNS];
} Leaf;

/* A run of verify_audit(). */
typedef struct Verification
{
	bool		whole;			/* all of the log, or a time range */
	TimestampTz from_at;
	TimestampTz to_at;
	Hasher	   *hasher;
	MemoryContext per_entry;
	Eras		eras;
	HTAB	   *endings;
	LogPosition	from;			/* the part of the log to read; from lies behind to if there is none */
	LogPosition	to;

	/* what was counted and found */
	int64		seals;
	int64		entries;
	int64		pruned;
	int64		erased;
	int64		unsealed;
	int64		first_bad;
	char	   *bad_entry;
	char	   *bad_seal;

	/* the next of each kind */
	Reader		log;
	bool		has_entry;
	LogRow		entry;
	LogPosition	entry_position;
	Reader		leaves;
	bool		has_leaf;
	Leaf		leaf;
	Reader		redactions;
	HeapTuple	redaction;		/* NULL after the last one */
	bool		is_redacted;	/* the leaf at hand has been; then what its entry keeps: */
	bool		keeps_salt;
	uint8		kept_salt[SALT_LENGTH];
	Digest		kept;
	MerkleTree	tree;			/* of the seal at hand */
} Verification;

/* Note what is wrong with an entry, and what shows it, NULL for its place alone. The first one is reported. */
static void
note_flaw(Verification *v, int64 id, const char *what, const char *flaw)
{
	if (v->bad_entry != NULL)
		return;
	v->first_bad = id;
	v->bad_entry = psprintf("entry %lld %s%s%s", (long long) id, what, flaw ? ": " : "", flaw ? flaw : "");
}

static void
note_bad_entry(Verification *v, int64 id, const char *what)
{
	note_flaw(v, id, what, NULL);
}

/* The same for a row of audit_seals. */
static void
note_bad_seal(Verification *v, int64 seal_id, const char *what)
{
	if (v->bad_seal == NULL)
		v->bad_seal = psprintf("seal %lld %s", (long long) seal_id, what);
}

static HTAB *
make_endings(void)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(Ending), .hcxt = CurrentMemoryContext};

	return hash_create("erasures, redactions and prunings", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Note what has to be read for the time range. */
static void
note_seal(Verification *v, const Datum *values)
{
	LogPosition	from = position_in(values, SEAL_FROM_ERA);
	LogPosition	to = position_in(values, SEAL_TO_ERA);

	if (v->whole || DatumGetTimestampTz(values[SEAL_FIRST_AT]) >= v->to_at ||
		DatumGetTimestampTz(values[SEAL_LAST_AT]) < v->from_at)
		return;
	if (compare_positions(from, v->from) < 0)
		v->from = from;
	if (compare_positions(to, v->to) > 0)
		v->to = to;
}

/* Note what is no seal. */
static void
note_ending(Verification *v, const Datum *values, const char *kind)
{
	int64		seal_id = DatumGetInt64(values[SEAL_ID]);
	Ending	   *ending = hash_search(v->endings, &seal_id, HASH_ENTER, NULL);

	memset(ending, 0, sizeof(Ending));
	ending->seal_id = seal_id;
	ending->kind = strcmp(kind, kinds[ERASURE]) == 0 ? ERASURE : strcmp(kind, kinds[REDACTION]) == 0 ? REDACTION : PRUNING;
	ending->from = position_in(values, SEAL_FROM_ERA);
	ending->to = position_in(values, SEAL_TO_ERA);
	ending->entries = DatumGetInt64(values[SEAL_ENTRIES]);
	(void) read_digest(values[SEAL_ROOT], &ending->root);
}

/* Check a row of audit_seals, given the one before. */
static void
check_link(Verification *v, const Datum *values, const bool *nulls, int64 last_id, const Digest *last)
{
	switch (state_of_link(v->hasher, values, nulls, last_id, last))
	{
		case LINK_WHOLE:
			break;
		case LINK_ALTERED:
			note_bad_seal(v, DatumGetInt64(values[SEAL_ID]), "was altered");
			break;
		case LINK_MISSING:
			note_bad_seal(v, last_id + 1, "was removed");
			break;
		case LINK_LOOSE:
			note_bad_seal(v, last_id, "was replaced");
			break;
	}
}

/* Check the rows of audit_seals, and note what they tell. */
static void
check_chain(Verification *v)
{
	int64		last_id = 0;
	Digest		last = {0};
	Reader		reader;
	HeapTuple	tuple;

	open_reader(&reader, &statements[CHAIN], NULL);
	while ((tuple = next_row(&reader)) != NULL)
	{
		Datum		values[SEAL_FIELDS + 1];
		bool		nulls[SEAL_FIELDS + 1];
		char	   *kind;

		heap_deform_tuple(tuple, reader.rows->tupdesc, values, nulls);
		check_link(v, values, nulls, last_id, &last);
		kind = TextDatumGetCString(values[SEAL_KIND]);
		if (strcmp(kind, "seal") == 0)
			note_seal(v, values);
		else
			note_ending(v, values, kind);
		pfree(kind);
		last_id = DatumGetInt64(values[SEAL_ID]);
		(void) read_digest(values[SEAL_FIELDS], &last);
	}
	close_reader(&reader);
}

/* Go to the next entry. What names no transaction comes last in its era, what names no era last of all. */
static void
next_entry(Verification *v)
{
	HeapTuple	tuple = next_row(&v->log);

	v->has_entry = tuple != NULL;
	if (tuple == NULL)
		return;
	heap_deform_tuple(tuple, v->log.rows->tupdesc, v->entry.values, v->entry.nulls);
	v->entry_position = position_in(v->entry.values, LOG_ERA);
	if (v->entry.nulls[LOG_ERA])
		v->entry_position = last_position;
	else if (v->entry.nulls[LOG_XID])
		v->entry_position.xid = PG_INT64_MAX;
}

/* Go to the next leaf. The index finds where the part begins; it would not know to stop where the part ends. */
static void
next_leaf(Verification *v)
{
	HeapTuple	tuple = next_row(&v->leaves);

	v->has_leaf = false;
	if (tuple == NULL)
		return;
	heap_deform_tuple(tuple, v->leaves.rows->tupdesc, v->leaf.values, v->leaf.nulls);
	v->leaf.position = position_in(v->leaf.values, LEAF_ERA);
	v->has_leaf = compare_positions(v->leaf.position, v->to) <= 0;
}

static void
arg_position(Args *args, LogPosition position)
{
	arg(args, Int32GetDatum(position.era));
	arg_int64(args, position.xid);
	arg_int64(args, position.id);
}

/* Begin to read the log, the leaves and the seals. */
static void
open_readers(Verification *v, Reader *seals)
{
	bool		several_eras = v->from.era < v->to.era;
	Args		from = {0};
	Args		range = {0};

	arg(&range, TimestampTzGetDatum(v->from_at));
	arg(&range, TimestampTzGetDatum(v->to_at));
	arg_position(&range, v->from);
	arg_position(&range, v->to);
	/* for the index, which knows transactions only */
	arg_int64(&range, several_eras ? PG_INT64_MIN : v->from.xid);
	arg_int64(&range, several_eras ? PG_INT64_MAX : v->to.xid);
	if (v->whole)
		open_reader(&v->log, &statements[EVERY_ENTRY], NULL);
	else
		open_reader(&v->log, &statements[ENTRIES_OF_RANGE], &range);
	arg_position(&from, v->from);
	open_reader(&v->leaves, &statements[LEAVES], &from);
	open_reader(&v->redactions, &statements[REDACTIONS], &from);
	v->redaction = next_row(&v->redactions);
	open_reader(seals, &statements[SEALS], &from);
	next_entry(v);
	next_leaf(v);
}

/* Judge an entry that has no leaf. */
static void
judge_entry(Verification *v)
{
	int64		id = DatumGetInt64(v->entry.values[LOG_ID]);
	TimestampTz at = DatumGetTimestampTz(v->entry.values[LOG_OCCURRED_AT]);
	const Era  *era = find_era(&v->eras, v->entry_position.era);
	const char *flaw;

	if (v->entry.nulls[LOG_ERA] || v->entry.nulls[LOG_XID])
		note_flaw(v, id, "was inserted", "it names no transaction");
	else if (era != NULL && is_sealed_position(&v->eras, era, v->entry_position.xid))
		note_bad_entry(v, id, "was inserted");
	else if ((flaw = flaw_of_origin(&v->eras, era, v->entry_position.xid)) != NULL)
		note_flaw(v, id, "was inserted", flaw);
	else if (v->whole || (at >= v->from_at && at < v->to_at))
		v->unsealed++;
}

/* The leaf at hand is marked: check that a row of audit_seals tells of it, and add a digest to what that must list. */
static Ending *
find_ending(Verification *v, EndingKind kind, int64 seal_id)
{
	LogPosition	position = v->leaf.position;
	Ending	   *ending = hash_search(v->endings, &seal_id, HASH_FIND, NULL);

	if (ending != NULL && ending->kind == kind &&
		compare_positions(position, ending->from) >= 0 && compare_positions(position, ending->to) <= 0)
		return ending;
	note_bad_entry(v, position.id, psprintf("is marked as %s, but no %s tells of it", marks[kind], kinds[kind]));
	return NULL;
}

static void
list_in_ending(Verification *v, Ending *ending, Datum digest)
{
	Digest		listed;

	(void) read_digest(digest, &listed);
	ending->list = list_digest(v->hasher, &ending->list, &listed);
}

/* Check that the erasure or pruning that the leaf at hand names tells of it, and list the leaf. */
static void
check_ending(Verification *v, int column)
{
	Ending	   *ending;

	if (v->leaf.nulls[column])
		return;
	ending = find_ending(v, column == LEAF_ERASED_BY ? ERASURE : PRUNING, DatumGetInt64(v->leaf.values[column]));
	if (ending == NULL)
		return;
	ending->found++;
	list_in_ending(v, ending, v->leaf.values[LEAF_DIGEST]);
}

/* Keep what a redaction of the leaf at hand says that its entry has. */
static void
keep_redaction(Verification *v, const Datum *values, const bool *nulls)
{
	bytea	   *salt = nulls[REDACTION_SALT] ? NULL : DatumGetByteaPP(values[REDACTION_SALT]);

	v->is_redacted = true;
	(void) read_digest(values[REDACTION_DIGEST], &v->kept);
	v->keeps_salt = salt != NULL && VARSIZE_ANY_EXHDR(salt) == SALT_LENGTH;
	if (v->keeps_salt)
		memcpy(v->kept_salt, VARDATA_ANY(salt), SALT_LENGTH);
}

/* Check the redactions of the leaf at hand, list them, and know the last one. */
static void
check_redactions(Verification *v)
{
	v->is_redacted = false;
	for (; v->redaction != NULL; v->redaction = next_row(&v->redactions))
	{
		Datum		values[REDACTION_COLUMNS];
		bool		nulls[REDACTION_COLUMNS];
		int			order;
		Ending	   *ending;

		heap_deform_tuple(v->redaction, v->redactions.rows->tupdesc, values, nulls);
		order = compare_positions(position_in(values, REDACTION_ERA), v->leaf.position);
		if (order > 0)
			break;
		if (order < 0)
		{
			note_bad_entry(v, DatumGetInt64(values[REDACTION_ID]), "is marked as redacted, but was not sealed");
			continue;
		}
		keep_redaction(v, values, nulls);
		ending = find_ending(v, REDACTION, DatumGetInt64(values[REDACTION_SEAL_ID]));
		if (ending == NULL)
			continue;
		ending->found++;
		list_in_ending(v, ending, v->leaf.values[LEAF_DIGEST]);
		list_in_ending(v, ending, values[REDACTION_DIGEST]);
	}
}

/* Has the erased entry at hand the values that were left to it, none where nothing tells of any? */
static bool
has_what_is_left(Verification *v)
{
	Digest		now;

	if (!v->is_redacted)
		return v->entry.nulls[LOG_OLD_VALUE] && v->entry.nulls[LOG_NEW_VALUE];
	if (!v->keeps_salt)
		return false;
	now = values_digest(v->hasher, v->kept_salt, &v->entry);
	return same_digest(&now, &v->kept);
}

/* The digest of the values of the entry at hand; false if it cannot have them. */
static bool
digest_of_values(Verification *v, Digest *digest)
{
	bytea	   *salt;

	if (!v->leaf.nulls[LEAF_SALT])
	{
		salt = DatumGetByteaPP(v->leaf.values[LEAF_SALT]);
		if (VARSIZE_ANY_EXHDR(salt) != SALT_LENGTH)
			return false;
		*digest = values_digest(v->hasher, (uint8 *) VARDATA_ANY(salt), &v->entry);
		return true;
	}
	return !v->leaf.nulls[LEAF_VALUES_DIGEST] && read_digest(v->leaf.values[LEAF_VALUES_DIGEST], digest) &&
		has_what_is_left(v);
}

/* Compare the entry at hand with its leaf. */
static void
check_entry(Verification *v)
{
	MemoryContext previous = MemoryContextSwitchTo(v->per_entry);
	Digest		values;
	Digest		computed;
	Digest		digest;
	bool		same = digest_of_values(v, &values);

	if (same)
	{
		computed = entry_digest(v->hasher, &v->entry, &values);
		same = read_digest(v->leaf.values[LEAF_DIGEST], &digest) && same_digest(&computed, &digest);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextReset(v->per_entry);
	if (!same)
		note_bad_entry(v, v->leaf.position.id, "was altered");
}

/* Check the leaf at hand, with its entry if that is there, and the entries before it. */
static void
check_leaf(Verification *v)
{
	Digest		digest;

	for (; v->has_entry && compare_positions(v->entry_position, v->leaf.position) < 0; next_entry(v))
		judge_entry(v);
	v->entries++;
	check_ending(v, LEAF_ERASED_BY);
	check_ending(v, LEAF_PRUNED_BY);
	check_redactions(v);
	(void) read_digest(v->leaf.values[LEAF_DIGEST], &digest);
	merkle_add(&v->tree, v->hasher, &digest);

	if (v->has_entry && compare_positions(v->entry_position, v->leaf.position) == 0)
	{
		v->erased += !v->leaf.nulls[LEAF_ERASED_BY];
		check_entry(v);
		next_entry(v);
	}
	else if (!v->leaf.nulls[LEAF_PRUNED_BY])
		v->pruned++;
	else
		note_bad_entry(v, v->leaf.position.id, "was removed");
}

/* Check the leaves of a seal, which end where it does, and what root they have. */
static void
check_seal(Verification *v, const Datum *seal)
{
	LogPosition	to = position_in(seal, SEAL_TO_ERA);
	bool		same = true;
	Digest		computed;
	Digest		root;

	v->seals++;
	v->tree.n = v->tree.size = 0;
	while (v->has_leaf && compare_positions(v->leaf.position, to) <= 0)
	{
		same &= DatumGetInt64(v->leaf.values[LEAF_SEAL_ID]) == DatumGetInt64(seal[SEAL_ID]);
		check_leaf(v);
		next_leaf(v);
	}
	if (v->tree.size > 0)
		computed = merkle_root(&v->tree, v->hasher);
	if (!same || v->tree.size == 0 || v->tree.size != DatumGetInt64(seal[SEAL_ENTRIES]) ||
		!read_digest(seal[SEAL_ROOT], &root) || !same_digest(&computed, &root))
		note_bad_seal(v, DatumGetInt64(seal[SEAL_ID]), "does not fit its leaves");
}

/* Merge the log, the leaves and the seals. */
static void
check_log(Verification *v)
{
	Reader		seals;
	HeapTuple	tuple;

	open_readers(v, &seals);
	while ((tuple = next_row(&seals)) != NULL)
	{
		Datum		values[SEAL_FIELDS];
		bool		nulls[SEAL_FIELDS];

		heap_deform_tuple(tuple, seals.rows->tupdesc, values, nulls);
		if (compare_positions(position_in(values, SEAL_FROM_ERA), v->to) > 0)
			break;
		check_seal(v, values);
	}
	for (; v->has_leaf; next_leaf(v))
	{
		note_bad_seal(v, DatumGetInt64(v->leaf.values[LEAF_SEAL_ID]), "is missing, but has leaves");
		check_leaf(v);
	}
	for (; v->has_entry; next_entry(v))
		judge_entry(v);
	close_reader(&seals);
	close_reader(&v->redactions);
	close_reader(&v->leaves);
	close_reader(&v->log);
}

/* Check that what is marked as erased or pruned is what the erasures and prunings tell of. */
static void
check_endings(Verification *v)
{
	HASH_SEQ_STATUS status;
	Ending	   *ending;

	hash_seq_init(&status, v->endings);
	while ((ending = hash_seq_search(&status)) != NULL)
		if (ending->found != ending->entries || !same_digest(&ending->list, &ending->root))
			note_bad_seal(v, ending->seal_id, psprintf("does not fit what is marked as %s", marks[ending->kind]));
}

/*
 * Verify as the owner of the log, on what is committed now. The lock keeps partitions where they are from before the
 * snapshot is taken, or entries that leave the log after it would seem to be removed.
 */
static void
verify(Verification *v)
{
	Oid			log = desk_relation("support", "audit_log");
	Caller		caller;

	become_owner(log, &caller);
	LockRelationOid(log, AccessShareLock);
	PushActiveSnapshot(GetLatestSnapshot());
	v->hasher = make_hasher();
	v->per_entry = AllocSetContextCreate(CurrentMemoryContext, "verified entry", ALLOCSET_DEFAULT_SIZES);
	read_sealed_eras(&v->eras);
	v->endings = make_endings();
	v->from = v->whole ? first_position : last_position;
	v->to = v->whole ? last_position : first_position;
	check_chain(v);
	check_log(v);
	if (v->whole)
		check_endings(v);
	free_hasher(v->hasher);
	PopActiveSnapshot();
	become_caller(&caller);
}

/* The run that the arguments ask for. NULL is open. Raises 22023 for a range that ends before it begins. */
static void
begin_verification(Verification *v, FunctionCallInfo fcinfo)
{
	v->from_at = PG_ARGISNULL(0) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(0);
	v->to_at = PG_ARGISNULL(1) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(1);
	v->whole = TIMESTAMP_IS_NOBEGIN(v->from_at) && TIMESTAMP_IS_NOEND(v->to_at);
	if (v->from_at > v->to_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_at must not be later than to_at")));
}

/* Raise 42501 unless the caller may read the log. */
static void
check_may_read_log(void)
{
	if (pg_class_aclcheck(desk_relation("support", "audit_log"), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "audit_log");
}

static void
put_result(const Verification *v, ReturnSetInfo *rsinfo)
{
	const char *finding = v->bad_entry ? v->bad_entry : v->bad_seal;
	bool		nulls[] = {false, false, false, false, false, v->bad_entry == NULL, finding == NULL};
	Datum		values[] = {
		Int64GetDatum(v->seals), Int64GetDatum(v->entries), Int64GetDatum(v->pruned), Int64GetDatum(v->erased),
		Int64GetDatum(v->unsealed), Int64GetDatum(v->first_bad), finding ? CStringGetTextDatum(finding) : (Datum) 0
	};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* verify_audit(from_at, to_at) -> how much there is, and the first thing that is not as it was sealed */
PG_FUNCTION_INFO_V1(support_verify_audit);
Datum
support_verify_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Verification v = {0};
	Call		call;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_verification(&v, fcinfo);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	check_may_read_log();
	verify(&v);
	put_result(&v, rsinfo);
	end_call(&call);
	return (Datum) 0;
}
