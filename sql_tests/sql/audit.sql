-- The audit log: every change by every road, exact, and closed to everybody.
CREATE DATABASE regress_audit;
\c regress_audit
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

-- What the desk comes with was nobody's change.
SELECT count(*) FROM support.audit_log;

-- Each table, each action: an INSERT has no image but the key of a table without an id, an UPDATE the columns that changed,
-- a DELETE the whole row.
INSERT INTO support.organizations (name) VALUES ('Corp');
UPDATE support.organizations SET name = 'Corp & Co' WHERE id = 1;
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer'), ('x@corp.example', 'X', 'customer');
SET support_ext.actor_id = 1;
UPDATE support.users SET full_name = 'Ex' WHERE id = 3;
DELETE FROM support.users WHERE id = 3;
INSERT INTO support.teams (name) VALUES ('Printers');
UPDATE support.teams SET name = 'Print' WHERE id = 1;
INSERT INTO support.team_members (team_id, user_id) VALUES (1, 1);
UPDATE support.team_members SET capacity = 5;
DELETE FROM support.team_members;
DELETE FROM support.teams;
INSERT INTO support.statuses (name, category, position) VALUES ('stalled', 'hold', 45);
UPDATE support.statuses SET position = 46 WHERE name = 'stalled';
INSERT INTO support.status_transitions VALUES ('open', 'stalled');
UPDATE support.status_transitions SET to_status = 'closed';
DELETE FROM support.status_transitions;
DELETE FROM support.statuses WHERE name = 'stalled';
INSERT INTO support.priorities (name, rank) VALUES ('asap', 50);
UPDATE support.priorities SET weight = 8 WHERE name = 'asap';
DELETE FROM support.priorities WHERE name = 'asap';
INSERT INTO support.tickets (title, description, creator_id, organization_id) VALUES ('Printer on fire', 'It smokes', 2, 1);
UPDATE support.tickets SET title = 'Printer off' WHERE id = 1;
INSERT INTO support.comments (ticket_id, author_id, content, is_private) VALUES (1, 1, 'Hm', true);
UPDATE support.comments SET content = 'Hm?' WHERE ticket_id = 1;
INSERT INTO support.attachments (ticket_id, comment_id, filename) VALUES (1, 1, 'a.txt');
UPDATE support.attachments SET filename = 'b.txt' WHERE ticket_id = 1;
INSERT INTO support.tags (name) VALUES ('fire');
UPDATE support.tags SET name = 'Fire';
INSERT INTO support.ticket_tags VALUES (1, 1);
INSERT INTO support.ticket_watchers (ticket_id, user_id) VALUES (1, 2);
UPDATE support.ticket_watchers SET kind = 'cc';
DELETE FROM support.ticket_watchers;
DELETE FROM support.ticket_tags;
DELETE FROM support.attachments;
DELETE FROM support.comments;
DELETE FROM support.tags;
DELETE FROM support.tickets;
DELETE FROM support.organizations;
\pset format unaligned
\pset tuples_only on
SELECT concat_ws(' | ', actor_id, action, table_name, record_id, ticket_id, 'old ' || old_value::text, 'new ' || new_value::text)
FROM support.audit_log ORDER BY id;
\pset tuples_only off
\pset format aligned

-- Every entry: when, where and who.
SELECT DISTINCT occurred_at, era, db_role = current_user AS is_me FROM support.audit_log;
SELECT count(*), count(DISTINCT id), count(DISTINCT xid) > 30 AS many_transactions FROM support.audit_log;
SELECT max(xid) AS before FROM support.audit_log \gset
BEGIN;
SELECT pg_current_xact_id()::text::bigint AS this \gset
INSERT INTO support.tags (name) VALUES ('one');
SAVEPOINT s;
INSERT INTO support.tags (name) VALUES ('two');
ROLLBACK TO s;
SAVEPOINT s;
INSERT INTO support.tags (name) VALUES ('three');
RELEASE s;
COMMIT;
SELECT xid = :this AS top_level_transaction, record_id FROM support.audit_log WHERE xid > :before ORDER BY id;

-- A statement that changes nothing writes nothing; one that changes many rows writes many entries.
SELECT count(*) AS before FROM support.audit_log \gset
UPDATE support.tags SET name = name;
DELETE FROM support.tags WHERE false;
BEGIN;
DELETE FROM support.tags;
ROLLBACK;
SELECT count(*) - :before AS entries FROM support.audit_log;
INSERT INTO support.tickets (title, description, creator_id) SELECT 'Ticket ' || n, '', 2 FROM generate_series(1, 500) AS n;
UPDATE support.tickets SET priority = 'high' WHERE title ~ '^Ticket';
DELETE FROM support.tickets WHERE title ~ '^Ticket';
SELECT action, count(*), count(DISTINCT record_id) FROM support.audit_log WHERE table_name = 'tickets' AND record_id > 1
GROUP BY action ORDER BY action;

