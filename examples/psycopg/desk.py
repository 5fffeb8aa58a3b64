"""
A support desk from psycopg 3.

Each function is one request of an application: one transaction, in which one user acts. The connection is in
autocommit mode, so that transactions are just where transaction() says, and a statement alone is one by itself.
"""
import contextlib
import dataclasses
import datetime

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb


@dataclasses.dataclass
class Ticket:
    id: int
    ticket_number: str
    title: str
    status: str
    priority: str | None
    assignee_id: int | None
    custom: dict
    tags: list[str]
    version: int
    created_at: datetime.datetime
    solved_at: datetime.datetime | None


class StaleVersion(Exception):
    """Somebody else has changed the ticket since it was read."""


def connect(pooled=False):
    """
    Connect to the desk that PGHOST and the like lead to.

    pgbouncer 1.18 in transaction mode does not know which server connection has which prepared statement. Behind it,
    `pooled` keeps psycopg from preparing what it has seen five times.
    """
    return psycopg.connect(autocommit=True, row_factory=dict_row, prepare_threshold=None if pooled else 5)


@contextlib.contextmanager
def acting(connection, user_id):
    """A transaction in which a user acts. That ends with it, so a connection takes nothing back to its pool."""
    with connection.transaction():
        connection.execute("SELECT support.set_actor(%s, is_local => true)", [user_id])
        yield


def open_ticket(connection, user_id, title, description="", priority=None, tags=(), custom=None):
    with acting(connection, user_id):
        row = connection.execute(
            """
            SELECT support.create_ticket(
                title => %s, description => %s, priority => %s, tags => %s, custom => %s) AS id
            """,
            [title, description, priority, list(tags), Jsonb(custom or {})],
        ).fetchone()
    return row["id"]


def reply(connection, user_id, ticket_id, text, status=None, is_private=False):
    with acting(connection, user_id):
        row = connection.execute(
            "SELECT support.add_comment(%s, %s, is_private => %s, status => %s) AS id",
            [ticket_id, text, is_private, status],
        ).fetchone()
    return row["id"]


def list_tickets(connection, statuses, page_size=50):
    return connection.execute(
        "SELECT * FROM support.ticket_list WHERE status = ANY(%s) ORDER BY id LIMIT %s", [statuses, page_size]
    ).fetchall()


def read_ticket(connection, ticket_id):
    """A ticket as an object of ours, None where there is none."""
    with connection.cursor(row_factory=class_row(Ticket)) as cursor:
        return cursor.execute(
            """
            SELECT id, ticket_number, title, status, priority, assignee_id, custom, version, created_at, solved_at,
                ARRAY(SELECT name FROM support.ticket_tags JOIN support.tags ON tags.id = tag_id
                    WHERE ticket_id = tickets.id ORDER BY name) AS tags
            FROM support.tickets
            WHERE id = %s AND deleted_at IS NULL
            """,
            [ticket_id],
        ).fetchone()


def read_conversation(connection, ticket_id):
    """A ticket with its people and comments, as one dict."""
    return connection.execute("SELECT support.get_ticket(%s) AS ticket", [ticket_id]).fetchone()["ticket"]


def solve(connection, user_id, ticket: Ticket):
    """Solve a ticket as it was read, and return its new version."""
    try:
        with acting(connection, user_id):
            row = connection.execute(
                "SELECT support.set_status(%s, 'resolved', expected_version => %s) AS version",
                [ticket.id, ticket.version],
            ).fetchone()
    except psycopg.DatabaseError as error:
        # A SQLSTATE of the desk's own: psycopg.errors has no class for it
        if error.sqlstate == "SU001":
            raise StaleVersion(error.diag.message_primary) from error
        raise
    return row["version"]


def answer_all(connection, user_id, ticket_ids, text):
    """Reply to many tickets and solve them. A pipeline sends all without waiting for the answers in between."""
    with connection.pipeline(), acting(connection, user_id):
        cursors = [
            connection.execute("SELECT support.add_comment(%s, %s, status => 'resolved') AS id", [ticket_id, text])
            for ticket_id in ticket_ids
        ]
        return [cursor.fetchone()["id"] for cursor in cursors]


