-- The desk on one screen of a terminal, and as a page of HTML.
CREATE DATABASE regress_dashboard TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
\c regress_dashboard
SET client_encoding = 'UTF8';
CREATE EXTENSION support_ext;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET support_ext.now = '2026-03-02 09:00+00';
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

-- An empty desk has a dashboard and a page.
SELECT support.dashboard();
SELECT count(*) FROM regexp_matches(support.dashboard_html(), '<(figure|section)[ >]', 'g');

-- Names may hold anything: markup, quotes, wide letters, and where they came in before anything was refused, what moves
-- the cursor.
ALTER TABLE support.users DISABLE TRIGGER support_before;
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', '"><img src=x onerror=alert(1)>', 'agent'),
	('bob@desk.example', E'Bob\x1b[31m\tAgent', 'agent'),
	('chie@desk.example', '田中 千恵子さんです、よろしく', 'team_lead'),
	('carl@corp.example', 'Carl Customer', 'customer');
ALTER TABLE support.users ENABLE TRIGGER support_before;
INSERT INTO support.teams (name) VALUES ('<script>alert(1)</script>'), ('R&D ''1'''), ('Zürich');
INSERT INTO support.tickets (title, description, creator_id, priority, channel, team_id, assignee_id, created_at)
SELECT '</title><script>alert(' || n || ')</script>', '', 4,
	(ARRAY['urgent', 'low', NULL])[1 + n % 3], (ARRAY['email', '<b>chat</b>', NULL])[1 + n % 3],
	(ARRAY[1, 2, 3, NULL])[1 + n % 4], (ARRAY[1, 2, 3, NULL])[1 + n % 4],
	timestamptz '2026-01-05 08:00+00' + n * interval '17 hours 10 minutes'
FROM generate_series(1, 75) AS n;
SELECT support.set_actor(1);
SELECT count(support.add_comment(t.id, 'Done.', author_id => 1, status => 'resolved'))
FROM support.tickets AS t
WHERE t.id % 3 = 1;
SELECT count(support.tag_ticket(t.id, '{"<i>tag</i>", "a&b"}')) FROM support.tickets AS t WHERE t.id % 5 = 0;

SELECT support.dashboard();
SET support_ext.ascii = on;
SELECT support.dashboard(100);
RESET support_ext.ascii;

-- Promises: what is late, and what is due, stands first.
SELECT support.create_sla_policy('all', '[
	{"metric": "first_reply", "target": "40 hours"},
	{"metric": "first_reply", "target": "8 hours", "priority": "high"},
	{"metric": "first_reply", "target": "1 hour", "priority": "urgent"}]', '{"channel": "phone"}');
SELECT count(support.create_ticket('Call ' || n, creator_id => 4, channel => 'phone', priority => p,
	assignee_id => nullif(n % 3, 0), team_id => 3))
FROM unnest('{normal,urgent,high,high,urgent,high}'::text[]) WITH ORDINALITY AS c (p, n);
SET support_ext.now = '2026-03-02 11:15+00';
SELECT support.add_comment(t.id, 'Too late.', author_id => 2) FROM support.tickets AS t WHERE t.title = 'Call 5';
SET support_ext.now = '2026-03-02 12:30+00';
SELECT support.dashboard(100);
SELECT support.dashboard(140);
-- What a terminal's width is not goes as the nearest that is; NULL is the default.
SELECT count(DISTINCT screen) AS screens, max(width) AS width
FROM
	(
		SELECT string_agg(l.line, E'\n' ORDER BY l.n) AS screen, max(length(l.line)) AS width
		FROM unnest('{-1,0,1,79,80,NULL}'::integer[]) AS w
		CROSS JOIN LATERAL support.dashboard(w) WITH ORDINALITY AS l (line, n)
		GROUP BY w
	) AS s;
SELECT max(length(l)) FROM support.dashboard(2147483647) AS l;
-- The page's numbers of what to do first are those of SQL.
SELECT m[1], m[2] FROM regexp_matches(support.dashboard_html(), '<section class="card[^"]*"><h3>([^<]*)</h3><p><b data-value="([0-9]+)">', 'g') AS m;
SELECT
	count(*) FILTER (WHERE u.next_due_at < support.desk_now()) AS overdue,
	count(*) FILTER (WHERE u.next_due_at BETWEEN support.desk_now() AND support.desk_now() + '24 hours'::interval) AS due,
	count(*) FILTER (WHERE u.assignee_id IS NULL) AS unassigned,
	count(u.waiting) AS waiting
FROM support.unsolved_tickets AS u;
SELECT m[1] AS number, m[2] AS priority, m[3] AS title, m[4] AS whose, m[5] AS at, m[6] AS time
FROM regexp_matches(support.dashboard_html(), '<tr><th scope="row">([^<]*)</th><td class="t">(?:<em>([^<]*)</em>)?<span>([^<]*)</span></td>'
	'<td class="who">([^<]*)</td><td class="n" title="([^"]*)">([^<]*)</td></tr>', 'g') AS m;
SELECT * FROM support.sla_kept('2026-03-02', '2026-03-03');
SELECT * FROM support.sla_kept('2026-03-02', '2026-03-03', 3);
SELECT * FROM support.sla_kept('2026-03-02', '2026-03-03', 1);
SELECT count(*) FROM support.sla_kept('2026-03-02', '2026-03-02 09:59:59');
SELECT m[1] AS promises_kept FROM regexp_matches(support.dashboard_html(), '<dt>Promises kept</dt><dd class="big" data-value="([^"]*)"', 'g') AS m;
SET support_ext.now = '2026-03-02 09:00+00';

