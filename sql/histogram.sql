-- Percentiles of durations that can be added up.

CREATE FUNCTION support_internal.histogram_add(
	state internal,
	seconds double precision
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_add';
COMMENT ON FUNCTION support_internal.histogram_add(internal, double precision) IS
	'Counts a duration for support.histogram(seconds).';
REVOKE ALL ON FUNCTION support_internal.histogram_add(internal, double precision) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_remove(
	state internal,
	seconds double precision
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_remove';
COMMENT ON FUNCTION support_internal.histogram_remove(internal, double precision) IS
	'Takes a duration away again, for a window that moves on.';
REVOKE ALL ON FUNCTION support_internal.histogram_remove(internal, double precision) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_merge_add(
	state internal,
	histogram bytea
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_merge_add';
COMMENT ON FUNCTION support_internal.histogram_merge_add(internal, bytea) IS
	'Adds a histogram for support.histogram_merge(histogram).';
REVOKE ALL ON FUNCTION support_internal.histogram_merge_add(internal, bytea) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_merge_remove(
	state internal,
	histogram bytea
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_merge_remove';
COMMENT ON FUNCTION support_internal.histogram_merge_remove(internal, bytea) IS
	'Takes a histogram away again, for a window that moves on.';
REVOKE ALL ON FUNCTION support_internal.histogram_merge_remove(internal, bytea) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_combine(
	state internal,
	other internal
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_combine';
COMMENT ON FUNCTION support_internal.histogram_combine(internal, internal) IS
	'Adds up what two parallel workers have counted.';
REVOKE ALL ON FUNCTION support_internal.histogram_combine(internal, internal) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_serialize(
	state internal
)
RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_serialize';
COMMENT ON FUNCTION support_internal.histogram_serialize(internal) IS
	'What a parallel worker has counted, on its way to the leader.';
REVOKE ALL ON FUNCTION support_internal.histogram_serialize(internal) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_deserialize(
	serialized bytea,
	state internal
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_deserialize';
COMMENT ON FUNCTION support_internal.histogram_deserialize(bytea, internal) IS
	'What a parallel worker has counted, back in memory.';
REVOKE ALL ON FUNCTION support_internal.histogram_deserialize(bytea, internal) FROM PUBLIC;

CREATE FUNCTION support_internal.histogram_result(
	state internal
)
RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_result';
COMMENT ON FUNCTION support_internal.histogram_result(internal) IS
	'The finished histogram.';
REVOKE ALL ON FUNCTION support_internal.histogram_result(internal) FROM PUBLIC;

CREATE AGGREGATE support.histogram(
	seconds double precision
)
(
	SFUNC = support_internal.histogram_add,
	STYPE = internal,
	FINALFUNC = support_internal.histogram_result,
	COMBINEFUNC = support_internal.histogram_combine,
	SERIALFUNC = support_internal.histogram_serialize,
	DESERIALFUNC = support_internal.histogram_deserialize,
	MSFUNC = support_internal.histogram_add,
	MINVFUNC = support_internal.histogram_remove,
	MSTYPE = internal,
	MFINALFUNC = support_internal.histogram_result,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE support.histogram(double precision) IS
	'Durations in seconds as a histogram, from which percentile() tells percentiles within 1/128; NULL if there are none. Fractions of a second are dropped, what is below zero counts as zero. 22023: not finite.';

CREATE AGGREGATE support.histogram_merge(
	histogram bytea
)
(
	SFUNC = support_internal.histogram_merge_add,
	STYPE = internal,
	FINALFUNC = support_internal.histogram_result,
	COMBINEFUNC = support_internal.histogram_combine,
	SERIALFUNC = support_internal.histogram_serialize,
	DESERIALFUNC = support_internal.histogram_deserialize,
	MSFUNC = support_internal.histogram_merge_add,
	MINVFUNC = support_internal.histogram_merge_remove,
	MSTYPE = internal,
	MFINALFUNC = support_internal.histogram_result,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE support.histogram_merge(bytea) IS
	'The histogram of all durations that several histograms count; NULL if there are none. 22023: not a histogram.';

CREATE FUNCTION support.histogram_subtract(
	minuend bytea,
	subtrahend bytea
)
RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_subtract';
COMMENT ON FUNCTION support.histogram_subtract(bytea, bytea) IS
	'The histogram of what the minuend counts and the subtrahend does not; NULL if either is. 22023: not a histogram, or the subtrahend counts what the minuend does not.';

CREATE FUNCTION support.histogram_count(
	histogram bytea
)
RETURNS bigint
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_histogram_count';
COMMENT ON FUNCTION support.histogram_count(bytea) IS
	'How many durations a histogram counts. 22023: not a histogram.';

CREATE FUNCTION support.percentile(
	histogram bytea,
	fraction double precision
)
RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_percentile';
COMMENT ON FUNCTION support.percentile(bytea, double precision) IS
	'A percentile of the durations that a histogram counts, in seconds, within 1/128 of what percentile_disc() says: 0.5 is the median. NULL if it counts none. 22023: not a histogram, or a fraction that is not between 0 and 1.';

CREATE FUNCTION support_internal.percentiles(
	histogram bytea
)
RETURNS double precision[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_percentiles';
COMMENT ON FUNCTION support_internal.percentiles(bytea) IS
	'The percentiles that reports show, as percentile() tells them: 50, 90, 95 and 99.';
