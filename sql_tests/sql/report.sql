-- support.report(): what it counts, how it divides time, and what it refuses. The counters and the rows must tell the
-- same.
CREATE DATABASE regress_report;
\c regress_report
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-30 12:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
\set SHOW_CONTEXT never

-- What there is not is refused, with what there is.
SELECT * FROM support.report('creatd');
SELECT * FROM support.report(NULL);
SELECT * FROM support.report('created', bucket => 'fortnight');
SELECT * FROM support.report('created', time_zone => 'Europe/Atlantis');
SELECT * FROM support.report('created', group_by => 'mood');
SELECT * FROM support.report('created', group_by => 'user');
SELECT * FROM support.report('activity', group_by => 'team');
SELECT * FROM support.report('created', filters => '{"floor": 3}');
SELECT * FROM support.report('activity', filters => '{"custom": {"floor": 3}}');
SELECT * FROM support.report('created', filters => '[]');
SELECT * FROM support.report('created', filters => '{"team_id": "Hardware"}');
SELECT * FROM support.report('created', filters => '{"team_id": [1, 2.5]}');
SELECT * FROM support.report('created', filters => '{"team_id": {"a": 1}}');
SELECT * FROM support.report('created', filters => '{"priority": 3}');
SELECT * FROM support.report('created', filters => '{"tag": null}');
SELECT * FROM support.report('created', filters => '{"custom": 3}');
SELECT * FROM support.report('created', anchor => 'cohort');
SELECT * FROM support.report('first_reply', anchor => 'creation');
SELECT * FROM support.report('first_reply', anchor => NULL);
SELECT * FROM support.report('created', '2026-03-02', '2026-03-01');
SELECT * FROM support.report('created', '2026-04-02');
SELECT * FROM support.report('created', '-infinity');
SELECT * FROM support.report('created', to_at => 'infinity');
SELECT * FROM support.report('created', '1900-01-01', bucket => 'day');
SELECT count(*) FROM support.report('created', '2026-03-30'::timestamptz - '10000 hours'::interval, '2026-03-30', 'hour');
SELECT count(*) FROM support.report('created', '2026-03-30'::timestamptz - '10001 hours'::interval, '2026-03-30', 'hour');

-- By default the last 90 days of the zone, today included. Of a range without an end in itself nothing comes.
SELECT bucket_at, bucket_end, n FROM support.report('created');
SELECT bucket_at, bucket_end, n FROM support.report('created', time_zone => 'Asia/Kathmandu');
SELECT bucket_at, bucket_end, n FROM support.report('created', to_at => '2026-01-31');
SELECT bucket_at, bucket_end, n FROM support.report('created', '2026-01-31', '2026-01-31');

-- Buckets begin where the clock of the zone says; the first and the last are cut.
SELECT bucket_at, bucket_end FROM support.report('created', '2026-02-10 05:07', '2026-05-03', 'month');
SELECT bucket_at, bucket_end FROM support.report('created', '2026-02-10', '2026-05-03', 'quarter', 'Asia/Kathmandu');
SELECT bucket_at, bucket_end FROM support.report('created', '2024-02-10', '2026-05-03', 'year', 'America/New_York');
SELECT bucket_at, bucket_end FROM support.report('created', '2026-03-04', '2026-03-20', 'week');

-- A day has 23 or 25 hours when the clock is put forward or back, and its hours are as many. Where that happens at
-- midnight the day begins with its first moment. In 2011 Samoa had no 30th of December. Lord Howe moves by half an hour.
CREATE TEMPORARY VIEW days AS
SELECT z.zone, r.bucket_at AT TIME ZONE z.zone AS begins, r.bucket_end - r.bucket_at AS lasts
FROM
(
	VALUES
		('Europe/Berlin', '2026-03-28 23:00+00'::timestamptz),
		('Europe/Berlin', '2026-10-24 22:00+00'),
		('America/Havana', '2025-11-01 04:00+00'),
		('America/Santiago', '2025-04-05 03:00+00'),
		('America/Santiago', '2025-09-06 04:00+00'),
		('Pacific/Apia', '2011-12-29 10:00+00')
) AS z (zone, from_at)
CROSS JOIN LATERAL support.report('created', z.from_at, z.from_at + '49 hours'::interval, 'day', z.zone) AS r;
SELECT * FROM days;
SELECT count(*) AS hours FROM support.report('created', '2026-10-24 22:00', '2026-10-25 23:00', 'hour', 'Europe/Berlin');
SELECT bucket_at AT TIME ZONE 'Australia/Lord_Howe' AS hour_begins, bucket_end - bucket_at AS lasts
FROM support.report('created', '2026-04-04 13:30', '2026-04-04 17:30', 'hour', 'Australia/Lord_Howe');

