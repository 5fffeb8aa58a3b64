-- What the reports should count: the same as the triggers keep, worked out from the tables and the log.

CREATE TABLE support_internal.stat_hidden_solves
(
	ticket_id bigint NOT NULL,
	CONSTRAINT stat_hidden_solves_pkey PRIMARY KEY (ticket_id)
);

COMMENT ON TABLE support_internal.stat_hidden_solves IS
	'Tickets that the log has solves or reopenings of, though their own row tells of none: undo() set it back, or the id of a removed ticket was used again.';
COMMENT ON COLUMN support_internal.stat_hidden_solves.ticket_id IS 'The ticket.';

CREATE OR REPLACE VIEW support_internal.stat_events AS
WITH entries AS
(
	SELECT
		a.ticket_id,
		a.id,
		a.occurred_at,
		a.actor_id,
		a.action,
		a.old_value ->> 'status' AS from_status,
		a.new_value ->> 'status' AS to_status,
		(a.old_value ->> 'version')::bigint AS version,
		a.action = 'UPDATE' AND (a.old_value ? 'version') IS NOT TRUE AS brought_in
	FROM support.audit_log AS a
	WHERE a.table_name = 'tickets'
		AND (a.action = 'INSERT' OR (a.action = 'UPDATE' AND a.old_value ? 'status'))
),
-- the desk's own entries keep their order, whatever the clock said; one that was brought in goes by its time
placed AS
(
	SELECT
		e.ticket_id,
		e.id,
		e.occurred_at,
		e.actor_id,
		e.action,
		e.from_status,
		e.to_status,
		e.version,
		e.brought_in,
		CASE
			WHEN e.brought_in THEN e.occurred_at
			ELSE max(e.occurred_at) FILTER (WHERE NOT e.brought_in) OVER (PARTITION BY e.ticket_id ORDER BY e.id)
		END AS placed_at
	FROM entries AS e
),
log AS
(
	SELECT
		p.ticket_id,
		p.id,
		p.occurred_at,
		p.actor_id,
		p.action,
		p.from_status,
		p.to_status,
		p.version,
		p.brought_in,
		p.placed_at,
		count(*) FILTER (WHERE p.action = 'INSERT') OVER (PARTITION BY p.ticket_id ORDER BY p.placed_at, p.id) AS life
	FROM placed AS p
),
changes AS
(
	SELECT
		l.ticket_id,
		l.id,
		l.occurred_at,
		l.actor_id,
		l.from_status,
		l.to_status,
		l.version,
		l.brought_in,
		l.placed_at,
		l.life,
		support_internal.is_solved(n.category)
			AND NOT support_internal.is_solved(o.category) AS solves,
		support_internal.is_solved(o.category)
			AND NOT support_internal.is_solved(n.category) AS reopens
	FROM log AS l
	LEFT JOIN support.statuses AS o ON o.name = l.from_status
	LEFT JOIN support.statuses AS n ON n.name = l.to_status
	WHERE l.action = 'UPDATE'
)
SELECT
	c.ticket_id,
	c.id AS audit_id,
	c.occurred_at,
	c.actor_id,
	c.from_status,
	c.to_status,
	c.solves,
	c.reopens,
	CASE
		WHEN c.solves THEN lag(c.occurred_at) OVER (PARTITION BY c.ticket_id, c.solves ORDER BY c.placed_at, c.id)
	END AS solved_before,
	first_value(c.from_status) OVER
	(
		PARTITION BY c.ticket_id
		ORDER BY c.life, c.placed_at, c.version NULLS FIRST, c.id
	) AS first_status,
	row_number() OVER
	(
		PARTITION BY c.ticket_id
		ORDER BY c.life, c.placed_at, c.version NULLS FIRST, c.id
	) AS place,
	c.brought_in
FROM changes AS c;

