# A desk's owner who is no superuser: what he puts on his tables runs as he does, whoever calls, leaves nothing behind in
# the session of who called, and what he writes into his log crashes nobody. Nor can a caller choose for him who acts.

use strict;
use warnings;

use Desk;
use Test::More;

my $node = start_server('desk');
my @owner = as('keeper');
my @ada = as('ada');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE keeper LOGIN;
CREATE ROLE ada LOGIN;
CREATE DATABASE desk OWNER keeper;
SQL
$node->safe_psql('desk', install_off() . <<'SQL');
CREATE EXTENSION support_ext;
ALTER SCHEMA support OWNER TO keeper;
ALTER SCHEMA support_internal OWNER TO keeper;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support, support_internal TO keeper WITH GRANT OPTION;
SQL
$node->safe_psql('desk', 'SELECT support.install();' . app_grants('ada') . <<'SQL', @owner);
SELECT support.create_user('kim@desk.example', 'Kim Keeper', 'admin');
SELECT support.create_user('ada@desk.example', 'Ada Agent', 'agent');
SELECT support.create_user('carl@corp.example', 'Carl Customer');
UPDATE support.users SET db_role = 'ada' WHERE id = 2;
SELECT support.create_ticket('Printer on fire', creator_id => 3);
SELECT support.create_ticket('Deleted long ago', creator_id => 3);
SET support_ext.actor_id = 2;
SELECT support.delete_ticket(2);
SQL

# Traps on the owner's tables: each notes as whom it ran, and wants to leave something in the session
$node->safe_psql('desk', <<'SQL', @owner);
CREATE SCHEMA trap;
CREATE TABLE trap.runs (as_user name, is_superuser boolean);
CREATE FUNCTION trap.note()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO trap.runs SELECT current_user, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user;
	PERFORM pg_catalog.set_config('search_path', 'trap, pg_catalog', false);
	RETURN coalesce(NEW, OLD);
END
$$;
CREATE FUNCTION trap.leave_table()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	CREATE TEMPORARY TABLE left_behind (n integer);
	RETURN NULL;
END
$$;
SQL
my %calls = (
	"configure('retention_action', 'archive')" => 'support_internal.settings',
	'seal_audit()' => 'support_internal.audit_seals',
	'rebuild_stats()' => 'support_internal.stat_deltas',
	"purge_deleted('0 seconds')" => 'support.tickets', 'erase_user(3, false)' => 'support.tickets',
	'place_hold(1)' => 'support.holds', "set_ticket_rule('x', '{}', '1 year', 'purge')" => 'support.ticket_rules');
foreach my $call (sort keys %calls)
{
	my $table = $calls{$call};

	$node->safe_psql('desk', "CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON $table FOR EACH ROW EXECUTE FUNCTION trap.note()", @owner);
	is($node->safe_psql('desk', "SET search_path = public;\nSELECT FROM support.$call;\nSHOW search_path"), 'public',
		"$call: what the owner's trigger set ends with it");
	is($node->safe_psql('desk', 'SELECT DISTINCT as_user, is_superuser FROM trap.runs'), 'keeper|f', "$call: it ran as the owner");
	$node->safe_psql('desk', "DROP TRIGGER note ON $table; TRUNCATE trap.runs", @owner);
}

# What is deferred runs when the caller commits, as him; what lives as long as his session is his
$node->safe_psql('desk', <<'SQL', @owner);
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON support_internal.settings
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trap.note();
SQL
like((sqlstate($node, 'desk', "SELECT support.configure('retention_action', 'drop')"))[1], qr/security-restricted operation/,
	'a deferred trigger of the owner\'s is refused');
is($node->safe_psql('desk', 'SELECT count(*) FROM trap.runs'), '0', 'and did not run');
is(scalar sqlstate($node, 'desk', "SELECT support.configure('retention_action', 'drop')", @owner), '', 'the owner may have it himself');
$node->safe_psql('desk', <<'SQL', @owner);
DROP TRIGGER later ON support_internal.settings;
CREATE TRIGGER leave AFTER INSERT OR UPDATE ON support_internal.settings FOR EACH ROW EXECUTE FUNCTION trap.leave_table();
SQL
like((sqlstate($node, 'desk', "SELECT support.configure('retention_action', 'archive')"))[1], qr/security-restricted operation/,
	'so is a table that would stay in the session');
