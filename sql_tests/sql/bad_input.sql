-- Bad input: each SQLSTATE of the manual's table, on each road that can meet it, and nothing changed.
CREATE DATABASE regress_bad_input;
\c regress_bad_input
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

-- Ticket 1 is open, 2 closed, 3 marked as deleted, 4 removed; there is no 99.
INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (email, full_name, role, external_id) VALUES
	('ann@desk.example', 'Ann Agent', 'agent', NULL),
	('carl@corp.example', 'Carl Customer', 'customer', 'crm-2'),
	('lena@desk.example', 'Lena Light', 'light_agent', NULL),
	('ida@desk.example', 'Ida Gone', 'agent', NULL);
UPDATE support.users SET is_active = false WHERE id = 4;
SELECT support.create_team('Printers');
SELECT support.set_actor(1);
SELECT support.create_ticket('Ticket ' || n, creator_id => 2, tags => '{fire}', external_id => 'x-' || n) FROM generate_series(1, 4) AS n;
SELECT support.add_comment(n, 'Hm') FROM generate_series(1, 4) AS n;
SELECT support.add_attachment(1, 'a.txt', 'content', comment_id => 1);
SELECT support.set_status(2, 'closed');
SELECT support.delete_ticket(3);
DELETE FROM support.tickets WHERE id = 4;
SELECT count(*) FROM support.tickets;

-- What is where, in all tables of the desk, and who acts. :check tells whether it is as it was.
CREATE FUNCTION digest() RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	part text;
	whole text := support.actor_id()::text;
	relation regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_class AS c
		WHERE c.relnamespace IN ('support'::regnamespace, 'support_internal'::regnamespace)
			AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('elsewhere', 'impostor', 'lookalike')
		ORDER BY c.relname
	LOOP
		EXECUTE format('SELECT md5(string_agg(t::text, '','' ORDER BY t::text COLLATE "C")) FROM %s AS t', relation) INTO part;
		whole := concat_ws(' ', whole, relation, part);
	END LOOP;
	RETURN whole;
END
$$;
CREATE TABLE saved AS SELECT digest();
\set check 'SELECT digest() IS DISTINCT FROM digest AS changed FROM saved \\gset \\\\ \\echo SQLSTATE :LAST_ERROR_SQLSTATE, changed: :changed'
-- COPY leaves psql's variable alone, so there the server's message shows the SQLSTATE.
\set check_copy 'SELECT digest() IS DISTINCT FROM digest AS changed FROM saved \\gset \\\\ \\echo changed: :changed'

-- P0002: an unknown ticket, in each function that takes one, …
SELECT support.get_ticket(99);
:check
SELECT support.get_ticket_by_number('T-99');
:check
SELECT * FROM support.show_ticket(99);
:check
SELECT support.update_ticket(99, '{"title": "x"}');
:check
SELECT support.set_status(99, 'open');
:check
SELECT support.set_priority(99, 'high');
:check
SELECT support.assign_ticket(99, 1);
:check
SELECT support.transfer_ticket_ownership(99, 1);
:check
SELECT support.add_comment(99, 'x');
:check
SELECT support.edit_comment(99, 1, 'x');
:check
SELECT support.delete_comment(99, 1);
:check
SELECT support.restore_comment(99, 1);
:check
SELECT support.add_attachment(99, 'x', 'x');
:check
SELECT support.attachment_content(99, 1);
:check
SELECT support.tag_ticket(99, '{x}');
:check
SELECT support.untag_ticket(99, '{x}');
:check
SELECT support.watch_ticket(99, 1);
:check
SELECT support.unwatch_ticket(99, 1);
:check
SELECT support.delete_ticket(99);
:check
SELECT support.restore_ticket(99);
:check
SELECT support.log_event(99, 'x');
:check
-- … an unknown user, …
SELECT support.set_actor(99);
:check
SELECT support.deactivate_user(99);
:check
SELECT support.add_team_member(1, 99);
:check
SELECT support.create_ticket('x', creator_id => 99);
:check
SELECT support.create_ticket('x', requester_id => 99);
:check
SELECT support.transfer_ticket_ownership(1, 99);
:check
SELECT support.add_comment(1, 'x', author_id => 99);
:check
SELECT support.watch_ticket(1, 99);
:check
SELECT support.set_status(1, 'pending', actor_id => 99);
:check
-- … and what else may be unknown.
SELECT support.create_user('x@corp.example', 'X', organization_id => 99);
:check
SELECT support.create_ticket('x', organization_id => 99);
:check
SELECT support.add_team_member(99, 1);
:check
SELECT support.edit_comment(1, 99, 'x');
:check
SELECT support.delete_comment(1, 99);
:check
SELECT support.restore_comment(1, 99);
:check
SELECT support.add_attachment(1, 'x', 'x', comment_id => 99);
:check
SELECT support.attachment_content(1, 99);
:check

