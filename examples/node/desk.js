"use strict";

// A support desk from Node.js, with node-postgres.
//
// Where a function takes `db`, that is the pool, or the client of a transaction (see asUser).

const { Pool, types } = require("pg");

// A bigint arrives as text, since a number holds whole numbers exactly only up to 2^53. Ids, versions and counts stay
// far below that; one that should not is an error rather than another ticket's id.
function parseBigint(text) {
    const number = Number(text);
    if (!Number.isSafeInteger(number)) {
        throw new RangeError(`${text} does not fit into a number`);
    }
    return number;
}

// A date is a day without a time zone, and stays that day as text. Debian's node-postgres leaves it so by itself;
// others make it a Date, which is midnight where this program runs.
const PARSERS = {
    [types.builtins.INT8]: parseBigint,
    [types.builtins.DATE]: String,
};

// The pool. It finds the server by PGHOST, PGPORT, PGDATABASE and PGUSER, or by what `config` says.
function openPool(config = {}) {
    const pool = new Pool({
        types: { getTypeParser: (oid, format) => PARSERS[oid] ?? types.getTypeParser(oid, format) },
        ...config,
    });
    // without a listener, a server that restarts would end the program by way of an idle connection
    pool.on("error", (error) => console.error(`idle connection: ${error.message}`));
    return pool;
}

// Run `work` in a transaction in which `userId` acts. The acting user goes with the transaction, so the connection
// takes nothing back to the pool.
async function asUser(pool, userId, work) {
    const client = await pool.connect();
    let broken;
    try {
        await client.query("BEGIN");
        await client.query("SELECT support.set_actor($1, is_local => true)", [userId]);
        const result = await work(client);
        await client.query("COMMIT");
        return result;
    } catch (error) {
        // a connection that cannot even roll back is closed, not kept
        await client.query("ROLLBACK").catch((rollbackError) => { broken = rollbackError; });
        throw error;
    } finally {
        client.release(broken);
    }
}

async function createTicket(db, { title, description = "", priority = null, tags = [], custom = {} }) {
    const { rows } = await db.query(
        `SELECT support.create_ticket($1, $2, priority => $3, tags => $4, custom => $5) AS id`,
        [title, description, priority, tags, custom],
    );
    return rows[0].id;
}

async function reply(db, ticketId, content, { isPrivate = false, status = null } = {}) {
    const { rows } = await db.query(
        `SELECT support.add_comment($1, $2, is_private => $3, status => $4) AS id`,
        [ticketId, content, isPrivate, status],
    );
    return rows[0].id;
}

// Send one reply to many tickets. A savepoint keeps the transaction alive when a ticket takes no reply, being closed
// or deleted; the ids of these are returned.
async function replyToAll(client, ticketIds, content) {
    const refused = [];
    for (const ticketId of ticketIds) {
        await client.query("SAVEPOINT one_reply");
        try {
            await reply(client, ticketId, content);
            await client.query("RELEASE SAVEPOINT one_reply");
        } catch (error) {
            if (error.code !== "55000") {
                throw error;
            }
            await client.query("ROLLBACK TO SAVEPOINT one_reply");
            refused.push(ticketId);
        }
    }
    return refused;
}

// The ticket with its people, tags and comments: one jsonb, which arrives as an object
async function readTicket(db, ticketId) {
    const { rows } = await db.query("SELECT support.get_ticket($1, include_private => true) AS ticket", [ticketId]);
    return rows[0].ticket;
}

// A page of tickets; the next one starts after the last id of this one
async function listTickets(db, { statuses, after = 0, pageSize = 50 }) {
    const { rows } = await db.query(
        `SELECT id, ticket_number, status, priority, title, requester, assignee, waiting, updated_at
        FROM support.ticket_list
        WHERE status = ANY ($1) AND id > $2
        ORDER BY id
        LIMIT $3`,
        [statuses, after, pageSize],
    );
    return rows;
}