-- Columns that the server computes are in no image.
SELECT count(*) FROM support.audit_log
WHERE old_value ?| '{email_key,name_key}' OR new_value ?| '{email_key,name_key}';

-- The role that asked is the outer one, also where a SECURITY DEFINER function does the work; it can read the log if it may,
-- and no more.
CREATE ROLE regress_audit_app;
CREATE ROLE regress_audit_definer;
GRANT USAGE ON SCHEMA support TO regress_audit_app, regress_audit_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON support.tags TO regress_audit_app, regress_audit_definer;
GRANT SELECT ON support.audit_log TO regress_audit_app;
CREATE FUNCTION add_tag(name text) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO support.tags (name) VALUES (name) $$;
ALTER FUNCTION add_tag(text) OWNER TO regress_audit_definer;
RESET support_ext.actor_id;
SET ROLE regress_audit_app;
INSERT INTO support.tags (name) VALUES ('by the role');
SELECT add_tag('by the definer');
SELECT actor_id, db_role, action FROM support.audit_log ORDER BY id DESC LIMIT 2;
INSERT INTO support.audit_log (action) VALUES ('x');
UPDATE support.audit_log SET action = 'x';
DELETE FROM support.audit_log;
TRUNCATE support.audit_log;
SELECT support.log_event(NULL, 'x');
RESET ROLE;

-- Nobody else changes it either, neither through the log nor through its partition, the owner included.
UPDATE support.audit_log SET action = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.audit_log;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE support.audit_log;
\echo :LAST_ERROR_SQLSTATE
UPDATE support_internal.audit_log_default SET action = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support_internal.audit_log_default WHERE action = 'INSERT';
\echo :LAST_ERROR_SQLSTATE
TRUNCATE support_internal.audit_log_default;
\echo :LAST_ERROR_SQLSTATE
MERGE INTO support.audit_log AS a USING (SELECT min(id) AS id FROM support.audit_log) AS s ON a.id = s.id WHEN MATCHED THEN DELETE;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.audit_log SELECT * FROM support.audit_log WHERE action = 'INSERT' LIMIT 1
ON CONFLICT (ticket_id, id, occurred_at) DO UPDATE SET action = 'x';
\echo :LAST_ERROR_SQLSTATE

-- TRUNCATE is refused on every table of the desk: no row trigger would see it.
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (1000, 'Still there', '', 2);
CREATE FUNCTION refusal(table_name text) RETURNS text LANGUAGE plpgsql SET client_min_messages = warning AS
$$
DECLARE
	message text;
	hint text;
BEGIN
	EXECUTE format('TRUNCATE support.%I CASCADE', table_name);
	RETURN 'truncated';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN message || E'\n' || hint;
END
$$;
SELECT refusal(table_name) FROM unnest('{organizations,users,teams,team_members,statuses,status_transitions,priorities,tickets,
	comments,attachments,tags,ticket_tags,ticket_watchers,audit_log}'::text[]) AS table_name;
SELECT count(*) FROM support.tickets;

-- Events of the application's own.
SELECT support.set_actor(1);
SELECT support.log_event(1000, 'called', new_value => '{"minutes": 5}') AS entry \gset
SELECT id = :entry AS is_its_id, action FROM support.audit_log ORDER BY id DESC LIMIT 1;
SELECT support.log_event(NULL, 'imported', '{"rows": 0}', '{"rows": 3}', actor_id => 2) > 0 AS logged;
SELECT support.log_event(0, 'nothing to say') > 0 AS logged;
SELECT occurred_at, era, actor_id, action, table_name, record_id, ticket_id, old_value, new_value
FROM support.audit_log ORDER BY id DESC LIMIT 3;
-- One may be large, and come from a table that is gone afterwards.
CREATE TABLE payload AS SELECT jsonb_agg(md5(n::text)) AS value FROM generate_series(1, 20000) AS n;
SELECT support.log_event(1000, 'measured', value, value) > 0 AS logged FROM payload;
SELECT md5(value::text) AS digest FROM payload \gset
DROP TABLE payload;
SELECT md5(old_value::text) = :'digest' AND md5(new_value::text) = :'digest' AS is_equal FROM support.audit_log WHERE action = 'measured';
-- What is the desk's own to say, or about a ticket that is not there, is refused.
SELECT support.log_event(9999, 'called');
\echo :LAST_ERROR_SQLSTATE
SELECT support.log_event(1, 'called');
\echo :LAST_ERROR_SQLSTATE
SELECT support.log_event(1000, 'delete');
\echo :LAST_ERROR_SQLSTATE
SELECT support.log_event(1000, 'PURGE');
\echo :LAST_ERROR_SQLSTATE
SELECT support.log_event(1000, E' uPdAtE\t');
\echo :LAST_ERROR_SQLSTATE
SELECT support.log_event(1000, 'comment_deleted');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT support.log_event(1000, E' \t');
\echo :LAST_ERROR_SQLSTATE
SELECT support.log_event(1000, NULL);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- A plain INSERT needs the action alone; where and by whom it was written is not the client's to say.
INSERT INTO support.audit_log (action) VALUES ('plain')
RETURNING occurred_at, actor_id, action, table_name, record_id, ticket_id, old_value, new_value;
INSERT INTO support.audit_log (action, era, xid, db_role, ticket_id, record_id, table_name, actor_id, new_value)
VALUES ('forged', 77, 1, 'somebody else', 1000, 5, 'invoices', 2, '{"a": 1}')
RETURNING era, xid = pg_current_xact_id()::text::bigint AS real_xid, db_role = current_user AS real_role, actor_id, ticket_id,
	record_id, table_name, new_value;
