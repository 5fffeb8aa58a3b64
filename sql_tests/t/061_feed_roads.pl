# What follows the log goes on elsewhere: consumers of a desk that was dumped and restored into a new cluster, where the
# numbers of transactions begin anew, and again into another; a standby to read from; a subscriber in another cluster.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my @settings = ('wal_level = logical', 'max_wal_senders = 10', 'max_replication_slots = 10');

# Read a batch, and say that it is done if asked to; a line for each change
sub take
{
	my ($node, $consumer, $size, $done) = @_;
	my $script = "SELECT feed_position, audit_id, concat_ws(' ', action, table_name, ticket_id, new_value ->> 'title')"
		. " FROM support.feed_read('$consumer', $size)";
	my @rows = split /\n/, $node->safe_psql('desk', $script);

	if ($done && @rows)
	{
		my ($last) = $rows[-1] =~ /^([^|]*)/;
		$node->safe_psql('desk', "SELECT support.feed_done('$consumer', '$last')");
	}
	return @rows;
}

sub take_all
{
	my ($node, $consumer) = @_;
	my @all;

	while (my @rows = take($node, $consumer, 7, 1))
	{
		push @all, @rows;
	}
	return @all;
}

# The entries from an id on, as take() gives them, in the order of positions
sub entries
{
	my ($node, $condition) = @_;

	return split /\n/, $node->safe_psql('desk', <<"SQL");
SELECT concat_ws('/', era, xid, id), id FROM support.audit_log WHERE $condition ORDER BY era, xid, id
SQL
}

sub places
{
	return map { /^([^|]*\|\d+)/ } @_;
}

# The greatest id of the log
sub last_id
{
	my ($node) = @_;

	return $node->safe_psql('desk', 'SELECT max(id) FROM support.audit_log');
}

# Number of the next transaction
sub next_xid
{
	my ($node) = @_;

	return $node->safe_psql('desk', 'SELECT pg_snapshot_xmax(pg_current_snapshot())');
}

# A new cluster with the desk of another one
sub restore_into
{
	my ($name, $from) = @_;
	my $node = start_server($name, @settings);

	$from->run_log([ 'pg_dump', '--format=custom', '--file', "$dir/$name.dump", 'desk' ]);
	$node->safe_psql('postgres', 'CREATE DATABASE desk');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=desk', "$dir/$name.dump" ], "$name: restored");
	return $node;
}

sub make_changes
{
	my ($node, $word) = @_;

	$node->safe_psql('desk', <<"SQL");
SELECT support.create_ticket('$word ' || n, creator_id => 1) FROM generate_series(1, 3) AS n;
UPDATE support.tickets SET title = title || ', changed' WHERE title ~ '^$word \\d\$';
DELETE FROM support.tickets WHERE title = '$word 2, changed';
SQL
	return;
}

# An old cluster whose transactions have high numbers, so that those of the new one come below them
my $old = start_server('old', @settings);
$old->stop;
system_or_bail('pg_resetwal', '--next-transaction-id=2000000', '--pgdata', $old->data_dir);
append_to_file($old->data_dir . '/pg_xact/0001', "\0" x 262144);
$old->start;
$old->safe_psql('postgres', 'CREATE DATABASE desk');
$old->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@example.com', 'Ada', 'agent');
SELECT support.feed_start('eager', NULL);
SELECT support.feed_start('lazy', NULL);
SQL
make_changes($old, 'Old');
my $before_late = last_id($old);
$old->safe_psql('desk', "SELECT support.feed_start('late')");
make_changes($old, 'Later');

my @eager = take_all($old, 'eager');
my @lazy = take($old, 'lazy', 5, 1);
my @again = take($old, 'lazy', 5, 0);
is_deeply([ places(@eager) ], [ entries($old, 'true') ], 'a consumer has all there is');
is(scalar @again, 5, 'another one has read five and is not done with them');

my $new = restore_into('new', $old);
cmp_ok(next_xid($new), '<', 100000, 'transactions of the new cluster have low numbers');
is_deeply([ take($new, 'eager', 100, 0) ], [], 'nothing is told again to the one who had all');
is_deeply([ take($new, 'lazy', 5, 0) ], \@again, 'the other one gets again what it was not done with');
make_changes($new, 'New');
push @eager, take_all($new, 'eager');
push @lazy, take_all($new, 'lazy');
is_deeply([ places(@eager) ], [ entries($new, 'true') ], 'the one who had all goes on, with nothing twice or left out');
is_deeply(\@lazy, \@eager, 'so does the one who was behind');
my @late = take_all($new, 'late');
is_deeply([ places(@late) ], [ places(grep { my ($id) = /\|(\d+)\|/; $id > $before_late } @eager) ],
	'so does one who had begun with a snapshot of the old cluster');
