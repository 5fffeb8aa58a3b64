/*
 * sla_clock.h
 *		One clock, and how it turns.
 */
#ifndef SUPPORT_SLA_CLOCK_H
#define SUPPORT_SLA_CLOCK_H

#include "sla/sla.h"

/* A clock; support.sla_clocks has the meaning of what it holds. Times that are not there are DT_NOBEGIN, ids 0. */
typedef struct Clock
{
	int64		ticket_id;
	int64		id;
	int32		instance;
	Promise		promise;
	ClockState	state;
	int64		consumed;		/* microseconds, until: */
	TimestampTz checkpoint_at;
	TimestampTz started_at;
	TimestampTz due_at;
	TimestampTz wake_at;		/* never later than there is something to announce */
	int32		warned;			/* percent */
	TimestampTz ended_at;
	TimestampTz breached_at;
	const char *breach_reason;	/* NULL unless breached */
	int64		decided_team_id;	/* who had the ticket when the promise was broken or kept */
	int64		decided_assignee_id;
	const char *cancel_reason;	/* NULL unless cancelled */
	bool		changed;		/* since it was read */
	bool		is_new;			/* it has no row yet: */
	bool		from_now;		/* it counts from its first instant on, whatever the ticket went through before */
	struct ClockOutcome *outcome;	/* that its row tells, NULL if it is new; see sla_counts.c */
	struct ClockRow *row;		/* that it was read from, NULL if it is new; see sla_store.c */
} Clock;

/* Why a clock begins that was told to count from now on, in the ledger. */
#define FROM_NOW "now"

/* An entry of the ledger: what happened to a clock. What else it says is read from the clock, as it is after it. */
typedef struct SlaEvent
{
	SlaEventKind kind;
	TimestampTz occurred_at;
	int64		consumed;
	const char *reason;			/* NULL for none */
	int32		percent;		/* of a warning */
} SlaEvent;

/* Where a clock turns: who has the ticket, and where the ledger is kept. */
typedef struct Ledger
{
	int64		team_id;		/* that an outcome is put down to; 0 for none */
	int64		assignee_id;
	void		(*write) (struct Ledger *ledger, const Clock *clock, const SlaEvent *event);
	List	   *pending;		/* entries that are yet to be written */
} Ledger;

extern bool is_open_clock(const Clock *clock);
extern bool is_breached(const Clock *clock);
extern void check_clock(const Clock *clock);
extern bool same_promise(const Promise *a, const Promise *b);
extern int64 add_up_to_most(int64 a, int64 b);
extern int64 time_between(TimestampTz from_at, TimestampTz to_at);
extern int64 promised_time(const Promise *promise, TimestampTz from_at, TimestampTz to_at);
extern TimestampTz after_time(const Promise *promise, TimestampTz at, int64 time);
extern bool counts_until(const Promise *promise, TimestampTz at, TimestampTz limit, TimestampTz *until);
extern Promise promise_from(const Promise *promise, TimestampTz started_at);
extern bool wake_clock(Clock *clock, TimestampTz at);
extern void settle_wake(Clock *clock);
extern TimestampTz decided_at(const Clock *clock);
extern void start_clock(Ledger *ledger, Clock *clock, TimestampTz at, Category category);
extern void pass_instant(Ledger *ledger, Clock *clock, TimestampTz at);
extern void fit_clock(Ledger *ledger, Clock *clock, TimestampTz at, Category category);
extern void recount_clock(Ledger *ledger, Clock *clock, TimestampTz at, int64 consumed, Category category);
extern void retarget_clock(Ledger *ledger, Clock *clock, TimestampTz at, const Promise *promised);
extern void fulfil_clock(Ledger *ledger, Clock *clock, TimestampTz at);
extern void fulfil_clock_before(Ledger *ledger, Clock *clock, TimestampTz at, int64 consumed);
extern void start_clock_before(Ledger *ledger, Clock *clock, TimestampTz at, Category category);
extern void cancel_clock(Ledger *ledger, Clock *clock, TimestampTz at, const char *reason);
extern void reopen_clock(Ledger *ledger, Clock *clock, TimestampTz at, const char *reason, Category category);

#endif							/* SUPPORT_SLA_CLOCK_H */
