-- What clocks must say, found out the slow way: minute by minute, from what a test wrote down of its own doings. Tests
-- make the schema oracle, do things by act(), edit_policy() and look(), on whole minutes, and have expect() tell.
--
-- Nothing here works out a deadline or reads what the desk wrote. A clock is followed from one minute to the next: while
-- it runs, each minute that its calendar is open counts, and who lets time pass when all is used up has broken the
-- promise. Which minutes are open is support.is_open()'s word, which sql/calendar.sql holds against a count of its own.

-- Minutes are counted from here.
CREATE TABLE oracle.beginning (at timestamptz NOT NULL);

CREATE FUNCTION oracle.at_minute(minute integer)
RETURNS timestamptz
LANGUAGE sql STABLE
AS 'SELECT at + minute * ''1 minute''::interval FROM oracle.beginning';

CREATE FUNCTION oracle.minute_of(at_time timestamptz)
RETURNS numeric
LANGUAGE sql STABLE
AS 'SELECT trim_scale(extract(epoch FROM at_time - at) / 60) FROM oracle.beginning';

CREATE TABLE oracle.actions
(
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	minute integer NOT NULL,
	ticket_id bigint,
	kind text NOT NULL,
	arg jsonb
);
COMMENT ON COLUMN oracle.actions.ticket_id IS 'NULL: all of them.';

-- What policies said from an action on
CREATE TABLE oracle.editions
(
	policy_id bigint NOT NULL,
	since bigint NOT NULL,
	is_active boolean NOT NULL,
	conditions jsonb NOT NULL,
	targets jsonb NOT NULL,
	PRIMARY KEY (policy_id, since)
);

-- Whether a minute is open, by calendar; 0 is round the clock
CREATE TABLE oracle.calendars (id bigint PRIMARY KEY, is_open boolean[] NOT NULL);
ALTER TABLE oracle.calendars ALTER COLUMN is_open SET STORAGE EXTERNAL;

CREATE FUNCTION oracle.know_calendars(minutes integer)
RETURNS void
LANGUAGE sql
AS $$
	INSERT INTO oracle.calendars
	SELECT c.id, array_agg(c.id = 0 OR support.is_open(c.id, oracle.at_minute(n)) ORDER BY n)
	FROM (SELECT id FROM support.calendars UNION ALL SELECT 0) AS c, generate_series(0, minutes) AS n
	GROUP BY c.id
$$;

-- What sla_status said when somebody looked
CREATE TABLE oracle.seen
(
	seq bigint NOT NULL,
	ticket_id bigint NOT NULL,
	metric text NOT NULL,
	instance integer NOT NULL,
	state text NOT NULL,
	consumed interval NOT NULL,
	remaining interval NOT NULL,
	due_at timestamptz,
	is_breached boolean NOT NULL,
	breached_at timestamptz
);

CREATE FUNCTION oracle.note(at_minute integer, of_ticket bigint, of_kind text, with_arg jsonb)
RETURNS bigint
LANGUAGE sql
AS $$
	INSERT INTO oracle.actions (minute, ticket_id, kind, arg) VALUES (at_minute, of_ticket, of_kind, with_arg)
	RETURNING seq
$$;

CREATE FUNCTION oracle.put_clock(minute integer)
RETURNS void
LANGUAGE sql
AS $$ SELECT set_config('support_ext.now', oracle.at_minute(minute)::text, false) $$;

CREATE FUNCTION oracle.look(minute integer)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	seq bigint := oracle.note(minute, NULL, 'look', NULL);
BEGIN
	PERFORM oracle.put_clock(minute);
	INSERT INTO oracle.seen
	SELECT seq, s.ticket_id, s.metric, s.instance, s.state, s.consumed, s.remaining, s.due_at, s.is_breached,
		s.breached_at
	FROM support.sla_status AS s;
END
$$;

-- Make a policy, or change it and hold all tickets to it at once, from the beginning or from now on
CREATE FUNCTION oracle.edit_policy(minute integer, policy text, is_active boolean, conditions jsonb, targets jsonb,
	count_from text DEFAULT 'beginning')
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	id bigint := (SELECT p.id FROM support.sla_policies AS p WHERE p.name = policy);
BEGIN
	PERFORM oracle.put_clock(minute);
	IF id IS NULL THEN
		id := support.create_sla_policy(policy, targets, conditions);
	ELSE
		PERFORM support.update_sla_policy(id, targets => targets, conditions => conditions, is_active => is_active);
	END IF;
	PERFORM support.sla_reapply(count_from => count_from);
	INSERT INTO oracle.editions
	VALUES (id, oracle.note(minute, NULL, 'edit', jsonb_build_object('count_from', count_from)), is_active, conditions, targets);
