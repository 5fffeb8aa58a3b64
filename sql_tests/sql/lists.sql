-- Lists cost what they show: an index gives each its order, and a reply leaves all of them as they are.
CREATE DATABASE regress_lists;
\c regress_lists
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role)
VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer'),
	('cleo@corp.example', 'Cleo Customer', 'customer');

-- Whose ticket it is follows from requester and creator, whatever a client says of it.
CREATE VIEW customers AS SELECT id, requester_id, creator_id, customer_id, version FROM support.tickets;
INSERT INTO support.tickets (title, description, creator_id, requester_id, customer_id)
VALUES ('Own', '', 2, NULL, 3), ('For another', '', 1, 2, NULL);
COPY support.tickets (title, description, creator_id, requester_id, customer_id) FROM stdin;
Copied		1	3	2
\.
SELECT * FROM customers ORDER BY id;
UPDATE support.tickets SET customer_id = 1;
UPDATE support.tickets SET customer_id = NULL;
SELECT * FROM customers ORDER BY id;
SELECT support.update_ticket(1, '{"customer_id": 1}');
SELECT support.update_ticket(1, '{"requester_id": 3}');
SELECT support.update_ticket(2, '{"requester_id": null}');
SELECT support.transfer_ticket_ownership(2, 3);
SELECT * FROM customers ORDER BY id;

-- The log has nothing of it; it is found again in what is undone, restored or looked back at.
SELECT action, old_value, new_value FROM support.audit_log WHERE ticket_id = 1 ORDER BY id;
SET support_ext.now = '2026-03-03 09:00+00';
UPDATE support.tickets SET requester_id = 2 WHERE id = 3;
DELETE FROM support.tickets WHERE id = 3;
SELECT t ->> 'customer_id' AS customer_id FROM support.ticket_as_of(3, '2026-03-02 12:00+00') AS t;
SELECT support.restore_ticket(3) > 0 AS restored;
SELECT * FROM customers WHERE id = 3;
SELECT support.undo(max(id)) IS NOT NULL AS undone FROM support.audit_log WHERE ticket_id = 3 AND action = 'UPDATE';
SELECT * FROM customers WHERE id = 3;

-- Where the desk ran without its triggers, install() fills it in, and nobody has changed anything.
SET session_replication_role = replica;
UPDATE support.tickets SET customer_id = NULL;
RESET session_replication_role;
SELECT count(*) AS entries FROM support.audit_log \gset
SELECT support.install();
SELECT *, count(*) OVER () = 3 AS all_there FROM customers ORDER BY id;
SELECT count(*) - :entries AS entries FROM support.audit_log;

-- A trigger of the application that comes after ours cannot make it another's ticket unseen; one that comes before can.
CREATE FUNCTION route() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.requester_id := 3; RETURN NEW; END $$;
CREATE TRIGGER zz_route BEFORE INSERT OR UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION route();
INSERT INTO support.tickets (title, description, creator_id) VALUES ('Routed', '', 2);
UPDATE support.tickets SET title = 'Routed' WHERE requester_id IS NULL;
ALTER TRIGGER zz_route ON support.tickets RENAME TO a_route;
BEGIN;
INSERT INTO support.tickets (title, description, creator_id) VALUES ('Routed', '', 2) RETURNING requester_id, customer_id;
ROLLBACK;
DROP TRIGGER a_route ON support.tickets;

