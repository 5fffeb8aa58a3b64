# Only our own ground. A role without superuser, mallory, who owns the database or may create in the desk's schemas,
# prepares them before the administrator comes: nothing that she planted ever runs as the administrator, and what is
# refused is named. Then desks that belong to several, or have lost something.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $script = publish_next_version();
my $node = start_server('ground');
my @mallory = as('mallory');
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my $create = 'CREATE EXTENSION support_ext';
my $install = 'SELECT support.install(true)';

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE mallory LOGIN;
CREATE ROLE app LOGIN;
SQL

# A database of mallory's with her traps: whatever springs tells the server's log as whom, and tries to become more, to
# leave a setting behind and to smuggle a function into the extension
sub create_database
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER mallory");
	$node->safe_psql($database, <<'SQL', @mallory);
CREATE SCHEMA lair;
GRANT USAGE ON SCHEMA lair TO PUBLIC;
CREATE FUNCTION lair.spring()
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
	RAISE WARNING 'planted code runs as %', current_user;
	PERFORM set_config('search_path', 'lair', false);
	BEGIN
		EXECUTE 'CREATE OR REPLACE FUNCTION lair.smuggled() RETURNS integer LANGUAGE sql AS ''SELECT 1''';
	EXCEPTION WHEN OTHERS THEN NULL;
	END;
	BEGIN
		EXECUTE format('SET ROLE %I', (SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY oid LIMIT 1));
		RAISE WARNING 'planted code runs as %', current_user;
	EXCEPTION WHEN OTHERS THEN NULL;
	END;
	RETURN true;
END
$$;
CREATE FUNCTION lair.spring_on_row()
RETURNS trigger
LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); RETURN coalesce(NEW, OLD); END';
CREATE FUNCTION lair.spring_text(a text, b text)
RETURNS boolean
LANGUAGE plpgsql AS 'BEGIN RETURN lair.spring(); END';
SQL
	return;
}

my $seen = 0;

# As whom planted code ran since we last looked
sub ran_as
{
	my $log = slurp_file($node->logfile, $seen);
	my %roles = map { $_ => 1 } $log =~ /WARNING:  planted code runs as (\w+)/g;

	$seen = -s $node->logfile;
	return join ' ', sort keys %roles;
}

# What the administrator does is refused, for a reason that names what is in the way, and springs no trap
sub is_refused
{
	my ($name, $database, $sql, $expected, $pattern) = @_;
	my ($state, $message) = sqlstate($node, $database, $sql);

	is($state, $expected, "$name: refused");
	like($message, $pattern, "$name: says what is in the way");
	is(ran_as(), '', "$name: nothing planted runs");
	return;
}

# The traps work: in a session of mallory's
create_database('traps');
$node->safe_psql('traps', 'SELECT lair.spring()', @mallory);
is(ran_as(), 'mallory', 'a trap tells as whom it runs');
$node->safe_psql('traps', 'SELECT lair.spring()');
is(ran_as(), $superuser, 'and would tell it of the administrator');

# Scripts of the extension look no name up in the schema of the desk unless they say so
foreach my $file (glob 'sql/support_ext--*.sql')
{
	like(slurp_file($file), qr/\A\\echo .*\n\s*(?:--.*\n)*SET LOCAL search_path = pg_catalog, pg_temp;\n/,
		"$file begins with a search_path of its own");
}

# Schemas that mallory made before, full of traps: none of them is for a first desk

my %traps = (
	support => <<'SQL',
CREATE FUNCTION support.install() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); END';
CREATE FUNCTION support.to_regnamespace(text) RETURNS regnamespace
LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); RETURN NULL; END';
CREATE OPERATOR support.= (LEFTARG = text, RIGHTARG = text, FUNCTION = lair.spring_text);
CREATE OPERATOR support.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = lair.spring_text);
CREATE VIEW support.tickets AS SELECT lair.spring() AS id;
CREATE DOMAIN support.text AS pg_catalog.text CHECK (lair.spring());
SQL
	support_internal => <<'SQL',
CREATE FUNCTION support_internal.desk_layout(VARIADIC text[]) RETURNS text
LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); RETURN NULL; END';
CREATE VIEW support_internal.eras AS SELECT lair.spring() AS era;
SQL
	support_archive => '');

