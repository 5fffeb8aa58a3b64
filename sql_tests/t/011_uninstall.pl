# Taking the extension away and taking the desk up again, a desk of another layout, and installing more than once.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('desk');
my $dir = PostgreSQL::Test::Utils::tempdir;

# A new database, with the extension unless told otherwise
sub create_database
{
	my ($database, $sql) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $sql // 'CREATE EXTENSION support_ext');
	return;
}

# The lines of a description that match
sub lines_like
{
	my ($description, $pattern) = @_;

	return join "\n", grep { /$pattern/ } split /\n/, $description;
}

# Columns of the desk that have a default
sub defaults_of
{
	my ($database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT format('%s.%s', c.oid::regclass, a.attname)
FROM pg_attrdef AS d
JOIN pg_class AS c ON c.oid = d.adrelid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.adnum AND a.attgenerated = ''
WHERE c.relnamespace::regnamespace::text = 'support'
ORDER BY 1
SQL
}

sub views_of
{
	my ($database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT format('%s.%s', schemaname, viewname) FROM pg_views WHERE schemaname IN ('support', 'shop') ORDER BY 1
SQL
}

# How many objects of any kind the schemas hold, or 'none' if there are no such schemas
sub objects_in_schemas
{
	my ($database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT coalesce(sum((SELECT count(*) FROM pg_depend AS d
	WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid))::text, 'none')
FROM pg_namespace AS n
WHERE n.nspname IN ('support', 'support_internal')
SQL
}

# What one statement writes to the log: era, action, table and record of each entry
sub entries_of
{
	my ($database, $sql) = @_;
	my $last = $node->safe_psql($database, 'SELECT coalesce(max(id), 0) FROM support.audit_log');

	$node->safe_psql($database, $sql);
	return $node->safe_psql($database, <<"SQL");
SELECT era, action, table_name, record_id FROM support.audit_log WHERE id > $last ORDER BY id
SQL
}

# Partitions of the log, at any level, that can be truncated
sub partitions_that_go
{
	my @partitions = split /\n/, $node->safe_psql('desk', q(SELECT relid FROM pg_partition_tree('support.audit_log')));

	cmp_ok(scalar @partitions, '>', 6, 'the log has its months and some more');
	return join ' ', grep { sqlstate($node, 'desk', "BEGIN; TRUNCATE $_; ROLLBACK") ne '55000' } @partitions;
}

# A fresh desk to compare with
create_database('fresh');
my $fresh_structure = structure_of($node, 'fresh');

# DROP EXTENSION ... CASCADE keeps every row

create_database('desk');
add_own_objects($node, 'desk');
use_desk($node, 'desk');
every_table_has_rows($node, 'desk', 'the used desk has rows in every table');
$node->safe_psql('desk', <<'SQL');
SELECT support.maintain();
CREATE TABLE shop.log_of_2099 PARTITION OF support.audit_log FOR VALUES FROM ('2099-01-01 00:00+00') TO ('2100-01-01 00:00+00')
	PARTITION BY RANGE (occurred_at);
CREATE TABLE shop.log_of_2099_spring PARTITION OF shop.log_of_2099 FOR VALUES FROM (MINVALUE) TO ('2099-07-01 00:00+00');
SELECT support.maintain();
SQL
is(partitions_that_go(), '', 'months of the log, and their own partitions, refuse TRUNCATE');
my ($rows, $structure, $members) = (rows_of($node, 'desk'), structure_of($node, 'desk'), members_of($node, 'desk'));
my $defaults = defaults_of('desk');
my $views = views_of('desk');

$node->safe_psql('desk', 'DROP EXTENSION support_ext CASCADE');
is(difference(rows_of($node, 'desk'), $rows), '', 'without the extension every row and sequence is there');
is(members_of($node, 'desk'), '', 'no function of ours is');
my $bare_structure = structure_of($node, 'desk');
is( lines_like($bare_structure, qr/^trigger/),
	lines_like($structure, qr/^trigger .* shop\.note_change\(\) O$/),
	'of the triggers only the user\'s own is left');
is(difference(defaults_of('desk'), $defaults), <<'LOST' =~ s/\n\z//r, 'these columns have lost their defaults');
- support.attachments.created_at
- support.audit_log.actor_id
- support.audit_log.occurred_at
- support.calendars.created_at
- support.comments.created_at
- support.holds.placed_at
- support.organizations.created_at
- support.sla_policies.created_at
- support.teams.created_at
- support.ticket_rules.created_at
- support.tickets.created_at
- support.tickets.status
- support.tickets.ticket_number
- support.tickets.updated_at
- support.users.created_at
- support.users.updated_at
LOST
is(difference(views_of('desk'), $views), <<'LOST' =~ s/\n\z//r, 'these views are gone, and the user\'s views on them');
- shop.my_request_attachments
- shop.my_request_comments
- shop.my_requests
- shop.my_tickets
- shop.report_activity
- shop.report_agents
- shop.report_aging
- shop.report_backlog
- shop.report_backlog_history
- shop.report_channels
- shop.report_daily
- shop.report_first_reply
- shop.report_heatmap
- shop.report_organizations
- shop.report_priority
- shop.report_resolution
- shop.report_sla
- shop.report_status
- shop.report_tags
- shop.report_teams
- shop.report_time_in_status
- shop.report_unanswered
- shop.sla_status
- shop.ticket_list
- shop.unsolved_tickets
- support.my_request_attachments
- support.my_request_comments
- support.my_requests
- support.my_tickets
- support.report_activity
- support.report_agents
- support.report_aging
- support.report_backlog
- support.report_backlog_history
- support.report_channels
- support.report_daily
- support.report_first_reply
- support.report_heatmap
- support.report_organizations
- support.report_priority
- support.report_resolution
- support.report_sla
- support.report_status
- support.report_tags
- support.report_teams
- support.report_time_in_status
- support.report_unanswered
- support.sla_status
- support.ticket_list
- support.unsolved_tickets
LOST
foreach my $kind (qw(constraint index sequence schema))
{
	is( difference(lines_like($bare_structure, qr/^$kind/), lines_like($structure, qr/^$kind/)),
		'', "nothing of the kind $kind is lost");
}
$node->safe_psql('desk', <<'SQL');
UPDATE support.tickets SET title = 'Changed while nobody looked' WHERE id = 1;
SQL
is( $node->safe_psql('desk', 'SELECT count(*), max(id) FROM support.audit_log'),
	$rows =~ /^support\.audit_log\|(\d+)\|/m ? "$1|456" : 'none',
	'the tables take changes, which nobody logs');
is(scalar sqlstate($node, 'desk', "INSERT INTO support.tickets (title, description, creator_id) VALUES ('', '', 4)"),
	'23502', 'and what the desk filled in must be given');

# A later CREATE EXTENSION takes the desk up again

$rows = rows_of($node, 'desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
is( difference(map { lines_like($_, qr/^(?!support_internal\.stat_)/) } rows_of($node, 'desk'), $rows),
	'', 'with the extension again every row is as it was left');
is($node->safe_psql('desk', 'SELECT * FROM support.verify_stats()'), '', 'and what the reports count is counted anew');
is( difference(
		lines_like(structure_of($node, 'desk'), qr/^(?!(?:relation|column) shop\.)/),
		lines_like($structure, qr/^(?!(?:relation|column) shop\.)/)),
	'', 'triggers, defaults and views are back');
is(partitions_that_go(), '', 'so are the guards of the log, month by month');
is(members_of($node, 'desk'), $members, 'the extension has the same members');
is(entries_of('desk', "UPDATE support.tickets SET title = 'Seen' WHERE id = 1"),
	'1|UPDATE|tickets|1', 'one change writes one entry, in the same era');
$node->safe_psql('desk', 'SELECT support.restore_ticket(4)');
is($node->safe_psql('desk', 'SELECT support.get_ticket(4, true) = ticket FROM shop.kept_tickets'),
	't', 'what was removed before can be restored');

# Dropping the schemas removes everything

$node->safe_psql('desk', <<'SQL');
DROP EXTENSION support_ext CASCADE;
DROP SCHEMA support, support_internal CASCADE;
SQL
is(objects_in_schemas('desk'), 'none', 'after the extension and the schemas nothing is left');
like(rows_of($node, 'desk'), qr/^shop\.orders\|[1-9]/m, 'but the user\'s own tables');

create_database('dropped');
$node->safe_psql('dropped', "SELECT support.create_user('ada\@desk.example', 'Ada Admin', 'admin')");
$node->safe_psql('dropped', 'DROP SCHEMA support, support_internal CASCADE');
is(objects_in_schemas('dropped'), 'none', 'dropping the schemas alone does the same');
is($node->safe_psql('dropped', "SELECT count(*) FROM pg_extension WHERE extname = 'support_ext'"),
	'0', 'the extension goes with them');
$node->safe_psql('dropped', 'CREATE EXTENSION support_ext');
is(difference(structure_of($node, 'dropped'), $fresh_structure), '', 'CREATE EXTENSION then makes a fresh desk');
is($node->safe_psql('dropped', "SELECT support.create_user('bob\@desk.example', 'Bob Agent', 'agent')"),
	'1', 'which begins with number one');

# A session that stays connected meanwhile keeps nothing of what is gone
is($node->safe_psql('dropped', <<'SQL'), <<'ANSWERS' =~ s/\n\z//r, 'one session lives through all of it');
SET client_min_messages = error;
SELECT support.set_actor(1);
SELECT support.create_ticket('Before', creator_id => 1);
DROP EXTENSION support_ext CASCADE;
CREATE EXTENSION support_ext;
SELECT support.set_status(1, 'pending');
SELECT string_agg(action, ' ' ORDER BY id) FROM support.audit_log;
DROP SCHEMA support, support_internal CASCADE;
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('After', creator_id => 1);
SELECT string_agg(action, ' ' ORDER BY id) FROM support.audit_log;
SQL
Bob Agent (agent)
1
2
INSERT INSERT UPDATE
1
1
INSERT INSERT
ANSWERS

# CREATE EXTENSION that is told to make no desk, or finds that it should not

my $not_installed = 'support desk not installed';
my $installs = 'SELECT support\.install\(\) makes it';
my %messages = (
	'support_ext.install = off' =>
		qr/NOTICE:  $not_installed: support_ext\.install is off\nHINT:  $installs/,
	"application_name = 'citus_internal gpid=1'" =>
		qr/NOTICE:  $not_installed: a distributed database is copying the extension to this node\nHINT:  $installs/,
	# scripts of pg_dump and pg_restore, which bring the desk themselves and want to hear nothing
	'row_security = off' => qr/^$/,
	'row_security = on' => qr/^$/);

foreach my $setting (sort keys %messages)
{
	$node->safe_psql('postgres', 'CREATE DATABASE bare');
	my ($status, $stdout, $stderr) = $node->psql('bare', "SET $setting;\nCREATE EXTENSION support_ext");
	is($status, 0, "CREATE EXTENSION under $setting succeeds");
	like($stderr, $messages{$setting}, 'says what there is to say');
	is(rows_of($node, 'bare'), '', 'makes no table');
	is(members_of($node, 'bare'), $members, 'but all functions');

	foreach my $call (
		"create_user('ada\@desk.example', 'Ada Admin')", 'get_ticket(1)', 'purge_deleted()', 'set_actor(1)')
	{
		my ($state, $message) = sqlstate($node, 'bare', "SELECT support.$call");
		is($state, '55000', "without a desk support.$call is refused");
		like($message, qr/HINT:  SELECT support\.install\(\)/, 'with a hint');
	}
	$node->safe_psql('bare', 'SELECT support.install()');
	is(difference(structure_of($node, 'bare'), $fresh_structure), '', 'support.install() makes the desk');
	is(members_of($node, 'bare'), $members, 'whose tables are no members of the extension');
	$node->safe_psql('postgres', 'DROP DATABASE bare');
}

# Installing again changes nothing, whatever the desk's owner made of it

create_database('edited');
$node->safe_psql('edited', <<'SQL');
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('The printer is on fire', creator_id => 1);
INSERT INTO support.statuses (name, category, position) VALUES ('spam', 'closed', 70);
DELETE FROM support.statuses WHERE name = 'on_hold';
UPDATE support.statuses SET position = 5 WHERE name = 'pending';
UPDATE support.tickets SET priority = NULL;
DELETE FROM support.priorities;
ALTER TABLE support.tickets ALTER COLUMN status SET DEFAULT 'pending';
ALTER TABLE support.users DISABLE TRIGGER support_truncate;
GRANT SELECT ON support.ticket_list TO PUBLIC;
SQL
foreach my $time ('once more', 'and again')
{
	my ($edited_rows, $edited_structure) = (rows_of($node, 'edited'), structure_of($node, 'edited'));
	my ($status, $stdout, $stderr) = $node->psql('edited', 'SELECT support.install()');
	is($status, 0, "support.install() $time");
	like($stderr, qr/NOTICE:  support desk ready: SELECT \* FROM support\.ticket_list;$/, 'says that all is ready');
	is(difference(rows_of($node, 'edited'), $edited_rows),
		'', 'it touches no row: no status or priority that was deleted comes back');
	is(difference(structure_of($node, 'edited'), $edited_structure), '', 'and nothing else');
}

# A desk of another layout. An older dump brings a desk that lacks what came later.

my @calls = (
	"create_user('bob\@desk.example', 'Bob')", 'deactivate_user(1)', 'reactivate_user(1)', "set_user_role(1, 'admin')", "create_team('First line')",
	'add_team_member(1, 1)',
	"create_ticket('x', creator_id => 1)", 'get_ticket(1)', "get_ticket_by_number('T-1')", 'show_ticket(1)',
	q(update_ticket(1, '{"title": "y"}')), "set_status(1, 'pending')", "set_priority(1, 'low')",
	'assign_ticket(1, NULL)', 'transfer_ticket_ownership(1, 1)',
	"add_comment(1, 'x', author_id => 1)", "edit_comment(1, 1, 'y')", 'delete_comment(1, 1)',
	'restore_comment(1, 1)', "add_attachment(1, 'a.txt', 'a')", 'attachment_content(1, 1)', "tag_ticket(1, '{a}')",
	"untag_ticket(1, '{a}')", 'watch_ticket(1, 1)', 'unwatch_ticket(1, 1)', 'delete_ticket(1)', 'restore_ticket(1)',
	'purge_deleted()', "log_event(1, 'x')", 'ticket_history(1)', 'set_actor(1)');
my @statements = (
	(map { "SELECT support.$_" } @calls),
	"UPDATE support.tickets SET title = 'y'",
	'DELETE FROM support.tickets',
	"INSERT INTO support.tags (name) VALUES ('a')");

# Each call, in a session of its own, is refused with this hint, and the desk stays as it is
sub is_refused
{
	my ($name, $database, $hint, @refused) = @_;
	my $before = rows_of($node, $database);
	my @taken;

	foreach my $sql (@refused)
	{
		my ($state, $message) = sqlstate($node, $database, $sql);
		push @taken, "$sql: $state $message" unless $state eq '55000' && $message =~ /HINT:  $hint/;
	}
	is(join("\n", @taken), '', "$name: every function and change is refused with a hint");
	is( difference(lines_like(rows_of($node, $database), qr/^(?!.*_seq\|)/), lines_like($before, qr/^(?!.*_seq\|)/)),
		'', "$name: no row has changed");
	return;
}

create_database('older');
$node->safe_psql('older', <<'SQL');
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('The printer is on fire', creator_id => 1);
DELETE FROM support.statuses WHERE name = 'on_hold';
DROP INDEX support.ix_tickets_creator_id;
DROP VIEW support.report_teams;
DROP TRIGGER "A_support_after" ON support.ticket_watchers;
ALTER TABLE support.comments ALTER COLUMN created_at DROP DEFAULT;
UPDATE support_internal.schema_version SET version = 0;
SQL
my $older_rows = rows_of($node, 'older');
$node->command_ok([ 'pg_dump', '--format=custom', '--file', "$dir/older.dump", 'older' ], 'dump of an older layout');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname', 'restored', "$dir/older.dump" ], 'it can be restored');
is(difference(rows_of($node, 'restored'), $older_rows), '', 'with every row');
is_refused('an older layout', 'restored', 'SELECT support\.install\(\) brings the desk forward', @statements);

$older_rows = rows_of($node, 'restored');
$node->safe_psql('restored', 'SELECT support.install()');
is(difference(structure_of($node, 'restored'), $fresh_structure),
	'', 'support.install() adds the index, the view, the trigger and the default');
my $news = difference(rows_of($node, 'restored'), $older_rows) =~ s/\w{32}$//mgr;
is($news, <<'NEWS' =~ s/\n\z//r, 'and touches no row but its own note');
- support_internal.schema_version|1|
+ support_internal.schema_version|2|
NEWS
is(entries_of('restored', 'SELECT support.watch_ticket(1, 1)'), '2|INSERT|ticket_watchers|', 'the desk works again');

# A newer layout is not for this version, and install() would take it back
create_database('newer');
$node->safe_psql('newer', <<'SQL');
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('The printer is on fire', creator_id => 1);
UPDATE support_internal.schema_version SET version = 1000;
SQL
is_refused('a newer layout', 'newer',
	'Install the version of support_ext that the desk was last used with, or a later one',
	@statements, 'SELECT support.install()');

# Two sessions that make the same desk at once: the second waits, and finds it made

create_database('crowded', install_off() . 'CREATE EXTENSION support_ext');
foreach my $end (qw(ROLLBACK COMMIT))
{
	my $first = $node->background_psql('crowded');
	my $second = $node->background_psql('crowded');

	$first->query_safe('SET client_min_messages = warning; BEGIN; SELECT support.install()');
	$second->query_safe('SET client_min_messages = warning; BEGIN');
	$second->query_until(qr/begun/, "\\echo begun\nSELECT support.install();\n\\echo ended\n");
	ok( $node->poll_query_until('crowded', <<'SQL'), 'the second session waits for the first');
SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = 'crowded' AND wait_event_type = 'Lock'
SQL
	$first->query_safe($end);
	$second->query_until(qr/ended/, '');
	$second->query_safe($end);
	$first->quit;
	$second->quit;
	is( $node->safe_psql('crowded', "SELECT count(*) FROM pg_tables WHERE schemaname = 'support'"),
		$end eq 'COMMIT' ? $node->safe_psql('fresh', "SELECT count(*) FROM pg_tables WHERE schemaname = 'support'") : '0',
		"and makes the desk that there is after $end");
}
is(difference(structure_of($node, 'crowded'), $fresh_structure), '', 'both together make one desk');
is($node->safe_psql('crowded', <<'SQL'), '6|1', 'with one set of rows');
SELECT (SELECT count(*) FROM support.statuses), (SELECT count(*) FROM support_internal.eras)
SQL

done_testing();
