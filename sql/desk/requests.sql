-- What customers see of their tickets: chosen columns, without private notes. They have no right on the tables.

CREATE OR REPLACE VIEW support.my_requests WITH (security_barrier = true) AS
SELECT
	t.id,
	t.ticket_number,
	t.title,
	t.description,
	t.status,
	t.priority,
	u.full_name AS requester,
	t.customer_id = (SELECT support.actor_id()) AS is_mine,
	t.created_at,
	t.updated_at,
	t.first_replied_at,
	t.solved_at
FROM support.tickets AS t
LEFT JOIN support.users AS u ON u.id = t.customer_id
WHERE t.deleted_at IS NULL
	AND (t.customer_id = (SELECT support.actor_id()) OR t.organization_id = (SELECT support_internal.my_organization()));

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
	c.author_id = (SELECT support.actor_id()) AS is_mine,
	c.content,
	c.created_at,
	c.edited_at
FROM support.comments AS c
LEFT JOIN support.users AS u ON u.id = c.author_id
WHERE NOT c.is_private
	AND c.deleted_at IS NULL
	AND EXISTS (SELECT FROM support.my_requests AS r WHERE r.id = c.ticket_id);

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
FROM support.attachments AS a
JOIN support.my_requests AS r ON r.id = a.ticket_id
WHERE a.comment_id IS NULL
	OR EXISTS (SELECT FROM support.my_request_comments AS c WHERE c.ticket_id = a.ticket_id AND c.id = a.comment_id);

COMMENT ON VIEW support.my_request_attachments IS 'The files of what my_requests and my_request_comments show, in no order.';
COMMENT ON COLUMN support.my_request_attachments.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support.my_request_attachments.id IS 'Key of the file.';
COMMENT ON COLUMN support.my_request_attachments.comment_id IS 'The comment that it came with; NULL: the ticket.';
COMMENT ON COLUMN support.my_request_attachments.filename IS 'Its name.';
COMMENT ON COLUMN support.my_request_attachments.content_type IS 'Its media type.';
COMMENT ON COLUMN support.my_request_attachments.byte_size IS 'Its size in bytes.';
COMMENT ON COLUMN support.my_request_attachments.created_at IS 'When it was added.';
