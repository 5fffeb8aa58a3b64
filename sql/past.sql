-- Records as they were.

CREATE FUNCTION support.rows_as_of(
	row_type anyelement,
	ticket_id bigint DEFAULT NULL,
	at_time timestamptz DEFAULT NULL,
	at_snapshot pg_snapshot DEFAULT NULL
)
RETURNS SETOF anyelement
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_rows_as_of';
COMMENT ON FUNCTION support.rows_as_of(anyelement, bigint, timestamptz, pg_snapshot) IS
	'The rows of a table of the desk as they were at an instant or in a snapshot, those deleted since included; of one ticket, or of all. row_type is a null of the table''s row type: NULL::support.comments. 22023: no instant, two, or one to come; a table without ids.';

CREATE FUNCTION support.ticket_as_of(
	ticket_id bigint,
	at_time timestamptz
)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL UNSAFE
AS $$
	SELECT pg_catalog.to_jsonb(t)
	FROM support.rows_as_of(NULL::support.tickets, coalesce(ticket_as_of.ticket_id, 0), ticket_as_of.at_time) AS t
$$;
COMMENT ON FUNCTION support.ticket_as_of(bigint, timestamptz) IS
	'A ticket''s row as it was at an instant; NULL if it was not there. 22023: an instant to come.';
