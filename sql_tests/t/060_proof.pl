# Whatever a superuser does to the sealed log is found: entries, leaves and seals are drawn by lot, changed in every way,
# and put back. What was sealed is verified, and proofs hold, in another cluster, in another encoding, by a program that
# knows only what the manual says. SUPPORT_EXT_TEST_TAMPERINGS says how often each way is tried, 3 times unless set;
# SUPPORT_EXT_TEST_SEED draws others.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $times = $ENV{SUPPORT_EXT_TEST_TAMPERINGS} // 3;
take_seed();

# The server's own ANALYZE would be a transaction that keeps entries from being sealed for a while
my @settings = ('autovacuum = off', 'max_prepared_transactions = 1');
my $node = start_server('desk', @settings);
my $dir = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
add_own_objects($node, 'desk');
use_desk($node, 'desk');

my $summary = 'SELECT seals, entries, erased, unsealed, first_bad, finding FROM support.verify_audit()';
my ($seals, $entries, $erased, $unsealed, $first_bad, $finding) = split /\|/, $node->safe_psql('desk', $summary), -1;
cmp_ok($seals, '>', 1, 'the desk has several seals');
cmp_ok($entries, '>', 300, 'and many sealed entries');
cmp_ok($erased, '>', 0, 'of which some have lost their values');
is("$unsealed|$first_bad|$finding", '0||', 'all of it is as it was sealed');

# Entries in the order in which they were sealed: id, transaction, record
my @log = map { [ split /\|/ ] } split /\n/, $node->safe_psql('desk', <<'SQL');
SELECT id, xid, concat(table_name, record_id) FROM support.audit_log ORDER BY era, xid, id
SQL
is(scalar @log, $entries, 'every entry is sealed');

# The tamperings: a name, the statements, and the first bad entry that they make, if it is sure
my @tamperings;

sub tamper
{
	push @tamperings, [@_];
	return;
}

