-- Calendars and working time.

CREATE FUNCTION support.create_calendar(
	name text,
	time_zone text,
	hours jsonb,
	holidays jsonb DEFAULT '[]',
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_create_calendar';
COMMENT ON FUNCTION support.create_calendar(text, text, jsonb, jsonb, bigint) IS
	'Makes a calendar; returns the id. hours: {"mon-fri": ["09:00-12:00", "13:00-17:00"], "2027-01-01": {"mon-thu": "09:00-17:00"}}, the latter from that date on. holidays: ["2026-12-25", {"day": "12-24", "hours": "09:00-12:00", "name": "Christmas Eve"}, {"day": "2026-12-27", "last_day": "2026-12-30", "closed": "12:00-24:00"}, {"day": "2026-12-27", "open": "10:00-14:00"}]; a day without a year is every year''s. 22023: unknown time zone, no working time, what is not such a list. 23514: a span that ends before it begins, hours that overlap. 23505: name taken.';
REVOKE ALL ON FUNCTION support.create_calendar(text, text, jsonb, jsonb, bigint) FROM PUBLIC;

CREATE FUNCTION support.update_calendar(
	calendar_id bigint,
	name text DEFAULT NULL,
	time_zone text DEFAULT NULL,
	hours jsonb DEFAULT NULL,
	holidays jsonb DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_update_calendar';
COMMENT ON FUNCTION support.update_calendar(bigint, text, text, jsonb, jsonb, bigint) IS
	'Changes a calendar; NULL leaves a part as it is, hours and holidays replace those there are. Returns its version: a new one if hours, holidays or time zone differ. P0002: no such calendar. Else as create_calendar().';
REVOKE ALL ON FUNCTION support.update_calendar(bigint, text, text, jsonb, jsonb, bigint) FROM PUBLIC;

CREATE FUNCTION support.business_elapsed(
	calendar_id bigint,
	from_at timestamptz,
	to_at timestamptz
)
RETURNS interval
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_business_elapsed';
COMMENT ON FUNCTION support.business_elapsed(bigint, timestamptz, timestamptz) IS
	'The working time from one instant to another, in hours; negative if to_at is the earlier one. P0002: no such calendar. 55000: it has no working time. 22023: an instant that is null or not of the years 1 to 9999.';

CREATE FUNCTION support.business_add(
	calendar_id bigint,
	at_time timestamptz,
	work interval
)
RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_business_add';
COMMENT ON FUNCTION support.business_add(bigint, timestamptz, interval) IS
	'The earliest instant at which so much has been worked since at_time: at_time itself if work is 0, the instant of closing if the work ends then. Days are working days: dates on which the desk is open at all, each used up evenly over its working time; hours are worked after them. P0002: no such calendar. 55000: it has no working time. 22023: work that is null, negative, of months or of more than 10,000 days, an instant that is null or not of the years 1 to 9999, or would be.';

CREATE FUNCTION support.is_open(
	calendar_id bigint,
	at_time timestamptz
)
RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_is_open';
COMMENT ON FUNCTION support.is_open(bigint, timestamptz) IS
	'Whether at_time is working time; the instant of opening is, that of closing is not. Errors as business_elapsed().';

CREATE FUNCTION support.next_open(
	calendar_id bigint,
	at_time timestamptz
)
RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_next_open';
COMMENT ON FUNCTION support.next_open(bigint, timestamptz) IS
	'When working time is next: at_time itself if it is open then; NULL if never before the year 10000. Errors as business_elapsed().';

CREATE FUNCTION support.next_close(
	calendar_id bigint,
	at_time timestamptz
)
RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_next_close';
COMMENT ON FUNCTION support.next_close(bigint, timestamptz) IS
	'When working time ends next: that which at_time is in, or else that which begins next; NULL if never before the year 10000. Errors as business_elapsed().';

CREATE FUNCTION support.open_spans(
	calendar_id bigint,
	from_at timestamptz,
	to_at timestamptz
)
RETURNS TABLE(opens_at timestamptz, closes_at timestamptz)
LANGUAGE c STABLE PARALLEL SAFE ROWS 100
AS 'MODULE_PATHNAME', 'support_open_spans';
COMMENT ON FUNCTION support.open_spans(bigint, timestamptz, timestamptz) IS
	'The spans of working time from one instant to another, in their order; the first and the last one are cut there. They add up to business_elapsed(). Errors as business_elapsed(); 22023 as well if from_at is after to_at.';
