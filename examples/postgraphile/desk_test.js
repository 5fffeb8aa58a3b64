"use strict";

// The desk of desk.js over HTTP: by the schema of doc/api.md, which is read from that page, and by the desk's own.

const fs = require("node:fs");
const path = require("node:path");
const { once } = require("node:events");
const { inspect, isDeepStrictEqual } = require("node:util");

const ADA = 1, CARL = 2, GRACE = 3, EMMY = 4; // agent, customer, agent, customer
const POOLED = "DESK_POOLED" in process.env;
// pgbouncer knows the role of the examples alone
const LOGIN = POOLED ? process.env.PGUSER : "authenticator";

let desk, pg, postgraphile;
try {
    pg = require("pg");
    postgraphile = require("postgraphile");
    desk = require("./desk");
} catch (error) {
    console.log(`1..0 # SKIP Node.js cannot load postgraphile: ${error.code}`);
    process.exit();
}

const page = fs.readFileSync(path.join(__dirname, "../../doc/api.md"), "utf8");
const FUNCTIONS = ["addComment", "assignTicket", "createTicket", "deleteTicket", "restoreTicket", "setPriority", "setStatus",
    "updateTicket"];

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
    const [shown, wanted] = [got, expected].map((value) => inspect(value, { depth: 9 }));
    console.log(`#      got ${shown}\n# expected ${wanted}`.replace(/\n(?!#)/g, "\n# "));
}

// The SQL of doc/api.md from a heading on that makes the schema; the roles may be there from another database
function sqlOfPage(heading) {
    const part = page.slice(page.indexOf(`\n## ${heading}\n`), page.indexOf("\n## What PostgREST needs\n"));
    return [...part.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql]) => sql).join("")
        .replace(/^CREATE ROLE .*;$/gm, "DO $$$$ BEGIN $& EXCEPTION WHEN duplicate_object THEN END $$$$;");
}

// What `work` returns, and what is printed to the console meanwhile
async function listening(method, work) {
    const lines = [];
    const original = console[method];
    console[method] = (...parts) => lines.push(parts.map(String).join(" "));
    try {
        return [await work(), lines];
    } finally {
        console[method] = original;
    }
}

// The names of mutations in the GraphQL schema of a schema, and the types that two have tried to define
async function namesOf(pool, schema, options) {
    const [made, warnings] = await listening("warn", () => postgraphile.createPostGraphileSchema(pool, schema, options));
    const mutations = Object.keys(made.getMutationType()?.getFields() ?? {}).sort();
    return [mutations, warnings.map((text) => /same type '(\w+)'/.exec(text)?.[1] ?? text).sort()];
}

