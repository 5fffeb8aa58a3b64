/*
 * install.c
 *		Making the desk in the database.
 *
 * The desk's tables and views belong to the database, not to the extension: they are dumped with their rows, keep
 * what users add to them, and outlive the extension. support_internal.desk_layout() holds the statements that make
 * them, from the files in sql/desk; support.install() runs them one by one. The server's own parser tells what each
 * one makes. On a desk that is there, a thing that is there already is passed over, so that the same statements make a
 * desk, bring an older one forward, and take up one again that DROP EXTENSION ... CASCADE left without its triggers; a
 * view or a function is replaced, and what a table has lost is put back.
 *
 * A superuser who comes by works on somebody's desk with its owner's rights, and so that nothing which that owner put on
 * it outlasts them: no deferred trigger, no setting, no member of the extension. With the caller's own rights we read
 * catalogs and the layout, and grant functions, which runs nobody's code.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "access/policies.h"
#include "base/compat.h"
#include "base/layout.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/settings.h"
#include "desk/customer.h"
#include "desk/search.h"
#include "log/eras.h"
#include "install.h"
#include "install_check.h"
#include "install_migrate.h"
#include "install_numbers.h"
#include "install_repair.h"
#include "stats/backlog.h"
#include "stats/stat_check.h"
#include "upkeep.h"

#define EXTENSION_NAME "support_ext"

/* Is it the extension's script that called install()? */
static bool called_by_script;

/* Does the extension's own script run? */
static bool
in_extension_script(void)
{
	return creating_extension && CurrentExtensionObject == get_extension_oid(EXTENSION_NAME, true);
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
 * session, all of them, and bring the tables themselves: none is there yet.
 */
static bool
in_restore(void)
{
	return called_by_script && !desk_is_there() &&
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

/* Is the comment on the index of a key that a distributed table has given up? */
static bool
is_about_nothing(CommentStmt *statement)
{
	return statement->objtype == OBJECT_INDEX &&
		!relation_exists(makeRangeVarFromNameList(castNode(List, statement->object)));
}

static bool
has_rows(RangeVar *relation)
{
	return execute(psprintf("SELECT FROM %s LIMIT 1",
							quote_qualified_identifier(relation->schemaname, relation->relname))) > 0;
}

/*
 * Is there what the statement would make? Where there is no desk yet, nothing is: what has come there since we looked is
 * not ours, and the server refuses to make another.
 */
static bool
is_done(Node *statement, bool seed, bool is_first)
{
	if (IsA(statement, InsertStmt))
		return !seed || has_rows(((InsertStmt *) statement)->relation);
	if (is_first)
		return false;
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
		case T_CommentStmt:
			return is_about_nothing((CommentStmt *) statement);
		default:
			return false;
	}
}

/* The options that somebody gave a view which is there, such as security_invoker=true; NULL if none. */
static char *
view_options(const RangeVar *view)
{
	Oid			relid = RangeVarGetRelid(view, NoLock, true);

	(void) execute(psprintf("SELECT pg_catalog.array_to_string(reloptions, ', ') FROM pg_catalog.pg_class WHERE oid = %u", relid));
	return SPI_processed == 0 || result_is_null(0, 1) ? NULL : pstrdup(result_text(0, 1));
}

/* Make a view, or replace it: the server takes away the options of one that is replaced, which are the owner's to choose. */
static void
run_view(const char *text, RawStmt *raw)
{
	const RangeVar *view = castNode(ViewStmt, raw->stmt)->view;
	char	   *options = view_options(view);

	run_statement(text, raw);
	if (options != NULL)
		execute(psprintf("ALTER VIEW %s SET (%s)", quote_qualified_identifier(view->schemaname, view->relname), options));
}

/* Run those of the layout's statements whose work is not done. */
static void
run_layout(const Layout *layout, bool seed, bool is_first)
{
	ListCell   *cell;

	foreach(cell, layout->statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);

		CHECK_FOR_INTERRUPTS();
		if (is_done(raw->stmt, seed, is_first))
			continue;
		if (IsA(raw->stmt, ViewStmt))
			run_view(layout->text, raw);
		else
			run_statement(layout->text, raw);
	}
}

