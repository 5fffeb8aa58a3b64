-- Holidays and hours as people write them, what is asked of them, and work that is counted in days.
CREATE DATABASE regress_working_days;
\c regress_working_days
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never
CREATE FUNCTION worked(calendar_id bigint, first date, last date) RETURNS TABLE(day date, weekday text, worked interval) LANGUAGE sql AS $$
	SELECT day::date, to_char(day, 'Dy'), support.business_elapsed(calendar_id, day, day + interval '1 day')
	FROM generate_series(first::timestamptz, last, '1 day') AS day
$$;

-- Hours as people write them.
SELECT support.create_calendar('long', 'Europe/Berlin', '{"Monday-thursday": "9:00-17:00", "FRIDAY": ["9:00-12:00", "13:00-15:30"]}');
SELECT weekday, opens, closes FROM support.calendar_hours WHERE calendar_id = 1 ORDER BY weekday, opens;
-- A minute is missing until midnight.
SELECT support.create_calendar('always', 'UTC', '{"mon": "00:00-23:59", "sat": "22:00-47:59:59"}');
UPDATE support.calendar_hours SET closes = '24:00' WHERE calendar_id = 2 AND weekday = 1;
INSERT INTO support.calendar_holidays (calendar_id, day, closes) VALUES (2, '2026-12-25', '23:59:59.5');
UPDATE support.calendar_holidays SET name = 'Christmas' WHERE calendar_id = 2;

-- Every year: a day, with hours of its own, half a day, an opening, some days over the turn of the year.
SELECT support.create_calendar('yearly', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}', '[
	"05-01", "02-29",
	{"day": "10-31", "hours": ["10:00-12:00", "13:00-14:00"], "name": "Reformation Day"},
	{"day": "11-11", "closed": "11:11-24:00"},
	{"day": "11-15", "open": "8:00-9:00"},
	{"day": "12-24", "last_day": "01-02", "name": "Winter"},
	{"day": "07-06", "last_day": "07-07", "closed": ["09:00-10:00", "16:00-17:00"]}]');
SELECT day, last_day, is_yearly, is_open, opens, closes, name FROM support.calendar_holidays WHERE calendar_id = 3 ORDER BY id;
SELECT y AS year, to_char(make_date(y, 5, 1), 'Dy') AS first_of_may,
	support.business_elapsed(3, make_date(y, 5, 1)::timestamptz, make_date(y, 5, 2)::timestamptz) AS closed,
	support.business_elapsed(3, make_date(y, 10, 31)::timestamptz, make_date(y, 11, 1)::timestamptz) AS short,
	support.business_elapsed(3, make_date(y, 12, 23)::timestamptz, make_date(y + 1, 1, 3)::timestamptz) AS winter,
	support.business_elapsed(3, make_date(y, 2, 28)::timestamptz, make_date(y, 3, 1)::timestamptz) AS february,
	support.business_elapsed(3, make_date(y, 7, 6)::timestamptz, make_date(y, 7, 8)::timestamptz) AS july,
	support.business_elapsed(3, make_date(y, 11, 11)::timestamptz, make_date(y, 11, 12)::timestamptz) AS carnival,
	support.business_elapsed(3, make_date(y, 11, 15)::timestamptz, make_date(y, 11, 16)::timestamptz) AS sunday
FROM unnest('{1950,2024,2026,2027,2028,2099}'::int[]) AS y;
-- From a year on, by plain SQL.
SELECT support.create_calendar('since', 'UTC', '{"mon-sun": "09:00-17:00"}');
INSERT INTO support.calendar_holidays (calendar_id, day, is_yearly) VALUES (4, '2025-10-03', true);
SELECT y AS year, support.is_open(4, make_timestamptz(y, 10, 3, 12, 0, 0, 'UTC')) FROM generate_series(2024, 2026) AS y;

-- Some days in one entry; a date's hours replaced in one; the same holiday twice is one, and one within another no harm.
SELECT support.create_calendar('once', 'Europe/Berlin', '{"mon-sat": "09:00-17:00"}', '[
	{"day": "2026-07-20", "last_day": "2026-08-07", "name": "Summer"}, "2026-07-24",
	{"day": "2026-08-10", "hours": "12:00-20:00"}, {"day": "2026-08-11", "hours": []},
	"2026-12-25", {"day": "2026-12-25"}, {"day": "2026-12-25", "name": "Christmas"}, "2026-12-25", "12-25",
	{"day": "2026-12-24", "closed": "12:00-24:00"}, {"day": "2026-12-24", "closed": "14:00-18:00"}]');
