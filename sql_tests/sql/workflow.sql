-- Statuses, transitions and what follows from them, on every road.
CREATE DATABASE regress_workflow;
\c regress_workflow
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);
CREATE VIEW times AS
SELECT id, status, to_char(solved_at, 'DD HH24:MI') AS solved,
	to_char(first_solved_at, 'DD HH24:MI') AS first_solved, reopen_count, to_char(pending_until, 'DD HH24:MI') AS pending_until,
	to_char(waiting_since, 'DD HH24:MI') AS waiting
FROM support.tickets;

-- What a fresh desk knows.
SELECT * FROM support.statuses ORDER BY position;
SELECT * FROM support.priorities ORDER BY rank;
SELECT * FROM support.status_transitions;

-- Solved, reopened, solved again, closed: the first time stays, the last one moves.
SELECT support.create_ticket('Printer', creator_id => 2);
SELECT * FROM times WHERE id = 1;
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.set_status(1, 'in_progress');
SELECT * FROM times WHERE id = 1;
SET support_ext.now = '2026-03-02 11:00+00';
SELECT support.set_status(1, 'resolved');
SELECT * FROM times WHERE id = 1;
SET support_ext.now = '2026-03-02 12:00+00';
SELECT support.set_status(1, 'open');
SELECT * FROM times WHERE id = 1;
SET support_ext.now = '2026-03-02 13:00+00';
SELECT support.set_status(1, 'resolved');
SELECT * FROM times WHERE id = 1;
-- From solved to closed and back to solved is neither a solve nor a reopening.
SET support_ext.now = '2026-03-02 14:00+00';
SELECT support.set_status(1, 'closed');
SELECT * FROM times WHERE id = 1;
SET support_ext.now = '2026-03-02 15:00+00';
SELECT support.set_status(1, 'resolved');
SELECT * FROM times WHERE id = 1;
-- Out of closed is one.
SELECT support.set_status(1, 'closed');
SET support_ext.now = '2026-03-02 16:00+00';
SELECT support.set_status(1, 'on_hold');
SELECT * FROM times WHERE id = 1;
-- Straight to closed is a solve.
SET support_ext.now = '2026-03-02 17:00+00';
SELECT support.set_status(1, 'closed');
SELECT * FROM times WHERE id = 1;

-- pending_until goes when the ticket leaves pending and hold, unless it is set in the same breath.
SELECT support.create_ticket('Waiting', creator_id => 2, status => 'pending');
UPDATE support.tickets SET pending_until = '2026-03-09 09:00+00' WHERE id = 2;
SELECT support.set_status(2, 'on_hold');
SELECT pending_until FROM times WHERE id = 2;
SELECT support.set_status(2, 'open');
SELECT pending_until FROM times WHERE id = 2;
UPDATE support.tickets SET pending_until = '2026-03-10 09:00+00', status = 'pending' WHERE id = 2;
SELECT support.update_ticket(2, '{"status": "in_progress", "pending_until": "2026-03-11 09:00+00"}');
SELECT pending_until FROM times WHERE id = 2;

-- Plain UPDATE: the same books, whatever the client sends with it.
SET support_ext.now = '2026-03-03 09:00+00';
UPDATE support.tickets SET status = 'resolved', solved_at = '2020-01-01', first_solved_at = '2020-01-01', reopen_count = 9
	WHERE id = 2;
SELECT * FROM times WHERE id = 2;
UPDATE support.tickets SET solved_at = NULL, first_solved_at = NULL, reopen_count = 9 WHERE id = 2;
SELECT * FROM times WHERE id = 2;
UPDATE support.tickets SET status = 'open' WHERE id = 2;
SELECT * FROM times WHERE id = 2;
UPDATE support.tickets SET status = 'opne' WHERE id = 2;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET status = 'resolved', priority = 'hihg' WHERE id = 2;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM times WHERE id = 2;

-- Plain INSERT: an import gives the times that it knows.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (110, 'Plain', '', 2);
INSERT INTO support.tickets (id, title, description, creator_id, status) VALUES (111, 'Plain and solved', '', 2, 'resolved');
INSERT INTO support.tickets (id, title, description, creator_id, status, created_at) VALUES
	(112, 'Old and closed', '', 2, 'closed', '2026-02-01 10:00+00');
