-- Comments, and what they do to their ticket.
CREATE DATABASE regress_comment;
\c regress_comment
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role)
SELECT role || '@desk.example', initcap(replace(role, '_', ' ')), role
FROM unnest('{agent,team_lead,admin,light_agent,auditor,bot,customer}'::text[]) AS role;
INSERT INTO support.users (email, full_name) VALUES ('second@corp.example', 'Second Customer');
SELECT id, role FROM support.users ORDER BY id;
CREATE VIEW books AS
SELECT id, status, reply_count AS replies, to_char(first_replied_at, 'DD HH24:MI') AS first_reply,
	to_char(last_agent_at, 'DD HH24:MI') AS last_agent, to_char(last_customer_at, 'DD HH24:MI') AS last_customer,
	to_char(waiting_since, 'DD HH24:MI') AS waiting
FROM support.tickets;

-- What one comment does to a pending ticket, by its author's role and the way it came.
CREATE FUNCTION effect(author_id bigint, via text, is_private boolean) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	ticket support.tickets;
BEGIN
	INSERT INTO support.tickets (title, description, creator_id, status) VALUES ('x', '', 7, 'pending') RETURNING * INTO ticket;
	PERFORM support.add_comment(ticket.id, 'x', effect.is_private, author_id => effect.author_id, via => effect.via);
	SELECT * INTO STRICT ticket FROM support.tickets WHERE id = ticket.id;
	RETURN concat_ws(', ', CASE WHEN ticket.reply_count = 1 AND ticket.waiting_since IS NULL THEN 'answers' END,
		CASE WHEN ticket.status = 'open' THEN 'reopens' END);
END
$$;
SELECT u.role, v.via, effect(u.id, v.via, false)
FROM support.users AS u
CROSS JOIN unnest('{api,email,web,import,auto,bot}'::text[]) WITH ORDINALITY AS v (via, place)
WHERE u.id <= 7
	AND (u.role <> 'light_agent' OR v.via = 'import')
ORDER BY u.id, v.place \crosstabview
-- A private note does nothing, whoever writes it.
SELECT count(*) AS notes, count(*) FILTER (WHERE effect(u.id, 'api', true) <> '') AS with_effect
FROM support.users AS u;

-- The description is the first comment: a customer waits from the start; an agent's does not count as a reply.
DELETE FROM support.tickets;
INSERT INTO support.tickets (id, title, description, creator_id, requester_id) VALUES
	(100, 'By a customer', '', 7, NULL),
	(101, 'By an agent for a customer', '', 1, 7);
SELECT * FROM books ORDER BY id;
-- The customer writes more, the agents answer, the customer asks again twice.
SET support_ext.now = '2026-03-02 09:10+00';
SELECT support.add_comment(100, 'And it smells', author_id => 7);
SELECT * FROM books WHERE id = 100;
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.add_comment(100, 'Which printer?', author_id => 1);
SELECT * FROM books WHERE id = 100;
SET support_ext.now = '2026-03-02 11:00+00';
SELECT support.add_comment(100, 'The left one', author_id => 7);
SET support_ext.now = '2026-03-02 11:30+00';
SELECT support.add_comment(100, 'I mean the right one', author_id => 8);
SELECT * FROM books WHERE id = 100;
-- An answer that arrives late answers only what was asked before it.
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (100, 2, 'Left or right?', '2026-03-02 11:10+00');
SELECT * FROM books WHERE id = 100;
-- What is older than all that changes only what is older.
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (100, 2, 'First!', '2026-03-02 09:20+00');
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (100, 7, 'Hm', '2026-03-02 09:30+00');
SELECT * FROM books WHERE id = 100;
-- The last word: nobody waits.
SET support_ext.now = '2026-03-02 12:00+00';
SELECT support.add_comment(100, 'Both', author_id => 3, via => 'email');
SELECT * FROM books WHERE id = 100;
-- The agent's own ticket: the first public comment of an agent is the reply.
SELECT support.add_comment(101, 'As said on the phone', author_id => 1);
SELECT * FROM books WHERE id = 101;

