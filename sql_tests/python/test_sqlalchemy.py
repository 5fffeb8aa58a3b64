"""
The desk under an object-relational mapper: SQLAlchemy 1.4 in the spelling of 2.0, over psycopg2 and asyncpg.

The models are what an application would write for tables of its own. They name no schema: the connection's search_path
does. They give no defaults: the mapper then sends NULL for what the application left out, and the desk fills it in.

First come the models and the connections, to copy from; then what the tests share; then the tests, a class a subject.

The server and an empty database come from the environment: PGHOST, PGUSER, PGDATABASE.
"""
import itertools
import unittest
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from sqlalchemy import (
    BigInteger, Boolean, Column, DateTime, FetchedValue, ForeignKey, Integer, MetaData, String, Table, Text,
    create_engine, delete, event, func, insert, inspect, literal_column, select, text, update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, DatabaseError, DataError, IntegrityError, InternalError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import declarative_base, joinedload, relationship, selectinload, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

Base = declarative_base()

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
    is_active = Column(Boolean, nullable=False)
    created_at = Column(DateTime(timezone=True), nullable=False)

    # Deleting a user through the session deletes the user's tickets first
    tickets = relationship("Ticket", back_populates="creator", order_by="Ticket.id", cascade="all, delete-orphan")


class Ticket(Base):
    __tablename__ = "tickets"

    id = Column(BigInteger, primary_key=True)
    ticket_number = Column(String(50), nullable=False)
    title = Column(String(500), nullable=False)
    description = Column(Text, nullable=False)
    status = Column(Text, nullable=False)
    creator_id = Column(BigInteger, ForeignKey("users.id"), nullable=False)
    created_at = Column(DateTime(timezone=True), nullable=False)
    deleted_at = Column(DateTime(timezone=True))

    creator = relationship("User", back_populates="tickets")
    # passive_deletes leaves what hangs on a ticket to the database, whose foreign keys cascade
    comments = relationship(
        "Comment", back_populates="ticket", order_by="Comment.id", cascade="all, delete-orphan", passive_deletes=True
    )
    attachments = relationship(
        "Attachment", order_by="Attachment.id", cascade="all, delete-orphan", passive_deletes=True
    )
    tags = relationship("Tag", secondary=ticket_tags, order_by="Tag.name")


class Comment(Base):
    __tablename__ = "comments"

    id = Column(BigInteger, primary_key=True)
    ticket_id = Column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False)
    author_id = Column(BigInteger, ForeignKey("users.id"), nullable=False)
    content = Column(Text, nullable=False)
    is_private = Column(Boolean, nullable=False)
    created_at = Column(DateTime(timezone=True), nullable=False)

    ticket = relationship("Ticket", back_populates="comments")
    author = relationship("User")


class Attachment(Base):
    __tablename__ = "attachments"

    id = Column(BigInteger, primary_key=True)
    ticket_id = Column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False)
    filename = Column(String(255), nullable=False)
    content_type = Column(Text, nullable=False)
    byte_size = Column(BigInteger)
    created_at = Column(DateTime(timezone=True), nullable=False)


class Tag(Base):
    __tablename__ = "tags"

    id = Column(BigInteger, primary_key=True)
    name = Column(String(100), nullable=False)


class AuditLog(Base):
    __tablename__ = "audit_log"

    id = Column(BigInteger, primary_key=True)
    # The log is partitioned by this column. FetchedValue: the mapper leaves it out of the INSERT
    occurred_at = Column(DateTime(timezone=True), FetchedValue(), nullable=False)
    era = Column(Integer)
    xid = Column(BigInteger)
    actor_id = Column(BigInteger)
    db_role = Column(Text)
    action = Column(Text, nullable=False)
    table_name = Column(Text)
    record_id = Column(BigInteger)
    ticket_id = Column(BigInteger, nullable=False)
    old_value = Column(JSONB)
    new_value = Column(JSONB)


class CountedTicket(Base):
    """A ticket of which the mapper counts the versions: it expects each to be one more than it read."""

    __tablename__ = "tickets"
    metadata = MetaData()

    id = Column(BigInteger, primary_key=True)
    title = Column(String(500), nullable=False)
    version = Column(BigInteger, nullable=False)

    __mapper_args__ = {"version_id_col": version}


class VersionedTicket(Base):
    """A ticket of which the desk counts the versions: the mapper reads the new one back. The better choice."""

    __tablename__ = "tickets"
    metadata = MetaData()

    id = Column(BigInteger, primary_key=True)
    title = Column(String(500), nullable=False)
    version = Column(BigInteger, FetchedValue(), server_onupdate=FetchedValue(), nullable=False)

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


engine = create_engine("postgresql+psycopg2://", connect_args={"options": "-c search_path=support"}, future=True)
Session = sessionmaker(engine, future=True)


def make_async_engine():
    """An engine belongs to the event loop that it first ran in, so each test makes one."""
    return create_async_engine("postgresql+asyncpg://", connect_args={"server_settings": {"search_path": "support"}})


def setUpModule():
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION support_ext"))


def tearDownModule():
    engine.dispose()


ATTACHED = b"\x00\x01 not a text \xff"
serial = itertools.count(1)


def make_customer(session):
    customer = User(email=f"customer{next(serial)}@example.com", full_name="Carla Customer")
    session.add(customer)
    return customer


def make_agent(session):
    """Roles are the desk's: one of its functions makes an agent."""
    user_id = session.execute(
        select(func.create_user(f"agent{next(serial)}@example.com", "Ada Agent", "agent"))
    ).scalar_one()
    return session.get(User, user_id)


def make_ticket(session, **columns):
    """A ticket, committed, by a customer of its own unless a creator is given."""
    creator = columns.pop("creator", None) or make_customer(session)
    ticket = Ticket(**{"title": "Printer on fire", "description": "Smoke.", "creator": creator, **columns})
    session.add(ticket)
    session.commit()
    return ticket


