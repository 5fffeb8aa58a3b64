/*
 * install_repair.h
 *		Putting back what a table of the desk has lost.
 */
#ifndef SUPPORT_INSTALL_REPAIR_H
#define SUPPORT_INSTALL_REPAIR_H

#include "nodes/pg_list.h"

extern void mend_tables(const char *layout, List *statements);
extern void mend_foreign_keys(const char *layout, List *statements);
extern void tell_of_disabled_triggers(void);

#endif							/* SUPPORT_INSTALL_REPAIR_H */
