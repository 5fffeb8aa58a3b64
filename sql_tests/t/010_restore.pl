# A desk that was used is dumped and restored on every road that pg_dump offers. Each restored desk must equal the old
# one row for row, with what its users added, and go on from there: one change writes one entry, numbers follow on.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('desk');
my $grants = app_grants('app') . <<'SQL';
GRANT USAGE ON SCHEMA shop TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO app;
SQL
my $dir = PostgreSQL::Test::Utils::tempdir;

# The used desk, and what is to be found again
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE desk_owner LOGIN;
GRANT SET ON PARAMETER support_ext.now TO app, desk_owner;
SQL
$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
add_own_objects($node, 'desk');
use_desk($node, 'desk');
$node->safe_psql('desk', $grants);
every_table_has_rows($node, 'desk', 'the used desk has rows in every table');

my %used = describe('desk');
like($used{members}, qr/^function support\.create_ticket/m, 'functions are members of the extension');
unlike($used{members}, qr/^(?!function )/m, 'nothing else is');

# All that is compared before anything changes
sub describe
{
	my ($database) = @_;

	return (
		rows => rows_of($node, $database),
		structure => structure_of($node, $database),
		members => members_of($node, $database));
}

# Run a program, which must succeed and say nothing
sub run_quietly
{
	my ($name, @command) = @_;

	$node->command_checks_all(\@command, 0, [], [qr/^$/], $name);
	return;
}

# The last value of a sequence, as a description of rows has it
sub last_value
{
	my ($rows, $sequence) = @_;

	my ($value) = $rows =~ /^\Q$sequence\E\|(\d+)\|t$/m or die "sequence $sequence was never used";
	return $value;
}

# The restored desk equals the used one, down to the last detail
sub is_equal
{
	my ($name, $database, %expected) = @_;
	my %restored = describe($database);

	is(difference($restored{rows}, $expected{rows}), '', "$name: every row and sequence is there");
	is(difference($restored{structure}, $expected{structure}),
		'', "$name: so is all else, what users added included");
	is(difference($restored{members}, $expected{members}), '', "$name: the extension has the same members");
	return;
}

