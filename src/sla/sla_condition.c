/*
 * sla_condition.c
 *		What a ticket must be for a policy to hold.
 *
 * Conditions are an object: every key must be met, by any of its values. They are taken apart once, by a query, and
 * then compared with ticket after ticket.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/json.h"
#include "base/plan.h"
#include "sla/sla_condition.h"
#include "sla/sla_target.h"

enum
{
	CONDITIONS,
	TAGS_OF_TICKET
};

static Statement statements[] = {
	/* a row for each value that meets a condition, in the order of keys; one without a value where none does */
	[CONDITIONS] = {
		.text = "SELECT c.key, f.field, a.value, lower(a.value #>> '{}')"
		" FROM jsonb_each($1) AS c (key, value)"
		" CROSS JOIN LATERAL jsonb_each(CASE WHEN c.key = 'custom' THEN c.value"
		"	ELSE jsonb_build_object('', c.value) END) AS f (field, value)"
		" LEFT JOIN LATERAL jsonb_array_elements("
		"	CASE WHEN jsonb_typeof(f.value) = 'array' THEN f.value"
		"	ELSE jsonb_build_array(f.value) END) AS a (value) ON true"
		" ORDER BY c.key, f.field",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {JSONBOID}, {TEXTOID}},
		.nargs = 1, .argtypes = {JSONBOID}
	},
	[TAGS_OF_TICKET] = {
		.text = "SELECT t.name_key FROM support.ticket_tags AS l"
		" JOIN support.tags AS t ON t.id = l.tag_id"
		" WHERE l.ticket_id = $1",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("ticket_tags")
	}
};

/* What a condition looks at. */
typedef enum ConditionKey
{
	CONDITION_CHANNEL,
	CONDITION_CUSTOM,
	CONDITION_ORGANIZATION,
	CONDITION_PRIORITY,
	CONDITION_TAGS,
	CONDITION_TEAM,
	CONDITION_KEYS
} ConditionKey;

static const char *const condition_names[CONDITION_KEYS] = {
	[CONDITION_CHANNEL] = "channel",
	[CONDITION_CUSTOM] = "custom",
	[CONDITION_ORGANIZATION] = "organization_id",
	[CONDITION_PRIORITY] = "priority",
	[CONDITION_TAGS] = "tags",
	[CONDITION_TEAM] = "team_id"
};

/* A value that meets a condition. */
typedef struct Alternative
{
	bool		is_null;		/* met by what is not set */
	char	   *text;			/* of tags in lower case */
	int64		id;
	Jsonb	   *json;
} Alternative;

typedef struct Condition
{
	ConditionKey key;
	char	   *field;			/* of custom */
	List	   *alternatives;	/* any of these will do */
} Condition;

/* 22023 for a condition that we cannot read. */
pg_noreturn static void
refuse_condition(const char *what, const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("condition \"%s\" %s", key, what),
			 errhint("Conditions look like {\"priority\": [\"high\", \"urgent\"], \"team_id\": 3, \"organization_id\": 1,"
					 " \"channel\": \"email\", \"tags\": \"vip\", \"custom\": {\"plan\": \"gold\"}}; null is not set.")));
}

static ConditionKey
condition_named(const char *name)
{
	for (int i = 0; i < CONDITION_KEYS; i++)
		if (strcmp(condition_names[i], name) == 0)
			return (ConditionKey) i;
	refuse_condition("is not known", name);
}

static bool
wants_id(ConditionKey key)
{
	return key == CONDITION_TEAM || key == CONDITION_ORGANIZATION;
}

/* Give an alternative the value that its key wants. Raises 22023 for another. */
static void
set_value(Alternative *alternative, ConditionKey key, const JsonbValue *value, const char *lower)
{
	if (wants_id(key) && !json_whole_number(value, &alternative->id))
		refuse_condition("wants a number or an array of numbers", condition_names[key]);
	if (!wants_id(key) && value->type != jbvString)
		refuse_condition("wants a text or an array of texts", condition_names[key]);
	if (key == CONDITION_TAGS)
		alternative->text = pstrdup(lower);
	else if (!wants_id(key))
		alternative->text = json_string_of(value);
}

/* A value of the last run, in the current context. */
static Alternative *
read_alternative(ConditionKey key, uint64 row)
{
	Alternative *alternative = palloc0(sizeof(Alternative));
	JsonbValue	value;

	alternative->json = DatumGetJsonbPCopy(result(row, 3));
	json_document(&value, alternative->json);
	alternative->is_null = value.type == jbvNull;
	if (!alternative->is_null && key != CONDITION_CUSTOM)
		set_value(alternative, key, &value, result_text(row, 4));
	return alternative;
}

