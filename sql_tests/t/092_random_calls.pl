# Every function of the desk, its own ones and trigger functions too, called with whatever its types allow, by an
# application and by a superuser, answers or refuses: nothing is the server's or our own fault, the session goes on, takes
# no more memory in the end than half way, and what was done leaves the desk sound. SUPPORT_EXT_TEST_CALLS says how many
# calls each of them makes, SUPPORT_EXT_TEST_SEED which.

use strict;
use warnings;

use Desk;
use Test::More;

my $calls = $ENV{SUPPORT_EXT_TEST_CALLS} // 3000;
my $seed = take_seed();

my $node = start_server('desk', 'log_statement = none', 'log_min_messages = fatal', 'autovacuum = off');

$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext; CREATE ROLE app LOGIN;' . app_grants('app'));
add_own_objects($node, 'desk');
use_desk($node, 'desk');
$node->safe_psql('desk', <<'SQL');
GRANT pg_read_all_stats TO app;
CREATE SCHEMA calls;
GRANT USAGE ON SCHEMA calls TO app;

-- What arguments are drawn from
CREATE TABLE calls.samples (type text, literal text);
COPY calls.samples FROM stdin;
bigint	NULL
bigint	0
bigint	1
bigint	2
bigint	3
bigint	5
bigint	9
bigint	-1
bigint	99999
bigint	9223372036854775807
bigint	-9223372036854775807 - 1
integer	NULL
integer	0
integer	1
integer	2
integer	7
integer	-1
integer	100
integer	2147483647
integer	-2147483648
boolean	NULL
boolean	true
boolean	false
double precision	NULL
double precision	0
double precision	0.5
double precision	-1
double precision	'NaN'
double precision	'Infinity'
double precision	'-Infinity'
double precision	1e308
double precision	1e-308
timestamp with time zone	NULL
timestamp with time zone	'infinity'
timestamp with time zone	'-infinity'
timestamp with time zone	'2026-03-12 09:00+00'
timestamp with time zone	'2026-02-15 00:00+01'
timestamp with time zone	'4713-01-01 00:00+00 BC'
timestamp with time zone	'294276-12-31 23:59:59.999999+00'
timestamp with time zone	'9999-12-31 23:59+00'
timestamp with time zone	'10001-01-01 00:00+00'
date	NULL
date	'infinity'
date	'-infinity'
date	'2026-03-02'
date	'4713-01-01 BC'
date	'5874897-12-31'
interval	NULL
interval	'0'
interval	'1 hour'
interval	'-1 hour'
interval	'1 month'
interval	'30 days'
interval	'178000000 years'
interval	'-178000000 years'
interval	'2562047788 hours'
text	NULL
text	''
text	' '
text	'x'
text	'day'
text	'hour'
text	'week'
text	'UTC'
text	'Europe/Berlin'
text	'created'
text	'open'
text	'backlog'
text	'first_reply'
text	'resolution'
text	'solved'
text	'status'
text	'team'
text	'tag'
text	'tickets'
text	'pending'
text	'resolved'
text	'urgent'
text	'agent'
text	'search'
text	'archive'
text	'retention'
text	'24 months'
text	'mail-17'
text	'OLD-1'
text	'new@desk.example'
text	'0/0/0'
text	'%s%n'
text	's'
text	't'
text	'-'
text	'{'
text	'-infinity'
text	'x''; DROP TABLE support.tickets; --"\\'
text	E'\\x01\\n\\x7f'
text	U&'\\00e9\\4e2d\\+01f4a5\\202e'
text	repeat('x', 600)
text	repeat('y', 1000000)
text[]	NULL
text[]	'{}'
text[]	'{NULL}'
text[]	'{a,b}'
text[]	'{{a,b},{c,d}}'
text[]	'[5:6]={a,NULL}'
text[]	'{open,day}'
text[]	'{PRINTER,fire}'
text[]	'{""," "}'
text[]	array_fill('t'::text, '{20000}')
bigint[]	NULL
bigint[]	'{1,2}'
integer[]	NULL
integer[]	'{}'
integer[]	'{NULL,1}'
integer[]	'{{1,2}}'
integer[]	'{2147483647,-1}'
integer[]	'{7,1}'
timestamp with time zone[]	NULL
timestamp with time zone[]	'{}'
timestamp with time zone[]	'{NULL}'
timestamp with time zone[]	'{infinity,-infinity}'
timestamp with time zone[]	'{-infinity,2026-02-01,2026-03-01,infinity}'
timestamp with time zone[]	'{2026-01-01,2026-02-01}'
timestamp with time zone[]	'{{2026-01-01,2026-01-02}}'
timestamp with time zone[]	'[-3:-2]={4713-01-01 BC,294276-12-31}'
bytea	NULL
bytea	''
bytea	'x'
bytea	decode('01000000ffffffff', 'hex')
bytea	decode(repeat('ff', 1000), 'hex')
bytea	(SELECT support.histogram(s) FROM generate_series(1, 9) AS s)
bytea	(SELECT substr(support.histogram(s), 1, 7) FROM generate_series(1, 900) AS s)
pg_snapshot	NULL
pg_snapshot	'1:1:'
pg_snapshot	'10:20:10,14'
pg_snapshot	'1:9223372036854775807:'
pg_snapshot	pg_current_snapshot()
regclass	NULL
regclass	0
regclass	'pg_class'
regclass	'support.tickets'
regclass	'support.ticket_list'
regclass	'support_internal.audit_log_2026_03'
regclass	'support_internal.audit_log_default'
anyelement	NULL::support.tickets
anyelement	NULL::support.comments
anyelement	NULL::support.ticket_list
anyelement	NULL::integer
anyelement	NULL::text[]
anyelement	NULL::pg_catalog.pg_class
anyelement	ROW(1, 'x')
jsonb	NULL
jsonb	'{}'
jsonb	'[]'
jsonb	'null'
jsonb	'1'
jsonb	'"x"'
jsonb	'[null]'
jsonb	'[[]]'
jsonb	'{"team_id": 1e400}'
jsonb	'{"status": ["open", null]}'
jsonb	'{"team_id": [1, "x", []]}'
jsonb	'[{"metric": "first_reply", "target": "1 hour"}]'
jsonb	'[{"metric": "resolution", "target": "9 hours", "calendar": "Office", "warn": [50, 90]}]'
jsonb	'[{"metric": 1, "target": {}}]'
jsonb	'{"targets": [{"metric": "agent_work", "target": "9 hours", "calendar_id": 1}]}'
jsonb	'{"mon-fri": "09:00-17:00"}'
jsonb	'{"mon": ["25:00-30:00"], "x": null}'
jsonb	'["2026-12-25", {"day": "infinity"}]'
jsonb	'{"title": "x", "priority": null, "tags": [1]}'
jsonb	'{"title": "New", "priority": "low", "tags": ["a"], "custom": {"a": null, "b": [1]}}'
jsonb	'{"pending_until": "infinity"}'
jsonb	'{"assignee_id": 99999999999999999999}'
jsonb	'{"custom": {"a": 1}, "channel": {"a": [1]}}'
jsonb	(SELECT support.audit_proof(3))
jsonb	(SELECT support.audit_proof(3) - 'entry' || '{"path": [null, 7]}')
jsonb	(SELECT jsonb_object_agg(n::text, n) FROM generate_series(1, 3000) AS n)
jsonb	(repeat('[', 500) || repeat(']', 500))::jsonb
\.

