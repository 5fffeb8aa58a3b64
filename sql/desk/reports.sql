-- Reports: computed from the live rows and the status changes in the log, deleted tickets left out.

CREATE OR REPLACE VIEW support_internal.status_changes AS
SELECT
	a.ticket_id,
	a.id AS audit_id,
	a.occurred_at,
	a.actor_id,
	t.team_id,
	a.old_value ->> 'status' AS old_status,
	coalesce(n.category = ANY (ARRAY['solved', 'closed']), false)
		AND NOT coalesce(o.category = ANY (ARRAY['solved', 'closed']), false) AS solves,
	coalesce(o.category = ANY (ARRAY['solved', 'closed']), false)
		AND NOT coalesce(n.category = ANY (ARRAY['solved', 'closed']), false) AS reopens
FROM support.audit_log AS a
JOIN support.tickets AS t ON t.id = a.ticket_id
LEFT JOIN support.statuses AS o ON o.name = a.old_value ->> 'status'
LEFT JOIN support.statuses AS n ON n.name = a.new_value ->> 'status'
WHERE t.deleted_at IS NULL AND a.table_name = 'tickets' AND a.action = 'UPDATE' AND a.old_value ? 'status';

COMMENT ON VIEW support_internal.status_changes IS
	'The changes of status of the live tickets, as the log has them; a status that is gone counts as unsolved.';
COMMENT ON COLUMN support_internal.status_changes.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.status_changes.audit_id IS 'The log entry.';
COMMENT ON COLUMN support_internal.status_changes.occurred_at IS 'When.';
COMMENT ON COLUMN support_internal.status_changes.actor_id IS 'By whom.';
COMMENT ON COLUMN support_internal.status_changes.team_id IS 'The team that the ticket has now.';
COMMENT ON COLUMN support_internal.status_changes.old_status IS 'The status that was left.';
COMMENT ON COLUMN support_internal.status_changes.solves IS 'Whether the ticket became solved or closed.';
COMMENT ON COLUMN support_internal.status_changes.reopens IS 'Whether the ticket left solved and closed.';

CREATE OR REPLACE VIEW support.report_status AS
SELECT
	s.name AS status,
	s.category,
	coalesce(n.tickets, 0) AS tickets,
	coalesce(100.0 * n.tickets / nullif(sum(n.tickets) OVER (), 0), 0)::numeric(5, 1) AS percent,
	date_trunc('minute', support.desk_now() - n.oldest_at) AS oldest
FROM support.statuses AS s
LEFT JOIN
	(
		SELECT t.status, count(*) AS tickets, min(t.created_at) AS oldest_at
		FROM support.tickets AS t
		WHERE t.deleted_at IS NULL
		GROUP BY t.status
	) AS n ON n.status = s.name
ORDER BY s.position, s.name;

COMMENT ON VIEW support.report_status IS 'How many tickets there are in each status.';
COMMENT ON COLUMN support.report_status.status IS 'Status.';
COMMENT ON COLUMN support.report_status.category IS 'What the status means.';
COMMENT ON COLUMN support.report_status.tickets IS 'Tickets in it.';
COMMENT ON COLUMN support.report_status.percent IS 'Their share of all tickets.';
COMMENT ON COLUMN support.report_status.oldest IS 'Age of the oldest of them, in whole minutes.';

CREATE OR REPLACE VIEW support.report_priority AS
SELECT
	p.name AS priority,
	count(t.id) AS open,
	count(t.id) FILTER (WHERE t.assignee_id IS NULL) AS unassigned,
	date_trunc('minute', support.desk_now() - min(t.created_at)) AS oldest
FROM support.priorities AS p
LEFT JOIN
	(
		SELECT u.id, coalesce(u.priority, 'normal') AS priority, u.assignee_id, u.created_at
		FROM support.tickets AS u
		JOIN support.statuses AS s ON s.name = u.status
		WHERE u.deleted_at IS NULL AND s.category <> ALL (ARRAY['solved', 'closed'])
	) AS t ON t.priority = p.name
GROUP BY p.name, p.rank
ORDER BY p.rank DESC;

