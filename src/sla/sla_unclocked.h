/*
 * sla_unclocked.h
 *		Whom a policy promises something that no clock measures yet.
 */
#ifndef SUPPORT_SLA_UNCLOCKED_H
#define SUPPORT_SLA_UNCLOCKED_H

#include "base/hooks.h"

extern void tell_of_unclocked(int64 policy_id);
extern void tell_of_category(const RowChange *change);

#endif							/* SUPPORT_SLA_UNCLOCKED_H */