// Run `work` with a function that sends a query as a user and returns the status and the answer
async function serving(schema, work) {
    const server = desk.serve(schema, { user: LOGIN, max: 4 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
        await work(async (user, query, variables = {}) => {
            const response = await fetch(`http://127.0.0.1:${server.address().port}/graphql`, {
                method: "POST",
                headers: { "Content-Type": "application/json", ...(user && { "X-User": user }) },
                body: JSON.stringify({ query, variables }),
            });
            return [response.status, await response.json()];
        });
    } finally {
        server.closeAllConnections();
        server.close();
    }
}

// The data of an answer that has no errors
async function dataOf(sent) {
    const [status, { data, errors }] = await sent;
    return errors ? [status, errors] : data;
}

// Status, SQLSTATE, message and hint of an answer with an error
async function refusalOf(sent) {
    const [status, { errors: [{ message, extensions }] = [{}] }] = await sent;
    return [status, extensions?.code, message, extensions?.hint];
}

async function opened(send, user, title) {
    const { createTicket } = await dataOf(send(user,
        "mutation ($title: String) { createTicket(input: { title: $title }) { ticket { id } } }", { title }));
    return createTicket.ticket.id;
}

async function testNames(owner) {
    const pool = new pg.Pool({ user: LOGIN });
    try {
        check("names", "the schema api has its functions as mutations, and no two of a name",
            await namesOf(pool, "api", desk.optionsFor("api")), [FUNCTIONS, []]);
        check("names", "with ignoreRBAC three clash with mutations of views, to which nobody has the right",
            (await namesOf(pool, "api", { ...desk.optionsFor("api"), ignoreRBAC: true }))[1],
            ["CreateTicketPayload", "DeleteTicketPayload", "UpdateTicketPayload"]);
        if (!POOLED) {
            check("names", "so has the desk's own, by its options and tags",
                await namesOf(pool, "support", desk.optionsFor("support")), [FUNCTIONS, []]);
            const options = { ...desk.optionsFor("support"), appendPlugins: [], includeExtensionResources: false };
            check("names", "without includeExtensionResources it has none", await namesOf(pool, "support", options), [[], []]);
        }
    } finally {
        await pool.end();
    }
    check("names", "the page shows the file of tags",
        page.includes(fs.readFileSync(path.join(__dirname, "api.tags.json5"), "utf8")), true);
    const [, clashes] = await namesOf(owner, "support", { includeExtensionResources: true });
    check("names", "without disableDefaultMutations ten functions clash with mutations of tables", clashes,
        ["CreateCalendar", "CreateSlaPolicy", "CreateTeam", "CreateTicket", "CreateUser", "DeleteComment", "DeleteTicket",
            "UpdateCalendar", "UpdateSlaPolicy", "UpdateTicket"].map((name) => `${name}Payload`));
}

async function testTicket(send, owner) {
    const { createTicket: { ticket } } = await dataOf(send(CARL, `mutation {
        createTicket(input: { title: "Printer on fire", tags: ["printer"], custom: { floor: 3 } }) {
            ticket { id ticketNumber title status customerId }
        }
    }`));
    const { id } = ticket;
    check("mutation", "a ticket is created, by who sent the request", ticket,
        { id, ticketNumber: `T-${id}`, title: "Printer on fire", status: "open", customerId: `${CARL}` });
    check("mutation", "a reply", await dataOf(send(ADA, `mutation ($id: BigInt) {
        addComment(input: { ticketId: $id, content: "Pull the plug." }) {
            comment { authorId content ticket { title } }
        }
    }`, { id })), {
        addComment: { comment: { authorId: `${ADA}`, content: "Pull the plug.", ticket: { title: "Printer on fire" } } },
    });
    check("mutation", "status, assignee and title", await dataOf(send(ADA, `mutation ($id: BigInt) {
        setStatus(input: { ticketId: $id, status: "pending" }) { ticket { status } }
        assignTicket(input: { ticketId: $id, assigneeId: "${GRACE}" }) { ticket { assigneeId } }
        updateTicket(input: { ticketId: $id, changes: { title: "Printer is hot" } }) { ticket { title } }
    }`, { id })), {
        setStatus: { ticket: { status: "pending" } },
        assignTicket: { ticket: { assigneeId: `${GRACE}` } },
        updateTicket: { ticket: { title: "Printer is hot" } },
    });
    check("mutation", "a private note is written, and not shown", await dataOf(send(ADA, `mutation ($id: BigInt) {
        addComment(input: { ticketId: $id, content: "He smokes.", isPrivate: true }) { comment { id } }
    }`, { id })), { addComment: { comment: null } });
    check("ticket", "one ticket with its comments", await dataOf(send(CARL, `query ($id: BigInt!) {
        ticketById(id: $id) { title status comments(orderBy: PRIMARY_KEY_ASC) { nodes { authorId content } } }
    }`, { id })), {
        ticketById: {
            title: "Printer is hot", status: "pending", comments: { nodes: [{ authorId: `${ADA}`, content: "Pull the plug." }] },
        },
    });
    check("mutation", "deleted, it is gone", await dataOf(send(ADA, `mutation ($id: BigInt!) {
        deleteTicket(input: { ticketId: $id }) { ticket { id } query { ticketById(id: $id) { id } } }
    }`, { id })), { deleteTicket: { ticket: null, query: { ticketById: null } } });
    check("mutation", "and restored, it is back", await dataOf(send(ADA, `mutation ($id: BigInt!) {
        restoreTicket(input: { ticketId: $id }) { ticket { title } }
    }`, { id })), { restoreTicket: { ticket: { title: "Printer is hot" } } });
    const { rows } = await owner.query(
        "SELECT DISTINCT actor_id, db_role FROM support.audit_log WHERE ticket_id = $1 ORDER BY actor_id", [id]);
    check("actor", "the log has the users of the requests, and the role", rows,
        [{ actor_id: `${ADA}`, db_role: "web" }, { actor_id: `${CARL}`, db_role: "web" }]);
}

async function testList(send) {
    const page = async (after, order = "PRIMARY_KEY_DESC") => {
        const { allTickets } = await dataOf(send(ADA, `query ($after: Cursor, $order: [TicketsOrderBy!]) {
            allTickets(first: 2, after: $after, orderBy: $order, condition: { status: "open" }) {
                nodes { id } pageInfo { endCursor hasNextPage }
            }
        }`, { after, order }));
        return [allTickets.nodes.map(({ id }) => id), allTickets.pageInfo];
    };
    const ids = [];
    for (const title of ["first", "second", "third"]) {
        ids.unshift(await opened(send, CARL, title));
    }
    const [newest, { endCursor, hasNextPage }] = await page(null);
    check("list", "the newest of a status", [newest, hasNextPage], [ids.slice(0, 2), true]);
    const [, { endCursor: byId }] = await page(null, "ID_DESC");
    check("list", "a cursor is the last key, and has it twice where the order names it",
        [endCursor, byId].map((cursor) => JSON.parse(Buffer.from(cursor, "base64"))),
        [["primary_key_desc", [Number(ids[1])]], ["id_desc", [Number(ids[1]), Number(ids[1])]]]);
    await opened(send, CARL, "meanwhile");
    check("list", "the page after it, whatever came meanwhile", (await page(endCursor))[0][0], ids[2]);
    const pages = await Promise.all(Array.from({ length: 40 }, () => page(endCursor)));
    check("list", "many requests at once", new Set(pages.map(([[first]]) => first)), new Set([ids[2]]));
}

// Mutations that both schemas have, of a ticket
function writing(id) {
    return [`setStatus(input: { ticketId: "${id}", status: "resolved" })`,
        `setPriority(input: { ticketId: "${id}", priority: "low" })`,
        `assignTicket(input: { ticketId: "${id}", assigneeId: "${ADA}" })`, `deleteTicket(input: { ticketId: "${id}" })`,
        `updateTicket(input: { ticketId: "${id}", changes: { title: "Defaced" } })`]
        .map((call) => `mutation { ${call} { clientMutationId } }`);
}

async function testActor(send, owner) {
    const list = "{ allTickets(first: 1) { nodes { id } } }";
    const create = 'mutation { createTicket(input: { title: "Whose?" }) { ticket { id } } }';
    check("actor", "a user who is not there is refused", await refusalOf(send(99, list)),
        [401, "P0002", "user 99 does not exist", undefined]);
    check("actor", "so is what is no id", await refusalOf(send("1, 2", list)),
        [401, undefined, "X-User is no id of a user", undefined]);
    await owner.query("SELECT support.deactivate_user($1)", [EMMY]);
    check("actor", "and who is no longer active", await refusalOf(send(EMMY, list)),
        [401, "55000", "user 4 is not active", undefined]);
    check("actor", "nobody reads", Object.keys(await dataOf(send(null, list))), ["allTickets"]);
    const id = await opened(send, ADA, "Left alone");
    const { rows: [before] } = await owner.query("SELECT max(id) AS id FROM support.audit_log");
    for (const mutation of [create, ...writing(id)]) {
        check("actor", `and cannot write: ${/\w+(?=\()/.exec(mutation)[0]}`, await refusalOf(send(null, mutation)),
            [401, undefined, "no acting user", undefined]);
    }
    const { rows: [after] } = await owner.query("SELECT max(id) AS id FROM support.audit_log");
    check("actor", "and did not", after, before);
    const web = new pg.Pool({ user: process.env.DESK_OWNER, max: 1 });
    for (const call of [`set_status(${id}, 'resolved')`, `update_ticket(${id}, '{"title": "Defaced"}')`,
        `assign_ticket(${id}, ${ADA})`, `delete_ticket(${id})`]) {
        check("actor", `the schema itself refuses nobody: ${call}`,
            await web.query(`SET ROLE web; SELECT api.${call}`).catch(({ code, message }) => [code, message]),
            ["55000", "no acting user"]);
    }
    await web.end();
    for (const [key, value] of Object.entries({ ticket_number: "T-9", external_id: "mail-1", channel: "ceo", requester_id: 1 })) {
        check("actor", `no change names what is hidden: ${key}`, await refusalOf(send(CARL,
            "mutation ($changes: JSON) { updateTicket(input: { ticketId: \"1\", changes: $changes }) { ticket { id } } }",
            { changes: { [key]: value } })), [200, "22023", `"${key}" is not for clients to change`,
            "They may change: title, description, status, priority, assignee_id, team_id, tags, custom."]);
    }
    check("actor", "no argument names another",
        (await refusalOf(send(CARL, create.replace("title:", "creatorId: 1, title:"))))[2],
        'Field "creatorId" is not defined by type "CreateTicketInput".');
}

async function testRefusals(send, owner) {
    const setStatus = (ticketId, status) => send(ADA, `mutation ($ticketId: BigInt, $status: String) {
        setStatus(input: { ticketId: $ticketId, status: $status }) { ticket { status } }
    }`, { ticketId, status });
    check("refusals", "a ticket that is not there", await refusalOf(setStatus("42000", "pending")),
        [200, "P0002", "ticket 42000 does not exist", undefined]);
    check("refusals", "the place of the error", (await setStatus("42000", "pending"))[1].errors[0].path, ["setStatus"]);
    const id = await opened(send, CARL, "Mouse lost its tail");
    check("refusals", "with a hint", await refusalOf(setStatus(id, "opne")), [200, "23503", 'status "opne" does not exist',
        "The statuses are: open, in_progress, pending, on_hold, resolved, closed."]);
    check("refusals", "an id that is none", (await refusalOf(setStatus(`T-${id}`, "pending")))[1], "22P02");
    check("refusals", "a version that is old", (await refusalOf(send(ADA, `mutation {
        setPriority(input: { ticketId: "${id}", priority: "high", expectedVersion: "7" }) { ticket { id } }
    }`))).slice(1, 3), ["SU001", `ticket ${id} is at version 1, not 7`]);
    const [, { data, errors }] = await send(ADA, `mutation {
        good: setStatus(input: { ticketId: "${id}", status: "pending" }) { ticket { status } }
        bad: setStatus(input: { ticketId: "${id}", status: "opne" }) { ticket { status } }
    }`);
    check("refusals", "each mutation of a request is for itself", [data, errors.length],
        [{ good: { ticket: { status: "pending" } }, bad: null }, 1]);
    check("refusals", "to read what is not there is no error", await dataOf(send(ADA, '{ ticketById(id: "42000") { id } }')),
        { ticketById: null });
    check("refusals", "a query that cannot be read", (await refusalOf(send(ADA, "{ allTickets {")))[2],
        "Syntax Error: Expected Name, found <EOF>.");
    check("refusals", "users do not show", (await refusalOf(send(ADA, "{ allUsers { nodes { email } } }")))[2],
        'Cannot query field "allUsers" on type "Query".');

    // A fault of the program's own: the client is told nothing of it
    await owner.query("ALTER FUNCTION api_inner.refuse RENAME TO refuse_nobody");
    const [answer, lines] = await listening("error", () => setStatus("42000", "pending"));
    await owner.query("ALTER FUNCTION api_inner.refuse_nobody RENAME TO refuse");
    check("refusals", "what no client can help is told to the program's log alone",
        [await refusalOf(answer), lines.length], [[200, undefined, "internal error", undefined], 1]);
}

// The desk's own schema: the functions return keys, and private notes are there to read
async function testDesksOwn(send) {
    const { createTicket: { ticketId } } = await dataOf(send(CARL, `mutation {
        createTicket(input: { title: "Screen stays black", tags: ["screen"] }) { ticketId }
    }`));
    const { addComment: { commentId } } = await dataOf(send(ADA, `mutation {
        addComment(input: { ticketId: "${ticketId}", content: "Asleep?", isPrivate: true, status: "pending" }) { commentId }
    }`));
    check("ticket", "of the desk's own schema, with what its keys lead to", await dataOf(send(ADA, `{
        ticketById(id: "${ticketId}") {
            status
            userByCreatorId { fullName }
            ticketTagsByTicketId { nodes { tagByTagId { name } } }
            comments { nodes { id content isPrivate } }
        }
    }`)), {
        ticketById: {
            status: "pending",
            userByCreatorId: { fullName: "Carl Friedrich" },
            ticketTagsByTicketId: { nodes: [{ tagByTagId: { name: "screen" } }] },
            comments: { nodes: [{ id: commentId, content: "Asleep?", isPrivate: true }] },
        },
    });
    check("refusals", "of the desk's own schema", (await refusalOf(send(ADA,
        'mutation { setStatus(input: { ticketId: "42000", status: "open" }) { ticketId } }'))).slice(1, 3),
    ["P0002", "ticket 42000 does not exist"]);
    for (const mutation of writing(ticketId)) {
        check("actor", `nobody has no ${/\w+(?=\()/.exec(mutation)[0]} of the desk's own schema`,
            await refusalOf(send(null, mutation)), [401, undefined, "no acting user", undefined]);
    }
    check("actor", "no argument of the desk's own functions names another", (await refusalOf(send(CARL,
        `mutation { setStatus(input: { ticketId: "${ticketId}", status: "open", actorId: "1" }) { ticketId } }`)))[2],
    'Field "actorId" is not defined by type "SetStatusInput".');
    check("refusals", "a function that reads more than the role may", (await refusalOf(send(ADA,
        `{ getTicket(ticketId: "${ticketId}") }`))).slice(1, 3), ["42501", "permission denied for table users"]);
    check("refusals", "columns without a right do not show", (await refusalOf(send(ADA, "{ allUsers { nodes { email } } }")))[2],
        'Cannot query field "email" on type "User".');
}

async function main() {
    const owner = new pg.Pool({ user: process.env.DESK_OWNER, max: 2 });
    try {
        await owner.query(sqlOfPage("Rights"));
        await owner.query(sqlOfPage("Who acts")); // it may run again
        if (POOLED) {
            await owner.query(`GRANT web TO ${LOGIN}`);
        }
        await testNames(owner);
        await serving("api", async (send) => {
            for (const test of [testTicket, testList, testActor, testRefusals]) {
                await test(send, owner);
            }
        });
        if (!POOLED) {
            await serving("support", testDesksOwn);
        }
    } finally {
        await owner.end();
    }
    console.log(`1..${count}`);
    process.exitCode = failed ? 1 : 0;
}

main();
