/*
 * sla_store.c
 *		Clocks and their ledger, in the tables.
 *
 * Most changes of a ticket that is promised something turn a clock, so its row is read and changed, and the ledger
 * added to, without SPI, see heap_writer.c. Where somebody changed the tables so that this does not serve, statements do
 * the same.
 *
 * Who reads clocks to change them has locked the ticket's row until the transaction ends, and nobody else touches the
 * clocks of that ticket meanwhile. So we see them as they are now, whatever snapshot the transaction keeps to.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/heap_writer.h"
#include "base/plan.h"
#include "calendar/opening_hours.h"
#include "sla/sla_names.h"
#include "sla/sla_store.h"

enum
{
	CLOCK_TICKET_ID,
	CLOCK_ID,
	CLOCK_METRIC,
	CLOCK_INSTANCE,
	CLOCK_POLICY_ID,
	CLOCK_POLICY_VERSION,
	CLOCK_CALENDAR_ID,
	CLOCK_CALENDAR_VERSION,
	CLOCK_TARGET,
	CLOCK_PAUSE_CATEGORIES,
	CLOCK_WARN_PERCENTS,
	CLOCK_STATE,
	CLOCK_CONSUMED,
	CLOCK_CHECKPOINT_AT,
	CLOCK_STARTED_AT,
	CLOCK_DUE_AT,
	CLOCK_WAKE_AT,
	CLOCK_WARNED,
	CLOCK_ENDED_AT,
	CLOCK_BREACHED_AT,
	CLOCK_BREACH_REASON,
	CLOCK_DECIDED_TEAM_ID,
	CLOCK_DECIDED_ASSIGNEE_ID,
	CLOCK_CANCEL_REASON,
	CLOCK_DECIDED_AT,
	CLOCK_COLUMNS
};

static const TableColumn clock_columns[CLOCK_COLUMNS] = {
	[CLOCK_TICKET_ID] = {"ticket_id", INT8OID, .always_set = true},
	[CLOCK_ID] = {"id", INT8OID, .always_set = true},
	[CLOCK_METRIC] = {"metric", TEXTOID, .always_set = true},
	[CLOCK_INSTANCE] = {"instance", INT4OID, .always_set = true},
	[CLOCK_POLICY_ID] = {"policy_id", INT8OID, .always_set = true},
	[CLOCK_POLICY_VERSION] = {"policy_version", INT4OID, .always_set = true},
	[CLOCK_CALENDAR_ID] = {"calendar_id", INT8OID},
	[CLOCK_CALENDAR_VERSION] = {"calendar_version", INT4OID},
	[CLOCK_TARGET] = {"target", INTERVALOID, .always_set = true},
	[CLOCK_PAUSE_CATEGORIES] = {"pause_categories", TEXTARRAYOID, .always_set = true},
	[CLOCK_WARN_PERCENTS] = {"warn_percents", INT4ARRAYOID, .always_set = true},
	[CLOCK_STATE] = {"state", TEXTOID, .always_set = true},
	[CLOCK_CONSUMED] = {"consumed", INTERVALOID, .always_set = true},
	[CLOCK_CHECKPOINT_AT] = {"checkpoint_at", TIMESTAMPTZOID, .always_set = true},
	[CLOCK_STARTED_AT] = {"started_at", TIMESTAMPTZOID, .always_set = true},
	[CLOCK_DUE_AT] = {"due_at", TIMESTAMPTZOID},
	[CLOCK_WAKE_AT] = {"wake_at", TIMESTAMPTZOID},
	[CLOCK_WARNED] = {"warned", INT4OID, .always_set = true},
	[CLOCK_ENDED_AT] = {"ended_at", TIMESTAMPTZOID},
	[CLOCK_BREACHED_AT] = {"breached_at", TIMESTAMPTZOID},
	[CLOCK_BREACH_REASON] = {"breach_reason", TEXTOID},
	[CLOCK_DECIDED_TEAM_ID] = {"decided_team_id", INT8OID},
	[CLOCK_DECIDED_ASSIGNEE_ID] = {"decided_assignee_id", INT8OID},
	[CLOCK_CANCEL_REASON] = {"cancel_reason", TEXTOID},
	[CLOCK_DECIDED_AT] = {"decided_at", TIMESTAMPTZOID}
};

enum
{
	EVENT_TICKET_ID,
	EVENT_ID,
	EVENT_CLOCK_ID,
	EVENT_KIND,
	EVENT_OCCURRED_AT,
	EVENT_RECORDED_AT,
	EVENT_CONSUMED,
	EVENT_REASON,
	EVENT_PERCENT,
	EVENT_DUE_AT,
	EVENT_TARGET,
	EVENT_POLICY_ID,
	EVENT_POLICY_VERSION,
	EVENT_CALENDAR_ID,
	EVENT_CALENDAR_VERSION,
	EVENT_PAUSE_CATEGORIES,
	EVENT_TEAM_ID,
	EVENT_ASSIGNEE_ID,
	EVENT_COLUMNS
};

static const TableColumn event_columns[EVENT_COLUMNS] = {
	[EVENT_TICKET_ID] = {"ticket_id", INT8OID, .always_set = true},
	[EVENT_ID] = {"id", INT8OID, .always_set = true},
	[EVENT_CLOCK_ID] = {"clock_id", INT8OID, .always_set = true},
	[EVENT_KIND] = {"kind", TEXTOID, .always_set = true},
	[EVENT_OCCURRED_AT] = {"occurred_at", TIMESTAMPTZOID, .always_set = true},
	[EVENT_RECORDED_AT] = {"recorded_at", TIMESTAMPTZOID, .always_set = true},
	[EVENT_CONSUMED] = {"consumed", INTERVALOID, .always_set = true},
	[EVENT_REASON] = {"reason", TEXTOID},
	[EVENT_PERCENT] = {"percent", INT4OID},
	[EVENT_DUE_AT] = {"due_at", TIMESTAMPTZOID},
	[EVENT_TARGET] = {"target", INTERVALOID},
	[EVENT_POLICY_ID] = {"policy_id", INT8OID},
	[EVENT_POLICY_VERSION] = {"policy_version", INT4OID},
	[EVENT_CALENDAR_ID] = {"calendar_id", INT8OID},
	[EVENT_CALENDAR_VERSION] = {"calendar_version", INT4OID},
	[EVENT_PAUSE_CATEGORIES] = {"pause_categories", TEXTARRAYOID},
	[EVENT_TEAM_ID] = {"team_id", INT8OID},
	[EVENT_ASSIGNEE_ID] = {"assignee_id", INT8OID}
};

#define CLOCK_COLUMN_NAMES \
	"ticket_id, id, metric, instance, policy_id, policy_version, calendar_id, calendar_version, target," \
	" pause_categories, warn_percents, state, consumed, checkpoint_at, started_at, due_at, wake_at, warned, ended_at," \
	" breached_at, breach_reason, decided_team_id, decided_assignee_id, cancel_reason, decided_at"
#define CLOCK_TYPES \
	INT8OID, INT8OID, TEXTOID, INT4OID, INT8OID, INT4OID, INT8OID, INT4OID, INTERVALOID, \
	TEXTARRAYOID, INT4ARRAYOID, TEXTOID, INTERVALOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, \
	INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID

enum
{
	READ_CLOCKS,
	UPDATE_CLOCK
};

static Statement statements[] = {
	[READ_CLOCKS] = {
		.text = "SELECT " CLOCK_COLUMN_NAMES " FROM support.sla_clocks"
		" WHERE ticket_id = $1 ORDER BY id",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}, {INT4OID, NOT_NULL},
		{INT8OID, NOT_NULL}, {INT4OID, NOT_NULL}, {INT8OID}, {INT4OID}, {INTERVALOID, NOT_NULL},
		{TEXTARRAYOID, NOT_NULL}, {INT4ARRAYOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {INTERVALOID, NOT_NULL},
		{TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID}, {TIMESTAMPTZOID}, {INT4OID, NOT_NULL},
		{TIMESTAMPTZOID}, {TIMESTAMPTZOID}, {TEXTOID}, {INT8OID}, {INT8OID}, {TEXTOID}, {TIMESTAMPTZOID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("sla_clocks")
	},
	[UPDATE_CLOCK] = {
		.text = "UPDATE support.sla_clocks SET (" CLOCK_COLUMN_NAMES ")"
		" = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,"
		" $23, $24, $25)"
		" WHERE ticket_id = $1 AND id = $2",
		.nargs = CLOCK_COLUMNS, .argtypes = {CLOCK_TYPES}, .as_owner_of = PUBLIC_TABLE("sla_clocks")
	}
};

static HeapTable clocks_table = {
	.name = PUBLIC_TABLE("sla_clocks"), .columns = clock_columns, .ncolumns = CLOCK_COLUMNS
};
static HeapTable events_table = {
	.name = PUBLIC_TABLE("sla_events"), .columns = event_columns, .ncolumns = EVENT_COLUMNS
};

/* The values of a row, in the order of the columns. */
typedef struct RowValues
{
	Datum	   *values;
	bool	   *nulls;
} RowValues;

