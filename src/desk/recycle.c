/*
 * recycle.c
 *		Deleting, restoring and purging tickets.
 *
 * A ticket is marked (deleted_at) or removed (SQL DELETE). What was removed lies in the audit log: one DELETE entry
 * for the ticket and for each row that went with it, all of one transaction. support_internal.recycle_bin names the
 * ticket's entry. Restoring inserts the images again, the ticket first, with the triggers told to apply no rules and
 * keep no books; the log gets its INSERT entries like any other insertion. The bin's row is deleted first, and so
 * locked: of two sessions that restore or purge the same ticket one finds nothing.
 *
 * A purge passes over tickets that are held. One that came to be held since it was found refuses to go, and is left out.
 *
 * deleted_at is what its writer says. A purge goes by it only where the log, whose time is the desk's, tells of no younger
 * mark: nobody makes a purge destroy today what lived until today.
 *
 * An image may lack columns that are younger than it, which get their defaults, and may have some that have another name
 * now, which are followed where that is certain, or are gone, which are left out with a warning: see column_names.c.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/actor.h"
#include "base/bisection.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/lookups.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/assignment.h"
#include "desk/hold.h"
#include "desk/recycle.h"
#include "desk/reply.h"
#include "desk/ticket_access.h"
#include "log/column_names.h"
#include "log/log_writer.h"
#include "log/row_image.h"
#include "proof/removal.h"
#include "sla/sla_follow.h"

enum
{
	MARK,
	UNMARK,
	STATE_OF_TICKET,
	TAKE_FROM_BIN,
	REMOVED_ROWS,
	REMOVED_COMMENT,
	FILES_OF_REMOVED_COMMENT,
	HOLDER_OF_NUMBER,
	HOLDER_OF_EXTERNAL_ID,
	HAS_COMMENT_OF_EXTERNAL_ID,
	LOST_COMMENTS_FIRST,
	VERSION_OF_TICKET,
	OLD_MARKED,
	OLD_REMOVED,
	REMOVE_TICKET,
	FORGET_REMOVED,
	REMOVE_CONTENT,
	ERASE_IMAGES
};

static Statement statements[] = {
	[MARK] = {
		.text = "UPDATE support.tickets SET deleted_at = support.desk_now(), delete_reason = $3"
		" WHERE id = $1 AND deleted_at IS NULL"
		" AND ($2 IS NULL OR version = $2) RETURNING version",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[UNMARK] = {
		.text = "UPDATE support.tickets SET deleted_at = NULL"
		" WHERE id = $1 RETURNING version",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[STATE_OF_TICKET] = {
		.text = "SELECT deleted_at IS NOT NULL FROM support.tickets"
		" WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[TAKE_FROM_BIN] = {
		.text = "DELETE FROM support_internal.recycle_bin WHERE ticket_id = $1"
		" RETURNING audit_id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	},
	[REMOVED_ROWS] = {
		.text = "SELECT r.table_name, r.old_value"
		" FROM"
		" ("
		"	SELECT DISTINCT ON (a.table_name, a.record_id, k.key) a.id, a.table_name, a.old_value"
		"	FROM support.audit_log AS a"
		"	JOIN support.audit_log AS removal"
		"		ON removal.ticket_id = $1 AND removal.id = $2"
		"		AND removal.xid = a.xid AND removal.era = a.era"
		"	CROSS JOIN LATERAL (SELECT coalesce(a.old_value ->> 'tag_id',"
		"		a.old_value ->> 'user_id')) AS k (key)"
		"	WHERE a.ticket_id = $1 AND a.action = 'DELETE'"
		"		AND a.table_name = ANY"
		"			(ARRAY['tickets', 'comments', 'attachments', 'ticket_tags', 'ticket_watchers'])"
		"		AND a.old_value IS NOT NULL"
		"	ORDER BY a.table_name, a.record_id, k.key, a.id DESC"
		" ) AS r"
		" ORDER BY r.table_name = 'tickets' DESC,"
		" r.table_name = 'comments' DESC, r.id",
		.columns = {{TEXTOID, NOT_NULL}, {JSONBOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	},
	[REMOVED_COMMENT] = {
		.text = "SELECT a.old_value, a.id FROM support.audit_log AS a"
		" WHERE a.ticket_id = $1 AND a.record_id = $2"
		" AND a.table_name = 'comments' AND a.action = 'DELETE'"
		" AND a.old_value IS NOT NULL"
		" AND NOT EXISTS (SELECT FROM support.comments AS c"
		"	WHERE c.ticket_id = $1 AND c.id = $2)"
		" ORDER BY a.id DESC LIMIT 1",
		.columns = {{JSONBOID, NOT_NULL}, {INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	},
	[FILES_OF_REMOVED_COMMENT] = {
		.text = "SELECT a.old_value FROM support.audit_log AS a"
		" JOIN support.audit_log AS removal"
		"	ON removal.ticket_id = $1 AND removal.id = $3"
		"	AND removal.xid = a.xid AND removal.era = a.era"
		" WHERE a.ticket_id = $1"
		" AND a.table_name = 'attachments' AND a.action = 'DELETE'"
		" AND a.old_value ->> 'comment_id' = $2::text"
		" AND NOT EXISTS (SELECT FROM support.attachments AS f"
		"	WHERE f.ticket_id = $1 AND f.id = a.record_id)"
		" ORDER BY a.id",
		.columns = {{JSONBOID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	},
	[HOLDER_OF_NUMBER] = {
		.text = "SELECT id, ticket_number FROM support.tickets"
		" WHERE ticket_number::text = ($1 ->> 'ticket_number')",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {JSONBOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[HOLDER_OF_EXTERNAL_ID] = {
		.text = "SELECT id, external_id FROM support.tickets"
		" WHERE external_id = ($1 ->> 'external_id')",
		.columns = {{INT8OID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {JSONBOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[HAS_COMMENT_OF_EXTERNAL_ID] = {
		.text = "SELECT external_id FROM support.comments"
		" WHERE ticket_id = ($1 ->> 'ticket_id')::int8"
		"	AND external_id = ($1 ->> 'external_id')",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {JSONBOID}, .as_owner_of = PUBLIC_TABLE("comments")
	},
	[LOST_COMMENTS_FIRST] = {
		.text = "SELECT 1 FROM support.audit_log AS a"
		" JOIN support.audit_log AS removal"
		"	ON removal.ticket_id = $1 AND removal.id = $2"
		"	AND removal.xid = a.xid AND removal.era = a.era"
		"	AND removal.id > a.id"
		" WHERE a.ticket_id = $1 AND a.table_name = 'comments'"
		" AND a.action = 'DELETE' LIMIT 1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	},
	[VERSION_OF_TICKET] = {
		.text = "SELECT version FROM support.tickets WHERE id = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[OLD_MARKED] = {
		.text = "SELECT t.id FROM support.tickets AS t WHERE t.deleted_at < $1"
		" AND t.id <> ALL ($3)"
		" AND NOT EXISTS (SELECT FROM support.audit_log AS a"
		"	WHERE a.ticket_id = t.id AND a.record_id = t.id"
		"	AND a.occurred_at >= $1 AND a.table_name = 'tickets'"
		"	AND (a.action = 'INSERT' OR a.new_value ? 'deleted_at'))"
		" AND NOT EXISTS (SELECT FROM support_internal.holds_on_ticket(t.id) AS h)"
		" ORDER BY t.deleted_at, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, INT8OID, INT8ARRAYOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[OLD_REMOVED] = {
		.text = "SELECT ticket_id FROM support_internal.recycle_bin WHERE occurred_at < $1"
		" AND ticket_id <> ALL ($3)"
		" AND NOT EXISTS (SELECT FROM support.tickets AS t"
		"	WHERE t.id = recycle_bin.ticket_id)"
		" AND NOT EXISTS (SELECT FROM support_internal.holds_on_ticket(recycle_bin.ticket_id) AS h)"
		" ORDER BY occurred_at, ticket_id LIMIT $2 FOR UPDATE SKIP LOCKED",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, INT8OID, INT8ARRAYOID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	},
	[REMOVE_TICKET] = {
		.text = "DELETE FROM support.tickets WHERE id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[FORGET_REMOVED] = {
		.text = "DELETE FROM support_internal.recycle_bin WHERE ticket_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("recycle_bin")
	},
	[REMOVE_CONTENT] = {
		.text = "DELETE FROM support_internal.attachment_contents WHERE ticket_id = $1",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("attachment_contents")
	},
	[ERASE_IMAGES] = {
		.text = "UPDATE support.audit_log SET old_value = NULL, new_value = NULL"
		" WHERE ticket_id = $1 AND (old_value IS NOT NULL OR new_value IS NOT NULL)",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("audit_log")
	}
};

/* delete_ticket(ticket_id, reason, expected_version, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_delete_ticket);
Datum
support_delete_ticket(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	Args		args = {0};
	Call		call;
	int64		version;

	begin_call(&call, fcinfo, 3);
	lock_ticket_at_version(ticket_id, version_argument(fcinfo, 2));
	arg_int64(&args, ticket_id);
	arg_passed(&args, fcinfo, 2);
	arg_passed(&args, fcinfo, 1);
	if (run(&statements[MARK], &args) == 0)
		refuse_absent_ticket(ticket_id);
	version = result_int64(0, 1);
	end_call(&call);
	PG_RETURN_INT64(version);
}

/*
 * Form an INSERT of the columns that an image has for the table as it is now. The types and values go to the arrays;
 * returns the text, and how many in *n.
 */
