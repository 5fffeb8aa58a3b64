"""
An application's models: some tables of the desk, with a few of their columns, and a table of its own.

The desk's tables are named with their schema; the application's own lie in public. FetchedValue says that the desk
fills in what is left out.
"""
from sqlalchemy import (
    BigInteger, Boolean, Column, DateTime, FetchedValue, ForeignKey, Identity, MetaData, Numeric, String, Text, func,
)
from sqlalchemy.orm import declarative_base, relationship

from desk_filter import DESK, OWN

# Indexes are named as those of the desk are
Base = declarative_base(metadata=MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s"}))


class User(Base):
    __tablename__ = "users"
    __table_args__ = {"schema": DESK}

    id = Column(BigInteger, primary_key=True)
    email = Column(String(255), unique=True, nullable=False)
    full_name = Column(String(255), nullable=False)
    is_active = Column(Boolean, FetchedValue(), nullable=False)
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)


class Ticket(Base):
    __tablename__ = "tickets"
    __table_args__ = {"schema": DESK}

    id = Column(BigInteger, primary_key=True)
    ticket_number = Column(String(50), FetchedValue(), nullable=False, unique=True, index=True)
    title = Column(String(500), nullable=False)
    description = Column(Text, nullable=False)
    status = Column(String(20), FetchedValue(), nullable=False, index=True)
    creator_id = Column(ForeignKey("support.users.id"), nullable=False, index=True)
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False, index=True)
    deleted_at = Column(DateTime(timezone=True))
    # The application's own
    contract = Column(String(20), nullable=False, server_default="basic", index=True, info=OWN)

    creator = relationship("User")
    comments = relationship("Comment", back_populates="ticket", passive_deletes=True)
    invoices = relationship("Invoice", back_populates="ticket", passive_deletes="all")


class Comment(Base):
    __tablename__ = "comments"
    __table_args__ = {"schema": DESK}

    id = Column(BigInteger, primary_key=True)
    ticket_id = Column(ForeignKey("support.tickets.id"), nullable=False, index=True)
    author_id = Column(ForeignKey("support.users.id"), nullable=False)
    content = Column(Text, nullable=False)
    is_private = Column(Boolean, FetchedValue(), nullable=False)
    created_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)

    ticket = relationship("Ticket", back_populates="comments")
    author = relationship("User")


class Invoice(Base):
    """A table of the application's own. A ticket with an invoice cannot be removed, only marked as deleted."""

    __tablename__ = "invoices"

    id = Column(BigInteger, Identity(), primary_key=True)
    ticket_id = Column(ForeignKey("support.tickets.id"), nullable=False, index=True)
    amount = Column(Numeric(10, 2), nullable=False)
    issued_at = Column(DateTime(timezone=True), nullable=False, server_default=func.now())

    ticket = relationship("Ticket", back_populates="invoices")
