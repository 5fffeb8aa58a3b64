-- maintain(): the log's months are made ahead, and old ones go; what the recycle bin needs stays.
CREATE DATABASE regress_keep;
\c regress_keep
CREATE EXTENSION support_ext;
SET TimeZone = 'Pacific/Auckland';
SET DateStyle = 'SQL, DMY';
\set SHOW_CONTEXT never
CREATE VIEW places AS
SELECT a.tableoid::regclass AS partition, count(*) AS entries, count(*) FILTER (WHERE a.action = 'DELETE') AS deletes
FROM support.audit_log AS a
GROUP BY a.tableoid
ORDER BY a.tableoid::regclass::text;

-- Before it ever ran, the default partition takes all, whatever the session's zone.
SET support_ext.now = '2026-02-28 23:30+00';
SELECT support.create_user('ann@desk.example', 'Ann Agent', 'agent');
SELECT support.set_actor(1);
SELECT support.create_ticket('Ticket ' || n, creator_id => 1) FROM generate_series(1, 5) AS n;
SET support_ext.now = '2026-03-01 00:00+00';
SELECT support.add_comment(2, 'Gone with its ticket'), support.add_comment(3, 'Removed alone'), support.add_comment(1, 'Stays');
DELETE FROM support.tickets WHERE id = 2;
SELECT support.delete_ticket(4);
DELETE FROM support.comments WHERE ticket_id = 3;
SET support_ext.now = '2026-04-15 10:00+00';
UPDATE support.tickets SET priority = 'low' WHERE id <> 4;
SELECT * FROM places;
CREATE TABLE log_before AS SELECT * FROM support.audit_log;

-- It makes this month and two more, and those that have entries; a second call finds nothing to do.
SELECT * FROM support.maintain();
SELECT * FROM support.maintain();
SELECT * FROM places;
(TABLE log_before EXCEPT ALL TABLE support.audit_log) UNION ALL (TABLE support.audit_log EXCEPT ALL TABLE log_before);

-- The months are whole: entries go there, the guards hold, and every object has its comment.
UPDATE support.tickets SET priority = 'high' WHERE id = 1;
SET support_ext.now = '2026-05-01 00:00+00';
UPDATE support.tickets SET priority = 'urgent' WHERE id = 1;
SELECT support.log_event(1, 'phone_call') > 0 AS logged;
SELECT tableoid::regclass, action FROM support.audit_log ORDER BY id DESC LIMIT 3;
TRUNCATE support_internal.audit_log_2026_05;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support_internal.audit_log_2026_05;
\echo :LAST_ERROR_SQLSTATE
SELECT c.oid::regclass AS partition, pg_get_userbyid(c.relowner) = current_user AS ours, obj_description(c.oid, 'pg_class') AS comment
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'support.audit_log'::regclass
ORDER BY c.relname;

-- A partition made by hand, of another shape, is left as it is, but for a guard.
CREATE TABLE support_internal.whole_year PARTITION OF support.audit_log FOR VALUES FROM ('2027-01-01 00:00+00') TO ('2028-01-01 00:00+00');
SELECT * FROM support.maintain();
TRUNCATE support_internal.whole_year;
\echo :LAST_ERROR_SQLSTATE
SET support_ext.now = '2026-12-15 10:00+00';
SELECT * FROM support.maintain();

-- What the owner has made of the log's columns, and of its guards, its months and their partitions have too.
ALTER TABLE support.audit_log ADD COLUMN words bigint GENERATED ALWAYS AS (length(action) * 2) STORED;
ALTER TABLE support.audit_log ALTER COLUMN new_value SET STORAGE EXTERNAL, ALTER COLUMN old_value SET COMPRESSION pglz;
CREATE TABLE support_internal.one_year PARTITION OF support.audit_log FOR VALUES FROM ('2029-01-01 00:00+00') TO ('2030-01-01 00:00+00')
	PARTITION BY RANGE (occurred_at);
CREATE TABLE support_internal.half_a_year PARTITION OF support_internal.one_year FOR VALUES FROM (MINVALUE) TO ('2029-07-01 00:00+00');
BEGIN;
SET LOCAL support_ext.now = '2028-12-15 10:00+00';
SELECT support.log_event(1, 'postcard') > 0 AS logged;
SELECT * FROM support.maintain();
SELECT tableoid::regclass, action, words FROM support.audit_log ORDER BY id DESC LIMIT 1;
SELECT attname, attstorage, attcompression, attgenerated FROM pg_attribute
WHERE attrelid = 'support_internal.audit_log_2028_12'::regclass AND attname IN ('new_value', 'old_value', 'words') ORDER BY 1;
TRUNCATE support_internal.half_a_year;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
DROP TABLE support_internal.one_year;
ALTER TABLE support.audit_log DROP COLUMN words;

