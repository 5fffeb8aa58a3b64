# The source is a house of rooms, which the Makefile lists ground floor first. A room includes and calls only what lies in
# itself or below; the files at the top of src/ stand above all rooms. Includes are read from the sources, calls from the
# symbols of the object files, which the build has left beside them. Each check is tried on a small house first, into
# which one fault is built at a time.

use strict;
use warnings;

use File::Find ();
use PostgreSQL::Test::Utils;
use Test::More;

# Whoever puts a file above all rooms says so here.
my @top = qw(attach_month install install_check install_migrate install_numbers install_repair maintain retention support_ext
	upkeep);

my $pg_config = $ENV{PG_CONFIG} // 'pg_config';

# A house: its root, its rooms, what the server calls by name, and all of its files
sub house_at
{
	my ($root, @top) = @_;
	my ($list) = slurp_file("$root/Makefile") =~ /^ROOMS\s*=\s*(.+)/m;
	my @rooms = split ' ', $list // '';
	my @exported = grep { !/^#/ } split /\n/, slurp_file("$root/src/exports.txt");
	my @files;

	File::Find::find(
		{ no_chdir => 1, wanted => sub { push @files, $_ =~ s{^\Q$root\E/src/}{}r if /\.[ch]$/ } }, "$root/src");
	return {
		root => $root,
		rooms => \@rooms,
		top => { map { $_ => 1 } @top },
		floor => { '' => scalar @rooms, map { $rooms[$_] => $_ } 0 .. $#rooms },
		exported => join('|', map { s/\*/\\w*/gr } @exported),
		files => [ sort @files ]
	};
}

# The room that a file lies in, '' for the top
sub room_of { return $_[0] =~ m{^(.*)/} ? $1 : '' }

# Does an arrow from one file to another go up?
sub goes_up
{
	my ($house, $from, $to) = @_;

	return $house->{floor}{ room_of($to) } > $house->{floor}{ room_of($from) };
}

# What a file says, without comments
sub text_of
{
	my ($house, $file) = @_;

	return slurp_file("$house->{root}/src/$file") =~ s{/\*.*?\*/}{}gsr;
}

# Files outside the rooms, and rooms without files
sub misplaced
{
	my ($house) = @_;
	my @found;

	foreach my $file (@{ $house->{files} })
	{
		my $room = room_of($file);
		my ($name) = $file =~ m{([^/]+)\.[ch]$};

		push @found, "$file is in no room" if !exists $house->{floor}{$room} || ($room eq '' && !$house->{top}{$name});
	}
	foreach my $room (@{ $house->{rooms} })
	{
		push @found, "$room is empty" if !grep { room_of($_) eq $room } @{ $house->{files} };
	}
	return @found;
}

# Pairs of a file and one of ours that it includes, as it names that
sub includes
{
	my ($house) = @_;
	my %is_ours = map { $_ => 1 } @{ $house->{files} };
	my @found;

	foreach my $file (@{ $house->{files} })
	{
		foreach my $name (text_of($house, $file) =~ /^\s*#\s*include\s*["<]([^">]+)[">]/mg)
		{
			my $beside = room_of($file) . "/$name";

			push @found, [ $file, $name ] if $is_ours{$name} || $is_ours{$beside};
		}
	}
	return @found;
}

sub wrong_includes
{
	my ($house) = @_;
	my %is_ours = map { $_ => 1 } @{ $house->{files} };

	return
	  map { !$is_ours{ $_->[1] } ? "$_->[0] includes $_->[1] without its room" : "$_->[0] includes $_->[1]" }
	  grep { !$is_ours{ $_->[1] } || goes_up($house, @$_) } includes($house);
}

# Symbols of the object files: where each is defined, and which files use it from elsewhere
sub symbols
{
	my ($house) = @_;
	my $source = "$house->{root}/src";
	my @objects = map { "$source/" . s/\.c$/.o/r } grep { /\.c$/ } @{ $house->{files} };
	my ($names) = run_command([ 'nm', '--extern-only', '--format=posix', @objects ]);
	my (%definer, %users, $file);

	foreach (split /\n/, $names)
	{
		if (m{^\Q$source\E/(.*)\.o:$}) { $file = "$1.c" }
		elsif (/^(\w+) U/) { push @{ $users{$1} }, $file }
		elsif (/^(\w+) \w/) { $definer{$1} = $file }
	}
	return (\%definer, \%users);
}

# Triples of a file, one that it calls, and by which name
sub calls
{
	my ($house) = @_;
	my ($definer, $users) = symbols($house);
	my @found;

	foreach my $name (sort keys %$definer)
	{
		push @found, map { [ $_, $definer->{$name}, $name ] } @{ $users->{$name} // [] };
	}
	return @found;
}

sub wrong_calls
{
	my ($house) = @_;

	return map { "$_->[0] calls $_->[2] of $_->[1]" } grep { goes_up($house, @$_[ 0, 1 ]) } calls($house);
}

# Names that files show and no other uses, but for what the server calls
sub unused_names
{
	my ($house) = @_;
	my ($definer, $users) = symbols($house);

	return map { "$_ of $definer->{$_}" } grep { !$users->{$_} && !/^(?:$house->{exported})$/ } sort keys %$definer;
}

# What is wrong with headers that are compiled after nothing but the server's own first one, and twice
sub unfit_headers
{
	my ($house, @first) = @_;
	my ($compiler) = run_command([ $pg_config, '--cc' ]);
	my ($server) = run_command([ $pg_config, '--includedir-server' ]);
	my $directory = PostgreSQL::Test::Utils::tempdir;
	my $source = "$house->{root}/src";
	my @sources;

	foreach my $header (grep { /\.h$/ } @{ $house->{files} })
	{
		push @sources, "$directory/" . @sources . '.c';
		append_to_file($sources[-1], join '', map { "#include \"$_\"\n" } @first, $header, $header);
	}
	local $ENV{LC_ALL} = 'C';
	my ($output, $errors) = run_command([ split(' ', $compiler), qw(-fsyntax-only -Wall -Werror -Wno-unused-function),
		'-D_GNU_SOURCE', "-I$source", "-I$server", @sources ]);
	my %found = map { $_ => 1 } $errors =~ m{^\Q$source\E/(\S+?:\d+:\d+: error: .*)}mg;

	return %found || $errors eq '' ? sort keys %found : $errors;
}

# The types that a file defines: structures, enumerations, and what a typedef gives a name of its own
sub types_of
{
	my ($house, $file) = @_;
	my $text = text_of($house, $file);
	my %found = map { $_ => 1 } $text =~ /\b(?:struct|enum|union)\s+(\w+)\s*\{/g;

	while ($text =~ /\btypedef\b((?:[^{};]|(\{(?:[^{}]|(?2))*\}))*);/g)
	{
		my $is = $1;
		my ($name) = $is =~ /\(\s*\*\s*(\w+)\s*\)\s*\(/ ? $1 : $is =~ /(\w+)\s*(?:\[[^\]]*\]\s*)*$/;

		$found{$name} = 1 if $is !~ /^\s*(?:struct|enum|union)\s+\Q$name\E\s+\Q$name\E$/;
	}
	return sort keys %found;
}

# Names of types that two files define
sub twofold_types
{
	my ($house) = @_;
	my %files;

	foreach my $file (@{ $house->{files} })
	{
		push @{ $files{$_} }, $file foreach types_of($house, $file);
	}
	return map { "$_ of @{ $files{$_} }" } grep { @{ $files{$_} } > 1 } sort keys %files;
}

# The small house: two rooms and a top, with nothing wrong about them
my $once = "#pragma once\n";
my %sound = (
	'Makefile' => "ROOMS = cellar hall\n",
	'src/exports.txt' => "# what is called from outside\nopen_*\n",
	'src/cellar/lamp.h' => "${once}typedef struct Lamp { int watts; } Lamp;\nextern int light(Lamp *lamp);\n",
	'src/cellar/lamp.c' => "#include \"cellar/lamp.h\"\nint light(Lamp *lamp) { return lamp->watts; }\n",
	'src/hall/guest.h' => "${once}typedef struct Guest Guest;\nextern int greet(void);\nextern int guests;\n",
	'src/hall/guest.c' => "#include \"cellar/lamp.h\"\n#include \"hall/guest.h\"\nstruct Guest { int age; };\n"
	  . "int guests = 3;\nint greet(void) { Lamp lamp = {40}; return light(&lamp); }\n",
	'src/roof.h' => "${once}#define TILES 7\n",
	'src/roof.c' => "#include \"hall/guest.h\"\n#include \"roof.h\"\nint open_house(void) { return greet() + guests + TILES; }\n"
);
# Build the small house with some of its files changed
sub small_house
{
	my (%changes) = @_;
	my $root = PostgreSQL::Test::Utils::tempdir;
	my %files = (%sound, %changes);

	foreach my $file (keys %files)
	{
		my ($directory) = "$root/$file" =~ m{(.*)/};

		File::Path::make_path($directory);
		append_to_file("$root/$file", $files{$file});
	}
	foreach my $file (grep { /\.c$/ } keys %files)
	{
		system_or_bail('cc', '-w', '-c', "-I$root/src", '-o', "$root/" . $file =~ s/c$/o/r, "$root/$file");
	}
	return house_at($root, 'roof');
}

my %checks = (
	misplaced => \&misplaced,
	wrong_includes => \&wrong_includes,
	wrong_calls => \&wrong_calls,
	unused_names => \&unused_names,
	unfit_headers => \&unfit_headers,
	twofold_types => \&twofold_types
);

# Does the check find this and nothing else in the small house so changed?
sub finds
{
	my ($check, $expected, %changes) = @_;

	return is(join("\n", $checks{$check}->(small_house(%changes))), $expected,
		"$check: " . ($expected || 'nothing where nothing is wrong'));
}

finds($_, '') foreach sort keys %checks;

finds('misplaced', 'shed/mop.c is in no room', 'src/shed/mop.c' => '');
finds('misplaced', 'cellar/rack/wine.h is in no room', 'src/cellar/rack/wine.h' => '');
finds('misplaced', 'aerial.c is in no room', 'src/aerial.c' => '');
finds('misplaced', 'attic is empty', 'Makefile' => "ROOMS = cellar hall attic\n");

finds('wrong_includes', 'cellar/mop.c includes hall/guest.h', 'src/cellar/mop.c' => qq(#include "hall/guest.h"\n));
finds('wrong_includes', 'cellar/mop.h includes hall/guest.h', 'src/cellar/mop.h' => qq(  # include <hall/guest.h>\n));
finds('wrong_includes', 'hall/mop.c includes roof.h', 'src/hall/mop.c' => qq(#include "roof.h"\n));
finds('wrong_includes', 'hall/mop.c includes guest.h without its room', 'src/hall/mop.c' => qq(#include "guest.h"\n));

finds('wrong_calls', 'cellar/lamp.c calls greet of hall/guest.c',
	'src/cellar/lamp.c' => $sound{'src/cellar/lamp.c'} =~ s/return/return greet() +/r);
finds('wrong_calls', 'cellar/lamp.c calls guests of hall/guest.c',
	'src/cellar/lamp.c' => $sound{'src/cellar/lamp.c'} =~ s/return/extern int guests; return guests +/r);
finds('wrong_calls', 'hall/mop.c calls open_house of roof.c',
	'src/hall/mop.c' => "extern int open_house(void);\nint (*open_hall) (void) = open_house;\n");

finds('unused_names', 'wipe of hall/mop.c',
	'src/hall/mop.c' => "int wipe(void) { return 0; }\nint open_mop(void) { return wipe(); }\n");
finds('unused_names', 'soap of hall/mop.c', 'src/hall/mop.c' => "int soap = 1;\n");

finds('unfit_headers', "hall/mop.h:2:8: error: unknown type name 'Lamp'",
	'src/hall/mop.h' => "${once}extern Lamp mop;\n");
finds('unfit_headers', "hall/mop.h:1:19: error: redefinition of 'wipe'",
	'src/hall/mop.h' => "static inline int wipe(void) { return 1; }\n");

finds('twofold_types', 'Lamp of cellar/lamp.h hall/mop.c', 'src/hall/mop.c' => $_)
  foreach "struct\nLamp\n{ int cord; };\n", "typedef struct { struct { int n; } cord; } Lamp;\n",
  "typedef enum Light { LIT } Lamp;\n", "typedef int (*Lamp) (int volts);\n", "typedef char Lamp[4];\n";

# The house itself
my $house = house_at('.', @top);
my @includes = includes($house);
my @calls = calls($house);

sub edges
{
	my (@arrows) = @_;
	my $up = grep { goes_up($house, @$_[ 0, 1 ]) } @arrows;
	my $inside = grep { room_of($_->[0]) eq room_of($_->[1]) } @arrows;

	return sprintf '%d inside rooms, %d down, %d up', $inside, @arrows - $inside - $up, $up;
}

note('includes: ' . edges(@includes));
note('calls: ' . edges(@calls));
cmp_ok(scalar @{ $house->{rooms} }, '>', 9, 'the house has rooms: ' . join(' ', @{ $house->{rooms} }));
is(join(' ', grep { /\.c$/ && !-e 'src/' . s/c$/o/r } @{ $house->{files} }), '', 'each C file has been compiled');
cmp_ok(scalar @includes, '>', 300, 'its files include each other');
cmp_ok(scalar @calls, '>', 1000, 'and call each other');

is(join("\n", misplaced($house)), '', 'every file lies in a room, or is known to stand above them');
is(join("\n", wrong_includes($house)), '', 'no file includes what lies above it');
is(join("\n", wrong_calls($house)), '', 'no file calls what lies above it');
is(join("\n", unused_names($house)), '', 'no file shows a name that no other uses');
is(join("\n", unfit_headers($house, 'postgres.h')), '', 'each header includes what it needs');
is(join("\n", twofold_types($house)), '', 'no two files define types of one name');

done_testing();
