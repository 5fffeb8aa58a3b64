# The manual is complete, and what says the same in two places says it alike: the control file, META.json, the change
# log, and what the database knows of functions, settings, tables and views.
use strict;
use warnings;

use File::Basename;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @pages = ('README.md', sort glob('doc/*.md'));
my %page = map { $_ => slurp_file($_) } @pages;
my $control = slurp_file('support_ext.control');

sub control_value
{
	my ($name) = @_;
	return $control =~ /^$name *= *'(.*)'$/m ? $1 : die "the control file has no $name";
}

# The anchors of a page's headings, as a forge makes them.
sub anchors
{
	my ($text) = @_;
	my %anchors;

	$text =~ s/^```.*?^```$//msg;
	foreach my $heading ($text =~ /^#+ (.+)$/mg)
	{
		my $anchor = lc $heading;
		$anchor =~ s/[^\w\- ]//g;
		$anchor =~ s/ /-/g;
		$anchors{$anchor} = 1;
	}
	return \%anchors;
}

# META.json against the control file
my $version = control_value('default_version');
my $meta = decode_json(slurp_file('META.json'));
my $provided = $meta->{provides}{support_ext};

is($meta->{name}, 'support_ext', 'META.json: name');
is($meta->{version}, "$version.0", 'META.json: version, with the third number that PGXN asks for');
is($meta->{abstract}, control_value('comment'), 'META.json: abstract');
is($provided->{version}, $meta->{version}, 'META.json: version of what it provides');
is($provided->{abstract}, $meta->{abstract}, 'META.json: abstract of what it provides');
ok(-f $provided->{docfile}, 'META.json: the documentation that it names is there');
ok(-f $provided->{file}, 'META.json: the file that it names is there');
like(slurp_file('CHANGELOG.md'), qr/^## \Q$version\E\b/m, 'CHANGELOG.md knows the version');
like(slurp_file('LICENSE'), qr/\APostgreSQL License$/m, 'LICENSE is the one that META.json names');

# Links
foreach my $page (@pages)
{
	my $text = $page{$page};

	$text =~ s/^```.*?^```$//msg;
	foreach my $link ($text =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ /^\w+:/;
		my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
		my $target = $path eq '' ? $page : dirname($page) . "/$path";

		$target =~ s{^\./}{};
		1 while $target =~ s{[^/]+/\.\./}{};
		ok(-e $target, "$page: $link is there");
		ok(anchors(slurp_file($target))->{$anchor}, "$page: $link has that heading") if defined $anchor;
	}
}
foreach my $page (grep { $_ ne 'README.md' } @pages)
{
	like($page{'README.md'}, qr/\]\(\Q$page\E[#)]/, "README.md leads to $page");
}

# Files of the source that the manual names
my @sources = glob('src/*.c src/*/*.c');
foreach my $file ($page{'doc/development.md'} =~ /`(\w+\.c)`/g)
{
	is(scalar grep({ m{/\Q$file\E$} } @sources), 1, "doc/development.md: src/$file is there");
}

# What the database knows
my $node = PostgreSQL::Test::Cluster->new('meta');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION support_ext');

sub rows
{
	my ($query) = @_;
	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('postgres', $query);
}

# Functions: the blocks of the reference are the signatures, no more and no fewer
sub signature
{
	my ($name, $arguments, $result) = @_;
	my $signature = "$name($arguments) → $result";

	$signature =~ s/timestamp with time zone/timestamptz/g;
	$signature =~ s/(DEFAULT (?:'[^']*'|\w+))::\w+(?:\[\])?/$1/g;
	return $signature;
}

my %described;
while ($page{'doc/functions.md'} =~ /^### (\w+)\n\n```\n(.*?)```\n\n(\w)/msg)
{
	my ($name, $signature) = ($1, $2);
	$signature =~ s/\s+/ /g;
	$signature =~ s/ $//;
	$described{$name} = $signature;
}
foreach my $row (rows(
		q(SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid) FROM pg_proc
		  WHERE pronamespace = 'support'::regnamespace ORDER BY proname)))
{
	my ($name) = @$row;

	is(delete $described{$name}, signature(@$row), "doc/functions.md: $name()");
}
is_deeply([ keys %described ], [], 'doc/functions.md describes no other function');

# Settings: a row of a table each, with the default
my %setting = $page{'doc/settings.md'} =~ /^\| `([\w.]+)` \| (.*?) \|/mg;
foreach my $row (rows('SELECT name, value FROM support.settings()'))
{
	my ($name, $default) = @$row;

	is(delete $setting{$name}, $default eq '' ? 'empty' : "`$default`", "doc/settings.md: $name and its default");
}
is_deeply([ keys %setting ], [], 'doc/settings.md describes no other setting');

# Tables and views: "Columns of `support.x`:" and a table with all of them
my %columns;
foreach my $page (@pages)
{
	while ($page{$page} =~ /^Columns of (.+):\n\n\|.*\n\| --.*\n((?:\|.*\n?)+)/mg)
	{
		my ($relations, $table) = ($1, $2);
		my @columns = map { /`(\w+)`/g } $table =~ /^\|([^|]*)\|/mg;

		$columns{$_} = join(' ', sort @columns) foreach $relations =~ /`support\.(\w+)`/g;
	}
}
foreach my $row (rows(
		q(SELECT c.relname, string_agg(a.attname, ' ' ORDER BY a.attname COLLATE "C")
		  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
		  WHERE c.relnamespace = 'support'::regnamespace AND c.relkind IN ('r', 'p', 'v')
			AND a.attnum > 0 AND NOT a.attisdropped
		  GROUP BY c.relname ORDER BY c.relname)))
{
	my ($name, $columns) = @$row;

	is(delete $columns{$name}, $columns, "the manual has the columns of support.$name");
}
is_deeply([ keys %columns ], [], 'the manual has no other table or view');

# SQLSTATEs: those that the source raises, the server's and our own, have a row in the table of errors
my ($share) = run_command([ 'pg_config', '--sharedir' ]);
my %sqlstate = reverse slurp_file("$share/errcodes.txt") =~ /^(\w{5}) +E +(ERRCODE_\w+)/mg;
my $errors_h = slurp_file('src/base/errors.h');
while ($errors_h =~ /(ERRCODE_\w+)\s+MAKE_SQLSTATE\((.*)\)/g)
{
	my ($condition, $characters) = ($1, $2);
	$sqlstate{$condition} = join '', $characters =~ /'(.)'/g;
}
my %raised = map { $_ => 1 } map { /errcode\((ERRCODE_\w+)\)/g } map { slurp_file($_) } @sources;
foreach my $condition (sort keys %raised)
{
	like($page{'doc/errors.md'}, qr/^\| \[?$sqlstate{$condition}\b/m, "doc/errors.md has $condition");
}

# Actions: those that the source writes to the log are kept from applications, and told in the manual
my ($own) = slurp_file('src/log/log_writer.c') =~ /const own\[\] = \{(.*?)\}/s;
my %own = map { $_ => 1 } $own =~ /"(\w+)"/g;
my %written = map { $_ => 1 } map { /(?:\.action = |entry_for\()"(\w+)"/g } map { slurp_file($_) } @sources;
is_deeply([ sort keys %written ], [ sort keys %own ], 'the actions that the desk writes are the ones that nobody else may');
like($page{'doc/audit.md'}, qr/`$_`/, "doc/audit.md has the action $_") foreach sort keys %own;

# What the C library takes for a space or a letter depends on the locale, and it looks at single bytes
my @by_locale = grep { slurp_file($_) =~ /\b(?:is(?:alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)|to(?:lower|upper))\s*\(/ }
  glob('src/*.[ch] src/*/*.[ch]');
is("@by_locale", '', 'no source asks the locale what a byte is');

my @half_merged = grep { slurp_file($_) =~ /^(?:<{7}|={7}|>{7})(?: |$)/m }
  @pages, 'CHANGELOG.md', 'Makefile', glob('src/*.[ch] src/*/*.[ch] sql/*.sql sql/desk/*.sql sql_tests/sql/*.sql');
is("@half_merged", '', 'no merge was left half done');

$node->stop;
done_testing();