/* A clock's row: as it was read, then as it is to be. */
typedef struct ClockRow
{
	HeapTuple	tuple;			/* that was read, and holds the values; NULL if it is new or a statement found it */
	Promise		promise;		/* that the values tell */
	Datum		values[CLOCK_COLUMNS];
	bool		nulls[CLOCK_COLUMNS];
} ClockRow;

/* An entry of the ledger. */
typedef struct EventRow
{
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS];
} EventRow;

static void
put(const RowValues *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

/* NULL for a time that is not there, or beyond all calendars. */
static void
put_time(const RowValues *row, int column, TimestampTz at)
{
	row->values[column] = TimestampTzGetDatum(at);
	row->nulls[column] = TIMESTAMP_NOT_FINITE(at);
}

/* NULL for 0. */
static void
put_id(const RowValues *row, int column, int64 id)
{
	row->values[column] = Int64GetDatum(id);
	row->nulls[column] = id == 0;
}

static void
put_text(const RowValues *row, int column, const char *text)
{
	row->nulls[column] = text == NULL;
	if (text != NULL)
		row->values[column] = CStringGetTextDatum(text);
}

static void
put_percents(const RowValues *row, int column, int n, const int32 *percents)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = Int32GetDatum(percents[i]);
	put(row, column, PointerGetDatum(construct_array(elements, n, INT4OID, sizeof(int32), true, TYPALIGN_INT)));
}

