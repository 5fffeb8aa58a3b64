/*
 * plan.c
 *		Statements that the desk runs over SPI.
 *
 * Each file has its statements in a table at its top. A plan is made at the first use and kept for the session. The
 * texts name the desk's own tables and functions with their schema; all else is found in pg_catalog, see analysis.c, which
 * also holds a result against the columns that the statement declares. Before and after it runs, see layout.c, the desk has
 * the layout that this code knows.
 *
 * A plan serves for whatever the arguments are and however the tables grow in the session. Where that cannot be, a
 * statement says so: replan, many_rows.
 *
 * A statement of the machinery (as_owner_of) runs with the rights of the owner of the table that it changes or reads,
 * as the server's own foreign keys do, and under a safe search_path: what that owner put on the table then reaches only
 * the owner. Whatever touches the tables of schema support on behalf of a function runs with the caller's rights. An error needs no
 * cleaning up: the end of the (sub)transaction restores the user and pops the SPI level.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "base/analysis.h"
#include "base/brief_context.h"
#include "base/characters.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/layout.h"
#include "base/plan.h"

#define ROWS_AT_A_TIME 1000

#define MAX_KEPT_TEXT 2048
#define MAX_KEPT_STATEMENTS 200

/* A statement that statement_of() made. */
typedef struct KeptStatement
{
	char		text[MAX_KEPT_TEXT];	/* hash key */
	Statement	statement;
} KeptStatement;

