-- The proof of the audit log: what was sealed, and with what. An entry's leaf outlives it.

CREATE TABLE support_internal.audit_seals
(
	seal_id bigint NOT NULL,
	kind text NOT NULL,
	sealed_at timestamptz NOT NULL,
	from_era integer NOT NULL,
	from_xid bigint NOT NULL,
	from_audit_id bigint NOT NULL,
	to_era integer NOT NULL,
	to_xid bigint NOT NULL,
	to_audit_id bigint NOT NULL,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	entries bigint NOT NULL,
	root bytea NOT NULL,
	previous_digest bytea,
	digest bytea NOT NULL,
	CONSTRAINT audit_seals_pkey PRIMARY KEY (seal_id),
	CONSTRAINT audit_seals_kind_check CHECK (kind = ANY (ARRAY['seal', 'erasure', 'redaction', 'pruning']))
);
CREATE INDEX ix_audit_seals_to_xid ON support_internal.audit_seals (to_era, to_xid) WHERE kind = 'seal';

COMMENT ON TABLE support_internal.audit_seals IS
	'What was sealed, erased and pruned of the audit log. Each row holds the digest of the one before, so that none can be changed or taken out alone.';
COMMENT ON COLUMN support_internal.audit_seals.seal_id IS 'Number of the seal: 1, 2, 3, without gaps.';
COMMENT ON COLUMN support_internal.audit_seals.kind IS
	'seal: entries were sealed. erasure: values of sealed entries went, with their ticket or by themselves. redaction: what such entries keep of their values was sealed anew. pruning: sealed entries left the log with their partition.';
COMMENT ON COLUMN support_internal.audit_seals.sealed_at IS 'When, as desk_now() tells it.';
COMMENT ON COLUMN support_internal.audit_seals.from_era IS 'Position of the first entry: its era.';
COMMENT ON COLUMN support_internal.audit_seals.from_xid IS 'Its transaction.';
COMMENT ON COLUMN support_internal.audit_seals.from_audit_id IS 'Its id.';
COMMENT ON COLUMN support_internal.audit_seals.to_era IS 'Position of the last entry: its era.';
COMMENT ON COLUMN support_internal.audit_seals.to_xid IS 'Its transaction.';
COMMENT ON COLUMN support_internal.audit_seals.to_audit_id IS 'Its id.';
COMMENT ON COLUMN support_internal.audit_seals.first_at IS 'The earliest occurred_at of the entries.';
COMMENT ON COLUMN support_internal.audit_seals.last_at IS 'The latest occurred_at of the entries.';
COMMENT ON COLUMN support_internal.audit_seals.entries IS 'How many entries.';
COMMENT ON COLUMN support_internal.audit_seals.root IS
	'Of a seal: the root of the Merkle tree over the digests of its entries. Else: the digest of the list of them.';
COMMENT ON COLUMN support_internal.audit_seals.previous_digest IS 'The digest of the row before; NULL in the first one.';
COMMENT ON COLUMN support_internal.audit_seals.digest IS 'SHA-256 over the columns before this one.';
COMMENT ON INDEX support_internal.ix_audit_seals_to_xid IS 'Finds how far an era is sealed.';

CREATE TABLE support_internal.audit_leaves
(
	era integer NOT NULL,
	xid bigint NOT NULL,
	audit_id bigint NOT NULL,
	seal_id bigint NOT NULL,
	digest bytea NOT NULL,
	salt bytea,
	values_digest bytea,
	erased_by bigint,
	pruned_by bigint,
	CONSTRAINT audit_leaves_pkey PRIMARY KEY (era, xid, audit_id)
);

COMMENT ON TABLE support_internal.audit_leaves IS 'The digest of each sealed entry of the audit log, which outlives it.';
COMMENT ON COLUMN support_internal.audit_leaves.era IS 'Position of the entry: its era.';
COMMENT ON COLUMN support_internal.audit_leaves.xid IS 'Its transaction.';
COMMENT ON COLUMN support_internal.audit_leaves.audit_id IS 'Its id.';
COMMENT ON COLUMN support_internal.audit_leaves.seal_id IS 'The seal that it belongs to.';
COMMENT ON COLUMN support_internal.audit_leaves.digest IS 'SHA-256 over the entry, with the digest of its values in their place.';
COMMENT ON COLUMN support_internal.audit_leaves.salt IS
	'What the digest of the values is salted with, so that values that went cannot be found by trying; goes with them.';
COMMENT ON COLUMN support_internal.audit_leaves.values_digest IS 'The salted digest of the values, kept in their place once they were erased.';
COMMENT ON COLUMN support_internal.audit_leaves.erased_by IS 'The row of audit_seals that tells that the values, or some of them, were erased; NULL if they were not.';
COMMENT ON COLUMN support_internal.audit_leaves.pruned_by IS 'The row of audit_seals that tells that the entry was pruned; NULL if it was not.';

CREATE TABLE support_internal.audit_redactions
(
	era integer NOT NULL,
	xid bigint NOT NULL,
	audit_id bigint NOT NULL,
	seal_id bigint NOT NULL,
	digest bytea NOT NULL,
	salt bytea,
	CONSTRAINT audit_redactions_pkey PRIMARY KEY (era, xid, audit_id, seal_id)
);

COMMENT ON TABLE support_internal.audit_redactions IS
	'What sealed entries of the audit log keep of their values where some were erased: a row for each time that they changed by right, of which the last one holds.';
COMMENT ON COLUMN support_internal.audit_redactions.era IS 'Position of the entry: its era.';
COMMENT ON COLUMN support_internal.audit_redactions.xid IS 'Its transaction.';
COMMENT ON COLUMN support_internal.audit_redactions.audit_id IS 'Its id.';
COMMENT ON COLUMN support_internal.audit_redactions.seal_id IS 'The row of audit_seals, a redaction, that tells of it.';
COMMENT ON COLUMN support_internal.audit_redactions.digest IS 'The salted digest of the values that the entry has since.';
COMMENT ON COLUMN support_internal.audit_redactions.salt IS 'What that is salted with; NULL once the values changed again, or left the log.';
