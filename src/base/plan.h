/*
 * plan.h
 *		Statements that the desk runs over SPI.
 */
#ifndef SUPPORT_PLAN_H
#define SUPPORT_PLAN_H

#include "executor/spi.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/owner.h"
#include "base/row.h"

#define MAX_ARGS 26
#define MAX_RESULT_COLUMNS 26

/* A table of the desk. */
typedef struct TableName
{
	const char *schema;
	const char *name;
} TableName;

#define PUBLIC_TABLE(name) {"support", name}
#define INTERNAL_TABLE(name) {"support_internal", name}

/* A column that a statement returns. */
typedef struct ResultColumn
{
	Oid			type;
	ColumnNulls nulls;
} ResultColumn;

/* A statement known at compile time. Its plan is made at the first use and kept for the session. */
typedef struct Statement
{
	const char *text;
	int			nargs;
	Oid			argtypes[MAX_ARGS];
	const Oid  *more_argtypes;	/* instead, where there may be more of them */
	ResultColumn columns[MAX_RESULT_COLUMNS];	/* what it returns, in order */
	bool		any_columns;	/* whoever reads the result looks at its types */
	TableName	as_owner_of;	/* machinery: runs with the rights of this table's owner */
	bool		names_machinery;	/* in support_internal, which the caller need not be let into; his rights count, but a
									 * superuser's only as far as the owner's go, as for all that begins with SELECT */
	bool		one_use;		/* the plan goes with the SPI level */
	bool		any_layout;		/* runs on a desk of whatever layout */
	bool		replan;			/* planned for each run: what is best depends on the arguments */
	bool		many_rows;		/* reads much of a table; others that have arguments find few rows by them */
	SPIPlanPtr	plan;
} Statement;

/* A value that only one row may have, and how to speak of it. */
typedef struct UniqueValue
{
	Statement  *holder;			/* finds the id of the row that has it */
	const char *what;			/* "team name" */
	const char *whose;			/* "team" */
	const char *table;
	const char *constraint;
} UniqueValue;

/* The arguments of one run. */
typedef struct Args
{
	int			n;
	Datum		values[MAX_ARGS];
	char		nulls[MAX_ARGS];
} Args;

extern void arg(Args *args, Datum value);
extern void arg_null(Args *args);
extern void arg_int64(Args *args, int64 value);
extern void arg_text(Args *args, const char *value);
extern Datum required_argument(FunctionCallInfo fcinfo, int n, const char *name);
extern TimestampTz required_time(FunctionCallInfo fcinfo, int n, const char *name);
extern int64 required_id(FunctionCallInfo fcinfo, int n, const char *name);
extern int32 positive_argument(FunctionCallInfo fcinfo, int n, const char *name);
extern void arg_passed(Args *args, FunctionCallInfo fcinfo, int n);
extern void check_free(const UniqueValue *unique, FunctionCallInfo fcinfo, int n, int64 own_id);

extern Statement *statement_of(const char *text, int nargs, const Oid *argtypes, const ResultColumn *columns,
							   int ncolumns);
extern uint64 run(Statement *statement, const Args *args);
extern uint64 run_latest(Statement *statement, const Args *args);
extern void look_before_statement(void);
extern uint64 run_read_only(Statement *statement, const Args *args);
extern uint64 run_once(const char *text, int nargs, const Oid *argtypes, const Datum *values, const char *nulls);

/* The rows of a query, some at a time. */
typedef struct Reader
{
	Portal		portal;
	const Statement *statement;
	SPITupleTable *rows;		/* those at hand, NULL at first */
	uint64		next;			/* of them */
} Reader;

extern Portal open_portal(Statement *statement, const Args *args);
extern void open_reader(Reader *reader, Statement *statement, const Args *args);
extern HeapTuple next_row(Reader *reader);
extern void close_reader(Reader *reader);

extern bool result_is_null(uint64 row, int column);
extern Datum result(uint64 row, int column);
extern int64 result_int64(uint64 row, int column);
extern bool result_bool(uint64 row, int column);
extern double result_float8(uint64 row, int column);
extern char *result_text(uint64 row, int column);

#endif							/* SUPPORT_PLAN_H */
