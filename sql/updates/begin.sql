-- A session that has loaded the library of an older version keeps it: the functions below are not in there.
DO $$
BEGIN
	IF support.version() <> '@VERSION@' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('this session works with version %s of support_ext, not with @VERSION@', support.version()),
			HINT = 'Install the files of version @VERSION@, reconnect, and update before anything else.';
	END IF;
	-- what is there already, for the end of this script
	PERFORM set_config('support_update.members', (
		SELECT array_agg(d.objid)::text
		FROM pg_depend AS d
		JOIN pg_extension AS e ON e.oid = d.refobjid
		WHERE d.classid = 'pg_proc'::regclass
		AND d.refclassid = 'pg_extension'::regclass
		AND d.deptype = 'e'
		AND e.extname = 'support_ext'), true);
END
$$;
