# What the TAP tests share: a server, a desk that has been used for a while, and comparing two desks.

package Desk;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
	start_server as sqlstate
	add_own_objects use_desk every_table_has_rows
	rows_of structure_of catalogs_of members_of difference
	install_off app_grants publish_next_version
	take_seed seed_session one_of run_together
);

# A running server whose sessions have the zone UTC
sub start_server
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', join "\n", "timezone = 'UTC'", @settings, '');
	$node->start;
	return $node;
}

# Parameters for psql() that connect as another role
sub as
{
	my ($role) = @_;

	return (extra_params => [ '--username', $role ]);
}

# The SQLSTATE that a script fails with, and its whole message; '' if it does not fail
sub sqlstate
{
	my ($node, $database, $sql, %params) = @_;
	my ($status, $stdout, $stderr) = $node->psql($database, "\\set VERBOSITY verbose\n$sql", %params);

	return wantarray ? ('', $stderr) : '' if $status == 0;
	my ($code) = $stderr =~ /ERROR:  ([0-9A-Z]{5}): /;
	return wantarray ? ($code // 'none', $stderr) : $code // 'none';
}

# Draw the same again in every run: what SUPPORT_EXT_TEST_SEED says, or what is usual
sub take_seed
{
	my $seed = $ENV{SUPPORT_EXT_TEST_SEED} // 1;

	srand $seed;
	note("SUPPORT_EXT_TEST_SEED=$seed");
	return $seed;
}

# What a session begins with whose statements draw, too
sub seed_session { return 'SELECT setseed(' . rand() . ");\n" }

# Any of these
sub one_of { return $_[ int rand @_ ] }

# Run scripts at the same time, in one database or each in its own, and meanwhile whatever is asked for; returns what they
# printed, and what they were told
sub run_together
{
	my ($node, $database, $scripts, $meanwhile) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir;
	my (@running, @out, @err);

	foreach my $i (0 .. $#$scripts)
	{
		my $file = "$dir/$i.sql";
		my $of = ref $database ? $database->[$i] : $database;
		my @psql = ('psql', '-X', '-q', '-A', '-t', '-d', $node->connstr($of), '-f', $file);

		append_to_file($file, $scripts->[$i]);
		push @running, IPC::Run::start(\@psql, '>', \$out[$i], '2>', \$err[$i]);
	}
	$meanwhile->() if defined $meanwhile;
	$_->finish foreach @running;
	return (join('', @out), join('', @err));
}

# A release that follows the one under test, in the private server's own folder
sub publish_next_version
{
	my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);

	append_to_file("$sharedir/extension/support_ext--1.0--1.0.1.sql", <<'SQL');
\echo Use "ALTER EXTENSION support_ext UPDATE" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT support.install(true);
SQL
	return "$sharedir/extension/support_ext--1.0--1.0.1.sql";
}

# The statement that keeps CREATE EXTENSION from making the desk
sub install_off
{
	return "SET support_ext.install = off;\n";
}

# What the manual grants to an application
sub app_grants
{
	my ($role) = @_;

	return <<"SQL";
GRANT USAGE ON SCHEMA support TO $role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA support TO $role;
REVOKE INSERT, UPDATE, DELETE ON support.audit_log, support.sla_clocks, support.sla_events, support.backlog, support.search_words,
	support.holds, support.ticket_rules FROM $role;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA support TO $role;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO $role;
SQL
}

# What users add to a desk: an index, a column, a trigger, tables, a view on each of our views, a partition of the log
sub add_own_objects
{
	my ($node, $database, %params) = @_;

	$node->safe_psql($database, <<'SQL', %params);
CREATE SCHEMA shop;
CREATE INDEX tickets_title_key ON support.tickets (lower(title));
ALTER TABLE support.tickets ADD COLUMN region text DEFAULT 'north';
COMMENT ON COLUMN support.tickets.region IS 'Where the shop is.';

CREATE TABLE shop.orders
(
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ticket_id bigint NOT NULL REFERENCES support.tickets (id) ON DELETE CASCADE,
	item text
);
CREATE TABLE shop.kept_tickets (ticket_id bigint PRIMARY KEY, ticket jsonb NOT NULL, content bytea);
CREATE TABLE shop.ticket_changes (id bigserial PRIMARY KEY, operation text NOT NULL, ticket_id bigint NOT NULL);

CREATE FUNCTION shop.note_change()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO shop.ticket_changes (operation, ticket_id) VALUES (TG_OP, coalesce(NEW.id, OLD.id));
	RETURN NULL;
END
$$;
CREATE TRIGGER note_change
	AFTER INSERT OR UPDATE OR DELETE ON support.tickets
	FOR EACH ROW EXECUTE FUNCTION shop.note_change();

SELECT format('CREATE VIEW shop.%I AS SELECT * FROM support.%I', viewname, viewname)
FROM pg_views
WHERE schemaname = 'support'
\gexec

CREATE TABLE support_internal.audit_log_2026_03 PARTITION OF support.audit_log
	FOR VALUES FROM ('2026-03-01 00:00+00') TO ('2026-04-01 00:00+00');
-- guards it against TRUNCATE
SELECT support.install(seed => false);
SQL
	return;
}

# Seven weeks at a desk, by functions, plain SQL and COPY
sub use_desk
{
	my ($node, $database, %params) = @_;

	$node->safe_psql($database, <<'SQL', %params);
SET support_ext.now = '2026-02-02 09:00+00';
INSERT INTO support.organizations (name, external_id) VALUES ('Northwind', 'crm-7'), ('Contoso', NULL);
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.set_actor(1);
SELECT support.create_user('bob@desk.example', 'Bob Agent', 'agent');
SELECT support.create_user('eve@desk.example', 'Eve Lead', 'team_lead');
SELECT support.create_user('cy@northwind.example', 'Cy Customer', 'customer', 1, 'crm-cy');
SELECT support.create_user('dee@contoso.example', 'Dée "the\quick" Customer', 'customer', 2);
SELECT support.create_user('old@desk.example', 'Old Hand', 'agent');
INSERT INTO support.users (email, full_name, role, db_role, time_zone)
VALUES ('robot@desk.example', 'Robot', 'bot', 'desk_robot', 'Europe/Berlin');
SELECT support.create_team('First line');
SELECT support.add_team_member(1, 2, 20);
INSERT INTO support.team_members (team_id, user_id) VALUES (1, 3);
SELECT support.create_calendar('Office', 'Europe/Berlin', '{"mon-fri": "09:00-17:00"}', '["2026-12-25"]');
SELECT support.update_calendar(1, holidays => '["2026-12-25", {"day": "2026-12-24", "closed": "12:00-24:00"}]');
SELECT support.create_sla_policy('Standard', '[{"metric": "first_reply", "target": "4 hours", "calendar": "Office"},
	{"metric": "resolution", "target": "1000 hours"}, {"metric": "resolution", "target": "300 hours", "priority": "urgent"}]');

-- rules of its own: one status more, one less, and a closed ticket stays closed
INSERT INTO support.statuses (name, category, position) VALUES ('waiting for parts', 'hold', 45);
DELETE FROM support.statuses WHERE name = 'on_hold';
UPDATE support.priorities SET weight = 8 WHERE name = 'urgent';
INSERT INTO support.status_transitions (from_status, to_status)
SELECT a.name, b.name FROM support.statuses AS a, support.statuses AS b
WHERE a.name <> b.name AND a.name <> 'closed';

-- tickets by function, one of them undone: numbers have gaps
SELECT support.create_ticket('The printer is on fire', E'It burns.\n\tStill\\.', 4, 'urgent',
	ARRAY['Printer', 'fire'], team_id => 1, assignee_id => 2, organization_id => 1, channel => 'phone',
	custom => '{"floor": 3}');
SELECT support.create_ticket('The till does not open', creator_id => 5, external_id => 'mail-17', assignee_id => 6);
SELECT support.create_ticket('Überhitzt', '💥', 4, requester_id => 5, ticket_number => 'OLD-1');
SELECT support.create_ticket('Removed later', 'with all it has', 5, tags => ARRAY['fire'], assignee_id => 2);
SELECT support.create_ticket('Marked later', creator_id => 4);
SELECT support.create_ticket('Removed and restored', creator_id => 4);
SELECT support.create_ticket('Purged', creator_id => 4);
BEGIN;
SELECT support.create_ticket('Never was', creator_id => 4);
ROLLBACK;

SELECT support.add_comment(1, 'On my way', author_id => 2, status => 'pending');
SELECT support.add_comment(1, 'Careful, he is angry', true, author_id => 3);
SELECT support.add_comment(1, 'It is worse now', author_id => 4, via => 'email', external_id => 'mail-18',
	actor_id => 4);
SELECT support.add_comment(1, 'A slip', author_id => 2);
SELECT support.add_comment(1, 'Another slip', author_id => 2);
SELECT support.edit_comment(1, 2, 'Careful, he is very angry');
SELECT support.delete_comment(1, 4, 'wrong ticket');
SELECT support.delete_comment(1, 5);
SELECT support.restore_comment(1, 5);
DELETE FROM support.comments WHERE ticket_id = 1 AND id = 5;
SELECT support.add_attachment(1, 'fire.bin', decode(repeat('00ff5c0a', 60000), 'hex'), 'image/x-fire', 1);
SELECT support.add_attachment(1, 'empty.txt', ''::bytea, 'text/plain');
INSERT INTO support.attachments (ticket_id, filename, byte_size, uploaded_by) VALUES (2, 'elsewhere.pdf', 17, 5);
SELECT support.watch_ticket(1, 3);
SELECT support.watch_ticket(1, 5, 'cc');
SELECT support.unwatch_ticket(1, 3);
SELECT support.tag_ticket(2, ARRAY['till', 'PRINTER', 'hardware']);
SELECT support.untag_ticket(2, ARRAY['hardware']);
SELECT support.add_comment(4, 'I shall look', author_id => 2);
SELECT support.add_attachment(4, 'log.txt', 'line one', 'text/plain', 6);
SELECT support.watch_ticket(4, 4, 'mention');

-- the same by plain SQL and COPY
INSERT INTO support.tickets (title, description, creator_id, created_at, region, priority)
SELECT 'Imported ' || n, repeat('words ', n), 4 + n % 2, '2026-01-01 08:00+00'::timestamptz + n * '1 hour'::interval,
	CASE WHEN n % 3 > 0 THEN 'south' END, CASE WHEN n % 4 > 0 THEN 'low' END
FROM generate_series(1, 60) AS n;
COPY support.tickets (ticket_number, title, description, creator_id, custom) FROM stdin;
C-1	Copied with a tab	\\N is\tno null	4	{"a": [1, 2.50, null]}
C-2	Copied again		5	{}
\.
INSERT INTO support.comments (ticket_id, author_id, content, is_private)
SELECT t.id, CASE WHEN t.id % 2 = 0 THEN 2 ELSE t.creator_id END, 'About ' || t.title, t.id % 5 = 0
FROM support.tickets AS t WHERE t.title LIKE 'Imported %';
UPDATE support.tickets SET assignee_id = 3, status = 'in_progress' WHERE id % 7 = 0 AND id > 7;
INSERT INTO support.ticket_tags (ticket_id, tag_id) SELECT id, 1 FROM support.tickets WHERE region = 'south';
INSERT INTO support.ticket_watchers (ticket_id, user_id) SELECT id, 3 FROM support.tickets WHERE region = 'south';
INSERT INTO shop.orders (ticket_id, item) SELECT id, 'item of ' || ticket_number FROM support.tickets WHERE id < 20;
SELECT support.deactivate_user(6, 2);
DELETE FROM support.tickets WHERE id = 7;

-- the next month: sealed, solved, reopened, deleted in every way
SET support_ext.now = '2026-03-10 09:00+00';
SELECT support.seal_audit();
SELECT support.purge_deleted('1 day');
SELECT support.set_status(2, 'resolved', actor_id => 2);
SELECT support.add_comment(2, 'Not at all', author_id => 5, actor_id => 5);
SELECT support.update_ticket(3, '{"title": "Overheated", "custom": {"since": "noon"}, "tags": ["heat"]}');
SELECT support.transfer_ticket_ownership(3, 5);
UPDATE support.tickets SET status = 'closed' WHERE title LIKE 'Imported 1%';
DELETE FROM support.tickets WHERE title LIKE 'Imported 2%';
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE title LIKE 'Imported 3%';
SELECT support.restore_ticket(id) FROM support.tickets WHERE title LIKE 'Imported 3%' AND id % 2 = 0;
INSERT INTO shop.kept_tickets (ticket_id, ticket, content)
SELECT ticket_id, support.get_ticket(ticket_id, true), support.attachment_content(ticket_id, id, true)
FROM support.attachments WHERE ticket_id = 4;
-- what the reports count is added up, but for what follows
SELECT support.fold_stats();
DELETE FROM support.tickets WHERE id IN (4, 6);
SELECT support.restore_ticket(6);
SELECT support.delete_ticket(5, 'a test');
SELECT support.log_event(1, 'phone_call', NULL, '{"minutes": 5}');
SELECT support.log_event(NULL, 'backup', '[1, "two"]');
INSERT INTO support.audit_log (action, ticket_id) VALUES ('visit', 2);

-- the owner decides
SELECT support.configure('max_attachment_size', '10MB');
SELECT support.configure('retention_action', 'archive');
SELECT support.configure('retention_action', NULL);

-- a word goes from a comment and from all that the log has of it; nothing is held or to be destroyed
SELECT support.redact_comment(1, 2, 'very ', '');
SELECT support.lift_hold(support.place_hold(1, reason => 'a test'));
SELECT support.set_ticket_rule('spam', '{"tag": "spam"}', '30 days', 'purge');

-- others follow
SELECT support.feed_start('search');
SELECT support.feed_start('archive', NULL);
SELECT support.feed_done('archive', feed_position) FROM support.feed_read('archive', 17);
SELECT support.seal_audit();

-- a ticket is taken for one whose solving was undone, which does no harm
INSERT INTO support_internal.stat_hidden_solves VALUES (1);
SQL
	return;
}

# No comparison may pass because there was nothing to compare
sub every_table_has_rows
{
	my ($node, $database, $name) = @_;

	is( $node->safe_psql($database, <<'SQL'), '', $name);
SELECT format('SELECT %L WHERE NOT EXISTS (SELECT FROM %s)', c.oid::regclass, c.oid::regclass)
FROM pg_class AS c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text IN ('support', 'support_internal', 'shop')
	-- of which 051_access has a desk: roles are the cluster's, and a token is another each time
	AND c.relname NOT IN ('access', 'tokens')
ORDER BY c.oid::regclass::text
\gexec
SQL
	return;
}

# A line for every table (how many rows, and a digest of them) and sequence of the database
sub rows_of
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT format
	(
		CASE c.relkind
			WHEN 'S' THEN 'SELECT %L, last_value, is_called FROM %s'
			ELSE 'SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM %s AS t'
		END,
		c.oid::regclass, c.oid::regclass
	)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname
\gexec
SQL
}

