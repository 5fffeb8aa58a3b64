-- The number of the acting user's ticket whose promise is due next, or else of the one that waits longest.
SELECT t.ticket_number
FROM support.tickets AS t
JOIN support.statuses AS s ON s.name = t.status AND s.category NOT IN ('solved', 'closed')
LEFT JOIN LATERAL
	(
		SELECT min(c.due_at) AS due_at
		FROM support.sla_clocks AS c
		WHERE c.ticket_id = t.id AND c.state = 'running' AND c.due_at > support.desk_now()
	) AS n ON true
WHERE t.assignee_id = support.actor_id() AND t.deleted_at IS NULL
ORDER BY n.due_at, t.waiting_since, t.id
LIMIT 1;
