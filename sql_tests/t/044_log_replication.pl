# Who follows the log by logical replication: maintain() moves entries between partitions, and takes months away, without a
# word to subscribers of whatever kind of publication and to an application's triggers. What it writes anew is whole: after
# a crash, on a standby, and for amcheck.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $COLUMNS = 'id, occurred_at, era, xid, actor_id, db_role, action, table_name, record_id, ticket_id, old_value, new_value';
my $LONG = q((SELECT string_agg(md5(n::text), '') FROM generate_series(1, 3000) AS n));

my $publisher = start_server('publisher', 'wal_level = logical', 'max_wal_senders = 20', 'max_replication_slots = 20');
$publisher->safe_psql('postgres', 'CREATE DATABASE desk');
$publisher->safe_psql('desk', 'CREATE EXTENSION support_ext');

# Let the desk do something at a time
sub at_time
{
	my ($time, $sql) = @_;

	return $publisher->safe_psql('desk', "SET support_ext.now = '$time'; $sql");
}

at_time('2026-02-10 09:00+00', <<"SQL");
SELECT support.create_user('ada\@desk.example', 'Ada', 'agent');
SELECT support.create_ticket('Ticket ' || n, creator_id => 1) FROM generate_series(1, 4) AS n;
UPDATE support.tickets SET description = $LONG WHERE id = 1;
SELECT support.add_comment(2, 'Goes with its ticket', author_id => 1);
DELETE FROM support.tickets WHERE id = 2;
SQL
at_time('2026-03-10 09:00+00', "UPDATE support.tickets SET description = reverse($LONG) WHERE id = 1;
	SELECT support.delete_ticket(3)");

# What an application may put on the log: a trigger, and one whose function finds nothing under the owner's search_path
$publisher->safe_psql('desk', <<'SQL');
CREATE TABLE fired (operation text);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.fired VALUES (tg_op); RETURN NULL; END$$;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO fired VALUES (tg_op); RETURN NULL; END$$;
SQL

# Have a function called for each entry that comes, changes or goes
sub add_trigger
{
	my ($function) = @_;

	$publisher->safe_psql('desk', <<"SQL");
CREATE TRIGGER app_$function AFTER INSERT OR UPDATE OR DELETE ON support.audit_log FOR EACH ROW EXECUTE FUNCTION $function()
SQL
}

# Subscribers: one database for each kind of publication

my $subscriber = start_server('subscriber', 'max_logical_replication_workers = 20', 'max_worker_processes = 40',
	'max_sync_workers_per_subscription = 4', 'max_replication_slots = 20');
my %publications = (
	root => 'FOR TABLE support.audit_log WITH (publish_via_partition_root = true)',
	leaves => 'FOR TABLE support.audit_log',
	others => 'FOR TABLE support_internal.audit_log_default',
	everything => 'FOR ALL TABLES WITH (publish_via_partition_root = true)',
	every_leaf => 'FOR ALL TABLES');
my $schema = $publisher->basedir . '/schema.sql';

$publisher->run_log([ 'pg_dump', '--schema-only', '-d', $publisher->connstr('desk'), '-f', $schema ]);
foreach my $name (sort keys %publications)
{
	my $from = $publisher->connstr . ' dbname=desk';

	$publisher->safe_psql('desk', "CREATE PUBLICATION $name $publications{$name}");
	$subscriber->safe_psql('postgres', "CREATE DATABASE $name");
	$subscriber->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $subscriber->connstr($name), '-f', $schema ],
		"$name: the tables are there");
	# the log has its key alone there, as in the manual: 17.2 falls over a BRIN index of a table that has partitions
	$subscriber->safe_psql($name, 'DROP INDEX support.ix_audit_log_occurred_at');
	$subscriber->safe_psql($name, "CREATE SUBSCRIPTION $name CONNECTION '$from' PUBLICATION $name");
	$subscriber->wait_for_subscription_sync($publisher, $name, $name);
}
add_trigger('fire');
add_trigger('fail');

# The log as a database has it, whatever table has an entry
sub log_of
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, "SELECT $COLUMNS FROM support.audit_log ORDER BY id");
}

# The subscriber, once it has all that was written
sub followed_log
{
	my ($name) = @_;

	$publisher->wait_for_catchup($name);
	return log_of($subscriber, $name);
}

