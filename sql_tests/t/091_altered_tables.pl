# Tables belong to people, who alter them. A desk's owner, who is no superuser, makes each column of each table NULL, of
# another type, drops it, renames it and gives it absurd values, puts something else in each table's place, and each time
# the desk does its work. It may refuse, with an SQLSTATE that a program can act on; it must not fall over, hang, or tell
# what it found in memory.
#
# There are some thousand cases. SUPPORT_EXT_TEST_CASES says which are tried: a share of them (0.01 unless set), which
# SUPPORT_EXT_TEST_SEED chooses; 1 is all; or a regular expression that their names match, which are the table, the
# column and what is done to it. SUPPORT_EXT_TEST_SESSIONS says how many sessions work at once, each on its own desk.

use strict;
use warnings;

use Desk;
use File::Basename;
use PostgreSQL::Test::Utils;
use Test::More;

my $sweep = $ENV{SUPPORT_EXT_TEST_CASES} // '0.01';
my $seed = take_seed();
my $sessions = $ENV{SUPPORT_EXT_TEST_SESSIONS} // 2;
my $scripts = dirname(__FILE__) . '/altered_tables';

# Cases that once brought the server down, were internal errors or told of its memory, tried each time
my @always = grep { /\S/ } split /\n/, <<'CASES';
support.calendar_hours weekday = 100000000
support.calendar_hours weekday = -2147483648
support.calendar_holidays day = 'infinity'
support.statuses category = 'no such'
support.sla_clocks cancel_reason null
support.sla_clocks metric = 'no such'
support.sla_clocks warn_percents = '{NULL,90}'
support.sla_clocks warn_percents = '{-1,2147483647}'
support.sla_clocks consumed = '2562047788 hours'
support.sla_events pause_categories null
support.sla_events kind = 'no such'
support.tickets reopen_count = 2147483647
support.tickets version = 9223372036854775807
support.audit_log id null
support.audit_log ticket_id = -1
support.audit_log ticket_id = -9223372036854775807 - 1
support.audit_log old_value = '"status"'
support.audit_log old_value = '[]'
support.audit_log new_value = '{}'
support.audit_log old_value = '{"status": null, "version": "x", "id": 1e30, "ticket_number": 5}'
support.audit_log as table
support.audit_log as view of other types
support.ticket_watchers with a column r
support.holds as view of other types
support.holds reason = 'no such'
support.holds user_id type text
support.ticket_rules filters = '[]'
support.ticket_rules keep_for = '178000000 years'
support_internal.audit_redactions digest null
support_internal.stat_values without rows
support_internal.stat_counters entries = 9223372036854775807
support_internal.schema_version version type bigint
CASES

# What is not NULL where the desk made it, and is relied on
my @required = map { [ split ] } grep { /\S/ } split /\n/, <<'COLUMNS';
support.users role
support.users is_active
support.statuses name
support.statuses category
support.statuses is_default
support.priorities name
support.tickets id
support.tickets status
support.tickets version
support.tickets title
support.tickets creator_id
support.tickets created_at
support.tickets reopen_count
support.comments content
support.comments is_private
support.comments created_at
support.tags name
support.calendars time_zone
support.calendar_hours weekday
support.calendar_hours opens
support.calendar_hours closes
support.calendar_holidays day
support.sla_policies name
support.sla_policies conditions
support.sla_policies position
support.sla_targets metric
support.sla_targets target
support.sla_targets warn_percents
support.ticket_rules filters
support.sla_clocks metric
support.sla_clocks state
support.sla_clocks target
support.sla_clocks consumed
support.sla_clocks checkpoint_at
support.sla_events occurred_at
support.audit_log id
support.audit_log action
support.audit_log occurred_at
COLUMNS

my $node = start_server('desk', 'log_statement = none', 'max_locks_per_transaction = 1024', 'autovacuum = off',
	'restart_after_crash = on', 'log_min_messages = fatal');
my @keeper = as('keeper');

