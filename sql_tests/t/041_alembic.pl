# A desk that Alembic has migrated (examples/alembic) stays so: through ALTER EXTENSION support_ext UPDATE, and through
# dump and restore. Autogenerate then has nothing to propose, alembic_version knows where it stands, and the next
# migration runs. The example's own test shows the rest.

use strict;
use warnings;

use Cwd qw(abs_path);
use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $PYTHON = '/usr/bin/python3';
my $EMPTY = "pass\npass";    # upgrade() and downgrade() of a revision that changes nothing

plan skip_all => 'python3-alembic or python3-psycopg2 is not installed'
	if system("$PYTHON -c 'import alembic, psycopg2' 2>/dev/null") != 0;

my $directory = PostgreSQL::Test::Utils::tempdir;
my $project = "$directory/project";

my $script = publish_next_version();
my $node = start_server('alembic');
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# What a command of Alembic prints about a database; dies with its messages if it fails
sub alembic
{
	my ($database, @arguments) = @_;
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGUSER => $superuser, PGDATABASE => $database);
	my ($stdout, $stderr) = ('', '');

	IPC::Run::run([ $PYTHON, '-m', 'alembic', '--config', "$project/alembic.ini", @arguments ],
		'>', \$stdout, '2>', \$stderr) or die "alembic @arguments: $stdout$stderr";
	return $stdout =~ s/\s+$//r;
}

# The operations of a revision that autogenerate writes, one a line
sub proposed
{
	my ($database) = @_;

	alembic($database, 'revision', '--autogenerate', '--message', 'proposed');
	my ($revision) = glob "$project/versions/*_proposed.py";
	my $operations = join "\n", slurp_file($revision) =~ /^    (op\..*|pass)$/mg;
	unlink $revision;
	return $operations;
}

# The revision is noted, and autogenerate has nothing to add
sub is_migrated
{
	my ($database, $when) = @_;

	is(alembic($database, 'current'), '0001 (head)', "$when alembic_version is right");
	is(proposed($database), $EMPTY, "$when autogenerate has nothing to propose");
	return;
}

# A change of the migration's own column writes one entry
sub is_audited
{
	my ($database, $when) = @_;
	my $entries = q{SELECT count(*) FROM support.audit_log WHERE new_value ? 'contract'};
	my $before = $node->safe_psql($database, $entries);

	$node->safe_psql($database, q{UPDATE support.tickets SET contract = contract || '+' WHERE id = 1});
	is($node->safe_psql($database, $entries), $before + 1, "$when a change of the new column writes one entry");
	return;
}

# A migrated desk on which work went on, with a removed ticket and a month's partition of the log
system_or_bail('cp', '-r', abs_path('examples/alembic'), $project);
$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--dbname', 'desk',
	'--file', abs_path('examples/desk.sql') ], 'the desk is made');
$node->safe_psql('desk', <<'SQL');
CREATE TABLE support_internal.audit_log_2100_01 PARTITION OF support.audit_log
	FOR VALUES FROM ('2100-01-01 00:00+00') TO ('2100-02-01 00:00+00');
-- guards it against TRUNCATE
SELECT support.install(seed => false);
SELECT support.create_ticket('Ticket ' || n, creator_id => 2) FROM generate_series(1, 3) AS n;
SQL
alembic('desk', 'upgrade', 'head');
$node->safe_psql('desk', <<'SQL');
UPDATE support.tickets SET contract = 'gold' WHERE id < 3;
INSERT INTO invoices (ticket_id, amount) VALUES (1, 120);
DELETE FROM support.tickets WHERE id = 2;
SQL
is_migrated('desk', 'after the upgrade');

# A desk as an earlier release might have made it
my $structure = structure_of($node, 'desk');
$node->safe_psql('desk', <<'SQL');
DROP INDEX support.ix_tickets_team_id;
DROP TRIGGER support_truncate ON support.tickets;
ALTER TABLE support.teams ALTER COLUMN created_at DROP DEFAULT;
UPDATE support_internal.schema_version SET version = 0;
SQL
my $rows = rows_of($node, 'desk');
is(sqlstate($node, 'desk', "ALTER EXTENSION support_ext UPDATE TO '1.0.1'"), '', 'the update runs');
is(difference(structure_of($node, 'desk'), $structure), '',
	'it brings back what the desk lacked, and leaves what the migration made');
is(join("\n", grep { !/schema_version/ } split /\n/, difference(rows_of($node, 'desk'), $rows)), '',
	'no row changed but the version of the layout');
is_migrated('desk', 'after the update');
is_audited('desk', 'after the update');

# Into a new database, by a dump
$rows = rows_of($node, 'desk');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '--format=custom', "--file=$directory/desk.dump", 'desk' ], 'the desk is dumped');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=restored', "$directory/desk.dump" ], 'and restored');
is(difference(structure_of($node, 'restored'), $structure), '', 'the restored desk is the same');
is(difference(rows_of($node, 'restored'), $rows), '', 'with the same rows');
is_migrated('restored', 'after the restore');
is_audited('restored', 'after the restore');
is($node->safe_psql('restored',
	'SELECT support.restore_ticket(2) > 0; SELECT title, contract FROM support.tickets WHERE id = 2'),
	"t\nTicket 2|gold", 'a ticket that was removed before comes back with the new column');

# The way back and forth is open
alembic('restored', 'downgrade', 'base');
unlike(structure_of($node, 'restored'), qr/contract|invoices/, 'the restored desk can be migrated back');
alembic('restored', 'upgrade', 'head');
is_migrated('restored', 'after another upgrade');
is(difference(structure_of($node, 'restored'), $structure), '', 'which makes the same desk again');

$node->stop;
unlink $script or die "could not remove $script: $!";
done_testing();
