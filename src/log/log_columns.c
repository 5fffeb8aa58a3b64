/*
 * log_columns.c
 *		The columns of the audit log.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"

#include "log/log_columns.h"

const TableColumn log_columns[LOG_COLUMNS] = {
	[LOG_ERA] = {"era", INT4OID, .always_set = true},
	[LOG_XID] = {"xid", INT8OID, .always_set = true},
	[LOG_ID] = {"id", INT8OID, .always_set = true},
	[LOG_OCCURRED_AT] = {"occurred_at", TIMESTAMPTZOID, .always_set = true},
	[LOG_ACTOR_ID] = {"actor_id", INT8OID},
	[LOG_DB_ROLE] = {"db_role", TEXTOID, .always_set = true},
	[LOG_ACTION] = {"action", TEXTOID, .always_set = true},
	[LOG_TABLE_NAME] = {"table_name", TEXTOID},
	[LOG_RECORD_ID] = {"record_id", INT8OID},
	[LOG_TICKET_ID] = {"ticket_id", INT8OID, .always_set = true},
	[LOG_OLD_VALUE] = {"old_value", JSONBOID},
	[LOG_NEW_VALUE] = {"new_value", JSONBOID}
};

/* Do the text and the types, which statements are made of, say the same as the table above? For assertions. */
bool
log_columns_agree(void)
{
	static const ResultColumn types[] = {LOG_COLUMN_TYPES(MAY_BE_NULL)};
	StringInfoData names;
	bool		agree = lengthof(types) == LOG_COLUMNS;

	initStringInfo(&names);
	for (int i = 0; agree && i < LOG_COLUMNS; i++)
	{
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", log_columns[i].name);
		agree = types[i].type == log_columns[i].type;
	}
	return agree && strcmp(names.data, LOG_COLUMN_NAMES("")) == 0;
}