/* What is promised, and by whom, in columns that follow one another in both tables. */
static void
put_promise(const RowValues *row, int policy_id, const Promise *promise)
{
	put(row, policy_id, Int64GetDatum(promise->policy_id));
	put(row, policy_id + 1, Int32GetDatum(promise->policy_version));
	put_id(row, policy_id + 2, promise->calendar_id);
	put(row, policy_id + 3, Int32GetDatum(promise->calendar_version));
	row->nulls[policy_id + 3] = promise->calendar_id == NO_CALENDAR;
}

/* Whose clock it is: that never changes. */
static void
put_beginning(const RowValues *row, const Clock *clock)
{
	put(row, CLOCK_TICKET_ID, Int64GetDatum(clock->ticket_id));
	put(row, CLOCK_ID, Int64GetDatum(clock->id));
	put_text(row, CLOCK_METRIC, sla_metric_names[clock->promise.metric]);
	put(row, CLOCK_INSTANCE, Int32GetDatum(clock->instance));
}

static void
put_target(const RowValues *row, const Promise *promise)
{
	put_promise(row, CLOCK_POLICY_ID, promise);
	put(row, CLOCK_TARGET, time_span(promise->target));
	put(row, CLOCK_PAUSE_CATEGORIES, PointerGetDatum(categories_array(promise->pauses)));
	put_percents(row, CLOCK_WARN_PERCENTS, promise->nwarns, promise->warns);
}

/* How far it has come. */
static void
put_progress(const RowValues *row, const Clock *clock)
{
	put_text(row, CLOCK_STATE, clock_state_names[clock->state]);
	put(row, CLOCK_CONSUMED, time_span(clock->consumed));
	put_time(row, CLOCK_CHECKPOINT_AT, clock->checkpoint_at);
	put_time(row, CLOCK_STARTED_AT, clock->started_at);
	put_time(row, CLOCK_DUE_AT, clock->due_at);
	put_time(row, CLOCK_WAKE_AT, clock->wake_at);
	put(row, CLOCK_WARNED, Int32GetDatum(clock->warned));
	put_time(row, CLOCK_ENDED_AT, clock->ended_at);
	put_time(row, CLOCK_BREACHED_AT, clock->breached_at);
	put_text(row, CLOCK_BREACH_REASON, clock->breach_reason);
	put_id(row, CLOCK_DECIDED_TEAM_ID, clock->decided_team_id);
	put_id(row, CLOCK_DECIDED_ASSIGNEE_ID, clock->decided_assignee_id);
	put_text(row, CLOCK_CANCEL_REASON, clock->cancel_reason);
	put_time(row, CLOCK_DECIDED_AT, decided_at(clock));
}

