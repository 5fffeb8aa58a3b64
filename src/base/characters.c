/*
 * characters.c
 *		What the characters of a text are, in the encoding of the database.
 *
 * Three kinds matter, whatever the locale and the encoding. White space is trimmed off names: what Unicode calls so
 * (U+0009 to U+000D, U+0020, U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000), and four
 * that have no width (U+180E, U+200B, U+2060, U+FEFF). Control characters (U+0000 to U+001F, U+007F to U+009F, U+2028,
 * U+2029) move the cursor of a terminal, or worse. Overrides and isolates (U+202A to U+202E, U+2066 to U+2069) turn the
 * direction of what follows, so that a text reads as another.
 *
 * The tables of encodings are here, since the server's conversions are found by the caller's search_path. Where an
 * encoding's bytes stand for none of the three, nobody need know what they stand for.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/characters.h"
#include "base/compat.h"
#include "base/settings.h"

#define NO_BREAK_SPACE 0xA0
#define IDEOGRAPHIC_SPACE 0x3000

/* The rest of a text value, which may lie compressed or out of line. */
CharacterReader
characters_of(Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	return (CharacterReader) {
		.next = VARDATA_ANY(text), .end = VARDATA_ANY(text) + VARSIZE_ANY_EXHDR(text)
	};
}

/* The code point of a byte beyond ASCII, in an encoding whose characters have a byte each. */
static uint32
code_of_byte(unsigned char byte)
{
	switch (GetDatabaseEncoding())
	{
		case PG_LATIN1:
		case PG_LATIN2:
		case PG_LATIN3:
		case PG_LATIN4:
		case PG_LATIN5:
		case PG_LATIN6:
		case PG_LATIN7:
		case PG_LATIN8:
		case PG_LATIN9:
		case PG_LATIN10:
		case PG_ISO_8859_5:
		case PG_ISO_8859_6:
		case PG_ISO_8859_7:
		case PG_ISO_8859_8:
			return byte <= NO_BREAK_SPACE ? byte : UNKNOWN_CHARACTER;
		case PG_KOI8R:
		case PG_KOI8U:
			return byte == 0x9A ? NO_BREAK_SPACE : UNKNOWN_CHARACTER;
		case PG_WIN866:
			return byte == 0xFF ? NO_BREAK_SPACE : UNKNOWN_CHARACTER;
		default:
			return byte == 0xA0 ? NO_BREAK_SPACE : UNKNOWN_CHARACTER;
	}
}

/* The code point of a character of one of the encodings for East Asia, which have the same place for the wide space. */
static uint32
code_of_wide(const unsigned char *text, int length)
{
	if (length == 2 && text[0] == 0xA1 && text[1] == 0xA1)
		return IDEOGRAPHIC_SPACE;
	if (length == 2 && text[0] == 0xA9 && text[1] == 0xA2 && GetDatabaseEncoding() == PG_EUC_JIS_2004)
		return NO_BREAK_SPACE;
	return UNKNOWN_CHARACTER;
}

/* The code point of a character beyond ASCII, and how many bytes it has. */
static uint32
code_of(const unsigned char *text, int room, int *length)
{
	switch (GetDatabaseEncoding())
	{
		case PG_SQL_ASCII:
			/* the bytes are whatever clients send: a terminal takes them for UTF-8 where they are */
		case PG_UTF8:
			*length = pg_utf_mblen(text);
			if (*length <= room && pg_utf8_islegal(text, *length))
				return utf8_to_unicode(text);
			*length = 1;
			return UNKNOWN_CHARACTER;
		default:
			if (pg_database_encoding_max_length() == 1)
			{
				*length = 1;
				return code_of_byte(*text);
			}
			*length = Min(pg_mblen((const char *) text), room);
			return code_of_wide(text, *length);
	}
}

