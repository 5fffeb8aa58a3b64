# Database roles at a desk: an application that owns nothing, roles with less, and whom the log names.

use strict;
use warnings;

use Desk;
use Test::More;

my $node = start_server('desk');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE reader LOGIN;
CREATE ROLE visitor LOGIN;
CREATE ROLE stranger LOGIN;
CREATE ROLE clerk LOGIN;
CREATE ROLE batch;
CREATE DATABASE desk;
SQL
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
$node->safe_psql('desk', app_grants('app') . app_grants('batch') . <<'SQL');
GRANT USAGE ON SCHEMA support TO reader, visitor;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO reader;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA support TO reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO reader;
SQL

# The number of the log's last entry
sub last_entry
{
	return $node->safe_psql('desk', 'SELECT coalesce(max(id), 0) FROM support.audit_log');
}

# The log's entries after that one, by role and acting user
sub authors_after
{
	my ($last) = @_;

	return $node->safe_psql('desk', <<"SQL");
SELECT DISTINCT db_role, actor_id FROM support.audit_log WHERE id > $last ORDER BY 1, 2
SQL
}

# A role tries each statement, in a session of its own, and is refused for want of rights; no row of any table changes
sub may_not
{
	my ($role, $name, @statements) = @_;

	is_refused($role, $name, '42501', @statements);
	return;
}

