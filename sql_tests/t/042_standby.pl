# A desk on a streaming standby: whatever reads answers there as on the primary, sessions notice what changes, whatever
# writes is refused with SQLSTATE 25006, and after a promotion the desk goes on where it was.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Cluster;
use Test::More;

my $CLOCK = "SET support_ext.now = '2026-03-11 09:00+00';";

my $primary = start_server('primary', 'wal_level = replica', 'max_wal_senders = 5');
$primary->safe_psql('postgres', 'CREATE DATABASE desk');
$primary->safe_psql('desk', 'CREATE EXTENSION support_ext');
add_own_objects($primary, 'desk');
use_desk($primary, 'desk');
$primary->safe_psql('desk', 'CREATE ROLE app LOGIN; CREATE ROLE desk_robot LOGIN IN ROLE app;' . app_grants('app'));
$primary->safe_psql('desk', 'GRANT SET ON PARAMETER support_ext.now TO app');
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

# What a session of app gets whose first call this is, on either server: one row a line, or the error
sub answer_of
{
	my ($node, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('desk', "\\set VERBOSITY sqlstate\n$CLOCK\n$sql", as('app'));

	return $stdout . $stderr =~ s/^psql:\S+ //r;
}

# Reading

my @views = split /\n/, $primary->safe_psql('desk', <<'SQL');
SELECT viewname FROM pg_views WHERE schemaname = 'support' ORDER BY 1
SQL
my @readers = (
	(map { "SELECT * FROM support.$_" } @views),
	'SELECT support.access_matrix()', 'SELECT support.actor_id()', 'SELECT support.attachment_content(1, 1)', 'SELECT support.desk_now()',
	'SELECT support.get_ticket(1)', 'SELECT support.get_ticket(1, include_private => true, page_size => 1)',
	"SELECT support.get_ticket_by_number('OLD-1')", "SELECT support.ticket_id('old-1')", 'SELECT support.settings()', 'SELECT support.show_ticket(1)',
	'SELECT support.ticket_history(1)', 'SELECT support.ticket_history(4, all_fields => true)',
	'SELECT support.dashboard()', "SELECT support.dashboard_html('Desk', '2026-01-01', '2026-04-01', 'Asia/Kathmandu')",
	"SELECT support.business_elapsed(1, '2020-01-01', '2030-01-01')",
	"SELECT support.business_add(1, '2026-03-01', '1000 hours')",
	"SELECT support.is_open(1, '9999-03-05 09:00+00')", "SELECT support.next_open(1, '2026-03-01')",
	"SELECT support.next_close(1, '2026-03-01'), count(*) FROM support.open_spans(1, '2026-03-01', '2026-04-01')",
	"SELECT support.business_add(1, '2026-03-01', '3 days')",
	'SELECT support.version()', 'SELECT support.set_actor(2)',
	"SELECT support.ticket_as_of(1, '2026-03-01')", "SELECT support.tickets_as_of('2026-03-01')",
	"SELECT support.comments_as_of(1, '2026-03-01')", "SELECT support.rows_as_of(NULL::support.users, NULL, '2026-03-01')",
	"SELECT support.feed_read('archive', 5)",
	'SELECT count(*) FROM support.tickets_as_of_snapshot(pg_current_snapshot())',
	"SELECT support.report('created')", "SELECT support.report('backlog', filters => '{\"custom\": {}}')",
	"SELECT support.sla_at_risk('1000 hours')", "SELECT support.sla_at_risk('1000 hours', 10, true)", "SELECT support.sla_kept('2026-01-01', '2026-04-01')", "SELECT support.sla_explain(2, 'resolution')",
	"SELECT support.sla_simulate('{\"targets\": [{\"metric\": \"resolution\", \"target\": \"1 hour\"}]}', '2026-01-01', '2026-04-01')",
	'SELECT support.verify_audit()', "SELECT support.verify_audit('2026-03-01', '2026-04-01')",
	'SELECT support.audit_proof(1)', 'SELECT support.check_audit_proof(support.audit_proof(1))',
	(map { "SELECT * FROM support.undo_since($_, '2026-01-01')" } 2 .. 7),
	'BEGIN; SELECT support.set_actor(2, is_local => true); SELECT * FROM support.my_tickets; ROLLBACK',
	(map { "BEGIN; SELECT support.set_actor(4, is_local => true); SELECT * FROM support.$_; ROLLBACK" }
			qw(my_requests my_request_comments my_request_attachments)));

is(difference(rows_of($standby, 'desk'), rows_of($primary, 'desk')), '', 'the standby has the same rows');
is($standby->safe_psql('desk', 'SELECT pg_is_in_recovery()'), 't', 'and is a standby');
foreach my $reader (@readers)
{
	my $answer = answer_of($primary, $reader);

	unlike($answer, qr/ERROR/, "primary: $reader");
	is(answer_of($standby, $reader), $answer, "standby: $reader");
}
is(join(' ', grep { answer_of($standby, "SELECT * FROM support.$_") eq '' } @views),
	'my_request_attachments my_request_comments my_requests my_tickets', 'no view is empty but those for which somebody must act');
is($standby->safe_psql('desk', 'SELECT count(*) FROM support.verify_stats()'),
	$primary->safe_psql('desk', 'SELECT count(*) FROM support.verify_stats()'), 'the owner compares what was counted there, too');
foreach my $reader ('SELECT support.export_user(4)', 'SELECT support.erase_user(4)', 'SELECT support.apply_ticket_rules()')
{
	my $answer = $primary->safe_psql('desk', "$CLOCK\n$reader");

	is($standby->safe_psql('desk', "$CLOCK\n$reader"), $answer, "so does the owner read, and try out: $reader");
}
is(answer_of($standby, 'SELECT support.get_ticket(5)'), 'ERROR:  55000', 'a deleted ticket is told');
is(answer_of($standby, 'SELECT support.get_ticket(999)'), 'ERROR:  P0002', 'from one that never was');

# Writing

my %writers = (
	add_attachment => "2, 'a.txt', 'a'", add_comment => "2, 'x', author_id => 2", add_team_member => '1, 2',
	assign_ticket => '2, 2', attach_month => "'2026-03-01'", configure => "'retention', '1 year'", create_calendar => q('x', 'UTC', '{"mon": "09:00-17:00"}'),
	create_sla_policy => q('x', '[{"metric": "resolution", "target": "1 hour"}]'), create_team => "'Third line'", create_ticket => "'x', creator_id => 4",
	create_user => "'new\@desk.example', 'New'", deactivate_user => '2', reactivate_user => '2', set_user_role => "2, 'admin'", delete_comment => '1, 1',
	delete_ticket => '2', edit_comment => "1, 1, 'y'", feed_done => "'archive', '1/1/1'",
	feed_start => "'new'", fold_stats => '', feed_stop => "'archive'", grant_access => "'app', 'app'", issue_token => '2', revoke_access => "'app'", revoke_tokens => '2', install => '', log_event => "1, 'visit'",
	maintain => '', next_ticket_number => '', undo => '1', undo_since => "2, '2026-01-01', dry_run => false", purge_deleted => '', rebuild_stats => '',
	restore_comment => '1, 5', restore_ticket => '5', seal_audit => '', set_priority => "2, 'low'",
	set_status => "2, 'pending'", sla_reapply => '', sla_tick => '', tag_ticket => "2, '{new}'", transfer_ticket_ownership => '2, 4',
	untag_ticket => "2, '{till}'", update_calendar => "1, name => 'x'", update_sla_policy => "1, name => 'x'", unwatch_ticket => '1, 5', update_ticket => q(2, '{"title": "y"}'),
	watch_ticket => '2, 4', erase_user => '4, dry_run => false', redact_comment => '1, 2', place_hold => '1', lift_hold => '1',
	set_ticket_rule => "'x', '{}', '1 day', 'purge'", apply_ticket_rules => 'false');
my @writers = (
	(map { "SELECT support.$_($writers{$_})" } sort keys %writers),
	"SELECT support.log_event(NULL, 'visit')", 'SELECT support.restore_ticket(4)',
	"INSERT INTO support.tickets (title, description, creator_id) VALUES ('x', '', 4)",
	"UPDATE support.tickets SET status = 'pending' WHERE id = 2", 'DELETE FROM support.tickets WHERE id = 2',
	"INSERT INTO support.audit_log (action) VALUES ('visit')");

is($primary->safe_psql('desk', <<'SQL'), join(' ', sort 'act', 'set_actor', keys %writers), 'all functions that write are here');
SELECT string_agg(proname, ' ' ORDER BY proname COLLATE "C")
FROM pg_proc
WHERE pronamespace = 'support'::regnamespace AND provolatile = 'v'
SQL
foreach my $writer (@writers)
{
	is(scalar sqlstate($standby, 'desk', $writer), '25006', "standby: $writer is refused");
}
my ($status, $stdout) = $standby->psql('desk', <<'SQL', on_error_stop => 0);
SELECT support.set_status(2, 'pending');
SELECT support.get_ticket(2) -> 'ticket' ->> 'version';
SQL
is($stdout, $primary->safe_psql('desk', 'SELECT version FROM support.tickets WHERE id = 2'),
	'a session that was refused reads on');

# Sessions notice what the primary changes

my $robot = $standby->background_psql('desk', as('desk_robot'));
my $ask = q(SELECT support.actor_id(), support.get_ticket(2) -> 'ticket' ->> 'floor',
	support.business_elapsed(1, '2026-03-02', '2026-03-03'));

is($robot->query($ask), '7||08:00:00', 'a session knows its user');
$primary->safe_psql('desk', <<'SQL');
UPDATE support.users SET db_role = NULL WHERE id = 7;
UPDATE support.users SET db_role = 'desk_robot' WHERE id = 2;
ALTER TABLE support.tickets ADD COLUMN floor integer;
UPDATE support.tickets SET floor = 3 WHERE id = 2;
UPDATE support.calendar_hours SET closes = '16:00' WHERE weekday = 1;
SQL
$primary->wait_for_catchup($standby);
is($robot->query($ask), '2|3|07:00:00',
	'and that it stands for another one now, the new column of tickets, and shorter hours');

# What waits to be counted is written anew on the primary, where nobody needs the old rows: a snapshot on the standby that does
# is not left with wrong numbers

$primary->safe_psql('postgres', 'CREATE DATABASE busy');
$primary->safe_psql('busy', <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('cy@northwind.example', 'Cy Customer');
INSERT INTO support.tickets (title, description, creator_id) SELECT 'Ticket ' || n, '', 1 FROM generate_series(1, 4000) AS n;
SELECT support.fold_stats();
UPDATE support.tickets SET status = 'resolved' WHERE id <= 20;
SQL
$standby->safe_psql('postgres', 'ALTER SYSTEM SET max_standby_streaming_delay = 0');
$standby->reload;
$primary->wait_for_catchup($standby);
my $filenode = "SELECT pg_relation_filenode('support_internal.stat_deltas')";
my $before = $primary->safe_psql('busy', $filenode);
my $reader = $standby->background_psql('busy', on_error_stop => 0);
my $open = $reader->query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM support.tickets WHERE status = 'open'");
is($open, 3980, 'a transaction that reads on the standby');
$primary->safe_psql('busy', 'BEGIN; SELECT support.fold_stats(); COMMIT');
$primary->safe_psql('busy', 'SELECT support.fold_stats()');
isnt($primary->safe_psql('busy', $filenode), $before, 'the table is written anew');
$primary->wait_for_catchup($standby);
my $counted = eval { $reader->query("SELECT tickets FROM support.report_status WHERE status = 'open'") } // '';
ok($counted eq '' || $counted == $open, 'it is cancelled, or reads the same number') or diag("read $counted");
$standby->safe_psql('postgres', 'ALTER SYSTEM RESET max_standby_streaming_delay');
$standby->reload;

# Behind the primary: what was read may be old, and a change that relies on it is refused

$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', "SELECT pg_get_wal_replay_pause_state() = 'paused'");
my $version = $standby->safe_psql('desk', 'SELECT version FROM support.tickets WHERE id = 2');
my $lsn = $primary->safe_psql('desk', <<'SQL');
SELECT FROM support.set_priority(2, 'urgent');
SELECT pg_current_wal_insert_lsn();
SQL
my $replayed = "SELECT pg_last_wal_replay_lsn() >= '$lsn'";

is($standby->safe_psql('postgres', $replayed), 'f', 'the standby tells that a change has not arrived');
is($standby->safe_psql('desk', 'SELECT version FROM support.tickets WHERE id = 2'), $version, 'nor does it show it');
is(scalar sqlstate($primary, 'desk', "SELECT support.set_status(2, 'pending', expected_version => $version)"), 'SU001',
	'a change of the version that it shows is refused');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
ok($standby->poll_query_until('postgres', $replayed), 'the standby tells when the change arrived');
is($standby->safe_psql('desk', 'SELECT version FROM support.tickets WHERE id = 2'), $version + 1, 'and shows it');

# Promotion

$primary->wait_for_catchup($standby);
my $last = $standby->safe_psql('desk', 'SELECT max(id), max(xid) FROM support.audit_log') =~ s/\|/, /r;

$primary->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is($robot->query("SELECT support.set_priority(2, 'low')"), $version + 2, 'a session from before the promotion writes');
$robot->quit;
is($standby->safe_psql('desk', 'SELECT support.restore_ticket(4)'), '2', 'what was removed before is restored');
like($standby->safe_psql('desk', "SELECT support.create_ticket('After', creator_id => 4)"), qr/^\d+$/,
	'a ticket is opened');
is($standby->safe_psql('desk', <<"SQL"), "2|UPDATE|tickets|t|2", 'the log follows that of the primary');
SELECT a.actor_id, a.action, a.table_name, a.xid > last.xid, a.era
FROM support.audit_log AS a, (VALUES ($last)) AS last (id, xid)
WHERE a.ticket_id = 2 AND a.id > last.id
SQL
is($standby->safe_psql('desk', 'SELECT era, timeline, began_xid <= first_xid FROM support_internal.eras ORDER BY era'),
	"1|1|t\n2|2|t", 'in a new era, since what the standby lacked is lost');
is($standby->safe_psql('desk', <<'SQL'), '', 'no entry without one');
SELECT * FROM support.audit_log WHERE era IS NULL OR era <> 1 + (id > (SELECT max(id) FROM support.audit_log WHERE era = 1))::integer
SQL
is(scalar sqlstate($standby, 'desk', 'SELECT support.install()'), '', 'the desk can be brought forward');

$standby->stop;
done_testing();
