"""
A support desk through SQLAlchemy over psycopg2. Nothing here needs another setting behind pgbouncer.

    engine = make_engine()
    with acting(engine, user_id=1) as session:
        ticket = open_ticket(session, "Printer on fire", "It smells of smoke.", creator_id=2)
        print(ticket.ticket_number, ticket.status)
"""
from contextlib import contextmanager

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import common
from models import Comment, Ticket


def make_engine(**options):
    """The server and database come from the environment, as for psql; the pool's settings may be overridden."""
    pool = {
        "pool_size": 5,         # connections that stay open
        "max_overflow": 10,     # more while all of these are busy
        "pool_timeout": 30,     # seconds to wait for a free one
        "pool_recycle": 1800,   # seconds after which a connection is replaced
        "pool_pre_ping": True,  # a connection that broke meanwhile is replaced before it is used
    }
    return create_engine("postgresql+psycopg2://", future=True, **{**pool, **options})


@contextmanager
def acting(engine, user_id):
    """A session for one unit of work of a user: committed in the end, rolled back as one if anything fails."""
    with Session(engine, future=True, expire_on_commit=False, info={"actor_id": user_id}) as session, session.begin():
        yield session


def refusal(error):
    """SQLSTATE, message and hint of a DBAPIError, as doc/errors.md lists them."""
    return error.orig.pgcode, error.orig.diag.message_primary, error.orig.diag.message_hint


def open_ticket(session, title, description, creator_id, **columns):
    ticket = Ticket(title=title, description=description, creator_id=creator_id, **columns)
    session.add(ticket)
    session.flush()
    return ticket


def open_many(session, rows):
    """Many tickets at once, given as dictionaries with equal keys; returns the id and number of each."""
    return [row for batch in common.batches(rows) for row in session.execute(common.open_many(batch))]


def find_ticket(session, number):
    return session.execute(common.by_number(number)).scalar_one_or_none()


def whole_ticket(session, ticket_id):
    return session.execute(common.whole(ticket_id)).scalar_one_or_none()


def search(session, **filters):
    return session.execute(common.search(**filters)).scalars().all()


def tickets_of_creator(session, user_id):
    return session.execute(common.of_creator(user_id)).scalars().all()


def tickets_of_assignee(session, user_id):
    return session.execute(common.of_assignee(user_id)).scalars().all()


def queue(session, **filters):
    return session.execute(common.queue(**filters)).all()


def conversation(session, ticket_id):
    return session.execute(common.conversation(ticket_id)).all()


def status_counts(session):
    return {row.status: row.tickets for row in session.execute(common.status_counts())}


def open_counts(session):
    return {row.status: row.tickets for row in session.execute(common.open_counts())}


def report(session):
    return {row.status: (row.tickets, row.percent) for row in session.execute(common.report())}


def log_of(session, ticket_id):
    return session.execute(common.log_of(ticket_id)).scalars().all()


def history(session, ticket_id):
    return session.execute(common.history(ticket_id)).all()


def reply(session, ticket_id, author_id, content, **columns):
    comment = Comment(ticket_id=ticket_id, author_id=author_id, content=content, **columns)
    session.add(comment)
    session.flush()
    return comment


def tag(session, ticket_id, *names):
    return session.execute(common.tag(ticket_id, names)).scalar_one()


def set_status(session, ticket_ids, status):
    """How many tickets there were to change."""
    return session.execute(common.set_status(ticket_ids, status)).rowcount


def transfer_ownership(session, ticket_id, new_owner_id):
    """Make another user the creator. The event and the change are in one transaction: both happen or neither."""
    ticket = session.get(Ticket, ticket_id, with_for_update=True)
    session.add(common.transfer_event(ticket, new_owner_id))
    ticket.creator_id = new_owner_id
    session.flush()


def remove(session, ticket_id):
    """How many tickets there were to delete."""
    return session.execute(common.remove(ticket_id)).rowcount


def restore(session, ticket_id):
    return session.execute(common.restore(ticket_id)).scalar_one()
