-- The audit log.

CREATE FUNCTION support.log_event(
	ticket_id bigint,
	action text,
	old_value jsonb DEFAULT NULL,
	new_value jsonb DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_log_event';
COMMENT ON FUNCTION support.log_event(bigint, text, jsonb, jsonb, bigint) IS
	'Logs an event of the application, ticket_id NULL for none; returns the entry''s id. P0002: no such ticket. 22023: an action that the desk itself writes.';
REVOKE ALL ON FUNCTION support.log_event(bigint, text, jsonb, jsonb, bigint) FROM PUBLIC;

CREATE FUNCTION support.ticket_history(
	ticket_id bigint,
	from_at timestamptz DEFAULT '-infinity',
	to_at timestamptz DEFAULT 'infinity',
	all_fields boolean DEFAULT false
)
RETURNS TABLE(audit_id bigint, occurred_at timestamptz, changed_by bigint, changed_by_name text, action text, table_name text, record_id bigint, field text, old_value text, new_value text)
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_ticket_history';
COMMENT ON FUNCTION support.ticket_history(bigint, timestamptz, timestamptz, boolean) IS
	'What happened to a ticket, a row for each changed field, oldest first; users, teams, organizations and tags by name and id; from_at included, to_at not. Without all_fields the columns that the desk keeps by itself are left out.';
