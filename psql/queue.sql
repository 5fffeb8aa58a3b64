-- The unsolved tickets: those first whose customer waits longest for an answer, then the others that wait for us, and
-- at the end those that are pending or on hold.
--
--   psql -f psql/queue.sql
--   psql -v actor=ada@example.com -f psql/queue.sql
--   psql -v team=Printing -v whose=unassigned -f psql/queue.sql
--
--   whose   mine: those of the acting user                          mine, or team if a team is named
--           team: those of the team, or of all teams that the acting user is a member of
--           unassigned: nobody's, of the team if one is named
--           all: everybody's
--   team    name of a team
--   rows    how many to show                                        30
--   actor   the acting user, by e-mail address or id                the session's

\ir lib/begin.sql
\ir lib/actor.sql

\if :{?team}
	\ir lib/team.sql
	\if :{?whose}
	\else
		\set whose team
	\endif
\else
	\set team_id ''
\endif
\if :{?whose}
\else
	\set whose mine
\endif
\if :{?rows}
\else
	\set rows 30
\endif

SELECT
	v.problem IS NOT NULL AS refused,
	coalesce(v.problem, '') AS problem,
	CASE v.problem
		WHEN 'nobody acts' THEN
			'Say who you are: -v actor=you@example.com, or SELECT support.set_actor(id) in a session.'
		ELSE 'whose is mine, team, unassigned or all.'
	END AS remedy
FROM
	(
		SELECT CASE
			WHEN :'whose' NOT IN ('mine', 'team', 'unassigned', 'all') THEN format('no queue is called "%s"', :'whose')
			WHEN :'actor_id' <> '' THEN NULL
			WHEN :'whose' = 'mine' OR :'whose' = 'team' AND :'team_id' = '' THEN 'nobody acts'
		END AS problem
	) AS v
\gset
\if :refused
	\ir lib/refuse.sql
\endif

SELECT
	t.ticket_number AS number,
	t.status,
	t.priority,
	support.terminal_text(left(t.title, 32), true) AS title,
	support.terminal_text(left(u.full_name, 16), true) AS assignee,
	lpad
	(
		CASE
			WHEN w.waiting >= '1 day' THEN to_char(w.waiting, 'FMDD"d "HH24"h"')
			ELSE to_char(w.waiting, 'FMHH24"h "MI"m"')
		END,
		8
	) AS waiting
FROM support.tickets AS t
JOIN support.statuses AS s ON s.name = t.status AND s.category NOT IN ('solved', 'closed')
LEFT JOIN support.users AS u ON u.id = t.assignee_id
CROSS JOIN LATERAL (SELECT support.desk_now() - t.waiting_since AS waiting) AS w
WHERE t.deleted_at IS NULL
	AND CASE :'whose'
		WHEN 'mine' THEN t.assignee_id = nullif(:'actor_id', '')::bigint
		WHEN 'unassigned' THEN t.assignee_id IS NULL
		ELSE true
	END
	AND CASE
		WHEN :'team_id' <> '' THEN t.team_id = nullif(:'team_id', '')::bigint
		WHEN :'whose' = 'team' THEN t.team_id IN
		(
			SELECT m.team_id
			FROM support.team_members AS m
			WHERE m.user_id = nullif(:'actor_id', '')::bigint
		)
		ELSE true
	END
ORDER BY t.waiting_since, s.category IN ('pending', 'hold'), t.created_at, t.id
LIMIT :'rows'::bigint
-- psql has the values by now: they are for this call alone
\unset whose
\unset rows
\g

\ir lib/end.sql
