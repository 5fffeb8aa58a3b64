-- What is held is not destroyed until it is let go.
CREATE DATABASE regress_holds;
\c regress_holds
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer'), ('dora@corp.example', 'Dora Customer', 'customer');
SELECT support.set_actor(1);
SELECT support.create_ticket('Ticket ' || n, 'text', 2 + n % 2) FROM generate_series(1, 6) AS n;
SELECT support.add_comment(2, 'Me, too', author_id => 3, is_private => true);
SELECT support.add_comment(4, 'Gone', author_id => 3);
DELETE FROM support.comments WHERE ticket_id = 4;

-- Placed and lifted, by whom and when; the log has it.
SELECT support.place_hold(ticket_id => 1, reason => '  case 1 ');
SELECT support.place_hold(user_id => 3, reason => 'case 2', actor_id => 1);
SELECT support.place_hold(1);
SELECT id, ticket_id, user_id, reason, placed_by, placed_at, lifted_at, lifted_by FROM support.holds ORDER BY id;
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.lift_hold(3);
SELECT support.lift_hold(3);
\echo :LAST_ERROR_SQLSTATE
SELECT lifted_at, lifted_by FROM support.holds WHERE id = 3;
SELECT action, record_id FROM support.audit_log WHERE table_name = 'holds' ORDER BY id;

-- Refusals.
SELECT support.place_hold();
\echo :LAST_ERROR_SQLSTATE
SELECT support.place_hold(1, 2);
SELECT support.place_hold(99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.place_hold(user_id => 99);
SELECT support.place_hold(1, reason => E'two\nlines');
\echo :LAST_ERROR_SQLSTATE
SELECT support.place_hold(1, reason => repeat('x', 3000));
\echo :LAST_ERROR_SQLSTATE
SELECT support.lift_hold(99);
SELECT support.lift_hold(NULL);
TRUNCATE support.holds;
INSERT INTO support.holds (reason) VALUES ('of nothing');
DELETE FROM support.users WHERE id = 3;

-- A purge passes over what is held: ticket 1 by itself, 1, 3 and 5 as Dora's, 2 and 4 since she wrote there.
DELETE FROM support.tickets WHERE id < 4;
SELECT support.delete_ticket(id) > 0 AS deleted FROM support.tickets WHERE id >= 4 ORDER BY id;
SET support_ext.now = '2026-05-02 10:00+00';
SELECT support.purge_deleted();
SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.erase_user(2);
SELECT support.erase_user(3);
-- A removed ticket can be held as well.
SELECT support.place_hold(2, reason => 'case 3');
SELECT support.lift_hold(2);
SELECT support.purge_deleted();
SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id;
SELECT support.place_hold(3);
SELECT support.lift_hold(id) FROM support.holds WHERE lifted_at IS NULL;
SELECT support.purge_deleted();
SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id;

-- Months of the log that would be dropped stay while a hold is on entries of them; others go, and what is archived is kept anyway.
SET support_ext.now = '2026-01-10 09:00+00';
SELECT line FROM support.maintain() AS line WHERE line ~ 'made';
SELECT support.create_ticket('Old', 'text', 2) AS t \gset
SELECT support.place_hold(:t, reason => 'case 4') AS h \gset
SET support_ext.now = '2026-02-10 09:00+00';
SELECT support.create_ticket('Other', 'text', 3) > 0 AS opened;
SELECT support.configure('retention', '1 month'), support.configure('retention_action', 'drop');
SET support_ext.now = '2026-08-10 09:00+00';
SELECT line FROM support.maintain(dry_run => true) AS line WHERE line ~ '2026_0[12]';
SELECT line FROM support.maintain() AS line WHERE line ~ '2026_0[12]';
SELECT support.lift_hold(:h);
SELECT support.place_hold(user_id => 2) AS h \gset
SELECT line FROM support.maintain(dry_run => true) AS line WHERE line ~ '2026_0[12]';
SELECT support.configure('retention_action', 'archive');
SELECT line FROM support.maintain(dry_run => true) AS line WHERE line ~ '2026_0[12]';
SELECT support.configure('retention_action', 'drop');
SELECT support.lift_hold(:h);
SELECT line FROM support.maintain() AS line WHERE line ~ '2026_0[12]';

\c contrib_regression
DROP DATABASE regress_holds;