COMMENT ON VIEW support_internal.stat_events IS 'The changes of tickets'' statuses, as the log has them; a status that is gone counts as unsolved.';
COMMENT ON COLUMN support_internal.stat_events.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.stat_events.audit_id IS 'The log entry.';
COMMENT ON COLUMN support_internal.stat_events.occurred_at IS 'When.';
COMMENT ON COLUMN support_internal.stat_events.actor_id IS 'By whom.';
COMMENT ON COLUMN support_internal.stat_events.from_status IS 'The status that was left.';
COMMENT ON COLUMN support_internal.stat_events.to_status IS 'The status that was entered.';
COMMENT ON COLUMN support_internal.stat_events.solves IS 'Whether the ticket became solved or closed.';
COMMENT ON COLUMN support_internal.stat_events.reopens IS 'Whether the ticket left solved and closed.';
COMMENT ON COLUMN support_internal.stat_events.solved_before IS 'When the ticket was solved before, if it became solved.';
COMMENT ON COLUMN support_internal.stat_events.first_status IS 'The status that the ticket was opened in.';
COMMENT ON COLUMN support_internal.stat_events.place IS 'From 1 on: the order in which the ticket changed.';
COMMENT ON COLUMN support_internal.stat_events.brought_in IS 'Whether the entry was brought in from another system.';

CREATE OR REPLACE VIEW support_internal.stat_expected AS
WITH live AS
(
	SELECT
		t.id,
		t.status,
		t.priority,
		t.channel,
		t.team_id,
		t.assignee_id,
		t.organization_id,
		t.created_at,
		t.first_replied_at,
		t.first_solved_at,
		t.solved_at,
		t.waiting_since,
		t.reply_count,
		t.reopen_count,
		support_internal.is_solved(s.category) AS is_solved,
		isfinite(t.first_replied_at) IS TRUE AS is_answered,
		isfinite(t.first_solved_at) IS TRUE AS has_solve,
		isfinite(t.solved_at) IS TRUE AS has_last_solve,
		isfinite(t.waiting_since) IS TRUE AS waits
	FROM support.tickets AS t
	LEFT JOIN support.statuses AS s ON s.name = t.status
	WHERE t.deleted_at IS NULL
),
events AS
(
	SELECT
		e.ticket_id,
		e.occurred_at,
		e.actor_id,
		e.from_status,
		e.to_status,
		e.solves,
		e.reopens,
		e.solved_before,
		l.priority,
		l.channel,
		l.team_id,
		l.assignee_id,
		l.organization_id
	FROM support_internal.stat_events AS e
	JOIN live AS l ON l.id = e.ticket_id
)
-- what the ticket's own row tells
SELECT
	1 AS weight,
	support_internal.measure_bits('status_stock', 'tickets')
	+ CASE WHEN NOT l.is_solved THEN support_internal.measure_bits('open') ELSE 0 END
	+ CASE WHEN NOT l.is_solved AND l.assignee_id IS NULL THEN support_internal.measure_bits('unassigned') ELSE 0 END
	+ CASE WHEN NOT l.is_solved AND l.waits THEN support_internal.measure_bits('waiting') ELSE 0 END
	+ CASE WHEN NOT l.is_solved AND NOT l.is_answered THEN support_internal.measure_bits('unanswered') ELSE 0 END
	+ CASE WHEN l.is_answered THEN support_internal.measure_bits('first_reply', 'first_reply_cohort') ELSE 0 END
	+ CASE WHEN l.has_solve THEN support_internal.measure_bits('resolution', 'resolution_cohort') ELSE 0 END
	+ CASE WHEN l.is_solved AND l.has_last_solve THEN support_internal.measure_bits('full_resolution', 'full_resolution_cohort') ELSE 0 END
	+ CASE WHEN l.is_solved AND l.has_last_solve AND l.reply_count = 1 THEN support_internal.measure_bits('one_touch') ELSE 0 END
	+ CASE WHEN l.is_solved AND l.has_last_solve AND l.reply_count = 2 THEN support_internal.measure_bits('two_touch') ELSE 0 END
	+ CASE WHEN l.is_solved AND l.has_last_solve AND l.reply_count > 2 THEN support_internal.measure_bits('multi_touch') ELSE 0 END
	+ CASE WHEN l.is_solved AND l.has_last_solve AND l.reopen_count > 0 THEN support_internal.measure_bits('reopened_tickets') ELSE 0 END AS measures,
	NULL::timestamptz AS at,
	l.status,
	l.priority,
	l.channel,
	l.team_id,
	l.assignee_id,
	l.organization_id,
	NULL::bigint AS agent_id,
	NULL::bigint AS tag_id,
	l.created_at,
	l.first_replied_at,
	l.first_solved_at,
	l.solved_at,
	l.waiting_since
