-- The lists and reports, over a small desk whose numbers were worked out by hand. The comments give what must come out.
CREATE DATABASE regress_reports;
\c regress_reports
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-26 08:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

-- The columns of the views, which applications rely on.
\pset format unaligned
SELECT
	c.relname,
	string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) AS columns
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'support'::regnamespace AND c.relkind = 'v'
GROUP BY c.relname
ORDER BY c.relname;
\pset format aligned

-- An empty desk: every status and priority with nothing in it, and no day yet.
SELECT * FROM support.ticket_list;
SELECT * FROM support.unsolved_tickets;
SELECT * FROM support.my_tickets;
SELECT * FROM support.deleted_tickets ORDER BY ticket_id;
SELECT * FROM support.report_status;
SELECT * FROM support.report_priority;
SELECT * FROM support.report_daily;
SELECT * FROM support.report_agents;
SELECT * FROM support.report_teams;

-- People and teams, made in no order. Eve, Bob and Ann work on tickets; Gus did once; Lia and the bot are no agents.
INSERT INTO support.users (email, full_name, role, is_active)
VALUES
	('eve@desk.example', 'Eve', 'admin', true),
	('bob@desk.example', 'Bob', 'team_lead', true),
	('ann@desk.example', 'Ann', 'agent', true),
	('gus@desk.example', 'Gus', 'agent', false),
	('lia@desk.example', 'Lia', 'light_agent', true),
	('robo@desk.example', 'Robo', 'bot', true),
	('carl@corp.example', 'Carl', 'customer', true),
	('dora@corp.example', 'Dora', 'customer', true);
INSERT INTO support.teams (name) VALUES ('Night shift'), ('Hardware'), ('Billing');

-- Two statuses that will be gone when the reports are read.
INSERT INTO support.statuses (name, category, position) VALUES ('triage', 'new', 5), ('parts', 'hold', 45);

-- Thursday the 26th
SET support_ext.now = '2026-03-26 12:00+00';
SELECT support.create_ticket('Keyboard sticks', creator_id => 8, priority => 'low', status => 'triage') AS id;
SET support_ext.now = '2026-03-26 22:30+00';
SELECT support.create_ticket('Printer at Müller & Söhne is on fire, and nobody there has a bucket of water',
	creator_id => 7, priority => 'high', team_id => 2, assignee_id => 3) AS id;

-- Friday the 27th. Ticket 4 came by telephone and is solved from the start; 5 and 6 will be deleted.
SET support_ext.now = '2026-03-27 03:30+00';
INSERT INTO support.tickets (title, description, creator_id, team_id, priority)
VALUES ('Wrong invoice', '', 8, 3, NULL) RETURNING id;
SET support_ext.now = '2026-03-27 09:00+00';
SELECT support.add_comment(2, 'Which printer?', status => 'pending', actor_id => 3) AS id;
SELECT support.add_comment(2, 'Their third this year.', is_private => true, actor_id => 3) AS id;
SELECT support.add_comment(2, 'We are closed at night.', via => 'auto', actor_id => 3) AS id;
SET support_ext.now = '2026-03-27 10:00+00';
SELECT support.create_ticket('How do I switch it on?',
	creator_id => 3, requester_id => 7, status => 'resolved', team_id => 2) AS id;
SET support_ext.now = '2026-03-27 11:00+00';
SELECT support.set_status(1, 'open', actor_id => 3) AS version;
SET support_ext.now = '2026-03-27 12:00+00';
SELECT support.set_status(1, 'parts', actor_id => 3) AS version;
SELECT support.create_ticket('Spam', creator_id => 7, team_id => 2, assignee_id => 3) AS id;
SELECT support.create_ticket('More spam', creator_id => 7, team_id => 2, assignee_id => 3) AS id;
SELECT support.add_comment(5, 'No, thanks.', status => 'resolved', actor_id => 3) AS id;
SELECT support.add_comment(6, 'No, thanks.', status => 'resolved', actor_id => 3) AS id;

