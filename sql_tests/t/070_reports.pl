# Whatever happens to a desk, its reports say what plain SQL finds in the tables and the log at that moment.
#
# Sessions change tickets, comments, tags, people, statuses and promises at random, by functions and by plain SQL, with
# savepoints, rollbacks and refusals; some add up what they changed every few rows, others leave it; the server is
# killed and comes back. Meanwhile, in REPEATABLE READ snapshots, and between the rounds every report view is held
# against itself with the readers of the counters replaced by those of oracle.sql, and support.report() against
# oracle.report(), in two time zones. Percentiles of the views must be equal, since they come from histograms of the
# same durations; those of support.report() are held against exact ones, from which they may differ by what
# doc/percentiles.md says.
# report_activity reads nothing but the log and is left out.
#
# SUPPORT_EXT_TEST_CHANGES says how many transactions the sessions make in all, 400 unless set, and
# SUPPORT_EXT_TEST_ROUNDS in how many rounds, 3 unless set; SUPPORT_EXT_TEST_SEED draws other changes and reports,
# though nothing repeats the order in which sessions come.

use strict;
use warnings;

use Desk;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'sleep';

my $transactions = $ENV{SUPPORT_EXT_TEST_CHANGES} // 400;
my $rounds = $ENV{SUPPORT_EXT_TEST_ROUNDS} // 3;
my $seed = take_seed();
my @fold_every = (20, 0, 3, 200);
my @zones = ('UTC', 'Asia/Kathmandu');
my $read_now = 'support.statuses, support.ticket_tags, support.sla_clocks';
my $changes_of_statuses = join ' + ',
  map { "pg_stat_get_xact_tuples_$_('support.statuses'::regclass)" } qw(inserted updated deleted);
my $node = start_server('desk', 'log_statement = none', 'deadlock_timeout = 10ms', 'synchronous_commit = off');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
INSERT INTO support.organizations (name) SELECT 'Org ' || n FROM generate_series(1, 55) AS n;
INSERT INTO support.users (email, full_name, role, organization_id)
SELECT 'agent' || n || '@desk.example', 'Agent ' || n, 'agent', NULL FROM generate_series(1, 3) AS n
UNION ALL
SELECT 'customer' || n || '@corp.example', 'Customer ' || n, 'customer', n FROM generate_series(4, 6) AS n;
INSERT INTO support.users (email, full_name, role) VALUES ('mallory@desk.example', 'Mallory', 'agent');
SELECT support.create_team('Team ' || n) FROM generate_series(1, 53) AS n;
INSERT INTO support.tags (name) SELECT 'tag' || n FROM generate_series(1, 55) AS n;
INSERT INTO support.statuses (name, category, position) VALUES ('parts', 'hold', 45), ('done', 'solved', 70);

SELECT support.create_calendar('office', 'Europe/Berlin', '{"mon-fri": ["09:00-12:00", "13:00-17:00"]}');
SELECT support.create_sla_policy('tagged', '[{"metric": "first_reply", "target": "30 minutes"},
	{"metric": "resolution", "target": "9 hours", "calendar": "office"}]', '{"tags": ["tag1", "tag2"]}');
SELECT support.create_sla_policy('everybody', '[{"metric": "first_reply", "target": "200 hours"},
	{"metric": "next_reply", "target": "4 hours", "calendar": "office"}, {"metric": "periodic_update", "target": "90 hours"},
	{"metric": "requester_wait", "target": "300 hours"}, {"metric": "requester_wait", "target": "50 hours", "priority": "high"},
	{"metric": "ownership", "target": "40 hours", "calendar": "office"}]', '{"priority": ["normal", "high", "urgent"]}');

-- more groups than a list has lines
SET support_ext.now = '2025-11-20 00:00+00';
INSERT INTO support.tickets (title, description, creator_id, team_id, organization_id, channel)
SELECT 'Ticket ' || n, '', 4 + n % 3, 1 + n % 53, 1 + n % 55, 'way ' || n % 54 FROM generate_series(1, 110) AS n;
INSERT INTO support.ticket_tags (ticket_id, tag_id) SELECT n, 1 + n % 55 FROM generate_series(1, 110) AS n;
RESET support_ext.now;

-- a rule of the application, which changes a row again before the desk's own trigger has seen the first change
CREATE FUNCTION route()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE support.tickets SET team_id = 1 + NEW.id % 3, status = 'pending', title = 'Routed' WHERE id = NEW.id;
	RETURN NULL;
