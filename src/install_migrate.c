/*
 * install_migrate.c
 *		From one layout to the next.
 *
 * What the layout has and a desk lacks is added by install(), which passes over what is there. A migration changes what is
 * there: it drops a check, an index, a trigger or a view that has another definition now, for install() to make it anew
 * right after, or it says what cannot be derived: another default, rows that move. It is a file of sql/desk/migrations,
 * numbered by the layout that it leads to, and runs once, on a desk of an older layout than that. A new desk is born with
 * the newest layout and runs none.
 *
 * The desk may have lost its triggers, views and functions (DROP EXTENSION ... CASCADE), may have got its rows by a
 * data-only restore when it had the newest layout already, and may have lost what the owner dropped. So a migration says IF
 * EXISTS, and does no harm where there is nothing to do. All of them run with the owner's rights, in the transaction of
 * install(); the desk's own triggers let pass what they write.
 *
 * The text that support_internal.desk_layout() returns has a line before each part:
 *		--# layout 3
 *		--# migration 2: what it does
 *		--# migration 3: what it does
 *		--# desk
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

#include "base/brief_context.h"
#include "base/modes.h"
#include "base/plan.h"
#include "install.h"
#include "install_migrate.h"

#define MARK "--# "

#define ATTEMPTS_TO_LOCK 1000

typedef struct Migration
{
	int			number;
	char	   *what;			/* it does */
	char	   *text;
} Migration;

/* A right on a view or function of the desk that was granted to somebody. */
typedef struct Right
{
	Oid			classid;
	Oid			objid;
	char	   *object;			/* as GRANT names it */
	char	   *grant;
} Right;

static const char *const granted =
	"SELECT 'pg_class'::regclass::oid, c.oid, c.oid::regclass::text,"
	" format('GRANT %s%s ON %s TO %s%s', a.privilege_type, t.columns, c.oid::regclass,"
	"	CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,"
	"	CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
	" FROM pg_class AS c"
	" CROSS JOIN LATERAL"
	" (SELECT '' AS columns, c.relacl AS acl"
	"	UNION ALL"
	"	SELECT format(' (%I)', attname), attacl FROM pg_attribute WHERE attrelid = c.oid AND NOT attisdropped) AS t"
	" CROSS JOIN LATERAL aclexplode(t.acl) AS a"
	" WHERE c.relkind = 'v' AND c.relnamespace IN ('support'::regnamespace, 'support_internal'::regnamespace)"
	" AND a.grantee <> c.relowner"
	" UNION ALL "
	"SELECT 'pg_proc'::regclass::oid, p.oid, p.oid::regprocedure::text,"
	" format('GRANT EXECUTE ON FUNCTION %s TO %s%s', p.oid::regprocedure,"
	"	CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,"
	"	CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
	" FROM pg_proc AS p"
	" CROSS JOIN LATERAL aclexplode(p.proacl) AS a"
	" WHERE p.pronamespace IN ('support'::regnamespace, 'support_internal'::regnamespace)"
	" AND a.grantee <> p.proowner"
	" AND NOT EXISTS (SELECT FROM pg_depend AS m"
	"	WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid AND m.deptype = 'e')";

/* Run a statement and return the number of rows. */
uint64
execute(const char *statement)
{
	MemoryContext context = CurrentMemoryContext;
	int			code;

	PG_TRY();
	{
		code = SPI_execute(statement, false, 0);
	}
	PG_CATCH();
	{
		rethrow_in_brief(statement, context);
	}
	PG_END_TRY();
	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", statement, SPI_result_code_string(code));
	return SPI_processed;
}

static void
run_text(void *arg)
{
	execute(arg);
}

/* Run one of the statements that a text was parsed into. The desk's triggers let pass what it writes. */
void
run_statement(const char *text, RawStmt *raw)
{
	const char *start = text + raw->stmt_location;
	Modes		installing = modes;

	installing.installing = true;
	work_in(&installing, run_text, raw->stmt_len > 0 ? pnstrdup(start, raw->stmt_len) : pstrdup(start));
	CommandCounterIncrement();
}

