/*
 * lookups.c
 *		Statuses, transitions, priorities and roles, as the session keeps them.
 *
 * Statuses, transitions and priorities are three small tables, read on every change of a ticket, so they are kept for
 * the session, and so are the roles of the users who write. A name that is not found is looked up afresh before it is
 * refused.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/lookups.h"
#include "base/plan.h"
#include "base/session_cache.h"

enum
{
	STATUSES,
	TRANSITIONS,
	PRIORITIES,
	ROLE_OF_USER
};

static Statement statements[] = {
	[STATUSES] = {
		.text = "SELECT name, category, is_default FROM support.statuses ORDER BY position, name",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {BOOLOID, NOT_NULL}},
		.as_owner_of = PUBLIC_TABLE("statuses")
	},
	[TRANSITIONS] = {
		.text = "SELECT from_status, to_status FROM support.status_transitions",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.as_owner_of = PUBLIC_TABLE("status_transitions")
	},
	[PRIORITIES] = {
		.text = "SELECT name FROM support.priorities ORDER BY rank",
		.columns = {{TEXTOID, NOT_NULL}},
		.as_owner_of = PUBLIC_TABLE("priorities")
	},
	[ROLE_OF_USER] = {
		.text = "SELECT role FROM support.users WHERE id = $1",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	}
};

static const char *const category_names[] = {
	[CATEGORY_NEW] = "new",
	[CATEGORY_OPEN] = "open",
	[CATEGORY_PENDING] = "pending",
	[CATEGORY_HOLD] = "hold",
	[CATEGORY_SOLVED] = "solved",
	[CATEGORY_CLOSED] = "closed"
};

typedef struct Status
{
	char	   *name;
	Category	category;
	bool		is_default;
} Status;

typedef struct Transition
{
	char	   *from;
	char	   *to;
} Transition;

/* The three tables. */
typedef struct Rules
{
	bool		valid;
	MemoryContext context;
	int			nstatuses;
	Status	   *statuses;
	int			ntransitions;
	Transition *transitions;
	int			npriorities;
	char	  **priorities;
} Rules;

static Rules rules;
static SessionCache rules_cache;

#define MAX_KEPT_ROLES 10000

/* The role of a user who wrote something in this session. */
typedef struct UserRole
{
	int64		user_id;		/* hash key */
	NameData	role;
} UserRole;

static HTAB *roles;
static SessionCache roles_cache;

void
lookups_init(void)
{
	add_session_cache(&rules_cache);
	add_session_cache(&roles_cache);
}

static char *
keep_text(uint64 row, int column)
{
	return MemoryContextStrdup(rules.context, TextDatumGetCString(result(row, column)));
}

/* The category of that name; false if there is none. */
bool
category_named(const char *name, Category *category)
{
	for (int i = 0; i < lengthof(category_names); i++)
	{
		if (strcmp(category_names[i], name) == 0)
		{
			*category = (Category) i;
			return true;
		}
	}
	return false;
}

const char *
category_name(Category category)
{
	return category_names[category];
}

static void
load_statuses(void)
{
	rules.nstatuses = run(&statements[STATUSES], NULL);
	rules.statuses = MemoryContextAlloc(rules.context, sizeof(Status) * Max(rules.nstatuses, 1));
	for (int i = 0; i < rules.nstatuses; i++)
	{
		rules.statuses[i].name = keep_text(i, 1);
		if (!category_named(TextDatumGetCString(result(i, 2)), &rules.statuses[i].category))
			refuse_altered_column("support.statuses", "category",
								  psprintf("is \"%s\", which is no category", TextDatumGetCString(result(i, 2))));
		rules.statuses[i].is_default = result_bool(i, 3);
	}
}

static void
load_transitions(void)
{
	rules.ntransitions = run(&statements[TRANSITIONS], NULL);
	rules.transitions = MemoryContextAlloc(rules.context, sizeof(Transition) * Max(rules.ntransitions, 1));
	for (int i = 0; i < rules.ntransitions; i++)
	{
		rules.transitions[i].from = keep_text(i, 1);
		rules.transitions[i].to = keep_text(i, 2);
	}
}

