/*
 * working_days.c
 *		Work that is counted in days.
 *
 * A working day is a date, from midnight to midnight by the clock of the calendar's zone, on which the desk is open at
 * all, however long. It is used up evenly over its working time: who begins when a quarter of Monday's is over is done
 * with a day's work when a quarter of Tuesday's is. Who begins outside the hours begins with the next working day, and
 * who begins with a day ends with one: at the closing, as with hours.
 */
#include "postgres.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/floor_div.h"
#include "calendar/working_days.h"

/* A date, and how much is worked on it. */
typedef struct WorkingDay
{
	DateADT		day;
	TimestampTz begins;
	int64		total;
} WorkingDay;

/* What the clock of a zone shows at an instant, as microseconds since the epoch. */
static int64
clock_at(pg_tz *zone, TimestampTz at)
{
	/* down to the second, also before the epoch */
	pg_time_t	seconds = timestamptz_to_time_t(floor_div(at, USECS_PER_SEC) * USECS_PER_SEC);

	return at + pg_localtime(&seconds, zone)->tm_gmtoff * USECS_PER_SEC;
}

/* The instant at which a date begins. Where the clock is put back over midnight and shows it twice, that is the first. */
static TimestampTz
day_begins(pg_tz *zone, DateADT day)
{
	int64		midnight = day * USECS_PER_DAY;
	struct pg_tm date = {0};
	TimestampTz at;
	int64		ahead;

	j2date(day + POSTGRES_EPOCH_JDATE, &date.tm_year, &date.tm_mon, &date.tm_mday);
	at = midnight + DetermineTimeZoneOffset(&date, zone) * USECS_PER_SEC;
	ahead = clock_at(zone, at - 1) + 1 - midnight;
	if (ahead > 0)
		at -= ahead;
	return Min(Max(at, first_calendar_instant()), last_calendar_instant());
}

/* A date as a working day; it has no working time if it is none. */
static WorkingDay
working_day(WorkingTime *time, DateADT day)
{
	pg_tz	   *zone = working_zone(time);
	TimestampTz begins = day_begins(zone, day);

	return (WorkingDay) {
		day, begins, working_time_between(time, begins, day_begins(zone, day + 1))
	};
}

/* The working day of the first working time from an instant on; false if there is none. */
static bool
next_working_day(WorkingTime *time, TimestampTz at, WorkingDay *day)
{
	TimestampTz opens;

	if (!next_working_time(time, at, &opens))
		return false;
	*day = working_day(time, (DateADT) floor_div(clock_at(working_zone(time), opens), USECS_PER_DAY));
	return true;
}

/*
 * part / total of a whole, rounded up; part is less than total, and all are times of a date or two. The product has more
 * than 64 bits, so it is worked out in two halves.
 */
static int64
share_of(int64 whole, int64 part, int64 total)
{
	const int	shift = 20;
	int64		high = part * (whole >> shift);
	int64		low = ((high % total) << shift) + part * (whole & ((INT64CONST(1) << shift) - 1));

	return ((high / total) << shift) + (low + total - 1) / total;
}

/* The earliest instant at which so many days have been worked; false if that is after the last year. */
bool
add_working_days(WorkingTime *time, TimestampTz at, int32 days, TimestampTz *due)
{
	WorkingDay	first,
				last;
	int64		worked;

	*due = at;
	if (days == 0)
		return true;
	if (!next_working_day(time, at, &first))
		return false;
	worked = working_time_between(time, first.begins, at);
	worked = Max(worked, 0);
	last = first;
	/* who begins with a day ends with one */
	for (int i = worked == 0 ? 1 : 0; i < days; i++)
		if (!next_working_day(time, day_begins(working_zone(time), last.day + 1), &last))
			return false;
	return add_working_time(time, last.begins,
							worked == 0 ? last.total : share_of(last.total, worked, first.total), due);
}