/* Have the row say what the clock does. Most changes leave the promise as it is. */
static void
put_clock(ClockRow *clock_row, const Clock *clock)
{
	RowValues	row = {clock_row->values, clock_row->nulls};

	if (clock->is_new)
		put_beginning(&row, clock);
	if (clock->is_new || !same_promise(&clock_row->promise, &clock->promise))
		put_target(&row, &clock->promise);
	put_progress(&row, clock);
}

/* Is the value this name? */
static bool
is_name(Datum value, const char *name)
{
	text	   *value_text = DatumGetTextPP(value);
	size_t		length = strlen(name);

	return VARSIZE_ANY_EXHDR(value_text) == length && memcmp(VARDATA_ANY(value_text), name, length) == 0;
}

/* Raise 55000: somebody has written to the clocks what we do not. */
pg_noreturn static void
refuse_value(int column, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of relation support.sla_clocks %s", clock_columns[column].name, problem),
			 errhint("Nobody but the desk writes to that table: delete the row.")));
}

/* Which of some names a column has. */
static int
name_among(const RowValues *row, int column, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (is_name(row->values[column], names[i]))
			return i;
	refuse_value(column, psprintf("is \"%s\", which is not known", TextDatumGetCString(row->values[column])));
}

/* The microseconds of an interval that is no less than nothing, and has no days or months. */
static int64
get_span(const RowValues *row, int column)
{
	const Interval *span = DatumGetIntervalP(row->values[column]);

	if (span->month != 0 || span->day != 0 || span->time < 0)
		refuse_value(column, "is no time in hours");
	return span->time;
}

/* The elements of an array of percentages; sets how many there are. */
static const int32 *
get_percents(const RowValues *row, int column, int *n)
{
	ArrayType  *array = DatumGetArrayTypeP(row->values[column]);
	const int32 *percents = (const int32 *) ARR_DATA_PTR(array);

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (array_contains_nulls(array))
		refuse_value(column, "has a null among its percentages");
	for (int i = 0; i < *n; i++)
		if (percents[i] < 1 || percents[i] > 99)
			refuse_value(column, "has percentages that are not 1 to 99");
	return percents;
}

static TimestampTz
get_time(const RowValues *row, int column)
{
	return row->nulls[column] ? DT_NOBEGIN : DatumGetTimestampTz(row->values[column]);
}

static int64
get_id(const RowValues *row, int column)
{
	return row->nulls[column] ? 0 : DatumGetInt64(row->values[column]);
}

static const char *
get_text(const RowValues *row, int column)
{
	return row->nulls[column] ? NULL : TextDatumGetCString(row->values[column]);
}

static Promise
get_promise(const RowValues *row)
{
	int			nwarns;
	const int32 *warns = get_percents(row, CLOCK_WARN_PERCENTS, &nwarns);

	return (Promise) {
		.metric = name_among(row, CLOCK_METRIC, sla_metric_names, SLA_METRICS),
		.policy_id = get_id(row, CLOCK_POLICY_ID),
		.policy_version = DatumGetInt32(row->values[CLOCK_POLICY_VERSION]),
		.target = get_span(row, CLOCK_TARGET),
		.calendar_id = get_id(row, CLOCK_CALENDAR_ID),
		.calendar_version = row->nulls[CLOCK_CALENDAR_VERSION] ? 0 : DatumGetInt32(row->values[CLOCK_CALENDAR_VERSION]),
		.pauses = categories_in(DatumGetArrayTypeP(row->values[CLOCK_PAUSE_CATEGORIES])),
		.nwarns = nwarns,
		.warns = warns
	};
}

/* Raise 55000 for a row that lacks what each clock has. */
static void
check_complete(const RowValues *row)
{
	for (int i = 0; i < CLOCK_COLUMNS; i++)
		if (row->nulls[i] && clock_columns[i].always_set)
			refuse_altered_column("support.sla_clocks", clock_columns[i].name, "is null where it must not be");
}

