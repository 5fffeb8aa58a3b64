/*
 * upkeep.h
 *		What those share who keep the log: maintain.c, retention.c and attach_month.c; of it, install.c needs the guard.
 */
#ifndef SUPPORT_UPKEEP_H
#define SUPPORT_UPKEEP_H

#include "fmgr.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "storage/lockdefs.h"

#include "base/desk_settings.h"
#include "base/owner.h"
#include "log/log_partitions.h"

/* A month that gets a partition. */
typedef struct Month
{
	TimestampTz from;
	TimestampTz upto;
	const char *table;			/* with its schema, quoted */
	int64		entries;		/* of it that lie in the default partition */
} Month;

/* Rows of a partition by where they lie, in that order. */
typedef struct RowList
{
	uint64		n;
	ItemPointerData *tids;
} RowList;

/* One run. What there is to do is found before anything is locked, and once more when it is. */
typedef struct Upkeep
{
	ReturnSetInfo *rsinfo;
	bool		dry_run;
	bool		may_retire;		/* partitions may be taken off: the log is, or may come to be, ours alone */
	Oid			log;
	RetentionAction action;		/* with what is older than the retention */
	TimestampTz now;
	TimestampTz keep_from;		/* the first instant that is not */
	Partitions	partitions;
	List	   *months;			/* Month: to be made */
	List	   *retirees;		/* Partition: to be taken away */
	List	   *passing;		/* Month, of months: to be taken away as soon as it is made */
	List	   *unguarded;		/* Partition, of any level: that may be truncated */
	List	   *notes;			/* lines about what stays as it is */
	Caller		caller;
	int			nestlevel;		/* of settings */
} Upkeep;

extern void begin_upkeep(Upkeep *upkeep, FunctionCallInfo fcinfo, const char *what);
extern void end_upkeep(Upkeep *upkeep);
extern void report(Upkeep *upkeep, const char *format,...) pg_attribute_printf(2, 3);
extern void note(Upkeep *upkeep, const char *format,...) pg_attribute_printf(2, 3);
extern const char *told_entries(int64 entries);
extern void carry_out(const char *statement);
extern uint64 look(const char *query);
extern RowList list_rows(const char *query);
extern bool is_listed(const RowList *list, ItemPointer tid);
extern char *time_text(TimestampTz at);
extern char *time_literal(TimestampTz at);
extern bool lock_log(Upkeep *upkeep, LOCKMODE mode, const List *partitions);
extern bool is_guarded(Oid partition);
extern List *unguarded_partitions(Oid log);
extern void guard_partition(const char *name);
extern void guard_log(void);
extern void log_upkeep(const char *name, TimestampTz from, TimestampTz upto, const char *what);

/* maintain.c */
extern Oid	relid_of_month(const Month *month);

/* retention.c */
extern bool is_expired(const Upkeep *upkeep, const Month *month);
extern int64 entries_to_go(const Upkeep *upkeep, const Month *month);
extern void find_retirees(Upkeep *upkeep);
extern void tell_retirements(Upkeep *upkeep);
extern void retire_partitions(Upkeep *upkeep);

#endif							/* SUPPORT_UPKEEP_H */
