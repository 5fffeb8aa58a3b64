-- Tags and watchers.

CREATE FUNCTION support.tag_ticket(
	ticket_id bigint,
	tags text[],
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS text[]
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_tag_ticket';
COMMENT ON FUNCTION support.tag_ticket(bigint, text[], bigint) IS
	'Adds tags, making those that are missing; names compare without case. Returns the tags now. 22023: blank tag.';
REVOKE ALL ON FUNCTION support.tag_ticket(bigint, text[], bigint) FROM PUBLIC;

CREATE FUNCTION support.untag_ticket(
	ticket_id bigint,
	tags text[],
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS text[]
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_untag_ticket';
COMMENT ON FUNCTION support.untag_ticket(bigint, text[], bigint) IS
	'Takes tags off; one that is absent is no error. Returns the tags now. 22023: blank tag.';
REVOKE ALL ON FUNCTION support.untag_ticket(bigint, text[], bigint) FROM PUBLIC;

CREATE FUNCTION support.watch_ticket(
	ticket_id bigint,
	user_id bigint,
	kind text DEFAULT 'follower',
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_watch_ticket';
COMMENT ON FUNCTION support.watch_ticket(bigint, bigint, text, bigint) IS
	'Makes a user a watcher: cc, follower or mention. P0002: no such ticket or user. 22023: unknown kind.';
REVOKE ALL ON FUNCTION support.watch_ticket(bigint, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.unwatch_ticket(
	ticket_id bigint,
	user_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_unwatch_ticket';
COMMENT ON FUNCTION support.unwatch_ticket(bigint, bigint, bigint) IS
	'Ends a user''s watching; no error where there was none.';
REVOKE ALL ON FUNCTION support.unwatch_ticket(bigint, bigint, bigint) FROM PUBLIC;