END
$$;
CREATE TRIGGER "A_first"
	AFTER UPDATE ON support.tickets
	FOR EACH ROW WHEN (NEW.title = 'Route') EXECUTE FUNCTION route();
SQL

# The oracle, whose contributions are worked out once for each snapshot and kept by the session that asks
$node->safe_psql('desk', "CREATE SCHEMA oracle;\n" . slurp_file("$FindBin::Bin/../oracle.sql"));
$node->safe_psql('desk', <<'SQL');
CREATE SEQUENCE oracle.clock;
CREATE SCHEMA oracle_of_lists;
ALTER FUNCTION oracle.contributions() RENAME TO contributions_now;
CREATE FUNCTION oracle.begin_session()
RETURNS void
LANGUAGE sql
SET client_min_messages = warning
AS $$
	CREATE TEMPORARY TABLE kept AS SELECT * FROM oracle.contributions_now() WITH NO DATA;
	CREATE INDEX ON kept (measure, dim);
$$;
SET check_function_bodies = off;
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
LANGUAGE sql STABLE ROWS 500
AS 'SELECT * FROM pg_temp.kept';

-- Each report view with the oracle's readers
DO $$
DECLARE
	view record;
BEGIN
	FOR view IN
		SELECT
			v.viewname AS name,
			regexp_replace
			(
				pg_get_viewdef(format('support.%I', v.viewname)::regclass),
				'support_internal\.(stat_(?:series|moves|totals|oldest|distinct)|tickets_created)\y', 'oracle.\1', 'g'
			) AS definition
		FROM pg_views AS v
		WHERE v.schemaname = 'support' AND v.viewname ~ '^report_' AND v.viewname <> 'report_activity'
	LOOP
		IF view.definition !~ 'oracle\.stat_(series|moves|totals|oldest)\(' THEN
			RAISE 'view % reads no counters', view.name;
		END IF;
		EXECUTE format('CREATE VIEW oracle.%I AS %s', view.name, view.definition);
	END LOOP;
END
$$;

-- The backlog, and its list, by what tickets and clocks say
CREATE VIEW oracle_of_lists.backlog AS
SELECT t.id AS ticket_id, t.team_id, t.assignee_id, t.created_at, n.due_at AS next_due_at, n.metric AS next_metric,
	(SELECT count(*) FROM support.sla_clocks AS c WHERE c.ticket_id = t.id AND c.breached_at IS NOT NULL)::integer AS breaches
FROM support.tickets AS t
LEFT JOIN LATERAL
	(
		SELECT c.due_at, c.metric
		FROM support.sla_clocks AS c
		WHERE c.ticket_id = t.id AND c.state = 'running' AND c.due_at IS NOT NULL
		ORDER BY c.due_at, c.id
		LIMIT 1
	) AS n ON true
WHERE t.deleted_at IS NULL
	AND EXISTS (SELECT FROM support.statuses AS s WHERE s.name = t.status AND s.category NOT IN ('solved', 'closed'));
CREATE VIEW oracle_of_lists.unsolved_tickets AS
SELECT t.id, t.status, t.priority, t.title, u.full_name AS requester, t.waiting_since IS NOT NULL AS waits, t.created_at,
	u.id AS requester_id, t.assignee_id, t.team_id, t.organization_id, b.next_due_at, b.next_metric,
	(SELECT count(*) FROM support.sla_status AS s WHERE s.ticket_id = t.id AND s.is_breached) AS breaches
FROM oracle_of_lists.backlog AS b
JOIN support.tickets AS t ON t.id = b.ticket_id
JOIN support.users AS u ON u.id = coalesce(t.requester_id, t.creator_id);

