-- Zones and ranges of reports: zones are names of places, days are those of the zone asked for, and no date is so far off
-- that a report does not hold.
CREATE DATABASE regress_report_range;
\c regress_report_range
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-04-15 12:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

SELECT support.create_user('ann@desk.example', 'Ann Agent', 'agent');
SELECT support.create_user('carl@corp.example', 'Carl Customer');
SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-fri": ["09:00-17:00"]}', actor_id => 1);

-- What takes a zone takes a name that pg_timezone_names lists, in whatever case. An offset is none: POSIX counts it the
-- other way round. Nor are rules of one's own, zones with leap seconds, or nothing.
CREATE FUNCTION refused(statement text, VARIADIC arguments text[]) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE format(statement, VARIADIC arguments);
	RETURN '';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || CASE WHEN hint LIKE '%pg_timezone_names%' THEN ' with a hint' ELSE SQLERRM END;
END
$$;
CREATE TABLE roads (place integer, road text, statement text);
INSERT INTO roads
VALUES
	(1, 'report', 'SELECT * FROM support.report(''created'', time_zone => %L)'),
	(2, 'page', 'SELECT support.dashboard_html(time_zone => %L)'),
	(3, 'calendar', 'SELECT support.create_calendar(%1$L, %1$L, ''{"mon": ["09:00-17:00"]}'')'),
	(4, 'change', 'SELECT support.update_calendar(1, time_zone => %L)'),
	(5, 'table', 'UPDATE support.calendars SET time_zone = %L WHERE id = 1'),
	(6, 'user', 'UPDATE support.users SET time_zone = %L WHERE id = 1'),
	(7, 'new user', 'INSERT INTO support.users (full_name, email, time_zone) VALUES (%1$L, %1$L || ''@x.example'', %1$L)');
SELECT z.zone, string_agg(r.road || ' ' || refused(r.statement, z.zone), ', ' ORDER BY r.place) AS verdict
FROM unnest('{+05:30,-3,<+0530>-5:30,EST5,EST5MYDST,UTC+5,Foo/Bar-3,Nonsense/Zone,right/UTC,+00,""}'::text[])
	WITH ORDINALITY AS z (zone, place)
CROSS JOIN roads AS r
GROUP BY z.place, z.zone ORDER BY z.place;
SELECT z.zone, string_agg(r.road || refused(r.statement, z.zone), ', ' ORDER BY r.place) AS verdict
FROM unnest('{UTC,Europe/Berlin,asia/kathmandu,Etc/GMT+5,America/Argentina/Buenos_Aires}'::text[]) WITH ORDINALITY AS z (zone, place)
CROSS JOIN roads AS r
GROUP BY z.place, z.zone ORDER BY z.place;
SELECT support.report('created', time_zone => '+05:30');
-- of each listed zone the server says the same
SELECT count(*) AS refused
FROM pg_timezone_names AS z
WHERE z.name !~ '^(posix|right)/' AND z.name <> 'Factory' AND z.name ~ '[0-9]' AND refused('SELECT * FROM support.report(''created'', time_zone => %L)', z.name) <> '';
-- the session may have a zone of its own
SET TimeZone = '+05:30';
SELECT bucket_at FROM support.report('created', last_day => '2026-03-31', first_day => '2026-03-31');
SELECT m[1] FROM regexp_matches(support.dashboard_html(last_day => '2026-03-31'), '<p class="lead">([0-9][^<]*)</p>') AS m;
SET TimeZone = 'UTC';

-- Days are those of the zone asked for, whatever the session's: March in Berlin from its first hour to its last.
INSERT INTO support.tickets (title, description, creator_id, created_at)
VALUES
	('February still', '', 2, '2026-02-28 22:59:59.999999+00'),
	('First of March', '', 2, '2026-02-28 23:00+00'),
	('Last of March', '', 2, '2026-03-31 21:59:59.999999+00'),
	('April already', '', 2, '2026-03-31 22:00+00');
SELECT z.zone AS session, set_config('TimeZone', z.zone, false) = z.zone AS is_set, r.n,
	r.bucket_at AT TIME ZONE 'Europe/Berlin' AS begins, r.bucket_end AT TIME ZONE 'Europe/Berlin' AS ends
