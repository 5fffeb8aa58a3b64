-- Taking changes back.

CREATE FUNCTION support.undo(
	audit_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_undo';
COMMENT ON FUNCTION support.undo(bigint, bigint) IS
	'Takes back one change that the audit log has, if nothing came between; returns the id of the entry that this made, which can be undone as well. P0002: no such entry. SU003: changed since. 55000: purged. 22023: not a change of a record, or bookkeeping.';
REVOKE ALL ON FUNCTION support.undo(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.undo_since(
	actor_id bigint,
	since timestamptz,
	dry_run boolean DEFAULT true
)
RETURNS TABLE(audit_id bigint, occurred_at timestamptz, action text, table_name text, record_id bigint, ticket_id bigint, refusal text)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_undo_since';
COMMENT ON FUNCTION support.undo_since(bigint, timestamptz, boolean) IS
	'Takes back all that a user has changed since an instant, the newest change first, all or nothing. As long as dry_run is true nothing is changed: refusal tells what would speak against it, NULL for nothing. SU003: changed since.';
REVOKE ALL ON FUNCTION support.undo_since(bigint, timestamptz, boolean) FROM PUBLIC;
