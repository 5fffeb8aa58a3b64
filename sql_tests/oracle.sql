-- What the readers of the counters must answer, by plain queries over the tables and the log. A test makes a schema
-- "oracle" and loads this; with its functions in place of the readers a report must come out the same.

-- Each unit of each measure, by each of the measure's dimensions. Of a solve event solved_before tells when the
-- ticket's previous one was, by the log's order.
CREATE FUNCTION oracle.contributions()
RETURNS TABLE
(
	measure text,
	dim text,
	value text,
	at timestamptz,
	seconds bigint,
	n bigint,
	ticket_id bigint,
	solved_before timestamptz
)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
	WITH live AS MATERIALIZED
	(
		SELECT
			t.id,
			t.status,
			coalesce(t.priority, 'normal') AS priority,
			t.channel,
			t.team_id,
			t.assignee_id,
			t.organization_id,
			t.created_at,
			t.first_replied_at,
			t.first_solved_at,
			t.solved_at,
			t.waiting_since,
			t.reply_count,
			t.reopen_count,
			s.category <> ALL (ARRAY['solved', 'closed']) AS is_open
		FROM support.tickets AS t
		JOIN support.statuses AS s ON s.name = t.status
		WHERE t.deleted_at IS NULL
	),
	changes AS MATERIALIZED
	(
		SELECT
			a.ticket_id,
			a.id,
			a.occurred_at,
			a.actor_id,
			a.old_value ->> 'status' AS old_status,
			a.new_value ->> 'status' AS new_status,
			-- the order in which a row changed is that of its versions; one that is inserted again begins anew
			(
				SELECT count(*)
				FROM support.audit_log AS i
				WHERE i.ticket_id = a.ticket_id AND i.table_name = 'tickets' AND i.action = 'INSERT' AND i.id < a.id
			) AS life,
			(a.old_value ->> 'version')::bigint AS version,
			coalesce(n.category = ANY (ARRAY['solved', 'closed']), false) AS is_solved,
			coalesce(o.category = ANY (ARRAY['solved', 'closed']), false) AS was_solved
		FROM support.audit_log AS a
		JOIN live ON live.id = a.ticket_id
		LEFT JOIN support.statuses AS o ON o.name = a.old_value ->> 'status'
		LEFT JOIN support.statuses AS n ON n.name = a.new_value ->> 'status'
		WHERE a.table_name = 'tickets' AND a.action = 'UPDATE' AND a.old_value ? 'status'
	),
	entries AS
	(
		SELECT
			t.id AS ticket_id,
			t.created_at AS at,
			coalesce
			(
				(
					SELECT c.old_status
					FROM changes AS c
					WHERE c.ticket_id = t.id
					ORDER BY c.life, c.version, c.id
					LIMIT 1
				),
				t.status
			) AS status
		FROM live AS t
		UNION ALL
		SELECT c.ticket_id, c.occurred_at, c.new_status
		FROM changes AS c
	),
	flows AS
	(
		SELECT e.ticket_id, e.at, e.status, 1 AS n
		FROM entries AS e
		UNION ALL
		SELECT c.ticket_id, c.occurred_at, c.old_status, -1
		FROM changes AS c
	),
	comments AS
	(
		SELECT c.ticket_id, c.created_at, c.author_id, c.author_role, c.via
		FROM support.comments AS c
		JOIN live ON live.id = c.ticket_id
		WHERE NOT c.is_private AND c.deleted_at IS NULL
	),
	of_tickets AS
	(
		SELECT m.measure, t.id AS ticket_id, m.at, m.since
		FROM live AS t
		CROSS JOIN LATERAL
		(
			VALUES
				('open', t.created_at, NULL::timestamptz, t.is_open),
				('unassigned', t.created_at, NULL, t.is_open AND t.assignee_id IS NULL),
				('waiting', t.waiting_since, NULL, t.is_open AND t.waiting_since IS NOT NULL),
				('unanswered', t.created_at, NULL, t.is_open AND t.first_replied_at IS NULL),
				('tickets', t.created_at, NULL, true),
				('first_reply', t.first_replied_at, t.created_at, true),
				('resolution', t.first_solved_at, t.created_at, true),
				('full_resolution', t.solved_at, t.created_at, NOT t.is_open),
				('one_touch', t.solved_at, NULL, NOT t.is_open AND t.reply_count = 1),
				('two_touch', t.solved_at, NULL, NOT t.is_open AND t.reply_count = 2),
				('multi_touch', t.solved_at, NULL, NOT t.is_open AND t.reply_count >= 3),
				('reopened_tickets', t.solved_at, NULL, NOT t.is_open AND t.reopen_count > 0)
		) AS m (measure, at, since, counts)
		WHERE m.counts AND m.at IS NOT NULL
	),
	events AS
	(
		SELECT
			o.measure,
			o.ticket_id,
			o.at,
			o.at - o.since AS took,
			NULL::bigint AS agent_id,
			NULL::timestamptz AS solved_before
		FROM of_tickets AS o
		UNION ALL
		SELECT o.measure || '_cohort', o.ticket_id, o.since, o.at - o.since, NULL, NULL
		FROM of_tickets AS o
		WHERE o.since IS NOT NULL
		UNION ALL
		SELECT
			'solved',
			c.ticket_id,
			c.occurred_at,
			NULL,
			c.actor_id,
			lag(c.occurred_at) OVER (PARTITION BY c.ticket_id ORDER BY c.id)
		FROM changes AS c
		WHERE c.is_solved AND NOT c.was_solved
		UNION ALL
		SELECT 'reopened', c.ticket_id, c.occurred_at, NULL, c.actor_id, NULL
		FROM changes AS c
		WHERE c.was_solved AND NOT c.is_solved
	)
	SELECT
		e.measure,
		d.dim,
		coalesce(d.value, ''),
		e.at,
		coalesce(greatest(floor(extract(epoch FROM e.took)), 0), 0)::bigint,
		1::bigint,
		e.ticket_id,
		e.solved_before
	FROM events AS e
	JOIN live AS t ON t.id = e.ticket_id
	CROSS JOIN LATERAL
	(
		VALUES
			('-', ''),
			('t', t.team_id::text),
			('a', t.assignee_id::text),
			('p', t.priority),
			('c', t.channel),
			('o', t.organization_id::text)
	) AS d (dim, value)
	WHERE NOT (e.measure = 'unassigned' AND d.dim = 'a')
		AND NOT (e.measure = 'waiting' AND d.dim = ANY (ARRAY['c', 'o']))
	UNION ALL
	SELECT e.measure, 'u', coalesce(e.agent_id::text, ''), e.at, 0, 1, e.ticket_id, e.solved_before
	FROM events AS e
	WHERE e.measure = ANY (ARRAY['solved', 'reopened'])
	UNION ALL
	SELECT e.measure, 'g', g.tag_id::text, e.at, 0, 1, e.ticket_id, NULL
	FROM events AS e
	JOIN support.ticket_tags AS g ON g.ticket_id = e.ticket_id
	WHERE e.measure = ANY (ARRAY['open', 'tickets'])
	UNION ALL
	SELECT 'status_stock', 's', t.status, t.created_at, 0, 1, t.id, NULL
	FROM live AS t
	UNION ALL
	SELECT 'entered', 's', e.status, e.at, 0, 1, e.ticket_id, NULL
	FROM entries AS e
	UNION ALL
	SELECT 'status_flow', 's', f.status, f.at,
		floor(extract(epoch FROM f.at - '2000-01-01 00:00:00+00'::timestamptz))::bigint, f.n, f.ticket_id, NULL
	FROM flows AS f
	UNION ALL
	SELECT 'reply', d.dim, d.value, c.created_at, 0, 1, c.ticket_id, NULL
	FROM comments AS c
	CROSS JOIN LATERAL (VALUES ('-', ''), ('u', c.author_id::text)) AS d (dim, value)
	WHERE c.author_role = ANY (ARRAY['agent', 'team_lead', 'admin']) AND c.via <> ALL (ARRAY['auto', 'bot'])
	UNION ALL
	SELECT 'customer_comment', '-', '', c.created_at, 0, 1, c.ticket_id, NULL
	FROM comments AS c
	WHERE c.author_role = 'customer' AND c.via <> ALL (ARRAY['auto', 'bot'])
	UNION ALL
	SELECT m.measure, 's',
		c.metric || '/' || c.policy_id || '/' || coalesce(c.decided_team_id, 0) || '/' || coalesce(c.decided_assignee_id, 0),
		c.decided_at, 0, 1, c.ticket_id, NULL
	FROM support.sla_clocks AS c
	JOIN live ON live.id = c.ticket_id
	CROSS JOIN LATERAL
	(
		VALUES
			('sla_achieved', c.breached_at IS NULL),
			('sla_breached', c.breached_at IS NOT NULL),
			('sla_late', c.breached_at IS NOT NULL AND c.state = ANY (ARRAY['running', 'paused']))
	) AS m (measure, counts)
	WHERE c.decided_at IS NOT NULL AND m.counts
