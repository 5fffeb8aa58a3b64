/*
 * ticket.c
 *		Opening and changing tickets.
 *
 * A setter is one UPDATE that also asks for the version and that the ticket is live; what follows from the change is
 * the triggers' work. Only when no row was updated do we look why.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "access/portal.h"
#include "base/actor.h"
#include "base/characters.h"
#include "base/errors.h"
#include "base/lookups.h"
#include "base/owner.h"
#include "base/plan.h"
#include "base/settings.h"
#include "base/value_rules.h"
#include "desk/tag.h"
#include "desk/ticket_access.h"

enum
{
	TICKET_OF_EXTERNAL_ID,
	HAS_EXTERNAL_ID,
	HOLDER_OF_NUMBER,
	FIND_ORGANIZATION,
	SET_STATUS,
	SET_PRIORITY,
	ASSIGN,
	HAND_OVER,
	TRANSFER
};

#define AT_VERSION \
	" WHERE id = $1 AND deleted_at IS NULL" \
	" AND ($2 IS NULL OR version = $2)" \
	" RETURNING version"

static Statement statements[] = {
	[TICKET_OF_EXTERNAL_ID] = {
		.text = "SELECT id, coalesce(requester_id, creator_id)"
		" FROM support.tickets WHERE external_id = $1",
		.columns = {{INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[HAS_EXTERNAL_ID] = {
		.text = "SELECT 1 FROM support.tickets WHERE external_id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[HOLDER_OF_NUMBER] = {
		.text = "SELECT id FROM support.tickets WHERE ticket_number::text = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[FIND_ORGANIZATION] = {
		.text = "SELECT 1 FROM support.organizations WHERE id = $1",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[SET_STATUS] = {
		.text = "UPDATE support.tickets SET status = $3" AT_VERSION,
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[SET_PRIORITY] = {
		.text = "UPDATE support.tickets SET priority = $3" AT_VERSION,
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, TEXTOID}
	},
	[ASSIGN] = {
		.text = "UPDATE support.tickets SET assignee_id = $3, team_id = coalesce($4, team_id)" AT_VERSION,
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 4, .argtypes = {INT8OID, INT8OID, INT8OID, INT8OID}
	},
	[HAND_OVER] = {
		.text = "UPDATE support.tickets SET assignee_id = $3, team_id = coalesce($4, team_id)" AT_VERSION,
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 4, .argtypes = {INT8OID, INT8OID, INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[TRANSFER] = {
		.text = "UPDATE support.tickets SET creator_id = $3" AT_VERSION,
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}
	}
};

/* Columns that update_ticket() does not take, and what does their work. */
static const struct
{
	const char *name;
	const char *instead;
}			refused_columns[] = {
	{"id", NULL},
	{"creator_id", "support.transfer_ticket_ownership()"},
	{"creator_role", NULL},
	{"customer_id", NULL},
	{"created_at", NULL},
	{"deleted_at", "support.delete_ticket() and support.restore_ticket()"},
	{"deleted_by", "support.delete_ticket()"},
	{"delete_reason", "support.delete_ticket()"},
	{"updated_at", NULL},
	{"version", NULL},
	{"first_replied_at", "support.add_comment()"},
	{"first_solved_at", "support.set_status()"},
	{"solved_at", "support.set_status()"},
	{"reopen_count", "support.set_status()"},
	{"reply_count", "support.add_comment()"},
	{"waiting_since", "support.add_comment()"},
	{"last_customer_at", "support.add_comment()"},
	{"last_agent_at", "support.add_comment()"}
};

/* Run an UPDATE that ends in AT_VERSION and return the version that came of it. */
static int64
update(Statement *statement, const Args *args, int64 ticket_id, int64 expected)
{
	int64		version;

	if (run(statement, args) > 0)
		return result_int64(0, 1);
	version = lock_ticket_at_version(ticket_id, expected);
	/* somebody brought it back meanwhile, or a trigger of the application's keeps unchanged rows from being written */
	return run(statement, args) > 0 ? result_int64(0, 1) : version;
}

/*
 * The frame of a setter: one argument (two, where n_values says so) from the second on, then expected_version, actor_id. A
 * statement that runs with the owner's rights is for a ticket that the caller may change as it is.
 */
