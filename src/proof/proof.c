/*
 * proof.c
 *		Proving that an entry was in the audit log when it was sealed.
 *
 * A proof is a JSON object with all that it takes to compute the digest of a seal from one entry: the entry, the salt
 * of its values (or their digest, once they were erased), the path through the seal's Merkle tree, and the seal.
 * Columns that are NULL are left out. Who has kept the seal's digest needs nothing else to check a proof.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/json.h"
#include "proof/merkle.h"
#include "proof/seal_chain.h"

#define PROOF_VERSION 1

enum
{
	ENTRY,
	LEAF_AND_SEAL,
	LEAVES_OF_SEAL
};

static Statement statements[] = {
	[ENTRY] = {
		.text = "SELECT " LOG_COLUMN_NAMES("") " FROM support.audit_log"
		" WHERE id = $1 AND era IS NOT NULL AND xid IS NOT NULL"
		" ORDER BY era, xid LIMIT 1",
		.columns = {LOG_COLUMN_TYPES(NOT_NULL)},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LEAF_AND_SEAL] = {
		.text = "SELECT " SEAL_COLUMNS ", s.digest, l.salt, l.values_digest"
		" FROM (SELECT l.seal_id AS leaf_seal_id, l.salt, l.values_digest FROM support_internal.audit_leaves AS l"
		"	WHERE l.era = $1 AND l.xid = $2"
		"	AND l.audit_id = $3) AS l"
		" JOIN support_internal.audit_seals AS s ON s.seal_id = l.leaf_seal_id",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT4OID, NOT_NULL},
		{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL},
		{TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID, NOT_NULL}, {BYTEAOID, NOT_NULL}, {BYTEAOID},
		{BYTEAOID, NOT_NULL}, {BYTEAOID}, {BYTEAOID}},
		.nargs = 3, .argtypes = {INT4OID, INT8OID, INT8OID}, .as_owner_of = INTERNAL_TABLE("audit_leaves")
	},
	[LEAVES_OF_SEAL] = {
		.text = "SELECT digest, (era, xid, audit_id) = ($5, $6, $7)"
		" FROM support_internal.audit_leaves"
		" WHERE era = $1 AND (xid, audit_id) >= ($2, $3)"
		" ORDER BY xid, audit_id LIMIT $4",
		.columns = {{BYTEAOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.nargs = 7, .argtypes = {INT4OID, INT8OID, INT8OID, INT8OID, INT4OID, INT8OID, INT8OID},
		.as_owner_of = INTERNAL_TABLE("audit_leaves")
	}
};

/* What follows the seal in the row that LEAF_AND_SEAL finds. */
enum
{
	FOUND_DIGEST = SEAL_FIELDS,
	FOUND_SALT,
	FOUND_VALUES_DIGEST,
	FOUND_COLUMNS
};

/* The members of a proof. */
enum
{
	PROOF_MEMBER_VERSION,
	PROOF_ENTRY,
	PROOF_SALT,
	PROOF_VALUES_DIGEST,
	PROOF_LEAF_INDEX,
	PROOF_PATH,
	PROOF_SEAL,
	PROOF_DIGEST,
	PROOF_MEMBERS
};

static const char *const members[PROOF_MEMBERS] = {
	"version", "entry", "salt", "values_digest", "leaf_index", "path", "seal", "digest"
};

/* A proof, taken apart. */
typedef struct Proof
{
	LogRow		entry;
	Datum		seal[SEAL_FIELDS];
	bool		seal_nulls[SEAL_FIELDS];
	bool		has_salt;
	uint8		salt[SALT_LENGTH];
	Digest		values;			/* without a salt */
	int64		leaf_index;
	int			path_length;
	Digest		path[MAX_TREE_HEIGHT];
	Digest		digest;			/* of the seal */
} Proof;

/* Making a proof */

static void
push_bytes(JsonbBuilder *builder, JsonbIteratorToken token, const void *bytes, int length)
{
	char	   *hex = palloc(length * 2);

	hex_encode(bytes, length, hex);
	json_push_string(builder, token, hex, length * 2);
}

