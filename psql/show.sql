-- A ticket, with its private notes and, if asked for, its history.
--
--   psql -v ticket=T-1963 -f psql/show.sql
--   psql -v ticket=T-1963 -v history=on -f psql/show.sql
--
--   ticket    number or id                                          needed
--   notes     off leaves the private notes out                      on
--   history   on adds who changed what                              off

\ir lib/begin.sql
\ir lib/ticket.sql

\if :{?notes}
\else
	\set notes on
\endif
\if :{?history}
\else
	\set history off
\endif

:desk_safely
SELECT support.show_ticket(:ticket_id, include_private => :'notes')
\unset notes
\g (format=unaligned tuples_only=on expanded=off)

\if :history
	\echo
	:desk_safely
	SELECT
		to_char(h.occurred_at, 'YYYY-MM-DD HH24:MI') AS "when",
		support.terminal_text(left(h.changed_by_name, 16), true) AS who,
		CASE
			WHEN h.action IN ('INSERT', 'UPDATE', 'DELETE') THEN lower(h.action)
			ELSE support.terminal_text(h.action, true)
		END AS did,
		support.terminal_text(coalesce(h.field, h.table_name), true) AS what,
		CASE WHEN length(v.old) > 40 AND v.old !~ '^([{].*[}]|[[].*[]])$' THEN left(v.old, 37) || '...' ELSE v.old END AS old,
		CASE WHEN length(v.new) > 40 AND v.new !~ '^([{].*[}]|[[].*[]])$' THEN left(v.new, 37) || '...' ELSE v.new END AS new
	FROM support.ticket_history(:ticket_id) AS h
	CROSS JOIN LATERAL
	(
		SELECT
			support.terminal_text(replace(h.old_value, E'\n', ' '), true) AS old,
			support.terminal_text(replace(h.new_value, E'\n', ' '), true) AS new
	) AS v
	\g (title=History)
\endif
\unset history

\ir lib/end.sql
