# What a newcomer runs: script/demo makes a desk of which all that it tells to paste is true, and script/test says that a
# run has passed only if it came to its end. The scripts refuse what they do not know.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use FindBin;
use IPC::Run;
use POSIX qw(setsid);
use PostgreSQL::Test::Utils;
use Test::More;

my $source = abs_path("$FindBin::RealBin/../..");

# The path of a server's socket has to be short
my $work = PostgreSQL::Test::Utils::tempdir_short();
$ENV{SUPPORT_EXT_TMP} = $work;
delete @ENV{qw(SUDO_USER SUDO_UID KEEP JOBS)};

sub put
{
	my ($file, $text) = @_;
	open(my $out, '>', $file) or die "cannot write $file: $!";
	print $out $text;
	close $out;
	return;
}

sub slurp
{
	my ($file) = @_;
	open(my $in, '<', $file) or die "cannot read $file: $!";
	local $/ = undef;
	return <$in>;
}

# Run a script; returns its exit status and all it says
sub run_script
{
	my ($script, @arguments) = @_;
	my $said;
	IPC::Run::run [ $script, @arguments ], '<', '/dev/null', '>&', \$said;
	return ($? >> 8, $said);
}

# A screen in characters, with the place that the demo has where nobody names another
sub as_usual
{
	my ($text) = @_;
	utf8::decode($text);
	$text =~ s/\Q$work\E/\/tmp/g;
	return $text;
}

# Arguments

foreach my $script (qw(bootstrap demo test))
{
	foreach my $argument (qw(--help -h))
	{
		my ($status, $said) = run_script("$source/script/$script", $argument);
		is($status, 0, "script/$script $argument succeeds");
		like($said, qr{^  script/$script --help }m, '... and lists the arguments');
	}
	foreach my $argument ('nonsense', '--nonsense', '../../etc/passwd', '')
	{
		my ($status, $said) = run_script("$source/script/$script", $argument);
		is($status, 1, "script/$script refuses \"$argument\"");
		like($said, qr{^\S+: "\Q$argument\E" is not known\n.*^  script/$script --help }ms, '... and lists the arguments');
	}
}
is_deeply([ run_script("$source/script/demo", 'stop', 'now') ],
	[ 1, "script/demo stop takes nothing else\n" ], 'stop stands alone');
is_deeply([ run_script("$source/script/demo", 'stop') ], [ 1, "no desk is running\n" ], 'there is no desk to stop');
is_deeply([ run_script("$source/script/demo", 'reports') ],
	[ 1, "no desk is running: script/demo makes one\n" ], '... and none that has reports');

# The demo

my ($status, $screen) = run_script("$source/script/demo", 'tickets=120');
is($status, 0, 'a desk is made') or diag($screen);
like($screen, qr/\A[^\n]*: this takes about a minute\n/, '... and says first how long that takes');