-- Rows of a query and of the one it is held against, with their places: how many, how many with a number, and those
-- that only one of the two has
CREATE FUNCTION oracle.compare(
	what text,
	query text,
	expected text,
	OUT label text,
	OUT lines bigint,
	OUT numbers bigint,
	OUT difference text
)
LANGUAGE plpgsql
AS $$
BEGIN
	label := what || ' in ' || current_setting('TimeZone');
	EXECUTE format
	(
		$query$
			WITH found AS (SELECT f::text AS line, row_number() OVER () AS place FROM (%s) AS f),
				expected AS (SELECT e::text AS line, row_number() OVER () AS place FROM (%s) AS e)
			SELECT
				(SELECT count(*) FROM expected AS e),
				(SELECT count(*) FROM expected AS e WHERE e.line ~ ',[1-9][0-9]*[,)]'),
				(
					SELECT string_agg(d.line, '  ')
					FROM
					(
						SELECT x.sign || x.place || x.line AS line
						FROM
						(
							SELECT '+' AS sign, f.place, f.line
							FROM (SELECT * FROM found EXCEPT ALL SELECT * FROM expected) AS f
							UNION ALL
							SELECT '-', e.place, e.line
							FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM found) AS e
						) AS x
						ORDER BY x.place, x.sign
						LIMIT 12
					) AS d
				)
		$query$,
		query,
		expected
	)
	INTO lines, numbers, difference;
END
$$;

-- Percentiles that are near enough to be shown as the exact ones are
CREATE FUNCTION oracle.settle(p interval[], exact interval[])
RETURNS interval[]
LANGUAGE sql STABLE
AS $$
	SELECT array_agg
	(
		CASE
			WHEN abs(extract(epoch FROM x.p - x.exact)) <= extract(epoch FROM x.exact) / 128 + 1 THEN x.exact
			ELSE x.p
		END
		ORDER BY x.place
	)
	FROM ROWS FROM (unnest(p), unnest(exact)) WITH ORDINALITY AS x (p, exact, place)
$$;

CREATE FUNCTION oracle.one_of(VARIADIC words text[])
RETURNS text
LANGUAGE sql VOLATILE
AS 'SELECT words[1 + floor(random() * cardinality(words))]';

-- An argument list for support.report() and oracle.report(): from_at, to_at and so on, drawn at random
CREATE FUNCTION oracle.any_arguments()
RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	metric text := oracle.one_of('created', 'solved', 'tickets_solved', 'still_solved', 'reopened', 'reopened_tickets',
		'entered', 'replies', 'customer_comments', 'first_reply', 'resolution', 'full_resolution', 'one_touch',
		'two_touch', 'multi_touch', 'backlog', 'open', 'unassigned', 'waiting', 'unanswered');
	by_user boolean := metric = ANY (ARRAY['solved', 'tickets_solved', 'reopened', 'replies']);
	bucket text := oracle.one_of(NULL, 'hour', 'day', 'week', 'month', 'quarter', 'year');
	group_by text := oracle.one_of(NULL, 'team', 'assignee', 'priority', 'channel', 'organization', 'status', 'tag',
		'category', 'requester', 'creator', CASE WHEN by_user THEN 'user' END);
	filters text := CASE WHEN random() < 0.3 THEN oracle.one_of('{"team_id": [1, 2, null]}', '{"priority": "normal"}',
		'{"assignee_id": null}', '{"channel": ["web", null]}', '{"organization_id": 1}', '{"status": ["open", "done"]}',
		'{"team_id": 1, "priority": ["normal", "high"]}', '{"custom": {}}', '{"tag": "tag1"}', '{"category": "solved"}',
		'{"creator_id": 4, "custom": {}}') ELSE '{}' END;
	anchor text := CASE WHEN metric = ANY (ARRAY['first_reply', 'resolution', 'full_resolution'])
		THEN oracle.one_of('event', 'cohort') ELSE 'event' END;
	quarters integer := CASE bucket WHEN 'hour' THEN 96 ELSE floor(random() * 15000) END;
	from_at timestamptz := '2025-11-01 00:00+00'::timestamptz + floor(random() * 20000) * '15 minutes'::interval;
	to_at timestamptz := from_at + quarters * '15 minutes'::interval;
BEGIN
	IF random() < 0.1 THEN
		from_at := from_at + '7 seconds'::interval;
	END IF;
	RETURN format('%L, %L, %L, bucket => %L, group_by => %L, filters => %L, anchor => %L',
		metric, from_at, greatest(from_at, to_at), bucket, group_by, filters, anchor);
END
$$;

-- Where a report is not what the oracle says, under the snapshot of the transaction
CREATE FUNCTION oracle.compare_all(reports integer)
RETURNS TABLE(label text, lines bigint, numbers bigint, difference text)
LANGUAGE plpgsql
AS $$
DECLARE
	view text;
	arguments text;
	from_rows text;
	columns text := 'bucket_at, bucket_end, group_value, group_name, n, average';
	percentiles text := 'ARRAY[p50, p90, p95, p99]';
	expected text;
