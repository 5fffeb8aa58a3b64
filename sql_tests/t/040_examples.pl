# Every example of examples/ works as it is, straight on the server and through pgbouncer in transaction mode, and
# doc/clients.md claims no more than what ran.
#
# An example's tests are the executables test* in its folder; each speaks TAP and names the column of the manual's table
# that a check belongs to, as in "ok 3 - restore: the comments are back". An example whose checks name none of them has
# no row there. A test gets a fresh desk made by examples/desk.sql, on which it is the role "app", and with PGHOST and the
# like the way there. One that finds its library missing skips all.
#
# SUPPORT_EXT_EXAMPLES=jdbc,psql runs these examples only, and leaves the manual's table alone.

use strict;
use warnings;

use Cwd qw(abs_path);
use Desk;
use File::Basename;
use PostgreSQL::Test::Utils;
use TAP::Parser;
use Test::More;
use Time::HiRes qw(usleep);

my $PGBOUNCER = '/usr/sbin/pgbouncer';
# What the table of mappers tells to set, in the order of its columns
my @SETTINGS = ('key', 'version', 'conflict', 'null', 'time zones', 'schema');
my @CELLS = ('create', 'read', 'update count', 'delete count', 'restore', 'bulk', 'rollback', 'errors', 'time zones');

my $examples = abs_path('examples');
my %chosen = map { $_ => 1 } split /,/, $ENV{SUPPORT_EXT_EXAMPLES} // '';
my $node = start_server('examples', "listen_addresses = '127.0.0.1'", 'max_connections = 100');
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my %cells;      # by stack and road: cell => number of checks passed
my %skipped;    # by stack: why
my $pgbouncer;  # while it runs

# The stack that a test is of: "sqlalchemy" of sqlalchemy/test, "sqlalchemy async" of sqlalchemy/test-async
sub stack_of
{
	my ($test) = @_;
	my $variant = basename($test) =~ /^test-(\w+)$/ ? " $1" : '';

	return basename(dirname($test)) . $variant;
}

# A database with a desk on it, for one run of one test
sub make_desk
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--dbname', $database,
		'--file', "$examples/desk.sql" ], "$database: the desk is made");
	return;
}

