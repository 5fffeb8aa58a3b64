# Whatever is done to the desk, and whoever does it at the same time: what it was can be told exactly, and what one user
# has done can be taken back.
#
# Sessions change tickets and comments at random, by functions and by plain SQL, with savepoints, rollbacks and
# refusals. Meanwhile copies of both tables are kept with their snapshots, and between the rounds copies with their
# times. In the end each copy is held against the past, byte for byte.
#
# SUPPORT_EXT_TEST_CHANGES says how many transactions the sessions make in all, 1,600 unless set; SUPPORT_EXT_TEST_SEED
# draws others, though nothing repeats the order in which sessions come.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $transactions = $ENV{SUPPORT_EXT_TEST_CHANGES} // 1600;
my $sessions = 4;
my $rounds = 5;
my $copies_in_a_round = 8;
take_seed();
my $node = start_server('desk', 'log_statement = none', 'deadlock_timeout = 10ms', 'synchronous_commit = off');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
INSERT INTO support.users (email, full_name, role)
SELECT 'agent' || n || '@desk.example', 'Agent ' || n, 'agent' FROM generate_series(1, 3) AS n
UNION ALL
SELECT 'customer' || n || '@corp.example', 'Customer ' || n, 'customer' FROM generate_series(4, 6) AS n;
INSERT INTO support.users (email, full_name, role) VALUES ('mallory@desk.example', 'Mallory', 'agent');
SELECT support.create_team('Printers');

-- columns of ours, of types whose values are not all text and numbers
ALTER TABLE support.tickets
	ADD COLUMN price numeric,
	ADD COLUMN weight double precision,
	ADD COLUMN seen timestamptz[],
	ADD COLUMN photo bytea,
	ADD COLUMN during tstzrange,
	ADD COLUMN title_length integer GENERATED ALWAYS AS (length(title)) STORED;

INSERT INTO support.tickets (title, description, creator_id, price, weight, seen, photo, during)
SELECT 'Ticket ' || n, repeat('words ', n), 4 + n % 3, n / 8.0, sqrt(n), ARRAY[now(), NULL], decode('00ff', 'hex'),
	tstzrange(now(), NULL)
FROM generate_series(1, 60) AS n;

CREATE TABLE copies (copy integer PRIMARY KEY, snapshot pg_snapshot, at_time timestamptz);
CREATE TABLE copied_tickets (copy integer, row_copied support.tickets);
CREATE TABLE copied_comments (copy integer, row_copied support.comments);
CREATE INDEX ON copied_tickets (copy);
CREATE INDEX ON copied_comments (copy);
SQL

# What a word in angle brackets stands for in a change
my %words = (
	ticket => sub { '(SELECT id FROM support.tickets ORDER BY random() LIMIT 1)' },
	comment => sub { '(SELECT * FROM support.comments ORDER BY random() LIMIT 1) AS c' },
	agent => sub { one_of(1 .. 3) },
	customer => sub { one_of(4 .. 6) },
	title => sub { one_of('Printer', 'Screen', 'Mouse', 'Überhitzt') . ' ' . int rand 1000 },
	status => sub { one_of(qw(open in_progress pending on_hold resolved closed)) },
	priority => sub { one_of("'low'", "'normal'", "'high'", "'urgent'", 'NULL') },
	tags => sub { '{' . join(',', map { one_of(qw(fire water driver toner)) } 0 .. rand 3) . '}' },
	number => sub { int rand 100_000 },
	# does not compress, and is kept out of line
	long => sub { "(SELECT string_agg(md5(n || '" . rand() . "'), ' ') FROM generate_series(1, 300) AS n)" }
);

