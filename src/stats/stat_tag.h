/*
 * stat_tag.h
 *		Tickets counted by their tags.
 */
#ifndef SUPPORT_STAT_TAG_H
#define SUPPORT_STAT_TAG_H

#include "base/row.h"
#include "stats/stats.h"

/* The measures that are counted by tag. */
#define TAG_MEASURES (STAT_BIT(STAT_OPEN) | STAT_BIT(STAT_TICKETS))

/* What a ticket counts for under each of its tags. */
typedef struct TagCount
{
	uint32		measures;
	TimestampTz created_at;
} TagCount;

extern void stat_tag_init(void);
extern void count_tags(int64 ticket_id, TagCount before, TagCount after);

#endif							/* SUPPORT_STAT_TAG_H */
