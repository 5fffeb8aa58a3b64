/*
 * row_image.c
 *		Rows and columns as the audit log keeps them.
 *
 * An image is a jsonb object, column name to value, from which the row can be made again exactly:
 *
 *	- integers, finite numerics and booleans are JSON's own;
 *	- times are ISO 8601, those with a zone in UTC, whatever the session's settings;
 *	- text is a string, bytea its hexadecimal form;
 *	- jsonb is embedded as it is, but for a top-level null or string, which would be mistaken for SQL's NULL and for
 *	  the JSON text of another value: these are kept as their JSON text;
 *	- every other type (arrays, ranges, json, floats and what applications bring) is the text of its output function
 *	  under fixed settings.
 *
 * Reading turns a value into text again and calls the column's input function, so a column that has changed its type
 * since is read as far as the new type understands it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/ascii.h"
#include "base/compat.h"
#include "base/json.h"
#include "base/owner.h"
#include "base/subtransaction.h"
#include "log/row_image.h"

#define MAX_SHOWN_VALUE 100		/* bytes of a value that a message quotes */

static int
fix_settings(void)
{
	int			nestlevel = NewGUCNestLevel();

	fix_setting("datestyle", "ISO, YMD");
	fix_setting("intervalstyle", "postgres");
	fix_setting("extra_float_digits", "3");
	fix_setting("bytea_output", "hex");
	fix_setting("timezone", "UTC");
	fix_setting("lc_monetary", "C");
	fix_setting("array_nulls", "on");
	fix_setting("xmloption", "content");
	fix_setting("quote_all_identifiers", "off");
	fix_setting("search_path", SAFE_SEARCH_PATH);
	return nestlevel;
}

/* Fix the settings that images are written and read under, if any column's text depends on them. */
int
begin_image_settings(const TableShape *shape)
{
	return shape->has_other ? fix_settings() : 0;
}

void
end_image_settings(int nestlevel)
{
	if (nestlevel != 0)
		AtEOXact_GUC(true, nestlevel);
}

void
image_begin(Image *image)
{
	memset(image, 0, sizeof(Image));
	jsonb_push(image, WJB_BEGIN_OBJECT, NULL);
}

static int64
integer_of(Datum value, Oid type)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

static void
time_value(JsonbValue *value, Datum datum, Oid type)
{
	char	   *buffer = palloc(MAXDATELEN + 1);
	int			utc = 0;

	JsonEncodeDateTime(buffer, datum, type, &utc);
	json_string(value, buffer, strlen(buffer));
}

static void
numeric_value(JsonbValue *value, Datum datum)
{
	Numeric		number = DatumGetNumeric(datum);
	char	   *text;

	if (!numeric_is_nan(number) && !numeric_is_inf(number))
	{
		value->type = jbvNumeric;
		value->val.numeric = number;
		return;
	}
	text = DatumGetCString(DirectFunctionCall1(numeric_out, datum));
	json_string(value, text, strlen(text));
}

static void
bytea_value(JsonbValue *value, Datum datum)
{
	bytea	   *bytes = DatumGetByteaPP(datum);
	int			length = VARSIZE_ANY_EXHDR(bytes);
	char	   *hex = palloc(length * 2 + 2);

	memcpy(hex, "\\x", 2);
	hex_encode(VARDATA_ANY(bytes), length, hex + 2);
	json_string(value, hex, length * 2 + 2);
}

static void
jsonb_value(JsonbValue *value, Datum datum)
{
	Jsonb	   *jb = DatumGetJsonbP(datum);
	char	   *text;

	json_document(value, jb);
	if (value->type == jbvNull || value->type == jbvString)
	{
		text = JsonbToCString(NULL, &jb->root, VARSIZE(jb));
		json_string(value, text, strlen(text));
	}
}

static void
other_value(JsonbValue *value, Datum datum, Oid type)
{
	Oid			output;
	bool		is_varlena;
	char	   *text;

	getTypeOutputInfo(type, &output, &is_varlena);
	text = OidOutputFunctionCall(output, datum);
	json_string(value, text, strlen(text));
}