static Clock *
get_clock(ClockRow *clock_row)
{
	RowValues	values = {clock_row->values, clock_row->nulls};
	const RowValues *row = &values;
	Clock	   *clock = palloc0(sizeof(Clock));

	check_complete(row);
	clock->ticket_id = get_id(row, CLOCK_TICKET_ID);
	clock->id = get_id(row, CLOCK_ID);
	clock->instance = DatumGetInt32(row->values[CLOCK_INSTANCE]);
	clock->row = clock_row;
	clock->promise = clock_row->promise = get_promise(row);
	clock->state = name_among(row, CLOCK_STATE, clock_state_names, CLOCK_CANCELLED + 1);
	clock->consumed = get_span(row, CLOCK_CONSUMED);
	clock->checkpoint_at = get_time(row, CLOCK_CHECKPOINT_AT);
	clock->started_at = get_time(row, CLOCK_STARTED_AT);
	clock->due_at = get_time(row, CLOCK_DUE_AT);
	if (clock->state == CLOCK_RUNNING && clock->due_at == DT_NOBEGIN)
		clock->due_at = DT_NOEND;
	clock->wake_at = get_time(row, CLOCK_WAKE_AT);
	clock->warned = DatumGetInt32(row->values[CLOCK_WARNED]);
	clock->ended_at = get_time(row, CLOCK_ENDED_AT);
	clock->breached_at = get_time(row, CLOCK_BREACHED_AT);
	clock->breach_reason = get_text(row, CLOCK_BREACH_REASON);
	clock->decided_team_id = get_id(row, CLOCK_DECIDED_TEAM_ID);
	clock->decided_assignee_id = get_id(row, CLOCK_DECIDED_ASSIGNEE_ID);
	clock->cancel_reason = get_text(row, CLOCK_CANCEL_REASON);
	if (clock->state == CLOCK_CANCELLED && clock->cancel_reason == NULL)
		refuse_value(CLOCK_CANCEL_REASON, "is null, and the clock was cancelled");
	check_clock(clock);
	return clock;
}

/* Open one of the two tables to write to it; sets whether it takes rows without SPI. */
static Relation
open_table(HeapTable *table, bool *plain)
{
	Relation	rel = table_open(heap_relation(table), RowExclusiveLock);

	*plain = know_table(table, rel) && table->primary_key >= 0;
	return rel;
}

/* The number of another clock, for who has read those of the ticket. */
int64
new_clock_id(void)
{
	return next_row_id(&clocks_table);
}

/* The rows of a plain table as clocks. */
static List *
find_clocks(Relation rel, int64 ticket_id)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	List	   *rows = find_rows(&clocks_table, rel, ticket_id);
	List	   *clocks = NIL;
	ListCell   *cell;

	foreach(cell, rows)
	{
		ClockRow   *row = palloc(sizeof(ClockRow));

		row->tuple = lfirst(cell);
		heap_deform_tuple(row->tuple, desc, values, nulls);
		for (int i = 0; i < CLOCK_COLUMNS; i++)
		{
			row->values[i] = values[clocks_table.attnums[i] - 1];
			row->nulls[i] = nulls[clocks_table.attnums[i] - 1];
		}
		clocks = lappend(clocks, get_clock(row));
	}
	return clocks;
}

/* The clocks that a statement finds, copied to the caller's memory. */
static List *
select_clocks(int64 ticket_id)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *clocks = NIL;
	Args		args = {0};
	uint64		n;

	SPI_connect();
	arg_int64(&args, ticket_id);
	n = run(&statements[READ_CLOCKS], &args);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < n; i++)
	{
		ClockRow   *row = palloc(sizeof(ClockRow));

		row->tuple = NULL;
		heap_deform_tuple(heap_copytuple(SPI_tuptable->vals[i]), SPI_tuptable->tupdesc, row->values, row->nulls);
		clocks = lappend(clocks, get_clock(row));
	}
	SPI_finish();
	return clocks;
}

/* The clocks of a ticket, in the order in which they began. */
List *
read_clocks(int64 ticket_id)
{
	bool		plain;
	Relation	rel = open_table(&clocks_table, &plain);
	List	   *clocks = plain ? find_clocks(rel, ticket_id) : select_clocks(ticket_id);

	table_close(rel, NoLock);
	return clocks;
}

