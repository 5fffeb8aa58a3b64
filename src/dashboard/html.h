/*
 * html.h
 *		Text and numbers in a page of HTML.
 */
#ifndef SUPPORT_HTML_H
#define SUPPORT_HTML_H

#include "lib/stringinfo.h"

/* How a number is to be read. */
typedef enum Unit
{
	UNIT_COUNT,
	UNIT_DURATION,				/* seconds */
	UNIT_PERCENT
} Unit;

/* A column of numbers of a table. */
typedef struct Column
{
	const char *heading;
	Unit		unit;
} Column;

extern char *unit_text(Unit unit, double value);
extern void html_text(StringInfo out, const char *text);
extern void html_element(StringInfo out, const char *tag, const char *attributes, const char *text);
extern void html_number(StringInfo out, Unit unit, double value);
extern void begin_table(StringInfo out, const char *title, const char *heading, bool has_bars,
						const Column *columns, int n);
extern void end_table(StringInfo out);

#endif							/* SUPPORT_HTML_H */
