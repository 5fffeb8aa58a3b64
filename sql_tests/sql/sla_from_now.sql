-- A first policy on a desk that has tickets: who makes it is told, and clocks may count from then on.
CREATE DATABASE regress_sla_from_now;
\c regress_sla_from_now
CREATE EXTENSION support_ext;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
CREATE FUNCTION clocks(OUT title text, OUT metric text, OUT instance integer, OUT state text, OUT consumed interval,
	OUT started text, OUT due text, OUT breached text, OUT cancelled text)
RETURNS SETOF record
LANGUAGE sql STABLE AS
$$
	SELECT t.title, s.metric, s.instance, s.state, s.consumed, to_char(s.started_at, 'DD HH24:MI'), to_char(s.due_at, 'DD HH24:MI'),
		to_char(s.breached_at, 'DD HH24:MI'), s.cancel_reason
	FROM support.sla_status AS s
	JOIN support.tickets AS t ON t.id = s.ticket_id
	ORDER BY s.ticket_id, s.clock_id
$$;

-- Two weeks of tickets: nobody has written, an answer, a question after it, one that stands still, one that is done.
SET support_ext.now = '2026-11-02 08:00';
SELECT support.create_ticket('New', creator_id => 2) AS new \gset
SELECT support.create_ticket('Answered', creator_id => 2) AS answered \gset
SELECT support.create_ticket('Asked', creator_id => 2) AS asked \gset
SELECT support.create_ticket('Pending', creator_id => 2) AS pending \gset
SELECT support.create_ticket('Solved', creator_id => 2) AS solved \gset
SELECT support.create_ticket('Deleted', creator_id => 2) AS deleted \gset
SET support_ext.now = '2026-11-02 09:00';
SELECT support.add_comment(t, 'Which one?', author_id => 1) FROM unnest(ARRAY[:answered, :asked]::bigint[]) AS t \g /dev/null
SET support_ext.now = '2026-11-02 10:00';
SELECT support.add_comment(:asked, 'The left one', author_id => 2) \g /dev/null
SELECT support.set_status(:pending, 'pending'), support.set_status(:solved, 'resolved'), support.delete_ticket(:deleted) \g /dev/null

-- The policy promises something to four tickets; another one only if there is a ticket like that.
SET support_ext.now = '2026-11-16 08:00';
\set targets '[{"metric": "first_reply", "target": "2 hours"}, {"metric": "next_reply", "target": "2 hours"}, {"metric": "requester_wait", "target": "24 hours"}]'
SELECT support.create_sla_policy('gold', :'targets', '{"custom": {"plan": "gold"}}') AS gold \gset
SELECT support.create_sla_policy('everybody', :'targets') AS everybody \gset
SELECT support.update_sla_policy(:everybody, conditions => '{"priority": "urgent"}');
SELECT support.update_sla_policy(:everybody, conditions => '{}');
SELECT support.update_sla_policy(:everybody, is_active => false);
SELECT count(*) FROM support.sla_clocks;
SELECT support.update_sla_policy(:everybody, is_active => true);

-- From the beginning, all is late at once; from now on, nothing is.
BEGIN;
SELECT support.sla_reapply(:everybody);
SELECT * FROM clocks();
ROLLBACK;
SELECT support.sla_reapply(:everybody, 'now');
SELECT * FROM clocks();
SELECT metric, decided, breached FROM support.report_sla;
SELECT DISTINCT kind, reason, consumed FROM support.sla_events ORDER BY kind DESC;
SELECT support.update_sla_policy(:everybody, at_position => 50);
SELECT support.sla_reapply(), support.sla_reapply(NULL, 'now'), support.sla_reapply(NULL, NULL) AS again;

-- Why they show what they show.
SET support_ext.now = '2026-11-16 09:00';
SELECT * FROM support.sla_explain(:new, 'first_reply');
SELECT * FROM support.sla_explain(:pending, 'requester_wait');

-- What comes in late does not bring the time before back: an older question, and an answer that was given then.
BEGIN;
INSERT INTO support.comments (ticket_id, author_id, content, created_at)
VALUES (:asked, 2, 'I wrote before', '2026-11-02 09:30');
SELECT * FROM clocks() WHERE title = 'Asked';
INSERT INTO support.comments (ticket_id, author_id, content, created_at)
VALUES (:asked, 1, 'Answered by phone', '2026-11-03 09:30');
SELECT * FROM clocks() WHERE title = 'Asked';
ROLLBACK;
BEGIN;
INSERT INTO support.comments (ticket_id, author_id, content, created_at)
VALUES (:asked, 2, 'I wrote before', '2026-11-02 09:30'), (:asked, 1, 'You have it', '2026-11-16 08:30');
SELECT * FROM clocks() WHERE title = 'Asked';
ROLLBACK;

-- Nor does a ticket that is solved and opened again, or deleted and restored.
BEGIN;
SELECT support.set_status(:new, 'resolved'), support.delete_ticket(:pending) \g /dev/null
SET LOCAL support_ext.now = '2026-11-17 09:00';
SELECT support.set_status(:new, 'open'), support.restore_ticket(:pending) \g /dev/null
SELECT * FROM clocks() WHERE title IN ('New', 'Pending');
ROLLBACK;

-- Nor a policy that is given up and comes back: what it was told to leave out stays out.
SELECT support.update_sla_policy(:everybody, is_active => false);
SET support_ext.now = '2026-11-16 10:30';
SELECT support.update_sla_policy(:everybody, is_active => true);
SELECT support.sla_reapply();
SELECT * FROM clocks() WHERE cancelled IS NULL;
SELECT * FROM support.sla_explain(:new, 'first_reply');

-- The next reply after that is promised as to everybody.
SELECT support.add_comment(:asked, 'It is fixed', author_id => 1) \g /dev/null
SET support_ext.now = '2026-11-16 12:00';
SELECT support.add_comment(:asked, 'It is not', author_id => 2) \g /dev/null
SELECT * FROM clocks() WHERE title = 'Asked' AND cancelled IS NULL;

-- What is not said, and what cannot be.
SELECT support.sla_reapply(:everybody, 'yesterday');
\echo :LAST_ERROR_SQLSTATE
SELECT support.sla_reapply(99, 'now');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.verify_stats();

\c contrib_regression
DROP DATABASE regress_sla_from_now;
