# From one version to the next: a desk that was made new, one that was updated, one that was restored from a dump of before
# and brought forward, and one that the extension was dropped from and created again, are alike in every catalog and every
# row, with what users added to them. Sessions that were open meanwhile work on or are told to reconnect, and an update that
# fails leaves all as it was. The next version is made up, see Road.pm.

use strict;
use warnings;

use Desk;
use Road;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $update = 'ALTER EXTENSION support_ext UPDATE';
my $reconnect = qr/HINT:  Reconnect: the desk is of version 1\.1 now, and this session still has 1\.0\./;

make_next_version("$dir/next");
my $node = PostgreSQL::Test::Cluster->new('upgrade', install_path => private_server("$dir/server"));
install_version("$dir/server");
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off\nmax_prepared_transactions = 2\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE clerk LOGIN; CREATE ROLE crowd');

sub version_of
{
	my ($database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT extversion || ', layout ' || (SELECT max(version) FROM support_internal.schema_version)
FROM pg_extension WHERE extname = 'support_ext'
SQL
}

# Views on the desk's, and rights. The next version has other columns in my_tickets: there is no view on that.
sub depend_on_desk
{
	my ($database) = @_;

	$node->safe_psql($database, <<'SQL');
DROP VIEW IF EXISTS shop.my_tickets;
SELECT format('CREATE VIEW shop.%I AS SELECT * FROM support.%I', viewname, viewname)
FROM pg_views AS v
WHERE schemaname = 'support' AND viewname <> 'my_tickets'
AND to_regclass('shop.' || viewname) IS NULL
\gexec
GRANT USAGE ON SCHEMA support TO clerk;
GRANT SELECT ON support.my_tickets, support.ticket_list TO clerk WITH GRANT OPTION;
GRANT SELECT (id, title) ON support.my_tickets TO PUBLIC;
GRANT EXECUTE ON FUNCTION support.tag_ticket(bigint, text[], bigint) TO PUBLIC;
GRANT EXECUTE ON FUNCTION support.watch_ticket(bigint, bigint, text, bigint) TO clerk;
GRANT EXECUTE ON FUNCTION support.tickets_as_of(timestamptz) TO clerk;
SQL
	return;
}

# A desk with what users add to it, in use for some weeks
sub make_used_desk
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION support_ext');
	add_own_objects($node, $database);
	depend_on_desk($database);
	$node->safe_psql($database, <<'SQL');
CREATE POLICY north ON support.tickets FOR SELECT TO clerk USING (region = 'north');
ALTER TABLE support.tickets ADD CONSTRAINT tickets_region_check CHECK (region <> ''), ALTER COLUMN priority SET DEFAULT 'low';
CREATE TRIGGER note_change AFTER INSERT ON support_internal.audit_log_2026_03
	FOR EACH ROW WHEN (NEW.ticket_id = -1) EXECUTE FUNCTION shop.note_change();
CREATE INDEX audit_log_2026_03_actor ON support_internal.audit_log_2026_03 (actor_id);
SQL
	use_desk($node, $database);
	return;
}

# What goes on at the desk afterwards
sub go_on
{
	my ($database) = @_;

	$node->safe_psql($database, <<'SQL');
SET support_ext.now = '2026-03-20 09:00+00';
SELECT support.set_actor(1);
SELECT support.create_ticket('After all that', creator_id => 4, assignee_id => 2);
SELECT support.add_comment(1, 'Still burning', author_id => 4);
SELECT support.set_status(1, 'resolved', actor_id => 2);
UPDATE support.tickets SET title = title || '!' WHERE id % 5 = 0;
SELECT support.restore_ticket(4);
SELECT count(*) FROM support.undo_since(2, '2026-03-20 00:00+00', false);
SELECT support.tag_ticket(2, ARRAY['late']);
DELETE FROM support.tickets WHERE id = 3;
SELECT support.seal_audit();
SQL
	return;
}

# The columns of every table, as a list that can be read from it
sub columns_of
{
	my ($database) = @_;

	return { split /[|\n]/, $node->safe_psql($database, <<'SQL') };
SELECT c.oid::regclass, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text IN ('support', 'support_internal', 'shop')
GROUP BY c.oid
SQL
}

