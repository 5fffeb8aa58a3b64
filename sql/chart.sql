-- Numbers drawn with characters.

CREATE FUNCTION support.bar(
	value double precision,
	max_value double precision,
	width integer DEFAULT 20
)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_bar';
COMMENT ON FUNCTION support.bar(double precision, double precision, integer) IS
	'A bar, as wide as width characters where value is max_value or more, empty where it is zero or less; NULL where either is no number. 22023: bad width.';

CREATE FUNCTION support.heat(
	value double precision,
	max_value double precision
)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_heat';
COMMENT ON FUNCTION support.heat(double precision, double precision) IS
	'A shade of one character, the darker the nearer value is to max_value, blank where it is zero or less; NULL where either is no number.';

CREATE FUNCTION support_internal.sparkline_add(
	state internal,
	value double precision
)
RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_sparkline_add';
COMMENT ON FUNCTION support_internal.sparkline_add(internal, double precision) IS
	'Takes a number for support.sparkline(value).';
REVOKE ALL ON FUNCTION support_internal.sparkline_add(internal, double precision) FROM PUBLIC;

CREATE FUNCTION support_internal.sparkline_result(
	state internal
)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_sparkline_result';
COMMENT ON FUNCTION support_internal.sparkline_result(internal) IS
	'The finished line.';
REVOKE ALL ON FUNCTION support_internal.sparkline_result(internal) FROM PUBLIC;

CREATE AGGREGATE support.sparkline(
	value double precision
)
(
	SFUNC = support_internal.sparkline_add,
	STYPE = internal,
	FINALFUNC = support_internal.sparkline_result,
	PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE support.sparkline(double precision) IS
	'Numbers as a line of heights, a character each, in the order that the call says; a blank where there is no number. NULL without a row.';
