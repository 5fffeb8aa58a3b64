-- History of another system: entries that are brought into the log have their own time, wherever they stand.
CREATE DATABASE regress_import;
\c regress_import
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set seed 1
\getenv seed SUPPORT_EXT_TEST_SEED

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);

-- Brings in what a ticket went through, a status after the other.
CREATE FUNCTION bring_in(ticket_id bigint, VARIADIC changes text[]) RETURNS void
LANGUAGE sql
AS $$
	INSERT INTO support.audit_log (occurred_at, action, table_name, record_id, ticket_id, old_value, new_value)
	SELECT split_part(c.change, ' ', 1)::timestamptz, 'UPDATE', 'tickets', ticket_id, ticket_id,
		jsonb_build_object('status', split_part(c.change, ' ', 2)), jsonb_build_object('status', split_part(c.change, ' ', 3))
	FROM unnest(changes) WITH ORDINALITY AS c (change, place)
	ORDER BY c.place
$$;

-- A ticket that came in solved is counted by its past, and then changes: it was opened in the status that its first entry left.
INSERT INTO support.tickets (title, description, status, creator_id, created_at, solved_at)
SELECT 'Solved ' || n, '', 'closed', 2, '2026-01-01 09:00+00', '2026-01-03 09:00+00' FROM generate_series(1, 4) AS n;
SELECT bring_in(t.id, '2026-01-03T09:00Z open closed') FROM support.tickets AS t ORDER BY t.id;
SELECT support.rebuild_stats() > 0 AS counted;
SET support_ext.now = '2026-03-02 10:00+00';
UPDATE support.tickets SET status = 'open';
SELECT * FROM support.verify_stats();
SELECT support.rebuild_stats() > 0 AS counted;
SELECT * FROM support.report_daily WHERE created > 0 OR solved > 0 OR reopened > 0;

-- When a ticket was solved that came in solved is not known unless it says so. It waits for nobody, whatever comments
-- come and go, and is told apart until somebody finds out.
INSERT INTO support.tickets (title, description, status, creator_id, created_at)
VALUES ('Solved once', '', 'closed', 2, '2026-01-01 09:00+00')
RETURNING id AS ticket_id, solved_at, first_solved_at, waiting_since;
SELECT max(id) AS ticket_id FROM support.tickets \gset
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via) VALUES
	(:ticket_id, 1, 'Done.', '2026-01-02 09:00+00', 'import'),
	(:ticket_id, 2, 'Thanks.', '2026-01-03 09:00+00', 'import');
DELETE FROM support.comments WHERE ticket_id = :ticket_id AND author_id = 1;
SELECT status, waiting_since, solved_at FROM support.tickets WHERE id = :ticket_id;
SELECT team, n, undated FROM support.report_resolution;
UPDATE support.tickets SET solved_at = '2026-01-02 09:00+00' WHERE id = :ticket_id RETURNING solved_at, first_solved_at, version;
-- what is known stays
UPDATE support.tickets SET solved_at = '2026-01-04 09:00+00' WHERE id = :ticket_id RETURNING solved_at, version;
UPDATE support.tickets SET solved_at = '2026-01-04 09:00+00' WHERE status = 'open' RETURNING solved_at;
SELECT team, n, average, undated FROM support.report_resolution;
SELECT * FROM support.verify_stats();
-- one that is opened solved at this moment is solved at this moment
SELECT support.create_ticket('By phone', creator_id => 2, status => 'resolved') AS ticket_id \gset
SELECT solved_at = support.desk_now() AS solved_now FROM support.tickets WHERE id = :ticket_id;

-- A reply that an import tells of, without its text, stays when other comments go.
INSERT INTO support.tickets (title, description, creator_id, created_at, first_replied_at, last_agent_at)
VALUES ('Answered by phone', '', 2, '2026-01-01 09:00+00', '2026-01-01 10:00+00', '2026-01-01 10:00+00');
SELECT max(id) AS ticket_id FROM support.tickets \gset
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via) VALUES
	(:ticket_id, 2, 'Still broken.', '2026-01-02 09:00+00', 'import'),
	(:ticket_id, 1, 'A part comes.', '2026-01-03 09:00+00', 'import'),
	(:ticket_id, 1, 'It came.', '2026-01-04 09:00+00', 'import');