def make_full_ticket(session, creator=None):
    """A ticket with everything on it: answer and question, two files, of which the desk keeps one, and two tags."""
    ticket = make_ticket(session, creator=creator)
    ticket.comments.append(Comment(author=make_agent(session), content="Have you tried water?"))
    ticket.attachments.append(Attachment(filename="elsewhere.png", content_type="image/png", byte_size=9))
    ticket.tags = [Tag(name=f"fire {next(serial)}"), Tag(name=f"hardware {next(serial)}")]
    session.commit()
    ticket.comments.append(Comment(author=ticket.creator, content="It burns better now."))
    session.execute(select(func.add_attachment(ticket.id, "kept.bin", ATTACHED)))
    session.commit()
    return ticket


def rows_of(session, ticket_id):
    """All columns of a ticket's row and of all rows that hang on it, by table."""
    rows = {}
    for table, key in (("tickets", "id"), ("comments", "ticket_id"), ("attachments", "ticket_id"),
                       ("ticket_tags", "ticket_id")):
        rows[table] = session.execute(
            text(f"SELECT to_jsonb(t) FROM {table} AS t WHERE t.{key} = :id ORDER BY to_jsonb(t)"), {"id": ticket_id}
        ).scalars().all()
    return rows


def log_of(session, ticket_id, table_name="tickets"):
    """What the audit log has of a ticket's rows in a table, oldest first."""
    return session.execute(
        select(AuditLog)
        .where(AuditLog.ticket_id == ticket_id, AuditLog.table_name == table_name)
        .order_by(AuditLog.id)
    ).scalars().all()


def actions_of(session, ticket_id, table_name="tickets"):
    return [entry.action for entry in log_of(session, ticket_id, table_name)]


def count_rows(session):
    """How many rows there are wherever a change could leave a trace."""
    tables = ("tickets", "comments", "users", "audit_log", "support_internal.recycle_bin")
    return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}


@contextmanager
def statements():
    """The statements that the engine sends, with their parameters."""
    sent = []

    def remember(connection, cursor, statement, parameters, context, executemany):
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", remember)


class DeskTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.session = Session()
        self.addCleanup(self.session.close)

    @contextmanager
    def refused(self, sqlstate, kind=DBAPIError):
        """The block raises this SQLSTATE, as this class of SQLAlchemy; the transaction is rolled back."""
        with self.assertRaises(kind) as caught:
            yield caught
        self.session.rollback()
        self.assertEqual(caught.exception.orig.pgcode, sqlstate)


class Creating(DeskTest):
    def test_an_explicit_number_stays(self):
        ticket = make_ticket(self.session, ticket_number="HELP-2026-1", status="pending")
        self.assertEqual(ticket.ticket_number, "HELP-2026-1")
        self.assertEqual(ticket.status, "pending")
        self.assertEqual(actions_of(self.session, ticket.id), ["INSERT"])

    def test_what_is_left_out_is_filled_in(self):
        with statements() as sent:
            ticket = make_ticket(self.session)
        by_table = {statement.split()[2]: parameters for statement, parameters in sent}
        # The mapper did send NULL
        for column in ("is_active", "created_at"):
            self.assertIsNone(by_table["users"][column])
        for column in ("ticket_number", "status", "created_at", "deleted_at"):
            self.assertIsNone(by_table["tickets"][column])
        # The desk put its defaults there, and left NULL what is NULL by default
        self.assertRegex(ticket.ticket_number, r"^T-\d+$")
        self.assertEqual(ticket.status, "open")
        self.assertIsNotNone(ticket.created_at)
        self.assertIsNone(ticket.deleted_at)
        self.assertIs(ticket.creator.is_active, True)
        self.assertIsNotNone(ticket.creator.created_at)

    def test_what_is_left_out_of_children_is_filled_in(self):
        ticket = make_full_ticket(self.session)
        ticket.attachments.append(Attachment(filename="unknown"))
        with statements() as sent:
            self.session.commit()
        self.assertIsNone(sent[0][1]["content_type"])
        self.assertEqual(ticket.attachments[-1].content_type, "application/octet-stream")
        self.assertIs(ticket.comments[0].is_private, False)
        self.assertIsNotNone(ticket.comments[0].created_at)

    def test_a_time_given_stays_and_a_default_is_the_transactions_time(self):
        paris = timezone(timedelta(hours=1))
        imported = make_ticket(self.session, created_at=datetime(2024, 2, 29, 13, 0, tzinfo=paris))
        self.assertEqual(imported.created_at, datetime(2024, 2, 29, 12, 0, tzinfo=timezone.utc))

        now = self.session.execute(select(func.now())).scalar_one()
        ticket = Ticket(title="Now", description="", creator=imported.creator)
        self.session.add(ticket)
        self.session.flush()
        self.session.refresh(ticket)
        self.assertEqual(ticket.created_at, now)

    def test_timestamps_carry_a_zone(self):
        ticket = make_full_ticket(self.session)
        ticket.deleted_at = func.now()
        self.session.commit()
        self.session.execute(text("SET LOCAL TimeZone = 'Asia/Kathmandu'"))
        times = [ticket.created_at, ticket.deleted_at, ticket.creator.created_at, ticket.comments[0].created_at,
                 ticket.attachments[0].created_at, log_of(self.session, ticket.id)[0].occurred_at]
        for time in times:
            self.assertEqual(time.utcoffset(), timedelta(hours=5, minutes=45))

    def test_upsert_by_number(self):
        ticket = make_ticket(self.session, ticket_number="UP-1")
        row = {"ticket_number": "UP-1", "title": "Again", "description": "", "creator_id": ticket.creator_id}
        ticket_id = self.session.execute(
            postgresql.insert(Ticket)
            .values(row)
            .on_conflict_do_update(index_elements=["ticket_number"], set_={"title": row["title"]})
            .returning(Ticket.id)
        ).scalar_one()
        self.session.commit()
        self.assertEqual(ticket_id, ticket.id)
        self.assertEqual(ticket.title, "Again")
        self.assertEqual(actions_of(self.session, ticket.id), ["INSERT", "UPDATE"])


