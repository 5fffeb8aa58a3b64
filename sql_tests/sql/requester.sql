-- Who writes as a ticket's customer, and who writes notes only.
CREATE DATABASE regress_requester;
\c regress_requester
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('ben@desk.example', 'Ben Both', 'agent'),
	('leo@desk.example', 'Leo Light', 'light_agent'),
	('ada@desk.example', 'Ada Admin', 'admin'),
	('carl@corp.example', 'Carl Customer', 'customer'),
	('bob@desk.example', 'Bob Bot', 'bot');
SELECT support.create_sla_policy('All', '[{"metric": "first_reply", "target": "4 hours"}, {"metric": "next_reply", "target": "2 hours"}]')
	> 0 AS promised;
CREATE FUNCTION books(ticket_id bigint)
RETURNS TABLE (status text, replies integer, first_reply text, last_agent text, last_customer text, waiting text, clocks text)
LANGUAGE sql AS
$$
	SELECT t.status, t.reply_count, to_char(t.first_replied_at, 'DD HH24:MI'), to_char(t.last_agent_at, 'DD HH24:MI'),
		to_char(t.last_customer_at, 'DD HH24:MI'), to_char(t.waiting_since, 'DD HH24:MI'),
		(
			SELECT string_agg(c.metric || ' ' || c.state, ', ' ORDER BY c.metric, c.id)
			FROM support.sla_clocks AS c WHERE c.ticket_id = t.id
		)
	FROM support.tickets AS t
	WHERE t.id = books.ticket_id
$$;
-- What is kept as things happen is what all of it comes to when it is worked out again.
CREATE FUNCTION differences() RETURNS TABLE (what text, id bigint) LANGUAGE sql AS
$$
	SELECT 'books', t.id
	FROM support.tickets AS t
	CROSS JOIN support_internal.books_of_ticket(t.id) AS b
	WHERE (t.reply_count, t.first_replied_at, t.last_agent_at, t.last_customer_at)
		IS DISTINCT FROM (b.reply_count, b.first_replied_at, b.last_agent_at, b.last_customer_at)
		OR (t.solved_at IS NULL AND t.waiting_since IS DISTINCT FROM b.waiting_since)
	UNION ALL
	SELECT 'stats', count(*) FROM support.verify_stats() HAVING count(*) > 0
$$;

-- Staff who ask are customers of their tickets: their own comments are no replies, end no waiting and reopen.
SELECT support.create_ticket('My screen is black', creator_id => 2) AS t \gset
SELECT * FROM books(:t);
SET support_ext.now = '2026-03-02 09:30+00';
SELECT support.add_comment(:t, 'It was green before', author_id => 2) AS first \gset
SELECT * FROM books(:t);
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.add_comment(:t, 'Is it on?', author_id => 1, status => 'pending') > 0 AS written;
SELECT * FROM books(:t);
SET support_ext.now = '2026-03-02 10:30+00';
SELECT support.add_comment(:t, 'It is', author_id => 2) > 0 AS written;
SELECT * FROM books(:t);
SET support_ext.now = '2026-03-02 11:00+00';
SELECT support.add_comment(:t, 'Now?', author_id => 4, status => 'resolved') > 0 AS written;
SET support_ext.now = '2026-03-02 11:30+00';
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (:t, 2, 'Now it is yellow') RETURNING author_role;
SELECT * FROM books(:t);
SELECT author_role, content FROM support.comments WHERE ticket_id = :t ORDER BY id;
SELECT support.delete_comment(:t, :first);
SELECT * FROM differences();

-- Who opens a ticket for somebody else answers it by his role; that person is its customer.
SET support_ext.now = '2026-03-03 09:00+00';
SELECT support.create_ticket('Ben called', creator_id => 1, requester_id => 2) AS t \gset
SELECT * FROM books(:t);
SET support_ext.now = '2026-03-03 09:10+00';
SELECT support.add_comment(:t, 'And nobody came', author_id => 2) > 0 AS written;
SELECT * FROM books(:t);
SET support_ext.now = '2026-03-03 09:20+00';
SELECT support.add_comment(:t, 'I come', author_id => 1) > 0 AS written;
SELECT * FROM books(:t);
-- The requester named is the creator: as if none were named.
SELECT support.create_ticket('My mouse', creator_id => 4, requester_id => 4) AS own \gset
SELECT * FROM books(:own);
-- A comment stays what it was when it was written; the next one is by who asks then.
SET support_ext.now = '2026-03-03 09:30+00';
SELECT support.update_ticket(:t, '{"requester_id": 5}') > 0 AS changed;
SELECT support.add_comment(:t, 'I come, too', author_id => 2) > 0 AS written;
SELECT author_role, content FROM support.comments WHERE ticket_id = :t ORDER BY id;
SELECT * FROM books(:t);
-- An import says what somebody was.
INSERT INTO support.comments (ticket_id, author_id, content, author_role, via)
VALUES (:own, 4, 'I answer myself', 'admin', 'import') RETURNING author_role;
SELECT reply_count FROM support.tickets WHERE id = :own;
SELECT * FROM differences();

