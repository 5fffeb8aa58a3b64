-- Adding up what changed: counters and what is not added up yet are the same sums, whatever lies where.
CREATE DATABASE regress_fold;
\c regress_fold
CREATE EXTENSION support_ext;
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
-- the planner overrates what functions return, and would have each comparison compiled
SET jit = off;

-- All rows that were ever written, and what they come to, in plain SQL.
CREATE TABLE written (LIKE support_internal.stat_deltas);
CREATE VIEW expanded AS
WITH measures (number, measure, dims) AS
(
	SELECT m.number - 1, m.measure, m.dims
	FROM ROWS FROM
	(
		unnest('{status_stock,open,unassigned,waiting,unanswered,tickets,first_reply,first_reply_cohort,resolution,resolution_cohort,full_resolution,full_resolution_cohort,one_touch,two_touch,multi_touch,reopened_tickets,status_flow,entered,solved,resolved_again,reopened,reply,customer_comment}'::text[]),
		unnest('{s,-tapcog,-tpco,-tap,-tapco,-tapcog,-tpc,-tp,-tpc,-tp,-tpc,-tp,-tapco,-tapco,-tapco,-tapco,s,s,-tapcou,-tapco,-tapcou,-u,-}'::text[])
	) WITH ORDINALITY AS m (measure, dims, number)
)
SELECT
	m.measure,
	d.dim,
	CASE d.dim
		WHEN 't' THEN coalesce(w.team_id::text, '')
		WHEN 'a' THEN coalesce(w.assignee_id::text, '')
		WHEN 'p' THEN coalesce(w.priority, 'normal')
		WHEN 'c' THEN coalesce(w.channel, '')
		WHEN 'o' THEN coalesce(w.organization_id::text, '')
		WHEN 's' THEN coalesce(w.status, '')
		WHEN 'g' THEN w.tag_id::text
		WHEN 'u' THEN coalesce(w.agent_id::text, '')
		ELSE ''
	END AS value,
	c.at,
	(CASE
		WHEN m.measure LIKE 'first_reply%' THEN greatest(floor(extract(epoch FROM w.first_replied_at - w.created_at)), 0)
		WHEN m.measure LIKE 'resolution%' THEN greatest(floor(extract(epoch FROM w.first_solved_at - w.created_at)), 0)
		WHEN m.measure LIKE 'full_resolution%' THEN greatest(floor(extract(epoch FROM w.solved_at - w.created_at)), 0)
		WHEN m.measure = 'status_flow' THEN floor(extract(epoch FROM w.at - '2000-01-01 00:00+00'::timestamptz))
		ELSE 0
	END)::bigint AS seconds,
	w.created_at AS solved_before,
	w.weight
FROM written AS w
JOIN measures AS m ON (w.measures >> m.number::integer) & 1 = 1
CROSS JOIN LATERAL regexp_split_to_table(m.dims, '') AS d (dim)
CROSS JOIN LATERAL
(
	SELECT CASE
		WHEN m.number <= 2 OR m.measure IN ('unanswered', 'tickets') OR m.measure LIKE '%\_cohort' THEN w.created_at
		WHEN m.measure = 'waiting' THEN w.waiting_since
		WHEN m.measure = 'first_reply' THEN w.first_replied_at
		WHEN m.measure = 'resolution' THEN w.first_solved_at
		WHEN m.measure = 'full_resolution' OR m.measure LIKE '%\_touch' OR m.measure = 'reopened_tickets' THEN w.solved_at
		ELSE w.at
	END
) AS c (at)
WHERE (w.tag_id IS NOT NULL) = (d.dim = 'g');
CREATE TABLE contributions AS SELECT * FROM expanded;
CREATE VIEW families AS
SELECT DISTINCT m.measure, d.dim
FROM unnest('{status_stock,open,unassigned,waiting,unanswered,tickets,first_reply,first_reply_cohort,resolution,resolution_cohort,full_resolution,full_resolution_cohort,one_touch,two_touch,multi_touch,reopened_tickets,status_flow,entered,solved,resolved_again,reopened,reply,customer_comment}'::text[],
	'{s,-tapcog,-tpco,-tap,-tapco,-tapcog,-tpc,-tp,-tpc,-tp,-tpc,-tp,-tapco,-tapco,-tapco,-tapco,s,s,-tapcou,-tapco,-tapcou,-u,-}'::text[]) AS m (measure, dims)
CROSS JOIN LATERAL regexp_split_to_table(m.dims, '') AS d (dim);

