-- What support.report() reads where no counter has it: the rows themselves. The functions count the tickets, comments or
-- log entries of a range with the rights of whoever calls them. Nothing of a filter is left in the plan where
-- it is not there: in psql, EXPLAIN SELECT * FROM support_internal.report_tickets(...) shows what runs.

CREATE OR REPLACE FUNCTION support_internal.tickets_asked_for(
	filters jsonb
)
RETURNS TABLE
(
	id bigint,
	status text,
	priority text,
	channel text,
	team_id bigint,
	assignee_id bigint,
	organization_id bigint,
	creator_id bigint,
	requester_id bigint,
	created_at timestamptz,
	first_replied_at timestamptz,
	first_solved_at timestamptz,
	solved_at timestamptz,
	waiting_since timestamptz,
	reply_count integer,
	reopen_count integer
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	SELECT
		t.id,
		t.status,
		coalesce(t.priority, 'normal'),
		nullif(t.channel, ''),
		t.team_id,
		t.assignee_id,
		t.organization_id,
		t.creator_id,
		coalesce(t.requester_id, t.creator_id),
		t.created_at,
		t.first_replied_at,
		t.first_solved_at,
		t.solved_at,
		t.waiting_since,
		t.reply_count,
		t.reopen_count
	FROM support.tickets AS t
	WHERE t.deleted_at IS NULL
		AND support_internal.is_asked_for(filters, 'team_id', to_jsonb(t.team_id))
		AND support_internal.is_asked_for(filters, 'assignee_id', to_jsonb(t.assignee_id))
		AND support_internal.is_asked_for(filters, 'organization_id', to_jsonb(t.organization_id))
		AND support_internal.is_asked_for(filters, 'creator_id', to_jsonb(t.creator_id))
		AND support_internal.is_asked_for(filters, 'requester_id', to_jsonb(coalesce(t.requester_id, t.creator_id)))
		AND support_internal.is_asked_for(filters, 'priority', to_jsonb(coalesce(t.priority, 'normal')))
		AND
		(
			support_internal.is_asked_for(filters, 'channel', to_jsonb(t.channel))
			OR (coalesce(t.channel, '') = '' AND ((filters -> 'channel') @> 'null' OR (filters -> 'channel') @> '""'))
		)
		AND (NOT filters ? 'custom' OR coalesce(t.custom, '{}') @> (filters -> 'custom'))
		AND
		(
			NOT filters ? 'tag'
			OR EXISTS
			(
				SELECT
				FROM support.ticket_tags AS k
				JOIN support.tags AS tag ON tag.id = k.tag_id
				WHERE k.ticket_id = t.id
					AND lower((filters -> 'tag')::text)::jsonb @> to_jsonb(tag.name_key)
			)
		);
END;
COMMENT ON FUNCTION support_internal.tickets_asked_for(jsonb) IS
	'The live tickets that the filters of a report let pass, but for those of status and category, which are the event''s.';

CREATE OR REPLACE FUNCTION support_internal.group_values(
	grouping_by text,
	ticket_id bigint,
	team_id bigint,
	assignee_id bigint,
	organization_id bigint,
	creator_id bigint,
	requester_id bigint,
	priority text,
	channel text,
	category text,
	status text,
	user_id bigint
)
RETURNS TABLE(value text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT CASE
		WHEN grouping_by = 'team' THEN team_id::text
		WHEN grouping_by = 'assignee' THEN assignee_id::text
		WHEN grouping_by = 'organization' THEN organization_id::text
		WHEN grouping_by = 'creator' THEN creator_id::text
		WHEN grouping_by = 'requester' THEN requester_id::text
		WHEN grouping_by = 'priority' THEN priority
		WHEN grouping_by = 'channel' THEN channel
		WHEN grouping_by = 'category' THEN category
		WHEN grouping_by = 'status' THEN status
		WHEN grouping_by = 'user' THEN user_id::text
	END
	WHERE grouping_by IS NULL OR grouping_by <> 'tag'
	UNION ALL
	SELECT k.tag_id::text
	FROM support.ticket_tags AS k
	WHERE grouping_by = 'tag' AND k.ticket_id = group_values.ticket_id;
END;
COMMENT ON FUNCTION support_internal.group_values(text, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, text, bigint) IS
	'The values that a ticket, or an event of one, counts under in a report: one, or all its tags. Category, status and user are the event''s.';

CREATE OR REPLACE FUNCTION support_internal.first_status(
	ticket_id bigint
)
RETURNS TABLE(status text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT a.old_value ->> 'status'
	FROM support.audit_log AS a
	WHERE a.ticket_id = first_status.ticket_id
		AND a.table_name = 'tickets'
		AND a.action = 'UPDATE'
		AND a.old_value ? 'status'
	ORDER BY
		(
			SELECT count(*)
			FROM support.audit_log AS i
			WHERE i.ticket_id = a.ticket_id
				AND i.table_name = 'tickets'
				AND i.action = 'INSERT'
				AND i.id < a.id
		),
		(a.old_value ->> 'version')::bigint,
		a.id
	LIMIT 1;
END;
COMMENT ON FUNCTION support_internal.first_status(bigint) IS
	'The status that a ticket had before its first change of it; no row if it has had one only. A trigger of the application may change a row again before the log has the first change, so the versions tell; a ticket that was removed and inserted again begins a new life with version 1.';

CREATE OR REPLACE FUNCTION support_internal.report_tickets(
	bounds timestamptz[],
	measure text,
	grouping_by text,
	filters jsonb
)
RETURNS TABLE
(
	bucket integer,
	value text,
	n bigint,
	average double precision,
	percentiles double precision[]
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		width_bucket(e.at, bounds),
		g.value,
		count(*),
		avg(d.seconds),
		percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]::double precision[]) WITHIN GROUP (ORDER BY d.seconds)
	FROM support_internal.tickets_asked_for(filters) AS t
	JOIN support.statuses AS s ON s.name = t.status
	CROSS JOIN LATERAL
	(
		SELECT
			CASE
				WHEN measure = 'first_reply' THEN t.first_replied_at
				WHEN measure = 'resolution' THEN t.first_solved_at
				WHEN measure = ANY (ARRAY['full_resolution', 'one_touch', 'two_touch', 'multi_touch', 'reopened_tickets'])
					THEN t.solved_at
				WHEN measure = 'waiting' THEN t.waiting_since
				ELSE t.created_at
			END AS at,
			CASE
				WHEN measure ~ '^first_reply' THEN t.first_replied_at
				WHEN measure ~ '^resolution' THEN t.first_solved_at
				WHEN measure ~ '^full_resolution' THEN t.solved_at
			END AS ended_at,
			measure ~ '(reply|resolution)' AS has_duration,
			NOT support_internal.is_solved(s.category) AS is_open
	) AS e
	CROSS JOIN LATERAL
	(
		SELECT CASE
			WHEN e.ended_at IS NOT NULL THEN greatest(0, floor(date_part('epoch', e.ended_at - t.created_at)))
		END AS seconds
	) AS d
	CROSS JOIN LATERAL support_internal.group_values(grouping_by, t.id, t.team_id, t.assignee_id, t.organization_id,
		t.creator_id, t.requester_id, t.priority, t.channel, s.category, t.status, NULL) AS g
	WHERE e.at >= bounds[1]
		AND e.at < bounds[cardinality(bounds)]
		AND (NOT e.has_duration OR e.ended_at IS NOT NULL)
		AND
		(
			measure = 'tickets'
			OR measure ~ '^(first_reply|resolution)'
			OR (measure = 'open' AND e.is_open)
			OR (measure = 'unassigned' AND e.is_open AND t.assignee_id IS NULL)
			OR (measure = 'waiting' AND e.is_open)
			OR (measure = 'unanswered' AND e.is_open AND t.first_replied_at IS NULL)
			OR (measure ~ '^full_resolution' AND NOT e.is_open)
			OR (measure = 'one_touch' AND NOT e.is_open AND t.reply_count = 1)
			OR (measure = 'two_touch' AND NOT e.is_open AND t.reply_count = 2)
			OR (measure = 'multi_touch' AND NOT e.is_open AND t.reply_count >= 3)
			OR (measure = 'reopened_tickets' AND NOT e.is_open AND t.reopen_count > 0)
		)
		AND support_internal.is_asked_for(filters, 'category', to_jsonb(s.category))
		AND support_internal.is_asked_for(filters, 'status', to_jsonb(t.status))
	GROUP BY 1, 2;
END;
COMMENT ON FUNCTION support_internal.report_tickets(timestamptz[], text, text, jsonb) IS
	'What a measure of tickets comes to between each bound and the next, from the tickets themselves: by the value that it is grouped by, with mean and percentiles 50, 90, 95 and 99 of the seconds that it took.';

CREATE OR REPLACE FUNCTION support_internal.report_changes(
	bounds timestamptz[],
	measure text,
	grouping_by text,
	filters jsonb
)
RETURNS TABLE
(
	bucket integer,
	value text,
	n bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		width_bucket(e.at, bounds),
		g.value,
		CASE WHEN measure = 'tickets_solved' THEN count(DISTINCT t.id) ELSE count(*) END
	FROM
	(
		SELECT
			a.ticket_id,
			a.occurred_at,
			a.actor_id,
			a.new_value ->> 'status'
		FROM support.audit_log AS a
		LEFT JOIN support.statuses AS o ON o.name = (a.old_value ->> 'status')
		LEFT JOIN support.statuses AS n ON n.name = (a.new_value ->> 'status')
		WHERE a.table_name = 'tickets'
			AND a.action = 'UPDATE'
			AND a.old_value ? 'status'
			AND a.occurred_at >= bounds[1]
			AND a.occurred_at < bounds[cardinality(bounds)]
			AND
			(
				measure = 'entered'
				OR (measure ~ 'solved'
					AND support_internal.is_solved(n.category)
					AND NOT support_internal.is_solved(o.category))
				OR (measure = 'reopened'
					AND support_internal.is_solved(o.category)
					AND NOT support_internal.is_solved(n.category))
			)
		UNION ALL
		SELECT
			t.id,
			t.created_at,
			NULL,
			coalesce((SELECT f.status FROM support_internal.first_status(t.id) AS f), t.status)
		FROM support.tickets AS t
		WHERE measure = 'entered'
			AND t.created_at >= bounds[1]
			AND t.created_at < bounds[cardinality(bounds)]
	) AS e (ticket_id, at, agent_id, status)
	JOIN support_internal.tickets_asked_for(filters) AS t ON t.id = e.ticket_id
	CROSS JOIN LATERAL (SELECT CASE WHEN measure = 'entered' THEN e.status ELSE t.status END AS status) AS x
	LEFT JOIN support.statuses AS s ON s.name = x.status
	CROSS JOIN LATERAL support_internal.group_values(grouping_by, t.id, t.team_id, t.assignee_id, t.organization_id,
		t.creator_id, t.requester_id, t.priority, t.channel, s.category, x.status, e.agent_id) AS g
	WHERE support_internal.is_asked_for(filters, 'category', to_jsonb(s.category))
		AND support_internal.is_asked_for(filters, 'status', to_jsonb(x.status))
		AND support_internal.is_asked_for(filters, 'user_id', to_jsonb(e.agent_id))
	GROUP BY 1, 2;
END;
COMMENT ON FUNCTION support_internal.report_changes(timestamptz[], text, text, jsonb) IS
	'What a measure of changes of the status comes to between each bound and the next, from the log: by the value that it is grouped by.';

CREATE OR REPLACE FUNCTION support_internal.report_comments(
	bounds timestamptz[],
	measure text,
	grouping_by text,
	filters jsonb
)
RETURNS TABLE
(
	bucket integer,
	value text,
	n bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		width_bucket(c.created_at, bounds),
		g.value,
		count(*)
	FROM support.comments AS c
	JOIN support_internal.tickets_asked_for(filters) AS t ON t.id = c.ticket_id
	JOIN support.statuses AS s ON s.name = t.status
	CROSS JOIN LATERAL support_internal.group_values(grouping_by, t.id, t.team_id, t.assignee_id, t.organization_id,
		t.creator_id, t.requester_id, t.priority, t.channel, s.category, t.status, c.author_id) AS g
	WHERE c.created_at >= bounds[1]
		AND c.created_at < bounds[cardinality(bounds)]
		AND NOT c.is_private
		AND c.deleted_at IS NULL
		AND
		(
			(measure = 'reply' AND support_internal.is_reply(c.is_private, c.author_role, c.via))
			OR (measure = 'customer_comment' AND support_internal.is_from_customer(c.is_private, c.author_role, c.via))
		)
		AND support_internal.is_asked_for(filters, 'category', to_jsonb(s.category))
		AND support_internal.is_asked_for(filters, 'status', to_jsonb(t.status))
		AND support_internal.is_asked_for(filters, 'user_id', to_jsonb(c.author_id))
	GROUP BY 1, 2;
END;
COMMENT ON FUNCTION support_internal.report_comments(timestamptz[], text, text, jsonb) IS
	'How many replies, or customers'' comments, were written between each bound and the next, from the comments themselves: by the value that it is grouped by.';

CREATE OR REPLACE FUNCTION support_internal.report_moves(
	bounds timestamptz[],
	grouping_by text,
	filters jsonb
)
RETURNS TABLE
(
	bucket integer,
	value text,
	n bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH flows AS
	(
		SELECT
			t.id AS ticket_id,
			NULL::timestamptz AS at,
			t.status,
			1 AS n
		FROM support.tickets AS t
		UNION ALL
		SELECT
			t.id,
			t.created_at,
			coalesce((SELECT f.status FROM support_internal.first_status(t.id) AS f), t.status),
			-1
		FROM support.tickets AS t
		WHERE t.deleted_at IS NULL
			AND t.created_at >= bounds[1]
		UNION ALL
		SELECT
			a.ticket_id,
			a.occurred_at,
			c.status,
			c.n
		FROM support.audit_log AS a
		CROSS JOIN LATERAL
		(
			VALUES
				(a.new_value ->> 'status', -1),
				(a.old_value ->> 'status', 1)
		) AS c (status, n)
		WHERE a.table_name = 'tickets'
			AND a.action = 'UPDATE'
			AND a.old_value ? 'status'
			AND a.occurred_at >= bounds[1]
	),
	flown AS
	(
		SELECT
			b.bucket,
			g.value,
			sum(f.n) AS n
		FROM flows AS f
		JOIN support_internal.tickets_asked_for(filters) AS t ON t.id = f.ticket_id
		LEFT JOIN support.statuses AS s ON s.name = f.status
		CROSS JOIN LATERAL (SELECT coalesce(width_bucket(f.at, bounds), 1 + cardinality(bounds))) AS b (bucket)
		CROSS JOIN LATERAL support_internal.group_values(grouping_by, t.id, t.team_id, t.assignee_id, t.organization_id,
			t.creator_id, t.requester_id, t.priority, t.channel, s.category, f.status, NULL) AS g
		WHERE NOT support_internal.is_solved(s.category)
			AND support_internal.is_asked_for(filters, 'category', to_jsonb(s.category))
			AND support_internal.is_asked_for(filters, 'status', to_jsonb(f.status))
		GROUP BY b.bucket, g.value
	),
	stocks AS
	(
		SELECT
			b.bucket,
			v.value,
			sum(f.n) OVER
			(
				PARTITION BY v.value
				ORDER BY b.bucket DESC
				ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
			) AS n
		FROM (SELECT DISTINCT f.value FROM flown AS f) AS v
		CROSS JOIN generate_series(1, 1 + cardinality(bounds)) AS b (bucket)
		LEFT JOIN flown AS f ON f.bucket = b.bucket AND f.value IS NOT DISTINCT FROM v.value
	)
	SELECT
		c.bucket,
		c.value,
		c.n::bigint
	FROM stocks AS c
	WHERE c.bucket < cardinality(bounds)
		AND c.n <> 0;
END;
COMMENT ON FUNCTION support_internal.report_moves(timestamptz[], text, jsonb) IS
	'How many unsolved tickets there were at each bound but the first, by the value that it is grouped by: what is in the unsolved statuses now, without what has flown into them since, and with what has flown out.';

CREATE OR REPLACE FUNCTION support_internal.report_log(
	bounds timestamptz[],
	grouping_by text,
	filters jsonb
)
RETURNS TABLE
(
	bucket integer,
	value text,
	n bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		width_bucket(a.occurred_at, bounds),
		CASE
			WHEN grouping_by = 'user' THEN a.actor_id::text
			WHEN grouping_by = 'action' THEN a.action
			WHEN grouping_by = 'table' THEN a.table_name
		END,
		count(*)
	FROM support.audit_log AS a
	WHERE a.occurred_at >= bounds[1]
		AND a.occurred_at < bounds[cardinality(bounds)]
		AND support_internal.is_asked_for(filters, 'user_id', to_jsonb(a.actor_id))
		AND support_internal.is_asked_for(filters, 'action', to_jsonb(a.action))
		AND support_internal.is_asked_for(filters, 'table_name', to_jsonb(a.table_name))
	GROUP BY 1, 2;
END;
COMMENT ON FUNCTION support_internal.report_log(timestamptz[], text, jsonb) IS
	'How many entries the log has between each bound and the next, by the value that it is grouped by.';

-- Not from the rows, but from the counters, which only the owner of the desk may read.
CREATE OR REPLACE FUNCTION support_internal.report_backlog(
	measure text,
	dim text,
	bounds timestamptz[],
	by_value boolean,
	only_values text[]
)
RETURNS TABLE
(
	bucket integer,
	value text,
	n bigint
)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH flows AS
	(
		SELECT
			s.bucket - 1 AS bucket,
			v.value,
			sum(s.n) AS n
		FROM support_internal.stat_series(measure, dim, '-infinity'::timestamptz || bounds) AS s
		LEFT JOIN support.statuses AS x ON x.name = s.value
		CROSS JOIN LATERAL (SELECT CASE WHEN by_value THEN s.value END AS value) AS v
		WHERE (only_values IS NULL OR s.value = ANY (only_values))
			AND NOT support_internal.is_solved(x.category)
		GROUP BY s.bucket, v.value
	),
	stocks AS
	(
		SELECT
			b.bucket,
			v.value,
			sum(f.n) OVER (PARTITION BY v.value ORDER BY b.bucket) AS n
		FROM (SELECT DISTINCT f.value FROM flows AS f) AS v
		CROSS JOIN generate_series(0, cardinality(bounds) - 1) AS b (bucket)
		LEFT JOIN flows AS f ON f.bucket = b.bucket AND f.value IS NOT DISTINCT FROM v.value
	)
	SELECT
		c.bucket,
		c.value,
		c.n::bigint
	FROM stocks AS c
	WHERE c.bucket > 0
		AND c.n <> 0;
END;
COMMENT ON FUNCTION support_internal.report_backlog(text, text, timestamptz[], boolean, text[]) IS
	'How many unsolved tickets there were at each bound but the first, by status if asked for: all that ever flowed into the unsolved statuses, and has not flowed out of them.';
REVOKE ALL ON FUNCTION support_internal.report_backlog(text, text, timestamptz[], boolean, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION support_internal.group_names(
	grouping_by text,
	group_values text[]
)
RETURNS TABLE
(
	place bigint,
	name text
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT
		v.place,
		CASE
			WHEN grouping_by = 'team' THEN team.name
			WHEN grouping_by = 'organization' THEN organization.name
			WHEN grouping_by = 'tag' THEN tag.name
			WHEN i.user_id IS NOT NULL THEN person.full_name
			ELSE v.value
		END
	FROM ROWS FROM (unnest(group_values)) WITH ORDINALITY AS v (value, place)
	CROSS JOIN LATERAL
	(
		SELECT
			CASE WHEN grouping_by = 'team' THEN v.value::bigint END AS team_id,
			CASE WHEN grouping_by = 'organization' THEN v.value::bigint END AS organization_id,
			CASE WHEN grouping_by = 'tag' THEN v.value::bigint END AS tag_id,
			CASE WHEN grouping_by = ANY (ARRAY['assignee', 'requester', 'creator', 'user']) THEN v.value::bigint END AS user_id
	) AS i
	LEFT JOIN support.teams AS team ON team.id = i.team_id
	LEFT JOIN support.organizations AS organization ON organization.id = i.organization_id
	LEFT JOIN support.tags AS tag ON tag.id = i.tag_id
	LEFT JOIN support.users AS person ON person.id = i.user_id;
END;
COMMENT ON FUNCTION support_internal.group_names(text, text[]) IS
	'What the values of a report''s groups are called, and the place that each has among them; NULL for what the caller cannot see.';
