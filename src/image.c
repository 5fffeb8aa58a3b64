/*
 * image.c
 *		Rows and columns as the audit log keeps them.
 *
 * An image is a jsonb object, column name to value, from which the row can be made again exactly:
 *
 *	- integers, finite numerics and booleans are JSON's own;
 *	- times are ISO 8601, those with a zone in UTC, whatever the session's settings;
 *	- text is a string, bytea its hexadecimal form;
 *	- jsonb is embedded as it is, but for a top-level null or string, which would be mistaken for SQL's NULL and for
 *	  the text of another value: these are kept as their JSON text;
 *	- every other type (arrays, ranges, json, floats and what applications bring) is the text of its output function
 *	  under fixed settings.
 *
 * Reading turns a value into text again and calls the column's input function, so a column that has changed its type
 * since is read as far as the new type understands it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "image.h"

/* Fix one setting that the text of values depends on. */
static void
fix_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

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
	fix_setting("search_path", "pg_catalog");
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
	initStringInfo(&image->json);
	appendStringInfoChar(&image->json, '{');
	image->fields = 0;
}

/* Append a text value that may lie compressed or out of line. */
static void
append_text(StringInfo json, Datum value)
{
	escape_json(json, TextDatumGetCString(value));
}

static void
append_time(StringInfo json, Datum value, Oid type)
{
	char		buffer[MAXDATELEN + 1];
	int			utc = 0;

	JsonEncodeDateTime(buffer, value, type, &utc);
	appendStringInfo(json, "\"%s\"", buffer);
}

static void
append_numeric(StringInfo json, Datum value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));

	if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
		escape_json(json, text);
	else
		appendStringInfoString(json, text);
}

static void
append_bytea(StringInfo json, Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	int			length = VARSIZE_ANY_EXHDR(bytes);

	appendStringInfoString(json, "\"\\\\x");
	enlargeStringInfo(json, length * 2);
	json->len += hex_encode(VARDATA_ANY(bytes), length, json->data + json->len);
	json->data[json->len] = '\0';
	appendStringInfoChar(json, '"');
}

static void
append_jsonb(StringInfo json, Datum value)
{
	Jsonb	   *jb = DatumGetJsonbP(value);
	char	   *text = JsonbToCString(NULL, &jb->root, VARSIZE(jb));

	if (JB_ROOT_IS_SCALAR(jb) && (*text == '"' || *text == 'n'))
		escape_json(json, text);
	else
		appendStringInfoString(json, text);
}

static void
append_other(StringInfo json, Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	escape_json(json, OidOutputFunctionCall(output, value));
}

static void
append_value(StringInfo json, ImageKind kind, Datum value, Oid type)
{
	char		number[MAXINT8LEN + 1];

	switch (kind)
	{
		case IMAGE_INTEGER:
			pg_lltoa(type == INT2OID ? DatumGetInt16(value) :
					 type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value), number);
			appendStringInfoString(json, number);
			break;
		case IMAGE_BOOLEAN:
			appendStringInfoString(json, DatumGetBool(value) ? "true" : "false");
			break;
		case IMAGE_TEXT:
			append_text(json, value);
			break;
		case IMAGE_TIME:
			append_time(json, value, type);
			break;
		case IMAGE_NUMERIC:
			append_numeric(json, value);
			break;
		case IMAGE_BYTEA:
			append_bytea(json, value);
			break;
		case IMAGE_JSONB:
			append_jsonb(json, value);
			break;
		case IMAGE_OTHER:
			append_other(json, value, type);
			break;
		case IMAGE_NONE:
			elog(ERROR, "a dropped or generated column has no image");
	}
}

/* Add a column (from 0) of a row. */
void
image_add(Image *image, const Row *row, int attribute)
{
	Form_pg_attribute att = TupleDescAttr(row->desc, attribute);

	if (image->fields++ > 0)
		appendStringInfoChar(&image->json, ',');
	escape_json(&image->json, NameStr(att->attname));
	appendStringInfoChar(&image->json, ':');
	if (row->nulls[attribute])
		appendStringInfoString(&image->json, "null");
	else
		append_value(&image->json, row->shape->kinds[attribute], row->values[attribute], att->atttypid);
}

/* The finished image, a jsonb in the current memory context. */
Datum
image_end(Image *image)
{
	appendStringInfoChar(&image->json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(image->json.data));
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

/*
 * The value that an image has for a column (from 0) of the relation; false if it has none, because the column is
 * younger. Call under begin_image_settings(). Raises what the type's input function raises.
 */
bool
image_column(Jsonb *image, Relation rel, int attribute, Datum *value, bool *isnull)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attribute);
	JsonbValue	buffer;
	JsonbValue *found;
	Oid			input;
	Oid			param;

	found = getKeyJsonValueFromContainer(&image->root, NameStr(att->attname), strlen(NameStr(att->attname)), &buffer);
	if (found == NULL)
		return false;

	*isnull = found->type == jbvNull;
	getTypeInputInfo(att->atttypid, &input, &param);
	*value = *isnull ? (Datum) 0 : OidInputFunctionCall(input, value_text(found), param, att->atttypmod);
	return true;
}