SELECT first_replied_at, last_agent_at, reply_count, waiting_since FROM support.tickets WHERE id = :ticket_id;
DELETE FROM support.comments WHERE ticket_id = :ticket_id AND content = 'A part comes.';
SELECT first_replied_at, last_agent_at, reply_count, waiting_since FROM support.tickets WHERE id = :ticket_id;
DELETE FROM support.comments WHERE ticket_id = :ticket_id AND content = 'It came.';
SELECT first_replied_at, last_agent_at, reply_count, waiting_since FROM support.tickets WHERE id = :ticket_id;
-- one whose comment is there goes with it
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
VALUES (:ticket_id, 1, 'On the line', '2026-01-01 10:00+00', 'import')
RETURNING id AS comment_id \gset
SELECT support.delete_comment(:ticket_id, :comment_id);
SELECT first_replied_at, last_agent_at, reply_count, waiting_since FROM support.tickets WHERE id = :ticket_id;
SELECT support.restore_comment(:ticket_id, :comment_id);
SELECT first_replied_at, last_agent_at, reply_count, waiting_since FROM support.tickets WHERE id = :ticket_id;

-- Who wrote the description is told by the role he had: a customer who joins the desk waited as one.
INSERT INTO support.users (email, full_name) VALUES ('dora@corp.example', 'Dora Customer') RETURNING id AS dora \gset
INSERT INTO support.tickets (title, description, creator_id, requester_id, creator_role, created_at) VALUES
	('Opened by herself', '', :dora, NULL, NULL, '2026-01-01 09:00+00'),
	('Opened for Carl', '', 1, 2, NULL, '2026-01-01 09:00+00'),
	('Opened for Carl, as a customer', '', 1, 2, 'customer', '2026-01-01 09:00+00');
UPDATE support.tickets SET status = 'closed' WHERE creator_id = :dora;
UPDATE support.users SET role = 'agent' WHERE id = :dora;
UPDATE support.tickets SET status = 'open', creator_role = 'agent' WHERE creator_id = :dora;
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
SELECT t.id, 1, 'Looking.', '2026-01-02 09:00+00', 'import' FROM support.tickets AS t WHERE t.title ~ '^Opened';
DELETE FROM support.comments WHERE content = 'Looking.';
SELECT title, creator_role, last_customer_at FROM support.tickets WHERE title ~ '^Opened' ORDER BY id;
INSERT INTO support.tickets (title, description, creator_id, creator_role) VALUES ('Opened by nobody', '', 2, 'boss');

-- What a column does not take is refused with what it takes.
INSERT INTO support.comments (ticket_id, author_id, content, via) VALUES (1, 1, 'Faxed', 'fax');
INSERT INTO support.comments (ticket_id, author_id, content, author_role) VALUES (1, 1, 'Hello', 'boss');
\echo :SQLSTATE
INSERT INTO support.users (email, full_name, role) VALUES ('eve@corp.example', 'Eve', 'boss');
UPDATE support.users SET role = 'boss' WHERE id = 1;
INSERT INTO support.tickets (title, description, creator_id, custom) VALUES ('Listed', '', 2, '[1]');
INSERT INTO support.statuses (name, category, position) VALUES ('lost', 'gone', 90);
UPDATE support.statuses SET category = 'gone' WHERE name = 'open';
INSERT INTO support.ticket_watchers (ticket_id, user_id, kind) VALUES (1, 1, 'spy');
SELECT support.watch_ticket(1, 1) \g /dev/null
UPDATE support.ticket_watchers SET kind = 'spy' WHERE ticket_id = 1;
DELETE FROM support.ticket_watchers;