-- A day begins at the same instant whatever days are asked for with it, also where the clock is put back over midnight.
CREATE FUNCTION begins_else(zone text)
RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM set_config('TimeZone', zone, true);
	RETURN
	(
		SELECT count(*)
		FROM unnest(support_internal.day_bounds('2000-01-01', '2011-12-31')) WITH ORDINALITY AS b (at, n)
		WHERE b.at <> (support_internal.day_bounds('2000-01-01'::date + b.n::integer - 1, '2000-01-01'::date + b.n::integer - 1))[1]
	);
END
$$;
SELECT zone, begins_else(zone)
FROM unnest('{America/St_Johns,America/Moncton,Antarctica/Casey,Asia/Kathmandu,Australia/Lord_Howe,Pacific/Apia,UTC}'::text[]) AS zone;
SET TimeZone = 'America/St_Johns';
SELECT unnest(support_internal.day_bounds('2005-10-28', '2005-10-31')) AT TIME ZONE 'UTC' AS begins;
SET TimeZone = 'UTC';
DROP FUNCTION begins_else;

-- A desk with four months of work, always the same. Statuses, teams and so on follow from remainders.
INSERT INTO support.organizations (name) VALUES ('Northwind'), ('Acme');
INSERT INTO support.teams (name) VALUES ('Hardware'), ('Billing'), ('Night shift');
INSERT INTO support.users (email, full_name, role, organization_id)
VALUES
	('ann@desk.example', 'Ann', 'agent', NULL),
	('bob@desk.example', 'Bob', 'team_lead', NULL),
	('eve@desk.example', 'Eve', 'admin', NULL),
	('carl@northwind.example', 'Carl', 'customer', 1),
	('dora@acme.example', 'Dora', 'customer', 2),
	('emil@home.example', 'Emil', 'customer', NULL);
INSERT INTO support.statuses (name, category, position) VALUES ('triage', 'new', 5);
DO $$
DECLARE
	ticket bigint;
BEGIN
	FOR i IN 1 .. 900 LOOP
		PERFORM set_config('support_ext.now', ('2025-12-02 00:00+00'::timestamptz + i * '3:07:13.3'::interval)::text,
			false);
		ticket := 1 + i * 7919 % (1 + i / 3);
		IF i % 3 = 0 THEN
			PERFORM support.create_ticket('Ticket ' || i, creator_id => 4 + i % 3, requester_id => nullif(4 + i % 4, 7),
				team_id => nullif(i % 4, 0), assignee_id => nullif(i / 3 % 4, 0), organization_id => nullif(i % 5 % 3, 0),
				priority => (ARRAY['low', 'normal', 'high', 'urgent', NULL])[1 + i / 3 % 5],
				channel => (ARRAY['web', 'email', '', NULL])[1 + i / 3 % 4],
				tags => CASE i / 3 % 3 WHEN 0 THEN '{VIP}' WHEN 1 THEN '{vip,late}' ELSE '{}' END::text[],
				status => CASE WHEN i % 51 = 0 THEN 'resolved' WHEN i % 9 = 0 THEN 'triage' END,
				custom => jsonb_build_object('floor', i / 3 % 4));
		ELSIF (SELECT t.deleted_at IS NULL AND t.status <> 'closed' FROM support.tickets AS t WHERE t.id = ticket) THEN
			CASE i / 3 % 7
				WHEN 0, 1, 2 THEN
					PERFORM support.add_comment(ticket, 'Hello', author_id => 1 + i % 3, actor_id => 1 + i % 3,
						status => (ARRAY['resolved', 'pending', NULL])[1 + i / 3 % 3]);
				WHEN 3, 4 THEN
					PERFORM support.add_comment(ticket, 'Hello?', author_id => 4 + i % 3, actor_id => 4 + i % 3);
				WHEN 5 THEN
					PERFORM support.set_status(ticket, (ARRAY['open', 'on_hold', 'resolved', 'closed'])[1 + i % 4],
						actor_id => 1 + i % 3);
				ELSE
					IF i % 4 = 0 THEN
						PERFORM support.delete_ticket(ticket, actor_id => 3);
					END IF;
			END CASE;
		END IF;
	END LOOP;
