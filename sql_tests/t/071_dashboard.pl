# The dashboard's page in a browser: it renders without a script, light, dark and on two sheets of paper, on a wide screen
# and on a telephone; its numbers are those of the reports; and whatever a name holds stays text.

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
SELECT support.create_sla_policy('promises', '[
	{"metric": "first_reply", "target": "30 hours"}, {"metric": "requester_wait", "target": "850 hours"}]', '{"channel": "<u>chat</u>"}',
	at_position => 0);
INSERT INTO support.teams (name) VALUES ('team $EVIL');
INSERT INTO support.users (email, full_name, role) VALUES ('evil\@desk.example', 'agent $EVIL', 'agent');
INSERT INTO support.tickets (title, description, creator_id, channel, team_id, assignee_id, created_at)
SELECT '$EVIL', '$EVIL', 4, '<u>chat</u>', (SELECT max(id) FROM support.teams), (SELECT max(id) FROM support.users),
	timestamptz '2026-02-03 10:00+00' + n * interval '7 hours'
FROM generate_series(1, 100) AS n;
SELECT support.tag_ticket(id, ARRAY['<i>tag</i>']) FROM support.tickets WHERE title LIKE '</td>%' AND id % 2 = 0;
SELECT support.add_comment(id, 'Here.', author_id => 1) FROM support.tickets WHERE title LIKE '</td>%' AND id % 3 = 1;
SELECT support.set_status(id, 'resolved') FROM support.tickets WHERE title LIKE '</td>%' AND id % 3 = 0;
UPDATE support.tickets SET assignee_id = NULL WHERE title LIKE '</td>%' AND id % 7 = 0;
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
			'--hide-scrollbars', "--user-data-dir=$dir/profile", @options,
			(grep { m{^file:} } @options) ? () : "file://$page"
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
	my ($table) = $html =~ m{<table[^>]* aria-label="\Q$title\E">.*?<tbody>(.*?)</tbody>}s;
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
is(() = $dom =~ /<(?:script|img|u|i|iframe|link|object)[ >]/g, scalar(() = $dom =~ /<i class="s[12]"/g),
	'there is no element in it that is not ours');
unlike($dom =~ s/>[^<]*</></gr, qr/ on\w+=|javascript:|(?:src|href)=/, 'nor does one call anything');
like($dom, qr{<title>&lt;/td&gt;&lt;/table&gt;&lt;/title&gt;&lt;script&gt;}, 'a title with markup is text');
like($dom, qr{<th scope="row">\Q$_\E</th>}, "so is $_")
  for 'team &lt;/td&gt;&lt;/table&gt;&lt;/title&gt;&lt;script&gt;document.title=1&lt;/script&gt;'
  . '&lt;img src=x onerror="alert(1)"&gt;', '&lt;u&gt;chat&lt;/u&gt;', '&lt;i&gt;tag&lt;/i&gt;';
like($dom, qr{<th scope="row">agent &lt;/td&gt;}, 'and an agent');

# What to do first

# The number of a card, and its tickets: a line each
sub card_of
{
	my ($html, $title) = @_;
	my ($number, $card) = $html =~ m{<h3>\Q$title\E</h3><p><b data-value="(\d+)">(.*?)</section>}s;

	return join "\n", $number, $card =~ m{<tr><th scope="row">(.*?)</th>}g;
}

my %cards = (
	'Overdue' => [ 'next_due_at < support.desk_now()', 'next_due_at' ],
	'Due within 24 hours' => [ "next_due_at BETWEEN support.desk_now() AND support.desk_now() + '24 hours'", 'next_due_at' ],
	'Unassigned' => [ 'assignee_id IS NULL', 'created_at' ],
	'Waiting for our answer' => [ 'waiting_since IS NOT NULL', 'waiting_since' ]);
foreach my $title (sort keys %cards)
{
	my ($condition, $order) = @{ $cards{$title} };
	my $card = card_of($dom, $title);

	is($card, found(<<"SQL"), "$title: the number and the tickets are those of SQL");
WITH tickets AS
(
	SELECT u.*, t.waiting_since
	FROM support.unsolved_tickets AS u
	JOIN support.tickets AS t ON t.id = u.id
)
SELECT count(*)::text FROM tickets WHERE $condition
UNION ALL
(SELECT ticket_number FROM tickets WHERE $condition ORDER BY $order, id LIMIT 5)
SQL
	like($card, qr/^[1-9]\d*\nT-/, 'and there are some');
}
like($dom, qr{<td class="t"><span>&lt;/td&gt;&lt;/table&gt;&lt;/title&gt;&lt;script&gt;}, 'a title of a ticket is text');

