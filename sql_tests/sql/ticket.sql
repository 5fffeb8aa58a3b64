-- Tickets: open, read, change.
CREATE DATABASE regress_ticket;
\c regress_ticket
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

INSERT INTO support.organizations (name) VALUES ('Corp');
INSERT INTO support.users (email, full_name, role, organization_id) VALUES
	('ann@desk.example', 'Ann Agent', 'agent', NULL),
	('bob@desk.example', 'Bob Bell', 'team_lead', NULL),
	('carl@corp.example', 'Carl Customer', 'customer', 1),
	('dora@corp.example', 'Dora Customer', 'customer', 1),
	('lena@desk.example', 'Lena Light', 'light_agent', NULL),
	('rob@desk.example', 'Rob Bot', 'bot', NULL),
	('ida@desk.example', 'Ida Gone', 'agent', NULL);
UPDATE support.users SET is_active = false WHERE id = 7;
SELECT support.create_team('Printers');
SELECT support.create_team('Networks');

-- A title is enough, if somebody acts.
SELECT support.set_actor(3);
SELECT support.create_ticket('Printer on fire');
\x on
SELECT * FROM support.tickets WHERE id = 1;

-- Every argument.
SELECT support.create_ticket(
	title => 'No network',
	description => E'Since this morning.\nThe cable is in.',
	creator_id => 1,
	priority => 'urgent',
	tags => '{network, Floor 3}',
	requester_id => 4,
	assignee_id => 2,
	team_id => 2,
	organization_id => 1,
	status => 'in_progress',
	channel => 'phone',
	custom => '{"floor": 3, "vip": true}',
	ticket_number => 'NET-2026-1',
	external_id => 'otrs-17',
	actor_id => 2);
SELECT * FROM support.tickets WHERE id = 2;
\x off
SELECT g.name FROM support.ticket_tags AS l JOIN support.tags AS g ON g.id = l.tag_id WHERE l.ticket_id = 2 ORDER BY g.name;

-- NULL is the default.
SELECT support.create_ticket('All NULL', '', 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT ticket_number, status, priority, custom, channel FROM support.tickets WHERE id = 3;

-- The same external_id names the same ticket: a retry makes no second one and changes nothing.
SELECT support.create_ticket('No network, second try', requester_id => 4, external_id => 'otrs-17', tags => '{retry}');
SELECT support.create_ticket('No network, third try', creator_id => 4, external_id => 'otrs-17', tags => '{retry}');
-- Who guesses it is not handed another customer's ticket, whoever the creator was.
SELECT support.create_ticket('Show me', creator_id => 3, external_id => 'otrs-17');
\echo :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
SELECT support.create_ticket('Show me', creator_id => 1, external_id => 'otrs-17');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('Show me', creator_id => 4, requester_id => 3, external_id => 'otrs-17');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*), max(title) FROM support.tickets WHERE external_id = 'otrs-17';
SELECT count(*) FROM support.tags WHERE name = 'retry';

