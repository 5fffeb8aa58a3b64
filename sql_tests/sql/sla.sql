-- Clocks: what tickets are promised, how much of it is used, and what the ledger says of it.
CREATE DATABASE regress_sla;
\c regress_sla
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 08:00+01';
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('bob@desk.example', 'Bob Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer'),
	('lin@desk.example', 'Lin Light', 'light_agent'),
	('robo@desk.example', 'Robo', 'bot');
SELECT support.set_actor(1);
INSERT INTO support.organizations (name) VALUES ('Corp');
SELECT support.create_team('Printers') AS printers, support.create_team('Screens') AS screens \gset
SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}');
SELECT support.create_calendar('night', 'Europe/Berlin', '{"sun": "01:00-05:00"}');
SELECT support.create_calendar('lunch', 'Europe/Berlin', '{"mon-fri": ["09:00-12:00", "13:00-17:00"]}');

-- The clocks of a ticket, and what happened to them.
CREATE FUNCTION short(at timestamptz) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT to_char(at, CASE WHEN extract(second FROM at) = 0 THEN 'Dy DD HH24:MI' ELSE 'Dy DD HH24:MI:SS.FF6' END) $$;
CREATE FUNCTION clocks(ticket bigint)
RETURNS TABLE (metric text, instance integer, state text, consumed interval, due text, breached text, reason text)
LANGUAGE sql STABLE AS
$$
	SELECT metric, instance, state, consumed, short(due_at), short(breached_at), coalesce(breach_reason, cancel_reason)
	FROM support.sla_clocks WHERE ticket_id = ticket ORDER BY id
$$;
CREATE FUNCTION ledger(ticket bigint)
RETURNS TABLE (metric text, kind text, occurred text, consumed interval, reason text, percent integer, due text)
LANGUAGE sql STABLE AS
$$
	SELECT c.metric, e.kind, short(e.occurred_at), e.consumed, e.reason, e.percent, short(e.due_at)
	FROM support.sla_events AS e JOIN support.sla_clocks AS c ON c.ticket_id = e.ticket_id AND c.id = e.clock_id
	WHERE e.ticket_id = ticket ORDER BY e.id
$$;

-- Without a policy nothing is promised, and nothing is written.
SELECT support.create_ticket('Printer on fire', creator_id => 3) AS t \gset
SELECT support.add_comment(:t, 'Which one?') \g /dev/null
SELECT support.set_status(:t, 'resolved') \g /dev/null
SELECT support.sla_tick();
SELECT count(*) FROM support.sla_clocks;
SELECT count(*) FROM support.sla_events;

-- Promises by the channel of a ticket: one for each kind of story below.
SELECT support.create_sla_policy('first reply', '[{"metric": "first_reply", "target": "1 hour", "calendar": "office"}]',
	'{"channel": "email"}');
SELECT support.create_sla_policy('next reply',
	'[{"metric": "next_reply", "target": "1 hour", "calendar": "office", "warn": []}]', '{"channel": "chat"}');
SELECT support.create_sla_policy('wait', '[
	{"metric": "requester_wait", "target": "8 hours", "calendar": "office", "warn": []},
	{"metric": "requester_wait", "target": "4 hours", "calendar": "office", "warn": [], "priority": "high"},
	{"metric": "requester_wait", "target": "2 hours", "calendar": "office", "warn": [], "priority": "urgent"}]',
	'{"channel": "phone"}');
SELECT support.create_sla_policy('round the clock', '[{"metric": "first_reply", "target": "4 hours", "warn": [50]}]',
	'{"channel": "web"}');
SELECT support.create_sla_policy('night shift',
	'[{"metric": "first_reply", "target": "8 hours", "calendar": "night", "warn": []}]', '{"channel": "night"}');
SELECT support.create_sla_policy('with a break',
	'[{"metric": "first_reply", "target": "1 hour", "calendar": "lunch", "warn": []}]', '{"channel": "lunch"}');

-- 1: an hour that begins on Friday at half past four is over on Monday at half past nine.
SET support_ext.now = '2026-03-06 16:30+01';
SELECT support.create_ticket('Screen black', creator_id => 3, channel => 'email') AS t \gset
SELECT * FROM clocks(:t);

-- 2: nobody works on Saturday.
SET support_ext.now = '2026-03-07 12:00+01';
SELECT support.create_ticket('Screen white', creator_id => 3, channel => 'email') AS t \gset
SELECT * FROM clocks(:t);

-- 3: a pause over night takes no time away.
SET support_ext.now = '2026-03-04 13:00+01';
SELECT support.create_ticket('Mouse gone', creator_id => 3, channel => 'phone') AS t \gset
SELECT due FROM clocks(:t);
SET support_ext.now = '2026-03-04 17:00+01';
SELECT support.set_status(:t, 'pending') \g /dev/null
SELECT state, consumed, due FROM clocks(:t);
SET support_ext.now = '2026-03-05 09:00+01';
SELECT support.set_status(:t, 'open') \g /dev/null
SELECT state, consumed, due FROM clocks(:t);

-- 4: one that lasts from ten to three on a working day does.
SET support_ext.now = '2026-03-04 09:00+01';
SELECT support.create_ticket('Mouse found', creator_id => 3, channel => 'phone') AS t \gset
SET support_ext.now = '2026-03-04 10:00+01';
SELECT support.set_status(:t, 'pending') \g /dev/null
SET support_ext.now = '2026-03-04 15:00+01';
SELECT support.set_status(:t, 'in_progress') \g /dev/null
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);

