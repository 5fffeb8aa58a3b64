/*
 * audit.h
 *		What the audit log keeps of a change.
 */
#ifndef SUPPORT_AUDIT_H
#define SUPPORT_AUDIT_H

#include "row.h"

extern void audit_insert(const Row *row);
extern void audit_update(const Row *old, const Row *new);
extern void audit_delete(const Row *row);

/* The ticket that purge_deleted() destroys at the moment, 0 for none: its rows are not kept, only that they went. */
extern int64 purged_ticket;

#endif							/* SUPPORT_AUDIT_H */
