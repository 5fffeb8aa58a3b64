/*
 * records.h
 *		The records of a table, each with its changes in the log and its live row.
 */
#ifndef SUPPORT_RECORDS_H
#define SUPPORT_RECORDS_H

#include "base/plan.h"
#include "base/row.h"

#define EVERY_TICKET PG_INT64_MIN
#define EVERY_RECORD PG_INT64_MIN

/* What names a record, in the order in which records come. */
typedef struct RecordKey
{
	int64		ticket_id;		/* 0 in a table whose rows belong to no ticket */
	int64		record_id;
} RecordKey;

typedef enum ChangeKind
{
	CHANGE_INSERT,
	CHANGE_UPDATE,
	CHANGE_DELETE,
	CHANGE_PURGE,
	CHANGE_OTHER				/* an application's event */
} ChangeKind;

/* What the log has of a change. */
typedef struct Change
{
	RecordKey	key;
	TimestampTz occurred_at;
	int32		era;			/* 0 if it is not known */
	int64		xid;			/* likewise */
	ChangeKind	kind;
	Datum		old_value;		/* jsonb, 0 for none */
} Change;

typedef struct Records
{
	bool		at_record;		/* false before the first one */
	RecordKey	key;			/* of the record at hand */

	Portal		log;
	const Statement *log_statement;
	MemoryContext context;		/* of the changes' values; reset when others are read */
	Change	   *changes;		/* those at hand */
	int			nchanges;		/* 0 at the end of the log */
	int			next;			/* of them */

	Reader		rows;
	bool		has_row;		/* false after the last one */
	bool		row_is_used;	/* by the record at hand */
	RecordKey	row_key;
	Row			row;
} Records;

extern void open_records(Records *records, Relation rel, const DeskTable *table,
						 int64 ticket_id, int64 record_id, int64 first_id);
extern void open_records_of_opened(Records *records, Relation rel, TimestampTz from_at, TimestampTz to_at);
extern bool next_record(Records *records);
extern const Change *change_of_record(const Records *records);
extern void next_change(Records *records);
extern bool is_alone_in_transaction(const Records *records);
extern const Row *row_of_record(const Records *records);
extern void close_records(Records *records);

#endif							/* SUPPORT_RECORDS_H */