-- 5: two pauses within a minute, of 20 and of 30 seconds.
SET support_ext.now = '2026-03-09 10:00+01';
SELECT support.create_ticket('Keys stick', creator_id => 3, channel => 'phone') AS t \gset
SET support_ext.now = '2026-03-09 10:10+01';
SELECT support.set_status(:t, 'pending') \g /dev/null
SET support_ext.now = '2026-03-09 10:10:20+01';
SELECT support.set_status(:t, 'open') \g /dev/null
SET support_ext.now = '2026-03-09 10:10:25+01';
SELECT support.set_status(:t, 'pending') \g /dev/null
SET support_ext.now = '2026-03-09 10:10:55+01';
SELECT support.set_status(:t, 'open') \g /dev/null
SELECT state, consumed, due FROM clocks(:t);

-- 6: three hours are used when the promise becomes two hours: broken at that moment. Of four hours one is left.
SET support_ext.now = '2026-03-09 09:00+01';
SELECT support.create_ticket('Fire', creator_id => 3, channel => 'phone') AS urgent,
	support.create_ticket('Smoke', creator_id => 3, channel => 'phone') AS high \gset
SET support_ext.now = '2026-03-09 12:00+01';
SELECT support.set_priority(:urgent, 'urgent') \g /dev/null
SELECT support.set_priority(:high, 'high') \g /dev/null
SELECT * FROM clocks(:urgent);
SELECT * FROM clocks(:high);
-- Back to eight hours, the promise is not broken any more; the ledger keeps both.
SET support_ext.now = '2026-03-09 12:30+01';
SELECT support.set_priority(:urgent, NULL) \g /dev/null
SELECT * FROM clocks(:urgent);
SELECT * FROM ledger(:urgent);

-- 7: the same while it stands still.
SET support_ext.now = '2026-03-09 09:00+01';
SELECT support.create_ticket('Water', creator_id => 3, channel => 'phone') AS t \gset
SET support_ext.now = '2026-03-09 12:00+01';
SELECT support.set_status(:t, 'pending') \g /dev/null
SET support_ext.now = '2026-03-09 12:30+01';
SELECT support.set_priority(:t, 'high') \g /dev/null
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-03-09 14:00+01';
SELECT support.set_status(:t, 'open') \g /dev/null
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);

-- 8: a customer who writes three times waits for one reply, from the first time on.
SET support_ext.now = '2026-03-09 09:00+01';
SELECT support.create_ticket('Paper jam', creator_id => 3, channel => 'chat') AS t \gset
SET support_ext.now = '2026-03-09 09:30+01';
SELECT support.add_comment(:t, 'Which tray?') \g /dev/null
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-03-09 10:00+01';
SELECT support.add_comment(:t, 'The upper one', actor_id => 3) \g /dev/null
SET support_ext.now = '2026-03-09 10:20+01';
SELECT support.add_comment(:t, 'Hello?', actor_id => 3) \g /dev/null
SET support_ext.now = '2026-03-09 11:00+01';
SELECT support.add_comment(:t, 'Anybody?', actor_id => 3) \g /dev/null
SET support_ext.now = '2026-03-09 11:30+01';
SELECT support.add_comment(:t, 'Pull it out') \g /dev/null
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);

-- 9: who says thanks waits for nothing more once the ticket is solved.
SET support_ext.now = '2026-03-10 10:00+01';
SELECT support.add_comment(:t, 'Thanks', actor_id => 3) \g /dev/null
SET support_ext.now = '2026-03-10 10:05+01';
SELECT support.set_status(:t, 'resolved') \g /dev/null
SET support_ext.now = '2026-03-10 12:00+01';
SELECT support.sla_tick() > 0 AS of_others;
SELECT * FROM clocks(:t) WHERE instance = 2;

-- 10: due at ten, replied to a minute later. Broken once, at ten, whenever somebody looked.
SET support_ext.now = '2026-03-10 09:00+01';
SELECT support.create_ticket('No network', creator_id => 3, channel => 'email') AS t \gset
SET support_ext.now = '2026-03-10 09:59+01';
SELECT support.sla_tick();
SET support_ext.now = '2026-03-10 10:01+01';
SELECT support.add_comment(:t, 'Try again') \g /dev/null
SET support_ext.now = '2026-03-10 10:04+01';
SELECT support.sla_tick();
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);
-- A reply at the very instant is in time, and a microsecond later it is not.
SET support_ext.now = '2026-03-11 09:00+01';
SELECT support.create_ticket('In time', creator_id => 3, channel => 'email') AS in_time,
	support.create_ticket('Too late', creator_id => 3, channel => 'email') AS late \gset
SET support_ext.now = '2026-03-11 10:00+01';
SELECT support.sla_tick();
SELECT support.add_comment(:in_time, 'Yes') \g /dev/null
SET support_ext.now = '2026-03-11 10:00:00.000001+01';
SELECT support.add_comment(:late, 'Sorry') \g /dev/null
SELECT * FROM clocks(:in_time);
SELECT * FROM clocks(:late);

