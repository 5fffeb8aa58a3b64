/*
 * tag.c
 *		Tags and watchers of tickets.
 *
 * Names compare without case. Missing tags are made in the order of their names, so that two sessions which make the
 * same ones wait for each other and never for ever.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "base/characters.h"
#include "base/errors.h"
#include "base/plan.h"
#include "desk/tag.h"
#include "desk/ticket_access.h"

enum
{
	MAKE_TAGS,
	LINK_TAGS,
	UNLINK_TAGS,
	UNLINK_OTHER_TAGS,
	TAGS_NOW,
	FIND_USER,
	PUT_WATCHER,
	END_WATCHER
};

static Statement statements[] = {
	[MAKE_TAGS] = {
		.text = "INSERT INTO support.tags (name)"
		" SELECT DISTINCT ON (lower(n.name)) n.name"
		" FROM unnest($1) WITH ORDINALITY AS n (name, place)"
		" WHERE NOT EXISTS"
		"	(SELECT FROM support.tags AS t WHERE t.name_key = lower(n.name))"
		" ORDER BY lower(n.name), n.place"
		" ON CONFLICT DO NOTHING",
		.nargs = 1, .argtypes = {TEXTARRAYOID}
	},
	[LINK_TAGS] = {
		.text = "INSERT INTO support.ticket_tags (ticket_id, tag_id)"
		" SELECT $1, t.id FROM support.tags AS t"
		" WHERE t.name_key = ANY"
		"	(SELECT lower(n.name) FROM unnest($2) AS n (name))"
		" ORDER BY t.id"
		" ON CONFLICT DO NOTHING",
		.nargs = 2, .argtypes = {INT8OID, TEXTARRAYOID}
	},
	[UNLINK_TAGS] = {
		.text = "DELETE FROM support.ticket_tags AS l"
		" USING support.tags AS t, unnest($2) AS n (name)"
		" WHERE l.ticket_id = $1 AND t.id = l.tag_id"
		" AND t.name_key = lower(n.name)",
		.nargs = 2, .argtypes = {INT8OID, TEXTARRAYOID}
	},
	[UNLINK_OTHER_TAGS] = {
		.text = "DELETE FROM support.ticket_tags AS l"
		" USING support.tags AS t"
		" WHERE l.ticket_id = $1 AND t.id = l.tag_id"
		" AND NOT EXISTS (SELECT FROM unnest($2) AS n (name)"
		"	WHERE t.name_key = lower(n.name))",
		.nargs = 2, .argtypes = {INT8OID, TEXTARRAYOID}
	},
	[TAGS_NOW] = {
		.text = "SELECT coalesce(array_agg(t.name::text ORDER BY t.name_key), '{}')"
		" FROM support.ticket_tags AS l JOIN support.tags AS t ON t.id = l.tag_id"
		" WHERE l.ticket_id = $1",
		.columns = {{TEXTARRAYOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[FIND_USER] = {
		.text = "SELECT 1 FROM support.users WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[PUT_WATCHER] = {
		.text = "INSERT INTO support.ticket_watchers (ticket_id, user_id, kind) VALUES ($1, $2, coalesce($3, 'follower'))"
		" ON CONFLICT (ticket_id, user_id) DO UPDATE SET kind = excluded.kind"
		" WHERE ticket_watchers.kind <> excluded.kind",
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[END_WATCHER] = {
		.text = "DELETE FROM support.ticket_watchers"
		" WHERE ticket_id = $1 AND user_id = $2",
		.nargs = 2, .argtypes = {INT8OID, INT8OID}
	}
};

/* A tag as its row has it. Raises 22023 for a blank one. */
static Datum
clean_tag(Datum value, bool isnull)
{
	Datum		name = isnull ? (Datum) 0 : trimmed(value);

	if (isnull || is_empty(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a tag must not be blank")));
	return name;
}

/* The tags as their rows have them. Raises 22023 for a blank one. */
ArrayType *
clean_tags(ArrayType *tags)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(tags, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		values[i] = clean_tag(values[i], nulls[i]);
	return construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
run_on_tags(Statement *statement, int64 ticket_id, ArrayType *tags)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	arg(&args, PointerGetDatum(tags));
	run(statement, &args);
}

/* Put clean tags on a ticket, making those that are missing. */
void
put_tags(int64 ticket_id, ArrayType *tags)
{
	Args		args = {0};

	if (ARR_NDIM(tags) == 0)
		return;
	arg(&args, PointerGetDatum(tags));
	run(&statements[MAKE_TAGS], &args);
	run_on_tags(&statements[LINK_TAGS], ticket_id, tags);
}

/* Make these clean tags the ticket's only ones. */
void
replace_tags(int64 ticket_id, ArrayType *tags)
{
	run_on_tags(&statements[UNLINK_OTHER_TAGS], ticket_id, tags);
	put_tags(ticket_id, tags);
}

/* The frame of tag_ticket() and untag_ticket(): the tags now. */
static Datum
change_tags(FunctionCallInfo fcinfo, bool add)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	Args		args = {0};
	ArrayType  *tags;
	Call		call;
	Datum		now;

	begin_call(&call, fcinfo, 2);
	tags = PG_ARGISNULL(1) ? construct_empty_array(TEXTOID) : clean_tags(PG_GETARG_ARRAYTYPE_P(1));
	lock_live_ticket(ticket_id);
	if (add)
		put_tags(ticket_id, tags);
	else
		run_on_tags(&statements[UNLINK_TAGS], ticket_id, tags);
	arg_int64(&args, ticket_id);
	run(&statements[TAGS_NOW], &args);
	now = SPI_datumTransfer(result(0, 1), false, -1);
	end_call(&call);
	return now;
}

/* tag_ticket(ticket_id, tags, actor_id) -> tags */
PG_FUNCTION_INFO_V1(support_tag_ticket);
Datum
support_tag_ticket(PG_FUNCTION_ARGS)
{
	return change_tags(fcinfo, true);
}

/* untag_ticket(ticket_id, tags, actor_id) -> tags */
PG_FUNCTION_INFO_V1(support_untag_ticket);
Datum
support_untag_ticket(PG_FUNCTION_ARGS)
{
	return change_tags(fcinfo, false);
}

/* Raise 22023 for a kind of watcher that there is not. */
static void
check_kind(const char *kind)
{
	if (strcmp(kind, "cc") != 0 && strcmp(kind, "follower") != 0 && strcmp(kind, "mention") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("watcher kind \"%s\" does not exist", kind),
				 errhint("The kinds are: cc, follower, mention.")));
}

