/*
 * undo_record.h
 *		The record that an entry of the log is about.
 */
#ifndef SUPPORT_UNDO_RECORD_H
#define SUPPORT_UNDO_RECORD_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/plan.h"
#include "base/row.h"
#include "log/log_columns.h"

/* An entry of the log that is to be undone. */
typedef struct UndoEntry
{
	int64		id;
	TimestampTz occurred_at;
	int32		era;
	int64		xid;
	char	   *action;
	char	   *table_name;		/* NULL for an application's event */
	bool		has_record_id;
	int64		record_id;
	int64		ticket_id;
	Jsonb	   *old_value;		/* NULL for none */
	Jsonb	   *new_value;
	bool		is_last;		/* of its record, surely, in what the query that called us sees of the log */
} UndoEntry;

/* Who made a change, in which entry, when. */
#define WHO_COLUMNS \
	"a.id, a.occurred_at," \
	" coalesce(u.full_name::text, support_internal.name_in_log('users', a.actor_id, a.id), a.db_role, 'somebody')," \
	" a.action"

/* An entry of another transaction than the one that the parameters name. */
#define OF_OTHERS(era, xid) "(a.era = " era " AND a.xid = " xid ") IS NOT TRUE"

/* The record of an entry, its table opened, and a statement on it under construction. */
typedef struct UndoRecord
{
	const UndoEntry *entry;
	const DeskTable *table;
	Relation	rel;
	const TableShape *shape;
	Jsonb	   *key;			/* of the record as the entry left it; NULL in a table with ids */
	Jsonb	   *old_value;		/* the images of an UPDATE, with the names of today */
	Jsonb	   *new_value;
	StringInfoData text;
	int			nparams;
	Oid		   *types;
	Datum	   *values;
	char	   *nulls;
} UndoRecord;

extern UndoEntry entry_of(const LogRow *row);
extern bool entry_has_action(const UndoEntry *entry, const char *action);
extern char *record_name(const UndoEntry *entry);
pg_noreturn extern void refuse_changed(const UndoEntry *entry, const char *what, bool known);
pg_noreturn extern void refuse_changed_record(const UndoRecord *record, const char *column);
extern bool find_last_change(const UndoRecord *record, const char *column, bool ours_too);
extern bool find_change_by_others(const UndoRecord *record, Datum columns, int64 actor_id);

extern void open_undo_record(UndoRecord *record, const UndoEntry *entry);
extern void close_undo_record(UndoRecord *record);
extern void begin_statement(UndoRecord *record, const char *start);
extern void add_param(UndoRecord *record, int attribute, const char *word, Datum value, bool isnull);
extern void add_condition(UndoRecord *record);
extern bool lock_record(UndoRecord *record, Row *row);
extern bool read_record(UndoRecord *record, Row *row);
extern bool is_written_since(UndoRecord *record);
extern void run_restoring(UndoRecord *record);
extern int64 entry_that_undid(const UndoEntry *entry);

#endif							/* SUPPORT_UNDO_RECORD_H */
