"use strict";

// Runs the functions of desk.js against a desk made by examples/desk.sql, and prints TAP.

const { inspect, isDeepStrictEqual } = require("util");

try {
    require.resolve("pg");
} catch {
    console.log("1..0 # SKIP node-postgres is not installed");
    process.exit();
}
const desk = require("./desk.js");

const ADA = 1, CARL = 2, GRACE = 3, EMMY = 4;
const UNSOLVED = ["open", "in_progress", "pending", "on_hold"];

let count = 0;
let failed = 0;

function check(cell, what, got, expected) {
    count++;
    if (isDeepStrictEqual(got, expected)) {
        console.log(`ok ${count} - ${cell}: ${what}`);
        return;
    }
    failed++;
    console.log(`not ok ${count} - ${cell}: ${what}`);
    console.log(`#      got ${inspect(got)}\n# expected ${inspect(expected)}`.replace(/\n(?!#)/g, "\n# "));
}

// The error that `work` ends with
async function errorOf(work) {
    try {
        await work;
    } catch (error) {
        return error;
    }
    return {};
}

async function value(db, sql, parameters) {
    const { rows: [row] } = await db.query({ text: sql, values: parameters, rowMode: "array" });
    return row[0];
}

function logEntries(db, ticketId) {
    return value(db, "SELECT count(*) FROM support.audit_log WHERE ticket_id = $1", [ticketId]);
}

async function testCreate(pool) {
    const id = await desk.asUser(pool, CARL, (client) => desk.createTicket(client, {
        title: "Printer on fire", description: "It smells of smoke.", tags: ["printer", 'odd "one", {x}', "NULL"],
        custom: { floor: 3, seen: ["smoke", null] },
    }));
    check("create", "an id is a number", Number.isSafeInteger(id), true);
    const commentId = await desk.asUser(pool, ADA, (client) =>
        desk.reply(client, id, "Pull the plug, please.", { status: "pending" }));
    check("create", "so is a comment's", Number.isSafeInteger(commentId), true);
    check("create", "the log knows who acted", await value(pool,
        "SELECT array_agg(DISTINCT changed_by_name ORDER BY changed_by_name) FROM support.ticket_history($1)", [id]),
        ["Ada Byron", "Carl Friedrich"]);
    check("create", "nobody acts after the transaction", await value(pool, "SELECT support.actor_id()"), null);
    return id;
}

// More requests at once than connections, of either pool
async function testRequestsAtOnce(pool) {
    const creators = Array.from({ length: 32 }, (_, n) => [ADA, CARL, GRACE, EMMY][n % 4]);
    const ids = await Promise.all(creators.map((creator) =>
        desk.asUser(pool, creator, (client) => desk.createTicket(client, { title: "At once" }))));
    const { rows } = await pool.query(
        "SELECT creator_id FROM support.tickets WHERE id = ANY ($1) ORDER BY array_position($1, id)", [ids]);
    check("create", "32 requests at once, each for its own user", rows.map((row) => row.creator_id), creators);
    check("delete count", "they are removed", await desk.removeTickets(pool, ids), 32);
}

async function testRead(pool, id) {
    const { ticket, people, tags, comments } = await desk.readTicket(pool, id);
    check("read", "jsonb arrives as an object",
        [ticket.id, ticket.status, people.creator.full_name, ticket.assignee_id],
        [id, "pending", "Carl Friedrich", null]);
    check("read", "and what is in it as objects and arrays", [ticket.custom, tags.length, comments[0].content],
        [{ floor: 3, seen: ["smoke", null] }, 3, "Pull the plug, please."]);
    check("read", "text[] is an array of strings, whatever they hold", await desk.tagTicket(pool, id, ["späť"]),
        ["NULL", 'odd "one", {x}', "printer", "späť"]);

    const [line] = await desk.listTickets(pool, { statuses: UNSOLVED });
    check("read", "the list", [line.id, line.status, line.requester], [id, "pending", "Carl Friedrich"]);
    check("read", "NULL is null", [line.assignee, line.waiting], [null, null]);
    check("read", "the list by another status", await desk.listTickets(pool, { statuses: ["closed"] }), []);
    const other = await desk.asUser(pool, EMMY, (client) => desk.createTicket(client, { title: "Mouse lost a leg" }));
    const first = await desk.listTickets(pool, { statuses: UNSOLVED, pageSize: 1 });
    const second = await desk.listTickets(pool, { statuses: UNSOLVED, pageSize: 1, after: first[0].id });
    check("read", "the list by pages", [first, second].map((page) => page.map((ticket) => ticket.id)), [[id], [other]]);
    check("read", "a NULL that is sent is no priority", await value(pool,
        "UPDATE support.tickets SET priority = $2 WHERE id = $1 RETURNING priority", [other, null]), null);

    const report = await desk.statusReport(pool);
    check("read", "the report", report.map((row) => [row.status, row.tickets, row.percent]), [
        ["open", 1, 50], ["in_progress", 0, 0], ["pending", 1, 50], ["on_hold", 0, 0], ["resolved", 0, 0],
        ["closed", 0, 0],
    ]);
    check("read", "a bigint beyond 2^53 is refused, not rounded",
        (await errorOf(value(pool, "SELECT 9007199254740993"))).name, "RangeError");
    return other;
}

async function testUpdate(pool, id) {
    const { version } = (await desk.readTicket(pool, id)).ticket;
    check("update count", "one row: the ticket is taken", await desk.takeTicket(pool, id, ADA, version), true);
    check("update count", "no row: somebody was faster", await desk.takeTicket(pool, id, GRACE, version), false);
    check("update count", "the first has it", (await desk.readTicket(pool, id)).ticket.assignee_id, ADA);
    const { rowCount } = await pool.query(
        "UPDATE support.tickets SET team_id = 1 WHERE creator_id IN ($1, $2)", [CARL, EMMY]);
    check("update count", "of many", rowCount, 2);
    check("update count", "an object merges into the ticket's fields", await desk.updateTicket(pool, id,
        { title: "Printer was on fire", custom: { floor: null, parts: [1, { name: "LX" }] } }), version + 3);
    const { ticket } = await desk.readTicket(pool, id);
    check("update count", "as it was sent", [ticket.title, ticket.custom],
        ["Printer was on fire", { seen: ["smoke", null], parts: [1, { name: "LX" }] }]);
    await desk.asUser(pool, ADA, (client) => desk.solveTicket(client, id, version + 3));
    check("update count", "solved", (await desk.readTicket(pool, id)).ticket.status, "resolved");
}

async function testDeleteAndRestore(pool, id, other) {
    const before = await desk.readTicket(pool, id);
    check("delete count", "rows that there were", await desk.removeTickets(pool, [id, other, 999]), 2);
    check("delete count", "none left", await desk.removeTickets(pool, [id, other]), 0);
    await desk.asUser(pool, ADA, (client) => desk.restoreTicket(client, id));
    check("restore", "a removed ticket is back with all it had", await desk.readTicket(pool, id), before);
    await desk.restoreTicket(pool, other);
    await desk.asUser(pool, GRACE, (client) => desk.deleteTicket(client, other, "wrong building"));
    check("delete count", "a marked ticket is not listed", (await desk.listTickets(pool, { statuses: UNSOLVED })), []);
    await desk.restoreTicket(pool, other);
    check("restore", "a marked ticket is back in the list",
        (await desk.listTickets(pool, { statuses: UNSOLVED })).map((ticket) => ticket.id), [other]);
}

async function testRollback(pool, id) {
    let lost;
    const before = await logEntries(pool, id);
    const error = await errorOf(desk.asUser(pool, CARL, async (client) => {
        lost = await desk.createTicket(client, { title: "Never was" });
        await desk.reply(client, id, "Nor was this.");
        throw new Error("changed my mind");
    }));
    check("rollback", "the program's own error comes through", error.message, "changed my mind");
    check("rollback", "no ticket", (await errorOf(desk.readTicket(pool, lost))).code, "P0002");
    check("rollback", "no log", [await logEntries(pool, lost), await logEntries(pool, id)], [0, before]);
    check("rollback", "and nobody acts", await value(pool, "SELECT support.actor_id()"), null);

    const [good, deleted, alsoGood] = await Promise.all(["Good", "Deleted", "Also good"].map((title) =>
        desk.asUser(pool, EMMY, (client) => desk.createTicket(client, { title }))));
    await desk.deleteTicket(pool, deleted, "spam");
    const entries = await logEntries(pool, deleted);
    check("rollback", "to a savepoint, for the one ticket that is refused", await desk.asUser(pool, ADA, (client) =>
        desk.replyToAll(client, [good, deleted, alsoGood], "We are on it.")), [deleted]);
    const tickets = await Promise.all([good, alsoGood].map((ticketId) => desk.readTicket(pool, ticketId)));
    check("rollback", "the others have their reply", tickets.map(({ comments }) => comments.map((comment) =>
        [comment.author_id, comment.content])), [[[ADA, "We are on it."]], [[ADA, "We are on it."]]]);
    check("rollback", "the log of the refused one has not grown", await logEntries(pool, deleted), entries);
    check("rollback", "an error that is no refusal ends it all", (await errorOf(desk.asUser(pool, ADA, (client) =>
        desk.replyToAll(client, [good, 999], "Again.")))).code, "P0002");
    check("rollback", "so the first is without", (await desk.readTicket(pool, good)).comment_count, 1);
}

async function testErrors(pool, id) {
    const answer = async (work) => desk.answerTo(await errorOf(work));

    check("errors", "an unknown ticket", await answer(desk.readTicket(pool, 999)),
        { status: 404, message: "ticket 999 does not exist", hint: undefined });
    check("errors", "nobody acts", await answer(desk.createTicket(pool, { title: "Whose?" })), {
        status: 409, message: "no acting user",
        hint: "Call support.set_actor(user_id), or ALTER ROLE ... SET support_ext.actor_id.",
    });
    check("errors", "a stale version", await answer(desk.solveTicket(pool, id, 1)), {
        status: 409, message: `ticket ${id} is at version ${(await desk.readTicket(pool, id)).ticket.version}, not 1`,
        hint: "Read the ticket again and repeat the change on what it is now.",
    });
    check("errors", "an unknown priority", await answer(desk.updateTicket(pool, id, { priority: "hgih" })), {
        status: 422, message: 'priority "hgih" does not exist',
        hint: "The priorities are: low, normal, high, urgent.",
    });
    const missing = await errorOf(pool.query(
        "INSERT INTO support.tickets (title, description, creator_id) VALUES ($1, '', $2)", [null, CARL]));
    check("errors", "plain SQL tells column and table too",
        [missing.code, missing.schema, missing.table, missing.column], ["23502", "support", "tickets", "title"]);
    check("errors", "a right that is missing is the program's fault",
        await answer(pool.query("UPDATE support_internal.eras SET era = 0 WHERE false")),
        { status: 500, message: "permission denied for schema support_internal", hint: undefined });
    await desk.deleteTicket(pool, id, "spam");
    const late = desk.asUser(pool, ADA, (client) => desk.reply(client, id, "Hello?"));
    check("errors", "a deleted ticket", await answer(late), {
        status: 409, message: `ticket ${id} was deleted`,
        hint: `Restore it with SELECT support.restore_ticket(${id}).`,
    });
    check("errors", "the connection works on", await value(pool, "SELECT 1"), 1);
}

async function testBulk(pool) {
    const opened = new Date("2024-02-29T23:30:00.250Z");
    const tickets = Array.from({ length: 1000 }, (_, n) => ({
        title: `Imported ${n}`, description: `"quoted", {braced}\nand \\ the like ${n}`, creatorId: n % 2 ? CARL : EMMY,
        priority: n % 3 ? "low" : null, createdAt: new Date(opened.getTime() + n * 1000),
        custom: { n, tags: ["a", null] },
    }));
    const imported = await desk.asUser(pool, ADA, (client) => desk.importTickets(client, tickets));
    check("bulk", "an id and a number for each",
        [imported.length, new Set(imported.map((row) => row.ticket_number)).size], [1000, 1000]);
    const { rows } = await pool.query(
        `SELECT title, description, creator_id AS "creatorId", priority, created_at AS "createdAt", custom
        FROM support.tickets WHERE title LIKE 'Imported %' ORDER BY created_at`);
    check("bulk", "all as they were sent", rows.map((row) => ({ ...row })), tickets);
    check("bulk", "one log entry each", await value(pool,
        "SELECT count(*) FROM support.audit_log WHERE actor_id = $1 AND action = 'INSERT' AND ticket_id = ANY ($2)",
        [ADA, imported.map((row) => row.id)]), 1000);
    tickets[500].priority = "hgih";
    check("bulk", "one that is refused", (await errorOf(desk.importTickets(pool, tickets))).code, "23503");
    check("bulk", "takes all with it", await value(pool,
        "SELECT count(*) FROM support.tickets WHERE title LIKE 'Imported %'"), 1000);
    return imported[0].id;
}

async function testTimeZones(pool, id) {
    const opened = new Date("2024-02-29T23:30:00.250Z");
    const inZone = (timeZone) => desk.asUser(pool, ADA, async (client) => {
        await client.query("SELECT set_config('TimeZone', $1, true)", [timeZone]);
        return value(client, "SELECT created_at FROM support.tickets WHERE id = $1", [id]);
    });

    for (const timeZone of ["UTC", "Asia/Kathmandu", "America/St_Johns"]) {
        check("time zones", `timestamptz is a Date, the same instant in ${timeZone}`, await inZone(timeZone), opened);
    }
    process.env.TZ = "Asia/Kathmandu";
    check("time zones", "and wherever the program runs", await inZone("America/St_Johns"), opened);
    const [first] = await desk.openedSince(pool, opened);
    check("time zones", "the instant that is sent too", [first.id, first.created_at], [id, opened]);
    const later = await desk.openedSince(pool, new Date(opened.getTime() + 1));
    check("time zones", "a millisecond later it is past", later.some((ticket) => ticket.id === id), false);

    const firstDay = async (timeZone) =>
        (await desk.asUser(pool, ADA, (client) => desk.dailyReport(client, timeZone)))[0];
    check("time zones", "a day of the report stays the day it is", await firstDay("UTC"),
        { day: "2024-02-29", created: 1000, solved: 0, open_at_end: 1000 });
    check("time zones", "which depends on the zone", (await firstDay("Pacific/Kiritimati")).day, "2024-03-01");
    check("time zones", "that no other transaction sees",
        await value(pool, "SELECT current_setting('TimeZone') = 'Pacific/Kiritimati'"), false);

    const newest = (await desk.openedSince(pool, opened)).at(-1);
    check("time zones", "a ticket is found by the time that was read of it",
        (await desk.openedSince(pool, newest.created_at)).map((ticket) => ticket.id).includes(newest.id), true);
}

async function main() {
    const pool = desk.openPool({ max: 8 });
    try {
        const id = await testCreate(pool);
        await testRequestsAtOnce(pool);
        const other = await testRead(pool, id);
        await testUpdate(pool, id);
        await testDeleteAndRestore(pool, id, other);
        await testRollback(pool, id);
        await testErrors(pool, id);
        await testTimeZones(pool, await testBulk(pool));
    } finally {
        await pool.end();
    }
    console.log(`1..${count}`);
    process.exitCode = failed ? 1 : 0;
}

main();
