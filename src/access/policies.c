/*
 * policies.c
 *		What each kind of access may see and change: rights and row security.
 *
 * Two tables say all of it: rights[], which are GRANTs, and policies[]. Rows are hidden by the tickets that they belong to: the
 * policy of tickets compares their columns with what the acting user may see (sight.c), and a child's asks for its ticket by
 * key, under the policies of tickets. Each policy is for the roles of one kind, so that a plan has no condition of another's;
 * what is for all rows costs nothing. The owner of the tables passes by all of them, and so does what the desk itself does.
 *
 * Row security is on while somebody has an access that needs it. Policies are written anew whenever that list changes. What
 * the owner made of his own stays.
 *
 * All runs with the rights of the desk's owner and the safe path.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "access/policies.h"
#include "base/plan.h"

#define KIND(kind) (1 << ACCESS_##kind)
#define AGENTS (KIND(LEAD) | KIND(AGENT))
#define STAFF (AGENTS | KIND(LIGHT_AGENT))
#define READERS (STAFF | KIND(AUDITOR))

/* Rights on relations or functions of schema support, by names that a regular expression describes, or on columns of a table. */
typedef struct AccessRight
{
	int			kinds;
	const char *privileges;
	bool		on_functions;
	const char *names;
	const char *without;		/* columns of the one table that the right is not on, or NULL */
} AccessRight;

#define WORK "tickets|comments|attachments|ticket_tags|ticket_watchers"
#define PEOPLE "users|organizations|teams|team_members"
#define RULES "statuses|status_transitions|priorities|tags|calendars|calendar_hours|calendar_holidays|sla_policies|sla_targets"
#define FOLLOWING "sla_clocks|sla_events|backlog|search_words"
#define REQUESTS "my_requests|my_request_comments|my_request_attachments"
#define LISTS "ticket_list|unsolved_tickets|my_tickets|sla_status"
#define REPORTS "report_\\w+"
/* those that name no ticket, no agent and nobody who did something */
#define REPORTS_WITHOUT_NAMES \
	"report_status|report_priority|report_teams|report_aging|report_channels|report_organizations|report_tags|report_daily" \
	"|report_backlog_history|report_first_reply|report_resolution|report_time_in_status|report_heatmap"
/*
 * What an agent does not choose. An id above all: under that of a removed ticket he would be shown what is left of it, and one
 * to come would be in others' way.
 */
#define TICKET_BOOKS \
	"created_at,updated_at,version,first_replied_at,first_solved_at,solved_at,reopen_count,reply_count,waiting_since,last_customer_at" \
	",last_agent_at,deleted_at,deleted_by,delete_reason,customer_id"
#define NOT_OF_COMMENT "id,author_role,edited_at,deleted_at"

