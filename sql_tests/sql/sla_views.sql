-- Reading the clocks: how they stand, what is due soon, why, how it went, and how it would have gone.
CREATE DATABASE regress_sla_views;
\c regress_sla_views
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 08:00+01';
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('bob@desk.example', 'Bob Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);
SELECT support.create_team('Printers') AS printers, support.create_team('Screens') AS screens \gset
SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}');
SELECT support.create_calendar('night', 'Europe/Berlin', '{"mon-sun": "22:00-30:00"}');
SELECT support.create_sla_policy('standard', '[
	{"metric": "first_reply", "target": "4 hours", "calendar": "office"},
	{"metric": "requester_wait", "target": "16 hours", "calendar": "office"},
	{"metric": "requester_wait", "target": "2 hours", "calendar": "office", "priority": "urgent"}]',
	'{"channel": "email"}');

-- How a ticket's clocks stand, at every instant, though nobody ever announces anything.
SET support_ext.now = '2026-03-05 15:00+01';
SELECT support.create_ticket('Printer on fire', creator_id => 3, channel => 'email', team_id => :printers, assignee_id => 1) AS t \gset
CREATE VIEW status AS
SELECT ticket_id AS t, metric, policy, state, target, consumed, remaining, due_at, is_breached, breached_at, breach_reason
FROM support.sla_status ORDER BY ticket_id, clock_id;
SELECT * FROM status;
SELECT head FROM support.show_ticket(:t) WITH ORDINALITY AS l (head, line) WHERE line = 3;
SET support_ext.now = '2026-03-05 20:00+01';
SELECT metric, consumed, remaining, is_breached FROM status;
SET support_ext.now = '2026-03-06 11:00+01';
SELECT metric, consumed, remaining, is_breached FROM status;
SET support_ext.now = '2026-03-06 11:00:00.000001+01';
SELECT metric, consumed, remaining, is_breached, breached_at, breach_reason FROM status;
SELECT metric, breached_at, decided_at FROM support.sla_clocks ORDER BY id;
SET support_ext.now = '2026-03-06 11:31+01';
SELECT head FROM support.show_ticket(:t) WITH ORDINALITY AS l (head, line) WHERE line = 3;
SET support_ext.now = '2026-03-06 11:00:00.000001+01';

-- It makes no difference that somebody does.
SELECT support.sla_tick();
SELECT metric, consumed, remaining, is_breached, breached_at, breach_reason FROM status;

-- Standing still, fulfilled late, and cancelled.
SET support_ext.now = '2026-03-06 12:00+01';
SELECT support.add_comment(:t, 'Which one?') \g /dev/null
SELECT support.set_status(:t, 'pending') \g /dev/null
SET support_ext.now = '2026-03-09 12:00+01';
SELECT metric, state, consumed, remaining, due_at, is_breached FROM status;
SELECT head FROM support.show_ticket(:t) WITH ORDINALITY AS l (head, line) WHERE line = 3;
SELECT support.set_status(:t, 'open') \g /dev/null
SET support_ext.now = '2026-03-09 13:00+01';
SELECT metric, state, consumed, remaining, due_at, is_breached FROM status;

-- How long until a deadline, and since: rounded down, to the smaller of two units; none for an instant that never comes.
SELECT due_at - support.desk_now() AS from_now, support.due_text(due_at)
FROM (SELECT support.desk_now() + span::interval AS due_at FROM unnest(ARRAY[
	'0', '59 seconds', '1 minute', '59:59', '1 hour', '02:10:30', '23:59:59', '24:00', '25:59', '30:00', '120:00', '2424:00',
	'-1 microsecond', '-00:01', '-02:10:30', '-3 hours', '-24:00', '-25:30']) AS span) AS d;
SELECT support.due_text(NULL) IS NULL AS none, support.due_text('infinity') IS NULL AS never,
	support.due_text('294276-12-31 23:59') AS last, support.due_text('4713-01-01 BC') AS first;
