/*
 * digest.c
 *		Digests of entries of the audit log and of seals.
 *
 * What is hashed depends on the values alone: not on settings, on the order of columns, or on how this version of the
 * server writes JSON. Each digest begins with a byte that says what it is of, so that none can pass for another:
 *
 *	0	an entry: the version of this encoding, the fields of the entry but its values, the digest of these
 *	1	a node of a Merkle tree: the digests of its two children, as in RFC 6962
 *	2	the values of an entry: the salt, old_value, new_value
 *	3	a seal: the version, its fields
 *	4	a list of digests: the digest of the list without its last member (zeros if there is no other), that member
 *
 * A field is a byte 0 for NULL, or a byte 1 and the value. Numbers are eight bytes, the highest first; an instant is
 * the number of microseconds since 2000-01-01 00:00 UTC. Text (in UTF-8) and bytes come after their length in four
 * bytes, the highest first. JSON is walked in the order in which jsonb keeps it, keys by length, then by bytes:
 *
 *	n, t, f			null, true, false
 *	#, text			a number, as the server writes numeric
 *	", text			a string
 *	[, length		an array, then its elements
 *	{, length		an object, then its members, each the text of the key and the value
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "proof/digest.h"

#define ENCODING_VERSION 1

enum
{
	OF_ENTRY,
	OF_NODE,
	OF_VALUES,
	OF_SEAL,
	OF_LIST
};

/* Small pieces are collected: a call of the server's hash function costs more than a few bytes do. */
struct Hasher
{
	pg_cryptohash_ctx *context;
	int			used;
	uint8		buffer[1024];
};

/* A failure of the library that the server was built with. */
pg_noreturn static void
refuse_failed_hash(Hasher *hasher)
{
	elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(hasher->context));
}

/* To be freed in the same transaction; an error frees what it holds. */
Hasher *
make_hasher(void)
{
	Hasher	   *hasher = palloc(sizeof(Hasher));

	hasher->context = pg_cryptohash_create(PG_SHA256);
	if (hasher->context == NULL)
		elog(ERROR, "could not set up SHA-256");
	return hasher;
}

void
free_hasher(Hasher *hasher)
{
	pg_cryptohash_free(hasher->context);
	pfree(hasher);
}

static void
flush(Hasher *hasher)
{
	if (hasher->used > 0 && pg_cryptohash_update(hasher->context, hasher->buffer, hasher->used) < 0)
		refuse_failed_hash(hasher);
	hasher->used = 0;
}

static void
add_bytes(Hasher *hasher, const void *bytes, size_t length)
{
	if (length > sizeof(hasher->buffer) - hasher->used)
		flush(hasher);
	if (length > sizeof(hasher->buffer))
	{
		if (pg_cryptohash_update(hasher->context, bytes, length) < 0)
			refuse_failed_hash(hasher);
		return;
	}
	memcpy(hasher->buffer + hasher->used, bytes, length);
	hasher->used += length;
}

static void
add_byte(Hasher *hasher, uint8 byte)
{
	add_bytes(hasher, &byte, 1);
}

static void
begin_digest(Hasher *hasher, uint8 of)
{
	if (pg_cryptohash_init(hasher->context) < 0)
		refuse_failed_hash(hasher);
	hasher->used = 0;
	add_byte(hasher, of);
}

static Digest
end_digest(Hasher *hasher)
{
	Digest		digest;

	flush(hasher);
	if (pg_cryptohash_final(hasher->context, digest.bytes, DIGEST_LENGTH) < 0)
		refuse_failed_hash(hasher);
	return digest;
}

static void
add_length(Hasher *hasher, uint32 length)
{
	uint32		bytes = pg_hton32(length);

	add_bytes(hasher, &bytes, sizeof(bytes));
}

static void
add_number(Hasher *hasher, int64 number)
{
	uint64		bytes = pg_hton64((uint64) number);

	add_bytes(hasher, &bytes, sizeof(bytes));
}

/* Text is hashed in UTF-8, so that a dump may be restored in another encoding. */
static void
add_text(Hasher *hasher, const char *text, int length)
{
	char	   *converted = unconstify(char *, text);

	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		converted = pg_server_to_any(text, length, PG_UTF8);
	if (converted != text)
		length = strlen(converted);
	add_length(hasher, length);
	add_bytes(hasher, converted, length);
}

static void
add_scalar(Hasher *hasher, const JsonbValue *value)
{
	char	   *number;

	switch (value->type)
	{
		case jbvNull:
			add_byte(hasher, 'n');
			break;
		case jbvBool:
			add_byte(hasher, value->val.boolean ? 't' : 'f');
			break;
		case jbvNumeric:
			number = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			add_byte(hasher, '#');
			add_text(hasher, number, strlen(number));
			break;
		case jbvString:
			add_byte(hasher, '"');
			add_text(hasher, value->val.string.val, value->val.string.len);
			break;
		default:
			elog(ERROR, "unexpected type of JSON value: %d", (int) value->type);
	}
}

static void
add_jsonb(Hasher *hasher, Jsonb *jsonb)
{
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_ARRAY && !value.val.array.rawScalar)
		{
			add_byte(hasher, '[');
			add_length(hasher, value.val.array.nElems);
		}
		else if (token == WJB_BEGIN_OBJECT)
		{
			add_byte(hasher, '{');
			add_length(hasher, value.val.object.nPairs);
		}
		else if (token == WJB_KEY)
			add_text(hasher, value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE || token == WJB_ELEM)
			add_scalar(hasher, &value);
	}
}

