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

/* Add up a string with its quotes, escaped as the server does it. */
static void
add_string_size(JsonTextSize *size, const char *text, int length)
{
	size->bytes += length + 2;
	for (const char *c = text; c < text + length; c++)
	{
		if (*c == '\\')
			size->backslashes += 2;
		else if (*c == '"' || (unsigned char) *c < ' ')
			size->backslashes++;
		else
			continue;
		size->bytes += (unsigned char) *c < ' ' && strchr("\b\f\n\r\t", *c) == NULL ? strlen("u0001") : 1;
	}
}

static void
add_value_size(JsonTextSize *size, const JsonbValue *value)
{
	char	   *number;

	switch (value->type)
	{
		case jbvString:
			add_string_size(size, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			/* one of few bytes may have a hundred thousand digits */
			number = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			size->bytes += strlen(number);
			pfree(number);
			break;
		default:
			size->bytes += strlen(value->type == jbvBool && !value->val.boolean ? "false" : "true");
	}
}

/*
 * How large a document is as text, which is never made; a scalar by itself counts two bytes more. Ends early where it is
 * known to have more bytes than are enough.
 */
JsonTextSize
json_text_size(Jsonb *document, uint64 enough)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonTextSize size = {0};
	JsonbValue	value;
	bool		is_next = false;	/* of the elements or members of an array or object */

	while (size.bytes + size.backslashes <= enough &&
		   (token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		bool		is_end = token == WJB_END_ARRAY || token == WJB_END_OBJECT;

		if (is_next && !is_end)
			size.bytes += strlen(", ");
		if (token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM)
			add_value_size(&size, &value);
		else
			size.bytes += strlen("{");
		if (token == WJB_KEY)
			size.bytes += strlen(": ");
		is_next = is_end || token == WJB_VALUE || token == WJB_ELEM;
	}
	return size;
}

/* A scalar by itself counts as one level, as the array that it is kept in. Nothing recurses, however deep it is. */
int
json_depth(Jsonb *document)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			level = 0;
	int			depth = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT)
			level++;
		else if (token == WJB_END_ARRAY || token == WJB_END_OBJECT)
			level--;
		depth = Max(depth, level);
	}
	return depth;
}

/* The same of a document that is kept as its text. */
int
json_text_depth(const char *text, int length)
{
	bool		in_string = false;
	int			level = 0;
	int			depth = 0;

	for (int i = 0; i < length; i++)
	{
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			level++;
		else if (!in_string && (text[i] == '}' || text[i] == ']'))
			level--;
		depth = Max(depth, level);
	}
	return depth;
}
