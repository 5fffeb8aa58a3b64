-- Every function, called with whatever its types allow, answers or refuses: nothing is the server's or our own fault (class XX).
-- The seed is fixed, so that a finding is found again.
CREATE DATABASE regress_random_calls;
\c regress_random_calls
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);
SELECT support.create_calendar('Office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}') > 0 AS made;
SELECT support.create_sla_policy('Standard', '[{"metric": "first_reply", "target": "1 hour", "warn": [50], "calendar": "Office"}]') > 0 AS made;
INSERT INTO support.tickets (title, description, creator_id) SELECT 'Ticket ' || n, '', 2 FROM generate_series(1, 9) AS n;
SELECT support.add_comment(1, 'Hello', external_id => 'x') > 0 AS added;
SELECT support.add_attachment(1, 'a.txt', 'a') > 0 AS added;
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = 3;
DELETE FROM support.tickets WHERE id = 4;
SELECT support.fold_stats() > 0 AS counted;

-- Literals of each type, separated by |.
CREATE TABLE samples AS
SELECT s.type, btrim(unnest(string_to_array(s.literals, '|'))) AS literal
FROM (VALUES
	('bigint', $$NULL | 0 | 1 | 2 | 3 | 4 | -1 | 99 | 9223372036854775807 | -9223372036854775808$$),
	('integer', $$NULL | 0 | 1 | 2 | 7 | -1 | 100 | 2147483647 | -2147483648$$),
	('boolean', $$NULL | true | false$$),
	('double precision', $$NULL | 0 | 1 | -1 | 'NaN' | 'Infinity' | '-Infinity' | 1e308 | 1e-308$$),
	('timestamp with time zone', $$NULL | 'infinity' | '-infinity' | '2026-03-02 09:00+00' | '2026-02-01 00:00+00' | '4713-01-01 00:00+00 BC' |
		'294276-12-31 23:59:59+00' | '9999-12-31 23:59+00' | '10001-01-01 00:00+00'$$),
	('date', $$NULL | 'infinity' | '-infinity' | '2026-03-02' | '4713-01-01 BC' | '5874897-12-31'$$),
	('interval', $$NULL | '0' | '1 hour' | '-1 hour' | '1 month' | '30 days' | '178000000 years' | '-178000000 years' | '2562047788 hours'$$),
	('text', $$NULL | '' | ' ' | 'x' | 'day' | 'hour' | 'week' | 'UTC' | 'Europe/Berlin' | 'created' | 'open' | 'backlog' | 'first_reply' |
		'resolution' | 'status' | 'team' | 'tickets' | 'T-1' | '%s%n' | 's' | 't' | '{' | '-infinity' | E'\x01\n' | repeat('x', 600)$$),
	('jsonb', $$NULL | '{}' | '[]' | 'null' | '1' | '"x"' | '[null]' | '[[]]' | '{"team_id": 1e400}' | '{"status": ["open", null]}' |
		'{"team_id": [1, "x", []]}' | '[{"metric": "first_reply", "target": "1 hour"}]' | '[{"metric": 1, "target": {}}]' |
		'{"mon-fri": "09:00-17:00"}' | '{"mon": ["25:00-30:00"], "x": null}' | '["2026-12-25", {"day": "infinity"}]' |
		'{"title": "x", "priority": null, "tags": [1]}' | '{"pending_until": "infinity"}' | '{"assignee_id": 99999999999999999999}' |
		'{"custom": {"a": 1}, "channel": {"a": [1]}}'$$),
	('text[]', $$NULL | '{}' | '{NULL}' | '{a,b}' | '{{a,b},{c,d}}' | '[5:6]={a,NULL}' | '{open,day}' | '{""," "}'$$),
	('bigint[]', $$NULL | '{}' | '{NULL}' | '{1,2}' | '{{1,2},{3,4}}' | '{-1,9223372036854775807}' | '[3:4]={1,NULL}'$$),
	('integer[]', $$NULL | '{}' | '{NULL,1}' | '{{1,2}}' | '{2147483647,-1}'$$),
	('double precision[]', $$NULL | '{}' | '{NULL}' | '{1,2,3}' | '{{1,2},{3,4}}' | '{NaN,Infinity,-Infinity}' | '{1e308,-1e308}'$$),
	('timestamp with time zone[]', $$NULL | '{}' | '{NULL}' | '{infinity,-infinity}' | '{2026-01-01,2026-02-01}' | '{{2026-01-01,2026-01-02}}'$$),
	('bytea', $$NULL | '' | 'x'$$),
	('pg_snapshot', $$NULL | '1:1:' | '10:20:10,14' | pg_current_snapshot()$$),
	('"char"', $$NULL | 'a' | 't' | ''$$),
	('anyelement', $$NULL::support.tickets | NULL::support.comments | NULL::integer | NULL::pg_catalog.pg_class | 'x'::text$$)
	) AS s (type, literals);

