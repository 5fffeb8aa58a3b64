-- When work comes, by weekday and hour of the last 90 days, the darker the more there is in an hour on average.
--
--   psql -f psql/reports/heatmap.sql
--   psql -v what=replies -f psql/reports/heatmap.sql
--
--   what    created, replies, customer_comments or solved           created

\ir ../lib/begin.sql

\if :{?what}
\else
	\set what created
\endif
:desk_safely
SELECT
	:'what' NOT IN ('created', 'replies', 'customer_comments', 'solved') AS refused,
	format('the heatmap has no "%s"', :'what') AS problem,
	'what is created, replies, customer_comments or solved.' AS remedy
\gset
\if :refused
	\ir ../lib/refuse.sql
\endif

\pset title :what
:desk_safely
WITH hourly AS
(
	SELECT h.weekday, h.hour, h.:"what" / nullif(h.hours, 0) AS per_hour
	FROM support.report_heatmap AS h
)
SELECT
	(ARRAY['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])[h.weekday] AS weekday,
	h.hour,
	support.heat(h.per_hour, max(h.per_hour) OVER ()) AS heat
FROM hourly AS h
ORDER BY h.weekday, h.hour
\crosstabview weekday hour heat

\pset title
\unset what

\ir ../lib/end.sql
