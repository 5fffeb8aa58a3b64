/*
 * workflow.c
 *		Statuses and what follows from them.
 *
 * Statuses, transitions and priorities are three small tables, read on every change of a ticket, so they are kept for
 * the session, and so are the roles of the users who write. The triggers on these tables invalidate their relcache
 * entries, which reaches every session when the change commits and our own at once; the callback here forgets what was
 * kept. A name that is not found is looked up afresh before it is refused. What a transaction with an old snapshot
 * read is not kept beyond it, nor a role that a transaction read which then rolled back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "actor.h"
#include "compat.h"
#include "errors.h"
#include "plan.h"
#include "workflow.h"

static const char *const ticket_columns[] = {
	[TICKET_ID] = "id",
	[TICKET_NUMBER] = "ticket_number",
	[TICKET_STATUS] = "status",
	[TICKET_PRIORITY] = "priority",
	[TICKET_CREATOR_ID] = "creator_id",
	[TICKET_CREATED_AT] = "created_at",
	[TICKET_DELETED_AT] = "deleted_at",
	[TICKET_TEAM_ID] = "team_id",
	[TICKET_ASSIGNEE_ID] = "assignee_id",
	[TICKET_PENDING_UNTIL] = "pending_until",
	[TICKET_UPDATED_AT] = "updated_at",
	[TICKET_VERSION] = "version",
	[TICKET_FIRST_SOLVED_AT] = "first_solved_at",
	[TICKET_SOLVED_AT] = "solved_at",
	[TICKET_REOPEN_COUNT] = "reopen_count",
	[TICKET_WAITING_SINCE] = "waiting_since",
	[TICKET_LAST_CUSTOMER_AT] = "last_customer_at",
	[TICKET_LAST_AGENT_AT] = "last_agent_at",
	[TICKET_DELETED_BY] = "deleted_by",
	[TICKET_DELETE_REASON] = "delete_reason",
	[TICKET_STATUS_CHANGED_AT] = "status_changed_at",
	[TICKET_TITLE] = "title",
	[TICKET_DESCRIPTION] = "description",
	[TICKET_SEARCH] = "search",
	[TICKET_FIRST_REPLIED_AT] = "first_replied_at",
	[TICKET_REPLY_COUNT] = "reply_count"
};

const DeskTable tickets_table = {
	.name = "tickets", .ticket_column = "id", .has_id = true,
	.columns = ticket_columns, .ncolumns = lengthof(ticket_columns), .derived = "search"
};

enum
{
	STATUSES,
	TRANSITIONS,
	PRIORITIES,
	ROLE_OF_USER,
	ASSIGNEE,
	TEAM
};

static Statement statements[] = {
	[STATUSES] = {
		.text = "SELECT name, category, is_default FROM support.statuses ORDER BY position, name",
		.as_owner = true
	},
	[TRANSITIONS] = {
		.text = "SELECT from_status, to_status FROM support.status_transitions",
		.as_owner = true
	},
	[PRIORITIES] = {
		.text = "SELECT name FROM support.priorities ORDER BY rank",
		.as_owner = true
	},
	[ROLE_OF_USER] = {
		.text = "SELECT role FROM support.users WHERE id OPERATOR(pg_catalog.=) $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner = true
	},
	[ASSIGNEE] = {
		.text = "SELECT is_active, role FROM support.users WHERE id OPERATOR(pg_catalog.=) $1 FOR SHARE",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner = true
	},
	[TEAM] = {
		.text = "SELECT 1 FROM support.teams WHERE id OPERATOR(pg_catalog.=) $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner = true
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
	bool		of_old_snapshot;	/* read in a transaction that sees no later changes */
	MemoryContext context;
	int			nstatuses;
	Status	   *statuses;
	int			ntransitions;
	Transition *transitions;
	int			npriorities;
	char	  **priorities;
} Rules;

static Rules rules;
static Oid	rules_relids[3];

#define MAX_KEPT_ROLES 10000

/* The role of a user who wrote something in this session. */
typedef struct UserRole
{
	int64		user_id;		/* hash key */
	NameData	role;
} UserRole;