/* Cut the text before its next mark. Returns what stands in the mark's line, with *rest at what follows; NULL at the end. */
static char *
next_part(char **rest)
{
	char	   *line = *rest;
	char	   *end;

	while (line != NULL && strncmp(line, MARK, strlen(MARK)) != 0)
	{
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	if (line == NULL || (end = strchr(line, '\n')) == NULL)
		return NULL;
	*line = *end = '\0';
	*rest = end + 1;
	return line + strlen(MARK);
}

static Migration *
read_migration(const char *mark, char *text)
{
	Migration  *migration = palloc(sizeof(Migration));
	const char *what = strchr(mark, ':');

	migration->number = atoi(mark + strlen("migration "));
	migration->what = what != NULL ? pstrdup(what + strspn(what, ": ")) : "";
	migration->text = text;
	return migration;
}

/* Take the layout's text apart, in place. */
Layout *
read_layout(char *text)
{
	Layout	   *layout = palloc0(sizeof(Layout));
	char	   *mark;

	while ((mark = next_part(&text)) != NULL)
	{
		if (strncmp(mark, "layout ", strlen("layout ")) == 0)
			layout->number = atoi(mark + strlen("layout "));
		else if (strncmp(mark, "migration ", strlen("migration ")) == 0)
			layout->migrations = lappend(layout->migrations, read_migration(mark, text));
		else
			layout->text = text;
	}
	if (layout->number == 0 || layout->text == NULL)
		elog(ERROR, "support_internal.desk_layout() does not tell a layout");
	layout->statements = raw_parser(layout->text, RAW_PARSE_DEFAULT);
	return layout;
}

/* Is there something to do for a desk of layout from? */
bool
has_migration(const Layout *layout, int from)
{
	return layout->migrations != NIL && ((Migration *) llast(layout->migrations))->number > from;
}

/* The relation that a statement of the layout makes, if that is of the kind and there. */
static Oid
made_by(Node *statement, NodeTag kind)
{
	if (nodeTag(statement) != kind)
		return InvalidOid;
	return RangeVarGetRelid(kind == T_ViewStmt ? ((ViewStmt *) statement)->view : ((CreateStmt *) statement)->relation,
							NoLock, true);
}

/* Add the relations of a kind that the layout has and that are there. */
static List *
add_relations(List *relations, const Layout *layout, NodeTag kind)
{
	ListCell   *cell;

	foreach(cell, layout->statements)
	{
		Oid			relid = made_by(lfirst_node(RawStmt, cell)->stmt, kind);

		if (OidIsValid(relid))
			relations = lappend_oid(relations, relid);
	}
	return relations;
}

/* Lock all relations without waiting, but for the first, which is locked. Returns the one that somebody is at, if any. */
static Oid
lock_others(List *relations, Oid first)
{
	List	   *locked = NIL;
	ListCell   *cell;
	ListCell   *held;

	foreach(cell, relations)
	{
		if (lfirst_oid(cell) == first)
			continue;
		if (!ConditionalLockRelationOid(lfirst_oid(cell), AccessExclusiveLock))
		{
			Oid			busy = lfirst_oid(cell);

			foreach(held, locked)
				UnlockRelationOid(lfirst_oid(held), AccessExclusiveLock);
			return busy;
		}
		locked = lappend_oid(locked, lfirst_oid(cell));
	}
	return InvalidOid;
}

/*
 * Wait for all who are at the desk's views, and at its tables if these are to change, and let nobody come to them until the
 * transaction ends. Whoever waits for us then learns of a new layout before he writes, see layout.c.
 *
 * We wait for one relation with none of the others in our hands: those whom we wait for may go on to them, from a view to
 * its tables for one. Where there is no moment at which all are free we take them one by one in the end, in that order.
 */
void
lock_desk(const Layout *layout, bool tables)
{
	List	   *relations = add_relations(NIL, layout, T_ViewStmt);
	Oid			busy;
	ListCell   *cell;

	if (tables)
		relations = add_relations(relations, layout, T_CreateStmt);
	busy = relations != NIL ? linitial_oid(relations) : InvalidOid;
	for (int i = 0; i < ATTEMPTS_TO_LOCK && OidIsValid(busy); i++)
	{
		Oid			first = busy;

		LockRelationOid(first, AccessExclusiveLock);
		busy = lock_others(relations, first);
		if (OidIsValid(busy))
			UnlockRelationOid(first, AccessExclusiveLock);
	}
	if (!OidIsValid(busy))
		return;
	foreach(cell, relations)
		LockRelationOid(lfirst_oid(cell), AccessExclusiveLock);
}

/* Say in errors and notices of others which migration they come from. */
static void
tell_migration(void *arg)
{
	const Migration *migration = arg;

	errcontext("migration of the support desk to layout %d: %s", migration->number, migration->what);
}

static void
run_migration(Migration *migration)
{
	ErrorContextCallback callback = {.callback = tell_migration, .arg = migration, .previous = error_context_stack};
	ListCell   *cell;

	error_context_stack = &callback;
	foreach(cell, raw_parser(migration->text, RAW_PARSE_DEFAULT))
	{
		CHECK_FOR_INTERRUPTS();
		run_statement(migration->text, lfirst_node(RawStmt, cell));
	}
	error_context_stack = callback.previous;
	say(psprintf("support desk, layout %d: %s", migration->number, migration->what));
}

/* Run the migrations that a desk of layout from has not seen. */
void
migrate(const Layout *layout, int from)
{
	ListCell   *cell;

	foreach(cell, layout->migrations)
	{
		Migration  *migration = lfirst(cell);

		if (migration->number > from)
			run_migration(migration);
	}
}

/* What was granted on the desk's views, and on its functions that are not the extension's. */
List *
rights_on_parts(void)
{
	uint64		n = execute(granted);
	List	   *rights = NIL;

	for (uint64 i = 0; i < n; i++)
	{
		Right	   *right = palloc(sizeof(Right));

		right->classid = DatumGetObjectId(result(i, 1));
		right->objid = DatumGetObjectId(result(i, 2));
		right->object = result_text(i, 3);
		right->grant = result_text(i, 4);
		rights = lappend(rights, right);
	}
	return rights;
}

/* Is there now another by the name of what a right was granted on? */
static bool
was_made_anew(const Right *right)
{
	const char *lookup = right->classid == RelationRelationId ? "to_regclass" : "to_regprocedure";

	(void) execute(psprintf("SELECT pg_catalog.%s(%s)::pg_catalog.oid", lookup, quote_literal_cstr(right->object)));
	return !result_is_null(0, 1) && DatumGetObjectId(result(0, 1)) != right->objid;
}

/* A migration may drop a view for install() to make it anew: who had rights on it has them on that. */
void
give_rights_again(List *rights)
{
	ListCell   *cell;

	foreach(cell, rights)
	{
		Right	   *right = lfirst(cell);

		if (was_made_anew(right))
			execute(right->grant);
	}
}
