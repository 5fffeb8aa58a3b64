/*
 * sla_check.h
 *		What the rows of policies and targets must keep to, on every road.
 */
#ifndef SUPPORT_SLA_CHECK_H
#define SUPPORT_SLA_CHECK_H

#include "base/row.h"

extern const DeskTable sla_policies_table;
extern const DeskTable sla_targets_table;

extern bool is_policy_table(const DeskTable *table);
extern bool complete_policy_row(const DeskTable *table, const Row *old, Row *new);
extern void check_policy_row(const DeskTable *table, const Row *row);
extern void policy_row_changed(const DeskTable *table, const Row *old, const Row *new);
extern void check_calendar_unused(int64 calendar_id);

#endif							/* SUPPORT_SLA_CHECK_H */
