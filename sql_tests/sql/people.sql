-- Users, organizations and teams.
CREATE DATABASE regress_people;
\c regress_people
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

-- A user needs an e-mail address and a name; all else has a default.
SELECT support.create_user('ann@desk.example', 'Ann Agent', 'agent');
SELECT support.create_user('carl@corp.example', 'Carl Customer');
INSERT INTO support.organizations (name, external_id) VALUES ('Corp', 'crm-1') RETURNING *;
SELECT support.create_user('dora@corp.example', 'Dora Customer', role => 'customer', organization_id => 1,
	external_id => 'crm-77', actor_id => 1);
SELECT support.create_user('eve@desk.example', 'Eve Empty', NULL, NULL, NULL, NULL);
SELECT id, email, full_name, is_active, role, organization_id, external_id, db_role, time_zone, email_key
FROM support.users ORDER BY id;
SELECT DISTINCT created_at, updated_at FROM support.users;

-- Every role there is; no other.
SELECT support.create_user(role || '@desk.example', role, role)
FROM unnest('{customer,light_agent,agent,team_lead,admin,auditor,bot}'::text[]) AS role;
SELECT id, role FROM support.users WHERE id > 4 ORDER BY id;
SELECT support.create_user('x@desk.example', 'X', 'boss');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO support.users (email, full_name, role) VALUES ('x@desk.example', 'X', 'boss');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- An e-mail address belongs to one user, whatever its case.
SELECT support.create_user('ANN@Desk.Example', 'Another Ann');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.users (email, full_name) VALUES ('Ann@desk.example', 'Another Ann');
\echo :LAST_ERROR_SQLSTATE
COPY support.users (email, full_name) FROM stdin;
new@corp.example	New
ANN@desk.example	Another Ann
\.
SELECT count(*) FROM support.users WHERE email_key IN ('ann@desk.example', 'new@corp.example');

-- So does a key in another system.
SELECT support.create_user('fred@corp.example', 'Fred', external_id => 'crm-77');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.organizations (name, external_id) VALUES ('Corporation', 'crm-1');
\echo :LAST_ERROR_SQLSTATE