END
$$;
UPDATE support.tickets SET status = 'open' WHERE status = 'triage' AND deleted_at IS NULL;
UPDATE support.tickets SET status = 'open' WHERE status = 'triage';
DELETE FROM support.statuses WHERE name = 'triage';
SET support_ext.now = '2026-03-30 12:00+00';
SELECT count(*) AS tickets, count(deleted_at) AS deleted FROM support.tickets;

-- A line for each bucket, those with nothing in them included; by group only what there is.
SELECT bucket_at, n FROM support.report('created', '2025-11-01', '2026-04-01', 'month');
SELECT bucket_at, group_value, group_name, n
FROM support.report('created', '2025-11-01', '2026-01-01', 'month', group_by => 'team');
SELECT bucket_at, n, average, p50, p90, p95, p99 FROM support.report('first_reply', '2025-12-01', bucket => 'month');
SELECT bucket_at, n, average, p50, p90, p95, p99
FROM support.report('first_reply', '2025-12-01', bucket => 'month', anchor => 'cohort');
SELECT group_name, n, average, p50 FROM support.report('full_resolution', group_by => 'assignee');

-- Solve events, tickets solved, and those whose solution stands.
SELECT
	(SELECT r.n FROM support.report('solved') AS r) AS solved,
	(SELECT r.n FROM support.report('tickets_solved') AS r) AS tickets_solved,
	(SELECT r.n FROM support.report('still_solved') AS r) AS still_solved;

-- The backlog is a stock: what is unsolved when a bucket ends. By status each is told as of then.
SELECT bucket_end, n FROM support.report('backlog', '2025-12-01', bucket => 'month');
SELECT bucket_end, group_name, n FROM support.report('backlog', '2025-12-01', '2026-02-01', 'month', group_by => 'status');
SELECT count(*) AS unsolved
FROM support.tickets AS t
JOIN support.statuses AS s ON s.name = t.status
WHERE t.deleted_at IS NULL AND s.category NOT IN ('solved', 'closed');

-- Filters: an id or a word, a list of them, null for none; several must all match.
SELECT n FROM support.report('created', filters => '{"team_id": 1}');
SELECT n FROM support.report('created', filters => '{"team_id": [1, 2]}');
SELECT n FROM support.report('created', filters => '{"team_id": null}');
SELECT n FROM support.report('created', filters => '{"team_id": []}');
SELECT n FROM support.report('created', filters => '{"team_id": 1, "priority": "high"}');
SELECT n FROM support.report('created', filters => '{"custom": {"floor": 3}}');
SELECT n FROM support.report('created', filters => '{"tag": "Vip"}');
SELECT n FROM support.report('created', filters => '{"tag": ["vip", "late"], "status": "resolved"}');
SELECT n FROM support.report('created', filters => '{"requester_id": 4, "creator_id": [4, 5]}');
SELECT n FROM support.report('solved', filters => '{"user_id": 2, "organization_id": 1}');
SELECT group_name, n FROM support.report('created', group_by => 'requester', filters => '{"category": ["solved", "closed"]}');
SELECT group_name, n FROM support.report('created', group_by => 'tag');

-- The log has no counters.
SELECT group_name, n FROM support.report('activity', group_by => 'user');
SELECT group_name, n FROM support.report('activity', group_by => 'action', filters => '{"table_name": "tickets"}');
SELECT group_name, n FROM support.report('activity', group_by => 'table', filters => '{"user_id": 3, "action": "UPDATE"}');