# The same with another SQLSTATE
sub is_refused
{
	my ($role, $name, $expected, @statements) = @_;
	my $before = rows_of($node, 'desk') =~ s/^\S+_seq\|.*\n//mgr;
	my @done;

	foreach my $sql (@statements)
	{
		my ($state, $message) = sqlstate($node, 'desk', $sql, as($role));
		push @done, "$sql: $state $message" if $state ne $expected;
	}
	is(join("\n", @done), '', "$role: $name");
	is(difference(rows_of($node, 'desk') =~ s/^\S+_seq\|.*\n//mgr, $before), '', "$role: no row has changed");
	return;
}

# The application uses every function

my @calls = (
	q{set_actor(NULL)} => '',
	q{create_user('ada@desk.example', 'Ada Admin', 'admin')} => 1,
	q{set_actor(1)} => 'Ada Admin (admin)',
	q{actor_id()} => 1,
	q{create_user('bob@desk.example', 'Bob Agent', 'agent')} => 2,
	q{create_user('old@desk.example', 'Old Hand', 'agent')} => 3,
	q{create_user('cy@northwind.example', 'Cy Customer')} => 4,
	q{create_team('First line')} => 1,
	q{add_team_member(1, 2, 20)} => '',
	q{create_calendar('office', 'UTC', '{"mon-fri": "09:00-17:00"}')} => 1,
	q{update_calendar(1, name => 'Office')} => 1,
	q{business_elapsed(1, '2026-03-06 16:00+00', '2026-03-09 10:00+00')} => '02:00:00',
	q{business_add(1, '2026-03-06 16:00+00', '1 hour') = '2026-03-06 17:00+00'} => 't',
	q{create_sla_policy('Standard', '[{"metric": "resolution", "target": "4 hours"}]')} => 1,
	q{update_sla_policy(1, name => 'All')} => 1,
	q{is_open(1, '2026-03-07 12:00+00')} => 'f',
	q{next_open(1, '2026-03-07 12:00+00') = '2026-03-09 09:00+00'} => 't',
	q{next_close(1, '2026-03-07 12:00+00') = '2026-03-09 17:00+00'} => 't',
	q{open_spans(1, '2026-03-07 12:00+00', '2026-03-09 12:00+00')} => undef,
	q{create_ticket('The printer is on fire', 'It burns.', 4, assignee_id => 3)} => 1,
	q{create_ticket('The till does not open', creator_id => 4)} => 2,
	q{get_ticket(1) #>> '{ticket,title}'} => 'The printer is on fire',
	q{get_ticket_by_number('T-2') #>> '{ticket,title}'} => 'The till does not open',
	q{ticket_id('t-2')} => 2,
	q{show_ticket(2) LIMIT 1} => 'T-2  The till does not open',
	q{update_ticket(1, '{"title": "Fire"}')} => 2,
	q{set_status(1, 'in_progress')} => 3,
	q{set_priority(1, 'urgent')} => 4,
	q{deactivate_user(3, 2)} => 1,
	q{reactivate_user(3)} => '',
	q{set_user_role(3, 'light_agent')} => 0,
	q{set_user_role(3, 'agent')} => 0,
	q{assign_ticket(1, NULL)} => 6,
	q{transfer_ticket_ownership(1, 1)} => 7,
	q{add_comment(1, 'On my way', author_id => 2)} => 1,
	q{edit_comment(1, 1, 'I am on my way')} => '',
	q{delete_comment(1, 1, 'a slip')} => '',
	q{restore_comment(1, 1)} => '',
	q{add_attachment(1, 'fire.txt', 'so hot', 'text/plain', 1)} => 1,
	q{attachment_content(1, 1)} => '\\x736f20686f74',
	q{tag_ticket(1, '{fire,printer}')} => '{fire,printer}',
	q{untag_ticket(1, '{printer}')} => '{fire}',
	q{watch_ticket(1, 4, 'cc')} => '',
	q{unwatch_ticket(1, 4)} => '',
	q{log_event(1, 'phone_call') > 0} => 't',
	q{delete_ticket(2, 'a test')} => 2,
	q{restore_ticket(2)} => 3,
	q{ticket_history(2, all_fields => true)} => undef,
	q{ticket_as_of(1, now()) ->> 'title'} => 'Fire',
	q{tickets_as_of(now())} => undef,
	q{report('created', group_by => 'priority')} => undef,
	q{tickets_as_of_snapshot(pg_current_snapshot())} => undef,
	q{sla_reapply(1)} => 0,
	q{sla_reapply(1, 'now')} => 0,
	q{sla_tick()} => 0,
	q{sla_at_risk('100 hours')} => undef,
	q{sla_at_risk('100 hours', 10, true)} => undef,
	q{due_text(support.desk_now() + '3 hours')} => '3h',
	q{sla_explain(1, 'resolution')} => undef,
	q{sla_simulate('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}', '2000-01-01', '9999-01-01')} => undef,
	q{comments_as_of(1, now())} => undef,
	q{rows_as_of(NULL::support.users, NULL, now())} => undef,
	q{undo_since(1, now() - interval '1 day')} => undef,
	q{undo((SELECT max(id) FROM support.audit_log WHERE ticket_id = 1 AND new_value ? 'priority')) > 0} => 't',
	q{feed_start('search', NULL)} => '',
	q{feed_read('search')} => undef,
	q{feed_done('search', (SELECT max(feed_position) FROM support.feed_read('search', 1)))} => '',
	q{feed_stop('search')} => '',
	q{verify_audit()} => undef,
	q{fold_stats() >= 0} => 't',
	q{desk_now() = now()} => 't',
	q{next_ticket_number() ~ '^T-[0-9]+$'} => 't',
	q{bar(1, 2, 4) <> ''} => 't',
	q{heat(1, 2) <> ' '} => 't',
	q{sparkline(1) <> ' '} => 't',
	q{percentile(support.histogram_merge('\\x010702'), 0.5)} => 7,
	q{histogram(7)} => '\\x010702',
	q{histogram_merge('\\x010702')} => '\\x010702',
	q{histogram_subtract('\\x010702', '\\x010702')} => '\\x01',
	q{histogram_count('\\x010702')} => 1,
	q{dashboard() LIMIT 1} => undef,
	# no promise is kept or broken by now
	q{sla_kept('2000-01-01', '9999-01-01') RIGHT JOIN (VALUES (1)) AS one ON true} => undef,
	q{dashboard_html() ~ 'First line'} => 't',
	q{terminal_text('First line', true)} => 'First line',
	q{line_text(' First line')} => 'First line',
	q{version() ~ '^[0-9]'} => 't',
	q{access_matrix()} => undef,
	q{settings()} => undef);
my (@sql, @expected, %called);
while (my ($call, $result) = splice @calls, 0, 2)
{
	my ($function) = $call =~ /^(\w+)/;

	$called{$function} = 1;
	push @sql, defined $result ? "SELECT support.$call;" : "SELECT '$function: ' || (count(*) > 0) FROM support.$call;";
	push @expected, $result // "$function: true";
}
my $calls = join "\n", @sql;
is($node->safe_psql('desk', $calls, as('app')), join("\n", @expected), 'app: every function answers');
is( $node->safe_psql('desk', <<'SQL'),
SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'support'::regnamespace
SQL
	join(' ', sort keys %called, qw(attach_month install configure maintain purge_deleted seal_audit audit_proof check_audit_proof verify_stats
			check_history rebuild_stats grant_access revoke_access issue_token act revoke_tokens
			export_user erase_user redact_comment place_hold lift_hold set_ticket_rule apply_ticket_rules)),
	'no function of the desk was left out');
is(authors_after(0), "app|1\napp|", 'the log names the role and the acting user, who was nobody at first');
may_not('app', 'what the owner keeps is refused',
	'SELECT support.install()', 'SELECT support.install(seed => false)', "SELECT support.purge_deleted('0 seconds')",
	'SELECT support.seal_audit()', 'SELECT support.verify_stats()', 'SELECT support.check_history()', 'SELECT support.rebuild_stats()',
	'SELECT support.maintain()', 'SELECT support.maintain(dry_run => true)', "SELECT support.attach_month('2026-03-01')",
	"SELECT support.configure('retention', '1 day')", "SELECT support.grant_access('app', 'app')", "SELECT support.revoke_access('app')",
	'SELECT support.issue_token(1)', 'SELECT support.revoke_tokens(1)',
	'SELECT support.export_user(4)', 'SELECT support.erase_user(4)',
	'SELECT support.redact_comment(1, 1)', 'SELECT support.place_hold(1)', 'SELECT support.lift_hold(1)',
	"SELECT support.set_ticket_rule('all', '{}', '0 s', 'purge')", 'SELECT support.apply_ticket_rules(false)');
$node->safe_psql('desk', 'SELECT support.seal_audit()');
is($node->safe_psql('desk', 'SELECT support.check_audit_proof(support.audit_proof(1))', as('app')),
	't', 'app: an entry that the owner has sealed is proved');

# Plain SQL and COPY on every table: columns, a row, a change, and how to find the row

my @tables = (
	[ 'organizations', 'name', 'Northwind', "external_id = 'crm-7'", "name = 'Northwind'" ],
	[ 'users', "email\tfull_name", "dee\@contoso.example\tDee", "time_zone = 'Europe/Berlin'", "full_name = 'Dee'" ],
	[ 'teams', 'name', 'Second line', "created_at = '2026-01-01'", "name = 'Second line'" ],
	[ 'team_members', "team_id\tuser_id", "1\t1", 'capacity = 7', 'user_id = 1' ],
	[ 'statuses', "name\tcategory\tposition", "spam\tclosed\t70", 'position = 80', "name = 'spam'" ],
	[ 'status_transitions', "from_status\tto_status", "open\tclosed", "to_status = 'pending'", "from_status = 'open'" ],
	[ 'priorities', "name\trank", "panic\t99", 'weight = 9', "name = 'panic'" ],
	[ 'calendars', "name\ttime_zone", "shop\tUTC", "time_zone = 'Europe/Berlin'", "name = 'shop'" ],
	[ 'calendar_hours', "calendar_id\tweekday\topens\tcloses", "1\t6\t09:00\t17:00", "closes = '18:00'", 'weekday = 6' ],
	[ 'calendar_holidays', "calendar_id\tday", "1\t2026-12-25", "name = 'Christmas'", "day = '2026-12-25'" ],
	[ 'sla_policies', "name\tposition", "VIP\t7", 'is_active = false', 'position = 7' ],
	[ 'sla_targets', "policy_id\tmetric\ttarget", "1\tfirst_reply\t04:00", "target = '3 hours'", "metric = 'first_reply'" ],
	[ 'tickets', "title\tdescription\tcreator_id", "Copied\t\t4", "status = 'pending'", "title = 'Copied'" ],
	[ 'comments', "ticket_id\tauthor_id\tcontent", "2\t2\tCopied", "external_id = 'mail-7'", "content = 'Copied'" ],
	[ 'attachments', "ticket_id\tfilename", "2\tcopied.txt", 'byte_size = 7', "filename = 'copied.txt'" ],
	[ 'tags', 'name', 'copied', "name = 'COPIED'", "name ILIKE 'copied'" ],
	[ 'ticket_tags', "ticket_id\ttag_id", "2\t1", 'tag_id = 2', 'ticket_id = 2' ],
	[ 'ticket_watchers', "ticket_id\tuser_id", "2\t4", "kind = 'cc'", 'ticket_id = 2' ]);

is( $node->safe_psql('desk', "SELECT tablename FROM pg_tables WHERE schemaname = 'support' ORDER BY tablename"),
	join("\n", sort qw(audit_log backlog holds search_words sla_clocks sla_events ticket_rules), map { $_->[0] } @tables),
	'every table of the desk is tried');
foreach my $row (@tables)
{
	my ($table, $columns, $values, $change, $found) = @$row;
	my $last = last_entry();

	$columns =~ s/\t/, /g;
	my $literals = join ', ', map { "'$_'" } split /\t/, $values, -1;
	is($node->safe_psql('desk', <<"SQL", as('app')), "1\n1", "app: INSERT, UPDATE, DELETE and COPY on $table");
INSERT INTO support.$table ($columns) VALUES ($literals);
UPDATE support.$table SET $change WHERE $found;
SELECT count(*) FROM support.$table WHERE $found;
DELETE FROM support.$table WHERE $found;
COPY support.$table ($columns) FROM stdin;
$values
\\.
SELECT count(*) FROM support.$table WHERE $found;
DELETE FROM support.$table WHERE $found;
SQL
	is($node->safe_psql('desk', <<"SQL"), 'INSERT UPDATE DELETE INSERT DELETE by app', "all of it is in the log");
SELECT string_agg(action, ' ' ORDER BY id) || ' by ' || string_agg(DISTINCT db_role, ', ')
FROM support.audit_log WHERE id > $last AND table_name = '$table'
SQL
}
foreach my $view (split /\n/, $node->safe_psql('desk', "SELECT viewname FROM pg_views WHERE schemaname = 'support'"))
{
	is(scalar sqlstate($node, 'desk', "SELECT * FROM support.$view", as('app')), '', "app: the view $view answers");
}
is($node->safe_psql('desk', <<'SQL', as('app')), 't', 'app: a removed ticket comes back');
DELETE FROM support.tickets WHERE id = 1;
SELECT support.restore_ticket(1) > 0;
SQL

# The application can neither write nor change the log

may_not(
	'app',
	'the log cannot be written, changed, emptied or got round',
	"INSERT INTO support.audit_log (action) VALUES ('forged')",
	"UPDATE support.audit_log SET db_role = 'ada'",
	'DELETE FROM support.audit_log',
	'TRUNCATE support.audit_log',
	"COPY support.audit_log (action) FROM stdin;\nforged\n\\.\n",
	"MERGE INTO support.audit_log AS a USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE",
	'SELECT FROM support.audit_log FOR UPDATE',
	'BEGIN; LOCK TABLE support.audit_log IN EXCLUSIVE MODE',
	"INSERT INTO support_internal.audit_log_default (occurred_at, action) VALUES (now(), 'forged')",
	'DELETE FROM support_internal.audit_log_default',
	'TRUNCATE support_internal.audit_log_default',
	"SELECT setval('support.audit_log_id_seq', 1)",
	(map { ("SELECT * FROM support_internal.$_", "DELETE FROM support_internal.$_") }
			qw(audit_log_default recycle_bin eras schema_version attachment_contents calendar_versions sla_policy_versions stat_deltas
				stat_counters settings audit_redactions)),
	"UPDATE support_internal.eras SET era = 7",
	'TRUNCATE support.tickets CASCADE',
	'ALTER TABLE support.audit_log DISABLE TRIGGER ALL',
	'ALTER TABLE support.tickets DISABLE TRIGGER ALL',
	'DELETE FROM support.sla_clocks',
	'DELETE FROM support.backlog',
	'DELETE FROM support.search_words',
	'UPDATE support.holds SET lifted_at = now()',
	'DELETE FROM support.holds',
	"INSERT INTO support.ticket_rules (name, keep_for, action) VALUES ('all', '0 s', 'purge')",
	'UPDATE support.search_words SET ticket_id = 1',
	"INSERT INTO support.search_words (ticket_id, comment_id, words) VALUES (77, 0, '')",
	'UPDATE support.backlog SET breaches = 0',
	"INSERT INTO support.backlog (ticket_id, created_at, breaches) VALUES (77, now(), 0)",
	"UPDATE support.sla_events SET kind = 'fulfil'",
	'DROP TRIGGER "A_support_after" ON support.tickets',
	'CREATE TRIGGER planted BEFORE UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'ALTER TABLE support.audit_log ADD COLUMN forged text',
	'DROP TABLE support.audit_log',
	'CREATE TABLE public.partition PARTITION OF support.audit_log DEFAULT',
	'CREATE RULE forge AS ON INSERT TO support.audit_log DO INSTEAD NOTHING',
	'CREATE TEMP TABLE tags (LIKE support.tags); CREATE TRIGGER t AFTER INSERT ON pg_temp.tags FOR EACH ROW '
		. "EXECUTE FUNCTION support_internal.after_row('tags')",
	'CREATE FUNCTION support.forge() RETURNS bigint LANGUAGE sql RETURN 1',
	'ALTER FUNCTION support.desk_now() RENAME TO forged',
	'SELECT support_internal.guard_log()',
	'SELECT support_internal.desk_layout()',
	'SET session_replication_role = replica',
	'ALTER EXTENSION support_ext UPDATE',
	'DROP EXTENSION support_ext CASCADE',
	'DROP SCHEMA support CASCADE');
is(scalar sqlstate($node, 'desk', "SELECT support.log_event(1, 'UPDATE')", as('app')),
	'22023', 'an event of the application cannot pass for one of the desk');

# Nor can those who might, by other ways than the functions that are there for it
foreach my $sql (
	"UPDATE support.audit_log SET db_role = 'ada'",
	'DELETE FROM support.audit_log',
	'TRUNCATE support.audit_log',
	'TRUNCATE support_internal.audit_log_default')
{
	is(scalar sqlstate($node, 'desk', $sql), '55000', "even a superuser is refused: $sql");
}

# Whom the log names

my $last = last_entry();
$node->safe_psql('desk', "SET ROLE app;\nSELECT support.set_priority(1, 'low')");
is(authors_after($last), 'app|', 'after SET ROLE the role that was set, and no acting user');

$node->safe_psql('desk', <<'SQL');
CREATE SCHEMA jobs AUTHORIZATION batch;
SET ROLE batch;
CREATE FUNCTION jobs.close_ticket(id bigint)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE support.tickets AS t SET channel = 'job' WHERE t.id = $1;
	RETURN support.set_status($1, 'closed');
END
$$;
GRANT USAGE ON SCHEMA jobs TO clerk;
SQL
may_not('clerk', 'has no right of its own',
	"UPDATE support.tickets SET channel = 'job'", "SELECT support.set_status(1, 'closed')");
$last = last_entry();
$node->safe_psql('desk', 'SELECT jobs.close_ticket(1)', as('clerk'));
is(authors_after($last), 'clerk|', 'in a SECURITY DEFINER function the role that called it');

$node->safe_psql('desk', <<'SQL');
UPDATE support.users SET db_role = 'app' WHERE id = 2;
UPDATE support.users SET db_role = 'clerk' WHERE id = 1;
SQL
$last = last_entry();
$node->safe_psql('desk', "SELECT support.set_status(1, 'open')", as('app'));
is(authors_after($last), 'app|2', 'users.db_role makes a role act as a user');
$last = last_entry();
$node->safe_psql('desk', 'SELECT jobs.close_ticket(1)', as('clerk'));
is(authors_after($last), 'clerk|1', 'in a SECURITY DEFINER function too');
may_not('app', 'who logs in as a person is nobody else', 'SELECT support.set_actor(4)',
	"SELECT support.set_status(1, 'open', actor_id => 1)",
	"SET support_ext.actor_id = 4; UPDATE support.tickets SET channel = 'web' WHERE id = 1");
$node->safe_psql('desk', "UPDATE support.users SET role = 'bot' WHERE id = 2");
$last = last_entry();
$node->safe_psql('desk', <<'SQL', as('app'));
SELECT support.set_actor(4);
UPDATE support.tickets SET channel = 'web' WHERE id = 1;
SQL
is(authors_after($last), 'app|4', 'for a bot, support.set_actor() comes before that');
$last = last_entry();
$node->safe_psql('desk', <<'SQL', as('app'));
SELECT support.set_status(1, 'open', actor_id => 1);
SELECT support.set_status(1, 'pending');
SQL
is(authors_after($last), "app|1\napp|2", 'an argument counts for its call alone');
$node->safe_psql('desk', "UPDATE support.users SET role = 'agent' WHERE id = 2");

my $session = $node->background_psql('desk', as('app'));
is($session->query_safe('SELECT support.actor_id()'), '2', 'a session knows its user');
$node->safe_psql('desk', <<'SQL');
UPDATE support.users SET db_role = NULL WHERE id = 2;
UPDATE support.users SET db_role = 'app' WHERE id = 4;
SQL
is($session->query_safe('SELECT support.actor_id()'), '4', 'and hears that it is another');
$node->safe_psql('desk', "UPDATE support.users SET db_role = NULL WHERE id = 4");
is($session->query_safe('SELECT support.actor_id()'), '', 'or none');
$session->quit;

$node->safe_psql('desk', 'ALTER ROLE app SET support_ext.actor_id = 2');
$last = last_entry();
$node->safe_psql('desk', "UPDATE support.tickets SET channel = 'mail' WHERE id = 1", as('app'));
is(authors_after($last), 'app|2', 'ALTER ROLE ... SET support_ext.actor_id makes a role act as a user');
$last = last_entry();
$node->safe_psql('desk', <<'SQL', as('app'));
SET support_ext.actor_id = 1;
UPDATE support.tickets SET channel = 'web' WHERE id = 1;
SQL
is(authors_after($last), 'app|1', 'until the session says otherwise');
$node->safe_psql('desk', 'ALTER ROLE app RESET support_ext.actor_id');

# The clock is not for everybody to set

my $load = 'SELECT support.version();';
my $set = "SET support_ext.now = '2001-01-01 00:00+00';";
my $change = "UPDATE support.tickets SET channel = 'clock' || clock_timestamp() WHERE id = 1;";
my $clock = 'SELECT extract(year FROM occurred_at) > 2001 FROM support.audit_log ORDER BY id DESC LIMIT 1';

is(scalar sqlstate($node, 'desk', "$load\n$set", as('app')), '42501', 'app: the clock cannot be set');
is(scalar sqlstate($node, 'desk', "$load\nSELECT set_config('support_ext.now', '2001-01-01', true)", as('app')),
	'42501', 'app: nor by set_config()');
is(scalar sqlstate($node, 'desk', "$load\nALTER ROLE app SET support_ext.now = '2001-01-01'", as('app')),
	'42501', 'app: nor for sessions to come');
$node->safe_psql('desk', "$set\n$change", as('app'));
is($node->safe_psql('desk', $clock), 't', 'app: nor before the library is loaded');
{
	local $ENV{PGOPTIONS} = '-c support_ext.now=2001-01-01';
	$node->safe_psql('desk', $change, as('app'));
	is($node->safe_psql('desk', $clock), 't', 'app: nor as the session begins');
}
$node->safe_psql('desk', 'GRANT SET ON PARAMETER support_ext.now TO app');
$node->safe_psql('desk', "$set\n$change", as('app'));
is($node->safe_psql('desk', $clock), 'f', 'app: with GRANT SET ON PARAMETER it can');

# Roles that may do less. Functions have no more rights than their caller.

my @writers = (
	"create_user('eve\@desk.example', 'Eve')", 'deactivate_user(2)', 'reactivate_user(2)', "set_user_role(2, 'admin')", "create_team('Third line')",
	'add_team_member(1, 1)',
	"create_ticket('x', creator_id => 1)", q(update_ticket(2, '{"title": "y"}')), "set_status(2, 'pending')",
	"set_priority(2, 'low')", 'assign_ticket(2, 2)', 'transfer_ticket_ownership(2, 1)',
	"add_comment(2, 'x', author_id => 1)",
	"edit_comment(1, 1, 'y')", 'delete_comment(1, 1)', "add_attachment(2, 'a.txt', 'a')", "tag_ticket(2, '{a}')",
	"untag_ticket(1, '{fire}')", 'watch_ticket(2, 1)', 'unwatch_ticket(1, 2)', 'delete_ticket(2)', 'restore_ticket(3)',
	'restore_ticket(4)', 'restore_comment(1, 2)', 'restore_comment(1, 3)', 'purge_deleted()', 'install()',
	"grant_access('reader', 'app')", "revoke_access('app')", 'issue_token(2)', 'revoke_tokens(2)');
my @readers = (
	'get_ticket(2)', "get_ticket_by_number('T-2')", "ticket_id('T-2')", 'show_ticket(2)', 'attachment_content(1, 1)', 'ticket_history(2)');

# Something to restore: ticket 3 marked, ticket 4 removed, a comment of each kind
is($node->safe_psql('desk', <<'SQL'), "3|marked\n4|removed", 'the bin holds something to restore');
DELETE FROM support.tickets WHERE id > 2;
INSERT INTO support.tickets (id, title, description, creator_id)
OVERRIDING SYSTEM VALUE VALUES (3, 'Marked', '', 1), (4, 'Removed', '', 1);
INSERT INTO support.comments (id, ticket_id, author_id, content) VALUES (2, 1, 2, 'Marked'), (3, 1, 2, 'Removed');
UPDATE support.tickets SET deleted_at = now() WHERE id = 3;
DELETE FROM support.tickets WHERE id = 4;
UPDATE support.comments SET deleted_at = now() WHERE ticket_id = 1 AND id = 2;
DELETE FROM support.comments WHERE ticket_id = 1 AND id = 3;
INSERT INTO support.ticket_watchers (ticket_id, user_id) VALUES (1, 2);
SELECT ticket_id, how FROM support.deleted_tickets WHERE ticket_id IN (3, 4) ORDER BY 1;
SQL
foreach my $reader (@readers)
{
	is(scalar sqlstate($node, 'desk', "SELECT support.$reader", as('reader')), '', "reader: support.$reader answers");
}
may_not('reader', 'writing functions are refused to a role that may read only', map { "SELECT support.$_" } @writers);
may_not('visitor', 'a role that may only use the schema can neither read nor write',
	(map { "SELECT support.$_" } @readers, @writers, 'set_actor(1)', "log_event(NULL, 'visit')",
		'next_ticket_number()'),
	(map { "SELECT FROM support.$_->[0]" } @tables),
	'SELECT FROM support.ticket_list', 'SELECT FROM support.deleted_tickets', 'SELECT FROM support.audit_log');
may_not('stranger', 'a role without grants can do nothing',
	(map { "SELECT support.$_" } @readers, @writers, 'set_actor(1)', 'actor_id()', 'settings()', 'version()'),
	(map { ("SELECT FROM support.$_->[0]", "DELETE FROM support.$_->[0]") } @tables),
	'SELECT FROM support.ticket_list', 'SELECT FROM support.audit_log');

# Row security of the desk's owner: what a role may not see is not there

$node->safe_psql('desk', <<'SQL');
SELECT support.add_comment(2, 'Hidden', author_id => 1) AS comment
\gset
SELECT support.add_attachment(2, 'hidden.txt', 'hidden', comment_id => :comment);
ALTER TABLE support.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON support.tickets TO app USING (id <> 2);
SQL
my ($comment, $file) = split /\|/, $node->safe_psql('desk', <<'SQL');
SELECT comment_id, id FROM support.attachments WHERE ticket_id = 2
SQL
is(scalar sqlstate($node, 'desk', 'SELECT support.get_ticket(1)', as('app')),
	'', 'app: a ticket that it may see is there');
is_refused(
	'app', 'one that it may not see does not exist, nor what belongs to it', 'P0002',
	map { "SELECT support.$_" } 'get_ticket(2)', "get_ticket_by_number('T-2')", "ticket_id('T-2')", 'show_ticket(2)',
	q(update_ticket(2, '{"title": "y"}')), "set_status(2, 'pending')", "set_priority(2, 'low')", 'assign_ticket(2, 2)',
	'transfer_ticket_ownership(2, 1)', "add_comment(2, 'x', author_id => 1)", "edit_comment(2, $comment, 'y')",
	"delete_comment(2, $comment)", "add_attachment(2, 'a.txt', 'a')", "attachment_content(2, $file)",
	"tag_ticket(2, '{a}')", "untag_ticket(2, '{a}')", 'watch_ticket(2, 1)', 'unwatch_ticket(2, 1)',
	'delete_ticket(2)', 'restore_ticket(2)', "log_event(2, 'x')");

done_testing();
