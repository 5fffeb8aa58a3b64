/*
 * feed.c
 *		The change feed: other systems follow the audit log.
 *
 * A consumer has a name and a position, up to which it has done with the log. feed_read() gives what comes next and
 * notes nothing, so that it gives the same again after a crash; feed_done() moves the position. What is read, and when
 * it is complete, is the business of log_reader.c; rows as they were inserted that of inserted_rows.c.
 *
 * A position names an entry: era/xid/id. A consumer that starts from a snapshot stands before the oldest transaction
 * that ran then, and passes over entries that the snapshot sees.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/string.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/plan.h"
#include "base/tables.h"
#include "base/value_rules.h"
#include "log/eras.h"
#include "log/inserted_rows.h"
#include "log/log_columns.h"
#include "log/log_reader.h"
#include "log/log_writer.h"

#define MAX_CONSUMER_SIZE 255	/* of a name, in bytes */

enum
{
	ADD_CONSUMER,
	REMOVE_CONSUMER,
	FIND_CONSUMER,
	LOCK_CONSUMER,
	MOVE_CONSUMER
};

static Statement statements[] = {
	[ADD_CONSUMER] = {
		.text = "INSERT INTO support_internal.feed_consumers (consumer, era, xid, audit_id, start_snapshot, created_at)"
		" VALUES ($1, $2, $3, 0, $4, $5)"
		" ON CONFLICT DO NOTHING",
		.nargs = 5, .argtypes = {TEXTOID, INT4OID, INT8OID, PG_SNAPSHOTOID, TIMESTAMPTZOID},
		.as_owner_of = INTERNAL_TABLE("feed_consumers")
	},
	[REMOVE_CONSUMER] = {
		.text = "DELETE FROM support_internal.feed_consumers WHERE consumer = $1",
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("feed_consumers")
	},
	[FIND_CONSUMER] = {
		.text = "SELECT era, xid, audit_id, start_snapshot FROM support_internal.feed_consumers"
		" WHERE consumer = $1",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {5038}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("feed_consumers")
	},
	[LOCK_CONSUMER] = {
		.text = "SELECT era, xid, audit_id FROM support_internal.feed_consumers"
		" WHERE consumer = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("feed_consumers")
	},
	[MOVE_CONSUMER] = {
		.text = "UPDATE support_internal.feed_consumers SET"
		" era = $2, xid = $3, audit_id = $4, done_at = $5,"
		" start_snapshot = CASE WHEN pg_snapshot_xmax(start_snapshot)::text::int8 > $3"
		"	AND (SELECT count(DISTINCT ROW(e.system_identifier, e.database_oid)) FROM support_internal.eras AS e"
		"		WHERE e.era = feed_consumers.era OR e.era = $2) = 1"
		"	THEN start_snapshot END"
		" WHERE consumer = $1",
		.nargs = 5, .argtypes = {TEXTOID, INT4OID, INT8OID, INT8OID, TIMESTAMPTZOID},
		.as_owner_of = INTERNAL_TABLE("feed_consumers")
	}
};

/* Entries that are read, and completed, at a time. */
#define PART_SIZE 1000

/* P0002: nobody of that name follows the log. */
pg_noreturn static void
refuse_unknown_consumer(const char *consumer)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("feed consumer \"%s\" does not exist", consumer),
			 errhint("SELECT support.feed_start(%s) starts one.", quote_literal_cstr(consumer))));
}

