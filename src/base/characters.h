/*
 * characters.h
 *		What the characters of a text are, in the encoding of the database.
 */
#ifndef SUPPORT_CHARACTERS_H
#define SUPPORT_CHARACTERS_H

/* The rest of a text. */
typedef struct CharacterReader
{
	const char *next;
	const char *end;
	const char *start;			/* of the character that was read last */
	uint32		code;			/* its code point; UNKNOWN_CHARACTER where none is known, and none need be */
} CharacterReader;

#define UNKNOWN_CHARACTER 0xFFFD

extern CharacterReader characters_of(Datum value);
extern bool next_character(CharacterReader *reader);
extern bool is_hidden_character(uint32 code);
extern Datum trimmed(Datum value);
extern bool is_empty(Datum value);
extern char *visible_line(const char *text);
extern char *visible_text(const char *text);

#endif							/* SUPPORT_CHARACTERS_H */
