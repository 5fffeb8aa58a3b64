# Whenever a call is broken off, the session goes on as if it had never been made: every public function, drawn from the
# catalog, is cancelled at random instants by a statement_timeout, by a lock_timeout while others hold locks, and by
# pg_cancel_backend(). After each the same session must be idle, itself, without locks, and able to write. The victim of
# a deadlock is an undo_since(), which works in subtransactions of its own. SUPPORT_EXT_TEST_ROUNDS says how often each
# function is broken off in each way, twice unless set; SUPPORT_EXT_TEST_SEED draws other instants and arguments.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{SUPPORT_EXT_TEST_ROUNDS} // 2;
take_seed();

my $node = start_server('desk', 'deadlock_timeout = 30s', 'log_statement = none');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
use_desk_plainly();

# A desk on which most calls find something to do
sub use_desk_plainly
{
	$node->safe_psql('desk', <<'SQL');
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.set_actor(1);
SELECT support.create_user('bob@desk.example', 'Bob Agent', 'agent');
SELECT support.create_user('cy@shop.example', 'Cy Customer', 'customer');
SELECT support.create_team('First line');
SELECT support.create_calendar('Office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}');
SELECT support.create_sla_policy('Standard', '[{"metric": "first_reply", "target": "4 hours", "calendar": "Office"}]');
SELECT support.create_ticket('Ticket ' || n, 'It hurts', 3, tags => ARRAY['pain']) FROM generate_series(1, 40) AS n;
SELECT support.add_comment(n, 'Where?') FROM generate_series(1, 40) AS n;
SELECT support.add_attachment(n, 'where.txt', 'there') FROM generate_series(1, 40) AS n;
SELECT support.watch_ticket(n, 2) FROM generate_series(1, 40) AS n;
SELECT support.feed_start('follower');
SELECT support.seal_audit();
UPDATE support.tickets SET priority = 'high', status = 'in_progress';
SELECT support.fold_stats();
SQL
	return;
}

# What to pass for an argument, by its name; n is the number of the call in its statement
my $histogram = '(SELECT support.histogram(s) FROM generate_series(1, 9) AS s)';
my %argument = (
	access => q('reporter'), action => q('noted'), assignee_id => '2', at_snapshot => 'pg_current_snapshot()', at_time => 'now()',
	attachment_id => '1 + n % 40', audit_id => '1 + (n * 7) % 400', calendar_id => '1', changes => q('{"channel": "web"}'),
	comment_id => '1 + n % 40', consumer => q('follower'), content => q('Here'), db_role => q('pg_monitor'), email => q('e' || random() || '@x.example'),
	due_at => q(now()), feed_position => q('0/0/0'), filename => q('here.txt'), fraction => '0.5', from_at => q(now() - interval '1 year'),
	full_name => q('Eve Else'), histogram => $histogram, hours => q('{"mon": "09:00-10:00"}'), max_value => '9',
	metric => q('first_reply'), minuend => $histogram, name => q('Name ' || random()), new_owner_id => '3',
	policy => q('{"targets": [{"metric": "first_reply", "target": "1 hour"}]}'), policy_id => '1', priority => q('low'),
	proof => 'support.audit_proof(1)', row_type => 'NULL::support.tickets', seconds => 'n', since => q('-infinity'),
	status => q('pending'), subtrahend => $histogram, tags => q(ARRAY['pain', 'tag ' || n]),
	targets => q('[{"metric": "resolution", "target": "9 hours"}]'), team_id => '1', ticket_id => '1 + n % 40',
	ticket_number => q('T-' || n), time_zone => q('UTC'), title => q('Title'), to_at => 'now()', user_id => '2',
	month => 'current_date', value => 'n', work => q(interval '5 hours'));