-- It fits, however much there is.
INSERT INTO support.statuses (name, category, position) SELECT 'status ' || n, 'open', 100 + n FROM generate_series(1, 30) AS n;
INSERT INTO support.priorities (name, rank) SELECT 'a priority of a very long name ' || n, 100 + n FROM generate_series(1, 30) AS n;
INSERT INTO support.teams (name) SELECT 'A team of a very long name ' || n FROM generate_series(1, 30) AS n;
SELECT w, count(*) <= 45 AS is_low, max(length(d)) <= w AS is_narrow, bool_or(d ~ '[[:cntrl:]]') AS has_control
FROM unnest('{80,100,140}'::integer[]) AS w
CROSS JOIN LATERAL support.dashboard(w) AS d
GROUP BY w
ORDER BY w;

-- The page is ASCII, has no script, names nothing from elsewhere, and what looks like markup is text.
CREATE TEMPORARY TABLE page AS
SELECT support.dashboard_html('A "title" & <b>more</b> – ü', '2026-01-01', '2026-03-03') AS html;
SELECT html ~ '^<!DOCTYPE html>' AS begins, html ~ '</html>\n$' AS ends, html ~ '[^\x01-\x7f]' AS non_ascii,
	html ~* 'url\(|https?:|@import' AS has_links
FROM page;
SELECT string_agg(DISTINCT m[1], ' ' ORDER BY m[1]) AS tags FROM page, regexp_matches(html, '<([a-z0-9]+)', 'g') AS m;
SELECT string_agg(DISTINCT a[1], ' ' ORDER BY a[1]) AS attributes
FROM page, regexp_matches(html, '<[a-z0-9]+( [^>]*)>', 'g') AS m, regexp_matches(m[1], ' ([-a-zA-Z]+)="[^"]*"', 'g') AS a;
SELECT DISTINCT m[1] FROM page, regexp_matches(html, '<th scope="row">(&[^<]*|[^<]*&[^<]*)</th>', 'g') AS m ORDER BY 1;
SELECT m[1] FROM page, regexp_matches(html, '<h1>(.*)</h1><p>', 'g') AS m;
SELECT m[1] FROM page, regexp_matches(html, '<p(?: class="lead")?>((?:[0-9]|Before: |[A-Z][a-z]*day, )[^<]*)</p>', 'g') AS m;
SELECT m[1] FROM page, regexp_matches(html, '<h[23]>([^<]*)</h[23]>', 'g') AS m;
-- The numbers of a table are those of the report.
CREATE FUNCTION pg_temp.numbers(html text, title text)
RETURNS TABLE(name text, numbers float8[])
LANGUAGE sql
AS $$
	SELECT r[1], ARRAY(SELECT (n[1])::float8 FROM regexp_matches(r[2], 'data-value="([^"]*)"', 'g') AS n)
	FROM regexp_matches(html, '<table(?: class="many")? aria-label="' || title || '">(?:(?!</table>).)*') AS t
	CROSS JOIN regexp_matches(t[1], '<th scope="row">([^<]*)</th>((?:(?!</tr>).)*)</tr>', 'g') AS r
$$;
SELECT count(*) AS days, bool_and(p.numbers = ARRAY[c.n, s.n]::float8[]) AS same
FROM page
CROSS JOIN pg_temp.numbers(page.html, 'Created and solved') WITH ORDINALITY AS p
JOIN support.report('created', '2026-01-01', '2026-03-03', 'day') WITH ORDINALITY AS c ON c.ordinality = p.ordinality
JOIN support.report('solved', '2026-01-01', '2026-03-03', 'day') WITH ORDINALITY AS s ON s.ordinality = p.ordinality;
SELECT name, numbers FROM page, pg_temp.numbers(page.html, 'Priority') WHERE numbers[1] > 0;
SELECT priority, open, unassigned, extract(epoch FROM oldest)::bigint FROM support.report_priority WHERE open > 0;

-- What the range is divided into follows from its length; days are those of the zone.
SELECT days, substring(support.dashboard_html(from_at => '2026-03-03', to_at => timestamptz '2026-03-03' + days * interval '1 day')
	FROM 'end of each \w+') AS backlog
FROM unnest('{1,3,4,100,101,730,731,3700,3701,70000}'::integer[]) AS days;
SELECT m[1] FROM regexp_matches(support.dashboard_html(time_zone => 'Asia/Kathmandu'), '<p(?: class="lead")?>((?:[0-9]|Before: |[A-Z][a-z]*day, )[^<]*)</p>', 'g') AS m;
SET TimeZone = 'America/St_Johns';
SELECT m[1] FROM regexp_matches(support.dashboard_html(NULL, NULL, '2026-03-09', NULL), '<p(?: class="lead")?>((?:[0-9]|Before: |[A-Z][a-z]*day, )[^<]*)</p>', 'g') AS m;
SET TimeZone = 'UTC';

-- Refused: no such zone, a range that is none.
SELECT support.dashboard_html(time_zone => 'Mars/Olympus');
\echo :LAST_ERROR_SQLSTATE
SELECT support.dashboard_html(from_at => '-infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT support.dashboard_html(to_at => 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT support.dashboard_html(from_at => '2026-03-02 10:00+00', to_at => '2026-03-02 09:00+00');
\echo :LAST_ERROR_SQLSTATE
SELECT support.dashboard_html(from_at => '2026-03-02 09:00+00', to_at => '2026-03-02 09:00+00');
\echo :LAST_ERROR_SQLSTATE

\c contrib_regression
DROP DATABASE regress_dashboard;
