/*
 * ascii.h
 *		What a byte of text is, whatever the locale. That of the C library may take a byte of a longer character for a space
 *		or a letter by itself.
 */
#ifndef SUPPORT_ASCII_H
#define SUPPORT_ASCII_H

static inline bool
is_white_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif							/* SUPPORT_ASCII_H */
