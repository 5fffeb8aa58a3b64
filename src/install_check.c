/*
 * install_check.c
 *		Whose the desk's schemas are, and all that has the names of its parts.
 *
 * Whoever may create in a schema may put something there that has the name of a table, a function or an index of ours.
 * Taken for ours, it would run its maker's code with the rights of whoever comes by. So a first install wants schemas
 * that belong to who installs, and nothing in them that has the name of a part; and a desk that is there must be of one
 * owner, each part of the kind that the layout makes. That owner may have put on it what he likes: install() works on
 * it with his rights alone.
 *
 * The queries here read catalogs, with names resolved in pg_catalog: they run nobody's code.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/plan.h"
#include "install_check.h"

#define MAX_NAMED 5

/* A relation that the layout makes. */
typedef struct DeskPart
{
	RangeVar   *name;
	char		kind;			/* relkind; RELKIND_INDEX for indexes of partitioned tables, too */
	RangeVar   *table;			/* of an index */
} DeskPart;

/* What should not be there: how many objects, and the first of them with what is wrong with each. */
typedef struct Strays
{
	int			n;
	int			of_shape;		/* of these the owner's own, but other than the layout makes them */
	StringInfoData list;
} Strays;

/* The functions that belong to the extension. */
#define MEMBERS \
	"WITH members AS" \
	" (SELECT p.oid, p.proname, p.pronamespace" \
	"	FROM pg_depend AS d" \
	"	JOIN pg_extension AS e ON e.oid = d.refobjid" \
	"	JOIN pg_proc AS p ON p.oid = d.objid" \
	"	WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass" \
	"	AND d.deptype = 'e' AND e.extname = 'support_ext') "

/* Has somebody's function the name of one of ours, or are ours no longer where their names say? */
static const char *const namesakes =
	MEMBERS
	"SELECT 'pg_proc'::regclass::oid, p.oid, 'has the name of one of the extension''s'"
	" FROM pg_proc AS p"
	" WHERE p.oid NOT IN (SELECT oid FROM members)"
	" AND EXISTS (SELECT FROM members AS m WHERE m.proname = p.proname AND m.pronamespace = p.pronamespace)"
	" UNION ALL "
	"SELECT 'pg_proc'::regclass::oid, m.oid, 'is not in the schema that it was made in'"
	" FROM members AS m"
	" JOIN pg_namespace AS n ON n.oid = m.pronamespace"
	" WHERE n.nspname NOT IN ('support', 'support_internal')"
	" ORDER BY 2";

/* What is in the schemas of a desk that is not made yet, but for relations, types and functions of the public one. */
static const char *const inhabitants =
	"SELECT d.classid, d.objid, 'is in the way'"
	" FROM pg_depend AS d"
	" JOIN pg_namespace AS n ON n.oid = d.refobjid"
	" WHERE d.refclassid = 'pg_namespace'::regclass"
	" AND n.nspname IN ('support', 'support_internal')"
	" AND (pg_identify_object(d.classid, d.objid, d.objsubid)).schema IS NOT NULL"
	" AND (n.nspname = 'support_internal'"
	"	OR d.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass))"
	" AND NOT EXISTS (SELECT FROM pg_depend AS m"
	"	WHERE m.classid = d.classid AND m.objid = d.objid AND m.deptype = 'e')"
	" ORDER BY d.classid, d.objid";

static void
add_stray(Strays *strays, Oid classid, Oid objid, const char *what)
{
	ObjectAddress object;

	ObjectAddressSet(object, classid, objid);
	if (strays->n++ >= MAX_NAMED)
		return;
	if (strays->list.data == NULL)
		initStringInfo(&strays->list);
	appendStringInfo(&strays->list, "%s%s %s", strays->n > 1 ? "; " : "", getObjectDescription(&object, false), what);
}

/* Add what is the owner's, but other than the layout makes it. */
static void
add_misshapen(Strays *strays, Oid classid, Oid objid, const char *what)
{
	strays->of_shape++;
	add_stray(strays, classid, objid, what);
}

/* The objects named, as a sentence. */
static char *
strays_text(const Strays *strays)
{
	return strays->n > MAX_NAMED ?
		psprintf("%s; and %d more.", strays->list.data, strays->n - MAX_NAMED) : psprintf("%s.", strays->list.data);
}

