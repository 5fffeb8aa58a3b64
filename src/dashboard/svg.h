/*
 * svg.h
 *		Charts for a page of HTML.
 */
#ifndef SUPPORT_SVG_H
#define SUPPORT_SVG_H

#include "dashboard/html.h"

#define MAX_SERIES 2

/* Numbers over time, one or several to a time. NaN is a gap. */
typedef struct Plot
{
	const char *title;
	const char *description;
	Unit		unit;
	int			n_columns;		/* the first series are columns, the others lines */
	bool		has_area;		/* below the first line, which has no gap */
	int			n;				/* times */
	char	  **labels;			/* of the times */
	int			n_series;
	const char *names[MAX_SERIES];
	double	   *values[MAX_SERIES];
} Plot;

#define WEEKDAYS 7
#define HOURS_OF_DAY 24

extern const char *const weekday_names[WEEKDAYS];

extern void svg_plot(StringInfo out, const Plot *plot, int id);
extern void svg_heatmap(StringInfo out, const char *title, const char *description,
						double values[WEEKDAYS][HOURS_OF_DAY], int id);
extern void svg_bar(StringInfo out, double value, double max_value);

#endif							/* SUPPORT_SVG_H */
