/*
 * log_partitions.c
 *		The partitions of the log, and the months that they hold.
 *
 * Months are those of UTC, and a month's partition is named after it. Others may have made partitions of other ranges.
 */
#include "postgres.h"

#include "access/table.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/errors.h"
#include "log/log_partitions.h"
#include "log/log_writer.h"

/* The bound of the i-th datum of the log's partitions; beyond the ends, and for MINVALUE and MAXVALUE, infinity. */
static TimestampTz
bound(PartitionBoundInfo bounds, int i, TimestampTz otherwise)
{
	if (i < 0 || i >= bounds->ndatums || bounds->kind[i][0] != PARTITION_RANGE_DATUM_VALUE)
		return otherwise;
	return DatumGetTimestampTz(bounds->datums[i][0]);
}

/*
 * List the partitions of the log, which the caller has locked, as they are now. Raises 55000 if it has none of the kind that
 * it was made with.
 */
Partitions
list_partitions(Oid relid)
{
	Relation	log = table_open(relid, NoLock);
	Partitions	partitions;
	PartitionDesc desc;

	if (!is_divided_by_time(log))
		refuse_altered("relation support.audit_log", "is not divided into ranges of occurred_at");
	desc = RelationGetPartitionDesc(log, true);
	partitions.n = desc->nparts;
	partitions.list = palloc0(sizeof(Partition) * Max(desc->nparts, 1));
	for (int i = 0; i < desc->nparts; i++)
		partitions.list[i] = (Partition) {
			.relid = desc->oids[i], .is_default = i == desc->boundinfo->default_index,
			.from = DT_NOBEGIN, .upto = DT_NOEND
		};
	for (int i = 0; desc->nparts > 0 && i <= desc->boundinfo->ndatums; i++)
	{
		int			part = desc->boundinfo->indexes[i];

		if (part < 0)
			continue;
		partitions.list[part].from = bound(desc->boundinfo, i - 1, DT_NOBEGIN);
		partitions.list[part].upto = bound(desc->boundinfo, i, DT_NOEND);
	}
	table_close(log, NoLock);
	return partitions;
}

/* NULL if there is none. */
const Partition *
default_partition(const Partitions *partitions)
{
	for (int i = 0; i < partitions->n; i++)
		if (partitions->list[i].is_default)
			return &partitions->list[i];
	return NULL;
}

/* Does a partition other than the default one hold some time of the range? */
bool
is_covered(const Partitions *partitions, TimestampTz from, TimestampTz upto)
{
	for (int i = 0; i < partitions->n; i++)
		if (!partitions->list[i].is_default &&
			partitions->list[i].from < upto && from < partitions->list[i].upto)
			return true;
	return false;
}

/* The first instant of the month that is so many months after the one of an instant. The session's zone is UTC. */
TimestampTz
month_of(TimestampTz at, int months)
{
	Interval	shift = {.month = months};
	Datum		month = DirectFunctionCall2(timestamptz_trunc, CStringGetTextDatum("month"), TimestampTzGetDatum(at));

	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, month, IntervalPGetDatum(&shift)));
}

/* The name of a month's table, in whatever schema it is. The session's zone is UTC. */
char *
month_table(TimestampTz month)
{
	return psprintf("audit_log_%s",
					TextDatumGetCString(DirectFunctionCall2(timestamptz_to_char, TimestampTzGetDatum(month),
															CStringGetTextDatum("YYYY_MM"))));
}
