-- Comments and attachments.

CREATE FUNCTION support_internal.is_reply(
	is_private boolean,
	author_role text,
	via text
)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT is_private AND support_internal.answers_customers(author_role) AND via <> ALL (ARRAY['auto', 'bot']);
COMMENT ON FUNCTION support_internal.is_reply(boolean, text, text) IS
	'Whether a comment is an agent''s reply: public, by somebody who answers customers, and not automatic. In C, writer_of() says so.';

CREATE FUNCTION support_internal.is_from_customer(
	is_private boolean,
	author_role text,
	via text
)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT is_private AND author_role = 'customer' AND via <> ALL (ARRAY['auto', 'bot']);
COMMENT ON FUNCTION support_internal.is_from_customer(boolean, text, text) IS
	'Whether a comment is a customer''s: public, written as the ticket''s customer, and not automatic. In C, writer_of() says so.';

CREATE FUNCTION support.add_comment(
	ticket_id bigint,
	content text,
	is_private boolean DEFAULT false,
	status text DEFAULT NULL,
	author_id bigint DEFAULT NULL,
	via text DEFAULT 'api',
	external_id text DEFAULT NULL,
	expected_version bigint DEFAULT NULL,
	created_at timestamptz DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_add_comment';
COMMENT ON FUNCTION support.add_comment(bigint, text, boolean, text, bigint, text, text, bigint, timestamptz, bigint) IS
	'Adds a comment and then sets the status, if given; returns the comment''s id. author_id NULL is the acting user. A known external_id returns the comment there is, if that is by the same author. 23505: by another. 42501: a public comment by a light agent on another''s ticket. 55000: deleted ticket, public comment on a closed one, no acting user. SU001: stale version. SU002: forbidden transition.';
REVOKE ALL ON FUNCTION support.add_comment(bigint, text, boolean, text, bigint, text, text, bigint, timestamptz, bigint) FROM PUBLIC;

CREATE FUNCTION support.edit_comment(
	ticket_id bigint,
	comment_id bigint,
	content text,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_edit_comment';
COMMENT ON FUNCTION support.edit_comment(bigint, bigint, text, bigint) IS
	'Replaces the text of a comment. P0002: no such comment. 55000: deleted. 23514: empty.';
REVOKE ALL ON FUNCTION support.edit_comment(bigint, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.delete_comment(
	ticket_id bigint,
	comment_id bigint,
	reason text DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_delete_comment';
COMMENT ON FUNCTION support.delete_comment(bigint, bigint, text, bigint) IS
	'Marks a comment as deleted; the reason goes to the audit log. P0002: no such comment. 55000: deleted already.';
REVOKE ALL ON FUNCTION support.delete_comment(bigint, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION support.restore_comment(
	ticket_id bigint,
	comment_id bigint,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_restore_comment';
COMMENT ON FUNCTION support.restore_comment(bigint, bigint, bigint) IS
	'Brings back a comment that was marked or removed, with its attachments. P0002: never was, or purged. 55000: not deleted.';
REVOKE ALL ON FUNCTION support.restore_comment(bigint, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.add_attachment(
	ticket_id bigint,
	filename text,
	content bytea,
	content_type text DEFAULT 'application/octet-stream',
	comment_id bigint DEFAULT NULL,
	actor_id bigint DEFAULT support.actor_id()
)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'support_add_attachment';
COMMENT ON FUNCTION support.add_attachment(bigint, text, bytea, text, bigint, bigint) IS
	'Keeps a file on a ticket or comment; returns its id. 54000: larger than the setting max_attachment_size allows. P0002: no such ticket or comment. 55000: deleted.';
REVOKE ALL ON FUNCTION support.add_attachment(bigint, text, bytea, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION support.attachment_content(
	ticket_id bigint,
	attachment_id bigint,
	include_private boolean DEFAULT false
)
RETURNS bytea
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'support_attachment_content';
COMMENT ON FUNCTION support.attachment_content(bigint, bigint, boolean) IS
	'The bytes of an attachment; NULL where they are kept elsewhere. Without include_private, the files of private notes are not there. P0002: no such attachment, or one of a comment that is deleted or not visible. 55000: the ticket was deleted.';