static const AccessRight rights[] = {
	{KIND(APP), "SELECT", false, "\\w+"},
	{KIND(APP), "INSERT, UPDATE, DELETE", false, WORK "|" PEOPLE "|" RULES},
	{READERS, "SELECT", false, WORK "|" PEOPLE "|" RULES "|" FOLLOWING "|" LISTS},
	{READERS | KIND(CUSTOMER), "SELECT", false, REQUESTS},
	{KIND(LEAD) | KIND(AUDITOR), "SELECT", false, "audit_log|log_eras|deleted_tickets|holds|ticket_rules|" REPORTS},
	{KIND(AGENT), "SELECT", false, "audit_log"},
	{KIND(REPORTER), "SELECT", false, REPORTS_WITHOUT_NAMES},
	{KIND(LEAD), "INSERT, UPDATE, DELETE", false, WORK},
	{KIND(AGENT), "DELETE", false, WORK},
	{KIND(AGENT), "INSERT", false, "tickets", "id,ticket_number,creator_role," TICKET_BOOKS},
	{KIND(AGENT), "UPDATE", false, "tickets"},
	{KIND(AGENT), "INSERT", false, "comments", NOT_OF_COMMENT},
	{KIND(AGENT), "UPDATE", false, "comments", "id,ticket_id,author_id,author_role,created_at"},
	{KIND(AGENT), "INSERT", false, "attachments", "id,created_at"},
	{KIND(AGENT), "UPDATE", false, "attachments", "id,ticket_id,byte_size,sha256,uploaded_by,created_at"},
	{KIND(AGENT), "INSERT, UPDATE", false, "ticket_tags|ticket_watchers"},
	{AGENTS, "INSERT", false, "tags"},
	{KIND(AGENT), "INSERT", false, "users", "id,is_active,db_role,created_at,updated_at,sees_all,email_key"},
	{KIND(AGENT), "UPDATE", false, "users", "id,is_active,role,db_role,created_at,updated_at,sees_all,email_key"},
	{KIND(LEAD), "INSERT, UPDATE", false, PEOPLE "|" RULES},
	{KIND(LEAD), "DELETE", false, "team_members|calendar_hours|calendar_holidays|sla_targets"},
	{KIND(LIGHT_AGENT), "INSERT", false, "comments", NOT_OF_COMMENT},
	{KIND(APP), "EXECUTE", true, "\\w+"},
	{READERS, "EXECUTE", true,
	"get_ticket|get_ticket_by_number|ticket_id|show_ticket|attachment_content|ticket_as_of|tickets_as_of|tickets_as_of_snapshot"
	"|comments_as_of|rows_as_of|sla_at_risk|sla_explain|set_actor|act"},
	{AGENTS | KIND(AUDITOR), "EXECUTE", true, "ticket_history"},
	{AGENTS, "EXECUTE", true,
	"create_ticket|next_ticket_number|update_ticket|set_status|set_priority|assign_ticket|transfer_ticket_ownership|delete_ticket"
	"|restore_ticket|add_comment|edit_comment|delete_comment|restore_comment|add_attachment|tag_ticket|untag_ticket|watch_ticket"
	"|unwatch_ticket|log_event|undo|create_user"},
	{KIND(LIGHT_AGENT), "EXECUTE", true, "add_comment"},
	{KIND(CUSTOMER), "EXECUTE", true, "create_ticket|add_comment|add_attachment|attachment_content|act"},
	{KIND(LEAD), "EXECUTE", true,
	"undo_since|deactivate_user|reactivate_user|set_user_role|create_team|add_team_member|create_calendar|update_calendar"
	"|create_sla_policy|update_sla_policy|sla_reapply|sla_simulate"},
	{KIND(LEAD) | KIND(AUDITOR), "EXECUTE", true, "report|sla_kept|dashboard|dashboard_html"},
	{KIND(AUDITOR), "EXECUTE", true, "verify_audit|audit_proof|check_audit_proof|feed_read"}
};

/* A policy for the roles of one kind, on the tables of schema support that are listed. */
typedef struct AccessPolicy
{
	AccessKind	kind;
	const char *command;
	const char *tables;			/* with commas */
	const char *visible;		/* USING, or NULL */
	const char *writable;		/* WITH CHECK, or NULL */
	const char *rows;			/* which those are, in words */
} AccessPolicy;

#define ME "(SELECT support.actor_id())"
#define MY_TEAMS "team_id = ANY ((SELECT support_internal.my_teams())::bigint[])"
#define ME_AT_WORK "(SELECT support_internal.my_id())"
#define MINE "assignee_id = " ME_AT_WORK " OR customer_id = " ME_AT_WORK " OR creator_id = " ME_AT_WORK
#define OF_AGENT \
	"(SELECT support_internal.sees_all()) OR team_id IS NULL AND (SELECT support_internal.is_agent()) OR " MY_TEAMS " OR " MINE
#define OF_LIGHT_AGENT "deleted_at IS NULL AND (" MY_TEAMS " OR " MINE ")"
#define OF_TICKET "(SELECT support_internal.sees_all()) OR support_internal.sees_ticket(ticket_id, true)"
#define OF_LIVE_TICKET "support_internal.sees_ticket(ticket_id, false)"
/* It has columns of tickets, by which most of it is told without asking for the ticket. */
#define BACKLOG_OF_LIGHT_AGENT MY_TEAMS " OR assignee_id = " ME_AT_WORK " OR " OF_LIVE_TICKET
#define BACKLOG_OF_AGENT \
	"(SELECT support_internal.sees_all()) OR team_id IS NULL AND (SELECT support_internal.is_agent()) OR " MY_TEAMS \
	" OR assignee_id = " ME_AT_WORK " OR support_internal.sees_ticket(ticket_id, true)"