-- A call of a function with arguments that are drawn; the later ones may be left out where they have defaults
CREATE FUNCTION calls.draw(function oid)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	f pg_proc;
	arguments text[] = '{}';
	wanted text;
	chosen text;
BEGIN
	SELECT p.* INTO f FROM pg_proc AS p WHERE p.oid = function;
	FOR i IN 0 .. f.pronargs - 1 LOOP
		EXIT WHEN i >= f.pronargs - f.pronargdefaults AND random() < 0.3;
		wanted := format_type(f.proargtypes[i], NULL);
		SELECT s.literal INTO chosen FROM calls.samples AS s WHERE s.type = wanted ORDER BY random() LIMIT 1;
		arguments := arguments ||
			CASE
				WHEN wanted = 'internal' THEN 'NULL'
				WHEN wanted = 'anyelement' THEN chosen
				ELSE format('(%s)::%s', coalesce(chosen, 'NULL'), wanted)
			END;
	END LOOP;
	RETURN format(
		CASE
			WHEN f.prokind = 'a' THEN 'SELECT %s(%s) FROM generate_series(1, 3)'
			WHEN f.prorettype = 'trigger'::regtype THEN 'SELECT %s(%s)'
			ELSE 'SELECT * FROM %s(%s) LIMIT 1000'
		END,
		f.oid::regproc, array_to_string(arguments, ', '));
