-- How every script ends: psql is set as it was before begin.sql.

\set ON_ERROR_STOP :desk_on_error_stop
\set SHOW_CONTEXT :desk_show_context
\set QUIET :desk_quiet
\unset desk_on_error_stop
\unset desk_show_context
\unset desk_quiet
