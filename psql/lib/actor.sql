-- Sets :actor_id to the acting user's id: that of :actor, an e-mail address or id, if it is set, else what
-- support.actor_id() says. It is empty if nobody acts.

\if :{?actor}
	\set user :actor
	\ir user.sql
	\set actor_id :user_id
\else
	:desk_safely SELECT coalesce(support.actor_id()::text, '') AS actor_id \gset
\endif
