-- Who may see and do what: access of database roles, and what policies ask of the acting user.

CREATE FUNCTION support.grant_access(
	db_role name,
	access text
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_grant_access';
COMMENT ON FUNCTION support.grant_access(name, text) IS
	'Gives a database role an access, in the place of the rights that it had: app, lead, agent, light_agent, customer, auditor, reporter, or left_out, which leaves its rights alone. The first one that hides rows from somebody switches row security on. 42501: not the owner of the desk. 42704: no such role. 22023: no such access. 55000: the role has the owner''s rights, or roles without access hold rights.';
REVOKE ALL ON FUNCTION support.grant_access(name, text) FROM PUBLIC;

CREATE FUNCTION support.revoke_access(
	db_role name
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_revoke_access';
COMMENT ON FUNCTION support.revoke_access(name) IS
	'Takes from a database role its access and all rights on the desk. 42501: not the owner of the desk. P0002: the role has none.';
REVOKE ALL ON FUNCTION support.revoke_access(name) FROM PUBLIC;

CREATE FUNCTION support.access_matrix()
RETURNS TABLE(relation text, access text, may_read text, may_write text)
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_access_matrix';
COMMENT ON FUNCTION support.access_matrix() IS
	'Which rows of each table and view each access may read and write, in words; NULL for none.';

CREATE FUNCTION support.issue_token(
	user_id bigint,
	valid_for interval DEFAULT '8 hours',
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_issue_token';
COMMENT ON FUNCTION support.issue_token(bigint, interval, bigint) IS
	'A token by which sessions act as the user for that long, see act(). 42501: neither access app nor the desk''s owner. P0002: no such user. 55000: not active. 22023: valid_for is not between nothing and a year.';
REVOKE ALL ON FUNCTION support.issue_token(bigint, interval, bigint) FROM PUBLIC;

CREATE FUNCTION support.act(
	token text
)
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_act';
COMMENT ON FUNCTION support.act(text) IS
	'Acts as the user of the token until the transaction ends; returns his name and role. 28000: the token is none, has expired, was revoked, is of another desk, or its user is not active.';
REVOKE ALL ON FUNCTION support.act(text) FROM PUBLIC;

CREATE FUNCTION support.revoke_tokens(
	user_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_revoke_tokens';
COMMENT ON FUNCTION support.revoke_tokens(bigint, bigint) IS
	'Makes all tokens of a user invalid; returns how many there were. 42501: neither access app nor the desk''s owner.';
REVOKE ALL ON FUNCTION support.revoke_tokens(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support_internal.sees_all()
RETURNS boolean
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF
AS 'MODULE_PATHNAME', 'support_sees_all';
COMMENT ON FUNCTION support_internal.sees_all() IS 'True if the acting user is an agent who sees all tickets (users.sees_all).';

CREATE FUNCTION support_internal.is_agent()
RETURNS boolean
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF
AS 'MODULE_PATHNAME', 'support_is_agent';
COMMENT ON FUNCTION support_internal.is_agent() IS 'True if the acting user is an agent, a team lead or an administrator.';

CREATE FUNCTION support_internal.my_teams()
RETURNS bigint[]
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF
AS 'MODULE_PATHNAME', 'support_my_teams';
COMMENT ON FUNCTION support_internal.my_teams() IS 'The teams in which the acting user works; none if he is no staff.';

CREATE FUNCTION support_internal.sees_ticket(
	ticket_id bigint,
	as_agent boolean
)
RETURNS boolean
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF COST 100
AS 'MODULE_PATHNAME', 'support_sees_ticket';
COMMENT ON FUNCTION support_internal.sees_ticket(bigint, boolean) IS
	'True if the acting user may see the ticket: as an agent, or as a light agent. What policies of what belongs to a ticket ask.';

CREATE FUNCTION support_internal.my_organization()
RETURNS bigint
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF
AS 'MODULE_PATHNAME', 'support_my_organization';
COMMENT ON FUNCTION support_internal.my_organization() IS
	'The organization of the acting user, if its customers see each other''s tickets (organizations.is_shared); NULL if there is none.';

CREATE FUNCTION support_internal.my_id()
RETURNS bigint
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF
AS 'MODULE_PATHNAME', 'support_my_id';
COMMENT ON FUNCTION support_internal.my_id() IS 'The acting user, NULL if he is no agent and no light agent.';

CREATE FUNCTION support_internal.me()
RETURNS bigint
LANGUAGE c STABLE PARALLEL RESTRICTED LEAKPROOF
AS 'MODULE_PATHNAME', 'support_me';
COMMENT ON FUNCTION support_internal.me() IS 'The acting user; NULL if nobody acts, or one who was deactivated.';
