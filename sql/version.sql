-- The version of the library: an update asks for it before all else.

CREATE FUNCTION support.version()
RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_version';
COMMENT ON FUNCTION support.version() IS
	'Version of the library that is loaded.';
