"""
The desk from the asynchronous side of psycopg 3, for many requests at once: each function takes a connection from a
pool for one transaction, in which one user acts.
"""
import contextlib

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool


def make_pool(size=4, pooled=False):
    """
    A pool to open with `async with`. Its connections lead where PGHOST and the like say.

    pgbouncer 1.18 in transaction mode does not know which server connection has which prepared statement. Behind it,
    `pooled` keeps psycopg from preparing what it has seen five times.
    """
    settings = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": None if pooled else 5}
    return AsyncConnectionPool(kwargs=settings, min_size=size, open=False)


@contextlib.asynccontextmanager
async def acting(pool, user_id):
    """A connection, and on it a transaction in which a user acts. That ends with it: nothing goes back to the pool."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT support.set_actor(%s, is_local => true)", [user_id])
        yield connection


async def query(connection, text, parameters=()):
    cursor = await connection.execute(text, parameters)
    return await cursor.fetchall()


async def open_ticket(pool, user_id, title, description="", tags=(), custom=None):
    async with acting(pool, user_id) as connection:
        rows = await query(
            connection,
            "SELECT support.create_ticket(title => %s, description => %s, tags => %s, custom => %s) AS id",
            [title, description, list(tags), Jsonb(custom or {})],
        )
    return rows[0]["id"]


async def reply(pool, user_id, ticket_id, text, status=None):
    async with acting(pool, user_id) as connection:
        rows = await query(
            connection, "SELECT support.add_comment(%s, %s, status => %s) AS id", [ticket_id, text, status]
        )
    return rows[0]["id"]


async def list_tickets(pool, statuses, page_size=50):
    async with pool.connection() as connection:
        return await query(
            connection,
            "SELECT * FROM support.ticket_list WHERE status = ANY(%s) ORDER BY id LIMIT %s",
            [statuses, page_size],
        )


async def read_ticket(pool, ticket_id):
    """A ticket with its people, tags and comments, as one dict."""
    async with pool.connection() as connection:
        rows = await query(connection, "SELECT support.get_ticket(%s) AS ticket", [ticket_id])
    return rows[0]["ticket"]


async def solve(pool, user_id, ticket_id, version):
    """Solve a ticket if it still is at this version, and return the new one."""
    async with acting(pool, user_id) as connection:
        rows = await query(
            connection,
            "SELECT support.set_status(%s, 'resolved', expected_version => %s) AS version",
            [ticket_id, version],
        )
    return rows[0]["version"]


async def take_all(pool, user_id):
    """Assign all unassigned open tickets to who acts, and return how many there were."""
    async with acting(pool, user_id) as connection:
        cursor = await connection.execute(
            """
            UPDATE support.tickets SET assignee_id = support.actor_id()
            WHERE status = 'open' AND assignee_id IS NULL AND deleted_at IS NULL
            """
        )
        return cursor.rowcount


async def answer_all(pool, user_id, ticket_ids, text):
    """Reply to many tickets and solve them. A pipeline sends all without waiting for the answers in between."""
    async with acting(pool, user_id) as connection, connection.pipeline():
        cursors = [
            await connection.execute(
                "SELECT support.add_comment(%s, %s, status => 'resolved') AS id", [ticket_id, text]
            )
            for ticket_id in ticket_ids
        ]
        return [(await cursor.fetchone())["id"] for cursor in cursors]


async def delete_ticket(pool, user_id, ticket_id, reason=None):
    """Mark a ticket as deleted, and return its new version."""
    async with acting(pool, user_id) as connection:
        rows = await query(
            connection, "SELECT support.delete_ticket(%s, reason => %s) AS version", [ticket_id, reason]
        )
    return rows[0]["version"]


async def remove_tickets(pool, user_id, ticket_ids):
    """Delete the rows themselves, which can be restored as well. Return how many there were."""
    async with acting(pool, user_id) as connection:
        cursor = await connection.execute("DELETE FROM support.tickets WHERE id = ANY(%s)", [ticket_ids])
        return cursor.rowcount


async def restore_ticket(pool, user_id, ticket_id):
    async with acting(pool, user_id) as connection:
        rows = await query(connection, "SELECT support.restore_ticket(%s) AS version", [ticket_id])
    return rows[0]["version"]


async def import_tickets(pool, user_id, tickets):
    """Copy tickets in, each (title, description, creator_id, created_at), and return how many there were."""
    async with acting(pool, user_id) as connection, connection.cursor() as cursor:
        async with cursor.copy(
            "COPY support.tickets (title, description, creator_id, created_at) FROM STDIN"
        ) as copy:
            for ticket in tickets:
                await copy.write_row(ticket)
        return cursor.rowcount


async def status_report(pool):
    async with pool.connection() as connection:
        return {row["status"]: row for row in await query(connection, "SELECT * FROM support.report_status")}


async def history(pool, ticket_id, time_zone="UTC"):
    """What happened to a ticket, with times in the reader's zone, for this transaction."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT set_config('TimeZone', %s, true)", [time_zone])
        return await query(connection, "SELECT * FROM support.ticket_history(%s)", [ticket_id])
