-- How every script begins: the first error ends it, and psql says little. end.sql puts back what was set before.

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
