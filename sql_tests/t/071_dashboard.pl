# The dashboard's page in a browser: it renders without a script, light, dark and on paper, on a wide screen and on a
# narrow one; its numbers are those of the reports; and whatever a name holds stays text.

use strict;
use warnings;

use Desk;
use PostgreSQL::Test::Utils;
use Test::More;

my ($browser) = grep { -x $_ } map { ("$_/chromium", "$_/chromium-browser") } split /:/, $ENV{PATH};

plan skip_all => 'there is no chromium: script/bootstrap test installs it' unless $browser;

my $CLOCK = "SET support_ext.now = '2026-03-11 09:00+00';";
my $RANGE = "'2026-02-01', '2026-03-12'";
my $EVIL = q(</td></table></title><script>document.title=1</script><img src=x onerror="alert(1)">);

my $node = start_server('dashboard');
$node->safe_psql('postgres', 'CREATE DATABASE desk');
$node->safe_psql('desk', 'CREATE EXTENSION support_ext');
add_own_objects($node, 'desk');
use_desk($node, 'desk');
$node->safe_psql('desk', <<"SQL");
$CLOCK
SELECT support.set_actor(1);
INSERT INTO support.teams (name) VALUES ('team $EVIL');
INSERT INTO support.users (email, full_name, role) VALUES ('evil\@desk.example', 'agent $EVIL', 'agent');
INSERT INTO support.tickets (title, description, creator_id, channel, team_id, assignee_id, created_at)
SELECT '$EVIL', '$EVIL', 4, '<b>chat</b>', (SELECT max(id) FROM support.teams), (SELECT max(id) FROM support.users),
	timestamptz '2026-02-03 10:00+00' + n * interval '7 hours'
FROM generate_series(1, 100) AS n;
SELECT support.tag_ticket(id, ARRAY['<i>tag</i>']) FROM support.tickets WHERE title LIKE '</td>%' AND id % 2 = 0;
SELECT support.set_status(id, 'resolved') FROM support.tickets WHERE title LIKE '</td>%' AND id % 3 = 0;
SQL

my $dir = PostgreSQL::Test::Utils::tempdir();
my $page = "$dir/page.html";

# Run the browser on the page; what it prints
sub browse
{
	my (@options) = @_;
	my ($out, $err) = run_command(
		[
			'timeout', '120', $browser, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
			'--hide-scrollbars', "--user-data-dir=$dir/profile", @options, "file://$page"
		]);

	note($err);
	return $out;
}

# What a query finds on the desk
sub found
{
	my ($query) = @_;

	return $node->safe_psql('desk', "$CLOCK\n$query");
}