-- A clock over imported history uses the time that the ticket's statuses tell: 24 hours before the pause, 24 after it.
-- First the policy, then the ticket, then its history, the newest entry first.
SELECT support.create_sla_policy('first', '[{"metric": "requester_wait", "target": "96 hours", "pause": ["pending"]}]',
	'{"channel": "email"}');
INSERT INTO support.tickets (title, description, creator_id, created_at, channel)
VALUES ('Policy first', '', 2, '2026-01-31 10:00+00', 'email')
RETURNING id AS ticket_id \gset
SELECT support.sla_tick();
SELECT bring_in(:ticket_id, '2026-03-01T10:00Z pending open', '2026-02-01T10:00Z open pending');
SELECT consumed, is_breached FROM support.sla_status WHERE ticket_id = :ticket_id;
SELECT support.sla_reapply();
SELECT consumed, is_breached, due_at FROM support.sla_status WHERE ticket_id = :ticket_id;
SELECT from_at, to_at, status, counted, why FROM support.sla_explain(:ticket_id, 'requester_wait');
SELECT kind, occurred_at, consumed, reason FROM support.sla_events WHERE ticket_id = :ticket_id ORDER BY id;
SELECT support.sla_reapply();

-- First the ticket and its history, then the policy.
INSERT INTO support.tickets (title, description, creator_id, created_at, channel)
VALUES ('Ticket first', '', 2, '2026-01-31 10:00+00', 'phone')
RETURNING id AS other_id \gset
SELECT bring_in(:other_id, '2026-02-01T10:00Z open pending', '2026-03-01T10:00Z pending open');
SELECT support.create_sla_policy('later', '[{"metric": "requester_wait", "target": "96 hours", "pause": ["pending"]}]',
	'{"channel": "phone"}');
SELECT support.sla_reapply();
SELECT consumed, is_breached, due_at FROM support.sla_status WHERE ticket_id = :other_id;

-- Both go on from there, and a simulation says the same.
SET support_ext.now = '2026-03-02 12:00+00';
SELECT support.set_status(id, 'resolved') FROM support.tickets WHERE id IN (:ticket_id, :other_id);
SELECT ticket_id, state, consumed, breached_at FROM support.sla_clocks ORDER BY ticket_id;
SELECT tickets, achieved, breached FROM support.sla_simulate(
	'{"targets": [{"metric": "requester_wait", "target": "96 hours", "pause": ["pending"]}]}', '2026-01-31', '2026-02-01');

-- Whatever the history is, and in whatever order it comes: counting on and counting anew are the same, and a clock has
-- used what the statuses say.
SELECT setseed(sin(:seed));
CREATE TEMPORARY TABLE past AS
SELECT x.ticket, x.place, '2026-02-01 00:00+00'::timestamptz + x.place * interval '1 day' + random() * interval '20 hours' AS at,
	(ARRAY['open', 'pending', 'in_progress', 'resolved', 'closed'])[1 + floor(random() * 5)] AS status
FROM (SELECT t AS ticket, p AS place FROM generate_series(1, 60) AS t, generate_series(0, t % 8) AS p ORDER BY 1, 2) AS x;
INSERT INTO support.tickets (external_id, title, description, creator_id, status, created_at, channel)
SELECT p.ticket, 'Drawn', '', 2, (array_agg(p.status ORDER BY p.place DESC))[1], min(p.at),
	CASE WHEN p.ticket % 2 = 0 THEN 'email' END