static char *
time_in_utc(Datum time)
{
	char	   *buffer = palloc(MAXDATELEN + 1);
	int			utc = 0;

	return JsonEncodeDateTime(buffer, time, TIMESTAMPTZOID, &utc);
}

static void
push_field(JsonbBuilder *builder, Oid type, Datum value)
{
	struct varlena *bytes;
	JsonbValue	document;
	char	   *text;

	switch (type)
	{
		case INT4OID:
			json_push_int64(builder, DatumGetInt32(value));
			break;
		case INT8OID:
			json_push_int64(builder, DatumGetInt64(value));
			break;
		case TIMESTAMPTZOID:
			text = time_in_utc(value);
			json_push_string(builder, WJB_VALUE, text, strlen(text));
			break;
		case TEXTOID:
			bytes = PG_DETOAST_DATUM_PACKED(value);
			json_push_string(builder, WJB_VALUE, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case BYTEAOID:
			bytes = PG_DETOAST_DATUM_PACKED(value);
			push_bytes(builder, WJB_VALUE, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case JSONBOID:
			json_document(&document, DatumGetJsonbP(value));
			jsonb_push(builder, WJB_VALUE, &document);
			break;
		default:
			elog(ERROR, "unexpected type of a field: %u", type);
	}
}

/* Push an object of the fields that are not NULL. */
static void
push_fields(JsonbBuilder *builder, const TableColumn *fields, int n, const Datum *values, const bool *nulls)
{
	jsonb_push(builder, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			continue;
		json_push_key(builder, fields[i].name);
		push_field(builder, fields[i].type, values[i]);
	}
	jsonb_push(builder, WJB_END_OBJECT, NULL);
}

/* Read an entry with the caller's rights. Raises P0002. */
static void
read_entry(int64 id, LogRow *entry)
{
	Args		args = {0};

	arg_int64(&args, id);
	if (run_read_only(&statements[ENTRY], &args) == 0)
		refuse_missing("audit entry", id);
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, entry->values, entry->nulls);
}

/* Add columns of a row, which are not NULL, to the arguments. */
static void
arg_columns(Args *args, const Datum *values, int first, int last)
{
	for (int i = first; i <= last; i++)
		arg(args, values[i]);
}

/* Read the leaf of an entry and its seal. Raises 55000 if there is none. */
static void
read_leaf(const LogRow *entry, Datum *found, bool *nulls)
{
	long long	id = DatumGetInt64(entry->values[LOG_ID]);
	Args		args = {0};

	arg_columns(&args, entry->values, LOG_ERA, LOG_ID);
	if (run_read_only(&statements[LEAF_AND_SEAL], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("audit entry %lld is not sealed yet", id),
				 errhint("SELECT support.seal_audit() seals what has become stable.")));
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, found, nulls);
	if (nulls[FOUND_SALT] && nulls[FOUND_VALUES_DIGEST])
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("audit entry %lld was pruned: what proves it is gone", id)));
}

/* Read the digests of a seal's leaves; returns how many there are, and which is the entry's. */
static int64
read_leaves(const Datum *seal, const LogRow *entry, Digest **leaves, int64 *index)
{
	Args		args = {0};
	uint64		n;

	arg_columns(&args, seal, SEAL_FROM_ERA, SEAL_FROM_ID);
	arg(&args, seal[SEAL_ENTRIES]);
	arg_columns(&args, entry->values, LOG_ERA, LOG_ID);
	n = run_read_only(&statements[LEAVES_OF_SEAL], &args);
	*leaves = palloc(sizeof(Digest) * Max(n, 1));
	*index = 0;
	for (uint64 i = 0; i < n; i++)
	{
		(void) read_digest(result(i, 1), &(*leaves)[i]);
		if (result_bool(i, 2))
			*index = i;
	}
	return n;
}

