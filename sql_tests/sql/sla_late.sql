-- Comments that come in late and out of order: what they answered in time is answered in time, and nobody waits who has
-- his answer.
CREATE DATABASE regress_sla_late;
\c regress_sla_late
CREATE EXTENSION support_ext;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.create_sla_policy('replies', '[
	{"metric": "first_reply", "target": "3 hours", "warn": []},
	{"metric": "next_reply", "target": "2 hours", "warn": []}]') AS policy;
CREATE FUNCTION clocks(ticket bigint)
RETURNS TABLE (metric text, instance integer, state text, consumed interval, started text, ended text, breached text, reason text)
LANGUAGE sql STABLE AS
$$
	SELECT metric, instance, state, consumed, to_char(started_at, 'HH24:MI'), to_char(ended_at, 'HH24:MI'),
		to_char(breached_at, 'HH24:MI'), coalesce(breach_reason, cancel_reason)
	FROM support.sla_clocks WHERE ticket_id = ticket ORDER BY id
$$;
CREATE FUNCTION ledger(ticket bigint)
RETURNS TABLE (metric text, instance integer, kind text, occurred text, consumed interval, reason text)
LANGUAGE sql STABLE AS
$$
	SELECT c.metric, c.instance, e.kind, to_char(e.occurred_at, 'HH24:MI'), e.consumed, e.reason
	FROM support.sla_events AS e JOIN support.sla_clocks AS c ON c.ticket_id = e.ticket_id AND c.id = e.clock_id
	WHERE e.ticket_id = ticket ORDER BY e.id
$$;
CREATE PROCEDURE mail(ticket bigint, author bigint, at text, via text DEFAULT 'email') LANGUAGE sql AS
$$ INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
	VALUES (ticket, author, 'Mail of ' || at, ('2026-11-02 ' || at)::timestamptz, via) $$;

-- At noon the answer of ten is fetched before the question of half past nine.
SET support_ext.now = '2026-11-02 08:00';
SELECT support.create_ticket('Printer on fire', creator_id => 2) AS t \gset
SET support_ext.now = '2026-11-02 09:00';
SELECT support.add_comment(:t, 'Which one?', author_id => 1) \g /dev/null
SET support_ext.now = '2026-11-02 12:00';
CALL mail(:t, 1, '10:00');
CALL mail(:t, 2, '09:30');
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);

-- A breach is announced of a question whose answer, and an earlier question, come in after it.
SET support_ext.now = '2026-11-02 08:00';
SELECT support.create_ticket('Screen black', creator_id => 2) AS t \gset
SET support_ext.now = '2026-11-02 09:00';
SELECT support.add_comment(:t, 'Which one?', author_id => 1) \g /dev/null
SET support_ext.now = '2026-11-02 11:00';
SELECT support.add_comment(:t, 'The left one', author_id => 2) \g /dev/null
SET support_ext.now = '2026-11-02 14:00';
SELECT support.sla_tick() > 0 AS ticked;
SELECT * FROM clocks(:t);
CALL mail(:t, 2, '10:00');
SELECT support.sla_tick() > 0 AS ticked;
SELECT * FROM clocks(:t);
SELECT support.set_status(:t, 'pending', actor_id => 1) \g /dev/null
CALL mail(:t, 1, '11:30');
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);
SELECT from_at, to_at, counted, total, why FROM support.sla_explain(:t, 'next_reply');

-- The answers of half past nine and ten come in after the one of noon, which was too late, and after the solution.
SET support_ext.now = '2026-11-02 08:00';
SELECT support.create_ticket('Mouse gone', creator_id => 2) AS t \gset
SET support_ext.now = '2026-11-02 12:00';
SELECT support.add_comment(:t, 'Look again', author_id => 1) \g /dev/null
SELECT support.set_status(:t, 'resolved', actor_id => 1) \g /dev/null
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-11-02 14:00';
CALL mail(:t, 1, '10:00');
CALL mail(:t, 1, '09:30');
SELECT * FROM clocks(:t);
SELECT metric, decided, achieved, breached FROM support.report_sla ORDER BY 1;
SELECT * FROM support.verify_stats();

