-- What the triggers count is what the tables and the log tell, whatever road a change comes.
CREATE DATABASE regress_stats;
\c regress_stats
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (email, full_name, role, organization_id) VALUES
	('ann@desk.example', 'Ann Agent', 'agent', NULL),
	('bob@desk.example', 'Bob Bell', 'agent', NULL),
	('carl@corp.example', 'Carl Customer', 'customer', 1);
SELECT support.create_team('Printers'), support.create_team('Networks');
INSERT INTO support.tags (name) VALUES ('fire'), ('water');
SELECT support.set_actor(1);

-- What measures come to by dimensions: - all, t team, a assignee, p priority, c channel, o organization, g tag, u who did it.
CREATE FUNCTION counts(measures text[], dimensions text) RETURNS TABLE (measure text, dimension text, value text, n bigint)
LANGUAGE sql AS
$$
	SELECT m.name, d.name, t.value, t.n
	FROM unnest(measures) AS m (name), regexp_split_to_table(dimensions, '') AS d (name),
		support_internal.stat_totals(m.name, d.name) AS t
	ORDER BY m.name COLLATE "C", d.name COLLATE "C", t.value
$$;

-- A ticket's way from its creation to its second solution.
SELECT support.create_ticket('Printer on fire', 'It smokes', 3, 'high', '{fire}', team_id => 1, organization_id => 1) AS ticket_id \gset
SELECT * FROM counts('{open,waiting,unanswered}', '-tap');
SELECT * FROM counts('{unassigned,tickets}', '-co');
SELECT * FROM counts('{status_stock,entered,status_flow}', 's');
SELECT * FROM counts('{open,tickets}', 'g');
SET support_ext.now = '2026-03-02 09:20+00';
SELECT support.add_comment(:ticket_id, 'Which one?', author_id => 1);
SELECT * FROM counts('{reply,customer_comment,first_reply,unanswered,waiting}', '-');
SELECT support.assign_ticket(:ticket_id, 2);
SELECT * FROM counts('{open}', '-a');
SELECT * FROM counts('{unassigned}', '-');
SELECT * FROM support.verify_stats();
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.set_status(:ticket_id, 'resolved');
SELECT * FROM counts('{solved,one_touch,resolved_again,open}', '-a');
SELECT * FROM counts('{resolution,full_resolution}', '-t');
SELECT * FROM counts('{solved}', 'u');
SELECT * FROM support.verify_stats();
SET support_ext.now = '2026-03-03 10:00+00';
SELECT support.add_comment(:ticket_id, 'It smokes again', author_id => 3);
SELECT * FROM counts('{reopened,full_resolution,resolution,customer_comment}', '-');
SELECT * FROM support.verify_stats();
SET support_ext.now = '2026-03-03 11:00+00';
SELECT support.set_status(:ticket_id, 'resolved');
SELECT * FROM counts('{solved,resolved_again,reopened_tickets,tickets}', '-t');
SELECT * FROM support.verify_stats();

-- It goes to another team: so does its past.
UPDATE support.tickets SET team_id = 2, channel = 'phone', priority = NULL, organization_id = NULL WHERE id = :ticket_id;
SELECT * FROM counts('{solved,resolved_again,reopened}', 'tpco');
SELECT * FROM support.verify_stats();

-- It was opened earlier than was thought, and has other tags.
UPDATE support.tickets SET created_at = '2026-02-27 08:00+00' WHERE id = :ticket_id;
SELECT support.tag_ticket(:ticket_id, '{water}'), support.untag_ticket(:ticket_id, '{fire}');
SELECT * FROM support.verify_stats();
UPDATE support.ticket_tags SET tag_id = 1 WHERE ticket_id = :ticket_id;
INSERT INTO support.ticket_tags VALUES (:ticket_id, 2) ON CONFLICT DO NOTHING;
DELETE FROM support.ticket_tags WHERE tag_id = 1;
SELECT * FROM support.verify_stats();

-- Deleted, it counts for nothing, and what happens to it meanwhile counts when it is back.
SELECT support.delete_ticket(:ticket_id);
SELECT * FROM counts('{tickets,solved,reply,customer_comment}', '-');
SELECT * FROM counts('{entered,status_flow,status_stock}', 's');
UPDATE support.tickets SET status = 'open', team_id = 1 WHERE id = :ticket_id;
UPDATE support.comments SET created_at = created_at - interval '1 hour', author_id = 2 WHERE author_id = 1;
DELETE FROM support.comments WHERE author_id = 3;
INSERT INTO support.ticket_tags VALUES (:ticket_id, 1);
SELECT * FROM support.verify_stats();
SELECT support.restore_ticket(:ticket_id);
SELECT * FROM counts('{tickets,solved,reopened,reply}', '-');
SELECT * FROM counts('{solved,reopened,reply}', 'u');
SELECT * FROM support.verify_stats();

