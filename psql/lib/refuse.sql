-- Ends a script by the error :problem with the hint :remedy.

:desk_safely
SELECT
	format('BEGIN RAISE SQLSTATE ''22023'' USING MESSAGE = %L, HINT = %L; END', :'problem', :'remedy') AS refusal
\gset
\ir path.sql
DO :'refusal';
