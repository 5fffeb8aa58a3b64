-- Proving that the audit log is untouched.

CREATE FUNCTION support.seal_audit(
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_seal_audit';
COMMENT ON FUNCTION support.seal_audit(bigint) IS
	'Seals the entries of the audit log that have become stable since the last time: whatever becomes of them now, verify_audit() finds it. Leaves out what cannot be genuine, with a warning. Returns how many. 42501: not the desk''s owner.';
REVOKE ALL ON FUNCTION support.seal_audit(bigint) FROM PUBLIC;

CREATE FUNCTION support.verify_audit(
	from_at timestamptz DEFAULT '-infinity',
	to_at timestamptz DEFAULT 'infinity'
)
RETURNS TABLE(seals bigint, entries bigint, pruned bigint, erased bigint, unsealed bigint, first_bad bigint, finding text)
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_verify_audit';
COMMENT ON FUNCTION support.verify_audit(timestamptz, timestamptz) IS
	'Compares the sealed entries of a time range with their seals: one row with how many there are and, if not all is as it was sealed, the first entry that was altered, removed or inserted, and what was found. Of what is not sealed, it finds entries whose era or transaction is impossible. 22023: no range. 42501: no right to read the log.';

CREATE FUNCTION support.audit_proof(
	audit_id bigint
)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_audit_proof';
COMMENT ON FUNCTION support.audit_proof(bigint) IS
	'An entry of the audit log with the path from it to the root of its seal, which check_audit_proof() verifies without the database. P0002: no such entry. 55000: not sealed yet.';

CREATE FUNCTION support.check_audit_proof(
	proof jsonb
)
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_check_audit_proof';
COMMENT ON FUNCTION support.check_audit_proof(jsonb) IS
	'Does what audit_proof() gave lead from its entry to its seal? Reads no table. 22023: not in the form of a proof.';

CREATE FUNCTION support_internal.values_digest(
	salt bytea,
	old_value jsonb,
	new_value jsonb
)
RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_values_digest';
COMMENT ON FUNCTION support_internal.values_digest(bytea, jsonb, jsonb) IS
	'The salted digest of an entry''s values, as the leaf of an entry covers it. 22023: a salt of another length.';
REVOKE ALL ON FUNCTION support_internal.values_digest(bytea, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION support_internal.prune_leaves(
	partition regclass,
	keep_salts boolean DEFAULT false
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_prune_leaves';
COMMENT ON FUNCTION support_internal.prune_leaves(regclass, boolean) IS
	'Marks the sealed entries of a partition that leaves the audit log as pruned, and seals that; to be called in the transaction that detaches it. keep_salts: the partition is kept elsewhere and may come back. Returns how many. 42501: not the desk''s owner. 22023: not such a table.';
REVOKE ALL ON FUNCTION support_internal.prune_leaves(regclass, boolean) FROM PUBLIC;