-- What a client writes over the books, as mappers do that send whole rows, is not heard: no change, no version, no entry.
SELECT count(*) AS entries FROM support.audit_log \gset
UPDATE support.tickets SET reply_count = 0, first_replied_at = NULL, waiting_since = '2020-01-01', last_customer_at = NULL,
	last_agent_at = NULL WHERE id = 100 RETURNING version;
SELECT count(*) - :entries AS new_entries FROM support.audit_log;
UPDATE support.tickets SET title = 'Printer', reply_count = 0, first_replied_at = NULL, last_agent_at = NULL WHERE id = 100
RETURNING version;
SELECT * FROM books WHERE id = 100;

-- In whatever order comments arrive, the books come out the same: 120 orders of five comments, one result.
WITH RECURSIVE orders AS
(
	SELECT ARRAY[]::integer[] AS places
	UNION ALL
	SELECT o.places || n FROM orders AS o, generate_series(1, 5) AS n WHERE NOT n = ANY (o.places)
)
SELECT row_number() OVER (ORDER BY places) + 1000 AS ticket_id, places INTO orders FROM orders WHERE cardinality(places) = 5;
INSERT INTO support.tickets (id, title, description, creator_id) SELECT ticket_id, 'x', '', 7 FROM orders;
DO $$
DECLARE
	arrival record;
BEGIN
	FOR arrival IN
		SELECT o.ticket_id, p.n, p.place
		FROM orders AS o CROSS JOIN unnest(o.places) WITH ORDINALITY AS p (n, place)
		ORDER BY o.ticket_id, p.place
	LOOP
		INSERT INTO support.comments (ticket_id, author_id, content, created_at)
		VALUES (arrival.ticket_id, CASE WHEN arrival.n = ANY ('{1,4,5}') THEN 7 ELSE 1 END, 'x',
			timestamptz '2026-03-02 12:00+00' + arrival.n * interval '1 minute');
	END LOOP;
END
$$;
SELECT count(*), replies, first_reply, last_agent, last_customer, waiting FROM books WHERE id > 1000
GROUP BY replies, first_reply, last_agent, last_customer, waiting;
-- A recount says the same.
UPDATE support.comments SET is_private = true WHERE ticket_id > 1000 AND author_id = 7;
UPDATE support.comments SET is_private = false WHERE ticket_id > 1000 AND author_id = 7;
SELECT count(*), replies, first_reply, last_agent, last_customer, waiting FROM books WHERE id > 1000
GROUP BY replies, first_reply, last_agent, last_customer, waiting;
DELETE FROM support.tickets WHERE id > 1000;

-- A reply before the ticket was opened, as clocks that differ make it, leaves the description without an answer.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (102, 'x', '', 7);
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (102, 1, 'x', '2026-03-02 08:00+00');
SELECT * FROM books WHERE id = 102;

-- A solve settles all that was asked before it, whenever that arrives.
SET support_ext.now = '2026-03-02 13:00+00';
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (103, 'x', '', 7);
SET support_ext.now = '2026-03-02 14:00+00';
SELECT support.set_status(103, 'resolved');
SET support_ext.now = '2026-03-02 15:00+00';
SELECT support.add_comment(103, 'Still broken', author_id => 7);
SELECT * FROM books WHERE id = 103;
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (103, 7, 'x', '2026-03-02 13:30+00');
SELECT * FROM books WHERE id = 103;
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (103, 1, 'x', '2026-03-02 13:15+00');
SELECT * FROM books WHERE id = 103;
UPDATE support.comments SET is_private = true WHERE ticket_id = 103 AND author_id = 1;
SELECT * FROM books WHERE id = 103;

