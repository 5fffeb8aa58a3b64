/*
 * erase_user.c
 *		A person's right to be forgotten.
 *
 * The user's row stays, as what he did refers to it, but tells nothing of him; what he wrote goes, see erasure.c. The locks are
 * taken in this order: the user's row, so that two erasures, or one and a hold, take turns; the tickets by their ids; and then
 * the user's row once more, in the way that who writes in his name waits for. What such a writer has brought meanwhile is found
 * by looking again.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/hold.h"
#include "log/log_writer.h"
#include "privacy/erasure.h"
#include "privacy/mentions.h"
#include "proof/removal.h"

#define ENTRIES_ABOUT_USER "SELECT * FROM support_internal.entries_about_user($1, $2, $3)"

enum
{
	KNOWN_USER,
	LOCK_USER,
	LOCK_USER_FULLY,
	HAS_UNSOLVED,
	FIND_TICKETS,
	FREE_ADDRESS,
	COUNT_ENTRIES,
	REVOKE_TOKENS
};

static Statement statements[] = {
	[KNOWN_USER] = {
		.text = "SELECT 1 WHERE EXISTS (SELECT FROM support.users AS u WHERE u.id = $1)"
		" OR EXISTS (SELECT FROM support.audit_log AS a"
		"	WHERE a.ticket_id = 0 AND a.table_name = 'users' AND a.record_id = $1)",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1 FOR NO KEY UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[LOCK_USER_FULLY] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1 FOR UPDATE",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[HAS_UNSOLVED] = {
		.text = "SELECT 1 FROM support.tickets AS t"
		" JOIN support.statuses AS s ON s.name = t.status"
		" WHERE t.assignee_id = $1 AND t.deleted_at IS NULL"
		" AND s.category <> ALL (ARRAY['solved', 'closed']) LIMIT 1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[FIND_TICKETS] = {
		.text = "SELECT t.ticket_id FROM support_internal.tickets_of_user($1) AS t ORDER BY t.ticket_id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .many_rows = true
	},
	[FREE_ADDRESS] = {
		.text = "SELECT a.email FROM generate_series(0, 1000) AS n (n)"
		" CROSS JOIN LATERAL (SELECT format('erased-user-%s@erased%s.invalid', $1, nullif(n.n, 0))) AS a (email)"
		" WHERE NOT EXISTS (SELECT FROM support.users AS u WHERE u.email_key = a.email AND u.id <> $1)"
		" ORDER BY n.n LIMIT 1",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[COUNT_ENTRIES] = {
		.text = "SELECT count(*) FROM support_internal.entries_about_user($1, $2, $3) AS e",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, TEXTOID, TEXTOID}
	},
	[REVOKE_TOKENS] = {
		.text = "DELETE FROM support_internal.tokens WHERE user_id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	}
};

/* Ids of tickets, in their order. */
typedef struct TicketList
{
	int			n;
	int			room;
	int64	   *ids;
} TicketList;

/* A run of erase_user(). */
typedef struct UserErasure
{
	ReturnSetInfo *rsinfo;
	Erasure		texts;
	MemoryContext context;		/* lasts as long as the run */
	TicketList	tickets;
	const char *full_name;		/* what the user is called from now on */
	const char *email;
	List	   *columns;		/* of the row, that go */
	int			kept_columns;	/* of the application's own, that must not be null */
	int64		rows;
} UserErasure;

static void
put_row(UserErasure *erasure, const char *table_name, int64 records, const char *what)
{
	bool		nulls[] = {false, false, false};
	Datum		values[] = {CStringGetTextDatum(table_name), Int64GetDatum(records), CStringGetTextDatum(what)};

	if (records > 0)
		tuplestore_putvalues(erasure->rsinfo->setResult, erasure->rsinfo->setDesc, values, nulls);
}

/* Find the tickets on which a user has written, by what is committed now. */
static TicketList
find_tickets(UserErasure *erasure)
{
	TicketList	list = {.room = 64};
	Args		args = {0};
	Reader		reader;
	HeapTuple	tuple;
	bool		isnull;

	list.ids = MemoryContextAlloc(erasure->context, sizeof(int64) * list.room);
	SPI_connect();
	arg_int64(&args, erasure->texts.user_id);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	open_reader(&reader, &statements[FIND_TICKETS], &args);
	PopActiveSnapshot();
	while ((tuple = next_row(&reader)) != NULL)
	{
		if (list.n == list.room)
			list.ids = repalloc_huge(list.ids, sizeof(int64) * (list.room *= 2));
		list.ids[list.n++] = DatumGetInt64(SPI_getbinval(tuple, reader.rows->tupdesc, 1, &isnull));
	}
	close_reader(&reader);
	SPI_finish();
	return list;
}

