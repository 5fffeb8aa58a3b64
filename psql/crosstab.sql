-- Three tables: live tickets by team and status, unsolved ones by age and priority, and what each agent solved on each
-- of the last days, as the session's time zone has them.
--
--   psql -f psql/crosstab.sql
--   psql -v days=7 -f psql/crosstab.sql
--
--   days   how many days the last table has                         14
--
-- An empty cell is none. Without a row there would be no columns either, so each table ends with a row of totals, which
-- is there on an empty desk too.

\ir lib/begin.sql

\if :{?days}
\else
	\set days 14
\endif

\pset title 'Tickets by team and status'
:desk_safely
WITH counts AS
(
	SELECT t.team_id, t.status, count(*) AS tickets
	FROM support.tickets AS t
	WHERE t.deleted_at IS NULL
	GROUP BY t.team_id, t.status
),
lines AS
(
	SELECT 1 AS place, t.name AS team, t.id AS team_id
	FROM support.teams AS t
	UNION ALL
	SELECT 2, '(no team)', NULL
	WHERE EXISTS (SELECT FROM counts AS c WHERE c.team_id IS NULL)
	UNION ALL
	SELECT 3, '(all)', NULL
)
SELECT support.terminal_text(l.team, true) AS team, support.terminal_text(s.name, true) AS status, sum(c.tickets) AS tickets
FROM lines AS l
CROSS JOIN support.statuses AS s
LEFT JOIN counts AS c ON c.status = s.name AND (c.team_id IS NOT DISTINCT FROM l.team_id OR l.place = 3)
GROUP BY l.place, l.team, s.name, s.position
ORDER BY l.place, l.team, s.position, s.name
\crosstabview team status tickets

\pset title 'Unsolved tickets by age and priority'
:desk_safely
WITH ages (place, age) AS
(
	VALUES (0, 'under a day'), (1, '1 to 3 days'), (2, '3 to 7 days'), (3, '1 to 4 weeks'), (4, 'older'), (5, '(all)')
),
unsolved AS
(
	SELECT
		coalesce(t.priority, 'normal') AS priority,
		width_bucket(support.desk_now() - t.created_at, '{1 day, 3 days, 7 days, 28 days}'::interval[]) AS place
	FROM support.tickets AS t
	WHERE t.status IN (SELECT s.name FROM support.statuses AS s WHERE s.category NOT IN ('solved', 'closed'))
		AND t.deleted_at IS NULL
)
SELECT a.age, support.terminal_text(p.name, true) AS priority, nullif(count(u.place), 0) AS tickets
FROM ages AS a
CROSS JOIN support.priorities AS p
LEFT JOIN unsolved AS u ON u.priority = p.name AND (u.place = a.place OR a.age = '(all)')
GROUP BY a.place, a.age, p.name, p.rank
ORDER BY a.place, p.rank DESC
\crosstabview age priority tickets

\pset title 'Solved by agent and day'
:desk_safely
WITH days AS
(
	SELECT d.at::date AS day
	FROM generate_series
	(
		support.desk_now()::date - (:'days'::integer - 1),
		support.desk_now()::date::timestamp,
		'1 day'
	) AS d (at)
),
solved AS
(
	SELECT a.actor_id, a.occurred_at::date AS day
	FROM support.audit_log AS a
	JOIN support.tickets AS t ON t.id = a.ticket_id AND t.deleted_at IS NULL
	JOIN support.statuses AS n ON n.name = a.new_value ->> 'status' AND n.category IN ('solved', 'closed')
	LEFT JOIN support.statuses AS o ON o.name = a.old_value ->> 'status'
	WHERE a.table_name = 'tickets' AND a.action = 'UPDATE' AND a.old_value ? 'status'
		AND coalesce(o.category NOT IN ('solved', 'closed'), true)
		AND a.occurred_at >= support.desk_now()::date - (:'days'::integer - 1)
),
lines AS
(
	-- where two people would be one row, the id tells them apart
	SELECT
		1 AS place,
		n.name || CASE WHEN count(*) OVER (PARTITION BY n.name) > 1 THEN format(' (%s)', n.id) ELSE '' END AS agent,
		n.id AS actor_id
	FROM
		(
			SELECT u.id, left(u.full_name, 20) AS name
			FROM support.users AS u
			WHERE u.is_active AND u.role IN ('agent', 'team_lead', 'admin')
		) AS n
	UNION ALL
	SELECT 2, '(all)', NULL
)
SELECT
	support.terminal_text(l.agent, true) AS agent,
	to_char(d.day, CASE WHEN :'days'::integer > 28 THEN 'YYYY-MM-DD' ELSE 'DD' END) AS day,
	nullif(count(s.day), 0) AS solved
FROM lines AS l
CROSS JOIN days AS d
LEFT JOIN solved AS s ON s.day = d.day AND (s.actor_id = l.actor_id OR l.place = 2)
GROUP BY l.place, l.agent, d.day
ORDER BY l.place, l.agent, d.day
\unset days
\crosstabview agent day solved

\pset title

\ir lib/end.sql
