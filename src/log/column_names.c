/*
 * column_names.c
 *		What the columns were called that images of the log are of.
 *
 * An image has its columns by name, and columns are renamed. The number that the server gives a column is never another's in
 * the same table, so support_internal.column_names has the numbers and names that a table had when images of it were written:
 * noted by each session before it relies on them, in the transaction that writes the image. A name may be noted twice, since
 * nobody waits for another session's note.
 *
 * A column is followed from its old name to that of today if that is certain: its number is the only one that had the name.
 * Numbers are of a table in a database: a dump carries the names alone. So what a column of an earlier database was called
 * there, in whatever order, is looked for among the names here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "base/tables.h"
#include "log/column_names.h"
#include "log/eras.h"

enum
{
	NOTE,
	NAME_OF_TODAY
};

static Statement statements[] = {
	[NOTE] = {
		.text = "INSERT INTO support_internal.column_names (era, relid, attnum, table_name, name)"
		" SELECT $1, $2, a.attnum, $3, a.attname"
		" FROM pg_attribute AS a"
		" WHERE a.attrelid = $2 AND a.attnum > 0 AND NOT a.attisdropped"
		" AND NOT EXISTS (SELECT FROM support_internal.column_names AS n"
		"	WHERE n.era = $1 AND n.relid = $2 AND n.attnum = a.attnum AND n.name = a.attname)",
		.nargs = 3, .argtypes = {INT4OID, OIDOID, TEXTOID}, .as_owner_of = INTERNAL_TABLE("column_names")
	},
	/* a row for each column that it may be; NULL for one that is gone */
	[NAME_OF_TODAY] = {
		.text = "WITH named AS"
		" ("
		"	SELECT DISTINCT n.era, n.relid, n.attnum"
		"	FROM support_internal.column_names AS n"
		"	WHERE n.table_name = $3 AND n.name = $4"
		" ), aliases AS"
		" ("
		"	SELECT $4 AS name"
		"	UNION"
		"	SELECT n.name"
		"	FROM named AS k"
		"	JOIN support_internal.column_names AS n"
		"		ON n.era = k.era AND n.relid = k.relid AND n.attnum = k.attnum"
		"	WHERE k.era <> $1"
		" ), here AS"
		" ("
		"	SELECT DISTINCT n.attnum"
		"	FROM aliases AS s"
		"	JOIN support_internal.column_names AS n ON n.name = s.name"
		"	WHERE n.era = $1 AND n.relid = $2"
		" )"
		" SELECT a.attname::text"
		" FROM here AS h"
		" LEFT JOIN pg_attribute AS a"
		"	ON a.attrelid = $2 AND a.attnum = h.attnum AND NOT a.attisdropped AND a.attgenerated = ''",
		.columns = {{TEXTOID}},
		.nargs = 4, .argtypes = {INT4OID, OIDOID, TEXTOID, TEXTOID}, .as_owner_of = INTERNAL_TABLE("column_names")
	}
};

/* A table whose names are noted as they are now. */
typedef struct NotedTable
{
	Oid			relid;			/* hash key */
	bool		is_noted;
} NotedTable;

static HTAB *noted_tables;

/* What a statement has told to be left out, until the next one tells something or the transaction ends. */
typedef struct ToldColumns
{
	LocalTransactionId transaction;
	TimestampTz statement;
	List	   *names;			/* in TopTransactionContext */
} ToldColumns;

static ToldColumns told;

static void
forget_names(Oid relid)
{
	HASH_SEQ_STATUS scan;
	NotedTable *table;

	hash_seq_init(&scan, noted_tables);
	while ((table = hash_seq_search(&scan)) != NULL)
		if (!OidIsValid(relid) || relid == table->relid)
			table->is_noted = false;
}

/* A note may go with a rollback, hence the look at stale. */
static SessionCache cache = {.relation_changed = forget_names};

void
column_names_init(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(NotedTable)};

	noted_tables = hash_create("support_ext noted tables", 32, &ctl, HASH_ELEM | HASH_BLOBS);
	add_session_cache(&cache);
}

/* The arguments that both statements begin with. */
static Args
table_args(const TableShape *shape)
{
	Args		args = {0};

	arg(&args, Int32GetDatum(current_era()));
	arg(&args, ObjectIdGetDatum(shape->relid));
	arg_text(&args, shape->table->name);
	return args;
}