-- It is removed, and comes back with all that it had.
DELETE FROM support.tickets WHERE id = :ticket_id;
SELECT * FROM counts('{tickets,open,solved,reply,resolution}', '-');
SELECT * FROM support.verify_stats();
SELECT support.restore_ticket(:ticket_id);
SELECT * FROM support.verify_stats();

-- Comments: late, edited, private, deleted, brought back.
SELECT support.add_comment(:ticket_id, 'On which floor?', author_id => 1) AS comment_id \gset
INSERT INTO support.comments (ticket_id, content, author_id, created_at) VALUES
	(:ticket_id, 'It smokes', 3, '2026-03-01 10:00+00'), (:ticket_id, 'Where?', 2, '2026-03-01 11:00+00');
INSERT INTO support.comments (ticket_id, content, author_id, via) VALUES (:ticket_id, 'We got it', 1, 'auto');
UPDATE support.comments SET content = 'On which floor then?' WHERE id = :comment_id;
SELECT * FROM support.verify_stats();
UPDATE support.comments SET is_private = true WHERE id = :comment_id;
SELECT * FROM support.verify_stats();
UPDATE support.comments SET is_private = false, author_id = 2 WHERE id = :comment_id;
SELECT * FROM support.verify_stats();
UPDATE support.comments SET author_id = 1 WHERE id = :comment_id;
SELECT * FROM support.verify_stats();
SELECT support.delete_comment(:ticket_id, :comment_id);
SELECT * FROM support.verify_stats();
SELECT support.restore_comment(:ticket_id, :comment_id);
SELECT * FROM support.verify_stats();
DELETE FROM support.comments WHERE id = :comment_id;
SELECT * FROM support.verify_stats();
SELECT support.restore_comment(:ticket_id, :comment_id);
SELECT * FROM support.verify_stats();

-- Many rows by one statement, of COPY, MERGE and ON CONFLICT; with statements that change several tables.
COPY support.tickets (id, title, description, creator_id, status, created_at, team_id) FROM stdin;
101	A	a	3	open	2026-02-01 08:00+00	1
102	B	b	3	resolved	2026-02-02 08:00+00	2
103	C	c	1	pending	2026-02-03 08:00+00	\N
\.
UPDATE support.tickets SET status = CASE status WHEN 'open' THEN 'closed' WHEN 'resolved' THEN 'open' ELSE 'on_hold' END,
	assignee_id = 1, team_id = 3 - team_id;
SELECT * FROM support.verify_stats();
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (101, 'A', 'a', 3), (104, 'D', 'd', 3)
	ON CONFLICT (id) DO UPDATE SET status = 'in_progress', priority = 'urgent';
MERGE INTO support.tickets AS t USING (VALUES (102, 'resolved'), (103, NULL), (105, 'open')) AS v (id, status) ON t.id = v.id
	WHEN MATCHED AND v.status IS NULL THEN DELETE
	WHEN MATCHED THEN UPDATE SET status = v.status, deleted_at = NULL
	WHEN NOT MATCHED THEN INSERT (id, title, description, creator_id) VALUES (v.id, 'E', 'e', 3);
SELECT * FROM support.verify_stats();
WITH ticket AS (INSERT INTO support.tickets (id, title, description, creator_id) VALUES (106, 'F', 'f', 3) RETURNING id),
	reply AS (INSERT INTO support.comments (ticket_id, content, author_id) SELECT id, 'Yes', 1 FROM ticket)
INSERT INTO support.ticket_tags SELECT id, 1 FROM ticket;
SELECT * FROM support.verify_stats();
WITH gone AS (UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = 106),
	less AS (DELETE FROM support.comments WHERE ticket_id = 106)
DELETE FROM support.ticket_tags WHERE ticket_id = 106;
SELECT * FROM support.verify_stats();
WITH more AS (INSERT INTO support.ticket_tags VALUES (106, 2)),
	back AS (UPDATE support.tickets SET deleted_at = NULL, status = 'resolved' WHERE id = 106)
INSERT INTO support.comments (ticket_id, content, author_id) VALUES (106, 'Done', 1);
SELECT * FROM support.verify_stats();

-- What is rolled back is not counted.
BEGIN;
SAVEPOINT a;
UPDATE support.tickets SET status = 'closed', team_id = 2;
ROLLBACK TO a;
UPDATE support.tickets SET priority = 'low' WHERE id = 106;
SAVEPOINT b;
UPDATE support.tickets SET priority = 'high' WHERE id = 106;
RELEASE b;
COMMIT;
SELECT * FROM support.verify_stats();
BEGIN;
DELETE FROM support.tickets;
SELECT * FROM support.verify_stats();
ROLLBACK;
SELECT * FROM support.verify_stats();

