/*
 * tables.h
 *		The desk's tables, and the columns of theirs that rules read or keep.
 */
#ifndef SUPPORT_TABLES_H
#define SUPPORT_TABLES_H

#include "base/row.h"

/* Of support.tickets. */
enum
{
	TICKET_ID,
	TICKET_NUMBER,
	TICKET_STATUS,
	TICKET_PRIORITY,
	TICKET_CREATOR_ID,
	TICKET_CREATED_AT,
	TICKET_DELETED_AT,
	TICKET_REQUESTER_ID,
	TICKET_TEAM_ID,
	TICKET_ASSIGNEE_ID,
	TICKET_PENDING_UNTIL,
	TICKET_UPDATED_AT,
	TICKET_VERSION,
	TICKET_FIRST_SOLVED_AT,
	TICKET_SOLVED_AT,
	TICKET_REOPEN_COUNT,
	TICKET_WAITING_SINCE,
	TICKET_LAST_CUSTOMER_AT,
	TICKET_LAST_AGENT_AT,
	TICKET_DELETED_BY,
	TICKET_DELETE_REASON,
	TICKET_TITLE,
	TICKET_DESCRIPTION,
	TICKET_FIRST_REPLIED_AT,
	TICKET_REPLY_COUNT,
	TICKET_ORGANIZATION_ID,
	TICKET_CHANNEL,
	TICKET_CUSTOM,
	TICKET_CREATOR_ROLE,
	TICKET_CUSTOMER_ID
};

/* Of support.comments. */
enum
{
	COMMENT_TICKET_ID,
	COMMENT_ID,
	COMMENT_AUTHOR_ID,
	COMMENT_CONTENT,
	COMMENT_IS_PRIVATE,
	COMMENT_CREATED_AT,
	COMMENT_AUTHOR_ROLE,
	COMMENT_VIA,
	COMMENT_EDITED_AT,
	COMMENT_DELETED_AT
};

/* Of support.users. */
enum
{
	USER_ID,
	USER_IS_ACTIVE,
	USER_ROLE,
	USER_DB_ROLE,
	USER_TIME_ZONE,
	USER_UPDATED_AT,
	USER_SEES_ALL
};

/* Of support.ticket_tags. */
enum
{
	TAG_TICKET_ID,
	TAG_TAG_ID
};

/* Of support.ticket_watchers. */
enum
{
	WATCHER_KIND
};

/* Of support.statuses. */
enum
{
	STATUS_NAME,
	STATUS_CATEGORY
};

/* Of support.calendars. */
enum
{
	CALENDAR_TIME_ZONE
};

/* Of support.calendar_hours and calendar_holidays; the last ones differ. */
enum
{
	SPAN_ID,
	SPAN_CALENDAR_ID,
	SPAN_OPENS,
	SPAN_CLOSES,
	SPAN_WEEKDAY,
	SPAN_VALID_FROM,
	SPAN_DAY = SPAN_WEEKDAY,
	SPAN_LAST_DAY,
	SPAN_IS_YEARLY,
	SPAN_IS_OPEN
};

/* Of support.sla_policies. */
enum
{
	POLICY_ID,
	POLICY_NAME,
	POLICY_POSITION,
	POLICY_IS_ACTIVE,
	POLICY_CONDITIONS
};

/* Of support.sla_targets. */
enum
{
	TARGET_ID,
	TARGET_POLICY_ID,
	TARGET_METRIC,
	TARGET_PRIORITY,
	TARGET_TARGET,
	TARGET_CALENDAR_ID,
	TARGET_PAUSE_CATEGORIES,
	TARGET_WARN_PERCENTS
};

/* Of support_internal.settings. */
enum
{
	SETTING_NAME,
	SETTING_VALUE
};

/* Of support.audit_log: what its guard stamps. */
enum
{
	ENTRY_ID,
	ENTRY_ERA,
	ENTRY_XID,
	ENTRY_ACTOR_ID,
	ENTRY_OCCURRED_AT,
	ENTRY_DB_ROLE,
	ENTRY_TICKET_ID,
	ENTRY_ACTION,
	ENTRY_TABLE_NAME,
	ENTRY_OLD_VALUE,
	ENTRY_NEW_VALUE
};

#define MAX_REASON_SIZE (64 * 1024) /* why something was done, in bytes */

extern const DeskTable tickets_table;
extern const DeskTable comments_table;
extern const DeskTable users_table;
extern const DeskTable ticket_tags_table;
extern const DeskTable ticket_watchers_table;
extern const DeskTable statuses_table;
extern const DeskTable calendars_table;
extern const DeskTable calendar_hours_table;
extern const DeskTable calendar_holidays_table;
extern const DeskTable sla_policies_table;
extern const DeskTable sla_targets_table;
extern const DeskTable settings_table;
extern const DeskTable log_table;

extern const DeskTable *desk_table(const char *name);
extern const DeskTable *clock_table(const char *name);
extern const DeskTable *derived_table(const char *name);
extern const char *schema_of(const DeskTable *table);

#endif							/* SUPPORT_TABLES_H */
