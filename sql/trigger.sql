-- What triggers and defaults call.

CREATE FUNCTION support_internal.before_row()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_before_row';
COMMENT ON FUNCTION support_internal.before_row() IS
	'BEFORE INSERT OR UPDATE: fills in defaults, keeps what the desk keeps. The argument is the table''s logical name.';
REVOKE ALL ON FUNCTION support_internal.before_row() FROM PUBLIC;

CREATE FUNCTION support_internal.after_row()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_after_row';
COMMENT ON FUNCTION support_internal.after_row() IS
	'AFTER INSERT OR UPDATE OR DELETE: checks, bookkeeping and the audit log. The argument is the table''s logical name.';
REVOKE ALL ON FUNCTION support_internal.after_row() FROM PUBLIC;

CREATE FUNCTION support_internal.refuse_truncate()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_refuse_truncate';
COMMENT ON FUNCTION support_internal.refuse_truncate() IS
	'BEFORE TRUNCATE: refuses it.';
REVOKE ALL ON FUNCTION support_internal.refuse_truncate() FROM PUBLIC;

CREATE FUNCTION support_internal.guard_log()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_guard_log';
COMMENT ON FUNCTION support_internal.guard_log() IS
	'BEFORE INSERT, UPDATE OR DELETE on the audit log: stamps what an application writes, refuses all else.';
REVOKE ALL ON FUNCTION support_internal.guard_log() FROM PUBLIC;

CREATE FUNCTION support_internal.default_status()
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_default_status';
COMMENT ON FUNCTION support_internal.default_status() IS
	'The status of a new ticket: the one in support.statuses that is the default.';
