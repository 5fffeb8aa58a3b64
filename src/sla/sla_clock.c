/*
 * sla_clock.c
 *		One clock, and how it turns.
 *
 * A clock counts the time of its calendar while it runs. What it has consumed is worked out when it turns, up to that
 * instant, its checkpoint; in between, where it stands follows from arithmetic. So does when it is due: nothing needs to
 * look at it for a breach to be a fact. What is due by the time that a clock turns is written down first, as of the
 * instant at which it was due. It makes no difference, then, whether somebody announced it before.
 *
 * Changes may reach us out of order: a transaction has the time at which it began, and a comment may be brought in with
 * the time of another system. No clock turns back behind its checkpoint, save for comments that come in late: what they
 * answered was answered then, and who asked by them has waited since. A breach that was written too early, since the
 * promise was kept before, is voided.
 *
 * Nothing here reads or writes tables. Who calls says who has the ticket and where the ledger is kept, and keeps the
 * clock.
 */
#include "postgres.h"

#include "common/int.h"

#include "calendar/calendar_version.h"
#include "calendar/working_days.h"
#include "sla/sla_clock.h"

/* What came of adding time, where it is beyond all calendars. */
#define NEVER DT_NOEND

/* Is there still something to be kept? */
bool
is_open_clock(const Clock *clock)
{
	return clock->state == CLOCK_RUNNING || clock->state == CLOCK_PAUSED;
}

bool
is_breached(const Clock *clock)
{
	return clock->breach_reason != NULL;
}

/* Raise 55000 for what no clock of ours says: arithmetic would go astray by it, and the row that it writes break rules. */
void
check_clock(const Clock *clock)
{
	bool		is_sound = clock->promise.target > 0 && clock->consumed >= 0 && clock->warned >= 0 &&
		!TIMESTAMP_NOT_FINITE(clock->checkpoint_at) && !TIMESTAMP_NOT_FINITE(clock->started_at) &&
		is_breached(clock) == (clock->breached_at != DT_NOBEGIN);

	if (!is_sound)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("clock %lld of ticket %lld has impossible values", (long long) clock->id, (long long) clock->ticket_id),
				 errhint("Nobody but the desk writes to support.sla_clocks: delete the row.")));
}

/* Do two promises say the same? */
bool
same_promise(const Promise *a, const Promise *b)
{
	return a->metric == b->metric && a->policy_id == b->policy_id && a->policy_version == b->policy_version &&
		a->target == b->target && a->calendar_id == b->calendar_id && a->calendar_version == b->calendar_version &&
		a->pauses == b->pauses && a->nwarns == b->nwarns &&
		(a->nwarns == 0 || memcmp(a->warns, b->warns, sizeof(int32) * a->nwarns) == 0);
}

/* The instant of the calendars' range that is nearest. */
static TimestampTz
in_range(TimestampTz at)
{
	return in_calendar_range(at) ? at : at < 0 ? first_calendar_instant() : last_calendar_instant();
}

/* a + b, neither of which is negative, or the most that there is. */
int64
add_up_to_most(int64 a, int64 b)
{
	int64		sum;

	return pg_add_s64_overflow(a, b, &sum) ? PG_INT64_MAX : sum;
}

/* The time from one instant to a later one, or the most that there is. */
int64
time_between(TimestampTz from_at, TimestampTz to_at)
{
	int64		time;

	return pg_sub_s64_overflow(to_at, from_at, &time) ? PG_INT64_MAX : time;
}

/* The time that counts for a promise between two instants; none if the second one is earlier. */
int64
promised_time(const Promise *promise, TimestampTz from_at, TimestampTz to_at)
{
	if (to_at <= from_at)
		return 0;
	if (promise->calendar_id == NO_CALENDAR)
		return time_between(from_at, to_at);
	return working_time_between(calendar_version_time(promise->calendar_id, promise->calendar_version),
								in_range(from_at), in_range(to_at));
}

/* Does time count for a promise at an instant? Sets until when that holds, at most until the limit. */
bool
counts_until(const Promise *promise, TimestampTz at, TimestampTz limit, TimestampTz *until)
{
	*until = limit;
	if (promise->calendar_id == NO_CALENDAR)
		return true;
	if (in_calendar_range(at))
		return working_time_until(calendar_version_time(promise->calendar_id, promise->calendar_version), at, limit,
								  until);
	if (at < first_calendar_instant())
		*until = Min(limit, first_calendar_instant());
	return false;
}

