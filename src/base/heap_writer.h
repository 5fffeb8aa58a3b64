/*
 * heap_writer.h
 *		Adding rows to a table, and changing them, without SPI and without an executor.
 */
#ifndef SUPPORT_HEAP_WRITER_H
#define SUPPORT_HEAP_WRITER_H

#include "nodes/execnodes.h"
#include "storage/lock.h"
#include "utils/rel.h"

#include "base/plan.h"

#define MAX_HEAP_COLUMNS 25

/* A column that the caller gives a value. */
typedef struct TableColumn
{
	const char *name;
	Oid			type;
	bool		always_set;		/* the value is never NULL */
} TableColumn;

/* A table that rows are added to: what the caller knows of it, and what was found out when it was last looked at. */
typedef struct HeapTable
{
	TableName	name;			/* of the desk's table, of which rows may go to a partition */
	const TableColumn *columns;
	int			ncolumns;
	const char *check;			/* a constraint that holds for what the caller adds, or NULL */
	bool		at_end;			/* rows go to the end of the table, whatever room there is before */
	bool		replaces;		/* insert_row() changes a row that has the same key */
	int			nkeys;			/* how many of the first columns are that key; 0 is one */

	bool		valid;			/* nothing changed since we began to look, which we did to the end */
	bool		changed;		/* something did */
	bool		plain;			/* it takes rows this way; else insert_row() adds them */
	Oid			relid;
	AttrNumber	attnums[MAX_HEAP_COLUMNS];	/* where it has the columns */
	int			nindexes;
	Oid		   *indexes;
	IndexInfo **index_infos;
	LocalTransactionId *locked_in;	/* by index: the last transaction that locked it */
	AttrNumber *wanted;			/* by index: a column that is not NULL in its rows, 0 if it has all */
	int			primary_key;	/* which of the indexes, -1 if there is none */
	Oid			sequence;		/* that numbers the rows, if one does */
	MemoryContext context;		/* owns what the pointers above point to */
	Statement  *insertion;		/* of insert_row(); NULL before the first use */
	struct HeapTable *next;		/* of those that were looked at */
} HeapTable;

extern void lock_for_transaction(Oid relid);
extern bool fires_on_insert(Relation rel);
extern void check_columns(Relation rel, const TableColumn *columns, int ncolumns);
extern void check_not_null(const TableColumn *columns, int ncolumns, const char *relation, const bool *nulls);
extern void look_at_table(HeapTable *table, Relation rel);
extern bool know_table(HeapTable *table, Relation rel);
extern Oid	heap_relation(const HeapTable *table);
extern void heap_writer_init(void);
extern int64 next_row_id(HeapTable *table);
extern List *find_rows(HeapTable *table, Relation rel, int64 id);
extern HeapTuple find_row_of(HeapTable *table, Relation rel, int64 id, int64 second_id);
extern bool has_row(HeapTable *table, Relation rel, int64 id);
extern bool find_row(HeapTable *table, Statement *statement, int64 id);
extern void add_row(HeapTable *table, Relation rel, const Datum *values, const bool *nulls);
extern void add_new_row(HeapTable *table, Relation rel, const Datum *values, const bool *nulls);
extern void change_row(HeapTable *table, Relation rel, HeapTuple old, const Datum *values, const bool *nulls);
extern void remove_row(Relation rel, HeapTuple old);
extern void insert_row(HeapTable *table, const Datum *values, const bool *nulls);

#endif							/* SUPPORT_HEAP_WRITER_H */
