-- A person is exported, erased and forgotten everywhere; what is held stays.
CREATE DATABASE regress_privacy;
\c regress_privacy
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (email, full_name, role, organization_id, external_id, time_zone) VALUES
	('ann@desk.example', 'Ann Agent', 'agent', NULL, NULL, NULL),
	('gate@desk.example', 'Gate', 'bot', NULL, NULL, NULL),
	('carl@corp.example', 'Carl Xylander', 'customer', 1, 'crm-xylander', 'Europe/Berlin'),
	('dora@corp.example', 'Dora Customer', 'customer', 1, NULL, NULL);
ALTER TABLE support.users ADD COLUMN phone text;
UPDATE support.users SET phone = '555-xylander', email = 'xylander@corp.example' WHERE id = 3;
SELECT support.set_actor(1);
SELECT support.create_sla_policy('Standard', '[{"metric": "resolution", "target": "40 hours"}, {"metric": "first_reply", "target": "1 hour"}]');

-- Carl's ticket, with all that there can be.
SELECT support.create_ticket('Xylander printer', 'The xylander printer smokes', 3, 'high', '{printer}', external_id => 'mail-xylander-1',
	custom => '{"plan": "gold"}', organization_id => 1, actor_id => 2);
SELECT support.update_ticket(1, '{"title": "Xylander''s printer"}');
SELECT support.add_comment(1, 'Dear Mr Xylander, which one?');
SELECT support.add_comment(1, 'Yours, Carl Xylander', author_id => 3, external_id => '<1@xylander.example>', actor_id => 2);
SELECT support.add_attachment(1, 'xylander.jpg', 'bytes of xylander', 'image/jpeg', 2, actor_id => 2);
SELECT support.add_attachment(1, 'xylander.txt', 'his own words', actor_id => 2);
SELECT support.add_attachment(1, 'manual.pdf', 'a manual');
SELECT support.add_attachment(1, 'the manual of xylander.pdf', 'a manual', actor_id => 3);
SELECT support.edit_comment(1, 2, 'Yours, C. Xylander', actor_id => 3);
SELECT support.add_comment(1, 'xylander was here', author_id => 3, actor_id => 3);
DELETE FROM support.comments WHERE id = 3;
SELECT support.watch_ticket(1, 3);
SELECT support.log_event(1, 'call', NULL, '{"said": "xylander said"}', actor_id => 3) > 0 AS logged;
SELECT support.log_event(NULL, 'visit', NULL, '{"at": "xylander street"}', actor_id => 3) > 0 AS logged;
-- Dora's ticket, on which he wrote, and which he deleted; one that he opened and gave away; one that was removed.
SELECT support.create_ticket('Network down', 'Ask Carl Xylander', 4, requester_id => NULL, actor_id => 4);
SELECT support.add_comment(2, 'Me, too. xylander', author_id => 3, is_private => true, actor_id => 3);
SELECT support.delete_ticket(2, 'says xylander', actor_id => 3);
SELECT support.restore_ticket(2);
SELECT support.create_ticket('Given by xylander', 'xylander', 3, actor_id => 3);
SELECT support.transfer_ticket_ownership(3, 4);
SELECT support.create_ticket('Removed xylander', 'xylander', 3, actor_id => 3);
SELECT support.add_comment(4, 'xylander again', author_id => 3, actor_id => 3);
SELECT support.add_attachment(4, 'xylander.bin', 'xylander bytes', actor_id => 3);
DELETE FROM support.tickets WHERE id = 4;
-- One for him by another.
SELECT support.create_ticket('Chair for Carl', 'From Ann', 1, requester_id => 3);
SELECT support.set_status(1, 'resolved');
SELECT support.seal_audit() > 0 AS sealed;
SELECT support.fold_stats() >= 0 AS folded;