SET support_ext.now = '4713-01-01 BC';
SELECT support.due_text('294276-12-31 23:59') AS all_of_time;
SET support_ext.now = '2026-03-09 13:00+01';

-- A deleted ticket owes nothing, and is not shown.
SELECT support.delete_ticket(:t, 'a test') \g /dev/null
SELECT count(*) FROM support.sla_status;
SELECT metric, state, cancel_reason FROM support.sla_clocks ORDER BY id;
SET support_ext.now = '2026-03-09 14:00+01';
SELECT support.restore_ticket(:t) \g /dev/null
SELECT metric, state, consumed FROM status;

-- Why a clock shows what it shows.
SET support_ext.now = '2026-03-09 15:30+01';
SELECT * FROM support.sla_explain(:t, 'requester_wait');
SELECT * FROM support.sla_explain(:t, 'first_reply', 1);

-- Solved and reopened: the time in between is shown, and does not count.
SELECT support.set_status(:t, 'resolved') \g /dev/null
SET support_ext.now = '2026-03-10 09:15+01';
SELECT support.set_status(:t, 'open') \g /dev/null
SET support_ext.now = '2026-03-10 09:30+01';
SELECT * FROM support.sla_explain(:t, 'requester_wait') OFFSET 6;

-- Another target and another calendar from here on: what was counted by the old one stays.
SET support_ext.now = '2026-03-10 10:00+01';
SELECT support.set_priority(:t, 'urgent') \g /dev/null
SELECT support.update_sla_policy(1, targets => '[{"metric": "requester_wait", "target": "20 hours"}]');
SELECT support.sla_reapply();
SET support_ext.now = '2026-03-10 20:00+01';
SELECT * FROM support.sla_explain(:t, 'requester_wait') OFFSET 7;
SELECT state, target, consumed, remaining, due_at, is_breached FROM status WHERE metric = 'requester_wait';
SELECT e.total = s.consumed AS agrees
FROM support.sla_status AS s
CROSS JOIN LATERAL (SELECT max(total) AS total FROM support.sla_explain(s.ticket_id, s.metric, s.instance)) AS e
WHERE s.ticket_id = :t;

-- A promise that came later: what it counted of the time before is explained like the rest.
SET support_ext.now = '2026-04-01 08:00+02';
SELECT support.create_ticket('Screen black', creator_id => 3, channel => 'web') AS late \gset
SET support_ext.now = '2026-04-01 10:00+02';
SELECT support.set_status(:late, 'pending') \g /dev/null
SET support_ext.now = '2026-04-01 10:30+02';
SELECT support.set_status(:late, 'open') \g /dev/null
SET support_ext.now = '2026-04-02 09:20+02';
SELECT support.create_sla_policy('web', '[{"metric": "requester_wait", "target": "10 hours", "calendar": "office"},
	{"metric": "resolution", "target": "100 hours"}]', '{"channel": "web"}');
SELECT support.sla_reapply();
SET support_ext.now = '2026-04-02 09:30+02';
SELECT * FROM support.sla_explain(:late, 'requester_wait');
SELECT * FROM support.sla_explain(:late, 'resolution');
SELECT metric, consumed, remaining FROM status WHERE t = :late;

-- What a status meant then cannot be told any more: the sum is what is left.
UPDATE support.statuses SET category = 'open' WHERE name = 'pending';
SELECT * FROM support.sla_explain(:late, 'requester_wait');
UPDATE support.statuses SET category = 'pending' WHERE name = 'pending';

-- Years of night shifts.
SELECT support.create_sla_policy('night', '[{"metric": "resolution", "target": "100000 hours", "calendar": "night"}]',
	'{"channel": "phone"}');
