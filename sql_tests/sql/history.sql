-- What happened to a ticket, read from the log.
CREATE DATABASE regress_history;
\c regress_history
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer'),
	('eve@corp.example', 'Eve Ending', 'customer');
SELECT support.create_team('Printers');
CREATE FUNCTION history(ticket_id bigint, from_at timestamptz DEFAULT NULL, to_at timestamptz DEFAULT NULL, all_fields boolean DEFAULT NULL)
RETURNS TABLE (at text, who text, action text, what text, field text, was text, became text) LANGUAGE sql AS
$$
	SELECT to_char(occurred_at, 'DD HH24:MI'), changed_by || ' ' || changed_by_name, action, concat_ws(' ', table_name, record_id), field,
		old_value, new_value
	FROM support.ticket_history(ticket_id, from_at, to_at, all_fields) WITH ORDINALITY ORDER BY ordinality
$$;

CREATE FUNCTION try_undo(entry bigint) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	said text;
BEGIN
	PERFORM support.undo(entry);
	RETURN NULL;
EXCEPTION WHEN SQLSTATE 'SU003' THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
	RETURN said;
END
$$;

-- A ticket's week.
SELECT support.set_actor(2);
SELECT support.create_ticket('Printer on fire', 'It smokes', custom => '{"floor": 3}');
SET support_ext.now = '2026-03-03 09:00+00';
SELECT support.set_actor(1);
SELECT support.update_ticket(1, '{"assignee_id": 1, "team_id": 1, "priority": "high", "custom": {"floor": 4}, "tags": ["fire"]}');
SELECT support.add_comment(1, 'Which one?', status => 'pending');
SET support_ext.now = '2026-03-04 09:00+00';
SELECT support.add_comment(1, 'The left one', actor_id => 2);
SELECT support.add_comment(1, 'He smokes', is_private => true);
SELECT support.edit_comment(1, 3, 'He smokes. Not the printer.');
SELECT support.add_attachment(1, 'fire.jpg', '\xffd8ff', comment_id => 2, actor_id => 2);
SELECT support.watch_ticket(1, 3);
SET support_ext.now = '2026-03-05 09:00+00';
SELECT support.log_event(1, 'phone_call', '{"line": 1}', '{"minutes": 5, "note": "no answer"}');
SELECT support.untag_ticket(1, '{fire}');
SELECT support.unwatch_ticket(1, 3);
UPDATE support.tickets SET priority = NULL WHERE id = 1;
SELECT support.delete_comment(1, 2, 'duplicate');
SET support_ext.now = '2026-03-06 09:00+00';
SELECT support.set_status(1, 'resolved');
SELECT support.transfer_ticket_ownership(1, 3);
SELECT support.delete_ticket(1, 'spam');
SELECT support.restore_ticket(1);

-- Oldest first, a row for each changed field; what the desk keeps by itself is left out, …
SELECT * FROM history(1);
-- … unless it is asked for.
SELECT * FROM history(1, all_fields => true) WHERE action = 'UPDATE';

-- A range has its beginning and not its end.
SELECT DISTINCT at FROM history(1, '2026-03-03 09:00+00', '2026-03-05 09:00+00') ORDER BY at;
SELECT DISTINCT at FROM history(1, from_at => '2026-03-05 09:00:00.000001+00') ORDER BY at;
SELECT DISTINCT at FROM history(1, to_at => '2026-03-03 09:00+00') ORDER BY at;
SELECT count(*) FROM history(1, '2026-03-03 09:00+00', '2026-03-03 09:00+00');
SELECT count(*) FROM history(1, '2026-03-05 09:00+00', '2026-03-03 09:00+00');
SELECT count(*) = (SELECT count(*) FROM support.ticket_history(1)) AS null_is_open FROM support.ticket_history(1, NULL, NULL, NULL);
SELECT count(*) = (SELECT count(*) FROM support.ticket_history(1)) AS infinity_is_open
FROM support.ticket_history(1, '-infinity', 'infinity', false);

-- The columns, as a client sees them.
SELECT audit_id > 0 AS audit_id, occurred_at, changed_by, changed_by_name, action, table_name, record_id, field, old_value, new_value
FROM support.ticket_history(1, '2026-03-03 09:00+00') LIMIT 1;

-- The history of a removed ticket is there, with the row that went; so it is after the restore.
SET support_ext.now = '2026-03-07 09:00+00';
DELETE FROM support.tickets WHERE id = 1;
SELECT at, who, action, what, field, was FROM history(1, '2026-03-07 00:00+00');
SELECT support.restore_ticket(1);
SELECT at, action, what FROM history(1, '2026-03-07 00:00+00') WHERE action = 'INSERT';
SELECT count(*) > 20 AS all_of_it FROM history(1);