# What may be done to the desk: by functions, and by plain SQL to single rows and many, to some of them twice
my @changes = split /;\n\s*/, <<'SQL';
SELECT support.create_ticket('<title>', 'text', <customer>, tags => '<tags>');
SELECT support.update_ticket(<ticket>, '{"title": "<title>"}');
SELECT support.update_ticket(<ticket>, '{"custom": {"floor": <number>, "list": [1.50, null]}}');
SELECT support.update_ticket(<ticket>, '{"custom": null, "description": "", "tags": ["fire"]}');
SELECT support.set_status(<ticket>, '<status>');
SELECT support.set_priority(<ticket>, <priority>);
SELECT support.assign_ticket(<ticket>, <agent>, 1);
SELECT support.add_comment(<ticket>, '<title>', author_id => <customer>);
SELECT support.add_comment(<ticket>, '<title>', author_id => <agent>, status => '<status>');
SELECT support.add_comment(<ticket>, <long>, true, author_id => <agent>);
SELECT support.edit_comment(ticket_id, id, '<title>') FROM <comment>;
SELECT support.delete_comment(ticket_id, id) FROM <comment>;
SELECT support.restore_comment(ticket_id, id) FROM support.comments WHERE deleted_at IS NOT NULL LIMIT 1;
SELECT support.add_attachment(ticket_id, 'a.txt', 'a', comment_id => id) FROM <comment>;
SELECT support.tag_ticket(<ticket>, '<tags>');
SELECT support.untag_ticket(<ticket>, '<tags>');
SELECT support.watch_ticket(<ticket>, <agent>);
SELECT support.delete_ticket(<ticket>, 'a test');
SELECT support.restore_ticket(ticket_id)
FROM (SELECT ticket_id FROM support.deleted_tickets ORDER BY random() LIMIT 1) AS d;
SELECT support.restore_ticket(ticket_id)
FROM (SELECT ticket_id FROM support.deleted_tickets WHERE how = 'removed' ORDER BY random() LIMIT 2) AS d;
SELECT support.restore_ticket(ticket_id)
FROM (SELECT ticket_id FROM support.deleted_tickets WHERE how = 'marked' ORDER BY random() LIMIT 2) AS d;
UPDATE support.tickets SET title = '<title>' WHERE id = <ticket>;
UPDATE support.tickets SET description = <long> WHERE id = <ticket>;
UPDATE support.tickets SET status = '<status>', title = title || '.' WHERE id % 7 = <number> % 7;
UPDATE support.tickets SET price = random()::numeric, weight = random(), seen = seen || now() WHERE id % 9 = <number> % 9;
UPDATE support.tickets SET photo = sha256(title::bytea), during = tstzrange(created_at, now()) WHERE id = <ticket>;
UPDATE support.tickets SET title = title, created_at = created_at WHERE id = <ticket>;
UPDATE support.tickets SET deleted_at = now() WHERE id = <ticket>;
UPDATE support.comments SET content = content || '!' WHERE ticket_id % 5 = <number> % 5;
INSERT INTO support.tickets (title, description, creator_id, price)
SELECT '<title>', '', <customer>, n / 100.00 FROM generate_series(1, 3) AS n;
INSERT INTO support.tickets AS t (id, title, description, creator_id)
SELECT id, title, '', creator_id FROM support.tickets WHERE id % 11 = <number> % 11
ON CONFLICT (id) DO UPDATE SET title = excluded.title || '?', version = t.version;
INSERT INTO support.comments (ticket_id, author_id, content)
SELECT id, creator_id, 'Me too' FROM support.tickets WHERE id % 13 = <number> % 13;
MERGE INTO support.tickets AS t
USING (SELECT id FROM support.tickets ORDER BY random() LIMIT 3) AS s ON s.id = t.id
WHEN MATCHED AND t.id % 3 = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET priority = <priority>;
WITH c AS
	(INSERT INTO support.comments (ticket_id, author_id, content) VALUES (<ticket>, <customer>, 'Both') RETURNING ticket_id)
UPDATE support.tickets SET title = title || '+' WHERE id = <ticket>;
DELETE FROM support.tickets WHERE id = <ticket>;
DELETE FROM support.tickets WHERE id % 31 = <number> % 31;
DELETE FROM support.comments WHERE id % 17 = <number> % 17;
SQL
push @changes, "COPY support.tickets (title, description, creator_id) FROM stdin;\nCopied\t\\\\ text\t5\nTwice\t\t6\n\\.";

sub any_change
{
	my $change = one_of(@changes);

	$change =~ s/<(\w+)>/$words{$1}->()/ge;
	return $change =~ /^COPY/ ? "$change\n" : "$change;\n";
}

# A transaction of a user: changes, some of them under a savepoint, some of these taken back, and now and then all
sub transaction_of
{
	my ($user) = @_;
	my $script = "BEGIN;\nSELECT support.set_actor($user, true);\n";

	foreach (0 .. rand 4)
	{
		my $outcome = one_of('', '', '', "RELEASE a;\n", "ROLLBACK TO a;\n");
		$script .= "SAVEPOINT a;\n" if $outcome;
		$script .= any_change() . ($outcome ? any_change() . $outcome : '');
	}
	return $script . one_of(('COMMIT') x 6, 'ROLLBACK') . ";\n";
}

