/*
 * export.c
 *		All that the desk has of a person.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"

enum
{
	KNOWN_USER,
	EXPORT
};

static Statement statements[] = {
	[KNOWN_USER] = {
		.text = "SELECT 1 WHERE EXISTS (SELECT FROM support.users AS u WHERE u.id = $1)"
		" OR EXISTS (SELECT FROM support.audit_log AS a"
		"	WHERE a.ticket_id = 0 AND a.table_name = 'users' AND a.record_id = $1)",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	},
	[EXPORT] = {
		.text = "SELECT support_internal.export_of_user($1)",
		.columns = {{JSONBOID, NOT_NULL}},
		.nargs = 1, .argtypes = {INT8OID}
	}
};

/* export_user(user_id) -> all there is */
PG_FUNCTION_INFO_V1(support_export_user);
Datum
support_export_user(PG_FUNCTION_ARGS)
{
	int64		user_id = required_id(fcinfo, 0, "user_id");
	Args		args = {0};
	Call		call;
	Caller		caller;
	Datum		exported;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	become_desk_owner("export what there is of a user", &caller);
	/* to compile what looks at many tables takes longer than to run it */
	fix_setting("jit", "off");
	arg_int64(&args, user_id);
	if (run_read_only(&statements[KNOWN_USER], &args) == 0)
		refuse_missing("user", user_id);
	run_read_only(&statements[EXPORT], &args);
	exported = SPI_datumTransfer(result(0, 1), false, -1);
	become_caller(&caller);
	end_call(&call);
	PG_RETURN_DATUM(exported);
}
