/*
 * heap_writer.c
 *		Adding rows to a table, and changing them, without SPI and without an executor.
 *
 * What is written on the way of every change goes the way that the server goes with its own catalogs: the tuple is
 * formed here and handed to the heap and to the indexes. What that takes is looked up once and kept for the session:
 * where the table has the columns, and the information of its indexes. It is invalid once the relcache says that the
 * table or one of its indexes changed. The caller has RowExclusiveLock on the table from before it looks whether that
 * is so until the transaction ends. An index that is built CONCURRENTLY comes while we hold that lock, but waits for
 * our transaction before it relies on what was added. Each index is locked for as long, from when the transaction first
 * comes to it: a change has more locks than a backend has cheap ones for, and one that a row is changed without is saved.
 *
 * This serves a plain heap with no indexes but its primary key, plain ones, which may leave out the rows where a column
 * is NULL, and, where rows have ids of their own, unique ones that refuse a row at once, no columns or constraints of others that need computing, and no triggers but the desk's own, which are
 * not fired. Who changes a row holds a lock that keeps others from changing it.
 *
 * A table that this does not serve takes the same rows by insert_row(), an INSERT over SPI.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/distributed.h"
#include "base/errors.h"
#include "base/heap_writer.h"
#include "base/session_cache.h"

StaticAssertDecl(MAX_HEAP_COLUMNS <= MAX_ARGS, "insert_row() has an argument for each column");

/* The tables that were looked at: they are to be forgotten when they change. */
static HeapTable *looked_at;

/*
 * Take RowExclusiveLock until the transaction ends, even if a subtransaction that we are in is rolled back: so it need
 * not be asked for again.
 */
void
lock_for_transaction(Oid relid)
{
	ResourceOwner current = CurrentResourceOwner;

	CurrentResourceOwner = TopTransactionResourceOwner;
	LockRelationOid(relid, RowExclusiveLock);
	CurrentResourceOwner = current;
}

/* Would an INSERT, or an UPDATE where rows are changed this way, fire a trigger other than the desk's own? */
static bool
fires_on(Relation rel, int16 events)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if ((trigger->tgtype & events) != 0 && trigger->tgenabled != TRIGGER_DISABLED &&
			strcmp(trigger->tgname, "support_before") != 0)
			return true;
	}
	return false;
}

bool
fires_on_insert(Relation rel)
{
	return fires_on(rel, TRIGGER_TYPE_INSERT);
}

/* Is a column of this type read and written as one of another? */
static bool
serves_as(Oid found, Oid wanted)
{
	return found == wanted || (getBaseType(found) == wanted && !domain_has_constraints(found));
}

/*
 * Raise 55000 unless it is a table whose first columns are these: who reads rows by their place relies on it, and the
 * table's owner may have put something else there.
 */
void
check_columns(Relation rel, const TableColumn *columns, int ncolumns)
{
	TupleDesc	desc = RelationGetDescr(rel);
	char	   *name = psprintf("support_internal.%s", RelationGetRelationName(rel));

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		refuse_altered(psprintf("relation %s", name), "is no table");
	for (int i = 0; i < ncolumns; i++)
	{
		Form_pg_attribute att = i < desc->natts ? TupleDescAttr(desc, i) : NULL;

		if (att == NULL || att->attisdropped || strcmp(NameStr(att->attname), columns[i].name) != 0)
			refuse_altered_column(name, columns[i].name, "is not where it was made");
		if (!serves_as(att->atttypid, columns[i].type))
			refuse_altered_column(name, columns[i].name, psprintf("has type %s instead of %s", format_type_be(att->atttypid),
																  format_type_be(columns[i].type)));
		if (!att->attnotnull && columns[i].always_set)
			refuse_altered_column(name, columns[i].name, "may be null where it must not be");
	}
}

/*
 * Raise 55000 for a row of such a table that has NULL where there is none: a constraint may be there that was never held
 * against the rows.
 */
void
check_not_null(const TableColumn *columns, int ncolumns, const char *relation, const bool *nulls)
{
	for (int i = 0; i < ncolumns; i++)
		if (nulls[i] && columns[i].always_set)
			refuse_altered_column(psprintf("support_internal.%s", relation), columns[i].name, "is null where it must not be");
}

/* Does the caller give the attribute a value? */
static bool
is_given(const HeapTable *table, AttrNumber attnum)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (table->attnums[i] == attnum)
			return true;
	return false;
}