/*
 * The layout that the extension's SQL makes. The owner of the schemas may have renamed them and put others in their place:
 * raises 55000 unless the function that tells it is the extension's, and unless this library knows that layout: the session
 * may have loaded it before an update.
 */
static Layout *
desk_layout(void)
{
	Layout	   *layout;
	Oid			function = LookupFuncName(list_make2(makeString("support_internal"), makeString("desk_layout")),
										  0, NULL, false);

	if (getExtensionOfObject(ProcedureRelationId, function) != get_extension_oid(EXTENSION_NAME, false))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("function support_internal.desk_layout() is not the extension's"),
				 errhint("The schemas support and support_internal must be those that the extension was created in.")));
	layout = read_layout(TextDatumGetCString(OidFunctionCall0(function)));
	if (layout->number > LAYOUT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the functions of support_ext make layout %d, but the library in this session knows layout %d",
						layout->number, LAYOUT_VERSION),
				 errhint("Reconnect. If that does not help, install the library of the version that the functions are of.")));
	return layout;
}

static void
begin_era(void *arg)
{
	(void) current_era();
}

/* Note the layout that the desk has now, which may be an older one than ours, and the cluster it lives in. */
static void
note_version(int version)
{
	Modes		installing = modes;

	execute(psprintf("INSERT INTO support_internal.schema_version (version, installed_at)"
					 " VALUES (%d, support.desk_now()) ON CONFLICT DO NOTHING", version));
	announce_layout();
	installing.installing = true;
	if (execute("SELECT FROM support_internal.eras LIMIT 1") == 0)
		work_in(&installing, begin_era, NULL);
}

/*
 * The layout that the desk has: 0 if there is no desk, or none that lookup rows were ever put in. Raises 55000 for one
 * that is newer than what this code works on, or than what the extension's functions make.
 */
static int
layout_now(const Layout *layout)
{
	int			version = 0;

	if (!desk_is_there())
		return 0;
	execute("SELECT pg_catalog.max(version)::pg_catalog.int4 FROM support_internal.schema_version");
	if (!result_is_null(0, 1))
		version = DatumGetInt32(result(0, 1));
	if (version > LAYOUT_VERSION)
		refuse_layout(version);
	if (version > layout->number)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the support desk has layout %d, but the functions of support_ext make layout %d",
						version, layout->number),
				 errhint("ALTER EXTENSION support_ext UPDATE brings the functions forward.")));
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

/* Let the desk become what the layout adds to. Returns what has to be granted again once that has been added. */
static List *
change_what_is_there(const Layout *layout, int from)
{
	List	   *rights = NIL;

	lock_desk(layout, from < layout->number);
	if (has_migration(layout, from))
	{
		rights = rights_on_parts();
		migrate(layout, from);
	}
	if (layout->migrations != NIL)
		(void) check_ground(layout->statements, false);
	return rights;
}

/* Make the desk, or bring it forward. */
static void
make_desk(const Layout *layout, bool seed)
{
	bool		is_first = !desk_is_there();
	bool		were_counted = tickets_are_counted();
	bool		were_numbered = has_numbers();
	int			before = layout_now(layout);
	List	   *rights = NIL;

	if (!is_first && seed)
		rights = change_what_is_there(layout, before);
	mend_tables(layout->text, layout->statements);
	/* what the owner deleted from a lookup table stays deleted */
	run_layout(layout, seed && before == 0, is_first);
	if (!is_first && !were_numbered)
		go_on_numbering();
	tie_numbers();
	guard_log();
	mend_foreign_keys(layout->text, layout->statements);
	tell_of_disabled_triggers();
	if (!is_first && execute("SELECT FROM support_internal.access LIMIT 1") > 0)
		write_policies();
	give_rights_again(rights);
	if (seed)
		note_version(layout->number);
	/* nobody has counted what became of them before the triggers were there */
	if (seed && !were_counted && execute("SELECT FROM support.tickets LIMIT 1") > 0)
		(void) recount_everything(true);
	/* what this code writes is of its own layout */
	if (seed && !is_first && layout->number == LAYOUT_VERSION)
	{
		settle_customers();
		(void) mend_backlog();
		settle_words();
	}
}

/*
 * Let the owner of the desk, who is no superuser, call the extension's functions and grant them to others: triggers and
 * defaults cannot be made without.
 */