class Loading(DeskTest):
    def setUp(self):
        super().setUp()
        ticket = make_full_ticket(self.session)
        self.number = ticket.ticket_number
        self.tag_ids = [tag.id for tag in ticket.tags]
        self.session.expunge_all()

    def check_all_is_loaded(self, ticket):
        """Whatever is read of the ticket now comes without another statement."""
        with statements() as sent:
            self.assertEqual(ticket.creator.full_name, "Carla Customer")
            self.assertEqual(
                [(comment.author.full_name, comment.content) for comment in ticket.comments],
                [("Ada Agent", "Have you tried water?"), ("Carla Customer", "It burns better now.")],
            )
            self.assertEqual(
                [(attachment.filename, attachment.byte_size) for attachment in ticket.attachments],
                [("elsewhere.png", 9), ("kept.bin", len(ATTACHED))],
            )
            self.assertEqual([tag.name.split()[0] for tag in ticket.tags], ["fire", "hardware"])
        self.assertEqual(sent, [])

    def test_joined(self):
        query = (
            select(Ticket)
            .where(Ticket.ticket_number == self.number)
            .options(
                joinedload(Ticket.creator),
                joinedload(Ticket.comments).joinedload(Comment.author),
                joinedload(Ticket.attachments),
                joinedload(Ticket.tags),
            )
        )
        with statements() as sent:
            ticket = self.session.execute(query).unique().scalar_one()
        self.assertEqual(len(sent), 1)
        self.check_all_is_loaded(ticket)

    def test_select_in(self):
        query = (
            select(Ticket)
            .where(Ticket.ticket_number == self.number)
            .options(
                selectinload(Ticket.creator),
                selectinload(Ticket.comments).selectinload(Comment.author),
                selectinload(Ticket.attachments),
                selectinload(Ticket.tags),
            )
        )
        self.check_all_is_loaded(self.session.execute(query).scalar_one())

    def test_lazily_and_through_a_join(self):
        ticket = self.session.execute(
            select(Ticket)
            .join(Ticket.creator)
            .join(Ticket.tags)
            .where(User.full_name == "Carla Customer", Tag.id == self.tag_ids[0])
        ).scalar_one()
        self.assertEqual(len(ticket.comments), 2)
        self.assertIs(ticket.comments[1].author, ticket.creator)


class Changing(DeskTest):
    def test_an_attribute(self):
        ticket = make_ticket(self.session)
        ticket.status = "in_progress"
        self.session.commit()
        self.assertEqual(ticket.status, "in_progress")
        change = log_of(self.session, ticket.id)[-1]
        self.assertEqual(change.action, "UPDATE")
        self.assertEqual(change.old_value["status"], "open")
        self.assertEqual(change.new_value["status"], "in_progress")
        self.assertNotIn("title", change.new_value)

    def test_update_statement_counts_its_row(self):
        ticket = make_ticket(self.session)
        change = update(Ticket).where(Ticket.id == ticket.id).values(title="Printer put out")
        self.assertEqual(self.session.execute(change).rowcount, 1)
        # The session's own object follows
        self.assertEqual(ticket.title, "Printer put out")
        self.session.commit()
        self.assertEqual(actions_of(self.session, ticket.id), ["INSERT", "UPDATE"])

        # Once more: a row that is found counts, though nothing of it changes and nothing is logged
        self.assertEqual(self.session.execute(change).rowcount, 1)
        self.session.commit()
        self.assertEqual(actions_of(self.session, ticket.id), ["INSERT", "UPDATE"])

    def test_update_statement_returns_what_the_desk_made_of_it(self):
        ticket = make_ticket(self.session)
        row = self.session.execute(
            update(Ticket)
            .where(Ticket.id == ticket.id)
            .values(status="resolved")
            .execution_options(synchronize_session=False)
            .returning(literal_column("version"), literal_column("solved_at = desk_now()").label("solved_now"))
        ).one()
        self.assertEqual((row.version, row.solved_now), (2, True))

    def test_tags_and_comments_through_their_collections(self):
        ticket = make_full_ticket(self.session)
        gone = ticket.tags.pop(0)
        self.session.delete(ticket.comments[1])
        self.session.commit()
        self.assertEqual(len(ticket.tags), 1)
        self.assertEqual([comment.content for comment in ticket.comments], ["Have you tried water?"])
        untagged = log_of(self.session, ticket.id, "ticket_tags")[-1]
        self.assertEqual(untagged.action, "DELETE")
        self.assertEqual(untagged.old_value, {"ticket_id": ticket.id, "tag_id": gone.id})
        self.assertEqual(log_of(self.session, ticket.id, "comments")[-1].old_value["content"], "It burns better now.")

    def test_changes_name_who_made_them(self):
        agent = make_agent(self.session)
        ticket = make_ticket(self.session)
        # True: until the transaction ends, so that a pooled connection forgets it
        self.session.execute(select(func.set_actor(agent.id, True)))
        ticket.status = "pending"
        self.session.commit()
        ticket.status = "open"
        self.session.commit()
        self.assertEqual(
            [entry.actor_id for entry in log_of(self.session, ticket.id)], [None, agent.id, None]
        )


