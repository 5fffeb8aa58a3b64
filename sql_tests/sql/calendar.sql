-- Calendars and working time.
CREATE DATABASE regress_calendar;
\c regress_calendar
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

-- From Monday to Friday, 9 to 17 in Berlin.
SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}');
SELECT support.business_add(1, '2026-03-06 16:30', '1 hour') AS over_the_weekend,
	support.business_add(1, '2026-03-07 12:00', '1 hour') AS from_saturday,
	support.business_elapsed(1, '2026-03-05 17:00', '2026-03-06 09:00') AS over_night;

-- Round the clock, when the clock is put forward and back.
SELECT support.create_calendar('always', 'Europe/Berlin', '{"mon-sun": "00:00-24:00"}');
SELECT support.business_add(2, '2026-03-29 01:00', '4 hours') AS in_spring,
	support.business_add(2, '2026-10-25 01:00', '4 hours') AS in_autumn;

-- A shift in these nights; hours that the clock leaves out are not worked, those that it shows twice are twice.
SELECT support.create_calendar('night', 'Europe/Berlin', '{"sun": "01:00-05:00"}');
SELECT support.business_elapsed(3, '2026-03-29', '2026-03-30') AS in_spring,
	support.business_elapsed(3, '2026-10-25', '2026-10-26') AS in_autumn;
SELECT support.create_calendar('skipped', 'Europe/Berlin', '{"sun": "02:15-02:45"}');
SELECT support.business_elapsed(4, '2026-03-29', '2026-03-30') AS in_spring,
	support.business_elapsed(4, '2026-10-25', '2026-10-26') AS in_autumn,
	support.next_open(4, '2026-03-23') AS next_open;

-- A break for lunch.
SELECT support.create_calendar('lunch', 'Europe/Berlin', '{"mon-fri": ["09:00-12:00", "13:00-17:00"]}');
SELECT support.business_add(5, '2026-03-05 11:30', '1 hour') AS after_lunch;

-- No work is done at once. Work that ends with the day is due at closing, and a microsecond more on the next day.
SELECT support.business_add(1, '2026-03-07 12:00', '0') AS nothing,
	support.business_add(1, '2026-03-05 16:00', '1 hour') AS at_closing,
	support.business_add(1, '2026-03-05 16:00', '1 hour 0.000001 seconds') AS next_day;
SELECT support.business_elapsed(1, '2026-03-05 16:59:59.999999', '2026-03-09 09:00:00.000001') AS two_microseconds,
	support.business_elapsed(1, '2026-03-09 10:00', '2026-03-05 16:00') AS backwards;

-- The instant of opening is open, that of closing is not.
SELECT at_time, support.is_open(1, at_time), support.next_open(1, at_time)
FROM unnest('{2026-03-06 08:59:59.999999,2026-03-06 09:00,2026-03-06 16:59:59.999999,2026-03-06 17:00}'::timestamptz[]) AS at_time;

-- Holidays, whole and in part; an opening on one; and over midnight, where a span that began the day before ends.
SELECT support.create_calendar('shop', 'Europe/Berlin', '{"mon-thu": "09:00-17:00", "Fri": ["09:00-17:00", "22:00-30:00"]}',
	'["2026-12-25", {"day": "2026-12-24", "closed": "12:00-24:00", "name": "Christmas Eve"},
		{"day": "2026-12-27", "open": "10:00-14:00"}, {"day": "2026-12-25", "open": "23:00-25:00"}, {"day": "2026-12-19"}]');
SELECT day::date, to_char(day, 'Dy') AS weekday, support.business_elapsed(6, day, day + interval '1 day') AS worked
FROM generate_series('2026-12-17'::timestamptz, '2026-12-28', '1 day') AS day;
SELECT weekday, opens, closes FROM support.calendar_hours WHERE calendar_id = 6 ORDER BY weekday, opens;
SELECT day, is_open, opens, closes, name FROM support.calendar_holidays ORDER BY day, is_open;

