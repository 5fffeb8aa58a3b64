-- Reports on what there is now: from the counters, deleted tickets left out.
--
-- The counters know quarter hours, and for unsolved tickets instants. What else a report says of a time within a quarter
-- hour, it looks up among the tickets of that one.

CREATE OR REPLACE VIEW support.report_status AS
SELECT
	s.name AS status,
	s.category,
	coalesce(n.n, 0) AS tickets,
	coalesce(100.0 * n.n / nullif(sum(n.n) OVER (), 0), 0)::numeric(5, 1) AS percent,
	date_trunc('minute', support.desk_now() - oldest.created_at) AS oldest
FROM support.statuses AS s
LEFT JOIN support_internal.stat_totals('status_stock', 's') AS n ON n.value = s.name
-- one line a status, which the planner must see: it leaves it out where nobody asks for it
LEFT JOIN
	(
		SELECT f.value, min(f.first_at) AS first_at
		FROM support_internal.stat_oldest('status_stock', 's') AS f
		GROUP BY f.value
	) AS o ON o.value = s.name
LEFT JOIN LATERAL
	(
		SELECT min(t.created_at) AS created_at
		FROM support_internal.tickets_created(o.first_at, o.first_at + '15 minutes'::interval) AS t
		WHERE t.status = s.name
	) AS oldest ON true
ORDER BY s.position, s.name;

COMMENT ON VIEW support.report_status IS 'How many tickets there are in each status.';
COMMENT ON COLUMN support.report_status.status IS 'Status.';
COMMENT ON COLUMN support.report_status.category IS 'What the status means.';
COMMENT ON COLUMN support.report_status.tickets IS 'Tickets in it.';
COMMENT ON COLUMN support.report_status.percent IS 'Their share of all tickets.';
COMMENT ON COLUMN support.report_status.oldest IS 'Age of the oldest of them, in whole minutes.';

CREATE OR REPLACE VIEW support.report_priority AS
SELECT
	p.name AS priority,
	coalesce(n.n, 0) AS open,
	coalesce(u.n, 0) AS unassigned,
	date_trunc('minute', support.desk_now() - o.first_at) AS oldest
FROM support.priorities AS p
LEFT JOIN support_internal.stat_totals('open', 'p') AS n ON n.value = p.name
LEFT JOIN support_internal.stat_totals('unassigned', 'p') AS u ON u.value = p.name
LEFT JOIN support_internal.stat_oldest('open', 'p') AS o ON o.value = p.name
ORDER BY p.rank DESC;

COMMENT ON VIEW support.report_priority IS 'The unsolved tickets by priority; one without counts as normal.';
COMMENT ON COLUMN support.report_priority.priority IS 'Priority.';
COMMENT ON COLUMN support.report_priority.open IS 'Unsolved tickets of that priority.';
COMMENT ON COLUMN support.report_priority.unassigned IS 'Those of them that nobody works on.';
COMMENT ON COLUMN support.report_priority.oldest IS 'Age of the oldest of them, in whole minutes.';

CREATE OR REPLACE VIEW support.report_agents AS
SELECT
	u.full_name AS agent,
	coalesce(n.n, 0) AS open,
	coalesce(w.n, 0) AS waiting_on_agent,
	date_trunc('minute', support.desk_now() - o.first_at) AS oldest_waiting,
	coalesce(r.n, 0) AS replies_30d,
	coalesce(s.n, 0) AS solved_30d
FROM support.users AS u
LEFT JOIN support_internal.stat_totals('open', 'a') AS n ON n.value = u.id::text
LEFT JOIN support_internal.stat_totals('waiting', 'a') AS w ON w.value = u.id::text
LEFT JOIN support_internal.stat_oldest('waiting', 'a') AS o ON o.value = u.id::text
-- one line an agent, which the planner must see: it leaves out those that nobody asks for
LEFT JOIN
	(
		SELECT f.value, sum(f.n)::bigint AS n
		FROM support_internal.stat_series('reply', 'u', support_internal.rolling_days(30)) AS f
		GROUP BY f.value
	) AS r ON r.value = u.id::text
LEFT JOIN
	(
		SELECT f.value, sum(f.n)::bigint AS n
		FROM support_internal.stat_series('solved', 'u', support_internal.rolling_days(30)) AS f
		GROUP BY f.value
	) AS s ON s.value = u.id::text
