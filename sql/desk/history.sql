-- Reading the audit log: see support.ticket_history().

-- Each reads what its caller may read, and only when it is needed: who may not read the teams can read a history without.
CREATE OR REPLACE FUNCTION support_internal.name_in_log(
	of_table text,
	of_record bigint,
	seen_by bigint
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(a.old_value ->> 'full_name', a.old_value ->> 'name')
	FROM support.audit_log AS a
	WHERE a.ticket_id = 0
		AND a.table_name = of_table
		AND a.record_id = of_record
		AND a.action = 'DELETE'
		AND a.old_value IS NOT NULL
	ORDER BY
		a.id < seen_by,
		abs(a.id - seen_by)
	LIMIT 1;
END;
COMMENT ON FUNCTION support_internal.name_in_log(text, bigint, bigint) IS
	'The name that a user, team, organization or tag had when its row was removed, as the log has it: first after the entry seen_by, for an id may be used again.';

CREATE OR REPLACE FUNCTION support_internal.name_of_user(
	id bigint,
	seen_by bigint
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce
	(
		(
			SELECT n.full_name::text
			FROM support.users AS n
			WHERE n.id = name_of_user.id
		),
		support_internal.name_in_log('users', id, seen_by)
	);
END;
COMMENT ON FUNCTION support_internal.name_of_user(bigint, bigint) IS
	'The name of a user, as the log has it where the row is gone.';

CREATE OR REPLACE FUNCTION support_internal.name_of_team(
	id bigint,
	seen_by bigint
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce
	(
		(
			SELECT n.name::text
			FROM support.teams AS n
			WHERE n.id = name_of_team.id
		),
		support_internal.name_in_log('teams', id, seen_by)
	);
END;
COMMENT ON FUNCTION support_internal.name_of_team(bigint, bigint) IS
	'The name of a team, as the log has it where the row is gone.';

CREATE OR REPLACE FUNCTION support_internal.name_of_organization(
	id bigint,
	seen_by bigint
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce
	(
		(
			SELECT n.name::text
			FROM support.organizations AS n
			WHERE n.id = name_of_organization.id
		),
		support_internal.name_in_log('organizations', id, seen_by)
	);
END;
COMMENT ON FUNCTION support_internal.name_of_organization(bigint, bigint) IS
	'The name of an organization, as the log has it where the row is gone.';

CREATE OR REPLACE FUNCTION support_internal.name_of_tag(
	id bigint,
	seen_by bigint
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce
	(
		(
			SELECT n.name::text
			FROM support.tags AS n
			WHERE n.id = name_of_tag.id
		),
		support_internal.name_in_log('tags', id, seen_by)
	);
END;
COMMENT ON FUNCTION support_internal.name_of_tag(bigint, bigint) IS
	'The name of a tag, as the log has it where the row is gone.';

CREATE OR REPLACE FUNCTION support_internal.value_for_people(
	field text,
	value text,
	seen_by bigint
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce
	(
		CASE
			WHEN value !~ '^[0-9]{1,18}$' THEN NULL
			WHEN field = ANY
			(
				ARRAY['assignee_id', 'requester_id', 'creator_id', 'author_id', 'user_id', 'uploaded_by', 'deleted_by']
			) THEN support_internal.name_of_user(value::bigint, seen_by)
			WHEN field = 'team_id' THEN support_internal.name_of_team(value::bigint, seen_by)
			WHEN field = 'organization_id' THEN support_internal.name_of_organization(value::bigint, seen_by)
			WHEN field = 'tag_id' THEN support_internal.name_of_tag(value::bigint, seen_by)
		END || format(' (%s)', value),
		value
	);
END;
COMMENT ON FUNCTION support_internal.value_for_people(text, text, bigint) IS
	'A value of the entry seen_by as people read it: the id of a user, team, organization or tag with its name, "Ada Byron (3)".';

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
		coalesce(u.full_name::text, support_internal.name_in_log('users', a.actor_id, a.id), a.db_role),
		a.action,
		a.table_name,
		a.record_id,
		f.field,
		CASE
			WHEN f.field IS NULL AND a.action = 'ERASE' THEN NULL
			WHEN f.field IS NULL THEN a.old_value::text
			ELSE support_internal.value_for_people(f.field, a.old_value ->> f.field, a.id)
		END,
		CASE
			WHEN f.field IS NULL AND a.action = 'ERASE' THEN NULL
			WHEN f.field IS NULL THEN a.new_value::text
			ELSE support_internal.value_for_people(f.field, a.new_value ->> f.field, a.id)
		END
	FROM support.audit_log AS a
	LEFT JOIN support.users AS u ON u.id = a.actor_id
	CROSS JOIN LATERAL
	(
		SELECT
			CASE WHEN a.action = 'DELETE' THEN a.old_value ELSE a.new_value END AS image,
			a.table_name IS NOT NULL AND a.action = ANY (ARRAY['INSERT', 'UPDATE', 'DELETE']) AS is_of_record
	) AS i
	CROSS JOIN LATERAL
	(
		SELECT k.field
		FROM jsonb_object_keys(CASE WHEN jsonb_typeof(i.image) = 'object' THEN i.image END) AS k (field)
		WHERE i.is_of_record
			AND k.field <> ALL (left_out)
			AND CASE a.action
				WHEN 'UPDATE' THEN (a.old_value -> k.field) IS DISTINCT FROM (a.new_value -> k.field)
				ELSE k.field <> ALL (ARRAY['id', 'ticket_id']) AND i.image -> k.field <> 'null'
			END
		UNION ALL
		SELECT NULL
		WHERE NOT i.is_of_record
			OR i.image IS NULL
			OR jsonb_typeof(i.image) <> 'object'
	) AS f
	WHERE a.ticket_id = history_of_ticket.ticket_id
		AND a.occurred_at >= from_at
		AND a.occurred_at < to_at;
END;
COMMENT ON FUNCTION support_internal.history_of_ticket(bigint, timestamptz, timestamptz, text[]) IS
	'A row for each field that a change of a ticket, or of what belongs to it, gave another value, or that a removed row had, but for fields that are left out; one for each entry that has none. With the rights of the caller.';
