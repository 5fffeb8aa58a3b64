"""What the synchronous and the asynchronous desk share: who acts, and the statements, which are values here."""
from datetime import timedelta

from sqlalchemy import Text, column, delete, event, func, insert, literal, or_, select, table, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, joinedload, selectinload

from models import AuditLog, Comment, Ticket, User

OPEN = ("open", "in_progress")

report_status = table("report_status", column("status"), column("tickets"), column("percent"), schema="support")


@event.listens_for(Session, "after_begin")
def say_who_acts(session, transaction, connection):
    """Each transaction of a session made with info={"actor_id": ...} acts as that user, and only that transaction."""
    if session.info.get("actor_id") is not None:
        connection.execute(select(func.support.set_actor(session.info["actor_id"], True)))


def by_number(number):
    """A ticket, and in the same statement the user who opened it."""
    return select(Ticket).where(Ticket.ticket_number == number).options(joinedload(Ticket.creator))


def whole(ticket_id):
    """A ticket and all that is shown with it, in one statement for each table."""
    return (
        select(Ticket)
        .where(Ticket.id == ticket_id)
        .options(
            selectinload(Ticket.creator),
            selectinload(Ticket.comments).selectinload(Comment.author),
            selectinload(Ticket.attachments),
            selectinload(Ticket.tags),
        )
    )


def search(statuses=OPEN, priorities=(), older_than_days=None, title=None, page=1, page_size=50):
    """Tickets in one of the statuses that are of one of the priorities or of that age, newest first, a page of them."""
    query = select(Ticket).where(~Ticket.is_deleted, Ticket.status.in_(statuses))
    either = []
    if priorities:
        either.append(Ticket.priority.in_(priorities))
    if older_than_days is not None:
        either.append(Ticket.created_at < func.now() - timedelta(days=older_than_days))
    if either:
        query = query.where(or_(*either))
    if title:
        query = query.where(Ticket.title.ilike(f"%{title}%"))
    return query.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(page_size).offset((page - 1) * page_size)


def of_creator(user_id, page_size=50):
    """The tickets that a user opened, newest first."""
    query = select(Ticket).where(~Ticket.is_deleted, Ticket.creator_id == user_id)
    return query.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(page_size)


def of_assignee(user_id, statuses=OPEN, page_size=50):
    """What an agent has to do, oldest first."""
    query = select(Ticket).where(~Ticket.is_deleted, Ticket.assignee_id == user_id, Ticket.status.in_(statuses))
    return query.order_by(Ticket.created_at, Ticket.id).limit(page_size)


def queue(statuses=OPEN, page_size=50):
    """The oldest tickets in these statuses with the names of their people: Core, rows in place of objects."""
    tickets, creator, assignee = Ticket.__table__, User.__table__.alias("creator"), User.__table__.alias("assignee")
    return (
        select(
            tickets.c.ticket_number,
            tickets.c.title,
            creator.c.full_name.label("creator"),
            assignee.c.full_name.label("assignee"),
        )
        .select_from(
            tickets.join(creator, creator.c.id == tickets.c.creator_id)
            .outerjoin(assignee, assignee.c.id == tickets.c.assignee_id)
        )
        .where(tickets.c.deleted_at.is_(None), tickets.c.status.in_(statuses))
        .order_by(tickets.c.created_at, tickets.c.id)
        .limit(page_size)
    )


def conversation(ticket_id):
    """The comments on a ticket with the names of their authors, by a join in Core."""
    comments, users = Comment.__table__, User.__table__
    return (
        select(comments.c.created_at, users.c.full_name, comments.c.content)
        .join_from(comments, users, users.c.id == comments.c.author_id)
        .where(comments.c.ticket_id == ticket_id)
        .order_by(comments.c.id)
    )


def status_counts():
    """How many tickets there are in each status. count(*), without a WHERE, is answered from an index alone."""
    return select(Ticket.status, func.count().label("tickets")).group_by(Ticket.status)


def open_counts():
    """How many live tickets there are in each open status."""
    return status_counts().where(~Ticket.is_deleted, Ticket.status.in_(OPEN))


def report():
    """The desk's own report, which knows every status and leaves deleted tickets out."""
    return select(report_status)


def log_of(ticket_id):
    """The entries of the log about a ticket, oldest first."""
    return select(AuditLog).where(AuditLog.ticket_id == ticket_id).order_by(AuditLog.id)


def history(ticket_id):
    """What happened to a ticket, a row for each changed field, by a function of the desk that returns a table."""
    entries = func.support.ticket_history(ticket_id).table_valued(
        "occurred_at", "changed_by_name", "action", "table_name", "field", "old_value", "new_value"
    )
    return select(entries)


def set_status(ticket_ids, status):
    return update(Ticket).where(Ticket.id.in_(ticket_ids)).values(status=status)


def remove(ticket_id):
    return delete(Ticket).where(Ticket.id == ticket_id)


def restore(ticket_id):
    """Bring back a ticket that was removed or marked as deleted; returns its version."""
    return select(func.support.restore_ticket(ticket_id))


def tag(ticket_id, names):
    """Put tags on a ticket; returns all that it carries now."""
    return select(func.support.tag_ticket(ticket_id, literal(names, ARRAY(Text)), type_=ARRAY(Text)))


def open_many(rows):
    """Many tickets in one statement, which returns what the desk gave them."""
    return insert(Ticket).values(rows).returning(Ticket.id, Ticket.ticket_number)


def transfer_event(ticket, new_owner_id):
    """The application's own entry in the log, beside the desk's entry of the changed column."""
    return AuditLog(
        action="ownership transferred",
        ticket_id=ticket.id,
        old_value={"creator_id": ticket.creator_id},
        new_value={"creator_id": new_owner_id},
    )


def batches(rows, size=1000):
    """A statement takes 65,535 parameters at most, and over asyncpg 32,767."""
    return (rows[start:start + size] for start in range(0, len(rows), size))
