/*
 * page.h
 *		The desk as a page of HTML: its parts.
 */
#ifndef SUPPORT_PAGE_H
#define SUPPORT_PAGE_H

#include "utils/timestamp.h"

#include "base/plan.h"
#include "dashboard/svg.h"

/* What a range is divided into, and how its parts are called. */
typedef struct Division
{
	int64		days;			/* for ranges of at most so many days; the last is for all */
	const char *bucket;
	const char *label_format;
} Division;

/* A range of time. */
typedef struct PageRange
{
	TimestampTz from_at;
	TimestampTz to_at;
	char	   *text;
} PageRange;

/* What a page is about. */
typedef struct DeskPage
{
	StringInfo	out;
	PageRange	range;
	PageRange	before;			/* as long a time right before it; text is NULL if there is none */
	char	   *time_zone;
	char	   *now_text;
	const Division *fine;		/* for counts */
	const Division *coarse;		/* for percentiles, which need more to tell something */
	bool		has_promises;	/* whether anything is promised at all */
	int			images;			/* so far */
} DeskPage;

#define MAX_COLUMNS 6
/* Rows of a list that go on paper. */
#define PAPER_ROWS 6

/* A list of things with their numbers. */
typedef struct NumberList
{
	const char *title;
	const char *subtitle;
	const char *heading;		/* of the things */
	Column		columns[MAX_COLUMNS];
} NumberList;

/* page_parts.c */
extern void append_list(StringInfo out, const NumberList *list, uint64 n);
extern void begin_figure(StringInfo out, const char *title, const char *subtitle, bool is_wide);
extern void append_plot(DeskPage *page, const Plot *plot, const Division *division);

/* page_now.c, page_range.c, page_words.c */
extern void append_present(DeskPage *page);
extern void append_past(DeskPage *page);
extern void append_words(DeskPage *page);

#endif							/* SUPPORT_PAGE_H */
