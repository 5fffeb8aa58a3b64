/*
 * install.c
 *		Making the desk in the database.
 *
 * The desk's tables and views belong to the database, not to the extension: they are dumped with their rows, keep
 * what users add to them, and outlive the extension. support_internal.desk_layout() holds the statements that make
 * them, from the files in sql/desk; support.install() runs them one by one. The server's own parser tells what each
 * one makes. A thing that is there already is passed over, so that the same statements make a desk, bring an older one
 * forward, and take up one again that DROP EXTENSION ... CASCADE left without its triggers; a view or a function is replaced.
 *
 * Called by the extension script, what was made is a member of the extension at first, and is released at the end.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "plan.h"
#include "stat_check.h"
#include "support_ext.h"
#include "trigger.h"

#define EXTENSION_NAME "support_ext"

/* Are we called by the extension's own script? */
static bool
in_extension_script(void)
{
	return creating_extension && CurrentExtensionObject == get_extension_oid(EXTENSION_NAME, true);
}

/* Run a statement and return the number of rows. */
static uint64
execute(const char *statement)
{
	int			code = SPI_execute(statement, false, 0);

	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", statement, SPI_result_code_string(code));
	return SPI_processed;
}

/* Why the extension script should leave the database as it is; NULL if it should not. */
static const char *
reason_to_stay_away(void)
{
	if (!install_enabled)
		return "support_ext.install is off";
	if (strncmp(application_name, "citus_", 6) == 0)
		return "a distributed database is copying the extension to this node";
	return NULL;
}

/*
 * Is the script part of a dump that is being restored? Scripts of pg_dump and pg_restore set row_security in their
 * session, all of them, and bring the tables themselves.
 */
static bool
in_restore(void)
{
	return in_extension_script() &&
		execute("SELECT FROM pg_catalog.pg_settings WHERE name = 'row_security' AND source = 'session'") > 0;
}

static bool
constraint_exists(Oid relid, const char *name)
{
	return OidIsValid(get_relation_constraint_oid(relid, name, true));
}

/* Is there what an ALTER TABLE with one command would add? */
static bool
alteration_is_done(AlterTableStmt *statement)
{
	Oid			relid = RangeVarGetRelid(statement->relation, NoLock, true);
	AlterTableCmd *command = linitial_node(AlterTableCmd, statement->cmds);
	AttrNumber	attnum;

	if (!OidIsValid(relid))
		return false;
	switch (command->subtype)
	{
		case AT_AddColumn:
			return get_attnum(relid, castNode(ColumnDef, command->def)->colname) != InvalidAttrNumber;
		case AT_AddConstraint:
			return constraint_exists(relid, castNode(Constraint, command->def)->conname);
		case AT_ColumnDefault:
			attnum = get_attnum(relid, command->name);
			return OidIsValid(GetAttrDefaultOid(relid, attnum));
		default:
			return false;
	}
}

static bool
relation_exists(RangeVar *relation)
{
	return OidIsValid(RangeVarGetRelid(relation, NoLock, true));
}

/* An index lies in the schema of its table. */
static bool
index_exists(IndexStmt *statement)
{
	RangeVar   *index = makeRangeVar(statement->relation->schemaname, statement->idxname, -1);

	return relation_exists(index);
}

static bool
trigger_exists(CreateTrigStmt *statement)
{
	Oid			relid = RangeVarGetRelid(statement->relation, NoLock, true);

	return OidIsValid(relid) && OidIsValid(get_trigger_oid(relid, statement->trigname, true));
}

static bool
has_rows(RangeVar *relation)
{
	return execute(psprintf("SELECT FROM %s LIMIT 1",
							quote_qualified_identifier(relation->schemaname, relation->relname))) > 0;
}

/* Is there what the statement would make? */
static bool
is_done(Node *statement, bool seed)
{
	switch (nodeTag(statement))
	{
		case T_CreateStmt:
			return relation_exists(((CreateStmt *) statement)->relation);
		case T_CreateSeqStmt:
			return relation_exists(((CreateSeqStmt *) statement)->sequence);
		case T_IndexStmt:
			return index_exists((IndexStmt *) statement);
		case T_CreateTrigStmt:
			return trigger_exists((CreateTrigStmt *) statement);
		case T_AlterTableStmt:
			return alteration_is_done((AlterTableStmt *) statement);
		case T_InsertStmt:
			return !seed || has_rows(((InsertStmt *) statement)->relation);
		default:
			return false;
	}
}

/* Let the extension's script replace a view that is there: the server wants it to be a member for that. */
static void
adopt_view(ViewStmt *statement)
{
	if (in_extension_script() && relation_exists(statement->view))
		execute(psprintf("ALTER EXTENSION " EXTENSION_NAME " ADD VIEW %s",
						 quote_qualified_identifier(statement->view->schemaname, statement->view->relname)));
}