# The range beside the one before

my %tiles = $dom =~ m{<dt>([^<]*)</dt><dd class="big" data-value="([^"]*)">}g;
my %before = $dom =~ m{<dt>([^<]*)</dt><dd class="big"[^>]*>[^<]*</dd><dd>[^\n]*?<span data-value="([^"]*)">}g;
my @totals = (
	[ 'Created', 'created', 'n' ], [ 'Solved', 'solved', 'n' ], [ 'Reopened', 'reopened', 'n' ],
	[ 'First reply, median', 'first_reply', 'extract(epoch FROM p50)::float8' ],
	[ 'Resolution, median', 'full_resolution', 'extract(epoch FROM p50)::float8' ]);
foreach my $total (@totals)
{
	my ($name, $metric, $number) = @$total;

	is($tiles{$name}, found("SELECT $number FROM support.report('$metric', $RANGE)"), "$name: the number of the report");
	is($before{$name} // '', found("SELECT $number FROM support.report('$metric', '2025-12-25', '2026-02-01')"),
		'and of the same length of time before');
}
is(sprintf('%.10g', $tiles{'Promises kept'}), sprintf('%.10g', found(<<"SQL")), 'promises kept, of those decided');
SELECT 100.0 * sum(achieved) / sum(decided) FROM support.sla_kept($RANGE)
SQL
is(found("SELECT sum(decided), sum(achieved) FROM support.sla_kept('2025-12-11', '2026-03-12')"),
	found('SELECT sum(decided), sum(achieved) FROM support.report_sla'), 'as the report on them has it');

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

# Paper: two sheets, however long the lists are

$node->safe_psql('desk', <<"SQL");
INSERT INTO support.teams (name) SELECT 'A team with a name that is long enough ' || n FROM generate_series(1, 30) AS n;
INSERT INTO support.users (email, full_name, role)
SELECT 'agent' || n || '\@desk.example', 'An agent ' || n, 'agent' FROM generate_series(1, 40) AS n;
INSERT INTO support.statuses (name, category, position) SELECT 'status ' || n, 'open', 100 + n FROM generate_series(1, 20) AS n;
INSERT INTO support.priorities (name, rank) SELECT 'priority ' || n, 100 + n FROM generate_series(1, 20) AS n;
INSERT INTO support.tickets (title, description, creator_id, channel, team_id, created_at)
SELECT 'Ticket ' || n, '', 4, 'channel ' || n, 1 + n % 30, timestamptz '2026-03-01 10:00+00'
FROM generate_series(1, 60) AS n;
SELECT support.tag_ticket(id, ARRAY['tag ' || id]) FROM support.tickets WHERE title LIKE 'Ticket %';
SQL
my $long = found("SELECT support.dashboard_html('Support desk', $RANGE)");
foreach my $paper (qw(A4 Letter))
{
	append_to_file("$dir/$paper.html", $long =~ s/<style>/<style>\@page{size:$paper}/r);
	browse("--print-to-pdf=$dir/$paper.pdf", '--no-pdf-header-footer', "file://$dir/$paper.html");
	my $pdf = slurp_file("$dir/$paper.pdf");

	like($pdf, qr/^%PDF-/, "$paper: it prints");
	is(() = $pdf =~ m{/Type\s*/Page\b}g, 2, 'on two sheets');
}

# A telephone: nothing is wider than the screen. The page has no script, so one around it measures.

my $quoted = $long =~ s/&/&amp;/gr =~ s/"/&quot;/gr;
append_to_file("$dir/phone.html", <<"HTML");
<!DOCTYPE html><body><iframe style="border:0;width:360px;height:640px" srcdoc="$quoted"
onload="var d = this.contentDocument.documentElement; document.body.dataset.width = d.scrollWidth + ' of ' + d.clientWidth">
</iframe></body>
HTML
my ($width) = browse('--dump-dom', "file://$dir/phone.html") =~ /data-width="([^"]*)"/;
is($width, '360 of 360', 'on 360 pixels it scrolls in one direction');

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
