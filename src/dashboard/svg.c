/*
 * svg.c
 *		Charts for a page of HTML.
 *
 * Each is an image with a title and a description, for those who do not see it, and shows the numbers of a place where
 * the pointer rests. Colours are the style sheet's: series have the classes s1 and s2.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "dashboard/number_text.h"
#include "dashboard/svg.h"

#define WIDTH 510
#define HEIGHT 200
#define LEFT 56
#define RIGHT 10
#define TOP 12
#define BOTTOM 28
#define LABEL_WIDTH 80
#define MAX_LABELS 5
#define MAX_TICKS 5
#define CELL_WIDTH 36
#define CELL_HEIGHT 22
#define DAY_WIDTH 44
#define SCALE_STEPS 4
#define SCALE_WIDTH 80

const char *const weekday_names[WEEKDAYS] =
{
	"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
};

/* Where things are in a plot. */
typedef struct Frame
{
	double		band;			/* width of a time */
	double		top_value;		/* at the upper edge; zero is at the lower one */
	double		step;			/* between the lines of the grid */
} Frame;

/* The least step of the axis, in seconds, that leaves few enough of them. */
static double
duration_step(double greatest)
{
	static const double steps[] = {
		1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000
	};

	for (int i = 0; i < lengthof(steps); i++)
		if (greatest <= steps[i] * MAX_TICKS)
			return steps[i];
	return 0;
}

/* The same for counts, and for years: 1, 2 or 5 times a power of ten, at least one unit. */
static double
decimal_step(double greatest, double unit)
{
	double		step = unit;

	for (int i = 0; greatest > step * MAX_TICKS; i++)
		step *= i % 3 == 1 ? 2.5 : 2;
	return step;
}

static void
find_frame(const Plot *plot, Frame *frame)
{
	double		greatest = 0;

	for (int s = 0; s < plot->n_series; s++)
		for (int i = 0; i < plot->n; i++)
			greatest = fmax(greatest, plot->values[s][i]);	/* which passes over NaN */

	frame->band = (WIDTH - LEFT - RIGHT) / (double) Max(plot->n, 1);
	frame->step = plot->unit == UNIT_DURATION ? duration_step(greatest) : decimal_step(greatest, 1);
	if (frame->step == 0)
		frame->step = decimal_step(greatest, 86400);
	frame->top_value = Max(ceil(greatest / frame->step), 1) * frame->step;
}

static double
x_of(const Frame *frame, int i)
{
	return LEFT + (i + 0.5) * frame->band;
}

static double
y_of(const Frame *frame, double value)
{
	return HEIGHT - BOTTOM - value / frame->top_value * (HEIGHT - TOP - BOTTOM);
}

/* Begin an image with what it is for those who do not see it. */
static void
begin_image(StringInfo out, int width, int height, int id, const char *title, const char *description)
{
	appendStringInfo(out,
					 "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"c%dt c%dd\"><title id=\"c%dt\">",
					 width, height, id, id, id);
	html_text(out, title);
	appendStringInfo(out, "</title><desc id=\"c%dd\">", id);
	html_text(out, description);
	appendStringInfoString(out, "</desc>\n");
}

/* The lines of the grid with their numbers, and some of the times. */
static void
draw_axes(StringInfo out, const Plot *plot, const Frame *frame)
{
	int			every = (plot->n + MAX_LABELS - 1) / MAX_LABELS;

	for (double value = 0; value <= frame->top_value; value += frame->step)
	{
		char	   *text = plot->unit == UNIT_DURATION ? brief_duration_text(value) : count_text(value);

		appendStringInfo(out, "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
						 value == 0 ? "axis" : "grid", LEFT, WIDTH - RIGHT, y_of(frame, value),
						 y_of(frame, value));
		appendStringInfo(out, "<text class=\"y\" x=\"%d\" y=\"%.1f\">%s</text>\n", LEFT - 8, y_of(frame, value) + 4,
						 value == 0 ? "0" : text);
	}
	for (int i = every / 2; i < plot->n; i += every)
	{
		/* the last one must not leave the picture */
		bool		is_last = x_of(frame, i) > WIDTH - LABEL_WIDTH / 2;

		appendStringInfo(out, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">", is_last ? "y" : "x",
						 is_last ? WIDTH : x_of(frame, i), HEIGHT - 8);
		html_text(out, plot->labels[i]);
		appendStringInfoString(out, "</text>");
	}
	appendStringInfoChar(out, '\n');
}

