/*
 * stat_expand.c
 *		From rows of facts to contributions.
 *
 * This says what each measure counts, when, and by what. Counters, readers and the check of both go through here, so
 * they agree on it.
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/floor_div.h"
#include "stats/stats.h"

#define TICKET_DIMS "-tapco"
/* Durations are kept one by one, nearly: by what has few values. */
#define DURATION_DIMS "-tpc"
#define COHORT_DIMS "-tp"

const MeasureInfo measure_infos[STAT_MEASURES] = {
	[STAT_STATUS_STOCK] = {"status_stock", "s"},
	[STAT_OPEN] = {"open", TICKET_DIMS "g", .has_instants = true},
	[STAT_UNASSIGNED] = {"unassigned", "-tpco"},
	[STAT_WAITING] = {"waiting", "-tap", .has_instants = true},
	[STAT_UNANSWERED] = {"unanswered", TICKET_DIMS, .has_instants = true},
	[STAT_TICKETS] = {"tickets", TICKET_DIMS "g"},
	[STAT_FIRST_REPLY] = {"first_reply", DURATION_DIMS, .has_duration = true, .has_seconds = true},
	[STAT_FIRST_REPLY_COHORT] = {"first_reply_cohort", COHORT_DIMS, .has_duration = true, .has_seconds = true},
	[STAT_RESOLUTION] = {"resolution", DURATION_DIMS, .has_duration = true, .has_seconds = true},
	[STAT_RESOLUTION_COHORT] = {"resolution_cohort", COHORT_DIMS, .has_duration = true, .has_seconds = true},
	[STAT_FULL_RESOLUTION] = {"full_resolution", DURATION_DIMS, .has_duration = true, .has_seconds = true},
	[STAT_FULL_RESOLUTION_COHORT] = {"full_resolution_cohort", COHORT_DIMS, .has_duration = true, .has_seconds = true},
	[STAT_ONE_TOUCH] = {"one_touch", TICKET_DIMS},
	[STAT_TWO_TOUCH] = {"two_touch", TICKET_DIMS},
	[STAT_MULTI_TOUCH] = {"multi_touch", TICKET_DIMS},
	[STAT_REOPENED_TICKETS] = {"reopened_tickets", TICKET_DIMS},
	[STAT_STATUS_FLOW] = {"status_flow", "s", .has_seconds = true},
	[STAT_ENTERED] = {"entered", "s"},
	[STAT_SOLVED] = {"solved", TICKET_DIMS "u"},
	[STAT_RESOLVED_AGAIN] = {"resolved_again", TICKET_DIMS, .has_pairs = true},
	[STAT_REOPENED] = {"reopened", TICKET_DIMS "u"},
	[STAT_REPLY] = {"reply", "-u"},
	[STAT_CUSTOMER_COMMENT] = {"customer_comment", "-"},
	[STAT_SLA_ACHIEVED] = {"sla_achieved", "s"},
	[STAT_SLA_BREACHED] = {"sla_breached", "s"},
	[STAT_SLA_LATE] = {"sla_late", "s"}
};

/* The measure of a name. Raises 22023 for none. */
Measure
measure_named(const char *name)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int measure = 0; measure < STAT_MEASURES; measure++)
	{
		if (strcmp(measure_infos[measure].name, name) == 0)
			return measure;
		appendStringInfo(&known, "%s%s", known.len > 0 ? ", " : "", measure_infos[measure].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("measure \"%s\" does not exist", name),
			 errhint("There are: %s.", known.data)));
}

/* A quarter hour's number, from 2000-01-01 in UTC. */
int64
slot_of(TimestampTz at)
{
	return floor_div(at, SLOT_USECS);
}

/* Whole seconds from one time to another, none if it is before. */
static int64
seconds_between(TimestampTz from, TimestampTz to)
{
	int64		usecs;

	if (to <= from || TIMESTAMP_NOT_FINITE(from))
		return 0;
	return (pg_sub_s64_overflow(to, from, &usecs) ? PG_INT64_MAX : usecs) / USECS_PER_SEC;
}

