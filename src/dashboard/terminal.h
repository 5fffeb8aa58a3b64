/*
 * terminal.h
 *		Text in columns, for a terminal.
 */
#ifndef SUPPORT_TERMINAL_H
#define SUPPORT_TERMINAL_H

#include "lib/stringinfo.h"
#include "nodes/execnodes.h"

#define MAX_BLOCK_LINES 16

/* Lines that stay together. */
typedef struct TerminalBlock
{
	int			width;
	int			n;
	StringInfoData lines[MAX_BLOCK_LINES];
} TerminalBlock;

extern int	text_width(const char *text);
extern void append_left(StringInfo line, const char *text, int width);
extern void append_right(StringInfo line, const char *text, int width);
extern StringInfo add_line(TerminalBlock *block);
extern void put_line(ReturnSetInfo *rsinfo, const char *line);
extern void put_blocks(ReturnSetInfo *rsinfo, TerminalBlock *blocks, int n, int gap);

#endif							/* SUPPORT_TERMINAL_H */
