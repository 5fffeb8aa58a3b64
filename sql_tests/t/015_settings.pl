# Whose decision a setting is: those of the desk are its owner's, and those of a session open no door, however they are
# set: as the session begins, before and after the library is loaded, for a transaction, for a role.

use strict;
use warnings;

use Desk;
use Test::More;

my $node = start_server('desk');

# A desk that an ordinary role owns, an application with all that the manual grants, and a function of the owner for it
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE boss LOGIN;
CREATE ROLE deputy LOGIN;
CREATE ROLE app LOGIN;
GRANT boss TO deputy;
CREATE DATABASE desk OWNER boss;
SQL
$node->safe_psql('desk', install_off() . <<'SQL');
CREATE EXTENSION support_ext;
ALTER SCHEMA support OWNER TO boss;
ALTER SCHEMA support_internal OWNER TO boss;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO boss WITH GRANT OPTION;
SQL
$node->safe_psql('desk', 'SELECT support.install();' . app_grants('app') . <<'SQL', as('boss'));
CREATE SCHEMA jobs;
CREATE FUNCTION jobs.maintain()
RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'SELECT support.maintain()';
REVOKE ALL ON FUNCTION jobs.maintain() FROM PUBLIC;
GRANT USAGE ON SCHEMA jobs TO app;
GRANT EXECUTE ON FUNCTION jobs.maintain() TO app;
-- the SQLSTATE that a statement of the caller's ends with
CREATE FUNCTION jobs.sqlstate_of(statement text)
RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION
	WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
SQL
# two years of the log
$node->safe_psql('desk', <<'SQL');
SET support_ext.now = '2024-01-15 09:00+00';
SELECT support.create_user('ann@desk.example', 'Ann Agent', 'agent');
SELECT support.create_user('carl@corp.example', 'Carl Customer');
SELECT support.create_ticket('Printer on fire', creator_id => 2);
SELECT support.create_ticket('Deleted', creator_id => 2);
SELECT support.delete_ticket(2);
SELECT support.maintain();
SQL

# The owner, his members and superusers decide, and the log has who it was

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
foreach my $case ([ 'boss', '3 years' ], [ 'deputy', '4 years' ], [ $superuser, '5 years' ])
{
	my ($role, $value) = @$case;

	$node->safe_psql('desk', "SELECT support.configure('retention', '$value')", as($role));
	is($node->safe_psql('desk', <<'SQL'), "$value|$role", "$role: configures the desk, and is in the log");
SELECT (SELECT value FROM support.settings() WHERE name = 'retention'), db_role
FROM support.audit_log WHERE table_name = 'settings' ORDER BY id DESC LIMIT 1
SQL
}
foreach my $sql (
	"SELECT support.configure('retention', NULL)", 'DELETE FROM support_internal.settings',
	"INSERT INTO support_internal.settings VALUES ('retention_action', 'drop')",
	"UPDATE support_internal.settings SET value = '1 day'", 'TRUNCATE support_internal.settings',
	"SELECT support.undo(max(id)) FROM support.audit_log WHERE table_name = 'settings'")
{
	is(scalar sqlstate($node, 'desk', $sql, as('app')), '42501', "app: is refused: $sql");
}

# A change holds at once in sessions that are there
my $session = $node->background_psql('desk', as('app'), on_error_stop => 0);
my $attach = q{SELECT jobs.sqlstate_of($$SELECT support.add_attachment(1, 'a', convert_to(repeat('x', 1025), 'UTF8'))$$);};
is($session->query_safe($attach), 'done', 'a session attaches a file');
$node->safe_psql('desk', "SELECT support.configure('max_attachment_size', '1kB')", as('boss'));
is($session->query_safe($attach), '54000', 'and hears at once that it is too large now');
$session->quit;

# What an application may not do, and what its changes leave behind

my @refused = (
	[ q{SELECT support.add_attachment(1, 'a', convert_to(repeat('x', 1025), 'UTF8'))}, '54000' ],
	[ q{SELECT support.configure('retention', '1 second')}, '42501' ],
	[ 'SELECT support.maintain()', '42501' ],
	[ q{SELECT support.purge_deleted('0')}, '42501' ],
	[ 'SELECT support.seal_audit()', '42501' ],
	[ 'SELECT support.rebuild_stats()', '42501' ],
	[ 'SELECT support.verify_stats()', '42501' ],
	[ 'SELECT support.install()', '42501' ],
	[ q{INSERT INTO support.audit_log (action) VALUES ('forged')}, '42501' ],
	[ q{UPDATE support.audit_log SET db_role = 'boss'}, '42501' ],
	[ 'DELETE FROM support.audit_log', '42501' ],
	[ q{UPDATE support.sla_clocks SET consumed = '0'}, '42501' ],
	[ 'DELETE FROM support.backlog', '42501' ],
	[ 'SELECT FROM support_internal.settings', '42501' ],
	[ q{UPDATE support.tickets SET status = 'nonsense' WHERE id = 1}, '23503' ],
	[ q{SELECT support.add_comment(2, 'On a deleted ticket', author_id => 1)}, '55000' ],
	[ 'TRUNCATE support.ticket_watchers', '42501' ]);
