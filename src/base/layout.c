/*
 * layout.c
 *		Which layout the desk has, and which one this code works on.
 *
 * A session keeps the library that it once loaded, whatever files are installed and whatever ALTER EXTENSION does
 * meanwhile. So every function, every trigger and every statement of ours asks whether the desk still has the layout that
 * this code knows, and raises 55000 if it has not. The answer is kept until install() announces another layout, by an
 * invalidation of the table that tells it, or until the transaction that the answer was read in rolls back.
 *
 * install() locks the desk's tables before it brings them forward. Whoever waits for such a lock hears of
 * the new layout with it, and asks again before he goes on: in the trigger, or after the statement. So nobody writes by
 * the old layout into the new one.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/inval.h"

#include "base/layout.h"
#include "base/modes.h"
#include "base/plan.h"
#include "base/session_cache.h"

enum
{
	LAYOUT_OF_DESK,
	VERSION_OF_FUNCTIONS
};

static Statement statements[] = {
	[LAYOUT_OF_DESK] = {
		.text = "SELECT max(version) FROM support_internal.schema_version",
		.columns = {{INT4OID}},
		.as_owner_of = INTERNAL_TABLE("schema_version"),
		.any_layout = true
	},
	[VERSION_OF_FUNCTIONS] = {
		.text = "SELECT extversion FROM pg_extension WHERE extname = 'support_ext'",
		.columns = {{TEXTOID}},
		.any_layout = true
	}
};

/* The schema_version table that was last asked, and whether it is known to hold LAYOUT_VERSION. */
static Oid	asked = InvalidOid;
static bool known;

/* How often something was announced, so that what comes while we ask is not missed. */
static uint64 announced;

static void
forget(void)
{
	known = false;
	announced++;
}

static void
forget_of_relation(Oid relid)
{
	if (relid == asked || !OidIsValid(relid))
		forget();
}

static SessionCache cache = {.relation_changed = forget_of_relation, .schema_changed = forget};

/* It was asked in parallel mode, by the snapshot of a query, which may be older than the layout. */
static bool known_to_query_only;

/* The version of the extension's functions in this database, if it is another than the library's; else NULL. */
static const char *
other_version(void)
{
	const char *version;

	/* until the error that we are to raise ends the transaction */
	SPI_connect();
	version = run_latest(&statements[VERSION_OF_FUNCTIONS], NULL) == 1 ? result_text(0, 1) : SUPPORT_EXT_VERSION;
	return strcmp(version, SUPPORT_EXT_VERSION) == 0 ? NULL : version;
}

/* Raise 55000: the desk has a layout that this code does not work on. */
void
refuse_layout(int version)
{
	const char *other = other_version();

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the support desk has layout %d, but this version of support_ext works on layout %d",
					version, LAYOUT_VERSION),
			 version < LAYOUT_VERSION ?
			 (other != NULL ?
			  errhint("ALTER EXTENSION support_ext UPDATE brings version %s of the desk to " SUPPORT_EXT_VERSION ".", other) :
			  errhint("SELECT support.install() brings the desk forward.")) :
			 (other != NULL ?
			  errhint("Reconnect: the desk is of version %s now, and this session still has " SUPPORT_EXT_VERSION "."
					  " If that does not help, install the files of version %s.", other, other) :
			  errhint("Install the version of support_ext that the desk was last used with, or a later one."))));
}

/* What the desk says that its layout is, 0 if it says nothing. */
static int
layout_of_desk(void)
{
	int			version = 0;

	SPI_connect();
	if (run_latest(&statements[LAYOUT_OF_DESK], NULL) == 1 && !result_is_null(0, 1))
		version = DatumGetInt32(result(0, 1));
	SPI_finish();
	return version;
}

/*
 * Raise 55000 unless the desk has the layout that this code works on. What is committed counts, whatever the transaction
 * sees: what it writes goes to the tables as they are.
 */
void
check_layout(void)
{
	uint64		announced_before = announced;
	int			version;

	if (modes.installing || (known && !cache.stale && (!known_to_query_only || IsInParallelMode())))
		return;
	known = false;
	asked = desk_relation("support_internal", "schema_version");
	cache.stale = false;
	note_reading(&cache);
	version = layout_of_desk();
	if (version != LAYOUT_VERSION)
		refuse_layout(version);
	known_to_query_only = IsInParallelMode();
	known = announced == announced_before;
}

/* Let all sessions look again once this transaction is committed, and our own at once, and again if it rolls back. */
void
announce_layout(void)
{
	CacheInvalidateRelcacheByRelid(desk_relation("support_internal", "schema_version"));
}

void
layout_init(void)
{
	add_session_cache(&cache);
}
