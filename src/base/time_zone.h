/*
 * time_zone.h
 *		Time zones by their names.
 */
#ifndef SUPPORT_TIME_ZONE_H
#define SUPPORT_TIME_ZONE_H

#include "pgtime.h"

extern pg_tz *time_zone_named(const char *name);

#endif							/* SUPPORT_TIME_ZONE_H */
