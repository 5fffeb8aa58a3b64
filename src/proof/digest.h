/*
 * digest.h
 *		Digests of entries of the audit log and of seals.
 */
#ifndef SUPPORT_DIGEST_H
#define SUPPORT_DIGEST_H

#include "common/sha2.h"

#define DIGEST_LENGTH PG_SHA256_DIGEST_LENGTH
#define SALT_LENGTH 16

typedef struct Digest
{
	uint8		bytes[DIGEST_LENGTH];
} Digest;

/* How a field is written into a digest. */
typedef enum FieldKind
{
	FIELD_INTEGER,				/* integer, written as a bigint is */
	FIELD_BIGINT,
	FIELD_TIME,					/* timestamptz */
	FIELD_TEXT,
	FIELD_BYTES,
	FIELD_JSONB
} FieldKind;

typedef struct Field
{
	const char *name;
	FieldKind	kind;
} Field;

/* What a digest covers of an entry of the log, in this order. The values come last, by a digest of their own. */
enum
{
	ENTRY_ERA,
	ENTRY_XID,
	ENTRY_ID,
	ENTRY_OCCURRED_AT,
	ENTRY_ACTOR_ID,
	ENTRY_DB_ROLE,
	ENTRY_ACTION,
	ENTRY_TABLE_NAME,
	ENTRY_RECORD_ID,
	ENTRY_TICKET_ID,
	ENTRY_OLD_VALUE,
	ENTRY_NEW_VALUE,
	ENTRY_FIELDS
};

#define ENTRY_COLUMNS \
	"era, xid, id, occurred_at, actor_id, db_role, action, table_name, record_id, ticket_id, old_value, new_value"

extern const Field entry_fields[ENTRY_FIELDS];

typedef struct Entry
{
	Datum		values[ENTRY_FIELDS];
	bool		nulls[ENTRY_FIELDS];
} Entry;

/* The server's SHA-256, used again and again. */
typedef struct Hasher Hasher;

extern Hasher *make_hasher(void);
extern void free_hasher(Hasher *hasher);
extern Digest entry_digest(Hasher *hasher, const Entry *entry, const Digest *values);
extern Digest values_digest(Hasher *hasher, const uint8 *salt, const Entry *entry);
extern Digest node_digest(Hasher *hasher, const Digest *left, const Digest *right);
extern Digest list_digest(Hasher *hasher, const Digest *list, const Digest *added);
extern Digest seal_digest(Hasher *hasher, const Field *fields, int n, const Datum *values, const bool *nulls);

extern bool same_digest(const Digest *a, const Digest *b);
extern Datum digest_datum(const Digest *digest);
extern bool read_digest(Datum datum, Digest *digest);

#endif							/* SUPPORT_DIGEST_H */