static Datum
set_columns(FunctionCallInfo fcinfo, Statement *statement, int n_values)
{
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	int64		expected = version_argument(fcinfo, n_values + 1);
	Args		args = {0};
	Call		call;
	int64		version;

	begin_call(&call, fcinfo, n_values + 2);
	arg_int64(&args, ticket_id);
	arg_passed(&args, fcinfo, n_values + 1);
	for (int i = 1; i <= n_values; i++)
		arg_passed(&args, fcinfo, i);
	if (statement->as_owner_of.name != NULL)
		(void) lock_ticket_at_version(ticket_id, expected);
	version = update(statement, &args, ticket_id, expected);
	end_call(&call);
	return Int64GetDatum(version);
}

/* set_status(ticket_id, status, expected_version, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_set_status);
Datum
support_set_status(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		refuse_null_value("tickets", "status");
	return set_columns(fcinfo, &statements[SET_STATUS], 1);
}

/* set_priority(ticket_id, priority, expected_version, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_set_priority);
Datum
support_set_priority(PG_FUNCTION_ARGS)
{
	return set_columns(fcinfo, &statements[SET_PRIORITY], 1);
}

/*
 * assign_ticket(ticket_id, assignee_id, team_id, expected_version, actor_id) -> version. Who changes a ticket may hand it over to
 * those who see it when he does not any more, which row security would not let him.
 */
PG_FUNCTION_INFO_V1(support_assign_ticket);
Datum
support_assign_ticket(PG_FUNCTION_ARGS)
{
	return set_columns(fcinfo, &statements[is_filtered("tickets") && may_change("tickets") ? HAND_OVER : ASSIGN], 2);
}

/* Raise P0002 unless there is such a user. */
static void
check_user(int64 user_id)
{
	if (role_of_user(user_id) == NULL)
		refuse_missing("user", user_id);
}

/* transfer_ticket_ownership(ticket_id, new_owner_id, expected_version, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_transfer_ticket_ownership);
Datum
support_transfer_ticket_ownership(PG_FUNCTION_ARGS)
{
	Call		call;

	/* the user is looked up under the frame's check of the layout */
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	check_user(required_id(fcinfo, 1, "new_owner_id"));
	end_call(&call);
	return set_columns(fcinfo, &statements[TRANSFER], 1);
}

/* The arguments of create_ticket(), by position. */
enum
{
	ARG_TITLE,
	ARG_DESCRIPTION,
	ARG_CREATOR,
	ARG_PRIORITY,
	ARG_TAGS,
	ARG_REQUESTER,
	ARG_ASSIGNEE,
	ARG_TEAM,
	ARG_ORGANIZATION,
	ARG_STATUS,
	ARG_CHANNEL,
	ARG_CUSTOM,
	ARG_NUMBER,
	ARG_EXTERNAL_ID,
	ARG_CREATED_AT,
	ARG_ACTOR
};

/* Raise 23505: another customer's ticket has the external id. */
pg_noreturn static void
refuse_external_id(FunctionCallInfo fcinfo, const char *detail)
{
	refuse_taken_external_id(TextDatumGetCString(key_argument(fcinfo, ARG_EXTERNAL_ID)), detail,
							 "tickets", "ix_tickets_external_id");
}

/*
 * Find the ticket that an external id names; false if there is none, or the argument is NULL or blank. Raises 23505 if it
 * has another requester than the call: who guesses a Message-ID is not handed the ticket.
 */
static bool
find_by_external_id(FunctionCallInfo fcinfo, int64 *ticket_id)
{
	Datum		key = key_argument(fcinfo, ARG_EXTERNAL_ID);
	int64		requester_id;
	Args		args = {0};

	if (key == (Datum) 0)
		return false;
	arg(&args, key);
	if (run(&statements[TICKET_OF_EXTERNAL_ID], &args) == 0)
		return false;
	*ticket_id = result_int64(0, 1);
	requester_id = result_int64(0, 2);
	if (requester_id != acting_user_or(fcinfo, PG_ARGISNULL(ARG_REQUESTER) ? ARG_CREATOR : ARG_REQUESTER))
		refuse_external_id(fcinfo, psprintf("Ticket %lld has it.", (long long) *ticket_id));
	return true;
}

/* Raise 23505 if a ticket that the caller may not see has the external id. */
static void
check_external_id_free(FunctionCallInfo fcinfo)
{
	Datum		key = key_argument(fcinfo, ARG_EXTERNAL_ID);
	Args		args = {0};

	if (key == (Datum) 0)
		return;
	arg(&args, key);
	if (run(&statements[HAS_EXTERNAL_ID], &args) > 0)
		refuse_external_id(fcinfo, NULL);
}

