/*
 * calendar_version.h
 *		Calendars as they were when somebody relied on them.
 */
#ifndef SUPPORT_CALENDAR_VERSION_H
#define SUPPORT_CALENDAR_VERSION_H

#include "calendar/working_time.h"

#define PRESENT_VERSION 0		/* what the calendar's rows say now */

extern void calendar_version_init(void);
extern int32 write_calendar_version(int64 calendar_id);
extern WorkingTime *calendar_version_time(int64 calendar_id, int32 version);

#endif							/* SUPPORT_CALENDAR_VERSION_H */