-- A caller without the right.
CREATE ROLE regress_keeper;
GRANT USAGE ON SCHEMA support TO regress_keeper;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_keeper;
SET ROLE regress_keeper;
SELECT * FROM support.maintain();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- Nothing is too old yet: a month stays while a part of it is kept.
SELECT support.configure('retention', '9 months 15 days');
SELECT * FROM support.maintain();
-- Then the oldest goes off the log, which notes it; what the recycle bin needs moves to the default partition.
SELECT support.configure('retention', '9 months');
SELECT * FROM support.maintain();
SELECT to_regclass('support_internal.audit_log_2026_02') IS NOT NULL AS still_a_table;
SELECT * FROM support.maintain();
SELECT support.configure('retention', '240 days');
SELECT support.configure('retention_action', 'archive');
SELECT * FROM support.maintain();
SELECT to_regclass('support_archive.audit_log_2026_03') IS NOT NULL AS archived;
SELECT support.configure('retention', '6 months');
SELECT support.configure('retention_action', 'drop');
SELECT * FROM support.maintain();
SELECT to_regclass('support_internal.audit_log_2026_04') IS NULL AND to_regclass('support_internal.audit_log_2026_05') IS NULL AS dropped;
SELECT * FROM places;
SELECT action, actor_id, ticket_id, new_value FROM support.audit_log WHERE action = 'PRUNE' ORDER BY id;
SELECT support.log_event(1, 'PRUNE');
\echo :LAST_ERROR_SQLSTATE

-- What was removed comes back after all, and what was marked; of the other comment nothing is left.
SELECT support.restore_ticket(2) > 0 AS restored, support.restore_ticket(4) > 0 AS unmarked;
SELECT t.title, c.content FROM support.tickets AS t LEFT JOIN support.comments AS c ON c.ticket_id = t.id ORDER BY t.id;
SELECT support.restore_comment(3, 2);
\echo :LAST_ERROR_SQLSTATE
-- Restored, it needs its entries no longer; purged, it leaves nothing behind.
DELETE FROM support.tickets WHERE id = 2;
SET support_ext.now = '2027-02-15 10:00+00';
SELECT support.purge_deleted('1 day');
SELECT count(*) FROM support.audit_log WHERE ticket_id = 2 AND old_value IS NOT NULL;

-- In a transaction that is rolled back nothing was made.
BEGIN;
SELECT count(*) > 0 AS made FROM support.maintain();
ROLLBACK;
SELECT count(*) > 0 AS made FROM support.maintain();
DROP OWNED BY regress_keeper;
DROP ROLE regress_keeper;

\c contrib_regression
DROP DATABASE regress_keep;

-- A desk that was never maintained: what is too old goes out of the default partition, too.
CREATE DATABASE regress_keep;
\c regress_keep
CREATE EXTENSION support_ext;
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE VIEW places AS
SELECT a.tableoid::regclass AS partition, count(*) AS entries, count(*) FILTER (WHERE a.action = 'DELETE') AS deletes
FROM support.audit_log AS a
GROUP BY a.tableoid
ORDER BY a.tableoid::regclass::text;
SET support_ext.now = '2024-02-05 10:00';
SELECT support.create_user('ann@desk.example', 'Ann Agent', 'agent') AS ann;
SELECT support.set_actor(1);
SELECT count(support.create_ticket('Ticket ' || n, creator_id => 1)) AS tickets FROM generate_series(1, 3) AS n;
SET support_ext.now = '2024-03-05 10:00';
DELETE FROM support.tickets WHERE id = 2;
SELECT support.set_priority(1, 'high');
SET support_ext.now = '2025-11-20 10:00';
SELECT support.set_priority(1, 'low');
SET support_ext.now = '2026-11-05 10:00';
SELECT support.configure('retention', '12 months');
SELECT support.configure('retention_action', 'archive');
SELECT support.feed_start('slow', NULL);
SELECT * FROM support.maintain(dry_run => true);
SELECT support.feed_stop('slow');
SELECT * FROM support.maintain(dry_run => true);
SELECT * FROM support.maintain();
SELECT * FROM support.maintain();
SELECT * FROM places;
SELECT c.oid::regclass AS archived FROM pg_class AS c WHERE c.relnamespace = 'support_archive'::regnamespace AND c.relkind = 'r' ORDER BY 1;
SELECT * FROM support.restore_ticket(2);
-- What the bin no longer needs finds its month archived, and goes with it once the month is back.
SELECT * FROM support.maintain();
SELECT * FROM support.attach_month('2024-03-01');
SELECT * FROM support.maintain();
SELECT * FROM places;
SELECT * FROM support.verify_stats();

\c contrib_regression
DROP DATABASE regress_keep;
