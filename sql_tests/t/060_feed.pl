# The change feed under load: writers that begin and commit in any order, with savepoints, rollbacks, deletes and
# restores; consumers that read in batches of any size, lose their transactions, and see the server crash. Each must get
# every entry, in the order of positions, and none twice but what it had not done with. And the changes must add up:
# played one by one upon the row that the INSERT gives, or that a copy had, they end in the row that is there.
#
# SUPPORT_EXT_TEST_ROUNDS says for how many rounds, 2 unless it is set; SUPPORT_EXT_TEST_SEED draws other transactions and
# batches, though nothing repeats the order in which sessions come.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $ROUNDS = $ENV{SUPPORT_EXT_TEST_ROUNDS} // 2;
my $WRITERS = 4;
my $TRANSACTIONS = 120;    # of each writer in a round
my $seed = take_seed();

my $node = start_server('feed', 'fsync = off', 'autovacuum_naptime = 1s');
my $dir = PostgreSQL::Test::Utils::tempdir;

# What writers do. A statement that fails, as a ticket is gone by now, is undone alone.
my $prelude = <<'SQL';
\set ticket random(1, 40)
\set user random(1, 6)
\set wait random(1, 15)
\set number random(1, 1000000)
SQL

sub attempt
{
	my ($statement) = @_;

	return "DO \$\$ BEGIN $statement; EXCEPTION WHEN OTHERS THEN NULL; END \$\$;\n";
}

my %scripts = (
	# short transactions by functions and plain SQL
	update => "UPDATE support.tickets SET title = 'Title ' || :number, channel = 'c' || :user WHERE id = :ticket;\n",
	status => attempt(q(PERFORM support.set_status(:ticket, (ARRAY['open', 'pending', 'resolved'])[1 + :user % 3]))),
	comment => attempt(q(PERFORM support.add_comment(:ticket, 'Said ' || :number, author_id => :user, status => 'open'))),
	edit => "UPDATE support.comments SET content = 'Meant ' || :number WHERE id % 50 = :ticket;\n",
	create => attempt(q(PERFORM support.create_ticket('New ' || :number, creator_id => :user, tags => ARRAY['t' || :user]))),
	watch => attempt(q(PERFORM support.watch_ticket(:ticket, :user, (ARRAY['cc', 'follower'])[1 + :number % 2]))),
	tag => attempt(q(PERFORM support.tag_ticket(:ticket, ARRAY['t' || :number % 9]))),
	untag => attempt(q(PERFORM support.untag_ticket(:ticket, ARRAY['t' || :number % 9]))),
	people => "UPDATE support.users SET full_name = 'Name ' || :number WHERE id = :user;\n",
	event => "INSERT INTO support.audit_log (action, ticket_id) VALUES ('visit', :ticket);\n",
	many => "INSERT INTO support.audit_log (action) SELECT 'visit' FROM generate_series(1, 300);\n",
	bulk => "UPDATE support.tickets SET custom = jsonb_build_object('n', :number) WHERE id % 7 = :user;\n",
	remove => attempt('DELETE FROM support.tickets WHERE id = :ticket')
		. attempt('PERFORM support.restore_ticket(:ticket)'),
	lose => attempt('DELETE FROM support.comments WHERE ticket_id = :ticket'),

	# long ones: the number of the transaction is taken long before it commits
	slow => "BEGIN;\nUPDATE support.tickets SET channel = 'slow' WHERE id = :ticket;\n\\sleep :wait ms\n"
		. "UPDATE support.tickets SET title = 'Slow ' || :number WHERE id = :ticket;\nCOMMIT;\n",
	early => "BEGIN;\nSELECT pg_current_xact_id();\n\\sleep :wait ms\n"
		. attempt(q(PERFORM support.add_comment(:ticket, 'Late ' || :number, author_id => :user))) . "COMMIT;\n",

	# parts, or all, undone
	savepoints => "BEGIN;\nSAVEPOINT one;\nUPDATE support.tickets SET title = 'Never ' || :number WHERE id = :ticket;\n"
		. "ROLLBACK TO one;\nSAVEPOINT two;\nUPDATE support.tickets SET title = 'Yes ' || :number WHERE id = :ticket;\n"
		. "RELEASE two;\nCOMMIT;\n",
	rollback => "BEGIN;\nUPDATE support.tickets SET title = 'No ' || :number WHERE id = :ticket;\n\\sleep :wait ms\nROLLBACK;\n");