static char *
insert_of(Relation rel, Jsonb *image, Oid *types, Datum *values, char *nulls, int *n)
{
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData columns;
	StringInfoData params;

	*n = 0;
	initStringInfo(&columns);
	initStringInfo(&params);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		isnull;

		if (att->attisdropped || att->attgenerated || !image_column(image, rel, i, &values[*n], &isnull))
			continue;
		types[*n] = att->atttypid;
		nulls[*n] = isnull ? 'n' : ' ';
		++*n;
		appendStringInfo(&columns, "%s%s", *n > 1 ? ", " : "", quote_identifier(NameStr(att->attname)));
		appendStringInfo(&params, "%s$%d", *n > 1 ? ", " : "", *n);
	}
	return psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)",
					quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											   RelationGetRelationName(rel)),
					columns.data, params.data);
}

/* Insert an image's row with the caller's rights. */
static void
insert_image(const char *table_name, Jsonb *image)
{
	const DeskTable *table = desk_table(table_name);
	Relation	rel = table_open(desk_relation(schema_of(table), table_name), RowExclusiveLock);
	int			natts = RelationGetDescr(rel)->natts;
	Oid		   *types = palloc(sizeof(Oid) * natts);
	Datum	   *values = palloc(sizeof(Datum) * natts);
	char	   *nulls = palloc(natts);
	int			nestlevel;
	char	   *text;
	int			n;

	image = with_names_of_today(image, shape_of(rel, table));
	nestlevel = begin_image_settings(shape_of(rel, table));
	text = insert_of(rel, image, types, values, nulls, &n);
	end_image_settings(nestlevel);
	(void) run_once(text, n, types, values, nulls);
	table_close(rel, NoLock);
}

