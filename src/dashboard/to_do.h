/*
 * to_do.h
 *		What is to be done on the desk, the most pressing first.
 */
#ifndef SUPPORT_TO_DO_H
#define SUPPORT_TO_DO_H

#include "postgres.h"

typedef enum ToDo
{
	TO_DO_OVERDUE,
	TO_DO_DUE,
	TO_DO_UNASSIGNED,
	TO_DO_WAITING,
	TO_DOS
} ToDo;

/* How much there is of it. */
typedef struct ToDoCounts
{
	double		unsolved;
	double		oldest;			/* seconds; NaN for none */
	double		of[TO_DOS];
	bool		has_promises;	/* whether anything is promised at all */
} ToDoCounts;

#define TO_DO_ROWS 5

/* A ticket of a list. */
typedef struct ToDoTicket
{
	char	   *number;
	char	   *title;
	char	   *priority;		/* NULL unless it is above normal */
	char	   *whose;			/* the assignee, or the team of one without; NULL for nobody's */
	char	   *time;			/* what is left, how late it is, how old, how long it waits */
	char	   *at;				/* what was or is to be at which time */
} ToDoTicket;

extern void count_to_do(ToDoCounts *counts);
extern int	list_to_do(ToDo what, const ToDoCounts *counts, const char *time_zone, ToDoTicket *tickets);

#endif							/* SUPPORT_TO_DO_H */
