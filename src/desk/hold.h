/*
 * hold.h
 *		What must not be destroyed, since somebody holds it.
 */
#ifndef SUPPORT_HOLD_H
#define SUPPORT_HOLD_H

extern void check_ticket_not_held(int64 ticket_id);
extern void check_user_not_held(int64 user_id);

#endif							/* SUPPORT_HOLD_H */