like($eager[-1], qr{^2/}, 'changes of the new cluster are of the next era');
is((grep { /INSERT tickets \d+ New 2$/ } @eager), 1, 'and have their rows as inserted');

my $before_fresh = last_id($new);
$new->safe_psql('desk', "SELECT support.feed_start('fresh')");
make_changes($new, 'Fresh');
is_deeply([ places(take_all($new, 'fresh')) ], [ entries($new, "id > $before_fresh") ],
	'a consumer that begins there gets what comes, and nothing of before');

# Once more, and the log's last era has no entry yet
my $newest = restore_into('newest', $new);
is_deeply([ take($newest, 'eager', 5, 0) ], [ take($new, 'eager', 5, 0) ], 'all of an era that has ended is released');
is($newest->safe_psql('desk', 'SELECT max(era) FROM support_internal.eras'), 2, 'reading makes no era');
take_all($newest, 'eager');
make_changes($newest, 'Newest');
is_deeply([ places(take_all($newest, 'eager')) ], [ entries($newest, 'era = 3') ], 'and then the next one is');
my ($state, $message) = sqlstate($newest, 'desk', "SELECT support.feed_start('other', '2000000:2000000:')");
is($state, '22023', 'a snapshot of another cluster is refused');
like($message, qr/taken in another cluster/, 'and the message says so');

# A standby: read there, done on the primary
$new->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($new, 'copy', has_streaming => 1);
$standby->start;
my @there = take($standby, 'eager', 100, 0);
is_deeply(\@there, [ take($new, 'eager', 100, 0) ], 'a standby gives the same changes');
is(scalar sqlstate($standby, 'desk', "SELECT support.feed_done('eager', '$1')"), '25006', 'but notes nothing')
	if $there[-1] =~ /^([^|]*)/;
is(scalar sqlstate($standby, 'desk', "SELECT support.feed_start('there')"), '25006', 'begins nothing');
is(scalar sqlstate($standby, 'desk', "SELECT support.feed_stop('eager')"), '25006', 'and ends nothing');
$standby->stop;

# A subscriber to the log
my $columns = join ', ', map { "$_->[0] $_->[1]" } map { [ split /\|/ ] } split /\n/, $new->safe_psql('desk', <<'SQL');
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'support.audit_log'::regclass AND attnum > 0
ORDER BY attnum
SQL
my $subscriber = start_server('subscriber');
$subscriber->safe_psql('postgres', 'CREATE DATABASE desk');
$subscriber->safe_psql('desk', <<"SQL");
CREATE SCHEMA support;
CREATE TABLE support.audit_log ($columns, PRIMARY KEY (ticket_id, id, occurred_at));
SQL
$new->safe_psql('desk', <<'SQL');
CREATE PUBLICATION desk_log FOR TABLE support.audit_log WITH (publish_via_partition_root = true);
SQL
my $connection = $new->connstr('desk');
$subscriber->safe_psql('desk', "CREATE SUBSCRIPTION desk_log CONNECTION \$\$$connection\$\$ PUBLICATION desk_log");
$subscriber->poll_query_until('desk', "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel");
my $log = 'SELECT md5(string_agg(a::text, chr(10) ORDER BY id)), count(*), count(old_value) FROM support.audit_log AS a';
is($subscriber->safe_psql('desk', $log), $new->safe_psql('desk', $log), 'a subscriber has a copy of the log');

$new->safe_psql('desk', <<'SQL');
CREATE TABLE support_internal.audit_log_2100_01 PARTITION OF support.audit_log
	FOR VALUES FROM ('2100-01-01 00:00+00') TO ('2100-02-01 00:00+00');
SET support_ext.now = '2100-01-15 12:00+00';
SELECT support.create_ticket('In its partition', creator_id => 1);
SQL
make_changes($new, 'Published');
$new->wait_for_catchup('desk_log');
is($subscriber->safe_psql('desk', $log), $new->safe_psql('desk', $log), 'later changes reach it, whatever their partition');
my $kept = $new->safe_psql('desk', 'SELECT count(old_value) FROM support.audit_log');
$new->safe_psql('desk', "SET support_ext.now = '2100-01-31 12:00+00'; SELECT support.purge_deleted('0')");
$new->wait_for_catchup('desk_log');
is($subscriber->safe_psql('desk', $log), $new->safe_psql('desk', $log), 'what a purge takes out of the log goes there as well');
cmp_ok($new->safe_psql('desk', 'SELECT count(old_value) FROM support.audit_log'), '<', $kept, 'there was something to take out');

done_testing();
