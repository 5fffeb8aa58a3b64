/*
 * sla_names.c
 *		What metrics, states of clocks and entries of the ledger are called.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "sla/sla_names.h"

const char *const sla_metric_names[SLA_METRICS] = {
	[SLA_FIRST_REPLY] = "first_reply",
	[SLA_NEXT_REPLY] = "next_reply",
	[SLA_PERIODIC_UPDATE] = "periodic_update",
	[SLA_REQUESTER_WAIT] = "requester_wait",
	[SLA_AGENT_WORK] = "agent_work",
	[SLA_RESOLUTION] = "resolution",
	[SLA_OWNERSHIP] = "ownership"
};

const char *const clock_state_names[] = {
	[CLOCK_RUNNING] = "running",
	[CLOCK_PAUSED] = "paused",
	[CLOCK_FULFILLED] = "fulfilled",
	[CLOCK_CANCELLED] = "cancelled"
};

const char *const sla_event_names[] = {
	[SLA_ACTIVATE] = "activate",
	[SLA_PAUSE] = "pause",
	[SLA_RESUME] = "resume",
	[SLA_RETARGET] = "retarget",
	[SLA_WARN] = "warn",
	[SLA_BREACH] = "breach",
	[SLA_BREACH_VOIDED] = "breach_voided",
	[SLA_FULFIL] = "fulfil",
	[SLA_CANCEL] = "cancel"
};

/* The metric of that name; false if there is none. */
bool
sla_metric_named(const char *name, SlaMetric *metric)
{
	for (int i = 0; i < SLA_METRICS; i++)
	{
		if (strcmp(sla_metric_names[i], name) == 0)
		{
			*metric = (SlaMetric) i;
			return true;
		}
	}
	return false;
}

/* The names of all metrics, for a hint. */
const char *
list_sla_metrics(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < SLA_METRICS; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", sla_metric_names[i]);
	return list.data;
}

/* The categories in which a metric's clock stands still unless its target says otherwise. */
uint8
usual_pauses(SlaMetric metric)
{
	switch (metric)
	{
		case SLA_REQUESTER_WAIT:
			return CATEGORY_BIT(CATEGORY_PENDING);
		case SLA_AGENT_WORK:
		case SLA_OWNERSHIP:
			return CATEGORY_BIT(CATEGORY_PENDING) | CATEGORY_BIT(CATEGORY_HOLD);
		default:
			return 0;
	}
}

/* The bits of the categories that an array names. */
uint8
categories_in(ArrayType *array)
{
	uint8		categories = 0;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) == 0)
		return 0;
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		Category	category;

		if (!nulls[i] && category_named(TextDatumGetCString(names[i]), &category))
			categories |= CATEGORY_BIT(category);
	}
	return categories;
}

/* An array of the names of categories. */
ArrayType *
categories_array(uint8 categories)
{
	Datum		names[CATEGORY_CLOSED + 1];
	int			n = 0;

	for (Category category = CATEGORY_NEW; category <= CATEGORY_CLOSED; category++)
		if (categories & CATEGORY_BIT(category))
			names[n++] = CStringGetTextDatum(category_name(category));
	return construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT);
}
