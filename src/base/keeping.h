/*
 * keeping.h
 *		What a session keeps of tables beyond the transaction that read them.
 */
#ifndef SUPPORT_KEEPING_H
#define SUPPORT_KEEPING_H

typedef struct Keeping
{
	bool		stale;			/* to be read again at the next look */
	bool		in_transaction; /* some of it was read in the present transaction */
	bool		is_listed;
	struct Keeping *next;
} Keeping;

extern void note_reading(Keeping *keeping);

#endif							/* SUPPORT_KEEPING_H */