# Run a test over one road and pass its results on as ours
sub run_example
{
	my ($test, $road, %environment) = @_;
	my $stack = stack_of($test);
	my $database = "${stack}_$road" =~ s/\W/_/gr;

	make_desk($database);
	local %ENV = (%ENV, PGDATABASE => $database, PGUSER => 'app', DESK_OWNER => $superuser, %environment);
	my $parser = TAP::Parser->new({ exec => [$test], merge => 1 });
	while (my $result = $parser->next)
	{
		if (!$result->is_test) { diag($result->as_string) if $result->is_unknown || $result->is_comment; next; }
		my ($cell, $what) = $result->description =~ /^(?:- )?([^:]+): (.+)$/s;
		if ($result->has_skip)
		{
			SKIP: { skip("$stack, $road: " . $result->explanation, 1); }
			next;
		}
		ok($result->is_ok && defined $cell, "$stack, $road: " . $result->description =~ s/^- //r);
		$cells{$stack}{$road}{$cell}++ if $result->is_ok && defined $cell;
	}
	if (defined $parser->skip_all)
	{
		$skipped{$stack} = $parser->skip_all;
		SKIP: { skip("$stack, $road: $skipped{$stack}", 1); }
		return;
	}
	ok($parser->exit == 0 && $parser->is_good_plan && !$parser->parse_errors && $parser->tests_run > 0,
		"$stack, $road: ran to its end") or diag(join "\n", 'exit ' . $parser->exit, $parser->parse_errors);
	return;
}

# pgbouncer with the settings of its example, in front of our server; returns how to reach it
sub start_pgbouncer
{
	my $directory = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $ini = slurp_file("$examples/pgbouncer/pgbouncer.ini");

	$ini =~ s/^(\* = ).*/$1host=@{[ $node->host ]} port=@{[ $node->port ]}/m or die 'no database in pgbouncer.ini';
	$ini =~ s/^(listen_port = ).*/$1$port/m or die 'no port in pgbouncer.ini';
	$ini =~ s/^(unix_socket_dir = ).*/$1$directory/m or die 'no socket in pgbouncer.ini';
	$ini =~ s/^(auth_file = ).*/$1$directory\/users.txt/m or die 'no users in pgbouncer.ini';
	append_to_file("$directory/pgbouncer.ini", "$ini\npidfile = $directory/pid\n");
	append_to_file("$directory/users.txt", qq("app" ""\n"$superuser" ""\n));
	$pgbouncer = IPC::Run::start([ $PGBOUNCER, "$directory/pgbouncer.ini" ], '>&', "$directory/log");
	# the file with its number comes when it listens
	usleep(10_000) until -s "$directory/pid" || !$pgbouncer->pumpable;
	-s "$directory/pid" or die 'pgbouncer does not start: ' . slurp_file("$directory/log");
	return ($directory, $port);
}

# However this file ends
END
{
	my $status = $?;

	if ($pgbouncer)
	{
		$pgbouncer->signal('TERM');
		$pgbouncer->finish;
	}
	$? = $status;
}

# The rows of the manual's table whose first column is called so: stack => [ the other cells, in their order ]
sub claims
{
	my ($heading) = @_;
	my ($table) = slurp_file('doc/clients.md') =~ /^\| $heading \|.*\n((?:\|.*\n)+)/m or die "no table by $heading";
	my %claims;

	foreach my $line (split /\n/, $table)
	{
		my ($link, @claim) = $line =~ /^\| \[[^]]+\]\(\.\.\/examples\/([\w-]+)\)(.*)\|$/
			? ($1, map { s/^\s+|\s+$//gr } split /\|/, $2) : next;
		$link .= " $claim[0]" if length $claim[0];
		$claims{$link} = [ @claim[ 1 .. $#claim ] ];
	}
	return %claims;
}

# The examples that have a place in the table of these columns: those whose checks are of them
sub stacks_of_table
{
	my @columns = @_;

	return grep { my $stack = $_; grep { $cells{$stack}{direct}{$_} } @columns } keys %cells;
}

# A row claims "yes" for just the cells whose checks ran and passed
sub check_claims
{
	my %claims = claims('stack');

	is_deeply([ sort grep { !$skipped{$_} } keys %claims ], [ sort(stacks_of_table(@CELLS)) ], 'the manual lists the examples');
	foreach my $stack (sort keys %claims)
	{
		SKIP:
		{
			skip("$stack: $skipped{$stack}", 1) if $skipped{$stack};
			my @ran = map { $cells{$stack}{direct}{$_} ? 'yes' : '' } @CELLS;
			push @ran, %{ $cells{$stack}{pooled} // {} } ? 'yes' : '';
			is(join(' | ', @{ $claims{$stack} }), join(' | ', @ran), "$stack: the manual claims what ran");
		}
	}
	return;
}

# A row of the table of mappers says what to set where checks ran and passed, and that nothing was tested elsewhere
sub check_settings
{
	my %claims = claims('mapper');

	is_deeply([ sort grep { !$skipped{$_} } keys %claims ],
		[ sort grep { !/async|2x/ } stacks_of_table(grep { $_ ne 'time zones' } @SETTINGS) ], 'the manual lists the mappers');
	foreach my $stack (sort keys %claims)
	{
		SKIP:
		{
			skip("$stack: $skipped{$stack}", 1) if $skipped{$stack};
			is(join(' | ', map { $_ eq 'not tested' ? '' : 'told' } @{ $claims{$stack} }),
				join(' | ', map { $cells{$stack}{direct}{$_} ? 'told' : '' } @SETTINGS),
				"$stack: the manual tells to set what was tried");
		}
	}
	return;
}

my @tests = grep { -x && (!%chosen || $chosen{ basename(dirname($_)) }) } sort glob "$examples/*/test*";
ok(@tests > 0, 'there are examples');

run_example($_, 'direct', PGHOST => $node->host, PGPORT => $node->port) foreach @tests;

SKIP:
{
	skip('pgbouncer is not installed', 1) if !-x $PGBOUNCER;
	my ($directory, $port) = start_pgbouncer();
	run_example($_, 'pooled', PGHOST => $directory, PGPORT => $port, DESK_POOLED => 1)
		foreach grep { slurp_file(dirname($_) . '/README.md') =~ /pgbouncer/ } @tests;
	if (!%chosen)
	{
		check_claims();
		check_settings();
	}
}

done_testing();