-- undo() takes a solve back, and the ticket goes to another team after it.
SELECT support.set_status(105, 'resolved');
SELECT support.undo(max(id)) IS NOT NULL AS undone FROM support.audit_log WHERE ticket_id = 105;
SELECT first_solved_at, reopen_count FROM support.tickets WHERE id = 105;
SELECT * FROM support_internal.stat_hidden_solves;
SELECT * FROM support.verify_stats();
UPDATE support.tickets SET team_id = 2, assignee_id = 2 WHERE id = 105;
SELECT * FROM counts('{solved}', 't');
SELECT * FROM support.verify_stats();
SELECT support.set_status(105, 'closed');
SELECT * FROM support.verify_stats();
DELETE FROM support.tickets WHERE id = 105;
SELECT support.undo(id) IS NOT NULL AS undone FROM support.audit_log WHERE ticket_id = 105 AND action = 'DELETE';
SELECT * FROM support.verify_stats();
SET support_ext.now = '2026-03-04 10:00+00';
UPDATE support.tickets SET status = 'in_progress', team_id = 1 WHERE id IN (102, 105);
DELETE FROM support.comments WHERE ticket_id = 106;
SELECT count(*) FROM support.undo_since(1, '2026-03-04 10:00+00', false);
SELECT * FROM support.verify_stats();

-- The id of a removed ticket is used again: the log has its former life.
DELETE FROM support.tickets WHERE id IN (101, 102);
INSERT INTO support.tickets (id, title, description, creator_id, status, team_id) VALUES (101, 'A', 'a', 3, 'pending', 1), (102, 'B', 'b', 3, 'open', 2);
SELECT * FROM support.verify_stats();
-- Its status has changed from what it was, so what has flown into the statuses is what they hold.
SELECT ticket_id, action, old_value ->> 'status' AS old, new_value ->> 'status' AS new
FROM support.audit_log
WHERE ticket_id IN (101, 102) AND table_name = 'tickets' AND id > (SELECT max(id) FROM support.audit_log WHERE action = 'DELETE')
ORDER BY id;
SELECT
	(SELECT n FROM support.report('backlog', '2026-01-01 00:00+00', '2027-01-01 00:00+00')) AS by_counters,
	(SELECT sum(n) FROM support.report('backlog', '2026-01-01 00:00+00', '2027-01-01 00:00+00', group_by => 'team')) AS by_rows,
	(SELECT backlog FROM support.report_backlog_history ORDER BY day DESC LIMIT 1) AS by_history,
	(SELECT sum(tickets) FROM support.report_status WHERE category NOT IN ('solved', 'closed')) AS now;
UPDATE support.tickets SET team_id = 3 - team_id WHERE id IN (101, 102);
UPDATE support.tickets SET status = 'resolved' WHERE id = 101;
SELECT * FROM support.verify_stats();
DELETE FROM support.tickets WHERE id = 101;
SELECT support.restore_ticket(101);
SELECT * FROM support.verify_stats();

-- A purge takes nothing away that was counted.
SELECT support.delete_ticket(104);
DELETE FROM support.tickets WHERE id = 106;
SELECT support.purge_deleted('0 s', 100);
SELECT * FROM support.verify_stats();

-- Triggers of an application: the row changes again before our trigger has seen the first change.
CREATE FUNCTION escalate() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE support.tickets SET team_id = 2, status = 'in_progress', priority = 'urgent' WHERE id = NEW.id AND status = 'open';
	RETURN NULL;
END
$$;
CREATE TRIGGER "A_escalate" AFTER INSERT OR UPDATE ON support.tickets
	FOR EACH ROW WHEN (NEW.status = 'open') EXECUTE FUNCTION escalate();
INSERT INTO support.tickets (id, title, description, creator_id, team_id) VALUES (107, 'G', 'g', 3, 1);
SELECT * FROM support.verify_stats();
SELECT support.set_status(107, 'resolved');
UPDATE support.tickets SET status = 'open', team_id = 1, created_at = created_at - interval '1 day' WHERE id = 107;
SELECT status, team_id FROM support.tickets WHERE id = 107;
SELECT * FROM support.verify_stats();
CREATE OR REPLACE FUNCTION escalate() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = NEW.id AND deleted_at IS NULL;
	RETURN NULL;
END
$$;
SELECT support.set_status(107, 'open');
SELECT * FROM support.verify_stats();
DROP TRIGGER "A_escalate" ON support.tickets;
SELECT support.restore_ticket(107);
SELECT * FROM support.verify_stats();

