/*
 * sla_path.h
 *		What a ticket went through.
 */
#ifndef SUPPORT_SLA_PATH_H
#define SUPPORT_SLA_PATH_H

#include "sla/sla.h"

/* Where a ticket came to at an instant. */
typedef struct Station
{
	TimestampTz at;
	Category	category;
	bool		is_deleted;
} Station;

/* The stations of a ticket. */
typedef struct Path
{
	int			n;
	const Station *stations;	/* in the order of time; the first one holds from ever before */
} Path;

extern Path read_path(int64 ticket_id, Category now);
extern bool counts_at(const Promise *promise, const Station *station);
extern int64 consumed_on_path(const Promise *promise, const Path *path, TimestampTz from_at, TimestampTz to_at);

#endif							/* SUPPORT_SLA_PATH_H */