$node->safe_psql('desk', 'DROP TRIGGER leave ON support_internal.settings', @owner);

# The log has who called, not whose rights were used
my $superuser = $node->safe_psql('desk', 'SELECT current_user');
$node->safe_psql('desk', "SELECT support.configure('retention', '7 years')");
is($node->safe_psql('desk', "SELECT db_role FROM support.audit_log WHERE table_name = 'settings' ORDER BY id DESC LIMIT 1"),
	$superuser, 'the log names who called');

# Who acts is not for the caller of an owner's function to say, but for the owner
$node->safe_psql('desk', <<'SQL', @owner);
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO ada;
CREATE FUNCTION jobs.note()
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT support.log_event(1, 'called') $$;
CREATE FUNCTION jobs.note_for_kim()
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT support.log_event(1, 'called', actor_id => 1) $$;
SQL
is(scalar sqlstate($node, 'desk', "SET support_ext.actor_id = 1;\nSELECT jobs.note();", @ada), '42501',
	'a person lends the owner\'s function no other name');
{
	local $ENV{PGOPTIONS} = '-c support_ext.actor_id=1';
	is(scalar sqlstate($node, 'desk', 'SELECT jobs.note()', @ada), '42501', 'nor as the session begins');
}
$node->safe_psql('desk', "SELECT jobs.note();\nSELECT jobs.note_for_kim();", @ada);
is($node->safe_psql('desk', "SELECT actor_id, db_role FROM support.audit_log WHERE action = 'called' ORDER BY id"),
	"2|ada\n1|ada", 'she acts as herself, or as the owner\'s function says');

# An entry's images are objects
foreach my $image ('[]', '3', '"status"', '[["title", "x"]]')
{
	foreach my $column ('old_value', 'new_value')
	{
		is(scalar sqlstate($node, 'desk', <<"SQL", @owner), '22023', "an entry whose $column is $image");
INSERT INTO support.audit_log (action, table_name, record_id, ticket_id, $column) VALUES ('UPDATE', 'tickets', 1, 1, '$image')
SQL
	}
}
is(scalar sqlstate($node, 'desk', <<'SQL', @owner), '', 'one that got past the guard crashes nobody');
BEGIN;
SET LOCAL client_min_messages = error;
ALTER TABLE support.audit_log DISABLE TRIGGER USER;
INSERT INTO support.audit_log (era, xid, db_role, action, table_name, record_id, ticket_id, old_value, new_value, actor_id)
SELECT 1, 1, 'keeper', a, 'tickets', 1, 1, v, v, 1
FROM unnest(ARRAY['UPDATE', 'DELETE']) AS a, unnest(ARRAY['["AA\u0001\u0010AAA", "BversionBBBBBBBBBBBBBBB"]', '3', '[]']::jsonb[]) AS v;
SELECT count(*) FROM support.ticket_history(1);
DO $$
DECLARE
	statement text;
BEGIN
	FOREACH statement IN ARRAY ARRAY[
		'SELECT support.ticket_as_of(1, now() - interval ''1 second'')', 'SELECT support.tickets_as_of(now() - interval ''1 second'')',
		'SELECT support.undo_since(1, now() - interval ''1 day'')', 'SELECT support.restore_ticket(1)',
		'SELECT support.undo(max(id)) FROM support.audit_log', 'SELECT support.feed_start(''f'', NULL)', 'SELECT support.feed_read(''f'')',
		'SELECT support.sla_simulate(''{"targets": [{"metric": "resolution", "target": "1 hour"}]}'')', 'SELECT support.verify_stats()']
	LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE LIKE 'XX%' THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END
$$;
ROLLBACK;
SQL

# Names that only look like the desk's own actions, and a time that has no month
foreach my $action ("U&'UPDATE\\00a0'", "U&'\\2003UPDATE'", "U&'UP\\200bDATE'", "U&'\\feffDELETE'")
{
	is(scalar sqlstate($node, 'desk', "SELECT support.log_event(1, $action)", @ada), '22023', "$action is the desk's own");
}
$node->safe_psql('desk', "INSERT INTO support.audit_log (action, occurred_at) VALUES ('late', '294276-12-31 23:59:59+00')", @owner);
is(scalar sqlstate($node, 'desk', 'SELECT support.maintain()', @owner), '', 'an entry of the last month there is stops no upkeep');

