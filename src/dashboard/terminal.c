/*
 * terminal.c
 *		Text in columns, for a terminal.
 *
 * Widths are those that the terminal shows: a letter of an East Asian script takes two columns, an accent none. What
 * could move the cursor or turn the direction of the line is shown as a question mark.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/characters.h"
#include "base/settings.h"
#include "dashboard/terminal.h"

/* Columns of the character that a text begins with, -1 for one that does something to the terminal. */
static int
character_width(const char *text)
{
	CharacterReader reader = {.next = text, .end = text + pg_mblen(text)};

	(void) next_character(&reader);
	return is_hidden_character(reader.code) ? -1 : pg_dsplen(text);
}

/* Columns that a text takes. */
int
text_width(const char *text)
{
	int			width = 0;

	for (; *text != '\0'; text += pg_mblen(text))
		width += abs(character_width(text));
	return width;
}

/* Append a text of which so many columns are shown. */
static void
append_shown(StringInfo line, const char *text, int width)
{
	bool		is_cut = text_width(text) > width;

	if (is_cut)
		width--;
	for (; *text != '\0' && width >= abs(character_width(text)); text += pg_mblen(text))
	{
		if (character_width(text) < 0)
			appendStringInfoChar(line, '?');
		else
			appendBinaryStringInfo(line, text, pg_mblen(text));
		width -= abs(character_width(text));
	}
	if (is_cut)
	{
		appendStringInfoSpaces(line, width);
		appendStringInfoString(line, use_ascii() ? "~" : "\342\200\246");	/* U+2026, an ellipsis */
	}
}

/* Append a text to a line, cut or filled up to a width. */
void
append_left(StringInfo line, const char *text, int width)
{
	append_shown(line, text, width);
	appendStringInfoSpaces(line, Max(width - text_width(text), 0));
}

/* The same, at the right of that width. */
void
append_right(StringInfo line, const char *text, int width)
{
	appendStringInfoSpaces(line, Max(width - text_width(text), 0));
	append_shown(line, text, width);
}

/* A new line at the end of a block. */
StringInfo
add_line(TerminalBlock *block)
{
	StringInfo	line = &block->lines[block->n];

	if (block->n == MAX_BLOCK_LINES)
		elog(ERROR, "a block of the dashboard has too many lines");
	block->n++;
	initStringInfo(line);
	return line;
}

/* Return a line, without the blanks at its end. */
void
put_line(ReturnSetInfo *rsinfo, const char *line)
{
	size_t		length = strlen(line);
	Datum		value;
	bool		isnull = false;

	while (length > 0 && line[length - 1] == ' ')
		length--;
	value = PointerGetDatum(cstring_to_text_with_len(line, length));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	pfree(DatumGetPointer(value));
}

/* Return n blocks side by side, each as wide as it is, so far from each other. */
void
put_blocks(ReturnSetInfo *rsinfo, TerminalBlock *blocks, int n, int gap)
{
	int			lines = 0;

	for (int b = 0; b < n; b++)
		lines = Max(lines, blocks[b].n);
	for (int i = 0; i < lines; i++)
	{
		StringInfoData line;

		initStringInfo(&line);
		for (int b = 0; b < n; b++)
		{
			append_left(&line, i < blocks[b].n ? blocks[b].lines[i].data : "", blocks[b].width);
			appendStringInfoSpaces(&line, b < n - 1 ? gap : 0);
		}
		put_line(rsinfo, line.data);
		pfree(line.data);
	}
}