static void
load_priorities(void)
{
	rules.npriorities = run(&statements[PRIORITIES], NULL);
	rules.priorities = MemoryContextAlloc(rules.context, sizeof(char *) * Max(rules.npriorities, 1));
	for (int i = 0; i < rules.npriorities; i++)
		rules.priorities[i] = keep_text(i, 1);
}

/* Read the three tables. An invalidation that arrives meanwhile has them read again at the next look. */
static void
load_rules(void)
{
	if (rules.context == NULL)
		rules.context = AllocSetContextCreate(CacheMemoryContext, "support_ext workflow", ALLOCSET_SMALL_SIZES);
	rules.valid = false;
	rules.nstatuses = rules.ntransitions = rules.npriorities = 0;
	MemoryContextReset(rules.context);
	rules_cache.tables[0] = desk_relation("support", "statuses");
	rules_cache.tables[1] = desk_relation("support", "status_transitions");
	rules_cache.tables[2] = desk_relation("support", "priorities");
	rules_cache.stale = false;
	note_reading_by_snapshot(&rules_cache);

	SPI_connect();
	load_statuses();
	load_transitions();
	load_priorities();
	SPI_finish();
	rules.valid = true;
}

/* Have the rules at hand, read again if asked to. */
static void
know_rules(bool afresh)
{
	if (!rules.valid || rules_cache.stale || afresh)
		load_rules();
}

static Status *
find_status(const char *name)
{
	for (int i = 0; i < rules.nstatuses; i++)
		if (strcmp(rules.statuses[i].name, name) == 0)
			return &rules.statuses[i];
	return NULL;
}

/* The names there are, for a hint. */
static char *
list_statuses(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < rules.nstatuses; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", rules.statuses[i].name);
	return list.data;
}

/* The status of that name, NULL if there is none even when one looks again. */
static Status *
know_status(const char *name)
{
	Status	   *found;

	know_rules(false);
	found = find_status(name);
	if (found == NULL)
	{
		know_rules(true);
		found = find_status(name);
	}
	return found;
}

/* What a status means. Raises 23503 if there is none of that name. */
Category
status_category(const char *status)
{
	Status	   *found = know_status(status);

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("status \"%s\" does not exist", status),
				 errhint("The statuses are: %s.", list_statuses()),
				 err_constraint("tickets", "tickets_status_fkey")));
	return found->category;
}

/* The same without an error: false if there is none of that name. */
bool
find_category(const char *status, Category *category)
{
	Status	   *found = know_status(status);

	if (found != NULL)
		*category = found->category;
	return found != NULL;
}

/* The default status that is not done with, else the first one of the category open. */
char *
reopen_status(void)
{
	know_rules(false);
	for (int i = 0; i < rules.nstatuses; i++)
		if (rules.statuses[i].is_default && rules.statuses[i].category == CATEGORY_OPEN)
			return pstrdup(rules.statuses[i].name);
	for (int i = 0; i < rules.nstatuses; i++)
		if (rules.statuses[i].category == CATEGORY_OPEN)
			return pstrdup(rules.statuses[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("there is no status of the category open"),
			 errhint("Add one to support.statuses.")));
}

/* The status of a new ticket. */
static char *
default_status(void)
{
	know_rules(false);
	for (int i = 0; i < rules.nstatuses; i++)
		if (rules.statuses[i].is_default)
			return pstrdup(rules.statuses[i].name);
	return reopen_status();
}

PG_FUNCTION_INFO_V1(support_default_status);
Datum
support_default_status(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(default_status()));
}

bool
is_solved(Category category)
{
	return category == CATEGORY_SOLVED || category == CATEGORY_CLOSED;
}

/* Does a status mean that a ticket is solved? One that is gone does not. */
bool
is_solved_status(const char *status)
{
	Category	category;

	return find_category(status, &category) && is_solved(category);
}

