/*
 * sla_clock_set.c
 *		The clocks of a ticket, and what changes of the ticket do to them.
 *
 * All of it follows from the ticket's row before and after a change: replies and customers' comments move columns of the
 * ticket, too. So the triggers that see a change happen and those who read old changes from the log go the same way.
 *
 * Within one change a reply comes before the status, and the status before a change of what is promised: who answers and
 * sets the ticket to pending has answered, and who solves it has kept what was promised until then.
 */
#include "postgres.h"

#include "base/errors.h"
#include "sla/sla_clock_set.h"
#include "sla/sla_wait.h"

#define NO_TIME DT_NOBEGIN

/* Was a clock cancelled for this reason? */
static bool
is_cancelled_for(const Clock *clock, const char *reason)
{
	return clock->state == CLOCK_CANCELLED && strcmp(clock->cancel_reason, reason) == 0;
}

/* Measured from the opening of a ticket on. */
static bool
is_since_opening(SlaMetric metric)
{
	return metric == SLA_FIRST_REPLY || metric == SLA_REQUESTER_WAIT || metric == SLA_AGENT_WORK ||
		metric == SLA_RESOLUTION;
}

/*
 * Does a clock that the solution ended go on when the ticket is reopened? What is measured to the end of the work does,
 * and an update that is owed still: none was given since.
 */
static bool
goes_on_when_reopened(const Clock *clock, const SlaTicket *ticket)
{
	switch (clock->promise.metric)
	{
		case SLA_REQUESTER_WAIT:
		case SLA_AGENT_WORK:
		case SLA_RESOLUTION:
			return clock->state == CLOCK_FULFILLED;
		case SLA_PERIODIC_UPDATE:
			return is_cancelled_for(clock, "solved") && clock->started_at >= ticket->last_agent_at;
		default:
			return false;
	}
}

/* The last clock of a metric, NULL if there was none. */
static Clock *
last_clock(const ClockSet *set, SlaMetric metric)
{
	Clock	   *last = NULL;
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		Clock	   *clock = lfirst(cell);

		if (clock->promise.metric == metric)
			last = clock;
	}
	return last;
}

/* The open clock of a metric, NULL if there is none. */
static Clock *
open_clock(const ClockSet *set, SlaMetric metric)
{
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		Clock	   *clock = lfirst(cell);

		if (clock->promise.metric == metric && is_open_clock(clock))
			return clock;
	}
	return NULL;
}

/* What the ticket is promised for a metric, NULL if nothing. */
const Promise *
promise_for(ClockSet *set, SlaTicket *ticket, SlaMetric metric)
{
	const Policy *policy = set->match(set, ticket);

	return policy == NULL ? NULL : promise_of(policy, metric, ticket->priority);
}

/* Would a clock that started later count since an instant, if that were known before? Not if it was told to count from then on. */
bool
counts_since(ClockSet *set, const Clock *clock, TimestampTz since)
{
	return since >= clock->started_at || !set->counts_from_now(set, clock);
}

/* Begin a clock, if the ticket is promised anything. It started at an instant; what it has consumed since is given. */
static Clock *
begin_kind_of_clock(ClockSet *set, SlaTicket *ticket, const Promise *promise, TimestampTz started_at, TimestampTz at,
					int64 consumed, bool from_now)
{
	Clock	   *last = last_clock(set, promise->metric);
	Clock	   *clock = palloc0(sizeof(Clock));

	clock->ticket_id = set->ticket_id;
	clock->id = set->new_id(set);
	if (last != NULL && last->instance == PG_INT32_MAX)
		refuse_number(psprintf("how many clocks ticket %lld had", (long long) set->ticket_id));
	clock->instance = last == NULL ? 1 : last->instance + 1;
	clock->promise = promise_from(promise, started_at);
	clock->started_at = started_at;
	clock->wake_at = DT_NOBEGIN;
	clock->is_new = true;
	clock->from_now = from_now;
	clock->consumed = consumed;
	set->clocks = lappend(set->clocks, clock);
	start_clock(&set->ledger, clock, at, ticket->category);
	return clock;
}