#define OF_CUSTOMER "role = 'customer' AND db_role IS NULL"
#define TICKETS_OF_AGENT "of the user's teams, of no team, the user's own; all where the user sees_all"
#define TICKETS_OF_LIGHT_AGENT "of the user's teams and the user's own, live ones"
#define OF_SEEN_TICKETS "of tickets that the user sees"
#define CHILDREN "comments,attachments,ticket_tags,ticket_watchers,sla_clocks,sla_events,search_words"
#define ADDED "attachments,ticket_tags,ticket_watchers"
#define ALL_TABLES "tickets," CHILDREN ",backlog,audit_log,users"

static const AccessPolicy policies[] = {
	{ACCESS_APP, "ALL", ALL_TABLES, "true", NULL, "all"},
	{ACCESS_LEAD, "ALL", ALL_TABLES, "true", NULL, "all"},
	{ACCESS_AUDITOR, "SELECT", ALL_TABLES, "true", NULL, "all"},

	{ACCESS_AGENT, "SELECT", "tickets", OF_AGENT, NULL, TICKETS_OF_AGENT},
	{ACCESS_AGENT, "INSERT", "tickets", NULL, "creator_id = " ME, "as their creator"},
	{ACCESS_AGENT, "UPDATE", "tickets", OF_AGENT, "true", TICKETS_OF_AGENT},
	{ACCESS_AGENT, "DELETE", "tickets", OF_AGENT, NULL, TICKETS_OF_AGENT},
	{ACCESS_AGENT, "SELECT", CHILDREN, OF_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "INSERT", "comments", NULL, "author_id = " ME " AND (" OF_TICKET ")", "as their author, " OF_SEEN_TICKETS},
	{ACCESS_AGENT, "UPDATE", "comments", OF_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "DELETE", "comments", OF_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "INSERT", "attachments", NULL, "(uploaded_by IS NULL OR uploaded_by = " ME ") AND (" OF_TICKET ")", OF_SEEN_TICKETS},
	{ACCESS_AGENT, "INSERT", "ticket_tags,ticket_watchers", NULL, OF_TICKET, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "UPDATE", ADDED, OF_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "DELETE", ADDED, OF_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "SELECT", "audit_log", OF_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "SELECT", "backlog", BACKLOG_OF_AGENT, NULL, OF_SEEN_TICKETS},
	{ACCESS_AGENT, "SELECT", "users", "true", NULL, "all"},
	{ACCESS_AGENT, "INSERT", "users", NULL, OF_CUSTOMER " AND NOT sees_all", "customers"},
	{ACCESS_AGENT, "UPDATE", "users", OF_CUSTOMER, OF_CUSTOMER " AND NOT sees_all", "customers"},

	{ACCESS_LIGHT_AGENT, "SELECT", "tickets", OF_LIGHT_AGENT, NULL, TICKETS_OF_LIGHT_AGENT},
	{ACCESS_LIGHT_AGENT, "SELECT", CHILDREN, OF_LIVE_TICKET, NULL, OF_SEEN_TICKETS},
	{ACCESS_LIGHT_AGENT, "SELECT", "backlog", BACKLOG_OF_LIGHT_AGENT, NULL, OF_SEEN_TICKETS},
	{ACCESS_LIGHT_AGENT, "INSERT", "comments", NULL, "is_private AND author_id = " ME " AND " OF_LIVE_TICKET,
	"private ones, as their author, " OF_SEEN_TICKETS},
	{ACCESS_LIGHT_AGENT, "SELECT", "users", "true", NULL, "all"}
};

/* Is it an access that sees some rows and others not? */
bool
needs_row_security(AccessKind kind)
{
	return kind == ACCESS_AGENT || kind == ACCESS_LIGHT_AGENT;
}