# A line for every table: how many rows it has, and a digest of these columns of them
sub rows_in
{
	my ($database, $columns) = @_;

	return $node->safe_psql($database, join '', map { <<"SQL" } sort keys %$columns);
SELECT '$_', count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C"))
FROM (SELECT $columns->{$_} FROM $_) AS t;
SQL
}

# Lines that are not about what an update notes of itself, nor about what a user's trigger on it takes from a sequence
sub but_for_notes
{
	my ($lines) = @_;

	return join "\n", grep { !/^[-+] (?:support_internal\.schema_version|shop\.ticket_changes\w*)\|/ } split /\n/, $lines;
}

# Start a session that goes on after an error
sub session
{
	my ($database) = @_;
	my $session = $node->background_psql($database, on_error_stop => 0);

	$session->query("SET client_min_messages = error;\n\\set VERBOSITY verbose");
	return $session;
}

# What a statement of a session comes to: its result, or SQLSTATE and the rest of the message
sub answer
{
	my ($session, $sql) = @_;

	$session->{stderr} = '';
	my $out = $session->query($sql);
	# some servers' module leaves its own mark where there is no result
	$out =~ s/^\n?background_psql: QUERY_SEPARATOR.*//ms;
	return $session->{stderr} =~ /ERROR:  (\w{5}: .*)/s ? $1 : $out;
}

# Let a session begin a statement that has to wait
sub begin_statement
{
	my ($session, $sql) = @_;
	my $waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
	my $before = $node->safe_psql('postgres', $waiting);

	$session->{stderr} = '';
	$session->query_until(qr/begun/, "\\echo begun\n$sql;\n\\echo ended\n\\warn ended\n");
	ok($node->poll_query_until('postgres', "SELECT ($waiting) > $before"), "it has to wait: $sql");
	return;
}

# What it came to
sub end_statement
{
	my ($session) = @_;

	$session->query_until(qr/ended/, '');
	PostgreSQL::Test::Utils::pump_until($session->{run}, $session->{timeout}, \$session->{stderr}, qr/ended/);
	return $session->{stderr} =~ /ERROR:  (\w{5}: .*)/s ? $1 : 'done';
}

# The desks of version 1.0

make_used_desk('used');
is(version_of('used'), '1.0, layout 1', 'a desk of the old version');
my $columns = columns_of('used');
my $rows = rows_of($node, 'used');
my $old_rows = rows_in('used', $columns);
my $old_catalogs = catalogs_of($node, 'used');
every_table_has_rows($node, 'used', 'every table has rows to compare');

