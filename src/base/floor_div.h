/*
 * floor_div.h
 *		Division that rounds down, also where C rounds up: times before 2000 are negative numbers.
 */
#ifndef SUPPORT_FLOOR_DIV_H
#define SUPPORT_FLOOR_DIV_H

static inline int64
floor_div(int64 a, int64 b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

#endif							/* SUPPORT_FLOOR_DIV_H */
