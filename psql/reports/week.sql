-- A week of the desk or of a team: what came and went on each day, and how long it took, beside the week before. Where
-- something is promised: how many promises were kept and broken, and what is overdue now.
--
--   psql -f psql/reports/week.sql
--   psql -v week=2026-03-02 -v team=Printing -f psql/reports/week.sql
--
--   week    a day of the week, which begins on Monday               the last whole week
--   team    name of a team                                          all

\ir ../lib/begin.sql
\ir ../lib/filters.sql

\if :{?week}
\else
	:desk_safely SELECT (support.desk_now() - '7 days'::interval)::date AS week \gset
\endif
:desk_safely
SELECT
	date_trunc('week', :'week'::date::timestamp)::date AS first_day,
	date_trunc('week', :'week'::date::timestamp)::date + 6 AS last_day,
	date_trunc('week', :'week'::date::timestamp)::date - 7 AS first_before,
	date_trunc('week', :'week'::date::timestamp)::date - 1 AS last_before,
	format('The week from %s', to_char(date_trunc('week', :'week'::date::timestamp), 'YYYY-MM-DD')) AS title
\gset

\pset title :title
:desk_safely
SELECT
	to_char(created.bucket_at, 'YYYY-MM-DD Dy') AS day,
	created.n AS created,
	solved.n AS solved,
	reopened.n AS reopened,
	backlog.n AS backlog
FROM support.report('created', bucket => 'day', filters => :'filters',
	first_day => :'first_day', last_day => :'last_day') AS created
JOIN support.report('solved', bucket => 'day', filters => :'filters',
	first_day => :'first_day', last_day => :'last_day') AS solved USING (bucket_at)
JOIN support.report('reopened', bucket => 'day', filters => :'filters',
	first_day => :'first_day', last_day => :'last_day') AS reopened USING (bucket_at)
JOIN support.report('backlog', bucket => 'day', filters => :'filters',
	first_day => :'first_day', last_day => :'last_day') AS backlog USING (bucket_at)
ORDER BY created.bucket_at;

\pset title 'Numbers and times, and those of the week before'
:desk_safely
SELECT
	m.label AS what,
	now.n,
	before.n AS n_before,
	now.average,
	now.p50,
	now.p90,
	before.p50 AS p50_before,
	before.p90 AS p90_before
FROM
(
	VALUES
		(1, 'created', 'tickets opened'),
		(2, 'tickets_solved', 'tickets solved'),
		(3, 'reopened', 'reopened'),
		(4, 'first_reply', 'first replies'),
		(5, 'full_resolution', 'resolutions'),
		(6, 'one_touch', 'with one reply'),
		(7, 'two_touch', 'with two'),
		(8, 'multi_touch', 'with more')
) AS m (place, metric, label)
CROSS JOIN LATERAL support.report(m.metric, filters => :'filters', first_day => :'first_day', last_day => :'last_day') AS now
CROSS JOIN LATERAL support.report(m.metric, filters => :'filters', first_day => :'first_before', last_day => :'last_before') AS before
ORDER BY m.place;

:desk_safely
SELECT EXISTS (SELECT FROM support.sla_policies) AS has_promises, coalesce(:'filters'::jsonb ->> 'team_id', '') AS team_id
\gset
\if :has_promises
	\pset title 'Promises, and those of the week before'
	:desk_safely
	SELECT
		replace(k.metric, '_', ' ') AS promise,
		k.achieved AS kept,
		k.breached AS broken,
		k.still_open,
		k.percent,
		before.percent AS percent_before
	FROM support.sla_kept(:'first_day'::date, :'last_day'::date + 1, nullif(:'team_id', '')::bigint) AS k
	LEFT JOIN support.sla_kept(:'first_before'::date, :'last_before'::date + 1, nullif(:'team_id', '')::bigint) AS before
		USING (metric);

	\pset title 'Overdue now, the ten that are late longest'
	:desk_safely
	SELECT
		support.terminal_text(t.ticket_number, true) AS number,
		t.priority,
		support.terminal_text(left(t.title, 28), true) AS title,
		replace(b.next_metric, '_', ' ') AS promise,
		support.due_text(b.next_due_at) AS due,
		support.terminal_text(left(u.full_name, 16), true) AS assignee
	FROM support.backlog AS b
	JOIN support.tickets AS t ON t.id = b.ticket_id
	LEFT JOIN support.users AS u ON u.id = b.assignee_id
	WHERE b.next_due_at < support.desk_now()
		AND (:'team_id' = '' OR b.team_id = nullif(:'team_id', '')::bigint)
	ORDER BY b.next_due_at, b.ticket_id
	LIMIT 10;
\endif

\pset title
\unset has_promises
\unset team_id
\unset week
\unset filters
\unset first_day
\unset last_day
\unset first_before
\unset last_before
\unset title

\ir ../lib/end.sql
