"""What an application does at the desk all day."""
from contextlib import contextmanager

from django.db import connection, transaction

from .models import Comment, Ticket

UNSOLVED = ("open", "in_progress", "pending", "on_hold")


@contextmanager
def acting(user_id):
    """One unit of work of a user: committed in the end, rolled back as one if anything fails."""
    with transaction.atomic():
        call("set_actor", user_id, True)
        yield


def call(function, *arguments):
    """The answer of a function of the desk."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT support.{function}({', '.join(['%s'] * len(arguments))})", arguments)
        return cursor.fetchone()[0]


def refusal(error):
    """SQLSTATE, message and hint of a DatabaseError, as doc/errors.md lists them."""
    cause = error.__cause__
    return cause.pgcode, cause.diag.message_primary, cause.diag.message_hint


def open_ticket(**columns):
    """Django's INSERT returns the key alone; what the desk filled in is read once more."""
    ticket = Ticket.objects.create(**columns)
    ticket.refresh_from_db()
    return ticket


def reply(ticket, author_id, content, **columns):
    return Comment.objects.create(ticket=ticket, author_id=author_id, content=content, **columns)


def live():
    return Ticket.objects.filter(deleted_at=None)


def search(statuses=UNSOLVED, before=None, page_size=50):
    """A page of tickets in these statuses, newest first, with their people."""
    tickets = live().filter(status__in=statuses).select_related("creator", "assignee").order_by("-id")
    return list((tickets.filter(pk__lt=before) if before else tickets)[:page_size])


def take(ticket, assignee_id):
    """Assign a ticket as it was read: False if it has changed since. The desk moves the version by itself."""
    return live().filter(pk=ticket.pk, version=ticket.version).update(assignee=assignee_id) == 1


def set_status(ticket_ids, status):
    """How many tickets there were to change."""
    return live().filter(pk__in=ticket_ids).update(status=status)


def remove(ticket_ids):
    """How many tickets there were to delete."""
    return Ticket.objects.filter(pk__in=ticket_ids).delete()[0]
