-- Tables as they were. The functions name row types, so they belong to the database, as the tables do.

CREATE OR REPLACE FUNCTION support.tickets_as_of(
	at_time timestamptz
)
RETURNS SETOF support.tickets
LANGUAGE sql STABLE PARALLEL UNSAFE
AS $$ SELECT t.* FROM support.rows_as_of(NULL::support.tickets, NULL, tickets_as_of.at_time) AS t $$;

CREATE OR REPLACE FUNCTION support.tickets_as_of_snapshot(
	at_snapshot pg_snapshot
)
RETURNS SETOF support.tickets
LANGUAGE sql STABLE PARALLEL UNSAFE
AS $$ SELECT t.* FROM support.rows_as_of(NULL::support.tickets, NULL, NULL, tickets_as_of_snapshot.at_snapshot) AS t $$;

CREATE OR REPLACE FUNCTION support.comments_as_of(
	ticket_id bigint,
	at_time timestamptz
)
RETURNS SETOF support.comments
LANGUAGE sql STABLE PARALLEL UNSAFE
AS $$
	SELECT c.* FROM support.rows_as_of(NULL::support.comments, coalesce(comments_as_of.ticket_id, 0), comments_as_of.at_time) AS c
$$;

COMMENT ON FUNCTION support.tickets_as_of(timestamptz) IS
	'The tickets as they were at an instant, those deleted since included. 22023: an instant to come.';
COMMENT ON FUNCTION support.tickets_as_of_snapshot(pg_snapshot) IS
	'The tickets as the snapshot, taken by pg_current_snapshot(), sees them; exact while others write. 22023: a snapshot to come.';
COMMENT ON FUNCTION support.comments_as_of(bigint, timestamptz) IS
	'The comments on a ticket as they were at an instant, those deleted since included. 22023: an instant to come.';
