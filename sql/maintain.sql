-- Keeping the log.

CREATE FUNCTION support.maintain(
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS SETOF text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_maintain';
COMMENT ON FUNCTION support.maintain(bigint) IS
	'Makes the audit log''s partitions of this month and the next two, and of months that lie in the default partition; takes those away that are older than the setting retention allows. Returns a line for each thing done. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.maintain(bigint) FROM PUBLIC;