SELECT count(*) FROM support.calendar_holidays WHERE calendar_id = 5;
SELECT * FROM worked(5, '2026-07-18', '2026-07-21');
SELECT * FROM worked(5, '2026-08-07', '2026-08-12');
SELECT * FROM worked(5, '2026-12-23', '2026-12-26');
INSERT INTO support.calendar_holidays (calendar_id, day) VALUES (5, '2026-12-25');
SELECT support.update_calendar(5) AS still_the_same;

-- At the same time an opening goes before a closing, whichever was written first. What a holiday closes is its date by the
-- clock: a night shift that begins on it is closed to its end if the closing says so.
SELECT support.create_calendar('nights', 'Europe/Berlin', '{"mon-sun": "22:00-30:00"}', '[
	{"day": "2026-05-02", "open": "04:00-05:00"}, "2026-05-02",
	{"day": "2026-05-12", "closed": "00:00-30:00"}]');
SELECT * FROM support.open_spans(6, '2026-05-01 12:00', '2026-05-04 12:00');
SELECT * FROM support.open_spans(6, '2026-05-11 12:00', '2026-05-14 12:00');

-- Hours from a date on; what began before that date goes on to its end.
SELECT support.create_calendar('moving', 'Europe/Berlin', '{"mon-fri": "09:00-17:00", "sun": "22:00-30:00",
	"2026-06-01": {"mon-thu": "08:00-16:00"}, "2026-07-01": {"mon-thu": "05:00-12:00", "wed": "14:00-16:00"}}');
SELECT valid_from, weekday, opens, closes FROM support.calendar_hours WHERE calendar_id = 7 ORDER BY valid_from NULLS FIRST, weekday, opens;
SELECT * FROM support.open_spans(7, '2026-05-29', '2026-06-03');
SELECT * FROM support.open_spans(7, '2026-06-30', '2026-07-03');
-- Known ahead, by plain SQL; before the first date there is no work.
SELECT support.create_calendar('begins', 'UTC', '{"2026-06-01": {"mon-sun": "22:00-30:00"}}');
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes, valid_from) VALUES (8, 1, '08:00', '10:00', '2026-06-08');
SELECT * FROM support.open_spans(8, '2020-01-01', '2026-06-16') WHERE opens_at > '2026-06-06' OR opens_at < '2026-06-02';
SELECT support.next_open(8, '1900-01-01'), support.business_elapsed(8, '1900-01-01', '2026-06-01 22:00+00') AS before;

-- When it closes: now, or after it has opened; and never, round the clock.
SELECT at_time, support.is_open(5, at_time), support.next_open(5, at_time), support.next_close(5, at_time)
FROM unnest('{2026-12-23 08:00,2026-12-23 09:00,2026-12-23 16:59:59.999999,2026-12-23 17:00,2026-12-24 11:00}'::timestamptz[]) AS at_time;
SELECT support.create_calendar('open', 'Europe/Berlin', '{"mon-sun": "00:00-24:00"}', '[{"day": "2027-01-02", "closed": "12:00-24:00"}]');
SELECT support.next_close(9, '2026-12-30'), support.next_open(9, '2027-01-02 12:00'), support.next_close(9, '2027-01-03') AS never;
SELECT * FROM support.open_spans(9, '2026-12-30 10:00', '2027-01-05');
SELECT * FROM support.open_spans(5, '2026-12-23 10:00', '2026-12-23 10:00');
SELECT * FROM support.open_spans(5, '2026-12-23 17:00', '2026-12-24 09:00');
SELECT * FROM support.open_spans(5, '2026-12-23 10:00', '2026-12-23 11:00');
-- When clocks change, and where they are put back over midnight.
SELECT * FROM support.open_spans(6, '2026-03-28 12:00', '2026-03-29 12:00');
SELECT * FROM support.open_spans(6, '2026-10-24 12:00', '2026-10-25 12:00');

