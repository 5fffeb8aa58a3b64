/*
 * eras.c
 *		Which transactions can have written to the log.
 *
 * An entry's era and transaction are stamped by the log's writer and guard. Who goes past both can name any, but not all
 * are possible: an era must be one of those that began here, and none comes back, so an era is over when a later one has
 * been sealed. A transaction of this era must have committed, or be our own, if the snapshot sees what it wrote; none is
 * older than all that ran when its era began. What cannot be is not sealed, and verify_audit() names it.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/plan.h"
#include "log/eras.h"
#include "log/log_writer.h"

enum
{
	ERAS
};

static Statement statements[] = {
	[ERAS] = {
		.text = "SELECT e.era, e.began_xid,"
		" coalesce((SELECT s.to_xid FROM support_internal.audit_seals AS s"
		"	WHERE s.kind = 'seal' AND s.to_era = e.era"
		"	ORDER BY s.to_xid DESC LIMIT 1), 0)"
		" FROM support_internal.eras AS e ORDER BY e.era",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}}
	}
};

/* Read the eras as the active snapshot sees them. Needs an SPI level and the rights of the log's owner. */
void
read_eras(Eras *eras)
{
	memset(eras, 0, sizeof(Eras));
	eras->current = era_if_known();
	eras->n = run_read_only(&statements[ERAS], NULL);
	eras->list = palloc(sizeof(Era) * Max(eras->n, 1));
	for (int i = 0; i < eras->n; i++)
	{
		eras->list[i] = (Era) {
			DatumGetInt32(result(i, 1)), result_int64(i, 2), result_int64(i, 3)
		};
		if (eras->list[i].sealed_xid != 0)
			eras->last_sealed = eras->list[i].era;
	}
	eras->snapshot = DirectFunctionCall1(pg_current_snapshot, (Datum) 0);
	eras->oldest_xid = DatumGetInt64(DirectFunctionCall1(pg_snapshot_xmin, eras->snapshot));
	eras->own_xid = (int64) U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
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
