/*
 * sight.h
 *		What the acting user may see.
 */
#ifndef SUPPORT_SIGHT_H
#define SUPPORT_SIGHT_H

extern void sight_init(void);
extern int64 my_active_id(void);
extern int64 my_shared_organization(void);

#endif							/* SUPPORT_SIGHT_H */