# The functions in C that a session finds in the library that it has loaded, by what they are called with
sub signatures_of
{
	my ($database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT p.prosrc, p.proargtypes::regtype[], p.prorettype::regtype
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'c'
WHERE p.probin = '$libdir/support_ext'
SQL
}
my %old_signatures = map { $_ => 1 } split /\n/, signatures_of('used');
my %old_symbols = map { (split /\|/)[0] => 1 } keys %old_signatures;

$node->safe_psql('postgres', 'CREATE DATABASE old_empty');
$node->safe_psql('old_empty', 'CREATE EXTENSION support_ext');
$node->command_ok([ 'pg_dump', '--format=custom', "--file=$dir/used.dump", 'used' ], 'it is dumped');
$node->command_ok([ 'pg_dump', '--data-only', '--load-via-partition-root', '--schema=support*', "--file=$dir/data.sql", 'used' ],
	'its rows are');
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE used") for qw(updated recreated busy failing noted);
$node->safe_psql('failing', 'CREATE VIEW shop.my_tickets AS SELECT * FROM support.my_tickets');
my $failing_catalogs = catalogs_of($node, 'failing');

# Sessions that have the library of version 1.0, while the files of 1.1 are installed

my %open = map { $_ => session('busy') } qw(idle prepared writer blocked folder);
my %failing = map { $_ => session('failing') } qw(idle writer);
my %noted = map { $_ => session('noted') } qw(trigger statement);
my $fresh_session = session('busy');
answer($noted{trigger}, 'UPDATE support.organizations SET name = name || $$.$$ WHERE id = 1') for 1, 2;
answer($noted{statement}, 'SELECT support.feed_stop($$nobody$$)');
answer($_, 'SELECT support.set_priority(2, $$high$$, actor_id => 2)') for values %open, values %failing;
answer($open{folder}, 'SELECT support.fold_stats()');
answer($open{prepared}, 'PREPARE retitle AS UPDATE support.tickets SET title = title || $$?$$ WHERE id = $1; EXECUTE retitle (2)');
answer($open{idle}, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class');
install_version("$dir/server", "$dir/next");

is(answer($open{prepared}, 'EXECUTE retitle (2)'), '', 'a session works on while new files are there');
like(answer($open{blocked}, $update), qr/^55000: this session works with version 1\.0 of support_ext, not with 1\.1\nHINT:  .*reconnect/s,
	'it cannot update');
is(answer($open{blocked}, 'UPDATE support.tickets SET title = title || $$.$$ WHERE id = 2'), '', 'and works on after that');
my ($state, $message) = sqlstate($node, 'busy', 'UPDATE support.tickets SET title = $$x$$ WHERE id = 2');
like("$state $message", qr/^55000 .*has layout 1, but .* works on layout 3.*HINT:  ALTER EXTENSION support_ext UPDATE brings version 1\.0/s,
	'a new session is told to update');

# What the functions of 1.0 make is layout 1, whatever the library works on
is(scalar sqlstate($node, 'busy', 'SELECT support.install()'), '', 'install() of the old version');
is(version_of('busy'), '1.0, layout 1', 'does not make the desk one of the new layout');
is(scalar sqlstate($node, 'busy', 'SELECT support.get_ticket(1)'), '55000', 'so it is refused still');

# An update that fails

my $failing_rows = rows_of($node, 'failing');
($state, $message) = sqlstate($node, 'failing', $update);
like("$state $message", qr/^2BP01 .*view shop\.my_tickets depends on view support\.my_tickets.*CONTEXT:.*migration of the support desk to layout 3/s,
	'an update that meets a view on what it changes says so');
is(version_of('failing'), '1.0, layout 1', 'the old version is there');
is(difference(catalogs_of($node, 'failing'), $failing_catalogs), '', 'with all its objects');
is(but_for_notes(difference(rows_of($node, 'failing'), $failing_rows)), '', 'and rows');
is(answer($failing{idle}, 'UPDATE support.tickets SET title = $$On fire$$ WHERE id = 1'), '', 'sessions work on');
is(answer($failing{idle}, 'SELECT title FROM support.tickets WHERE id = 1'), 'On fire', 'as before');
$node->safe_psql('failing', 'DROP VIEW shop.my_tickets');

# One that is rolled back: who waited for it works on, the session that did it is refused again
my $updater = session('failing');
is(answer($updater, "BEGIN; $update"), '', 'an update in a transaction');
is(answer($updater, 'SELECT support.get_ticket(1) #>> $${ticket,title}$$'), 'On fire', 'the desk works on in there');
is(answer($updater, 'SELECT support.build()'), 'made up', 'with what is new');
begin_statement($failing{writer}, 'UPDATE support.tickets SET title = $$Still on fire$$ WHERE id = 1');
answer($updater, 'ROLLBACK');
is(end_statement($failing{writer}), 'done', 'who waited for it works on');
like(answer($updater, 'SELECT support.get_ticket(1) #>> $${ticket,title}$$'), qr/^55000: .*has layout 1, but/, 'in its own session layout 3 is gone');
is(answer($updater, "BEGIN; SAVEPOINT a; $update; SELECT support.version(); ROLLBACK TO a"), '1.1', 'the same with a savepoint');
like(answer($updater, 'SELECT support.get_ticket(1) #>> $${ticket,title}$$'), qr/^55000: .*has layout 1, but/, 'layout 3 is gone again');
answer($updater, 'ROLLBACK');
is(answer($updater, "BEGIN; $update; SELECT support.get_ticket(1) IS NOT NULL; PREPARE TRANSACTION 'update'"), 't', 'the same, prepared');
answer($updater, "ROLLBACK PREPARED 'update'");
like(answer($updater, 'SELECT support.get_ticket(1)'), qr/^55000: .*has layout 1, but/, 'and rolled back after that');
$_->quit for $updater, values %failing;

# Back to the files of before
install_version("$dir/server");
is($node->safe_psql('failing', 'UPDATE support.tickets SET title = $$Out$$ WHERE id = 1; SELECT support.get_ticket(1) #>> $${ticket,title}$$'),
	'Out', 'with its files the old version works in new sessions');
install_version("$dir/server", "$dir/next");
is(scalar sqlstate($node, 'failing', $update), '', 'once the view is gone the update succeeds');
is(version_of('failing'), '1.1, layout 3', 'and is noted');

# An update amid open sessions: it waits for who writes, others wait for it

answer($open{writer}, 'BEGIN; UPDATE support.tickets SET title = $$Begun before$$ WHERE id = 1');
my $busy = session('busy');
begin_statement($busy, "BEGIN; $update");
my $reader = session('busy');
begin_statement($reader, 'SELECT count(*) FROM support.ticket_list');
begin_statement($open{blocked}, 'UPDATE support.tickets SET title = $$Too late$$ WHERE id = 2');
is(answer($open{writer}, 'UPDATE support.tickets SET title = title || $$, ended before$$ WHERE id = 1; COMMIT'), '',
	'who began before the update goes on to his end');
is(end_statement($busy), 'done', 'then it runs');
is(end_statement($reader), 'done', 'and who was at a view on his way to a table is let by first');
begin_statement($open{folder}, 'SELECT support.fold_stats()');
answer($busy, 'COMMIT');
# unless the update let him by once more, before it had changed anything, since another table was not free yet
my $late = end_statement($open{blocked}) eq 'done';
$late or like($open{blocked}{stderr}, qr/55000: the support desk has layout 3, .*$reconnect/s, 'who waited for it is told to reconnect');
like(end_statement($open{folder}), qr/^55000: the support desk has layout 3, .*$reconnect/s, 'so is who wrote to no table with a trigger');
like(answer($open{prepared}, 'EXECUTE retitle (2)'), qr/^55000: .*$reconnect/s, 'so is a prepared statement');
like(answer($open{prepared}, 'INSERT INTO support.tags (name) VALUES ($$late$$)'), qr/^55000: .*$reconnect/s, 'an insert');
like(answer($open{prepared}, 'SELECT support.add_comment(2, $$x$$, author_id => 2)'), qr/^55000: .*$reconnect/s, 'a function');
like(answer($open{prepared}, 'SELECT support.install()'), qr/^55000: the functions of support_ext make layout 3, but.*HINT:  Reconnect/s,
	'install()');
like(answer($open{idle}, 'SELECT support.set_priority(2, $$low$$, actor_id => 2)'), qr/^55000: .*$reconnect/s,
	'a transaction that sees the desk as it was before');
answer($open{idle}, 'ROLLBACK');
like(answer($open{idle}, 'SELECT support.fold_stats()'), qr/^55000: .*$reconnect/s, 'and what it does next');
is(answer($fresh_session, 'SELECT support.set_status(2, $$pending$$, actor_id => 2) > 0'), 't', 'a session that had not met the desk works');
$_->quit for $busy, $reader, $fresh_session, values %open;
is($node->safe_psql('busy', "SELECT id, title FROM support.tickets WHERE id < 3 ORDER BY id"),
	"1|Begun before, ended before\n2|" . ($late ? 'Too late' : 'The till does not open??.'), 'what was written is what was said');
is($node->safe_psql('busy', "SELECT count(*) FROM support.audit_log WHERE new_value ->> 'title' = 'Too late'"), $late ? '1' : '0',
	'nothing was by the old layout');

# A layout that changes nothing in the tables: no plan of theirs and nothing that a session keeps of them goes, but all the same
my $installer = session('noted');
answer($installer, <<'SQL');
DO $$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION support_internal.desk_layout() RETURNS text LANGUAGE sql IMMUTABLE AS %L',
		format('SELECT %L::text', replace(support_internal.desk_layout(), '--# layout 1', '--# layout 3')));
END
$$;
BEGIN;
SELECT support.install();
SQL
begin_statement($noted{trigger}, 'UPDATE support.organizations SET name = $$Too late$$ WHERE id = 1');
begin_statement($noted{statement}, 'SELECT support.feed_stop($$search$$)');
answer($installer, 'COMMIT');
like(end_statement($noted{trigger}), qr/^55000: the support desk has layout 3/, 'a trigger that runs no statement looks at the layout');
like(end_statement($noted{statement}), qr/^55000: the support desk has layout 3/, 'so does a statement that had to wait');
$_->quit for $installer, values %noted;
is($node->safe_psql('noted', "SELECT name FROM support.organizations WHERE id = 1"), 'Northwind..', 'nothing was written');

# The desks of version 1.1, by every road

make_used_desk('fresh');
my $catalogs = catalogs_of($node, 'fresh');
my $members = members_of($node, 'fresh');
is(version_of('fresh'), '1.1, layout 3', 'made fresh');
is(join(' ', grep { $old_symbols{(split /\|/)[0]} && !$old_signatures{$_} } split /\n/, signatures_of('fresh')), '',
	'what is called with other arguments has another name in C: sessions may have loaded the old one');

my ($status, $out, $err) = $node->psql('updated', $update);
is($status, 0, 'updated');
like($err, qr/NOTICE:  support desk, layout 2: Users may be partners, tickets come by the web\.\n.*NOTICE:  support desk, layout 3: Tickets/,
	'the update tells what it does');

$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname=restored', "$dir/used.dump" ], 'restored');
is(version_of('restored'), '1.1, layout 1', 'functions of the new version, tables of the old one');
($state, $message) = sqlstate($node, 'restored', 'SELECT support.get_ticket(1)');
like("$state $message", qr/^55000 .*HINT:  SELECT support\.install\(\) brings the desk forward/s, 'install() is asked for');
$node->safe_psql('restored', 'SELECT support.install()');

$node->safe_psql('recreated', 'DROP EXTENSION support_ext CASCADE; CREATE EXTENSION support_ext');
depend_on_desk('recreated');

foreach my $database (qw(updated restored recreated))
{
	is(version_of($database), '1.1, layout 3', "$database: version and layout");
	is(difference(catalogs_of($node, $database), $catalogs), '', "$database: all objects are those of a desk made fresh");
	is(difference(members_of($node, $database), $members), '', "$database: so are the extension's");
	my $lines = but_for_notes(difference(rows_in($database, $columns), $old_rows));
	# nobody counted while it had no extension
	$lines =~ s/^[-+] support_internal\.stat_.*\n?//mg if $database eq 'recreated';
	is($lines, '', "$database: every row is what it was");
	is($node->safe_psql($database, 'SELECT count(*) FROM support.tickets WHERE effort <> reopen_count + 1'), '0',
		"$database: the new column is filled");
	$node->safe_psql($database, 'SELECT support.install()');
	is($node->safe_psql($database, "SELECT string_agg(version::text, ' ' ORDER BY version) FROM support_internal.schema_version"),
		'1 3', "$database: another install() finds nothing to do");
}
is(but_for_notes(difference(rows_of($node, 'restored'), rows_of($node, 'updated'))), '', 'restored and updated have the same rows');

# Rows alone, into a desk that has the new layout already
$node->safe_psql('postgres', 'CREATE DATABASE filled');
$node->safe_psql('filled', install_off() . <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.install(seed => false);
ALTER TABLE support.tickets ADD COLUMN region text;
SQL
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/data.sql", '-d',
	$node->connstr('filled') . " options='-c session_replication_role=replica'" ], 'rows of the old layout are restored');
