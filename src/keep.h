/*
 * keep.h
 *		Keeping the log: partitions made ahead, old ones taken away.
 */
#ifndef SUPPORT_KEEP_H
#define SUPPORT_KEEP_H

extern void keep_init(void);

#endif							/* SUPPORT_KEEP_H */
