-- How the promises stand. What a clock's row has is of its checkpoint; these tell how it stands now.

CREATE OR REPLACE VIEW support.sla_status WITH (security_invoker = true) AS
SELECT
	c.ticket_id,
	c.id AS clock_id,
	c.metric,
	c.instance,
	p.name AS policy,
	c.state,
	c.target,
	c.consumed + n.since AS consumed,
	c.target - c.consumed - n.since AS remaining,
	c.due_at,
	n.is_missed OR c.breached_at IS NOT NULL AS is_breached,
	CASE WHEN n.is_missed THEN c.due_at ELSE c.breached_at END AS breached_at,
	CASE WHEN n.is_missed THEN 'due' ELSE c.breach_reason END AS breach_reason,
	c.started_at,
	c.ended_at,
	c.cancel_reason
FROM support.sla_clocks AS c
JOIN support.tickets AS t ON t.id = c.ticket_id
LEFT JOIN support.sla_policies AS p ON p.id = c.policy_id
CROSS JOIN LATERAL
	(
		SELECT
			c.state = 'running' AND c.breached_at IS NULL AND coalesce(c.due_at < support.desk_now(), false) AS is_missed,
			CASE
				WHEN c.state = 'running'
				THEN support_internal.sla_elapsed(c.calendar_id, c.calendar_version, c.checkpoint_at, support.desk_now())
				ELSE '0'::interval
			END AS since
	) AS n
WHERE t.deleted_at IS NULL;

COMMENT ON VIEW support.sla_status IS
	'The clocks of the live tickets as they stand at this moment, whether or not anybody announced what is due.';
COMMENT ON COLUMN support.sla_status.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support.sla_status.clock_id IS 'Key of the clock, together with the ticket.';
COMMENT ON COLUMN support.sla_status.metric IS 'What is measured, see sla_targets.';
COMMENT ON COLUMN support.sla_status.instance IS 'From 1 on: of the clocks of this metric that the ticket had.';
COMMENT ON COLUMN support.sla_status.policy IS 'Name of the policy that promised it.';
COMMENT ON COLUMN support.sla_status.state IS 'running, paused, fulfilled or cancelled.';
COMMENT ON COLUMN support.sla_status.target IS 'The time promised.';
COMMENT ON COLUMN support.sla_status.consumed IS 'The time used until now, or until the clock ended.';
COMMENT ON COLUMN support.sla_status.remaining IS 'What is left of the target; negative: so much more was used.';
COMMENT ON COLUMN support.sla_status.due_at IS
	'The last instant that is in time; NULL while the clock stands still, and where it is beyond the year 9999.';
COMMENT ON COLUMN support.sla_status.is_breached IS 'Whether the promise is broken.';
COMMENT ON COLUMN support.sla_status.breached_at IS 'When it was broken.';
COMMENT ON COLUMN support.sla_status.breach_reason IS 'due: the time was up. retarget: more was used than another promise allows.';
COMMENT ON COLUMN support.sla_status.started_at IS 'When the promise was made.';
COMMENT ON COLUMN support.sla_status.ended_at IS 'When it was fulfilled or cancelled.';
COMMENT ON COLUMN support.sla_status.cancel_reason IS 'Why it was cancelled, see sla_clocks.';

