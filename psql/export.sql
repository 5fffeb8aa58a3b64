-- The live tickets as CSV, in the columns that import.sql reads.
--
--   psql -f psql/export.sql >tickets.csv
--   psql -v file=tickets.csv -v since=2026-11-01 -v delimiter=';' -f psql/export.sql
--
--   file        where to                                            standard output
--   since       only tickets opened from then on                    all
--   delimiter   between the columns                                 a comma
--
-- NULL is an empty column, the empty text is "". Times carry the offset of the session's time zone. Where a line of a text
-- is nothing but \., at which psql before version 18 takes the file to end, it has a backslash more, which import.sql
-- takes away. Cells that begin with =, +, - or @ are as they are in the desk.

\ir lib/begin.sql

\if :{?since}
\else
	\set since -infinity
\endif
\if :{?delimiter}
\else
	\set delimiter ,
\endif

-- what regexp_replace() is told: a line of backslashes and a dot, between others, gets one backslash more
\set shield '''(?<=\\n)(\\\\+\\.\\r?\\n)'', ''\\\\\\1'', ''g'''

:desk_safely
COPY
(
	SELECT
		regexp_replace(t.external_id, :shield) AS external_id,
		regexp_replace(t.ticket_number, :shield) AS ticket_number,
		regexp_replace(t.title, :shield) AS title,
		regexp_replace(t.description, :shield) AS description,
		t.status,
		t.priority,
		r.email AS requester,
		a.email AS assignee,
		regexp_replace(team.name, :shield) AS team,
		regexp_replace(t.channel, :shield) AS channel,
		(
			SELECT regexp_replace(string_agg(g.name, ', ' ORDER BY g.name), :shield)
			FROM support.ticket_tags AS l
			JOIN support.tags AS g ON g.id = l.tag_id
			WHERE l.ticket_id = t.id
		) AS tags,
		t.custom,
		-- through jsonb, a time is in ISO 8601 whatever the session's DateStyle
		to_jsonb(t.created_at) ->> 0 AS created_at,
		to_jsonb(t.solved_at) ->> 0 AS solved_at
	FROM support.tickets AS t
	JOIN support.users AS r ON r.id = coalesce(t.requester_id, t.creator_id)
	LEFT JOIN support.users AS a ON a.id = t.assignee_id
	LEFT JOIN support.teams AS team ON team.id = t.team_id
	WHERE t.deleted_at IS NULL AND t.created_at >= :'since'
	ORDER BY t.id
)
TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER :'delimiter')
\unset since
\unset delimiter
\unset shield
\if :{?file}
	\set target :file
	\unset file
	\g :target
	\echo :ROW_COUNT tickets are in :target
\else
	\g
\endif

\ir lib/end.sql
