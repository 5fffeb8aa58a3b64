-- The consumers of the change feed.

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
