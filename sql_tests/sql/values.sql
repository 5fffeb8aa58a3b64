-- What values are held to on every road: names, keys of other systems, sizes; and what a terminal is shown of them.
CREATE DATABASE regress_values;
\c regress_values
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
INSERT INTO support.teams (name) VALUES ('Fonts');
INSERT INTO support.calendars (name, time_zone) VALUES ('Office', 'UTC');
INSERT INTO support.calendar_holidays (calendar_id, day, name) VALUES (1, '2026-12-25', 'Christmas');
INSERT INTO support.sla_policies (name) VALUES ('Gold');
INSERT INTO support.holds (ticket_id, reason) VALUES (1, 'in court');
INSERT INTO support.ticket_rules (name, action) VALUES ('spam', 'purge');
SELECT support.set_actor(1);

-- A blank external_id is none, on every road: two mails without a Message-ID are two tickets, and two comments.
SELECT support.create_ticket('Mail', 'one', creator_id => 2, external_id => '');
SELECT support.create_ticket('Mail', 'two', creator_id => 2, external_id => '');
SELECT support.create_ticket('Mail', 'three', creator_id => 2, external_id => E' \t\u00a0\n');
SELECT support.add_comment(1, 'one', external_id => '');
SELECT support.add_comment(1, 'two', external_id => E'\n');
SELECT support.create_user('eve@corp.example', 'Eve', external_id => ' ');
SELECT support.create_user('fay@corp.example', 'Fay', external_id => ' ');
INSERT INTO support.tickets (title, description, creator_id, external_id) VALUES ('Mail', 'four', 2, ''), ('Mail', 'five', 2, '');
INSERT INTO support.comments (ticket_id, author_id, content, external_id) VALUES (1, 2, 'three', ''), (1, 2, 'four', '  ');
COPY support.organizations (name, external_id) FROM stdin WITH (FORMAT csv, FORCE_NOT_NULL (external_id));
Blank,
Spaces,"  "
\.
UPDATE support.tickets SET external_id = 'x-1' WHERE id = 1;
UPDATE support.tickets SET external_id = '' WHERE id = 1;
SELECT
	(SELECT count(*) FROM support.tickets) AS tickets,
	(SELECT count(*) FROM support.comments) AS comments,
	(SELECT count(external_id) FROM support.tickets) + (SELECT count(external_id) FROM support.comments)
		+ (SELECT count(external_id) FROM support.users) + (SELECT count(external_id) FROM support.organizations) AS keys;
-- White space around one is not part of it, so a retry finds what there is.
SELECT support.create_ticket('Mail', 'six', creator_id => 2, external_id => '<m1@corp.example>') = support.create_ticket('Mail',
	'six', creator_id => 2, external_id => E' <m1@corp.example>\r\n') AS is_same;
SELECT support.add_comment(1, 'six', external_id => E'<c1>\u00a0') = support.add_comment(1, 'six', external_id => '<c1>') AS is_same;
SELECT support.create_user('gus@corp.example', 'Gus', external_id => ' crm-1 ') > 0 AS created;
SELECT support.create_user('hal@corp.example', 'Hal', external_id => 'crm-1');

-- An index holds so much and no more: a longer one is refused by us, in whatever characters.
SELECT support.create_ticket('Mail', creator_id => 2, external_id => repeat('k', 2000)) > 0 AS taken;
SELECT support.create_ticket('Mail', creator_id => 2, external_id => repeat(E'\u00e4', 1000)) > 0 AS taken;
SELECT support.add_comment(1, 'seven', external_id => repeat('k', 2001));
\echo :LAST_ERROR_SQLSTATE

-- Names are trimmed on every road. This is the same user, a team of that name there is, and so on.
SELECT support.create_user(' carl@corp.example', 'Carl');
SELECT support.create_user(E'CARL@corp.example\u00a0\n', 'Carl');
SELECT support.create_team(E'Fonts\u3000');
SELECT support.create_calendar(' Office ', 'UTC', '{"mon": ["09:00-17:00"]}');
SELECT support.create_ticket('Numbered', creator_id => 2, ticket_number => ' N-1 ') AS n \gset
SELECT support.create_ticket('Numbered', creator_id => 2, ticket_number => 'N-1');
SELECT support.get_ticket_by_number(E'N-1\n') -> 'ticket' ->> 'ticket_number' AS number;
INSERT INTO support.users (email, full_name) VALUES (E'carl@corp.example\n', 'Carl');
COPY support.users (email, full_name) FROM stdin;
ann@desk.example 	Ann
\.
SELECT support.update_ticket(:n, '{"title": "\u00a0 Numbered\u2003", "channel": " phone "}') AS version;
SELECT '>' || title || '<' AS title, '>' || channel || '<' AS channel FROM support.tickets WHERE id = :n;
-- What is the same without white space has not changed.
UPDATE support.tickets SET title = ' Numbered ', channel = E'phone\n' WHERE id = :n RETURNING version;

