/*
 * page_parts.c
 *		Lists and charts of the dashboard's page. Whatever a chart shows, a table beneath it has in numbers.
 */
#include "postgres.h"

#include <math.h>

#include "dashboard/page.h"

/* The n rows of the last run as a list: the name, the length of the bar, and the numbers from column 3 on. */
void
append_list(StringInfo out, const NumberList *list, uint64 n)
{
	double		max_value = 0;

	appendStringInfoString(out, "<section>");
	html_element(out, "h3", "", list->title);
	appendStringInfoString(out, "<p>");
	html_text(out, list->subtitle);
	if (n > PAPER_ROWS)
		appendStringInfo(out, "<span class=\"paper\">; the first %d of %d</span>", PAPER_ROWS, (int) n);
	appendStringInfoString(out, "</p>");
	if (n == 0)
	{
		appendStringInfoString(out, "<p class=\"empty\">Nothing to show.</p></section>\n");
		return;
	}

	for (uint64 i = 0; i < n; i++)
		max_value = fmax(max_value, result_float8(i, 2));
	begin_table(out, list->title, list->heading, true, list->columns, MAX_COLUMNS);
	for (uint64 i = 0; i < n; i++)
	{
		appendStringInfoString(out, i < PAPER_ROWS ? "<tr>" : "<tr class=\"screen\">");
		html_element(out, "th", " scope=\"row\"", result_text(i, 1));
		appendStringInfoString(out, "<td class=\"b\">");
		svg_bar(out, result_float8(i, 2), max_value);
		appendStringInfoString(out, "</td>");
		for (int c = 0; c < MAX_COLUMNS && list->columns[c].heading != NULL; c++)
			html_number(out, list->columns[c].unit, result_float8(i, c + 3));
		appendStringInfoString(out, "</tr>\n");
	}
	end_table(out);
	appendStringInfoString(out, "</section>\n");
}

void
begin_figure(StringInfo out, const char *title, const char *subtitle, bool is_wide)
{
	appendStringInfoString(out, is_wide ? "<figure class=\"wide\"><figcaption>" : "<figure><figcaption>");
	html_element(out, "h3", "", title);
	html_element(out, "p", "", subtitle);
	appendStringInfoString(out, "</figcaption>\n");
}

/* The numbers of a plot, for whom the picture is not enough. */
static void
append_plot_table(StringInfo out, const Plot *plot, const char *heading)
{
	Column		columns[MAX_SERIES];

	for (int s = 0; s < plot->n_series; s++)
		columns[s] = (Column) {plot->names[s], plot->unit};
	appendStringInfoString(out, "<details><summary>The numbers</summary>");
	begin_table(out, plot->title, heading, false, columns, plot->n_series);
	for (int i = 0; i < plot->n; i++)
	{
		appendStringInfoString(out, "<tr>");
		html_element(out, "th", " scope=\"row\"", plot->labels[i]);
		for (int s = 0; s < plot->n_series; s++)
			html_number(out, plot->unit, plot->values[s][i]);
		appendStringInfoString(out, "</tr>\n");
	}
	end_table(out);
	appendStringInfoString(out, "</details>");
}

/* A chart with its numbers. */
void
append_plot(DeskPage *page, const Plot *plot, const Division *division)
{
	begin_figure(page->out, plot->title, plot->description, false);
	svg_plot(page->out, plot, ++page->images);
	append_plot_table(page->out, plot, division->bucket);
	appendStringInfoString(page->out, "</figure>\n");
}
