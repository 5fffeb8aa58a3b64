"use strict";

// A support desk through Sequelize over node-postgres.

const { DataTypes, Op, QueryTypes, Sequelize } = require("sequelize");
const { types } = require("pg");

// A bigint arrives as text, which no id or version need be; one beyond 2^53 is an error rather than another ticket's id
types.setTypeParser(types.builtins.INT8, (text) => {
    const number = Number(text);
    if (!Number.isSafeInteger(number)) {
        throw new RangeError(`${text} does not fit into a number`);
    }
    return number;
});

const UNSOLVED = ["open", "in_progress", "pending", "on_hold"];

function connect(config = {}) {
    const { PGDATABASE, PGUSER, PGHOST, PGPORT } = process.env;
    return new Sequelize({
        dialect: "postgres", database: PGDATABASE, username: PGUSER, host: PGHOST, port: PGPORT, logging: false, ...config,
    });
}

// The desk's tables as models. Times are the desk's to keep, but for deleted_at, by which paranoid models remove.
function defineModels(sequelize) {
    const table = (tableName, more = {}) => ({ schema: "support", tableName, timestamps: false, ...more });
    const id = { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true };
    const User = sequelize.define("User", {
        id, email: DataTypes.TEXT, full_name: DataTypes.STRING,
    }, table("users"));
    const Tag = sequelize.define("Tag", { id, name: DataTypes.STRING }, table("tags"));
    const Ticket = sequelize.define("Ticket", {
        id,
        ticket_number: DataTypes.STRING(50),
        title: { type: DataTypes.STRING(500), allowNull: false },
        description: { type: DataTypes.TEXT, allowNull: false, defaultValue: "" },
        status: DataTypes.TEXT,
        priority: DataTypes.TEXT,
        creator_id: { type: DataTypes.BIGINT, allowNull: false },
        assignee_id: DataTypes.BIGINT,
        custom: DataTypes.JSONB,
        external_id: DataTypes.TEXT,
        created_at: DataTypes.DATE,
        version: DataTypes.BIGINT,
    }, table("tickets", {
        timestamps: true, createdAt: false, updatedAt: false, deletedAt: "deleted_at", paranoid: true, version: "version",
    }));
    const Comment = sequelize.define("Comment", {
        id, ticket_id: DataTypes.BIGINT, author_id: DataTypes.BIGINT, content: DataTypes.TEXT,
    }, table("comments"));
    const TicketTag = sequelize.define("TicketTag", {
        ticket_id: { type: DataTypes.BIGINT, primaryKey: true }, tag_id: { type: DataTypes.BIGINT, primaryKey: true },
    }, table("ticket_tags"));
    const AuditLog = sequelize.define("AuditLog", {
        id, ticket_id: DataTypes.BIGINT, table_name: DataTypes.TEXT, action: DataTypes.TEXT, actor_id: DataTypes.BIGINT,
    }, table("audit_log"));

    Ticket.belongsTo(User, { as: "creator", foreignKey: "creator_id" });
    Ticket.belongsTo(User, { as: "assignee", foreignKey: "assignee_id" });
    Ticket.hasMany(Comment, { as: "comments", foreignKey: "ticket_id" });
    Comment.belongsTo(User, { as: "author", foreignKey: "author_id" });
    Ticket.belongsToMany(Tag, { as: "tags", through: TicketTag, foreignKey: "ticket_id", otherKey: "tag_id" });
    return { User, Tag, Ticket, Comment, TicketTag, AuditLog };
}

// Run `work` in a transaction in which `userId` acts; every call in it must be given that transaction
function acting(sequelize, userId, work) {
    return sequelize.transaction(async (transaction) => {
        await call(sequelize, "set_actor", [userId, true], transaction);
        return work(transaction);
    });
}

// The answer of a function of the desk
async function call(sequelize, name, bind = [], transaction = null) {
    const places = bind.map((_, n) => `$${n + 1}`).join(", ");
    const [row] = await sequelize.query(`SELECT support.${name}(${places}) AS answer`,
        { bind, transaction, type: QueryTypes.SELECT });
    return row.answer;
}

// A page of unsolved tickets, newest first, with their people
function page(Ticket, { before = null, size = 50 } = {}) {
    return Ticket.findAll({
        where: { status: UNSOLVED, ...(before && { id: { [Op.lt]: before } }) },
        include: ["creator", "assignee"], order: [["id", "DESC"]], limit: size,
    });
}

// Open a ticket for a message, or change the one that there is. Without conflictFields Sequelize takes the primary key.
async function openOrChange(Ticket, values, transaction) {
    const [ticket] = await Ticket.upsert(values, { conflictFields: ["external_id"], transaction });
    return ticket;
}

// SQLSTATE, message and hint of an error of the database, as doc/errors.md lists them
function refusal({ parent: { code, message, hint } }) {
    return [code, message, hint];
}

module.exports = { acting, call, connect, defineModels, openOrChange, page, refusal };