static void
column_value(JsonbValue *value, ImageKind kind, Datum datum, Oid type)
{
	switch (kind)
	{
		case IMAGE_INTEGER:
			json_int64(value, integer_of(datum, type));
			break;
		case IMAGE_BOOLEAN:
			value->type = jbvBool;
			value->val.boolean = DatumGetBool(datum);
			break;
		case IMAGE_TEXT:
			json_text(value, datum);
			break;
		case IMAGE_TIME:
			time_value(value, datum, type);
			break;
		case IMAGE_NUMERIC:
			numeric_value(value, datum);
			break;
		case IMAGE_BYTEA:
			bytea_value(value, datum);
			break;
		case IMAGE_JSONB:
			jsonb_value(value, datum);
			break;
		case IMAGE_OTHER:
			other_value(value, datum, type);
			break;
		case IMAGE_NONE:
			elog(ERROR, "a dropped, generated or derived column has no image");
	}
}

/* Add a column (from 0) of a row. What is added must stay where it is until image_end(). */
void
image_add(Image *image, const Row *row, int attribute)
{
	Form_pg_attribute att = TupleDescAttr(row->desc, attribute);
	JsonbValue	value = {.type = jbvNull};

	json_push_key(image, NameStr(att->attname));
	if (!row->nulls[attribute])
		column_value(&value, row->shape->kinds[attribute], row->values[attribute], att->atttypid);
	jsonb_push(image, WJB_VALUE, &value);
}

/* The finished image, a jsonb in the current memory context. */
Datum
image_end(Image *image)
{
	jsonb_push(image, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(image->result));
}

/* The text that an image's value stands for. */
static char *
value_text(JsonbValue *value)
{
	Jsonb	   *jb;

	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			jb = JsonbValueToJsonb(value);
			return JsonbToCString(NULL, &jb->root, VARSIZE(jb));
	}
}

/* An integer that fits into a column of the type; a fraction is rounded, as a cast does. */
static bool
integer_fits(const JsonbValue *value, Oid type, Datum *datum)
{
	int64		number;

	if (value->type != jbvNumeric)
		return false;
	if (!json_whole_number(value, &number))
	{
		JsonbValue	rounded = *value;

		rounded.val.numeric = DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(value->val.numeric),
																  Int32GetDatum(0)));
		if (!json_whole_number(&rounded, &number))
			return false;
	}
	if ((type == INT4OID && number != (int32) number) || (type == INT2OID && number != (int16) number))
		return false;
	*datum = type == INT8OID ? Int64GetDatum(number) :
		type == INT4OID ? Int32GetDatum((int32) number) : Int16GetDatum((int16) number);
	return true;
}

/* A date or time; false if the text is none, as words like "tomorrow" are not. */
static bool
time_fits(JsonbValue *value, Oid type, Datum *datum)
{
	char	   *text = value_text(value);

	if (!is_digit(*text) && strcmp(text, "infinity") != 0 && strcmp(text, "-infinity") != 0)
		return false;
	return parse_time(type == DATEOID ? date_in : type == TIMESTAMPOID ? timestamp_in : timestamptz_in, text, datum);
}

/* Have the type read the text of the value. */
static Datum
read_text(JsonbValue *value, Oid type, int32 typmod)
{
	Oid			input;
	Oid			param;

	getTypeInputInfo(type, &input, &param);
	return OidInputFunctionCall(input, value_text(value), param, typmod);
}

/* What try_to_read() reads. */
typedef struct ValueToRead
{
	JsonbValue *value;
	Oid			type;
	Datum		datum;
} ValueToRead;

static void
read_under_settings(void *arg)
{
	ValueToRead *reading = arg;
	int			nestlevel = fix_settings();

	reading->datum = read_text(reading->value, reading->type, -1);
	AtEOXact_GUC(true, nestlevel);
}