WHERE u.is_active AND support_internal.answers_customers(u.role)
ORDER BY u.full_name, u.id;

COMMENT ON VIEW support.report_agents IS 'What each active agent, team lead and administrator has to do and did.';
COMMENT ON COLUMN support.report_agents.agent IS 'Name.';
COMMENT ON COLUMN support.report_agents.open IS 'Unsolved tickets assigned now.';
COMMENT ON COLUMN support.report_agents.waiting_on_agent IS 'Those of them whose customer waits for an answer.';
COMMENT ON COLUMN support.report_agents.oldest_waiting IS 'How long the longest of these waits, in whole minutes.';
COMMENT ON COLUMN support.report_agents.replies_30d IS 'Public comments of the last 30 days.';
COMMENT ON COLUMN support.report_agents.solved_30d IS 'How often the agent made a ticket solved or closed in the last 30 days, whoever it was assigned to.';

CREATE OR REPLACE VIEW support.report_teams AS
SELECT
	team.name AS team,
	coalesce(n.n, 0) AS open,
	coalesce(u.n, 0) AS unassigned,
	date_trunc('minute', support.desk_now() - o.first_at) AS oldest,
	coalesce(c.n, 0) AS created_30d,
	coalesce(s.n, 0) AS solved_30d
FROM support.teams AS team
LEFT JOIN support_internal.stat_totals('open', 't') AS n ON n.value = team.id::text
LEFT JOIN support_internal.stat_totals('unassigned', 't') AS u ON u.value = team.id::text
LEFT JOIN support_internal.stat_oldest('open', 't') AS o ON o.value = team.id::text
-- one line a team, which the planner must see: it leaves out those that nobody asks for
LEFT JOIN
	(
		SELECT f.value, sum(f.n)::bigint AS n
		FROM support_internal.stat_series('tickets', 't', support_internal.rolling_days(30)) AS f
		GROUP BY f.value
	) AS c ON c.value = team.id::text
LEFT JOIN
	(
		SELECT f.value, sum(f.n)::bigint AS n
		FROM support_internal.stat_series('solved', 't', support_internal.rolling_days(30)) AS f
		GROUP BY f.value
	) AS s ON s.value = team.id::text
ORDER BY team.name, team.id;

COMMENT ON VIEW support.report_teams IS 'What each team has to do and did, by the team that a ticket has now.';
COMMENT ON COLUMN support.report_teams.team IS 'Name.';
COMMENT ON COLUMN support.report_teams.open IS 'Unsolved tickets.';
COMMENT ON COLUMN support.report_teams.unassigned IS 'Those of them that nobody works on.';
COMMENT ON COLUMN support.report_teams.oldest IS 'Age of the oldest unsolved ticket, in whole minutes.';
COMMENT ON COLUMN support.report_teams.created_30d IS 'Tickets opened in the last 30 days.';
COMMENT ON COLUMN support.report_teams.solved_30d IS 'How often a ticket of the team became solved or closed in the last 30 days.';

