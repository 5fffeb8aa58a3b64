/*
 * inserted_rows.c
 *		Rows as they were inserted.
 *
 * The log keeps no image of an INSERT. The row as it was inserted has, of each column that changed later, the oldest
 * value that a later entry replaced, and of the others the value that the next DELETE kept, or that the row has now.
 * Images are put together as images, so a value is given as it was written, whatever has become of its column.
 *
 * Many rows are looked for at once: the entries of each ticket are read once for all of its rows, and the rows that
 * are there now by their keys.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/json.h"
#include "base/plan.h"
#include "log/inserted_rows.h"
#include "log/row_image.h"

enum
{
	LATER_ENTRIES
};

static Statement statements[] = {
	[LATER_ENTRIES] = {
		.text = "SELECT ticket_id, record_id, id, action = ANY (ARRAY['UPDATE', 'ERASE']), old_value FROM support.audit_log"
		" WHERE table_name = $1"
		" AND ticket_id = ANY ($2) AND id > $3"
		" AND (action = ANY (ARRAY['UPDATE', 'DELETE', 'PURGE']) OR (action = 'ERASE' AND old_value IS NOT NULL))",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID}, {INT8OID, NOT_NULL}, {BOOLOID, NOT_NULL}, {JSONBOID}},
		.nargs = 3, .argtypes = {TEXTOID, INT8ARRAYOID, INT8OID}
	}
};

/* What is read of a later entry, in the order of the query's columns. */
enum
{
	LATER_TICKET_ID = 1,
	LATER_RECORD_ID,
	LATER_ID,
	LATER_IS_UPDATE,
	LATER_OLD_VALUE
};

/* The rows of one table that are looked for, in the order of their names. */
typedef struct Search
{
	const DeskTable *table;
	Relation	rel;
	TupleDesc	desc;
	const TableShape *shape;
	Insertion **wanted;
	int			n;
	MemoryContext lasting;		/* of the images; SPI leaves us in a context of its own */
	MemoryContext passing;		/* of one entry or row, reset for each */
} Search;

/* A later entry about one of them. */
typedef struct LaterEntry
{
	int64		id;
	int			place;			/* in Search.wanted, of the first insertion of its row */
	HeapTuple	tuple;
} LaterEntry;

/* The later entries, as they come. */
typedef struct LaterEntries
{
	int			n;
	int			room;
	LaterEntry *entries;
	TupleDesc	desc;
} LaterEntries;

static int
compare_int64(int64 a, int64 b)
{
	return a < b ? -1 : a > b;
}

/* Order rows of one table by what names them. */
static int
compare_records(const Insertion *a, const Insertion *b)
{
	int			order = compare_int64(a->ticket_id, b->ticket_id);

	if (order == 0)
		order = compare_int64(a->record_id, b->record_id);
	if (order != 0 || a->key == NULL || b->key == NULL)
		return order;
	/* equal keys have equal bytes, and no other order is needed */
	order = compare_int64(VARSIZE(a->key), VARSIZE(b->key));
	return order != 0 ? order : memcmp(a->key, b->key, VARSIZE(a->key));
}

static int
compare_insertions(const void *x, const void *y)
{
	const Insertion *a = *(Insertion *const *) x;
	const Insertion *b = *(Insertion *const *) y;
	int			order = strcmp(a->table->name, b->table->name);

	if (order == 0)
		order = compare_records(a, b);
	return order != 0 ? order : compare_int64(a->audit_id, b->audit_id);
}

static int
compare_later_entries(const void *x, const void *y)
{
	return compare_int64(((const LaterEntry *) x)->id, ((const LaterEntry *) y)->id);
}

