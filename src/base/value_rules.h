/*
 * value_rules.h
 *		What values are held to, whatever road they come by.
 */
#ifndef SUPPORT_VALUE_RULES_H
#define SUPPORT_VALUE_RULES_H

#include "fmgr.h"
#include "utils/timestamp.h"

#include "base/hooks.h"

extern void apply_value_rules(RowChange *change);
extern void check_event(const RowChange *change, const char *column, TimestampTz at);
extern const char *new_row_told(const RowChange *change);
extern void check_size(const char *what, Datum value, int64 limit);
extern uint64 size_of_value(Datum value);
extern Datum key_argument(FunctionCallInfo fcinfo, int n);

#endif							/* SUPPORT_VALUE_RULES_H */
