# The library shows what the server calls by name and nothing else: another library's function by the name of one of ours
# must not be taken for it, nor ours for it.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

# The names that a shared library shows, or those that it looks for elsewhere
sub names_of
{
	my ($library, $which) = @_;
	my ($names) = run_command([ 'nm', '--dynamic', "--$which-only", '--format=posix', $library ]);

	return map { /^(\S+)/ } split /\n/, $names;
}

my ($directory) = run_command([ 'pg_config', '--pkglibdir' ]);
my @names = names_of("$directory/support_ext.so", 'defined');
my %exported = map { $_ => 1 } @names;
my @functions = map { /^pg_finfo_(\w+)$/ } @names;

cmp_ok(scalar @functions, '>', 50, 'the library has functions for SQL');
is(join(' ', sort @names), join(' ', sort('Pg_magic_func', '_PG_init', map { ($_, "pg_finfo_$_") } @functions)),
	'it shows these, each with the description that the server asks for, and what it is loaded by: '
		. scalar(@names) . ' names');
is(join(' ', grep { !/^support_/ } @functions), '', 'all of them have names of our own');

# The same from the other side: what SQL calls
my $sql = join '', map { slurp_file($_) } glob 'sql/*.sql';
my %called = map { $_ => 1 } $sql =~ /'MODULE_PATHNAME', '(\w+)'/g;
is(join(' ', grep { !$called{$_} } sort @functions), '', 'SQL calls every one');
is(join(' ', grep { !$exported{$_} } sort keys %called), '', 'and no other');

# The build that is tested is one that checks its assertions
my @sought = names_of("$directory/support_ext.so", 'undefined');
is(scalar(grep { $_ eq 'ExceptionalCondition' } @sought), 1, 'its assertions are checked');

done_testing();
