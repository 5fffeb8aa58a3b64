/*
 * choices.c
 *		Columns that take one of a few values, and custom fields.
 *
 * The constraints of the tables decide, but do not say what would be right: so we are asked first. What they take besides
 * what we know, since somebody has widened one, is theirs to say.
 */
#include "postgres.h"

#include "catalog/pg_constraint.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "base/errors.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"
#include "desk/choices.h"

typedef struct Choices
{
	const DeskTable *table;
	int			column;
	const char *what;
	const char *checked;		/* the table that has the constraint */
	const char *constraint;
	const char *const *values;	/* that it takes from the start; NULL at the end */
} Choices;

static const char *const roles[] = {"customer", "light_agent", "agent", "team_lead", "admin", "auditor", "bot", NULL};
static const char *const roads[] = {"api", "email", "web", "import", "auto", "bot", NULL};
static const char *const categories[] = {"new", "open", "pending", "hold", "solved", "closed", NULL};
static const char *const kinds[] = {"cc", "follower", "mention", NULL};

static const Choices all_choices[] = {
	{&users_table, USER_ROLE, "role", "users", "users_role_check", roles},
	/* not worth a constraint of its own: only an INSERT brings it */
	{&tickets_table, TICKET_CREATOR_ROLE, "role", "users", "users_role_check", roles},
	{&comments_table, COMMENT_AUTHOR_ROLE, "role", "comments", "comments_author_role_check", roles},
	{&comments_table, COMMENT_VIA, "via", "comments", "comments_via_check", roads},
	{&statuses_table, STATUS_CATEGORY, "category", "statuses", "statuses_category_check", categories},
	{&ticket_watchers_table, WATCHER_KIND, "kind", "ticket_watchers", "ticket_watchers_kind_check", kinds}
};

static bool
is_one_of(const char *const *values, const char *value)
{
	for (; *values != NULL; values++)
		if (strcmp(*values, value) == 0)
			return true;
	return false;
}

/* Is it one of the roles that the desk knows? */
bool
is_role(const char *role)
{
	return is_one_of(roles, role);
}

/* What the constraint says now, NULL if somebody has dropped it. */
static char *
constraint_text(const Choices *choices)
{
	Oid			constraint = get_relation_constraint_oid(desk_relation("support", choices->checked),
														 choices->constraint, true);

	return OidIsValid(constraint) ?
		TextDatumGetCString(DirectFunctionCall1(pg_get_constraintdef, ObjectIdGetDatum(constraint))) : NULL;
}

/* The words in quotes. */
static char *
list_words(const char *text)
{
	StringInfoData list;
	bool		quoted = false;

	initStringInfo(&list);
	for (; *text; text++)
	{
		if (*text != '\'')
		{
			if (quoted)
				appendStringInfoChar(&list, *text);
			continue;
		}
		quoted = !quoted;
		if (quoted && list.len > 0)
			appendStringInfoString(&list, ", ");
	}
	return list.data;
}

/* Raise 23514 for a value that the column does not take. */
static void
check_choice(const RowChange *change, const Choices *choices)
{
	const char *value;
	char	   *text;

	if (!changes(change, choices->column) || row_is_null(change->new, choices->column))
		return;
	value = row_text(change->new, choices->column);
	if (is_one_of(choices->values, value))
		return;
	text = constraint_text(choices);
	if (text != NULL && strstr(text, quote_literal_cstr(value)) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s \"%s\" does not exist", choices->what, value),
				 errhint("There are: %s.", list_words(text)),
				 err_constraint(choices->checked, choices->constraint)));
}

/* Raise 23514 for custom fields that are no object. */
static void
check_custom(const RowChange *change)
{
	if (change->table == &tickets_table && changes(change, TICKET_CUSTOM) && !row_is_null(change->new, TICKET_CUSTOM) &&
		!JB_ROOT_IS_OBJECT(DatumGetJsonbP(row_datum(change->new, TICKET_CUSTOM))))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("custom of a ticket must be a JSON object"),
				 errhint("Fields go by name: {\"plan\": \"gold\"}. {} is none."),
				 err_constraint("tickets", "tickets_custom_check")));
}

static void
check_values(RowChange *change)
{
	if (change->restoring)
		return;
	for (int i = 0; i < lengthof(all_choices); i++)
		if (all_choices[i].table == change->table)
			check_choice(change, &all_choices[i]);
	check_custom(change);
}

void
choices_init(void)
{
	static RowHooks hooks[] = {
		{.table = &users_table, .complete = check_values},
		{.table = &tickets_table, .complete = check_values},
		{.table = &comments_table, .complete = check_values},
		{.table = &statuses_table, .complete = check_values},
		{.table = &ticket_watchers_table, .complete = check_values}
	};

	add_row_hooks(hooks, lengthof(hooks));
}