/* An image, and the table that it is a row of. */
typedef struct RestoredImage
{
	const char *table_name;
	Jsonb	   *image;
} RestoredImage;

static void
insert_restored(void *arg)
{
	RestoredImage *restored = arg;

	insert_image(restored->table_name, restored->image);
}

/* Raise 23505 if another comment of the ticket has got a removed one's external_id meanwhile. */
static void
check_comment_key(Jsonb *image)
{
	Args		args = {0};

	arg(&args, JsonbPGetDatum(image));
	if (run(&statements[HAS_COMMENT_OF_EXTERNAL_ID], &args) > 0)
		refuse_taken_external_id(result_text(0, 1), NULL, "comments", "ix_comments_external_id");
}

/* Insert an image's row, with the triggers told that it comes back. Raises 23505 for a comment, as above. */
void
restore_image(const char *table_name, Jsonb *image)
{
	const DeskTable *table = desk_table(table_name);
	Modes		restoring = restoring_mode(table, json_member_int64(image, "id", 0));
	RestoredImage restored = {table_name, image};

	if (table == &comments_table)
		check_comment_key(image);
	work_in(&restoring, insert_restored, &restored);
}

/* Restore the images of a result: table name and image, or the image alone where all are of one table. */
static void
restore_images(SPITupleTable *rows, uint64 n, const char *table_name)
{
	MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "restored row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = CurrentMemoryContext;

	for (uint64 i = 0; i < n; i++)
	{
		int			image_at = table_name ? 1 : 2;
		bool		isnull;
		Datum		image = SPI_getbinval(rows->vals[i], rows->tupdesc, image_at, &isnull);

		CHECK_FOR_INTERRUPTS();
		/* SPI leaves us in a context of its own */
		MemoryContextSwitchTo(per_row);
		restore_image(table_name ? table_name : SPI_getvalue(rows->vals[i], rows->tupdesc, 1),
					  DatumGetJsonbP(image));
		MemoryContextReset(per_row);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(per_row);
}

/* Raise 55000: there is nothing to restore. */
pg_noreturn static void
refuse_live_ticket(int64 ticket_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("ticket %lld is not deleted", (long long) ticket_id)));
}

