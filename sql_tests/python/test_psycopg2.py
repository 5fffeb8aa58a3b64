"""
The desk under a plain driver, psycopg2: the roads that a mapper does not take.

The server and an empty database come from the environment: PGHOST, PGUSER, PGDATABASE.
"""
import io
import unittest

import psycopg2
from psycopg2.errors import ForeignKeyViolation, ObjectNotInPrerequisiteState
from psycopg2.extras import Json, NamedTupleCursor, execute_batch, execute_values


def connect():
    return psycopg2.connect("", options="-c search_path=support", cursor_factory=NamedTupleCursor)


def setUpModule():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION support_ext")
    connection.close()


class DriverTest(unittest.TestCase):
    """A test works in one transaction, which is rolled back in the end, unless it says otherwise."""

    def setUp(self):
        self.connection = connect()
        self.addCleanup(self.connection.close)
        self.cursor = self.connection.cursor()
        self.customer_id = self.value("SELECT create_user('carla@example.com', 'Carla Customer')")
        self.agent_id = self.value("SELECT create_user('ada@example.com', 'Ada Agent', 'agent')")

    def value(self, statement, parameters=()):
        self.cursor.execute(statement, parameters)
        return self.cursor.fetchone()[0]

    def create_tickets(self, count):
        rows = [(f"Alarm {n}", "", self.customer_id) for n in range(count)]
        created = execute_values(
            self.cursor,
            "INSERT INTO tickets (title, description, creator_id) VALUES %s RETURNING id, title",
            rows,
            fetch=True,
        )
        self.assertEqual([row.title for row in created], [row[0] for row in rows])
        return [row.id for row in created]

    def check_audited_once(self, action, count):
        self.cursor.execute(
            "SELECT count(*) AS entries, count(DISTINCT record_id) AS tickets FROM audit_log"
            " WHERE xid = pg_current_xact_id()::text::bigint AND table_name = 'tickets' AND action = %s",
            (action,),
        )
        self.assertEqual(self.cursor.fetchone(), (count, count))


class Copying(DriverTest):
    def copy_in(self, columns, lines):
        self.cursor.copy_expert(f"COPY tickets ({columns}) FROM STDIN", io.StringIO("".join(lines)))

    def test_copy_with_few_columns(self):
        self.copy_in("title, description, creator_id",
                     (f"Alarm {n}\tat {n % 60} past\t{self.customer_id}\n" for n in range(10_000)))
        self.assertEqual(self.cursor.rowcount, 10_000)
        self.cursor.execute(
            "SELECT count(*) AS tickets, count(DISTINCT ticket_number) AS numbers,"
            " bool_and(status = 'open' AND version = 1 AND created_at = now() AND waiting_since = now()) AS kept"
            " FROM tickets"
        )
        self.assertEqual(self.cursor.fetchone(), (10_000, 10_000, True))
        self.check_audited_once("INSERT", 10_000)

    def test_copy_with_nulls_and_times(self):
        self.copy_in("title, description, creator_id, ticket_number, status, created_at, version",
                     [f"Old\t\t{self.customer_id}\tOLD-1\tresolved\t2024-02-29 12:00+00\t\\N\n",
                      f"New\t\t{self.customer_id}\t\\N\t\\N\t\\N\t\\N\n"])
        self.cursor.execute("SELECT status, solved_at IS NULL, version FROM tickets WHERE ticket_number = 'OLD-1'")
        self.assertEqual(self.cursor.fetchone(), ("resolved", True, 1))
        self.cursor.execute("SELECT status, created_at = now(), version FROM tickets WHERE ticket_number LIKE 'T-%'")
        self.assertEqual(self.cursor.fetchone(), ("open", True, 1))

    def test_one_bad_line_refuses_all(self):
        self.connection.commit()
        self.addCleanup(self.forget_users)
        entries = self.value("SELECT count(*) FROM audit_log")
        with self.assertRaises(ForeignKeyViolation) as caught:
            self.copy_in("title, description, creator_id, status",
                         [f"Good\t\t{self.customer_id}\topen\n", f"Bad\t\t{self.customer_id}\topne\n"])
        self.connection.rollback()
        self.assertIn('status "opne" does not exist', caught.exception.diag.message_primary)
        self.assertIn("COPY tickets, line 2", caught.exception.diag.context)
        self.assertEqual(self.value("SELECT count(*) FROM tickets"), 0)
        self.assertEqual(self.value("SELECT count(*) FROM audit_log"), entries)

    def forget_users(self):
        self.cursor.execute("DELETE FROM users")
        self.connection.commit()

    def test_copy_out(self):
        self.create_tickets(3)
        out = io.StringIO()
        self.cursor.copy_expert("COPY (SELECT title, status FROM ticket_list ORDER BY title) TO STDOUT CSV", out)
        self.assertEqual(out.getvalue().splitlines(), ["Alarm 0,open", "Alarm 1,open", "Alarm 2,open"])


