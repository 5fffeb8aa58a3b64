"""
A support desk from psycopg2.

Each function is one request of an application: one transaction, in which one user acts. psycopg2 begins a transaction
with the first statement; `with connection` ends it, by a commit or, after an exception, by a rollback.
"""
import contextlib
import csv
import io

import psycopg2
from psycopg2.extras import Json, RealDictCursor, execute_batch, execute_values

# psycopg2.errors has no classes for the desk's own SQLSTATEs
STALE_VERSION = "SU001"
FORBIDDEN_TRANSITION = "SU002"


def connect():
    """Connect to the desk that PGHOST and the like lead to."""
    return psycopg2.connect("", cursor_factory=RealDictCursor)


@contextlib.contextmanager
def acting(connection, user_id):
    """A transaction in which a user acts. That ends with it, so a connection takes nothing back to its pool."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT support.set_actor(%s, is_local => true)", [user_id])
        yield cursor


@contextlib.contextmanager
def reading(connection, time_zone="UTC"):
    """A transaction with the reader's time zone. It ends like all others, or the next statement would run in it."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [time_zone])
        yield cursor


def value(cursor, statement, parameters):
    """Run a statement that gives one value."""
    cursor.execute(statement, parameters)
    (result,) = cursor.fetchone().values()
    return result


def open_ticket(connection, user_id, title, description="", tags=(), custom=None):
    with acting(connection, user_id) as cursor:
        return value(
            cursor,
            "SELECT support.create_ticket(title => %s, description => %s, tags => %s, custom => %s)",
            [title, description, list(tags), Json(custom or {})],
        )


def reply(connection, user_id, ticket_id, text, status=None, is_private=False):
    with acting(connection, user_id) as cursor:
        return value(
            cursor,
            "SELECT support.add_comment(%s, %s, is_private => %s, status => %s)",
            [ticket_id, text, is_private, status],
        )


def list_tickets(connection, statuses):
    """The tickets in some statuses. A tuple fills the brackets of IN, a list would be an array."""
    with reading(connection) as cursor:
        cursor.execute("SELECT * FROM support.ticket_list WHERE status IN %s ORDER BY id", [tuple(statuses)])
        return cursor.fetchall()


def read_ticket(connection, ticket_id):
    """A ticket as a dict, None where there is none."""
    with reading(connection) as cursor:
        cursor.execute(
            """
            SELECT id, ticket_number, title, status, priority, creator_id, assignee_id, custom, version, created_at,
                solved_at, ARRAY(SELECT name::text FROM support.ticket_tags JOIN support.tags ON tags.id = tag_id
                    WHERE ticket_id = tickets.id ORDER BY name) AS tags
            FROM support.tickets
            WHERE id = %s AND deleted_at IS NULL
            """,
            [ticket_id],
        )
        return cursor.fetchone()


def read_conversation(connection, ticket_id):
    """A ticket with its people, tags and comments, as one dict."""
    with reading(connection) as cursor:
        return value(cursor, "SELECT support.get_ticket(%s)", [ticket_id])


def solve(connection, user_id, ticket):
    """Solve a ticket as it was read, and return its new version. Fails with STALE_VERSION if it was changed since."""
    with acting(connection, user_id) as cursor:
        return value(
            cursor,
            "SELECT support.set_status(%s, 'resolved', expected_version => %s)",
            [ticket["id"], ticket["version"]],
        )


def take_all(connection, user_id):
    """Assign all unassigned open tickets to who acts, and return how many there were."""
    with acting(connection, user_id) as cursor:
        cursor.execute(
            """
            UPDATE support.tickets SET assignee_id = support.actor_id()
            WHERE status = 'open' AND assignee_id IS NULL AND deleted_at IS NULL
            """
        )
        return cursor.rowcount


