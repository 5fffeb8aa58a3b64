# The manual is true: what README.md and the pages of doc/ show runs, and prints what they say it prints.
#
# Each page has a fresh database "desk", in which its blocks run in order, in one session of psql. The extension is
# created first unless the page does that itself. The language of a block says what becomes of it:
#
#	sql			runs and must not fail
#	sh			runs in a shell, on the same server and database, in a directory of the page's own, where psql/ leads
#				to our scripts
#	python		runs as a program on the same database, if the modules that it imports are installed
#	text		is what the block before it printed, white space at the ends of lines aside; where it has a line
#				"ERROR:  <SQLSTATE>: <message>", the block before must fail with just that; where in the source it
#				failed, and the values of the whole row, are left out
#
# and so do three comments, which readers do not see:
#
#	<!-- clock: 2026-03-02 09:00+00 -->		sets the desk's clock from here on
#	<!-- not run: why -->					passes over the next block
#	<!-- runs again -->						all blocks of the page run twice more, in a session of their own, and leave each
#				table of the desk as it was
#
# SUPPORT_EXT_PAGES=README,sla runs some pages alone.
use strict;
use warnings;

use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $PYTHON = '/usr/bin/python3';
my $MARK = '=-=-= block';

# Pages show the names of roles
$ENV{PGUSER} = 'postgres';

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init(extra => [ '--username=postgres', '--encoding=UTF8', '--locale=C.UTF-8' ]);
# a transaction of the server's own would keep entries from being sealed for a while
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off");
$node->start;

sub slurp_lines
{
	my ($file) = @_;
	open(my $in, '<:raw', $file) or die "cannot read $file: $!";
	chomp(my @lines = <$in>);
	return @lines;
}

# Read a page: a list of blocks, each with its language, line, text and what the comments before it say.
sub read_page
{
	my ($file) = @_;
	my (@blocks, $block, $clock, $not_run);
	my $number = 0;

	foreach my $line (slurp_lines($file))
	{
		$number++;
		if ($block)
		{
			if ($line =~ /^```\s*$/)
			{
				push @blocks, $block;
				($block, $clock, $not_run) = ();
				next;
			}
			$block->{text} .= "$line\n";
		}
		elsif ($line =~ /^```(\w*)/)
		{
			$block = { language => $1, line => $number, text => '', clock => $clock, not_run => $not_run };
		}
		elsif ($line =~ /^<!-- clock: (.+) -->$/)
		{
			$clock = $1;
		}
		elsif ($line =~ /^<!-- not run: .+ -->$/)
		{
			$not_run = 1;
		}
	}
	die "$file: block at line $block->{line} does not end" if $block;
	return @blocks;
}

# Text without white space at the ends of its lines and without empty lines at its end.
sub trim
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n+\z//;
	return $text;
}

# Can this python import what the program imports?
sub has_modules
{
	my ($program) = @_;
	my @modules = $program =~ /^(?:import|from) (\w+)/mg;
	return system_log($PYTHON, '-c', 'import ' . join(', ', @modules)) == 0;
}

