/*
 * due_text.c
 *		How long until a deadline, or since, as people read it: 2h 10m, or late 3h.
 *
 * Whatever shows a deadline to people says it in these words. What is left is rounded down, so that nobody is promised
 * more than there is; so is what somebody is late by.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/actor.h"
#include "base/due_text.h"

#define DAYS_ALONE 10

/* So many of a unit and, if there are any, of the smaller unit that are left. */
static char *
two_units(int64 units, char name, int64 smaller_units, char smaller_name)
{
	return smaller_units == 0 || (name == 'd' && units >= DAYS_ALONE) ? psprintf("%lld%c", (long long) units, name) :
		psprintf("%lld%c %lld%c", (long long) units, name, (long long) smaller_units, smaller_name);
}

/* The time from one instant to a later one, in whole minutes, from a day on in whole hours, from ten on in whole days. */
char *
span_text(TimestampTz from_at, TimestampTz to_at)
{
	/* between the ends of time there is more than an int64 holds */
	int64		minutes = ((uint64) to_at - (uint64) from_at) / USECS_PER_MINUTE;

	if (minutes < MINS_PER_HOUR)
		return psprintf("%lldm", (long long) minutes);
	if (minutes < MINS_PER_HOUR * HOURS_PER_DAY)
		return two_units(minutes / MINS_PER_HOUR, 'h', minutes % MINS_PER_HOUR, 'm');
	return two_units(minutes / (MINS_PER_HOUR * HOURS_PER_DAY), 'd', minutes / MINS_PER_HOUR % HOURS_PER_DAY, 'h');
}

/* What is left until a deadline, or how late it is. The instant itself is in time. */
char *
due_text(TimestampTz due_at)
{
	TimestampTz now = desk_now();

	return due_at >= now ? span_text(now, due_at) : psprintf("late %s", span_text(due_at, now));
}

/* due_text(due_at) -> 2h 10m, or late 3h; NULL for an instant that never comes */
PG_FUNCTION_INFO_V1(support_due_text);
Datum
support_due_text(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(0)))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(due_text(PG_GETARG_TIMESTAMPTZ(0))));
}