/* Have the type read the text of the value, with no limit of length; false if it refuses. */
static bool
try_to_read(JsonbValue *value, Oid type, Datum *datum)
{
	ValueToRead	reading = {value, type};
	ErrorData  *refusal = attempt(read_under_settings, &reading);

	if (refusal != NULL)
		FreeErrorData(refusal);
	*datum = reading.datum;
	return refusal == NULL;
}

/*
 * Read a value of an image for a column that may have had another type when the image was made; false if the column's
 * type today has no room for it. A text may be longer than the column allows today, a number or time more precise.
 */
bool
image_value(JsonbValue *value, ImageKind kind, Form_pg_attribute att, Datum *datum)
{
	if (kind == IMAGE_INTEGER && integer_fits(value, att->atttypid, datum))
		return true;
	if (kind == IMAGE_TIME)
		return time_fits(value, att->atttypid, datum);
	if (kind == IMAGE_BOOLEAN && value->type == jbvBool)
		*datum = BoolGetDatum(value->val.boolean);
	else if (kind == IMAGE_NUMERIC && value->type == jbvNumeric)
		*datum = datumCopy(NumericGetDatum(value->val.numeric), false, -1);
	else if (kind == IMAGE_TEXT && value->type == jbvString)
		*datum = PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
	else if (kind == IMAGE_TEXT)
		*datum = CStringGetTextDatum(value_text(value));
	else if (kind == IMAGE_JSONB && value->type != jbvString)
		*datum = JsonbPGetDatum(JsonbValueToJsonb(value));
	else
		return try_to_read(value, att->atttypid, datum);
	return true;
}

/* Raise what the column's type said to the value, in words that name both. The error was taken off the stack. */
pg_noreturn static void
refuse_value(Relation rel, Form_pg_attribute att, JsonbValue *value, const ErrorData *refusal)
{
	char	   *text = value_text(value);
	int			length = pg_mbcliplen(text, strlen(text), MAX_SHOWN_VALUE);

	ereport(ERROR,
			(errcode(refusal->sqlerrcode),
			 errmsg("column \"%s\" of relation \"%s\" cannot take \"%.*s%s\" back", NameStr(att->attname),
					RelationGetRelationName(rel), length, text, text[length] != '\0' ? "..." : ""),
			 errdetail("Its type is %s now: %s.", format_type_with_typemod(att->atttypid, att->atttypmod), refusal->message),
			 errhint("Give it a type that takes the value."),
			 errtablecol(rel, att->attnum)));
}

/* Read a value for a column. What its type refuses is told with the column's name; all else is raised as it is. */
static Datum
read_for_column(Relation rel, Form_pg_attribute att, JsonbValue *value)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile Datum datum = (Datum) 0;

	PG_TRY();
	{
		datum = read_text(value, att->atttypid, att->atttypmod);
	}
	PG_CATCH();
	{
		ErrorData  *refusal;
		int			category;

		MemoryContextSwitchTo(caller);
		refusal = CopyErrorData();
		category = ERRCODE_TO_CATEGORY(refusal->sqlerrcode);
		if (category != ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) &&
			category != ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION))
			PG_RE_THROW();
		FlushErrorState();
		refuse_value(rel, att, value, refusal);
	}
	PG_END_TRY();
	return datum;
}

/*
 * The value that an image has for a column (from 0) of the relation; false if it has none, because the column is
 * younger. Call under begin_image_settings(). Raises what the type's input function raises, with the column named.
 */
bool
image_column(Jsonb *image, Relation rel, int attribute, Datum *value, bool *isnull)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attribute);
	JsonbValue	buffer;
	JsonbValue *found;

	found = json_member(&image->root, NameStr(att->attname), &buffer);
	if (found == NULL)
		return false;

	*isnull = found->type == jbvNull;
	*value = *isnull ? (Datum) 0 : read_for_column(rel, att, found);
	return true;
}
