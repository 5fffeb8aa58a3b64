/*
 * install_repair.c
 *		Putting back what a table of the desk has lost.
 *
 * A table that is there is not made again, yet its owner may have dropped a column, a NOT NULL or a constraint of it,
 * or changed a column's type. The code relies on types and on what cannot be NULL. So columns, NOT NULLs and constraints
 * of the layout are added where they are missing; rows that do not comply are the server's to complain of. Those of a table
 * that follows from others are taken away first, and written anew. Another type is the owner's to change back. What the owner
 * added, and defaults and lengths that he chose, stay as they are.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_constraint.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_type.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/queryenvironment.h"
#include "utils/syscache.h"

#include "base/distributed.h"
#include "base/plan.h"
#include "base/tables.h"
#include "install_migrate.h"
#include "install_repair.h"

static AlterTableCmd *
command(AlterTableType type, const char *name, Node *definition)
{
	AlterTableCmd *cmd = makeNode(AlterTableCmd);

	cmd->subtype = type;
	cmd->name = name != NULL ? pstrdup(name) : NULL;
	cmd->def = copyObject(definition);
	cmd->behavior = DROP_RESTRICT;
	return cmd;
}

/* Run an ALTER TABLE of these commands, if there are any. */
static void
alter_table(const char *layout, RangeVar *table, List *commands)
{
	AlterTableStmt *statement = makeNode(AlterTableStmt);
	PlannedStmt *wrapper = makeNode(PlannedStmt);

	if (commands == NIL)
		return;
	statement->relation = copyObject(table);
	statement->cmds = commands;
	statement->objtype = OBJECT_TABLE;
	wrapper->commandType = CMD_UTILITY;
	wrapper->utilityStmt = (Node *) statement;
	wrapper->stmt_location = wrapper->stmt_len = -1;
	ProcessUtility(wrapper, layout, false, PROCESS_UTILITY_SUBCOMMAND, NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
}

static bool
is_not_null(const ColumnDef *column)
{
	ListCell   *cell;

	foreach(cell, column->constraints)
		if (lfirst_node(Constraint, cell)->contype == CONSTR_NOTNULL)
			return true;
	return false;
}

/* Raise 55000 unless the column has the layout's type, of whatever length. */
static void
check_type(RangeVar *table, const ColumnDef *column, Form_pg_attribute att)
{
	Oid			type;
	int32		typmod;

	typenameTypeIdAndMod(NULL, column->typeName, &type, &typmod);
	if (att->atttypid == type)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of relation \"%s.%s\" has type %s, not %s", column->colname,
					table->schemaname, table->relname,
					format_type_be(att->atttypid), format_type_with_typemod(type, typmod)),
			 errhint("ALTER TABLE %s ALTER COLUMN %s TYPE %s changes it back.",
					 quote_qualified_identifier(table->schemaname, table->relname),
					 quote_identifier(column->colname), format_type_with_typemod(type, typmod))));
}

/* Add the commands that a column needs. */
static List *
mend_column(List *commands, RangeVar *table, Oid relid, ColumnDef *column)
{
	HeapTuple	tuple = SearchSysCacheAttName(relid, column->colname);

	if (!HeapTupleIsValid(tuple))
		return lappend(commands, command(AT_AddColumn, NULL, (Node *) column));
	check_type(table, column, (Form_pg_attribute) GETSTRUCT(tuple));
	if (is_not_null(column) && !((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull)
		commands = lappend(commands, command(AT_SetNotNull, column->colname, NULL));
	ReleaseSysCache(tuple);
	return commands;
}

/* Where rows lie on other nodes, a unique constraint that lacks the column which they lie by was dropped for that, and stays so. */
static bool
was_given_up(Oid relid, const Constraint *constraint)
{
	Relation	rel;
	bool		given_up;

	if (constraint->contype != CONSTR_UNIQUE)
		return false;
	rel = table_open(relid, AccessShareLock);
	given_up = is_distributed(rel);
	table_close(rel, NoLock);
	return given_up;
}

/* Add the command that a constraint needs. */
static List *
mend_constraint(List *commands, Oid relid, Constraint *constraint)
{
	if (OidIsValid(get_relation_constraint_oid(relid, constraint->conname, true)) || was_given_up(relid, constraint))
		return commands;
	return lappend(commands, command(AT_AddConstraint, NULL, (Node *) constraint));
}

/* Put back what a table lacks: its foreign keys, or all else. */
static void
mend_table(const char *layout, CreateStmt *statement, bool foreign_keys)
{
	Oid			relid = RangeVarGetRelid(statement->relation, NoLock, true);
	List	   *commands = NIL;
	ListCell   *cell;

	if (!OidIsValid(relid))
		return;
	foreach(cell, statement->tableElts)
	{
		Node	   *element = lfirst(cell);

		if (IsA(element, ColumnDef))
		{
			if (!foreign_keys)
				commands = mend_column(commands, statement->relation, relid, (ColumnDef *) element);
		}
		else if (foreign_keys == (castNode(Constraint, element)->contype == CONSTR_FOREIGN))
			commands = mend_constraint(commands, relid, (Constraint *) element);
	}
	if (commands != NIL && derived_table(statement->relation->relname) != NULL)
		execute(psprintf("DELETE FROM %s", quote_qualified_identifier(statement->relation->schemaname, statement->relation->relname)));
	alter_table(layout, statement->relation, commands);
}

static void
mend_all(const char *layout, List *statements, bool foreign_keys)
{
	ListCell   *cell;

	foreach(cell, statements)
		if (IsA(lfirst_node(RawStmt, cell)->stmt, CreateStmt))
			mend_table(layout, (CreateStmt *) lfirst_node(RawStmt, cell)->stmt, foreign_keys);
}

/* Say which triggers of ours somebody has switched off: what happens meanwhile is in no log. */
void
tell_of_disabled_triggers(void)
{
	execute("SELECT string_agg(format('%I on %s', t.tgname, t.tgrelid::regclass), ', ' ORDER BY t.tgrelid::regclass::text, t.tgname)"
			" FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = 'support_internal'::regnamespace"
			" JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relnamespace = ANY ('{support,support_internal}'::regnamespace[])"
			" WHERE t.tgenabled = ANY ('{D,R}') AND NOT t.tgisinternal");
	if (!result_is_null(0, 1))
		ereport(WARNING,
				(errmsg("triggers of the desk are disabled: %s", result_text(0, 1)),
				 errhint("ALTER TABLE ... ENABLE TRIGGER switches them on. What changes meanwhile is in no log and no report.")));
}

/* Put back columns, NOT NULLs, keys and checks of the tables that are there. */
void
mend_tables(const char *layout, List *statements)
{
	mend_all(layout, statements, false);
}

/* Put back foreign keys, once all tables are there. */
void
mend_foreign_keys(const char *layout, List *statements)
{
	mend_all(layout, statements, true);
}