-- 11: a reply that leaves the ticket pending is a reply.
SELECT support.create_sla_policy('reply and wait', '[{"metric": "first_reply", "target": "01:00", "calendar_id": 1},
	{"metric": "requester_wait", "target": "08:00", "calendar_id": 1}]', '{"channel": "desk"}') AS both \gset
SET support_ext.now = '2026-03-11 09:00+01';
SELECT support.create_ticket('Update', creator_id => 3, channel => 'desk') AS t \gset
SET support_ext.now = '2026-03-11 09:10+01';
SELECT support.add_comment(:t, 'Which one?', status => 'pending') \g /dev/null
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);

-- 12: four days between a solution and its end are nobody's work.
SET support_ext.now = '2026-03-12 09:00+01';
SELECT support.create_ticket('Slow', creator_id => 3, channel => 'phone') AS t \gset
SET support_ext.now = '2026-03-12 12:00+01';
SELECT support.set_status(:t, 'resolved') \g /dev/null
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-03-16 10:00+01';
SELECT support.add_comment(:t, 'Slow again', actor_id => 3) \g /dev/null
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-03-16 11:00+01';
SELECT support.set_status(:t, 'resolved') \g /dev/null
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);
SELECT solved_at - created_at AS full_resolution FROM support.tickets WHERE id = :t;

-- 13: notes, light agents and bots reply to nobody.
SET support_ext.now = '2026-03-12 09:00+01';
SELECT support.create_ticket('Still there?', creator_id => 3, channel => 'email') AS t \gset
SET support_ext.now = '2026-03-12 09:10+01';
SELECT support.add_comment(:t, 'A difficult one', is_private => true) \g /dev/null
SELECT support.add_comment(:t, 'I know them', is_private => true, author_id => 4) \g /dev/null
SELECT support.add_comment(:t, 'We have received your mail', author_id => 5) \g /dev/null
SELECT support.add_comment(:t, 'We are out of the office', via => 'auto') \g /dev/null
SELECT * FROM clocks(:t);

-- 14: what an agent writes when opening a ticket is no reply to it.
SET support_ext.now = '2026-03-12 09:00+01';
SELECT support.create_ticket('For Carl', 'He called: no sound', 1, requester_id => 3, channel => 'web') AS t \gset
SET support_ext.now = '2026-03-12 11:00+01';
SELECT support.add_comment(:t, 'It was muted') \g /dev/null
SELECT * FROM clocks(:t);

-- 15: round the clock, when the clock is put forward and back.
SET support_ext.now = '2026-03-29 01:00+01';
SELECT support.create_ticket('Spring', creator_id => 3, channel => 'web') AS t \gset
SELECT due FROM clocks(:t);
SET support_ext.now = '2026-10-25 01:00+02';
SELECT support.create_ticket('Autumn', creator_id => 3, channel => 'web') AS t \gset
SELECT due FROM clocks(:t);

-- 16: a shift from one to five, in the night that has no hour from two to three.
SET support_ext.now = '2026-03-29 00:00+01';
SELECT support.create_ticket('Night', creator_id => 3, channel => 'night') AS t \gset
SET support_ext.now = '2026-03-30 00:00+02';
SELECT support.add_comment(:t, 'Good morning') \g /dev/null
SELECT state, consumed FROM clocks(:t);

-- 17: lunch.
SET support_ext.now = '2026-03-12 11:30+01';
SELECT support.create_ticket('Hungry', creator_id => 3, channel => 'lunch') AS t \gset
SELECT due FROM clocks(:t);

-- 20: who ends a policy, ends its clocks. No warnings follow.
SET support_ext.now = '2026-03-12 09:00+01';
SELECT support.create_ticket('Forgotten', creator_id => 3, channel => 'desk') AS t \gset
SET support_ext.now = '2026-03-12 09:20+01';
SELECT support.update_sla_policy(:both, is_active => false) AS version;
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-03-13 09:00+01';
SELECT support.sla_tick() > 0 AS of_others;
SELECT * FROM ledger(:t);
-- Nothing is promised to whom comes later.
SELECT support.create_ticket('Nobody', creator_id => 3, channel => 'desk') AS t \gset
SELECT count(*) FROM clocks(:t);

-- All metrics at once, of a team's ticket. The rest of the file is about this policy; nothing else holds any more.
SET support_ext.now = '2026-04-01 08:00+02';
UPDATE support.sla_policies SET is_active = false;
SELECT support.create_sla_policy('all', '[
	{"metric": "first_reply", "target": "4 hours", "warn": [50]},
	{"metric": "first_reply", "target": "2 hours", "warn": [50], "priority": "urgent"},
	{"metric": "next_reply", "target": "4 hours", "warn": [50]},
	{"metric": "periodic_update", "target": "24 hours", "warn": [50]},
	{"metric": "requester_wait", "target": "24 hours", "warn": [50]},
	{"metric": "agent_work", "target": "24 hours", "warn": [50]},
	{"metric": "resolution", "target": "24 hours", "warn": [50]},
	{"metric": "ownership", "target": "8 hours", "warn": [50]}]', '{"channel": ["email", "phone"]}') AS "all" \gset
