# What the scripts of psql/ mean is not to be decided by who may make functions somewhere on the search_path.
#
# Each script runs as a superuser under paths that lead to a schema full of traps (shadows.sql), alone and within a
# transaction: no trap may be run, what is printed must be what is printed without them, and the path must afterwards be what
# it was, whichever way the script ended. Each path has a copy of the desk.

use strict;
use warnings;

use Cwd qw(abs_path);
use Desk;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $psql = abs_path("$FindBin::RealBin/../../psql");
my $node = start_server('desk');
my $dir = PostgreSQL::Test::Utils::tempdir();
my @paths = ('hostile, pg_catalog', 'pg_catalog, hostile', 'pg_temp, hostile, support, pg_catalog');

# What a script is given, and whether it is refused. Those of the same name are told apart by what they are given.
my @runs = (
	[ 'queue', 'actor=2' ], [ 'queue', 'actor=ada@desk.example', 'whose=all' ], [ 'queue', 'actor=2', 'whose=team' ],
	[ 'queue', 'whose=unassigned', 'team=first line', 'rows=3' ], [ 'queue', 'whose=nobody' ], [ 'queue', 'team=Second line' ],
	[ 'show', 'ticket=t-1' ], [ 'show', 'ticket=1', 'history=on', 'notes=off' ], [ 'show', 'ticket=T-99' ], ['show'],
	[ 'open', 'actor=2', 'title=Lift stuck', 'text=Between floors', 'requester=cy@northwind.example', 'team=First line',
		'assignee=3', 'tags=lift, fire', 'priority=high' ],
	[ 'open', 'actor=2', 'title=Lift stuck', "file=$dir/blank.txt" ],
	[ 'open', 'actor=2', 'title=Lift stuck', "file=$dir/said.txt" ],
	[ 'reply', 'actor=2', 'ticket=T-1', 'text=On my way', 'status=pending' ],
	[ 'reply', 'actor=2', 'ticket=T-1', "file=$dir/said.txt", 'private=on' ],
	[ 'reply', 'actor=2', 'ticket=T-1', 'editor=on' ], [ 'reply', 'actor=2', 'ticket=T-1', 'text= ' ],
	[ 'reply', 'actor=2', 'ticket=T-1', 'text=To all', 'status=opne' ],
	[ 'solve', 'actor=2', 'ticket=T-1' ], [ 'solve', 'actor=2', 'ticket=T-1', 'text=Done.', 'status=closed' ],
	[ 'find', 'words=printer or cy@northwind.example' ], [ 'crosstab', 'days=9' ], ['export'],
	[ 'export', 'since=2026-02-01', 'delimiter=;', "file=$dir/exported.csv" ], ['reports'],
	[ 'reports/week', 'week=2026-03-04', 'team=First line' ], ['reports/week'], [ 'reports/times', 'weeks=3', 'anchor=cohort' ],
	['reports/backlog'], [ 'reports/heatmap', 'what=replies' ], [ 'reports/heatmap', 'what=nothing' ]);
# import.sql has a transaction of its own
my @alone = (
	[ 'import', 'actor=2', "file=$dir/new.csv", 'columns=external_id, title, requester, assignee, team, tags, created_at' ],
	[ 'import', 'actor=2', "file=$dir/wrong.csv", 'columns=external_id, title, requester' ]);

append_to_file("$dir/blank.txt", "\n");
append_to_file("$dir/said.txt", "It's hot,\nhe says.\n");
append_to_file("$dir/new.csv", <<'CSV');
external_id,title,requester,assignee,team,tags,created_at
new-1,Chair squeaks,cy@northwind.example,bob@desk.example,first line,"chair, fire",2026-03-01 10:00+00
CSV
append_to_file("$dir/wrong.csv", "external_id,title,requester\nnew-2,Desk wobbles,karl\@example.com\n");

append_to_file("$dir/editor", "#!/bin/sh\nsed -i '1iWritten in an editor.' \"\$1\"\n");
chmod 0755, "$dir/editor";

# Sentences that run a script as it is called on the command line, and say afterwards what the path is
sub calls
{
	my ($name, @variables) = @_;
	my @names = map { /^(\w+)=/ } @variables;

	return join "\n", "\\echo == $name @variables", '\warn == ' . "$name @variables",
		(map { my ($variable, $value) = split /=/, $_, 2; "\\set $variable '$value'" } @variables), "\\i $psql/$name.sql",
		'\set ON_ERROR_STOP off',
		'\set QUIET off', (map { "\\unset $_" } @names, 'ticket'), 'SHOW search_path;', "\n";
}