BEGIN
	DELETE FROM pg_temp.kept;
	INSERT INTO pg_temp.kept SELECT * FROM oracle.contributions_now();
	FOR view IN SELECT v.viewname FROM pg_views AS v WHERE v.schemaname = 'oracle' ORDER BY v.viewname LOOP
		RETURN QUERY SELECT c.* FROM oracle.compare(view, format('SELECT * FROM support.%I', view),
			format('SELECT * FROM oracle.%I', view)) AS c;
	END LOOP;
	RETURN QUERY SELECT c.* FROM oracle.compare('backlog', 'SELECT * FROM support.backlog ORDER BY ticket_id',
		'SELECT * FROM oracle_of_lists.backlog ORDER BY ticket_id') AS c;
	RETURN QUERY SELECT c.* FROM oracle.compare('unsolved_tickets',
		'SELECT id, status, priority, title, requester, waiting IS NOT NULL, created_at, requester_id, assignee_id, team_id,'
		' organization_id, next_due_at, next_metric, breaches FROM support.unsolved_tickets ORDER BY id',
		'SELECT * FROM oracle_of_lists.unsolved_tickets ORDER BY id') AS c;
	FOR i IN 1 .. reports LOOP
		arguments := oracle.any_arguments();
		-- no counter answers two questions at once, nor what is not on the quarter hour
		from_rows := (arguments ~ 'custom|"tag"|category|requester|creator|:07' OR
			arguments ~ 'group_by => ''' AND arguments ~ 'filters => ''{"' OR
			arguments ~ 'group_by => ''(status|tag|user)')::text;
		expected := format('SELECT * FROM oracle.report(%s, from_rows => %s)', arguments, from_rows);
		RETURN QUERY SELECT c.* FROM oracle.compare(
			format('report(%s)', arguments),
			format('SELECT %s, p.p FROM (SELECT *, row_number() OVER () AS place FROM support.report(%s)) AS f'
				' LEFT JOIN (SELECT %s AS exact, row_number() OVER () AS place FROM (%s) AS e) AS e USING (place)'
				' CROSS JOIN LATERAL (SELECT oracle.settle(%s, e.exact) AS p) AS p ORDER BY place',
				columns, arguments, percentiles, expected, percentiles),
			format('SELECT %s, %s FROM (%s) AS e', columns, percentiles, expected)) AS c;
	END LOOP;
END
$$;
SQL

# The lower the likelier, so that some groups are large and some tickets have a long past
sub low_of { return 1 + int $_[0] * rand() * rand() * rand }

# What a word in angle brackets stands for in a change
my %words = (
	ticket => sub { "(SELECT id FROM support.tickets ORDER BY abs(id - @{[ low_of(300) ]}) LIMIT 1)" },
	comment => sub { '(SELECT * FROM support.comments ORDER BY random() LIMIT 1) AS c' },
	agent => sub { one_of(1 .. 3) },
	customer => sub { one_of(4 .. 6) },
	team => sub { one_of(1, 2, low_of(53), 'NULL') },
	organization => sub { one_of(1, low_of(55), 'NULL') },
	channel => sub { one_of("'web'", "'email'", "'phone'", "''", 'NULL') },
	status => sub { one_of(qw(open in_progress pending on_hold resolved closed resolved done parts)) },
	priority => sub { one_of("'low'", "'normal'", "'high'", "'urgent'", 'NULL') },
	tags => sub { '{' . join(',', map { 'tag' . low_of(55) } 0 .. rand 3) . '}' },
	number => sub { int rand 100_000 },
	at => sub { 'support.desk_now() - ' . one_of("'1 second'", "'3 hours'", "'20 days'", "'-1 hour'") . '::interval' }
);

# What may be done to the desk: by functions, and by plain SQL to single rows and many, to some of them twice
my @changes = split /;\n\s*/, <<'SQL';
SELECT support.create_ticket('Ticket', 'text', <customer>, <priority>, '<tags>', team_id => <team>,
	channel => <channel>);
SELECT support.create_ticket('Ticket', creator_id => <customer>, assignee_id => <agent>,
	organization_id => <organization>);
