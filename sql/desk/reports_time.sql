-- Reports over time: from the counters, deleted tickets left out. A range is the last 90 days of the session's time
-- zone, today included.

CREATE OR REPLACE VIEW support.report_daily AS
WITH span AS
(
	-- a time that somebody mistyped must not make a line of each day since
	SELECT
		least(greatest(min(o.first_at)::date, support.desk_now()::date - 36524), support.desk_now()::date) AS first_day,
		support.desk_now()::date AS last_day
	FROM support_internal.stat_oldest('entered', 's') AS o
	HAVING min(o.first_at) IS NOT NULL
)
SELECT
	s.first_day + m.bucket - 2 AS day,
	m.created,
	m.solved_events AS solved,
	m.reopened,
	m.unsolved AS open_at_end
FROM span AS s
CROSS JOIN LATERAL support_internal.stat_moves
(
	'-infinity'::timestamptz || support_internal.day_bounds(s.first_day, s.last_day),
	(SELECT array_agg(d.name) FROM support.statuses AS d WHERE d.category = ANY (ARRAY['solved', 'closed']))
) AS m
-- bucket 1 is all the time before
WHERE m.bucket > 1
ORDER BY m.bucket;

COMMENT ON VIEW support.report_daily IS
	'What came in and went out on each day of the session''s time zone, from the first ticket to today, a hundred years at most. What is dated after today is left out until it has come.';
COMMENT ON COLUMN support.report_daily.day IS 'Day.';
COMMENT ON COLUMN support.report_daily.created IS 'Tickets opened on it.';
COMMENT ON COLUMN support.report_daily.solved IS 'How often a ticket became solved or closed.';
COMMENT ON COLUMN support.report_daily.reopened IS 'How often a ticket left solved or closed.';
COMMENT ON COLUMN support.report_daily.open_at_end IS 'Unsolved tickets when the day ended.';

CREATE OR REPLACE VIEW support.report_backlog_history AS
SELECT
	support.desk_now()::date - 91 + m.bucket AS day,
	m.created,
	m.solved_events AS solved,
	m.reopened,
	m.opened AS net,
	m.unsolved AS backlog
FROM support_internal.stat_moves
(
	'-infinity'::timestamptz || support_internal.day_bounds(support.desk_now()::date - 89, support.desk_now()::date),
	(SELECT array_agg(d.name) FROM support.statuses AS d WHERE d.category = ANY (ARRAY['solved', 'closed']))
) AS m
-- bucket 1 is all the time before
WHERE m.bucket > 1
ORDER BY m.bucket;

COMMENT ON VIEW support.report_backlog_history IS
	'The unsolved tickets at the end of each of the last 90 days, today included, and what changed their number.';
COMMENT ON COLUMN support.report_backlog_history.day IS 'Day of the session''s time zone.';
COMMENT ON COLUMN support.report_backlog_history.created IS 'Tickets opened on it.';
COMMENT ON COLUMN support.report_backlog_history.solved IS 'How often a ticket became solved or closed.';
COMMENT ON COLUMN support.report_backlog_history.reopened IS 'How often a ticket left solved or closed.';
COMMENT ON COLUMN support.report_backlog_history.net IS
	'By how many the unsolved tickets became more: created and reopened less solved, without tickets that were solved when they came.';
COMMENT ON COLUMN support.report_backlog_history.backlog IS 'Unsolved tickets when the day ended.';

CREATE OR REPLACE VIEW support.report_first_reply AS
WITH teams AS
(
	SELECT
		coalesce(a.value, u.value) AS value,
		a.n,
		a.seconds,
		a.histogram,
		u.n AS unanswered,
		least(row_number() OVER (ORDER BY a.n DESC NULLS LAST, u.n DESC, coalesce(a.value, u.value)), 51) AS place
	FROM support_internal.stat_series('first_reply', 't', support_internal.last_days(90), true) AS a
	FULL JOIN support_internal.stat_totals('unanswered', 't') AS u ON u.value = a.value
),
lines AS
(
	SELECT
		coalesce(t.place, 0) AS place,
		CASE WHEN t.place < 51 THEN min(t.value) END AS value,
		coalesce(sum(t.n), 0)::bigint AS n,
		sum(t.seconds) / nullif(sum(t.n), 0) AS average,
		support_internal.percentiles(support.histogram_merge(t.histogram)) AS percentiles,
		coalesce(sum(t.unanswered), 0)::bigint AS unanswered
	FROM teams AS t
	GROUP BY GROUPING SETS ((t.place), ())
)
SELECT
	CASE
		WHEN l.place = 0 THEN '(all)'
		WHEN l.place = 51 THEN '(others)'
		WHEN l.value = '' THEN '(none)'
		ELSE coalesce(team.name::text, l.value)
	END AS team,
	l.n,
	support_internal.duration(l.average) AS average,
	support_internal.duration(l.percentiles[1]) AS p50,
	support_internal.duration(l.percentiles[2]) AS p90,
	support_internal.duration(l.percentiles[3]) AS p95,
	support_internal.duration(l.percentiles[4]) AS p99,
	l.unanswered
