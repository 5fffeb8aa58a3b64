/*
 * reply.h
 *		What a comment does to its ticket.
 */
#ifndef SUPPORT_REPLY_H
#define SUPPORT_REPLY_H

extern void reply_init(void);
extern void recount_replies(int64 ticket_id);

#endif							/* SUPPORT_REPLY_H */
