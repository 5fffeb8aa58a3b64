-- The change feed: other systems follow the log.
CREATE DATABASE regress_feed;
\c regress_feed
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);

-- An entry is released when no older transaction runs. wait() does until all are: the server itself writes now and then.
CREATE FUNCTION wait() RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	last bigint := (SELECT max(xid) FROM support.audit_log);
BEGIN
	WHILE pg_snapshot_xmin(pg_current_snapshot())::text::bigint <= last LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;
-- What a consumer reads, told in short; done() says that all of it is done. Positions differ from run to run.
CREATE FUNCTION read(consumer text, batch_size integer DEFAULT 1000)
RETURNS TABLE (audit_id bigint, change text, old_value jsonb, new_value jsonb) LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM wait();
	RETURN QUERY
	SELECT f.audit_id, concat_ws(' ', f.action, f.table_name, f.record_id, 'of ' || nullif(f.ticket_id, 0)), f.old_value, f.new_value
	FROM support.feed_read(consumer, batch_size) WITH ORDINALITY AS f
	ORDER BY f.ordinality;
END
$$;
CREATE FUNCTION done(consumer text, batch_size integer DEFAULT 1000) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
	last record;
BEGIN
	PERFORM wait();
	SELECT * INTO last FROM support.feed_read(consumer, batch_size) WITH ORDINALITY ORDER BY ordinality DESC LIMIT 1;
	PERFORM support.feed_done(consumer, last.feed_position);
	RETURN last.audit_id;
END
$$;

-- A consumer that starts now gets what comes. It reads the same until it says that it has done, then what is left.
SELECT support.feed_start('search');
SELECT support.create_ticket('Printer on fire', 'It smokes', 2, tags => '{fire}');
SELECT support.add_comment(1, 'Which one?', status => 'pending');
SELECT support.watch_ticket(1, 2, 'cc');
SELECT audit_id, change FROM read('search', 2);
SELECT audit_id, change FROM read('search', 3);
SELECT done('search', 3);
SELECT audit_id, change FROM read('search');
SELECT done('search');
SELECT * FROM read('search');
SELECT consumer, era, audit_id, start_snapshot IS NOT NULL AS from_snapshot, created_at, done_at FROM support_internal.feed_consumers;

-- One that starts at the beginning gets the log from its first entry.
SELECT support.feed_start('archive', from_snapshot => NULL);
SELECT audit_id, change FROM read('archive', 4);

-- All that an entry tells. Position, id and time are those of the log.
UPDATE support.tickets SET channel = 'phone' WHERE id = 1;
SELECT f.actor_id, f.db_role = current_user AS db_role, f.action, f.table_name, f.record_id, f.ticket_id, f.old_value, f.new_value,
	f.feed_position = concat_ws('/', a.era, a.xid, a.id) AS position, f.occurred_at = a.occurred_at AS occurred_at
FROM wait(), support.feed_read('search') AS f
JOIN support.audit_log AS a ON a.id = f.audit_id;
SELECT done('search');

-- Of an INSERT the row as it was inserted, whatever has become of it: still there, changed, removed, brought back.
SELECT audit_id, change, new_value - '{created_at,updated_at,status_changed_at,waiting_since,last_customer_at}'::text[] AS new_value
FROM read('archive') WHERE change ~ '^INSERT' ORDER BY audit_id;
CREATE TABLE before AS SELECT audit_id, change, new_value FROM read('archive') WHERE change ~ '^INSERT';
UPDATE support.users SET full_name = 'Carl Changed', time_zone = 'Europe/Berlin' WHERE id = 2;
UPDATE support.tickets SET title = 'Printer is out', custom = '{"floor": 3}' WHERE id = 1;
UPDATE support.tickets SET title = 'Printer was on fire' WHERE id = 1;
SELECT support.edit_comment(1, 1, 'Which one, please?');
SELECT support.watch_ticket(1, 2, 'mention');
SELECT support.untag_ticket(1, '{fire}');
CREATE VIEW differences AS
SELECT audit_id, change, b.new_value AS before, n.new_value AS now
FROM before AS b
LEFT JOIN read('archive') AS n USING (audit_id, change)
WHERE b.new_value IS DISTINCT FROM n.new_value;
SELECT * FROM differences;
DELETE FROM support.tickets WHERE id = 1;
SELECT * FROM differences;
SELECT support.restore_ticket(1);
UPDATE support.tickets SET title = 'Printer is back' WHERE id = 1;
SELECT * FROM differences;
SELECT audit_id, change, new_value ->> 'title' AS title, new_value ->> 'content' AS content, new_value ->> 'kind' AS kind
FROM read('search') WHERE change ~ '^INSERT';
SELECT done('search') IS NOT NULL AS done;