-- 55000: a deleted ticket, marked …
SELECT support.get_ticket(3);
:check
SELECT support.get_ticket_by_number('T-3');
:check
SELECT * FROM support.show_ticket(3);
:check
SELECT support.update_ticket(3, '{"title": "x"}');
:check
SELECT support.set_status(3, 'open');
:check
SELECT support.set_priority(3, 'high');
:check
SELECT support.assign_ticket(3, 1);
:check
SELECT support.transfer_ticket_ownership(3, 1);
:check
SELECT support.add_comment(3, 'x');
:check
SELECT support.add_comment(3, 'x', is_private => true);
:check
SELECT support.edit_comment(3, 3, 'x');
:check
SELECT support.delete_comment(3, 3);
:check
SELECT support.restore_comment(3, 3);
:check
SELECT support.add_attachment(3, 'x', 'x');
:check
SELECT support.tag_ticket(3, '{x}');
:check
SELECT support.untag_ticket(3, '{fire}');
:check
SELECT support.watch_ticket(3, 1);
:check
SELECT support.unwatch_ticket(3, 1);
:check
SELECT support.delete_ticket(3);
:check
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (3, 1, 'x');
:check
-- … or removed.
SELECT support.get_ticket(4);
:check
SELECT support.get_ticket_by_number('T-4');
:check
SELECT * FROM support.show_ticket(4);
:check
SELECT support.update_ticket(4, '{"title": "x"}');
:check
SELECT support.set_status(4, 'open');
:check
SELECT support.add_comment(4, 'x');
:check
SELECT support.edit_comment(4, 4, 'x');
:check
SELECT support.restore_comment(4, 4);
:check
SELECT support.add_attachment(4, 'x', 'x');
:check
SELECT support.attachment_content(4, 1);
:check
SELECT support.tag_ticket(4, '{x}');
:check
SELECT support.delete_ticket(4);
:check
SELECT support.log_event(4, 'x');
:check
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (4, 1, 'x');
:check
\set VERBOSITY sqlstate
COPY support.comments (ticket_id, author_id, content, is_private) FROM stdin;
3	1	x	true
\.
:check_copy
COPY support.comments (ticket_id, author_id, content) FROM stdin;
4	1	x
\.
:check_copy
\set VERBOSITY default
-- A public comment on a closed one.
SELECT support.add_comment(2, 'x');
:check
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 1, 'x'), (2, 1, 'x');
:check
INSERT INTO support.comments (ticket_id, author_id, content, external_id) VALUES (2, 1, 'x', 'm-1') ON CONFLICT DO NOTHING;
:check
MERGE INTO support.comments AS c USING (VALUES (2)) AS s (ticket_id) ON c.ticket_id = s.ticket_id AND c.content = 'x'
WHEN NOT MATCHED THEN INSERT (ticket_id, author_id, content) VALUES (s.ticket_id, 1, 'x');
:check
\set VERBOSITY sqlstate
COPY support.comments (ticket_id, author_id, content) FROM stdin;
1	1	x
2	1	x
\.
:check_copy
\set VERBOSITY default
-- What is not deleted is not restored.
SELECT support.restore_ticket(1);
:check
SELECT support.restore_comment(1, 1);
:check
-- A comment that was deleted.
BEGIN;
SELECT support.delete_comment(1, 1) IS NOT NULL AS deleted;
SAVEPOINT s;
SELECT support.delete_comment(1, 1);
ROLLBACK TO s;
SELECT support.edit_comment(1, 1, 'x');
ROLLBACK TO s;
SELECT support.add_attachment(1, 'x', 'x', comment_id => 1);
ROLLBACK;
:check
-- Nobody acts, or nobody who may.
SELECT support.set_actor(4);
:check
SELECT support.set_status(1, 'pending', actor_id => 4);
:check
SELECT support.set_actor(NULL);
CREATE TABLE saved_without_actor AS TABLE saved;
UPDATE saved SET digest = digest();
SELECT support.create_ticket('x');
:check
SELECT support.add_comment(1, 'x');
:check
UPDATE saved SET digest = (SELECT digest FROM saved_without_actor);
SELECT support.set_actor(1);
-- A record keeps its key, and the log its entries.
UPDATE support.tickets SET id = 5 WHERE id = 1;
:check
UPDATE support.comments SET ticket_id = 2 WHERE id = 1;
:check
UPDATE support.audit_log SET actor_id = 2;
:check
DELETE FROM support.audit_log;
:check
TRUNCATE support.comments CASCADE;
:check