-- Working days: as much of the day is over in the end as in the beginning; from outside the hours, or from the opening, days end
-- at the closing.
SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-thu": ["09:00-12:00", "13:00-18:00"], "fri": "09:00-13:00"}', '["12-25"]');
SELECT to_char(at_time, 'Dy HH24:MI:SS.US') AS at_time, to_char(support.business_add(10, at_time, '1 day'), 'Dy HH24:MI:SS.US') AS in_a_day,
	to_char(support.business_add(10, at_time, '3 days'), 'Dy HH24:MI:SS.US') AS in_three,
	to_char(support.business_add(10, at_time, '1 day 2 hours'), 'Dy HH24:MI:SS.US') AS and_two_hours
FROM unnest('{2026-03-02 08:00,2026-03-02 09:00,2026-03-02 11:00,2026-03-02 12:30,2026-03-02 17:59:59.999999,2026-03-02 18:00,
	2026-03-05 15:00,2026-03-06 10:00,2026-03-06 13:00,2026-03-07 12:00}'::timestamptz[]) AS at_time;
SELECT support.business_add(10, '2026-12-24 11:00', '1 day') AS over_christmas, support.business_add(10, '2026-03-02 10:00', '0 days') AS at_once;
-- Days of 23 and 25 hours.
SELECT support.business_add(9, '2026-03-28 12:00', '1 day') AS in_spring, support.business_add(9, '2026-10-24 12:00', '1 day') AS in_autumn;
-- Where a date begins at one o'clock, and where its midnight comes twice.
SELECT support.create_calendar('Santiago', 'America/Santiago', '{"mon-sun": "00:00-24:00"}'), support.create_calendar('Havana', 'America/Havana', '{"mon-sun": "00:00-24:00"}');
SELECT support.business_add(11, '2026-09-05 00:00 America/Santiago', '2 days') AT TIME ZONE 'America/Santiago' AS santiago,
	support.business_add(12, '2026-10-31 00:00 America/Havana', '1 day') AT TIME ZONE 'America/Havana' AS havana,
	support.business_add(12, '2026-11-01 00:30-04', '1 day') - '2026-11-01 00:30-04'::timestamptz AS of_25_hours;

