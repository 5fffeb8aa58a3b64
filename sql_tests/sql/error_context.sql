-- What an error says of the statements of the desk that it came from: a line each, whoever raised it.
CREATE DATABASE regress_error_context;
\c regress_error_context
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT always

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.create_ticket('Printer on fire', creator_id => 2, assignee_id => 1) > 0 AS opened;

-- A trigger of the application's refuses what the desk does for a comment: two statements of ours, one within the other.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
	RAISE EXCEPTION 'not today' USING DETAIL = 'It is Sunday.', HINT = 'Come tomorrow.', ERRCODE = '55000';
END
$$;
CREATE TRIGGER refuse BEFORE UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT support.add_comment(1, 'Which one?', author_id => 1);
\echo :LAST_ERROR_SQLSTATE
-- So it is told to a program, and in a log.
DO
$$
DECLARE
	context text;
	detail text;
	hint text;
BEGIN
	PERFORM support.deactivate_user(1);
EXCEPTION WHEN SQLSTATE '55000' THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '% % longest line: %', detail, hint,
		(SELECT max(length(line)) < 110 FROM regexp_split_to_table(context, E'\n') AS line);
END
$$;
DROP TRIGGER refuse ON support.tickets;

-- What the server refuses, and what the desk does.
SELECT support.create_ticket(repeat('x', 501), creator_id => 2);
SELECT support.assign_ticket(1, 2);

-- A statement that is not the desk's is told as it stands.
CREATE FUNCTION break_it(n integer) RETURNS integer LANGUAGE plpgsql AS
$$
BEGIN
	UPDATE support.tickets
	SET title = repeat('x', 501 + n)
	WHERE id = 1;
	RETURN n;
END
$$;
SELECT break_it(1);

-- install(), too, whose statements have many lines.
CREATE FUNCTION refuse_views() RETURNS event_trigger LANGUAGE plpgsql AS
$$
BEGIN
	RAISE EXCEPTION 'no views today';
END
$$;
DROP VIEW support.report_priority;
CREATE EVENT TRIGGER refuse_views ON ddl_command_start WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION refuse_views();
SELECT support.install();
DROP EVENT TRIGGER refuse_views;
SELECT support.install();

-- Restoring a row, whose statement is made for it.
DELETE FROM support.tickets WHERE id = 1;
ALTER TABLE support.tickets ADD CONSTRAINT no_fire CHECK (title <> 'Printer on fire');
SELECT support.restore_ticket(1);

\c contrib_regression
DROP DATABASE regress_error_context;
