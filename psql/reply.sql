-- Replies to a ticket.
--
--   psql -v ticket=T-1963 -v text='Pull the plug, please.' -v status=pending -f psql/reply.sql
--   psql -v ticket=T-1963 -v file=answer.txt -f psql/reply.sql
--   psql -v ticket=T-1963 -v editor=on -f psql/reply.sql
--
--   ticket    number or id                                          needed
--   text      the reply                                             psql asks for a line
--   file      has the reply
--   editor    on: write it in psql's editor, with the ticket to look at
--   private   on: a note among agents                               off
--   status    the ticket's status from then on                      as it is
--   actor     who replies, by e-mail address or id                  the session's

\ir lib/begin.sql
\ir lib/actor.sql
\ir lib/ticket.sql

\if :{?private}
\else
	\set private off
\endif
\if :{?status}
\else
	\set status ''
\endif
\if :{?editor}
\else
	\set editor off
\endif
\unset draft
\if :{?text}
\elif :{?file}
	\set text `cat -- :'file'`
\elif :editor
	\ir lib/edit.sql
\else
	\prompt 'Reply: ' text
\endif

:desk_safely SELECT :'text' !~ '\S' AS refused \gset
\if :refused
	\if :{?draft}
		\! rm -f -- "$DESK_DRAFT"
	\endif
	\unset text
	\unset file
	\unset editor
	\set problem 'the reply is blank'
	\set remedy 'Nothing was sent.'
	\ir lib/refuse.sql
\endif

:desk_safely
SELECT support.add_comment(:ticket_id, :'text', is_private => :'private', status => nullif(:'status', ''),
	actor_id => nullif(:'actor_id', '')::bigint) AS comment_id
-- psql has the values by now. Sent or refused, they are not for the next ticket.
\unset text
\unset file
\unset editor
\unset private
\unset status
\gset

\if :{?draft}
	\! rm -f -- "$DESK_DRAFT"
\endif

:desk_safely
SELECT support.terminal_text
(
	format('%s: %s by %s, %s', t.ticket_number, CASE WHEN c.is_private THEN 'note' ELSE 'reply' END, u.full_name, t.status),
	one_line => true
)
FROM support.tickets AS t
JOIN support.comments AS c ON c.ticket_id = t.id
JOIN support.users AS u ON u.id = c.author_id
WHERE t.id = :ticket_id AND c.id = :comment_id
\g (format=unaligned tuples_only=on expanded=off)

\ir lib/end.sql