CREATE OR REPLACE VIEW support.report_sla AS
WITH counted AS
(
	SELECT s.value, s.n AS achieved, 0 AS breached, 0 AS still_open
	FROM support_internal.stat_series('sla_achieved', 's', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, s.n, 0
	FROM support_internal.stat_series('sla_breached', 's', support_internal.last_days(90)) AS s
	UNION ALL
	SELECT s.value, 0, 0, s.n
	FROM support_internal.stat_series('sla_late', 's', support_internal.last_days(90)) AS s
	UNION ALL
	-- what nobody has announced: whoever has the ticket has had it since
	SELECT concat_ws('/', c.metric, c.policy_id, coalesce(t.team_id, 0), coalesce(t.assignee_id, 0)), 0, 1, 1
	FROM support.sla_clocks AS c
	JOIN support.tickets AS t ON t.id = c.ticket_id
	WHERE c.wake_at <= support.desk_now()
		AND c.state = 'running'
		AND c.breached_at IS NULL
		AND c.due_at < support.desk_now()
		AND c.due_at >= (SELECT support_internal.last_days(90))[1]
		AND t.deleted_at IS NULL
),
placed AS
(
	SELECT
		split_part(c.value, '/', 1) AS metric,
		split_part(c.value, '/', 2)::bigint AS policy_id,
		split_part(c.value, '/', 3)::bigint AS team_id,
		split_part(c.value, '/', 4)::bigint AS assignee_id,
		sum(c.achieved + c.breached)::bigint AS decided,
		sum(c.achieved)::bigint AS achieved,
		sum(c.breached)::bigint AS breached,
		sum(c.still_open)::bigint AS still_open
	FROM counted AS c
	GROUP BY c.value
	HAVING sum(c.achieved + c.breached) > 0
)
SELECT
	l.metric,
	p.name AS policy,
	team.name AS team,
	assignee.full_name AS assignee,
	l.decided,
	l.achieved,
	l.breached,
	l.still_open,
	(100.0 * l.achieved / l.decided)::numeric(5, 1) AS percent
FROM placed AS l
LEFT JOIN support.sla_policies AS p ON p.id = l.policy_id
LEFT JOIN support.teams AS team ON team.id = l.team_id
LEFT JOIN support.users AS assignee ON assignee.id = l.assignee_id
ORDER BY
	array_position
	(
		ARRAY['first_reply', 'next_reply', 'periodic_update', 'requester_wait', 'agent_work', 'resolution', 'ownership'],
		l.metric
	),
	p.position,
	l.policy_id,
	team.name,
	l.team_id,
	assignee.full_name,
	l.assignee_id;

COMMENT ON VIEW support.report_sla IS
	'How many promises were kept in the last 90 days of the session''s time zone, today included: those that were fulfilled in time, or broken, in that range; what nobody has announced yet is counted.';
COMMENT ON COLUMN support.report_sla.metric IS 'What was promised, see sla_targets.';
COMMENT ON COLUMN support.report_sla.policy IS 'Name of the policy that promised it.';
COMMENT ON COLUMN support.report_sla.team IS
	'Name of the team that had the ticket when the promise was broken, or kept; NULL for none.';
COMMENT ON COLUMN support.report_sla.assignee IS 'Name of the agent who had the ticket then; NULL for none.';
COMMENT ON COLUMN support.report_sla.decided IS 'Promises that were kept or broken.';
COMMENT ON COLUMN support.report_sla.achieved IS 'Those that were kept.';
COMMENT ON COLUMN support.report_sla.breached IS 'Those that were broken.';
COMMENT ON COLUMN support.report_sla.still_open IS 'Those of them that are yet to be fulfilled.';
COMMENT ON COLUMN support.report_sla.percent IS 'The kept ones of those decided.';

CREATE OR REPLACE FUNCTION support.sla_kept(
	from_at timestamptz,
	to_at timestamptz,
	team_id bigint DEFAULT NULL
)
RETURNS TABLE
(
	metric text,
	decided bigint,
	achieved bigint,
	breached bigint,
	still_open bigint,
	percent numeric
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH counted AS
	(
		SELECT s.value, s.n AS achieved, 0 AS breached, 0 AS still_open
		FROM support_internal.stat_series('sla_achieved', 's', ARRAY[from_at, to_at]) AS s
		UNION ALL
		SELECT s.value, 0, s.n, 0
		FROM support_internal.stat_series('sla_breached', 's', ARRAY[from_at, to_at]) AS s
		UNION ALL
		SELECT s.value, 0, 0, s.n
		FROM support_internal.stat_series('sla_late', 's', ARRAY[from_at, to_at]) AS s
		UNION ALL
		-- what nobody has announced: whoever has the ticket has had it since
		SELECT concat_ws('/', c.metric, c.policy_id, coalesce(t.team_id, 0)), 0, 1, 1
		FROM support.sla_clocks AS c
		JOIN support.tickets AS t ON t.id = c.ticket_id
		WHERE c.wake_at <= support.desk_now()
			AND c.state = 'running'
			AND c.breached_at IS NULL
			AND c.due_at < support.desk_now()
			AND c.due_at >= from_at
			AND c.due_at < to_at
			AND t.deleted_at IS NULL
	)
	SELECT
		split_part(c.value, '/', 1) AS metric,
		sum(c.achieved + c.breached)::bigint AS decided,
		sum(c.achieved)::bigint AS achieved,
		sum(c.breached)::bigint AS breached,
		sum(c.still_open)::bigint AS still_open,
		(100.0 * sum(c.achieved) / sum(c.achieved + c.breached))::numeric(5, 1) AS percent
	FROM counted AS c
	WHERE coalesce(split_part(c.value, '/', 3)::bigint = sla_kept.team_id, sla_kept.team_id IS NULL)
	GROUP BY split_part(c.value, '/', 1)
	HAVING sum(c.achieved + c.breached) > 0
	ORDER BY
		array_position
		(
			ARRAY['first_reply', 'next_reply', 'periodic_update', 'requester_wait', 'agent_work', 'resolution', 'ownership'],
			split_part(c.value, '/', 1)
		);
END;
COMMENT ON FUNCTION support.sla_kept(timestamptz, timestamptz, bigint) IS
	'How many promises were kept from one instant on and before another, by what was promised: those that were fulfilled in time, or broken, in that range, whoever announced it; of all teams, or of the one that had the ticket then. Metrics without any are left out.';
REVOKE ALL ON FUNCTION support.sla_kept(timestamptz, timestamptz, bigint) FROM PUBLIC;

-- A clock is to be looked at a microsecond after it is due, or earlier: the index on wake_at has all that are due by then.
-- What the view works out is worked out for the page alone.
CREATE OR REPLACE FUNCTION support_internal.clocks_at_risk(
	from_at timestamptz,
	to_at timestamptz,
	page_size bigint,
	working interval
)
RETURNS TABLE
(
	ticket_id bigint,
	clock_id bigint,
	ticket_number text,
	title text,
	priority text,
	team text,
	assignee text,
	metric text,
	due_at timestamptz,
	remaining interval
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH soonest AS MATERIALIZED
	(
		SELECT
			c.ticket_id,
			c.id,
			c.due_at,
			t.ticket_number,
			t.title,
			t.priority,
			t.team_id,
			t.assignee_id
		FROM support.sla_clocks AS c
		JOIN support.tickets AS t ON t.id = c.ticket_id
		WHERE c.wake_at <= (to_at + '1 microsecond'::interval)
			AND c.due_at >= from_at
			AND c.due_at <= to_at
			AND c.state = 'running'
			AND c.breached_at IS NULL
			AND t.deleted_at IS NULL
			AND
			(
				working IS NULL
				OR support_internal.sla_elapsed(c.calendar_id, c.calendar_version, from_at, c.due_at) <= working
			)
		ORDER BY c.due_at, c.ticket_id, c.id
		LIMIT page_size
	)
	SELECT
		n.ticket_id,
		n.id,
		n.ticket_number,
		n.title,
		coalesce(n.priority, 'normal'),
		team.name,
		assignee.full_name,
		s.metric,
		n.due_at,
		s.remaining
	FROM soonest AS n
	JOIN support.sla_status AS s ON s.ticket_id = n.ticket_id AND s.clock_id = n.id
	LEFT JOIN support.teams AS team ON team.id = n.team_id
	LEFT JOIN support.users AS assignee ON assignee.id = n.assignee_id;
END;
COMMENT ON FUNCTION support_internal.clocks_at_risk(timestamptz, timestamptz, bigint, interval) IS
	'The clocks that are due first in a range, so many at most, and, unless working is null, after so much time of their calendars at most: see support.sla_at_risk(). With the rights of the caller.';
