# The benchmarks run to their end and print their ratios. What the ratios are is not for a test to say.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('bench', 'autovacuum = off');
my @server = ('--host', $node->host, '--port', $node->port);
my @small = ('--rounds', 1, @server);
my @desk = ('--tickets', 500);

# A heading, and under it the ratio of the first variant to each of the others
sub section
{
	my ($heading, $quantity, $ours, @others) = @_;
	my $ratios = join '', map { "  \Q$ours / $_\E +\\d+\\.\\d{3} of the $quantity, quartiles \\d+\\.\\d{3} and \\d+\\.\\d{3}.*\n" } @others;

	return qr/^\Q$heading\E\n(?:  \w+ +[\d.]+ (?:(?:rows )?a second|s)\n)+$ratios/m;
}

# Run a benchmark and look for its sections
sub prints
{
	my ($name, $options, %sections) = @_;
	my ($stdout, $stderr) = run_command([ "bench/$name", @small, @$options ]);

	is($stderr, '', "$name: no complaint");
	like($stdout, qr/^PostgreSQL \d+.* over a unix socket, .*\n.*fsync \w+.*\nrounds 1, /, "$name: says where and what it measured");
	like($stdout, $sections{$_}, "$name: $_") foreach sort keys %sections;
	return $stdout;
}

my @rivals = ('support', 'unaudited', 'bare');
my @ways_to_log = ('spi', 'cte', 'row_trigger', 'statement_trigger');

my $audit = prints('audit', [ @desk, '--rows', 100, '--bulk-rounds', 1, '--many', 200 ],
	'UPDATE' => section("UPDATE of a ticket's status", 'throughput', @rivals, @ways_to_log),
	'INSERT' => section('INSERT of a ticket', 'throughput', @rivals, @ways_to_log),
	'DELETE' => section('DELETE of a ticket', 'throughput', @rivals, @ways_to_log),
	'UPDATE of many' => section('UPDATE of 200 tickets', 'time', @rivals, @ways_to_log),
	'INSERT of many' => section('INSERT of 200 tickets', 'time', @rivals, @ways_to_log));
my @goals = $audit =~ m{^  support / (?:unaudited|cte) .*, goal (at \w+ [\d.]+)$}mg;
is("@goals", 'at least 0.90 at least 1 at least 0.90 at least 1 at most 1.25 at most 1.30 at least 0.80 at least 1',
	'audit: its goals');
my $all = join ', ', map { "$_ [1-9]\\d*" } @rivals, @ways_to_log;
my $logging = join ', ', map { "$_ [1-9]\\d*" } 'support', @ways_to_log;
my @costs = $audit =~ /^  microseconds a change: $all\n  bytes of WAL a change: $all\n  bytes of log a change: $logging$/mg;
is(scalar @costs, 5, 'audit: what a change costs');

prints('copy', \@desk,
	'given columns' => section('COPY of 500 tickets, given columns', 'throughput', @rivals),
	'kept columns' => section('COPY of 500 tickets, given and kept columns', 'throughput', @rivals));

prints('calls', [ '--rows', 100, '--tickets', 100 ],
	'create_ticket' => section('a ticket with two tags', 'throughput', 'create_ticket', 'statements'),
	'add_comment' => section("a comment and the ticket's status", 'throughput', 'add_comment', 'statements'),
	'get_ticket' => section('reading a ticket with ten comments', 'throughput', 'get_ticket', 'statements'));

my @versions = ('now', 'before');

prints('versions', [ '--rows', 20, '--tickets', 100, '--before', '.', '--before-host', $node->host ],
	map { $_ => section($_, 'throughput', @versions) } "UPDATE of a ticket's status", 'INSERT of a ticket',
	'create_ticket() with a tag', 'add_comment()', 'set_status()', 'DELETE of a ticket, rolled back',
	'get_ticket() with ten comments', 'report() of thirty days by channel');

my @ways = ('functions', 'mapped', 'guide');

my $clients = prints('clients', [ @desk, '--rows', 10 ],
	'opening a ticket' => section('opening a ticket with ten comments', 'throughput', @ways),
	'listing' => section('listing 50 tickets', 'throughput', @ways),
	'creating a ticket' => section('creating a ticket, with audit', 'throughput', @ways),
	'changing a status' => section('changing a status, with audit', 'throughput', @ways));
@goals = $clients =~ m{^  functions / guide .*, goal at least (5|2\.5)$}mg;
is("@goals", '5 2.5 2.5', 'clients: its goals');
my @logged = $clients =~ m{^  mapped / guide .*\n  rows of log a change: support\.audit_log 1\.00, guide\.audit_logs 1\.00$}mg;
is(scalar @logged, 2, 'clients: each change is logged once, each way');

my $proof = prints('proof', \@desk,
	'sealing' => section('sealing of 2520 entries', 'time', 'seal_audit', 'COPY', 'cursor'),
	'verification' => section('verification of 2520 entries', 'time', 'verify_audit', 'COPY', 'cursor'));
like($proof, qr/^  bytes a sealed entry: [1-9]\d*, of the log itself: [1-9]\d*$/m, 'proof: bytes');
like($proof, qr/^proof of an entry\n  audit_proof +[1-9]\d* a second$/m, 'proof: of an entry');

prints('past', [ @desk, '--rows', 20 ],
	'one ticket' => qr/^ticket_as_of\(\) of a ticket with 20 changes.*\n(?:  [a-z -]+ +[\d.]+ ms\n){3}/m,
	'all tickets' => section('tickets_as_of(), half of them', 'time', 'tickets_as_of', 'log'));

