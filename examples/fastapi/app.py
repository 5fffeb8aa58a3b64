"""The desk as a JSON API, with FastAPI and asyncpg. The rules are the database's; this only passes on what it says."""
import contextlib
import json
from typing import Any, Dict, List, Optional

import asyncpg
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, conint

# The table "As HTTP answers" of doc/errors.md: SQLSTATEs, or the two characters that a class of them begins with
HTTP_STATUS = {
    "P0002": 404, "55000": 409, "23505": 409, "SU001": 409, "SU002": 409, "SU003": 409, "42501": 403, "54000": 413,
    "22": 422, "23": 422, "40": 503, "53": 503, "55P03": 503, "57": 503,
}

# Newest first. A page begins below the last id of the one before it; one row more tells if another follows.
LIST = """
SELECT to_jsonb(t)
FROM (
    SELECT id, ticket_number, title, status, priority, assignee_id, custom, created_at, updated_at, version
    FROM support.tickets
    WHERE deleted_at IS NULL
        AND ($1::text[] IS NULL OR status = ANY ($1))
        AND ($2::text IS NULL OR priority = $2)
        AND ($3::bigint IS NULL OR assignee_id = $3)
        AND ($4::text IS NULL OR id IN (
            SELECT ticket_id FROM support.search_words
            WHERE comment_id = 0 AND words @@ websearch_to_tsquery('simple', $4)))
        AND ($5::bigint IS NULL OR id < $5)
    ORDER BY id DESC
    LIMIT $6 + 1
) AS t
"""

app = FastAPI(title="Desk")
Id = conint(ge=1, lt=2**63)


class NewTicket(BaseModel):
    title: str
    description: str = ""
    priority: Optional[str] = None
    assignee_id: Optional[Id] = None
    tags: List[str] = []
    custom: Dict[str, Any] = {}


class Reply(BaseModel):
    content: str
    status: Optional[str] = None
    tags: List[str] = []


async def use_json(connection):
    # In a transaction, since pgbouncer may change the server connection between any two others
    async with connection.transaction():
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


@app.on_event("startup")
async def connect():
    # Without its cache asyncpg names no prepared statement, which pgbouncer 1.18 could not keep for it
    app.state.pool = await asyncpg.create_pool(min_size=1, statement_cache_size=0, init=use_json)


@app.on_event("shutdown")
async def disconnect():
    await app.state.pool.close()


@contextlib.asynccontextmanager
async def transaction(user, zone):
    async with app.state.pool.acquire() as db, db.transaction():
        try:
            await db.execute(
                "SELECT support.set_actor($1, is_local => true), set_config('TimeZone', $2, true)", user, zone)
        except (asyncpg.NoDataFoundError, asyncpg.ObjectNotInPrerequisiteStateError) as error:
            raise HTTPException(401, error.message)  # unknown, or no longer active
        yield db


def get_desk(x_user: Id = Header(), zone: str = "UTC"):
    """A request is a transaction, by the user who sent it and in the time zone that it asks for.

    The endpoint enters and ends it: a dependency with "yield" may commit after the answer is sent. X-User stands for
    your login."""
    return transaction(x_user, zone)


@app.exception_handler(asyncpg.PostgresError)
async def refuse(_request, error):
    status = HTTP_STATUS.get(error.sqlstate) or HTTP_STATUS.get(error.sqlstate[:2])
    if not status:
        raise error
    answer = {"sqlstate": error.sqlstate, "message": error.message, "detail": error.detail, "hint": error.hint}
    return JSONResponse(answer, status)


@app.post("/tickets", status_code=201)
async def open_ticket(new: NewTicket, desk=Depends(get_desk)):
    async with desk as db:
        ticket_id = await db.fetchval(
            "SELECT support.create_ticket($1, $2, priority => $3, assignee_id => $4, tags => $5, custom => $6)",
            new.title, new.description, new.priority, new.assignee_id, new.tags, new.custom)
        return await db.fetchval("SELECT support.get_ticket($1)", ticket_id)


@app.get("/tickets")
async def list_tickets(
        status: Optional[List[str]] = Query(None), priority: Optional[str] = None, assignee: Optional[Id] = None,
        text: Optional[str] = None, before: Optional[Id] = None, limit: int = Query(50, ge=1, le=100),
        desk=Depends(get_desk)):
    async with desk as db:
        found = [row[0] for row in await db.fetch(LIST, status, priority, assignee, text, before, limit)]
    page = found[:limit]
    return {"tickets": page, "next_before": page[-1]["id"] if len(found) > limit else None}


@app.get("/tickets/{ticket_id}")
async def show_ticket(ticket_id: Id, desk=Depends(get_desk)):
    async with desk as db:
        return await db.fetchval("SELECT support.get_ticket($1)", ticket_id)


@app.patch("/tickets/{ticket_id}")
async def change_ticket(
        ticket_id: Id, changes: Dict[str, Any] = Body(), expected_version: Optional[Id] = None,
        desk=Depends(get_desk)):
    async with desk as db:
        return {"version": await db.fetchval(
            "SELECT support.update_ticket($1, $2, expected_version => $3)", ticket_id, changes, expected_version)}


@app.post("/tickets/{ticket_id}/comments", status_code=201)
async def reply(ticket_id: Id, new: Reply, desk=Depends(get_desk)):
    async with desk as db:
        comment_id = await db.fetchval(
            "SELECT support.add_comment($1, $2, status => $3)", ticket_id, new.content, new.status)
        tags = await db.fetchval("SELECT support.tag_ticket($1, $2)", ticket_id, new.tags)
        return {"comment_id": comment_id, "tags": tags}


@app.post("/tickets/solve")
async def solve_tickets(ids: List[Id] = Body(embed=True), desk=Depends(get_desk)):
    async with desk as db:
        done = await db.execute(
            "UPDATE support.tickets SET status = 'resolved'"
            " WHERE id = ANY ($1) AND solved_at IS NULL AND deleted_at IS NULL", ids)
        return {"solved": int(done.split()[-1])}


@app.delete("/tickets/{ticket_id}")
async def delete_ticket(ticket_id: Id, reason: Optional[str] = None, desk=Depends(get_desk)):
    async with desk as db:
        return {"version": await db.fetchval("SELECT support.delete_ticket($1, $2)", ticket_id, reason)}


@app.delete("/tickets")
async def remove_tickets(ids: List[Id] = Query(alias="id"), desk=Depends(get_desk)):
    async with desk as db:
        done = await db.execute("DELETE FROM support.tickets WHERE id = ANY ($1)", ids)
        return {"deleted": int(done.split()[-1])}


@app.post("/tickets/{ticket_id}/restore")
async def restore_ticket(ticket_id: Id, desk=Depends(get_desk)):
    async with desk as db:
        return {"version": await db.fetchval("SELECT support.restore_ticket($1)", ticket_id)}


@app.get("/report")
async def report(desk=Depends(get_desk)):
    async with desk as db:
        return [row[0] for row in await db.fetch("SELECT to_jsonb(r) FROM support.report_status AS r")]
