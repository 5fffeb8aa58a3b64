/*
 * row.c
 *		Typed access to the rows of the desk's tables.
 *
 * Applications add, drop and reorder columns, and an upgraded desk has them in another order than a fresh one, so a
 * column is looked up by name. The places are kept for each relation until the relcache says that it changed. A shape
 * may be marked invalid while somebody uses it, but is rebuilt only by the next shape_of(): whoever holds one has the
 * relation locked, so the columns it tells of cannot have moved meanwhile.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/row.h"
#include "base/session_cache.h"

static HTAB *shapes;

/* Forget the shape of a relation that changed, of all for InvalidOid. */
static void
forget_shapes(Oid relid)
{
	HASH_SEQ_STATUS scan;
	TableShape *shape;

	if (OidIsValid(relid))
	{
		shape = hash_search(shapes, &relid, HASH_FIND, NULL);
		if (shape)
			shape->valid = false;
		return;
	}

	hash_seq_init(&scan, shapes);
	while ((shape = hash_seq_search(&scan)) != NULL)
		shape->valid = false;
}

void
row_init(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(TableShape)};

	static SessionCache cache = {.relation_changed = forget_shapes};

	shapes = hash_create("support_ext table shapes", 32, &ctl, HASH_ELEM | HASH_BLOBS);
	add_session_cache(&cache);
}

/* Does a column follow from others? */
static bool
is_derived(const DeskTable *table, const char *name)
{
	return table->derived != NULL && strcmp(table->derived, name) == 0;
}

/* Decide how the audit log writes a column of this type. */
static ImageKind
image_kind(Form_pg_attribute att, const DeskTable *table)
{
	if (att->attisdropped || att->attgenerated || is_derived(table, NameStr(att->attname)))
		return IMAGE_NONE;

	switch (att->atttypid)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return IMAGE_INTEGER;
		case BOOLOID:
			return IMAGE_BOOLEAN;
		case TEXTOID:
		case VARCHAROID:
			return IMAGE_TEXT;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return IMAGE_TIME;
		case NUMERICOID:
			return IMAGE_NUMERIC;
		case BYTEAOID:
			return IMAGE_BYTEA;
		case JSONBOID:
			return IMAGE_JSONB;
		default:
			return IMAGE_OTHER;
	}
}

/* Can a column of this type be read as what the rules take it for? */
static bool
is_of_kind(Oid type, ColumnKind kind)
{
	switch (kind)
	{
		case COLUMN_TEXT:
			return type == TEXTOID || type == VARCHAROID;
		case COLUMN_INTEGER:
			return type == INT4OID || type == INT8OID;
		case COLUMN_BIGINT:
			return type == INT8OID;
		case COLUMN_BOOLEAN:
			return type == BOOLOID;
		case COLUMN_TIME:
			return type == TIMESTAMPTZOID;
		case COLUMN_DATE:
			return type == DATEOID;
		case COLUMN_INTERVAL:
			return type == INTERVALOID;
		case COLUMN_JSON:
			return type == JSONBOID;
		case COLUMN_TEXTS:
			return type == TEXTARRAYOID;
		case COLUMN_INTEGERS:
			return type == INT4ARRAYOID;
	}
	return false;
}

/*
 * Find a column that the rules need. Its absence means the wrong table, or a layout older than this code; another
 * type, that somebody changed it.
 */
static AttrNumber
find_column(Relation rel, const DeskTable *table, const char *name, ColumnKind kind)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);
	Oid			type;

	if (attnum == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("table \"%s\" has no column \"%s\" and cannot serve as the desk's %s",
						RelationGetRelationName(rel), name, table->name),
				 errhint("If the desk was restored from an older version, SELECT support.install() brings it forward.")));
	type = getBaseType(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid);
	if (!is_of_kind(type, kind))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("column \"%s\" of table \"%s\" has type %s and cannot serve as that of the desk's %s",
						name, RelationGetRelationName(rel), format_type_be(type), table->name),
				 errhint("Give it back the type that CREATE EXTENSION gave it.")));
	return attnum;
}

