/*
 * grant.c
 *		Giving database roles access to the desk, and taking it away.
 *
 * No role is made, and nothing is granted to PUBLIC. What a role had before goes: afterwards it has what its access says and
 * nothing else. The first access that hides rows from somebody has row security switched on, which shows nothing to roles that
 * no policy is for; so it is refused while such roles hold rights, until each has an access or is left out on purpose.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "access/policies.h"
#include "base/access_list.h"
#include "base/errors.h"
#include "base/layout.h"
#include "base/owner.h"
#include "base/plan.h"

enum
{
	PUT_ACCESS,
	TAKE_ACCESS,
	ROLES_WITHOUT_ACCESS,
	RELATIONS
};

static Statement statements[] = {
	[PUT_ACCESS] = {
		.text = "INSERT INTO support_internal.access (db_role, kind) VALUES ($1, $2)"
		" ON CONFLICT (db_role) DO UPDATE SET kind = excluded.kind",
		.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .as_owner_of = INTERNAL_TABLE("access")
	},
	[TAKE_ACCESS] = {
		.text = "DELETE FROM support_internal.access WHERE db_role = $1",
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("access")
	},
	/* who holds a right on a table of tickets; 0 is PUBLIC */
	[ROLES_WITHOUT_ACCESS] = {
		.text = "SELECT string_agg(DISTINCT coalesce(r.rolname::text, 'PUBLIC'), ', ')"
		" FROM pg_class AS c"
		" CROSS JOIN aclexplode(c.relacl) AS a"
		" LEFT JOIN pg_roles AS r ON r.oid = a.grantee"
		" WHERE c.relnamespace = 'support'::regnamespace AND c.relkind = ANY ('{r,p}')"
		"	AND a.grantee <> c.relowner"
		"	AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)"
		"	AND NOT EXISTS (SELECT FROM support_internal.access AS g WHERE g.db_role = r.rolname)",
		.columns = {{TEXTOID}},
		.as_owner_of = INTERNAL_TABLE("access")
	},
	[RELATIONS] = {
		.text = "SELECT relname::text FROM pg_class"
		" WHERE relnamespace = 'support'::regnamespace AND relkind = ANY ('{r,p,v}') AND NOT relispartition"
		" ORDER BY relname",
		.columns = {{TEXTOID, NOT_NULL}}
	}
};

/* The name of a role in an argument. Raises 22023 for NULL. */
static char *
role_argument(FunctionCallInfo fcinfo, int n)
{
	return pstrdup(NameStr(*DatumGetName(required_argument(fcinfo, n, "db_role"))));
}

/* The kind of access in an argument. Raises 22023. */
static AccessKind
access_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *name = TextDatumGetCString(required_argument(fcinfo, n, "access"));
	AccessKind	kind;

	if (!access_named(name, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access \"%s\" does not exist", name),
				 errhint("It is app, lead, agent, light_agent, customer, auditor, reporter or left_out.")));
	return kind;
}

/* Raise 42704 for a role that is not there, 55000 for one that no access can be given to. */
static void
check_role(const char *name)
{
	Oid			role = get_role_oid(name, true);

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", name),
				 errhint("CREATE ROLE makes it; the desk makes no roles.")));
	if (has_owners_rights(role))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("role \"%s\" has the rights of the desk's owner", name),
				 errhint("It needs no access, and row security hides nothing from it.")));
}

/* Raise 55000 while roles hold rights that would see nothing from now on. */
static void
check_nobody_is_cut_off(void)
{
	if (run_latest(&statements[ROLES_WITHOUT_ACCESS], NULL) > 0 && !result_is_null(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("roles without access hold rights on the desk: %s", result_text(0, 1)),
				 errdetail("Row security, which this access needs, would show them no rows."),
				 errhint("Grant each an access, support.grant_access(role, 'left_out') if it is to see none, or revoke its rights.")));
}