FROM live AS l
UNION ALL
-- the same by tag: open and tickets
SELECT
	1 AS weight,
	support_internal.measure_bits('tickets')
	+ CASE WHEN NOT l.is_solved THEN support_internal.measure_bits('open') ELSE 0 END AS measures,
	NULL::timestamptz AS at,
	NULL::text AS status,
	NULL::text AS priority,
	NULL::text AS channel,
	NULL::bigint AS team_id,
	NULL::bigint AS assignee_id,
	NULL::bigint AS organization_id,
	NULL::bigint AS agent_id,
	g.tag_id,
	l.created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM live AS l
JOIN support.ticket_tags AS g ON g.ticket_id = l.id
UNION ALL
-- the status it was opened in: status_flow and entered
SELECT
	1 AS weight,
	support_internal.measure_bits('status_flow', 'entered') AS measures,
	l.created_at AS at,
	coalesce(e.first_status, l.status) AS status,
	NULL::text AS priority,
	NULL::text AS channel,
	NULL::bigint AS team_id,
	NULL::bigint AS assignee_id,
	NULL::bigint AS organization_id,
	NULL::bigint AS agent_id,
	NULL::bigint AS tag_id,
	NULL::timestamptz AS created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM live AS l
LEFT JOIN (SELECT DISTINCT s.ticket_id, s.first_status FROM support_internal.stat_events AS s) AS e
	ON e.ticket_id = l.id
UNION ALL
-- statuses left: status_flow
SELECT
	-1 AS weight,
	support_internal.measure_bits('status_flow') AS measures,
	e.occurred_at AS at,
	e.from_status AS status,
	NULL::text AS priority,
	NULL::text AS channel,
	NULL::bigint AS team_id,
	NULL::bigint AS assignee_id,
	NULL::bigint AS organization_id,
	NULL::bigint AS agent_id,
	NULL::bigint AS tag_id,
	NULL::timestamptz AS created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM events AS e
UNION ALL
-- statuses entered: status_flow, entered, solved, reopened
SELECT
	1 AS weight,
	support_internal.measure_bits('status_flow', 'entered')
	+ CASE WHEN e.solves THEN support_internal.measure_bits('solved') ELSE 0 END
	+ CASE WHEN e.reopens THEN support_internal.measure_bits('reopened') ELSE 0 END AS measures,
	e.occurred_at AS at,
	e.to_status AS status,
	e.priority,
	e.channel,
	e.team_id,
	e.assignee_id,
	e.organization_id,
	e.actor_id AS agent_id,
	NULL::bigint AS tag_id,
	NULL::timestamptz AS created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM events AS e
UNION ALL
-- solved again
SELECT
	1 AS weight,
	support_internal.measure_bits('resolved_again') AS measures,
	e.occurred_at AS at,
	NULL::text AS status,
	e.priority,
	e.channel,
	e.team_id,
	e.assignee_id,
	e.organization_id,
	NULL::bigint AS agent_id,
	NULL::bigint AS tag_id,
	e.solved_before AS created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM events AS e
WHERE e.solved_before IS NOT NULL
UNION ALL
-- replies and customers' comments
SELECT
	1 AS weight,
	CASE
		WHEN c.author_role = 'customer' THEN support_internal.measure_bits('customer_comment')
		ELSE support_internal.measure_bits('reply')
	END AS measures,
	c.created_at AS at,
	NULL::text AS status,
	NULL::text AS priority,
	NULL::text AS channel,
	NULL::bigint AS team_id,
	NULL::bigint AS assignee_id,
	NULL::bigint AS organization_id,
	c.author_id AS agent_id,
	NULL::bigint AS tag_id,
	NULL::timestamptz AS created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM support.comments AS c
