-- How every script ends: the session and psql are set as they were before begin.sql.

\ir path.sql
\set ON_ERROR_STOP :desk_on_error_stop
\set SHOW_CONTEXT :desk_show_context
\set QUIET :desk_quiet
\unset desk_on_error_stop
\unset desk_show_context
\unset desk_quiet
\unset desk_search_path
\unset desk_safely
