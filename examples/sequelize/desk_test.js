"use strict";

// The desk of desk.js.

const { inspect, isDeepStrictEqual } = require("node:util");

const ADA = 1, CARL = 2, GRACE = 3; // agent, customer, agent
const POOLED = "DESK_POOLED" in process.env;

let desk;
try {
    desk = require("./desk");
} catch (error) {
    console.log(`1..0 # SKIP Node.js cannot load sequelize: ${error.code}`);
    process.exit();
}
const { acting, call, connect, defineModels, openOrChange, page, refusal } = desk;

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

async function value(db, sql, bind = []) {
    const [[row]] = await db.query(sql, { bind });
    return Object.values(row)[0];
}

async function refused(db, work) {
    return refusal(await errorOf(acting(db, ADA, work)));
}

function opened(db, { Ticket }, values = {}) {
    return acting(db, CARL, (transaction) =>
        Ticket.create({ title: "Printer on fire", creator_id: CARL, ...values }, { transaction }));
}

async function logOf({ AuditLog }, ticketId) {
    const entries = await AuditLog.findAll({ where: { ticket_id: ticketId }, order: ["id"] });
    return entries.map((entry) => [entry.table_name, entry.action, entry.actor_id]);
}

// All columns of a ticket's row and of those that hang on it
function rowsOf(db, id) {
    return value(db, `SELECT jsonb_agg(row ORDER BY row) FROM (
        SELECT to_jsonb(t) AS row FROM support.tickets AS t WHERE id = $1
        UNION ALL SELECT to_jsonb(c) FROM support.comments AS c WHERE ticket_id = $1
        UNION ALL SELECT to_jsonb(t) FROM support.ticket_tags AS t WHERE ticket_id = $1) AS rows`, [id]);
}

async function testCreate(db, models) {
    const ticket = await opened(db, models, { custom: { floor: 3, seen: [true, null, "Grüße"] }, priority: "high" });
    check("create", "what is left out is filled in, and read back by the INSERT",
        [ticket.ticket_number, ticket.status, ticket.custom.floor], [`T-${ticket.id}`, "open", 3]);
    check("create", "the log knows who acted", await logOf(models, ticket.id), [["tickets", "INSERT", CARL]]);
    await acting(db, ADA, async (transaction) => {
        const comment = await models.Comment.create(
            { ticket_id: ticket.id, author_id: ADA, content: "Pull the plug." }, { transaction });
        check("create", "a comment", comment.id > 0, true);
        check("create", "tags", await call(db, "tag_ticket", [ticket.id, ["printer", "spät"]], transaction),
            ["printer", "spät"]);
        const other = await models.Ticket.create({ title: "Whose key?", creator_id: CARL }, { transaction });
        const [[last]] = await db.query("SELECT lastval() AS id", { transaction });
        const { title } = await models.Ticket.findByPk(other.id, { transaction });
        check("key", "RETURNING tells the key, lastval() would have told another", [title, last.id === other.id],
            ["Whose key?", false]);
    });
    return ticket.id;
}

async function testRead(db, { Ticket }, id) {
    const ticket = await Ticket.findByPk(id, { include: ["creator", "tags", { association: "comments", include: ["author"] }] });
    check("read", "people, tags and comments by their relations",
        [ticket.creator.full_name, ticket.tags.map((tag) => tag.name).sort(), ticket.comments[0].author.full_name],
        ["Carl Friedrich", ["printer", "spät"], "Ada Byron"]);
    check("read", "jsonb arrives as an object, NULL as null", [ticket.custom, ticket.assignee_id],
        [{ floor: 3, seen: [true, null, "Grüße"] }, null]);
    const [first] = await page(Ticket, { size: 1 });
    const [second] = await page(Ticket, { before: first.id, size: 1 });
    check("read", "the list by pages", [first.title, second.title, second.creator.email],
        ["Whose key?", "Printer on fire", "carl@example.com"]);
    check("read", "a function that returns a document", (await call(db, "get_ticket", [id])).people.creator.email,
        "carl@example.com");
}

async function testCounts(db, models) {
    const { id } = await opened(db, models);
    const update = (ids) => acting(db, ADA, (transaction) =>
        models.Ticket.update({ priority: "low" }, { where: { id: ids }, transaction }));
    check("update count", "of rows that there were", await update([id, 999999]), [1]);
    check("update count", "of none", await update([999999]), [0]);
}

