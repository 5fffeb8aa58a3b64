-- Delete, restore, purge.

CREATE FUNCTION support.delete_ticket(
	ticket_id bigint,
	reason text DEFAULT NULL,
	expected_version bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_delete_ticket';
COMMENT ON FUNCTION support.delete_ticket(bigint, text, bigint, bigint) IS
	'Marks a ticket as deleted; returns the version. P0002: no such ticket. 55000: deleted already. SU001: stale version.';
REVOKE ALL ON FUNCTION support.delete_ticket(bigint, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.restore_ticket(
	ticket_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_restore_ticket';
COMMENT ON FUNCTION support.restore_ticket(bigint, bigint) IS
	'Brings back a ticket that was marked or removed, with all that went with it; returns the version. P0002: never was, or purged. 55000: not deleted. 23505: number taken since. 23503: creator gone.';
REVOKE ALL ON FUNCTION support.restore_ticket(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.purge_deleted(
	older_than interval DEFAULT '30 days',
	batch_size integer DEFAULT 1000,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_purge_deleted';
COMMENT ON FUNCTION support.purge_deleted(interval, integer, bigint) IS
	'Destroys deleted tickets: their rows, attachment content and every image of them in the log; who, when and which id remain. Returns how many tickets went. One that something of the application holds is left out with a WARNING. 22023: bad argument.';
REVOKE ALL ON FUNCTION support.purge_deleted(interval, integer, bigint) FROM PUBLIC;
