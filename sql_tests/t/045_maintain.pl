# maintain() where others are at work: nobody meets a deadlock, whoever keeps it waiting for long is told of, and what it
# cannot do now it does later. It takes no month that somebody still needs, and one that was taken off comes back.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('desk', 'deadlock_timeout = 400ms', 'max_prepared_transactions = 5');

# Make a desk that has three months, the first of which is older than what is kept, and lacks the next ones
my $YEAR_AFTER = "SET support_ext.now = '2027-01-15 09:00+00';";

sub make_desk
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<'SQL');
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-15 09:00+00';
SELECT support.create_user('ada@desk.example', 'Ada', 'agent');
SELECT support.create_ticket('Ticket ' || n, creator_id => 1) FROM generate_series(1, 3) AS n;
DELETE FROM support.tickets WHERE id = 2;
SELECT support.maintain();
SET support_ext.now = '2027-01-15 09:00+00';
SELECT support.configure('retention', '9 months');
SQL
}

# What maintain() says, a year after
sub maintained
{
	my ($database, $arguments) = @_;

	return $node->safe_psql($database, "$YEAR_AFTER SELECT support.maintain(" . ($arguments // '') . ')');
}

my $EVERYTHING = <<'TEXT';
made support_internal.audit_log_2027_01, with 1 entries of the default partition
made support_internal.audit_log_2027_02
made support_internal.audit_log_2027_03
copied 1 entries that the recycle bin needs to the default partition
detached support_internal.audit_log_2026_03
TEXT
chomp $EVERYTHING;

# Somebody who waits for a lock on the log
my $waiting = q(SELECT count(*) > 0 FROM pg_locks WHERE relation = 'support.audit_log'::regclass AND NOT granted);

# One who has written goes on to read and to write while maintain() waits for him: neither has to end

make_desk('together');
my $writer = $node->background_psql('together');

$writer->query_safe("$YEAR_AFTER BEGIN; UPDATE support.tickets SET priority = 'high' WHERE id = 1");
my ($said, $told) = run_together($node, 'together', ["$YEAR_AFTER SELECT support.maintain();"], sub {
	$node->poll_query_until('together', $waiting);
	is($writer->query_safe('SELECT count(*) > 0 FROM support.audit_log'), 't', 'who has written reads all of the log');
	$writer->query_safe("UPDATE support.tickets SET priority = 'low' WHERE id = 1");
	$writer->query_safe('COMMIT');
});
is($told, '', 'nobody meets an error');
is($said =~ s/\n\z//r, $EVERYTHING =~ s/with 1/with 3/r, 'and maintain() does all there is to do');

# One who stays keeps months from going, but not others from working nor the next months from being made

make_desk('busy');
my $reader = $node->background_psql('busy');

$reader->query_safe("BEGIN; SELECT count(*) FROM support_internal.audit_log_2026_03; SELECT count(*) FROM support.users");
my $answer = maintained('busy');
is($answer, <<'TEXT' =~ s/\n\z//r, 'a month that is being read waits');
made support_internal.audit_log_2027_01, with 1 entries of the default partition
made support_internal.audit_log_2027_02
made support_internal.audit_log_2027_03
support.audit_log is in use: what else there is to do waits for the next call
TEXT
$reader->query_safe('COMMIT');
is(maintained('busy'), join("\n", (split /\n/, $EVERYTHING)[3, 4]), 'and goes with the next call');

make_desk('taken');
$node->safe_psql('taken', "BEGIN; $YEAR_AFTER UPDATE support.tickets SET priority = 'high' WHERE id = 1; PREPARE TRANSACTION 'stays'");
is(maintained('taken'), 'support.audit_log is in use: what else there is to do waits for the next call',
	'one who has written to the default partition keeps all waiting');
is($node->safe_psql('taken', "SET lock_timeout = '50ms'; $YEAR_AFTER SELECT support.maintain()"),
	'support.audit_log is in use: what else there is to do waits for the next call', 'a shorter lock_timeout is kept');
is($node->safe_psql('taken', "$YEAR_AFTER BEGIN; SELECT FROM support.maintain(); COMMIT; SELECT support.set_priority(3, 'low')"),
	'2', 'others go on');
is(maintained('taken', 'dry_run => true'), <<'TEXT' =~ s/\n\z//r, 'a dry run waits for nobody');
would make support_internal.audit_log_2027_01, with 2 entries of the default partition
would make support_internal.audit_log_2027_02
would make support_internal.audit_log_2027_03
would copy 1 entries that the recycle bin needs to the default partition
would detach support_internal.audit_log_2026_03
TEXT
$node->safe_psql('taken', "COMMIT PREPARED 'stays'");

# A dry run changes nothing, and takes no lock that anybody would notice

is($node->safe_psql('taken', <<"SQL"), 't|t', 'a dry run locks nothing for long');
$YEAR_AFTER
SELECT count(*) > 0, (SELECT count(*) = 0 FROM pg_locks WHERE relation = 'support_internal.audit_log_default'::regclass)
FROM support.maintain(dry_run => true)
SQL
is($node->safe_psql('taken', "$YEAR_AFTER SET default_transaction_read_only = on; SELECT count(*) FROM support.maintain(dry_run => true)"), '5',
	'it can be had where nothing is written');
is(maintained('taken'), $EVERYTHING =~ s/with 1/with 3/r, 'and everything is still to be done');
is(maintained('taken', 'dry_run => true'), '', 'then nothing is');

# Months stay for consumers of the feed, and for a seal

make_desk('followed');
$node->safe_psql('followed', "SELECT support.feed_start('mirror', NULL); SELECT support.feed_start('the \"other\" one', NULL)");
is((split /\n/, maintained('followed'))[-1],
	q(kept support_internal.audit_log_2026_03: consumers of the feed that have not read it: 'mirror', 'the "other" one'; support.feed_stop() ends one that is gone),
	'a month stays until consumers have read it');
is($node->safe_psql('followed', <<'SQL'), '', 'one reads it, to its last entry');
SELECT support.feed_done('mirror', feed_position) FROM support.feed_read('mirror') WITH ORDINALITY WHERE action = 'DELETE' ORDER BY ordinality DESC LIMIT 1
SQL
is(maintained('followed'),
	q(kept support_internal.audit_log_2026_03: consumers of the feed that have not read it: 'the "other" one'; support.feed_stop() ends one that is gone),
	'and for the other one');
$node->safe_psql('followed', q(SELECT support.feed_stop('the "other" one')));
is(maintained('followed', 'true'), join("\n", map { s/^copied/would copy/r =~ s/^detached/would detach/r } (split /\n/, $EVERYTHING)[3, 4]),
	'when nobody is behind it goes');

make_desk('sealed');
$node->safe_psql('sealed', <<'SQL');
SELECT support.seal_audit();
SET support_ext.now = '2026-03-20 09:00+00';
SELECT support.set_priority(1, 'low');
SQL
is((split /\n/, maintained('sealed'))[-1],
	'kept support_internal.audit_log_2026_03: 1 of its entries are not sealed; SELECT support.seal_audit() seals them',
	'where some entries are sealed, a month stays until all of its are');
$node->safe_psql('sealed', 'SELECT support.seal_audit()');
is(maintained('sealed'), <<'TEXT' =~ s/\n\z//r, 'then it goes, but for what the recycle bin has kept');
copied 1 entries that the recycle bin needs to the default partition
marked 5 sealed entries as pruned
detached support_internal.audit_log_2026_03
TEXT
is($node->safe_psql('sealed', 'SELECT finding, pruned FROM support.verify_audit()'), '|5', 'and the chain is whole');

# A month that was taken off by hand is named, and comes back with what came to its time meanwhile

my $log = 'SELECT md5(string_agg(a::text, $$ $$ ORDER BY id)), count(*) FROM support.audit_log AS a WHERE occurred_at < $$2026-04-01$$';

is($node->safe_psql('sealed', <<'SQL'), '1', 'entries of its time come to the default partition');
SET support_ext.now = '2026-03-25 09:00+00';
SELECT count(*) FROM support.log_event(1, 'imported');
SQL
is(maintained('sealed'), 'kept 1 entries of 2026-03 in the default partition: another table has the name or a part of the time'
	. ' of support_internal.audit_log_2026_03', 'a month that the retention took is not spoken of, but what came of it later');
$node->safe_psql('sealed', $YEAR_AFTER . q(SELECT support.configure('retention', '')));
is(maintained('sealed', 'dry_run => true'),
	q(support_internal.audit_log_2026_03 is not part of the log: SELECT support.attach_month('2026-03-01') puts it back),
	'one that it would have kept is');
is(maintained('sealed'), maintained('sealed', 'dry_run => true'), 'each time');
is($node->safe_psql('sealed', $YEAR_AFTER . q(SELECT support.attach_month('2026-03-31', 1))),
	'attached support_internal.audit_log_2026_03, with 2 entries of the default partition', 'it is put back');
is($node->safe_psql('sealed', 'SELECT count(*), count(DISTINCT id), count(DISTINCT tableoid) FROM support.audit_log WHERE occurred_at < $$2026-04-01$$'),
	'7|7|1', 'each entry once, and in one place');
is($node->safe_psql('sealed', 'SELECT finding, pruned FROM support.verify_audit()'), '|0', 'the chain is whole, and nothing pruned');
is(maintained('sealed'), '', 'and nothing is missing');
is($node->safe_psql('sealed', q(SELECT new_value ->> 'done' FROM support.audit_log WHERE action = 'PRUNE' ORDER BY id)), "detach\nattach",
	'the log has both');
is($node->safe_psql('sealed', 'SELECT support.restore_ticket(2) > 0'), 't', 'what was removed in it comes back');
is(scalar sqlstate($node, 'sealed', 'TRUNCATE support_internal.audit_log_2026_03'), '55000', 'it is guarded');
is(scalar sqlstate($node, 'sealed', q(SELECT support.attach_month('2026-03-01'))), '55000', 'what is there is not attached again');
is(scalar sqlstate($node, 'sealed', q(SELECT support.attach_month('2025-03-01'))), 'P0002', 'nor what there is not');
is(scalar sqlstate($node, 'sealed', q(SELECT support.attach_month(NULL))), '22023', 'and a month must be named');
is(scalar sqlstate($node, 'sealed', q(SELECT support.attach_month('infinity'))), '22023', 'one that has a name');
$node->safe_psql('sealed', 'CREATE ROLE somebody; CREATE TABLE support_internal.audit_log_2025_03 (LIKE support.audit_log);
	ALTER TABLE support_internal.audit_log_2025_03 OWNER TO somebody; CREATE SEQUENCE support_internal.audit_log_2025_04;
	CREATE TABLE support_internal.audit_log_2025_05 (id int)');
is(scalar sqlstate($node, 'sealed', q(SELECT support.attach_month('2025-03-01'))), '55000', "somebody else's table is left alone");
is(scalar sqlstate($node, 'sealed', q(SELECT support.attach_month('2025-04-01'))), '55000', 'and what is no table');
like(join(' ', sqlstate($node, 'sealed', q(SELECT support.attach_month('2025-05-01')))),
	qr/^55000 .*audit_log_2025_05 has not the columns of the log/, 'or has other columns');

# From the archive, and with values that a purge has reached meanwhile

make_desk('archived');
$node->safe_psql('archived', q(SELECT support.configure('retention_action', 'archive')));
maintained('archived');
$node->safe_psql('archived', "$YEAR_AFTER SELECT support.purge_deleted('0 days')");
is($node->safe_psql('archived', q(SELECT support.configure('retention', ''); SELECT support.attach_month('2026-03-01'))) =~ s/^\n//r,
	'attached support_internal.audit_log_2026_03, with 1 entries of the default partition', 'a month comes back from the archive');
is($node->safe_psql('archived', 'SELECT count(*), count(old_value), count(DISTINCT id) FROM support.audit_log WHERE ticket_id = 2'), '3|0|3',
	'without what was purged');

$writer->quit;
$reader->quit;
$node->stop;
done_testing();
