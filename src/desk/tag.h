/*
 * tag.h
 *		Tags of tickets.
 */
#ifndef SUPPORT_TAG_H
#define SUPPORT_TAG_H

#include "utils/array.h"

extern ArrayType *clean_tags(ArrayType *tags);
extern void put_tags(int64 ticket_id, ArrayType *tags);
extern void replace_tags(int64 ticket_id, ArrayType *tags);

#endif							/* SUPPORT_TAG_H */