$$;

CREATE FUNCTION oracle.stat_series(
	measure text,
	dim text,
	bounds timestamptz[],
	with_histogram boolean DEFAULT false,
	places integer[] DEFAULT NULL
)
RETURNS TABLE(value text, bucket integer, n bigint, seconds numeric, histogram bytea)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		c.value,
		p.place,
		sum(c.n)::bigint,
		sum(c.n * c.seconds),
		CASE WHEN with_histogram THEN support.histogram(c.seconds) END
	FROM oracle.contributions() AS c
	CROSS JOIN LATERAL (SELECT width_bucket(c.at, bounds) AS bucket) AS b
	CROSS JOIN LATERAL (SELECT CASE WHEN places IS NULL THEN b.bucket ELSE places[b.bucket] END AS place) AS p
	WHERE c.measure = stat_series.measure
		AND c.dim = stat_series.dim
		AND b.bucket BETWEEN 1 AND cardinality(bounds) - 1
	GROUP BY c.value, p.place
	HAVING sum(c.n) <> 0 OR sum(c.n * c.seconds) <> 0
$$;

CREATE FUNCTION oracle.stat_moves(
	bounds timestamptz[],
	solved text[]
)
RETURNS TABLE(bucket integer, created bigint, solved_events bigint, reopened bigint, opened bigint, unsolved bigint)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		b.bucket,
		coalesce(sum(c.n) FILTER (WHERE c.measure = 'tickets'), 0)::bigint,
		coalesce(sum(c.n) FILTER (WHERE c.measure = 'solved'), 0)::bigint,
		coalesce(sum(c.n) FILTER (WHERE c.measure = 'reopened'), 0)::bigint,
		coalesce(sum(c.n) FILTER (WHERE c.measure = 'status_flow'), 0)::bigint,
		sum(coalesce(sum(c.n) FILTER (WHERE c.measure = 'status_flow'), 0)) OVER (ORDER BY b.bucket)::bigint
	FROM generate_series(1, cardinality(bounds) - 1) AS b (bucket)
	LEFT JOIN
		(
			SELECT c.measure, width_bucket(c.at, bounds) AS bucket, c.n
			FROM oracle.contributions() AS c
			WHERE c.measure = ANY (ARRAY['tickets', 'solved', 'reopened']) AND c.dim = '-'
				OR c.measure = 'status_flow' AND c.dim = 's' AND c.value <> ALL (coalesce(stat_moves.solved, '{}'))
		) AS c ON c.bucket = b.bucket
	GROUP BY b.bucket