-- What is not there, or may not be, is refused.
\set VERBOSITY terse
SELECT support.create_ticket('');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('No description', description => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket(repeat('x', 501));
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', ticket_number => ' ');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', custom => '[1]');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT support.create_ticket('x', creator_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', requester_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', organization_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', team_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', assignee_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', assignee_id => 3);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', assignee_id => 5);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', assignee_id => 7);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', status => 'opne');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', priority => 'hihg');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', ticket_number => 'NET-2026-1');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('x', tags => '{a, " "}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.tickets;
SELECT count(*) FROM support.tags;

-- 500 characters are not too long, and no road trims what was sent.
SELECT support.create_ticket(repeat('ü', 500), E'  two spaces\n', creator_id => 3);
SELECT length(title), description FROM support.tickets WHERE title ~ 'ü';
DELETE FROM support.tickets WHERE title ~ 'ü';

-- get_ticket(): everything about a ticket in one round trip, without what is private.
SELECT support.add_comment(2, 'Which socket?', author_id => 1, actor_id => 1);
SELECT support.add_comment(2, 'She always kicks the plug out', is_private => true, actor_id => 1);
SELECT support.add_comment(2, 'The left one', actor_id => 4, via => 'email', external_id => '<m1@corp.example>');
SELECT support.add_comment(2, 'Thanks', actor_id => 2);
SELECT support.add_comment(2, 'Oops, wrong ticket', actor_id => 2);
SELECT support.edit_comment(2, 4, 'Thank you', actor_id => 2);
SELECT support.delete_comment(2, 5, actor_id => 2);
SELECT support.add_attachment(2, 'socket.jpg', '\xffd8ff', 'image/jpeg', comment_id => 3, actor_id => 4);
SELECT support.add_attachment(2, 'kick.mpg', '\x00000001', comment_id => 2, actor_id => 1);
SELECT support.add_attachment(2, 'plan.txt', 'third floor', 'text/plain', actor_id => 2);
SELECT support.add_attachment(2, 'wrong.txt', 'gone', comment_id => NULL, actor_id => 2);
DELETE FROM support.attachments WHERE filename = 'wrong.txt';
SELECT jsonb_pretty(support.get_ticket(2));

-- With it.
SELECT jsonb_path_query_array(support.get_ticket(2, include_private => true), '$.comments[*].content') AS comments,
	jsonb_path_query_array(support.get_ticket(2, true), '$.attachments[*].filename') AS attachments,
	support.get_ticket(2, true) -> 'comment_count' AS comment_count;

-- Page by page; the last page says so.
SELECT jsonb_path_query_array(support.get_ticket(2, page_size => 2), '$.comments[*].id') AS comments,
	support.get_ticket(2, page_size => 2) -> 'next_comment_id' AS next,
	support.get_ticket(2, page_size => 2) -> 'comment_count' AS comment_count;
SELECT jsonb_path_query_array(support.get_ticket(2, page_size => 2, after_comment_id => 3), '$.comments[*].id') AS comments,
	support.get_ticket(2, page_size => 2, after_comment_id => 3) -> 'next_comment_id' AS next,
	support.get_ticket(2, page_size => 2, after_comment_id => 3) -> 'comment_count' AS comment_count;
SELECT jsonb_path_query_array(support.get_ticket(2, page_size => 3), '$.comments[*].id') AS comments,
	support.get_ticket(2, page_size => 3) -> 'next_comment_id' AS next;
SELECT support.get_ticket(2, after_comment_id => 99) -> 'comments' AS comments,
	support.get_ticket(2, after_comment_id => 99) -> 'next_comment_id' AS next;
SELECT support.get_ticket(2, page_size => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(2, page_size => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(2, NULL, NULL, NULL) = support.get_ticket(2) AS null_is_default;

-- A bare ticket has empty lists and nobody.
SELECT support.get_ticket(1) - 'ticket';

-- By the number that people see.
SELECT support.get_ticket_by_number('NET-2026-1') = support.get_ticket(2) AS is_equal;
SELECT support.get_ticket_by_number('NET-2026-1', true, 1, 1) = support.get_ticket(2, true, 1, 1) AS is_equal;
SELECT support.get_ticket_by_number('T-1') #>> '{ticket,title}' AS title;
SELECT support.get_ticket_by_number('t-1') #>> '{ticket,title}' AS title;
SELECT support.get_ticket_by_number('T-99');
\echo :LAST_ERROR_SQLSTATE

-- Its id, however the number is typed. Of two that differ by case alone, the one that is typed.
SELECT support.ticket_id('NET-2026-1') AS id, support.ticket_id(E'\tnet-2026-1 \n') AS small, support.ticket_id('Net-2026-1') AS mixed;
BEGIN;
INSERT INTO support.tickets (id, ticket_number, title, description, creator_id)
VALUES (91, 'net-2026-1', 'Small', '', 3), (92, 'Web-7', 'Mixed', '', 3);
SELECT support.ticket_id('NET-2026-1') AS id, support.ticket_id('net-2026-1') AS small, support.ticket_id('Web-7') AS mixed;
SAVEPOINT before;
SELECT support.ticket_id('Net-2026-1');
ROLLBACK TO before;
SELECT support.ticket_id('web-7');
ROLLBACK;
SELECT support.ticket_id('2');
\echo :LAST_ERROR_SQLSTATE
SELECT support.ticket_id(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(NULL);
\echo :LAST_ERROR_SQLSTATE

-- The columns that an application added are there as well.
ALTER TABLE support.tickets ADD COLUMN due_on date;
SELECT support.get_ticket(1) -> 'ticket' ? 'due_on' AS has_due_on;
ALTER TABLE support.tickets DROP COLUMN due_on;
SELECT support.get_ticket(1) -> 'ticket' ? 'due_on' AS has_due_on;

-- A ticket on a terminal.
SELECT * FROM support.show_ticket(2);
SET support_ext.ascii = on;
SELECT * FROM support.show_ticket(2, include_private => true);
SELECT * FROM support.show_ticket(1);
RESET support_ext.ascii;
SET client_encoding = 'LATIN1';
SELECT * FROM support.show_ticket(1);
RESET client_encoding;
SELECT * FROM support.show_ticket(99);
\echo :LAST_ERROR_SQLSTATE

-- Deleted tickets are not read, and the hint says what to do.
SELECT support.delete_ticket(3);
SELECT support.get_ticket(3);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket_by_number('T-2');
\echo :LAST_ERROR_SQLSTATE
SELECT support.ticket_id('t-2');
SELECT * FROM support.show_ticket(3);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.tickets WHERE id = 3;
SELECT support.get_ticket(3);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket_by_number('T-2');
\echo :LAST_ERROR_SQLSTATE
SELECT support.ticket_id('t-2');

-- Setters return the version that came of it.
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.set_actor(1);
SELECT support.set_status(1, 'in_progress');
SELECT support.set_priority(1, 'high');
SELECT support.set_priority(1, NULL);
SELECT support.assign_ticket(1, 1, team_id => 1);
SELECT support.assign_ticket(1, 2);
SELECT support.assign_ticket(1, 6);
SELECT support.transfer_ticket_ownership(1, 4);
SELECT status, priority, assignee_id, team_id, creator_id, version, updated_at FROM support.tickets WHERE id = 1;
SELECT support.assign_ticket(1, NULL);
SELECT assignee_id, team_id FROM support.tickets WHERE id = 1;

-- Nothing changed: no version, no time, no log entry.
SET support_ext.now = '2026-03-02 11:00+00';
SELECT count(*) AS entries FROM support.audit_log \gset
SELECT support.set_status(1, 'in_progress');
SELECT support.set_priority(1, NULL);
SELECT support.assign_ticket(1, NULL, 1);
SELECT support.transfer_ticket_ownership(1, 4);
SELECT support.update_ticket(1, '{"status": "in_progress", "custom": {}, "tags": []}');
SELECT support.update_ticket(1, '{}');
UPDATE support.tickets SET title = title WHERE id = 1;
UPDATE support.tickets SET version = 3, updated_at = '2020-01-01' WHERE id = 1 RETURNING version, updated_at;
SELECT count(*) - :entries AS new_entries FROM support.audit_log;
SELECT version, updated_at FROM support.tickets WHERE id = 1;

-- Whatever the client sends, a change is one version and the desk's time.
UPDATE support.tickets SET title = 'Printer is hot', version = 1, updated_at = '2030-01-01' WHERE id = 1
RETURNING version, updated_at;
UPDATE support.tickets SET title = 'Printer is hot!', version = version + 1 WHERE id = 1 AND version = 10 RETURNING version;
UPDATE support.tickets SET title = 'Too late', version = version + 1 WHERE id = 1 AND version = 10 RETURNING version;

-- Whoever read an older version is told so.
SELECT support.set_status(1, 'pending', 10);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_priority(1, 'low', expected_version => 12);
\echo :LAST_ERROR_SQLSTATE
SELECT support.assign_ticket(1, 1, expected_version => 10);
\echo :LAST_ERROR_SQLSTATE
SELECT support.transfer_ticket_ownership(1, 3, 10);
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"tags": ["hot"]}', 10);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_priority(1, 'low', expected_version => 11);
SELECT status, priority, version FROM support.tickets WHERE id = 1;

-- Who cannot work on tickets is not assigned any.
SELECT support.assign_ticket(1, 3);
\echo :LAST_ERROR_SQLSTATE
SELECT support.assign_ticket(1, 5);
\echo :LAST_ERROR_SQLSTATE
SELECT support.assign_ticket(1, 7);
\echo :LAST_ERROR_SQLSTATE
SELECT support.assign_ticket(1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.assign_ticket(1, 1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.transfer_ticket_ownership(1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_priority(1, 'hihg');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT support.set_status(1, NULL);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT assignee_id, team_id, creator_id, priority, status, version FROM support.tickets WHERE id = 1;

-- update_ticket(): any column that is not kept by the desk, several at once in one version.
SELECT support.update_ticket(1, '{
	"title": "Printer on fire again", "description": "Third floor", "status": "on_hold", "priority": "urgent",
	"requester_id": 3, "organization_id": 1, "team_id": 2, "assignee_id": 1, "channel": "web",
	"external_id": "x-1", "ticket_number": "P-1", "pending_until": "2026-03-09T09:00:00+01:00",
	"custom": {"floor": 3, "colour": "red"}, "tags": ["Fire", "printer", "fire "]}');
\x on
SELECT support.get_ticket(1) -> 'ticket' AS ticket;
\x off
SELECT support.get_ticket(1) -> 'tags' AS tags;

-- null clears what may be empty, and is refused elsewhere.
SELECT support.update_ticket(1, '{"priority": null, "requester_id": null, "organization_id": null, "team_id": null,
	"assignee_id": null, "channel": null, "external_id": null, "pending_until": null, "tags": null}');
SELECT priority, requester_id, organization_id, team_id, assignee_id, channel, external_id, pending_until, custom
FROM support.tickets WHERE id = 1;
SELECT support.get_ticket(1) -> 'tags' AS tags;
\set VERBOSITY terse
SELECT support.update_ticket(1, '{"title": null}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"status": null}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- custom is merged key by key; null takes a key away, and null for the whole empties it.
SELECT support.update_ticket(1, '{"custom": {"floor": 4, "room": {"no": 12}}}');
SELECT custom FROM support.tickets WHERE id = 1;
SELECT support.update_ticket(1, '{"custom": {"colour": null, "absent": null, "room": {"name": "lab"}}}');
SELECT custom FROM support.tickets WHERE id = 1;
SELECT support.update_ticket(1, '{"custom": {"a": "null", "b": [null], "c": {"d": null}, "e": false, "": 1}}');
SELECT custom FROM support.tickets WHERE id = 1;
SELECT support.update_ticket(1, '{"custom": null}');
SELECT custom FROM support.tickets WHERE id = 1;
UPDATE support.tickets SET custom = NULL WHERE id = 1;
SELECT support.update_ticket(1, '{"custom": {"floor": 5}}');
SELECT custom FROM support.tickets WHERE id = 1;
SELECT support.update_ticket(1, '{"custom": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"custom": [1]}');
\echo :LAST_ERROR_SQLSTATE

-- tags replaces the set.
SELECT support.update_ticket(1, '{"tags": ["one", "two"]}');
SELECT support.update_ticket(1, '{"tags": ["TWO", "three"]}');
SELECT support.get_ticket(1) -> 'tags' AS tags;
SELECT support.update_ticket(1, '{"tags": ["four", 5]}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"tags": "four"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"tags": {"four": true}}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"tags": ["four", ""]}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(1) -> 'tags' AS tags;
SELECT support.update_ticket(1, '{"tags": []}');
SELECT support.get_ticket(1) -> 'tags' AS tags;

-- Columns of an application's own, of whatever type, are set like any other.
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN floor_no AS integer CHECK (VALUE BETWEEN 0 AND 9);
CREATE TYPE place AS (floor integer, room text);
ALTER TABLE support.tickets
	ADD COLUMN due_on date,
	ADD COLUMN cost numeric(10, 2),
	ADD COLUMN is_paid boolean,
	ADD COLUMN labels text[],
	ADD COLUMN scores integer[],
	ADD COLUMN slots tstzrange[],
	ADD COLUMN effort interval,
	ADD COLUMN source_ip inet,
	ADD COLUMN mood mood,
	ADD COLUMN floor floor_no,
	ADD COLUMN place place,
	ADD COLUMN details jsonb,
	ADD COLUMN raw json,
	ADD COLUMN digest bytea,
	ADD COLUMN "Odd ""Name""" text,
	ADD COLUMN title_length integer GENERATED ALWAYS AS (length(title)) STORED;
SELECT support.update_ticket(1, '{
	"due_on": "2026-04-01", "cost": 12.5, "is_paid": false, "labels": ["a", "b,c", null, "\"d\""], "scores": [1, 2, null],
	"slots": ["[2026-03-02 09:00+00,2026-03-02 10:00+00)"], "effort": "2 hours 30 minutes", "source_ip": "10.0.0.1/8",
	"mood": "cross", "floor": 3, "place": {"floor": 3, "room": "lab"}, "details": {"a": [1, "x"]}, "raw": [1, 2],
	"digest": "\\xdeadbeef", "Odd \"Name\"": "yes"}');
\x on
SELECT due_on, cost, is_paid, labels, scores, slots, effort, source_ip, mood, floor, place, details, raw, digest, "Odd ""Name""",
	title_length
FROM support.tickets WHERE id = 1;
\x off
SELECT support.update_ticket(1, '{"labels": [], "scores": null, "details": "text", "floor": null, "mood": "calm"}');
SELECT labels, scores, details, floor, mood FROM support.tickets WHERE id = 1;
SELECT support.update_ticket(1, '{"floor": 12}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"mood": "furious"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"title_length": 5}');
\echo :LAST_ERROR_SQLSTATE

-- However many they are, one call is one version.
DO $$
BEGIN
	FOR n IN 1..100 LOOP
		EXECUTE format('ALTER TABLE support.tickets ADD COLUMN the_answer_to_question_%s_of_our_long_form integer', n);
	END LOOP;
END
$$;
SELECT support.update_ticket(1, (SELECT jsonb_object_agg(format('the_answer_to_question_%s_of_our_long_form', n), n)
	FROM generate_series(1, 100) AS n));
SELECT support.update_ticket(1, (SELECT jsonb_object_agg(format('the_answer_to_question_%s_of_our_long_form', n), -n)
	FROM generate_series(1, 100) AS n));
SELECT count(*) AS right_answers FROM support.tickets AS t, generate_series(1, 100) AS n
WHERE t.id = 1 AND to_jsonb(t) -> format('the_answer_to_question_%s_of_our_long_form', n) = to_jsonb(-n);

-- The words for the search follow the text.
SELECT support.update_ticket(2, '{"title": "No more network", "description": "Since this evening", "ticket_number": "N-2"}');
SELECT words FROM support.search_words WHERE ticket_id = 2 AND comment_id = 0;

-- Unknown keys, and columns that other functions or the desk itself look after.
SELECT support.update_ticket(1, '{"titel": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"ctid": "(0,1)"}');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '{"title = ''x''; --": "x"}');
\echo :LAST_ERROR_SQLSTATE
DO $$
DECLARE
	refused text;
	message text;
	hint text;
BEGIN
	FOREACH refused IN ARRAY '{id,creator_id,created_at,deleted_at,deleted_by,delete_reason,updated_at,version,first_replied_at,
		first_solved_at,solved_at,reopen_count,reply_count,waiting_since,last_customer_at,last_agent_at}'::text[]
	LOOP
		BEGIN
			PERFORM support.update_ticket(1, jsonb_build_object('title', 'x', refused, 1));
			RAISE WARNING '% was taken', refused;
		EXCEPTION WHEN invalid_parameter_value THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
			RAISE NOTICE '%: %', message, hint;
		END;
	END LOOP;
END
$$;
SELECT support.update_ticket(1, '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, '"title"');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_ticket(99, '{"title": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT title, version FROM support.tickets WHERE id = 1;

-- A ticket keeps its id on every road.
UPDATE support.tickets SET id = 1000 WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE

-- The server knows that numbers come from a sequence. One that was dropped all the same is made anew, and goes on.
DROP SEQUENCE support.ticket_number_seq;
SELECT setval('support.ticket_number_seq', 41) \g /dev/null
INSERT INTO support.tickets (title, description, creator_id) VALUES ('The last', '', 3) RETURNING ticket_number;
INSERT INTO support.tickets (ticket_number, title, description, creator_id)
SELECT n, 'Brought in', '', 3 FROM unnest('{T-9x,T-1000000000000000000,T-007,X-5000,T-,T-60}'::text[]) AS n;
DELETE FROM support.tickets WHERE ticket_number = 'T-60';
DROP SEQUENCE support.ticket_number_seq CASCADE;
SELECT support.install();
INSERT INTO support.tickets (title, description, creator_id) VALUES ('The next', '', 3) RETURNING ticket_number;
DROP SEQUENCE support.ticket_number_seq;
-- a default of the application's own needs none
ALTER TABLE support.tickets ALTER ticket_number SET DEFAULT 'own';
DROP SEQUENCE support.ticket_number_seq;
SELECT support.install();
SELECT nextval('support.ticket_number_seq');
DROP SEQUENCE support.ticket_number_seq;

\c contrib_regression
DROP DATABASE regress_ticket;
