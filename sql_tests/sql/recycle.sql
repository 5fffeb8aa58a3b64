-- Delete, restore, purge: nothing is lost before the purge, and nothing is left after it.
CREATE DATABASE regress_recycle;
\c regress_recycle
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (email, full_name, role, organization_id) VALUES
	('ann@desk.example', 'Ann Agent', 'agent', NULL),
	('bob@desk.example', 'Bob Bell', 'agent', NULL),
	('carl@corp.example', 'Carl Customer', 'customer', 1),
	('dora@corp.example', 'Dora Customer', 'customer', 1);
SELECT support.create_team('Printers');
SELECT support.set_actor(1);

-- Two tickets with everything that a ticket may have.
CREATE FUNCTION make_ticket(title text, creator_id bigint) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	ticket_id bigint := support.create_ticket(title, 'It smokes', creator_id, 'high', '{printer, Fire}', requester_id => 3,
		assignee_id => 2, team_id => 1, organization_id => 1, custom => '{"floor": 3}', external_id => title);
	comment_id bigint := support.add_comment(ticket_id, 'Which one?', author_id => 2);
BEGIN
	PERFORM support.add_attachment(ticket_id, 'list.txt', 'left, right', 'text/plain', comment_id);
	PERFORM support.add_attachment(ticket_id, 'fire.jpg', '\xffd8ff', 'image/jpeg');
	PERFORM support.add_comment(ticket_id, 'The left one', author_id => creator_id);
	PERFORM support.add_comment(ticket_id, 'He smokes', is_private => true, author_id => 2);
	PERFORM support.watch_ticket(ticket_id, 4, 'cc');
	PERFORM support.set_status(ticket_id, 'closed');
	RETURN ticket_id;
END
$$;
SELECT make_ticket('Printer on fire', 3);
SELECT make_ticket('Network down', 4);

-- save() keeps copies of the tables; changes() tells in which rows they differ from the copies, byte for byte.
CREATE FUNCTION save() RETURNS void LANGUAGE plpgsql SET client_min_messages = warning AS
$$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{tickets,comments,attachments,ticket_tags,ticket_watchers}'::text[] LOOP
		EXECUTE format('DROP TABLE IF EXISTS saved_%1$s; CREATE TABLE saved_%1$s AS TABLE support.%1$s', name);
	END LOOP;