-- Inserted, changed, removed and brought back by one transaction: each insertion has its own row.
BEGIN;
SELECT support.create_team('Printers');
UPDATE support.teams SET name = 'Scanners' WHERE name = 'Printers';
DELETE FROM support.teams WHERE name = 'Scanners';
INSERT INTO support.teams (id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'Plotters');
UPDATE support.teams SET name = 'Fire brigade' WHERE id = 1;
INSERT INTO support.team_members (team_id, user_id, capacity) VALUES (1, 1, 7);
UPDATE support.team_members SET capacity = 9;
COMMIT;
SELECT change, old_value - 'created_at' AS old_value, new_value - 'created_at' AS new_value FROM read('search');
SELECT done('search') IS NOT NULL AS done;

-- A column that came later, and one that went: what the log has of it.
ALTER TABLE support.teams ADD COLUMN region text DEFAULT 'north', ADD COLUMN floor integer;
INSERT INTO support.teams (name, floor) VALUES ('Couriers', 3);
UPDATE support.teams SET floor = 4 WHERE name = 'Couriers';
ALTER TABLE support.teams DROP COLUMN floor;
SELECT change, new_value - 'created_at' AS new_value FROM read('archive') WHERE change ~ '^INSERT teams' AND audit_id > 25;
ALTER TABLE support.teams DROP COLUMN region;

-- What was purged cannot be told any more.
SELECT support.create_ticket('Forget me', creator_id => 2);
SELECT support.add_comment(2, 'Please', author_id => 2);
SELECT support.watch_ticket(2, 2);
SELECT done('search') IS NOT NULL AS done;
SELECT support.feed_start('late');
DELETE FROM support.tickets WHERE id = 2;
SET support_ext.now = '2026-03-03 09:00+00';
SELECT support.purge_deleted('0');
SET support_ext.now = '2026-03-02 09:00+00';
SELECT change, old_value, new_value FROM read('archive') WHERE change ~ 'of 2$';
SELECT change, old_value, new_value FROM read('late');

-- Events of applications come as they are, one that is called INSERT too.
SELECT done('search') IS NOT NULL AS done;
SELECT support.log_event(1, 'phone_call', new_value => '{"minutes": 5}') > 0 AS logged;
INSERT INTO support.audit_log (action, new_value) VALUES ('INSERT', '[1]');
INSERT INTO support.audit_log (action, table_name, record_id, new_value) VALUES ('INSERT', 'invoices', 1, '{"id": 1}');
INSERT INTO support.audit_log (action, table_name, record_id) VALUES ('INSERT', 'users', 99);
SELECT change, new_value FROM read('search');
SELECT done('search') IS NOT NULL AS done;

-- From a consistent snapshot: a copy, and what came after it.
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE TABLE copy AS SELECT id, title FROM support.tickets;
SELECT pg_current_snapshot() AS snapshot
\gset
COMMIT;
SELECT support.create_ticket('After the copy', creator_id => 2);
SELECT support.feed_start('copied', :'snapshot');
SELECT change FROM read('copied');