SELECT support.create_ticket('Ticket', creator_id => <customer>, status => '<status>', tags => '<tags>');
SELECT support.create_ticket('Ticket', creator_id => <agent>, team_id => <team>);
SELECT support.update_ticket(<ticket>, '{"tags": ["tag1", "tag2"], "channel": "web"}');
SELECT support.update_ticket(<ticket>, '{"team_id": 2, "assignee_id": null, "status": "<status>"}');
SELECT support.set_status(<ticket>, '<status>');
SELECT support.set_status(<ticket>, '<status>');
SELECT support.set_status(<ticket>, 'open');
SELECT support.set_priority(<ticket>, <priority>);
SELECT support.assign_ticket(<ticket>, <agent>, <team>);
SELECT support.add_comment(<ticket>, 'Hello?', author_id => <customer>);
SELECT support.add_comment(<ticket>, 'Hello', author_id => <agent>, status => '<status>');
SELECT support.add_comment(<ticket>, 'Hello', author_id => <agent>, status => 'resolved');
SELECT support.add_comment(<ticket>, 'Hello again', author_id => <agent>);
SELECT support.add_comment(<ticket>, 'A note', true, author_id => <agent>);
SELECT support.add_comment(<ticket>, 'Bleep', author_id => <agent>, via => 'auto');
SELECT support.add_comment(<ticket>, 'Away', author_id => <customer>, via => 'auto');
SELECT support.edit_comment(ticket_id, id, 'Edited') FROM <comment>;
SELECT support.delete_comment(ticket_id, id) FROM <comment>;
SELECT support.restore_comment(ticket_id, id) FROM support.comments WHERE deleted_at IS NOT NULL LIMIT 1;
SELECT support.tag_ticket(<ticket>, '<tags>');
SELECT support.untag_ticket(<ticket>, '<tags>');
SELECT support.delete_ticket(<ticket>, 'a test');
SELECT support.restore_ticket(ticket_id)
FROM (SELECT ticket_id FROM support.deleted_tickets ORDER BY random() LIMIT 2) AS d;
SELECT support.restore_ticket(ticket_id) FROM support.deleted_tickets WHERE how = 'removed' LIMIT 2;
SELECT support.restore_ticket(ticket_id) FROM support.deleted_tickets WHERE how = 'marked' LIMIT 2;
SELECT support.purge_deleted('20 days', 3);
SELECT support.undo(id) FROM (SELECT id FROM support.audit_log ORDER BY id DESC LIMIT 1 OFFSET <number> % 9) AS a;
SELECT support.undo(id) FROM (SELECT id FROM support.audit_log WHERE ticket_id > 0 ORDER BY random() LIMIT 1) AS a;
SELECT count(*)
FROM (SELECT occurred_at FROM support.audit_log ORDER BY id DESC LIMIT 1 OFFSET 9) AS a,
	support.undo_since(<agent>, a.occurred_at, false);
SELECT support.create_team('Team of ' || <number>);
SELECT support.create_user('user<number>@corp.example', 'Another', 'agent');
SELECT support.deactivate_user(max(id), <agent>) FROM support.users WHERE is_active AND id > 7;
UPDATE support.users SET full_name = 'Renamed', role = 'team_lead' WHERE id = 3 + <number> % 9;
UPDATE support.tickets SET status = '<status>' WHERE id % 7 = <number> % 7;
UPDATE support.tickets SET status = '<status>', team_id = <team>, channel = <channel> WHERE id % 17 = <number> % 17;
UPDATE support.tickets SET team_id = <team>, priority = <priority> WHERE id % 5 = <number> % 5;
UPDATE support.tickets SET organization_id = <organization>, assignee_id = <agent> WHERE id % 11 = <number> % 11;
UPDATE support.tickets SET title = 'Route', status = '<status>' WHERE id % 29 = <number> % 29;
UPDATE support.tickets SET title = 'Route' WHERE id = <ticket>;
UPDATE support.tickets SET created_at = <at> WHERE id % 19 = <number> % 19;
UPDATE support.tickets SET created_at = <at>, status = '<status>', team_id = <team> WHERE id = <ticket>;
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id % 41 = <number> % 41;
UPDATE support.tickets SET deleted_at = NULL, status = '<status>', team_id = <team> WHERE id = <ticket>;
UPDATE support.tickets SET deleted_at = NULL WHERE deleted_at IS NOT NULL AND id % 4 = <number> % 4;
UPDATE support.comments SET is_private = NOT is_private WHERE ticket_id % 23 = <number> % 23;
UPDATE support.comments SET created_at = <at>, content = 'Late' WHERE ticket_id % 31 = <number> % 31;
UPDATE support.comments SET author_id = <agent>, via = 'bot' WHERE id % 37 = <number> % 37;
UPDATE support.comments SET deleted_at = support.desk_now() WHERE id % 37 = <number> % 37;
INSERT INTO support.tickets (title, description, creator_id, team_id, channel)
SELECT 'Many', '', <customer>, nullif(n, 3), <channel> FROM generate_series(1, 4) AS n;
INSERT INTO support.tickets (title, description, creator_id, created_at, status, team_id)
VALUES ('Imported', '', <customer>, <at>, '<status>', <team>), ('Imported', '', <customer>, <at>, 'open', 1);
INSERT INTO support.tickets
	(id, title, description, creator_id, created_at, status, solved_at, first_solved_at, reply_count)
