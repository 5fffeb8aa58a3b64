-- Sets :ticket_id to the id of :ticket, which is the number of a ticket, such as T-1963 or t-1963, or its id.

\if :{?ticket}
\else
	\set problem 'which ticket?'
	\set remedy 'Name it by -v ticket=T-1963, or by \\set ticket T-1963 in a session.'
	\ir refuse.sql
\endif

SELECT coalesce
(
	(
		SELECT t.id
		FROM support.tickets AS t
		WHERE t.ticket_number IN (:'ticket', upper(:'ticket'))
		ORDER BY t.ticket_number = :'ticket' DESC
		LIMIT 1
	),
	CASE WHEN :'ticket' ~ '^[0-9]{1,18}$' THEN :'ticket'::text::bigint END,
	(support.get_ticket_by_number(:'ticket', page_size => 1) -> 'ticket' ->> 'id')::bigint
) AS ticket_id
\gset