-- A position that is done already is no error and moves nothing back.
SELECT feed_position AS first_position FROM support.feed_read('archive', 1)
\gset
SELECT done('archive', 5);
SELECT support.feed_done('archive', :'first_position');
SELECT audit_id FROM read('archive', 1);

-- Consumers are forgotten one by one.
SELECT support.feed_stop('late');
SELECT support.feed_stop('copied');
SELECT consumer FROM support_internal.feed_consumers ORDER BY consumer;

-- Refusals.
SELECT support.feed_start('search');
SELECT support.feed_read('nobody');
SELECT support.feed_done('search', '1/2');
SELECT support.feed_done('search', '1/1/1');
CREATE FUNCTION refusal(call text) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE 'SELECT support.' || call;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END
$$;
SELECT call, refusal(call)
FROM
	unnest(ARRAY[
		$$feed_start('search')$$,
		$$feed_start(NULL)$$,
		$$feed_start(E' \n')$$,
		$$feed_start('early', '9000000000000000000:9000000000000000000:')$$,
		$$feed_stop('nobody')$$,
		$$feed_stop(NULL)$$,
		$$feed_read('nobody')$$,
		$$feed_read('')$$,
		$$feed_read('search', 0)$$,
		$$feed_read('search', NULL)$$,
		$$feed_done('nobody', '1/1/1')$$,
		$$feed_done(NULL, '1/1/1')$$,
		$$feed_done('search', NULL)$$,
		$$feed_done('search', '')$$,
		$$feed_done('search', '1/2')$$,
		$$feed_done('search', '1/2/3/4')$$,
		$$feed_done('search', ' 1/2/3')$$,
		$$feed_done('search', '1/2/+3')$$,
		$$feed_done('search', '1/02/3')$$,
		$$feed_done('search', '1/2/3x')$$,
		$$feed_done('search', '2147483648/2/3')$$,
		$$feed_done('search', '1/9223372036854775808/3')$$,
		$$feed_done('search', '1/2/9223372036854775808')$$,
		$$feed_done('search', '0/0/0')$$,
		$$feed_done('search', '1/1/1')$$,
		$$feed_done('search', '1/9000000000000000000/1')$$,
		$$feed_done('search', '7/1/1')$$
	]) AS call;
-- an entry that is there, but not released
BEGIN;
SELECT support.log_event(NULL, 'visit') > 0 AS logged;
DO $$
BEGIN
	PERFORM support.feed_done('search', concat_ws('/', era, xid, id)) FROM support.audit_log ORDER BY id DESC LIMIT 1;
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE '%', regexp_replace(sqlerrm, '\d+/\d+/\d+', '...');
END
$$;
SELECT change FROM support.feed_read('search') AS f, concat_ws(' ', f.action, f.table_name) AS change;
ROLLBACK;
-- what does not write can be read without writing
BEGIN READ ONLY;
SELECT call, refusal(call)
FROM unnest(ARRAY[$$feed_start('reader')$$, $$feed_done('search', '1/1/1')$$, $$feed_stop('search')$$]) AS call;
SELECT audit_id, change FROM read('search');
ROLLBACK;

-- Who may: readers need the right to read the log, and the tables whose rows they are told of; writers the functions.
CREATE ROLE regress_feed;
GRANT USAGE ON SCHEMA support TO regress_feed;
SET ROLE regress_feed;
SELECT count(*) FROM support.feed_read('archive', 10);
SELECT support.feed_start('mine');
SELECT support.feed_stop('search');
SELECT support.feed_done('search', '1/1/1');
RESET ROLE;
GRANT SELECT ON support.audit_log TO regress_feed;
SET ROLE regress_feed;
SELECT count(*) FROM support.feed_read('archive', 10);
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO regress_feed;
GRANT EXECUTE ON FUNCTION support.feed_start, support.feed_stop, support.feed_done TO regress_feed;
SET ROLE regress_feed;
SELECT count(*) FROM support.feed_read('archive', 10);
SELECT support.feed_start('mine', NULL);
SELECT support.feed_done('mine', feed_position) FROM support.feed_read('mine', 1);
SELECT support.feed_stop('mine');
RESET ROLE;