foreach my $schema (sort keys %traps)
{
	create_database('first');
	$node->safe_psql('first', "CREATE SCHEMA $schema;\n$traps{$schema}", @mallory);
	is_refused("a first desk over mallory's $schema", 'first', $create, '42501',
		qr/schema "$schema" belongs to role "mallory", not to "$superuser"\nHINT: /);
	is_refused("the same under search_path = $schema", 'first', "SET search_path = $schema, lair;\n$create", '42501',
		qr/schema "$schema" belongs to role "mallory"/);
	$node->safe_psql('first', install_off() . $create);
	is_refused("install() over mallory's $schema", 'first', $install, '42501', qr/schema "$schema" belongs to role/);
	$node->safe_psql('postgres', 'DROP DATABASE first');
}

# A fake of a desk in them is taken for mallory's at best
create_database('fake');
$node->safe_psql('fake', <<'SQL', @mallory);
CREATE SCHEMA support;
CREATE SCHEMA support_internal;
CREATE VIEW support_internal.schema_version AS SELECT 1 AS version, now() AS installed_at WHERE lair.spring();
CREATE VIEW support.statuses AS SELECT lair.spring() AS name;
CREATE TABLE support.tickets (id bigint);
SQL
is_refused('a fake of a desk', 'fake', $create, '55000',
	qr/view support\.statuses is no table; view support_internal\.schema_version is no table\./);
$node->safe_psql('fake', 'DROP VIEW support.statuses, support_internal.schema_version', @mallory);
is_refused('a fake that has no layout', 'fake', $create, '42501', qr/schema "support" belongs to role "mallory"/);

# Schemas of the administrator's in which mallory may create: what has the name of a part is refused, one by one

create_database('planted');
$node->safe_psql('planted', <<'SQL');
CREATE SCHEMA support;
CREATE SCHEMA support_internal;
GRANT ALL ON SCHEMA support, support_internal TO mallory;
SQL
# Until the session ends, mallory has done this
sub as_mallory
{
	my ($sql) = @_;

	return "BEGIN;\nSET LOCAL ROLE mallory;\n$sql;\nRESET ROLE;\n";
}

my $function = "LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); RETURN NULL; END'";
my @plants = (
	'TABLE support.tickets (id bigint)' => qr/table support\.tickets has the name of a part/,
	'TABLE support.tickets (id bigint DEFAULT lair.spring()::integer)' => qr/table support\.tickets has/,
	'VIEW support.users AS SELECT lair.spring()' => qr/view support\.users has/,
	'VIEW support.ticket_list AS SELECT lair.spring()' => qr/view support\.ticket_list has/,
	'MATERIALIZED VIEW support.teams AS SELECT 1 AS id' => qr/materialized view support\.teams has/,
	'SEQUENCE support.ticket_number_seq' => qr/sequence support\.ticket_number_seq has/,
	'SEQUENCE support.tickets_id_seq' => qr/sequence support\.tickets_id_seq has/,
	'TABLE support.mine AS SELECT 1 AS id; CREATE INDEX ix_tickets_status ON support.mine (id)' =>
		qr/index support\.ix_tickets_status has/,
	'TABLE support.mine (id integer CONSTRAINT users_pkey PRIMARY KEY)' => qr/index support\.users_pkey has/,
	'TYPE support.tags AS (id integer)' => qr/composite type support\.tags has/,
	"TYPE support.tags AS ENUM ('a')" => qr/type support\.tags has/,
	'DOMAIN support.comments AS integer' => qr/type support\.comments has/,
	"FUNCTION support.install() RETURNS integer $function" => qr/function support\.install\(\) has the name of one of the ext/,
	"FUNCTION support.create_ticket(text) RETURNS bigint $function" => qr/function support\.create_ticket\(text\) has/,
	"FUNCTION support.actor_id(VARIADIC integer[]) RETURNS bigint $function" => qr/support\.actor_id\(integer\[\]\) has/,
	"FUNCTION support.tickets_as_of(date) RETURNS integer $function" => qr/function support\.tickets_as_of\(date\) has/,
	'AGGREGATE support.histogram(integer) (SFUNC = int4pl, STYPE = integer)' => qr/support\.histogram\(integer\) has/,
	'OPERATOR support.= (LEFTARG = text, RIGHTARG = text, FUNCTION = lair.spring_text)' =>
		qr/operator support\.=\(text,text\) is in the way/,
	'COLLATION support.c (LOCALE = \'C\')' => qr/collation support\.c is in the way/,
	'TEXT SEARCH CONFIGURATION support.simple (COPY = pg_catalog.simple)' => qr/support\.simple is in the way/,
	'TABLE support_internal.mine (id integer)' => qr/table support_internal\.mine is in the way/,
	'VIEW support_internal.mine AS SELECT lair.spring()' => qr/view support_internal\.mine is in the way/,
	"TYPE support_internal.mine AS ENUM ('a')" => qr/type support_internal\.mine is in the way/,
	"FUNCTION support_internal.mine() RETURNS integer $function" => qr/function support_internal\.mine\(\) is in/);
