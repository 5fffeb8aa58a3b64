/*
 * audit.h
 *		What the audit log keeps of a change.
 */
#ifndef SUPPORT_AUDIT_H
#define SUPPORT_AUDIT_H

#include "base/hooks.h"

/* Columns that the desk keeps by itself: they follow from other changes. */
#define KEPT_COLUMNS \
	"version,updated_at,first_replied_at,first_solved_at,solved_at,reopen_count,reply_count,waiting_since," \
	"last_customer_at,last_agent_at,creator_role,author_role,edited_at"

extern bool is_kept_column(const char *name);
extern void audit_check(const RowChange *change);
extern void audit_insert(const Row *row);
extern void audit_update(const RowChange *change);
extern void audit_delete(const Row *row);
extern bool takes_over_id(const Row *ticket, Row *before);

#endif							/* SUPPORT_AUDIT_H */
