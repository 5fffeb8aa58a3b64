/*
 * stat_check.h
 *		Counting everything anew, and checking what was counted.
 */
#ifndef SUPPORT_STAT_CHECK_H
#define SUPPORT_STAT_CHECK_H

extern void stat_check_init(void);
extern int	plan_for_all_rows(void);
extern int64 recount_everything(bool tell);

#endif							/* SUPPORT_STAT_CHECK_H */
