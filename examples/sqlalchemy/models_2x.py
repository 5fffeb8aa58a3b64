"""
The mapped classes of models.py once more, in the spelling of SQLAlchemy 2.

The annotations give types and NULLs. FetchedValue stands where the database fills in what the application leaves out;
with eager_defaults the mapper reads that back in the statement that writes.
"""
from datetime import datetime, timezone
from typing import Annotated, Any, Optional

from sqlalchemy import BigInteger, Column, DateTime, FetchedValue, ForeignKey, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Key = Annotated[int, mapped_column(primary_key=True)]
TicketKey = Annotated[int, mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))]
UserKey = Annotated[int, mapped_column(ForeignKey("users.id"))]
Json = dict[str, Any]


class Base(DeclarativeBase):
    metadata = MetaData(schema="support")
    type_annotation_map = {
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        Json: JSONB(none_as_null=True),
    }
    __mapper_args__ = {"eager_defaults": True}


def filled_in(**options):
    """A column that the database fills in where the application leaves it out."""
    return mapped_column(server_default=FetchedValue(), **options)


def kept():
    """A column that triggers keep: whatever the application changes, it changes with it."""
    return filled_in(server_onupdate=FetchedValue())


ticket_tags = Table(
    "ticket_tags",
    Base.metadata,
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "users"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = filled_in()
    is_active: Mapped[bool] = filled_in()
    created_at: Mapped[datetime] = filled_in()


class Ticket(Base):
    __tablename__ = "tickets"

    id: Mapped[Key]
    ticket_number: Mapped[str] = filled_in(type_=String(50))
    title: Mapped[str] = mapped_column(String(500))
    description: Mapped[str]
    status: Mapped[str] = filled_in()
    priority: Mapped[Optional[str]] = filled_in()
    creator_id: Mapped[UserKey]
    assignee_id: Mapped[Optional[UserKey]]
    custom: Mapped[Optional[Json]] = filled_in(type_=MutableDict.as_mutable(JSONB))
    created_at: Mapped[datetime] = filled_in()
    deleted_at: Mapped[Optional[datetime]]
    updated_at: Mapped[datetime] = kept()
    solved_at: Mapped[Optional[datetime]] = kept()
    version: Mapped[int] = kept()

    creator: Mapped["User"] = relationship(foreign_keys="Ticket.creator_id")
    assignee: Mapped[Optional["User"]] = relationship(foreign_keys="Ticket.assignee_id")
    # passive_deletes leaves what hangs on a ticket to the database, whose foreign keys cascade
    comments: Mapped[list["Comment"]] = relationship(
        back_populates="ticket", order_by="Comment.id", cascade="all, delete-orphan", passive_deletes=True
    )
    attachments: Mapped[list["Attachment"]] = relationship(
        order_by="Attachment.id", cascade="all, delete-orphan", passive_deletes=True
    )
    tags: Mapped[list["Tag"]] = relationship(secondary=ticket_tags, order_by="Tag.name", passive_deletes=True)
    audit_log: Mapped[list["AuditLog"]] = relationship(
        primaryjoin="Ticket.id == foreign(AuditLog.ticket_id)", order_by="AuditLog.id", viewonly=True
    )

    @hybrid_property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @is_deleted.inplace.setter
    def _set_is_deleted(self, value: bool) -> None:
        self.deleted_at = datetime.now(timezone.utc) if value else None

    @is_deleted.inplace.expression
    @classmethod
    def _is_deleted_expression(cls):
        return cls.deleted_at.is_not(None)


class Comment(Base):
    __tablename__ = "comments"

    id: Mapped[Key]
    ticket_id: Mapped[TicketKey]
    author_id: Mapped[UserKey]
    content: Mapped[str]
    is_private: Mapped[bool] = filled_in()
    created_at: Mapped[datetime] = filled_in()

    ticket: Mapped["Ticket"] = relationship(back_populates="comments")
    author: Mapped["User"] = relationship()


class Attachment(Base):
    """What is known of a file; support.add_attachment() keeps its content."""

    __tablename__ = "attachments"

    id: Mapped[Key]
    ticket_id: Mapped[TicketKey]
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = filled_in()
    byte_size: Mapped[Optional[int]]
    sha256: Mapped[Optional[bytes]]
    created_at: Mapped[datetime] = filled_in()


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(100))


class AuditLog(Base):
    """The desk writes an entry for each change. An application adds events of its own, and changes none."""

    __tablename__ = "audit_log"

    id: Mapped[Key]
    action: Mapped[str]
    ticket_id: Mapped[int] = filled_in()
    old_value: Mapped[Optional[Json]]
    new_value: Mapped[Optional[Json]]
    table_name: Mapped[Optional[str]]
    actor_id: Mapped[Optional[int]] = filled_in()
    occurred_at: Mapped[datetime] = filled_in()
