/*
 * desk_settings.c
 *		Settings of the desk: what its owner decides for all.
 *
 * Whoever logs in can set a setting of the server, in his session or as it begins. What decides what the desk keeps is
 * not his to set, so it is a row of support_internal.settings: the desk's owner alone writes it, by configure() or by
 * hand, it is dumped with the desk, and each change is in the log. There is a row only for what is not at its default.
 * The trigger checks every row, by whatever road it comes; who reads a value checks it once more, for triggers can be
 * off. Values are read anew each time, so a change holds from the next statement on, in all sessions.
 *
 * A new setting is an entry of definitions[], with a function below that reads it. What is a session's own to decide is
 * in settings.c; settings() shows both.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/characters.h"
#include "base/compat.h"
#include "base/desk_settings.h"
#include "base/hooks.h"
#include "base/plan.h"
#include "base/tables.h"

/*
 * What is stored must be dumped: COPY forms the text of a row in 1 GB, and writes a byte of a file as two characters, one of
 * a text in the log as up to seven, and there as it was and as it is.
 */
#define MAX_ATTACHMENT_KILOBYTES (256 * 1024)
#define MAX_TEXT_KILOBYTES (32 * 1024)
#define MAX_RETENTION_YEARS 1000

enum
{
	READ_SETTING,
	WRITE_SETTING,
	FORGET_SETTING,
	SESSION_SETTINGS
};

static Statement statements[] = {
	[READ_SETTING] = {
		.text = "SELECT value FROM support_internal.settings WHERE name = $1",
		.columns = {{TEXTOID}},
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("settings")
	},
	[WRITE_SETTING] = {
		.text = "INSERT INTO support_internal.settings (name, value) VALUES ($1, $2)"
		" ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .as_owner_of = INTERNAL_TABLE("settings")
	},
	[FORGET_SETTING] = {
		.text = "DELETE FROM support_internal.settings WHERE name = $1",
		.nargs = 1, .argtypes = {TEXTOID}, .as_owner_of = INTERNAL_TABLE("settings")
	},
	[SESSION_SETTINGS] = {
		.text = "SELECT s.name, current_setting(s.name),"
		" concat_ws(' ', s.short_desc, s.extra_desc)"
		" FROM pg_settings AS s"
		" WHERE starts_with(s.name, 'support_ext.') ORDER BY s.name",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}}
	}
};

/* A setting of the desk. */
typedef struct Definition
{
	const char *name;
	const char *initial;		/* the default */
	const char *meaning;
	const char *allowed;		/* says what a value may be */
	bool		(*parse) (const char *value, Datum *parsed);	/* false if it is none */
} Definition;

/* A size in that range of kilobytes, as bytes. */
static bool
parse_size(const char *value, int least, int most, Datum *parsed)
{
	int			kilobytes;

	if (!parse_int(value, &kilobytes, GUC_UNIT_KB, NULL) || kilobytes < least || kilobytes > most)
		return false;
	*parsed = Int64GetDatum((int64) kilobytes * 1024);
	return true;
}

static bool
parse_attachment_size(const char *value, Datum *parsed)
{
	return parse_size(value, 0, MAX_ATTACHMENT_KILOBYTES, parsed);
}

static bool
parse_text_size(const char *value, Datum *parsed)
{
	return parse_size(value, SMALL_VALUE / 1024, MAX_TEXT_KILOBYTES, parsed);
}

/* An interval that is not negative, as one; empty, for ever, as 0. It means the same under every IntervalStyle. */
static bool
parse_retention(const char *value, Datum *parsed)
{
	Interval	shortest = {0};
	Interval	longest = {.month = MAX_RETENTION_YEARS * MONTHS_PER_YEAR};
	int			nestlevel;
	bool		is_interval;

	*parsed = (Datum) 0;
	if (*value == '\0')
		return true;
	nestlevel = NewGUCNestLevel();
	fix_setting("intervalstyle", "postgres");
	is_interval = parse_time(interval_in, pstrdup(value), parsed);
	AtEOXact_GUC(true, nestlevel);
	return is_interval &&
		DatumGetBool(DirectFunctionCall2(interval_ge, *parsed, IntervalPGetDatum(&shortest))) &&
		DatumGetBool(DirectFunctionCall2(interval_le, *parsed, IntervalPGetDatum(&longest)));
}