/* The place in search->wanted of the first insertion of a row; search->n if it is not looked for. */
static int
first_insertion(const Search *search, const Insertion *row)
{
	int			low = 0;
	int			high = search->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (compare_records(search->wanted[middle], row) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < search->n && compare_records(search->wanted[low], row) == 0 ? low : search->n;
}

/* Are all columns of an image known? */
static bool
knows_all(const Insertion *insertion, Jsonb *image)
{
	JsonbIterator *iterator = JsonbIteratorInit(&image->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue	buffer;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY &&
			(insertion->image == NULL ||
			 !JB_ROOT_IS_OBJECT(insertion->image) ||
			 getKeyJsonValueFromContainer(&insertion->image->root, value.val.string.val, value.val.string.len,
										  &buffer) == NULL))
			return false;
	return true;
}

/* Add the columns of an image that are not known yet. What is known is older, and stays. */
static void
add_image(const Search *search, Insertion *insertion, Jsonb *image)
{
	MemoryContext previous;
	Jsonb	   *known = insertion->image;

	if (knows_all(insertion, image))
		return;
	if (known != NULL)
		image = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(image), JsonbPGetDatum(known)));
	previous = MemoryContextSwitchTo(search->lasting);
	insertion->image = DatumGetJsonbPCopy(JsonbPGetDatum(image));
	MemoryContextSwitchTo(previous);
	if (known != NULL)
		pfree(known);
}

/* The columns of an image that make up the key of the table. */
static Jsonb *
key_of_image(const Search *search, Jsonb *image)
{
	Image		key;
	JsonbValue	value;

	image_begin(&key);
	for (int i = 0; i < search->desc->natts; i++)
	{
		char	   *column = NameStr(TupleDescAttr(search->desc, i)->attname);

		if (!search->shape->in_key[i] ||
			json_member(&image->root, column, &value) == NULL)
			continue;
		json_push_key(&key, column);
		jsonb_push(&key, WJB_VALUE, &value);
	}
	return DatumGetJsonbP(image_end(&key));
}

/* An image of a row that is there, or of its key. */
static Jsonb *
image_of_row(const Search *search, const Row *row, bool whole)
{
	Image		image;

	image_begin(&image);
	for (int i = 0; i < search->desc->natts; i++)
		if (search->shape->kinds[i] != IMAGE_NONE && (whole || search->shape->in_key[i]))
			image_add(&image, row, i);
	return DatumGetJsonbP(image_end(&image));
}

/* The image of a later entry; NULL if a purge has emptied it, or if it is none. */
static Jsonb *
old_image(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		image = SPI_getbinval(tuple, desc, LATER_OLD_VALUE, &isnull);

	return isnull || !JB_ROOT_IS_OBJECT(DatumGetJsonbP(image)) ? NULL : DatumGetJsonbP(image);
}

/* Where in search->wanted are the insertions of the row that a later entry is about? */
static int
place_of_entry(const Search *search, HeapTuple tuple, TupleDesc desc)
{
	Insertion	row = {0};
	Jsonb	   *image;
	bool		isnull;

	row.ticket_id = DatumGetInt64(SPI_getbinval(tuple, desc, LATER_TICKET_ID, &isnull));
	row.record_id = DatumGetInt64(SPI_getbinval(tuple, desc, LATER_RECORD_ID, &isnull));
	if (search->table->has_id)
		return first_insertion(search, &row);
	image = old_image(tuple, desc);
	if (image == NULL)
		return search->n;
	row.key = key_of_image(search, image);
	return first_insertion(search, &row);
}

static void
add_later_entry(LaterEntries *entries, int place, HeapTuple tuple)
{
	bool		isnull;

	if (entries->n == entries->room)
		entries->entries = repalloc_huge(entries->entries, sizeof(LaterEntry) * (entries->room *= 2));
	entries->entries[entries->n++] = (LaterEntry) {
		.id = DatumGetInt64(SPI_getbinval(tuple, entries->desc, LATER_ID, &isnull)),
		.place = place,
		.tuple = heap_copytuple(tuple)
	};
}