-- A desk on which one ticket of twenty is unsolved, and nobody has more than forty.
INSERT INTO support.teams (name) SELECT 'Team ' || n FROM generate_series(1, 200) AS n;
INSERT INTO support.organizations (name) SELECT 'Organization ' || n FROM generate_series(1, 200) AS n;
INSERT INTO support.users (email, full_name, role)
SELECT n || '@desk.example', 'Agent ' || n, 'agent' FROM generate_series(4, 203) AS n;
INSERT INTO support.tickets (title, description, creator_id, requester_id, created_at, status, team_id, assignee_id, organization_id)
SELECT
	'Ticket ' || n,
	'',
	4 + n * 7 % 200,
	CASE WHEN n % 3 = 0 THEN 4 + n * 11 % 200 END,
	'2026-01-01 00:00+00'::timestamptz + n * interval '5 minutes',
	CASE WHEN n % 200 = 0 THEN 'pending' WHEN n % 20 = 0 THEN 'open' ELSE 'closed' END,
	1 + n * 13 % 200,
	4 + n * 17 % 200,
	1 + n * 19 % 200
FROM generate_series(1, 8000) AS n;
VACUUM ANALYZE;
SET enable_bitmapscan = off;

-- Each list by age.
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.ticket_list ORDER BY created_at DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.ticket_list WHERE status = 'pending' ORDER BY created_at DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.ticket_list WHERE assignee_id = 7 ORDER BY created_at DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.ticket_list WHERE team_id = 7 ORDER BY created_at DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.ticket_list WHERE requester_id = 7 ORDER BY created_at DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.ticket_list WHERE organization_id = 7 ORDER BY created_at DESC LIMIT 50;

-- A page by its last row.
EXPLAIN (COSTS OFF)
SELECT id, created_at FROM support.ticket_list
WHERE assignee_id = 7 AND (created_at, id) < ('2026-01-20 12:00+00', 5000)
ORDER BY created_at DESC, id DESC
LIMIT 50;

-- What the list shows of others is joined only where it is asked for.
EXPLAIN (COSTS OFF) SELECT count(*) FROM support.ticket_list WHERE assignee_id = 7;

-- What is unsolved comes from the backlog.
EXPLAIN (COSTS OFF) SELECT id, next_due_at FROM support.unsolved_tickets ORDER BY next_due_at LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id, created_at FROM support.unsolved_tickets WHERE assignee_id = 7 ORDER BY created_at LIMIT 10;
-- a status that few are in is found by the index of tickets
EXPLAIN (COSTS OFF) SELECT id, next_due_at FROM support.unsolved_tickets WHERE status = 'pending' ORDER BY next_due_at LIMIT 10;

-- No list brings an order of its own, which whoever joins, counts or sorts it would pay for; reports do.
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = 'support'::regnamespace
	AND c.relkind = 'v'
	AND c.relname !~ '^report_'
	AND pg_get_viewdef(c.oid) ~ '\n *ORDER BY [^\n]*;$';

-- Replies leave the indexes of tickets as they are, once a page has room for them; an index on what a reply changes does not.
ALTER TABLE support.tickets SET (autovacuum_enabled = off);
CREATE FUNCTION hot_share() RETURNS numeric LANGUAGE sql AS
	'SELECT round(n_tup_hot_upd::numeric / nullif(n_tup_upd, 0), 1) FROM pg_stat_user_tables WHERE relid = ''support.tickets''::regclass';
CREATE FUNCTION reply(by_customer boolean) RETURNS bigint LANGUAGE sql AS
$$
	SELECT count(support.add_comment(id, 'Yes.', author_id => CASE WHEN by_customer THEN customer_id ELSE 1 END))
	FROM support.tickets
	WHERE status = 'open'
$$;
VACUUM FULL support.tickets;
ALTER TABLE support.tickets SET (fillfactor = 50);
VACUUM FULL support.tickets;
SELECT pg_stat_reset() IS NOT NULL AS reset;
SELECT reply(by_customer => false);
SELECT pg_stat_force_next_flush() IS NOT NULL AS flushed;
SELECT hot_share();
CREATE INDEX my_queue ON support.tickets (assignee_id, waiting_since);
SELECT pg_stat_reset() IS NOT NULL AS reset;
SELECT reply(by_customer => true);
SELECT pg_stat_force_next_flush() IS NOT NULL AS flushed;
SELECT hot_share();

\c postgres
DROP DATABASE regress_lists;
