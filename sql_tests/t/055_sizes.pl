# The largest values that the desk takes, of the worst characters, edited and deleted: they are read, dumped and restored.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('sizes', 'fsync = off', 'max_wal_size = 4GB');
my $dump = PostgreSQL::Test::Utils::tempdir . '/desk.dump';

# A desk with a ticket of the largest values that these limits allow, edited once. A control character has six characters
# in JSON and a backslash that COPY doubles; a number of a few bytes may have 131,000 digits
sub create_desk
{
	my ($database, $megabytes) = @_;
	my $bytes = $megabytes * 1024 * 1024;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<"SQL");
SET client_min_messages = warning;
CREATE EXTENSION support_ext;
SELECT support.create_user('ann\@desk.example', 'Ann', 'agent');
SELECT support.configure('max_text_size', '${megabytes}MB');
SELECT support.configure('max_custom_size', '${megabytes}MB');
SELECT support.create_ticket('Largest', repeat(E'\\x01', $bytes), creator_id => 1,
	custom => (SELECT jsonb_build_object('n', jsonb_agg(1e131000::numeric)) FROM generate_series(1, 7 * $megabytes)));
UPDATE support.tickets
SET description = repeat(E'\\x02', $bytes), custom = jsonb_build_object('a', repeat('\\', ($bytes - 9) / 2))
WHERE id = 1;
SQL
	return;
}

# Can the log be written as pg_dump has it written?
sub is_dumpable
{
	my ($database) = @_;

	return $node->psql($database, "COPY (TABLE support.audit_log) TO PROGRAM 'cat >/dev/null'") == 0;
}

my $sizes = 'SELECT octet_length(description), octet_length(custom::text), (SELECT max(octet_length(old_value ->> \'description\'))'
	. ' FROM support.audit_log) FROM support.tickets';

create_desk('largest', 32);
is($node->safe_psql('largest', $sizes), '33554432|33554431|33554432', 'the largest texts are taken, and logged');
ok(is_dumpable('largest'), 'and can be dumped');
is($node->safe_psql('largest', "SELECT length(support.get_ticket(1) -> 'ticket' ->> 'description')"), 33554432, 'and read');
is(sqlstate($node, 'largest', "UPDATE support.tickets SET description = description || 'x'"), '54000', 'a byte more is not');
$node->safe_psql('largest', <<'SQL');
SELECT support.configure('max_text_size', '64kB');
SELECT support.set_status(1, 'pending', actor_id => 1);
DELETE FROM support.tickets WHERE id = 1;
SQL
ok(is_dumpable('largest'), 'they are dumped from the recycle bin');
$node->safe_psql('largest', 'SELECT support.restore_ticket(1, actor_id => 1)');
is($node->safe_psql('largest', $sizes), '33554432|33554431|33554432', 'and come back whole, though the limit is lower by now');
$node->safe_psql('postgres', 'DROP DATABASE largest');

create_desk('desk', 1);
$node->safe_psql('desk', "SELECT support.add_attachment(1, 'film.mp4', decode(repeat('ff', 25 * 1024 * 1024), 'hex'))");
my $digests = "SELECT md5(description), md5(custom::text), (SELECT string_agg(md5(a::text), ' ' ORDER BY id) FROM support.audit_log AS a),"
	. ' (SELECT md5(content) FROM support_internal.attachment_contents) FROM support.tickets';
my $before = $node->safe_psql('desk', $digests);

$node->command_ok([ 'pg_dump', '--format=custom', '--file', $dump, $node->connstr('desk') ], 'a desk of large values is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE again');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname', $node->connstr('again'), $dump ], 'and restored');
is($node->safe_psql('again', $digests), $before, 'and is the same');

done_testing();
