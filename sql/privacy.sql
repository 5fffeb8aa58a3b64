-- What a person may ask for, and what the law does: export, erasure, redaction, holds, rules. All of it is the owner's.

CREATE FUNCTION support.export_user(
	user_id bigint
)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_export_user';
COMMENT ON FUNCTION support.export_user(bigint) IS
	'All that the desk has of a user, as an object: the row, organization, teams, tickets with their public answers, comments, files by reference, what is watched, holds, what the log has of earlier texts and of what was removed. P0002: no such user. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.export_user(bigint) FROM PUBLIC;

CREATE FUNCTION support.erase_user(
	user_id bigint,
	dry_run boolean DEFAULT true,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS TABLE(table_name text, records bigint, what text)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_erase_user';
COMMENT ON FUNCTION support.erase_user(bigint, boolean, bigint) IS
	'Erases a user''s name, addresses and login, and all that he wrote, in the tables and in the log, or tells what would go: how many records of which table, and what stays. Ids, times and statuses stay, reports and seals as well. P0002: no such user. 55000: a hold; unsolved tickets are assigned to him. 25001: the transaction is not READ COMMITTED. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.erase_user(bigint, boolean, bigint) FROM PUBLIC;

CREATE FUNCTION support.redact_comment(
	ticket_id bigint,
	comment_id bigint,
	pattern text DEFAULT NULL,
	replacement text DEFAULT '[removed]',
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_redact_comment';
COMMENT ON FUNCTION support.redact_comment(bigint, bigint, text, text, bigint) IS
	'Puts a replacement, as it is written, for each match of a regular expression into a comment, live or removed, and into what the log has of it; for NULL, for all of the text, and [removed] where nothing would be left. Returns in how many texts something was replaced. P0002: no such comment. 55000: a hold. 25001: the transaction is not READ COMMITTED. 22023: a pattern that matches nothing at all, a null replacement. 2201B: no regular expression. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.redact_comment(bigint, bigint, text, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.place_hold(
	ticket_id bigint DEFAULT NULL,
	user_id bigint DEFAULT NULL,
	reason text DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_place_hold';
COMMENT ON FUNCTION support.place_hold(bigint, bigint, text, bigint) IS
	'Keeps a ticket, live or deleted, or a user with his tickets from being erased, redacted or purged; returns the hold''s id. P0002: no such ticket or user. 22023: both or none. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.place_hold(bigint, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.lift_hold(
	hold_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_lift_hold';
COMMENT ON FUNCTION support.lift_hold(bigint, bigint) IS
	'Lifts a hold; its row stays. P0002: no such hold. 55000: lifted already. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.lift_hold(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.set_ticket_rule(
	name text,
	filters jsonb,
	keep_for interval,
	action text,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_set_ticket_rule';
COMMENT ON FUNCTION support.set_ticket_rule(text, jsonb, interval, text, bigint) IS
	'Makes a rule, or changes the one of that name: how long solved and closed tickets that the filters of report() let pass are kept, NULL for ever, and what becomes of them then: purge or erase_content. Returns its id. 22023: a bad argument. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.set_ticket_rule(text, jsonb, interval, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.apply_ticket_rules(
	dry_run boolean DEFAULT true,
	batch_size integer DEFAULT 1000,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS TABLE(rule text, ticket_id bigint, action text)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_apply_ticket_rules';
COMMENT ON FUNCTION support.apply_ticket_rules(boolean, integer, bigint) IS
	'Does with tickets what rules say, or tells what it would do: a row for each, so many at most. Held tickets are passed over; one that something of the application holds is left out with a WARNING. 22008: a rule leads to before all times. 22023: batch_size. 25001: the transaction is not READ COMMITTED. 42501: not the owner of the desk.';
REVOKE ALL ON FUNCTION support.apply_ticket_rules(boolean, integer, bigint) FROM PUBLIC;
