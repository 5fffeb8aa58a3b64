/*
 * sla_counts.h
 *		What came of promises, for the reports.
 */
#ifndef SUPPORT_SLA_COUNTS_H
#define SUPPORT_SLA_COUNTS_H

#include "sla/sla_clock.h"

extern void count_outcomes(const List *clocks, bool was_live, bool is_live);
extern void note_outcome(Clock *clock);

#endif							/* SUPPORT_SLA_COUNTS_H */
