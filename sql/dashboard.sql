-- The desk at a glance.

CREATE FUNCTION support.dashboard(
	width integer DEFAULT 80
)
RETURNS SETOF text
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_dashboard';
COMMENT ON FUNCTION support.dashboard(integer) IS
	'What there is to do first, how much, and how it goes, as at most 45 lines for a terminal that is so many columns wide: 80 at least, 200 at most.';

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
	'The desk as a page of HTML with charts, complete in itself: what there is to do now, and what happened in a range of time, the last 90 days by default, or from the first to the last day of that zone, both included, beside as long a time before it. 22023: no such range or time zone.';
