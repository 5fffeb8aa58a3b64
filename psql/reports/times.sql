-- How long customers waited for the first reply and for the solution, week by week.
--
--   psql -f psql/reports/times.sql
--   psql -v weeks=26 -v team=Printing -v anchor=cohort -f psql/reports/times.sql
--
--   weeks   how many weeks, this one included                       8
--   team    name of a team                                          all
--   anchor  event: replies and solutions of the week                event
--           cohort: those of the tickets that were opened in it

\ir ../lib/begin.sql
\ir ../lib/filters.sql

\if :{?weeks}
\else
	\set weeks 8
\endif
\if :{?anchor}
\else
	\set anchor event
\endif
:desk_safely
SELECT
	date_trunc('week', support.desk_now())::date - 7 * (:'weeks'::integer - 1) AS first_day,
	date_trunc('week', support.desk_now())::date + 6 AS last_day
\gset

\pset title 'First replies'
:desk_safely
SELECT r.bucket_at::date AS week, r.n, r.average, r.p50, r.p90, r.p95, r.p99
FROM support.report('first_reply', bucket => 'week', filters => :'filters', anchor => :'anchor',
	first_day => :'first_day', last_day => :'last_day') AS r;

\pset title 'Solutions that stand'
:desk_safely
SELECT r.bucket_at::date AS week, r.n, r.average, r.p50, r.p90, r.p95, r.p99
FROM support.report('full_resolution', bucket => 'week', filters => :'filters', anchor => :'anchor',
	first_day => :'first_day', last_day => :'last_day') AS r;

\pset title
\unset weeks
\unset anchor
\unset filters
\unset first_day
\unset last_day

\ir ../lib/end.sql
