/*
 * brief_context.c
 *		What an error says of the statement that it came from.
 *
 * The server adds the whole text of a statement that runs over SPI to the context of every error which comes out of it,
 * a user's trigger's too. Ours have up to a hundred lines, in which the little that matters to the reader would drown: an
 * error says how the statement begins.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "base/brief_context.h"

#define MAX_SHOWN 80

/* Where a statement begins, behind blanks and comments. */
static const char *
skip_comments(const char *statement)
{
	for (;;)
	{
		statement += strspn(statement, " \t\r\n");
		if (strncmp(statement, "--", 2) != 0)
			return statement;
		statement += strcspn(statement, "\n");
	}
}

/* How a statement begins: its first line, and no more than fits; NULL for one that is as short as that. */
static char *
beginning_of(const char *statement)
{
	int			line;
	int			shown;

	statement = skip_comments(statement);
	line = (int) strcspn(statement, "\n");
	shown = line > MAX_SHOWN ? pg_mbcliplen(statement, line, MAX_SHOWN) : line;
	if (statement[shown] == '\0')
		return NULL;
	while (shown > 0 && strchr(" \t\r", statement[shown - 1]) != NULL)
		shown--;
	return psprintf("%.*s ...", shown, statement);
}

/* A context in which a statement, quoted, is told by its beginning. */
static char *
shorten(const char *text, const char *statement, const char *beginning)
{
	size_t		length = strlen(statement);
	StringInfoData shortened;
	const char *found;

	initStringInfo(&shortened);
	while ((found = strstr(text, statement)) != NULL)
	{
		appendBinaryStringInfo(&shortened, text, found - text);
		appendStringInfoString(&shortened, beginning);
		text = found + length;
	}
	appendStringInfoString(&shortened, text);
	return shortened.data;
}

/* To be called where an error that came out of a statement was caught: go on with it, the statement told by its beginning. */
void
rethrow_in_brief(const char *statement, MemoryContext context)
{
	char	   *beginning;
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	beginning = beginning_of(statement);
	if (beginning == NULL)
		PG_RE_THROW();
	error = CopyErrorData();
	if (error->context == NULL || strstr(error->context, statement) == NULL)
		PG_RE_THROW();
	error->context = shorten(error->context, statement, beginning);
	FlushErrorState();
	ReThrowError(error);
}