class Deleting(DeskTest):
    def restore(self, ticket_id):
        version = self.session.execute(select(func.restore_ticket(ticket_id))).scalar_one()
        self.session.commit()
        return version

    def check_restores(self, ticket_id, before):
        """restore_ticket brings back every row with equal columns, content included, and the mapper sees it."""
        version = self.restore(ticket_id)
        self.assertEqual(rows_of(self.session, ticket_id), before)
        self.assertEqual(version, before["tickets"][0]["version"])
        ticket = self.session.get(Ticket, ticket_id)
        self.assertEqual([comment.content for comment in ticket.comments],
                         ["Have you tried water?", "It burns better now."])
        self.assertEqual([attachment.filename for attachment in ticket.attachments], ["elsewhere.png", "kept.bin"])
        self.assertEqual(len(ticket.tags), 2)
        content = select(func.attachment_content(ticket_id, ticket.attachments[1].id))
        self.assertEqual(bytes(self.session.execute(content).scalar_one()), ATTACHED)

    def test_delete_statement(self):
        ticket_id = make_full_ticket(self.session).id
        before = rows_of(self.session, ticket_id)
        self.session.expunge_all()

        removal = delete(Ticket).where(Ticket.id == ticket_id)
        self.assertEqual(self.session.execute(removal).rowcount, 1)
        self.session.commit()
        # The row is really gone, and all that hung on it
        self.assertIsNone(self.session.get(Ticket, ticket_id))
        self.assertFalse(any(rows_of(self.session, ticket_id).values()))
        self.assertEqual(self.session.execute(removal).rowcount, 0)
        self.assertEqual(actions_of(self.session, ticket_id)[-1], "DELETE")

        self.check_restores(ticket_id, before)
        self.assertEqual(actions_of(self.session, ticket_id)[-2:], ["DELETE", "INSERT"])
        with self.refused("55000", OperationalError) as caught:
            self.restore(ticket_id)
        self.assertIn(f"ticket {ticket_id} is not deleted", str(caught.exception))

    def test_delete_statement_returns_its_row(self):
        ticket = make_ticket(self.session, ticket_number="GONE-1")
        number = self.session.execute(
            delete(Ticket)
            .where(Ticket.id == ticket.id)
            .execution_options(synchronize_session=False)
            .returning(Ticket.ticket_number)
        ).scalar_one()
        self.assertEqual(number, "GONE-1")

    def test_session_delete(self):
        # The mapper takes the tags off by itself; the database takes comments and attachments
        ticket = make_full_ticket(self.session)
        ticket_id = ticket.id
        before = rows_of(self.session, ticket_id)
        self.session.delete(ticket)
        with statements() as sent:
            self.session.commit()
        self.assertEqual([statement.split()[2] for statement, _ in sent if statement.startswith("DELETE")],
                         ["ticket_tags", "tickets"])
        self.assertFalse(any(rows_of(self.session, ticket_id).values()))
        self.check_restores(ticket_id, before)

    def test_session_delete_of_every_child_first(self):
        # As a mapper does without passive_deletes
        ticket = make_full_ticket(self.session)
        ticket_id = ticket.id
        before = rows_of(self.session, ticket_id)
        for child in ticket.comments + ticket.attachments + [ticket]:
            self.session.delete(child)
        with statements() as sent:
            self.session.commit()
        self.assertEqual({statement.split()[2] for statement, _ in sent[:-1] if statement.startswith("DELETE")},
                         {"ticket_tags", "comments", "attachments"})
        self.assertEqual(sent[-1][0].split()[2], "tickets")
        self.assertFalse(any(rows_of(self.session, ticket_id).values()))

        self.restore(ticket_id)
        after = rows_of(self.session, ticket_id)
        for rows in (before, after):
            # Each removed comment was a change of the ticket
            del rows["tickets"][0]["version"], rows["tickets"][0]["updated_at"]
        self.assertEqual(after, before)

    def test_marking_as_deleted(self):
        ticket = make_full_ticket(self.session)
        listed = text("SELECT how FROM deleted_tickets WHERE ticket_id = :id").bindparams(id=ticket.id)
        ticket.deleted_at = func.now()
        self.session.commit()
        self.assertIsNotNone(ticket.deleted_at)
        self.assertEqual(len(ticket.comments), 2)
        self.assertEqual(self.session.execute(listed).scalars().all(), ["marked"])

        self.restore(ticket.id)
        self.assertIsNone(ticket.deleted_at)
        self.assertEqual(self.session.execute(listed).scalars().all(), [])

    def test_a_number_taken_meanwhile(self):
        ticket = make_full_ticket(self.session)
        ticket_id, number = ticket.id, ticket.ticket_number
        before = rows_of(self.session, ticket_id)
        self.session.delete(ticket)
        self.session.commit()
        holder = make_ticket(self.session, ticket_number=number)
        with self.refused("23505", IntegrityError) as caught:
            self.restore(ticket_id)
        self.assertEqual(caught.exception.orig.diag.message_detail, f"Ticket {holder.id} has it.")

        holder.ticket_number = number + "-b"
        self.session.commit()
        self.check_restores(ticket_id, before)

    def test_a_user_with_tickets(self):
        user = make_customer(self.session)
        ids = [make_full_ticket(self.session, creator=user).id for _ in range(2)]
        before = [rows_of(self.session, ticket_id) for ticket_id in ids]
        known = {"id": user.id, "email": user.email, "full_name": user.full_name}

        self.session.delete(user)
        self.session.commit()
        self.assertIsNone(self.session.get(User, known["id"]))
        for ticket_id in ids:
            self.assertFalse(any(rows_of(self.session, ticket_id).values()))

        # No ticket comes back without its creator, and the attempt does no harm
        traces = count_rows(self.session)
        for ticket_id in ids:
            with self.refused("23503", IntegrityError) as caught:
                self.restore(ticket_id)
            self.assertIn(f"user {known['id']}", str(caught.exception))
        self.assertEqual(count_rows(self.session), traces)

        self.session.add(User(**known))
        self.session.commit()
        for ticket_id, rows in zip(ids, before):
            self.check_restores(ticket_id, rows)

    def test_a_user_who_wrote_on_tickets_of_others_stays(self):
        ticket = make_full_ticket(self.session)
        before = rows_of(self.session, ticket.id)
        with self.refused("23503", IntegrityError):
            self.session.delete(ticket.comments[0].author)
            self.session.commit()
        self.assertEqual(rows_of(self.session, ticket.id), before)


