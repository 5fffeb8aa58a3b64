/*
 * trigger.h
 *		What the functions tell the triggers.
 */
#ifndef SUPPORT_TRIGGER_H
#define SUPPORT_TRIGGER_H

#include "row.h"

/* Set while removed rows come back: they come as they were, with no rules applied and no books kept. */
extern bool restoring;

/* Set while install() fills the lookup tables: that is not logged. */
extern bool seeding;

/* Set while purge_deleted() takes images out of the log. */
extern bool erasing;

extern const DeskTable *desk_table(const char *name);

#endif							/* SUPPORT_TRIGGER_H */