CREATE OR REPLACE VIEW support.report_backlog AS
WITH counted AS
(
	SELECT 'team' AS dimension, o.value, o.n AS open, u.n AS unassigned, w.n AS waiting, f.first_at
	FROM support_internal.stat_totals('open', 't') AS o
	LEFT JOIN support_internal.stat_totals('unassigned', 't') AS u ON u.value = o.value
	LEFT JOIN support_internal.stat_totals('waiting', 't') AS w ON w.value = o.value
	LEFT JOIN support_internal.stat_oldest('open', 't') AS f ON f.value = o.value
	UNION ALL
	SELECT 'assignee' AS dimension, o.value, o.n, CASE WHEN o.value = '' THEN o.n END, w.n, f.first_at
	FROM support_internal.stat_totals('open', 'a') AS o
	LEFT JOIN support_internal.stat_totals('waiting', 'a') AS w ON w.value = o.value
	LEFT JOIN support_internal.stat_oldest('open', 'a') AS f ON f.value = o.value
	UNION ALL
	SELECT 'priority' AS dimension, o.value, o.n, u.n, w.n, f.first_at
	FROM support_internal.stat_totals('open', 'p') AS o
	LEFT JOIN support_internal.stat_totals('unassigned', 'p') AS u ON u.value = o.value
	LEFT JOIN support_internal.stat_totals('waiting', 'p') AS w ON w.value = o.value
	LEFT JOIN support_internal.stat_oldest('open', 'p') AS f ON f.value = o.value
),
placed AS
(
	SELECT
		c.dimension,
		c.value,
		c.open,
		c.unassigned,
		c.waiting,
		c.first_at,
		least(row_number() OVER (PARTITION BY c.dimension ORDER BY c.open DESC, c.value), 51) AS place
	FROM counted AS c
),
lines AS
(
	SELECT
		p.dimension,
		p.place,
		CASE WHEN p.place < 51 THEN min(p.value) END AS value,
		sum(p.open)::bigint AS open,
		coalesce(sum(p.unassigned), 0)::bigint AS unassigned,
		coalesce(sum(p.waiting), 0)::bigint AS waiting,
		min(p.first_at) AS first_at
	FROM placed AS p
	GROUP BY p.dimension, p.place
)
SELECT
	l.dimension,
	CASE
		WHEN l.value IS NULL THEN '(others)'
		WHEN l.value = '' THEN '(none)'
		WHEN l.dimension = 'priority' THEN l.value
		ELSE coalesce(team.name::text, assignee.full_name, l.value)
	END AS value,
	l.open,
	l.unassigned,
	l.waiting,
	date_trunc('minute', support.desk_now() - l.first_at) AS oldest
FROM lines AS l
-- by the ids as they are indexed: a desk may have millions of users
LEFT JOIN support.teams AS team ON team.id = CASE l.dimension WHEN 'team' THEN nullif(l.value, '')::bigint END
LEFT JOIN support.users AS assignee
	ON assignee.id = CASE l.dimension WHEN 'assignee' THEN nullif(l.value, '')::bigint END
ORDER BY l.dimension DESC, l.place;

COMMENT ON VIEW support.report_backlog IS
	'The unsolved tickets by team, by assignee and by priority: the 50 largest groups of each, and the rest together.';
COMMENT ON COLUMN support.report_backlog.dimension IS 'team, assignee or priority.';
COMMENT ON COLUMN support.report_backlog.value IS 'Its name; (none) for tickets without one, (others) for the rest.';
COMMENT ON COLUMN support.report_backlog.open IS 'Unsolved tickets.';
COMMENT ON COLUMN support.report_backlog.unassigned IS 'Those of them that nobody works on.';
COMMENT ON COLUMN support.report_backlog.waiting IS 'Those of them whose customer waits for an answer.';
COMMENT ON COLUMN support.report_backlog.oldest IS 'Age of the oldest unsolved ticket, in whole minutes.';

CREATE OR REPLACE VIEW support.report_unanswered AS
-- bucket 1 is what is older than the first age, bucket 5 what is younger than the last one
WITH counted AS
(
	SELECT s.value, s.bucket, s.n
	FROM support_internal.stat_series
	(
		'unanswered',
		't',
		(
			SELECT
				'-infinity'::timestamptz || array_agg(support.desk_now() - a.age ORDER BY a.place) || 'infinity'::timestamptz
			FROM (VALUES (1, '24 hours'::interval), (2, '8 hours'), (3, '4 hours'), (4, '1 hour')) AS a (place, age)
		)
	) AS s
),
teams AS
(
	SELECT
		c.value,
		sum(c.n) AS n,
		sum(c.n) FILTER (WHERE c.bucket = 5) AS up_to_1h,
		sum(c.n) FILTER (WHERE c.bucket = 4) AS up_to_4h,
		sum(c.n) FILTER (WHERE c.bucket = 3) AS up_to_8h,
		sum(c.n) FILTER (WHERE c.bucket = 2) AS up_to_24h,
		sum(c.n) FILTER (WHERE c.bucket = 1) AS over_24h
	FROM counted AS c
	GROUP BY c.value
),
placed AS
(
	SELECT
		t.value,
		t.n,
		t.up_to_1h,
		t.up_to_4h,
		t.up_to_8h,
		t.up_to_24h,
		t.over_24h,
		o.first_at,
		least(row_number() OVER (ORDER BY t.n DESC, t.value), 51) AS place
	FROM teams AS t
	LEFT JOIN support_internal.stat_oldest('unanswered', 't') AS o ON o.value = t.value
	WHERE t.n <> 0
),
lines AS
(
	SELECT
		coalesce(p.place, 0) AS place,
		CASE WHEN p.place < 51 THEN min(p.value) END AS value,
		coalesce(sum(p.n), 0)::bigint AS unanswered,
		coalesce(sum(p.up_to_1h), 0)::bigint AS up_to_1h,
		coalesce(sum(p.up_to_4h), 0)::bigint AS up_to_4h,
		coalesce(sum(p.up_to_8h), 0)::bigint AS up_to_8h,
		coalesce(sum(p.up_to_24h), 0)::bigint AS up_to_24h,
		coalesce(sum(p.over_24h), 0)::bigint AS over_24h,
		min(p.first_at) AS first_at
	FROM placed AS p
	GROUP BY GROUPING SETS ((p.place), ())
)
SELECT
	CASE
		WHEN l.place = 0 THEN '(all)'
		WHEN l.place = 51 THEN '(others)'
		WHEN l.value = '' THEN '(none)'
		ELSE coalesce(team.name::text, l.value)
	END AS team,
	l.unanswered,
	l.up_to_1h,
	l.up_to_4h,
	l.up_to_8h,
	l.up_to_24h,
	l.over_24h,
	date_trunc('minute', support.desk_now() - l.first_at) AS oldest
