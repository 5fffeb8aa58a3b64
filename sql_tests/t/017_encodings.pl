# The extension's script is pure ASCII, since the server reads it in the encoding of the database; and a database of any
# encoding takes a desk.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my @scripts = (glob('sql/*.sql'), glob('sql/desk/*.sql'));
cmp_ok(scalar @scripts, '>', 30, 'there are scripts to look at');
is(join(' ', grep { slurp_file($_) =~ /[^\x00-\x7f]/ } @scripts), '', 'they are pure ASCII');

# What the server says in its own words it converts from UTF-8 otherwise, which not every encoding can
my $node = start_server('encodings', "lc_time = 'C'", "lc_messages = 'C'");
# The encodings that a database may have end with this one
my @encodings = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT pg_encoding_to_char(n)
FROM generate_series(0, pg_char_to_encoding('KOI8U')) AS n
WHERE pg_encoding_to_char(n) <> ''
ORDER BY n
SQL
cmp_ok(scalar @encodings, '>=', 30, 'the server has encodings: ' . @encodings);

# What of Unicode's white space and control characters the encoding has: which of it goes wrong, and how many there are
my $names = <<'SQL';
SET client_min_messages = error;
CREATE FUNCTION pg_temp.fate(utf8 bytea, is_space boolean)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	character text;
	stored text;
BEGIN
	BEGIN
		-- what comes of some is no character in the encoding, though the server has made it
		character := convert_from(convert_to(convert_from(utf8, 'UTF8'), getdatabaseencoding()), getdatabaseencoding());
	EXCEPTION WHEN OTHERS THEN RETURN 'there is none';
	END;
	UPDATE support.tickets SET title = character || 'a b' || CASE WHEN is_space THEN character ELSE 'c' END WHERE id = 1
		RETURNING title INTO stored;
	RETURN CASE WHEN is_space AND stored = 'a b' THEN 'right' ELSE 'wrong' END;
EXCEPTION
	WHEN check_violation THEN RETURN CASE WHEN is_space THEN 'wrong' ELSE 'right' END;
END
$$;
SELECT string_agg(c.utf8::text, ' ') FILTER (WHERE c.fate = 'wrong'), count(*) FILTER (WHERE c.fate = 'right')
FROM
	(
		SELECT v.utf8, pg_temp.fate(v.utf8, v.is_space) AS fate
		FROM
			(VALUES
				('\xc285'::bytea, true), ('\xc2a0', true), ('\xe19a80', true), ('\xe28083', true), ('\xe2808b', true), ('\xe280af', true),
				('\xe38080', true), ('\xefbbbf', true), ('\xc280', false), ('\xc29b', false), ('\xe280ae', false), ('\xe281a6', false)
			) AS v (utf8, is_space)
	) AS c
SQL

foreach my $encoding (@encodings)
{
	# seals and pages are UTF-8, to which the server converts this one not at all
	my $utf8 = $encoding eq 'MULE_INTERNAL' ? '' : "SELECT support.seal_audit();\nSELECT support.dashboard_html();\n";

	$node->safe_psql('postgres', "CREATE DATABASE desk TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	my ($status, $stdout, $stderr) = $node->psql('desk', <<'SQL' . $utf8);
SET client_min_messages = error;
CREATE EXTENSION support_ext;
SELECT support.create_user('ada@desk.example', 'Ada Admin', 'admin');
SELECT support.create_ticket('The printer is on fire', creator_id => 1);
SELECT title FROM support.ticket_list;
SELECT * FROM support.show_ticket(1);
SELECT support.fold_stats() > 0;
SELECT support.dashboard();
SQL
	is("$status $stderr", '0 ', "$encoding: the extension is created and the desk works");
	like($stdout, qr/^1\n1\nThe printer is on fire\n/, "$encoding: and has a ticket");
	like($node->safe_psql('desk', $names), $encoding =~ /^(?:EUC|JOHAB|MULE)/ ? qr/^\|\d+$/ : qr/^\|[1-9]\d*$/,
		"$encoding: its white space is trimmed off names, and its control characters are refused in them");
	$node->safe_psql('postgres', 'DROP DATABASE desk');
}

# Roles are those of all databases: one whose name is in another encoding is written in ASCII
my $name = "convert_from('\\x636166e9', 'SQL_ASCII')";
$node->safe_psql('postgres', <<'SQL');
CREATE DATABASE raw TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE cafe TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
SQL
$node->safe_psql('raw', "DO \$do\$ BEGIN EXECUTE 'CREATE ROLE \"' || $name || '\" LOGIN SUPERUSER'; END \$do\$");
$node->safe_psql('cafe', 'CREATE EXTENSION support_ext');
$node->safe_psql('cafe', "SELECT support.create_user('ada\@desk.example', 'Ada')", extra_params => [ '--username', "caf\xe9" ]);
is($node->safe_psql('cafe', "SELECT string_agg(DISTINCT db_role, ' ') FROM support.audit_log"), 'caf\xe9',
	'a role of another encoding is in the log as a text of the database');

done_testing();
