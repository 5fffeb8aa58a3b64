/*
 * eras.c
 *		The clusters and lines of time that the log has lived in, and which transactions can have written to it.
 *
 * Transaction numbers mean something within a cluster, and within a line of time of it: a recovery to a point in time, or
 * a standby that is promoted, goes on with numbers that may have been used after that point already, by transactions that
 * are lost. The server calls such a line a timeline; two recoveries of one backup may give it the same number, but it began
 * at different places of the WAL. So an era is a cluster, a database, a timeline and where that began, and the first entry
 * that is written there makes its row. Recoveries to the very same place are still told apart, by who follows the log, by a
 * random name that the row is given.
 *
 * A transaction that was prepared before its server was promoted keeps the era that it wrote under, and may be committed
 * when the next one has long begun. Numbers go on over a promotion, so an era of this cluster is over only when no
 * transaction runs any more that is older than the first of the next; until then, what lies behind the oldest
 * running transaction is not released, as in the era of today.
 *
 * An entry's era and transaction are stamped by the log's writer and guard. Who goes past both can name any, but not all
 * are possible: an era must be one of those that began here, and none comes back, so an era is over when a later one has
 * been sealed. A transaction of this era must have committed, or be our own, if the snapshot sees what it wrote; none is
 * older than all that ran when its era began. What cannot be is not sealed, and verify_audit() names it.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/timeline.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/pg_lsn.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/heap_writer.h"
#include "base/plan.h"
#include "base/session_cache.h"
#include "log/eras.h"
#include "log/log_writer.h"

enum
{
	FIND_ERA,
	ADD_ERA,
	ERAS,
	SEALED_XID
};

static Statement statements[] = {
	/* no era comes back: a desk that returns to an earlier cluster begins another */
	[FIND_ERA] = {
		.text = "SELECT era FROM support_internal.eras"
		" WHERE system_identifier = $1 AND database_oid = $2"
		"	AND timeline = $3 AND began_lsn = $4"
		"	AND era = (SELECT max(e.era) FROM support_internal.eras AS e)",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 4, .argtypes = {INT8OID, OIDOID, INT8OID, PG_LSNOID}, .as_owner_of = INTERNAL_TABLE("eras")
	},
	[ADD_ERA] = {
		.text = "INSERT INTO support_internal.eras"
		" (system_identifier, database_oid, timeline, began_lsn, era, line, began_at, began_xid, first_xid)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, gen_random_uuid()), $7,"
		"	pg_snapshot_xmin(pg_current_snapshot())::text::int8, $8)",
		.nargs = 8,
		.argtypes = {INT8OID, OIDOID, INT8OID, PG_LSNOID, INT4OID, UUIDOID, TIMESTAMPTZOID, INT8OID},
		.as_owner_of = INTERNAL_TABLE("eras")
	},
	[ERAS] = {
		.text = "SELECT DISTINCT ON (era) era, system_identifier, database_oid, began_xid, first_xid"
		" FROM support_internal.eras ORDER BY era, first_xid",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {OIDOID, NOT_NULL}, {INT8OID, NOT_NULL},
		{INT8OID, NOT_NULL}},
		.as_owner_of = INTERNAL_TABLE("eras")
	},
	[SEALED_XID] = {
		.text = "SELECT to_xid FROM support_internal.audit_seals"
		" WHERE kind = 'seal' AND to_era = $1"
		" ORDER BY to_xid DESC LIMIT 1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT4OID}
	}
};

static int32 era;				/* that we write in; 0 while unknown */
static SessionCache era_cache;	/* the row of eras that we rely on may go with a rollback */

void
eras_init(void)
{
	add_session_cache(&era_cache);
}

/* Where in the WAL a timeline began: where it left the one before, 0 for the first one. */
static XLogRecPtr
beginning_of(TimeLineID timeline)
{
	List	   *history = readTimeLineHistory(timeline);
	XLogRecPtr	began = ((TimeLineHistoryEntry *) linitial(history))->begin;

	list_free_deep(history);
	return began;
}

/* Which cluster, database and line of time we write in. A server that writes stays in the timeline that it is in. */
static Args
this_line(void)
{
	static TimeLineID timeline = 0;
	static XLogRecPtr began;
	Args		line = {0};

	if (timeline == 0)
	{
		TimeLineID	now = GetWALInsertionTimeLine();

		began = beginning_of(now);
		timeline = now;
	}
	arg_int64(&line, (int64) GetSystemIdentifier());
	arg(&line, ObjectIdGetDatum(MyDatabaseId));
	arg_int64(&line, (int64) timeline);
	arg(&line, LSNGetDatum(began));
	return line;
}

/* What the newest row tells, be its transaction committed or not. */
typedef struct NewestEra
{
	int32		era;			/* 0 if there is no row */
	bool		is_ours;		/* of the line that we write in */
	pg_uuid_t	name;			/* its name, then */
} NewestEra;

/* The first columns of eras, which are read where they are. */
static const TableColumn era_columns[] = {
	{"era", INT4OID, .always_set = true},
	{"system_identifier", INT8OID, .always_set = true},
	{"database_oid", OIDOID, .always_set = true},
	{"timeline", INT8OID, .always_set = true},
	{"began_lsn", PG_LSNOID, .always_set = true},
	{"line", UUIDOID, .always_set = true}
};