/* Make the plan, or make sure that the one there is may be used. */
static void
prepare(Statement *statement)
{
	SPIPlanPtr	plan;

	if (statement->plan != NULL && SPI_plan_is_valid(statement->plan))
		return;

	if (!statement->any_layout)
		check_layout();
	if (statement->plan != NULL)
		return;					/* the server analyses it again when it runs */

	plan = analyse(statement);
	if (!statement->one_use && SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", statement->text);
	statement->plan = plan;
}

/* Is there a plan that will do for whoever runs it? */
static bool
is_planned(const CachedPlanSource *source)
{
	return source->is_valid && !source->dependsOnRLS && source->gplan != NULL && source->gplan->is_valid &&
		!source->gplan->dependsOnRole;
}

/*
 * Make the plan of a statement that finds few rows by its arguments, if there is none, so that it reads them by an index
 * however little the tables hold by now. The plan is kept, and the server, which would scan what is small, makes another
 * one when the table is analysed or altered, but not when it grows: each row of a long import would read all before it.
 */
static void
plan_by_key(Statement *statement)
{
	CachedPlan *plan;
	int			level;

	if (statement->nargs == 0 || statement->replan || statement->many_rows ||
		is_planned(linitial(SPI_plan_get_plan_sources(statement->plan))))
		return;
	level = NewGUCNestLevel();
	fix_setting("enable_seqscan", "off");
	/* what has no index to go by seems to cost so much then that it would be compiled */
	fix_setting("jit", "off");
	plan = SPI_plan_get_cached_plan(statement->plan);
	if (plan != NULL)
		ReleaseCachedPlan(plan, statement->one_use ? NULL : CurrentResourceOwner);
	AtEOXact_GUC(true, level);
}

/* What a statement sees. */
typedef enum View
{
	VIEW_NEW,					/* by a new snapshot, unless the transaction keeps to its first */
	VIEW_LATEST,				/* all that is committed, whatever the transaction keeps to */
	VIEW_OF_CALLER				/* what the query sees that called us; it changes nothing */
} View;

/* Run under the current user and say how many rows came of it. */
static uint64
execute(Statement *statement, const Args *args, View view)
{
	MemoryContext context = CurrentMemoryContext;
	int			code;

	Assert((args ? args->n : 0) == statement->nargs);
	PG_TRY();
	{
		prepare(statement);
		plan_by_key(statement);
		code = SPI_execute_snapshot(statement->plan,
									args ? (Datum *) args->values : NULL,
									args ? args->nulls : NULL,
									view == VIEW_LATEST ? GetLatestSnapshot() : InvalidSnapshot, InvalidSnapshot,
									view == VIEW_OF_CALLER, true, 0);
	}
	PG_CATCH();
	{
		rethrow_in_brief(statement->text, context);
	}
	PG_END_TRY();
	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", statement->text, SPI_result_code_string(code));
	if (SPI_tuptable != NULL)
		refuse_nulls(statement, SPI_tuptable);
	/* it may have waited for the desk to be brought forward */
	if (!statement->any_layout)
		check_layout();
	return SPI_processed;
}

/* Does the statement only read? What changes rows fires triggers, as the caller's own INSERT or UPDATE would. */
static bool
only_reads(const Statement *statement)
{
	return strncmp(statement->text, "SELECT ", strlen("SELECT ")) == 0;
}

/*
 * With whose rights a statement runs. Views, and functions of the machinery, are the desk's owner's, who may put others in
 * their place: a superuser, who may read whatever the owner may, lends them no more rights than the owner has.
 */
static bool
begin_as_asked(const Statement *statement, Caller *caller)
{
	Oid			owner;

	if (statement->as_owner_of.name != NULL)
	{
		become_owner(desk_relation(statement->as_owner_of.schema, statement->as_owner_of.name), caller);
		return true;
	}
	if ((!statement->names_machinery && !only_reads(statement)) || !superuser())
		return false;
	owner = table_owner(desk_relation("support_internal", "schema_version"));
	if (owner == GetUserId() || superuser_arg(owner))
		return false;
	become_role(owner, SECURITY_RESTRICTED_OPERATION, caller);
	return true;
}

static uint64
run_as_asked(Statement *statement, const Args *args, View view)
{
	Caller		caller;
	bool		as_other = begin_as_asked(statement, &caller);
	uint64		rows = execute(statement, args, view);

	if (as_other)
		become_caller(&caller);
	return rows;
}

/*
 * Run a statement with a fresh snapshot and return the number of rows. What it returns can be read with result()
 * until the next run, and lives until SPI_finish().
 */
uint64
run(Statement *statement, const Args *args)
{
	return run_as_asked(statement, args, VIEW_NEW);
}

/* The same with a snapshot of this moment, also where the transaction keeps to its first one. */
uint64
run_latest(Statement *statement, const Args *args)
{
	/* parallel mode, in which nothing is written, allows no other snapshot than the caller's */
	return run_as_asked(statement, args, IsInParallelMode() ? VIEW_OF_CALLER : VIEW_LATEST);
}

/*
 * In a trigger: until PopActiveSnapshot(), see what is committed at this moment, and of our own changes those that came
 * before the statement which fired the trigger.
 */
void
look_before_statement(void)
{
	CommandId	statement = GetActiveSnapshot()->curcid;

	PushCopiedSnapshot(GetLatestSnapshot());
	GetActiveSnapshot()->curcid = statement;
}

/* Run a query under the snapshot of the query that called us, as a STABLE function must. */
uint64
run_read_only(Statement *statement, const Args *args)
{
	return run_as_asked(statement, args, VIEW_OF_CALLER);
}

/* Open a cursor on a query under the snapshot of the query that called us, for SPI_cursor_close() to close. */
Portal
open_portal(Statement *statement, const Args *args)
{
	MemoryContext context = CurrentMemoryContext;
	Portal		portal;

	Assert((args ? args->n : 0) == statement->nargs);
	Assert(statement->as_owner_of.name == NULL);
	PG_TRY();
	{
		prepare(statement);
		plan_by_key(statement);
		portal = SPI_cursor_open(NULL, statement->plan,
								 args ? (Datum *) args->values : NULL,
								 args ? args->nulls : NULL, true);
	}
	PG_CATCH();
	{
		rethrow_in_brief(statement->text, context);
	}
	PG_END_TRY();
	return portal;
}

/* Begin to read the rows of a query under the same snapshot. */
void
open_reader(Reader *reader, Statement *statement, const Args *args)
{
	Caller		caller;
	bool		as_other = begin_as_asked(statement, &caller);

	reader->portal = open_portal(statement, args);
	if (as_other)
		become_caller(&caller);
	reader->statement = statement;
	reader->rows = NULL;
	reader->next = 0;
}

/* Have the next rows at hand. */
static void
fetch_rows(Reader *reader)
{
	Caller		caller;
	bool		as_other = begin_as_asked(reader->statement, &caller);

	CHECK_FOR_INTERRUPTS();
	SPI_freetuptable(reader->rows);
	SPI_cursor_fetch(reader->portal, true, ROWS_AT_A_TIME);
	if (as_other)
		become_caller(&caller);
	reader->rows = SPI_tuptable;
	reader->next = 0;
	refuse_nulls(reader->statement, reader->rows);
}

/* The next row, NULL after the last one. It lives until the next call. Its descriptor is that of reader->rows. */
HeapTuple
next_row(Reader *reader)
{
	if (reader->rows == NULL || reader->next == reader->rows->numvals)
		fetch_rows(reader);
	return reader->next < reader->rows->numvals ? reader->rows->vals[reader->next++] : NULL;
}

void
close_reader(Reader *reader)
{
	SPI_freetuptable(reader->rows);
	SPI_cursor_close(reader->portal);
}

/*
 * A statement whose text depends on what columns it is about. It returns ncolumns columns, or what its reader looks at
 * (0). Equal texts share a plan; past a number that no application reaches, statements are planned for one use.
 */
Statement *
statement_of(const char *text, int nargs, const Oid *argtypes, const ResultColumn *columns, int ncolumns)
{
	static HTAB *kept = NULL;
	KeptStatement *entry = NULL;
	Statement  *statement;
	bool		found = false;

	if (kept == NULL)
	{
		HASHCTL		ctl = {.keysize = MAX_KEPT_TEXT, .entrysize = sizeof(KeptStatement)};

		kept = hash_create("support_ext statements", 16, &ctl, HASH_ELEM | HASH_STRINGS);
	}
	if (strlen(text) < MAX_KEPT_TEXT)
		entry = hash_search(kept, text,
							hash_get_num_entries(kept) < MAX_KEPT_STATEMENTS ? HASH_ENTER : HASH_FIND, &found);
	if (found && memcmp(entry->statement.argtypes, argtypes, sizeof(Oid) * nargs) == 0)
		return &entry->statement;
	/* a column has another type now */
	if (found && entry->statement.plan != NULL)
		SPI_freeplan(entry->statement.plan);

	statement = entry != NULL ? &entry->statement : palloc(sizeof(Statement));
	memset(statement, 0, sizeof(Statement));
	statement->text = entry != NULL ? entry->text : text;
	statement->nargs = nargs;
	memcpy(statement->argtypes, argtypes, sizeof(Oid) * nargs);
	for (int i = 0; i < ncolumns; i++)
		statement->columns[i] = columns[i];
	statement->any_columns = ncolumns == 0;
	statement->one_use = entry == NULL;
	return statement;
}

/* Run a statement with a fresh snapshot whose text and arguments are known only now, with the caller's rights. */
uint64
run_once(const char *text, int nargs, const Oid *argtypes, const Datum *values, const char *nulls)
{
	Statement  *statement = palloc0(sizeof(Statement));
	MemoryContext context = CurrentMemoryContext;
	Caller		caller;
	bool		as_other;
	int			code;

	statement->text = text;
	statement->nargs = nargs;
	statement->more_argtypes = argtypes;
	statement->any_columns = true;
	statement->one_use = true;
	statement->replan = true;
	as_other = begin_as_asked(statement, &caller);
	PG_TRY();
	{
		prepare(statement);
		code = SPI_execute_plan(statement->plan, (Datum *) values, nulls, false, 0);
	}
	PG_CATCH();
	{
		rethrow_in_brief(text, context);
	}
	PG_END_TRY();
	if (as_other)
		become_caller(&caller);
	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", text, SPI_result_code_string(code));
	check_layout();
	return SPI_processed;
}

void
arg(Args *args, Datum value)
{
	Assert(args->n < MAX_ARGS);
	args->values[args->n] = value;
	args->nulls[args->n++] = ' ';
}

void
arg_null(Args *args)
{
	Assert(args->n < MAX_ARGS);
	args->values[args->n] = (Datum) 0;
	args->nulls[args->n++] = 'n';
}

void
arg_int64(Args *args, int64 value)
{
	arg(args, Int64GetDatum(value));
}

/* A text argument; NULL stands for SQL's NULL. */
void
arg_text(Args *args, const char *value)
{
	if (value == NULL)
		arg_null(args);
	else
		arg(args, CStringGetTextDatum(value));
}

/* The n-th argument of our own call. Raises 22023 if it is NULL. */
Datum
required_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_DATUM(n);
}