-- 23503: unknown status, priority, assignee and team, on every road.
SELECT support.create_ticket('x', status => 'opne');
:check
SELECT support.set_status(1, 'opne');
:check
SELECT support.update_ticket(1, '{"title": "x", "status": "opne"}');
:check
SELECT support.add_comment(1, 'x', status => 'opne');
:check
INSERT INTO support.tickets (title, description, creator_id, status) VALUES ('x', '', 2, 'open'), ('x', '', 2, 'opne');
:check
UPDATE support.tickets SET status = 'opne';
:check
SELECT support.create_ticket('x', priority => 'hihg');
:check
SELECT support.set_priority(1, 'hihg');
:check
SELECT support.update_ticket(1, '{"title": "x", "priority": "hihg"}');
:check
INSERT INTO support.tickets (title, description, creator_id, priority) VALUES ('x', '', 2, 'hihg');
:check
UPDATE support.tickets SET priority = 'hihg' WHERE id = 1;
:check
SELECT support.create_ticket('x', assignee_id => 99);
:check
SELECT support.assign_ticket(1, 99);
:check
SELECT support.update_ticket(1, '{"title": "x", "assignee_id": 99}');
:check
INSERT INTO support.tickets (title, description, creator_id, assignee_id) VALUES ('x', '', 2, 99);
:check
UPDATE support.tickets SET assignee_id = 99 WHERE id = 1;
:check
-- A customer, a light agent or an inactive user is no assignee either.
SELECT support.assign_ticket(1, 2);
:check
SELECT support.assign_ticket(1, 3);
:check
SELECT support.assign_ticket(1, 4);
:check
UPDATE support.tickets SET assignee_id = 2 WHERE id = 1;
:check
SELECT support.deactivate_user(1, reassign_to => 2);
:check
SELECT support.create_ticket('x', team_id => 99);
:check
SELECT support.assign_ticket(1, 1, 99);
:check
SELECT support.update_ticket(1, '{"title": "x", "team_id": 99}');
:check
INSERT INTO support.tickets (title, description, creator_id, team_id) VALUES ('x', '', 2, 99);
:check
UPDATE support.tickets SET team_id = 99 WHERE id = 1;
:check
\set VERBOSITY sqlstate
COPY support.tickets (title, description, creator_id, status) FROM stdin;
x	x	2	opne
\.
:check_copy
COPY support.tickets (title, description, creator_id, priority) FROM stdin;
x	x	2	hihg
\.
:check_copy
COPY support.tickets (title, description, creator_id, assignee_id) FROM stdin;
x	x	2	2
\.
:check_copy
COPY support.tickets (title, description, creator_id, team_id) FROM stdin;
x	x	2	99
\.
:check_copy
-- The server's own foreign keys hold the rest.
INSERT INTO support.tickets (title, description, creator_id) VALUES ('x', '', 99);
:check
UPDATE support.tickets SET requester_id = 99 WHERE id = 1;
:check
SELECT support.update_ticket(1, '{"organization_id": 99}');
:check
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 99, 'x');
:check
INSERT INTO support.attachments (ticket_id, comment_id, filename) VALUES (2, 1, 'x');
:check
INSERT INTO support.ticket_watchers (ticket_id, user_id) VALUES (1, 99);
:check
DELETE FROM support.users WHERE id = 2;
:check
DELETE FROM support.statuses WHERE name = 'open';
:check
\set VERBOSITY default

