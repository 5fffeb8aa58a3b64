-- Settings of the desk: its owner decides for all, every change is in the log, and nobody's session decides otherwise.
CREATE DATABASE regress_settings;
\c regress_settings
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never
CREATE VIEW log AS
SELECT id, actor_id, db_role = session_user AS by_us, action, old_value, new_value
FROM support.audit_log WHERE table_name = 'settings';
CREATE ROLE regress_settings_app;
SELECT support.create_user('ann@desk.example', 'Ann Admin', 'admin');
SELECT support.create_user('bob@desk.example', 'Bob Agent', 'agent');
SELECT support.create_ticket('Printer on fire', creator_id => 2);
GRANT USAGE ON SCHEMA support TO regress_settings_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA support TO regress_settings_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_settings_app;

-- Until the owner says otherwise they have their defaults, and no row.
SELECT name, value, meaning FROM support.settings() WHERE name !~ '^support_ext\.';
SELECT * FROM support_internal.settings;
SELECT support.configure('max_attachment_size', '1MB', actor_id => 1);
SELECT support.configure('retention', '24 months');
SELECT support.configure('max_attachment_size', '1500kB', 2);
SELECT name, value FROM support.settings() WHERE name !~ '^support_ext\.';
-- What is there already, and a default where there is no row, are no change.
SELECT support.configure('retention', '24 months');
SELECT support.configure('retention_action', 'detach');
SELECT support.configure('retention_action', NULL);
-- NULL is the default, and so is its value.
SELECT support.configure('retention', '');
SELECT support.configure('max_attachment_size', NULL, 1);
SELECT * FROM support_internal.settings;
SELECT actor_id, by_us, action, old_value, new_value FROM log ORDER BY id;