# All subscribers have the log
sub is_followed
{
	my ($when, $log) = @_;

	foreach my $name (sort keys %publications)
	{
		is(followed_log($name), $log, "$when: $name");
	}
}

my $before = log_of($publisher, 'desk');

is_followed('at first', $before);

# What is so of a partition, whatever it holds
my $traits = <<'SQL';
SELECT c.oid, c.relowner, c.relreplident, c.reloptions, c.relacl, c.relpersistence,
	(SELECT string_agg(t.tgname || t.tgenabled::text, ' ' ORDER BY t.tgname) FROM pg_trigger AS t WHERE t.tgrelid = c.oid),
	(SELECT string_agg(i.indexrelid::regclass::text || ' ' || i.indisvalid::text, ' ' ORDER BY i.indexrelid) FROM pg_index AS i WHERE i.indrelid = c.oid),
	(SELECT string_agg(p.pubname, ' ' ORDER BY p.pubname) FROM pg_publication_tables AS p WHERE p.tablename = c.relname),
	(SELECT relname = 'pg_toast_' || c.oid FROM pg_class AS t WHERE t.oid = c.reltoastrelid),
	(SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attstattarget = 321)
FROM pg_class AS c
WHERE c.relname = 'audit_log_default'
SQL
$publisher->safe_psql('desk', 'ALTER TABLE support_internal.audit_log_default ALTER COLUMN xid SET STATISTICS 321, SET (fillfactor = 70)');
my $default = $publisher->safe_psql('desk', $traits);

# Months are made of what lies in the default partition

