-- Who takes part: organizations and their people, teams and their agents. They are there before the first ticket.

CREATE TEMP TABLE staff
(
	user_id bigint PRIMARY KEY,
	full_name text,
	team text,
	share real,				-- of the team's new tickets
	pace real,				-- how long an agent takes, compared with others
	leaves_at timestamptz,
	successor_id bigint
);

CREATE TEMP TABLE customer
(
	n integer GENERATED ALWAYS AS IDENTITY,
	user_id bigint,
	full_name text,
	organization_id bigint,
	organization text
);

DO $$
DECLARE
	today date := (SELECT p.today FROM pg_temp.plan AS p);
	team text;
	agent record;
BEGIN
	PERFORM set_config('support_ext.now', (today - 200 + time '08:00')::text, false);
	PERFORM support.set_actor(support.create_user('tomasz.zielinski@rookery.example', 'Tomasz Zieliński', 'admin'));
	FOREACH team IN ARRAY ARRAY['Accounts', 'Billing', 'Documents', 'Printing'] LOOP
		PERFORM support.create_team(team);
	END LOOP;

	FOR agent IN
		SELECT a.team, a.role, a.full_name, a.share, a.pace, a.leaves_on
		FROM
			(
				VALUES
					(1, 'Documents', 'team_lead', 'Marta Lindqvist', 0.4, 0.8, NULL::date),
					(2, 'Documents', 'agent', 'Aisha Rahman', 1.5, 0.7, NULL),
					(3, 'Documents', 'agent', 'Ben Carter', 1.0, 1.3, today - 38),
					(4, 'Documents', 'agent', 'Chloé Martin', 1.1, 1.0, NULL),
					(5, 'Printing', 'agent', 'Diego Herrera', 1.4, 0.9, NULL),
					(6, 'Printing', 'agent', 'Emeka Okafor', 1.2, 0.8, NULL),
					(7, 'Printing', 'agent', 'Freya Olsen', 0.7, 1.5, NULL),
					(8, 'Accounts', 'agent', 'Hana Sato', 1.6, 0.6, NULL),
					(9, 'Accounts', 'agent', 'Ivan Petrov', 1.0, 1.2, NULL),
					(10, 'Billing', 'agent', 'Jonas Weber', 1.2, 1.0, NULL),
					(11, 'Billing', 'agent', 'Keira Walsh', 0.6, 1.4, NULL)
			) AS a (n, team, role, full_name, share, pace, leaves_on)
		ORDER BY a.n
	LOOP
		INSERT INTO pg_temp.staff (user_id, full_name, team, share, pace, leaves_at)
		VALUES
		(
			support.create_user(pg_temp.mail_name(agent.full_name) || '@rookery.example', agent.full_name, agent.role),
			agent.full_name, agent.team, agent.share, agent.pace, agent.leaves_on + time '18:30'
		);
	END LOOP;
	INSERT INTO pg_temp.staff (user_id, full_name, team, share, pace)
	SELECT u.id, u.full_name, 'Accounts', 0.3, 1.1
	FROM support.users AS u
	WHERE u.role = 'admin';
	UPDATE pg_temp.staff AS s
	SET successor_id = (SELECT o.user_id FROM pg_temp.staff AS o WHERE o.full_name = 'Chloé Martin')
	WHERE s.leaves_at IS NOT NULL;

	PERFORM support.add_team_member(t.id, s.user_id, (20 * s.share)::integer)
	FROM pg_temp.staff AS s
	JOIN support.teams AS t ON t.name = s.team
	ORDER BY s.user_id;
	-- Two who stand beside the desk: the product people's contact, who writes notes, and the mail gateway
	PERFORM support.create_user('priya.nair@rookery.example', 'Priya Nair', 'light_agent');
	PERFORM support.create_user('bot@rookery.example', 'Rookery Bot', 'bot');
END
$$;

-- The customers come from another system, with its keys
INSERT INTO support.organizations (name, external_id)
SELECT o.name, 'CRM-' || 1000 + o.n
FROM unnest(ARRAY[
	'Aldgate Architects', 'Amberley Foods', 'Barrow & Pike Solicitors', 'Beacon Hill Clinic', 'Bluestone Quarries',
	'Bramble Publishing', 'Calloway Freight', 'Cedar Lane Schools', 'Clearwater Dental', 'Copperfield Tools',
	'Corvid Analytics', 'Danehill Housing', 'Dovecote Hotels', 'Eastmoor Council', 'Elmgrove Vets',
	'Fairwind Sailing', 'Fenwick Joinery', 'Foxglove Pharmacy', 'Glasshouse Gardens', 'Greyfriars Trust',
	'Halcyon Travel', 'Hawthorn Logistics', 'Highfield Surveyors', 'Ironbridge Castings', 'Juniper Textiles',
	'Kingsmead Theatre', 'Larkfield Farms', 'Limetree Insurance', 'Marlow Instruments', 'Millrace Brewery',
	'Northgate Radiology', 'Oakhurst Motors', 'Pemberton Press', 'Quayside Catering', 'Redwood Energy',
	'Saltmarsh Studios', 'Thistle Engineering', 'Underhill Museums', 'Westbrook Notaries', 'Yarrow Software'
]) WITH ORDINALITY AS o (name, n)
ORDER BY o.n;

DO $$
DECLARE
	first_names text[] := string_to_array('Alice Bruno Carla Daniel Elena Farid Grace Henrik Ines Joseph Katrin Liam '
		'Mónica Nadia Oscar Paula Quentin Rosa Samir Tanja Ulrich Vera Walter Xenia Yusuf Zoë '
		'Adam Brigitte Conor Dana', ' ');
	last_names text[] := string_to_array('Adler Baker Costa Dubois Eriksen Ferrari Garcia Hughes Ivanova Jansen Kaya '
		'Larsen Meyer Novak Ortega Peters Quinn Rossi Schmidt Turner Ueda Varga Wagner Young Zhang Abbott Bianchi '
		'Cooper Dahl Evans Fischer Gruber Hoffmann Iqbal Jensen Kowalski Lefèvre Murphy Nielsen Oliveira', ' ');
	organization support.organizations;
	full_name text;
	domain text;
	drawn integer;
BEGIN
	PERFORM pg_temp.draw_from_seed(1);
	FOR i IN 0 .. 299 LOOP
		full_name := first_names[1 + i % 30] || ' ' || last_names[1 + (11 * (i / 30) + 7 * i) % 40];
		-- Each organization has somebody, some have many, and a few people have none
		drawn := CASE
			WHEN i < 40 THEN 1 + i
			WHEN i % 20 = 19 THEN 0
			ELSE 1 + floor(40 * random() ^ 1.5)::integer END;
		SELECT * INTO organization FROM support.organizations AS o WHERE o.external_id = 'CRM-' || 1000 + drawn;
		domain := coalesce(replace(pg_temp.mail_name(organization.name), '.', '-'), 'mail') || '.example';
		INSERT INTO support.users (email, full_name, organization_id, external_id, time_zone)
		VALUES
		(
			pg_temp.mail_name(full_name) || '@' || domain, full_name, organization.id, 'CRM-' || 2000 + i,
			'Europe/London'
		);
	END LOOP;
END
$$;

INSERT INTO pg_temp.customer (user_id, full_name, organization_id, organization)
SELECT u.id, u.full_name, u.organization_id, coalesce(o.name, 'our firm')
FROM support.users AS u
LEFT JOIN support.organizations AS o ON o.id = u.organization_id
WHERE u.role = 'customer'
ORDER BY u.id;