SET support_ext.now = '2000-01-01 12:00+01';
SELECT support.create_ticket('Noise at night', creator_id => 3, channel => 'phone') AS old \gset
SET support_ext.now = '2026-04-02 12:00+02';
SELECT count(*), sum(counted), max(total), bool_and(to_at - from_at >= counted) AS fits
FROM support.sla_explain(:old, 'resolution');
SELECT consumed FROM status WHERE t = :old;
SELECT count(*) AS gaps
FROM (SELECT from_at, lag(to_at) OVER (ORDER BY from_at) AS before FROM support.sla_explain(:old, 'resolution')) AS e
WHERE from_at <> before;
SELECT support.set_status(:old, 'resolved') \g /dev/null

-- What cannot be explained.
SELECT support.sla_explain(99, 'first_reply');
SELECT support.sla_explain(NULL, 'first_reply');
SELECT support.sla_explain(:t, 'last_reply');
SELECT support.sla_explain(:t, NULL);
SELECT support.sla_explain(:t, 'ownership');
SELECT support.sla_explain(:t, 'first_reply', 2);

-- What is due next: least time first, whatever the calendar.
SET support_ext.now = '2026-05-04 08:00+02';
SELECT support.create_sla_policy('soon', '[
	{"metric": "first_reply", "target": "4 hours", "calendar": "office", "warn": []},
	{"metric": "first_reply", "target": "1 hour", "priority": "urgent"},
	{"metric": "agent_work", "target": "30 hours"}]', '{"channel": "chat"}');
SELECT support.create_ticket('Mouse gone', creator_id => 3, channel => 'chat', team_id => :screens, assignee_id => 2) AS a \gset
SET support_ext.now = '2026-05-04 12:00+02';
SELECT support.create_ticket('Mouse found', creator_id => 3, channel => 'chat', priority => 'urgent') AS b \gset
SET support_ext.now = '2026-05-04 12:10+02';
SELECT ticket_id = :a AS a, title, priority, team, assignee, metric, due_at, slack, remaining FROM support.sla_at_risk();
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('1 day');
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('1 day', 1);
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('2 days') OFFSET 1;

-- In working hours: of each clock's own calendar. What is due in the morning is close on Friday evening, and what is
-- counted round the clock is due on Saturday.
BEGIN;
SET LOCAL support_ext.now = '2026-05-08 15:00+02';
SELECT support.create_ticket('Ink low', creator_id => 3, channel => 'chat') AS friday \gset
SET LOCAL support_ext.now = '2026-05-08 16:30+02';
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('3 hours');
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('3 hours', within_working_hours => true);
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('29 hours', within_working_hours => true);
SELECT title, metric, due_at, slack, remaining FROM support.sla_at_risk('29 hours', 1, true);
SELECT count(*) FROM support.sla_at_risk('2 hours 29 minutes 59.999999 seconds', 10, true);
SELECT count(*) FROM support.sla_at_risk('2000000 hours', 10, true);
SELECT support.sla_at_risk('1 day', within_working_hours => true);
ROLLBACK;

SET support_ext.now = '2026-05-04 13:00+02';
SELECT title, metric, slack FROM support.sla_at_risk('0');
SET support_ext.now = '2026-05-04 13:00:00.000001+02';
SELECT title, metric, slack FROM support.sla_at_risk('0');

-- Not what stands still, is answered, or is deleted.
SELECT support.set_status(:b, 'pending') \g /dev/null
SELECT support.add_comment(:a, 'Where?') \g /dev/null
SELECT title, metric, slack FROM support.sla_at_risk('2 days');
SELECT support.delete_ticket(:a, 'a test') \g /dev/null
SELECT count(*) FROM support.sla_at_risk('2 days');
SELECT support.restore_ticket(:a) \g /dev/null

SELECT support.sla_at_risk(NULL);
SELECT support.sla_at_risk('-1 second');
SELECT support.sla_at_risk('1 hour', 0);
SELECT support.sla_at_risk('1 hour', NULL);

-- How it went. A breach is put down to who had the ticket then, announced or not.
SELECT * FROM support.report_sla;
SELECT metric, breached_at FROM support.sla_clocks WHERE ticket_id = :b ORDER BY id;
SELECT support.assign_ticket(:b, 2, :printers) \g /dev/null
SELECT * FROM support.report_sla;
SELECT support.sla_tick();
SELECT * FROM support.report_sla;
SET support_ext.now = '2026-08-20 08:00+02';
SELECT * FROM support.report_sla;