static void
add_field(Hasher *hasher, Oid type, Datum value, bool isnull)
{
	struct varlena *bytes;

	add_byte(hasher, !isnull);
	if (isnull)
		return;
	switch (type)
	{
		case INT4OID:
			add_number(hasher, DatumGetInt32(value));
			break;
		case INT8OID:
			add_number(hasher, DatumGetInt64(value));
			break;
		case TIMESTAMPTZOID:
			add_number(hasher, DatumGetTimestampTz(value));
			break;
		case TEXTOID:
			bytes = PG_DETOAST_DATUM_PACKED(value);
			add_text(hasher, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case BYTEAOID:
			bytes = PG_DETOAST_DATUM_PACKED(value);
			add_length(hasher, VARSIZE_ANY_EXHDR(bytes));
			add_bytes(hasher, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case JSONBOID:
			add_jsonb(hasher, DatumGetJsonbP(value));
			break;
		default:
			elog(ERROR, "unexpected type of a field: %u", type);
	}
}

/* The digest of an entry, given that of its values, which are the log's last columns. */
Digest
entry_digest(Hasher *hasher, const LogRow *entry, const Digest *values)
{
	begin_digest(hasher, OF_ENTRY);
	add_byte(hasher, ENCODING_VERSION);
	for (int i = 0; i < LOG_OLD_VALUE; i++)
		add_field(hasher, log_columns[i].type, entry->values[i], entry->nulls[i]);
	add_bytes(hasher, values->bytes, DIGEST_LENGTH);
	return end_digest(hasher);
}

/*
 * The digest of an entry's values. Without the salt nobody can find out, by trying, what they were. Works in the
 * current memory context, which the caller resets.
 */
Digest
values_digest(Hasher *hasher, const uint8 *salt, const LogRow *entry)
{
	begin_digest(hasher, OF_VALUES);
	add_bytes(hasher, salt, SALT_LENGTH);
	add_field(hasher, JSONBOID, entry->values[LOG_OLD_VALUE], entry->nulls[LOG_OLD_VALUE]);
	add_field(hasher, JSONBOID, entry->values[LOG_NEW_VALUE], entry->nulls[LOG_NEW_VALUE]);
	return end_digest(hasher);
}

Digest
node_digest(Hasher *hasher, const Digest *left, const Digest *right)
{
	begin_digest(hasher, OF_NODE);
	add_bytes(hasher, left->bytes, DIGEST_LENGTH);
	add_bytes(hasher, right->bytes, DIGEST_LENGTH);
	return end_digest(hasher);
}

/* The digest of a list with one more member. That of an empty list is zeros. */
Digest
list_digest(Hasher *hasher, const Digest *list, const Digest *added)
{
	begin_digest(hasher, OF_LIST);
	add_bytes(hasher, list->bytes, DIGEST_LENGTH);
	add_bytes(hasher, added->bytes, DIGEST_LENGTH);
	return end_digest(hasher);
}

Digest
seal_digest(Hasher *hasher, const TableColumn *fields, int n, const Datum *values, const bool *nulls)
{
	begin_digest(hasher, OF_SEAL);
	add_byte(hasher, ENCODING_VERSION);
	for (int i = 0; i < n; i++)
		add_field(hasher, fields[i].type, values[i], nulls[i]);
	return end_digest(hasher);
}

bool
same_digest(const Digest *a, const Digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_LENGTH) == 0;
}

/* A digest as a bytea in the current memory context. */
Datum
digest_datum(const Digest *digest)
{
	bytea	   *bytes = palloc(VARHDRSZ + DIGEST_LENGTH);

	SET_VARSIZE(bytes, VARHDRSZ + DIGEST_LENGTH);
	memcpy(VARDATA(bytes), digest->bytes, DIGEST_LENGTH);
	return PointerGetDatum(bytes);
}

/* Read a digest that is kept as a bytea; false, and zeros, if it cannot be one. */
bool
read_digest(Datum datum, Digest *digest)
{
	bytea	   *bytes = DatumGetByteaPP(datum);

	memset(digest, 0, sizeof(Digest));
	if (VARSIZE_ANY_EXHDR(bytes) != DIGEST_LENGTH)
		return false;
	memcpy(digest->bytes, VARDATA_ANY(bytes), DIGEST_LENGTH);
	return true;
}

/* values_digest(salt, old_value, new_value) -> digest; NULL if the salt is */
PG_FUNCTION_INFO_V1(support_values_digest);
Datum
support_values_digest(PG_FUNCTION_ARGS)
{
	LogRow		entry = {0};
	Hasher	   *hasher;
	Digest		digest;
	bytea	   *salt;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	salt = PG_GETARG_BYTEA_PP(0);
	if (VARSIZE_ANY_EXHDR(salt) != SALT_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("salt must be %d bytes long", SALT_LENGTH)));
	entry.nulls[LOG_OLD_VALUE] = PG_ARGISNULL(1);
	entry.nulls[LOG_NEW_VALUE] = PG_ARGISNULL(2);
	entry.values[LOG_OLD_VALUE] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
	entry.values[LOG_NEW_VALUE] = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	hasher = make_hasher();
	digest = values_digest(hasher, (uint8 *) VARDATA_ANY(salt), &entry);
	free_hasher(hasher);
	PG_RETURN_DATUM(digest_datum(&digest));
}