-- Who is gone keeps the id and has the name that the log keeps; where no user acted it is the database role.
UPDATE support.tickets SET creator_id = 2 WHERE id = 1;
SELECT support.set_status(1, 'open', actor_id => 3);
DELETE FROM support.users WHERE id = 3;
SELECT changed_by, changed_by_name, field FROM support.ticket_history(1, '2026-03-07 00:00+00') WHERE field = 'status';
SELECT support.set_actor(NULL);
UPDATE support.tickets SET channel = 'phone' WHERE id = 1;
SELECT changed_by, changed_by_name = current_user AS is_role, field FROM support.ticket_history(1, '2026-03-07 00:00+00') WHERE field = 'channel';

-- A column that is gone since is still told of, one of the application's own as any other.
ALTER TABLE support.tickets ADD COLUMN labels text[], ADD COLUMN details jsonb;
SET support_ext.now = '2026-03-08 09:00+00';
UPDATE support.tickets SET labels = '{a,"b c"}', details = '{"a": [1]}' WHERE id = 1;
UPDATE support.tickets SET labels = NULL, details = 'null' WHERE id = 1;
ALTER TABLE support.tickets DROP COLUMN labels, DROP COLUMN details;
SELECT field, was, became FROM history(1, '2026-03-08 00:00+00');

-- Users, teams, organizations and tags are named, also those that are gone; other numbers are numbers.
INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (id, email, full_name, role) VALUES (8, 'max@desk.example', 'Max (Morning)', 'agent');
SELECT support.set_actor(8);
SET support_ext.now = '2026-03-09 09:00+00';
SELECT support.update_ticket(1, '{"team_id": 1, "assignee_id": 8, "organization_id": 1, "tags": ["soot"], "custom": {"team_id": 1}}') > 0 AS changed;
UPDATE support.tickets SET team_id = NULL, assignee_id = 1, organization_id = NULL WHERE id = 1;
SELECT support.untag_ticket(1, '{soot}');
SELECT support.log_event(1, 'call', NULL, '{"team_id": 1, "tag_id": 2}') > 0 AS logged;
DELETE FROM support.teams;
DELETE FROM support.organizations;
DELETE FROM support.tags WHERE name = 'soot';
UPDATE support.users SET full_name = 'Max Midday' WHERE id = 8;
SELECT * FROM history(1, '2026-03-09 00:00+00');
DELETE FROM support.users WHERE id = 8;
SELECT DISTINCT who, field, was, became FROM history(1, '2026-03-09 00:00+00') WHERE field IN ('assignee_id', 'tag_id') ORDER BY field, was, became;
-- An id that is used again is, for what happened before, who had it then.
INSERT INTO support.users (id, email, full_name) VALUES (8, 'moritz@desk.example', 'Moritz');
DELETE FROM support.users WHERE id = 8;
SELECT DISTINCT who FROM history(1, '2026-03-09 00:00+00');

-- An undo that is refused names who came between as the history does.
INSERT INTO support.users (id, email, full_name, role) VALUES (9, 'ina@desk.example', 'Ina Interim', 'agent');
SELECT support.set_priority(1, 'low', actor_id => 1) > 0 AND support.set_priority(1, 'urgent', actor_id => 9) > 0 AS changed;
DELETE FROM support.users WHERE id = 9;
SELECT regexp_replace(detail, '[0-9]+', 'N') AS detail FROM
(
	SELECT try_undo(max(id)) AS detail FROM support.audit_log WHERE ticket_id = 1 AND new_value ->> 'priority' = 'low'
) AS t;

-- By time: what was brought in later has its place.
SELECT support.set_actor(1);
SET support_ext.now = '2026-03-10 09:00+00';
INSERT INTO support.audit_log (occurred_at, actor_id, action, table_name, record_id, ticket_id, old_value, new_value) VALUES
	('2026-03-02 09:20+00', 1, 'UPDATE', 'tickets', 1, 1, '{"status": "pending"}', '{"status": "open"}'),
	('2026-03-02 09:10+00', 1, 'UPDATE', 'tickets', 1, 1, '{"status": "open"}', '{"status": "pending"}');
SELECT at, action, field, was, became FROM history(1, to_at => '2026-03-03 00:00+00');
SELECT count(*) FILTER (WHERE occurred_at < before) AS out_of_order
FROM
	(
		SELECT occurred_at, lag(occurred_at) OVER (ORDER BY ordinality) AS before
		FROM support.ticket_history(1) WITH ORDINALITY
	) AS h;

-- Of another ticket nothing is told.
SELECT support.create_ticket('Another', creator_id => 2);
SELECT what, action FROM history(2);
SELECT * FROM support.ticket_history(NULL);
\echo :LAST_ERROR_SQLSTATE

\c contrib_regression
DROP DATABASE regress_history;