class Working(DriverTest):
    def test_execute_values_and_execute_batch(self):
        ids = self.create_tickets(1000)
        execute_batch(self.cursor, "SELECT set_status(%s, 'pending')", [(ticket_id,) for ticket_id in ids])
        self.check_audited_once("INSERT", 1000)
        self.check_audited_once("UPDATE", 1000)
        self.assertEqual(self.value("SELECT tickets FROM report_status WHERE status = 'pending'"), 1000)

    def test_a_prepared_statement(self):
        ticket_id, = self.create_tickets(1)
        self.cursor.execute(
            "PREPARE reply (bigint, text) AS SELECT add_comment($1, $2, author_id => %s)", (self.agent_id,)
        )
        # Often enough for the server to change to a generic plan
        for n in range(8):
            self.cursor.execute("EXECUTE reply (%s, %s)", (ticket_id, f"Reply {n}"))
        self.assertEqual(self.value("SELECT reply_count FROM tickets WHERE id = %s", (ticket_id,)), 8)

    def test_writing_under_an_open_cursor(self):
        self.create_tickets(500)
        with self.connection.cursor("tickets_to_close") as reader:
            reader.itersize = 100
            reader.execute("SELECT id, version FROM tickets ORDER BY id")
            for ticket in reader:
                self.assertEqual(self.value("SELECT set_status(%s, 'closed', %s)", ticket), 2)
        self.assertEqual(self.value("SELECT count(*) FROM tickets WHERE status = 'closed'"), 500)

    def test_json_both_ways(self):
        custom = {"plan": "gold", "seats": 7, "tags": ["ü", None], "nested": {"since": "2026-01-01"}}
        ticket_id = self.value(
            "SELECT create_ticket('Invoice', creator_id => %s, custom => %s)", (self.customer_id, Json(custom))
        )
        # Merged key by key; null removes a key
        self.value("SELECT update_ticket(%s, %s)", (ticket_id, Json({"custom": {"seats": 8, "plan": None}})))
        ticket = self.value("SELECT get_ticket(%s)", (ticket_id,))["ticket"]
        del custom["plan"]
        self.assertEqual(ticket["custom"], {**custom, "seats": 8})

    def test_bytes_both_ways(self):
        ticket_id, = self.create_tickets(1)
        content = bytes(range(256)) * 40
        attachment_id = self.value("SELECT add_attachment(%s, 'all bytes', %s)", (ticket_id, content))
        self.assertEqual(bytes(self.value("SELECT attachment_content(%s, %s)", (ticket_id, attachment_id))), content)

    def test_an_error_tells_what_to_do(self):
        ticket_id, = self.create_tickets(1)
        self.value("SELECT delete_ticket(%s, 'spam')", (ticket_id,))
        with self.assertRaises(ObjectNotInPrerequisiteState) as caught:
            self.cursor.execute("SELECT set_status(%s, 'open')", (ticket_id,))
        diag = caught.exception.diag
        self.assertEqual((diag.sqlstate, diag.message_primary), ("55000", f"ticket {ticket_id} was deleted"))
        self.assertEqual(diag.message_hint, f"Restore it with SELECT support.restore_ticket({ticket_id}).")

    def test_autocommit(self):
        self.connection.commit()
        self.addCleanup(self.clean_up)
        self.connection.autocommit = True
        self.assertEqual(self.value("SELECT set_actor(%s)", (self.agent_id,)), "Ada Agent (agent)")
        ticket_id, = self.create_tickets(1)
        self.value("SELECT add_comment(%s, 'On my way.')", (ticket_id,))
        self.value("SELECT set_status(%s, 'pending')", (ticket_id,))
        self.cursor.execute(
            "SELECT count(*) AS entries, count(DISTINCT xid) AS transactions, min(actor_id) AS lowest,"
            " max(actor_id) AS highest FROM audit_log WHERE ticket_id = %s",
            (ticket_id,),
        )
        # The comment, and with it the ticket's reply_count, in one transaction
        self.assertEqual(self.cursor.fetchone(), (4, 3, self.agent_id, self.agent_id))

    def clean_up(self):
        self.cursor.execute("DELETE FROM tickets")
        self.cursor.execute("DELETE FROM users")


if __name__ == "__main__":
    unittest.main()