INSERT INTO support.tickets (id, title, description, creator_id, status, created_at, solved_at, first_solved_at, reopen_count) VALUES
	(113, 'Old and reopened once', '', 2, 'resolved', '2026-02-01 10:00+00', '2026-02-03 10:00+00', '2026-02-02 10:00+00', 1);
INSERT INTO support.tickets (id, title, description, creator_id, solved_at) VALUES (114, 'Not solved', '', 2, '2026-02-03 10:00+00');
SELECT * FROM times WHERE id BETWEEN 110 AND 119 ORDER BY id;
INSERT INTO support.tickets (title, description, creator_id, status) VALUES ('x', '', 2, 'opne');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.tickets (title, description, creator_id, priority) VALUES ('x', '', 2, 'hihg');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.tickets (title, description, creator_id, assignee_id) VALUES ('x', '', 2, 2);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.tickets (title, description, creator_id, team_id) VALUES ('x', '', 2, 7);
\echo :LAST_ERROR_SQLSTATE

-- What a mapper left out and sends as NULL: the priority is not set, all else has its default.
INSERT INTO support.tickets (id, ticket_number, title, description, status, priority, creator_id, created_at, version, reopen_count)
VALUES (NULL, NULL, 'Mapped', '', NULL, NULL, 2, NULL, NULL, NULL)
RETURNING ticket_number ~ '^T-\d+$' AS has_number, status, priority, created_at, version, reopen_count;

-- COPY.
COPY support.tickets (id, title, description, creator_id, status, priority) FROM stdin;
120	Copied		2	resolved	high
121	Copied too		2	open	\N
\.
SELECT * FROM times WHERE id BETWEEN 120 AND 129 ORDER BY id;
COPY support.tickets (id, title, description, creator_id, status) FROM stdin;
122	Right		2	open
123	Wrong		2	opne
\.
COPY support.tickets (id, title, description, creator_id, priority) FROM stdin;
124	Right		2	low
125	Wrong		2	hihg
\.
SELECT count(*) FROM support.tickets WHERE id IN (122, 123, 124, 125);

-- MERGE.
MERGE INTO support.tickets AS t
USING (VALUES (120, 'open'), (130, 'resolved')) AS s (id, status) ON t.id = s.id
WHEN MATCHED THEN UPDATE SET status = s.status
WHEN NOT MATCHED THEN INSERT (id, title, description, creator_id, status) VALUES (s.id, 'Merged', '', 2, s.status);
SELECT * FROM times WHERE id IN (120, 130) ORDER BY id;
MERGE INTO support.tickets AS t
USING (VALUES (120, 'opne')) AS s (id, status) ON t.id = s.id
WHEN MATCHED THEN UPDATE SET status = s.status;
\echo :LAST_ERROR_SQLSTATE

-- INSERT … ON CONFLICT.
INSERT INTO support.tickets AS t (id, ticket_number, title, description, creator_id, status)
VALUES (131, 'X-31', 'Upserted', '', 2, 'open')
ON CONFLICT (ticket_number) DO UPDATE SET status = 'closed' RETURNING t.id, t.version;
INSERT INTO support.tickets AS t (id, ticket_number, title, description, creator_id, status)
VALUES (132, 'X-31', 'Upserted', '', 2, 'open')
ON CONFLICT (ticket_number) DO UPDATE SET status = 'closed' RETURNING t.id, t.version;
SELECT * FROM times WHERE id = 131;
SELECT count(*) FROM support.audit_log WHERE ticket_id IN (131, 132);

-- A status of one's own is there at once; its category says what it means.
INSERT INTO support.statuses (name, category, position) VALUES ('with_vendor', 'hold', 45), ('duplicate', 'closed', 70);
SELECT support.create_ticket('To the vendor', creator_id => 2, status => 'with_vendor', ticket_number => 'V-1');
SELECT id AS vendor FROM support.tickets WHERE ticket_number = 'V-1' \gset
SET support_ext.now = '2026-03-03 10:00+00';
SELECT support.set_status(:vendor, 'duplicate');
SELECT status, changed, solved, first_solved FROM times WHERE id = :vendor;
SELECT support.add_comment(:vendor, 'Really?', author_id => 2);
\echo :LAST_ERROR_SQLSTATE