/* Raise P0002 for a user who never was. */
static void
check_known(int64 user_id)
{
	Args		args = {0};

	arg_int64(&args, user_id);
	if (run(&statements[KNOWN_USER], &args) == 0)
		refuse_missing("user", user_id);
}

/* Raise 55000 for somebody who still has work to do. */
static void
check_has_no_work(int64 user_id)
{
	Args		args = {0};

	arg_int64(&args, user_id);
	if (run_latest(&statements[HAS_UNSOLVED], &args) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("user %lld has unsolved tickets", (long long) user_id),
				 errhint("SELECT support.deactivate_user(%lld) gives them to nobody, or to whom reassign_to names.",
						 (long long) user_id)));
}

/* Raise 55000 for a hold on the user or on a ticket of his. */
static void
check_holds(const UserErasure *erasure)
{
	check_user_not_held(erasure->texts.user_id);
	for (int i = 0; i < erasure->tickets.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_connect();
		check_ticket_not_held(erasure->tickets.ids[i]);
		SPI_finish();
	}
}

/* Lock the user and his tickets, see above. */
static void
lock_all(UserErasure *erasure)
{
	Args		args = {0};

	arg_int64(&args, erasure->texts.user_id);
	run(&statements[LOCK_USER], &args);
	erasure->tickets = find_tickets(erasure);
	lock_tickets(erasure->tickets.ids, erasure->tickets.n);
	run(&statements[LOCK_USER_FULLY], &args);
	erasure->tickets = find_tickets(erasure);
	lock_tickets(erasure->tickets.ids, erasure->tickets.n);
}

/* Is a column of the users none that tells who somebody is? */
static bool
is_impersonal(const char *name)
{
	static const char *const columns[] = {"id", "is_active", "created_at", "role", "organization_id", "updated_at", "sees_all"};

	for (int i = 0; i < lengthof(columns); i++)
		if (strcmp(columns[i], name) == 0)
			return true;
	return false;
}

/* Append what makes a column of the user's row neutral, and what tells that it is not, if there is such a thing. */
static void
add_column(UserErasure *erasure, Form_pg_attribute att, StringInfo assignments, StringInfo differences)
{
	char	   *name = NameStr(att->attname);
	const char *column = quote_identifier(name);

	if (att->attisdropped || att->attgenerated || is_impersonal(name))
		return;
	if (strcmp(name, "full_name") == 0 || strcmp(name, "email") == 0)
	{
		const char *param = strcmp(name, "email") == 0 ? "$3" : "$2";

		appendStringInfo(assignments, ", %s = %s", column, param);
		appendStringInfo(differences, " OR %s::text <> %s", column, param);
	}
	else if (att->attnotnull)
	{
		erasure->kept_columns++;
		return;
	}
	else
	{
		appendStringInfo(assignments, ", %s = NULL", column);
		appendStringInfo(differences, " OR %s IS NOT NULL", column);
	}
	erasure->columns = lappend(erasure->columns, pstrdup(name));
}

/* A statement about the user's row as long as it is not neutral. */
typedef struct RowStatement
{
	char	   *text;
	Datum		values[3];
	uint64		n;
} RowStatement;

static void
run_row_statement(void *arg)
{
	static const Oid argtypes[] = {INT8OID, TEXTOID, TEXTOID};
	RowStatement *statement = arg;

	statement->n = run_once(statement->text, lengthof(argtypes), argtypes, statement->values, NULL);
}

/* Nobody acts as the user by a token any more. */
static void
revoke_tokens(const UserErasure *erasure)
{
	Args		args = {0};

	arg_int64(&args, erasure->texts.user_id);
	run(&statements[REVOKE_TOKENS], &args);
}

/* Make the user's row neutral, or look whether it is. */
static void
erase_row(UserErasure *erasure)
{
	Relation	users = table_open(desk_relation("support", "users"), AccessShareLock);
	RowStatement statement = {
		.values = {Int64GetDatum(erasure->texts.user_id), CStringGetTextDatum(erasure->full_name), CStringGetTextDatum(erasure->email)}
	};
	StringInfoData assignments;
	StringInfoData differences;
	Modes		erasing;

	initStringInfo(&assignments);
	initStringInfo(&differences);
	for (int i = 0; i < RelationGetNumberOfAttributes(users); i++)
		add_column(erasure, TupleDescAttr(RelationGetDescr(users), i), &assignments, &differences);
	table_close(users, NoLock);
	erasing = erasing_mode(&users_table, erasure->texts.user_id, erasure->columns);
	statement.text = erasure->texts.dry_run ?
		psprintf("SELECT 1 FROM support.users WHERE id = $1 AND (is_active%s)", differences.data) :
		psprintf("UPDATE support.users SET is_active = false%s WHERE id = $1 AND (is_active%s)", assignments.data, differences.data);
	work_in(&erasing, run_row_statement, &statement);
	erasure->rows = statement.n;
}

