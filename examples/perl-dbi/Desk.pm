# A support desk from Perl, with DBI and DBD::Pg.
#
#	my $desk = Desk->connect;
#	my $id = $desk->open_ticket(2, title => 'Printer on fire', tags => ['printer']);
#
# Each method is one request of an application: one transaction, in which one user acts. What the server refuses dies
# with a Desk::Error, whose state is the SQLSTATE.
#
# Text comes and goes as characters, not bytes: that is what pg_enable_utf8 does by default. So JSON is encoded and
# decoded without ->utf8, and a source with literals such as "Größe" says "use utf8".

package Desk;

use strict;
use warnings;

use DBI;
use JSON::PP;
use Time::Local qw(timegm_modern);

my $json = JSON::PP->new->canonical;

# Connect to the desk that PGHOST and the like lead to. pgbouncer 1.18 in transaction mode does not know which server
# connection has which prepared statement: behind it, "pooled" keeps DBD::Pg from preparing any.
sub connect
{
	my ($class, %option) = @_;
	my $dbh = DBI->connect('dbi:Pg:', undef, undef, {
		AutoCommit => 1,
		RaiseError => 1,
		PrintError => 0,
		HandleError => \&Desk::Error::raise,
		pg_server_prepare => $option{pooled} ? 0 : 1,
	});

	# "=>" and "::" are safe anyway, but in an array's slice, [:2], DBD::Pg would see a placeholder called ":2". A
	# question mark always is one: the operator of jsonb is written \?
	$dbh->{pg_placeholder_nocolons} = 1;
	return bless { dbh => $dbh }, $class;
}

sub dbh { return $_[0]{dbh} }

# Run some work in a transaction, and return what it returns. Dies as the work dies, after a rollback.
sub transaction
{
	my ($self, $work) = @_;
	my $dbh = $self->dbh;

	$dbh->begin_work;
	my $result = eval { my $value = $work->($dbh); $dbh->commit; \$value };
	if (!$result)
	{
		my $error = $@;
		eval { $dbh->rollback };
		die $error;
	}
	return $$result;
}

# Run some work in a transaction in which a user acts. That ends with it, so a connection takes nothing back to a pool.
sub acting
{
	my ($self, $user_id, $work) = @_;

	return $self->transaction(sub {
		$self->call('set_actor', user_id => $user_id, is_local => 1);
		return $work->(@_);
	});
}

# Run some work under a savepoint, within a transaction. Returns the error if the server refused it, after undoing it.
sub attempt
{
	my ($self, $work) = @_;
	my $dbh = $self->dbh;
	my $error;

	$dbh->pg_savepoint('attempt');
	if (!eval { $work->($dbh); 1 })
	{
		$error = $@;
		die $error if !ref $error;
		$dbh->pg_rollback_to('attempt');
	}
	$dbh->pg_release('attempt');
	return $error;
}

# Call a function of the desk by the names of its arguments. An array goes in and comes out as a reference.
sub call
{
	my ($self, $function, %argument) = @_;
	my @names = sort keys %argument;
	my $list = join ', ', map { "$_ => ?" } @names;
	my $statement = $self->dbh->prepare_cached("SELECT support.$function($list)");

	return scalar $self->dbh->selectrow_array($statement, undef, @argument{@names});
}

# Open a ticket and return its id. The arguments are those of support.create_ticket(); custom fields are a hash.
sub open_ticket
{
	my ($self, $user_id, %argument) = @_;

	$argument{custom} = $json->encode($argument{custom}) if $argument{custom};
	return $self->acting($user_id, sub { $self->call('create_ticket', %argument) });
}

# Reply and return the comment's id. The arguments are those of support.add_comment(); a boolean is 1 or 0, not ''.
sub reply
{
	my ($self, $user_id, $ticket_id, $text, %argument) = @_;

	return $self->acting($user_id, sub {
		$self->call('add_comment', ticket_id => $ticket_id, content => $text, %argument);
	});
}