/* Run a statement made of what a query finds in the catalogs, if it finds anything. */
static void
run_made(const char *query)
{
	SPI_execute(query, false, 1);
	if (SPI_processed > 0 && SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) != NULL)
		SPI_execute(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), false, 0);
}

/* Grant a right, on all that it names, to a role. */
static void
give_right(const char *role, const AccessRight *right)
{
	const char *names = quote_literal_cstr(psprintf("^(%s)$", right->names));

	if (right->without != NULL)
		run_made(psprintf("SELECT format('GRANT %s (%%s) ON support.%s TO %%I', string_agg(quote_ident(a.attname), ', '), %s)"
						  " FROM pg_attribute AS a WHERE a.attrelid = 'support.%s'::regclass AND a.attnum > 0 AND NOT a.attisdropped"
						  " AND a.attname <> ALL (string_to_array('%s', ','))",
						  right->privileges, right->names, quote_literal_cstr(role), right->names, right->without));
	else if (right->on_functions)
		run_made(psprintf("SELECT format('GRANT %s ON FUNCTION %%s TO %%I', string_agg(p.oid::regprocedure::text, ', '), %s)"
						  " FROM pg_proc AS p WHERE p.pronamespace = 'support'::regnamespace AND p.prokind = 'f' AND p.proname ~ %s"
						  " HAVING count(*) > 0", right->privileges, quote_literal_cstr(role), names));
	else
		run_made(psprintf("SELECT format('GRANT %s ON %%s TO %%I', string_agg(c.oid::regclass::text, ', '), %s)"
						  " FROM pg_class AS c WHERE c.relnamespace = 'support'::regnamespace AND c.relkind = ANY ('{r,p,v}')"
						  " AND c.relname ~ %s HAVING count(*) > 0", right->privileges, quote_literal_cstr(role), names));
}

/* Grant a role what its access asks for. */
void
give_rights(const char *role, AccessKind kind)
{
	if (kind == ACCESS_LEFT_OUT)
		return;
	run_made(psprintf("SELECT format('GRANT USAGE ON SCHEMA support TO %%I', %s)", quote_literal_cstr(role)));
	if (kind == ACCESS_APP || kind == ACCESS_LEAD || kind == ACCESS_AGENT)
		run_made(psprintf("SELECT format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA support TO %%I', %s)", quote_literal_cstr(role)));
	for (int i = 0; i < lengthof(rights); i++)
		if (rights[i].kinds & (1 << kind))
			give_right(role, &rights[i]);
}

