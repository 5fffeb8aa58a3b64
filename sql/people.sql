-- Users and teams.

CREATE FUNCTION support_internal.answers_customers(role text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN role = ANY (ARRAY['agent', 'team_lead', 'admin']);
COMMENT ON FUNCTION support_internal.answers_customers(text) IS
	'Whether users of this role answer customers: agents, team leads and administrators. In C, answers_customers() says so.';

CREATE FUNCTION support.create_user(
	email text,
	full_name text,
	role text DEFAULT 'customer',
	organization_id bigint DEFAULT NULL,
	external_id text DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_create_user';
COMMENT ON FUNCTION support.create_user(text, text, text, bigint, text, bigint) IS
	'Makes a user; returns the id. 22023: unknown role. P0002: no such organization. 23505: e-mail address or external_id taken.';
REVOKE ALL ON FUNCTION support.create_user(text, text, text, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.deactivate_user(
	user_id bigint,
	reassign_to bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_deactivate_user';
COMMENT ON FUNCTION support.deactivate_user(bigint, bigint, bigint) IS
	'Gives a user''s unsolved tickets to reassign_to, or to nobody, and deactivates the user. Returns how many tickets moved. P0002: no such user. 22023: reassign_to is the same user. 23503: reassign_to cannot take tickets.';
REVOKE ALL ON FUNCTION support.deactivate_user(bigint, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.reactivate_user(
	user_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_reactivate_user';
COMMENT ON FUNCTION support.reactivate_user(bigint, bigint) IS
	'Makes a user who was deactivated active again. P0002: no such user.';
REVOKE ALL ON FUNCTION support.reactivate_user(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.set_user_role(
	user_id bigint,
	role text,
	reassign_to bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_set_user_role';
COMMENT ON FUNCTION support.set_user_role(bigint, text, bigint, bigint) IS
	'Gives a user another role, and the unsolved tickets to reassign_to, or to nobody, if users of that role take none. Returns how many tickets moved. 22023: unknown role, or reassign_to is the same user. P0002: no such user. 23503: reassign_to cannot take tickets.';
REVOKE ALL ON FUNCTION support.set_user_role(bigint, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.create_team(
	name text,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_create_team';
COMMENT ON FUNCTION support.create_team(text, bigint) IS
	'Makes a team; returns the id. 23505: name taken.';
REVOKE ALL ON FUNCTION support.create_team(text, bigint) FROM PUBLIC;

CREATE FUNCTION support.add_team_member(
	team_id bigint,
	user_id bigint,
	capacity integer DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_add_team_member';
COMMENT ON FUNCTION support.add_team_member(bigint, bigint, integer, bigint) IS
	'Makes a user a member of a team, or sets the member''s capacity (open tickets; NULL is no limit). P0002: no such team or user.';
REVOKE ALL ON FUNCTION support.add_team_member(bigint, bigint, integer, bigint) FROM PUBLIC;
