-- What customers see of their tickets: chosen columns, without private notes. They have no right on the tables.

-- Nothing that is asked of them comes down to the tables: the rows that a scan finds and leaves out would tell of others'.
-- OFFSET keeps it up; what is one's own is little.

CREATE OR REPLACE VIEW support.my_requests WITH (security_barrier = true) AS
SELECT
	t.id,
	t.ticket_number,
	t.title,
	t.description,
	t.status,
	t.priority,
	u.full_name AS requester,
	t.is_mine,
	t.created_at,
	t.updated_at,
	t.first_replied_at,
	t.solved_at
FROM
	(
		SELECT
			r.id, r.ticket_number, r.title, r.description, r.status, r.priority, r.customer_id,
			r.customer_id = (SELECT support_internal.me()) AS is_mine,
			r.created_at, r.updated_at, r.first_replied_at, r.solved_at
		FROM support.tickets AS r
		WHERE r.deleted_at IS NULL
			AND (r.customer_id = (SELECT support_internal.me()) OR r.organization_id = (SELECT support_internal.my_organization()))
		OFFSET 0
	) AS t
LEFT JOIN support.users AS u ON u.id = t.customer_id;

COMMENT ON VIEW support.my_requests IS
	'The live tickets of the acting user as a customer, and those of the user''s organization where its customers see each other''s (organizations.is_shared), in no order.';
COMMENT ON COLUMN support.my_requests.id IS 'Key of the ticket.';
COMMENT ON COLUMN support.my_requests.ticket_number IS 'The number that people see.';
COMMENT ON COLUMN support.my_requests.title IS 'Title.';
COMMENT ON COLUMN support.my_requests.description IS 'What it is about.';
COMMENT ON COLUMN support.my_requests.status IS 'Status.';
COMMENT ON COLUMN support.my_requests.priority IS 'Priority; NULL is not set.';
COMMENT ON COLUMN support.my_requests.requester IS 'Name of the user for whom it was opened.';
COMMENT ON COLUMN support.my_requests.is_mine IS 'It was opened for the acting user.';
COMMENT ON COLUMN support.my_requests.created_at IS 'When it was opened.';
COMMENT ON COLUMN support.my_requests.updated_at IS 'When it last changed.';
COMMENT ON COLUMN support.my_requests.first_replied_at IS 'When it was first answered; NULL: not yet.';
COMMENT ON COLUMN support.my_requests.solved_at IS 'When it was solved; NULL while it is not.';

CREATE OR REPLACE VIEW support.my_request_comments WITH (security_barrier = true) AS
SELECT
	c.ticket_id,
	c.id,
	u.full_name AS author,
	c.is_mine,
	c.content,
	c.created_at,
	c.edited_at
FROM
	(
		SELECT
			o.ticket_id, o.id, o.author_id,
			o.author_id = (SELECT support_internal.me()) AS is_mine,
			o.content, o.created_at, o.edited_at
		FROM support.my_requests AS r
		JOIN support.comments AS o ON o.ticket_id = r.id
		WHERE NOT o.is_private
			AND o.deleted_at IS NULL
		OFFSET 0
	) AS c
LEFT JOIN support.users AS u ON u.id = c.author_id;

COMMENT ON VIEW support.my_request_comments IS 'The public comments of what my_requests shows, in no order.';
COMMENT ON COLUMN support.my_request_comments.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support.my_request_comments.id IS 'Key of the comment.';
COMMENT ON COLUMN support.my_request_comments.author IS 'Name of who wrote it.';
COMMENT ON COLUMN support.my_request_comments.is_mine IS 'The acting user wrote it.';
COMMENT ON COLUMN support.my_request_comments.content IS 'Its text.';
COMMENT ON COLUMN support.my_request_comments.created_at IS 'When it was written.';
COMMENT ON COLUMN support.my_request_comments.edited_at IS 'When its text was last changed; NULL: never.';

CREATE OR REPLACE VIEW support.my_request_attachments WITH (security_barrier = true) AS
SELECT
	a.ticket_id,
	a.id,
	a.comment_id,
	a.filename,
	a.content_type,
	a.byte_size,
	a.created_at
FROM
	(
		SELECT
			o.ticket_id, o.id, o.comment_id, o.filename, o.content_type, o.byte_size, o.created_at
		FROM support.my_requests AS r
		JOIN support.attachments AS o ON o.ticket_id = r.id
		LEFT JOIN support.comments AS c ON c.ticket_id = o.ticket_id AND c.id = o.comment_id AND NOT c.is_private AND c.deleted_at IS NULL
		WHERE o.comment_id IS NULL
			OR c.id IS NOT NULL
		OFFSET 0
	) AS a;

COMMENT ON VIEW support.my_request_attachments IS 'The files of what my_requests and my_request_comments show, in no order.';
COMMENT ON COLUMN support.my_request_attachments.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support.my_request_attachments.id IS 'Key of the file.';
COMMENT ON COLUMN support.my_request_attachments.comment_id IS 'The comment that it came with; NULL: the ticket.';
COMMENT ON COLUMN support.my_request_attachments.filename IS 'Its name.';
COMMENT ON COLUMN support.my_request_attachments.content_type IS 'Its media type.';
COMMENT ON COLUMN support.my_request_attachments.byte_size IS 'Its size in bytes.';
COMMENT ON COLUMN support.my_request_attachments.created_at IS 'When it was added.';