-- A version is written when it is new.
SELECT support.update_calendar(6, name => 'store') AS version;
SELECT support.update_calendar(6, hours => '{"sat": "09:00-17:00"}') AS version;
SELECT support.update_calendar(6, time_zone => 'Asia/Kathmandu', holidays => '[]') AS version;
SELECT support.update_calendar(6) AS version;
SELECT version, definition FROM support_internal.calendar_versions WHERE calendar_id = 6 ORDER BY version;
SELECT id, name, time_zone, created_at FROM support.calendars WHERE id = 6;

-- Plain SQL does the same. The session notices each change at once, and what is rolled back.
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS before;
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES (6, 7, '20:00', '24:00');
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS with_sunday;
BEGIN;
UPDATE support.calendar_hours SET closes = '23:00' WHERE calendar_id = 6 AND weekday = 7;
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS changed;
SAVEPOINT here;
INSERT INTO support.calendar_holidays (calendar_id, day) VALUES (6, '2026-03-07');
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS with_holiday;
ROLLBACK TO here;
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS without_holiday;
DELETE FROM support.calendar_hours WHERE calendar_id = 6;
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS with_sunday;
-- A trigger that reads its own change in a statement that fails leaves nothing behind.
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'failed after %', support.business_elapsed(6, '2026-03-06', '2026-03-09');
END
$$;
CREATE TRIGGER z_fail AFTER INSERT ON support.calendar_holidays FOR EACH ROW EXECUTE FUNCTION fail();
INSERT INTO support.calendar_holidays (calendar_id, day) VALUES (6, '2026-03-07');
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS with_sunday;
DROP TRIGGER z_fail ON support.calendar_holidays;
UPDATE support.calendars SET time_zone = 'UTC' WHERE id = 6;
SELECT support.next_open(6, '2026-03-06') AS in_utc;
-- What a version says stays.
SELECT count(*), max(version) FROM support_internal.calendar_versions WHERE calendar_id = 6;
SELECT support.update_calendar(6) AS version;
-- nor is it lost when a function changes what plain SQL has made of the calendar, and nobody relied on in between
UPDATE support.calendars SET time_zone = 'Europe/Berlin' WHERE id = 6;
SELECT support.update_calendar(6, time_zone => 'UTC') AS version;
SELECT version, definition -> 'time_zone' AS time_zone FROM support_internal.calendar_versions WHERE calendar_id = 6
ORDER BY version DESC LIMIT 3;
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS before;
INSERT INTO support.calendar_holidays (calendar_id, day) VALUES (6, '2026-03-08');
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS with_holiday;
ROLLBACK;
SELECT support.business_elapsed(6, '2026-03-06', '2026-03-09') AS before;

