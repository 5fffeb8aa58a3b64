-- What is a person's, what is held, and which tickets a rule is about: read by the functions of sql/privacy.sql with the rights
-- of the desk's owner.

-- Holds

CREATE OR REPLACE FUNCTION support_internal.is_of_user(
	image jsonb,
	of_user bigint
)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce
(
	of_user::text = ANY
	(
		ARRAY[image ->> 'creator_id', image ->> 'requester_id', image ->> 'author_id', image ->> 'uploaded_by', image ->> 'deleted_by']
	),
	false
);
COMMENT ON FUNCTION support_internal.is_of_user(jsonb, bigint) IS
	'Whether the image of a ticket, comment or file names a user as who opened, asked, wrote, uploaded or deleted it.';

CREATE OR REPLACE FUNCTION support_internal.tickets_held_with(
	of_user bigint
)
RETURNS TABLE(ticket_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT t.id
	FROM support.tickets AS t
	WHERE t.creator_id = of_user
	UNION
	SELECT t.id
	FROM support.tickets AS t
	WHERE t.requester_id = of_user
	UNION
	SELECT c.ticket_id
	FROM support.comments AS c
	WHERE c.author_id = of_user
	UNION
	SELECT f.ticket_id
	FROM support.attachments AS f
	WHERE f.uploaded_by = of_user
	UNION
	SELECT a.ticket_id
	FROM support.audit_log AS a
	WHERE a.ticket_id <> 0
		AND a.table_name = ANY (ARRAY['tickets', 'comments', 'attachments'])
		AND (support_internal.is_of_user(a.old_value, of_user) OR support_internal.is_of_user(a.new_value, of_user));
END;
COMMENT ON FUNCTION support_internal.tickets_held_with(bigint) IS
	'The tickets that a hold on a user is on: those that he opened, that were opened for him, or that he wrote on, also where that is gone. Reads all of the log.';

CREATE OR REPLACE FUNCTION support_internal.is_held_with(
	of_ticket bigint,
	of_user bigint
)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		EXISTS (SELECT FROM support.tickets AS t WHERE t.id = of_ticket AND of_user = ANY (ARRAY[t.creator_id, t.requester_id]))
		OR EXISTS (SELECT FROM support.comments AS c WHERE c.ticket_id = of_ticket AND c.author_id = of_user)
		OR EXISTS (SELECT FROM support.attachments AS f WHERE f.ticket_id = of_ticket AND f.uploaded_by = of_user)
		OR EXISTS
		(
			SELECT
			FROM support.audit_log AS a
			WHERE a.ticket_id = of_ticket
				AND a.table_name = ANY (ARRAY['tickets', 'comments', 'attachments'])
				AND (support_internal.is_of_user(a.old_value, of_user) OR support_internal.is_of_user(a.new_value, of_user))
		);
END;
COMMENT ON FUNCTION support_internal.is_held_with(bigint, bigint) IS
	'Whether a ticket is one of support_internal.tickets_held_with(of_user).';

CREATE OR REPLACE FUNCTION support_internal.holds_on_ticket(
	of_ticket bigint
)
RETURNS TABLE(hold_id bigint, reason text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT
		h.id,
		h.reason
	FROM support.holds AS h
	WHERE h.lifted_at IS NULL
		AND (h.ticket_id = of_ticket OR (h.user_id IS NOT NULL AND support_internal.is_held_with(of_ticket, h.user_id)));
END;
COMMENT ON FUNCTION support_internal.holds_on_ticket(bigint) IS 'The holds that are on a ticket, by itself or with a user.';

-- Erasing. Where a value was, the log has a neutral one, so that a history still tells what changed and when. The functions
-- that name columns which people may want to widen have a body that the server reads when it runs: it would let nobody.

CREATE OR REPLACE FUNCTION support_internal.erased_columns(
	of_table text
)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE of_table
	WHEN 'tickets' THEN '{"title": "[erased]", "description": "[erased]", "external_id": null, "delete_reason": null}'
	WHEN 'comments' THEN '{"content": "[erased]", "external_id": null}'
	WHEN 'attachments' THEN '{"filename": "[erased]", "sha256": null}'
END::jsonb;
COMMENT ON FUNCTION support_internal.erased_columns(text) IS 'The columns of a table that hold what people write, and what they have once it is erased.';

CREATE OR REPLACE FUNCTION support_internal.erased_image(
	image jsonb,
	columns jsonb
)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN image || coalesce
(
	(
		SELECT jsonb_object_agg(c.key, CASE WHEN jsonb_typeof(image -> c.key) = 'null' THEN 'null' ELSE c.value END)
		FROM jsonb_each(columns) AS c
		WHERE image ? c.key
	),
	'{}'
);
COMMENT ON FUNCTION support_internal.erased_image(jsonb, jsonb) IS 'An image of the log with neutral values in columns that it has.';

CREATE OR REPLACE FUNCTION support_internal.erased_user(
	image jsonb,
	full_name text,
	email text
)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN
(
	SELECT jsonb_object_agg
	(
		c.key,
		CASE
			WHEN c.key = ANY (ARRAY['id', 'is_active', 'created_at', 'role', 'organization_id', 'updated_at', 'sees_all']) THEN c.value
			WHEN jsonb_typeof(c.value) = 'null' THEN c.value
			WHEN c.key = 'full_name' THEN to_jsonb(full_name)
			WHEN c.key = 'email' THEN to_jsonb(email)
			ELSE 'null'
		END
	)
	FROM jsonb_each(image) AS c
);
COMMENT ON FUNCTION support_internal.erased_user(jsonb, text, text) IS
	'The image of a user with nothing personal in it; columns of the owner''s own are null.';

CREATE OR REPLACE FUNCTION support_internal.is_written_by(
	of_table text,
	image jsonb,
	of_user bigint
)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce
(
	image ->> CASE of_table WHEN 'tickets' THEN 'creator_id' WHEN 'comments' THEN 'author_id' WHEN 'attachments' THEN 'uploaded_by' END
		= of_user::text,
	false
);
COMMENT ON FUNCTION support_internal.is_written_by(text, jsonb, bigint) IS
	'Whether the image of a ticket, comment or file names a user as who opened, wrote or uploaded it.';

CREATE OR REPLACE FUNCTION support_internal.tickets_of_user(
	of_user bigint
)
RETURNS TABLE(ticket_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT t.id
	FROM support.tickets AS t
	WHERE t.creator_id = of_user
	UNION
	SELECT t.id
	FROM support.tickets AS t
	WHERE t.deleted_by = of_user
	UNION
	SELECT c.ticket_id
	FROM support.comments AS c
	WHERE c.author_id = of_user
	UNION
	SELECT f.ticket_id
	FROM support.attachments AS f
	WHERE f.uploaded_by = of_user
	UNION
	SELECT a.ticket_id
	FROM support.audit_log AS a
	WHERE a.ticket_id <> 0
		AND
		(
			(a.table_name IS NULL AND a.actor_id = of_user AND (a.old_value IS NOT NULL OR a.new_value IS NOT NULL))
			OR
			(
				a.table_name = ANY (ARRAY['tickets', 'comments', 'attachments'])
				AND
				(
					support_internal.is_written_by(a.table_name, a.old_value, of_user)
					OR support_internal.is_written_by(a.table_name, a.new_value, of_user)
					OR of_user::text = ANY (ARRAY[a.old_value ->> 'deleted_by', a.new_value ->> 'deleted_by'])
				)
			)
		);
END;
COMMENT ON FUNCTION support_internal.tickets_of_user(bigint) IS
	'The tickets on which a user wrote something, live, removed or in their past alone. Reads all of the log.';

CREATE OR REPLACE FUNCTION support_internal.records_to_erase(
	of_ticket bigint,
	of_user bigint
)
RETURNS TABLE(table_name text, record_id bigint, columns jsonb)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	WITH written AS
	(
		SELECT
			'tickets' AS table_name,
			t.id AS record_id
		FROM support.tickets AS t
		WHERE t.id = of_ticket
			AND (of_user IS NULL OR t.creator_id = of_user)
		UNION ALL
		SELECT
			'comments',
			c.id
		FROM support.comments AS c
		WHERE c.ticket_id = of_ticket
			AND (of_user IS NULL OR c.author_id = of_user)
		UNION ALL
		SELECT
			'attachments',
			f.id
		FROM support.attachments AS f
		WHERE f.ticket_id = of_ticket
			AND (of_user IS NULL OR f.uploaded_by = of_user)
		UNION ALL
		SELECT
			a.table_name,
			a.record_id
		FROM support.audit_log AS a
		WHERE a.ticket_id = of_ticket
			AND a.table_name = ANY (ARRAY['tickets', 'comments', 'attachments'])
			AND a.record_id IS NOT NULL
			AND
			(
				of_user IS NULL
				OR support_internal.is_written_by(a.table_name, a.old_value, of_user)
				OR support_internal.is_written_by(a.table_name, a.new_value, of_user)
			)
	),
	files AS
	(
		SELECT
			f.id,
			f.comment_id,
			f.uploaded_by
		FROM support.attachments AS f
		WHERE f.ticket_id = of_ticket
		UNION ALL
		SELECT
			a.record_id,
			(a.old_value ->> 'comment_id')::bigint,
			(a.old_value ->> 'uploaded_by')::bigint
		FROM support.audit_log AS a
		WHERE a.ticket_id = of_ticket
			AND a.table_name = 'attachments'
			AND a.action = 'DELETE'
			AND a.old_value IS NOT NULL
	)
	SELECT
		w.table_name,
		w.record_id,
		support_internal.erased_columns(w.table_name)
	FROM
	(
		SELECT
			o.table_name,
			o.record_id
		FROM written AS o
		UNION
		-- what came with a text of his, and with his ticket, unless somebody else added it
		SELECT
			'attachments',
			f.id
		FROM files AS f
		WHERE EXISTS (SELECT FROM written AS o WHERE o.table_name = 'comments' AND o.record_id = f.comment_id)
			OR
			(
				f.comment_id IS NULL
				AND EXISTS (SELECT FROM written AS o WHERE o.table_name = 'tickets')
				AND (f.uploaded_by IS NULL OR EXISTS (SELECT FROM support.users AS u WHERE u.id = f.uploaded_by AND u.role = 'bot'))
			)
	) AS w
	UNION ALL
	SELECT
		'tickets',
		of_ticket,
		'{"delete_reason": null}'
	WHERE of_user IS NOT NULL
		AND NOT EXISTS (SELECT FROM written AS o WHERE o.table_name = 'tickets')
		AND
		(
			EXISTS (SELECT FROM support.tickets AS t WHERE t.id = of_ticket AND t.deleted_by = of_user)
			OR EXISTS
			(
				SELECT
				FROM support.audit_log AS a
				WHERE a.ticket_id = of_ticket
					AND a.table_name = 'tickets'
					AND of_user::text = ANY (ARRAY[a.old_value ->> 'deleted_by', a.new_value ->> 'deleted_by'])
			)
		);
END;
COMMENT ON FUNCTION support_internal.records_to_erase(bigint, bigint) IS
	'Of a ticket: what a user wrote, all for NULL, live or removed, with the columns that go and what comes in their place. The ticket is his who opened it or ever owned it; files are with the text that they came with; whoever deleted a ticket wrote the reason.';

CREATE OR REPLACE FUNCTION support_internal.rows_to_erase(
	of_tickets bigint[],
	of_user bigint
)
RETURNS TABLE(ticket_id bigint, table_name text, record_id bigint, is_whole boolean)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		k.id,
		r.table_name,
		r.record_id,
		r.columns <> '{"delete_reason": null}'
	FROM unnest(of_tickets) AS k (id)
	CROSS JOIN LATERAL support_internal.records_to_erase(k.id, of_user) AS r
	LEFT JOIN support.tickets AS t ON r.table_name = 'tickets' AND t.id = k.id
	LEFT JOIN support.comments AS c ON r.table_name = 'comments' AND c.ticket_id = k.id AND c.id = r.record_id
	LEFT JOIN support.attachments AS f ON r.table_name = 'attachments' AND f.ticket_id = k.id AND f.id = r.record_id
	WHERE t.delete_reason IS NOT NULL
		OR (r.columns ? 'title' AND (t.title <> '[erased]' OR t.description <> '[erased]' OR t.external_id IS NOT NULL))
		OR c.content <> '[erased]'
		OR c.external_id IS NOT NULL
		OR f.filename <> '[erased]'
		OR f.sha256 IS NOT NULL
$$;
COMMENT ON FUNCTION support_internal.rows_to_erase(bigint[], bigint) IS
	'The rows that are there of what a user wrote on tickets, all for NULL, and that are not erased yet; of some tickets the reason of their deletion alone.';

CREATE OR REPLACE FUNCTION support_internal.entries_to_erase(
	of_tickets bigint[],
	of_user bigint
)
RETURNS TABLE
(
	ticket_id bigint,
	id bigint,
	occurred_at timestamptz,
	era integer,
	xid bigint,
	table_name text,
	record_id bigint,
	old_value jsonb,
	new_value jsonb
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		a.ticket_id,
		a.id,
		a.occurred_at,
		a.era,
		a.xid,
		a.table_name,
		a.record_id,
		i.old_value,
		i.new_value
	FROM unnest(of_tickets) AS k (id)
	CROSS JOIN LATERAL support_internal.records_to_erase(k.id, of_user) AS r
	JOIN support.audit_log AS a ON a.ticket_id = k.id AND a.table_name = r.table_name AND a.record_id = r.record_id
	CROSS JOIN LATERAL
	(
		SELECT
			support_internal.erased_image(a.old_value, r.columns),
			support_internal.erased_image(a.new_value, r.columns)
	) AS i (old_value, new_value)
	WHERE a.old_value IS DISTINCT FROM i.old_value
		OR a.new_value IS DISTINCT FROM i.new_value
	UNION ALL
	SELECT
		a.ticket_id,
		a.id,
		a.occurred_at,
		a.era,
		a.xid,
		a.table_name,
		a.record_id,
		NULL,
		NULL
	FROM unnest(of_tickets) AS k (id)
	JOIN support.audit_log AS a ON a.ticket_id = k.id
	WHERE a.table_name IS NULL
		AND (of_user IS NULL OR a.actor_id = of_user)
		AND (a.old_value IS NOT NULL OR a.new_value IS NOT NULL);
END;
COMMENT ON FUNCTION support_internal.entries_to_erase(bigint[], bigint) IS
	'The entries of the log that have something of what a user wrote on tickets, all for NULL, with the values that they are to have instead: neutral ones in images, none in events.';

CREATE OR REPLACE FUNCTION support_internal.files_to_erase(
	of_tickets bigint[],
	of_user bigint
)
RETURNS TABLE(ticket_id bigint, sha256 bytea)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		f.ticket_id,
		f.sha256
	FROM unnest(of_tickets) AS k (id)
	CROSS JOIN LATERAL
	(
		SELECT
			l.ticket_id,
			l.id,
			l.sha256
		FROM support.attachments AS l
		WHERE l.ticket_id = k.id
			AND l.sha256 IS NOT NULL
		UNION
		SELECT
			a.ticket_id,
			a.record_id,
			decode(substr(i.image ->> 'sha256', 3), 'hex')
		FROM support.audit_log AS a
		CROSS JOIN LATERAL (VALUES (a.old_value), (a.new_value)) AS i (image)
		WHERE a.ticket_id = k.id
			AND a.table_name = 'attachments'
			AND i.image ->> 'sha256' ~ '^.x([0-9a-f]{2})*$'
	) AS f
	LEFT JOIN LATERAL support_internal.records_to_erase(k.id, of_user) AS r ON r.table_name = 'attachments' AND r.record_id = f.id
	GROUP BY f.ticket_id, f.sha256
	HAVING bool_and(r.record_id IS NOT NULL)
$$;
COMMENT ON FUNCTION support_internal.files_to_erase(bigint[], bigint) IS
	'The contents of files that a user added to tickets, all for NULL, by their digests: but for those that somebody else has added to the same ticket as well.';

CREATE OR REPLACE FUNCTION support_internal.entries_about_user(
	of_user bigint,
	full_name text,
	email text
)
RETURNS TABLE
(
	ticket_id bigint,
	id bigint,
	occurred_at timestamptz,
	era integer,
	xid bigint,
	old_value jsonb,
	new_value jsonb
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		a.ticket_id,
		a.id,
		a.occurred_at,
		a.era,
		a.xid,
		i.old_value,
		i.new_value
	FROM support.audit_log AS a
	CROSS JOIN LATERAL
	(
		SELECT
			CASE WHEN a.table_name IS NOT NULL THEN support_internal.erased_user(a.old_value, full_name, email) END,
			CASE WHEN a.table_name IS NOT NULL THEN support_internal.erased_user(a.new_value, full_name, email) END
	) AS i (old_value, new_value)
	WHERE a.ticket_id = 0
		AND ((a.table_name = 'users' AND a.record_id = of_user) OR (a.table_name IS NULL AND a.actor_id = of_user))
		AND (a.old_value IS DISTINCT FROM i.old_value OR a.new_value IS DISTINCT FROM i.new_value);
END;
COMMENT ON FUNCTION support_internal.entries_about_user(bigint, text, text) IS
	'The entries of the log that have something personal of a user''s row, and the events of no ticket that he logged, with the values that they are to have instead.';

CREATE OR REPLACE FUNCTION support_internal.names_of_user(
	of_user bigint
)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(array_agg(DISTINCT lower(n.name)), '{}')
	FROM
	(
		SELECT i.image ->> 'full_name'
		FROM support.audit_log AS a
		CROSS JOIN LATERAL (VALUES (a.old_value), (a.new_value)) AS i (image)
		WHERE a.ticket_id = 0
			AND a.table_name = 'users'
			AND a.record_id = of_user
		UNION ALL
		SELECT i.image ->> 'email'
		FROM support.audit_log AS a
		CROSS JOIN LATERAL (VALUES (a.old_value), (a.new_value)) AS i (image)
		WHERE a.ticket_id = 0
			AND a.table_name = 'users'
			AND a.record_id = of_user
		UNION ALL
		SELECT to_jsonb(u) ->> 'full_name'
		FROM support.users AS u
		WHERE u.id = of_user
		UNION ALL
		SELECT to_jsonb(u) ->> 'email'
		FROM support.users AS u
		WHERE u.id = of_user
	) AS n (name)
	WHERE n.name <> format('Erased user %s', of_user)
		AND NOT starts_with(n.name, format('erased-user-%s@', of_user));
END;
COMMENT ON FUNCTION support_internal.names_of_user(bigint) IS
	'The names and e-mail addresses that a user has and had, in lower case, but for those of one who is erased.';

CREATE OR REPLACE FUNCTION support_internal.names_any(
	names text[],
	content text
)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS
(
	SELECT
	FROM (SELECT lower(content) OFFSET 0) AS c (content)
	CROSS JOIN (SELECT DISTINCT u.name FROM unnest(names) AS u (name)) AS n
	WHERE strpos(c.content, n.name) > 0
);
COMMENT ON FUNCTION support_internal.names_any(text[], text) IS 'Whether a text has one of some names in it, whatever its case.';

-- Redacting

CREATE OR REPLACE FUNCTION support_internal.redacted_text(
	content text,
	pattern text,
	replacement text
)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN
(
	SELECT CASE WHEN r.redacted ~ '\S' THEN r.redacted ELSE '[removed]' END
	FROM
	(
		SELECT CASE
			WHEN pattern IS NULL THEN replacement
			ELSE regexp_replace(content, pattern, replace(replacement, '\', '\\'), 'g')
		END
	) AS r (redacted)
);
COMMENT ON FUNCTION support_internal.redacted_text(text, text, text) IS
	'A text with a replacement, as it is written, for each match of a regular expression; for NULL the replacement alone. Where nothing would be left it is [removed], since no comment is blank.';

CREATE OR REPLACE FUNCTION support_internal.redacted_image(
	image jsonb,
	pattern text,
	replacement text
)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN jsonb_typeof(image -> 'content') = 'string' THEN image || jsonb_build_object
	(
		'content', support_internal.redacted_text(image ->> 'content', pattern, replacement)
	)
	ELSE image
END;
COMMENT ON FUNCTION support_internal.redacted_image(jsonb, text, text) IS 'The image of a comment with its text redacted.';

CREATE OR REPLACE FUNCTION support_internal.entries_to_redact(
	of_ticket bigint,
	of_comment bigint,
	pattern text,
	replacement text
)
RETURNS TABLE
(
	ticket_id bigint,
	id bigint,
	occurred_at timestamptz,
	era integer,
	xid bigint,
	old_value jsonb,
	new_value jsonb
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		a.ticket_id,
		a.id,
		a.occurred_at,
		a.era,
		a.xid,
		i.old_value,
		i.new_value
	FROM support.audit_log AS a
	CROSS JOIN LATERAL
	(
		SELECT
			support_internal.redacted_image(a.old_value, pattern, replacement),
			support_internal.redacted_image(a.new_value, pattern, replacement)
	) AS i (old_value, new_value)
	WHERE a.ticket_id = of_ticket
		AND a.table_name = 'comments'
		AND a.record_id = of_comment
		AND (a.old_value IS DISTINCT FROM i.old_value OR a.new_value IS DISTINCT FROM i.new_value);
END;
COMMENT ON FUNCTION support_internal.entries_to_redact(bigint, bigint, text, text) IS
	'The entries of the log that have something of a comment''s text that is to be redacted, with the values that they are to have instead.';

-- Rules

CREATE OR REPLACE FUNCTION support_internal.tickets_of_rule(
	filters jsonb,
	before timestamptz,
	erases boolean
)
RETURNS TABLE(ticket_id bigint, ended_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		f.id,
		coalesce(f.solved_at, t.updated_at)
	FROM support_internal.tickets_asked_for(filters) AS f
	JOIN support.tickets AS t ON t.id = f.id
	JOIN support.statuses AS s ON s.name = f.status
	WHERE s.category = ANY (ARRAY['solved', 'closed'])
		AND support_internal.is_asked_for(filters, 'category', to_jsonb(s.category))
		AND support_internal.is_asked_for(filters, 'status', to_jsonb(f.status))
		AND coalesce(f.solved_at, t.updated_at) < before
		AND NOT EXISTS (SELECT FROM support_internal.holds_on_ticket(f.id) AS h)
		AND
		(
			NOT erases
			OR
			(
				SELECT a.action = 'ERASE' AND a.table_name IS NULL
				FROM support.audit_log AS a
				WHERE a.ticket_id = f.id
				ORDER BY a.id DESC
				LIMIT 1
			) IS NOT TRUE
		);
END;
COMMENT ON FUNCTION support_internal.tickets_of_rule(jsonb, timestamptz, boolean) IS
	'The live tickets that a rule is about: solved or closed, last solved before an instant, and not held. One that came in closed at a time that nobody knows counts from its last change. Where a rule erases, not those to which nothing has come since all they had was erased.';

-- What there is of a person

CREATE OR REPLACE FUNCTION support_internal.export_of_user(
	of_user bigint
)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT jsonb_build_object
	(
		'exported_at', support.desk_now(),
		'user', (SELECT to_jsonb(u) - 'email_key' FROM support.users AS u WHERE u.id = of_user),
		'organization',
		(
			SELECT jsonb_build_object('id', o.id, 'name', o.name)
			FROM support.users AS u
			JOIN support.organizations AS o ON o.id = u.organization_id
			WHERE u.id = of_user
		),
		'teams',
		(
			SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'capacity', to_jsonb(m) -> 'capacity') ORDER BY t.id), '[]')
			FROM support.team_members AS m
			JOIN support.teams AS t ON t.id = m.team_id
			WHERE m.user_id = of_user
		),
		'tickets',
		(
			SELECT coalesce(jsonb_agg
			(
				to_jsonb(t) - ARRAY['customer_id', 'version'] || jsonb_build_object
				(
					'tags',
					(
						SELECT coalesce(jsonb_agg(g.name ORDER BY g.name COLLATE "C"), '[]')
						FROM support.ticket_tags AS k
						JOIN support.tags AS g ON g.id = k.tag_id
						WHERE k.ticket_id = t.id
					),
					'answers',
					(
						SELECT coalesce(jsonb_agg(to_jsonb(c) - 'ticket_id' ORDER BY c.id), '[]')
						FROM support.comments AS c
						WHERE c.ticket_id = t.id
							AND c.author_id <> of_user
							AND NOT c.is_private
							AND c.deleted_at IS NULL
					)
				)
				ORDER BY t.id
			), '[]')
			FROM support.tickets AS t
			WHERE t.creator_id = of_user
				OR t.requester_id = of_user
		),
		'comments',
		(
			SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.ticket_id, c.id), '[]')
			FROM support.comments AS c
			WHERE c.author_id = of_user
		),
		'attachments',
		(
			SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.ticket_id, f.id), '[]')
			FROM support.attachments AS f
			LEFT JOIN support.comments AS c ON c.ticket_id = f.ticket_id AND c.id = f.comment_id
			LEFT JOIN support.tickets AS t ON t.id = f.ticket_id AND f.comment_id IS NULL
			WHERE f.uploaded_by = of_user
				OR c.author_id = of_user
				OR of_user = ANY (ARRAY[t.creator_id, t.requester_id])
		),
		'watched',
		(
			SELECT coalesce(jsonb_agg(jsonb_build_object('ticket_id', w.ticket_id, 'kind', w.kind) ORDER BY w.ticket_id), '[]')
			FROM support.ticket_watchers AS w
			WHERE w.user_id = of_user
		),
		'holds',
		(
			SELECT coalesce(jsonb_agg(to_jsonb(h) ORDER BY h.id), '[]')
			FROM support.holds AS h
			WHERE h.user_id = of_user
		),
		'earlier',
		(
			SELECT coalesce(jsonb_agg
			(
				jsonb_build_object
				(
					'occurred_at', a.occurred_at, 'action', a.action, 'table_name', a.table_name, 'record_id', a.record_id,
					'ticket_id', a.ticket_id, 'old_value', a.old_value, 'new_value', a.new_value
				)
				ORDER BY a.id
			), '[]')
			FROM support.audit_log AS a
			WHERE (a.old_value IS NOT NULL OR a.new_value IS NOT NULL)
				AND
				(
					(a.ticket_id = 0 AND a.table_name = 'users' AND a.record_id = of_user)
					OR (a.table_name IS NULL AND a.actor_id = of_user)
					OR
					(
						a.ticket_id <> 0
						AND a.ticket_id IN (SELECT t.ticket_id FROM support_internal.tickets_of_user(of_user) AS t)
						AND EXISTS
						(
							SELECT
							FROM support_internal.records_to_erase(a.ticket_id, of_user) AS r
							WHERE r.table_name = a.table_name
								AND r.record_id = a.record_id
								AND a.old_value ?| ARRAY['title', 'description', 'content', 'filename', 'delete_reason']
						)
					)
				)
		),
		'log',
		(
			SELECT jsonb_build_object('entries', count(*), 'first_at', min(a.occurred_at), 'last_at', max(a.occurred_at))
			FROM support.audit_log AS a
			WHERE a.actor_id = of_user
		)
	);
END;
COMMENT ON FUNCTION support_internal.export_of_user(bigint) IS 'What support.export_user() returns. Reads all of the log.';