SELECT ticket_id, 'Again', '', 5, <at>, CASE <number> % 2 WHEN 0 THEN status ELSE '<status>' END, <at>, <at>, <number> % 4
FROM support.deleted_tickets WHERE how = 'removed' ORDER BY random() LIMIT 1;
INSERT INTO support.tickets AS t (id, title, description, creator_id)
SELECT id, title, '', creator_id FROM support.tickets WHERE id % 11 = <number> % 11
ON CONFLICT (id) DO UPDATE SET status = '<status>', team_id = coalesce(t.team_id, 1) % 3 + 1;
INSERT INTO support.comments (ticket_id, author_id, content)
SELECT id, <agent>, 'All of you' FROM support.tickets WHERE id % 13 = <number> % 13;
INSERT INTO support.comments (ticket_id, author_id, content, created_at, via)
SELECT id, one.author_id, 'Late', <at>, 'import'
FROM support.tickets, (VALUES (<agent>), (<customer>)) AS one (author_id)
WHERE id % 17 = <number> % 17;
MERGE INTO support.tickets AS t
USING (SELECT id FROM support.tickets ORDER BY random() LIMIT 3) AS s ON s.id = t.id
WHEN MATCHED AND t.id % 5 = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET priority = <priority>, status = '<status>';
WITH c AS
	(INSERT INTO support.comments (ticket_id, author_id, content) VALUES (<ticket>, <customer>, 'Both'))
UPDATE support.tickets SET status = '<status>' WHERE id = <ticket>;
WITH g AS
	(INSERT INTO support.ticket_tags (ticket_id, tag_id) SELECT <ticket>, 1 + <number> % 9 ON CONFLICT DO NOTHING)
UPDATE support.tickets SET status = '<status>', created_at = <at> WHERE id = <ticket>;
WITH g AS (DELETE FROM support.ticket_tags WHERE ticket_id % 13 = <number> % 13)
UPDATE support.tickets SET status = '<status>' WHERE id % 13 = <number> % 13;
INSERT INTO support.ticket_tags (ticket_id, tag_id)
SELECT id, 1 + id % 4 FROM support.tickets WHERE id % 9 = <number> % 9 ON CONFLICT DO NOTHING;
UPDATE support.ticket_tags SET tag_id = 10 + <number> % 45 WHERE ticket_id = <ticket> AND tag_id < 5;
UPDATE support.ticket_tags SET ticket_id = <ticket> WHERE tag_id = 10 + <number> % 45;
DELETE FROM support.ticket_tags WHERE tag_id % 7 = <number> % 7 AND ticket_id % 3 = <number> % 3;
DELETE FROM support.tickets WHERE id = <ticket>;
DELETE FROM support.tickets WHERE id % 61 = <number> % 61;
DELETE FROM support.comments WHERE id % 37 = <number> % 37;
UPDATE support.statuses SET category = CASE category WHEN 'hold' THEN 'solved' ELSE 'hold' END WHERE name = 'parts';
INSERT INTO support.statuses (name, category, position) VALUES ('spare', 'closed', 80) ON CONFLICT DO NOTHING;
UPDATE support.tickets SET status = 'spare' WHERE id % 23 = <number> % 23;
UPDATE support.tickets SET status = 'open' WHERE status = 'spare'; DELETE FROM support.statuses WHERE name = 'spare';
SELECT support.fold_stats();
SELECT support.fold_stats();
SELECT support.sla_tick(1 + <number> % 300);
SELECT support.sla_tick(1 + <number> % 30);
SELECT support.sla_reapply();
UPDATE support.sla_targets SET target = (50 + <number> % 200) * interval '1 hour' WHERE metric = 'requester_wait';
SQL
push @changes,
  "COPY support.tickets (title, description, creator_id, team_id, status) FROM stdin;\n"
  . "Copied\t\t5\t1\topen\nTwice\t\t6\t\\N\tclosed\n\\.",
  "COPY support.comments (ticket_id, author_id, content) FROM stdin;\n"
  . "1\t5\tCopied\n1\t2\tCopied\n2\t4\tCopied\n\\.";

