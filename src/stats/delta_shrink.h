/*
 * delta_shrink.h
 *		Giving back the room that stat_deltas has no rows for.
 */
#ifndef SUPPORT_DELTA_SHRINK_H
#define SUPPORT_DELTA_SHRINK_H

/* A table of so many pages is small enough to be read, however empty they are. */
#define SPARSE_PAGES 32

extern void stat_shrink_deltas(void);

#endif							/* SUPPORT_DELTA_SHRINK_H */
