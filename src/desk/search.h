/*
 * search.h
 *		The words that tickets and comments are found by.
 */
#ifndef SUPPORT_SEARCH_H
#define SUPPORT_SEARCH_H

extern void settle_words(void);
extern void search_init(void);

#endif							/* SUPPORT_SEARCH_H */