/* Find the columns; false if one is gone or of another type, or if another needs what only the executor computes. */
static bool
find_columns(HeapTable *table, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < table->ncolumns; i++)
	{
		const TableColumn *column = &table->columns[i];
		AttrNumber	attnum = get_attnum(table->relid, column->name);

		if (AttributeNumberIsValid(attnum) && TupleDescAttr(desc, attnum - 1)->attidentity)
			table->sequence = identity_sequence(rel, attnum);
		if (!AttributeNumberIsValid(attnum) ||
			!serves_as(TupleDescAttr(desc, attnum - 1)->atttypid, column->type) ||
			(TupleDescAttr(desc, attnum - 1)->attnotnull && !column->always_set))
			return false;
		table->attnums[i] = attnum;
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attgenerated ||
			(!att->attisdropped && !is_given(table, i + 1) && (att->attnotnull || att->atthasdef)))
			return false;
	}
	return true;
}

/* Is there a check other than the one that is known to hold? */
static bool
has_foreign_checks(const HeapTable *table, Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		if (table->check == NULL || strcmp(constr->check[i].ccname, table->check) != 0)
			return true;
	return false;
}

/* The column that an index wants not to be NULL: 0 if it has all rows, -1 if it picks them otherwise. */
static AttrNumber
wanted_column(const IndexInfo *info)
{
	NullTest   *test = info->ii_Predicate == NIL ? NULL : linitial(info->ii_Predicate);

	if (test == NULL)
		return 0;
	if (list_length(info->ii_Predicate) == 1 && IsA(test, NullTest) && test->nulltesttype == IS_NOT_NULL &&
		!test->argisrow && IsA(test->arg, Var) && ((Var *) test->arg)->varattno > 0)
		return ((Var *) test->arg)->varattno;
	return -1;
}

/* Keep the information of the indexes; false if one of them needs the executor, or may refuse a row that is only added. */
static bool
describe_indexes(HeapTable *table, Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	MemoryContext previous = MemoryContextSwitchTo(table->context);
	bool		plain = true;
	ListCell   *cell;

	table->indexes = palloc(sizeof(Oid) * Max(list_length(indexes), 1));
	table->index_infos = palloc(sizeof(IndexInfo *) * Max(list_length(indexes), 1));
	table->wanted = palloc(sizeof(AttrNumber) * Max(list_length(indexes), 1));
	table->locked_in = palloc0(sizeof(LocalTransactionId) * Max(list_length(indexes), 1));
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), RowExclusiveLock);
		IndexInfo  *info = BuildIndexInfo(index);
		AttrNumber	wanted = wanted_column(info);

		/* who looks a row up gives the first column; where rows are only added, nobody does */
		if (index->rd_index->indisprimary &&
			(table->at_end || index->rd_index->indkey.values[0] == table->attnums[0]))
			table->primary_key = table->nindexes;
		else if (info->ii_ReadyForInserts && info->ii_Unique && (table->at_end || !index->rd_index->indimmediate))
			plain = false;
		if (info->ii_ReadyForInserts &&
			(info->ii_Expressions != NIL || wanted < 0 || info->ii_ExclusionOps != NULL))
			plain = false;
		table->wanted[table->nindexes] = wanted;
		table->indexes[table->nindexes] = lfirst_oid(cell);
		table->index_infos[table->nindexes++] = info;
		index_close(index, NoLock);
	}
	MemoryContextSwitchTo(previous);
	list_free(indexes);
	return plain;
}

/*
 * Find out whether and how the table takes rows. An invalidation that arrives meanwhile, or an error, has the caller
 * look again next time.
 */
void
look_at_table(HeapTable *table, Relation rel)
{
	bool		has_columns;

	if (table->context == NULL)
	{
		table->context = AllocSetContextCreate(CacheMemoryContext, "support_ext heap table", ALLOCSET_SMALL_SIZES);
		table->next = looked_at;
		looked_at = table;
	}
	table->nindexes = 0;
	MemoryContextReset(table->context);
	table->relid = RelationGetRelid(rel);
	table->primary_key = -1;
	table->sequence = InvalidOid;
	table->plain = false;
	table->valid = false;
	table->changed = false;
	/* whatever road rows take, they are numbered by the sequence that this finds */
	has_columns = find_columns(table, rel);
	table->plain = has_columns &&
		rel->rd_rel->relkind == RELKIND_RELATION &&
		rel->rd_tableam == GetHeapamTableAmRoutine() &&
		rel->rd_rules == NULL &&
		!is_distributed(rel) &&
		!fires_on(rel, TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE) &&
		!has_foreign_checks(table, rel) &&
		describe_indexes(table, rel);
	table->valid = !table->changed;
}

