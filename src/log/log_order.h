/*
 * log_order.h
 *		The order in which a ticket changed, as statements that read the log write it.
 *
 * What the desk wrote itself is in the order of ids: a transaction has the time at which it began, but no change of a
 * ticket happened before one that was in the log already. An entry that was brought in from another system has its own
 * time, whenever it was written. The desk's entries of an UPDATE tell a version; that of another system has none.
 */
#ifndef SUPPORT_LOG_ORDER_H
#define SUPPORT_LOG_ORDER_H

/* Of an entry a, about a ticket: was it brought in? */
#define BROUGHT_IN \
	"(a.action = 'UPDATE' AND (a.old_value ? 'version') IS NOT TRUE)"

/* When it has its place, among the entries of one ticket that a statement reads. */
#define PLACED_AT \
	"CASE WHEN " BROUGHT_IN " THEN a.occurred_at" \
	" ELSE max(a.occurred_at) FILTER (WHERE NOT " BROUGHT_IN ") OVER (ORDER BY a.id) END"

#endif							/* SUPPORT_LOG_ORDER_H */
