/*
 * sla_simulate.c
 *		How a policy would have done.
 *
 * The tickets that were opened in a range are followed once more, with the very code that follows them as they change,
 * under a policy that need not exist. What a ticket was at each change is rebuilt from its row and the log: backwards
 * from the row as it is, each entry says what it replaced. Then it is followed forwards. The clocks are kept in memory,
 * nothing is written, and each ticket's are forgotten once they are counted.
 *
 * Tags are those of today, and so are the calendars.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/json.h"
#include "base/tables.h"
#include "calendar/opening_hours.h"
#include "log/record_reader.h"
#include "log/row_image.h"
#include "sla/sla_follow.h"
#include "sla/sla_names.h"
#include "sla/sla_wait.h"
#include "stats/histogram.h"

enum
{
	METRIC,
	TICKETS,
	DECIDED,
	ACHIEVED,
	BREACHED,
	STILL_OPEN,
	PERCENT,
	P50,
	P90,
	COLUMNS
};

/* What came of the clocks of a metric. */
typedef struct Outcome
{
	int64		tickets;
	int64		achieved;
	int64		breached;
	int64		still_open;		/* of the breached ones */
	int64		fulfilled;
	Histogram	consumed;		/* by the fulfilled ones */
} Outcome;

/* What a ticket was after a change, and the change. */
typedef struct State
{
	RecordChange change;
	bool		is_there;		/* false between its removal and its return */
	int64		version;
	SlaTicket	ticket;
} State;

/* A ticket that is followed. */
typedef struct Simulation
{
	ClockSet	set;			/* first, for the callbacks */
	const Policy *policy;
	MemoryContext per_ticket;	/* owns what follows, but for the outcomes */
	State	   *states;			/* the first one is that before any change */
	int			nstates;
	int			room;
	int			now;			/* the state at hand */
	bool		matched;		/* in this state: */
	bool		matches;
	bool		tags_known;
	List	   *tags;
	int64		last_id;
	Outcome		outcomes[SLA_METRICS];
} Simulation;

/* The columns that clocks turn by, and the version. */
static const int followed_columns[] = {
	TICKET_STATUS, TICKET_PRIORITY, TICKET_CREATED_AT, TICKET_DELETED_AT, TICKET_TEAM_ID, TICKET_ASSIGNEE_ID,
	TICKET_VERSION, TICKET_WAITING_SINCE, TICKET_LAST_AGENT_AT, TICKET_LAST_CUSTOMER_AT, TICKET_FIRST_REPLIED_AT, TICKET_REPLY_COUNT,
	TICKET_ORGANIZATION_ID, TICKET_CHANNEL, TICKET_CUSTOM
};

/* Does the policy hold for the ticket as it is now? */
static const Policy *
match_simulated(ClockSet *set, SlaTicket *ticket)
{
	Simulation *simulation = (Simulation *) set;

	if (!simulation->matched)
	{
		ticket->tags_known = simulation->tags_known;
		ticket->tags = simulation->tags;
		simulation->matches = policy_matches(simulation->policy, ticket);
		simulation->tags_known = ticket->tags_known;
		simulation->tags = ticket->tags;
		simulation->matched = true;
	}
	return simulation->matches ? simulation->policy : NULL;
}

/* Nobody has clocks count from later than what they measure. */
static bool
counts_since_owed(ClockSet *set, const Clock *clock)
{
	return false;
}

/* The categories that the ticket went through until now. */
static StatusPeriods
periods_until_now(ClockSet *set, const SlaTicket *ticket)
{
	Simulation *simulation = (Simulation *) set;
	StatusPeriod *all = palloc(sizeof(StatusPeriod) * (simulation->now + 1));
	TimestampTz at = DT_NOBEGIN;
	int			n = 0;

	for (int i = 0; i <= simulation->now; i++)
	{
		const State *state = &simulation->states[i];

		if (!state->is_there && n == 0)
			continue;
		at = n == 0 ? DT_NOBEGIN : Max(at, state->change.occurred_at);
		all[n++] = (StatusPeriod) {
			at, state->ticket.category, !state->is_there || !state->ticket.is_live
		};
	}
	return (StatusPeriods) {
		n, all
	};
}