-- What is no setting, and no value for one.
SELECT support.configure('colour', 'blue');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('support_ext.retention', '24 months');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure(NULL, 'blue');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('colour', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('retention_action', 'burn');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('retention', 'for a while');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('max_attachment_size', '3 days');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('retention', '2 years', actor_id => 99);
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION fate(name text, value text) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM support.configure($1, $2);
	RETURN 'taken';
EXCEPTION
	WHEN invalid_parameter_value THEN RETURN 'refused';
END
$$;
BEGIN;
SELECT name, value, fate(name, value) FROM (VALUES
	('max_attachment_size', '0'), ('max_attachment_size', '1'), ('max_attachment_size', '1.5MB'), ('max_attachment_size', '256MB'),
	('max_attachment_size', '257MB'), ('max_attachment_size', '1GB'), ('max_attachment_size', '-1'), ('max_attachment_size', ''),
	('max_attachment_size', '99999999999999999999'), ('max_attachment_size', '1ms'),
	('retention', '0'), ('retention', ' '), ('retention', 'P2Y'), ('retention', '1000 years'), ('retention', '1001 years'),
	('retention', '-1 month'), ('retention', '1 month -40 days'), ('retention', '178000000 years'), ('retention', '99999999999 years'),
	('retention_action', 'drop'), ('retention_action', 'DROP'), ('retention_action', 'dropp'), ('retention_action', ''))
	AS v (name, value);
ROLLBACK;
-- White space around a value is not part of it, on either road; within it there is one line.
BEGIN;
SELECT fate('retention', E'24 months\n'), fate('retention_action', E'\tdrop '), fate('max_text_size', E' 1MB\u00a0');
INSERT INTO support_internal.settings (name, value) VALUES ('max_custom_size', E' 2MB\n');
SELECT name, '>' || value || '<' AS value FROM support_internal.settings ORDER BY name;
SELECT fate('retention', E' \n'), fate('retention_action', ' detach'), fate('max_text_size', '4MB ');
SELECT name FROM support_internal.settings ORDER BY name;
ROLLBACK;
SELECT support.configure('retention', E'24\nmonths');
\echo :LAST_ERROR_SQLSTATE
-- What an interval means is not the session's to say: this one would be three days in SQL's own style.
BEGIN;
SET LOCAL IntervalStyle = 'sql_standard';
SELECT fate('retention', '-3 24:00:00'), fate('retention', '-1 48:00:00');
ROLLBACK;

-- By hand it is the same: checked, and in the log.
SELECT max(id) AS before FROM log \gset
INSERT INTO support_internal.settings (name, value) VALUES ('retention_action', 'burn');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support_internal.settings (name, value) VALUES ('retention_action', 'archive');
UPDATE support_internal.settings SET value = 'burn';
\echo :LAST_ERROR_SQLSTATE
UPDATE support_internal.settings SET name = 'retention';
\echo :LAST_ERROR_SQLSTATE
UPDATE support_internal.settings SET value = NULL;
\echo :LAST_ERROR_SQLSTATE
COPY support_internal.settings FROM stdin;
colour	blue
\.
UPDATE support_internal.settings SET value = 'drop';
SELECT value FROM support.settings() WHERE name = 'retention_action';
TRUNCATE support_internal.settings;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support_internal.settings;
SELECT actor_id, by_us, action, old_value, new_value FROM log WHERE id > :before ORDER BY id;

-- Undone, a setting is as it was; what came between is not passed over.
SELECT max(id) AS gone FROM log \gset
SELECT support.undo(:gone) > 0 AS undone;
SELECT * FROM support_internal.settings;
SELECT support.configure('retention_action', 'archive');
\set VERBOSITY terse
SELECT support.undo(:gone);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT support.undo(max(id)) > 0 AS undone FROM log;
SELECT * FROM support_internal.settings;
SELECT support.configure('retention', '2 years', actor_id => 1);
SELECT action, table_name, refusal FROM support.undo_since(1, '2026-03-01', dry_run => true) ORDER BY audit_id DESC LIMIT 1;
SELECT support.undo(max(id)) > 0 AS undone FROM log WHERE action = 'INSERT';
SELECT * FROM support_internal.settings;

-- Others read what holds and can neither set it, nor undo what the owner did. Who follows the log is told.
SELECT support.configure('max_attachment_size', '2MB');
SELECT support.configure('max_attachment_size', '1kB');
SELECT support.feed_start('follower', NULL);
SET SESSION AUTHORIZATION regress_settings_app;
SELECT name, value FROM support.settings() WHERE name !~ '^support_ext\.';
SELECT support.configure('max_attachment_size', '1MB');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support_internal.settings (name, value) VALUES ('retention', '1 day');
\echo :LAST_ERROR_SQLSTATE
UPDATE support_internal.settings SET value = 'drop';
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(max(id)) FROM support.audit_log WHERE table_name = 'settings';
\echo :LAST_ERROR_SQLSTATE
SELECT action, new_value FROM support.feed_read('follower') WHERE table_name = 'settings' AND new_value ->> 'value' ~ '2MB|1kB';
SELECT support.add_attachment(1, 'large', convert_to(repeat('x', 1025), 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;

-- Where triggers were off a value may be there that cannot be: what reads it says so, and does nothing.
SET session_replication_role = replica;
UPDATE support_internal.settings SET value = 'huge' WHERE name = 'max_attachment_size';
INSERT INTO support_internal.settings (name, value) VALUES ('retention', 'a while');
RESET session_replication_role;
SELECT name, value FROM support.settings() WHERE name !~ '^support_ext\.';
SELECT * FROM support.maintain();
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, 'small', 'x');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE support_internal.settings ALTER COLUMN value DROP NOT NULL;
UPDATE support_internal.settings SET value = NULL;
SELECT name, value FROM support.settings() WHERE name !~ '^support_ext\.';
SELECT * FROM support.maintain();
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, 'small', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure(name, NULL) FROM support.settings() WHERE name !~ '^support_ext\.';
SELECT support.add_attachment(1, 'small', 'x') > 0 AS taken;

-- A desk that has no such table is an older one: install() brings it forward.
DROP TABLE support_internal.settings;
SELECT support.configure('retention', '1 year');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support.settings();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support.maintain();
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, 'small', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.install();
SELECT support.configure('retention', '1 year');
SELECT * FROM support_internal.settings;

DROP OWNED BY regress_settings_app;
\c contrib_regression
DROP DATABASE regress_settings;
DROP ROLE regress_settings_app;