foreach my $name (keys %scripts)
{
	append_to_file("$dir/$name.sql", "$prelude$scripts{$name}");
}

$node->safe_psql('postgres', 'CREATE EXTENSION support_ext');
$node->safe_psql('postgres', <<'SQL');
SELECT support.create_user('u' || n || '@example.com', 'User ' || n, CASE WHEN n < 4 THEN 'agent' ELSE 'customer' END)
FROM generate_series(1, 6) AS n;
SELECT support.create_ticket('Ticket ' || n, creator_id => 1 + n % 6) FROM generate_series(1, 40) AS n;

CREATE SCHEMA mirror;
CREATE TABLE mirror.consumers (consumer text PRIMARY KEY, start_snapshot pg_snapshot);
CREATE TABLE mirror.got
(
	n bigint GENERATED ALWAYS AS IDENTITY,
	consumer text NOT NULL,
	batch integer NOT NULL,
	place bigint[] NOT NULL,
	audit_id bigint NOT NULL,
	action text NOT NULL,
	table_name text,
	record_id bigint,
	ticket_id bigint NOT NULL,
	old_value jsonb,
	new_value jsonb
);
CREATE TABLE mirror.copies (consumer text, table_name text, row_copied jsonb);

-- Rows as the log has them
CREATE VIEW mirror.rows AS
SELECT 'tickets' AS table_name, to_jsonb(t) - 'customer_id' AS row FROM support.tickets AS t
UNION ALL SELECT 'comments', to_jsonb(t) FROM support.comments AS t
UNION ALL SELECT 'users', to_jsonb(t) - 'email_key' FROM support.users AS t
UNION ALL SELECT 'tags', to_jsonb(t) - 'name_key' FROM support.tags AS t
UNION ALL SELECT 'ticket_tags', to_jsonb(t) FROM support.ticket_tags AS t
UNION ALL SELECT 'ticket_watchers', to_jsonb(t) FROM support.ticket_watchers AS t;

