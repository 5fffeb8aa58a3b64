/*
 * log_writer.h
 *		Appending to the audit log.
 */
#ifndef SUPPORT_LOG_WRITER_H
#define SUPPORT_LOG_WRITER_H

#include "utils/relcache.h"
#include "utils/timestamp.h"

/* What the caller knows of an entry; id, time, era, transaction, actor and role are the writer's. */
typedef struct LogEntry
{
	const char *action;
	const char *table_name;		/* NULL for an application's event */
	bool		has_record_id;
	int64		record_id;
	int64		ticket_id;		/* 0 for none */
	Datum		old_value;		/* jsonb, 0 for none */
	Datum		new_value;
} LogEntry;

/* Where an entry went. */
typedef struct WrittenEntry
{
	int64		id;
	TimestampTz occurred_at;
	int32		era;
	int64		xid;
} WrittenEntry;

/* setting: commits notify those who LISTEN support_feed */

extern void log_writer_init(void);
extern bool is_own_action(const char *action);
extern bool is_divided_by_time(Relation log);
extern WrittenEntry log_write(const LogEntry *entry);
extern void announce_entry(void);
extern int64 next_log_id(void);
extern int64 current_xid(void);
extern const char *asking_role(void);

#endif							/* SUPPORT_LOG_WRITER_H */