while (my ($plant, $pattern) = splice @plants, 0, 2)
{
	is_refused("CREATE $plant", 'planted', as_mallory("CREATE $plant") . $create, '55000', $pattern);
}
is_refused('a function that is one of ours to the last type', 'planted',
	as_mallory("CREATE FUNCTION support.actor_id() RETURNS bigint $function") . $create, '42723', qr/"actor_id"/);
is_refused('all of it', 'planted', as_mallory(<<'SQL') . $create, '55000', qr/; and 3 more\.$/m);
CREATE TABLE support.tickets ();
CREATE TABLE support.users ();
CREATE TABLE support.teams ();
CREATE TABLE support.tags ();
CREATE TABLE support_internal.a ();
CREATE TABLE support_internal.b ();
CREATE TABLE support_internal.c ();
CREATE TABLE support_internal.d ();
SQL
$node->safe_psql('planted', <<'SQL');
CREATE TABLE support.notes (id bigint PRIMARY KEY);
CREATE FUNCTION support.note() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SQL
$node->safe_psql('planted', $create);
is(ran_as(), '', 'what has other names is no hindrance');

# What a database's owner sets for all its sessions changes no part of the desk
create_database('fresh');
$node->safe_psql('fresh', $create);
create_database('bent');
foreach my $setting ('search_path = lair', 'standard_conforming_strings = off', 'quote_all_identifiers = on',
	'transform_null_equals = on', "DateStyle = 'German'")
{
	$node->psql('bent', "ALTER DATABASE bent SET $setting", @mallory);
}
$node->safe_psql('bent', $create);
{
	local $ENV{PGOPTIONS} = '-c search_path=pg_catalog -c standard_conforming_strings=on -c quote_all_identifiers=off -c DateStyle=ISO';
	is(difference(structure_of($node, 'bent'), structure_of($node, 'fresh')), '', 'the settings of a database bend nothing');
}

# A desk that is mallory's, with all the traps that its owner can set

sub give_desk
{
	my ($database, $owner) = @_;

	$node->safe_psql($database, install_off() . <<"SQL");
CREATE EXTENSION support_ext;
ALTER SCHEMA support OWNER TO $owner;
ALTER SCHEMA support_internal OWNER TO $owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO $owner WITH GRANT OPTION;
SQL
	$node->safe_psql($database, $install, as($owner));
	return;
}

create_database('owned');
give_desk('owned', 'mallory');
$node->safe_psql('owned', <<'SQL', @mallory);
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('The printer is on fire', creator_id => 1);
SQL
my $members = members_of($node, 'owned');
my $structure = structure_of($node, 'owned');
$node->safe_psql('owned', 'DROP EXTENSION support_ext CASCADE');
$node->safe_psql('owned', <<'SQL', @mallory);
DELETE FROM support_internal.schema_version;
DELETE FROM support_internal.eras;
UPDATE support.tickets SET priority = NULL;
DELETE FROM support.priorities;
SELECT format('CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE ON %s'
	' FOR EACH ROW EXECUTE FUNCTION lair.spring_on_row()', c.oid::regclass)
FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text ~ '^support' AND c.relkind = 'r' AND NOT c.relispartition
	AND c.relname !~ '^stat_'
\gexec
CREATE RULE trap AS ON INSERT TO support_internal.eras DO ALSO SELECT lair.spring();
ALTER TABLE support.priorities ADD COLUMN trap boolean DEFAULT lair.spring(),
	ADD CONSTRAINT trap CHECK (lair.spring());
