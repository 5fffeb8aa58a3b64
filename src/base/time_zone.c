/*
 * time_zone.c
 *		Time zones by their names.
 *
 * Whatever takes a zone takes one that pg_timezone_names lists, in whatever case. The server takes more: offsets, which
 * POSIX counts to the west, so that '+05:30' is a clock that is behind; abbreviations with one, 'EST5', for which it makes up
 * daylight saving time; and zones with leap seconds. None of these says where it is.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/time_zone.h"

/* Has the server a file of that name? It has many to look through. */
static bool
is_listed(const char *name)
{
	pg_tzenum  *zones = pg_tzenumerate_start();
	pg_tz	   *zone;
	bool		found = false;

	while (!found && (zone = pg_tzenumerate_next(zones)) != NULL)
		found = pg_strcasecmp(pg_get_timezone_name(zone), name) == 0;
	pg_tzenumerate_end(zones);
	return found;
}

/*
 * The zone of a name. Raises 22023 for one that is not listed. What is no file's name is read as a POSIX rule, which has
 * the number of an offset; few names have a number.
 */
pg_tz *
time_zone_named(const char *name)
{
	pg_tz	   *zone = name[0] == '\0' ? NULL : pg_tzset(name);

	if (zone == NULL || !pg_tz_acceptable(zone) || (strpbrk(name, "0123456789") != NULL && !is_listed(name)))
		refuse_time_zone(name);
	return zone;
}