/* Raise 23505 if the removed ticket's number or external_id was taken meanwhile. The holder is named to who may see it. */
static void
check_names_free(Jsonb *image)
{
	Args		args = {0};

	arg(&args, JsonbPGetDatum(image));
	if (run(&statements[HOLDER_OF_NUMBER], &args) > 0)
	{
		int64		holder_id = result_int64(0, 1);

		refuse_taken_number(result_text(0, 2), may_see_ticket(holder_id) ? holder_id : 0);
	}
	if (run(&statements[HOLDER_OF_EXTERNAL_ID], &args) > 0)
	{
		int64		holder_id = result_int64(0, 1);
		char	   *external_id = result_text(0, 2);

		refuse_taken_external_id(external_id,
								 may_see_ticket(holder_id) ? psprintf("Ticket %lld has it.", (long long) holder_id) : NULL,
								 "tickets", "ix_tickets_external_id");
	}
}

/* Raise 23505 as above, or 23503 if the removed ticket's creator is gone. */
static void
check_restorable(int64 ticket_id, Jsonb *image)
{
	int64		creator_id = json_member_int64(image, "creator_id", 0);

	check_names_free(image);
	if (role_of_user(creator_id) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("ticket %lld cannot be restored: its creator, user %lld, does not exist",
						(long long) ticket_id, (long long) creator_id),
				 errhint("Insert the user again with that id."),
				 err_constraint("tickets", "tickets_creator_id_fkey")));
}

/* Bring back a removed ticket's row alone, from an image of it. Raises 23505 or 23503 as above. */
void
restore_ticket_row(int64 ticket_id, Jsonb *image)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	run(&statements[TAKE_FROM_BIN], &args);
	check_restorable(ticket_id, image);
	restore_image("tickets", image);
	release_from_gone(ticket_id);
}

/* Images that a statement returned. */
typedef struct FoundImages
{
	SPITupleTable *rows;
	uint64		n;
} FoundImages;