static int64
next_simulated_id(ClockSet *set)
{
	return ++((Simulation *) set)->last_id;
}

static void
keep_no_ledger(Ledger *ledger, const Clock *clock, const SlaEvent *event)
{
}

/* The version that an image has, -1 if it has none. */
static int64
image_version(Datum image)
{
	return image == (Datum) 0 ? -1 : json_member_int64(DatumGetJsonbP(image), "version", -1);
}

/* Was a change brought in from another system? Those that the desk saw tell a version. */
static bool
was_brought_in(const RecordChange *change)
{
	return change->kind == CHANGE_UPDATE && image_version(change->old_value) == -1;
}

/*
 * Did a change come before one that the log has before it? One that was brought in has its own time, save that the ticket
 * began by its first entry. Within a transaction a change that a trigger of the application made on the way is in the log
 * before the one it came from: the versions tell.
 */
static bool
came_before(const RecordChange *a, const RecordChange *b)
{
	if (was_brought_in(a) || was_brought_in(b))
		return a->occurred_at < b->occurred_at;
	return a->kind == CHANGE_UPDATE && b->kind == CHANGE_UPDATE && a->xid == b->xid && a->era == b->era &&
		image_version(a->old_value) < image_version(b->old_value);
}

/* Add a change of the ticket at hand. */
static void
add_change(Simulation *simulation, const RecordChange *change)
{
	State	   *states;
	int			i = simulation->nstates;
	int			first = i > 1 && simulation->states[1].change.kind == CHANGE_INSERT ? 2 : 1;

	if (i == simulation->room)
	{
		simulation->room *= 2;
		simulation->states = repalloc(simulation->states, sizeof(State) * simulation->room);
	}
	states = simulation->states;
	for (; i > first && came_before(change, &states[i - 1].change); i--)
		states[i].change = states[i - 1].change;
	states[i].change = *change;
	states[i].change.old_value = change->old_value == (Datum) 0 ? (Datum) 0 : datumCopy(change->old_value, false, -1);
	simulation->nstates++;
}

