/*
 * log_columns.h
 *		The columns of the audit log, and an entry as it is read.
 *
 * This list is for all that write or read whole entries. Its order is that of numbers, text, types and table alike: the
 * position of an entry, which says when it comes, then the rest as the table has it. A digest covers the columns in this
 * order, so another one goes behind them. Statements that read a few columns alone name those.
 */
#ifndef SUPPORT_LOG_COLUMNS_H
#define SUPPORT_LOG_COLUMNS_H

#include "base/heap_writer.h"

enum
{
	LOG_ERA,
	LOG_XID,
	LOG_ID,
	LOG_OCCURRED_AT,
	LOG_ACTOR_ID,
	LOG_DB_ROLE,
	LOG_ACTION,
	LOG_TABLE_NAME,
	LOG_RECORD_ID,
	LOG_TICKET_ID,
	LOG_OLD_VALUE,
	LOG_NEW_VALUE,
	LOG_COLUMNS
};

/* What a statement selects: of "", or of a table by its alias, as "a.". */
#define LOG_COLUMN_NAMES(of) \
	of "era, " of "xid, " of "id, " of "occurred_at, " of "actor_id, " of "db_role, " of "action, " \
	of "table_name, " of "record_id, " of "ticket_id, " of "old_value, " of "new_value"

/*
 * Its columns. An application's import may have entries that name no transaction: a statement that is about those of some
 * transaction says that its origin, era and xid, is NOT_NULL, others MAY_BE_NULL.
 */
#define LOG_COLUMN_TYPES(origin) \
	{INT4OID, origin}, {INT8OID, origin}, {INT8OID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {INT8OID}, {TEXTOID}, \
	{TEXTOID, NOT_NULL}, {TEXTOID}, {INT8OID}, {INT8OID, NOT_NULL}, {JSONBOID}, {JSONBOID}

/* The names and types one by one, and which columns the writer always gives a value. */
extern const TableColumn log_columns[LOG_COLUMNS];

/* An entry: its values, in the order of the columns. */
typedef struct LogRow
{
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS];
} LogRow;

extern bool log_columns_agree(void);

#endif							/* SUPPORT_LOG_COLUMNS_H */
