-- Which database roles have which access: nobody but the desk's owner reads or writes it.

CREATE TABLE support_internal.access
(
	db_role text NOT NULL,
	kind text NOT NULL,
	CONSTRAINT access_pkey PRIMARY KEY (db_role),
	CONSTRAINT access_kind_check
		CHECK (kind = ANY (ARRAY['app', 'lead', 'agent', 'light_agent', 'customer', 'auditor', 'reporter', 'left_out']))
);

COMMENT ON TABLE support_internal.access IS
	'What support.grant_access() gave to whom. Once it has a row, only roles of the kind app, and who has the rights of the desk''s owner, may say who acts.';
COMMENT ON COLUMN support_internal.access.db_role IS 'The database role, by name.';
COMMENT ON COLUMN support_internal.access.kind IS
	'app, lead, agent, light_agent, customer, auditor or reporter; left_out: keeps the rights that it has, and sees no rows once row security is on.';

CREATE TABLE support_internal.tokens
(
	digest bytea NOT NULL,
	user_id bigint NOT NULL,
	era integer NOT NULL,
	issued_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	CONSTRAINT tokens_pkey PRIMARY KEY (digest)
);
CREATE INDEX ix_tokens_user_id ON support_internal.tokens (user_id, expires_at);

COMMENT ON TABLE support_internal.tokens IS
	'Tokens that support.issue_token() gave out and that have not been revoked: their digests, from which nobody finds a token. No change of it is in the audit log.';
COMMENT ON COLUMN support_internal.tokens.digest IS 'Key: SHA-256 of the token.';
COMMENT ON COLUMN support_internal.tokens.user_id IS 'Who acts by it.';
COMMENT ON COLUMN support_internal.tokens.era IS 'The era, see support_internal.eras, in which it was issued: in another it is not valid.';
COMMENT ON COLUMN support_internal.tokens.issued_at IS 'When it was issued.';
COMMENT ON COLUMN support_internal.tokens.expires_at IS 'From when on it is not valid.';
COMMENT ON INDEX support_internal.ix_tokens_user_id IS 'Finds the tokens of a user, and those that have expired.';
