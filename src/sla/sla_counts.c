/*
 * sla_counts.c
 *		What came of promises, for the reports.
 *
 * A promise to a live ticket counts once it is kept or broken, at that instant, by its metric, its policy and who had
 * the ticket then, all in one value: "first_reply/1/7/3". One that is broken and not yet fulfilled counts as late, too.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "sla/sla_counts.h"
#include "sla/sla_names.h"
#include "stats/delta_writer.h"

/* What a clock counts for. Most changes alter none of it, so the value is put together only where it is counted. */
typedef struct ClockOutcome
{
	uint32		measures;		/* 0 while there is no outcome, and nothing else */
	TimestampTz at;
	SlaMetric	metric;
	int64		policy_id;
	int64		team_id;
	int64		assignee_id;
} ClockOutcome;

static ClockOutcome
outcome_of(const Clock *clock)
{
	TimestampTz at = decided_at(clock);

	if (at == DT_NOBEGIN)
		return (ClockOutcome) {0};
	return (ClockOutcome) {
		.measures = !is_breached(clock) ? STAT_BIT(STAT_SLA_ACHIEVED) :
			STAT_BIT(STAT_SLA_BREACHED) | (is_open_clock(clock) ? STAT_BIT(STAT_SLA_LATE) : 0),
		.at = at,
		.metric = clock->promise.metric,
		.policy_id = clock->promise.policy_id,
		.team_id = clock->decided_team_id,
		.assignee_id = clock->decided_assignee_id
	};
}

/* Keep in mind what a clock that was just read counts for. */
void
note_outcome(Clock *clock)
{
	clock->outcome = palloc(sizeof(ClockOutcome));
	*clock->outcome = outcome_of(clock);
}

static void
count(const ClockOutcome *outcome, int32 weight)
{
	Delta		delta = new_delta(weight, outcome->measures);
	char	   *value = psprintf("%s/%lld/%lld/%lld", sla_metric_names[outcome->metric], (long long) outcome->policy_id,
								 (long long) outcome->team_id, (long long) outcome->assignee_id);

	delta_set_time(&delta, DELTA_AT, outcome->at);
	delta_set(&delta, DELTA_STATUS, CStringGetTextDatum(value));
	write_delta(&delta);
}

static bool
same_outcome(const ClockOutcome *a, const ClockOutcome *b)
{
	return a->measures == b->measures && a->at == b->at && a->metric == b->metric && a->policy_id == b->policy_id &&
		a->team_id == b->team_id && a->assignee_id == b->assignee_id;
}

/* Take back what the clocks of a ticket counted for, and count what they do now, where the two differ. */
void
count_outcomes(const List *clocks, bool was_live, bool is_live)
{
	static const ClockOutcome none = {0};
	ListCell   *cell;

	foreach(cell, clocks)
	{
		const Clock *clock = lfirst(cell);
		ClockOutcome before = was_live && clock->outcome != NULL ? *clock->outcome : none;
		ClockOutcome after = is_live ? outcome_of(clock) : none;

		if (same_outcome(&before, &after))
			continue;
		lock_deltas();
		if (before.measures != 0)
			count(&before, -1);
		if (after.measures != 0)
			count(&after, 1);
	}
}