$$;

CREATE FUNCTION oracle.stat_totals(
	measure text,
	dim text
)
RETURNS TABLE(value text, n bigint)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.value, sum(c.n)::bigint
	FROM oracle.contributions() AS c
	WHERE c.measure = stat_totals.measure AND c.dim = stat_totals.dim
	GROUP BY c.value
	HAVING sum(c.n) <> 0
$$;

CREATE FUNCTION oracle.stat_oldest(
	measure text,
	dim text
)
RETURNS TABLE(value text, first_at timestamptz)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.value, min(s.at)
	FROM
	(
		SELECT
			c.value,
			CASE
				WHEN stat_oldest.measure = ANY (ARRAY['open', 'unanswered', 'waiting']) THEN c.at
				ELSE date_bin('15 minutes', c.at, '2000-01-01 00:00:00+00')
			END AS at
		FROM oracle.contributions() AS c
		WHERE c.measure = stat_oldest.measure AND c.dim = stat_oldest.dim
		GROUP BY 1, 2
		HAVING sum(c.n) <> 0
	) AS s
	GROUP BY s.value
$$;

-- A ticket counts in a bucket if it is solved there and was not solved there before. Where the clock was never put back
-- that is how many different tickets there are. A solve that came before another, but at a later time, counts as if it
-- had been at the same.
CREATE FUNCTION oracle.stat_distinct(
	measure text,
	dim text,
	bounds timestamptz[]
)
RETURNS TABLE(value text, bucket integer, tickets bigint)
LANGUAGE sql STABLE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.value, b.bucket, count(*)
	FROM oracle.contributions() AS c
	CROSS JOIN LATERAL (SELECT width_bucket(c.at, bounds) AS bucket) AS b
	WHERE width_bucket(least(c.solved_before, c.at), bounds) IS DISTINCT FROM b.bucket
		AND c.measure = stat_distinct.measure
		AND c.dim = stat_distinct.dim
		AND b.bucket BETWEEN 1 AND cardinality(bounds) - 1
	GROUP BY c.value, b.bucket