/* The consumer that our call names. Raises 22023 for none, and 54000 for a name that no index would hold. */
static char *
consumer_argument(FunctionCallInfo fcinfo)
{
	char	   *consumer = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (strspn(consumer, " \t\r\n") == strlen(consumer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a feed consumer must not be null or blank")));
	check_size("the name of a feed consumer", PG_GETARG_DATUM(0), MAX_CONSUMER_SIZE);
	return consumer;
}

/* Raise 22023 for a snapshot that this cluster cannot have taken. */
static void
check_snapshot(Datum snapshot)
{
	int64		next_xid = DatumGetInt64(DirectFunctionCall1(pg_snapshot_xmax, snapshot));

	if (next_xid > (int64) U64FromFullTransactionId(ReadNextFullTransactionId()))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_snapshot lies in the future, or was taken in another cluster")));
}

/*
 * The position behind all that a snapshot sees for certain. A transaction that was prepared before the server was promoted,
 * and runs still, is of the era before.
 */
static void
args_of_snapshot(Args *args, Datum snapshot)
{
	int64		oldest_xid = DatumGetInt64(DirectFunctionCall1(pg_snapshot_xmin, snapshot));
	Eras		eras;
	int32		era;

	check_snapshot(snapshot);
	read_eras(&eras);
	era = first_era_from(&eras, oldest_xid);
	arg(args, Int32GetDatum(era != 0 ? era : current_era()));
	arg_int64(args, oldest_xid - 1);
	arg(args, snapshot);
}

/* feed_start(consumer, from_snapshot) */
PG_FUNCTION_INFO_V1(support_feed_start);
Datum
support_feed_start(PG_FUNCTION_ARGS)
{
	char	   *consumer = consumer_argument(fcinfo);
	Args		args = {0};
	Call		call;

	PreventCommandIfReadOnly("feed_start()");
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_text(&args, consumer);
	if (!PG_ARGISNULL(1))
		args_of_snapshot(&args, PG_GETARG_DATUM(1));
	else
	{
		arg(&args, Int32GetDatum(0));
		arg_int64(&args, 0);
		arg_null(&args);
	}
	arg(&args, TimestampTzGetDatum(desk_now()));
	if (run(&statements[ADD_CONSUMER], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("feed consumer \"%s\" exists", consumer),
				 errhint("To begin anew, SELECT support.feed_stop(%s) first.", quote_literal_cstr(consumer)),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, "support_internal"),
				 err_generic_string(PG_DIAG_TABLE_NAME, "feed_consumers"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "feed_consumers_pkey")));
	end_call(&call);
	PG_RETURN_VOID();
}

/* feed_stop(consumer) */
PG_FUNCTION_INFO_V1(support_feed_stop);
Datum
support_feed_stop(PG_FUNCTION_ARGS)
{
	char	   *consumer = consumer_argument(fcinfo);
	Args		args = {0};
	Call		call;

	PreventCommandIfReadOnly("feed_stop()");
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_text(&args, consumer);
	if (run(&statements[REMOVE_CONSUMER], &args) == 0)
		refuse_unknown_consumer(consumer);
	end_call(&call);
	PG_RETURN_VOID();
}

/* The first row of the last run begins with a position. */
static LogPosition
result_position(void)
{
	return (LogPosition) {
		.era = DatumGetInt32(result(0, 1)), .xid = result_int64(0, 2), .id = result_int64(0, 3)
	};
}

static char *
position_of(LogPosition position)
{
	return psprintf("%d/%lld/%lld", position.era, (long long) position.xid, (long long) position.id);
}

/* Read a position; false unless it is written as we write it. */
static bool
parse_position(const char *text, LogPosition *position)
{
	char	   *end;

	errno = 0;
	position->era = strtoint(text, &end, 10);
	if (errno != 0 || *end != '/')
		return false;
	position->xid = strtoi64(end + 1, &end, 10);
	if (errno != 0 || *end != '/')
		return false;
	position->id = strtoi64(end + 1, &end, 10);
	return errno == 0 && strcmp(position_of(*position), text) == 0;
}

/* The position that our call names. Raises 22023 for what is none. */
static LogPosition
position_argument(FunctionCallInfo fcinfo)
{
	char	   *argument = TextDatumGetCString(required_argument(fcinfo, 1, "feed_position"));
	LogPosition	position;

	if (!parse_position(argument, &position))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no feed position", argument),
				 errhint("Positions come from support.feed_read().")));
	return position;
}

/* Raise 22023 for a position that feed_read() cannot have given yet. */
static void
check_position(LogPosition position)
{
	int			settings = begin_log_settings();
	bool		was_given = log_has_entry(position);
	Eras		eras;

	read_eras(&eras);
	was_given = was_given && position.xid <= released_xid(&eras, position.era);
	end_log_settings(settings);
	if (!was_given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feed position %s never was", position_of(position)),
				 errhint("Positions come from support.feed_read().")));
}

/* feed_done(consumer, feed_position) */
PG_FUNCTION_INFO_V1(support_feed_done);
Datum
support_feed_done(PG_FUNCTION_ARGS)
{
	char	   *consumer = consumer_argument(fcinfo);
	LogPosition	position = position_argument(fcinfo);
	LogPosition	done;
	Args		args = {0};
	Call		call;

	PreventCommandIfReadOnly("feed_done()");
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	arg_text(&args, consumer);
	if (run(&statements[LOCK_CONSUMER], &args) == 0)
		refuse_unknown_consumer(consumer);
	done = result_position();
	if (compare_positions(position, done) != 0)
		check_position(position);
	if (compare_positions(position, done) > 0)
	{
		arg(&args, Int32GetDatum(position.era));
		arg_int64(&args, position.xid);
		arg_int64(&args, position.id);
		arg(&args, TimestampTzGetDatum(desk_now()));
		run(&statements[MOVE_CONSUMER], &args);
	}
	end_call(&call);
	PG_RETURN_VOID();
}

