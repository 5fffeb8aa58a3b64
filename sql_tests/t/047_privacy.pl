# Who is erased is nowhere any more: after ANALYZE, VACUUM FULL and a CHECKPOINT no file of the cluster but pg_wal and the
# server's log has a word of his, nor has a dump. A dump and its restore, and the roles that the owner lends it to, keep holds,
# rules and what erasures have marked.

use strict;
use warnings;

use Desk;
use File::Find;
use PostgreSQL::Test::Utils;
use Test::More;

my $MARK = 'Xyzzyplugh';
my $node = start_server('desk', 'autovacuum = off', 'log_statement = none');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
add_own_objects($node, 'desk');
use_desk($node, 'desk');
$node->safe_psql('desk', <<"SQL");
SET support_ext.now = '2026-03-11 09:00+00';
ALTER TABLE support.users ADD COLUMN phone text;
INSERT INTO support.users (id, email, full_name, external_id, phone, db_role, time_zone)
VALUES (90, '$MARK\@shop.example', 'Al $MARK', 'crm-$MARK', '555-$MARK', 'pg_monitor', 'UTC');
UPDATE support.users SET full_name = 'Alan $MARK' WHERE id = 90;
SELECT support.set_actor(90);
SELECT support.create_ticket('$MARK ' || n, 'It is $MARK', 90, external_id => '$MARK-' || n) FROM generate_series(900, 960) AS n;
SELECT support.add_comment(id, '$MARK writes ' || id, author_id => 90, external_id => '<$MARK-' || id || '>')
FROM support.tickets WHERE creator_id = 90;
SELECT support.add_attachment(id, '$MARK.txt', convert_to('bytes of $MARK', 'UTF8')) FROM support.tickets WHERE creator_id = 90;
SELECT support.edit_comment(ticket_id, id, '$MARK rewrites') FROM support.comments WHERE author_id = 90;
UPDATE support.tickets SET title = '$MARK again', description = '' WHERE creator_id = 90;
SELECT support.log_event(NULL, 'visit', '{"by": "$MARK"}', NULL);
SELECT support.add_comment(1, '$MARK on a ticket of others', author_id => 90, is_private => true);
DELETE FROM support.comments WHERE author_id = 90 AND ticket_id % 3 = 0;
SELECT support.delete_ticket(id, '$MARK knows why') FROM support.tickets WHERE creator_id = 90 AND id % 5 = 1;
DELETE FROM support.tickets WHERE creator_id = 90 AND id % 5 = 2;
SELECT support.fold_stats();
SELECT support.seal_audit();
SQL
$node->safe_psql('desk', 'VACUUM; ANALYZE; CHECKPOINT');

# The files of the cluster that have the word, but for pg_wal and the server's log
sub files_with_mark
{
	my @found;

	find(
		{
			no_chdir => 1,
			wanted => sub {
				return if !-f || m{/pg_wal/};
				push @found, $File::Find::name =~ s/^.*\/pgdata\///r if slurp_file($_) =~ /$MARK/i;
			}
		},
		$node->data_dir);
	return @found;
}

# A report of every metric, what promises came to, and how the statuses of tickets are
sub reports
{
	return $node->safe_psql('desk', <<'SQL');
SET support_ext.now = '2026-03-12 09:00+00';
SELECT m, r.bucket_at, r.group_value, r.n, r.average, r.p50, r.p99
FROM unnest('{created,solved,tickets_solved,still_solved,reopened,reopened_tickets,entered,replies,customer_comments,first_reply,resolution,full_resolution,one_touch,two_touch,multi_touch,backlog,open,unassigned,waiting,unanswered}'::text[]) AS m,
	unnest('{team,requester,status,tag}'::text[]) AS g,
	support.report(m, '2026-01-01', '2026-04-01', 'week', 'UTC', g) AS r
ORDER BY m, g, r.bucket_at, r.group_value;
SELECT * FROM support.sla_clocks ORDER BY id;
SELECT * FROM support.sla_events ORDER BY id;
SQL
}