FROM lines AS l
LEFT JOIN support.teams AS team ON team.id::text = l.value
ORDER BY l.place;

COMMENT ON VIEW support.report_unanswered IS
	'The unsolved tickets without a first reply, by team and by age: all, then the 50 teams that have most, and the rest together.';
COMMENT ON COLUMN support.report_unanswered.team IS 'Name; (all), (none) for tickets without a team, (others).';
COMMENT ON COLUMN support.report_unanswered.unanswered IS 'Unsolved tickets that nobody has replied to.';
COMMENT ON COLUMN support.report_unanswered.up_to_1h IS 'Those of them that were opened in the last hour.';
COMMENT ON COLUMN support.report_unanswered.up_to_4h IS 'Those opened up to 4 hours ago, and more than 1.';
COMMENT ON COLUMN support.report_unanswered.up_to_8h IS 'Those opened up to 8 hours ago, and more than 4.';
COMMENT ON COLUMN support.report_unanswered.up_to_24h IS 'Those opened up to 24 hours ago, and more than 8.';
COMMENT ON COLUMN support.report_unanswered.over_24h IS 'Those opened more than 24 hours ago.';
COMMENT ON COLUMN support.report_unanswered.oldest IS 'Age of the oldest of them, in whole minutes.';

CREATE OR REPLACE VIEW support.report_aging AS
WITH ages AS
(
	SELECT a.place, a.age, support.desk_now() - a.days AS began_at
	FROM
	(
		VALUES
			(1, 'over 90 days', '90 days'::interval),
			(2, '30 to 90 days', '30 days'),
			(3, '7 to 30 days', '7 days'),
			(4, '3 to 7 days', '3 days'),
			(5, '1 to 3 days', '1 day'),
			(6, 'up to 1 day', NULL)
	) AS a (place, age, days)
)
SELECT
	a.age,
	coalesce(sum(s.n), 0)::bigint AS open,
	coalesce(sum(s.n) FILTER (WHERE s.value = ''), 0)::bigint AS unassigned
FROM ages AS a
-- bucket 1 is what is older than the first age, bucket 6 what is younger than the last one
LEFT JOIN support_internal.stat_series
(
	'open',
	'a',
	(
		SELECT '-infinity'::timestamptz || array_agg(b.began_at ORDER BY b.place) || 'infinity'::timestamptz
		FROM ages AS b
		WHERE b.began_at IS NOT NULL
	)
) AS s ON s.bucket = a.place
GROUP BY a.place, a.age
ORDER BY a.place DESC;

COMMENT ON VIEW support.report_aging IS 'The unsolved tickets by age, the youngest first.';
COMMENT ON COLUMN support.report_aging.age IS 'Time since a ticket was opened.';
COMMENT ON COLUMN support.report_aging.open IS 'Unsolved tickets of that age.';
COMMENT ON COLUMN support.report_aging.unassigned IS 'Those of them that nobody works on.';
