/*
 * backlog.c
 *		The unsolved tickets, a narrow row each.
 *
 * What is to be done is listed all day, by agent, team and status, by age and deadline. An index on tickets for each of these
 * would have an entry more for every reply, and one on a deadline for every turn of a clock. So support.backlog has a row
 * for each ticket that is live and unsolved, with no more than lists are picked and sorted by, and what the lists need is
 * indexed there. It follows from tickets and clocks. A change of a ticket writes it once, after the clocks have turned,
 * and only if it says something else then: a reply on a desk without policies writes nothing here.
 *
 * Whoever writes has locked the ticket's row until the transaction ends, and nobody else touches its row here meanwhile. So
 * we see it as it is now, whatever snapshot the transaction keeps to. Rows go the way of heap_writer.c, or over SPI where
 * somebody changed the table so that this does not serve.
 *
 * Whoever writes holds RowExclusiveLock on the table from before the look at what statuses mean until the transaction ends.
 * Who puts it right, because that meaning changes or rows came without triggers, takes a lock that waits for these.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"

#include "base/heap_writer.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "stats/backlog.h"
#include "stats/stat_check.h"
#include "stats/stat_history.h"

enum
{
	BACKLOG_TICKET_ID,
	BACKLOG_TEAM_ID,
	BACKLOG_ASSIGNEE_ID,
	BACKLOG_CREATED_AT,
	BACKLOG_NEXT_DUE_AT,
	BACKLOG_NEXT_METRIC,
	BACKLOG_BREACHES,
	BACKLOG_COLUMNS
};

static const TableColumn backlog_columns[BACKLOG_COLUMNS] = {
	[BACKLOG_TICKET_ID] = {"ticket_id", INT8OID, .always_set = true},
	[BACKLOG_TEAM_ID] = {"team_id", INT8OID},
	[BACKLOG_ASSIGNEE_ID] = {"assignee_id", INT8OID},
	[BACKLOG_CREATED_AT] = {"created_at", TIMESTAMPTZOID, .always_set = true},
	[BACKLOG_NEXT_DUE_AT] = {"next_due_at", TIMESTAMPTZOID},
	[BACKLOG_NEXT_METRIC] = {"next_metric", TEXTOID},
	[BACKLOG_BREACHES] = {"breaches", INT4OID, .always_set = true}
};

#define COLUMN_NAMES "ticket_id, team_id, assignee_id, created_at, next_due_at, next_metric, breaches"

enum
{
	FIND_ROW,
	REMOVE_ROW,
	HAS_FLAWS,
	REMOVE_WRONG,
	WRITE_MISSING
};

static Statement statements[] = {
	[FIND_ROW] = {
		.text = "SELECT " COLUMN_NAMES " FROM support.backlog WHERE ticket_id = $1",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID}, {INT8OID}, {TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID}, {TEXTOID},
		{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("backlog")
	},
	[REMOVE_ROW] = {
		.text = "DELETE FROM support.backlog WHERE ticket_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("backlog")
	},
	[HAS_FLAWS] = {
		.text = "SELECT FROM support_internal.backlog_flaws LIMIT 1",
		.as_owner_of = PUBLIC_TABLE("backlog")
	},
	[REMOVE_WRONG] = {
		.text = "DELETE FROM support.backlog AS b USING support_internal.backlog_flaws AS f"
		" WHERE b.ticket_id = f.ticket_id",
		.as_owner_of = PUBLIC_TABLE("backlog")
	},
	[WRITE_MISSING] = {
		.text = "INSERT INTO support.backlog (" COLUMN_NAMES ")"
		" SELECT " COLUMN_NAMES " FROM support_internal.backlog_expected AS e"
		" WHERE NOT EXISTS (SELECT FROM support.backlog AS b WHERE b.ticket_id = e.ticket_id)",
		.as_owner_of = PUBLIC_TABLE("backlog")
	}
};

static HeapTable backlog = {
	.name = PUBLIC_TABLE("backlog"), .columns = backlog_columns, .ncolumns = BACKLOG_COLUMNS, .replaces = true
};

typedef struct BacklogRow
{
	Datum		values[BACKLOG_COLUMNS];
	bool		nulls[BACKLOG_COLUMNS];
} BacklogRow;

/* Where a ticket has its row, if it has one. */
typedef struct Place
{
	Relation	rel;
	bool		plain;			/* the table takes rows without SPI */
	bool		found;
	HeapTuple	tuple;			/* that holds the values, where it was found without SPI */
	BacklogRow	row;
} Place;

/* Is the ticket, NULL for none, live and unsolved? The caller has locked the backlog, so that this stays so. */
static bool
is_listed(const Row *ticket)
{
	return ticket != NULL && row_is_null(ticket, TICKET_DELETED_AT) && !counts_as_solved(row_text(ticket, TICKET_STATUS));
}

