# A statement that changes many rows takes no more memory than one that changes few, and what is rolled back leaves no
# trace in the log. SUPPORT_EXT_TEST_ROWS says how many rows are many: a multiple of 100, 40,000 unless set.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{SUPPORT_EXT_TEST_ROWS} // 40_000;
my $step = int($rows / 100);
my $restored = 10 * $step;
my $node = start_server('desk', 'log_statement = none', 'max_wal_size = 8GB', 'max_prepared_transactions = 1');
my $file = PostgreSQL::Test::Utils::tempdir . '/tickets.copy';

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<'SQL', extra_params => [ "--set=step=$step" ]);
CREATE EXTENSION support_ext;
-- what a session adds up by itself, once in a transaction, comes early in each statement
ALTER DATABASE desk SET support_ext.fold_every = 100;
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_user('cy@northwind.example', 'Cy Customer');

-- What the session holds while a statement is at work, after every hundredth of the rows: the server's memory contexts,
-- and all memory that the process has to itself, where the system tells; both without the server's own queue of trigger
-- events, which grows with the rows
CREATE TABLE public.samples (id bigserial, statement text, contexts bigint, process bigint);
CREATE FUNCTION public.process_memory()
RETURNS bigint
LANGUAGE sql AS $$
SELECT 1024 * (regexp_match(status, 'RssAnon:\s+(\d+)'))[1]::bigint
FROM pg_read_file(format('/proc/%s/status', pg_backend_pid()), 0, 10000, true) AS status
$$;
CREATE FUNCTION public.take_sample()
RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.samples (statement, contexts, process)
	SELECT
		current_setting('test.statement'),
		sum(total_bytes) FILTER (WHERE name <> 'AfterTriggerEvents'),
		public.process_memory() - coalesce(sum(used_bytes) FILTER (WHERE name = 'AfterTriggerEvents'), 0)
	FROM pg_backend_memory_contexts;
	RETURN NULL;
END
$$;
CREATE TRIGGER take_sample AFTER INSERT OR UPDATE ON support.tickets
	FOR EACH ROW WHEN (NEW.id % :step = 0) EXECUTE FUNCTION public.take_sample();
CREATE TRIGGER take_sample_of_delete AFTER DELETE ON support.tickets
	FOR EACH ROW WHEN (OLD.id % :step = 0) EXECUTE FUNCTION public.take_sample();
CREATE TRIGGER take_sample AFTER INSERT ON support.comments
	FOR EACH ROW WHEN (NEW.ticket_id % :step = 0) EXECUTE FUNCTION public.take_sample();
SQL

# Run a statement and look at its samples: the last tenth may not exceed the first, in which caches fill. What varies by
# itself is allowed for: less than a process would need that loses 32 bytes with each of 40,000 rows.
sub stays_flat
{
	my ($name, $sql) = @_;

	$node->safe_psql('desk', "SET test.statement = '$name';\n$sql");
	my ($samples, $contexts, $process) = split /\|/, $node->safe_psql('desk', <<"SQL"), -1;
SELECT
	max(s.samples),
	max(s.contexts) FILTER (WHERE s.tenth = 10) - max(s.contexts) FILTER (WHERE s.tenth = 1),
	max(s.process) FILTER (WHERE s.tenth = 10) - max(s.process) FILTER (WHERE s.tenth = 1)
FROM
	(
		SELECT *, count(*) OVER () AS samples, ntile(10) OVER (ORDER BY id) AS tenth
		FROM public.samples
		WHERE statement = '$name'
	) AS s
SQL
	cmp_ok($samples, '>=', 10, "$name: memory was looked at ten times or more");
	cmp_ok($contexts, '<', 200_000, "$name: memory contexts do not grow ($contexts)");
	SKIP:
	{
		skip 'the system does not tell', 1 if $process eq '';
		cmp_ok($process, '<', 1_000_000, "$name: nor does the process ($process)");
	}
	return;
}

stays_flat('INSERT', <<"SQL");
INSERT INTO support.tickets (title, description, creator_id)
SELECT 'Ticket ' || n, '', 2 FROM generate_series(1, $rows) AS n;
SQL
stays_flat('UPDATE', <<'SQL');
UPDATE support.tickets SET status = 'in_progress', description = description || '!', custom = '{"floor": 3}';
SQL
stays_flat('INSERT of comments', <<'SQL');
INSERT INTO support.comments (ticket_id, author_id, content) SELECT id, 1, 'On my way' FROM support.tickets;
SQL
stays_flat('set_status()', <<'SQL');
SELECT count(support.set_status(id, 'resolved', actor_id => 1)) FROM support.tickets;
SQL
stays_flat('DELETE with cascade', 'DELETE FROM support.tickets');
stays_flat('restore_ticket()', <<"SQL");
SELECT count(support.restore_ticket(ticket_id)) FROM support_internal.recycle_bin WHERE ticket_id <= $restored;
SQL
$node->safe_psql('desk', "COPY (SELECT 'Copied ' || n, '', 2 FROM generate_series(1, $rows) AS n) TO '$file'");
stays_flat('COPY', "COPY support.tickets (title, description, creator_id) FROM '$file'");
is( $node->safe_psql('desk', <<'SQL'),
SELECT
	(SELECT count(*) FROM support.tickets),
	(SELECT count(*) FROM support.comments),
	(SELECT count(*) FROM support_internal.recycle_bin)
SQL
	join('|', $rows + $restored, $restored, $rows - $restored),
	'all of it was done');
