/*
 * report_rows.c
 *		Reports from the rows themselves, for what no counter has.
 *
 * The statements read the tickets, comments or log entries of the range with the caller's rights, and count what the
 * counters would. All have the same arguments and results:
 *
 *	$1 bounds, $2 measure, $3 group, $4 filters -> bucket, value, n, mean seconds, percentiles 50, 90, 95, 99 of them
 *
 * They are planned for each run: where a filter is not there, nothing of it is left in the plan.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "report/report.h"

/* Is the ticket t one that is asked for? s is its status. */
#define ID_MATCHES(key, column) \
		"	AND (NOT $4 ? '" key "'" \
		"		OR ($4 -> '" key "') @>" \
		"			coalesce(to_jsonb(" column "), 'null'))"

#define TICKET_MATCHES \
		"	t.deleted_at IS NULL" \
		ID_MATCHES("team_id", "t.team_id") \
		ID_MATCHES("assignee_id", "t.assignee_id") \
		ID_MATCHES("organization_id", "t.organization_id") \
		ID_MATCHES("creator_id", "t.creator_id") \
		ID_MATCHES("requester_id", "coalesce(t.requester_id, t.creator_id)") \
		ID_MATCHES("priority", "coalesce(t.priority, 'normal')") \
		ID_MATCHES("category", "s.category") \
		"	AND (NOT $4 ? 'channel'" \
		"		OR ($4 -> 'channel') @>" \
		"			coalesce(to_jsonb(t.channel), 'null')" \
		"		OR coalesce(t.channel, '') = ''" \
		"			AND (($4 -> 'channel') @> 'null'" \
		"				OR ($4 -> 'channel') @> '\"\"'))" \
		"	AND (NOT $4 ? 'custom'" \
		"		OR coalesce(t.custom, '{}') @> ($4 -> 'custom'))" \
		"	AND (NOT $4 ? 'tag'" \
		"		OR EXISTS" \
		"		(" \
		"			SELECT" \
		"			FROM support.ticket_tags AS k" \
		"			JOIN support.tags AS tag ON tag.id = k.tag_id" \
		"			WHERE k.ticket_id = t.id" \
		"				AND lower(($4 -> 'tag')::text)::jsonb" \
		"					@> to_jsonb(tag.name_key)" \
		"		))"

/* The values that the ticket t counts under. status and agent are the event's own. */
#define GROUP_VALUES(status, agent) \
		" (" \
		"	SELECT CASE" \
		"		WHEN $3 = 'team' THEN t.team_id::text" \
		"		WHEN $3 = 'assignee' THEN t.assignee_id::text" \
		"		WHEN $3 = 'organization' THEN t.organization_id::text" \
		"		WHEN $3 = 'creator' THEN t.creator_id::text" \
		"		WHEN $3 = 'requester'" \
		"			THEN coalesce(t.requester_id, t.creator_id)::text" \
		"		WHEN $3 = 'priority' THEN coalesce(t.priority, 'normal')" \
		"		WHEN $3 = 'channel' THEN nullif(t.channel, '')" \
		"		WHEN $3 = 'category' THEN s.category" \
		"		WHEN $3 = 'status' THEN " status \
		"		WHEN $3 = 'user' THEN " agent \
		"	END" \
		"	WHERE $3 IS NULL OR $3 <> 'tag'" \
		"	UNION ALL" \
		"	SELECT k.tag_id::text" \
		"	FROM support.ticket_tags AS k" \
		"	WHERE $3 = 'tag' AND k.ticket_id = t.id" \
		" ) AS g (value)"

/* Lies an instant in the range? */
#define IN_RANGE(at) \
		at " >= $1[1] AND " \
		at " < $1[cardinality($1)]"

/* From the beginning of the range on. */
#define IN_RANGE_ON(at) at " >= $1[1]"

#define IS_SOLVED(category) \
		"coalesce(" category " = ANY (ARRAY['solved', 'closed']), false)"

#define IS_STATUS_CHANGE \
		"a.table_name = 'tickets'" \
		" AND a.action = 'UPDATE'" \
		" AND a.old_value ? 'status'"