SET support_ext.now = '2026-04-01 09:00+02';
SELECT support.create_ticket('Printer again', creator_id => 3, channel => 'email', team_id => :printers, assignee_id => 1) AS t \gset
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-04-01 10:00+02';
SELECT support.add_comment(:t, 'On hold', status => 'on_hold') \g /dev/null
SELECT * FROM clocks(:t);
SET support_ext.now = '2026-04-01 11:00+02';
SELECT support.add_comment(:t, 'Not at all', actor_id => 3) \g /dev/null
SET support_ext.now = '2026-04-01 12:00+02';
SELECT support.add_comment(:t, 'Sorry', status => 'resolved') \g /dev/null
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);

-- What was kept is put down to those who had it then.
SELECT metric, decided_team_id, decided_assignee_id, short(decided_at) AS decided
FROM support.sla_clocks WHERE ticket_id = :t ORDER BY id;

-- Reopened: the work goes on where it was, and so does the update that is owed; first_reply is not owed again. A team
-- that has it, has it anew.
SET support_ext.now = '2026-04-02 09:00+02';
SELECT support.set_status(:t, 'pending') \g /dev/null
SELECT metric, instance, state, consumed, due FROM clocks(:t) WHERE state IN ('running', 'paused');
SELECT metric, decided_team_id, decided_at FROM support.sla_clocks WHERE ticket_id = :t AND metric = 'resolution';
SELECT * FROM ledger(:t) WHERE occurred LIKE '%02 09:00';
SET support_ext.now = '2026-04-02 10:00+02';
SELECT support.set_status(:t, 'resolved') \g /dev/null

-- Answered, solved and reopened by an agent: an update is owed still, and what was used of it before stays used.
SET support_ext.now = '2026-04-02 10:00+02';
SELECT support.create_ticket('Reopened', creator_id => 3, channel => 'email') AS t \gset
SELECT support.add_comment(:t, 'Turn it off') \g /dev/null
SET support_ext.now = '2026-04-02 12:00+02';
SELECT support.set_status(:t, 'resolved') \g /dev/null
SET support_ext.now = '2026-04-03 09:00+02';
SELECT support.set_status(:t, 'open') \g /dev/null
SELECT instance, state, consumed, due, reason FROM clocks(:t) WHERE metric = 'periodic_update';
SET support_ext.now = '2026-04-03 10:00+02';
SELECT short(from_at) AS "from", short(to_at) AS "to", status, total, why FROM support.sla_explain(:t, 'periodic_update');
-- Lost, it is found again.
UPDATE support.sla_clocks SET state = 'cancelled', ended_at = checkpoint_at, cancel_reason = 'solved'
WHERE ticket_id = :t AND metric = 'periodic_update';
SELECT support.sla_reapply(:all) > 0 AS turned;
SELECT instance, state, consumed, due, reason FROM clocks(:t) WHERE metric = 'periodic_update';
SELECT short(from_at) AS "from", short(to_at) AS "to", status, total, why FROM support.sla_explain(:t, 'periodic_update');
-- An update that is given while the ticket is solved is one: the next is owed from the reopening on.
SELECT support.set_status(:t, 'resolved') \g /dev/null
SET support_ext.now = '2026-04-03 11:00+02';
SELECT support.add_comment(:t, 'And on again') \g /dev/null
SET support_ext.now = '2026-04-03 12:00+02';
SELECT support.set_status(:t, 'open') \g /dev/null
SELECT instance, state, consumed, due, reason FROM clocks(:t) WHERE metric = 'periodic_update';

-- Solved without a reply, and reopened by the customer, who waits for the next one, the solution being the first.
SET support_ext.now = '2026-04-02 10:00+02';
SELECT support.create_ticket('Solved in silence', creator_id => 3, channel => 'email') AS silent,
	support.create_ticket('By an agent', creator_id => 1, channel => 'email') AS ours \gset
SET support_ext.now = '2026-04-02 11:00+02';
SELECT support.set_status(id, 'resolved') FROM support.tickets WHERE id IN (:silent, :ours) \g /dev/null
SET support_ext.now = '2026-04-02 12:00+02';
SELECT support.add_comment(:silent, 'It is not', author_id => 3, actor_id => 3) \g /dev/null
SELECT metric, instance, state, consumed, due FROM clocks(:silent) WHERE metric LIKE '%reply';
-- Reopened by an agent first, nobody waits until the customer writes.
SELECT support.set_status(:ours, 'open') \g /dev/null
SELECT metric, instance, state, consumed, due FROM clocks(:ours) WHERE metric LIKE '%reply';
SET support_ext.now = '2026-04-02 13:00+02';
SELECT support.add_comment(:ours, 'Is anybody there?', author_id => 3, actor_id => 3) \g /dev/null
SELECT metric, instance, state, consumed, due FROM clocks(:ours) WHERE metric LIKE '%reply';
SET support_ext.now = '2026-04-02 13:30+02';
SELECT support.add_comment(id, 'Yes', author_id => 2, actor_id => 2) FROM support.tickets WHERE id IN (:silent, :ours) \g /dev/null
SELECT ticket_id - :silent AS n, metric, instance, state, consumed FROM support.sla_clocks
WHERE ticket_id IN (:silent, :ours) AND metric LIKE '%reply' ORDER BY ticket_id, id;
-- The same to who asks what would have been.
SELECT metric, tickets, achieved, breached FROM support.sla_simulate('{"targets": [
	{"metric": "first_reply", "target": "4 hours"}, {"metric": "next_reply", "target": "1 hour"}]}',
	'2026-04-02 10:00+02', '2026-04-02 10:00:00.000001+02');
