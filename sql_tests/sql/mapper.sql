-- What mappers send: versions of their own, and NULL for what they never read.
CREATE DATABASE regress_mapper;
\c regress_mapper
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET support_ext.actor_id = 1;

INSERT INTO support.users (email, full_name, role)
VALUES ('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer');

-- Some count versions from 0.
INSERT INTO support.tickets (title, description, creator_id, version) VALUES ('Printer on fire', '', 2, 0) RETURNING version;
UPDATE support.tickets SET status = 'open', version = 1 WHERE id = 1 AND version = 0;
UPDATE support.tickets SET title = 'Printer burns', version = 2 WHERE id = 1 AND version = 1 RETURNING version;
INSERT INTO support.tickets (title, description, creator_id, version) VALUES ('Printer on fire', '', 2, -1);
-- Nor is there one that leaves no room to count on.
INSERT INTO support.tickets (title, description, creator_id, version) VALUES ('Printer on fire', '', 2, 9223372036854775807);
UPDATE support.tickets SET version = 9223372036854775807 WHERE id = 1;
INSERT INTO support.tickets (title, description, creator_id, reply_count, first_replied_at) VALUES ('Printer on fire', '', 2, 2147483647, now());
INSERT INTO support.tickets (title, description, creator_id, reopen_count) VALUES ('Printer on fire', '', 2, 2147483647);
-- Such a ticket has its past like any other.
INSERT INTO support.tickets (id, title, description, creator_id, version) VALUES (50, 'Scanner on fire', '', 2, 0);
SET support_ext.now = '2026-03-02 09:20+00';
BEGIN;
UPDATE support.tickets SET title = 'Scanner burns', status = 'open' WHERE id = 50;
UPDATE support.tickets SET title = 'Scanner burnt', status = 'resolved' WHERE id = 50;
COMMIT;
SELECT title, status, version FROM support.tickets_as_of('2026-03-02 09:10+00') WHERE id = 50;
INSERT INTO support.tickets (id, title, description, creator_id, version) VALUES (51, 'Fax on fire', '', 2, 0);
DELETE FROM support.tickets WHERE id = ANY ('{50,51}');
SELECT support.restore_ticket(50), support.restore_ticket(51);
DELETE FROM support.tickets WHERE id = 51;
INSERT INTO support.tickets (id, title, description, creator_id, version, status) VALUES (51, 'Another fax', '', 2, 0, 'open');
SELECT * FROM support.verify_stats();

-- A version alone says that an object changed of which the table has no column. It is a change like others: logged, and
-- with an updated_at of its own.
SET support_ext.now = '2026-03-02 10:00+00';
UPDATE support.tickets SET version = version + 1 WHERE id = 1 AND version = 2 RETURNING version, updated_at;
UPDATE support.tickets SET title = 'Printer burnt', version = version + 1 WHERE id = 1 AND version = 3 RETURNING version;
UPDATE support.tickets SET title = title, version = 10 WHERE id = 1 RETURNING version;
-- So is a later time, which is the mapper's version then.
UPDATE support.tickets SET updated_at = '2026-03-02 10:05+00' WHERE id = 1 RETURNING version, updated_at;
UPDATE support.users SET updated_at = '2026-03-02 10:05+00' WHERE id = 2 RETURNING updated_at;
SELECT id, action, old_value, new_value FROM support.audit_log WHERE id >
	(SELECT max(id) - 5 FROM support.audit_log) ORDER BY id;
-- People are shown what changed but that.
SELECT field, old_value, new_value FROM support.ticket_history(1) WHERE occurred_at = '2026-03-02 10:00+00';
-- Who writes back what he read before others changed it says nothing by it, and nothing is written.
SELECT max(id) AS last FROM support.audit_log \gset
UPDATE support.tickets SET version = version WHERE id = 1 RETURNING version;
UPDATE support.tickets SET version = 3, updated_at = '2026-03-02 09:00+00' WHERE id = 1 RETURNING version, updated_at;
UPDATE support.users SET updated_at = '2026-03-02 09:00+00' WHERE id = 2 RETURNING updated_at;
SELECT count(*) FROM support.audit_log WHERE id > :last;
-- With another change the desk counts: nobody skips a version.
UPDATE support.tickets SET title = 'Printer burned', version = 99, updated_at = '2027-01-01' WHERE id = 1 RETURNING version, updated_at;
UPDATE support.tickets SET updated_at = 'infinity' WHERE id = 1;
UPDATE support.users SET updated_at = 'infinity' WHERE id = 2;
-- Nothing is left to take back of such a change.
UPDATE support.tickets SET version = version + 1 WHERE id = 1;
SELECT support.undo(max(id)) FROM support.audit_log;
SELECT version FROM support.tickets WHERE id = 1;

