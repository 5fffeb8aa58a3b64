import java.io.IOException;
import java.io.Reader;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;

/** A support desk from Java, with PostgreSQL's JDBC driver. */
final class Desk {
    /** What to do in a transaction. */
    @FunctionalInterface
    interface Work<T> {
        T in(Connection connection) throws SQLException;
    }

    /** A line of the list of tickets; the assignee may be null. */
    record Line(long id, String number, String status, String title, String requester, String assignee) {
    }

    record OpenedTicket(long id, String title, OffsetDateTime createdAt) {
    }

    /** A ticket to bring in; the priority may be null. */
    record NewTicket(String title, String description, long creatorId, String priority, OffsetDateTime createdAt,
            String custom) {
    }

    record StatusCount(String status, long tickets, BigDecimal percent) {
    }

    record Day(LocalDate day, long created, long solved, long openAtEnd) {
    }

    /** What the server said; the hint may be null. */
    record Refusal(String sqlState, String message, String hint) {
    }

    private Desk() {
    }

    /**
     * The way to the desk. A server program puts a pool of connections around it.
     *
     * @param pooled through pgbouncer in transaction mode: keeps no statement prepared from one transaction to the next
     */
    static DataSource dataSource(String url, boolean pooled) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setURL(url);
        // a batch of INSERTs goes out as a few INSERTs of many rows
        source.setReWriteBatchedInserts(true);
        if (pooled) {
            source.setPrepareThreshold(0);
        }
        return source;
    }

    /** Work in a transaction in which the user acts. The acting user goes with the transaction. */
    static <T> T asUser(DataSource source, long userId, Work<T> work) throws SQLException {
        try (Connection connection = source.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT support.set_actor(?, is_local => true)")) {
                statement.setLong(1, userId);
                statement.execute();
                T result = work.in(connection);
                connection.commit();
                return result;
            } catch (Throwable problem) {
                connection.rollback();
                throw problem;
            }
        }
    }

    static long createTicket(Connection connection, String title, String description, List<String> tags, String custom)
            throws SQLException {
        String sql = "SELECT support.create_ticket(?, ?, tags => ?, custom => ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, title);
            statement.setString(2, description);
            statement.setArray(3, connection.createArrayOf("text", tags.toArray()));
            statement.setObject(4, jsonb(custom));
            return onlyLong(statement);
        }
    }

    /** Add a public reply; a status of null leaves the ticket's as it is. */
    static long reply(Connection connection, long ticketId, String content, String status) throws SQLException {
        String sql = "SELECT support.add_comment(?, ?, status => ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, ticketId);
            statement.setString(2, content);
            statement.setString(3, status);
            return onlyLong(statement);
        }
    }

    /**
     * Send one reply to many tickets. A savepoint keeps the transaction alive when a ticket takes no reply, being
     * closed or deleted.
     *
     * @return the tickets that took none
     */
    static List<Long> replyToAll(Connection connection, List<Long> ticketIds, String content) throws SQLException {
        List<Long> refused = new ArrayList<>();
        for (long ticketId : ticketIds) {
            Savepoint before = connection.setSavepoint();
            try {
                reply(connection, ticketId, content, null);
            } catch (SQLException problem) {
                if (!"55000".equals(problem.getSQLState())) {
                    throw problem;
                }
                connection.rollback(before);
                refused.add(ticketId);
            }
            connection.releaseSavepoint(before);
        }
        return refused;
    }

    /** Add a person by plain SQL. Name the generated columns: RETURN_GENERATED_KEYS would return the whole row. */
    static long addUser(Connection connection, String email, String fullName) throws SQLException {
        String sql = "INSERT INTO support.users (email, full_name) VALUES (?, ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql, new String[] {"id"})) {
            statement.setString(1, email);
            statement.setString(2, fullName);
            statement.executeUpdate();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                keys.next();
                return keys.getLong("id");
            }
        }
    }

    /** The ticket with its people, tags and comments as JSON. */
    static String readTicket(Connection connection, long ticketId) throws SQLException {
        String sql = "SELECT support.get_ticket(?, include_private => true)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, ticketId);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getObject(1, PGobject.class).getValue();
            }
        }
    }

    /** A page of tickets; the next one starts after the last id of this one. */
    static List<Line> listTickets(Connection connection, List<String> statuses, long after, int pageSize)
            throws SQLException {
        String sql = """
                SELECT id, ticket_number, status, title, requester, assignee
                FROM support.ticket_list
                WHERE status = ANY (?) AND id > ?
                ORDER BY id
                LIMIT ?""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setArray(1, connection.createArrayOf("text", statuses.toArray()));
            statement.setLong(2, after);
            statement.setInt(3, pageSize);
            try (ResultSet rows = statement.executeQuery()) {
                List<Line> lines = new ArrayList<>();
                while (rows.next()) {
                    lines.add(new Line(rows.getLong("id"), rows.getString("ticket_number"), rows.getString("status"),
                            rows.getString("title"), rows.getString("requester"), rows.getString("assignee")));
                }
                return lines;
            }
        }
    }

    /** The assignee, or null: getLong() would give 0 for a NULL. */
    static Long assigneeOf(Connection connection, long ticketId) throws SQLException {
        String sql = "SELECT assignee_id FROM support.tickets WHERE id = ?";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, ticketId);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getObject(1, Long.class);
            }
        }
    }

    /** Tickets that have a field of one's own. The operator is "?", which JDBC wants doubled. */
    static List<Long> ticketsWithField(Connection connection, String field) throws SQLException {
        String sql = "SELECT id FROM support.tickets WHERE custom ?? ? AND deleted_at IS NULL ORDER BY id";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, field);
            try (ResultSet rows = statement.executeQuery()) {
                List<Long> ids = new ArrayList<>();
                while (rows.next()) {
                    ids.add(rows.getLong(1));
                }
                return ids;
            }
        }
    }

    /** Tickets opened since an instant. An OffsetDateTime is one whatever its offset; a LocalDateTime is none. */
    static List<OpenedTicket> openedSince(Connection connection, OffsetDateTime since) throws SQLException {
        String sql = """
                SELECT id, title, created_at
                FROM support.tickets
                WHERE created_at >= ? AND deleted_at IS NULL
                ORDER BY created_at, id""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setObject(1, since);
            try (ResultSet rows = statement.executeQuery()) {
                List<OpenedTicket> tickets = new ArrayList<>();
                while (rows.next()) {
                    tickets.add(new OpenedTicket(rows.getLong("id"), rows.getString("title"),
                            rows.getObject("created_at", OffsetDateTime.class)));
                }
                return tickets;
            }
        }
    }

    /** Change columns, given as a JSON object; returns the new version. */
    static long updateTicket(Connection connection, long ticketId, String changes) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT support.update_ticket(?, ?)")) {
            statement.setLong(1, ticketId);
            statement.setObject(2, jsonb(changes));
            return onlyLong(statement);
        }
    }

    /** Add tags; returns all that the ticket has now. */
    static List<String> tagTicket(Connection connection, long ticketId, List<String> tags) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT support.tag_ticket(?, ?)")) {
            statement.setLong(1, ticketId);
            statement.setArray(2, connection.createArrayOf("text", tags.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                Array now = rows.getArray(1);
                return List.of((String[]) now.getArray());
            }
        }
    }

    /** Take a ticket as it was when you read it. False: it has changed since, so read it again. */
    static boolean takeTicket(Connection connection, long ticketId, long agentId, long version) throws SQLException {
        String sql = "UPDATE support.tickets SET assignee_id = ? WHERE id = ? AND version = ?";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, agentId);
            statement.setLong(2, ticketId);
            statement.setLong(3, version);
            return statement.executeUpdate() == 1;
        }
    }

    /** The same check by a function of the desk, which raises SU001; returns the new version. */
    static long solveTicket(Connection connection, long ticketId, long version) throws SQLException {
        String sql = "SELECT support.set_status(?, 'resolved', expected_version => ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, ticketId);
            statement.setLong(2, version);
            return onlyLong(statement);
        }
    }

    static void deleteTicket(Connection connection, long ticketId, String reason) throws SQLException {
        String sql = "SELECT support.delete_ticket(?, reason => ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, ticketId);
            statement.setString(2, reason);
            statement.execute();
        }
    }

    /** Remove tickets by plain SQL; returns how many there were. These too can be restored. */
    static int removeTickets(Connection connection, List<Long> ticketIds) throws SQLException {
        String sql = "DELETE FROM support.tickets WHERE id = ANY (?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setArray(1, connection.createArrayOf("bigint", ticketIds.toArray()));
            return statement.executeUpdate();
        }
    }

    static long restoreTicket(Connection connection, long ticketId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT support.restore_ticket(?)")) {
            statement.setLong(1, ticketId);
            return onlyLong(statement);
        }
    }

    /**
     * Bring in many tickets as a batch.
     *
     * @return what the driver knows of each: SUCCESS_NO_INFO, as it rewrites the batch
     */
    static int[] importTickets(Connection connection, List<NewTicket> tickets) throws SQLException {
        String sql = """
                INSERT INTO support.tickets (title, description, creator_id, priority, created_at, custom)
                VALUES (?, ?, ?, ?, ?, ?)""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (NewTicket ticket : tickets) {
                statement.setString(1, ticket.title());
                statement.setString(2, ticket.description());
                statement.setLong(3, ticket.creatorId());
                statement.setString(4, ticket.priority());
                statement.setObject(5, ticket.createdAt());
                statement.setObject(6, jsonb(ticket.custom()));
                statement.addBatch();
            }
            return statement.executeBatch();
        }
    }

    /** Bring in a file of CSV with the columns title, description, creator_id and priority; returns the rows. */
    static long copyTickets(Connection connection, Reader csv) throws SQLException, IOException {
        return connection.unwrap(PGConnection.class).getCopyAPI().copyIn(
                "COPY support.tickets (title, description, creator_id, priority) FROM STDIN (FORMAT csv)", csv);
    }

    static List<StatusCount> statusReport(Connection connection) throws SQLException {
        String sql = "SELECT status, tickets, percent FROM support.report_status";
        try (PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet rows = statement.executeQuery()) {
            List<StatusCount> report = new ArrayList<>();
            while (rows.next()) {
                report.add(new StatusCount(rows.getString("status"), rows.getLong("tickets"),
                        rows.getBigDecimal("percent")));
            }
            return report;
        }
    }

    /**
     * What happened on each day. The driver sets the session's TimeZone to the JVM's, so these would be the days of the
     * machine that the program runs on: say which zone you mean.
     */
    static List<Day> dailyReport(Connection connection, String timeZone) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT set_config('TimeZone', ?, true)")) {
            statement.setString(1, timeZone);
            statement.execute();
        }
        String sql = "SELECT day, created, solved, open_at_end FROM support.report_daily";
        try (PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet rows = statement.executeQuery()) {
            List<Day> report = new ArrayList<>();
            while (rows.next()) {
                report.add(new Day(rows.getObject("day", LocalDate.class), rows.getLong("created"),
                        rows.getLong("solved"), rows.getLong("open_at_end")));
            }
            return report;
        }
    }

    /** What the server said. An exception of a batch has it in the exception that follows. */
    static Refusal refusal(SQLException problem) {
        for (Throwable each : problem) {
            if (each instanceof PSQLException own && own.getServerErrorMessage() != null) {
                var said = own.getServerErrorMessage();
                return new Refusal(said.getSQLState(), said.getMessage(), said.getHint());
            }
        }
        return new Refusal(problem.getSQLState(), problem.getMessage(), null);
    }

    /**
     * A JSON parameter. A plain setString() goes out as varchar, which no function takes for jsonb (42883); the
     * driver's stringtype=unspecified would let the server decide, for all strings of the program.
     */
    private static PGobject jsonb(String json) throws SQLException {
        PGobject value = new PGobject();
        value.setType("jsonb");
        value.setValue(json);
        return value;
    }

    /** The only value of the only row. */
    private static long onlyLong(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
