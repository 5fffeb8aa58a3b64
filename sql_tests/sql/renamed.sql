-- Tables change after rows were removed: what comes back finds its columns by their numbers, and says what it does not find.
CREATE DATABASE regress_renamed;
\c regress_renamed
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role)
VALUES ('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer');
ALTER TABLE support.tickets ADD COLUMN region text, ADD COLUMN floor text, ADD COLUMN cost text, ADD COLUMN code text;
ALTER TABLE support.comments ADD COLUMN mood text, ADD COLUMN score integer[];
CREATE FUNCTION ticket_with(n bigint) RETURNS bigint LANGUAGE sql AS
$$
	INSERT INTO support.tickets (id, title, description, creator_id, region, floor, cost, code)
	VALUES (n, 'Printer on fire', '', 2, 'north', 'third', '12', 'abcdef');
	INSERT INTO support.comments (ticket_id, author_id, content, mood, score) VALUES (n, 2, 'It smokes.', 'cross', '{1,2}');
	INSERT INTO support.comments (ticket_id, author_id, content, mood, score) VALUES (n, 2, 'Still.', 'tired', '{3}');
	SELECT n;
$$;
SELECT count(ticket_with(n)) FROM generate_series(1, 9) AS n;

-- A column of another name takes its values, once it is gone a warning names it: once, however many rows had it.
DELETE FROM support.tickets WHERE id = 1;
ALTER TABLE support.tickets RENAME COLUMN region TO area;
ALTER TABLE support.comments RENAME COLUMN score TO points;
ALTER TABLE support.comments DROP COLUMN mood;
SELECT support.restore_ticket(1);
SELECT area, floor FROM support.tickets WHERE id = 1;
SELECT content, points FROM support.comments WHERE ticket_id = 1 ORDER BY id;
-- Twice renamed, and by sessions that never saw the names between.
DELETE FROM support.tickets WHERE id = 2;
ALTER TABLE support.tickets RENAME COLUMN area TO part;
ALTER TABLE support.tickets RENAME COLUMN part TO zone;
\c
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SELECT support.restore_ticket(2);
SELECT zone FROM support.tickets WHERE id = 2;
-- What was noted in a transaction that was rolled back is noted again.
BEGIN;
UPDATE support.users SET full_name = 'Ann' WHERE id = 1;
ALTER TABLE support.users ADD COLUMN desk text;
UPDATE support.users SET desk = 'left' WHERE id = 1;
ROLLBACK;
ALTER TABLE support.users ADD COLUMN chair text;
UPDATE support.users SET chair = 'blue' WHERE id = 1;
ALTER TABLE support.users RENAME COLUMN chair TO seat;
SELECT support.undo(max(id)) FROM support.audit_log;
SELECT seat FROM support.users WHERE id = 1;

-- A single comment, a change and a record of no ticket find their columns as well; so does one of the desk's own.
DELETE FROM support.comments WHERE ticket_id = 3 AND content = 'Still.';
SELECT record_id AS comment FROM support.audit_log ORDER BY id DESC LIMIT 1 \gset
UPDATE support.tickets SET zone = 'south', floor = 'first' WHERE id = 3;
SELECT max(id) AS entry FROM support.audit_log \gset
INSERT INTO support.organizations (name, external_id) VALUES ('Corp', 'crm-1');
DELETE FROM support.organizations;
SELECT max(id) AS removal FROM support.audit_log \gset
ALTER TABLE support.comments RENAME COLUMN points TO marks;
ALTER TABLE support.tickets RENAME COLUMN zone TO district;
ALTER TABLE support.organizations RENAME COLUMN external_id TO crm_key;
SELECT support.restore_comment(3, :comment);
SELECT marks FROM support.comments WHERE ticket_id = 3 AND content = 'Still.';
SELECT support.undo(:entry);
SELECT district, floor FROM support.tickets WHERE id = 3;
SELECT support.undo(:removal);
SELECT name, crm_key FROM support.organizations;
ALTER TABLE support.organizations RENAME COLUMN crm_key TO external_id;
-- A change that is undone in part says so; one of which nothing is left is refused.
UPDATE support.tickets SET district = 'west', cost = '13' WHERE id = 4;
UPDATE support.tickets SET cost = '14' WHERE id = 5;
SELECT array_agg(id ORDER BY id) AS entries FROM (SELECT id FROM support.audit_log ORDER BY id DESC LIMIT 2) AS last \gset
ALTER TABLE support.tickets DROP COLUMN cost;
SELECT support.undo((:'entries'::bigint[])[1]);
SELECT district FROM support.tickets WHERE id = 4;
SELECT support.undo((:'entries'::bigint[])[2]);