# A line for everything else about the tables and views of the database: columns, constraints, indexes, triggers,
# queries of views, bounds of partitions, comments, owners and privileges
sub structure_of
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, <<'SQL');
SET search_path = pg_catalog;
CREATE TEMPORARY VIEW relations AS
SELECT c.*, c.oid::regclass::text AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';

SELECT concat_ws(' ', 'relation', name, relkind, 'of', relowner::regrole, relacl, reloptions,
	pg_get_expr(relpartbound, oid),
	CASE WHEN relkind = 'v' THEN regexp_replace(pg_get_viewdef(oid), '\s+', ' ', 'g') END,
	obj_description(oid, 'pg_class'))
FROM relations ORDER BY name COLLATE "C";

SELECT concat_ws(' ', 'column', r.name, a.attname, format_type(a.atttypid, a.atttypmod),
	CASE WHEN a.attnotnull THEN 'not null' END, a.attidentity, a.attgenerated,
	pg_get_expr(d.adbin, d.adrelid), col_description(r.oid, a.attnum))
FROM relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'v') ORDER BY r.name COLLATE "C", a.attnum;

SELECT concat_ws(' ', 'constraint', r.name, c.conname, pg_get_constraintdef(c.oid), c.convalidated)
FROM relations AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
ORDER BY r.name COLLATE "C", c.conname COLLATE "C";

SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisprimary)
FROM relations AS r JOIN pg_index AS i ON i.indrelid = r.oid
ORDER BY pg_get_indexdef(i.indexrelid) COLLATE "C";

SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
FROM relations AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
ORDER BY pg_get_triggerdef(t.oid) COLLATE "C";

SELECT concat_ws(' ', 'sequence', r.name, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqcache,
	d.refobjid::regclass, d.refobjsubid)
FROM relations AS r
JOIN pg_sequence AS s ON s.seqrelid = r.oid
LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
ORDER BY r.name COLLATE "C";

SELECT concat_ws(' ', 'schema', nspname, 'of', nspowner::regrole, nspacl)
FROM pg_namespace WHERE nspname IN ('support', 'support_internal', 'shop') ORDER BY nspname;
SQL
}

# The same and all the rest: functions, policies, and every comment
sub catalogs_of
{
	my ($node, $database) = @_;

	return structure_of($node, $database) . "\n" . $node->safe_psql($database, <<'SQL');
SET search_path = pg_catalog;
CREATE TEMPORARY VIEW objects AS
SELECT d.classid, d.objid, a.object_names, a.type
FROM pg_depend AS d
CROSS JOIN LATERAL pg_identify_object_as_address(d.classid, d.objid, 0) AS a (type, object_names, object_args)
JOIN pg_namespace AS n ON n.oid = d.refobjid AND n.nspname IN ('support', 'support_internal', 'shop')
WHERE d.refclassid = 'pg_namespace'::regclass;

SELECT concat_ws(' ', CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.oid::regprocedure,
	'of', p.proowner::regrole, (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(p.proacl) AS acl),
	regexp_replace(CASE p.prokind WHEN 'f' THEN pg_get_functiondef(p.oid) ELSE a::text END, '\s+', ' ', 'g'))
FROM pg_proc AS p
LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE p.pronamespace::regnamespace::text IN ('support', 'support_internal', 'shop')
ORDER BY 1;

SELECT concat_ws(' ', 'policy', p.schemaname, p.tablename, p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check)
FROM pg_policies AS p ORDER BY 1;
SELECT concat_ws(' ', 'row security', c.oid::regclass, c.relforcerowsecurity)
FROM pg_class AS c WHERE c.relrowsecurity ORDER BY 1;

SELECT concat_ws(' ', 'comment', pg_describe_object(c.classoid, c.objoid, c.objsubid), c.description)
FROM pg_description AS c
WHERE (c.classoid, c.objoid) IN (SELECT classid, objid FROM objects)
OR c.classoid = 'pg_namespace'::regclass AND c.objoid::regnamespace::text IN ('support', 'support_internal')
OR c.classoid = 'pg_trigger'::regclass OR c.classoid = 'pg_constraint'::regclass OR c.classoid = 'pg_policy'::regclass
ORDER BY 1;
SQL
}

# The lines that only one of two descriptions has, each with a sign; '' if they are equal
sub difference
{
	my ($got, $expected) = @_;
	my %got = map { $_ => 1 } split /\n/, $got;
	my %expected = map { $_ => 1 } split /\n/, $expected;

	return join "\n",
		(map { "- $_" } grep { !$got{$_} } sort keys %expected),
		(map { "+ $_" } grep { !$expected{$_} } sort keys %got);
}

# What belongs to the extension
sub members_of
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, <<'SQL');
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend AS d
JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
WHERE e.extname = 'support_ext' AND d.deptype = 'e'
ORDER BY 1
SQL
}

1;