$$;

CREATE FUNCTION oracle.tickets_created(
	from_at timestamptz,
	to_at timestamptz
)
RETURNS TABLE(created_at timestamptz, status text)
LANGUAGE sql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT t.created_at, t.status
	FROM support.tickets AS t
	WHERE t.created_at >= from_at AND t.created_at < to_at AND t.deleted_at IS NULL
$$;

-- When the buckets of a report begin and when the last one ends: the range's own ends, and what lies between.
CREATE FUNCTION oracle.bounds(
	from_at timestamptz,
	to_at timestamptz,
	bucket text,
	time_zone text
)
RETURNS timestamptz[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(b.at ORDER BY b.at)
	FROM
	(
		SELECT from_at AS at
		UNION
		SELECT to_at
		UNION
		SELECT t.at
		FROM generate_series(date_bin('15 minutes', from_at, '2000-01-01 00:00:00+00'), to_at, '15 minutes') AS g (at)
		CROSS JOIN LATERAL (SELECT date_trunc(bucket, g.at, time_zone) AS at) AS t
		WHERE t.at > from_at AND t.at < to_at
	) AS b
$$;

-- What support.report() is about: each unit that the metric counts, with the bucket and the group it falls into.
CREATE FUNCTION oracle.report_units(
	metric text,
	bounds timestamptz[],
	group_by text,
	filters jsonb,
	anchor text,
	from_rows boolean
)
RETURNS TABLE(bucket integer, group_value text, n bigint, seconds bigint, ticket_id bigint, again boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH units AS
	(
		SELECT
			c.ticket_id,
			c.dim,
			c.value,
			c.at,
			c.seconds,
			CASE WHEN from_rows AND c.measure = 'status_flow' THEN -c.n ELSE c.n END AS n,
			c.solved_before,
			c.measure = 'status_stock' AS is_stock
		FROM oracle.contributions() AS c
		WHERE (c.measure = CASE metric
				WHEN 'created' THEN 'tickets'
				WHEN 'replies' THEN 'reply'
				WHEN 'customer_comments' THEN 'customer_comment'
				WHEN 'still_solved' THEN 'full_resolution'
				WHEN 'tickets_solved' THEN 'solved'
				WHEN 'backlog' THEN 'status_flow'
				ELSE metric || CASE anchor WHEN 'cohort' THEN '_cohort' ELSE '' END
			END
			OR metric = 'backlog' AND from_rows AND c.measure = 'status_stock')
			AND c.dim = CASE
				WHEN metric = ANY (ARRAY['entered', 'backlog']) THEN 's'
				WHEN metric = ANY (ARRAY['solved', 'tickets_solved', 'reopened', 'replies']) THEN 'u'
				ELSE '-'
			END
	)
	SELECT
		b.bucket,
		g.value,
		u.n,
		u.seconds,
		u.ticket_id,
		u.solved_before IS NOT NULL AND least(u.solved_before, u.at) >= bounds[b.bucket]
	FROM units AS u
	JOIN support.tickets AS t ON t.id = u.ticket_id
	CROSS JOIN LATERAL (SELECT CASE u.dim WHEN 's' THEN u.value ELSE t.status END AS status) AS x
	LEFT JOIN support.statuses AS s ON s.name = x.status
	CROSS JOIN LATERAL
	(
		SELECT jsonb_build_object
		(
			'team_id', t.team_id,
			'assignee_id', t.assignee_id,
			'organization_id', t.organization_id,
			'creator_id', t.creator_id,
			'requester_id', coalesce(t.requester_id, t.creator_id),
			'user_id', CASE u.dim WHEN 'u' THEN nullif(u.value, '')::bigint END,
			'priority', coalesce(t.priority, 'normal'),
			'channel', nullif(t.channel, ''),
			'status', x.status,
			'category', s.category
		) AS dims
	) AS d
	CROSS JOIN LATERAL
	(
		SELECT CASE
			WHEN group_by = ANY (ARRAY['priority', 'channel', 'status', 'category']) THEN d.dims ->> group_by
			ELSE d.dims ->> (group_by || '_id')
		END
		WHERE group_by IS DISTINCT FROM 'tag'
		UNION ALL
		SELECT k.tag_id::text
		FROM support.ticket_tags AS k
		WHERE group_by = 'tag' AND k.ticket_id = t.id
	) AS g (value)
	-- the backlog at the end of a bucket is what has flown before; from rows, what there is less what has flown since
	JOIN generate_series(1, cardinality(bounds) - 1) AS b (bucket)
		ON CASE
			WHEN metric <> 'backlog' THEN u.at >= bounds[b.bucket] AND u.at < bounds[b.bucket + 1]
			WHEN from_rows THEN u.is_stock OR u.at >= bounds[b.bucket + 1]
			ELSE u.at < bounds[b.bucket + 1]
		END
	WHERE NOT (metric = 'backlog' AND coalesce(s.category, '') = ANY (ARRAY['solved', 'closed']))
		AND NOT EXISTS
		(
			SELECT
			FROM jsonb_each(filters) AS f
			WHERE NOT CASE f.key
				WHEN 'custom' THEN t.custom @> f.value
				WHEN 'tag' THEN EXISTS
				(
					SELECT
					FROM support.ticket_tags AS k
					JOIN support.tags AS tag ON tag.id = k.tag_id
					WHERE k.ticket_id = t.id AND f.value @> to_jsonb(tag.name::text)
				)
				ELSE f.value @> coalesce(d.dims -> f.key, 'null')
			END
		)
$$;

-- support.report(), whose range is given, with exact percentiles; from_rows tells that no counter has the answer.
CREATE FUNCTION oracle.report(
	metric text,
	from_at timestamptz,
	to_at timestamptz,
	bucket text DEFAULT NULL,
	time_zone text DEFAULT current_setting('TimeZone'),
	group_by text DEFAULT NULL,
	filters jsonb DEFAULT '{}',
	anchor text DEFAULT 'event',
	from_rows boolean DEFAULT false
)
RETURNS TABLE
(
	bucket_at timestamptz,
	bucket_end timestamptz,
	group_value text,
	group_name text,
	n bigint,
	average interval,
	p50 interval,
	p90 interval,
	p95 interval,
	p99 interval
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH bounds AS MATERIALIZED
	(
		SELECT oracle.bounds(from_at, to_at, bucket, time_zone) AS at
	),
	counted AS
	(
		SELECT
			u.bucket,
			u.group_value,
			CASE
				WHEN metric <> 'tickets_solved' THEN sum(u.n)
				WHEN from_rows THEN count(DISTINCT u.ticket_id)
				ELSE count(*) FILTER (WHERE u.again IS NOT TRUE)
			END::bigint AS n,
			avg(u.seconds) AS average,
			percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY u.seconds) AS p
		FROM oracle.report_units(metric, (SELECT b.at FROM bounds AS b), group_by, filters, anchor, from_rows) AS u
		GROUP BY u.bucket, u.group_value
		HAVING sum(u.n) <> 0
	)
	SELECT
		b.at[i.i],
		b.at[i.i + 1],
		c.group_value,
		CASE
			WHEN group_by = 'team' THEN (SELECT x.name::text FROM support.teams AS x WHERE x.id::text = c.group_value)
			WHEN group_by = 'tag' THEN (SELECT x.name::text FROM support.tags AS x WHERE x.id::text = c.group_value)
			WHEN group_by = 'organization'
				THEN (SELECT x.name::text FROM support.organizations AS x WHERE x.id::text = c.group_value)
			WHEN group_by = ANY (ARRAY['assignee', 'requester', 'creator', 'user'])
				THEN (SELECT x.full_name::text FROM support.users AS x WHERE x.id::text = c.group_value)
			ELSE c.group_value
		END,
		coalesce(c.n, 0),
		justify_hours(make_interval(secs => round(d.average::double precision))),
		justify_hours(make_interval(secs => d.p[1])),
		justify_hours(make_interval(secs => d.p[2])),
		justify_hours(make_interval(secs => d.p[3])),
		justify_hours(make_interval(secs => d.p[4]))
	FROM bounds AS b
	CROSS JOIN LATERAL generate_series(1, cardinality(b.at) - 1) AS i (i)
	LEFT JOIN counted AS c ON c.bucket = i.i
	LEFT JOIN LATERAL
		(
			SELECT c.average, c.p
			WHERE metric = ANY (ARRAY['first_reply', 'resolution', 'full_resolution', 'still_solved'])
		) AS d ON true
	WHERE group_by IS NULL OR c.n <> 0
	ORDER BY i.i, c.n DESC, c.group_value
$$;
