/*
 * tables.c
 *		The desk's tables, and the columns of theirs that rules read or keep.
 *
 * A logical table is what a trigger's argument and an entry of the log name. A new table gets a line here; it gets
 * columns where C code reads some, and what its rows do is in the room of its rules, which adds them to hooks.c. Which
 * of its values are names, keys and times of events is said here as well: value_rules.c holds them to it.
 */
#include "postgres.h"

#include "base/tables.h"

/*
 * How many bytes the values of columns may have whose type has no limit: what people call a thing; the key of another
 * system, which an index has to hold beside a ticket's id; what a policy asks for; a list of categories or percents.
 */
#define MAX_NAME_SIZE 255
#define MAX_KEY_SIZE 2000
#define MAX_CONDITIONS_SIZE (1024 * 1024)
#define MAX_LIST_SIZE 10000

/* The end of a list that rooms add to. */
#define HOOKS &(struct RowHooks *) {NULL}

static const DeskColumn ticket_columns[] = {
	[TICKET_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[TICKET_NUMBER] = {"ticket_number", COLUMN_TEXT, NOT_NULL},
	[TICKET_STATUS] = {"status", COLUMN_TEXT, NOT_NULL},
	[TICKET_PRIORITY] = {"priority", COLUMN_TEXT},
	[TICKET_CREATOR_ID] = {"creator_id", COLUMN_BIGINT, NOT_NULL},
	[TICKET_CREATED_AT] = {"created_at", COLUMN_TIME, NOT_NULL},
	[TICKET_DELETED_AT] = {"deleted_at", COLUMN_TIME},
	[TICKET_REQUESTER_ID] = {"requester_id", COLUMN_BIGINT},
	[TICKET_TEAM_ID] = {"team_id", COLUMN_BIGINT},
	[TICKET_ASSIGNEE_ID] = {"assignee_id", COLUMN_BIGINT},
	[TICKET_PENDING_UNTIL] = {"pending_until", COLUMN_TIME},
	[TICKET_UPDATED_AT] = {"updated_at", COLUMN_TIME, FILLED_IN},
	[TICKET_VERSION] = {"version", COLUMN_BIGINT, FILLED_IN},
	[TICKET_FIRST_SOLVED_AT] = {"first_solved_at", COLUMN_TIME},
	[TICKET_SOLVED_AT] = {"solved_at", COLUMN_TIME},
	[TICKET_REOPEN_COUNT] = {"reopen_count", COLUMN_INTEGER, NOT_NULL},
	[TICKET_WAITING_SINCE] = {"waiting_since", COLUMN_TIME},
	[TICKET_LAST_CUSTOMER_AT] = {"last_customer_at", COLUMN_TIME},
	[TICKET_LAST_AGENT_AT] = {"last_agent_at", COLUMN_TIME},
	[TICKET_DELETED_BY] = {"deleted_by", COLUMN_BIGINT},
	[TICKET_DELETE_REASON] = {"delete_reason", COLUMN_TEXT},
	[TICKET_TITLE] = {"title", COLUMN_TEXT, NOT_NULL},
	[TICKET_DESCRIPTION] = {"description", COLUMN_TEXT, NOT_NULL},
	[TICKET_FIRST_REPLIED_AT] = {"first_replied_at", COLUMN_TIME},
	[TICKET_REPLY_COUNT] = {"reply_count", COLUMN_INTEGER, NOT_NULL},
	[TICKET_ORGANIZATION_ID] = {"organization_id", COLUMN_BIGINT},
	[TICKET_CHANNEL] = {"channel", COLUMN_TEXT},
	[TICKET_CUSTOM] = {"custom", COLUMN_JSON},
	[TICKET_CREATOR_ROLE] = {"creator_role", COLUMN_TEXT},
	[TICKET_CUSTOMER_ID] = {"customer_id", COLUMN_BIGINT}
};

static const ValueRule ticket_rules[] = {
	{"ticket_number", VALUE_LINE, LIMIT_OF_TYPE},
	{"title", VALUE_LINE, LIMIT_OF_TYPE},
	{"description", VALUE_TEXT, LIMIT_OF_TEXTS},
	{"channel", VALUE_LINE, MAX_NAME_SIZE},
	{"custom", VALUE_JSON, LIMIT_OF_CUSTOM},
	{"external_id", VALUE_KEY, MAX_KEY_SIZE},
	{"delete_reason", VALUE_TEXT, MAX_REASON_SIZE}
};

const DeskTable tickets_table = {
	.name = "tickets", .hooks = HOOKS, .ticket_column = "id", .has_id = true,
	.columns = ticket_columns, .ncolumns = lengthof(ticket_columns), .derived = "customer_id",
	.rules = ticket_rules, .nrules = lengthof(ticket_rules)
};

static const DeskColumn comment_columns[] = {
	[COMMENT_TICKET_ID] = {"ticket_id", COLUMN_BIGINT, NOT_NULL},
	[COMMENT_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[COMMENT_AUTHOR_ID] = {"author_id", COLUMN_BIGINT, NOT_NULL},
	[COMMENT_CONTENT] = {"content", COLUMN_TEXT, NOT_NULL},
	[COMMENT_IS_PRIVATE] = {"is_private", COLUMN_BOOLEAN, NOT_NULL},
	[COMMENT_CREATED_AT] = {"created_at", COLUMN_TIME, NOT_NULL},
	[COMMENT_AUTHOR_ROLE] = {"author_role", COLUMN_TEXT},
	[COMMENT_VIA] = {"via", COLUMN_TEXT, NOT_NULL},
	[COMMENT_EDITED_AT] = {"edited_at", COLUMN_TIME},
	[COMMENT_DELETED_AT] = {"deleted_at", COLUMN_TIME}
};

static const ValueRule comment_rules[] = {
	{"content", VALUE_TEXT, LIMIT_OF_TEXTS},
	{"external_id", VALUE_KEY, MAX_KEY_SIZE}
};

const DeskTable comments_table = {
	.name = "comments", .hooks = HOOKS, .ticket_column = "ticket_id", .has_id = true,
	.columns = comment_columns, .ncolumns = lengthof(comment_columns),
	.rules = comment_rules, .nrules = lengthof(comment_rules)
};

static const DeskColumn user_columns[] = {
	[USER_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[USER_IS_ACTIVE] = {"is_active", COLUMN_BOOLEAN, NOT_NULL},
	[USER_ROLE] = {"role", COLUMN_TEXT, NOT_NULL},
	[USER_DB_ROLE] = {"db_role", COLUMN_TEXT},
	[USER_TIME_ZONE] = {"time_zone", COLUMN_TEXT},
	[USER_UPDATED_AT] = {"updated_at", COLUMN_TIME, FILLED_IN},
	[USER_SEES_ALL] = {"sees_all", COLUMN_BOOLEAN, NOT_NULL}
};

static const ValueRule user_rules[] = {
	{"email", VALUE_LINE, LIMIT_OF_TYPE},
	{"full_name", VALUE_LINE, LIMIT_OF_TYPE},
	{"db_role", VALUE_TEXT, NAMEDATALEN - 1},
	{"time_zone", VALUE_LINE, MAX_NAME_SIZE},
	{"external_id", VALUE_KEY, MAX_KEY_SIZE},
	{"created_at", VALUE_EVENT}
};

const DeskTable users_table = {
	.name = "users", .hooks = HOOKS, .has_id = true, .columns = user_columns, .ncolumns = lengthof(user_columns),
	.rules = user_rules, .nrules = lengthof(user_rules)
};

static const DeskColumn tag_columns[] = {
	[TAG_TICKET_ID] = {"ticket_id", COLUMN_BIGINT, NOT_NULL},
	[TAG_TAG_ID] = {"tag_id", COLUMN_BIGINT, NOT_NULL}
};

const DeskTable ticket_tags_table = {
	.name = "ticket_tags", .hooks = HOOKS, .ticket_column = "ticket_id", .columns = tag_columns, .ncolumns = lengthof(tag_columns)
};

static const DeskColumn watcher_columns[] = {
	[WATCHER_KIND] = {"kind", COLUMN_TEXT, NOT_NULL}
};

const DeskTable ticket_watchers_table = {
	.name = "ticket_watchers", .hooks = HOOKS, .ticket_column = "ticket_id",
	.columns = watcher_columns, .ncolumns = lengthof(watcher_columns)
};

static const DeskColumn status_columns[] = {
	[STATUS_NAME] = {"name", COLUMN_TEXT, NOT_NULL},
	[STATUS_CATEGORY] = {"category", COLUMN_TEXT, NOT_NULL}
};

static const ValueRule name_rules[] = {
	{"name", VALUE_LINE, MAX_NAME_SIZE}
};

const DeskTable statuses_table = {
	.name = "statuses", .hooks = HOOKS, .is_kept = true, .columns = status_columns, .ncolumns = lengthof(status_columns),
	.rules = name_rules, .nrules = lengthof(name_rules)
};

static const DeskColumn calendar_columns[] = {
	[CALENDAR_TIME_ZONE] = {"time_zone", COLUMN_TEXT, NOT_NULL}
};

static const ValueRule calendar_rules[] = {
	{"name", VALUE_LINE, LIMIT_OF_TYPE},
	{"time_zone", VALUE_LINE, MAX_NAME_SIZE},
	{"created_at", VALUE_EVENT}
};

const DeskTable calendars_table = {
	.name = "calendars", .hooks = HOOKS, .is_kept = true, .has_id = true, .columns = calendar_columns, .ncolumns = lengthof(calendar_columns),
	.rules = calendar_rules, .nrules = lengthof(calendar_rules)
};

static const DeskColumn hours_columns[] = {
	[SPAN_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[SPAN_CALENDAR_ID] = {"calendar_id", COLUMN_BIGINT, NOT_NULL},
	[SPAN_OPENS] = {"opens", COLUMN_INTERVAL, NOT_NULL},
	[SPAN_CLOSES] = {"closes", COLUMN_INTERVAL, NOT_NULL},
	[SPAN_WEEKDAY] = {"weekday", COLUMN_INTEGER, NOT_NULL},
	[SPAN_VALID_FROM] = {"valid_from", COLUMN_DATE}
};

const DeskTable calendar_hours_table = {
	.name = "calendar_hours", .hooks = HOOKS, .is_kept = true, .has_id = true, .columns = hours_columns, .ncolumns = lengthof(hours_columns)
};

static const DeskColumn holiday_columns[] = {
	[SPAN_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[SPAN_CALENDAR_ID] = {"calendar_id", COLUMN_BIGINT, NOT_NULL},
	[SPAN_OPENS] = {"opens", COLUMN_INTERVAL, NOT_NULL},
	[SPAN_CLOSES] = {"closes", COLUMN_INTERVAL, NOT_NULL},
	[SPAN_DAY] = {"day", COLUMN_DATE, NOT_NULL},
	[SPAN_LAST_DAY] = {"last_day", COLUMN_DATE},
	[SPAN_IS_YEARLY] = {"is_yearly", COLUMN_BOOLEAN, NOT_NULL},
	[SPAN_IS_OPEN] = {"is_open", COLUMN_BOOLEAN, NOT_NULL}
};

const DeskTable calendar_holidays_table = {
	.name = "calendar_holidays", .hooks = HOOKS, .is_kept = true, .has_id = true, .columns = holiday_columns, .ncolumns = lengthof(holiday_columns),
	.rules = name_rules, .nrules = lengthof(name_rules)
};

static const DeskColumn policy_columns[] = {
	[POLICY_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[POLICY_NAME] = {"name", COLUMN_TEXT, NOT_NULL},
	[POLICY_POSITION] = {"position", COLUMN_INTEGER, FILLED_IN},
	[POLICY_IS_ACTIVE] = {"is_active", COLUMN_BOOLEAN, NOT_NULL},
	[POLICY_CONDITIONS] = {"conditions", COLUMN_JSON, NOT_NULL}
};

static const ValueRule policy_rules[] = {
	{"name", VALUE_LINE, LIMIT_OF_TYPE},
	{"conditions", VALUE_JSON, MAX_CONDITIONS_SIZE},
	{"created_at", VALUE_EVENT}
};

const DeskTable sla_policies_table = {
	.name = "sla_policies", .hooks = HOOKS, .is_kept = true, .has_id = true, .columns = policy_columns, .ncolumns = lengthof(policy_columns),
	.rules = policy_rules, .nrules = lengthof(policy_rules)
};

static const DeskColumn target_columns[] = {
	[TARGET_ID] = {"id", COLUMN_BIGINT, NOT_NULL},
	[TARGET_POLICY_ID] = {"policy_id", COLUMN_BIGINT, NOT_NULL},
	[TARGET_METRIC] = {"metric", COLUMN_TEXT, NOT_NULL},
	[TARGET_PRIORITY] = {"priority", COLUMN_TEXT},
	[TARGET_TARGET] = {"target", COLUMN_INTERVAL, NOT_NULL},
	[TARGET_CALENDAR_ID] = {"calendar_id", COLUMN_BIGINT},
	[TARGET_PAUSE_CATEGORIES] = {"pause_categories", COLUMN_TEXTS},
	[TARGET_WARN_PERCENTS] = {"warn_percents", COLUMN_INTEGERS, FILLED_IN}
};

static const ValueRule target_rules[] = {
	{"pause_categories", VALUE_ARRAY, MAX_LIST_SIZE},
	{"warn_percents", VALUE_ARRAY, MAX_LIST_SIZE}
};

const DeskTable sla_targets_table = {
	.name = "sla_targets", .hooks = HOOKS, .is_kept = true, .has_id = true, .columns = target_columns, .ncolumns = lengthof(target_columns),
	.rules = target_rules, .nrules = lengthof(target_rules)
};

static const DeskColumn settings_columns[] = {
	[SETTING_NAME] = {"name", COLUMN_TEXT},
	[SETTING_VALUE] = {"value", COLUMN_TEXT}
};

static const ValueRule setting_rules[] = {
	{"value", VALUE_LINE, MAX_NAME_SIZE}
};

const DeskTable settings_table = {
	.name = "settings", .hooks = HOOKS, .is_internal = true, .columns = settings_columns, .ncolumns = lengthof(settings_columns),
	.rules = setting_rules, .nrules = lengthof(setting_rules)
};

static const DeskColumn entry_columns[] = {
	[ENTRY_ID] = {"id", COLUMN_BIGINT},
	[ENTRY_ERA] = {"era", COLUMN_INTEGER},
	[ENTRY_XID] = {"xid", COLUMN_BIGINT},
	[ENTRY_ACTOR_ID] = {"actor_id", COLUMN_BIGINT},
	[ENTRY_OCCURRED_AT] = {"occurred_at", COLUMN_TIME},
	[ENTRY_DB_ROLE] = {"db_role", COLUMN_TEXT},
	[ENTRY_TICKET_ID] = {"ticket_id", COLUMN_BIGINT},
	[ENTRY_ACTION] = {"action", COLUMN_TEXT},
	[ENTRY_TABLE_NAME] = {"table_name", COLUMN_TEXT},
	[ENTRY_OLD_VALUE] = {"old_value", COLUMN_JSON},
	[ENTRY_NEW_VALUE] = {"new_value", COLUMN_JSON}
};

static const ValueRule entry_rules[] = {
	{"action", VALUE_LINE, MAX_NAME_SIZE},
	{"table_name", VALUE_LINE, MAX_NAME_SIZE}
};

const DeskTable log_table = {
	.name = "audit_log", .hooks = HOOKS, .has_id = true, .columns = entry_columns, .ncolumns = lengthof(entry_columns),
	.rules = entry_rules, .nrules = lengthof(entry_rules)
};

static const ValueRule organization_rules[] = {
	{"name", VALUE_LINE, LIMIT_OF_TYPE},
	{"external_id", VALUE_KEY, MAX_KEY_SIZE},
	{"created_at", VALUE_EVENT}
};

static const ValueRule team_rules[] = {
	{"name", VALUE_LINE, LIMIT_OF_TYPE},
	{"created_at", VALUE_EVENT}
};

static const ValueRule tag_rules[] = {
	{"name", VALUE_LINE, LIMIT_OF_TYPE}
};

static const ValueRule attachment_rules[] = {
	{"filename", VALUE_LINE, LIMIT_OF_TYPE},
	{"content_type", VALUE_LINE, MAX_NAME_SIZE},
	{"created_at", VALUE_EVENT}
};

static const ValueRule hold_rules[] = {
	{"reason", VALUE_KEY, MAX_KEY_SIZE},
	{"placed_at", VALUE_EVENT}
};

static const ValueRule rule_rules[] = {
	{"name", VALUE_LINE, LIMIT_OF_TYPE},
	{"filters", VALUE_JSON, MAX_CONDITIONS_SIZE},
	{"action", VALUE_LINE, MAX_NAME_SIZE},
	{"created_at", VALUE_EVENT}
};

/* Tables whose columns no rule reads. */
static const DeskTable plain_tables[] = {
	{.name = "organizations", .hooks = HOOKS, .is_kept = true, .has_id = true, .rules = organization_rules, .nrules = lengthof(organization_rules)},
	{.name = "teams", .hooks = HOOKS, .has_id = true, .rules = team_rules, .nrules = lengthof(team_rules)},
	{.name = "team_members", .hooks = HOOKS, .is_kept = true},
	{.name = "access", .hooks = HOOKS, .is_internal = true, .is_kept = true},
	{.name = "attachments", .hooks = HOOKS, .ticket_column = "ticket_id", .has_id = true, .rules = attachment_rules, .nrules = lengthof(attachment_rules)},
	{.name = "tags", .hooks = HOOKS, .has_id = true, .rules = tag_rules, .nrules = lengthof(tag_rules)},
	{.name = "holds", .hooks = HOOKS, .has_id = true, .rules = hold_rules, .nrules = lengthof(hold_rules)},
	{.name = "ticket_rules", .hooks = HOOKS, .has_id = true, .rules = rule_rules, .nrules = lengthof(rule_rules)},
	{.name = "status_transitions", .hooks = HOOKS, .is_kept = true},
	{.name = "priorities", .hooks = HOOKS, .is_kept = true, .rules = name_rules, .nrules = lengthof(name_rules)}
};

/* Tables that the clocks write, and the log knows nothing of. */
static const DeskTable clock_tables[] = {
	{.name = "sla_clocks"},
	{.name = "sla_events"}
};

/* Tables that follow from others, kept by their triggers: the log knows nothing of them. */
static const DeskTable derived_tables[] = {
	{.name = "backlog"},
	{.name = "search_words"}
};

/* The table that the log keeps under this logical name, NULL if there is none. */
const DeskTable *
desk_table(const char *name)
{
	static const DeskTable *const ruled[] = {
		&tickets_table, &comments_table, &users_table, &ticket_tags_table, &ticket_watchers_table, &statuses_table,
		&calendars_table, &calendar_hours_table, &calendar_holidays_table, &sla_policies_table, &sla_targets_table, &settings_table, &log_table
	};

	for (int i = 0; i < lengthof(ruled); i++)
		if (strcmp(ruled[i]->name, name) == 0)
			return ruled[i];
	for (int i = 0; i < lengthof(plain_tables); i++)
		if (strcmp(plain_tables[i].name, name) == 0)
			return &plain_tables[i];
	return NULL;
}

/* The table of the clocks of this logical name, NULL if it is none. */
const DeskTable *
clock_table(const char *name)
{
	for (int i = 0; i < lengthof(clock_tables); i++)
		if (strcmp(clock_tables[i].name, name) == 0)
			return &clock_tables[i];
	return NULL;
}

/* The derived table of this logical name, NULL if it is none. */
const DeskTable *
derived_table(const char *name)
{
	for (int i = 0; i < lengthof(derived_tables); i++)
		if (strcmp(derived_tables[i].name, name) == 0)
			return &derived_tables[i];
	return NULL;
}

/* The schema that a table is made in. */
const char *
schema_of(const DeskTable *table)
{
	return table->is_internal ? "support_internal" : "support";
}
