/*
 * calendar.h
 *		Calendars, as the session keeps them.
 */
#ifndef SUPPORT_CALENDAR_H
#define SUPPORT_CALENDAR_H

#include "calendar/working_time.h"

extern void calendar_init(void);
extern pg_tz *calendar_zone(int64 calendar_id, const char *name);
extern Holiday result_holiday(uint64 row, Span span);
extern DateADT result_valid_from(uint64 row, int column);
extern WorkingTime *calendar_time(int64 calendar_id);

#endif							/* SUPPORT_CALENDAR_H */
