/*
 * analysis.c
 *		What the desk's statements mean, and what they return.
 *
 * The server analyses the text of a statement when its plan is made, and again when a relation it names changes or when
 * the caller's search_path does. Each time it finds operators, functions, types and collations by the search_path of that
 * moment. That of the caller must not decide what our statements mean: so analysis is put between two calls of ours, of
 * which the first makes the path safe and the second gives the caller's back. The server calls the first, the plan's
 * parser setup, as it begins, and the second, a hook, when it is done, before it plans or runs anything: what belongs to
 * users (triggers, defaults, policies) sees the path of the caller.
 *
 * The second looks at what came out of it as well. Tables belong to people, who alter them, and whoever reads a column by
 * its place must know that there is what the statement declares. What runs with the owner's rights must touch nothing of
 * anybody else's.
 */
#include "postgres.h"

#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "base/analysis.h"
#include "base/compat.h"
#include "base/errors.h"

/* A statement in analysis. */
typedef struct Analysis
{
	const Statement *statement;
	int			path_level;
	Caller		caller;			/* of a statement that names machinery, while it is looked up for him */
	bool		ended;
} Analysis;

static post_parse_analyze_hook_type previous_hook;

/* The analysis of a statement that has no plan yet. */
static Analysis *first_analysis;

static const char *
type_name(Oid type)
{
	return format_type_be_qualified(type);
}

/* $n of the statement in analysis. */
static Node *
parameter(ParseState *pstate, ParamRef *reference)
{
	const Analysis *analysis = pstate->p_ref_hook_state;
	const Statement *statement = analysis->statement;
	Param	   *param = makeNode(Param);
	int			n = reference->number;

	if (n < 1 || n > statement->nargs)
		elog(ERROR, "\"%s\" has no parameter $%d", statement->text, n);
	param->paramkind = PARAM_EXTERN;
	param->paramid = n;
	param->paramtype = (statement->more_argtypes ? statement->more_argtypes : statement->argtypes)[n - 1];
	param->paramtypmod = -1;
	param->paramcollid = get_typcollation(param->paramtype);
	param->location = reference->location;
	return (Node *) param;
}

/*
 * Make sure that names mean what we say. The functions of support_internal that run with the caller's rights are looked up
 * by the desk's owner: nobody else need be let into that schema, where much can be called that tells of everything.
 */
static void
begin(Analysis *analysis, const Statement *statement)
{
	analysis->statement = statement;
	if (statement->names_machinery)
		become_owner(desk_relation("support_internal", "schema_version"), &analysis->caller);
	else
		analysis->path_level = enter_safe_path();
}

static void
end(Analysis *analysis)
{
	if (analysis->statement->names_machinery)
		become_caller(&analysis->caller);
	else
		leave_safe_path(analysis->path_level);
	analysis->ended = true;
}

/* The parser setup of our plans: analysis begins, not for the first time. */
static void
begin_analysis(ParseState *pstate, void *arg)
{
	Analysis   *analysis = palloc0(sizeof(Analysis));

	begin(analysis, arg);
	pstate->p_ref_hook_state = analysis;
	pstate->p_paramref_hook = parameter;
}

/* What a column of a result is called in a message: the table's column that it is taken from, if it is one. */
static char *
column_name(const TargetEntry *entry)
{
	if (OidIsValid(entry->resorigtbl) && entry->resorigcol > 0)
		return psprintf("column \"%s\" of relation %s",
						get_attname(entry->resorigtbl, entry->resorigcol, false), qualified_name(entry->resorigtbl));
	return psprintf("a value (\"%s\") that the desk reads", entry->resname ? entry->resname : "?column?");
}

/* Can a value of one type be read as one of another? */
static bool
reads_as(Oid found, Oid declared)
{
	found = getBaseType(found);
	return found == declared || (found == VARCHAROID && declared == TEXTOID);
}

static int
count_columns(const Statement *statement)
{
	int			n = 0;

	while (n < MAX_RESULT_COLUMNS && OidIsValid(statement->columns[n].type))
		n++;
	return n;
}

/* Raise 55000 unless the columns of the result have the types that the statement declares. */
static void
check_result(const Statement *statement, List *targets)
{
	int			declared = count_columns(statement);
	int			n = 0;
	ListCell   *cell;

	if (statement->any_columns)
		return;
	foreach(cell, targets)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Oid			found = exprType((Node *) entry->expr);

		if (entry->resjunk)
			continue;
		if (n == declared)
			refuse_altered("a function of support_internal", "returns more columns than the desk's");
		if (!reads_as(found, statement->columns[n].type))
			refuse_altered(column_name(entry), psprintf("has type %s instead of %s", type_name(found),
														type_name(statement->columns[n].type)));
		n++;
	}
	if (n < declared)
		refuse_altered("a function of support_internal", "returns fewer columns than the desk's");
}