is(at_time('2026-03-20 09:00+00', 'SELECT support.maintain()'), <<'TEXT' =~ s/\n\z//r, 'the months are made');
made support_internal.audit_log_2026_03, with 2 entries of the default partition
made support_internal.audit_log_2026_04
made support_internal.audit_log_2026_05
made support_internal.audit_log_2026_02, with 9 entries of the default partition
TEXT
is(log_of($publisher, 'desk'), $before, 'every entry is as it was');
is($publisher->safe_psql('desk', $traits), $default, 'so is the default partition');
is($publisher->safe_psql('desk', 'SELECT count(*) FROM support_internal.audit_log_default'), '0', 'but for what it held');
is($publisher->safe_psql('desk', 'SELECT count(*) FROM fired'), '0', 'no trigger of an application has fired');
$publisher->safe_psql('desk', 'DROP TRIGGER app_fail ON support.audit_log');
$default = $publisher->safe_psql('desk', $traits);
is_followed('months made', $before);

# A subscriber that follows each partition by itself gets the new ones, and is told of them
foreach my $name (qw(leaves every_leaf))
{
	$subscriber->safe_psql($name, <<'SQL');
CREATE TABLE support_internal.audit_log_2026_03 (LIKE support_internal.audit_log_default INCLUDING ALL);
CREATE TABLE support_internal.audit_log_2026_04 (LIKE support_internal.audit_log_default INCLUDING ALL);
CREATE TABLE support_internal.audit_log_2026_05 (LIKE support_internal.audit_log_default INCLUDING ALL);
CREATE TABLE support_internal.audit_log_2026_02 (LIKE support_internal.audit_log_default INCLUDING ALL);
SQL
	$subscriber->safe_psql($name, "ALTER SUBSCRIPTION $name REFRESH PUBLICATION WITH (copy_data = false)");
}

# What is written afterwards arrives
at_time('2026-03-21 09:00+00', q(UPDATE support.tickets SET priority = 'high' WHERE id = 1));
my $later = log_of($publisher, 'desk');

isnt($later, $before, 'an entry is written');
is(followed_log($_), $later, "and arrives: $_") foreach qw(root everything);
foreach my $name (qw(leaves every_leaf))
{
	$publisher->wait_for_catchup($name);
	is($subscriber->safe_psql($name, 'SELECT string_agg(action, $$ $$) FROM support_internal.audit_log_2026_03'), 'UPDATE',
		"and arrives: $name");
}
is($publisher->safe_psql('desk', 'SELECT string_agg(operation, $$ $$) FROM fired'), 'INSERT', 'the trigger fires as ever');

# A month goes, and what the recycle bin needs of it stays

at_time('2026-03-22 09:00+00', q(SELECT support.configure('retention', '1 month'); SELECT support.configure('retention_action', 'archive')));
at_time('2026-03-22 09:00+00', 'SELECT support.log_event(NULL, $$last$$)');
$publisher->safe_psql('desk', 'TRUNCATE fired');
is(at_time('2026-04-20 09:00+00', 'SELECT support.maintain()'), <<'TEXT' =~ s/\n\z//r, 'a month is archived');
made support_internal.audit_log_2026_06
copied 2 entries that the recycle bin needs to the default partition
archived support_internal.audit_log_2026_02 to the schema support_archive
TEXT
is($publisher->safe_psql('desk', 'SELECT string_agg(operation, $$ $$) FROM fired'), 'INSERT', 'an application hears of the note alone');
is($publisher->safe_psql('desk', <<'SQL'), '2|2', 'the entries are in the log, and in the archive');
SELECT count(*), (SELECT count(*) FROM support_archive.audit_log_2026_02 AS a WHERE a.action = 'DELETE')
FROM support_internal.audit_log_default
SQL
is($publisher->safe_psql('desk', $traits), $default, 'the default partition is as it was');
foreach my $name (qw(root everything))
{
	$publisher->wait_for_catchup($name);
	is($subscriber->safe_psql($name, 'SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE action = $$PRUNE$$) FROM support.audit_log'),
		'16|16|1', "months stay with the subscriber, once: $name");
}
is(at_time('2026-04-21 09:00+00', 'SELECT support.restore_ticket(2) > 0'), 't', 'the ticket comes back');

# The month comes back, and a purge reaches subscribers
is(at_time('2026-04-22 09:00+00', "SELECT support.attach_month('2026-02-01')"),
	'attached support_internal.audit_log_2026_02, with 2 entries of the default partition', 'the month comes back');
at_time('2026-05-20 09:00+00', 'SELECT support.purge_deleted($$0 days$$)');
my $last = log_of($publisher, 'desk');

is(followed_log($_), $last, "a purge arrives: $_") foreach qw(root everything);
is($publisher->safe_psql('desk', 'SELECT count(*), count(DISTINCT (ticket_id, id)) FROM support.audit_log'),
	$subscriber->safe_psql('root', 'SELECT count(*), count(*) FROM support.audit_log'), 'no entry is there twice');
is($subscriber->safe_psql('root', 'SELECT sum(apply_error_count) FROM pg_stat_subscription_stats'),
	'0', 'no subscriber has met an error');

# What was written anew is whole

SKIP:
{
	skip 'no amcheck', 2
		if $publisher->safe_psql('desk', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck')) eq '0';
	$publisher->safe_psql('desk', 'CREATE EXTENSION amcheck');
	my $tables = q(pg_class AS c WHERE c.relname ~ '^audit_log_' AND c.relkind = 'r');

	is($publisher->safe_psql('desk', "SELECT c.oid::regclass, v.* FROM (SELECT c.oid FROM $tables) AS c, verify_heapam(c.oid) AS v"),
		'', 'tables are sound');
	is($publisher->safe_psql('desk', <<"SQL"), '', 'and so are their keys');
SELECT bt_index_check(i.indexrelid, true)::text || i.indexrelid::regclass
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
WHERE i.indisprimary AND c.relname ~ '^audit_log_' AND c.relkind = 'r'
	AND bt_index_check(i.indexrelid, true)::text <> ''
SQL
}
$publisher->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');

$standby->init_from_backup($publisher, 'backup', has_streaming => 1);
$standby->start;
$publisher->safe_psql('desk', q(ALTER TABLE support.audit_log DISABLE TRIGGER app_fire));
at_time('2026-08-20 09:00+00', q(SELECT support.configure('retention', '')));
at_time('2026-08-20 09:00+00', 'UPDATE support.tickets SET priority = $$low$$');
is(at_time('2026-08-20 10:00+00', q(SELECT line FROM support.maintain() AS line WHERE line ~ 'with')),
	'made support_internal.audit_log_2026_08, with ' . at_time('2026-08-20 10:00+00', 'SELECT count(*) FROM support_internal.audit_log_2026_08') . ' entries of the default partition',
	'another month is made');
$last = log_of($publisher, 'desk');
$publisher->wait_for_catchup($standby);
is(log_of($standby, 'desk'), $last, 'a standby has the log');
$standby->stop;
$publisher->stop('immediate');
$publisher->start;
is(log_of($publisher, 'desk'), $last, 'and so has the server after a crash');
is(followed_log($_), $last, "and its subscriber: $_") foreach qw(root everything);

$subscriber->stop;
$publisher->stop;
done_testing();