async function testVersions(db, models) {
    const { id } = await opened(db, models);
    const [ticket, stale] = [await models.Ticket.findByPk(id), await models.Ticket.findByPk(id)];
    const change = (what, values) => acting(db, ADA, (transaction) => what.update(values, { transaction }));
    const begin = ticket.version;
    await change(ticket, { assignee_id: ADA });
    check("version", "the mapper counts, and the desk comes to the same",
        [ticket.version - begin, (await models.Ticket.findByPk(id)).version - begin], [1, 1]);
    await change(ticket, { assignee_id: GRACE });
    check("version", "again and again", ticket.version - begin, 2);
    check("version", "who read before is too late", (await errorOf(change(stale, { priority: "low" }))).name,
        "SequelizeOptimisticLockError");
    await acting(db, ADA, (transaction) => models.Comment.create(
        { ticket_id: id, author_id: ADA, content: "Moves the version" }, { transaction }));
    check("version", "a comment moves it, too", (await errorOf(change(ticket, { priority: "low" }))).name,
        "SequelizeOptimisticLockError");
    await ticket.reload();
    await change(ticket, { priority: "low" });
    check("version", "who reads again is not late", ticket.priority, "low");
}

async function testNull(db, models) {
    const { id, ticket_number: number } = await opened(db, models, { ticket_number: null, status: null });
    check("null", "an INSERT takes NULL for the default", number, `T-${id}`);
    const whole = { title: "Saved whole", ticket_number: null, status: null };
    await acting(db, ADA, (transaction) => models.Ticket.update(whole, { where: { id }, transaction }));
    const ticket = await models.Ticket.findByPk(id);
    check("null", "and an UPDATE for what there is", [ticket.title, ticket.status, ticket.ticket_number],
        ["Saved whole", "open", number]);
}

async function testConflict(db, models) {
    const open = (title) => acting(db, ADA, (transaction) => openOrChange(models.Ticket,
        { title, creator_id: CARL, external_id: "mail-1" }, transaction));
    const [first, second] = [await open("first"), await open("second")];
    check("conflict", "upsert() by external_id changes the row there is",
        [second.id, (await models.Ticket.findByPk(first.id)).title], [first.id, "second"]);
    check("conflict", "whose version goes on", (await models.Ticket.findByPk(first.id)).version > first.version, true);
    check("conflict", "logged as what it was", (await logOf(models, first.id)).map((entry) => entry[1]), ["INSERT", "UPDATE"]);
    const again = await acting(db, ADA, (transaction) => models.Ticket.bulkCreate(
        [{ title: "third", creator_id: CARL, external_id: "mail-1" }], { ignoreDuplicates: true, transaction }));
    check("conflict", "ignoreDuplicates leaves it",
        [again.length, await models.Ticket.count({ where: { external_id: "mail-1" } })], [1, 1]);
}

async function testDeleteAndRestore(db, models) {
    const { id } = await opened(db, models);
    await acting(db, ADA, async (transaction) => {
        await models.Comment.create({ ticket_id: id, author_id: ADA, content: "Have you tried water?" }, { transaction });
        await call(db, "tag_ticket", [id, ["fire"]], transaction);
    });
    const remove = (options) => acting(db, ADA, (transaction) =>
        models.Ticket.destroy({ where: { id: [id, 999999] }, transaction, ...options }));
    check("delete count", "a paranoid model marks the rows that there were", await remove(), 1);
    check("delete count", "and finds them no more", [await remove(), await models.Ticket.findByPk(id)], [0, null]);
    check("restore", "the desk has it in its bin",
        await value(db, "SELECT how FROM support.deleted_tickets WHERE ticket_id = $1", [id]), "marked");
    await acting(db, ADA, (transaction) => models.Ticket.restore({ where: { id }, transaction }));
    check("restore", "the mapper's restore() is the desk's", (await models.Ticket.findByPk(id)).deleted_at, null);
    const before = await rowsOf(db, id);
    check("delete count", "force removes", [await remove({ force: true }), await remove({ force: true })], [1, 0]);
    check("restore", "nothing is left", [before.length, await rowsOf(db, id)], [3, null]);
    await acting(db, ADA, (transaction) => call(db, "restore_ticket", [id], transaction));
    check("restore", "all that hung on it is back, as it was", await rowsOf(db, id), before);
}

async function testBulk(db, models) {
    const start = Date.UTC(2024, 1, 29, 23, 30);
    const rows = Array.from({ length: 1000 }, (_, n) => ({
        title: `Imported ${n}`, description: '"quoted", {braced}\nand \\', creator_id: CARL,
        created_at: new Date(start + n * 1000), custom: { n },
    }));
    const insert = (values) => acting(db, ADA, (transaction) => models.Ticket.bulkCreate(values, { transaction }));
    const ids = (await insert(rows)).map((ticket) => ticket.id);
    check("bulk", "each has its key", new Set(ids).size, 1000);
    check("bulk", "one entry of the log each",
        await models.AuditLog.count({ where: { ticket_id: ids, action: "INSERT", actor_id: ADA } }), 1000);
    rows[1].priority = "hgih";
    check("bulk", "one that is refused", refusal(await errorOf(insert([{ ...rows[0], title: "Imported too" }, rows[1]])))[0],
        "23503");
    check("bulk", "takes all with it", await models.Ticket.count({ where: { title: "Imported too" } }), 0);
}