/* Add what a query finds: class, object, and what is wrong with it. */
static void
add_found(Strays *strays, const char *query)
{
	if (SPI_execute(query, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	for (uint64 i = 0; i < SPI_processed; i++)
		add_stray(strays, DatumGetObjectId(result(i, 1)), DatumGetObjectId(result(i, 2)), result_text(i, 3));
}

static Oid
schema_owner(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", schema);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Raise 42501 if the schema is there and belongs to another role than the one that works in it. */
void
check_schema(const char *schema, Oid owner)
{
	Oid			oid = get_namespace_oid(schema, true);

	if (!OidIsValid(oid) || schema_owner(oid) == owner)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("schema \"%s\" belongs to role \"%s\", not to \"%s\"", schema,
					GetUserNameFromId(schema_owner(oid), false), GetUserNameFromId(owner, false)),
			 errhint("What the desk keeps there would be at the mercy of the schema's owner. Drop the schema, make \"%s\""
					 " its owner, or SET ROLE to the owner that it has.", GetUserNameFromId(owner, false))));
}

/* Is there a desk? Its table of layouts is the first thing that any function looks for. */
bool
desk_is_there(void)
{
	Oid			schema = get_namespace_oid("support_internal", true);

	return OidIsValid(schema) && OidIsValid(get_relname_relid("schema_version", schema));
}

static List *
add_part(List *parts, RangeVar *name, char kind, RangeVar *table)
{
	DeskPart   *part = palloc(sizeof(DeskPart));

	*part = (DeskPart) {.name = name, .kind = kind, .table = table};
	return lappend(parts, part);
}

/* The sequence of an identity column, which the server makes and names. */
static List *
add_identity(List *parts, RangeVar *table, ColumnDef *column)
{
	ListCell   *cell;

	foreach(cell, column->constraints)
		if (lfirst_node(Constraint, cell)->contype == CONSTR_IDENTITY)
			parts = add_part(parts,
							 makeRangeVar(table->schemaname,
										  makeObjectName(table->relname, column->colname, "seq"), -1),
							 RELKIND_SEQUENCE, NULL);
	return parts;
}

/* A table, and what comes with it: indexes of keys, sequences. */
static List *
add_table(List *parts, CreateStmt *statement)
{
	ListCell   *cell;

	parts = add_part(parts, statement->relation,
					 statement->partspec != NULL ? RELKIND_PARTITIONED_TABLE : RELKIND_RELATION, NULL);
	foreach(cell, statement->tableElts)
	{
		Node	   *element = lfirst(cell);

		if (IsA(element, ColumnDef))
			parts = add_identity(parts, statement->relation, (ColumnDef *) element);
		else if (IsA(element, Constraint) &&
				 (((Constraint *) element)->contype == CONSTR_PRIMARY ||
				  ((Constraint *) element)->contype == CONSTR_UNIQUE))
			parts = add_part(parts,
							 makeRangeVar(statement->relation->schemaname, ((Constraint *) element)->conname, -1),
							 RELKIND_INDEX, statement->relation);
	}
	return parts;
}

/* The relations that the layout makes. */
static List *
parts_of(List *statements)
{
	List	   *parts = NIL;
	ListCell   *cell;

	foreach(cell, statements)
	{
		Node	   *node = lfirst_node(RawStmt, cell)->stmt;

		if (IsA(node, CreateStmt))
			parts = add_table(parts, (CreateStmt *) node);
		else if (IsA(node, CreateSeqStmt))
			parts = add_part(parts, ((CreateSeqStmt *) node)->sequence, RELKIND_SEQUENCE, NULL);
		else if (IsA(node, ViewStmt))
			parts = add_part(parts, ((ViewStmt *) node)->view, RELKIND_VIEW, NULL);
		else if (IsA(node, IndexStmt))
			parts = add_part(parts,
							 makeRangeVar(((IndexStmt *) node)->relation->schemaname, ((IndexStmt *) node)->idxname, -1),
							 RELKIND_INDEX, ((IndexStmt *) node)->relation);
	}
	return parts;
}

/* Where the desk is not made yet: what has the name of a relation, or of its row type. */
static void
add_taken_name(Strays *strays, const DeskPart *part)
{
	Oid			schema = get_namespace_oid(part->name->schemaname, false);
	Oid			relid = get_relname_relid(part->name->relname, schema);
	Oid			type;

	if (OidIsValid(relid))
		add_stray(strays, RelationRelationId, relid, "has the name of a part of the desk");
	else if (part->kind != RELKIND_INDEX)
	{
		type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(part->name->relname),
							   ObjectIdGetDatum(schema));
		if (OidIsValid(type))
			add_stray(strays, TypeRelationId, type, "has the name of a part of the desk");
	}
}