/* The same for a usual one. */
Clock *
begin_clock(ClockSet *set, SlaTicket *ticket, const Promise *promise, TimestampTz started_at, TimestampTz at,
			int64 consumed)
{
	return begin_kind_of_clock(set, ticket, promise, started_at, at, consumed, false);
}

/* The same for one that begins now; NULL if nothing is promised. */
static Clock *
begin_metric(ClockSet *set, SlaTicket *ticket, SlaMetric metric, TimestampTz at)
{
	const Promise *promise = promise_for(set, ticket, metric);

	return promise == NULL ? NULL : begin_clock(set, ticket, promise, at, at, 0);
}

/* Put what breaks from now on down to those who have the ticket. */
static void
note_holders(ClockSet *set, const SlaTicket *ticket)
{
	set->ledger.team_id = ticket->team_id;
	set->ledger.assignee_id = ticket->assignee_id;
}

/*
 * A new ticket. One that comes in with replies was answered before. The clocks of a removed ticket whose id it has are
 * not its own.
 */
void
begin_clocks(ClockSet *set, SlaTicket *ticket)
{
	set->clocks = NIL;
	if (!ticket->is_live || is_solved(ticket->category) || set->match(set, ticket) == NULL)
		return;
	note_holders(set, ticket);
	for (SlaMetric metric = 0; metric < SLA_METRICS; metric++)
	{
		Clock	   *clock = is_since_opening(metric) ? begin_metric(set, ticket, metric, ticket->created_at) : NULL;

		if (clock != NULL && metric == SLA_FIRST_REPLY && ticket->first_replied_at != NO_TIME)
			fulfil_clock(&set->ledger, clock, ticket->first_replied_at);
	}
	if (ticket->first_replied_at != NO_TIME && ticket->waiting_since != NO_TIME)
		(void) begin_metric(set, ticket, SLA_NEXT_REPLY, ticket->waiting_since);
	if (ticket->last_agent_at != NO_TIME)
		(void) begin_metric(set, ticket, SLA_PERIODIC_UPDATE, ticket->last_agent_at);
	if (ticket->team_id != 0)
		(void) begin_metric(set, ticket, SLA_OWNERSHIP, ticket->created_at);
}

/* The ticket is deleted: nothing is owed any more. */
void
stop_clocks(ClockSet *set, const SlaTicket *ticket, TimestampTz at)
{
	ListCell   *cell;

	note_holders(set, ticket);
	foreach(cell, set->clocks)
		if (is_open_clock(lfirst(cell)))
			cancel_clock(&set->ledger, lfirst(cell), at, "deleted");
}

/* End what is open when the ticket is solved. */
static void
solve(ClockSet *set, TimestampTz at)
{
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		Clock	   *clock = lfirst(cell);

		if (!is_open_clock(clock))
			continue;
		if (clock->promise.metric == SLA_PERIODIC_UPDATE)
			cancel_clock(&set->ledger, clock, at, "solved");
		else
			fulfil_clock(&set->ledger, clock, at);
	}
}

/* The ticket comes back from the recycle bin, and with it what was owed. It may be matched later. */
void
resume_clocks(ClockSet *set, SlaTicket *ticket, TimestampTz at, bool match)
{
	ListCell   *cell;

	note_holders(set, ticket);
	foreach(cell, set->clocks)
	{
		Clock	   *clock = lfirst(cell);

		if (is_cancelled_for(clock, "deleted"))
			reopen_clock(&set->ledger, clock, at, "restored", ticket->category);
	}
	if (is_solved(ticket->category))
		solve(set, at);
	else if (match)
		match_again(set, ticket, at);
}

/* Does an agent's reply of this time end an open clock? One that is brought in late may be older than what is owed. */
static bool
is_answered(const Clock *clock, TimestampTz at)
{
	switch (clock->promise.metric)
	{
		case SLA_FIRST_REPLY:
			return true;
		case SLA_NEXT_REPLY:
			return clock->started_at <= at;
		case SLA_PERIODIC_UPDATE:
			return clock->started_at < at;
		default:
			return false;
	}
}

