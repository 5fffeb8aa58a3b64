-- Taking changes back: one, or all that somebody did.
CREATE DATABASE regress_undo;
\c regress_undo
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('bob@desk.example', 'Bob Bell', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);
-- The id of the last entry about a table; of a ticket's columns, the last one of a field.
CREATE FUNCTION last_entry(what text, field text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS
$$ SELECT max(id) FROM support.audit_log WHERE table_name = what AND (field IS NULL OR new_value ? field) $$;
-- The ticket in a few words.
CREATE FUNCTION ticket(bigint) RETURNS text LANGUAGE sql AS
$$
	SELECT format('%s, %s, v%s, solved %s, waiting %s, %s replies', status, coalesce(priority, 'unranked'), version,
		coalesce(to_char(solved_at, 'DD'), '-'), coalesce(to_char(waiting_since, 'DD'), '-'), reply_count)
	FROM support.tickets WHERE id = $1
$$;

-- A change of columns, with the books that came with it. The rules for changes of status do not apply to what was before.
SELECT support.create_ticket('Printer on fire', 'It smokes', 3, tags => '{fire}') AS printer \gset
SET support_ext.now = '2026-03-03 09:00+00';
INSERT INTO support.status_transitions VALUES ('open', 'resolved');
SELECT ticket(:printer);
SELECT support.set_status(:printer, 'resolved') AS version;
SELECT ticket(:printer);
SELECT last_entry('tickets') AS solving \gset
SET support_ext.now = '2026-03-04 09:00+00';
SELECT support.undo(:solving, 2) AS undoing \gset
SELECT ticket(:printer);
SELECT id = :undoing AS is_entry, occurred_at, actor_id, action, table_name, old_value ->> 'status' AS was, new_value ->> 'status' AS is
FROM support.audit_log ORDER BY id DESC LIMIT 1;
-- The undoing can be undone, and that too.
SELECT support.undo(:undoing) AS redoing \gset
SELECT ticket(:printer);
SELECT support.undo(:redoing) > :redoing AS done;
SELECT ticket(:printer);
DELETE FROM support.status_transitions;

-- Other columns may have changed meanwhile, this one not, unless it is as it was left.
SELECT support.update_ticket(:printer, '{"title": "Printer in flames", "priority": "high"}') AS version;
SELECT last_entry('tickets') AS both \gset
SET support_ext.now = '2026-03-05 09:00+00';
SELECT support.update_ticket(:printer, '{"channel": "phone"}', actor_id => 2) AS version;
SELECT support.set_priority(:printer, 'low', actor_id => 2) AS version;
SELECT last_entry('tickets') AS between \gset
SELECT support.undo(:both);
\echo :LAST_ERROR_SQLSTATE
SELECT title, priority, channel FROM support.tickets WHERE id = :printer;
SELECT support.undo(:between) > 0 AS done;
SELECT support.undo(:both) > 0 AS done;
SELECT title, priority, channel FROM support.tickets WHERE id = :printer;

-- A ticket that was opened goes again, with its tags, unless others have written on it.
SELECT support.create_ticket('By mistake', '', 3, tags => '{fire, oops}') AS mistake \gset
SELECT last_entry('tickets') AS opening \gset
SELECT support.add_comment(:mistake, 'It was no mistake', actor_id => 2) AS remark \gset
SELECT last_entry('comments') AS remarking \gset
SELECT support.undo(:opening);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(:remarking) > 0 AS done;
SELECT ticket(:mistake);
SELECT support.undo(:opening) AS removal \gset
SELECT count(*) FROM support.tickets WHERE id = :mistake;
SELECT how FROM support.deleted_tickets WHERE ticket_id = :mistake;
SELECT support.undo(:removal) > 0 AS done;
SELECT ticket(:mistake), (SELECT array_agg(g.name ORDER BY g.name) FROM support.ticket_tags JOIN support.tags AS g ON g.id = tag_id WHERE ticket_id = :mistake) AS tags;
UPDATE support.tickets SET description = 'Changed' WHERE id = :mistake;
SELECT support.undo(:opening);
\echo :LAST_ERROR_SQLSTATE

-- A removed ticket comes back whole; one that has come back otherwise does not.
SELECT support.add_comment(:printer, 'Which one?') AS question \gset
SELECT support.add_attachment(:printer, 'list.txt', 'left, right', comment_id => :question) AS list \gset
SELECT ticket(:printer);
DELETE FROM support.tickets WHERE id = :printer;
SELECT last_entry('tickets') AS removal \gset
SELECT support.undo(:removal) > 0 AS done;
SELECT ticket(:printer), convert_from(support.attachment_content(:printer, :list), 'UTF8') AS content;
SELECT support.undo(:removal);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.tickets WHERE id = :printer;
SELECT support.undo(:removal);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(last_entry('tickets')) > 0 AS done;
SELECT count(*) FROM support.comments WHERE ticket_id = :printer;

-- What went with it does not come back without it.
DELETE FROM support.tickets WHERE id = :printer;
SELECT support.undo(last_entry('comments'));
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(last_entry('tickets')) > 0 AS done;

-- Comments: written, edited, marked, removed. The books of the ticket follow.
SET support_ext.now = '2026-03-06 09:00+00';
SELECT support.add_comment(:printer, 'The left one', actor_id => 3) AS answer \gset
SELECT last_entry('comments') AS answering \gset
SELECT ticket(:printer);
SELECT support.edit_comment(:printer, :answer, 'The one on the left', actor_id => 3);
SELECT support.undo(:answering);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(last_entry('comments')) > 0 AS done;
SELECT content, edited_at FROM support.comments WHERE id = :answer;
SELECT support.delete_comment(:printer, :answer, 'private');
SELECT ticket(:printer);
SELECT support.undo(last_entry('comments')) > 0 AS done;
SELECT ticket(:printer);
DELETE FROM support.comments WHERE id = :answer;
SELECT ticket(:printer);
SELECT support.undo(last_entry('comments')) > 0 AS done;
SELECT ticket(:printer);
SELECT support.add_attachment(:printer, 'photo.jpg', '\xffd8ff', comment_id => :answer, actor_id => 2) AS photo \gset
SELECT support.undo(:answering);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(last_entry('attachments')) > 0 AS done;
SELECT support.undo(:answering) > 0 AS done;
SELECT ticket(:printer);

-- Tables without ids: a tag, a watcher, a team's member, a lookup row.
SELECT support.tag_ticket(:printer, '{hot}');
SELECT last_entry('ticket_tags') AS tagging \gset
SELECT support.untag_ticket(:printer, '{hot}', actor_id => 2);
SELECT support.undo(:tagging);
\echo :LAST_ERROR_SQLSTATE
SELECT support.tag_ticket(:printer, '{hot}', actor_id => 2);
SELECT support.undo(:tagging);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(last_entry('ticket_tags')) > 0 AS done;
SELECT array_agg(g.name ORDER BY g.name) FROM support.ticket_tags JOIN support.tags AS g ON g.id = tag_id WHERE ticket_id = :printer;
SELECT support.watch_ticket(:printer, 2);
SELECT last_entry('ticket_watchers') AS watching \gset
SELECT support.watch_ticket(:printer, 2, 'cc');
SELECT support.undo(:watching);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(last_entry('ticket_watchers')) > 0 AS done;
SELECT user_id, kind FROM support.ticket_watchers;
UPDATE support.ticket_watchers SET user_id = 1 WHERE ticket_id = :printer;
SELECT support.undo(last_entry('ticket_watchers')) > 0 AS done;
SELECT user_id, kind FROM support.ticket_watchers;
INSERT INTO support.teams (name) VALUES ('Printers');
SELECT support.add_team_member(1, 1, 5);
SELECT support.add_team_member(1, 2, 5);
DELETE FROM support.team_members WHERE user_id = 1;
SELECT support.undo(last_entry('team_members')) > 0 AS done;
SELECT user_id, capacity FROM support.team_members ORDER BY user_id;
UPDATE support.priorities SET weight = 7 WHERE name = 'low';
SELECT support.undo(last_entry('priorities')) > 0 AS done;
DELETE FROM support.priorities WHERE name = 'urgent';
SELECT support.undo(last_entry('priorities')) > 0 AS done;
SELECT name, rank, weight FROM support.priorities ORDER BY rank;

-- Users, organizations, and a row that got another id.
INSERT INTO support.organizations (name) VALUES ('Corp');
UPDATE support.organizations SET id = 7, name = 'Corporation';
SELECT support.undo(last_entry('organizations')) > 0 AS done;
SELECT id, name FROM support.organizations;
UPDATE support.users SET email = 'Eve@corp.example', full_name = 'Eve' WHERE id = 3;
SELECT support.undo(last_entry('users')) > 0 AS done;
SELECT email, email_key, full_name FROM support.users WHERE id = 3;
SELECT support.create_user('dora@corp.example', 'Dora') AS dora \gset
SELECT support.undo(last_entry('users')) > 0 AS done;
SELECT count(*) FROM support.users WHERE id = :dora;
SELECT support.undo((SELECT id FROM support.audit_log WHERE table_name = 'users' AND action = 'INSERT' AND record_id = 3));
UPDATE support.attachments SET ticket_id = :mistake, comment_id = NULL;
\echo :LAST_ERROR_SQLSTATE

-- What cannot be undone, because it is no change of a record, nothing is left, or nobody could tell of what.
SELECT support.undo(NULL);
SELECT support.undo(0);
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(support.log_event(:printer, 'phone_call'));
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.audit_log (action, table_name, record_id, ticket_id, old_value) VALUES
	('seen', 'tickets', :printer, :printer, '{"title": "x"}'), ('UPDATE', 'shoes', 1, 0, '{}'), ('update', 'tickets', :printer, :printer, '{}'),
	('INSERT', 'ticket_tags', NULL, :printer, NULL), ('DELETE', 'audit_log', 1, 0, '{"id": 1}'), ('INSERT', 'tickets', NULL, :printer, NULL);
CREATE FUNCTION refusal(audit_id bigint) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	detail text;
BEGIN
	RETURN 'entry ' || support.undo(audit_id);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(': ', SQLSTATE, regexp_replace(SQLERRM, 'entry \d+', 'entry N'), nullif(regexp_replace(detail, 'Entry \d+', 'Entry N'), ''));
END
$$;
SELECT table_name, action, refusal(id) FROM (SELECT * FROM support.audit_log ORDER BY id DESC LIMIT 6) AS a ORDER BY id;
SELECT support.add_comment(:printer, 'Books move') > 0 AS done;
SELECT refusal(last_entry('tickets'));
ALTER TABLE support.tickets ADD COLUMN room text;
UPDATE support.tickets SET room = 'E 12', channel = 'web' WHERE id = :printer;
SELECT last_entry('tickets') AS room_and_channel \gset
UPDATE support.tickets SET room = 'E 13' WHERE id = :printer;
SELECT last_entry('tickets') AS room \gset
ALTER TABLE support.tickets DROP COLUMN room;
SELECT refusal(:room);
SELECT refusal(:room_and_channel) ~ '^entry' AS done;
SELECT channel FROM support.tickets WHERE id = :printer;
SELECT support.watch_ticket(:printer, 3);
ALTER TABLE support.ticket_watchers DROP CONSTRAINT ticket_watchers_pkey;
SELECT refusal(last_entry('ticket_watchers'));
SELECT count(*) FROM support.ticket_watchers;
ALTER TABLE support.ticket_watchers ADD CONSTRAINT ticket_watchers_pkey PRIMARY KEY (ticket_id, user_id);
UPDATE support.tickets SET channel = 'phone' WHERE id = :printer;
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER suppress BEFORE UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT refusal(last_entry('tickets'));
DROP TRIGGER suppress ON support.tickets;
ALTER TABLE support.tickets ADD COLUMN r text;
UPDATE support.tickets SET r = 'a column of that name' WHERE id = :printer;
SELECT refusal(last_entry('tickets')) ~ '^entry' AS done;
ALTER TABLE support.tickets DROP COLUMN r;

-- Purged: nothing is left to bring back.
SELECT support.create_ticket('Spam', 'Buy!', 3, tags => '{fire}') AS spam \gset
UPDATE support.tickets SET title = 'Spam!' WHERE id = :spam;
DELETE FROM support.tickets WHERE id = :spam;
SET support_ext.now = '2026-05-01 09:00+00';
SELECT support.purge_deleted();
SELECT table_name, action, refusal(id) FROM support.audit_log WHERE ticket_id = :spam ORDER BY id;

-- An application's trigger that changes the same row meanwhile is held to the rules, and its change is one of its own.
CREATE FUNCTION escalate() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN UPDATE support.tickets SET status = 'resolved', solved_at = '2000-01-01', reply_count = 77 WHERE id = NEW.id; RETURN NULL; END $$;
UPDATE support.tickets SET channel = 'web' WHERE id = :printer;
UPDATE support.tickets SET channel = 'fax' WHERE id = :printer;
SELECT last_entry('tickets') AS faxing \gset
CREATE TRIGGER escalate AFTER UPDATE ON support.tickets FOR EACH ROW WHEN (NEW.channel = 'web' AND NEW.status = 'open') EXECUTE FUNCTION escalate();
SELECT support.undo(:faxing) > 0 AS done;
SELECT channel, status, solved_at, reply_count < 77 AS books_kept FROM support.tickets WHERE id = :printer;
DROP TRIGGER escalate ON support.tickets;

-- In a block that fails, and in a subtransaction that is rolled back, it leaves no trace.
SELECT support.update_ticket(:printer, '{"title": "Printer cold"}') > 0 AS done;
SELECT last_entry('tickets') AS cooling \gset
DO $$
DECLARE
	cooling bigint := last_entry('tickets');
BEGIN
	BEGIN
		PERFORM support.undo(cooling);
		RAISE EXCEPTION 'second thoughts';
	EXCEPTION WHEN raise_exception THEN
		RAISE NOTICE '%', (SELECT max(title) FROM support.tickets WHERE title ~ 'Printer');
	END;
	BEGIN
		PERFORM support.undo(1 + cooling);
	EXCEPTION WHEN no_data_found THEN
		RAISE NOTICE '%', SQLERRM ~ 'audit entry \d+ does not exist';
	END;
END
$$;
BEGIN;
SAVEPOINT s;
SELECT support.undo(:cooling) > 0 AS done;
ROLLBACK TO s;
SELECT title FROM support.tickets WHERE id = :printer;
SELECT support.undo(:cooling) > 0 AS done;
COMMIT;
SELECT title FROM support.tickets WHERE id = :printer;
BEGIN READ ONLY;
SELECT support.undo(:cooling);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM support.undo_since(1, 'infinity', dry_run => false);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- What somebody did since, all of it: a stolen account.
SET support_ext.now = '2026-05-02 09:00+00';
SELECT support.set_actor(2);
SELECT support.create_ticket('Screen black', 'As the night', 3) AS screen \gset
SELECT support.add_comment(:screen, 'Is it plugged in?') > 0 AS done;
SELECT support.add_comment(:screen, 'It is', actor_id => 3) > 0 AS done;
CREATE TABLE before AS SELECT id, to_jsonb(t) - '{version,updated_at}'::text[] AS ticket FROM support.tickets AS t;
CREATE TABLE comments_before AS TABLE support.comments;
CREATE TABLE tags_before AS TABLE support.ticket_tags;
SET support_ext.now = '2026-05-03 09:00+00';
SELECT support.set_actor(2);
SELECT count(support.update_ticket(id, '{"title": "Hacked", "tags": []}')) FROM support.tickets;
SELECT count(support.add_comment(id, 'Send money', status => 'pending')) FROM support.tickets;
SELECT support.create_ticket('Send money', 'Now', 3) > 0 AS done;
SELECT support.create_user('mallory@evil.example', 'Mallory', 'admin') > 0 AS done;
DELETE FROM support.tickets WHERE id = :printer;
SELECT support.restore_ticket(:printer) > 0 AS done;
UPDATE support.comments SET content = 'Gone' WHERE ticket_id = :screen AND author_id = 3;
-- logged in another order than made: the comment opens the ticket that the statement has put on hold
WITH u AS (UPDATE support.tickets SET status = 'on_hold' WHERE id = :screen)
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (:screen, 3, 'Hold the line');
WITH t AS (INSERT INTO support.tickets (id, title, description, creator_id) VALUES (666, 'Of my own', '', 3))
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (666, 3, 'Indeed');
DELETE FROM support.comments WHERE ticket_id = :screen;
SELECT support.delete_ticket(:screen, 'ha') > 0 AS done;
SELECT support.log_event(NULL, 'hacked') > 0 AS done;
BEGIN;
DELETE FROM support.comments WHERE ticket_id = :printer;
DELETE FROM support.tickets WHERE id = :printer;
COMMIT;
SELECT support.set_actor(1);
SET support_ext.now = '2026-05-04 09:00+00';
-- A look at it first: nothing changes, nothing is logged.
SELECT count(*) AS entries FROM support.audit_log \gset
SELECT count(*), count(refusal) AS refused, count(*) = count(DISTINCT audit_id) AS once, min(occurred_at), max(occurred_at) FROM support.undo_since(2, '2026-05-03');
SELECT action, table_name, record_id IS NULL AS without_id, refusal FROM support.undo_since(2, '2026-05-03') LIMIT 6;
SELECT count(*) - :entries AS new_entries FROM support.audit_log;
CREATE TEMPORARY TABLE tried_before AS SELECT * FROM support.undo_since(2, '2026-05-03');
BEGIN READ ONLY;
SELECT count(*) AS foreseen_otherwise FROM (SELECT * FROM support.undo_since(2, '2026-05-03') EXCEPT TABLE tried_before) AS f;
COMMIT;
-- Then in earnest.
SELECT count(*), count(refusal) AS refused FROM support.undo_since(2, '2026-05-03', dry_run => false);
SELECT * FROM
	(SELECT id, to_jsonb(t) - '{version,updated_at}'::text[] AS ticket FROM support.tickets AS t) AS now
	FULL JOIN before USING (id) WHERE now.ticket IS DISTINCT FROM before.ticket;
(TABLE support.comments EXCEPT TABLE comments_before) UNION ALL (TABLE comments_before EXCEPT TABLE support.comments);
(TABLE support.ticket_tags EXCEPT TABLE tags_before) UNION ALL (TABLE tags_before EXCEPT TABLE support.ticket_tags);
SELECT count(*) FROM support.users WHERE full_name = 'Mallory';
-- It is in the log, by who did it, and can be taken back as well.
SELECT DISTINCT actor_id FROM support.audit_log WHERE occurred_at = '2026-05-04 09:00+00';
SELECT support.set_actor(3);
SET support_ext.now = '2026-05-05 09:00+00';
SELECT count(*) > 0 AS done, count(refusal) AS refused FROM support.undo_since(1, '2026-05-04', dry_run => false);
SELECT count(*) FROM support.tickets WHERE title = 'Hacked';
SET support_ext.now = '2026-05-06 09:00+00';
SELECT count(*) > 0 AS done FROM support.undo_since(3, '2026-05-05', dry_run => false);
SELECT * FROM
	(SELECT id, to_jsonb(t) - '{version,updated_at}'::text[] AS ticket FROM support.tickets AS t) AS now
	FULL JOIN before USING (id) WHERE now.ticket IS DISTINCT FROM before.ticket;

-- All or nothing: what others have touched since holds up the whole, and what nothing speaks against can be undone alone.
SET support_ext.now = '2026-05-07 09:00+00';
SELECT support.set_actor(2);
SELECT support.set_priority(:screen, 'urgent') > 0 AS done, support.set_priority(:printer, 'urgent') > 0 AS done;
SELECT support.add_comment(:screen, 'Still black?') > 0 AS done;
SELECT support.set_actor(1);
SELECT support.set_priority(:printer, 'low') > 0 AS done;
SELECT support.add_comment(:screen, 'It works again') > 0 AS done;
SET support_ext.now = '2026-05-08 09:00+00';
SELECT action, table_name, record_id = :printer AS of_printer, regexp_replace(refusal, 'ntry \d+', 'ntry N', 'g') AS refusal
FROM support.undo_since(2, '2026-05-07');
-- Where nothing can be written, as on a standby, the log tells the same.
CREATE TEMPORARY TABLE tried AS SELECT * FROM support.undo_since(2, '2026-05-07');
BEGIN READ ONLY;
SELECT count(*), count(refusal) AS refused FROM support.undo_since(2, '2026-05-07');
(SELECT * FROM support.undo_since(2, '2026-05-07') EXCEPT TABLE tried) UNION ALL (TABLE tried EXCEPT SELECT * FROM support.undo_since(2, '2026-05-07'));
SELECT count(*) FROM support.undo_since(2, '2026-05-07', dry_run => false);
\echo :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
COMMIT;
SELECT count(*) FROM support.undo_since(2, '2026-05-07', dry_run => false);
\echo :LAST_ERROR_SQLSTATE
SELECT ticket(:screen), ticket(:printer);
SELECT count(support.undo(audit_id)) FROM support.undo_since(2, '2026-05-07') WHERE refusal IS NULL;
SELECT ticket(:screen), ticket(:printer);
-- Replies are counted anew where others have written since.
SET support_ext.now = '2026-05-09 09:00+00';
SELECT support.add_comment(:screen, 'One', actor_id => 2) > 0 AS one, support.add_comment(:screen, 'Two', actor_id => 1) > 0 AS two;
SET support_ext.now = '2026-05-10 09:00+00';
SELECT reply_count FROM support.tickets WHERE id = :screen;
SELECT action, table_name FROM support.undo_since(2, '2026-05-09', dry_run => false);
SELECT reply_count FROM support.tickets WHERE id = :screen;

-- Nobody, nothing, and what has been purged since.
SELECT count(*) FROM support.undo_since(4711, '-infinity');
SELECT count(*) FROM support.undo_since(2, 'infinity', dry_run => false);
SELECT count(*) FROM support.undo_since(NULL, '2026-05-09');
SELECT count(*) FROM support.undo_since(2, NULL);
SELECT count(*) FROM support.undo_since(2, '2026-05-10', NULL);
SELECT support.set_actor(2);
SELECT support.create_ticket('Spam again', '', 3) AS spam \gset
SELECT support.set_priority(:screen, 'high') > 0 AS done;
DELETE FROM support.tickets WHERE id = :spam;
SET support_ext.now = '2026-07-01 09:00+00';
SELECT support.purge_deleted(actor_id => 1) > 0 AS purged;
SELECT action, table_name, refusal FROM support.undo_since(2, '2026-05-10', dry_run => false);

-- A bad macro: a thousand changes.
SET support_ext.now = '2026-07-02 09:00+00';
INSERT INTO support.tickets (title, description, creator_id) SELECT 'Ticket ' || n, '', 3 FROM generate_series(1, 1000) AS n;
SET support_ext.now = '2026-07-03 09:00+00';
UPDATE support.tickets SET status = 'closed' WHERE title ~ '^Ticket';
SELECT count(*), count(refusal) AS refused FROM support.undo_since(2, '2026-07-03');
SELECT count(*), count(refusal) AS refused FROM support.undo_since(2, '2026-07-03', dry_run => false);
SELECT status, solved_at, count(*) FROM support.tickets WHERE title ~ '^Ticket' GROUP BY 1, 2;

-- Rights: to call it, and to make the opposite change.
CREATE ROLE regress_undo_clerk;
GRANT USAGE ON SCHEMA support TO regress_undo_clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO regress_undo_clerk;
UPDATE support.tickets SET channel = 'mail' WHERE id = :screen;
SELECT last_entry('tickets') AS mailing \gset
SET ROLE regress_undo_clerk;
SELECT support.undo(:mailing);
SELECT count(*) FROM support.undo_since(2, '2026-07-03');
RESET ROLE;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_undo_clerk;
SET ROLE regress_undo_clerk;
SELECT support.undo(:mailing);
SELECT table_name, refusal FROM support.undo_since(2, '2026-07-03') LIMIT 1;
RESET ROLE;
GRANT UPDATE ON support.tickets TO regress_undo_clerk;
ALTER TABLE support.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON support.tickets FOR SELECT TO regress_undo_clerk USING (true);
CREATE POLICY write ON support.tickets FOR UPDATE TO regress_undo_clerk USING (title ~ '^Ticket');
SET ROLE regress_undo_clerk;
SELECT support.undo(:mailing);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT channel FROM support.tickets WHERE id = :screen;
ALTER POLICY write ON support.tickets USING (true);
SET ROLE regress_undo_clerk;
SELECT support.undo(:mailing, NULL) > 0 AS done;
RESET ROLE;
SELECT db_role, actor_id FROM support.audit_log ORDER BY id DESC LIMIT 1;
SELECT support.undo(last_entry('tickets'), 4711);
\echo :LAST_ERROR_SQLSTATE

-- An import that went wrong, of rows of no ticket: what others have changed since is told row by row, among all the rest.
SET support_ext.now = '2026-08-02 10:00+00';
SELECT support.set_actor(1);
INSERT INTO support.tags (name) VALUES ('kept');
SET support_ext.now = '2026-08-02 11:00+00';
SELECT support.set_actor(2);
INSERT INTO support.tags (name) SELECT 'import ' || n FROM generate_series(1, 400) AS n;
UPDATE support.tags SET name = 'imported ' || substr(name, 8) WHERE name ~ '^import [12]$';
DELETE FROM support.tags WHERE name IN ('import 3', 'kept');
SET support_ext.now = '2026-08-02 12:00+00';
SELECT support.set_actor(1);
UPDATE support.tags SET name = name || '!' WHERE name ~ '^import (100|101|250|399|400)$';
SET support_ext.now = '2026-08-02 13:00+00';
SELECT action, old_value ->> 'name' AS old_name, new_value ->> 'name' AS new_name, regexp_replace(refusal, 'ntry \d+', 'ntry N', 'g') AS refusal
FROM support.undo_since(2, '2026-08-02 11:00+00') WITH ORDINALITY AS u (id, at, action, table_name, record_id, ticket_id, refusal, n)
JOIN support.audit_log AS a USING (action, id)
WHERE refusal IS NOT NULL OR action <> 'INSERT' ORDER BY n;
SELECT count(*), count(refusal) AS refused FROM support.undo_since(2, '2026-08-02 11:00+00') AS u;
SELECT name FROM support.tags WHERE name ~ '!$' ORDER BY id LIMIT 1;
UPDATE support.tags SET name = rtrim(name, '!');
SELECT count(*), count(refusal) AS refused FROM support.undo_since(2, '2026-08-02 11:00+00', false) AS u;
SELECT name FROM support.tags WHERE name ~ '^(import|kept)' ORDER BY id;


-- A column that gets another type between two changes of it.
ALTER TABLE support.tickets ADD COLUMN shelf text;
UPDATE support.tickets SET shelf = 'one' WHERE id = :screen;
SELECT support.undo(last_entry('tickets', 'shelf')) > 0 AS done;
ALTER TABLE support.tickets ALTER COLUMN shelf TYPE integer USING 7;
UPDATE support.tickets SET shelf = 8 WHERE id = :screen;
SELECT support.undo(last_entry('tickets', 'shelf')) > 0 AS done;
SELECT shelf FROM support.tickets WHERE id = :screen;

\c contrib_regression
DROP DATABASE regress_undo;
DROP ROLE regress_undo_clerk;