class Versions(DeskTest):
    models = (CountedTicket, VersionedTicket)

    def test_an_update_moves_the_version(self):
        for model in self.models:
            with self.subTest(model=model.__name__):
                ticket = self.session.get(model, make_ticket(self.session).id)
                for version in (2, 3):
                    ticket.title = f"Printer, take {version}"
                    self.session.flush()
                    self.assertEqual(ticket.version, version)
                    self.session.commit()
                    self.session.refresh(ticket)
                    self.assertEqual(ticket.version, version)

    def test_a_new_ticket_begins_at_one(self):
        creator = make_customer(self.session)
        self.session.flush()
        for model in self.models:
            with self.subTest(model=model.__name__):
                row = {"title": "New", "description": "", "creator_id": creator.id}
                ticket_id = self.session.execute(insert(Ticket).returning(Ticket.id), row).scalar_one()
                self.assertEqual(self.session.get(model, ticket_id).version, 1)

    def test_a_concurrent_change_is_noticed(self):
        for model in self.models:
            with self.subTest(model=model.__name__):
                ticket = make_ticket(self.session)
                mine = self.session.get(model, ticket.id)
                mine.title = "Mine"
                with Session() as other:
                    other.get(Ticket, ticket.id).title = "Theirs"
                    other.commit()
                with self.assertRaises(StaleDataError):
                    self.session.commit()
                self.session.rollback()
                self.session.refresh(mine)
                self.assertEqual((mine.title, mine.version), ("Theirs", 2))
                self.assertEqual(actions_of(self.session, ticket.id), ["INSERT", "UPDATE"])

    def test_a_reply_is_a_change_too(self):
        for model in self.models:
            with self.subTest(model=model.__name__):
                ticket = make_ticket(self.session)
                mine = self.session.get(model, ticket.id)
                with Session() as other:
                    other.add(Comment(ticket_id=ticket.id, author=make_agent(other), content="I look into it."))
                    other.commit()
                with self.assertRaises(StaleDataError):
                    self.session.delete(mine)
                    self.session.commit()
                self.session.rollback()
                self.assertEqual(mine.version, 2)

    def test_a_value_set_to_what_it_is_leaves_the_version(self):
        mine = self.session.get(VersionedTicket, make_ticket(self.session, title="Same").id)
        self.session.expire(mine, ["title"])
        # The mapper does not know the old title and sends an UPDATE
        mine.title = "Same"
        with statements() as sent:
            self.session.flush()
        self.assertTrue(sent[-1][0].startswith("UPDATE tickets"))
        self.assertEqual(mine.version, 1)
        mine.title = "Different"
        self.session.commit()
        self.assertEqual(mine.version, 2)


class Bulk(DeskTest):
    size = 10_000

    def setUp(self):
        super().setUp()
        self.creator = make_customer(self.session)
        self.session.commit()
        self.rows = [
            {"title": f"Alarm {n}", "description": "", "creator_id": self.creator.id} for n in range(self.size)
        ]

    def check_audited(self, ids, action, entries=1):
        """Each of the tickets has so many entries of this action."""
        each = (
            select(func.count().label("entries"))
            .where(AuditLog.ticket_id.in_(select(func.unnest(ids, type_=BigInteger))))
            .where(AuditLog.table_name == "tickets", AuditLog.action == action,
                   AuditLog.record_id == AuditLog.ticket_id)
            .group_by(AuditLog.ticket_id)
            .subquery()
        )
        found = select(func.count(), func.min(each.c.entries), func.max(each.c.entries)).select_from(each)
        self.assertEqual(tuple(self.session.execute(found).one()), (len(ids), entries, entries))

    def check_created(self, ids):
        """All are there, with the title that belongs to the id, defaults and distinct numbers, and audited once."""
        self.assertEqual(len(set(ids)), self.size)
        tickets = self.session.execute(
            select(Ticket.id, Ticket.title, Ticket.status, Ticket.ticket_number)
            .where(Ticket.creator_id == self.creator.id)
            .order_by(Ticket.id)
        ).all()
        self.assertEqual([(ticket.id, ticket.title) for ticket in tickets],
                         [(ticket_id, row["title"]) for ticket_id, row in zip(ids, self.rows)])
        self.assertEqual({ticket.status for ticket in tickets}, {"open"})
        self.assertEqual(len({ticket.ticket_number for ticket in tickets}), self.size)
        self.check_audited(ids, "INSERT")

    def test_insert_of_many_rows(self):
        # return_defaults asks for the new ids
        result = self.session.execute(insert(Ticket).return_defaults(), self.rows)
        ids = [row.id for row in result.inserted_primary_key_rows]
        self.session.commit()
        self.check_created(ids)

    def test_bulk_insert_mappings(self):
        self.session.bulk_insert_mappings(Ticket, self.rows, return_defaults=True)
        self.session.commit()
        self.check_created([row["id"] for row in self.rows])

    def test_many_objects_with_columns_left_out(self):
        tickets = [Ticket(**row) for row in self.rows]
        self.session.add_all(tickets)
        with statements() as sent:
            self.session.flush()
        self.assertIsNone(sent[0][1][0]["ticket_number"])
        ids = [ticket.id for ticket in tickets]
        self.session.commit()
        self.check_created(ids)

    def test_update_and_delete_of_many_rows(self):
        ids = self.session.execute(insert(Ticket).values(self.rows).returning(Ticket.id)).scalars().all()
        self.session.commit()
        mine = Ticket.creator_id == self.creator.id
        solve = update(Ticket).where(mine).values(status="resolved")
        self.assertEqual(self.session.execute(solve).rowcount, self.size)
        self.session.commit()
        self.check_audited(ids, "UPDATE")
        self.assertEqual(self.session.execute(delete(Ticket).where(mine)).rowcount, self.size)
        self.session.commit()
        self.check_audited(ids, "DELETE")