/* The tickets of the rows we look for, each once. */
static Datum
tickets_of(const Search *search)
{
	Datum	   *ids = palloc(sizeof(Datum) * search->n);
	int			n = 0;

	for (int i = 0; i < search->n; i++)
		if (i == 0 || search->wanted[i]->ticket_id != search->wanted[i - 1]->ticket_id)
			ids[n++] = Int64GetDatum(search->wanted[i]->ticket_id);
	return PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The ids of those of which something is missing. */
static Datum
ids_of_incomplete(const Search *search)
{
	Datum	   *ids = palloc(sizeof(Datum) * search->n);
	int			n = 0;

	for (int i = 0; i < search->n; i++)
		if (!search->wanted[i]->complete)
			ids[n++] = Int64GetDatum(search->wanted[i]->record_id);
	return PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* No entry with a smaller id, or this one, is later than what we look for. */
static int64
first_audit_id(const Search *search)
{
	int64		first = PG_INT64_MAX;

	for (int i = 0; i < search->n; i++)
		first = Min(first, search->wanted[i]->audit_id);
	return first;
}

/* Read the later entries that are about rows we look for, in the order of their ids. */
static LaterEntries
read_later_entries(const Search *search)
{
	LaterEntries entries = {.room = 64};
	Args		args = {0};
	Reader		reader;
	HeapTuple	tuple;

	arg_text(&args, search->table->name);
	arg(&args, tickets_of(search));
	arg_int64(&args, first_audit_id(search));
	entries.entries = palloc(sizeof(LaterEntry) * entries.room);
	open_reader(&reader, &statements[LATER_ENTRIES], &args);
	MemoryContextSwitchTo(search->lasting);
	entries.desc = CreateTupleDescCopy(reader.portal->tupDesc);
	while ((tuple = next_row(&reader)) != NULL)
	{
		int			place;

		MemoryContextReset(search->passing);
		MemoryContextSwitchTo(search->passing);
		place = place_of_entry(search, tuple, entries.desc);
		MemoryContextSwitchTo(search->lasting);
		if (place < search->n)
			add_later_entry(&entries, place, tuple);
	}
	close_reader(&reader);
	MemoryContextSwitchTo(search->lasting);
	qsort(entries.entries, entries.n, sizeof(LaterEntry), compare_later_entries);
	return entries;
}

/* Take from a later entry what it tells of the row; image NULL if a purge has emptied it. */
static void
apply_later_entry(const Search *search, Insertion *insertion, bool is_update, Jsonb *image)
{
	if (image != NULL)
		add_image(search, insertion, image);
	if (!is_update)
	{
		insertion->complete = true;
		insertion->lost = image == NULL;
	}
}

/* Have the later entries tell of the rows: each of all insertions of its row that are older than it. */
static void
apply_later_entries(const Search *search)
{
	LaterEntries entries = read_later_entries(search);

	MemoryContextSwitchTo(search->passing);
	for (int i = 0; i < entries.n; i++)
	{
		LaterEntry *entry = &entries.entries[i];
		Insertion  *row = search->wanted[entry->place];
		Jsonb	   *image;
		bool		is_update;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(search->passing);
		image = old_image(entry->tuple, entries.desc);
		is_update = DatumGetBool(SPI_getbinval(entry->tuple, entries.desc, LATER_IS_UPDATE, &isnull));
		for (int j = entry->place; j < search->n && compare_records(search->wanted[j], row) == 0; j++)
			if (search->wanted[j]->audit_id < entry->id && !search->wanted[j]->complete)
				apply_later_entry(search, search->wanted[j], is_update, image);
	}
	MemoryContextSwitchTo(search->lasting);
}

/* The statement that reads the rows that are there, whole. Those of a table without ids are few, or of a ticket. */
static Statement *
rows_statement(const Search *search)
{
	static const Oid argtypes[] = {INT8ARRAYOID};
	const char *column = search->table->has_id ? "id" : search->table->ticket_column;

	return statement_of(psprintf("SELECT r.* FROM support.%s AS r WHERE %s%s = ANY ($1)",
								 search->table->name, column ? "r." : "0", column ? column : ""),
						1, argtypes, NULL, 0);
}

/* Take from a row that is there what is missing of its insertions. */
static void
apply_row(const Search *search, HeapTuple found, TupleDesc desc)
{
	Insertion	wanted = {0};
	Row			row = empty_row(search->shape, search->desc);
	Jsonb	   *image;

	row_fill(&row, found, desc);
	if (AttributeNumberIsValid(search->shape->ticket_id))
		wanted.ticket_id = DatumGetInt64(row.values[search->shape->ticket_id - 1]);
	if (search->table->has_id)
		wanted.record_id = DatumGetInt64(row.values[search->shape->id - 1]);
	else
		wanted.key = image_of_row(search, &row, false);
	image = image_of_row(search, &row, true);
	for (int i = first_insertion(search, &wanted);
		 i < search->n && compare_records(search->wanted[i], &wanted) == 0; i++)
		if (!search->wanted[i]->complete)
		{
			add_image(search, search->wanted[i], image);
			search->wanted[i]->complete = true;
		}
}

/* Have the rows that are there tell what is still missing. */
static void
apply_rows(const Search *search)
{
	Args		args = {0};
	Reader		reader;
	HeapTuple	found;
	int			settings;

	arg(&args, search->table->has_id ? ids_of_incomplete(search) : tickets_of(search));
	open_reader(&reader, rows_statement(search), &args);
	settings = begin_image_settings(search->shape);
	while ((found = next_row(&reader)) != NULL)
	{
		MemoryContextReset(search->passing);
		MemoryContextSwitchTo(search->passing);
		apply_row(search, found, reader.rows->tupdesc);
		MemoryContextSwitchTo(search->lasting);
	}
	end_image_settings(settings);
	close_reader(&reader);
	MemoryContextSwitchTo(search->lasting);
}

/* Is the key all that a row of the table has? Then the entry has told all. */
static bool
is_all_key(const Search *search)
{
	if (search->table->has_id)
		return false;
	for (int i = 0; i < search->desc->natts; i++)
		if (search->shape->kinds[i] != IMAGE_NONE && !search->shape->in_key[i])
			return false;
	return true;
}

/* Find those of one table. */
static void
search_table(Insertion **wanted, int n)
{
	Search		search = {.table = wanted[0]->table, .wanted = wanted, .n = n};

	search.rel = table_open(desk_relation("support", search.table->name), AccessShareLock);
	search.desc = RelationGetDescr(search.rel);
	search.shape = shape_of(search.rel, search.table);
	search.lasting = CurrentMemoryContext;
	search.passing = AllocSetContextCreate(CurrentMemoryContext, "inserted row", ALLOCSET_DEFAULT_SIZES);
	if (is_all_key(&search))
		for (int i = 0; i < n; i++)
			wanted[i]->image = wanted[i]->key;
	else
	{
		apply_later_entries(&search);
		apply_rows(&search);
		/* what is not there, and of which no entry says that it went, was purged or taken away past the triggers */
		for (int i = 0; i < n; i++)
			wanted[i]->lost |= !wanted[i]->complete;
	}
	MemoryContextDelete(search.passing);
	table_close(search.rel, NoLock);
}

/*
 * Find the rows as they were inserted, image by image; those that are lost stay without one. Needs an SPI level. Reads
 * under the snapshot of the query that called us, with the rights of the caller. Images are made in the current memory
 * context.
 */
void
find_inserted_rows(Insertion *insertions, int n)
{
	Insertion **wanted = palloc(sizeof(Insertion *) * Max(n, 1));
	int			end;

	for (int i = 0; i < n; i++)
		wanted[i] = &insertions[i];
	qsort(wanted, n, sizeof(Insertion *), compare_insertions);
	for (int start = 0; start < n; start = end)
	{
		for (end = start + 1; end < n && wanted[end]->table == wanted[start]->table;)
			end++;
		search_table(wanted + start, end - start);
	}
	for (int i = 0; i < n; i++)
		if (insertions[i].lost)
			insertions[i].image = NULL;
}