END
$$;

-- Make it, and keep or take back what came of it; tells what should not have
CREATE FUNCTION calls.try(call text, keep boolean)
RETURNS TABLE (is_made boolean, fault text)
LANGUAGE plpgsql AS $$
BEGIN
	is_made := true;
	EXECUTE call;
	IF NOT keep THEN
		RAISE SQLSTATE '00001';
	END IF;
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE '00001' THEN
		RETURN NEXT;
	WHEN query_canceled OR assert_failure OR OTHERS THEN
		is_made := false;
		IF SQLSTATE ~ '^(XX|53|57|58|F0|P0004|42P)' THEN
			fault := concat_ws(' ', SQLSTATE, SQLERRM, 'by', call);
		END IF;
		RETURN NEXT;
END
$$;

-- What the session has of memory
CREATE FUNCTION calls.memory()
RETURNS text
LANGUAGE sql AS $$
SELECT 'memory|' || sum(total_bytes) FROM pg_backend_memory_contexts
$$;
SQL

# A script of calls: all functions but the one that waits, as often. Which are kept is drawn, too, but not of the desk's own,
# by which a superuser can do what is no fault of theirs.
sub script
{
	my ($of, $role) = @_;
	my @drawn = split /\n/, $node->safe_psql('desk', <<"SQL");
SELECT setseed(sin($of));
SELECT format('SELECT * FROM calls.try(%L, %L);', replace(calls.draw(f.oid), chr(10), ' '),
	f.prokind = 'f' AND f.pronamespace = 'support'::regnamespace AND random() < 0.3)
FROM
	(
		SELECT p.*
		FROM pg_proc AS p
		CROSS JOIN generate_series(1, $calls / 50) AS round
		WHERE p.pronamespace IN ('support'::regnamespace, 'support_internal'::regnamespace) AND p.proname <> 'feed_wait'
		ORDER BY round, p.oid::regprocedure::text COLLATE "C"
		LIMIT $calls
	) AS f;
SQL
	shift @drawn;
	return join "\n", "SET SESSION AUTHORIZATION $role;", 'SET client_min_messages = error;',
		"SET support_ext.actor_id = '1';", "SET statement_timeout = '60s';", @drawn[0 .. $#drawn / 2], 'SELECT calls.memory();',
		@drawn[$#drawn / 2 + 1 .. $#drawn], 'SELECT calls.memory();', "SELECT 'user|' || current_user;", '';
}

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my @roles = ('app', $superuser);
my @scripts = map { script($seed + $_, $roles[$_]) } 0, 1;
$node->safe_psql('postgres', "CREATE DATABASE desk_of_$_ TEMPLATE desk") foreach 0, 1;

foreach my $of (0, 1)
{
	my $role = $roles[$of];
	my ($out, $err) = run_together($node, "desk_of_$of", [ $scripts[$of] ]);
	my ($half, $whole) = $out =~ /^memory\|(\d+)$/mg;
	my $made = () = $out =~ /^t\|/mg;
	my $refused = () = $out =~ /^f\|/mg;

	is(join("\n", $out =~ /^f\|(.+)$/mg), '', "$role: no call is the server's fault or ours");
	is($err, '', "$role: nothing reaches the client but answers");
	cmp_ok($made, '>', $calls / 10, "$role: calls are answered: $made");
	cmp_ok($refused, '>', $calls / 10, "$role: calls are refused: $refused");
	like($out, qr/^user\|\Q$role\E$/m, "$role: the session is what it was");
	cmp_ok(($whole // 1e9) - ($half // 0), '<', 4 * 1024 * 1024, "$role: the session takes no more memory in the end");
	is($node->safe_psql("desk_of_$of", 'SELECT * FROM support.verify_stats()'), '', "$role: what was counted is right");
	is($node->safe_psql("desk_of_$of", 'SELECT finding FROM support.verify_audit()'), '', "$role: the log is whole");
	is($node->safe_psql("desk_of_$of", 'SELECT support.install()'), '', "$role: the desk is as it was made");
}

# Trigger functions on tables of others: refused, whatever the rows look like
my @refused = split /\n/, $node->safe_psql('desk', <<'SQL');
CREATE TABLE calls.tickets (LIKE support.tickets INCLUDING ALL);
CREATE TABLE calls.audit_log (LIKE support.audit_log INCLUDING ALL);
CREATE TABLE calls.numbers (n integer);
CREATE TABLE calls.nothing ();
CREATE VIEW calls.shown AS SELECT * FROM calls.numbers;
INSERT INTO calls.numbers VALUES (1);
INSERT INTO calls.nothing DEFAULT VALUES;
INSERT INTO calls.audit_log (id, action, occurred_at) VALUES (1, 'x', now());
INSERT INTO calls.tickets SELECT * FROM support.tickets LIMIT 1;

CREATE FUNCTION calls.try_trigger(function text, rel text, fires text, argument text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	statement text;
BEGIN
	EXECUTE format('CREATE TRIGGER x %s EXECUTE FUNCTION %s(%s)', replace(fires, '@', 'ON ' || rel), function, argument);
	FOREACH statement IN ARRAY '{INSERT INTO % SELECT * FROM % LIMIT 1,DELETE FROM %,TRUNCATE %}'::text[] LOOP
		BEGIN
			EXECUTE replace(statement, '%', rel);
			IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'x') THEN RETURN 'lost'; END IF;
		EXCEPTION
			WHEN OTHERS THEN
				RAISE SQLSTATE '00001' USING MESSAGE = SQLSTATE || ' ' || SQLERRM;
		END;
	END LOOP;
	RAISE SQLSTATE '00001' USING MESSAGE = '00000';
EXCEPTION
	WHEN SQLSTATE '00001' THEN
		RETURN SQLERRM;
	WHEN wrong_object_type OR feature_not_supported OR object_not_in_prerequisite_state THEN
		RETURN NULL;	-- the server has no such trigger
END
$$;
SELECT t.state
FROM pg_proc AS p,
	unnest('{calls.tickets,calls.audit_log,calls.numbers,calls.nothing,calls.shown}'::text[]) AS rel,
	unnest('{BEFORE INSERT @ FOR EACH ROW,AFTER DELETE @ FOR EACH ROW,BEFORE INSERT OR DELETE @,
		AFTER TRUNCATE @,BEFORE TRUNCATE @,INSTEAD OF INSERT OR DELETE @ FOR EACH ROW}'::text[]) AS fires,
	unnest('{"","''tickets''","''no such''","''users'', 7"}'::text[]) AS argument,
	calls.try_trigger(p.oid::regproc::text, rel, fires, argument) AS t (state)
WHERE p.pronamespace = 'support_internal'::regnamespace AND p.prorettype = 'trigger'::regtype AND t.state IS NOT NULL;
SQL
my %states;

$states{ substr($_, 0, 5) } = $_ foreach @refused;
cmp_ok(scalar @refused, '>', 100, 'trigger functions were tried');
delete @states{ grep { /^(?:00000|0A|23|39P01|42809|55000)/ } keys %states };
is(join("\n", sort values %states), '', 'they refuse what is not theirs');

done_testing();
