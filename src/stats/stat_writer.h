/*
 * stat_writer.h
 *		What a change of a ticket or comment does to the reports.
 */
#ifndef SUPPORT_STAT_WRITER_H
#define SUPPORT_STAT_WRITER_H

#include "base/row.h"
#include "stats/stats.h"

extern void count_new_ticket(const Row *ticket);
extern void count_inserted_again(const Row *ticket, int64 before_version);
extern void count_ticket_change(const Row *old, const Row *new, bool superseded);
extern void count_removed_ticket(const Row *ticket);
extern void count_comment(Measure measure, int64 author_id, TimestampTz created_at, int32 weight);

#endif							/* SUPPORT_STAT_WRITER_H */
