-- What support.undo_since() reads of the log, with the rights of the caller.

CREATE OR REPLACE FUNCTION support_internal.changes_by(
	user_id bigint,
	since timestamptz
)
RETURNS TABLE
(
	id bigint,
	occurred_at timestamptz,
	era integer,
	xid bigint,
	actor_id bigint,
	db_role text,
	action text,
	table_name text,
	record_id bigint,
	ticket_id bigint,
	old_value jsonb,
	new_value jsonb
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		a.id,
		a.occurred_at,
		a.era,
		a.xid,
		a.actor_id,
		a.db_role,
		a.action,
		a.table_name,
		a.record_id,
		a.ticket_id,
		a.old_value,
		a.new_value
	FROM support.audit_log AS a
	WHERE a.actor_id = user_id
		AND a.occurred_at >= since
		AND a.table_name IS NOT NULL
		AND a.action = ANY (ARRAY['INSERT', 'UPDATE', 'DELETE']);
END;
COMMENT ON FUNCTION support_internal.changes_by(bigint, timestamptz) IS
	'The changes of records that somebody has made since an instant, as the log has them.';

CREATE OR REPLACE FUNCTION support_internal.changes_to_undo(
	user_id bigint,
	since timestamptz
)
RETURNS TABLE
(
	id bigint,
	occurred_at timestamptz,
	era integer,
	xid bigint,
	actor_id bigint,
	db_role text,
	action text,
	table_name text,
	record_id bigint,
	ticket_id bigint,
	old_value jsonb,
	new_value jsonb,
	version bigint,
	comment_id text,
	is_last boolean
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		a.id,
		a.occurred_at,
		a.era,
		a.xid,
		a.actor_id,
		a.db_role,
		a.action,
		a.table_name,
		a.record_id,
		a.ticket_id,
		a.old_value,
		a.new_value,
		CASE WHEN a.action = 'UPDATE' THEN (a.old_value ->> 'version')::bigint END,
		CASE WHEN a.table_name = 'attachments' AND a.action = 'DELETE' THEN a.old_value ->> 'comment_id' END,
		coalesce(last.id = a.id, false)
	FROM support_internal.changes_by(user_id, since) AS a
	LEFT JOIN
	(
		SELECT
			l.table_name,
			l.record_id,
			max(l.id) AS id
		FROM support.audit_log AS l
		WHERE l.ticket_id = 0
			AND l.id >=
			(
				SELECT min(m.id)
				FROM support_internal.changes_by(user_id, since) AS m
				WHERE m.ticket_id = 0
			)
		GROUP BY l.table_name, l.record_id
	) AS last ON a.ticket_id = 0 AND last.table_name = a.table_name AND last.record_id = a.record_id;
END;
COMMENT ON FUNCTION support_internal.changes_to_undo(bigint, timestamptz) IS
	'The changes that somebody has made since an instant, with what places them: the version that the record had before, the comment that a removed file belonged to, and whether a change of a record of no ticket is its last.';

CREATE OR REPLACE FUNCTION support_internal.signs_of_order(
	user_id bigint,
	since timestamptz
)
RETURNS TABLE
(
	ticket_id bigint,
	era integer,
	xid bigint,
	id bigint,
	record_id bigint,
	action text,
	table_name text,
	version bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		l.ticket_id,
		l.era,
		l.xid,
		l.id,
		l.record_id,
		l.action,
		l.table_name,
		CASE WHEN l.action = ANY (ARRAY['UPDATE', 'ERASE']) THEN (l.old_value ->> 'version')::bigint END
	FROM
	(
		SELECT DISTINCT a.ticket_id
		FROM support_internal.changes_by(user_id, since) AS a
		WHERE a.ticket_id <> 0
	) AS t
	JOIN support.audit_log AS l ON l.ticket_id = t.ticket_id
	WHERE l.action = 'PURGE'
		OR l.table_name = 'tickets'
		OR (l.table_name = 'comments' AND l.action = ANY (ARRAY['INSERT', 'DELETE']));
END;
COMMENT ON FUNCTION support_internal.signs_of_order(bigint, timestamptz) IS
	'Entries that tell in which order the changes which somebody has made since an instant are to be undone: of their tickets, that comments came or went, and purges, whoever made them.';