/* Raise 23505 if a ticket has the number; the detail names it. */
static void
check_number_free(FunctionCallInfo fcinfo)
{
	Datum		number;
	Args		args = {0};

	if (PG_ARGISNULL(ARG_NUMBER))
		return;
	number = trimmed(PG_GETARG_DATUM(ARG_NUMBER));
	arg(&args, number);
	if (run(&statements[HOLDER_OF_NUMBER], &args) > 0)
		refuse_taken_number(TextDatumGetCString(number), result_int64(0, 1));
}

/* Raise P0002 for people and organizations that there are not. What the trigger checks is left to it. */
static void
check_people(FunctionCallInfo fcinfo, int64 creator_id)
{
	Args		args = {0};

	check_user(creator_id);
	if (!PG_ARGISNULL(ARG_REQUESTER))
		check_user(PG_GETARG_INT64(ARG_REQUESTER));
	if (PG_ARGISNULL(ARG_ORGANIZATION))
		return;
	arg_passed(&args, fcinfo, ARG_ORGANIZATION);
	if (run(&statements[FIND_ORGANIZATION], &args) == 0)
		refuse_missing("organization", PG_GETARG_INT64(ARG_ORGANIZATION));
}

/* The columns that create_ticket()'s arguments fill. */
static const struct
{
	const char *name;
	int			argument;
	Oid			type;
}			inserted_columns[] = {
	{"title", ARG_TITLE, TEXTOID},
	{"description", ARG_DESCRIPTION, TEXTOID},
	{"priority", ARG_PRIORITY, TEXTOID},
	{"requester_id", ARG_REQUESTER, INT8OID},
	{"assignee_id", ARG_ASSIGNEE, INT8OID},
	{"team_id", ARG_TEAM, INT8OID},
	{"organization_id", ARG_ORGANIZATION, INT8OID},
	{"status", ARG_STATUS, TEXTOID},
	{"channel", ARG_CHANNEL, TEXTOID},
	{"custom", ARG_CUSTOM, JSONBOID},
	{"ticket_number", ARG_NUMBER, TEXTOID},
	{"external_id", ARG_EXTERNAL_ID, TEXTOID},
	{"created_at", ARG_CREATED_AT, TIMESTAMPTZOID}
};

/*
 * Insert the row; 0 rows if the external id became known meanwhile. What is NULL is left out, so that the table's own
 * default holds, but for what an INSERT must name.
 */
static uint64
insert_ticket(FunctionCallInfo fcinfo, int64 creator_id, const int64 *organization_id)
{
	static const ResultColumn id_column = {INT8OID, NOT_NULL};
	StringInfoData columns;
	StringInfoData params;
	Oid			types[MAX_ARGS] = {INT8OID};
	Args		args = {0};

	initStringInfo(&columns);
	initStringInfo(&params);
	arg_int64(&args, creator_id);
	for (int i = 0; i < lengthof(inserted_columns); i++)
	{
		int			argument = inserted_columns[i].argument;

		if (PG_ARGISNULL(argument) && argument != ARG_TITLE && argument != ARG_DESCRIPTION)
			continue;
		types[args.n] = inserted_columns[i].type;
		arg_passed(&args, fcinfo, argument);
		appendStringInfo(&columns, ", %s", inserted_columns[i].name);
		appendStringInfo(&params, ", $%d", args.n);
	}
	if (organization_id != NULL)
	{
		types[args.n] = INT8OID;
		arg_int64(&args, *organization_id);
		appendStringInfoString(&columns, ", organization_id");
		appendStringInfo(&params, ", $%d", args.n);
	}
	return run(statement_of(psprintf("INSERT INTO support.tickets (creator_id%s) VALUES ($1%s)"
									 "%s RETURNING id", columns.data, params.data,
									 key_argument(fcinfo, ARG_EXTERNAL_ID) == (Datum) 0 ? "" :
									 " ON CONFLICT (external_id) DO NOTHING"),
							args.n, types, &id_column, 1), &args);
}

/* Open a ticket, of an organization that is no argument or NULL, or find the one that was opened with the same external id. */
static int64
open_ticket(FunctionCallInfo fcinfo, const int64 *organization_id)
{
	int64		creator_id;
	int64		ticket_id;

	if (find_by_external_id(fcinfo, &ticket_id))
		return ticket_id;
	creator_id = acting_user_or(fcinfo, ARG_CREATOR);
	check_people(fcinfo, creator_id);
	check_number_free(fcinfo);
	if (insert_ticket(fcinfo, creator_id, organization_id) == 0)
	{
		if (find_by_external_id(fcinfo, &ticket_id))
			return ticket_id;
		check_external_id_free(fcinfo);
		refuse_suppressed_row();
	}
	ticket_id = result_int64(0, 1);
	if (!PG_ARGISNULL(ARG_TAGS))
		put_tags(ticket_id, clean_tags(PG_GETARG_ARRAYTYPE_P(ARG_TAGS)));
	return ticket_id;
}

