# A server that has been used for long: much WAL lies between the making of the desk and that of a month. Entries of an
# application's own come to the log by every road, whatever row type they were formed with on the way.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('used');

# Let so much WAL have been written that positions in it no longer fit into the 32 bits that they began with
sub use_long
{
	my ($segment) = @_;

	$node->stop;
	command_ok([ 'pg_resetwal', '-l', $segment, $node->data_dir ], 'much WAL is written');
	$node->start;
}

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', <<'SQL');
CREATE EXTENSION support_ext;
CREATE TABLE events (id bigint, occurred_at timestamptz, era integer, xid bigint, actor_id bigint, db_role text, action text,
	table_name text, record_id bigint, ticket_id bigint, old_value jsonb, new_value jsonb);
INSERT INTO events (occurred_at, action, ticket_id) VALUES (now(), 'selected', 0);
SQL
use_long('000000010000000500000001');
$node->safe_psql('desk', 'SELECT support.maintain()');

my %roads = (
	copied => "COPY support.audit_log (action, ticket_id) FROM stdin;\ncopied\t0\n\\.\n",
	selected => 'INSERT INTO support.audit_log SELECT * FROM events',
	joined => q(INSERT INTO support.audit_log (action, new_value)
		SELECT 'joined', to_jsonb(e) FROM events AS e, generate_series(1, 2) AS n),
	listed => q(INSERT INTO support.audit_log (action) VALUES ('listed'), ('listed')),
	stored => q(INSERT INTO support_internal.audit_log_default (id, occurred_at, action) VALUES (-1, '1999-01-01', 'stored')),
	logged => q(SELECT support.log_event(NULL, 'logged')));

# All roads, on the partitions that there are
sub take_roads
{
	my ($when) = @_;

	foreach my $road (sort keys %roads)
	{
		is(scalar sqlstate($node, 'desk', $roads{$road}), '', "$when: $road");
	}
}

take_roads('a month made later');
use_long('000000010000000900000001');
$node->safe_psql('desk', 'ALTER TABLE support.audit_log ADD COLUMN floor integer; ALTER TABLE support.tickets ADD COLUMN floor integer');
$node->safe_psql('desk', 'DELETE FROM events; ALTER TABLE events ADD COLUMN floor integer');
$node->safe_psql('desk', "INSERT INTO events (occurred_at, action, ticket_id, floor) VALUES (now(), 'selected', 0, 3)");
$roads{stored} =~ s/-1/-2/;
take_roads('a column of another time');
is($node->safe_psql('desk', <<'SQL'), "copied|2\njoined|4\nlisted|4\nlogged|2\nselected|2\nstored|2", 'every entry is there');
SELECT action, count(*) FROM support.audit_log WHERE action ~ 'ed$' GROUP BY action ORDER BY action
SQL

# So do the rows of other tables, by COPY, by INSERT, and changed on the way by the desk and by an application's trigger
$node->safe_psql('desk', <<'SQL');
SELECT support.create_user('ada@desk.example', 'Ada', 'agent');
CREATE FUNCTION to_floor() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN new.floor := 4; RETURN new; END$$;
CREATE TRIGGER a_floor BEFORE INSERT OR UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION to_floor();
CREATE TRIGGER z_floor BEFORE INSERT OR UPDATE ON support.tickets FOR EACH ROW EXECUTE FUNCTION to_floor();
SQL
is(scalar sqlstate($node, 'desk', $_), '', $_ =~ s/\n.*//sr) foreach (
	"COPY support.tickets (title, description, creator_id) FROM stdin;\nCopied\t\t1\n\\.\n",
	"INSERT INTO support.tickets (title, description, creator_id) SELECT 'Selected', '', id FROM support.users",
	q(UPDATE support.tickets SET priority = 'high'),
	q(UPDATE support.tickets AS t SET title = e.action FROM events AS e));
is($node->safe_psql('desk', 'SELECT DISTINCT title, priority, floor, version FROM support.tickets'), 'selected|high|4|3',
	'rows are as they were changed');

$node->stop;
done_testing();