/* Look at the table unless what was found still holds. Does it take rows this way? */
bool
know_table(HeapTable *table, Relation rel)
{
	if (!table->valid || table->relid != RelationGetRelid(rel))
		look_at_table(table, rel);
	return table->plain;
}

/* The desk's table, where rows go to no partition. What was found holds for as long as nothing has changed its name. */
Oid
heap_relation(const HeapTable *table)
{
	return table->valid ? table->relid : desk_relation(table->name.schema, table->name.name);
}

/* What was found is no longer to be trusted if the table or one of its indexes changed, or everything did. */
static void
forget_table(HeapTable *table, Oid relid)
{
	bool		changes = !OidIsValid(relid) || relid == table->relid;

	for (int i = 0; !changes && i < table->nindexes; i++)
		changes = relid == table->indexes[i];
	if (changes)
	{
		table->changed = true;
		table->valid = false;
	}
}

static void
forget_tables(Oid relid)
{
	for (HeapTable *table = looked_at; table != NULL; table = table->next)
		forget_table(table, relid);
}

void
heap_writer_init(void)
{
	static SessionCache cache = {.relation_changed = forget_tables};

	add_session_cache(&cache);
}

/* The number of another row. Raises 55000 if nothing numbers them. */
int64
next_row_id(HeapTable *table)
{
	if (!OidIsValid(table->sequence))
		refuse_altered_column(quote_qualified_identifier(get_namespace_name(get_rel_namespace(table->relid)),
														 get_rel_name(table->relid)), "id", "is no identity column");
	return nextval_internal(table->sequence, false);
}

/* Lock an index, once in a transaction. */
static void
lock_index(HeapTable *table, int which)
{
	if (table->locked_in[which] == current_lxid())
		return;
	lock_for_transaction(table->indexes[which]);
	table->locked_in[which] = current_lxid();
}

/* The key of the rows whose first column is this id. */
static ScanKeyData
key_of(const HeapTable *table, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, table->attnums[0], BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	return key;
}

/* The same for the second column. */
static ScanKeyData
second_key_of(const HeapTable *table, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, table->attnums[1], BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	return key;
}

/*
 * Copies of the rows of a plain table whose first column, which begins the primary key, is this id, as they are now, our
 * own changes included, in the order of that key. They are there to be changed, so the index is locked as for that.
 */
List *
find_rows(HeapTable *table, Relation rel, int64 id)
{
	ScanKeyData key = key_of(table, id);
	List	   *rows = NIL;
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;

	lock_index(table, table->primary_key);
	index = index_open(table->indexes[table->primary_key], NoLock);
	scan = systable_beginscan_ordered(rel, index, SnapshotSelf, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		rows = lappend(rows, heap_copytuple(tuple));
	systable_endscan_ordered(scan);
	index_close(index, NoLock);
	return rows;
}

/* A copy of the one row of a plain table whose first two columns, the primary key, are these ids, as it is now; NULL for none. */
HeapTuple
find_row_of(HeapTable *table, Relation rel, int64 id, int64 second_id)
{
	ScanKeyData keys[2] = {key_of(table, id), second_key_of(table, second_id)};
	HeapTuple	row;
	SysScanDesc scan;

	lock_index(table, table->primary_key);
	scan = systable_beginscan(rel, table->indexes[table->primary_key], true, SnapshotSelf, 2, keys);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);
	return row;
}

/* Has the table, which is a plain one, a row whose first column, the primary key, is this id? Ours count, too. */
bool
has_row(HeapTable *table, Relation rel, int64 id)
{
	ScanKeyData key = key_of(table, id);
	bool		has_key = table->primary_key >= 0;
	SysScanDesc scan = systable_beginscan(rel, has_key ? table->indexes[table->primary_key] : InvalidOid, has_key,
										  SnapshotSelf, 1, &key);
	bool		found = HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	return found;
}

/* The same for any table; where it is no plain one, the statement tells. It names the table as that of its owner. */
bool
find_row(HeapTable *table, Statement *statement, int64 id)
{
	Relation	rel = table_open(desk_relation(statement->as_owner_of.schema, statement->as_owner_of.name),
								 AccessShareLock);
	bool		plain = know_table(table, rel);
	bool		found = plain && has_row(table, rel, id);
	Args		args = {0};

	table_close(rel, NoLock);
	if (plain)
		return found;
	arg_int64(&args, id);
	SPI_connect();
	found = run(statement, &args) > 0;
	SPI_finish();
	return found;
}

