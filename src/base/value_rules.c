/*
 * value_rules.c
 *		What values are held to, whatever road they come by.
 *
 * tables.c says for each table which columns are names, in one line, which are keys of other systems, and which say when
 * something has happened, and how much those may hold whose type has no limit. The BEFORE triggers bring new values into their form, or refuse them, ahead of
 * all hooks, so that a name is the same whether a function, an INSERT, COPY or a mapper writes it. A value that stays as it
 * was is left alone: it may be older than its rule, or than a lower limit. So is a row that becomes what it was.
 *
 * Sizes are those of values before they are compressed; nothing is fetched to find them. The desk's own limits are looked
 * up only for what is larger than any of them can be.
 *
 * JSON of whatever column, an application's too, is no deeper than the server can read again. It builds deeper values than
 * it reads, for reading recurses: one of them could not be restored from a dump, nor come back from the log.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/actor.h"
#include "base/characters.h"
#include "base/desk_settings.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/settings.h"
#include "base/tables.h"
#include "base/value_rules.h"

/*
 * How many levels of arrays and objects a value may have. With the smallest max_stack_depth the server reads some six
 * hundred. An image in the log has one level more, for the row.
 */
#define MAX_JSON_DEPTH 500
#define IMAGE_LEVELS 1

/* A level has two brackets at the least; in jsonb it has more. */
#define LEVEL_BYTES 2

/* Is a text what the desk itself gives as a number? Nobody knows that of a row which did not come in. */
static bool
is_own_number(const char *column, const char *text)
{
	return strcmp(column, "ticket_number") == 0 && strncmp(text, ticket_prefix, strlen(ticket_prefix)) == 0;
}

/* A row's line or key in a column, trimmed, as a terminal may show it; NULL for none, and for one of no name's size. */
static const char *
line_of_row(const Row *row, const char *column)
{
	const TableShape *shape = row->shape;

	for (int i = 0; i < shape->table->nrules; i++)
	{
		AttrNumber	attnum = shape->ruled[i];
		Datum		line;

		if (!AttributeNumberIsValid(attnum) || row->nulls[attnum - 1] || strcmp(shape->table->rules[i].column, column) != 0)
			continue;
		if (size_of_value(row->values[attnum - 1]) > SMALL_VALUE)
			return NULL;
		line = trimmed(row->values[attnum - 1]);
		return is_empty(line) ? NULL : visible_line(TextDatumGetCString(line));
	}
	return NULL;
}

/*
 * A sentence for the DETAIL of an error that says which of the rows it is that a statement brings: by its key in the other
 * system, or else by the number or address that it was given. "" for a row that has none of them, or that is there already,
 * which its writer may not be allowed to read.
 */
const char *
new_row_told(const RowChange *change)
{
	static const char *const columns[] = {"external_id", "ticket_number", "email"};

	for (int i = 0; i < lengthof(columns) && change->old == NULL; i++)
	{
		const char *line = line_of_row(change->new, columns[i]);

		if (line != NULL && !is_own_number(columns[i], line))
			return psprintf("The row has %s \"%s\".", columns[i], line);
	}
	return "";
}

/* Raise 23514 for a line that has a character which nobody sees. */
static void
check_line(const RowChange *change, const ValueRule *rule, Datum value)
{
	CharacterReader reader = characters_of(value);

	while (next_character(&reader))
		if (is_hidden_character(reader.code))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s of %s.%s must not have the character U+%04X", rule->column, schema_of(change->table),
							change->table->name, reader.code),
					 errdetail("It is one line of text: it has no line break, tab or other control character, and none that"
							   " turns the direction of text.%s%s", *new_row_told(change) ? " " : "", new_row_told(change)),
					 errhint("Put a space in its place, or leave it out.")));
}

/* 54000: more bytes than the limit, which a setting of the desk may be. */
pg_noreturn static void
refuse_size(const char *what, uint64 size, int64 limit, const char *setting)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s is too large", what),
			 errdetail("It has %llu bytes, and may have %lld.", (unsigned long long) size, (long long) limit),
			 setting != NULL ?
			 errhint("The owner of the desk sets the limit, by support.configure('%s', value).", setting) :
			 errhint("Shorten it, or keep it elsewhere.")));
}

/* Raise 54000 for a value of more bytes than the limit. */
void
check_size(const char *what, Datum value, int64 limit)
{
	if (size_of_value(value) > limit)
		refuse_size(what, size_of_value(value), limit, NULL);
}

/* How many bytes a value has that may lie compressed or out of line. */
uint64
size_of_value(Datum value)
{
	return toast_raw_datum_size(value) - VARHDRSZ;
}

/* The limit of a rule whose values are as large as that; *setting names where it is from. */
static int64
limit_of(const ValueRule *rule, uint64 size, const char **setting)
{
	int64		limit;

	if (rule->limit >= 0 || size <= SMALL_VALUE)
		return rule->limit > 0 ? rule->limit : PG_INT64_MAX;
	SPI_connect();
	*setting = rule->limit == LIMIT_OF_TEXTS ? "max_text_size" : "max_custom_size";
	limit = rule->limit == LIMIT_OF_TEXTS ? max_text_size() : max_custom_size();
	SPI_finish();
	return limit;
}

