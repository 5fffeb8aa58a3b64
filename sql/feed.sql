-- The change feed.

CREATE FUNCTION support.feed_start(
	consumer text,
	from_snapshot pg_snapshot DEFAULT pg_catalog.pg_current_snapshot()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_feed_start';
COMMENT ON FUNCTION support.feed_start(text, pg_snapshot) IS
	'Lets a consumer follow the audit log: from now on, from what a snapshot taken by pg_current_snapshot() does not see, or with NULL from the log''s beginning. 23505: there is one of that name. 22023: a blank name, or a snapshot to come.';
REVOKE ALL ON FUNCTION support.feed_start(text, pg_snapshot) FROM PUBLIC;

CREATE FUNCTION support.feed_stop(
	consumer text
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_feed_stop';
COMMENT ON FUNCTION support.feed_stop(text) IS
	'Forgets a consumer and its position. P0002: no such consumer.';
REVOKE ALL ON FUNCTION support.feed_stop(text) FROM PUBLIC;

CREATE FUNCTION support.feed_read(
	consumer text,
	batch_size integer DEFAULT 1000
)
RETURNS TABLE(feed_position text, audit_id bigint, occurred_at timestamptz, actor_id bigint, db_role text, action text, table_name text, record_id bigint, ticket_id bigint, old_value jsonb, new_value jsonb)
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_feed_read';
COMMENT ON FUNCTION support.feed_read(text, integer) IS
	'The next changes for a consumer, in the order of their positions, an INSERT with the row as inserted. Gives the same again until feed_done() says that they are done. P0002: no such consumer. 22023: batch_size below 1.';

CREATE FUNCTION support.feed_done(
	consumer text,
	feed_position text
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_feed_done';
COMMENT ON FUNCTION support.feed_done(text, text) IS
	'Notes that a consumer has done with all changes up to a position, which feed_read() gave; one that is done already changes nothing. P0002: no such consumer. 22023: a position that never was.';
REVOKE ALL ON FUNCTION support.feed_done(text, text) FROM PUBLIC;
