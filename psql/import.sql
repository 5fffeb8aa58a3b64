-- Opens a ticket for each line of a CSV file: for all of them, or for none if one is wrong.
--
--   psql -v file=tickets.csv -f psql/import.sql
--   psql -v columns='external_id, title, requester' -f psql/import.sql <tickets.csv
--
--   file        the file                                            psql's standard input
--   columns     the columns of the file, in its order               those that export.sql writes
--   delimiter   between the columns                                 a comma
--   actor       who does it, by e-mail address or id                the session's
--
-- The first line has the names of the columns. An empty column is as good as none, quoted or not, and so is one of white
-- space alone, but for title and description; what is left out is up to the desk.
--
--   external_id      key in the other system; a line needs it or a ticket_number
--   ticket_number    a number to keep
--   title            needed
--   requester        needed: the e-mail address of a user, who becomes the ticket's creator
--   assignee, team   by e-mail address and by name
--   tags             separated by commas
--   created_at, solved_at, description, status, priority, channel, custom: as in support.tickets
--
-- A line is passed over if the desk knows its external_id or, where that is empty, its ticket_number: the same file may
-- come again. The import is a transaction of its own: do not call it within another.

\ir lib/begin.sql
\ir lib/actor.sql

\if :{?columns}
\else
	\set columns 'external_id, ticket_number, title, description, status, priority, requester, assignee'
	\set columns :columns ', team, channel, tags, custom, created_at, solved_at'
\endif
\if :{?delimiter}
\else
	\set delimiter ,
\endif
\if :{?file}
	:desk_safely SELECT '''' || replace(:'file', '''', '''''') || '''' AS source \gset
\else
	\set source pstdin
\endif
-- \copy takes no variables, but a variable may hold the whole of it
:desk_safely
SELECT format
(
	'\copy pg_temp.import_lines (%1$s) FROM %2$s WITH (FORMAT csv, HEADER match, FORCE_NULL (%1$s), DELIMITER %3$L)',
	string_agg(quote_ident(btrim(c.name)), ', '),
	:'source',
	:'delimiter'
) AS copy_lines
FROM unnest(string_to_array(:'columns', ',')) AS c (name)
\unset file
\unset columns
\unset delimiter
\gset

-- An error ends lib/import.sql but not this script, which must not leave the transaction open
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
\set imported off
\set problem 'the file cannot be read'
\set ON_ERROR_STOP off
\ir lib/import.sql
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\if :imported
	COMMIT;
	\echo tickets read: :lines, opened: :opened, known before: :known
\else
	ROLLBACK;
	\set remedy 'Nothing was imported.'
	\ir lib/refuse.sql
\endif

\ir lib/end.sql