class Transactions(DeskTest):
    def setUp(self):
        super().setUp()
        self.ticket = make_full_ticket(self.session)
        self.before = rows_of(self.session, self.ticket.id)
        self.traces = count_rows(self.session)

    def do_everything(self):
        """Create, change, comment, log, remove."""
        make_customer(self.session)
        self.ticket.status = "resolved"
        self.ticket.comments.append(Comment(author=self.ticket.creator, content="No, it burns again."))
        self.session.add(AuditLog(action="escalated", ticket_id=self.ticket.id))
        self.session.add(Ticket(title="Another", description="", creator=self.ticket.creator))
        self.session.flush()
        self.session.execute(delete(Ticket).where(Ticket.id == self.ticket.id))

    def check_no_trace(self):
        self.assertEqual(count_rows(self.session), self.traces)
        self.assertEqual(rows_of(self.session, self.ticket.id), self.before)
        # It does not lie in the recycle bin either
        with self.refused("55000"):
            self.session.execute(select(func.restore_ticket(self.ticket.id)))

    def test_a_rollback_leaves_no_trace(self):
        self.do_everything()
        self.assertNotEqual(count_rows(self.session), self.traces)
        self.session.rollback()
        self.check_no_trace()

    def test_a_savepoint_rolled_back_leaves_no_trace(self):
        savepoint = self.session.begin_nested()
        self.do_everything()
        self.assertNotEqual(count_rows(self.session), self.traces)
        savepoint.rollback()
        self.session.commit()
        self.check_no_trace()

    def test_what_surrounds_a_savepoint_stays(self):
        self.ticket.title = "Before"
        self.session.flush()
        with self.assertRaises(IntegrityError):
            with self.session.begin_nested():
                self.ticket.status = "opne"
        self.session.execute(update(Ticket).where(Ticket.id == self.ticket.id).values(description="After"))
        self.session.commit()
        self.assertEqual((self.ticket.title, self.ticket.status, self.ticket.description), ("Before", "open", "After"))
        changes = [set(entry.new_value) - {"version", "updated_at"}
                   for entry in log_of(self.session, self.ticket.id)[-2:]]
        self.assertEqual(changes, [{"title"}, {"description"}])

    def test_one_transaction_has_one_xid(self):
        self.ticket.title = "One"
        self.session.flush()
        with self.session.begin_nested():
            self.ticket.title = "Two"
        self.session.commit()
        one, two = log_of(self.session, self.ticket.id)[-2:]
        self.assertEqual((one.era, one.xid), (two.era, two.xid))
        self.assertLess(one.id, two.id)


class Refusals(DeskTest):
    """What the application gets to see. Whatever is refused changes nothing and is not logged."""

    def setUp(self):
        super().setUp()
        self.ticket = make_full_ticket(self.session)
        self.ticket_id = self.ticket.id
        self.before = rows_of(self.session, self.ticket_id)
        self.traces = count_rows(self.session)

    def tearDown(self):
        self.assertEqual(rows_of(self.session, self.ticket_id), self.before)
        self.assertEqual(count_rows(self.session), self.traces)

    def change(self, **columns):
        self.session.execute(update(Ticket).where(Ticket.id == self.ticket_id).values(**columns))

    def create(self, **columns):
        row = {"title": "New", "description": "", "creator_id": self.ticket.creator_id, **columns}
        self.session.add(Ticket(**row))
        self.session.flush()

    def test_unknown_status(self):
        with self.refused("23503", IntegrityError) as caught:
            self.ticket.status = "opne"
            self.session.commit()
        # psycopg2 has the parts of the message in diag
        diag = caught.exception.orig.diag
        self.assertEqual(diag.message_primary, 'status "opne" does not exist')
        self.assertIn("in_progress", diag.message_hint)
        with self.refused("23503", IntegrityError):
            self.change(status="opne")
        with self.refused("23503", IntegrityError):
            self.create(status="opne")

    def test_unknown_user(self):
        with self.refused("23503", IntegrityError):
            self.create(creator_id=987654321)
        with self.refused("23503", IntegrityError):
            self.change(creator_id=987654321)

    def test_title(self):
        for title, sqlstate, kind in (
            ("", "23514", IntegrityError), (" \t", "23514", IntegrityError),
            ("x" * 501, "22001", DataError), (None, "23502", IntegrityError),
        ):
            with self.subTest(title=title):
                with self.refused(sqlstate, kind):
                    self.change(title=title)
                with self.refused(sqlstate, kind):
                    self.create(title=title)

    def test_number_or_address_taken(self):
        with self.refused("23505", IntegrityError):
            self.create(ticket_number=self.ticket.ticket_number)
        with self.refused("23505", IntegrityError):
            self.session.add(User(email=self.ticket.creator.email.upper(), full_name="Same address"))
            self.session.commit()

    def test_stale_version(self):
        version = self.before["tickets"][0]["version"]
        with self.refused("SU001", DatabaseError) as caught:
            self.session.execute(select(func.set_status(self.ticket_id, "closed", version - 1)))
        self.assertIn(f"is at version {version}, not {version - 1}", str(caught.exception))

    def test_forbidden_transition(self):
        self.session.execute(text("INSERT INTO status_transitions VALUES ('open', 'pending')"))
        with self.refused("SU002", DatabaseError) as caught:
            self.change(status="closed")
        self.assertIn("pending", caught.exception.orig.diag.message_hint)
        # The rule went with the transaction that made it
        self.change(status="closed")
        self.session.rollback()

    def test_unknown_ticket(self):
        for call in (func.set_status(987654321, "closed"), func.restore_ticket(987654321)):
            with self.refused("P0002", InternalError) as caught:
                self.session.execute(select(call))
            self.assertIn("ticket 987654321 does not exist", str(caught.exception))

    def test_comment_on_a_deleted_ticket(self):
        self.change(deleted_at=func.now())
        with self.refused("55000", OperationalError) as caught:
            self.ticket.comments.append(Comment(author=self.ticket.creator, content="Too late."))
            self.session.commit()
        self.assertIn("was deleted", caught.exception.orig.diag.message_primary)
        self.assertIn(f"restore_ticket({self.ticket_id})", caught.exception.orig.diag.message_hint)

    def test_public_comment_on_a_closed_ticket(self):
        self.change(status="closed")
        note = Comment(author=self.ticket.comments[0].author, content="For us only.", is_private=True)
        self.ticket.comments.append(note)
        self.session.flush()
        with self.refused("55000", OperationalError) as caught:
            self.ticket.comments.append(Comment(author=self.ticket.creator, content="Too late."))
            self.session.commit()
        self.assertIn("is closed", caught.exception.orig.diag.message_primary)

    def test_attachment_over_the_limit(self):
        self.session.execute(select(func.configure("max_attachment_size", "1kB")))
        with self.refused("54000", OperationalError):
            self.session.execute(select(func.add_attachment(self.ticket_id, "big.bin", bytes(1025))))

    def test_truncate(self):
        with self.refused("55000", OperationalError):
            self.session.execute(text("TRUNCATE tickets CASCADE"))


