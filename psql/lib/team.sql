-- Sets :team_id to the id of :team, which is the name of a team.

:desk_safely
SELECT
	count(*) FILTER (WHERE n.is_meant) = 0 AS refused,
	coalesce(max(n.id) FILTER (WHERE n.is_meant)::text, '') AS team_id,
	format('team "%s" does not exist', :'team') AS problem,
	coalesce
	(
		'The teams are: ' || string_agg(support.terminal_text(n.name, true), ', ' ORDER BY n.name) || '.',
		'SELECT support.create_team(''First line'') makes the first one.'
	) AS remedy
FROM (SELECT t.id, t.name, lower(t.name) = lower(:'team') AS is_meant FROM support.teams AS t) AS n
\gset
\if :refused
	\ir refuse.sql
\endif
