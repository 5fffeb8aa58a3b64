-- Lists for people: the live tickets and the recycle bin.

CREATE OR REPLACE VIEW support.ticket_list WITH (security_invoker = true) AS
SELECT
	t.id,
	t.ticket_number,
	t.status,
	t.priority,
	left(t.title, 60) AS title,
	requester.full_name AS requester,
	assignee.full_name AS assignee,
	team.name AS team,
	date_trunc('minute', support.desk_now() - t.created_at) AS age,
	date_trunc('minute', support.desk_now() - t.waiting_since) AS waiting,
	t.updated_at,
	t.created_at,
	t.customer_id AS requester_id,
	t.assignee_id,
	t.team_id,
	t.organization_id,
	b.next_due_at,
	b.next_metric,
	CASE
		-- what nobody has announced yet is late all the same
		WHEN b.next_due_at < support.desk_now()
		THEN
			(
				SELECT count(*)::integer
				FROM support.sla_clocks AS c
				WHERE c.ticket_id = b.ticket_id
					AND (c.breached_at IS NOT NULL OR (c.state = 'running' AND c.due_at < support.desk_now()))
			)
		ELSE b.breaches
	END AS breaches
FROM support.tickets AS t
LEFT JOIN support.backlog AS b ON b.ticket_id = t.id
LEFT JOIN support.users AS requester ON requester.id = t.customer_id
LEFT JOIN support.users AS assignee ON assignee.id = t.assignee_id
LEFT JOIN support.teams AS team ON team.id = t.team_id
WHERE t.deleted_at IS NULL;

COMMENT ON VIEW support.ticket_list IS 'The live tickets, in no order: who reads them says which.';
COMMENT ON COLUMN support.ticket_list.id IS 'Key of the ticket.';
COMMENT ON COLUMN support.ticket_list.ticket_number IS 'The number that people see.';
COMMENT ON COLUMN support.ticket_list.status IS 'Status.';
COMMENT ON COLUMN support.ticket_list.priority IS 'Priority; NULL is not set and ranks as normal.';
COMMENT ON COLUMN support.ticket_list.title IS 'Title, cut at 60 characters.';
COMMENT ON COLUMN support.ticket_list.requester IS 'Name of the user for whom the ticket was opened.';
COMMENT ON COLUMN support.ticket_list.assignee IS 'Name of the agent who works on it.';
COMMENT ON COLUMN support.ticket_list.team IS 'Name of the team that it is routed to.';
COMMENT ON COLUMN support.ticket_list.age IS 'Time since the ticket was opened, in whole minutes.';
COMMENT ON COLUMN support.ticket_list.waiting IS 'Time since the oldest customer comment without an answer, in whole minutes.';
COMMENT ON COLUMN support.ticket_list.updated_at IS 'When the ticket last changed.';
COMMENT ON COLUMN support.ticket_list.created_at IS 'When the ticket was opened; with id an order to turn pages by.';
COMMENT ON COLUMN support.ticket_list.requester_id IS 'The user for whom the ticket was opened.';
COMMENT ON COLUMN support.ticket_list.assignee_id IS 'The agent who works on it.';
COMMENT ON COLUMN support.ticket_list.team_id IS 'The team that it is routed to.';
COMMENT ON COLUMN support.ticket_list.organization_id IS 'The organization that it belongs to.';
COMMENT ON COLUMN support.ticket_list.next_due_at IS 'When the next promise to it is due; in the past, it is late and still owed. NULL: nothing is due.';
COMMENT ON COLUMN support.ticket_list.next_metric IS 'What is due then, see sla_targets.';
COMMENT ON COLUMN support.ticket_list.breaches IS 'How many promises to it are broken by now, whether anybody has announced it or not; NULL once it is solved.';

CREATE OR REPLACE VIEW support.unsolved_tickets WITH (security_invoker = true) AS
SELECT
	b.ticket_id AS id,
	t.ticket_number,
	t.status,
	t.priority,
	left(t.title, 60) AS title,
	requester.full_name AS requester,
	assignee.full_name AS assignee,
	team.name AS team,
	date_trunc('minute', support.desk_now() - b.created_at) AS age,
	date_trunc('minute', support.desk_now() - t.waiting_since) AS waiting,
	t.updated_at,
	b.created_at,
	t.customer_id AS requester_id,
	b.assignee_id,
	b.team_id,
	t.organization_id,
	b.next_due_at,
	b.next_metric,
	CASE
		-- what nobody has announced yet is late all the same
		WHEN b.next_due_at < support.desk_now()
		THEN
			(
				SELECT count(*)::integer
				FROM support.sla_clocks AS c
				WHERE c.ticket_id = b.ticket_id
					AND (c.breached_at IS NOT NULL OR (c.state = 'running' AND c.due_at < support.desk_now()))
			)
		ELSE b.breaches
	END AS breaches
