/*
 * search.h
 *		The words that tickets and comments are found by.
 */
#ifndef SUPPORT_SEARCH_H
#define SUPPORT_SEARCH_H

#include "base/hooks.h"

extern void search_init(void);
extern void keep_words(RowChange *change);

#endif							/* SUPPORT_SEARCH_H */