prints('feed', [ @desk, '--rows', 1 ],
	'a batch' => section('reading a batch of 1000', 'throughput', 'start', 'large', 'half', 'gap', 'end', 'opened'));

my @tasks = ('fold_stats()', (map { ("$_, no statistics", $_) } 'verify_stats()', 'rebuild_stats()'));
my ($memory, $complaint) = run_command([ 'bench/memory', @server, @desk ]);
is($complaint, '', 'memory: no complaint');
like($memory, qr/^  \Q$_\E +(?:\d+ +){3}growth(?: +-?\d+){2}  s(?: +\d+\.\d\d){3}$/m, "memory: $_") foreach @tasks;

my @reports = ((map { "report_$_" } qw(status priority daily agents teams backlog backlog_history first_reply resolution
	unanswered time_in_status aging channels tags heatmap organizations)), 'dashboard\(\)');
my $number = ' +[\d.]+';

# The lines of all reports under a heading: two figures for each desk, how they grow, and those of the plain query
sub reports
{
	my ($heading, $goal, $with_plain) = @_;
	my $lines = join '', map { "  $_ *(?:$number){5}" . ($with_plain && !/dashboard/ ? "(?:$number){2}" : ' *') . "\n" } @reports;

	return qr/^\Q$heading: milliseconds, goal at most $goal; growth, goal below 1.3\E\n +small .*\n$lines/m;
}

prints('reports', [ @desk, '--rows', 2, '--small', 300 ],
	'in UTC' => reports('all changes added up, UTC', 5, 1),
	'in another zone' => reports('all changes added up, Asia/Kathmandu', 5, 0),
	'changes' => reports('10000 changes not added up, Asia/Kathmandu', 20, 0));

my $tickets_of = "(?:an agent|a team|a status)'s?";
my @lists = ((map { ("all $_", ("$tickets_of $_") x 3) } 'unsolved, by deadline', 'unsolved, by age'),
	(map { ("all, $_", ("$tickets_of, $_") x 3, "a customer's, $_", "an organization's, $_") } 'the latest', 'a page'),
	'my_tickets, by deadline', 'my_tickets, whole', 'joined to 50 invoices');

# The lines of lists under a heading: three times and two ratios each
sub lists
{
	my ($heading, $goal, @names) = @_;
	my $lines = join '', map { "  $_ *(?:$number){5}\n" } @names;

	return qr/^\Q$heading: milliseconds, goal at most $goal; times the ideal, goal at most 2; growth, goal below 1.3\E\n +small .*\n$lines/m;
}

my $of_role = sub { return qr/^\Q$_[0]\E\n(?:  \w+ +[\d.]+ ms\n){3}(?:  \w+ \/ app +[\d.]+ of the time, quartiles [\d.]+ and [\d.]+, goal at most 1.15\n){2}/m };
prints('access', [ '--tickets', 2000, '--rows', 20 ],
	map { ($_ => $of_role->($_)) } "a list of 50: a team's unsolved, by deadline", 'get_ticket() with ten comments', "UPDATE of a ticket's status");

prints('lists', [ '--tickets', 2000, '--rows', 20, '--small', 1000 ],
	'lists' => lists('a list of 50', 2, @lists),
	'counts' => lists('a count', 5, "an agent's unsolved", "all of an agent's"));

my $calendar = prints('calendar', [ '--rows', 1 ],
	'working time' => section('the working time of ten years', 'throughput', 'business_elapsed', 'plpgsql_loop', 'generate_series'));
like($calendar, qr/^  microseconds a call: business_elapsed \d+\.\d{3}, goal at most 1$/m, 'calendar: microseconds');

my $sla = prints('sla', [ @desk, '--rows', 20, '--bulk-rounds', 1, '--many', 200 ],
	'INSERT' => section('INSERT of a ticket', 'throughput', 'policy', 'without'),
	'UPDATE' => section("UPDATE of a ticket's status", 'throughput', 'policy', 'without'),
	'first reply' => section('a first reply', 'throughput', 'policy', 'without'),
	'comment' => section("a customer's comment", 'throughput', 'policy', 'without'),
	'next reply' => section('a next reply', 'throughput', 'policy', 'without'),
	'tick' => qr/^sla_tick\(\) of 200 due clocks\n +[\d.]+ s, .* \d+ clocks a second, goal at least 20000$/m,
	'reapply' => qr/^sla_reapply\(\) of 200 tickets\n +[\d.]+ s, .* \d+ tickets a second$/m,
	'simulate' => qr/^sla_simulate\(\) of 200 tickets\n +[\d.]+ s, .* \d+ tickets a second$/m);
@goals = $sla =~ m{^  policy / without .*, goal at least ([\d.]+)$}mg;
is("@goals", '0.75 0.85 0.85 0.85 0.85', 'sla: its goals');

is($node->safe_psql('postgres', "SELECT datname FROM pg_database WHERE datname LIKE 'bench%'"), '', 'nothing is left behind');

# A benchmark that cannot measure says so, instead of printing ratios of nothing
foreach my $refused ([ '--rounds', 0 ], [ '--rounds', 'many' ], ['--speed'])
{
	my ($stdout, $stderr) = run_command([ 'bench/audit', @$refused, @server ]);

	is($stdout, '', "@$refused: nothing is printed");
	like($stderr, qr/^usage: .*\n.*error: .*\Q$refused->[0]\E/s, "@$refused: is refused");
}

$node->stop;
command_fails_like([ 'bench/audit', @small ], qr/psql failed: .*connection to server/s, 'without a server it fails');

done_testing();