sub any_change
{
	my $change = one_of(@changes);

	$change =~ s/<(\w+)>/$words{$1}->()/ge;
	return $change =~ /^COPY/ ? "$change\n" : "$change;\n";
}

# The clock goes on with each transaction, so that the changes of a run fill 130 days; now and then it is put elsewhere
sub script_that_sets_clock
{
	my $other = rand() < 0.05 ? "interval '" . int(rand 40 * 24 - 20 * 24) . " hours'" : "interval '0'";
	my $step = 130 * 86400 / $transactions;

	return "SELECT set_config('support_ext.now', ('2025-11-20 00:00+00'::timestamptz"
	  . " + nextval('oracle.clock') * $step * interval '1 second' + $other)::text, false);\n";
}

# Changes, some of them under a savepoint, some of these taken back
sub any_changes
{
	my ($n) = @_;
	my @statements;

	foreach (0 .. rand $n)
	{
		my $outcome = one_of('', '', '', "RELEASE a;\n", "ROLLBACK TO a;\n");

		push @statements, "SAVEPOINT a;\n" if $outcome;
		push @statements, any_change();
		push @statements, any_change(), $outcome if $outcome;
	}
	return @statements;
}

# A transaction of a user, now and then one that keeps to a snapshot or is rolled back
sub any_transaction
{
	my $isolation = rand() < 0.1 ? ' ISOLATION LEVEL REPEATABLE READ' : '';

	return "BEGIN$isolation;\n" . script_that_sets_clock() . "SELECT support.set_actor(@{[ one_of(1 .. 7) ]}, true);\n"
	  . join('', any_changes(4)) . one_of(('COMMIT') x 6, 'ROLLBACK') . ";\n";
}

# A session's script; in some, a refused statement ends its transaction, in others it is passed over
sub script_that_writes
{
	my ($n, $fold_every) = @_;

	return seed_session() . '\set ON_ERROR_ROLLBACK ' . one_of('on', 'on', 'off') . "\nSET support_ext.fold_every = $fold_every;\n"
	  . join '', map { any_transaction() . one_of('', '', any_change()) } 1 .. $n;
}

# Compare in the snapshot of a transaction, in each time zone; in some, changes of its own come before. These are
# counted by what statuses mean, by the tags that tickets have and by how clocks stand now, so these must still be what the
# snapshot has, and a status that they change has all counted anew as it is now: see doc/stats.md. So there are none if the
# tables could not be locked, being held by others that waited for each other; and after an undo that changed a status
# nothing is compared.
sub script_that_compares
{
	my ($changes) = @_;
	my @own = $changes ? grep { !/support\.statuses/ } any_changes($changes) : ();
	my $script = "\\o /dev/null\n\\set ON_ERROR_ROLLBACK on\nSELECT oracle.begin_session();\n"
	  . "BEGIN ISOLATION LEVEL REPEATABLE READ;\n\\set unlocked false\n"
	  . (@own ? "LOCK TABLE $read_now IN SHARE MODE;\n\\set unlocked :ERROR\n" : '')
	  . seed_session()
	  . script_that_sets_clock();

	$script .= "\\o\nSELECT 'open snapshot' WHERE (SELECT count(*) FROM pg_snapshot_xip(pg_current_snapshot())) > 0;\n"
	  . "\\o /dev/null\n";
	$script .= join '', "\\if :unlocked\n\\else\n", @own, "\\endif\n";
	$script .= "SELECT $changes_of_statuses > 0 AS redefined \\gset\n\\if :redefined\n\\else\n";
	foreach my $zone (@zones)
	{
		$script .= "SET LOCAL TimeZone = '$zone';\n\\o\nSELECT * FROM oracle.compare_all(15);\n\\o /dev/null\n";
	}
	return "$script\\endif\n" . one_of('COMMIT', 'ROLLBACK') . ";\nDROP TABLE kept;\n";
}

