-- The unsolved tickets: what is late or due first, then by priority, the most urgent first, then those whose customer waits
-- longest. due is the time left until the next promise to the customer, or how late it is.
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

:desk_safely
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

:desk_safely
SELECT
	support.terminal_text(t.ticket_number, true) AS number,
	t.status,
	t.priority,
	support.terminal_text(left(t.title, 22), true) AS title,
	support.terminal_text(left(u.full_name, 14), true) AS assignee,
	lpad(support.due_text(b.next_due_at), 11) AS due,
	lpad(replace(support.due_text(t.waiting_since), 'late ', ''), 7) AS waiting
FROM support.backlog AS b
JOIN support.tickets AS t ON t.id = b.ticket_id
LEFT JOIN support.priorities AS p ON p.name = coalesce(t.priority, 'normal')
LEFT JOIN support.users AS u ON u.id = b.assignee_id
WHERE CASE :'whose'
		WHEN 'mine' THEN b.assignee_id = nullif(:'actor_id', '')::bigint
		WHEN 'unassigned' THEN b.assignee_id IS NULL
		ELSE true
	END
	AND CASE
		WHEN :'team_id' <> '' THEN b.team_id = nullif(:'team_id', '')::bigint
		WHEN :'whose' = 'team' THEN b.team_id IN
		(
			SELECT m.team_id
			FROM support.team_members AS m
			WHERE m.user_id = nullif(:'actor_id', '')::bigint
		)
		ELSE true
	END
ORDER BY b.next_due_at, p.rank DESC NULLS LAST, t.waiting_since, b.created_at, b.ticket_id
LIMIT :'rows'::bigint
-- psql has the values by now: they are for this call alone
\unset whose
\unset rows
\g

\ir lib/end.sql
