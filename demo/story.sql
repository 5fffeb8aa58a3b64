-- Planning what happens to each ticket, from the first mail to the last thanks.

-- What happens: when, to which planned ticket, by whom. What the arguments mean depends on the act: see play.sql.
CREATE TEMP TABLE event
(
	id integer GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL,
	n integer,
	actor_id bigint,
	act text NOT NULL,
	args jsonb NOT NULL DEFAULT '{}'
);

-- A ticket's story as far as it is told
CREATE TYPE pg_temp.story AS
(
	n integer,
	at timestamptz,			-- how far
	topic text,
	variant integer,		-- which of the topic's cases
	team text,
	channel text,
	priority text,
	customer_id bigint,
	organization_id bigint,
	colleague_id bigint,	-- somebody of the same organization
	agent_id bigint,
	is_over boolean,		-- nothing more happens
	facts jsonb				-- what replaces words in braces
);

-- How busy the days are: by weekday, growing a little, each with its own luck, and one with an incident
CREATE TEMP TABLE day AS
SELECT
	d.day,
	d.day = x.incident AS is_incident,
	(ARRAY[1.25, 1.15, 1.05, 1.0, 0.85, 0.2, 0.14])[extract(isodow FROM d.day)::integer]
		* (0.85 + 0.3 * d.n / 182.0)
		* (0.75 + 0.5 * (d.n * 37 + p.seed % 101) % 101 / 101.0)
		* CASE WHEN d.day = x.incident THEN 3.2 ELSE 1 END AS weight
FROM pg_temp.plan AS p
CROSS JOIN LATERAL (SELECT (date_trunc('week', p.today - 47) + interval '1 day')::date AS incident) AS x
CROSS JOIN LATERAL (SELECT g.n, p.today - 182 + g.n AS day FROM generate_series(0, 182) AS g (n)) AS d;
ALTER TABLE pg_temp.day ADD COLUMN upto numeric;
UPDATE pg_temp.day AS d SET upto = s.upto
FROM (SELECT e.day, sum(e.weight) OVER (ORDER BY e.day) AS upto FROM pg_temp.day AS e) AS s
WHERE s.day = d.day;

