/*
 * stat_check.h
 *		Counting everything anew, and checking what was counted.
 */
#ifndef SUPPORT_STAT_CHECK_H
#define SUPPORT_STAT_CHECK_H

#include "base/row.h"

extern const DeskTable statuses_table;

extern void recount_status(const Row *old, const Row *new);
extern int64 recount_everything(bool tell);

#endif							/* SUPPORT_STAT_CHECK_H */