static void
restore_found(void *arg)
{
	FoundImages *found = arg;

	restore_images(found->rows, found->n, NULL);
}

/* Restore a ticket's rows, with its promises found out when all are there. */
static void
restore_all(SPITupleTable *rows, uint64 n)
{
	Modes		row_by_row = modes;
	FoundImages found = {rows, n};

	row_by_row.matching_deferred = true;
	work_in(&row_by_row, restore_found, &found);
}

/* Bring back a ticket that was removed; returns its version. Raises P0002 if none lies in the bin that the caller may know of. */
int64
restore_removed_ticket(int64 ticket_id)
{
	Args		args = {0};
	SPITupleTable *rows;
	uint64		n;
	bool		isnull;

	arg_int64(&args, ticket_id);
	if (!is_removed_ticket(ticket_id) || run(&statements[TAKE_FROM_BIN], &args) == 0)
	{
		/* somebody may have brought it back while we waited for the bin's row */
		if (run(&statements[STATE_OF_TICKET], &args) > 0 && !result_bool(0, 1))
			refuse_live_ticket(ticket_id);
		refuse_missing("ticket", ticket_id);
	}
	arg_int64(&args, result_int64(0, 1));
	n = run(&statements[REMOVED_ROWS], &args);
	rows = SPI_tuptable;
	if (n == 0)
		refuse_missing("ticket", ticket_id);
	check_restorable(ticket_id, DatumGetJsonbP(SPI_getbinval(rows->vals[0], rows->tupdesc, 2, &isnull)));
	restore_all(rows, n);
	match_ticket(ticket_id);
	/* the image has the books as they were when the transaction had deleted comments one by one before the ticket */
	if (run(&statements[LOST_COMMENTS_FIRST], &args) > 0)
		recount_replies(ticket_id);

	release_from_gone(ticket_id);
	args.n = 1;
	run(&statements[VERSION_OF_TICKET], &args);
	return result_int64(0, 1);
}

/* Bring back a ticket of which the row is there. Raises 55000 if it is not marked; false if there is no row. */
static bool
restore_marked(int64 ticket_id, int64 *version)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	if (run(&statements[STATE_OF_TICKET], &args) == 0)
		return false;
	if (!result_bool(0, 1))
		refuse_live_ticket(ticket_id);
	run(&statements[UNMARK], &args);
	*version = result_int64(0, 1);
	return true;
}

/* restore_ticket(ticket_id, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_restore_ticket);
Datum
support_restore_ticket(PG_FUNCTION_ARGS)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	Call		call;
	int64		version;

	begin_call(&call, fcinfo, 1);
	if (!restore_marked(ticket_id, &version))
		version = restore_removed_ticket(ticket_id);
	end_call(&call);
	PG_RETURN_INT64(version);
}

/*
 * Bring back a removed comment of a live ticket with the files that went with it; false if the log has none that the
 * caller may know of. The ticket's books are for the caller to keep.
 */
bool
restore_removed_comment(int64 ticket_id, int64 comment_id)
{
	Args		args = {0};
	int64		audit_id;
	uint64		n;

	arg_int64(&args, ticket_id);
	arg_int64(&args, comment_id);
	if (!may_know_removed("comments", ticket_id, comment_id))
		return false;
	n = run(&statements[REMOVED_COMMENT], &args);
	if (n == 0)
		return false;
	audit_id = result_int64(0, 2);
	restore_images(SPI_tuptable, n, "comments");

	arg_int64(&args, audit_id);
	n = run(&statements[FILES_OF_REMOVED_COMMENT], &args);
	restore_images(SPI_tuptable, n, "attachments");
	return true;
}

