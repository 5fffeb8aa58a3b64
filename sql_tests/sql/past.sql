-- Tickets and comments as they were, rebuilt from the log and the rows that are there now.
CREATE DATABASE regress_past;
\c regress_past
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-01 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);

-- keep() puts copies of all tables with ids aside; changes() tells in which rows the past at that time differs from them,
-- byte for byte.
CREATE SCHEMA kept;
CREATE TABLE instants (at timestamptz);
CREATE FUNCTION copy_of(name text, at timestamptz) RETURNS text LANGUAGE sql AS
$$ SELECT format('kept.%I', name || to_char(at AT TIME ZONE 'UTC', '_MMDD_HH24')) $$;
CREATE FUNCTION keep() RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{organizations,users,teams,tickets,comments,attachments,tags}'::text[] LOOP
		EXECUTE format('CREATE TABLE %s AS TABLE support.%I', copy_of(name, support.desk_now()), name);
	END LOOP;
	INSERT INTO instants VALUES (support.desk_now());
END
$$;
CREATE FUNCTION changes(at_time timestamptz) RETURNS TABLE (table_name text, missing bigint, extra bigint, same bigint)
LANGUAGE plpgsql AS
$$
BEGIN
	FOREACH table_name IN ARRAY '{organizations,users,teams,tickets,comments,attachments,tags}'::text[] LOOP
		EXECUTE format('WITH p AS (SELECT p FROM support.rows_as_of(NULL::support.%I, NULL, $1) AS p)
			SELECT
				(SELECT count(*) FROM %2$s AS k WHERE NOT EXISTS (SELECT FROM p WHERE p.p *= k)),
				(SELECT count(*) FROM p WHERE NOT EXISTS (SELECT FROM %2$s AS k WHERE p.p *= k)),
				(SELECT count(*) FROM p JOIN %2$s AS k ON p.p *= k)', table_name, copy_of(table_name, at_time))
		INTO missing, extra, same USING at_time;
		RETURN NEXT;
	END LOOP;
END
$$;

-- A week of a small desk.
SET support_ext.now = '2026-03-02 09:00+00';
SELECT support.create_ticket('Printer on fire', 'It smokes', 2, tags => '{printer}', custom => '{"floor": 3}') AS printer \gset
SELECT support.create_ticket('Screen black', 'As the night', 2, actor_id => 2) AS screen \gset
SELECT support.add_comment(:printer, 'Which one?', status => 'pending') AS question \gset
SELECT keep();
SET support_ext.now = '2026-03-03 09:00+00';
SELECT support.update_ticket(:printer, '{"title": "Printer in flames", "custom": {"floor": 4, "list": [1, null]}, "assignee_id": 1}') > 0 AS done;
SELECT support.add_comment(:printer, 'The left one', actor_id => 2) AS answer \gset
SELECT support.edit_comment(:printer, :answer, 'The one on the left');
SELECT support.add_attachment(:printer, 'fire.jpg', '\xffd8ff', comment_id => :answer) AS fire \gset
UPDATE support.users SET email = 'Carl@corp.example', full_name = 'Carl C. Customer' WHERE id = 2;
INSERT INTO support.tags (name) VALUES ('Spare');
UPDATE support.tags SET name = upper(name);
INSERT INTO support.organizations (name) VALUES ('Corp');
SELECT support.create_team('Printers') AS team \gset
SELECT keep();
SET support_ext.now = '2026-03-04 09:00+00';
DELETE FROM support.tickets WHERE id = :printer;
SELECT support.delete_ticket(:screen, 'spam') > 0 AS done;
DELETE FROM support.tags WHERE name = 'SPARE';
SELECT keep();
SET support_ext.now = '2026-03-05 09:00+00';
SELECT support.restore_ticket(:printer) > 0 AS done;
SELECT support.restore_ticket(:screen) > 0 AS done;
DELETE FROM support.comments WHERE id = :answer;
UPDATE support.organizations SET name = 'Corporation';
SELECT keep();
SET support_ext.now = '2026-03-06 09:00+00';
DELETE FROM support.tickets;
DELETE FROM support.teams;
DELETE FROM support.organizations;
SELECT keep();
SET support_ext.now = '2026-03-07 09:00+00';

-- Every day is found as it was, in every table, generated columns included.
SELECT at::date, c.* FROM instants, changes(at) AS c WHERE c.missing <> 0 OR c.extra <> 0 ORDER BY at, c.table_name;
SELECT table_name, sum(same) AS rows_found FROM instants, changes(at) GROUP BY 1 ORDER BY 1;
SELECT id, status, title FROM support.tickets_as_of('2026-03-02 12:00+00');
SELECT id, status, title FROM support.tickets_as_of('2026-03-03 12:00+00');
SELECT count(*) FROM support.tickets_as_of('2026-03-06 12:00+00');
SELECT email, email_key FROM support.rows_as_of(NULL::support.users, at_time => '2026-03-02 12:00+00');

-- The instant itself belongs to what was before it: a change counts from the start of its transaction.
SELECT count(*) FROM support.tickets_as_of('2026-03-02 08:59:59.999999+00');
SELECT count(*) FROM support.tickets_as_of('2026-03-02 09:00+00');
SELECT title FROM support.tickets_as_of('2026-03-03 08:59:59.999999+00') WHERE id = :printer;
SELECT title FROM support.tickets_as_of('2026-03-03 09:00+00') WHERE id = :printer;

-- One ticket, as an object.
SELECT support.ticket_as_of(:printer, '2026-03-01 12:00+00') IS NULL AS not_yet;
SELECT key, value FROM jsonb_each(support.ticket_as_of(:printer, '2026-03-02 12:00+00')) WHERE value <> 'null' ORDER BY key;
SELECT d::date, t ->> 'status' AS status, t -> 'custom' AS custom, t ->> 'version' AS version, t ->> 'updated_at' AS updated_at
FROM generate_series('2026-03-01 12:00+00', '2026-03-07 12:00+00', interval '1 day') AS d, support.ticket_as_of(:printer, LEAST(d, support.desk_now())) AS t;
SELECT support.ticket_as_of(4711, '2026-03-02 12:00+00') IS NULL AS unknown, support.ticket_as_of(NULL, '2026-03-02 12:00+00') IS NULL AS null,
	support.ticket_as_of(0, '2026-03-02 12:00+00') IS NULL AS zero, support.ticket_as_of(-1, '2026-03-02 12:00+00') IS NULL AS negative;

-- Its comments, and other rows of a ticket.
SELECT d::date, c.id = :answer AS is_answer, c.content, c.edited_at FROM generate_series('2026-03-01 12:00+00', '2026-03-06 12:00+00', interval '1 day') AS d,
	support.comments_as_of(:printer, d) AS c ORDER BY d, c.id;
SELECT count(*) FROM support.comments_as_of(:screen, '2026-03-05 12:00+00');
SELECT count(*) FROM support.comments_as_of(NULL, '2026-03-05 12:00+00');
SELECT count(*) FROM support.comments_as_of(-1, '2026-03-05 12:00+00');
SELECT filename, ticket_id = :printer AS of_printer FROM support.rows_as_of(NULL::support.attachments, :printer, '2026-03-03 12:00+00');

-- What is no instant, or has not come yet.
SELECT count(*) FROM support.tickets_as_of('2026-03-07 09:00+00');
SELECT count(*) FROM support.tickets_as_of('2026-03-07 09:00:00.000001+00');
SELECT count(*) FROM support.tickets_as_of('infinity');
SELECT count(*) FROM support.tickets_as_of('-infinity');
SELECT count(*) FROM support.tickets_as_of(NULL);
SELECT support.ticket_as_of(:printer, '9999-12-31');
SELECT count(*) FROM support.comments_as_of(:printer, NULL);
SELECT count(*) FROM support.rows_as_of(NULL::support.tickets);
SELECT count(*) FROM support.rows_as_of(NULL::support.tickets, NULL, '2026-03-02', pg_current_snapshot());
SELECT count(*) FROM support.tickets_as_of_snapshot(NULL);
SELECT count(*) FROM support.tickets_as_of_snapshot('1:9000000000000000000:');

-- What has no past by id.
SELECT count(*) FROM support.rows_as_of(NULL::support.ticket_tags, :printer, '2026-03-02');
SELECT count(*) FROM support.rows_as_of(NULL::support.audit_log, NULL, '2026-03-02');
SELECT count(*) FROM support.rows_as_of(NULL::support.ticket_list, NULL, '2026-03-02');
SELECT count(*) FROM support.rows_as_of(NULL::pg_class, NULL, '2026-03-02');
SELECT support.rows_as_of(7, NULL, '2026-03-02');
SELECT count(*) FROM support.rows_as_of(NULL, NULL, '2026-03-02');
SELECT count(*) FROM support.rows_as_of(NULL::support.users, 1, '2026-03-02');
CREATE SCHEMA other;
CREATE TABLE other.tickets (id bigint);
SELECT count(*) FROM support.rows_as_of(NULL::other.tickets, NULL, '2026-03-02');
CREATE DOMAIN other.ticket AS support.tickets;
SELECT count(*) FROM support.rows_as_of(NULL::other.ticket, NULL, '2026-03-02');
DROP SCHEMA other CASCADE;

-- Where a function that returns rows may stand: cursors, the list of columns, loops, joins, a prepared statement.
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id, title FROM support.tickets_as_of('2026-03-02 12:00+00') ORDER BY id;
FETCH 1 FROM c;
COMMIT;
FETCH NEXT FROM c;
FETCH PRIOR FROM c;
CLOSE c;
SELECT (support.rows_as_of(NULL::support.teams, NULL, '2026-03-03 12:00+00')).name;
PREPARE past(timestamptz) AS SELECT count(*), max(title) FROM support.tickets_as_of($1);
EXECUTE past('2026-03-02 12:00+00');
EXECUTE past('2026-03-06 12:00+00');
SET plan_cache_mode = force_generic_plan;
EXECUTE past('2026-03-03 12:00+00');
RESET plan_cache_mode;
DO $$
DECLARE
	t support.tickets;
	n int := 0;
BEGIN
	FOR t IN SELECT * FROM support.tickets_as_of('2026-03-03 12:00+00') LOOP
		BEGIN
			n := n + (SELECT count(*) FROM support.comments_as_of(t.id, '2026-03-03 12:00+00'));
			PERFORM support.ticket_as_of(t.id, '9999-01-01');
		EXCEPTION WHEN invalid_parameter_value THEN
			n := n + 100;
		END;
	END LOOP;
	RAISE NOTICE 'comments and tickets: %', n;
END
$$;
SELECT count(set_config(name, 'on', false)) FROM pg_settings WHERE name = ANY ('{debug_parallel_query,force_parallel_mode}');
SELECT count(*) FROM support.tickets_as_of('2026-03-02 12:00+00');
SELECT count(set_config(name, 'off', false)) FROM pg_settings WHERE name = ANY ('{debug_parallel_query,force_parallel_mode}');

-- A statement that changes a ticket in two ways logs them in the other order: the version tells which came first.
SET support_ext.now = '2026-03-08 09:00+00';
SELECT support.create_ticket('Mouse lost its tail', '', 2) AS mouse \gset
SELECT support.set_status(:mouse, 'pending') > 0 AS done;
SELECT keep();
SET support_ext.now = '2026-03-08 10:00+00';
WITH u AS (UPDATE support.tickets SET status = 'on_hold', channel = 'phone' WHERE id = :mouse)
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (:mouse, 2, 'It ran away');
SELECT id - min(id) OVER () AS entry, old_value - 'updated_at' AS old, new_value - 'updated_at' AS new FROM support.audit_log
WHERE ticket_id = :mouse AND table_name = 'tickets' AND occurred_at = '2026-03-08 10:00+00' ORDER BY id;
SELECT status, channel, version FROM support.tickets_as_of('2026-03-08 09:30+00');
WITH t AS (INSERT INTO support.tickets (id, title, description, creator_id, requester_id) VALUES (70, 'Cat has mouse', '', 1, 2))
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (70, 2, 'Now it has a tail');
SELECT action FROM support.audit_log WHERE ticket_id = 70 AND table_name = 'tickets' ORDER BY id;
SELECT count(*) FROM support.tickets_as_of('2026-03-08 09:30+00') WHERE id = 70;
SELECT count(*) FROM support.tickets_as_of('2026-03-08 10:00+00') WHERE id = 70;
-- A row that a trigger changes and removes while another one is being changed.
CREATE FUNCTION cat() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE support.tickets SET title = 'Mouse in mouth', channel = 'cat' WHERE id = 71;
	DELETE FROM support.tickets WHERE id = 71;
	RETURN NULL;
END
$$;
CREATE TRIGGER cat AFTER UPDATE ON support.tickets FOR EACH ROW WHEN (NEW.id = 70) EXECUTE FUNCTION cat();
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (71, 'Mouse again', '', 1);
SET support_ext.now = '2026-03-08 11:00+00';
UPDATE support.tickets SET title = title || '!' WHERE id = ANY ('{70,71}');
SELECT action, old_value ->> 'title' AS title, old_value ->> 'version' AS version FROM support.audit_log
WHERE ticket_id = 71 AND occurred_at = support.desk_now() ORDER BY id;
SELECT id, title, channel, version FROM support.tickets_as_of('2026-03-08 10:00+00') WHERE id >= 70;
DROP TRIGGER cat ON support.tickets;

-- A row that was removed and inserted anew within a transaction, as itself or as another.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (72, 'First life', '', 1);
UPDATE support.tickets SET title = 'First life, late' WHERE id = 72;
SET support_ext.now = '2026-03-08 12:00+00';
BEGIN;
DELETE FROM support.tickets WHERE id = 72;
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (72, 'Second life', '', 1);
UPDATE support.tickets SET title = 'Second life, late' WHERE id = 72;
DELETE FROM support.tickets WHERE id = 72;
SELECT support.restore_ticket(72) > 0 AS done;
COMMIT;
SELECT title, version FROM support.tickets_as_of('2026-03-08 11:00+00') WHERE id = 72;
SELECT title, version FROM support.tickets_as_of('2026-03-08 12:00+00') WHERE id = 72;

-- By snapshot. What the transaction itself has done so far is seen as any query sees it.
SELECT pg_current_snapshot() AS before \gset
UPDATE support.tickets SET title = 'Third life' WHERE id = 72;
SELECT pg_current_snapshot() AS after \gset
DELETE FROM support.tickets WHERE id = 70;
SELECT id, title FROM support.tickets_as_of_snapshot(:'before') WHERE id >= 70;
SELECT id, title FROM support.tickets_as_of_snapshot(:'after') WHERE id >= 70;
SELECT id, title FROM support.tickets_as_of_snapshot(pg_current_snapshot()) WHERE id >= 70;
SELECT title FROM support.rows_as_of(NULL::support.tickets, 72, at_snapshot => :'before');
CREATE TABLE snapshots AS SELECT :'before'::pg_snapshot AS before;
SELECT count(*) FROM snapshots, support.tickets_as_of_snapshot(before);
BEGIN;
UPDATE support.tickets SET title = 'Never was' WHERE id = 72;
SELECT title FROM support.tickets_as_of(support.desk_now()) WHERE id = 72;
SELECT title FROM support.tickets_as_of_snapshot(:'after') WHERE id = 72;
ROLLBACK;

-- A transaction that goes on for a while may ask for what was a moment ago.
RESET support_ext.now;
BEGIN;
SELECT count(*) > 0 AS asked FROM support.tickets_as_of(clock_timestamp());
COMMIT;
SET support_ext.now = '2026-03-09 09:00+00';

-- An application's own entry about a record is no change of it.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (73, 'Late', '', 1);
INSERT INTO support.audit_log (occurred_at, action, table_name, record_id, ticket_id, old_value) VALUES
	('2026-03-09 09:00+00', 'seen', 'tickets', 73, 73, '{"title": "Forged"}');
SELECT count(*) FROM support.tickets_as_of('2026-03-09 08:00+00') WHERE id = 73;

-- Columns that are younger than a change are as they are, and null in rows that had gone before; those that have gone are
-- gone; those of another type are what it makes of the old text, or null.
ALTER TABLE support.tickets
	ADD COLUMN room text, ADD COLUMN floor text, ADD COLUMN visits text, ADD COLUMN seen text, ADD COLUMN area text,
	ADD COLUMN old_code text, ADD COLUMN price numeric(10, 2), ADD COLUMN code varchar(10);
UPDATE support.tickets SET room = 'E 12', floor = '3', visits = '7', seen = '2026-03-09', area = '{1,2}', old_code = 'x', price = 1.50,
	code = '0123456789' WHERE id = 73;
SET support_ext.now = '2026-03-10 09:00+00';
UPDATE support.tickets SET floor = 'ground', visits = '08', seen = '2026-02-30', area = 'all', old_code = 'y', price = 2, code = 'short' WHERE id = 73;
SET support_ext.now = '2026-03-11 09:00+00';
UPDATE support.tickets SET floor = '4', visits = '9', seen = 'tomorrow', area = '{}', price = 3 WHERE id = 73;
SET support_ext.now = '2026-03-12 09:00+00';
UPDATE support.tickets SET seen = '2026-03-12' WHERE id = 73;
ALTER TABLE support.tickets
	DROP COLUMN room, DROP COLUMN old_code,
	ALTER COLUMN floor TYPE integer USING floor::integer,
	ALTER COLUMN visits TYPE smallint USING visits::smallint,
	ALTER COLUMN seen TYPE timestamptz USING seen::timestamptz,
	ALTER COLUMN area TYPE integer[] USING area::integer[],
	ALTER COLUMN price TYPE integer USING price::integer,
	ALTER COLUMN code TYPE varchar(5),
	ADD COLUMN wing text DEFAULT 'north',
	ADD COLUMN floors_below integer GENERATED ALWAYS AS (floor - 1) STORED,
	ADD COLUMN share integer GENERATED ALWAYS AS (12 / (visits - 7)) STORED;
SELECT d::date, floor, visits, seen, area, price, code, wing, floors_below, share
FROM generate_series('2026-03-09 12:00+00', '2026-03-12 09:00+00', interval '1 day') AS d, support.tickets_as_of(d) WHERE id = 73;
SELECT id, wing, title FROM support.tickets_as_of('2026-03-05 12:00+00');
SELECT support.ticket_as_of(73, '2026-03-09 12:00+00') ?| '{room,old_code}' AS has_gone_columns;

-- Types of the application's own: domains, composites, ranges, enums, json, and a text that a domain of today refuses.
CREATE DOMAIN short AS text CHECK (length(VALUE) < 10);
CREATE TYPE mood AS ENUM ('sunny', 'grey');
CREATE TYPE place AS (room text, floor numeric);
ALTER TABLE support.tickets
	ADD COLUMN nick short, ADD COLUMN weather mood, ADD COLUMN place place, ADD COLUMN open_hours int4range, ADD COLUMN raw json,
	ADD COLUMN ratio float8, ADD COLUMN flags bit(3), ADD COLUMN padded char(4), ADD COLUMN blob bytea, ADD COLUMN doc jsonb,
	ADD COLUMN lapse interval, ADD COLUMN big numeric, ADD COLUMN day date, ADD COLUMN local timestamp, ADD COLUMN yes boolean,
	ADD COLUMN words text[], ADD COLUMN uid uuid, ADD COLUMN addr inet, ADD COLUMN cash money;
SET support_ext.now = '2026-03-13 09:00+00';
UPDATE support.tickets SET nick = 'Hot', weather = 'sunny', place = ROW('a "b", c', 1.50), open_hours = '[1,5)', raw = '{"a":  1, "a": 2}',
	ratio = 0.1 + 0.2, flags = '101', padded = 'a', blob = '\x00ff', doc = '"text"', lapse = '1 mon 2 days 3:04:05.6', big = 'NaN',
	day = 'infinity', local = '0044-03-15 12:00 BC', yes = true, words = ARRAY['a,b', NULL, 'NULL', '"'], uid = '00000000-0000-0000-0000-00000000002a',
	addr = '10.0.0.1/8', cash = 12.5 WHERE id = 73;
SELECT keep();
SET support_ext.now = '2026-03-13 10:00+00';
UPDATE support.tickets SET nick = NULL, weather = 'grey', place = NULL, open_hours = 'empty', raw = '1', ratio = 'Infinity', flags = '000',
	padded = 'abcd', blob = '', doc = 'null', lapse = '0', big = '1e100', day = '20000-01-01', local = 'infinity', yes = false, words = '{}',
	uid = NULL, addr = '::1', cash = -1 WHERE id = 73;
SELECT keep();
SET support_ext.now = '2026-03-13 11:00+00';
SET DateStyle = 'German';
SET IntervalStyle = 'sql_standard';
SET TimeZone = 'Asia/Kolkata';
SET extra_float_digits = -10;
SET bytea_output = escape;
DELETE FROM support.tickets WHERE id = 73;
SELECT * FROM changes('2026-03-13 09:00+00') WHERE table_name = 'tickets';
SELECT * FROM changes('2026-03-13 10:00+00') WHERE table_name = 'tickets';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
RESET extra_float_digits;
RESET bytea_output;
SELECT nick, weather, place, doc, local FROM support.tickets_as_of('2026-03-13 09:00+00') WHERE id = 73;
ALTER DOMAIN short ADD CONSTRAINT shorter CHECK (length(VALUE) < 3) NOT VALID;
SELECT nick, weather FROM support.tickets_as_of('2026-03-13 09:00+00') WHERE id = 73;
SET client_min_messages = warning;
DROP SCHEMA kept CASCADE;
RESET client_min_messages;
ALTER TABLE support.tickets
	DROP COLUMN nick, DROP COLUMN weather, DROP COLUMN place, DROP COLUMN open_hours, DROP COLUMN raw, DROP COLUMN ratio, DROP COLUMN flags,
	DROP COLUMN padded, DROP COLUMN blob, DROP COLUMN doc, DROP COLUMN lapse, DROP COLUMN big, DROP COLUMN day, DROP COLUMN local,
	DROP COLUMN yes, DROP COLUMN words, DROP COLUMN uid, DROP COLUMN addr, DROP COLUMN cash;
DROP TYPE mood, place;
SELECT count(*) FROM support.tickets_as_of('2026-03-13 09:00+00');

-- Rows that came or went past the triggers: what no entry tells is as it is now.
SET session_replication_role = replica;
INSERT INTO support.tickets (id, ticket_number, title, description, status, creator_id, created_at, updated_at)
VALUES (80, 'X-80', 'Smuggled in', '', 'open', 1, '2026-03-01', '2026-03-01'), (81, 'X-81', 'Smuggled out', '', 'open', 1, '2026-03-01', '2026-03-01');
RESET session_replication_role;
UPDATE support.tickets SET title = title || '?' WHERE id >= 80;
SET session_replication_role = replica;
DELETE FROM support.tickets WHERE id = 81;
RESET session_replication_role;
SELECT id, title FROM support.tickets_as_of('2026-03-02 12:00+00');

-- Purged: gone from the past as well. The rest of the past stays.
SET support_ext.now = '2026-04-20 09:00+00';
SELECT support.purge_deleted() > 0 AS purged;
SELECT id, title FROM support.tickets_as_of('2026-03-05 12:00+00');
SELECT support.ticket_as_of(:printer, '2026-03-02 12:00+00') IS NULL AS gone;
SELECT count(*) FROM support.comments_as_of(:printer, '2026-03-05 12:00+00');
SELECT count(*) FROM support.rows_as_of(NULL::support.users, at_time => '2026-03-02 12:00+00');

-- Who may ask: whoever may read both the table and the log, and of live rows what their policies show.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (90, 'Public', '', 2), (91, 'Secret', '', 1);
UPDATE support.tickets SET title = title || ' affair' WHERE id >= 90;
SET support_ext.now = '2026-04-21 09:00+00';
UPDATE support.tickets SET status = 'pending' WHERE id >= 90;
CREATE ROLE regress_past_reader;
GRANT USAGE ON SCHEMA support TO regress_past_reader;
GRANT SELECT ON support.tickets TO regress_past_reader;
SET ROLE regress_past_reader;
SELECT count(*) FROM support.tickets_as_of('2026-04-20 09:00+00');
RESET ROLE;
REVOKE SELECT ON support.tickets FROM regress_past_reader;
GRANT SELECT ON support.audit_log TO regress_past_reader;
SET ROLE regress_past_reader;
SELECT count(*) FROM support.tickets_as_of('2026-04-20 09:00+00');
RESET ROLE;
GRANT SELECT ON support.tickets TO regress_past_reader;
ALTER TABLE support.tickets ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION is_public(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN public_word($1); END $$;
CREATE FUNCTION public_word(text) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 ~ '^Public' $$;
CREATE POLICY reader ON support.tickets FOR SELECT TO regress_past_reader USING (is_public(title));
SET ROLE regress_past_reader;
SELECT id, title, status FROM support.tickets_as_of('2026-04-20 09:00+00') WHERE id >= 90;
SELECT support.ticket_as_of(90, '2026-04-20 09:00+00') ->> 'title' AS title, support.ticket_as_of(91, '2026-04-20 09:00+00') AS secret;
RESET ROLE;

-- The names that functions and operators have in the caller's path do not matter.
SET search_path = evil, pg_catalog;
CREATE SCHEMA evil;
CREATE FUNCTION evil.gt(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT NULL::boolean';
CREATE OPERATOR evil.> (FUNCTION = evil.gt, LEFTARG = timestamptz, RIGHTARG = timestamptz);
CREATE FUNCTION evil.min(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1 / 0';
SELECT id, title, status FROM support.tickets_as_of('2026-04-20 09:00+00') WHERE id >= 90;
RESET search_path;
DROP SCHEMA evil CASCADE;

\c contrib_regression
DROP DATABASE regress_past;
DROP ROLE regress_past_reader;