# Where the name alone does not tell, and where a call would leave nothing to do for the next one
my $ticket = '1 + n % 40';
my %call = (
	act => q[support.act(support.issue_token(2))],
	deactivate_user => q[support.deactivate_user(support.create_user('e' || random() || '@x.example', 'Eve', 'agent'))],
	set_user_role => q[support.set_user_role(support.create_user('f' || random() || '@x.example', 'Eve', 'agent'), 'customer')],
	delete_comment => "concat(support.delete_comment($ticket, $ticket), support.restore_comment($ticket, $ticket))",
	delete_ticket => "support.delete_ticket($ticket) + support.restore_ticket($ticket)",
	feed_done => q[support.feed_done('follower', (SELECT max(feed_position) FROM support.feed_read('follower', 1)))],
	feed_start => q[concat(support.feed_start('f' || n), support.feed_stop('f' || n))],
	purge_deleted => q[support.purge_deleted('0 seconds')],
	place_hold => "concat(support.lift_hold(support.place_hold($ticket)))",
	lift_hold => "concat(support.lift_hold(support.place_hold(user_id => 3)))",
	erase_user => "support.erase_user(support.create_user('g' || random() || '\@x.example', 'Eve'), dry_run => false)",
	redact_comment => "support.redact_comment($ticket, $ticket, 'e', 'e' || n % 10)",
	set_ticket_rule => q[support.set_ticket_rule('Rule ' || n, '{"status": "closed"}', '1 year', 'erase_content')],
	report => q[support.report('created', group_by => 'status')],
	rows_as_of => "support.rows_as_of(NULL::support.tickets, $ticket, now())",
	set_actor => 'support.set_actor(1)',
	undo_since => q[support.undo_since(1, '-infinity', n % 2 = 1)]);
$call{restore_ticket} = $call{delete_ticket};
$call{restore_comment} = $call{delete_comment};
$call{feed_stop} = $call{feed_start};

my (@calls, @unknown);
foreach (split /\n/, $node->safe_psql('desk', <<'SQL'))
SELECT p.proname, array_to_string(p.proargnames[1:p.pronargs - p.pronargdefaults], ' ')
FROM pg_proc AS p
WHERE p.pronamespace = 'support'::regnamespace
ORDER BY p.oid::regprocedure::text COLLATE "C"
SQL
{
	my ($name, $required) = split /\|/, $_, -1;
	my @required = split / /, $required;

	push @unknown, map { "$name($_)" } grep { !defined $call{$name} && !defined $argument{$_} } @required;
	push @calls, $call{$name} // "support.$name(" . join(', ', map { $argument{$_} // 'NULL' } @required) . ')';
}
is("@unknown", '', 'the test knows what to pass for every argument');
cmp_ok(scalar @calls, '>', 70, 'every public function is called');

# Changes by plain SQL, whose triggers do the desk's work
push @calls, map { "SQL: $_" } (
	q(UPDATE support.tickets SET status = CASE status WHEN 'open' THEN 'pending' ELSE 'open' END),
	q(INSERT INTO support.comments (ticket_id, author_id, content) SELECT id, 3, 'It hurts' FROM support.tickets),
	q(DELETE FROM support.comments WHERE id > 40),
	q(INSERT INTO support.tickets (title, description, creator_id) SELECT 'More', '', 3 FROM generate_series(1, 99)),
	q(DELETE FROM support.tickets WHERE id > 40),
	q(SELECT count(*) FROM support.undo_since(1, '-infinity', false)));

# The statement that makes a call many times, or one change of many rows
sub statement_of
{
	my ($call) = @_;

	return "$call /* break */" if $call =~ s/^SQL: //;
	return "SELECT count(c) FROM (SELECT $call AS c FROM generate_series(1, 60) AS n OFFSET 0) AS calls /* break */";
}

