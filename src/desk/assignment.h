/*
 * assignment.h
 *		Whom tickets can be assigned to.
 */
#ifndef SUPPORT_ASSIGNMENT_H
#define SUPPORT_ASSIGNMENT_H

extern void assignment_init(void);
extern bool takes_tickets(const char *role);
extern void check_assignee(int64 user_id);
extern bool can_have_tickets(int64 user_id);
extern void release_from_gone(int64 ticket_id);

#endif							/* SUPPORT_ASSIGNMENT_H */