/* A line through the numbers of a series. A number that stands alone is a dot: a line of no length with round ends. */
static void
draw_line(StringInfo out, const Plot *plot, const Frame *frame, int s)
{
	bool		is_drawing = false;

	appendStringInfo(out, "<path class=\"line s%d\" d=\"", s + 1);
	for (int i = 0; i < plot->n; i++)
	{
		double		value = plot->values[s][i];

		if (!isnan(value))
			appendStringInfo(out, is_drawing ? "L%.1f %.1f" : "M%.1f %.1fh0", x_of(frame, i), y_of(frame, value));
		is_drawing = !isnan(value);
	}
	appendStringInfoString(out, "\"/>\n");
}

static void
draw_area(StringInfo out, const Plot *plot, const Frame *frame)
{
	appendStringInfo(out, "<path class=\"area s1\" d=\"M%.1f %.1f", x_of(frame, 0), y_of(frame, 0));
	for (int i = 0; i < plot->n; i++)
		appendStringInfo(out, "L%.1f %.1f", x_of(frame, i), y_of(frame, plot->values[0][i]));
	appendStringInfo(out, "L%.1f %.1fZ\"/>\n", x_of(frame, plot->n - 1), y_of(frame, 0));
}

/* A series as columns, beside those of the others. */
static void
draw_columns(StringInfo out, const Plot *plot, const Frame *frame, int s)
{
	double		room = Min(frame->band * 0.8, 48);
	double		width = room / plot->n_columns;

	appendStringInfo(out, "<path class=\"column s%d\" d=\"", s + 1);
	for (int i = 0; i < plot->n; i++)
	{
		double		value = plot->values[s][i];

		if (value > 0)
			appendStringInfo(out, "M%.2f %.1fV%.1fh%.2fV%.1fZ", x_of(frame, i) - room / 2 + s * width, y_of(frame, 0),
							 y_of(frame, value), width * 0.92, y_of(frame, 0));
	}
	appendStringInfoString(out, "\"/>\n");
}

/* What the pointer finds at each time: its numbers. */
static void
draw_hints(StringInfo out, const Plot *plot, const Frame *frame)
{
	for (int i = 0; i < plot->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "<rect class=\"hit\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>",
						 x_of(frame, i) - frame->band / 2, TOP, frame->band, HEIGHT - TOP - BOTTOM);
		html_text(out, plot->labels[i]);
		for (int s = 0; s < plot->n_series; s++)
		{
			appendStringInfoString(out, s == 0 ? ": " : ", ");
			html_text(out, plot->names[s]);
			appendStringInfo(out, " %s", unit_text(plot->unit, plot->values[s][i]));
		}
		appendStringInfoString(out, "</title></rect>\n");
	}
}

static void
append_legend(StringInfo out, const Plot *plot)
{
	appendStringInfoString(out, "<p class=\"legend\">");
	for (int s = 0; s < plot->n_series; s++)
	{
		appendStringInfo(out, "<span><i class=\"s%d\"></i>", s + 1);
		html_text(out, plot->names[s]);
		appendStringInfoString(out, "</span>");
	}
	appendStringInfoString(out, "</p>\n");
}

/* Append a chart of numbers over time, the id'th image of the page. */
void
svg_plot(StringInfo out, const Plot *plot, int id)
{
	Frame		frame;

	find_frame(plot, &frame);
	append_legend(out, plot);
	appendStringInfoString(out, "<div class=\"chart\">");
	begin_image(out, WIDTH, HEIGHT, id, plot->title, plot->description);
	draw_axes(out, plot, &frame);
	if (plot->has_area && plot->n > 0)
		draw_area(out, plot, &frame);
	for (int s = 0; s < plot->n_series; s++)
	{
		if (s < plot->n_columns)
			draw_columns(out, plot, &frame, s);
		else
			draw_line(out, plot, &frame, s);
	}
	draw_hints(out, plot, &frame);
	appendStringInfoString(out, "</svg></div>\n");
}