# What each round says in the end: how the first statement after it fared, which a late cancellation may hit, then who and
# where the session is. The lock keeps the next cancellation from being sent while the session is looked at.
my $state = <<'SQL';
SELECT pg_advisory_lock(7);
\set first :SQLSTATE
SELECT pg_advisory_lock(7);
SELECT pg_advisory_unlock_all();
SELECT now() = statement_timestamp() AS idle
\gset
UPDATE support.users SET full_name = full_name || '!' WHERE id = 1;
UPDATE support.users SET full_name = 'Ada Admin' WHERE id = 1;
SELECT concat_ws(' ', replace(:'first', '57014', '00000'), :'idle', current_user,
	current_setting('support_ext.actor_id'), current_setting('search_path'), current_setting('datestyle'),
	(SELECT full_name FROM support.users WHERE id = 1),
	(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()
		AND (locktype = 'advisory' OR relation::regclass::text LIKE 'support%' AND mode LIKE '%Exclusive%'))) AS state
\gset
\echo :number :state
\unset idle
\unset state
SQL
my $expected = '00000 t postgres 1 "$user", public ISO, MDY Ada Admin 0';

# A session that breaks off each call so often, with the settings that are drawn for it
sub session
{
	my ($settings) = @_;
	my $script = "SET client_min_messages = warning;\nSET support_ext.actor_id = 1;\n\\o /dev/null\n" . seed_session();

	foreach my $number (0 .. $rounds * @calls - 1)
	{
		$script .= join "\n", "\\set number $number", $settings->(), statement_of($calls[ $number % @calls ]) . ';',
		  "\\warn $number :SQLSTATE", 'RESET statement_timeout;', 'RESET lock_timeout;', $state;
	}
	return $script;
}

