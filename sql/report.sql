-- Reports.

CREATE FUNCTION support_internal.quarter_hour(at_time timestamptz)
RETURNS timestamptz
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_quarter_hour';
COMMENT ON FUNCTION support_internal.quarter_hour(timestamptz) IS 'When the quarter hour that an instant lies in began.';

CREATE FUNCTION support_internal.day_bounds(
	first_day date,
	last_day date
)
RETURNS timestamptz[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_day_bounds';
COMMENT ON FUNCTION support_internal.day_bounds(date, date) IS
	'When each of these days of the session''s time zone begins, and when the last one ends; on quarter hours.';

CREATE FUNCTION support_internal.last_days(
	days integer,
	bucket text DEFAULT NULL
)
RETURNS timestamptz[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_last_days';
COMMENT ON FUNCTION support_internal.last_days(integer, text) IS
	'When the last days of the session''s time zone begin and when today ends, with what divides them; on quarter hours.';

CREATE FUNCTION support_internal.hours_of_week(
	days integer,
	OUT bounds timestamptz[],
	OUT places integer[],
	OUT seconds bigint[]
)
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_hours_of_week';
COMMENT ON FUNCTION support_internal.hours_of_week(integer) IS
	'When the hours of the last days of the session''s time zone begin and when today ends; which hour of the week each is, from 1 for Monday''s first; and how many seconds those of each hour of the week have that have begun.';

CREATE FUNCTION support_internal.rolling_days(days integer)
RETURNS timestamptz[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_rolling_days';
COMMENT ON FUNCTION support_internal.rolling_days(integer) IS
	'The range of so many days that ends with the quarter hour that has begun, and begins with the one of so many days ago.';

CREATE FUNCTION support_internal.tickets_created(
	from_at timestamptz,
	to_at timestamptz
)
RETURNS TABLE(created_at timestamptz, status text)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10
AS 'MODULE_PATHNAME', 'support_tickets_created';
COMMENT ON FUNCTION support_internal.tickets_created(timestamptz, timestamptz) IS
	'The live tickets that were opened in a short time, for what counters of quarter hours do not tell.';

CREATE FUNCTION support_internal.duration(seconds double precision)
RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.justify_hours(pg_catalog.make_interval(secs => pg_catalog.round(seconds)));
COMMENT ON FUNCTION support_internal.duration(double precision) IS 'Seconds as an interval, in whole seconds; a day has 24 hours.';

CREATE FUNCTION support_internal.is_asked_for(
	filters jsonb,
	key text,
	value jsonb
)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT filters ? key OR (filters -> key) @> coalesce(value, 'null');
COMMENT ON FUNCTION support_internal.is_asked_for(jsonb, text, jsonb) IS
	'Whether the filters of a report let a value pass: there is none for the key, or it is the value or an array with it; NULL is JSON''s null.';

CREATE FUNCTION support.report(
	metric text,
	from_at timestamptz DEFAULT NULL,
	to_at timestamptz DEFAULT NULL,
	bucket text DEFAULT NULL,
	time_zone text DEFAULT NULL,
	group_by text DEFAULT NULL,
	filters jsonb DEFAULT '{}',
	anchor text DEFAULT 'event',
	first_day date DEFAULT NULL,
	last_day date DEFAULT NULL
)
RETURNS TABLE(bucket_at timestamptz, bucket_end timestamptz, group_value text, group_name text, n bigint, average interval, p50 interval, p90 interval, p95 interval, p99 interval)
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_report';
COMMENT ON FUNCTION support.report(text, timestamptz, timestamptz, text, text, text, jsonb, text, date, date) IS
	'A metric over a range, by default the last 90 days: by hour, day, week, month, quarter or year of a time zone, and by group; from_at included, to_at not. Days, both included, are those of that zone; from_at and to_at as dates are read in the session''s. 22023: an unknown metric, bucket, zone, group, filter or anchor, bounds that are infinite or the wrong way round. 54000: more than 10,000 buckets.';
REVOKE ALL ON FUNCTION support.report(text, timestamptz, timestamptz, text, text, text, jsonb, text, date, date) FROM PUBLIC;