-- A tag that is renamed with a space does not stand beside the one without, and untag_ticket() takes off the right one.
SELECT support.tag_ticket(1, ARRAY['fonts', E'print\u00a0']);
UPDATE support.tags SET name = 'Fonts ' WHERE name = 'fonts';
INSERT INTO support.tags (name) VALUES (' FONTS');
SELECT '>' || name || '<' AS name FROM support.tags ORDER BY id;
SELECT support.untag_ticket(1, ARRAY[E'\u2007fonts ']);
SELECT support.untag_ticket(1, ARRAY[E'\u00a0']);

-- Every name of every table, by UPDATE.
CREATE TABLE names (place serial, rel text, col text);
INSERT INTO names (rel, col) VALUES
	('organizations', 'name'), ('organizations', 'external_id'), ('users', 'email'), ('users', 'full_name'), ('users', 'time_zone'),
	('users', 'external_id'), ('teams', 'name'), ('calendars', 'name'), ('calendars', 'time_zone'), ('calendar_holidays', 'name'),
	('sla_policies', 'name'), ('statuses', 'name'), ('priorities', 'name'), ('tickets', 'ticket_number'), ('tickets', 'title'),
	('tickets', 'channel'), ('tickets', 'external_id'), ('comments', 'external_id'), ('attachments', 'filename'),
	('attachments', 'content_type'), ('tags', 'name'), ('holds', 'reason'), ('ticket_rules', 'name');
