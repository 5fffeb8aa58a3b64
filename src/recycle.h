/*
 * recycle.h
 *		Bringing removed rows back.
 */
#ifndef SUPPORT_RECYCLE_H
#define SUPPORT_RECYCLE_H

extern bool restore_removed_comment(int64 ticket_id, int64 comment_id);

#endif							/* SUPPORT_RECYCLE_H */
