/*
 * compat.h
 *		What differs between the servers we build on, 15 to 19.
 *
 * No other file asks for PG_VERSION_NUM.
 */
#ifndef SUPPORT_COMPAT_H
#define SUPPORT_COMPAT_H

#include "access/genam.h"
#include "access/gist_private.h"
#include "access/heapam.h"
#include "access/heapam_xlog.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "commands/cluster.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif

#if PG_VERSION_NUM >= 170000
/* The relation itself is handed over, not its oid. */
#define identity_sequence(rel, attnum) getIdentitySequence(rel, attnum, true)
/* BRIN keeps a pinned page from one insertion to the next until it is told that there will be none. */
#define finish_index_insert(index, info) index_insert_cleanup(index, info)
#else
#define identity_sequence(rel, attnum) getIdentitySequence(RelationGetRelid(rel), attnum, true)
#define finish_index_insert(index, info) ((void) 0)
#endif

/* The transaction that this backend is in, by its number among the backend's own. */
#if PG_VERSION_NUM >= 170000
#define current_lxid() (MyProc->vxid.lxid)
#else
#define current_lxid() (MyProc->lxid)
#endif

/* How many rows a table has, by the server's statistics. */
#if PG_VERSION_NUM >= 160000
#define live_tuples_of(entry) ((entry)->live_tuples)
#else
#define live_tuples_of(entry) ((entry)->n_live_tuples)
#endif

#if PG_VERSION_NUM < 160000
/* What a check hook hands on lives in malloc's memory; the server's own allocator came to be exported in 16. */
#define guc_malloc(elevel, size) malloc(size)
#endif

#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* A jsonb under construction. */
#if PG_VERSION_NUM >= 190000
typedef JsonbInState JsonbBuilder;
#define jsonb_push(builder, token, value) pushJsonbValue(builder, token, value)
#else
typedef struct JsonbBuilder
{
	JsonbParseState *state;
	JsonbValue *result;
} JsonbBuilder;
#define jsonb_push(builder, token, value) \
	((builder)->result = pushJsonbValue(&(builder)->state, token, value))
#endif

/* Must values of a domain be checked? */
#if PG_VERSION_NUM >= 190000
#define domain_has_constraints(type) DomainHasConstraints(type, NULL)
#else
#define domain_has_constraints(type) DomainHasConstraints(type)
#endif

/* Which indexes want an entry for the new version of a row? */
typedef enum IndexesToUpdate
{
	INDEXES_NONE,
	INDEXES_SUMMARIZING,
	INDEXES_ALL
} IndexesToUpdate;

/* Replace a tuple of a heap, once whoever is changing it has ended. */
static inline TM_Result
update_heap_tuple(Relation rel, ItemPointer old, HeapTuple tuple, IndexesToUpdate *indexes)
{
	CommandId	command = GetCurrentCommandId(true);
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	outcome;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes update;

	outcome = heap_update(rel, old, tuple, command, InvalidSnapshot, true, &failure, &mode, &update);
	*indexes = update == TU_None ? INDEXES_NONE : update == TU_Summarizing ? INDEXES_SUMMARIZING : INDEXES_ALL;
#else
	outcome = heap_update(rel, old, tuple, command, InvalidSnapshot, true, &failure, &mode);
	*indexes = HeapTupleIsHeapOnly(tuple) ? INDEXES_NONE : INDEXES_ALL;
#endif
	return outcome;
}

/* Of rows that are to be dropped, the last transaction that anybody must have seen the end of. */
#if PG_VERSION_NUM >= 160000
#define advance_horizon(header, horizon) HeapTupleHeaderAdvanceConflictHorizon(header, horizon)
#else
#define advance_horizon(header, horizon) HeapTupleHeaderAdvanceLatestRemovedXid(header, horizon)
#endif

/*
 * Have standbys wait for queries, or cancel them, that may see what the transactions up to the horizon removed from a table. It
 * is a record of GiST's that says no more than this, whatever the relation is.
 */
static inline void
log_horizon(Relation rel, FullTransactionId horizon)
{
#if PG_VERSION_NUM >= 160000
	gistXLogPageReuse(rel, rel, 0, horizon);
#else
	gistXLogPageReuse(rel, 0, horizon);
#endif
}

/* Before 16 an index that summarizes is one like others. */
#if PG_VERSION_NUM >= 160000
#define index_summarizes(info) ((info)->ii_Summarizing)
#else
#define index_summarizes(info) false
#endif

/* Write a table anew, without what nobody can see any more. The caller has AccessExclusiveLock, and has not opened it. */
static inline void
rewrite_heap(Oid relid)
{
	ClusterParams params = {0};

#if PG_VERSION_NUM >= 190000
	cluster_rel(REPACK_COMMAND_VACUUMFULL, table_open(relid, NoLock), InvalidOid, &params);
#elif PG_VERSION_NUM >= 180000
	cluster_rel(table_open(relid, NoLock), InvalidOid, &params);
#else
	cluster_rel(relid, InvalidOid, &params);
#endif
}

/* Have the input function of a date or time type read a text; false, without an error, if it refuses. */
static inline bool
parse_time(PGFunction input, char *text, Datum *parsed)
{
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext escontext = {T_ErrorSaveContext};

	return DirectInputFunctionCallSafe(input, text, InvalidOid, -1, (Node *) &escontext, parsed);
#else
	MemoryContext context = CurrentMemoryContext;
	volatile bool ok = true;

	/*
	 * These input functions touch nothing that an error would leave behind but memory, so there is no subtransaction;
	 * a setting's check hook, which comes here, could not have one. Errors that do not speak of the text pass.
	 */
	PG_TRY();
	{
		*parsed = DirectFunctionCall3(input, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		ok = false;
	}
	PG_END_TRY();
	return ok;
#endif
}

#endif							/* SUPPORT_COMPAT_H */
