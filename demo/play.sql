-- Playing what was planned: by the extension's functions, and where another program would write, by plain SQL.

-- The tickets that planned ones became, and the latest public comment on each
CREATE TEMP TABLE opened
(
	n integer PRIMARY KEY,
	ticket_id bigint NOT NULL,
	comment_id bigint
);

CREATE FUNCTION pg_temp.play_open(n integer, args jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	new_id bigint;
	routed_to bigint := (SELECT t.id FROM support.teams AS t WHERE t.name = args ->> 'team');
BEGIN
	IF args ->> 'channel' = 'web' THEN
		-- The web form knows only the table
		INSERT INTO support.tickets
			(title, description, creator_id, organization_id, team_id, priority, channel, custom)
		VALUES
		(
			args ->> 'title', args ->> 'description', (args ->> 'creator')::bigint, (args ->> 'organization')::bigint,
			routed_to, args ->> 'priority', 'web', args -> 'custom'
		)
		RETURNING id INTO new_id;
		PERFORM support.tag_ticket(new_id, ARRAY(SELECT jsonb_array_elements_text(args -> 'tags')));
	ELSE
		new_id := support.create_ticket
		(
			args ->> 'title',
			args ->> 'description',
			creator_id => (args ->> 'creator')::bigint,
			priority => args ->> 'priority',
			tags => ARRAY(SELECT jsonb_array_elements_text(args -> 'tags')),
			requester_id => (args ->> 'requester')::bigint,
			assignee_id => (args ->> 'assignee')::bigint,
			team_id => routed_to,
			organization_id => (args ->> 'organization')::bigint,
			channel => args ->> 'channel',
			custom => coalesce(args -> 'custom', '{}'),
			external_id => CASE WHEN args ->> 'channel' = 'email' THEN 'mail-' || 70000 + n END
		);
	END IF;
	INSERT INTO pg_temp.opened (n, ticket_id) VALUES (n, new_id);
END
$$;

-- A public comment; returns its id
CREATE FUNCTION pg_temp.play_comment(id bigint, act text, args jsonb)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	new_id bigint;
BEGIN
	CASE act
		WHEN 'receive' THEN
			INSERT INTO support.comments (ticket_id, author_id, content, via)
			VALUES (id, support.actor_id(), args ->> 'words', 'auto')
			RETURNING comments.id INTO new_id;
		WHEN 'write' THEN
			INSERT INTO support.comments (ticket_id, author_id, content, via)
			VALUES (id, support.actor_id(), args ->> 'words', args ->> 'via')
			RETURNING comments.id INTO new_id;
		WHEN 'reply' THEN
			new_id := support.add_comment(id, args ->> 'words', status => args ->> 'status');
		WHEN 'ask' THEN
			new_id := support.add_comment(id, args ->> 'words');
			PERFORM support.update_ticket(id,
				jsonb_build_object('status', 'pending', 'pending_until', args ->> 'until'));
	END CASE;
	UPDATE pg_temp.opened AS o SET comment_id = new_id WHERE o.ticket_id = id;
	RETURN new_id;
END
$$;

-- A change of a ticket or of its last comment
CREATE FUNCTION pg_temp.play_change(id bigint, last_comment_id bigint, act text, args jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	CASE act
		WHEN 'assign' THEN
			PERFORM support.assign_ticket(id, (args ->> 'assignee')::bigint,
				(SELECT t.id FROM support.teams AS t WHERE t.name = args ->> 'team'));
		WHEN 'status' THEN
			PERFORM support.set_status(id, args ->> 'status');
		WHEN 'start' THEN
			UPDATE support.tickets SET status = 'in_progress' WHERE tickets.id = play_change.id;
		WHEN 'hold' THEN
			PERFORM support.add_comment(id, args ->> 'words', is_private => true);
			UPDATE support.tickets SET status = 'on_hold', pending_until = (args ->> 'until')::timestamptz
			WHERE tickets.id = play_change.id;
		WHEN 'prioritize' THEN
			PERFORM support.set_priority(id, args ->> 'priority');
		WHEN 'change' THEN
			PERFORM support.update_ticket(id, args);
		WHEN 'transfer' THEN
			PERFORM support.add_comment(id, args ->> 'words', is_private => true);
			PERFORM support.transfer_ticket_ownership(id, (args ->> 'user')::bigint);
		WHEN 'tag' THEN
			PERFORM support.tag_ticket(id, ARRAY(SELECT jsonb_array_elements_text(args -> 'tags')));
		WHEN 'watch' THEN
			PERFORM support.watch_ticket(id, (args ->> 'user')::bigint, args ->> 'kind');
		WHEN 'note' THEN
			PERFORM support.add_comment(id, args ->> 'words', is_private => true);
		WHEN 'call' THEN
			PERFORM support.add_comment(id, args ->> 'words', is_private => true);
			PERFORM support.log_event(id, 'phone.call', new_value => args - 'words');
		WHEN 'edit' THEN
			PERFORM support.edit_comment(id, last_comment_id, args ->> 'words');
		WHEN 'take_back' THEN
			PERFORM support.delete_comment(id, last_comment_id, args ->> 'words');
		WHEN 'attach' THEN
			PERFORM support.add_attachment(id, args ->> 'filename',
				convert_to(repeat('sent by the customer: ' || (args ->> 'error') || E'\n', 40), 'UTF8'),
				comment_id => last_comment_id);
	END CASE;
END
$$;

-- Into the recycle bin, or back
CREATE FUNCTION pg_temp.play_deletion(id bigint, act text, args jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	CASE act
		WHEN 'delete' THEN
			PERFORM support.delete_ticket(id, args ->> 'reason');
		WHEN 'mark' THEN
			UPDATE support.tickets SET deleted_at = support.desk_now(), delete_reason = args ->> 'reason'
			WHERE tickets.id = play_deletion.id;
		WHEN 'remove' THEN
			DELETE FROM support.tickets WHERE tickets.id = play_deletion.id;
		WHEN 'restore' THEN
			PERFORM support.restore_ticket(id);
	END CASE;
END
$$;

-- The nightly jobs
CREATE FUNCTION pg_temp.play_night()
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	resolved bigint;
BEGIN
	FOR resolved IN
		SELECT t.id
		FROM support.tickets AS t
		WHERE t.status = 'resolved' AND t.solved_at < support.desk_now() - interval '7 days' AND t.deleted_at IS NULL
		ORDER BY t.id
	LOOP
		UPDATE support.tickets SET status = 'closed' WHERE id = resolved;
	END LOOP;
	PERFORM support.sla_tick();
	PERFORM support.seal_audit();
END
$$;

CREATE FUNCTION pg_temp.play(event pg_temp.event)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	target pg_temp.opened;
BEGIN
	SELECT * INTO target FROM pg_temp.opened AS o WHERE o.n = event.n;
	CASE
		WHEN event.act = 'open' THEN
			PERFORM pg_temp.play_open(event.n, event.args);
		WHEN event.act = 'night' THEN
			PERFORM pg_temp.play_night();
		WHEN event.act = 'leave' THEN
			PERFORM support.deactivate_user((event.args ->> 'user')::bigint, (event.args ->> 'successor')::bigint);
		WHEN event.act IN ('receive', 'write', 'reply', 'ask') THEN
			PERFORM pg_temp.play_comment(target.ticket_id, event.act, event.args);
		WHEN event.act IN ('delete', 'mark', 'remove', 'restore') THEN
			PERFORM pg_temp.play_deletion(target.ticket_id, event.act, event.args);
		ELSE
			PERFORM pg_temp.play_change(target.ticket_id, target.comment_id, event.act, event.args);
	END CASE;
END
$$;

-- Tell how a month went, by the desk's own report
CREATE FUNCTION pg_temp.show_month(month date)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	figures record;
BEGIN
	SELECT
		coalesce(sum(r.created), 0) AS created,
		coalesce(sum(r.solved), 0) AS solved,
		coalesce((array_agg(r.open_at_end ORDER BY r.day DESC))[1], 0) AS open
	INTO figures
	FROM support.report_daily AS r
	WHERE r.day >= month AND r.day < month + interval '1 month';
	RAISE NOTICE '%', format('%-14s %5s opened, %5s solved, %5s open at its end',
		to_char(month, 'FMMonth YYYY'), figures.created, figures.solved, figures.open);
END
$$;

ANALYZE pg_temp.event;
DO $$
DECLARE
	event pg_temp.event;
	month date;
BEGIN
	FOR event IN
		SELECT e.*
		FROM pg_temp.event AS e
		WHERE e.at < (SELECT p.ends_at FROM pg_temp.plan AS p)
		ORDER BY e.at, e.id
	LOOP
		IF month < date_trunc('month', event.at) THEN
			PERFORM pg_temp.show_month(month);
		END IF;
		month := date_trunc('month', event.at);

		PERFORM set_config('support_ext.now', event.at::text, false);
		PERFORM support.set_actor(event.actor_id);
		PERFORM pg_temp.play(event);
		COMMIT;
	END LOOP;
	PERFORM pg_temp.show_month(month);
END
$$;