/* Read the next character; false at the end. */
bool
next_character(CharacterReader *reader)
{
	int			length = 1;

	if (reader->next >= reader->end)
		return false;
	reader->start = reader->next;
	if (IS_HIGHBIT_SET(*reader->next))
		reader->code = code_of((const unsigned char *) reader->next, reader->end - reader->next, &length);
	else
		reader->code = *reader->next;
	reader->next += length;
	return true;
}

static bool
is_white_space_character(uint32 code)
{
	return (code >= 0x09 && code <= 0x0D) || code == ' ' || code == 0x85 || code == NO_BREAK_SPACE || code == 0x1680 ||
		code == 0x180E || (code >= 0x2000 && code <= 0x200B) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
		code == 0x205F || code == 0x2060 || code == IDEOGRAPHIC_SPACE || code == 0xFEFF;
}

/* Does a character do something to a terminal, or to the order of what is beside it, rather than be seen? */
bool
is_hidden_character(uint32 code)
{
	return code < ' ' || (code >= 0x7F && code < NO_BREAK_SPACE) || code == 0x2028 || code == 0x2029 ||
		(code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/* A text value without the white space around it; itself if there is none. */
Datum
trimmed(Datum value)
{
	CharacterReader reader = characters_of(value);
	const char *whole = reader.next;
	const char *first = NULL;
	const char *last = NULL;

	while (next_character(&reader))
	{
		if (is_white_space_character(reader.code))
			continue;
		if (first == NULL)
			first = reader.start;
		last = reader.next;
	}
	if (first == whole && last == reader.end)
		return value;
	return PointerGetDatum(first == NULL ? cstring_to_text("") : cstring_to_text_with_len(first, last - first));
}

bool
is_empty(Datum value)
{
	CharacterReader reader = characters_of(value);

	return reader.next == reader.end;
}

/* Append a character that nobody sees as one that is seen: its picture where Unicode has one, else its code. */
static void
append_picture(StringInfo out, uint32 code)
{
	if (code < ' ' && !use_ascii())
		appendStringInfo(out, "\342\220%c", (char) (0x80 + code));	/* U+2400 and the code */
	else if (code == 0x7F && !use_ascii())
		appendStringInfoString(out, "\342\220\241");	/* U+2421 */
	else
		appendStringInfo(out, "<U+%04X>", code);
}

/* A text as a terminal may show it: in one line, or in lines of its own, whose tabs stay. */
static char *
shown(const char *text, bool in_lines)
{
	CharacterReader reader = {.next = text, .end = text + strlen(text)};
	StringInfoData out;

	initStringInfo(&out);
	while (next_character(&reader))
	{
		if (in_lines && (reader.code == '\n' || reader.code == '\t'))
			appendStringInfoChar(&out, (char) reader.code);
		else if (in_lines && reader.code == '\r' && (reader.next == reader.end || *reader.next == '\n'))
			continue;
		else if (is_hidden_character(reader.code))
			append_picture(&out, reader.code);
		else
			appendBinaryStringInfo(&out, reader.start, reader.next - reader.start);
	}
	return out.data;
}

/* A text as one line of a terminal. */
char *
visible_line(const char *text)
{
	return shown(text, false);
}

/* A text as lines of a terminal, with the breaks and tabs it has. */
char *
visible_text(const char *text)
{
	return shown(text, true);
}

/* terminal_text(content, one_line) */
PG_FUNCTION_INFO_V1(support_terminal_text);
Datum
support_terminal_text(PG_FUNCTION_ARGS)
{
	bool		is_line = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	char	   *content;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	content = text_to_cstring(PG_GETARG_TEXT_PP(0));
	PG_RETURN_TEXT_P(cstring_to_text(is_line ? visible_line(content) : visible_text(content)));
}

/* line_text(content) -> the line as names and keys are kept; NULL for a blank one */
PG_FUNCTION_INFO_V1(support_line_text);
Datum
support_line_text(PG_FUNCTION_ARGS)
{
	Datum		line;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	line = trimmed(PG_GETARG_DATUM(0));
	if (is_empty(line))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(line);
}
