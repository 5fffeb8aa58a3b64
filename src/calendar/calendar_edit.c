/*
 * calendar_edit.c
 *		Making and changing calendars.
 *
 * Each change is written down as a version of the calendar, see calendar_version.c, and so is what plain SQL has made of
 * it before. The row of calendars is locked from before the new definition is read until its version is written.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"
#include "calendar/calendar_rows.h"
#include "calendar/calendar_version.h"

enum
{
	HOLDER_OF_NAME,
	INSERT_CALENDAR,
	UPDATE_CALENDAR,
	DELETE_HOURS,
	DELETE_HOLIDAYS,
	HAS_WORKING_TIME
};

static Statement statements[] = {
	[HOLDER_OF_NAME] = {
		.text = "SELECT id FROM support.calendars WHERE name::text = $1",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[INSERT_CALENDAR] = {
		.text = "INSERT INTO support.calendars (name, time_zone) VALUES ($1, $2) RETURNING id",
		.columns = {{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {TEXTOID, TEXTOID}
	},
	[UPDATE_CALENDAR] = {
		.text = "UPDATE support.calendars SET name = coalesce($2, name), time_zone = coalesce($3, time_zone)"
		" WHERE id = $1",
		.nargs = 3, .argtypes = {INT8OID, TEXTOID, TEXTOID}
	},
	[DELETE_HOURS] = {
		.text = "DELETE FROM support.calendar_hours WHERE calendar_id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[DELETE_HOLIDAYS] = {
		.text = "DELETE FROM support.calendar_holidays WHERE calendar_id = $1",
		.nargs = 1, .argtypes = {INT8OID}
	},
	[HAS_WORKING_TIME] = {
		.text = "SELECT EXISTS (SELECT FROM support.calendar_hours WHERE calendar_id = $1)"
		" OR EXISTS (SELECT FROM support.calendar_holidays WHERE calendar_id = $1 AND is_open)",
		.columns = {{BOOLOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	}
};

static const UniqueValue name = {
	&statements[HOLDER_OF_NAME], "calendar name", "calendar", "calendars", "calendars_name_key"
};

/* Raise 22023 if a calendar never opens: nothing would ever be due. */
static void
check_works(int64 calendar_id)
{
	Args		args = {0};

	arg_int64(&args, calendar_id);
	run(&statements[HAS_WORKING_TIME], &args);
	if (!result_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a calendar needs working time"),
				 errhint(HOURS_HINT)));
}

/* create_calendar(name, time_zone, hours, holidays, actor_id) -> id */
PG_FUNCTION_INFO_V1(support_create_calendar);
Datum
support_create_calendar(PG_FUNCTION_ARGS)
{
	Args		args = {0};
	Call		call;
	int64		id;

	begin_call(&call, fcinfo, 4);
	check_free(&name, fcinfo, 0, 0);
	arg_passed(&args, fcinfo, 0);
	arg_passed(&args, fcinfo, 1);
	run(&statements[INSERT_CALENDAR], &args);
	id = result_int64(0, 1);
	if (!PG_ARGISNULL(2))
		write_hours(id, PG_GETARG_JSONB_P(2));
	if (!PG_ARGISNULL(3))
		write_holidays(id, PG_GETARG_JSONB_P(3));
	check_works(id);
	(void) write_calendar_version(id);
	end_call(&call);
	PG_RETURN_INT64(id);
}

/* update_calendar(calendar_id, name, time_zone, hours, holidays, actor_id) -> version */
PG_FUNCTION_INFO_V1(support_update_calendar);
Datum
support_update_calendar(PG_FUNCTION_ARGS)
{
	int64		id = required_id(fcinfo, 0, "calendar_id");
	Args		calendar = {0};
	Args		args = {0};
	Call		call;
	int32		version;

	begin_call(&call, fcinfo, 5);
	check_free(&name, fcinfo, 1, id);
	for (int i = 0; i < 3; i++)
		arg_passed(&args, fcinfo, i);
	(void) write_calendar_version(id);
	if (run(&statements[UPDATE_CALENDAR], &args) == 0)
		refuse_missing("calendar", id);
	arg_int64(&calendar, id);
	if (!PG_ARGISNULL(3))
	{
		run(&statements[DELETE_HOURS], &calendar);
		write_hours(id, PG_GETARG_JSONB_P(3));
	}
	if (!PG_ARGISNULL(4))
	{
		run(&statements[DELETE_HOLIDAYS], &calendar);
		write_holidays(id, PG_GETARG_JSONB_P(4));
	}
	check_works(id);
	version = write_calendar_version(id);
	end_call(&call);
	PG_RETURN_INT32(version);
}
