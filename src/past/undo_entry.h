/*
 * undo_entry.h
 *		The opposite of a change.
 */
#ifndef SUPPORT_UNDO_ENTRY_H
#define SUPPORT_UNDO_ENTRY_H

#include "past/undo_record.h"

/* Undoing an entry, alone or with all that the same user has done since. */
typedef struct Undoing
{
	bool		alone;
	bool		is_bookkeeping; /* found out: the entry has nothing but columns that the desk keeps */
	bool		left_books;		/* found out: some of these have changed since, and were left as they are */
} Undoing;

extern void undo_entry(const UndoEntry *entry, Undoing *undoing);
extern void foresee_undoing(const UndoEntry *entry, int64 actor_id, Undoing *undoing);

#endif							/* SUPPORT_UNDO_ENTRY_H */
