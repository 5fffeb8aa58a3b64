-- Making the desk in the database.

CREATE FUNCTION support.install(
	seed boolean DEFAULT true
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_install';
COMMENT ON FUNCTION support.install(boolean) IS
	'Makes the desk, or brings the one there is to this version: adds what is missing, replaces views, touches no row. seed false writes no rows at all, for a data-only restore.';
REVOKE ALL ON FUNCTION support.install(boolean) FROM PUBLIC;