# Entries of the log go the short road, past triggers, which is what makes them cheap
is($node->safe_psql('desk', <<'SQL'), '0', 'no trigger is fired for an entry of the desk\'s own');
SET track_functions = 'all';
BEGIN;
UPDATE support.tickets SET priority = 'high' WHERE id = 1;
SELECT count(*) FROM pg_stat_xact_user_functions WHERE funcname = 'guard_log';
COMMIT;
SQL

# What people put on a table of the clocks takes it off the short road, and nothing else
$node->safe_psql('desk', <<'SQL', @owner);
SELECT support.create_sla_policy('All', '[{"metric": "resolution", "target": "1 hour"}]');
SELECT support.create_ticket('Before', creator_id => 3);
SQL
foreach my $addition (
	'ADD CHECK (id > 0)', 'ADD COLUMN mine integer NOT NULL DEFAULT 0', 'ADD EXCLUDE USING btree (id WITH =)',
	'ADD UNIQUE (started_at, id)')
{
	is(scalar sqlstate($node, 'desk', <<"SQL", @owner), '', "sla_clocks: $addition");
BEGIN;
ALTER TABLE support.sla_clocks $addition;
SELECT support.create_ticket('After', creator_id => 3);
SELECT support.set_status(3, 'resolved', actor_id => 2);
SELECT support.sla_tick();
SELECT support.sla_reapply();
ROLLBACK;
SQL
}

# What the owner chose for a view stays when install() replaces it
is($node->safe_psql('desk', <<'SQL', @owner), '{security_invoker=true,security_barrier=true}', 'install() leaves a view its options');
ALTER VIEW support.ticket_list SET (security_invoker = true, security_barrier = true);
SET client_min_messages = warning;
SELECT FROM support.install();
SELECT reloptions FROM pg_class WHERE oid = 'support.ticket_list'::regclass;
SQL

# A session in which row_security was set is no restore if the desk is there
my (undef, undef, $said) = $node->psql('desk', <<'SQL');
SET row_security = on;
SET support_ext.install = on;
DROP EXTENSION support_ext CASCADE;
CREATE EXTENSION support_ext;
SQL
like($said, qr/support desk ready/, 'row_security, set in the session, keeps no desk that is there from being brought forward');

# Functions of the machinery are the owner's: what he puts in the place of one has no more rights than he
my %reading = (
	history_of_ticket => 'support.ticket_history(1)',
	tickets_asked_for => q{support.report('created', '2020-01-01', '2040-01-01', filters => '{"custom": {"floor": 3}}')},
	changes_to_undo => "support.undo_since(2, '-infinity', dry_run => true)",
	clocks_at_risk => "support.sla_at_risk('1 hour')");
foreach my $function (sort keys %reading)
{
	$node->safe_psql('desk', <<"SQL", @owner);
TRUNCATE trap.runs;
CREATE OR REPLACE FUNCTION trap.hit()
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS \$\$
BEGIN
	INSERT INTO trap.runs SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user;
	RETURN true;
END
\$\$;
DO \$do\$
DECLARE
	body text := pg_get_functiondef(oid) FROM pg_proc WHERE proname = '$function' AND pronamespace = 'support_internal'::regnamespace;
BEGIN
	ASSERT body ~ 'STABLE' AND body ~ 'SELECT ';
	EXECUTE regexp_replace(replace(replace(body, ' STABLE', ' VOLATILE'), ' PARALLEL SAFE', ''),
		'BEGIN ATOMIC', 'BEGIN ATOMIC SELECT trap.hit();');
END
\$do\$;
SQL
	$node->safe_psql('desk', "SELECT FROM $reading{$function}");
	is($node->safe_psql('desk', 'SELECT string_agg(DISTINCT as_user, \',\') FROM trap.runs'), 'keeper', "$function: called by a superuser");
}

$node->stop;
done_testing();
