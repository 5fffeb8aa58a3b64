/*
 * sla_given.h
 *		What may be promised, and how functions are told of it.
 */
#ifndef SUPPORT_SLA_GIVEN_H
#define SUPPORT_SLA_GIVEN_H

#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "sla.h"

/* The targets in a jsonb array that somebody gives, as rows of support.sla_targets without keys. */
#define GIVEN_TARGETS_OF(targets) \
	"(SELECT" \
	" e.element OPERATOR(pg_catalog.->>) 'metric' AS metric," \
	" e.element OPERATOR(pg_catalog.->>) 'priority' AS priority," \
	" (e.element OPERATOR(pg_catalog.->>) 'target')::pg_catalog.interval AS target," \
	" coalesce((e.element OPERATOR(pg_catalog.->>) 'calendar_id')::pg_catalog.int8," \
	"	(SELECT c.id FROM support.calendars AS c" \
	"	 WHERE c.name::pg_catalog.text OPERATOR(pg_catalog.=) (e.element OPERATOR(pg_catalog.->>) 'calendar')))" \
	"	AS calendar_id," \
	" CASE WHEN e.element OPERATOR(pg_catalog.?) 'pause' THEN" \
	"	ARRAY(SELECT p.category FROM pg_catalog.jsonb_array_elements_text(e.element OPERATOR(pg_catalog.->) 'pause')" \
	"		AS p (category)) END AS pause_categories," \
	" CASE WHEN e.element OPERATOR(pg_catalog.?) 'warn' THEN" \
	"	ARRAY(SELECT w.percent::pg_catalog.int4" \
	"		FROM pg_catalog.jsonb_array_elements_text(e.element OPERATOR(pg_catalog.->) 'warn') AS w (percent))" \
	"	ELSE '{75,90}'::pg_catalog.int4[] END AS warn_percents" \
	" FROM pg_catalog.jsonb_array_elements(" targets ") AS e (element))"

extern SlaMetric check_target(const char *metric, const Interval *target, ArrayType *pauses, ArrayType *warns);
extern bool whole_number(const JsonbValue *value, int64 *number);
pg_noreturn extern void refuse_targets(const char *what);
extern void check_targets(Jsonb *targets);

#endif							/* SUPPORT_SLA_GIVEN_H */
