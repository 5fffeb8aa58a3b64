/*
 * number_text.c
 *		Numbers as people read them.
 *
 * Every text is ASCII. What is no number is a hyphen.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"

#include "dashboard/number_text.h"

#define MINUTE 60.0
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* A count with its thousands set apart: 1,234,567. */
char *
count_text(double count)
{
	StringInfoData out;
	char	   *digits;
	int			length;

	if (!isfinite(count))
		return pstrdup("-");
	digits = psprintf("%.0f", fabs(rint(count)));
	length = strlen(digits);
	initStringInfo(&out);
	if (rint(count) < 0)
		appendStringInfoChar(&out, '-');
	for (int i = 0; i < length; i++)
	{
		if (i > 0 && (length - i) % 3 == 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, digits[i]);
	}
	return out.data;
}

/* A whole number of units and, if there are any, of the smaller units that are left: 3h 20m. */
static char *
two_units(double seconds, double unit, const char *name, double smaller, const char *smaller_name)
{
	double		smaller_units = rint(seconds / smaller);
	double		per_unit = unit / smaller;
	double		units = floor(smaller_units / per_unit);
	double		rest = smaller_units - units * per_unit;

	return rest == 0 ? psprintf("%s%s", count_text(units), name) :
		psprintf("%s%s %.0f%s", count_text(units), name, rest, smaller_name);
}

/* The unit to tell a duration of at least a minute in. */
static bool
is_days(double seconds)
{
	return rint(seconds / MINUTE) >= DAY / MINUTE;
}

/* A duration in the two units that say enough of it, rounded to the smaller one. */
char *
duration_text(double seconds)
{
	if (!isfinite(seconds))
		return pstrdup("-");
	if (seconds < 0)
		return psprintf("-%s", duration_text(-seconds));
	if (rint(seconds) < MINUTE)
		return psprintf("%.0fs", rint(seconds));
	if (rint(seconds / MINUTE) < HOUR / MINUTE)
		return psprintf("%.0fm", rint(seconds / MINUTE));
	if (is_days(seconds))
		return two_units(seconds, DAY, "d", HOUR, "h");
	return two_units(seconds, HOUR, "h", MINUTE, "m");
}

/* The same in at most seven characters, up to 27 years: without the smaller unit if there are ten of the greater. */
char *
brief_duration_text(double seconds)
{
	double		unit = is_days(seconds) ? DAY : HOUR;

	if (!isfinite(seconds) || floor(seconds / unit) < 10)
		return duration_text(seconds);
	return psprintf("%s%s", count_text(floor(seconds / unit)), unit == DAY ? "d" : "h");
}