-- Every reader against the plain sums: what differs.
CREATE FUNCTION quarter_hour(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
	$$ SELECT date_bin('15 minutes', at, '2000-01-01 00:00+00') $$;
CREATE FUNCTION wrong_counts() RETURNS TABLE (measure text, dim text, value text, slot_at timestamptz, n bigint, seconds numeric)
LANGUAGE sql AS $$
	SELECT s.measure, s.dim, s.value, s.slot_at, sum(s.n)::bigint, sum(s.seconds)
	FROM
	(
		SELECT f.*, c.* FROM families AS f CROSS JOIN LATERAL support_internal.stat_counted(f.measure, f.dim) AS c
		UNION ALL
		SELECT e.measure, e.dim, e.value, quarter_hour(e.at), - e.weight, - e.weight * e.seconds FROM contributions AS e
	) AS s
	GROUP BY 1, 2, 3, 4
	HAVING sum(s.n) <> 0 OR sum(s.seconds) <> 0
$$;
CREATE FUNCTION wrong_series(bounds timestamptz[], named text DEFAULT '') RETURNS TABLE (measure text, dim text, value text, bucket integer, n numeric, seconds numeric)
LANGUAGE sql AS $$
	SELECT s.measure, s.dim, s.value, s.bucket, sum(s.n), sum(s.seconds)
	FROM
	(
		SELECT f.measure, f.dim, c.value, c.bucket, c.n, c.seconds
		FROM families AS f CROSS JOIN LATERAL support_internal.stat_series(f.measure, f.dim, bounds) AS c
		WHERE f.measure ~ named
		UNION ALL
		SELECT e.measure, e.dim, e.value, width_bucket(e.at, bounds), - e.weight, - e.weight * e.seconds
		FROM contributions AS e
		WHERE e.measure ~ named AND width_bucket(e.at, bounds) BETWEEN 1 AND cardinality(bounds) - 1
	) AS s
	GROUP BY 1, 2, 3, 4
	HAVING sum(s.n) <> 0 OR sum(s.seconds) <> 0
$$;
CREATE FUNCTION wrong_histograms(bounds timestamptz[]) RETURNS TABLE (measure text, dim text, value text, bucket integer)
LANGUAGE sql AS $$
	SELECT measure, dim, value, bucket
	FROM
	(
		SELECT f.measure, f.dim, c.value, c.bucket, c.histogram
		FROM families AS f
		CROSS JOIN LATERAL support_internal.stat_series(f.measure, f.dim, bounds, true) AS c
		WHERE f.measure ~ '(first_reply|resolution)'
	) AS kept
	FULL JOIN
	(
		SELECT
			c.measure, c.dim, c.value, width_bucket(c.at, bounds) AS bucket,
			support.histogram(c.seconds::double precision) FILTER (WHERE c.weight > 0) AS added,
			support.histogram(c.seconds::double precision) FILTER (WHERE c.weight < 0) AS taken_away
		FROM contributions AS c
		CROSS JOIN LATERAL generate_series(1, abs(c.weight))
		WHERE c.measure ~ '(first_reply|resolution)'
		GROUP BY 1, 2, 3, 4
	) AS e USING (measure, dim, value, bucket)
	WHERE coalesce(kept.histogram, e.taken_away)
		IS DISTINCT FROM coalesce(support.histogram_subtract(e.added, e.taken_away), e.added)
		AND (kept.histogram IS NOT NULL OR e.added IS DISTINCT FROM e.taken_away)
$$;
CREATE FUNCTION wrong_totals() RETURNS TABLE (measure text, dim text, value text, n numeric)
LANGUAGE sql AS $$
	SELECT s.measure, s.dim, s.value, sum(s.n)
	FROM
	(
		SELECT f.*, c.value, c.n FROM families AS f CROSS JOIN LATERAL support_internal.stat_totals(f.measure, f.dim) AS c
		UNION ALL
		SELECT e.measure, e.dim, e.value, - e.weight FROM contributions AS e
	) AS s
	GROUP BY 1, 2, 3
	HAVING sum(s.n) <> 0
$$;
CREATE FUNCTION wrong_oldest() RETURNS TABLE (measure text, dim text, value text, kept timestamptz, expected timestamptz)
LANGUAGE sql AS $$
	SELECT s.measure, s.dim, s.value, max(s.kept), max(s.expected)
	FROM
	(
		SELECT f.measure, f.dim, c.value, c.first_at AS kept, NULL::timestamptz AS expected
		FROM families AS f CROSS JOIN LATERAL support_internal.stat_oldest(f.measure, f.dim) AS c
		UNION ALL
		SELECT e.measure, e.dim, e.value, NULL, min(e.at)
		FROM
		(
			SELECT
				c.measure,
				c.dim,
				c.value,
				CASE WHEN c.measure = ANY ('{open,unanswered,waiting}') THEN c.at ELSE quarter_hour(c.at) END AS at
			FROM contributions AS c
			GROUP BY 1, 2, 3, 4 HAVING sum(c.weight) > 0
		) AS e
		GROUP BY 1, 2, 3
	) AS s
	GROUP BY 1, 2, 3
	HAVING max(s.kept) IS DISTINCT FROM max(s.expected)
$$;
CREATE FUNCTION wrong_distinct(bounds timestamptz[]) RETURNS TABLE (dim text, value text, bucket integer, tickets numeric)
LANGUAGE sql AS $$
	SELECT s.dim, s.value, s.bucket, sum(s.tickets)
	FROM
	(
		SELECT d.dim, c.value, c.bucket, c.tickets
		FROM unnest('{-,t,a,p,c,o}'::text[]) AS d (dim)
		CROSS JOIN LATERAL support_internal.stat_distinct('solved', d.dim, bounds) AS c
		UNION ALL
		SELECT e.dim, e.value, width_bucket(e.at, bounds), CASE e.measure WHEN 'solved' THEN - e.weight ELSE e.weight END
		FROM contributions AS e
		WHERE e.dim <> 'u'
			AND (e.measure = 'solved' OR e.measure = 'resolved_again'
				AND width_bucket(e.solved_before, bounds) = width_bucket(e.at, bounds))
			AND width_bucket(e.at, bounds) BETWEEN 1 AND cardinality(bounds) - 1
	) AS s
	GROUP BY 1, 2, 3
	HAVING sum(s.tickets) <> 0
$$;
CREATE FUNCTION days(zone text, n integer) RETURNS timestamptz[] LANGUAGE sql STABLE AS $$
	SELECT array_agg(('2026-01-20'::timestamp + make_interval(days => d)) AT TIME ZONE zone ORDER BY d) FROM generate_series(0, n) AS d
$$;
-- Up to eight ranges of like length, from a quarter hour to some weeks, that begin at any time
CREATE FUNCTION any_bounds(seed integer) RETURNS timestamptz[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(b.begins + b.quarters * '15 minutes'::interval ORDER BY b.n)
	FROM
	(
		SELECT
			n,
			'2025-11-01 00:00+00'::timestamptz + abs(hashint4(seed)) % 12000 * '15 minutes'::interval AS begins,
			sum(abs(hashint4(seed * 10 + n)) % ('{4,100,700,2000,4000}'::integer[])[1 + seed % 5]) OVER (ORDER BY n) AS quarters
		FROM generate_series(0, 1 + abs(hashint4(- seed)) % 8) AS n
	) AS b
$$;
-- Some instants at which tickets were opened, and those right after them; and two within one quarter hour
CREATE FUNCTION any_instants(seed integer) RETURNS timestamptz[] LANGUAGE sql STABLE AS $$
	SELECT array_agg(b.at ORDER BY b.at)
	FROM
	(
		SELECT c.at + m * '1 microsecond'::interval AS at
		FROM (SELECT e.at FROM contributions AS e WHERE e.measure = 'open' ORDER BY md5(e.at::text || seed) LIMIT 4) AS c
		CROSS JOIN generate_series(0, 1) AS m
		UNION ALL
		SELECT unnest('{-infinity,2026-02-01 00:07:03.5+00,2026-02-01 00:07:04+00,2026-03-01 00:00+00}'::timestamptz[])
	) AS b
$$;
-- Each time other ranges; SUPPORT_EXT_TEST_SEED says from which on
\set seed 1
\getenv seed SUPPORT_EXT_TEST_SEED
CREATE SEQUENCE seeds START :seed;
CREATE FUNCTION wrong() RETURNS TABLE (reader text, differences bigint) LANGUAGE sql AS $$
	TRUNCATE contributions;
	INSERT INTO contributions SELECT * FROM expanded;
	SELECT 'counted', count(*) FROM wrong_counts()
	UNION ALL SELECT 'all times', count(*) FROM wrong_series('{-infinity,infinity}')
	UNION ALL SELECT 'days of Kathmandu', count(*) FROM wrong_series(days('Asia/Kathmandu', 90))
	UNION ALL SELECT 'days of Auckland and before', count(*) FROM wrong_series('-infinity'::timestamptz || days('Pacific/Auckland', 90))
	UNION ALL SELECT 'days of UTC and after', count(*) FROM wrong_series(days('UTC', 90) || 'infinity'::timestamptz)
	UNION ALL SELECT 'uneven', count(*) FROM wrong_series('{1999-12-31 23:45+00,2000-01-01 00:00+00,2025-12-25 00:15+00,2025-12-25 00:15+00,2026-01-14 00:00+00,2026-03-19 00:00+00,2026-03-19 00:30+00,2026-04-02 13:15+00}')
	UNION ALL SELECT 'histograms', count(*) FROM wrong_histograms('{-infinity,2025-06-01 05:45+00,2026-02-01 18:15+00,2026-03-01 00:00+00,infinity}')
	UNION ALL SELECT 'any', count(*) FROM (SELECT any_bounds(nextval('seeds')::integer) AS bounds FROM generate_series(1, 8) OFFSET 0) AS b CROSS JOIN LATERAL wrong_series(b.bounds)
	UNION ALL SELECT 'instants', count(*) FROM (SELECT any_instants(seed) AS bounds FROM generate_series(1, 5) AS seed OFFSET 0) AS b CROSS JOIN LATERAL wrong_series(b.bounds, '^(open|waiting|unanswered)$')
	UNION ALL SELECT 'totals', count(*) FROM wrong_totals()
	UNION ALL SELECT 'oldest', count(*) FROM wrong_oldest()
	UNION ALL SELECT 'distinct', count(*) FROM wrong_distinct('{-infinity,2025-06-01 05:45+00,2026-02-01 18:15+00,2026-03-01 00:00+00,infinity}')
	UNION ALL SELECT 'distinct days', count(*) FROM wrong_distinct(days('Asia/Kathmandu', 90))
$$;

-- Rows of every measure, from before the year 2000 to after today; each set is the opposite of part of the one before.
CREATE FUNCTION write(seed integer, n integer, weight integer) RETURNS void LANGUAGE sql AS $$
	WITH rows AS
	(
		INSERT INTO written
		SELECT
			weight,
			CASE r.d % 7 WHEN 0 THEN 34 WHEN 1 THEN (1 << 19) | (1 << 18) ELSE r.b % (1 << 23) END,
			r.at + make_interval(secs => r.c),
			(ARRAY['open', 'pending', 'resolved', 'Größe', NULL])[1 + r.a % 5],
			(ARRAY['low', 'urgent', NULL])[1 + r.b % 3],
			(ARRAY['email', 'a "very" long channel ' || repeat('x', 300), 'a "very" long channel ' || repeat('x', 299), NULL])[1 + r.c % 4],
			nullif(r.a % 4, 0), nullif(r.b % 6, 0) - 3, CASE r.c % 3 WHEN 0 THEN NULL WHEN 1 THEN 9223372036854775807 ELSE r.b END, nullif(r.d % 5, 0),
			CASE WHEN r.d % 7 = 0 THEN r.a % 9 END,
			r.at, r.at + make_interval(secs => r.a), r.at + make_interval(secs => r.b % 5000000), r.at + make_interval(secs => r.c - 1000.5),
			r.at - make_interval(secs => r.d)
		FROM
		(
			SELECT
				abs(hashint4(g)) % 1000000 AS a, abs(hashint4(g + 1000000)) AS b, abs(hashint4(g + 2000000)) % 3000000 AS c, abs(hashint4(g + 3000000)) % 100000 AS d,
				CASE WHEN g % 50 = 0 THEN '1999-12-31 12:00+00' WHEN g % 3 = 0 THEN '2024-06-01 00:00+00' ELSE '2026-01-10 00:00+00'::timestamptz END
					+ make_interval(secs => abs(hashint4(g + 4000000)) % 9000000) AS at
			FROM generate_series(seed, seed + n - 1) AS g
		) AS r
		RETURNING *
	)
	INSERT INTO support_internal.stat_deltas SELECT * FROM rows
$$;

-- Nothing is counted at first, and there is nothing to fold.
SELECT * FROM wrong();
SELECT support.fold_stats();

-- Not folded, folded in one piece, in many, with the opposite of what there is, and down to nothing.
SELECT write(1, 300, 1);
SELECT * FROM wrong() WHERE differences > 0;
SELECT support.fold_stats();
SELECT count(*) FROM support_internal.stat_deltas;
SELECT * FROM wrong() WHERE differences > 0;
SELECT write(301, 200, 2), write(1, 150, -1);
SELECT * FROM wrong() WHERE differences > 0;
SELECT support.fold_stats();
SELECT * FROM wrong() WHERE differences > 0;
DO $$
BEGIN
	FOR i IN 1 .. 30 LOOP
		PERFORM write(1000 + i * 10, 10, 1), support.fold_stats();
	END LOOP;
END $$;
SELECT * FROM wrong() WHERE differences > 0;
SELECT max(rows) < 12 AS few_rows_in_a_part, sum(rows) > 1000 AS many_in_all
FROM (SELECT count(*) AS rows FROM support_internal.stat_counters GROUP BY measure, dim, level, part) AS p;
SELECT write(151, 150, -1), write(301, 200, -2), write(1010, 300, -1);
SELECT * FROM wrong() WHERE differences > 0;
SELECT support.fold_stats();
SELECT * FROM wrong();
SELECT count(*) FROM families AS f CROSS JOIN LATERAL support_internal.stat_counted(f.measure, f.dim);
SELECT support.fold_stats();
-- nothing is left, so that it need not be compared any more
TRUNCATE written;

-- A transaction sees what it has folded itself, and a savepoint takes that back.
SELECT write(5000, 100, 1);
BEGIN;
SELECT support.fold_stats();
SELECT write(5100, 50, 1);
SELECT * FROM wrong() WHERE differences > 0;
SAVEPOINT s;
SELECT support.fold_stats();
SELECT * FROM wrong() WHERE differences > 0;
ROLLBACK TO s;
SELECT * FROM wrong() WHERE differences > 0;
SELECT count(*) FROM support_internal.stat_deltas;
ROLLBACK;
SELECT * FROM wrong() WHERE differences > 0;
SELECT count(*) FROM support_internal.stat_deltas;

-- Not where the transaction may not see what others folded, nor where it must not write.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT support.fold_stats();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT support.fold_stats();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- What the readers refuse.
SELECT * FROM support_internal.stat_series('solves', '-', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support_internal.stat_series('solved', 'g', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support_internal.stat_series(NULL, '-', '{}');
SELECT * FROM support_internal.stat_series('solved', NULL, '{}');
SELECT * FROM support_internal.stat_series('solved', '-', NULL);
SELECT * FROM support_internal.stat_series('solved', '-', '{2026-01-01,NULL}');
SELECT * FROM support_internal.stat_series('solved', '-', '{{2026-01-01},{2026-01-02}}');
SELECT * FROM support_internal.stat_series('solved', '-', '{2026-01-02,2026-01-01}');
SELECT * FROM support_internal.stat_series('solved', '-', '{2026-01-01 00:10+00,2026-01-02}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support_internal.stat_distinct('reopened', '-', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM support_internal.stat_distinct('solved', 'u', '{}');
SELECT * FROM support_internal.stat_series('solved', '-', '{}');
SELECT * FROM support_internal.stat_series('solved', '-', '{2026-01-01}');

-- Counters that cannot be read are told, and what others put on the tables is not passed over.
BEGIN;
SELECT support.fold_stats();
UPDATE support_internal.stat_counters SET cells = substr(cells, 1, 3) || '\xffffffffffffffffffffff';
SELECT * FROM support_internal.stat_totals('tickets', '-');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
ALTER TABLE support_internal.stat_counters ADD COLUMN note text NOT NULL DEFAULT '';
SELECT support.fold_stats();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
DROP INDEX support_internal.ix_stat_counters_part;
SELECT support.fold_stats();
SELECT * FROM wrong() WHERE differences > 0;
ROLLBACK;
-- Another index of that name is not used. What is not our table is refused, and so is what we cannot have written.
BEGIN;
DROP INDEX support_internal.ix_stat_counters_part;
CREATE INDEX ix_stat_counters_part ON support_internal.stat_counters (part);
SELECT * FROM wrong() WHERE differences > 0;
ROLLBACK;
BEGIN;
ALTER TABLE support_internal.stat_deltas RENAME TO stat_changes;
CREATE VIEW support_internal.stat_deltas AS SELECT * FROM support_internal.stat_changes;
SELECT * FROM support_internal.stat_totals('tickets', '-');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
ALTER TABLE support_internal.stat_deltas ALTER COLUMN status TYPE bigint USING 1;
SELECT * FROM support_internal.stat_totals('tickets', '-');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
INSERT INTO support_internal.stat_values VALUES (-1, 'odd');
SELECT * FROM support_internal.stat_totals('tickets', '-');
ROLLBACK;
BEGIN;
INSERT INTO support_internal.stat_counters VALUES (6, '-', 3, 0, 1, '\x0101020080808080087e00');
SELECT value, n FROM support_internal.stat_series('first_reply', '-', '{-infinity,infinity}', true);
ROLLBACK;

SELECT support.fold_stats();
SELECT * FROM wrong() WHERE differences > 0;

\c postgres
DROP DATABASE regress_fold;
