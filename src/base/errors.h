/*
 * errors.h
 *		The refusals that more than one file raises.
 */
#ifndef SUPPORT_ERRORS_H
#define SUPPORT_ERRORS_H

#include "base/compat.h"

#define ERRCODE_STALE_VERSION			MAKE_SQLSTATE('S', 'U', '0', '0', '1')
#define ERRCODE_FORBIDDEN_TRANSITION	MAKE_SQLSTATE('S', 'U', '0', '0', '2')
#define ERRCODE_CHANGED_SINCE			MAKE_SQLSTATE('S', 'U', '0', '0', '3')

extern int	err_constraint(const char *table, const char *constraint);
pg_noreturn extern void refuse_missing(const char *what, int64 id);
pg_noreturn extern void refuse_missing_comment(int64 ticket_id, int64 comment_id);
pg_noreturn extern void refuse_deleted_ticket(int64 ticket_id);
pg_noreturn extern void refuse_stale_version(int64 ticket_id, int64 version, int64 expected);
pg_noreturn extern void refuse_no_actor(void);
pg_noreturn extern void refuse_inactive_user(int64 user_id);
pg_noreturn extern void refuse_unknown_reference(const char *what, int64 id, const char *table, const char *constraint);
pg_noreturn extern void refuse_suppressed_row(void);
pg_noreturn extern void refuse_altered(const char *what, const char *problem);
pg_noreturn extern void refuse_altered_column(const char *relation, const char *column, const char *problem);
pg_noreturn extern void refuse_null_value(const char *table, const char *column);
pg_noreturn extern void refuse_infinite_time(const char *table, const char *column);
pg_noreturn extern void refuse_number(const char *what);
pg_noreturn extern void refuse_lone_call(void);
pg_noreturn extern void refuse_time_zone(const char *name);
pg_noreturn extern void refuse_taken_number(const char *number, int64 holder_id);
pg_noreturn extern void refuse_taken_external_id(const char *external_id, const char *detail, const char *table,
												 const char *constraint);

#endif							/* SUPPORT_ERRORS_H */
