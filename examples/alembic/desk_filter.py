"""
What Alembic's autogenerate compares in a database with a support desk. Copy this file, and see env.py for its use.

The extension makes the desk's tables and brings them forward, and models of them may say less than there is, or say it
otherwise. So on a table of the desk only what the models mark as the application's own counts:

    region = Column(String(20), index=True, info=OWN)

A mark on a column holds for the indexes and constraints that have the column; an index or a constraint on columns of
the desk may carry one itself. All other schemas are compared as ever.
"""
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations import ops
from sqlalchemy import Column

DESK = "support"
MACHINERY = "support_internal"
OWN = {"own": True}


def include_name(name, type_, parent_names):
    """Pass over the machinery; the partitions of the log lie there too."""
    return type_ != "schema" or name != MACHINERY


def include_object(object, name, type_, reflected, compare_to):
    """Leave the desk's tables, and what is on them, to the desk."""
    if type_ == "table":
        return object.schema != DESK or not reflected
    if object.table.schema != DESK:
        return True
    # What is only in the database is the desk's; what also is in the models, under another shape, is theirs if marked
    return is_own(compare_to if reflected else object)


def is_own(item):
    """Whether a column, an index or a constraint is marked, or has a column that is."""
    if item is None:
        return False
    columns = [] if isinstance(item, Column) else item.columns
    return any(each.info.get("own") for each in (item, *columns))


# Models without comments do not mean that the desk's tables should lose theirs
leave_comments = Rewriter()


@leave_comments.rewrites(ops.CreateTableCommentOp)
@leave_comments.rewrites(ops.DropTableCommentOp)
def leave_comment(context, revision, operation):
    return [] if operation.schema == DESK else operation