/* Erase what the log has of the user's row, and of events that he logged about no ticket. */
static void
erase_entries(UserErasure *erasure)
{
	static const Oid argtypes[] = {INT8OID, TEXTOID, TEXTOID};
	PlannedEntries planned = {ENTRIES_ABOUT_USER, lengthof(argtypes), argtypes};
	LogEntry	entry = {
		.action = "ERASE", .table_name = "users", .has_record_id = true, .record_id = erasure->texts.user_id
	};
	int64		entries;

	arg_int64(&planned.args, erasure->texts.user_id);
	arg_text(&planned.args, erasure->full_name);
	arg_text(&planned.args, erasure->email);
	if (erasure->texts.dry_run)
	{
		run(&statements[COUNT_ENTRIES], &planned.args);
		erasure->texts.entries += result_int64(0, 1);
		return;
	}
	entries = redact_entries(&planned);
	/* the trigger has written the entry for a row that was there */
	if (entries > 0 && erasure->rows == 0)
		log_write(&entry);
	erasure->texts.entries += entries;
}

/* What the user is called from now on. */
static void
find_neutral_name(UserErasure *erasure)
{
	Args		args = {0};

	arg_int64(&args, erasure->texts.user_id);
	run(&statements[FREE_ADDRESS], &args);
	erasure->email = pstrdup(result_text(0, 1));
	erasure->full_name = psprintf("Erased user %lld", (long long) erasure->texts.user_id);
}

static void
tell_of_rest(const char *table_name, int64 records, const char *what, void *arg)
{
	put_row(arg, table_name, records, what);
}

static void
tell_what_goes(UserErasure *erasure)
{
	const Erasure *texts = &erasure->texts;

	put_row(erasure, "users", erasure->rows, "name, addresses and login");
	put_row(erasure, "tickets", texts->tickets, "titles and descriptions");
	put_row(erasure, "tickets", texts->reasons, "reasons of deletions");
	put_row(erasure, "comments", texts->comments, "texts");
	put_row(erasure, "attachments", texts->files, "names of files");
	put_row(erasure, "attachment_contents", texts->contents, "contents of files");
	put_row(erasure, "search_words", texts->tickets + texts->comments, "words for search");
	put_row(erasure, "audit_log", texts->entries, "what the log has of it, removed records included");
}

/* Erase the user, or tell what would go; what stays is told behind that, but looked for before the names are gone. */
static void
erase_user(UserErasure *erasure)
{
	Tuplestorestate *result = erasure->rsinfo->setResult;
	Tuplestorestate *rest;
	TupleTableSlot *slot;

	check_known(erasure->texts.user_id);
	check_has_no_work(erasure->texts.user_id);
	if (erasure->texts.dry_run)
		erasure->tickets = find_tickets(erasure);
	else
		lock_all(erasure);
	check_holds(erasure);
	find_neutral_name(erasure);

	erasure->rsinfo->setResult = rest = tuplestore_begin_heap(false, false, work_mem);
	tell_what_stays(erasure->texts.user_id, erasure->tickets.ids, erasure->tickets.n, tell_of_rest, erasure);
	erase_texts(&erasure->texts, erasure->tickets.ids, erasure->tickets.n);
	erase_row(erasure);
	if (!erasure->texts.dry_run)
		revoke_tokens(erasure);
	erase_entries(erasure);
	put_row(erasure, "users", erasure->kept_columns > 0 && erasure->rows > 0 ? 1 : 0, "stays: columns of your own that must not be null");

	erasure->rsinfo->setResult = result;
	tell_what_goes(erasure);
	slot = MakeSingleTupleTableSlot(erasure->rsinfo->setDesc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(rest, true, false, slot))
		tuplestore_puttupleslot(result, slot);
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rest);
}

/* erase_user(user_id, dry_run, actor_id) -> what went or would go, and what stays */
PG_FUNCTION_INFO_V1(support_erase_user);
Datum
support_erase_user(PG_FUNCTION_ARGS)
{
	UserErasure erasure = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo, .context = CurrentMemoryContext};
	Call		call;
	Caller		caller;

	erasure.texts.dry_run = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
	if (!erasure.texts.dry_run)
		PreventCommandIfReadOnly("erase_user()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	erasure.texts.user_id = required_id(fcinfo, 0, "user_id");
	if (!erasure.texts.dry_run)
		refuse_old_snapshot("erase_user");
	begin_call(&call, fcinfo, 2);
	become_desk_owner("erase a user", &caller);
	/* to compile what looks at many tables takes longer than to run it */
	fix_setting("jit", "off");
	erase_user(&erasure);
	become_caller(&caller);
	end_call(&call);
	return (Datum) 0;
}
