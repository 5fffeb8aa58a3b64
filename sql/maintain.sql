-- Keeping the log.

CREATE FUNCTION support.maintain(
	dry_run boolean DEFAULT false,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS SETOF text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_maintain';
COMMENT ON FUNCTION support.maintain(boolean, bigint) IS
	'Makes the audit log''s partitions of this month and the next two, and of months that lie in the default partition; takes those away that are older than the setting retention allows, have been read by all consumers of the feed and, where the log is sealed, are sealed. Returns a line for each thing done, or for each that a dry run would do, and for what stays. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.maintain(boolean, bigint) FROM PUBLIC;

CREATE FUNCTION support.attach_month(
	month date,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS SETOF text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_attach_month';
COMMENT ON FUNCTION support.attach_month(date, bigint) IS
	'Puts the partition of a month back that was taken off the audit log, with what the default partition has of that month. Returns a line for each thing done. P0002: no such table is left; 55000: it is part of the log, or somebody else''s; 22023: no month; 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.attach_month(date, bigint) FROM PUBLIC;