-- 22023: a bad argument, an unknown or refused key.
SELECT support.get_ticket(NULL);
:check
SELECT support.set_status(NULL, 'open');
:check
SELECT support.get_ticket(1, page_size => 0);
:check
SELECT support.update_ticket(1, NULL);
:check
SELECT support.update_ticket(1, '["title"]');
:check
SELECT support.update_ticket(1, '{"title": "x", "titel": "x"}');
:check
SELECT support.update_ticket(1, '{"title": "x", "version": 1}');
:check
SELECT support.update_ticket(1, '{"title": "x", "creator_id": 1}');
:check
SELECT support.update_ticket(1, '{"title": "x", "tags": ["good", ""]}');
:check
SELECT support.update_ticket(1, '{"title": "x", "tags": [1]}');
:check
SELECT support.update_ticket(1, '{"title": "x", "custom": 1}');
:check
SELECT support.create_ticket('x', tags => '{good,""}');
:check
SELECT support.tag_ticket(1, '{good,NULL}');
:check
SELECT support.untag_ticket(1, '{fire,""}');
:check
SELECT support.watch_ticket(1, 1, 'spy');
:check
SELECT support.create_user('x@corp.example', 'X', 'boss');
:check
SELECT support.add_attachment(1, 'x', NULL);
:check
SELECT support.purge_deleted('-1 day');
:check
SELECT support.purge_deleted(batch_size => 0);
:check
SELECT support.log_event(1, 'DELETE');
:check
SET support_ext.actor_id = 'ann';
:check
SET support_ext.now = 'yesterday evening';
:check
\set VERBOSITY sqlstate
SET support_ext.fold_every = -1;
:check
SELECT support.configure('max_attachment_size', '-1');
:check
SELECT support.configure('attachment_size', '1MB');
:check
INSERT INTO support_internal.settings (name, value) VALUES ('retention', 'a while');
:check

-- 22008: out of the times that there are.
SELECT support.purge_deleted('178000000 years');
:check
SELECT * FROM support.sla_at_risk('178000000 years');
:check

-- 22001: too long; the server counts the white space around a line, too.
SELECT support.create_ticket(repeat(' ', 500) || 'x');
:check
SELECT support.create_ticket(repeat('x', 501));
:check
SELECT support.update_ticket(1, jsonb_build_object('title', repeat('x', 501)));
:check
INSERT INTO support.tickets (title, description, creator_id) VALUES (repeat('x', 501), '', 2);
:check
UPDATE support.tickets SET title = repeat('x', 501) WHERE id = 1;
:check
SELECT support.create_ticket('x', ticket_number => repeat('x', 51));
:check
SELECT support.create_user(repeat('x', 256), 'X');
:check
SELECT support.create_team(repeat('x', 256));
:check
SELECT support.add_attachment(1, repeat('x', 256), 'x');
:check
SELECT support.tag_ticket(1, ARRAY['good', repeat('x', 101)]);
:check
COPY support.tags (name) FROM stdin;
good
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
\.
:check_copy

-- 23502: NULL where it is not allowed and there is no default.
SELECT support.create_ticket(NULL);
:check
SELECT support.set_status(1, NULL);
:check
SELECT support.update_ticket(1, '{"priority": "high", "title": null}');
:check
INSERT INTO support.tickets (title, creator_id) VALUES ('x', 2);
:check
INSERT INTO support.tickets (title, description) VALUES ('x', 'x');
:check
UPDATE support.tickets SET version = NULL, title = NULL WHERE id = 1;
:check
SELECT support.add_comment(1, NULL);
:check
SELECT support.edit_comment(1, 1, NULL);
:check
SELECT support.create_user(NULL, 'X');
:check
SELECT support.create_team(NULL);
:check
INSERT INTO support.users (full_name) VALUES ('X');
:check
INSERT INTO support.audit_log (new_value) VALUES ('{}');
:check
COPY support.tickets (title, description, creator_id) FROM stdin;
x	x	2
\N	x	2
\.
:check_copy

