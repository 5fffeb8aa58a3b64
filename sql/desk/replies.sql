-- What the comments of a ticket come to: how often it was answered, and since when its customer waits.

CREATE OR REPLACE FUNCTION support_internal.books_of_ticket(
	ticket_id bigint
)
RETURNS TABLE
(
	reply_count bigint,
	first_replied_at timestamptz,
	last_agent_at timestamptz,
	last_customer_at timestamptz,
	waiting_since timestamptz
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	WITH written AS
	(
		SELECT
			'customer' AS writer,
			t.created_at
		FROM support.tickets AS t
		WHERE t.id = books_of_ticket.ticket_id
			AND t.creator_role = 'customer'
		UNION ALL
		SELECT
			CASE WHEN c.author_role = 'customer' THEN 'customer' ELSE 'agent' END,
			c.created_at
		FROM support.comments AS c
		WHERE c.ticket_id = books_of_ticket.ticket_id
			AND NOT c.is_private
			AND c.deleted_at IS NULL
			AND
			(
				support_internal.is_from_customer(c.is_private, c.author_role, c.via)
				OR support_internal.is_reply(c.is_private, c.author_role, c.via)
			)
	),
	answered AS
	(
		SELECT
			count(*) FILTER (WHERE w.writer = 'agent') AS replies,
			min(w.created_at) FILTER (WHERE w.writer = 'agent') AS first_reply_at,
			max(w.created_at) FILTER (WHERE w.writer = 'agent') AS last_reply_at,
			max(w.created_at) FILTER (WHERE w.writer = 'customer') AS last_customer_at
		FROM written AS w
	),
	-- times of comments that there are or were: a reply of another time was told by an import, which has not its text
	comment_times AS
	(
		SELECT c.created_at AS at
		FROM support.comments AS c
		WHERE c.ticket_id = books_of_ticket.ticket_id
		UNION ALL
		SELECT (a.old_value ->> 'created_at')::timestamptz
		FROM support.audit_log AS a
		WHERE a.ticket_id = books_of_ticket.ticket_id
			AND a.table_name = 'comments'
			AND a.old_value ? 'created_at'
	),
	told AS
	(
		SELECT
			min(t.first_replied_at) FILTER (WHERE NOT EXISTS
				(SELECT FROM comment_times AS x WHERE x.at = t.first_replied_at)) AS first_reply_at,
			max(t.last_agent_at) FILTER (WHERE NOT EXISTS
				(SELECT FROM comment_times AS x WHERE x.at = t.last_agent_at)) AS last_reply_at
		FROM support.tickets AS t
		WHERE t.id = books_of_ticket.ticket_id
	),
	-- times at which the ticket was solved; one that it lost without being reopened was undone
	solvings AS
	(
		SELECT DISTINCT ON (s.at)
			s.at,
			s.is_new OR a.new_value ? 'reopen_count' AS counts
		FROM support.audit_log AS a
		CROSS JOIN LATERAL
		(
			VALUES
				((a.new_value ->> 'solved_at')::timestamptz, true),
				((a.old_value ->> 'solved_at')::timestamptz, false)
		) AS s (at, is_new)
		WHERE a.ticket_id = books_of_ticket.ticket_id
			AND a.table_name = 'tickets'
			AND a.action = 'UPDATE'
			AND s.at IS NOT NULL
		ORDER BY s.at, a.id DESC
	),
	solved AS
	(
		SELECT max(v.at) FILTER (WHERE v.counts) AS at
		FROM solvings AS v
	)
	SELECT
		n.replies,
		least(n.first_reply_at, k.first_reply_at),
		greatest(n.last_reply_at, k.last_reply_at, k.first_reply_at),
		n.last_customer_at,
		(
			SELECT min(w.created_at)
			FROM written AS w
			WHERE w.writer = 'customer'
				AND w.created_at > coalesce(greatest(n.last_reply_at, k.last_reply_at, k.first_reply_at, s.at), '-infinity'::timestamptz)
		)
	FROM answered AS n
	CROSS JOIN told AS k
	CROSS JOIN solved AS s;
END;
COMMENT ON FUNCTION support_internal.books_of_ticket(bigint) IS
	'What a ticket''s comments come to, and the times at which it was solved, as the log has them: waiting_since is that of a ticket which is not solved now.';
REVOKE ALL ON FUNCTION support_internal.books_of_ticket(bigint) FROM PUBLIC;
