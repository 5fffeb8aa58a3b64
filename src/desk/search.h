/*
 * search.h
 *		The words that tickets and comments are found by.
 */
#ifndef SUPPORT_SEARCH_H
#define SUPPORT_SEARCH_H

#include "base/row.h"

extern void keep_ticket_words(const Row *old, Row *new);
extern void keep_comment_words(const Row *old, Row *new);

#endif							/* SUPPORT_SEARCH_H */
