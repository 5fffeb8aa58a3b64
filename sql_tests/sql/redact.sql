-- Something is taken out of a comment, and of all that was ever kept of it.
CREATE DATABASE regress_redact;
\c regress_redact
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer'), ('dora@corp.example', 'Dora Customer', 'customer');
SELECT support.set_actor(1);
SELECT support.create_ticket('Payment', 'It fails', 2) > 0 AS opened;
SELECT support.add_comment(1, 'My card is 4111 1111 1111 1111, or 5500 0000 0000 0004.', author_id => 2);
SELECT support.add_comment(1, 'Thanks for 4111 1111 1111 1111');
SELECT support.edit_comment(1, 1, 'My card is 4111 1111 1111 1111, thank you.');
SELECT support.edit_comment(1, 1, 'My card ends in 1111.');
SELECT support.edit_comment(1, 1, 'No: 4111 1111 1111 1111.');
SELECT support.seal_audit() > 0 AS sealed;
SELECT version FROM support.tickets WHERE id = 1 \gset

-- By a pattern: in the text, in its earlier ones, in the words.
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.redact_comment(1, 1, '[0-9]{4}( [0-9]{4}){3}', '[card \1]');
SELECT content, edited_at FROM support.comments WHERE id = 1;
SELECT words FROM support.search_words WHERE comment_id = 1;
SELECT id, action, old_value ->> 'content' AS old, new_value ->> 'content' AS new FROM support.audit_log WHERE table_name = 'comments' AND record_id = 1 ORDER BY id;
SELECT version = :version AS same_version FROM support.tickets WHERE id = 1;
-- Again there is nothing to do, and the other comment is as it was.
SELECT support.redact_comment(1, 1, '[0-9]{4}( [0-9]{4}){3}');
SELECT content FROM support.comments WHERE id = 2;
SELECT count(*) AS erasures FROM support.audit_log WHERE action = 'ERASE';
-- What undoing and the past give is redacted.
SELECT support.undo(max(id)) > 0 AS undone FROM support.audit_log WHERE table_name = 'comments' AND record_id = 1 AND action = 'UPDATE';
SELECT content FROM support.comments WHERE id = 1;
SELECT content FROM support.comments_as_of(1, '2026-03-02 09:30+00') ORDER BY id;
SELECT finding FROM support.verify_audit();

-- All of a comment, then of one that is marked and of one that was removed.
SELECT support.redact_comment(1, 2);
SELECT support.redact_comment(1, 2);
SELECT content FROM support.comments WHERE id = 2;
SELECT support.add_comment(1, 'pass: hunter2');
SELECT support.delete_comment(1, 3);
SELECT support.redact_comment(1, 3, 'hunter\d', '*');
SELECT support.add_comment(1, 'pass: hunter2');
DELETE FROM support.comments WHERE id = 4;
SELECT support.redact_comment(1, 4, 'HUNTER2');
SELECT support.redact_comment(1, 4, '(?i)HUNTER2', E'\\');
SELECT support.restore_comment(1, 4);
SELECT support.restore_comment(1, 3);
SELECT id, content FROM support.comments ORDER BY id;
DELETE FROM support.tickets WHERE id = 1;
SELECT support.redact_comment(1, 4, 'pass', 'word');
SELECT support.restore_ticket(1) > 0 AS restored;
SELECT id, content FROM support.comments ORDER BY id;
SELECT count(*) FROM support.audit_log AS a WHERE a::text ~ 'hunter|4111 1111';
SELECT support.seal_audit() > 0 AS sealed;
SELECT support.redact_comment(1, 4, 'word', 'phrase') > 0 AS redacted_again;
SELECT finding FROM support.verify_audit();
SELECT * FROM support_internal.search_flaws;
SELECT * FROM support.verify_stats();

-- Refusals.
SELECT support.redact_comment(1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.redact_comment(99, 1);
SELECT support.redact_comment(NULL, 1);
SELECT support.redact_comment(1, NULL);
SELECT support.redact_comment(1, 1, 'card', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.redact_comment(1, 1, 'x*');
\echo :LAST_ERROR_SQLSTATE
SELECT support.redact_comment(1, 1, '(');
\echo :LAST_ERROR_SQLSTATE
-- A comment is never blank.
BEGIN;
SELECT support.redact_comment(1, 1, '.+', ' ');
SELECT content FROM support.comments WHERE id = 1;
ROLLBACK;
SELECT support.place_hold(ticket_id => 1) AS hold \gset
SELECT support.redact_comment(1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.lift_hold(:hold);
SELECT support.place_hold(user_id => 2, reason => 'in court') > 0 AS held;
SELECT support.redact_comment(1, 1);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT support.redact_comment(1, 1);
ROLLBACK;
BEGIN;
SAVEPOINT a;
UPDATE support.holds SET lifted_at = now();
SELECT support.redact_comment(1, 1) > 0 AS redacted;
ROLLBACK TO a;
COMMIT;
SELECT content FROM support.comments WHERE id = 1;

\c contrib_regression
DROP DATABASE regress_redact;
