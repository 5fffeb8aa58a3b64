-- One row that cannot be worked on never stops the others: it is left out, and told of.
CREATE DATABASE regress_left_out;
\c regress_left_out
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.create_sla_policy('Standard', '[{"metric": "first_reply", "target": "1 hour", "warn": [50]},
	{"metric": "resolution", "target": "2 hours"}]') AS policy \gset
INSERT INTO support.tickets (title, description, creator_id) SELECT 'Ticket ' || n, '', 2 FROM generate_series(1, 40) AS n;
CREATE TABLE clean AS TABLE support.sla_clocks;

-- Garbage in the clocks of three tickets: each has two clocks, so six of eighty are left out, and no more.
CREATE FUNCTION ticked(garbage text, batch_size integer) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	seen integer;
	total integer := 0;
	calls integer := 0;
BEGIN
	DELETE FROM support.sla_events;
	DELETE FROM support.sla_clocks;
	INSERT INTO support.sla_clocks TABLE clean;
	EXECUTE format('UPDATE support.sla_clocks SET %s WHERE ticket_id IN (1, 2, 17) AND metric = ''first_reply''', garbage);
	PERFORM set_config('support_ext.now', '2026-03-02 12:00+00', true);
	LOOP
		seen := support.sla_tick(batch_size);
		EXIT WHEN seen = 0;
		total := total + seen;
		calls := calls + 1;
	END LOOP;
	RETURN format('%s seen in %s calls, %s breaches, %s warnings', total, calls,
		(SELECT count(*) FROM support.sla_events WHERE kind = 'breach'),
		(SELECT count(*) FROM support.sla_events WHERE kind = 'warn'));
END
$$;
SELECT ticked('id = id', 1000);
SELECT ticked('state = ''asleep''', 1000);
SET client_min_messages = error;
SELECT garbage, ticked(garbage, 1000), ticked(garbage, 5) AS by_five
FROM unnest(ARRAY[
	$$metric = 'mood'$$, $$target = '0'$$, $$target = '1 month'$$, $$consumed = '-1 hour'$$, $$checkpoint_at = 'infinity'$$,
	$$checkpoint_at = '-infinity'$$, $$started_at = 'infinity'$$, $$warn_percents = '{500}'$$, $$warned = -1$$,
	$$breach_reason = 'bad luck'$$, $$calendar_id = 77, calendar_version = 1$$]) AS garbage;
-- More of them than a batch takes: the others have their turn all the same.
SELECT ticked($$state = 'asleep'$$, 2);
RESET client_min_messages;

-- A trigger of the application that refuses one is heard of as well, …
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	IF NEW.ticket_id = 5 THEN
		RAISE EXCEPTION 'not this one' USING ERRCODE = 'P0001', DETAIL = 'It is mine.', HINT = 'Ask me.';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON support.sla_events FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT ticked('id = id', 1000);
DROP TRIGGER refuse ON support.sla_events;
-- … but what speaks of the server's state, not of a ticket, ends the call.
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON support.sla_events FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT ticked('id = id', 1000);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER refuse ON support.sla_events;

-- So it is where all tickets are held to an edited policy.
DELETE FROM support.sla_clocks;
INSERT INTO support.sla_clocks TABLE clean;
UPDATE support.sla_clocks SET state = 'asleep' WHERE ticket_id = 7;
SELECT support.update_sla_policy(:policy, targets => '[{"metric": "first_reply", "target": "3 hours"}, {"metric": "resolution", "target": "9 hours"}]');
SELECT support.sla_reapply();
SELECT target, count(*) FROM support.sla_clocks GROUP BY target ORDER BY target;
-- After the tenth it is said how many more.
UPDATE support.sla_clocks SET state = 'asleep' WHERE ticket_id BETWEEN 7 AND 20;
SELECT support.sla_reapply();
DELETE FROM support.sla_clocks;

-- A ticket that a table of the application refers to cannot be purged; what comes after it can.
CREATE TABLE kept (ticket_id bigint REFERENCES support.tickets);
INSERT INTO kept VALUES (1), (2), (9);
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id <= 10;
DELETE FROM support.tickets WHERE id BETWEEN 11 AND 15;
SET support_ext.now = '2026-06-01 09:00+00';
SELECT support.purge_deleted(batch_size => 3);
SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.purge_deleted();
SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id;
SELECT ticket_id, count(*) FROM support.audit_log WHERE action = 'PURGE' GROUP BY ticket_id ORDER BY ticket_id;
DROP TABLE kept;
SELECT support.purge_deleted();

\c contrib_regression
DROP DATABASE regress_left_out;