/* Raise 42501 where a customer asks for more than a title and a description, for himself. */
static void
check_customers_ticket(FunctionCallInfo fcinfo)
{
	static const struct
	{
		int			argument;
		const char *name;
	}			left_open[] = {
		{ARG_PRIORITY, "priority"}, {ARG_ASSIGNEE, "assignee_id"}, {ARG_TEAM, "team_id"}, {ARG_ORGANIZATION, "organization_id"},
		{ARG_STATUS, "status"}, {ARG_CHANNEL, "channel"}, {ARG_NUMBER, "ticket_number"}, {ARG_EXTERNAL_ID, "external_id"},
		{ARG_CREATED_AT, "created_at"}
	};

	for (int i = 0; i < lengthof(left_open); i++)
		check_left_open(fcinfo, left_open[i].argument, left_open[i].name);
	check_names_me(fcinfo, ARG_CREATOR, "creator_id");
	check_names_me(fcinfo, ARG_REQUESTER, "requester_id");
	if (!PG_ARGISNULL(ARG_TAGS) && ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(ARG_TAGS)), ARR_DIMS(PG_GETARG_ARRAYTYPE_P(ARG_TAGS))) > 0)
		refuse_choice("tags");
	if (!PG_ARGISNULL(ARG_CUSTOM) && JB_ROOT_COUNT(PG_GETARG_JSONB_P(ARG_CUSTOM)) > 0)
		refuse_choice("custom");
}

/* create_ticket(...) -> id */
PG_FUNCTION_INFO_V1(support_create_ticket);
Datum
support_create_ticket(PG_FUNCTION_ARGS)
{
	Caller		caller;
	Call		call;
	bool		as_customer;
	bool		has_organization = false;
	int64		organization_id;
	int64		ticket_id;

	begin_call(&call, fcinfo, ARG_ACTOR);
	as_customer = enter_as_customer(&caller);
	if (as_customer)
	{
		check_customers_ticket(fcinfo);
		has_organization = own_organization(&organization_id);
	}
	ticket_id = open_ticket(fcinfo, has_organization ? &organization_id : NULL);
	if (as_customer)
		become_caller(&caller);
	end_call(&call);
	PG_RETURN_INT64(ticket_id);
}

/* Raise 22023 for a column that update_ticket() leaves to others. */
static void
check_not_refused(const char *key)
{
	for (int i = 0; i < lengthof(refused_columns); i++)
		if (strcmp(refused_columns[i].name, key) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" cannot be changed by update_ticket()", key),
					 refused_columns[i].instead ?
					 errhint("Use %s.", refused_columns[i].instead) :
					 errhint("The desk keeps it by itself.")));
}

static bool
is_not_null(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCacheAttNum(relid, attnum);
	bool		not_null = HeapTupleIsValid(tuple) && ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return not_null;
}

/* Raise 22023 unless the key names a column that may be changed, and 23502 for null where there must be a value. */
static void
check_key(Oid relid, const char *key, const JsonbValue *value)
{
	AttrNumber	attnum = get_attnum(relid, key);

	check_not_refused(key);
	if (attnum > 0 && get_attgenerated(relid, attnum))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" cannot be changed by update_ticket()", key),
				 errhint("It is generated from other columns.")));
	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown key \"%s\" in changes", key),
				 errhint("A key is a column of support.tickets, or tags.")));
	if (value->type == jbvNull && is_not_null(relid, attnum))
		refuse_null_value("tickets", key);
}

static bool
is_key(const JsonbValue *key, const char *name)
{
	return key->val.string.len == strlen(name) && strncmp(key->val.string.val, name, key->val.string.len) == 0;
}

