-- The unsolved tickets, a narrow row each: what lists of them are picked and sorted by.

CREATE TABLE support.backlog
(
	ticket_id bigint NOT NULL,
	team_id bigint,
	assignee_id bigint,
	created_at timestamptz NOT NULL,
	next_due_at timestamptz,
	next_metric text,
	breaches integer NOT NULL,
	CONSTRAINT backlog_pkey PRIMARY KEY (ticket_id)
);
-- It is small and changes much: what is dead goes soon, and rows find room where it was.
ALTER TABLE support.backlog SET
(
	fillfactor = 80,
	autovacuum_vacuum_threshold = 500,
	autovacuum_vacuum_scale_factor = 0.05,
	autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX ix_backlog_created_at ON support.backlog (created_at);
CREATE INDEX ix_backlog_next_due_at ON support.backlog (next_due_at);
CREATE INDEX ix_backlog_team_id ON support.backlog (team_id, next_due_at) WHERE team_id IS NOT NULL;
CREATE INDEX ix_backlog_assignee_id ON support.backlog (assignee_id, next_due_at) WHERE assignee_id IS NOT NULL;
CREATE INDEX ix_backlog_assignee_id_created_at ON support.backlog (assignee_id, created_at) WHERE assignee_id IS NOT NULL;

COMMENT ON TABLE support.backlog IS
	'The unsolved live tickets, with what their lists are picked and sorted by, and the next promise to each. Kept by the triggers on tickets and by what turns clocks; follows from these, so the audit log has nothing of it.';
COMMENT ON COLUMN support.backlog.ticket_id IS 'Key: the ticket.';
COMMENT ON COLUMN support.backlog.team_id IS 'The team that it is routed to; NULL for none.';
COMMENT ON COLUMN support.backlog.assignee_id IS 'The agent who works on it; NULL for none.';
COMMENT ON COLUMN support.backlog.created_at IS 'When the ticket was opened.';
COMMENT ON COLUMN support.backlog.next_due_at IS
	'The earliest due_at of its running clocks; NULL: none runs, or what runs is due beyond the year 9999. In the past it is the one that is late longest and still owed.';
COMMENT ON COLUMN support.backlog.next_metric IS 'What is due then, see sla_targets.metric; of several at the same instant, the clock that began first.';
COMMENT ON COLUMN support.backlog.breaches IS
	'How many of its clocks have a breached_at, ended ones included. One that is past due is late whether it is written or not: unsolved_tickets.breaches has these, too.';
COMMENT ON INDEX support.ix_backlog_created_at IS 'Lists unsolved tickets by age.';
COMMENT ON INDEX support.ix_backlog_next_due_at IS 'Lists unsolved tickets by deadline.';
COMMENT ON INDEX support.ix_backlog_team_id IS 'Lists the unsolved tickets of a team by deadline.';
COMMENT ON INDEX support.ix_backlog_assignee_id IS 'Lists the unsolved tickets of an agent by deadline.';
COMMENT ON INDEX support.ix_backlog_assignee_id_created_at IS 'Lists the unsolved tickets of an agent by age.';

CREATE OR REPLACE VIEW support_internal.backlog_expected AS
SELECT
	t.id AS ticket_id,
	t.team_id,
	t.assignee_id,
	t.created_at,
	c.next_due_at,
	c.next_metric,
	c.breaches
FROM support.tickets AS t
CROSS JOIN LATERAL
	(
		SELECT
			min(k.due_at) FILTER (WHERE k.state = 'running') AS next_due_at,
			(array_agg(k.metric ORDER BY k.due_at, k.id) FILTER (WHERE k.state = 'running' AND k.due_at IS NOT NULL))[1] AS next_metric,
			count(k.breached_at)::integer AS breaches
		FROM support.sla_clocks AS k
		WHERE k.ticket_id = t.id
	) AS c
WHERE t.deleted_at IS NULL
	AND t.status = ANY (ARRAY(SELECT s.name FROM support.statuses AS s WHERE s.category <> ALL (ARRAY['solved', 'closed'])));

COMMENT ON VIEW support_internal.backlog_expected IS 'What support.backlog should have, by tickets and clocks.';
COMMENT ON COLUMN support_internal.backlog_expected.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.backlog_expected.team_id IS 'The team.';
COMMENT ON COLUMN support_internal.backlog_expected.assignee_id IS 'The agent.';
COMMENT ON COLUMN support_internal.backlog_expected.created_at IS 'When it was opened.';
COMMENT ON COLUMN support_internal.backlog_expected.next_due_at IS 'The next deadline.';
COMMENT ON COLUMN support_internal.backlog_expected.next_metric IS 'What is due then.';
COMMENT ON COLUMN support_internal.backlog_expected.breaches IS 'How many of its clocks have a breached_at.';

CREATE OR REPLACE VIEW support_internal.backlog_flaws AS
SELECT
	coalesce(b.ticket_id, e.ticket_id) AS ticket_id,
	CASE
		WHEN e.ticket_id IS NULL THEN 'is not unsolved and live'
		WHEN b.ticket_id IS NULL THEN 'is missing'
		ELSE 'differs'
	END AS flaw
FROM support.backlog AS b
FULL JOIN support_internal.backlog_expected AS e ON e.ticket_id = b.ticket_id
WHERE b.ticket_id IS NULL
	OR e.ticket_id IS NULL
	OR b.team_id IS DISTINCT FROM e.team_id
	OR b.assignee_id IS DISTINCT FROM e.assignee_id
	OR b.created_at <> e.created_at
	OR b.next_due_at IS DISTINCT FROM e.next_due_at
	OR b.next_metric IS DISTINCT FROM e.next_metric
	OR b.breaches <> e.breaches;

COMMENT ON VIEW support_internal.backlog_flaws IS
	'Where support.backlog says something else than tickets and clocks do: none if all is right. support.install() puts it right.';
COMMENT ON COLUMN support_internal.backlog_flaws.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.backlog_flaws.flaw IS 'What is wrong with its row.';
