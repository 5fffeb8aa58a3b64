/*
 * sla_condition.h
 *		What a ticket must be for a policy to hold.
 */
#ifndef SUPPORT_SLA_CONDITION_H
#define SUPPORT_SLA_CONDITION_H

#include "utils/jsonb.h"

#include "sla/sla.h"

extern List *read_conditions(Jsonb *conditions);
extern bool meets_conditions(const List *conditions, SlaTicket *ticket);
extern bool conditions_read_tags(const List *conditions);

#endif							/* SUPPORT_SLA_CONDITION_H */
