/*
 * log_reader.h
 *		Reading the audit log in the order of its positions.
 */
#ifndef SUPPORT_LOG_READER_H
#define SUPPORT_LOG_READER_H

#include "access/htup.h"
#include "access/tupdesc.h"

#include "log/eras.h"
#include "log/log_position.h"

/* Entries that were read. */
typedef struct LogEntries
{
	int			n;
	int			room;
	LogPosition *positions;
	HeapTuple  *tuples;
	TupleDesc	desc;			/* of the tuples: the log's columns, by number */
} LogEntries;

/* How far the log has been read. */
typedef struct LogReader
{
	LogPosition	at;				/* all up to here; id PG_INT64_MAX: no more of the transaction */
	Eras		eras;
	int64		last_xid;		/* of the era at hand: those behind it are not released yet */
	int32		seen_era;		/* the era whose cluster has entries to be passed over, */
	Datum		seen;			/* those that this pg_snapshot sees; 0 for none */
	int64		width;			/* of the next window, in transactions; 0 while nothing tells */
	LogPosition	large;			/* an entry of a large transaction that comes next, when that is known */
} LogReader;

extern int	begin_log_settings(void);
extern void end_log_settings(int nestlevel);
extern void begin_log_reader(LogReader *reader, LogPosition after, Datum seen);
extern void read_log(LogReader *reader, int wanted, LogEntries *entries);
extern bool log_has_entry(LogPosition position);

#endif							/* SUPPORT_LOG_READER_H */
