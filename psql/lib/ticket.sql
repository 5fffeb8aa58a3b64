-- Sets :ticket_id to the id of :ticket, which is the number of a ticket, such as T-1963 or t-1963, or its id.

\if :{?ticket}
\else
	\set problem 'which ticket?'
	\set remedy 'Name it by -v ticket=T-1963, or by \\set ticket T-1963 in a session.'
	\ir refuse.sql
\endif

-- a number of digits alone goes before the id
:desk_safely
SELECT
	CASE
		WHEN :'ticket' ~ '^[0-9]{1,18}$'
			AND NOT EXISTS (SELECT FROM support.tickets AS t WHERE t.ticket_number = :'ticket')
		THEN :'ticket'::text::bigint
		ELSE support.ticket_id(:'ticket')
	END AS ticket_id
\gset