-- Where nobody promised a first reply, the solution is one too, also to a policy that comes later.
SELECT metric, tickets, achieved, breached FROM support.sla_simulate('{"targets": [{"metric": "next_reply", "target": "1 hour"}]}',
	'2026-04-02 10:00+02', '2026-04-02 10:00:00.000001+02');
SET support_ext.now = '2026-04-03 09:00+02';
SELECT support.create_ticket('Of another channel', creator_id => 3, channel => 'desk') AS late,
	support.create_ticket('Of another, and not solved', creator_id => 3, channel => 'desk') AS unsolved \gset
SELECT support.set_status(:late, 'resolved') \g /dev/null
SET support_ext.now = '2026-04-03 10:00+02';
SELECT support.add_comment(id, 'Hello?', author_id => 3, actor_id => 3) FROM support.tickets WHERE id IN (:late, :unsolved) \g /dev/null
SET support_ext.now = '2026-04-03 11:00+02';
SELECT support.create_sla_policy('next', '[{"metric": "next_reply", "target": "4 hours"}]', '{"channel": "desk"}') AS next \gset
SELECT support.sla_reapply(:next) AS turned;
SELECT ticket_id - :late AS n, metric, instance, state, consumed FROM support.sla_clocks WHERE ticket_id IN (:late, :unsolved);
SELECT support.update_sla_policy(:next, is_active => false) \g /dev/null
DELETE FROM support.tickets WHERE id IN (:t, :silent, :ours, :late, :unsolved);

-- Due while Ann has it, announced when Bob does: the breach is hers, and her team's.
SET support_ext.now = '2026-04-03 09:00+02';
SELECT support.create_ticket('Hot potato', creator_id => 3, channel => 'phone', team_id => :printers, assignee_id => 1) AS t \gset
SET support_ext.now = '2026-04-03 13:30+02';
SELECT support.assign_ticket(:t, 2, :screens) \g /dev/null
SET support_ext.now = '2026-04-03 14:00+02';
SELECT support.sla_tick();
SELECT metric, kind, short(occurred_at) AS occurred, to_char(recorded_at, 'HH24:MI') AS recorded, e.team_id, e.assignee_id
FROM support.sla_events AS e JOIN support.sla_clocks AS c ON c.ticket_id = e.ticket_id AND c.id = e.clock_id
WHERE e.ticket_id = :t AND kind IN ('warn', 'breach') ORDER BY e.id;
SELECT metric, decided_team_id, decided_assignee_id FROM support.sla_clocks WHERE ticket_id = :t AND breached_at IS NOT NULL;
SELECT metric, instance, state, consumed, due FROM clocks(:t) WHERE metric = 'ownership';
-- At the very instant it changes hands: nothing was late yet.
SET support_ext.now = '2026-04-03 09:00+02';
SELECT support.create_ticket('Cold potato', creator_id => 3, channel => 'phone', assignee_id => 1) AS t \gset
SET support_ext.now = '2026-04-03 13:00+02';
SELECT support.assign_ticket(:t, 2) \g /dev/null
SET support_ext.now = '2026-04-03 13:01+02';
SELECT support.add_comment(:t, 'Sorry', author_id => 2) \g /dev/null
SELECT metric, breached_at = due_at AS when_due, decided_assignee_id FROM support.sla_clocks
WHERE ticket_id = :t AND breached_at IS NOT NULL;
DELETE FROM support.tickets WHERE title LIKE '%potato';

-- Deleted, nothing is owed, and brought back, the rest of it. Marked or removed makes no difference.
SET support_ext.now = '2026-04-06 09:00+02';
SELECT support.create_ticket('Marked', creator_id => 3, channel => 'email') AS marked,
	support.create_ticket('Removed', creator_id => 3, channel => 'email') AS removed,
	support.create_ticket('Purged', creator_id => 3, channel => 'email') AS purged \gset
SET support_ext.now = '2026-04-06 10:00+02';
SELECT support.delete_ticket(:marked) \g /dev/null
DELETE FROM support.tickets WHERE id IN (:removed, :purged);
SELECT * FROM clocks(:marked) WHERE metric IN ('first_reply', 'resolution');
SELECT * FROM clocks(:removed) WHERE metric IN ('first_reply', 'resolution');
SET support_ext.now = '2026-04-07 09:00+02';
SELECT support.sla_tick();
SELECT support.restore_ticket(:marked) \g /dev/null
SELECT support.restore_ticket(:removed) \g /dev/null
SELECT * FROM clocks(:marked);
SELECT * FROM clocks(:removed);
SELECT * FROM ledger(:removed) WHERE metric = 'first_reply';
-- Purged, nothing is left of it.
SELECT count(*) > 0 AS there FROM support.sla_events WHERE ticket_id = :purged;
SET support_ext.now = '2026-08-01 09:00+02';
SELECT support.purge_deleted() > 0 AS purged;
SELECT count(*) FROM support.sla_clocks WHERE ticket_id = :purged;
SELECT count(*) FROM support.sla_events WHERE ticket_id = :purged;
SELECT support.delete_ticket(id) FROM support.tickets WHERE status <> 'resolved' AND deleted_at IS NULL \g /dev/null
SELECT count(*) FROM support.sla_clocks WHERE wake_at IS NOT NULL;

