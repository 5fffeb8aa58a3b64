-- Policies: which tickets are promised what.
CREATE DATABASE regress_sla_policy;
\c regress_sla_policy
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

SELECT support.create_user('ada@example.com', 'Ada Byron', 'agent');
SELECT support.create_user('carl@example.com', 'Carl Friedrich');
SELECT support.create_team('First line');
INSERT INTO support.organizations (name) VALUES ('Acme') RETURNING id;
SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}');

-- What is not said is as usual: it counts round the clock, pauses as the metric does, and warns at 75 and 90 percent.
SELECT support.create_sla_policy('usual', '[
	{"metric": "first_reply", "target": "1 hour"},
	{"metric": "next_reply", "target": "02:00"},
	{"metric": "periodic_update", "target": "24:00"},
	{"metric": "requester_wait", "target": "PT8H"},
	{"metric": "agent_work", "target": "90 minutes"},
	{"metric": "resolution", "target": "100 hours"},
	{"metric": "ownership", "target": "0.5 seconds"}]');
SELECT metric, priority, target, calendar_id, pause_categories, warn_percents
FROM support.sla_targets WHERE policy_id = 1 ORDER BY id;

-- All of it said. A calendar may be named by its id.
SELECT support.create_sla_policy('gold', '[
	{"metric": "first_reply", "target": "4 hours", "calendar": "office", "pause": ["pending", "hold"], "warn": [50]},
	{"metric": "first_reply", "target": "1 hour", "priority": "urgent", "calendar_id": 1, "pause": [], "warn": []},
	{"metric": "resolution", "target": "40 hours", "priority": null, "calendar": null}]',
	conditions => '{"custom": {"plan": "gold"}}', at_position => 1);
SELECT metric, priority, target, calendar_id, pause_categories, warn_percents
FROM support.sla_targets WHERE policy_id = 2 ORDER BY id;
SELECT id, name, position, is_active, conditions, created_at FROM support.sla_policies ORDER BY position, id;