class OwnEvents(DeskTest):
    """An application writes its own events into the log."""

    def test_an_event_is_stamped(self):
        ticket = make_ticket(self.session)
        agent = make_agent(self.session)
        self.session.commit()
        self.session.execute(select(func.set_actor(agent.id, True)))
        levels = {"level": 1}, {"level": 2, "to": ["Zoë", None]}
        entry = AuditLog(action="escalated", ticket_id=ticket.id, old_value=levels[0], new_value=levels[1])
        self.session.add(entry)
        self.session.flush()
        now, xid, db_role = self.session.execute(
            text("SELECT now(), pg_current_xact_id()::text::bigint, current_user")
        ).one()
        self.session.commit()
        self.assertEqual((entry.xid, entry.db_role, entry.occurred_at), (xid, db_role, now))
        # The same cluster as that of the desk's own entries
        self.assertEqual(entry.era, log_of(self.session, ticket.id)[0].era)
        self.assertIsNotNone(entry.era)
        self.assertEqual((entry.old_value, entry.new_value), levels)
        self.assertIsNone(entry.table_name)

    def test_what_is_left_out_is_null(self):
        entry = AuditLog(action="read", ticket_id=make_ticket(self.session).id)
        self.session.add(entry)
        self.session.commit()
        nulls = text("SELECT old_value IS NULL AND new_value IS NULL FROM audit_log WHERE id = :id")
        self.assertIs(self.session.execute(nulls, {"id": entry.id}).scalar_one(), True)

    def test_an_event_of_no_ticket_belongs_to_ticket_zero(self):
        entry = AuditLog(action="signed in")
        self.session.add(entry)
        with statements() as sent:
            self.session.commit()
        self.assertIsNone(sent[-1][1]["ticket_id"])
        self.assertEqual(entry.ticket_id, 0)

    def test_a_stamp_cannot_be_forged(self):
        ticket = make_ticket(self.session)
        entry = AuditLog(action="forged", ticket_id=ticket.id, era=99, xid=1, db_role="somebody else")
        self.session.add(entry)
        self.session.commit()
        genuine = log_of(self.session, ticket.id)[0]
        self.assertEqual((entry.era, entry.db_role), (genuine.era, genuine.db_role))
        self.assertGreater(entry.xid, genuine.xid)

    def test_nobody_changes_the_log(self):
        ticket = make_ticket(self.session)
        entry = log_of(self.session, ticket.id)[0]
        with self.refused("55000", OperationalError):
            entry.action = "nothing happened"
            self.session.commit()
        with self.refused("55000", OperationalError):
            self.session.delete(entry)
            self.session.commit()
        self.assertEqual(actions_of(self.session, ticket.id), ["INSERT"])