-- It is gone at once as well, with the rollback or the DELETE that took it away.
BEGIN;
INSERT INTO support.statuses (name, category, position) VALUES ('fleeting', 'open', 90);
SELECT support.set_status(110, 'fleeting');
ROLLBACK;
SELECT support.set_status(110, 'fleeting');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.statuses (name, category, position) VALUES ('short', 'open', 90);
SELECT support.set_status(110, 'short');
SELECT support.set_status(110, 'open');
DELETE FROM support.statuses WHERE name = 'short';
SELECT support.set_status(110, 'short');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SAVEPOINT s;
INSERT INTO support.statuses (name, category, position) VALUES ('fleeting', 'open', 90);
SELECT support.set_status(110, 'fleeting');
ROLLBACK TO s;
SELECT support.set_status(110, 'fleeting');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- One in use stays.
DELETE FROM support.statuses WHERE name = 'duplicate';
\echo :LAST_ERROR_SQLSTATE

-- A renamed category is heeded by the next change.
UPDATE support.statuses SET category = 'solved' WHERE name = 'with_vendor';
SET support_ext.now = '2026-03-03 11:00+00';
SELECT support.set_status(110, 'with_vendor');
SELECT status, solved FROM times WHERE id = 110;
SELECT support.set_status(110, 'open');
UPDATE support.statuses SET category = 'hold' WHERE name = 'with_vendor';
UPDATE support.statuses SET category = 'asleep' WHERE name = 'with_vendor';
\echo :LAST_ERROR_SQLSTATE

-- The default status is the row that says so.
UPDATE support.statuses SET is_default = false WHERE name = 'open';
INSERT INTO support.statuses (name, category, position, is_default) VALUES ('new', 'new', 5, true);
SELECT support.create_ticket('New', creator_id => 2, ticket_number => 'N-1');
INSERT INTO support.tickets (ticket_number, title, description, creator_id) VALUES ('N-2', 'New', '', 2);
SELECT ticket_number, status FROM support.tickets WHERE ticket_number ~ '^N' ORDER BY 1;
UPDATE support.statuses SET is_default = true WHERE name = 'open';
\echo :LAST_ERROR_SQLSTATE

-- While status_transitions is empty every transition is allowed; from the first row on only those in it.
SELECT id FROM support.tickets WHERE ticket_number = 'N-1' \gset
SELECT support.set_status(:id, 'closed');
SELECT support.set_status(:id, 'new');
INSERT INTO support.status_transitions VALUES
	('new', 'open'), ('open', 'pending'), ('pending', 'open'), ('open', 'resolved'), ('resolved', 'closed');
