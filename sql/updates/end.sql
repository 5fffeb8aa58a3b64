-- What is new is not for everybody. What was there keeps the rights that its users were given: to revoke them again here
-- would make all of them the extension's own, which no dump holds.
DO $$
DECLARE
	function regprocedure;
BEGIN
	FOREACH function IN ARRAY '{@REVOKED@}'::regprocedure[]
	LOOP
		IF function <> ALL (current_setting('support_update.members')::oid[]) THEN
			EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
		END IF;
	END LOOP;
END
$$;