/* Note the access of a role, in which whoever does the same takes turns. */
static void
put_access(const char *role, AccessKind kind)
{
	Args		args = {0};

	arg_text(&args, role);
	arg_text(&args, access_names[kind]);
	run_latest(&statements[PUT_ACCESS], &args);
}

/*
 * grant_access(db_role, access): gives a database role that access, in the place of what it had. 42501: not the owner of the
 * desk. 42704: no such role. 22023: no such access. 55000: the role has the owner's rights, or others would be cut off.
 */
PG_FUNCTION_INFO_V1(support_grant_access);
Datum
support_grant_access(PG_FUNCTION_ARGS)
{
	char	   *role = role_argument(fcinfo, 0);
	AccessKind	kind = access_argument(fcinfo, 1);
	Caller		caller;

	PreventCommandIfReadOnly("grant_access()");
	SPI_connect();
	check_layout();
	become_desk_owner("grant access", &caller);
	LockRelationOid(desk_relation("support_internal", "access"), ShareRowExclusiveLock);
	check_role(role);
	put_access(role, kind);
	if (kind != ACCESS_LEFT_OUT)
		take_rights(role);
	if (needs_row_security(kind))
		check_nobody_is_cut_off();
	give_rights(role, kind);
	write_policies();
	become_caller(&caller);
	SPI_finish();
	ereport(NOTICE, (errmsg("role \"%s\" has access %s", role, access_names[kind])));
	PG_RETURN_VOID();
}

/*
 * revoke_access(db_role): takes from a role all rights on the desk. 42501: not the owner of the desk. P0002: it has no access.
 * A role that is not there any more can be named.
 */
PG_FUNCTION_INFO_V1(support_revoke_access);
Datum
support_revoke_access(PG_FUNCTION_ARGS)
{
	char	   *role = role_argument(fcinfo, 0);
	Args		args = {0};
	Caller		caller;

	PreventCommandIfReadOnly("revoke_access()");
	SPI_connect();
	check_layout();
	become_desk_owner("revoke access", &caller);
	LockRelationOid(desk_relation("support_internal", "access"), ShareRowExclusiveLock);
	arg_text(&args, role);
	if (run_latest(&statements[TAKE_ACCESS], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("role \"%s\" has no access", role)));
	write_policies();
	if (OidIsValid(get_role_oid(role, true)))
		take_rights(role);
	become_caller(&caller);
	SPI_finish();
	PG_RETURN_VOID();
}

/* What an access may write in a table, in words; NULL for nothing. */
static char *
written_by_access(AccessKind kind, const char *relation)
{
	static const char *const privileges[] = {"INSERT", "UPDATE", "DELETE"};
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < lengthof(privileges); i++)
	{
		const char *rows = rows_of_access(kind, privileges[i], relation);

		if (rows != NULL)
			appendStringInfo(&text, "%s%s %s", text.len > 0 ? "; " : "", privileges[i], rows);
	}
	return text.len > 0 ? text.data : NULL;
}

static void
put_access_row(ReturnSetInfo *rsinfo, const char *relation, AccessKind kind)
{
	const char *read = rows_of_access(kind, "SELECT", relation);
	const char *written = written_by_access(kind, relation);
	Datum		values[4] = {CStringGetTextDatum(relation), CStringGetTextDatum(access_names[kind])};
	bool		nulls[4] = {false, false, read == NULL, written == NULL};

	if (read != NULL)
		values[2] = CStringGetTextDatum(read);
	if (written != NULL)
		values[3] = CStringGetTextDatum(written);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* access_matrix() -> a row for each table and view of schema support and each access: the rows it may read, and write */
PG_FUNCTION_INFO_V1(support_access_matrix);
Datum
support_access_matrix(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	uint64		n;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	n = run_read_only(&statements[RELATIONS], NULL);
	for (uint64 i = 0; i < n; i++)
		for (AccessKind kind = 0; kind < ACCESS_LEFT_OUT; kind++)
			put_access_row(rsinfo, result_text(i, 1), kind);
	SPI_finish();
	return (Datum) 0;
}
