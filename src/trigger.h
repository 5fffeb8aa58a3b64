/*
 * trigger.h
 *		What the functions tell the triggers.
 */
#ifndef SUPPORT_TRIGGER_H
#define SUPPORT_TRIGGER_H

#include "row.h"

/*
 * A removed row that comes back at the moment: it comes as it was, with no rules applied and no books kept. Rows that an
 * application's own triggers insert meanwhile are not meant.
 */
typedef struct RestoredRow
{
	const DeskTable *table;		/* NULL for none */
	int64		id;				/* 0 in a table without one */
} RestoredRow;

extern RestoredRow restored_row;

/* Set while install() fills the lookup tables: that is not logged. */
extern bool seeding;

extern const DeskTable *desk_table(const char *name);

#endif							/* SUPPORT_TRIGGER_H */