static bool
parse_retention_action(const char *value, Datum *parsed)
{
	static const char *const names[] = {
		[RETENTION_DETACH] = "detach",
		[RETENTION_ARCHIVE] = "archive",
		[RETENTION_DROP] = "drop"
	};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(names[i], value) == 0)
		{
			*parsed = Int32GetDatum(i);
			return true;
		}
	}
	return false;
}

enum
{
	MAX_ATTACHMENT_SIZE,
	MAX_CUSTOM_SIZE,
	MAX_TEXT_SIZE,
	RETENTION,
	RETENTION_ACTION
};

/* In the order of their names. */
static const Definition definitions[] = {
	[MAX_ATTACHMENT_SIZE] = {
		.name = "max_attachment_size", .initial = "25MB",
		.meaning = "The largest file that add_attachment() takes.",
		.allowed = "It is a size from 0 to 256MB, such as 25MB; a number alone counts kilobytes.",
		.parse = parse_attachment_size
	},
	[MAX_CUSTOM_SIZE] = {
		.name = "max_custom_size", .initial = "1MB",
		.meaning = "How much tickets.custom takes, as text.",
		.allowed = "It is a size from 64kB to 32MB, such as 1MB; a number alone counts kilobytes.",
		.parse = parse_text_size
	},
	[MAX_TEXT_SIZE] = {
		.name = "max_text_size", .initial = "4MB",
		.meaning = "The largest description of a ticket, or content of a comment.",
		.allowed = "It is a size from 64kB to 32MB, such as 4MB; a number alone counts kilobytes.",
		.parse = parse_text_size
	},
	[RETENTION] = {
		.name = "retention", .initial = "",
		.meaning = "How long maintain() keeps months of the audit log; empty is for ever.",
		.allowed = "It is an interval of up to 1000 years, such as 24 months, or empty.",
		.parse = parse_retention
	},
	[RETENTION_ACTION] = {
		.name = "retention_action", .initial = "detach",
		.meaning = "What maintain() does with months that are older: detach, archive or drop."
		" Archive moves the detached table to the schema " ARCHIVE_SCHEMA ".",
		.allowed = "It is detach, archive or drop.",
		.parse = parse_retention_action
	}
};

/* The names there are, for a hint. */
static char *
list_names(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < lengthof(definitions); i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", definitions[i].name);
	return list.data;
}

/* The setting of that name. Raises 22023 if there is none. */
static const Definition *
definition_of(const char *name)
{
	for (int i = 0; i < lengthof(definitions); i++)
		if (strcmp(definitions[i].name, name) == 0)
			return &definitions[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the desk has no setting \"%s\"", name),
			 errhint("The settings of the desk are: %s.", list_names())));
}

/* Raise 22023 unless the setting may have that value. */
static void
check_value(const Definition *definition, const char *value)
{
	Datum		parsed;

	if (!definition->parse(value, &parsed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no value for the setting %s", value, definition->name),
				 errdetail("%s", definition->allowed)));
}

/* Raise 22023 for a row of the table that is no setting. What is null is left to the table's constraints. */
static void
complete_setting(RowChange *change)
{
	const Row  *row = change->new;

	if (!row_is_null(row, SETTING_NAME) && !row_is_null(row, SETTING_VALUE))
		check_value(definition_of(row_text(row, SETTING_NAME)), row_text(row, SETTING_VALUE));
}

void
desk_settings_init(void)
{
	static RowHooks hooks = {.table = &settings_table, .complete = complete_setting};

	add_row_hooks(&hooks, 1);
}

