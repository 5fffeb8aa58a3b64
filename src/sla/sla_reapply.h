/*
 * sla_reapply.h
 *		Holding open tickets to policies and calendars that were edited.
 */
#ifndef SUPPORT_SLA_REAPPLY_H
#define SUPPORT_SLA_REAPPLY_H

extern void cancel_clocks_of_policy(int64 policy_id);

#endif							/* SUPPORT_SLA_REAPPLY_H */
