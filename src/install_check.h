/*
 * install_check.h
 *		Whose the desk's schemas are, and all that has the names of its parts.
 */
#ifndef SUPPORT_INSTALL_CHECK_H
#define SUPPORT_INSTALL_CHECK_H

#include "nodes/pg_list.h"

#define ARCHIVE_SCHEMA "support_archive"

extern bool desk_is_there(void);
extern void check_schema(const char *schema, Oid owner);
extern Oid	check_ground(List *statements, bool may_change);

#endif							/* SUPPORT_INSTALL_CHECK_H */
