/*
 * sla_wait.c
 *		Who waited for a reply since when, and until when, where comments come in late.
 *
 * Comments may come in out of order, with the times of another system. The clocks for replies are to say what they would
 * have said had each come in its time. A change of the ticket's row tells that something was late, but not what it was:
 * that is read from the comments.
 *
 * What they tell of the time before replies were promised, or after a solution, is left alone.
 */
#include "postgres.h"

#include "sla/sla_wait.h"

#define NO_TIME DT_NOBEGIN

/* When the first reply after an instant was given. The last one may have no text: an import tells its time. */
TimestampTz
reply_after(ClockSet *set, const SlaTicket *ticket, TimestampTz since, TimestampTz at)
{
	Letters		letters = set->letters(set, at);

	for (int i = 0; i < letters.n && letters.all[i].at < ticket->last_agent_at; i++)
		if (letters.all[i].is_reply && letters.all[i].at > since)
			return letters.all[i].at;
	return ticket->last_agent_at;
}

/* A clock is fulfilled by a reply, that may have been given before it last turned. */
void
answer_clock(ClockSet *set, const SlaTicket *ticket, Clock *clock, TimestampTz replied_at)
{
	StatusPeriods periods;
	int64		consumed;

	replied_at = Max(replied_at, clock->started_at);
	if (is_open_clock(clock) && replied_at >= clock->checkpoint_at)
	{
		fulfil_clock(&set->ledger, clock, replied_at);
		return;
	}
	periods = set->periods(set, ticket);
	consumed = consumed_in_periods(&clock->promise, &periods, clock->started_at, replied_at);
	fulfil_clock_before(&set->ledger, clock, replied_at, Min(consumed, clock->consumed));
}

/* Did replies come in that may be older than the last one? */
bool
has_older_replies(const SlaTicket *old, const SlaTicket *new)
{
	return new->last_agent_at <= old->last_agent_at || new->reply_count > old->reply_count + 1;
}

/* Does a change of the ticket come of comments that were written before others which it had already? */
bool
shows_late_comments(const SlaTicket *old, const SlaTicket *new)
{
	if (new->reply_count > old->reply_count && (has_older_replies(old, new) || new->waiting_since != NO_TIME))
		return true;
	return new->last_customer_at != old->last_customer_at && new->last_customer_at != NO_TIME &&
		(new->last_customer_at < old->last_customer_at || new->last_customer_at < new->last_agent_at);
}

/* The first clock for the next reply that ran while a customer waited, or was cancelled then; NULL if there is none. */
static Clock *
clock_of_wait(const ClockSet *set, TimestampTz since, TimestampTz until)
{
	Clock	   *found = NULL;
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		Clock	   *clock = lfirst(cell);

		if (clock->promise.metric == SLA_NEXT_REPLY && clock->started_at <= until &&
			(is_open_clock(clock) || clock->ended_at > since || clock->started_at >= since) &&
			(found == NULL || clock->started_at < found->started_at))
			found = clock;
	}
	return found;
}

/* Is it known already that a customer who seems to wait got a reply, and has a clock said so? */
bool
wait_is_settled(ClockSet *set, const SlaTicket *ticket, TimestampTz at)
{
	TimestampTz since = ticket->waiting_since;

	return ticket->last_agent_at > since &&
		clock_of_wait(set, since, reply_after(set, ticket, since, at)) != NULL;
}

/* Was a reply of this time promised to the ticket then? As far as clocks for replies tell. */
static bool
was_measured(const ClockSet *set, TimestampTz at)
{
	ListCell   *cell;

	foreach(cell, set->clocks)
	{
		const Clock *clock = lfirst(cell);

		if ((clock->promise.metric == SLA_FIRST_REPLY || clock->promise.metric == SLA_NEXT_REPLY) &&
			clock->started_at <= at)
			return true;
	}
	return false;
}

/* The instant until which a ticket was unsolved, from one on to another; the former if it was solved then. */
static TimestampTz
unsolved_until(ClockSet *set, const SlaTicket *ticket, TimestampTz from_at, TimestampTz to_at)
{
	StatusPeriods periods = set->periods(set, ticket);

	for (int i = 0; i < periods.n && periods.all[i].at < to_at; i++)
		if (is_solved(periods.all[i].category) && (i + 1 == periods.n || periods.all[i + 1].at > from_at))
			return Max(from_at, periods.all[i].at);
	return to_at;
}

/* A customer waited for the next reply from one instant to another, as is known now: have a clock say so. */
static void
settle_wait(ClockSet *set, SlaTicket *ticket, TimestampTz since, TimestampTz replied_at)
{
	const Promise *promise = promise_for(set, ticket, SLA_NEXT_REPLY);
	Clock	   *clock = clock_of_wait(set, since, replied_at);
	TimestampTz until = unsolved_until(set, ticket, since, replied_at);

	if (clock == NULL)
	{
		if (promise != NULL && until > since && was_measured(set, since))
			answer_clock(set, ticket, begin_clock(set, ticket, promise, since, since, 0), until);
		return;
	}
	if (clock->state == CLOCK_CANCELLED)
		return;
	if (since < clock->started_at && until >= clock->started_at && counts_since(set, clock, since))
	{
		TimestampTz ended_at = is_open_clock(clock) ? replied_at : Min(replied_at, clock->ended_at);

		start_clock_before(&set->ledger, clock, since, CATEGORY_OPEN);
		answer_clock(set, ticket, clock, ended_at);
	}
	else if (is_open_clock(clock) || replied_at < clock->ended_at)
		answer_clock(set, ticket, clock, replied_at);
}

/* Go through what was written to and fro once more, until the last reply: who waited since when, and until when? */
void
settle_waits(ClockSet *set, SlaTicket *ticket, TimestampTz at)
{
	Letters		letters = set->letters(set, at);
	TimestampTz since = NO_TIME;

	for (int i = 0; i < letters.n && letters.all[i].at <= ticket->last_agent_at; i++)
	{
		const Letter *letter = &letters.all[i];

		if (letter->is_reply && since != NO_TIME && ticket->first_replied_at <= since)
			settle_wait(set, ticket, since, letter->at);
		if (letter->is_reply)
			since = NO_TIME;
		else if (since == NO_TIME)
			since = letter->at;
	}
}
