-- Histograms of durations: percentiles within 1/128, which can be added up and taken away again.
\pset null '(null)'
\set SHOW_CONTEXT never

SELECT support.percentile(support.histogram(s), 0.5) AS p50, support.percentile(support.histogram(s), 0.9) AS p90,
	support.histogram_count(support.histogram(s)) AS n
FROM generate_series(1, 100) AS s;
-- Below 128 seconds every second has a bucket of its own; above it is the middle of a bucket that is told.
SELECT s AS seconds, support.percentile(support.histogram(s), 0.5) AS told
FROM unnest('{0,0.99,1,63,64,127,128,129,1000,3600,86400,604800,31536000,-5}'::float8[]) AS s
GROUP BY s
ORDER BY s;
-- The greatest that has a bucket, and the form of the bytea: a version, and for each bucket how many empty ones lie
-- before it, and a count.
SELECT support.percentile(support.histogram(9223372036854774784), 1) AS greatest;
SELECT support.histogram(s) FROM unnest('{1,1,1,200}'::float8[]) AS s;

-- Random durations of several kinds: never off by more than 1/128 from what percentile_disc() finds.
\set seed 1
\getenv seed SUPPORT_EXT_TEST_SEED
SELECT setseed(sin(:seed));
CREATE TEMPORARY TABLE durations AS
SELECT kind, n, CASE kind
	WHEN 'even' THEN random() * 1e6
	WHEN 'exponential' THEN -ln(1 - random()) * 20000
	WHEN 'wide' THEN exp(random() * 40)
	WHEN 'two heaps' THEN CASE WHEN random() < 0.5 THEN 30 + random() * 60 ELSE 86400 + random() * 3600 END
	WHEN 'one value' THEN 12345
	ELSE floor(random() * 300) END AS seconds
FROM unnest('{even,exponential,wide,two heaps,one value,short}'::text[]) AS k (kind)
CROSS JOIN generate_series(1, 3000) AS n;
WITH fractions AS (SELECT i / 200.0 AS fraction FROM generate_series(0, 200) AS i),
histograms AS (SELECT kind, support.histogram(seconds) AS histogram FROM durations GROUP BY kind),
exact AS
(
	SELECT kind, percentile_disc(array_agg) WITHIN GROUP (ORDER BY floor(seconds)) AS exact, array_agg AS fractions
	FROM durations
	CROSS JOIN (SELECT array_agg(fraction::float8 ORDER BY fraction) FROM fractions) AS f
	GROUP BY kind, array_agg
)
SELECT
	h.kind,
	count(*) AS percentiles,
	count(*) FILTER (WHERE abs(support.percentile(h.histogram, u.fraction) - u.exact) > u.exact / 128) AS wrong,
	support.histogram_count(h.histogram) AS n
FROM histograms AS h
JOIN exact AS e ON e.kind = h.kind
CROSS JOIN LATERAL unnest(e.fractions, e.exact) AS u (fraction, exact)
GROUP BY h.kind, h.histogram
ORDER BY h.kind;

-- The parts make the whole, in any order, and what is taken away is gone: the bytes are the same.
WITH parts AS (SELECT kind, n % 7 AS part, support.histogram(seconds) AS h FROM durations GROUP BY kind, n % 7),
whole AS (SELECT kind, support.histogram(seconds) AS h FROM durations GROUP BY kind),
rest AS (SELECT kind, support.histogram(seconds) AS h FROM durations WHERE n % 7 <> 3 GROUP BY kind)
SELECT
	w.kind,
	(SELECT support.histogram_merge(p.h ORDER BY p.part DESC) FROM parts AS p WHERE p.kind = w.kind) = w.h AS merged,
	support.histogram_subtract(w.h, p.h) = r.h AS taken_away,
	support.histogram_subtract(w.h, w.h) AS nothing
FROM whole AS w
JOIN rest AS r ON r.kind = w.kind
JOIN parts AS p ON p.kind = w.kind AND p.part = 3
ORDER BY w.kind;

-- In a window that moves on, and in parallel.
WITH m AS
(
	SELECT n, seconds,
		support.histogram(seconds) OVER w AS moving,
		support.histogram_merge(h) OVER w AS merging
	FROM durations
	JOIN (SELECT n, support.histogram(seconds) AS h FROM durations WHERE kind = 'wide' GROUP BY n) AS x USING (n)
	WHERE kind = 'wide' AND n <= 200
	WINDOW w AS (ORDER BY n ROWS BETWEEN 9 PRECEDING AND CURRENT ROW)
)
SELECT count(*) AS frames, count(*) FILTER (WHERE moving IS DISTINCT FROM again.h) AS wrong,
	count(*) FILTER (WHERE merging IS DISTINCT FROM again.h) AS wrong_merged