COMMENT ON VIEW support.report_priority IS 'The unsolved tickets by priority; one without counts as normal.';
COMMENT ON COLUMN support.report_priority.priority IS 'Priority.';
COMMENT ON COLUMN support.report_priority.open IS 'Unsolved tickets of that priority.';
COMMENT ON COLUMN support.report_priority.unassigned IS 'Those of them that nobody works on.';
COMMENT ON COLUMN support.report_priority.oldest IS 'Age of the oldest of them, in whole minutes.';

CREATE OR REPLACE VIEW support.report_daily AS
WITH first_statuses AS
(
	SELECT DISTINCT ON (c.ticket_id) c.ticket_id, c.old_status
	FROM support_internal.status_changes AS c
	ORDER BY c.ticket_id, c.audit_id
),
moves AS
(
	SELECT
		t.created_at AS moved_at,
		1 AS created,
		0 AS solved,
		0 AS reopened,
		CASE WHEN s.category = ANY (ARRAY['solved', 'closed']) THEN 0 ELSE 1 END AS opened
	FROM support.tickets AS t
	LEFT JOIN first_statuses AS f ON f.ticket_id = t.id
	LEFT JOIN support.statuses AS s ON s.name = coalesce(f.old_status, t.status)
	WHERE t.deleted_at IS NULL
	UNION ALL
	SELECT c.occurred_at, 0, c.solves::integer, c.reopens::integer, c.reopens::integer - c.solves::integer
	FROM support_internal.status_changes AS c
),
daily AS
(
	SELECT
		m.moved_at::date AS day,
		sum(m.created) AS created,
		sum(m.solved) AS solved,
		sum(m.reopened) AS reopened,
		sum(m.opened) AS opened
	FROM moves AS m
	GROUP BY m.moved_at::date
),
days AS
(
	SELECT g.at::date AS day
	FROM generate_series
	(
		(SELECT min(d.day) FROM daily AS d)::timestamp,
		greatest((SELECT max(d.day) FROM daily AS d), support.desk_now()::date)::timestamp,
		'1 day'::interval
	) AS g (at)
)
SELECT
	days.day,
	coalesce(d.created, 0) AS created,
	coalesce(d.solved, 0) AS solved,
	coalesce(d.reopened, 0) AS reopened,
	(sum(coalesce(d.opened, 0)) OVER (ORDER BY days.day))::bigint AS open_at_end
FROM days
LEFT JOIN daily AS d ON d.day = days.day
ORDER BY days.day;

COMMENT ON VIEW support.report_daily IS
	'What came in and went out on each day of the session''s time zone, from the first ticket to today.';
COMMENT ON COLUMN support.report_daily.day IS 'Day.';
COMMENT ON COLUMN support.report_daily.created IS 'Tickets opened on it.';
COMMENT ON COLUMN support.report_daily.solved IS 'How often a ticket became solved or closed.';
COMMENT ON COLUMN support.report_daily.reopened IS 'How often a ticket left solved or closed.';
COMMENT ON COLUMN support.report_daily.open_at_end IS 'Unsolved tickets when the day ended.';

CREATE OR REPLACE VIEW support.report_agents AS
WITH assigned AS
(
	SELECT
		t.assignee_id,
		count(*) AS open,
		count(t.waiting_since) AS waiting_on_agent,
		min(t.waiting_since) AS waiting_since
	FROM support.tickets AS t
	JOIN support.statuses AS s ON s.name = t.status
	WHERE t.deleted_at IS NULL AND s.category <> ALL (ARRAY['solved', 'closed'])
	GROUP BY t.assignee_id
),
replies AS
(
	SELECT c.author_id, count(*) AS replies
	FROM support.comments AS c
	JOIN support.tickets AS t ON t.id = c.ticket_id
	WHERE t.deleted_at IS NULL
		AND c.deleted_at IS NULL
		AND NOT c.is_private
		AND c.author_role = ANY (ARRAY['agent', 'team_lead', 'admin'])
		AND c.via <> ALL (ARRAY['auto', 'bot'])
		AND c.created_at > support.desk_now() - '30 days'::interval
		AND c.created_at <= support.desk_now()
	GROUP BY c.author_id
),
solves AS
(
	SELECT c.actor_id, count(*) AS solves
	FROM support_internal.status_changes AS c
	WHERE c.solves
		AND c.occurred_at > support.desk_now() - '30 days'::interval
		AND c.occurred_at <= support.desk_now()
	GROUP BY c.actor_id
)
SELECT
	u.full_name AS agent,
	coalesce(a.open, 0) AS open,
	coalesce(a.waiting_on_agent, 0) AS waiting_on_agent,
	date_trunc('minute', support.desk_now() - a.waiting_since) AS oldest_waiting,
	coalesce(r.replies, 0) AS replies_30d,
	coalesce(s.solves, 0) AS solved_30d
