/*
 * working_time.h
 *		The working time between instants.
 */
#ifndef SUPPORT_WORKING_TIME_H
#define SUPPORT_WORKING_TIME_H

#include "datatype/timestamp.h"

#include "calendar/opening_hours.h"

typedef struct WorkingTime WorkingTime;

extern WorkingTime *new_working_time(const OpeningHours *hours);
extern pg_tz *working_zone(const WorkingTime *time);
extern TimestampTz first_calendar_instant(void);
extern TimestampTz last_calendar_instant(void);
extern bool in_calendar_range(TimestampTz at);
extern int64 working_time_between(WorkingTime *time, TimestampTz from_at, TimestampTz to_at);
extern bool add_working_time(WorkingTime *time, TimestampTz at, int64 work, TimestampTz *due);
extern bool is_working_time(WorkingTime *time, TimestampTz at);
extern bool working_time_until(WorkingTime *time, TimestampTz at, TimestampTz limit, TimestampTz *until);
extern bool next_working_time(WorkingTime *time, TimestampTz at, TimestampTz *next);
extern bool next_closing_time(WorkingTime *time, TimestampTz at, TimestampTz *next);

#endif							/* SUPPORT_WORKING_TIME_H */