/* The order that jsonb keeps an object's keys in: shorter ones first, then byte for byte. */
static int
compare_names(const void *a, const void *b, void *arg)
{
	TupleDesc	desc = arg;
	const char *x = NameStr(TupleDescAttr(desc, *(const int *) a)->attname);
	const char *y = NameStr(TupleDescAttr(desc, *(const int *) b)->attname);
	int			difference = (int) strlen(x) - (int) strlen(y);

	return difference != 0 ? difference : strcmp(x, y);
}

/* Note for each attribute how it is logged and whether the primary key has it. */
static void
describe_attributes(TableShape *shape, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Bitmapset  *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);

	shape->natts = desc->natts;
	shape->column_bits = MemoryContextAllocZero(shape->context, sizeof(uint64) * desc->natts);
	for (int i = 0; i < shape->table->ncolumns; i++)
		shape->column_bits[shape->columns[i] - 1] = UINT64CONST(1) << i;
	shape->kinds = MemoryContextAllocZero(shape->context, sizeof(ImageKind) * desc->natts);
	shape->in_key = MemoryContextAllocZero(shape->context, sizeof(bool) * desc->natts);
	shape->required = MemoryContextAllocZero(shape->context, sizeof(bool) * desc->natts);
	shape->order = MemoryContextAllocZero(shape->context, sizeof(int) * desc->natts);
	shape->has_other = false;

	for (int i = 0; i < desc->natts; i++)
	{
		shape->kinds[i] = image_kind(TupleDescAttr(desc, i), shape->table);
		shape->in_key[i] = bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, key);
		if (shape->kinds[i] == IMAGE_OTHER)
			shape->has_other = true;
		shape->order[i] = i;
	}
	/* an image whose keys come in order needs no sorting */
	qsort_arg(shape->order, desc->natts, sizeof(int), compare_names, desc);
	bms_free(key);
}

/* Is a rule about values of this type? */
static bool
rules_over(const ValueRule *rule, Oid type)
{
	switch (rule->kind)
	{
		case VALUE_JSON:
			return is_of_kind(type, COLUMN_JSON);
		case VALUE_ARRAY:
			return is_of_kind(type, COLUMN_TEXTS) || is_of_kind(type, COLUMN_INTEGERS);
		case VALUE_EVENT:
			return is_of_kind(type, COLUMN_TIME);
		default:
			return is_of_kind(type, COLUMN_TEXT);
	}
}

/* Find a column that a rule is for; invalid if it is gone, or has become something else. */
static AttrNumber
find_ruled(Relation rel, const ValueRule *rule)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), rule->column);

	if (attnum <= 0 || !rules_over(rule, getBaseType(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid)))
		return InvalidAttrNumber;
	return attnum;
}

/* Note which attributes must have a value once our triggers are through. */
static void
note_required(TableShape *shape)
{
	for (int i = 0; i < shape->table->ncolumns; i++)
		if (shape->table->columns[i].nulls != MAY_BE_NULL)
			shape->required[shape->columns[i] - 1] = true;
	if (AttributeNumberIsValid(shape->id))
		shape->required[shape->id - 1] = true;
	if (AttributeNumberIsValid(shape->ticket_id))
		shape->required[shape->ticket_id - 1] = true;
}

/* Look the columns up. The entry stays invalid if that fails half-way. */
static void
build_shape(TableShape *shape, Relation rel, const DeskTable *table)
{
	shape->valid = false;
	MemoryContextReset(shape->context);
	shape->table = table;
	StaticAssertStmt(sizeof(*shape->column_bits) * BITS_PER_BYTE >= MAX_DESK_COLUMNS, "a bit for each column");
	Assert(table->ncolumns <= MAX_DESK_COLUMNS);
	shape->columns = MemoryContextAlloc(shape->context, sizeof(AttrNumber) * Max(table->ncolumns, 1));
	for (int i = 0; i < table->ncolumns; i++)
		shape->columns[i] = find_column(rel, table, table->columns[i].name, table->columns[i].kind);
	shape->id = table->has_id ? find_column(rel, table, "id", COLUMN_BIGINT) : InvalidAttrNumber;
	shape->ticket_id = table->ticket_column ?
		find_column(rel, table, table->ticket_column, COLUMN_BIGINT) : InvalidAttrNumber;
	shape->ruled = MemoryContextAlloc(shape->context, sizeof(AttrNumber) * Max(table->nrules, 1));
	for (int i = 0; i < table->nrules; i++)
		shape->ruled[i] = find_ruled(rel, &table->rules[i]);
	describe_attributes(shape, rel);
	note_required(shape);
	shape->valid = true;
}

