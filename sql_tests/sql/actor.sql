-- Who acts, and when: the acting user, the desk's clock, the settings.
CREATE DATABASE regress_actor;
\c regress_actor
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

-- Nobody acts until somebody says who. Plain DML works all the same.
SELECT support.actor_id();
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('bob@desk.example', 'Bob Bell', 'team_lead'),
	('carl@corp.example', 'Carl Customer', 'customer'),
	('dora@desk.example', 'Dora Gone', 'agent');
UPDATE support.users SET is_active = false WHERE id = 4;

-- set_actor() says whom it set.
SELECT support.set_actor(1);
SELECT support.actor_id();
SELECT support.set_actor(2);
SELECT support.actor_id();

-- An unknown or inactive user is refused, and the one before stays.
SELECT support.set_actor(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_actor(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_actor(4);
\echo :LAST_ERROR_SQLSTATE
SELECT support.actor_id();

-- NULL clears.
SELECT support.set_actor(NULL) IS NULL AS cleared;
SELECT support.actor_id();

-- is_local lasts until the transaction ends: what connection pools need.
SELECT support.set_actor(1);
BEGIN;
SELECT support.set_actor(2, true);
SELECT support.actor_id();
COMMIT;
SELECT support.actor_id();
BEGIN;
SELECT support.set_actor(NULL, is_local => true);
SELECT support.actor_id();
COMMIT;
SELECT support.actor_id();

-- Without is_local it outlives the transaction, unless that rolls back.
BEGIN;
SELECT support.set_actor(2);
ROLLBACK;
SELECT support.actor_id();
BEGIN;
SELECT support.set_actor(2);
COMMIT;
SELECT support.actor_id();

-- The setting itself may be used as well.
SET support_ext.actor_id = 3;
SELECT support.actor_id();
SET support_ext.actor_id = 'carl';
\echo :LAST_ERROR_SQLSTATE
SET support_ext.actor_id = '-3';
\echo :LAST_ERROR_SQLSTATE
SET support_ext.actor_id = '3 or so';
\echo :LAST_ERROR_SQLSTATE
SELECT support.actor_id();
SET support_ext.actor_id = '';
SELECT support.actor_id();

-- It reaches a session that has not used the extension yet.
ALTER DATABASE regress_actor SET support_ext.actor_id = 2;
\c
SELECT support.actor_id();
ALTER DATABASE regress_actor RESET support_ext.actor_id;
\c
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SELECT support.actor_id();

-- Who has a database role of his own needs no setting. The session user counts, not the current one.
CREATE ROLE regress_actor_ann;
CREATE ROLE regress_actor_other;
GRANT USAGE ON SCHEMA support TO regress_actor_ann;
SET SESSION AUTHORIZATION regress_actor_ann;
SELECT support.actor_id();
RESET SESSION AUTHORIZATION;
UPDATE support.users SET db_role = 'regress_actor_ann' WHERE id = 1;
SET SESSION AUTHORIZATION regress_actor_ann;
SELECT support.actor_id();
SELECT count(*) FROM support.users;
RESET SESSION AUTHORIZATION;
SET ROLE regress_actor_ann;
SELECT support.actor_id();
RESET ROLE;

-- Who logs in as himself acts as himself: by setting, function or argument he is nobody else, and the log has nothing of it.
GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA support TO regress_actor_ann;
GRANT INSERT ON support.audit_log TO regress_actor_ann;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_actor_ann;
SELECT max(id) AS last FROM support.audit_log \gset
SET SESSION AUTHORIZATION regress_actor_ann;
SET support_ext.actor_id = 2;
SELECT support.actor_id();
\echo :LAST_ERROR_SQLSTATE
UPDATE support.users SET full_name = 'Ann' WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
RESET support_ext.actor_id;
SELECT support.set_actor(2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_actor(99, is_local => true);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_team('Ann''s', actor_id => 2);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.audit_log (action, actor_id) VALUES ('visit', 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.actor_id();
SET support_ext.actor_id = 1;
SELECT support.actor_id(), support.set_actor(1), support.actor_id();
RESET support_ext.actor_id;
RESET SESSION AUTHORIZATION;
SELECT actor_id, db_role, action FROM support.audit_log WHERE id > :last;
-- Once he is deactivated he changes nothing, whoever else he may be for the server.
BEGIN;
SELECT support.deactivate_user(1);
SET LOCAL SESSION AUTHORIZATION regress_actor_ann;
SAVEPOINT before;
UPDATE support.users SET full_name = 'Ann' WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO before;
SELECT support.create_team('Ann''s');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- A bot is a program, which may act for many; so may who has the rights of the desk's owner, be it by a function of his.
BEGIN;
UPDATE support.users SET role = 'bot' WHERE id = 1;
SET LOCAL SESSION AUTHORIZATION regress_actor_ann;
SELECT support.set_actor(2), support.actor_id();
ROLLBACK;
CREATE ROLE regress_actor_owner;
BEGIN;
GRANT regress_actor_owner TO regress_actor_ann;
ALTER TABLE support.audit_log OWNER TO regress_actor_owner;
SET LOCAL SESSION AUTHORIZATION regress_actor_ann;
SELECT support.set_actor(2), support.actor_id();
ROLLBACK;
CREATE FUNCTION act_for(user_id bigint) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT support.set_actor(user_id, true) $$;
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_actor_ann;
SELECT public.act_for(2);
ROLLBACK;
DROP FUNCTION act_for(bigint);
DROP ROLE regress_actor_owner;
REVOKE ALL ON ALL TABLES IN SCHEMA support FROM regress_actor_ann;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA support FROM regress_actor_ann;

-- A change of db_role is seen at once, and so is its rollback.
BEGIN;
UPDATE support.users SET db_role = 'regress_actor_other' WHERE id = 1;
SET LOCAL SESSION AUTHORIZATION regress_actor_ann;
SELECT support.actor_id();
ROLLBACK;
SET SESSION AUTHORIZATION regress_actor_ann;
SELECT support.actor_id();
RESET SESSION AUTHORIZATION;
BEGIN;
DELETE FROM support.users WHERE id = 1;
INSERT INTO support.users (id, email, full_name, role, db_role)
VALUES (11, 'ann@desk.example', 'Ann Agent', 'agent', 'regress_actor_ann');
SET LOCAL SESSION AUTHORIZATION regress_actor_ann;
SELECT support.actor_id();
ROLLBACK;
SET SESSION AUTHORIZATION regress_actor_ann;
SELECT support.actor_id();
RESET SESSION AUTHORIZATION;

-- A database role acts as one user.
UPDATE support.users SET db_role = 'regress_actor_ann' WHERE id = 2;
\echo :LAST_ERROR_SQLSTATE

-- The argument actor_id holds for the call: triggers see it, the log has it, and afterwards all is as before.
CREATE TABLE seen (actor_id bigint);
CREATE FUNCTION see_actor() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	INSERT INTO public.seen VALUES (support.actor_id());
	RETURN NULL;
END
$$;
CREATE TRIGGER see_actor AFTER INSERT OR UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION see_actor();
SELECT support.set_actor(1);
SELECT support.create_ticket('Printer on fire', creator_id => 3, actor_id => 2);
SELECT support.actor_id();
SELECT support.set_priority(1, 'high', actor_id => NULL);
SELECT support.actor_id();
SELECT * FROM seen;
SELECT actor_id, action, table_name FROM support.audit_log WHERE ticket_id = 1 ORDER BY id;

-- The creator that was not named is the acting user, whoever is acting in this call.
SELECT support.create_ticket('Phone call', requester_id => 3, actor_id => 2);
SELECT id, creator_id FROM support.tickets WHERE id = 2;

-- So it is after an error in the call, …
SELECT support.set_status(1, 'opne', actor_id => 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.actor_id();

-- … inside a savepoint, …
BEGIN;
SAVEPOINT before_call;
SELECT support.set_status(1, 'opne', actor_id => 2);
ROLLBACK TO before_call;
SELECT support.actor_id();
SELECT support.set_status(1, 'in_progress');
COMMIT;
SELECT support.actor_id();

-- … and in a block that catches the error.
DO $$
BEGIN
	PERFORM support.set_status(1, 'opne', actor_id => 2);
EXCEPTION WHEN foreign_key_violation THEN
	RAISE NOTICE 'caught, acting user is %', support.actor_id();
END
$$;
SELECT support.actor_id();

-- A call within a call: each has its own.
CREATE FUNCTION answer() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM support.log_event(NEW.ticket_id, 'answered', actor_id => 3);
	INSERT INTO public.seen VALUES (support.actor_id());
	RETURN NULL;
END
$$;
CREATE TRIGGER answer AFTER INSERT ON support.comments FOR EACH ROW EXECUTE FUNCTION answer();
TRUNCATE seen;
SELECT support.add_comment(2, 'One moment', actor_id => 2);
SELECT * FROM seen ORDER BY actor_id;
SELECT support.actor_id();
SELECT actor_id, action, table_name FROM support.audit_log WHERE ticket_id = 2 ORDER BY id;
DROP TRIGGER see_actor ON support.tickets;
DROP TRIGGER answer ON support.comments;

-- Who is not there, or has left, acts in no call either.
SELECT support.create_ticket('Nobody''s', creator_id => 3, actor_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('Nobody''s', creator_id => 3, actor_id => -7);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('Nobody''s', creator_id => 3, actor_id => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('Nobody''s', creator_id => 3, actor_id => 4);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.tickets WHERE title ~ 'Nobody';
SELECT support.actor_id();

-- Whoever acts must be known where that decides something.
SELECT support.set_actor(NULL);
SELECT support.create_ticket('Whose?');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(1, 'Who says so?');
\echo :LAST_ERROR_SQLSTATE

-- The clock: the start of the transaction, …
SET support_ext.now = '';
SELECT support.desk_now() = transaction_timestamp() AS is_transaction_time;
BEGIN;
SELECT pg_sleep(0.001);
SELECT support.desk_now() = transaction_timestamp() AND support.desk_now() < clock_timestamp() AS stands_still;
COMMIT;

-- … or the setting, which every default, trigger and log entry reads.
SET support_ext.now = '2026-03-02 10:00 Europe/Berlin';
SELECT support.desk_now();
SELECT support.create_ticket('By the clock', creator_id => 3);
SELECT created_at, updated_at, waiting_since FROM support.tickets WHERE id = 3;
SET support_ext.now = '2026-03-03 12:00+00';
SELECT support.set_status(3, 'resolved');
SELECT created_at, updated_at, solved_at FROM support.tickets WHERE id = 3;
SELECT occurred_at, action FROM support.audit_log WHERE ticket_id = 3 ORDER BY id;
SET support_ext.now = 'teatime';
\echo :LAST_ERROR_SQLSTATE
SELECT support.desk_now();

-- Setting the clock takes a superuser, or somebody who was granted it.
SET SESSION AUTHORIZATION regress_actor_ann;
SET support_ext.now = '2026-01-01 00:00+00';
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
GRANT SET ON PARAMETER support_ext.now TO regress_actor_ann;
SET SESSION AUTHORIZATION regress_actor_ann;
SET support_ext.now = '2026-01-01 00:00+00';
SELECT support.desk_now();
RESET SESSION AUTHORIZATION;
REVOKE SET ON PARAMETER support_ext.now FROM regress_actor_ann;

-- What may be set, what it is now and what it means.
RESET support_ext.now;
SELECT name, value FROM support.settings();
SET support_ext.ticket_prefix = 'HELP-';
SET support_ext.fold_every = 0;
SELECT name, value FROM support.settings() WHERE name ~ 'prefix|fold';
SELECT name FROM support.settings() WHERE meaning IS NULL OR meaning !~ '\.$';
SELECT support.create_ticket('With a prefix', creator_id => 3);
SELECT ticket_number FROM support.tickets WHERE id = 4;
SELECT support.next_ticket_number();

-- A name that is no setting is refused.
SET support_ext.actor = 1;
\echo :LAST_ERROR_SQLSTATE

-- The library is of the version that the extension says.
SELECT support.version() = extversion AS is_equal FROM pg_extension WHERE extname = 'support_ext';

\c contrib_regression
DROP DATABASE regress_actor;
DROP ROLE regress_actor_ann, regress_actor_other;