-- NULL for a column that an INSERT would fill in leaves it as it is. Rows as a mapper writes them, whole:
INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.teams (name) VALUES ('Hardware');
INSERT INTO support.comments (ticket_id, author_id, content, via) VALUES (1, 1, 'On our way', 'email');
INSERT INTO support.attachments (ticket_id, filename, content_type) VALUES (1, 'fire.png', 'image/png');
INSERT INTO support.ticket_watchers (ticket_id, user_id, kind) VALUES (1, 2, 'cc');
INSERT INTO support.calendars (name, time_zone) VALUES ('Office', 'Europe/Rome');
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES (1, 1, '9:00', '17:00');
INSERT INTO support.calendar_holidays (calendar_id, day, is_open, opens, closes) VALUES (1, '2026-12-24', true, '9:00', '12:00');
INSERT INTO support.sla_policies (name, conditions, is_active, position) VALUES ('Standard', '{"channel": "email"}', false, 7);
INSERT INTO support.sla_targets (policy_id, metric, target, pause_categories, warn_percents)
VALUES (1, 'first_reply', '4 hours', '{pending}', '{50}');
INSERT INTO support.holds (ticket_id, reason, placed_by) VALUES (1, 'in court', 1);
INSERT INTO support.ticket_rules (name, filters, keep_for, action) VALUES ('spam', '{"tag": "spam"}', '30 days', 'purge');
ALTER TABLE support.tickets ADD COLUMN contract text NOT NULL DEFAULT 'none';
UPDATE support.tickets SET contract = 'gold', assignee_id = 1, team_id = 1, organization_id = 1, priority = 'high', channel = 'email',
	requester_id = 2, external_id = 'x-1', custom = '{"a": 1}', pending_until = '2026-03-09', status = 'pending' WHERE id = 1;
SET support_ext.now = '2026-03-02 11:00+00';

-- Each column in turn: refused, left as it is, or cleared.
CREATE FUNCTION fate_of(target regclass, attribute name, condition text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	before text;
	after text;
BEGIN
	EXECUTE format('SELECT %I::text FROM %s WHERE %s', attribute, target, condition) INTO before;
	EXECUTE format('UPDATE %s SET %I = NULL WHERE %s RETURNING %I::text', target, attribute, condition, attribute) INTO after;
	RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE =
		CASE WHEN after IS NULL AND before IS NOT NULL THEN 'cleared' WHEN after = before THEN 'left' ELSE 'null' END;
EXCEPTION WHEN SQLSTATE 'XX999' THEN
	RETURN SQLERRM;
WHEN not_null_violation OR object_not_in_prerequisite_state THEN
	RETURN 'refused';
END
$$;
SELECT r.target, f.fate, string_agg(f.attname, ' ' ORDER BY f.attnum) AS columns
FROM
	(
		VALUES ('tickets', 'id = 1'), ('comments', 'id = 1'), ('attachments', 'id = 1'), ('ticket_watchers', 'ticket_id = 1'),
			('users', 'id = 2'), ('organizations', 'id = 1'), ('teams', 'id = 1'), ('statuses', 'name = ''on_hold'''),
			('priorities', 'name = ''low'''), ('calendars', 'id = 1'), ('calendar_hours', 'id = 1'),
			('calendar_holidays', 'id = 1'), ('sla_policies', 'id = 1'), ('sla_targets', 'id = 1'),
			('holds', 'id = 1'), ('ticket_rules', 'id = 1')
	) AS r (target, condition)
CROSS JOIN LATERAL
	(
		SELECT a.attname, a.attnum, fate_of(a.attrelid, a.attname, r.condition) AS fate
		FROM pg_attribute AS a
		WHERE a.attrelid = ('support.' || r.target)::regclass AND a.attnum > 0 AND a.attgenerated = ''
	) AS f
GROUP BY r.target, f.fate
ORDER BY r.target, f.fate;

-- A whole save of a ticket that was made with what the application gave, and never read back.
UPDATE support.tickets SET ticket_number = NULL, title = 'Printer on fire', description = '', status = NULL, priority = 'high',
	creator_id = 2, created_at = NULL, deleted_at = NULL, requester_id = 2, organization_id = NULL, team_id = NULL,
	assignee_id = NULL, channel = NULL, custom = NULL, external_id = NULL, pending_until = NULL, updated_at = NULL, version = NULL,
	first_replied_at = NULL, first_solved_at = NULL, solved_at = NULL, reopen_count = NULL, reply_count = NULL, waiting_since = NULL,
	last_customer_at = NULL, last_agent_at = NULL, deleted_by = NULL, delete_reason = NULL, contract = NULL
WHERE id = 1;
SELECT ticket_number, title, status, priority, created_at, updated_at, version, reply_count, first_replied_at, last_agent_at,
	assignee_id, contract
FROM support.tickets WHERE id = 1;
UPDATE support.comments SET author_role = NULL, via = NULL, created_at = NULL, edited_at = NULL,
	is_private = NULL, content = 'On our way.' WHERE id = 1
RETURNING author_role, via, created_at, edited_at, is_private;

\c contrib_regression
DROP DATABASE regress_mapper;