INSERT INTO support.audit_log (action, era, xid, actor_id, db_role, ticket_id) VALUES ('mapped', NULL, NULL, NULL, NULL, NULL)
RETURNING era, xid IS NOT NULL AS has_xid, actor_id, db_role = current_user AS real_role, ticket_id;
COPY support.audit_log (action, ticket_id) FROM stdin;
copied	1000
\.
SELECT era, xid IS NOT NULL AS has_xid, actor_id, db_role = current_user AS real_role FROM support.audit_log WHERE action = 'copied';
\set VERBOSITY terse
INSERT INTO support.audit_log (action) VALUES (NULL);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.audit_log (action) VALUES (' ');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- Who owns nothing may be allowed to write events; a change of a record is the desk's to tell.
CREATE FUNCTION refused_event(action text, name text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO support.audit_log (action, table_name, record_id, ticket_id, old_value) VALUES (action, name, 1000, 1000, '{"id": 1000}');
	RETURN action || ' was taken';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
GRANT INSERT ON support.audit_log TO regress_audit_app;
SET ROLE regress_audit_app;
INSERT INTO support.audit_log (action, ticket_id) VALUES ('by the role', 1000);
INSERT INTO support.audit_log (action, table_name, ticket_id, old_value) VALUES ('DELETE', 'tickets', 1000, '{"id": 1000}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.audit_log (action, table_name, ticket_id, old_value) VALUES ('update', 'tickets', 1000, '{"id": 1000}');
\echo :LAST_ERROR_SQLSTATE
-- So it is without a table, in other case or with spaces about it; and of a record of the desk nothing else is told either.
SELECT refused_event(action) FROM unnest(ARRAY['INSERT', ' update', E'Delete\n', E'\tpurge\t', 'prune', 'PRU NE', 'Comment_Deleted ',
	E'UPDATE\u0001']) AS action;
SELECT refused_event('seen', name) FROM unnest(ARRAY['tickets', 'comments', 'users', 'sla_policies', 'audit_log']) AS name;
INSERT INTO support.audit_log (action, table_name, record_id) VALUES ('update of an invoice', 'invoices', 7), ('undelete', NULL, NULL);
RESET ROLE;
REVOKE INSERT ON support.audit_log FROM regress_audit_app;
SELECT actor_id, db_role, action, table_name FROM support.audit_log ORDER BY id DESC LIMIT 1;

-- Images are exact. First with the desk's own columns, which are kept as JSON's own values, text and times.
CREATE FUNCTION control_characters() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(chr(n), '') FROM generate_series(1, 160) AS n $$;
INSERT INTO support.tickets (id, title, description, creator_id, custom, pending_until, external_id) VALUES
	(2001, E'Quotes " '' \\ / and \u00e4\u6f22\U0001F525', control_characters(), 2, '{}', '2026-03-02 09:00:00.123456+05:30', E'\t'),
	(2002, ' spaces ', repeat('long ', 200000), 2, '{"a": [1.10, null, "\u00e4\"", {"b": false}], "n": 123456789012345678901234567890.5}',
		'9999-12-31 23:59:59.999999+00', '{"json": "text"}'),
	(2003, 'x', '', 2, NULL, '1970-01-01 00:00:00+00', 'null'),
	(2004, 'x', E'\\u0000 \\n', 2, '{"": ""}', '1999-12-31 23:59:59.999999+00', ''),
	(2005, 'x', 'x', 2, '{}', '2000-01-01 00:00:00+00', '1e400'),
	(2006, 'x', 'x', 2, '{}', '1999-12-31 23:59:59.5+00', 'NaN'),
	(2007, 'x', 'x', 2, '{}', '2038-01-19 03:14:08+00', 'true');
INSERT INTO support.comments (ticket_id, author_id, content) SELECT 2001, 2, control_characters();

-- round_trip() deletes and restores under the settings at hand and says what came back different, byte for byte. It keeps the
-- images' digests, so that those of different settings can be compared.
CREATE TABLE images (settings text, ticket_id bigint, image text);
CREATE TABLE before_comments AS TABLE support.comments;
CREATE FUNCTION round_trip(settings text) RETURNS TABLE (ticket_id bigint, difference text) LANGUAGE plpgsql AS
$$
BEGIN
	DROP TABLE IF EXISTS public.before_tickets;
	CREATE TABLE public.before_tickets AS SELECT * FROM support.tickets WHERE id > 2000;
	DELETE FROM support.tickets WHERE id > 2000;
	INSERT INTO public.images SELECT settings, a.ticket_id, md5(a.old_value::text)
	FROM support.audit_log AS a JOIN support_internal.recycle_bin AS b ON b.ticket_id = a.ticket_id AND b.audit_id = a.id
	WHERE b.ticket_id > 2000;
	PERFORM support.restore_ticket(t.id) FROM public.before_tickets AS t;
	RETURN QUERY SELECT b.id, format('restored as %s', t)
		FROM public.before_tickets AS b LEFT JOIN support.tickets AS t USING (id) WHERE (t *= b) IS NOT TRUE;
	RETURN QUERY SELECT b.ticket_id, format('comment %s', b.id)
		FROM public.before_comments AS b LEFT JOIN support.comments AS c USING (ticket_id, id) WHERE (c *= b) IS NOT TRUE;
END
$$;
SET client_min_messages = warning;
SELECT * FROM round_trip('plain');
SET DateStyle = 'German, DMY';
SET TimeZone = 'America/St_Johns';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SELECT * FROM round_trip('odd');
SELECT count(DISTINCT settings) AS settings, count(DISTINCT ticket_id) AS tickets, count(DISTINCT (ticket_id, image)) AS images FROM images;

-- Then with columns of an application's own, of every kind of type: those that jsonb cannot carry are kept as text.
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('calm', 'very "cross"');
CREATE DOMAIN app.floor AS integer CHECK (VALUE < 100);
CREATE DOMAIN app.document AS jsonb;
CREATE TYPE app.place AS (floor integer, room text, since timestamptz, share double precision);
ALTER TABLE support.tickets
	ADD small smallint, ADD big bigint, ADD flag boolean, ADD amount numeric, ADD price numeric(12, 4), ADD share real,
	ADD ratio double precision, ADD worth money,
	ADD words text, ADD code char(8), ADD letter "char", ADD ident name, ADD bytes bytea,
	ADD doc jsonb, ADD raw json, ADD path jsonpath, ADD app_doc app.document,
	ADD day date, ADD clock time, ADD clock_there timetz, ADD local_time timestamp, ADD instant timestamptz, ADD effort interval,
	ADD shift interval hour to minute,
	ADD ip inet, ADD net cidr, ADD mac macaddr, ADD flags bit(3), ADD bits varbit, ADD key uuid, ADD spot point, ADD area polygon,
	ADD mood app.mood, ADD moods app.mood[], ADD floor app.floor, ADD place app.place, ADD places app.place[],
	ADD texts text[], ADD matrix integer[], ADD ratios double precision[], ADD instants timestamptz[], ADD docs jsonb[],
	ADD blobs bytea[], ADD span int4range, ADD slot tstzrange, ADD slots tstzmultirange, ADD vector tsvector, ADD query tsquery,
	ADD relation regclass, ADD position_in_log pg_lsn, ADD "Odd ""Name""" text;
UPDATE support.tickets SET
	small = -32768, big = 9223372036854775807, flag = true, amount = 'NaN', price = 1.5, share = 'NaN', ratio = '-0', worth = '12.34',
	words = 'null', code = 'ab', letter = 'x', ident = 'Name', bytes = '\x00ff5c22',
	doc = 'null', raw = '{"b": 1,  "a": "\u0000", "a": null}', path = '$.a[*] ? (@ > 1)', app_doc = 'null',
	day = 'infinity', clock = '24:00', clock_there = '09:00:00.5-04:30', local_time = 'infinity', instant = '-infinity',
	effort = '-1 year +2 days -03:04:05.678', shift = '25:59',
	ip = '10.0.0.1/8', net = '10.0.0.0/8', mac = '08:00:2b:01:02:03', flags = B'101', bits = B'',
	key = '00000000-0000-0000-0000-000000000001', spot = '(0.1,1e308)', area = '((0,0),(1,0.3333333333333333),(1,1))',
	mood = 'very "cross"', moods = '{calm,NULL}', floor = 99, place = (1, 'a "b", (c)', '2026-03-02 09:00+00', 0.1),
	places = ARRAY[(1, NULL, NULL, 0.1), NULL]::app.place[],
	texts = ARRAY['a', NULL, 'NULL', '', 'b,{}"\'], matrix = '[0:1][2:3]={{1,NULL},{3,4}}', ratios = '{0.1,NaN,-Infinity}',
	instants = '{"2026-03-02 09:00+00",infinity}', docs = ARRAY['null'::jsonb, NULL, '{"a": "b"}'], blobs = ARRAY['\x00'::bytea, NULL],
	span = '[1,5)', slot = '["2026-03-02 09:00+00",)', slots = '{["2026-03-02 09:00+00","2026-03-02 10:00+00"],["2027-01-01 00:00+00",infinity]}',
	vector = '''it''''s'':1A,2', query = 'a & !(b <-> c:*)', relation = 'app.place', position_in_log = '16/B374D848', "Odd ""Name""" = 'yes'
WHERE id = 2001;
UPDATE support.tickets SET
	small = 0, big = -9223372036854775808, flag = false, amount = '-Infinity', price = 0, share = 1e-38, ratio = 0.1::float8 + 0.2, worth = '-0.01',
	words = repeat('ä"\' || chr(1), 100000), code = '', letter = '', ident = '', bytes = '',
	doc = '"null"', raw = ' [1] ', path = 'strict $', app_doc = '"text"',
	day = '4713-01-01 BC', clock = '00:00', clock_there = '24:00+15:59', local_time = '4713-01-01 00:00:00 BC',
	instant = '294276-12-31 23:59:59.999999+00', effort = '-178000000 years', shift = '-00:01',
	ip = '::1', net = '2001:db8::/32', flags = B'000', bits = B'1', mood = 'calm', moods = '{}', floor = -1,
	place = ROW(NULL, NULL, NULL, NULL), places = '{}', texts = '{}', matrix = '{}', ratios = '{}', docs = '{}',
	span = 'empty', slot = '(,)', slots = '{}', vector = '', relation = 'support.ix_tickets_status'
WHERE id = 2002;
UPDATE support.tickets SET amount = 1.50, doc = '[null, "a", 1.0, true, {}]', raw = 'null', app_doc = '5', day = '5874897-12-31',
	local_time = '294276-12-31 23:59:59.999999', instant = '0044-03-15 12:00:00+00 BC', ratio = 'Infinity', effort = '00:00:00.000001'
WHERE id = 2003;
UPDATE support.tickets SET amount = 1e-1000, doc = '{"a": {"b": [null]}}', raw = '"x"', day = '0001-01-01', words = '{"a": 1}',
	ratio = 5e-324, share = 3.4e38, texts = ARRAY[ARRAY['x', NULL], ARRAY['"', '\']]
WHERE id = 2004;
UPDATE support.tickets SET amount = 10::numeric ^ 1000, doc = 'true', raw = '""', words = '5', day = '10000-01-01' WHERE id = 2005;
UPDATE support.tickets SET amount = 'Infinity', doc = '1.00', raw = '1.00', words = '' WHERE id = 2006;

-- The same image whatever the settings, the same row from it under any others.
RESET DateStyle; SET TimeZone = 'UTC'; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output;
TRUNCATE images;
SELECT * FROM round_trip('as the server comes');
SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET IntervalStyle = 'sql_standard';
SET extra_float_digits = -15; SET bytea_output = 'escape'; SET lc_monetary = 'POSIX'; SET search_path = app, support;
SELECT * FROM public.round_trip('odd');
-- The session's own settings are as they were.
SHOW DateStyle;
SHOW TimeZone;
SHOW search_path;
SET DateStyle = 'Postgres, MDY'; SET TimeZone = 'America/St_Johns'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 0;
SET array_nulls = off; SET quote_all_identifiers = on; SET search_path = '';
SELECT * FROM public.round_trip('odder');
SET DateStyle = 'German'; SET TimeZone = '<+03>-03'; SET IntervalStyle = 'postgres_verbose';
SELECT * FROM public.round_trip('oddest');
RESET DateStyle; SET TimeZone = 'UTC'; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output; RESET lc_monetary;
RESET array_nulls; RESET quote_all_identifiers; RESET search_path;
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
RESET client_min_messages;
SELECT count(DISTINCT settings) AS settings, count(DISTINCT ticket_id) AS tickets, count(DISTINCT (ticket_id, image)) AS images FROM images;

-- How such an image looks.
DELETE FROM support.tickets WHERE id = 2001;
\pset format unaligned
\pset tuples_only on
SELECT key || ': ' || value FROM support.audit_log, jsonb_each(old_value)
WHERE ticket_id = 2001 AND action = 'DELETE' AND table_name = 'tickets'
	AND id = (SELECT audit_id FROM support_internal.recycle_bin WHERE ticket_id = 2001)
	AND key NOT IN ('title', 'description', 'version')
ORDER BY key COLLATE "C";
\pset tuples_only off
\pset format aligned
-- Of a change, old and new.
UPDATE support.tickets SET words = 'short', doc = NULL, texts = '{a,NULL}', effort = '1 day 02:00', amount = 2.50, bytes = '\x01'
WHERE id = 2005;
SELECT old_value - '{amount,version}'::text[] AS old_value, new_value - 'version' AS new_value FROM support.audit_log
ORDER BY id DESC LIMIT 1;
DELETE FROM support.tickets WHERE id > 2000;
DROP TABLE before_tickets;
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
RESET client_min_messages;

-- The log has two roads to its table. Changes to the table send entries down the general one, with the same result.
ALTER TABLE support.tickets DROP COLUMN words, DROP COLUMN doc;
CREATE FUNCTION entries() RETURNS TABLE (place bigint, entry text) LANGUAGE plpgsql AS
$$
DECLARE
	first_id bigint := nextval(pg_get_serial_sequence('support.audit_log', 'id'));
BEGIN
	INSERT INTO support.tickets (id, ticket_number, title, description, creator_id) VALUES (3000, 'A-3000', 'Printer on fire', 'x', 2);
	PERFORM support.tag_ticket(3000, '{one}');
	PERFORM support.set_status(3000, 'resolved');
	INSERT INTO support.comments (id, ticket_id, author_id, content) VALUES (3000, 3000, 2, 'Still burning');
	PERFORM support.log_event(3000, 'called');
	UPDATE support.users SET time_zone = 'UTC' WHERE id = 2;
	UPDATE support.users SET time_zone = NULL WHERE id = 2;
	DELETE FROM support.tickets WHERE id = 3000;
	PERFORM support.restore_ticket(3000);
	DELETE FROM support.tickets WHERE id = 3000;
	RETURN QUERY
		SELECT row_number() OVER (ORDER BY id), concat_ws(' ', occurred_at, era, actor_id, action, table_name, ticket_id, old_value, new_value)
		FROM support.audit_log WHERE id > first_id;
END
$$;
CREATE TABLE expected_entries AS SELECT * FROM entries();
SELECT count(*) FROM expected_entries;
CREATE FUNCTION same_entries() RETURNS boolean LANGUAGE sql AS
$$
	SELECT array_agg(entry ORDER BY place) = (SELECT array_agg(entry ORDER BY place) FROM expected_entries) FROM entries()
$$;
SELECT same_entries();
-- An index that the direct road keeps …
CREATE INDEX by_actor ON support.audit_log (actor_id);
SELECT same_entries();
-- … and some that need the executor.
CREATE UNIQUE INDEX by_time ON support.audit_log (occurred_at, id);
SELECT same_entries();
DROP INDEX support.by_time;
CREATE INDEX deletions ON support.audit_log (id) WHERE action = 'DELETE';
SELECT same_entries();
DROP INDEX support.deletions;
CREATE INDEX by_lower_action ON support.audit_log (lower(action));
SELECT same_entries();
DROP INDEX support.by_lower_action;
-- Columns: one that is left empty, one with a default, one that is computed.
ALTER TABLE support.audit_log ADD COLUMN note text;
SELECT same_entries();
ALTER TABLE support.audit_log ADD COLUMN host text NOT NULL DEFAULT 'db1';
SELECT same_entries();
ALTER TABLE support.audit_log ADD COLUMN is_deletion boolean GENERATED ALWAYS AS (action = 'DELETE') STORED;
SELECT same_entries();
SELECT host, is_deletion, count(*) > 0 AS some FROM support.audit_log GROUP BY host, is_deletion ORDER BY is_deletion;
ALTER TABLE support.audit_log DROP COLUMN note, DROP COLUMN host, DROP COLUMN is_deletion;
SELECT same_entries();
-- A constraint is heeded: what it forbids to log cannot happen.
ALTER TABLE support.audit_log ADD CONSTRAINT no_gossip CHECK (action <> 'gossip');
SELECT same_entries();
\set VERBOSITY terse
SELECT support.log_event(NULL, 'gossip');
\set VERBOSITY default
ALTER TABLE support.audit_log DROP CONSTRAINT no_gossip;
-- It is heeded as well where it takes the place of ours.
ALTER TABLE support.audit_log DROP CONSTRAINT audit_log_action_check;
ALTER TABLE support.audit_log ADD CONSTRAINT no_gossip CHECK (action <> 'gossip');
SELECT same_entries();
\set VERBOSITY terse
SELECT support.log_event(NULL, 'gossip');
\set VERBOSITY default
ALTER TABLE support.audit_log DROP CONSTRAINT no_gossip;
ALTER TABLE support.audit_log ADD CONSTRAINT audit_log_action_check CHECK (action ~ '\S');
-- A trigger of one's own sees every entry.
CREATE TABLE forwarded (id bigint, action text);
CREATE FUNCTION forward() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO public.forwarded VALUES (NEW.id, NEW.action); RETURN NULL; END $$;
CREATE TRIGGER forward AFTER INSERT ON support.audit_log FOR EACH ROW EXECUTE FUNCTION forward();
SELECT same_entries();
SELECT count(*) = (SELECT count(*) FROM expected_entries) AS all_forwarded FROM forwarded JOIN support.audit_log USING (id, action);
DROP TRIGGER forward ON support.audit_log;
CREATE FUNCTION count_statements() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO public.forwarded VALUES (-1, 'statement'); RETURN NULL; END $$;
CREATE TRIGGER count_statements AFTER INSERT ON support.audit_log FOR EACH STATEMENT EXECUTE FUNCTION count_statements();
SELECT same_entries();
SELECT count(*) = (SELECT count(*) FROM expected_entries) AS all_counted FROM forwarded WHERE id = -1;
DROP TRIGGER count_statements ON support.audit_log;
SELECT same_entries();
DROP INDEX support.by_actor;

-- Whatever the road, every entry is found by its indexes.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) AS by_key FROM support.audit_log WHERE ticket_id > -1 \gset
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT count(*) AS by_time FROM support.audit_log WHERE occurred_at > '-infinity' \gset
RESET enable_indexscan;
RESET enable_indexonlyscan;
RESET enable_seqscan;
SELECT count(*) = :by_key AS all_by_key, count(*) = :by_time AS all_by_time FROM support.audit_log;

-- Partitions by month: entries go where their time belongs, bounds included, the rest to the default one.
CREATE FUNCTION note_at(instant timestamptz) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM set_config('support_ext.now', instant::text, true);
	INSERT INTO support.tags (name) VALUES ('at ' || instant || nextval('support.ticket_number_seq'));
	RETURN (SELECT tableoid::regclass FROM support.audit_log ORDER BY id DESC LIMIT 1);
END
$$;
CREATE TABLE support_internal.audit_log_2026_05 PARTITION OF support.audit_log FOR VALUES FROM ('2026-05-01 00:00+00') TO ('2026-06-01 00:00+00');
-- This one has its columns in another order, one that is gone, and came later.
CREATE TABLE support_internal.audit_log_2026_06 (gone integer, new_value jsonb, old_value jsonb, ticket_id bigint NOT NULL DEFAULT 0,
	record_id bigint, table_name text, action text NOT NULL, db_role text, actor_id bigint, xid bigint, era integer,
	occurred_at timestamptz NOT NULL, id bigint NOT NULL, CONSTRAINT audit_log_action_check CHECK (action ~ '\S'));
ALTER TABLE support_internal.audit_log_2026_06 DROP COLUMN gone;
SELECT note_at('2026-06-01 00:00+00');
DELETE FROM support.tags;
SET support_ext.now = '2026-07-15 09:00+00';
ALTER TABLE support.audit_log ATTACH PARTITION support_internal.audit_log_2026_06 FOR VALUES FROM ('2026-06-02 00:00+00') TO ('2026-07-01 00:00+00');
-- This one is divided once more.
CREATE TABLE support_internal.audit_log_2026_08 PARTITION OF support.audit_log FOR VALUES FROM ('2026-08-01 00:00+00') TO ('2026-09-01 00:00+00')
	PARTITION BY RANGE (ticket_id);
CREATE TABLE support_internal.audit_log_2026_08_tickets PARTITION OF support_internal.audit_log_2026_08 FOR VALUES FROM (1) TO (MAXVALUE);
CREATE TABLE support_internal.audit_log_2026_08_rest PARTITION OF support_internal.audit_log_2026_08 DEFAULT;
SELECT at, note_at(at) FROM unnest('{
	"2026-04-30 23:59:59.999999+00", "2026-05-01 00:00+00", "2026-05-15 12:00+00", "2026-05-31 23:59:59.999999+00",
	"2026-06-01 00:00+00", "2026-06-02 00:00+00", "2026-06-30 23:59:59.999999+00", "2026-07-01 00:00+00",
	"2026-08-10 00:00+00", "2026-05-15 12:00+00", "0044-03-15 12:00+00 BC"}'::timestamptz[]) AS at;
-- Entries in the odd ones are whole.
SELECT DISTINCT tableoid::regclass AS partition, occurred_at, era, actor_id, db_role = current_user AS is_me, action, table_name,
	record_id IS NOT NULL AS has_record, ticket_id, old_value, new_value
FROM support.audit_log WHERE tableoid::regclass::text ~ '06|08' ORDER BY occurred_at;
-- Whoever writes into one is stamped there, wherever it lies.
CREATE TABLE public.elsewhere PARTITION OF support.audit_log FOR VALUES FROM ('2026-12-01 00:00+00') TO ('2027-01-01 00:00+00');
INSERT INTO public.elsewhere (occurred_at, action, db_role) VALUES ('2026-12-24 12:00+00', 'placed', 'somebody else')
RETURNING id IS NOT NULL AS has_id, era, db_role = current_user AS real_role;
DROP TABLE public.elsewhere;
-- They are closed as well.
DELETE FROM support_internal.audit_log_2026_05;
\echo :LAST_ERROR_SQLSTATE
UPDATE support_internal.audit_log_2026_06 SET action = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.audit_log WHERE occurred_at < '2026-06-01';
\echo :LAST_ERROR_SQLSTATE
-- A partition may be detached, given an index or dropped between two entries of one session.
SET support_ext.now = '2026-05-20 09:00+00';
INSERT INTO support.tags (name) VALUES ('attached');
ALTER TABLE support.audit_log DETACH PARTITION support_internal.audit_log_2026_05;
INSERT INTO support.tags (name) VALUES ('detached');
SELECT tableoid::regclass, count(*) FROM support.audit_log WHERE occurred_at = '2026-05-20 09:00+00' GROUP BY tableoid;
SELECT count(*) FROM support_internal.audit_log_2026_05 WHERE occurred_at = '2026-05-20 09:00+00';
SET support_ext.now = '2026-06-20 09:00+00';
INSERT INTO support.tags (name) VALUES ('before the index');
CREATE INDEX ON support_internal.audit_log_2026_06 (record_id) WHERE action = 'INSERT';
INSERT INTO support.tags (name) VALUES ('after the index');
BEGIN;
DROP TABLE support_internal.audit_log_2026_06;
INSERT INTO support.tags (name) VALUES ('while it is dropped');
ROLLBACK;
INSERT INTO support.tags (name) VALUES ('not dropped');
SELECT tableoid::regclass, count(*) FROM support.audit_log WHERE occurred_at = '2026-06-20 09:00+00' GROUP BY tableoid;
DROP TABLE support_internal.audit_log_2026_06;
INSERT INTO support.tags (name) VALUES ('dropped');
SELECT tableoid::regclass, count(*) FROM support.audit_log WHERE occurred_at = '2026-06-20 09:00+00' GROUP BY tableoid;
BEGIN;
CREATE TABLE support_internal.audit_log_2027 PARTITION OF support.audit_log FOR VALUES FROM ('2027-01-01 00:00+00') TO ('2028-01-01 00:00+00');
SELECT note_at('2027-02-01 00:00+00');
ROLLBACK;
SELECT note_at('2027-02-01 00:00+00');
-- Without a place for it nothing can be changed, and the error says so.
SET support_ext.now = '2026-09-15 09:00+00';
BEGIN;
ALTER TABLE support.audit_log DETACH PARTITION support_internal.audit_log_default;
\set VERBOSITY terse
INSERT INTO support.tags (name) VALUES ('no place');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
ROLLBACK;
INSERT INTO support.tags (name) VALUES ('a place');

-- A removed ticket is found in the partition that it went to.
SET support_ext.now = '2026-08-05 09:00+00';
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (4000, 'August', '', 2);
DELETE FROM support.tickets WHERE id = 4000;
SELECT tableoid::regclass, action FROM support.audit_log WHERE ticket_id = 4000 ORDER BY id;
SELECT ticket_id, title FROM support.deleted_tickets WHERE ticket_id = 4000;
SELECT support.restore_ticket(4000);

-- A desk that was dumped and restored elsewhere begins an era there, and has its recycle bin from before.
DELETE FROM support.tickets WHERE id = 4000;
UPDATE support_internal.eras SET system_identifier = 1;
\c
SET support_ext.now = '2026-08-06 09:00+00';
BEGIN;
INSERT INTO support.tags (name) VALUES ('rolled back');
ROLLBACK;
BEGIN;
SAVEPOINT s;
INSERT INTO support.tags (name) VALUES ('rolled back');
ROLLBACK TO s;
SELECT count(*) AS eras FROM support_internal.eras;
SELECT support.restore_ticket(4000);
COMMIT;
SELECT action, era FROM support.audit_log WHERE ticket_id = 4000 ORDER BY id;
SELECT era, system_identifier = 1 AS is_elsewhere, began_at = '2026-08-06 09:00+00' AS began_now FROM support_internal.eras ORDER BY era;
-- No era comes back, not with a desk that returns to its first cluster either.
UPDATE support_internal.eras AS e SET system_identifier = o.system_identifier
FROM support_internal.eras AS o WHERE e.era + o.era = 3;
\c
INSERT INTO support.tags (name) VALUES ('returned');
SELECT era, new_value FROM support.audit_log ORDER BY id DESC LIMIT 1;
SELECT era, system_identifier = 1 AS is_elsewhere, began_xid <= pg_current_xact_id()::text::bigint AS in_order FROM support_internal.eras ORDER BY era;

-- The recycle bin has one row for a ticket, however often it was removed, and the same where an index has only statements
-- add rows.
CREATE VIEW kept AS
SELECT b.ticket_id, count(*) AS rows, bool_and(to_jsonb(b) = (SELECT jsonb_build_object('ticket_id', a.ticket_id, 'audit_id', a.id,
	'occurred_at', a.occurred_at, 'xid', a.xid) FROM support.audit_log AS a
	WHERE a.ticket_id = b.ticket_id AND a.table_name = 'tickets' AND a.action = 'DELETE' ORDER BY a.id DESC LIMIT 1)) AS latest
FROM support_internal.recycle_bin AS b GROUP BY b.ticket_id;
CREATE PROCEDURE remove(ticket bigint) LANGUAGE sql AS
$$
	INSERT INTO support.tickets (id, title, description, creator_id) VALUES (ticket, 'Removed', 'and again', 1);
	DELETE FROM support.tickets WHERE id = ticket
$$;
CALL remove(9001);
CALL remove(9001);
CREATE INDEX by_next_xid ON support_internal.recycle_bin ((xid + 1));
CALL remove(9002);
SELECT * FROM kept WHERE ticket_id > 9000 ORDER BY ticket_id;
CALL remove(9001);
CALL remove(9002);
SELECT * FROM kept WHERE ticket_id > 9000 ORDER BY ticket_id;

\c contrib_regression
DROP DATABASE regress_audit;
DROP ROLE regress_audit_app, regress_audit_definer;