-- 23514: blank, and other checks.
SELECT support.create_ticket('');
:check
SELECT support.create_ticket(E' \t\n');
:check
SELECT support.update_ticket(1, '{"priority": "high", "title": " "}');
:check
INSERT INTO support.tickets (title, description, creator_id) VALUES ('', '', 2);
:check
UPDATE support.tickets SET title = '' WHERE id = 1;
:check
UPDATE support.tickets SET custom = '[]' WHERE id = 1;
:check
SELECT support.add_comment(1, '');
:check
SELECT support.edit_comment(1, 1, ' ');
:check
SELECT support.add_comment(1, 'x', via => 'pigeon');
:check
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 1, ' ');
:check
SELECT support.add_attachment(1, ' ', 'x');
:check
SELECT support.create_user(' ', 'X');
:check
SELECT support.add_team_member(1, 1, -1);
:check
SELECT support.log_event(1, '');
:check
SELECT support.log_event(1, NULL);
:check
INSERT INTO support.users (email, full_name, role) VALUES ('x@corp.example', 'X', 'boss');
:check
INSERT INTO support.statuses (name, category, position) VALUES ('asleep', 'dreaming', 1);
:check
COPY support.tickets (title, description, creator_id) FROM stdin;
x	x	2
 	x	2
\.
:check_copy
\set VERBOSITY default

-- SU001: a stale version, in each function that asks for one.
SELECT support.set_status(1, 'pending', 1);
:check
SELECT support.set_priority(1, 'high', 1);
:check
SELECT support.assign_ticket(1, 1, NULL, 1);
:check
SELECT support.transfer_ticket_ownership(1, 1, 1);
:check
SELECT support.update_ticket(1, '{"title": "x", "tags": ["x"]}', 1);
:check
SELECT support.add_comment(1, 'x', expected_version => 1);
:check
SELECT support.delete_ticket(1, expected_version => 1);
:check

-- SU002: a transition that is not in the table.
INSERT INTO support.status_transitions VALUES ('open', 'pending'), ('pending', 'open');
UPDATE saved SET digest = digest();
SELECT support.set_status(1, 'closed');
:check
SELECT support.update_ticket(1, '{"title": "x", "status": "closed"}');
:check
SELECT support.add_comment(1, 'x', status => 'closed');
:check
UPDATE support.tickets SET status = 'closed' WHERE id = 1;
:check
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (1, 'x', '', 2)
ON CONFLICT (id) DO UPDATE SET status = 'closed';
:check
MERGE INTO support.tickets AS t USING (VALUES (1)) AS s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET status = 'closed';
:check
DELETE FROM support.status_transitions;
UPDATE saved SET digest = digest();

-- 54000: an attachment that is too large.
BEGIN;
SELECT support.configure('max_attachment_size', '1kB');
SELECT support.add_attachment(1, 'x', convert_to(repeat('x', 1025), 'UTF8'));
ROLLBACK;
:check