/* Change a clock's row over SPI. */
static void
update_clock(const ClockRow *row)
{
	Args		args = {0};

	for (int i = 0; i < CLOCK_COLUMNS; i++)
	{
		if (row->nulls[i])
			arg_null(&args);
		else
			arg(&args, row->values[i]);
	}
	SPI_connect();
	run(&statements[UPDATE_CLOCK], &args);
	SPI_finish();
}

/* Write a clock that is new or has changed. */
static void
write_clock(Relation rel, bool plain, Clock *clock)
{
	ClockRow   *row = clock->is_new ? palloc(sizeof(ClockRow)) : clock->row;

	settle_wake(clock);
	put_clock(row, clock);
	if (plain && clock->is_new)
		add_row(&clocks_table, rel, row->values, row->nulls);
	else if (plain && row->tuple != NULL)
		change_row(&clocks_table, rel, row->tuple, row->values, row->nulls);
	else if (clock->is_new)
		insert_row(&clocks_table, row->values, row->nulls);
	else
		update_clock(row);
}

/* Write those clocks of a ticket that are new or have changed. */
void
write_clocks(const List *clocks)
{
	bool		plain;
	Relation	rel = open_table(&clocks_table, &plain);
	ListCell   *cell;

	foreach(cell, clocks)
	{
		Clock	   *clock = lfirst(cell);

		if (clock->changed)
			write_clock(rel, plain, clock);
	}
	table_close(rel, NoLock);
	/* the next one to change them finds them as of an earlier command */
	CommandCounterIncrement();
}

/* All of an entry but its id. */
static void
put_event(const RowValues *row, const Ledger *ledger, const Clock *clock, const SlaEvent *event)
{
	memset(row->nulls, true, sizeof(bool) * EVENT_COLUMNS);
	put(row, EVENT_TICKET_ID, Int64GetDatum(clock->ticket_id));
	put(row, EVENT_CLOCK_ID, Int64GetDatum(clock->id));
	put_text(row, EVENT_KIND, sla_event_names[event->kind]);
	put_time(row, EVENT_OCCURRED_AT, event->occurred_at);
	put_time(row, EVENT_RECORDED_AT, desk_now());
	put(row, EVENT_CONSUMED, time_span(event->consumed));
	put_text(row, EVENT_REASON, event->reason);
	if (event->kind == SLA_WARN)
		put(row, EVENT_PERCENT, Int32GetDatum(event->percent));
	put_time(row, EVENT_DUE_AT, clock->due_at);
	if (event->kind == SLA_ACTIVATE || event->kind == SLA_RETARGET)
	{
		put(row, EVENT_TARGET, time_span(clock->promise.target));
		put_promise(row, EVENT_POLICY_ID, &clock->promise);
		put(row, EVENT_PAUSE_CATEGORIES, PointerGetDatum(categories_array(clock->promise.pauses)));
	}
	if (event->kind == SLA_BREACH)
	{
		put_id(row, EVENT_TEAM_ID, ledger->team_id);
		put_id(row, EVENT_ASSIGNEE_ID, ledger->assignee_id);
	}
}

/* Keep in mind what happened to a clock, to be written once all has. */
void
note_event(Ledger *ledger, const Clock *clock, const SlaEvent *event)
{
	EventRow   *row = palloc(sizeof(EventRow));
	RowValues	values = {row->values, row->nulls};

	put_event(&values, ledger, clock, event);
	ledger->pending = lappend(ledger->pending, row);
}

/* Number the entries, and add them to the ledger unless others may see it: that waits until the clocks are written. */
void
write_ledger(Ledger *ledger)
{
	bool		plain;
	Relation	rel;
	ListCell   *cell;

	if (ledger->pending == NIL)
		return;
	rel = open_table(&events_table, &plain);
	foreach(cell, ledger->pending)
	{
		EventRow   *row = lfirst(cell);

		row->values[EVENT_ID] = Int64GetDatum(next_row_id(&events_table));
		row->nulls[EVENT_ID] = false;
		if (plain)
			add_row(&events_table, rel, row->values, row->nulls);
	}
	if (plain)
		ledger->pending = NIL;
	table_close(rel, NoLock);
}

/* Write the entries that triggers of the application see: these may change the ticket, and turn its clocks. */
void
write_pending(Ledger *ledger)
{
	ListCell   *cell;

	foreach(cell, ledger->pending)
	{
		const EventRow *row = lfirst(cell);

		insert_row(&events_table, row->values, row->nulls);
	}
	ledger->pending = NIL;
}