FROM support.backlog AS b
JOIN support.tickets AS t ON t.id = b.ticket_id
LEFT JOIN support.users AS requester ON requester.id = t.customer_id
LEFT JOIN support.users AS assignee ON assignee.id = b.assignee_id
LEFT JOIN support.teams AS team ON team.id = b.team_id;

COMMENT ON VIEW support.unsolved_tickets IS
	'The live tickets that are not solved. Filters by status, team_id and assignee_id and orders by created_at and next_due_at find indexes.';
COMMENT ON COLUMN support.unsolved_tickets.id IS 'Key of the ticket.';
COMMENT ON COLUMN support.unsolved_tickets.ticket_number IS 'The number that people see.';
COMMENT ON COLUMN support.unsolved_tickets.status IS 'Status.';
COMMENT ON COLUMN support.unsolved_tickets.priority IS 'Priority; NULL is not set and ranks as normal.';
COMMENT ON COLUMN support.unsolved_tickets.title IS 'Title, cut at 60 characters.';
COMMENT ON COLUMN support.unsolved_tickets.requester IS 'Name of the user for whom the ticket was opened.';
COMMENT ON COLUMN support.unsolved_tickets.assignee IS 'Name of the agent who works on it.';
COMMENT ON COLUMN support.unsolved_tickets.team IS 'Name of the team that it is routed to.';
COMMENT ON COLUMN support.unsolved_tickets.age IS 'Time since the ticket was opened, in whole minutes.';
COMMENT ON COLUMN support.unsolved_tickets.waiting IS 'Time since the oldest customer comment without an answer, in whole minutes.';
COMMENT ON COLUMN support.unsolved_tickets.updated_at IS 'When the ticket last changed.';
COMMENT ON COLUMN support.unsolved_tickets.created_at IS 'When the ticket was opened.';
COMMENT ON COLUMN support.unsolved_tickets.requester_id IS 'The user for whom it was opened.';
COMMENT ON COLUMN support.unsolved_tickets.assignee_id IS 'The agent who works on it.';
COMMENT ON COLUMN support.unsolved_tickets.team_id IS 'The team that it is routed to.';
COMMENT ON COLUMN support.unsolved_tickets.organization_id IS 'The organization that it belongs to.';
COMMENT ON COLUMN support.unsolved_tickets.next_due_at IS 'When the next promise to it is due; in the past, it is late and still owed. NULL: nothing is due.';
COMMENT ON COLUMN support.unsolved_tickets.next_metric IS 'What is due then, see sla_targets.';
COMMENT ON COLUMN support.unsolved_tickets.breaches IS 'How many promises to it are broken by now, whether anybody has announced it or not.';

CREATE OR REPLACE VIEW support.my_tickets WITH (security_invoker = true) AS
SELECT
	b.ticket_id AS id,
	t.ticket_number,
	t.status,
	t.priority,
	left(t.title, 60) AS title,
	requester.full_name AS requester,
	assignee.full_name AS assignee,
	team.name AS team,
	date_trunc('minute', support.desk_now() - b.created_at) AS age,
	date_trunc('minute', support.desk_now() - t.waiting_since) AS waiting,
	t.updated_at,
	b.created_at,
	t.customer_id AS requester_id,
	b.assignee_id,
	b.team_id,
	t.organization_id,
	b.next_due_at,
	b.next_metric,
	CASE
		-- what nobody has announced yet is late all the same
		WHEN b.next_due_at < support.desk_now()
		THEN
			(
				SELECT count(*)::integer
				FROM support.sla_clocks AS c
				WHERE c.ticket_id = b.ticket_id
					AND (c.breached_at IS NOT NULL OR (c.state = 'running' AND c.due_at < support.desk_now()))
			)
		ELSE b.breaches
	END AS breaches
FROM support.backlog AS b
JOIN support.tickets AS t ON t.id = b.ticket_id
LEFT JOIN support.users AS requester ON requester.id = t.customer_id
LEFT JOIN support.users AS assignee ON assignee.id = b.assignee_id
LEFT JOIN support.teams AS team ON team.id = b.team_id
WHERE b.assignee_id = (SELECT support.actor_id());

