/*
 * portal.h
 *		What customers do by functions.
 */
#ifndef SUPPORT_PORTAL_H
#define SUPPORT_PORTAL_H

#include "fmgr.h"

#include "base/compat.h"
#include "base/owner.h"

extern bool enter_as_customer(Caller *caller);
extern bool own_organization(int64 *organization_id);
extern void check_own_request(int64 ticket_id);
extern void check_own_comment(int64 ticket_id, int64 comment_id);
extern void check_left_open(FunctionCallInfo fcinfo, int n, const char *name);
extern void check_names_me(FunctionCallInfo fcinfo, int n, const char *name);
pg_noreturn extern void refuse_choice(const char *name);

#endif							/* SUPPORT_PORTAL_H */