# A session's script; in some, a refused statement ends its transaction, in others it is passed over
sub script_of
{
	my ($n, $user) = @_;
	return seed_session() . '\set ON_ERROR_ROLLBACK ' . one_of('on', 'off') . "\n"
	  . join '', map { transaction_of($user // one_of(1 .. 6)) . one_of('', '', any_change()) } 1 .. $n;
}

# Keep copies of the tables, by snapshot, or by the time of the transaction
my $copies = 0;

sub script_that_copies
{
	my ($instant) = @_;
	my $copy = ++$copies;

	return <<"SQL";
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO copies (copy, $instant) VALUES ($copy, @{[ $instant eq 'snapshot' ? 'pg_current_snapshot()' : 'now()' ]});
INSERT INTO copied_tickets SELECT $copy, t FROM support.tickets AS t;
INSERT INTO copied_comments SELECT $copy, c FROM support.comments AS c;
COMMIT;
SQL
}

# What scripts are told that run at the same time
sub told_together
{
	my (@scripts) = @_;
	my (undef, $messages) = run_together($node, 'desk', \@scripts);

	return $messages;
}

my $errors = '';
foreach my $round (1 .. $rounds)
{
	my $each = int($transactions / $rounds / $sessions);
	my @copying = map { script_that_copies('snapshot') } 1 .. $copies_in_a_round;

	$errors .= told_together(seed_session() . join("SELECT pg_sleep(random() / 10);\n", @copying), map { script_of($each) } 1 .. $sessions);
	$node->safe_psql('desk', script_that_copies('at_time'));
}
unlike($errors, qr/server closed|XX000|PANIC|internal error/, 'nothing broke');
my %refusals;
$refusals{ s/\d+/N/gr }++ foreach $errors =~ /ERROR:  (.+)/g;
note "$refusals{$_} times: $_" foreach sort { $refusals{$b} <=> $refusals{$a} } keys %refusals;

# How much there is to compare, so that no comparison passes for want of it
my ($entries, $snapshots, $open, $tickets, $comments) = split /\|/, $node->safe_psql('desk', <<'SQL');
SELECT
	(SELECT count(*) FROM support.audit_log WHERE table_name IN ('tickets', 'comments')),
	(SELECT count(DISTINCT snapshot::text) FROM copies),
	(SELECT count(*) FROM copies WHERE pg_snapshot_xmax(snapshot)::text <> pg_snapshot_xmin(snapshot)::text),
	(SELECT count(*) FROM copied_tickets),
	(SELECT count(*) FROM copied_comments)
SQL
note "$entries entries, $open of $snapshots snapshots while others wrote, $tickets tickets, $comments comments";
cmp_ok($entries, '>', $transactions, 'much was changed');
cmp_ok($snapshots, '>=', $rounds * 2, 'copies were kept in many snapshots');
cmp_ok($open, '>', 0, 'some of them while others wrote');
cmp_ok($tickets, '>', 40 * $copies, 'with their tickets');
cmp_ok($comments, '>', 10 * $copies, 'and comments');

# The copies that differ from the past, with the ids of the rows that do
sub differing
{
	my ($table, $instant, $past) = @_;

	return $node->safe_psql('desk', <<"SQL");
SELECT c.copy, coalesce(c.snapshot::text, c.at_time::text), d.ids
FROM copies AS c
CROSS JOIN LATERAL
	(
		SELECT array_agg(coalesce((x.row_copied).id, (y.row_past).id)) AS ids
		FROM (SELECT k.row_copied FROM copied_$table AS k WHERE k.copy = c.copy) AS x
		FULL JOIN (SELECT p AS row_past FROM $past AS p) AS y
			ON (x.row_copied).id = (y.row_past).id
		WHERE (x.row_copied *= y.row_past) IS NOT TRUE
	) AS d
WHERE c.$instant IS NOT NULL AND d.ids IS NOT NULL
ORDER BY c.copy
SQL
}

is(differing('tickets', 'snapshot', 'support.tickets_as_of_snapshot(c.snapshot)'), '', 'tickets by snapshot');
is(differing('tickets', 'at_time', 'support.tickets_as_of(c.at_time)'), '', 'tickets by time');
is(differing('comments', 'snapshot', 'support.rows_as_of(NULL::support.comments, NULL, NULL, c.snapshot)'),
	'', 'comments by snapshot');
is(differing('comments', 'at_time', 'support.rows_as_of(NULL::support.comments, NULL, c.at_time)'),
	'', 'comments by time');

# The same ticket by ticket, which is another way through the log
is( $node->safe_psql('desk', <<'SQL'), '', 'single tickets and their comments');
WITH tickets AS (SELECT DISTINCT ticket_id AS id FROM support.audit_log WHERE ticket_id > 0 AND ticket_id % 5 = 0)
SELECT t.id, c.copy
FROM copies AS c
CROSS JOIN tickets AS t
WHERE c.at_time IS NOT NULL AND
	(
		(SELECT to_jsonb(k.row_copied) FROM copied_tickets AS k
			WHERE k.copy = c.copy AND (k.row_copied).id = t.id)
			IS DISTINCT FROM support.ticket_as_of(t.id, c.at_time)
		OR
		(SELECT array_agg(k.row_copied ORDER BY (k.row_copied).id)::text FROM copied_comments AS k
			WHERE k.copy = c.copy AND (k.row_copied).ticket_id = t.id)
			IS DISTINCT FROM (SELECT array_agg(p ORDER BY id)::text FROM support.comments_as_of(t.id, c.at_time) AS p)
	)
SQL
is( $node->safe_psql('desk', <<'SQL'), '', 'single tickets by snapshot');
WITH tickets AS (SELECT DISTINCT ticket_id AS id FROM support.audit_log WHERE ticket_id > 0 AND ticket_id % 5 = 0)
SELECT t.id, c.copy
FROM copies AS c
CROSS JOIN tickets AS t
WHERE c.snapshot IS NOT NULL AND c.copy % 3 = 0 AND
	(SELECT to_jsonb(k.row_copied) FROM copied_tickets AS k WHERE k.copy = c.copy AND (k.row_copied).id = t.id)
		IS DISTINCT FROM
	(SELECT to_jsonb(p) FROM support.rows_as_of(NULL::support.tickets, t.id, NULL, c.snapshot) AS p)
SQL

# What one user does is taken back, and nothing else. Versions and the time of the change move on.
sub desk_now
{
	return $node->safe_psql('desk', <<'SQL');
SELECT 'ticket', to_jsonb(t) - '{version,updated_at}'::text[]
FROM support.tickets AS t ORDER BY t.id;
SELECT 'comment', to_jsonb(c) FROM support.comments AS c ORDER BY c.ticket_id, c.id;
SELECT 'file', to_jsonb(a) FROM support.attachments AS a ORDER BY a.ticket_id, a.id;
SELECT 'tag', to_jsonb(t) FROM support.tags AS t ORDER BY t.id;
SELECT 'tagged', to_jsonb(t) FROM support.ticket_tags AS t ORDER BY t.ticket_id, t.tag_id;
SELECT 'watcher', to_jsonb(w) FROM support.ticket_watchers AS w ORDER BY w.ticket_id, w.user_id;
SQL
}

my $before = desk_now();
my $since = $node->safe_psql('desk', 'SELECT clock_timestamp()');
$errors = told_together("SET support_ext.actor_id = 7;\n" . script_of(int($transactions / 40), 7));
unlike($errors, qr/server closed|XX000|PANIC|internal error/, 'nothing broke');
my $after = desk_now();
isnt($after, $before, 'Mallory was at work');

is( $node->safe_psql('desk', "SELECT * FROM support.undo_since(7, '$since') WHERE refusal IS NOT NULL"),
	'', 'nothing speaks against undoing it');
is(desk_now(), $after, 'asking has changed nothing');
my $undone = $node->safe_psql('desk',
	"SET support_ext.actor_id = 1; SELECT count(*) > $transactions / 40 FROM support.undo_since(7, '$since', false)");
is($undone, 't', 'it is undone');
is(difference(desk_now(), $before), '', 'all is as it was before');
my $undone_at = $node->safe_psql('desk', 'SELECT max(occurred_at) FROM support.audit_log');
$node->safe_psql('desk',
	"SET support_ext.actor_id = 2; SELECT count(*) FROM support.undo_since(1, '$undone_at', false)");
is(difference(desk_now(), $after), '', 'and the undoing can be undone');

$node->stop;
done_testing();
