-- The desk at a glance.

CREATE FUNCTION support.dashboard()
RETURNS SETOF text
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_dashboard';
COMMENT ON FUNCTION support.dashboard() IS
	'What there is to do and how it goes, as at most 40 lines of 100 columns for a terminal.';

CREATE FUNCTION support.dashboard_html(
	title text DEFAULT 'Support desk',
	from_at timestamptz DEFAULT NULL,
	to_at timestamptz DEFAULT NULL,
	time_zone text DEFAULT NULL,
	first_day date DEFAULT NULL,
	last_day date DEFAULT NULL
)
RETURNS text
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_dashboard_html';
COMMENT ON FUNCTION support.dashboard_html(text, timestamptz, timestamptz, text, date, date) IS
	'The desk as a page of HTML with charts, complete in itself: what happened in a range of time, the last 90 days by default, or from the first to the last day of that zone, both included, and what there is to do now. 22023: no such range or time zone.';