/* The instant at which so much more time has counted; NEVER if that is beyond the calendars. */
TimestampTz
after_time(const Promise *promise, TimestampTz at, int64 time)
{
	TimestampTz due;

	if (time <= 0)
		return at;
	if (promise->calendar_id == NO_CALENDAR)
		return TIMESTAMP_NOT_FINITE(at) || time > last_calendar_instant() - at ? NEVER : at + time;
	if (!add_working_time(calendar_version_time(promise->calendar_id, promise->calendar_version),
						  in_range(at), time, &due))
		return NEVER;
	return due;
}

/*
 * What a policy promises from an instant on: a target in working days is the time that is worked until they are over. A
 * calendar that has no such day any more is worked never.
 */
Promise
promise_from(const Promise *promise, TimestampTz started_at)
{
	Promise		from = *promise;
	WorkingTime *time;
	TimestampTz due;

	if (promise->target_days == 0)
		return from;
	time = calendar_version_time(promise->calendar_id, promise->calendar_version);
	started_at = in_range(started_at);
	from.target = add_working_days(time, started_at, promise->target_days, &due) ?
		working_time_between(time, started_at, due) : last_calendar_instant() - first_calendar_instant();
	from.target_days = 0;
	return from;
}

/* The instant of a running clock at which so much is consumed. */
static TimestampTz
instant_of(const Clock *clock, int64 consumed)
{
	return after_time(&clock->promise, clock->checkpoint_at, consumed - clock->consumed);
}

/* What part of the target is a percentage? */
static int64
part_of_target(const Clock *clock, int32 percent)
{
	return clock->promise.target / 100 * percent + clock->promise.target % 100 * percent / 100;
}

/* The percentage of the next warning, 0 if there is none. */
static int32
next_warning(const Clock *clock)
{
	for (int i = 0; i < clock->promise.nwarns; i++)
		if (clock->promise.warns[i] > clock->warned)
			return clock->promise.warns[i];
	return 0;
}

/* When something is to be written of the clock though nothing happens to the ticket; DT_NOBEGIN if never. */
static TimestampTz
next_announcement(const Clock *clock)
{
	int32		percent = next_warning(clock);
	TimestampTz wake;

	if (clock->state != CLOCK_RUNNING || is_breached(clock))
		return DT_NOBEGIN;
	wake = percent > 0 ? instant_of(clock, part_of_target(clock, percent)) : clock->due_at;
	if (TIMESTAMP_NOT_FINITE(wake))
		return DT_NOBEGIN;
	/* the instant that is due is still in time */
	return percent > 0 || wake >= last_calendar_instant() ? wake : wake + 1;
}

/*
 * Note when to look at the clock. What is noted stays where it is early enough, for a clock that is paused and resumed
 * is found again without an entry in an index for each turn.
 */
void
settle_wake(Clock *clock)
{
	TimestampTz next = next_announcement(clock);
	bool		stands = clock->state == CLOCK_PAUSED && !is_breached(clock);

	if (!stands && (next == DT_NOBEGIN || clock->wake_at == DT_NOBEGIN || next < clock->wake_at))
		clock->wake_at = next;
}

/* Is the clock to be looked at by an instant? If so it is noted anew when. */
bool
wake_clock(Clock *clock, TimestampTz at)
{
	if (clock->wake_at == DT_NOBEGIN || clock->wake_at > at)
		return false;
	clock->wake_at = next_announcement(clock);
	clock->changed = true;
	return true;
}

/* When it turned out whether the promise was kept; DT_NOBEGIN if it has not. */
TimestampTz
decided_at(const Clock *clock)
{
	if (is_breached(clock))
		return clock->breached_at;
	return clock->state == CLOCK_FULFILLED ? clock->ended_at : DT_NOBEGIN;
}

/* What is consumed at an instant after the checkpoint, if nothing happens until then. */
static int64
consumed_at(const Clock *clock, TimestampTz at)
{
	if (clock->state != CLOCK_RUNNING)
		return clock->consumed;
	return add_up_to_most(clock->consumed, promised_time(&clock->promise, clock->checkpoint_at, at));
}

/* Write down what happened to a clock. */
static void
record(Ledger *ledger, Clock *clock, const SlaEvent *event)
{
	clock->changed = true;
	ledger->write(ledger, clock, event);
}