/* Draw a cell of the heatmap, the darker the greater its number is; what it shows in words comes next. */
static void
begin_cell(StringInfo out, int x, int y, double value, double greatest)
{
	appendStringInfo(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\"",
					 value > 0 ? "cell" : "cell none", x + 1, y + 1, CELL_WIDTH - 2, CELL_HEIGHT - 2);
	if (value > 0)
		appendStringInfo(out, " fill-opacity=\"%.2f\"", 0.12 + 0.88 * value / greatest);
	appendStringInfoChar(out, '>');
}

/* The key to the shades, from none to the greatest number, below the last day. */
static void
draw_scale(StringInfo out, double greatest)
{
	int			steps = Min(SCALE_STEPS, (int) greatest);
	int			y = (WEEKDAYS + 1) * CELL_HEIGHT + 12;

	for (int i = 0; i <= steps; i++)
	{
		int			x = DAY_WIDTH + i * SCALE_WIDTH;
		double		value = i == 0 ? 0 : rint(greatest * i / steps);

		begin_cell(out, x, y, value, greatest);
		appendStringInfo(out, "</rect><text class=\"k\" x=\"%d\" y=\"%d\">%s</text>\n", x + CELL_WIDTH + 6, y + 15,
						 count_text(value));
	}
	appendStringInfo(out, "<text class=\"k\" x=\"%d\" y=\"%d\">tickets in that hour of the week</text>\n",
					 DAY_WIDTH + (steps + 1) * SCALE_WIDTH, y + 15);
}

/* Append a week of hours, each the darker the greater its number is, with the key to it. */
void
svg_heatmap(StringInfo out, const char *title, const char *description, double values[WEEKDAYS][HOURS_OF_DAY], int id)
{
	double		greatest = 0;

	for (int i = 0; i < WEEKDAYS * HOURS_OF_DAY; i++)
		greatest = fmax(greatest, values[i / HOURS_OF_DAY][i % HOURS_OF_DAY]);

	appendStringInfoString(out, "<div class=\"chart\">");
	begin_image(out, DAY_WIDTH + HOURS_OF_DAY * CELL_WIDTH, (WEEKDAYS + 2) * CELL_HEIGHT + 12, id, title, description);
	for (int hour = 0; hour < HOURS_OF_DAY; hour++)
		appendStringInfo(out, "<text class=\"x\" x=\"%d\" y=\"16\">%d</text>",
						 DAY_WIDTH + hour * CELL_WIDTH + CELL_WIDTH / 2, hour);
	for (int day = 0; day < WEEKDAYS; day++)
	{
		appendStringInfo(out, "\n<text class=\"y\" x=\"%d\" y=\"%d\">%.3s</text>", DAY_WIDTH - 8,
						 (day + 1) * CELL_HEIGHT + 15, weekday_names[day]);
		for (int hour = 0; hour < HOURS_OF_DAY; hour++)
		{
			begin_cell(out, DAY_WIDTH + hour * CELL_WIDTH, (day + 1) * CELL_HEIGHT, values[day][hour], greatest);
			appendStringInfo(out, "<title>%s, %d to %d: %s</title></rect>", weekday_names[day], hour, hour + 1,
							 count_text(values[day][hour]));
		}
	}
	appendStringInfoChar(out, '\n');
	draw_scale(out, greatest);
	appendStringInfoString(out, "</svg></div>\n");
}

/* Append a bar for a cell of a table, whose number stands beside it. */
void
svg_bar(StringInfo out, double value, double max_value)
{
	double		share = value > 0 && max_value > 0 ? Min(value / max_value, 1) : 0;

	appendStringInfo(out,
					 "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
					 "<rect width=\"%.1f\" height=\"8\"/></svg>", share > 0 ? Max(share * 100, 1) : 0);
}
