/*
 * calendar_version.c
 *		Calendars as they were when somebody relied on them.
 *
 * The rows of the three tables are the calendar. A version is what they said at some time, written down for those who
 * rely on it: as a whole, since it is never to change, and only if it differs from the last one. What a session made of
 * a version is good for ever, then, unless the transaction that read it rolls back: the version may have been its own.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/plan.h"
#include "base/session_cache.h"
#include "calendar/calendar.h"
#include "calendar/calendar_version.h"

#define MAX_KEPT_VERSIONS 200

enum
{
	WRITE_VERSION,
	LAST_VERSION,
	ZONE_OF_VERSION,
	HOURS_OF_VERSION,
	HOLIDAYS_OF_VERSION
};

/* A time by the clock, in seconds in a version, as microseconds. */
#define MICROSECONDS(seconds) \
	"((" seconds ")::numeric * 1000000)::int8"

static Statement statements[] = {
	[WRITE_VERSION] = {
		.text = "INSERT INTO support_internal.calendar_versions (calendar_id, version, definition, created_at)"
		" SELECT $1, coalesce(last.version, 0) + 1, current.definition, support.desk_now()"
		" FROM support_internal.calendar_definition($1) AS current"
		" LEFT JOIN LATERAL (SELECT v.version, v.definition FROM support_internal.calendar_versions AS v"
		"   WHERE v.calendar_id = $1 ORDER BY v.version DESC LIMIT 1) AS last ON true"
		" WHERE last.version IS NULL OR last.definition <> current.definition"
		" ON CONFLICT DO NOTHING",
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("calendar_versions")
	},
	[LAST_VERSION] = {
		.text = "SELECT max(version) FROM support_internal.calendar_versions"
		" WHERE calendar_id = $1",
		.columns = {{INT4OID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = INTERNAL_TABLE("calendar_versions")
	},
	[ZONE_OF_VERSION] = {
		.text = "SELECT definition ->> 'time_zone' FROM support_internal.calendar_versions"
		" WHERE calendar_id = $1 AND version = $2",
		.columns = {{TEXTOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT4OID}, .as_owner_of = INTERNAL_TABLE("calendar_versions")
	},
	[HOURS_OF_VERSION] = {
		.text = "SELECT (h.span ->> 0)::int4,"
		" " MICROSECONDS("h.span ->> 1") ", " MICROSECONDS("h.span ->> 2") ","
		" (h.span ->> 3)::date"
		" FROM support_internal.calendar_versions AS v"
		" CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'hours') AS h (span)"
		" WHERE v.calendar_id = $1 AND v.version = $2",
		.columns = {{INT4OID, NOT_NULL}, {INT8OID, NOT_NULL}, {INT8OID, NOT_NULL}, {DATEOID}},
		.nargs = 2, .argtypes = {INT8OID, INT4OID}, .as_owner_of = INTERNAL_TABLE("calendar_versions")
	},
	[HOLIDAYS_OF_VERSION] = {
		.text = "SELECT (d.span ->> 0)::date, (d.span ->> 1)::date,"
		" (d.span ->> 2)::bool, (d.span ->> 3)::bool,"
		" " MICROSECONDS("d.span ->> 4") ", " MICROSECONDS("d.span ->> 5")
		" FROM support_internal.calendar_versions AS v"
		" CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'holidays') AS d (span)"
		" WHERE v.calendar_id = $1 AND v.version = $2",
		.columns = {{DATEOID, NOT_NULL}, {DATEOID}, {BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {INT8OID, NOT_NULL},
		{INT8OID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, INT4OID}, .as_owner_of = INTERNAL_TABLE("calendar_versions")
	}
};

typedef struct VersionKey
{
	int64		calendar_id;
	int64		version;
} VersionKey;

typedef struct KeptVersion
{
	VersionKey	key;
	WorkingTime *time;
} KeptVersion;

static HTAB *versions;
static MemoryContext version_context;	/* owns what the session keeps */
static KeptVersion *last_used;
static SessionCache cache;

/*
 * Write down what a calendar says, unless the last version says it. Returns the number. Where two sessions write at once,
 * one waits for the other and takes its version. Needs an SPI level.
 */
int32
write_calendar_version(int64 calendar_id)
{
	Args		args = {0};

	arg_int64(&args, calendar_id);
	/* where another session was faster, it may have written what it alone saw */
	if (run_latest(&statements[WRITE_VERSION], &args) == 0)
		(void) run_latest(&statements[WRITE_VERSION], &args);
	run_latest(&statements[LAST_VERSION], &args);
	return DatumGetInt32(result(0, 1));
}

static Span
span_of_version(uint64 row, int opens)
{
	return (Span) {
		result_int64(row, opens), result_int64(row, opens + 1)
	};
}

/* Read a version into a context. */
static OpeningHours *
read_version(const VersionKey *key, MemoryContext context)
{
	OpeningHours *hours = MemoryContextAllocZero(context, sizeof(OpeningHours));
	Args		args = {0};
	MemoryContext spi;
	uint64		n;

	arg_int64(&args, key->calendar_id);
	arg(&args, Int32GetDatum((int32) key->version));
	if (run_latest(&statements[ZONE_OF_VERSION], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("calendar %lld has no version %lld", (long long) key->calendar_id, (long long) key->version)));
	hours->zone = calendar_zone(key->calendar_id, result_text(0, 1));
	n = run_latest(&statements[HOURS_OF_VERSION], &args);
	spi = MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
		add_weekly_hours(hours, "support_internal.calendar_versions", result_valid_from(i, 4),
						 DatumGetInt32(result(i, 1)), span_of_version(i, 2));
	MemoryContextSwitchTo(spi);
	n = run_latest(&statements[HOLIDAYS_OF_VERSION], &args);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
	{
		Holiday		holiday = result_holiday(i, span_of_version(i, 5));

		add_holiday(hours, "support_internal.calendar_versions", &holiday);
	}
	settle_hours(hours);
	MemoryContextSwitchTo(spi);
	return hours;
}

/* Read a version into memory that lasts. */
static WorkingTime *
load_version(const VersionKey *key)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "support_ext version", ALLOCSET_SMALL_SIZES);
	MemoryContext caller;
	OpeningHours *hours;
	WorkingTime *time;

	SPI_connect();
	hours = read_version(key, context);
	SPI_finish();
	caller = MemoryContextSwitchTo(context);
	time = new_working_time(hours);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, version_context);
	return time;
}

/* Begin with nothing kept. */
static void
reset_versions(void)
{
	HASHCTL		ctl = {.keysize = sizeof(VersionKey), .entrysize = sizeof(KeptVersion)};

	last_used = NULL;
	if (versions != NULL)
		hash_destroy(versions);
	versions = NULL;
	if (version_context == NULL)
		version_context = AllocSetContextCreate(CacheMemoryContext, "support_ext versions", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(version_context);
	versions = hash_create("support_ext versions", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	cache.stale = false;
}

/* The version as the session keeps it, read if need be. */
static KeptVersion *
know_version(const VersionKey *key)
{
	KeptVersion *kept = versions == NULL || cache.stale ? NULL : hash_search(versions, key, HASH_FIND, NULL);
	WorkingTime *time;

	if (kept != NULL)
		return kept;
	if (versions == NULL || cache.stale || hash_get_num_entries(versions) >= MAX_KEPT_VERSIONS)
		reset_versions();
	note_reading(&cache);
	time = load_version(key);
	kept = hash_search(versions, key, HASH_ENTER, NULL);
	kept->time = time;
	return kept;
}

/* The working time of a version of a calendar. The pointer lives until the next call. */
WorkingTime *
calendar_version_time(int64 calendar_id, int32 version)
{
	VersionKey	key = {calendar_id, version};

	if (version == PRESENT_VERSION)
		return calendar_time(calendar_id);
	if (last_used == NULL || cache.stale ||
		last_used->key.calendar_id != calendar_id || last_used->key.version != version)
		last_used = know_version(&key);
	return last_used->time;
}

void
calendar_version_init(void)
{
	add_session_cache(&cache);
}