is( $node->safe_psql('desk', <<'SQL'),
SELECT table_name, action, count(*) FROM support.audit_log WHERE ticket_id > 0 GROUP BY 1, 2 ORDER BY 1, 2
SQL
	join("\n",
		(map { "comments|$_" } "DELETE|$rows", 'INSERT|' . ($rows + $restored)),
		(map { "tickets|$_" } "DELETE|$rows", 'INSERT|' . (2 * $rows + $restored), 'UPDATE|' . 3 * $rows)),
	'and all of it is in the log');

# What is rolled back leaves no trace

# The sequences aside, which never go back
sub lasting_rows
{
	return rows_of($node, 'small') =~ s/^\S+_seq\|.*\n//mgr;
}

# What a script adds to the log: table and new value of each entry, and of how many transactions they are
sub entries_of
{
	my ($sql) = @_;
	my $last = $node->safe_psql('small', 'SELECT max(id) FROM support.audit_log');

	$node->psql('small', $sql, on_error_stop => 0);
	return $node->safe_psql('small', <<"SQL");
SELECT coalesce(string_agg(coalesce(new_value ->> 'title', action), ' ' ORDER BY id), 'nothing')
	|| ' in ' || count(DISTINCT xid)
FROM support.audit_log WHERE id > $last
SQL
}

$node->safe_psql('postgres', 'CREATE DATABASE small');
$node->safe_psql('small', <<'SQL');
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.set_actor(1);
SELECT support.create_ticket('Ticket ' || n, tags => ARRAY['tag'], creator_id => 1) FROM generate_series(1, 20) AS n;
SELECT support.add_comment(n, 'Comment') FROM generate_series(1, 20) AS n;
SQL
my $before = lasting_rows();
$node->safe_psql('small', <<'SQL');
BEGIN;
SELECT support.set_actor(1, true);
SELECT support.create_user('bob@desk.example', 'Bob Agent', 'agent');
SELECT support.create_ticket('Never was', tags => ARRAY['new'], assignee_id => 2);
SELECT support.add_attachment(1, 'a.txt', 'never was');
SELECT support.delete_ticket(2);
UPDATE support.tickets SET status = 'closed';
DELETE FROM support.tickets WHERE id < 10;
SELECT support.restore_ticket(3);
SELECT support.purge_deleted('0 seconds');
SELECT support.log_event(NULL, 'never_was');
ROLLBACK;
SQL
is(difference(lasting_rows(), $before), '', 'a transaction that is rolled back leaves no row');

my ($status, $stdout, $stderr) = $node->psql('small', <<'SQL');
UPDATE support.tickets SET title = CASE WHEN id < 20 THEN 'fine' ELSE '' END;
SQL
like($stderr, qr/tickets_title_check/, 'a statement that fails half-way');
is(difference(lasting_rows(), $before), '', 'leaves no row either');

is(entries_of(<<'SQL'), 'a c e in 1', 'what is rolled back to a savepoint is not logged, the rest as one transaction');
BEGIN;
UPDATE support.tickets SET title = 'a' WHERE id = 1;
SAVEPOINT s;
UPDATE support.tickets SET title = 'b' WHERE id = 1;
ROLLBACK TO s;
UPDATE support.tickets SET title = 'c' WHERE id = 1;
SAVEPOINT t;
SAVEPOINT u;
UPDATE support.tickets SET title = 'd' WHERE id = 2;
RELEASE u;
ROLLBACK TO t;
SAVEPOINT v;
UPDATE support.tickets SET title = 'e' WHERE id = 2;
RELEASE v;
COMMIT;
SQL
is(entries_of(<<'SQL'), 'f in 1', 'nor what an exception took back');
DO $$
BEGIN
	BEGIN
		UPDATE support.tickets SET title = 'lost' WHERE id = 3;
		PERFORM support.set_status(3, 'no such status');
	EXCEPTION WHEN foreign_key_violation THEN
		UPDATE support.tickets SET title = 'f' WHERE id = 3;
	END;
END
$$;
SQL
is( $node->safe_psql('small', <<'SQL'), "1\n1\n1", 'the acting user of a call that fails is taken back with it');
SELECT support.set_actor(1) <> '' AS known
\gset
SELECT support.actor_id();
DO $$ BEGIN PERFORM support.set_status(1, 'no such status', actor_id => 7); EXCEPTION WHEN OTHERS THEN NULL; END $$;
SELECT support.actor_id();
BEGIN;
SAVEPOINT s;
SELECT support.set_actor(NULL) IS NULL AS known
\gset
ROLLBACK TO s;
SELECT support.actor_id();
SQL
is(entries_of(<<'SQL'), 'nothing in 0', 'a prepared transaction is logged when it is committed, not before');
BEGIN;
UPDATE support.tickets SET title = 'g' WHERE id = 4;
PREPARE TRANSACTION 'desk';
SQL
is(entries_of("COMMIT PREPARED 'desk'"), 'g in 1', 'and then in full');

# In a copy of the database the first entry begins an era, unless it is rolled back
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE small');
is($node->safe_psql('copy', <<'SQL'), "2|h\n1\n2", 'an era that began in vain begins again');
BEGIN;
SAVEPOINT s;
UPDATE support.tickets SET title = 'lost' WHERE id = 5;
ROLLBACK TO s;
UPDATE support.tickets SET title = 'h' WHERE id = 5;
COMMIT;
SELECT era, new_value ->> 'title' FROM support.audit_log ORDER BY id DESC LIMIT 1;
SELECT era FROM support_internal.eras ORDER BY era;
SQL

done_testing();
