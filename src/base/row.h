/*
 * row.h
 *		Typed access to the rows of the desk's tables.
 */
#ifndef SUPPORT_ROW_H
#define SUPPORT_ROW_H

#include "access/htup.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* What a column that the rules read must be. */
typedef enum ColumnKind
{
	COLUMN_TEXT,				/* text or varchar */
	COLUMN_INTEGER,				/* integer or bigint */
	COLUMN_BIGINT,
	COLUMN_BOOLEAN,
	COLUMN_TIME,				/* timestamptz */
	COLUMN_DATE,
	COLUMN_INTERVAL,
	COLUMN_JSON,				/* jsonb */
	COLUMN_TEXTS,				/* text[] */
	COLUMN_INTEGERS				/* integer[] */
} ColumnKind;

/* Whether a column may be NULL. */
typedef enum ColumnNulls
{
	MAY_BE_NULL,
	NOT_NULL,
	FILLED_IN					/* it may be sent as NULL: the BEFORE trigger gives it a value */
} ColumnNulls;

#define MAX_DESK_COLUMNS 64		/* of a table, that the rules read */

typedef struct DeskColumn
{
	const char *name;
	ColumnKind	kind;
	ColumnNulls nulls;
} DeskColumn;

/* What the values of a column are held to, on every road. */
typedef enum ValueKind
{
	VALUE_LINE,					/* text: one line, trimmed of white space */
	VALUE_KEY,					/* the same, but a blank one is NULL: a key of another system */
	VALUE_TEXT,					/* text: whatever it has in it */
	VALUE_JSON,					/* jsonb: its size is that of its text */
	VALUE_ARRAY,				/* of texts or integers: its size is that of the value as it is stored */
	VALUE_EVENT					/* timestamptz: when something has happened */
} ValueKind;

/* How many bytes, where it is not a number of them. */
#define LIMIT_OF_TYPE 0			/* the type has a limit of its own */
#define LIMIT_OF_TEXTS (-1)		/* the desk's setting max_text_size */
#define LIMIT_OF_CUSTOM (-2)	/* the desk's setting max_custom_size */

/* The rule for a column, as far as it still has a type that the rule is about. */
typedef struct ValueRule
{
	const char *column;
	ValueKind	kind;
	int64		limit;
} ValueRule;

/* A logical table: what a trigger's argument names, whatever the relation is called. */
typedef struct DeskTable
{
	const char *name;
	const char *ticket_column;	/* the column that holds the ticket's id, or NULL */
	bool		has_id;			/* a column id, which the log gives as record_id */
	const DeskColumn *columns;	/* those that the table's rules read, in the order of their enum */
	int			ncolumns;
	const ValueRule *rules;		/* for columns whose values are anybody's to choose */
	int			nrules;
	const char *derived;		/* a column that follows from others, or NULL: the log does not keep it */
	bool		is_internal;	/* in support_internal, its owner's alone: the log keeps a new row whole */
	bool		is_kept;		/* sessions keep what it has, and are told of each change */
	struct RowHooks **hooks;	/* what rooms do when its rows change, see hooks.c; NULL if none can */
} DeskTable;

/* How the audit log writes a column's values. */
typedef enum ImageKind
{
	IMAGE_NONE,					/* dropped, generated or derived: never kept */
	IMAGE_INTEGER,
	IMAGE_BOOLEAN,
	IMAGE_TEXT,
	IMAGE_TIME,					/* date, timestamp, timestamptz */
	IMAGE_NUMERIC,
	IMAGE_BYTEA,
	IMAGE_JSONB,
	IMAGE_OTHER					/* by its output function, as text */
} ImageKind;

/* Where a relation has the columns of a logical table. Built once for a relation and again after it changed. */
typedef struct TableShape
{
	Oid			relid;			/* hash key */
	bool		valid;
	const DeskTable *table;
	MemoryContext context;		/* owns the arrays below */
	AttrNumber *columns;		/* of DeskTable.columns */
	uint64	   *column_bits;	/* by attribute, from 0: the bit of its place in DeskTable.columns, if it has one */
	AttrNumber	id;
	AttrNumber	ticket_id;
	int			natts;
	ImageKind  *kinds;			/* by attribute, from 0 */
	bool	   *in_key;			/* likewise: part of the primary key */
	bool	   *required;		/* likewise: the rules read it and take it that it is not NULL */
	int		   *order;			/* attributes, from 0, in the order that jsonb has their names in */
	bool		has_other;		/* some column is IMAGE_OTHER */
	AttrNumber *ruled;			/* of DeskTable.rules; invalid where the column is gone or has another type */
} TableShape;

/* A row taken apart. */
typedef struct Row
{
	const TableShape *shape;
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	bool		is_modified;	/* a value was set */
} Row;

extern void row_init(void);
extern const TableShape *shape_of(Relation rel, const DeskTable *table);
extern void row_open(Row *row, const TableShape *shape, TupleDesc desc, HeapTuple tuple);
extern Row	empty_row(const TableShape *shape, TupleDesc desc);
extern Row	copy_of_row(const Row *row);
extern void row_fill(Row *row, HeapTuple tuple, TupleDesc from);
extern Datum row_datum(const Row *row, int column);
extern bool row_is_null(const Row *row, int column);
extern int64 row_int64(const Row *row, int column);
extern bool row_bool(const Row *row, int column);
extern char *row_text(const Row *row, int column);
extern TimestampTz row_time(const Row *row, int column);
extern void row_require(const Row *row);
extern void row_require_new(const Row *row);
extern void row_check_finite(const Row *row, int column);
extern void row_set(Row *row, int column, Datum value);
extern void row_take_over(const Row *from, Row *row, int column);
extern void row_clear(Row *row, int column);
extern bool values_differ(const Row *a, const Row *b, int attribute);
extern bool row_column_differs(const Row *a, const Row *b, int column);

/* Are the values of an attribute (from 0) different byte for byte? Most are not, and most of these are small. */
static inline bool
row_differs(const Row *a, const Row *b, int attribute)
{
	if (a->nulls[attribute] || b->nulls[attribute])
		return a->nulls[attribute] != b->nulls[attribute];
	return a->values[attribute] != b->values[attribute] && values_differ(a, b, attribute);
}

#endif							/* SUPPORT_ROW_H */