/* Push the path from the entry to the root of its seal, and where it begins. */
static void
push_path(JsonbBuilder *builder, const Datum *seal, const LogRow *entry)
{
	Hasher	   *hasher = make_hasher();
	Digest		path[MAX_TREE_HEIGHT];
	Digest	   *leaves;
	int64		index;
	int64		n = read_leaves(seal, entry, &leaves, &index);
	int			length = merkle_path(hasher, leaves, n, index, path);

	json_push_key(builder, members[PROOF_LEAF_INDEX]);
	json_push_int64(builder, index);
	json_push_key(builder, members[PROOF_PATH]);
	jsonb_push(builder, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < length; i++)
		push_bytes(builder, WJB_ELEM, path[i].bytes, DIGEST_LENGTH);
	jsonb_push(builder, WJB_END_ARRAY, NULL);
	free_hasher(hasher);
}

/* audit_proof(audit_id) -> proof */
PG_FUNCTION_INFO_V1(support_audit_proof);
Datum
support_audit_proof(PG_FUNCTION_ARGS)
{
	int64		id = required_id(fcinfo, 0, "audit_id");
	MemoryContext context = CurrentMemoryContext;
	JsonbBuilder builder = {0};
	Datum		found[FOUND_COLUMNS];
	bool		nulls[FOUND_COLUMNS];
	LogRow		entry;
	Jsonb	   *proof;
	Call		call;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	read_entry(id, &entry);
	read_leaf(&entry, found, nulls);

	jsonb_push(&builder, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&builder, members[PROOF_MEMBER_VERSION]);
	json_push_int64(&builder, PROOF_VERSION);
	/* what an erased entry has kept is not what was sealed */
	if (nulls[FOUND_SALT])
		entry.nulls[LOG_OLD_VALUE] = entry.nulls[LOG_NEW_VALUE] = true;
	json_push_key(&builder, members[PROOF_ENTRY]);
	push_fields(&builder, log_columns, LOG_COLUMNS, entry.values, entry.nulls);
	json_push_key(&builder, members[nulls[FOUND_SALT] ? PROOF_VALUES_DIGEST : PROOF_SALT]);
	push_field(&builder, BYTEAOID, found[nulls[FOUND_SALT] ? FOUND_VALUES_DIGEST : FOUND_SALT]);
	push_path(&builder, found, &entry);
	json_push_key(&builder, members[PROOF_SEAL]);
	push_fields(&builder, seal_fields, SEAL_FIELDS, found, nulls);
	json_push_key(&builder, members[PROOF_DIGEST]);
	push_field(&builder, BYTEAOID, found[FOUND_DIGEST]);
	jsonb_push(&builder, WJB_END_OBJECT, NULL);

	MemoryContextSwitchTo(context);
	proof = JsonbValueToJsonb(builder.result);
	end_call(&call);
	PG_RETURN_JSONB_P(proof);
}

/* Checking a proof */

/* Raise 22023: not in the form of a proof. */
pg_noreturn static void
refuse_proof(const char *member, const char *fault)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" %s", member, fault),
			 errhint("Pass what support.audit_proof() returned, unchanged.")));
}

/* A member of an object; NULL if it has none of this name. */
static JsonbValue *
member_of(JsonbContainer *object, const char *name)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	return json_member(object, name, value);
}

static JsonbValue *
required_member(JsonbContainer *object, const char *name)
{
	JsonbValue *value = member_of(object, name);

	if (value == NULL)
		refuse_proof(name, "is missing");
	return value;
}

static JsonbContainer *
object_in(JsonbContainer *proof, const char *name)
{
	JsonbValue *value = required_member(proof, name);

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse_proof(name, "must be an object");
	return value->val.binary.data;
}

static char *
string_in(const JsonbValue *value, const char *name)
{
	char	   *text = json_string_of(value);

	if (text == NULL)
		refuse_proof(name, "must be a string");
	return text;
}

static int64
number_in(const JsonbValue *value, const char *name)
{
	int64		number;

	if (value->type != jbvNumeric)
		refuse_proof(name, "must be a number");
	if (!json_whole_number(value, &number))
		refuse_proof(name, "must be an integer");
	return number;
}

