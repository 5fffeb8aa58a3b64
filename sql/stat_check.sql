-- Counting everything anew, and checking what was counted.

CREATE FUNCTION support_internal.stat_contributions(
	weight integer,
	measures integer,
	at timestamptz,
	status text,
	priority text,
	channel text,
	team_id bigint,
	assignee_id bigint,
	organization_id bigint,
	agent_id bigint,
	tag_id bigint,
	created_at timestamptz,
	first_replied_at timestamptz,
	first_solved_at timestamptz,
	solved_at timestamptz,
	waiting_since timestamptz
)
RETURNS TABLE(measure text, dimension text, value text, counts_at timestamptz, seconds bigint, times bigint)
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_stat_contributions';
COMMENT ON FUNCTION support_internal.stat_contributions(integer, integer, timestamptz, text, text, text, bigint, bigint, bigint, bigint, bigint, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) IS
	'What a row of support_internal.stat_deltas counts for: measure, dimension, value there, time, seconds, and how many times.';
REVOKE ALL ON FUNCTION support_internal.stat_contributions(integer, integer, timestamptz, text, text, text, bigint, bigint, bigint, bigint, bigint, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION support.verify_stats()
RETURNS TABLE(measure text, dimension text, value text, period timestamptz, counted bigint, expected bigint)
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_verify_stats';
COMMENT ON FUNCTION support.verify_stats() IS
	'Works out from the tables and the log what the reports should count and the backlog should have, and compares: a row for each difference, with the day in UTC; none if all is right. Leaves changes of status out that are older than the log. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.verify_stats() FROM PUBLIC;

CREATE FUNCTION support.check_history()
RETURNS TABLE(ticket_id bigint, audit_id bigint, occurred_at timestamptz, flaw text)
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_check_history';
COMMENT ON FUNCTION support.check_history() IS
	'What contradicts itself in changes of status that were brought into the log from another system: a row for each flaw, none if all is right. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.check_history() FROM PUBLIC;

CREATE FUNCTION support.rebuild_stats(
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_rebuild_stats';
COMMENT ON FUNCTION support.rebuild_stats(bigint) IS
	'Counts everything anew that the reports show, and puts the backlog right, for a desk whose rows came without triggers; whoever changes tickets meanwhile waits. Returns how many rows that took. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.rebuild_stats(bigint) FROM PUBLIC;