/* The same for what happens at the checkpoint. */
static void
record_turn(Ledger *ledger, Clock *clock, SlaEventKind kind, const char *reason)
{
	SlaEvent	event = {kind, clock->checkpoint_at, clock->consumed, reason, 0};

	record(ledger, clock, &event);
}

/* Put the outcome down to those who have the ticket. */
static void
note_holders(Clock *clock, const Ledger *ledger)
{
	clock->decided_team_id = ledger->team_id;
	clock->decided_assignee_id = ledger->assignee_id;
}

/* There is no outcome yet. */
static void
forget_holders(Clock *clock)
{
	clock->decided_team_id = 0;
	clock->decided_assignee_id = 0;
}

/* When the clock is due from its checkpoint on. A breach stays where it is. */
static void
set_due(Clock *clock)
{
	if (is_breached(clock))
		return;
	clock->due_at = clock->state == CLOCK_RUNNING ? instant_of(clock, clock->promise.target) : DT_NOBEGIN;
}

static void
breach(Ledger *ledger, Clock *clock, TimestampTz at, int64 consumed, const char *reason)
{
	SlaEvent	event = {SLA_BREACH, at, consumed, reason, 0};

	clock->due_at = at;
	clock->breached_at = at;
	clock->breach_reason = reason;
	note_holders(clock, ledger);
	record(ledger, clock, &event);
}

/* A breach turns out to be none. */
static void
void_breach(Ledger *ledger, Clock *clock, TimestampTz at)
{
	SlaEvent	event = {SLA_BREACH_VOIDED, at, consumed_at(clock, at), NULL, 0};

	clock->breached_at = DT_NOBEGIN;
	clock->breach_reason = NULL;
	forget_holders(clock);
	set_due(clock);
	record(ledger, clock, &event);
}

/* Write the warnings that were to be given until an instant. */
static void
warn(Ledger *ledger, Clock *clock, TimestampTz at)
{
	int32		percent;

	while ((percent = next_warning(clock)) > 0)
	{
		int64		part = part_of_target(clock, percent);
		SlaEvent	event = {SLA_WARN, instant_of(clock, part), Max(part, clock->consumed), NULL, percent};

		if (event.occurred_at > at)
			return;
		clock->warned = percent;
		record(ledger, clock, &event);
	}
}

/* Write what was due until an instant, if that is not written yet. */
void
pass_instant(Ledger *ledger, Clock *clock, TimestampTz at)
{
	if (clock->state != CLOCK_RUNNING || is_breached(clock))
		return;
	warn(ledger, clock, at);
	if (clock->due_at < at)
		breach(ledger, clock, clock->due_at, clock->promise.target, "due");
}

/* The clock turns: write what was due, and work out what is consumed. */
static void
turn(Ledger *ledger, Clock *clock, TimestampTz at)
{
	at = Max(at, clock->checkpoint_at);
	if (is_breached(clock) && strcmp(clock->breach_reason, "due") == 0 && at <= clock->breached_at)
		void_breach(ledger, clock, at);
	pass_instant(ledger, clock, at);
	clock->consumed = consumed_at(clock, at);
	clock->checkpoint_at = at;
}

/* Let an open clock run or stand still, as the category of the ticket's status wants it. */
void
fit_clock(Ledger *ledger, Clock *clock, TimestampTz at, Category category)
{
	bool		pauses = (clock->promise.pauses & CATEGORY_BIT(category)) != 0;

	if (!is_open_clock(clock) || pauses == (clock->state == CLOCK_PAUSED))
		return;
	turn(ledger, clock, at);
	clock->state = pauses ? CLOCK_PAUSED : CLOCK_RUNNING;
	set_due(clock);
	record_turn(ledger, clock, pauses ? SLA_PAUSE : SLA_RESUME, category_name(category));
}

/* Break a promise that allows less than is consumed, or mend one that allows more again. */
static void
judge(Ledger *ledger, Clock *clock)
{
	if (clock->consumed > clock->promise.target && !is_breached(clock))
		breach(ledger, clock, clock->checkpoint_at, clock->consumed, "retarget");
	else if (clock->consumed < clock->promise.target && is_breached(clock))
		void_breach(ledger, clock, clock->checkpoint_at);
}