END
$$;
CREATE FUNCTION changes() RETURNS TABLE (table_name text, missing bigint, extra bigint) LANGUAGE plpgsql AS
$$
BEGIN
	FOREACH table_name IN ARRAY '{tickets,comments,attachments,ticket_tags,ticket_watchers}'::text[] LOOP
		EXECUTE format('SELECT
			(SELECT count(*) FROM saved_%1$s AS s WHERE NOT EXISTS (SELECT FROM support.%1$s AS n WHERE n *= s)),
			(SELECT count(*) FROM support.%1$s AS n WHERE NOT EXISTS (SELECT FROM saved_%1$s AS s WHERE n *= s))', table_name)
		INTO missing, extra;
		IF missing <> 0 OR extra <> 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;
SELECT save();
SELECT * FROM changes();

-- Marked: the row stays, with who and why; lists and reports pass over it.
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.delete_ticket(1, reason => 'spam', expected_version => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM support.tickets WHERE id = 1 \gset
SELECT support.delete_ticket(1, reason => 'spam', expected_version => :version) = :version + 1 AS next_version;
SELECT deleted_at, deleted_by, delete_reason, status FROM support.tickets WHERE id = 1;
SELECT * FROM changes();
SELECT * FROM support.deleted_tickets ORDER BY ticket_id;
SELECT id FROM support.ticket_list ORDER BY id;
SELECT status, tickets FROM support.report_status WHERE tickets > 0;
-- Its number and external_id stay taken.
SELECT support.create_ticket('x', creator_id => 3, ticket_number => 'T-1');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', creator_id => 3, external_id => 'Printer on fire') AS the_one_there_is;
-- Deleting it twice is refused, and so is all other work on it.
SELECT support.delete_ticket(1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_status(1, 'open');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"title": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT deleted_at, delete_reason FROM support.tickets WHERE id = 1;

-- Restored: as it was, but for the version, the time of the change, and nothing else.
SET support_ext.now = '2026-03-02 11:00+00';
SELECT support.restore_ticket(1) = :version + 2 AS version_after_next;
SELECT n.version - s.version AS versions, n.updated_at,
	to_jsonb(n) - '{version,updated_at}'::text[] = to_jsonb(s) - '{version,updated_at}'::text[] AS rest_is_equal
FROM support.tickets AS n JOIN saved_tickets AS s USING (id) WHERE id = 1;
SELECT * FROM changes();
SELECT count(*) FROM support.deleted_tickets;
SELECT support.restore_ticket(1);
\echo :LAST_ERROR_SQLSTATE
SELECT action, table_name, old_value, new_value FROM support.audit_log WHERE ticket_id = 1 ORDER BY id DESC LIMIT 2;

-- An application's own marking is the same thing: who did it is filled in, and a ticket that comes back forgets it.
SELECT save();
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = 1;
SELECT * FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.add_comment(1, 'x');
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET delete_reason = 'duplicate' WHERE id = 1;
UPDATE support.tickets SET deleted_at = NULL WHERE id = 1;
SELECT deleted_at, deleted_by, delete_reason FROM support.tickets WHERE id = 1;
UPDATE support.tickets SET deleted_at = '2026-03-01 09:00+00', deleted_by = 2 WHERE id = 1;
SELECT how, deleted_at, deleted_by FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT deleted_at, deleted_by FROM support.tickets WHERE id = 1;

-- Removed: SQL DELETE means what it says, and the recycle bin has it.
SELECT save();
SET support_ext.now = '2026-03-02 12:00+00';
WITH removed AS (DELETE FROM support.tickets WHERE id = 1 RETURNING id, title) SELECT * FROM removed;
SELECT * FROM changes();
SELECT * FROM support.deleted_tickets ORDER BY ticket_id;
DELETE FROM support.tickets WHERE id = 1 RETURNING id;
SELECT support.delete_ticket(1);
\echo :LAST_ERROR_SQLSTATE
SELECT action, table_name, count(*) FROM support.audit_log
WHERE ticket_id = 1 AND action = 'DELETE' GROUP BY action, table_name ORDER BY table_name;

-- Restored: every column of every row that went with it, the version too. No rule is applied and no book is kept.
SELECT support.restore_ticket(1) = version AS same_version FROM saved_tickets WHERE id = 1;
SELECT * FROM changes();
SELECT id, support.attachment_content(1, id) FROM support.attachments WHERE ticket_id = 1 ORDER BY id;
SELECT count(*) FROM support.deleted_tickets;
SELECT support.restore_ticket(1);
\echo :LAST_ERROR_SQLSTATE
-- The log goes on, and so do the numbers.
SELECT action, table_name, count(*), min(occurred_at) FROM support.audit_log
WHERE ticket_id = 1 AND id > (SELECT max(id) FROM support.audit_log WHERE action = 'DELETE')
GROUP BY action, table_name ORDER BY table_name;
BEGIN;
SELECT support.create_ticket('Next', creator_id => 3) > 2 AS next_id;
SELECT support.set_status(1, 'open') = version + 1 AS next_version FROM saved_tickets WHERE id = 1;
ROLLBACK;

-- What an application deletes first, in the same transaction, comes back as well: an ORM's cascade.
SELECT save();
BEGIN;
DELETE FROM support.attachments WHERE ticket_id = 2;
DELETE FROM support.comments WHERE ticket_id = 2;
DELETE FROM support.ticket_tags WHERE ticket_id = 2;
DELETE FROM support.ticket_watchers WHERE ticket_id = 2;
DELETE FROM support.tickets WHERE id = 2;
COMMIT;
SELECT support.restore_ticket(2) > 0 AS restored;
SELECT * FROM changes() WHERE table_name <> 'tickets';
SELECT to_jsonb(n) - '{version,updated_at}'::text[] = to_jsonb(s) - '{version,updated_at}'::text[] AS is_equal
FROM support.tickets AS n JOIN saved_tickets AS s USING (id) WHERE id = 2;

-- What was deleted in an earlier transaction stays deleted.
DELETE FROM support.comments WHERE ticket_id = 2 AND content = 'The left one';
SELECT support.untag_ticket(2, '{fire}');
SELECT save();
DELETE FROM support.tickets WHERE id = 2;
SELECT support.restore_ticket(2) > 0 AS restored;
SELECT * FROM changes();
SELECT content FROM support.comments WHERE ticket_id = 2 ORDER BY id;

-- Deleted, restored, changed and deleted again in one transaction: the last state counts.
SELECT save();
BEGIN;
DELETE FROM support.tickets WHERE id = 1;
SELECT support.restore_ticket(1) > 0 AS restored;
DELETE FROM support.tickets WHERE id = 1;
COMMIT;
SELECT count(*) FROM support.deleted_tickets WHERE ticket_id = 1;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT * FROM changes();
BEGIN;
DELETE FROM support.tickets WHERE id = 1;
SELECT support.restore_ticket(1) > 0 AS restored;
UPDATE support.tickets SET title = 'Printer burnt down' WHERE id = 1;
UPDATE support.comments SET content = 'The right one' WHERE ticket_id = 1 AND content = 'The left one';
SELECT save();
DELETE FROM support.tickets WHERE id = 1;
COMMIT;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT * FROM changes();
SELECT t.title, c.content FROM support.tickets AS t JOIN support.comments AS c ON c.ticket_id = t.id
WHERE t.id = 1 AND c.content ~ 'right';
-- Days apart it is no different.
DELETE FROM support.tickets WHERE id = 1;
SELECT support.restore_ticket(1) > 0 AS restored;
SET support_ext.now = '2026-03-03 09:00+00';
DELETE FROM support.tickets WHERE id = 1;
SELECT deleted_at FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT * FROM changes();

-- Opened and deleted in one transaction is deleted all the same.
BEGIN;
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (300, 'Fleeting', '', 3);
SELECT support.tag_ticket(300, '{fire}');
DELETE FROM support.tickets WHERE id = 300;
COMMIT;
SELECT ticket_id, title FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(300);
SELECT support.get_ticket(300) -> 'tags' AS tags;
SELECT support.delete_ticket(300) > 0 AS deleted;
SELECT support.purge_deleted('0');
SET support_ext.now = '2026-03-03 09:00:01+00';
SELECT support.purge_deleted('0');

-- A deletion that is rolled back never was; nor is a restore.
BEGIN;
DELETE FROM support.tickets WHERE id = 1;
ROLLBACK;
BEGIN;
SAVEPOINT s;
DELETE FROM support.tickets WHERE id = 1;
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM support.deleted_tickets;
SELECT * FROM changes();
DELETE FROM support.tickets WHERE id = 1;
BEGIN;
SELECT support.restore_ticket(1) > 0 AS restored;
ROLLBACK;
SELECT ticket_id, how FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT * FROM changes();

-- Marked and then removed, a ticket comes back marked, and with the next restore altogether.
SELECT support.delete_ticket(1, 'spam') > 0 AS deleted;
SELECT save();
DELETE FROM support.tickets WHERE id = 1;
SELECT how, reason FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT * FROM changes();
SELECT how, reason FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT count(*) FROM support.deleted_tickets;

-- Of many that went at once one may come back alone.
SELECT save();
DELETE FROM support.tickets;
SELECT ticket_id, ticket_number, title, how, deleted_at, deleted_by FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(2) > 0 AS restored;
SELECT * FROM changes();
SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT * FROM changes();

-- The rules of the day do not keep an old ticket out: forbidden transitions, an assignee who has left, a closed ticket's comments.
INSERT INTO support.status_transitions VALUES ('open', 'closed');
UPDATE support.users SET is_active = false WHERE id = 2;
DELETE FROM support.tickets;
SELECT support.restore_ticket(id) > 0 AS restored FROM generate_series(1, 2) AS id;
SELECT * FROM changes();
UPDATE support.users SET is_active = true WHERE id = 2;
DELETE FROM support.status_transitions;

-- A number that was taken meanwhile keeps it out, until it is free again.
DELETE FROM support.tickets WHERE id = 1;
SELECT support.create_ticket('Took the number', creator_id => 3, ticket_number => 'T-1') AS holder \gset
SELECT support.restore_ticket(1);
\echo :LAST_ERROR_SQLSTATE
SELECT ticket_id, how FROM support.deleted_tickets ORDER BY ticket_id;
SELECT count(*) FROM support.comments WHERE ticket_id = 1;
UPDATE support.tickets SET ticket_number = 'MOVED-1' WHERE id = :holder;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT table_name, missing FROM changes() WHERE missing > 0;
-- So does an external_id.
DELETE FROM support.tickets WHERE id = 1;
UPDATE support.tickets SET external_id = 'Printer on fire' WHERE id = :holder;
SELECT support.restore_ticket(1);
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET external_id = NULL WHERE id = :holder;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT table_name, missing FROM changes() WHERE missing > 0;
-- A removed comment waits for its own external_id likewise.
SELECT support.add_comment(:holder, 'Sent once', external_id => '<once@corp.example>') AS once \gset
DELETE FROM support.comments WHERE ticket_id = :holder AND id = :once;
SELECT support.add_comment(:holder, 'Sent twice', external_id => '<once@corp.example>') AS twice \gset
SELECT support.restore_comment(:holder, :once);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.comments WHERE ticket_id = :holder AND id = :twice;
SELECT support.restore_comment(:holder, :once);

-- So does a creator who is gone, until the user is there again.
SELECT save();
DELETE FROM support.tickets WHERE id IN (1, 2);
DELETE FROM support.users WHERE id = 4;
SELECT support.restore_ticket(2);
\echo :LAST_ERROR_SQLSTATE
SELECT ticket_id FROM support.deleted_tickets WHERE ticket_id = 2;
INSERT INTO support.users (id, email, full_name, organization_id) VALUES (4, 'dora@corp.example', 'Dora Customer', 1);
SELECT support.restore_ticket(2) > 0 AS restored;
-- And anything else that a row refers to.
DELETE FROM support.ticket_tags;
DELETE FROM support.tags;
\set VERBOSITY terse
SELECT support.restore_ticket(1);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT ticket_id FROM support.deleted_tickets WHERE ticket_id = 1;
SELECT count(*) FROM support.tickets WHERE id = 1;
INSERT INTO support.tags (id, name) VALUES (1, 'Fire'), (2, 'printer');
SELECT support.restore_ticket(1) > 0 AS restored;
INSERT INTO support.ticket_tags VALUES (2, 2);
SELECT * FROM changes();

-- Columns may come and go between: younger ones get their default, those that are gone are passed over.
ALTER TABLE support.tickets ADD COLUMN shelf text DEFAULT 'top';
DELETE FROM support.tickets WHERE id = 1;
ALTER TABLE support.tickets DROP COLUMN shelf;
ALTER TABLE support.tickets ADD COLUMN region text NOT NULL DEFAULT 'north';
ALTER TABLE support.comments ADD COLUMN likes integer DEFAULT 0;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT region FROM support.tickets WHERE id = 1;
SELECT DISTINCT likes FROM support.comments WHERE ticket_id = 1;
ALTER TABLE support.tickets DROP COLUMN region;
ALTER TABLE support.comments DROP COLUMN likes;
SELECT * FROM changes();

-- The rows of an application's own tables are its own affair.
CREATE TABLE reminders (ticket_id bigint REFERENCES support.tickets ON DELETE CASCADE, at date);
INSERT INTO reminders VALUES (1, '2026-04-01');
DELETE FROM support.tickets WHERE id = 1;
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT count(*) FROM reminders;

-- What an application's trigger does during a restore follows the rules of the day.
CREATE FUNCTION welcome() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	INSERT INTO support.comments (ticket_id, author_id, content) VALUES (NEW.id, 1, 'Welcome back');
	RETURN NULL;
END
$$;
CREATE TRIGGER welcome AFTER INSERT ON support.tickets FOR EACH ROW EXECUTE FUNCTION welcome();
SELECT support.set_status(1, 'open') > 0 AS opened;
SELECT reply_count AS replies FROM support.tickets WHERE id = 1 \gset
DELETE FROM support.tickets WHERE id = 1;
SELECT support.restore_ticket(1) > 0 AS restored;
DROP TRIGGER welcome ON support.tickets;
SELECT author_role, content FROM support.comments WHERE ticket_id = 1 AND content = 'Welcome back';
SELECT reply_count - :replies AS more_replies FROM support.tickets WHERE id = 1;

-- What never was is not deleted, restored or guessed at.
SELECT support.delete_ticket(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_ticket(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.delete_ticket(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_ticket(NULL);
\echo :LAST_ERROR_SQLSTATE

-- An id that was inserted again is a live ticket: the bin lets go of the old one.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (500, 'First life', 'old', 3);
DELETE FROM support.tickets WHERE id = 500;
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (500, 'Second life', 'new', 3);
SELECT ticket_id, title, how FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(500);
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET title = 'Second life, second title' WHERE id = 500;

-- Purge. First the bin is filled: two are marked, two are removed, on different days.
SELECT support.create_ticket('Marked ' || n, creator_id => 3) > 0 AS made FROM generate_series(1, 2) AS n;
SELECT make_ticket('Removed 1', 3) > 0 AS made;
SELECT make_ticket('Removed 2', 4) > 0 AS made;
SELECT id AS marked1 FROM support.tickets WHERE title = 'Marked 1' \gset
SELECT id AS marked2 FROM support.tickets WHERE title = 'Marked 2' \gset
SELECT id AS removed1 FROM support.tickets WHERE title = 'Removed 1' \gset
SELECT id AS removed2 FROM support.tickets WHERE title = 'Removed 2' \gset
SELECT support.add_attachment(:marked1, 'secret.txt', 'secret') > 0 AS added;
SELECT support.add_comment(:marked1, 'My secret is on file') > 0 AS added;
SELECT support.log_event(:removed1, 'called', '{"secret": 1}', '{"secret": 2}') > 0 AS logged;
SET support_ext.now = '2026-03-10 09:00+00';
SELECT support.delete_ticket(:marked1) > 0 AS deleted;
SET support_ext.now = '2026-03-11 09:00+00';
DELETE FROM support.tickets WHERE id = :removed1;
SET support_ext.now = '2026-03-12 09:00+00';
SELECT support.delete_ticket(:marked2) > 0 AS deleted;
DELETE FROM support.tickets WHERE id = :removed2;
SELECT title, how, deleted_at FROM support.deleted_tickets ORDER BY ticket_id;

-- Bad arguments are refused, and so is everybody but the owner.
SELECT support.purge_deleted('-1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT support.purge_deleted(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.purge_deleted(batch_size => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT support.purge_deleted(batch_size => NULL);
\echo :LAST_ERROR_SQLSTATE
CREATE ROLE regress_recycle_app;
GRANT USAGE ON SCHEMA support TO regress_recycle_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA support TO regress_recycle_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_recycle_app;
SET ROLE regress_recycle_app;
SELECT support.purge_deleted('0');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT count(*) FROM support.deleted_tickets;

-- Nothing is old enough yet; then what is older than the limit goes, in batches, marked or removed.
SELECT support.purge_deleted();
SET support_ext.now = '2026-04-10 10:00+00';
SELECT support.purge_deleted('30 days 1 hour');
SELECT support.set_actor(2);
SELECT support.purge_deleted();
SELECT title FROM support.deleted_tickets ORDER BY ticket_id;
SET support_ext.now = '2026-05-01 09:00+00';
SELECT support.purge_deleted(batch_size => 1);
SELECT support.purge_deleted(batch_size => 1);
SELECT title FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.purge_deleted(batch_size => 1);
SELECT support.purge_deleted(batch_size => 1);

-- What is left of them: who, when and which, and no image.
SELECT count(*) FROM support.deleted_tickets;
SELECT count(*) FROM support.tickets WHERE id IN (:marked1, :marked2, :removed1, :removed2);
SELECT count(*) FROM support.comments WHERE ticket_id IN (:marked1, :marked2, :removed1, :removed2);
SELECT count(*) FROM support_internal.attachment_contents WHERE ticket_id IN (:marked1, :removed1, :removed2);
SELECT count(*) AS entries, count(old_value) AS old_values, count(new_value) AS new_values FROM support.audit_log
WHERE ticket_id IN (:marked1, :marked2, :removed1, :removed2);
SELECT occurred_at, actor_id, action, table_name, record_id = ticket_id AS is_ticket FROM support.audit_log
WHERE action = 'PURGE' ORDER BY id;
SELECT occurred_at, actor_id, action, table_name, old_value, new_value FROM support.audit_log WHERE ticket_id = :marked1 ORDER BY id;
SELECT count(*) FROM support.audit_log WHERE old_value::text ~ 'secret' OR new_value::text ~ 'secret';
SELECT support.restore_ticket(:marked1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_ticket(:removed1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(:removed1);
\echo :LAST_ERROR_SQLSTATE

-- The live tickets have lost nothing, those in their second life neither.
SELECT id, title FROM support.tickets ORDER BY id;
SELECT count(*) FROM support_internal.attachment_contents WHERE ticket_id = 1;
SELECT count(*) > 0 AS has_images FROM support.audit_log WHERE ticket_id = 1 AND old_value IS NOT NULL;
SELECT old_value -> 'title' AS was, new_value -> 'title' AS is FROM support.audit_log WHERE ticket_id = 500 AND action = 'UPDATE';

-- A purge counts from when the mark was made, whatever time it tells: of what was deleted today nothing goes today, neither
-- what somebody dates back, nor what comes in deleted. A mark that is dated back later has been made later.
SET support_ext.now = '2026-05-02 09:00+00';
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (550, 'Dated back', '', 3), (551, 'Dated back later', '', 3);
INSERT INTO support.tickets (id, title, description, creator_id, created_at, deleted_at) VALUES
	(552, 'Came in deleted', '', 3, '2025-12-01 09:00+00', '2025-12-24 09:00+00');
UPDATE support.tickets SET deleted_at = '2001-01-01 00:00+00' WHERE id = 550;
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = 551;
SET support_ext.now = '2026-05-20 09:00+00';
UPDATE support.tickets SET deleted_at = '2001-01-01 00:00+00' WHERE id = 551;
SELECT support.purge_deleted();
SELECT ticket_id, title, how, deleted_at FROM support.deleted_tickets ORDER BY ticket_id;
-- Other changes of a marked ticket do not count.
SET support_ext.now = '2026-05-31 09:00+00';
UPDATE support.tickets SET delete_reason = 'spam' WHERE id = 550;
SET support_ext.now = '2026-06-01 09:00:01+00';
SELECT support.purge_deleted();
SELECT ticket_id, deleted_at FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(550);
\echo :LAST_ERROR_SQLSTATE
-- So it is with a ticket that was marked, removed and restored: it is marked again.
SET support_ext.now = '2026-06-10 09:00+00';
DELETE FROM support.tickets WHERE id = 551;
SELECT support.restore_ticket(551) > 0 AS restored;
SET support_ext.now = '2026-06-30 09:00+00';
SELECT support.purge_deleted();
SELECT support.restore_ticket(551) > 0 AS restored;
SELECT title, deleted_at FROM support.tickets WHERE id = 551;
SET support_ext.now = '2026-05-01 09:00+00';

-- What an application's own cascade takes along with a purged ticket was only removed: it lies in the bin.
ALTER TABLE support.tickets ADD COLUMN parent_id bigint REFERENCES support.tickets ON DELETE CASCADE;
INSERT INTO support.tickets (id, title, description, creator_id, parent_id) VALUES
	(600, 'Parent', '', 3, NULL), (601, 'Child', '', 3, 600), (602, 'Grandchild', '', 3, 601);
SELECT support.add_comment(601, 'The child''s') > 0 AS added;
SELECT support.delete_ticket(600) > 0 AS deleted;
SET support_ext.now = '2026-06-15 09:00+00';
SELECT support.purge_deleted();
SELECT ticket_id, title, how FROM support.deleted_tickets ORDER BY ticket_id;
ALTER TABLE support.tickets DROP COLUMN parent_id;
SELECT support.restore_ticket(id) > 0 AS restored FROM generate_series(601, 602) AS id;
SELECT t.title, c.content FROM support.tickets AS t LEFT JOIN support.comments AS c ON c.ticket_id = t.id WHERE t.id > 600 ORDER BY t.id;

-- A purge that fails has purged nothing, and leaves the log as closed as before.
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'I object'; END $$;
CREATE TRIGGER object BEFORE DELETE ON support.tickets FOR EACH ROW EXECUTE FUNCTION object();
SELECT support.delete_ticket(2) > 0 AS deleted;
SET support_ext.now = '2026-08-01 09:00+00';
SELECT support.purge_deleted();
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER object ON support.tickets;
UPDATE support.audit_log SET action = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.tickets WHERE id = 2;
SELECT ticket_id, how FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.restore_ticket(2) > 0 AS restored;
SELECT count(*) FROM support.comments WHERE ticket_id = 2;

\c contrib_regression
DROP DATABASE regress_recycle;
DROP ROLE regress_recycle_app;