-- A log of every shape: small transactions and large ones, small ones around large ones, gaps between their numbers,
-- entries of one transaction far apart, equal ids. Batches of every size give it whole, in the order of positions, and
-- none is larger than it was asked for, but where ids are equal.
CREATE TABLE entries (place bigint[]);
CREATE PROCEDURE write_log() LANGUAGE plpgsql AS
$$
BEGIN
	FOR n IN 1..400 LOOP
		INSERT INTO support.audit_log (action)
		SELECT 'visit' FROM generate_series(1, CASE n WHEN 100 THEN 6000 WHEN 101 THEN 2500 WHEN 300 THEN 900 ELSE n % 4 END);
		COMMIT;
		IF n % 50 = 0 THEN
			FOR gap IN 1..n * 5 LOOP
				PERFORM pg_current_xact_id();
				COMMIT;
			END LOOP;
		END IF;
	END LOOP;
	INSERT INTO support.audit_log (action) SELECT 'visit' FROM generate_series(1, 50);
	PERFORM setval('support.audit_log_id_seq', 1000000);
	INSERT INTO support.audit_log (action) SELECT 'visit' FROM generate_series(1, 700);
	PERFORM setval('support.audit_log_id_seq', 5000000000);
	INSERT INTO support.audit_log (action) SELECT 'visit' FROM generate_series(1, 3);
	COMMIT;
	INSERT INTO support.audit_log (action, id, ticket_id) SELECT 'visit', 5000000010 + n / 100, n FROM generate_series(1, 1000) AS n;
	COMMIT;
END
$$;
CREATE PROCEDURE read_log(consumer text, batch_size integer, times integer) LANGUAGE plpgsql AS
$$
DECLARE
	last text;
	n integer;
	largest integer := 0;
	batches integer := 0;
BEGIN
	TRUNCATE entries;
	LOOP
		INSERT INTO entries
		SELECT string_to_array(feed_position, '/')::bigint[] FROM support.feed_read(consumer, batch_size);
		GET DIAGNOSTICS n = ROW_COUNT;
		SELECT array_to_string(max(place), '/') INTO last FROM entries;
		EXIT WHEN n = 0;
		largest := greatest(largest, n);
		batches := batches + 1;
		PERFORM support.feed_done(consumer, last);
		EXIT WHEN batches = times;
	END LOOP;
	RAISE NOTICE '% batches, the largest of %, % entries', batches, largest, (SELECT count(*) FROM entries);
END
$$;
CREATE FUNCTION right_so_far() RETURNS boolean LANGUAGE sql AS
$$
	SELECT array_agg(e.place) = (SELECT array_agg(l.place) FROM
		(
			SELECT ARRAY[a.era, a.xid, a.id] AS place
			FROM support.audit_log AS a
			WHERE a.action = 'visit'
			ORDER BY a.era, a.xid, a.id
			LIMIT (SELECT count(*) FROM entries)
		) AS l)
	FROM entries AS e
$$;
SELECT support.feed_start('size ' || n) FROM unnest(ARRAY[1, 7, 100, 999, 20000]) AS n;
CALL write_log();
SELECT wait();
CALL read_log('size 1', 1, 200);
SELECT right_so_far();
CALL read_log('size 7', 7, 300);
SELECT right_so_far();
CALL read_log('size 100', 100, NULL);
SELECT right_so_far();
CALL read_log('size 999', 999, NULL);
SELECT right_so_far();
CALL read_log('size 20000', 20000, NULL);
SELECT right_so_far();

\c contrib_regression
DROP DATABASE regress_feed;
DROP ROLE regress_feed;
