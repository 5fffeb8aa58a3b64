/*
 * reply.h
 *		What a comment does to its ticket.
 */
#ifndef SUPPORT_REPLY_H
#define SUPPORT_REPLY_H

#include "base/row.h"

/* The columns of support.comments that rules read or keep. */
enum
{
	COMMENT_TICKET_ID,
	COMMENT_ID,
	COMMENT_AUTHOR_ID,
	COMMENT_CONTENT,
	COMMENT_IS_PRIVATE,
	COMMENT_CREATED_AT,
	COMMENT_AUTHOR_ROLE,
	COMMENT_VIA,
	COMMENT_EDITED_AT,
	COMMENT_DELETED_AT,
	COMMENT_SEARCH
};

extern const DeskTable comments_table;

extern void comment_before_insert(Row *comment);
extern void comment_before_update(const Row *old, Row *new);
extern void comment_recounted(const Row *old, const Row *new);
extern void comment_inserted(const Row *comment);
extern void comment_updated(const Row *old, const Row *new);
extern void comment_removed(const Row *comment);
extern void recount_replies(int64 ticket_id);

#endif							/* SUPPORT_REPLY_H */
