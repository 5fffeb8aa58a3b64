# Whatever becomes of tickets, under whatever policies and calendars: the clocks say what somebody finds who follows
# them minute by minute, and it makes no difference whether anybody ticks.
#
# Calendars and policies of chance; tickets that are opened, changed, replied to, solved, reopened, deleted and brought
# back at random minutes; policies that are edited. All this happens in two databases alike: in one of them the desk
# ticks at random times, in batches of random size, in the other one not before the end. sla_oracle.sql keeps what was
# done, knows from it what each clock must say at each look and in the end, and which warnings and breaches are in the
# ledger. The ledgers of the two databases must be equal but for ids and times of writing, and sla_explain() must add up
# to what each clock has used.
#
# SUPPORT_EXT_TEST_CHANGES says how many things are done in each round, 250 unless set, and SUPPORT_EXT_TEST_ROUNDS how
# many rounds there are, 3 unless set; SUPPORT_EXT_TEST_SEED draws others.

use strict;
use warnings;

use Desk;
use FindBin;
use List::Util 'shuffle';
use PostgreSQL::Test::Utils;
use Test::More;

my $changes = $ENV{SUPPORT_EXT_TEST_CHANGES} // 250;
my $rounds = $ENV{SUPPORT_EXT_TEST_ROUNDS} // 3;
my $seed = take_seed();
my $tickets = 12;
my @metrics = qw(first_reply next_reply periodic_update requester_wait agent_work resolution ownership);
my @calendars = (undef, 1 .. 4);
my $node = start_server('desk', 'log_statement = none', 'synchronous_commit = off', 'autovacuum = off');

$node->safe_psql('postgres', 'CREATE DATABASE model');
$node->safe_psql('model', <<'SQL' . slurp_file("$FindBin::Bin/../sla_oracle.sql"));
CREATE EXTENSION support_ext;
INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann', 'agent'),
	('bob@desk.example', 'Bob', 'agent'),
	('carl@corp.example', 'Carl', 'customer');
INSERT INTO support.organizations (name) VALUES ('Northwind'), ('Contoso');
SELECT support.create_team('Team ' || n, actor_id => 1) FROM generate_series(1, 2) AS n;
INSERT INTO support.statuses (name, category, position) VALUES ('fresh', 'new', 5);
CREATE SCHEMA oracle;
SQL

sub json_string { return defined $_[0] ? qq("$_[0]") : 'null' }

sub json_list { return '[' . join(', ', map { json_string($_) } @_) . ']' }

# Some of these, at random
sub some_of
{
	my ($chance, @all) = @_;

	return grep { rand() < $chance } @all;
}

# Spans of a day, apart from each other, some over midnight; the night before may reach until six
sub any_spans
{
	my ($shape) = @_;

	return one_of('"09:00-12:00", "13:00-17:30"', '"08:15-16:45"', '"07:00-07:40", "10:00-24:00"', '')
	  if $shape eq 'day';
	return one_of('"22:00-30:00"', '"20:30-24:00"', '"06:00-08:00", "23:10-29:50"');
}

# A date, or the same day of every year, that is closed or open otherwise than its weekday
sub any_holiday
{
	my ($date) = @_;
	my $day = one_of($date, substr $date, 5);

	return one_of(qq("$day"), qq({"day": "$day", "closed": "10:00-12:30"}), qq({"day": "$day", "open": "05:00-06:30"}),
		qq({"day": "$day", "hours": ["8:00-9:00", "16:00-26:00"]}), qq({"day": "$date", "last_day": "2026-12-31", "closed": "12:00-13:00"}));
}

