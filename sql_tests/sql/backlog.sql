-- The unsolved tickets: which are in the backlog, what it says of them, and what puts it right.
CREATE DATABASE regress_backlog;
\c regress_backlog
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 08:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('bob@desk.example', 'Bob Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);
SELECT support.create_team('Printers') AS printers, support.create_team('Screens') AS screens \gset
CREATE VIEW backlog AS
SELECT ticket_id AS t, team_id AS team, assignee_id AS assignee, to_char(created_at, 'MM-DD HH24:MI') AS created,
	to_char(next_due_at, 'MM-DD HH24:MI') AS due, next_metric AS metric, breaches
FROM support.backlog ORDER BY ticket_id;

-- A ticket is in it while it is live and not solved. Tickets that come in solved, or deleted, never are.
INSERT INTO support.tickets (title, description, creator_id, status, created_at, deleted_at) VALUES
	('Printer on fire', '', 3, 'open', '2026-03-01 09:00+00', NULL),
	('Brought in', '', 3, 'closed', '2026-02-01 09:00+00', NULL),
	('Spam', '', 3, 'open', '2026-03-01 10:00+00', '2026-03-01 10:30+00');
SELECT * FROM backlog;
SELECT support.assign_ticket(1, 1, :printers) \g /dev/null
SELECT support.set_status(1, 'pending') \g /dev/null
SELECT support.set_status(2, 'open') \g /dev/null
UPDATE support.tickets SET deleted_at = NULL, created_at = '2026-03-01 11:00+00' WHERE id = 3;
SELECT * FROM backlog;
SELECT support.set_status(2, 'resolved') \g /dev/null
SELECT support.delete_ticket(3) \g /dev/null
DELETE FROM support.tickets WHERE id = 1;
SELECT * FROM backlog;

-- What comes back is in it again, as it was; so is what is undone.
SELECT support.restore_ticket(1) \g /dev/null
SELECT support.restore_ticket(3) \g /dev/null
SELECT support.undo(max(id)) FROM support.audit_log WHERE ticket_id = 2 \g /dev/null
SELECT * FROM backlog;

-- An id of a removed ticket that is used again, and rows that meet another.
DELETE FROM support.tickets WHERE id = 3;
INSERT INTO support.tickets (id, title, description, creator_id, status) VALUES (3, 'Another', '', 3, 'on_hold');
INSERT INTO support.tickets AS t (id, title, description, creator_id) VALUES (3, 'Once more', '', 3), (4, 'New', '', 3)
ON CONFLICT (id) DO UPDATE SET assignee_id = 2;
COPY support.tickets (id, title, description, creator_id, team_id) FROM stdin;
5	Copied		3	2
\.
SELECT * FROM backlog;

-- What is rolled back was never there, and one transaction changes a row as often as it likes.
BEGIN;
UPDATE support.tickets SET status = 'open' WHERE id = 3;
SAVEPOINT before;
UPDATE support.tickets SET status = 'resolved' WHERE id IN (3, 4);
ROLLBACK TO before;
UPDATE support.tickets SET team_id = 1 WHERE id = 3;
UPDATE support.tickets SET team_id = 2 WHERE id = 3;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
DELETE FROM support.tickets WHERE id = 5;
UPDATE support.tickets SET status = 'closed' WHERE id = 4;
SELECT t, team, assignee FROM backlog;
COMMIT;

-- A trigger of the application that changes, or removes, the row before the desk has seen it.
CREATE FUNCTION meddle()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE support.tickets SET title = 'Done', status = 'resolved', team_id = 1 WHERE id = NEW.id AND title = 'Solve';
	UPDATE support.tickets SET title = 'Moved', team_id = 2, status = 'in_progress' WHERE id = NEW.id AND title = 'Move';
	DELETE FROM support.tickets WHERE id = NEW.id AND title = 'Remove';
	RETURN NULL;
END
$$;
CREATE TRIGGER "A_first" AFTER INSERT OR UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION meddle();
INSERT INTO support.tickets (id, title, description, creator_id) VALUES
	(10, 'Solve', '', 3), (11, 'Move', '', 3), (12, 'Remove', '', 3), (13, 'Here', '', 3), (14, 'Here', '', 3), (15, 'Here', '', 3);
UPDATE support.tickets SET title = CASE id WHEN 13 THEN 'Solve' WHEN 14 THEN 'Move' ELSE 'Remove' END, status = 'pending'
WHERE id IN (13, 14, 15);
SELECT t, team, assignee FROM backlog WHERE t >= 10;
SELECT * FROM support_internal.backlog_flaws;
DROP TRIGGER "A_first" ON support.tickets;
DELETE FROM support.tickets WHERE id >= 10;

-- A status that means something else from now on takes its tickets along.
INSERT INTO support.statuses (name, category, position) VALUES ('parts', 'hold', 45);
UPDATE support.tickets SET status = 'parts' WHERE id IN (1, 3);
UPDATE support.statuses SET category = 'solved' WHERE name = 'parts';
SELECT t FROM backlog;
UPDATE support.statuses SET category = 'pending' WHERE name = 'parts';
SELECT t FROM backlog;
UPDATE support.tickets SET status = 'open' WHERE id IN (1, 3);

-- Without a policy nothing is due, and a reply writes nothing here.
SELECT ctid AS before FROM support.backlog WHERE ticket_id = 1 \gset
SELECT support.add_comment(1, 'Which one?') \g /dev/null
SELECT ctid = :'before' AS untouched FROM support.backlog WHERE ticket_id = 1;

-- With one, it says what is due next, of what runs, and what is broken.
SELECT support.create_sla_policy('standard', '[
	{"metric": "first_reply", "target": "1 hour"}, {"metric": "next_reply", "target": "2 hours"},
	{"metric": "resolution", "target": "8 hours", "pause": ["hold"]},
	{"metric": "requester_wait", "target": "8 hours"}]') \g /dev/null
INSERT INTO support.tickets (id, title, description, creator_id, created_at) VALUES (20, 'Promised', '', 3, support.desk_now());
SELECT * FROM backlog WHERE t = 20;
SET support_ext.now = '2026-03-02 08:30+00';
SELECT support.add_comment(20, 'Have you tried this?') \g /dev/null
-- of two that are due at the same instant the one that began first; what stands still is not due
SELECT * FROM backlog WHERE t = 20;
SELECT support.set_status(20, 'pending') \g /dev/null
SELECT * FROM backlog WHERE t = 20;
SELECT support.set_status(20, 'on_hold') \g /dev/null
SELECT * FROM backlog WHERE t = 20;
SELECT support.add_comment(20, 'It still burns', author_id => 3) \g /dev/null
SELECT * FROM backlog WHERE t = 20;

-- What is late is late at once, and stays the next one while it is owed; the tick notes it.
CREATE VIEW list AS
SELECT id, status, to_char(next_due_at, 'HH24:MI') AS due, next_metric AS metric, next_due_at < support.desk_now() AS late, breaches
FROM support.unsolved_tickets WHERE id >= 20 ORDER BY id;
SET support_ext.now = '2026-03-02 10:31+00';
SELECT * FROM list;
SELECT breaches FROM backlog WHERE t = 20;
SELECT support.sla_tick();
SELECT * FROM list;
SELECT breaches FROM backlog WHERE t = 20;
SELECT support.add_comment(20, 'Pull the plug') \g /dev/null
SELECT * FROM list;
-- two at once that nobody has announced
SET support_ext.now = '2026-03-02 16:31+00';
SELECT * FROM list;
SELECT support.set_status(20, 'resolved') \g /dev/null
SELECT * FROM list;
SELECT support.set_status(20, 'open') \g /dev/null
SELECT * FROM list;
SELECT metric, is_breached FROM support.sla_status WHERE ticket_id = 20 ORDER BY clock_id;

SELECT setval('support.tickets_id_seq', 100) \g /dev/null
-- Clocks turn without a change of the ticket: another target, another policy, none; tags.
SET support_ext.now = '2026-03-02 17:00+00';
SELECT support.create_ticket('Fresh', creator_id => 3) AS fresh \gset
SELECT due, metric FROM backlog WHERE t = :fresh;
SELECT support.update_sla_policy(1, targets => '[{"metric": "first_reply", "target": "3 hours"}]') \g /dev/null
SELECT due, metric FROM backlog WHERE t = :fresh;
SELECT support.sla_reapply(1) > 0 AS turned;
SELECT due, metric FROM backlog WHERE t = :fresh;
SELECT support.create_sla_policy('vip', '[{"metric": "first_reply", "target": "10 minutes"}]', '{"tags": "vip"}', at_position => 0) \g /dev/null
SELECT support.tag_ticket(:fresh, '{vip}') \g /dev/null
SELECT due, metric FROM backlog WHERE t = :fresh;
SELECT support.update_sla_policy(1, is_active => false), support.update_sla_policy(2, is_active => false) \g /dev/null
SELECT due, metric FROM backlog WHERE t = :fresh;
SELECT support.update_sla_policy(1, is_active => true) \g /dev/null

-- Whose they are: lists have no order of their own.
SELECT support.set_actor(2);
SELECT id, ticket_number, status, priority, title, requester, assignee, team, age, waiting, created_at, requester_id, assignee_id,
	team_id, organization_id
FROM support.my_tickets;
SELECT count(*) FROM support.unsolved_tickets WHERE assignee_id IS NULL;
SELECT support.set_actor(1);

-- Nobody but the desk writes it, and nobody empties it.
TRUNCATE support.backlog;
DELETE FROM support.backlog WHERE ticket_id = 1;
INSERT INTO support.backlog (ticket_id, created_at, breaches) VALUES (77, support.desk_now(), 0);
UPDATE support.backlog SET team_id = 2, breaches = 7 WHERE ticket_id = :fresh;
SELECT measure, dimension, value, counted, expected FROM support.verify_stats();
-- a change of the ticket mends its row, what is left install() does, or rebuild_stats()
UPDATE support.tickets SET team_id = 1 WHERE id = :fresh;
UPDATE support.tickets SET team_id = NULL WHERE id = 1;
SELECT * FROM support_internal.backlog_flaws ORDER BY ticket_id;
BEGIN;
SELECT support.install();
SELECT * FROM support_internal.backlog_flaws;
ROLLBACK;
\set VERBOSITY terse
SELECT support.rebuild_stats() > 0 AS counted;
\set VERBOSITY default
SELECT * FROM support.verify_stats();

-- Without triggers the desk does not see what changes; install() does, when it has made them again.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE support.tickets SET status = 'closed' WHERE id = 1;
INSERT INTO support.tickets (id, ticket_number, title, description, creator_id, status, created_at, updated_at)
VALUES (30, 'R-30', 'Replicated', '', 3, 'open', support.desk_now(), support.desk_now());
COMMIT;
SELECT * FROM support_internal.backlog_flaws ORDER BY ticket_id;
-- a row of a ticket that the backlog did not know of
UPDATE support.tickets SET assignee_id = 2 WHERE id = 30;
SELECT * FROM support_internal.backlog_flaws ORDER BY ticket_id;
SELECT support.install();
SELECT * FROM support_internal.backlog_flaws;

-- A column that was dropped comes back with its values, though it is never null: the rows follow from the tickets.
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER TABLE support.backlog DROP COLUMN breaches CASCADE;
ALTER TABLE support.search_words DROP COLUMN words CASCADE;
-- and who brings the desk forward hears what is switched off
ALTER TABLE support.tickets DISABLE TRIGGER support_before;
ALTER TABLE support.users DISABLE TRIGGER "A_support_after";
SELECT support.install();
SELECT * FROM support_internal.backlog_flaws;
SELECT * FROM support_internal.search_flaws;
SELECT count(*) > 0 AS listed FROM support.ticket_list;
ROLLBACK;

-- A table that takes rows by statements only comes out the same.
CREATE INDEX by_metric ON support.backlog (lower(next_metric));
SELECT support.create_ticket('By statements', creator_id => 3, team_id => :screens) AS slow \gset
SELECT team, due, metric FROM backlog WHERE t = :slow;
SELECT support.assign_ticket(:slow, 2) \g /dev/null
SET support_ext.now = '2026-03-02 20:00:00.000001+00';
SELECT support.sla_tick() \g /dev/null
SELECT team, assignee, due, metric, breaches FROM backlog WHERE t = :slow;
SELECT support.set_status(:slow, 'resolved') \g /dev/null
SELECT support.delete_ticket(30) \g /dev/null
SELECT count(*) FROM backlog WHERE t IN (:slow, 30);
SELECT * FROM support_internal.backlog_flaws;
DROP INDEX support.by_metric;

-- Lists find their rows by indexes.
CREATE FUNCTION plan(list text)
RETURNS SETOF text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || list;
END
$$;
SET session_replication_role = replica;
INSERT INTO support.backlog (ticket_id, team_id, assignee_id, created_at, next_due_at, breaches)
SELECT n, 1 + n % 2, 1 + n % 3, '2026-01-01'::timestamptz + n * '7 minutes'::interval,
	'2026-01-01'::timestamptz + n * 7919 % 10007 * '1 minute'::interval, 0
FROM generate_series(201, 3000) AS n;
RESET session_replication_role;
ANALYZE support.backlog;
SELECT l.filter, l.by, substring(p.line FROM 'ix_\w+') AS index
FROM
	(
		VALUES
			('true', 'next_due_at'), ('true', 'created_at'), ('team_id = 1', 'next_due_at'), ('assignee_id = 1', 'next_due_at'),
			('assignee_id = 1', 'created_at')
	) AS l (filter, by)
CROSS JOIN LATERAL plan(format('SELECT * FROM support.unsolved_tickets WHERE %s ORDER BY %I LIMIT 5', l.filter, l.by)) AS p (line)
WHERE p.line ~ 'ix_backlog';

\c contrib_regression
DROP DATABASE regress_backlog;
