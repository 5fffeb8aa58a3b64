/*
 * sla_check.h
 *		What the rows of policies and targets must keep to, on every road.
 */
#ifndef SUPPORT_SLA_CHECK_H
#define SUPPORT_SLA_CHECK_H

extern void sla_check_init(void);

#endif							/* SUPPORT_SLA_CHECK_H */
