-- What contradicts itself in histories that were brought in from another system.

CREATE OR REPLACE VIEW support_internal.history_flaws AS
WITH events AS
(
	SELECT
		e.ticket_id,
		e.audit_id,
		e.occurred_at,
		e.from_status,
		e.to_status,
		e.solves,
		e.place,
		e.brought_in,
		bool_or(e.brought_in) OVER of_ticket AS has_past,
		lag(e.to_status) OVER (of_ticket ORDER BY e.place) AS status_before,
		lead(e.audit_id) OVER (of_ticket ORDER BY e.place) IS NULL AS is_last,
		count(*) OVER
		(
			PARTITION BY e.ticket_id, e.occurred_at, e.from_status, e.to_status, e.brought_in
			ORDER BY e.audit_id
		) AS copy
	FROM support_internal.stat_events AS e
	WINDOW of_ticket AS (PARTITION BY e.ticket_id)
),
found AS
(
	SELECT
		e.ticket_id,
		e.audit_id,
		e.occurred_at,
		f.flaw
	FROM events AS e
	LEFT JOIN support.tickets AS t ON t.id = e.ticket_id
	LEFT JOIN support.statuses AS o ON o.name = e.from_status
	LEFT JOIN support.statuses AS n ON n.name = e.to_status
	CROSS JOIN LATERAL
	(
		VALUES
			(e.brought_in AND e.copy > 1, 'the entry is there already'),
			(e.brought_in AND (e.from_status IS NULL OR e.to_status IS NULL), 'tells no status from or to'),
			(e.brought_in AND e.from_status IS NOT NULL AND o.name IS NULL, format('status "%s" does not exist', e.from_status)),
			(e.brought_in AND e.to_status IS NOT NULL AND n.name IS NULL, format('status "%s" does not exist', e.to_status)),
			(e.brought_in AND e.occurred_at < t.created_at, 'earlier than the ticket was opened'),
			(e.brought_in AND e.occurred_at > support.desk_now(), 'has not happened yet'),
			(
				e.brought_in AND t.id IS NULL
				AND NOT EXISTS (SELECT FROM support_internal.recycle_bin AS r WHERE r.ticket_id = e.ticket_id),
				'there is no such ticket'
			),
			(
				e.copy = 1 AND e.from_status <> e.status_before,
				format('leaves "%s", but the ticket was "%s" since the change before', e.from_status, e.status_before)
			),
			(e.is_last AND e.to_status <> t.status, format('ends in "%s", but the ticket is "%s"', e.to_status, t.status))
	) AS f (is_found, flaw)
	WHERE e.has_past
		AND f.is_found
	UNION ALL
	-- when a ticket was solved, by its row and by its history
	SELECT
		t.id,
		l.audit_id,
		l.occurred_at,
		format('solved then, but solved_at is %s', t.solved_at)
	FROM support.tickets AS t
	JOIN
	(
		SELECT DISTINCT ON (e.ticket_id)
			e.ticket_id,
			e.audit_id,
			e.occurred_at
		FROM events AS e
		WHERE e.has_past
			AND e.solves
		ORDER BY e.ticket_id, e.place DESC
	) AS l ON l.ticket_id = t.id
	WHERE t.solved_at <> l.occurred_at
)
SELECT
	f.ticket_id,
	f.audit_id,
	f.occurred_at,
	f.flaw
FROM found AS f;

COMMENT ON VIEW support_internal.history_flaws IS
	'What contradicts itself in histories that were brought in: what support.check_history() returns. None if all is right.';
COMMENT ON COLUMN support_internal.history_flaws.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.history_flaws.audit_id IS 'The log entry.';
COMMENT ON COLUMN support_internal.history_flaws.occurred_at IS 'Its time.';
COMMENT ON COLUMN support_internal.history_flaws.flaw IS 'What is wrong with it.';
