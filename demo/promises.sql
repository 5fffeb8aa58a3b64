-- What customers are promised: two calendars, in two zones, and a policy for each kind of contract. They are there before
-- the first ticket, so that every ticket has its clocks.

CREATE TEMP TABLE contract AS
SELECT
	o.id AS organization_id,
	CASE
		WHEN k.n % 8 = 3 THEN 'gold'
		WHEN k.n % 4 = 1 THEN 'business'
		WHEN k.n % 4 = 2 THEN 'overseas'
	END AS plan
FROM support.organizations AS o
CROSS JOIN LATERAL (SELECT split_part(o.external_id, '-', 2)::integer - 1000 AS n) AS k;

UPDATE support.users AS u
SET time_zone = 'America/New_York'
FROM pg_temp.contract AS c
WHERE c.organization_id = u.organization_id AND c.plan = 'overseas';

DO $$
BEGIN
	PERFORM support.create_calendar('London', 'Europe/London', '{"mon-fri": "08:00-18:00"}',
		'["01-01", "12-25", "12-26", {"day": "12-24", "closed": "13:00-24:00", "name": "Christmas Eve"}]');
	PERFORM support.create_calendar('New York', 'America/New_York', '{"mon-thu": "08:00-18:00", "fri": "08:00-16:00"}',
		'["01-01", "07-04", "12-25", {"day": "12-24", "closed": "12:00-24:00", "name": "Christmas Eve"}]');

	PERFORM support.create_sla_policy('Gold', '[
		{"metric": "first_reply", "target": "1 hour", "priority": "urgent"},
		{"metric": "first_reply", "target": "9 hours", "calendar": "London"},
		{"metric": "next_reply", "target": "8 hours", "calendar": "London"},
		{"metric": "requester_wait", "target": "4 days", "calendar": "London"}]',
		'{"custom": {"plan": "gold"}}');
	PERFORM support.create_sla_policy('Business', '[
		{"metric": "first_reply", "target": "10 hours", "calendar": "London"},
		{"metric": "requester_wait", "target": "6 days", "calendar": "London"}]',
		'{"custom": {"plan": "business"}}');
	PERFORM support.create_sla_policy('Business overseas', '[
		{"metric": "first_reply", "target": "10 hours", "calendar": "New York"},
		{"metric": "requester_wait", "target": "6 days", "calendar": "New York"}]',
		'{"custom": {"plan": "overseas"}}');
	PERFORM support.create_sla_policy('Everybody', '[
		{"metric": "first_reply", "target": "2 days", "calendar": "London"},
		{"metric": "first_reply", "target": "10 hours", "calendar": "London", "priority": "urgent"}]');
END
$$;
