/*
 * mentions.c
 *		What an erasure leaves.
 *
 * What others have written is theirs, and nobody knows what would be left of it without a name. So it is not changed: the rows
 * and the entries of the log in which a name or an address of the user is are counted, for people to look at. So is what the
 * desk cannot judge: fields and columns of the application, and months that were taken off the log.
 *
 * Names are compared without case, as parts of a text. All of the log is read.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/plan.h"
#include "base/tables.h"
#include "privacy/mentions.h"

enum
{
	NAMES,
	TABLES,
	FIELDS,
	REQUESTS,
	ROLES,
	ENTRIES,
	DETACHED
};

static Statement statements[] = {
	[NAMES] = {
		.text = "SELECT support_internal.names_of_user($1)",
		.columns = {{TEXTARRAYOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[TABLES] = {
		.text = "SELECT c.relname::text FROM pg_class AS c"
		" WHERE c.relnamespace = 'support'::regnamespace AND c.relkind = ANY ('{r,p}')"
		" ORDER BY c.relname",
		.columns = {{TEXTOID, NOT_NULL}}
	},
	[FIELDS] = {
		.text = "SELECT count(*) FROM support.tickets AS t"
		" WHERE t.id = ANY ($2) AND t.creator_id = $1 AND t.custom <> '{}'",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8ARRAYOID}
	},
	[REQUESTS] = {
		.text = "SELECT count(*) FROM support.tickets AS t"
		" WHERE t.requester_id = $1 AND t.creator_id <> $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	/* the roles that were his: what the log has of his row, and the row */
	[ROLES] = {
		.text = "SELECT count(*) FROM support.audit_log AS l WHERE l.db_role IN"
		"	(SELECT u.db_role FROM support.users AS u WHERE u.id = $1"
		"	UNION SELECT i.image ->> 'db_role' FROM support.audit_log AS a"
		"	CROSS JOIN LATERAL (VALUES (a.old_value), (a.new_value)) AS i (image)"
		"	WHERE a.ticket_id = 0 AND a.table_name = 'users' AND a.record_id = $1)",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[ENTRIES] = {
		.text = "SELECT count(*) FROM support.audit_log AS a"
		" WHERE support_internal.names_any($1, concat_ws(' ', a.old_value, a.new_value))"
		" AND NOT (a.ticket_id = 0 AND a.table_name IS NOT NULL AND a.table_name = 'users' AND a.record_id = $2)"
		" AND NOT (a.table_name IS NULL AND a.actor_id IS NOT DISTINCT FROM $2)"
		" AND NOT EXISTS (SELECT FROM support_internal.records_to_erase(a.ticket_id, $2) AS w"
		"	WHERE a.ticket_id <> 0 AND w.table_name = a.table_name"
		"	AND w.record_id = a.record_id)",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {TEXTARRAYOID, INT8OID}, .many_rows = true
	},
	[DETACHED] = {
		.text = "SELECT c.oid FROM pg_class AS c"
		" JOIN pg_namespace AS n ON n.oid = c.relnamespace"
		" WHERE n.nspname IN ('support_internal', 'support_archive') AND c.relkind = 'r' AND NOT c.relispartition"
		"	AND c.relname ~ '^audit_log_[0-9]{4}_[0-9]{2}$'"
		" ORDER BY n.nspname, c.relname",
		.columns = {{OIDOID, NOT_NULL}}
	}
};

/* A search for what names a user. */
typedef struct NameSearch
{
	int64		user_id;
	Datum		names;			/* text[] */
	bool		has_names;
	Datum		ticket_ids;		/* bigint[]: those on which he has written */
	TellWhatStays tell;
	void	   *arg;
} NameSearch;

static void
tell(const NameSearch *search, const char *table_name, int64 records, const char *what)
{
	if (records > 0)
		search->tell(table_name, records, what, search->arg);
}

/* Does a column hold what people write? */
static bool
holds_text(Form_pg_attribute att)
{
	char		category;
	bool		is_preferred;

	if (att->attisdropped || att->attgenerated)
		return false;
	get_type_category_preferred(getBaseType(att->atttypid), &category, &is_preferred);
	return category == TYPCATEGORY_STRING || att->atttypid == JSONBOID || att->atttypid == JSONOID;
}

/* The columns of a table that hold text, as items of a list; NULL for none. */
static char *
text_columns(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (holds_text(att))
			appendStringInfo(&columns, ", r.%s", quote_identifier(NameStr(att->attname)));
	}
	table_close(rel, AccessShareLock);
	return columns.len > 0 ? columns.data : NULL;
}

