-- Reports on groups of tickets, and on who did what. A range is the last 90 days of the session's time zone, today
-- included.

CREATE OR REPLACE VIEW support.report_channels AS
WITH counted AS
(
	SELECT s.value, s.n AS created, 0 AS solved, 0 AS open
	FROM support_internal.stat_series('tickets', 'c', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, s.n, 0
	FROM support_internal.stat_series('solved', 'c', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, 0, s.n
	FROM support_internal.stat_totals('open', 'c') AS s
),
channels AS
(
	SELECT
		c.value,
		sum(c.created) AS created,
		sum(c.solved) AS solved,
		sum(c.open) AS open,
		least(row_number() OVER (ORDER BY sum(c.created) DESC, sum(c.open) DESC, c.value), 51) AS place
	FROM counted AS c
	GROUP BY c.value
)
SELECT
	CASE
		WHEN c.place = 51 THEN '(others)'
		ELSE coalesce(nullif(min(c.value), ''), '(none)')
	END AS channel,
	sum(c.created)::bigint AS created,
	coalesce(100.0 * sum(c.created) / nullif(sum(sum(c.created)) OVER (), 0), 0)::numeric(5, 1) AS percent,
	sum(c.solved)::bigint AS solved,
	sum(c.open)::bigint AS open
FROM channels AS c
GROUP BY c.place
ORDER BY c.place;

COMMENT ON VIEW support.report_channels IS
	'The channels that tickets came by in the last 90 days: the 50 with most tickets, and the rest together.';
COMMENT ON COLUMN support.report_channels.channel IS 'Channel; (none) for tickets without one, (others).';
COMMENT ON COLUMN support.report_channels.created IS 'Tickets opened in the range.';
COMMENT ON COLUMN support.report_channels.percent IS 'Their share of all tickets opened in the range.';
COMMENT ON COLUMN support.report_channels.solved IS 'How often a ticket of the channel became solved or closed in the range.';
COMMENT ON COLUMN support.report_channels.open IS 'Unsolved tickets of the channel now.';

CREATE OR REPLACE VIEW support.report_organizations AS
WITH counted AS
(
	SELECT s.value, s.n AS created, 0 AS solved, 0 AS open
	FROM support_internal.stat_series('tickets', 'o', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, s.n, 0
	FROM support_internal.stat_series('solved', 'o', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, 0, s.n
	FROM support_internal.stat_totals('open', 'o') AS s
),
organizations AS
(
	SELECT
		c.value,
		sum(c.created) AS created,
		sum(c.solved) AS solved,
		sum(c.open) AS open,
		least(row_number() OVER (ORDER BY sum(c.created) DESC, sum(c.open) DESC, c.value), 51) AS place
	FROM counted AS c
	GROUP BY c.value
),
lines AS
(
	SELECT
		o.place,
		CASE WHEN o.place < 51 THEN min(o.value) END AS value,
		sum(o.created)::bigint AS created,
		sum(o.solved)::bigint AS solved,
		sum(o.open)::bigint AS open
	FROM organizations AS o
	GROUP BY o.place
)
SELECT
	CASE
		WHEN l.place = 51 THEN '(others)'
		WHEN l.value = '' THEN '(none)'
		ELSE coalesce(organization.name::text, l.value)
	END AS organization,
	l.created,
	l.solved,
	l.open
FROM lines AS l
LEFT JOIN support.organizations AS organization ON organization.id = nullif(l.value, '')::bigint
ORDER BY l.place;

COMMENT ON VIEW support.report_organizations IS
	'The organizations that tickets came from in the last 90 days: the 50 with most tickets, and the rest together.';
COMMENT ON COLUMN support.report_organizations.organization IS 'Name; (none) for tickets without one, (others).';
COMMENT ON COLUMN support.report_organizations.created IS 'Tickets opened in the range.';
COMMENT ON COLUMN support.report_organizations.solved IS 'How often a ticket of the organization became solved or closed in the range.';
COMMENT ON COLUMN support.report_organizations.open IS 'Unsolved tickets of the organization now.';

CREATE OR REPLACE VIEW support.report_tags AS
WITH counted AS
(
	SELECT s.value, s.n AS created, 0 AS open, 0 AS tickets
	FROM support_internal.stat_series('tickets', 'g', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, s.n, 0
	FROM support_internal.stat_totals('open', 'g') AS s
	UNION ALL
	SELECT s.value, 0, 0, s.n
	FROM support_internal.stat_totals('tickets', 'g') AS s
),
tags AS
(
	SELECT
		c.value,
		sum(c.created) AS created,
		sum(c.open) AS open,
		sum(c.tickets) AS tickets,
		least(row_number() OVER (ORDER BY sum(c.created) DESC, sum(c.tickets) DESC, c.value), 51) AS place
	FROM counted AS c
	GROUP BY c.value
),
lines AS
(
	SELECT
		t.place,
		CASE WHEN t.place < 51 THEN min(t.value) END AS value,
		sum(t.created)::bigint AS created,
		sum(t.open)::bigint AS open,
		sum(t.tickets)::bigint AS tickets
	FROM tags AS t
	GROUP BY t.place
)
SELECT
	CASE WHEN l.place = 51 THEN '(others)' ELSE coalesce(tag.name::text, l.value) END AS tag,
	l.created,
	l.open,
	l.tickets
FROM lines AS l
LEFT JOIN support.tags AS tag ON tag.id = nullif(l.value, '')::bigint
ORDER BY l.place;

COMMENT ON VIEW support.report_tags IS
	'The tags that tickets have: the 50 with most tickets opened in the last 90 days, and the rest together. A ticket counts for each of its tags.';
COMMENT ON COLUMN support.report_tags.tag IS 'Tag; (others).';
COMMENT ON COLUMN support.report_tags.created IS 'Tickets with the tag that were opened in the range.';
COMMENT ON COLUMN support.report_tags.open IS 'Unsolved tickets with the tag.';
COMMENT ON COLUMN support.report_tags.tickets IS 'Tickets with the tag, whenever they were opened.';

CREATE OR REPLACE VIEW support.report_activity AS
WITH entries AS
(
	SELECT
		a.actor_id,
		CASE WHEN a.actor_id IS NULL THEN a.db_role END AS db_role,
		a.ticket_id,
		a.occurred_at::date AS day,
		count(*) FILTER (WHERE a.action = 'INSERT') AS created,
		count(*) FILTER (WHERE a.action = 'UPDATE') AS changed,
		count(*) FILTER (WHERE a.action = 'DELETE') AS deleted,
		count(*) FILTER (WHERE a.action <> ALL (ARRAY['INSERT', 'UPDATE', 'DELETE'])) AS events,
		max(a.occurred_at) AS last_at
	FROM support.audit_log AS a
	WHERE a.occurred_at >= (SELECT (support_internal.last_days(90))[1])
		AND a.occurred_at < (SELECT (support_internal.last_days(90))[2])
	GROUP BY 1, 2, 3, 4
),
people AS
(
	SELECT
		e.actor_id,
		e.db_role,
		least
		(
			row_number() OVER (ORDER BY sum(e.created + e.changed + e.deleted + e.events) DESC, e.actor_id, e.db_role),
			51
		) AS place
	FROM entries AS e
	GROUP BY e.actor_id, e.db_role
),
lines AS
(
	SELECT
		p.place,
		min(p.actor_id) AS actor_id,
		min(p.db_role) AS db_role,
		sum(e.created)::bigint AS created,
		sum(e.changed)::bigint AS changed,
		sum(e.deleted)::bigint AS deleted,
		sum(e.events)::bigint AS events,
		count(DISTINCT nullif(e.ticket_id, 0)) AS tickets,
		count(DISTINCT e.day) AS days,
		max(e.last_at) AS last_at
	FROM entries AS e
	JOIN people AS p ON p.actor_id IS NOT DISTINCT FROM e.actor_id AND p.db_role IS NOT DISTINCT FROM e.db_role
	GROUP BY p.place
)
SELECT
	CASE
		WHEN l.place = 51 THEN '(others)'
		WHEN l.actor_id IS NULL THEN coalesce(l.db_role, '(none)')
		ELSE coalesce(actor.full_name::text, l.actor_id::text)
	END AS who,
	l.created,
	l.changed,
	l.deleted,
	l.events,
	l.tickets,
	l.days,
	l.last_at
FROM lines AS l
LEFT JOIN support.users AS actor ON actor.id = l.actor_id
ORDER BY l.place;

COMMENT ON VIEW support.report_activity IS
	'Who did how much in the last 90 days, as the log tells, deleted tickets included: the 50 who did most, and the rest together. Reads the log of these days.';
COMMENT ON COLUMN support.report_activity.who IS 'Name of the acting user; the database role where there was none; (others).';
COMMENT ON COLUMN support.report_activity.created IS 'Records made: tickets, comments, tags of tickets and so on.';
COMMENT ON COLUMN support.report_activity.changed IS 'Changes of records.';
COMMENT ON COLUMN support.report_activity.deleted IS 'Records removed.';
COMMENT ON COLUMN support.report_activity.events IS 'Other events.';
COMMENT ON COLUMN support.report_activity.tickets IS 'Different tickets that these were about.';
COMMENT ON COLUMN support.report_activity.days IS 'Days of the session''s time zone with any of these.';
COMMENT ON COLUMN support.report_activity.last_at IS 'When the last one was.';
