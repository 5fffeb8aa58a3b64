-- The consumers of the change feed, and what tells them that the log has gone on elsewhere.

CREATE TABLE support_internal.feed_consumers
(
	consumer text NOT NULL,
	era integer NOT NULL,
	xid bigint NOT NULL,
	audit_id bigint NOT NULL,
	start_snapshot pg_snapshot,
	created_at timestamptz NOT NULL,
	done_at timestamptz,
	CONSTRAINT feed_consumers_pkey PRIMARY KEY (consumer)
);

COMMENT ON TABLE support_internal.feed_consumers IS 'Who follows the audit log, and how far.';
COMMENT ON COLUMN support_internal.feed_consumers.consumer IS 'Name of the consumer.';
COMMENT ON COLUMN support_internal.feed_consumers.era IS 'The position that is done, with xid and audit_id: all up to it is. 0 at the beginning of the log.';
COMMENT ON COLUMN support_internal.feed_consumers.xid IS 'The transaction of the entry that is done, within the era.';
COMMENT ON COLUMN support_internal.feed_consumers.audit_id IS 'The entry that is done.';
COMMENT ON COLUMN support_internal.feed_consumers.start_snapshot IS
	'What this snapshot sees of the era is passed over: the consumer had it when it began. NULL once the position is past it.';
COMMENT ON COLUMN support_internal.feed_consumers.created_at IS 'When the consumer was started.';
COMMENT ON COLUMN support_internal.feed_consumers.done_at IS 'When the position last moved; NULL until it does.';

CREATE OR REPLACE VIEW support.log_eras AS
SELECT
	e.era,
	e.line,
	min(e.began_at) AS began_at,
	e.system_identifier,
	e.timeline,
	e.began_lsn
FROM support_internal.eras AS e
GROUP BY e.era, e.line, e.system_identifier, e.timeline, e.began_lsn;

COMMENT ON VIEW support.log_eras IS
	'The clusters and lines of time that the log has lived in. Who follows it compares them with those that he knows: after a recovery or a failover there is another one, and what he has seen may be lost.';
COMMENT ON COLUMN support.log_eras.era IS 'Number of the era: the first part of a position.';
COMMENT ON COLUMN support.log_eras.line IS 'Its random name: two eras of one number are the same if this is.';
COMMENT ON COLUMN support.log_eras.began_at IS 'When the first entry was written there.';
COMMENT ON COLUMN support.log_eras.system_identifier IS 'The cluster''s system identifier.';
COMMENT ON COLUMN support.log_eras.timeline IS 'The line of time in that cluster, as the server numbers it.';
COMMENT ON COLUMN support.log_eras.began_lsn IS 'Where in the WAL that line left the one before; 0/0 for the first.';