-- Every road leads there: plain SQL and COPY. Solved, closed and deleted tickets are promised nothing, and what an
-- import says was replied to, was.
SET support_ext.now = '2026-08-03 09:00+02';
INSERT INTO support.tickets (id, title, description, creator_id, channel) VALUES (7001, 'By hand', '', 3, 'email');
COPY support.tickets (id, title, description, creator_id, channel, status, created_at, first_replied_at, last_agent_at, reply_count, deleted_at) FROM stdin;
7002	Copied		3	email	open	2026-08-03 06:00+02	\N	\N	0	\N
7003	Answered		3	email	open	2026-08-03 06:00+02	2026-08-03 07:00+02	2026-08-03 07:00+02	1	\N
7004	Late		3	email	open	2026-08-03 02:00+02	2026-08-03 07:00+02	2026-08-03 07:00+02	1	\N
7005	Solved		3	email	resolved	2026-08-03 06:00+02	\N	\N	0	\N
7006	Gone		3	email	open	2026-08-03 06:00+02	\N	\N	0	2026-08-03 08:00+02
\.
SELECT t.title, c.metric, c.state, c.consumed, short(c.started_at) AS started, short(c.due_at) AS due, short(c.breached_at) AS breached
FROM support.tickets AS t JOIN support.sla_clocks AS c ON c.ticket_id = t.id
WHERE t.id > 7000 AND c.metric IN ('first_reply', 'next_reply', 'periodic_update') ORDER BY t.id, c.id;
SELECT title FROM support.tickets AS t WHERE id > 7000 AND NOT EXISTS (SELECT FROM support.sla_clocks WHERE ticket_id = t.id);
SET support_ext.now = '2026-08-03 10:00+02';
COPY support.comments (ticket_id, author_id, content) FROM stdin;
7001	3	Hello?
7001	1	Copied
7001	3	Thanks
\.
UPDATE support.tickets SET status = 'pending', priority = 'urgent' WHERE id IN (7001, 7002);
SELECT * FROM clocks(7001);
SELECT * FROM clocks(7002);
SET support_ext.now = '2026-08-03 10:30+02';
UPDATE support.tickets SET status = 'closed' WHERE id > 7000 AND solved_at IS NULL;
SELECT metric, instance, state, consumed, due, breached, reason FROM clocks(7001);
SELECT count(*) FROM support.sla_clocks WHERE wake_at IS NOT NULL;
DELETE FROM support.tickets WHERE id > 7000;

-- What is rolled back has not happened to the clocks either.
SET support_ext.now = '2026-08-04 09:00+02';
SELECT support.create_ticket('Undecided', creator_id => 3, channel => 'email') AS t \gset
BEGIN;
SET LOCAL support_ext.now = '2026-08-04 15:00+02';
SELECT support.set_status(:t, 'pending') \g /dev/null
SAVEPOINT here;
SELECT support.add_comment(:t, 'Done', status => 'resolved') \g /dev/null
SELECT metric, state FROM clocks(:t);
ROLLBACK TO here;
SELECT metric, state, breached FROM clocks(:t);
ROLLBACK;
SELECT metric, state, consumed, breached FROM clocks(:t);
SELECT count(*) FILTER (WHERE kind <> 'activate') AS others FROM ledger(:t);

-- Another policy for some: by priority, team, organization, tags or a field of the application. What was used stays.
SELECT support.create_sla_policy(key, '[{"metric": "first_reply", "target": "20 hours"}]', conditions, 1)
FROM (VALUES
	('priority', '{"priority": ["high", "low"]}'::jsonb),
	('team', jsonb_build_object('team_id', :screens)),
	('organization', '{"organization_id": 1}'),
	('tags', '{"tags": "VIP"}'),
	('custom', '{"custom": {"plan": ["gold", "silver"]}}')) AS p (key, conditions);
CREATE FUNCTION promised(ticket bigint) RETURNS TABLE (policy text, target interval, consumed interval, due text) LANGUAGE sql STABLE AS
$$
	SELECT p.name, c.target, c.consumed, short(c.due_at)
	FROM support.sla_clocks AS c JOIN support.sla_policies AS p ON p.id = c.policy_id
	WHERE c.ticket_id = ticket AND c.metric = 'first_reply'
$$;
SET support_ext.now = '2026-08-04 10:00+02';
SELECT support.set_priority(:t, 'high') \g /dev/null
SELECT * FROM promised(:t);
SET support_ext.now = '2026-08-04 11:00+02';
SELECT support.set_priority(:t, 'urgent') \g /dev/null
SELECT * FROM promised(:t);
SELECT support.assign_ticket(:t, 1, :screens) \g /dev/null
SELECT * FROM promised(:t);
SELECT support.update_ticket(:t, '{"team_id": null, "organization_id": 1}') \g /dev/null
SELECT * FROM promised(:t);
SELECT support.update_ticket(:t, '{"organization_id": null}') \g /dev/null
SELECT support.tag_ticket(:t, '{slow,vip}') \g /dev/null
SELECT * FROM promised(:t);
SELECT support.untag_ticket(:t, '{vip}') \g /dev/null
SELECT support.update_ticket(:t, '{"custom": {"plan": "gold"}}') \g /dev/null
SELECT * FROM promised(:t);
SELECT support.update_ticket(:t, '{"custom": {"plan": "lead"}}') \g /dev/null
SELECT * FROM promised(:t);
-- The promises that only the other policy makes came back with it, and count from the opening.
SELECT metric, instance, state, consumed, due, reason FROM clocks(:t) WHERE metric = 'resolution';
SELECT support.update_ticket(:t, '{"channel": "letter"}') \g /dev/null
SELECT state, consumed, due, reason FROM clocks(:t) WHERE metric IN ('first_reply', 'resolution');
SELECT support.set_status(:t, 'closed') \g /dev/null

