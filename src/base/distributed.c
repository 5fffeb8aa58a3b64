/*
 * distributed.c
 *		Tables whose rows lie on other nodes.
 *
 * Citus lists the tables that it has taken over in a catalog of its own, each partition by itself. That it is installed says
 * nothing yet of a table. A table that becomes one of them is invalidated in every session.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/distributed.h"

/* Are the rows of the table elsewhere, so that they cannot be read or written past the server's executor? */
bool
is_distributed(Relation rel)
{
	Oid			list = get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE);
	AttrNumber	attnum = OidIsValid(list) ? get_attnum(list, "logicalrelid") : InvalidAttrNumber;
	ScanKeyData key;
	Relation	distributed;
	SysScanDesc scan;
	bool		found;

	if (attnum == InvalidAttrNumber)
		return OidIsValid(list);
	distributed = table_open(list, AccessShareLock);
	ScanKeyInit(&key, attnum, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RelationGetRelid(rel)));
	scan = systable_beginscan(distributed, InvalidOid, false, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(distributed, AccessShareLock);
	return found;
}