/* When what a clock measures was answered, as far as replies are known now. */
static TimestampTz
answered_at(ClockSet *set, const SlaTicket *old, const SlaTicket *new, const Clock *clock, TimestampTz at)
{
	if (clock->promise.metric == SLA_FIRST_REPLY && new->first_replied_at != NO_TIME)
		return new->first_replied_at;
	if (has_older_replies(old, new))
		return reply_after(set, new, clock->started_at, at);
	return new->last_agent_at;
}

/* Was a clock that a reply may end fulfilled later than by this one? */
static bool
was_answered_before(const Clock *clock, TimestampTz replied_at)
{
	if (clock->state != CLOCK_FULFILLED || replied_at >= clock->ended_at)
		return false;
	return clock->promise.metric == SLA_FIRST_REPLY ? clock->ended_at > clock->started_at :
		replied_at > clock->started_at;
}

/* An agent has replied. */
static void
reply(ClockSet *set, const SlaTicket *old, SlaTicket *ticket, TimestampTz at)
{
	TimestampTz last_at = Min(ticket->last_agent_at, at);
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		Clock	   *clock = lfirst(cell);
		TimestampTz replied_at;

		if (!is_answered(clock, last_at) || clock->state == CLOCK_CANCELLED)
			continue;
		replied_at = Min(answered_at(set, old, ticket, clock, at), last_at);
		if (is_open_clock(clock) || was_answered_before(clock, replied_at))
			answer_clock(set, ticket, clock, replied_at);
	}
	if (!is_solved(ticket->category) && open_clock(set, SLA_PERIODIC_UPDATE) == NULL)
		(void) begin_metric(set, ticket, SLA_PERIODIC_UPDATE, last_at);
}

/* A solved ticket is open again. The team that it comes to by the same change begins below. */
static void
reopen(ClockSet *set, const SlaTicket *old, SlaTicket *ticket, TimestampTz at)
{
	for (SlaMetric metric = 0; metric < SLA_METRICS; metric++)
	{
		Clock	   *clock = last_clock(set, metric);

		if (clock != NULL && goes_on_when_reopened(clock, ticket))
			reopen_clock(&set->ledger, clock, at, "reopened", ticket->category);
	}
	if (ticket->team_id != 0 && ticket->team_id == old->team_id && open_clock(set, SLA_OWNERSHIP) == NULL)
		(void) begin_metric(set, ticket, SLA_OWNERSHIP, at);
}

/* The category of the ticket's status is another. */
static void
change_category(ClockSet *set, const SlaTicket *old, SlaTicket *new, TimestampTz at)
{
	ListCell   *cell;

	if (is_solved(old->category) && is_solved(new->category))
		return;
	if (is_solved(new->category))
		solve(set, at);
	else if (is_solved(old->category))
		reopen(set, old, new, at);
	else
		foreach(cell, set->clocks)
			fit_clock(&set->ledger, lfirst(cell), at, new->category);
}

/* Was the ticket ever solved, as far as its past is known? */
static bool
was_solved(ClockSet *set, const SlaTicket *ticket)
{
	StatusPeriods periods = set->periods(set, ticket);

	for (int i = 0; i < periods.n; i++)
		if (is_solved(periods.all[i].category))
			return true;
	return false;
}

/*
 * Does a customer who waits now wait for the next reply? For the first one if its clock runs, or is about to, and also if
 * nobody promised it, and if he wrote before it was given. But a solution is as good as a reply.
 */
static bool
first_wait_is_over(ClockSet *set, SlaTicket *ticket)
{
	const Clock *first = last_clock(set, SLA_FIRST_REPLY);

	if (ticket->first_replied_at != NO_TIME && ticket->first_replied_at <= ticket->waiting_since)
		return true;
	if (first != NULL && first->state != CLOCK_CANCELLED)
		return first->state == CLOCK_FULFILLED &&
			(ticket->first_replied_at == NO_TIME || first->ended_at <= ticket->waiting_since);
	return promise_for(set, ticket, SLA_FIRST_REPLY) == NULL && was_solved(set, ticket);
}

