/*
 * inserted_rows.h
 *		Rows as they were inserted.
 */
#ifndef SUPPORT_INSERTED_ROWS_H
#define SUPPORT_INSERTED_ROWS_H

#include "utils/jsonb.h"

#include "base/row.h"

/* A row that an entry of the log says was inserted. */
typedef struct Insertion
{
	const DeskTable *table;
	int64		ticket_id;		/* 0 for none */
	int64		record_id;		/* 0 in a table without ids, */
	Jsonb	   *key;			/* where the key names the row; else NULL */
	int64		audit_id;		/* of the entry */

	Jsonb	   *image;			/* the row as it was inserted, as far as it is known; NULL if it is lost */
	bool		complete;		/* nothing is missing any more */
	bool		lost;			/* nobody can tell: it was purged */
} Insertion;

extern void find_inserted_rows(Insertion *insertions, int n);

#endif							/* SUPPORT_INSERTED_ROWS_H */