FROM unnest('{UTC,Europe/Berlin,America/Los_Angeles,Pacific/Kiritimati}'::text[]) AS z (zone)
CROSS JOIN LATERAL support.report('created', time_zone => 'Europe/Berlin', first_day => '2026-03-01', last_day => '2026-03-31') AS r;
SET TimeZone = 'UTC';
SELECT n, bucket_at FROM support.report('created', '2026-03-01', '2026-04-01', time_zone => 'Europe/Berlin');
SELECT bucket_at, n FROM support.report('created', bucket => 'month', time_zone => 'Europe/Berlin', first_day => '2026-02-01', last_day => '2026-04-30');
SELECT bucket_at, bucket_end FROM support.report('created', time_zone => 'Europe/Berlin', last_day => '2026-03-31');
SELECT bucket_at, bucket_end FROM support.report('created', time_zone => 'Europe/Berlin', first_day => '2026-03-31');
SELECT bucket_at, bucket_end FROM support.report('created', '2026-03-31 09:00+00', time_zone => 'Europe/Berlin', last_day => '2026-03-31');
SELECT m[1] FROM regexp_matches(support.dashboard_html(time_zone => 'Europe/Berlin', first_day => '2026-03-01', last_day => '2026-03-31'), '<p class="lead">([0-9][^<]*)</p>') AS m;
-- in 2011 Samoa had no 30th of December
SELECT bucket_at, bucket_end FROM support.report('created', bucket => 'day', time_zone => 'Pacific/Apia', first_day => '2011-12-29', last_day => '2011-12-31');

-- Refused: an end that is given twice, or is none, and days the wrong way round.
SELECT * FROM support.report('created', '2026-03-01', first_day => '2026-03-01');
SELECT * FROM support.report('created', to_at => '2026-03-01', last_day => '2026-03-01');
SELECT * FROM support.report('created', first_day => '2026-03-02', last_day => '2026-03-01');
SELECT * FROM support.report('created', first_day => '2026-05-02');
SELECT * FROM support.report('created', first_day => '-infinity');
SELECT * FROM support.report('created', last_day => 'infinity');
SELECT support.dashboard_html(from_at => '2026-03-01', first_day => '2026-03-01');

-- Dates that nobody can mean, from before they were refused: each report holds, and is about what it is about.
SELECT count(*) AS lines, min(day), max(day), sum(created) AS created FROM support.report_daily;
ALTER TABLE support.tickets DISABLE TRIGGER support_before;
INSERT INTO support.tickets (ticket_number, title, description, status, creator_id, created_at, updated_at)
SELECT 'F-' || row_number() OVER (), 'Far', '', 'open', 2, at_time, at_time
FROM unnest('{4713-12-01 BC,0001-01-01 BC,1066-10-14,9999-12-31,294276-12-31 23:59:59}'::timestamptz[]) AS at_time;
ALTER TABLE support.tickets ENABLE TRIGGER support_before;
SET statement_timeout = '60s';
SELECT count(*) AS lines, min(day), max(day), sum(created) AS created, max(open_at_end) AS open_at_end FROM support.report_daily;
SELECT count(*) AS lines FROM support.report_backlog_history;
SELECT format('SELECT count(*) >= 0 AS %I FROM support.%1$I', c.relname)
FROM pg_class AS c
WHERE c.relnamespace = 'support'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'report\_%'
ORDER BY c.relname
\gexec
SELECT count(*) > 10 AS dashboard FROM support.dashboard();
SELECT length(support.dashboard_html()) > 1000 AS page;
SELECT length(support.dashboard_html(first_day => '4713-12-01 BC', last_day => '294276-12-30')) > 1000 AS page;
SELECT n FROM support.report('created', '4713-12-01 BC', '294276-12-31 23:59:59.999999');
SELECT count(*), sum(n) FROM support.report('created', '294276-11-01', '294276-12-31 23:59:59.999999', bucket => 'month');
SELECT count(*), sum(n) FROM support.report('created', '294276-12-31 22:00', '294276-12-31 23:59:59.999999', bucket => 'hour');
SELECT count(*), sum(n) FROM support.report('created', '4713-12-01 BC', '4712-01-01 BC', bucket => 'day', time_zone => 'Asia/Kathmandu');
SELECT * FROM support.report('created', '4713-12-01 BC', '294276-12-31', bucket => 'year');
SELECT * FROM support.report('created', last_day => '294276-12-31');
SELECT * FROM support.report('created', last_day => '4714-11-24 BC');
SELECT * FROM support.report('created', first_day => '5874897-12-31');
SELECT support_internal.day_bounds('1000-01-01', '3000-01-01') IS NOT NULL;
RESET statement_timeout;
SELECT * FROM support.verify_stats();

\c contrib_regression
DROP DATABASE regress_report_range;
