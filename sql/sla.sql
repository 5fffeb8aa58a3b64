-- What is promised, and the clocks that measure it.

CREATE FUNCTION support.create_sla_policy(
	name text,
	targets jsonb,
	conditions jsonb DEFAULT '{}',
	at_position integer DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_create_sla_policy';
COMMENT ON FUNCTION support.create_sla_policy(text, jsonb, jsonb, integer, bigint) IS
	'Makes a policy; returns the id. targets: [{"metric": "first_reply", "target": "4 hours", "priority": "urgent", "calendar": "office", "pause": ["pending"], "warn": [75, 90]}]; a metric and a target are needed, calendar_id may name the calendar, none is round the clock. conditions: see sla_policies. at_position: after the last one unless given. 22023: what is not such a list. 23514: an unknown metric, a target that is not more than nothing or not in hours, an unknown category, a warning not at 1 to 99 percent. 23505: name taken, two targets for the same. P0002: no such calendar. A NOTICE tells how many open tickets it is for that have no clocks.';
REVOKE ALL ON FUNCTION support.create_sla_policy(text, jsonb, jsonb, integer, bigint) FROM PUBLIC;

CREATE FUNCTION support.update_sla_policy(
	policy_id bigint,
	name text DEFAULT NULL,
	targets jsonb DEFAULT NULL,
	conditions jsonb DEFAULT NULL,
	at_position integer DEFAULT NULL,
	is_active boolean DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_update_sla_policy';
COMMENT ON FUNCTION support.update_sla_policy(bigint, text, jsonb, jsonb, integer, boolean, bigint) IS
	'Changes a policy; NULL leaves a part as it is, targets and conditions replace those there are. Returns its version: a new one if targets or conditions differ. Open clocks go on under the version they have until sla_reapply(); is_active => false ends them at once. P0002: no such policy. Else as create_sla_policy().';
REVOKE ALL ON FUNCTION support.update_sla_policy(bigint, text, jsonb, jsonb, integer, boolean, bigint) FROM PUBLIC;

CREATE FUNCTION support.sla_reapply(
	policy_id bigint DEFAULT NULL,
	count_from text DEFAULT 'beginning',
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_sla_reapply';
COMMENT ON FUNCTION support.sla_reapply(bigint, text, bigint) IS
	'Holds unsolved tickets to the policies and calendars as they are now: all of them, or those that have the policy or a clock of it. What clocks have consumed stays. Clocks that begin have consumed what they would have by now; with count_from => ''now'' they count from the moment of the call on. Returns how many tickets had a clock that turned; tells of every 10,000 that it has seen. A ticket whose clocks cannot be turned is left out with a WARNING. P0002: no such policy. 22023: an unknown count_from.';
REVOKE ALL ON FUNCTION support.sla_reapply(bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.sla_tick(
	batch_size integer DEFAULT 1000
)
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_sla_tick';
COMMENT ON FUNCTION support.sla_tick(integer) IS
	'Writes warnings and breaches that are due to sla_events, as of the instants at which they were: so many clocks at most. Returns how many clocks it looked at; 0 once nothing is left that nobody else is changing. Several sessions may call it at once. A ticket whose clocks cannot be turned is left out with a WARNING. Deadlines and breaches are right without it. 22023: batch_size below 1.';
REVOKE ALL ON FUNCTION support.sla_tick(integer) FROM PUBLIC;

CREATE FUNCTION support_internal.sla_elapsed(
	calendar_id bigint,
	calendar_version integer,
	from_at timestamptz,
	to_at timestamptz
)
RETURNS interval
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_sla_elapsed';
COMMENT ON FUNCTION support_internal.sla_elapsed(bigint, integer, timestamptz, timestamptz) IS
	'What a clock that runs counts from one instant to another, in hours: working time of a version of a calendar, or all of it if there is none; nothing if to_at is the earlier one.';

CREATE FUNCTION support.sla_at_risk(
	within interval DEFAULT '1 hour',
	page_size integer DEFAULT 100,
	within_working_hours boolean DEFAULT false
)
RETURNS TABLE(ticket_id bigint, ticket_number text, title text, priority text, team text, assignee text, metric text, due_at timestamptz, slack interval, remaining interval)
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_sla_at_risk';
COMMENT ON FUNCTION support.sla_at_risk(interval, integer, boolean) IS
	'The promises to live tickets that are due from now on until so much later and not kept yet, the next one first. within_working_hours: until so much later in working hours of the calendar that each is counted by. slack is the time until then by the clock on the wall, remaining what is left of the target. 22023: within that is null, negative or, for working hours, has days; bad page_size.';

CREATE FUNCTION support.due_text(
	due_at timestamptz
)
RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_due_text';
COMMENT ON FUNCTION support.due_text(timestamptz) IS
	'How long until a deadline, as people read it: 2h 10m, or, once it is past, late 3h. In whole minutes, from a day on in whole hours, from ten on in whole days, rounded down. NULL without a deadline.';

CREATE FUNCTION support.sla_explain(
	ticket_id bigint,
	metric text,
	instance integer DEFAULT NULL
)
RETURNS TABLE(from_at timestamptz, to_at timestamptz, status text, counted interval, total interval, why text)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'support_sla_explain';
COMMENT ON FUNCTION support.sla_explain(bigint, text, integer) IS
	'Why a clock of a ticket shows what it shows, of a metric''s clocks the last one unless told: every interval from its start to now, or to its end, with the time that counted in it and the total until then. P0002: no such ticket or clock. 22023: unknown metric.';

CREATE FUNCTION support.sla_simulate(
	policy jsonb,
	from_at timestamptz,
	to_at timestamptz
)
RETURNS TABLE(metric text, tickets bigint, decided bigint, achieved bigint, breached bigint, still_open bigint, percent numeric(5,1), p50 interval, p90 interval)
LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 7
AS 'MODULE_PATHNAME', 'support_sla_simulate';
COMMENT ON FUNCTION support.sla_simulate(jsonb, timestamptz, timestamptz) IS
	'How a policy {"conditions": ..., "targets": [...]} would have done: what happened to the live tickets opened from from_at on, before to_at, is replayed under it, by the calendars of today. p50 and p90 are what half, and nine of ten, of the fulfilled clocks took at most. Changes nothing. 22023: a policy that create_sla_policy() would refuse, bounds that are null, infinite or the wrong way round.';