-- What there is of him.
SELECT e.key, jsonb_typeof(e.value) AS type, CASE jsonb_typeof(e.value) WHEN 'array' THEN jsonb_array_length(e.value) END AS n
FROM jsonb_each(support.export_user(3)) AS e ORDER BY e.key COLLATE "C";
SELECT jsonb_pretty(support.export_user(3) -> 'user') AS "user";
SELECT jsonb_pretty(jsonb_path_query_array(support.export_user(3), '$.attachments[*]')) AS attachments;
SELECT a ->> 'action' AS action, a ->> 'table_name' AS table_name, a ->> 'record_id' AS record_id, a ->> 'ticket_id' AS ticket_id
FROM jsonb_array_elements(support.export_user(3) -> 'earlier') AS a;
SELECT support.export_user(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.export_user(NULL);
\echo :LAST_ERROR_SQLSTATE

-- A dry run tells, and changes nothing.
CREATE TABLE reports AS
SELECT m.metric, r.*
FROM unnest(ARRAY['created', 'solved', 'reopened', 'entered', 'replies', 'customer_comments', 'first_reply', 'resolution', 'backlog', 'open', 'unanswered']) AS m (metric)
CROSS JOIN LATERAL support.report(m.metric, '2026-03-01', '2026-03-08', 'day', group_by => 'requester') AS r;
CREATE TABLE clocks AS TABLE support.sla_clocks;
SELECT max(id) AS last FROM support.audit_log \gset
CREATE TABLE dry_run AS SELECT * FROM support.erase_user(3);
SELECT * FROM dry_run;
SELECT count(*) AS changed FROM support.audit_log WHERE id > :last;
SELECT full_name FROM support.users WHERE id = 3;

-- What refuses it.
SELECT support.erase_user(99);
SELECT support.erase_user(NULL);
SELECT support.assign_ticket(3, 1) > 0 AS assigned;
SELECT support.erase_user(1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.place_hold(ticket_id => 3, reason => 'case 4711') AS hold \gset
SELECT support.erase_user(3);
\echo :LAST_ERROR_SQLSTATE
SELECT support.erase_user(3, dry_run => false);
SELECT support.lift_hold(:hold);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT support.erase_user(3, false);
ROLLBACK;
-- In a savepoint it comes to nothing.
BEGIN;
SAVEPOINT a;
SELECT count(*) > 0 AS erased FROM support.erase_user(3, false);
SELECT full_name FROM support.users WHERE id = 3;
ROLLBACK TO a;
SELECT full_name, email FROM support.users WHERE id = 3;
COMMIT;
SELECT entries > 0 AS sealed, erased, finding FROM support.verify_audit();

-- For good.
SET support_ext.now = '2026-03-03 09:00+00';
CREATE TABLE erased AS SELECT * FROM support.erase_user(3, dry_run => false);
(TABLE dry_run EXCEPT TABLE erased) UNION ALL (TABLE erased EXCEPT TABLE dry_run);
SELECT id, email, full_name, is_active, role, organization_id, db_role, external_id, time_zone, phone FROM support.users WHERE id = 3;
SELECT id, title, description, status, external_id, custom, delete_reason FROM support.tickets ORDER BY id;
SELECT ticket_id, id, author_id, content, external_id, edited_at FROM support.comments ORDER BY id;
SELECT ticket_id, id, filename, byte_size, sha256 IS NULL AS gone FROM support.attachments ORDER BY id;
SELECT ticket_id, convert_from(content, 'UTF8') AS content FROM support_internal.attachment_contents ORDER BY 1, 2;
SELECT id, action, table_name, record_id, ticket_id, old_value, new_value FROM support.audit_log
WHERE (ticket_id = 0 AND record_id = 3 AND table_name = 'users') OR action = ANY ('{ERASE,call,visit}') OR old_value ?| '{title,content,filename}'
ORDER BY id;
-- Nothing says his name but what others wrote.
SELECT 'log' AS place, id::text, left(concat_ws(' ', old_value, new_value), 100) AS found FROM support.audit_log WHERE concat_ws(' ', old_value, new_value) ~* 'xylander'
UNION ALL SELECT 'users', id::text, t::text FROM support.users AS t WHERE t::text ~* 'xylander'
UNION ALL SELECT 'tickets', id::text, t.description FROM support.tickets AS t WHERE t::text ~* 'xylander'
UNION ALL SELECT 'comments', id::text, t.content FROM support.comments AS t WHERE t::text ~* 'xylander'
UNION ALL SELECT 'attachments', id::text, t::text FROM support.attachments AS t WHERE t::text ~* 'xylander'
UNION ALL SELECT 'words', ticket_id || '/' || comment_id, t.words::text FROM support.search_words AS t WHERE t::text ~* 'xylander'
UNION ALL SELECT 'contents', ticket_id::text, t.content::text FROM support_internal.attachment_contents AS t WHERE convert_from(t.content, 'UTF8') ~* 'xylander';
-- All else is as it was.
SELECT * FROM support_internal.search_flaws;
SELECT * FROM support_internal.backlog_flaws;
SELECT * FROM support.verify_stats();
SELECT * FROM support.check_history();
SELECT entries > 0 AS sealed, erased > 0 AS erased, first_bad, finding FROM support.verify_audit();
CREATE VIEW reports_now AS
SELECT m.metric, r.*
FROM unnest(ARRAY['created', 'solved', 'reopened', 'entered', 'replies', 'customer_comments', 'first_reply', 'resolution', 'backlog', 'open', 'unanswered']) AS m (metric)
CROSS JOIN LATERAL support.report(m.metric, '2026-03-01', '2026-03-08', 'day', group_by => 'requester') AS r;
SELECT count(*) FROM ((SELECT metric, bucket_at, group_value, n, average FROM reports EXCEPT SELECT metric, bucket_at, group_value, n, average FROM reports_now WHERE bucket_at < '2026-03-03')) AS d WHERE bucket_at < '2026-03-03';
(TABLE clocks EXCEPT TABLE support.sla_clocks) UNION ALL (TABLE support.sla_clocks EXCEPT TABLE clocks);
SELECT kind, entries FROM support_internal.audit_seals ORDER BY seal_id;

-- What an entry keeps is sealed: who bends it is found, and so is who forges a mark or takes one away.
SELECT support.check_audit_proof(support.audit_proof(13)), support.audit_proof(13) -> 'entry' ? 'old_value' AS tells_values;
BEGIN;
ALTER TABLE support.audit_log DISABLE TRIGGER support_before;
UPDATE support.audit_log SET old_value = old_value || '{"version": 7}' WHERE id = 13;
SELECT first_bad, finding FROM support.verify_audit();
ROLLBACK;
BEGIN;
ALTER TABLE support.audit_log DISABLE TRIGGER support_before;
UPDATE support.audit_log SET old_value = NULL, new_value = NULL WHERE id = 13;
SELECT first_bad, finding FROM support.verify_audit();
DELETE FROM support_internal.audit_redactions WHERE audit_id = 13;
SELECT first_bad, finding FROM support.verify_audit();
ROLLBACK;
BEGIN;
UPDATE support_internal.audit_redactions SET seal_id = 1 WHERE audit_id = 13;
SELECT first_bad, finding FROM support.verify_audit();
ROLLBACK;
BEGIN;
INSERT INTO support_internal.audit_redactions SELECT era, xid, 10, seal_id, digest, salt FROM support_internal.audit_redactions WHERE audit_id = 13;
SELECT first_bad, finding FROM support.verify_audit();
ROLLBACK;
BEGIN;
UPDATE support_internal.audit_redactions SET digest = sha256('x') WHERE audit_id = 13;
SELECT first_bad, finding FROM support.verify_audit();
ROLLBACK;
SELECT entries > 0 AS sealed, finding FROM support.verify_audit('2026-03-02', '2026-03-03');

-- Nothing brings anything back: not undo, restore, or the past.
SELECT support.restore_ticket(4) > 0 AS restored;
SELECT title, description, creator_id FROM support.tickets WHERE id = 4;
SELECT content FROM support.comments WHERE ticket_id = 4;
SELECT filename, support.attachment_content(4, id) FROM support.attachments WHERE ticket_id = 4;
SELECT support.restore_comment(1, 3);
SELECT content FROM support.comments WHERE id = 3;
SELECT support.undo(id) > 0 AS undone FROM support.audit_log WHERE ticket_id = 1 AND old_value ? 'content' AND action = 'UPDATE';
SELECT support.undo(id) > 0 AS undone FROM support.audit_log WHERE ticket_id = 0 AND record_id = 3 AND action = 'UPDATE' AND table_name = 'users';
SELECT support.undo(max(id)) FROM support.audit_log WHERE action = 'ERASE';
\echo :LAST_ERROR_SQLSTATE
SELECT title, description, status, version FROM support.tickets_as_of('2026-03-02 10:00+00') ORDER BY id;
SELECT content FROM support.comments_as_of(1, '2026-03-02 10:00+00') ORDER BY id;
SELECT u.id, u.full_name, u.email, u.is_active, u.phone FROM support.rows_as_of(NULL::support.users, NULL, '2026-03-02 10:00+00') AS u ORDER BY u.id;
SELECT changed_by_name, action, table_name, field, old_value, new_value FROM support.ticket_history(1) WHERE table_name = 'tickets';
SELECT support.feed_start('follower', NULL);
SELECT action, table_name, record_id, new_value ->> 'version' AS version, new_value ->> 'title' AS title FROM support.feed_read('follower')
WHERE ticket_id = 1 AND table_name = 'tickets';
SELECT count(*) FROM support.feed_read('follower') AS f WHERE f::text ~* 'xylander';
SELECT audit_id, refusal FROM support.undo_since(3, '2026-03-02') WHERE refusal IS NOT NULL;

-- Once more there is nothing to do. What comes after it goes the next time.
SELECT max(id) AS last FROM support.audit_log \gset
SELECT * FROM support.erase_user(3, dry_run => false);
SELECT count(*) AS changed FROM support.audit_log WHERE id > :last;
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (2, 3, 'xylander once more');
UPDATE support.users SET phone = 'xylander' WHERE id = 3;
SELECT table_name, records FROM support.erase_user(3, dry_run => false);
SELECT table_name, records FROM support.erase_user(3);
SELECT support.seal_audit() > 0 AS sealed;
SELECT finding FROM support.verify_audit();
-- The address that was his is free, and that of one who is erased is nobody's to take from him.
INSERT INTO support.users (email, full_name) VALUES ('Erased-User-4@erased.invalid', 'Sly'), ('xylander@corp.example', 'Another');
SELECT support.delete_ticket(2) > 0 AS deleted;
SELECT count(*) > 0 AS erased FROM support.erase_user(4, false);
SELECT id, email, full_name FROM support.users WHERE id >= 4 ORDER BY id;
-- Who has no row any more is forgotten as well.
SELECT support.create_user('gus@corp.example', 'Gus Gone') AS gus \gset
DELETE FROM support.users WHERE id = :gus;
SELECT * FROM support.erase_user(:gus, false);
SELECT action, old_value -> 'full_name' AS full_name, old_value -> 'email' AS email FROM support.audit_log WHERE table_name = 'users' AND record_id = :gus ORDER BY id;
-- A purge takes what is left of an erased ticket, and the proof is whole.
SET support_ext.now = '2026-05-01 09:00+00';
SELECT support.delete_ticket(1) > 0 AS deleted;
SELECT support.seal_audit() > 0 AS sealed;
SET support_ext.now = '2026-07-01 09:00+00';
SELECT support.purge_deleted() > 0 AS purged;
SELECT count(*) FROM support.audit_log WHERE ticket_id = 1 AND (old_value IS NOT NULL OR new_value IS NOT NULL);
SELECT finding FROM support.verify_audit();
SELECT count(*) AS old_salts FROM support_internal.audit_redactions AS r JOIN support.audit_log AS a ON a.id = r.audit_id
WHERE r.salt IS NOT NULL
	AND EXISTS (SELECT FROM support_internal.audit_redactions AS n WHERE n.era = r.era AND n.xid = r.xid AND n.audit_id = r.audit_id AND n.seal_id > r.seal_id);
SELECT * FROM support.verify_stats();
SELECT * FROM support_internal.search_flaws;
SELECT * FROM support_internal.backlog_flaws;

-- A column of one's own that must not be null stays, and that is told; nobody but the owner may do any of it.
ALTER TABLE support.users ADD COLUMN badge text NOT NULL DEFAULT 'none';
SELECT support.create_user('hal@corp.example', 'Hal Holder') AS hal \gset
SELECT * FROM support.erase_user(:hal, false);
CREATE ROLE regress_privacy_app;
GRANT USAGE ON SCHEMA support TO regress_privacy_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_privacy_app;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO regress_privacy_app;
SET ROLE regress_privacy_app;
SELECT support.export_user(3);
SELECT support.erase_user(3);
\echo :LAST_ERROR_SQLSTATE
SELECT support.redact_comment(1, 1);
SELECT support.place_hold(1);
SELECT support.lift_hold(1);
SELECT support.set_ticket_rule('x', '{}', '1 day', 'purge');
SELECT support.apply_ticket_rules();
RESET ROLE;
REVOKE ALL ON SCHEMA support FROM regress_privacy_app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA support FROM regress_privacy_app;
REVOKE ALL ON ALL TABLES IN SCHEMA support FROM regress_privacy_app;
DROP ROLE regress_privacy_app;

\c contrib_regression
DROP DATABASE regress_privacy;
