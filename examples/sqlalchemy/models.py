"""
The mapped classes of a desk, in the spelling of SQLAlchemy 1.4 (which 2.0 understands too).

FetchedValue stands where the database fills in what the application leaves out: numbers, defaults, times and versions.
With eager_defaults the mapper reads these back in the statement that writes, so that an object is up to date without
another round trip, and without a lazy load, which an async session could not do.
"""
from datetime import datetime, timezone

from sqlalchemy import (
    BigInteger, Boolean, Column, DateTime, FetchedValue, ForeignKey, LargeBinary, MetaData, String, Table, Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import declarative_base, relationship


class Model:
    __mapper_args__ = {"eager_defaults": True}


Base = declarative_base(cls=Model, metadata=MetaData(schema="support"))

ticket_tags = Table(
    "ticket_tags",
    Base.metadata,
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "users"

    id = Column(BigInteger, primary_key=True)
    email = Column(String(255), nullable=False)
    full_name = Column(String(255), nullable=False)
    role = Column(Text, FetchedValue(), nullable=False)
    is_active = Column(Boolean, FetchedValue(), nullable=False)
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)


class Ticket(Base):
    __tablename__ = "tickets"

    id = Column(BigInteger, primary_key=True)
    ticket_number = Column(String(50), FetchedValue(), nullable=False)
    title = Column(String(500), nullable=False)
    description = Column(Text, nullable=False)
    status = Column(Text, FetchedValue(), nullable=False)
    priority = Column(Text, FetchedValue())
    creator_id = Column(BigInteger, ForeignKey("users.id"), nullable=False)
    assignee_id = Column(BigInteger, ForeignKey("users.id"))
    custom = Column(MutableDict.as_mutable(JSONB), FetchedValue())
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)
    deleted_at = Column(DateTime(timezone=True))
    # Kept by triggers: whatever the application changes, these change with it
    updated_at = Column(DateTime(timezone=True), FetchedValue(), server_onupdate=FetchedValue(), nullable=False)
    solved_at = Column(DateTime(timezone=True), FetchedValue(), server_onupdate=FetchedValue())
    version = Column(BigInteger, FetchedValue(), server_onupdate=FetchedValue(), nullable=False)

    creator = relationship("User", foreign_keys=creator_id)
    assignee = relationship("User", foreign_keys=assignee_id)
    # passive_deletes leaves what hangs on a ticket to the database, whose foreign keys cascade
    comments = relationship(
        "Comment", back_populates="ticket", order_by="Comment.id", cascade="all, delete-orphan", passive_deletes=True
    )
    attachments = relationship(
        "Attachment", order_by="Attachment.id", cascade="all, delete-orphan", passive_deletes=True
    )
    tags = relationship("Tag", secondary=ticket_tags, order_by="Tag.name", passive_deletes=True)
    audit_log = relationship(
        "AuditLog", primaryjoin="Ticket.id == foreign(AuditLog.ticket_id)", order_by="AuditLog.id", viewonly=True
    )

    @hybrid_property
    def is_deleted(self):
        return self.deleted_at is not None

    @is_deleted.setter
    def is_deleted(self, value):
        self.deleted_at = datetime.now(timezone.utc) if value else None

    @is_deleted.expression
    def is_deleted(cls):
        return cls.deleted_at.is_not(None)


class Comment(Base):
    __tablename__ = "comments"

    id = Column(BigInteger, primary_key=True)
    ticket_id = Column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False)
    author_id = Column(BigInteger, ForeignKey("users.id"), nullable=False)
    content = Column(Text, nullable=False)
    is_private = Column(Boolean, FetchedValue(), nullable=False)
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)

    ticket = relationship("Ticket", back_populates="comments")
    author = relationship("User")


class Attachment(Base):
    """What is known of a file; support.add_attachment() keeps its content."""

    __tablename__ = "attachments"

    id = Column(BigInteger, primary_key=True)
    ticket_id = Column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False)
    filename = Column(String(255), nullable=False)
    content_type = Column(Text, FetchedValue(), nullable=False)
    byte_size = Column(BigInteger)
    sha256 = Column(LargeBinary)
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)


class Tag(Base):
    __tablename__ = "tags"

    id = Column(BigInteger, primary_key=True)
    name = Column(String(100), nullable=False)


class AuditLog(Base):
    """The desk writes an entry for each change. An application adds events of its own, and changes none."""

    __tablename__ = "audit_log"

    id = Column(BigInteger, primary_key=True)
    action = Column(Text, nullable=False)
    ticket_id = Column(BigInteger, FetchedValue(), nullable=False)
    old_value = Column(JSONB(none_as_null=True))
    new_value = Column(JSONB(none_as_null=True))
    table_name = Column(Text)
    actor_id = Column(BigInteger, FetchedValue())
    occurred_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)