-- Light agents write notes, on every road, …
SELECT support.add_comment(:t, 'Turn it off', author_id => 3);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (:t, 3, 'Turn it off');
\echo :LAST_ERROR_SQLSTATE
COPY support.comments (ticket_id, author_id, content, via) FROM stdin;
2	3	Turn it off	email
\.
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(:t, 'They should turn it off', is_private => true, author_id => 3) AS note \gset
UPDATE support.comments SET is_private = false WHERE ticket_id = :t AND id = :note;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.comments SET is_private = false, via = 'import' WHERE ticket_id = :t AND id = :note;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.comments SET is_private = false, author_role = 'agent' WHERE ticket_id = :t AND id = :note;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.comments (ticket_id, author_id, content, author_role) VALUES (:t, 3, 'Turn it off', 'agent');
\echo :LAST_ERROR_SQLSTATE
UPDATE support.comments SET content = 'They should turn it off and on' WHERE ticket_id = :t AND id = :note;
SELECT author_role, is_private, content FROM support.comments WHERE ticket_id = :t AND author_id = 3;
-- … but on their own tickets, and where it was so elsewhere.
SELECT support.create_ticket('My keyboard', creator_id => 3) AS light \gset
SELECT support.add_comment(:light, 'It types twice', author_id => 3) > 0 AS written;
INSERT INTO support.comments (ticket_id, author_id, content, via) VALUES (:t, 3, 'We turned it off', 'import')
RETURNING id AS imported \gset
UPDATE support.comments SET content = 'We turned it off then' WHERE id = :imported;
UPDATE support.comments SET via = 'api' WHERE id = :imported;
\echo :LAST_ERROR_SQLSTATE
SELECT ticket_id, author_role, via, content FROM support.comments WHERE author_id = 3 AND NOT is_private ORDER BY id;
SELECT * FROM differences();

-- What is automatic is kept and does nothing, whoever sends it.
SET support_ext.now = '2026-03-04 09:00+00';
SELECT support.create_ticket('No network', creator_id => 5, channel => 'email') AS t \gset
SET support_ext.now = '2026-03-04 10:00+00';
SELECT support.add_comment(:t, 'Have you a cable?', author_id => 1, status => 'pending') > 0 AS written;
SET support_ext.now = '2026-03-04 11:00+00';
SELECT * FROM books(:t);
SELECT support.add_comment(:t, 'I am out of the office', author_id => 5, via => 'auto') AS auto \gset
INSERT INTO support.comments (ticket_id, author_id, content, via) VALUES (:t, 5, 'Your ticket was read', 'bot');
SELECT support.add_comment(:t, 'We have it', author_id => 1, via => 'auto') > 0 AS written;
SELECT * FROM books(:t);
SELECT support.set_status(:t, 'resolved') > 0 AS solved;
SELECT support.add_comment(:t, 'I am still out of the office', author_id => 5, via => 'auto') > 0 AS written;
-- one that is older than the last word, and one that goes
INSERT INTO support.comments (ticket_id, author_id, content, via, created_at)
VALUES (:t, 5, 'I am going out of the office', 'auto', '2026-03-04 09:30+00');
SELECT support.delete_comment(:t, :auto);
SELECT support.restore_comment(:t, :auto);
SELECT * FROM books(:t);
SELECT sum(n) AS customer_comments
FROM support.report('customer_comments', '2026-03-04 00:00+00', '2026-03-05 00:00+00', 'day');
SELECT * FROM differences();
-- Bringing it back, and reading the counters from the rows, agrees.
DELETE FROM support.tickets WHERE id = :t;
SELECT support.restore_ticket(:t) > 0 AS restored;
SELECT * FROM books(:t);
SELECT * FROM differences();
SELECT support.rebuild_stats() \g /dev/null
SELECT sum(n) AS customer_comments
FROM support.report('customer_comments', '2026-03-04 00:00+00', '2026-03-05 00:00+00', 'day');
-- What a person wrote after all counts.
UPDATE support.comments SET via = 'email' WHERE id = :auto;
SELECT * FROM books(:t);
SELECT * FROM differences();

\c contrib_regression
DROP DATABASE regress_requester;
