-- Statuses, their transitions and priorities: small tables that the desk's owner may edit.

CREATE TABLE support.statuses
(
	name text NOT NULL,
	category text NOT NULL,
	position integer NOT NULL,
	is_default boolean NOT NULL DEFAULT false,
	CONSTRAINT statuses_pkey PRIMARY KEY (name),
	CONSTRAINT statuses_name_check CHECK (name ~ '\S'),
	CONSTRAINT statuses_category_check
		CHECK (category = ANY (ARRAY['new', 'open', 'pending', 'hold', 'solved', 'closed']))
);
CREATE UNIQUE INDEX ix_statuses_is_default ON support.statuses (is_default) WHERE is_default;

COMMENT ON TABLE support.statuses IS 'The statuses of a ticket. The category decides what a status means; the name is a label.';
COMMENT ON COLUMN support.statuses.name IS 'Name, as tickets.status holds it.';
COMMENT ON COLUMN support.statuses.category IS
	'new and open wait for us, pending for the requester, hold for a third party; solved may be reopened, closed is final.';
COMMENT ON COLUMN support.statuses.position IS 'Order in lists and reports.';
COMMENT ON COLUMN support.statuses.is_default IS 'The status of a new ticket, and of one that a customer reopens. True in one row at most.';
COMMENT ON INDEX support.ix_statuses_is_default IS 'One status at most is the default.';

CREATE TABLE support.status_transitions
(
	from_status text NOT NULL,
	to_status text NOT NULL,
	CONSTRAINT status_transitions_pkey PRIMARY KEY (from_status, to_status),
	CONSTRAINT status_transitions_from_status_fkey FOREIGN KEY (from_status) REFERENCES support.statuses (name),
	CONSTRAINT status_transitions_to_status_fkey FOREIGN KEY (to_status) REFERENCES support.statuses (name)
);
CREATE INDEX ix_status_transitions_to_status ON support.status_transitions (to_status);

COMMENT ON TABLE support.status_transitions IS
	'The transitions that are allowed. While the table is empty all are; any other raises SU002.';
COMMENT ON COLUMN support.status_transitions.from_status IS 'The status that is left.';
COMMENT ON COLUMN support.status_transitions.to_status IS 'The status that is entered.';
COMMENT ON INDEX support.ix_status_transitions_to_status IS 'Finds the transitions into a status.';

CREATE TABLE support.priorities
(
	name text NOT NULL,
	rank integer NOT NULL,
	weight numeric NOT NULL DEFAULT 1,
	CONSTRAINT priorities_pkey PRIMARY KEY (name),
	CONSTRAINT priorities_rank_key UNIQUE (rank),
	CONSTRAINT priorities_name_check CHECK (name ~ '\S'),
	CONSTRAINT priorities_weight_check CHECK (weight >= 0 AND weight < 'Infinity')
);

COMMENT ON TABLE support.priorities IS 'The priorities of a ticket.';
COMMENT ON COLUMN support.priorities.name IS 'Name, as tickets.priority holds it.';
COMMENT ON COLUMN support.priorities.rank IS 'Order: the higher the rank, the more urgent.';
COMMENT ON COLUMN support.priorities.weight IS 'How much an open ticket of this priority counts in an agent''s load: a number from 0 on, not infinite.';

INSERT INTO support.statuses (name, category, position, is_default)
VALUES
	('open', 'open', 10, true),
	('in_progress', 'open', 20, false),
	('pending', 'pending', 30, false),
	('on_hold', 'hold', 40, false),
	('resolved', 'solved', 50, false),
	('closed', 'closed', 60, false);

INSERT INTO support.priorities (name, rank, weight)
VALUES
	('low', 10, 0.5),
	('normal', 20, 1),
	('high', 30, 2),
	('urgent', 40, 4);