-- What a calendar must not be.
SELECT support.create_calendar('bad', 'Mars/Base', '{"mon": "09:00-17:00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC+2', '{"mon": "09:00-17:00"}');
SELECT support.create_calendar('bad', 'UTC', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC', NULL);
SELECT support.create_calendar('bad', 'UTC', '{"mon": []}', '["2026-12-25"]');
SELECT support.create_calendar('bad', 'UTC', '{"mon-fri": "17:00-09:00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-09:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "24:00-30:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-48:01"}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": ["08:00-12:00", "11:00-13:00"]}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC', '{"sun": "22:00-30:00", "mon": "05:30:30-09:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"mo": "09:00-17:00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC', '{"mon-": "09:00-17:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "9-17"}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00 "}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:60-17:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": 9}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": {"from": 9}}');
SELECT support.create_calendar('bad', 'UTC', '"mon"');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '{}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[["2026-12-25"]]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '["Christmas"]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"name": "Christmas"}]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"date": "2026-12-25"}]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"day": "2026-12-25", "open": "09:00-10:00", "closed": "10:00-11:00"}]');
SELECT support.create_calendar('office', 'UTC', '{"mon": "09:00-17:00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_calendar(6, name => 'office');
SELECT support.update_calendar(6, hours => '{}', holidays => '[]');
SELECT support.update_calendar(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_calendar(NULL);
\set VERBOSITY terse
SELECT support.create_calendar(NULL, 'UTC', '{"mon": "09:00-17:00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar(' ', 'UTC', '{"mon": "09:00-17:00"}');
SELECT support.create_calendar('bad', NULL, '{"mon": "09:00-17:00"}');
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES (1, 8, '09:00', '17:00');
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES (1, 6, '-01:00', '17:00');
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES (99, 6, '09:00', '17:00');
INSERT INTO support.calendar_holidays (calendar_id, day) VALUES (1, 'infinity');
TRUNCATE support.calendar_hours;
\set VERBOSITY default
UPDATE support.calendar_hours SET opens = '18:00' WHERE calendar_id = 1 AND weekday = 1;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.calendars SET time_zone = 'Nowhere' WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
-- A statement may move spans through each other's places.
UPDATE support.calendar_hours SET weekday = weekday % 5 + 1 WHERE calendar_id = 1;
SELECT name FROM support.calendars ORDER BY id;

-- What cannot be asked.
SELECT support.business_elapsed(99, now(), now());
\echo :LAST_ERROR_SQLSTATE
SELECT support.business_elapsed(NULL, now(), now());
\echo :LAST_ERROR_SQLSTATE
SELECT support.business_elapsed(1, NULL, now());
SELECT support.business_elapsed(1, now(), 'infinity');
SELECT support.business_elapsed(1, '4000-01-01 BC', now());
SELECT support.business_elapsed(1, now(), '10000-01-01 00:00+00');
SELECT support.business_add(1, '-infinity', '1 hour');
SELECT support.business_add(1, now(), NULL);
SELECT support.business_add(1, now(), '1 month');
SELECT support.business_add(1, now(), '-1 hour');
SELECT support.business_add(1, now(), '30000000 hours');
\echo :LAST_ERROR_SQLSTATE
SELECT support.is_open(1, NULL);
SELECT support.next_open(99, now());

-- The ends of time.
SET TimeZone = 'UTC';
SELECT support.business_elapsed(2, '0001-01-01', '9999-12-31 23:59:59.999999') AS always,
	support.business_add(2, '0001-01-01', '87649415:59:59.999999') AS last_instant;
SELECT support.business_add(2, '0001-01-01', '87649416:00');
INSERT INTO support.calendars (name, time_zone) VALUES ('fair', 'UTC') RETURNING time_zone;
INSERT INTO support.calendar_holidays (calendar_id, day, is_open, opens, closes)
SELECT id, '2026-05-01', true, '10:00', '18:00' FROM support.calendars WHERE name = 'fair';
SELECT support.next_open(id, '2026-03-01') AS next_open, support.next_open(id, '2026-06-01') AS never,
	support.business_add(id, '2026-03-01', '8 hours') AS closes, support.business_elapsed(id, '1900-01-01', '2100-01-01')
FROM support.calendars WHERE name = 'fair';

-- Against an independent count, minute by minute. A minute is open if the clock shows a time of an opening, or one of
-- the week's hours and of no closing.
CREATE FUNCTION falls_on(h support.calendar_holidays, d date) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN h.is_yearly THEN d >= h.day AND EXISTS
	(
		SELECT FROM unnest('{0,1}'::int[]) AS ago,
			LATERAL (SELECT make_interval(years => (extract(year FROM d) - extract(year FROM h.day))::int - ago)) AS y (later)
		WHERE d BETWEEN (h.day + later)::date AND (coalesce(h.last_day, h.day) + later)::date
	)
	ELSE d BETWEEN h.day AND coalesce(h.last_day, h.day) END;
-- What begins on a date, by the clock on the wall.
CREATE FUNCTION spans_slowly(of_calendar bigint, d date) RETURNS TABLE(kind text, span tsrange) LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT CASE WHEN h.is_open THEN 'open' ELSE 'closed' END, tsrange(d + h.opens, d + h.closes)
	FROM support.calendar_holidays AS h
	WHERE h.calendar_id = of_calendar AND falls_on(h, d)
	UNION ALL
	SELECT 'week', tsrange(d + h.opens, d + h.closes)
	FROM support.calendar_hours AS h
	WHERE h.calendar_id = of_calendar AND h.weekday = extract(isodow FROM d)
		AND h.valid_from IS NOT DISTINCT FROM
			(SELECT max(l.valid_from) FROM support.calendar_hours AS l WHERE l.calendar_id = of_calendar AND l.valid_from <= d);
END;

-- Calendars of chance: up to three spans a day, some over midnight, hours that hold from a date on, dates around those on
-- which clocks change, some days long, some of every year.
\set seed 1
\getenv seed SUPPORT_EXT_TEST_SEED
-- by chance one ends at 23:59
SET client_min_messages = warning;
SELECT setseed(sin(:seed));
CREATE TABLE zones (time_zone text, around date);
INSERT INTO zones VALUES
	('Europe/Berlin', '2026-03-29'), ('Europe/Berlin', '2026-10-25'), ('America/New_York', '2026-03-08'),
	('America/New_York', '2026-11-01'), ('Asia/Kathmandu', '1986-01-01'), ('Australia/Lord_Howe', '2026-04-05'),
	('Australia/Lord_Howe', '2026-10-04'), ('Pacific/Apia', '2011-12-30'), ('UTC', '2026-12-31'),
	('Europe/Berlin', '9998-10-28'), ('America/New_York', '1945-08-14'), ('America/Caracas', '2016-05-01');
CREATE TABLE trials AS SELECT 100 + row_number() OVER () AS id, time_zone, around FROM zones, generate_series(1, 2);
INSERT INTO support.calendars (id, name, time_zone) SELECT id, 'chance ' || id, time_zone FROM trials;
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes)
SELECT id, weekday, opens * interval '1 minute', closes * interval '1 minute'
FROM trials, generate_series(1, 7) AS weekday,
	LATERAL (VALUES (floor(random() * 150 + id * 0)::int, floor(random() * 150)::int + 151),
		(floor(random() * 400)::int + 400, floor(random() * 300)::int + 801), (1300, floor(random() * 140)::int + 1301)) AS s (opens, closes)
WHERE random() < 0.7;
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes, valid_from)
SELECT id, weekday, opens * interval '1 minute', closes * interval '1 minute', around + since
FROM trials, generate_series(-1, 1) AS since, generate_series(1, 7) AS weekday,
	LATERAL (VALUES (floor(random() * 300 + id * 0)::int, floor(random() * 600)::int + 301),
		(1300, floor(random() * 140)::int + 1301)) AS s (opens, closes)
WHERE id % 3 = since + 1 AND id % 2 = 0 AND random() < 0.6;
UPDATE support.calendar_hours AS h SET closes = interval '24:00' + random() * interval '1 hour'
WHERE calendar_id > 100 AND opens > '21:00' AND NOT EXISTS (SELECT FROM support.calendar_hours AS n
	WHERE n.calendar_id = h.calendar_id AND n.weekday = h.weekday % 7 + 1 AND n.opens < '01:00');
UPDATE support.calendar_hours SET closes = date_trunc('minute', closes) WHERE calendar_id > 100;
INSERT INTO support.calendar_holidays (calendar_id, day, is_open, opens, closes)
SELECT id, around + n, is_open, floor(random() * 600 + id * 0) * interval '1 minute', (floor(random() * 900) + 601) * interval '1 minute'
FROM trials, generate_series(-1, 1, 2) AS n, unnest('{true,false}'::boolean[]) AS is_open
WHERE random() < 0.3;
INSERT INTO support.calendar_holidays (calendar_id, day, last_day, is_yearly, is_open, opens, closes)
SELECT id, (around - make_interval(years => ago))::date + n - length, CASE WHEN length > 0 THEN (around - make_interval(years => ago))::date + n END,
	ago > 0, is_open, floor(random() * 600 + id * 0) * interval '1 minute', (floor(random() * 1200) + 601) * interval '1 minute'
FROM trials, generate_series(-1, 2) AS n, generate_series(0, 1) AS length, unnest('{0,1,40}'::int[]) AS ago,
	unnest('{true,false}'::boolean[]) AS is_open
WHERE random() < 0.05;
RESET client_min_messages;
CREATE TABLE spans AS
SELECT t.id, array_agg(span) FILTER (WHERE kind = 'week') AS week, array_agg(span) FILTER (WHERE kind = 'open') AS open,
	array_agg(span) FILTER (WHERE kind = 'closed') AS closed
FROM trials AS t, generate_series(-4, 4) AS n, LATERAL spans_slowly(t.id, around + n)
GROUP BY t.id;
CREATE FUNCTION is_in_any(clock timestamp, spans tsrange[]) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN EXISTS (SELECT FROM unnest(spans) AS span WHERE span @> clock);
CREATE TABLE minutes AS
SELECT t.id, minute, is_in_any(clock, open) OR is_in_any(clock, week) AND NOT is_in_any(clock, closed) AS is_open
FROM trials AS t JOIN spans AS s ON s.id = t.id,
	generate_series((around - 2)::timestamptz, (around + 2)::timestamptz, '1 minute') AS minute,
	LATERAL (SELECT minute AT TIME ZONE time_zone) AS l (clock);
ALTER TABLE minutes ADD PRIMARY KEY (id, minute);
ANALYZE minutes;
SELECT count(DISTINCT id) AS calendars, count(*) AS minutes, count(*) FILTER (WHERE is_open) > 30000 AS enough_are_open FROM minutes;
SELECT id, minute, is_open FROM minutes WHERE support.is_open(id, minute) <> is_open LIMIT 5;

-- The time between instants is the number of minutes that are open, whatever the instants.
CREATE TABLE ranges AS
SELECT id, around - 2 + random() * interval '1 day' + n * interval '4 hours' AS from_at, random() * interval '30 hours' AS length
FROM trials, generate_series(1, 8) AS n;
CREATE TABLE elapsed AS
SELECT id, from_at, from_at + length AS to_at, support.business_elapsed(id, from_at, from_at + length) AS fast,
	(SELECT sum(least(minute + interval '1 minute', from_at + length) - greatest(minute, from_at)) FROM minutes AS m
		WHERE m.id = r.id AND is_open AND minute > from_at - interval '1 minute' AND minute < from_at + length) AS slow
FROM (SELECT id, from_at::timestamptz, length FROM ranges) AS r;
SELECT count(*) AS ranges, count(*) FILTER (WHERE fast > interval '0') > 100 AS enough_worked FROM elapsed;
SELECT id, from_at, to_at, fast, slow FROM elapsed WHERE fast <> coalesce(slow, interval '0') LIMIT 5;
SELECT count(*) AS not_inverse FROM elapsed WHERE support.business_elapsed(id, to_at, from_at) <> - fast;

-- What is added has elapsed, and a microsecond before that a microsecond less had.
SELECT count(*) AS wrong
FROM elapsed, LATERAL (SELECT support.business_add(id, from_at, fast) AS due) AS d
WHERE due > to_at OR support.business_elapsed(id, from_at, due) <> fast
	OR fast > interval '0' AND support.business_elapsed(id, from_at, due - interval '1 microsecond') <> fast - interval '1 microsecond';
SELECT count(*) AS wrong
FROM elapsed, LATERAL (SELECT random() * interval '4000 hours' + id * interval '0' AS work) AS w,
	LATERAL (SELECT support.business_add(id, from_at, work) AS due) AS d
WHERE from_at < '9990-01-01' AND (support.business_elapsed(id, from_at, due) <> work
	OR support.business_elapsed(id, from_at, due - interval '1 microsecond') <> work - interval '1 microsecond');
-- The next opening is open, and nothing is between.
SELECT count(*) AS wrong
FROM elapsed, LATERAL (SELECT support.next_open(id, from_at) AS next) AS n
WHERE NOT support.is_open(id, next) OR support.business_elapsed(id, from_at, next) <> interval '0' OR next < from_at;
-- The next closing is not open, and all until then is, from the opening on.
SELECT count(*) AS wrong
FROM elapsed, LATERAL (SELECT support.next_open(id, from_at) AS opens, support.next_close(id, from_at) AS closes) AS n
WHERE support.is_open(id, closes) OR closes <= from_at OR support.business_elapsed(id, opens, closes) <> closes - opens;
-- The spans of a range add up, do not touch, and are open.
SELECT count(*) AS wrong
FROM elapsed, LATERAL (SELECT sum(closes_at - opens_at) AS worked, bool_and(is_span) AS are_spans
	FROM (SELECT *, opens_at < closes_at AND support.business_elapsed(id, opens_at, closes_at) = closes_at - opens_at
			AND opens_at > lag(closes_at, 1, '-infinity') OVER (ORDER BY opens_at) AS is_span
		FROM support.open_spans(id, from_at, to_at)) AS s) AS o
WHERE coalesce(worked, '0') <> fast OR NOT are_spans;
-- Working days, date by date: as many dates later that are worked on at all, as much of the date is over as of the first one;
-- all of it if none of the first one is.
CREATE TABLE days AS
SELECT t.id, day, begins, ends, support.business_elapsed(t.id, begins, ends) AS total
FROM (SELECT DISTINCT id, time_zone, around FROM trials) AS t, generate_series(-10, 30) AS n,
	LATERAL (SELECT around + n, (around + n)::timestamp AT TIME ZONE time_zone, (around + n + 1)::timestamp AT TIME ZONE time_zone)
		AS d (day, begins, ends);
CREATE TABLE in_days AS
SELECT e.id, from_at, n, support.business_add(e.id, from_at, make_interval(days => n)) AS due
FROM elapsed AS e, generate_series(1, 5) AS n
WHERE from_at < '9990-01-01';
SELECT count(*) FILTER (WHERE is_wrong) AS wrong, count(*) > 500 AS enough, count(*) FILTER (WHERE worked > 0) > 100 AS enough_begin_within
FROM in_days AS i,
	LATERAL (SELECT *, greatest(extract(epoch FROM support.business_elapsed(d.id, begins, from_at)), 0) AS worked
		FROM days AS d WHERE d.id = i.id AND support.business_elapsed(d.id, greatest(begins, from_at), greatest(ends, from_at)) > interval '0'
		ORDER BY day LIMIT 1) AS f,
	LATERAL (SELECT * FROM days AS d WHERE d.id = i.id AND d.day >= f.day AND d.total > interval '0'
		ORDER BY day OFFSET n - (worked = 0)::int LIMIT 1) AS l,
	LATERAL (SELECT CASE WHEN worked = 0 THEN l.total
		ELSE ceil(worked * 1000000 * extract(epoch FROM l.total) / extract(epoch FROM f.total)) * interval '1 microsecond' END AS needed) AS w,
	LATERAL (SELECT support.business_elapsed(i.id, l.begins, due) <> needed
		OR support.business_elapsed(i.id, l.begins, due - interval '1 microsecond') <> needed - interval '1 microsecond' AS is_wrong) AS c;
-- Decades are the sum of their months.
SELECT count(*) AS wrong
FROM (SELECT DISTINCT id FROM trials) AS t
WHERE support.business_elapsed(id, '1950-01-01', '2050-01-01') <>
	(SELECT sum(support.business_elapsed(id, month, month + interval '1 month'))
		FROM generate_series('1950-01-01'::timestamptz, '2049-12-01', '1 month') AS month);

-- A calendar goes with its hours, and the log keeps it.
DELETE FROM support.calendars WHERE id >= 100 OR id = 6;
SELECT count(*) FROM support.calendar_hours WHERE calendar_id >= 100 OR calendar_id = 6;
SELECT old_value -> 'name' AS name FROM support.audit_log WHERE table_name = 'calendars' AND action = 'DELETE' AND record_id = 6;
SELECT support.is_open(6, now());

\c contrib_regression
DROP DATABASE regress_calendar;