FROM past AS p
GROUP BY p.ticket
ORDER BY p.ticket;
WITH moves AS
(
	SELECT t.id, p.at, lag(p.status) OVER (PARTITION BY p.ticket ORDER BY p.place) AS before, p.status
	FROM past AS p
	JOIN support.tickets AS t ON t.external_id = p.ticket::text
)
INSERT INTO support.audit_log (occurred_at, action, table_name, record_id, ticket_id, old_value, new_value)
SELECT m.at, 'UPDATE', 'tickets', m.id, m.id, jsonb_build_object('status', m.before), jsonb_build_object('status', m.status)
FROM moves AS m
WHERE m.before <> m.status
ORDER BY random();
SELECT support.rebuild_stats() > 0 AS counted;
-- the policy is there for half of the tickets, for the other half it is new
UPDATE support.tickets SET channel = 'phone' WHERE title = 'Drawn' AND channel IS NULL;
SELECT support.sla_reapply() > 0 AS turned;
WITH stays AS
(
	SELECT t.id, p.status, p.at, lead(p.at, 1, support.desk_now()) OVER (PARTITION BY p.ticket ORDER BY p.place) AS until
	FROM past AS p
	JOIN support.tickets AS t ON t.external_id = p.ticket::text
),
told AS
(
	SELECT s.id, coalesce(sum(s.until - s.at) FILTER (WHERE s.status IN ('open', 'in_progress')), '0') AS consumed
	FROM stays AS s
	GROUP BY s.id
)
SELECT count(*) > 20 AS clocks, count(*) FILTER (WHERE date_trunc('second', c.consumed) <> date_trunc('second', d.consumed)) AS wrong,
	count(*) FILTER (WHERE c.is_breached <> (d.consumed > interval '96 hours')) AS misjudged
FROM support.sla_status AS c
JOIN told AS d ON d.id = c.ticket_id;
-- work goes on
SET support_ext.now = '2026-03-03 09:00+00';
UPDATE support.tickets SET status = CASE WHEN status IN ('resolved', 'closed') THEN 'open' ELSE 'resolved' END
WHERE title = 'Drawn' AND id % 3 <> 0;
UPDATE support.tickets SET channel = 'web', created_at = created_at - interval '1 hour' WHERE title = 'Drawn' AND id % 4 = 0;
SELECT * FROM support.verify_stats();
SELECT support.rebuild_stats() > 0 AS counted;
SELECT * FROM support.verify_stats();
DELETE FROM support.tickets WHERE title = 'Drawn' AND id % 5 = 0;
SELECT * FROM support.verify_stats();

-- The functions take the time that another system has, too.
SELECT support.create_ticket('By mail', creator_id => 2, created_at => '2026-03-01 08:00+00') AS ticket_id \gset
SELECT support.add_comment(:ticket_id, 'Looking', created_at => '2026-03-01 09:00+00') \g /dev/null
SELECT support.add_comment(:ticket_id, 'Hello?', author_id => 2, external_id => 'm-1', created_at => '2026-03-01 08:30+00') \g /dev/null
SELECT created_at, first_replied_at, last_customer_at, waiting_since FROM support.tickets WHERE id = :ticket_id;

-- When a ticket last changed stays as it was told, whatever comments of before are brought in.
INSERT INTO support.tickets (title, description, creator_id, created_at, updated_at)
VALUES ('Untouched', '', 2, '2026-01-01 09:00+00', '2026-01-20 09:00+00');
SELECT max(id) AS ticket_id FROM support.tickets \gset
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via) VALUES
	(:ticket_id, 1, 'Second', '2026-01-03 09:00+00', 'import'),
	(:ticket_id, 2, 'First', '2026-01-02 09:00+00', 'import'),
	(:ticket_id, 1, 'Third', '2026-01-20 09:00+00', 'import');
SELECT updated_at, reply_count, last_agent_at, last_customer_at FROM support.tickets WHERE id = :ticket_id;
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
VALUES (:ticket_id, 2, 'Later', '2026-01-21 09:00+00', 'import');
SELECT updated_at = support.desk_now() AS updated_now FROM support.tickets WHERE id = :ticket_id;

