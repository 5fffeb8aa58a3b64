# The demonstration desk: equal variables give equal desks, its books agree with its comments and its log, and the
# reports print.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = "$FindBin::RealBin/../..";
my $end = '2026-03-31 18:00:00+00';

my $node = PostgreSQL::Test::Cluster->new('demo');
$node->init;

# Without autovacuum both desks are planned from the same statistics, so even the order of two log entries is the same
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off");
$node->start;

# A database with a new desk
sub new_desk
{
	my ($name) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION support_ext');
	return;
}

# The command that fills a desk
sub fill
{
	my ($name, %variables) = @_;

	return [
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', (map { ('-v', "$_=$variables{$_}") } sort keys %variables),
		'-f', "$source/demo/desk.sql", '-d', $name
	];
}

# All rows of a table, but for what tells one database from another
sub rows_of
{
	my ($name, $table) = @_;

	return $node->safe_psql($name, "SELECT to_jsonb(t) - '{xid,era,relid}'::text[] AS r FROM $table AS t ORDER BY r");
}

# Do two desks hold the same in a table? If not, show where they part.
sub is_equal
{
	my ($table, @names) = @_;
	my ($one, $two) = map { [ split /\n/, rows_of($_, $table) ] } @names;
	my ($n) = grep { ($one->[$_] // '') ne ($two->[$_] // '') } 0 .. ($#$one > $#$two ? $#$one : $#$two);

	ok(!defined $n, "$table: the same " . @$one . ' rows')
	  or diag(join "\n", map { $_->[$n] // 'no such row' } $one, $two);
	return;
}

# What a query finds on the first desk, at the time when its story ends
sub found
{
	my ($query) = @_;

	return $node->safe_psql('desk_one', "SET support_ext.now = '$end'; $query");
}

# Two desks from the same variables

new_desk($_) for qw(desk_one desk_two desk_three);
my %variables = (tickets => 300, today => '2026-03-31');
for my $name (qw(desk_one desk_two))
{
	$node->command_checks_all(fill($name, %variables),
		0,
		[qr/^$/],
		[ qr/NOTICE:  300 tickets with \d+ events are planned/, qr/NOTICE:  March 2026 .* open at its end/ ],
		"$name is filled, with progress shown");
}

# Digests are of transactions, too, which no two databases share
my @tables = split /\n/, $node->safe_psql('desk_one', <<'SQL');
SELECT c.oid::regclass
FROM pg_class AS c
WHERE c.relnamespace IN ('support'::regnamespace, 'support_internal'::regnamespace)
	AND c.relkind = 'r'
	AND c.oid NOT IN
		(
			'support_internal.eras'::regclass, 'support_internal.schema_version'::regclass,
			'support_internal.audit_seals'::regclass, 'support_internal.audit_leaves'::regclass
		)
ORDER BY 1
SQL
cmp_ok(scalar @tables, '>=', 15, 'the tables of a desk are found');
is_equal($_, 'desk_one', 'desk_two') for @tables;

$node->command_ok(fill('desk_three', %variables, seed => 2), 'a desk from another seed is filled');
isnt(rows_of('desk_three', 'support.tickets'), rows_of('desk_one', 'support.tickets'), 'it is another desk');

# It shows what a desk goes through

is(found(<<'SQL'), '', 'every sort of thing happens on it');
SELECT w.what
FROM
	(
		SELECT 'status ' || s.name, EXISTS
			(SELECT FROM support.audit_log AS a WHERE s.name IN (a.old_value ->> 'status', a.new_value ->> 'status'))
		FROM support.statuses AS s
		UNION ALL
		SELECT 'priority ' || p.name, EXISTS (SELECT FROM support.tickets AS t WHERE t.priority = p.name)
		FROM support.priorities AS p
		UNION ALL
		SELECT 'user ' || r.role, EXISTS (SELECT FROM support.users AS u WHERE u.role = r.role)
		FROM unnest('{customer,light_agent,agent,team_lead,admin,bot}'::text[]) AS r (role)
		UNION ALL
		SELECT 'channel ' || c.name, EXISTS (SELECT FROM support.tickets AS t WHERE t.channel = c.name)
		FROM unnest('{email,web,chat,phone}'::text[]) AS c (name)
		UNION ALL
		SELECT 'comment via ' || v.via, EXISTS (SELECT FROM support.comments AS c WHERE c.via = v.via)
		FROM unnest('{api,email,web,auto}'::text[]) AS v (via)
		UNION ALL
		SELECT 'deleted ticket, ' || h.how, EXISTS (SELECT FROM support.deleted_tickets AS d WHERE d.how = h.how)
		FROM unnest('{marked,removed}'::text[]) AS h (how)
		UNION ALL
		SELECT 'private note', EXISTS (SELECT FROM support.comments AS c WHERE c.is_private)
		UNION ALL
		SELECT 'reopened ticket', EXISTS (SELECT FROM support.tickets AS t WHERE t.reopen_count > 0)
		UNION ALL
		SELECT 'ticket on behalf', EXISTS (SELECT FROM support.tickets AS t WHERE t.requester_id <> t.creator_id)
		UNION ALL
		SELECT 'ticket that nobody has', EXISTS (SELECT FROM support.ticket_list AS l WHERE l.assignee IS NULL)
		UNION ALL
		SELECT 'agent who left', EXISTS (SELECT FROM support.users AS u WHERE NOT u.is_active)
		UNION ALL
		SELECT 'custom field', EXISTS (SELECT FROM support.tickets AS t WHERE t.custom <> '{}')
		UNION ALL
		SELECT 'attachment', EXISTS (SELECT FROM support.attachments)
		UNION ALL
		SELECT 'watcher', EXISTS (SELECT FROM support.ticket_watchers)
		UNION ALL
		SELECT 'promise by ' || p.name, EXISTS (SELECT FROM support.sla_clocks AS c WHERE c.policy_id = p.id)
		FROM support.sla_policies AS p
		UNION ALL
		SELECT 'promise that was ' || k.outcome, EXISTS
			(SELECT FROM support.report_sla AS r WHERE CASE k.outcome WHEN 'kept' THEN r.achieved ELSE r.breached END > 0)
		FROM unnest('{kept,broken}'::text[]) AS k (outcome)
		UNION ALL
		SELECT 'warning', EXISTS (SELECT FROM support.sla_events AS e WHERE e.kind = 'warn')
		UNION ALL
		SELECT 'change of assignee', EXISTS
			(SELECT FROM support.audit_log AS a WHERE a.old_value ->> 'assignee_id' <> a.new_value ->> 'assignee_id')
	) AS w (what, happens)
WHERE NOT w.happens
SQL
is(found('SELECT count(*) BETWEEN 290 AND 300 FROM support.tickets'),
	't', 'there are as many tickets as were asked for, but for the removed ones and those of the last evening');
cmp_ok(found("SELECT percent FROM support.report_status WHERE status = 'closed'"), '>', 50, 'most tickets are closed');

is(found(<<'SQL'), 'urgent|Aisha Rahman|first_reply|00:53:00', 'one promise is due within the hour');
SELECT r.priority, r.assignee, r.metric, r.slack FROM support.sla_at_risk('1 hour') AS r
SQL
is(found(<<'SQL'), 't||', 'the log was sealed by night and at the end, and the seals hold');
SELECT v.seals > 150, v.first_bad, v.finding FROM support.verify_audit() AS v
SQL

# Its books agree with what happened

my $open = found(<<'SQL');
SELECT count(*)
FROM support.tickets AS t
JOIN support.statuses AS s ON s.name = t.status
WHERE t.deleted_at IS NULL AND s.category NOT IN ('solved', 'closed')
SQL
cmp_ok($open, '>', 0, 'some tickets are still open');
is(found('SELECT day, open_at_end FROM support.report_daily ORDER BY day DESC LIMIT 1'),
	"2026-03-31|$open", 'the last day of report_daily ends with them');

is(found(<<'SQL'), '', 'the reply bookkeeping of each ticket agrees with its comments');
SELECT t.id, t.reply_count, t.first_replied_at, t.last_agent_at, t.last_customer_at, w.*
FROM support.tickets AS t
JOIN support.users AS creator ON creator.id = t.creator_id
CROSS JOIN LATERAL
	(
		SELECT
			count(*) FILTER (WHERE c.author_role <> 'customer') AS replies,
			min(c.created_at) FILTER (WHERE c.author_role <> 'customer') AS first_reply_at,
			max(c.created_at) FILTER (WHERE c.author_role <> 'customer') AS last_reply_at,
			greatest
			(
				max(c.created_at) FILTER (WHERE c.author_role = 'customer'),
				CASE WHEN creator.role = 'customer' OR t.creator_id = coalesce(t.requester_id, t.creator_id) THEN t.created_at END
			) AS last_customer_at
		FROM support.comments AS c
		WHERE c.ticket_id = t.id
			AND NOT c.is_private
			AND c.deleted_at IS NULL
			AND c.author_role IN ('customer', 'agent', 'team_lead', 'admin')
			AND c.via NOT IN ('auto', 'bot')
	) AS w
WHERE (t.reply_count, t.first_replied_at, t.last_agent_at, t.last_customer_at)
	IS DISTINCT FROM (w.replies::integer, w.first_reply_at, w.last_reply_at, w.last_customer_at)
ORDER BY t.id
SQL

is(found(<<'SQL'), '', 'reopen_count is the number of times that the log has the ticket leave solved and closed');
SELECT t.id, t.reopen_count, r.reopenings
FROM support.tickets AS t
CROSS JOIN LATERAL
	(
		SELECT count(*) AS reopenings
		FROM support.audit_log AS a
		JOIN support.statuses AS o ON o.name = a.old_value ->> 'status'
		JOIN support.statuses AS n ON n.name = a.new_value ->> 'status'
		WHERE a.ticket_id = t.id
			AND a.table_name = 'tickets'
			AND a.action = 'UPDATE'
			AND o.category IN ('solved', 'closed')
			AND n.category NOT IN ('solved', 'closed')
	) AS r
WHERE t.reopen_count <> r.reopenings
ORDER BY t.id
SQL

is(found(<<'SQL'), '', 'version is the number of changes that the log has, and one for the opening');
SELECT t.id, t.version, c.changes
FROM support.tickets AS t
CROSS JOIN LATERAL
	(
		SELECT count(*) AS changes
		FROM support.audit_log AS a
		WHERE a.ticket_id = t.id AND a.table_name = 'tickets' AND a.action = 'UPDATE' AND a.new_value ? 'version'
	) AS c
WHERE t.version <> 1 + c.changes
ORDER BY t.id
SQL

is(found(<<"SQL"), '', 'the log goes forward in time and ends with the story');
SELECT a.id, a.occurred_at
FROM (SELECT l.id, l.occurred_at, lag(l.occurred_at) OVER (ORDER BY l.id) AS before FROM support.audit_log AS l) AS a
WHERE a.occurred_at < a.before OR a.occurred_at > '$end'
ORDER BY a.id
SQL

# A desk in use is left alone

my $before = rows_of('desk_one', 'support.audit_log');
$node->command_checks_all(fill('desk_one', tickets => 5),
	3, [qr/^$/], [qr/ERROR:  this desk is in use/], 'a desk in use is refused');
ok(rows_of('desk_one', 'support.audit_log') eq $before, 'and not changed');

# The reports print

my @headings = (
	'Tickets by status',
	'Unsolved tickets by priority',
	'The last 14 days',
	'Agents',
	'Teams',
	'The ten tickets whose customer waits longest',
	'The ten tickets that were deleted last'
);
my @reports = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$source/psql/reports.sql", '-d');
{
	local $ENV{PGOPTIONS} = "-c support_ext.now='2026-03-31\\ 18:00+00'";
	$node->command_checks_all(
		[ @reports, 'desk_one' ],
		0,
		[
			(map { qr/^ *\Q$_\E$/m } @headings),
			qr/^ 2026-03-18 Wed .*\n(?:.*\n){12} 2026-03-31 Tue \| +\d+ \| +\d+ \| +\d+ \| +$open$/m,
			qr/^ Hana Sato +\| /m,
			qr/ spam *$/m
		],
		[qr/^$/],
		'the reports of the desk print, and fourteen days of them');
}
new_desk('desk_empty');
$node->command_checks_all([ @reports, 'desk_empty' ], 0, [ map { qr/^ *\Q$_\E$/m } @headings ],
	[qr/^$/], 'the reports of an empty desk print');

$node->stop;
done_testing();