-- 23505: a number, an e-mail address or an external_id that is taken; the detail of a function's error names the holder.
SELECT support.create_ticket('x', ticket_number => 'T-1');
:check
SELECT support.create_ticket('x', ticket_number => 'T-3');
:check
SELECT support.create_user('Carl@Corp.example', 'X');
:check
SELECT support.create_user('x@corp.example', 'X', external_id => 'crm-2');
:check
SELECT support.create_team('Printers');
:check
BEGIN;
SELECT support.create_ticket('Took the number', ticket_number => 'T-4') AS holder;
SELECT support.restore_ticket(4);
ROLLBACK;
:check
\set VERBOSITY sqlstate
SELECT support.update_ticket(1, '{"title": "x", "ticket_number": "T-2"}');
:check
SELECT support.update_ticket(1, '{"title": "x", "external_id": "x-2"}');
:check
INSERT INTO support.tickets (title, description, creator_id, ticket_number) VALUES ('x', '', 2, 'T-1');
:check
INSERT INTO support.tickets (title, description, creator_id, external_id) VALUES ('x', '', 2, 'x-1');
:check
UPDATE support.tickets SET ticket_number = 'T-2' WHERE id = 1;
:check
INSERT INTO support.users (email, full_name) VALUES ('CARL@corp.example', 'X');
:check
INSERT INTO support.tags (name) VALUES ('FIRE');
:check
COPY support.tickets (title, description, creator_id, ticket_number) FROM stdin;
x	x	2	T-1
\.
:check_copy
COPY support.users (email, full_name) FROM stdin;
CARL@corp.example	X
\.
:check_copy
\set VERBOSITY default

-- The trigger functions know when they are not where they belong: called by hand, …
SELECT support_internal.before_row();
:check
SELECT support_internal.after_row();
:check
SELECT support_internal.refuse_truncate();
:check
SELECT support_internal.guard_log();
:check
-- … on a table that is not the desk's, though it has the columns, lies in its schema or has its name, …
CREATE TABLE lookalike (LIKE support.tickets INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON lookalike FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('tickets');
INSERT INTO lookalike (title, description, creator_id) VALUES ('x', '', 1);
:check
ALTER TABLE lookalike RENAME TO tickets;
INSERT INTO tickets (title, description, creator_id) VALUES ('x', '', 1);
:check
DROP TRIGGER t ON tickets;
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tickets');
INSERT INTO tickets (title, description, creator_id) VALUES ('x', '', 1);
:check
DROP TABLE tickets;
CREATE TABLE lookalike (LIKE support.audit_log INCLUDING ALL);
CREATE TRIGGER t BEFORE INSERT ON lookalike FOR EACH ROW EXECUTE FUNCTION support_internal.guard_log('audit_log');
INSERT INTO lookalike (action) VALUES ('x');
:check
DROP TABLE lookalike;
CREATE ROLE regress_bad_input_builder;
CREATE TABLE support_internal.lookalike (LIKE support.tags INCLUDING ALL);
ALTER TABLE support_internal.lookalike OWNER TO regress_bad_input_builder;
CREATE TRIGGER t AFTER INSERT ON support_internal.lookalike FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tags');
INSERT INTO support_internal.lookalike (id, name) VALUES (77, 'x');
:check
DROP TABLE support_internal.lookalike;
DROP ROLE regress_bad_input_builder;
SELECT count(*) FROM support.audit_log WHERE table_name = 'tickets' AND record_id > 4 OR table_name = 'tags' AND record_id = 77;
-- … on one that lacks the columns, …
CREATE TABLE support_internal.elsewhere (id bigint, title text);
CREATE TRIGGER t BEFORE INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('tickets');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t AFTER INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('comments');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t AFTER INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('ticket_tags');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t BEFORE INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.guard_log('audit_log');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
-- … also one that has them by name and not by type, …
CREATE TABLE support_internal.impostor (LIKE support.comments);
ALTER TABLE support_internal.impostor ALTER created_at TYPE text USING NULL, ALTER is_private TYPE text USING NULL;
CREATE TRIGGER t AFTER INSERT ON support_internal.impostor FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('comments');
INSERT INTO support_internal.impostor (ticket_id, id, author_id, content, created_at, is_private, via) VALUES (1, 1, 1, 'x', 'long ago', 'yes', 'api');
:check
-- … without a table's name, or with one that there is not, …
CREATE TRIGGER t BEFORE INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.before_row();
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t AFTER INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tickest');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t AFTER INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tags', 'teams');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t BEFORE TRUNCATE ON support_internal.elsewhere FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('elsewhere');
TRUNCATE support_internal.elsewhere;
:check
DROP TRIGGER t ON support_internal.elsewhere;
-- … at the wrong time, …
CREATE TRIGGER t AFTER INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('tags');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t BEFORE INSERT ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tags');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE VIEW support_internal.elsewhere_view AS TABLE support_internal.elsewhere;
CREATE TRIGGER t INSTEAD OF INSERT ON support_internal.elsewhere_view FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('tags');
INSERT INTO support_internal.elsewhere_view VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere_view;
CREATE TRIGGER t AFTER TRUNCATE ON support_internal.elsewhere FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('tags');
TRUNCATE support_internal.elsewhere;
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t AFTER DELETE ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.guard_log('audit_log');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
DELETE FROM support_internal.elsewhere;
:check
DROP TRIGGER t ON support_internal.elsewhere;
-- … or for statements instead of rows.
CREATE TRIGGER t BEFORE INSERT ON support_internal.elsewhere FOR EACH STATEMENT EXECUTE FUNCTION support_internal.before_row('tags');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t AFTER INSERT ON support_internal.elsewhere FOR EACH STATEMENT EXECUTE FUNCTION support_internal.after_row('tags');
INSERT INTO support_internal.elsewhere VALUES (1, 'x');
:check
DROP TRIGGER t ON support_internal.elsewhere;
CREATE TRIGGER t BEFORE UPDATE ON support_internal.elsewhere FOR EACH ROW EXECUTE FUNCTION support_internal.refuse_truncate('tags');
UPDATE support_internal.elsewhere SET title = 'y';
:check
DROP TRIGGER t ON support_internal.elsewhere;
SELECT * FROM support_internal.elsewhere;

