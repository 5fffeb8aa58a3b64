-- Finds tickets by words of the title, the description or a comment, by number or by who asked.
--
--   psql -v words='paper jam' -f psql/find.sql
--   psql -v words='"tray 2" -kestrel' -v rows=5 -f psql/find.sql
--
--   words   as in a search engine: all of them, a "phrase", or, -not    psql asks for them
--   rows    how many to show, those first that changed last             20

\ir lib/begin.sql

\if :{?words}
\else
	\prompt 'Words: ' words
\endif
\if :{?rows}
\else
	\set rows 20
\endif

:desk_safely
WITH found AS
(
	SELECT w.ticket_id AS id
	FROM support.search_words AS w
	LEFT JOIN support.comments AS c ON c.ticket_id = w.ticket_id AND c.id = w.comment_id
	WHERE w.words @@ websearch_to_tsquery('simple', :'words') AND c.deleted_at IS NULL
	UNION
	SELECT t.id
	FROM support.users AS u
	JOIN support.tickets AS t ON t.customer_id = u.id
	WHERE :'words' ~ '\S' AND (u.email_key = lower(:'words') OR lower(u.full_name) = lower(:'words'))
)
SELECT
	support.terminal_text(t.ticket_number, true) AS number,
	t.status,
	support.terminal_text(left(t.title, 34), true) AS title,
	support.terminal_text(left(u.full_name, 18), true) AS requester,
	to_char(t.updated_at, 'YYYY-MM-DD HH24:MI') AS changed
FROM support.tickets AS t
JOIN found AS f ON f.id = t.id
JOIN support.users AS u ON u.id = coalesce(t.requester_id, t.creator_id)
WHERE t.deleted_at IS NULL
ORDER BY t.updated_at DESC, t.id DESC
LIMIT :'rows'::bigint
-- psql has the values by now: they are for this call alone
\unset words
\unset rows
\g

\ir lib/end.sql