def close_all(connection, user_id, ticket_ids):
    """Close what can be closed. What is refused goes back to its savepoint, and is returned with the reason."""
    refused = {}
    with acting(connection, user_id) as cursor:
        for ticket_id in ticket_ids:
            cursor.execute("SAVEPOINT one_ticket")
            try:
                cursor.execute("SELECT support.set_status(%s, 'closed')", [ticket_id])
            except psycopg2.DatabaseError as error:
                refused[ticket_id] = error.diag.message_primary
                cursor.execute("ROLLBACK TO one_ticket")
            cursor.execute("RELEASE one_ticket")
    return refused


def delete_ticket(connection, user_id, ticket_id, reason=None):
    """Mark a ticket as deleted, and return its new version."""
    with acting(connection, user_id) as cursor:
        return value(cursor, "SELECT support.delete_ticket(%s, reason => %s)", [ticket_id, reason])


def remove_tickets(connection, user_id, ticket_ids):
    """Delete the rows themselves, which can be restored as well. Return how many there were."""
    with acting(connection, user_id) as cursor:
        cursor.execute("DELETE FROM support.tickets WHERE id = ANY(%s)", [ticket_ids])
        return cursor.rowcount


def restore_ticket(connection, user_id, ticket_id):
    with acting(connection, user_id) as cursor:
        return value(cursor, "SELECT support.restore_ticket(%s)", [ticket_id])


def insert_tickets(connection, user_id, tickets):
    """Insert tickets, each (title, description, creator_id), a thousand by one statement, and return their ids."""
    with acting(connection, user_id) as cursor:
        rows = execute_values(
            cursor,
            "INSERT INTO support.tickets (title, description, creator_id) VALUES %s RETURNING id",
            tickets,
            page_size=1000,
            fetch=True,
        )
    return [row["id"] for row in rows]


def answer_all(connection, user_id, ticket_ids, text):
    """Reply to many tickets and solve them, with a hundred statements sent at a time."""
    with acting(connection, user_id) as cursor:
        execute_batch(
            cursor,
            "SELECT support.add_comment(%s, %s, status => 'resolved')",
            [(ticket_id, text) for ticket_id in ticket_ids],
        )


def import_tickets(connection, user_id, tickets):
    """
    Copy tickets in as CSV, each (title, description, creator_id, created_at), and return how many there were. To CSV,
    None and an empty text are alike: an empty description stays one, other columns get their defaults.
    """
    lines = io.StringIO()
    csv.writer(lines).writerows(tickets)
    lines.seek(0)
    with acting(connection, user_id) as cursor:
        cursor.copy_expert(
            """
            COPY support.tickets (title, description, creator_id, created_at) FROM STDIN
            (FORMAT csv, FORCE_NOT_NULL (description))
            """,
            lines,
        )
        return cursor.rowcount


def export_tickets(connection):
    """Copy tickets out as CSV, and return its rows. All is text there, times in the zone of the session."""
    lines = io.StringIO()
    with reading(connection) as cursor:
        cursor.copy_expert(
            """
            COPY (SELECT title, description, creator_id, created_at FROM support.tickets ORDER BY id)
            TO STDOUT (FORMAT csv)
            """,
            lines,
        )
    return list(csv.reader(io.StringIO(lines.getvalue(), newline="")))


def status_report(connection):
    with reading(connection) as cursor:
        cursor.execute("SELECT * FROM support.report_status")
        return {row["status"]: row for row in cursor}


def history(connection, ticket_id, time_zone="UTC"):
    """What happened to a ticket, with times in the reader's zone."""
    with reading(connection, time_zone) as cursor:
        cursor.execute("SELECT * FROM support.ticket_history(%s)", [ticket_id])
        return cursor.fetchall()


def add_file(connection, user_id, ticket_id, filename, content):
    with acting(connection, user_id) as cursor:
        return value(cursor, "SELECT support.add_attachment(%s, %s, %s)", [ticket_id, filename, content])


def read_file(connection, ticket_id, attachment_id):
    """The bytes of an attachment. psycopg2 gives them as a memoryview."""
    with reading(connection) as cursor:
        return bytes(value(cursor, "SELECT support.attachment_content(%s, %s)", [ticket_id, attachment_id]))