static bool
has_priority(const char *name)
{
	for (int i = 0; i < rules.npriorities; i++)
		if (strcmp(rules.priorities[i], name) == 0)
			return true;
	return false;
}

/* Raise 23503 unless there is a priority of that name, which a row of a table refers to. */
void
check_priority(const char *name, const char *table)
{
	StringInfoData list;

	know_rules(false);
	if (has_priority(name))
		return;
	know_rules(true);
	if (has_priority(name))
		return;

	initStringInfo(&list);
	for (int i = 0; i < rules.npriorities; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", rules.priorities[i]);
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("priority \"%s\" does not exist", name),
			 errhint("The priorities are: %s.", list.data),
			 err_constraint(table, psprintf("%s_priority_fkey", table))));
}

/* Raise SU002 unless the table of transitions, if it has any, allows this one. */
void
check_transition(int64 ticket_id, const char *from, const char *to)
{
	StringInfoData allowed;

	know_rules(false);
	if (rules.ntransitions == 0)
		return;

	initStringInfo(&allowed);
	for (int i = 0; i < rules.ntransitions; i++)
	{
		if (strcmp(rules.transitions[i].from, from) != 0)
			continue;
		if (strcmp(rules.transitions[i].to, to) == 0)
			return;
		appendStringInfo(&allowed, "%s%s", allowed.len > 0 ? ", " : "", rules.transitions[i].to);
	}
	ereport(ERROR,
			(errcode(ERRCODE_FORBIDDEN_TRANSITION),
			 errmsg("ticket %lld cannot go from status \"%s\" to \"%s\"", (long long) ticket_id, from, to),
			 allowed.len > 0 ?
			 errhint("From \"%s\" it can go to: %s.", from, allowed.data) :
			 errhint("From \"%s\" it can go nowhere.", from)));
}

/* Read a user's role; false if there is no such user. */
static bool
read_role(int64 user_id, NameData *role)
{
	Args		args = {0};
	bool		found;

	roles_cache.tables[0] = desk_relation("support", "users");
	SPI_connect();
	arg_int64(&args, user_id);
	found = run(&statements[ROLE_OF_USER], &args) > 0;
	if (found)
		namestrcpy(role, result_text(0, 1));
	SPI_finish();
	return found;
}

/* Forget the roles that are kept: one may have changed, or there are too many. */
static void
forget_roles(void)
{
	hash_destroy(roles);
	roles = NULL;
}

/* Keep a user's role for the session. */
static void
keep_role(int64 user_id, const NameData *role)
{
	UserRole   *kept;

	if (roles != NULL && hash_get_num_entries(roles) >= MAX_KEPT_ROLES)
		forget_roles();
	if (roles == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(UserRole)};

		roles = hash_create("support_ext roles", 256, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	kept = hash_search(roles, &user_id, HASH_ENTER, NULL);
	kept->role = *role;
}

/*
 * The role that a user has now; NULL if there is no such user. The answer lives until the next look at a role. It is
 * kept for the session, like the rules: the trigger on users tells of a change.
 */
const char *
role_of_user(int64 user_id)
{
	static NameData role;
	UserRole   *kept = NULL;

	if (roles_cache.stale && roles != NULL)
		forget_roles();
	roles_cache.stale = false;
	if (roles != NULL)
		kept = hash_search(roles, &user_id, HASH_FIND, NULL);
	if (kept != NULL)
		return NameStr(kept->role);

	if (!read_role(user_id, &role))
		return NULL;
	/* what an old snapshot or a change on the way says is right for now only */
	if (!IsolationUsesXactSnapshot() && !roles_cache.stale)
	{
		note_reading(&roles_cache);
		keep_role(user_id, &role);
	}
	return NameStr(role);
}

/* Is a public comment by somebody of this role an agent's reply? */
bool
answers_customers(const char *role)
{
	return strcmp(role, "agent") == 0 || strcmp(role, "team_lead") == 0 || strcmp(role, "admin") == 0;
}
