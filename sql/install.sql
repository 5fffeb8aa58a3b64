-- Making the desk in the database.

CREATE FUNCTION support.install(
	seed boolean DEFAULT true
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_install';
COMMENT ON FUNCTION support.install(boolean) IS
	'Makes the desk, or brings the one there is to this version: adds what is missing, puts back columns, NOT NULLs and constraints that a table has lost, replaces views, touches no row; one of an older layout is changed, rows included, as notices tell. Acts with the rights of the desk''s owner. seed false writes no rows at all, for a data-only restore. 42501: the desk, or a schema of a first one, is another''s; 55000: what has the name of a part is not the desk''s, a column has another type, the library of the session is older than the functions.';
REVOKE ALL ON FUNCTION support.install(boolean) FROM PUBLIC;
