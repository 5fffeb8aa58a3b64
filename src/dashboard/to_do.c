/*
 * to_do.c
 *		What is to be done on the desk, the most pressing first.
 *
 * Numbers come from the counters and from an index of the backlog, lists from its indexes: neither reads more of a desk
 * of a million tickets than of a small one. All of it is under the caller's snapshot and with the caller's rights.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "base/actor.h"
#include "base/due_text.h"
#include "base/plan.h"
#include "dashboard/to_do.h"

/* How many seconds an interval has. */
#define SECONDS(interval) "extract(epoch FROM " interval ")::float8"
#define SOON "'24 hours'::interval"
/*
 * The tickets of the backlog for which a condition holds: whose they are, and an instant of each by which they are sorted,
 * with what it is; $1 is the zone.
 */
#define LIST(whose, instant, what, condition) \
	"SELECT t.ticket_number, left(t.title, 100), CASE WHEN p.rank > usual.rank THEN p.name END, " whose ", " instant "," \
	" " what " || to_char(timezone($1, " instant "), ' FMDD FMMonth YYYY, HH24:MI')" \
	" FROM support.backlog AS b" \
	" JOIN support.tickets AS t ON t.id = b.ticket_id" \
	" LEFT JOIN support.priorities AS p ON p.name = t.priority" \
	" LEFT JOIN support.priorities AS usual ON usual.name = 'normal'" \
	" LEFT JOIN support.users AS u ON u.id = b.assignee_id" \
	" LEFT JOIN support.teams AS team ON team.id = b.team_id" \
	" WHERE " condition \
	" ORDER BY " instant ", b.ticket_id LIMIT 5"
#define DUE_WHAT "replace(b.next_metric, '_', ' ') || ' due'"
#define TICKET_COLUMNS \
	{{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}, {TEXTOID}, {TEXTOID}, {TIMESTAMPTZOID, NOT_NULL}, {TEXTOID, NOT_NULL}}

enum
{
	COUNT_UNSOLVED,
	COUNT_DUE,
	LIST_OVERDUE,
	LIST_DUE,
	LIST_UNASSIGNED,
	LIST_WAITING,
	FIND_LONG_WAIT
};

static Statement statements[] = {
	[COUNT_UNSOLVED] = {
		.text = "SELECT coalesce(sum(b.open), 0)::float8,"
		" coalesce(sum(b.unassigned), 0)::float8,"
		" coalesce(sum(b.waiting), 0)::float8,"
		" " SECONDS("max(b.oldest)")
		" FROM support.report_backlog AS b"
		" WHERE b.dimension = 'priority'",
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}}
	},
	/* the clock is read once, not for each of many rows */
	[COUNT_DUE] = {
		.text = "SELECT count(*) FILTER (WHERE b.next_due_at < (SELECT support.desk_now()))::float8,"
		" count(*) FILTER (WHERE b.next_due_at >= (SELECT support.desk_now()))::float8,"
		" EXISTS (SELECT FROM support.sla_policies)"
		" FROM support.backlog AS b"
		" WHERE b.next_due_at <= (SELECT support.desk_now()) + " SOON,
		.columns = {{FLOAT8OID}, {FLOAT8OID}, {BOOLOID}}
	},
	[LIST_OVERDUE] = {
		.text = LIST("u.full_name", "b.next_due_at", DUE_WHAT, "b.next_due_at < support.desk_now()"),
		.columns = TICKET_COLUMNS,
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[LIST_DUE] = {
		.text = LIST("u.full_name", "b.next_due_at", DUE_WHAT,
					 "b.next_due_at >= support.desk_now() AND b.next_due_at <= support.desk_now() + " SOON),
		.columns = TICKET_COLUMNS,
		.nargs = 1, .argtypes = {TEXTOID}
	},
	[LIST_UNASSIGNED] = {
		.text = LIST("team.name", "b.created_at", "'opened'", "b.assignee_id IS NULL"),
		.columns = TICKET_COLUMNS,
		.nargs = 1, .argtypes = {TEXTOID}
	},
	/* whoever waits since before $2 has opened the ticket before */
	[LIST_WAITING] = {
		.text = LIST("u.full_name", "t.waiting_since", "'since'", "b.created_at < $2 AND t.waiting_since < $2"),
		.columns = TICKET_COLUMNS,
		.nargs = 2, .argtypes = {TEXTOID, TIMESTAMPTZOID}, .replan = true
	},
	/*
	 * An instant before which enough tickets of a list began to wait: the first wait, and twice as long a time after it until
	 * there are enough.
	 */
	[FIND_LONG_WAIT] = {
		.text = "SELECT coalesce(min(c.until_at), 'infinity')"
		" FROM"
		"	(SELECT a.bounds[s.bucket + 1] AS until_at, sum(sum(s.n)) OVER (ORDER BY s.bucket) AS waiting"
		"	 FROM"
		"		(SELECT '-infinity'::timestamptz || array_agg(o.first_at + step.step ORDER BY step.step)"
		"			|| 'infinity'::timestamptz AS bounds"
		"		 FROM"
		"			(SELECT coalesce(min(f.first_at), support.desk_now()) AS first_at"
		"			 FROM support_internal.stat_oldest('waiting', 'p') AS f) AS o"
		"		 CROSS JOIN"
		"			(SELECT '15 minutes'::interval * 2 ^ k AS step FROM generate_series(0, 17) AS k) AS step) AS a"
		"	 CROSS JOIN LATERAL support_internal.stat_series('waiting', 'p', a.bounds) AS s"
		"	 GROUP BY s.bucket, a.bounds) AS c"
		" WHERE c.waiting >= 5",
		.columns = {{TIMESTAMPTZOID, NOT_NULL}},
		.names_machinery = true
	}
};

