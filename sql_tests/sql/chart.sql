-- Numbers drawn with characters: bars, lines of heights, shades.
\pset null '(null)'
\set SHOW_CONTEXT never
SET client_encoding = 'UTF8';

CREATE TEMPORARY TABLE samples AS
SELECT * FROM unnest('{0,0.001,1,5,12.5,25,50,99,99.9,100,101,-3,NULL,NaN,Infinity,-Infinity}'::float8[])
	WITH ORDINALITY AS s (value, n);

SELECT value, support.bar(value, 100), support.bar(value, 100, 5) AS narrow, support.heat(value, 100)
FROM samples
ORDER BY n;
SELECT support.sparkline(value ORDER BY n) FROM samples;
SELECT support.sparkline(d) FROM generate_series(0, 7) AS d;

-- A maximum that is none: what is above zero is above it.
SELECT m AS max_value, support.bar(0, m, 4) AS zero, support.bar(1, m, 4) AS one, support.heat(0, m), support.heat(1, m)
FROM unnest('{0,-1,-Infinity,Infinity,NaN,NULL}'::float8[]) AS m;
SELECT support.bar('Infinity', 'Infinity', 3) AS both, support.bar('-Infinity', '-Infinity', 3) AS neither;
-- A bar is never wider than asked for, and as wide for the maximum.
SELECT count(*) AS bars, bool_and(length(support.bar(v, 77, w)) BETWEEN sign(v) AND w) AS fit,
	bool_and(length(support.bar(77, 77, w)) = w) AS full
FROM generate_series(0, 80) AS v
CROSS JOIN generate_series(1, 40) AS w;
SELECT support.bar(1, 2, NULL) = support.bar(1, 2) AS default_width, length(support.bar(1, 1, 1000)) AS widest;

-- Heights begin at zero, or at the least value if that is below; all the same is level; each value has a character.
SELECT support.sparkline(v) FROM unnest('{4,5,6,7}'::float8[]) AS v;
SELECT support.sparkline(v) FROM unnest('{-3,-2,-1,0,1,2,3}'::float8[]) AS v;
SELECT support.sparkline(v) AS zeros FROM unnest('{0,0,0}'::float8[]) AS v;
SELECT support.sparkline(v) AS sevens FROM unnest('{7,7,7}'::float8[]) AS v;
SELECT support.sparkline(v) AS extremes FROM unnest('{-1.7e308,0,1.7e308}'::float8[]) AS v;
SELECT '[' || support.sparkline(v) || ']' AS gaps FROM unnest('{NULL,1,NaN,2,NULL}'::float8[]) AS v;
SELECT '[' || support.sparkline(v) || ']' AS gap FROM unnest('{NULL}'::float8[]) AS v;
SELECT support.sparkline(v) AS no_row FROM unnest('{}'::float8[]) AS v;
SELECT length(support.sparkline(v)) AS length FROM generate_series(1, 5000) AS v;
-- By group, and over a window that grows.
SELECT v % 2 AS odd, support.sparkline(v ORDER BY v DESC) FROM generate_series(1, 16) AS v GROUP BY v % 2 ORDER BY 1;
SELECT v, support.sparkline(v) OVER (ORDER BY v) FROM generate_series(1, 4) AS v;

-- ASCII because the setting says so, or because the client knows no more.
SET support_ext.ascii = on;
SELECT value, support.bar(value, 100), support.heat(value, 100) FROM samples ORDER BY n;
SELECT support.sparkline(d) FROM generate_series(0, 7) AS d;
RESET support_ext.ascii;
SET client_encoding = 'LATIN1';
SELECT support.bar(3, 4, 4), support.heat(3, 4), support.sparkline(v) FROM generate_series(1, 4) AS v;
RESET client_encoding;

-- Refused: a width that nobody can want.
SELECT support.bar(1, 2, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT support.bar(1, 2, -1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.bar(1, 2, 1001);
\echo :LAST_ERROR_SQLSTATE