/* The tags that changes ask for. Raises 22023 unless they are strings, or null for none. */
static ArrayType *
tags_of(JsonbValue *value)
{
	ArrayBuildState *tags = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;

	if (value->type == jbvNull)
		return construct_empty_array(TEXTOID);
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		iterator = JsonbIteratorInit(value->val.binary.data);
		while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
		{
			if (token != WJB_ELEM)
				continue;
			if (element.type != jbvString)
				break;
			accumArrayResult(tags, PointerGetDatum(cstring_to_text_with_len(element.val.string.val,
																			element.val.string.len)),
							 false, TEXTOID, CurrentMemoryContext);
		}
		if (token == WJB_DONE)
			return clean_tags(DatumGetArrayTypeP(makeArrayResult(tags, CurrentMemoryContext)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("tags in changes must be an array of strings")));
}

/* Raise 22023 unless the value of custom is an object or null. */
static void
check_custom(const JsonbValue *value)
{
	if (value->type == jbvNull ||
		(value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("custom in changes must be an object or null")));
}

/* The new value of custom: the old one merged with the change key by key, where null takes a key away. */
#define MERGED_CUSTOM \
	"CASE WHEN jsonb_typeof($2 -> 'custom') = 'null'" \
	" THEN '{}'::jsonb" \
	" ELSE (coalesce(t.custom, '{}') || ($2 -> 'custom'))" \
	" - ARRAY(SELECT e.key FROM jsonb_each($2 -> 'custom') AS e" \
	" WHERE jsonb_typeof(e.value) = 'null') END"

/*
 * Form the UPDATE for the columns that the object names, NULL if it names none, and take the tags out. The values
 * are converted by jsonb_populate_record(), so every type that a column may have is understood.
 */
static char *
update_of(Jsonb *changes, ArrayType **tags)
{
	Oid			relid = desk_relation("support", "tickets");
	JsonbIterator *iterator = JsonbIteratorInit(&changes->root);
	JsonbIteratorToken token;
	StringInfoData set;
	JsonbValue	key;
	JsonbValue	value;

	initStringInfo(&set);
	while ((token = JsonbIteratorNext(&iterator, &key, false)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (is_key(&key, "tags"))
		{
			*tags = tags_of(&value);
			continue;
		}
		name = pnstrdup(key.val.string.val, key.val.string.len);
		check_key(relid, name, &value);
		if (is_key(&key, "custom"))
			check_custom(&value);
		appendStringInfo(&set, "%s%s = ", set.len > 0 ? ", " : "", quote_identifier(name));
		if (is_key(&key, "custom"))
			appendStringInfoString(&set, MERGED_CUSTOM);
		else
			appendStringInfo(&set, "r.%s", quote_identifier(name));
	}
	if (set.len == 0)
		return NULL;
	return psprintf("UPDATE support.tickets AS t SET %s"
					" FROM jsonb_populate_record(NULL::support.tickets, $2) AS r"
					" WHERE t.id = $1 RETURNING t.version", set.data);
}

/* Raise 22023 unless the argument is an object. */
static Jsonb *
changes_argument(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *changes = PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);

	if (changes == NULL || !JB_ROOT_IS_OBJECT(changes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("changes must be an object"),
				 errhint("For example: {\"priority\": \"high\", \"tags\": [\"printer\"]}.")));
	return changes;
}

/* update_ticket(ticket_id, changes, expected_version, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_update_ticket);
Datum
support_update_ticket(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {INT8OID, JSONBOID};
	static const ResultColumn version_column = {INT8OID, NOT_NULL};
	int64		ticket_id = required_id(fcinfo, 0, "ticket_id");
	Jsonb	   *changes = changes_argument(fcinfo, 1);
	ArrayType  *tags = NULL;
	Args		args = {0};
	Call		call;
	int64		version;
	char	   *text;

	begin_call(&call, fcinfo, 3);
	version = lock_ticket_at_version(ticket_id, version_argument(fcinfo, 2));
	text = update_of(changes, &tags);
	if (text != NULL)
	{
		arg_int64(&args, ticket_id);
		arg(&args, JsonbPGetDatum(changes));
		if (run(statement_of(text, 2, types, &version_column, 1), &args) > 0)
			version = result_int64(0, 1);
	}
	if (tags != NULL)
		replace_tags(ticket_id, tags);
	end_call(&call);
	PG_RETURN_INT64(version);
}

/*
 * next_ticket_number() -> text
 *
 * The default of a column: it runs for each new row, so it asks nothing but the sequence, which knows who may draw.
 */
PG_FUNCTION_INFO_V1(support_next_ticket_number);
Datum
support_next_ticket_number(PG_FUNCTION_ARGS)
{
	int64		next = nextval_internal(desk_relation("support", "ticket_number_seq"), true);

	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s" INT64_FORMAT, ticket_prefix, next)));
}
