-- The report views over ranges and groups, on a small desk whose numbers were worked out by hand. The comments give what
-- must come out.
CREATE DATABASE regress_report_views;
\c regress_report_views
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-26 08:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

-- An empty desk.
SELECT * FROM support.report_backlog;
SELECT count(*) AS days, min(day), max(day), sum(created) AS created, sum(backlog) AS backlog
FROM support.report_backlog_history;
SELECT * FROM support.report_first_reply;
SELECT * FROM support.report_resolution;
SELECT * FROM support.report_unanswered;
SELECT * FROM support.report_aging;
SELECT * FROM support.report_time_in_status;
SELECT count(*) AS lines, sum(hours) AS hours, sum(created) AS created FROM support.report_heatmap;
SELECT * FROM support.report_channels;
SELECT * FROM support.report_organizations;
SELECT * FROM support.report_tags;
SELECT who, created, tickets, days FROM support.report_activity;

INSERT INTO support.organizations (name) VALUES ('Northwind'), ('Acme');
INSERT INTO support.teams (name) VALUES ('Hardware'), ('Billing');
INSERT INTO support.users (email, full_name, role)
VALUES
	('ann@desk.example', 'Ann', 'agent'),
	('bob@desk.example', 'Bob', 'team_lead'),
	('carl@northwind.example', 'Carl', 'customer'),
	('dora@acme.example', 'Dora', 'customer');

-- An old one: opened on the 1st of December by e-mail, answered after 2 days, solved after 10. Opened again on the 20th
-- of March, it waits.
SET support_ext.now = '2025-12-01 09:00+00';
SELECT support.create_ticket('Old printer', creator_id => 3, team_id => 1, assignee_id => 1, channel => 'email',
	organization_id => 1, tags => '{printer}') AS id;
SET support_ext.now = '2025-12-03 09:00+00';
SELECT support.add_comment(1, 'Which one?', author_id => 1, actor_id => 1) AS id;
SET support_ext.now = '2025-12-11 09:00+00';
SELECT support.set_status(1, 'resolved', actor_id => 1) AS version;
SET support_ext.now = '2026-03-20 09:00+00';
SELECT support.add_comment(1, 'It smokes again.', author_id => 3, actor_id => 3) AS id;

-- Tuesday the 24th: two come by the web. Ticket 2 is answered after 30 minutes and solved with that; ticket 3 is
-- answered after 2 hours, pending, and solved with a second reply after 6.
SET support_ext.now = '2026-03-24 10:00+00';
SELECT support.create_ticket('New screen', creator_id => 4, team_id => 1, channel => 'web', organization_id => 2,
	tags => '{screen,new}', priority => 'high') AS id;
SELECT support.create_ticket('Invoice', creator_id => 4, team_id => 2, assignee_id => 2, channel => 'web',
	organization_id => 2) AS id;
SET support_ext.now = '2026-03-24 10:30+00';
SELECT support.add_comment(2, 'It comes.', author_id => 1, status => 'resolved', actor_id => 1) AS id;
SET support_ext.now = '2026-03-24 12:00+00';
SELECT support.add_comment(3, 'Which number?', author_id => 2, status => 'pending', actor_id => 2) AS id;
SET support_ext.now = '2026-03-24 16:00+00';
SELECT support.add_comment(3, 'Done.', author_id => 2, status => 'resolved', actor_id => 2) AS id;

-- Nobody answered: ticket 4 of the 25th, 11:59:59, a day and a second ago; 5 of an hour ago, 6 of a second less; 7 is
-- spam and deleted; 8 was solved when it came.
SET support_ext.now = '2026-03-25 11:59:59+00';
SELECT support.create_ticket('No paper', creator_id => 3, team_id => 1, tags => '{printer}') AS id;
SET support_ext.now = '2026-03-26 11:00+00';
SELECT support.create_ticket('No ink', creator_id => 3, team_id => 1, assignee_id => 1, priority => NULL) AS id;
SET support_ext.now = '2026-03-26 11:00:01+00';
SELECT support.create_ticket('No light', creator_id => 4) AS id;
SELECT support.create_ticket('Spam', creator_id => 4, team_id => 1, tags => '{spam}') AS id;
SELECT support.delete_ticket(7, 'spam', actor_id => 1) AS version;
SELECT support.create_ticket('By telephone', creator_id => 3, team_id => 2, status => 'closed', channel => 'phone') AS id;

-- The reports are read an hour later.
SET support_ext.now = '2026-03-26 12:00:00+00';

-- Unsolved: 1 (Hardware, Ann, normal), 4 (Hardware, nobody, normal), 5 (Hardware, Ann, none which is normal), 6 (no
-- team, nobody, normal). Customers opened them, or wrote last: all wait.
SELECT * FROM support.report_backlog;

-- 90 days ago ticket 1 was solved. It is reopened on the 20th; on the 24th two come and go; 4 is left on the 25th, 5 and
-- 6 on the 26th, on which 8 comes too but never is in the backlog.
SELECT count(*) AS days, min(day), max(day) FROM support.report_backlog_history;
SELECT * FROM support.report_backlog_history WHERE day >= '2026-03-19';

