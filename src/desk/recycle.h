/*
 * recycle.h
 *		Bringing removed rows back, and destroying tickets.
 */
#ifndef SUPPORT_RECYCLE_H
#define SUPPORT_RECYCLE_H

#include "utils/jsonb.h"

extern void restore_image(const char *table_name, Jsonb *image);
extern void restore_ticket_row(int64 ticket_id, Jsonb *image);
extern int64 restore_removed_ticket(int64 ticket_id);
extern bool restore_removed_comment(int64 ticket_id, int64 comment_id);
extern void purge_tickets(const int64 *ticket_ids, int n);

#endif							/* SUPPORT_RECYCLE_H */
