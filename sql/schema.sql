-- The server puts the schema support before others while this runs. Whoever owns one that is there already may have put
-- functions and operators into it: no name here is looked up there unless it says so. For the same reason a function is
-- called with all its arguments.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The schema of the machinery. A restored database has it already; it belongs to the database, not to the extension.
DO $$
BEGIN
	IF pg_catalog.to_regnamespace('support_internal') IS NULL THEN
		CREATE SCHEMA support_internal;
		ALTER EXTENSION support_ext DROP SCHEMA support_internal;
	END IF;
END
$$;

COMMENT ON SCHEMA support IS 'The support desk: its tables and views, and the functions to call.';
COMMENT ON SCHEMA support_internal IS 'What the support desk works with inside; nothing here is meant to be used.';
