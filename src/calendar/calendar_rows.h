/*
 * calendar_rows.h
 *		Hours and holidays as people give them, and the rows that they make.
 */
#ifndef SUPPORT_CALENDAR_ROWS_H
#define SUPPORT_CALENDAR_ROWS_H

#include "utils/jsonb.h"

#define HOURS_HINT "Hours look like {\"mon-fri\": [\"09:00-12:00\", \"13:00-17:00\"], \"sat\": \"10:00-14:00\"}."

extern void write_hours(int64 calendar_id, Jsonb *hours);
extern void write_holidays(int64 calendar_id, Jsonb *holidays);

#endif							/* SUPPORT_CALENDAR_ROWS_H */
