/*
 * layout.h
 *		Which layout the desk has, and which one this code works on.
 */
#ifndef SUPPORT_LAYOUT_H
#define SUPPORT_LAYOUT_H

#include "base/compat.h"

/*
 * The layout of tables, views and triggers that this code works on. The layout that the extension's SQL makes has the
 * number that this line has when the script is composed; support_internal.schema_version says which one the desk has.
 */
#define LAYOUT_VERSION 1

extern void check_layout(void);
extern void announce_layout(void);
extern void layout_init(void);
pg_noreturn extern void refuse_layout(int version);

#endif							/* SUPPORT_LAYOUT_H */
