"""
The desk's tables, which are the desk's own to make and change (managed = False), and a table of the application's.

What the desk fills in is null=True here: Django sends NULL for it, and an INSERT takes that for the default, an UPDATE for
"as it is". The desk cascades by itself (DO_NOTHING), so that what goes with a ticket comes back with it.
"""
from django.db import models


def desk_table(name):
    """A table in schema support, whatever the search_path is."""
    return f'"support"."{name}"'


class User(models.Model):
    email = models.TextField()
    full_name = models.CharField(max_length=255)
    role = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = desk_table("users")


class Tag(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        managed = False
        db_table = desk_table("tags")


class Ticket(models.Model):
    ticket_number = models.CharField(max_length=50, null=True)
    title = models.CharField(max_length=500)
    description = models.TextField(default="")
    status = models.TextField(null=True)
    priority = models.TextField(null=True, default="normal")
    creator = models.ForeignKey(User, models.DO_NOTHING, related_name="tickets")
    assignee = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="assigned_tickets")
    custom = models.JSONField(default=dict)
    external_id = models.TextField(null=True)
    created_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    version = models.BigIntegerField(null=True)
    tags = models.ManyToManyField(Tag, through="TicketTag")

    class Meta:
        managed = False
        db_table = desk_table("tickets")


class TicketTag(models.Model):
    """Django knows keys of one column only; nothing looks a row up by this one. Written by support.tag_ticket()."""
    ticket = models.OneToOneField(Ticket, models.DO_NOTHING, primary_key=True)
    tag = models.ForeignKey(Tag, models.DO_NOTHING)

    class Meta:
        managed = False
        db_table = desk_table("ticket_tags")


class Comment(models.Model):
    ticket = models.ForeignKey(Ticket, models.DO_NOTHING, related_name="comments")
    author = models.ForeignKey(User, models.DO_NOTHING)
    content = models.TextField()
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = desk_table("comments")


class AuditLog(models.Model):
    action = models.TextField()
    ticket_id = models.BigIntegerField()
    actor_id = models.BigIntegerField(null=True)
    table_name = models.TextField(null=True)
    new_value = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = desk_table("audit_log")


class Note(models.Model):
    """The application's own, beside the desk: Django makes and changes it."""
    ticket = models.ForeignKey(Ticket, models.DO_NOTHING)
    content = models.TextField()
