/*
 * policies.h
 *		What each kind of access may see and change: rights and row security.
 */
#ifndef SUPPORT_POLICIES_H
#define SUPPORT_POLICIES_H

#include "base/access_list.h"

extern bool needs_row_security(AccessKind kind);
extern void give_rights(const char *role, AccessKind kind);
extern void take_rights(const char *role);
extern void write_policies(void);
extern const char *rows_of_access(AccessKind kind, const char *privilege, const char *relation);

#endif							/* SUPPORT_POLICIES_H */