FROM m
CROSS JOIN LATERAL
	(
		SELECT support.histogram(d.seconds) AS h
		FROM durations AS d
		WHERE d.kind = 'wide' AND d.n BETWEEN m.n - 9 AND m.n
	) AS again;
CREATE TABLE public.many_durations AS SELECT * FROM durations;
ALTER TABLE public.many_durations SET (parallel_workers = 2);
SELECT support.histogram(seconds) AS one FROM public.many_durations \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS off) SELECT support.histogram(seconds) FROM public.many_durations;
SELECT support.histogram(seconds) = :'one' AS same FROM public.many_durations;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE public.many_durations;

-- NULL is no duration; nothing has no histogram, and an empty one no percentile.
SELECT support.histogram(NULL), support.histogram_merge(NULL), support.percentile(NULL, 0.5), support.percentile('\x01', NULL),
	support.percentile('\x01', 0.5), support.histogram_count('\x01'), support.histogram_count(NULL),
	support.histogram_subtract(NULL, '\x01'), support.histogram_merge('\x01');
SELECT support.histogram(s) FROM unnest('{NULL,7,NULL}'::float8[]) AS s;
SELECT support.histogram(s) FILTER (WHERE false) FROM unnest('{7}'::float8[]) AS s;

-- Refused: what is not finite or too long, and fractions that are none.
SELECT support.histogram('NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT support.histogram('Infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT support.histogram('-Infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT support.histogram(9223372036854775808);
\echo :LAST_ERROR_SQLSTATE
SELECT support.percentile(support.histogram(1), 1.5);
\echo :LAST_ERROR_SQLSTATE
SELECT support.percentile(support.histogram(1), -0.001);
\echo :LAST_ERROR_SQLSTATE
SELECT support.percentile(support.histogram(1), 'NaN');
\echo :LAST_ERROR_SQLSTATE
-- What was not there cannot be taken away.
SELECT support.histogram_subtract(support.histogram(200), support.histogram(100));
\echo :LAST_ERROR_SQLSTATE
WITH h AS (SELECT support.histogram(s) AS two FROM unnest('{200,200}'::float8[]) AS s)
SELECT support.histogram_subtract('\x01a40102', two) FROM h;
\echo :LAST_ERROR_SQLSTATE
-- Bytes that are no histogram: none, another version, an end within a number, a bucket without a count, a count of
-- zero, a negative one, a bucket that does not exist, a number that is not in its shortest form or too long.
CREATE FUNCTION pg_temp.refusal_of(histogram bytea)
RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN support.histogram_count(histogram)::text;
EXCEPTION WHEN OTHERS THEN
	RETURN concat(SQLSTATE, ' ', SQLERRM);
END
$$;
SELECT h, pg_temp.refusal_of(h)
FROM unnest('{"\\x","\\x00","\\x02","\\x0180","\\x0101","\\x010180","\\x010100","\\x010101","\\x01ff1c02","\\x01801d02",
	"\\x010180800002","\\x018002","\\x01ffffffffffffffffff0102","\\x01ffffffffffffffffff0302","\\x01000200020002ff"}'::bytea[]) AS h;
-- The last bucket, and counts whose sum is beyond a bigint.
SELECT pg_temp.refusal_of('\x01ff1c02'), pg_temp.refusal_of('\x01fe1c02');
SELECT pg_temp.refusal_of('\x0100feffffffffffffffff01'), pg_temp.refusal_of('\x0100feffffffffffffffff010002');
SELECT support.histogram_merge(h) FROM unnest('{"\\x0100feffffffffffffffff01","\\x010002"}'::bytea[]) AS h;
\echo :LAST_ERROR_SQLSTATE
SELECT support.histogram_subtract(NULL, 'not one');
SELECT support.histogram_merge('not one');
\echo :LAST_ERROR_SQLSTATE
-- Every byte string of up to two bytes behind the version, and random ones, are counted or refused, nothing else.
SELECT count(*) AS tried, bool_and(pg_temp.refusal_of(h) ~ '^(\d+$|22023 |22003 )') AS ok
FROM
	(
		SELECT '\x01'::bytea || decode(lpad(to_hex(i), 4, '0'), 'hex') FROM generate_series(0, 65535, 7) AS i
		UNION ALL
		SELECT '\x01'::bytea || decode(md5(i::text), 'hex') FROM generate_series(1, 2000) AS i
	) AS r (h);
