/*
 * access_list.c
 *		Which database roles have which access to the desk.
 *
 * support.grant_access() writes that to support_internal.access, which nobody but the desk's owner reads or writes. As soon as
 * it has a row, who acts is no longer anybody's to say: see check_said_by(). A role has the access of each role that it is a
 * member of. The session keeps the list, and is told when it changes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/memutils.h"

#include "base/access_list.h"
#include "base/plan.h"
#include "base/session_cache.h"

const char *const access_names[ACCESS_KINDS] = {
	[ACCESS_APP] = "app",
	[ACCESS_LEAD] = "lead",
	[ACCESS_AGENT] = "agent",
	[ACCESS_LIGHT_AGENT] = "light_agent",
	[ACCESS_CUSTOMER] = "customer",
	[ACCESS_AUDITOR] = "auditor",
	[ACCESS_REPORTER] = "reporter",
	[ACCESS_LEFT_OUT] = "left_out"
};

enum
{
	READ_ACCESS
};

static Statement statements[] = {
	[READ_ACCESS] = {
		.text = "SELECT db_role, kind FROM support_internal.access",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.as_owner_of = INTERNAL_TABLE("access")
	}
};

/* A role that is there, with its access. */
typedef struct Granted
{
	Oid			role;
	AccessKind	kind;
} Granted;

/* What the table says, and how many rows it has: of roles that are not there, too. */
static Granted *granted;
static int	nroles;
static int	nrows = -1;
static SessionCache list_cache;

/* A role came, went or has another name. */
static void
roles_changed(void)
{
	list_cache.stale = true;
}

void
access_list_init(void)
{
	list_cache.role_changed = roles_changed;
	add_session_cache(&list_cache);
}

/* The kind of access of this name; false if there is none. */
bool
access_named(const char *name, AccessKind *kind)
{
	for (int i = 0; i < ACCESS_KINDS; i++)
	{
		if (strcmp(access_names[i], name) != 0)
			continue;
		*kind = i;
		return true;
	}
	return false;
}

/* Keep what the table says. A role that is not there has no access, but still is a row. */
static void
keep_list(uint64 n)
{
	Granted    *list = MemoryContextAlloc(TopMemoryContext, sizeof(Granted) * Max(n, 1));
	int			found = 0;

	for (uint64 i = 0; i < n; i++)
	{
		Oid			role = get_role_oid(result_text(i, 1), true);
		AccessKind	kind;

		if (OidIsValid(role) && access_named(result_text(i, 2), &kind))
			list[found++] = (Granted) {role, kind};
	}
	if (granted != NULL)
		pfree(granted);
	granted = list;
	nroles = found;
	nrows = (int) n;
}

static void
read_list(void)
{
	if (nrows >= 0 && !list_cache.stale)
		return;
	list_cache.tables[0] = desk_relation("support_internal", "access");
	list_cache.stale = false;
	note_reading(&list_cache);
	SPI_connect();
	keep_list(run_latest(&statements[READ_ACCESS], NULL));
	SPI_finish();
}

/* Has anybody been granted access? From then on not every role may say who acts. */
bool
any_access_is_granted(void)
{
	read_list();
	return nrows > 0;
}

/* Is it a role with this access, or a member of one? */
static bool
has_access(Oid role, AccessKind kind)
{
	read_list();
	for (int i = 0; i < nroles; i++)
		if (granted[i].kind == kind && has_privs_of_role(role, granted[i].role))
			return true;
	return false;
}

/* May it say who acts? */
bool
speaks_for_others(Oid role)
{
	return has_access(role, ACCESS_APP);
}

/* Is it a role that customers come by? */
bool
is_customers(Oid role)
{
	return has_access(role, ACCESS_CUSTOMER);
}