/* Add a tuple to one index; returns whether a unique one that is only asked about the key may have it already. */
static bool
add_to_index(HeapTable *table, int which, Relation rel, HeapTuple tuple, const Datum *row, const bool *row_nulls,
			 IndexUniqueCheck check)
{
	IndexInfo  *info = table->index_infos[which];
	Relation	index;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	bool		is_new;

	lock_index(table, which);
	index = index_open(table->indexes[which], NoLock);
	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		values[i] = row[info->ii_IndexAttrNumbers[i] - 1];
		nulls[i] = row_nulls[info->ii_IndexAttrNumbers[i] - 1];
	}
	/* what an access method keeps between insertions must not outlive this one: it may point to the relation */
	info->ii_AmCache = NULL;
	info->ii_Context = CurrentMemoryContext;
	is_new = index_insert(index, values, nulls, &tuple->t_self, rel, check, false, info);
	finish_index_insert(index, info);
	info->ii_AmCache = NULL;
	index_close(index, NoLock);
	return check == UNIQUE_CHECK_PARTIAL && !is_new;
}

/*
 * Add a tuple to the indexes: to all, or to those alone that summarize. A key that another row has is an error; that of the
 * primary key may be asked about instead: returns whether another row may have it.
 */
static bool
add_to_indexes(HeapTable *table, Relation rel, HeapTuple tuple, const Datum *row, const bool *row_nulls,
			   bool only_summarizing, IndexUniqueCheck primary_check)
{
	bool		is_there = false;

	for (int i = 0; i < table->nindexes; i++)
	{
		IndexInfo  *info = table->index_infos[i];

		/* one that is being built CONCURRENTLY takes none yet; its relcache entry tells when that has changed */
		if (info->ii_ReadyForInserts && (table->wanted[i] == 0 || !row_nulls[table->wanted[i] - 1]) &&
			(!only_summarizing || index_summarizes(info)))
			is_there |= add_to_index(table, i, rel, tuple, row, row_nulls,
									 i == table->primary_key ? primary_check :
									 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO);
	}
	return is_there;
}

/* Put the caller's values where the table has the columns. */
static void
place_values(const HeapTable *table, const Datum *values, const bool *nulls, Datum *row, bool *row_nulls)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		row[table->attnums[i] - 1] = values[i];
		row_nulls[table->attnums[i] - 1] = nulls[i];
	}
}

/*
 * Raise 40001 where a row that was found has changed since: whoever changes a ticket has locked that, so it was the owner of
 * the table, past all functions.
 */
static void
check_outcome(Relation rel, TM_Result outcome)
{
	if (outcome == TM_Updated || outcome == TM_Deleted)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access: somebody changed a row of %s meanwhile",
						qualified_name(RelationGetRelid(rel))),
				 errhint("Try the transaction again.")));
	if (outcome != TM_Ok)
		elog(ERROR, "a row of relation %u cannot be changed: %d", RelationGetRelid(rel), outcome);
}

/* Remove a row that find_rows() found. It must be of an earlier command. Raises 40001. */
void
remove_row(Relation rel, HeapTuple old)
{
	TM_FailureData failure;

	check_outcome(rel, heap_delete(rel, &old->t_self, GetCurrentCommandId(true), InvalidSnapshot, true, &failure, false));
}

/* Remove the rows that have the key of a tuple beside it. */
static void
remove_others(HeapTable *table, Relation rel, HeapTuple tuple, const Datum *values)
{
	ScanKeyData keys[2] = {key_of(table, DatumGetInt64(values[0]))};
	SysScanDesc scan;
	HeapTuple	other;

	if (table->nkeys == 2)
		keys[1] = second_key_of(table, DatumGetInt64(values[1]));
	scan = systable_beginscan(rel, table->indexes[table->primary_key], true, SnapshotSelf, Max(table->nkeys, 1), keys);
	while (HeapTupleIsValid(other = systable_getnext(scan)))
		if (!ItemPointerEquals(&other->t_self, &tuple->t_self))
			remove_row(rel, other);
	systable_endscan(scan);
}