-- A filter that every ticket matches, but which no counter has, leads to the rows: these say the same as the counters,
-- and their percentiles differ by 1/128 at most.
CREATE FUNCTION pg_temp.difference(metric text, bucket text, zone text, by_what text, filters jsonb, anchor text)
RETURNS bigint
LANGUAGE sql
AS $$
	SELECT count(*)
	FROM support.report(metric, NULL, NULL, bucket, zone, by_what, filters, anchor) AS a
	FULL JOIN support.report(metric, NULL, NULL, bucket, zone, by_what, filters || '{"custom": {}}', anchor) AS b
		ON b.bucket_at = a.bucket_at
			AND b.bucket_end = a.bucket_end
			AND b.group_value IS NOT DISTINCT FROM a.group_value
	WHERE (a.n, a.average, a.group_name) IS DISTINCT FROM (b.n, b.average, b.group_name)
		OR (a.p99 IS NULL) <> (b.p99 IS NULL)
		OR abs(extract(epoch FROM a.p50 - b.p50)) > 0.5 + extract(epoch FROM b.p50) / 128
		OR abs(extract(epoch FROM a.p90 - b.p90)) > 0.5 + extract(epoch FROM b.p90) / 128
		OR abs(extract(epoch FROM a.p95 - b.p95)) > 0.5 + extract(epoch FROM b.p95) / 128
		OR abs(extract(epoch FROM a.p99 - b.p99)) > 0.5 + extract(epoch FROM b.p99) / 128
$$;
CREATE TEMPORARY VIEW compared AS
SELECT
	m.metric,
	g.by_what,
	f.filters,
	m.anchor,
	(ARRAY['day', 'week', 'month', NULL])[1 + (m.place + f.place) % 4] AS bucket,
	(ARRAY['UTC', 'Asia/Kathmandu', 'America/New_York'])[1 + (m.place + g.place) % 3] AS zone
FROM
(
	VALUES
		(1, 'created', 'event'), (2, 'solved', 'event'), (3, 'tickets_solved', 'event'), (4, 'still_solved', 'event'),
		(5, 'reopened', 'event'), (6, 'reopened_tickets', 'event'), (7, 'entered', 'event'), (8, 'replies', 'event'),
		(9, 'customer_comments', 'event'), (10, 'first_reply', 'event'), (11, 'first_reply', 'cohort'),
		(12, 'resolution', 'event'), (13, 'resolution', 'cohort'), (14, 'full_resolution', 'event'),
		(15, 'full_resolution', 'cohort'), (16, 'one_touch', 'event'), (17, 'two_touch', 'event'),
		(18, 'multi_touch', 'event'), (19, 'backlog', 'event'), (20, 'open', 'event'), (21, 'unassigned', 'event'),
		(22, 'waiting', 'event'), (23, 'unanswered', 'event')
) AS m (place, metric, anchor)
JOIN
(
	VALUES
		(1, NULL, NULL), (2, 'team', NULL), (3, 'assignee', NULL), (4, 'priority', NULL), (5, 'channel', NULL),
		(6, 'organization', NULL), (7, 'status', NULL), (8, 'tag', NULL), (9, 'user', 'solved'), (10, 'user', 'reopened'),
		(11, 'user', 'replies')
) AS g (place, by_what, only_of) ON g.only_of IS NULL OR g.only_of = m.metric
JOIN
(
	VALUES
		(1, NULL, '{}'::jsonb), (2, 'team', '{"team_id": [1, null]}'), (3, 'assignee', '{"assignee_id": 2}'),
		(4, 'priority', '{"priority": ["normal", "high"]}'), (5, 'channel', '{"channel": null}'),
		(6, 'organization', '{"organization_id": [1, 2]}'), (7, 'status', '{"status": ["open", "pending", "resolved"]}'),
		(8, 'user', '{"user_id": [1, 2]}')
) AS f (place, by_what, filters) ON f.by_what IS NULL OR coalesce(g.by_what, f.by_what) = f.by_what
WHERE f.by_what IS DISTINCT FROM 'user' OR m.metric = ANY (ARRAY['solved', 'reopened', 'replies']);
SELECT count(*) > 300 AS many FROM compared;
-- what the planner does not know it overrates, and has compiled at length
ANALYZE;
SELECT c.metric, c.by_what, c.filters, c.bucket, c.zone, d.lines
FROM compared AS c
CROSS JOIN LATERAL pg_temp.difference(c.metric, c.bucket, c.zone, c.by_what, c.filters, c.anchor) AS d (lines)
WHERE d.lines > 0;

