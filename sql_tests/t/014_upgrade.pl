# ALTER EXTENSION support_ext UPDATE: an upgrade script that only calls install() brings a desk of an older layout
# forward, keeps every row and what users added, and leaves the extension with the same members as a fresh one.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $script = publish_next_version();
my $node = start_server('upgrade');

$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(fresh old);
$node->safe_psql($_, 'CREATE EXTENSION support_ext') for qw(fresh old);
add_own_objects($node, 'old');
use_desk($node, 'old');
$node->safe_psql('old', 'DROP VIEW shop.report_teams');

my $members = members_of($node, 'fresh');
my $structure = structure_of($node, 'old');

# a desk as an earlier release might have made it
$node->safe_psql('old', <<'SQL');
DROP VIEW support.report_teams;
DROP INDEX support.ix_tickets_team_id;
DROP TRIGGER support_truncate ON support.tags;
ALTER TABLE support.teams ALTER COLUMN created_at DROP DEFAULT;
ALTER TABLE support.tickets DROP CONSTRAINT tickets_title_check;
UPDATE support_internal.schema_version SET version = 0;
SQL
my $rows = rows_of($node, 'old');

is(sqlstate($node, 'old', 'SELECT support.set_status(1, NULL)'), '55000', 'the older desk says what to do');
is(sqlstate($node, 'old', "ALTER EXTENSION support_ext UPDATE TO '1.0.1'"), '', 'the update runs');
is($node->safe_psql('old', "SELECT extversion FROM pg_extension WHERE extname = 'support_ext'"), '1.0.1',
	'the extension has the new version');
is(difference(members_of($node, 'old'), $members), '', 'its members are those of a fresh one');

is(difference(structure_of($node, 'old'), $structure), '', 'view, index, trigger, default and constraint are back');
is(join("\n", grep { !/schema_version/ } split /\n/, difference(rows_of($node, 'old'), $rows)), '',
	'no row changed but the version of the layout');
is($node->safe_psql('old', "SELECT count(*) FROM support.audit_log WHERE table_name = 'teams'"),
	$node->safe_psql('old', 'SELECT count(*) FROM support.teams'), 'one entry for each team so far');
$node->safe_psql('old', "UPDATE support.teams SET name = name || ' (new)' WHERE id = 1");
is($node->safe_psql('old', "SELECT count(*) FROM support.audit_log WHERE table_name = 'teams' AND action = 'UPDATE'"),
	'1', 'a change writes one entry');

$node->stop;
unlink $script or die "could not remove $script: $!";
done_testing();