SELECT support.set_status(:id, 'resolved');
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET status = 'resolved' WHERE id = :id;
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(:id, '{"title": "Solved?", "status": "resolved"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(:id, 'Solved, I hope', status => 'resolved');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.tickets (ticket_number, title, description, creator_id) VALUES ('N-1', 'New', '', 2)
ON CONFLICT (ticket_number) DO UPDATE SET status = 'resolved';
\echo :LAST_ERROR_SQLSTATE
MERGE INTO support.tickets AS t USING (VALUES (:id)) AS s (id) ON t.id = s.id
WHEN MATCHED THEN UPDATE SET status = 'resolved';
\echo :LAST_ERROR_SQLSTATE
SELECT title, status, version FROM support.tickets WHERE id = :id;
SELECT count(*) FROM support.comments WHERE ticket_id = :id;
SELECT support.set_status(:id, 'open');
SELECT support.set_status(:id, 'in_progress');
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_status(:id, 'resolved');
SELECT support.set_status(:id, 'closed');
SELECT support.set_status(:id, 'open');
\echo :LAST_ERROR_SQLSTATE
-- To stay is no transition, and a new ticket may begin anywhere.
SELECT support.set_status(:id, 'closed');
SELECT support.create_ticket('Starts on hold', creator_id => 2, status => 'on_hold', ticket_number => 'N-3');
-- An unknown status is told as such first.
SELECT support.set_status(:id, 'opne');
\echo :LAST_ERROR_SQLSTATE

-- A new row is heeded at once, a rolled back one is not, and an empty table allows all again.
BEGIN;
INSERT INTO support.status_transitions VALUES ('closed', 'open');
SELECT support.set_status(:id, 'open');
ROLLBACK;
SELECT support.set_status(:id, 'open');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.status_transitions;
SELECT support.set_status(:id, 'open');

-- So is a new priority.
SELECT support.set_priority(:id, 'asap');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.priorities (name, rank) VALUES ('asap', 50);
SELECT support.set_priority(:id, 'asap');
-- What is added up is a number.
UPDATE support.priorities SET weight = 'NaN' WHERE name = 'asap';
\echo :LAST_ERROR_SQLSTATE
UPDATE support.priorities SET weight = 'Infinity' WHERE name = 'asap';
\echo :LAST_ERROR_SQLSTATE
UPDATE support.priorities SET weight = -1 WHERE name = 'asap';
\echo :LAST_ERROR_SQLSTATE
UPDATE support.priorities SET weight = 0.5 WHERE name = 'asap';
DELETE FROM support.priorities WHERE name = 'asap';
\echo :LAST_ERROR_SQLSTATE

-- A ticket without a priority ranks as a normal one.
INSERT INTO support.tickets (id, ticket_number, title, description, creator_id, priority, status, created_at) VALUES
	(151, 'R-1', 'low', '', 2, 'low', 'in_progress', '2026-03-01 09:00+00'),
	(152, 'R-2', 'normal', '', 2, 'normal', 'in_progress', '2026-03-01 10:00+00'),
	(153, 'R-3', 'not set', '', 2, NULL, 'in_progress', '2026-03-01 09:30+00'),
	(154, 'R-4', 'high', '', 2, 'high', 'in_progress', '2026-03-01 11:00+00');
SELECT id, priority FROM support.ticket_list WHERE id > 150 AND status = 'in_progress' ORDER BY id;

-- What counts on has an end, and does not begin again there with a negative number.
-- Nobody may begin there: where it stands so, no trigger of ours was asked.
INSERT INTO support.tickets (id, title, description, creator_id, status) VALUES
	(161, 'Reopened', '', 2, 'resolved'),
	(162, 'Answered', '', 2, 'open'),
	(163, 'Changed', '', 2, 'open');
ALTER TABLE support.tickets DISABLE TRIGGER support_before;
UPDATE support.tickets SET reopen_count = 2147483647 WHERE id = 161;
UPDATE support.tickets SET reply_count = 2147483647 WHERE id = 162;
UPDATE support.tickets SET version = 9223372036854775807 WHERE id = 163;
ALTER TABLE support.tickets ENABLE TRIGGER support_before;
SELECT support.set_status(161, 'in_progress');
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET status = 'in_progress' WHERE id = 161;
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(162, 'One more.', author_id => 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (162, 1, 'One more.');
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET title = 'Changed again' WHERE id = 163;
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_priority(163, 'high');
\echo :LAST_ERROR_SQLSTATE
-- What does not count on goes on.
UPDATE support.tickets SET title = 'Reopened often' WHERE id = 161;
SELECT support.add_comment(162, 'And again.', author_id => 2) > 0 AS written;
UPDATE support.tickets SET title = 'Changed' WHERE id = 163;
SELECT id, title, status, reopen_count, reply_count, version FROM support.tickets WHERE id BETWEEN 161 AND 163 ORDER BY id;

-- An instant without an end tells no age, and a report would list days for ever.
INSERT INTO support.tickets (title, description, creator_id, created_at) VALUES ('Always', '', 2, '-infinity');
UPDATE support.tickets SET created_at = 'infinity' WHERE id = 151;
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (151, 2, 'For ever', 'infinity');
\echo :LAST_ERROR_SQLSTATE
SET support_ext.now = 'infinity';

-- What the desk did about all that is in the log.
SELECT action, table_name, old_value, new_value FROM support.audit_log
WHERE table_name = 'statuses' ORDER BY id;
SELECT action, count(*) FROM support.audit_log WHERE table_name = 'status_transitions' GROUP BY action ORDER BY action;

\c contrib_regression
DROP DATABASE regress_workflow;
