# The benchmarks run to their end and print their ratios. What the ratios are is not for a test to say.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('bench');
my @server = ('--host', $node->host, '--port', $node->port);
my @small = ('--rounds', 1, '--tickets', 500, @server);

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

my $audit = prints('audit', [ '--rows', 200 ],
	'UPDATE' => section("UPDATE of a ticket's status", 'throughput', @rivals),
	'INSERT' => section('INSERT of a ticket', 'throughput', @rivals));
my @goals = $audit =~ m{^  support / unaudited .*, goal at least 0\.88$}mg;
is(scalar @goals, 2, 'audit: its goals');
my @written = $audit =~ /^  bytes of WAL a change: support [1-9]\d*, unaudited [1-9]\d*, bare [1-9]\d*\n  bytes of log a change: [1-9]\d*$/mg;
is(scalar @written, 2, 'audit: what a change writes');

prints('bulk', [ '--rows', 200 ],
	'UPDATE' => section('UPDATE of 200 tickets', 'time', @rivals),
	'INSERT' => section('INSERT of 200 tickets', 'time', @rivals));

prints('copy', [],
	'given columns' => section('COPY of 500 tickets, given columns', 'throughput', @rivals),
	'kept columns' => section('COPY of 500 tickets, given and kept columns', 'throughput', @rivals));

prints('calls', [ '--rows', 100, '--tickets', 100 ],
	'create_ticket' => section('a ticket with two tags', 'throughput', 'create_ticket', 'statements'),
	'add_comment' => section("a comment and the ticket's status", 'throughput', 'add_comment', 'statements'),
	'get_ticket' => section('reading a ticket with ten comments', 'throughput', 'get_ticket', 'statements'));

my @ways = ('functions', 'mapped', 'guide');

my $clients = prints('clients', [ '--rows', 10 ],
	'opening a ticket' => section('opening a ticket with ten comments', 'throughput', @ways),
	'listing' => section('listing 50 tickets', 'throughput', @ways),
	'creating a ticket' => section('creating a ticket, with audit', 'throughput', @ways),
	'changing a status' => section('changing a status, with audit', 'throughput', @ways));
@goals = $clients =~ m{^  functions / guide .*, goal at least (5|2\.5)$}mg;
is("@goals", '5 2.5 2.5', 'clients: its goals');
my @logged = $clients =~ m{^  mapped / guide .*\n  rows of log a change: support\.audit_log 1\.00, guide\.audit_logs 1\.00$}mg;
is(scalar @logged, 2, 'clients: each change is logged once, each way');

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