is(scalar sqlstate($node, 'filled', 'SELECT support.get_ticket(1)'), '55000', 'they say that they are old');
$node->safe_psql('filled', 'SELECT support.install()');
is(version_of('filled'), '1.1, layout 3', 'install() brings them forward');
is($node->safe_psql('filled', 'SELECT sum(effort) FROM support.tickets'),
	$node->safe_psql('updated', 'SELECT sum(effort) FROM support.tickets'), 'the new column is filled');
is(join("\n", grep { !/ shop\./ } split /\n/, but_for_notes(difference(rows_in('filled',
	{ map { $_ => $columns->{$_} } grep { !/^shop|2026_03/ } keys %$columns }), $old_rows))) =~ s/^[-+] support_internal\.audit_log_.*\n?//mgr,
	'', 'all else is what it was');

# What nobody has used yet; and the old version's own script, which stays in the tree, under the new library
is(scalar sqlstate($node, 'old_empty', $update), '', 'an update of a desk that was not used');
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(new_empty stepped);
$node->safe_psql('new_empty', 'CREATE EXTENSION support_ext');
$node->safe_psql('stepped', "CREATE EXTENSION support_ext VERSION '1.0'");
is(version_of('stepped'), '1.0, layout 1', 'the old version can be created yet');
$node->safe_psql('stepped', $update);
foreach my $database (qw(old_empty stepped))
{
	is(difference(catalogs_of($node, $database), catalogs_of($node, 'new_empty')), '', "$database: the same objects as fresh");
	is(difference(members_of($node, $database), $members), '', "$database: the same members");
	is(join("\n", grep { !/support_internal\.eras/ } split /\n/, but_for_notes(difference(rows_of($node, $database),
		rows_of($node, 'new_empty')))), '', "$database: the same rows");
}

