/*
 * stat_history.h
 *		Changes of a ticket's status, as the log has them.
 */
#ifndef SUPPORT_STAT_HISTORY_H
#define SUPPORT_STAT_HISTORY_H

#include "stats/delta_writer.h"

/* What a ticket is counted by: the columns DELTA_PRIORITY to DELTA_ORGANIZATION_ID. */
#define TICKET_DIMS (DELTA_ORGANIZATION_ID - DELTA_PRIORITY + 1)

typedef struct Dims
{
	Datum		values[TICKET_DIMS];
	bool		nulls[TICKET_DIMS];
} Dims;

/* A change of a ticket's status. */
typedef struct StatusChange
{
	TimestampTz at;
	bool		has_actor;
	int64		actor_id;
	const char *from;
	const char *to;
	bool		solves;
	bool		reopens;
} StatusChange;

/* Those that the log has of a ticket, in its order. */
typedef struct History
{
	int			n;
	StatusChange *changes;
	const char *first_status;	/* that the ticket ever had; NULL if the log has no change */
} History;

#define WHOLE_PAST PG_INT64_MAX

extern bool counts_as_solved(const char *status);
extern StatusChange status_change(const char *from, const char *to);
extern History read_history(int64 ticket_id, int64 before_version);
extern History read_visible_history(int64 ticket_id);
extern bool has_solves(const History *history);
extern void add_change(Delta *delta, const StatusChange *change);
extern uint32 measures_of_change(const StatusChange *change);
extern void count_again(const StatusChange *change, TimestampTz solved_before, const Dims *dims, int32 weight);
extern TimestampTz last_solve(const History *history);
extern void count_moves(const History *history, const Dims *dims, int32 weight);
extern void count_solves(const History *history, const Dims *dims, int32 weight);
extern void count_start(const char *status, TimestampTz created_at, int32 weight);

#endif							/* SUPPORT_STAT_HISTORY_H */