/* watch_ticket(ticket_id, user_id, kind, actor_id): a watcher already there becomes one of this kind. */
PG_FUNCTION_INFO_V1(support_watch_ticket);
Datum
support_watch_ticket(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 1, "user_id");
	Args		user = {0};
	Args		args = {0};
	Call		call;

	begin_call(&call, fcinfo, 3);
	if (!PG_ARGISNULL(2))
		check_kind(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	lock_live_ticket(required_id(fcinfo, 0, "ticket_id"));
	arg_int64(&user, user_id);
	if (run(&statements[FIND_USER], &user) == 0)
		refuse_missing("user", user_id);
	for (int i = 0; i < 3; i++)
		arg_passed(&args, fcinfo, i);
	run(&statements[PUT_WATCHER], &args);
	end_call(&call);
	PG_RETURN_VOID();
}

/* unwatch_ticket(ticket_id, user_id, actor_id) */
PG_FUNCTION_INFO_V1(support_unwatch_ticket);
Datum
support_unwatch_ticket(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;

	begin_call(&call, fcinfo, 2);
	lock_live_ticket(required_id(fcinfo, 0, "ticket_id"));
	arg_passed(&args, fcinfo, 0);
	arg_passed(&args, fcinfo, 1);
	run(&statements[END_WATCHER], &args);
	end_call(&call);
	PG_RETURN_VOID();
}
