/*
 * hooks.h
 *		What rooms do when rows of the desk's tables change.
 */
#ifndef SUPPORT_HOOKS_H
#define SUPPORT_HOOKS_H

#include "base/row.h"

#define NO_PAST (-1)

/* A row comes, changes or goes. */
typedef struct RowChange
{
	const DeskTable *table;
	const Row  *old;			/* NULL where the row comes */
	Row		   *new;			/* NULL where it goes */
	bool	   *differs;		/* by attribute, from 0, of an UPDATE: has it another value? Of what the log keeps */
	uint64		columns;		/* the same by the table's columns, a bit each; all where the row comes or goes */
	bool		restoring;		/* it becomes what it was: no rules are applied, and no books kept */
	bool		superseded;		/* a trigger has changed the row again since */
	bool		removed_again;	/* or removed it */
	int64		past_before;	/* a ticket that comes: the log has its past before this version, or NO_PAST */
} RowChange;

/* Of one table. A hook that is NULL is none. */
typedef struct RowHooks
{
	const DeskTable *table;

	/* before the row is written, by INSERT or UPDATE: refuses it, and sets columns of the new one */
	void		(*complete) (RowChange *change);

	/* the row is written: refuses it for what it is beside others */
	void		(*check) (const RowChange *change);

	/* the log has not got the change yet, and is read for it */
	void		(*count) (const RowChange *change);

	/* the log has got the change */
	void		(*follow) (const RowChange *change);

	struct RowHooks *next;		/* of the same table */
} RowHooks;

extern void add_row_hooks(RowHooks *added, int n);
extern void complete_row(RowChange *change);
extern void check_change(const RowChange *change);
extern void count_change(const RowChange *change);
extern void follow_change(const RowChange *change);
extern void find_differences(RowChange *change);
extern void forget_difference(RowChange *change, int attribute);
extern void take_over(RowChange *change, int column);

/* Does a change of a row give the column, by its number in the table's list, another value? A row that comes or goes does. */
static inline bool
changes(const RowChange *change, int column)
{
	return (change->columns & (UINT64CONST(1) << column)) != 0;
}

#endif							/* SUPPORT_HOOKS_H */