static void
grant_functions(Oid owner)
{
	execute(psprintf("SELECT string_agg(d.objid::regprocedure::text, ', ')"
					 " FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid"
					 " WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass"
					 " AND d.deptype = 'e' AND e.extname = '" EXTENSION_NAME "'"
					 " AND NOT has_function_privilege(%u, d.objid, 'EXECUTE WITH GRANT OPTION')", owner));
	if (!result_is_null(0, 1))
		execute(psprintf("GRANT EXECUTE ON FUNCTION %s TO %s WITH GRANT OPTION",
						 result_text(0, 1), quote_identifier(GetUserNameFromId(owner, false))));
}

/*
 * Make the desk, or bring it forward, as its owner, who is returned. Raises 42501 and 55000, see check_ground().
 *
 * The desk is the database's: what is made here is no member of the extension, nor are grants, which dumps would leave
 * out; what the owner's own code may make is neither. So for the server this is no part of the extension's script.
 */
static Oid
install_desk(bool seed)
{
	bool		in_script = creating_extension;
	Layout	   *layout;
	Oid			owner;
	Caller		caller;

	/* two sessions must not make the same desk at once */
	LockDatabaseObject(NamespaceRelationId, get_namespace_oid("support_internal", false), 0, ShareUpdateExclusiveLock);
	layout = desk_layout();
	owner = check_ground(layout->statements, seed && layout->migrations != NIL);
	creating_extension = false;
	PG_TRY();
	{
		if (superuser())
			grant_functions(owner);
		become_role(owner, owner != GetUserId() ? SECURITY_RESTRICTED_OPERATION : 0, &caller);
		make_desk(layout, seed);
		become_caller(&caller);
	}
	PG_FINALLY();
	{
		creating_extension = in_script;
	}
	PG_END_TRY();
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

	if (called_by_script && client_min_messages == WARNING)
		fix_setting("client_min_messages", "notice");
	return nestlevel;
}

/* Tell the person at the terminal what is done to the desk. */
void
say(const char *message)
{
	int			nestlevel = raise_voice();

	ereport(NOTICE, (errmsg("%s", message)));
	AtEOXact_GUC(true, nestlevel);
}

/* Say that the desk is there and whose it is, if another's; or why it is not. */
static void
tell(const char *reason, Oid owner)
{
	int			nestlevel = raise_voice();

	if (reason == NULL)
		ereport(NOTICE,
				(errmsg("support desk ready: SELECT * FROM support.ticket_list;"),
				 owner != GetUserId() ?
				 errdetail("It belongs to role \"%s\".", GetUserNameFromId(owner, false)) : 0));
	else
		ereport(NOTICE,
				(errmsg("support desk not installed: %s", reason),
				 errhint("SELECT support.install() makes it, or brings it forward, when its owner calls it.")));
	AtEOXact_GUC(true, nestlevel);
}

/* Fix what the layout's statements mean, whatever the session has: names are found in pg_catalog alone. */
static void
fix_meaning(void)
{
	fix_setting("search_path", SAFE_SEARCH_PATH);
	fix_setting("standard_conforming_strings", "on");
	fix_setting("transform_null_equals", "off");
	fix_setting("datestyle", "ISO, YMD");
	fix_setting("intervalstyle", "postgres");
	fix_setting("quote_all_identifiers", "off");
}

/* install(seed) */
PG_FUNCTION_INFO_V1(support_install);
Datum
support_install(PG_FUNCTION_ARGS)
{
	bool		seed = PG_ARGISNULL(0) || PG_GETARG_BOOL(0);
	int			nestlevel = NewGUCNestLevel();
	const char *reason;

	PreventCommandIfReadOnly("install()");
	fix_meaning();
	SPI_connect();
	called_by_script = in_extension_script();
	reason = called_by_script ? reason_to_stay_away() : NULL;
	if (in_restore())
		ereport(DEBUG1, (errmsg("support desk not installed: a dump is being restored")));
	else
		tell(reason, reason == NULL ? install_desk(seed) : InvalidOid);
	SPI_finish();
	/* what code of the desk's owner set goes, too */
	AtEOXact_GUC(false, nestlevel);
	PG_RETURN_VOID();
}