-- A new version reaches open clocks when somebody says so, and new ones at once.
SET support_ext.now = '2026-08-05 09:00+02';
SELECT support.create_ticket('Before', creator_id => 3, channel => 'email') AS before \gset
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "1 hour", "warn": [50, 80]}]') AS version;
SELECT support.create_ticket('After', creator_id => 3, channel => 'email') AS after \gset
SET support_ext.now = '2026-08-05 09:30+02';
SELECT policy_version, target, state, short(due_at) AS due FROM support.sla_clocks WHERE ticket_id = :before AND metric = 'first_reply';
SELECT policy_version, target, state, short(due_at) AS due FROM support.sla_clocks WHERE ticket_id = :after;
SELECT support.sla_reapply(:all);
SELECT support.sla_reapply();
SELECT metric, state, consumed, due, reason FROM clocks(:before);
SELECT * FROM ledger(:before) WHERE metric = 'first_reply';
-- An edited calendar likewise: what was used by the old one stays.
SELECT support.create_calendar('short days', 'Europe/Berlin', '{"mon-sun": "09:00-11:00"}') AS days \gset
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "3 hours", "calendar": "short days", "warn": []}]') AS version;
SELECT support.sla_reapply(:all);
SET support_ext.now = '2026-08-05 10:30+02';
SELECT support.update_calendar(:days, hours => '{"mon-sun": "10:00-11:00"}') AS version;
SELECT calendar_version, short(due_at) AS due FROM support.sla_clocks WHERE ticket_id = :after;
SELECT support.sla_reapply(:all);
SELECT calendar_version, consumed, short(due_at) AS due FROM support.sla_clocks WHERE ticket_id = :after;
DELETE FROM support.tickets WHERE id IN (:before, :after);

-- A tick takes as many as it is told, and what is written is not written twice.
SET support_ext.now = '2026-08-10 09:00+02';
SELECT support.update_sla_policy(:all, targets => '[{"metric": "resolution", "target": "2 hours", "warn": [50]}]') AS version;
SELECT support.create_ticket('Many ' || n, creator_id => 3, channel => 'email') FROM generate_series(1, 5) AS n \g /dev/null
SELECT support.sla_tick(2);
SET support_ext.now = '2026-08-10 10:00+02';
SELECT support.sla_tick(2);
SELECT support.sla_tick(2);
SELECT support.sla_tick(2);
SELECT support.sla_tick(2);
SET support_ext.now = '2026-08-10 11:00+02';
SELECT support.sla_tick();
SET support_ext.now = '2026-08-10 11:00:00.000001+02';
SELECT support.sla_tick();
SELECT support.sla_tick();
SELECT kind, count(*), count(DISTINCT e.ticket_id) AS tickets, short(min(occurred_at)) AS first, short(max(occurred_at)) AS last
FROM support.sla_events AS e JOIN support.tickets AS t ON t.id = e.ticket_id WHERE t.title LIKE 'Many%' GROUP BY kind ORDER BY kind;
SELECT support.sla_tick(0);
\echo :LAST_ERROR_SQLSTATE
SELECT support.sla_tick(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.sla_reapply(99);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.tickets WHERE title LIKE 'Many%';

-- No agent replied in time, or nobody was told in time: a reply of yesterday that is brought in today counts as of
-- yesterday, and takes back what was written too early.
SET support_ext.now = '2026-08-11 09:00+02';
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "2 hours", "warn": []}]') AS version;
SELECT support.create_ticket('By mail', creator_id => 3, channel => 'email') AS t \gset
SET support_ext.now = '2026-08-12 09:00+02';
SELECT support.sla_tick();
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via) VALUES (:t, 1, 'Sent yesterday', '2026-08-11 10:00+02', 'email');
SELECT * FROM clocks(:t);
SELECT * FROM ledger(:t);
-- A reply that is deleted was given all the same; a customer's comment that is, waits for nothing.
SET support_ext.now = '2026-08-13 09:00+02';
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "2 hours"}, {"metric": "next_reply", "target": "2 hours"}]') AS version;
SELECT support.add_comment(:t, 'Thanks', actor_id => 3) AS thanks \gset
SELECT metric, instance, state, due FROM clocks(:t);
SELECT support.delete_comment(:t, :thanks);
SELECT metric, instance, state, due, reason FROM clocks(:t);
SELECT support.delete_comment(ticket_id, id) FROM support.comments WHERE ticket_id = :t AND author_id = 1 \g /dev/null
SELECT metric, instance, state, consumed, due, reason FROM clocks(:t);

