/*
 * working_days.h
 *		Work that is counted in days.
 */
#ifndef SUPPORT_WORKING_DAYS_H
#define SUPPORT_WORKING_DAYS_H

#include "calendar/working_time.h"

#define MOST_WORKING_DAYS 10000

extern bool add_working_days(WorkingTime *time, TimestampTz at, int32 days, TimestampTz *due);

#endif							/* SUPPORT_WORKING_DAYS_H */