def close_all(connection, user_id, ticket_ids):
    """Close what can be closed. What is refused goes back to its savepoint, and is returned with the reason."""
    refused = {}
    with acting(connection, user_id):
        for ticket_id in ticket_ids:
            try:
                with connection.transaction():
                    connection.execute("SELECT support.set_status(%s, 'closed')", [ticket_id])
            except (psycopg.errors.NoDataFound, psycopg.errors.ObjectNotInPrerequisiteState) as error:
                refused[ticket_id] = error.diag.message_primary
    return refused


def prioritize_old(connection, user_id, age):
    """Make all tickets that are older urgent, and return how many there were."""
    with acting(connection, user_id):
        return connection.execute(
            """
            UPDATE support.tickets SET priority = 'urgent'
            WHERE deleted_at IS NULL AND created_at < support.desk_now() - %s AND priority IS DISTINCT FROM 'urgent'
            """,
            [age],
        ).rowcount


def delete_ticket(connection, user_id, ticket_id, reason=None):
    """Mark a ticket as deleted, and return its new version."""
    with acting(connection, user_id):
        row = connection.execute(
            "SELECT support.delete_ticket(%s, reason => %s) AS version", [ticket_id, reason]
        ).fetchone()
    return row["version"]


def remove_tickets(connection, user_id, ticket_ids):
    """Delete the rows themselves, which can be restored as well. Return how many there were."""
    with acting(connection, user_id):
        return connection.execute("DELETE FROM support.tickets WHERE id = ANY(%s)", [ticket_ids]).rowcount


def restore_ticket(connection, user_id, ticket_id):
    with acting(connection, user_id):
        row = connection.execute("SELECT support.restore_ticket(%s) AS version", [ticket_id]).fetchone()
    return row["version"]


def import_tickets(connection, user_id, tickets):
    """Copy tickets in, each (title, description, creator_id, created_at), and return how many there were."""
    with acting(connection, user_id), connection.cursor() as cursor:
        with cursor.copy("COPY support.tickets (title, description, creator_id, created_at) FROM STDIN") as copy:
            for ticket in tickets:
                copy.write_row(ticket)
        return cursor.rowcount


def import_comments(connection, user_id, comments):
    """Add comments, each (ticket_id, author_id, content, created_at), in a pipeline, and return their ids."""
    with acting(connection, user_id), connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO support.comments (ticket_id, author_id, content, via, created_at)
            VALUES (%s, %s, %s, 'import', %s)
            RETURNING id
            """,
            comments,
            returning=True,
        )
        ids = [cursor.fetchone()["id"]]
        while cursor.nextset():
            ids.append(cursor.fetchone()["id"])
    return ids


def export_tickets(connection):
    """Copy (number, title, custom, created_at) out, for each ticket. Without set_types() all would be text."""
    with connection.cursor() as cursor, cursor.copy(
        "COPY (SELECT ticket_number, title, custom, created_at FROM support.tickets ORDER BY id) TO STDOUT"
    ) as copy:
        copy.set_types(["varchar", "varchar", "jsonb", "timestamptz"])
        yield from copy.rows()


def status_report(connection):
    return {row["status"]: row for row in connection.execute("SELECT * FROM support.report_status")}


def daily_report(connection, time_zone):
    """Tickets by day. The days are those of the time zone, for this transaction."""
    with connection.transaction():
        connection.execute("SELECT set_config('TimeZone', %s, true)", [time_zone])
        return connection.execute("SELECT * FROM support.report_daily").fetchall()


def history(connection, ticket_id, from_at=None, time_zone="UTC"):
    """What happened to a ticket, with times in the reader's zone."""
    with connection.transaction():
        connection.execute("SELECT set_config('TimeZone', %s, true)", [time_zone])
        return connection.execute(
            "SELECT * FROM support.ticket_history(%s, from_at => %s)", [ticket_id, from_at]
        ).fetchall()
