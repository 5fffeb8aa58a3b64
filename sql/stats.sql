-- What the reports count.

CREATE FUNCTION support.fold_stats(
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_fold_stats';
COMMENT ON FUNCTION support.fold_stats(bigint) IS
	'Adds up what changed since this was last done, and returns how many rows that were. Reports are exact without it, and faster after it. 25001: in a REPEATABLE READ or SERIALIZABLE transaction.';
REVOKE ALL ON FUNCTION support.fold_stats(bigint) FROM PUBLIC;

CREATE FUNCTION support_internal.is_solved(category text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(category = ANY (ARRAY['solved', 'closed']), false);
COMMENT ON FUNCTION support_internal.is_solved(text) IS 'Whether a ticket in a status of this category counts as solved; NULL, of a status that is gone, does not.';

CREATE FUNCTION support_internal.measure_bits(VARIADIC measures text[])
RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_measure_bits';
COMMENT ON FUNCTION support_internal.measure_bits(text[]) IS
	'Measures as the column measures of support_internal.stat_deltas has them: a bit for each. 22023: no such measure.';

CREATE FUNCTION support_internal.stat_dimensions()
RETURNS TABLE
(
	measure text,
	dimension text
)
LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 100
AS 'MODULE_PATHNAME', 'support_stat_dimensions';
COMMENT ON FUNCTION support_internal.stat_dimensions() IS 'Each measure with the letter of each dimension that it is counted by.';

CREATE FUNCTION support_internal.stat_series(
	measure text,
	dim text,
	bounds timestamptz[],
	with_histogram boolean DEFAULT false,
	places integer[] DEFAULT NULL
)
RETURNS TABLE
(
	value text,
	bucket integer,
	n bigint,
	seconds numeric,
	histogram bytea
)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'support_stat_series';
COMMENT ON FUNCTION support_internal.stat_series(text, text, timestamptz[], boolean, integer[]) IS
	'What a measure counted, by the values of a dimension, between each bound and the next; only what is not empty. Bounds ascend and are quarter hours, -infinity or infinity, for open, unanswered and waiting any instants: 22023 else. Given places, the buckets of the same place are added up, and it is their number.';

CREATE FUNCTION support_internal.stat_moves(
	bounds timestamptz[],
	solved text[]
)
RETURNS TABLE
(
	bucket integer,
	created bigint,
	solved_events bigint,
	reopened bigint,
	opened bigint,
	unsolved bigint
)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'support_stat_moves';
COMMENT ON FUNCTION support_internal.stat_moves(timestamptz[], text[]) IS
	'What came in and went out between each bound and the next: tickets created, solve events, reopen events, and by how many the tickets became more whose status is none of those given, also summed up from the first bucket on. A row for each, also where nothing happened; none for NULL. The bounds are as those of stat_series().';

CREATE FUNCTION support_internal.stat_totals(
	measure text,
	dim text
)
RETURNS TABLE
(
	value text,
	n bigint
)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'support_stat_totals';
COMMENT ON FUNCTION support_internal.stat_totals(text, text) IS
	'What a measure counted at all times, by the values of a dimension.';

CREATE FUNCTION support_internal.stat_oldest(
	measure text,
	dim text
)
RETURNS TABLE
(
	value text,
	first_at timestamptz
)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'support_stat_oldest';
COMMENT ON FUNCTION support_internal.stat_oldest(text, text) IS
	'The first quarter hour in which a measure counted something, by the values of a dimension; for open, unanswered and waiting the first instant.';

CREATE FUNCTION support_internal.stat_distinct(
	measure text,
	dim text,
	bounds timestamptz[]
)
RETURNS TABLE
(
	value text,
	bucket integer,
	tickets bigint
)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'support_stat_distinct';
COMMENT ON FUNCTION support_internal.stat_distinct(text, text, timestamptz[]) IS
	'How many tickets were solved between each bound and the next, each ticket once, by the values of a dimension. The bounds are as those of stat_series().';

CREATE FUNCTION support_internal.stat_counted(
	measure text,
	dim text
)
RETURNS TABLE
(
	value text,
	slot_at timestamptz,
	n bigint,
	seconds numeric
)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10000
AS 'MODULE_PATHNAME', 'support_stat_counted';
COMMENT ON FUNCTION support_internal.stat_counted(text, text) IS
	'All that a measure counted, by the values of a dimension and by quarter hour.';