cmp_ok(scalar files_with_mark(), '>', 5, 'his word is in many files');
my $before = reports();

my $dry = $node->safe_psql('desk', 'SELECT * FROM support.erase_user(90)');
is($node->safe_psql('desk', 'SELECT full_name FROM support.users WHERE id = 90'), "Alan $MARK", 'a dry run changes nothing');
like($dry, qr/^tickets\|\d+\|titles/m, 'and tells what would go');
is($node->safe_psql('desk', 'SELECT * FROM support.erase_user(90, dry_run => false)'), $dry, 'the erasure takes that');
is($node->safe_psql('desk', "SELECT string_agg(what, ' ') FROM support.erase_user(90) WHERE what !~ '^stays'"), '',
	'and leaves nothing to erase');

is(difference(reports(), $before), '', 'reports, clocks and their ledger are as before');
is($node->safe_psql('desk', 'SELECT * FROM support.verify_stats()'), '', 'what was counted is right');
is($node->safe_psql('desk', 'SELECT * FROM support_internal.search_flaws'), '', 'so are the words');
is($node->safe_psql('desk', 'SELECT * FROM support_internal.backlog_flaws'), '', 'and the backlog');
is($node->safe_psql('desk', 'SELECT erased > 0, finding FROM support.verify_audit()'), 't|', 'and the proof');

$node->safe_psql('desk', 'ANALYZE');
$node->safe_psql('desk', 'VACUUM FULL');
$node->safe_psql('desk', 'CHECKPOINT');
is(join(' ', files_with_mark()), '', 'no file has his word');

my $dump = $node->basedir . '/desk.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('desk') ], 'the desk is dumped');
unlike(slurp_file($dump), qr/$MARK/i, 'no dump has it');

# Holds and rules travel with the desk, and hold there

$node->safe_psql('desk', <<'SQL');
SET support_ext.now = '2026-03-12 09:00+00';
SELECT support.place_hold(1, reason => 'case 1');
SELECT support.place_hold(user_id => 5, reason => 'case 2');
SELECT support.lift_hold(2);
SELECT support.set_ticket_rule('old', '{"category": "closed"}', '2 years', 'erase_content');
SQL
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dump.c", '-d', $node->connstr('desk') ], 'dumped again');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), "$dump.c" ], 'restored');
is(difference(rows_of($node, 'restored'), rows_of($node, 'desk')), '', 'with every row');
is(difference(structure_of($node, 'restored'), structure_of($node, 'desk')), '', 'and everything else');
is($node->safe_psql('restored', 'SELECT erased > 0, finding FROM support.verify_audit()'), 't|', 'the proof holds there');
is(scalar sqlstate($node, 'restored', 'SELECT support.erase_user(4, false)'), '55000', 'and so do holds');

# The owner lends it

$node->safe_psql('desk', <<'SQL');
CREATE ROLE officer LOGIN;
CREATE SCHEMA jobs;
CREATE FUNCTION jobs.forget(id bigint)
RETURNS SETOF record
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'SELECT support.erase_user($1, false)';
REVOKE ALL ON FUNCTION jobs.forget(bigint) FROM PUBLIC;
GRANT USAGE ON SCHEMA jobs TO officer;
GRANT EXECUTE ON FUNCTION jobs.forget(bigint) TO officer;
SQL
is(scalar sqlstate($node, 'desk', 'SELECT support.erase_user(6)', as('officer')), '42501', 'others are refused');
is(scalar sqlstate($node, 'desk', 'SELECT jobs.forget(6)', as('officer')), '', 'but by what the owner lends');
is($node->safe_psql('desk', "SELECT db_role FROM support.audit_log WHERE action = 'ERASE' ORDER BY id DESC LIMIT 1"), 'officer',
	'the log names who asked');

done_testing();
