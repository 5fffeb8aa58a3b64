/*
 * calendar_check.h
 *		What the rows of calendars must keep to, on every road.
 */
#ifndef SUPPORT_CALENDAR_CHECK_H
#define SUPPORT_CALENDAR_CHECK_H

extern void calendar_check_init(void);

#endif							/* SUPPORT_CALENDAR_CHECK_H */
