/*
 * record_reader.h
 *		The records of a table, each with its changes in the log and its live row.
 */
#ifndef SUPPORT_RECORD_READER_H
#define SUPPORT_RECORD_READER_H

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
typedef struct RecordChange
{
	RecordKey	key;
	TimestampTz occurred_at;
	int32		era;			/* 0 if it is not known */
	int64		xid;			/* likewise */
	ChangeKind	kind;
	Datum		old_value;		/* jsonb, 0 for none */
} RecordChange;

typedef struct RecordReader
{
	bool		at_record;		/* false before the first one */
	RecordKey	key;			/* of the record at hand */

	Portal		log;
	const Statement *log_statement;
	MemoryContext context;		/* of the changes' values; reset when others are read */
	RecordChange *changes;		/* those at hand */
	int			nchanges;		/* 0 at the end of the log */
	int			next;			/* of them */

	Reader		rows;
	bool		has_row;		/* false after the last one */
	bool		row_is_used;	/* by the record at hand */
	RecordKey	row_key;
	Row			row;
} RecordReader;

extern void open_records(RecordReader *records, Relation rel, const DeskTable *table,
						 int64 ticket_id, int64 record_id, int64 first_id);
extern void open_records_of_opened(RecordReader *records, Relation rel, TimestampTz from_at, TimestampTz to_at);
extern bool next_record(RecordReader *records);
extern const RecordChange *change_of_record(const RecordReader *records);
extern void next_change(RecordReader *records);
extern bool is_alone_in_transaction(const RecordReader *records);
extern const Row *row_of_record(const RecordReader *records);
extern void close_records(RecordReader *records);

#endif							/* SUPPORT_RECORD_READER_H */