# The place of an entry in the order, by lot, with so many behind it
sub draw
{
	my ($behind) = @_;
	return int rand(@log - ($behind // 0));
}

# Change entries, which keep their places or lose them
my %columns = (
	occurred_at => [ "occurred_at + interval '1 microsecond'", "occurred_at + interval '40 days'" ],
	actor_id => ['coalesce(actor_id, 0) + 1'],
	db_role => ["db_role || ' '"],
	action => ["action || 'S'"],
	table_name => ["coalesce(table_name, '') || 's'"],
	record_id => ['coalesce(record_id, 0) + 1'],
	ticket_id => ['ticket_id + 1000000'],
	old_value => [ "jsonb_build_object('was', old_value)", "coalesce(old_value, '{}') || '{\"more\": 1}'" ],
	new_value => [ "jsonb_build_object('was', new_value)", "coalesce(new_value, '{}') || '{\"more\": 1}'" ],
	id => ['id + 1000000'],
	xid => [ 'xid + 1000000', 'xid - 1', 'NULL' ],
	era => [ 'era + 1', 'era - 1', 'NULL' ]);
foreach my $column (sort keys %columns)
{
	foreach my $value (@{ $columns{$column} })
	{
		foreach (1 .. $times)
		{
			my $id = $log[ draw() ][0];

			tamper("entry $id: $column = $value", "UPDATE support.audit_log SET $column = $value WHERE id = $id", $id);
		}
	}
}

# Remove entries: one, all of a transaction, the last ones
foreach (1 .. $times)
{
	my ($id) = @{ $log[ draw() ] };
	tamper("entry $id is removed", "DELETE FROM support.audit_log WHERE id = $id", $id);

	my $xid = $log[ draw() ][1];
	my ($first) = grep { $_->[1] == $xid } @log;
	tamper("transaction $xid is removed", "DELETE FROM support.audit_log WHERE xid = $xid", $first->[0]);

	my $place = draw();
	my $last = join ', ', map { $_->[0] } @log[ $place .. $#log ];
	tamper("all from entry $log[$place][0] on is removed", "DELETE FROM support.audit_log WHERE id IN ($last)",
		$log[$place][0]);
}

# Insert entries that look like others, at their place or where nothing can be
foreach (1 .. $times)
{
	my ($id) = @{ $log[ draw() ] };
	my $columns = 'occurred_at, actor_id, db_role, action, table_name, record_id, ticket_id, old_value, new_value';

	foreach my $place ('era, xid', 'era, xid - 1', 'era - 1, xid', 'era + 1, xid', 'era, xid + 1000000', 'era, 3')
	{
		tamper("a copy of entry $id is inserted at $place", <<"SQL", 1_000_000);
INSERT INTO support.audit_log (id, era, xid, $columns) SELECT 1000000, $place, $columns FROM support.audit_log WHERE id = $id
SQL
	}
}

# Bring entries into another order: two change places
foreach (1 .. $times)
{
	my ($one, $other);
	do
	{
		my $place = draw(1);
		($one, $other) = @log[ $place, $place + 1 + int rand(@log - $place - 1) ];
	} while $one->[2] eq $other->[2];

	tamper("entries $one->[0] and $other->[0] change places", <<"SQL", $one->[0]);
CREATE TEMPORARY TABLE pair ON COMMIT DROP AS SELECT * FROM support.audit_log WHERE id IN ($one->[0], $other->[0]);
DELETE FROM support.audit_log WHERE id IN ($one->[0], $other->[0]);
INSERT INTO support.audit_log (id, era, xid, occurred_at, actor_id, db_role, action, table_name, record_id, ticket_id,
	old_value, new_value)
SELECT p.id, p.era, p.xid, e.occurred_at, e.actor_id, e.db_role, e.action, e.table_name, e.record_id, e.ticket_id,
	e.old_value, e.new_value
FROM pair AS p JOIN pair AS e ON e.id <> p.id
SQL
}

# The same with leaves and seals: anything that is found will do
my %of_leaf = (
	xid => ['xid + 1000000'],
	audit_id => ['audit_id + 1000000'],
	seal_id => ['seal_id + 1'],
	digest => [ "sha256(digest)", "''", 'substr(digest, 2)' ],
	salt => [ 'substr(sha256(coalesce(salt, values_digest)), 1, 16)', "''" ],
	erased_by => [ '1', '1000000', 'CASE WHEN erased_by IS NULL THEN 2 END' ],
	pruned_by => [ '1', '1000000', '3' ]);
my %of_seal = (
	seal_id => ['seal_id + 1000000'],
	kind => ["CASE kind WHEN 'seal' THEN 'erasure' ELSE 'seal' END"],
	sealed_at => ["sealed_at + interval '1 microsecond'"],
	(map { $_ => ["$_ + 1"] } qw(from_era from_xid from_audit_id to_era to_xid to_audit_id entries)),
	first_at => ["first_at - interval '1 day'"],
	last_at => ["last_at + interval '1 day'"],
	root => [ 'sha256(root)', "''" ],
	previous_digest => [ 'sha256(coalesce(previous_digest, root))', "''" ],
	digest => [ 'sha256(digest)', "''" ]);
my $chain = $node->safe_psql('desk', 'SELECT max(seal_id) FROM support_internal.audit_seals');
foreach (1 .. $times)
{
	foreach my $column (sort keys %of_leaf)
	{
		foreach my $value (@{ $of_leaf{$column} })
		{
			my $id = $log[ draw() ][0];

			tamper("leaf of entry $id: $column = $value",
				"UPDATE support_internal.audit_leaves SET $column = $value WHERE audit_id = $id");
		}
	}
	foreach my $column (sort keys %of_seal)
	{
		foreach my $value (@{ $of_seal{$column} })
		{
			my $id = 1 + int rand $chain;

			tamper("seal $id: $column = $value",
				"UPDATE support_internal.audit_seals SET $column = $value WHERE seal_id = $id");
		}
	}
	my $id = $log[ draw() ][0];
	tamper("leaf of entry $id is removed", "DELETE FROM support_internal.audit_leaves WHERE audit_id = $id");
	tamper("entry $id and its leaf are removed",
		"DELETE FROM support_internal.audit_leaves WHERE audit_id = $id; DELETE FROM support.audit_log WHERE id = $id");
	my $seal = 1 + int rand $chain;
	tamper("seal $seal is removed", "DELETE FROM support_internal.audit_seals WHERE seal_id = $seal");
}

# Each tampering is undone before the next one. What changes nothing must not count as found.
my $script = '';
foreach my $number (0 .. $#tamperings)
{
	$script .= <<"SQL";
BEGIN;
SET LOCAL session_replication_role = replica;
$tamperings[$number][1];
SELECT $number, first_bad, finding FROM support.verify_audit();
ROLLBACK;
SQL
}
my @found = map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('desk', "SET client_min_messages = error;\n$script");
is(scalar @found, scalar @tamperings, 'each tampering was tried');
my @missed = map { $tamperings[ $_->[0] ][0] } grep { $_->[2] eq '' } @found;
is(join("\n", @missed), '', 'each is found');
my @misnamed = map { "$tamperings[$_->[0]][0]: $_->[1] $_->[2]" }
  grep { my $bad = $tamperings[ $_->[0] ][2]; defined $bad && $_->[1] ne $bad } @found;
is(join("\n", @misnamed), '', 'and the first bad entry is named');
is($node->safe_psql('desk', $summary), "$seals|$entries|$erased|0||", 'in the end all is as it was');

# A prepared transaction is one that runs
$node->safe_psql('desk', <<'SQL');
BEGIN;
SELECT support.log_event(NULL, 'prepared');
PREPARE TRANSACTION 'older';
SELECT support.log_event(NULL, 'younger');
SQL
is($node->safe_psql('desk', <<'SQL'), '1000000|entry 1000000 was inserted: its transaction has not written it',
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO support.audit_log (id, era, xid, action) SELECT 1000000, 1, transaction::text::bigint, 'forged' FROM pg_prepared_xacts;
SELECT first_bad, finding FROM support.verify_audit();
ROLLBACK;
SQL
	'what names it can only be forged');
is($node->safe_psql('desk', 'SELECT support.seal_audit()'), '0', 'a prepared transaction keeps younger ones from being sealed');
$node->safe_psql('desk', q(COMMIT PREPARED 'older'));
is($node->safe_psql('desk', 'SELECT support.seal_audit()'), '2', 'once it is committed, both are');
is($node->safe_psql('desk', 'SELECT finding FROM support.verify_audit()'), '', 'in their order');

# The proofs of all entries
sub proofs_of
{
	my ($server, $database) = @_;

	return split /\n/, $server->safe_psql($database, 'SELECT support.audit_proof(id) FROM support.audit_log ORDER BY id');
}

my @proofs = proofs_of($node, 'desk');
is(scalar @proofs, $entries + 2, 'every entry has a proof');

# The program of the manual, which knows nothing of ours
my ($program) = slurp_file('doc/proof.md') =~ /^```python\n(.*?)^with open/ms;
append_to_file("$dir/proofs", join "\n", @proofs);
append_to_file("$dir/check.py", $program . <<'PYTHON');
for line in open("proofs", encoding="utf-8"):
    proof = json.loads(line, parse_int=Number, parse_float=Number)
    good = holds(proof)
    proof["entry"]["id"] = Number("0")
    print(good, holds(proof))
PYTHON
my ($checked) = run_command([ 'sh', '-c', "cd $dir && /usr/bin/python3 check.py" ]);
my %answers;
$answers{$_}++ foreach split /\n/, $checked;
is_deeply(\%answers, { 'True False' => scalar @proofs }, 'the program of the manual accepts each, and no forged one');

# Another cluster, where transactions are numbered anew
my $other = start_server('other', @settings);
$other->safe_psql('postgres', 'CREATE DATABASE desk');
$node->command_ok([ 'pg_dump', '--file', "$dir/desk.sql", 'desk' ], 'the desk is dumped');
$other->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file', "$dir/desk.sql", 'desk' ],
	'and restored in another cluster');
is($other->safe_psql('desk', 'SELECT unsealed, finding FROM support.verify_audit()'), '0|', 'it is as it was sealed');
$other->safe_psql('desk', q(SELECT support.log_event(NULL, 'moved in')));
is($other->safe_psql('desk', 'SELECT support.seal_audit()'), '1', 'sealing goes on');
is($other->safe_psql('desk', 'SELECT count(DISTINCT era), min(era) < max(era) FROM support_internal.audit_leaves'),
	'2|t', 'in an era of its own');
is($other->safe_psql('desk', 'SELECT finding FROM support.verify_audit()'), '', 'and is verified with what came from elsewhere');
is($other->safe_psql('desk', <<'SQL'), "1000000\n0\n1000000", 'nothing comes to an era that is over');
SET session_replication_role = replica;
INSERT INTO support.audit_log (id, era, xid, action) SELECT 1000000, 1, max(xid) + 1, 'forged' FROM support.audit_log WHERE era = 1;
SELECT first_bad FROM support.verify_audit();
SELECT support.seal_audit();
SELECT first_bad FROM support.verify_audit();
DELETE FROM support.audit_log WHERE id = 1000000;
SQL
append_to_file("$dir/proofs.sql",
	join "\n", 'CREATE TABLE proofs (proof jsonb);', map { "INSERT INTO proofs VALUES ('" . s/'/''/gr . "');" } @proofs);
$other->safe_psql('desk', slurp_file("$dir/proofs.sql"));
is($other->safe_psql('desk', 'SELECT count(*), bool_and(support.check_audit_proof(proof)) FROM proofs'),
	@proofs . '|t', 'proofs hold there');
is(join("\n", (proofs_of($other, 'desk'))[ 0 .. $#proofs ]), join("\n", @proofs), 'and are the same when made there');
my $id = $log[ draw() ][0];
is($other->safe_psql('desk', <<"SQL"), $id, 'what is altered there is found');
SET session_replication_role = replica;
UPDATE support.audit_log SET actor_id = coalesce(actor_id, 0) + 1 WHERE id = $id;
SELECT first_bad FROM support.verify_audit();
SQL

# Another encoding
$node->safe_psql('postgres', q(CREATE DATABASE western ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'));
$node->safe_psql('western', <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@desk.example', 'Ada Größer', 'agent');
SELECT support.create_ticket('Überhitzt', 'Straße', 1, custom => '{"größe": "äöü", "z": ["é", 1.50]}');
UPDATE support.tickets SET title = 'Abgekühlt', custom = '{"größe": null}';
DELETE FROM support.tickets;
SELECT support.seal_audit();
SQL
$node->command_ok([ 'pg_dump', '--file', "$dir/western.sql", 'western' ], 'a desk with umlauts is dumped');
$other->safe_psql('postgres', q(CREATE DATABASE western ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'));
$other->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file', "$dir/western.sql", 'western' ],
	'and restored in another encoding');
is($other->safe_psql('western', 'SELECT entries, finding FROM support.verify_audit()'), '4|', 'it is as it was sealed');
is($other->safe_psql('western', <<'SQL'), '4|t', 'and its entries are proved');
SELECT count(*), bool_and(support.check_audit_proof(support.audit_proof(id))) FROM support.audit_log
SQL

done_testing();
