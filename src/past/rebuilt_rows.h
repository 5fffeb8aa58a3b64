/*
 * rebuilt_rows.h
 *		Records as they were.
 */
#ifndef SUPPORT_REBUILT_ROWS_H
#define SUPPORT_REBUILT_ROWS_H

#include "utils/timestamp.h"

#include "log/record_reader.h"

typedef enum InstantKind
{
	AT_TIME,
	AT_SNAPSHOT,
	AFTER_ENTRY
} InstantKind;

/* Which entries of the log are later than the state that is asked for. */
typedef struct Instant
{
	InstantKind kind;
	TimestampTz time;			/* AT_TIME: transactions that began after it */
	Datum		snapshot;		/* AT_SNAPSHOT: those that the pg_snapshot does not see, of this era */
	int32		era;			/* and later ones; 0 if there are none */
	int64		audit_id;		/* AFTER_ENTRY: entries after this one */
} Instant;

/* Records of one table that are rebuilt one after the other. */
typedef struct RebuiltRows RebuiltRows;

extern RebuiltRows *rebuild_rows(Relation rel, const DeskTable *table, const Instant *instant, int64 ticket_id,
								 int64 record_id);
extern const Row *next_rebuilt_row(RebuiltRows *rebuilt);
extern void close_rebuilt_rows(RebuiltRows *rebuilt);

#endif							/* SUPPORT_REBUILT_ROWS_H */
