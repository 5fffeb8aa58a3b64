"""
What an application asks of a desk of 200,000 tickets is answered from indexes: no query of examples/sqlalchemy reads
all tickets, comments or entries of the log.

The desk has the shape of the demo's: nearly all tickets are closed. The planner chooses by what VACUUM ANALYZE counted.

The server and an empty database come from the environment: PGHOST, PGUSER, PGDATABASE.
"""
import pathlib
import sys
import unittest
from contextlib import contextmanager

from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "sqlalchemy"))
import desk
from models import Attachment, AuditLog, Comment, Ticket

TICKETS = 200_000
SAMPLE = 123_340    # an open one
CUSTOMER, AGENT = 17, 507
STATUSES = ("open", "in_progress", "pending", "on_hold", "resolved", "closed")

# A ticket a minute, of which one in twenty is not closed
FILL = f"""
    INSERT INTO support.users (email, full_name)
    SELECT 'customer' || n || '@example.com', 'Customer ' || n FROM generate_series(1, 500) AS n;

    INSERT INTO support.users (email, full_name, role)
    SELECT 'agent' || n || '@example.com', 'Agent ' || n, 'agent' FROM generate_series(1, 20) AS n;

    INSERT INTO support.tickets (title, description, creator_id, assignee_id, priority, created_at, status)
    SELECT
        (ARRAY['Printer on fire', 'Screen stays black', 'Mouse lost its tail', 'Keyboard types twice'])[1 + n % 4]
            || ' in room ' || n % 10007,
        'Since this morning. It says error ' || n % 991 || '.',
        1 + n % 500,
        CASE WHEN n % 3 > 0 THEN 501 + n % 20 END,
        (ARRAY['normal', 'normal', 'normal', 'normal', 'low', 'high', 'urgent'])[1 + n % 7],
        now() - ({TICKETS} - n) * interval '1 minute',
        CASE WHEN n % 20 = 0
            THEN (ARRAY['open', 'open', 'open', 'in_progress', 'pending', 'on_hold', 'resolved'])[1 + n / 20 % 7]
            ELSE 'closed' END
    FROM generate_series(1, {TICKETS}) AS n;

    -- Without triggers, which would let nobody write on closed tickets
    SET LOCAL session_replication_role = replica;
    INSERT INTO support.comments (ticket_id, author_id, content, created_at)
    SELECT t.id, coalesce(t.assignee_id, 501), 'Have you tried water?', t.created_at
    FROM support.tickets AS t, generate_series(1, 2);

    INSERT INTO support.attachments (ticket_id, filename, created_at)
    SELECT t.id, 'smoke.png', t.created_at FROM support.tickets AS t WHERE t.id % 4 = 0;

    INSERT INTO support.tags (name) VALUES ('fire'), ('hardware'), ('supplies');
    INSERT INTO support.ticket_tags (ticket_id, tag_id)
    SELECT t.id, 1 + t.id % 3 FROM support.tickets AS t WHERE t.id % 2 = 0;
"""

engine = desk.make_engine()