-- Saturday the 28th. Ticket 7 is solved by nobody that we know, removed by mistake and brought back.
SET support_ext.now = '2026-03-28 08:15:40+00';
SELECT support.add_comment(2, 'The third one.', actor_id => 7) AS id;
SET support_ext.now = '2026-03-28 10:00+00';
SELECT support.delete_ticket(5, 'spam', actor_id => 3) AS version;
SET support_ext.now = '2026-03-28 11:00+00';
SELECT support.set_actor(2);
DELETE FROM support.tickets WHERE id = 6;
SELECT support.set_actor(NULL);
SET support_ext.now = '2026-03-28 12:00+00';
SELECT support.create_ticket('Chair squeaks', creator_id => 8) AS id;
SET support_ext.now = '2026-03-28 13:00+00';
UPDATE support.tickets SET status = 'resolved' WHERE id = 7;
SET support_ext.now = '2026-03-28 14:00+00';
DELETE FROM support.tickets WHERE id = 7;
SET support_ext.now = '2026-03-28 15:00+00';
SELECT support.restore_ticket(7, actor_id => 1) IS NOT NULL AS restored;
SET support_ext.now = '2026-03-28 16:00+00';
SELECT support.set_status(1, 'resolved', actor_id => 3) AS version;
SET support_ext.now = '2026-03-28 22:59:59+00';
SELECT support.add_comment(3, 'A new one is in the mail.', status => 'resolved', actor_id => 2) AS id;
SET support_ext.now = '2026-03-28 23:00+00';
SELECT support.create_ticket('Screen is black',
	creator_id => 7, priority => 'urgent', team_id => 2, assignee_id => 2) AS id;

-- Sunday the 29th, which has 23 hours in Berlin. Dora's answer reopens ticket 3; to close ticket 8 is not to solve it
-- again.
SET support_ext.now = '2026-03-29 02:30+00';
SELECT support.add_comment(3, 'Wrong again.', actor_id => 8) AS id;
SET support_ext.now = '2026-03-29 21:59:59+00';
SELECT support.set_status(8, 'resolved', actor_id => 2) AS version;
SET support_ext.now = '2026-03-29 22:00+00';
SELECT support.set_status(8, 'closed', actor_id => 1) AS version;
SELECT support.create_ticket('Refund', creator_id => 8, priority => 'low', team_id => 3, assignee_id => 3) AS id;
SET support_ext.now = '2026-03-29 22:10+00';
SELECT support.set_status(9, 'on_hold', actor_id => 3) AS version;

-- Monday the 30th: somebody tidies up, and the reports are read.
SET support_ext.now = '2026-03-30 12:00:30+00';
DELETE FROM support.statuses WHERE name = ANY (ARRAY['triage', 'parts']);

-- Seven live tickets: 2 and 3 are open, 9 is on hold; 1, 4 and 7 are resolved, 8 is closed. First by status, then the
-- most urgent (a ticket without a priority counts as normal), then the oldest. Ticket 2 was opened 3 days 13:30:30 ago;
-- its customer has waited since the 28th, 08:15:40.
SELECT id, ticket_number, status, priority, title, requester, assignee, team FROM support.ticket_list ORDER BY id;
SELECT id, age, waiting, updated_at FROM support.ticket_list ORDER BY id;
SELECT length(title) AS cut_at FROM support.ticket_list WHERE id = 2;

-- Each sees the own unsolved tickets: Ann 2 and 9, Bob none, since 8 is closed.
SELECT support.set_actor(3);
SELECT id, status, title, requester, assignee, team, age, waiting FROM support.my_tickets ORDER BY id;
SELECT support.set_actor(2);
SELECT id FROM support.my_tickets ORDER BY id;
SELECT support.set_actor(NULL);
SELECT id FROM support.my_tickets ORDER BY id;

-- The bin, the latest first: 6 was removed by Bob, 5 was marked by Ann.
SELECT * FROM support.deleted_tickets ORDER BY ticket_id;

-- Of seven: open 2 (28.6), on hold 1 (14.3), resolved 3 (42.9), closed 1 (14.3). The oldest: open is ticket 2, opened
-- 3 days 13:30 ago; on hold ticket 9, 14:00; resolved ticket 1, 4 days; closed ticket 8, 1 day 13:00.
SELECT * FROM support.report_status;

