/*
 * modes.c
 *		What a session is about, where its triggers must know.
 *
 * A function that changes rows tells the triggers here what their row cannot tell them. A mode lasts for some work and
 * ends with it, also by an error: nothing of it is left for the next statement.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "base/modes.h"

Modes		modes;

/* Do some work in other modes: those at hand, changed by the caller. */
void
work_in(const Modes *other, void (*work) (void *arg), void *arg)
{
	Modes		before = modes;

	modes = *other;
	PG_TRY();
	{
		work(arg);
	}
	PG_CATCH();
	{
		modes = before;
		PG_RE_THROW();
	}
	PG_END_TRY();
	modes = before;
}

/* How many triggers are at work, one within the other. */
static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/* A statement of ours makes this row what it was. id is 0 in a table without one. */
Modes
restoring_mode(const DeskTable *table, int64 id)
{
	Modes		restoring = modes;

	restoring.restored_table = table;
	restoring.restored_id = id;
	restoring.restored_depth = trigger_depth() + 1;
	return restoring;
}

/* An UPDATE of ours keeps this ticket's books, for what happened at an instant; DT_NOEND is now. */
Modes
bookkeeping_mode(int64 ticket_id, TimestampTz follow)
{
	Modes		bookkeeping = modes;

	bookkeeping.books_of = ticket_id;
	bookkeeping.books_depth = trigger_depth() + 1;
	bookkeeping.books_follow = follow;
	return bookkeeping;
}

/* An UPDATE of ours erases what these columns of a row hold. */
Modes
erasing_mode(const DeskTable *table, int64 id, const List *columns)
{
	Modes		erasing = modes;

	erasing.erased_table = table;
	erasing.erased_id = id;
	erasing.erased_depth = trigger_depth() + 1;
	erasing.erased_columns = columns;
	return erasing;
}

/* An UPDATE of ours redacts entries of the log. */
Modes
redacting_mode(void)
{
	Modes		redacting = modes;

	redacting.redacting_depth = trigger_depth() + 1;
	return redacting;
}

/* Does the row become what it was? */
bool
is_restored(const Row *row)
{
	AttrNumber	id = row->shape->id;

	return row->shape->table == modes.restored_table &&
		(!AttributeNumberIsValid(id) || DatumGetInt64(row->values[id - 1]) == modes.restored_id) &&
		trigger_depth() == modes.restored_depth;
}

/* Is the content of the row being erased? */
bool
is_erased(const Row *row)
{
	return modes.erased_table != NULL && row->shape->table == modes.erased_table &&
		DatumGetInt64(row->values[row->shape->id - 1]) == modes.erased_id && trigger_depth() == modes.erased_depth;
}

/* Is the column one of those that are erased? */
bool
is_erased_column(const char *name)
{
	ListCell   *cell;

	foreach(cell, modes.erased_columns)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

/* Has a statement of ours that redacts the log fired the trigger at work? */
bool
is_redacting(void)
{
	return modes.redacting_depth != 0 && trigger_depth() == modes.redacting_depth;
}

/* Does the UPDATE that fired the trigger at work keep this ticket's books? */
bool
keeps_books_of(int64 ticket_id)
{
	return modes.books_of != 0 && modes.books_of == ticket_id && trigger_depth() == modes.books_depth;
}