/*
 * The status that the ticket t had at first. A trigger of the application may change a row again before the log has the
 * first change, so the versions tell; a ticket that was removed and inserted again begins a new life with version 1.
 */
#define FIRST_STATUS \
		"coalesce" \
		" (" \
		"	(" \
		"		SELECT a.old_value ->> 'status'" \
		"		FROM support.audit_log AS a" \
		"		WHERE a.ticket_id = t.id AND " IS_STATUS_CHANGE \
		"		ORDER BY" \
		"			(" \
		"				SELECT count(*)" \
		"				FROM support.audit_log AS i" \
		"				WHERE i.ticket_id = a.ticket_id" \
		"					AND i.table_name = 'tickets'" \
		"					AND i.action = 'INSERT'" \
		"					AND i.id < a.id" \
		"			)," \
		"			(a.old_value ->> 'version')::int8," \
		"			a.id" \
		"		LIMIT 1" \
		"	)," \
		"	t.status" \
		" )"

#define MEASURE_IS(measure) "$2 = '" measure "'"

#define NO_DURATION \
		"NULL::float8, NULL::float8, NULL::float8, NULL::float8," \
		" NULL::float8"

#define ROW_ARGUMENTS \
		.columns = {{INT4OID, NOT_NULL}, {TEXTOID}, {INT8OID, NOT_NULL}, {FLOAT8OID}, {FLOAT8OID}, {FLOAT8OID}, \
		{FLOAT8OID}, {FLOAT8OID}}, \
		.nargs = 4, .argtypes = {TIMESTAMPTZARRAYOID, TEXTOID, TEXTOID, JSONBOID}, .replan = true

