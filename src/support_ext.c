/*
 * support_ext.c
 *		A customer-support desk in the database: entry point and settings.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "limits.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/tuplestore.h"

#include "base/actor.h"
#include "base/analysis.h"
#include "base/compat.h"
#include "base/direct.h"
#include "base/layout.h"
#include "base/own_relation.h"
#include "base/plan.h"
#include "base/row.h"
#include "base/rules.h"
#include "calendar/calendar.h"
#include "log/log_writer.h"
#include "sla/sla_policy.h"
#include "stats/fold.h"
#include "stats/stat_seen.h"
#include "stats/stat_tag.h"
#include "support_ext.h"

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "support_ext", .version = SUPPORT_EXT_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);

bool		install_enabled;
static bool ascii_only;

/* Draw with ASCII only: because the setting says so, or because the database or the client knows no more. */
bool
use_ascii(void)
{
	return ascii_only || GetDatabaseEncoding() != PG_UTF8 || pg_get_client_encoding() != PG_UTF8;
}

/*
 * Relcache callback, one for all that sessions keep: the server has few places for them. It may come at any catalog
 * access, so nothing is freed here, only marked.
 */
static void
forget(Datum arg, Oid relid)
{
	forget_layout(relid);
	forget_shapes(relid);
	forget_own_relations(relid);
	forget_user_of_role(relid);
	forget_rules(relid);
	forget_calendars(relid);
	forget_policies(relid);
	forget_direct_tables(relid);
	forget_log_target(relid);
	forget_ticket_tags(relid);
	forget_seen(relid);
}

void
_PG_init(void)
{
	row_init();
	analysis_init();
	own_relations_init();
	layout_init();
	actor_init();
	rules_init();
	log_writer_init();
	CacheRegisterRelcacheCallback(forget, (Datum) 0);

	DefineCustomBoolVariable("support_ext.ascii",
							 "Draws with ASCII characters only.", NULL,
							 &ascii_only, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("support_ext.install",
							 "Lets CREATE EXTENSION make the desk.",
							 "Off: the extension brings its functions, and support.install() makes the desk later.",
							 &install_enabled, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("support_ext.notify_changes",
							 "Notifies the channel support_feed at each commit that changed something.",
							 "It only wakes who listens: what changed is told by feed_read().",
							 &notify_changes, false, PGC_USERSET, 0, NULL, NULL, NULL);
	fold_init();
	MarkGUCPrefixReserved("support_ext");
}

/* version() of the library that is loaded */
PG_FUNCTION_INFO_V1(support_version);
Datum
support_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(SUPPORT_EXT_VERSION));
}