-- What names a row
CREATE FUNCTION mirror.key_of(table_name text, image jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN table_name = 'ticket_tags' THEN jsonb_build_array(image -> 'ticket_id', image -> 'tag_id')
		WHEN table_name = 'ticket_watchers' THEN jsonb_build_array(image -> 'ticket_id', image -> 'user_id')
		ELSE image -> 'id'
	END
$$;

-- Read a batch and keep it; the consumer has done with it if it says so
CREATE PROCEDURE mirror.take(name text, size integer, number integer, done boolean) LANGUAGE plpgsql AS $$
DECLARE
	last text;
BEGIN
	CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
	SELECT * FROM support.feed_read(name, size) WITH ORDINALITY AS f (feed_position, audit_id, occurred_at, actor_id,
		db_role, action, table_name, record_id, ticket_id, old_value, new_value, n);
	INSERT INTO mirror.got (consumer, batch, place, audit_id, action, table_name, record_id, ticket_id, old_value, new_value)
	SELECT name, number, string_to_array(feed_position, '/')::bigint[], audit_id, action, table_name, record_id,
		ticket_id, old_value, new_value
	FROM batch
	ORDER BY n;
	SELECT feed_position INTO last FROM batch ORDER BY n DESC LIMIT 1;
	IF done AND last IS NOT NULL THEN
		PERFORM support.feed_done(name, last);
	END IF;
END
$$;

CREATE PROCEDURE mirror.take_rest(name text, number integer) LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		CALL mirror.take(name, 700, number, true);
		EXIT WHEN NOT EXISTS (SELECT FROM batch);
		COMMIT;
		number := number + 1;
	END LOOP;
END
$$;

-- Play the changes that a consumer got, in the order of their ids, and say what does not fit
CREATE FUNCTION mirror.play(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	entry record;
	image jsonb;
	k jsonb;
BEGIN
	CREATE TEMPORARY TABLE played (table_name text, key jsonb, row jsonb, PRIMARY KEY (table_name, key));
	INSERT INTO played
	SELECT table_name, mirror.key_of(table_name, row_copied), row_copied FROM mirror.copies WHERE consumer = name;
	FOR entry IN
		SELECT DISTINCT ON (audit_id) * FROM mirror.got
		WHERE consumer = name AND table_name IS NOT NULL
		ORDER BY audit_id, n
	LOOP
		k := coalesce(to_jsonb(entry.record_id), mirror.key_of(entry.table_name, coalesce(entry.old_value, entry.new_value)));
		SELECT row INTO image FROM played AS p WHERE p.table_name = entry.table_name AND p.key = k;
		IF entry.action = 'INSERT' AND (image IS NOT NULL OR entry.new_value IS NULL)
			OR entry.action = 'UPDATE' AND (image @> entry.old_value) IS NOT TRUE
			OR entry.action = 'DELETE' AND image IS DISTINCT FROM entry.old_value
		THEN
			RETURN NEXT format('%s does not fit upon %s', to_jsonb(entry), image);
		END IF;
		DELETE FROM played AS p WHERE p.table_name = entry.table_name AND p.key = k;
		IF entry.action <> 'DELETE' THEN
			INSERT INTO played VALUES (entry.table_name, k, coalesce(image, '{}') || entry.new_value);
		END IF;
	END LOOP;
	RETURN QUERY
		SELECT format('%s %s: played %s, is %s', coalesce(p.table_name, r.table_name), p.key, p.row, r.row)
		FROM played AS p
		FULL JOIN mirror.rows AS r ON r.table_name = p.table_name AND mirror.key_of(r.table_name, r.row) = p.key
		WHERE p.row IS DISTINCT FROM r.row;
	DROP TABLE played;
END
$$;
SQL

# Begin to follow, from a copy of the rows that are there
sub start_from_copy
{
	my ($consumer) = @_;

	$node->safe_psql('postgres', <<"SQL");
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO mirror.copies SELECT '$consumer', table_name, row FROM mirror.rows;
SELECT pg_sleep(0.3);
INSERT INTO mirror.consumers VALUES ('$consumer', pg_current_snapshot());
SELECT support.feed_start('$consumer');
COMMIT;
SQL
	return;
}

# Have writers at work, each for a number of transactions; returns what to finish them with
sub start_writers
{
	my ($round, $transactions) = @_;
	my ($stdout, $stderr) = ('', '');

	return IPC::Run::start(
		[
			'pgbench', '--no-vacuum', "--client=$WRITERS", "--transactions=$transactions", "--random-seed=$seed$round",
			(map { "--file=$dir/$_.sql\@" . ($_ eq 'many' ? 1 : 4) } sort keys %scripts), '--max-tries=100',
			'--host', $node->host, '--port', $node->port, 'postgres'
		],
		'>', \$stdout, '2>', \$stderr);
}

my $batch = 0;

# Read once: all is well, or the transaction is lost, or the consumer forgets to say that it has done
sub take
{
	my ($consumer, $size) = @_;
	my $fate = int rand 5;
	my $done = $fate == 0 ? 'false' : 'true';
	my $end = $fate == 1 ? 'ROLLBACK' : 'COMMIT';

	$batch++;
	$node->psql('postgres', "BEGIN; CALL mirror.take('$consumer', $size, $batch, $done); $end;");
	return;
}

# Read all that is left
sub take_rest
{
	my ($consumer) = @_;

	$batch += 1000;
	$node->safe_psql('postgres', "CALL mirror.take_rest('$consumer', $batch)");
	return;
}

my %size = (beginning => 17, steady => 2000);
$node->safe_psql('postgres', <<'SQL');
INSERT INTO mirror.consumers VALUES ('beginning', NULL);
SELECT support.feed_start('beginning', NULL);
SQL
start_from_copy('steady');

foreach my $round (1 .. $ROUNDS)
{
	my $writers = start_writers($round, $TRANSACTIONS);

	while ($writers->pumpable)
	{
		$writers->pump_nb;
		take($_, $size{$_}) foreach sort keys %size;
		next if $size{"copied$round"};
		start_from_copy("copied$round");
		$size{"copied$round"} = 1 + int rand 300;
	}
	ok($writers->finish, "round $round: the writers came through");
}

# The server crashes under writers that would go on for long
my $stopped = start_writers(98, 1_000_000);
foreach (1 .. 5)
{
	take($_, $size{$_}) foreach sort keys %size;
}
$node->stop('immediate');
ok(!$stopped->finish, 'the crash stops the writers');
$node->start;
ok(start_writers(99, 20)->finish, 'others go on');
take_rest($_) foreach sort keys %size;

foreach my $consumer (sort keys %size)
{
	is($node->safe_psql('postgres', <<"SQL"), '', "$consumer: got every entry that it had not seen, and no other");
WITH due AS
(
	SELECT a.id
	FROM support.audit_log AS a
	JOIN mirror.consumers AS c ON c.consumer = '$consumer'
	WHERE c.start_snapshot IS NULL OR NOT pg_visible_in_snapshot(a.xid::text::xid8, c.start_snapshot)
)
SELECT 'missing', id FROM (SELECT id FROM due EXCEPT SELECT audit_id FROM mirror.got WHERE consumer = '$consumer') AS m
UNION ALL
SELECT 'extra', audit_id FROM (SELECT audit_id FROM mirror.got WHERE consumer = '$consumer' EXCEPT SELECT id FROM due) AS e
SQL
	is($node->safe_psql('postgres', <<"SQL"), '', "$consumer: in the order of positions within a batch");
SELECT g.* FROM
(
	SELECT place, lag(place) OVER (PARTITION BY batch ORDER BY n) AS previous FROM mirror.got WHERE consumer = '$consumer'
) AS g
WHERE place <= previous
SQL
	is($node->safe_psql('postgres', "SELECT * FROM mirror.play('$consumer') LIMIT 5"),
		'', "$consumer: the changes add up to the rows that are there");
}
my ($twice, $interleaved, $kinds) = split /\|/, $node->safe_psql('postgres', <<'SQL');
SELECT
	(SELECT count(*) FROM (SELECT FROM mirror.got GROUP BY consumer, audit_id HAVING count(*) > 1) AS t),
	(SELECT count(*) FROM support.audit_log AS a WHERE a.ticket_id <> 0 AND EXISTS
		(SELECT FROM support.audit_log AS b WHERE b.ticket_id = a.ticket_id AND b.id > a.id AND b.xid < a.xid)),
	(SELECT count(DISTINCT (action, table_name)) FROM mirror.got)
SQL
cmp_ok($twice, '>', 10, 'some batches came again');
cmp_ok($interleaved, '>', 10, 'transactions wrote in another order than they began');
cmp_ok($kinds, '>', 12, 'changes of many kinds');

# A batch of any size takes no more memory than a small one, but for what the answer may take before it goes to disk. A
# policy looks at it while entries are read.
$node->safe_psql('postgres', <<'SQL');
INSERT INTO support.audit_log (action) SELECT 'visit' FROM generate_series(1, 8000);
INSERT INTO support.comments (ticket_id, author_id, content)
SELECT t.id, 1, 'Hello' FROM support.tickets AS t, generate_series(1, 200) WHERE t.id <= 40;
CREATE TABLE mirror.samples (n bigint GENERATED ALWAYS AS IDENTITY, bytes bigint);
CREATE FUNCTION mirror.look(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF id % 200 = 0 THEN
		INSERT INTO mirror.samples (bytes) SELECT sum(total_bytes) FROM pg_backend_memory_contexts;
	END IF;
	RETURN true;
END
$$;
CREATE ROLE reader;
GRANT USAGE ON SCHEMA support, mirror TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO reader;
GRANT INSERT ON mirror.samples TO reader;
GRANT pg_read_all_stats TO reader;
ALTER TABLE support.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY look ON support.audit_log TO reader USING (mirror.look(id));
SELECT support.feed_start('large', NULL);
SQL
is($node->safe_psql('postgres', "SET work_mem = '64kB'; SET ROLE reader; SELECT count(*) > 20000 FROM support.feed_read('large', 1000000)"),
	't', 'a batch of all there is');
my ($samples, $growth) = split /\|/, $node->safe_psql('postgres', <<'SQL');
SELECT count(*), min(bytes) FILTER (WHERE tenth = 10) - min(bytes) FILTER (WHERE tenth = 1)
FROM (SELECT bytes, ntile(10) OVER (ORDER BY n) AS tenth FROM mirror.samples) AS s
SQL
cmp_ok($samples, '>=', 50, 'memory was looked at');
cmp_ok($growth, '<', 1_500_000, "memory does not grow with the batch ($growth)");

$node->stop;
done_testing();
