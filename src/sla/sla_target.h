/*
 * sla_target.h
 *		What may be promised, and how functions are told of it.
 */
#ifndef SUPPORT_SLA_TARGET_H
#define SUPPORT_SLA_TARGET_H

#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "sla/sla.h"

/* The targets in a jsonb array that somebody gives, as rows of support.sla_targets without keys. */
#define GIVEN_TARGETS_OF(targets) \
	"(SELECT" \
	" e.element ->> 'metric' AS metric," \
	" e.element ->> 'priority' AS priority," \
	" (e.element ->> 'target')::interval AS target," \
	" coalesce((e.element ->> 'calendar_id')::int8," \
	"	(SELECT c.id FROM support.calendars AS c" \
	"	 WHERE c.name::text = (e.element ->> 'calendar')))" \
	"	AS calendar_id," \
	" CASE WHEN e.element ? 'pause' THEN" \
	"	ARRAY(SELECT p.category FROM jsonb_array_elements_text(e.element -> 'pause')" \
	"		AS p (category)) END AS pause_categories," \
	" CASE WHEN e.element ? 'warn' THEN" \
	"	ARRAY(SELECT w.percent::int4" \
	"		FROM jsonb_array_elements_text(e.element -> 'warn') AS w (percent))" \
	"	ELSE '{75,90}'::int4[] END AS warn_percents" \
	" FROM jsonb_array_elements(" targets ") AS e (element))"

extern SlaMetric check_target(const char *metric, const Interval *target, bool by_calendar, ArrayType *pauses,
							  ArrayType *warns);
pg_noreturn extern void refuse_targets(const char *what);
extern void check_targets(Jsonb *targets);

#endif							/* SUPPORT_SLA_TARGET_H */