END
$$;

-- Do something to a ticket by plain SQL or a function. What the desk refuses, or what cannot be, is not done.
CREATE FUNCTION oracle.act(minute integer, ticket bigint, kind text, arg jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	is_live boolean := EXISTS (SELECT FROM support.tickets WHERE id = ticket AND deleted_at IS NULL);
BEGIN
	PERFORM oracle.put_clock(minute);
	IF is_live = (kind IN ('open', 'restore')) THEN
		RETURN;
	END IF;
	CASE kind
		WHEN 'open' THEN
			INSERT INTO support.tickets
				(id, title, description, creator_id, requester_id, status, priority, team_id, assignee_id, organization_id,
				channel, custom)
			SELECT ticket, 'Ticket ' || ticket, '', n.creator_id, 3, n.status, n.priority, n.team_id, n.assignee_id,
				n.organization_id, n.channel, coalesce(n.custom, '{}')
			FROM jsonb_populate_record(NULL::support.tickets, arg) AS n;
		WHEN 'set' THEN
			PERFORM support.update_ticket(ticket, arg);
		WHEN 'update' THEN
			UPDATE support.tickets AS t
			SET status = n.status, priority = n.priority, team_id = n.team_id, assignee_id = n.assignee_id,
				organization_id = n.organization_id, channel = n.channel, custom = n.custom
			FROM support.tickets AS o, LATERAL jsonb_populate_record(o, arg) AS n
			WHERE t.id = ticket AND o.id = ticket;
		WHEN 'reply' THEN
			PERFORM support.add_comment(ticket, 'We know', author_id => 1, status => arg ->> 'status');
		WHEN 'ask' THEN
			PERFORM support.add_comment(ticket, 'Do you?', author_id => 3);
		WHEN 'note' THEN
			PERFORM support.add_comment(ticket, 'We do not', true, author_id => 1);
		WHEN 'robot' THEN
			PERFORM support.add_comment(ticket, 'Bleep', author_id => 1 + 2 * (ticket % 2), via => 'auto');
		WHEN 'tag' THEN
			PERFORM support.tag_ticket(ticket, ARRAY[arg ->> 'tag']);
		WHEN 'untag' THEN
			PERFORM support.untag_ticket(ticket, ARRAY[arg ->> 'tag']);
		WHEN 'delete' THEN
			PERFORM support.delete_ticket(ticket);
		WHEN 'remove' THEN
			DELETE FROM support.tickets WHERE id = ticket;
		WHEN 'restore' THEN
			PERFORM support.restore_ticket(ticket);
	END CASE;
	PERFORM oracle.note(minute, ticket, kind, arg);
EXCEPTION
	WHEN object_not_in_prerequisite_state OR no_data_found THEN
		-- a closed ticket takes no comment, and what never was does not come back
END
$$;

-- A ticket after an action, and what the action was to it
CREATE TABLE oracle.turns
(
	ticket_id bigint NOT NULL,
	seq bigint NOT NULL,			-- twice that of the action, and one more but for the first of two
	minute integer NOT NULL,
	kind text NOT NULL,
	is_live boolean,
	category text,
	priority text,
	team_id bigint,
	assignee_id bigint,
	organization_id bigint,
	channel text,
	plan text,
	tags text[],
	opened integer,
	waiting_since integer,
	first_reply integer,
	last_reply integer,
	was_solved boolean,
	is_reply boolean,
	begins_wait boolean,
	is_solved boolean,
	is_reopened boolean,
	is_moved boolean,
	is_matched boolean,
	counts_from_now boolean,
	PRIMARY KEY (ticket_id, seq)
);

CREATE FUNCTION oracle.is_unsolved(category text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN category <> ALL ('{solved,closed}');

-- What an action makes of a ticket. An action of ours that changes columns names them.
CREATE FUNCTION oracle.turn_of(t oracle.turns, a oracle.actions)
RETURNS oracle.turns
LANGUAGE plpgsql
AS $$
DECLARE
	o oracle.turns := t;
	arg jsonb := coalesce(a.arg, '{}');
BEGIN
	t.seq := a.seq;
	t.minute := a.minute;
	t.kind := a.kind;
	t.is_reply := a.kind = 'reply';
	t.counts_from_now := a.kind = 'edit' AND arg ->> 'count_from' = 'now';
	IF a.kind IN ('open', 'set', 'update', 'reply') AND arg ? 'status' THEN
		t.category := (SELECT s.category FROM support.statuses AS s WHERE s.name = arg ->> 'status');
	END IF;
	CASE a.kind
		WHEN 'open', 'set', 'update' THEN
			t.priority := CASE WHEN arg ? 'priority' THEN coalesce(arg ->> 'priority', 'normal') ELSE t.priority END;
			t.team_id := CASE WHEN arg ? 'team_id' THEN arg ->> 'team_id' ELSE t.team_id::text END;
			t.assignee_id := CASE WHEN arg ? 'assignee_id' THEN arg ->> 'assignee_id' ELSE t.assignee_id::text END;
			t.organization_id :=
				CASE WHEN arg ? 'organization_id' THEN arg ->> 'organization_id' ELSE t.organization_id::text END;
			t.channel := CASE WHEN arg ? 'channel' THEN arg ->> 'channel' ELSE t.channel END;
			t.plan := CASE WHEN arg ? 'custom' THEN arg -> 'custom' ->> 'plan' ELSE t.plan END;
		WHEN 'reply' THEN
			t.first_reply := coalesce(t.first_reply, a.minute);
			t.last_reply := a.minute;
			t.waiting_since := NULL;
		WHEN 'ask' THEN
			t.waiting_since := coalesce(t.waiting_since, a.minute);
			IF t.category IN ('pending', 'hold', 'solved') THEN
				t.category := 'open';
			END IF;
		WHEN 'tag' THEN
			t.tags := t.tags || (arg ->> 'tag');
		WHEN 'untag' THEN
			t.tags := array_remove(t.tags, arg ->> 'tag');
		WHEN 'delete', 'remove' THEN
			t.is_live := false;
		WHEN 'restore' THEN
			t.is_live := true;
		ELSE
	END CASE;
	IF a.kind = 'open' THEN
		t.is_live := true;
		t.opened := a.minute;
		t.waiting_since := CASE WHEN arg ->> 'creator_id' = '3' THEN a.minute END;
	END IF;
	IF NOT oracle.is_unsolved(t.category) THEN
		t.waiting_since := NULL;
	END IF;
	t.begins_wait := t.waiting_since IS NOT NULL AND o.waiting_since IS NULL;
	t.was_solved := coalesce(t.was_solved, false) OR NOT oracle.is_unsolved(t.category);
	t.is_solved := NOT oracle.is_unsolved(t.category) AND oracle.is_unsolved(o.category);
	t.is_reopened := oracle.is_unsolved(t.category) AND NOT oracle.is_unsolved(o.category);
	t.is_moved := t.team_id IS DISTINCT FROM o.team_id;
	t.is_matched := t.is_live AND oracle.is_unsolved(t.category) AND (t.is_reopened OR a.kind IN ('edit', 'restore') OR
		(t.priority, t.team_id, t.organization_id, t.channel, t.plan, t.tags) IS DISTINCT FROM
		(o.priority, o.team_id, o.organization_id, o.channel, o.plan, o.tags));
	RETURN t;
END
$$;

CREATE FUNCTION oracle.retell()
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	ticket bigint;
	a oracle.actions;
	t oracle.turns;
BEGIN
	FOR ticket IN SELECT ticket_id FROM oracle.actions WHERE kind = 'open' LOOP
		t := NULL;
		t.ticket_id := ticket;
		t.priority := 'normal';
		t.tags := '{}';
		FOR a IN
			SELECT * FROM oracle.actions
			WHERE coalesce(ticket_id, ticket) = ticket
				AND seq >= (SELECT seq FROM oracle.actions WHERE kind = 'open' AND ticket_id = ticket)
			ORDER BY seq
		LOOP
			-- a reply with a status is two changes: the reply, then the status
			IF a.kind = 'reply' AND a.arg ->> 'status' IS NOT NULL THEN
				a.arg := NULL;
				t := oracle.turn_of(t, a);
				t.seq := a.seq * 2;
				INSERT INTO oracle.turns SELECT t.*;
				SELECT * INTO a FROM oracle.actions WHERE seq = a.seq;
				a.kind := 'set';
			END IF;
			t := oracle.turn_of(t, a);
			t.seq := a.seq * 2 + 1;
			INSERT INTO oracle.turns SELECT t.*;
		END LOOP;
	END LOOP;
END
$$;

CREATE TYPE oracle.promise AS (minutes integer, calendar_id bigint, pauses text[], warns integer[]);

CREATE FUNCTION oracle.is_any(wanted jsonb, found text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN wanted IS NULL
	OR EXISTS (SELECT FROM jsonb_array_elements_text(wanted) AS w (item) WHERE w.item IS NOT DISTINCT FROM found);

-- What a ticket is promised, NULL if nothing
CREATE FUNCTION oracle.promise_to(t oracle.turns, of_metric text)
RETURNS oracle.promise
LANGUAGE sql STABLE
AS $$
	SELECT (minutes, calendar_id, pauses, warns)::oracle.promise
	FROM
	(
		SELECT e.targets
		FROM
		(
			SELECT DISTINCT ON (policy_id) *
			FROM oracle.editions
			WHERE since * 2 <= t.seq
			ORDER BY policy_id, since DESC
		) AS e
		WHERE e.is_active
			AND oracle.is_any(e.conditions -> 'priority', t.priority)
			AND oracle.is_any(e.conditions -> 'team_id', t.team_id::text)
			AND oracle.is_any(e.conditions -> 'organization_id', t.organization_id::text)
			AND oracle.is_any(e.conditions -> 'channel', t.channel)
			AND oracle.is_any(e.conditions -> 'custom' -> 'plan', t.plan)
			AND (NOT e.conditions ? 'tags' OR e.conditions -> 'tags' ?| t.tags)
		ORDER BY e.policy_id
		LIMIT 1
	) AS p,
	LATERAL
	(
		SELECT
			(extract(epoch FROM (x.target ->> 'target')::interval) / 60)::integer AS minutes,
			coalesce((x.target ->> 'calendar_id')::bigint, 0) AS calendar_id,
			ARRAY(SELECT jsonb_array_elements_text(x.target -> 'pause')) AS pauses,
			ARRAY(SELECT w.percent::integer FROM jsonb_array_elements_text(x.target -> 'warn') AS w (percent) ORDER BY 1)
				AS warns,
			x.target ->> 'priority' AS priority
		FROM jsonb_array_elements(p.targets) AS x (target)
		WHERE x.target ->> 'metric' = of_metric
	) AS x
	WHERE x.priority = t.priority OR x.priority IS NULL
	ORDER BY x.priority NULLS LAST
	LIMIT 1
$$;

CREATE TABLE oracle.clocks
(
	ticket_id bigint,
	metric text,
	instance integer,
	promise oracle.promise,
	state text,
	consumed integer,
	warned integer,
	due integer,
	breached integer,
	reason text,
	team_id bigint,
	assignee_id bigint,
	started integer,
	ended integer,
	cancel_reason text,
	began_by bigint,				-- the turns, by seq, which may be of one minute
	ended_by bigint,
	is_from_now boolean				-- it leaves out what came before it started
);

CREATE TABLE oracle.events
(
	ticket_id bigint,
	metric text,
	instance integer,
	kind text,
	minute integer,
	percent integer,
	reason text,
	team_id bigint,
	assignee_id bigint
);

CREATE TABLE oracle.looks
(
	seq bigint,
	ticket_id bigint,
	metric text,
	instance integer,
	state text,
	consumed integer,
	remaining integer,
	due integer,
	breached integer
);

-- Whether so much is used
CREATE FUNCTION oracle.has_used(c oracle.clocks, percent integer)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN c.consumed * 100 >= (c.promise).minutes * percent;

-- How much is used when the next warning or the breach is due
CREATE FUNCTION oracle.alarm(c oracle.clocks)
RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN coalesce
(
	(SELECT min(ceil((c.promise).minutes * w / 100.0)) FROM unnest((c.promise).warns) AS w WHERE w > c.warned),
	(c.promise).minutes
);

-- The clock runs at this minute: give the warnings that are due
CREATE FUNCTION oracle.warn(c oracle.clocks, minute integer)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
DECLARE
	percent integer;
BEGIN
	IF c.state = 'running' AND c.breached IS NULL THEN
		FOREACH percent IN ARRAY (c.promise).warns LOOP
			IF percent > c.warned AND oracle.has_used(c, percent) THEN
				c.warned := percent;
				INSERT INTO oracle.events VALUES (c.ticket_id, c.metric, c.instance, 'warn', minute, percent);
			END IF;
		END LOOP;
	END IF;
	RETURN c;
END
$$;

CREATE FUNCTION oracle.break(c oracle.clocks, minute integer, reason text, t oracle.turns)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
BEGIN
	c.breached := minute;
	c.reason := reason;
	c.team_id := t.team_id;
	c.assignee_id := t.assignee_id;
	INSERT INTO oracle.events VALUES
		(c.ticket_id, c.metric, c.instance, 'breach', minute, NULL, reason, t.team_id, t.assignee_id);
	RETURN c;
END
$$;

-- A promise is new, or another one: broken at once, or mended
CREATE FUNCTION oracle.judge(c oracle.clocks, minute integer, t oracle.turns)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
BEGIN
	IF c.breached IS NULL AND c.consumed > (c.promise).minutes THEN
		c := oracle.break(c, minute, 'retarget', t);
	ELSIF c.breached IS NOT NULL AND c.consumed < (c.promise).minutes THEN
		c.breached := NULL;
		c.reason := NULL;
		c.team_id := NULL;
		c.assignee_id := NULL;
		INSERT INTO oracle.events VALUES (c.ticket_id, c.metric, c.instance, 'breach_voided', minute);
	END IF;
	RETURN c;
END
$$;

-- When all will be used if nothing happens
CREATE FUNCTION oracle.due(c oracle.clocks, minute integer)
RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
	is_open boolean[] := (SELECT k.is_open FROM oracle.calendars AS k WHERE k.id = (c.promise).calendar_id);
	left_over integer := (c.promise).minutes - c.consumed;
BEGIN
	IF c.breached IS NOT NULL THEN
		RETURN c.breached;
	ELSIF c.state <> 'running' THEN
		RETURN NULL;
	END IF;
	WHILE left_over > 0 LOOP
		left_over := left_over - is_open[minute + 1]::integer;
		minute := minute + 1;
	END LOOP;
	RETURN minute;
END
$$;

-- A clock ends, with the warnings that are due. Kept, the promise was kept by those who had the ticket before.
CREATE FUNCTION oracle.stop(c oracle.clocks, t oracle.turns, before oracle.turns, state text, reason text DEFAULT NULL)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
BEGIN
	IF c.state IN ('running', 'paused') THEN
		c := oracle.warn(c, t.minute);
		IF state = 'fulfilled' AND c.breached IS NULL THEN
			c.team_id := before.team_id;
			c.assignee_id := before.assignee_id;
		END IF;
		c.due := oracle.due(c, t.minute);
		c.state := state;
		c.ended := t.minute;
		c.ended_by := t.seq;
		c.cancel_reason := reason;
	END IF;
	RETURN c;
END
$$;

-- A clock goes on, and its outcome is open unless it was broken
CREATE FUNCTION oracle.resume(c oracle.clocks)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
BEGIN
	c.state := 'running';
	c.ended := NULL;
	c.ended_by := NULL;
	c.cancel_reason := NULL;
	IF c.breached IS NULL THEN
		c.team_id := NULL;
		c.assignee_id := NULL;
	END IF;
	RETURN c;
END
$$;

-- Let an open clock run or stand still, as the ticket's category wants it
CREATE FUNCTION oracle.fit(c oracle.clocks, t oracle.turns)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
BEGIN
	IF c.state IN ('running', 'paused') THEN
		c := oracle.warn(c, t.minute);
		c.state := CASE WHEN t.category = ANY ((c.promise).pauses) THEN 'paused' ELSE 'running' END;
	END IF;
	RETURN c;
END
$$;

-- A clock begins, after the one before it; it may have begun long ago
CREATE FUNCTION oracle.start(c oracle.clocks, t oracle.turns, p oracle.promise, started integer, consumed integer)
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
BEGIN
	IF p IS NULL THEN
		RETURN c;
	END IF;
	IF c.instance IS NOT NULL THEN
		INSERT INTO oracle.clocks SELECT c.*;
	END IF;
	c := (c.ticket_id, c.metric, coalesce(c.instance, 0) + 1, p, 'running', consumed, 0, NULL, NULL, NULL, NULL, NULL,
		started, NULL, NULL, t.seq, NULL, false)::oracle.clocks;
	RETURN oracle.judge(c, t.minute, t);
END
$$;

-- Whether a customer who waits does so for the next reply: there was a first one, or a solution instead of it, and no
-- clock runs for the first one. The clocks of first replies are followed before.
CREATE FUNCTION oracle.awaits_next_reply(t oracle.turns)
RETURNS boolean
LANGUAGE sql STABLE
RETURN (t.first_reply IS NOT NULL OR t.was_solved)
	AND NOT EXISTS
	(
		SELECT FROM oracle.clocks AS f
		WHERE f.ticket_id = t.ticket_id AND f.metric = 'first_reply' AND f.began_by <= t.seq
			AND (f.ended_by IS NULL OR f.ended_by > t.seq)
	);

-- Since when something is owed that is promised only now
CREATE FUNCTION oracle.owed_since(c oracle.clocks, t oracle.turns)
RETURNS integer
LANGUAGE sql STABLE
RETURN CASE c.metric
	WHEN 'next_reply' THEN CASE WHEN oracle.awaits_next_reply(t) THEN t.waiting_since END
	WHEN 'ownership' THEN CASE WHEN t.team_id IS NOT NULL THEN t.minute END
	ELSE
		CASE WHEN c.instance IS NULL OR c.cancel_reason IN ('policy', 'solved') THEN
			CASE c.metric
				WHEN 'first_reply' THEN CASE WHEN t.first_reply IS NULL THEN t.opened END
				WHEN 'periodic_update' THEN t.last_reply
				ELSE t.opened
			END
		END
	END;

-- An action turns a clock. past has the category of each minute since the opening, NULL where none counts.
CREATE FUNCTION oracle.turn(c oracle.clocks, t oracle.turns, before oracle.turns, past text[])
RETURNS oracle.clocks
LANGUAGE plpgsql
AS $$
DECLARE
	p oracle.promise;
	is_unsolved boolean := oracle.is_unsolved(t.category);
	since integer;
	is_from_now boolean;
	of_minutes boolean[];
	consumed integer;
BEGIN
	c := oracle.warn(c, t.minute);
	IF t.kind = 'look' THEN
		INSERT INTO oracle.looks
		SELECT t.seq / 2, c.ticket_id, c.metric, c.instance, c.state, c.consumed, (c.promise).minutes - c.consumed,
			CASE WHEN c.state IN ('running', 'paused') THEN oracle.due(c, t.minute) ELSE c.due END, c.breached
		WHERE c.instance IS NOT NULL AND t.is_live;
		RETURN c;
	ELSIF t.kind IN ('delete', 'remove') THEN
		RETURN oracle.stop(c, t, before, 'cancelled', 'deleted');
	ELSIF NOT t.is_live THEN
		RETURN c;
	ELSIF t.kind = 'restore' AND c.cancel_reason = 'deleted' THEN
		c := oracle.resume(c);
	ELSIF t.kind = 'open' AND is_unsolved AND
		(c.metric IN ('first_reply', 'requester_wait', 'agent_work', 'resolution') OR
			c.metric = 'ownership' AND t.team_id IS NOT NULL) THEN
		c := oracle.start(c, t, oracle.promise_to(t, c.metric), t.minute, 0);
	END IF;

	-- a reply, then the status, then the customer, then the team
	IF t.is_reply AND c.metric = 'periodic_update' AND c.state IN ('running', 'paused') AND c.started = t.minute THEN
		-- an update of the same instant is none
		NULL;
	ELSIF t.is_reply AND c.metric IN ('first_reply', 'next_reply', 'periodic_update') THEN
		c := oracle.stop(c, t, before, 'fulfilled');
		IF c.metric = 'periodic_update' AND is_unsolved THEN
			c := oracle.start(c, t, oracle.promise_to(t, c.metric), t.minute, 0);
		END IF;
	END IF;
	IF t.is_solved AND c.metric = 'periodic_update' THEN
		c := oracle.stop(c, t, before, 'cancelled', 'solved');
	ELSIF t.is_solved THEN
		c := oracle.stop(c, t, before, 'fulfilled');
	ELSIF t.is_reopened AND c.state = 'fulfilled' AND c.metric IN ('requester_wait', 'agent_work', 'resolution') THEN
		c := oracle.resume(c);
	ELSIF t.is_reopened AND c.cancel_reason = 'solved' AND c.started >= t.last_reply THEN
		-- no update was given since: it is owed still
		c := oracle.resume(c);
	END IF;
	c := oracle.fit(c, t);
	IF c.metric = 'next_reply' AND t.begins_wait AND oracle.awaits_next_reply(t) AND t.kind <> 'open' THEN
		c := oracle.start(c, t, oracle.promise_to(t, c.metric), t.minute, 0);
	END IF;
	IF c.metric = 'ownership' AND (t.is_moved OR t.is_reopened) AND t.kind <> 'open' THEN
		c := oracle.stop(c, t, before, 'fulfilled');
		IF t.team_id IS NOT NULL AND is_unsolved THEN
			c := oracle.start(c, t, oracle.promise_to(t, c.metric), t.minute, 0);
		END IF;
	END IF;

	-- what is promised now
	IF t.is_matched AND t.kind <> 'open' THEN
		p := oracle.promise_to(t, c.metric);
		IF c.state IN ('running', 'paused') AND p IS NULL THEN
			c := oracle.stop(c, t, before, 'cancelled', 'policy');
		ELSIF c.state IN ('running', 'paused') THEN
			-- the same action may have let it run again, with so much used that a warning is due
			c := oracle.warn(c, t.minute);
			IF (c.promise).minutes <> p.minutes THEN
				c.warned := 0;
			END IF;
			c.promise := p;
			c := oracle.judge(c, t.minute, t);
		ELSIF p IS NOT NULL THEN
			since := oracle.owed_since(c, t);
			is_from_now := t.counts_from_now AND since < t.minute;
			IF is_from_now THEN
				since := t.minute;
			ELSIF c.is_from_now AND since < c.started THEN
				-- what was left out once stays out
				since := c.started;
				is_from_now := true;
			END IF;
			of_minutes := (SELECT k.is_open FROM oracle.calendars AS k WHERE k.id = p.calendar_id);
			consumed := (SELECT count(*) FROM generate_series(since, t.minute - 1) AS m
				WHERE of_minutes[m + 1] AND past[m] IS NOT NULL AND past[m] <> ALL (p.pauses));
			IF since IS NOT NULL THEN
				c := oracle.start(c, t, p, since, consumed);
				c.is_from_now := is_from_now;
			END IF;
		END IF;
	END IF;

	RETURN oracle.fit(c, t);
END
$$;

-- Follow the clocks of a metric of a ticket, from minute to minute
CREATE FUNCTION oracle.follow(ticket bigint, of_metric text)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	c oracle.clocks;
	t oracle.turns;
	before oracle.turns;
	calendar bigint;
	is_open boolean[];
	past text[];
	category text;
	minute integer;
	alarm integer;
BEGIN
	c.ticket_id := ticket;
	c.metric := of_metric;
	FOR t IN SELECT * FROM oracle.turns WHERE ticket_id = ticket ORDER BY seq LOOP
		minute := coalesce(minute, t.minute);
		category := CASE WHEN before.is_live AND oracle.is_unsolved(before.category) THEN before.category END;
		IF calendar IS DISTINCT FROM (c.promise).calendar_id THEN
			calendar := (c.promise).calendar_id;
			is_open := (SELECT k.is_open FROM oracle.calendars AS k WHERE k.id = calendar);
		END IF;
		alarm := oracle.alarm(c);
		WHILE minute < t.minute LOOP
			IF c.state = 'running' THEN
				IF c.breached IS NULL AND c.consumed >= alarm THEN
					c := oracle.warn(c, minute);
					alarm := oracle.alarm(c);
					IF c.consumed >= (c.promise).minutes THEN
						c := oracle.break(c, minute, 'due', before);
					END IF;
				END IF;
				c.consumed := c.consumed + is_open[minute + 1]::integer;
			END IF;
			past[minute] := category;
			minute := minute + 1;
		END LOOP;
		c := oracle.turn(c, t, before, past);
		before := t;
	END LOOP;
	IF c.instance IS NOT NULL THEN
		c.due := CASE WHEN c.state IN ('running', 'paused') THEN oracle.due(c, minute) ELSE c.due END;
		INSERT INTO oracle.clocks SELECT c.*;
	END IF;
END
$$;

-- Tell it all. The last action is a look, at the minute up to which the desk has announced what was due.
CREATE FUNCTION oracle.expect()
RETURNS void
LANGUAGE sql
AS $$
	SELECT oracle.retell();
	SELECT oracle.follow(ticket_id, 'first_reply') FROM oracle.actions WHERE kind = 'open';
	SELECT oracle.follow(a.ticket_id, m.metric)
	FROM oracle.actions AS a,
		unnest('{next_reply,periodic_update,requester_wait,agent_work,resolution,ownership}'::text[]) AS m (metric)
	WHERE a.kind = 'open'
$$;

-- In minutes from the beginning, as the oracle has it
CREATE FUNCTION oracle.minutes(duration interval)
RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN trim_scale(extract(epoch FROM duration) / 60);

-- Where the desk is not what the oracle says: lines of the one (+) and of the other (-)
CREATE FUNCTION oracle.differences()
RETURNS SETOF text
LANGUAGE sql
AS $$
	WITH found AS
	(
		SELECT format('clock %s %s %s %s', c.ticket_id, c.metric, c.instance,
			(c.state, CASE WHEN c.state <> 'running' THEN oracle.minutes(c.consumed) END,
			CASE WHEN c.state <> 'cancelled' THEN oracle.minute_of(c.due_at) END, oracle.minute_of(c.breached_at),
			c.breach_reason, c.decided_team_id, c.decided_assignee_id, oracle.minute_of(c.started_at),
			oracle.minute_of(c.ended_at), c.cancel_reason)) AS line
		FROM support.sla_clocks AS c
		UNION ALL
		SELECT format('event %s %s %s %s', e.ticket_id, c.metric, c.instance,
			(oracle.minute_of(e.occurred_at), e.kind, e.percent, e.reason, e.team_id, e.assignee_id))
		FROM support.sla_events AS e
		JOIN support.sla_clocks AS c ON c.ticket_id = e.ticket_id AND c.id = e.clock_id
		WHERE e.kind IN ('warn', 'breach', 'breach_voided')
		UNION ALL
		SELECT format('look %s %s %s %s %s', s.seq, s.ticket_id, s.metric, s.instance,
			(s.state, oracle.minutes(s.consumed), oracle.minutes(s.remaining),
			CASE WHEN s.state <> 'cancelled' THEN oracle.minute_of(s.due_at) END, s.is_breached,
			oracle.minute_of(s.breached_at)))
		FROM
		(
			SELECT DISTINCT ON (seq, ticket_id, metric) *
			FROM oracle.seen
			ORDER BY seq, ticket_id, metric, instance DESC
		) AS s
	),
	expected AS
	(
		SELECT format('clock %s %s %s %s', c.ticket_id, c.metric, c.instance,
			(c.state, CASE WHEN c.state <> 'running' THEN c.consumed END,
			CASE WHEN c.state <> 'cancelled' THEN c.due END, c.breached,
			c.reason, c.team_id, c.assignee_id, c.started, c.ended, c.cancel_reason)) AS line
		FROM oracle.clocks AS c
		UNION ALL
		SELECT format('event %s %s %s %s', e.ticket_id, e.metric, e.instance,
			(e.minute, e.kind, e.percent, e.reason, e.team_id, e.assignee_id))
		FROM oracle.events AS e
		UNION ALL
		SELECT format('look %s %s %s %s %s', l.seq, l.ticket_id, l.metric, l.instance,
			(l.state, l.consumed, l.remaining, CASE WHEN l.state <> 'cancelled' THEN l.due END, l.breached IS NOT NULL,
			l.breached))
		FROM oracle.looks AS l
	)
	SELECT d.line || ' ' || d.sign
	FROM
	(
		SELECT f.line, '+' AS sign FROM (SELECT line FROM found EXCEPT ALL SELECT line FROM expected) AS f
		UNION ALL
		SELECT e.line, '-' FROM (SELECT line FROM expected EXCEPT ALL SELECT line FROM found) AS e
	) AS d
	ORDER BY d.line COLLATE "C", d.sign
$$;
