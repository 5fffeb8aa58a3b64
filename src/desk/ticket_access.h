/*
 * ticket_access.h
 *		Getting at a ticket: that it is there, live, and at the version expected.
 */
#ifndef SUPPORT_TICKET_ACCESS_H
#define SUPPORT_TICKET_ACCESS_H

#include "fmgr.h"

#include "base/compat.h"

#define ANY_VERSION (-1)

extern int64 version_argument(FunctionCallInfo fcinfo, int n);
extern void check_ticket_is_there(int64 ticket_id);
extern void check_live_ticket(int64 ticket_id);
extern int64 lock_live_ticket(int64 ticket_id);
extern int64 lock_ticket_at_version(int64 ticket_id, int64 expected);
extern bool is_filtered(const char *table);
extern bool may_change(const char *table);
extern bool may_see_ticket(int64 ticket_id);
extern bool may_know_removed(const char *table, int64 ticket_id, int64 id);
extern bool is_removed_ticket(int64 ticket_id);
extern void check_ticket_is_seen(int64 ticket_id);
pg_noreturn extern void refuse_absent_ticket(int64 ticket_id);
extern int64 acting_user_or(FunctionCallInfo fcinfo, int n);

#endif							/* SUPPORT_TICKET_ACCESS_H */