my $probes = join "\n", (map { "SELECT jobs.sqlstate_of(\$probe\$$_->[0]\$probe\$);" } @refused), <<'SQL';
SELECT count(*) >= 0 FROM jobs.maintain();
SELECT min(occurred_at) = '2024-01-15 09:00+00' FROM support.audit_log;
UPDATE support.tickets SET channel = 'probe ' || clock_timestamp() WHERE id = 1;
SELECT db_role, action, new_value ? 'channel', abs(extract(epoch FROM occurred_at - clock_timestamp())) < 3600
FROM support.audit_log ORDER BY id DESC LIMIT 1;
SQL
my $expected = join "\n", (map { $_->[1] } @refused), 't', 't', 'app|UPDATE|t|t';

sub probe
{
	my ($name, $before, $after) = @_;
	my ($status, $stdout, $stderr) =
		$node->psql('desk', ($before // '') . "\n$probes\n" . ($after // ''), as('app'), on_error_stop => 0);

	$stdout =~ s/^(?:SET|1\.0)\n//mg;
	is($stdout, $expected, $name) or diag $stderr;
	return;
}

probe('with nothing set');

# What somebody might set each to. A setting that is not here is one that nobody has thought about.
my %nasty = (
	actor_id => ['1'],
	ascii => ['on'],
	fold_every => [ '0', '1' ],
	install => ['off'],
	notify_changes => ['on'],
	now => [ '2001-01-01', '2999-12-31' ],
	ticket_prefix => [q{'--}],
	retention => ['1s'],
	retention_action => ['drop'],
	max_attachment_size => ['256MB'],
	max_custom_size => ['32MB'],
	max_text_size => ['32MB']);
my @settings = split /\n/, $node->safe_psql('desk', "SELECT replace(name, 'support_ext.', '') FROM support.settings()");

is(join(' ', sort @settings), join(' ', sort keys %nasty), 'every setting is tried');
foreach my $setting (sort keys %nasty)
{
	my $name = "support_ext.$setting";

	foreach my $value (@{ $nasty{$setting} })
	{
		my $literal = "'" . ($value =~ s/'/''/gr) . "'";

		{
			local $ENV{PGOPTIONS} = "-c $name=$value";
			probe("$name = $value, as the session begins");
		}
		probe("$name = $value, before the library is loaded", "SET $name = $literal;");
		probe("$name = $value, after it", "SELECT support.version();\nSET $name = $literal;");
		probe("$name = $value, for a transaction, before it", "BEGIN;\nSET LOCAL $name = $literal;\nSELECT support.version();",
			'COMMIT;')
			unless $setting eq 'actor_id';
		foreach my $load ('', 'SELECT support.version();')
		{
			$node->psql('desk', "$load\nALTER ROLE app SET $name = $literal", as('app'));
			probe("$name = $value, for the role" . ($load && ', with the library loaded'));
			$node->safe_psql('desk', 'ALTER ROLE app RESET ALL');
		}
	}
}
is($node->safe_psql('desk', 'SELECT count(*) FROM support.verify_stats()', as('boss')), '0', 'the reports are right');

# The clock is the superuser's to lend, not the owner's of the database
foreach my $load ('', 'SELECT support.version();')
{
	my $when = $load ? 'after the library was loaded' : 'before';

	foreach my $sql (
		"ALTER DATABASE desk SET support_ext.now = '2001-01-01'",
		"ALTER ROLE boss SET support_ext.now = '2001-01-01'",
		"CREATE FUNCTION jobs.ago() RETURNS timestamptz LANGUAGE sql SET support_ext.now = '2001-01-01' AS 'SELECT support.desk_now()'",
		)
	{
		is(scalar sqlstate($node, 'desk', "$load\n$sql", as('boss')), '42501', "$when, boss: is refused: $sql");
	}
}
is($node->safe_psql('desk', 'SELECT support.desk_now() = now()', as('boss')), 't', 'the clock is the server\'s');

# Nor is it lent by a superuser's function that loads the library
$node->safe_psql('desk', <<'SQL');
CREATE FUNCTION jobs.desk_now()
RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'SELECT support.desk_now()';
SQL
{
	local $ENV{PGOPTIONS} = '-c support_ext.now=2001-01-01';
	is($node->safe_psql('desk', 'SELECT jobs.desk_now() = now()', as('app')), 't', 'a definer function as the session begins');
}
is($node->safe_psql('desk', "SET support_ext.now = '2001-01-01';\nSELECT jobs.desk_now() = now()", as('app')),
	't', 'a definer function after SET');

# What a superuser set for a database holds, but a session can do without it: no more than that follows from a setting
$node->safe_psql('desk', "ALTER DATABASE desk SET support_ext.now = '2026-01-01 00:00+00'");
is($node->safe_psql('desk', 'SELECT extract(year FROM support.desk_now())', as('app')), '2026', 'a superuser sets the clock');
{
	local $ENV{PGOPTIONS} = '-c support_ext.now=2001-01-01';
	is($node->safe_psql('desk', 'SELECT support.desk_now() = now()', as('app')), 't',
		'a session that wants another has the server\'s');
}

$node->stop;
done_testing();
