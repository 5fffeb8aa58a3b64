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
	PG_FINALLY();
	{
		modes = before;
	}
	PG_END_TRY();
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

/* Does the row become what it was? */
bool
is_restored(const Row *row)
{
	AttrNumber	id = row->shape->id;

	return row->shape->table == modes.restored_table &&
		(!AttributeNumberIsValid(id) || DatumGetInt64(row->values[id - 1]) == modes.restored_id) &&
		trigger_depth() == modes.restored_depth;
}

/* Does the UPDATE that fired the trigger at work keep this ticket's books? */
bool
keeps_books_of(int64 ticket_id)
{
	return modes.books_of != 0 && modes.books_of == ticket_id && trigger_depth() == modes.books_depth;
}