-- A question that is taken back was not answered.
SET support_ext.now = '2026-11-02 14:00';
SELECT support.create_ticket('Keys stick', creator_id => 2) AS t \gset
SET support_ext.now = '2026-11-02 15:00';
SELECT support.add_comment(:t, 'Which ones?', author_id => 1) \g /dev/null
SET support_ext.now = '2026-11-02 16:00';
SELECT support.add_comment(:t, 'None', author_id => 2) AS c \gset
SELECT support.delete_comment(:t, :c, actor_id => 2);
SELECT * FROM clocks(:t);

-- In whatever order the mails of a day come in, one by one or at once, by mail or import: the clocks say the same.
CREATE TABLE mails AS
SELECT * FROM (VALUES (1, 2, '08:30'), (2, 1, '09:00'), (3, 2, '10:00'), (4, 1, '11:00'), (5, 2, '15:00')) AS m (n, author, at);
CREATE TABLE orders AS
SELECT array[a.n, b.n, c.n, d.n, e.n] AS ns, via
FROM mails AS a, mails AS b, mails AS c, mails AS d, mails AS e, unnest(ARRAY['email', 'import']) AS via
WHERE (SELECT count(DISTINCT n) FROM unnest(ARRAY[a.n, b.n, c.n, d.n, e.n]) AS n) = 5;
CREATE TABLE shuffled (ticket bigint, ns integer[], via text, at_once boolean);
SET support_ext.now = '2026-11-02 08:00';
INSERT INTO shuffled SELECT support.create_ticket('Shuffled', creator_id => 2), ns, via, at_once
FROM orders, unnest(ARRAY[false, true]) AS at_once;
SET support_ext.now = '2026-11-02 18:00';
DO $$
DECLARE
	s shuffled;
	one integer;
BEGIN
	FOR s IN SELECT * FROM shuffled ORDER BY ticket LOOP
		IF s.at_once THEN
			INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
			SELECT s.ticket, m.author, 'Mail', ('2026-11-02 ' || m.at)::timestamptz, s.via
			FROM mails AS m ORDER BY array_position(s.ns, m.n);
		ELSE
			FOREACH one IN ARRAY s.ns LOOP
				INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
				SELECT s.ticket, m.author, 'Mail', ('2026-11-02 ' || m.at)::timestamptz, s.via
				FROM mails AS m WHERE m.n = one;
			END LOOP;
		END IF;
	END LOOP;
END
$$;
SELECT support.sla_tick(100000) > 0 AS ticked;
SELECT s.at_once, s.via, count(*), min(s.ns), said
FROM shuffled AS s CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', metric, state, started, ended, breached, reason),
	', ' ORDER BY metric, started) AS said FROM clocks(s.ticket)) AS c
GROUP BY s.at_once, s.via, said ORDER BY s.at_once, s.via, count(*) DESC, said;
-- A policy that had promised it all along gives the same, counted once more from the log.
SELECT metric, count(*) FILTER (WHERE state = 'fulfilled' OR breached_at IS NOT NULL) AS decided,
	count(*) FILTER (WHERE breached_at IS NOT NULL) AS breached
FROM support.sla_clocks GROUP BY metric ORDER BY metric;
SELECT metric, decided, breached
FROM support.sla_simulate('{"targets": [{"metric": "first_reply", "target": "3 hours"}, {"metric": "next_reply", "target": "2 hours"}]}',
	'2026-11-01', '2026-12-01') ORDER BY metric;
SELECT support.sla_reapply();
SELECT * FROM support.verify_stats();
-- sla_explain() accounts for each clock.
SELECT count(*) AS clocks, count(*) FILTER (WHERE x.counted <> s.consumed) AS unexplained
FROM support.sla_status AS s
CROSS JOIN LATERAL (SELECT coalesce(sum(e.counted), '0') AS counted
	FROM support.sla_explain(s.ticket_id, s.metric, s.instance) AS e) AS x;

\c contrib_regression
DROP DATABASE regress_sla_late;
