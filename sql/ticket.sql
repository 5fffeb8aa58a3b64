-- Tickets: open, read, change.

CREATE FUNCTION support.create_ticket(
	title text,
	description text DEFAULT '',
	creator_id bigint DEFAULT NULL,
	priority text DEFAULT NULL,
	tags text[] DEFAULT '{}',
	requester_id bigint DEFAULT NULL,
	assignee_id bigint DEFAULT NULL,
	team_id bigint DEFAULT NULL,
	organization_id bigint DEFAULT NULL,
	status text DEFAULT NULL,
	channel text DEFAULT NULL,
	custom jsonb DEFAULT '{}',
	ticket_number text DEFAULT NULL,
	external_id text DEFAULT NULL,
	created_at timestamptz DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_create_ticket';
COMMENT ON FUNCTION support.create_ticket(text, text, bigint, text, text[], bigint, bigint, bigint, bigint, text, text, jsonb, text, text, timestamptz, bigint) IS
	'Opens a ticket; returns the id. creator_id NULL is the acting user. A known external_id returns the ticket there is, if that has the same requester, so that a retry is safe. P0002: no such user. 55000: no acting user. 23503: unknown status, priority, assignee or team. 23505: number taken, or external_id by another requester''s ticket. 23514: empty title.';
REVOKE ALL ON FUNCTION support.create_ticket(text, text, bigint, text, text[], bigint, bigint, bigint, bigint, text, text, jsonb, text, text, timestamptz, bigint) FROM PUBLIC;

CREATE FUNCTION support.next_ticket_number()
RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_next_ticket_number';
COMMENT ON FUNCTION support.next_ticket_number() IS
	'The number for a new ticket, which no other gets: support_ext.ticket_prefix and the next of ticket_number_seq. The default of tickets.ticket_number. 42501: no USAGE on the sequence.';

CREATE FUNCTION support.get_ticket(
	ticket_id bigint,
	include_private boolean DEFAULT false,
	page_size integer DEFAULT 100,
	after_comment_id bigint DEFAULT NULL
)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_get_ticket';
COMMENT ON FUNCTION support.get_ticket(bigint, boolean, integer, bigint) IS
	'A ticket with its people, tags, attachments and a page of comments. next_comment_id, where not null, is the after_comment_id of the next page. P0002: no such ticket. 55000: deleted. 22023: bad page_size.';

CREATE FUNCTION support.get_ticket_by_number(
	ticket_number text,
	include_private boolean DEFAULT false,
	page_size integer DEFAULT 100,
	after_comment_id bigint DEFAULT NULL
)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_get_ticket_by_number';
COMMENT ON FUNCTION support.get_ticket_by_number(text, boolean, integer, bigint) IS
	'As get_ticket(), by the number that people see, see ticket_id().';

CREATE FUNCTION support.ticket_id(
	ticket_number text
)
RETURNS bigint
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_ticket_id';
COMMENT ON FUNCTION support.ticket_id(text) IS
	'The id of a ticket, also of a deleted one, by its number as people type it: without white space around it, and in capital or small letters where no ticket has it as it is typed. P0002: no ticket has it.';

CREATE FUNCTION support.show_ticket(
	ticket_id bigint,
	include_private boolean DEFAULT false
)
RETURNS SETOF text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_show_ticket';
COMMENT ON FUNCTION support.show_ticket(bigint, boolean) IS
	'A ticket as lines for a terminal. P0002: no such ticket. 55000: deleted.';

CREATE FUNCTION support.terminal_text(
	content text,
	one_line boolean DEFAULT false
)
RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_terminal_text';
COMMENT ON FUNCTION support.terminal_text(text, boolean) IS
	'A text as it does no harm to a terminal: control characters, and those that turn the direction of text, as symbols or codes. Line breaks and tabs stay unless it is to be one line.';

CREATE FUNCTION support.line_text(
	content text
)
RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'support_line_text';
COMMENT ON FUNCTION support.line_text(text) IS
	'A text as the desk keeps names and keys: without the white space around it. NULL where nothing is left.';

CREATE FUNCTION support.update_ticket(
	ticket_id bigint,
	changes jsonb,
	expected_version bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_update_ticket';
COMMENT ON FUNCTION support.update_ticket(bigint, jsonb, bigint, bigint) IS
	'Changes the columns that the object names; returns the version. null clears; custom is merged key by key, where null removes a key; tags replaces the set. 22023: unknown key, or a column that the desk keeps. SU001: stale version. SU002: forbidden transition.';
REVOKE ALL ON FUNCTION support.update_ticket(bigint, jsonb, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.set_status(
	ticket_id bigint,
	status text,
	expected_version bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_set_status';
COMMENT ON FUNCTION support.set_status(bigint, text, bigint, bigint) IS
	'Sets the status; returns the version. 23503: unknown status. SU001: stale version. SU002: forbidden transition.';
REVOKE ALL ON FUNCTION support.set_status(bigint, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.set_priority(
	ticket_id bigint,
	priority text,
	expected_version bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_set_priority';
COMMENT ON FUNCTION support.set_priority(bigint, text, bigint, bigint) IS
	'Sets the priority, NULL for not set; returns the version. 23503: unknown priority. SU001: stale version.';
REVOKE ALL ON FUNCTION support.set_priority(bigint, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.assign_ticket(
	ticket_id bigint,
	assignee_id bigint,
	team_id bigint DEFAULT NULL,
	expected_version bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_assign_ticket';
COMMENT ON FUNCTION support.assign_ticket(bigint, bigint, bigint, bigint, bigint) IS
	'Assigns the ticket, NULL unassigns; a team other than NULL is set too. Returns the version. 23503: unknown team or user, or a user who cannot take tickets. SU001: stale version.';
REVOKE ALL ON FUNCTION support.assign_ticket(bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.transfer_ticket_ownership(
	ticket_id bigint,
	new_owner_id bigint,
	expected_version bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_transfer_ticket_ownership';
COMMENT ON FUNCTION support.transfer_ticket_ownership(bigint, bigint, bigint, bigint) IS
	'Makes another user the ticket''s creator; returns the version. P0002: no such user. SU001: stale version.';
REVOKE ALL ON FUNCTION support.transfer_ticket_ownership(bigint, bigint, bigint, bigint) FROM PUBLIC;