# A desk of keeper's that has been used for a while, and what is done to it
sub make_desk
{
	my ($desk) = @_;

	$node->safe_psql('postgres', <<"SQL");
CREATE ROLE keeper LOGIN;
GRANT SET ON PARAMETER session_replication_role, support_ext.now TO keeper;
CREATE DATABASE $desk OWNER keeper;
SQL
	$node->safe_psql($desk, install_off() . <<'SQL');
CREATE EXTENSION support_ext;
ALTER SCHEMA support OWNER TO keeper;
ALTER SCHEMA support_internal OWNER TO keeper;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO keeper WITH GRANT OPTION;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
GRANT USAGE ON FOREIGN SERVER nowhere TO keeper;
SQL
	$node->safe_psql($desk, 'SELECT support.install()', @keeper);
	add_own_objects($node, $desk, @keeper);
	use_desk($node, $desk, @keeper);
	$node->safe_psql($desk, settings() . slurp_file("$scripts/$_.sql"), @keeper) foreach qw(harness cases);
	# what is done comes to a table by table of its own, to be taken back alone
	foreach my $statement (split /;\n/, slurp_file("$scripts/work.sql") =~ s/^--.*\n//mgr)
	{
		$node->safe_psql($desk, 'INSERT INTO sweep.work (statement) VALUES ($work$' . $statement . '$work$)', @keeper);
	}
	$node->safe_psql($desk, settings() . 'SELECT sweep.complete_work()', @keeper);
	return;
}

# How the desk is used while its tables are altered
sub settings
{
	return <<'SQL';
SET SESSION AUTHORIZATION keeper;
SET support_ext.now = '2026-03-12 10:00+00';
SET support_ext.actor_id = '1';
SET client_min_messages = error;
SQL
}

make_desk('desk');

# Which cases are tried. Where some are named, these alone.
my $is_share = $sweep =~ /^[0-9.]+$/;
my $chosen = $is_share
	? "hashtext(name || '$seed')::bigint & 1048575 < 1048576 * $sweep"
	: 'name ~ $re$' . $sweep . '$re$';
my %names = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('desk', 'SELECT id, name FROM sweep.cases');
my %ids = reverse %names;
my %tried = map { $_ => 1 } split /\n/, $node->safe_psql('desk', "SELECT id FROM sweep.cases WHERE $chosen");
is(join("\n", grep { !$ids{$_} } @always), '', 'there are the cases that are tried each time');
my %is_required;
if ($is_share)
{
	$tried{$_} = 1 foreach grep { defined } @ids{@always};
	$is_required{ $ids{"@$_ null"} // die "there is no column @$_" } = $_ foreach @required;
}
my @cases = sort { $a <=> $b } keys %{ { %tried, %is_required } };

foreach my $session (1 .. $sessions)
{
	$node->safe_psql('postgres', "CREATE DATABASE desk_$session TEMPLATE desk OWNER keeper");
}

# Wait until the server has come back
sub await_server
{
	for (1 .. 300)
	{
		return if $node->psql('desk', 'SELECT') == 0;
		select undef, undef, undef, 0.2;
	}
	die 'the server does not come back';
}

# Run cases, those of a batch in a session, and tell what came of it and which were run to the end
sub run_cases
{
	my (@batches) = @_;
	my @scripts = map { settings() . "SET statement_timeout = '100s';\n" . run_script(@$_) } @batches;
	my ($out, $err) = run_together($node, [ map { "desk_$_" } 1 .. $sessions ], \@scripts);
	my %done = map { $_ => 1 } $out =~ /^done\|(\d+)$/mg;

	return ($out =~ s/^done\|\d+\n//mgr, \%done, $err);
}

# The script for them: learn which statements are about their tables, and do these. Of a column that is required those
# refusals are told, too, which name it.
sub run_script
{
	my (@run) = @_;
	my $script = 'SELECT count(*) > 0 AS learnt FROM sweep.learn(ARRAY[' . join(', ', @run, 0) . "]) \\gset\n";

	foreach my $case (@run)
	{
		my ($table, $column) = @{ $is_required{$case} // [] };
		my $names_it = defined $table
			? "state IN ('55000', '39P01', '23502') AND message ~ '$table' AND message ~ '\\y$column\\y'"
				. " AND (hint ~ 'support\\.install\\(\\)' OR state = '23502')"
			: 'false';

		$script .= <<"SQL";
SELECT CASE WHEN is_fault THEN 'fault' ELSE 'refused' END, $case, name, statement, state, message, hint
FROM sweep.run($case, false)
WHERE is_fault OR $names_it;
\\echo done|$case
SQL
	}
	return $script;
}

my $told = '';
my $crashes = '';
my (%session_of, @batches);
foreach my $case (sort { $names{$a} cmp $names{$b} } @cases)
{
	# what is learnt of a table is learnt in one session
	my ($table) = split / /, $names{$case};
	$session_of{$table} //= keys(%session_of) % $sessions;
	push @{ $batches[$session_of{$table}] }, $case;
}
while (grep { @$_ } @batches)
{
	my ($out, $done) = run_cases(@batches);
	my @left = map { [ grep { !$done->{$_} } @$_ ] } @batches;

	$told .= $out;
	# of several sessions that lost their server, one alone is to blame
	foreach my $suspect (map { @$_ ? shift @$_ : () } @left)
	{
		await_server();
		($out, $done, my $err) = run_cases([$suspect]);
		$told .= $out;
		$crashes .= "$names{$suspect}: $err\n" if !$done->{$suspect};
	}
	await_server();
	@batches = @left;
}

my %refused = map { $_ => 1 } $told =~ /^refused\|(\d+)\|/mg;

cmp_ok(scalar @cases, '>', 0, 'cases were tried: ' . @cases);
is($crashes, '', 'none of them brings the server down');
is($told =~ s/^refused\|.*\n//mgr, '', 'none of them hangs, is an internal error or tells what is in memory');
is(join("\n", map { "@{$is_required{$_}}" } grep { !$refused{$_} } keys %is_required),
	'', 'what is NULL and must not be is refused by name: ' . keys %is_required);

done_testing();