/* Note what the columns of a table are called, an image of which this transaction writes. */
void
note_column_names(const TableShape *shape)
{
	NotedTable *table;
	bool		found;
	Args		args;

	if (cache.stale)
		forget_names(InvalidOid);
	cache.stale = false;
	table = hash_search(noted_tables, &shape->relid, HASH_ENTER, &found);
	if (found && table->is_noted)
		return;
	table->is_noted = false;
	SPI_connect();
	args = table_args(shape);
	note_reading(&cache);
	run_latest(&statements[NOTE], &args);
	SPI_finish();
	table->is_noted = true;
}

static bool
is_told(const char *name)
{
	ListCell   *cell;

	foreach(cell, told.names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

/* Warn of a value that has no column any more, once for the column in a statement. */
static void
tell_left_out(const TableShape *shape, const char *name, bool is_generated)
{
	char	   *column = psprintf("%s.%s.%s", schema_of(shape->table), shape->table->name, name);
	MemoryContext previous;

	if (told.transaction != current_lxid() || told.statement != GetCurrentStatementStartTimestamp())
		told = (ToldColumns) {current_lxid(), GetCurrentStatementStartTimestamp(), NIL};
	if (is_told(column))
		return;
	previous = MemoryContextSwitchTo(TopTransactionContext);
	told.names = lappend(told.names, pstrdup(column));
	MemoryContextSwitchTo(previous);
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 is_generated ?
			 errmsg("column \"%s\" is left out: it is generated from others now", column) :
			 errmsg("column \"%s\" is left out: the table has it no more", column),
			 errhint("The audit log keeps what it held.")));
}

/* What a column of that name is called today; NULL unless that is certain. */
static char *
name_of_today(const TableShape *shape, const char *name)
{
	Args		args;
	char	   *today = NULL;
	MemoryContext caller = CurrentMemoryContext;

	note_column_names(shape);
	SPI_connect();
	args = table_args(shape);
	arg_text(&args, name);
	if (run_latest(&statements[NAME_OF_TODAY], &args) == 1 && !result_is_null(0, 1))
		today = MemoryContextStrdup(caller, result_text(0, 1));
	SPI_finish();
	return today;
}

/* Has the table a column of that name that a value can be given? */
static bool
is_column(Oid relid, const char *name, bool *is_generated)
{
	HeapTuple	tuple = SearchSysCacheAttName(relid, name);
	bool		found = HeapTupleIsValid(tuple);

	*is_generated = found && ((Form_pg_attribute) GETSTRUCT(tuple))->attgenerated != '\0';
	if (found)
		ReleaseSysCache(tuple);
	return found && !*is_generated;
}

/* The name that an image's key goes by today; NULL, and a warning, if there is none. */
static char *
key_of_today(Jsonb *image, const TableShape *shape, char *key)
{
	bool		is_generated;
	JsonbValue	buffer;
	char	   *today;

	if (is_column(shape->relid, key, &is_generated))
		return key;
	today = is_generated ? NULL : name_of_today(shape, key);
	if (today != NULL && json_member(&image->root, today, &buffer) == NULL)
		return today;
	tell_left_out(shape, key, is_generated);
	return NULL;
}

/* Add a member to an object under the name of today; true if that is another, or there is none. */
static bool
add_member(JsonbBuilder *object, Jsonb *image, const TableShape *shape, char *key, JsonbValue *value)
{
	char	   *today = key_of_today(image, shape, key);

	if (today != NULL)
	{
		json_push_key(object, today);
		jsonb_push(object, WJB_VALUE, value);
	}
	return today != key;
}

/*
 * The image with its columns under the names that they have today, and without those that are gone, of which a warning
 * tells. NULL for NULL. Mostly it is the image itself.
 */
Jsonb *
with_names_of_today(Jsonb *image, const TableShape *shape)
{
	JsonbBuilder object = {0};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;
	bool		differs = false;

	if (image == NULL)
		return NULL;
	iterator = JsonbIteratorInit(&image->root);
	jsonb_push(&object, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			differs |= add_member(&object, image, shape, key, &value);
	}
	jsonb_push(&object, WJB_END_OBJECT, NULL);
	return differs ? JsonbValueToJsonb(object.result) : image;
}
