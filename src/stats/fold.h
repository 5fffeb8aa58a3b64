/*
 * fold.h
 *		Adding up what changed.
 */
#ifndef SUPPORT_FOLD_H
#define SUPPORT_FOLD_H

/* To be called after each row that is added to stat_deltas: once enough of them wait, this adds up what others left. */
extern void stat_written(void);

/* Wait until nobody else is adding up, and keep others from it until our transaction ends. */
extern void stat_stop_folding(void);

/* Add up all that is visible and return how many rows that were. Waits for others who do the same. */
extern int64 stat_fold_all(void);

#endif							/* SUPPORT_FOLD_H */