# The tickets in some statuses, as hashes. An interval arrives as text, so ages are taken in seconds.
sub list_tickets
{
	my ($self, @statuses) = @_;

	return $self->dbh->selectall_arrayref(<<~'SQL', { Slice => {} }, \@statuses);
		SELECT id, ticket_number, status, title, requester, assignee, extract(epoch FROM age)::bigint AS age
		FROM support.ticket_list
		WHERE status = ANY(?)
		ORDER BY id
		SQL
}

# A ticket as a hash: tags are an array, custom fields a hash, times seconds since 1970. Nothing if there is none.
sub read_ticket
{
	my ($self, $ticket_id) = @_;
	my $ticket = $self->dbh->selectrow_hashref(<<~'SQL', undef, $ticket_id) or return;
		SELECT id, ticket_number, title, status, priority, creator_id, assignee_id, custom, version, created_at,
			solved_at, ARRAY(SELECT name FROM support.ticket_tags JOIN support.tags ON tags.id = tag_id
				WHERE ticket_id = tickets.id ORDER BY name) AS tags
		FROM support.tickets
		WHERE id = ? AND deleted_at IS NULL
		SQL

	$ticket->{custom} = $json->decode($ticket->{custom});
	$ticket->{$_} = epoch($ticket->{$_}) foreach qw(created_at solved_at);
	return $ticket;
}

# A ticket with its people, tags and comments, as one hash
sub read_conversation
{
	my ($self, $ticket_id) = @_;

	return $json->decode($self->call('get_ticket', ticket_id => $ticket_id));
}

# Solve a ticket as it was read, and return its new version. Dies with state SU001 if somebody has changed it since.
sub solve
{
	my ($self, $user_id, $ticket) = @_;

	return $self->acting($user_id, sub {
		$self->call('set_status', status => 'resolved', ticket_id => $ticket->{id},
			expected_version => $ticket->{version});
	});
}

# Close what can be closed. What is refused goes back to its savepoint, and is returned with the reason.
sub close_all
{
	my ($self, $user_id, @ticket_ids) = @_;
	my %refused;

	$self->acting($user_id, sub {
		foreach my $ticket_id (@ticket_ids)
		{
			my $error = $self->attempt(sub { $self->call('set_status', ticket_id => $ticket_id, status => 'closed') });
			$refused{$ticket_id} = $error->message if $error;
		}
	});
	return \%refused;
}

# Assign tickets to who acts, and return how many there were. do() returns 0E0 for none, which is true: hence the sum.
sub take
{
	my ($self, $user_id, @ticket_ids) = @_;

	return $self->acting($user_id, sub {
		my ($dbh) = @_;
		return 0 + $dbh->do(<<~'SQL', undef, \@ticket_ids);
			UPDATE support.tickets SET assignee_id = support.actor_id()
			WHERE id = ANY(?) AND deleted_at IS NULL AND assignee_id IS NULL
			SQL
	});
}

# Mark a ticket as deleted, and return its new version
sub delete_ticket
{
	my ($self, $user_id, $ticket_id, $reason) = @_;

	return $self->acting($user_id, sub { $self->call('delete_ticket', ticket_id => $ticket_id, reason => $reason) });
}

# Delete the rows themselves, which can be restored as well. Returns how many there were.
sub remove_tickets
{
	my ($self, $user_id, @ticket_ids) = @_;

	return $self->acting($user_id, sub {
		my ($dbh) = @_;
		return 0 + $dbh->do('DELETE FROM support.tickets WHERE id = ANY(?)', undef, \@ticket_ids);
	});
}

# Bring a ticket back, and return its new version
sub restore_ticket
{
	my ($self, $user_id, $ticket_id) = @_;

	return $self->acting($user_id, sub { $self->call('restore_ticket', ticket_id => $ticket_id) });
}

# Copy tickets in, each [ title, description, creator_id, created_at ], undef for a column's default
sub import_tickets
{
	my ($self, $user_id, @tickets) = @_;

	return $self->acting($user_id, sub {
		my ($dbh) = @_;
		$dbh->do('COPY support.tickets (title, description, creator_id, created_at) FROM STDIN');
		$dbh->pg_putcopydata(copy_line(@$_)) foreach @tickets;
		return $dbh->pg_putcopyend;
	});
}