/* Nobody waits any more, though no reply has come just now: one that was there has answered, or what was asked is gone. */
static void
end_wait(ClockSet *set, const SlaTicket *ticket, Clock *clock, TimestampTz at)
{
	if (ticket->last_agent_at > clock->started_at)
		answer_clock(set, ticket, clock, reply_after(set, ticket, clock->started_at, at));
	else
		cancel_clock(&set->ledger, clock, at, "withdrawn");
}

/* A customer began to wait for another reply, or did so before what was known, or nobody waits any more. */
static void
change_waiting(ClockSet *set, const SlaTicket *old, SlaTicket *ticket, TimestampTz at)
{
	Clock	   *clock = open_clock(set, SLA_NEXT_REPLY);

	if (is_solved(ticket->category))
		return;
	if (ticket->waiting_since == NO_TIME)
	{
		if (clock != NULL)
			end_wait(set, ticket, clock, at);
	}
	/* a reply that is deleted later was one */
	else if (ticket->reply_count < old->reply_count || promise_for(set, ticket, SLA_NEXT_REPLY) == NULL ||
			 !first_wait_is_over(set, ticket))
		return;
	else if (clock != NULL && ticket->waiting_since < clock->started_at)
	{
		if (counts_since(set, clock, ticket->waiting_since))
			start_clock_before(&set->ledger, clock, ticket->waiting_since, ticket->category);
	}
	else if (clock == NULL && !wait_is_settled(set, ticket, at))
		(void) begin_metric(set, ticket, SLA_NEXT_REPLY, Min(ticket->waiting_since, at));
}

/* The ticket goes to another team. */
static void
change_team(ClockSet *set, SlaTicket *ticket, TimestampTz at)
{
	Clock	   *clock = open_clock(set, SLA_OWNERSHIP);

	if (clock != NULL)
		fulfil_clock(&set->ledger, clock, at);
	if (ticket->team_id != 0 && !is_solved(ticket->category))
		(void) begin_metric(set, ticket, SLA_OWNERSHIP, at);
}

/* Has a reply that was given, or the solution, ended a clock of a metric after the customer began to wait? */
static bool
is_settled(const ClockSet *set, const SlaTicket *ticket, SlaMetric metric)
{
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		const Clock *clock = lfirst(cell);

		if (clock->promise.metric == metric && clock->state == CLOCK_FULFILLED &&
			clock->ended_at > ticket->waiting_since)
			return true;
	}
	return false;
}

/* Since when a metric that is promised from now on is to be counted; NO_TIME if it is not owed. */
static TimestampTz
owed_since(ClockSet *set, SlaTicket *ticket, SlaMetric metric, TimestampTz at)
{
	const Clock *last = last_clock(set, metric);
	bool		fresh = last == NULL || is_cancelled_for(last, "policy");

	switch (metric)
	{
		case SLA_FIRST_REPLY:
			return fresh && ticket->first_replied_at == NO_TIME ? ticket->created_at : NO_TIME;
		case SLA_NEXT_REPLY:
			if (ticket->waiting_since == NO_TIME || is_settled(set, ticket, SLA_NEXT_REPLY) ||
				is_settled(set, ticket, SLA_FIRST_REPLY))
				return NO_TIME;
			return first_wait_is_over(set, ticket) ? ticket->waiting_since : NO_TIME;
		case SLA_PERIODIC_UPDATE:
			return fresh || is_cancelled_for(last, "solved") ? ticket->last_agent_at : NO_TIME;
		case SLA_OWNERSHIP:
			return ticket->team_id != 0 ? at : NO_TIME;
		default:
			return fresh ? ticket->created_at : NO_TIME;
	}
}

/* Begin a clock that has consumed what it would have by now. */
static void
begin_since(ClockSet *set, SlaTicket *ticket, const Promise *promise, TimestampTz since, TimestampTz at, bool from_now)
{
	StatusPeriods periods = set->periods(set, ticket);

	(void) begin_kind_of_clock(set, ticket, promise, since, at, consumed_in_periods(promise, &periods, since, at), from_now);
}

/*
 * Begin a clock for what was not promised before: what it would have consumed by now, it has, unless it is to count from
 * now on. What was once told to do that, and was cancelled since, does not count more when it comes back.
 */
