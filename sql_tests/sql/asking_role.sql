-- Whom the log names where the server itself runs what the owner of a table put on it: that owner, not who began it.
CREATE DATABASE regress_asking_role;
\c regress_asking_role
CREATE EXTENSION support_ext;
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never

CREATE ROLE regress_root LOGIN SUPERUSER;
CREATE ROLE regress_mallory LOGIN;
GRANT CREATE ON DATABASE regress_asking_role TO regress_mallory;
GRANT USAGE ON SCHEMA support TO regress_mallory;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA support TO regress_mallory;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA support TO regress_mallory;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_mallory;
INSERT INTO support.users (email, full_name, role, db_role) VALUES
	('root@desk.example', 'Root Admin', 'admin', 'regress_root'),
	('mallory@desk.example', 'Mallory', 'agent', 'regress_mallory'),
	('cy@corp.example', 'Cy Customer', 'customer', NULL);

-- Each call works on a ticket of its own in every way: by a function, by plain SQL, by what its triggers do to the ticket
-- with the rights of the desk's owner, and by a cascade.
SET SESSION AUTHORIZATION regress_mallory;
CREATE SCHEMA mallory;
SET search_path = mallory;
CREATE FUNCTION work(what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ticket bigint;
BEGIN
	INSERT INTO support.comments (ticket_id, author_id, content)
	SELECT id, 3, what FROM support.tickets WHERE title = 'Old';
	INSERT INTO support.tickets (title, description, creator_id) VALUES (what, '', 3) RETURNING id INTO ticket;
	PERFORM support.log_event(ticket, what);
	PERFORM support.add_comment(ticket, 'Approved');
	DELETE FROM support.tickets WHERE id = ticket;
	RETURN what;
END
$$;
CREATE FUNCTION index_key(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN mallory.work(what); END $$;
CREATE TABLE baits (what text);
CREATE INDEX baits_key ON baits (index_key(what));
CREATE MATERIALIZED VIEW fresh AS SELECT index_key('REFRESH MATERIALIZED VIEW') WITH NO DATA;
INSERT INTO support.tickets (title, description, creator_id) VALUES ('Old', '', 3);
INSERT INTO baits VALUES ('by the owner');
RESET SESSION AUTHORIZATION;
RESET search_path;

-- A clerk lets everybody note something.
CREATE ROLE regress_clerk;
GRANT USAGE ON SCHEMA support TO regress_clerk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_clerk;
CREATE FUNCTION public.note(what text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$ SELECT what FROM support.log_event(NULL, what) $$;
ALTER FUNCTION public.note(text) OWNER TO regress_clerk;

-- Whom the entries name that were written since the last look.
CREATE FUNCTION public.written() RETURNS TABLE (db_role text, actor text, entries bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY
	SELECT a.db_role::text, u.full_name::text, count(*)
	FROM support.audit_log AS a
	LEFT JOIN support.users AS u ON u.id = a.actor_id
	WHERE a.id > current_setting('test.last')::bigint
	GROUP BY 1, 2
	ORDER BY 1, 2;
	PERFORM set_config('test.last', max(id)::text, false) FROM support.audit_log;
END
$$;
SET SESSION AUTHORIZATION regress_root;
SET test.last = 0;
SELECT count(*) FROM public.written();

-- Root's own change runs the function as well, but nobody has become anybody else: it is root that asks, as ever.
UPDATE mallory.baits SET what = 'of root';
SELECT * FROM public.written();
ANALYZE mallory.baits;
SELECT * FROM public.written();
REFRESH MATERIALIZED VIEW mallory.fresh;
SELECT * FROM public.written();
REINDEX INDEX mallory.baits_key;
SELECT * FROM public.written();
CLUSTER mallory.baits USING baits_key;
SELECT * FROM public.written();
VACUUM FULL mallory.baits;
SELECT * FROM public.written();
CREATE INDEX ON mallory.baits (mallory.index_key(what || '!'));
SELECT * FROM public.written();
-- Others' rights that the owner's code takes on are theirs to give, but never those of who began it.
SET SESSION AUTHORIZATION regress_mallory;
CREATE OR REPLACE FUNCTION mallory.work(what text) RETURNS text LANGUAGE sql AS $$ SELECT public.note(what) $$;
SET SESSION AUTHORIZATION regress_root;
DO $$
BEGIN
	PERFORM support.log_event(NULL, 'begun');
	ANALYZE mallory.baits;
	PERFORM support.log_event(NULL, 'ended');
END
$$;
SELECT * FROM public.written();
RESET SESSION AUTHORIZATION;

\c contrib_regression
DROP DATABASE regress_asking_role;
DROP ROLE regress_root, regress_mallory, regress_clerk;