-- Programs read which constraint refused from the error's fields: ours name what the server's own would.
CREATE FUNCTION constraint_of(statement text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	schema_name text;
	table_name text;
	constraint_name text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN integrity_constraint_violation OR foreign_key_violation OR unique_violation THEN
	GET STACKED DIAGNOSTICS schema_name = SCHEMA_NAME, table_name = TABLE_NAME, constraint_name = CONSTRAINT_NAME;
	RETURN concat_ws(' ', SQLSTATE, schema_name, table_name, constraint_name);
END
$$;
SELECT constraint_of(statement), statement
FROM (VALUES
	('UPDATE support.tickets SET status = ''opne'' WHERE id = 1'),
	('SELECT support.set_priority(1, ''hgih'')'),
	('SELECT support.assign_ticket(1, 99)'),
	('SELECT support.assign_ticket(1, 2)'),
	('SELECT support.assign_ticket(1, 4)'),
	('SELECT support.assign_ticket(1, NULL, team_id => 99)'),
	('UPDATE support.tickets SET creator_id = 99 WHERE id = 1'),
	('SELECT support.create_ticket(''x'', creator_id => 2, ticket_number => ''T-1'')'),
	('SELECT support.create_user(''CARL@corp.example'', ''x'')'),
	('SELECT support.create_user(''x@corp.example'', ''x'', external_id => ''crm-2'')'),
	('SELECT support.create_team(''Printers'')')) AS s (statement);

-- A desk of another layout, as a restore under another version leaves it, is refused with the way out, by function and plain DML.
UPDATE support_internal.schema_version SET version = 0;
\c
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END
$$;
SELECT refusal('SELECT support.get_ticket(1)');
SELECT refusal('SELECT support.create_ticket(''x'', creator_id => 2)');
SELECT refusal('SELECT support.set_actor(1)');
SELECT refusal('INSERT INTO support.tickets (title, description, creator_id) VALUES (''x'', '''', 2)');
SELECT refusal('UPDATE support.tickets SET status = ''pending'' WHERE id = 1');
SELECT refusal('DELETE FROM support.tickets WHERE id = 1');
SELECT title, status FROM support.tickets ORDER BY id;
UPDATE support_internal.schema_version SET version = 1000;
\c
SELECT refusal('SELECT support.get_ticket(1)');
SELECT refusal('SELECT support.install()');
UPDATE support_internal.schema_version SET version = 0;
\c
SELECT support.install();
SELECT support.set_status(1, 'pending', actor_id => 1) > 0 AS works_again;
SELECT support.restore_ticket(4) > 0 AS restored;

\c contrib_regression
DROP DATABASE regress_bad_input;
