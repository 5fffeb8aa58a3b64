# Who may see and do what: each access against tickets of one's team, of another, of none, one's own and deleted ones, by plain SQL
# and by functions; who acts cannot be forged; tokens; what dumps, standbys and updates keep.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('desk', 'wal_level = replica', 'max_wal_senders = 5');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE agents;
CREATE ROLE ann LOGIN IN ROLE agents;
CREATE ROLE bea LOGIN IN ROLE agents;
CREATE ROLE sam LOGIN IN ROLE agents;
CREATE ROLE lou LOGIN;
CREATE ROLE lea LOGIN;
CREATE ROLE aud LOGIN;
CREATE ROLE rep LOGIN;
CREATE ROLE pool LOGIN IN ROLE agents;
CREATE ROLE stranger LOGIN;
CREATE DATABASE desk;
SQL
$node->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
INSERT INTO support.users (email, full_name, role, db_role, sees_all)
VALUES
	('ann@desk.example', 'Ann Agent', 'agent', 'ann', false),
	('bea@desk.example', 'Bea Agent', 'agent', 'bea', false),
	('sam@desk.example', 'Sam Sees', 'agent', 'sam', true),
	('lou@desk.example', 'Lou Light', 'light_agent', 'lou', false),
	('lea@desk.example', 'Lea Lead', 'team_lead', 'lea', false),
	('aud@desk.example', 'Aud Auditor', 'auditor', 'aud', false),
	('carl@corp.example', 'Carl Customer', 'customer', NULL, false),
	('cora@corp.example', 'Cora Customer', 'customer', NULL, true);
SELECT support.create_team('A'), support.create_team('B');
SELECT support.add_team_member(1, 1), support.add_team_member(1, 4), support.add_team_member(2, 2);
SELECT support.create_sla_policy('Standard', '[{"metric": "resolution", "target": "1 hour"}]');
INSERT INTO support.tickets (title, description, creator_id, team_id, assignee_id, ticket_number)
VALUES
	('of A', 'aardvark', 7, 1, NULL, 'A-1'),
	('of B', 'bumblebee', 8, 2, NULL, 'B-2'),
	('of none', 'nobody', 7, NULL, NULL, 'N-3'),
	('of B, given to Ann', 'gift', 7, 2, 1, 'B-4'),
	('of B, asked by Ann', 'wish', 1, 2, NULL, 'B-5'),
	('of A, marked', 'gone', 7, 1, NULL, 'A-6'),
	('of A, removed', 'bin', 7, 1, NULL, 'A-7'),
	('of B, removed', 'bin', 7, 2, NULL, 'B-8');
INSERT INTO support.comments (ticket_id, author_id, content, is_private)
SELECT t.id, 3, 'About ' || t.title, p.is_private FROM support.tickets AS t, (VALUES (false), (true)) AS p (is_private) ORDER BY t.id, 4;
SELECT support.add_attachment(id, 'a.txt', 'a') FROM support.tickets ORDER BY id;
SELECT support.tag_ticket(id, '{t}'), support.watch_ticket(id, 8) FROM support.tickets ORDER BY id;
SELECT support.delete_ticket(6, 'a test', actor_id => 3);
DELETE FROM support.tickets WHERE id IN (7, 8);
SELECT support.grant_access('app', 'app');
SELECT support.grant_access('agents', 'agent');
SELECT support.grant_access('lou', 'light_agent');
SELECT support.grant_access('lea', 'lead');
SELECT support.grant_access('aud', 'auditor');
SELECT support.grant_access('rep', 'reporter');
SQL