async function testRollback(db, models) {
    const entries = await models.AuditLog.count();
    const error = await errorOf(acting(db, ADA, async (transaction) => {
        await models.Ticket.create({ title: "Never was", creator_id: CARL }, { transaction });
        throw new Error("changed my mind");
    }));
    check("rollback", "the program's own error comes through", error.message, "changed my mind");
    check("rollback", "no ticket and no log",
        [await models.Ticket.count({ where: { title: "Never was" } }), await models.AuditLog.count()], [0, entries]);
    check("rollback", "nobody acts any more", await call(db, "actor_id"), null);
    const good = await acting(db, ADA, async (transaction) => {
        const ticket = await models.Ticket.create({ title: "Good", creator_id: CARL }, { transaction });
        await errorOf(db.transaction({ transaction }, (savepoint) =>
            models.Ticket.create({ title: "Bad", creator_id: CARL, priority: "hgih" }, { transaction: savepoint })));
        await models.Comment.create({ ticket_id: ticket.id, author_id: ADA, content: "Still here." }, { transaction });
        return ticket;
    });
    check("rollback", "to a savepoint, for the one that is refused",
        [await models.Ticket.count({ where: { title: "Bad" } }), await models.Comment.count({ where: { ticket_id: good.id } })],
        [0, 1]);
}

async function testErrors(db, models) {
    check("errors", "an unknown priority", await refused(db, (transaction) =>
        models.Ticket.create({ title: "x", creator_id: CARL, priority: "hgih" }, { transaction })),
    ["23503", 'priority "hgih" does not exist', "The priorities are: low, normal, high, urgent."]);
    check("errors", "an unknown ticket", (await refused(db, (transaction) =>
        call(db, "get_ticket", [999999], transaction))).slice(0, 2), ["P0002", "ticket 999999 does not exist"]);
    const { id } = await opened(db, models);
    check("errors", "a stale version", (await refused(db, (transaction) =>
        call(db, "set_status", [id, "pending", 7], transaction)))[0], "SU001");
    check("errors", "the connection works on", await value(db, "SELECT 1"), 1);
}

async function testTimeZones(db, models) {
    const instant = new Date("2026-03-01T23:30:00.250-03:30");
    const { id } = await opened(db, models, { created_at: instant });
    for (const zone of ["Asia/Kathmandu", "America/St_Johns"]) {
        const read = await db.transaction(async (transaction) => {
            await db.query(`SET LOCAL TimeZone = '${zone}'`, { transaction });
            const { created_at: at } = await models.Ticket.findByPk(id, { transaction });
            return [at, await models.Ticket.count({ where: { id, created_at: instant }, transaction })];
        });
        check("time zones", `an instant is the same instant, whatever zone the session has: ${zone}`, read, [instant, 1]);
    }
    process.env.TZ = "Asia/Kathmandu";
    check("time zones", "and wherever the program runs", (await models.Ticket.findByPk(id)).created_at, instant);
}

// What sync() would do to the desk
async function testSchema(db, models) {
    const tickets = await models.Ticket.count();
    check("schema", "the application can make no table", (await errorOf(models.Ticket.sync({ force: true }))).parent.code, "42501");
    const owner = connect({ username: process.env.DESK_OWNER });
    const columns = "SELECT md5(string_agg(a.attrelid::regclass || attname || atttypid || attnotnull, ' ' ORDER BY attrelid, attnum))" +
        " FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid WHERE relnamespace = 'support'::regnamespace";
    try {
        const before = await value(owner, columns);
        await defineModels(owner).Ticket.sync();
        check("schema", "the owner's sync() finds the table and leaves it", await value(owner, columns), before);
    } finally {
        await owner.close();
    }
    check("schema", "nothing was lost", await models.Ticket.count(), tickets);
}

async function main() {
    const db = connect({ pool: { max: 4 } });
    const models = defineModels(db);
    try {
        await testRead(db, models, await testCreate(db, models));
        for (const test of [testCounts, testVersions, testNull, testConflict, testDeleteAndRestore, testBulk, testRollback,
            testErrors, testTimeZones]) {
            await test(db, models);
        }
        if (!POOLED) {
            await testSchema(db, models);
        }
    } finally {
        await db.close();
    }
    console.log(`1..${count}`);
    process.exitCode = failed ? 1 : 0;
}

main();