/* Raise 54000 for a value that is larger than its rule allows. */
static void
check_rule_size(const Row *row, const ValueRule *rule, Datum value)
{
	const char *setting = NULL;
	uint64		size = size_of_value(value);
	int64		limit;

	if (rule->kind == VALUE_JSON)
		size = json_text_size(DatumGetJsonbP(value), MaxAllocSize).bytes;
	limit = limit_of(rule, size, &setting);
	if (size > limit)
		refuse_size(psprintf("%s of %s.%s", rule->column, schema_of(row->shape->table), row->shape->table->name), size,
					limit, setting);
}

/* Raise 23514 for an instant without an end, and 22008 for one at which nothing can have happened. */
void
check_event(const RowChange *change, const char *column, TimestampTz at)
{
	const char *table = change->table->name;

	if (TIMESTAMP_NOT_FINITE(at))
		refuse_infinite_time(table, column);
	if (!may_have_happened(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("%s of support.%s cannot be %s", column, table, timestamptz_to_str(at)),
				 *new_row_told(change) ? errdetail("%s", new_row_told(change)) : 0,
				 errhint("What has happened lies between 1970-01-01 and now, give or take the %d minutes that a clock may be fast.",
						 MINUTES_FAST)));
}

/* Bring a text into the form that its rule asks for. */
static void
trim_value(Row *row, const ValueRule *rule, AttrNumber attnum)
{
	Datum		given = row->values[attnum - 1];
	Datum		value = trimmed(given);
	bool		is_none = rule->kind == VALUE_KEY && is_empty(value);

	if (value == given && !is_none)
		return;
	row->nulls[attnum - 1] = is_none;
	row->values[attnum - 1] = is_none ? (Datum) 0 : value;
	row->is_modified = true;
}

/* Hold a value to its rule. */
static void
apply_rule(RowChange *change, const ValueRule *rule, AttrNumber attnum)
{
	Row		   *row = change->new;

	if (rule->kind == VALUE_EVENT)
	{
		check_event(change, rule->column, DatumGetTimestampTz(row->values[attnum - 1]));
		return;
	}
	check_rule_size(row, rule, row->values[attnum - 1]);
	if (rule->kind != VALUE_LINE && rule->kind != VALUE_KEY)
		return;
	trim_value(row, rule, attnum);
	if (!row->nulls[attnum - 1])
		check_line(change, rule, row->values[attnum - 1]);
}

/* How deep a value is whose type has JSON in it: by itself, as a domain or as an array. 0 for all others. */
static int
depth_of(Datum value, Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);
	text	   *json;
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int			depth = 0;

	if (base == JSONBOID)
		return json_depth(DatumGetJsonbP(value));
	if (base == JSONOID)
	{
		json = DatumGetTextPP(value);
		return json_text_depth(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
	}
	if (!OidIsValid(element) || (getBaseType(element) != JSONBOID && getBaseType(element) != JSONOID))
		return 0;
	deconstruct_array(DatumGetArrayTypeP(value), element, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			depth = Max(depth, depth_of(elements[i], element));
	return depth;
}

/* Raise 54000 for JSON with more levels than the server surely reads again. */
static void
check_depth(const Row *row, int attribute)
{
	const DeskTable *table = row->shape->table;
	Form_pg_attribute att = TupleDescAttr(row->desc, attribute);
	int			most = MAX_JSON_DEPTH + (table == &log_table ? IMAGE_LEVELS : 0);

	if (att->attlen != -1 || size_of_value(row->values[attribute]) <= MAX_JSON_DEPTH * LEVEL_BYTES ||
		depth_of(row->values[attribute], att->atttypid) <= most)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s of %s.%s is nested too deeply", NameStr(att->attname), schema_of(table), table->name),
			 errdetail("It may have %d levels of arrays and objects.", most),
			 errhint("Keep what is so deep as a text.")));
}

/* Hold the JSON that a row brings to its depth, in columns of ours and of applications. */
static void
check_depths(const RowChange *change)
{
	const Row  *new = change->new;

	for (int i = 0; i < new->shape->natts; i++)
		if ((new->shape->kinds[i] == IMAGE_JSONB || new->shape->kinds[i] == IMAGE_OTHER) && !new->nulls[i] &&
			(change->old == NULL || change->differs[i]))
			check_depth(new, i);
}

/* Hold the new values of a row that comes or changes to their rules. */
void
apply_value_rules(RowChange *change)
{
	const TableShape *shape = change->new->shape;

	if (change->restoring)
		return;
	check_depths(change);
	for (int i = 0; i < shape->table->nrules; i++)
	{
		AttrNumber	attnum = shape->ruled[i];

		if (!AttributeNumberIsValid(attnum) || change->new->nulls[attnum - 1] ||
			(change->old != NULL && !change->differs[attnum - 1]))
			continue;
		apply_rule(change, &shape->table->rules[i], attnum);
		if (change->old != NULL && !row_differs(change->old, change->new, attnum - 1))
			forget_difference(change, attnum - 1);
	}
}

/* A key of another system in an argument, as it is kept; 0 for none. */
Datum
key_argument(FunctionCallInfo fcinfo, int n)
{
	Datum		key;

	if (PG_ARGISNULL(n))
		return (Datum) 0;
	key = trimmed(PG_GETARG_DATUM(n));
	return is_empty(key) ? (Datum) 0 : key;
}
