-- What the reports count: changes that are not added up yet, and the sums.

CREATE TABLE support_internal.stat_deltas
(
	weight integer NOT NULL,
	measures integer NOT NULL,
	at timestamptz,
	status text,
	priority text,
	channel text,
	team_id bigint,
	assignee_id bigint,
	organization_id bigint,
	agent_id bigint,
	tag_id bigint,
	created_at timestamptz,
	first_replied_at timestamptz,
	first_solved_at timestamptz,
	solved_at timestamptz,
	waiting_since timestamptz
);

COMMENT ON TABLE support_internal.stat_deltas IS
	'What changed since it was last added up: a row counts what a ticket, comment or event contributes to measures, weight times. Written by the triggers, emptied by support.fold_stats().';
COMMENT ON COLUMN support_internal.stat_deltas.weight IS '1 for what there is now, -1 for what there was.';
COMMENT ON COLUMN support_internal.stat_deltas.measures IS 'Bits: the measures that the row counts for, by their numbers.';
COMMENT ON COLUMN support_internal.stat_deltas.at IS 'When the event happened; NULL for what has the times of its ticket.';
COMMENT ON COLUMN support_internal.stat_deltas.status IS 'Status; of a promise kept or broken its metric, policy, team and agent.';
COMMENT ON COLUMN support_internal.stat_deltas.priority IS 'Priority of the ticket; NULL counts as normal.';
COMMENT ON COLUMN support_internal.stat_deltas.channel IS 'Channel of the ticket.';
COMMENT ON COLUMN support_internal.stat_deltas.team_id IS 'Team of the ticket.';
COMMENT ON COLUMN support_internal.stat_deltas.assignee_id IS 'Assignee of the ticket.';
COMMENT ON COLUMN support_internal.stat_deltas.organization_id IS 'Organization of the ticket.';
COMMENT ON COLUMN support_internal.stat_deltas.agent_id IS 'Who did it.';
COMMENT ON COLUMN support_internal.stat_deltas.tag_id IS 'A tag of the ticket; such a row counts by tag alone.';
COMMENT ON COLUMN support_internal.stat_deltas.created_at IS 'When the ticket was opened; when it was solved before, in a row that says it was solved again.';
COMMENT ON COLUMN support_internal.stat_deltas.first_replied_at IS 'The ticket''s first reply.';
COMMENT ON COLUMN support_internal.stat_deltas.first_solved_at IS 'When the ticket was first solved.';
COMMENT ON COLUMN support_internal.stat_deltas.solved_at IS 'When the ticket was solved, if it is.';
COMMENT ON COLUMN support_internal.stat_deltas.waiting_since IS 'Since when the customer waits, if so.';

-- Rows that are added up are deleted: what they leave is for autovacuum to clear at its next round, since each report reads
-- the table, and to give back what is empty at its end.
ALTER TABLE support_internal.stat_deltas SET
(
	autovacuum_vacuum_threshold = 50,
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_insert_threshold = -1,
	vacuum_truncate = on,
	autovacuum_vacuum_cost_delay = 0,
	toast.autovacuum_enabled = off
);

-- Neither table has a key. Where a publication takes in all tables, rows are deleted there by what they hold.
ALTER TABLE support_internal.stat_deltas REPLICA IDENTITY FULL;

CREATE TABLE support_internal.stat_counters
(
	measure smallint NOT NULL,
	dim "char" NOT NULL,
	level smallint NOT NULL,
	part integer NOT NULL,
	entries bigint NOT NULL,
	cells bytea NOT NULL
);

CREATE INDEX ix_stat_counters_part ON support_internal.stat_counters (measure, dim, level, part);

COMMENT ON INDEX support_internal.ix_stat_counters_part IS 'Finds the sums of a measure and dimension by time.';

-- The cells are packed already, and large ones are read in a piece.
ALTER TABLE support_internal.stat_counters ALTER COLUMN cells SET STORAGE EXTERNAL;
ALTER TABLE support_internal.stat_counters SET
(
	autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.1,
	autovacuum_vacuum_cost_delay = 0,
	toast.autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE support_internal.stat_counters REPLICA IDENTITY FULL;

COMMENT ON TABLE support_internal.stat_counters IS
	'The sums that reports are made of, without what support_internal.stat_deltas still has. What several rows hold for the same measure, dimension, level and part of time is to be added.';
COMMENT ON COLUMN support_internal.stat_counters.measure IS 'What is counted, by number.';
COMMENT ON COLUMN support_internal.stat_counters.dim IS 'By what: - all, t team, a assignee, p priority, c channel, o organization, s status, g tag, u who did it.';
COMMENT ON COLUMN support_internal.stat_counters.level IS 'How long the stretches of time are that are summed: 0 quarter hours, 1 days of UTC, 2 8 days, 3 32 days.';
COMMENT ON COLUMN support_internal.stat_counters.part IS 'Which part of all times: 32 days at level 0, 512 days at the others.';
COMMENT ON COLUMN support_internal.stat_counters.entries IS 'How many sums the row holds.';
COMMENT ON COLUMN support_internal.stat_counters.cells IS 'The sums: how many, and their seconds, by stretch of time, value and duration.';

CREATE TABLE support_internal.stat_values
(
	code integer NOT NULL,
	value text COLLATE "C" NOT NULL,
	CONSTRAINT stat_values_pkey PRIMARY KEY (code)
);

COMMENT ON TABLE support_internal.stat_values IS 'Names that support_internal.stat_counters counts by: its sums hold their numbers.';
COMMENT ON COLUMN support_internal.stat_values.code IS 'Number, from 1.';
COMMENT ON COLUMN support_internal.stat_values.value IS 'Status, priority or channel; of promises kept or broken metric, policy, team and agent.';
