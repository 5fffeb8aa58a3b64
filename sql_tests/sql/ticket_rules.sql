-- How long tickets are kept, by rules.
CREATE DATABASE regress_ticket_rules;
\c regress_ticket_rules
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer'), ('dora@corp.example', 'Dora Customer', 'customer');
SELECT support.set_actor(1);
INSERT INTO support.teams (name) VALUES ('Front');
SELECT support.create_ticket('Spam ' || n, 'buy', 2, tags => '{spam}') FROM generate_series(1, 3) AS n;
SELECT support.create_ticket('Real ' || n, 'help', 2, team_id => 1) FROM generate_series(1, 4) AS n;
SELECT support.add_comment(n, 'Here', author_id => 2) > 0 AS added FROM generate_series(4, 7) AS n;
SELECT support.add_comment(n, 'There') > 0 AS added FROM generate_series(4, 7) AS n;
SELECT support.add_attachment(4, 'a.txt', 'bytes') > 0 AS added;
SELECT support.log_event(4, 'call', NULL, '{"said": "much"}') > 0 AS logged;
DELETE FROM support.comments WHERE ticket_id = 5 AND author_id = 1;
SELECT support.seal_audit() > 0 AS sealed;

-- A rule is made, changed under its name, and rests with NULL.
SELECT support.set_ticket_rule('old', '{"team_id": [1], "category": "solved"}', '3 years', 'erase_content');
SELECT support.set_ticket_rule('old', '{"team_id": 1}', '2 years', 'erase_content');
SELECT support.set_ticket_rule(' spam ', '{"tag": "Spam"}', '30 days', 'purge');
SELECT support.set_ticket_rule('rests', '{}', NULL, 'purge');
SELECT id, name, filters, keep_for, action FROM support.ticket_rules ORDER BY id;
SELECT support.set_ticket_rule('x', '{}', '1 day', 'burn');
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_ticket_rule('x', '{"colour": "red"}', '1 day', 'purge');
SELECT support.set_ticket_rule('x', '{"team_id": "one"}', '1 day', 'purge');
SELECT support.set_ticket_rule('x', '[]', '1 day', 'purge');
SELECT support.set_ticket_rule('x', NULL, '1 day', 'purge');
SELECT support.set_ticket_rule(NULL, '{}', '1 day', 'purge');
SELECT support.set_ticket_rule(' ', '{}', '1 day', 'purge');
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_ticket_rule('x', '{}', '-1 day', 'purge');
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_ticket_rule('x', '{}', '178000000 years', 'purge');
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_ticket_rule('x', '{}', '1 day', NULL);
SELECT support.apply_ticket_rules(batch_size => 0);
\echo :LAST_ERROR_SQLSTATE

-- It counts from when a ticket was solved, whatever it was before; who comes back has time again.
SELECT * FROM support.apply_ticket_rules();
SELECT support.set_status(n, 'closed') > 0 AS closed FROM generate_series(1, 6) AS n;
SET support_ext.now = '2026-03-20 09:00+00';
SELECT support.set_status(3, 'open') > 0 AS reopened;
SELECT support.set_status(3, 'resolved') > 0 AS solved;
SET support_ext.now = '2026-04-10 09:00+00';
SELECT * FROM support.apply_ticket_rules();
SELECT count(*) FROM support.tickets;
SELECT * FROM support.apply_ticket_rules(dry_run => false, batch_size => 1);
SELECT * FROM support.apply_ticket_rules(dry_run => false);
SELECT id FROM support.tickets ORDER BY id;
-- A purge leaves who, when and which.
SELECT action, table_name, old_value, new_value FROM support.audit_log WHERE ticket_id = 1 ORDER BY id;

-- What is old loses its texts and files, and stays.
SET support_ext.now = '2028-04-10 09:00+00';
SELECT support.place_hold(6, reason => 'case') AS hold \gset
SELECT * FROM support.apply_ticket_rules();
SELECT metric, r.n FROM unnest('{created,solved,replies}'::text[]) AS m (metric) CROSS JOIN LATERAL support.report(metric, '2026-01-01', '2026-12-31') AS r;
SELECT * FROM support.apply_ticket_rules(false);
SELECT metric, r.n FROM unnest('{created,solved,replies}'::text[]) AS m (metric) CROSS JOIN LATERAL support.report(metric, '2026-01-01', '2026-12-31') AS r;
SELECT id, title, description, status, solved_at FROM support.tickets ORDER BY id;
SELECT ticket_id, id, content FROM support.comments ORDER BY id;
SELECT ticket_id, filename FROM support.attachments;
SELECT count(*) FROM support_internal.attachment_contents;
SELECT id, action, table_name, record_id, old_value ->> 'content' AS old, new_value FROM support.audit_log WHERE ticket_id = 5 AND (action <> 'UPDATE' OR table_name <> 'tickets') ORDER BY id;
SELECT new_value FROM support.audit_log WHERE action = 'call';
-- Done once, it is done, until something new comes.
SELECT * FROM support.apply_ticket_rules();
SELECT support.add_comment(4, 'After all', is_private => true) > 0 AS noted;
SELECT * FROM support.apply_ticket_rules(false);
SELECT * FROM support.apply_ticket_rules();
SELECT content FROM support.comments WHERE ticket_id = 4 ORDER BY id;
SELECT support.lift_hold(:hold);
SELECT * FROM support.apply_ticket_rules();
-- What purges comes first; what something of one's own holds is left out.
SELECT support.set_ticket_rule('all', '{"status": "closed"}', '0 s', 'purge') > 0 AS set;
CREATE TABLE orders (ticket_id bigint REFERENCES support.tickets (id));
INSERT INTO orders VALUES (5);
SELECT * FROM support.apply_ticket_rules();
SELECT * FROM support.apply_ticket_rules(false);
SELECT id, status FROM support.tickets ORDER BY id;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM support.apply_ticket_rules(false);
ROLLBACK;
SELECT support.seal_audit() > 0 AS sealed;
SELECT finding FROM support.verify_audit();
SELECT * FROM support.verify_stats();
SELECT * FROM support_internal.search_flaws;
SELECT * FROM support_internal.backlog_flaws;

\c contrib_regression
DROP DATABASE regress_ticket_rules;
