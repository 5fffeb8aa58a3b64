/*
 * sla_names.h
 *		What metrics, states of clocks and entries of the ledger are called.
 */
#ifndef SUPPORT_SLA_NAMES_H
#define SUPPORT_SLA_NAMES_H

#include "utils/array.h"

#include "sla/sla.h"

extern const char *const sla_metric_names[SLA_METRICS];
extern const char *const clock_state_names[];
extern const char *const sla_event_names[];

extern bool sla_metric_named(const char *name, SlaMetric *metric);
extern const char *list_sla_metrics(void);
extern uint8 usual_pauses(SlaMetric metric);
extern uint8 categories_in(ArrayType *array);
extern ArrayType *categories_array(uint8 categories);

#endif							/* SUPPORT_SLA_NAMES_H */