#define ERA_COLUMNS lengthof(era_columns)

/* Are these the same cluster, database, timeline and place where that began? */
static bool
is_same_line(const Datum *a, const Datum *b)
{
	return DatumGetInt64(a[0]) == DatumGetInt64(b[0]) && DatumGetObjectId(a[1]) == DatumGetObjectId(b[1]) &&
		DatumGetInt64(a[2]) == DatumGetInt64(b[2]) && DatumGetLSN(a[3]) == DatumGetLSN(b[3]);
}

/* Take a row into account. */
static void
look_at_era(NewestEra *newest, TupleTableSlot *slot, const Args *line)
{
	bool		is_ours;
	int32		number;

	slot_getsomeattrs(slot, ERA_COLUMNS);
	check_not_null(era_columns, ERA_COLUMNS, "eras", slot->tts_isnull);
	number = DatumGetInt32(slot->tts_values[0]);
	is_ours = is_same_line(slot->tts_values + 1, line->values);
	if (number < newest->era || (number == newest->era && !is_ours))
		return;
	newest->era = number;
	newest->is_ours = is_ours;
	newest->name = *DatumGetUUIDP(slot->tts_values[ERA_COLUMNS - 1]);
}

/* Find the newest era among all rows that there are, and that others are about to commit or have prepared. */
static NewestEra
find_newest_era(Relation eras, const Args *line)
{
	NewestEra	newest = {0};
	TupleTableSlot *slot = table_slot_create(eras, NULL);
	SnapshotData dirty;
	TableScanDesc scan;

	check_columns(eras, era_columns, ERA_COLUMNS);
	InitDirtySnapshot(dirty);
	scan = table_beginscan(eras, &dirty, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		look_at_era(&newest, slot, line);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return newest;
}

/*
 * Make a row for the line that we write in; returns its era. Whose transaction does the same and has not ended yet is not
 * waited for, it may take long or be prepared: there is another row then with what it says. The lock, which is held for as
 * long as it takes to look and to add, keeps two from giving one line two names.
 */
static int32
add_era(Oid relid, const Args *line)
{
	Args		addition = *line;
	Relation	eras;
	NewestEra	newest;
	int32		number;

	LockRelationOid(relid, ShareUpdateExclusiveLock);
	eras = table_open(relid, NoLock);
	newest = find_newest_era(eras, line);
	table_close(eras, NoLock);
	number = newest.is_ours ? newest.era : newest.era + 1;
	arg(&addition, Int32GetDatum(number));
	if (newest.is_ours)
		arg(&addition, UUIDPGetDatum(&newest.name));
	else
		arg_null(&addition);
	arg(&addition, TimestampTzGetDatum(desk_now()));
	arg_int64(&addition, current_xid());
	if (run(&statements[ADD_ERA], &addition) != 1)
		refuse_suppressed_row();
	UnlockRelationOid(relid, ShareUpdateExclusiveLock);
	return number;
}

/*
 * Number of the era that we write in. The first write after a restore elsewhere, a recovery or a promotion makes the row.
 * Raises 27000 if something keeps it from that.
 */
int32
current_era(void)
{
	Oid			relid;
	Args		line;

	if (era != 0 && !era_cache.stale)
		return era;

	line = this_line();
	relid = desk_relation("support_internal", "eras");
	era_cache.tables[0] = relid;
	era_cache.stale = false;
	note_reading(&era_cache);
	SPI_connect();
	if (run(&statements[FIND_ERA], &line) > 0)
		era = DatumGetInt32(result(0, 1));
	else
		era = add_era(relid, &line);
	SPI_finish();
	return era;
}

/* The same where nothing may be written: 0 if there is no row yet. A standby is in the era of its primary. Needs an SPI level. */
int32
known_era(void)
{
	Eras		eras;
	Args		line;

	if (RecoveryInProgress())
	{
		read_eras(&eras);
		return eras.current;
	}
	if (era != 0 && !era_cache.stale)
		return era;
	line = this_line();
	return run(&statements[FIND_ERA], &line) > 0 ? DatumGetInt32(result(0, 1)) : 0;
}

bool
same_cluster(const Era *a, const Era *b)
{
	return a->system_identifier == b->system_identifier && a->database == b->database;
}

/* Has the era's cluster and database the transactions that we see running? */
static bool
is_here(const Era *era)
{
	return era->system_identifier == (int64) GetSystemIdentifier() && era->database == MyDatabaseId;
}

/*
 * Up to which transaction nothing can come to an era any more: all, once it is over, or when it was in another cluster. The
 * next era is that of the line of time which went on from it, or of another cluster; then all of this one came with a dump.
 */
static int64
last_ended_xid(const Eras *eras, const Era *era, const Era *next)
{
	if (!is_here(era) || (next != NULL && (!is_here(next) || eras->oldest_xid >= next->first_xid)))
		return PG_INT64_MAX;
	return eras->oldest_xid - 1;
}

/* Read the eras as the active snapshot sees them. Needs an SPI level. */
void
read_eras(Eras *eras)
{
	memset(eras, 0, sizeof(Eras));
	eras->snapshot = DirectFunctionCall1(pg_current_snapshot, (Datum) 0);
	eras->oldest_xid = DatumGetInt64(DirectFunctionCall1(pg_snapshot_xmin, eras->snapshot));
	eras->own_xid = (int64) U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
	eras->n = run_read_only(&statements[ERAS], NULL);
	eras->list = palloc0(sizeof(Era) * Max(eras->n, 1));
	for (int i = 0; i < eras->n; i++)
		eras->list[i] = (Era) {
			.era = DatumGetInt32(result(i, 1)), .system_identifier = result_int64(i, 2),
			.database = DatumGetObjectId(result(i, 3)), .began_xid = result_int64(i, 4), .first_xid = result_int64(i, 5)
		};
	for (int i = 0; i < eras->n; i++)
		eras->list[i].released_xid = last_ended_xid(eras, &eras->list[i], i + 1 < eras->n ? &eras->list[i + 1] : NULL);
	if (eras->n > 0 && is_here(&eras->list[eras->n - 1]))
		eras->current = eras->list[eras->n - 1].era;
}

/* The same, with how far each is sealed. Needs the rights of the log's owner. */
void
read_sealed_eras(Eras *eras)
{
	read_eras(eras);
	for (int i = 0; i < eras->n; i++)
	{
		Era		   *era = &eras->list[i];
		Args		args = {0};

		arg(&args, Int32GetDatum(era->era));
		if (run_read_only(&statements[SEALED_XID], &args) == 0)
			continue;
		era->sealed_xid = result_int64(0, 1);
		eras->last_sealed = era->era;
	}
}

/* The era of this number; NULL if there never was one. */
const Era *
find_era(const Eras *eras, int32 era)
{
	for (int i = 0; i < eras->n; i++)
		if (eras->list[i].era == era)
			return &eras->list[i];
	return NULL;
}

/* The era that follows; NULL if there is none. */
const Era *
era_after(const Eras *eras, int32 era)
{
	for (int i = 0; i < eras->n; i++)
		if (eras->list[i].era > era)
			return &eras->list[i];
	return NULL;
}

/* Up to which transaction nothing can come to an era any more. */
int64
released_xid(const Eras *eras, int32 era)
{
	const Era  *found = find_era(eras, era);

	return found != NULL ? found->released_xid : PG_INT64_MAX;
}

/* The earliest era that this cluster's transactions from this one on can have written in; 0 if nothing was written here. */
int32
first_era_from(const Eras *eras, int64 xid)
{
	int			i = eras->n - 1;

	if (eras->current == 0)
		return 0;
	while (i > 0 && is_here(&eras->list[i - 1]) && xid < eras->list[i].first_xid)
		i--;
	return eras->list[i].era;
}

/* Is all that such a transaction can have written sealed? */
bool
is_sealed_position(const Eras *eras, const Era *era, int64 xid)
{
	return xid <= era->sealed_xid || era->era < eras->last_sealed;
}

/* Did a transaction that the snapshot does not take for running roll back? Not known of very old ones. */
static bool
rolled_back(int64 xid)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		status;
	char	   *word;
	bool		aborted;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = Int64GetDatum(xid);
	fcinfo->args[0].isnull = false;
	status = pg_xact_status(fcinfo);
	if (fcinfo->isnull)
		return false;
	word = TextDatumGetCString(status);
	aborted = strcmp(word, "aborted") == 0;
	pfree(word);
	pfree(DatumGetPointer(status));
	return aborted;
}