/* The function that a statement makes, as a name that regproc reads: ours have no namesakes. */
static char *
function_made(CreateFunctionStmt *statement)
{
	return quote_qualified_identifier(strVal(linitial(statement->funcname)), strVal(lsecond(statement->funcname)));
}

/* The same for a function. */
static void
adopt_function(CreateFunctionStmt *statement)
{
	if (in_extension_script() &&
		execute(psprintf("SELECT pg_catalog.to_regproc('%s')::pg_catalog.regprocedure", function_made(statement))) > 0 &&
		!result_is_null(0, 1))
		execute(psprintf("ALTER EXTENSION " EXTENSION_NAME " ADD FUNCTION %s", result_text(0, 1)));
}

/* The text of one statement. */
static char *
text_of(const char *layout, RawStmt *statement)
{
	const char *start = layout + statement->stmt_location;

	return statement->stmt_len > 0 ? pnstrdup(start, statement->stmt_len) : pstrdup(start);
}

/* The relation that a statement makes; NULL if it makes none. */
static RangeVar *
made_by(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CreateStmt:
			return ((CreateStmt *) statement)->relation;
		case T_CreateSeqStmt:
			return ((CreateSeqStmt *) statement)->sequence;
		case T_ViewStmt:
			return ((ViewStmt *) statement)->view;
		default:
			return NULL;
	}
}

/*
 * Find a role, other than us and superusers, who owns something that goes by the name of a relation of the desk;
 * InvalidOid if there is none. To work on such a relation would run whatever that role put on it with our rights.
 */
static Oid
foreign_owner(List *statements)
{
	ListCell   *cell;

	foreach(cell, statements)
	{
		RangeVar   *relation = made_by(lfirst_node(RawStmt, cell)->stmt);
		Oid			relid = relation ? RangeVarGetRelid(relation, NoLock, true) : InvalidOid;
		Oid			owner = OidIsValid(relid) ? table_owner(relid) : GetUserId();

		if (owner != GetUserId() && !superuser_arg(owner))
			return owner;
	}
	return InvalidOid;
}

/* Run one of the layout's statements. */
static void
run_statement(const char *layout, RawStmt *raw)
{
	if (IsA(raw->stmt, ViewStmt))
		adopt_view((ViewStmt *) raw->stmt);
	else if (IsA(raw->stmt, CreateFunctionStmt))
		adopt_function((CreateFunctionStmt *) raw->stmt);
	seeding = IsA(raw->stmt, InsertStmt);
	PG_TRY();
	{
		execute(text_of(layout, raw));
	}
	PG_FINALLY();
	{
		seeding = false;
	}
	PG_END_TRY();
	CommandCounterIncrement();
}

/* Run those of the layout's statements whose work is not done. */
static void
run_layout(const char *layout, List *statements, bool seed)
{
	ListCell   *cell;

	foreach(cell, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);

		CHECK_FOR_INTERRUPTS();
		if (!is_done(raw->stmt, seed))
			run_statement(layout, raw);
	}
}

/* The statements that make the desk, as the extension's SQL brings them. */
static char *
desk_layout(void)
{
	execute("SELECT support_internal.desk_layout()");
	return result_text(0, 1);
}

/* Note the layout that the desk has now, and the cluster it lives in. */
static void
note_version(void)
{
	execute(psprintf("INSERT INTO support_internal.schema_version (version, installed_at)"
					 " VALUES (%d, support.desk_now()) ON CONFLICT DO NOTHING", LAYOUT_VERSION));
	execute("INSERT INTO support_internal.eras (era, system_identifier, database_oid, began_at)"
			" SELECT 1, c.system_identifier, d.oid, support.desk_now()"
			" FROM pg_catalog.pg_control_system() AS c, pg_catalog.pg_database AS d"
			" WHERE d.datname = pg_catalog.current_database()"
			" AND NOT EXISTS (SELECT FROM support_internal.eras)");
}

/* The word that ALTER EXTENSION DROP has for a kind of relation. */
static const char *
kind_word(char relkind)
{
	switch (relkind)
	{
		case RELKIND_VIEW:
			return "VIEW";
		case RELKIND_SEQUENCE:
			return "SEQUENCE";
		default:
			return "TABLE";
	}
}

/* Release the functions that name row types: those that the layout makes. */
static void
release_functions(List *statements)
{
	ListCell   *cell;

	foreach(cell, statements)
	{
		Node	   *statement = lfirst_node(RawStmt, cell)->stmt;

		if (!IsA(statement, CreateFunctionStmt))
			continue;
		execute(psprintf("SELECT '%s'::pg_catalog.regproc::pg_catalog.regprocedure",
						 function_made((CreateFunctionStmt *) statement)));
		execute(psprintf("ALTER EXTENSION " EXTENSION_NAME " DROP FUNCTION %s", result_text(0, 1)));
	}
}