/* The same for an instant. Raises 22023 for infinity, too. */
TimestampTz
required_time(FunctionCallInfo fcinfo, int n, const char *name)
{
	TimestampTz at = DatumGetTimestampTz(required_argument(fcinfo, n, name));

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be infinite", name)));
	return at;
}

/* The n-th argument, an id. Raises 22023 if it is NULL. */
int64
required_id(FunctionCallInfo fcinfo, int n, const char *name)
{
	return DatumGetInt64(required_argument(fcinfo, n, name));
}

/* An integer argument that says how many. Raises 22023 if it is NULL or below 1. */
int32
positive_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	int32		number = PG_ARGISNULL(n) ? 0 : PG_GETARG_INT32(n);

	if (number < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be 1 at least", name)));
	return number;
}

/* Hand the n-th argument of our own call on as it is. */
void
arg_passed(Args *args, FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		arg_null(args);
	else
		arg(args, PG_GETARG_DATUM(n));
}

/*
 * Raise 23505 if another row than our own, 0 for none, has the value of the n-th argument of our own call; the detail
 * names it. Needs an SPI level.
 */
void
check_free(const UniqueValue *unique, FunctionCallInfo fcinfo, int n, int64 own_id)
{
	Datum		value;
	Args		args = {0};

	if (PG_ARGISNULL(n))
		return;
	value = trimmed(PG_GETARG_DATUM(n));
	arg(&args, value);
	if (run(unique->holder, &args) > 0 && result_int64(0, 1) != own_id)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("%s \"%s\" is taken", unique->what, TextDatumGetCString(value)),
				 errdetail("It is %s %lld's.", unique->whose, (long long) result_int64(0, 1)),
				 err_constraint(unique->table, unique->constraint)));
}

/* Read a column of the last run. Raises 27000 if there is no such row: a trigger or policy took it away. */
static Datum
fetch(uint64 row, int column, bool *isnull)
{
	if (SPI_tuptable == NULL || row >= SPI_tuptable->numvals)
		refuse_suppressed_row();
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

bool
result_is_null(uint64 row, int column)
{
	bool		isnull;

	(void) fetch(row, column, &isnull);
	return isnull;
}

/* A column (from 1) of a row (from 0) of the last run; 0 where it is NULL. */
Datum
result(uint64 row, int column)
{
	bool		isnull;
	Datum		value = fetch(row, column, &isnull);

	return isnull ? (Datum) 0 : value;
}

int64
result_int64(uint64 row, int column)
{
	return DatumGetInt64(result(row, column));
}

bool
result_bool(uint64 row, int column)
{
	return DatumGetBool(result(row, column));
}

/* A double precision column; NaN where it is NULL. */
double
result_float8(uint64 row, int column)
{
	return result_is_null(row, column) ? get_float8_nan() : DatumGetFloat8(result(row, column));
}

/* A column of any type as a C string, NULL where it is NULL. */
char *
result_text(uint64 row, int column)
{
	return result_is_null(row, column) ? NULL :
		SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}
