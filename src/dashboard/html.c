/*
 * html.c
 *		Text and numbers in a page of HTML.
 *
 * Whatever comes from a table goes through html_text(). What it writes is ASCII: a page means the same in whatever
 * encoding the client asks for it.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"

#include "dashboard/html.h"
#include "dashboard/number_text.h"

#define REPLACEMENT_CHARACTER 0xFFFD

/* The number as people read it. */
char *
unit_text(Unit unit, double value)
{
	if (unit == UNIT_PERCENT)
		return isfinite(value) ? psprintf("%.1f %%", value) : pstrdup("-");
	return unit == UNIT_DURATION ? duration_text(value) : count_text(value);
}

/* A character of a page's text, so that it is nothing else; what HTML has no place for is told to be missing. */
static void
append_character(StringInfo out, pg_wchar character)
{
	bool		is_plain = character >= ' ' && character < 0x7F && strchr("<>&\"'", (int) character) == NULL;
	bool		is_control = (character < ' ' && strchr("\t\n\r", (int) character) == NULL) ||
		(character >= 0x7F && character < 0xA0);

	if (is_plain)
		appendStringInfoChar(out, (char) character);
	else
		appendStringInfo(out, "&#%u;", is_control ? REPLACEMENT_CHARACTER : character);
}

/*
 * Append a text of the database, which may hold anything. A database without an encoding may hold bytes that are no
 * characters.
 */
void
html_text(StringInfo out, const char *text)
{
	int			length = strlen(text);
	bool		is_known = GetDatabaseEncoding() != PG_SQL_ASCII || pg_verify_mbstr(PG_UTF8, text, length, true);
	char	   *utf8 = is_known ? pg_server_to_any(text, length, PG_UTF8) : (char *) text;

	for (const unsigned char *at = (const unsigned char *) utf8; *at != '\0';
		 at += is_known ? pg_encoding_mblen(PG_UTF8, (const char *) at) : 1)
	{
		if (is_known)
			append_character(out, utf8_to_unicode(at));
		else
			append_character(out, *at < 0x80 ? *at : REPLACEMENT_CHARACTER);
	}
	if (utf8 != text)
		pfree(utf8);
}

/* Append an element that holds a text, NULL for none; tag and attributes, "" or with a blank before, are our own. */
void
html_element(StringInfo out, const char *tag, const char *attributes, const char *text)
{
	appendStringInfo(out, "<%s%s>", tag, attributes);
	if (text != NULL)
		html_text(out, text);
	appendStringInfo(out, "</%s>", tag);
}

/* Append a cell that holds a number, empty if it is none, with the very number for programs. */
void
html_number(StringInfo out, Unit unit, double value)
{
	if (!isfinite(value))
		appendStringInfoString(out, "<td class=\"n\"></td>");
	else
		appendStringInfo(out, "<td class=\"n\" data-value=\"%.15g\">%s</td>", value, unit_text(unit, value));
}

/* Begin a table: a heading for the things, maybe a column for bars, and up to n columns of numbers. */
void
begin_table(StringInfo out, const char *title, const char *heading, bool has_bars, const Column *columns, int n)
{
	bool		is_wide = n > 2 && columns[2].heading != NULL;

	appendStringInfo(out, "<div class=\"scroll\" tabindex=\"0\"><table%s aria-label=\"", is_wide ? " class=\"many\"" : "");
	html_text(out, title);
	appendStringInfoString(out, "\"><thead><tr>");
	html_element(out, "th", " scope=\"col\"", heading);
	if (has_bars)
		appendStringInfoString(out, "<td class=\"b\"></td>");
	for (int i = 0; i < n && columns[i].heading != NULL; i++)
		html_element(out, "th", " class=\"n\" scope=\"col\"", columns[i].heading);
	appendStringInfoString(out, "</tr></thead>\n<tbody>\n");
}

void
end_table(StringInfo out)
{
	appendStringInfoString(out, "</tbody></table></div>\n");
}
