/*
 * fold_wait.c
 *		Who stands in the way of a fold.
 *
 * A transaction that added up what changed, if only by itself on the way of a change, keeps others from it until it ends;
 * so does one that locks a table of the counters. Left open, or prepared, it makes fold_stats() wait for as long, and who
 * waits would see nothing but that. So he is told for whom.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"

#include "base/plan.h"
#include "stats/fold_wait.h"

enum
{
	HOLDERS
};

static Statement statements[] = {
	/* of the advisory lock on a table, or of a lock on the table that keeps writers out */
	[HOLDERS] = {
		.text = "SELECT DISTINCT l.pid, p.gid,"
		" a.state || coalesce(' since ' || to_char(a.state_change, 'YYYY-MM-DD HH24:MI:SSOF'), '')"
		" FROM pg_locks AS l"
		" LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid"
		" LEFT JOIN pg_locks AS t ON l.pid IS NULL AND t.pid IS NULL AND t.locktype = 'transactionid'"
		"	AND t.virtualtransaction = l.virtualtransaction"
		" LEFT JOIN pg_prepared_xacts AS p ON p.transaction = t.transactionid"
		" WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()"
		"	AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
		"	AND (l.locktype = 'advisory' AND l.classid = $1 AND l.objid = 0::oid AND l.objsubid = 3::int2"
		"		OR l.locktype = 'relation' AND l.relation = $1"
		"		AND l.mode = ANY (ARRAY['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']))"
		" ORDER BY l.pid, p.gid",
		.columns = {{INT4OID}, {TEXTOID}, {TEXTOID}},
		.nargs = 1, .argtypes = {OIDOID}
	}
};

/* Say who holds the lock that we are about to wait for: the one that keeps others from folding, or one on this table. */
void
tell_who_holds(Oid relid)
{
	Args		args = {0};
	StringInfoData holders;
	uint64		n;

	arg(&args, ObjectIdGetDatum(relid));
	n = run_read_only(&statements[HOLDERS], &args);
	initStringInfo(&holders);
	for (uint64 i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&holders, '\n');
		if (!result_is_null(i, 2))
			appendStringInfo(&holders, "Prepared transaction \"%s\".", result_text(i, 2));
		else if (!result_is_null(i, 1))
			appendStringInfo(&holders, "Process %d, %s.", DatumGetInt32(result(i, 1)),
							 result_is_null(i, 3) ? "of another role" : result_text(i, 3));
	}
	if (holders.len > 0)
		ereport(NOTICE,
				(errmsg("waiting for a transaction that keeps what changed from being added up"),
				 errdetail("%s", holders.data),
				 errhint("It has to end: by COMMIT or ROLLBACK there, pg_terminate_backend() with the process's number, or COMMIT PREPARED or ROLLBACK PREPARED with the name.")));
	pfree(holders.data);
}