# Judge what the rounds of a session have printed, and what it was told; $broken are the SQLSTATEs of a call broken off
sub judge
{
	my ($name, $out, $err, $broken) = @_;
	my %state = $out =~ /^(\d+) (.*)$/mg;
	my @wrong = map { "$calls[ $_ % @calls ]: " . ($state{$_} // 'no answer') }
	  grep { ($state{$_} // '') ne $expected } 0 .. $rounds * @calls - 1;
	my @broken = $err =~ /^\d+ ($broken)$/mg;

	is(join("\n", @wrong), '', "$name: the session goes on");
	cmp_ok(scalar @broken, '>', $rounds * @calls / 20, "$name: calls were broken off (" . @broken . ')');
	return;
}

sub judge_log
{
	my ($name) = @_;
	my @lines = grep { /(WARNING|PANIC|FATAL|TRAP):|terminated by signal/ } split /\n/, slurp_file($node->logfile);

	is(join("\n", @lines), '', "$name: the server warns of nothing");
	return;
}

# A session that does something again and again until a file is there no more: the others have ended
sub loop
{
	my ($body) = @_;

	return seed_session() . <<"SQL";
DO \$\$
DECLARE
	victim integer;
	relation text;
BEGIN
	PERFORM pg_sleep(0.1);
	WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'victim') LOOP
		$body
		COMMIT;
		PERFORM pg_sleep(random() * 0.01);
	END LOOP;
END
\$\$;
SQL
}

sub victim
{
	my ($settings) = @_;

	return "SET application_name = 'victim';\n" . session($settings);
}

my ($out, $err) = run_together($node, 'desk', [ session(sub { 'SET statement_timeout = ' . (1 + int rand 12) . ';' }) ]);
judge('statement_timeout', $out, $err, '57014');
judge_log('statement_timeout');

($out, $err) = run_together($node, 'desk',
	[ victim(sub { 'SET lock_timeout = ' . (1 + int rand 8) . ";\nSET statement_timeout = 100;" }), loop(<<'SQL') ]);
SELECT format('support%s.%I', CASE nspname WHEN 'support' THEN '' ELSE '_internal' END, relname) INTO relation
		FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
		WHERE nspname IN ('support', 'support_internal') AND relkind IN ('r', 'p') ORDER BY random() LIMIT 1;
		IF random() < 0.5 THEN
			EXECUTE format('LOCK TABLE %s IN %s MODE', relation, (ARRAY['SHARE', 'ACCESS EXCLUSIVE'])[1 + (random() * 2)::integer % 2]);
		ELSE
			PERFORM FROM support.tickets WHERE id % 5 = (random() * 4)::integer FOR UPDATE;
		END IF;
		PERFORM pg_sleep(random() * 0.02);
SQL
judge('lock_timeout', $out, $err, '55P03|57014');

($out, $err) = run_together($node, 'desk', [ victim(sub { 'SET statement_timeout = 100;' }), loop(<<'SQL') ]);
SELECT pid INTO victim FROM pg_stat_activity
		WHERE application_name = 'victim' AND state = 'active' AND query LIKE '%/* break */%'
			AND clock_timestamp() > query_start + random() * interval '20 ms';
		IF pg_try_advisory_xact_lock(7) AND EXISTS (SELECT FROM pg_stat_get_activity(victim) WHERE query LIKE '%/* break */%') THEN
			PERFORM pg_cancel_backend(victim);
		END IF;
SQL
judge('pg_cancel_backend()', $out, $err, '57014');
judge_log('the rounds');

# An undo_since() that waits for a row when it is broken off: of ticket 1, after ticket 2 was undone
$node->safe_psql('desk', <<'SQL');
CREATE FUNCTION public.wait_for_lock(key bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR attempt IN 1 .. 1000 LOOP
		EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE CASE key WHEN 0 THEN NOT granted ELSE locktype = 'advisory' AND objid = key END);
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;
CREATE FUNCTION public.wait_for_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(8);
	PERFORM public.wait_for_lock(0);
	RETURN NULL;
END
$$;
SET support_ext.actor_id = 2;
UPDATE support.tickets SET priority = 'urgent' WHERE id = 1;
UPDATE support.tickets SET priority = 'urgent' WHERE id = 2;
CREATE TRIGGER wait_for_waiting AFTER UPDATE ON support.tickets FOR EACH ROW WHEN (NEW.id = 2 AND NEW.priority <> OLD.priority)
	EXECUTE FUNCTION public.wait_for_waiting();
ALTER TABLE support.tickets DISABLE TRIGGER wait_for_waiting;
SQL
my $since = $node->safe_psql('desk', q(SELECT max(occurred_at) FROM support.audit_log WHERE ticket_id = 1 AND actor_id = 2));

# What undo_since() fails with under these settings, and what its session is like then, while another does something
sub broken_off
{
	my ($dry_run, $settings, $other) = @_;
	my ($told) = run_together($node, 'desk', [ <<"SQL", <<"OTHER" ]);
SET client_min_messages = warning;
SET support_ext.actor_id = 1;
\\o /dev/null
SELECT public.wait_for_lock(9);
$settings
SELECT count(*) FROM support.undo_since(2, '$since', $dry_run);
\\set number :SQLSTATE
RESET statement_timeout;
RESET lock_timeout;
$state
SQL
BEGIN;
UPDATE support.tickets SET title = title WHERE id = 1;
\\o /dev/null
SELECT pg_advisory_xact_lock(9);
$other
ROLLBACK;
OTHER
	return $told =~ s/\n\z//r;
}

foreach my $dry_run ('true', 'false')
{
	is(broken_off($dry_run, q(SET statement_timeout = '100ms';), 'SELECT pg_sleep(0.5);'),
		"57014 $expected", "undo_since(dry_run => $dry_run) by a statement_timeout");
	is(broken_off($dry_run, q(SET lock_timeout = '50ms';), 'SELECT pg_sleep(0.5);'),
		"55P03 $expected", "undo_since(dry_run => $dry_run) by a lock_timeout");
	$node->safe_psql('desk', 'ALTER TABLE support.tickets ENABLE TRIGGER wait_for_waiting');
	is(broken_off($dry_run, q(SET deadlock_timeout = '50ms';),
			q(SELECT public.wait_for_lock(8); UPDATE support.tickets SET title = title WHERE id = 2;)),
		"40P01 $expected", "undo_since(dry_run => $dry_run) by a deadlock");
	$node->safe_psql('desk', 'ALTER TABLE support.tickets DISABLE TRIGGER wait_for_waiting');
}
is($node->safe_psql('desk', "SELECT count(*), count(refusal) FROM support.undo_since(2, '$since', false)"), '2|0',
	'what was not undone then can be');

done_testing();