SELECT support.add_attachment(1, ' a.txt ', 'x', ' text/plain ') > 0 AS added;
SELECT '>' || filename || '<' AS filename, '>' || content_type || '<' AS content_type FROM support.attachments;
INSERT INTO support.statuses (name, category, position) VALUES ('parked', 'hold', 45);
INSERT INTO support.priorities (name, rank) VALUES ('idle', 5);
CREATE FUNCTION put(rel text, col text, new_value text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	stored text;
BEGIN
	EXECUTE format('UPDATE support.%1$I SET %2$I = $1 WHERE ctid = (SELECT max(ctid) FROM support.%1$I %3$s) RETURNING %2$I', rel, col,
		CASE rel WHEN 'statuses' THEN 'WHERE name ~ ''parked|UTC''' WHEN 'priorities' THEN 'WHERE name ~ ''idle|UTC''' END)
		INTO stored USING new_value;
	RETURN format('>%s<', stored);
EXCEPTION
	WHEN OTHERS THEN RETURN format('%s: %s', SQLSTATE, SQLERRM);
END
$$;
SELECT rel, col, put(rel, col, E'\u00a0\tUTC\u3000\ufeff\n') FROM names ORDER BY place;
-- A name that is nothing but white space is blank: where one is needed it is refused.
SELECT rel, col, put(rel, col, E' \u00a0\u2003') FROM names ORDER BY place;
-- A line has no line break, no other control character, and none that turns the direction of what follows.
SELECT rel, col, put(rel, col, E'a\nb') FROM names ORDER BY place;
SELECT support.create_ticket(E'Hello\n------\nAnn Agent, just now', creator_id => 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_user('ida@corp.example', E'Ida \u202egnp.exe');
SELECT support.add_attachment(1, E'a\u001b[2J.txt', 'x');
SELECT support.tag_ticket(1, ARRAY[E'a\tb']);
SELECT support.update_ticket(:n, '{"title": "Bell\u0007"}');

-- Which characters are white space, and which are refused within a line, of all.
CREATE FUNCTION ranges(codes integer[])
RETURNS text
LANGUAGE sql
AS $$
	SELECT string_agg(CASE WHEN r.first = r.last THEN r.first ELSE r.first || '-' || r.last END, ' ' ORDER BY r.first)
	FROM
		(
			SELECT upper(lpad(to_hex(min(c.code)), 4, '0')) AS first, upper(lpad(to_hex(max(c.code)), 4, '0')) AS last
			FROM (SELECT u.code, u.code - row_number() OVER (ORDER BY u.code) AS island FROM unnest(codes) AS u (code)) AS c
			GROUP BY c.island
		) AS r
$$;
CREATE FUNCTION team_name(name text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	stored text;
BEGIN
	INSERT INTO support.teams (name) VALUES (team_name.name) RETURNING teams.name INTO stored;
	RETURN stored;
EXCEPTION
	WHEN check_violation THEN RETURN 'refused';
END
$$;
CREATE TABLE characters AS
SELECT n AS code, team_name(chr(n) || 'x' || n || chr(n)) = 'x' || n AS is_trimmed, team_name('y' || chr(n) || n) AS within
FROM generate_series(1, 65535) AS n
WHERE (n < 1000 OR n BETWEEN 5600 AND 6200 OR n BETWEEN 8180 AND 8320 OR n BETWEEN 12200 AND 12300 OR n > 65000);
SELECT ranges(array_agg(code ORDER BY code)) AS trimmed FROM characters WHERE is_trimmed;
SELECT ranges(array_agg(code ORDER BY code)) AS refused FROM characters WHERE within = 'refused';
SELECT count(*) FROM characters WHERE within NOT IN ('refused', 'y' || chr(code) || code);

-- A row that is older than the rules is left as it is, but for what changes, and comes back as it was.
ALTER TABLE support.tickets DISABLE TRIGGER support_before;
ALTER TABLE support.users DISABLE TRIGGER support_before;
UPDATE support.tickets SET title = E' Old\n------\nAnn Agent, just now\x1b[2J', external_id = '' WHERE id = 2;
UPDATE support.users SET full_name = E'Carl\nAnn Agent (agent), 2026-03-02 09:00\n  Pay \u202enow' WHERE id = 2;
ALTER TABLE support.tickets ENABLE TRIGGER support_before;
ALTER TABLE support.users ENABLE TRIGGER support_before;
UPDATE support.tickets SET priority = 'high', title = title WHERE id = 2 RETURNING title = E' Old\n------\nAnn Agent, just now\x1b[2J' AS as_it_was;
DELETE FROM support.tickets WHERE id = 2;
SELECT support.restore_ticket(2) > 0 AS is_back;
SELECT title = E' Old\n------\nAnn Agent, just now\x1b[2J' AS as_it_was FROM support.tickets WHERE id = 2;

-- A terminal is shown names in one line and texts in lines of their own, and nothing that moves its cursor or turns a line.
SELECT support.add_comment(2, E'Tab\tand\r\nline,\x1b]0;title\x07\x7f\u009b2J\rover\u202e\u2028end\r', author_id => 2) > 0 AS added;
\pset format unaligned
SELECT * FROM support.show_ticket(2);
BEGIN;
SET LOCAL support_ext.ascii = on;
SELECT * FROM support.show_ticket(2);
ROLLBACK;
SELECT support.terminal_text(E'a\nb\tc\r\nd\x1b\u2066'), support.terminal_text(E'a\nb\tc\r\nd\x1b\u2066', one_line => true);
SELECT support.terminal_text(NULL) IS NULL AS is_null, support.terminal_text('') = '' AS is_empty;
SELECT string_agg(support.terminal_text(chr(n), true), '' ORDER BY n) AS pictures FROM generate_series(1, 160) AS n WHERE n NOT BETWEEN 33 AND 126;
SELECT count(*) FROM support.dashboard() AS d (line) WHERE d.line ~ '[\u0001-\u001f\u007f-\u009f\u202e]';
\pset format aligned

-- What an application compares with names and keys it brings into their form first.
SELECT '>' || support.line_text(E'\u00a0\t Two  words\u200b\r\n') || '<' AS line, support.line_text('as it is') AS same,
	support.line_text(E'\u3000 ') IS NULL AND support.line_text('') IS NULL AND support.line_text(NULL) IS NULL AS is_none;

-- Long words are of no interest here.
SET client_min_messages = warning;

-- Texts have a limit that the owner of the desk sets, on every road.
SELECT support.configure('max_text_size', '63kB');
SELECT support.configure('max_text_size', '33MB');
SELECT support.configure('max_text_size', '64kB');
SELECT support.configure('max_custom_size', '64kB');
SELECT support.create_ticket('Long', repeat(E'\u00e4', 32768), creator_id => 2) AS long \gset
SELECT support.create_ticket('Longer', repeat(E'\u00e4', 32769), creator_id => 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(:long, jsonb_build_object('description', repeat('x', 65537)));
SELECT support.add_comment(:long, repeat('x', 65536)) AS c \gset
SELECT support.edit_comment(:long, :c, repeat('x', 65537));
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (:long, 1, repeat('x', 65537));
UPDATE support.tickets SET description = description || 'x' WHERE id = :long;
-- Custom counts as text: a number of few bytes may have many digits.
UPDATE support.tickets SET custom = jsonb_build_object('a', repeat('x', 65526)) WHERE id = :long RETURNING octet_length(custom::text);
UPDATE support.tickets SET custom = jsonb_build_object('a', repeat('x', 65530)) WHERE id = :long;
UPDATE support.tickets SET custom = jsonb_build_object('a', repeat(E'\u0001', 11000)) WHERE id = :long;
UPDATE support.tickets SET custom = '{"a": 1e131000}' WHERE id = :long;
\echo :LAST_ERROR_SQLSTATE
-- What was stored under a higher limit stays, and comes back.
SELECT support.configure('max_text_size', '1MB');
SELECT support.add_comment(:long, repeat('y', 900000)) AS c \gset
SELECT support.configure('max_text_size', NULL), support.configure('max_text_size', '64kB');
UPDATE support.comments SET is_private = true WHERE ticket_id = :long AND id = :c;
DELETE FROM support.tickets WHERE id = :long;
SELECT support.restore_ticket(:long) > 0 AS is_back;
SELECT length(content) FROM support.comments WHERE ticket_id = :long AND id = :c;

-- A page of get_ticket() ends where its texts are more than an answer should have.
SELECT support.configure('max_text_size', '32MB');
SELECT support.create_ticket('Logs', creator_id => 2) AS logs \gset
SELECT count(support.add_comment(:logs, repeat('x', 7000000))) FROM generate_series(1, 3);
SELECT jsonb_array_length(t -> 'comments') AS comments, t -> 'comment_count' AS of, (t ->> 'next_comment_id')::bigint AS next
FROM support.get_ticket(:logs) AS t \gset page_
SELECT :page_comments AS comments, :page_of AS of;
SELECT jsonb_array_length(t -> 'comments') AS comments, t -> 'next_comment_id' AS next
FROM support.get_ticket(:logs, after_comment_id => :page_next) AS t;
DELETE FROM support.tickets WHERE id = :logs;

-- An application's events, and what its own columns bring into the log, can be dumped as well.
SELECT support.log_event(1, repeat('a', 256));
SELECT support.log_event(1, E'call\nended');
SELECT support.log_event(1, 'big', new_value => to_jsonb(repeat('x', 33554432)));
INSERT INTO support.audit_log (action, ticket_id, new_value) VALUES ('big', 1, jsonb_build_array(repeat(E'\u0001', 6000000)));
\echo :LAST_ERROR_SQLSTATE
SELECT support.delete_comment(1, 1, repeat('x', 65537));
ALTER TABLE support.tickets ADD COLUMN numbers jsonb, ADD COLUMN notes text;
INSERT INTO support.tickets (title, description, creator_id, numbers)
VALUES ('Numbers', '', 2, (SELECT jsonb_agg(1e131000::numeric) FROM generate_series(1, 4000)));
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET notes = repeat('x', 200000000) WHERE id = 1;
UPDATE support.tickets SET numbers = (SELECT jsonb_agg(1e131000::numeric) FROM generate_series(1, 40)) WHERE id = 1;
SELECT length(old_value::text) AS old, length(new_value::text) > 40 * 131000 AS new
FROM support.audit_log WHERE ticket_id = 1 AND table_name = 'tickets' ORDER BY id DESC LIMIT 1;

-- JSON is no deeper than the server reads again, on every road and in an application's columns, too: it builds deeper values.
CREATE FUNCTION deep(levels integer)
RETURNS jsonb
LANGUAGE sql
AS $$
	SELECT (repeat('{"a": ', levels) || '1' || repeat('}', levels))::jsonb
$$;
CREATE FUNCTION built(levels integer)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
	value jsonb := '1';
BEGIN
	FOR i IN 1..levels LOOP
		value := jsonb_build_array(value);
	END LOOP;
	RETURN value;
END
$$;
UPDATE support.tickets SET custom = deep(500) WHERE id = 1 RETURNING version > 0 AS taken;
UPDATE support.tickets SET custom = deep(501) WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.tickets SET custom = built(501) WHERE id = 1;
SELECT support.create_ticket('Deep', creator_id => 2, custom => jsonb_build_object('a', deep(500)));
SELECT support.update_ticket(1, jsonb_build_object('custom', deep(501)));
INSERT INTO support.tickets (title, description, creator_id, custom) VALUES ('Deep', '', 2, built(700));
SELECT support.log_event(1, 'deep', deep(502));
SELECT support.log_event(1, 'deep', NULL, built(502));
INSERT INTO support.audit_log (action, ticket_id, new_value) VALUES ('deep', 1, built(502));
UPDATE support.sla_policies SET conditions = jsonb_build_object('channel', built(500));
ALTER TABLE support.tickets ADD COLUMN notebook json, ADD COLUMN notebooks jsonb[];
UPDATE support.tickets SET notebook = ('{"a \"[[": ' || built(499)::text || '}')::json, notebooks = ARRAY[NULL, built(500)], numbers = built(500)
WHERE id = 1 RETURNING version > 0 AS taken;
UPDATE support.tickets SET numbers = built(501) WHERE id = 1;
UPDATE support.tickets SET notebook = ('{"a \"[[": ' || built(500)::text || '}')::json WHERE id = 1;
UPDATE support.tickets SET notebooks = ARRAY[NULL, built(501)] WHERE id = 1;
-- What is there stays, and comes back.
UPDATE support.tickets SET priority = 'low' WHERE id = 1 RETURNING custom = deep(500) AS as_it_was;
DELETE FROM support.tickets WHERE id = 1;
BEGIN;
SET LOCAL max_stack_depth = '100kB';
SELECT support.restore_ticket(1) > 0 AS is_back;
COMMIT;
SELECT custom = deep(500) AND numbers = built(500) AND notebooks = ARRAY[NULL, built(500)] AS as_it_was FROM support.tickets WHERE id = 1;
ALTER TABLE support.tickets DROP COLUMN notebook, DROP COLUMN notebooks;

-- Each column whose type has no limit has one from us, or none can be as long as it likes: what CHECK, a foreign key or the
-- desk itself decides.
CREATE TABLE limits (rel text, col text, least bigint);
INSERT INTO limits VALUES
	('organizations', 'external_id', 2000), ('users', 'external_id', 2000), ('tickets', 'external_id', 2000), ('comments', 'external_id', 2000),
	('users', 'db_role', 63), ('users', 'time_zone', 255), ('calendars', 'time_zone', 255), ('calendar_holidays', 'name', 255),
	('statuses', 'name', 255), ('priorities', 'name', 255), ('tickets', 'channel', 255), ('attachments', 'content_type', 255),
	('tickets', 'delete_reason', 65536), ('tickets', 'description', 33554432), ('comments', 'content', 33554432),
	('holds', 'reason', 2000);
SELECT support.configure('max_custom_size', '32MB');
SELECT rel, col, least, put(rel, col, repeat('x', least::integer + 1)) FROM limits ORDER BY rel, col;
UPDATE support.sla_policies SET conditions = jsonb_build_object('channel', repeat('x', 1048576));
UPDATE support.ticket_rules SET filters = jsonb_build_object('channel', repeat('x', 1048576));
INSERT INTO support.sla_targets (policy_id, metric, target, pause_categories)
VALUES (1, 'resolution', '1 hour', array_fill('open'::text, ARRAY[10000]));
INSERT INTO support.sla_targets (policy_id, metric, target, warn_percents) VALUES (1, 'resolution', '1 hour', array_fill(50, ARRAY[10000]));
SELECT support.configure('max_text_size', rpad('1.', 254, '0') || 'MB');
SELECT support.feed_start(repeat('x', 256));
SELECT c.oid::regclass AS relation, string_agg(a.attname, ', ' ORDER BY a.attnum) AS columns
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace IN ('support'::regnamespace, 'support_internal'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
	AND a.attlen = -1 AND a.atttypid <> ALL ('{varchar, numeric}'::regtype[])
	AND NOT EXISTS (SELECT FROM limits AS l WHERE l.rel = c.relname AND l.col = a.attname)
	AND NOT EXISTS
	(
		SELECT
		FROM pg_constraint AS k
		WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f') AND k.conkey = ARRAY[a.attnum]
			AND (k.contype = 'f' OR pg_get_constraintdef(k.oid) ~ 'ANY \(+ARRAY|length')
	)
GROUP BY c.oid
ORDER BY c.oid::regclass::text;

\c contrib_regression
DROP DATABASE regress_values;
