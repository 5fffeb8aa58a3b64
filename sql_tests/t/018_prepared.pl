# A transaction that is prepared may yet roll back: what a session has read in it, changes of its own among it, is not
# what the session relies on afterwards. Nor is what a savepoint, or the transaction, took back by itself.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('desk', 'max_prepared_transactions = 5');

# Ways in which a transaction never comes to be, and what ends it before the session goes on
my %ways = (
	prepared => [ 'BEGIN', "PREPARE TRANSACTION 'never'", "ROLLBACK PREPARED 'never'" ],
	'rolled back' => [ 'BEGIN', 'ROLLBACK' ],
	'rolled back in part' => [ 'BEGIN; SAVEPOINT part', 'ROLLBACK TO part', 'COMMIT' ]);

# Make a desk in a database of its own; run, in one session, statements in a transaction that never comes to be and then
# others, and return what these say. What is to be so before is another session's
sub after_nothing
{
	my ($database, $way, $inside, $afterwards, $before) = @_;
	my ($begin, @end) = @{ $ways{$way} };

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION support_ext');
	$node->safe_psql($database, $before) if defined $before;
	return $node->safe_psql($database, join(";\n", $begin, $inside, @end, $afterwards));
}

my $number = 0;
foreach my $way (sort keys %ways)
{
	my $database = 'desk' . ++$number;

	is( after_nothing(
			"${database}_role", $way,
			"INSERT INTO support.users (id, email, full_name, role) VALUES (50, 'u\@x.example', 'U', 'agent');
			 INSERT INTO support.tickets (title, description, creator_id) VALUES ('By an agent', 'It hurts', 50)",
			"INSERT INTO support.users (id, email, full_name, role) VALUES (50, 'u\@x.example', 'U', 'customer');
			 INSERT INTO support.tickets (title, description, creator_id) VALUES ('By a customer', 'It hurts', 50)
			 RETURNING last_customer_at IS NOT NULL, waiting_since IS NOT NULL"),
		't|t', "$way: a user's role");

	is( after_nothing(
			"${database}_era", $way,
			"INSERT INTO support.teams (name) VALUES ('Never')",
			"INSERT INTO support.teams (name) VALUES ('First line');
			 SELECT DISTINCT a.era, e.era FROM support.audit_log AS a
			 LEFT JOIN support_internal.eras AS e ON e.era = a.era",
			'DELETE FROM support_internal.eras'),
		'1|1', "$way: the era of the log");

	is( after_nothing(
			"${database}_person", $way,
			"INSERT INTO support.users (id, email, full_name, role, db_role)
			 VALUES (50, 'u\@x.example', 'U', 'agent', session_user);
			 SELECT FROM (SELECT support.actor_id()) AS a",
			"SELECT support.actor_id() IS NULL"),
		't', "$way: who the session is");

	is( after_nothing(
			"${database}_status", $way,
			"INSERT INTO support.users (id, email, full_name, role) VALUES (50, 'u\@x.example', 'U', 'agent');
			 UPDATE support.statuses SET category = 'solved' WHERE name = 'on_hold';
			 INSERT INTO support.tickets (title, description, creator_id, status) VALUES ('Held', 'It hurts', 50, 'on_hold')",
			"INSERT INTO support.users (id, email, full_name, role) VALUES (50, 'u\@x.example', 'U', 'agent');
			 INSERT INTO support.tickets (title, description, creator_id, status) VALUES ('Held', 'It hurts', 50, 'on_hold')
			 RETURNING solved_at IS NULL"),
		't', "$way: what a status means");

	is( after_nothing(
			"${database}_policy", $way,
			"INSERT INTO support.users (id, email, full_name, role) VALUES (50, 'u\@x.example', 'U', 'customer');
			 SELECT FROM support.create_sla_policy('Fast', '[{\"metric\": \"first_reply\", \"target\": \"1 hour\"}]');
			 INSERT INTO support.tickets (title, description, creator_id) VALUES ('Promised', 'It hurts', 50)",
			"INSERT INTO support.users (id, email, full_name, role) VALUES (51, 'v\@x.example', 'V', 'customer');
			 INSERT INTO support.tickets (title, description, creator_id) VALUES ('Not promised', 'It hurts', 51);
			 SELECT count(*) FROM support.sla_clocks"),
		'0', "$way: what is promised");
}

$node->stop;
done_testing();