static const char *
kind_name(char kind)
{
	switch (kind)
	{
		case RELKIND_VIEW:
			return "view";
		case RELKIND_SEQUENCE:
			return "sequence";
		case RELKIND_INDEX:
			return "index";
		case RELKIND_PARTITIONED_TABLE:
			return "partitioned table";
		default:
			return "table";
	}
}

static bool
is_of_kind(Oid relid, char kind)
{
	char		found = get_rel_relkind(relid);

	return found == kind || (kind == RELKIND_INDEX && found == RELKIND_PARTITIONED_INDEX);
}

static char *
not_of(Oid owner, Oid owned_by)
{
	return psprintf("belongs to role \"%s\", not to \"%s\"",
					GetUserNameFromId(owned_by, false), GetUserNameFromId(owner, false));
}

/* The partitions of the log, above all: who owns one has a hand in every entry that goes there. */
static void
add_children(Strays *strays, Oid relid, Oid owner)
{
	ListCell   *cell;

	foreach(cell, find_inheritance_children(relid, NoLock))
		if (table_owner(lfirst_oid(cell)) != owner)
			add_stray(strays, RelationRelationId, lfirst_oid(cell), not_of(owner, table_owner(lfirst_oid(cell))));
}

/* On a desk that is there: a relation that is not of the layout's kind, not in its place or not the owner's. */
static void
add_foreign_part(Strays *strays, const DeskPart *part, Oid owner)
{
	Oid			relid = RangeVarGetRelid(part->name, NoLock, true);

	if (!OidIsValid(relid))
		return;
	if (table_owner(relid) != owner)
		add_stray(strays, RelationRelationId, relid, not_of(owner, table_owner(relid)));
	else if (!is_of_kind(relid, part->kind))
		add_misshapen(strays, RelationRelationId, relid, psprintf("is no %s", kind_name(part->kind)));
	else if (part->table != NULL && IndexGetRelation(relid, false) != RangeVarGetRelid(part->table, NoLock, true))
		add_misshapen(strays, RelationRelationId, relid,
					  psprintf("is not on %s.%s", part->table->schemaname, part->table->relname));
	else if (part->kind == RELKIND_RELATION || part->kind == RELKIND_PARTITIONED_TABLE)
		add_children(strays, relid, owner);
}

/*
 * The same for a function that the layout makes, which names a row type and so is no member of the extension. There may
 * be one by that name, the owner's; none where the desk is not made yet, for which the owner is InvalidOid.
 */
static void
add_foreign_function(Strays *strays, CreateFunctionStmt *statement, Oid owner)
{
	char	   *schema = strVal(linitial(statement->funcname));
	CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(strVal(lsecond(statement->funcname))));
	int			owned = 0;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_proc function = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);

		if (function->pronamespace != get_namespace_oid(schema, false))
			continue;
		if (function->proowner != owner)
			add_stray(strays, ProcedureRelationId, function->oid,
					  OidIsValid(owner) ? not_of(owner, function->proowner) : "has the name of a part of the desk");
		else if (++owned > 1)
			add_stray(strays, ProcedureRelationId, function->oid, "has a namesake");
	}
	ReleaseSysCacheList(list);
}

