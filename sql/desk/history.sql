-- Reading the audit log: see support.ticket_history().

CREATE OR REPLACE FUNCTION support_internal.history_of_ticket(
	ticket_id bigint,
	from_at timestamptz,
	to_at timestamptz,
	left_out text[]
)
RETURNS TABLE
(
	audit_id bigint,
	occurred_at timestamptz,
	actor_id bigint,
	actor_name text,
	action text,
	table_name text,
	record_id bigint,
	field text,
	old_value text,
	new_value text
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		a.id,
		a.occurred_at,
		a.actor_id,
		coalesce(u.full_name::text, a.db_role),
		a.action,
		a.table_name,
		a.record_id,
		f.field,
		CASE WHEN f.field IS NULL THEN a.old_value::text ELSE a.old_value ->> f.field END,
		CASE WHEN f.field IS NULL THEN a.new_value::text ELSE a.new_value ->> f.field END
	FROM support.audit_log AS a
	LEFT JOIN support.users AS u ON u.id = a.actor_id
	CROSS JOIN LATERAL
	(
		SELECT k.field
		FROM jsonb_object_keys(CASE WHEN jsonb_typeof(a.new_value) = 'object' THEN a.new_value END) AS k (field)
		WHERE a.action = 'UPDATE'
			AND a.table_name IS NOT NULL
			AND (a.old_value -> k.field) IS DISTINCT FROM (a.new_value -> k.field)
			AND k.field <> ALL (left_out)
		UNION ALL
		SELECT NULL
		WHERE a.action <> 'UPDATE'
			OR a.table_name IS NULL
			OR a.new_value IS NULL
			OR jsonb_typeof(a.new_value) <> 'object'
	) AS f
	WHERE a.ticket_id = history_of_ticket.ticket_id
		AND a.occurred_at >= from_at
		AND a.occurred_at < to_at;
END;
COMMENT ON FUNCTION support_internal.history_of_ticket(bigint, timestamptz, timestamptz, text[]) IS
	'A row for each field that a change of a ticket, or of what belongs to it, gave another value, but for fields that are left out; one for each entry of another kind. With the rights of the caller.';
