/*
 * support_ext.c
 *		A customer-support desk in the database: what the server finds when it loads the library.
 *
 * Each file that keeps something for the session, or has hooks in the triggers of a table, gets ready here. The order is
 * that of the rooms, ground floor first, and that in which hooks of one table are called.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "access/sight.h"
#include "base/access_list.h"
#include "base/actor.h"
#include "base/analysis.h"
#include "base/desk_settings.h"
#include "base/heap_writer.h"
#include "base/layout.h"
#include "base/lookups.h"
#include "base/own_relation.h"
#include "base/row.h"
#include "base/session_cache.h"
#include "base/settings.h"
#include "calendar/calendar.h"
#include "calendar/calendar_check.h"
#include "calendar/calendar_version.h"
#include "desk/assignment.h"
#include "desk/choices.h"
#include "desk/customer.h"
#include "desk/event_times.h"
#include "desk/reply.h"
#include "desk/search.h"
#include "desk/workflow.h"
#include "log/column_names.h"
#include "log/eras.h"
#include "log/log_writer.h"
#include "sla/sla_check.h"
#include "sla/sla_follow.h"
#include "sla/sla_policy.h"
#include "stats/backlog.h"
#include "stats/stat_check.h"
#include "stats/stat_seen.h"
#include "stats/stat_tag.h"
#include "stats/stat_writer.h"

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "support_ext", .version = SUPPORT_EXT_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	session_caches_init();
	row_init();
	analysis_init();
	own_relations_init();
	layout_init();
	settings_init();
	access_list_init();
	actor_init();
	desk_settings_init();
	lookups_init();
	heap_writer_init();
	eras_init();
	log_writer_init();
	column_names_init();

	stat_seen_init();
	stat_tag_init();
	stat_writer_init();
	stat_check_init();
	backlog_init();
	calendar_init();
	calendar_check_init();
	calendar_version_init();
	sla_policy_init();
	sla_check_init();
	sla_follow_init();
	sight_init();

	choices_init();
	assignment_init();
	workflow_init();
	customer_init();
	reply_init();
	search_init();
	event_times_init();
}

/* version() of the library that is loaded */
PG_FUNCTION_INFO_V1(support_version);
Datum
support_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(SUPPORT_EXT_VERSION));
}
