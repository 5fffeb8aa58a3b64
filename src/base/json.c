/*
 * json.c
 *		Taking jsonb apart and putting it together.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/json.h"

void
json_string(JsonbValue *value, const char *text, int length)
{
	value->type = jbvString;
	value->val.string.val = unconstify(char *, text);
	value->val.string.len = length;
}

/* A text that may lie compressed or out of line. */
void
json_text(JsonbValue *value, Datum text)
{
	struct varlena *detoasted = PG_DETOAST_DATUM_PACKED(text);

	json_string(value, VARDATA_ANY(detoasted), VARSIZE_ANY_EXHDR(detoasted));
}

void
json_int64(JsonbValue *value, int64 number)
{
	value->type = jbvNumeric;
	value->val.numeric = int64_to_numeric(number);
}

/* A whole document: an object, an array, or a scalar as such. */
void
json_document(JsonbValue *value, Jsonb *document)
{
	if (JB_ROOT_IS_SCALAR(document))
	{
		(void) JsonbExtractScalar(&document->root, value);
		return;
	}
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

void
json_push_key(JsonbBuilder *builder, const char *key)
{
	json_push_string(builder, WJB_KEY, key, strlen(key));
}

/* Push a string: a key, a value or an element, as the token says. */
void
json_push_string(JsonbBuilder *builder, JsonbIteratorToken token, const char *text, int length)
{
	JsonbValue	value;

	json_string(&value, text, length);
	jsonb_push(builder, token, &value);
}

void
json_push_int64(JsonbBuilder *builder, int64 number)
{
	JsonbValue	value;

	json_int64(&value, number);
	jsonb_push(builder, WJB_VALUE, &value);
}

/*
 * The member of that name, in the buffer; NULL if there is none. What is no object, as the log's owner may have written,
 * has no members.
 */
JsonbValue *
json_member(JsonbContainer *object, const char *name, JsonbValue *buffer)
{
	return JsonContainerIsObject(object) ? getKeyJsonValueFromContainer(object, name, strlen(name), buffer) : NULL;
}

/* A member that is a number, rounded; another number if it is none. Raises 22003 for one that no bigint holds. */
int64
json_member_int64(Jsonb *object, const char *name, int64 otherwise)
{
	JsonbValue	buffer;
	JsonbValue *value = json_member(&object->root, name, &buffer);

	if (value == NULL || value->type != jbvNumeric)
		return otherwise;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

/* Is the value a whole number that a bigint holds? 1.0 is not: it has a fraction, be it none. */
bool
json_whole_number(const JsonbValue *value, int64 *number)
{
	char	   *text;
	char	   *end;

	if (value->type != jbvNumeric)
		return false;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	errno = 0;
	*number = strtoi64(text, &end, 10);
	return *end == '\0' && errno == 0;
}

/* A copy of a string; NULL if the value is none. */
char *
json_string_of(const JsonbValue *value)
{
	return value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : NULL;
}