-- Nothing has happened before 1970, or will have happened, and no ticket was solved before it was opened, on any road.
INSERT INTO support.tickets (title, description, creator_id, created_at) VALUES ('Old', '', 2, '4000-01-01 00:00+00 BC');
\echo :SQLSTATE
SELECT support.create_ticket('Of tomorrow', creator_id => 2, created_at => '9999-01-01 00:00+00');
INSERT INTO support.tickets (title, description, status, creator_id, created_at, solved_at)
VALUES ('Solved first', '', 'closed', 2, '2026-01-03 09:00+00', '2026-01-02 09:00+00');
\echo :SQLSTATE
INSERT INTO support.tickets (title, description, status, creator_id, created_at) VALUES ('Solved first', '', 'closed', 2, '2026-01-03 09:00+00');
UPDATE support.tickets SET solved_at = '2026-01-02 09:00+00' WHERE title = 'Solved first';
UPDATE support.tickets SET created_at = '9999-01-01 00:00+00' WHERE title = 'Solved first';
SELECT support.add_comment(:ticket_id, 'Of tomorrow', created_at => '9999-01-01 00:00+00');
SELECT bring_in(:ticket_id, '9999-01-01T09:00Z open closed');
\echo :SQLSTATE

UPDATE support.tickets SET deleted_at = '9999-01-01 00:00+00' WHERE id = :ticket_id;
UPDATE support.tickets SET deleted_at = 'infinity' WHERE id = :ticket_id;
\echo :SQLSTATE
UPDATE support.comments SET deleted_at = '1969-12-31 23:59+00' WHERE ticket_id = :ticket_id;
INSERT INTO support.comments (ticket_id, author_id, content, edited_at) VALUES (:ticket_id, 1, 'Edited', '9999-01-01 00:00+00');
-- a ticket may come back at any time that people write
UPDATE support.tickets SET status = 'pending', pending_until = '1969-12-31 23:59+00' WHERE id = :ticket_id;
UPDATE support.tickets SET status = 'pending', pending_until = '10000-01-01 00:00+00' WHERE id = :ticket_id;
\echo :SQLSTATE
UPDATE support.tickets SET status = 'pending', pending_until = 'infinity' WHERE id = :ticket_id;
\echo :SQLSTATE
-- people, what they are in and what they send are no older, nor are the desk's own rules
INSERT INTO support.users (email, full_name, created_at) VALUES ('old@corp.example', 'Old', '1066-10-14 00:00+00');
\echo :SQLSTATE
INSERT INTO support.users (email, full_name, created_at) VALUES ('old@corp.example', 'Old', '-infinity');
\echo :SQLSTATE
UPDATE support.users SET created_at = '9999-01-01 00:00+00' WHERE id = 1;
INSERT INTO support.organizations (name, created_at) VALUES ('Of tomorrow', '9999-01-01 00:00+00');
INSERT INTO support.teams (name, created_at) VALUES ('Of tomorrow', '9999-01-01 00:00+00');
INSERT INTO support.attachments (ticket_id, filename, byte_size, created_at) VALUES (:ticket_id, 'a.txt', 1, '9999-01-01 00:00+00');
INSERT INTO support.calendars (name, time_zone, created_at) VALUES ('Of tomorrow', 'UTC', '9999-01-01 00:00+00');
INSERT INTO support.sla_policies (name, created_at) VALUES ('Of tomorrow', '9999-01-01 00:00+00');
-- a comment may be older than its ticket: mail comes late, and the reply took no time
INSERT INTO support.tickets (title, description, creator_id, created_at) VALUES ('Late', '', 2, '2026-01-02 09:00+00')
RETURNING id AS late \gset
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (:late, 1, 'Early', '2026-01-01 09:00+00');
SELECT first_replied_at, last_agent_at, waiting_since FROM support.tickets WHERE id = :late;
-- of many rows the one that is wrong is named, by what its writer gave
INSERT INTO support.tickets (external_id, ticket_number, title, description, creator_id, created_at, solved_at, status) VALUES
	('k-1', 'K-1', 'Right', '', 2, '2026-01-02 09:00+00', NULL, 'open'),
	(E' k-2\t', 'K-2', 'Wrong', '', 2, '2062-01-02 09:00+00', NULL, 'open');
INSERT INTO support.tickets (ticket_number, title, description, creator_id, created_at, solved_at, status) VALUES
	('K-1', 'Right', '', 2, '2026-01-02 09:00+00', NULL, 'open'),
	('K-2', 'Wrong', '', 2, '2026-01-02 09:00+00', '2026-01-01 09:00+00', 'closed');