# What one session prints that calls all scripts under a path
sub printed
{
	my ($database, $path) = @_;
	my $script = "SELECT hostile.plant_temporary() \\g /dev/null\nSET search_path = $path;\n";
	my ($out, $err);

	$script .= calls(@$_) foreach @runs[ grep { $runs[$_][0] !~ /open|reply|solve/ } 0 .. $#runs ];
	$script .= join '', map { "BEGIN;\nSELECT public.start_sequences() \\g /dev/null\n" . calls(@$_) . "ROLLBACK;\nSHOW search_path;\n" } @runs;
	$script .= calls(@$_) foreach @alone;
	local $ENV{PSQL_EDITOR} = "$dir/editor";
	$node->psql($database, $script, stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '--no-psqlrc' ]);
	return map { s/\Q$path\E/(the path)/gr =~ s/^psql:\S+ //gmr =~ s/(The draft is ).*/$1/r } $out, $err;
}

$node->safe_psql('postgres', "CREATE ROLE app LOGIN; CREATE ROLE reader LOGIN; CREATE DATABASE desk");
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
add_own_objects($node, 'desk');
use_desk($node, 'desk');
$node->safe_psql('desk', slurp_file("$FindBin::Bin/../shadows.sql") . <<'SQL');
CREATE FUNCTION public.start_sequences()
RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
	SELECT setval(s.seqrelid::regclass, 5000) FROM pg_sequence AS s;
END;
ALTER DATABASE desk SET support_ext.now = '2026-03-20 09:00+00';
SQL
$node->safe_psql('postgres', <<"SQL") foreach 0 .. @paths;
CREATE DATABASE desk_$_ TEMPLATE desk;
ALTER DATABASE desk_$_ SET support_ext.now = '2026-03-20 09:00+00';
SQL

# The scripts do what they are for

my ($out, $err) = printed('desk_' . @paths, 'public');
my @sections = $out =~ /^== (.*)$/mg;
is(scalar @sections, @runs + @alone + grep({ $_->[0] !~ /open|reply|solve/ } @runs), 'every script is called');
# within a transaction that is over nothing can be asked
my $aborted = () = $err =~ /ERROR:  current transaction is aborted/g;
is(scalar(() = $out =~ /^\(the path\)$/mg), @sections + @runs - $aborted, '... and leaves the path, at its end and after a ROLLBACK');
my @read = ('no queue is called "nobody"', 'team "Second line" does not exist', 'ticket number "T-99" does not exist', 'which ticket?');
my @written = ('the description is blank', 'the reply is blank', 'status "opne" does not exist');
is(join("\n", $err =~ /ERROR:  (?!current)(.*)/g), join("\n", (map { @read, @$_, 'the heatmap has no "nothing"' } [], \@written),
	'1 of 1 tickets are wrong'), 'nothing is refused but what must be');
like($out, qr/^T-1: reply by Bob Agent, pending$/m, 'a reply is sent');
like($out, qr/^tickets read: 1, opened: 1, known before: 0$/m, 'a ticket is imported');

# ... and nothing else

foreach my $i (0 .. $#paths)
{
	my $offset = -s $node->logfile;
	my ($got, $said) = printed("desk_$i", $paths[$i]);
	my %met = map { $_ => 1 } slurp_file($node->logfile, $offset) =~ /(SHADOW .*)/g;

	is(join("\n", sort keys %met), '', "$paths[$i]: no trap is met");
	is(difference($got, $out), '', "$paths[$i]: the same is printed");
	is(difference($said, $err), '', "$paths[$i]: the same is refused");
}

# A transaction goes on after an error where psql has a savepoint for each statement: the path is what it was

is($node->safe_psql('desk', <<"SQL"), "public\npublic", 'a refusal within a transaction leaves the path');
\\set ON_ERROR_ROLLBACK on
SET search_path = public;
BEGIN;
\\set ON_ERROR_STOP off
\\i $psql/show.sql
SHOW search_path;
COMMIT;
SHOW search_path;
SQL

# The directory of the scripts may be called as it likes

my $odd = "$dir/Ada's desk";
symlink($psql, $odd) or die "cannot link $psql: $!";
is($node->safe_psql('desk', "\\set desk `echo \"$odd\"`\n\\i :desk/shortcuts.sql\n\\set actor 2\n\\set ticket T-1\n:queue\n:unassigned\n:show\n") =~ s/\n.*//sr,
	$node->safe_psql('desk', "\\set actor 2\n\\i $psql/queue.sql\n") =~ s/\n.*//sr, 'short names, in a directory with an apostrophe and a space');

# What customers write does nothing to the terminal, aligned or not; nor do numbers and names that came past the triggers

$node->safe_psql('desk', <<'SQL');
INSERT INTO support.tickets (ticket_number, title, description, creator_id) VALUES ('X', 'It is hot', '', 4);
SET session_replication_role = replica;
UPDATE support.tickets SET ticket_number = E'X\x1b]0;hot', title = E'It is hot\x1b[31m' WHERE ticket_number = 'X';
UPDATE support.users SET full_name = E'Bob\x1b[31m' WHERE id = 2;
SQL
foreach my $run ([ 'queue', 'whose=all' ], [ 'find', 'words=hot' ], ['crosstab'], [ 'show', "ticket=X\e]0;hot", 'history=on' ])
{
	my ($name, @variables) = @$run;
	IPC::Run::run [ 'psql', '-X', '-A', '-d', $node->connstr('desk'), (map { ('-v', $_) } 'rows=200', @variables), '-f', "$psql/$name.sql" ],
		'>&', \my $shown;
	utf8::decode($shown);
	unlike($shown, qr/[\e\a]/, "$name: no control characters");
	like($shown, qr/(?:X|Bob|hot)\P{Ascii}+(?:\]0;hot|\[31m)/, "$name: ... and the text is there");
}

done_testing();
