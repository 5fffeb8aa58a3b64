/*
 * digest.h
 *		Digests of entries of the audit log and of seals.
 */
#ifndef SUPPORT_DIGEST_H
#define SUPPORT_DIGEST_H

#include "common/sha2.h"

#include "log/log_columns.h"

#define DIGEST_LENGTH PG_SHA256_DIGEST_LENGTH
#define SALT_LENGTH 16

typedef struct Digest
{
	uint8		bytes[DIGEST_LENGTH];
} Digest;

/* The server's SHA-256, used again and again. */
typedef struct Hasher Hasher;

extern Hasher *make_hasher(void);
extern void free_hasher(Hasher *hasher);
extern Digest entry_digest(Hasher *hasher, const LogRow *entry, const Digest *values);
extern Digest values_digest(Hasher *hasher, const uint8 *salt, const LogRow *entry);
extern Digest node_digest(Hasher *hasher, const Digest *left, const Digest *right);
extern Digest list_digest(Hasher *hasher, const Digest *list, const Digest *added);
extern Digest seal_digest(Hasher *hasher, const TableColumn *fields, int n, const Datum *values, const bool *nulls);

extern bool same_digest(const Digest *a, const Digest *b);
extern Datum digest_datum(const Digest *digest);
extern bool read_digest(Datum datum, Digest *digest);

#endif							/* SUPPORT_DIGEST_H */
