# Transactions that stay open, or prepared, hold back what has to wait for them: the feed, the seals, the adding up of
# counters. Who waits can see for whom. And what only seems to be in the way is not: Citus in a desk that is not distributed.

use strict;
use warnings;

use Desk;
use Test::More;

my $node = start_server('desk', 'max_prepared_transactions = 5');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@example.com', 'Ada', 'agent');
SELECT support.create_ticket('Printer on fire', creator_id => 1);
SELECT support.fold_stats() > 0;
SQL

# Run fold_stats() until it has waited for a moment: the message that it gives up with, and all that it said before
sub waits_for
{
	my ($sql) = @_;
	my (undef, undef, $said) = $node->psql('desk', "SET lock_timeout = '300ms'; $sql");

	return $said =~ s/^psql:<stdin>:\d+: //mgr;
}

# Folding

my $idle = $node->background_psql('desk');
my $pid = $idle->query('SELECT pg_backend_pid()');
$idle->query_safe('BEGIN');
$idle->query_safe("SELECT support.create_ticket('Open', creator_id => 1)");
is($node->safe_psql('desk', 'SELECT support.fold_stats()'), '0', 'a transaction that only writes is in nobody\'s way');
$idle->query_safe('SELECT support.fold_stats()');
foreach my $call ('fold_stats()', 'rebuild_stats()')
{
	like(waits_for("SELECT support.$call"),
		qr/^NOTICE:  waiting for a transaction .*^DETAIL:  Process $pid, idle in transaction since [-0-9]+ [:0-9]+\+00\.\n.*^ERROR:  canceling statement due to lock timeout/ms,
		"$call says that a transaction which was left open is in its way");
}
$idle->query_safe(q(PREPARE TRANSACTION 'in doubt'));
like(waits_for('SELECT support.fold_stats()'), qr/^DETAIL:  Prepared transaction "in doubt"\.$/m, 'and which one was prepared');
$node->safe_psql('desk', q(ROLLBACK PREPARED 'in doubt'));
$idle->query_safe('BEGIN');
$idle->query_safe('LOCK TABLE support_internal.stat_deltas IN SHARE MODE');
like(waits_for('SELECT support.fold_stats()'), qr/^DETAIL:  Process $pid, idle in transaction since/m, 'and who has locked a table');
$idle->query_safe('ROLLBACK');
is(waits_for('SELECT support.fold_stats()'), '', 'with nobody in the way nothing is said');

# Feed and seals: what the manual's query shows

my ($query) = PostgreSQL::Test::Utils::slurp_file('doc/feed.md') =~ /(SELECT pid, [^;]* pg_prepared_xacts[^;]*);/s;
ok(defined $query, 'the manual has a query');
$node->safe_psql('desk', "SELECT support.feed_start('search'); SELECT support.seal_audit() > 0");
$idle->query_safe('BEGIN');
$idle->query_safe("SELECT support.create_ticket('In doubt', creator_id => 1)");
$node->safe_psql('desk', "SELECT support.create_ticket('Later', creator_id => 1)");
my $held = "SELECT count(*) FROM support.feed_read('search'); SELECT support.seal_audit();";
is($node->safe_psql('desk', $held), "0\n0", 'an open transaction holds back the feed and the seals');
like($node->safe_psql('desk', $query), qr/^$pid\|\|desk\|idle in transaction\|[^|]+$/, 'the query shows it');
$idle->query_safe(q(PREPARE TRANSACTION 'in doubt'));
is($node->safe_psql('desk', $held), "0\n0", 'so does one that was prepared');
like($node->safe_psql('desk', $query), qr/^\|in doubt\|desk\|prepared\|[^|]+$/, 'and the query shows that, too');
$node->safe_psql('desk', q(COMMIT PREPARED 'in doubt'));
is($node->safe_psql('desk', $held), "2\n2", 'once it has ended, nothing is missing');
is($node->safe_psql('desk', $query), '', 'and nothing shown');
$idle->quit;

# Citus keeps the list of distributed tables in pg_catalog, and is not here: a table and a name stand in for it
$node->safe_psql('desk', <<'SQL');
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char");
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (100, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.0');
SQL
is($node->safe_psql('desk', <<'SQL'), "3\n5\nt", 'with Citus in the database counters are added up, by themselves as well');
SELECT support.create_ticket('Undistributed', creator_id => 1) > 0 AS made
\gset
SELECT support.fold_stats();
SET support_ext.fold_every = 5;
SELECT count(support.create_ticket('Undistributed', creator_id => 1)) AS made FROM generate_series(1, 5)
\gset
SELECT count(*) FROM support_internal.stat_deltas;
SELECT count(support.create_ticket('Undistributed', creator_id => 1)) AS made FROM generate_series(1, 5)
\gset
SELECT count(*) < 10 FROM support_internal.stat_deltas;
SQL
$node->safe_psql('desk', <<'SQL');
INSERT INTO pg_dist_partition VALUES ('support_internal.stat_counters', 'h');
SQL
is(scalar sqlstate($node, 'desk', 'SELECT support.fold_stats()'), '55000', 'but not into a table that is distributed');
is($node->safe_psql('desk', <<'SQL'), 'UPDATE|1', 'a log that is distributed is written by the executor');
SET allow_system_table_mods = on;
DELETE FROM pg_dist_partition;
INSERT INTO pg_dist_partition VALUES ('support_internal.audit_log_default', 'h');
\c
SELECT support.set_priority(1, 'high') > 0 AS set
\gset
SELECT action, record_id FROM support.audit_log ORDER BY id DESC LIMIT 1;
SQL
is($node->safe_psql('desk', <<'SQL'), 'ix_attachments_id', 'install() leaves a distributed table without a key that it gave up');
SET allow_system_table_mods = on;
DELETE FROM pg_dist_partition;
INSERT INTO pg_dist_partition VALUES ('support.comments', 'h');
ALTER TABLE support.comments DROP CONSTRAINT ix_comments_id;
ALTER TABLE support.attachments DROP CONSTRAINT ix_attachments_id;
SELECT support.install() AS done
\gset
SELECT conname FROM pg_constraint WHERE conname = ANY ('{ix_comments_id,ix_attachments_id}');
SQL

$node->stop;
done_testing();
