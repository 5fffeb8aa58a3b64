# What a busy hour leaves in stat_deltas: the table shrinks once its rows are added up, whoever does that, without a reader,
# a subscriber or a count noticing.

use strict;
use warnings;

use Desk;
use Test::More;

my $node = start_server('desk', 'autovacuum = off', 'wal_level = logical', 'jit = off');
my $few = 40;

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
ALTER DATABASE desk SET support_ext.fold_every = 0;
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_user('cy@northwind.example', 'Cy Customer');
SELECT pg_create_logical_replication_slot('watcher', 'test_decoding');
SQL

sub query { return $node->safe_psql('desk', $_[0]) }

sub pages { return query("SELECT pg_relation_size('support_internal.stat_deltas') / current_setting('block_size')::integer") }

# The pages that a report reads, from its plan
sub buffers_of_report
{
	my $plan = query('EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off) SELECT * FROM support.report_status');

	my ($buffers) = $plan =~ /^\s*Buffers: shared (.*)/m;
	my $sum = 0;
	$sum += $_ foreach $buffers =~ /(?:hit|read)=(\d+)/g;
	return $sum;
}

sub load { return query(<<'SQL') }
INSERT INTO support.tickets (title, description, creator_id, created_at)
SELECT 'Ticket ' || n, '', 2, '2026-01-01 00:00+00'::timestamptz + n * interval '7 minutes'
FROM generate_series(1, 12000) AS n
SQL

# Fold, and say whether the table was written anew
sub rewrites
{
	my ($sql) = @_;
	my $before = query("SELECT pg_relation_filenode('support_internal.stat_deltas')");

	query($sql);
	return $before ne query("SELECT pg_relation_filenode('support_internal.stat_deltas')") ? 'anew' : 'as it was';
}

sub is_counted
{
	my ($name) = @_;

	is(query('SELECT * FROM support.verify_stats()'), '', "$name: all is counted");
	return;
}

# By fold_stats()

load();
my $full = pages();
cmp_ok($full, '>', 3 * $few, 'a bulk load fills many pages');
my $slow = buffers_of_report();
is(rewrites('SELECT support.fold_stats()'), 'as it was', 'who folds leaves the rows to those who may still see them');
is_counted('folded');
is(rewrites('BEGIN; SELECT support.fold_stats(); SELECT 1; COMMIT'), 'as it was', 'within a transaction block nobody is kept out');
query("SELECT count(*) FROM pg_logical_slot_get_changes('watcher', NULL, NULL)");
is(rewrites('SELECT support.fold_stats()'), 'anew', 'the next call writes the table anew');
is(pages(), 0, 'of no pages');
is(query("SELECT count(*) FROM pg_logical_slot_get_changes('watcher', NULL, NULL) WHERE data !~ '^(BEGIN|COMMIT)'"), 0,
	'subscribers hear nothing of it');
is_counted('shrunk');
cmp_ok(buffers_of_report() + $full / 2, '<', $slow, 'reports read so much less');
is(rewrites('SELECT support.fold_stats()'), 'as it was', 'a small table is left alone');

# While others have the table, or see what was in it

load();
my $reader = $node->background_psql('desk');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $seen = $reader->query_safe('SELECT * FROM support.report_status');
query('SELECT support.fold_stats()');
is(rewrites('SELECT support.fold_stats()'), 'as it was', 'what an open snapshot sees stays');
cmp_ok(pages(), '>', 3 * $few, 'all of it');
is($reader->query_safe('SELECT * FROM support.report_status'), $seen, 'and is counted there as before');
$reader->query_safe('COMMIT');
$reader->query_safe('BEGIN; LOCK TABLE support_internal.stat_deltas IN ROW EXCLUSIVE MODE');
is(rewrites('SELECT support.fold_stats()'), 'as it was', 'who writes is not waited for');
$reader->query_safe('COMMIT');
is(rewrites('SELECT support.fold_stats()'), 'anew', 'once they are gone the table shrinks');
cmp_ok(pages(), '<=', $few, 'to few pages');
$reader->quit;
is_counted('after readers and writers');

# Some rows that came last, with what is empty before them, and a snapshot that sees them as they were

load();
query('SELECT support.fold_stats()');
query("SELECT support.create_ticket('One more', creator_id => 2) FROM generate_series(1, 20)");
my $waiting = query('SELECT count(*) FROM support_internal.stat_deltas');
my $other = $node->background_psql('desk');
$other->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$seen = $other->query_safe('SELECT status, tickets FROM support.report_status');
query('SELECT support.fold_stats()');
cmp_ok($waiting, '>', 0, 'rows waited');
cmp_ok(pages(), '<=', $few, 'they do not keep the empty pages before them');
is($other->query_safe('SELECT status, tickets FROM support.report_status'), $seen, 'who saw them sees them still');
$other->query_safe('COMMIT');
$other->quit;
is_counted('with the last rows');
$node->stop('immediate');
$node->start;
is_counted('after a crash');

# By changes alone, and what autovacuum does

is(query("SELECT unnest(reloptions) FROM pg_class WHERE oid = 'support_internal.stat_deltas'::regclass ORDER BY 1"),
	<<'OPTIONS' =~ s/\n$//r, 'autovacuum comes soon, and cuts off what is empty');
autovacuum_vacuum_cost_delay=0
autovacuum_vacuum_insert_threshold=-1
autovacuum_vacuum_scale_factor=0
autovacuum_vacuum_threshold=50
vacuum_truncate=on
OPTIONS
load();
query('SELECT support.fold_stats()');
query("SELECT support.create_ticket('One more', creator_id => 2) FROM generate_series(1, 200)");
query('VACUUM support_internal.stat_deltas');
cmp_ok(pages(), '>', 3 * $few, 'the rows that came last keep the table from shrinking');
foreach (1 .. 2)
{
	query("SET support_ext.fold_every = 5000; SELECT support.create_ticket('One more', creator_id => 2)");
	query('VACUUM support_internal.stat_deltas');
}
cmp_ok(pages(), '<=', $few, 'a change adds them up, though they are few, and so it shrinks');
is_counted('by changes');

done_testing();