# What a query answers a role, '-' if it may not ask
sub seen
{
	my ($role, $sql, $on) = @_;
	my ($status, $stdout, $stderr) = ($on // $node)->psql('desk', $sql, as($role));

	return $status == 0 ? $stdout =~ s/\n/ /gr : $stderr =~ /permission denied/ ? '-' : $stderr;
}

# Tickets, by who looks: 1 of A, 2 of B, 3 of none, 4 of B and Ann's, 5 of B that she asked for, 6 of A and marked

my %sees = (
	app => '1 2 3 4 5 6', lea => '1 2 3 4 5 6', aud => '1 2 3 4 5 6', sam => '1 2 3 4 5 6',
	ann => '1 3 4 5 6', bea => '2 3 4 5', lou => '1', rep => '-', stranger => '-', pool => '');
my %children = (
	comments => 'ticket_id', attachments => 'ticket_id', ticket_tags => 'ticket_id', ticket_watchers => 'ticket_id',
	search_words => 'ticket_id', sla_clocks => 'ticket_id', sla_events => 'ticket_id', backlog => 'ticket_id');
my %live = (backlog => 1);
# clocks outlive a ticket that was removed
my %outlives = (sla_clocks => ' 7 8', sla_events => ' 7 8');

foreach my $role (sort keys %sees)
{
	my $expected = $sees{$role};
	my $live = $expected =~ s/ 6//r;

	is(seen($role, 'SELECT id FROM support.tickets ORDER BY id'), $expected, "$role: tickets");
	is(seen($role, 'SELECT id FROM support.ticket_list ORDER BY id'), $live, "$role: ticket_list");
	is(seen($role, 'SELECT id FROM support.unsolved_tickets ORDER BY id'), $live, "$role: unsolved_tickets");
	foreach my $table (sort keys %children)
	{
		my $all = $expected eq $sees{app} ? $outlives{$table} // '' : '';

		is(seen($role, "SELECT DISTINCT ticket_id FROM support.$table ORDER BY ticket_id"), ($live{$table} ? $live : $expected) . $all,
			"$role: $table");
	}
	my $answers = join ' ', grep
	{
		my ($state, $message) = sqlstate($node, 'desk', "SELECT support.get_ticket($_)", as($role));
		$state eq ''
	} 1 .. 6;
	is($answers, $expected eq '-' ? '' : $live, "$role: get_ticket()");
}

# What one may not see and what never was: one answer, by the same way
foreach my $call ('get_ticket(%d)', 'show_ticket(%d)', "update_ticket(%d, '{\"title\": \"x\"}')", "set_status(%d, 'pending')",
	"assign_ticket(%d, 1)", "add_comment(%d, 'x')", "add_attachment(%d, 'x', 'x')", "tag_ticket(%d, '{x}')", 'watch_ticket(%d, 8)',
	'delete_ticket(%d)', 'restore_ticket(%d)', 'ticket_history(%d)', "log_event(%d, 'x')", "sla_explain(%d, 'resolution')", "ticket_as_of(%d, now())",
	'attachment_content(%d, 1)', 'edit_comment(%d, 3, \'x\')')
{
	my @answers = map
	{
		my ($state, $message) = sqlstate($node, 'desk', "SELECT support." . sprintf($call, $_), as('ann'));
		my ($text) = ($message // '') =~ /ERROR:  (.*)/;
		($text // 'answered') =~ s/\b$_\b/#/gr
	} 2, 8, 999;
	is(join(' | ', @answers), join(' | ', ($answers[2]) x 3), "ann: $call of another team's ticket, a removed one and none");
}
is(scalar sqlstate($node, 'desk', "SELECT support.ticket_id('B-2')", as('ann')), 'P0002', 'ann: a number of another team');
is(seen('ann', q{SELECT count(*) FROM support.search_words WHERE words @@ 'bumblebee'}), '0', 'ann: words of another team');
is(seen('ann', 'SELECT count(*) FROM support.audit_log WHERE ticket_id IN (2, 7, 8)'), '0', 'ann: the log of tickets that she does not see');
is(seen('ann', 'SELECT count(*) > 0 FROM support.audit_log WHERE ticket_id = 1'), 't', 'ann: the log of one that she sees');
is(seen('aud', 'SELECT count(*) > 0 FROM support.audit_log WHERE ticket_id = 8'), 't', 'aud: the whole log');
is(seen('aud', 'SELECT ticket_id FROM support.deleted_tickets ORDER BY ticket_id'), '6 7 8', 'aud: what was deleted');
is(seen('ann', 'SELECT FROM support.deleted_tickets'), '-', 'ann: not the whole bin');
is(seen('lou', 'SELECT FROM support.audit_log'), '-', 'lou: no log');
is(seen('ann', "SELECT ticket_id FROM support.sla_at_risk('100 hours') ORDER BY 1"), '1 3 4 5', 'ann: sla_at_risk()');
foreach my $what ('report_status', 'report_agents', 'report_unanswered', 'report_daily')
{
	my $names_somebody = $what =~ /agents|unanswered/;

	is(seen('rep', "SELECT count(*) >= 0 FROM support.$what"), $names_somebody ? '-' : 't', "rep: $what");
	is(seen('ann', "SELECT count(*) FROM support.$what"), '-', "ann: no $what");
	is(seen('lea', "SELECT count(*) >= 0 FROM support.$what"), 't', "lea: $what");
}
is(seen('lea', 'SELECT count(*) > 10 FROM support.dashboard()'), 't', 'lea: dashboard()');
is(seen($_, 'SELECT count(*) FROM support.dashboard()'), '-', "$_: no dashboard") foreach qw(ann lou rep stranger);

# Statistics and plans tell nothing of rows that are hidden
is(seen('ann', "SELECT count(*) FROM pg_stats WHERE schemaname = 'support' AND tablename IN ('tickets', 'comments')"), '0',
	'ann: no statistics of secured tables');

# Writing

my @tries = (
	# who, what, how it ends
	[ 'ann', "UPDATE support.tickets SET priority = 'high' WHERE id = 1", '' ],
	[ 'ann', "UPDATE support.tickets SET team_id = 2 WHERE id = 1", '42501' ],
	[ 'ann', "INSERT INTO support.tickets (title, description, creator_id) VALUES ('x', '', 1)", '' ],
	[ 'ann', "INSERT INTO support.tickets (title, description, creator_id) VALUES ('x', '', 7)", '42501' ],
	[ 'ann', "SELECT support.create_ticket('By phone', requester_id => 7, team_id => 1)", '' ],
	[ 'ann', "SELECT support.create_ticket('As Carl', creator_id => 7)", '42501' ],
	[ 'ann', "INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 1, 'mine')", '' ],
	[ 'ann', "INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 2, 'hers')", '42501' ],
	[ 'ann', "INSERT INTO support.comments (ticket_id, author_id, content) VALUES (2, 1, 'there')", '55000|P0002|42501' ],
	[ 'ann', "SELECT support.add_comment(1, 'hers', author_id => 2)", '42501' ],
	[ 'ann', "SELECT support.add_comment(1, 'hers', actor_id => 2)", '42501' ],
	[ 'ann', "SELECT support.set_actor(2)", '42501' ],
	[ 'ann', "SET support_ext.actor_id = 2; SELECT support.actor_id()", '42501' ],
	[ 'ann', "SET support_ext.actor_id = 2; UPDATE support.tickets SET title = 'x' WHERE id = 1", '42501' ],
	[ 'ann', "INSERT INTO support.audit_log (action) VALUES ('visit')", '42501' ],
	[ 'ann', "INSERT INTO support.tickets (id, title, description, creator_id, team_id) VALUES (7, 'mine', '', 1, 1)", '42501' ],
	[ 'ann', "INSERT INTO support.tickets (id, title, description, creator_id) VALUES (5000, 'in the way', '', 1)", '42501' ],
	[ 'ann', "INSERT INTO support.comments (id, ticket_id, author_id, content) VALUES (5000, 1, 1, 'in the way')", '42501' ],
	[ 'ann', "INSERT INTO support.comments (ticket_id, author_id, content, author_role) VALUES (1, 1, 'x', 'admin')", '42501' ],
	[ 'ann', "UPDATE support.comments SET author_id = 7 WHERE ticket_id = 1", '42501' ],
	[ 'ann', "UPDATE support.comments SET author_role = 'admin' WHERE ticket_id = 1", '42501' ],
	[ 'ann', "UPDATE support.comments SET content = 'Edited' WHERE ticket_id = 1 AND is_private", '' ],
	[ 'ann', "UPDATE support.attachments SET uploaded_by = 7 WHERE ticket_id = 1", '42501' ],
	[ 'ann', "INSERT INTO support.attachments (ticket_id, filename, uploaded_by) VALUES (1, 'x', 7)", '42501' ],
	[ 'ann', "SELECT support.add_attachment(1, 'x', 'x')", '' ],
	[ 'ann', "UPDATE support.users SET id = 777 WHERE id = 8", '42501' ],
	[ 'ann', "SELECT support.edit_comment(1, id, 'x'), support.delete_comment(1, id), support.restore_comment(1, id) FROM support.comments WHERE ticket_id = 1 LIMIT 1", '' ],
	[ 'ann', "SELECT support.set_priority(1, 'high'), support.tag_ticket(1, '{x}'), support.watch_ticket(1, 8), support.transfer_ticket_ownership(1, 8)", '' ],
	[ 'ann', "SELECT support.log_event(1, 'phone_call')", '' ],
	[ 'ann', "UPDATE support.users SET sees_all = true", '42501' ],
	[ 'ann', "UPDATE support.users SET role = 'admin' WHERE id = 7", '42501' ],
	[ 'ann', "UPDATE support.users SET full_name = 'Carl C.' WHERE id = 7", '' ],
	[ 'ann', "SELECT support.create_user('new\@corp.example', 'New')", '' ],
	[ 'ann', "SELECT support.create_user('new2\@corp.example', 'New', 'agent')", '42501' ],
	[ 'ann', "INSERT INTO support.users (email, full_name, db_role) VALUES ('x\@x.example', 'x', 'pool')", '42501' ],
	[ 'ann', "INSERT INTO support.team_members (team_id, user_id) VALUES (2, 1)", '42501' ],
	[ 'ann', "SELECT support.issue_token(2)", '42501' ],
	[ 'ann', "SELECT support.grant_access('ann', 'lead')", '42501' ],
	[ 'ann', "SELECT FROM support_internal.access", '42501' ],
	[ 'ann', "SELECT FROM support_internal.tokens", '42501' ],
	[ 'ann', "SELECT support_internal.sees_all()", '42501' ],
	[ 'ann', "CREATE POLICY p ON support.tickets USING (true)", '42501' ],
	[ 'ann', "ALTER TABLE support.tickets DISABLE ROW LEVEL SECURITY", '42501' ],
	[ 'ann', "SET row_security = off; SELECT FROM support.tickets", '42501' ],
	[ 'ann', "CREATE TABLE pg_temp.mine (id bigint REFERENCES support.tickets (id))", '42501|42P16' ],
	[ 'ann', "SET ROLE app", '42501' ],
	[ 'ann', "SELECT support.undo_since(2, '2020-01-01')", '42501' ],
	[ 'ann', "SELECT support.feed_start('mine')", '42501' ],
	[ 'ann', "SELECT support.report('created')", '42501' ],
	[ 'lou', "SELECT support.add_comment(1, 'a note', true)", '' ],
	[ 'lou', "SELECT support.add_comment(2, 'a note', true)", 'P0002' ],
	[ 'lou', "SELECT support.add_comment(1, 'a reply')", '42501' ],
	[ 'lou', "INSERT INTO support.comments (ticket_id, author_id, content, is_private) VALUES (1, 4, 'a note', true)", '' ],
	[ 'lou', "INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, 4, 'a reply')", '42501' ],
	[ 'lou', "INSERT INTO support.comments (ticket_id, author_id, content, is_private) VALUES (1, 1, 'as Ann', true)", '42501' ],
	[ 'lou', "UPDATE support.tickets SET title = 'x'", '42501' ],
	[ 'lou', "DELETE FROM support.comments", '42501' ],
	[ 'lou', "SELECT support.set_status(1, 'pending')", '42501' ],
	[ 'aud', "UPDATE support.tickets SET title = 'x'", '42501' ],
	[ 'aud', "SELECT support.add_comment(1, 'x', true)", '42501' ],
	[ 'aud', "SELECT support.verify_audit()", '' ],
	[ 'lea', "SELECT support.assign_ticket(2, 1, 1)", '' ],
	[ 'lea', "SELECT support.create_user('x2\@desk.example', 'X', 'agent')", '' ],
	[ 'lea', "SELECT support.add_team_member(2, 1)", '' ],
	[ 'lea', "DELETE FROM support.audit_log", '42501' ],
	[ 'lea', "SELECT support.configure('retention', '1 year')", '42501' ],
	[ 'lea', "SELECT support.grant_access('lea', 'app')", '42501' ],
	[ 'lea', "SELECT support.set_actor(1)", '42501' ],
	[ 'rep', "SELECT support.get_ticket(1)", '42501' ],
	[ 'app', "SELECT support.set_actor(7); SELECT support.create_ticket('By portal')", '' ],
	[ 'app', "DELETE FROM support.audit_log", '42501' ],
	[ 'stranger', "SELECT support.act('x')", '42501' ],
	[ 'pool', "SELECT support.set_actor(1)", '42501' ],
	[ 'pool', "SELECT support.add_comment(3, 'x', author_id => 1)", 'P0002' ]);
foreach my $try (@tries)
{
	my ($role, $sql, $expected) = @$try;
	my ($state, $message) = sqlstate($node, 'desk', "BEGIN;\n$sql;\nROLLBACK;", as($role));

	ok($state =~ /^($expected)$/, "$role: $sql" . ($expected eq '' ? '' : ": $expected")) or diag($message);
}

# A ticket is handed over to a team that one does not see; and teams that change are seen at once, also by a session that asked before
like(seen('ann', 'SELECT support.assign_ticket(1, NULL, 2); SELECT id FROM support.tickets WHERE id = 1'), qr/^\d+$/, 'ann hands a ticket over, and sees it no more');
my $session = $node->background_psql('desk', as('ann'));
is($session->query('SELECT count(*) FROM support.tickets WHERE id = 1'), 0, 'a session');
$node->safe_psql('desk', 'SELECT support.add_team_member(2, 1)');
is($session->query('SELECT count(*) FROM support.tickets WHERE id = 1'), 1, 'sees the tickets of a team that she joined');
$node->safe_psql('desk', 'DELETE FROM support.team_members WHERE team_id = 2 AND user_id = 1');
is($session->query('SELECT count(*) FROM support.tickets WHERE id = 1'), 0, 'and no more when she left it');
$node->safe_psql('desk', 'UPDATE support.users SET sees_all = true WHERE id = 1');
is($session->query('SELECT count(*) FROM support.tickets WHERE id = 1'), 1, 'all of them when she sees all');
$node->safe_psql('desk', 'UPDATE support.users SET sees_all = false WHERE id = 1');
is($session->query('SELECT count(*) FROM support.tickets WHERE id = 1'), 0, 'and no more');
$session->quit;
$node->safe_psql('desk', 'SELECT support.assign_ticket(1, NULL, 1)');

# Customers: three views and four functions, and nothing else

$node->safe_psql('desk', <<'SQL');
CREATE ROLE carl LOGIN;
CREATE ROLE portal LOGIN;
INSERT INTO support.organizations (name, is_shared) VALUES ('Shared', true), ('Closed', false);
UPDATE support.users SET db_role = 'carl', organization_id = 1 WHERE id = 7;
UPDATE support.users SET organization_id = 1 WHERE id = 8;
UPDATE support.tickets SET organization_id = 1 WHERE id = 2;
SELECT support.grant_access('carl', 'customer'), support.grant_access('portal', 'customer');
SQL
is(seen('carl', 'SELECT id FROM support.my_requests WHERE id < 9 ORDER BY id'), '1 2 3 4', 'carl: his tickets and one of his organization, none that is deleted');
is(seen('carl', 'SELECT id FROM support.my_requests WHERE is_mine AND id < 9 ORDER BY id'), '1 3 4', 'carl: of which are his');
is(seen('carl', 'SELECT count(*) FROM support.my_request_comments AS c WHERE content LIKE $$About%$$'), '4', 'carl: public comments alone');
is(seen('carl', 'SELECT DISTINCT ticket_id FROM support.my_request_attachments WHERE ticket_id < 9 ORDER BY 1'), '1 2 3 4', 'carl: files');
is(seen('portal', 'SELECT count(*) FROM support.my_requests'), '0', 'portal: nobody has no requests');
# What the scans below a view have found, whatever is asked of it
sub scans_of
{
	my ($query) = @_;
	my $plan = seen('carl', "SET enable_indexscan = off; SET enable_bitmapscan = off; EXPLAIN (ANALYZE, TIMING off, SUMMARY off, COSTS off) SELECT FROM support.$query");

	return join ' ', sort $plan =~ /(Scan (?:using \w+ )?on (?:tickets|comments|attachments) [^(]*\(actual rows=[\d.]+ loops=\d+\)(?: +Filter: .*? Rows Removed by Filter: \d+)?)/g;
}
foreach my $pair ([ map { "my_request_comments WHERE content >= '$_'" } 'About of B, asked by Ann', 'About of B, asked by Anz' ],
	[ map { "my_requests WHERE id = $_" } 5, 888 ], [ map { "my_request_attachments WHERE ticket_id = $_" } 5, 888 ])
{
	isnt(scans_of($pair->[0]), '', "carl: $pair->[0] scans what is his");
	is(scans_of($pair->[0]), scans_of($pair->[1]), 'and nothing that is asked of it comes down to the tables');
}
is(seen('pool', "BEGIN; SELECT support.act('" . $node->safe_psql('desk', 'SELECT support.issue_token(7)')
		. "'); SELECT count(*) FROM support.tickets; SELECT count(*) FROM support.comments; COMMIT"), 'Carl Customer (customer) 0 0',
	'pool: who shows the token of a customer sees nothing as agents do');
is(seen('carl', "SELECT FROM support.$_"), '-', "carl: not $_") foreach qw(tickets comments attachments users audit_log search_words backlog ticket_list
	my_tickets deleted_tickets report_status sla_status organizations teams statuses tags);
foreach my $try (
	[ "create_ticket('Help', 'It burns')", '' ],
	[ "create_ticket('Help', creator_id => 7, requester_id => 7)", '' ],
	[ (map { "create_ticket('Help', $_)" } "creator_id => 8", "requester_id => 8", "priority => 'urgent'", "tags => '{vip}'", 'assignee_id => 1',
		'team_id => 1', 'organization_id => 1', "status => 'closed'", "channel => 'ceo'", q(custom => '{"a": 1}'), "ticket_number => 'A-1'",
		"external_id => 'mail-1'", "created_at => '2020-01-01'"), '42501' ],
	[ "add_comment(1, 'Still')", "add_comment(2, 'Here, too')", "add_comment(1, 'By web', via => 'web')", '' ],
	[ (map { "add_comment(1, 'x', $_)" } 'is_private => true', "status => 'resolved'", 'author_id => 1', "via => 'auto'", "external_id => 'mail-1'",
		"created_at => '2020-01-01'", 'actor_id => 1'), '42501' ],
	[ (map { "add_comment($_, 'x')" } 5, 6, 8, 999), 'P0002' ],
	[ "add_attachment(1, 'a', 'a')", 'attachment_content(1, 1)', '' ],
	[ "add_attachment(5, 'a', 'a')", "add_attachment(1, 'a', 'a', comment_id => 1)", 'attachment_content(5, 5)', 'P0002' ],
	[ 'attachment_content(1, 1, true)', 'set_actor(8)', "set_status(1, 'closed')", 'get_ticket(1)', 'delete_ticket(1)', "tag_ticket(1, '{x}')",
		'edit_comment(1, 1, $$x$$)', 'ticket_history(1)', "report('created')", 'issue_token(7)', 'ticket_id($$A-1$$)', "log_event(1, 'x')", '42501' ])
{
	my $expected = pop @$try;

	foreach my $call (@$try)
	{
		my ($state, $message) = sqlstate($node, 'desk', "BEGIN; SELECT support.$call; ROLLBACK", as('carl'));

		is($state, $expected, "carl: $call" . ($expected ? ": $expected" : '')) or diag($message);
	}
}
is($node->safe_psql('desk', <<'SQL'), "7|customer|7\ncarl|7", 'what he opens is his, and the log has him');
SET SESSION AUTHORIZATION carl;
SELECT support.create_ticket('By Carl') AS id \gset
RESET SESSION AUTHORIZATION;
SELECT creator_id, creator_role, customer_id FROM support.tickets WHERE id = :id;
SELECT db_role, actor_id FROM support.audit_log WHERE ticket_id = :id;
DELETE FROM support.tickets WHERE id = :id;
SQL
my $ticket_of_cora = $node->safe_psql('desk', 'SELECT support.issue_token(8)');
is(seen('portal', "BEGIN; SELECT support.act('$ticket_of_cora'); SELECT id FROM support.my_requests WHERE id < 9 ORDER BY id; COMMIT"), 'Cora Customer (customer) 2',
	'portal: whose token it shows');
is(seen('carl', "BEGIN; SELECT support.create_ticket('Ours') > 0; SELECT is_mine FROM support.my_requests WHERE title = 'Ours'; ROLLBACK"), 't t', 'carl: a ticket');
is($node->safe_psql('desk', <<'SQL'), '1', 'is his organization\'s, too');
SET SESSION AUTHORIZATION carl;
SELECT support.create_ticket('Ours') AS id \gset
RESET SESSION AUTHORIZATION;
SELECT organization_id FROM support.tickets WHERE id = :id;
DELETE FROM support.tickets WHERE id = :id;
SQL
# who is deactivated in the middle of a transaction
my $open = $node->background_psql('desk', as('portal'), on_error_stop => 0);
is($open->query("BEGIN; SELECT support.act('$ticket_of_cora') IS NOT NULL; SELECT count(*) FROM support.my_requests WHERE id < 9"), "t\n1", 'portal: a transaction');
$node->safe_psql('desk', 'SELECT support.deactivate_user(8)');
is($open->query('SELECT count(*) FROM support.my_requests'), '0', 'sees nothing once its user is deactivated');
unlike($open->query("SELECT support.create_ticket('Late')"), qr/^\d+$/m, 'and opens nothing');
$open->quit;
is($node->safe_psql('desk', "SELECT count(*) FROM support.tickets WHERE title = 'Late'"), '0', 'at all');
$node->safe_psql('desk', 'SELECT support.reactivate_user(8)');
$node->safe_psql('desk', 'UPDATE support.organizations SET is_shared = false');
is(seen('carl', 'SELECT id FROM support.my_requests WHERE id < 9 ORDER BY id'), '1 3 4', 'carl: his own, where the organization shares no more');
$node->safe_psql('desk', 'UPDATE support.users SET db_role = NULL WHERE id = 7');

# A function of the caller's own that is cheap and tells what it sees sees nothing that is hidden
$node->safe_psql('desk', 'GRANT CREATE ON SCHEMA public TO agents');
my (undef, undef, $leaked) = $node->psql('desk', <<'SQL', as('ann'));
CREATE FUNCTION public.tells(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END $$;
SELECT count(*) FROM support.tickets WHERE public.tells(title);
SELECT count(*) FROM support.ticket_list WHERE public.tells(title);
SELECT count(*) FROM support.comments WHERE public.tells(content);
SELECT count(*) FROM support.search_words WHERE public.tells(words::text);
CREATE FUNCTION public.eq(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END $$;
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.eq);
SET search_path = public, pg_catalog;
SELECT support.get_ticket(1) IS NOT NULL;
SELECT count(*) FROM support.my_tickets;
SQL
unlike($leaked, qr/seen: (.*of B'|.*bumblebee|of B$)/m, 'a cheap function sees nothing that is hidden');
like($leaked, qr/seen: of none/, 'but what is not');

# Tokens

my $token = $node->safe_psql('desk', 'SELECT support.issue_token(1)', as('app'));
my $act = "BEGIN; SELECT support.act('$token');";
like($token, qr/^[0-9a-f]{64}$/, 'a token');
is(seen('pool', "$act SELECT support.actor_id(); SELECT id FROM support.tickets WHERE id < 7 ORDER BY id; COMMIT; SELECT count(*) FROM support.tickets"),
	'Ann Agent (agent) 1 1 3 4 5 6 0', 'a pool acts as its user until the transaction ends');
is(scalar sqlstate($node, 'desk', "$act SET LOCAL support_ext.actor_id = 2; SELECT FROM support.tickets WHERE id = support.actor_id()", as('pool')), '42501',
	'and as nobody else');
is(scalar sqlstate($node, 'desk', "$act SELECT support.set_actor(2)", as('pool')), '42501', 'by whatever way');
is(scalar sqlstate($node, 'desk', "$act COMMIT; SET support_ext.actor_id = 1; SELECT support.actor_id()", as('pool')), '42501',
	'nor once it has ended');
is(scalar sqlstate($node, 'desk', "$act ROLLBACK; SELECT support.set_actor(1)", as('pool')), '42501', 'or was rolled back');
foreach my $wrong ('', 'x', "\U$token", substr($token, 1), $token . '0', '0' x 64)
{
	my ($state, $message) = sqlstate($node, 'desk', "SELECT support.act('$wrong')", as('pool'));

	ok($state eq ($wrong eq "\U$token" && $wrong eq $token ? '' : '28000'), "no token: '$wrong'");
	unlike($message, qr/expired at|user/, 'nothing tells why');
}
is(scalar sqlstate($node, 'desk', 'SELECT support.act(NULL)', as('pool')), '22023', 'no token at all');
is(scalar sqlstate($node, 'desk', "SELECT support.issue_token(1, '$_')"), '22023', "valid for $_") foreach '0', '-1 hour', '2 years';
is(scalar sqlstate($node, 'desk', 'SELECT support.issue_token(99)'), 'P0002', 'for nobody');
$node->safe_psql('desk', "SET support_ext.now = '2000-01-01'; SELECT support.issue_token(1) AS old \\gset\nRESET support_ext.now;\nCREATE TABLE public.old AS SELECT :'old' AS token");
my $old = $node->safe_psql('desk', 'SELECT token FROM public.old');
is(scalar sqlstate($node, 'desk', "SELECT support.act('$old')", as('pool')), '28000', 'one that has expired');
is($node->safe_psql('desk', 'SELECT count(*) FROM support_internal.tokens WHERE user_id = 1'), 2, 'is there');
$node->safe_psql('desk', 'SELECT support.issue_token(1)');
is($node->safe_psql('desk', 'SELECT count(*) FROM support_internal.tokens WHERE user_id = 1'), 2, 'until the next one is issued');
unlike($node->safe_psql('desk', 'SELECT * FROM support_internal.tokens'), qr/$token/, 'no token lies in the table');

# On a standby, and after a promotion

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(seen('pool', "$act SELECT id FROM support.tickets WHERE id < 7 ORDER BY id; COMMIT", $standby), 'Ann Agent (agent) 1 3 4 5 6', 'a token on a standby');
is(seen('bea', 'SELECT id FROM support.tickets WHERE id < 7 ORDER BY id', $standby), '2 3 4 5', 'access on a standby');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is(scalar sqlstate($standby, 'desk', "SELECT support.act('$token')", as('pool')), '28000', 'a copy that goes its own way takes none of the tokens');
$standby->stop;

is($node->safe_psql('desk', 'SELECT support.revoke_tokens(1)', as('app')), '2', 'tokens are revoked');
is(scalar sqlstate($node, 'desk', "SELECT support.act('$token')", as('pool')), '28000', 'and none is valid');
$token = $node->safe_psql('desk', 'SELECT support.issue_token(2)');
$node->safe_psql('desk', 'SELECT support.deactivate_user(2)');
is(scalar sqlstate($node, 'desk', "SELECT support.act('$token')", as('pool')), '28000', 'nor one of who was deactivated');
$node->safe_psql('desk', 'SELECT support.reactivate_user(2)');

# A dump has it all, and takes no token along

my $file = PostgreSQL::Test::Utils::tempdir . '/desk.dump';
$node->command_ok([ 'pg_dump', '--format=custom', '--file', $file, 'desk' ], 'a dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '--dbname', $node->connstr('copy'), $file ], 'is restored');
sub policies { return $node->safe_psql($_[0], q(SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'support' ORDER BY 1, 2)) }
is(policies('copy'), policies('desk'), 'with its policies');
is(difference(structure_of($node, 'copy'), structure_of($node, 'desk')), '', 'and rights');
is($node->safe_psql('copy', 'SELECT id FROM support.tickets WHERE id < 7 ORDER BY id', as('bea')), "2\n3\n4\n5", 'and shows what it showed');
is(scalar sqlstate($node, 'copy', "SELECT support.act('$token')", as('pool')), '28000', 'but takes no token of before');
is(scalar sqlstate($node, 'copy', 'SELECT support.set_actor(1)', as('pool')), '42501', 'and nobody says who acts');

# What was switched off comes back
$node->safe_psql('desk', 'ALTER TABLE support.tickets DISABLE ROW LEVEL SECURITY; DROP POLICY support_agent_select ON support.comments');
$node->safe_psql('desk', 'SELECT support.install()');
is(policies('desk'), policies('copy'), 'install() writes policies that are gone');
is(seen('bea', 'SELECT id FROM support.tickets WHERE id < 7 ORDER BY id'), '2 3 4 5', 'and switches row security on');

# Granting and revoking

my @refused = (
	[ q{SELECT support.grant_access('nobody', 'app')}, '42704' ], [ q{SELECT support.grant_access('ann', 'boss')}, '22023' ],
	[ q{SELECT support.grant_access(NULL, 'app')}, '22023' ], [ q{SELECT support.grant_access('ann', NULL)}, '22023' ],
	[ q{SELECT support.grant_access(current_user, 'app')}, '55000' ], [ q{SELECT support.revoke_access('stranger')}, 'P0002' ],
	[ 'DROP ROLE rep', '2BP01' ]);
is(scalar sqlstate($node, 'desk', $_->[0]), $_->[1], "$_->[0]: $_->[1]") foreach @refused;
is($node->safe_psql('desk', <<'SQL'), '8', 'who granted access is in the log');
SELECT count(*) FROM support.audit_log WHERE table_name = 'access' AND action = 'INSERT' AND db_role = current_user
SQL
$node->safe_psql('desk', "GRANT USAGE ON SCHEMA support TO stranger; GRANT SELECT ON support.tickets TO stranger; SELECT support.revoke_access('agents'), support.revoke_access('lou')");
is($node->safe_psql('desk', q(SELECT count(*) FROM pg_policies WHERE schemaname = 'support')), '0', 'without agents there are no policies');
is($node->safe_psql('desk', q(SELECT count(*) FROM pg_class WHERE relnamespace = 'support'::regnamespace AND relrowsecurity)), '0', 'and no row security');
is(seen('ann', 'SELECT FROM support.tickets'), '-', 'whose access was revoked has no rights');
is(seen('aud', 'SELECT count(*) > 0 FROM support.tickets'), 't', 'others have theirs');
my ($state, $message) = sqlstate($node, 'desk', "SELECT support.grant_access('agents', 'agent')");
is($state, '55000', 'nobody is cut off');
like($message, qr/hold rights on the desk: stranger$/m, 'without being named');
$node->safe_psql('desk', "SELECT support.grant_access('stranger', 'left_out'), support.grant_access('agents', 'agent')");
is(seen('stranger', 'SELECT count(*) FROM support.tickets'), '0', 'who is left out on purpose sees nothing');
$node->safe_psql('desk', "CREATE POLICY own ON support.tickets TO stranger USING (id = 3)");
is(seen('stranger', 'SELECT id FROM support.tickets'), '3', 'but by a policy of the owner');
$node->safe_psql('desk', "SELECT support.revoke_access('agents')");
is(seen('stranger', 'SELECT id FROM support.tickets'), '3', 'which row security stays on for');

$node->stop;
done_testing();
