-- What import.sql does within its transaction. Sets :imported to true, and :lines, :opened and :known to how many there
-- are; or shows what is wrong, and sets :problem.

\set ON_ERROR_STOP on

SELECT support.set_actor(nullif(:'actor_id', '')::bigint, is_local => true) AS acting \gset

CREATE TEMPORARY TABLE import_lines
(
	place bigint GENERATED ALWAYS AS IDENTITY,
	external_id text,
	ticket_number text,
	title text,
	description text,
	status text,
	priority text,
	requester text,
	assignee text,
	team text,
	channel text,
	tags text,
	custom text,
	created_at text,
	solved_at text
)
ON COMMIT DROP;
CREATE TEMPORARY TABLE import_results (line bigint, is_known boolean, problem text) ON COMMIT DROP;

-- the line that the copy fails at is in the context of its error
\set SHOW_CONTEXT errors
:copy_lines
\set SHOW_CONTEXT never

-- A line of a text that is nothing but backslashes and a dot has one backslash more than the text, see export.sql
UPDATE pg_temp.import_lines
SET (external_id, ticket_number, title, description, team, channel, tags) =
(
	SELECT
		regexp_replace(external_id, s.shield, '\1', 'g'),
		regexp_replace(ticket_number, s.shield, '\1', 'g'),
		regexp_replace(title, s.shield, '\1', 'g'),
		regexp_replace(description, s.shield, '\1', 'g'),
		regexp_replace(team, s.shield, '\1', 'g'),
		regexp_replace(channel, s.shield, '\1', 'g'),
		regexp_replace(tags, s.shield, '\1', 'g')
	FROM (VALUES ('(?<=\n)\\(\\+\.\r?\n)')) AS s (shield)
)
WHERE strpos(concat_ws('', external_id, ticket_number, title, description, team, channel, tags), E'\n\\\\') > 0;

-- Each line has a transaction within the transaction, so that all that is wrong is found at once
DO $$
DECLARE
	l record;
	new_id bigint;
	by_whom bigint;
	for_whom bigint;
	for_team bigint;
	known boolean;
BEGIN
	FOR l IN
		WITH lines AS
		(
			-- as the desk keeps names and keys, so that what it knows is known by them; a blank value is none
			SELECT
				support.line_text(i.external_id) AS external_id,
				support.line_text(i.ticket_number) AS ticket_number,
				i.title,
				coalesce(i.description, '') AS description,
				support.line_text(i.status) AS status,
				support.line_text(i.priority) AS priority,
				support.line_text(i.requester) AS requester,
				support.line_text(i.assignee) AS assignee,
				support.line_text(i.team) AS team,
				support.line_text(i.channel) AS channel,
				ARRAY
				(
					SELECT support.line_text(g.tag)
					FROM unnest(string_to_array(i.tags, ',')) AS g (tag)
					WHERE support.line_text(g.tag) IS NOT NULL
				) AS tags,
				support.line_text(i.custom) AS custom,
				support.line_text(i.created_at) AS created_at,
				support.line_text(i.solved_at) AS solved_at,
				i.place,
				-- a row begins below the header and all lines of the rows before
				2 + coalesce(sum(1 + regexp_count(i::text, '\n')) OVER before, 0) AS line
			FROM pg_temp.import_lines AS i
			WINDOW before AS (ORDER BY i.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
		)
		SELECT
			n.*,
			coalesce(n.external_id, n.ticket_number) AS key,
			row_number() OVER alike > 1 AS is_repeated
		FROM lines AS n
		WINDOW
			alike AS
			(
				PARTITION BY n.external_id, CASE WHEN n.external_id IS NULL THEN n.ticket_number END
				ORDER BY n.place
			)
		ORDER BY n.place
	LOOP
		BEGIN
			IF l.key IS NULL THEN
				RAISE EXCEPTION 'neither external_id nor ticket_number';
			ELSIF l.is_repeated THEN
				RAISE EXCEPTION '"%" is in an earlier line', l.key;
			END IF;
			-- each by its index: one condition for both would read all tickets for each line
			IF l.external_id IS NOT NULL THEN
				known := EXISTS (SELECT FROM support.tickets AS t WHERE t.external_id = l.external_id);
			ELSE
				known := EXISTS (SELECT FROM support.tickets AS t WHERE t.ticket_number = l.ticket_number);
			END IF;
			IF NOT known THEN
				SELECT u.id INTO by_whom FROM support.users AS u WHERE u.email_key = lower(l.requester);
				IF NOT FOUND THEN
					RAISE EXCEPTION 'requester "%" does not exist', coalesce(l.requester, '');
				END IF;
				SELECT u.id INTO for_whom FROM support.users AS u WHERE u.email_key = lower(l.assignee);
				IF NOT FOUND AND l.assignee IS NOT NULL THEN
					RAISE EXCEPTION 'assignee "%" does not exist', l.assignee;
				END IF;
				SELECT t.id INTO for_team FROM support.teams AS t WHERE lower(t.name) = lower(l.team) LIMIT 1;
				IF NOT FOUND AND l.team IS NOT NULL THEN
					RAISE EXCEPTION 'team "%" does not exist', l.team;
				END IF;
				INSERT INTO support.tickets (external_id, ticket_number, title, description, status, priority,
					creator_id, assignee_id, team_id, channel, custom, created_at, solved_at, first_solved_at)
				VALUES (l.external_id, l.ticket_number, l.title, l.description, l.status, l.priority,
					by_whom, for_whom, for_team, l.channel, coalesce(l.custom::jsonb, '{}'), l.created_at::timestamptz,
					l.solved_at::timestamptz, l.solved_at::timestamptz)
				RETURNING id INTO new_id;
				PERFORM support.tag_ticket(new_id, l.tags)
				WHERE l.tags <> '{}';
			END IF;
			INSERT INTO pg_temp.import_results (line, is_known) VALUES (l.line, known);
		EXCEPTION
			WHEN OTHERS THEN
				INSERT INTO pg_temp.import_results (line, problem) VALUES (l.line, SQLERRM);
		END;
	END LOOP;
END
$$;

SELECT
	count(*) AS lines,
	count(*) FILTER (WHERE NOT r.is_known) AS opened,
	count(*) FILTER (WHERE r.is_known) AS known,
	format('%s of %s tickets are wrong', count(r.problem), count(*)) AS problem,
	count(r.problem) = 0 AS imported
FROM pg_temp.import_results AS r
\gset
SELECT r.line, support.terminal_text(r.problem, true) AS problem
FROM pg_temp.import_results AS r
WHERE r.problem IS NOT NULL
ORDER BY r.line
LIMIT 30
\if :imported
	\r
\else
	\g
\endif
