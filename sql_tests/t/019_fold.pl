# What it takes to add up and to check what the reports count: room that does not grow with the rows, a time that does not
# hang on statistics, and sessions that write little each. SUPPORT_EXT_TEST_ROWS says how many tickets are many: 8,000
# unless set.

use strict;
use warnings;

use Desk;
use List::Util qw(min);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $tickets = $ENV{SUPPORT_EXT_TEST_ROWS} // 8_000;
my $node = start_server('desk', 'autovacuum = off', 'jit = off', 'work_mem = 4MB');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<"SQL");
CREATE EXTENSION support_ext;
ALTER DATABASE desk SET support_ext.fold_every = 0;
SELECT support.create_user('ada\@desk.example', 'Ada Admin', 'admin');
SELECT support.create_user('cy\@northwind.example', 'Cy Customer');
CREATE PROCEDURE public.write_tickets(tickets integer)
LANGUAGE sql AS \$\$
INSERT INTO support.tickets (title, description, creator_id, created_at, assignee_id)
SELECT 'Ticket ' || n, '', 2, '2026-01-01 00:00+00'::timestamptz + n * interval '17 minutes', 1
FROM generate_series(1, tickets) AS n;
INSERT INTO support.comments (ticket_id, author_id, content)
SELECT id, 1, 'On my way' FROM support.tickets WHERE reply_count = 0;
UPDATE support.tickets SET status = 'resolved' WHERE status <> 'resolved';
\$\$;
CALL public.write_tickets($tickets);
SQL

sub waiting
{
	return $node->safe_psql('desk', 'SELECT count(*) FROM support_internal.stat_deltas');
}

# Run statements in a session that has room for so many MB beyond what it has at its beginning
my $has_prlimit = -e '/proc/self/status' && eval { run_log([ 'prlimit', '--version' ]) };

sub run_in
{
	my ($megabytes, $sql) = @_;

	return $node->psql('desk', <<"SQL", on_error_stop => 1);
SET client_min_messages = warning;
SELECT count(*) >= 0 AS warm FROM support.report('created') \\gset
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! prlimit --pid=\$PID --as=\$((1024 * (1024 * $megabytes + \$(awk '/^VmSize/ { print \$2 }' /proc/\$PID/status))))
$sql
SQL
}

# The same numbers must come out, whatever the room
sub counted
{
	return $node->safe_psql('desk', <<'SQL');
SELECT m.measure, m.dimension, count(*), sum(hashtextextended(concat_ws('/', x.value, x.slot_at, x.n, x.seconds), 0))
FROM support_internal.stat_dimensions() AS m
CROSS JOIN LATERAL
(
	SELECT c.value, c.slot_at, sum(c.n) AS n, sum(c.seconds) AS seconds
	FROM support_internal.stat_counted(m.measure, m.dimension) AS c
	GROUP BY 1, 2
) AS x
GROUP BY 1, 2 ORDER BY 1, 2
SQL
}

# Never analyzed

sub seconds_of
{
	my ($sql) = @_;
	my $start = time;

	$node->safe_psql('desk', $sql);
	return time - $start;
}

# the quicker of two times: the machine may be busy with something else
sub seconds_to_count
{
	return min(map { seconds_of('SELECT support.rebuild_stats()') + seconds_of('SELECT support.verify_stats()') } 1 .. 2);
}

my $before = seconds_to_count();
$node->safe_psql('desk', 'ANALYZE');
my $after = seconds_to_count();
cmp_ok($before, '<', 3 * $after + 1, 'without statistics of the tables it does not take many times as long');

# Little room

$node->safe_psql('desk', "CALL public.write_tickets($tickets)");
my $expected = counted();
my $rows = waiting();
cmp_ok($rows, '>', 4 * $tickets, 'much is to be added up');

SKIP:
{
	skip 'no prlimit', 11 if !$has_prlimit;
	my ($status, $stdout, $stderr) = run_in(32, 'SELECT support.fold_stats();');
	is($stdout, $rows, "fold_stats() of $rows rows has room in 32 MB");
	is($stderr, '', 'and does not complain');
	is(counted(), $expected, 'its sums are the same');
	($status, $stdout, $stderr) = run_in(48, 'SELECT count(*) FROM support.verify_stats();');
	is("$stdout$stderr", '0', 'verify_stats() has room in 48 MB');
	($status, $stdout, $stderr) = run_in(48, 'SELECT support.rebuild_stats() > 0;');
	is("$stdout$stderr", 't', 'rebuild_stats() too');
	is(counted(), $expected, 'and counts the same');

	# a session that takes all the room it can get, and has none
	$node->safe_psql('desk', "CALL public.write_tickets($tickets)");
	$rows = waiting();
	my $log = -s $node->logfile;
	($status, $stdout, $stderr) = run_in(8, <<"SQL");
SET work_mem = '1GB';
SET support_ext.fold_every = 10000;
UPDATE support.tickets SET title = 'Changed' WHERE id = 1 RETURNING title;
UPDATE support.tickets SET status = 'open' WHERE id = 1 RETURNING status;
SELECT count(*) > $rows FROM support_internal.stat_deltas;
SQL
	is($stdout, "Changed\nopen\nt", 'where memory ends, a change passes, and what it began to add up waits');
	is($stderr, '', 'the client hears nothing of it');
	like(slurp_file($node->logfile, $log), qr/LOG: .*could not add up what changed: out of memory/, 'the log does');
	($status, $stdout, $stderr) = run_in(8, <<"SQL");
SET support_ext.fold_every = 10000;
UPDATE support.tickets SET status = 'resolved' WHERE id = 1;
SELECT count(*) < $rows FROM support_internal.stat_deltas;
SQL
	is("$stdout$stderr", 't', 'with the usual work_mem the same room is enough');
	is($node->safe_psql('desk', 'SELECT * FROM support.verify_stats()'), '', 'and all is counted');
}

# Many sessions that write little

$node->safe_psql('desk', 'SELECT support.fold_stats()');
$node->safe_psql('desk', <<'SQL') foreach 1 .. 60;
SET support_ext.fold_every = 50;
SELECT support.create_ticket('One more', creator_id => 2);
SQL
cmp_ok(waiting(), '<', 60, 'what many sessions leave is added up by one of them');
is($node->safe_psql('desk', 'SELECT * FROM support.verify_stats()'), '', 'once');

done_testing();