static Datum
integer_in(const JsonbValue *value, const char *name)
{
	int64		number = number_in(value, name);

	if (number != (int32) number)
		refuse_proof(name, "must be an integer");
	return Int32GetDatum((int32) number);
}

/* An instant as proofs have it: in one form only, which depends on no setting. */
static Datum
instant_in(const JsonbValue *value, const char *name)
{
	char	   *text = string_in(value, name);
	Datum		time;

	if (!parse_time(timestamptz_in, text, &time) || strcmp(time_in_utc(time), text) != 0)
		refuse_proof(name, "must be an instant in UTC");
	return time;
}

/* Read bytes in hexadecimal; any number of them if length is 0. */
static bytea *
bytes_in(const JsonbValue *value, const char *name, int length)
{
	char	   *text = string_in(value, name);
	int			digits = strlen(text);
	bytea	   *bytes = palloc(VARHDRSZ + digits / 2);

	if (digits % 2 != 0 || strspn(text, "0123456789abcdef") != digits || (length > 0 && digits != length * 2))
		refuse_proof(name, "must be bytes in hexadecimal");
	SET_VARSIZE(bytes, VARHDRSZ + digits / 2);
	hex_decode(text, digits, VARDATA(bytes));
	return bytes;
}

static Digest
digest_in(const JsonbValue *value, const char *name)
{
	Digest		digest;

	memcpy(digest.bytes, VARDATA(bytes_in(value, name, DIGEST_LENGTH)), DIGEST_LENGTH);
	return digest;
}

static Datum
field_in(JsonbValue *value, const TableColumn *field)
{
	switch (field->type)
	{
		case INT4OID:
			return integer_in(value, field->name);
		case INT8OID:
			return Int64GetDatum(number_in(value, field->name));
		case TIMESTAMPTZOID:
			return instant_in(value, field->name);
		case TEXTOID:
			return CStringGetTextDatum(string_in(value, field->name));
		case BYTEAOID:
			return PointerGetDatum(bytes_in(value, field->name, 0));
		case JSONBOID:
			return JsonbPGetDatum(JsonbValueToJsonb(value));
	}
	elog(ERROR, "unexpected type of a field: %u", field->type);
}

/* Is this one of the fields? */
static bool
is_field(const TableColumn *fields, int n, const JsonbValue *name)
{
	for (int i = 0; i < n; i++)
		if (strlen(fields[i].name) == name->val.string.len &&
			memcmp(fields[i].name, name->val.string.val, name->val.string.len) == 0)
			return true;
	return false;
}

/* Raise 22023 for a member that no digest covers. */
static void
check_members(JsonbContainer *object, const TableColumn *fields, int n)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY && !is_field(fields, n, &value))
			refuse_proof(pnstrdup(value.val.string.val, value.val.string.len), "is not part of a proof");
}

/* Read an object's fields; those that it lacks are NULL. */
static void
fields_in(JsonbContainer *object, const TableColumn *fields, int n, Datum *values, bool *nulls)
{
	check_members(object, fields, n);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *value = member_of(object, fields[i].name);

		nulls[i] = value == NULL;
		values[i] = value ? field_in(value, &fields[i]) : (Datum) 0;
	}
}

/* Read the path. */
static void
read_path(const JsonbValue *value, Proof *proof)
{
	const char *name = members[PROOF_PATH];
	JsonbContainer *path;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) > MAX_TREE_HEIGHT)
		refuse_proof(name, "must be an array of digests");
	path = value->val.binary.data;
	proof->path_length = JsonContainerSize(path);
	for (int i = 0; i < proof->path_length; i++)
		proof->path[i] = digest_in(getIthJsonbValueFromContainer(path, i), name);
}