-- What is missing, blank, too long or unknown is refused.
\set VERBOSITY terse
SELECT support.create_user(NULL, 'Nobody');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_user(' ', 'Nobody');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_user('nobody@corp.example', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_user('nobody@corp.example', E'\t');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_user(repeat('n', 256), 'Nobody');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT support.create_user('nobody@corp.example', 'Nobody', organization_id => 9);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.users (email, full_name, organization_id) VALUES ('nobody@corp.example', 'Nobody', 9);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.users WHERE full_name !~ '\S' OR email ~ 'nobody';

-- Mappers send NULL for what the application left out: it gets its default.
INSERT INTO support.users (id, email, full_name, is_active, created_at, role, updated_at)
VALUES (NULL, 'gus@corp.example', 'Gus', NULL, NULL, NULL, NULL)
RETURNING is_active, created_at, role, updated_at;

-- updated_at moves when another column does, whatever the client sends, and alone no way but forward.
SET support_ext.now = '2026-03-02 10:00+00';
UPDATE support.users SET full_name = 'Ann Agent' WHERE id = 1 RETURNING updated_at;
UPDATE support.users SET updated_at = '2020-01-01' WHERE id = 1 RETURNING updated_at;
UPDATE support.users SET full_name = 'Ann Archer' WHERE id = 1 RETURNING updated_at;
UPDATE support.users SET full_name = 'Ann Adams', updated_at = '2030-01-01' WHERE id = 1 RETURNING updated_at;
SELECT old_value, new_value FROM support.audit_log WHERE table_name = 'users' AND action = 'UPDATE' ORDER BY id;

-- Teams and their members.
SELECT support.create_team('Printers');
SELECT support.create_team('Networks', actor_id => 1);
SELECT support.create_team('Printers');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT support.create_team(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_team('  ');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT * FROM support.teams ORDER BY id;
SELECT support.add_team_member(1, 1);
SELECT support.add_team_member(1, 7, 5);
SELECT support.add_team_member(1, 1, capacity => 3);
SELECT support.add_team_member(1, 1, capacity => 3);
SELECT * FROM support.team_members ORDER BY team_id, user_id;
SELECT action, old_value, new_value FROM support.audit_log WHERE table_name = 'team_members' ORDER BY id;
SELECT support.add_team_member(9, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_team_member(1, 99);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT support.add_team_member(1, 1, -1);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT support.add_team_member(NULL, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_team_member(1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support.team_members ORDER BY team_id, user_id;

-- Who leaves hands over the open tickets, and keeps the history.
SELECT support.set_actor(9);
SELECT support.create_ticket('Ticket ' || n, creator_id => 2, assignee_id => 1) FROM generate_series(1, 5) AS n;
SELECT support.set_status(2, 'pending');
SELECT support.set_status(3, 'resolved');
SELECT support.set_status(4, 'closed');
SELECT support.delete_ticket(5);
SELECT support.deactivate_user(1, reassign_to => 7);
SELECT id, is_active FROM support.users WHERE id IN (1, 7) ORDER BY id;
SELECT id, status, assignee_id, deleted_at IS NOT NULL AS deleted, version FROM support.tickets ORDER BY id;
SELECT support.deactivate_user(1);
SELECT support.deactivate_user(7);
SELECT id, assignee_id FROM support.tickets ORDER BY id;
SELECT record_id, actor_id, old_value ->> 'is_active' AS was, new_value ->> 'is_active' AS is
FROM support.audit_log WHERE table_name = 'users' AND old_value ? 'is_active' ORDER BY id;
UPDATE support.users SET is_active = true WHERE id IN (1, 7);

-- Nobody is deactivated if the tickets have nowhere to go, unsolved tickets or not.
SELECT support.assign_ticket(1, 1);
SELECT support.deactivate_user(1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.deactivate_user(1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.deactivate_user(1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.deactivate_user(7, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.deactivate_user(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.deactivate_user(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT id, is_active FROM support.users WHERE id IN (1, 7) ORDER BY id;
SELECT id, assignee_id FROM support.tickets WHERE assignee_id IS NOT NULL ORDER BY id;

-- Nobody who has unsolved tickets loses his standing by a plain UPDATE; with solved and deleted ones he may.
UPDATE support.users SET is_active = false WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.users SET role = 'customer' WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.users (id, email, full_name, role) VALUES (1, 'ann@desk.example', 'Ann Adams', 'auditor')
ON CONFLICT (id) DO UPDATE SET role = excluded.role;
\echo :LAST_ERROR_SQLSTATE
UPDATE support.users SET role = 'bot' WHERE id = 1;
UPDATE support.users SET role = 'agent' WHERE id = 1;

-- A role that takes no tickets hands them over; another one keeps them.
SELECT support.set_user_role(1, 'team_lead');
SELECT support.set_user_role(1, 'light_agent', reassign_to => 7);
SELECT support.set_user_role(7, 'customer');
SELECT id, role FROM support.users WHERE id IN (1, 7) ORDER BY id;
SELECT id, assignee_id FROM support.tickets WHERE assignee_id IS NOT NULL ORDER BY id;
SELECT support.set_user_role(1, 'agent'), support.set_user_role(7, 'agent'), support.set_user_role(7, 'agent', 99);
SELECT support.assign_ticket(1, 1) > 0 AS assigned;
SELECT support.set_user_role(1, 'boss');
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_user_role(1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_user_role(1, 'customer', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_user_role(1, 'customer', 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.set_user_role(99, 'agent');
\echo :LAST_ERROR_SQLSTATE
SELECT support.reactivate_user(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.reactivate_user(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT role, is_active FROM support.users WHERE id = 1;

-- What comes back to somebody who is gone goes to nobody, on every road; the team keeps it.
UPDATE support.tickets SET assignee_id = NULL WHERE assignee_id IS NOT NULL;
INSERT INTO support.tickets (id, title, description, creator_id, team_id, status) VALUES
	(11, 'The customer writes', '', 2, 1, 'resolved'),
	(12, 'set_status', '', 2, 1, 'resolved'),
	(13, 'update_ticket', '', 2, 1, 'closed'),
	(14, 'A plain UPDATE', '', 2, 1, 'resolved'),
	(15, 'restore_ticket', '', 2, 1, 'pending'),
	(16, 'Marked by hand', '', 2, 1, 'open'),
	(17, 'A removed one', '', 2, 1, 'open'),
	(18, 'undo', '', 2, 1, 'open'),
	(19, 'Solved and removed', '', 2, 1, 'resolved'),
	(20, 'Closed', '', 2, 1, 'resolved'),
	(21, 'Undone with its assignee', '', 2, 1, 'open');
UPDATE support.tickets SET assignee_id = CASE id % 2 WHEN 0 THEN 1 ELSE 7 END WHERE id > 10;
SELECT support.set_status(18, 'resolved') > 0 AS solved;
SELECT max(id) AS solving FROM support.audit_log WHERE ticket_id = 18 AND new_value ? 'status' \gset
SELECT support.update_ticket(21, '{"assignee_id": null, "status": "resolved"}') > 0 AS solved;
SELECT max(id) AS leaving FROM support.audit_log WHERE ticket_id = 21 AND new_value ? 'status' \gset
SELECT support.delete_ticket(15) > 0 AND support.delete_ticket(16) > 0 AS deleted;
DELETE FROM support.tickets WHERE id IN (17, 19);
SELECT support.deactivate_user(1), support.set_user_role(7, 'customer');
SET support_ext.now = '2026-03-02 11:00+00';
SELECT support.add_comment(11, 'Again', author_id => 2) > 0 AS written;
SELECT support.set_status(12, 'open') > 0 AS reopened;
SELECT support.update_ticket(13, '{"status": "in_progress"}') > 0 AS reopened;
UPDATE support.tickets SET status = 'open' WHERE id = 14;
SELECT support.restore_ticket(15) > 0 AND support.restore_ticket(17) > 0 AND support.restore_ticket(19) > 0 AS restored;
UPDATE support.tickets SET deleted_at = NULL WHERE id = 16;
SELECT support.undo(:solving) > 0 AND support.undo(:leaving) > 0 AS undone;
-- … and what stays solved may stay with whom it has, also where all of it is written back
SELECT support.set_status(20, 'closed') > 0 AS closed;
UPDATE support.tickets SET title = 'Closed and renamed', assignee_id = 1, status = 'closed' WHERE id = 20;
SELECT t.id, t.title, t.status, t.assignee_id, t.team_id, l.old_value ->> 'assignee_id' AS was
FROM support.tickets AS t
LEFT JOIN support.audit_log AS l
	ON l.ticket_id = t.id AND l.occurred_at = '2026-03-02 11:00+00' AND l.new_value @> '{"assignee_id": null}'
WHERE t.id > 10
ORDER BY t.id;
SELECT sum(open) AS unsolved, sum(unassigned) AS unassigned FROM support.report_priority;
SELECT count(*) AS with_somebody_gone
FROM support.tickets AS t
JOIN support.users AS u ON u.id = t.assignee_id
WHERE t.solved_at IS NULL AND t.deleted_at IS NULL AND NOT (u.is_active AND u.role = 'agent');
-- Who names somebody who is gone is told, and so is an undo that would.
UPDATE support.tickets SET status = 'open', assignee_id = 7 WHERE id = 20;
\echo :LAST_ERROR_SQLSTATE
SELECT support.undo(max(id)) FROM support.audit_log WHERE ticket_id = 17 AND new_value @> '{"assignee_id": null}';
\echo :LAST_ERROR_SQLSTATE
-- The undo of a reopening puts the solved ticket back to whom it had.
SELECT support.undo(max(id)) > 0 AS undone FROM support.audit_log WHERE ticket_id = 12 AND new_value @> '{"assignee_id": null}';
SELECT status, assignee_id FROM support.tickets WHERE id = 12;
-- Undoing an activation is no way around.
SELECT support.reactivate_user(1);
SELECT max(id) AS activation FROM support.audit_log WHERE table_name = 'users' AND record_id = 1 \gset
SELECT support.assign_ticket(12, 1) > 0 AND support.set_status(12, 'open') > 0 AS assigned;
SELECT support.undo(:activation);
\echo :LAST_ERROR_SQLSTATE
SELECT assignee_id, status FROM support.tickets WHERE id = 12;
SELECT * FROM support.verify_stats();
SELECT support.assign_ticket(12, NULL) > 0 AS released;

-- A user with tickets cannot be removed; one without can, and the log keeps the row.
DELETE FROM support.users WHERE id = 2;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.users WHERE id = 3;
SELECT record_id, old_value - 'created_at' - 'updated_at' AS old_value
FROM support.audit_log WHERE table_name = 'users' AND action = 'DELETE';

-- What an application deletes first does not hold the user back.
BEGIN;
DELETE FROM support.tickets WHERE creator_id = 2;
DELETE FROM support.users WHERE id = 2;
SELECT count(*) FROM support.users WHERE id = 2;
ROLLBACK;

\c contrib_regression
DROP DATABASE regress_people;