ALTER TABLE support_internal.schema_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY trap ON support_internal.schema_version USING (lair.spring());
ALTER TABLE support.tags DROP CONSTRAINT tags_name_check, ALTER COLUMN name DROP NOT NULL;
CREATE FUNCTION lair.always(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS 'BEGIN RETURN lair.spring(); END';
CREATE INDEX trap ON support.priorities (lair.always(name));
CREATE CONSTRAINT TRIGGER deferred_trap AFTER INSERT ON support.priorities DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION lair.spring_on_row();
SQL
ran_as();

# A deferred trigger would run when the administrator commits, in older servers as him
my ($state, $message) = sqlstate($node, 'owned', $create);
like("$state $message", qr/^42501 .*deferred trigger/s, 'a deferred trigger is refused');
is(ran_as(), 'mallory', 'what she put on the desk runs as her');
$node->safe_psql('owned', 'DROP EXTENSION IF EXISTS support_ext CASCADE');
$node->safe_psql('owned', <<'SQL', @mallory);
DROP TRIGGER deferred_trap ON support.priorities;
DELETE FROM support_internal.schema_version;
DELETE FROM support.priorities;
SQL
ran_as();

my ($status, $stdout, $stderr) = $node->psql('owned', "$create;\nSHOW search_path");
is($status, 0, 'the desk is taken up');
like($stderr, qr/support desk ready.*\n.*It belongs to role "mallory"\./, 'the administrator hears whose it is');
is($stdout, '"$user", public', 'no setting is left behind');
is(ran_as(), 'mallory', 'what she put on it runs as her alone');
is(members_of($node, 'owned'), $members, 'nothing was smuggled into the extension');
is($node->safe_psql('owned', 'SELECT count(*) FROM support.priorities', @mallory), '4', 'rows are there');
is($node->safe_psql('owned', <<'SQL'), '', 'all of it is hers, and the functions hers to use and grant');
SELECT c.oid::regclass::text
FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text ~ '^support' AND c.relowner <> 'mallory'::regrole
UNION ALL
SELECT d.objid::regprocedure::text
FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'support_ext'
WHERE d.deptype = 'e' AND NOT has_function_privilege('mallory', d.objid, 'EXECUTE WITH GRANT OPTION')
SQL
ran_as();
$node->safe_psql('owned', $install);
unlike(ran_as(), qr/$superuser/, 'install() by the administrator works with her rights');
$node->safe_psql('owned', "ALTER EXTENSION support_ext UPDATE TO '1.0.1'");
unlike(ran_as(), qr/$superuser/, 'ALTER EXTENSION UPDATE does');
$node->safe_psql('owned', 'SELECT support.maintain()');
unlike(ran_as(), qr/$superuser/, 'maintain() does');
is(scalar sqlstate($node, 'owned', $install, as('app')), '42501', 'others cannot bring it forward');

# What she makes of a view runs as her, too, when the administrator reads by a function
$node->safe_psql('owned', <<'SQL', @mallory);
SELECT support.create_sla_policy('Standard', '[{"metric": "resolution", "target": "1 hour"}]');
SELECT support.create_ticket('The fire is out', creator_id => 1) AS id \gset
SELECT support.add_comment(:id, 'Who said so?', author_id => 1);
SELECT format('CREATE OR REPLACE VIEW %s AS SELECT v.* FROM (%s) AS v WHERE lair.spring()', c.oid::regclass,
	rtrim(pg_get_viewdef(c.oid), ';'))
FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text ~ '^support' AND c.relkind = 'v'
\gexec
SQL
ran_as();
foreach my $call ('dashboard()', 'dashboard_html()', 'show_ticket(1)', 'get_ticket(1)', 'ticket_history(1)', "report('created')",
	"report('backlog', group_by => 'team')", "sla_at_risk('10 hours')", "sla_explain(2, 'resolution')", "ticket_as_of(1, now())",
	"sla_kept('2026-01-01', '2027-01-01')", 'undo_since(1, now())', "comments_as_of(1, now())", 'verify_audit()', 'verify_stats()')
{
	$node->safe_psql('owned', "SELECT support.$call");
	unlike(ran_as(), qr/$superuser/, "$call reads with her rights");
}
$node->safe_psql('owned', $install, @mallory);
ran_as();

# Without the traps it is what it was. Dumps have the grants, too.
my $dump = PostgreSQL::Test::Utils::tempdir . '/owned.dump';
$node->safe_psql('owned', <<'SQL', @mallory);
SELECT format('DROP TRIGGER trap ON %s', tgrelid::regclass) FROM pg_trigger WHERE tgname = 'trap'
\gexec
DROP RULE trap ON support_internal.eras;
DROP POLICY trap ON support_internal.schema_version;
ALTER TABLE support_internal.schema_version DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE support.priorities DROP COLUMN trap, DROP CONSTRAINT trap;
DROP INDEX support.trap;
SQL
is(join("\n", grep { !/audit_log_\d/ } split /\n/, difference(structure_of($node, 'owned'), $structure)), '',
	'without the traps the desk is what it was');
$structure = structure_of($node, 'owned');
$node->command_ok([ 'pg_dump', '--format=custom', '--file', $dump, 'owned' ], 'it is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored OWNER mallory');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname', 'restored', $dump ], 'and restored');
is(difference(structure_of($node, 'restored'), $structure), '', 'with all it has');
$node->safe_psql('restored', $install, @mallory);
is($node->safe_psql('restored', "SELECT support.set_priority(1, 'low', actor_id => 1) > 1", @mallory), 't',
	'its owner may use it');

# Schemas renamed and others put in their place
ran_as();
$node->safe_psql('owned', <<'SQL', @mallory);
ALTER SCHEMA support_internal RENAME TO old_internal;
CREATE SCHEMA support_internal;
CREATE FUNCTION support_internal.desk_layout() RETURNS text
LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); RETURN ''''; END';
SQL
is_refused('a layout that is not ours', 'owned', $install, '55000',
	qr/function support_internal\.desk_layout\(\) is not the extension's/);
$node->safe_psql('owned', <<'SQL', @mallory);
DROP SCHEMA support_internal CASCADE;
ALTER SCHEMA old_internal RENAME TO support_internal;
ALTER SCHEMA support RENAME TO old_support;
CREATE SCHEMA support;
CREATE FUNCTION support.desk_now() RETURNS timestamptz
LANGUAGE plpgsql AS 'BEGIN PERFORM lair.spring(); RETURN now(); END';
SQL
is_refused('functions that are not ours', 'owned', 'SELECT old_support.install(true)', '55000',
	qr/function old_support\.\w+\(.*\) is not in the schema that it was made in/);

# A desk of the administrator's that is not all his, or not what it should be, whoever made it so

create_database('mixed');
$node->safe_psql('mixed', $create);
my @changes = (
	'ALTER SCHEMA support OWNER TO mallory' => qr/schema support belongs to role "mallory", not to "$superuser"/,
	'ALTER SCHEMA support_internal OWNER TO mallory' => qr/schema support_internal belongs to role "mallory"/,
	'CREATE SCHEMA support_archive AUTHORIZATION mallory' => qr/schema support_archive belongs to role "mallory"/,
	'ALTER TABLE support.tags OWNER TO mallory' => qr/table support\.tags belongs to role "mallory"/,
	'ALTER VIEW support.ticket_list OWNER TO mallory' => qr/view support\.ticket_list belongs to role "mallory"/,
	'ALTER FUNCTION support.tickets_as_of OWNER TO mallory' => qr/function support\.tickets_as_of\(.*\) belongs to role/,
	'ALTER SEQUENCE support.ticket_number_seq OWNED BY NONE; ALTER SEQUENCE support.ticket_number_seq OWNER TO mallory' =>
		qr/sequence support\.ticket_number_seq belongs to role "mallory"/,
	'ALTER TABLE support_internal.audit_log_default OWNER TO mallory' =>
		qr/table support_internal\.audit_log_default belongs to role "mallory"/,
	"CREATE TABLE lair.part PARTITION OF support.audit_log FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');"
		. 'ALTER TABLE lair.part OWNER TO mallory' => qr/table lair\.part belongs to role "mallory"/,
	'ALTER TABLE support_internal.schema_version OWNER TO mallory' =>
		qr/belongs to role "$superuser", not to "mallory".*; and \d+ more/,
	'DROP TABLE support.status_transitions; CREATE VIEW support.status_transitions AS SELECT lair.spring()' =>
		qr/view support\.status_transitions is no table/,
	'DROP VIEW support.report_teams; CREATE TABLE support.report_teams (team text)' =>
		qr/table support\.report_teams is no view/,
	'ALTER TABLE support.audit_log RENAME TO old_log; CREATE TABLE support.audit_log (LIKE support.old_log)' =>
		qr/table support\.audit_log is no partitioned table/,
	'DROP INDEX support.ix_tickets_status; CREATE INDEX ix_tickets_status ON support.tags (name)' =>
		qr/index support\.ix_tickets_status is not on support\.tickets/,
	'DROP TRIGGER support_truncate ON support.tags; CREATE TRIGGER support_truncate BEFORE INSERT ON support.tags'
		. ' FOR EACH ROW EXECUTE FUNCTION lair.spring_on_row()' =>
		qr/trigger support_truncate on table support\.tags does not call support_internal\.refuse_truncate/,
	"CREATE FUNCTION support.create_ticket(text) RETURNS bigint $function" =>
		qr/function support\.create_ticket\(text\) has the name of one of the extension's/,
	"CREATE FUNCTION support.tickets_as_of(date) RETURNS bigint $function" => qr/function support\.tickets_as_of\(.*\) has/);
while (my ($change, $pattern) = splice @changes, 0, 2)
{
	is_refused($change, 'mixed', "BEGIN;\n$change;\n$install", '55000', $pattern);
}
is_refused('by CREATE EXTENSION likewise', 'mixed', <<"SQL", '55000', qr/table support\.tags belongs to role "mallory"/);
SET client_min_messages = error;
BEGIN;
DROP EXTENSION support_ext CASCADE;
ALTER TABLE support.tags OWNER TO mallory;
CREATE TRIGGER trap BEFORE INSERT ON support.priorities FOR EACH ROW EXECUTE FUNCTION lair.spring_on_row();
DELETE FROM support.priorities;
DELETE FROM support_internal.schema_version;
$create;
SQL

# What a table has lost is put back

my $mixed = structure_of($node, 'mixed');
$node->safe_psql('mixed', <<'SQL');
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('The printer is on fire', creator_id => 1);
ALTER TABLE support.tickets ALTER COLUMN status DROP NOT NULL, DROP CONSTRAINT tickets_title_check;
ALTER TABLE support.status_transitions DROP CONSTRAINT status_transitions_pkey, ALTER COLUMN to_status DROP NOT NULL;
ALTER TABLE support.teams DROP CONSTRAINT teams_pkey CASCADE, DROP CONSTRAINT teams_name_key;
ALTER TABLE support.audit_log ALTER COLUMN action DROP NOT NULL;
ALTER TABLE support.users DROP CONSTRAINT users_organization_id_fkey;
ALTER TABLE support_internal.stat_counters ALTER COLUMN cells DROP NOT NULL;
ALTER TABLE support.attachments DROP COLUMN content_type CASCADE;
SQL
isnt(structure_of($node, 'mixed'), $mixed, 'a desk has lost something');
$node->safe_psql('mixed', $install);
is(join("\n", grep { !/content_type/ } split /\n/, difference(structure_of($node, 'mixed'), $mixed)), '',
	'NOT NULL, checks, keys and foreign keys are put back');
is($node->safe_psql('mixed', <<'SQL'), "text|t|'application/octet-stream'::text", 'a column, too');
SELECT format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute AS a
JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = 'support.attachments'::regclass AND a.attname = 'content_type'
SQL
is_refused('rows that do not comply', 'mixed', <<"SQL", '23502', qr/column "name" of relation "tags" contains null values/);
BEGIN;
ALTER TABLE support.tags ALTER COLUMN name DROP NOT NULL;
ALTER TABLE support.tags DISABLE TRIGGER USER;
INSERT INTO support.tags (id, name) VALUES (7, NULL);
$install;
SQL
is_refused('another type', 'mixed', <<"SQL", '55000', qr/column "capacity" of relation "support\.team_members" has type bigint, not integer\nHINT:  ALTER TABLE support\.team_members/);
BEGIN;
ALTER TABLE support.team_members ALTER COLUMN capacity TYPE bigint;
$install;
SQL
is(scalar sqlstate($node, 'mixed', <<"SQL"), '', 'another length is the owner\'s to choose');
BEGIN;
ALTER TABLE support.ticket_rules ALTER COLUMN name TYPE varchar(1000);
$install;
ROLLBACK;
SQL

# The archive of the log's months goes to no schema of another's
$node->safe_psql('mixed', 'CREATE SCHEMA support_archive', @mallory);
is_refused('an archive of another\'s', 'mixed', <<"SQL", '42501', qr/schema "support_archive" belongs to role "mallory"/);
SELECT support.configure('retention', '1 month');
SELECT support.configure('retention_action', 'archive');
CREATE TABLE support_internal.audit_log_2020_01 PARTITION OF support.audit_log
	FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-02-01 00:00+00');
SELECT support.maintain();
SQL

$node->stop;
unlink $script or die "could not remove $script: $!";
done_testing();