/* Raise 22023 for a proof of another version, or one with members that we do not know. */
static void
check_form(Jsonb *json)
{
	TableColumn	fields[PROOF_MEMBERS] = {0};
	JsonbValue *version;

	if (!JB_ROOT_IS_OBJECT(json))
		refuse_proof("proof", "must be an object");
	for (int i = 0; i < PROOF_MEMBERS; i++)
		fields[i].name = members[i];
	check_members(&json->root, fields, PROOF_MEMBERS);
	version = required_member(&json->root, members[PROOF_MEMBER_VERSION]);
	if (number_in(version, members[PROOF_MEMBER_VERSION]) != PROOF_VERSION)
		refuse_proof(members[PROOF_MEMBER_VERSION], "is not one that this version of support_ext knows");
}

/* Take a proof apart. Raises 22023 if it has not the form of one. */
static void
read_proof(Jsonb *json, Proof *proof)
{
	JsonbContainer *root = &json->root;
	LogRow	   *entry = &proof->entry;
	JsonbValue *salt;

	check_form(json);
	fields_in(object_in(root, members[PROOF_ENTRY]), log_columns, LOG_COLUMNS, entry->values, entry->nulls);
	fields_in(object_in(root, members[PROOF_SEAL]), seal_fields, SEAL_FIELDS, proof->seal, proof->seal_nulls);
	salt = member_of(root, members[PROOF_SALT]);
	proof->has_salt = salt != NULL;
	if (salt != NULL && member_of(root, members[PROOF_VALUES_DIGEST]) != NULL)
		refuse_proof(members[PROOF_VALUES_DIGEST], "must not be there, since the salt is");
	if (salt != NULL)
		memcpy(proof->salt, VARDATA(bytes_in(salt, members[PROOF_SALT], SALT_LENGTH)), SALT_LENGTH);
	else
		proof->values = digest_in(required_member(root, members[PROOF_VALUES_DIGEST]), members[PROOF_VALUES_DIGEST]);
	proof->leaf_index = number_in(required_member(root, members[PROOF_LEAF_INDEX]), members[PROOF_LEAF_INDEX]);
	read_path(required_member(root, members[PROOF_PATH]), proof);
	proof->digest = digest_in(required_member(root, members[PROOF_DIGEST]), members[PROOF_DIGEST]);
}

/* Does the entry's digest lead to the root of the seal, and the seal to its digest? */
static bool
holds(Proof *proof, Hasher *hasher)
{
	LogRow	   *entry = &proof->entry;
	Digest		computed;
	Digest		root;

	if (proof->seal_nulls[SEAL_KIND] || proof->seal_nulls[SEAL_ENTRIES] || proof->seal_nulls[SEAL_ROOT] ||
		strcmp(TextDatumGetCString(proof->seal[SEAL_KIND]), "seal") != 0 ||
		!read_digest(proof->seal[SEAL_ROOT], &root))
		return false;
	if (proof->has_salt)
		proof->values = values_digest(hasher, proof->salt, entry);
	else if (!entry->nulls[LOG_OLD_VALUE] || !entry->nulls[LOG_NEW_VALUE])
		return false;
	computed = entry_digest(hasher, entry, &proof->values);
	if (!merkle_leads_to(hasher, computed, proof->leaf_index, DatumGetInt64(proof->seal[SEAL_ENTRIES]),
						 proof->path, proof->path_length, &root))
		return false;
	computed = seal_digest(hasher, seal_fields, SEAL_FIELDS, proof->seal, proof->seal_nulls);
	return same_digest(&computed, &proof->digest);
}

/* check_audit_proof(proof) -> does it hold? */
PG_FUNCTION_INFO_V1(support_check_audit_proof);
Datum
support_check_audit_proof(PG_FUNCTION_ARGS)
{
	Proof	   *proof = palloc0(sizeof(Proof));
	Hasher	   *hasher;
	bool		valid;

	if (PG_ARGISNULL(0))
		refuse_proof("proof", "must not be null");
	read_proof(PG_GETARG_JSONB_P(0), proof);
	hasher = make_hasher();
	valid = holds(proof, hasher);
	free_hasher(hasher);
	PG_RETURN_BOOL(valid);
}