/* Release what became a member of the extension because its script made it. */
static void
release_members(List *statements)
{
	SPITupleTable *members;
	uint64		n;

	n = execute("SELECT c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname)"
				" FROM pg_catalog.pg_depend AS d"
				" JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid"
				" JOIN pg_catalog.pg_class AS c ON c.oid = d.objid"
				" JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
				" WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
				" AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass"
				" AND d.deptype = 'e' AND e.extname = '" EXTENSION_NAME "'"
				" ORDER BY c.oid");
	members = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
		execute(psprintf("ALTER EXTENSION " EXTENSION_NAME " DROP %s %s",
						 kind_word(*SPI_getvalue(members->vals[i], members->tupdesc, 1)),
						 SPI_getvalue(members->vals[i], members->tupdesc, 2)));
	release_functions(statements);
}

/*
 * The layout that the desk has: 0 if there is no desk, or none that lookup rows were ever put in. Raises 55000 for one
 * that is newer than this code.
 */
static int
layout_now(void)
{
	int			version = 0;

	if (!OidIsValid(get_relname_relid("schema_version", get_namespace_oid("support_internal", false))))
		return 0;
	execute("SELECT pg_catalog.max(version)::pg_catalog.int4 FROM support_internal.schema_version");
	if (!result_is_null(0, 1))
		version = DatumGetInt32(result(0, 1));
	if (version > LAYOUT_VERSION)
		refuse_layout(version);
	return version;
}

/* Is there a trigger on tickets that counts for the reports? */
static bool
tickets_are_counted(void)
{
	Oid			relid = get_relname_relid("tickets", get_namespace_oid("support", false));

	return OidIsValid(relid) && OidIsValid(get_trigger_oid(relid, "A_support_after", true)) &&
		OidIsValid(get_relname_relid("stat_counters", get_namespace_oid("support_internal", false)));
}

/* Make the desk, or bring it forward. */
static void
make_desk(const char *layout, List *statements, bool seed)
{
	bool		were_counted = tickets_are_counted();

	/* what the owner deleted from a lookup table stays deleted */
	run_layout(layout, statements, seed && layout_now() == 0);
	if (seed)
		note_version();
	/* nobody has counted what became of them before the triggers were there */
	if (seed && !were_counted && execute("SELECT FROM support.tickets LIMIT 1") > 0)
		(void) recount_everything(true);
	if (in_extension_script())
		release_members(statements);
}

/*
 * Make the desk, or bring it forward, with names resolved in pg_catalog alone. Returns the role that owns the desk if
 * that is another, who has to do it: from the extension's script; called by hand, raises 42501.
 */
static Oid
install_desk(bool seed)
{
	int			nestlevel = NewGUCNestLevel();
	char	   *layout;
	List	   *statements;
	Oid			owner;

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	/* two sessions must not make the same desk at once */
	LockDatabaseObject(NamespaceRelationId, get_namespace_oid("support_internal", false), 0, ShareUpdateExclusiveLock);
	layout = desk_layout();
	statements = raw_parser(layout, RAW_PARSE_DEFAULT);
	owner = foreign_owner(statements);
	if (!OidIsValid(owner))
		make_desk(layout, statements, seed);
	else if (!in_extension_script())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" owns what has the name of a part of the desk", GetUserNameFromId(owner, false)),
				 errhint("If it is the desk's owner, SET ROLE to it first.")));
	AtEOXact_GUC(true, nestlevel);
	return owner;
}

/*
 * Let the person at the terminal hear us: the server runs extension scripts with client_min_messages at warning, which
 * tells nothing of what the session had. A session that asked for less than warnings still hears nothing.
 */
static int
raise_voice(void)
{
	int			nestlevel = NewGUCNestLevel();

	if (in_extension_script() && client_min_messages == WARNING)
		(void) set_config_option("client_min_messages", "notice",
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

/* Say that the desk is there, or why it is not. */
static void
tell(const char *reason)
{
	int			nestlevel = raise_voice();

	if (reason == NULL)
		ereport(NOTICE, (errmsg("support desk ready: SELECT * FROM support.ticket_list;")));
	else
		ereport(NOTICE,
				(errmsg("support desk not installed: %s", reason),
				 errhint("SELECT support.install() makes it, or brings it forward, when its owner calls it.")));
	AtEOXact_GUC(true, nestlevel);
}

/* install(seed) */
PG_FUNCTION_INFO_V1(support_install);
Datum
support_install(PG_FUNCTION_ARGS)
{
	bool		seed = PG_ARGISNULL(0) || PG_GETARG_BOOL(0);
	const char *reason;

	PreventCommandIfReadOnly("install()");
	SPI_connect();
	reason = in_extension_script() ? reason_to_stay_away() : NULL;
	if (in_restore())
		ereport(NOTICE, (errmsg("support desk not installed: a dump is being restored")));
	else
	{
		Oid			owner = reason == NULL ? install_desk(seed) : InvalidOid;

		if (OidIsValid(owner))
			reason = psprintf("role \"%s\" owns what has the name of a part of it", GetUserNameFromId(owner, false));
		tell(reason);
	}
	SPI_finish();
	PG_RETURN_VOID();
}
