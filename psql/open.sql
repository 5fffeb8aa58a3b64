-- Opens a ticket, which is then the :ticket of the session: show.sql and the others go on with it.
--
--   psql -f psql/open.sql
--   psql -v title='Printer on fire' -v requester=carl@example.com -v team=Printing -v tags=printer,fire \
--        -v file=what-he-said.txt -f psql/open.sql
--
--   title       what is wrong, in a line                            psql asks for it, and for a line of text
--   text        the description                                     empty
--   file        has the description
--   requester   for whom, by e-mail address or id                   the acting user
--   priority    low, normal and so on                               the desk's default
--   team        name of the team
--   assignee    who is to work on it, by e-mail address or id       nobody
--   tags        separated by commas                                 none
--   channel     how it came in                                      phone
--   actor       who opens it, by e-mail address or id               the session's

\ir lib/begin.sql
\ir lib/actor.sql

\if :{?team}
	\ir lib/team.sql
\else
	\set team_id ''
\endif
\if :{?requester}
	\set user :requester
	\ir lib/user.sql
	\set requester_id :user_id
\else
	\set requester_id ''
\endif
\if :{?assignee}
	\set user :assignee
	\ir lib/user.sql
	\set assignee_id :user_id
\else
	\set assignee_id ''
\endif
\if :{?priority}
\else
	\set priority ''
\endif
\if :{?tags}
\else
	\set tags ''
\endif
\if :{?channel}
\else
	\set channel phone
\endif
\if :{?file}
	\set text `cat -- :'file'`
	:desk_safely SELECT :'text' !~ '\S' AS refused \gset
	\if :refused
		\unset text
		\unset file
		\set problem 'the description is blank'
		\set remedy 'No ticket was opened.'
		\ir lib/refuse.sql
	\endif
\endif
\if :{?title}
	\if :{?text}
	\else
		\set text ''
	\endif
\else
	\prompt 'Title: ' title
	\if :{?text}
	\else
		\prompt 'Description: ' text
	\endif
\endif

:desk_safely
SELECT support.create_ticket(:'title', :'text',
	priority => nullif(:'priority', ''),
	tags => array_remove(regexp_split_to_array(:'tags', '\s*,\s*'), ''),
	requester_id => nullif(:'requester_id', '')::bigint,
	assignee_id => nullif(:'assignee_id', '')::bigint,
	team_id => nullif(:'team_id', '')::bigint,
	channel => nullif(:'channel', ''),
	actor_id => nullif(:'actor_id', '')::bigint) AS ticket_id
-- psql has the values by now. Opened or refused, they are not for the next ticket.
\unset title
\unset text
\unset file
\unset requester
\unset priority
\unset assignee
\unset tags
\unset channel
\gset

:desk_safely SELECT t.ticket_number AS ticket FROM support.tickets AS t WHERE t.id = :ticket_id \gset
:desk_safely SELECT support.show_ticket(:ticket_id) \g (format=unaligned tuples_only=on expanded=off)

\ir lib/end.sql
