/*
 * event_times.h
 *		When what has happened to tickets and comments may have happened.
 */
#ifndef SUPPORT_EVENT_TIMES_H
#define SUPPORT_EVENT_TIMES_H

extern void event_times_init(void);

#endif							/* SUPPORT_EVENT_TIMES_H */