-- A customer's public comment reopens pending, on_hold and resolved on every road, whatever the transitions say.
INSERT INTO support.status_transitions VALUES ('open', 'pending'), ('open', 'on_hold'), ('open', 'resolved');
SET support_ext.now = '2026-03-03 09:00+00';
INSERT INTO support.tickets (id, title, description, creator_id, status) VALUES
	(110, 'function', '', 7, 'pending'),
	(111, 'function', '', 7, 'on_hold'),
	(112, 'function', '', 7, 'resolved'),
	(113, 'function', '', 7, 'in_progress'),
	(114, 'insert', '', 7, 'pending'),
	(115, 'insert', '', 7, 'on_hold'),
	(116, 'insert', '', 7, 'resolved'),
	(117, 'copy', '', 7, 'pending'),
	(118, 'copy', '', 7, 'resolved'),
	(119, 'merge', '', 7, 'pending'),
	(120, 'on conflict', '', 7, 'resolved'),
	(121, 'by an agent', '', 7, 'resolved');
SET support_ext.now = '2026-03-03 10:00+00';
SELECT support.add_comment(n, 'Hello?', author_id => 7) > 0 AS added FROM generate_series(110, 113) AS n;
INSERT INTO support.comments (ticket_id, author_id, content) SELECT n, 8, 'Hello?' FROM generate_series(114, 116) AS n;
COPY support.comments (ticket_id, author_id, content) FROM stdin;
117	7	Hello?
118	7	Hello?
\.
MERGE INTO support.comments AS c USING (VALUES (119)) AS s (ticket_id) ON c.ticket_id = s.ticket_id
WHEN NOT MATCHED THEN INSERT (ticket_id, author_id, content) VALUES (s.ticket_id, 7, 'Hello?');
INSERT INTO support.comments (ticket_id, author_id, content, external_id) VALUES (120, 7, 'Hello?', 'm1')
ON CONFLICT DO NOTHING;
SELECT support.add_comment(121, 'Any news?', author_id => 1) > 0 AS added;
SELECT t.title, t.status, t.reopen_count, b.waiting, t.version
FROM support.tickets AS t JOIN books AS b USING (id) WHERE id BETWEEN 110 AND 121 ORDER BY id;
-- Everybody else is still bound by the transitions.
SELECT support.set_status(121, 'open', actor_id => 1);
\echo :LAST_ERROR_SQLSTATE

-- So is what an application's trigger does on the way of a comment.
CREATE FUNCTION close_another() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE support.tickets SET status = 'closed' WHERE id = 121;
	RETURN NULL;
