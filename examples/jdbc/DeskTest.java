import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TimeZone;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import javax.sql.DataSource;

/** Runs the methods of Desk against a desk made by examples/desk.sql, and prints TAP. */
final class DeskTest {
    private static final long ADA = 1;
    private static final long CARL = 2;
    private static final long GRACE = 3;
    private static final long EMMY = 4;
    private static final long UNKNOWN = 999_999;
    private static final List<String> UNSOLVED = List.of("open", "in_progress", "pending", "on_hold");
    private static final OffsetDateTime OPENED = OffsetDateTime.parse("2024-03-01T05:15:00.000250+05:45");

    private static int count;
    private static int failed;
    private static DataSource source;

    private DeskTest() {
    }

    private static void check(String cell, String what, Object got, Object expected) {
        count++;
        if (Objects.equals(got, expected)) {
            System.out.printf("ok %d - %s: %s%n", count, cell, what);
            return;
        }
        failed++;
        System.out.printf("not ok %d - %s: %s%n", count, cell, what);
        System.out.println(("     got " + got + "\nexpected " + expected).replaceAll("(?m)^", "# "));
    }

    /** What the server said when it refused the work that Carl asked for. */
    private static Desk.Refusal refusalOf(Desk.Work<?> work) {
        try {
            Desk.asUser(source, CARL, work);
        } catch (SQLException problem) {
            return Desk.refusal(problem);
        }
        return null;
    }

    private static String stateOf(Desk.Work<?> work) {
        Desk.Refusal refusal = refusalOf(work);
        return refusal == null ? null : refusal.sqlState();
    }

    private static <T> T as(long userId, Desk.Work<T> work) throws SQLException {
        return Desk.asUser(source, userId, work);
    }