/* Add a row, whose primary key is an error if another row has it, or is asked about; returns the tuple if one may have it. */
static HeapTuple
add_tuple(HeapTable *table, Relation rel, const Datum *values, const bool *nulls, IndexUniqueCheck primary_check)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *row = palloc0(sizeof(Datum) * desc->natts);
	bool	   *row_nulls = palloc(sizeof(bool) * desc->natts);
	HeapTuple	tuple;

	memset(row_nulls, true, sizeof(bool) * desc->natts);
	place_values(table, values, nulls, row, row_nulls);
	tuple = heap_form_tuple(desc, row, row_nulls);
	heap_insert(rel, tuple, GetCurrentCommandId(true), table->at_end ? HEAP_INSERT_SKIP_FSM : 0, NULL);
	return add_to_indexes(table, rel, tuple, row, row_nulls, false, primary_check) ? tuple : NULL;
}

/* Add a row. The values are those of the columns, in their order. Works in the current memory context. */
void
add_row(HeapTable *table, Relation rel, const Datum *values, const bool *nulls)
{
	(void) add_tuple(table, rel, values, nulls, UNIQUE_CHECK_YES);
}

/*
 * Add a row to a plain table, of one or two ids for its primary key, that should not have it yet, which spares the look
 * whether it has. What is there all the same, left from when no trigger saw its like go, goes.
 */
void
add_new_row(HeapTable *table, Relation rel, const Datum *values, const bool *nulls)
{
	HeapTuple	tuple = add_tuple(table, rel, values, nulls, UNIQUE_CHECK_PARTIAL);

	if (tuple != NULL)
		remove_others(table, rel, tuple, values);
}

/*
 * Change a row that find_rows() found. Columns of others stay as they are. The row must be of an earlier command, as
 * after CommandCounterIncrement() it is. Raises 40001.
 */
void
change_row(HeapTable *table, Relation rel, HeapTuple old, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *row = palloc(sizeof(Datum) * desc->natts);
	bool	   *row_nulls = palloc(sizeof(bool) * desc->natts);
	HeapTuple	tuple;
	IndexesToUpdate indexes;

	if (desc->natts > table->ncolumns)
		heap_deform_tuple(old, desc, row, row_nulls);
	place_values(table, values, nulls, row, row_nulls);
	tuple = heap_form_tuple(desc, row, row_nulls);
	check_outcome(rel, update_heap_tuple(rel, &old->t_self, tuple, &indexes));
	if (indexes != INDEXES_NONE)
		add_to_indexes(table, rel, tuple, row, row_nulls, indexes == INDEXES_SUMMARIZING, UNIQUE_CHECK_YES);
}

/* Append a list of the columns from one up to another, each written by a format that has its name twice, or once. */
static void
append_columns(StringInfo text, const HeapTable *table, int first, int end, const char *format)
{
	for (int i = first; i < end; i++)
	{
		const char *name = quote_identifier(table->columns[i].name);

		appendStringInfoString(text, i > first ? ", " : "");
		appendStringInfo(text, format, name, name);
	}
}

/* The statement that adds a row, as the machinery's own. It is kept for the session. */
static Statement *
make_insertion(const HeapTable *table)
{
	MemoryContext previous = MemoryContextSwitchTo(CacheMemoryContext);
	Statement  *statement = palloc0(sizeof(Statement));
	int			nkeys = Max(table->nkeys, 1);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "INSERT INTO %s (", quote_qualified_identifier(table->name.schema, table->name.name));
	append_columns(&text, table, 0, table->ncolumns, "%s");
	appendStringInfoString(&text, ") VALUES (");
	for (int i = 0; i < table->ncolumns; i++)
	{
		appendStringInfo(&text, "%s$%d", i > 0 ? ", " : "", i + 1);
		statement->argtypes[i] = table->columns[i].type;
	}
	appendStringInfoChar(&text, ')');
	if (table->replaces)
	{
		appendStringInfoString(&text, " ON CONFLICT (");
		append_columns(&text, table, 0, nkeys, "%s");
		appendStringInfoString(&text, ") DO UPDATE SET ");
		append_columns(&text, table, nkeys, table->ncolumns, "%s = excluded.%s");
	}
	statement->text = text.data;
	statement->nargs = table->ncolumns;
	statement->as_owner_of = table->name;
	MemoryContextSwitchTo(previous);
	return statement;
}

/*
 * Add a row to a table that does not take it directly, with the same result: an INSERT over SPI, of the columns that
 * add_row() takes.
 */
void
insert_row(HeapTable *table, const Datum *values, const bool *nulls)
{
	Args		args = {0};

	if (table->insertion == NULL)
		table->insertion = make_insertion(table);
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (nulls[i])
			arg_null(&args);
		else
			arg(&args, values[i]);
	}
	SPI_connect();
	run(table->insertion, &args);
	SPI_finish();
}
