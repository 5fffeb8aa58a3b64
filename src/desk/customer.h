/*
 * customer.h
 *		Whose ticket it is.
 */
#ifndef SUPPORT_CUSTOMER_H
#define SUPPORT_CUSTOMER_H

#include "base/hooks.h"

extern void customer_init(void);
extern void keep_customer(RowChange *change);
extern void settle_customers(void);

#endif							/* SUPPORT_CUSTOMER_H */