/*
 * Where the open relation has the columns of the logical table. The answer lives as long as the session; it is right
 * while the relation stays locked. Raises 39P01 if the relation lacks a column.
 */
const TableShape *
shape_of(Relation rel, const DeskTable *table)
{
	Oid			relid = RelationGetRelid(rel);
	bool		found;
	TableShape *shape = hash_search(shapes, &relid, HASH_ENTER, &found);

	if (!found)
	{
		shape->valid = false;
		shape->context = NULL;
	}
	if (shape->context == NULL)
		shape->context = AllocSetContextCreate(CacheMemoryContext, "support_ext table shape", ALLOCSET_SMALL_SIZES);
	if (!shape->valid || shape->table != table)
		build_shape(shape, rel, table);
	return shape;
}

/* Take a tuple apart. The values point into the tuple; the arrays are the current memory context's. */
void
row_open(Row *row, const TableShape *shape, TupleDesc desc, HeapTuple tuple)
{
	row->shape = shape;
	row->desc = desc;
	row->is_modified = false;
	row->values = palloc(sizeof(Datum) * desc->natts);
	row->nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
}

/* A row of a table, to be filled in. The arrays are the current memory context's. */
Row
empty_row(const TableShape *shape, TupleDesc desc)
{
	return (Row) {
		.shape = shape,
		.desc = desc,
		.values = palloc(sizeof(Datum) * desc->natts),
		.nulls = palloc(sizeof(bool) * desc->natts)
	};
}

/* A row with the same values, in arrays of its own. */
Row
copy_of_row(const Row *row)
{
	Row			copy = empty_row(row->shape, row->desc);

	memcpy(copy.values, row->values, sizeof(Datum) * row->desc->natts);
	memcpy(copy.nulls, row->nulls, sizeof(bool) * row->desc->natts);
	return copy;
}

/* Raise 55000 unless a query returned all the table's columns, in their order. What was dropped is not among them. */
static void
check_source(const Row *row, TupleDesc from)
{
	int			column = 0;
	bool		same = true;

	for (int i = 0; i < row->desc->natts && same; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (!att->attisdropped)
			same = column < from->natts && TupleDescAttr(from, column++)->atttypid == att->atttypid;
	}
	if (!same || column != from->natts)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("support.%s is not the table that it was a moment ago", row->shape->table->name)));
}

/* Fill a row in with what a query returned of all the table's columns. The values point into the tuple. */
void
row_fill(Row *row, HeapTuple tuple, TupleDesc from)
{
	int			column = from->natts;

	check_source(row, from);
	heap_deform_tuple(tuple, from, row->values, row->nulls);
	for (int i = row->desc->natts - 1; i >= 0; i--)
	{
		bool		dropped = TupleDescAttr(row->desc, i)->attisdropped;

		if (!dropped)
			column--;
		row->values[i] = dropped ? (Datum) 0 : row->values[column];
		row->nulls[i] = dropped || row->nulls[column];
	}
}

bool
row_is_null(const Row *row, int column)
{
	return row->nulls[row->shape->columns[column] - 1];
}

Datum
row_datum(const Row *row, int column)
{
	return row->values[row->shape->columns[column] - 1];
}