FROM support.users AS u
LEFT JOIN assigned AS a ON a.assignee_id = u.id
LEFT JOIN replies AS r ON r.author_id = u.id
LEFT JOIN solves AS s ON s.actor_id = u.id
WHERE u.is_active AND u.role = ANY (ARRAY['agent', 'team_lead', 'admin'])
ORDER BY u.full_name, u.id;

COMMENT ON VIEW support.report_agents IS 'What each active agent, team lead and administrator has to do and did.';
COMMENT ON COLUMN support.report_agents.agent IS 'Name.';
COMMENT ON COLUMN support.report_agents.open IS 'Unsolved tickets assigned now.';
COMMENT ON COLUMN support.report_agents.waiting_on_agent IS 'Those of them whose customer waits for an answer.';
COMMENT ON COLUMN support.report_agents.oldest_waiting IS 'How long the longest of these waits, in whole minutes.';
COMMENT ON COLUMN support.report_agents.replies_30d IS 'Public comments of the last 30 days.';
COMMENT ON COLUMN support.report_agents.solved_30d IS 'How often the agent made a ticket solved or closed in the last 30 days, whoever it was assigned to.';

CREATE OR REPLACE VIEW support.report_teams AS
WITH routed AS
(
	SELECT
		t.team_id,
		count(*) FILTER (WHERE x.is_open) AS open,
		count(*) FILTER (WHERE x.is_open AND t.assignee_id IS NULL) AS unassigned,
		min(t.created_at) FILTER (WHERE x.is_open) AS oldest_at,
		count(*) FILTER
		(
			WHERE t.created_at > support.desk_now() - '30 days'::interval AND t.created_at <= support.desk_now()
		) AS created
	FROM support.tickets AS t
	JOIN support.statuses AS s ON s.name = t.status
	CROSS JOIN LATERAL (SELECT s.category <> ALL (ARRAY['solved', 'closed']) AS is_open) AS x
	WHERE t.deleted_at IS NULL AND t.team_id IS NOT NULL
	GROUP BY t.team_id
),
solves AS
(
	SELECT c.team_id, count(*) AS solves
	FROM support_internal.status_changes AS c
	WHERE c.solves
		AND c.occurred_at > support.desk_now() - '30 days'::interval
		AND c.occurred_at <= support.desk_now()
	GROUP BY c.team_id
)
SELECT
	team.name AS team,
	coalesce(r.open, 0) AS open,
	coalesce(r.unassigned, 0) AS unassigned,
	date_trunc('minute', support.desk_now() - r.oldest_at) AS oldest,
	coalesce(r.created, 0) AS created_30d,
	coalesce(s.solves, 0) AS solved_30d
FROM support.teams AS team
LEFT JOIN routed AS r ON r.team_id = team.id
LEFT JOIN solves AS s ON s.team_id = team.id
ORDER BY team.name, team.id;

COMMENT ON VIEW support.report_teams IS 'What each team has to do and did, by the team that a ticket has now.';
COMMENT ON COLUMN support.report_teams.team IS 'Name.';
COMMENT ON COLUMN support.report_teams.open IS 'Unsolved tickets.';
COMMENT ON COLUMN support.report_teams.unassigned IS 'Those of them that nobody works on.';
COMMENT ON COLUMN support.report_teams.oldest IS 'Age of the oldest unsolved ticket, in whole minutes.';
COMMENT ON COLUMN support.report_teams.created_30d IS 'Tickets opened in the last 30 days.';
COMMENT ON COLUMN support.report_teams.solved_30d IS 'How often a ticket of the team became solved or closed in the last 30 days.';