/* Raise 22023 unless conditions are an object, and custom in it. */
static void
check_shape(Jsonb *conditions)
{
	JsonbValue	buffer;
	JsonbValue *custom;

	if (!JB_ROOT_IS_OBJECT(conditions))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("conditions must be an object")));
	custom = json_member(&conditions->root, "custom", &buffer);
	if (custom != NULL && (custom->type != jbvBinary || !JsonContainerIsObject(custom->val.binary.data)))
		refuse_condition("wants an object", "custom");
}

/* Read conditions into the current context. Raises 22023. Needs an SPI level. */
List *
read_conditions(Jsonb *conditions)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *list = NIL;
	Condition  *condition = NULL;
	Args		args = {0};
	uint64		n;

	check_shape(conditions);
	arg(&args, JsonbPGetDatum(conditions));
	n = run_latest(&statements[CONDITIONS], &args);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
	{
		ConditionKey key = condition_named(result_text(i, 1));
		char	   *field = result_text(i, 2);

		if (condition == NULL || condition->key != key || strcmp(condition->field, field) != 0)
		{
			condition = palloc0(sizeof(Condition));
			condition->key = key;
			condition->field = pstrdup(field);
			list = lappend(list, condition);
		}
		if (!result_is_null(i, 3))
			condition->alternatives = lappend(condition->alternatives, read_alternative(key, i));
	}
	return list;
}

/* Have the tags of a ticket at hand, in lower case. */
static List *
tags_of(SlaTicket *ticket)
{
	MemoryContext caller = CurrentMemoryContext;
	Args		args = {0};
	uint64		n;

	if (ticket->tags_known)
		return ticket->tags;
	SPI_connect();
	arg_int64(&args, ticket->id);
	n = run(&statements[TAGS_OF_TICKET], &args);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < n; i++)
		ticket->tags = lappend(ticket->tags, pstrdup(result_text(i, 1)));
	SPI_finish();
	ticket->tags_known = true;
	return ticket->tags;
}

static bool
has_tag(SlaTicket *ticket, const Alternative *alternative)
{
	List	   *tags = tags_of(ticket);
	ListCell   *cell;

	if (alternative->is_null)
		return tags == NIL;
	foreach(cell, tags)
		if (strcmp(lfirst(cell), alternative->text) == 0)
			return true;
	return false;
}

/* Has a field of the application's own the value? One that is absent is null. */
static bool
has_custom(const SlaTicket *ticket, const char *field, const Alternative *alternative)
{
	Jsonb	   *custom = ticket->custom == 0 ? NULL : DatumGetJsonbP(ticket->custom);
	JsonbValue	buffer;
	JsonbValue *value = custom == NULL ? NULL : json_member(&custom->root, field, &buffer);

	if (value == NULL || value->type == jbvNull)
		return alternative->is_null;
	return !alternative->is_null &&
		compareJsonbContainers(&JsonbValueToJsonb(value)->root, &alternative->json->root) == 0;
}

static bool
is_text(const char *value, const Alternative *alternative)
{
	return value == NULL ? alternative->is_null : !alternative->is_null && strcmp(value, alternative->text) == 0;
}

static bool
is_alternative(const Condition *condition, const Alternative *alternative, SlaTicket *ticket)
{
	switch (condition->key)
	{
		case CONDITION_CHANNEL:
			return is_text(ticket->channel, alternative);
		case CONDITION_PRIORITY:
			return is_text(ticket->priority, alternative);
		case CONDITION_TEAM:
			return ticket->team_id == alternative->id;
		case CONDITION_ORGANIZATION:
			return ticket->organization_id == alternative->id;
		case CONDITION_TAGS:
			return has_tag(ticket, alternative);
		default:
			return has_custom(ticket, condition->field, alternative);
	}
}

static bool
meets(const Condition *condition, SlaTicket *ticket)
{
	ListCell   *cell;

	foreach(cell, condition->alternatives)
		if (is_alternative(condition, lfirst(cell), ticket))
			return true;
	return false;
}

/* Does the ticket meet all conditions? */
bool
meets_conditions(const List *conditions, SlaTicket *ticket)
{
	ListCell   *cell;

	foreach(cell, conditions)
		if (!meets(lfirst(cell), ticket))
			return false;
	return true;
}

/* Do they depend on the tags of a ticket? */
bool
conditions_read_tags(const List *conditions)
{
	ListCell   *cell;

	foreach(cell, conditions)
		if (((const Condition *) lfirst(cell))->key == CONDITION_TAGS)
			return true;
	return false;
}
