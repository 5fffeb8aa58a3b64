-- Who acts, and when: the acting user and the desk's clock.

CREATE FUNCTION support.actor_id()
RETURNS bigint
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_actor_id';
COMMENT ON FUNCTION support.actor_id() IS
	'The acting user: support_ext.actor_id if set, else the user whose db_role is the session user, else NULL. 42501: the setting names another than the person whose session it is.';

CREATE FUNCTION support.set_actor(
	user_id bigint,
	is_local boolean DEFAULT false
)
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_set_actor';
COMMENT ON FUNCTION support.set_actor(bigint, boolean) IS
	'Acts as this user from now on, until the transaction ends if is_local; NULL clears that. Returns the name and role. P0002: no such user. 55000: not active. 42501: another than the person whose session it is.';
REVOKE ALL ON FUNCTION support.set_actor(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION support.desk_now()
RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_desk_now';
COMMENT ON FUNCTION support.desk_now() IS
	'The desk''s clock: start of the transaction, or support_ext.now where that is set.';