-- The ends of time: what is due beyond the year 9999 is never due, and the clock counts all the same. A ticket may
-- be as old as 1970.
SELECT support.create_calendar('Greenwich', 'UTC', '{"mon-fri": "09:00-17:00"}') > 0 AS made;
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "20 hours", "calendar": "Greenwich"},
	{"metric": "resolution", "target": "30000000 hours"}]') AS version;
CREATE VIEW ends AS
SELECT ticket_id, metric, state, consumed, started_at AT TIME ZONE 'UTC' AS started_at, due_at AT TIME ZONE 'UTC' AS due_at,
	wake_at AT TIME ZONE 'UTC' AS wake_at
FROM support.sla_clocks;
SET support_ext.now = '9999-12-31 06:00+00';
SELECT support.create_ticket('The last one', creator_id => 3, channel => 'email') AS t \gset
SELECT * FROM ends WHERE ticket_id = :t;
SET support_ext.now = '9999-12-31 23:00+00';
SELECT support.sla_tick();
SELECT support.add_comment(:t, 'Good night', status => 'closed') \g /dev/null
SELECT * FROM ends WHERE ticket_id = :t;
SET support_ext.now = '2026-08-14 09:00+02';
INSERT INTO support.tickets (title, description, creator_id, channel, created_at) VALUES ('Old', '', 3, 'email', '1970-01-01 00:00+00') RETURNING id AS t \gset
SELECT * FROM ends WHERE ticket_id = :t;
SELECT support.set_status(:t, 'closed') \g /dev/null
SELECT * FROM ends WHERE ticket_id = :t;
-- Infinite times come to no clock.
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "2 hours"}, {"metric": "periodic_update", "target": "2 hours"}]') AS version;
INSERT INTO support.tickets (title, description, creator_id, channel, created_at) VALUES ('Always', '', 3, 'email', '-infinity');
INSERT INTO support.tickets (title, description, creator_id, channel, waiting_since) VALUES ('Always', '', 3, 'email', '-infinity');
INSERT INTO support.tickets (title, description, creator_id, channel, first_replied_at) VALUES ('Never', '', 3, 'email', 'infinity');
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (:t, 1, 'Never', 'infinity');
INSERT INTO support.tickets (title, description, creator_id, channel, last_agent_at, reply_count) VALUES ('Never', '', 3, 'email', 'infinity', 1);

-- What is written is the same where an index has only statements add rows.
CREATE FUNCTION written(ticket bigint) RETURNS jsonb LANGUAGE sql STABLE AS
$$
	SELECT jsonb_agg(jsonb_build_array(to_jsonb(c) - '{ticket_id,id}'::text[],
		(SELECT jsonb_agg(to_jsonb(e) - '{ticket_id,id,clock_id}'::text[] ORDER BY e.id) FROM support.sla_events AS e
			WHERE e.ticket_id = c.ticket_id AND e.clock_id = c.id)) ORDER BY c.id)
	FROM support.sla_clocks AS c WHERE c.ticket_id = ticket
$$;
SET support_ext.now = '2026-08-17 09:00+02';
SELECT support.create_ticket('Directly', creator_id => 3, channel => 'email') AS direct \gset
SET support_ext.now = '2026-08-17 12:30+02';
SELECT support.add_comment(:direct, 'Late', status => 'pending') \g /dev/null
SELECT jsonb_array_length(written(:direct)) AS clocks, jsonb_array_length(written(:direct) #> '{0,1}') AS events;
CREATE INDEX by_state ON support.sla_clocks (lower(state));
CREATE INDEX by_kind ON support.sla_events (lower(kind));
SET support_ext.now = '2026-08-17 09:00+02';
SELECT support.create_ticket('By statements', creator_id => 3, channel => 'email') AS stated \gset
SET support_ext.now = '2026-08-17 12:30+02';
SELECT support.add_comment(:stated, 'Late', status => 'pending') \g /dev/null
SELECT written(:stated) = written(:direct) AS same;
DROP INDEX support.by_state, support.by_kind;

-- Nothing in the ledger is without its clock, and each clock's last event says how it stands.
SELECT count(*) FROM support.sla_events AS e
WHERE NOT EXISTS (SELECT FROM support.sla_clocks AS c WHERE c.ticket_id = e.ticket_id AND c.id = e.clock_id);
SELECT count(*) AS clocks, count(*) FILTER (WHERE breached_at IS NOT NULL AND
	(SELECT count(*) FILTER (WHERE kind = 'breach') - count(*) FILTER (WHERE kind = 'breach_voided') FROM support.sla_events AS e
		WHERE e.ticket_id = c.ticket_id AND e.clock_id = c.id) <> 1) AS wrong
FROM support.sla_clocks AS c;

-- A tick takes the clock that has been due longest and does all that is due of its ticket: more than it was told.
DELETE FROM support.tickets;
SET support_ext.now = '2026-09-07 09:00+02';
SELECT support.update_sla_policy(:all, targets => '[{"metric": "first_reply", "target": "2 hours"}, {"metric": "resolution", "target": "2 hours"}]') > 0 AS changed;
SELECT support.create_ticket('Both', creator_id => 3, channel => 'email') IS NOT NULL AS created FROM generate_series(1, 2);
SET support_ext.now = '2026-09-07 12:00+02';
SELECT support.sla_tick(1), support.sla_tick(1) AS again, support.sla_tick(1) AS nothing;

\c contrib_regression
DROP DATABASE regress_sla;
