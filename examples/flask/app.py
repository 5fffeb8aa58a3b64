"""The desk as a JSON API, with Flask, Flask-SQLAlchemy and psycopg2. The rules are the database's, mapper or not."""
import datetime

from flask import Flask, abort, has_request_context, json, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

# The table "As HTTP answers" of doc/errors.md: SQLSTATEs, or the two characters that a class of them begins with
HTTP_STATUS = {
    "P0002": 404, "55000": 409, "23505": 409, "SU001": 409, "SU002": 409, "SU003": 409, "42501": 403, "54000": 413,
    "22": 422, "23": 422, "40": 503, "53": 503, "55P03": 503, "57": 503,
}
TICKET = "/tickets/<int(max=9223372036854775807):ticket_id>"

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg2://"  # PGHOST, PGDATABASE and PGUSER say where
# Times as ISO 8601; Flask itself would write them as HTTP headers do
app.json.default = lambda value: value.isoformat() if isinstance(value, datetime.datetime) else str(value)
db = SQLAlchemy(app)


class Ticket(db.Model):
    __tablename__ = "tickets"
    __table_args__ = {"schema": "support"}

    id = db.Column(db.BigInteger, primary_key=True)
    ticket_number = db.Column(db.String(50), server_default=db.FetchedValue())
    title = db.Column(db.String(500), nullable=False)
    description = db.Column(db.Text, nullable=False, default="")
    status = db.Column(db.Text, server_default=db.FetchedValue())
    priority = db.Column(db.Text, server_default=db.FetchedValue())
    creator_id = db.Column(db.BigInteger, nullable=False)
    assignee_id = db.Column(db.BigInteger)
    custom = db.Column(JSONB, server_default=db.FetchedValue())
    created_at = db.Column(db.DateTime(timezone=True), server_default=db.FetchedValue())
    solved_at = db.Column(db.DateTime(timezone=True), server_onupdate=db.FetchedValue())
    deleted_at = db.Column(db.DateTime(timezone=True))
    version = db.Column(db.BigInteger, server_default=db.FetchedValue(), server_onupdate=db.FetchedValue())


def user_id():
    """The user who sent the request. X-User stands for your login."""
    return request.headers.get("X-User", type=int) or abort(401, "who are you?")


@event.listens_for(db.session, "after_begin")
def act(_session, _transaction, connection):
    """Every transaction is by the user who sent the request, and in the time zone that it asks for."""
    if not has_request_context():
        return
    try:
        connection.execute(
            db.text("SELECT support.set_actor(:id, is_local => true), set_config('TimeZone', :zone, true)"),
            {"id": user_id(), "zone": request.args.get("zone", "UTC")})
    except DBAPIError as error:
        if error.orig.pgcode in ("P0002", "55000"):  # unknown, or no longer active
            abort(401, error.orig.diag.message_primary)
        raise


@app.errorhandler(DBAPIError)
def refuse(error):
    sqlstate = error.orig.pgcode or ""
    status = HTTP_STATUS.get(sqlstate) or HTTP_STATUS.get(sqlstate[:2])
    if not status:
        raise error
    said = error.orig.diag
    return {"sqlstate": sqlstate, "message": said.message_primary, "detail": said.message_detail,
            "hint": said.message_hint}, status


@app.errorhandler(HTTPException)
def refuse_request(error):
    return {"message": error.description}, error.code


def as_dict(ticket):
    return {column.key: getattr(ticket, column.key) for column in Ticket.__table__.columns}


def call(statement, **arguments):
    """Run a statement that returns one value."""
    return db.session.scalar(db.text(statement), arguments)


@app.post("/tickets")
def open_ticket():
    new = request.json
    given = {key: new[key] for key in ("title", "description", "priority", "assignee_id", "custom") if key in new}
    ticket = Ticket(creator_id=user_id(), **given)
    db.session.add(ticket)
    db.session.flush()
    call("SELECT support.tag_ticket(:id, :tags)", id=ticket.id, tags=new.get("tags", []))
    answer = call("SELECT support.get_ticket(:id)", id=ticket.id)
    db.session.commit()
    return answer, 201


@app.get("/tickets")
def list_tickets():
    """Newest first. A page begins below the last id of the one before it; one row more tells if another follows."""
    args = request.args
    limit = min(max(args.get("limit", 50, type=int), 1), 100)
    query = db.select(Ticket).where(Ticket.deleted_at.is_(None)).order_by(Ticket.id.desc()).limit(limit + 1)
    if "status" in args:
        query = query.where(Ticket.status.in_(args.getlist("status")))
    if "priority" in args:
        query = query.where(Ticket.priority == args["priority"])
    if "assignee" in args:
        query = query.where(Ticket.assignee_id == args["assignee"])
    if "text" in args:
        query = query.where(Ticket.title.ilike(f"%{args['text']}%"))
    if "before" in args:
        query = query.where(Ticket.id < args["before"])
    found = db.session.scalars(query).all()
    page = [as_dict(ticket) for ticket in found[:limit]]
    return {"tickets": page, "next_before": page[-1]["id"] if len(found) > limit else None}


@app.get(TICKET)
def show_ticket(ticket_id):
    return call("SELECT support.get_ticket(:id)", id=ticket_id)


@app.patch(TICKET)
def change_ticket(ticket_id):
    version = call("SELECT support.update_ticket(:id, :changes, expected_version => :expected)", id=ticket_id,
                   changes=json.dumps(request.json), expected=request.args.get("expected_version"))
    db.session.commit()
    return {"version": version}


@app.post(TICKET + "/comments")
def reply(ticket_id):
    new = request.json
    comment_id = call("SELECT support.add_comment(:id, :content, status => :status)", id=ticket_id,
                      content=new.get("content"), status=new.get("status"))
    tags = call("SELECT support.tag_ticket(:id, :tags)", id=ticket_id, tags=new.get("tags", []))
    db.session.commit()
    return {"comment_id": comment_id, "tags": tags}, 201


@app.post("/tickets/solve")
def solve_tickets():
    unsolved = Ticket.id.in_(request.json["ids"]) & Ticket.solved_at.is_(None) & Ticket.deleted_at.is_(None)
    done = db.session.execute(db.update(Ticket).where(unsolved).values(status="resolved"))
    db.session.commit()
    return {"solved": done.rowcount}


@app.delete(TICKET)
def delete_ticket(ticket_id):
    version = call("SELECT support.delete_ticket(:id, :reason)", id=ticket_id, reason=request.args.get("reason"))
    db.session.commit()
    return {"version": version}


@app.delete("/tickets")
def remove_tickets():
    done = db.session.execute(db.delete(Ticket).where(Ticket.id.in_(request.args.getlist("id"))))
    db.session.commit()
    return {"deleted": done.rowcount}


@app.post(TICKET + "/restore")
def restore_ticket(ticket_id):
    version = call("SELECT support.restore_ticket(:id)", id=ticket_id)
    db.session.commit()
    return {"version": version}


@app.get("/report")
def report():
    return db.session.scalars(db.text("SELECT to_jsonb(r) FROM support.report_status AS r")).all()