INSERT INTO support.tickets (ticket_number, title, description, creator_id) VALUES ('K-1', 'Right', '', 2), ('K-2', E'Wro\tng', '', 2);
INSERT INTO support.users (email, full_name, created_at) VALUES ('kim@corp.example', 'Kim', '1066-01-01 00:00+00');
INSERT INTO support.comments (external_id, ticket_id, author_id, content, created_at) VALUES ('n-1', :late, 1, 'x', '2062-01-01 00:00+00');
-- a row that is there already is not, since not all may read it
UPDATE support.tickets SET external_id = 'k-late' WHERE id = :late;
UPDATE support.tickets SET created_at = '1066-01-01 00:00+00' WHERE id = :late;

-- What contradicts itself is found, and nothing else.
SELECT * FROM support.check_history();
INSERT INTO support.tickets (title, description, status, creator_id, created_at, solved_at) VALUES
	('Loaded twice', '', 'closed', 2, '2026-01-01 09:00+00', '2026-01-03 09:00+00'),
	('With a gap', '', 'open', 2, '2026-01-01 09:00+00', NULL),
	('Of another desk', '', 'open', 2, '2026-01-01 09:00+00', NULL),
	('Ends otherwise', '', 'open', 2, '2026-01-01 09:00+00', NULL),
	('At wrong times', '', 'closed', 2, '2026-01-01 09:00+00', '2026-01-03 09:00+00');
SELECT min(id) AS t FROM support.tickets WHERE title = 'Loaded twice' \gset
SELECT bring_in(:t, '2026-01-03T09:00Z open closed'), bring_in(:t, '2026-01-03T09:00Z open closed'),
	bring_in(:t + 1, '2026-01-02T09:00Z open pending', '2026-01-03T09:00Z closed open'),
	bring_in(:t + 2, '2026-01-02T09:00Z new open'),
	bring_in(:t + 3, '2026-01-02T09:00Z open pending'),
	bring_in(:t + 4, '2025-12-31T09:00Z open pending', '2026-01-02T09:00Z pending closed') \g /dev/null
INSERT INTO support.audit_log (occurred_at, action, table_name, ticket_id, record_id, old_value, new_value) VALUES
	('2026-01-02 09:00+00', 'UPDATE', 'tickets', 4711, 4711, '{"status": "open"}', '{"status": "closed"}');
SELECT ticket_id - :t AS ticket, occurred_at, flaw FROM support.check_history();

\c postgres
DROP DATABASE regress_import;

-- An import that begins on small tables, which the server has counted, looks up each row by an index, however long it gets.
CREATE DATABASE regress_import;
\c regress_import
CREATE EXTENSION support_ext;
INSERT INTO support.users (email, full_name, role) VALUES ('ada@desk.example', 'Ada Agent', 'agent'), ('carl@corp.example', 'Carl', 'customer');
INSERT INTO support.tickets (title, description, creator_id, external_id) VALUES ('First', '', 2, 'old-0');
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 1, 'Hello');
ANALYZE;
BEGIN;
INSERT INTO support.tickets (title, description, status, creator_id, external_id, created_at)
SELECT 'Old', '', 'open', 2, 'old-' || n, '2026-01-01 09:00+00'::timestamptz + n * interval '1 minute'
FROM generate_series(1, 400) AS n;
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via, external_id)
SELECT 2 + n % 400, 1 + n / 400, 'Old', '2026-01-02 09:00+00'::timestamptz - n * interval '1 minute', 'import', n
FROM generate_series(1, 799) AS n;
SELECT count(support.add_comment(2 + n, 'New', author_id => 2, external_id => 'new')) FROM generate_series(0, 399) AS n;
SELECT count(support.set_status(2 + n, 'pending')) FROM generate_series(0, 399) AS n;
SELECT s.relid::regclass AS read_whole
FROM pg_stat_xact_user_tables AS s
WHERE s.schemaname IN ('support', 'support_internal') AND s.seq_tup_read > 10000
ORDER BY s.relid::regclass::text;
COMMIT;

\c postgres
DROP DATABASE regress_import;
