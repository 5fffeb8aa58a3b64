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

/* The hours of a week, from a date on until those of a later one hold. */
typedef struct WeekHours
{
	DateADT		valid_from;		/* or ALWAYS */
	SpanList	own[WEEKDAYS];	/* from Monday: of spans that begin on the day, until midnight */
	SpanList	rest[WEEKDAYS]; /* of spans that began on the day before, from midnight on */
	SpanList	usual[WEEKDAYS];	/* both; ascending, apart */
} WeekHours;

#define ALWAYS DATEVAL_NOBEGIN

/* What is different on a date, or on each of some: closed, or open besides the week's hours. */
typedef struct Holiday
{
	DateADT		day;
	DateADT		last_day;		/* the same for a single one */
	bool		is_yearly;		/* every year from that day on, by month and day */
	bool		is_open;
	Span		span;			/* of each of the days; it may go on after midnight */
} Holiday;

typedef struct HolidayList
{
	int			n;
	int			room;
	Holiday    *holidays;
} HolidayList;

typedef struct OpeningHours
{
	pg_tz	   *zone;
	int			nweeks;
	WeekHours  *weeks;			/* by the date that they hold from */
	HolidayList single;			/* by day */
	HolidayList spread;			/* over several days, or years */
} OpeningHours;

extern int64 clock_time(const Interval *interval);
extern Datum time_span(int64 microseconds);
extern void check_weekly_hours(const char *relation, int64 weekday, Span span);
extern bool is_yearly_span(DateADT day, DateADT last_day);
extern void check_holiday(const char *relation, const Holiday *holiday);
extern void add_weekly_hours(OpeningHours *hours, const char *relation, DateADT valid_from, int weekday, Span span);
extern void add_holiday(OpeningHours *hours, const char *relation, const Holiday *holiday);
extern bool never_opens(const OpeningHours *hours);
extern void settle_hours(OpeningHours *hours);
extern void add_span(SpanList *list, int64 opens, int64 closes);
extern void spans_of_day(const OpeningHours *hours, DateADT day, SpanList *open);

#endif							/* SUPPORT_OPENING_HOURS_H */