-- Of the policies whose conditions a ticket meets the first one by position holds, and at one position the older.
CREATE FUNCTION policy_of(title text, VARIADIC further text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ticket bigint;
	found text;
BEGIN
	EXECUTE format('INSERT INTO support.tickets (creator_id, title, description%s) SELECT 2, $1, ''''%s RETURNING id',
		(SELECT string_agg(', ' || split_part(f, '=', 1), '') FROM unnest(further) AS f),
		(SELECT string_agg(', ' || split_part(f, '=', 2), '') FROM unnest(further) AS f)) INTO ticket USING title;
	SELECT string_agg(DISTINCT p.name, ', ') INTO found
	FROM support.sla_clocks AS c JOIN support.sla_policies AS p ON p.id = c.policy_id
	WHERE c.ticket_id = ticket;
	RETURN found;
END
$$;
SELECT policy_of('plain') AS plain, policy_of('gold', $$custom='{"plan": "gold"}'$$) AS gold,
	policy_of('silver', $$custom='{"plan": "silver"}'$$) AS silver;
SELECT support.update_sla_policy(1, at_position => 0) AS version;
SELECT policy_of('gold', $$custom='{"plan": "gold"}'$$) AS usual_goes_first;
SELECT support.update_sla_policy(1, at_position => 1) AS version;
SELECT policy_of('gold', $$custom='{"plan": "gold"}'$$) AS older_goes_first;
SELECT support.update_sla_policy(1, at_position => 100) AS version;

-- Conditions. All keys must be met, an array is any of its values, and null is what is not set.
SELECT support.create_sla_policy('high', '[{"metric": "resolution", "target": "1 hour"}]', '{"priority": ["high", "urgent"]}', 10);
SELECT support.create_sla_policy('low', '[{"metric": "resolution", "target": "1 hour"}]', '{"priority": "low", "channel": "email"}', 11);
SELECT support.create_sla_policy('team', '[{"metric": "resolution", "target": "1 hour"}]', '{"team_id": 1, "channel": [null, "chat"]}', 12);
SELECT support.create_sla_policy('Acme', '[{"metric": "resolution", "target": "1 hour"}]', '{"organization_id": [99, 1]}', 13);
SELECT support.create_sla_policy('custom', '[{"metric": "resolution", "target": "1 hour"}]',
	'{"custom": {"seats": [10, 20], "trial": null, "region": {"country": "DE"}}}', 14);
SELECT support.create_sla_policy('nobody', '[{"metric": "resolution", "target": "1 hour"}]', '{"channel": []}', 0);
SELECT support.update_sla_policy(1, is_active => false) AS version;
SELECT policy_of('high', $$priority='high'$$) AS high, policy_of('urgent', $$priority='urgent'$$) AS urgent,
	policy_of('normal') AS normal, policy_of('low', $$priority='low'$$) AS low,
	policy_of('low by e-mail', $$priority='low'$$, $$channel='email'$$) AS low_by_email;
SELECT policy_of('team', 'team_id=1') AS team, policy_of('team by chat', 'team_id=1', $$channel='chat'$$) AS by_chat,
	policy_of('team by e-mail', 'team_id=1', $$channel='email'$$) AS by_email, policy_of('Acme', 'organization_id=1') AS acme;
SELECT policy_of('custom', $$custom='{"seats": 10.0, "region": {"country": "DE"}}'$$) AS custom,
	policy_of('custom', $$custom='{"seats": 20, "trial": null, "region": {"country": "DE"}, "x": 1}'$$) AS with_null,
	policy_of('custom', $$custom='{"seats": "20", "region": {"country": "DE"}}'$$) AS text_is_no_number,
	policy_of('custom', $$custom='{"seats": 20, "trial": true, "region": {"country": "DE"}}'$$) AS trial,
	policy_of('custom', $$custom='{"seats": 20}'$$) AS no_region;
SELECT support.update_sla_policy(3, conditions => '{"priority": [null, "normal"]}') AS version;
SELECT policy_of('not set is normal', $$priority=NULL$$) AS not_set;
SELECT support.update_sla_policy(3, is_active => false) AS version;

-- Tags compare without case. A ticket has its tags a moment after it was made.
SELECT support.create_sla_policy('tagged', '[{"metric": "resolution", "target": "1 hour"}]', '{"tags": ["VIP", "press"]}', 5);
SELECT support.create_sla_policy('untagged', '[{"metric": "resolution", "target": "2 hours"}]', '{"tags": null}', 6);
SELECT support.create_ticket('Tagged', creator_id => 2, tags => '{Vip,printer}') AS tagged \gset
SELECT support.create_ticket('Not tagged', creator_id => 2) AS untagged \gset
CREATE VIEW clocks AS
SELECT c.ticket_id, c.metric, c.instance, c.state, p.name AS policy, c.policy_version AS version, c.calendar_id AS calendar,
	c.calendar_version, c.target, c.due_at, c.cancel_reason
FROM support.sla_clocks AS c JOIN support.sla_policies AS p ON p.id = c.policy_id;
SELECT t.title, c.policy, c.state, c.target FROM clocks AS c JOIN support.tickets AS t ON t.id = c.ticket_id
WHERE ticket_id IN (:tagged, :untagged) ORDER BY ticket_id;
SELECT support.tag_ticket(:untagged, '{PRESS}');
SELECT support.untag_ticket(:tagged, '{vip,printer}');
SELECT t.title, c.policy, c.state, c.target FROM clocks AS c JOIN support.tickets AS t ON t.id = c.ticket_id
WHERE ticket_id IN (:tagged, :untagged) ORDER BY ticket_id;
SELECT support.update_sla_policy(9, is_active => false) AS version;
SELECT support.update_sla_policy(10, is_active => false) AS version;

-- Versions: one is written when what a policy or its calendar says is new, and clocks keep theirs.
SELECT support.create_ticket('First', creator_id => 2, custom => '{"plan": "gold"}') AS first \gset
SELECT metric, policy, version, calendar, calendar_version, target FROM clocks WHERE ticket_id = :first ORDER BY metric;
SELECT support.update_sla_policy(2, name => 'Gold', at_position => 2) AS version;
SELECT support.update_sla_policy(2, targets => '[{"metric": "first_reply", "target": "2 hours", "calendar": "office"}]') AS version;
SELECT support.update_sla_policy(2, targets => '[{"metric": "first_reply", "target": "2 hours", "calendar": "office"}]') AS version;
SELECT support.update_calendar(1, hours => '{"mon-fri": "10:00-18:00"}') AS calendar_version;
SELECT support.create_ticket('Second', creator_id => 2, custom => '{"plan": "gold"}') AS second \gset
SELECT t.title, c.metric, c.version, c.calendar_version, c.target, c.due_at
FROM clocks AS c JOIN support.tickets AS t ON t.id = c.ticket_id
WHERE ticket_id IN (:first, :second) ORDER BY ticket_id, metric;
SELECT version, definition, created_at FROM support_internal.sla_policy_versions WHERE policy_id = 2 ORDER BY version;
-- sla_reapply() holds the open ones to the new version.
SELECT support.sla_reapply(2) AS tickets;
SELECT t.title, c.metric, c.state, c.version, c.calendar_version, c.target, c.due_at, c.cancel_reason
FROM clocks AS c JOIN support.tickets AS t ON t.id = c.ticket_id
WHERE ticket_id IN (:first, :second) ORDER BY ticket_id, metric;

-- Each change is written down with it, whether a ticket relies on the policy or not; so is what plain SQL has made of a policy
-- or its calendar, before a function changes it.
BEGIN;
INSERT INTO support.calendars (name, time_zone) VALUES ('by hand', 'UTC') RETURNING id AS by_hand \gset
INSERT INTO support.calendar_hours (calendar_id, weekday, opens, closes) VALUES (:by_hand, 1, '09:00', '17:00');
SELECT support.create_sla_policy('unused', '[{"metric": "resolution", "target": "1 hour", "calendar": "by hand"}]',
	'{"channel": "fax"}') AS unused \gset
SELECT support.update_sla_policy(:unused, targets => '[{"metric": "resolution", "target": "2 hours"}]') AS version;
UPDATE support.sla_targets SET target = '3 hours', calendar_id = :by_hand WHERE policy_id = :unused;
UPDATE support.calendars SET time_zone = 'Europe/Berlin' WHERE id = :by_hand;
SELECT support.update_sla_policy(:unused, targets => '[{"metric": "resolution", "target": "4 hours"}]') AS version;
SELECT version, definition #> '{targets,0,target}' AS seconds FROM support_internal.sla_policy_versions
WHERE policy_id = :unused ORDER BY version;
SELECT version, definition -> 'time_zone' AS time_zone FROM support_internal.calendar_versions
WHERE calendar_id = :by_hand ORDER BY version;
ROLLBACK;
-- identity sequences do not roll back
SELECT setval('support.sla_policies_id_seq', 10), setval('support.calendars_id_seq', (SELECT max(id) FROM support.calendars)) \g /dev/null

-- Plain SQL does the same. The session notices each change at once, and what is rolled back.
INSERT INTO support.sla_policies (name) VALUES ('plain') RETURNING id, position, is_active, conditions;
SELECT policy_of('nothing is promised') AS plain;
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (11, 'agent_work', '3 hours')
RETURNING pause_categories, warn_percents;
SELECT policy_of('three hours') AS plain;
UPDATE support.sla_targets SET pause_categories = NULL, metric = 'next_reply' WHERE policy_id = 11 RETURNING pause_categories;
SELECT policy_of('no reply yet') AS plain;
BEGIN;
UPDATE support.sla_targets SET metric = 'resolution' WHERE policy_id = 11;
SELECT policy_of('resolution') AS plain;
ROLLBACK;
SELECT policy_of('no reply yet') AS plain;
BEGIN;
SAVEPOINT here;
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (11, 'first_reply', '1 hour');
SELECT policy_of('first reply') AS plain;
ROLLBACK TO here;
SELECT policy_of('no reply yet') AS plain;
COMMIT;
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT policy_of('no reply yet') AS plain;
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (11, 'first_reply', '1 hour');
SELECT policy_of('first reply') AS plain;
COMMIT;
SELECT policy_of('first reply') AS plain;

-- The log has it all.
SELECT action, table_name, record_id, old_value -> 'position' AS position_before, new_value -> 'position' AS position
FROM support.audit_log WHERE table_name = 'sla_policies' AND record_id IN (2, 11) ORDER BY id;
SELECT count(*) > 10 AS targets_too FROM support.audit_log WHERE table_name = 'sla_targets';

-- A policy that is deactivated holds no more: its open clocks are cancelled, or another policy goes on with them.
SELECT state, cancel_reason, count(*) FROM clocks WHERE policy = 'Acme' GROUP BY state, cancel_reason;
UPDATE support.sla_policies SET is_active = false WHERE name = 'Acme';
SELECT state, cancel_reason, count(*) FROM clocks WHERE policy = 'Acme' GROUP BY state, cancel_reason;
SELECT metric, state, policy FROM clocks AS c JOIN support.tickets AS t ON t.id = c.ticket_id
WHERE t.title = 'Acme' ORDER BY metric;

-- What is in use stays, and what nobody relied on goes.
DELETE FROM support.sla_policies WHERE name = 'Acme';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.calendars WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_sla_policy(2, targets => '[{"metric": "first_reply", "target": "2 hours"}]') AS version;
DELETE FROM support.calendars WHERE id = 1;
-- Even where the clocks go by another one by now: their ledger tells of it.
SELECT support.sla_reapply() > 0 AS reapplied;
SELECT count(*) FROM support.sla_clocks WHERE calendar_id = 1 AND state = 'running';
DELETE FROM support.calendars WHERE id = 1;
DELETE FROM support.sla_policies WHERE name = 'nobody';
SELECT count(*) FROM support.sla_targets WHERE policy_id = 8;
TRUNCATE support.sla_policies CASCADE;
TRUNCATE support.sla_targets;
TRUNCATE support.sla_clocks;
TRUNCATE support.sla_events;
\echo :LAST_ERROR_SQLSTATE

-- What cannot be promised.
\set create 'SELECT support.create_sla_policy(''bad'','
:create '[]');
\echo :LAST_ERROR_SQLSTATE
:create NULL);
:create '{"metric": "first_reply", "target": "1 hour"}');
:create '"first_reply"');
:create '["first_reply"]');
:create '[["first_reply", "1 hour"]]');
:create '[{"metric": "first_reply"}]');
:create '[{"target": "1 hour"}]');
:create '[{"metric": "first_reply", "target": "1 hour", "team": 1}]');
:create '[{"metric": "first_reply", "target": 1}]');
:create '[{"metric": "first_reply", "target": "soon"}]');
:create '[{"metric": 1, "target": "1 hour"}]');
:create '[{"metric": null, "target": "1 hour"}]');
:create '[{"metric": "first_reply", "target": "1 hour", "priority": 1}]');
:create '[{"metric": "first_reply", "target": "1 hour", "calendar": 1}]');
:create '[{"metric": "first_reply", "target": "1 hour", "calendar_id": "office"}]');
:create '[{"metric": "first_reply", "target": "1 hour", "calendar_id": 1.5}]');
:create '[{"metric": "first_reply", "target": "1 hour", "calendar": "office", "calendar_id": 1}]');
:create '[{"metric": "first_reply", "target": "1 hour", "pause": "pending"}]');
:create '[{"metric": "first_reply", "target": "1 hour", "pause": [null]}]');
:create '[{"metric": "first_reply", "target": "1 hour", "warn": 75}]');
:create '[{"metric": "first_reply", "target": "1 hour", "warn": ["75"]}]');
:create '[{"metric": "first_reply", "target": "1 hour", "warn": [7.5]}]');
:create '[{"metric": "reply", "target": "1 hour"}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "0"}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "-1 hour"}]');
:create '[{"metric": "first_reply", "target": "1 day"}]');
:create '[{"metric": "first_reply", "target": "1 month"}]');
:create '[{"metric": "first_reply", "target": "1 hour", "pause": ["pending", "solved"]}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "1 hour", "pause": ["sleeping"]}]');
:create '[{"metric": "first_reply", "target": "1 hour", "warn": [75, 100]}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "1 hour", "warn": [0]}]');
:create '[{"metric": "first_reply", "target": "1 hour", "calendar": "home"}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "1 hour", "calendar_id": 99}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "1 hour", "priority": "blazing"}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "1 hour"}, {"metric": "first_reply", "target": "2 hours"}]');
\echo :LAST_ERROR_SQLSTATE
:create '[{"metric": "first_reply", "target": "1 hour", "priority": "low"}, {"metric": "first_reply", "target": "2 hours", "priority": "low"}]');
-- What cannot be a condition.
\set create 'SELECT support.create_sla_policy(''bad'', ''[{"metric": "first_reply", "target": "1 hour"}]'','
:create '[]');
\echo :LAST_ERROR_SQLSTATE
:create '"urgent"');
:create '{"status": "open"}');
\echo :LAST_ERROR_SQLSTATE
:create '{"priority": 1}');
:create '{"priority": ["high", ["urgent"]]}');
:create '{"channel": {"is": "email"}}');
:create '{"team_id": "First line"}');
:create '{"organization_id": [1, 1.5]}');
:create '{"tags": [1]}');
:create '{"custom": "gold"}');
:create '{"custom": null}');
-- Nor a name, a position or a policy.
SELECT support.create_sla_policy('Gold', '[{"metric": "first_reply", "target": "1 hour"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_sla_policy(1, name => 'Gold');
SELECT support.update_sla_policy(1, targets => '[]');
SELECT support.update_sla_policy(1, conditions => '{"status": "open"}');
SELECT support.update_sla_policy(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.update_sla_policy(NULL);
\set VERBOSITY terse
SELECT support.create_sla_policy(NULL, '[{"metric": "first_reply", "target": "1 hour"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_sla_policy(' ', '[{"metric": "first_reply", "target": "1 hour"}]');
SELECT support.create_sla_policy('no conditions are none', '[{"metric": "first_reply", "target": "1 hour"}]', conditions => NULL);
UPDATE support.sla_policies SET position = NULL WHERE id = 1 RETURNING position;
INSERT INTO support.sla_policies (name, conditions) VALUES ('bad', '[]');
INSERT INTO support.sla_policies (name, conditions) VALUES ('bad', '{"status": "open"}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (99, 'resolution', '1 hour');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (NULL, 'resolution', '1 hour');
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (1, NULL, '1 hour');
INSERT INTO support.sla_targets (policy_id, metric, target, priority) VALUES (1, 'resolution', NULL, 'high');
INSERT INTO support.sla_targets (policy_id, metric, target) VALUES (1, 'resolution', '1 hour');
INSERT INTO support.sla_targets (policy_id, metric, target, priority) VALUES (1, 'resolution', '1 day', 'high');
INSERT INTO support.sla_targets (policy_id, metric, target, priority, warn_percents) VALUES (1, 'resolution', '1 hour', 'high', '{NULL}');
UPDATE support.sla_targets SET target = '0' WHERE policy_id = 1;
UPDATE support.sla_targets SET calendar_id = 99 WHERE policy_id = 1;
UPDATE support.sla_targets SET metric = 'resolution' WHERE policy_id = 1;
-- Which field of a form an error belongs to.
DO $$
DECLARE
	at_table text;
	at_constraint text;
BEGIN
	UPDATE support.sla_targets SET calendar_id = 99 WHERE policy_id = 1;
EXCEPTION WHEN foreign_key_violation THEN
	GET STACKED DIAGNOSTICS at_table = TABLE_NAME, at_constraint = CONSTRAINT_NAME;
	RAISE NOTICE '% %', at_table, at_constraint;
END
$$;
-- The last position that there is is every later policy's.
INSERT INTO support.sla_policies (name, position) VALUES ('last', 2147483647);
INSERT INTO support.sla_policies (name) VALUES ('after the last') RETURNING position;
SELECT name FROM support.sla_policies ORDER BY position, id;

\c contrib_regression
DROP DATABASE regress_sla_policy;