/* The same for a trigger: it must call what it is named after. */
static void
add_foreign_trigger(Strays *strays, CreateTrigStmt *statement)
{
	Oid			relid = RangeVarGetRelid(statement->relation, NoLock, true);
	Oid			function = LookupFuncName(statement->funcname, 0, NULL, true);
	Relation	rel;

	if (!OidIsValid(relid))
		return;
	rel = relation_open(relid, AccessShareLock);
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (strcmp(trigger->tgname, statement->trigname) == 0 && trigger->tgfoid != function)
			add_misshapen(strays, TriggerRelationId, trigger->tgoid,
						  psprintf("does not call %s", NameListToString(statement->funcname)));
	}
	relation_close(rel, NoLock);
}

/* Raise 42501 or 55000 unless who installs the first desk has the ground for it. Returns that role. */
static Oid
check_free_ground(List *statements)
{
	Strays		strays = {0};
	ListCell   *cell;

	check_schema("support", GetUserId());
	check_schema("support_internal", GetUserId());
	check_schema(ARCHIVE_SCHEMA, GetUserId());
	add_found(&strays, namesakes);
	add_found(&strays, inhabitants);
	foreach(cell, parts_of(statements))
	{
		DeskPart   *part = lfirst(cell);

		if (strcmp(part->name->schemaname, "support") == 0)
			add_taken_name(&strays, part);
	}
	foreach(cell, statements)
		if (IsA(lfirst_node(RawStmt, cell)->stmt, CreateFunctionStmt))
			add_foreign_function(&strays, (CreateFunctionStmt *) lfirst_node(RawStmt, cell)->stmt, InvalidOid);
	if (strays.n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the support desk cannot be made where its names are taken"),
				 errdetail("%s", strays_text(&strays)),
				 errhint("Rename, move or drop what is there.")));
	return GetUserId();
}

/* Schemas of a desk that is there. */
static void
add_foreign_schema(Strays *strays, const char *name, Oid owner)
{
	Oid			schema = get_namespace_oid(name, true);

	if (OidIsValid(schema) && schema_owner(schema) != owner)
		add_stray(strays, NamespaceRelationId, schema, not_of(owner, schema_owner(schema)));
}

/* All that is wrong with a desk that is there. */
static void
add_all_foreign(Strays *strays, List *statements, Oid owner)
{
	ListCell   *cell;

	add_foreign_schema(strays, "support", owner);
	add_foreign_schema(strays, "support_internal", owner);
	add_foreign_schema(strays, ARCHIVE_SCHEMA, owner);
	add_found(strays, namesakes);
	foreach(cell, parts_of(statements))
		add_foreign_part(strays, lfirst(cell), owner);
	foreach(cell, statements)
	{
		Node	   *node = lfirst_node(RawStmt, cell)->stmt;

		if (IsA(node, CreateFunctionStmt))
			add_foreign_function(strays, (CreateFunctionStmt *) node, owner);
		else if (IsA(node, CreateTrigStmt))
			add_foreign_trigger(strays, (CreateTrigStmt *) node);
	}
}

/*
 * Raise 42501 unless the caller acts for the desk's owner, 55000 unless the whole desk is that role's and as the layout
 * makes it, which is left for later where the desk may change yet. Returns that role.
 */
static Oid
check_desk(List *statements, bool may_change)
{
	Oid			versions = desk_relation("support_internal", "schema_version");
	Oid			owner = table_owner(versions);
	Strays		strays = {0};

	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the support desk belongs to role \"%s\"", GetUserNameFromId(owner, false)),
				 errhint("SET ROLE to it first.")));
	add_all_foreign(&strays, statements, owner);
	/* what the desk can become hangs on what layout it says that it has */
	may_change = may_change && get_rel_relkind(versions) == RELKIND_RELATION;
	if (strays.n > (may_change ? strays.of_shape : 0))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("not all that has the name of a part of the desk is the desk of role \"%s\"",
						GetUserNameFromId(owner, false)),
				 errdetail("%s", strays_text(&strays)),
				 errhint("Give that role what is the desk's, by ALTER ... OWNER TO, and rename or drop the rest.")));
	return owner;
}

/*
 * The role with whose rights the desk is made or brought forward; may_change if there are migrations that may give a part
 * the shape that the layout wants. Needs an SPI level.
 */
Oid
check_ground(List *statements, bool may_change)
{
	return desk_is_there() ? check_desk(statements, may_change) : check_free_ground(statements);
}