/* Is it a relation that the desk may be made of? */
static void
check_relation(Oid relid, bool as_owner)
{
	char		kind = get_rel_relkind(relid);

	if (IsCatalogNamespace(get_rel_namespace(relid)))
		return;
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_VIEW)
		refuse_altered(psprintf("relation %s", qualified_name(relid)), "is neither a table nor a view");
	if (as_owner && table_owner(relid) != GetUserId())
		refuse_altered(psprintf("relation %s", qualified_name(relid)),
					   psprintf("belongs to role \"%s\" instead of the desk's owner \"%s\"",
								GetUserNameFromId(table_owner(relid), true), GetUserNameFromId(GetUserId(), true)));
}

/* Walk through all that a statement reads and writes; *arg says whether it runs with the owner's rights. */
static bool
check_relations(Node *node, void *arg)
{
	const bool *as_owner = arg;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		if (((RangeTblEntry *) node)->rtekind == RTE_RELATION)
			check_relation(((RangeTblEntry *) node)->relid, *as_owner);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, check_relations, arg, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, check_relations, arg);
}

/* The hook: some statement was analysed. If it is one of ours, the caller's path comes back, and it is looked at. */
static void
end_analysis(ParseState *pstate, Query *query, JumbleState *jstate)
{
	Analysis   *analysis = pstate->p_paramref_hook == parameter ? pstate->p_ref_hook_state : first_analysis;

	/* what the other hook may analyse is not ours */
	first_analysis = NULL;
	if (previous_hook)
		previous_hook(pstate, query, jstate);
	if (analysis == NULL)
		return;
	end(analysis);
	if (query->commandType != CMD_UTILITY)
	{
		bool		as_owner = analysis->statement->as_owner_of.name != NULL;

		check_result(analysis->statement, query->commandType == CMD_SELECT ? query->targetList : query->returningList);
		(void) check_relations((Node *) query, &as_owner);
	}
}

void
analysis_init(void)
{
	previous_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = end_analysis;
}

/* Make the plan of a statement. */
static SPIPlanPtr
prepare_plan(const Statement *statement)
{
	const Oid  *types = statement->more_argtypes ? statement->more_argtypes : statement->argtypes;
	SPIPlanPtr	plan = SPI_prepare_cursor(statement->text, statement->nargs, (Oid *) types,
										  statement->replan ? CURSOR_OPT_CUSTOM_PLAN : CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", statement->text, SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * Analyse a statement and return its plan, which is analysed in the same way whenever it must be again. The statement
 * lives as long as the plan. Raises 55000 if it meets something that is not the desk's.
 */
SPIPlanPtr
analyse(Statement *statement)
{
	Analysis	analysis = {0};
	SPIPlanPtr	plan;
	CachedPlanSource *source;

	begin(&analysis, statement);
	first_analysis = &analysis;
	PG_TRY();
	{
		plan = prepare_plan(statement);
	}
	PG_FINALLY();
	{
		first_analysis = NULL;
	}
	PG_END_TRY();
	if (!analysis.ended)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("another extension's post_parse_analyze_hook keeps support_ext from checking its statements")));
	source = linitial(SPI_plan_get_plan_sources(plan));
	source->parserSetup = begin_analysis;
	source->parserSetupArg = statement;
	return plan;
}

/* Raise 55000 for a column of a statement's result that is NULL and must not be. */
static void
refuse_null(const Statement *statement, int column)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(statement->plan));
	List	   *targets = CachedPlanGetTargetList(source, NULL);

	refuse_altered(column_name(list_nth_node(TargetEntry, targets, column)), "is null where it must not be");
}

/* Raise 55000 if values taken straight from the executor have NULL where the statement declares that there is none. */
void
refuse_null_among(const Statement *statement, const bool *nulls, int n)
{
	for (int i = 0; i < n; i++)
		if (nulls[i] && statement->columns[i].nulls == NOT_NULL)
			refuse_null(statement, i);
}

/* The same for a row of a result. */
static void
refuse_null_in(const Statement *statement, TupleDesc desc, HeapTuple tuple)
{
	/* the bits, or missing columns, say at once that there is none in most rows */
	if (!HeapTupleHasNulls(tuple) && HeapTupleHeaderGetNatts(tuple->t_data) >= desc->natts)
		return;
	for (int i = 0; i < desc->natts; i++)
		if (i < MAX_RESULT_COLUMNS && statement->columns[i].nulls == NOT_NULL && heap_attisnull(tuple, i + 1, desc))
			refuse_null(statement, i);
}

/* The same for all rows of a result. */
void
refuse_nulls(const Statement *statement, const SPITupleTable *rows)
{
	for (uint64 i = 0; i < rows->numvals; i++)
		refuse_null_in(statement, rows->tupdesc, rows->vals[i]);
}