/* The arguments of purge_deleted(): an instant to purge before, and how many. Raises 22023. */
static TimestampTz
purge_before(FunctionCallInfo fcinfo)
{
	Interval   *older_than = PG_ARGISNULL(0) ? NULL : PG_GETARG_INTERVAL_P(0);
	TimestampTz now = desk_now();
	TimestampTz before = now;

	if (older_than != NULL)
		before = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
														 TimestampTzGetDatum(now),
														 IntervalPGetDatum(older_than)));
	if (older_than == NULL || before > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must be an interval that is not negative")));
	return before;
}

/* Destroy what is left of a ticket: its row, its files, its clocks, its images in the log. The log notes who, when and which. */
static void
destroy_ticket(void *arg)
{
	int64		ticket_id = *(int64 *) arg;
	LogEntry	entry = {
		.action = "PURGE", .table_name = "tickets",
		.has_record_id = true, .record_id = ticket_id, .ticket_id = ticket_id
	};
	Args		args = {0};

	arg_int64(&args, ticket_id);
	/* the trigger writes the entry for a row that is still there */
	if (run(&statements[REMOVE_TICKET], &args) == 0)
		log_write(&entry);
	run(&statements[FORGET_REMOVED], &args);
	run(&statements[REMOVE_CONTENT], &args);
	forget_clocks(ticket_id);
	run(&statements[ERASE_IMAGES], &args);
}

/* The same with the triggers told so. */
static void
purge_ticket(int64 ticket_id)
{
	Modes		purging = modes;

	check_ticket_not_held(ticket_id);
	purging.purged_ticket = ticket_id;
	work_in(&purging, destroy_ticket, &ticket_id);
}

static int64
ticket_at(uint64 place, void *arg)
{
	return ((const int64 *) arg)[place];
}

/* Purge tickets, live or not, as the desk's owner. Raises 55000 for one that is held. */
void
purge_tickets(const int64 *ticket_ids, int n)
{
	note_erasure(ticket_ids, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		purge_ticket(ticket_ids[i]);
	}
}

/* Purge some tickets; returns how many. */
static int64
purge_part(uint64 from, uint64 upto, void *arg)
{
	const int64 *ids = arg;

	purge_tickets(ids + from, upto - from);
	return upto - from;
}

/*
 * Purge the tickets that a query names; returns how many. One that something of the application holds, such as a foreign
 * key, is left out.
 */
static int64
purge_found(Statement *find, TimestampTz before, int64 batch_size, LeftOut *left_out)
{
	Args		args = {0};
	uint64		n;
	int64	   *ids;

	arg(&args, TimestampTzGetDatum(before));
	arg_int64(&args, batch_size);
	arg(&args, left_out_ids(left_out));
	n = run(find, &args);
	ids = palloc(sizeof(int64) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		ids[i] = result_int64(i, 1);
	return work_in_parts(n, purge_part, ticket_at, ids, left_out);
}

/* The same again for as long as some were left out, in whose place others may go. */
static int64
purge_all_found(Statement *find, TimestampTz before, int64 batch_size, LeftOut *left_out)
{
	int64		purged = 0;
	int			known;

	do
	{
		known = left_out->n;
		purged += purge_found(find, before, batch_size - purged, left_out);
	}
	while (left_out->n > known && purged < batch_size);
	return purged;
}

/* purge_deleted(older_than, batch_size, actor_id) -> how many tickets went */
PG_FUNCTION_INFO_V1(support_purge_deleted);
Datum
support_purge_deleted(PG_FUNCTION_ARGS)
{
	TimestampTz before = purge_before(fcinfo);
	int64		batch_size = positive_argument(fcinfo, 1, "batch_size");
	LeftOut		left_out = {0};
	Call		call;
	Caller		caller;
	int64		purged;

	begin_call(&call, fcinfo, 2);
	become_desk_owner("purge", &caller);
	purged = purge_all_found(&statements[OLD_MARKED], before, batch_size, &left_out);
	if (purged < batch_size)
		purged += purge_all_found(&statements[OLD_REMOVED], before, batch_size - purged, &left_out);
	tell_left_out(&left_out);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(purged);
}
