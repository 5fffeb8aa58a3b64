/*
 * errors.c
 *		The refusals that more than one file raises.
 *
 * Each raises the SQLSTATE that the manual's table of errors gives, and does not return.
 */
#include "postgres.h"

#include "base/errors.h"

/*
 * For ereport: name the table of schema support and the constraint, or unique index, that the server itself would name.
 * Programs read these fields, whatever the message.
 */
int
err_constraint(const char *table, const char *constraint)
{
	err_generic_string(PG_DIAG_SCHEMA_NAME, "support");
	err_generic_string(PG_DIAG_TABLE_NAME, table);
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint);
}

/* P0002: the record never was, was purged, or is not visible to the caller. */
void
refuse_missing(const char *what, int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("%s %lld does not exist", what, (long long) id)));
}

/* P0002: a ticket has no such comment, or none for the caller. */
void
refuse_missing_comment(int64 ticket_id, int64 comment_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("ticket %lld has no comment %lld", (long long) ticket_id, (long long) comment_id)));
}

/* 55000: the ticket lies in the recycle bin, marked or removed. */
void
refuse_deleted_ticket(int64 ticket_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("ticket %lld was deleted", (long long) ticket_id),
			 errhint("Restore it with SELECT support.restore_ticket(%lld).", (long long) ticket_id)));
}

/* SU001: somebody else changed the ticket since the caller read it. */
void
refuse_stale_version(int64 ticket_id, int64 version, int64 expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_STALE_VERSION),
			 errmsg("ticket %lld is at version %lld, not %lld",
					(long long) ticket_id, (long long) version, (long long) expected),
			 errhint("Read the ticket again and repeat the change on what it is now.")));
}

/* 55000: the call needs to know who acts. */
void
refuse_no_actor(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no acting user"),
			 errhint("Call support.set_actor(user_id), or ALTER ROLE ... SET support_ext.actor_id.")));
}

/* 55000: somebody who was deactivated cannot act. */
void
refuse_inactive_user(int64 user_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("user %lld is not active", (long long) user_id)));
}

/* 23503: a column names a row that is not there. */
void
refuse_unknown_reference(const char *what, int64 id, const char *table, const char *constraint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("%s %lld does not exist", what, (long long) id),
			 err_constraint(table, constraint)));
}

/*
 * 55000: a relation, a column of one or what it holds is not as the desk made it. What is told as "column \"x\" of relation
 * support.y" and "is null where it must not be".
 */
void
refuse_altered(const char *what, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s %s", what, problem),
			 errdetail("The desk works on what it was made with."),
			 errhint("SELECT support.install() puts back what can be put back, and names what cannot.")));
}

/* The same for a column. */
void
refuse_altered_column(const char *relation, const char *column, const char *problem)
{
	refuse_altered(psprintf("column \"%s\" of relation %s", column, relation), problem);
}

/* 23502, in the server's words: somebody asks for nothing in a column that the trigger would leave as it is. */
void
refuse_null_value(const char *table, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("null value in column \"%s\" of relation \"%s\" violates not-null constraint", column, table)));
}

/* 23514: an instant without an end, from which no age can be told. */
void
refuse_infinite_time(const char *table, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s of support.%s must not be infinite", column, table)));
}

/* 22003: a count or a sum that no bigint, or integer, holds. */
void
refuse_number(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s is out of range", what)));
}

/* 0A000: a function that is a part of an aggregate was called by itself. */
void
refuse_lone_call(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the parts of an aggregate cannot be called by themselves")));
}

/* 22023: a time zone that the server does not know, or that is no place's. */
void
refuse_time_zone(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time zone \"%s\" does not exist", name),
			 errhint("The view pg_timezone_names lists them: UTC, Europe/Berlin, America/New_York and so on.")));
}

/* 23505: a ticket number that another ticket has: 0 for one that the caller may not see. */
void
refuse_taken_number(const char *number, int64 holder_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("ticket number \"%s\" is taken", number),
			 holder_id != 0 ? errdetail("Ticket %lld has it.", (long long) holder_id) : 0,
			 err_constraint("tickets", "ix_tickets_ticket_number")));
}

/* 23505: an external_id that somebody else's record has; the detail is NULL where the caller may not see that. */
void
refuse_taken_external_id(const char *external_id, const char *detail, const char *table, const char *constraint)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("external_id \"%s\" is taken", external_id),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 err_constraint(table, constraint)));
}

/* 27000: a row that must be there is not. */
void
refuse_suppressed_row(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a row of the desk was not written or cannot be seen"),
			 errhint("Look for a trigger or a row security policy that suppresses it.")));
}