# The blocks that run, each with the output that it should have.
sub blocks_to_run
{
	my (@blocks) = @_;
	my @run;

	foreach my $i (0 .. $#blocks)
	{
		my $block = $blocks[$i];
		my $next = $blocks[ $i + 1 ];

		next if $block->{not_run} || $block->{language} !~ /^(sql|sh|python)$/;
		$block->{expected} = trim($next->{text}) if $next && $next->{language} eq 'text';
		$block->{skipped} = $block->{language} eq 'python' && !has_modules($block->{text});
		$block->{refused} = defined $block->{expected} && $block->{expected} =~ /^ERROR:  \w{5}: /m;
		push @run, $block;
	}
	return @run;
}

# The commands of psql that run a block
sub commands_of
{
	my ($block, $dir) = @_;
	my $file = "line_$block->{line}.$block->{language}";
	my $interpreter = $block->{language} eq 'sh' ? 'bash -eu' : $PYTHON;

	if ($block->{language} ne 'sql')
	{
		append_to_file("$dir/$file", $block->{text});
		return "\\! cd $dir && $interpreter $file </dev/null 2>&1 || echo 'exit status' \$?\n";
	}
	return $block->{text} unless $block->{refused};
	return "\\set ON_ERROR_STOP off\n\\set VERBOSITY verbose\n$block->{text}"
	  . "\\set VERBOSITY default\n\\set ON_ERROR_STOP on\n";
}

# The script of psql that runs a page's blocks, with a mark before and after the output of each
sub script_of
{
	my ($dir, @blocks) = @_;
	my $script = "\\set SHOW_CONTEXT never\nSET TimeZone = 'UTC';\n";

	foreach my $block (@blocks)
	{
		next if $block->{skipped};
		if ($block->{clock})
		{
			my $set = "SET support_ext.now = '$block->{clock}';\n";
			$script .= "ALTER DATABASE desk $set$set";
		}
		$script .= "\\echo $MARK $block->{line}\n\\set QUIET off\n" . commands_of($block, $dir);
		$script .= "\\set QUIET on\n\\echo $MARK end\n";
	}
	return $script;
}

# Run a page's script; returns the output of each block, by line. One that psql did not get through ends in "stopped".
sub outputs_of
{
	my ($script) = @_;
	my (%outputs, $all);

	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'desk');
	IPC::Run::run [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1' ], '<', \$script, '>&', \$all;
	while ($all =~ /^\Q$MARK\E (\d+)\n(.*?)(^\Q$MARK\E end$|\z)/msg)
	{
		my ($line, $output, $end) = ($1, $2, $3);
		$output =~ s/^(?:LOCATION:|[A-Z]+ NAME:|DETAIL:  Failing row contains) .*\n//mg;
		$outputs{$line} = trim($output . ($end ? '' : 'stopped'));
	}
	return %outputs;
}

sub names
{
	my ($query) = @_;
	return map { $_ => 1 } split /\n/, $node->safe_psql('postgres', $query);
}

my $databases = 'SELECT datname FROM pg_database';
my $roles = 'SELECT rolname FROM pg_roles';
my %own_databases = names($databases);
my %own_roles = names($roles);

# Remove what a page left on the server.
sub clean_up
{
	my %databases = names($databases);
	my %roles = names($roles);

	delete @databases{ keys %own_databases };
	delete @roles{ keys %own_roles };
	$node->safe_psql('postgres', qq(DROP DATABASE "$_" WITH (FORCE))) foreach keys %databases;
	$node->safe_psql('postgres', qq(DROP OWNED BY "$_"; DROP ROLE "$_")) foreach keys %roles;
}

# Each table of the desk but its log, whatever the order of its rows.
sub contents
{
	my $tables = $node->safe_psql('desk',
		"SELECT string_agg(oid::regclass::text, ' ' ORDER BY relname) FROM pg_class"
		  . " WHERE relnamespace = 'support'::regnamespace AND relkind = 'r'");
	return join "\n",
	  map { "$_: " . $node->safe_psql('desk', "SELECT count(*), string_agg(t::text, ' ' ORDER BY t::text) FROM $_ AS t") }
	  split / /, $tables;
}

# What is there already stays as it is when the blocks run again, by a session that has run them and one that has not.
sub check_runs_again
{
	my ($page, $dir, @run) = @_;
	my $before = contents();
	my %outputs = outputs_of(script_of($dir, @run, @run));
	my @failed = grep { ($outputs{ $_->{line} } // 'stopped') =~ /^(?:ERROR:|FATAL:|exit status |stopped$)/m } @run;

	is(join("\n", map { "line $_->{line}: " . ($outputs{ $_->{line} } // 'not reached') } @failed), '', "$page runs again");
	is(contents(), $before, "$page leaves what is there");
}

sub check_page
{
	my ($page) = @_;
	my @blocks = read_page($page);
	my @run = blocks_to_run(@blocks);
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $creates = grep { $_->{language} eq 'sql' && $_->{text} =~ /^CREATE EXTENSION support_ext/m } @run;

	symlink(abs_path('psql'), "$dir/psql") or die "cannot link psql: $!";
	$node->safe_psql('postgres', 'CREATE DATABASE desk');
	$node->safe_psql('desk', 'CREATE EXTENSION support_ext') unless $creates;

	my %outputs = outputs_of(script_of($dir, @run));
	foreach my $block (@run)
	{
		my $name = "$page, line $block->{line}";
		my $output = $outputs{ $block->{line} };

		if ($block->{skipped})
		{
			SKIP: { skip "$name: modules of Python are missing", 1 }
		}
		elsif (!defined $output)
		{
			fail("$name is reached");
		}
		elsif (defined $block->{expected})
		{
			is($output, $block->{expected}, "$name prints what the page says");
		}
		else
		{
			unlike($output, qr/^(?:ERROR:|FATAL:|exit status |stopped$)/m, "$name runs");
		}
	}
	check_runs_again($page, $dir, @run) if grep { /^<!-- runs again -->$/ } slurp_lines($page);
	clean_up();
}

my @pages = ('README.md', sort glob('doc/*.md'));
my %chosen = map { $_ => 1 } split /,/, $ENV{SUPPORT_EXT_PAGES} // '';
foreach my $page (@pages)
{
	check_page($page) if !%chosen || $chosen{ $page =~ s/^doc\/|\.md$//gr };
}
cmp_ok(scalar @pages, '>', 10, 'the manual is there');

$node->stop;
done_testing();
