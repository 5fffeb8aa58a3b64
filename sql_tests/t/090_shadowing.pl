# What the desk's statements mean is not the caller's to decide.
#
# Every function, every view, and every trigger by plain SQL on every table, runs under a search_path that leads to a schema
# full of traps (shadows.sql), as an application, as a reader and as a superuser: no trap may be run, and what comes out must
# be what comes out without them. So with plans made then and there, with plans made before and used again, with plans that
# something made invalid in between, and in parallel workers. The same calls must give the same under odd settings. Triggers
# of the application, on the other hand, see the search_path that the caller has.
#
# Each run is a transaction that is rolled back, so that all find the same desk.

use strict;
use warnings;

use Desk;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

# What a desk does in a day. These statements spell out their operators and have no casts of their own to make.
my @calls = (
	'version()', 'settings()', q{configure('retention', '24 months')}, 'desk_now()', 'actor_id()', 'next_ticket_number()', 'set_actor(2, true)', 'set_actor(1)',
	q{bar(1, 2, 4)}, q{heat(1, 2)}, q{histogram_subtract(E'\\\\x010702', E'\\\\x010702')}, q{histogram_count(E'\\\\x010702')},
	q{percentile(E'\\\\x010702', 0.5)},
	# what there is
	'get_ticket(1)', 'get_ticket(1, true, 2, 1)', q{get_ticket_by_number('T-1')}, q{ticket_id('t-1')}, 'show_ticket(1, true)', 'attachment_content(1, 1)',
	q{terminal_text('Between floors', true)}, q{line_text(' Between floors ')},
	'ticket_history(1)', q{ticket_history(1, '2026-02-01', '2026-03-15', true)}, q{ticket_as_of(1, '2026-03-01')},
	q{tickets_as_of('2026-03-01')}, q{tickets_as_of_snapshot(':snapshot')}, q{comments_as_of(1, '2026-03-01')},
	(map { "rows_as_of(NULL::support.$_, NULL, '2026-03-01')" }
			qw(tickets comments users organizations teams attachments tags calendars calendar_holidays sla_policies sla_targets holds
			ticket_rules)),
	q{business_elapsed(1, '2026-03-06 16:00+00', '2026-03-09 10:00+00')}, q{business_add(1, '2026-03-06 16:00+00', '1 hour')},
	q{is_open(1, '2026-03-07 12:00+00')}, q{next_open(1, '2026-03-07 12:00+00')},
	q{next_close(1, '2026-03-07 12:00+00')}, q{open_spans(1, '2026-03-07 12:00+00', '2026-03-09 12:00+00')},
	q{sla_at_risk('1000 hours')}, q{sla_at_risk('1000 hours', 10, true)}, q{due_text('2026-01-01 10:00+00')}, q{sla_kept('2026-01-01', '2026-12-01')},
	q{sla_explain(1, 'resolution')}, q{sla_explain(1, 'first_reply', 1)},
	q{sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}', '2026-01-01', '2026-12-01')},
	q{report('created', group_by => 'channel')},
	q{report('created', '2026-01-01', '2026-04-01', 'week', 'Europe/Berlin', 'priority')},
	q{report('resolution', '2026-01-01', '2026-04-01', 'month', group_by => 'organization', anchor => 'cohort')},
	q{report('created', '2026-01-01', '2026-04-01', group_by => 'tag', filters => '{"priority": ["low", "urgent"]}')},
	q{report('created', '2026-01-01', '2026-04-01', filters => '{"team_id": null, "tag": "fire"}')},
	':every_report', 'dashboard()', 'dashboard(100)', 'dashboard_html()', q{dashboard_html('Desk', '2026-01-01', '2026-04-01', 'Asia/Tokyo')},
	# the log: followed, taken back, sealed
	q{feed_start('other')}, q{feed_start('third', NULL)}, q{feed_read('archive', 40)}, q{feed_done('archive', ':position')},
	q{feed_stop('search')}, q{undo_since(1, '2026-03-01')}, q{undo_since(5, '2026-03-01', false)}, 'undo(:touched)',
	q{log_event(1, 'phone_call', NULL, '{"minutes": 5}')},
	# people, hours and promises
	q{create_user('new@desk.example', 'New Hand', 'agent', 1, 'crm-new')}, q{create_team('Third line')}, 'add_team_member(1, 1, 5)',
	q{create_calendar('shop', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}', '["2026-12-25"]')},
	q{update_calendar(1, name => 'Office hours', hours => '{"mon-fri": "08:00-17:00"}')},
	q{create_sla_policy('Quick', '[{"metric": "resolution", "target": "4 hours", "calendar": "shop"}]', '{"priority": ["high"]}', 1)},
	q{update_sla_policy(1, name => 'All', targets => '[{"metric": "first_reply", "target": "2 hours"}]')},
	# tickets
	q{create_ticket('The lift is stuck', 'Between floors', 4, 'urgent', '{lift,Fire}', external_id => 'mail-99')},
	q{create_ticket('Again', external_id => 'mail-99', creator_id => 4)},
	q{update_ticket(3, '{"title": "Cold", "custom": {"since": null, "floor": 4}, "tags": ["heat", "Cold"], "assignee_id": 2}')},
	q{set_status(2, 'pending')}, q{set_status(13, 'resolved')}, q{set_priority(2, 'urgent')}, 'assign_ticket(3, 2, 1)',
	'assign_ticket(2, NULL)', 'transfer_ticket_ownership(3, 4)',
	q{add_comment(2, 'It is broken', external_id => 'mail-77', author_id => 5)},
	q{add_comment(13, 'On my way', true, author_id => 2)}, q{add_comment(12, 'Done', status => 'resolved')},
	q{edit_comment(1, 1, 'I am on my way')}, q{delete_comment(1, 1, 'a slip')}, 'restore_comment(1, 1)',
	q{add_attachment(1, 'fire.txt', 'so hot', 'text/plain', 1)}, q{tag_ticket(2, '{fire,new}')}, q{untag_ticket(2, '{Till}')},
	q{watch_ticket(2, 3, 'cc')}, 'unwatch_ticket(1, 5)', q{delete_ticket(13, 'a test')}, 'restore_ticket(4)', 'restore_ticket(5)',
	'restore_ticket(13)', 'deactivate_user(2, 3)', 'reactivate_user(2)', q{set_user_role(2, 'light_agent', 3)}, q{set_user_role(2, 'agent')},
	# upkeep
	'sla_reapply()', 'sla_reapply(1)', q{sla_reapply(1, 'now')}, 'sla_tick()', 'sla_tick(2)', q{purge_deleted('1 second')}, 'fold_stats()', 'verify_stats()',
	'check_history()', 'rebuild_stats()',
	'export_user(5)', 'erase_user(5)', q{redact_comment(1, 2, 'angry', 'sad')}, q{place_hold(1, NULL, 'in court')}, 'place_hold(NULL, 3)', 'lift_hold(5001)',
	q{set_ticket_rule('old', '{"status": ["closed", "resolved"]}', '1 day', 'erase_content')}, 'apply_ticket_rules()', 'apply_ticket_rules(false)', 'erase_user(5, false)',
	'maintain()', q{attach_month('2025-01-01')}, 'seal_audit()', 'verify_audit()', 'audit_proof(:sealed)',
	'check_audit_proof(support.audit_proof(:sealed))', 'install()',
	# who may see and do what
	'access_matrix()', q{grant_access('pg_monitor', 'reporter')}, q{revoke_access('pg_monitor')}, 'act(support.issue_token(2))', 'revoke_tokens(2)', 'set_actor(1)');
my %aggregates = (
	sparkline => '7::pg_catalog.float8',
	histogram => '7::pg_catalog.float8',
	histogram_merge => q{E'\\\\x010702'::pg_catalog.bytea});

# Tables: columns that a row is made of, a row, a change of it, and the key that finds it
my @tables = (
	[ 'organizations', 'id, name', q{900, 'Fabrikam'}, q{external_id = 'crm-9'}, 'id' ],
	[ 'users', 'id, email, full_name', q{900, 'fay@fabrikam.example', 'Fay'}, q{time_zone = 'Europe/Berlin'}, 'id' ],
	[ 'teams', 'id, name', q{900, 'Second line'}, q{created_at = '2026-01-01'}, 'id' ],
	[ 'team_members', 'team_id, user_id', '1, 4', 'capacity = 7', 'team_id, user_id' ],
	[ 'statuses', 'name, category, position', q{'spam', 'closed', 70}, 'position = 80', 'name' ],
	[ 'status_transitions', 'from_status, to_status', q{'closed', 'open'}, q{to_status = 'open'}, 'from_status, to_status' ],
	[ 'priorities', 'name, rank', q{'panic', 99}, 'weight = 9', 'name' ],
	[ 'calendars', 'id, name, time_zone', q{900, 'night', 'UTC'}, q{time_zone = 'Europe/Berlin'}, 'id' ],
	[ 'calendar_hours', 'id, calendar_id, weekday, opens, closes', q{900, 1, 6, '09:00', '17:00'}, q{closes = '18:00'},
		'id' ],
	[ 'calendar_holidays', 'id, calendar_id, day', q{900, 1, '2026-12-31'}, q{name = 'Old year'}, 'id' ],
	[ 'sla_policies', 'id, name, position', q{900, 'VIP', 7}, 'is_active = false', 'id' ],
	[ 'sla_targets', 'id, policy_id, metric, target', q{900, 1, 'next_reply', '04:00'}, q{target = '3 hours'}, 'id' ],
	[ 'tickets', 'id, title, description, creator_id, team_id', q{900, 'Plain', 'text', 4, 1}, q{status = 'pending', assignee_id = 3}, 'id' ],
	[ 'comments', 'ticket_id, id, author_id, content', q{12, 900, 2, 'Plain'}, q{content = 'Plainer'}, 'ticket_id, id' ],
	[ 'attachments', 'ticket_id, id, filename', q{12, 900, 'plain.txt'}, 'byte_size = 7', 'ticket_id, id' ],
	[ 'tags', 'id, name', q{900, 'plain'}, q{name = 'Plain'}, 'id' ],
	[ 'ticket_tags', 'ticket_id, tag_id', '3, 2', 'tag_id = 2', 'ticket_id, tag_id' ],
	[ 'ticket_watchers', 'ticket_id, user_id', '2, 4', q{kind = 'cc'}, 'ticket_id, user_id' ],
	[ 'audit_log', 'action, ticket_id', q{'visit', 2}, q{db_role = 'x'}, undef ]);
my %kept = map { $_ => 1 } qw(backlog sla_clocks sla_events);

# Plain SQL on a table by every road
sub roads
{
	my ($table, $columns, $values, $change, $key) = @_;
	my $insert = "INSERT INTO support.$table ($columns) VALUES ($values)";
	my (%value, $found);

	return ("$insert;", "UPDATE support.$table SET $change;", "DELETE FROM support.$table;") if !defined $key;
	@value{ split /, /, $columns } = $values =~ /('[^']*'|\d+)/g;
	$found = join ' AND ', map { "t.$_ OPERATOR(pg_catalog.=) $value{$_}" } split /, /, $key;
	my ($select, $delete) = map { "$_ FROM support.$table AS t WHERE $found;" } ('SELECT *', 'DELETE');
	my $merge = "MERGE INTO support.$table AS t USING (VALUES (1)) AS s ON $found";
	my $copied = join "\t", map { /^'(.*)'$/ ? $1 : $_ } @value{ split /, /, $columns };
	return (
		"$insert;", "$insert ON CONFLICT ($key) DO UPDATE SET $change;",
		"UPDATE support.$table AS t SET $change WHERE $found;", "$merge WHEN MATCHED THEN UPDATE SET $change;",
		$select, $delete,
		"$merge WHEN NOT MATCHED THEN INSERT ($columns) VALUES ($values);",
		$select, $delete,
		"COPY support.$table ($columns) FROM stdin;\n$copied\n\\.",
		$select, $delete);
}

my $node = start_server('desk', 'log_statement = none', 'max_parallel_workers = 4');
my @roles = ('reader', 'app', 'postgres');
my @paths = ('hostile, pg_catalog', 'pg_catalog, hostile', 'pg_temp, hostile, support, pg_catalog');

# Put seven weeks of work by its owner and the traps into a database with a desk, for the roles to find
sub fill
{
	my ($database, @owner) = @_;

	add_own_objects($node, $database, @owner);
	use_desk($node, $database, @owner);
	$node->safe_psql($database, 'CREATE TABLE support_internal.audit_log_2025_01 (LIKE support.audit_log INCLUDING CONSTRAINTS)', @owner);
	$node->safe_psql($database, app_grants('app') . <<"SQL" . slurp_file("$FindBin::Bin/../shadows.sql"));
GRANT USAGE ON SCHEMA support TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO reader;
CREATE FUNCTION public.start_sequences()
RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
	SELECT setval(s.seqrelid::regclass, 5000) FROM pg_sequence AS s;
END;
ALTER DATABASE $database SET support_ext.now = '2026-03-20 09:00+00';
ALTER DATABASE $database SET support_ext.actor_id = 1;
VACUUM ANALYZE;
SQL
	return;
}

sub ask { return $node->safe_psql('desk', @_) }

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE reader LOGIN;
CREATE DATABASE desk;
SQL
ask('CREATE EXTENSION support_ext');
fill('desk');

my ($functions, $views, $tables) = map { [ split /\n/, ask($_) ] } (
	q{SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'support'::regnamespace ORDER BY 1},
	q{SELECT viewname FROM pg_views WHERE schemaname = 'support' ORDER BY 1},
	q{SELECT tablename FROM pg_tables WHERE schemaname = 'support' ORDER BY 1});

# What there is instead of a word that is not there
sub those_there_are
{
	my ($sql) = @_;
	my (undef, $message) = sqlstate($node, 'desk', $sql);

	return split /, /, $message =~ /There are: (.*)\./ ? $1 : '';
}

# Every metric by one of its groups and without any, and the first metric by every group
my @metrics = those_there_are(q{SELECT support.report('')});
my @reports;
foreach my $i (0 .. $#metrics)
{
	my @groups = those_there_are("SELECT support.report('$metrics[$i]', group_by => '')");
	my @chosen = $i == 0 ? @groups : $groups[ $i % @groups ];

	push @reports, map { "report('$metrics[$i]', '2026-01-01', '2026-04-01', 'month'$_)" } '', map { ", group_by => '$_'" } @chosen;
}
cmp_ok(scalar @reports, '>', 40, 'every metric is reported');

my %value = (
	snapshot => ask('SELECT pg_current_snapshot()'),
	position => ask(q{SELECT max(feed_position) FROM support.feed_read('archive', 3)}),
	touched => ask(q{SELECT max(id) FROM support.audit_log WHERE ticket_id = 3 AND new_value ? 'title'}),
	sealed => ask('SELECT min(id) FROM support.audit_log WHERE ticket_id = 1'));
@calls = map { $_ eq ':every_report' ? @reports : s/:(\w+)/$value{$1} \/\/ ":$1"/ger } @calls;

my %called = map { map { $_ => 1 } /(?:^|support\.)(\w+)\(/g } @calls, map { "$_(" } keys %aggregates;
is(join(' ', @$functions), join(' ', sort keys %called), 'the test has arguments for every function');
is(join(' ', @$tables), join(' ', sort qw(backlog holds search_words sla_clocks sla_events ticket_rules), map { $_->[0] } @tables), 'and a row for every table');

my @statements = (
	(map { "SELECT * FROM support.$_;" } @calls),
	(map { "SELECT support.$_(v) FROM (VALUES ($aggregates{$_})) AS v (v);" } sort keys %aggregates),
	(map { roads(@$_) } @tables),
	'DELETE FROM support.tickets AS t WHERE t.id OPERATOR(pg_catalog.=) 1;', 'SELECT * FROM support.restore_ticket(1);',
	'TRUNCATE support.ticket_tags;',
	(map { ("SELECT * FROM support.$_;", "SELECT pg_catalog.count(*) FROM support.$_;") } @$views),
	(map { $_ eq 'audit_log' ? () : "SELECT * FROM support.$_;" } @$tables),
	'SELECT action, actor_id, db_role, table_name, record_id, ticket_id, old_value, new_value FROM support.audit_log;');

# What a role gets in a session that makes some statements several times: each time, in a transaction that comes to nothing,
# with a script to go before and one to come before the end
sub work_as
{
	my ($role, $database, $work, @runs) = @_;
	my $script = "\\set ON_ERROR_ROLLBACK on\n\\set VERBOSITY terse\nSELECT hostile.plant_temporary();\n";
	my ($out, $err);

	foreach my $run (@runs)
	{
		my ($before, $after) = ref $run ? @$run : ($run, '');

		$script .= join "\n", 'SELECT public.start_sequences();', $before, 'BEGIN;', '\echo ===', '\warn ===', $work, $after,
			'\echo = end', '\warn = end', 'ROLLBACK;', "RESET ALL;\n";
	}
	$node->psql($database, $script, stdout => \$out, stderr => \$err, on_error_stop => 0, as($role));
	my @out = split /^===\n/m, $out;
	my @err = split /^===\n/m, $err;
	return map { [ said($out[$_]), said($err[$_]) ] } 1 .. @runs;
}

# What was said to each statement
sub said
{
	my ($text) = @_;
	my %said = $text =~ /^= (\d+)\n(.*?)(?=^= )/msg;

	s/^psql:\S+ //gm foreach values %said;
	return \%said;
}

# The statements to which two runs had different answers, in whatever order, and the answers
sub disagreement
{
	my ($run, $good) = @_;
	my @lines;

	foreach my $i (0 .. $#statements)
	{
		my ($got, $expected) = map { join '', sort split /^/, ($_->[0]{$i} // '') . ($_->[1]{$i} // '') } $run, $good;

		push @lines, "$statements[$i]\n" . difference($got, $expected) if $got ne $expected;
	}
	return join "\n", map { substr $_, 0, 500 } @lines[0 .. ($#lines < 9 ? $#lines : 9)];
}

# The traps that the server met since it had written so much
sub met_since
{
	my ($offset) = @_;
	my %met = map { $_ => 1 } slurp_file($node->logfile, $offset) =~ /(SHADOW .*)/g;

	return join "\n", sort keys %met;
}

# A statement, and a mark before what is said to it
sub marked
{
	my ($i, $sql) = @_;

	return "\\echo = $i\n\\warn = $i\n$sql\n";
}

my $work = join '', map { marked($_, $statements[$_]) } 0 .. $#statements;

# What refuses each role, of all that it did
my %refusals = (
	postgres => join("\n", ('audit_log: the audit log is append-only') x 2,
		'ticket_tags: support.ticket_tags cannot be truncated: the audit log would not see it'),
	app => join("\n",
		'configure: only the owner of the desk may configure it',
		'purge_deleted: only the owner of the desk may purge',
		'verify_stats: only the owner of the desk may check what was counted',
		'check_history: only the owner of the desk may check histories',
		'rebuild_stats: only the owner of the desk may count everything anew',
		'export_user: only the owner of the desk may export what there is of a user',
		'erase_user: only the owner of the desk may erase a user',
		'redact_comment: only the owner of the desk may redact a comment',
		('place_hold: only the owner of the desk may place a hold') x 2,
		'lift_hold: only the owner of the desk may lift a hold',
		'set_ticket_rule: only the owner of the desk may set a rule for tickets',
		('apply_ticket_rules: only the owner of the desk may apply the rules for tickets') x 2,
		'erase_user: only the owner of the desk may erase a user',
		'maintain: only the owner of the desk may maintain the log',
		'attach_month: only the owner of the desk may put a month back',
		'seal_audit: only the owner of the desk may seal the audit log',
		'install: permission denied for schema support_internal',
		'grant_access: only the owner of the desk may grant access', 'revoke_access: only the owner of the desk may revoke access',
		(map { "$_: role \"app\" may not issue or revoke tokens" } 'act', 'revoke_tokens'),
		('audit_log: permission denied for table audit_log') x 3, 'ticket_tags: permission denied for table ticket_tags'));

sub refusals
{
	my ($run) = @_;
	my @refusals;

	foreach my $i (0 .. $#statements)
	{
		my ($why) = $run->[1]{$i} =~ /ERROR:  (.*)/ or next;
		push @refusals, "$1: " . ($why =~ s/ at character \d+//r) if $statements[$i] =~ /support\.(\w+)/;
	}
	return join "\n", @refusals;
}

# The traps are traps: none of these says what it says without walking into one

my @walks = (
	'SELECT id = 1 FROM support.tickets LIMIT 1', q{SELECT 'a'::text = 'b'::text}, q{SELECT nullif(status, title) FROM support.tickets LIMIT 1},
	'SELECT status IS DISTINCT FROM title FROM support.tickets LIMIT 1', q{SELECT name IN ('open', 'closed') FROM support.statuses},
	q{SELECT CASE name WHEN 'open' THEN 1 END FROM support.statuses}, 'SELECT id BETWEEN 1 AND 2 FROM support.tickets LIMIT 1',
	'SELECT FROM support.statuses JOIN support.priorities USING (name)', 'SELECT FROM support.statuses NATURAL JOIN support.priorities',
	'SELECT FROM (VALUES (1)) AS a (x) FULL JOIN (VALUES (2)) AS b (x) USING (x)', 'SELECT id = ANY (ARRAY[1::int8]) FROM support.tickets',
	q{SELECT (name, category) = ('open', 'open') FROM support.statuses}, q{SELECT name LIKE 'o%' FROM support.statuses},
	q{SELECT '{}'::pg_catalog.jsonb ->> 'a'}, 'SELECT title || 1 FROM support.tickets LIMIT 1', 'SELECT - id FROM support.tickets LIMIT 1',
	'SELECT lower(title) FROM support.tickets LIMIT 1', 'SELECT left(title, 3) FROM support.tickets LIMIT 1',
	'SELECT format($$%s$$, VARIADIC ARRAY[title]) FROM support.tickets LIMIT 1', 'SELECT count(*) FROM support.tickets', 'SELECT max(id) FROM support.tickets',
	'SELECT array_agg(id) FROM support.tickets', q{SELECT string_agg(name, ',') FROM support.statuses}, 'SELECT now()',
	'SELECT FROM generate_series(1, 2)', q{SELECT FROM unnest(ARRAY['a'::pg_catalog.text])}, q{SELECT concat_ws(',', 'a', 'b')},
	'SELECT 1::text', q{SELECT text '1'}, q{SELECT '1'::int8}, 'SELECT FROM tickets', 'SELECT FROM pg_class', 'SELECT FROM statuses',
	'SELECT id FROM support.tickets ORDER BY id USING <', 'SELECT FROM get_ticket(1)');
my %met_by_chance;
foreach my $path (@paths)
{
	my $script = join '', map { marked($_, "$walks[$_];") } 0 .. $#walks;
	my ($run) = work_as('reader', 'desk', $script, "SET search_path = $path;");

	$met_by_chance{$_} .= $run->[1]{$_} foreach 0 .. $#walks;
}
is(join("\n", map { $met_by_chance{$_} =~ /SHADOW/ ? () : "$walks[$_]: $met_by_chance{$_}" } 0 .. $#walks),
	'', 'who leaves names to the path walks into a trap');

# Everything, as everybody

my $invalidation = PostgreSQL::Test::Utils::tempdir . '/invalidate.sql';
append_to_file($invalidation, ask(<<'SQL') . "\nANALYZE;\n");
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 50;', a.attrelid::regclass, min(a.attname))
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND c.relnamespace::regnamespace::text ~ '^support'
GROUP BY a.attrelid
SQL
my $invalidate = "\\! psql -X -q -d '" . $node->connstr('desk') . "' -f $invalidation\n";
my $parallel = join "\n", map { "SET $_;" } 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0',
	($node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode') . ' = on';
my %again = (
	'plans of before' => "SET search_path = $paths[0];",
	'plans of before, by types' => 'SET search_path = hostile;',
	'plans that became invalid' => "${invalidate}SET search_path = $paths[0];",
	'parallel workers' => "$parallel\nSET search_path = $paths[1];");

foreach my $role (@roles)
{
	my $offset = -s $node->logfile;
	my @again = sort keys %again;
	my ($good, @runs) = work_as($role, 'desk', $work, '', @again{@again});

	is(scalar keys %{ $good->[0] }, scalar @statements, "$role: every statement has an answer");
	is(met_since($offset), '', "$role: no trap is met where plans were made before");
	is(disagreement($runs[$_], $good), '', "$role: $again[$_]: all comes out alike") foreach 0 .. $#again;
	foreach my $path (@paths)
	{
		$offset = -s $node->logfile;
		my ($fresh) = work_as($role, 'desk', $work, "SET search_path = $path;");
		is(met_since($offset), '', "$role: $path: no trap is met");
		is(disagreement($fresh, $good), '', "$role: $path: all comes out alike");
	}
	is(refusals($good), $refusals{$role}, "$role: no statement was refused but where it must be") if defined $refusals{$role};
}

# Settings of a session that change what a text means or how a value is written: the same is done, and what came of it is
# looked at under the settings of always

my %is_void = map { $_ => 1 } split /\n/, ask(<<'SQL');
SELECT proname FROM pg_proc WHERE pronamespace = 'support'::regnamespace AND prorettype = 'void'::regtype
SQL
my %odd = (
	'texts and times' => ['standard_conforming_strings = off', 'backslash_quote = off', 'escape_string_warning = off',
		'transform_null_equals = on', 'array_nulls = off', q{timezone_abbreviations = 'India'}, 'quote_all_identifiers = on', 'xmloption = document',
		q{default_text_search_config = 'pg_catalog.german'}, 'bytea_output = escape', 'extra_float_digits = -15',
		q{DateStyle = 'German, DMY'}, 'IntervalStyle = sql_standard'],
	'plans and times' => [q{DateStyle = 'SQL, MDY'}, 'IntervalStyle = iso_8601', 'row_security = off', 'jit = off',
		'plan_cache_mode = force_custom_plan', 'enable_seqscan = off', 'enable_hashjoin = off', 'enable_hashagg = off',
		'enable_nestloop = off', 'enable_material = off'],
	'other plans and times' => [q{DateStyle = 'Postgres, DMY'}, 'IntervalStyle = postgres_verbose', 'jit = off',
		'plan_cache_mode = force_generic_plan', 'enable_indexscan = off', 'enable_bitmapscan = off', 'enable_indexonlyscan = off',
		'enable_mergejoin = off', 'enable_sort = off', 'enable_memoize = off']);
# later servers have but one value of some
@$_ = grep { sqlstate($node, 'desk', "SET $_") eq '' } @$_ foreach values %odd;
my ($kept, $look) = ('', "RESET ALL;\n");

foreach my $i (0 .. $#statements)
{
	my $sql = $statements[$i];

	if ($sql !~ /^SELECT/ || ($sql =~ /^SELECT \* FROM support\.(\w+)\(/ && $is_void{$1}))
	{
		$kept .= marked($i, $sql);
	}
	elsif ($sql =~ /^SELECT \* FROM support\.verify_/)
	{
		$look .= marked($i, $sql);
	}
	elsif ($sql !~ / AS t WHERE |count/)
	{
		$kept .= "CREATE TEMPORARY TABLE answer_$i AS $sql\n";
		$look .= marked($i, "SELECT * FROM answer_$i;");
	}
}
my @odd = sort keys %odd;
my ($usual, @runs) = work_as('postgres', 'desk', $kept, [ '', $look ], map { [ join("\n", map { "SET $_;" } @{ $odd{$_} }), $look ] } @odd);
is(disagreement($runs[$_], $usual), '', "settings of $odd[$_]: the same comes of all") foreach 0 .. $#odd;

# A desk made by an administrator who has such settings and walks among traps

publish_next_version();
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach 'plain', 'odd';
$node->safe_psql('plain', 'CREATE EXTENSION support_ext');
$node->safe_psql('odd', slurp_file("$FindBin::Bin/../shadows.sql"));
$node->safe_psql('postgres', join '', map { "ALTER DATABASE odd SET $_;\n" } "search_path = $paths[0]", @{ $odd{'texts and times'} });
my $before = -s $node->logfile;
$node->safe_psql('odd', $_) foreach 'CREATE EXTENSION support_ext', "ALTER EXTENSION support_ext UPDATE TO '1.0.1'",
	'DROP EXTENSION support_ext CASCADE', 'CREATE EXTENSION support_ext';
is(met_since($before), '', 'no trap is met when a desk is made, brought forward and taken up again');
$node->safe_psql('odd', 'SET search_path = pg_catalog; DROP SCHEMA hostile CASCADE');
$node->safe_psql('postgres', 'ALTER DATABASE odd RESET ALL');
is(difference(structure_of($node, 'odd'), structure_of($node, 'plain')), '', 'and it is a desk like others');
is(rows_of($node, 'odd') =~ s/^support_internal\.(eras|schema_version)\|.*\n//mgr,
	rows_of($node, 'plain') =~ s/^support_internal\.(eras|schema_version)\|.*\n//mgr, 'with the rows of others');

# A desk of an ordinary role: nobody else's rights are got by it, the owner's neither

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE desk_owner LOGIN;
GRANT SET ON PARAMETER support_ext.now TO desk_owner;
CREATE DATABASE owned OWNER desk_owner;
SQL
$node->safe_psql('owned', install_off() . <<'SQL');
CREATE EXTENSION support_ext;
ALTER SCHEMA support OWNER TO desk_owner;
ALTER SCHEMA support_internal OWNER TO desk_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO desk_owner WITH GRANT OPTION;
SQL
$node->safe_psql('owned', 'SELECT support.install()', as('desk_owner'));
fill('owned', as('desk_owner'));
foreach my $role ('app', 'postgres')
{
	my $offset = -s $node->logfile;
	my ($good, $run) = work_as($role, 'owned', $work, '', "SET search_path = $paths[0];");

	is(met_since($offset), '', "a desk of an ordinary role: $role meets no trap");
	is(disagreement($run, $good), '', "a desk of an ordinary role: $role: all comes out alike");
}

# What SQL functions of the desk mean is settled when they are made, or they name everything by its schema

foreach my $database ('desk', 'plain')
{
	is($node->safe_psql($database, <<'SQL'), '', "$database: no SQL function leaves a name to the caller");
SELECT oid::regprocedure
FROM pg_proc AS p
CROSS JOIN regexp_replace(prosrc, $$'[^']*'|OPERATOR\(pg_catalog\.\S+\)|\.\*$$, '', 'g') AS body
WHERE pronamespace::regnamespace::text IN ('support', 'support_internal') AND prokind = 'f'
	AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')
	AND prosqlbody IS NULL AND NOT coalesce(proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)
	AND (body ~ '[-+*/<>=~!@#%^&|`?]|::\w+(?!\w|\.)|\y(FROM|JOIN)\s+\w+(?!\w|\.)' OR body ~ '(?<![\w.])(?!coalesce\y)\w+\s*\(')
SQL
}

# Triggers of the application see the path of whoever changes a row, and the owner's where the desk's owner does

ask(<<'SQL');
GRANT USAGE ON SCHEMA shop TO app;
CREATE TABLE shop.notes (id bigint GENERATED ALWAYS AS IDENTITY, note text);
GRANT INSERT ON shop.notes TO app;
CREATE FUNCTION shop.take_note()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO shop.notes (note)
	VALUES (format('%s by %s, path %s, notes %s', TG_OP, current_user, current_setting('search_path'), to_regclass('notes')));
	IF NEW.title = 'refuse' AND TG_OP = 'UPDATE' THEN
		RAISE division_by_zero;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER take_note AFTER INSERT OR UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION shop.take_note();
SQL
is(ask(<<'SQL', as('app')), "shop\nshop", 'the path is the caller\'s after errors');
SET search_path = shop;
SELECT support.create_ticket('Noted', creator_id => 4) AS noted \gset
INSERT INTO support.tickets (title, description, creator_id) VALUES ('Plain', '', 4);
SELECT support.set_status(:noted, 'pending') \g /dev/null
SET search_path = public;
SELECT support.set_status(:noted, 'open') \g /dev/null
UPDATE support.tickets SET channel = 'web' WHERE id = :noted;
SET search_path = shop;
SELECT support.add_comment(:noted, 'Soon', author_id => 3) \g /dev/null
SELECT support.create_ticket('refuse', creator_id => 4) AS refused \gset
\set ON_ERROR_STOP off
SELECT support.add_comment(:refused, 'Soon', author_id => 3) \g /dev/null
SHOW search_path;
BEGIN;
SAVEPOINT a;
SELECT support.add_comment(:refused, 'Soon', author_id => 3) \g /dev/null
ROLLBACK TO a;
SHOW search_path;
COMMIT;
SQL
is(ask('SELECT note FROM shop.notes ORDER BY id'), <<'TEXT' =~ s/\n\z//r, 'triggers see the path of whoever changes the row');
INSERT by app, path shop, notes notes
INSERT by app, path shop, notes notes
UPDATE by app, path shop, notes notes
UPDATE by app, path public, notes 
UPDATE by app, path public, notes 
UPDATE by postgres, path pg_catalog, pg_temp, notes 
INSERT by app, path shop, notes notes
TEXT

done_testing();