/* When a measure counts the row, and how long it took. */
void
stat_measure(const StatRow *row, Measure measure, TimestampTz *at, int64 *seconds)
{
	*seconds = 0;
	switch (measure)
	{
		case STAT_STATUS_STOCK:
		case STAT_OPEN:
		case STAT_UNASSIGNED:
		case STAT_UNANSWERED:
		case STAT_TICKETS:
			*at = row->created_at;
			break;
		case STAT_WAITING:
			*at = row->waiting_since;
			break;
		case STAT_FIRST_REPLY:
		case STAT_FIRST_REPLY_COHORT:
			*at = measure == STAT_FIRST_REPLY ? row->first_replied_at : row->created_at;
			*seconds = seconds_between(row->created_at, row->first_replied_at);
			break;
		case STAT_RESOLUTION:
		case STAT_RESOLUTION_COHORT:
			*at = measure == STAT_RESOLUTION ? row->first_solved_at : row->created_at;
			*seconds = seconds_between(row->created_at, row->first_solved_at);
			break;
		case STAT_FULL_RESOLUTION:
		case STAT_FULL_RESOLUTION_COHORT:
			*at = measure == STAT_FULL_RESOLUTION ? row->solved_at : row->created_at;
			*seconds = seconds_between(row->created_at, row->solved_at);
			break;
		case STAT_ONE_TOUCH:
		case STAT_TWO_TOUCH:
		case STAT_MULTI_TOUCH:
		case STAT_REOPENED_TICKETS:
			*at = row->solved_at;
			break;
		case STAT_STATUS_FLOW:
			*at = row->at;
			*seconds = floor_div(row->at, USECS_PER_SEC);
			break;
		case STAT_RESOLVED_AGAIN:
			*at = row->at;
			*seconds = Max(slot_of(row->at) - slot_of(row->created_at), 0);
			break;
		case STAT_ENTERED:
		case STAT_SOLVED:
		case STAT_REOPENED:
		case STAT_REPLY:
		case STAT_CUSTOMER_COMMENT:
		case STAT_SLA_ACHIEVED:
		case STAT_SLA_BREACHED:
		case STAT_SLA_LATE:
			*at = row->at;
			break;
		case STAT_MEASURES:
			elog(ERROR, "no such measure");
	}
}

/* An id as text, in the buffer given; "" for none. */
static const char *
id_text(int64 id, char *buffer)
{
	if (id == NO_STAT_ID)
		return "";
	pg_lltoa(id, buffer);
	return buffer;
}

/* The row's value in a dimension. */
static const char *
value_of(const StatRow *row, char dim, char *buffer)
{
	switch (dim)
	{
		case DIM_TEAM:
			return id_text(row->team_id, buffer);
		case DIM_ASSIGNEE:
			return id_text(row->assignee_id, buffer);
		case DIM_PRIORITY:
			return row->priority ? row->priority : "normal";
		case DIM_CHANNEL:
			return row->channel ? row->channel : "";
		case DIM_ORGANIZATION:
			return id_text(row->organization_id, buffer);
		case DIM_STATUS:
			return row->status ? row->status : "";
		case DIM_TAG:
			return id_text(row->tag_id, buffer);
		case DIM_USER:
			return id_text(row->agent_id, buffer);
		default:
			return "";
	}
}

/* Give the sink each contribution of the row. */
void
stat_expand(const StatRow *row, ContributionSink sink, void *arg)
{
	bool		is_tag = row->tag_id != NO_STAT_ID;
	char		buffer[MAXINT8LEN + 1];

	for (int measure = 0; measure < STAT_MEASURES; measure++)
	{
		Contribution contribution = {.measure = measure, .weight = row->weight};

		if (!(row->measures & STAT_BIT(measure)))
			continue;
		stat_measure(row, measure, &contribution.at, &contribution.seconds);
		for (const char *dim = measure_infos[measure].dims; *dim != '\0'; dim++)
		{
			if (is_tag != (*dim == DIM_TAG))
				continue;
			contribution.dim = *dim;
			contribution.value = value_of(row, *dim, buffer);
			sink(arg, &contribution);
		}
	}
}