-- A range that begins within a quarter hour is told by the rows.
SELECT n FROM support.report('created', '2026-03-01 00:00:00', '2026-03-10 00:00:00');
SELECT n FROM support.report('created', '2026-03-01 00:00:00', '2026-03-09 23:59:59');

-- Who may not read the tickets is told nothing; whom row security shows some of them is told of these.
-- Whoever is given it counts all tickets, and groups them by what he may read.
CREATE ROLE regress_report_clerk;
GRANT USAGE ON SCHEMA support TO regress_report_clerk;
GRANT EXECUTE ON FUNCTION support.report TO regress_report_clerk;
SET ROLE regress_report_clerk;
SELECT n FROM support.report('created');
RESET ROLE;
GRANT SELECT ON support.tickets, support.statuses, support.ticket_tags, support.tags, support.teams,
	support.organizations, support.users TO regress_report_clerk;
SET ROLE regress_report_clerk;
SELECT n FROM support.report('created');
SELECT n FROM support.report('solved');
RESET ROLE;
ALTER TABLE support.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_hardware ON support.tickets FOR SELECT TO regress_report_clerk USING (team_id = 1);
SET ROLE regress_report_clerk;
SELECT n FROM support.report('created');
SELECT n FROM support.report('created', group_by => 'team');
RESET ROLE;

-- What the views call refuses bad arguments as well, whoever calls it.
\set VERBOSITY default
SELECT support_internal.last_days(1, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support_internal.last_days(0);
\echo :LAST_ERROR_SQLSTATE
SELECT support_internal.last_days(NULL, 'day');
\echo :LAST_ERROR_SQLSTATE
SELECT support_internal.last_days(2147483647, 'day');
\echo :LAST_ERROR_SQLSTATE
SELECT support_internal.hours_of_week(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT support_internal.rolling_days(-7);
\echo :LAST_ERROR_SQLSTATE

-- What the desk reads with its longest statements can be run and explained: the functions are part of the query that names
-- them, and nothing is left in the plan of a report's filter that is not there.
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
	$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM support_internal.' || query; END $$;
SELECT
	q.call,
	bool_or(p.line ~ 'support_internal\.(report_|tickets_|group_|first_|is_|books|calendar_def|changes|signs|history|clocks)') AS is_called,
	bool_or(p.line ~ '@>') AS filters
FROM unnest(ARRAY
[
	$$report_tickets('{2026-01-01,2026-02-01}', 'first_reply', 'team', '{}')$$,
	$$report_changes('{2026-01-01,2026-02-01}', 'solved', 'tag', '{}')$$,
	$$report_comments('{2026-01-01,2026-02-01}', 'reply', NULL, '{}')$$,
	$$report_moves('{2026-01-01,2026-02-01}', NULL, '{}')$$,
	$$report_moves('{2026-01-01,2026-02-01}', NULL, '{"team_id": 1, "tag": "x"}')$$,
	$$report_log('{2026-01-01,2026-02-01}', 'action', '{}')$$,
	$$report_backlog('status_flow', 's', '{2026-01-01,2026-02-01}', false, NULL)$$,
	$$group_names('team', '{1,2}')$$,
	$$history_of_ticket(1, '-infinity', 'infinity', '{version}')$$,
	$$changes_to_undo(1, '2026-01-01')$$,
	$$signs_of_order(1, '2026-01-01')$$,
	$$clocks_at_risk('2026-01-01', '2026-01-02', 10, NULL)$$,
	$$calendar_definition(1)$$,
	$$books_of_ticket(1)$$,
	$$stat_differences$$
]) AS q (call)
CROSS JOIN LATERAL pg_temp.plan_of(q.call) AS p (line)
GROUP BY q.call
ORDER BY q.call COLLATE "C";

-- Whatever search_path is, and in a read-only transaction.
BEGIN READ ONLY;
SET LOCAL search_path = pg_temp;
SELECT n FROM support.report('created', filters => '{"team_id": 1}');
SELECT n FROM support.report('backlog', filters => '{"team_id": 1}');
COMMIT;

\c contrib_regression
DROP DATABASE regress_report;
DROP ROLE regress_report_clerk;
