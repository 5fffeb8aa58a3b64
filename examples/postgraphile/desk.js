"use strict";

// The desk as a GraphQL API, by PostGraphile as a library.

const http = require("node:http");
const path = require("node:path");
const { Pool } = require("pg");
const { makePluginHook, postgraphile } = require("postgraphile");
const { makePgSmartTagsFromFilePlugin } = require("postgraphile/plugins");

// The role that a request has, as in doc/api.md
const ROLE = "web";

// The errors that clients are told: those of the table "As HTTP answers" of doc/errors.md, some by their class
const TOLD = /^(P0002|55000|SU00[123]|42501|54000|55P03|22|23|40|53|57)/;

// The arguments by which a client would work in another's name, or choose what the desk does
const HIDDEN = ["actorId", "creatorId", "authorId", "createdAt", "via", "externalId", "ticketNumber", "channel"];

const SCHEMAS = {
    // That of doc/api.md, for everybody
    api: { appendPlugins: [tagsOf("api")] },
    // The desk's own, for those who may read all of it. Its functions are members of an extension, which are left out unless
    // asked for, and ten have the names of mutations that tables would get by themselves.
    support: {
        includeExtensionResources: true,
        disableDefaultMutations: true,
        appendPlugins: [tagsOf("support"), hideArguments],
    },
};

function tagsOf(schema) {
    return makePgSmartTagsFromFilePlugin(path.join(__dirname, `${schema}.tags.json5`));
}

function hideArguments(builder) {
    builder.hook("GraphQLInputObjectType:fields", (fields, _build, { scope }) => scope.isMutationInput
        ? Object.fromEntries(Object.entries(fields).filter(([name]) => !HIDDEN.includes(name)))
        : fields);
}

// Without ignoreRBAC: false, everything that is in the schema shows, whether the role has the right to it or not, mutations of
// views among it that take the names of functions
function optionsFor(schema) {
    return {
        ...SCHEMAS[schema],
        ignoreRBAC: false,
        dynamicJson: true,
        graphiql: false,
        disableQueryLog: true,
        pgSettings: settingsOf,
        pluginHook: makePluginHook([{ withPostGraphileContext: checkActor }]),
        handleErrors: (errors) => errors.map(refusal),
    };
}

// Settings of the transaction of a request. X-User stands for your login.
function settingsOf(request) {
    const user = request.headers["x-user"];
    if (user !== undefined && !/^\d{1,18}$/.test(user)) {
        throw Object.assign(new Error("X-User is no id of a user"), { status: 401 });
    }
    return { role: ROLE, ...(user && { "support_ext.actor_id": user }) };
}

// Does a document change something, whichever of its operations is asked for?
function isChange(document) {
    return document.definitions.some(({ operation }) => operation === "mutation");
}

// The setting takes any number: have the desk refuse a user that is not there or no longer active, in the same transaction.
// Nobody may read, and change nothing: not all of the desk's functions ask who acts.
function checkActor(inner) {
    return (options, work) => inner(options, async (context) => {
        const user = options.pgSettings["support_ext.actor_id"];
        if (!user && isChange(options.queryDocumentAst)) {
            throw Object.assign(new Error("no acting user"), { status: 401 });
        }
        if (user) {
            await context.pgClient.query("SELECT support.set_actor($1, is_local => true)", [user]).catch((error) => {
                throw ["P0002", "55000"].includes(error.code) ? Object.assign(error, { status: 401 }) : error;
            });
        }
        return work(context);
    });
}

// An error as clients see it, one of the desk's with SQLSTATE, detail and hint
function refusal(error) {
    const { message, locations, path, originalError } = error;
    const { code, detail, hint, status, statusCode } = originalError ?? error;
    if (TOLD.test(code)) {
        return { message, locations, path, extensions: { code, detail, hint } };
    }
    // A query that GraphQL itself refuses has a place in it and no other cause
    if ((status ?? statusCode) < 500 || (locations && !originalError)) {
        return { message, locations, path };
    }
    console.error(originalError ?? error);
    return { message: "internal error", locations, path };
}

// An HTTP server of a schema; it listens when it is told where
function serve(schema, config = {}) {
    const pool = new Pool(config);
    const server = http.createServer(postgraphile(pool, schema, optionsFor(schema)));
    server.on("close", () => pool.end());
    return server;
}

module.exports = { optionsFor, serve };

if (require.main === module) {
    serve(process.argv[2] ?? "api").listen(5000, "localhost", () => console.log("http://localhost:5000/graphql"));
}