class Schema(DeskTest):
    def catalog(self):
        """Every table, index, sequence and column of the desk."""
        return self.session.execute(text("""
            SELECT c.oid, c.relname, c.relkind, c.relfilenode, a.attname, a.atttypid, a.atttypmod, a.attnotnull
            FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
            WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
            ORDER BY c.oid, a.attnum
        """)).all()

    def test_create_all_changes_nothing(self):
        before = self.catalog()
        self.session.rollback()
        with statements() as sent:
            Base.metadata.create_all(engine)
        # It asked for every table and found them all
        self.assertEqual(len([statement for statement, _ in sent if "pg_class" in statement]),
                         len(Base.metadata.tables))
        self.assertFalse([statement for statement, _ in sent if statement.lstrip().upper().startswith("CREATE")])
        self.assertEqual(self.catalog(), before)

    def test_models_agree_with_the_reflected_tables(self):
        inspector = inspect(engine)
        for table in Base.metadata.sorted_tables:
            reflected = {column["name"]: column for column in inspector.get_columns(table.name)}
            for column in table.columns:
                with self.subTest(column=str(column)):
                    there = reflected[column.name]
                    self.assertEqual(there["type"].compile(engine.dialect), column.type.compile(engine.dialect))
                    self.assertEqual(there["nullable"], column.nullable)

    def test_keys_are_reflected(self):
        inspector = inspect(engine)
        self.assertEqual(inspector.get_pk_constraint("tickets")["constrained_columns"], ["id"])
        self.assertEqual(inspector.get_pk_constraint("comments")["constrained_columns"], ["ticket_id", "id"])
        to_tickets = [key for key in inspector.get_foreign_keys("comments") if key["referred_table"] == "tickets"]
        self.assertEqual(to_tickets[0]["options"], {"ondelete": "CASCADE"})
        # No schema: the table lies on the search_path
        self.assertIsNone(to_tickets[0]["referred_schema"])
        unique = {index["name"]: index["column_names"] for index in inspector.get_indexes("tickets") if index["unique"]}
        self.assertEqual(unique["ix_tickets_ticket_number"], ["ticket_number"])


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    """The core of it over asyncpg, which prepares its statements and sends parameters with types."""

    async def asyncSetUp(self):
        self.engine = make_async_engine()
        self.session = AsyncSession(self.engine, expire_on_commit=False, future=True)

    async def asyncTearDown(self):
        await self.session.close()
        await self.engine.dispose()

    async def make_full_ticket(self):
        # The helpers above work on the plain session inside
        ticket = await self.session.run_sync(make_full_ticket)
        self.session.expunge_all()
        return ticket.id

    async def load(self, ticket_id):
        return (
            await self.session.execute(
                select(Ticket)
                .where(Ticket.id == ticket_id)
                .options(
                    selectinload(Ticket.creator),
                    selectinload(Ticket.comments).selectinload(Comment.author),
                    selectinload(Ticket.attachments),
                    selectinload(Ticket.tags),
                )
            )
        ).scalar_one_or_none()

    @contextmanager
    def refused(self, sqlstate, kind=DBAPIError):
        with self.assertRaises(kind) as caught:
            yield
        self.assertEqual(caught.exception.orig.sqlstate, sqlstate)

    async def test_create_and_load(self):
        creator = User(email=f"customer{next(serial)}@example.com", full_name="Carla Customer")
        numbered = Ticket(ticket_number="ASYNC-1", title="Numbered", description="", creator=creator)
        plain = Ticket(title="Plain", description="", creator=creator)
        self.session.add_all([numbered, plain])
        await self.session.commit()
        await self.session.refresh(numbered)
        await self.session.refresh(plain)
        self.assertEqual(numbered.ticket_number, "ASYNC-1")
        self.assertRegex(plain.ticket_number, r"^T-\d+$")
        self.assertEqual(plain.status, "open")
        self.assertEqual(plain.created_at.utcoffset(), timedelta(0))

        ticket = await self.load(await self.make_full_ticket())
        self.assertEqual(ticket.creator.full_name, "Carla Customer")
        self.assertEqual([comment.author.full_name for comment in ticket.comments], ["Ada Agent", "Carla Customer"])
        self.assertEqual([attachment.filename for attachment in ticket.attachments], ["elsewhere.png", "kept.bin"])
        self.assertEqual([tag.name.split()[0] for tag in ticket.tags], ["fire", "hardware"])

    async def test_update_delete_restore(self):
        ticket_id = await self.make_full_ticket()
        result = await self.session.execute(update(Ticket).where(Ticket.id == ticket_id).values(status="pending"))
        self.assertEqual(result.rowcount, 1)
        await self.session.commit()
        before = await self.session.run_sync(rows_of, ticket_id)

        result = await self.session.execute(delete(Ticket).where(Ticket.id == ticket_id))
        self.assertEqual(result.rowcount, 1)
        await self.session.commit()
        self.assertIsNone(await self.load(ticket_id))

        version = (await self.session.execute(select(func.restore_ticket(ticket_id)))).scalar_one()
        await self.session.commit()
        self.assertEqual(await self.session.run_sync(rows_of, ticket_id), before)
        self.assertEqual(version, before["tickets"][0]["version"])
        ticket = await self.load(ticket_id)
        self.assertEqual((ticket.status, len(ticket.comments), len(ticket.tags)), ("pending", 2, 2))
        content = select(func.attachment_content(ticket_id, ticket.attachments[1].id))
        self.assertEqual((await self.session.execute(content)).scalar_one(), ATTACHED)
        self.assertEqual(await self.session.run_sync(actions_of, ticket_id),
                         ["INSERT"] + ["UPDATE"] * 3 + ["DELETE", "INSERT"])

    async def test_session_delete_and_version(self):
        ticket_id = await self.make_full_ticket()
        versioned = await self.session.get(VersionedTicket, ticket_id)
        read = versioned.version
        versioned.title = "Asynchronous"
        await self.session.commit()
        self.assertEqual(versioned.version, read + 1)
        await self.session.execute(update(Ticket).where(Ticket.id == ticket_id).values(title="Meanwhile"))
        versioned.title = "Stale"
        with self.assertRaises(StaleDataError):
            await self.session.commit()
        await self.session.rollback()
        self.session.expunge_all()

        await self.session.delete(await self.load(ticket_id))
        await self.session.commit()
        self.assertIsNone(await self.load(ticket_id))

    async def test_refusals(self):
        ticket_id = await self.make_full_ticket()
        before = await self.session.run_sync(rows_of, ticket_id)
        traces = await self.session.run_sync(count_rows)
        change = update(Ticket).where(Ticket.id == ticket_id)
        for statement, sqlstate, kind in (
            (change.values(status="opne"), "23503", IntegrityError),
            (change.values(title=""), "23514", IntegrityError),
            (change.values(title="x" * 501), "22001", DBAPIError),
            (select(func.set_status(ticket_id, "closed", 99)), "SU001", DBAPIError),
            (select(func.restore_ticket(987654321)), "P0002", DBAPIError),
            (select(func.restore_ticket(ticket_id)), "55000", DBAPIError),
        ):
            with self.subTest(sqlstate=sqlstate):
                with self.refused(sqlstate, kind):
                    await self.session.execute(statement)
                await self.session.rollback()
        self.assertEqual(await self.session.run_sync(rows_of, ticket_id), before)
        self.assertEqual(await self.session.run_sync(count_rows), traces)

    async def test_many_rows(self):
        creator = await self.session.run_sync(make_customer)
        await self.session.flush()
        traces = await self.session.run_sync(count_rows)
        row = {"title": "Alarm", "description": "", "creator_id": creator.id}
        await self.session.execute(insert(Ticket), [row] * 1000)
        # The driver's own COPY, in its binary form, within the same transaction
        connection = await (await self.session.connection()).get_raw_connection()
        await connection.driver_connection.copy_records_to_table(
            "tickets", schema_name="support", columns=list(row), records=[tuple(row.values())] * 1000
        )
        for table in ("tickets", "audit_log"):
            traces[table] += 2000
        self.assertEqual(await self.session.run_sync(count_rows), traces)
        await self.session.rollback()

    async def test_rollback_to_a_savepoint(self):
        ticket_id = await self.make_full_ticket()
        traces = await self.session.run_sync(count_rows)
        with self.refused("23503", IntegrityError):
            async with self.session.begin_nested():
                self.session.add(AuditLog(action="escalated", ticket_id=ticket_id, new_value={"level": 2}))
                await self.session.flush()
                await self.session.execute(update(Ticket).where(Ticket.id == ticket_id).values(status="opne"))
        await self.session.commit()
        self.assertEqual(await self.session.run_sync(count_rows), traces)


if __name__ == "__main__":
    unittest.main()
