-- Sets :user_id to the id of :user, which is an e-mail address or an id.

:desk_safely
SELECT
	count(*) = 0 AS refused,
	coalesce(max(u.id)::text, '') AS user_id,
	format('user "%s" does not exist', :'user') AS problem,
	'A user is named by e-mail address or id.' AS remedy
FROM support.users AS u
WHERE u.email_key = lower(:'user') OR u.id = CASE WHEN :'user' ~ '^[0-9]{1,18}$' THEN :'user'::text::bigint END
\gset
\if :refused
	\ir refuse.sql
\endif
