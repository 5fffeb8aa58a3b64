# The blocks of doc/import.md bring a desk in that is full of white space, as another system's export may be, just as they
# bring in the page's own: nothing is lost, and nothing comes twice when they run again.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

# Of several kinds, in UTF-8, but for those that COPY ends a line or a column at
my @SPACES = (' ', "\xc2\xa0", "\xe2\x80\x83", "\xe2\x80\x8b ");

# What the desk has, but for what depends on when it came in
my $CONTENTS = <<'SQL';
SELECT 'user', u.external_id, u.email, u.role, o.name,
	(SELECT string_agg(t.name, ' ') FROM support.team_members AS m JOIN support.teams AS t ON t.id = m.team_id WHERE m.user_id = u.id)
FROM support.users AS u
LEFT JOIN support.organizations AS o ON o.id = u.organization_id
ORDER BY u.external_id;
SELECT 'ticket', t.external_id, t.ticket_number, t.title, t.status, c.external_id, a.external_id, t.reply_count, t.solved_at
FROM support.tickets AS t
JOIN support.users AS c ON c.id = t.creator_id
LEFT JOIN support.users AS a ON a.id = t.assignee_id
ORDER BY t.external_id;
SELECT 'comment', c.external_id, t.external_id, u.external_id, c.content, c.is_private, c.created_at
FROM support.comments AS c
JOIN support.tickets AS t ON t.id = c.ticket_id
JOIN support.users AS u ON u.id = c.author_id
ORDER BY c.created_at;
SELECT 'tag', t.external_id, g.name
FROM support.ticket_tags AS a
JOIN support.tickets AS t ON t.id = a.ticket_id
JOIN support.tags AS g ON g.id = a.tag_id
ORDER BY 2, 3;
SELECT 'file', t.external_id, c.external_id, f.filename
FROM support.attachments AS f
JOIN support.tickets AS t ON t.id = f.ticket_id
LEFT JOIN support.comments AS c ON c.ticket_id = f.ticket_id AND c.id = f.comment_id
ORDER BY 2, 3, 4;
SELECT 'counts', (SELECT count(*) FROM support.organizations), (SELECT count(*) FROM support.teams),
	(SELECT count(*) FROM support.audit_log WHERE table_name = 'tickets' AND new_value ->> 'status' = 'closed');
SQL

my $node = start_server('import', "timezone = 'UTC'");
my $turn = 0;

# The blocks of SQL of the page, but for the last, which is for whoever gives ids of his own
sub blocks_of_page
{
	my @blocks = slurp_file('doc/import.md') =~ /^```sql\n(.*?)^```$/msg;

	return join '', @blocks[ 0 .. $#blocks - 1 ];
}

sub padded
{
	my ($value) = @_;
	my $space = $SPACES[ $turn++ % @SPACES ];

	return $turn % 3 ? "$space$value$space" : "$value$space";
}

# White space around each key, name, number and address of the page's tables, and a blank where there is no key or agent
sub pad
{
	my ($script) = @_;
	my $name = qr/[utc]-\d|OLD-\d|Hardware|Northwind|open|closed|agent|customer|\w+\@example\.com|fire|printer|\w+\.txt/;

	$script =~ s{^(COPY \w+ FROM stdin;\n)(.*?)(^\\\.$)}
		{
			my ($head, $lines, $end) = ($1, $2, $3);
			$lines =~ s/(?<![^\t\n])($name)(?=[\t\n])/padded($1)/ge;
			$lines =~ s/(?<![^\n])\\N(?=\t)/padded('')/ge;
			$head . $lines . $end;
		}msge;
	$script =~ s{^(INSERT INTO old_\w+ VALUES .*?;)$}
		{
			my $insert = $1;
			$insert =~ s/'($name)'/"'" . padded($1) . "'"/ge;
			$insert;
		}msge;
	return $script;
}

sub make_desk
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'");
	$node->safe_psql($database, 'CREATE EXTENSION support_ext');
	return;
}

# Run a script in a session of its own, on the clock of the page
sub run_page
{
	my ($database, $script, $name) = @_;
	my ($out, $err);
	my $status = $node->psql($database, "SET support_ext.now = '2026-03-02 09:00+00';\n$script", stdout => \$out,
		stderr => \$err, on_error_stop => 1);

	is($status, 0, $name) or diag($err);
	return;
}

my $page = blocks_of_page();
my $padded = pad($page);
make_desk($_) foreach qw(clean padded);
run_page('clean', $page, 'the page comes in');
run_page('padded', $padded, 'the page comes in with white space');
isnt($padded, $page, 'there is white space');
cmp_ok($turn, '>', 60, 'around all that is padded');
my $clean = $node->safe_psql('clean', $CONTENTS);
like($clean, qr/^file\|t-1\|\|fire\.txt$/m, 'there is something to compare');
is($node->safe_psql('padded', $CONTENTS), $clean, 'it is the same desk');
run_page('padded', $padded, 'it comes in again');
is($node->safe_psql('padded', $CONTENTS), $clean, 'nothing came twice');
unlike($clean, qr/note\.txt/, 'the file of a note that is not there is on no ticket');

$node->stop;
done_testing();