-- By name where the name is there, whoever has it now; not at all where the name was of two columns.
DELETE FROM support.tickets WHERE id = 4;
ALTER TABLE support.tickets RENAME COLUMN district TO place;
ALTER TABLE support.tickets ADD COLUMN district text;
SELECT support.restore_ticket(4);
SELECT district, place FROM support.tickets WHERE id = 4;
DELETE FROM support.tickets WHERE id = 4;
ALTER TABLE support.tickets DROP COLUMN district;
SELECT support.restore_ticket(4);
SELECT place FROM support.tickets WHERE id = 4;

-- A value that the column's type of today does not take is told with the column.
DELETE FROM support.tickets WHERE id = ANY ('{5,6,7,8}');
ALTER TABLE support.tickets ALTER COLUMN floor TYPE integer USING CASE WHEN floor ~ '^\d+$' THEN floor::integer END;
SELECT support.restore_ticket(5);
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE support.tickets RENAME COLUMN floor TO storey;
SELECT support.restore_ticket(5);
ALTER TABLE support.tickets ALTER COLUMN storey TYPE text;
ALTER TABLE support.tickets ALTER COLUMN code TYPE varchar(3) USING left(code, 3);
SELECT support.restore_ticket(5);
\echo :LAST_ERROR_SQLSTATE
CREATE DOMAIN digits AS text CHECK (VALUE ~ '^\d+$');
ALTER TABLE support.tickets ALTER COLUMN code TYPE digits USING NULL;
SELECT support.restore_ticket(5);
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE support.tickets ALTER COLUMN code TYPE text;
SELECT support.restore_ticket(5);
SELECT storey, code FROM support.tickets WHERE id = 5;
-- The same of a change that is taken back.
UPDATE support.tickets SET code = '5' WHERE id = 5;
ALTER TABLE support.tickets ALTER COLUMN code TYPE integer USING CASE WHEN code ~ '^\d+$' THEN code::integer END;
SELECT support.undo(max(id)) FROM support.audit_log WHERE action = 'UPDATE';
ALTER TABLE support.tickets ALTER COLUMN code TYPE text;
-- A column that is worked out from others now takes no value.
ALTER TABLE support.tickets DROP COLUMN code, ADD COLUMN code text GENERATED ALWAYS AS (upper(title)) STORED;
SELECT support.restore_ticket(6);
SELECT storey, code FROM support.tickets WHERE id = 6;

-- A dump carries names, not numbers: a column of an earlier database is found by what it was called there.
UPDATE support_internal.column_names SET era = 0, relid = relid::bigint + 1;
\c
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SELECT support.restore_ticket(7);
SELECT storey, place FROM support.tickets WHERE id = 7;
ALTER TABLE support.tickets RENAME COLUMN storey TO level;
SELECT support.restore_ticket(8);
SELECT level, place FROM support.tickets WHERE id = 8;

-- The columns that the desk reads cannot do without their names.
ALTER TABLE support.tickets RENAME COLUMN channel TO way;
DELETE FROM support.tickets WHERE id = 9;
\echo :LAST_ERROR_SQLSTATE

\c contrib_regression
DROP DATABASE regress_renamed;