# Add comments, each [ ticket_id, author_id, content ], by one statement that runs for each. Returns how many there
# were.
sub import_comments
{
	my ($self, $user_id, @comments) = @_;

	return $self->acting($user_id, sub {
		my ($dbh) = @_;
		my $statement = $dbh->prepare(
			q{INSERT INTO support.comments (ticket_id, author_id, content, via) VALUES (?, ?, ?, 'import')});
		return $statement->execute_for_fetch(sub { shift @comments });
	});
}

# Copy [ number, title ] out, for each ticket
sub export_tickets
{
	my ($self) = @_;
	my @tickets;
	my $line;

	$self->dbh->do('COPY (SELECT ticket_number, title FROM support.tickets ORDER BY id) TO STDOUT');
	while ($self->dbh->pg_getcopydata($line) >= 0)
	{
		chomp $line;
		push @tickets, [ map { copied($_) } split /\t/, $line, -1 ];
	}
	return \@tickets;
}

# The report by status, as a hash of hashes
sub status_report
{
	my ($self) = @_;

	return $self->dbh->selectall_hashref('SELECT * FROM support.report_status', 'status');
}

# What happened to a ticket, with times as seconds since 1970, and as text of the reader's zone
sub history
{
	my ($self, $ticket_id, $time_zone) = @_;

	return $self->transaction(sub {
		my ($dbh) = @_;
		$dbh->do(q{SELECT set_config('TimeZone', ?, true)}, undef, $time_zone // 'UTC');
		my $changes = $dbh->selectall_arrayref('SELECT * FROM support.ticket_history(?)', { Slice => {} }, $ticket_id);
		$_->{epoch} = epoch($_->{occurred_at}) foreach @$changes;
		return $changes;
	});
}

# Seconds since 1970 of a timestamptz, such as "2026-03-02 14:45:00.25+05:45"; for gmtime(), localtime() and Time::Piece
sub epoch
{
	my ($text) = @_;

	return undef if !defined $text;
	my ($year, $month, $day, $hour, $minute, $second, $fraction, $sign, @offset) =
		$text =~ /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/
		or die "not a timestamptz in ISO style: $text\n";
	my $offset = $offset[0] * 3600 + ($offset[1] // 0) * 60 + ($offset[2] // 0);

	return timegm_modern($second, $minute, $hour, $day, $month - 1, $year) - "${sign}1" * $offset + ($fraction // 0);
}

# A line for COPY: what would be a separator or an escape is escaped, undef is \N
my %escape = ("\\" => "\\\\", "\t" => "\\t", "\n" => "\\n", "\r" => "\\r");
my %unescape = reverse %escape;

sub copy_line
{
	return join("\t", map { defined $_ ? s/([\\\t\n\r])/$escape{$1}/gr : '\N' } @_) . "\n";
}

# A value from a line of COPY
sub copied
{
	my ($value) = @_;

	return $value eq '\N' ? undef : $value =~ s/(\\[\\tnr])/$unescape{$1}/gr;
}

# What the server said. It is kept at once, since the rollback makes $dbh->state forget it.
package Desk::Error;

use overload '""' => sub { $_[0]->message . ' (' . $_[0]->state . ')' }, fallback => 1;

# Called by DBI for every error; where it is not the server's, DBI goes on to die with a text. The hint is taken from
# the text: pg_error_field('hint') has it as well, but not after COPY, and asking for it makes DBI forget the error.
sub raise
{
	my ($text, $handle) = @_;
	my ($message) = $handle->errstr =~ /^ERROR:  (.*)/ or return;
	my ($hint) = $handle->errstr =~ /^HINT:  (.*)/m;

	die bless { state => $handle->state, message => $message, hint => $hint }, __PACKAGE__;
}

sub state { return $_[0]{state} }
sub message { return $_[0]{message} }
sub hint { return $_[0]{hint} }

1;