// Tickets opened since a Date. A Date has milliseconds, the server microseconds: a created_at that was read is a bit
// earlier than the ticket, so that it is found again. Never look for it with "=".
async function openedSince(db, since) {
    const { rows } = await db.query(
        `SELECT id, ticket_number, title, created_at
        FROM support.tickets
        WHERE created_at >= $1 AND deleted_at IS NULL
        ORDER BY created_at, id`,
        [since],
    );
    return rows;
}

// Change columns, such as { title: "...", custom: { floor: 3 } }; returns the new version. An object goes out as JSON
// by itself. An array does not, as it would become an array of the server: JSON.stringify() one that is meant as JSON.
async function updateTicket(db, ticketId, changes) {
    const { rows } = await db.query("SELECT support.update_ticket($1, $2) AS version", [ticketId, changes]);
    return rows[0].version;
}

async function tagTicket(db, ticketId, tags) {
    const { rows } = await db.query("SELECT support.tag_ticket($1, $2) AS tags", [ticketId, tags]);
    return rows[0].tags;
}

// Take a ticket as it was when you read it. False: it has changed since, so read it again.
async function takeTicket(db, ticketId, agentId, version) {
    const { rowCount } = await db.query(
        "UPDATE support.tickets SET assignee_id = $2 WHERE id = $1 AND version = $3",
        [ticketId, agentId, version],
    );
    return rowCount === 1;
}

// The same check by a function of the desk, which raises SU001
async function solveTicket(db, ticketId, version = null) {
    const { rows } = await db.query(
        "SELECT support.set_status($1, 'resolved', expected_version => $2) AS version",
        [ticketId, version],
    );
    return rows[0].version;
}

async function deleteTicket(db, ticketId, reason) {
    await db.query("SELECT support.delete_ticket($1, reason => $2)", [ticketId, reason]);
}

// Remove tickets by plain SQL; returns how many there were. These too can be restored.
async function removeTickets(db, ticketIds) {
    const { rowCount } = await db.query("DELETE FROM support.tickets WHERE id = ANY ($1)", [ticketIds]);
    return rowCount;
}

async function restoreTicket(db, ticketId) {
    await db.query("SELECT support.restore_ticket($1)", [ticketId]);
}

// Bring in many tickets by one statement: an array for each column. node-postgres has no COPY of its own.
async function importTickets(db, tickets) {
    const column = (name) => tickets.map((ticket) => ticket[name]);
    const { rows } = await db.query(
        `INSERT INTO support.tickets (title, description, creator_id, priority, created_at, custom)
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::jsonb[])
        RETURNING id, ticket_number`,
        ["title", "description", "creatorId", "priority", "createdAt", "custom"].map(column),
    );
    return rows;
}

// A numeric arrives as text, exact to the last digit. A percentage may be a number.
async function statusReport(db) {
    const { rows } = await db.query(
        "SELECT status, tickets, percent::float8 AS percent, oldest FROM support.report_status",
    );
    return rows;
}

// Days are those of `timeZone`
async function dailyReport(client, timeZone) {
    await client.query("SELECT set_config('TimeZone', $1, true)", [timeZone]);
    const { rows } = await client.query("SELECT day, created, solved, open_at_end FROM support.report_daily");
    return rows;
}

const HTTP_STATUS = {
    P0002: 404, // no such ticket, user or comment
    55000: 409, // deleted, closed, not deleted, no acting user
    SU001: 409, // stale version
    SU002: 409, // forbidden transition
    23505: 409, // taken
    22001: 422,
    22023: 422,
    23502: 422,
    23503: 422, // unknown status, priority, team or assignee
    23514: 422,
};

// What a web application answers to an error of the desk; all else is the program's own fault
function answerTo(error) {
    return { status: HTTP_STATUS[error.code] ?? 500, message: error.message, hint: error.hint };
}

module.exports = {
    openPool, asUser, createTicket, reply, replyToAll, readTicket, listTickets, openedSince, updateTicket, tagTicket,
    takeTicket, solveTicket, deleteTicket, removeTickets, restoreTicket, importTickets, statusReport, dailyReport,
    answerTo,
};
