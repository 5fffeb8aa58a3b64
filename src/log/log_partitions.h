/*
 * log_partitions.h
 *		The partitions of the log, and the months that they hold.
 */
#ifndef SUPPORT_LOG_PARTITIONS_H
#define SUPPORT_LOG_PARTITIONS_H

#include "utils/timestamp.h"

/* A partition with the range of times that it holds. The default one has no end on either side. */
typedef struct Partition
{
	Oid			relid;
	bool		is_default;
	TimestampTz from;
	TimestampTz upto;
} Partition;

typedef struct Partitions
{
	int			n;
	Partition  *list;
} Partitions;

extern Partitions list_partitions(Oid log);
extern const Partition *default_partition(const Partitions *partitions);
extern bool is_covered(const Partitions *partitions, TimestampTz from, TimestampTz upto);
extern TimestampTz month_of(TimestampTz at, int months);
extern char *month_table(TimestampTz month);

#endif							/* SUPPORT_LOG_PARTITIONS_H */