# A calendar of chance about these days, on which clocks change
sub any_calendar
{
	my ($name, $zone, @days) = @_;
	my $shape = one_of('day', 'night');
	my $hours = join ', ', qq("wed": ["09:00-12:00"]),
	  map { qq("$_": [) . any_spans($shape) . ']' } qw(mon tue thu fri sat sun);
	my $later = one_of('', qq(, "$days[2]": {"wed-mon": ["07:30-11:00", "19:00-25:00"]}));
	my $holidays = join ', ', map { any_holiday($_) } some_of(0.3, @days);

	return "SELECT support.create_calendar('$name', '$zone', '{$hours$later}', '[$holidays]', actor_id => 1);\n";
}

# What a policy asks of tickets; the last one takes all
sub any_conditions
{
	my %choices = (
		priority => sub { json_list(one_of(qw(low normal)), one_of(qw(high urgent))) },
		team_id => sub { json_list(one_of(1, 2)) =~ tr/"//dr },
		organization_id => sub { one_of('[1]', '[2, null]') },
		channel => sub { json_list(one_of('web', 'email', undef), 'phone') },
		tags => sub { '["vip", "slow"]' },
		custom => sub { '{"plan": ' . json_list(one_of('gold', undef)) . '}' }
	);
	my ($key, $other) = shuffle(sort keys %choices);

	return '{' . join(', ', map { qq("$_": ) . $choices{$_}->() } rand() < 0.3 ? ($key, $other) : $key) . '}';
}

sub any_target
{
	my ($metric, $priority) = @_;
	my $calendar = one_of(@calendars);
	my %target = (
		metric => json_string($metric),
		target => json_string(one_of(20, 60, 120, 240, 480, 960) . ' minutes'),
		pause => json_list(some_of(0.3, qw(new open pending hold))),
		warn => '[' . join(', ', some_of(0.3, map { $_ * 5 } 5 .. 19)) . ']'
	);

	$target{priority} = json_string($priority) if $priority;
	$target{calendar_id} = $calendar if $calendar;
	return '{' . join(', ', map { qq("$_": $target{$_}) } sort keys %target) . '}';
}

# What a policy promises: most metrics, some of them otherwise for a priority
sub any_targets
{
	my @targets;

	foreach my $metric (some_of(0.8, @metrics))
	{
		push @targets, map { any_target($metric, $_) } '', some_of(0.2, 'urgent', 'normal');
	}
	return '[' . join(', ', @targets ? @targets : any_target('resolution')) . ']';
}

my %policies;

# A policy is made, or changed, or given up for a while
sub edit_policy
{
	my ($minute, $name) = @_;
	my $is_active = !$policies{$name} || rand() < 0.8 ? 'true' : 'false';

	# what is given up has its clocks replaced before anybody can say from when on they are to count
	my $count_from = $is_active eq 'true' && rand() < 0.4 ? 'now' : 'beginning';

	$policies{$name} //= $name eq 'rest' ? '{}' : any_conditions();
	return "SELECT oracle.edit_policy($minute, '$name', $is_active, '$policies{$name}', '" . any_targets() . "', '$count_from');\n";
}

# What may be in a ticket's columns
my %columns = (
	status => sub { json_string(one_of(qw(open in_progress fresh pending on_hold resolved closed open pending))) },
	priority => sub { json_string(one_of(qw(low normal high urgent), undef)) },
	team_id => sub { one_of(1, 2, 'null') },
	assignee_id => sub { one_of(1, 2, 'null') },
	organization_id => sub { one_of(1, 2, 'null') },
	channel => sub { json_string(one_of('web', 'email', 'phone', undef)) },
	custom => sub { '{"plan": ' . json_string(one_of('gold', 'silver')) . '}' }
);

sub any_columns { return '{' . join(', ', map { qq("$_": ) . $columns{$_}->() } @_) . '}' }

my %actions = (
	set => sub { any_columns(one_of(keys_of(), 'status', 'status', 'status', 'priority')) },
	update => sub { any_columns(some_of(0.4, keys_of()), 'status') },
	reply => sub { rand() < 0.5 ? '{}' : any_columns('status') },
	tag => sub { '{"tag": ' . json_string(one_of('vip', 'slow')) . '}' },
	untag => sub { '{"tag": ' . json_string(one_of('vip', 'slow')) . '}' }
);

sub keys_of { return sort keys %columns }

sub act
{
	my ($minute, $ticket, $kind, $arg) = @_;

	return "SELECT oracle.act($minute, $ticket, '$kind', '$arg');\n";
}

# One thing that is done, by chance to a ticket
sub any_action
{
	my ($minute) = @_;
	my $kind = one_of(qw(set set set update update reply reply ask ask ask note robot tag untag delete remove),
		('restore') x 2);

	return edit_policy($minute, one_of(sort keys %policies)) if rand() < 0.02;
	return act($minute, 1 + int rand $tickets, $kind, exists $actions{$kind} ? $actions{$kind}->() : '{}');
}

# The columns of a ticket when it is opened, by an agent or, more often, by a customer
sub any_new_ticket
{
	my $creator = one_of(1, 3, 3);
	my $status = rand() < 0.9 ? '"open"' : $columns{status}->();
	my $others = any_columns(some_of(0.4, grep { $_ ne 'status' } keys_of()));

	return qq({"creator_id": $creator, "status": $status) . ($others eq '{}' ? '}' : ', ' . substr $others, 1);
}

# Somebody ticks, once or until nothing is left
sub any_tick
{
	my ($minute) = @_;

	my $size = one_of(1, 2, 5, 1000);

	return "SELECT oracle.put_clock($minute);\n" . "SELECT support.sla_tick($size);\n" x one_of(1, 1, 3);
}

# A history, as two scripts: with and without ticks
sub any_history
{
	my ($minute, $quiet, $ticking) = (0, '', '');
	my $add = sub { $quiet .= $_[0]; $ticking .= $_[0] };
	my @unborn = 1 .. $tickets;

	%policies = ();
	$add->(edit_policy(0, $_)) foreach qw(first second rest);
	foreach (1 .. $changes)
	{
		my $passed = one_of(0, 0, 1, 5, 12, 30, int rand 90);

		$ticking .= any_tick($minute + int rand($passed + 1)) if rand() < 0.3;
		$minute += $passed;
		my $action =
		  @unborn && rand() < 0.2 ? act($minute, shift @unborn, 'open', any_new_ticket()) : any_action($minute);
		$add->("BEGIN;\n" . any_action($minute) . any_action($minute) . "ROLLBACK;\n") if rand() < 0.1;
		$add->(rand() < 0.2 ? "BEGIN;\n${action}SAVEPOINT a;\n" . any_action($minute) . "ROLLBACK TO a;\n"
			. any_action($minute) . "COMMIT;\n" : $action);
		$add->("SELECT oracle.look($minute);\n") if rand() < 0.15;
		$ticking .= any_tick($minute) if rand() < 0.1;
	}
	$minute += int rand 3000;
	$add->("SELECT oracle.look($minute);\nSELECT support.sla_tick() FROM generate_series(1, 1000);\n");
	return ($quiet, $ticking);
}

# What must not differ: of the clocks all but when to look at them next, which a look puts off; of the ledger, all but ids
# and times of writing, clock by clock
my %same = (
	'doings' => 'SELECT minute, ticket_id, kind, arg FROM oracle.actions ORDER BY seq',
	'clocks' => "SELECT to_jsonb(c) - 'wake_at' FROM support.sla_clocks AS c ORDER BY ticket_id, id",
	'looks' => 'SELECT * FROM oracle.seen ORDER BY seq, ticket_id, metric, instance',
	'events' => <<'SQL');
SELECT c.ticket_id, c.metric, c.instance, row_number() OVER (PARTITION BY c.ticket_id, c.id ORDER BY e.id), e.kind,
	e.occurred_at, e.consumed, e.reason, e.percent, e.due_at, e.target, e.policy_id, e.policy_version, e.calendar_id,
	e.calendar_version, e.pause_categories, e.team_id, e.assignee_id
FROM support.sla_events AS e
JOIN support.sla_clocks AS c ON c.ticket_id = e.ticket_id AND c.id = e.clock_id
ORDER BY 1, 2, 3, 4
SQL

# Clocks whose explanation has gaps, or does not add up to what is used
my $unexplained = <<'SQL';
SELECT s.ticket_id, s.metric, s.instance, s.consumed, x.counted, x.total, x.gaps
FROM support.sla_status AS s
CROSS JOIN LATERAL
(
	SELECT sum(e.counted) AS counted, (array_agg(e.total ORDER BY e.n DESC))[1] AS total,
		count(*) FILTER (WHERE e.from_at <> e.before_at) AS gaps
	FROM
	(
		SELECT e.*, coalesce(lag(e.to_at) OVER (ORDER BY e.n), s.started_at) AS before_at
		FROM support.sla_explain(s.ticket_id, s.metric, s.instance) WITH ORDINALITY
			AS e (from_at, to_at, status, counted, total, why, n)
		WHERE e.why <> 'not to be counted'
	) AS e
) AS x
WHERE (coalesce(x.counted, '0'), coalesce(x.total, '0'), x.gaps) <> (s.consumed, s.consumed, 0)
SQL

# Clocks that somebody who ticks would look at too late
my $overslept = <<'SQL';
SELECT ticket_id, id, metric, due_at, wake_at
FROM support.sla_clocks
WHERE state = 'running' AND breached_at IS NULL AND due_at IS NOT NULL
	AND (wake_at IS NULL OR wake_at > due_at + interval '1 microsecond')
SQL

my $at_the_end = "SELECT oracle.put_clock(max(minute)) FROM oracle.actions \\g /dev/null\n";

# Where clocks change, and in between
my @places = (
	[ '2026-03-26', 'Europe/Berlin' ], [ '2026-10-22', 'Europe/Berlin' ], [ '2026-03-05', 'America/New_York' ],
	[ '2026-10-29', 'America/New_York' ], [ '2026-04-02', 'Australia/Lord_Howe' ], [ '2026-06-03', 'Asia/Kathmandu' ]);

my %seen;

foreach my $round (1 .. $rounds)
{
	my ($day, $zone) = @{ one_of(@places) };
	my ($quiet, $ticking) = any_history();
	my @days = split /\n/, $node->safe_psql('model', "SELECT date '$day' + n FROM generate_series(0, 5) AS n");
	my $setup = "INSERT INTO oracle.beginning VALUES ('$day 00:00+00');\n"
	  . join('', map { any_calendar("calendar $_", one_of($zone, $zone, 'UTC'), @days) } 1 .. 4)
	  . "SELECT oracle.know_calendars(80000);\n";

	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $_") foreach qw(quiet ticking);
	$node->safe_psql('postgres', 'CREATE DATABASE quiet TEMPLATE model');
	$node->safe_psql('quiet', $setup);
	$node->safe_psql('postgres', 'CREATE DATABASE ticking TEMPLATE quiet');

	my ($out, $errors) = run_together($node, 'quiet', ["SET support_ext.actor_id = 1;\n$quiet"]);
	is($errors, '', "round $round: nothing is refused but what is passed over");
	($out, $errors) = run_together($node, 'ticking', ["SET support_ext.actor_id = 1;\n$ticking"]);
	is($errors, '', "round $round: nor with ticks");

	foreach (sort keys %same)
	{
		is(difference($node->safe_psql('ticking', $same{$_}), $node->safe_psql('quiet', $same{$_})), '',
			"round $round: $_ are the same whoever ticks");
	}
	$node->safe_psql('quiet', 'SELECT oracle.expect()');
	my @differences = split /\n/, $node->safe_psql('quiet', 'SELECT * FROM oracle.differences()');
	ok(!@differences, "round $round: the clocks say what there is to say")
	  or diag join "\n", "SUPPORT_EXT_TEST_SEED=$seed", scalar(@differences) . ' differences',
	  grep { defined } @differences[ 0 .. 19 ];
	is($node->safe_psql('quiet', "$at_the_end$unexplained"), '',
		"round $round: sla_explain() accounts for each");
	foreach (qw(quiet ticking))
	{
		is($node->safe_psql($_, $overslept), '', "round $round, $_: no clock is looked at too late");
		is($node->safe_psql($_, 'SELECT * FROM support.verify_stats()'), '',
			"round $round, $_: the reports count what there is");
		is($node->safe_psql($_, 'SELECT * FROM support_internal.backlog_flaws'), '',
			"round $round, $_: the backlog has what is unsolved, and what is due next");
	}
	foreach (split /\n/, $node->safe_psql('quiet', <<'SQL'))
SELECT 'events: ' || kind, count(*) FROM support.sla_events GROUP BY kind
UNION ALL
SELECT 'events: from now', count(*) FROM support.sla_events WHERE kind = 'activate' AND reason = 'now'
UNION ALL
SELECT 'clocks: ' || concat_ws(', ', metric, state, breach_reason, cancel_reason), count(*)
FROM support.sla_clocks
GROUP BY 1
UNION ALL
SELECT 'looks', count(*) FROM oracle.looks
SQL
	{
		my ($what, $n) = /^(.*)\|(\d+)$/;
		$seen{$what} += $n;
	}
}
note "$seen{$_} $_" foreach sort keys %seen;

# So that nothing passes for want of anything to happen
cmp_ok($seen{"events: $_"} // 0, '>', 0, "there was: $_")
  foreach qw(activate pause resume retarget warn breach breach_voided fulfil cancel), 'from now';
foreach my $metric (@metrics)
{
	cmp_ok(scalar(grep { /^clocks: $metric, / } keys %seen), '>', 1, "$metric ended in several ways");
}
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP|XX000/, 'no session crashed');

$node->stop;
done_testing();