FROM lines AS l
LEFT JOIN support.teams AS team ON team.id::text = l.value
ORDER BY l.place;

COMMENT ON VIEW support.report_first_reply IS
	'How long customers waited for the first reply, of the tickets that got it in the last 90 days: all, then the 50 teams that gave most, and the rest together.';
COMMENT ON COLUMN support.report_first_reply.team IS 'Name; (all), (none) for tickets without a team, (others).';
COMMENT ON COLUMN support.report_first_reply.n IS 'Tickets that got their first reply in the range.';
COMMENT ON COLUMN support.report_first_reply.average IS 'Mean time from the opening of the ticket to the reply.';
COMMENT ON COLUMN support.report_first_reply.p50 IS 'Half of them were answered in this time or less.';
COMMENT ON COLUMN support.report_first_reply.p90 IS 'Nine of ten were.';
COMMENT ON COLUMN support.report_first_reply.p95 IS '95 of a hundred were.';
COMMENT ON COLUMN support.report_first_reply.p99 IS '99 of a hundred were.';
COMMENT ON COLUMN support.report_first_reply.unanswered IS 'Unsolved tickets that wait for their first reply now, whenever they were opened.';

CREATE OR REPLACE VIEW support.report_resolution AS
WITH counted AS
(
	SELECT s.value, s.n, s.seconds, s.histogram, 0 AS reopened, 0 AS one_touch, 0 AS two_touch, 0 AS multi_touch,
		0 AS undated
	FROM support_internal.stat_series('full_resolution', 't', support_internal.last_days(90), true) AS s
	UNION ALL
	SELECT s.value, 0, 0, NULL::bytea AS histogram, s.n, 0, 0, 0, 0
	FROM support_internal.stat_series('reopened_tickets', 't', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, 0, NULL::bytea AS histogram, 0, s.n, 0, 0, 0
	FROM support_internal.stat_series('one_touch', 't', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, 0, NULL::bytea AS histogram, 0, 0, s.n, 0, 0
	FROM support_internal.stat_series('two_touch', 't', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, 0, NULL::bytea AS histogram, 0, 0, 0, s.n, 0
	FROM support_internal.stat_series('multi_touch', 't', support_internal.last_days(90)) AS s
	UNION ALL
	-- all tickets but the unsolved ones and those whose time is known
	SELECT s.value, 0, 0, NULL::bytea AS histogram, 0, 0, 0, 0, s.n
	FROM support_internal.stat_totals('tickets', 't') AS s
	UNION ALL
	SELECT s.value, 0, 0, NULL::bytea AS histogram, 0, 0, 0, 0, -s.n
	FROM support_internal.stat_totals('open', 't') AS s
	UNION ALL
	SELECT s.value, 0, 0, NULL::bytea AS histogram, 0, 0, 0, 0, -s.n
	FROM support_internal.stat_totals('full_resolution', 't') AS s
),
teams AS
(
	SELECT t.value, least(row_number() OVER (ORDER BY sum(t.n) DESC, t.value), 51) AS place
	FROM counted AS t
	GROUP BY t.value
	HAVING sum(t.n) > 0 OR sum(t.undated) > 0
),
lines AS
(
	SELECT
		coalesce(t.place, 0) AS place,
		CASE WHEN t.place < 51 THEN min(t.value) END AS value,
		coalesce(sum(c.n), 0)::bigint AS n,
		sum(c.seconds) / nullif(sum(c.n), 0) AS average,
		support_internal.percentiles(support.histogram_merge(c.histogram)) AS percentiles,
		coalesce(sum(c.reopened), 0)::bigint AS reopened,
		coalesce(sum(c.one_touch), 0)::bigint AS one_touch,
		coalesce(sum(c.two_touch), 0)::bigint AS two_touch,
		coalesce(sum(c.multi_touch), 0)::bigint AS multi_touch,
		coalesce(sum(c.undated), 0)::bigint AS undated
	FROM counted AS c
	JOIN teams AS t ON t.value = c.value
	GROUP BY GROUPING SETS ((t.place), ())
)
SELECT
	CASE
		WHEN l.place = 0 THEN '(all)'
		WHEN l.place = 51 THEN '(others)'
		WHEN l.value = '' THEN '(none)'
		ELSE coalesce(team.name::text, l.value)
	END AS team,
	l.n,
	support_internal.duration(l.average) AS average,
	support_internal.duration(l.percentiles[1]) AS p50,
	support_internal.duration(l.percentiles[2]) AS p90,
	support_internal.duration(l.percentiles[3]) AS p95,
	support_internal.duration(l.percentiles[4]) AS p99,
	l.reopened,
	l.one_touch,
	l.two_touch,
	l.multi_touch,
	l.undated
FROM lines AS l
LEFT JOIN support.teams AS team ON team.id::text = l.value
ORDER BY l.place;

COMMENT ON VIEW support.report_resolution IS
	'How long the tickets took that are solved now and became so in the last 90 days: all, then the 50 teams that solved most, and the rest together.';
COMMENT ON COLUMN support.report_resolution.team IS 'Name; (all), (none) for tickets without a team, (others).';
COMMENT ON COLUMN support.report_resolution.n IS 'Solved tickets whose last solution lies in the range.';
COMMENT ON COLUMN support.report_resolution.average IS 'Mean time from the opening of the ticket to its last solution.';
COMMENT ON COLUMN support.report_resolution.p50 IS 'Half of them were solved in this time or less.';
COMMENT ON COLUMN support.report_resolution.p90 IS 'Nine of ten were.';
COMMENT ON COLUMN support.report_resolution.p95 IS '95 of a hundred were.';
COMMENT ON COLUMN support.report_resolution.p99 IS '99 of a hundred were.';
COMMENT ON COLUMN support.report_resolution.reopened IS 'Those that had been solved before, and were reopened.';
COMMENT ON COLUMN support.report_resolution.one_touch IS 'Those that took one reply.';
COMMENT ON COLUMN support.report_resolution.two_touch IS 'Those that took two replies.';
COMMENT ON COLUMN support.report_resolution.multi_touch IS 'Those that took three replies or more.';
COMMENT ON COLUMN support.report_resolution.undated IS 'Tickets that are solved now, at a time that nobody told; they are in none of the other columns.';

CREATE OR REPLACE VIEW support.report_time_in_status AS
WITH span AS
(
	SELECT (support_internal.last_days(90))[1] AS from_at, support_internal.quarter_hour(support.desk_now()) AS to_at
),
flows AS
(
	SELECT
		f.value,
		coalesce(sum(f.n) FILTER (WHERE f.bucket = 1), 0) AS present,
		-- who was there stayed to the end, and so did who came, from then on; who left takes the rest away again
		sum
		(
			CASE f.bucket
				WHEN 1 THEN f.n * extract(epoch FROM s.to_at - s.from_at)
				ELSE f.n * extract(epoch FROM s.to_at - '2000-01-01 00:00:00+00'::timestamptz) - f.seconds
			END
		) AS seconds
	FROM span AS s
	CROSS JOIN support_internal.stat_series
	(
		'status_flow',
		's',
		(SELECT ARRAY['-infinity'::timestamptz, r.from_at, r.to_at] FROM span AS r)
	) AS f
	GROUP BY f.value
),
entries AS
(
	SELECT e.value, e.n
	FROM support_internal.stat_series('entered', 's', (SELECT ARRAY[r.from_at, r.to_at] FROM span AS r)) AS e
)
SELECT
	coalesce(s.name, f.value, e.value) AS status,
	coalesce(f.present, 0)::bigint AS present,
	coalesce(e.n, 0) AS entries,
	coalesce(round(f.seconds / 3600, 1), 0.0) AS hours,
	support_internal.duration(coalesce(f.seconds, 0) / nullif(coalesce(f.present, 0) + coalesce(e.n, 0), 0)) AS average
FROM flows AS f
FULL JOIN entries AS e ON e.value = f.value
FULL JOIN support.statuses AS s ON s.name = coalesce(f.value, e.value)
ORDER BY s.position, coalesce(s.name, f.value, e.value);

COMMENT ON VIEW support.report_time_in_status IS
	'How long tickets were in each status in the last 90 days, up to the quarter hour that has begun.';
COMMENT ON COLUMN support.report_time_in_status.status IS 'Status; those that are gone, which the log knows, come last.';
COMMENT ON COLUMN support.report_time_in_status.present IS 'Tickets that were in it when the range began.';
COMMENT ON COLUMN support.report_time_in_status.entries IS 'How often a ticket entered it in the range, new ones included.';
COMMENT ON COLUMN support.report_time_in_status.hours IS 'Hours that tickets were in it in the range, all added up.';
COMMENT ON COLUMN support.report_time_in_status.average IS 'The same for one stay, those that began before or have not ended included.';

CREATE OR REPLACE VIEW support.report_heatmap AS
WITH week AS
(
	SELECT w.bounds, w.places, w.seconds
	FROM support_internal.hours_of_week(90) AS w
),
-- each is one line an hour, which the planner must see: it leaves out those that nobody asks for
created AS
(
	SELECT s.bucket AS place, sum(s.n)::bigint AS n
	FROM support_internal.stat_series
		('tickets', '-', (SELECT w.bounds FROM week AS w), false, (SELECT w.places FROM week AS w)) AS s
	GROUP BY s.bucket
),
replies AS
(
	SELECT s.bucket AS place, sum(s.n)::bigint AS n
	FROM support_internal.stat_series
		('reply', '-', (SELECT w.bounds FROM week AS w), false, (SELECT w.places FROM week AS w)) AS s
	GROUP BY s.bucket
),
customer_comments AS
(
	SELECT s.bucket AS place, sum(s.n)::bigint AS n
	FROM support_internal.stat_series
		('customer_comment', '-', (SELECT w.bounds FROM week AS w), false, (SELECT w.places FROM week AS w)) AS s
	GROUP BY s.bucket
),
solved AS
(
	SELECT s.bucket AS place, sum(s.n)::bigint AS n
	FROM support_internal.stat_series
		('solved', '-', (SELECT w.bounds FROM week AS w), false, (SELECT w.places FROM week AS w)) AS s
	GROUP BY s.bucket
)
SELECT
	((h.place - 1) / 24 + 1)::integer AS weekday,
	((h.place - 1) % 24)::integer AS hour,
	round(h.seconds / 3600.0, 1) AS hours,
	coalesce(c.n, 0) AS created,
	coalesce(r.n, 0) AS replies,
	coalesce(m.n, 0) AS customer_comments,
	coalesce(s.n, 0) AS solved
FROM week AS w
CROSS JOIN LATERAL unnest(w.seconds) WITH ORDINALITY AS h (seconds, place)
LEFT JOIN created AS c ON c.place = h.place
LEFT JOIN replies AS r ON r.place = h.place
LEFT JOIN customer_comments AS m ON m.place = h.place
LEFT JOIN solved AS s ON s.place = h.place
ORDER BY h.place;

COMMENT ON VIEW support.report_heatmap IS
	'When work comes and is done: the last 90 days by weekday and hour of the session''s time zone.';
COMMENT ON COLUMN support.report_heatmap.weekday IS '1 is Monday, 7 is Sunday.';
COMMENT ON COLUMN support.report_heatmap.hour IS 'Hour of the day, 0 to 23.';
COMMENT ON COLUMN support.report_heatmap.hours IS
	'How many such hours the range has that have begun: what to divide by. Putting the clock forward or back takes one or adds one.';
COMMENT ON COLUMN support.report_heatmap.created IS 'Tickets opened in them.';
COMMENT ON COLUMN support.report_heatmap.replies IS 'Agents'' public comments.';
COMMENT ON COLUMN support.report_heatmap.customer_comments IS 'Customers'' public comments.';
COMMENT ON COLUMN support.report_heatmap.solved IS 'How often a ticket became solved or closed.';