/* Copy a row that was found, taken apart, whose columns are at these places. */
static void
take_row(Place *place, const Datum *values, const bool *nulls, const AttrNumber *attnums)
{
	for (int i = 0; i < BACKLOG_COLUMNS; i++)
	{
		int			from = attnums == NULL ? i : attnums[i] - 1;

		place->row.values[i] = values[from];
		place->row.nulls[i] = nulls[from];
	}
	place->found = true;
}

/* Find the row in a plain table. */
static void
find_place(Place *place, int64 ticket_id)
{
	TupleDesc	desc = RelationGetDescr(place->rel);
	List	   *rows = find_rows(&backlog, place->rel, ticket_id);
	Datum	   *values;
	bool	   *nulls;

	if (rows == NIL)
		return;
	values = palloc(sizeof(Datum) * desc->natts);
	nulls = palloc(sizeof(bool) * desc->natts);
	place->tuple = linitial(rows);
	heap_deform_tuple(place->tuple, desc, values, nulls);
	take_row(place, values, nulls, backlog.attnums);
}

/* The same by a statement. */
static void
select_place(Place *place, int64 ticket_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Args		args = {0};
	BacklogRow	row;

	SPI_connect();
	arg_int64(&args, ticket_id);
	if (run(&statements[FIND_ROW], &args) > 0)
	{
		MemoryContextSwitchTo(caller);
		heap_deform_tuple(heap_copytuple(SPI_tuptable->vals[0]), SPI_tuptable->tupdesc, row.values, row.nulls);
		take_row(place, row.values, row.nulls, NULL);
	}
	SPI_finish();
}

/* Look where a ticket has its row. */
static Place
place_of(Relation rel, int64 ticket_id)
{
	Place		place = {.rel = rel, .plain = know_table(&backlog, rel) && backlog.primary_key >= 0};

	memset(place.row.nulls, true, sizeof(place.row.nulls));
	if (place.plain)
		find_place(&place, ticket_id);
	else
		select_place(&place, ticket_id);
	return place;
}

static void
put(BacklogRow *row, int column, Datum value, bool isnull)
{
	row->values[column] = value;
	row->nulls[column] = isnull;
}

static void
put_from(BacklogRow *row, int column, const Row *ticket, int from)
{
	bool		isnull = row_is_null(ticket, from);

	put(row, column, isnull ? (Datum) 0 : row_datum(ticket, from), isnull);
}

static void
put_ticket(BacklogRow *row, const Row *ticket)
{
	put_from(row, BACKLOG_TICKET_ID, ticket, TICKET_ID);
	put_from(row, BACKLOG_TEAM_ID, ticket, TICKET_TEAM_ID);
	put_from(row, BACKLOG_ASSIGNEE_ID, ticket, TICKET_ASSIGNEE_ID);
	put_from(row, BACKLOG_CREATED_AT, ticket, TICKET_CREATED_AT);
}

static void
put_deadline(BacklogRow *row, const Deadline *deadline)
{
	bool		has_none = deadline->metric == NULL;

	put(row, BACKLOG_NEXT_DUE_AT, has_none ? (Datum) 0 : TimestampTzGetDatum(deadline->due_at), has_none);
	put(row, BACKLOG_NEXT_METRIC, has_none ? (Datum) 0 : CStringGetTextDatum(deadline->metric), has_none);
	put(row, BACKLOG_BREACHES, Int32GetDatum(deadline->breaches), false);
}

/* Do two values of a column, neither of which is NULL, differ? */
static bool
values_of_column_differ(int column, Datum a, Datum b)
{
	if (backlog_columns[column].type != TEXTOID)
		return a != b;
	return !datum_image_eq(a, b, false, -1);
}

static bool
rows_differ(const BacklogRow *a, const BacklogRow *b)
{
	for (int i = 0; i < BACKLOG_COLUMNS; i++)
		if (a->nulls[i] != b->nulls[i] || (!a->nulls[i] && values_of_column_differ(i, a->values[i], b->values[i])))
			return true;
	return false;
}

/* Write the row, if it says something else than the one that was found. */
static void
write_row(const Place *place, const BacklogRow *row)
{
	if (place->found && !rows_differ(&place->row, row))
		return;
	if (!place->plain)
		insert_row(&backlog, row->values, row->nulls);
	else if (place->found)
		change_row(&backlog, place->rel, place->tuple, row->values, row->nulls);
	else
		add_row(&backlog, place->rel, row->values, row->nulls);
	/* the next one to change it finds it as of an earlier command */
	CommandCounterIncrement();
}

/* Have the backlog say what a live unsolved ticket is now. A deadline that is NULL has not moved. */
static void
list_ticket(Relation rel, const Row *ticket, const Deadline *deadline)
{
	static const Deadline none = {.metric = NULL};
	Place		place = place_of(rel, row_int64(ticket, TICKET_ID));
	BacklogRow	row = place.row;

	put_ticket(&row, ticket);
	if (deadline != NULL || !place.found)
		put_deadline(&row, deadline == NULL ? &none : deadline);
	write_row(&place, &row);
}

