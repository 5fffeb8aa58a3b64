/*
 * chart.h
 *		Numbers drawn with characters.
 */
#ifndef SUPPORT_CHART_H
#define SUPPORT_CHART_H

#include "lib/stringinfo.h"

extern void draw_bar(StringInfo out, double value, double max_value, int width);
extern void draw_sparkline(StringInfo out, const double *values, int n);
extern void draw_heat(StringInfo out, double value, double max_value);

#endif							/* SUPPORT_CHART_H */