void
count_to_do(ToDoCounts *counts)
{
	run_read_only(&statements[COUNT_UNSOLVED], NULL);
	counts->unsolved = result_float8(0, 1);
	counts->of[TO_DO_UNASSIGNED] = result_float8(0, 2);
	counts->of[TO_DO_WAITING] = result_float8(0, 3);
	counts->oldest = result_float8(0, 4);
	run_read_only(&statements[COUNT_DUE], NULL);
	counts->of[TO_DO_OVERDUE] = result_float8(0, 1);
	counts->of[TO_DO_DUE] = result_float8(0, 2);
	counts->has_promises = result_bool(0, 3);
}

/*
 * Find who waits longest. Where row security hides some of them, there are fewer than the counters tell of: then all that
 * wait are looked at.
 */
static uint64
find_waiting(const ToDoCounts *counts, Args *args)
{
	uint64		n;

	run_read_only(&statements[FIND_LONG_WAIT], NULL);
	arg(args, result(0, 1));
	n = run_read_only(&statements[LIST_WAITING], args);
	if (n < TO_DO_ROWS && counts->of[TO_DO_WAITING] > n)
	{
		args->n--;
		arg(args, TimestampTzGetDatum(DT_NOEND));
		n = run_read_only(&statements[LIST_WAITING], args);
	}
	return n;
}

/* The first tickets of a list; how many there are of these, at most TO_DO_ROWS. */
int
list_to_do(ToDo what, const ToDoCounts *counts, const char *time_zone, ToDoTicket *tickets)
{
	static const int lists[] = {
		[TO_DO_OVERDUE] = LIST_OVERDUE, [TO_DO_DUE] = LIST_DUE, [TO_DO_UNASSIGNED] = LIST_UNASSIGNED
	};
	bool		is_deadline = what == TO_DO_OVERDUE || what == TO_DO_DUE;
	Args		args = {0};
	uint64		n;

	arg_text(&args, time_zone);
	n = what == TO_DO_WAITING ? find_waiting(counts, &args) : run_read_only(&statements[lists[what]], &args);
	for (uint64 i = 0; i < n; i++)
	{
		TimestampTz at = DatumGetTimestampTz(result(i, 5));

		tickets[i] = (ToDoTicket) {
			.number = result_text(i, 1),
			.title = result_text(i, 2),
			.priority = result_is_null(i, 3) ? NULL : result_text(i, 3),
			.whose = result_is_null(i, 4) ? NULL : result_text(i, 4),
			.time = is_deadline ? due_text(at) : span_text(at, Max(at, desk_now())),
			.at = result_text(i, 6)
		};
	}
	return n;
}