/* The same for a new ticket, which has no row yet. */
static void
list_new_ticket(Relation rel, const Row *ticket, const Deadline *deadline)
{
	static const Deadline none = {.metric = NULL};
	BacklogRow	row;

	put_ticket(&row, ticket);
	put_deadline(&row, deadline == NULL ? &none : deadline);
	if (know_table(&backlog, rel) && backlog.primary_key >= 0)
		add_new_row(&backlog, rel, row.values, row.nulls);
	else
		insert_row(&backlog, row.values, row.nulls);
	CommandCounterIncrement();
}

/* Have a ticket in it no more. */
static void
strike_ticket(Relation rel, int64 ticket_id)
{
	Place		place = place_of(rel, ticket_id);
	Args		args = {0};

	if (place.found && place.plain)
	{
		remove_row(rel, place.tuple);
		CommandCounterIncrement();
	}
	else if (place.found)
	{
		SPI_connect();
		arg_int64(&args, ticket_id);
		run_latest(&statements[REMOVE_ROW], &args);
		SPI_finish();
	}
}

/* Does a column differ that the backlog has? */
static bool
differs(const Row *old, const Row *new)
{
	static const int columns[] = {TICKET_TEAM_ID, TICKET_ASSIGNEE_ID, TICKET_CREATED_AT};

	for (int i = 0; i < lengthof(columns); i++)
		if (row_column_differs(old, new, columns[i]))
			return true;
	return false;
}

/* Does a column differ that decides whether the ticket is in it? */
static bool
may_move(const Row *old, const Row *new)
{
	return row_column_differs(old, new, TICKET_STATUS) || row_column_differs(old, new, TICKET_DELETED_AT);
}

/*
 * A ticket becomes what new has, of old; NULL where there is none. What its clocks say now is given, and whether that has
 * moved; NULL if none has turned.
 */
void
follow_backlog(const Row *old, const Row *new, const Deadline *deadline, bool moved)
{
	bool		stays = old != NULL && new != NULL && !moved && !differs(old, new);
	Relation	rel;

	if (stays && !may_move(old, new))
		return;
	rel = table_open(heap_relation(&backlog), RowExclusiveLock);
	if (!is_listed(new))
	{
		if (is_listed(old))
			strike_ticket(rel, row_int64(old, TICKET_ID));
	}
	else if (old == NULL)
		list_new_ticket(rel, new, deadline);
	else if (!stays || !is_listed(old))
		list_ticket(rel, new, deadline);
	table_close(rel, NoLock);
}

/* The clocks of a ticket have turned, and nothing else: if it is in the backlog, that says so. */
void
move_deadline(int64 ticket_id, const Deadline *deadline)
{
	Relation	rel = table_open(heap_relation(&backlog), RowExclusiveLock);
	Place		place = place_of(rel, ticket_id);
	BacklogRow	row = place.row;

	if (place.found)
	{
		put_deadline(&row, deadline);
		write_row(&place, &row);
	}
	table_close(rel, NoLock);
}

/* Write what is missing or wrong, and remove what should not be there; returns how many rows that concerns. */
static uint64
settle_backlog(void)
{
	uint64		written;
	uint64		removed;

	/* who has written a row has ended then, and who is about to waits */
	LockRelationOid(desk_relation("support", "backlog"), ShareRowExclusiveLock);
	removed = run_latest(&statements[REMOVE_WRONG], NULL);
	written = run_latest(&statements[WRITE_MISSING], NULL);
	return Max(removed, written);
}

/*
 * Put the backlog right by what tickets and clocks say, with the rights of the desk's owner, for a desk that ran without its
 * triggers; returns how many rows were wrong. Where none is nothing is locked.
 */
int64
mend_backlog(void)
{
	uint64		mended = 0;
	int			level;

	SPI_connect();
	level = plan_for_all_rows();
	if (run_latest(&statements[HAS_FLAWS], NULL) > 0)
		mended = settle_backlog();
	AtEOXact_GUC(true, level);
	SPI_finish();
	return (int64) mended;
}

/* A status means something else from now on. One that comes or goes is no ticket's. */
static void
follow_status(const RowChange *change)
{
	int			level;

	if (change->old == NULL || change->new == NULL || !changes(change, STATUS_CATEGORY))
		return;
	SPI_connect();
	level = plan_for_all_rows();
	(void) settle_backlog();
	AtEOXact_GUC(true, level);
	SPI_finish();
}

void
backlog_init(void)
{
	static RowHooks hooks = {.table = &statuses_table, .follow = follow_status};

	add_row_hooks(&hooks, 1);
}
