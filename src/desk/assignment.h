/*
 * assignment.h
 *		Whom tickets can be assigned to.
 */
#ifndef SUPPORT_ASSIGNMENT_H
#define SUPPORT_ASSIGNMENT_H

extern void assignment_init(void);
extern void check_assignee(int64 user_id);

#endif							/* SUPPORT_ASSIGNMENT_H */
