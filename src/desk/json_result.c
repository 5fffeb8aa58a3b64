/*
 * json_result.c
 *		The results of statements as one jsonb object.
 *
 * Flat statements whose rows are put together here are twice as fast as one statement that builds the same object with
 * jsonb_build_object() and jsonb_agg(): these look up how to write each argument at each call, and copy what is inner
 * at every level.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/json.h"
#include "base/plan.h"
#include "desk/json_result.h"

void
begin_answer(Answer *answer)
{
	memset(answer, 0, sizeof(Answer));
	jsonb_push(answer, WJB_BEGIN_OBJECT, NULL);
}

void
answer_null(Answer *answer, const char *key)
{
	JsonbValue	value = {.type = jbvNull};

	json_push_key(answer, key);
	jsonb_push(answer, WJB_VALUE, &value);
}

void
answer_int64(Answer *answer, const char *key, int64 number)
{
	json_push_key(answer, key);
	json_push_int64(answer, number);
}

/*
 * A column (from 1) of a row, not NULL, as to_jsonb() would have it; what is jsonb holds an object or an array. Of a
 * type that the desk's columns do not have, unless their owner changed them, it is the text.
 */
static void
set_column(JsonbValue *value, uint64 row, int column)
{
	Oid			type = getBaseType(SPI_gettypeid(SPI_tuptable->tupdesc, column));
	Datum		datum = result(row, column);
	char	   *text;

	switch (type)
	{
		case INT4OID:
			json_int64(value, DatumGetInt32(datum));
			break;
		case INT8OID:
			json_int64(value, DatumGetInt64(datum));
			break;
		case BOOLOID:
			value->type = jbvBool;
			value->val.boolean = DatumGetBool(datum);
			break;
		case TEXTOID:
		case VARCHAROID:
			json_text(value, datum);
			break;
		case TIMESTAMPTZOID:
			text = JsonEncodeDateTime(palloc(MAXDATELEN + 1), datum, type, NULL);
			json_string(value, text, strlen(text));
			break;
		case JSONBOID:
			json_document(value, DatumGetJsonbP(datum));
			break;
		default:
			text = result_text(row, column);
			json_string(value, text, strlen(text));
	}
}

/* Add a column, under its key or to a list. */
static void
add_column(Answer *answer, JsonbIteratorToken token, uint64 row, int column)
{
	JsonbValue	value = {.type = jbvNull};

	if (!result_is_null(row, column))
		set_column(&value, row, column);
	jsonb_push(answer, token, &value);
}

/* Add the columns of a row as members. */
void
answer_columns(Answer *answer, uint64 row)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;

	for (int i = 0; i < desc->natts; i++)
	{
		json_push_key(answer, NameStr(TupleDescAttr(desc, i)->attname));
		add_column(answer, WJB_VALUE, row, i + 1);
	}
}

/* Add an array of the first n rows, each an object. */
void
answer_rows(Answer *answer, const char *key, uint64 n)
{
	json_push_key(answer, key);
	jsonb_push(answer, WJB_BEGIN_ARRAY, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		jsonb_push(answer, WJB_BEGIN_OBJECT, NULL);
		answer_columns(answer, i);
		jsonb_push(answer, WJB_END_OBJECT, NULL);
	}
	jsonb_push(answer, WJB_END_ARRAY, NULL);
}

/* Add an array of the first column of n rows. */
void
answer_list(Answer *answer, const char *key, uint64 n)
{
	json_push_key(answer, key);
	jsonb_push(answer, WJB_BEGIN_ARRAY, NULL);
	for (uint64 i = 0; i < n; i++)
		add_column(answer, WJB_ELEM, i, 1);
	jsonb_push(answer, WJB_END_ARRAY, NULL);
}

/* The finished object, a jsonb in the current memory context. */
Datum
end_answer(Answer *answer)
{
	jsonb_push(answer, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(answer->result));
}
