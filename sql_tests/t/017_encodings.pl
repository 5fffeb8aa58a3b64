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
