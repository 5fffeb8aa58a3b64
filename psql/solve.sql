-- Solves a ticket, with a last word or without.
--
--   psql -v ticket=T-1963 -f psql/solve.sql
--   psql -v ticket=T-1963 -v text='A new one comes today.' -f psql/solve.sql
--
--   ticket   number or id                                           needed
--   text     a reply that goes with it                              none
--   status   a status that counts as solved, such as closed         the first of the category solved
--   actor    who solves it, by e-mail address or id                 the session's

\ir lib/begin.sql
\ir lib/actor.sql
\ir lib/ticket.sql

\if :{?text}
\else
	\set text ''
\endif
\if :{?status}
\else
	:desk_safely
	SELECT s.name AS status
	FROM support.statuses AS s
	WHERE s.category IN ('solved', 'closed')
	ORDER BY s.category = 'closed', s.position
	LIMIT 1
	\gset
\endif

:desk_safely
SELECT CASE
	WHEN :'text' ~ '\S' THEN
		support.add_comment(:ticket_id, :'text', status => :'status', actor_id => nullif(:'actor_id', '')::bigint)
	ELSE support.set_status(:ticket_id, :'status', actor_id => nullif(:'actor_id', '')::bigint)
END AS done
-- psql has the values by now. Solved or refused, they are not for the next ticket.
\unset text
\unset status
\gset

:desk_safely
SELECT support.terminal_text(format('%s: %s', t.ticket_number, t.status), one_line => true)
FROM support.tickets AS t
WHERE t.id = :ticket_id
\g (format=unaligned tuples_only=on expanded=off)

\ir lib/end.sql
