-- Settings: those of the desk, which its owner writes, and those of a session.

CREATE FUNCTION support.configure(
	name text,
	value text,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_configure';
COMMENT ON FUNCTION support.configure(text, text, bigint) IS
	'Gives a setting of the desk a value, for all; NULL: the default. 22023: no such setting, or not a value for it. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.configure(text, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.settings()
RETURNS TABLE(name text, value text, meaning text)
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_settings';
COMMENT ON FUNCTION support.settings() IS
	'The settings, their values now and what they mean: those of the desk, and, by names that begin with support_ext, those of the session.';