/* Collect what the log has of the ticket at hand. Nothing is known of a life before a purge. */
static void
collect_changes(Simulation *simulation, RecordReader *records)
{
	const RecordChange *change;

	simulation->room = 16;
	simulation->states = palloc(sizeof(State) * simulation->room);
	simulation->states[0] = (State) {
		.change = {.kind = CHANGE_OTHER}
	};
	simulation->nstates = 1;
	while ((change = change_of_record(records)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (change->kind == CHANGE_PURGE || (change->kind == CHANGE_DELETE && change->old_value == (Datum) 0))
			simulation->nstates = 1;
		else if (change->kind == CHANGE_INSERT || (change->kind != CHANGE_OTHER && change->old_value != (Datum) 0))
			add_change(simulation, change);
		next_change(records);
	}
}

/* Take a change back from a row. Values that a column has no room for today are null. */
static void
take_back(Row *row, const RecordChange *change)
{
	Jsonb	   *image = DatumGetJsonbP(change->old_value);

	for (int i = 0; i < lengthof(followed_columns); i++)
	{
		int			attribute = row->shape->columns[followed_columns[i]] - 1;
		Form_pg_attribute att = TupleDescAttr(row->desc, attribute);
		JsonbValue	buffer;
		JsonbValue *value = json_member(&image->root, NameStr(att->attname), &buffer);

		if (value == NULL)
			continue;
		row->nulls[attribute] = value->type == jbvNull ||
			!image_value(value, row->shape->kinds[attribute], att, &row->values[attribute]);
	}
}

/* Find what the ticket was after each change: backwards from what it is. */
static void
rebuild_states(Simulation *simulation, const Row *live)
{
	Row			row = empty_row(live->shape, live->desc);
	bool		is_there = true;

	memcpy(row.values, live->values, sizeof(Datum) * live->desc->natts);
	memcpy(row.nulls, live->nulls, sizeof(bool) * live->desc->natts);
	for (int i = simulation->nstates - 1; i >= 0; i--)
	{
		State	   *state = &simulation->states[i];

		state->is_there = is_there;
		if (is_there)
		{
			state->ticket = sla_ticket_of(&row);
			state->version = row_int64(&row, TICKET_VERSION);
		}
		if (state->change.kind == CHANGE_INSERT)
			is_there = false;
		else if (state->change.old_value != (Datum) 0)
		{
			is_there = true;
			take_back(&row, &state->change);
		}
	}
}

/* Is a ticket that is there again the one that was removed? */
static bool
is_restored(const State *removed, const State *back)
{
	return removed->version == back->version && removed->ticket.created_at == back->ticket.created_at;
}

/* When a change happened. The log has a comment that was brought in late at the time at which it was written. */
static TimestampTz
instant_of_change(const State *was, const State *is)
{
	TimestampTz at = is->change.occurred_at;

	if (was != NULL && shows_late_comments(&was->ticket, &is->ticket))
		at = Max(at, Max(is->ticket.last_agent_at, is->ticket.last_customer_at));
	return at;
}

/* Follow the ticket through a change. was is the last state in which it was there, NULL if there is none. */
static void
follow_change(Simulation *simulation, State *was, State *is)
{
	ClockSet   *set = &simulation->set;
	TimestampTz at = instant_of_change(was, is);

	if (was == NULL)
		begin_clocks(set, &is->ticket);
	else if (is->change.kind == CHANGE_DELETE)
	{
		if (was->ticket.is_live)
			stop_clocks(set, &was->ticket, at);
	}
	else if (is->change.kind == CHANGE_UPDATE)
		follow_ticket(set, &was->ticket, &is->ticket, at);
	else if (!is_restored(was, is))
		begin_clocks(set, &is->ticket);
	else if (is->ticket.is_live)
		resume_clocks(set, &is->ticket, at, true);
}

/* Follow the ticket at hand from its first state to its last. */
static void
follow_states(Simulation *simulation)
{
	State	   *was = NULL;

	simulation->set.clocks = NIL;
	simulation->tags_known = false;
	for (simulation->now = 0; simulation->now < simulation->nstates; simulation->now++)
	{
		State	   *is = &simulation->states[simulation->now];

		CHECK_FOR_INTERRUPTS();
		/* nor is a ticket known that the log changes before it has it */
		if (!is->is_there && (was == NULL || is->change.kind != CHANGE_DELETE))
			continue;
		simulation->matched = false;
		follow_change(simulation, was, is);
		if (is->is_there)
			was = is;
	}
	simulation->now = simulation->nstates - 1;
}

/* Count what came of a clock. */
static void
count_clock(Outcome *outcome, const Clock *clock)
{
	bool		breached = is_breached(clock);

	outcome->breached += breached;
	outcome->still_open += breached && is_open_clock(clock);
	if (clock->state != CLOCK_FULFILLED)
		return;
	outcome->achieved += !breached;
	outcome->fulfilled++;
	histogram_add(&outcome->consumed, histogram_bucket(clock->consumed / USECS_PER_SEC), 1);
}

/* Count the clocks of the ticket at hand, with what is due until an instant. */
static void
count_clocks(Simulation *simulation, TimestampTz until)
{
	uint32		seen = 0;
	ListCell   *cell;

	foreach(cell, simulation->set.clocks)
	{
		Clock	   *clock = lfirst(cell);
		SlaMetric	metric = clock->promise.metric;

		pass_instant(&simulation->set.ledger, clock, until);
		count_clock(&simulation->outcomes[metric], clock);
		if ((seen & (1 << metric)) == 0)
			simulation->outcomes[metric].tickets++;
		seen |= 1 << metric;
	}
}

/* Follow the tickets that were opened in a range. */
static void
follow_tickets(Simulation *simulation, TimestampTz from_at, TimestampTz to_at)
{
	Relation	rel = table_open(desk_relation("support", "tickets"), AccessShareLock);
	TimestampTz until = desk_now();
	RecordReader records;

	open_records_of_opened(&records, rel, from_at, to_at);
	while (next_record(&records))
	{
		const Row  *live = row_of_record(&records);
		MemoryContext caller;

		CHECK_FOR_INTERRUPTS();
		if (live == NULL)
			continue;
		caller = MemoryContextSwitchTo(simulation->per_ticket);
		simulation->set.ticket_id = row_int64(live, TICKET_ID);
		collect_changes(simulation, &records);
		rebuild_states(simulation, live);
		follow_states(simulation);
		count_clocks(simulation, until);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(simulation->per_ticket);
	}
	close_records(&records);
	table_close(rel, NoLock);
}

/* A percentile of what the fulfilled clocks of a metric consumed. */
static Datum
percentile(const Outcome *outcome, double fraction)
{
	return time_span((int64) rint(histogram_percentile(&outcome->consumed, fraction)) * USECS_PER_SEC);
}

/* Give out what came of a metric, if it was promised to any ticket. */
static void
put_outcome(ReturnSetInfo *rsinfo, SlaMetric metric, const Outcome *outcome)
{
	int64		decided = outcome->achieved + outcome->breached;
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

	if (outcome->tickets == 0)
		return;
	values[METRIC] = CStringGetTextDatum(sla_metric_names[metric]);
	values[TICKETS] = Int64GetDatum(outcome->tickets);
	values[DECIDED] = Int64GetDatum(decided);
	values[ACHIEVED] = Int64GetDatum(outcome->achieved);
	values[BREACHED] = Int64GetDatum(outcome->breached);
	values[STILL_OPEN] = Int64GetDatum(outcome->still_open);
	nulls[PERCENT] = decided == 0;
	if (decided > 0)
	{
		int64		permille = (outcome->achieved * 1000 + decided / 2) / decided;

		values[PERCENT] = NumericGetDatum(int64_div_fast_to_numeric(permille, 1));
	}
	nulls[P50] = nulls[P90] = outcome->fulfilled == 0;
	if (outcome->fulfilled > 0)
	{
		values[P50] = percentile(outcome, 0.5);
		values[P90] = percentile(outcome, 0.9);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static Simulation *
new_simulation(Jsonb *policy)
{
	Simulation *simulation = palloc0(sizeof(Simulation));

	simulation->set.ledger.write = keep_no_ledger;
	simulation->set.match = match_simulated;
	simulation->set.periods = periods_until_now;
	simulation->set.new_id = next_simulated_id;
	simulation->set.letters = read_letters;
	simulation->set.counts_from_now = counts_since_owed;
	simulation->policy = policy_from(policy);
	simulation->per_ticket = AllocSetContextCreate(CurrentMemoryContext, "simulated ticket", ALLOCSET_DEFAULT_SIZES);
	for (SlaMetric metric = 0; metric < SLA_METRICS; metric++)
		simulation->outcomes[metric].consumed.context = CurrentMemoryContext;
	return simulation;
}

/* sla_simulate(policy, from_at, to_at) -> what would have come of the promises */
PG_FUNCTION_INFO_V1(support_sla_simulate);
Datum
support_sla_simulate(PG_FUNCTION_ARGS)
{
	Jsonb	   *policy = DatumGetJsonbP(required_argument(fcinfo, 0, "policy"));
	TimestampTz from_at = required_time(fcinfo, 1, "from_at");
	TimestampTz to_at = required_time(fcinfo, 2, "to_at");
	Simulation *simulation;
	Call		call;

	if (from_at > to_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_at must not be after to_at")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	simulation = new_simulation(policy);
	follow_tickets(simulation, from_at, to_at);
	for (SlaMetric metric = 0; metric < SLA_METRICS; metric++)
		put_outcome((ReturnSetInfo *) fcinfo->resultinfo, metric, &simulation->outcomes[metric]);
	end_call(&call);
	return (Datum) 0;
}
