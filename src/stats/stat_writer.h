/*
 * stat_writer.h
 *		What a change of a ticket or comment does to the reports.
 */
#ifndef SUPPORT_STAT_WRITER_H
#define SUPPORT_STAT_WRITER_H

#include "stats/stats.h"

extern void stat_writer_init(void);
extern void count_comment(Measure measure, int64 author_id, TimestampTz created_at, int32 weight);

#endif							/* SUPPORT_STAT_WRITER_H */
