-- Tags and watchers.
CREATE DATABASE regress_tag;
\c regress_tag
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);
SELECT support.create_ticket('Printer on fire', creator_id => 2);
SELECT support.create_ticket('Another', creator_id => 2);

-- Missing tags are made; the answer is all that the ticket has now, by name.
SELECT support.tag_ticket(1, '{printer, Fire}');
SELECT support.tag_ticket(1, '{smoke, "Third Floor"}');
SELECT name, name_key FROM support.tags ORDER BY id;

-- Names compare without case, and without the white space around them; the first spelling stays.
SELECT support.tag_ticket(1, ARRAY['FIRE', '  smoke', E'Printer\n']);
SELECT support.tag_ticket(2, '{fire, ÄRGER}');
SELECT support.tag_ticket(1, '{ärger}');
SELECT count(*) FROM support.tags;
SELECT support.tag_ticket(2, '{ViP, VIP, vip}');
SELECT support.tag_ticket(2, '{VIP, Vip}');
SELECT count(*) FROM support.tags WHERE name_key = 'vip';

-- None, or one that is there already, changes nothing.
SELECT count(*) AS entries FROM support.audit_log \gset
SELECT support.tag_ticket(1, '{}');
SELECT support.tag_ticket(1, NULL);
SELECT support.tag_ticket(1, '{fire, fire}');
SELECT support.untag_ticket(1, '{absent, "never heard of"}');
SELECT support.untag_ticket(1, '{}');
SELECT support.untag_ticket(1, NULL);
SELECT count(*) - :entries AS new_entries FROM support.audit_log;

-- Untagging takes the tag off this ticket, not off the desk.
SELECT support.untag_ticket(1, '{FIRE, " smoke "}');
SELECT support.untag_ticket(1, '{printer, "third floor", ärger}');
SELECT support.untag_ticket(2, '{absent, vip}');
SELECT count(*) FROM support.tags;

-- The log has each tag that came and went, with its key in the image.
SELECT ticket_id, actor_id, action, record_id, old_value, new_value FROM support.audit_log
WHERE table_name = 'ticket_tags' ORDER BY ticket_id, coalesce(old_value, new_value) ->> 'tag_id', id;
SELECT count(*) FROM support.audit_log WHERE table_name = 'tags' AND action = 'INSERT';
-- A tag is no change of the ticket's row.
SELECT id, version FROM support.tickets ORDER BY id;

-- A blank tag is refused, and nothing of the call remains.
SELECT support.tag_ticket(1, '{good, ""}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.tag_ticket(1, '{good, " "}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.tag_ticket(1, '{good, NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.untag_ticket(2, '{fire, ""}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.tag_ticket(1, ARRAY[repeat('x', 101)]);
\echo :LAST_ERROR_SQLSTATE
SELECT support.tag_ticket(99, '{good}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.untag_ticket(99, '{good}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.tag_ticket(NULL, '{good}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.tags WHERE name = 'good';
SELECT count(*) FROM support.ticket_tags WHERE ticket_id = 1;

-- The plain road knows the same names.
\set VERBOSITY terse
INSERT INTO support.tags (name) VALUES ('FIRE');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.tags (name) VALUES (' ');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.ticket_tags VALUES (99, 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.ticket_tags VALUES (1, 99);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.tags WHERE name = 'Fire';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
INSERT INTO support.tags (name) VALUES ('fire') ON CONFLICT DO NOTHING;
COPY support.tags (name) FROM stdin;
copied
\.
INSERT INTO support.ticket_tags SELECT 1, id FROM support.tags WHERE name = 'copied';
SELECT support.tag_ticket(1, '{Copied}');
DELETE FROM support.ticket_tags WHERE ticket_id = 1;
UPDATE support.tags SET name = 'Pasted' WHERE name = 'copied';
DELETE FROM support.tags WHERE name = 'Pasted';
SELECT action, record_id IS NOT NULL AS has_id, old_value -> 'name' AS was, new_value -> 'name' AS is FROM support.audit_log
WHERE table_name = 'tags' AND action <> 'INSERT' ORDER BY id;

-- Watchers: of one kind each.
SELECT support.watch_ticket(1, 1);
SELECT support.watch_ticket(1, 2, 'cc');
SELECT * FROM support.ticket_watchers ORDER BY user_id;
SELECT support.watch_ticket(1, 1, 'mention');
SELECT support.watch_ticket(1, 1, 'mention');
SELECT support.watch_ticket(2, 2, NULL);
SELECT * FROM support.ticket_watchers ORDER BY ticket_id, user_id;
SELECT support.unwatch_ticket(1, 1);
SELECT support.unwatch_ticket(1, 1);
SELECT * FROM support.ticket_watchers ORDER BY ticket_id, user_id;
SELECT action, old_value, new_value FROM support.audit_log WHERE table_name = 'ticket_watchers' ORDER BY id;
SELECT support.watch_ticket(1, 1, 'spy');
\echo :LAST_ERROR_SQLSTATE
SELECT support.watch_ticket(1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.watch_ticket(99, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.watch_ticket(1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.unwatch_ticket(99, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.ticket_watchers WHERE ticket_id = 1;

-- A deleted ticket is neither tagged nor watched.
SELECT support.delete_ticket(1);
SELECT support.tag_ticket(1, '{late}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.untag_ticket(1, '{late}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.watch_ticket(1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.unwatch_ticket(1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.tags WHERE name = 'late';

\c contrib_regression
DROP DATABASE regress_tag;