/* Can a transaction of the current era have written what the snapshot sees? */
static bool
is_written(Eras *eras, int64 xid)
{
	if (xid == eras->asked_xid)
		return eras->is_written;
	eras->asked_xid = xid;
	eras->is_written = xid == eras->own_xid ||
		(xid >= FirstNormalTransactionId &&
		 DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot, Int64GetDatum(xid), eras->snapshot)) &&
		 !rolled_back(xid));
	return eras->is_written;
}

/* What is wrong with an entry's era, NULL for one that there never was, and transaction; NULL for nothing. */
const char *
flaw_of_origin(Eras *eras, const Era *era, int64 xid)
{
	if (era == NULL)
		return "it names an era that never was";
	if (xid < era->began_xid)
		return "its transaction is older than its era";
	if (era->era == eras->current && !is_written(eras, xid))
		return "its transaction has not written it";
	return NULL;
}

/*
 * Was an entry of the current era, whose row the transaction writer made, there before the transaction xid that it names?
 * A row that was moved since is younger. Not known once there have been so many transactions that numbers come again.
 */
bool
is_written_before(int64 xid, TransactionId writer)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());
	uint64		written = (next & ~(uint64) PG_UINT32_MAX) | writer;

	if (written >= next)
		written -= (uint64) PG_UINT32_MAX + 1;
	return TransactionIdIsNormal(writer) && (uint64) xid + PG_INT32_MAX > next && written < (uint64) xid;
}
