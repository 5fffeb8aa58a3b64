# The log goes on in a new line of time: after recoveries to points in time, twice from one backup without a common archive,
# and when a standby is promoted. The server then gives numbers of transactions, and the desk those of entries, for a second
# time. No position means two changes; who follows the log finds out what he has seen and is lost, by the statements of the
# manual; what was prepared before a promotion and is committed after it is neither left out nor taken for forged.

use strict;
use warnings;

use Desk;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @settings = ('wal_level = replica', 'max_wal_senders = 5', 'max_prepared_transactions = 5', 'wal_keep_size = 512MB',
	'autovacuum = off');

# All changes that a consumer has before it, a line for each: position, and what changed. They are done then
sub take_all
{
	my ($node, $consumer) = @_;
	my @rows = split /\n/, $node->safe_psql('desk', <<"SQL");
SELECT feed_position, concat_ws(' ', action, table_name, record_id, new_value ->> 'title') FROM support.feed_read('$consumer', 10000)
SQL

	$node->safe_psql('desk', "SELECT support.feed_done('$consumer', '" . position_of($rows[-1]) . "')") if @rows;
	return @rows;
}

sub position_of { return $_[0] =~ s/\|.*//r }

# The log as take_all() gives it, from a condition
sub positions
{
	my ($node, $condition) = @_;

	return split /\n/, $node->safe_psql('desk', <<"SQL");
SELECT concat_ws('/', era, xid, id) FROM support.audit_log WHERE $condition ORDER BY era, xid, id
SQL
}

# Open so many tickets, each in a transaction of its own
sub open_tickets
{
	my ($node, $word, $n) = @_;

	open_tickets_in($node, 'desk', $word, $n);
	return;
}

sub open_tickets_in
{
	my ($node, $database, $word, $n) = @_;

	$node->safe_psql($database, join '', map { "SELECT support.create_ticket('$word $_', creator_id => 1);\n" } 1 .. $n);
	return;
}

# A statement of the manual, by what is in it
sub of_manual
{
	my ($words) = @_;
	my ($statement) = grep { /\Q$words\E/ } slurp_file('doc/feed.md') =~ /^```sql\n(.*?)^```/gms;

	return $statement;
}

# What a consumer finds that has seen changes, and knows eras ("era|line"), when it comes to a server: the eras that are not
# those that it knows, and the positions of what is lost
sub compare
{
	my ($node, $seen, $known) = @_;
	my $tables = join "\n",
	  'CREATE TEMPORARY TABLE known_eras (era integer, line uuid);',
	  'CREATE TEMPORARY TABLE seen (table_name text, record_id text, era integer, xid bigint, audit_id bigint);',
	  (map { "INSERT INTO known_eras VALUES ($1, '$2');" if /^(\d+)\|(.*)/ } @$known),
	  map { my @place = split m{/}, position_of($_); "INSERT INTO seen VALUES ('', '$_', $place[0], $place[1], $place[2]);" }
	  map { s/'/''/gr } @$seen;

	my @eras = split /\n/, $node->safe_psql('desk', $tables . of_manual('FULL JOIN known_eras'));
	my @lost = map { s/^\|//r } split /\n/, $node->safe_psql('desk', $tables . of_manual('FROM seen AS s'));
	return (\@eras, \@lost);
}

sub eras { return [ split /\n/, $_[0]->safe_psql('desk', 'SELECT era, line FROM support.log_eras ORDER BY era') ] }

# A desk, its backup, and two points in time after it
my $primary = start_server('primary', @settings);
$primary->safe_psql('postgres', 'CREATE DATABASE desk');
$primary->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@example.com', 'Ada', 'agent');
SELECT support.feed_start('index', NULL);
SQL
open_tickets($primary, 'Before', 3);
my @seen = take_all($primary, 'index');
$primary->safe_psql('desk', 'SELECT support.seal_audit()');
$primary->backup('backup');
open_tickets($primary, 'Kept', 2);
$primary->safe_psql('desk', q(SELECT pg_create_restore_point('one')));
open_tickets($primary, 'Lost to one', 40);
$primary->safe_psql('desk', q(SELECT pg_create_restore_point('two')));
open_tickets($primary, 'Lost to both', 40);
$primary->safe_psql('desk', 'SELECT support.seal_audit()');
push @seen, take_all($primary, 'index');
is(scalar @seen, 1 + 3 + 2 + 40 + 40, 'a consumer has seen all there was');
my $known = eras($primary);
is(scalar @$known, 1, 'in one era');
is_deeply([ compare($primary, \@seen, $known) ], [ [], [] ], 'of which nothing is lost');
$primary->safe_psql('desk', 'SELECT pg_switch_wal()');

# Recover the backup to one of the points, with files of its own
sub recover
{
	my ($name, $point) = @_;
	my $archive = PostgreSQL::Test::Utils::tempdir;
	my $node = PostgreSQL::Test::Cluster->new($name);

	foreach my $file (glob $primary->data_dir . '/pg_wal/0000*')
	{
		copy($file, $archive) or die if -f $file;
	}
	$node->init_from_backup($primary, 'backup');
	$node->append_conf('postgresql.conf', <<"CONF");
restore_command = 'cp $archive/%f %p'
recovery_target_name = '$point'
recovery_target_action = promote
CONF
	$node->set_recovery_mode;
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
	return $node;
}

my $one = recover('one', 'one');
my $two = recover('two', 'two');
my $again = recover('again', 'one');
is_deeply([ compare($one, \@seen, $known) ], [ [], [ sort grep { /Lost/ } @seen ] ],
	'a recovery that nobody has written to lacks what came after');
foreach my $node ($one, $two, $again)
{
	my $name = $node->name;
	my @kept = $name eq 'two' ? grep { !/Lost to both/ } @seen : grep { !/Lost/ } @seen;
	my @again = grep { /Kept|Lost/ } @kept;
	my @lost = grep { my $change = $_; !grep { $_ eq $change } @kept } @seen;

	open_tickets($node, "In $name", 40);
	is($node->safe_psql('desk', 'SELECT max(era), max(timeline) FROM support.log_eras'), '2|2', "$name: a second era begins");
	is_deeply([ compare($node, \@seen, $known) ], [ ['2|t'], [ sort @lost ] ],
		"$name: who follows the log learns of it, and finds what is lost");
	my @rows = take_all($node, 'index');
	is_deeply([ @rows[ 0 .. $#again ] ], \@again, "$name: he has again what the backup says that he had not");
	is((grep { /^2\/.*In $name/ } @rows[ @again .. $#rows ]), 40, "$name: and then what is new");
	is_deeply([ map { position_of($_) } @rows ], [ positions($node, 'id > 4') ], "$name: which is all");
	is($node->safe_psql('desk', 'SELECT support.seal_audit(), finding FROM support.verify_audit()'), @rows . '|', "$name: it is sealed");
	is($node->safe_psql('desk', 'SELECT unsealed, finding FROM support.verify_audit()'), '0|', "$name: and verified");
}

# The same transaction and the same entry are other changes there
my @in_two = map { [ split m{/} ] } positions($two, 'era = 2');
my %of_primary = map { (split m{/}, position_of($_))[2] => 1 } grep { /Lost to both/ } @seen;
ok((grep { $of_primary{ $_->[2] } } @in_two), 'numbers of entries come again');
is($two->safe_psql('desk', 'SELECT count(*) - count(DISTINCT (era, xid, id)) FROM support.audit_log'), '0', 'positions do not');
isnt($one->safe_psql('desk', 'SELECT began_lsn FROM support.log_eras WHERE era = 2'),
	$two->safe_psql('desk', 'SELECT began_lsn FROM support.log_eras WHERE era = 2'), 'the two lines began at different places');
is($one->safe_psql('desk', 'SELECT began_lsn, timeline FROM support.log_eras WHERE era = 2'),
	$again->safe_psql('desk', 'SELECT began_lsn, timeline FROM support.log_eras WHERE era = 2'), 'two recoveries to one point at the same');
my @seen_in_one = map { s/$/ in one/r } map { my $row = $_; $row } split /\n/, $one->safe_psql('desk', <<'SQL');
SELECT concat_ws('/', era, xid, id), action FROM support.audit_log WHERE era = 2
SQL
my ($new, $lost) = compare($again, \@seen_in_one, eras($one));
is_deeply([ sort @$new ], [ '2|f', '2|t' ], 'who has followed the one learns that the other is not it');
is(scalar @$lost, 40, 'and that all he has seen there is lost');

# A server that is started again, or crashes, goes on in its era
$two->stop('immediate');
$two->start;
open_tickets($two, 'After a crash', 1);
is($two->safe_psql('desk', 'SELECT max(era) FROM support_internal.eras'), '2', 'a crash begins no era');
$_->stop foreach $one, $again;
$two->stop;

# A standby is promoted, with a transaction that was prepared
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->safe_psql('desk', <<'SQL');
SELECT support.feed_start('second');
BEGIN;
SELECT support.set_priority(1, 'urgent', actor_id => 1);
SELECT support.create_ticket('In doubt', creator_id => 1);
PREPARE TRANSACTION 'in doubt';
SQL
my $before = $primary->safe_psql('desk', 'SELECT max(id) FROM support.audit_log');
open_tickets($primary, 'Young', 2);
$primary->wait_for_catchup($standby);
my $reader = $standby->background_psql('desk');
is($reader->query("SELECT count(*) FROM support.feed_read('index')"), '0', 'the prepared transaction holds the feed back on a standby');
$primary->stop('immediate');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is($standby->safe_psql('desk', 'SELECT support.seal_audit()'), '0', 'and the seals on the new primary');
my $snapshot = $standby->safe_psql('desk', 'SELECT pg_current_snapshot()');
is($reader->query("SELECT support.set_priority(2, 'low')"), '2', 'a session that read on the standby writes');
open_tickets($standby, 'Promoted', 2);
$standby->safe_psql('desk', "SELECT support.feed_start('third')");
is($standby->safe_psql('desk', "SELECT count(*), min(id) > $before FROM support.audit_log WHERE era = 2"), '3|t',
	'what is written there is of a new era');
foreach my $consumer (qw(index second third))
{
	is_deeply([ take_all($standby, $consumer) ], [], "consumer $consumer waits for what is prepared");
}
is($standby->safe_psql('desk', 'SELECT support.seal_audit()'), '0', 'so do the seals');
is($standby->safe_psql('desk', 'SELECT finding FROM support.verify_audit()'), '', 'with nothing wrong');
$standby->safe_psql('desk', q(COMMIT PREPARED 'in doubt'));
my @in_doubt = positions($standby, "xid = (SELECT xid FROM support.audit_log WHERE table_name = 'tickets'"
	. " AND record_id = (SELECT id FROM support.tickets WHERE title = 'In doubt'))");
is(scalar @in_doubt, 2, 'it is committed');
like("@in_doubt", qr{^1/\S+ 1/\S+$}, 'in the era that it wrote in');
my @since = positions($standby, "id > $before");
is_deeply([ @since[ 0, 1 ] ], \@in_doubt, 'before all that came after');
foreach my $consumer (qw(index second))
{
	is_deeply([ map { position_of($_) } take_all($standby, $consumer) ], \@since,
		"consumer $consumer, who began before the promotion, gets it and what came after, once");
}
is_deeply([ map { position_of($_) } take_all($standby, 'third') ], \@in_doubt,
	'who began after it has that only: he had the rest when he began');
is($standby->safe_psql('desk', "SELECT priority FROM support.tickets_as_of_snapshot('$snapshot') WHERE id = 1"), 'normal',
	'a snapshot of the time when it was prepared does not have it');
is($standby->safe_psql('desk', "SELECT count(*) FROM support.tickets_as_of_snapshot('$snapshot') WHERE title = 'Promoted 1'"),
	'0', 'nor what is of the new era');
is($standby->safe_psql('desk', 'SELECT support.seal_audit()'), scalar @since, 'all is sealed');
is($standby->safe_psql('desk', 'SELECT unsealed, finding FROM support.verify_audit()'), '0|', 'and verified');
open_tickets($standby, 'Later', 1);
is((take_all($standby, 'third'))[0] =~ /Later 1$/, 1, 'and the feed goes on');
$reader->quit;

# The first who writes in a new line of time keeps nobody waiting, whatever becomes of it
foreach my $end ('COMMIT', 'ROLLBACK', "PREPARE TRANSACTION 'first'")
{
	my $name = lc +(split / /, $end)[0];

	$standby->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE desk");
	my $first = $standby->background_psql($name);

	$first->query_safe('BEGIN');
	$first->query_safe("SELECT support.create_ticket('First', creator_id => 1)");
	is($standby->safe_psql($name, <<'SQL'), "3|1", "$name: a second one writes, too, before it has ended");
SET statement_timeout = '10s';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT support.create_ticket('Second', creator_id => 1) > 0 AS made
\gset
COMMIT;
SELECT max(era), count(*) FILTER (WHERE era = 3) FROM support.log_eras;
SQL
	$first->query_safe($end);
	open_tickets_in($standby, $name, 'Third', 1);
	$standby->safe_psql($name, q(COMMIT PREPARED 'first')) if $end =~ /PREPARE/;
	is($standby->safe_psql($name, 'SELECT count(DISTINCT line), count(DISTINCT era) FROM support.log_eras'), '3|3',
		"$name: all are of one era, which has one name");
	is($standby->safe_psql($name, <<'SQL'), $end eq 'ROLLBACK' ? 'Second Third 1' : 'First Second Third 1', "$name: with its changes");
SELECT string_agg(t.title, ' ' ORDER BY t.title) FROM support.audit_log AS a
JOIN support.tickets AS t ON t.id = a.record_id
WHERE a.era = 3 AND a.table_name = 'tickets'
SQL
	is($standby->safe_psql($name, 'SELECT support.seal_audit() > 0, unsealed, finding FROM support.verify_audit()')
		=~ s/^t\|\d+\|//r, '', "$name: and nothing wrong");
	is($standby->safe_psql($name, 'SELECT unsealed, finding FROM support.verify_audit()'), '0|', "$name: once sealed");
	$first->quit;
}

$standby->stop;
done_testing();
