/*
 * undo_order.h
 *		The order in which all that somebody did is undone.
 */
#ifndef SUPPORT_UNDO_ORDER_H
#define SUPPORT_UNDO_ORDER_H

#include "base/plan.h"
#include "past/undo_record.h"

/* Entries to undo, in the order of undoing. */
typedef struct UndoList
{
	SPITupleTable *rows;
	uint64		n;
	uint64	   *order;			/* numbers of rows */
} UndoList;

extern UndoList entries_to_undo(const Args *args);
extern UndoEntry entry_to_undo(const UndoList *list, uint64 i);

#endif							/* SUPPORT_UNDO_ORDER_H */