END
$$;
CREATE TRIGGER close_another AFTER UPDATE ON support.tickets FOR EACH ROW WHEN (NEW.id = 119) EXECUTE FUNCTION close_another();
SELECT support.add_comment(119, 'One moment', author_id => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM support.tickets WHERE id = 121;
DROP TRIGGER close_another ON support.tickets;
CREATE FUNCTION forget_replies() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE support.tickets SET reply_count = 77 WHERE id = 121;
	RETURN NULL;
END
$$;
CREATE TRIGGER forget_replies AFTER UPDATE ON support.tickets FOR EACH ROW WHEN (NEW.id = 119) EXECUTE FUNCTION forget_replies();
SELECT support.add_comment(119, 'One moment', author_id => 1) > 0 AS added;
SELECT reply_count FROM support.tickets WHERE id = 121;
DROP TRIGGER forget_replies ON support.tickets;
DELETE FROM support.status_transitions;

-- Nor does a note of the customer's own, a comment that came deleted, or an older one that is imported, change anything.
INSERT INTO support.tickets (id, title, description, creator_id, status) SELECT n, 'x', '', 7, 'pending' FROM generate_series(130, 132) AS n;
SET support_ext.now = '2026-03-03 11:00+00';
INSERT INTO support.comments (ticket_id, author_id, content, is_private, deleted_at, created_at) VALUES
	(130, 7, 'private', true, NULL, DEFAULT),
	(131, 7, 'deleted', false, '2026-03-03 11:00+00', DEFAULT),
	(132, 7, 'older', false, NULL, '2026-03-03 09:59+00');
SELECT id, status, reopen_count FROM support.tickets WHERE id BETWEEN 130 AND 132 ORDER BY id;

-- The status that it reopens to is the default one, if that is open, …
UPDATE support.statuses SET is_default = false WHERE is_default;
UPDATE support.statuses SET is_default = true WHERE name = 'in_progress';
SELECT support.add_comment(130, 'Hello?', author_id => 7) > 0 AS added;
-- … else the first open one.
UPDATE support.statuses SET is_default = false WHERE is_default;
UPDATE support.statuses SET is_default = true WHERE name = 'pending';
SELECT support.add_comment(131, 'Hello?', author_id => 7) > 0 AS added;
SELECT id, status FROM support.tickets WHERE id IN (130, 131) ORDER BY id;
UPDATE support.statuses SET is_default = false WHERE is_default;
UPDATE support.statuses SET is_default = true WHERE name = 'open';

-- A closed ticket takes private notes, and older comments from an import. Public ones are refused on every road.
INSERT INTO support.tickets (id, title, description, creator_id, status) VALUES (140, 'Closed', '', 7, 'closed');
SET support_ext.now = '2026-03-03 12:00+00';
SELECT support.add_comment(140, 'One more thing', author_id => 7);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(140, 'By the way', author_id => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(140, 'Open it', author_id => 1, status => 'open');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (140, 7, 'One more thing');
\echo :LAST_ERROR_SQLSTATE
COPY support.comments (ticket_id, author_id, content) FROM stdin;
140	7	One more thing
\.
SELECT count(*) FROM support.comments WHERE ticket_id = 140;
SELECT support.add_comment(140, 'Customer called', is_private => true, author_id => 1) > 0 AS added;
INSERT INTO support.comments (ticket_id, author_id, content, is_private) VALUES (140, 7, 'Note to self', true);
INSERT INTO support.comments (ticket_id, author_id, content, via, created_at) VALUES
	(140, 1, 'Answer of last week', 'import', '2026-02-24 09:00+00');
UPDATE support.comments SET is_private = false WHERE ticket_id = 140 AND content = 'Customer called';
\echo :LAST_ERROR_SQLSTATE
SELECT content, is_private FROM support.comments WHERE ticket_id = 140 ORDER BY id;
SELECT * FROM books WHERE id = 140;

-- add_comment() with a status: the reply counts first, then the status moves.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (150, 'Ask and solve', '', 7);
SET support_ext.now = '2026-03-03 13:00+00';
SELECT support.set_actor(1);
SELECT support.add_comment(150, 'Turned it off and on', status => 'resolved') AS comment_id \gset
SELECT * FROM books WHERE id = 150;
SELECT action, table_name, old_value ->> 'status' AS old_status, new_value ->> 'status' AS new_status,
	new_value ->> 'reply_count' AS reply_count
FROM support.audit_log WHERE ticket_id = 150 ORDER BY id;
SET support_ext.now = '2026-03-03 14:00+00';
SELECT support.add_comment(150, 'Off again', author_id => 7, status => 'on_hold') > 0 AS added;
SELECT status, reopen_count FROM support.tickets WHERE id = 150;
-- If one of the two is refused, neither happens.
SELECT support.add_comment(150, 'x', status => 'opne');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(150, 'x', status => 'open', expected_version => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.comments WHERE ticket_id = 150;

-- The same external_id names the same comment of that ticket, however often it arrives.
SELECT support.add_comment(150, 'By mail', author_id => 7, via => 'email', external_id => 'm-1') AS first \gset
SELECT support.add_comment(150, 'By mail, again', author_id => 7, via => 'email', external_id => 'm-1', status => 'closed') = :first
	AS is_the_first;
-- It is the author's alone.
\set VERBOSITY sqlstate
SELECT support.add_comment(150, 'By mail, again', author_id => 8, via => 'email', external_id => 'm-1', status => 'closed');
\set VERBOSITY default
\echo :LAST_ERROR_MESSAGE
SELECT support.add_comment(101, 'By mail', author_id => 7, via => 'email', external_id => 'm-1') > :first AS is_another;
SELECT ticket_id, content FROM support.comments WHERE external_id = 'm-1' ORDER BY id;
SELECT status FROM support.tickets WHERE id = 150;
\set VERBOSITY terse
INSERT INTO support.comments (ticket_id, author_id, content, external_id) VALUES (150, 7, 'x', 'm-1');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- NULL is the default, and what was left out by a mapper gets it.
SELECT support.add_comment(150, 'Defaults', NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS id \gset
SELECT author_id, is_private, via, author_role, external_id FROM support.comments WHERE id = :id;
INSERT INTO support.comments (id, ticket_id, author_id, content, is_private, created_at, via)
VALUES (NULL, 150, 1, 'Mapped', NULL, NULL, NULL)
RETURNING is_private, created_at, via, author_role;

-- The author's role is that of the moment: a promotion changes no old comment and no old count.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (160, 'Promotion', '', 8);
SELECT support.add_comment(160, 'As a customer', author_id => 7) > 0 AS added;
UPDATE support.users SET role = 'agent' WHERE id = 7;
SELECT support.add_comment(160, 'As an agent', author_id => 7) > 0 AS added;
UPDATE support.users SET role = 'customer' WHERE id = 7;
SELECT author_role, content FROM support.comments WHERE ticket_id = 160 ORDER BY id;
SELECT replies FROM books WHERE id = 160;
UPDATE support.comments SET via = 'email' WHERE ticket_id = 160;
SELECT replies FROM books WHERE id = 160;
-- An import gives the role that was.
INSERT INTO support.comments (ticket_id, author_id, content, author_role, created_at)
VALUES (160, 7, 'As an agent, long ago', 'agent', '2026-03-01 09:00+00');
SELECT replies, first_reply FROM books WHERE id = 160;

-- The messages below name comments, so these have numbers of their own.
ALTER TABLE support.comments ALTER COLUMN id RESTART WITH 7001;

-- edit_comment(): when it was last changed; the same text is no change.
SET support_ext.now = '2026-03-04 09:00+00';
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (170, 'Edits', '', 7);
SELECT support.add_comment(170, 'Trun it off') AS c \gset
SET support_ext.now = '2026-03-04 10:00+00';
SELECT support.edit_comment(170, :c, 'Trun it off');
SELECT content, edited_at FROM support.comments WHERE id = :c;
SELECT support.edit_comment(170, :c, 'Turn it off');
SELECT content, edited_at FROM support.comments WHERE id = :c;
SET support_ext.now = '2026-03-04 11:00+00';
UPDATE support.comments SET content = 'Turn it off!' WHERE id = :c RETURNING edited_at;
UPDATE support.comments SET via = 'web' WHERE id = :c RETURNING edited_at;
SELECT action, table_name, old_value, new_value FROM support.audit_log
WHERE ticket_id = 170 AND table_name = 'comments' ORDER BY id;
-- Nobody else says when that was, with a new text or without; an import does.
SET support_ext.now = '2026-03-04 12:00+00';
UPDATE support.comments SET content = 'Turn it off, please!', edited_at = NULL WHERE id = :c RETURNING edited_at;
UPDATE support.comments SET content = 'Please turn it off.', edited_at = '2020-01-01 00:00+00' WHERE id = :c RETURNING edited_at;
UPDATE support.comments SET edited_at = NULL WHERE id = :c RETURNING edited_at;
UPDATE support.comments SET edited_at = '2020-01-01 00:00+00', via = 'api' WHERE id = :c RETURNING edited_at, via;
SET support_ext.now = '2026-03-04 11:00+00';
UPDATE support.comments SET content = 'Turn it off!', via = 'web' WHERE id = :c RETURNING edited_at;
INSERT INTO support.comments (ticket_id, id, author_id, content, created_at, edited_at)
VALUES (170, 6999, 1, 'Imported', '2026-01-01 00:00+00', '2026-01-02 00:00+00') RETURNING edited_at;
INSERT INTO support.comments (ticket_id, id, author_id, content, edited_at) VALUES (170, 6998, 1, 'Never done', 'infinity');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.comments WHERE content = 'Imported';

-- A comment that is hidden, shown, deleted, restored or removed is counted anew.
SELECT * FROM books WHERE id = 170;
SET support_ext.now = '2026-03-04 12:00+00';
SELECT support.add_comment(170, 'Done', author_id => 7) AS d \gset
SELECT * FROM books WHERE id = 170;
UPDATE support.comments SET is_private = true WHERE id = :c;
SELECT * FROM books WHERE id = 170;
UPDATE support.comments SET is_private = false WHERE id = :c;
SELECT * FROM books WHERE id = 170;
SELECT support.delete_comment(170, :c, reason => 'wrong ticket');
SELECT * FROM books WHERE id = 170;
SELECT support.restore_comment(170, :c);
SELECT * FROM books WHERE id = 170;
SELECT support.delete_comment(170, :d);
SELECT * FROM books WHERE id = 170;
DELETE FROM support.comments WHERE id = :c;
SELECT * FROM books WHERE id = 170;
SELECT support.restore_comment(170, :c);
SELECT support.restore_comment(170, :d);
SELECT * FROM books WHERE id = 170;
-- The log says who deleted it and why.
SELECT actor_id, action, table_name, record_id = :c AS is_c, new_value FROM support.audit_log
WHERE ticket_id = 170 AND (action = 'comment_deleted' OR new_value ? 'deleted_at') ORDER BY id;

-- A recount of a ticket that was imported as solved and then reopened looks no further back than that.
INSERT INTO support.tickets (id, title, description, creator_id, status, created_at, solved_at) VALUES
	(180, 'Imported', '', 7, 'resolved', '2026-01-01 09:00+00', '2026-01-02 09:00+00');
SELECT support.add_comment(180, 'Broken again', author_id => 7) AS c \gset
SELECT * FROM books WHERE id = 180;
SELECT support.delete_comment(180, :c);
SELECT * FROM books WHERE id = 180;
SELECT support.restore_comment(180, :c);
SELECT * FROM books WHERE id = 180;

-- Marked or removed, a comment comes back as it was, with the attachments that went with it.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (190, 'Files', '', 7);
SELECT support.add_comment(190, 'See the pictures', author_id => 7, via => 'email', external_id => 'm-2') AS c \gset
SELECT support.add_comment(190, 'Other') AS other \gset
SELECT support.add_attachment(190, 'a.png', '\x01', 'image/png', comment_id => :c) AS a \gset
SELECT support.add_attachment(190, 'b.png', '\x02', 'image/png', comment_id => :c) AS b \gset
SELECT support.add_attachment(190, 'c.png', '\x03', 'image/png', comment_id => :other) AS other_file \gset
SELECT support.add_attachment(190, 'd.png', '\x04', 'image/png', comment_id => :c) AS gone \gset
DELETE FROM support.attachments WHERE id = :gone;
CREATE TABLE comments_before AS SELECT * FROM support.comments WHERE ticket_id = 190;
CREATE TABLE attachments_before AS SELECT * FROM support.attachments WHERE ticket_id = 190;
CREATE TABLE books_before AS SELECT * FROM books WHERE id = 190;
SELECT support.delete_comment(190, :c);
SELECT id = :c AS is_c FROM support.comments WHERE ticket_id = 190 AND deleted_at IS NOT NULL;
SELECT support.restore_comment(190, :c);
TABLE comments_before EXCEPT SELECT * FROM support.comments;
DELETE FROM support.comments WHERE id = :c;
SELECT filename FROM support.attachments WHERE ticket_id = 190;
SELECT support.restore_comment(190, :c);
SELECT filename FROM support.attachments WHERE ticket_id = 190 ORDER BY id;
SELECT support.attachment_content(190, :a), support.attachment_content(190, :b);
TABLE comments_before EXCEPT SELECT * FROM support.comments;
TABLE attachments_before EXCEPT SELECT * FROM support.attachments;
TABLE books_before EXCEPT SELECT * FROM books;
SELECT count(*) FROM support.comments WHERE ticket_id = 190;

-- What is deleted is not edited, deleted or given files; what is not deleted is not restored.
SELECT support.delete_comment(170, :d);
SELECT support.delete_comment(170, :d);
\echo :LAST_ERROR_SQLSTATE
SELECT support.edit_comment(170, :d, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(170, 'x', 'x', comment_id => :d);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_comment(190, :c);
\echo :LAST_ERROR_SQLSTATE
-- Nor is what never was, or belongs to another ticket.
SELECT support.edit_comment(170, 9999, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.delete_comment(170, 9999);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_comment(170, 9999);
\echo :LAST_ERROR_SQLSTATE
SELECT support.delete_comment(100, :d);
\echo :LAST_ERROR_SQLSTATE
SELECT support.edit_comment(170, NULL, 'x');
\echo :LAST_ERROR_SQLSTATE

-- A comment stays with its ticket.
UPDATE support.comments SET ticket_id = 100 WHERE id = :c;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.comments SET id = 9999 WHERE id = :c;
\echo :LAST_ERROR_SQLSTATE

-- A deleted ticket takes no comment, public or private, on any road; nor does one that never was.
SELECT support.delete_ticket(170) > 0 AS deleted;
DELETE FROM support.tickets WHERE id = 190;
SELECT support.add_comment(170, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(170, 'x', is_private => true);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(190, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(9999, 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (170, 1, 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (190, 1, 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (9999, 1, 'x');
\echo :LAST_ERROR_SQLSTATE
COPY support.comments (ticket_id, author_id, content) FROM stdin;
170	1	x
\.
SELECT support.edit_comment(170, :d, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.delete_comment(170, :d);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_comment(190, :c);
\echo :LAST_ERROR_SQLSTATE

-- What an agent's reply is, and a customer's comment, is said once in C and once in SQL: they agree about each role and
-- each way.
INSERT INTO support.tickets (id, title, description, creator_id, requester_id, ticket_number)
SELECT 1000 + row_number() OVER (), 'Reply?', '', 1, 8, format('%s/%s/%s', role, via, is_private)
FROM unnest('{agent,team_lead,admin,light_agent,auditor,bot,customer}'::text[]) AS role,
	unnest('{api,email,web,import,auto,bot}'::text[]) AS via, unnest('{f,t}'::boolean[]) AS is_private
WHERE role <> 'light_agent' OR via = 'import' OR is_private;
INSERT INTO support.comments (ticket_id, author_id, content, via, is_private)
SELECT t.id, u.id, 'x', split_part(t.ticket_number, '/', 2), split_part(t.ticket_number, '/', 3)::boolean
FROM support.tickets AS t
JOIN support.users AS u ON u.role = split_part(t.ticket_number, '/', 1) AND u.email <> 'second@corp.example'
WHERE t.title = 'Reply?';
SELECT
	c.author_role,
	string_agg(c.via, ', ' ORDER BY c.via) FILTER (WHERE t.reply_count = 1) AS replies,
	string_agg(c.via, ', ' ORDER BY c.via) FILTER (WHERE t.waiting_since IS NOT NULL) AS questions,
	bool_and(support_internal.is_reply(c.is_private, c.author_role, c.via) = (t.reply_count = 1)
		AND support_internal.is_from_customer(c.is_private, c.author_role, c.via) = (t.waiting_since IS NOT NULL)) AS agree
FROM support.tickets AS t
JOIN support.comments AS c ON c.ticket_id = t.id
WHERE t.title = 'Reply?'
GROUP BY c.author_role
ORDER BY c.author_role;
SELECT * FROM support.verify_stats();

-- What is blank, missing or unknown is refused.
\set VERBOSITY terse
SELECT support.add_comment(100, '');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(100, E' \n');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(100, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(100, 'x', via => 'pigeon');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(100, 'x', author_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (100, 99, 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content, author_role) VALUES (100, 1, 'x', 'boss');
\echo :LAST_ERROR_SQLSTATE
SELECT id AS c FROM support.comments WHERE ticket_id = 100 ORDER BY id LIMIT 1 \gset
SELECT support.edit_comment(100, :c, '');
\echo :LAST_ERROR_SQLSTATE
SELECT support.edit_comment(100, :c, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT content FROM support.comments WHERE ticket_id = 100 ORDER BY id;

\c contrib_regression
DROP DATABASE regress_comment;
