/*
 * opening_hours.h
 *		When a calendar's week, holidays and one-off openings say that the desk is open.
 */
#ifndef SUPPORT_OPENING_HOURS_H
#define SUPPORT_OPENING_HOURS_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

#define WEEKDAYS 7

/* Calendars reach from the beginning of one to the end of the other. */
#define FIRST_YEAR 1
#define LAST_YEAR 9999

/* By the clock on the wall: microseconds since a midnight. */
typedef struct Span
{
	int64		opens;
	int64		closes;
} Span;

typedef struct SpanList
{
	int			n;
	int			room;
	Span	   *spans;
} SpanList;

/* What is different on one date: closed, or open besides the week's hours. */
typedef struct DayChange
{
	DateADT		day;
	bool		is_open;
	Span		span;			/* within the day */
} DayChange;

typedef struct OpeningHours
{
	pg_tz	   *zone;
	SpanList	week[WEEKDAYS]; /* from Monday; within the day, ascending, apart */
	int			nchanges;
	int			changes_room;
	DayChange  *changes;		/* by day, closings first */
} OpeningHours;

extern int64 clock_time(const Interval *interval);
extern Datum time_span(int64 microseconds);
extern void check_weekly_hours(const char *relation, int64 weekday, Span span);
extern void check_holiday(const char *relation, DateADT day, Span span);
extern void add_weekly_hours(OpeningHours *hours, const char *relation, int weekday, Span span);
extern void add_holiday(OpeningHours *hours, const char *relation, DateADT day, bool is_open, Span span);
extern void settle_hours(OpeningHours *hours);
extern void add_span(SpanList *list, int64 opens, int64 closes);
extern void spans_of_day(const OpeningHours *hours, DateADT day, SpanList *open);

#endif							/* SUPPORT_OPENING_HOURS_H */
