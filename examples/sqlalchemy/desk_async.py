"""
A support desk through SQLAlchemy over asyncpg.

    engine = make_engine()
    async with acting(engine, user_id=1) as session:
        ticket = await open_ticket(session, "Printer on fire", "It smells of smoke.", creator_id=2)
        print(ticket.ticket_number, ticket.status)
"""
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import common
from models import Comment, Ticket


class TransactionModeConnection(asyncpg.Connection):
    """
    A connection to a pgbouncer that gives each transaction another server connection.

    What one transaction prepared, the next would not find there, and its name may be another client's. So each
    statement is prepared anew, right before its use, and without a name, so that none stays behind.
    """

    async def prepare(self, query, *, name=None, **options):
        return await super().prepare(query, name="", **options)

    def _maybe_gc_stmt(self, statement):
        # Nothing is to be closed: the next statement without a name takes the place of the last
        if statement.name:
            super()._maybe_gc_stmt(statement)


def make_engine(pgbouncer=False, **options):
    """The server and database come from the environment, as for psql; the pool's settings may be overridden."""
    pool = {
        "pool_size": 5,         # connections that stay open
        "max_overflow": 10,     # more while all of these are busy
        "pool_timeout": 30,     # seconds to wait for a free one
        "pool_recycle": 1800,   # seconds after which a connection is replaced
        "pool_pre_ping": True,  # a connection that broke meanwhile is replaced before it is used
    }
    if pgbouncer:
        pool["connect_args"] = {
            "connection_class": TransactionModeConnection,
            "statement_cache_size": 0,              # asyncpg's own cache
            "prepared_statement_cache_size": 0,     # SQLAlchemy's
        }
    return create_async_engine("postgresql+asyncpg://", future=True, **{**pool, **options})


@asynccontextmanager
async def acting(engine, user_id):
    """A session for one unit of work of a user: committed in the end, rolled back as one if anything fails."""
    session = AsyncSession(engine, future=True, expire_on_commit=False, info={"actor_id": user_id})
    async with session, session.begin():
        yield session


def refusal(error):
    """SQLSTATE, message and hint of a DBAPIError, as doc/errors.md lists them."""
    cause = error.orig.__cause__
    return cause.sqlstate, cause.message, cause.hint


async def open_ticket(session, title, description, creator_id, **columns):
    ticket = Ticket(title=title, description=description, creator_id=creator_id, **columns)
    session.add(ticket)
    await session.flush()
    return ticket


async def open_many(session, rows):
    """Many tickets at once, given as dictionaries with equal keys; returns the id and number of each."""
    return [row for batch in common.batches(rows) for row in await session.execute(common.open_many(batch))]


async def find_ticket(session, number):
    return (await session.execute(common.by_number(number))).scalar_one_or_none()


async def whole_ticket(session, ticket_id):
    return (await session.execute(common.whole(ticket_id))).scalar_one_or_none()


async def search(session, **filters):
    return (await session.execute(common.search(**filters))).scalars().all()


async def tickets_of_creator(session, user_id):
    return (await session.execute(common.of_creator(user_id))).scalars().all()


async def tickets_of_assignee(session, user_id):
    return (await session.execute(common.of_assignee(user_id))).scalars().all()


async def queue(session, **filters):
    return (await session.execute(common.queue(**filters))).all()


async def conversation(session, ticket_id):
    return (await session.execute(common.conversation(ticket_id))).all()


async def status_counts(session):
    return {row.status: row.tickets for row in await session.execute(common.status_counts())}


async def open_counts(session):
    return {row.status: row.tickets for row in await session.execute(common.open_counts())}


async def report(session):
    return {row.status: (row.tickets, row.percent) for row in await session.execute(common.report())}


async def log_of(session, ticket_id):
    return (await session.execute(common.log_of(ticket_id))).scalars().all()


async def history(session, ticket_id):
    return (await session.execute(common.history(ticket_id))).all()


async def reply(session, ticket_id, author_id, content, **columns):
    comment = Comment(ticket_id=ticket_id, author_id=author_id, content=content, **columns)
    session.add(comment)
    await session.flush()
    return comment


async def tag(session, ticket_id, *names):
    return (await session.execute(common.tag(ticket_id, names))).scalar_one()


async def set_status(session, ticket_ids, status):
    """How many tickets there were to change."""
    return (await session.execute(common.set_status(ticket_ids, status))).rowcount


async def transfer_ownership(session, ticket_id, new_owner_id):
    """Make another user the creator. The event and the change are in one transaction: both happen or neither."""
    ticket = await session.get(Ticket, ticket_id, with_for_update=True)
    session.add(common.transfer_event(ticket, new_owner_id))
    ticket.creator_id = new_owner_id
    await session.flush()


async def remove(session, ticket_id):
    """How many tickets there were to delete."""
    return (await session.execute(common.remove(ticket_id))).rowcount


async def restore(session, ticket_id):
    return (await session.execute(common.restore(ticket_id))).scalar_one()
