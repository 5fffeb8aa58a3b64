-- Sets :filters, as support.report() takes them, to those that :team asks for: none if no team is named.

\if :{?team}
	\ir team.sql
\else
	\set team_id ''
\endif
:desk_safely
SELECT
	CASE WHEN :'team_id' = '' THEN '{}' ELSE jsonb_build_object('team_id', nullif(:'team_id', '')::bigint)::text END
		AS filters
\gset
\unset team_id