# What the makefile composes is refused where it would not lead there
sub refuses_to_compose
{
	my ($number, $pattern, $name) = @_;

	edit("$dir/next/src/base/layout.h", qr/LAYOUT_VERSION \d+/ => "LAYOUT_VERSION $number");
	$node->command_checks_all([ 'make', '--silent', '--directory', "$dir/next", "PG_CONFIG=$ENV{PG_CONFIG}",
		'sql/support_ext--1.1.sql' ], 2, [], [$pattern], $name);
	return;
}
refuses_to_compose(1, qr/2_partners\.sql: LAYOUT_VERSION in src\/base\/layout\.h is 1/, 'a migration to a layout that is not there yet');
unlink glob "$dir/next/sql/desk/migrations/*";
refuses_to_compose(1, qr/support_ext--1\.0\.sql has another layout 1: raise LAYOUT_VERSION/, 'another layout under a number that was released');
append_to_file("$dir/next/sql/desk/migrations/2_$_.sql", "-- $_\n") foreach qw(a b);
refuses_to_compose(2, qr/several migrations have the number 2/, 'two migrations with one number');

# Somebody else's desk: what its owner put on it runs as him; what he put in its place does not run
my $trap = q(LANGUAGE plpgsql AS 'BEGIN RAISE LOG ''planted code runs as %'', current_user; END');
my @clerk = as('clerk');
$node->safe_psql('postgres', 'CREATE DATABASE owned OWNER clerk');
$node->safe_psql('owned', install_off() . <<'SQL');
CREATE EXTENSION support_ext VERSION '1.0';
ALTER SCHEMA support OWNER TO clerk;
ALTER SCHEMA support_internal OWNER TO clerk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO clerk WITH GRANT OPTION;
SQL
$node->safe_psql('owned', "SELECT support.install(true); CREATE SCHEMA lair;
	CREATE FUNCTION lair.spring() RETURNS trigger " . $trap =~ s/END/RETURN NULL; END/r . ";
	CREATE TRIGGER trap AFTER UPDATE ON support.tickets FOR EACH STATEMENT EXECUTE FUNCTION lair.spring()", @clerk);
foreach my $planted ('version() RETURNS text', 'install(boolean) RETURNS void', 'build() RETURNS text', '"other"() RETURNS text')
{
	my ($state, $message) = sqlstate($node, 'owned', "BEGIN; SET LOCAL ROLE clerk; ALTER SCHEMA support RENAME TO old_support;
		CREATE SCHEMA support; CREATE FUNCTION support.$planted $trap; RESET ROLE; $update");
	like("$state $message", qr/^(?:55000|42501) .*(?:is not a member of extension|belongs to role|is not in the schema)/s, "a planted $planted");
}
unlike(slurp_file($node->logfile), qr/LOG:  planted/, 'does not run');
is(scalar sqlstate($node, 'owned', $update), '', 'the administrator updates the desk of another');
is(join(' ', sort { $a cmp $b } slurp_file($node->logfile) =~ /LOG:  planted code runs as (\w+)/g), 'clerk', 'what he has on it runs as him');
is(version_of('owned'), '1.1, layout 3', 'it is brought forward');
is($node->safe_psql('owned', <<'SQL'), '', 'all of it is his');
SELECT c.oid::regclass FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text IN ('support', 'support_internal') AND c.relowner <> 'clerk'::regrole
SQL
is($node->safe_psql('owned', 'SELECT support.build()', @clerk), 'made up', 'and what is new his to use');

# The comparison sees what it should
$node->safe_psql('postgres', 'CREATE DATABASE other TEMPLATE updated');
my $seen = '';
foreach my $change (
	[ 'ALTER TABLE support.teams ADD COLUMN more text', 'column' ],
	[ 'ALTER TABLE support.tickets ALTER COLUMN channel DROP DEFAULT', 'column' ],
	[ 'ALTER TABLE support.tickets ALTER COLUMN effort DROP NOT NULL', 'column' ],
	[ 'ALTER TABLE support.tickets DROP CONSTRAINT tickets_effort_check', 'constraint' ],
	[ 'DROP INDEX support.ix_macros_tag_id', 'index' ],
	[ 'ALTER INDEX support_internal.audit_log_default_occurred_at_id_xid_era_idx SET (autosummarize = off)', 'relation' ],
	[ 'ALTER TABLE support.teams DISABLE TRIGGER support_before', 'trigger' ],
	[ 'DROP TRIGGER note_change ON support.tickets', 'trigger' ],
	[ 'ALTER VIEW support.my_tickets SET (security_barrier)', 'relation' ],
	[ 'REVOKE SELECT ON support.my_tickets FROM clerk CASCADE', 'relation' ],
	[ 'REVOKE EXECUTE ON FUNCTION support.tickets_as_of FROM clerk', 'function' ],
	[ 'REVOKE EXECUTE ON FUNCTION support.tag_ticket FROM PUBLIC', 'function' ],
	[ 'ALTER FUNCTION support.tickets_as_of VOLATILE', 'function' ],
	[ 'ALTER FUNCTION support.version() COST 7', 'function' ],
	[ 'COMMENT ON TRIGGER support_before ON support.teams IS NULL', 'comment' ],
	[ 'COMMENT ON COLUMN support.tickets.title IS NULL', 'comment' ],
	[ 'DROP POLICY north ON support.tickets', 'policy' ],
	[ 'ALTER TABLE support.tickets ENABLE ROW LEVEL SECURITY', 'row security' ],
	[ 'ALTER TABLE support_internal.audit_log_2026_03 OWNER TO clerk', 'relation' ],
	[ 'ALTER SCHEMA support OWNER TO clerk', 'schema' ])
{
	my ($sql, $what) = @$change;
	my $before = $seen;

	$node->safe_psql('other', $sql);
	$seen = difference(catalogs_of($node, 'other'), $catalogs);
	like(difference($seen, $before), qr/^\+ [-+] $what /m, "a difference is seen: $sql");
}
$node->safe_psql('other', 'UPDATE support_internal.settings SET value = value WHERE false; DELETE FROM support_internal.stat_hidden_solves');
isnt(but_for_notes(difference(rows_in('other', $columns), $old_rows)), '', 'so is a row that is missing');

# Data written afterwards
foreach my $database (qw(fresh updated restored recreated))
{
	go_on($database);
	is(difference(catalogs_of($node, $database), $catalogs), '', "$database: the same objects after some work");
	is($node->safe_psql($database, 'SELECT count(*) FROM support.verify_stats()'), '0', "$database: the reports are right");
	is($node->safe_psql($database, 'SELECT count(*) FROM support.verify_audit() WHERE finding IS NOT NULL'), '0',
		"$database: the log is whole");
	is(scalar sqlstate($node, $database, <<'SQL'), '', "$database: takes what the new check allows");
SET support_ext.now = '2026-03-20 10:00+00';
INSERT INTO support.users (email, full_name, role) VALUES ('pat@partner.example', 'Pat Partner', 'partner');
SQL
}
# but for the instant of an announcement, and for what the default of the old version has put in
my $public = { map { $_ => $columns->{$_} =~ s/\b(?:recorded_at|channel), //gr } grep { /^support\./ && !/audit_log/ } keys %$columns };
# which of many tickets a statement meets first is the planner's to say
$public->{$_} =~ s/\b(?:clock_)?id, //g or die "$_ has no id" foreach qw(support.sla_clocks support.sla_events);
is(difference(rows_in($_, $public), rows_in('fresh', $public)), '', "$_: the same work has the same outcome as on a desk made fresh")
  foreach qw(updated restored recreated);

done_testing();