static HTAB *roles;
static bool roles_changed;
static Oid	users_relid;

bool		bookkeeping = false;

/* Relcache callback: one of the three tables, or everything, changed. */
static void
forget_rules(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == rules_relids[0] || relid == rules_relids[1] || relid == rules_relids[2])
		rules.valid = false;
	if (!OidIsValid(relid) || relid == users_relid)
		roles_changed = true;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	if (rules.of_old_snapshot && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT))
		rules.valid = false;
	if (event == XACT_EVENT_ABORT)
		roles_changed = true;
}

static void
forget_at_end_of_subtransaction(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		roles_changed = true;
}

void
workflow_init(void)
{
	CacheRegisterRelcacheCallback(forget_rules, (Datum) 0);
	RegisterXactCallback(forget_at_end, NULL);
	RegisterSubXactCallback(forget_at_end_of_subtransaction, NULL);
}

static char *
keep_text(uint64 row, int column)
{
	return MemoryContextStrdup(rules.context, TextDatumGetCString(result(row, column)));
}

static Category
category_named(const char *name)
{
	for (int i = 0; i < lengthof(category_names); i++)
		if (strcmp(category_names[i], name) == 0)
			return (Category) i;
	elog(ERROR, "unknown category \"%s\" of a status", name);
}

static void
load_statuses(void)
{
	rules.nstatuses = run(&statements[STATUSES], NULL);
	rules.statuses = MemoryContextAlloc(rules.context, sizeof(Status) * Max(rules.nstatuses, 1));
	for (int i = 0; i < rules.nstatuses; i++)
	{
		rules.statuses[i].name = keep_text(i, 1);
		rules.statuses[i].category = category_named(TextDatumGetCString(result(i, 2)));
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

/* Read the three tables. An invalidation that arrives meanwhile leaves what we read invalid again. */
static void
load_rules(void)
{
	if (rules.context == NULL)
		rules.context = AllocSetContextCreate(CacheMemoryContext, "support_ext workflow", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(rules.context);
	rules_relids[0] = desk_relation("support", "statuses");
	rules_relids[1] = desk_relation("support", "status_transitions");
	rules_relids[2] = desk_relation("support", "priorities");
	rules.valid = true;
	rules.of_old_snapshot = IsolationUsesXactSnapshot();

	SPI_connect();
	load_statuses();
	load_transitions();
	load_priorities();
	SPI_finish();
}

/* Have the rules at hand, read again if asked to. */
static void
know_rules(bool afresh)
{
	if (rules.valid && !afresh)
		return;
	rules.valid = false;
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

/* What a status means. Raises 23503 if there is none of that name. */
Category
status_category(const char *status)
{
	Status	   *found;

	know_rules(false);
	found = find_status(status);
	if (found == NULL)
	{
		know_rules(true);
		found = find_status(status);
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("status \"%s\" does not exist", status),
				 errhint("The statuses are: %s.", list_statuses())));
	return found->category;
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
char *
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

static bool
has_priority(const char *name)
{
	for (int i = 0; i < rules.npriorities; i++)
		if (strcmp(rules.priorities[i], name) == 0)
			return true;
	return false;
}

/* Raise 23503 unless there is a priority of that name. */
static void
check_priority(const char *name)
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
			 errhint("The priorities are: %s.", list.data)));
}

/* Raise SU002 unless the table of transitions, if it has any, allows this one. */
static void
check_transition(int64 ticket_id, const char *from, const char *to)
{
	StringInfoData allowed;

	know_rules(false);
	if (rules.ntransitions == 0 || bookkeeping)
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

	users_relid = desk_relation("support", "users");
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

	if (roles_changed && roles != NULL)
		forget_roles();
	roles_changed = false;
	if (roles != NULL)
		kept = hash_search(roles, &user_id, HASH_FIND, NULL);
	if (kept != NULL)
		return NameStr(kept->role);

	if (!read_role(user_id, &role))
		return NULL;
	/* what an old snapshot or a change on the way says is right for now only */
	if (!IsolationUsesXactSnapshot() && !roles_changed)
		keep_role(user_id, &role);
	return NameStr(role);
}

/* Is a public comment by somebody of this role an agent's reply? */
bool
answers_customers(const char *role)
{
	return strcmp(role, "agent") == 0 || strcmp(role, "team_lead") == 0 || strcmp(role, "admin") == 0;
}

static void
set_time(Row *row, int column, TimestampTz value)
{
	row_set(row, column, TimestampTzGetDatum(value));
}

static void
set_time_if_null(Row *row, int column, TimestampTz value)
{
	if (row_is_null(row, column))
		set_time(row, column, value);
}

/*
 * Keep a new ticket's times. The description is the first comment, by the creator, so a customer's new ticket waits
 * from the start. An import gives what it knows; what it gives stays.
 */
void
ticket_before_insert(Row *ticket)
{
	TimestampTz created_at = row_time(ticket, TICKET_CREATED_AT);
	bool		solved = is_solved(status_category(row_text(ticket, TICKET_STATUS)));
	const char *role;

	if (solved)
	{
		set_time_if_null(ticket, TICKET_SOLVED_AT, created_at);
		set_time_if_null(ticket, TICKET_FIRST_SOLVED_AT, row_time(ticket, TICKET_SOLVED_AT));
		row_clear(ticket, TICKET_WAITING_SINCE);
	}
	else
		row_clear(ticket, TICKET_SOLVED_AT);
	set_time_if_null(ticket, TICKET_STATUS_CHANGED_AT, solved ? row_time(ticket, TICKET_SOLVED_AT) : created_at);

	if (!row_is_null(ticket, TICKET_LAST_CUSTOMER_AT) || row_is_null(ticket, TICKET_CREATOR_ID))
		return;
	role = role_of_user(row_int64(ticket, TICKET_CREATOR_ID));
	if (role == NULL || strcmp(role, "customer") != 0)
		return;
	set_time(ticket, TICKET_LAST_CUSTOMER_AT, created_at);
	if (!solved && row_is_null(ticket, TICKET_LAST_AGENT_AT))
		set_time_if_null(ticket, TICKET_WAITING_SINCE, created_at);
}

/* Keep what follows from a change of status. */
static void
keep_status_change(const Row *old, Row *new)
{
	char	   *from = row_text(old, TICKET_STATUS);
	char	   *to = row_text(new, TICKET_STATUS);
	Category	before = status_category(from);
	Category	after = status_category(to);
	TimestampTz now = desk_now();

	check_transition(row_int64(new, TICKET_ID), from, to);
	set_time(new, TICKET_STATUS_CHANGED_AT, now);
	if (is_solved(after) && !is_solved(before))
	{
		set_time(new, TICKET_SOLVED_AT, now);
		set_time_if_null(new, TICKET_FIRST_SOLVED_AT, now);
		row_clear(new, TICKET_WAITING_SINCE);
	}
	if (is_solved(before) && !is_solved(after))
	{
		row_clear(new, TICKET_SOLVED_AT);
		row_set(new, TICKET_REOPEN_COUNT, Int32GetDatum((int32) row_int64(old, TICKET_REOPEN_COUNT) + 1));
	}
	if (after != CATEGORY_PENDING && after != CATEGORY_HOLD &&
		!row_column_differs(old, new, TICKET_PENDING_UNTIL))
		row_clear(new, TICKET_PENDING_UNTIL);
}

/* Keep who deleted a ticket, and forget it when the ticket comes back. */
static void
keep_deletion(const Row *old, Row *new)
{
	int64		actor_id;

	if (row_is_null(new, TICKET_DELETED_AT))
	{
		row_clear(new, TICKET_DELETED_BY);
		row_clear(new, TICKET_DELETE_REASON);
	}
	else if (row_is_null(old, TICKET_DELETED_AT) && row_is_null(new, TICKET_DELETED_BY) && acting_user(&actor_id))
		row_set(new, TICKET_DELETED_BY, Int64GetDatum(actor_id));
}

/* Did a column change that is not one of the two which follow every change? */
static bool
really_changed(const Row *old, const Row *new)
{
	const TableShape *shape = new->shape;

	for (int i = 0; i < shape->natts; i++)
	{
		if (shape->kinds[i] == IMAGE_NONE ||
			i + 1 == shape->columns[TICKET_VERSION] || i + 1 == shape->columns[TICKET_UPDATED_AT])
			continue;
		if (row_differs(old, new, i))
			return true;
	}
	return false;
}

/*
 * Take over the columns that follow from comments and changes of status. A mapper that writes whole rows back would
 * undo what happened since it read them.
 */
static void
take_over_books(const Row *old, Row *new)
{
	static const int kept[] = {
		TICKET_FIRST_REPLIED_AT, TICKET_FIRST_SOLVED_AT, TICKET_SOLVED_AT, TICKET_REOPEN_COUNT, TICKET_REPLY_COUNT,
		TICKET_WAITING_SINCE, TICKET_LAST_CUSTOMER_AT, TICKET_LAST_AGENT_AT, TICKET_STATUS_CHANGED_AT
	};

	for (int i = 0; i < lengthof(kept); i++)
		row_take_over(old, new, kept[i]);
}

/* Keep a ticket's own books in an UPDATE: version, updated_at, the solved times and who deleted it. */
void
ticket_before_update(const Row *old, Row *new)
{
	if (row_int64(old, TICKET_ID) != row_int64(new, TICKET_ID))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the id of ticket %lld cannot change", (long long) row_int64(old, TICKET_ID))));

	row_take_over(old, new, TICKET_VERSION);
	row_take_over(old, new, TICKET_UPDATED_AT);
	if (!bookkeeping)
		take_over_books(old, new);
	if (!really_changed(old, new))
		return;

	row_set(new, TICKET_VERSION, Int64GetDatum(row_int64(old, TICKET_VERSION) + 1));
	set_time(new, TICKET_UPDATED_AT, desk_now());
	/* a NULL status is left for the column's own constraint to refuse */
	if (!row_is_null(new, TICKET_STATUS) && row_column_differs(old, new, TICKET_STATUS))
		keep_status_change(old, new);
	if (row_column_differs(old, new, TICKET_DELETED_AT))
		keep_deletion(old, new);
}

/*
 * Raise 23503 unless tickets can be assigned to this user. The row stays locked against a change, so that the user
 * cannot be deactivated while an assignment is under way.
 */
void
check_assignee(int64 user_id)
{
	Args		args = {0};
	char	   *role;

	SPI_connect();
	arg_int64(&args, user_id);
	if (run(&statements[ASSIGNEE], &args) == 0)
		refuse_unknown_reference("user", user_id);
	role = result_text(0, 2);
	if (!result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: not active", (long long) user_id)));
	if (!answers_customers(role) && strcmp(role, "bot") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("user %lld cannot be assigned tickets: role \"%s\"", (long long) user_id, role),
				 errhint("Agents, team leads, administrators and bots can.")));
	SPI_finish();
}

static void
check_team(int64 team_id)
{
	Args		args = {0};

	SPI_connect();
	arg_int64(&args, team_id);
	if (run(&statements[TEAM], &args) == 0)
		refuse_unknown_reference("team", team_id);
	SPI_finish();
}

/* Does an INSERT (old is NULL) or an UPDATE bring a new value other than NULL? */
static bool
brings(const Row *old, const Row *new, int column)
{
	return !row_is_null(new, column) && (old == NULL || row_column_differs(old, new, column));
}

/* Check what a ticket refers to, ahead of the foreign keys and with a clearer word than theirs. */
void
ticket_check(const Row *old, const Row *new)
{
	if (brings(old, new, TICKET_PRIORITY))
		check_priority(row_text(new, TICKET_PRIORITY));
	if (brings(old, new, TICKET_ASSIGNEE_ID))
		check_assignee(row_int64(new, TICKET_ASSIGNEE_ID));
	if (brings(old, new, TICKET_TEAM_ID))
		check_team(row_int64(new, TICKET_TEAM_ID));
}