/* The condition that a row r is not what an erasure takes. */
static const char *
condition_of_others(const char *table_name)
{
	if (strcmp(table_name, "users") == 0)
		return "r.id <> $2";
	if (strcmp(table_name, "tickets") == 0)
		return "NOT EXISTS (SELECT FROM support_internal.records_to_erase(r.id, $2) AS w"
			" WHERE w.table_name = 'tickets' AND w.columns ? 'title')";
	if (strcmp(table_name, "comments") == 0)
		return "NOT EXISTS (SELECT FROM support_internal.records_to_erase(r.ticket_id, $2) AS w"
			" WHERE w.table_name = 'comments' AND w.record_id = r.id)";
	if (strcmp(table_name, "attachments") == 0)
		return "NOT EXISTS (SELECT FROM support_internal.records_to_erase(r.ticket_id, $2) AS w"
			" WHERE w.table_name = 'attachments' AND w.record_id = r.id)";
	return "$2 IS NOT NULL";
}

static int64
count_in(const char *text, int nargs, const Oid *argtypes, const Datum *values)
{
	(void) run_once(text, nargs, argtypes, values, NULL);
	return result_int64(0, 1);
}

/* Count the rows of a table of the desk that others have written and that name the user. */
static void
search_table(const NameSearch *search, const char *table_name)
{
	const Oid	argtypes[] = {TEXTARRAYOID, INT8OID};
	const Datum values[] = {search->names, Int64GetDatum(search->user_id)};
	char	   *columns;

	if (desk_table(table_name) == NULL || strcmp(table_name, "audit_log") == 0)
		return;
	columns = text_columns(desk_relation("support", table_name));
	if (columns == NULL)
		return;
	tell(search, table_name,
		 count_in(psprintf("SELECT count(*) FROM support.%s AS r WHERE support_internal.names_any($1, concat_ws(' '%s)) AND %s",
						   quote_identifier(table_name), columns, condition_of_others(table_name)),
				  lengthof(argtypes), argtypes, values),
		 "stays: others wrote it, and it names the user");
}

static void
search_tables(const NameSearch *search)
{
	uint64		n = run(&statements[TABLES], NULL);
	char	  **names = palloc(sizeof(char *) * Max(n, 1));

	for (uint64 i = 0; i < n; i++)
		names[i] = pstrdup(result_text(i, 1));
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		search_table(search, names[i]);
	}
}

static int64
counted(Statement *statement, const Args *args)
{
	run(statement, args);
	return result_int64(0, 1);
}

/* Count what a month that was taken off the log has about the user. */
static void
search_detached(const NameSearch *search, Oid relid)
{
	const Oid	argtypes[] = {INT8OID, INT8ARRAYOID};
	const Datum values[] = {Int64GetDatum(search->user_id), search->ticket_ids};
	char	   *name = qualified_name(relid);

	tell(search, name,
		 count_in(psprintf("SELECT count(*) FROM %s AS a"
						   " WHERE a.ticket_id = ANY ($2)"
						   " OR (a.ticket_id = 0 AND a.table_name = 'users' AND a.record_id = $1)", name),
				  lengthof(argtypes), argtypes, values),
		 "stays: a month that is not part of the log");
}

static void
search_detached_months(const NameSearch *search)
{
	uint64		n = run(&statements[DETACHED], NULL);
	Oid		   *relids = palloc(sizeof(Oid) * Max(n, 1));

	for (uint64 i = 0; i < n; i++)
		relids[i] = DatumGetObjectId(result(i, 1));
	for (uint64 i = 0; i < n; i++)
		search_detached(search, relids[i]);
}

/* Count what an erasure of the user leaves that has to do with him. */
static void
search_all(const NameSearch *search)
{
	Args		args = {0};
	Args		names = {0};

	arg_int64(&args, search->user_id);
	tell(search, "tickets", counted(&statements[REQUESTS], &args), "stays: others opened it for the user");
	tell(search, "audit_log", counted(&statements[ROLES], &args), "stays: the name of the role that the user logged in by");
	arg(&args, search->ticket_ids);
	tell(search, "tickets", counted(&statements[FIELDS], &args), "stays: fields of the application, in custom");
	if (search->has_names)
	{
		search_tables(search);
		arg(&names, search->names);
		arg_int64(&names, search->user_id);
		tell(search, "audit_log", counted(&statements[ENTRIES], &names), "stays: others wrote it, and it names the user");
	}
	search_detached_months(search);
}

/*
 * Tell what an erasure of a user leaves, who has written on these tickets. To be called as the desk's owner, before it. What is
 * told is called back for within an SPI level of its own.
 */
void
tell_what_stays(int64 user_id, const int64 *ticket_ids, int n, TellWhatStays tell_of, void *arg_of_tell)
{
	NameSearch		search = {.user_id = user_id, .tell = tell_of, .arg = arg_of_tell};
	Datum	   *ids;
	Args		args = {0};

	SPI_connect();
	ids = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
		ids[i] = Int64GetDatum(ticket_ids[i]);
	search.ticket_ids = PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	arg_int64(&args, user_id);
	run(&statements[NAMES], &args);
	search.names = PointerGetDatum(DatumGetArrayTypePCopy(result(0, 1)));
	search.has_names = ARR_NDIM(DatumGetArrayTypeP(search.names)) > 0;
	search_all(&search);
	SPI_finish();
}