my ($place) = glob "$work/support_ext-demo.*";
is((stat $place)[2] & 0777, 0700, 'nobody else gets in');
my ($last) = $screen =~ /(^Support desk.*)\z/ms;
is_deeply([ grep { length > 100 } split /\n/, as_usual($last) ], [], 'its last screen has 100 columns at most');
cmp_ok(($last =~ tr/\n//), '<=', 60, '... and is one');

my ($page) = $last =~ /^The same with charts, .*: +(\S+)$/m;
like(slurp($page), qr/\A<!DOCTYPE html>/i, 'the page is there');

my ($connect) = $last =~ /^ *(PSQLRC=.*)$/m;
my ($paste) = $last =~ /^Three lines to paste there.*?\n\n(.*?)\n\n/ms;
my ($ticket) = $paste =~ /(T-\d+)/;
IPC::Run::run [ 'bash', '-c', "$connect -v ON_ERROR_STOP=1" ], '<', \$paste, '>&', \my $session;
is($?, 0, 'the line for psql and the lines to paste there work') or diag($session);
like($session, qr/^ $ticket +\| open +\| urgent /m, 'the queue has the ticket that is due next');
like($session, qr/^$ticket  \S.*^open, urgent, assigned to Aisha Rahman, /ms, '... which is shown');
like($session, qr/^$ticket: reply by Aisha Rahman, open$/m, '... and answered');

my $query = <<'SQL';
SELECT
	(SELECT count(DISTINCT time_zone) FROM support.calendars) AS zones,
	(SELECT count(DISTINCT policy_id) FROM support.sla_clocks) AS policies,
	EXISTS (SELECT FROM support.sla_clocks WHERE breached_at IS NOT NULL) AS broken,
	EXISTS (SELECT FROM support.sla_clocks WHERE state = 'fulfilled' AND breached_at IS NULL) AS kept,
	(SELECT count(*) > 100 FROM support_internal.audit_seals) AS sealed,
	(SELECT v.finding FROM support.verify_audit() AS v) AS finding
SQL
IPC::Run::run [ 'bash', '-c', "$connect -X -A -t" ], '<', \$query, '>&', \my $shown;
is($shown, "2|4|t|t|t|\n", 'calendars in two zones, four policies, promises kept and broken, and seals that hold');

($status, my $reports) = run_script("$source/script/demo", 'reports');
is($status, 0, 'its reports print');
like($reports, qr/^ *Tickets by status\n.*^ *Agents\n/ms, '... one after the other');
($status, my $again) = run_script("$source/script/demo");
like($again, qr/\A\s*Support desk/, 'it is shown again');
is((run_script("$source/script/demo", 'tickets=5'))[0], 1, 'no other is made while it runs');
open(my $log, '<', "$place/server.log") or die "cannot read the server's log: $!";
{
	# Where the programs of a server are in nobody's path
	local $ENV{PATH} = '/usr/bin:/bin';
	is_deeply([ run_script("$source/script/demo", 'stop') ], [ 0, "The desk is stopped and removed.\n" ], 'it is stopped');
}
ok(!-e $place, '... and gone');
like(join('', <$log>), qr/received immediate shutdown request/, '... as is its server');

# script/test, on an extension of one function and tests that wait for us

my $project = "$work/project";
my $signs = "$work/signs";
make_path("$project/script", "$project/sql_tests/t", "$project/sql_tests/python", $signs);
foreach my $script (qw(lib.sh bootstrap test))
{
	copy("$source/script/$script", "$project/script/$script") or die "cannot copy $script: $!";
	chmod 0755, "$project/script/$script";
}
put("$project/support_ext.control", "default_version = '1.0'\n");
put("$project/support_ext--1.0.sql", "SELECT 1;\n");
put("$project/Makefile", <<'MAKE');
EXTENSION = support_ext
DATA = support_ext--1.0.sql
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
MAKE
put("$project/sql_tests/t/001_quick.pl", <<'PERL');
use Test::More;
pass('works');
SKIP: { skip 'the moon is not up', 2 }
done_testing();
PERL
put("$project/sql_tests/t/002_absent.pl", "use Test::More skip_all => 'there is no sea here';\n");
put("$project/sql_tests/t/003_waiting.pl", <<"PERL");
use Test::More;
pass('works');
open(my \$out, '>', '$signs/waiting') or die; close \$out;
select(undef, undef, undef, 0.1) until -e '$signs/go';
pass('works on');
done_testing();
PERL
put("$project/sql_tests/python/dry.py", <<'PYTHON');
import unittest

class Dry(unittest.TestCase):
    def test_works(self):
        pass

    @unittest.skip("it rains")
    def test_sun(self):
        pass
PYTHON

# Start the tests in a process group of their own
sub start_tests
{
	unlink "$signs/waiting", "$signs/go";
	my $pid = fork() // die "cannot fork: $!";
	return $pid if $pid;
	setsid();
	open(STDOUT, '>', "$work/said");
	open(STDERR, '>&', \*STDOUT);
	exec "$project/script/test" or die;
}

# Start the tests and wait until they wait for us
sub start_and_meet
{
	my $pid = start_tests();
	select(undef, undef, undef, 0.1) until -e "$signs/waiting";
	return $pid;
}

# What the tests say at their end, and whether they failed
sub end_of
{
	my ($pid) = @_;
	waitpid $pid, 0;
	return ($? != 0, slurp("$work/said"));
}

my $pid = start_and_meet();
put("$signs/go", '');
my ($failed, $said) = end_of($pid);
ok(!$failed, 'a run that came to its end has passed') or diag($said);
like($said, qr/\A4 files of tests on .*\nAll of them take /, 'it says first what there is and how long it takes');
like($said, qr{^4 skipped:\n(?:  .*\n){3}4 passed, 0 failed\n\z}m, 'it ends with the sums');
like($said, qr{^  sql_tests/t/001_quick\.pl +2  the moon is not up$}m, 'skipped tests say why');
like($said, qr{^  sql_tests/t/002_absent\.pl +1  there is no sea here$}m, '... as do skipped files');
like($said, qr{^  sql_tests/python/dry\.py +1  it rains$}m, '... and those in Python');

foreach my $whom (1, -1)
{
	$pid = start_and_meet();
	kill 'TERM', $whom * $pid;
	($failed, $said) = end_of($pid);
	my $name = $whom < 0 ? 'a run whose processes are all ended' : 'a run that is ended';
	ok($failed, "$name has not passed");
	like($said, qr/^The run broke off before its end\.\n(?:.*\n)*1 passed, 1 failed\n\z/m, '... and says so') or diag($said);
	is_deeply([ glob "$work/support_ext-test.*" ], [], '... and leaves nothing behind');
}

$pid = start_and_meet();
remove_tree(glob "$work/support_ext-test.*");
put("$signs/go", '');
($failed, $said) = end_of($pid);
ok($failed, 'a run whose directory is gone has not passed');
unlike($said, qr/ 0 failed\n\z/, '... and does not say that it has');
like($said, qr{^FAILED +sql_tests/t/003_waiting\.pl }m, '... and names a test without an outcome') or diag($said);

done_testing();