-- Unsolved are 2 (high), 3 (none, which is normal; nobody's) and 9 (low).
SELECT * FROM support.report_priority;

-- Ann: 2 and 9 are hers and wait, 2 for 2 days 03:44; one reply (ticket 2; not the note, not the automatic answer, not
-- those on deleted tickets); she solved ticket 1. Bob: replied on 3, solved 3 and 8. Eve only closed what was solved.
SELECT * FROM support.report_agents;

-- Billing: 3 and 9 are open, 3 is nobody's; both came in the last 30 days, 3 was solved once. Hardware: 2 is open; 2, 4
-- and 8 came; 8 was solved; 4 was when it came, so it never became solved.
SELECT * FROM support.report_teams;

-- Days in UTC.
--   26: 1 and 2 come
--   27: 3 and 4 come, 4 solved
--   28: 7 and 8 come; 7, 1 and 3 are solved; 2 and 8 are left
--   29: 9 comes; 8 is solved, 3 reopened; 2, 3 and 9 are left
--   30: nothing yet
SELECT * FROM support.report_daily;

-- In Berlin the 29th is from the 28th 23:00 to the 29th 22:00 UTC: ticket 8 comes on the 29th and 9 on the 30th; the
-- solutions of 3 and 8, each a second before midnight, stay on the 28th and the 29th.
SET TimeZone = 'Europe/Berlin';
SELECT * FROM support.report_daily;

-- In New York, four hours behind UTC, ticket 3 comes on the 26th and is reopened on the 28th.
SET TimeZone = 'America/New_York';
SELECT * FROM support.report_daily;

-- There the day is still the 29th when it is three o'clock on the 30th in UTC.
SET support_ext.now = '2026-03-30 03:00+00';
SELECT max(day) FROM support.report_daily;
SET TimeZone = 'UTC';
SELECT max(day) FROM support.report_daily;

-- The last 30 days begin with the quarter hour of 12:00 on the 28th of February and end with the one that has begun. Carl
-- opens ticket 10 a second before, Bob answers and solves it; and ticket 11 a second later. A reply of tomorrow, which an
-- import may bring, does not count yet.
SET support_ext.now = '2026-02-28 11:59:59+00';
SELECT support.create_ticket('Mouse is dead', creator_id => 7, team_id => 2, assignee_id => 2) AS id;
SELECT support.add_comment(10, 'Feed it.', status => 'resolved', actor_id => 2) AS id;
SET support_ext.now = '2026-02-28 12:00:00+00';
SELECT support.create_ticket('Mouse is dead again', creator_id => 7, team_id => 2, assignee_id => 2) AS id;
SELECT support.add_comment(11, 'Bury it.', status => 'resolved', actor_id => 2) AS id;
SET support_ext.now = '2026-03-30 12:00:30+00';
INSERT INTO support.comments (ticket_id, author_id, content, via, created_at)
VALUES (11, 2, 'Rest in peace.', 'import', '2026-03-31 09:00+00');
-- Bob: one reply and one solution more. Hardware: one ticket and one solution more.
SELECT agent, replies_30d, solved_30d FROM support.report_agents;
SELECT team, created_30d, solved_30d FROM support.report_teams;

-- Now the days begin with the 28th of February: 31 of them, 26 on which nothing happened; nine tickets, four and two
-- solutions, one reopening, three tickets left.
CREATE TEMPORARY VIEW totals AS
SELECT
	count(*) AS days,
	count(*) FILTER (WHERE created + solved + reopened = 0) AS quiet_days,
	sum(created) AS created,
	sum(solved) AS solved,
	sum(reopened) AS reopened,
	(SELECT open_at_end FROM support.report_daily ORDER BY day DESC LIMIT 1) AS left_open
FROM support.report_daily;
SELECT * FROM totals;

-- To purge what was deleted changes no report but that of the bin.
CREATE TEMPORARY TABLE totals_before AS TABLE totals;
SELECT support.purge_deleted('1 day') AS purged;
SELECT * FROM support.deleted_tickets ORDER BY ticket_id;
SELECT count(*) AS same FROM (TABLE totals INTERSECT TABLE totals_before) AS t;
SELECT agent, replies_30d, solved_30d FROM support.report_agents;

-- A status, a priority, an agent or a team that is new appears, with nothing to do; who is deactivated does not.
INSERT INTO support.statuses (name, category, position) VALUES ('escalated', 'open', 25);
INSERT INTO support.priorities (name, rank) VALUES ('someday', 5);
SELECT support.create_user('zoe@desk.example', 'Zoe', 'agent') AS id;
SELECT support.create_team('Archive') AS id;
SELECT support.deactivate_user(1) AS moved;
SELECT status, category, tickets, percent FROM support.report_status;
SELECT priority, open FROM support.report_priority;
SELECT agent, open FROM support.report_agents;
SELECT team, open FROM support.report_teams;

-- A ticket that is marked by plain SQL, or comes back, leaves and enters every report.
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = 2;
SELECT status, tickets FROM support.report_status WHERE tickets > 0;
SELECT agent, open, waiting_on_agent, replies_30d, solved_30d FROM support.report_agents WHERE agent = 'Ann';
SELECT created, solved, reopened, left_open FROM totals;
SELECT support.restore_ticket(2) IS NOT NULL AS restored;
SELECT agent, open, waiting_on_agent, replies_30d, solved_30d FROM support.report_agents WHERE agent = 'Ann';
SELECT created, solved, reopened, left_open FROM totals;

-- A reply that is deleted is none.
SELECT support.delete_comment(11, 10, actor_id => 2);
SELECT agent, replies_30d FROM support.report_agents WHERE agent = 'Bob';

\c contrib_regression
DROP DATABASE regress_reports;