static void
begin_late(ClockSet *set, SlaTicket *ticket, const Promise *promise, TimestampTz at)
{
	const Clock *last = last_clock(set, promise->metric);
	TimestampTz since = owed_since(set, ticket, promise->metric, at);

	if (since == NO_TIME)
		return;
	since = Min(since, at);
	if (set->from_now && since < at)
		(void) begin_kind_of_clock(set, ticket, promise, at, at, 0, true);
	else if (last != NULL && !counts_since(set, last, since))
		begin_since(set, ticket, promise, last->started_at, at, true);
	else if (since < at)
		begin_since(set, ticket, promise, since, at, false);
	else
		(void) begin_clock(set, ticket, promise, at, at, 0);
}

/*
 * Find out anew what an unsolved ticket is promised, and hold the open clocks to it. Lets them stand still or run as
 * the ticket's status wants it, should that mean something else than before.
 */
void
match_again(ClockSet *set, SlaTicket *ticket, TimestampTz at)
{
	note_holders(set, ticket);
	for (SlaMetric metric = 0; metric < SLA_METRICS; metric++)
	{
		Clock	   *clock = open_clock(set, metric);
		const Promise *promise = promise_for(set, ticket, metric);

		if (clock != NULL && promise == NULL)
			cancel_clock(&set->ledger, clock, at, "policy");
		else if (clock != NULL)
		{
			retarget_clock(&set->ledger, clock, at, promise);
			fit_clock(&set->ledger, clock, at, ticket->category);
		}
		else if (promise != NULL)
			begin_late(set, ticket, promise, at);
	}
}

/* More is known of the ticket's past: count open clocks anew by what it went through. */
void
recount_clocks(ClockSet *set, SlaTicket *ticket, const List *clocks, TimestampTz at)
{
	StatusPeriods periods = set->periods(set, ticket);
	ListCell   *cell;

	note_holders(set, ticket);
	foreach(cell, clocks)
	{
		Clock	   *clock = lfirst(cell);

		recount_clock(&set->ledger, clock, at,
					  consumed_in_periods(&clock->promise, &periods, clock->started_at, at), ticket->category);
	}
}

/* Could another policy or target be the ticket's now? */
static bool
may_match_else(const SlaTicket *old, const SlaTicket *new)
{
	return strcmp(old->priority, new->priority) != 0 ||
		old->team_id != new->team_id || old->organization_id != new->organization_id ||
		(old->channel == NULL) != (new->channel == NULL) ||
		(old->channel != NULL && strcmp(old->channel, new->channel) != 0) ||
		old->custom != new->custom ||
		(is_solved(old->category) && !is_solved(new->category));
}

/* Did somebody begin to wait or cease to, or does he wait for the next reply since an earlier one came in late? */
static bool
changes_waiting(const SlaTicket *old, const SlaTicket *new)
{
	return old->waiting_since != new->waiting_since ||
		(new->waiting_since != NO_TIME && old->first_replied_at != new->first_replied_at);
}

/* A ticket that was live and still is. */
static void
follow_live(ClockSet *set, const SlaTicket *old, SlaTicket *new, TimestampTz at)
{
	ListCell   *cell;

	note_holders(set, old);
	if (old->team_id != new->team_id || old->assignee_id != new->assignee_id)
		foreach(cell, set->clocks)
			pass_instant(&set->ledger, lfirst(cell), at);
	if (new->reply_count > old->reply_count && new->last_agent_at != NO_TIME)
		reply(set, old, new, at);
	if (old->category != new->category)
		change_category(set, old, new, at);
	if (changes_waiting(old, new))
		change_waiting(set, old, new, at);
	if (shows_late_comments(old, new))
		settle_waits(set, new, at);
	if (old->team_id != new->team_id)
		change_team(set, new, at);
	if (!is_solved(new->category) && may_match_else(old, new))
		match_again(set, new, at);
}

/* A ticket changes at an instant. */
void
follow_ticket(ClockSet *set, const SlaTicket *old, SlaTicket *new, TimestampTz at)
{
	if (old->is_live && new->is_live)
		follow_live(set, old, new, at);
	else if (old->is_live)
		stop_clocks(set, old, at);
	else if (new->is_live)
		resume_clocks(set, new, at, true);
}
