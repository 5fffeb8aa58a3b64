-- How every script begins: the first error ends it, and psql says little. end.sql puts back what was set before.
--
-- :desk_safely begins every statement. It goes with it in one message, and leaves nothing to the search_path, by which a
-- function of somebody else's could be run with the rights of who calls the script. It holds for the statement alone, or in a
-- transaction of the caller's until end.sql.

\if :{?desk_on_error_stop}
	-- an error ended an earlier script, which has noted what was set
\else
	\set desk_on_error_stop :ON_ERROR_STOP
	\set desk_quiet :QUIET
	\set desk_show_context :SHOW_CONTEXT
\endif
\set ON_ERROR_STOP on
\set QUIET on
\set SHOW_CONTEXT never

SELECT pg_catalog.current_setting('search_path') AS desk_search_path \gset
\set desk_safely 'SET LOCAL search_path = pg_catalog, pg_temp \\;'