my ($said, $errors) = ('', '');

# Keep what scripts say that run at the same time, meanwhile whatever is asked for
sub hear_together
{
	my ($meanwhile, @scripts) = @_;
	my ($out, $err) = run_together($node, 'desk', \@scripts, $meanwhile);

	$said .= $out;
	$errors .= $err;
	return;
}

# Nothing was counted twice or not at all
sub check_pause
{
	my ($when) = @_;

	is($node->safe_psql('desk', 'SELECT * FROM support.verify_stats()'), '', "$when: what was counted is what there is")
	  or diag "SUPPORT_EXT_TEST_SEED=$seed";
	is($node->safe_psql('desk', 'SELECT * FROM support_internal.backlog_flaws'), '', "$when: the backlog is what is unsolved")
	  or diag "SUPPORT_EXT_TEST_SEED=$seed";
	hear_together(sub { }, script_that_compares(0));
	return;
}

foreach my $round (1 .. $rounds)
{
	my $each = int($transactions / $rounds / @fold_every);
	my @writing = map { script_that_writes($each, $_) } @fold_every;

	hear_together(sub { }, @writing, join '', map { script_that_compares($_) } 0, 4);
	check_pause("round $round");

	hear_together(
		sub {
			sleep 0.2 + rand 0.6;
			$node->stop('immediate');
		},
		map { script_that_writes(40, $_) } @fold_every);
	$node->start;
	check_pause("round $round, after a crash");
	$node->safe_psql('desk', one_of('SELECT support.fold_stats()', 'VACUUM', 'SELECT support.maintain()', 'SELECT 1'));
}

unlike($errors, qr/XX000|internal error|could not (?:open|read)/, 'nothing broke');
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|terminated by signal|TRAP|XX000/, 'no session crashed');
my %refusals;
$refusals{ s/\d+/N/gr =~ s/"[^"]*"/"…"/gr }++ foreach $errors =~ /ERROR:  (.+)/g;
note "$refusals{$_} times: $_" foreach sort { $refusals{$b} <=> $refusals{$a} } keys %refusals;
my $not_folded = () = $log =~ /could not add up what changed/g;
note "$not_folded times not added up";

# What was compared, and what differed
my (%compared, %lines, %numbers, %differences);
my $open_snapshots = 0;
foreach (split /\n/, $said)
{
	$open_snapshots++, next if $_ eq 'open snapshot';
	my ($label, $lines, $numbers, $difference) = /^(.*)\|(\d+)\|(\d+)\|(.*)$/ or next;
	my ($name) = $label =~ /^(report\('\w+'|\w+)/;

	$compared{$name}++;
	$lines{$name} += $lines;
	$numbers{$name} += $numbers;
	push @{ $differences{$name} }, "$label:\n" . join "\n", split /  /, $difference if $difference ne '';
}
note sprintf '%-30s %6d compared, %6d lines, %6d with numbers', $_, $compared{$_}, $lines{$_}, $numbers{$_}
  foreach sort keys %compared;
note "$open_snapshots snapshots while others wrote";

foreach my $name (sort keys %compared)
{
	my @found = @{ $differences{$name} // [] };
	my $last = $#found < 2 ? $#found : 2;

	ok(!@found, "$name is what the tables say")
	  or diag join "\n", "SUPPORT_EXT_TEST_SEED=$seed", scalar(@found) . ' differences', @found[ 0 .. $last ];
}

# So that no comparison passes for want of anything to compare
is(scalar(grep { !/^report\(/ } keys %compared), 19, 'all views were compared');
is_deeply([ grep { !/^report\(/ && $numbers{$_} < $compared{$_} } keys %compared ], [], 'and had numbers');
cmp_ok(scalar(grep { /^report\(/ && $numbers{$_} > 0 } keys %compared), '>', 15, 'metrics of support.report() too');
cmp_ok($open_snapshots, '>', 0, 'some while others wrote');
cmp_ok($node->safe_psql('desk', 'SELECT count(*) FROM support.audit_log'), '>', 2 * $transactions, 'much was changed');

$node->stop;
done_testing();
