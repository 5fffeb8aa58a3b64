/*
 * settings.c
 *		What a session sets for itself.
 *
 * These are settings of the server: whoever logs in can set them, so nothing that is protected may rest on one alone. What
 * is the desk's to decide is a row of its own, see desk_settings.c.
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

#include "base/compat.h"
#include "base/settings.h"

bool		install_enabled;
bool		notify_changes;
int			fold_every;
char	   *ticket_prefix;

/* as they were said, and what that means */
static char *actor_text;
static char *now_text;
ActorSetting actor_setting;
ClockSetting clock_setting;
static bool ascii_only;

static bool settings_are_defined;

/* Read a user's id; the empty string is 0, for none. */
static bool
parse_actor(const char *text, int64 *user_id)
{
	char	   *end;

	*user_id = 0;
	if (text == NULL || *text == '\0')
		return true;
	errno = 0;
	*user_id = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && *user_id > 0;
}

/*
 * The role at hand; none where the server reads its configuration. As the library is loaded, a value comes that somebody
 * set before: the role at hand may be the owner of a function that is the first to need us.
 */
static Oid
user_who_sets(void)
{
	Oid			user;
	int			context;

	if (!settings_are_defined || !IsTransactionState())
		return InvalidOid;
	GetUserIdAndSecContext(&user, &context);
	return user;
}

static bool
check_actor(char **newval, void **extra, GucSource source)
{
	ActorSetting parsed = {.set_by = user_who_sets()};
	ActorSetting *setting;

	if (!parse_actor(*newval, &parsed.user_id))
	{
		GUC_check_errdetail("It is the id of a row of support.users, or empty for none.");
		return false;
	}
	setting = guc_malloc(LOG, sizeof(ActorSetting));
	if (setting == NULL)
		return false;
	*setting = parsed;
	*extra = setting;
	return true;
}

static void
assign_actor(const char *newval, void *extra)
{
	if (extra != NULL)
		actor_setting = *(ActorSetting *) extra;
}

static bool
check_now(char **newval, void **extra, GucSource source)
{
	TimestampTz *parsed;
	Datum		now = (Datum) 0;

	if (**newval != '\0' &&
		(!parse_time(timestamptz_in, *newval, &now) || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(now))))
	{
		GUC_check_errdetail("It is a finite timestamp with time zone, or empty for the transaction's own time.");
		return false;
	}
	parsed = guc_malloc(LOG, sizeof(TimestampTz));
	if (parsed == NULL)
		return false;
	*parsed = DatumGetTimestampTz(now);
	*extra = parsed;
	return true;
}

static void
assign_now(const char *newval, void *extra)
{
	clock_setting.is_set = newval != NULL && *newval != '\0';
	if (clock_setting.is_set)
		clock_setting.now = *(TimestampTz *) extra;
}

void
settings_init(void)
{
	DefineCustomStringVariable("support_ext.actor_id",
							   "The acting user: the id of a row of support.users.",
							   "Empty: the user whose db_role is the session user.",
							   &actor_text, "", PGC_USERSET, 0,
							   check_actor, assign_actor, NULL);
	DefineCustomBoolVariable("support_ext.ascii",
							 "Draws with ASCII characters only.", NULL,
							 &ascii_only, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("support_ext.fold_every",
							"How many rows may wait to be added up for reports until a session that writes does so.",
							"0 leaves it to fold_stats(). Reports are exact in either case.",
							&fold_every, 5000, 0, 1000000, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("support_ext.install",
							 "Lets CREATE EXTENSION make the desk.",
							 "Off: the extension brings its functions, and support.install() makes the desk later.",
							 &install_enabled, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("support_ext.notify_changes",
							 "Notifies the channel support_feed at each commit that changed something.",
							 "It only wakes who listens: what changed is told by feed_read().",
							 &notify_changes, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("support_ext.now",
							   "The desk's clock, for tests and demonstrations.",
							   "Empty: the time at which the transaction started.",
							   &now_text, "", PGC_SUSET, 0,
							   check_now, assign_now, NULL);
	DefineCustomStringVariable("support_ext.ticket_prefix",
							   "What the numbers of new tickets begin with.", NULL,
							   &ticket_prefix, "T-", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	settings_are_defined = true;
	MarkGUCPrefixReserved("support_ext");
}

static void
set_actor(int64 user_id, GucAction action)
{
	char		text[MAXINT8LEN + 1] = "";

	if (user_id != 0)
		pg_lltoa(user_id, text);
	(void) set_config_option("support_ext.actor_id", text, PGC_USERSET, PGC_S_SESSION, action, true, 0, false);
}

/* Set support_ext.actor_id to a user's id, 0 for none: for the session, or for the transaction. */
void
set_actor_setting(int64 user_id, bool is_local)
{
	set_actor(user_id, is_local ? GUC_ACTION_LOCAL : GUC_ACTION_SET);
}

/* The same until the caller leaves its level of settings. */
void
set_actor_for_call(int64 user_id)
{
	set_actor(user_id, GUC_ACTION_SAVE);
}

/* Draw with ASCII only: because the setting says so, or because the database or the client knows no more. */
bool
use_ascii(void)
{
	return ascii_only || GetDatabaseEncoding() != PG_UTF8 || pg_get_client_encoding() != PG_UTF8;
}
