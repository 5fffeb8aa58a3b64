/*
 * modes.h
 *		What a session is about, where its triggers must know.
 */
#ifndef SUPPORT_MODES_H
#define SUPPORT_MODES_H

#include "nodes/pg_list.h"

#include "base/row.h"

/* All zero in a statement that is an application's own. */
typedef struct Modes
{
	/* install() writes rows itself: the desk's triggers let them pass, and the layout may not be there yet */
	bool		installing;

	/* a removed ticket comes back row by row: clocks find out what it is promised when all of it is there */
	bool		matching_deferred;

	/* the ticket that purge_deleted() destroys, 0 for none: its rows are not kept, only that they went */
	int64		purged_ticket;

	/*
	 * The row that becomes as it was, be it inserted, changed or removed by that: no rules are applied and no books kept.
	 * Rows that an application's own triggers write meanwhile, deeper down, are not meant.
	 */
	const DeskTable *restored_table;	/* NULL for none */
	int64		restored_id;	/* 0 in a table without one */
	int			restored_depth; /* of triggers */

	/*
	 * The ticket whose books a comment's trigger keeps, 0 for none, and how deep in triggers that UPDATE's own trigger
	 * is: only there do the columns that follow from comments move, and is no transition forbidden. What triggers of the
	 * application do meanwhile, to this ticket or another, is held to the rules.
	 */
	int64		books_of;
	int			books_depth;
	TimestampTz books_follow;	/* an instant from which they follow; DT_NOEND is now */

	/*
	 * The row whose content is erased, and how deep in triggers that UPDATE's own trigger is: the log has an ERASE for it,
	 * which tells nothing of these columns.
	 */
	const DeskTable *erased_table;	/* NULL for none */
	int64		erased_id;
	int			erased_depth;
	const List *erased_columns; /* names */

	/* a statement of ours redacts entries of the log, whose guard is so deep in triggers; 0 for none */
	int			redacting_depth;
} Modes;

extern Modes modes;

extern void work_in(const Modes *other, void (*work) (void *arg), void *arg);
extern Modes restoring_mode(const DeskTable *table, int64 id);
extern Modes bookkeeping_mode(int64 ticket_id, TimestampTz follow);
extern Modes erasing_mode(const DeskTable *table, int64 id, const List *columns);
extern Modes redacting_mode(void);
extern bool is_restored(const Row *row);
extern bool is_erased(const Row *row);
extern bool is_erased_column(const char *name);
extern bool is_redacting(void);
extern bool keeps_books_of(int64 ticket_id);

#endif							/* SUPPORT_MODES_H */