-- How it would have gone: the same policy does as it did.
CREATE FUNCTION as_it_went(from_at timestamptz, to_at timestamptz)
RETURNS TABLE (metric text, tickets bigint, decided bigint, achieved bigint, breached bigint, still_open bigint)
LANGUAGE sql STABLE AS
$$
	SELECT s.metric, count(DISTINCT s.ticket_id),
		count(*) FILTER (WHERE s.is_breached OR s.state = 'fulfilled'),
		count(*) FILTER (WHERE s.state = 'fulfilled' AND NOT s.is_breached),
		count(*) FILTER (WHERE s.is_breached),
		count(*) FILTER (WHERE s.is_breached AND s.state = ANY (ARRAY['running', 'paused']))
	FROM support.sla_status AS s
	JOIN support.tickets AS t ON t.id = s.ticket_id
	WHERE t.created_at >= from_at AND t.created_at < to_at
	GROUP BY s.metric ORDER BY min(s.clock_id)
$$;
SELECT * FROM as_it_went('2026-05-01', '2026-06-01');
SELECT metric, tickets, decided, achieved, breached, still_open, percent
FROM support.sla_simulate('{"conditions": {"channel": "chat"}, "targets": [
	{"metric": "first_reply", "target": "4 hours", "calendar": "office", "warn": []},
	{"metric": "first_reply", "target": "1 hour", "priority": "urgent"},
	{"metric": "agent_work", "target": "30 hours"}]}', '2026-05-01', '2026-06-01');

-- Others: stricter, for whom nothing is fulfilled, round the clock, for tickets with a team, for nobody.
SELECT * FROM support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 minute"}]}', '2026-03-01', '2026-09-01');
SELECT * FROM support.sla_simulate('{"targets": [{"metric": "next_reply", "target": "1 hour"},
	{"metric": "ownership", "target": "1 hour", "calendar": "office"}]}', '2026-03-01', '2026-09-01');
SELECT * FROM support.sla_simulate('{"conditions": {"channel": "fax"}, "targets": [{"metric": "first_reply", "target": "1 hour"}]}',
	'2026-03-01', '2026-09-01');
SELECT * FROM support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}', '2026-03-01', '2026-03-01');

-- From the first day on, removed and returned, by tags.
SELECT support.tag_ticket(:late, ARRAY['VIP']) \g /dev/null
BEGIN;
DELETE FROM support.tickets WHERE id = :late;
SELECT support.restore_ticket(:late) \g /dev/null
COMMIT;
SELECT * FROM support.sla_simulate('{"conditions": {"tags": "vip"}, "targets": [{"metric": "requester_wait", "target": "10 hours", "calendar": "office"}]}',
	'2026-04-01', '2026-04-02');

-- What cannot be simulated.
SELECT support.sla_simulate(NULL, '2026-03-01', '2026-04-01');
SELECT support.sla_simulate('[]', '2026-03-01', '2026-04-01');
SELECT support.sla_simulate('{"conditions": {}}', '2026-03-01', '2026-04-01');
SELECT support.sla_simulate('{"targets": []}', '2026-03-01', '2026-04-01');
SELECT support.sla_simulate('{"targets": [{"metric": "last_reply", "target": "1 hour"}]}', '2026-03-01', '2026-04-01');
SELECT support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 day"}]}', '2026-03-01', '2026-04-01');
SELECT support.sla_simulate('{"conditions": {"colour": "red"}, "targets": [{"metric": "first_reply", "target": "1 hour"}]}',
	'2026-03-01', '2026-04-01');
SELECT support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}', NULL, '2026-04-01');
SELECT support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}', '2026-03-01', 'infinity');
SELECT support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}', '2026-04-01', '2026-03-01');

\c contrib_regression
DROP DATABASE regress_sla_views;
