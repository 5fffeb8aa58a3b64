/*
 * sla_policy.h
 *		Policies, as the session keeps them.
 */
#ifndef SUPPORT_SLA_POLICY_H
#define SUPPORT_SLA_POLICY_H

#include "utils/jsonb.h"

#include "sla/sla.h"

typedef struct Policy Policy;

extern void sla_policy_init(void);
extern bool policies_exist(void);
extern bool policies_read_tags(void);
extern const Policy *match_policy(SlaTicket *ticket);
extern bool policy_matches(const Policy *policy, SlaTicket *ticket);
extern int64 policy_number(const Policy *policy);
extern const Promise *promise_of(const Policy *policy, SlaMetric metric, const char *priority);
extern int32 write_policy_and_calendars(int64 policy_id);
extern Policy *policy_from(Jsonb *definition);

#endif							/* SUPPORT_SLA_POLICY_H */
