/*
 * workflow.h
 *		Statuses and what follows from them.
 */
#ifndef SUPPORT_WORKFLOW_H
#define SUPPORT_WORKFLOW_H

#include "base/row.h"

/* The columns of support.tickets that rules read or keep. */
enum
{
	TICKET_ID,
	TICKET_NUMBER,
	TICKET_STATUS,
	TICKET_PRIORITY,
	TICKET_CREATOR_ID,
	TICKET_CREATED_AT,
	TICKET_DELETED_AT,
	TICKET_TEAM_ID,
	TICKET_ASSIGNEE_ID,
	TICKET_PENDING_UNTIL,
	TICKET_UPDATED_AT,
	TICKET_VERSION,
	TICKET_FIRST_SOLVED_AT,
	TICKET_SOLVED_AT,
	TICKET_REOPEN_COUNT,
	TICKET_WAITING_SINCE,
	TICKET_LAST_CUSTOMER_AT,
	TICKET_LAST_AGENT_AT,
	TICKET_DELETED_BY,
	TICKET_DELETE_REASON,
	TICKET_TITLE,
	TICKET_DESCRIPTION,
	TICKET_SEARCH,
	TICKET_FIRST_REPLIED_AT,
	TICKET_REPLY_COUNT,
	TICKET_ORGANIZATION_ID,
	TICKET_CHANNEL,
	TICKET_CUSTOM
};

extern const DeskTable tickets_table;

extern void ticket_before_insert(Row *ticket);
extern void ticket_before_update(const Row *old, Row *new);
extern void ticket_before_restoring_update(const Row *old, Row *new);
extern void check_assignee(int64 user_id);
extern void settle_assignments(int64 user_id);
extern void ticket_check(const Row *old, const Row *new);

/* Whose books are kept, and where; see workflow.c. */
typedef struct Bookkeeping
{
	int64		ticket_id;		/* 0 for none */
	int			depth;			/* of triggers */
} Bookkeeping;

extern int	trigger_depth(void);
extern Bookkeeping keep_books_of(int64 ticket_id);
extern void end_keeping_books(Bookkeeping before);

#endif							/* SUPPORT_WORKFLOW_H */