CREATE TABLE findings (state text, message text, call text, UNIQUE (state, message));
CREATE TABLE outcomes (state text PRIMARY KEY, n integer);

-- A call of a function with random arguments; the later ones may be left out where they have defaults.
CREATE FUNCTION random_call(function oid) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	f pg_proc;
	arguments text[] = '{}';
	wanted text;
	chosen text;
BEGIN
	SELECT p.* INTO f FROM pg_proc AS p WHERE p.oid = function;
	FOR i IN 0 .. f.pronargs - 1 LOOP
		EXIT WHEN i >= f.pronargs - f.pronargdefaults AND random() < 0.3;
		wanted := format_type(f.proargtypes[i], NULL);
		SELECT s.literal INTO chosen FROM samples AS s WHERE s.type = wanted ORDER BY random() LIMIT 1;
		arguments := arguments || CASE WHEN wanted = 'anyelement' THEN chosen ELSE format('(%s)::%s', coalesce(chosen, 'NULL'), wanted) END;
	END LOOP;
	RETURN format(CASE f.prokind WHEN 'a' THEN 'SELECT %s(%s) FROM generate_series(1, 3)' ELSE 'SELECT * FROM %s(%s) LIMIT 1000' END,
		f.oid::regproc, array_to_string(arguments, ', '));
END
$$;

-- Make it, and take back what came of it.
CREATE FUNCTION try_call(call text) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	state text;
	message text;
BEGIN
	BEGIN
		EXECUTE call;
		RAISE EXCEPTION USING ERRCODE = 'UNDO1';
	EXCEPTION
		WHEN SQLSTATE 'UNDO1' THEN
			state := '00000';
		WHEN OTHERS THEN
			state := SQLSTATE;
			message := SQLERRM;
	END;
	INSERT INTO outcomes VALUES (state, 1) ON CONFLICT ON CONSTRAINT outcomes_pkey DO UPDATE SET n = outcomes.n + 1;
	IF state ~ '^(XX|53|58|57|42P|428|0A)' THEN
		INSERT INTO findings VALUES (state, regexp_replace(message, '\d+', 'N', 'g'), call) ON CONFLICT DO NOTHING;
	END IF;
END
$$;

-- What waits, what makes or changes the layout, and what the server itself calls is left out.
SET client_min_messages = error;
SELECT setseed(0.42);
SELECT count(try_call(random_call(p.oid))) > 2500 AS many_calls
FROM generate_series(1, 30) AS round
CROSS JOIN (SELECT p.oid FROM pg_proc AS p
	WHERE p.pronamespace IN ('support'::regnamespace, 'support_internal'::regnamespace) AND p.prokind IN ('f', 'a')
		AND p.prorettype <> 'trigger'::regtype AND NOT ('internal'::regtype = ANY (p.proargtypes) OR p.prorettype = 'internal'::regtype)
		AND p.proname <> ALL ('{install, maintain, feed_wait, desk_layout}')
	ORDER BY p.proname) AS p;
SELECT state, message, call FROM findings ORDER BY state, message;
SELECT count(*) FILTER (WHERE state = '00000') = 1 AS some_answer, count(*) > 5 AS many_refusals FROM outcomes;

\c contrib_regression
DROP DATABASE regress_random_calls;