# The restored desk works, in the era of the database that it is in now, and goes on where the used one stopped
sub goes_on
{
	my ($name, $database, $rows, %params) = @_;
	my $clock = "SET support_ext.now = '2026-03-20 09:00+00';\n";
	my $entry = last_value($rows, 'support.audit_log_id_seq') + 1;
	my $ticket = last_value($rows, 'support.tickets_id_seq') + 1;
	my $number = last_value($rows, 'support.ticket_number_seq') + 1;
	my $entries = <<"SQL";
SELECT id, era, action, table_name, record_id, tableoid::regclass FROM support.audit_log WHERE id >= $entry
SQL
	my $changes = 'SELECT count(*) FROM shop.ticket_changes';

	my $noted = $node->safe_psql($database, $changes);
	$node->safe_psql($database, $clock . "UPDATE support.tickets SET title = 'Fire is out' WHERE id = 1", %params);
	is($node->safe_psql($database, $entries),
		"$entry|2|UPDATE|tickets|1|support_internal.audit_log_2026_03",
		"$name: one change writes one entry, in the month's partition");
	is($node->safe_psql($database, $changes), $noted + 1, "$name: the user's own trigger fires once");

	is($node->safe_psql($database, $clock . <<'SQL', %params), "$ticket|T-$number", "$name: ids and numbers follow on");
SELECT support.create_ticket('The next', creator_id => 4) AS id
\gset
SELECT id, ticket_number FROM support.tickets WHERE id = :id
SQL
	is($node->safe_psql($database, $clock . <<'SQL', %params), 't|t', "$name: a removed ticket comes back whole");
DO 'BEGIN PERFORM support.restore_ticket(4, 1); END';
SELECT support.get_ticket(4, true) = ticket,
	support.attachment_content(4, (ticket #>> '{attachments,0,id}')::bigint) = content
FROM shop.kept_tickets
SQL
	$node->safe_psql($database, $clock . 'SELECT support.restore_ticket(5, 1)', %params);
	is($node->safe_psql($database, <<'SQL'), '', "$name: a marked ticket comes back");
SELECT ticket_id, how FROM support.deleted_tickets WHERE ticket_id IN (4, 5)
SQL
	is($node->safe_psql($database, 'SELECT count(*) > 0 FROM shop.ticket_list'),
		't', "$name: a view of the user's on one of ours answers");

	my ($state, $message) = sqlstate($node, $database, 'DROP EXTENSION support_ext');
	is($state, '2BP01', "$name: DROP EXTENSION is refused");
	like($message, qr/on table support\.\w+ depends on function support/, "$name: because the desk needs it");
	return;
}

# The desk of another shop, to be written over
sub make_other_desk
{
	my ($database) = @_;

	$node->safe_psql($database, <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('zoe@other.example', 'Zoe Other', 'admin');
SELECT support.set_actor(1);
SELECT support.create_ticket('Not ours ' || n, tags => ARRAY['other']) FROM generate_series(1, 5) AS n;
DELETE FROM support.tickets WHERE id = 2;
SQL
	return;
}

# Dumps, each by the road that it is for

run_quietly('plain dump', 'pg_dump', '--file', "$dir/plain.sql", 'desk');
run_quietly('custom dump', 'pg_dump', '--format=custom', '--file', "$dir/custom.dump", 'desk');
run_quietly('directory dump', 'pg_dump', '--format=directory', '--jobs=4', '--file', "$dir/directory", 'desk');
run_quietly('dump of INSERTs', 'pg_dump', '--inserts', '--file', "$dir/inserts.sql", 'desk');
run_quietly('dump with row security', 'pg_dump', '--enable-row-security', '--file', "$dir/row_security.sql", 'desk');
run_quietly('dump of data only', 'pg_dump', '--data-only', '--load-via-partition-root', '--disable-triggers',
	'--file', "$dir/data.sql", 'desk');

my @psql = ('psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1');
my @pg_restore = ('pg_restore', '--exit-on-error');

# Into a new database: a road's name, then the programs to run, each with the database's name at its end
my @roads = (
	[ 'plain', [ @psql, '--file', "$dir/plain.sql" ] ],
	[ 'INSERTs in one transaction', [ @psql, '--single-transaction', '--file', "$dir/inserts.sql" ] ],
	[ 'row security, plain', [ @psql, '--file', "$dir/row_security.sql" ] ],
	[ 'row security, custom', [ @pg_restore, '--enable-row-security', "$dir/custom.dump" ] ],
	[ 'custom, parallel', [ @pg_restore, '--jobs=4', "$dir/custom.dump" ] ],
	[ 'directory', [ @pg_restore, "$dir/directory" ] ],
	[
		'sections',
		map { [ @pg_restore, "--section=$_", "$dir/custom.dump" ] } qw(pre-data data post-data)
	]);

foreach my $road (@roads)
{
	my ($name, @commands) = @$road;
	my $database = $name =~ s/\W+/_/gr;

	$node->safe_psql('postgres', qq{CREATE DATABASE "$database"});
	run_quietly($name, @$_, '--dbname', $database) foreach @commands;
	is_equal($name, $database, %used);
	goes_on($name, $database, $used{rows}, as('app'));
}

# Over a desk that is in use: another one, or the same some days later. pg_dump drops the indexes of a partition before
# those of the partitioned table, which the server refuses: the primary key always, others in some versions. They go
# with the table all the same. There may be no other complaint.
$node->safe_psql('postgres', 'CREATE DATABASE other_desk');
make_other_desk('other_desk');
$node->safe_psql('postgres', 'CREATE DATABASE later_desk TEMPLATE desk');
$node->safe_psql('later_desk', <<'SQL');
DELETE FROM support.tickets WHERE id = 1;
SELECT support.create_ticket('Made after the dump', creator_id => 4);
SQL
my $indexes_of_partitions = qr/cannot drop (?:inherited constraint "|index support_internal\.)audit_log_/;
foreach my $database (qw(other_desk later_desk))
{
	my $name = "clean over $database" =~ s/_/ /r;

	my ($stdout, $stderr);
	$node->run_log([ 'pg_restore', '--clean', '--if-exists', '--dbname', $database, "$dir/custom.dump" ],
		'>', \$stdout, '2>', \$stderr);
	$stderr =~ s/^.*ERROR:  $indexes_of_partitions.*\n(?:HINT: .*\n)?Command was: .*\n//mg;
	unlike($stderr, qr/error:/, "$name: no complaint but those of pg_dump's making");
	is_equal($name, $database, %used);
	goes_on($name, $database, $used{rows}, as('app'));
}

# Data alone, into tables that are made first: no rows of ours may be in the way, and what users added must be there
$node->safe_psql('postgres', 'CREATE DATABASE data_only');
$node->safe_psql('data_only', install_off() . <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.install(seed => false);
SQL
add_own_objects($node, 'data_only');
$node->safe_psql('data_only', $grants);
unlike(rows_of($node, 'data_only'), qr/^\w+\.\w+\|[1-9]\d*\|\w{32}$/m, 'install(seed => false) writes no row');
run_quietly('data only', @psql, '--file', "$dir/data.sql", '--dbname', 'data_only');
is_equal('data only', 'data_only', %used);
goes_on('data only', 'data_only', $used{rows}, as('app'));
# A desk whose owner is no superuser. The administrator creates the extension, which makes no desk, and gives the owner
# the two schemas and the functions; each is needed.
my $extension = install_off() . "CREATE EXTENSION support_ext;\n";
my $schemas = <<'SQL';
ALTER SCHEMA support OWNER TO desk_owner;
ALTER SCHEMA support_internal OWNER TO desk_owner;
SQL
my $functions = <<'SQL';
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO desk_owner WITH GRANT OPTION;
SQL
my $install = 'SELECT support.install()';
my @owner = as('desk_owner');

$node->safe_psql('postgres', 'CREATE DATABASE owned OWNER desk_owner');
is(scalar sqlstate($node, 'owned', 'CREATE EXTENSION support_ext', @owner),
	'42501', 'an ordinary role cannot create the extension');
$node->safe_psql('owned', $extension);
is(scalar sqlstate($node, 'owned', $install, @owner), '42501', 'nor make the desk without the schemas');
$node->safe_psql('owned', $schemas);
is(scalar sqlstate($node, 'owned', $install, @owner), '42501', 'nor without the functions');
$node->safe_psql('owned', $functions);
$node->safe_psql('owned', $install, @owner);
add_own_objects($node, 'owned', @owner);
use_desk($node, 'owned', @owner);
$node->safe_psql('owned', $grants, @owner);
every_table_has_rows($node, 'owned', 'the desk of an ordinary role has rows in every table');
is($node->safe_psql('owned', <<'SQL'), 'desk_owner', 'all of it is the owner\'s');
SELECT DISTINCT c.relowner::regrole
FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text IN ('support', 'support_internal')
SQL

my %owned = describe('owned');
my @as_owner = ('--username', 'desk_owner');
run_quietly('dump by the owner', 'pg_dump', @as_owner, '--format=custom', '--file', "$dir/owned.dump", 'owned');

# By the owner: what the administrator made in the new database is left out, and the functions are granted again
my ($list) = run_command([ 'pg_restore', '--list', "$dir/owned.dump" ]);
my $not_ours = qr/ (?:SCHEMA - support\w*|(?:COMMENT )?(?:- )?EXTENSION (?:- )?support_ext|ACL support\w* FUNCTION) /;
append_to_file("$dir/owned.list", join "\n", grep { !/$not_ours/ } split /\n/, $list);
$node->safe_psql('postgres', 'CREATE DATABASE owned_again OWNER desk_owner');
$node->safe_psql('owned_again', $extension . $schemas . $functions);
run_quietly('by the owner', @pg_restore, @as_owner, '--use-list', "$dir/owned.list",
	'--dbname', 'owned_again', "$dir/owned.dump");
$node->safe_psql('owned_again', 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO app', @owner);
is_equal('by the owner', 'owned_again', %owned);
goes_on('by the owner', 'owned_again', $owned{rows}, as('app'));

# By a superuser: nothing needs to be left out, and the desk is the owner's again
$node->safe_psql('postgres', 'CREATE DATABASE owned_by_restore OWNER desk_owner');
run_quietly('for the owner', @pg_restore, '--dbname', 'owned_by_restore', "$dir/owned.dump");
is_equal('for the owner', 'owned_by_restore', %owned);
goes_on('for the owner', 'owned_by_restore', $owned{rows}, @owner);

done_testing();
