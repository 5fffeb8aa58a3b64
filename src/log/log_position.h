/*
 * log_position.h
 *		The order of the audit log's entries.
 */
#ifndef SUPPORT_LOG_POSITION_H
#define SUPPORT_LOG_POSITION_H

/* The position of an entry. */
typedef struct LogPosition
{
	int32		era;			/* from 1; 0 before all */
	int64		xid;
	int64		id;
} LogPosition;

/* The position in the columns of a row from this one on. */
static inline LogPosition
position_in(const Datum *values, int first)
{
	return (LogPosition) {
		DatumGetInt32(values[first]), DatumGetInt64(values[first + 1]), DatumGetInt64(values[first + 2])
	};
}

/* Below 0 if a comes before b, above 0 if it comes after. */
static inline int
compare_positions(LogPosition a, LogPosition b)
{
	if (a.era != b.era)
		return a.era < b.era ? -1 : 1;
	if (a.xid != b.xid)
		return a.xid < b.xid ? -1 : 1;
	return a.id < b.id ? -1 : a.id > b.id;
}

#endif							/* SUPPORT_LOG_POSITION_H */