# A table of the page as psql would print it: the names of its rows, and the numbers as programs read them
sub table_of
{
	my ($html, $title) = @_;
	my ($table) = $html =~ m{<table aria-label="\Q$title\E">.*?<tbody>(.*?)</tbody>}s;
	my @lines;

	foreach my $row (($table // '') =~ m{<tr>(.*?)</tr>}gs)
	{
		my ($name) = $row =~ m{<th scope="row">(.*?)</th>}s;
		my @cells = $row =~ m{<td class="n"(?: data-value="([^"]*)")?>}g;

		$name =~ s/&lt;/</g;
		$name =~ s/&gt;/>/g;
		$name =~ s/&amp;/&/g;
		push @lines, join '|', $name, map { $_ // '' } @cells;
	}
	return join "\n", @lines;
}

$node->command_ok(
	[ 'psql', '-XAtq', '-d', 'desk', '-o', $page, '-c', $CLOCK, '-c', "SELECT support.dashboard_html('$EVIL', $RANGE)" ],
	'psql writes the page');

my $dom = browse('--dump-dom');
like($dom, qr{^<!DOCTYPE html>.*</html>\s*\z}s, 'the browser reads it');
is(() = $dom =~ /<(?:script|img|b|i|iframe|link|object)[ >]/g, scalar(() = $dom =~ /<i class="s[12]"/g),
	'there is no element in it that is not ours');
unlike($dom =~ s/>[^<]*</></gr, qr/ on\w+=|javascript:|(?:src|href)=/, 'nor does one call anything');
like($dom, qr{<title>&lt;/td&gt;&lt;/table&gt;&lt;/title&gt;&lt;script&gt;}, 'a title with markup is text');
like($dom, qr{<th scope="row">\Q$_\E</th>}, "so is $_")
  for 'team &lt;/td&gt;&lt;/table&gt;&lt;/title&gt;&lt;script&gt;document.title=1&lt;/script&gt;'
  . '&lt;img src=x onerror="alert(1)"&gt;', '&lt;b&gt;chat&lt;/b&gt;', '&lt;i&gt;tag&lt;/i&gt;';
like($dom, qr{<th scope="row">agent &lt;/td&gt;}, 'and an agent');

# Numbers

is(table_of($dom, 'Backlog'), found(<<"SQL"), 'the backlog is that of the report');
SELECT to_char(bucket_at, 'FMDD Mon'), n FROM support.report('backlog', $RANGE, 'day')
SQL
is(table_of($dom, 'Created and solved'), found(<<"SQL"), 'so is what came in and went out');
SELECT to_char(c.bucket_at, 'FMDD Mon'), c.n, s.n
FROM support.report('created', $RANGE, 'day') AS c
JOIN support.report('solved', $RANGE, 'day') AS s USING (bucket_at)
ORDER BY c.bucket_at
SQL
foreach my $row ([ 'First reply', 'first_reply' ], [ 'Resolution', 'full_resolution' ])
{
	is(table_of($dom, $row->[0]), found(<<"SQL"), "$row->[0]: so are the percentiles");
SELECT to_char(bucket_at, 'FMDD Mon YYYY'), extract(epoch FROM p50)::float8, extract(epoch FROM p90)::float8
FROM support.report('$row->[1]', $RANGE, 'week')
SQL
}
is(table_of($dom, 'When tickets come') =~ s/^\w+\|//gmr, found(<<"SQL"), 'and the hours of the week');
SELECT string_agg(coalesce(h.n, 0)::text, '|' ORDER BY hour)
FROM generate_series(1, 7) AS day
CROSS JOIN generate_series(0, 23) AS hour
LEFT JOIN
	(
		SELECT extract(isodow FROM created_at) AS day, extract(hour FROM created_at) AS hour, count(*) AS n
		FROM support.tickets
		WHERE deleted_at IS NULL AND created_at >= '2026-02-01' AND created_at < '2026-03-12'
		GROUP BY 1, 2
	) AS h USING (day, hour)
GROUP BY day
ORDER BY day
SQL
my %lists = (
	'Status' => 'SELECT status, tickets, extract(epoch FROM oldest)::float8 FROM support.report_status',
	'Priority' => 'SELECT priority, open, unassigned, extract(epoch FROM oldest)::float8 FROM support.report_priority',
	'Age' => 'SELECT age, open, unassigned FROM support.report_aging',
	'Backlog by team' => 'SELECT team, open, unassigned, extract(epoch FROM oldest)::float8 FROM support.report_teams'
	  . ' ORDER BY open DESC, team',
	'Agents' => 'SELECT agent, open, waiting_on_agent, extract(epoch FROM oldest_waiting)::float8, replies_30d, solved_30d'
	  . ' FROM support.report_agents ORDER BY open DESC, agent',
	'Tags' => "SELECT group_name, n FROM support.report('created', $RANGE, group_by => 'tag') ORDER BY n DESC, 1");
foreach my $title (sort keys %lists)
{
	my $table = table_of($dom, $title);

	isnt($table, '', "$title has rows");
	is($table, found($lists{$title}), "$title: the numbers are those of the report");
}

# Pictures: they are not empty, and differ

my %pictures = (
	light => ['--window-size=1200,2400'],
	dark => [ '--window-size=1200,2400', '--blink-settings=preferredColorScheme=0' ],
	narrow => ['--window-size=500,2400']);
foreach my $name (sort keys %pictures)
{
	browse(@{ $pictures{$name} }, "--screenshot=$dir/$name.png");
	cmp_ok(-s "$dir/$name.png" // 0, '>', 30_000, "$name: it is drawn");
}
isnt(slurp_file("$dir/light.png"), slurp_file("$dir/dark.png"), 'a dark one for who prefers it');
browse("--print-to-pdf=$dir/page.pdf", '--no-pdf-header-footer');
like(slurp_file("$dir/page.pdf"), qr/^%PDF-/, 'it prints');

# Small and large ranges render too, and so does an empty desk

$node->safe_psql('postgres', 'CREATE DATABASE empty');
$node->safe_psql('empty', 'CREATE EXTENSION support_ext');
foreach my $call (
	[ 'desk', "from_at => '2026-03-10', to_at => '2026-03-10 00:15'" ],
	[ 'desk', "from_at => '2020-01-01', to_at => '2026-04-01', time_zone => 'Asia/Kathmandu'" ],
	[ 'empty', '' ])
{
	$node->safe_psql($call->[0], "$CLOCK\n\\o $page\nSELECT support.dashboard_html($call->[1]);");
	my $html = browse('--dump-dom');

	is(() = $html =~ /<svg [^>]*role="img"/g, 5, "$call->[0], ($call->[1]): all charts are there");
	unlike($html, qr/\b(?:nan|inf|null)\b/i, 'and all numbers are numbers');
}

$node->stop;
done_testing();