/* The value that a setting has, by a way to run statements. NULL only where somebody let the column be null. */
static char *
value_of(const Definition *definition, uint64 (*run_statement) (Statement *, const Args *))
{
	Args		args = {0};

	arg_text(&args, definition->name);
	if (run_statement(&statements[READ_SETTING], &args) == 0)
		return pstrdup(definition->initial);
	return result_text(0, 1);
}

/* The value as what reads it takes it. Raises 55000 if the table has none that could be. Needs an SPI level. */
static Datum
setting(int which)
{
	const Definition *definition = &definitions[which];
	char	   *value = value_of(definition, run);
	Datum		parsed;

	if (value == NULL || !definition->parse(value, &parsed))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the setting %s has a value that it cannot have", definition->name),
				 errdetail("%s", definition->allowed),
				 errhint("SELECT support.configure('%s', NULL) gives it the default.", definition->name)));
	return parsed;
}

/* The largest file that is taken, in bytes. Needs an SPI level, as do the others. */
int64
max_attachment_size(void)
{
	return DatumGetInt64(setting(MAX_ATTACHMENT_SIZE));
}

/* The largest text of a ticket's custom, in bytes. */
int64
max_custom_size(void)
{
	return DatumGetInt64(setting(MAX_CUSTOM_SIZE));
}

/* The largest description or content, in bytes. */
int64
max_text_size(void)
{
	return DatumGetInt64(setting(MAX_TEXT_SIZE));
}

/* How long months of the log are kept; NULL is for ever. */
Interval *
retention(void)
{
	return DatumGetIntervalP(setting(RETENTION));
}

RetentionAction
retention_action(void)
{
	return (RetentionAction) DatumGetInt32(setting(RETENTION_ACTION));
}

/* Write a setting's row, or take it away where the value is the default. */
static void
write_setting(const Definition *definition, const char *value)
{
	Args		args = {0};

	arg_text(&args, definition->name);
	if (value == NULL || strcmp(value, definition->initial) == 0)
	{
		run(&statements[FORGET_SETTING], &args);
		return;
	}
	/* before the trigger does, whose context says nothing to the caller */
	check_value(definition, value);
	arg_text(&args, value);
	run(&statements[WRITE_SETTING], &args);
}

/* configure(name, value, actor_id). Raises 42501 for others than the desk's owner, 22023 for what is no setting. */
PG_FUNCTION_INFO_V1(support_configure);
Datum
support_configure(PG_FUNCTION_ARGS)
{
	const Definition *definition;
	Call		call;
	Caller		caller;

	PreventCommandIfReadOnly("configure()");
	begin_call(&call, fcinfo, 2);
	become_desk_owner("configure it", &caller);
	definition = definition_of(TextDatumGetCString(required_argument(fcinfo, 0, "name")));
	/* as the trigger keeps it: what has the default's form after that is the default */
	write_setting(definition, PG_ARGISNULL(1) ? NULL : TextDatumGetCString(trimmed(PG_GETARG_DATUM(1))));
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_VOID();
}

#define SETTINGS_COLUMNS 3

static void
put_setting(ReturnSetInfo *rsinfo, Datum name, Datum value, Datum meaning)
{
	Datum		values[SETTINGS_COLUMNS] = {name, value, meaning};
	bool		nulls[SETTINGS_COLUMNS] = {false, value == (Datum) 0, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* settings() -> name, value, meaning: of the desk first, then of the session */
PG_FUNCTION_INFO_V1(support_settings);
Datum
support_settings(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Call		call;
	uint64		n;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	for (int i = 0; i < lengthof(definitions); i++)
	{
		char	   *value = value_of(&definitions[i], run_read_only);

		put_setting(rsinfo, CStringGetTextDatum(definitions[i].name),
					value ? CStringGetTextDatum(value) : (Datum) 0, CStringGetTextDatum(definitions[i].meaning));
	}
	n = run_read_only(&statements[SESSION_SETTINGS], NULL);
	for (uint64 i = 0; i < n; i++)
		put_setting(rsinfo, result(i, 1), result(i, 2), result(i, 3));
	end_call(&call);
	return (Datum) 0;
}