    /** The only value of a query, as the driver gives it. */
    private static Object value(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getObject(1);
            }
        }
    }

    /** The same outside any transaction. */
    private static Object value(String sql, Object... parameters) throws SQLException {
        try (Connection connection = source.getConnection()) {
            return value(connection, sql, parameters);
        }
    }

    private static Object logEntries(long ticketId) throws SQLException {
        return value("SELECT count(*) FROM support.audit_log WHERE ticket_id = ?", ticketId);
    }

    private static long open(String title) throws SQLException {
        return as(EMMY, connection -> Desk.createTicket(connection, title, "", List.of(), "{}"));
    }

    private static List<Long> idsOf(List<Desk.Line> lines) {
        return lines.stream().map(Desk.Line::id).toList();
    }

    private static long testCreate() throws SQLException {
        long id = as(CARL, connection -> Desk.createTicket(connection, "Printer on fire", "It smells of smoke.",
                List.of("printer", "odd \"one\", {x}", "NULL"), "{\"floor\": 3, \"seen\": [\"smoke\", null]}"));
        check("create", "the ticket has its creator", value("SELECT creator_id FROM support.tickets WHERE id = ?", id),
                CARL);
        long commentId = as(ADA, connection -> Desk.reply(connection, id, "Pull the plug, please.", "pending"));
        check("create", "the comment has its author",
                value("SELECT author_id FROM support.comments WHERE ticket_id = ? AND id = ?", id, commentId), ADA);
        check("create", "the log knows who acted", value(
                "SELECT string_agg(DISTINCT changed_by_name, ', ') FROM support.ticket_history(?)", id),
                "Ada Byron, Carl Friedrich");
        check("create", "nobody acts after the transaction", value("SELECT support.actor_id()"), null);
        long userId = as(ADA, connection -> Desk.addUser(connection, "hedy@example.com", "Hedy Kiesler"));
        check("create", "plain SQL returns the key it made",
                value("SELECT email FROM support.users WHERE id = ?", userId), "hedy@example.com");
        return id;
    }

    private static void testRead(long id) throws SQLException {
        String json = as(ADA, connection -> Desk.readTicket(connection, id));
        check("read", "jsonb arrives as JSON", value("""
                SELECT concat_ws(', ', j #>> '{ticket,id}', j #>> '{ticket,custom}', j #>> '{comments,0,content}',
                    jsonb_typeof(j #> '{ticket,assignee_id}'))
                FROM CAST(? AS jsonb) AS j""", json),
                id + ", {\"seen\": [\"smoke\", null], \"floor\": 3}, Pull the plug, please., null");
        check("read", "text[] is an array of strings, whatever they hold",
                as(ADA, connection -> Desk.tagTicket(connection, id, List.of("späť"))),
                List.of("NULL", "odd \"one\", {x}", "printer", "späť"));
        check("read", "by an operator that is a question mark",
                as(ADA, connection -> Desk.ticketsWithField(connection, "floor")), List.of(id));
        check("read", "which may find nothing", as(ADA, connection -> Desk.ticketsWithField(connection, "flo")),
                List.of());

        check("read", "the list, with a NULL as null",
                as(ADA, connection -> Desk.listTickets(connection, UNSOLVED, 0, 9)),
                List.of(new Desk.Line(id, "T-1", "pending", "Printer on fire", "Carl Friedrich", null)));
        check("read", "a number that is NULL is null", as(ADA, connection -> Desk.assigneeOf(connection, id)), null);
        check("read", "the list by another status",
                as(ADA, connection -> Desk.listTickets(connection, List.of("closed"), 0, 9)), List.of());
        long other = open("Mouse lost its tail");
        check("read", "the list by pages", idsOf(as(ADA, connection -> Desk.listTickets(connection, UNSOLVED, id, 1))),
                List.of(other));

        check("read", "the report", as(ADA, Desk::statusReport), List.of(
                new Desk.StatusCount("open", 1, new BigDecimal("50.0")),
                new Desk.StatusCount("in_progress", 0, new BigDecimal("0.0")),
                new Desk.StatusCount("pending", 1, new BigDecimal("50.0")),
                new Desk.StatusCount("on_hold", 0, new BigDecimal("0.0")),
                new Desk.StatusCount("resolved", 0, new BigDecimal("0.0")),
                new Desk.StatusCount("closed", 0, new BigDecimal("0.0"))));
        as(ADA, connection -> Desk.removeTickets(connection, List.of(other)));
    }

    /** The driver keeps a statement on the server from its fifth run on, under a name that every connection uses. */
    private static void testRepeatedStatements(long id) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        Callable<Long> reader = () -> {
            long found = 0;
            try (Connection connection = source.getConnection();
                    PreparedStatement statement = connection.prepareStatement(
                            "SELECT support.get_ticket(?) -> 'ticket' -> 'id', support.desk_now()")) {
                for (int run = 0; run < 50; run++) {
                    statement.setLong(1, id);
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        found += rows.getLong(1) == id && rows.getObject(2, OffsetDateTime.class) != null ? 1 : 0;
                    }
                }
            }
            return found;
        };
        List<Object> found = new ArrayList<>();
        for (Future<Long> result : threads.invokeAll(List.of(reader, reader, reader, reader))) {
            try {
                found.add(result.get());
            } catch (ExecutionException problem) {
                found.add(problem.getCause().getMessage());
            }
        }
        threads.shutdown();
        check("read", "one statement again and again, from four connections", found, List.of(50L, 50L, 50L, 50L));
    }

    private static void testUpdate(long id) throws SQLException {
        long version = (Long) value("SELECT version FROM support.tickets WHERE id = ?", id);
        check("update count", "one row: the ticket is taken",
                as(ADA, connection -> Desk.takeTicket(connection, id, ADA, version)), true);
        check("update count", "no row: somebody was faster",
                as(GRACE, connection -> Desk.takeTicket(connection, id, GRACE, version)), false);
        check("update count", "the first has it", as(ADA, connection -> Desk.assigneeOf(connection, id)), ADA);
        check("update count", "of execute(), one statement after another", as(ADA, connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("UPDATE support.tickets SET team_id = 1; UPDATE support.users SET time_zone = 'UTC'");
                int first = statement.getUpdateCount();
                statement.getMoreResults();
                int second = statement.getUpdateCount();
                statement.getMoreResults();
                return List.of(first, second, statement.getUpdateCount());
            }
        }), List.of(1, 5, -1));
        check("update count", "of a batch", as(ADA, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "UPDATE support.tickets SET priority = ? WHERE id = ?")) {
                for (long each : new long[] {id, UNKNOWN, id}) {
                    statement.setString(1, each == id ? "high" : null);
                    statement.setLong(2, each);
                    statement.addBatch();
                }
                return Arrays.toString(statement.executeBatch());
            }
        }), "[1, 0, 1]");
        String changes = "{\"custom\": {\"floor\": null, \"parts\": [1, {\"name\": \"LX\"}]}}";
        check("update count", "fields change by JSON, and the version tells it",
                as(ADA, connection -> Desk.updateTicket(connection, id, changes)), version + 4);
        check("update count", "as it was sent", value("SELECT custom::text FROM support.tickets WHERE id = ?", id),
                "{\"seen\": [\"smoke\", null], \"parts\": [1, {\"name\": \"LX\"}]}");
        check("update count", "solved", as(ADA, connection -> Desk.solveTicket(connection, id, version + 4)),
                version + 5);
        check("update count", "and listed so",
                idsOf(as(ADA, connection -> Desk.listTickets(connection, List.of("resolved"), 0, 9))), List.of(id));
    }

    private static void testDeleteAndRestore(long id) throws SQLException {
        long other = open("Screen stays black");
        String before = as(ADA, connection -> Desk.readTicket(connection, id));
        check("delete count", "rows that there were",
                as(ADA, connection -> Desk.removeTickets(connection, List.of(id, other, UNKNOWN))), 2);
        check("delete count", "none left",
                as(ADA, connection -> Desk.removeTickets(connection, List.of(id, other))), 0);
        as(ADA, connection -> Desk.restoreTicket(connection, id));
        check("restore", "a removed ticket is back with all it had",
                as(ADA, connection -> Desk.readTicket(connection, id)), before);
        as(ADA, connection -> Desk.restoreTicket(connection, other));
        as(ADA, connection -> {
            Desk.deleteTicket(connection, other, "wrong building");
            return null;
        });
        check("delete count", "a marked ticket is not listed",
                as(ADA, connection -> Desk.listTickets(connection, UNSOLVED, 0, 9)), List.of());
        as(CARL, connection -> Desk.restoreTicket(connection, other));
        check("restore", "a marked ticket is back in the list",
                idsOf(as(ADA, connection -> Desk.listTickets(connection, UNSOLVED, 0, 9))), List.of(other));
    }

    private static void testRollback(long id) throws SQLException {
        long[] lost = new long[1];
        Object before = logEntries(id);
        String message = null;
        try {
            as(CARL, connection -> {
                lost[0] = Desk.createTicket(connection, "Never was", "", List.of("gone"), "{}");
                Desk.reply(connection, id, "Nor was this.", null);
                throw new IllegalStateException("changed my mind");
            });
        } catch (IllegalStateException problem) {
            message = problem.getMessage();
        }
        check("rollback", "the program's own exception comes through", message, "changed my mind");
        check("rollback", "no ticket", stateOf(connection -> Desk.readTicket(connection, lost[0])), "P0002");
        check("rollback", "no log", List.of(logEntries(lost[0]), logEntries(id)), List.of(0L, before));

        long good = open("Good");
        long deleted = open("Deleted");
        long alsoGood = open("Also good");
        as(ADA, connection -> {
            Desk.deleteTicket(connection, deleted, null);
            return null;
        });
        Object entries = logEntries(deleted);
        check("rollback", "to a savepoint, for the one ticket that is refused", as(ADA, connection ->
                Desk.replyToAll(connection, List.of(good, deleted, alsoGood), "We are on it.")), List.of(deleted));
        check("rollback", "the others have their reply", value("""
                SELECT string_agg(ticket_id || ' ' || author_id, ', ' ORDER BY id)
                FROM support.comments
                WHERE ticket_id >= ?""", good), good + " 1, " + alsoGood + " 1");
        check("rollback", "the log of the refused one has not grown", logEntries(deleted), entries);
        check("rollback", "an error that is no refusal ends it all", stateOf(connection ->
                Desk.replyToAll(connection, List.of(good, UNKNOWN), "Again.")), "P0002");
        check("rollback", "so the first is without",
                value("SELECT count(*) FROM support.comments WHERE ticket_id = ?", good), 1L);
    }

    private static void testErrors(long id) throws SQLException {
        check("errors", "an unknown ticket", refusalOf(connection -> Desk.readTicket(connection, UNKNOWN)),
                new Desk.Refusal("P0002", "ticket 999999 does not exist", null));
        check("errors", "a stale version", refusalOf(connection -> Desk.solveTicket(connection, id, 1)),
                new Desk.Refusal("SU001", "ticket " + id + " is at version "
                        + value("SELECT version FROM support.tickets WHERE id = ?", id) + ", not 1",
                        "Read the ticket again and repeat the change on what it is now."));
        check("errors", "an unknown priority", refusalOf(connection ->
                Desk.updateTicket(connection, id, "{\"priority\": \"hgih\"}")),
                new Desk.Refusal("23503", "priority \"hgih\" does not exist",
                        "The priorities are: low, normal, high, urgent."));
        check("errors", "of a batch", refusalOf(connection -> Desk.importTickets(connection, List.of(
                new Desk.NewTicket("Good", "", CARL, "low", OPENED, "{}"),
                new Desk.NewTicket("Bad", "", CARL, "hgih", OPENED, "{}")))),
                new Desk.Refusal("23503", "priority \"hgih\" does not exist",
                        "The priorities are: low, normal, high, urgent."));
        check("errors", "nobody acts", refusalOf(connection -> {
            value(connection, "SELECT support.set_actor(NULL, is_local => true)");
            return Desk.createTicket(connection, "Whose?", "", List.of(), "{}");
        }), new Desk.Refusal("55000", "no acting user",
                "Call support.set_actor(user_id), or ALTER ROLE ... SET support_ext.actor_id."));
        check("errors", "a plain string is no jsonb", stateOf(connection ->
                value(connection, "SELECT support.update_ticket(?, ?)", id, "{\"priority\": \"low\"}")), "42883");
        check("errors", "a right that is missing", stateOf(connection ->
                value(connection, "SELECT count(*) FROM support_internal.eras")), "42501");
        as(ADA, connection -> {
            Desk.deleteTicket(connection, id, "spam");
            return null;
        });
        check("errors", "a deleted ticket", refusalOf(connection -> Desk.reply(connection, id, "Hello?", null)),
                new Desk.Refusal("55000", "ticket " + id + " was deleted",
                        "Restore it with SELECT support.restore_ticket(" + id + ")."));
    }

    private static long testBulk() throws SQLException {
        List<Desk.NewTicket> tickets = IntStream.range(0, 1000).mapToObj(n -> new Desk.NewTicket("Imported " + n,
                "\"quoted\", {braced}\nand \\ the like", n % 2 == 0 ? CARL : EMMY, n % 3 == 0 ? null : "low",
                OPENED.plusSeconds(n), "{\"n\": " + n + "}")).toList();
        int[] counts = as(ADA, connection -> Desk.importTickets(connection, tickets));
        check("bulk", "a batch is rewritten as INSERTs of many rows",
                Arrays.stream(counts).filter(each -> each == Statement.SUCCESS_NO_INFO).count(), 1000L);
        check("bulk", "all are there as they were sent", value("""
                SELECT count(*)
                FROM support.tickets
                WHERE title = 'Imported ' || (custom ->> 'n')
                    AND description = E'"quoted", {braced}\\nand \\\\ the like'
                    AND creator_id = CASE WHEN (custom -> 'n')::integer % 2 = 0 THEN 2 ELSE 4 END
                    AND (priority IS NULL) = ((custom -> 'n')::integer % 3 = 0)
                    AND created_at = timestamptz '2024-02-29 23:30:00.000250Z'
                        + (custom -> 'n')::integer * interval '1 second'"""), 1000L);
        check("bulk", "one log entry each", value("""
                SELECT count(*)
                FROM support.audit_log AS a
                JOIN support.tickets AS t ON t.id = a.ticket_id
                WHERE t.title LIKE 'Imported %' AND a.actor_id = 1 AND a.action = 'INSERT'"""), 1000L);

        String csv = "Copied 1,\"with \"\"quotes\"\"\nand lines\",2,high\nCopied 2,\"\",4,\n";
        check("bulk", "COPY tells the rows", as(ADA, connection -> copy(connection, csv)), 2L);
        check("bulk", "and brings them in", value(
                "SELECT string_agg(concat_ws('|', description, priority), ';' ORDER BY id) "
                + "FROM support.tickets WHERE title LIKE 'Copied %'"), "with \"quotes\"\nand lines|high;");
        check("bulk", "COPY is refused by the same rules",
                stateOf(connection -> copy(connection, "Copied 3,,2,\nCopied 4,\"\",2,hgih\n")), "23502");
        check("bulk", "and leaves none",
                value("SELECT count(*) FROM support.tickets WHERE title LIKE 'Copied %'"), 2L);
        return (Long) value("SELECT id FROM support.tickets WHERE title = 'Imported 0'");
    }

    private static long copy(Connection connection, String csv) throws SQLException {
        try {
            return Desk.copyTickets(connection, new StringReader(csv));
        } catch (IOException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static void testTimeZones(long id) throws SQLException {
        for (String zone : List.of("UTC", "Asia/Kathmandu", "America/St_Johns")) {
            Desk.OpenedTicket first = as(ADA, connection -> {
                value(connection, "SELECT set_config('TimeZone', ?, true)", zone);
                return Desk.openedSince(connection, OPENED.withOffsetSameInstant(ZoneOffset.ofHours(-8))).get(0);
            });
            check("time zones", "timestamptz is an OffsetDateTime, the same instant in " + zone,
                    List.of(first.id(), first.createdAt().toInstant()), List.of(id, OPENED.toInstant()));
        }
        check("time zones", "to the microsecond", as(ADA, connection ->
                Desk.openedSince(connection, OPENED.plusNanos(1000)).get(0).createdAt().toInstant()),
                Instant.parse("2024-02-29T23:30:01.000250Z"));
        check("time zones", "a day of the report stays the day it is",
                as(ADA, connection -> Desk.dailyReport(connection, "UTC").get(0)),
                new Desk.Day(LocalDate.of(2024, 2, 29), 1000, 0, 1000));
        check("time zones", "which depends on the zone",
                as(ADA, connection -> Desk.dailyReport(connection, "Pacific/Kiritimati").get(0).day()),
                LocalDate.of(2024, 3, 1));

        TimeZone before = TimeZone.getDefault();
        Object zoneBefore = value("SELECT current_setting('TimeZone')");
        TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
        check("time zones", "a session has the zone of the JVM", value("SELECT current_setting('TimeZone')"),
                "Asia/Kathmandu");
        check("time zones", "in which it is the same instant", as(ADA, connection ->
                Desk.openedSince(connection, OPENED).get(0).createdAt().toInstant()), OPENED.toInstant());
        TimeZone.setDefault(before);
        check("time zones", "and no other session", value("SELECT current_setting('TimeZone')"), zoneBefore);
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:postgresql://127.0.0.1:%s/%s?user=%s".formatted(
                System.getenv().getOrDefault("PGPORT", "5432"), System.getenv("PGDATABASE"), System.getenv("PGUSER"));
        source = Desk.dataSource(url, System.getenv("DESK_POOLED") != null);

        long id = testCreate();
        testRead(id);
        testRepeatedStatements(id);
        testUpdate(id);
        testDeleteAndRestore(id);
        testRollback(id);
        testErrors(id);
        testTimeZones(testBulk());
        System.out.println("1.." + count);
        System.exit(failed == 0 ? 0 : 1);
    }
}