CREATE FUNCTION pg_temp.happen(s pg_temp.story, actor_id bigint, act text, args jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO pg_temp.event (at, n, actor_id, act, args)
	VALUES (date_trunc('second', s.at), s.n, happen.actor_id, happen.act, happen.args);
END
$$;

-- Replace the words in braces
CREATE FUNCTION pg_temp.fill(words text, facts jsonb)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	word text;
BEGIN
	WHILE strpos(words, '{') > 0 LOOP
		word := substring(words FROM '\{([a-z]+)\}');
		words := replace(words, '{' || word || '}', facts ->> word);
	END LOOP;
	RETURN words;
END
$$;

-- Find the topic's words for its variant; a later turn takes the next ones
CREATE FUNCTION pg_temp.say(s pg_temp.story, kind text, turn integer DEFAULT 0)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	list text[] := (SELECT p.list FROM pg_temp.phrases AS p WHERE p.topic = s.topic AND p.kind = say.kind);
BEGIN
	RETURN pg_temp.fill(list[1 + (least(s.variant, cardinality(list) - 1) + turn) % cardinality(list)], s.facts);
END
$$;

-- Words that suit any topic
CREATE FUNCTION pg_temp.say_any(s pg_temp.story, kind text)
RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN pg_temp.fill
	(
		pg_temp.pick((SELECT p.list FROM pg_temp.phrases AS p WHERE p.topic = 'any' AND p.kind = say_any.kind)),
		s.facts
	);
END
$$;

-- An agent's words with what stands around them
CREATE FUNCTION pg_temp.letter(s pg_temp.story, words text)
RETURNS text
LANGUAGE sql
AS $$
	SELECT format(E'Hello %s,\n\n%s\n\n%s, Rookery Support', s.facts ->> 'first', words, a.full_name)
	FROM pg_temp.staff AS a
	WHERE a.user_id = s.agent_id
$$;

-- Draw one of a team's agents who are there at a time, the busy ones more often
CREATE FUNCTION pg_temp.agent_of(team text, at timestamptz)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	luck double precision := random();
BEGIN
	RETURN
	(
		SELECT a.user_id
		FROM
			(
				SELECT s.user_id, sum(s.share) OVER (ORDER BY s.user_id) AS upto, sum(s.share) OVER () AS total
				FROM pg_temp.staff AS s
				WHERE s.team = agent_of.team AND (s.leaves_at > agent_of.at OR s.leaves_at IS NULL)
			) AS a
		WHERE a.upto > luck * a.total
		ORDER BY a.user_id
		LIMIT 1
	);
END
$$;

-- Draw when a ticket is opened
CREATE FUNCTION pg_temp.opening_time()
RETURNS timestamptz
LANGUAGE plpgsql
AS $$
DECLARE
	-- of the hours from 0 to 23
	weights integer[] := '{2,1,1,1,1,2,5,18,45,60,58,50,38,42,52,48,40,30,18,12,9,8,6,4}';
	incident_weights integer[] := '{1,0,0,0,0,0,1,6,30,160,120,50,30,20,20,15,15,10,8,6,5,4,3,2}';
	luck double precision := random() * (SELECT max(d.upto) FROM pg_temp.day AS d);
	chosen pg_temp.day;
	hour integer := 0;
BEGIN
	SELECT * INTO chosen FROM pg_temp.day AS d WHERE d.upto > luck ORDER BY d.day LIMIT 1;
	IF chosen.is_incident THEN
		weights := incident_weights;
	END IF;
	luck := random() * (SELECT sum(w.weight) FROM unnest(weights) AS w (weight));
	WHILE luck >= weights[hour + 1] LOOP
		luck := luck - weights[hour + 1];
		hour := hour + 1;
	END LOOP;
	RETURN chosen.day::timestamptz + (hour + random()) * interval '1 hour';
END
$$;

-- Draw what a ticket opened at that time is about
CREATE FUNCTION pg_temp.draw_topic(at timestamptz)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	luck double precision := random() * (SELECT sum(t.weight) FROM pg_temp.topic AS t);
	topic pg_temp.topic;
BEGIN
	IF at::time BETWEEN '08:50' AND '11:30' AND (SELECT d.is_incident FROM pg_temp.day AS d WHERE d.day = at::date) THEN
		RETURN 'outage';
	END IF;
	FOR topic IN SELECT * FROM pg_temp.topic AS t ORDER BY t.name COLLATE "C" LOOP
		luck := luck - topic.weight;
		EXIT WHEN luck < 0;
	END LOOP;
	RETURN topic.name;
END
$$;

-- Draw what a ticket's words are about
CREATE FUNCTION pg_temp.draw_facts(at timestamptz)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN jsonb_build_object
	(
		'printer', pg_temp.pick(ARRAY['Finch 210', 'Finch 210', 'Kestrel 480', 'Kestrel 480', 'Heron 900']),
		'room', pg_temp.pick(ARRAY['reception', 'the meeting room', 'the warehouse', 'accounting', 'room 3.12',
			'the front office', 'the workshop', 'the library']),
		'computer', pg_temp.pick(ARRAY['my laptop', 'the office computer', 'my new laptop', 'two of our computers']),
		'browser', pg_temp.pick(ARRAY['Firefox', 'Chrome', 'Safari', 'Edge']),
		'folder', pg_temp.pick(ARRAY['Contracts', 'Site plans', 'Board papers', 'Payroll', 'Photos of the fair',
			'Tenders', 'Minutes', 'Price lists', 'Handbook']),
		'file', pg_temp.pick(ARRAY['the annual report', 'the price list', 'the tender', 'the minutes of Monday',
			'the site plan', 'the offer', 'the catalogue']),
		'error', 'E-' || 4100 + floor(random() * 60)::integer,
		'number', 6 + floor(random() * 90)::integer,
		'tray', 2 + floor(random() * 3)::integer,
		'month', to_char(at - interval '20 days', 'FMMonth'),
		'invoice', to_char(at, 'YYYY-') || lpad(floor(random() * 10000)::text, 4, '0'),
		'version', format('6.%s.%s', extract(month FROM at), 1 + floor(random() * 4)::integer)
	);
END
$$;

-- Begin a story: when, who, about what
CREATE FUNCTION pg_temp.begin_story(n integer)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	s pg_temp.story;
	drawn integer := 1 + floor(300 * random() ^ 1.6)::integer;		-- some write often
	customer pg_temp.customer;
	colleague pg_temp.customer;
	topic pg_temp.topic;
BEGIN
	s.n := n;
	s.is_over := false;
	s.at := pg_temp.opening_time();
	s.topic := pg_temp.draw_topic(s.at);
	s.variant := floor(random() * 3)::integer;
	s.facts := pg_temp.draw_facts(s.at);
	SELECT * INTO topic FROM pg_temp.topic AS t WHERE t.name = s.topic;
	s.team := CASE
		WHEN pg_temp.chance(0.08) THEN pg_temp.pick('{Accounts,Billing,Documents,Printing}')
		ELSE topic.team END;
	s.channel := pg_temp.pick('{email,email,email,email,email,web,web,web,chat,phone}');
	IF s.topic = 'toner' AND pg_temp.chance(0.3) THEN
		s.channel := 'device';
		s.variant := 0;
	END IF;
	s.priority := CASE
		WHEN pg_temp.chance(0.25 * topic.urgency) THEN 'urgent'
		WHEN pg_temp.chance(0.6 * topic.urgency) THEN 'high'
		WHEN pg_temp.chance(0.12) THEN 'low'
		ELSE 'normal' END;

	SELECT * INTO customer FROM pg_temp.customer AS c WHERE c.n = drawn;
	SELECT * INTO colleague
	FROM pg_temp.customer AS c
	WHERE c.organization_id = customer.organization_id AND c.n <> customer.n
	ORDER BY (c.n * s.n) % 101, c.n
	LIMIT 1;
	s.customer_id := customer.user_id;
	s.organization_id := customer.organization_id;
	s.colleague_id := colleague.user_id;
	s.facts := s.facts || jsonb_build_object
	(
		'customer', customer.full_name,
		'first', split_part(customer.full_name, ' ', 1),
		'organization', customer.organization,
		'colleague', split_part(coalesce(colleague.full_name, 'Robin'), ' ', 1),
		'team', topic.team
	);
	RETURN s;
END
$$;

-- The agent goes on with the ticket some hours later, or the successor if the agent has left by then
CREATE FUNCTION pg_temp.agents_turn(s pg_temp.story, hours double precision)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	agent pg_temp.staff;
BEGIN
	SELECT * INTO agent FROM pg_temp.staff AS a WHERE a.user_id = s.agent_id;
	s.at := pg_temp.office_time(pg_temp.later(s.at, hours * agent.pace));
	IF agent.leaves_at <= s.at THEN
		s.agent_id := agent.successor_id;
		PERFORM pg_temp.happen(s, s.agent_id, 'assign', jsonb_build_object('assignee', s.agent_id));
	END IF;
	RETURN s;
END
$$;

CREATE FUNCTION pg_temp.customers_turn(s pg_temp.story, hours double precision)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	s.at := pg_temp.waking_time(pg_temp.later(s.at, hours));
	RETURN s;
END
$$;

-- How many hours a customer waits, by priority
CREATE FUNCTION pg_temp.patience(s pg_temp.story)
RETURNS double precision
LANGUAGE sql
AS $$
	SELECT CASE s.priority WHEN 'urgent' THEN 0.8 WHEN 'high' THEN 2.5 WHEN 'normal' THEN 7 ELSE 20 END
$$;

-- A customer writes; a file comes with it where the words say so
CREATE FUNCTION pg_temp.customer_writes(s pg_temp.story, words text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_temp.happen(s, s.customer_id, 'write', jsonb_build_object
	(
		'words', words,
		'via', CASE WHEN s.channel = 'web' THEN 'web' ELSE 'email' END
	));
	IF words LIKE '%attached%' THEN
		PERFORM pg_temp.happen(s, s.customer_id, 'attach', jsonb_build_object
		(
			'filename', CASE s.topic
				WHEN 'sync' THEN 'client.log' WHEN 'sso' THEN 'metadata.xml' WHEN 'quality' THEN 'testpage.png'
				WHEN 'payment' THEN 'transfer.pdf' WHEN 'rights' THEN 'approval.pdf' ELSE 'letter.pdf' END,
			'error', s.facts ->> 'error'
		));
	END IF;
END
$$;

-- If the answer takes more than a working day, customers sometimes ask for it
CREATE FUNCTION pg_temp.ask_for_news(s pg_temp.story, answered_at timestamptz)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF answered_at - s.at > interval '26 hours' AND pg_temp.chance(0.3) THEN
		s.at := least(pg_temp.waking_time(s.at + (answered_at - s.at) * 0.7), answered_at - interval '5 minutes');
		PERFORM pg_temp.customer_writes(s, pg_temp.say_any(s, 'chase'));
	END IF;
END
$$;

-- The custom field that says by which contract the ticket comes, which the policies read
CREATE FUNCTION pg_temp.plan_of(s pg_temp.story)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN coalesce
	(
		(
			SELECT jsonb_build_object('plan', c.plan)
			FROM pg_temp.contract AS c
			WHERE c.organization_id = s.organization_id AND c.plan IS NOT NULL
		),
		'{}'
	);
END
$$;

-- Open the ticket
CREATE FUNCTION pg_temp.open(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	bot_id bigint := (SELECT u.id FROM support.users AS u WHERE u.role = 'bot');
	creator_id bigint := s.customer_id;
	description text := pg_temp.say(s, 'problem');
BEGIN
	IF s.channel = 'phone' THEN
		s.at := pg_temp.office_time(s.at);
		s.agent_id := pg_temp.agent_of(s.team, s.at);
		creator_id := s.agent_id;
		description := format(E'%s on the phone:\n\n%s', s.facts ->> 'customer', description);
	ELSIF s.channel = 'device' THEN
		creator_id := bot_id;
		description := pg_temp.say_any(s, 'report');
	ELSE
		description := format(E'%s\n\n%s\n\n%s',
			pg_temp.say_any(s, 'greeting'), description, pg_temp.say_any(s, 'farewell'));
	END IF;

	PERFORM pg_temp.happen(s, creator_id, 'open', jsonb_build_object
	(
		'title', pg_temp.say(s, 'title'),
		'description', description,
		'creator', creator_id,
		'requester', CASE WHEN creator_id <> s.customer_id THEN s.customer_id END,
		'organization', s.organization_id,
		'channel', s.channel,
		'priority', s.priority,
		'assignee', s.agent_id,
		'team', s.team,
		'tags', (SELECT to_jsonb(t.tags) FROM pg_temp.topic AS t WHERE t.name = s.topic),
		'custom', pg_temp.plan_of(s) || CASE s.team
			WHEN 'Printing' THEN jsonb_build_object('device', s.facts -> 'printer', 'place', s.facts -> 'room')
			WHEN 'Documents' THEN jsonb_build_object('client', s.facts -> 'browser', 'version', s.facts -> 'version')
			ELSE '{}' END
	));
	IF s.channel = 'email' THEN
		s.at := s.at + interval '2 seconds';
		PERFORM pg_temp.happen(s, bot_id, 'receive', jsonb_build_object('words', pg_temp.say_any(s, 'received')));
	END IF;
	RETURN s;
END
$$;

-- Somebody takes the ticket, or is given it by the team lead
CREATE FUNCTION pg_temp.triage(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	lead_id bigint := (SELECT u.id FROM support.users AS u WHERE u.role = 'team_lead');
BEGIN
	IF s.agent_id IS NULL THEN
		s.at := pg_temp.office_time(pg_temp.later(s.at, pg_temp.patience(s) / 2));
		s.agent_id := pg_temp.agent_of(s.team, s.at);
		PERFORM pg_temp.happen(s, CASE WHEN pg_temp.chance(0.3) THEN lead_id ELSE s.agent_id END, 'assign',
			jsonb_build_object('assignee', s.agent_id));
	END IF;
	IF pg_temp.chance(0.3) THEN
		PERFORM pg_temp.happen(s, s.agent_id, 'start');
	END IF;
	RETURN s;
END
$$;

-- The ticket was routed to the wrong team
CREATE FUNCTION pg_temp.hand_over(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	read_by bigint;
BEGIN
	s := pg_temp.agents_turn(s, 2);
	read_by := s.agent_id;
	s.team := s.facts ->> 'team';
	s.agent_id := pg_temp.agent_of(s.team, s.at);
	PERFORM pg_temp.happen(s, read_by, 'note', jsonb_build_object('words', pg_temp.say_any(s, 'handover')));
	PERFORM pg_temp.happen(s, read_by, 'assign', jsonb_build_object('assignee', s.agent_id, 'team', s.team));
	RETURN s;
END
$$;

-- The customer gets impatient, and the team lead has an eye on the ticket
CREATE FUNCTION pg_temp.escalate(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	lead_id bigint := (SELECT u.id FROM support.users AS u WHERE u.role = 'team_lead');
BEGIN
	s := pg_temp.agents_turn(s, 3);
	s.priority := CASE s.priority WHEN 'low' THEN 'normal' WHEN 'normal' THEN 'high' ELSE 'urgent' END;
	PERFORM pg_temp.happen(s, s.agent_id, 'note', jsonb_build_object('words', pg_temp.say_any(s, 'louder')));
	PERFORM pg_temp.happen(s, s.agent_id, 'prioritize', jsonb_build_object('priority', s.priority));
	PERFORM pg_temp.happen(s, lead_id, 'watch', jsonb_build_object('user', lead_id, 'kind', 'follower'));
	RETURN s;
END
$$;

-- The product people are asked, and say something
CREATE FUNCTION pg_temp.consult(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	expert_id bigint := (SELECT u.id FROM support.users AS u WHERE u.role = 'light_agent');
BEGIN
	s := pg_temp.agents_turn(s, 2);
	PERFORM pg_temp.happen(s, s.agent_id, 'watch', jsonb_build_object('user', expert_id, 'kind', 'mention'));
	PERFORM pg_temp.happen(s, s.agent_id, 'status', jsonb_build_object('status', 'in_progress'));
	s.at := pg_temp.office_time(pg_temp.later(s.at, 6));
	PERFORM pg_temp.happen(s, expert_id, 'note', jsonb_build_object('words', pg_temp.say_any(s, 'product')));
	PERFORM pg_temp.happen(s, expert_id, 'change', jsonb_build_object
	(
		'custom', jsonb_build_object('product_issue', 'DOC-' || 300 + s.n % 400)
	));
	RETURN s;
END
$$;

-- The agent asks, and the ticket waits for the customer
CREATE FUNCTION pg_temp.ask(s pg_temp.story, turn integer)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	before pg_temp.story := s;
BEGIN
	s := pg_temp.agents_turn(s, pg_temp.patience(s));
	PERFORM pg_temp.ask_for_news(before, s.at);
	PERFORM pg_temp.happen(s, s.agent_id, 'ask', jsonb_build_object
	(
		'words', pg_temp.letter(s, pg_temp.say(s, 'question', turn)),
		'until', date_trunc('day', s.at) + interval '4 days 8 hours'
	));
	RETURN s;
END
$$;

-- The customer answers, or has to be reminded, or is never heard of again
CREATE FUNCTION pg_temp.answer(s pg_temp.story, turn integer)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	IF pg_temp.chance(0.12) THEN
		s.at := s.at + interval '3 days';
		s := pg_temp.agents_turn(s, 8);
		PERFORM pg_temp.happen(s, s.agent_id, 'reply', jsonb_build_object
		(
			'words', pg_temp.letter(s, pg_temp.say_any(s, 'remind')), 'status', 'pending'
		));
		IF pg_temp.chance(0.5) THEN
			s.is_over := true;
			s.at := s.at + interval '5 days';
			s := pg_temp.agents_turn(s, 8);
			PERFORM pg_temp.happen(s, s.agent_id, 'reply', jsonb_build_object
			(
				'words', pg_temp.letter(s, pg_temp.say_any(s, 'silence')), 'status', 'resolved'
			));
			RETURN s;
		END IF;
	END IF;
	s := pg_temp.customers_turn(s, 16);
	PERFORM pg_temp.customer_writes(s, pg_temp.say(s, 'detail', turn));
	RETURN s;
END
$$;

-- The agent says that it will take a while, and thinks about it
CREATE FUNCTION pg_temp.work(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	s := pg_temp.agents_turn(s, pg_temp.patience(s));
	PERFORM pg_temp.happen(s, s.agent_id, 'reply', jsonb_build_object
	(
		'words', pg_temp.letter(s, pg_temp.say_any(s, 'working')), 'status', 'in_progress'
	));
	s := pg_temp.agents_turn(s, 3);
	PERFORM pg_temp.happen(s, s.agent_id, 'note', jsonb_build_object('words', pg_temp.say(s, 'note')));
	RETURN s;
END
$$;

-- The ticket waits for somebody else
CREATE FUNCTION pg_temp.hold(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	s := pg_temp.agents_turn(s, 2);
	PERFORM pg_temp.happen(s, s.agent_id, 'hold', jsonb_build_object
	(
		'words', pg_temp.say_any(s, 'waiting'),
		'until', date_trunc('day', s.at) + interval '6 days 8 hours'
	));
	s := pg_temp.agents_turn(s, 100);
	PERFORM pg_temp.happen(s, s.agent_id, 'status', jsonb_build_object('status', 'in_progress'));
	RETURN s;
END
$$;

-- A call, of which a note and an event remain
CREATE FUNCTION pg_temp.call(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	s := pg_temp.agents_turn(s, 2);
	PERFORM pg_temp.happen(s, s.agent_id, 'call', jsonb_build_object
	(
		'words', pg_temp.say_any(s, 'called'), 'minutes', 1 + floor(random() * 20)::integer
	));
	RETURN s;
END
$$;

-- An answer meant for another ticket, which is taken back at once
CREATE FUNCTION pg_temp.err(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	s := pg_temp.agents_turn(s, 2);
	PERFORM pg_temp.happen(s, s.agent_id, 'reply', jsonb_build_object
	(
		'words', pg_temp.letter(s, pg_temp.say_any(s, 'again'))
	));
	s.at := s.at + interval '2 minutes';
	PERFORM pg_temp.happen(s, s.agent_id, 'take_back', jsonb_build_object('words', 'meant for another ticket'));
	RETURN s;
END
$$;

-- Another person takes the customer's part
CREATE FUNCTION pg_temp.transfer(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	s := pg_temp.agents_turn(s, 3);
	PERFORM pg_temp.happen(s, s.agent_id, 'transfer', jsonb_build_object
	(
		'words', format('%s is on leave, %s goes on with this.', s.facts ->> 'first', s.facts ->> 'colleague'),
		'user', s.colleague_id
	));
	s.customer_id := s.colleague_id;
	s.facts := s.facts || jsonb_build_object('first', s.facts ->> 'colleague', 'colleague', s.facts ->> 'first');
	RETURN s;
END
$$;

-- The agent solves it, mostly with words
CREATE FUNCTION pg_temp.solve(s pg_temp.story, words text)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	before pg_temp.story := s;
BEGIN
	s := pg_temp.agents_turn(s, pg_temp.patience(s) * 1.3);
	PERFORM pg_temp.ask_for_news(before, s.at);
	IF pg_temp.chance(0.06) THEN
		PERFORM pg_temp.happen(s, s.agent_id, 'note', jsonb_build_object('words', pg_temp.say_any(s, 'answered')));
		PERFORM pg_temp.happen(s, s.agent_id, 'status', jsonb_build_object('status', 'resolved'));
		RETURN s;
	END IF;
	PERFORM pg_temp.happen(s, s.agent_id, 'reply', jsonb_build_object
	(
		'words', pg_temp.letter(s, words), 'status', 'resolved'
	));
	IF pg_temp.chance(0.02) THEN
		s.at := s.at + interval '3 minutes';
		PERFORM pg_temp.happen(s, s.agent_id, 'edit', jsonb_build_object
		(
			'words', pg_temp.letter(s, words || ' Please tell us if it does not.')
		));
	END IF;
	RETURN s;
END
$$;

-- It was not the end: the customer writes again before the ticket is closed
CREATE FUNCTION pg_temp.reopen(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
DECLARE
	bot_id bigint := (SELECT u.id FROM support.users AS u WHERE u.role = 'bot');
BEGIN
	s.at := pg_temp.waking_time(s.at + (1 + random() * 110) * interval '1 hour');
	IF pg_temp.chance(0.2) THEN
		PERFORM pg_temp.customer_writes(s, pg_temp.say_any(s, 'thanks'));
		s := pg_temp.agents_turn(s, 2);
		PERFORM pg_temp.happen(s, s.agent_id, 'status', jsonb_build_object('status', 'resolved'));
		RETURN s;
	END IF;
	PERFORM pg_temp.customer_writes(s, pg_temp.say_any(s, 'back'));
	PERFORM pg_temp.happen(s, bot_id, 'tag', jsonb_build_object('tags', '["came-back"]'::jsonb));
	IF pg_temp.chance(0.4) THEN
		s := pg_temp.work(s);
	END IF;
	RETURN pg_temp.solve(s, pg_temp.say_any(s, 'again'));
END
$$;

-- Tickets that nobody wants: spam is marked as deleted, tests of the gateway are removed
CREATE FUNCTION pg_temp.tell_nuisance(s pg_temp.story)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	s.channel := 'email';
	PERFORM pg_temp.happen(s, s.customer_id, 'open', jsonb_build_object
	(
		'title', pg_temp.say(s, 'title'),
		'description', pg_temp.say(s, 'problem'),
		'creator', s.customer_id,
		'channel', s.channel
	));
	s.at := pg_temp.office_time(pg_temp.later(s.at, 1));
	s.agent_id := pg_temp.agent_of('Accounts', s.at);
	PERFORM pg_temp.happen(s, s.agent_id, CASE s.topic WHEN 'spam' THEN 'delete' ELSE 'remove' END,
		'{"reason": "spam"}');
END
$$;

-- Two more ways to the recycle bin: the customer has written twice, or somebody clicked beside
CREATE FUNCTION pg_temp.delete(s pg_temp.story)
RETURNS pg_temp.story
LANGUAGE plpgsql
AS $$
BEGIN
	IF s.n % 100 = 50 THEN
		s := pg_temp.agents_turn(s, 1);
		PERFORM pg_temp.happen(s, s.agent_id, 'mark', '{"reason": "duplicate"}');
		s.is_over := true;
	ELSIF s.n % 250 = 99 THEN
		s := pg_temp.agents_turn(s, 1);
		PERFORM pg_temp.happen(s, s.agent_id, 'delete', '{"reason": "clicked on the wrong line"}');
		s.at := s.at + interval '4 minutes';
		PERFORM pg_temp.happen(s, s.agent_id, 'restore');
	END IF;
	RETURN s;
END
$$;

-- Tell the story of the planned ticket n
CREATE FUNCTION pg_temp.tell(n integer)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	s pg_temp.story := pg_temp.begin_story(n);
	rounds integer;
BEGIN
	IF n % 70 = 13 OR n % 140 = 77 THEN
		s.topic := CASE n % 70 WHEN 13 THEN 'spam' ELSE 'test' END;
		PERFORM pg_temp.tell_nuisance(s);
		RETURN;
	END IF;

	s := pg_temp.open(s);
	IF n % 400 = 30 AND s.agent_id IS NULL AND s.priority IN ('low', 'normal') THEN
		RETURN;				-- overlooked
	END IF;
	s := pg_temp.delete(pg_temp.triage(s));
	IF s.is_over THEN
		RETURN;
	END IF;
	IF s.team <> s.facts ->> 'team' THEN
		s := pg_temp.hand_over(s);
	END IF;
	IF pg_temp.chance(0.07) THEN
		s := pg_temp.escalate(s);
	END IF;
	IF pg_temp.chance(0.01) AND s.colleague_id IS NOT NULL AND s.channel IN ('email', 'web', 'chat') THEN
		s := pg_temp.transfer(s);
	END IF;
	IF pg_temp.chance(0.08) AND s.colleague_id IS NOT NULL THEN
		PERFORM pg_temp.happen(s, s.customer_id, 'watch', jsonb_build_object('user', s.colleague_id, 'kind', 'cc'));
	END IF;
	IF pg_temp.chance(0.005) THEN
		s := pg_temp.err(s);
	END IF;
	IF s.topic = 'outage' OR pg_temp.chance(0.25) THEN
		s := pg_temp.work(s);
	END IF;

	rounds := CASE WHEN s.topic = 'outage' OR pg_temp.chance(0.4) THEN 0 WHEN pg_temp.chance(0.7) THEN 1 ELSE 2 END;
	FOR turn IN 0 .. rounds - 1 LOOP
		s := pg_temp.answer(pg_temp.ask(s, turn), turn);
		IF s.is_over THEN
			RETURN;
		END IF;
	END LOOP;

	IF s.team = 'Documents' AND pg_temp.chance(0.12) THEN
		s := pg_temp.consult(s);
	END IF;
	IF pg_temp.chance(CASE WHEN s.topic IN ('jam', 'toner', 'move', 'quality') THEN 0.25 ELSE 0.04 END) THEN
		s := pg_temp.hold(s);
	END IF;
	IF pg_temp.chance(0.08) THEN
		s := pg_temp.call(s);
	END IF;
	s := pg_temp.solve(s, pg_temp.say(s, 'solution'));
	WHILE pg_temp.chance(0.09) LOOP
		s := pg_temp.reopen(s);
	END LOOP;
END
$$;

-- The ticket of the last minutes: urgent, of a customer with the best contract, so that its first reply is due within the
-- hour. The busy agent has it, and nobody has written yet.
CREATE FUNCTION pg_temp.tell_last(n integer, ends_at timestamptz)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	s pg_temp.story := pg_temp.begin_story(n);
	customer pg_temp.customer;
BEGIN
	SELECT c.* INTO customer
	FROM pg_temp.customer AS c
	JOIN pg_temp.contract AS k ON k.organization_id = c.organization_id AND k.plan = 'gold'
	ORDER BY c.n
	LIMIT 1;
	s.at := ends_at - interval '7 minutes';
	s.topic := 'sync';
	s.team := 'Documents';
	s.channel := 'web';
	s.priority := 'urgent';
	s.customer_id := customer.user_id;
	s.organization_id := customer.organization_id;
	s.facts := s.facts || jsonb_build_object
	(
		'customer', customer.full_name, 'first', split_part(customer.full_name, ' ', 1),
		'organization', customer.organization, 'team', s.team
	);
	s := pg_temp.open(s);
	s.at := s.at + interval '2 minutes';
	PERFORM pg_temp.happen(s, (SELECT a.user_id FROM pg_temp.staff AS a WHERE a.full_name = 'Marta Lindqvist'), 'assign',
		jsonb_build_object('assignee', (SELECT a.user_id FROM pg_temp.staff AS a WHERE a.full_name = 'Aisha Rahman')));
END
$$;

DO $$
DECLARE
	plan pg_temp.plan := (SELECT p FROM pg_temp.plan AS p);
BEGIN
	PERFORM pg_temp.draw_from_seed(2);
	FOR n IN 1 .. plan.tickets - 1 LOOP
		PERFORM pg_temp.tell(n);
	END LOOP;
	PERFORM pg_temp.tell_last(plan.tickets, plan.ends_at);

	INSERT INTO pg_temp.event (at, actor_id, act, args)
	SELECT s.leaves_at, a.id, 'leave', jsonb_build_object('user', s.user_id, 'successor', s.successor_id)
	FROM pg_temp.staff AS s
	CROSS JOIN (SELECT u.id FROM support.users AS u WHERE u.role = 'admin') AS a
	WHERE s.leaves_at IS NOT NULL;

	-- At night what was resolved a week ago is closed, what is late is announced, and the log is sealed
	INSERT INTO pg_temp.event (at, actor_id, act)
	SELECT g.day + interval '2 hours 10 minutes', b.id, 'night'
	FROM generate_series((plan.today - 182)::timestamptz, plan.today::timestamptz, '1 day') AS g (day)
	CROSS JOIN (SELECT u.id FROM support.users AS u WHERE u.role = 'bot') AS b;

	RAISE NOTICE '% tickets with % events are planned', plan.tickets, (SELECT count(*) FROM pg_temp.event);
END
$$;
