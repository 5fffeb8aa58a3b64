/*
 * log_guard.c
 *		What others may do to the audit log: add entries of their own.
 *
 * Nobody changes or deletes an entry but we ourselves, when a ticket is purged or content is erased. Entries that move between partitions pass no
 * trigger, see entry_mover.c.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/actor.h"
#include "base/modes.h"
#include "base/owner.h"
#include "base/tables.h"
#include "base/trigger_call.h"
#include "base/value_rules.h"
#include "log/eras.h"
#include "log/log_size.h"
#include "log/log_writer.h"

/*
 * Raise 22023 for an entry that claims to be the desk's own, or of a record of the desk: what was removed comes back from
 * such entries, and the past is told by them. The owner of the log, who may import some, is believed.
 */
static void
check_claim(const Row *entry)
{
	char	   *action = row_text(entry, ENTRY_ACTION);
	char	   *table_name = row_text(entry, ENTRY_TABLE_NAME);

	/* of the log itself: a partition may be another's */
	if (has_owners_rights(GetUserId()))
		return;
	if (action != NULL && is_own_action(action))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("action \"%s\" is the desk's own", action),
				 errhint("Choose another name for the event.")));
	if (table_name != NULL && desk_table(table_name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an event of yours cannot be about a record of support.%s", table_name),
				 errhint("Leave table_name out: ticket_id says what it is about, new_value the rest.")));
}

/* Raise 22023 for an image of a record, by the log's owner, that is no object: its columns are looked up by name. */
static void
check_image(const Row *entry, int column)
{
	if (!row_is_null(entry, ENTRY_TABLE_NAME) && !row_is_null(entry, column) &&
		!JB_ROOT_IS_OBJECT(DatumGetJsonbP(row_datum(entry, column))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of an entry about a record must be a JSON object", log_table.columns[column].name),
				 errhint("Its keys are the names of columns.")));
}

/* Raise 54000 for images that could not be dumped, and for an event that is larger than it has reason to be. */
static void
check_values(const Row *entry)
{
	static const int columns[] = {ENTRY_OLD_VALUE, ENTRY_NEW_VALUE};
	Datum		values[lengthof(columns)] = {0};

	for (int i = 0; i < lengthof(columns); i++)
	{
		if (row_is_null(entry, columns[i]))
			continue;
		values[i] = row_datum(entry, columns[i]);
		if (row_is_null(entry, ENTRY_TABLE_NAME))
			check_event_size(log_table.columns[columns[i]].name, values[i]);
	}
	check_entry_size(row_text(entry, ENTRY_TABLE_NAME), values[0], values[1]);
}

/* Raise 22008 for a change of a record at an instant at which none can have been made. */
static void
check_instant(const Row *entry)
{
	TimestampTz at;

	if (row_is_null(entry, ENTRY_TABLE_NAME) || row_is_null(entry, ENTRY_OCCURRED_AT))
		return;
	at = row_time(entry, ENTRY_OCCURRED_AT);
	if (!may_have_happened(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("occurred_at of an entry about a record cannot be %s", timestamptz_to_str(at)),
				 errhint("What has happened lies between 1970-01-01 and now.")));
}

/*
 * Stamp an entry that an application writes: when and where it says it was written is not the client's to say. Who acted
 * is, but for a person's own session.
 */
static HeapTuple
stamp_entry(TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	Row			entry;
	RowChange	change = {.table = &log_table, .new = &entry, .columns = PG_UINT64_MAX};

	row_open(&entry, shape_of(rel, &log_table), RelationGetDescr(rel), trigdata->tg_trigtuple);
	apply_value_rules(&change);
	check_values(&entry);
	check_claim(&entry);
	check_image(&entry, ENTRY_OLD_VALUE);
	check_image(&entry, ENTRY_NEW_VALUE);
	check_instant(&entry);
	if (!row_is_null(&entry, ENTRY_ACTOR_ID))
		check_acts_as(row_int64(&entry, ENTRY_ACTOR_ID));
	fill_in_defaults(rel, &entry);
	/* before version 17 of the server a partition knows nothing of its parent's identity */
	if (row_is_null(&entry, ENTRY_ID))
		row_set(&entry, ENTRY_ID, Int64GetDatum(next_log_id()));
	row_set(&entry, ENTRY_ERA, Int32GetDatum(current_era()));
	row_set(&entry, ENTRY_XID, Int64GetDatum(current_xid()));
	row_set(&entry, ENTRY_DB_ROLE, CStringGetTextDatum(asking_role()));
	announce_entry();
	return row_to_write(&entry, trigdata->tg_trigtuple);
}

/* Does the entry belong to the ticket that is being purged? */
static bool
is_of_purged_ticket(TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	Row			entry;

	row_open(&entry, shape_of(rel, &log_table), RelationGetDescr(rel), trigdata->tg_trigtuple);
	return modes.purged_ticket != 0 && row_int64(&entry, ENTRY_TICKET_ID) == modes.purged_ticket;
}

PG_FUNCTION_INFO_V1(support_guard_log);
Datum
support_guard_log(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_protocol(fcinfo, "support_internal.guard_log", TRIGGER_EVENT_BEFORE, true);

	(void) own_table(trigdata);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(stamp_entry(trigdata));
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && (is_redacting() || is_of_purged_ticket(trigdata)))
		return PointerGetDatum(trigdata->tg_newtuple);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the audit log is append-only"),
			 errhint("support.purge_deleted() takes out what was deleted.")));
}