-- What makes no sense.
SELECT support.create_calendar('bad', 'UTC', '{"mon": "009:00-17:00"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC', '{"mond": "09:00-17:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"2026-05-01": {}}');
SELECT support.create_calendar('bad', 'UTC', '{"2026-05-01": "09:00-17:00"}');
SELECT support.create_calendar('bad', 'UTC', '{"2026-13-01": {"mon": "09:00-17:00"}}');
SELECT support.create_calendar('bad', 'UTC', '{"2026-05-01": {"2026-06-01": {"mon": "09:00-17:00"}}}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00", "2026-05-01": {"mon": ["09:00-17:00", "16:00-18:00"]}}');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '["02-30"]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"day": "12-24", "last_day": "2027-01-02"}]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"day": "2026-12-24", "last_day": "2026-12-23"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"day": "2026-12-24", "last_day": null, "hours": "09:00-12:00", "closed": "10:00-11:00"}]');
SELECT support.create_calendar('bad', 'UTC', '{"mon": "09:00-17:00"}', '[{"day": "12-24", "hours": {"mon": "09:00-12:00"}}]');
INSERT INTO support.calendar_holidays (calendar_id, day, last_day, is_yearly) VALUES (1, '2026-01-01', '2027-01-01', true);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes, valid_from) VALUES (1, 6, '09:00', '17:00', 'infinity');
INSERT INTO support.calendar_holidays (calendar_id, day, last_day) VALUES (1, '2026-01-01', 'infinity');
\set VERBOSITY default
SELECT support.next_close(99, now());
\echo :LAST_ERROR_SQLSTATE
SELECT support.next_close(1, NULL);
SELECT * FROM support.open_spans(1, '2026-01-02', '2026-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support.open_spans(1, '2026-01-02', 'infinity');
SELECT support.business_add(1, '2026-01-02', '1 month');
SELECT support.business_add(1, '2026-01-02', '-1 day');
SELECT support.business_add(1, '2026-01-02', '10001 days');
SELECT support.business_add(1, '9999-12-30', '10 days');
\echo :LAST_ERROR_SQLSTATE

-- Targets in working days: the clock has the time that is worked until they are over, and goes on with that.
SELECT support.create_user('ann@desk.example', 'Ann', 'agent') AS ann, support.create_user('carl@corp.example', 'Carl') AS carl;
SELECT support.set_actor(1);
SELECT support.create_sla_policy('days', '[
	{"metric": "first_reply", "target": "1 day", "calendar": "office"},
	{"metric": "resolution", "target": "3 days", "calendar": "office"},
	{"metric": "resolution", "target": "2 days", "calendar": "office", "priority": "high"},
	{"metric": "requester_wait", "target": "3 days", "calendar": "office"}]') AS days \gset
SELECT metric, target FROM support.sla_targets ORDER BY id;
SET support_ext.now = '2026-03-05 15:00+01';
SELECT support.create_ticket('Printer on fire', creator_id => 2) AS t \gset
CREATE VIEW clocks AS
SELECT c.ticket_id, c.metric, c.instance, c.state, c.target, c.consumed, to_char(c.due_at, 'Dy DD HH24:MI:SS') AS due,
	c.due_at = support.business_add(10, c.started_at, t.target) AS as_calendar_says
FROM support.sla_clocks AS c
JOIN support.sla_targets AS t ON t.policy_id = c.policy_id AND t.metric = c.metric AND t.priority IS NULL
ORDER BY c.ticket_id, c.id;
SELECT * FROM clocks;
-- What does not change the promise turns no clock.
SELECT support.tag_ticket(:t, '{fire}') \g /dev/null
SELECT support.sla_reapply() AS turned;
SELECT kind, count(*) FROM support.sla_events GROUP BY kind;
-- A pause moves the deadline by the time that was not worked for it; another target counts from the start.
SET support_ext.now = '2026-03-06 09:00+01';
SELECT support.add_comment(:t, 'Which one?', status => 'pending') \g /dev/null
SET support_ext.now = '2026-03-09 11:00+01';
SELECT support.add_comment(:t, 'All of them', author_id => 2, actor_id => 2) \g /dev/null
SELECT * FROM clocks;
SELECT support.set_priority(:t, 'high') \g /dev/null
SELECT metric, target, due FROM clocks WHERE metric = 'resolution';
SELECT support.set_priority(:t, 'normal') \g /dev/null
SELECT metric, target, due FROM clocks WHERE metric = 'resolution';
-- Hours and days are not the same, and neither is a calendar that was changed.
SELECT support.update_sla_policy(:days, targets => '[{"metric": "resolution", "target": "24 hours", "calendar": "office"}]') AS version;
SELECT support.update_sla_policy(:days, targets => '[{"metric": "resolution", "target": "1 day", "calendar": "office"}]') AS version;
SELECT support.update_sla_policy(:days, targets => '[{"metric": "resolution", "target": "4 days", "calendar": "office"}]') AS version;
SELECT support.sla_reapply() AS turned;
SELECT * FROM clocks WHERE state <> 'cancelled';
SELECT support.update_calendar(10, holidays => '["12-25", "2026-03-10"]') AS version;
SELECT support.sla_reapply() AS turned;
SELECT * FROM clocks WHERE state <> 'cancelled';
SELECT metric, tickets, decided FROM support.sla_simulate('{"targets": [{"metric": "resolution", "target": "1 day", "calendar": "office"}]}',
	'2026-03-01', '2026-04-01');
-- No such days are left.
SELECT support.create_calendar('past', 'UTC', '{}', '[{"day": "2020-01-01", "open": "09:00-17:00"}]');
SELECT support.update_sla_policy(:days, targets => '[{"metric": "resolution", "target": "1 day", "calendar": "past"}]') AS version;
SELECT support.sla_reapply() AS turned;
SELECT metric, state, target, consumed, due FROM clocks WHERE state <> 'cancelled';

-- What no target says.
SELECT support.create_sla_policy('bad', '[{"metric": "resolution", "target": "1 day"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_sla_policy('bad', '[{"metric": "resolution", "target": "1 day 4 hours", "calendar": "office"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_sla_policy('bad', '[{"metric": "resolution", "target": "10001 days", "calendar": "office"}]');
SELECT support.create_sla_policy('bad', '[{"metric": "resolution", "target": "-1 days", "calendar": "office"}]');
SELECT support.create_sla_policy('bad', '[{"metric": "resolution", "target": "1 week", "calendar": "office"}]');
\echo :LAST_ERROR_SQLSTATE
UPDATE support.sla_targets SET calendar_id = NULL;
\echo :LAST_ERROR_SQLSTATE

\c contrib_regression
DROP DATABASE regress_working_days;
