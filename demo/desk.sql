-- A desk to try out: half a year at the support desk of Rookery, which rents out printers and runs a document service.
--
--   psql -X -q -v ON_ERROR_STOP=1 -f demo/desk.sql
--   psql -X -q -v ON_ERROR_STOP=1 -v tickets=500 -v seed=7 -v today=2026-03-31 -f demo/desk.sql
--
-- It wants a database in which the extension was just created, and a superuser, who may set the desk's clock.
--
--   tickets   how many are planned                                    2000
--   seed      another number makes another desk                       1
--   today     the last of the days, until 18:00; what still lies      now, whatever the hour
--             ahead stays out
--
-- First everything is planned: what happens, when, and who does it, drawn from the seed. Then it is played, one event
-- and one transaction after the other in the order of time, with support_ext.now at the time of the event. So the
-- audit log tells what it would after half a year of work. Equal variables give equal desks.

\encoding UTF8
\if :{?tickets}
\else
	\set tickets 2000
\endif
\if :{?seed}
\else
	\set seed 1
\endif
-- nothing is found by a path that others may write to
SET search_path = pg_catalog, pg_temp;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET synchronous_commit = off;
\if :{?today}
	SELECT least(:'today'::date + time '18:00', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS ends_at \gset
\else
	SELECT current_date AS today, now() AS ends_at \gset
\endif

CREATE TEMP TABLE plan AS
SELECT
	:'tickets'::integer AS tickets,
	:'seed'::bigint AS seed,
	:'today'::date AS today,
	:'ends_at'::timestamptz AS ends_at;

DO $$
BEGIN
	IF EXISTS (SELECT FROM support.users) THEN
		RAISE EXCEPTION 'this desk is in use: demo/desk.sql wants one that was just created';
	END IF;
END
$$;

\ir helpers.sql
\ir phrases.sql
\ir cast.sql
\ir promises.sql
\ir story.sql
\ir play.sql

-- The role that made the desk acts as a busy agent, so that support.my_tickets has something to show
SET support_ext.now = :'ends_at';
UPDATE support.users SET db_role = session_user WHERE email = 'aisha.rahman@rookery.example';
-- What is late is announced, and what happened since the last night is sealed
SELECT support.sla_tick() AS announced, support.seal_audit() AS sealed \gset
RESET support_ext.now;
RESET support_ext.actor_id;
DO $$
BEGIN
	RAISE NOTICE 'you are %: SELECT * FROM support.my_tickets;', support.set_actor(support.actor_id(), true);
END
$$;
RESET synchronous_commit;
RESET DateStyle;
RESET TimeZone;
VACUUM ANALYZE;