COMMENT ON VIEW support.my_tickets IS 'The unsolved tickets of the acting user.';
COMMENT ON COLUMN support.my_tickets.id IS 'Key of the ticket.';
COMMENT ON COLUMN support.my_tickets.ticket_number IS 'The number that people see.';
COMMENT ON COLUMN support.my_tickets.status IS 'Status.';
COMMENT ON COLUMN support.my_tickets.priority IS 'Priority; NULL is not set and ranks as normal.';
COMMENT ON COLUMN support.my_tickets.title IS 'Title, cut at 60 characters.';
COMMENT ON COLUMN support.my_tickets.requester IS 'Name of the user for whom the ticket was opened.';
COMMENT ON COLUMN support.my_tickets.assignee IS 'Name of the acting user.';
COMMENT ON COLUMN support.my_tickets.team IS 'Name of the team that it is routed to.';
COMMENT ON COLUMN support.my_tickets.age IS 'Time since the ticket was opened, in whole minutes.';
COMMENT ON COLUMN support.my_tickets.waiting IS 'Time since the oldest customer comment without an answer, in whole minutes.';
COMMENT ON COLUMN support.my_tickets.updated_at IS 'When the ticket last changed.';
COMMENT ON COLUMN support.my_tickets.created_at IS 'When the ticket was opened.';
COMMENT ON COLUMN support.my_tickets.requester_id IS 'The user for whom it was opened.';
COMMENT ON COLUMN support.my_tickets.assignee_id IS 'The acting user.';
COMMENT ON COLUMN support.my_tickets.team_id IS 'The team that it is routed to.';
COMMENT ON COLUMN support.my_tickets.organization_id IS 'The organization that it belongs to.';
COMMENT ON COLUMN support.my_tickets.next_due_at IS 'When the next promise to it is due; in the past, it is late and still owed. NULL: nothing is due.';
COMMENT ON COLUMN support.my_tickets.next_metric IS 'What is due then, see sla_targets.';
COMMENT ON COLUMN support.my_tickets.breaches IS 'How many promises to it are broken by now, whether anybody has announced it or not.';

CREATE OR REPLACE VIEW support.deleted_tickets AS
SELECT
	d.ticket_id,
	d.ticket_number,
	d.title,
	d.status,
	d.how,
	d.deleted_at,
	d.deleted_by,
	d.reason
FROM
	(
		SELECT
			t.id AS ticket_id,
			t.ticket_number::text AS ticket_number,
			t.title::text AS title,
			t.status,
			'marked' AS how,
			t.deleted_at,
			t.deleted_by,
			t.delete_reason AS reason
		FROM support.tickets AS t
		WHERE t.deleted_at IS NOT NULL
		UNION ALL
		SELECT
			b.ticket_id,
			a.old_value ->> 'ticket_number' AS ticket_number,
			a.old_value ->> 'title' AS title,
			a.old_value ->> 'status' AS status,
			'removed' AS how,
			a.occurred_at AS deleted_at,
			a.actor_id AS deleted_by,
			a.old_value ->> 'delete_reason' AS reason
		FROM support_internal.recycle_bin AS b
		JOIN support.audit_log AS a
			ON a.ticket_id = b.ticket_id AND a.id = b.audit_id AND a.occurred_at = b.occurred_at
		WHERE NOT EXISTS (SELECT FROM support.tickets AS t WHERE t.id = b.ticket_id)
	) AS d;

COMMENT ON VIEW support.deleted_tickets IS 'The recycle bin: what support.restore_ticket() brings back, in no order.';
COMMENT ON COLUMN support.deleted_tickets.ticket_id IS 'Key of the ticket.';
COMMENT ON COLUMN support.deleted_tickets.ticket_number IS 'The number that people see.';
COMMENT ON COLUMN support.deleted_tickets.title IS 'Title.';
COMMENT ON COLUMN support.deleted_tickets.status IS 'Status when it was deleted.';
COMMENT ON COLUMN support.deleted_tickets.how IS 'marked (the row is still there) or removed (by SQL DELETE).';
COMMENT ON COLUMN support.deleted_tickets.deleted_at IS 'When.';
COMMENT ON COLUMN support.deleted_tickets.deleted_by IS 'The user who did it, where known.';
COMMENT ON COLUMN support.deleted_tickets.reason IS 'Why, where said.';