/* Begin to read where a consumer stands. Raises P0002. */
static void
open_feed(LogReader *reader, const char *consumer)
{
	Args		args = {0};
	LogPosition	position;
	Datum		seen;

	arg_text(&args, consumer);
	if (run_read_only(&statements[FIND_CONSUMER], &args) == 0)
		refuse_unknown_consumer(consumer);
	position = result_position();
	seen = result(0, 4);
	begin_log_reader(reader, position, seen);
}

/* The row that an entry says was inserted; table NULL if it says no such thing, or tells the row by itself. */
static Insertion
insertion_of(const LogRow *entry)
{
	Insertion	insertion = {0};
	const DeskTable *table;
	bool		has_image = !entry->nulls[LOG_NEW_VALUE];

	if (entry->nulls[LOG_TABLE_NAME] ||
		strcmp(TextDatumGetCString(entry->values[LOG_ACTION]), "INSERT") != 0)
		return insertion;
	table = desk_table(TextDatumGetCString(entry->values[LOG_TABLE_NAME]));
	if (table == NULL || table->is_internal || table->has_id == has_image)
		return insertion;

	insertion.table = table;
	insertion.audit_id = DatumGetInt64(entry->values[LOG_ID]);
	insertion.ticket_id = DatumGetInt64(entry->values[LOG_TICKET_ID]);
	if (table->has_id)
		insertion.record_id = DatumGetInt64(entry->values[LOG_RECORD_ID]);
	else
		insertion.key = DatumGetJsonbP(entry->values[LOG_NEW_VALUE]);
	return insertion;
}

/* Give the entries of an INSERT their rows. Where nobody can tell them any more stays what the log has. */
static void
complete_insertions(LogRow *entries, int n)
{
	Insertion  *insertions = palloc(sizeof(Insertion) * n);
	int		   *entry_of = palloc(sizeof(int) * n);
	int			found = 0;

	for (int i = 0; i < n; i++)
	{
		insertions[found] = insertion_of(&entries[i]);
		if (insertions[found].table != NULL)
			entry_of[found++] = i;
	}
	find_inserted_rows(insertions, found);
	for (int i = 0; i < found; i++)
		if (insertions[i].image != NULL)
		{
			entries[entry_of[i]].values[LOG_NEW_VALUE] = JsonbPGetDatum(insertions[i].image);
			entries[entry_of[i]].nulls[LOG_NEW_VALUE] = false;
		}
}

/*
 * Return the entries that were read, completed: what they have from their id on, behind the position. That is the order of
 * the log's columns, with the position where the transaction is.
 */
static void
put_entries(ReturnSetInfo *rsinfo, const LogEntries *entries)
{
	LogRow	   *rows = palloc(sizeof(LogRow) * entries->n);

	for (int i = 0; i < entries->n; i++)
		heap_deform_tuple(entries->tuples[i], entries->desc, rows[i].values, rows[i].nulls);
	complete_insertions(rows, entries->n);
	for (int i = 0; i < entries->n; i++)
	{
		LogRow	   *row = &rows[i];

		row->values[LOG_XID] = CStringGetTextDatum(position_of(entries->positions[i]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row->values + LOG_XID, row->nulls + LOG_XID);
	}
}

/* Read a batch, part by part. */
static void
read_batch(ReturnSetInfo *rsinfo, LogReader *reader, int64 batch_size)
{
	MemoryContext part = AllocSetContextCreate(CurrentMemoryContext, "part of a feed batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(part);
	LogEntries	entries;

	do
	{
		MemoryContextReset(part);
		read_log(reader, Min(batch_size, PART_SIZE), &entries);
		put_entries(rsinfo, &entries);
		batch_size -= entries.n;
	} while (entries.n > 0 && batch_size > 0);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(part);
}

/* feed_read(consumer, batch_size) -> the next changes */
PG_FUNCTION_INFO_V1(support_feed_read);
Datum
support_feed_read(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *consumer = consumer_argument(fcinfo);
	int64		batch_size = positive_argument(fcinfo, 1, "batch_size");
	LogReader	reader;
	Call		call;
	int			settings;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	settings = begin_log_settings();
	open_feed(&reader, consumer);
	read_batch(rsinfo, &reader, batch_size);
	end_log_settings(settings);
	end_call(&call);
	return (Datum) 0;
}