def setUpModule():
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION support_ext"))
        connection.execution_options(no_parameters=True).exec_driver_sql(FILL)
        # What an application adds that searches titles
        connection.execute(text("CREATE EXTENSION pg_trgm"))
        connection.execute(text("CREATE INDEX own_tickets_title ON support.tickets USING gin (title gin_trgm_ops)"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def tearDownModule():
    engine.dispose()


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


def plans_of(work):
    """How the server ran each statement of the work. Neither the work nor its repetition is committed."""
    with Session(engine, future=True) as session, statements() as sent:
        work(session)
    with engine.connect() as connection:
        explained = [connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
                     for statement, parameters in sent]
    return [document[0]["Plan"] for document in explained]


def nodes_of(plan):
    """A node of a plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


def is_large(relation):
    return relation in ("tickets", "comments", "attachments", "ticket_tags") or relation.startswith("audit_log")


class PlansTest(unittest.TestCase):
    def check(self, work, *indexes):
        """The work reads no large table from end to end. It uses these indexes, or any if none is named."""
        nodes = [node for plan in plans_of(work) for node in nodes_of(plan)]
        self.assertEqual([node["Relation Name"] for node in nodes
                          if node["Node Type"] == "Seq Scan" and is_large(node["Relation Name"])], [])
        used = {node["Index Name"] for node in nodes if "Index Name" in node}
        self.assertTrue(used)
        self.assertLessEqual(set(indexes), used)
        return nodes


class Reading(PlansTest):
    def test_the_desk_has_its_shape(self):
        with Session(engine, future=True) as session:
            counts = desk.status_counts(session)
            self.assertEqual(sum(counts.values()), TICKETS)
            self.assertEqual(counts["closed"], TICKETS * 95 // 100)
            self.assertEqual(session.get(Ticket, SAMPLE).status, "open")
            for model, rows in ((Comment, 2 * TICKETS), (Attachment, TICKETS // 4)):
                self.assertEqual(session.execute(select(func.count()).select_from(model)).scalar_one(), rows)

    def test_a_query_that_reads_all_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.check(lambda session: session.execute(select(Ticket).where(Ticket.description == "?")).all())

    def test_by_number_with_the_creator(self):
        self.check(lambda session: desk.find_ticket(session, f"T-{SAMPLE}"), "ix_tickets_ticket_number", "users_pkey")

    def test_by_id(self):
        for model, index in ((Ticket, "tickets_pkey"), (Comment, "ix_comments_id"), (Attachment, "ix_attachments_id")):
            with self.subTest(model=model.__name__):
                self.check(lambda session: session.get(model, SAMPLE // 4), index)

    def test_an_entry_of_the_log_by_id(self):
        self.check(lambda session: session.get(AuditLog, SAMPLE))

    def test_a_whole_ticket(self):
        self.check(lambda session: desk.whole_ticket(session, SAMPLE),
                   "tickets_pkey", "comments_pkey", "attachments_pkey", "ticket_tags_pkey")

    def test_a_conversation(self):
        self.check(lambda session: desk.conversation(session, SAMPLE), "comments_pkey")

    def test_the_log_of_a_ticket(self):
        self.check(lambda session: desk.log_of(session, SAMPLE), "audit_log_default_pkey")
        self.check(lambda session: session.get(Ticket, SAMPLE).audit_log, "audit_log_default_pkey")

    def test_open_tickets(self):
        for page in (1, 5):
            with self.subTest(page=page):
                self.check(lambda session: desk.search(session, page=page))

    def test_tickets_of_any_status(self):
        self.check(lambda session: desk.search(session, statuses=STATUSES))

    def test_open_tickets_by_priority_or_age(self):
        for filters in (
            {"priorities": ["urgent"]},
            {"older_than_days": 7},
            {"older_than_days": 138},
            {"priorities": ["high", "urgent"], "older_than_days": 7},
            {"priorities": ["high", "urgent"], "older_than_days": 138},
        ):
            with self.subTest(**filters):
                self.check(lambda session: desk.search(session, **filters))

    def test_by_a_part_of_the_title(self):
        for filters in ({"statuses": STATUSES}, {"statuses": ["open"]}, {"statuses": ["closed"]}):
            with self.subTest(**filters):
                self.check(lambda session: desk.search(session, title="ROOM 4711", **filters), "own_tickets_title")

    def test_by_a_common_word_of_the_title(self):
        for filters in ({"statuses": STATUSES}, {"statuses": ["open"]}):
            with self.subTest(**filters):
                self.check(lambda session: desk.search(session, title="mouse", **filters))

    def test_the_tickets_of_a_creator(self):
        self.check(lambda session: desk.tickets_of_creator(session, CUSTOMER), "ix_tickets_creator_id")

    def test_the_tickets_of_an_assignee(self):
        self.check(lambda session: desk.tickets_of_assignee(session, AGENT))

    def test_the_queue(self):
        self.check(desk.queue)

    def test_open_tickets_by_status(self):
        self.check(desk.open_counts, "ix_tickets_status")

    def test_all_tickets_by_status(self):
        # All must be counted: of each the index alone is read
        nodes = self.check(desk.status_counts, "ix_tickets_status")
        self.assertEqual([node["Node Type"] for node in nodes if "Scan" in node["Node Type"]], ["Index Only Scan"])


class Writing(PlansTest):
    def test_an_attribute(self):
        def work(session):
            session.get(Ticket, SAMPLE).status = "resolved"
            session.flush()

        self.check(work, "tickets_pkey")

    def test_update_and_delete_statements(self):
        self.check(lambda session: desk.set_status(session, [SAMPLE, SAMPLE + 20], "pending"), "tickets_pkey")
        self.check(lambda session: desk.remove(session, SAMPLE), "tickets_pkey")

    def test_a_comment(self):
        def work(session):
            one, another = session.execute(select(Comment).where(Comment.ticket_id == SAMPLE)).scalars()
            one.content = "Have you tried sand?"
            session.delete(another)
            session.flush()

        self.check(work, "ix_comments_id")

    def test_a_ticket_by_the_session(self):
        def work(session):
            session.delete(session.get(Ticket, SAMPLE))
            session.flush()

        self.check(work, "tickets_pkey")

    def test_a_transfer(self):
        self.check(lambda session: desk.transfer_ownership(session, SAMPLE, CUSTOMER), "tickets_pkey")


if __name__ == "__main__":
    unittest.main()