/* Take all rights in schema support from a role. */
void
take_rights(const char *role)
{
	static const char *const parts[] = {"ALL TABLES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "ALL ROUTINES IN SCHEMA", "SCHEMA"};

	for (int i = 0; i < lengthof(parts); i++)
		run_made(psprintf("SELECT format('REVOKE ALL ON %s support FROM %%I', %s)", parts[i], quote_literal_cstr(role)));
}

/* The roles of a kind that are there, as a policy names them; NULL if there is none. */
static char *
roles_of(AccessKind kind)
{
	SPI_execute(psprintf("SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FROM support_internal.access AS a"
						 " JOIN pg_roles AS r ON r.rolname = a.db_role WHERE a.kind = '%s'", access_names[kind]), false, 1);
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

static char *
policy_name(const AccessPolicy *policy)
{
	char	   *command = pstrdup(policy->command);

	for (char *c = command; *c != '\0'; c++)
		*c = pg_tolower((unsigned char) *c);
	return psprintf("support_%s_%s", access_names[policy->kind], command);
}

/* Write a policy on one table anew, for these roles; none if there are none. */
static void
write_policy(const AccessPolicy *policy, const char *table, const char *roles)
{
	StringInfoData text;

	run_made(psprintf("SELECT 'DROP POLICY %s ON support.%s' FROM pg_policy"
					  " WHERE polrelid = 'support.%s'::regclass AND polname = '%s'",
					  policy_name(policy), table, table, policy_name(policy)));
	if (roles == NULL)
		return;
	initStringInfo(&text);
	appendStringInfo(&text, "CREATE POLICY %s ON support.%s FOR %s TO %s", policy_name(policy), table, policy->command, roles);
	if (policy->visible != NULL)
		appendStringInfo(&text, " USING (%s)", policy->visible);
	if (policy->writable != NULL)
		appendStringInfo(&text, " WITH CHECK (%s)", policy->writable);
	SPI_execute(text.data, false, 0);
}

/* Call a function for each name of a list with commas. */
static void
for_each_table(const char *tables, void (*work) (const char *table, const void *arg), const void *arg)
{
	char	   *rest = pstrdup(tables);
	char	   *name;

	while ((name = strsep(&rest, ",")) != NULL)
		work(name, arg);
}

typedef struct PolicyFor
{
	const AccessPolicy *policy;
	const char *roles;
} PolicyFor;

static void
write_policy_on(const char *table, const void *arg)
{
	const PolicyFor *given = arg;

	write_policy(given->policy, table, given->roles);
}

/* Have row security on a table, unless it is; or have it no more, unless the owner has policies of his own there. */
static void
switch_row_security(const char *table, const void *arg)
{
	bool		on = *(const bool *) arg;

	run_made(psprintf("SELECT 'ALTER TABLE support.%s %s ROW LEVEL SECURITY' FROM pg_class AS c"
					  " WHERE c.oid = 'support.%s'::regclass AND c.relrowsecurity <> %s"
					  " AND (%s OR NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid))",
					  table, on ? "ENABLE" : "DISABLE", table, on ? "true" : "false", on ? "true" : "false"));
}

/* Write all policies anew, by what access there is now, and switch row security on or off. */
void
write_policies(void)
{
	const char *roles[ACCESS_KINDS];
	bool		on = false;

	for (int kind = 0; kind < ACCESS_KINDS; kind++)
	{
		roles[kind] = roles_of(kind);
		on |= roles[kind] != NULL && needs_row_security(kind);
	}
	for (int i = 0; i < lengthof(policies); i++)
	{
		PolicyFor given = {&policies[i], on ? roles[policies[i].kind] : NULL};

		for_each_table(policies[i].tables, write_policy_on, &given);
	}
	for_each_table(ALL_TABLES, switch_row_security, &on);
}

/* Is a name in a list with bars, of which a name may end in \w+ for any rest? */
static bool
is_listed(const char *list, const char *name, char bar)
{
	while (*list != '\0')
	{
		const char *end = strchrnul(list, bar);
		size_t		length = end - list;
		bool		is_open = length >= 3 && strncmp(end - 3, "\\w+", 3) == 0;

		if (is_open ? strncmp(list, name, length - 3) == 0 : strlen(name) == length && strncmp(list, name, length) == 0)
			return true;
		list = *end == '\0' ? end : end + 1;
	}
	return false;
}

/* Has an access this right on a table or view? */
static bool
has_right(AccessKind kind, const char *privilege, const char *relation)
{
	for (int i = 0; i < lengthof(rights); i++)
		if ((rights[i].kinds & (1 << kind)) && !rights[i].on_functions && strstr(rights[i].privileges, privilege) != NULL &&
			is_listed(rights[i].names, relation, '|'))
			return true;
	return false;
}

/* Which rows of a table or view an access may read, insert, update or delete, in words; NULL for none. */
const char *
rows_of_access(AccessKind kind, const char *privilege, const char *relation)
{
	bool		is_secured = is_listed(ALL_TABLES, relation, ',');

	if (kind == ACCESS_LEFT_OUT || !has_right(kind, privilege, relation))
		return NULL;
	for (int i = 0; is_secured && i < lengthof(policies); i++)
		if (policies[i].kind == kind && is_listed(policies[i].tables, relation, ',') &&
			(strcmp(policies[i].command, privilege) == 0 || strcmp(policies[i].command, "ALL") == 0))
			return policies[i].rows;
	if (is_secured)
		return NULL;
	if (is_listed(REQUESTS, relation, '|'))
		return "the user's own, and those of an organization that is_shared";
	return needs_row_security(kind) && is_listed(LISTS, relation, '|') ? OF_SEEN_TICKETS : "all";
}
