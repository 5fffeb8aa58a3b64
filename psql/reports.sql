-- The desk's reports, for reading on a terminal.
--
--   psql -X -q -f psql/reports.sql
--
-- psql/reports/ has more, each about one thing.

\ir lib/begin.sql

\pset footer off

\pset title 'Tickets by status'
:desk_safely TABLE support.report_status;

\pset title 'Unsolved tickets by priority'
:desk_safely TABLE support.report_priority;

\pset title 'The last 14 days'
:desk_safely
SELECT to_char(r.day, 'YYYY-MM-DD Dy') AS day, r.created, r.solved, r.reopened, r.open_at_end
FROM support.report_daily AS r
WHERE r.day > support.desk_now()::date - 14
ORDER BY r.day;

\pset title 'Agents'
:desk_safely TABLE support.report_agents;

\pset title 'Teams'
:desk_safely TABLE support.report_teams;

\pset title 'Unsolved tickets by age'
:desk_safely TABLE support.report_aging;

\pset title 'Waiting for a first reply'
:desk_safely TABLE support.report_unanswered;

\pset title 'First replies of the last 90 days'
:desk_safely TABLE support.report_first_reply;

\pset title 'Solutions of the last 90 days'
:desk_safely TABLE support.report_resolution;

\pset title 'Channels of the last 90 days'
:desk_safely TABLE support.report_channels;

\pset title 'The ten tickets whose customer waits longest'
:desk_safely
SELECT
	l.id,
	support.terminal_text(l.ticket_number, true) AS number,
	l.status,
	l.priority,
	support.terminal_text(left(l.title, 40), true) AS title,
	support.terminal_text(l.assignee, true) AS assignee,
	support.terminal_text(l.team, true) AS team,
	l.age,
	l.waiting
FROM support.ticket_list AS l
ORDER BY l.waiting DESC NULLS LAST, l.created_at, l.id
LIMIT 10;

\pset title 'The ten tickets that were deleted last'
:desk_safely
SELECT
	d.ticket_id AS id,
	support.terminal_text(d.ticket_number, true) AS number,
	d.status,
	support.terminal_text(left(d.title, 40), true) AS title,
	d.how,
	date_trunc('minute', d.deleted_at) AS deleted_at,
	support.terminal_text(u.full_name, true) AS deleted_by,
	support.terminal_text(d.reason) AS reason
FROM support.deleted_tickets AS d
LEFT JOIN support.users AS u ON u.id = d.deleted_by
ORDER BY d.deleted_at DESC, d.ticket_id
LIMIT 10;

\pset title
\pset footer on

\ir lib/end.sql
