/*
 * brief_context.h
 *		What an error says of the statement that it came from.
 */
#ifndef SUPPORT_BRIEF_CONTEXT_H
#define SUPPORT_BRIEF_CONTEXT_H

#include "base/compat.h"

pg_noreturn extern void rethrow_in_brief(const char *statement, MemoryContext context);

#endif							/* SUPPORT_BRIEF_CONTEXT_H */