JOIN live AS l ON l.id = c.ticket_id
WHERE NOT c.is_private
	AND c.deleted_at IS NULL
	AND
	(
		support_internal.is_from_customer(c.is_private, c.author_role, c.via)
		OR support_internal.is_reply(c.is_private, c.author_role, c.via)
	)
UNION ALL
-- promises kept and broken: sla_achieved, sla_breached, sla_late
SELECT
	1 AS weight,
	CASE
		WHEN c.breached_at IS NULL THEN support_internal.measure_bits('sla_achieved')
		WHEN c.state = ANY (ARRAY['running', 'paused']) THEN support_internal.measure_bits('sla_breached', 'sla_late')
		ELSE support_internal.measure_bits('sla_breached')
	END AS measures,
	c.decided_at AS at,
	concat_ws('/', c.metric, c.policy_id, coalesce(c.decided_team_id, 0), coalesce(c.decided_assignee_id, 0)) AS status,
	NULL::text AS priority,
	NULL::text AS channel,
	NULL::bigint AS team_id,
	NULL::bigint AS assignee_id,
	NULL::bigint AS organization_id,
	NULL::bigint AS agent_id,
	NULL::bigint AS tag_id,
	NULL::timestamptz AS created_at,
	NULL::timestamptz AS first_replied_at,
	NULL::timestamptz AS first_solved_at,
	NULL::timestamptz AS solved_at,
	NULL::timestamptz AS waiting_since
FROM support.sla_clocks AS c
JOIN live AS l ON l.id = c.ticket_id
WHERE c.decided_at IS NOT NULL;

COMMENT ON VIEW support_internal.stat_expected IS
	'What the reports should count, in the form of support_internal.stat_deltas: support.verify_stats() compares, support.rebuild_stats() starts from it.';
COMMENT ON COLUMN support_internal.stat_expected.weight IS '1, or -1 for a status that was left.';
COMMENT ON COLUMN support_internal.stat_expected.measures IS 'Bits: the measures that the row counts for, by their numbers.';
COMMENT ON COLUMN support_internal.stat_expected.at IS 'When the event happened; NULL for what has the times of its ticket.';
COMMENT ON COLUMN support_internal.stat_expected.status IS 'Status; of a promise kept or broken its metric, policy, team and agent.';
COMMENT ON COLUMN support_internal.stat_expected.priority IS 'Priority of the ticket; NULL counts as normal.';
COMMENT ON COLUMN support_internal.stat_expected.channel IS 'Channel of the ticket.';
COMMENT ON COLUMN support_internal.stat_expected.team_id IS 'Team of the ticket.';
COMMENT ON COLUMN support_internal.stat_expected.assignee_id IS 'Assignee of the ticket.';
COMMENT ON COLUMN support_internal.stat_expected.organization_id IS 'Organization of the ticket.';
COMMENT ON COLUMN support_internal.stat_expected.agent_id IS 'Who did it.';
COMMENT ON COLUMN support_internal.stat_expected.tag_id IS 'A tag of the ticket; such a row counts by tag alone.';
COMMENT ON COLUMN support_internal.stat_expected.created_at IS 'When the ticket was opened; when it was solved before, in a row that says it was solved again.';
COMMENT ON COLUMN support_internal.stat_expected.first_replied_at IS 'The ticket''s first reply.';
COMMENT ON COLUMN support_internal.stat_expected.first_solved_at IS 'When the ticket was first solved.';
COMMENT ON COLUMN support_internal.stat_expected.solved_at IS 'When the ticket was solved, if it is.';
COMMENT ON COLUMN support_internal.stat_expected.waiting_since IS 'Since when the customer waits, if so.';