-- Statuses: a new meaning changes the past.
SELECT * FROM counts('{solved,open}', '-');
UPDATE support.statuses SET category = 'solved' WHERE name IN ('pending', 'on_hold');
SELECT * FROM counts('{solved,open}', '-');
SELECT * FROM support.verify_stats();
UPDATE support.tickets SET team_id = 2;
SELECT support.set_status(107, 'pending');
UPDATE support.statuses SET category = 'open' WHERE name = 'resolved';
SELECT * FROM support.verify_stats();
UPDATE support.tickets SET team_id = 1;
SELECT support.set_status(107, 'resolved');
SELECT * FROM support.verify_stats();
INSERT INTO support.statuses VALUES ('done', 'solved', 70), ('unused', 'closed', 80);
SELECT support.set_status(107, 'done');
SELECT support.set_status(107, 'open');
DELETE FROM support.statuses WHERE name IN ('done', 'unused');
SELECT * FROM support.verify_stats();
INSERT INTO support.statuses VALUES ('done', 'open', 70);
UPDATE support.statuses SET category = 'closed' WHERE name = 'done';
UPDATE support.statuses SET name = 'settled' WHERE name = 'done';
SELECT * FROM support.verify_stats();

-- A table that takes no rows directly: an index, a trigger.
CREATE INDEX mine ON support_internal.stat_deltas ((weight + 1)) WHERE weight > 0;
UPDATE support.tickets SET status = 'closed' WHERE id = 107;
DROP INDEX support_internal.mine;
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT ON support_internal.stat_deltas FOR EACH ROW EXECUTE FUNCTION watch();
UPDATE support.tickets SET status = 'open' WHERE id = 107;
DROP TRIGGER watch ON support_internal.stat_deltas;
SELECT * FROM support.verify_stats();

-- Changes that no trigger saw are found, and counting anew puts them right.
SET session_replication_role = replica;
UPDATE support.tickets SET status = 'on_hold', team_id = 2 WHERE id = 107;
DELETE FROM support.comments;
RESET session_replication_role;
SELECT measure, dimension, value, counted, expected FROM support.verify_stats() WHERE measure IN ('status_stock', 'reply');
SELECT support.rebuild_stats() > 0 AS rebuilt;
SELECT * FROM support.verify_stats();

-- The extension goes, rows change, it comes back: install() counts anew.
SET client_min_messages = warning;
DROP EXTENSION support_ext CASCADE;
RESET client_min_messages;
UPDATE support.tickets SET status = 'open', team_id = 1 WHERE id = 107;
CREATE EXTENSION support_ext;
SELECT support.set_actor(1);
SELECT * FROM support.verify_stats();
SELECT support.install();

-- In a transaction that keeps to its first snapshot.
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE support.tickets SET status = 'resolved', team_id = 1 WHERE id = 107;
UPDATE support.statuses SET category = 'solved' WHERE name = 'resolved';
UPDATE support.tickets SET status = 'open' WHERE id = 107;
SELECT * FROM support.verify_stats();
COMMIT;
SELECT * FROM support.verify_stats();

-- Measures have names, and a bit each.
SELECT support_internal.measure_bits('status_stock') AS first, support_internal.measure_bits('open', 'status_stock') AS two,
	support_internal.measure_bits(VARIADIC '{}') AS none, support_internal.measure_bits(VARIADIC NULL) AS unknown;
SELECT count(DISTINCT d.measure) AS measures, bit_count(support_internal.measure_bits(VARIADIC array_agg(d.measure))::bit(32)) AS bits,
	string_agg(DISTINCT d.dimension, '' ORDER BY d.dimension) AS dimensions
FROM support_internal.stat_dimensions() AS d;
SELECT support_internal.measure_bits('open', 'opne');
\echo :LAST_ERROR_SQLSTATE
SELECT support_internal.measure_bits('open', NULL);
\echo :LAST_ERROR_SQLSTATE

-- The tables have no key, and yet a publication may take them in with all others.
SET client_min_messages = error;
CREATE PUBLICATION regress_stats FOR ALL TABLES;
SELECT support.rebuild_stats() > 0 AS rebuilt;
DROP PUBLICATION regress_stats;
RESET client_min_messages;

-- Who may.
CREATE ROLE regress_stats_clerk;
GRANT USAGE ON SCHEMA support TO regress_stats_clerk;
GRANT EXECUTE ON FUNCTION support.verify_stats(), support.rebuild_stats(bigint) TO regress_stats_clerk;
SET ROLE regress_stats_clerk;
SELECT support.rebuild_stats(NULL);
SELECT * FROM support.verify_stats();
RESET ROLE;
BEGIN READ ONLY;
SELECT support.rebuild_stats();
ROLLBACK;
DROP OWNED BY regress_stats_clerk;
DROP ROLE regress_stats_clerk;

\c contrib_regression
DROP DATABASE regress_stats;