-- First replies in the range: 2 (30 minutes) and 3 (2 hours). That to 1 was before. 4, 5 and 6 have none.
SELECT * FROM support.report_first_reply;

-- Solved now: 2 (30 minutes, one reply), 3 (6 hours, two) and 8 (at once, none). 1 was solved before the range and is
-- open again.
SELECT * FROM support.report_resolution;

-- Ticket 4 is older than a day by a second; 5 is an hour old and 6 a second less: both are of the last hour.
SELECT * FROM support.report_unanswered;

-- The same by days: 4 is older than one. Ticket 1 is older than 90.
SELECT * FROM support.report_aging;

-- From the 27th of December on: ticket 1 is resolved until the 20th of March, 09:00 (2001 hours), then open (147). 2 is
-- open for 0.5 hours, 3 for 2, 4 for 24.0, 5 for 1.0, 6 for 1.0: 175.5 in all. 3 is pending for 4 hours. Resolved are 2
-- for 49.5 hours and 3 for 44; 8 is closed for 1.
SELECT * FROM support.report_time_in_status;

-- Tuesday the 24th at 10: two come and Ann replies. The range has 13 Tuesdays; Thursday the 26th is the 13th, and
-- of its hours those up to 11 have begun.
SELECT * FROM support.report_heatmap WHERE created + replies + customer_comments + solved > 0;
SELECT weekday, hour, hours FROM support.report_heatmap WHERE (weekday, hour) IN ((2, 10), (4, 11), (4, 12));
-- In Berlin the clock is put forward on the 29th of March, at 2: the Sunday's third hour is missing once.
BEGIN;
SET LOCAL support_ext.now = '2026-03-31 12:00+00';
SET LOCAL TimeZone = 'Europe/Berlin';
SELECT weekday, hour, hours FROM support.report_heatmap WHERE weekday = 7 AND hour BETWEEN 1 AND 3;
SELECT sum(hours) FROM support.report_heatmap;
SET LOCAL TimeZone = 'Asia/Kathmandu';
SELECT * FROM support.report_heatmap WHERE created > 0;
-- On Lord Howe half an hour is repeated on the 5th of April.
SET LOCAL support_ext.now = '2026-04-06 12:00+00';
SET LOCAL TimeZone = 'Australia/Lord_Howe';
SELECT weekday, hour, hours FROM support.report_heatmap WHERE weekday = 7 AND hour BETWEEN 0 AND 3;
COMMIT;

-- By the web two came and were solved; 4, 5 and 6 have no channel; 1 came by e-mail before the range and is open.
SELECT * FROM support.report_channels;
SELECT * FROM support.report_organizations;

-- In the range came 2 (screen, new) and 4 (printer). Ticket 1 has printer too. Spam is deleted.
SELECT * FROM support.report_tags;

-- Who acted, as the log tells.
SELECT who, created, changed, deleted, events, tickets, days, last_at FROM support.report_activity;

-- A ticket's past moves with it to another team.
SELECT support.assign_ticket(2, 2, 2, actor_id => 1) AS version;
SELECT team, n, average, unanswered FROM support.report_first_reply;
SELECT team, n, average, one_touch FROM support.report_resolution;

-- Of more than 50 groups the rest is one line. Here come 60 teams, each with one ticket more than the one before: the
-- first ten have 55, with which go the three of Hardware and that of no team.
INSERT INTO support.teams (name) SELECT 'Team ' || i FROM generate_series(1, 60) AS i;
INSERT INTO support.tickets (title, description, creator_id, team_id, created_at)
SELECT 'Many', '', 3, 2 + i, '2026-03-26 00:00+00'::timestamptz + i * '1 minute'::interval
FROM generate_series(1, 60) AS i
CROSS JOIN LATERAL generate_series(1, i);
SELECT value, open, oldest
FROM support.report_backlog
WHERE dimension = 'team' AND (value = ANY (ARRAY['Team 60', 'Team 12', 'Team 10', '(others)']));
SELECT team, unanswered, up_to_24h, oldest
FROM support.report_unanswered
WHERE team = ANY (ARRAY['(all)', 'Team 60', '(others)']);
SELECT
	(SELECT count(*) FROM support.report_backlog WHERE dimension = 'team') AS backlog,
	(SELECT count(*) FROM support.report_unanswered) AS unanswered,
	(SELECT count(*) FROM support.report_first_reply) AS first_reply;

-- A status that is gone but was used comes last.
INSERT INTO support.statuses (name, category, position) VALUES ('parts', 'hold', 45);
SELECT support.set_status(4, 'parts', actor_id => 1) AS version;
SET support_ext.now = '2026-03-26 14:00:00+00';
SELECT support.set_status(4, 'open', actor_id => 1) AS version;
DELETE FROM support.statuses WHERE name = 'parts';
SET support_ext.now = '2026-03-26 15:00:00+00';
SELECT status, entries, hours, average FROM support.report_time_in_status WHERE entries < 10;

\c contrib_regression
DROP DATABASE regress_report_views;
