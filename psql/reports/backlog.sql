-- The unsolved tickets: whose they are, how old, and how many there were.
--
--   psql -f psql/reports/backlog.sql

\ir ../lib/begin.sql

\pset title 'Unsolved tickets'
:desk_safely
SELECT
	b.dimension AS "by",
	b.value,
	b.open,
	support.bar(b.open, max(b.open) OVER (PARTITION BY b.dimension)) AS bar,
	b.unassigned,
	b.waiting,
	b.oldest
FROM support.report_backlog AS b
ORDER BY b.dimension DESC, b.value = '(others)', b.open DESC, b.value;

\pset title 'By age'
:desk_safely
SELECT a.age, a.open, support.bar(a.open, max(a.open) OVER ()) AS bar, a.unassigned
FROM support.report_aging AS a;

\pset title 'Without a first reply'
:desk_safely TABLE support.report_unanswered;

\pset title 'The last 90 days'
:desk_safely
SELECT
	min(h.backlog) AS least,
	max(h.backlog) AS most,
	sum(h.created) AS created,
	sum(h.solved) AS solved,
	sum(h.reopened) AS reopened,
	support.sparkline(h.backlog ORDER BY h.day) AS backlog
FROM support.report_backlog_history AS h;

\pset title

\ir ../lib/end.sql