-- The days on which the counters have something else than the view above. Changes of the status that happened before the
-- log begins now have been counted, but the log has them no more, and so does not tell that a ticket was solved before.
-- How long before, the readers do not sum up.
CREATE OR REPLACE VIEW support_internal.stat_differences AS
WITH beginning AS
(
	SELECT coalesce(max((a.new_value ->> 'to')::timestamptz), '-infinity'::timestamptz) AS at
	FROM support.audit_log AS a
	WHERE a.ticket_id = 0 AND a.action = 'PRUNE'
),
counted AS
(
	SELECT
		m.measure,
		m.dimension,
		x.value,
		date_trunc('day', x.slot_at, 'UTC') AS period,
		sum(x.n)::bigint AS n,
		sum(x.seconds)::bigint AS seconds
	FROM support_internal.stat_dimensions() AS m
	CROSS JOIN LATERAL support_internal.stat_counted(m.measure, m.dimension) AS x
	GROUP BY m.measure, m.dimension, x.value, date_trunc('day', x.slot_at, 'UTC')
),
expected AS
(
	SELECT
		x.measure,
		x.dimension,
		x.value,
		date_trunc('day', x.counts_at, 'UTC') AS period,
		sum(x.times)::bigint AS n,
		sum(x.times * x.seconds)::bigint AS seconds
	FROM support_internal.stat_expected AS r
	CROSS JOIN LATERAL support_internal.stat_contributions(r.weight, r.measures, r.at, r.status, r.priority, r.channel,
		r.team_id, r.assignee_id, r.organization_id, r.agent_id, r.tag_id, r.created_at, r.first_replied_at,
		r.first_solved_at, r.solved_at, r.waiting_since) AS x
	GROUP BY x.measure, x.dimension, x.value, date_trunc('day', x.counts_at, 'UTC')
)
SELECT
	d.measure || v.what AS measure,
	d.dimension,
	d.value,
	d.period,
	v.counted,
	v.expected
FROM
(
	SELECT
		measure,
		dimension,
		value,
		period,
		c.n AS counted,
		e.n AS expected,
		c.seconds AS counted_seconds,
		e.seconds AS expected_seconds
	FROM counted AS c
	FULL JOIN expected AS e USING (measure, dimension, value, period)
) AS d
CROSS JOIN beginning AS b
CROSS JOIN LATERAL
(
	VALUES
		('', coalesce(d.counted, 0), coalesce(d.expected, 0)),
		(' (seconds)', coalesce(d.counted_seconds, 0), coalesce(d.expected_seconds, 0))
) AS v (what, counted, expected)
WHERE v.counted <> v.expected
	AND NOT (d.period < b.at AND d.measure = ANY (ARRAY['status_flow', 'entered', 'solved', 'reopened']))
	AND NOT (d.measure = 'resolved_again' AND (isfinite(b.at) OR v.what <> ''))
UNION ALL
SELECT
	'support.backlog',
	'ticket',
	f.ticket_id::text,
	NULL::timestamptz,
	(f.flaw = 'is not unsolved and live')::integer::bigint,
	(f.flaw <> 'is not unsolved and live')::integer::bigint
FROM support_internal.backlog_flaws AS f;

COMMENT ON VIEW support_internal.stat_differences IS
	'What was counted and should not have been, or the other way round: what support.verify_stats() returns. None if all is right.';
COMMENT ON COLUMN support_internal.stat_differences.measure IS 'The measure; of its sum of seconds, with "(seconds)" behind it; support.backlog for its rows.';
COMMENT ON COLUMN support_internal.stat_differences.dimension IS 'The letter of the dimension; ticket of a row of the backlog.';
COMMENT ON COLUMN support_internal.stat_differences.value IS 'The value there; empty for none. The ticket''s id.';
COMMENT ON COLUMN support_internal.stat_differences.period IS 'When the day began, in UTC.';
COMMENT ON COLUMN support_internal.stat_differences.counted IS 'What the reports have; of the backlog, 1 for a row that should not be there.';
COMMENT ON COLUMN support_internal.stat_differences.expected IS 'What tables and log come to; 1 for a row that is missing or wrong.';