/* The value of an integer column of either width, 0 where it is NULL. */
int64
row_int64(const Row *row, int column)
{
	AttrNumber	attnum = row->shape->columns[column];

	if (row_is_null(row, column))
		return 0;
	if (TupleDescAttr(row->desc, attnum - 1)->atttypid == INT4OID)
		return DatumGetInt32(row_datum(row, column));
	return DatumGetInt64(row_datum(row, column));
}

/* A boolean column, false where it is NULL. */
bool
row_bool(const Row *row, int column)
{
	return !row_is_null(row, column) && DatumGetBool(row_datum(row, column));
}

/* A text column as a C string in the current memory context, NULL where it is NULL. */
char *
row_text(const Row *row, int column)
{
	return row_is_null(row, column) ? NULL : TextDatumGetCString(row_datum(row, column));
}

/* A time, -infinity where it is NULL. */
TimestampTz
row_time(const Row *row, int column)
{
	return row_is_null(row, column) ? DT_NOBEGIN : DatumGetTimestampTz(row_datum(row, column));
}

/*
 * Raise 55000 if a row that is stored has NULL where the rules take it that there is none: the constraint was dropped, or
 * the triggers were off.
 */
void
row_require(const Row *row)
{
	for (int i = 0; i < row->desc->natts; i++)
		if (row->nulls[i] && row->shape->required[i])
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("column \"%s\" of relation %s.%s is null where it must not be",
							NameStr(TupleDescAttr(row->desc, i)->attname),
							get_namespace_name(get_rel_namespace(row->shape->relid)), row->shape->table->name),
					 errhint("Disable the desk's triggers on the table, give the row a value, and SELECT support.install() puts the constraint back.")));
}

/* Raise 23502 if a row that is about to be stored has it, unless the server will say so. */
void
row_require_new(const Row *row)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (row->nulls[i] && row->shape->required[i] && !att->attnotnull)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of relation \"%s\" violates not-null constraint",
							NameStr(att->attname), row->shape->table->name),
					 errhint("SELECT support.install() puts the constraint back that was dropped.")));
	}
}

/* Raise 23514 for an instant without an end: no age can be told from it. */
void
row_check_finite(const Row *row, int column)
{
	if (!row_is_null(row, column) && TIMESTAMP_NOT_FINITE(row_time(row, column)))
		refuse_infinite_time(row->shape->table->name, row->shape->table->columns[column].name);
}

void
row_set(Row *row, int column, Datum value)
{
	AttrNumber	attnum = row->shape->columns[column];

	row->values[attnum - 1] = value;
	row->nulls[attnum - 1] = false;
	row->is_modified = true;
}

/* Give a column the value that it has in another row of the same shape. */
void
row_take_over(const Row *from, Row *row, int column)
{
	AttrNumber	attnum = row->shape->columns[column];

	row->values[attnum - 1] = from->values[attnum - 1];
	row->nulls[attnum - 1] = from->nulls[attnum - 1];
	row->is_modified = true;
}

void
row_clear(Row *row, int column)
{
	AttrNumber	attnum = row->shape->columns[column];

	row->values[attnum - 1] = (Datum) 0;
	row->nulls[attnum - 1] = true;
	row->is_modified = true;
}

/* The same of two values that are not null, nor the same datum. Toasted ones are fetched only where they must. */
bool
values_differ(const Row *a, const Row *b, int attribute)
{
	Form_pg_attribute att = TupleDescAttr(a->desc, attribute);

	if (att->attbyval)
		return true;
	if (att->attlen == -1)
	{
		struct varlena *va = (struct varlena *) DatumGetPointer(a->values[attribute]);
		struct varlena *vb = (struct varlena *) DatumGetPointer(b->values[attribute]);

		/* equal bytes, toast pointers included, are equal values */
		if (VARSIZE_ANY(va) == VARSIZE_ANY(vb) && memcmp(va, vb, VARSIZE_ANY(va)) == 0)
			return false;
	}
	return !datum_image_eq(a->values[attribute], b->values[attribute], att->attbyval, att->attlen);
}

bool
row_column_differs(const Row *a, const Row *b, int column)
{
	return row_differs(a, b, a->shape->columns[column] - 1);
}