static Statement statements[SOURCES] = {
	[FROM_TICKETS] = {
		.text = "SELECT c.bucket, c.value, c.n, c.average, c.p[1], c.p[2], c.p[3], c.p[4]"
		" FROM"
		" ("
		"	SELECT width_bucket(e.at, $1) AS bucket, g.value, count(*) AS n,"
		"		avg(d.seconds) AS average,"
		"		percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]::float8[])"
		"			WITHIN GROUP (ORDER BY d.seconds) AS p"
		"	FROM support.tickets AS t"
		"	JOIN support.statuses AS s ON s.name = t.status"
		"	CROSS JOIN LATERAL"
		"	("
		"		SELECT"
		"			CASE"
		"				WHEN " MEASURE_IS("first_reply") " THEN t.first_replied_at"
		"				WHEN " MEASURE_IS("resolution") " THEN t.first_solved_at"
		"				WHEN $2 = ANY (ARRAY['full_resolution', 'one_touch', 'two_touch',"
		"					'multi_touch', 'reopened_tickets']) THEN t.solved_at"
		"				WHEN " MEASURE_IS("waiting") " THEN t.waiting_since"
		"				ELSE t.created_at"
		"			END AS at,"
		"			CASE"
		"				WHEN $2 ~ '^first_reply' THEN t.first_replied_at"
		"				WHEN $2 ~ '^resolution' THEN t.first_solved_at"
		"				WHEN $2 ~ '^full_resolution' THEN t.solved_at"
		"			END AS ended_at,"
		"			$2 ~ '(reply|resolution)' AS has_duration,"
		"			NOT " IS_SOLVED("s.category") " AS is_open"
		"	) AS e"
		"	CROSS JOIN LATERAL"
		"	("
		"		SELECT CASE WHEN e.ended_at IS NOT NULL THEN greatest(0, floor("
		"			date_part('epoch', e.ended_at - t.created_at))) END AS seconds"
		"	) AS d"
		"	CROSS JOIN LATERAL" GROUP_VALUES("t.status", "NULL")
		"	WHERE " IN_RANGE("e.at")
		"	AND (NOT e.has_duration OR e.ended_at IS NOT NULL)"
		"	AND (" MEASURE_IS("tickets")
		"		OR $2 ~ '^(first_reply|resolution)'"
		"		OR " MEASURE_IS("open") " AND e.is_open"
		"		OR " MEASURE_IS("unassigned") " AND e.is_open AND t.assignee_id IS NULL"
		"		OR " MEASURE_IS("waiting") " AND e.is_open"
		"		OR " MEASURE_IS("unanswered") " AND e.is_open AND t.first_replied_at IS NULL"
		"		OR $2 ~ '^full_resolution' AND NOT e.is_open"
		"		OR " MEASURE_IS("one_touch") " AND NOT e.is_open AND t.reply_count = 1"
		"		OR " MEASURE_IS("two_touch") " AND NOT e.is_open AND t.reply_count = 2"
		"		OR " MEASURE_IS("multi_touch") " AND NOT e.is_open AND t.reply_count >= 3"
		"		OR " MEASURE_IS("reopened_tickets") " AND NOT e.is_open AND t.reopen_count > 0)"
		"	AND " TICKET_MATCHES
		ID_MATCHES("status", "t.status")
		"	GROUP BY 1, 2"
		" ) AS c"
		" ORDER BY c.bucket, c.n DESC, c.value",
		ROW_ARGUMENTS
	},
	[FROM_CHANGES] = {
		.text = "SELECT width_bucket(e.at, $1), g.value,"
		"	CASE WHEN " MEASURE_IS("tickets_solved") " THEN count(DISTINCT t.id)"
		"		ELSE count(*) END,"
		NO_DURATION
		" FROM"
		" ("
		"	SELECT a.ticket_id, a.occurred_at, a.actor_id, a.new_value ->> 'status'"
		"	FROM support.audit_log AS a"
		"	LEFT JOIN support.statuses AS o ON"
		"		o.name = (a.old_value ->> 'status')"
		"	LEFT JOIN support.statuses AS n ON"
		"		n.name = (a.new_value ->> 'status')"
		"	WHERE " IS_STATUS_CHANGE " AND " IN_RANGE("a.occurred_at")
		"		AND (" MEASURE_IS("entered")
		"			OR $2 ~ 'solved'"
		"				AND " IS_SOLVED("n.category") " AND NOT " IS_SOLVED("o.category")
		"			OR " MEASURE_IS("reopened")
		"				AND " IS_SOLVED("o.category") " AND NOT " IS_SOLVED("n.category") ")"
		"	UNION ALL"
		"	SELECT t.id, t.created_at, NULL, " FIRST_STATUS
		"	FROM support.tickets AS t"
		"	WHERE " MEASURE_IS("entered") " AND " IN_RANGE("t.created_at")
		" ) AS e (ticket_id, at, agent_id, status)"
		" JOIN support.tickets AS t ON t.id = e.ticket_id"
		" CROSS JOIN LATERAL"
		" (SELECT CASE WHEN " MEASURE_IS("entered") " THEN e.status ELSE t.status END AS status) AS x"
		" LEFT JOIN support.statuses AS s ON s.name = x.status"
		" CROSS JOIN LATERAL" GROUP_VALUES("x.status", "e.agent_id::text")
		" WHERE " TICKET_MATCHES
		ID_MATCHES("status", "x.status")
		ID_MATCHES("user_id", "e.agent_id")
		" GROUP BY 1, 2"
		" ORDER BY 1, 3 DESC, 2",
		ROW_ARGUMENTS
	},
	[FROM_COMMENTS] = {
		.text = "SELECT width_bucket(c.created_at, $1), g.value, count(*),"
		NO_DURATION
		" FROM support.comments AS c"
		" JOIN support.tickets AS t ON t.id = c.ticket_id"
		" JOIN support.statuses AS s ON s.name = t.status"
		" CROSS JOIN LATERAL" GROUP_VALUES("t.status", "c.author_id::text")
		" WHERE " IN_RANGE("c.created_at")
		"	AND NOT c.is_private AND c.deleted_at IS NULL"
		"	AND (" MEASURE_IS("reply")
		"			AND c.author_role = ANY (ARRAY['agent', 'team_lead', 'admin'])"
		"			AND c.via <> ALL (ARRAY['auto', 'bot'])"
		"		OR " MEASURE_IS("customer_comment") " AND c.author_role = 'customer')"
		"	AND " TICKET_MATCHES
		ID_MATCHES("status", "t.status")
		ID_MATCHES("user_id", "c.author_id")
		" GROUP BY 1, 2"
		" ORDER BY 1, 3 DESC, 2",
		ROW_ARGUMENTS
	},
	/* what is in the unsolved statuses now, without what has flown into them since, and with what has flown out */
	[FROM_MOVES] = {
		.text = "WITH flows AS"
		" ("
		"	SELECT t.id AS ticket_id, NULL::timestamptz AS at, t.status, 1 AS n"
		"	FROM support.tickets AS t"
		"	UNION ALL"
		"	SELECT t.id, t.created_at, " FIRST_STATUS ", -1"
		"	FROM support.tickets AS t"
		"	WHERE t.deleted_at IS NULL AND " IN_RANGE_ON("t.created_at")
		"	UNION ALL"
		"	SELECT a.ticket_id, a.occurred_at, c.status, c.n"
		"	FROM support.audit_log AS a"
		"	CROSS JOIN LATERAL"
		"	("
		"		VALUES"
		"			(a.new_value ->> 'status', -1),"
		"			(a.old_value ->> 'status', 1)"
		"	) AS c (status, n)"
		"	WHERE " IS_STATUS_CHANGE " AND " IN_RANGE_ON("a.occurred_at")
		" ),"
		" flown AS"
		" ("
		"	SELECT b.bucket, g.value, sum(f.n) AS n"
		"	FROM flows AS f"
		"	JOIN support.tickets AS t ON t.id = f.ticket_id"
		"	LEFT JOIN support.statuses AS s ON s.name = f.status"
		"	CROSS JOIN LATERAL"
		"	(SELECT coalesce(width_bucket(f.at, $1), 1 + cardinality($1)))"
		"	AS b (bucket)"
		"	CROSS JOIN LATERAL" GROUP_VALUES("f.status", "NULL")
		"	WHERE NOT " IS_SOLVED("s.category") " AND " TICKET_MATCHES
		ID_MATCHES("status", "f.status")
		"	GROUP BY b.bucket, g.value"
		" ),"
		" stocks AS"
		" ("
		"	SELECT b.bucket, v.value, sum(f.n) OVER"
		"	("
		"		PARTITION BY v.value"
		"		ORDER BY b.bucket DESC"
		"		ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
		"	) AS n"
		"	FROM (SELECT DISTINCT f.value FROM flown AS f) AS v"
		"	CROSS JOIN generate_series"
		"		(1, 1 + cardinality($1)) AS b (bucket)"
		"	LEFT JOIN flown AS f"
		"		ON f.bucket = b.bucket AND f.value IS NOT DISTINCT FROM v.value"
		" )"
		" SELECT c.bucket, c.value, c.n::int8, "
		NO_DURATION
		" FROM stocks AS c"
		" WHERE c.bucket < cardinality($1) AND c.n <> 0"
		" ORDER BY c.bucket, c.n DESC, c.value",
		ROW_ARGUMENTS
	},
	[FROM_LOG] = {
		.text = "SELECT width_bucket(a.occurred_at, $1),"
		"	CASE"
		"		WHEN $3 = 'user' THEN a.actor_id::text"
		"		WHEN $3 = 'action' THEN a.action"
		"		WHEN $3 = 'table' THEN a.table_name"
		"	END,"
		"	count(*),"
		NO_DURATION
		" FROM support.audit_log AS a"
		" WHERE $2 IS NULL AND " IN_RANGE("a.occurred_at")
		ID_MATCHES("user_id", "a.actor_id")
		ID_MATCHES("action", "a.action")
		ID_MATCHES("table_name", "a.table_name")
		" GROUP BY 1, 2"
		" ORDER BY 1, 3 DESC, 2",
		ROW_ARGUMENTS
	}
};

/* Count the rows of the report's range. What comes is ordered by bucket. */
uint64
count_rows(const Request *request)
{
	const Metric *metric = request->metric;
	Args		args = {0};

	arg(&args, PointerGetDatum(bounds_array(&request->bounds)));
	if (metric->source == FROM_LOG)
		arg_null(&args);
	else
		arg_text(&args, metric->is_distinct ? metric->name : measure_infos[request->measure].name);
	arg_text(&args, request->group != NULL ? request->group->name : NULL);
	arg(&args, request->filters);
	return run_read_only(&statements[metric->source], &args);
}
