/*
 * calendar_check.h
 *		What the rows of calendars must keep to, on every road.
 */
#ifndef SUPPORT_CALENDAR_CHECK_H
#define SUPPORT_CALENDAR_CHECK_H

#include "base/row.h"

extern const DeskTable calendars_table;
extern const DeskTable calendar_hours_table;
extern const DeskTable calendar_holidays_table;

extern bool is_calendar_table(const DeskTable *table);
extern const char *weekday_name(int weekday);
extern void check_calendar_row(const DeskTable *table, const Row *row);
extern void check_calendar_overlaps(const DeskTable *table, const Row *row);

#endif							/* SUPPORT_CALENDAR_CHECK_H */