/* Begin a clock whose promise, start and consumed time are set. */
void
start_clock(Ledger *ledger, Clock *clock, TimestampTz at, Category category)
{
	clock->state = CLOCK_RUNNING;
	clock->checkpoint_at = at;
	clock->ended_at = DT_NOBEGIN;
	clock->breached_at = DT_NOBEGIN;
	set_due(clock);
	record_turn(ledger, clock, SLA_ACTIVATE, clock->from_now ? FROM_NOW : NULL);
	judge(ledger, clock);
	fit_clock(ledger, clock, at, category);
}

/*
 * What an open clock consumed by now turns out to be something else, since more is known of the ticket's past. The ledger
 * has it begin once more.
 */
void
recount_clock(Ledger *ledger, Clock *clock, TimestampTz at, int64 consumed, Category category)
{
	at = Max(at, clock->checkpoint_at);
	if (consumed_at(clock, at) == consumed)
		return;
	clock->state = CLOCK_RUNNING;
	clock->checkpoint_at = at;
	clock->consumed = consumed;
	clock->warned = 0;
	set_due(clock);
	record_turn(ledger, clock, SLA_ACTIVATE, "history");
	judge(ledger, clock);
	fit_clock(ledger, clock, at, category);
}

/*
 * The promise is another from now on, in working days since the clock's start. What is consumed stays, whatever calendar
 * it was counted by.
 */
void
retarget_clock(Ledger *ledger, Clock *clock, TimestampTz at, const Promise *promised)
{
	Promise		promise = promise_from(promised, clock->started_at);

	if (same_promise(&clock->promise, &promise))
		return;
	turn(ledger, clock, at);
	if (clock->promise.target != promise.target)
		clock->warned = 0;
	clock->promise = promise;
	set_due(clock);
	record_turn(ledger, clock, SLA_RETARGET, NULL);
	judge(ledger, clock);
}

static void
end_clock(Ledger *ledger, Clock *clock, TimestampTz at, ClockState state)
{
	turn(ledger, clock, at);
	clock->state = state;
	clock->ended_at = clock->checkpoint_at;
}

void
fulfil_clock(Ledger *ledger, Clock *clock, TimestampTz at)
{
	end_clock(ledger, clock, at, CLOCK_FULFILLED);
	if (!is_breached(clock))
		note_holders(clock, ledger);
	record_turn(ledger, clock, SLA_FULFIL, NULL);
}

/*
 * A clock turns out to have been fulfilled before it last turned, when so much was consumed. The ledger has it begin once
 * more.
 */
void
fulfil_clock_before(Ledger *ledger, Clock *clock, TimestampTz at, int64 consumed)
{
	bool		was_kept = clock->state == CLOCK_FULFILLED && !is_breached(clock);

	clock->state = CLOCK_RUNNING;
	clock->checkpoint_at = at;
	clock->consumed = consumed;
	clock->cancel_reason = NULL;
	if (is_breached(clock) && at <= clock->breached_at)
		void_breach(ledger, clock, at);
	set_due(clock);
	record_turn(ledger, clock, SLA_ACTIVATE, "history");
	clock->state = CLOCK_FULFILLED;
	clock->ended_at = at;
	if (!is_breached(clock) && !was_kept)
		note_holders(clock, ledger);
	record_turn(ledger, clock, SLA_FULFIL, NULL);
}

/* An open clock turns out to have begun earlier. A breach comes again when it is due by that. */
void
start_clock_before(Ledger *ledger, Clock *clock, TimestampTz at, Category category)
{
	if (is_breached(clock))
		void_breach(ledger, clock, clock->checkpoint_at);
	clock->started_at = at;
	clock->consumed = 0;
	clock->warned = 0;
	start_clock(ledger, clock, at, category);
}

void
cancel_clock(Ledger *ledger, Clock *clock, TimestampTz at, const char *reason)
{
	end_clock(ledger, clock, at, CLOCK_CANCELLED);
	clock->cancel_reason = reason;
	record_turn(ledger, clock, SLA_CANCEL, reason);
}

/* A clock that was ended goes on. The time in between does not count. */
void
reopen_clock(Ledger *ledger, Clock *clock, TimestampTz at, const char *reason, Category category)
{
	clock->checkpoint_at = Max(at, clock->checkpoint_at);
	clock->state = CLOCK_RUNNING;
	clock->ended_at = DT_NOBEGIN;
	clock->cancel_reason = NULL;
	if (!is_breached(clock))
		forget_holders(clock);
	set_due(clock);
	record_turn(ledger, clock, SLA_RESUME, reason);
	fit_clock(ledger, clock, clock->checkpoint_at, category);
}
